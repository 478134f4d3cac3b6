"""What a file is, told from its first bytes and never from its name: offices rename files freely."""

from __future__ import annotations

import re
import struct

from skills_registry.spreadsheets.refusals import Unreadable

#: First bytes of what is no table, with the code of its refusal.
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "file_is_pdf"),
    (b"\xff\xd8\xff", "file_is_picture"),
    (b"\x89PNG", "file_is_picture"),
    (b"GIF8", "file_is_picture"),
    (b"II*\x00", "file_is_picture"),
    (b"MM\x00*", "file_is_picture"),
    (b"{\\rtf", "file_is_document"),
    (b"Rar!", "file_is_archive"),
    (b"7z\xbc\xaf", "file_is_archive"),
    (b"\x1f\x8b", "file_is_archive"),
    # Excel 2 to 5 wrote its records bare, without a compound document around them.
    (b"\x09\x00\x04\x00", "file_too_old"),
    (b"\x09\x02\x06\x00", "file_too_old"),
    (b"\x09\x04\x06\x00", "file_too_old"),
    (b"\x09\x08\x08\x00", "file_too_old"),
)
_BMP = re.compile(rb"BM....\0\0\0\0", re.DOTALL)
_RIFF_OR_HEIF = re.compile(rb"RIFF....WEBP|....ftyp(?:heic|heix|mif1|avif)", re.DOTALL)

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIPS = (b"PK\x03\x04", b"PK\x05\x06")

#: Streams of a compound document, in the order in which they decide.
_STREAMS: tuple[tuple[str, str], ...] = (
    ("EncryptedPackage", "file_encrypted"),
    ("Workbook", ""),
    ("Book", ""),
    ("WordDocument", "file_is_document"),
    ("PowerPoint Document", "file_is_presentation"),
)
_SECTOR, _DIRECTORY_ENTRY, _NAME_BYTES = 512, 128, 64

#: The record that opens a workbook's globals (BIFF8, BIFF5); FILEPASS after it, perhaps behind a record
#: or two, says that all that follows is encrypted ([MS-XLS], FilePass).
_GLOBALS = re.compile(rb"\x09\x08(?:\x10\x00\x00\x06|\x08\x00\x00\x05)\x05\x00")
_RECORD = struct.Struct("<HH")
_FILEPASS = 0x2F
_RECORDS_BEFORE = 3


def sniff(data: bytes) -> str:
    """``"zip"``, ``"xls"`` or ``"text"``.

    :raises Unreadable: it is none of them; the code says what it is.
    """
    if not data.strip(b"\0 \t\r\n"):
        raise Unreadable("file_empty")
    if data.startswith(_OLE):
        _require_xls(data)
        return "xls"
    if data.startswith(_ZIPS):
        return "zip"
    for magic, code in _MAGIC:
        if data.startswith(magic):
            raise Unreadable(code)
    if _BMP.match(data) or _RIFF_OR_HEIF.match(data):
        raise Unreadable("file_is_picture")
    return "text"


def _require_xls(data: bytes) -> None:
    """A compound document that holds a workbook; told from its directory's entries.

    Entries of 128 bytes begin with the stream's name in UTF-16, on a multiple of 128 in every sector.
    """
    for name, code in _STREAMS:
        if not _has_entry(data, name):
            continue
        if code or _has_password(data):
            raise Unreadable(code or "file_encrypted")
        return
    raise Unreadable("file_broken")  # in a truncated workbook the entry is often among what is lost


def _has_entry(data: bytes, name: str) -> bool:
    wanted = (name + "\0").encode("utf-16-le")
    last = len(data) - _NAME_BYTES
    return any(data.startswith(wanted, position) for position in range(_SECTOR, last, _DIRECTORY_ENTRY))


def _has_password(data: bytes) -> bool:
    """Whether the workbook's first records include FILEPASS; the parser only says that it cannot read it."""
    for globals_ in _GLOBALS.finditer(data):
        position = globals_.start()
        if position % _SECTOR:
            continue
        for _ in range(_RECORDS_BEFORE):
            if position + _RECORD.size > len(data):
                break
            kind, length = _RECORD.unpack_from(data, position)
            if kind == _FILEPASS:
                return True
            position += _RECORD.size + length
    return False
