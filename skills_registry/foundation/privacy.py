"""Personal data at rest: encrypted per field, looked up by blind index, never by the value.

Each sealed value is AES-256-GCM under a key that lies outside the database, with table, column
and row as associated data, so that a value moved to another row no longer opens. A blind index is
HMAC-SHA-256 under a key of its own: an unsalted hash of an ID number is plaintext, since the
whole space is enumerated in minutes (DOMAIN §7.2).
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import secrets
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from skills_registry.foundation.errors import Unavailable

_NONCE = 12


class TamperedValue(Unavailable):
    """A sealed value was changed, or moved from another row. Facts: ``place`` (table and column)."""

    code = "tampered_value"
    zh = "数据库中的加密内容（{place}）被改动过，无法读取。请从备份恢复并查明原因。"
    en = "A sealed value in the database ({place}) was changed; restore it from a backup and find out why."


@dataclass(frozen=True)
class Vault:
    """The registry's secret keys.

    ``field_keys`` maps a key version (1–255) to 32 bytes; new values use ``current``. ``index_key``
    and ``commitment_key`` are 32 bytes and never change, since indexes and certificates rest on
    them. ``signing_passphrase`` opens the private signing keys.
    """

    field_keys: dict[int, bytes]
    current: int
    index_key: bytes
    commitment_key: bytes
    signing_passphrase: bytes

    def seal(self, column: Any, row: UUID, text: str) -> bytes:
        """Encrypt ``text`` for one column (a peewee field) of one row."""
        nonce = os.urandom(_NONCE)
        box = AESGCM(self.field_keys[self.current])
        return bytes([self.current]) + nonce + box.encrypt(nonce, text.encode(), _place(column, row))

    def open(self, column: Any, row: UUID, sealed: bytes) -> str:
        """Decrypt a value sealed for exactly this column and row.

        :raises Unavailable: the key is missing.
        :raises TamperedValue: the value was changed or moved.
        """
        key = self.field_keys.get(sealed[0]) if sealed else None
        if key is None:
            raise Unavailable(
                what="缺少数据密钥 (data key missing)", remedy="恢复密钥文件 (restore the secrets file)"
            )
        try:
            return (
                AESGCM(key)
                .decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], _place(column, row))
                .decode()
            )
        except InvalidTag:
            raise TamperedValue(place=f"{column.model._meta.table_name}.{column.column_name}") from None

    def index(self, purpose: str, text: str) -> bytes:
        """The blind index of a value for one purpose (32 bytes); equal values give equal indexes."""
        return hmac.digest(self.index_key, f"{purpose}\0{text}".encode(), sha256)


def _place(column: Any, row: UUID) -> bytes:
    return f"{column.model._meta.table_name}\0{column.column_name}\0{row.hex}".encode()


def create_vault(path: Path) -> Vault:
    """Make new secret keys and write them to ``path`` (mode 0600); never replaces a file."""
    fresh = Vault(
        field_keys={1: secrets.token_bytes(32)},
        current=1,
        index_key=secrets.token_bytes(32),
        commitment_key=secrets.token_bytes(32),
        signing_passphrase=secrets.token_hex(32).encode(),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        json.dump(_as_document(fresh), file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    return fresh


def load_vault(path: Path) -> Vault:
    """The secret keys from ``path``.

    :raises Unavailable: the file is missing or unreadable; the remedy is to restore it.
    """
    try:
        document = json.loads(path.read_text(encoding="ascii"))
        return Vault(
            field_keys={int(version): _bytes(key) for version, key in document["field_keys"].items()},
            current=int(document["current"]),
            index_key=_bytes(document["index_key"]),
            commitment_key=_bytes(document["commitment_key"]),
            signing_passphrase=document["signing_passphrase"].encode(),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unavailable(
            what="密钥文件缺失或损坏 (secrets file missing or broken)",
            remedy="从备份恢复密钥文件，或在新系统上运行 skills-registry init (restore it, or init a new registry)",
        ) from error


def _as_document(vault: Vault) -> dict[str, Any]:
    return {
        "field_keys": {str(version): _text(key) for version, key in vault.field_keys.items()},
        "current": vault.current,
        "index_key": _text(vault.index_key),
        "commitment_key": _text(vault.commitment_key),
        "signing_passphrase": vault.signing_passphrase.decode("ascii"),
    }


def _text(key: bytes) -> str:
    return base64.b64encode(key).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
