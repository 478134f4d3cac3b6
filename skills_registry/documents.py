"""Documents (上传材料): licences, leases, opinions and photos that a record rests on.

The bytes lie outside the database, encrypted, on a *shelf* that comes in by the door; the row says by their
SHA-256 which they are, to which record they belong, as what, and what they really are. On the shelf a file
is named by the blind index of that digest, so that neither its name nor its bytes say anything. The real
type is told by the content, never by the name: the name of an uploaded file is not kept. A document taken
out of a file stays on the shelf, because an earlier review may have looked at it.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
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
from skills_registry.foundation.errors import FieldRefused, FileRefused, RuleBroken
from skills_registry.foundation.lifecycle import note
from skills_registry.foundation.shelves import DocumentAltered, DocumentLost, FolderShelf, Shelf
from skills_registry.foundation.storage import InstantField, Record, database

__all__ = [
    "DOCUMENT_KINDS",
    "MEDIA_TYPES",
    "Document",
    "DocumentAltered",
    "DocumentLost",
    "DocumentTooLarge",
    "DocumentTypeRefused",
    "DocumentsFull",
    "FolderShelf",
    "Shelf",
    "content_of",
    "document_of",
    "documents_of",
    "keep",
    "real_type",
    "take_out",
]

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
