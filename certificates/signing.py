"""Who signs, and how a signature is checked: keys, their ring, and the directory that holds them.

A key is named by its id, the first four bytes of SHA-256 over algorithm and public key. The id
stands in every statement and decides the algorithm, so a national algorithm (SM2, also 64 bytes)
can come from outside as a ``Signer`` and a ``Verifier`` without touching this module.

A key has two halves. The public half stays for ever, since certificates are checked against it for
decades; it is published at ``/.well-known/skills-registry-keys.json`` and saved for checking
offline. The private half lies encrypted in a directory beside the database, never in it, and is
destroyed when the key retires: a retired key cannot sign.

Private halves are sealed with scrypt and AES-256-GCM. The PKCS#8 encryption that ``cryptography``
writes derives its key with 2,048 rounds of PBKDF2, which a weak passphrase does not survive.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from skills_registry.certification.statement import KEY_ID_SIZE, SIGNATURE_SIZE, Statement
from skills_registry.foundation.errors import FieldRefused, FileRefused, NotFound, Unavailable

#: Checks one signature: public key, message, signature.
Verifier = Callable[[bytes, bytes, bytes], bool]

ED25519 = "ed25519"

_STATEMENT_DOMAIN = b"skills-registry/statement/1\0"
_PRIVATE_KEY_DOMAIN = b"skills-registry/private-key/1\0"
_SEAL = "scrypt-32768-8-1+aes-256-gcm"
_NONCE_SIZE = 12


class KeyFileRefused(FileRefused):
    """A key file that is not what ``/.well-known/skills-registry-keys.json`` gives."""

    code = "key_file_refused"
    zh = "这不是完整的公钥文件，请从登记网站的 /.well-known/skills-registry-keys.json 重新下载保存。"
    en = "This is no complete key file; save /.well-known/skills-registry-keys.json from the registry again."


# ── Signing and checking ─────────────────────────────────────────────────────────────────────────


def signed_message(statement: bytes) -> bytes:
    """What is really signed for a statement; the prefix keeps it from being read as anything else."""
    return _STATEMENT_DOMAIN + statement


def key_id_of(algorithm: str, public_key: bytes) -> bytes:
    """The four bytes that name a key."""
    return sha256(algorithm.encode() + b"\0" + public_key).digest()[:KEY_ID_SIZE]


def _verify_ed25519(public_key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


#: The algorithms that this module can check; a ring takes others beside them.
ALGORITHMS: Mapping[str, Verifier] = {ED25519: _verify_ed25519}


class Ed25519Signer:
    """Signs statements with an Ed25519 key; the same statement always gets the same 64 bytes."""

    def __init__(self, private_key: Ed25519PrivateKey) -> None:
        self._private_key = private_key
        self.public_key = private_key.public_key().public_bytes_raw()
        self.key_id = key_id_of(ED25519, self.public_key)

    def sign(self, statement: bytes) -> bytes:
        """The signature over a statement that names this key.

        :raises Unreadable: the bytes are no statement.
        :raises ValueError: the statement names another key.
        """
        if Statement.decode(statement).key_id != self.key_id:
            raise ValueError("the statement names another key than the one that signs it")
        return self._private_key.sign(signed_message(statement))

    def public_half(self, not_before: date, not_after: date | None = None) -> PublicKey:
        """This key as it is published."""
        return PublicKey(self.key_id, ED25519, self.public_key, not_before, not_after)


@dataclass(frozen=True)
class PublicKey:
    """One published key. ``not_before`` is the day it was created, ``not_after`` the day it retired:
    both days still count, and no certificate is issued under it outside of them."""

    id: bytes
    algorithm: str
    public_key: bytes
    not_before: date
    not_after: date | None = None

    def in_period(self, day: date) -> bool:
        """Whether a certificate issued on that day can be of this key."""
        return self.not_before <= day and (self.not_after is None or day <= self.not_after)

    def document(self) -> dict[str, str | None]:
        """This key as JSON values."""
        return {
            "id": self.id.hex(),
            "algorithm": self.algorithm,
            "public_key": _text(self.public_key),
            "not_before": self.not_before.isoformat(),
            "not_after": None if self.not_after is None else self.not_after.isoformat(),
        }

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> PublicKey:
        """:raises KeyFileRefused: the values are no key, or the id is not the key's own."""
        try:
            retired = document["not_after"]
            key = cls(
                id=bytes.fromhex(document["id"]),
                algorithm=str(document["algorithm"]),
                public_key=_bytes(document["public_key"]),
                not_before=date.fromisoformat(document["not_before"]),
                not_after=None if retired is None else date.fromisoformat(retired),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            raise KeyFileRefused() from None
        if key.id != key_id_of(key.algorithm, key.public_key):
            raise KeyFileRefused()
        return key


@dataclass(frozen=True)
class KeyRing:
    """The public keys of one issuer, oldest first, and the algorithms that the reader can check."""

    keys: tuple[PublicKey, ...] = ()
    issuer: str = ""
    algorithms: Mapping[str, Verifier] = field(default_factory=lambda: ALGORITHMS)

    def __iter__(self) -> Iterator[PublicKey]:
        return iter(self.keys)

    def find(self, key_id: bytes) -> PublicKey | None:
        """The key of that id, retired or not."""
        return next((key for key in self.keys if key.id == key_id), None)

    def can_check(self, key: PublicKey) -> bool:
        """Whether this reader knows the key's algorithm."""
        return key.algorithm in self.algorithms

    def genuine(self, key: PublicKey, statement: bytes, signature: bytes) -> bool:
        """Whether the signature is that key's over that statement."""
        if len(signature) != SIGNATURE_SIZE:
            return False
        return self.algorithms[key.algorithm](key.public_key, signed_message(statement), signature)

    def document(self) -> dict[str, Any]:
        """What ``/.well-known/skills-registry-keys.json`` answers."""
        return {"issuer": self.issuer, "keys": [key.document() for key in self.keys]}

    def dump(self) -> str:
        """The key file, for saving."""
        return json.dumps(self.document(), ensure_ascii=False, indent=1) + "\n"

    @classmethod
    def load(cls, text: str | bytes, algorithms: Mapping[str, Verifier] = ALGORITHMS) -> KeyRing:
        """Read a saved key file.

        :raises KeyFileRefused: it is none, or two keys share an id.
        """
        try:
            # Editors on Windows save a byte order mark with it.
            document = json.loads(text.removeprefix("\ufeff") if isinstance(text, str) else text)
            keys = tuple(PublicKey.read(entry) for entry in document["keys"])
            issuer = str(document["issuer"])
        except (KeyError, TypeError, ValueError, RecursionError):
            raise KeyFileRefused() from None
        if len({key.id for key in keys}) != len(keys):
            raise KeyFileRefused()
        return cls(keys, issuer, algorithms)


# ── The key directory ────────────────────────────────────────────────────────────────────────────
# <id>.public.json  the public half with its days and its place in the order of creation; stays for ever
# <id>.private.json the sealed private half; gone once the key is retired


def create_key(
    directory: Path, passphrase: bytes, *, on: date, private_key: Ed25519PrivateKey | None = None
) -> PublicKey:
    """Make a signing key and store both halves; from now on it is the newest.

    ``private_key`` takes in a key that was made elsewhere.

    :raises Unavailable: there is no passphrase, or the directory holds a key of the same id.
    """
    _require_passphrase(passphrase)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    private_key = private_key or Ed25519PrivateKey.generate()
    key = Ed25519Signer(private_key).public_half(on)
    if _public_path(directory, key.id).exists():
        raise Unavailable(
            code="key_id_taken",
            zh="已有同一编号的密钥，未创建新密钥。处理办法：再次运行创建命令。",
            en="A key with the same id exists; none was created. Remedy: run the command again.",
        )
    order = max((_order(document) for document in _documents(directory)), default=0) + 1
    # The private half first: the key exists once its public half does, and can sign at once then.
    _write(_private_path(directory, key.id), _sealed(key, private_key.private_bytes_raw(), passphrase))
    _write(_public_path(directory, key.id), {**key.document(), "order": order})
    return key


def list_keys(
    directory: Path, *, issuer: str = "", algorithms: Mapping[str, Verifier] = ALGORITHMS
) -> KeyRing:
    """The public halves of all keys ever created here, oldest first.

    :raises Unavailable: one of them cannot be read.
    """
    documents = sorted(_documents(directory), key=_order)
    return KeyRing(tuple(PublicKey.read(document) for document in documents), issuer, algorithms)


def retire_key(directory: Path, key_id: bytes, *, on: date) -> PublicKey:
    """Retire a key: it never signs again, and its public half goes on checking what it signed.

    Retiring it once more changes nothing, and finishes what a crash left undone.

    :raises NotFound: there is no such key.
    :raises FieldRefused: the day lies before the key's first.
    """
    found = next((d for d in _documents(directory) if PublicKey.read(d).id == key_id), None)
    if found is None:
        raise NotFound()
    key = PublicKey.read(found)
    if on < key.not_before:
        raise FieldRefused(field="on")
    if key.not_after is None:
        key = replace(key, not_after=on)
        _write(_public_path(directory, key_id), {**found, **key.document()})
    _private_path(directory, key_id).unlink(missing_ok=True)
    _settle(directory)
    return key


def load_signer(directory: Path, passphrase: bytes) -> Ed25519Signer:
    """The newest key that is not retired, ready to sign.

    :raises Unavailable: there is none, its private half is missing or damaged, or the passphrase
        is missing or wrong; the sentence says what to do.
    """
    _require_passphrase(passphrase)
    active = [key for key in list_keys(directory) if key.not_after is None]
    if not active:
        raise Unavailable(
            code="no_active_key",
            zh="没有可用的签名密钥。处理办法：运行 skills-registry keys create 创建密钥。",
            en="There is no active signing key. Remedy: run skills-registry keys create.",
        )
    signer = Ed25519Signer(Ed25519PrivateKey.from_private_bytes(_opened(directory, active[-1], passphrase)))
    if signer.public_key != active[-1].public_key:
        raise _damaged(active[-1].id.hex())
    return signer


def _require_passphrase(passphrase: bytes) -> None:
    if not passphrase:
        raise Unavailable(
            code="passphrase_missing",
            zh="没有提供签名密钥的口令。处理办法：恢复机密文件或设置口令后重试。",
            en="The passphrase of the signing keys is missing. Remedy: restore the secrets file or set it.",
        )


def _sealed(key: PublicKey, private: bytes, passphrase: bytes) -> dict[str, str]:
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(_NONCE_SIZE)
    box = AESGCM(_stretched(passphrase, salt)).encrypt(nonce, private, _PRIVATE_KEY_DOMAIN + key.id)
    return {"seal": _SEAL, "salt": _text(salt), "nonce": _text(nonce), "sealed": _text(box)}


def _opened(directory: Path, key: PublicKey, passphrase: bytes) -> bytes:
    try:
        document = json.loads(_private_path(directory, key.id).read_text(encoding="ascii"))
        seal, salt, nonce, box = (
            document["seal"],
            *(_bytes(document[p]) for p in ("salt", "nonce", "sealed")),
        )
    except (OSError, KeyError, TypeError, ValueError):
        raise _damaged(key.id.hex()) from None
    if seal != _SEAL:
        raise _damaged(key.id.hex())
    try:
        return AESGCM(_stretched(passphrase, salt)).decrypt(nonce, box, _PRIVATE_KEY_DOMAIN + key.id)
    except (InvalidTag, ValueError):
        raise Unavailable(
            code="passphrase_wrong",
            zh="签名密钥打不开：口令不对，或密钥文件已损坏。处理办法：核对口令，或从备份恢复密钥目录。",
            en="The signing key does not open: the passphrase is wrong or the file is damaged. "
            "Remedy: check the passphrase, or restore the key directory from a backup.",
        ) from None


def _damaged(key_id: str) -> Unavailable:
    return Unavailable(
        code="key_damaged",
        zh="密钥 {key_id} 的文件缺失或损坏。处理办法：从备份恢复密钥目录，或停用它并创建新密钥。",
        en="The files of key {key_id} are missing or damaged. "
        "Remedy: restore the key directory from a backup, or retire the key and create another.",
        key_id=key_id,
    )


@lru_cache(maxsize=8)
def _stretched(passphrase: bytes, salt: bytes) -> bytes:
    # Kept in memory beside the passphrase that it comes from: what is read again need not be stretched again.
    return Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(passphrase)


def _public_path(directory: Path, key_id: bytes) -> Path:
    return directory / f"{key_id.hex()}.public.json"


def _private_path(directory: Path, key_id: bytes) -> Path:
    return directory / f"{key_id.hex()}.private.json"


def _documents(directory: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(directory.glob("[!.]*.public.json")):
        try:
            document = json.loads(path.read_text(encoding="ascii"))
            key, _ = PublicKey.read(document), _order(document)
        except (OSError, KeyError, TypeError, ValueError, KeyFileRefused):
            raise _damaged(path.name.partition(".")[0]) from None
        if _public_path(directory, key.id) != path:
            raise _damaged(path.name.partition(".")[0])
        yield document


def _order(document: Mapping[str, Any]) -> int:
    return int(document["order"])


def _write(path: Path, document: Mapping[str, Any]) -> None:
    """Put a whole file in its place, on disk before it has its name; only its owner may read it."""
    unnamed = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(unnamed, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        json.dump(document, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    unnamed.replace(path)
    _settle(path.parent)


def _settle(directory: Path) -> None:
    """Bring the directory's own entries to disk."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
