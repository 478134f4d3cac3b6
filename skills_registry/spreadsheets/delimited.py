"""CSV and its cousins: UTF-8 with or without BOM, GB 18030, UTF-16 with BOM; comma, tab or semicolon."""

from __future__ import annotations

import codecs
import csv
import re
from io import StringIO
from itertools import islice

from skills_registry.spreadsheets.refusals import Unreadable

_BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DELIMITERS = ",\t;|"
#: Excel's own first line that names the delimiter; it is no row of the sheet.
_SEP_LINE = re.compile(r"sep=([,;|\t])\r?\n", re.IGNORECASE)
#: Bytes that no office program writes into a text table.
_BINARY = re.compile("[\x00-\x08\x0e-\x19\x1b-\x1f]")
_LOOKED_AT = 50
_LARGEST_FIELD = 32_767


def rows_of_text(data: bytes) -> list[list[str]]:
    """The records of a delimited text, in the order in which Excel numbers them.

    :raises Unreadable: it is no text, a web page, or of an unknown encoding.
    """
    text = _decoded(data)
    _require_table(text)
    named = _SEP_LINE.match(text)
    if named:
        return _records(text[named.end() :], named[1])
    return _records(text, _delimiter(text))


def _decoded(data: bytes) -> str:
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return _decode(data, encoding)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _decode(data, "gb18030")


def _decode(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise Unreadable("file_encoding_unknown") from error


def _require_table(text: str) -> None:
    """:raises Unreadable: markup, a mail archive, or binary bytes."""
    beginning = text[:2000].lstrip("\ufeff \t\r\n").lower()
    if beginning.startswith("<"):
        if "urn:schemas-microsoft-com:office:spreadsheet" in beginning:
            raise Unreadable("file_is_xml_spreadsheet")
        is_page = re.search(r"<(?:!doctype html|html|head|body|table|meta|style)\b", beginning)
        raise Unreadable("file_is_web_page" if is_page else "file_unknown")
    if beginning.startswith(("mime-version:", "content-type: multipart")):
        raise Unreadable("file_is_web_page")
    if not beginning:
        raise Unreadable("file_empty")
    if _BINARY.search(text):
        raise Unreadable("file_unknown")


def _delimiter(text: str) -> str:
    """The delimiter that cuts most of the first rows into columns."""

    def cut(delimiter: str) -> tuple[int, int]:
        try:
            widths = [len(row) for row in _records("".join(first_lines), delimiter) if len(row) > 1]
        except Unreadable:  # a whole line taken as one cell is too long for a cell
            return 0, 0
        return len(widths), sum(widths)

    first_lines = list(islice(StringIO(text, newline=""), _LOOKED_AT))
    return max(_DELIMITERS, key=cut)


def _records(text: str, delimiter: str) -> list[list[str]]:
    csv.field_size_limit(_LARGEST_FIELD)
    lines = StringIO(text.removesuffix("\x1a"), newline="")
    try:
        return list(csv.reader(lines, delimiter=delimiter))
    except csv.Error as error:
        raise Unreadable("file_broken") from error
