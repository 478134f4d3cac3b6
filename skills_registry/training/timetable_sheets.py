"""Timetables as sheets (课程表): read as offices write them, and given out to be filled in or changed.

Teachers and sites are found by their names in the base's file. A sheet is the whole timetable: one row
that cannot be keeps all others from being confirmed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from skills_registry.bases.entries import Site, Teacher, entries_of, teacher_name
from skills_registry.foundation.acts import Act
from skills_registry.foundation.identifiers import clean_name, name_match_key
from skills_registry.foundation.identifiers.folding import fold_width
from skills_registry.foundation.privacy import Vault
from skills_registry.foundation.problems import Problem
from skills_registry.foundation.wording import Typeface
from skills_registry.spreadsheets import Cell, CellError, Column, Sheet, SheetRow, read, template_workbook
from skills_registry.training import timetable
from skills_registry.training import timetable_rules as rules
from skills_registry.training.classes import TrainingClass
from skills_registry.training.sheets import CheckedRow, read_date, read_figure
from skills_registry.training.timetable import Session
from skills_registry.training.timetable_rules import SESSION_KINDS, PlannedSession
from skills_registry.training.upload_kinds import SheetKind

LONGEST_CONTENT, LONGEST_PLACE = 200, 120

#: What is written for each kind of session, beside its own name.
_KIND_WORDS: dict[str, tuple[str, ...]] = {
    "theory": ("理论课", "理论教学", "理论授课", "理论知识", "讲授", "theory"),
    "practice": ("实操课", "实训", "实践", "实作", "操作", "技能", "实际操作", "技能操作", "实操教学", "practice"),
    "safety": ("安全", "安全课", "安全生产", "安全培训", "safety"),
    "online": ("线上课", "在线", "网络", "网课", "网络课", "线上教学", "online"),
}  # fmt: skip
_KINDS = {word: kind for kind, words in _KIND_WORDS.items() for word in (SESSION_KINDS[kind][0], *words)}

_HALF_DAY = re.compile("上午|下午|晚上|晚|早上|中午")
_TIME = re.compile(f"({_HALF_DAY.pattern})?([0-9]{{1,2}})[:.时点]([0-9]{{1,2}})?分?(?::00)?")
_RANGE = re.compile(r"(.+?)(?:-|—|–|~|至|到)+(.+)")
#: From which hour a half day counts as it stands: 下午2点 is 14:00, 中午1点 is 13:00 and 中午11点 is 11:00.
_TWELVE_MORE_BELOW = {"下午": 12, "晚上": 12, "晚": 12, "中午": 10}
_HALF, _MINUTES_OF_A_DAY = 12, 24 * 60
#: Excel keeps a drop-down's words in one text of at most so many characters.
_LONGEST_CHOICES = 255

_FILL_IN = (
    "每行一次课，请勿合并单元格；日期和时间按文本填写，带 * 的列必填。填法见“填写说明”。 / "
    "One session per row, no merged cells; columns with * are required."
)

COLUMNS: tuple[Column, ...] = (
    Column(
        "on", "日期", "上课当天，如2025-03-03。", required=True, text=True,
        aliases=("上课日期", "授课日期", "培训日期", "教学日期", "date"),
    ),
    Column(
        "starts_at", "开始时间", "24小时制，如08:30；也可在本列写“08:30-11:30”而不填结束时间。", required=True, text=True,
        aliases=("上课时间", "授课时间", "起始时间", "开始", "时间", "起止时间", "starts at"),
    ),
    Column("ends_at", "结束时间", "24小时制，如11:30。", aliases=("下课时间", "终止时间", "结束", "ends at"), text=True),
    Column(
        "class_hours", "课时", "每课时45分钟，可填半课时，如3.5。", required=True,
        aliases=("学时", "课时数", "学时数", "课时学时", "class hours"),
    ),
    Column(
        "content", "内容", "本次课教什么，最多200字。", required=True, width=36,
        aliases=("课程内容", "教学内容", "培训内容", "授课内容", "课程名称", "课程", "上课内容", "content"),
    ),
    Column(
        "kind", "类别", "理论、实操、安全教育或线上。", required=True, choices=tuple(zh for zh, _ in SESSION_KINDS.values()),
        aliases=("课程类别", "课别", "授课方式", "教学方式", "课程性质", "课程类型", "类型", "kind"),
    ),
    Column(
        "place", "地点", "基地档案中场地的名称，可在后面加教室，如“主校区301室”。", width=24, strict=False,
        aliases=("上课地点", "授课地点", "培训地点", "教学地点", "教室", "场地", "培训场地", "place"),
    ),
    Column(
        "teacher", "教师", "基地档案教师名册中的姓名，每次课一名主讲。", width=14, strict=False,
        aliases=("授课教师", "任课教师", "教师姓名", "授课老师", "任课老师", "老师", "讲师", "主讲教师", "teacher"),
    ),
)  # fmt: skip


class TimetableSheet(SheetKind):
    """A timetable of a class that awaits its opening: the accepted rows together are the next version."""

    code, zh, en = "timetable", "课程表", "timetable"
    indivisible = True

    def require_takes(self, training_class: TrainingClass) -> None:
        timetable.require_filed(training_class)

    def read(self, training_class: TrainingClass, content: bytes) -> Sheet:  # noqa: ARG002 - one signature for all
        return read(content, columns=COLUMNS)

    def check(self, act: Act, training_class: TrainingClass, sheet: Sheet) -> list[CheckedRow]:
        rows = read_rows(act, training_class, sheet)
        rule = act.policy.rule("timetable", training_class.starts_on)
        found = rules.findings(
            planned_rows(rows),
            starts_on=training_class.starts_on,
            ends_on=training_class.ends_on,
            rule=rule,
        )
        by_number = {row.number: row for row in rows}
        for number, problem in found:
            by_number[number].problems.append(problem)
        return rows

    def doubts(
        self,
        act: Act,
        training_class: TrainingClass,
        row: CheckedRow,
        *,
        uncovered: Typeface | None = None,  # noqa: ARG002 - one signature for all kinds
    ) -> list[Problem]:
        return self.doubts_of_rows(act, training_class, [row])[0]

    def doubts_of_rows(
        self,
        act: Act,  # noqa: ARG002 - one signature for all kinds
        training_class: TrainingClass,
        rows: Sequence[CheckedRow],
        *,
        uncovered: Typeface | None = None,  # noqa: ARG002 - one signature for all kinds
    ) -> list[list[Problem]]:
        planned = [planned_of(row.values) for row in rows]
        around = timetable.surroundings(training_class, [session.on for session in planned])
        return [list(timetable.against_records(session, around)) for session in planned]

    def doubts_about_sheet(
        self, act: Act, training_class: TrainingClass, rows: Sequence[CheckedRow]
    ) -> list[Problem]:
        return rules.doubts_of_whole(
            [session for _, session in planned_rows(rows)],
            class_hours=training_class.class_hours,
            rule=act.policy.rule("timetable", training_class.starts_on),
        )

    def write(self, act: Act, training_class: TrainingClass, values: Mapping[str, Any], number: int) -> None:
        self.write_all(act, training_class, [(number, values)])

    def write_all(
        self, act: Act, training_class: TrainingClass, rows: Sequence[tuple[int, Mapping[str, Any]]]
    ) -> None:
        planned = [(number, planned_of(values)) for number, values in rows]
        timetable.set_timetable(act, training_class, planned)


def rows_for_change(
    act: Act, training_class: TrainingClass, content: bytes
) -> list[tuple[int, PlannedSession]]:
    """The rows of a sheet that brings the whole timetable of a reported change.

    :raises FileRefused: the file is no timetable that can be read; the sentence says why.
    :raises TimetableRefused: a cell cannot be so; the findings name each row.
    """
    rows = read_rows(act, training_class, read(content, columns=COLUMNS))
    timetable.require_sound([(row.number, problem) for row in rows for problem in row.problems])
    return planned_rows(rows)


def read_rows(act: Act, training_class: TrainingClass, sheet: Sheet) -> list[CheckedRow]:
    """Every row of a sheet as far as it is sound, with what is wrong in its cells."""
    names = _Names(act.vault, training_class)
    return [_read_row(row, names) for row in sheet.rows]


def planned_rows(rows: Iterable[CheckedRow]) -> list[tuple[int, PlannedSession]]:
    """The rows whose cells are sound, as sessions with their numbers."""
    return [(row.number, planned_of(row.values)) for row in rows if row.is_accepted]


def planned_of(values: Mapping[str, Any]) -> PlannedSession:
    """The values of a row, as kept by an upload or a reported change, as a session."""

    def key(name: str) -> UUID | None:
        return UUID(values[name]) if values[name] else None

    return PlannedSession(
        on=date.fromisoformat(values["on"]),
        starts_at=values["starts_at"],
        ends_at=values["ends_at"],
        class_hours=Decimal(values["class_hours"]),
        content=values["content"],
        kind=values["kind"],
        site_id=key("site_id"),
        place=values["place"],
        teacher_id=key("teacher_id"),
    )


def as_values(session: PlannedSession) -> dict[str, str | None]:
    """A session as plain texts: what :func:`planned_of` reads again."""
    keyed = {name: str(value) if value else None for name, value in vars(session).items() if "_id" in name}
    return {name: str(value) for name, value in vars(session).items()} | {
        **keyed,
        "on": session.on.isoformat(),
        "class_hours": rules.written(session.class_hours),
    }


class _Names:
    """The teachers and sites that stand in the file of a class's base, by what a sheet may call them."""

    def __init__(self, vault: Vault, training_class: TrainingClass) -> None:
        base = training_class.base
        self.sites = [(_folded(site.name), site.id) for site in entries_of(base, Site)]
        self.teachers: dict[str, list[UUID]] = {}
        for teacher in entries_of(base, Teacher):
            self.teachers.setdefault(name_match_key(teacher_name(vault, teacher)), []).append(teacher.id)

    def teacher(self, text: str) -> tuple[UUID | None, str]:
        """The teacher of that name, or the code of what is wrong."""
        found = self.teachers.get(name_match_key(clean_name(text).text), [])
        if len(found) == 1:
            return found[0], ""
        return None, "teacher_ambiguous" if found else "teacher_unknown"

    def site(self, text: str) -> tuple[UUID | None, str]:
        """The site that a place names, and what is said beyond its name: a room within it, or nothing."""
        place = _folded(text)
        fitting = [(name, key) for name, key in self.sites if name and place.startswith(name)]
        if not fitting:
            return None, text
        name, key = max(fitting)
        return key, "" if place == name else text


def _read_row(row: SheetRow, names: _Names) -> CheckedRow:
    checked = CheckedRow(row.number, {}, [])
    for name, cell in row.cells.items():
        if isinstance(cell, CellError):
            checked.problems.append(Problem("unreadable_cell", name))
    if not checked.problems:
        _read_day_and_times(row, checked)
        _read_hours(row, checked)
        _read_words(row, checked, names)
    return checked


def _read_day_and_times(row: SheetRow, checked: CheckedRow) -> None:
    day = read_date(row.cells.get("on"))
    if day is None:
        code = "missing" if _is_empty(row.cells.get("on")) else "date_format"
        checked.problems.append(Problem(code, "on"))
    else:
        checked.values["on"] = day.isoformat()
    start, end = row.cells.get("starts_at"), row.cells.get("ends_at")
    if isinstance(start, str) and _is_empty(end):
        start, end = _both_times(start)
    elif isinstance(start, str) and isinstance(end, str):
        end = _in_the_same_half(start, end)
    for name, cell in (("starts_at", start), ("ends_at", end)):
        time = read_time(cell)
        if time is None:
            checked.problems.append(Problem("missing" if _is_empty(cell) else "time_format", name))
        else:
            checked.values[name] = time


def _both_times(text: str) -> tuple[str, str]:
    """Start and end of "08:30-11:30"."""
    span = _RANGE.fullmatch(_plain(text))
    return (text, "") if span is None else (span[1], _in_the_same_half(span[1], span[2]))


def _in_the_same_half(start: str, end: str) -> str:
    """The end as it is meant: of "下午2:00" and "5:00" it is in the afternoon too."""
    half = _HALF_DAY.match(_plain(start))
    return end if half is None or _HALF_DAY.match(_plain(end)) else half[0] + end


def _read_hours(row: SheetRow, checked: CheckedRow) -> None:
    cell = row.cells.get("class_hours")
    hours = read_figure(cell)
    if _is_empty(cell):
        checked.problems.append(Problem("missing", "class_hours"))
    elif hours is None:
        checked.problems.append(Problem("session_hours_range", "class_hours", {"limit": _MOST_HOURS}))
    else:
        checked.values["class_hours"] = str(hours)


#: What a day can hold at all; the policy's own bound is judged with the other rules.
_MOST_HOURS = 24


def _read_words(row: SheetRow, checked: CheckedRow, names: _Names) -> None:
    texts = {name: _text(row.cells.get(name)) for name in ("content", "kind", "place", "teacher")}
    for name, limit in (("content", LONGEST_CONTENT), ("place", LONGEST_PLACE)):
        if len(texts[name]) > limit:
            checked.problems.append(Problem("text_too_long", name, {"limit": limit}))
    kind = _KINDS.get(_folded(texts["kind"]), "")
    if not texts["content"]:
        checked.problems.append(Problem("missing", "content"))
    if not kind:
        checked.problems.append(Problem("session_kind" if texts["kind"] else "missing", "kind"))
    site, room = names.site(texts["place"])
    teacher, wrong = names.teacher(texts["teacher"]) if texts["teacher"] else (None, "")
    if wrong:
        checked.problems.append(Problem(wrong, "teacher"))
    checked.values.update(
        content=texts["content"],
        kind=kind,
        site_id=str(site) if site else None,
        place=room,
        teacher_id=str(teacher) if teacher else None,
    )


def read_time(cell: Cell) -> str | None:
    """A time of day as "HH:MM", from a time cell or from text such as 8:30, 08：30, 下午2:30; None if it is none."""
    if isinstance(cell, datetime):
        return cell.strftime("%H:%M")
    if isinstance(cell, float) and 0 < cell < 1:
        minute = round(cell * _MINUTES_OF_A_DAY)
        return f"{minute // 60:02d}:{minute % 60:02d}" if minute < _MINUTES_OF_A_DAY else None
    found = _TIME.fullmatch(_plain(cell)) if isinstance(cell, str) else None
    if found is None:
        return None
    hour, minute = int(found[2]), int(found[3] or 0)
    if hour < _TWELVE_MORE_BELOW.get(found[1], 0):
        hour += _HALF
    return f"{hour:02d}:{minute:02d}" if hour < 24 and minute < 60 else None


def _plain(cell: Cell) -> str:
    return re.sub(r"\s", "", fold_width(str(cell)))


def _text(cell: Cell) -> str:
    return "" if cell is None else " ".join(str(cell).split())


def _folded(text: str) -> str:
    return _plain(text).lower()


def _is_empty(cell: Cell) -> bool:
    return cell is None or not _plain(cell)


def empty_timetable() -> bytes:
    """An empty timetable to fill in (.xlsx)."""
    return template_workbook("课程表", "培训班课程表", COLUMNS, note=_FILL_IN)


def timetable_sheet(act: Act, training_class: TrainingClass) -> bytes:
    """The timetable of a class as it stands, with its base's sites and teachers to choose from (.xlsx)."""
    base = training_class.base
    standing = [teacher_name(act.vault, teacher) for teacher in entries_of(base, Teacher)]
    choices = {
        "place": _choices(site.name for site in entries_of(base, Site)),
        "teacher": _choices(standing),
    }
    columns = [replace(c, choices=choices[c.field]) if choices.get(c.field) else c for c in COLUMNS]
    rows = [_as_row(act.vault, session) for session in timetable.sessions_of(training_class)]
    return template_workbook("课程表", training_class.title, columns, rows, note=_FILL_IN)


def _as_row(vault: Vault, session: Session) -> list[str | int | float | bool | None]:
    return [
        session.on.isoformat(),
        session.starts_at,
        session.ends_at,
        float(session.class_hours),
        session.content,
        SESSION_KINDS[session.kind][0],
        timetable.place_of(session),
        timetable.teacher_of(vault, session),
    ]


def _choices(words: Iterable[str]) -> tuple[str, ...]:
    distinct = tuple(dict.fromkeys(word for word in words if word and "," not in word))
    return distinct if distinct and len(",".join(distinct)) <= _LONGEST_CHOICES else ()
