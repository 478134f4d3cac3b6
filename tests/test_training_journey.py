"""A training told once over HTTP: from the year's project to the class's file, as base, county, city and trainees do it.

The project is noticed and announced; a class of it gets its timetable by sheet, is opened by the county, takes
its roster with consents, signs in on paper, has its attendance corrected and its last day moved, is examined
twice, asked how it was, submitted and approved. What came of it stands in the person's file and the class's.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import sha256
from random import Random
from typing import Any

import pytest
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook

from api import demo_people, limits
from api.app import create_app
from api.demo_people import Learner
from skills_registry.training import satisfaction
from tests.made_sheets import workbook
from tests.planned import massage_plan
from tests.timetables import site, teacher
from tests.world import World, massage_class

PEOPLE, SESSIONS = 30, 15
FIRST, LAST, MOVED_TO = date(2025, 3, 10), date(2025, 3, 28), date(2025, 3, 31)

#: Places in the roster of whom something is told.
LEFT, ON_LEAVE, FAILED, ABSENT = 29, 3, 5, 7

#: What scanners give; each scan is another content.
_PDF = b"%%PDF-1.7\n%% scan %d\n%%%%EOF\n"


@dataclass
class Teller:
    """Tells one step after the other: who asks for what, and that it was granted."""

    client: FlaskClient
    world: World
    known: dict[str, str] = field(default_factory=dict)
    scans: int = 0

    def ask(self, who: str, method: str, path: str, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.world.key(who)}"}
        answer = self.client.open(
            f"/api/v1{path.format(**self.known)}", method=method, headers=headers, **more
        )
        assert answer.status_code in (200, 201), (who, method, path, answer.status_code, answer.json)
        return answer.json if answer.is_json else answer.data

    def get(self, who: str, path: str, **query: Any) -> Any:
        return self.ask(who, "GET", path, query_string=query)

    def post(self, who: str, path: str, body: Any = None) -> Any:
        return self.ask(who, "POST", path, **({} if body is None else {"json": body}))

    def sheet(self, path: str, rows: list[list[Any]]) -> Any:
        """The clerk uploads a sheet, reads that nothing is refused, and confirms it."""
        upload = self.ask("base_clerk", "POST", path, data={"file": (io.BytesIO(workbook(rows)), "a.xlsx")})
        assert upload["rejected"] == 0, upload["rows"][:2]
        return self.post("base_clerk", f"/uploads/{upload['id']}/confirmation")

    def scan(self, owner: str, owner_id: str, kind: str) -> None:
        self.scans += 1
        data = {
            "owner": owner,
            "owner_id": owner_id,
            "kind": kind,
            "file": (io.BytesIO(_PDF % self.scans), "a"),
        }
        self.ask("base_clerk", "POST", "/documents", data=data)

    def missing(self) -> list[str]:
        """The codes of what the class's file lacks now."""
        file = self.get("county_officer", "/classes/{class}/file", reason="归档前核对")
        assert file["complete"] is not any(item["lacking"] for item in file["items"])
        return [lack["code"] for item in file["items"] for lack in item["lacking"]]


@pytest.fixture
def teller(small_world: World) -> Iterator[Teller]:
    app = create_app(small_world.service.settings, clock=small_world.service.clock)
    limits.limiter.enabled = False
    with app.test_client() as client:
        yield Teller(client, small_world)
    limits.limiter.enabled = True


def learners() -> list[Learner]:
    return [one for one, _ in zip(demo_people.people(Random(2025)), range(PEOPLE), strict=False)]


def days() -> list[date]:
    return [FIRST + timedelta(week * 7 + day) for week in range(3) for day in range(5)]


# ---------------------------------------------------------------- the steps


def announce_a_project(teller: Teller) -> None:
    """Drafted by the county, on public notice for five working days, announced by the city."""
    plan = vars(massage_plan(teller.world, planned_hours=60)) | {"base_ids": [str(teller.world.base.id)]}
    plan.pop("bases")
    teller.known["project"] = teller.post("county_officer", "/projects", plan)["id"]
    teller.post("county_officer", "/projects/{project}/notice", {})
    teller.world.on(2025, 2, 18)
    assert teller.post("city_officer", "/projects/{project}/announcement")["status"] == "announced"


def file_the_class(teller: Teller) -> None:
    """Filed under the project; the timetable comes as the sheet that the base's office keeps."""
    filing = {name: value for name, value in vars(massage_class()).items() if value and name != "project"}
    filing |= {"starts_on": str(FIRST), "ends_on": str(LAST), "class_hours": 60}
    filing["project_id"] = teller.known["project"]
    teller.known["class"] = teller.post("base_clerk", "/classes", filing)["id"]
    site(teller.world, "主校区")
    teacher(teller.world, "祁玉兰")
    kinds = ["安全教育", *["理论"] * 4, *["实操"] * 10]
    rows = [
        [str(day), "08:30", "12:00", 4, f"第{place}讲", kind, "主校区", "祁玉兰"]
        for place, (day, kind) in enumerate(zip(days(), kinds, strict=True), 1)
    ]
    header = ["日期", "开始时间", "结束时间", "课时", "内容", "类别", "地点", "教师"]
    teller.sheet("/classes/{class}/timetable-sheet", [header, *rows])
    whole = teller.get("county_officer", "/classes/{class}")
    assert (whole["status"], whole["missing"]) == ("filed", [])


def open_the_class(teller: Teller) -> None:
    """Opened by the county; thirty people with their consents, of which two were signed on paper."""
    teller.world.on(2025, 3, 7)
    teller.post("county_officer", "/classes/{class}/opening")
    header = ["姓名", "公民身份号码", "联系电话", "文化程度", "辅助需求", "知情同意日期", "知情同意方式"]
    rows = [
        [one.name, one.citizen_id, one.phone, "初中", "手语翻译" if place == 0 else "", "2025-03-05",
         "纸质签名" if place < 2 else "电子签名"]
        for place, one in enumerate(learners())
    ]  # fmt: skip
    assert teller.sheet("/classes/{class}/roster", [header, *rows])["accepted"] == PEOPLE
    trainees = teller.get("base_clerk", "/enrolments", class_id=teller.known["class"], limit=200)["items"]
    teller.known |= {f"trainee_{place}": one["id"] for place, one in enumerate(trainees)}
    for place in range(2):
        (consent,) = teller.get("base_clerk", f"/enrolments/{{trainee_{place}}}/consents")["items"]
        teller.scan("consent", consent["id"], "consent_form")


def teach_the_class(teller: Teller) -> None:
    """One leaves; the last morning is moved by a reported change; every morning is signed for on paper."""
    teller.world.on(2025, 3, 12)
    teller.post("base_clerk", f"/enrolments/{{trainee_{LEFT}}}/withdrawal", {"reason": "家中有事"})
    planned = teller.get("base_clerk", "/classes/{class}/timetable")["sessions"]
    wanted = ("on", "starts_at", "ends_at", "class_hours", "content", "kind", "site_id", "teacher_id")
    sessions = [{name: one[name] for name in wanted} for one in planned]
    sessions[-1]["on"] = str(MOVED_TO)
    change = {"reason": "28日停电检修", "ends_on": str(MOVED_TO), "sessions": sessions}
    reported = teller.post("base_clerk", "/classes/{class}/changes", change)
    teller.post("county_officer", f"/class-changes/{reported['id']}/acceptance", {"reason": "情况属实"})
    known = teller.get("base_clerk", "/classes/{class}/timetable")
    assert (known["version"], known["sessions"][-1]["on"]) == (2, str(MOVED_TO))
    first = known["sessions"][0]["id"]
    assert teller.get("base_clerk", f"/sessions/{first}/sign-in-sheet.pdf").startswith(b"%PDF")


def record_attendance(teller: Teller) -> None:
    """Thirty rows by fifteen mornings from the office's sheet; closed, scanned, and one mark corrected."""
    teller.world.on(2025, 3, 31)
    sheet = teller.get("base_clerk", "/classes/{class}/attendance-sheet.xlsx")
    table = CalamineWorkbook.from_filelike(io.BytesIO(sheet)).get_sheet_by_index(0).to_python()
    rows = [list(row) for row in table]
    assert len(rows) == 3 + PEOPLE - 1
    for place, row in enumerate(rows[3:]):
        for morning in range(SESSIONS):
            row[3 + morning] = "假" if (place, morning) == (ON_LEAVE, 4) else "√"
    teller.sheet("/classes/{class}/attendance", rows)
    sessions = [one["id"] for one in teller.get("base_clerk", "/classes/{class}/timetable")["sessions"]]
    for session in sessions:
        teller.post("base_clerk", f"/sessions/{session}/closing")
        teller.scan("session", session, "sign_in_sheet")
    wrong = {"enrolment_id": teller.known["trainee_0"], "mark": "absent", "reason": "核对签到表，本人未到"}
    teller.post("base_clerk", f"/sessions/{sessions[1]}/correction", wrong)
    (kept,) = teller.get("county_officer", f"/sessions/{sessions[1]}/corrections")["items"]
    assert (kept["from_mark"], kept["to_mark"], kept["by_role"]) == ("present", "absent", "base_clerk")
    assert kept["reason"] == "核对签到表，本人未到"


def examine(teller: Teller) -> None:
    """One fails and one is absent; both resit ten days later, and one of them passes."""
    examiners = [{"name": "马文礼", "organisation": "青海高等职业技术学院"}]
    plan = {"held_on": "2025-04-01", "place": "主校区考场", "examiners": examiners}
    sitting = teller.post("base_clerk", "/classes/{class}/assessments", plan)["id"]
    teller.world.on(2025, 4, 1)
    absent = [{"enrolment_id": teller.known[f"trainee_{ABSENT}"], "presence": "absent"}]
    teller.post("base_clerk", f"/assessments/{sitting}/holding", {"presences": absent})
    send_results(teller, {FAILED: 40, ABSENT: "缺考"})
    resit = teller.post("base_clerk", "/classes/{class}/assessments", plan | {"held_on": "2025-04-11"})
    teller.world.on(2025, 4, 11)
    due = teller.get("base_clerk", f"/assessments/{resit['id']}")["candidates"]
    assert {one["enrolment_id"] for one in due} == {teller.known[f"trainee_{p}"] for p in (FAILED, ABSENT)}
    teller.post("base_clerk", f"/assessments/{resit['id']}/holding", {})
    send_results(teller, {FAILED: 75, ABSENT: 30})


def send_results(teller: Teller, marks: dict[int, Any]) -> None:
    """The results sheet, with the hours that the attendance told; who is not in ``marks`` has 85."""
    header = ["姓名", "公民身份号码", "出勤课时", "理论成绩", "实操成绩"]
    hours = dict.fromkeys(range(PEOPLE), 60) | {0: 56, ON_LEAVE: 56}
    rows = [
        [one.name, one.citizen_id, hours[place], marks.get(place, 85), marks.get(place, 85)]
        for place, one in enumerate(learners())
        if place != LEFT
    ]
    teller.sheet("/classes/{class}/results", [header, *rows])


def ask_the_trainees(teller: Teller) -> None:
    """Slips are printed; eight people answer on their phones, without an account."""
    teller.post("base_clerk", "/classes/{class}/satisfaction")
    assert teller.get("base_clerk", "/classes/{class}/satisfaction/slips").startswith(b"%PDF")
    survey = satisfaction.SatisfactionSurvey.get()
    for code in satisfaction.codes_of(teller.world.service.vault, survey)[:8]:
        asked = teller.client.get(f"/s/{code}", headers={"Accept": "application/json"}).get_json()
        answer = {question["code"]: "good" for question in asked["questions"]}
        assert teller.client.post(f"/s/{code}", json=answer).status_code == 201


def approve(teller: Teller) -> None:
    """Submitted by the base with nothing missing, approved by the city: 28 certificates."""
    teller.world.on(2025, 4, 14)
    assert teller.post("base_clerk", "/classes/{class}/submission")["missing"] == []
    teller.world.on(2025, 4, 17)
    numbers = teller.post("city_officer", "/classes/{class}/approval")["certificates"]
    assert len(numbers) == PEOPLE - 2
    again = teller.post("city_officer", "/classes/{class}/approval")["certificates"]
    assert again == numbers


def follow_up(teller: Teller) -> None:
    """The base reports the first trainee's work, the county confirms it; the person's file tells it all."""
    teller.world.on(2025, 6, 3)
    work = {"form": "concentrated", "employer": "乐都区康健推拿店", "started_on": "2025-05-06"}
    reported = teller.post("base_clerk", "/enrolments/{trainee_0}/employments", work)
    teller.post("county_officer", f"/employments/{reported['id']}/confirmation", {"reason": "电话核实"})
    asked = {"citizen_id": learners()[0].citizen_id, "reason": "本人查询"}
    person = teller.post("county_officer", "/people/search", asked)["id"]
    file = teller.post("county_officer", f"/people/{person}/file", {"reason": "本人查询"})
    (training,) = file["trainings"]
    assert training["hours_attended"] == "56"
    assert training["marks"] == {"present": 14, "leave": 0, "absent": 1}
    assert [one["status"] for one in file["certificates"]] == ["valid"]
    assert [one["employer"] for one in file["employments"]] == ["乐都区康健推拿店"]


# ---------------------------------------------------------------- the journey


def test_a_training_from_the_project_to_the_class_file(teller: Teller) -> None:
    announce_a_project(teller)
    file_the_class(teller)
    open_the_class(teller)
    assert teller.missing() == [
        "attendance_missing", "assessment_missing", "results_missing", "satisfaction_missing",
        "submission", "approval",
    ]  # fmt: skip
    teach_the_class(teller)
    record_attendance(teller)
    examine(teller)
    ask_the_trainees(teller)
    assert teller.missing() == ["submission", "approval", "certificates_missing"]
    approve(teller)
    follow_up(teller)
    assert teller.missing() == []
    the_archive_holds_everything_and_names_nobody(teller)


def the_archive_holds_everything_and_names_nobody(teller: Teller) -> None:
    archive = teller.get("city_officer", "/classes/{class}/file.zip", reason="归档")
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        names = opened.namelist()
        content = {name: opened.read(name) for name in names}
    assert not [name for name in names for one in learners() if one.name in name or one.citizen_id in name]
    assert sum(name.startswith("16_培训合格证书/") for name in names) == PEOPLE - 2
    assert sum(name.startswith("10_签到表扫描件/") for name in names) == SESSIONS
    assert sum(name.startswith("08_知情同意书扫描件/") for name in names) == 2
    told = json.loads(content["00_档案目录.json"])
    assert told["complete"] and not told["lost"]
    listed = list(csv.reader(io.StringIO(content["00_档案目录.csv"].decode("utf-8-sig"))))[1:]
    assert [name for name, _, _ in listed] == [name for name in names if not name.startswith("00_")]
    assert all(sha256(content[name]).hexdigest() == digest for name, _, digest in listed)
    table = CalamineWorkbook.from_filelike(io.BytesIO(content["12_考核成绩.xlsx"])).get_sheet_by_index(0)
    assert len(table.to_python()) == 3 + (PEOPLE - 1) + 2  # both resits beside the first results
    assert teller.get("city_officer", "/classes/{class}/file.zip", reason="再次核对") == archive
