"""Personal data at rest: encrypted per field, looked up by blind index, never by the value.

Each sealed value is AES-256-GCM under a key that lies outside the database, with table, column
and row as associated data, so that a value moved to another row no longer opens. A blind index is
HMAC-SHA-256 under a key of its own: an unsalted hash of an ID number is plaintext, since the
whole space is enumerated in minutes (DOMAIN §7.2).

Field keys can be exchanged (``rotation.py``); each sealed value says under which version it lies. A running
service follows its secrets file, so that it seals under a new key from the moment that the file names one.
The index and commitment keys never change: look-ups, the names of documents, and every certificate that was
ever issued rest on them (docs/privacy.md).
"""

from __future__ import annotations

import base64
import fcntl
import hmac
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from skills_registry.foundation.errors import RuleBroken, Unavailable

_NONCE = 12
_LAST_VERSION = 255

#: How long a key must have been out of use before it is retired: longer than any open request that may
#: still write under it.
SETTLING = timedelta(hours=1)


class TamperedValue(Unavailable):
    """A sealed value was changed, or moved from another row. Facts: ``place`` (table and column)."""

    code = "tampered_value"
    zh = "数据库中的加密内容（{place}）被改动过，无法读取。请从备份恢复并查明原因。"
    en = "A sealed value in the database ({place}) was changed; restore it from a backup and find out why."


class KeyInUse(RuleBroken):
    """The data key is the current one, or still seals something. Facts: ``version``."""

    code = "field_key_in_use"
    zh = "数据密钥{version}仍在使用或刚刚停用，不能移除。请先完成重新加密，并在换用新密钥一小时后再试。"
    en = (
        "Field key {version} is in use, or was until an hour ago, and stays; finish re-sealing and try later."
    )


class NoSuchKey(RuleBroken):
    """There is no field key of this version. Facts: ``version``."""

    code = "field_key_unknown"
    zh = "没有编号为{version}的数据密钥。"
    en = "There is no field key {version}."


class SecretsFile:
    """The secrets file that a vault came from, read again whenever it was exchanged."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp: tuple[int, ...] = ()
        self._keys: tuple[Mapping[int, bytes], int] | None = None

    def field_keys(self) -> tuple[Mapping[int, bytes], int] | None:
        """The field keys and the current version, as the file has them now; the last ones if it is away."""
        try:
            found = self.path.stat()
            stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
            if stamp != self._stamp:
                document = json.loads(self.path.read_text(encoding="ascii"))
                self._keys, self._stamp = _field_keys(document), stamp
        except (OSError, ValueError, KeyError):
            # A file that is away or broken stops nobody who has read it before; start-up asks for it.
            return self._keys
        return self._keys


@dataclass(frozen=True)
class Vault:
    """The registry's secret keys.

    ``field_keys`` maps a key version (1–255) to 32 bytes; new values use ``current``. ``index_key``
    and ``commitment_key`` are 32 bytes and never change, since indexes and certificates rest on
    them. ``signing_passphrase`` opens the private signing keys. ``source`` is the file that is followed.
    """

    field_keys: Mapping[int, bytes] = field(repr=False)
    current: int
    index_key: bytes = field(repr=False)
    commitment_key: bytes = field(repr=False)
    signing_passphrase: bytes = field(repr=False)
    source: SecretsFile | None = field(default=None, repr=False, compare=False)

    def in_force(self) -> tuple[Mapping[int, bytes], int]:
        """The field keys and the version that new values use, as of now."""
        followed = self.source.field_keys() if self.source else None
        return followed or (self.field_keys, self.current)

    def seal(self, column: Any, row: UUID, text: str) -> bytes:
        """Encrypt ``text`` for one column (a peewee field) of one row."""
        return self.seal_bytes(_place(column, row), text.encode())

    def open(self, column: Any, row: UUID, sealed: bytes) -> str:
        """Decrypt a value sealed for exactly this column and row.

        :raises Unavailable: the key is missing.
        :raises TamperedValue: the value was changed or moved.
        """
        try:
            return self.open_bytes(_place(column, row), sealed).decode()
        except InvalidTag:
            raise TamperedValue(place=f"{column.model._meta.table_name}.{column.column_name}") from None

    def seal_bytes(self, place: bytes, content: bytes) -> bytes:
        """Encrypt ``content`` for one place: key version, nonce, and what AES-256-GCM makes of it."""
        keys, current = self.in_force()
        nonce = os.urandom(_NONCE)
        return bytes([current]) + nonce + AESGCM(keys[current]).encrypt(nonce, content, place)

    def open_bytes(self, place: bytes, sealed: bytes) -> bytes:
        """Decrypt what was sealed for exactly this place.

        :raises Unavailable: the key is missing.
        :raises InvalidTag: it was changed or moved.
        """
        key = self.in_force()[0].get(sealed[0]) if sealed else None
        if key is None:
            raise Unavailable(
                what="缺少数据密钥 (data key missing)", remedy="恢复密钥文件 (restore the secrets file)"
            )
        return AESGCM(key).decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], place)

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
        source=SecretsFile(path),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    _write_new(path, json.dumps(_as_document(fresh), indent=1))
    return fresh


def load_vault(path: Path) -> Vault:
    """The secret keys from ``path``.

    :raises Unavailable: the file is missing or unreadable; the remedy is to restore it.
    """
    try:
        document = json.loads(path.read_text(encoding="ascii"))
        keys, current = _field_keys(document)
        return Vault(
            field_keys=keys,
            current=current,
            index_key=_bytes(document["index_key"]),
            commitment_key=_bytes(document["commitment_key"]),
            signing_passphrase=document["signing_passphrase"].encode(),
            source=SecretsFile(path),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unavailable(
            what="密钥文件缺失或损坏 (secrets file missing or broken)",
            remedy="从备份恢复密钥文件，或在新系统上运行 skills-registry init (restore it, or init a new registry)",
        ) from error


def add_field_key(path: Path, at: datetime) -> int:
    """Make a new field key, current from now on; its version. The old file stays beside the new one.

    :raises Unavailable: the file is missing or unreadable.
    """
    load_vault(path)
    with _rewriting(path) as document:
        current = int(document["current"])
        taken = {int(version) for version in document["field_keys"]}
        following = (*range(current + 1, _LAST_VERSION + 1), *range(1, current))
        version: int = next(number for number in following if number not in taken)
        _put_by(path, f"before-key-{version}")
        document["field_keys"][str(version)] = _text(secrets.token_bytes(32))
        document |= {"current": version, "current_since": at.astimezone(UTC).isoformat()}
    return version


def drop_field_key(path: Path, version: int, at: datetime) -> None:
    """Take a field key out of the file; a copy with it stays beside, for backups that still need it.

    Whoever calls has made sure that nothing is sealed under it any more.

    :raises NoSuchKey: there is none of this version.
    :raises KeyInUse: it is the current one, or was so a moment ago.
    """
    load_vault(path)
    with _rewriting(path) as document:
        if str(version) not in document["field_keys"]:
            raise NoSuchKey(version=version)
        since = document.get("current_since")
        settled = since is not None and at - datetime.fromisoformat(since) >= SETTLING
        if version == int(document["current"]) or not settled:
            raise KeyInUse(version=version)
        _put_by(path, f"with-key-{version}")
        del document["field_keys"][str(version)]


@contextmanager
def _rewriting(path: Path) -> Iterator[dict[str, Any]]:
    """The file's document, to be changed: written aside, synced and renamed, by one process at a time."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        document = json.loads(path.read_text(encoding="ascii"))
        yield document
        aside = path.with_name(f"{path.name}.new")
        aside.unlink(missing_ok=True)
        _write_new(aside, json.dumps(document, indent=1))
        aside.replace(path)
        os.fsync(folder)
    finally:
        os.close(folder)


def _put_by(path: Path, ending: str) -> None:
    copy = path.with_name(f"{path.name}.{ending}")
    copy.unlink(missing_ok=True)
    _write_new(copy, path.read_text(encoding="ascii"))


def _write_new(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _field_keys(document: Mapping[str, Any]) -> tuple[dict[int, bytes], int]:
    keys = {int(version): _bytes(key) for version, key in document["field_keys"].items()}
    return keys, int(document["current"])


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
