"""Where an .xlsx worksheet holds formula errors: the parser shows them as empty cells.

An empty optional cell is nothing wrong, a card number that is ``#N/A`` is. So the sheet's own XML is
read once more for cells of type ``e``, but only where such a cell exists at all. The container has been
checked before: bounded in size and without a DTD.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from xml.parsers import expat

from skills_registry.spreadsheets.refusals import Unreadable

_ERROR_CELL = re.compile(rb"""\st\s*=\s*["']e["']""")
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")

#: Row → column → the error's text; both count from zero.
ErrorCells = dict[int, dict[int, str]]


def formula_errors(archive: zipfile.ZipFile, sheet_name: str) -> ErrorCells:
    """The error cells of one worksheet.

    :raises Unreadable: its XML is broken.
    """
    part = _part_of(archive, sheet_name)
    xml = _read(archive, part) if part else b""
    if not _ERROR_CELL.search(xml):
        return {}
    listener = _Cells()
    _parse(xml, listener)
    return listener.errors


def _part_of(archive: zipfile.ZipFile, sheet_name: str) -> str:
    """The path of a worksheet's part, found through the workbook and its relationships."""
    listener = _Relations(sheet_name)
    _parse(_read(archive, "xl/workbook.xml"), listener)
    _parse(_read(archive, "xl/_rels/workbook.xml.rels"), listener)
    target = listener.targets.get(listener.relation, "")
    return posixpath.normpath(posixpath.join("/xl", target)).lstrip("/") if target else ""


def _read(archive: zipfile.ZipFile, part: str) -> bytes:
    try:
        return archive.read(part)
    except (KeyError, zipfile.BadZipFile):
        return b""  # calamine found it another way or will refuse the file itself


def _parse(xml: bytes, listener: _Listener) -> None:
    if not xml:
        return
    parser = expat.ParserCreate()
    parser.StartElementHandler = listener.start
    parser.EndElementHandler = listener.end
    parser.CharacterDataHandler = listener.text
    try:
        parser.Parse(xml, True)  # noqa: FBT003 - expat's own signature
    except expat.ExpatError as error:
        raise Unreadable("file_broken") from error


class _Listener:
    """What expat calls; elements come with their namespace prefix, which is dropped."""

    def start(self, tag: str, attributes: dict[str, str]) -> None: ...
    def end(self, tag: str) -> None: ...
    def text(self, characters: str) -> None: ...


class _Relations(_Listener):
    def __init__(self, sheet_name: str) -> None:
        self.sheet_name = sheet_name
        self.relation = ""
        self.targets: dict[str, str] = {}

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        kind = tag.rpartition(":")[2]
        if kind == "sheet" and attributes.get("name") == self.sheet_name:
            self.relation = next((v for k, v in attributes.items() if k.rpartition(":")[2] == "id"), "")
        elif kind == "Relationship":
            self.targets[attributes.get("Id", "")] = attributes.get("Target", "")


class _Cells(_Listener):
    """Follows rows and cells; a cell without a reference stands right of the one before."""

    def __init__(self) -> None:
        self.errors: ErrorCells = {}
        self.row, self.column = -1, -1
        self.is_error, self.is_value = False, False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        kind = tag.rpartition(":")[2]
        if kind == "row":
            self.row, self.column = int(attributes.get("r", self.row + 2)) - 1, -1
        elif kind == "c":
            self._place(attributes.get("r", ""))
            self.is_error = attributes.get("t") == "e"
        self.is_value = kind == "v" and self.is_error

    def _place(self, reference: str) -> None:
        named = _REFERENCE.fullmatch(reference)
        self.column += 1
        if named:
            column = 0
            for letter in named[1]:
                column = column * 26 + ord(letter) - ord("A") + 1
            self.row, self.column = int(named[2]) - 1, column - 1

    def text(self, characters: str) -> None:
        if self.is_value:
            row = self.errors.setdefault(self.row, {})
            row[self.column] = row.get(self.column, "") + characters

    def end(self, tag: str) -> None:  # noqa: ARG002 - expat's own signature
        self.is_value = False
