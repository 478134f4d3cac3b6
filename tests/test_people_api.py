"""A person's file through HTTP: found by a body, read for a reason, printed for those who listen to it."""

from __future__ import annotations

import io
import re
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from skills_registry.foundation.lifecycle import Step
from tests.made_sheets import workbook
from tests.test_document_accessibility import elements
from tests.test_evaluation_api import Office, opened
from tests.test_person_files import LI, WHY, full_file, li
from tests.world import PEOPLE, World, credit_code


@pytest.fixture
def office(world: World) -> Iterator[Office]:
    yield from opened(world)


@pytest.fixture
def small_office(small_world: World) -> Iterator[Office]:
    yield from opened(small_world)


def search(office: Office, who: str, citizen_id: str, status: int = 200, code: str | None = None) -> Any:
    return office.post(who, "people/search", {"citizen_id": citizen_id, "reason": WHY}, status, code)


def test_an_officer_finds_a_person_reads_the_file_and_hands_it_over(office: Office) -> None:
    full_file(office.world)
    found = search(office, "county_officer", LI[1])
    assert (found["name"], found["citizen_id"]) == ("李晓东", "*" * 14 + "9953")
    path = f"people/{found['id']}/file"
    masked = office.post("county_officer", path, {"reason": WHY})
    assert (masked["citizen_id"], masked["birth_date"], masked["whole"]) == ("*" * 14 + "9953", None, False)
    assert [training["results"][0]["hours"] for training in masked["trainings"]] == ["110"]
    assert masked["missing_services"]["services"][0] == "basic_information_check"
    assert [row["employer"] for row in masked["employments"]] == ["晓东推拿店"]
    assert [row["number"] for row in masked["held_certificates"]] == ["Y000163020201245000123"]
    whole = office.post("county_officer", path, {"reason": "本人申请复制", "for_person": True})
    assert (whole["citizen_id"], whole["birth_date"]) == (LI[1], "1976-10-28")
    read = Step.select().where((Step.action == "read") & (Step.noun == "person")).order_by(Step.id)
    assert [step.reason for step in read] == [WHY, "本人申请复制"]


def test_a_file_without_a_reason_is_not_read(small_office: Office) -> None:
    person = li(small_office.world)
    for body in ({}, {"reason": ""}, {"reason": "   "}):
        small_office.post("county_officer", f"people/{person.id}/file", body, 422)
    assert not Step.select().where(Step.action == "read").exists()


def test_a_foreign_person_answers_exactly_as_an_unknown_one(small_office: Office) -> None:
    person = li(small_office.world)
    foreign = search(small_office, "other_county_officer", LI[1], 404)
    assert foreign == search(small_office, "other_county_officer", PEOPLE[5][1], 404)
    body = {"reason": WHY}
    known = small_office.post("other_county_officer", f"people/{person.id}/file", body, 404)
    assert known == small_office.post(
        "other_county_officer", f"people/{small_office.world.base.id}/file", body, 404
    )


def test_a_base_reports_and_sees_only_what_belongs_to_its_own_enrolments(small_office: Office) -> None:
    world, office = small_office.world, small_office
    enrolment = world.issued()[0].enrolment
    sibling = world.listed_base("乐都区邻家学校", 2)
    world.hire("sibling_clerk", sibling.organisation, "base_clerk")
    work = {"form": "flexible", "started_on": "2025-02-10", "evidence": ["site_visit"]}
    path = f"enrolments/{enrolment.id}/employments"
    made = office.post("base_clerk", path, work, 201)
    by_county = office.post(
        "county_officer", f"people/{enrolment.person_id}/employments", work | {"form": "farming"}, 201
    )
    seen = office.get("base_clerk", path)["items"]
    assert [row["id"] for row in seen] == [made["id"]]
    office.post("base_clerk", f"employments/{by_county['id']}/striking", {"reason": "看看"}, 404)
    office.get("base_clerk", f"employments/{by_county['id']}", 404)
    assert office.get("sibling_clerk", "employments")["items"] == []
    office.get("sibling_clerk", path, 404)
    assert [row["id"] for row in office.get("base_clerk", "employments")["items"]] == [made["id"]]
    confirmed = office.post(
        "county_officer", f"employments/{made['id']}/confirmation", {"reason": "电话核实"}
    )
    assert (confirmed["status"], confirmed["status_text"]) == ("confirmed", "已核实")
    office.post("base_clerk", f"employments/{made['id']}/striking", {"reason": "误报"}, 403)


def test_that_a_number_is_held_by_another_person_is_not_told_to_a_base(small_office: Office) -> None:
    first, second = (certificate.enrolment for certificate in small_office.world.issued()[:2])
    held = {
        "kind": "skill_level",
        "number": "Y000163020201245000123",
        "issuer": "某机构",
        "issued_on": "2024-11-08",
    }
    for enrolment in (first, second):
        made = small_office.post("base_clerk", f"enrolments/{enrolment.id}/held-certificates", held, 201)
        assert made["warnings"] == []
    file = small_office.post("county_officer", f"people/{second.person_id}/file", {"reason": WHY})
    assert [w["code"] for w in file["held_certificates"][0]["warnings"]] == ["held_number_elsewhere"]


def test_what_others_entered_of_a_trainee_is_not_told_to_the_base_that_enters_the_same(
    small_office: Office,
) -> None:
    enrolment = small_office.world.issued()[0].enrolment
    person, training = f"people/{enrolment.person_id}", f"enrolments/{enrolment.id}"
    held = {"kind": "specific_ability", "number": "63-001", "issuer": "省鉴定中心", "issued_on": "2024-11-08"}
    theirs = small_office.post("county_officer", f"{person}/held-certificates", held, 201)
    sent = held | {"issuer": "某中心", "issued_on": "2024-01-01"}
    told = small_office.post("base_clerk", f"{training}/held-certificates", sent, 201)
    assert (told["issuer"], told["issued_on"], "id" in told) == ("某中心", "2024-01-01", False)
    assert small_office.get("base_clerk", f"{training}/held-certificates")["items"] == []
    work = {"form": "farming", "started_on": "2025-02-10", "evidence": ["site_visit"]}
    known = small_office.post("county_officer", f"{person}/employments", work, 201)
    own = small_office.post("base_clerk", f"{training}/employments", work | {"evidence": []}, 201)
    assert (own["id"] != known["id"], own["evidence"]) == (True, [])
    file = small_office.post("county_officer", f"{person}/file", {"reason": WHY})
    assert [row["id"] for row in file["held_certificates"]] == [theirs["id"]]


def test_a_request_for_correction_shows_its_values_only_to_who_reads_it_for_a_reason(office: Office) -> None:
    person = li(office.world)
    body = {"field": "name", "new_value": "李晓冬", "asked_by": "guardian", "reason": "户口本"}
    asked = office.post("county_officer", f"people/{person.id}/corrections", body, 201)
    listed = office.get("city_officer", "corrections?status=requested")["items"]
    assert [(row["id"], row["old_value"], row["new_value"]) for row in listed] == [(asked["id"], "", "")]
    assert office.get("other_county_officer", "corrections")["items"] == []
    path = f"corrections/{asked['id']}"
    shown = office.post("city_officer", f"{path}/reading", {"reason": "审核"})
    assert (shown["old_value"], shown["new_value"]) == ("李晓东", "李晓冬")
    office.post("county_officer", f"{path}/acceptance", {"reason": "一致"}, 403, "separation_of_duties")
    assert office.post("city_officer", f"{path}/acceptance", {"reason": "一致"})["status"] == "accepted"
    assert search(office, "county_officer", LI[1])["name"] == "李晓冬"


def test_asking_for_another_citizen_id_tells_nobody_the_one_on_record(small_office: Office) -> None:
    person = li(small_office.world)
    body = {"field": "citizen_id", "new_value": PEOPLE[5][1], "asked_by": "person", "reason": "身份证"}
    asked = small_office.post("county_officer", f"people/{person.id}/corrections", body, 201)
    hidden = ("*" * 14 + LI[1][-4:], "*" * 14 + PEOPLE[5][1][-4:])
    assert (asked["old_value"], asked["new_value"]) == hidden
    path = f"corrections/{asked['id']}"
    shown = small_office.post("city_officer", f"{path}/reading", {"reason": "审核"})
    assert (shown["old_value"], shown["new_value"]) == (LI[1], PEOPLE[5][1])
    read = Step.select().where((Step.action == "read") & (Step.reason == "审核"))
    assert {step.noun for step in read} == {"correction_request", "citizen_id"}
    refused = small_office.post("city_officer", f"{path}/refusal", {"reason": "号码有误"})
    assert (refused["old_value"], refused["new_value"]) == hidden


def test_somebody_never_trained_here_is_settled_and_served(office: Office) -> None:
    settling = {
        "citizen_id": PEOPLE[1][1],
        "name": PEOPLE[1][0],
        "division_code": "630222",
        "since": "2024-05-01",
        "reason": "求职登记",
    }
    person = office.post("other_county_officer", "people", settling, 201)
    given = {"service": "job_seeking_registration", "given_on": "2025-02-10", "outcome": "愿意学按摩"}
    made = office.post("other_county_officer", f"people/{person['id']}/services", given, 201)
    file = office.post("other_county_officer", f"people/{person['id']}/file", {"reason": WHY})
    assert (file["residences"][0]["division"], len(file["missing_services"]["services"])) == (
        "民和回族土族自治县",
        3,
    )
    office.post("county_officer", f"people/{person['id']}/services", given, 404)
    struck = office.post("other_county_officer", f"services/{made['id']}/striking", {"reason": "登记错人"})
    assert (struck["status"], struck["outcome"]) == ("struck", "愿意学按摩")


def test_employment_counts_in_the_evaluation_of_a_year_that_the_records_cover(small_office: Office) -> None:
    world, office = small_office.world, small_office
    world.on(2026, 2, 9)
    training_class = world.submitted_class(4, failed=1, starts_on=date(2026, 3, 2), ends_on=date(2026, 4, 10))
    world.on(2026, 4, 20)
    enrolments = [certificate.enrolment_id for certificate in world.issue(training_class)]
    world.on(2026, 5, 11)
    work = {
        "form": "quota",
        "employer": "某公司",
        "uscc": credit_code("630202", 9),
        "started_on": "2026-05-06",
    }
    for enrolment in enrolments[:2]:
        made = office.post("base_clerk", f"enrolments/{enrolment}/employments", work, 201)
        office.post("county_officer", f"employments/{made['id']}/confirmation", {"reason": "合同属实"})
    office.post("base_clerk", f"enrolments/{enrolments[2]}/employments", work, 201)
    world.on(2027, 1, 11)
    opened_one = office.post("county_officer", "bases/{base}/evaluations", {"year": 2026}, 201)
    figures = office.get("county_officer", f"evaluations/{opened_one['id']}/figures")["figures"]
    line = next(figure for figure in figures if figure["indicator"] == "class_employment_rate")
    assert (line["numerator"], line["denominator"], line["state"]) == ("2", "4", "counted")


def test_evidence_is_kept_with_an_employment_and_read_only_where_the_person_is_known(
    small_office: Office,
) -> None:
    world, office = small_office.world, small_office
    enrolment = world.issued()[0].enrolment
    work = {"form": "farming", "started_on": "2025-02-10", "evidence": ["village_statement"]}
    own = office.post("base_clerk", f"enrolments/{enrolment.id}/employments", work, 201)["id"]
    by_county = office.post(
        "county_officer", f"people/{enrolment.person_id}/employments", work | {"form": "flexible"}, 201
    )

    def keep(who: str, employment_id: str) -> int:
        answer = office.client.post(
            "/api/v1/documents",
            data={
                "owner": "employment",
                "owner_id": employment_id,
                "kind": "employment_evidence",
                "file": (io.BytesIO(b"%PDF-1.7\n%%EOF"), "x.pdf"),
            },
            headers={"Authorization": f"Bearer {world.key(who)}"},
        )
        return int(answer.status_code)

    assert [keep("base_clerk", own), keep("county_officer", by_county["id"])] == [201, 201]
    assert [keep("base_clerk", by_county["id"]), keep("other_county_officer", own)] == [404, 404]
    listed = {
        who: len(office.get(who, "documents?owner=employment")["items"])
        for who in ("base_clerk", "county_officer")
    }
    assert listed == {"base_clerk": 1, "county_officer": 2}


def test_a_follow_up_sheet_goes_out_comes_back_and_is_confirmed(small_office: Office) -> None:
    world, office = small_office.world, small_office
    certificate = world.issued()[0]
    path = f"classes/{certificate.training_class_id}"
    headers = {"Authorization": f"Bearer {world.key('base_clerk')}"}
    sheet = office.client.get(f"/api/v1/{path}/employment-sheet.xlsx", headers=headers)
    assert sheet.status_code == 200
    lines = [
        ["姓名", "身份证号", "就业形式", "就业日期"],
        [*PEOPLE[0][:2], "灵活就业", "2025-02-10"],
        [*PEOPLE[1][:2], "", ""],
    ]
    files = {"file": (io.BytesIO(workbook(lines)), "x.xlsx")}
    made = office.client.post(f"/api/v1/{path}/employment", data=files, headers=headers)
    assert (made.status_code, made.json["accepted"], made.json["kind"]) == (201, 2, "employment")
    office.post("base_clerk", f"uploads/{made.json['id']}/confirmation", {})
    found = office.get("county_officer", f"employments?class_id={certificate.training_class_id}")["items"]
    assert [(row["name"], row["form"], row["status"]) for row in found] == [
        ("李晓东", "flexible", "reported")
    ]


# ---------------------------------------------------------------- the paper


def printed(office: Office, path: Path) -> bytes:
    person = full_file(office.world)
    answer = office.client.post(
        f"/api/v1/people/{person.id}/file.pdf",
        json={"reason": "本人申请复制", "for_person": True},
        headers={"Authorization": f"Bearer {office.world.key('county_officer')}"},
    )
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="person-file.pdf"'
    path.write_bytes(answer.data)
    return answer.data


def test_the_printed_file_tells_in_order_what_the_record_says(small_office: Office, tmp_path: Path) -> None:
    printed(small_office, tmp_path / "file.pdf")
    command = ["pdftotext", str(tmp_path / "file.pdf"), "-"]
    said = re.sub(r"\s", "", subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    parts = [
        "个人技能培训与就业档案",
        "基本信息",
        "李晓东",
        LI[1],
        "培训经历",
        "出勤110课时",
        "本平台登记颁发的证书",
    ]
    parts += ["其他机构颁发的证书", "Y000163020201245000123", "适合推拿岗位", "2025年尚未提供：基础信息核对"]
    parts += ["就业情况", "晓东推拿店", "营业执照", "信息更正", "更正为", "已更正"]
    places = [said.find(part) for part in parts]
    assert -1 not in places, parts[places.index(-1)]
    assert places == sorted(places)


def test_the_printed_file_is_tagged_for_those_who_listen_to_it(small_office: Office, tmp_path: Path) -> None:
    with pikepdf.open(io.BytesIO(printed(small_office, tmp_path / "file.pdf"))) as pdf:
        assert str(pdf.Root.Lang) == "zh-CN"
        assert bool(pdf.Root.MarkInfo.Marked) and bool(pdf.Root.ViewerPreferences.DisplayDocTitle)
        with pdf.open_metadata() as metadata:
            assert metadata["dc:title"] == "个人技能培训与就业档案"
            assert str(metadata["pdfuaid:part"]) == "1"
        assert "李晓东" not in repr(pdf.docinfo)
        kinds = [str(element.S) for element in elements(pdf)]
        assert [kinds.count(kind) for kind in ("/H1", "/H2", "/H3")] == [1, 7, 6]
        heads = [element for element in elements(pdf) if element.S == "/TH"]
        assert {str(head.A.Scope) for head in heads} == {"/Row"}
        assert len(pdf.Root.Outlines.First.keys()) > 0
    subprocess.run(["qpdf", "--check", str(tmp_path / "file.pdf")], check=True, capture_output=True)
