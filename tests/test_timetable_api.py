"""Timetables and reported changes over HTTP: by list and by sheet, from the template to the county's decision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient

from api import limits
from skills_registry.spreadsheets import read
from skills_registry.training import timetable, timetable_sheets
from skills_registry.training.classes import TrainingClass
from skills_registry.training.timetable_sheets import COLUMNS, read_time
from tests.made_sheets import workbook
from tests.timetables import mornings, planned, site, taught_class, teacher
from tests.world import World, application

HEADER = ["日期", "开始时间", "结束时间", "课时", "内容", "类别", "地点", "教师"]


@pytest.fixture
def client(small_world: World) -> Iterator[FlaskClient]:
    app = application(small_world)
    limits.limiter.enabled = False
    with app.test_client() as made:
        yield made
    limits.limiter.enabled = True


def as_caller(world: World, name: str, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.key(name)}", **more}


def body(world: World, sessions: Sequence[Any]) -> list[dict[str, Any]]:
    """Sessions as a client sends them."""
    return [
        {
            "on": s.on.isoformat(),
            "starts_at": s.starts_at,
            "ends_at": s.ends_at,
            "class_hours": str(s.class_hours),
            "content": s.content,
            "kind": s.kind,
            "site_id": str(s.site_id) if s.site_id else None,
            "place": s.place,
            "teacher_id": str(s.teacher_id) if s.teacher_id else None,
        }
        for s in sessions
    ]


def send(client: FlaskClient, world: World, who: str, path: str, **more: Any) -> Any:
    return client.post(f"/api/v1{path}", headers=as_caller(world, who), **more)


def get(client: FlaskClient, world: World, who: str, path: str) -> Any:
    return client.get(f"/api/v1{path}", headers=as_caller(world, who))


def sheet(rows: Sequence[Sequence[Any]], header: Sequence[str] = HEADER) -> dict[str, Any]:
    content = workbook([["2025年保健按摩师五级班课程表"], header, *rows])
    return {"file": (BytesIO(content), "课程表.xlsx")}


# ---------------------------------------------------------------- by list


def test_a_timetable_set_by_list_is_read_back_with_names_and_hours(
    client: FlaskClient, small_world: World
) -> None:
    filed = small_world.filed_class()
    sessions = mornings(site(small_world).id, teacher(small_world).id)
    answer = send(
        client,
        small_world,
        "base_clerk",
        f"/classes/{filed.id}/timetable",
        json={"sessions": body(small_world, sessions)},
    )
    assert answer.status_code == 200, answer.json
    read_back = get(client, small_world, "county_officer", f"/classes/{filed.id}/timetable").json
    assert (read_back["version"], len(read_back["sessions"])) == (1, 30)
    assert read_back["hours"] == {"theory": "28", "practice": "88", "safety": "4", "online": "0"}
    assert read_back["warnings"] == []
    first = read_back["sessions"][0]
    assert (first["teacher_name"], first["site_name"], first["kind_text"]) == ("祁玉兰", "主校区", "安全教育")


def test_a_refused_list_names_every_session_by_its_place(client: FlaskClient, small_world: World) -> None:
    filed = small_world.filed_class()
    sessions = body(small_world, mornings())
    sessions[1] |= {"on": sessions[0]["on"]}
    sessions[4] |= {"class_hours": "8"}
    path = f"/classes/{filed.id}/timetable"
    answer = send(client, small_world, "base_clerk", path, json={"sessions": sessions})
    assert (answer.status_code, answer.json["code"]) == (422, "timetable_refused")
    assert [(row["row"], row["field"], row["code"]) for row in answer.json["rows"]] == [
        (2, "starts_at", "session_overlap"),
        (5, "class_hours", "session_hours_exceed_clock"),
    ]
    assert "第1行" in answer.json["rows"][0]["message"]
    assert timetable.latest_version(filed) == 0


def test_versions_are_readable_and_an_unknown_one_is_not_found(
    client: FlaskClient, small_world: World
) -> None:
    filed, sessions = small_world.filed_class(), mornings()
    planned(small_world, filed, sessions)
    planned(small_world, filed, sessions[1:])
    path = f"/classes/{filed.id}/timetable"
    versions = get(client, small_world, "auditor", f"{path}/versions").json["items"]
    assert [version["version"] for version in versions] == [1, 2]
    held = {
        n: len(get(client, small_world, "auditor", f"{path}?version={n}").json["sessions"]) for n in (1, 2)
    }
    assert held == {1: 30, 2: 29}
    assert get(client, small_world, "auditor", f"{path}?version=3").status_code == 404


def test_a_class_tells_what_it_lacks(client: FlaskClient, small_world: World) -> None:
    filed = small_world.filed_class()
    shown = get(client, small_world, "county_officer", f"/classes/{filed.id}").json["missing"]
    assert [(item["code"], item["refuses"]) for item in shown] == [("timetable", False), ("project", False)]
    english = client.get(
        f"/api/v1/classes/{filed.id}",
        headers=as_caller(small_world, "base_clerk", **{"Accept-Language": "en"}),
    ).json["missing"]
    assert english[0]["message"].startswith("There is no timetable yet")


# ---------------------------------------------------------------- by sheet


def test_a_sheet_as_offices_write_it_is_staged_and_becomes_the_timetable_when_confirmed(
    client: FlaskClient, small_world: World
) -> None:
    site(small_world)
    teacher(small_world)
    filed = small_world.filed_class(class_hours=10)
    rows = [
        [date(2025, 3, 3), "8：30", "12:00", 4, "安全用电与职业道德", "安全", "主校区", "祁玉兰"],
        ["2025年3月3日", "下午2:00-5:00", "", "4课时", "经络理论", "理论课", "主校区 301室", "祁玉兰"],
        ["2025/3/4", 0.375, 0.5, 2, "推拿手法", "实训", "镇文化站", ""],
        ["合计", "", "", 10, "", "", "", ""],
    ]
    path = f"/classes/{filed.id}/timetable-sheet"
    answer = send(client, small_world, "base_clerk", path, data=sheet(rows))
    assert (answer.status_code, answer.json["accepted"], answer.json["rejected"]) == (201, 3, 0), answer.json
    assert [problem["code"] for problem in answer.json["warnings"]] == ["practice_share"]
    codes = {row["row"]: [p["code"] for p in row["problems"]] for row in answer.json["rows"]}
    assert codes == {3: [], 4: [], 5: ["teacher_missing", "place_not_in_file"]}
    assert timetable.latest_version(filed) == 0
    done = send(client, small_world, "base_clerk", f"/uploads/{answer.json['id']}/confirmation")
    assert (done.status_code, done.json["status"]) == (200, "confirmed")
    found = [
        (s.on, s.starts_at, s.ends_at, s.class_hours, s.kind, timetable.place_of(s))
        for s in timetable.sessions_of(filed)
    ]
    assert found == [
        (date(2025, 3, 3), "08:30", "12:00", 4, "safety", "主校区"),
        (date(2025, 3, 3), "14:00", "17:00", 4, "theory", "主校区 301室"),
        (date(2025, 3, 4), "09:00", "12:00", 2, "practice", "镇文化站"),
    ]
    assert timetable.sessions_of(filed)[1].site.name == "主校区"


#: A cell of an otherwise sound row that cannot be: its column, what stands there, and what is said.
FAULTS: tuple[tuple[int, Any, str, str], ...] = (
    (0, "", "on", "missing"),
    (0, "3月3日", "on", "date_format"),
    (0, "2026-03-03", "on", "session_outside_class"),
    (1, "早上", "starts_at", "time_format"),
    (1, "25:00", "starts_at", "time_format"),
    (2, "", "ends_at", "missing"),
    (3, "", "class_hours", "missing"),
    (3, "四", "class_hours", "session_hours_range"),
    (3, 9, "class_hours", "session_hours_range"),
    (3, 8, "class_hours", "session_hours_exceed_clock"),
    (4, "", "content", "missing"),
    (4, "推" * 201, "content", "text_too_long"),
    (5, "", "kind", "missing"),
    (5, "讨论", "kind", "session_kind"),
    (6, "室" * 121, "place", "text_too_long"),
    (7, "某某", "teacher", "teacher_unknown"),
    (7, "东永福", "teacher", "teacher_ambiguous"),
    (3, "#N/A", "class_hours", "unreadable_cell"),
)


def test_every_cell_that_cannot_be_is_named_with_row_field_and_remedy_at_once(
    client: FlaskClient, small_world: World
) -> None:
    for _ in range(2):
        teacher(small_world, "东永福")
    filed = small_world.filed_class()
    rows = []
    for place, (column, cell, _, _) in enumerate(FAULTS):
        day = (date(2025, 3, 3) + timedelta(place)).isoformat()
        row: list[Any] = [day, "08:30", "12:00", 4, "推拿手法", "实操", "", ""]
        row[column] = cell
        rows.append(row)
    path = f"/classes/{filed.id}/timetable-sheet"
    answer = send(client, small_world, "base_clerk", path, data=sheet(rows))
    told = [
        (row["row"], [(p["field"], p["code"]) for p in row["problems"] if p["severity"] == "error"])
        for row in answer.json["rows"]
    ]
    assert told == [(number, [fault[2:]]) for number, fault in enumerate(FAULTS, 3)]
    assert answer.json["rejected"] == len(FAULTS)
    refused = send(client, small_world, "base_clerk", f"/uploads/{answer.json['id']}/confirmation")
    assert (refused.status_code, refused.json["code"]) == (409, "nothing_accepted")


def test_one_refused_row_keeps_the_whole_timetable_from_being_recorded(
    client: FlaskClient, small_world: World
) -> None:
    filed = small_world.filed_class()
    rows = [
        ["2025-03-03", "08:30", "12:00", 4, "推拿手法", "实操", "", ""],
        ["2025-03-03", "11:00", "14:00", 4, "推拿手法", "实操", "", ""],
    ]
    answer = send(client, small_world, "base_clerk", f"/classes/{filed.id}/timetable-sheet", data=sheet(rows))
    assert (answer.json["accepted"], answer.json["rejected"]) == (1, 1)
    refused = send(client, small_world, "base_clerk", f"/uploads/{answer.json['id']}/confirmation")
    assert (refused.status_code, refused.json["code"]) == (409, "rows_refused")
    assert timetable.latest_version(filed) == 0
    mended = client.get(answer.json["refused_url"], headers=as_caller(small_world, "base_clerk"))
    assert read(mended.data, columns=COLUMNS).rows[0].cells["starts_at"] == "11:00"


def test_a_staged_timetable_is_checked_again_when_it_is_confirmed(
    client: FlaskClient, small_world: World
) -> None:
    qi = teacher(small_world)
    filed, other = small_world.filed_class(), small_world.filed_class(title="第二期")
    rows = [["2025-03-03", "08:30", "12:00", 4, "推拿手法", "实操", "", "祁玉兰"]]
    staged = send(client, small_world, "base_clerk", f"/classes/{filed.id}/timetable-sheet", data=sheet(rows))
    planned(small_world, other, mornings(None, qi.id)[:1])
    refused = send(client, small_world, "base_clerk", f"/uploads/{staged.json['id']}/confirmation")
    assert (refused.status_code, refused.json["code"]) == (409, "upload_outdated")
    assert timetable.latest_version(filed) == 0
    report = get(client, small_world, "base_clerk", f"/uploads/{staged.json['id']}").json
    assert [p["code"] for p in report["rows"][0]["problems"]][-1] == "teacher_elsewhere"


def test_a_sheet_for_a_class_that_is_open_is_refused_and_points_to_the_change(
    client: FlaskClient, small_world: World
) -> None:
    opened = small_world.open_class()
    rows = [["2025-03-03", "08:30", "12:00", 4, "推拿手法", "实操", "", ""]]
    answer = send(
        client, small_world, "base_clerk", f"/classes/{opened.id}/timetable-sheet", data=sheet(rows)
    )
    assert (answer.status_code, answer.json["code"]) == (409, "timetable_fixed")
    assert "变更报告" in answer.json["detail"]


def test_what_is_downloaded_can_be_uploaded_and_changes_nothing(
    client: FlaskClient, small_world: World
) -> None:
    filed = small_world.filed_class()
    planned(small_world, filed, mornings(site(small_world).id, teacher(small_world).id))
    template = client.get("/api/v1/timetable-template.xlsx", headers=as_caller(small_world, "base_clerk"))
    assert template.status_code == 200
    path = f"/api/v1/classes/{filed.id}/timetable.xlsx"
    content = client.get(path, headers=as_caller(small_world, "base_clerk")).data
    staged = send(
        client,
        small_world,
        "base_clerk",
        f"/classes/{filed.id}/timetable-sheet",
        data={"file": (BytesIO(content), "t.xlsx")},
    )
    assert (staged.json["accepted"], staged.json["rejected"], staged.json["warnings"]) == (30, 0, [])
    send(client, small_world, "base_clerk", f"/uploads/{staged.json['id']}/confirmation")
    assert timetable.latest_version(filed) == 1


@pytest.mark.parametrize(
    ("cell", "time"),
    [
        ("8:30", "08:30"), ("08：30", "08:30"), ("8:30:00", "08:30"), ("8点30分", "08:30"), ("8点", "08:00"), ("8", None),
        ("下午2:30", "14:30"), ("上午9:00", "09:00"), ("晚7:30", "19:30"), ("23:59", "23:59"), ("24:00", None),
        ("中午1:00", "13:00"), ("中午11:30", "11:30"), ("中午12:30", "12:30"), ("下午２：３０", "14:30"),
        (0.354166666666667, "08:30"), (0.0, None), (1.0, None), (830, None), (None, None), ("", None),
        (datetime.fromisoformat("2025-03-03T08:30"), "08:30"), ("8:60", None), ("12:30", "12:30"), ("下午12:30", "12:30"),
    ],
)  # fmt: skip
def test_times_are_read_as_offices_write_them(cell: Any, time: str | None) -> None:
    assert read_time(cell) == time


def test_an_end_without_a_half_day_is_in_that_of_its_start(client: FlaskClient, small_world: World) -> None:
    filed = small_world.filed_class()
    rows = [
        ["2025-03-03", "下午2：30", "5：30", 4, "手法", "实操", "", ""],
        ["2025-03-04", "中午1:00", "4:00", 4, "手法", "实操", "", ""],
        ["2025-03-05", "上午8:30", "11:30", 4, "手法", "实操", "", ""],
    ]
    content = workbook([[column.title for column in COLUMNS], *rows])
    path = f"/classes/{filed.id}/timetable-sheet"
    staged = send(client, small_world, "base_clerk", path, data={"file": (BytesIO(content), "t.xlsx")})
    assert (staged.json["accepted"], staged.json["rejected"]) == (3, 0)
    send(client, small_world, "base_clerk", f"/uploads/{staged.json['id']}/confirmation")
    times = [(session.starts_at, session.ends_at) for session in timetable.sessions_of(filed)]
    assert times == [("14:30", "17:30"), ("13:00", "16:00"), ("08:30", "11:30")]


# ---------------------------------------------------------------- changes


def test_a_change_is_reported_seen_with_what_it_adds_and_drops_and_accepted(
    client: FlaskClient, small_world: World
) -> None:
    training_class, sessions = taught_class(small_world)
    proposed = body(small_world, sessions)
    proposed[4] |= {"starts_at": "14:00", "ends_at": "17:30"}
    path = f"/classes/{training_class.id}/changes"
    answer = send(client, small_world, "base_clerk", path, json={"reason": "停电检修", "sessions": proposed})
    assert answer.status_code == 201, answer.json
    waiting = get(client, small_world, "county_officer", "/class-changes?status=reported").json["items"]
    assert [item["id"] for item in waiting] == [answer.json["id"]]
    shown = get(client, small_world, "county_officer", f"/class-changes/{answer.json['id']}").json
    assert [s["starts_at"] for s in shown["sessions"] if s["is_new"]] == ["14:00"]
    assert [s["starts_at"] for s in shown["dropped"]] == ["08:30"]
    lacking = get(client, small_world, "base_clerk", f"/classes/{training_class.id}").json["missing"]
    assert "change_waiting" in {item["code"] for item in lacking}
    accepted = send(
        client, small_world, "county_officer", f"/class-changes/{answer.json['id']}/acceptance", json={}
    )
    assert (accepted.status_code, accepted.json["status"]) == (200, "accepted")
    assert timetable.versions_of(training_class)[-1].reason == "停电检修"


def test_a_change_needs_a_reason(client: FlaskClient, small_world: World) -> None:
    training_class, _ = taught_class(small_world)
    path = f"/classes/{training_class.id}/changes"
    for reason in ({}, {"reason": ""}, {"reason": "   "}):
        answer = send(client, small_world, "base_clerk", path, json={"ends_on": "2025-04-18", **reason})
        assert answer.status_code == 422


def test_a_change_comes_by_sheet_too_and_a_row_that_cannot_be_is_named(
    client: FlaskClient, small_world: World
) -> None:
    training_class, sessions = taught_class(small_world)
    content = timetable_sheets.timetable_sheet(small_world.act("base_clerk"), training_class)
    rows = [list(row.original) for row in read(content, columns=COLUMNS).rows]
    rows[4][1:3] = ["14:00", "17:30"]
    path = f"/classes/{training_class.id}/changes/sheet"
    broken = [*rows[:6], [*rows[6][:7], "某某"], *rows[7:]]
    answer = send(client, small_world, "base_clerk", path, data={**sheet(broken), "reason": "停电检修"})
    assert (answer.status_code, answer.json["code"]) == (422, "timetable_refused")
    assert [(row["row"], row["code"]) for row in answer.json["rows"]] == [(9, "teacher_unknown")]
    answer = send(client, small_world, "base_clerk", path, data={**sheet(rows), "reason": "停电检修"})
    assert answer.status_code == 201, answer.json
    assert [s["on"] for s in answer.json["sessions"] if s["is_new"]] == [sessions[4].on.isoformat()]


def test_a_classs_changes_show_who_left_by_row_and_never_by_name(
    client: FlaskClient, small_world: World
) -> None:
    training_class = small_world.open_class()
    enrolment = small_world.enrol(training_class, 1)[0]
    path = f"/enrolments/{enrolment.id}/withdrawal"
    send(client, small_world, "base_clerk", path, json={"reason": "住院"})
    shown = get(client, small_world, "county_officer", f"/classes/{training_class.id}/changes").json
    assert [(left["row"], left["reason"]) for left in shown["withdrawals"]] == [(2, "住院")]
    assert "李晓东" not in str(shown)


def test_dates_alone_are_changed_by_a_short_body(client: FlaskClient, small_world: World) -> None:
    training_class = small_world.open_class()
    path = f"/classes/{training_class.id}/changes"
    reported = send(client, small_world, "base_clerk", path, json={"reason": "积雪", "ends_on": "2025-04-18"})
    assert (reported.status_code, reported.json["kind"]) == (201, "dates")
    accepted = f"/class-changes/{reported.json['id']}/acceptance"
    assert send(client, small_world, "county_officer", accepted, json={"reason": "同意"}).status_code == 200
    assert TrainingClass.get_by_id(training_class.id).ends_on == date(2025, 4, 18)
