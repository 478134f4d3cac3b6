"""The precheck of an .xlsx container: what it really unpacks to, and that no part holds a DTD.

Sizes that an archive states are not believed: every member is inflated against one bound. A member
that two readers could take differently (a name twice, an archive with a tail, an unusual compression)
is refused, because the parser behind us would be the second reader.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO

from skills_registry.spreadsheets.refusals import Unreadable

LARGEST_UNPACKED = 64 * 1024 * 1024
MOST_MEMBERS = 200

_CHUNK = 64 * 1024
_END_RECORD = 22
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
_ENCRYPTED = 0x1 | 0x40 | 0x2000

#: A DTD in any encoding whose letters are ASCII bytes once NULs are dropped (UTF-8, -16, -32).
_DTD = re.compile(rb"<!(?:doctype|entity)", re.IGNORECASE)
_DTD_EBCDIC = "DOCTYPE".encode("cp037")
_OVERLAP = 64
_DECLARED_ENCODING = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([^\"']{0,40})[\"']")
_KNOWN_ENCODINGS = frozenset(
    {b"utf-8", b"utf8", b"utf-16", b"us-ascii", b"ascii", b"iso-8859-1", b"gb2312", b"gbk", b"gb18030"}
)

#: What the members' names tell, in the order in which they decide.
_CONTENT: tuple[tuple[str, str], ...] = (
    ("xl/workbook.bin", "file_is_binary_workbook"),
    ("xl/", ""),
    ("word/", "file_is_document"),
    ("ppt/", "file_is_presentation"),
    ("content.xml", "file_is_opendocument"),
)


def require_harmless_workbook(data: bytes) -> zipfile.ZipFile:
    """Check a zip file and give it back open.

    :raises Unreadable: it is no .xlsx workbook, is encrypted or damaged, unpacks beyond the bounds,
        or holds a DTD or members that readers could take differently.
    """
    archive = _open(data)
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise Unreadable("file_unsafe")
    names = [_plain_name(member) for member in members]
    if any(member.flag_bits & _ENCRYPTED for member in members):
        raise Unreadable("file_encrypted")
    _require_workbook(names)
    if len(set(names)) != len(names):
        raise Unreadable("file_unsafe")
    room = LARGEST_UNPACKED
    for member in members:
        room -= _require_harmless_member(data, member, room)
    return archive


def _open(data: bytes) -> zipfile.ZipFile:
    # The end record must be the last 22 bytes: in a longer tail two readers may find two directories.
    if data[-_END_RECORD : -_END_RECORD + 4] != b"PK\x05\x06":
        raise Unreadable("file_broken")
    try:
        return zipfile.ZipFile(BytesIO(data))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error, OverflowError) as error:
        raise Unreadable("file_broken") from error


def _plain_name(member: zipfile.ZipInfo) -> str:
    """A member's name as the most lenient reader would take it, for comparison."""
    return member.orig_filename.replace("\\", "/").lstrip("/").split("\0")[0].lower()


def _require_workbook(names: list[str]) -> None:
    for beginning, code in _CONTENT:
        if any(name.startswith(beginning) for name in names):
            if code:
                raise Unreadable(code)
            return
    raise Unreadable("file_is_archive")


def _require_harmless_member(data: bytes, member: zipfile.ZipInfo, room: int) -> int:
    """Unpack one member within ``room`` bytes, look for a DTD, and answer how many bytes it had."""
    size, tail, beginning = 0, b"", b""
    for chunk in _unpacked(data, member):
        size += len(chunk)
        if size > room:
            raise Unreadable("file_too_demanding")
        letters = chunk.replace(b"\0", b"")
        if not beginning:
            beginning = letters[:300]
            _require_known_encoding(beginning)
        window = tail + letters
        if _DTD.search(window) or _DTD_EBCDIC in window:
            raise Unreadable("file_unsafe")
        tail = window[-_OVERLAP:]
    return size


def _require_known_encoding(beginning: bytes) -> None:
    declared = _DECLARED_ENCODING.search(beginning)
    if declared and declared[1].strip().lower() not in _KNOWN_ENCODINGS:
        raise Unreadable("file_unsafe")


def _unpacked(data: bytes, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """The member's real bytes, in bounded pieces, whatever size the directory states."""
    packed = _packed(data, member)
    if member.compress_type == zipfile.ZIP_STORED:
        for start in range(0, len(packed), _CHUNK):
            yield bytes(packed[start : start + _CHUNK])
        return
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    waiting: bytes | memoryview = packed
    try:
        while waiting and not inflater.eof:
            chunk = inflater.decompress(waiting, _CHUNK)
            waiting = inflater.unconsumed_tail
            if chunk:
                yield chunk
        while not inflater.eof and (chunk := inflater.decompress(b"", _CHUNK)):
            yield chunk
    except zlib.error as error:
        raise Unreadable("file_broken") from error
    if not inflater.eof:
        raise Unreadable("file_broken")


def _packed(data: bytes, member: zipfile.ZipInfo) -> memoryview:
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Unreadable("file_broken")
    try:
        fields = _LOCAL_HEADER.unpack_from(data, member.header_offset)
    except struct.error as error:
        raise Unreadable("file_broken") from error
    start = member.header_offset + _LOCAL_HEADER.size + fields[9] + fields[10]
    if fields[0] != b"PK\x03\x04" or start + member.compress_size > len(data):
        raise Unreadable("file_broken")
    return memoryview(data)[start : start + member.compress_size]
