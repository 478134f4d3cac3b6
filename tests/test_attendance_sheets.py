"""Attendance as a sheet: 30 trainees by 15 sessions, out with what is recorded and back with what is new."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from skills_registry import people
from skills_registry.foundation.errors import FileRefused
from skills_registry.spreadsheets.headers import table_vocabulary
from skills_registry.training import attendance, attendance_sheets, enrolments, uploads
from skills_registry.training.attendance import Attendance, Marked
from skills_registry.training.attendance_sheets import (
    NoSessionColumn,
    NoTimetable,
    SessionColumnUnknown,
    TooManySessions,
    attendance_sheet,
)
from skills_registry.training.classes import ClassClosed, TrainingClass
from skills_registry.training.timetable import sessions_of
from skills_registry.training.uploads import NothingAccepted, Upload, UploadOutdated
from tests.attending import attended_class, closed, large_class, mark
from tests.made_sheets import workbook
from tests.timetables import mornings, planned, session
from tests.world import World

Table = list[list[Any]]

#: Where the header of our own sheet stands, and where its first session.
HEADER, FIRST_SESSION = 2, 3


def table(content: bytes) -> Table:
    """The first worksheet of a workbook as it is seen, from its first row."""
    return [
        list(row)
        for row in CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(0).to_python()
    ]


def sheet_of(world: World, training_class: TrainingClass, **days: date) -> Table:
    return table(attendance_sheet(world.act("base_clerk"), training_class, **days))


def stage(world: World, training_class: TrainingClass, rows: Table) -> Upload:
    return uploads.stage(world.act("base_clerk"), training_class, "attendance", workbook(rows))


def confirm(world: World, upload: Upload) -> None:
    uploads.confirm(world.act("base_clerk"), upload)


def problems(upload: Upload) -> dict[int, list[str]]:
    return {row.number: [found.code for found in uploads.problems_of(row)] for row in uploads.rows_of(upload)}


def filled(rows: Table, *marks: str, at: int = FIRST_SESSION) -> Table:
    """The sheet with these marks in one column, from its first trainee down."""
    for row, what in zip(rows[HEADER + 1 :], marks, strict=False):
        row[at] = what
    return rows


def told(training_class: TrainingClass) -> list[list[str]]:
    """Every mark that counts: a line for each session, in roster order, empty where there is none."""
    trainees = enrolments.roster(training_class)
    lines = []
    for one in sessions_of(training_class):
        marks = attendance.marks_of(one)
        lines.append([marks[t.id].mark if t.id in marks else "" for t in trainees])
    return lines


# ---------------------------------------------------------------- the whole


def test_thirty_trainees_by_fifteen_sessions_come_back_from_a_sheet(world: World) -> None:
    training_class, trainees = large_class(world, people=30, sessions=15)
    rows = sheet_of(world, training_class)
    assert (len(rows), len(rows[HEADER])) == (HEADER + 31, 3 + 15 + 2)
    words = {"present": "√", "leave": "假", "absent": "×"}
    wanted = [
        ["present", "leave", "absent"][(who * 7 + place) % 11 % 3] for place in range(15) for who in range(30)
    ]
    for position, what in enumerate(wanted):
        place, who = divmod(position, 30)
        rows[HEADER + 1 + who][FIRST_SESSION + place] = words[what]
    upload = stage(world, training_class, rows)
    assert set(map(tuple, problems(upload).values())) == {()}
    assert Attendance.select().count() == 0  # staging records nothing
    confirm(world, upload)
    assert [mark for line in told(training_class) for mark in line] == wanted
    hours = attendance.hours_attended(training_class)
    assert hours is not None
    assert hours[trainees[0].id] == 4 * Decimal(sum(wanted[p * 30] == "present" for p in range(15)))
    assert sheet_of(world, training_class) == rows  # out again, it says what came in


def test_the_sheet_goes_out_with_names_sessions_and_what_is_recorded(small_world: World) -> None:
    training_class, (first, *_), trainees = attended_class(small_world)
    mark(small_world.act("base_clerk"), first, trainees, "present", "leave", "absent")
    rows = sheet_of(small_world, training_class)
    assert rows[HEADER][:4] == ["序号", "姓名*", "公民身份号码*", "第1次 3月3日 08:30"]
    assert rows[HEADER][-2:] == ["签到方式", "备注"]
    assert [row[:4] for row in rows[HEADER + 1 :]] == [
        [1.0, "李晓东", "632127197610289953", "√"],
        [2.0, "马得福", "630202199204049984", "假"],
        [3.0, "冶春梅", "630202197406019960", "×"],
    ]


WRITTEN = {
    "present": ["√", "✓", "到", "出勤", " 到 ", "1", 1, 1.0, True],
    "leave": ["假", "请假", "事假", "病假"],
    "absent": ["×", "X", "ｘ", "缺", "旷", "旷课", "0", 0, False],
    "": ["", "  ", None],
}


def test_marks_are_read_as_offices_write_them(small_world: World) -> None:
    training_class, *_ = attended_class(small_world, people=5)
    words = [(word, mark) for mark, forms in WRITTEN.items() for word in forms]
    assert len(words) == 25
    rows = sheet_of(small_world, training_class)
    for place in range(5):
        filled(rows, *(word for word, _ in words[place * 5 : place * 5 + 5]), at=FIRST_SESSION + place)
    confirm(small_world, stage(small_world, training_class, rows))
    assert [mark for line in told(training_class)[:5] for mark in line] == [mark for _, mark in words]


def test_a_mark_that_nobody_can_read_refuses_its_row_and_names_the_session(small_world: World) -> None:
    training_class, *_ = attended_class(small_world, people=6)
    rows = filled(sheet_of(small_world, training_class), "迟到", "?", 2, 0.5, "—", "√")
    upload = stage(small_world, training_class, rows)
    assert list(problems(upload).values()) == [*[["mark_format"]] * 5, []]
    for row in list(uploads.rows_of(upload))[:5]:
        assert "第1次 3月3日 08:30" in uploads.problems_of(row)[0].sentence("zh")
    confirm(small_world, upload)
    assert told(training_class)[0] == [*[""] * 5, "present"]


def test_the_means_stand_in_a_column_of_their_own(small_world: World) -> None:
    training_class, (first, *_), trainees = attended_class(small_world)
    rows = filled(sheet_of(small_world, training_class), "√", "√", "√")
    for row, means in zip(rows[HEADER + 1 :], ("设备", "", "口头"), strict=True):
        row[-2] = means
    upload = stage(small_world, training_class, rows)
    assert problems(upload)[HEADER + 4] == ["means_format"]
    confirm(small_world, upload)
    recorded = attendance.marks_of(first)
    assert [recorded[one.id].means for one in trainees[:2]] == ["device", "paper"]
    assert trainees[2].id not in recorded


# ---------------------------------------------------------------- against the records


def test_what_stands_already_is_not_recorded_again_and_keeps_its_means(small_world: World) -> None:
    training_class, (first, *_), trainees = attended_class(small_world)
    mark(small_world.act("base_clerk"), first, trainees, "present", means="device")
    rows = filled(sheet_of(small_world, training_class), "√", "假", "√")
    upload = stage(small_world, training_class, rows)
    assert problems(upload) == {
        HEADER + 2: ["marks_unchanged"], HEADER + 3: ["marks_replaced"], HEADER + 4: ["marks_unchanged"],
    }  # fmt: skip
    confirm(small_world, upload)
    assert told(training_class)[0] == ["present", "leave", "present"]
    assert [row.means for row in attendance.history_of(first, trainees[0])] == ["device"]
    assert [row.mark for row in attendance.history_of(first, trainees[1])] == ["present", "leave"]


def test_an_empty_cell_takes_nothing_back(small_world: World) -> None:
    training_class, (first, *_), trainees = attended_class(small_world)
    mark(small_world.act("base_clerk"), first, trainees, "present")
    confirm(
        small_world,
        stage(small_world, training_class, filled(sheet_of(small_world, training_class), *[""] * 3)),
    )
    assert told(training_class)[0] == ["present"] * 3


def test_a_closed_session_must_read_as_it_is_recorded(small_world: World) -> None:
    training_class, (first, *_), trainees = attended_class(small_world)
    closed(small_world.act("base_clerk"), first, trainees, "present")
    rows = filled(
        filled(sheet_of(small_world, training_class), "√", "×", ""), "√", "√", "√", at=FIRST_SESSION + 1
    )
    upload = stage(small_world, training_class, rows)
    assert problems(upload) == {HEADER + 2: [], HEADER + 3: ["session_closed"], HEADER + 4: []}
    confirm(small_world, upload)
    assert told(training_class)[:2] == [["present"] * 3, ["present", "", "present"]]


def test_a_session_closed_between_staging_and_confirming_stops_the_whole_sheet(world: World) -> None:
    training_class, (first, *_), trainees = attended_class(world)
    upload = stage(world, training_class, filled(sheet_of(world, training_class), "×", "√", "√"))
    closed(world.act("second_clerk"), first, trainees, "present")
    with pytest.raises(UploadOutdated):
        confirm(world, upload)
    assert told(training_class)[0] == ["present"] * 3
    assert problems(upload)[HEADER + 2][-1] == "session_closed"


def test_a_session_to_come_takes_no_mark(small_world: World) -> None:
    training_class, sessions, _ = attended_class(small_world)
    assert sessions[5].on > small_world.act("base_clerk").today
    rows = filled(sheet_of(small_world, training_class), "√", at=FIRST_SESSION + 5)
    upload = stage(small_world, training_class, rows)
    assert problems(upload)[HEADER + 2] == ["session_not_begun"]
    assert problems(upload)[HEADER + 3] == ["no_marks"]
    with pytest.raises(NothingAccepted):
        confirm(small_world, stage(small_world, training_class, rows[: HEADER + 2]))


def test_strangers_leavers_and_other_names_are_refused(small_world: World) -> None:
    training_class, _, trainees = attended_class(small_world, people=4)
    enrolments.withdraw(small_world.act("base_clerk"), trainees[1], "外出务工")
    rows = sheet_of(small_world, training_class)
    rows = [*rows[: HEADER + 2], [9.0, "马得福", "630202199204049984"], *rows[HEADER + 2 :]]
    rows[HEADER + 3][1] = "冶秋梅"
    rows.append([10.0, "祁进财", "632126198602249984"])
    rows.append([1.0, "李晓东", "632127197610289953"])
    for row in rows[HEADER + 1 :]:
        row[3:] = ["√"]
    upload = stage(small_world, training_class, rows)
    assert list(problems(upload).values()) == [
        [], ["withdrawn_trainee"], ["name_differs_from_roster"], [], ["not_on_roster"], ["duplicate_in_file"],
    ]  # fmt: skip
    leaver = list(uploads.rows_of(upload))[1]
    assert "考勤" in uploads.problems_of(leaver)[0].sentence("zh")


def test_a_class_that_is_not_with_the_base_takes_no_sheet(small_world: World) -> None:
    training_class, _, trainees = attended_class(small_world, people=1)
    upload = stage(small_world, training_class, filled(sheet_of(small_world, training_class), "√"))
    small_world.grade(trainees[0])
    enrolments.submit_class(small_world.act("base_clerk"), training_class)
    with pytest.raises(ClassClosed):
        stage(small_world, training_class, filled(sheet_of(small_world, training_class), "√"))
    with pytest.raises(ClassClosed):
        confirm(small_world, Upload.get_by_id(upload.id))
    assert Attendance.select().count() == 0


# ---------------------------------------------------------------- headings


def own_sheet(world: World, training_class: TrainingClass, *titles: Any) -> Table:
    """A sheet that an office made itself, with these session columns, everybody present."""
    vault = world.act("base_clerk").vault
    return [
        ["姓名", "身份证号", *titles],
        *(
            [enrolments.name_of(vault, one), people.citizen_id_of(vault, one.person), *["√"] * len(titles)]
            for one in enrolments.roster(training_class)
        ),
    ]


KNOWN = [
    *(
        "第2次",
        "第2次（3月4日）",
        "3月4日",
        "3月4日 08:30",
        "2025-03-04",
        "2025-03-04 08:30",
        "3/4",
        "3.4",
        "第 2 次",
    ),
    "第2次 3月4日 08:30",
]
UNKNOWN = ["第31次", "3月9日", "2024-03-04", "第1次 3月4日 08:30", "12:00"]


def test_a_session_is_known_by_its_place_or_its_day(small_world: World) -> None:
    training_class, sessions, _ = attended_class(small_world, people=2)
    words = table_vocabulary(attendance_sheets.columns_of(sessions))
    assert {title: words.field_of(title) for title in KNOWN} == dict.fromkeys(KNOWN, str(sessions[1].id))
    assert {title: words.field_of(title) for title in UNKNOWN} == dict.fromkeys(UNKNOWN, "")
    upload = stage(small_world, training_class, own_sheet(small_world, training_class, "3月4日", "第4次"))
    confirm(small_world, upload)
    present = ["present", "present"]
    assert told(training_class)[:4] == [["", ""], present, ["", ""], present]


def test_a_day_with_two_sessions_is_no_name_for_either(small_world: World) -> None:
    filed = small_world.filed_class()
    planned(small_world, filed, [session(), session(starts_at="14:00", ends_at="17:30")])
    words = table_vocabulary(attendance_sheets.columns_of(sessions_of(filed)))
    assert words.field_of("3月3日") == ""
    assert words.field_of("3月3日 14:00") == str(sessions_of(filed)[1].id)


def test_a_column_that_names_no_session_refuses_the_whole_file(small_world: World) -> None:
    training_class, *_ = attended_class(small_world, people=2)
    rows = own_sheet(small_world, training_class, "第1次", *UNKNOWN)
    with pytest.raises(SessionColumnUnknown) as refusal:
        stage(small_world, training_class, rows)
    assert refusal.value.facts == {"columns": "D、E、F、G、H"}
    assert isinstance(refusal.value, FileRefused)
    assert Upload.select().count() == 0


def test_a_sheet_without_any_session_is_no_attendance_sheet(small_world: World) -> None:
    training_class, *_ = attended_class(small_world, people=2)
    with pytest.raises(NoSessionColumn):
        stage(small_world, training_class, own_sheet(small_world, training_class))


def test_the_refused_rows_come_back_and_are_read_again(small_world: World) -> None:
    training_class, *_ = attended_class(small_world, people=2)
    upload = stage(small_world, training_class, filled(sheet_of(small_world, training_class), "√", "迟到"))
    confirm(small_world, upload)
    mended = table(uploads.refused_rows(small_world.act("base_clerk"), upload))
    header = next(place for place, row in enumerate(mended) if "姓名*" in row)
    assert "第1次 3月3日 08:30" in mended[header + 1][-1]
    mended[header + 1][FIRST_SESSION] = "√"
    again = stage(small_world, training_class, mended)
    assert list(problems(again).values()) == [[]]
    confirm(small_world, again)
    assert told(training_class)[0] == ["present", "present"]


# ---------------------------------------------------------------- long classes


def test_a_class_with_more_sessions_than_columns_gets_its_sheet_in_parts(small_world: World) -> None:
    filed = small_world.filed_class(ends_on=date(2025, 12, 31), class_hours=480)
    six_weeks = [date(2025, 3, 3) + timedelta(weeks=6 * part) for part in range(4)]
    planned(small_world, filed, [one for start in six_weeks for one in mornings(from_day=start)][:100])
    with pytest.raises(TooManySessions) as refusal:
        sheet_of(small_world, filed)
    assert refusal.value.facts == {"count": 100, "most": 90}
    april = sheet_of(small_world, filed, since=date(2025, 4, 1), until=date(2025, 4, 30))
    titles = april[HEADER][FIRST_SESSION:-2]
    assert titles[0] == "第22次 4月1日 08:30"
    assert len(titles) == 22


def test_a_class_without_sessions_has_no_attendance_sheet(small_world: World) -> None:
    training_class = small_world.open_class()
    with pytest.raises(NoTimetable):
        sheet_of(small_world, training_class)
    with pytest.raises(NoTimetable):
        stage(
            small_world,
            training_class,
            [["姓名", "身份证号", "第1次"], ["李晓东", "632127197610289953", "√"]],
        )


def test_a_mark_recorded_by_a_sheet_is_corrected_like_any_other(small_world: World) -> None:
    training_class, (first, *_), trainees = attended_class(small_world, people=1)
    confirm(
        small_world, stage(small_world, training_class, filled(sheet_of(small_world, training_class), "√"))
    )
    attendance.close_session(small_world.act("base_clerk"), first)
    attendance.correct(small_world.act("county_officer"), first, Marked(trainees[0].id, "absent"), "签名不符")
    assert told(training_class)[0] == ["absent"]
