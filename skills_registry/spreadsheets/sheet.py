"""A sheet as the rows below its header: numbered as the office sees them, cells by field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from skills_registry.spreadsheets.columns import Column
from skills_registry.spreadsheets.grids import MOST_COLUMNS, MOST_ROWS, Cell, Grid, as_written, is_blank
from skills_registry.spreadsheets.headers import (
    Header,
    Vocabulary,
    find_header,
    require_columns,
    table_vocabulary,
    vocabulary,
)
from skills_registry.spreadsheets.reading import read_grids
from skills_registry.spreadsheets.refusals import refusal

_NO_PAPERS: Mapping[str, str] = MappingProxyType({})

#: How totals and signature lines begin, in a row without a citizen ID.
_FOOTER = re.compile(
    r"(?:平均|最高分|最低分|及格率|合格率|统计|合\s*计|总\s*计|小\s*计|共\s*计|总人数|人数合计|以下空白|此表|本表|注\s*[:：]|注\s*\d|说明|填表说明"
    r"|(?:填\s*表|制\s*表|填\s*报|审\s*核|复\s*核|经\s*办|负\s*责|联\s*系|校\s*对)(?:人|单位|日期|时间|电话)?\s*(?:[:：(（]|$)"
    r"|备\s*注\s*(?:[:：]|$)|单位负责人|(?:培训)?(?:机构|单位|学校|基地)?(?:负责人|(?:\(|（)?盖\s*章)|日\s*期\s*[:：])"
)

#: A cell with as many digits is somebody's number, whatever its form; a signature line has fewer.
_DIGITS_OF_A_NUMBER = 10


@dataclass(frozen=True)
class SheetRow:
    """One row: ``number`` as Excel shows it, ``cells`` by field, ``original`` as it was sent."""

    number: int
    cells: Mapping[str, Cell] = field(repr=False)
    original: list[str | int | float | bool | None] = field(repr=False)


@dataclass(frozen=True)
class Sheet:
    """The table found in a file. ``columns`` are the fields it has; ``header`` its own titles."""

    header: tuple[str, ...]
    header_row: int
    columns: frozenset[str]
    rows: tuple[SheetRow, ...] = field(repr=False)


def read(data: bytes, *, papers: Mapping[str, str] = _NO_PAPERS, columns: Sequence[Column] = ()) -> Sheet:
    """Read a roster, or a results sheet when the ``papers`` of the class are given (code → name).

    With ``columns`` it is a table of these columns instead, whatever its rows are about.

    .xlsx, .xls (also WPS .et), and CSV in UTF-8, GB 18030 or UTF-16 with commas, tabs or semicolons,
    told from the content. The first visible worksheet with a complete header counts. Blank rows,
    rows with nothing but a serial number, repeated headers and total lines are left out.

    :raises FileRefused: the file cannot be read as such a table; code and sentence say why.
    """
    words = table_vocabulary(columns) if columns else vocabulary(papers)
    grid, header = find_header(read_grids(data), words)
    if grid.is_too_wide:
        raise refusal("too_many_columns", limit=MOST_COLUMNS)
    rows = tuple(_rows(grid, header, words))
    if grid.is_too_long or len(rows) > MOST_ROWS:
        raise refusal("too_many_rows", limit=MOST_ROWS)
    if not rows:
        raise refusal("no_rows")
    return Sheet(header.titles, header.row, frozenset(header.columns), rows)


def require_fields(sheet: Sheet, fields: tuple[str, ...], papers: Mapping[str, str]) -> None:
    """:raises FileRefused: the sheet has no column for one of the fields."""
    require_columns(dict.fromkeys(sheet.columns, 0), fields, vocabulary(papers))


def _rows(grid: Grid, header: Header, words: Vocabulary) -> Iterator[SheetRow]:
    for number, cells in grid.rows[header.data_from :]:
        by_field = {
            name: cells[column] if column < len(cells) else None for name, column in header.columns.items()
        }
        if _is_person(cells, by_field, words):
            yield SheetRow(number, by_field, as_written(cells))


def _is_person(cells: list[Cell], by_field: Mapping[str, Cell], words: Vocabulary) -> bool:
    """Whether a row is about somebody: not blank, no header printed again, no total or signature line."""
    citizen_id = by_field.get("citizen_id")
    if any(words.field_of(by_field.get(name)) == name for name in words.identifying[-1:]):
        return False  # the header printed again: its last identifying cell is no name and no ID number
    filled = [cell for cell in cells if not is_blank(cell)]
    if is_blank(by_field.get("name")) and isinstance(filled[0], str) and _FOOTER.match(filled[0].strip()):
        return False  # a signature line may hold a phone number where the ID stands
    if _has_number(citizen_id):
        return True
    if filled == [by_field.get("serial")]:
        return False  # a template numbered in advance
    return not (isinstance(filled[0], str) and _FOOTER.match(filled[0].strip()))


def _has_number(cell: Cell) -> bool:
    """Whether a cell holds something like an ID number: a figure, or several digits."""
    if not isinstance(cell, str):
        return cell is not None
    return sum(character.isdigit() for character in cell) >= _DIGITS_OF_A_NUMBER
