"""The file of a backup: a tar archive, encrypted in the age format, written and read as a stream.

    tables/<table>/<00000>.jsonl   rows, one a line, as ``foundation/dumps.py`` writes them
    documents/…                    the shelf as it lies there, each file sealed by itself
    keys/<id>.public.json          the public halves of the signing keys
    policy.toml                    the policy in force
    manifest.json                  what the archive must hold, each member with its SHA-256
    manifest.mac                   HMAC-SHA-256 of the manifest under a key derived from the index key

age (https://age-encryption.org/v1) notices every changed or missing byte, but anybody who has the public
recipients could write a backup; the last member says that it is this registry's. A backup under a passphrase
is encrypted to an identity of its own, which lies beside it, encrypted under the passphrase: ``PATH.key``.
No plain byte of either touches the disk.
"""

from __future__ import annotations

import io
import os
import re
import tarfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import pyrage

from skills_registry.foundation.errors import FileRefused, InputRefused, Unavailable

MANIFEST, MAC = "manifest.json", "manifest.mac"

_MEMBER = re.compile(
    r"tables/[a-z_]{1,63}/[0-9]{5,}\.jsonl|documents/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{64}"
    r"|keys/[0-9a-f]{8}\.public\.json|policy\.toml|manifest\.json|manifest\.mac"
)


class BackupBroken(FileRefused):
    """The backup does not open with what was given, or a byte of it was changed."""

    code = "backup_broken"
    zh = "备份打不开：口令或私钥不对，或文件被改动、不完整。未恢复任何内容。"
    en = (
        "The backup does not open: the passphrase or identity is wrong, or the file was changed or is not "
        "whole. Nothing was restored."
    )


class BackupUnwritable(Unavailable):
    """The backup cannot be written. Facts: ``kind``."""

    code = "backup_unwritable"
    zh = "备份无法写入（{kind}），请检查目标位置的空间和权限。"
    en = "The backup cannot be written ({kind}); check room and permissions at its place."


class BackupExists(InputRefused):
    """A file of that name is there already."""

    code = "backup_exists"
    zh = "目标文件已存在，备份不覆盖任何文件。"
    en = "The file exists already; a backup replaces none."


class KeyUnreadable(InputRefused):
    """This is no age recipient or identity."""

    code = "backup_key_unreadable"
    zh = "无法识别接收方公钥或私钥文件：每行一个 age1… 公钥（或 AGE-SECRET-KEY-1… 私钥）。"
    en = "The file holds no recipients (age1…) or identities (AGE-SECRET-KEY-1…), one a line."


# ── Keys ─────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Lock:
    """What a backup is locked with: public recipients, or a passphrase."""

    recipients: tuple[Any, ...] = ()
    passphrase: str = ""

    def seal(self, content: bytes) -> bytes:
        """A small file, encrypted."""
        if self.recipients:
            return bytes(pyrage.encrypt(content, list(self.recipients)))
        return bytes(pyrage.passphrase.encrypt(content, self.passphrase))


@dataclass(frozen=True)
class Unlock:
    """What opens a backup: identities, or a passphrase."""

    identities: tuple[Any, ...] = ()
    passphrase: str = ""

    def open(self, content: bytes) -> bytes:
        """:raises BackupBroken: it does not open with this."""
        try:
            if self.identities:
                return bytes(pyrage.decrypt(content, list(self.identities)))
            return bytes(pyrage.passphrase.decrypt(content, self.passphrase))
        except (pyrage.DecryptError, OSError, ValueError) as error:
            raise BackupBroken() from error


def read_recipients(path: Path) -> tuple[Any, ...]:
    """The public recipients of a file, one a line; ``#`` begins a remark.

    :raises KeyUnreadable: a line is none, or there is none.
    """
    kinds = {"ssh-": pyrage.ssh.Recipient.from_str, "age1": pyrage.x25519.Recipient.from_str}
    return _read(path, kinds)


def read_identities(path: Path) -> tuple[Any, ...]:
    """The identities of a file as ``age-keygen`` writes it.

    :raises KeyUnreadable: a line is none, or there is none.
    """
    return _read(path, {"AGE-SECRET-KEY-1": pyrage.x25519.Identity.from_str})


def _read(path: Path, kinds: dict[str, Callable[[str], Any]]) -> tuple[Any, ...]:
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        lines = [line for line in lines if line and not line.startswith("#")]
        found = [
            next(read for start, read in kinds.items() if line.startswith(start))(line) for line in lines
        ]
    except (OSError, ValueError, StopIteration, pyrage.RecipientError, pyrage.IdentityError) as error:
        raise KeyUnreadable() from error
    if not found:
        raise KeyUnreadable()
    return tuple(found)


def key_file_of(path: Path) -> Path:
    """Where the identity of a backup under a passphrase lies."""
    return path.with_name(f"{path.name}.key")


# ── Writing ──────────────────────────────────────────────────────────────────────────────────────


class Archive:
    """A backup that is being written; remembers the digest of everything put in."""

    def __init__(self, stream: BinaryIO) -> None:
        self._tar = tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115
        self.files: dict[str, str] = {}

    def put(self, name: str, content: bytes) -> None:
        """Put one member in."""
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(content), 0o600
        self._tar.addfile(entry, io.BytesIO(content))
        self.files[name] = sha256(content).hexdigest()

    def close(self) -> None:
        """Write the end of the archive."""
        self._tar.close()


@contextmanager
def writing(path: Path, lock: Lock) -> Iterator[Archive]:
    """A new backup at ``path``, which gets its name only when it is whole and on disk.

    :raises BackupExists: there is a file of that name.
    :raises BackupUnwritable: no room, or no permission.
    """
    aside, key_file = path.with_name(f".{path.name}.part"), key_file_of(path)
    if path.exists() or key_file.exists():
        raise BackupExists()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        recipients = list(lock.recipients) or [_own_identity(key_file, lock)]
        with _encrypting(aside, recipients) as stream:
            archive = Archive(stream)
            yield archive
            archive.close()
        aside.replace(path)
        _settle(path.parent)
    except BaseException as error:
        aside.unlink(missing_ok=True)
        key_file.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise BackupUnwritable(kind=type(error).__name__) from error
        raise


def _own_identity(key_file: Path, lock: Lock) -> Any:
    identity = pyrage.x25519.Identity.generate()
    write_new(key_file, lock.seal(f"{identity}\n".encode()))
    return identity.to_public()


def write_new(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, and bring it to disk.

    :raises BackupExists: there is one.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise BackupExists() from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _settle(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _encrypting(path: Path, recipients: Sequence[Any]) -> Iterator[BinaryIO]:
    reader, writer = os.pipe()

    def encrypt() -> None:
        with os.fdopen(reader, "rb") as plain, os.fdopen(_created(path), "wb") as sealed:
            pyrage.encrypt_io(plain, sealed, list(recipients))
            sealed.flush()
            os.fsync(sealed.fileno())

    with _beside(encrypt) as failed, os.fdopen(writer, "wb") as stream:
        try:
            yield stream
            stream.flush()
        except BrokenPipeError:
            if not failed.wait(10):
                raise
            # The other side says why, when it is joined.
            with suppress(OSError):
                stream.close()


def _created(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)


# ── Reading ──────────────────────────────────────────────────────────────────────────────────────


def members(path: Path, unlock: Unlock) -> Iterator[tuple[str, bytes]]:
    """Every member of a backup, in the order in which it was written.

    :raises BackupBroken: it does not open, was changed, or is not whole. Only after the last member is the
        whole file known to be sound.
    """
    identities = list(unlock.identities) or _kept_identity(path, unlock)
    try:
        with _decrypting(path, identities) as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
            for entry in tar:
                content = tar.extractfile(entry) if entry.isfile() else None
                if content is None or not _MEMBER.fullmatch(entry.name):
                    raise BackupBroken()
                yield entry.name, content.read()
            while stream.read(65536):
                pass
    except (tarfile.TarError, OSError, pyrage.DecryptError, EOFError) as error:
        raise BackupBroken() from error


def _kept_identity(path: Path, unlock: Unlock) -> list[Any]:
    try:
        told = unlock.open(key_file_of(path).read_bytes()).decode("ascii").strip()
        return [pyrage.x25519.Identity.from_str(told)]
    except (OSError, ValueError, pyrage.IdentityError) as error:
        raise BackupBroken() from error


@contextmanager
def _decrypting(path: Path, identities: list[Any]) -> Iterator[BinaryIO]:
    reader, writer = os.pipe()

    def decrypt() -> None:
        with os.fdopen(writer, "wb") as plain, path.open("rb") as sealed:
            pyrage.decrypt_io(sealed, plain, identities)

    with _beside(decrypt), os.fdopen(reader, "rb") as stream:
        yield stream


@contextmanager
def _beside(work: Callable[[], None]) -> Iterator[threading.Event]:
    """Run some work in a thread of its own; what it raises is raised here, before what we raised over it."""
    failed, raised = threading.Event(), list[Exception]()

    def run() -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - handed over, not swallowed
            raised.append(error)
            failed.set()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield failed
    except GeneratorExit:
        thread.join()
        raise
    except BaseException:
        thread.join()
        if raised:
            raise OSError(str(raised[0])) from raised[0]
        raise
    thread.join()
    if raised:
        raise OSError(str(raised[0])) from raised[0]
