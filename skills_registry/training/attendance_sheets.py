"""Attendance as a sheet (考勤表): a row for each trainee, a column for each session, prefilled to be filled in.

The sheet goes out with what is recorded already and comes back with what is new. An empty cell says
nothing; a closed session must read as it is recorded. A column that names no session of the timetable
refuses the whole file: marks must never be lost unseen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from xlsxwriter.utility import xl_col_to_name

from skills_registry import people
from skills_registry.foundation.acts import Act
from skills_registry.foundation.errors import FileRefused, NotFound, RuleBroken
from skills_registry.foundation.identifiers.folding import BLANKS, INVISIBLE, fold_width
from skills_registry.foundation.problems import Problem
from skills_registry.foundation.wording import Typeface
from skills_registry.spreadsheets import Cell, CellError, Column, Sheet, SheetRow, read, template_workbook
from skills_registry.spreadsheets.headers import ALIASES, REFUSAL_REASON, table_vocabulary
from skills_registry.training import attendance
from skills_registry.training.attendance import Marked
from skills_registry.training.classes import TrainingClass
from skills_registry.training.enrolments import Enrolment, enrolment_of, name_of, roster
from skills_registry.training.sheets import CheckedRow, checked_once_each, identified
from skills_registry.training.timetable import Session, sessions_of
from skills_registry.training.upload_kinds import SheetKind

#: What is written for each mark, folded; the first is how we write it.
_WRITTEN: dict[str, tuple[str, ...]] = {
    "present": ("√", "✓", "✔", "☑", "到", "已到", "出勤", "到课", "出席", "签到", "已签到", "是", "1", "TRUE", "P"),
    "leave": ("假", "请假", "事假", "病假", "公假", "准假", "L"),
    "absent": ("×", "✗", "✘", "╳", "☒", "X", "缺", "缺勤", "缺课", "缺席", "旷", "旷课", "未到", "否", "0", "FALSE"),
}  # fmt: skip
_MARKS = {word: mark for mark, words in _WRITTEN.items() for word in words}
_MEANS = {
    **dict.fromkeys(("纸质", "纸质签到", "纸质签到表", "签到表", "纸", "PAPER"), "paper"),
    **dict.fromkeys(("设备", "打卡", "打卡设备", "考勤机", "刷脸", "刷卡", "扫码", "DEVICE"), "device"),
    **dict.fromkeys(("教师", "教师点名", "点名", "老师点名", "TEACHER"), "teacher"),
}
_NOTE = (
    "每次课填“√”（出勤）、“假”（请假）或“×”（缺勤），没有登记的留空；请勿改动表头、姓名和公民身份号码。 / "
    "√ present, 假 on leave, × absent, empty: not recorded. Do not change headings, names and ID numbers."
)
#: Columns that are about no session.
_ABOUT_PEOPLE = frozenset({"serial", "name", "citizen_id", "means", "remark"})

#: The most sessions of one sheet; a sheet has at most 100 columns.
MOST_SESSIONS = 90

_MEANS_COLUMN = Column(
    "means", "签到方式", "纸质、设备或教师；不填按纸质签到表。",
    aliases=("考勤方式", "打卡方式", "方式"), choices=("纸质", "设备", "教师"), width=10,
)  # fmt: skip


class NoTimetable(RuleBroken):
    """The class has no session to record attendance for."""

    code = "no_timetable"
    zh = "本班（或选定日期内）还没有课次，请先登记课程表，再登记考勤。"
    en = "The class has no session in these days; enter its timetable before the attendance."


class SessionColumnUnknown(FileRefused):
    """Facts: ``columns`` as Excel letters."""

    code = "session_column_unknown"
    zh = "第{columns}列的表头与本班课程表中的课次对不上（课程表可能已调整），请重新下载考勤表填写。"
    en = "The heading of column {columns} names no session of the timetable; download the sheet again."


class NoSessionColumn(FileRefused):
    """The sheet has no session at all."""

    code = "session_columns_missing"
    zh = "表中没有课次列，请下载本班考勤表填写后上传。"
    en = "The sheet has no column for a session; download the attendance sheet of the class and fill it in."


class TooManySessions(RuleBroken):
    """Facts: ``count``, ``most``."""

    code = "too_many_sessions"
    zh = "选定日期内有{count}次课，一份考勤表最多{most}次，请缩小日期范围，分几份下载。"
    en = (
        "There are {count} sessions in these days and a sheet holds {most}: choose fewer days for each sheet."
    )


class AttendanceSheet(SheetKind):
    """An attendance sheet: each accepted row records what is new about one trainee."""

    code, zh, en = "attendance", "考勤表", "attendance sheet"

    def require_takes(self, training_class: TrainingClass) -> None:
        super().require_takes(training_class)
        require_timetable(training_class)

    def read(self, training_class: TrainingClass, content: bytes) -> Sheet:
        columns = columns_of(sessions_of(training_class))
        sheet = read(content, columns=columns)
        _require_all_known(sheet, columns)
        return sheet

    def check(self, act: Act, training_class: TrainingClass, sheet: Sheet) -> list[CheckedRow]:
        sessions = {str(session.id): session for session in sessions_of(training_class)}
        names = _names(sessions.values())

        def check(row: SheetRow) -> CheckedRow:
            checked = identified(row, act.today)
            checked.values["marks"] = marks = {}
            for key in sheet.columns & sessions.keys():
                mark = _read_mark(row.cells.get(key))
                if mark is None:
                    continue
                if not mark:
                    checked.problems.append(Problem("mark_format", "marks", names[key]))
                elif sessions[key].on > act.today:
                    checked.problems.append(Problem("session_not_begun", "marks", names[key]))
                else:
                    marks[key] = mark
            checked.values["means"] = _read_means(row.cells.get("means"), checked)
            if not marks and checked.is_accepted:
                checked.problems.append(Problem("no_marks", "marks"))
            return checked

        return checked_once_each(sheet, check)

    def doubts(
        self, act: Act, training_class: TrainingClass, row: CheckedRow, *, uncovered: Typeface | None = None
    ) -> list[Problem]:
        return self.doubts_of_rows(act, training_class, [row], uncovered=uncovered)[0]

    def doubts_of_rows(
        self,
        act: Act,
        training_class: TrainingClass,
        rows: Sequence[CheckedRow],
        *,
        uncovered: Typeface | None = None,  # noqa: ARG002 - one signature for all kinds
    ) -> list[list[Problem]]:
        known = _Known.of(training_class)
        return [list(_against_records(act, known, row)) for row in rows]

    def write(self, act: Act, training_class: TrainingClass, values: Mapping[str, Any], number: int) -> None:
        self.write_all(act, training_class, [(number, values)])

    def write_all(
        self, act: Act, training_class: TrainingClass, rows: Sequence[tuple[int, Mapping[str, Any]]]
    ) -> None:
        known = _Known.of(training_class)
        by_session: dict[str, list[Marked]] = {}
        for _, values in rows:
            enrolment = _enrolment_on_row(act, known, values)
            if enrolment is None:
                raise NotFound()
            for key in known.changed(enrolment, values["marks"]):
                marked = Marked(enrolment.id, values["marks"][key], values["means"])
                by_session.setdefault(key, []).append(marked)
        for key, marks in by_session.items():
            attendance.record(act, known.sessions[key], marks)


@dataclass(frozen=True)
class _Known:
    """What the records say, asked once for all rows: sessions by id as text, and marks by trainee and session."""

    training_class: TrainingClass
    sessions: Mapping[str, Session]
    marks: Mapping[tuple[UUID, str], str] = field(repr=False)

    @classmethod
    def of(cls, training_class: TrainingClass) -> _Known:
        return cls(
            training_class,
            {str(session.id): session for session in sessions_of(training_class)},
            {
                (row.enrolment_id, str(row.session_id)): row.mark
                for row in attendance.in_class(training_class)
            },
        )

    def changed(self, enrolment: Enrolment, marks: Mapping[str, str]) -> list[str]:
        """The sessions of which a row tells something else than the records."""
        return [key for key, mark in marks.items() if self.marks.get((enrolment.id, key)) != mark]


# ---------------------------------------------------------------- rules


def require_timetable(training_class: TrainingClass) -> None:
    """:raises NoTimetable: the class has no session."""
    if not sessions_of(training_class):
        raise NoTimetable()


def _require_all_known(sheet: Sheet, columns: Sequence[Column]) -> None:
    """Every column that seems to be about a session is about one of this class's.

    :raises SessionColumnUnknown: one is not; the facts name it as Excel does.
    :raises NoSessionColumn: there is none.
    """
    words = table_vocabulary(columns)
    strange = [
        str(xl_col_to_name(place))
        for place, title in enumerate(sheet.header)
        if any(map(str.isdigit, title)) and not words.field_of(title) and title.strip() != REFUSAL_REASON
    ]
    if strange:
        raise SessionColumnUnknown(columns="、".join(strange))
    if not sheet.columns - _ABOUT_PEOPLE:
        raise NoSessionColumn()


def _read_mark(cell: Cell) -> str | None:
    """The mark in a cell: None where it is empty, an empty text where it cannot be read."""
    if cell is None or isinstance(cell, CellError):
        return None if cell is None else ""
    if isinstance(cell, bool):
        return "present" if cell else "absent"
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    word = _word(cell)
    return _MARKS.get(word, "") if word else None


def _word(cell: Cell) -> str:
    return fold_width(str(cell)).strip(BLANKS + INVISIBLE).upper()


def _read_means(cell: Cell, checked: CheckedRow) -> str:
    word = "" if cell is None else _word(cell)
    if word and word not in _MEANS:
        checked.problems.append(Problem("means_format", "means"))
    return _MEANS.get(word, "paper")


def _against_records(act: Act, known: _Known, row: CheckedRow) -> Iterator[Problem]:
    enrolment = _enrolment_on_row(act, known, row.values)
    if enrolment is None:
        yield Problem("not_on_roster", "citizen_id")
    elif enrolment.status != "enrolled":
        yield Problem("withdrawn_trainee", "citizen_id", {"form": "attendance"})
    elif enrolment.name_index != people.name_index(act.vault, row.values["name"]):
        yield Problem("name_differs_from_roster", "name")
    else:
        yield from _against_marks(known, enrolment, row.values["marks"])


def _against_marks(known: _Known, enrolment: Enrolment, marks: Mapping[str, str]) -> Iterator[Problem]:
    changed = known.changed(enrolment, marks)
    open_ones = {key for key, session in known.sessions.items() if session.status == "planned"}
    names = _names(known.sessions.values())
    closed = [Problem("session_closed", "marks", names.get(k, _GONE)) for k in changed if k not in open_ones]
    replaced = sum((enrolment.id, key) in known.marks for key in changed)
    if closed:
        yield from closed
    elif marks and not changed:
        yield Problem("marks_unchanged", "marks")
    elif replaced:
        yield Problem("marks_replaced", "marks", {"count": replaced})


#: What a session is called that left the timetable after the sheet was staged.
_GONE: dict[str, str | int | float] = {"field_zh": "已取消的课次", "field_en": "a dropped session"}

# ---------------------------------------------------------------- queries


def columns_of(sessions: Sequence[Session]) -> tuple[Column, ...]:
    """The columns of an attendance sheet: whose, then one for each session, then how and remarks."""
    return (
        Column("serial", "序号", "顺序号。", aliases=ALIASES["serial"], width=6),
        Column("name", "姓名", "请勿改动。", aliases=ALIASES["name"], required=True, width=16),
        Column(
            "citizen_id", "公民身份号码", "请勿改动。",
            aliases=ALIASES["citizen_id"], required=True, text=True, width=22,
        ),
        *_session_columns(sessions),
        _MEANS_COLUMN,
        Column("remark", "备注", "其他需要说明的事项。", aliases=ALIASES["remark"], width=24),
    )  # fmt: skip


def _session_columns(sessions: Sequence[Session]) -> Iterator[Column]:
    days = [session.on for session in sessions]
    marks = tuple(words[0] for words in _WRITTEN.values())
    for place, session in enumerate(sessions, 1):
        day = f"{session.on.month}月{session.on.day}日"
        at = session.starts_at
        aliases = [f"第{place}次", f"第{place}次 {day}", f"{day} {at}", f"{session.on} {at}"]
        if days.count(session.on) == 1:
            month, number = session.on.month, session.on.day
            aliases += [day, str(session.on), f"{month}/{number}", f"{month}.{number}", f"{month}-{number}"]
        how = f"{session.on} {at}—{session.ends_at} {session.content}"
        yield Column(str(session.id), title(place, session), how, tuple(aliases), choices=marks, width=18)


def title(place: int, session: Session) -> str:
    """What the column of a session is called: its place in the timetable, its day and its beginning."""
    return f"第{place}次 {session.on.month}月{session.on.day}日 {session.starts_at}"


def _names(sessions: Any) -> dict[str, dict[str, str | int | float]]:
    """How a sentence calls each session, by id as text."""
    return {
        str(session.id): {"field_zh": title(place, session), "field_en": f"session {place} ({session.on})"}
        for place, session in enumerate(sessions, 1)
    }


def _enrolment_on_row(act: Act, known: _Known, values: Mapping[str, Any]) -> Enrolment | None:
    person = people.find(act.vault, values["citizen_id"])
    return enrolment_of(known.training_class, person.id) if person else None


def attendance_sheet(
    act: Act, training_class: TrainingClass, *, since: date | None = None, until: date | None = None
) -> bytes:
    """The attendance sheet of a class (.xlsx): its trainees, its sessions, and what is recorded so far.

    With ``since`` and ``until`` it has the sessions of these days only, both included.

    :raises NoTimetable: the class has no session in these days.
    :raises TooManySessions: it has more than a sheet holds.
    """
    every = sessions_of(training_class)
    chosen = [s for s in every if (since or date.min) <= s.on <= (until or date.max)]
    if not chosen:
        raise NoTimetable()
    if len(chosen) > MOST_SESSIONS:
        raise TooManySessions(count=len(chosen), most=MOST_SESSIONS)
    recorded: dict[tuple[UUID, UUID], str] = {
        (row.enrolment_id, row.session_id): _WRITTEN[row.mark][0]
        for row in attendance.in_class(training_class)
    }
    rows = []
    for place, trainee in enumerate(roster(training_class), 1):
        citizen_id = people.citizen_id_of(act.vault, trainee.person)
        marks = [recorded.get((trainee.id, session.id)) for session in chosen]
        rows.append([place, name_of(act.vault, trainee), citizen_id, *marks])
    kept = {str(session.id) for session in chosen}
    columns = [column for column in columns_of(every) if column.field in kept | _ABOUT_PEOPLE]
    return template_workbook("考勤表", f"{training_class.title} 考勤表", columns, rows, note=_NOTE)
