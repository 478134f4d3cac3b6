"""The reading child: one file on standard input, its worksheets as JSON on standard output, and gone.

The parser (python-calamine) is fast and trusts its input: a small file can make it take gigabytes or
abort, and its panics are no ``Exception``. So it runs in a process of its own with little memory and
time, with no environment, and nothing to lose. Started by :mod:`skills_registry.spreadsheets.reading`.
"""

from __future__ import annotations

import json
import resource
import sys
import zipfile
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path

import python_calamine

from skills_registry.spreadsheets.containers import require_harmless_workbook
from skills_registry.spreadsheets.delimited import rows_of_text
from skills_registry.spreadsheets.formula_errors import formula_errors
from skills_registry.spreadsheets.grids import (
    MOST_COLUMNS,
    MOST_ROWS,
    Cell,
    CellError,
    Grid,
    is_blank,
    plain,
    to_json,
)
from skills_registry.spreadsheets.refusals import Unreadable
from skills_registry.spreadsheets.sniffing import sniff

#: Title, header and footer lines beside the rows.
_SPARE_ROWS = 200
_MOST_SHEETS = 50
#: A sheet is looked at down to this row; blank rows between count here.
_LAST_ROW = 20_000
_MOST_CHARACTERS = 8_000_000

#: With what the interpreter and the parser take themselves, 256 MB.
_MEMORY_GROWTH = 220 * 1024 * 1024
_CPU_SECONDS = 8
_MEMORY_IN_USE = Path("/proc/self/statm")


def main() -> int:
    """Read standard input, answer ``{"sheets": …}`` or ``{"refused": code}``."""
    _limit_resources()
    data = sys.stdin.buffer.read()
    try:
        answer = json.dumps({"sheets": [_document(grid) for grid in _grids(data)]})
    except Unreadable as error:
        answer = _refused(error.code)
    except MemoryError:
        answer = _refused("file_too_demanding")
    except python_calamine.PasswordError:
        answer = _refused("file_encrypted")
    except python_calamine.CalamineError:
        answer = _refused("file_broken")
    sys.stdout.write(answer)
    return 0


def _refused(code: str) -> str:
    return json.dumps({"refused": code})


def _limit_resources() -> None:
    limits = {resource.RLIMIT_CPU: _CPU_SECONDS, resource.RLIMIT_FSIZE: 0, resource.RLIMIT_CORE: 0}
    if _MEMORY_IN_USE.exists():  # Linux; elsewhere the kernel does not keep this limit
        pages = int(_MEMORY_IN_USE.read_text().split()[0])
        limits[resource.RLIMIT_AS] = pages * resource.getpagesize() + _MEMORY_GROWTH
    for what, most in limits.items():
        resource.setrlimit(what, (most, most))


def _grids(data: bytes) -> Iterator[Grid]:
    kind = sniff(data)
    if kind == "text":
        yield _grid(enumerate(rows_of_text(data), start=1))
        return
    archive = require_harmless_workbook(data) if kind == "zip" else None
    workbook = python_calamine.load_workbook(BytesIO(data))
    visible = [
        sheet.name
        for sheet in workbook.sheets_metadata
        if sheet.visible == python_calamine.SheetVisibleEnum.Visible
        and sheet.typ == python_calamine.SheetTypeEnum.WorkSheet
    ]
    for name in visible[:_MOST_SHEETS]:
        yield _worksheet(workbook, archive, name)


def _worksheet(
    workbook: python_calamine.CalamineWorkbook, archive: zipfile.ZipFile | None, name: str
) -> Grid:
    """One worksheet; rows are numbered from its real start, columns from A."""
    sheet = workbook.get_sheet_by_name(name)
    if sheet.start is None or sheet.end is None:
        return Grid([])
    (top, left), (bottom, _) = sheet.start, sheet.end
    errors = formula_errors(archive, name) if archive else {}
    height = bottom - top + 1
    rows = (
        (number + 1, _with_errors([*[None] * left, *values], errors.get(number, {})))
        for number, values in enumerate(sheet.to_python(nrows=min(height, _LAST_ROW)), start=top)
    )
    return _grid(rows, goes_on=height > _LAST_ROW)


def _with_errors(row: list[object], errors: dict[int, str]) -> list[object]:
    for column, text in errors.items():
        if column < MOST_COLUMNS:
            row.extend([None] * (column + 1 - len(row)))
            row[column] = CellError(text)
    return row


def _grid(rows: Iterable[tuple[int, Iterable[object]]], *, goes_on: bool = False) -> Grid:
    """Rows as cells, without the blank ones and bounded in number, width and text.

    ``goes_on``: there is more below than ``rows`` holds.
    """
    kept: list[tuple[int, list[Cell]]] = []
    is_too_wide, characters = False, 0
    for number, values in rows:
        cells = [plain(value) for value in values]
        while cells and is_blank(cells[-1]):
            cells.pop()
        if not cells:
            continue
        if len(kept) == MOST_ROWS + _SPARE_ROWS:
            return Grid(kept, is_too_long=True, is_too_wide=is_too_wide)
        is_too_wide = is_too_wide or len(cells) > MOST_COLUMNS
        characters += sum(len(cell) for cell in cells[:MOST_COLUMNS] if isinstance(cell, str))
        if characters > _MOST_CHARACTERS:
            raise Unreadable("file_too_demanding")
        kept.append((number, cells[:MOST_COLUMNS]))
    return Grid(kept, is_too_long=goes_on, is_too_wide=is_too_wide)


def _document(grid: Grid) -> dict[str, object]:
    return {
        "rows": [[number, [to_json(cell) for cell in cells]] for number, cells in grid.rows],
        "is_too_long": grid.is_too_long,
        "is_too_wide": grid.is_too_wide,
    }


if __name__ == "__main__":
    sys.exit(main())
