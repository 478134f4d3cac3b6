"""Workbooks made for tests, and changed inside as no office program would."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from xlsxwriter import Workbook

SAMPLES = Path(__file__).parent / "samples"
PAPERS = {"theory": "理论", "practice": "实操"}
WOMAN, MAN = "632121198310189981", "632126198208169978"


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def workbook(*sheets: Sequence[Sequence[Any]], hidden: Sequence[int] = ()) -> bytes:
    """An .xlsx with these worksheets of rows; texts stay texts, dates get a date format."""
    target = BytesIO()
    book = Workbook(
        target,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "default_date_format": "yyyy-mm-dd",
        },
    )
    for index, rows in enumerate(sheets):
        page = book.add_worksheet()
        if index in hidden:
            page.hide()
        else:
            page.activate()
        for number, row in enumerate(rows):
            page.write_row(number, 0, row)
    book.close()
    return target.getvalue()


def roster(*rows: Sequence[Any]) -> bytes:
    """A roster of name and citizen ID, with the header in row 1."""
    return workbook([["姓名", "身份证号"], *rows])


def repacked(data: bytes, changes: Mapping[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """The same container with some parts replaced or added."""
    target = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as source, zipfile.ZipFile(target, "w", method) as changed:
        for name in source.namelist():
            if name not in changes:
                changed.writestr(name, source.read(name))
        for name, content in changes.items():
            changed.writestr(name, content)
    return target.getvalue()


def part(data: bytes, name: str) -> bytes:
    with zipfile.ZipFile(BytesIO(data)) as source:
        return source.read(name)
