"""Spreadsheets: rosters and results come in as offices write them, and go out ready to be filled in.

In: :func:`read` tells the format from the content, finds the header by its aliases and gives numbered
rows by field; hostile files end in a child process and are refused. Out: workbooks whose cells
are text where they look like formulas. Nothing here knows the database or judges a row.
"""

from skills_registry.spreadsheets.columns import Column
from skills_registry.spreadsheets.grids import Cell, CellError
from skills_registry.spreadsheets.headers import REFUSAL_REASON, can_be_read_back
from skills_registry.spreadsheets.sheet import Sheet, SheetRow, read, require_fields
from skills_registry.spreadsheets.workbooks import (
    refused_workbook,
    results_workbook,
    roster_workbook,
    table_workbook,
    template_workbook,
)

__all__ = [
    "REFUSAL_REASON",
    "Cell",
    "CellError",
    "Column",
    "Sheet",
    "SheetRow",
    "can_be_read_back",
    "read",
    "refused_workbook",
    "require_fields",
    "results_workbook",
    "roster_workbook",
    "table_workbook",
    "template_workbook",
]
