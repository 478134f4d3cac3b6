"""Attendance over HTTP: from the printed sheet to the officer's look, with the scan kept beside the session."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api import limits
from skills_registry.training.attendance import Attendance
from skills_registry.training.enrolments import Enrolment
from skills_registry.training.timetable import Session
from tests.attending import attended_class, closed, mark
from tests.made_sheets import workbook
from tests.test_attendance_sheets import FIRST_SESSION, filled, table
from tests.world import World, application


@pytest.fixture
def client(small_world: World) -> Iterator[FlaskClient]:
    app = application(small_world)
    limits.limiter.enabled = False
    with app.test_client() as made:
        yield made
    limits.limiter.enabled = True


@pytest.fixture
def call(client: FlaskClient, small_world: World) -> Any:
    """Send a request with the key of an account."""

    def send(account: str, method: str, path: str, **body: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {small_world.key(account)}"}
        return client.open(f"/api/v1{path}", method=method, headers=headers, **body)

    return send


def marks(trainees: list[Enrolment], *told: str) -> dict[str, Any]:
    return {
        "json": {
            "marks": [
                {"enrolment_id": str(one.id), "mark": what} for one, what in zip(trainees, told, strict=True)
            ]
        }
    }


def test_a_session_from_its_marks_to_a_correction(call: Any, small_world: World) -> None:
    training_class, (first, *_), trainees = attended_class(small_world)
    path = f"/sessions/{first.id}"
    empty = call("base_clerk", "GET", f"{path}/attendance").json
    assert empty["counts"] == {"present": 0, "leave": 0, "absent": 0, "missing": 3}
    assert empty["session"]["place_in_timetable"] == 1
    early = call("base_clerk", "POST", f"{path}/closing")
    assert (early.status_code, early.json["code"]) == (409, "marks_missing")
    recorded = call(
        "base_clerk", "POST", f"{path}/attendance", **marks(trainees, "present", "absent", "leave")
    )
    assert recorded.status_code == 200
    assert [item["mark_text"] for item in recorded.json["items"]] == ["出勤", "缺勤", "请假"]
    assert call("base_clerk", "POST", f"{path}/closing").json["session"]["status"] == "closed"
    again = call("base_clerk", "POST", f"{path}/attendance", **marks(trainees[:1], "absent"))
    assert (again.status_code, again.json["code"]) == (409, "session_not_open")
    correction = {
        "enrolment_id": str(trainees[1].id),
        "mark": "present",
        "means": "teacher",
        "reason": "教师漏点",
    }
    corrected = call("county_officer", "POST", f"{path}/correction", json=correction)
    assert corrected.json["counts"] == {"present": 2, "leave": 1, "absent": 0, "missing": 0}
    (told,) = call("auditor", "GET", f"{path}/corrections").json["items"]
    assert (told["from_mark"], told["to_mark"], told["reason"]) == ("absent", "present", "教师漏点")
    assert (told["by_role"], told["enrolment_id"]) == ("county_officer", str(trainees[1].id))
    assert told["by_account"] == str(small_world.accounts["county_officer"].id)
    tally = call("base_clerk", "GET", f"/classes/{training_class.id}/attendance").json
    assert (tally["recorded"], tally["complete"], tally["sessions"], tally["closed"]) == (True, False, 30, 1)
    assert [(i["hours"], i["present"], i["leave"]) for i in tally["items"]] == [
        ("4", 1, 0),
        ("4", 1, 0),
        ("0", 0, 1),
    ]
    assert len(tally["open_since"]) == 4


def test_what_is_doubtful_is_told_to_officers_and_auditors_and_not_to_the_base(
    call: Any, small_world: World
) -> None:
    training_class, (first, *_), trainees = attended_class(small_world)
    closed(small_world.act("base_clerk"), first, trainees, "absent")
    path = f"/classes/{training_class.id}/attendance"
    told = {
        name: {found["code"] for found in call(name, "GET", path).json["warnings"]}
        for name in ("base_clerk", "county_officer", "city_officer", "auditor")
    }
    doubts = {"day_attendance_low", "scan_missing", "recorded_late"}
    assert told == {"base_clerk": set(), "county_officer": doubts, "city_officer": doubts, "auditor": doubts}


REFUSED: dict[str, dict[str, Any]] = {
    "no marks": {"marks": []},
    "an unknown mark": {"marks": [{"enrolment_id": "E", "mark": "late"}]},
    "an instant without a zone": {
        "marks": [{"enrolment_id": "E", "mark": "present", "marked_at": "2025-03-03T08:20"}]
    },
    "an instant to come": {
        "marks": [{"enrolment_id": "E", "mark": "present", "marked_at": "2031-03-03T08:20Z"}]
    },
    "no id": {"marks": [{"enrolment_id": "3", "mark": "present"}]},
    "somebody else": {"marks": [{"enrolment_id": "01a203f0-acbc-767f-82bd-f38f1bb513ab", "mark": "present"}]},
    "an unknown field": {"marks": [{"enrolment_id": "E", "mark": "present", "name": "李晓东"}]},
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED.keys())
def test_marks_that_cannot_be_are_refused(call: Any, small_world: World, body: dict[str, Any]) -> None:
    _, (first, *_), trainees = attended_class(small_world, people=1)
    one = [{**m, "enrolment_id": m["enrolment_id"].replace("E", str(trainees[0].id))} for m in body["marks"]]
    answer = call("base_clerk", "POST", f"/sessions/{first.id}/attendance", json={"marks": one})
    assert answer.status_code == 422, answer.json
    assert "李晓东" not in answer.text
    assert Attendance.select().count() == 0


def test_a_clerk_sees_the_device_and_the_instant_that_were_sent(call: Any, small_world: World) -> None:
    _, (first, *_), trainees = attended_class(small_world, people=1)
    one = {
        "enrolment_id": str(trainees[0].id), "mark": "present", "means": "device",
        "marked_at": "2025-03-03T08:21:05+08:00", "device": "前台打卡机",
    }  # fmt: skip
    (item,) = call("base_clerk", "POST", f"/sessions/{first.id}/attendance", json={"marks": [one]}).json[
        "items"
    ]
    assert (item["means"], item["device"]) == ("device", "前台打卡机")
    assert item["marked_at"] == "2025-03-03T00:21:05+00:00"


def test_the_sheet_is_downloaded_filled_in_uploaded_and_confirmed(call: Any, small_world: World) -> None:
    training_class, _, _ = attended_class(small_world)
    path = f"/classes/{training_class.id}"
    sheet = call("base_clerk", "GET", f"{path}/attendance-sheet.xlsx?since=2025-03-03&until=2025-03-04")
    assert (
        sheet.headers["Content-Disposition"]
        == f'attachment; filename="attendance-{training_class.filing_no}.xlsx"'
    )
    rows = filled(filled(table(sheet.data), "√", "√", "假"), "√", "×", "√", at=FIRST_SESSION + 1)
    form = {"data": {"file": (BytesIO(workbook(rows)), "表.xlsx")}, "content_type": "multipart/form-data"}
    upload = call("base_clerk", "POST", f"{path}/attendance", **form)
    assert (upload.status_code, upload.json["kind"], upload.json["accepted"]) == (201, "attendance", 3)
    confirmed = call("base_clerk", "POST", f"/uploads/{upload.json['id']}/confirmation")
    assert confirmed.json["status"] == "confirmed"
    tally = call("base_clerk", "GET", f"{path}/attendance").json
    assert [item["hours"] for item in tally["items"]] == ["8", "4", "4"]
    backwards = call("base_clerk", "GET", f"{path}/attendance-sheet.xlsx?since=2025-03-05&until=2025-03-04")
    assert backwards.status_code == 422


def test_hours_that_a_results_sheet_claims_must_be_those_attended(call: Any, small_world: World) -> None:
    training_class, sessions, trainees = attended_class(small_world, people=2)
    small_world.on(2025, 4, 11)
    for place, session in enumerate(sessions):
        closed(
            small_world.act("base_clerk"), session, trainees, "present", "absent" if place == 0 else "present"
        )
    header = ["姓名", "身份证号", "出勤课时", "理论成绩", "实操成绩"]
    people = [("李晓东", "632127197610289953"), ("马得福", "630202199204049984")]
    sheet = workbook([header, *([*one, 120, 80, 80] for one in people)])
    form = {"data": {"file": (BytesIO(sheet), "r.xlsx")}, "content_type": "multipart/form-data"}
    report = call("base_clerk", "POST", f"/classes/{training_class.id}/results", **form).json
    told = {row["row"]: [found["code"] for found in row["problems"]] for row in report["rows"]}
    assert told == {2: [], 3: ["hours_differ_from_attendance"]}
    (sentence,) = (found["message"] for found in report["rows"][1]["problems"])
    assert "120" in sentence and "116" in sentence


def test_the_scan_of_a_signed_sheet_is_kept_with_its_session(call: Any, small_world: World) -> None:
    _, (first, *_), trainees = attended_class(small_world)
    mark(small_world.act("base_clerk"), first, trainees, "present")
    printed = call("base_clerk", "GET", f"/sessions/{first.id}/sign-in-sheet.pdf")
    assert printed.content_type == "application/pdf"
    form = {
        "owner": "session", "owner_id": str(first.id), "kind": "sign_in_sheet",
        "file": (BytesIO(printed.data), "scan.pdf"),
    }  # fmt: skip
    send = {"data": form, "content_type": "multipart/form-data"}
    refused = call("county_officer", "POST", "/documents", data=dict(form, file=(BytesIO(b"x"), "x")))
    assert refused.status_code == 403
    kept = call("base_clerk", "POST", "/documents", **send)
    assert kept.status_code == 201, kept.json
    assert call("auditor", "GET", f"/sessions/{first.id}/attendance").json["scans"] == [kept.json["id"]]
    content = call("county_officer", "GET", f"/documents/{kept.json['id']}/content")
    assert content.data == printed.data
    assert call("other_county_officer", "GET", f"/documents/{kept.json['id']}").status_code == 404


def test_sessions_are_listed_by_class_with_their_places(call: Any, small_world: World) -> None:
    training_class, sessions, _ = attended_class(small_world)
    listed = call("auditor", "GET", f"/sessions?class_id={training_class.id}&limit=200").json["items"]
    assert {item["id"]: item["place_in_timetable"] for item in listed} == {
        str(session.id): place for place, session in enumerate(sessions, 1)
    }
    one = call("auditor", "GET", f"/sessions/{sessions[2].id}").json
    assert (one["on"], one["starts_at"], one["teacher_name"]) == ("2025-03-05", "08:30", "祁玉兰")
    assert one["class_id"] == str(training_class.id)


def test_a_dropped_session_has_no_sheet_to_sign(call: Any, small_world: World) -> None:
    _, (first, *_), _ = attended_class(small_world)
    Session.update(status="dropped", last_version=1).where(Session.id == first.id).execute()
    answer = call("base_clerk", "GET", f"/sessions/{first.id}/sign-in-sheet.pdf")
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")


def test_a_refused_field_says_in_chinese_what_would_do(call: Any, small_world: World) -> None:
    _, (first, *_), (li, *_) = attended_class(small_world)
    wrong = {"enrolment_id": str(li.id), "mark": "late", "marked_at": "2025-03-03", "device": "x" * 61}
    path = f"/sessions/{first.id}/attendance"
    told = call("base_clerk", "POST", path, json={"marks": [wrong]}).json["errors"]
    assert {error["field"].rpartition(".")[2]: error["message"] for error in told} == {
        "mark": "应为以下之一：present, leave, absent。",
        "marked_at": "应为带时区的时间，如2025-03-01T08:30:00+08:00。",
        "device": "长度应在0至60之间。",
    }
    english = call("base_clerk", "POST", f"{path}?lang=en", json={"marks": []}).json["errors"]
    assert english == [{"field": "marks", "message": "Length must be between 1 and 2000."}]
