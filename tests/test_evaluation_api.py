"""The yearly evaluation through HTTP: who sees what when, and what is refused with which code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from api import limits
from skills_registry.certification import issuing
from skills_registry.certification.certificates import Certificate
from skills_registry.evaluation import Evaluation
from tests.evaluated import FULL, IN_PLACE_OF_RECORDS, year_2025
from tests.world import World, application

SHEET = {"scores": [{"indicator": code, "marks": str(marks)} for code, marks in FULL.items()]}
SHEET["scores"] = [
    line | ({"remark": "纸质问卷汇总"} if line["indicator"] == IN_PLACE_OF_RECORDS else {})
    for line in SHEET["scores"]
]


class Office:
    """Calls as whoever is named; every answer is held to the status and code that are expected."""

    def __init__(self, client: FlaskClient, world: World) -> None:
        self.client, self.world = client, world

    def get(self, who: str, path: str, status: int = 200, **headers: str) -> Any:
        return self._held(self.client.get(self._at(path), headers=self._key(who) | headers), status)

    def post(self, who: str, path: str, body: Any, status: int = 200, code: str | None = None) -> Any:
        answer = self._held(self.client.post(self._at(path), json=body, headers=self._key(who)), status)
        assert code is None or answer["code"] == code
        return answer

    def _at(self, path: str) -> str:
        return f"/api/v1/{path}".replace("{base}", str(self.world.base.id))

    def _key(self, who: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.world.key(who)}"}

    def _held(self, answer: Any, status: int) -> Any:
        assert answer.status_code == status, answer.get_data(as_text=True)
        return answer.json


def opened(world: World) -> Iterator[Office]:
    app = application(world)
    limits.limiter.reset()
    with app.test_client() as client:
        yield Office(client, world)


@pytest.fixture
def office(world: World) -> Iterator[Office]:
    yield from opened(world)


@pytest.fixture
def small_office(small_world: World) -> Iterator[Office]:
    yield from opened(small_world)


def proposed(office: Office, **marks: str) -> str:
    """The evaluation of 2025, proposed on Monday 12 January 2026: its path."""
    year_2025(office.world)
    office.world.on(2026, 1, 12)
    office.post("county_officer", "bases/{base}/yearly-plans", {"year": 2025, "persons": 8})
    made = office.post("county_officer", "bases/{base}/evaluations", {"year": 2025}, 201)
    path = f"evaluations/{made['id']}"
    scores = [
        line | ({"marks": marks[line["indicator"]], "remark": "缺坡道"} if line["indicator"] in marks else {})
        for line in SHEET["scores"]
    ]
    office.post("county_officer", f"{path}/scores", {"scores": scores})
    office.post("county_officer", f"{path}/proposal", {"summary": "拟定为合格"})
    return path


def test_a_year_from_its_plan_to_its_grade(office: Office) -> None:
    path = proposed(office, accessibility="8.5")
    told = office.get("base_clerk", path)
    (proposal,) = told["proposals"]
    assert (told["status"], told["grade"], proposal["grade"]) == ("proposed", None, "qualified")
    assert (proposal["comments_until"], proposal["provisional"]) == ("2026-01-19", False)
    figures = {figure["indicator"]: figure for figure in proposal["figures"]}
    persons = figures["persons_trained"]
    assert (persons["numerator"], persons["denominator"], persons["value"]) == ("5", "8", "62.5")
    assert (persons["detail"]["persons"], persons["detail"]["person_times"]) == (5, 6)
    assert (persons["as_of"], persons["state_text"]) == ("2026-01-12", "按登记数据计算")
    assert persons["policy_version"] == office.world.service.policy.version
    employment = figures["class_employment_rate"]
    assert (employment["state_text"], employment["marks"]) == ("暂无数据，不计入", None)
    assert (figures["accessibility"]["marks"], figures["accessibility"]["remark"]) == ("8.5", "缺坡道")
    # 9.38 + 10 + 7.4 + 4.17 + 33.5 of 75.
    assert (proposal["marks"], proposal["weight"], proposal["total"]) == ("64.45", "75.00", "85.93")
    office.post("base_clerk", f"{path}/comments", {"text": "坡道已于12月建成", "agrees": False}, 201)
    office.post("city_officer", f"{path}/finalisation", {"answer": "核查日在前"}, 409, "comments_open")
    office.world.on(2026, 1, 20)
    office.post("city_officer", f"{path}/finalisation", {}, 422, "comment_unanswered")
    made = office.post("city_officer", f"{path}/finalisation", {"answer": "评估以核查日为准。"})
    assert (made["status"], made["grade"], made["grade_text"]) == ("final", "qualified", "合格")
    steps = [(step["action"], step["by_role"]) for step in made["steps"]]
    assert steps == [
        ("open", "county_officer"),
        ("score", "county_officer"),
        ("propose", "county_officer"),
        ("comment", "base_clerk"),
        ("finalise", "city_officer"),
    ]


def test_a_base_sees_nothing_of_the_sheet_before_the_proposal_and_never_the_sheet_itself(
    small_office: Office,
) -> None:
    office = small_office
    year_2025(office.world)
    made = office.post("city_officer", "bases/{base}/evaluations", {"year": 2025}, 201)
    path = f"evaluations/{made['id']}"
    vetoes = [{"item": "fraud", "finding": "待核"}]
    office.post("county_officer", f"{path}/scores", SHEET | {"vetoes": vetoes})
    seen = office.get("base_clerk", path)
    assert (seen["proposals"], "scores" in seen, "vetoes" in seen) == ([], False, False)
    sheet = office.get("auditor", path)
    assert (sheet["vetoes"], sheet["scores"][0]["marks"]) == (vetoes, "10.0")
    office.get("base_clerk", f"{path}/figures", 403)
    shown = office.get("auditor", f"{path}/figures")
    assert (len(shown["figures"]), shown["differs"]) == (10, [])


def test_a_recount_names_what_changed_and_the_frozen_figures_stay(small_office: Office) -> None:
    office = small_office
    path = proposed(office)
    before = office.get("base_clerk", path)["proposals"]
    assert office.get("city_officer", f"{path}/figures")["differs"] == []
    office.world.on(2026, 9, 1)
    for certificate in Certificate.select():
        issuing.revoke(office.world.act("city_officer"), certificate, "事后查实")
    assert office.get("city_officer", f"{path}/figures")["differs"] == ["certificates_and_level"]
    assert office.get("base_clerk", path)["proposals"] == before


def test_refusals_name_their_rule(small_office: Office) -> None:
    office = small_office
    office.post("county_officer", "bases/{base}/evaluations", {"year": 2025}, 409, "year_not_over")
    office.world.on(2026, 1, 12)
    office.post("county_officer", "bases/{base}/evaluations", {"year": 2024}, 409, "not_listed_in_year")
    office.post("county_officer", "bases/{base}/evaluations", {"year": 2012}, 409, "no_rule_in_force")
    made = office.post("county_officer", "bases/{base}/evaluations", {"year": 2025}, 201)
    office.post("city_officer", "bases/{base}/evaluations", {"year": 2025}, 409, "evaluation_on_record")
    path = f"evaluations/{made['id']}"
    office.post("county_officer", f"{path}/proposal", {"summary": "意见"}, 409, "wrong_state")
    less = {"scores": SHEET["scores"][1:]}
    told = office.post("county_officer", f"{path}/scores", less, 409, "not_scored")
    assert "教学条件与师资" in told["detail"]
    lower = {"scores": [SHEET["scores"][0] | {"marks": "7"}, *less["scores"]]}
    office.post("county_officer", f"{path}/scores", lower, 422, "deduction_unexplained")
    counted = {"scores": [*SHEET["scores"], {"indicator": "pass_rate", "marks": "10", "remark": "补"}]}
    office.post("county_officer", f"{path}/scores", counted, 422, "counted_by_records")
    office.post("county_officer", f"{path}/scores", SHEET)
    office.post("county_officer", f"{path}/proposal", {"summary": "意见"}, 409, "too_little_counted")
    assert Evaluation.get().status == "scored"


@pytest.mark.parametrize("marks", ["NaN", "Infinity", "1e400", "-0.1", "many", None])
def test_marks_that_are_no_marks_are_refused(small_office: Office, marks: str | None) -> None:
    office = small_office
    office.world.on(2026, 1, 12)
    made = office.post("county_officer", "bases/{base}/evaluations", {"year": 2025}, 201)
    scores = [SHEET["scores"][0] | {"marks": marks, "remark": "x"}, *SHEET["scores"][1:]]
    office.post("county_officer", f"evaluations/{made['id']}/scores", {"scores": scores}, 422)
    assert Evaluation.get().status == "open"


def test_a_city_officer_returns_a_proposal_and_a_clerk_agrees_to_the_next(small_office: Office) -> None:
    office = small_office
    path = proposed(office)
    office.post("city_officer", f"{path}/return", {"reason": "依据不足"})
    office.post("base_clerk", f"{path}/comments", {"text": "意见", "agrees": True}, 409, "wrong_state")
    office.post("county_officer", f"{path}/scores", SHEET)
    told = office.post("county_officer", f"{path}/proposal", {"summary": "重新提出"})
    assert [proposal["summary"] for proposal in told["proposals"]] == ["拟定为合格", "重新提出"]
    office.post("base_clerk", f"{path}/comments", {"text": "无异议", "agrees": True}, 201)
    assert office.post("city_officer", f"{path}/finalisation", {})["grade"] == "qualified"


def test_a_plan_is_changed_with_a_reason_only(small_office: Office) -> None:
    office = small_office
    plans = "bases/{base}/yearly-plans"
    office.post("county_officer", plans, {"year": 2025, "persons": 40})
    office.post("county_officer", plans, {"year": 2025, "persons": 30}, 422)
    office.post("county_officer", plans, {"year": 2025, "persons": 30, "reason": "调整"})
    office.post("city_officer", plans, {"year": 2025, "persons": 20, "reason": "调整"}, 403)
    listed = office.get("base_clerk", plans)["items"]
    assert [(plan["year"], plan["persons"]) for plan in listed] == [(2025, 30)]


def test_lists_filter_by_year_state_and_grade_and_show_only_the_callers_business(
    small_office: Office,
) -> None:
    office = small_office
    path = proposed(office)
    for query, number in (("", 1), ("?year=2025", 1), ("?year=2024", 0), ("?status=final", 0)):
        assert len(office.get("city_officer", f"evaluations{query}")["items"]) == number
    assert office.get("other_county_officer", "evaluations")["items"] == []
    office.get("other_county_officer", path, 404)
    assert [item["year"] for item in office.get("base_clerk", "bases/{base}/evaluations")["items"]] == [2025]
    office.get("city_officer", "evaluations?grade=splendid", 422)


def test_who_prefers_english_reads_english(small_office: Office) -> None:
    path = proposed(small_office)
    told = small_office.get("base_clerk", path, **{"Accept-Language": "en"})
    figure = told["proposals"][0]["figures"][0]
    assert (told["status_text"], figure["name"], figure["state_text"]) == (
        "proposed, open to the base's comments",
        "persons trained against the year's plan",
        "counted from the records",
    )
