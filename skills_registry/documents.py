"""Documents (上传材料): licences, leases, opinions and photos that a record rests on.

The bytes lie outside the database under their SHA-256, on a *shelf* that comes in by the door; the
row says to which record they belong, as what, and what they really are. The real type is told by the
content, never by the name: the name of an uploaded file is not kept. A document taken out of a file
stays on the shelf, because an earlier review may have looked at it.
"""

from __future__ import annotations

import hmac
import io
import os
import re
import shutil
import struct
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Protocol
from uuid import UUID

from peewee import (
    BooleanField,
    CharField,
    IntegerField,
    IntegrityError,
    ModelSelect,
    UUIDField,
)

from skills_registry.foundation.acts import Act
from skills_registry.foundation.errors import FieldRefused, FileRefused, RuleBroken, Unavailable
from skills_registry.foundation.lifecycle import note
from skills_registry.foundation.storage import InstantField, Record, database

#: What a document can be: open data, named as people file it.
DOCUMENT_KINDS: dict[str, tuple[str, str]] = {
    "licence": ("营业执照或办学许可证", "business licence or school permit"),
    "legal_person_appointment": ("法定代表人任职证明", "proof of the legal person's appointment"),
    "site_title": ("场地权属或租赁证明", "title or lease of the site"),
    "fire_safety": ("消防安全意见", "fire-safety opinion"),
    "teaching_rules": ("教学和安全管理制度", "teaching and safety rules"),
    "training_plan": ("培训方案", "training plan"),
    "teacher_qualification": ("教师资格证明", "teacher's qualification"),
    "site_photo": ("场地照片", "photo of the site"),
    "inspection_photo": ("考察照片", "photo from the inspection"),
    "consent_form": ("签署的知情同意书", "signed consent form"),
    "sign_in_sheet": ("签到表扫描件", "scan of a sign-in sheet"),
    "employment_evidence": ("就业证明材料", "evidence of employment"),
    "certificate_scan": ("其他机构证书扫描件", "scan of another body's certificate"),
    "statement": ("情况说明", "statement"),
    "other": ("其他材料", "other"),
}

#: Bytes that must be free before the service calls itself ready: a day's documents of a busy city.
LEAST_FREE = 256 * 1024 * 1024

#: The types that are taken, by what the content really is, each with its usual ending.
MEDIA_TYPES: dict[str, str] = {
    "application/pdf": "pdf",
    "image/jpeg": "jpg",
    "image/png": "png",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
}
_PDF, _JPEG, _PNG, _XLSX, _DOCX = MEDIA_TYPES
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MOST_OF_TYPES = 262_144
_MOST_MEMBERS, _LARGEST_DIRECTORY = 2000, 512 * 1024
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Document(Record):
    """One document of the record ``owner`` (a noun) ``owner_id``; ``digest`` is the SHA-256 of its bytes.

    ``standing`` is false once it was taken out of the file.
    """

    owner = CharField(max_length=40)
    owner_id = UUIDField(index=True)
    kind = CharField(max_length=40)
    digest = CharField(max_length=64)
    media_type = CharField(max_length=100)
    size = IntegerField()
    kept_at = InstantField()
    kept_by = UUIDField(null=True)
    standing = BooleanField(default=True)


Document.add_index(
    Document.index(
        Document.owner,
        Document.owner_id,
        Document.kind,
        Document.digest,
        unique=True,
        name="document_standing",
        where=Document.standing,
    )
)


class Shelf(Protocol):
    """Where the bytes of documents lie, each under its digest."""

    def put(self, content: bytes) -> str:
        """Keep bytes for good; their SHA-256 in hexadecimal."""
        ...

    def get(self, digest: str) -> bytes:
        """The bytes kept under a digest."""
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


class DocumentTypeRefused(FileRefused):
    """The content is none of the types that are taken, or is broken."""

    code = "document_type"
    zh = "只接收 PDF、JPG、PNG、XLSX、DOCX 文件（不含宏），并且文件须完整；改扩展名无效。"
    en = "Only whole PDF, JPG, PNG, XLSX and DOCX files without macros are taken, whatever their name says."


class DocumentTooLarge(FileRefused):
    """Facts: ``megabytes``."""

    code = "document_too_large"
    zh = "文件太大，每份最大{megabytes} MB。"
    en = "The file is too large: at most {megabytes} MB each."


class DocumentsFull(RuleBroken):
    """Facts: ``most``."""

    code = "documents_full"
    zh = "材料已达{most}份上限，请先移除不需要的材料。"
    en = "There are {most} documents already, the most that are kept; take one out first."


@dataclass(frozen=True)
class FolderShelf:
    """A shelf in a folder: two levels of folders, each file named by its digest, for its owner's eyes only."""

    folder: Path

    def put(self, content: bytes) -> str:
        """Keep bytes: written aside, synced, then renamed, so that a crash leaves nothing half kept."""
        digest = sha256(content).hexdigest()
        path = self._path(digest)
        if self._holds(path, digest):
            return digest
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, aside = tempfile.mkstemp(dir=path.parent, prefix=".")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
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
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes kept under a digest.

        :raises DocumentLost: they are not here.
        :raises DocumentAltered: what is here has another digest.
        """
        try:
            content = self._path(digest).read_bytes()
        except FileNotFoundError:
            raise DocumentLost(digest=digest[:12]) from None
        if not hmac.compare_digest(sha256(content).hexdigest(), digest):
            raise DocumentAltered(digest=digest[:12])
        return content

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

    def _path(self, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise DocumentLost(digest="—")
        return self.folder / digest[:2] / digest[2:4] / digest

    def _holds(self, path: Path, digest: str) -> bool:
        # Content sent again mends a file that was altered on disk.
        return path.is_file() and sha256(path.read_bytes()).hexdigest() == digest


def real_type(content: bytes) -> str | None:
    """The media type that the content really has, or None when it is none that is taken, or is broken off."""
    if content.startswith(b"%PDF-"):
        return _PDF if b"%%EOF" in content[-2048:] else None
    if content.startswith(b"\xff\xd8\xff"):
        return _JPEG if b"\xff\xd9" in content[-65536:] else None
    if content.startswith(_PNG_SIGNATURE):
        return _PNG if _is_whole_png(content) else None
    return _office_type(content) if content.startswith(b"PK\x03\x04") else None


def _is_whole_png(content: bytes) -> bool:
    """Whether the chunks follow each other from IHDR to IEND, each with its checksum, and nothing after."""
    kinds, place = [], len(_PNG_SIGNATURE)
    while place + 12 <= len(content):
        length, kind = struct.unpack(">I4s", content[place : place + 8])
        end = place + 8 + length
        if (
            end + 4 > len(content)
            or zlib.crc32(content[place + 4 : end]).to_bytes(4) != content[end : end + 4]
        ):
            return False
        kinds.append(kind)
        place = end + 4
    whole = place == len(content) and kinds[:1] == [b"IHDR"] and kinds[-1:] == [b"IEND"]
    return whole and b"IDAT" in kinds


def _office_type(content: bytes) -> str | None:
    if not _has_small_directory(content):
        return None
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        names = archive.namelist()
        types_part = _beginning(archive, "[Content_Types].xml") if "[Content_Types].xml" in names else b""
    except (zipfile.BadZipFile, zlib.error, ValueError, OSError, NotImplementedError, RuntimeError, EOFError):
        return None
    if len(names) > _MOST_MEMBERS or "[Content_Types].xml" not in names:
        return None
    if b"macroenabled" in types_part.lower():
        return None
    if any(name.lower().endswith(("vbaproject.bin", ".exe", ".dll", ".js")) for name in names):
        return None
    found = {"xl/workbook.xml": _XLSX, "word/document.xml": _DOCX}
    types = [kind for name, kind in found.items() if name in names]
    return types[0] if len(types) == 1 else None


def _beginning(archive: zipfile.ZipFile, name: str) -> bytes:
    # Never more than this is unpacked, whatever the archive claims.
    with archive.open(name) as part:
        return part.read(_MOST_OF_TYPES)


def _has_small_directory(content: bytes) -> bool:
    # Reading a directory of hundreds of thousands of names would cost more than the file is worth.
    end = content.rfind(b"PK\x05\x06", max(0, len(content) - 65_557))
    if end < 0 or content[max(0, end - 20) : end].startswith(b"PK\x06\x07"):
        return False
    return int.from_bytes(content[end + 12 : end + 16], "little") <= _LARGEST_DIRECTORY


def keep(act: Act, owner: str, owner_id: UUID, kind: str, content: bytes, shelf: Shelf) -> Document:
    """Keep a document of a record; the same content sent again as the same kind is one document.

    :raises FieldRefused: the kind is unknown.
    :raises DocumentTooLarge: it is larger than the policy allows.
    :raises DocumentTypeRefused: it is empty, broken off, or of a type that is not taken.
    :raises DocumentsFull: the record has as many as it may have.
    """
    if kind not in DOCUMENT_KINDS:
        raise FieldRefused(field="kind")
    limits = act.policy.rule("documents", act.today)
    if len(content) > limits["largest_megabytes"] * 1024 * 1024:
        raise DocumentTooLarge(megabytes=limits["largest_megabytes"])
    media_type = real_type(content)
    if media_type is None:
        raise DocumentTypeRefused()
    digest = shelf.put(content)
    known = document_of(owner, owner_id, kind, digest)
    if known is not None:
        return known
    if documents_of(owner, owner_id).count() >= limits["most_of_one_record"]:
        raise DocumentsFull(most=limits["most_of_one_record"])
    try:
        return _record(act, owner, owner_id, kind, digest, media_type, len(content))
    except IntegrityError:
        # A twin of this upload came a moment earlier; theirs is the record.
        return _standing(owner, owner_id).where((Document.kind == kind) & (Document.digest == digest)).get()


def _record(
    act: Act, owner: str, owner_id: UUID, kind: str, digest: str, media_type: str, size: int
) -> Document:
    with database.atomic():
        document = Document.create(
            owner=owner,
            owner_id=owner_id,
            kind=kind,
            digest=digest,
            media_type=media_type,
            size=size,
            kept_at=act.at,
            kept_by=act.by.account_id,
        )
        note(act, owner, owner_id, "keep_document", detail={"document": str(document.id), "kind": kind})
    return document


def take_out(act: Act, document: Document) -> None:
    """Take a document out of its file; the bytes stay, for reviews that looked at it. Doing it twice is once."""
    with database.atomic():
        out = (
            Document.update(standing=False).where((Document.id == document.id) & Document.standing).execute()
        )
        if out:
            detail = {"document": str(document.id), "kind": document.kind}
            note(act, document.owner, document.owner_id, "take_out_document", detail=detail)
    document.standing = False


def content_of(document: Document, shelf: Shelf) -> bytes:
    """The bytes of a document, exactly as they were kept.

    :raises DocumentLost, DocumentAltered: they are not there any more, or not the same.
    """
    return shelf.get(document.digest)


def document_of(owner: str, owner_id: UUID, kind: str, digest: str) -> Document | None:
    """The document of this record, kind and content, or None."""
    found: Document | None = (
        _standing(owner, owner_id).where((Document.kind == kind) & (Document.digest == digest)).first()
    )
    return found


def documents_of(owner: str, owner_id: UUID) -> ModelSelect[Document]:
    """The documents in the file of a record, oldest first."""
    return _standing(owner, owner_id).order_by(Document.id)


def _standing(owner: str, owner_id: UUID) -> ModelSelect[Document]:
    return Document.select().where(
        (Document.owner == owner) & (Document.owner_id == owner_id) & Document.standing
    )
