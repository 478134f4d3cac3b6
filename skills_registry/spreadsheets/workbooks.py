"""Workbooks going out: refused rows to mend, a results sheet to fill in, an empty roster, a table to file.

Every text is written as text: a cell that begins with ``=``, ``+``, ``-`` or ``@`` stays what somebody
typed and is no formula. Nothing touches the disk on the way, since the sheets hold personal data, and
the bytes depend on the content alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from io import BytesIO
from types import MappingProxyType
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.utility import xl_rowcol_to_cell

from skills_registry.spreadsheets.columns import ROSTER_COLUMNS, Column
from skills_registry.spreadsheets.headers import REFUSAL_REASON, paper_title, vocabulary

#: What :attr:`SheetRow.original` holds.
Written = str | int | float | bool | None

#: Fields whose columns are text, so that Excel keeps all digits.
_TEXT_FIELDS = frozenset({"citizen_id", "disability_card", "phone", "guardian_phone"})
_WIDTHS = {
    "serial": 6, "name": 18, "sex": 6, "citizen_id": 23, "disability_card": 27, "phone": 16, "education": 12,
    "remark": 24, "hours": 11, "verdict": 11,
}  # fmt: skip
_USUAL_WIDTH, _REASON_WIDTH = 12, 70
_LINE_HEIGHT = 16
_LONGEST_SHEET_NAME, _WIDEST = 31, 60
_TEXT_FORMAT = 49  # the built-in number format “@”
#: A fixed time of creation (the file format wants one): the same content gives the same bytes.
_CREATED = datetime(2000, 1, 1)  # noqa: DTZ001 - the format knows no zone
#: How many rows of the empty roster carry the aids for filling in.
_PREPARED_ROWS = 500

_MEND = (
    "请按最后一列“退回原因”逐行更正，改好后把本表直接重新上传；已登记的行不必再报。 / "
    "Mend each row as its last column says, then upload this sheet as it is."
)
_FILL_RESULTS = (
    "请填写出勤课时和各科成绩，缺考请填“缺考”；“是否合格”可不填，由系统按规定计算。请勿改动姓名和公民身份号码。 / "
    "Fill in hours and scores; write 缺考 for an exam not sat. Do not change names and ID numbers."
)
_FILL_IN = (
    "带 * 的列必填；号码列已设为文本格式，请勿改动。填法见“填写说明”。 / "
    "Columns with * are required; keep the number columns as text."
)


@dataclass(frozen=True)
class _Looks:
    """The cell formats of one workbook."""

    title: Any
    note: Any
    header: Any
    text: Any
    usual: Any
    reason: Any


def _looks(book: Workbook) -> _Looks:
    return _Looks(
        title=book.add_format({"bold": True, "font_size": 16, "align": "left"}),
        note=book.add_format({"italic": True, "font_color": "#444444"}),
        header=book.add_format(
            {
                "bold": True,
                "bg_color": "#E7EEF7",
                "border": 1,
                "align": "center",
                "num_format": _TEXT_FORMAT,
            }
        ),
        text=book.add_format({"num_format": _TEXT_FORMAT}),
        usual=book.add_format(),
        reason=book.add_format({"text_wrap": True, "valign": "top", "num_format": _TEXT_FORMAT}),
    )


def refused_workbook(
    header: Sequence[str], rows_with_reasons: Iterable[tuple[Sequence[Written], Sequence[str]]]
) -> bytes:
    """The refused rows as they were sent, with the column 退回原因 at the end (.xlsx).

    Reading the workbook again ignores that column; an earlier one in ``header`` is left out.
    """
    words = vocabulary({})
    rows = [(list(cells), reasons) for cells, reasons in rows_with_reasons]
    width = max([len(header), *(len(cells) for cells, _ in rows)])
    titles = [*header, *[""] * (width - len(header))]
    kept = [column for column, title in enumerate(titles) if title.strip() != REFUSAL_REASON]
    book = _Book("退回名单")
    for place, column in enumerate(kept):
        book.column(place, words.field_of(titles[column]))
    book.sheet.set_column(len(kept), len(kept), _REASON_WIDTH, book.looks.reason)
    book.top(_MEND, [*(titles[column] for column in kept), REFUSAL_REASON])
    for line, (cells, reasons) in enumerate(rows, start=book.first_row):
        padded = [*cells, *[None] * (width - len(cells))]
        book.row(line, [padded[column] for column in kept])
        book.sheet.write_string(line, len(kept), "\n".join(reasons), book.looks.reason)
        book.sheet.set_row(line, _LINE_HEIGHT * sum(_lines(reason) for reason in reasons))
    return book.finish()


def _lines(reason: str) -> int:
    """How many lines a reason takes in its column; a Chinese character is two wide."""
    return 1 + sum(1 if character.isascii() else 2 for character in reason) // _REASON_WIDTH


def results_workbook(
    title: str,
    trainees: Iterable[tuple[str, str]],
    papers: Mapping[str, str],
    *,
    class_hours: Decimal | int | None = None,
    full_mark: Decimal | int = 100,
    hours_attended: Sequence[Decimal] = (),
) -> bytes:
    """A results sheet with the names and citizen IDs of ``trainees``, to be filled in (.xlsx).

    ``papers`` maps a paper's code to its Chinese name; ``class_hours`` (45-minute hours) bounds what
    can be typed as attendance; ``hours_attended`` fills it in, in the trainees' order.
    """
    people = list(trainees)
    titles = ["序号", "姓名", "公民身份号码", "出勤课时", *(paper_title(label) for label in papers.values())]
    fields = ["serial", "name", "citizen_id", "hours", *papers, "verdict", "remark"]
    book = _Book("成绩表")
    for column, field in enumerate(fields):
        book.column(column, field)
    book.top(_FILL_RESULTS, [*titles, "是否合格", "备注"], title=title)
    for line, (name, citizen_id) in enumerate(people, start=book.first_row):
        place = line - book.first_row
        hours = float(hours_attended[place]) if hours_attended else None
        book.row(line, [place + 1, name, citizen_id, hours, *[None] * (len(fields) - 4)])
    if people:
        last = book.first_row + len(people) - 1
        book.number_aid(3, last, class_hours, "出勤课时")
        for column, label in enumerate(papers.values(), start=4):
            book.number_aid(column, last, full_mark, paper_title(label), or_text="缺考")
        book.choice_aid(4 + len(papers), last, ["合格", "不合格"])
    return book.finish()


def roster_workbook(choices: Mapping[str, Sequence[str]] = MappingProxyType({})) -> bytes:
    """An empty roster with its header, aids for filling in, and a worksheet of instructions (.xlsx).

    ``choices`` are drop-downs that the policy gives, by field.
    """
    columns = [
        replace(column, choices=tuple(choices[column.field])) if column.field in choices else column
        for column in ROSTER_COLUMNS
    ]
    return template_workbook("花名册", "学员花名册", columns)


def template_workbook(
    sheet_name: str,
    title: str,
    columns: Sequence[Column],
    rows: Sequence[Sequence[Written]] = (),
    *,
    note: str = _FILL_IN,
) -> bytes:
    """A table of these columns to fill in, with drop-downs and a worksheet of instructions (.xlsx).

    ``rows`` are filled in beforehand; below them the aids reach as far as people need.
    """
    book = _Book(sheet_name)
    for place, column in enumerate(columns):
        book.column(place, column.field, width=column.width, text=column.text)
    book.top(note, [column.title + "*" * column.required for column in columns], title=title)
    for line, cells in enumerate(rows, start=book.first_row):
        book.row(line, cells)
    last = book.first_row + max(_PREPARED_ROWS, len(rows)) - 1
    for place, column in enumerate(columns):
        if column.choices:
            book.choice_aid(place, last, list(column.choices), strict=column.strict)
        if column.length:
            book.length_aid(place, last, *column.length)
    _write_instructions(book, columns)
    return book.finish()


def table_workbook(title: str, note: str, titles: Sequence[str], rows: Sequence[Sequence[Written]]) -> bytes:
    """A table to be read and filed, each column as wide as what stands in it (.xlsx)."""
    book = _Book(title[:_LONGEST_SHEET_NAME])
    for place, name in enumerate(titles):
        cells = [name, *(str(row[place]) for row in rows)]
        wide = max(sum(1 if letter.isascii() else 2 for letter in cell) for cell in cells)
        book.column(
            place, "", width=min(wide + 2, _WIDEST), text=any(isinstance(r[place], str) for r in rows)
        )
    book.top(note, titles, title=title)
    for line, row in enumerate(rows, start=book.first_row):
        book.row(line, row)
    return book.finish()


def _write_instructions(book: _Book, columns: Sequence[Column]) -> None:
    page = book.workbook.add_worksheet("填写说明")
    page.set_column(0, 0, 18)
    page.set_column(1, 1, 8)
    page.set_column(2, 2, 90)
    for place, title in enumerate(("栏目", "必填", "填法")):
        page.write_string(0, place, title, book.looks.header)
    for line, column in enumerate(columns, start=1):
        page.write_string(line, 0, column.title)
        page.write_string(line, 1, "是" if column.required else "否")
        page.write_string(line, 2, column.how)


class _Book:
    """One workbook in the making: an instruction and a header on top, rows below, aids beside them."""

    def __init__(self, sheet_name: str) -> None:
        self._bytes = BytesIO()
        self.workbook = Workbook(
            self._bytes,
            {
                "in_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
            },
        )
        self.workbook.set_properties({"created": _CREATED})
        self.sheet = self.workbook.add_worksheet(sheet_name)
        self.looks = _looks(self.workbook)
        self._formats: dict[int, Any] = {}
        self.first_row = 0

    def column(self, column: int, field: str, *, width: int = _USUAL_WIDTH, text: bool = False) -> None:
        """Set a column's width and format by the field it holds, or as told."""
        self._formats[column] = self.looks.text if text or field in _TEXT_FIELDS else self.looks.usual
        self.sheet.set_column(column, column, _WIDTHS.get(field, width), self._formats[column])

    def top(self, note: str, titles: Sequence[str], *, title: str = "") -> None:
        """Write title, instruction and header, and freeze them."""
        line = 0
        if title:
            self.sheet.write_string(0, 0, title, self.looks.title)
            line = 1
        self.sheet.write_string(line, 0, note, self.looks.note)
        for column, name in enumerate(titles):
            self.sheet.write_string(line + 1, column, name, self.looks.header)
        self.first_row = line + 2
        self.sheet.freeze_panes(self.first_row, 0)
        self.sheet.set_landscape()
        self.sheet.set_paper(9)  # A4
        self.sheet.fit_to_pages(1, 0)
        self.sheet.repeat_rows(line + 1)

    def row(self, line: int, cells: Sequence[Written]) -> None:
        """Write one row; texts are texts whatever they begin with."""
        for column, cell in enumerate(cells):
            look = self._formats.get(column, self.looks.usual)
            if isinstance(cell, str):
                self.sheet.write_string(line, column, cell, look)
            elif isinstance(cell, bool):
                self.sheet.write_boolean(line, column, cell, look)
            elif cell is not None:
                self.sheet.write_number(line, column, cell, look)

    def number_aid(
        self, column: int, last: int, most: Decimal | int | None, title: str, *, or_text: str = ""
    ) -> None:
        """Let a column take numbers from 0 to ``most`` (without end if None), or one word."""
        cell = xl_rowcol_to_cell(self.first_row, column)
        bound = f",{cell}<={most}" if most is not None else ""
        number = f"AND(ISNUMBER({cell}),{cell}>=0{bound})"
        upto = f"0至{most}的数字" if most is not None else "不小于0的数字"
        self.sheet.data_validation(
            self.first_row, column, last, column,
            {
                "validate": "custom",
                "value": f'=OR({cell}="{or_text}",{number})' if or_text else f"={number}",
                "error_title": title,
                "error_message": f"请填{upto}" + (f"，或“{or_text}”。" if or_text else "。"),
            },
        )  # fmt: skip

    def choice_aid(self, column: int, last: int, choices: list[str], *, strict: bool = True) -> None:
        """Let a column take one of some words, or offer them and take others too."""
        self.sheet.data_validation(
            self.first_row, column, last, column,
            {
                "validate": "list", "source": choices, "error_message": "请从列表中选择。",
                "error_type": "stop" if strict else "information",
            },
        )  # fmt: skip

    def length_aid(self, column: int, last: int, least: int, most: int, message: str) -> None:
        """Let a column take texts of a length; a warning, since a pasted blank is folded on reading."""
        self.sheet.data_validation(
            self.first_row, column, last, column,
            {
                "validate": "length", "criteria": "between", "minimum": least, "maximum": most,
                "error_type": "warning", "error_message": message,
            },
        )  # fmt: skip

    def finish(self) -> bytes:
        """The workbook's bytes."""
        self.workbook.close()
        return self._bytes.getvalue()
