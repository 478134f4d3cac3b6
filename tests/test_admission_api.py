"""Admission through the API, as clerks, officers and experts call it with their keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from api import limits
from skills_registry import documents, notices
from skills_registry.bases import Application, Base, applications, panels
from tests import admission
from tests.admission import ALL_MET, again, seat, sheet
from tests.base_files import PNG, edit_file, shelf_of, sites_of
from tests.world import World, application

SCOPE = [{"edition": "2015", "code": "4-10-04-02", "name": "保健按摩师", "highest_level": "level5_junior"}]


class Office:
    """A client that calls as whoever is named; every answer is checked for the status that is expected."""

    def __init__(self, client: FlaskClient, world: World) -> None:
        self.client, self.world = client, world

    def __call__(
        self, who: str, method: str, path: str, body: Any = None, *, status: int = 200, **headers: str
    ) -> Any:
        """``path`` lies under ``/api/v1``."""
        sent = {"json": body} if body is not None else {}
        answer = self.client.open(
            f"/api/v1/{path}",
            method=method,
            headers={"Authorization": f"Bearer {self.world.key(who)}", **headers},
            **sent,  # type: ignore[arg-type]
        )
        assert answer.status_code == status, (path, answer.status_code, answer.get_data(as_text=True))
        self.last = answer
        return answer.json


@pytest.fixture
def office(world: World) -> Iterator[Office]:
    app = application(world)
    limits.limiter.reset()
    with app.test_client() as client:
        yield Office(client, world)


@pytest.fixture
def small_office(small_world: World) -> Iterator[Office]:
    app = application(small_world)
    limits.limiter.reset()
    with app.test_client() as client:
        yield Office(client, small_world)


def account(world: World, name: str) -> str:
    return str(world.accounts[name].id)


def report(world: World, application_id: str) -> dict[str, Any]:
    """A report of a visit, with a photo that an inspector keeps with the application."""
    photo = documents.keep(
        world.act("county_officer"),
        "application",
        Application.get_by_id(application_id).id,
        "inspection_photo",
        PNG,
        shelf_of(world),
    )
    return {
        "visited_on": world.act("county_officer").today.isoformat(),
        "answers": [{"code": code, "met": True} for code in ALL_MET],
        "findings": "与申报一致",
        "photos": [str(photo.id)],
    }


def test_the_journey_from_the_draft_to_the_plaque_number(office: Office) -> None:
    world = office.world
    base = admission.applicant(world)
    body = {"scope": SCOPE, "sites": [str(site) for site in sites_of(base)]}
    made = office("applicant", "POST", f"bases/{base.id}/applications", body, status=201)
    at = f"applications/{made['id']}"
    assert (made["status"], made["missing"][0]["code"], made["due"]) == ("draft", "submission", None)

    office("applicant", "POST", f"{at}/submission")
    office("county_officer", "POST", f"{at}/return", {"reason": "请补设备照片"})
    told = office("applicant", "GET", at)
    assert told["status_text"] == "已退回补正"
    assert told["steps"][-1]["reason"] == "请补设备照片"
    resubmitted = office("applicant", "POST", f"{at}/submission")
    assert (resubmitted["round"], resubmitted["due"]["kind"]) == (2, "preliminary_review")
    assert (resubmitted["due"]["day"], resubmitted["due"]["overdue"]) == ("2025-02-19", False)

    office("county_officer", "POST", f"{at}/preliminary-review", {"opinion": "recommend", "reason": "齐全"})
    filed = office("county_officer", "POST", f"{at}/inspections", report(world, made["id"]), status=201)
    office("second_county_officer", "POST", f"{at}/inspections/{filed['id']}/signature")

    experts = [account(world, name) for name in admission.EXPERTS[:3]]
    panel = office("city_officer", "POST", f"{at}/panel", {"experts": experts})
    assert [s["status"] for s in panel["seats"]] == ["appointed"] * 3
    office("expert_2", "POST", f"{at}/recusals", {"reason": "与申请单位有亲属关系"})
    office("city_officer", "POST", f"{at}/panel", {"experts": [account(world, "expert_4")]})
    for expert in ("expert_1", "expert_3", "expert_4"):
        office(expert, "POST", f"{at}/scores", {"points": sheet(9), "remarks": "同意"})
    scores = office("auditor", "GET", f"{at}/scores")
    assert (scores["mark"]["passed"], len(scores["items"])) == (True, 3)
    assert scores["mark"]["numerator"] * 10 == scores["mark"]["denominator"] * 9

    office("city_officer", "POST", f"{at}/publication", {"title": "拟认定公示", "text": "拟认定为培训基地"})
    objection = admission.object_to(world, Application.get_by_id(made["id"]))
    world.on(2025, 2, 18)
    refusal = office(
        "deciding_officer", "POST", f"{at}/decision", {"decision": "list", "basis": "文号"}, status=409
    )
    assert refusal["code"] == "objections_unanswered"
    notices.answer(world.act("city_officer"), objection, "查无实据", upheld=False)
    decided = office(
        "deciding_officer", "POST", f"{at}/decision", {"decision": "list", "basis": "东残联〔2025〕1号"}
    )
    assert (decided["status"], decided["listing"]["plaque_number"]) == ("listed", "HD-2025-0001")
    assert (decided["missing"], decided["due"]) == ([], None)
    shown = office("applicant", "GET", f"bases/{base.id}")
    assert shown["listed_today"] is True
    assert office("county_officer", "GET", f"bases/{base.id}/applications")["items"][0]["status"] == "listed"


def test_a_short_cut_is_refused_with_its_reason_and_changes_nothing(small_office: Office) -> None:
    world = small_office.world
    application = admission.reviewed(world)
    at = f"applications/{application.id}"
    admission.same_person(world, "inspector_decides", "county_officer", "city_officer", "city_officer")
    cases: list[tuple[str, str, dict[str, Any], int, str]] = [
        ("deciding_officer", "decision", {"decision": "list", "basis": "文号"}, 409, "wrong_state"),
        ("inspector_decides", "publication", {"title": "公示", "text": "公示"}, 403, "decider_took_part"),
        ("county_officer", "publication", {"title": "公示", "text": "公示"}, 403, "not_allowed"),
        ("applicant", "decision", {"decision": "refuse", "reason": "好"}, 403, "not_allowed"),
        ("deciding_officer", "decision", {"decision": "refuse"}, 422, "field_refused"),
        (
            "county_officer",
            "preliminary-review",
            {"opinion": "recommend", "reason": "好"},
            409,
            "wrong_state",
        ),
        ("expert_1", "scores", {"points": sheet(), "remarks": ""}, 409, "wrong_state"),
    ]
    for who, act, body, status, code in cases:
        answer = small_office(who, "POST", f"{at}/{act}", body, status=status)
        assert answer["code"] == code, (who, act)
        assert answer["detail"]
    assert again(application).status == "reviewed"


def test_an_expert_reaches_only_applications_of_their_own_panels(office: Office) -> None:
    world = office.world
    application = admission.in_review(world)
    at = f"applications/{application.id}"
    for path in (at, f"{at}/submission", f"{at}/inspections", f"{at}/panel", f"{at}/scores"):
        office("expert_1", "GET", path)
        office("expert_4", "GET", path, status=404)
    assert [one["id"] for one in office("expert_1", "GET", "applications")["items"]] == [str(application.id)]
    assert office("expert_4", "GET", "applications")["items"] == []
    office("expert_4", "POST", f"{at}/scores", {"points": sheet()}, status=404)
    office("expert_1", "GET", f"bases/{application.base_id}/applications", status=403)
    office("expert_1", "GET", f"bases/{application.base_id}", status=403)
    office("expert_1", "POST", f"{at}/recusals", {"reason": "亲属"})
    office("expert_1", "GET", at, status=404)


def test_scores_are_one_s_own_until_all_are_in(small_office: Office) -> None:
    world = small_office.world
    application = admission.in_review(world)
    at = f"applications/{application.id}/scores"
    blank = small_office("expert_1", "GET", at)
    assert (len(blank["criteria"]), blank["items"], blank["mark"]) == (6, [], None)
    small_office("expert_1", "POST", at, {"points": sheet(3)})
    small_office("expert_2", "POST", at, {"points": sheet(10)})
    for who, seen in (("expert_1", 1), ("expert_2", 1), ("expert_3", 0), ("city_officer", 0), ("auditor", 0)):
        answer = small_office(who, "GET", at)
        assert (len(answer["items"]), answer["mark"]) == (seen, None), who
    small_office("county_officer", "GET", at, status=403)
    small_office("applicant", "GET", at, status=403)
    small_office("expert_3", "POST", at, {"points": sheet(10)})
    assert len(small_office("expert_1", "GET", at)["items"]) == 3
    assert len(small_office("city_officer", "GET", at)["items"]) == 3


def test_names_of_people_do_not_go_to_experts(small_office: Office) -> None:
    application = admission.in_review(small_office.world)
    path = f"applications/{application.id}/submission"
    seen = small_office("county_officer", "GET", path)
    assert seen["snapshot"]["file"]["legal_person"] == "马建国"
    small_office("expert_1", "GET", path)
    text = small_office.last.get_data(as_text=True)
    assert "高级技师" in text
    for name in ("马建国", "祁玉兰", "东永福", "sealed"):
        assert name not in text


def test_the_snapshot_stays_as_it_was_handed_in(small_office: Office) -> None:
    world = small_office.world
    application = admission.submitted(world)
    path = f"applications/{application.id}/submission"
    before = small_office("county_officer", "GET", path)
    edit_file(world, application.base)
    assert small_office("county_officer", "GET", path) == before
    kept = applications.latest_submission(application)
    assert kept is not None
    assert before["digest"] == applications.digest_of(kept.snapshot)


def test_a_draft_is_written_anew_only_by_who_saw_its_present_form(small_office: Office) -> None:
    world = small_office.world
    application = admission.draft(world)
    path = f"applications/{application.id}"
    small_office("applicant", "GET", path)
    tag = small_office.last.headers["ETag"]
    body = {"scope": SCOPE, "sites": [str(site) for site in sites_of(application.base)]}
    small_office("applicant", "PUT", path, body, status=428)
    written = small_office("applicant", "PUT", path, body, **{"If-Match": tag})
    assert [trade["code"] for trade in written["scope"]] == ["4-10-04-02"]
    small_office("applicant", "PUT", path, body, status=412, **{"If-Match": tag})
    small_office("applicant", "POST", f"{path}/submission")
    small_office("applicant", "GET", path)
    fresh = small_office.last.headers["ETag"]
    refusal = small_office("applicant", "PUT", path, body, status=409, **{"If-Match": fresh})
    assert refusal["code"] == "application_with_review"


def test_the_base_does_not_learn_who_its_inspectors_and_experts_are(small_office: Office) -> None:
    world = small_office.world
    application = admission.reviewed(world)
    steps = small_office("applicant", "GET", f"applications/{application.id}")["steps"]
    assert {step["by_account"] for step in steps if step["by_role"] != "base_clerk"} == {None}
    for path in ("inspections", "panel", "scores"):
        small_office("applicant", "GET", f"applications/{application.id}/{path}", status=403)
    full = small_office("city_officer", "GET", f"applications/{application.id}")["steps"]
    assert account(world, "expert_1") in {step["by_account"] for step in full}


def test_other_bases_and_other_counties_know_nothing_of_it(small_office: Office) -> None:
    world = small_office.world
    application = admission.submitted(world)
    for who in ("base_clerk", "other_county_officer"):
        foreign = small_office(who, "GET", f"applications/{application.id}", status=404)
        unknown = small_office(who, "GET", "applications/01a203f0-acbc-767f-82bd-f38f1bb513ab", status=404)
        assert foreign == unknown
        assert small_office(who, "GET", "applications")["items"] == []
        small_office(who, "GET", f"bases/{application.base_id}/applications", status=404)
    small_office(
        "other_county_officer",
        "POST",
        f"applications/{application.id}/preliminary-review",
        {"opinion": "recommend", "reason": "好"},
        status=404,
    )


def test_the_list_filters_by_state_and_tells_in_english_on_request(small_office: Office) -> None:
    application = admission.submitted(small_office.world)
    found = small_office("city_officer", "GET", "applications?status=submitted&lang=en")["items"]
    assert [(one["id"], one["status_text"]) for one in found] == [
        (str(application.id), "submitted, awaiting preliminary review")
    ]
    assert small_office("city_officer", "GET", "applications?status=draft")["items"] == []
    told = small_office("applicant", "GET", f"applications/{application.id}?lang=en")
    assert told["missing"][0]["message"].startswith("The county reviews it")


def test_the_city_takes_a_silent_expert_off_the_panel_and_fills_the_seat(small_office: Office) -> None:
    world = small_office.world
    application = admission.in_review(world)
    at = f"applications/{application.id}"
    silent = seat(application, world, "expert_3")
    small_office("city_officer", "POST", f"{at}/recusals", {"reason": "逾期"}, status=404)
    gone = small_office("city_officer", "POST", f"{at}/recusals", {"reason": "逾期", "seat": str(silent.id)})
    assert gone["status"] == "recused"
    small_office("city_officer", "POST", f"{at}/panel", {"experts": [str(silent.id)]}, status=422)
    panel = small_office("city_officer", "POST", f"{at}/panel", {"experts": [account(world, "expert_4")]})
    assert panel["vacancies"] == 0
    assert [s["replaces"] for s in panel["seats"]] == [None, None, None, str(silent.id)]
    assert panels.seat_of(world.act("expert_4"), panels.require_panel(again(application))) is not None


def test_the_city_sees_whom_it_may_still_appoint(small_office: Office) -> None:
    world = small_office.world
    application = admission.inspected(world)
    path = f"applications/{application.id}/experts"
    pool = small_office("city_officer", "GET", path)["items"]
    assert {one["account"] for one in pool} == {account(world, name) for name in admission.EXPERTS}
    admission.appoint(world, application)
    left = small_office("city_officer", "GET", path)["items"]
    assert [one["label"] for one in left] == ["expert_4"]


def test_an_inspection_of_another_application_is_not_found_here(small_office: Office) -> None:
    world = small_office.world
    application = admission.inspected(world)
    first = small_office("auditor", "GET", f"applications/{application.id}/inspections")
    assert (len(first["items"]), len(first["checklist"])) == (1, 7)
    assert len(first["items"][0]["signed_by"]) == 2
    base = Base.get_by_id(application.base_id)
    applications.withdraw(world.act("applicant"), again(application), "撤回")
    other = admission.draft(world, base)
    small_office(
        "second_county_officer",
        "POST",
        f"applications/{other.id}/inspections/{first['items'][0]['id']}/signature",
        status=404,
    )
