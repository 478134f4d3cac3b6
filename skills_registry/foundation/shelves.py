"""The shelf (材料库): where the bytes of documents lie, encrypted, under names that say nothing.

A file is named by the blind index of its content's SHA-256 and sealed with AES-256-GCM under a field key of
the vault, so that whoever copies the folder learns neither what lies there nor whether a known paper does.
Files of before that lie there in plain, under their digest, are read as well, until the command that
exchanges the data key seals them (``skills-registry field-keys reseal``).
"""

from __future__ import annotations

import hmac
import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag

from skills_registry.foundation.errors import Unavailable
from skills_registry.foundation.privacy import Vault

#: Bytes that must be free before the service calls itself ready: a day's documents of a busy city.
LEAST_FREE = 256 * 1024 * 1024

#: How a sealed file begins; no type of document that is taken does.
MARK = b"SRS1"

_DIGEST = re.compile(r"[0-9a-f]{64}")


class Shelf(Protocol):
    """Where the bytes of documents lie, each under its digest."""

    def put(self, content: bytes) -> str:
        """Keep bytes for good; their SHA-256 in hexadecimal."""
        ...

    def get(self, digest: str) -> bytes:
        """The bytes kept under a digest."""
        ...

    def remove(self, digest: str) -> None:
        """Destroy the bytes kept under a digest, if they are here."""
        ...


class DocumentLost(Unavailable):
    """The bytes are not on the shelf. Facts: ``digest``."""

    code = "document_lost"
    zh = "材料文件（{digest}）不在存储目录中，请从备份恢复。"
    en = "The document's file ({digest}) is missing from the store; restore it from a backup."


class DocumentAltered(Unavailable):
    """The bytes on the shelf are not the ones that were kept. Facts: ``digest``."""

    code = "document_altered"
    zh = "材料文件（{digest}）被改动过，不能使用。请从备份恢复并查明原因。"
    en = "The document's file ({digest}) was changed; restore it from a backup and find out why."


@dataclass(frozen=True)
class FolderShelf:
    """A shelf in a folder: two levels of folders, each file sealed, for its owner's eyes only."""

    folder: Path
    vault: Vault

    def put(self, content: bytes) -> str:
        """Keep bytes: written aside, synced, then renamed, so that a crash leaves nothing half kept."""
        digest = sha256(content).hexdigest()
        # Content sent again mends a file that was altered on disk.
        if not self._holds(digest):
            self._write(self.path_of(digest), content)
            self._plain_path(digest).unlink(missing_ok=True)
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes kept under a digest.

        :raises DocumentLost: they are not here.
        :raises DocumentAltered: what is here has another digest.
        :raises Unavailable: the key that they were sealed with is missing.
        """
        if not _DIGEST.fullmatch(digest):
            raise DocumentLost(digest="—")
        path = next((path for path in self._paths(digest) if path.is_file()), None)
        if path is None:
            raise DocumentLost(digest=digest[:12])
        try:
            content = self._opened(path)
        except FileNotFoundError:
            raise DocumentLost(digest=digest[:12]) from None
        except InvalidTag:
            raise DocumentAltered(digest=digest[:12]) from None
        if not hmac.compare_digest(sha256(content).hexdigest(), digest):
            raise DocumentAltered(digest=digest[:12])
        return content

    def remove(self, digest: str) -> None:
        """Destroy the bytes kept under a digest, if they are here."""
        if _DIGEST.fullmatch(digest):
            for path in self._paths(digest):
                path.unlink(missing_ok=True)

    def require_room(self) -> None:
        """There is a place to write, with room in it.

        :raises Unavailable: the folder cannot be written, or the disk is nearly full.
        """
        place = next(folder for folder in (self.folder, *self.folder.absolute().parents) if folder.exists())
        if not os.access(place, os.W_OK) or shutil.disk_usage(place).free < LEAST_FREE:
            raise Unavailable(
                what="材料目录不可写或磁盘将满 (documents folder not writable, or disk nearly full)",
                remedy="检查 DOCUMENTS_DIRECTORY 的权限和剩余空间 (check its permissions and free space)",
            )

    def files_by_key(self) -> Counter[int]:
        """Key version → how many files lie under it; 0 stands for those in plain."""
        return Counter(_version(path) for path in self._files())

    def reseal(self) -> Iterator[bool]:
        """Seal anew whatever does not lie under the current key, file by file; false for one left as it is."""
        for path in self._files():
            if _version(path) != self.vault.in_force()[1]:
                yield self._sealed_anew(path)

    def unclaimed(self, digests: Collection[str], before: datetime) -> list[Path]:
        """The files that lie here since before an instant and hold none of these contents."""
        claimed = {path for digest in digests if _DIGEST.fullmatch(digest) for path in self._paths(digest)}
        return [
            path
            for path in self._files()
            if path not in claimed and path.stat().st_mtime < before.timestamp()
        ]

    def path_of(self, digest: str) -> Path:
        """Where the content with this digest lies."""
        name = self.vault.index("document", digest).hex()
        return self.folder / name[:2] / name[2:4] / name

    def _plain_path(self, digest: str) -> Path:
        return self.folder / digest[:2] / digest[2:4] / digest

    def _paths(self, digest: str) -> tuple[Path, Path]:
        return self.path_of(digest), self._plain_path(digest)

    def _holds(self, digest: str) -> bool:
        path = self.path_of(digest)
        try:
            return path.is_file() and sha256(self._opened(path)).hexdigest() == digest
        except (InvalidTag, Unavailable):
            return False

    def _opened(self, path: Path) -> bytes:
        stored = path.read_bytes()
        if not stored.startswith(MARK):
            return stored
        return self.vault.open_bytes(_place(path), stored[len(MARK) :])

    def _write(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        sealed = MARK + self.vault.seal_bytes(_place(path), content)
        handle, aside = tempfile.mkstemp(dir=path.parent, prefix=".")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(sealed)
                file.flush()
                os.fsync(file.fileno())
            Path(aside).replace(path)
        except OSError:
            # A full disk must not fill further with what could not be kept.
            Path(aside).unlink(missing_ok=True)
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)

    def _files(self) -> Iterator[Path]:
        found = sorted(self.folder.glob("??/??/*"))
        return (path for path in found if _DIGEST.fullmatch(path.name) and path.is_file())

    def _sealed_anew(self, path: Path) -> bool:
        try:
            content = self._opened(path)
        except (InvalidTag, Unavailable):
            return False
        digest = sha256(content).hexdigest()
        if path not in self._paths(digest):
            return False
        self._write(self.path_of(digest), content)
        if path != self.path_of(digest):
            path.unlink()
        return True


def _place(path: Path) -> bytes:
    return b"document\0" + path.name.encode()


def _version(path: Path) -> int:
    with path.open("rb") as file:
        beginning = file.read(len(MARK) + 1)
    return beginning[-1] if beginning.startswith(MARK) and len(beginning) > len(MARK) else 0
