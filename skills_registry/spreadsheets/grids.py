"""A worksheet as the reading child hands it over: numbered rows of plain cells, as JSON.

The pipe between parent and child carries nothing but JSON: text, numbers, booleans, null, and dates
and formula errors as one-entry objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

#: How many rows below its header, and how many columns, a sheet may have.
MOST_ROWS = 5_000
MOST_COLUMNS = 100


@dataclass(frozen=True)
class CellError:
    """A formula's error value in a cell, such as ``#N/A``."""

    text: str


#: What a cell holds; None is an empty one. A float is a number that is not whole or beyond 15 digits.
Cell = str | int | float | bool | date | CellError | None

#: The error values of Excel and WPS; a text file carries them as text.
ERROR_VALUES = frozenset(
    {"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#GETTING_DATA"}
)

_FIRST_INEXACT = 10**15


@dataclass(frozen=True)
class Grid:
    """One worksheet: its rows that are not blank, numbered as Excel shows them.

    ``is_too_long`` and ``is_too_wide``: there was content beyond the bounds, which is not here.
    """

    rows: list[tuple[int, list[Cell]]] = field(repr=False)
    is_too_long: bool = False
    is_too_wide: bool = False


def plain(value: object) -> Cell:
    """A parser's value as a cell: whole floats as integers, midnight as a date, blanks as None."""
    if isinstance(value, str):
        text = value.strip("\0")
        return CellError(text.strip()) if text.strip() in ERROR_VALUES else text or None
    if isinstance(value, float) and value.is_integer() and abs(value) < _FIRST_INEXACT:
        return int(value)
    if isinstance(value, datetime):
        return value.date() if value.time() == time() else value
    if isinstance(value, (time, timedelta)):
        return str(value)
    return value if isinstance(value, (bool, int, float, date, CellError)) else None


def is_blank(cell: Cell) -> bool:
    """Empty, or nothing but blanks."""
    return cell is None or (isinstance(cell, str) and not cell.strip(" \t\r\n\u3000\xa0\u200b\ufeff"))


def to_json(cell: Cell) -> Any:
    """A cell for the pipe."""
    if isinstance(cell, CellError):
        return {"error": cell.text}
    if isinstance(cell, date):
        return {"date": cell.isoformat()}
    return cell


def from_json(value: Any) -> Cell:
    """A cell from the pipe."""
    if not isinstance(value, dict):
        return value  # type: ignore[no-any-return]
    if "error" in value:
        return CellError(str(value["error"]))
    moment = datetime.fromisoformat(value["date"])
    return moment if "T" in value["date"] else moment.date()


def as_written(cells: Sequence[Cell]) -> list[str | int | float | bool | None]:
    """Cells in types that every store knows, to be given back in a refused-rows workbook."""
    return [
        cell.text if isinstance(cell, CellError) else cell.isoformat() if isinstance(cell, date) else cell
        for cell in cells
    ]
