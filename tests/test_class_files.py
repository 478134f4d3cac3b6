"""A class's file (一期一档): what it holds, what is missing and the remedy, and the archive that is handed over."""

from __future__ import annotations

import io
import json
import subprocess
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook

from api import limits
from api.app import create_app
from skills_registry import class_files, documents
from skills_registry.foundation.audit import AuditEntry
from skills_registry.foundation.errors import FieldRefused
from skills_registry.foundation.identifiers import masked_citizen_id
from skills_registry.foundation.lifecycle import steps_of
from skills_registry.training import attendance, classes, enrolments, particulars
from skills_registry.training.classes import TrainingClass
from tests.accessible import require_accessible
from tests.attending import attended_class, closed
from tests.world import PEOPLE, World

#: What the class of the one-call form lacks once it is approved: it never had sessions, slips or consents.
NEVER_HAD = {
    "timetable": "timetable",
    "consents": "consent_missing",
    "attendance": "attendance_missing",
    "assessments": "assessment_missing",
    "satisfaction": "satisfaction_missing",
}

SCAN = b"%PDF-1.7\nscan\n%%EOF\n"


@pytest.fixture
def client(small_world: World) -> Iterator[FlaskClient]:
    app = create_app(small_world.service.settings, clock=small_world.service.clock)
    limits.limiter.enabled = False
    with app.test_client() as made:
        yield made
    limits.limiter.enabled = True


def lacking(world: World, training_class: TrainingClass) -> dict[str, list[str]]:
    items = class_files.contents(world.act("county_officer"), training_class)
    return {item.code: [one.code for one in item.lacking] for item in items if item.state == "missing"}


def state(world: World, training_class: TrainingClass, code: str) -> tuple[str, int]:
    items = class_files.contents(world.act("county_officer"), training_class)
    return next((item.state, item.count) for item in items if item.code == code)


def ask(client: FlaskClient, world: World, who: str, path: str, **query: str) -> Any:
    headers = {"Authorization": f"Bearer {world.key(who)}"}
    return client.get(f"/api/v1/classes/{path}", headers=headers, query_string=query)


def unpacked(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def table(content: bytes) -> list[list[Any]]:
    return [
        list(row)
        for row in CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    ]


def scanned(world: World) -> TrainingClass:
    """A class of three of whose sessions the first is closed, and its signed sheet kept."""
    training_class, sessions, trainees = attended_class(world)
    clerk = world.act("base_clerk")
    closed(clerk, sessions[0], trainees, "present")
    documents.keep(clerk, "session", sessions[0].id, "sign_in_sheet", SCAN, world.service.shelf())
    return training_class


# ---------------------------------------------------------------- what is missing


def test_a_class_of_the_one_call_form_is_listed_with_what_it_never_had(world: World) -> None:
    training_class = world.issued()[0].training_class
    assert training_class is not None
    assert lacking(world, training_class) == {item: [code] for item, code in NEVER_HAD.items()}
    assert state(world, training_class, "certificates") == ("present", 3)
    assert state(world, training_class, "project") == ("not_applicable", 0)


def test_a_filed_class_waits_for_its_opening_and_everything_after_it(small_world: World) -> None:
    assert list(lacking(small_world, small_world.filed_class())) == [
        "opening", "timetable", "roster", "attendance", "assessments", "results", "satisfaction", "submission",
        "approval",
    ]  # fmt: skip


def test_a_cancelled_class_lacks_nothing(small_world: World) -> None:
    filed = classes.cancel_class(small_world.act("base_clerk"), small_world.filed_class(), "无人报名")
    assert lacking(small_world, filed) == {}


def test_a_session_signed_on_paper_lacks_its_scan_until_it_is_kept(small_world: World) -> None:
    training_class, sessions, trainees = attended_class(small_world)
    clerk = small_world.act("base_clerk")
    closed(clerk, sessions[0], trainees, "present")
    assert lacking(small_world, training_class)["sign_in_sheets"] == ["sign_in_sheet_missing"]
    # A scan of another session does not stand for this one.
    other = documents.keep(
        clerk, "session", sessions[1].id, "sign_in_sheet", SCAN, small_world.service.shelf()
    )
    assert "sign_in_sheets" in lacking(small_world, training_class)
    documents.take_out(clerk, other)
    documents.keep(clerk, "session", sessions[0].id, "sign_in_sheet", SCAN, small_world.service.shelf())
    assert "sign_in_sheets" not in lacking(small_world, training_class)
    assert state(small_world, training_class, "sign_in_sheets") == ("present", 1)


def test_attendance_is_missing_while_a_past_session_is_open(small_world: World) -> None:
    training_class, sessions, trainees = attended_class(small_world)
    for session in sessions[:4]:
        closed(small_world.act("base_clerk"), session, trainees, "present")
    assert lacking(small_world, training_class)["attendance"] == ["attendance_open"]
    closed(small_world.act("base_clerk"), sessions[4], trainees, "present")
    assert "attendance" not in lacking(small_world, training_class)


def test_everything_missing_is_told_with_its_remedy_in_both_languages(
    client: FlaskClient, small_world: World
) -> None:
    filed = small_world.filed_class()
    zh = ask(client, small_world, "base_clerk", f"{filed.id}/file", reason="归档").json
    en = ask(client, small_world, "base_clerk", f"{filed.id}/file", reason="归档", lang="en").json
    assert not zh["complete"]
    for one, other in zip(zh["items"], en["items"], strict=True):
        assert one["code"] == other["code"] and one["title"] != other["title"]
        assert all(lack["message"].endswith("。") for lack in one["lacking"])
        assert all(lack["message"].isascii() for lack in other["lacking"])


# ---------------------------------------------------------------- reading


def test_reading_needs_a_reason_and_is_logged_and_is_no_part_of_the_file(
    client: FlaskClient, small_world: World
) -> None:
    training_class = scanned(small_world)
    for path in ("file", "file.zip"):
        assert ask(client, small_world, "county_officer", f"{training_class.id}/{path}").status_code == 422
        blank = ask(client, small_world, "county_officer", f"{training_class.id}/{path}", reason="  ")
        assert blank.status_code == 422
    assert "read" not in {step.action for step in steps_of(training_class.id)}
    ask(client, small_world, "county_officer", f"{training_class.id}/file", reason="核对")
    first = ask(client, small_world, "county_officer", f"{training_class.id}/file.zip", reason="归档").data
    again = ask(client, small_world, "base_clerk", f"{training_class.id}/file.zip", reason="自查").data
    assert first == again
    reasons = [step.reason for step in steps_of(training_class.id) if step.action == "read"]
    assert reasons == ["核对", "归档", "自查"]
    told = AuditEntry.select().where(
        (AuditEntry.action == "read") & (AuditEntry.record_id == training_class.id)
    )
    assert told.count() == 3


def test_in_the_core_too_no_file_is_read_without_a_reason(small_world: World) -> None:
    filed = small_world.filed_class()
    for read in (class_files.read_contents, class_files.read_file):
        with pytest.raises(FieldRefused):
            read(small_world.act("county_officer"), filed, " ")


def test_an_auditor_sees_what_a_file_holds_and_not_the_file(client: FlaskClient, small_world: World) -> None:
    filed = small_world.filed_class()
    assert ask(client, small_world, "auditor", f"{filed.id}/file", reason="审计").status_code == 200
    assert ask(client, small_world, "auditor", f"{filed.id}/file.zip", reason="审计").status_code == 403


def test_no_table_has_a_whole_number_of_anybody(small_world: World) -> None:
    training_class = small_world.open_class()
    (row,) = small_world.enrol(training_class, 1)
    name, citizen_id, _ = PEOPLE[0]
    county = small_world.act("county_officer")
    particulars.correct(county, row, {"guardian": "马英", "guardian_phone": "13900000001"}, "补登")
    tables = class_files.read_file(county, training_class, "归档").tables
    (roster,) = (found for found in tables if found.name == "学员花名册")
    shown = dict(zip(roster.titles, roster.rows[0], strict=True))
    assert (shown["姓名"], shown["公民身份号码"]) == (name, masked_citizen_id(citizen_id))
    assert shown["学员情况"] == "监护人：马英"
    told = str([table.rows for table in tables])
    assert citizen_id not in told and "13900000001" not in told


# ---------------------------------------------------------------- the archive


def test_a_scan_that_is_gone_is_named_in_the_index_and_the_rest_is_handed_over(
    client: FlaskClient, small_world: World
) -> None:
    training_class = scanned(small_world)
    for kept in small_world.service.settings.documents_directory.rglob("*"):
        if kept.is_file():
            kept.unlink()
    members = unpacked(
        ask(client, small_world, "base_clerk", f"{training_class.id}/file.zip", reason="归档").data
    )
    told = json.loads(members["00_档案目录.json"])
    gone = "10_签到表扫描件/第001次课_20250303_1.pdf"
    assert (told["lost"], told["complete"], gone in members) == ([gone], False, False)
    paper = subprocess.run(
        ["pdftotext", "-", "-"], input=members["00_档案目录.pdf"], capture_output=True, check=True
    )
    assert "第001次课_20250303_1.pdf" in paper.stdout.decode().replace("\n", "")


def test_the_index_is_accessible_and_says_what_to_do(client: FlaskClient, small_world: World) -> None:
    training_class = scanned(small_world)
    members = unpacked(
        ask(client, small_world, "base_clerk", f"{training_class.id}/file.zip", reason="归档").data
    )
    require_accessible(members["00_档案目录.pdf"], f"培训班档案目录 {training_class.filing_no}")
    paper = subprocess.run(
        ["pdftotext", "-", "-"], input=members["00_档案目录.pdf"], capture_output=True, check=True
    )
    words = "".join(paper.stdout.decode().split())
    assert "本档案尚不齐全" in words and "请报备考核并登记考核情况" in words
    assert members["10_签到表扫描件/第001次课_20250303_1.pdf"] == SCAN


def test_a_title_that_no_font_has_does_not_keep_the_file_back(
    client: FlaskClient, small_world: World
) -> None:
    filed = small_world.filed_class(title="第一期\U0001f600\U0010fffd班")
    members = unpacked(ask(client, small_world, "base_clerk", f"{filed.id}/file.zip", reason="归档").data)
    assert json.loads(members["00_档案目录.json"])["title"] == "第一期\U0001f600\U0010fffd班"
    paper = subprocess.run(
        ["pdftotext", "-", "-"], input=members["00_档案目录.pdf"], capture_output=True, check=True
    )
    assert "第一期〓〓班" in paper.stdout.decode()


def test_what_looks_like_a_formula_stays_text_in_every_table(client: FlaskClient, small_world: World) -> None:
    filed = small_world.filed_class(title='=HYPERLINK("http://x")')
    members = unpacked(ask(client, small_world, "base_clerk", f"{filed.id}/file.zip", reason="归档").data)
    assert ["班级名称", '=HYPERLINK("http://x")'] in table(members["01_开班备案.xlsx"])
    with zipfile.ZipFile(io.BytesIO(members["01_开班备案.xlsx"])) as book:
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")


def test_the_tables_tell_who_left_which_marks_were_corrected_and_what_was_replaced(world: World) -> None:
    training_class, sessions, trainees = attended_class(world)
    clerk = world.act("base_clerk")
    closed(clerk, sessions[0], trainees, "present")
    attendance.correct(clerk, sessions[0], attendance.Marked(trainees[1].id, "absent"), "核对签到表")
    enrolments.withdraw(clerk, trainees[2], "搬家")
    world.grade(trainees[0], "failed")
    world.grade(trainees[0])
    tables = {found.name: found for found in class_files.read_file(clerk, training_class, "自查").tables}
    left = next(row for row in tables["学员花名册"].rows if "已退班" in row)
    assert "搬家" in left
    assert tables["考勤更正"].rows[0][4:6] == ("出勤", "缺勤")
    assert [row[-1] for row in tables["考核成绩"].rows] == ["已被替代", "有效"]
    assert [row[1] for row in tables["考勤"].rows] == [PEOPLE[0][0], PEOPLE[1][0]]
