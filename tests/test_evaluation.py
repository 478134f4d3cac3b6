"""The rules of the yearly evaluation: what is counted and what is not, who decides, and what never changes."""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.demo_people import credit_code
from skills_registry import bases, evaluation
from skills_registry.bases import Listing
from skills_registry.certification import issuing
from skills_registry.certification.certificates import Certificate
from skills_registry.evaluation import (
    EVALUATION,
    GRADES,
    AppealWorsens,
    CommentsClosed,
    CommentsOpen,
    CommentUnanswered,
    CountedByRecords,
    DeductionUnexplained,
    Evaluation,
    EvaluationOnRecord,
    Given,
    NotListedInYear,
    NotScored,
    PlanSettled,
    Question,
    TooLittleCounted,
    YearNotOver,
    scorecard,
)
from skills_registry.evaluation.evaluations import EvaluationScore, GradeProposal
from skills_registry.evaluation.scorecard import Counted, Figure, Mark
from skills_registry.foundation.errors import (
    FieldRefused,
    NotAllowed,
    RegistryError,
    SeparationOfDuties,
    WrongState,
)
from skills_registry.foundation.lifecycle import Step, steps_of
from skills_registry.foundation.policy import HAIDONG, Policy, load_policy
from skills_registry.foundation.storage import database, new_id
from skills_registry.people import Person
from skills_registry.training.classes import TrainingClass
from skills_registry.training.enrolments import Enrolment, Result
from tests.evaluated import FULL, act_on, in_state, plan, sheet, year_2025
from tests.world import CITY, COUNTY, World

AS_OF = date(2026, 2, 2)


def counted(world: World, name: str, as_of: date = AS_OF, **more: Any) -> tuple[Any, Any, dict[str, Any]]:
    card = evaluation.card_for(world.service.policy, 2025)
    found = evaluation.count(Question((world.base.id,), 2025, as_of, card, **more))[world.base.id][name]
    return found.numerator, found.denominator, dict(found.detail)


def figure(found: Evaluation, code: str) -> dict[str, Any]:
    proposal = evaluation.latest_proposal(found)
    assert proposal is not None
    return next(line for line in proposal.figures if line["indicator"] == code)


# What is counted, held against the numbers that were counted by hand (tests/evaluated.py).


def test_persons_trained_are_distinct_people_of_approved_classes_beside_person_times(world: World) -> None:
    year_2025(world)
    plan(world, 8)
    assert counted(world, "persons_trained") == (
        5,
        8,
        {"persons": 5, "person_times": 6, "classes": 2, "classes_unfinished": 1},
    )


def test_the_pass_rate_counts_results_of_everyone_who_stayed(small_world: World) -> None:
    year_2025(small_world)
    assert counted(small_world, "passed")[:2] == (5, 6)


def test_attendance_counts_who_was_there_for_80_percent_of_the_hours_to_the_hour(small_world: World) -> None:
    # 96 of 120 hours are exactly 80 percent, 95 are not.
    year_2025(small_world)
    assert counted(small_world, "attendance")[:2] == (5, 6)


def test_each_person_is_credited_once_for_the_highest_valid_certificate(small_world: World) -> None:
    year_2025(small_world)
    assert counted(small_world, "certificates") == (
        Decimal("3.7"),
        5,
        {
            "persons": 4,
            "by_level": {"none": 1, "level4_intermediate": 3},
            "credits_percent": {"none": 85, "level4_intermediate": 95},
        },
    )


def test_a_revoked_certificate_no_longer_counts(small_world: World) -> None:
    classes = year_2025(small_world)
    one = Certificate.select().where(Certificate.training_class == classes["A"].id).order_by(Certificate.id)
    issuing.revoke(small_world.act("city_officer"), one[1], "冒名顶替")
    assert counted(small_world, "certificates")[0] == Decimal("2.75")
    issuing.revoke(small_world.act("city_officer"), one[0], "冒名顶替")
    # The first person still holds the certificate of the course, which has no level.
    assert counted(small_world, "certificates")[0] == Decimal("2.65")


def test_a_reissued_certificate_counts_once(small_world: World) -> None:
    year_2025(small_world)
    before = counted(small_world, "certificates")
    old = Certificate.select().order_by(Certificate.id).first()
    issuing.reissue(
        small_world.act("city_officer"), old, small_world.service.signer(), lambda _: "", reason="遗失"
    )
    assert counted(small_world, "certificates") == before


def test_employment_is_due_class_by_class_180_days_after_its_end(world: World) -> None:
    # Class A ended on 11 April 2025: due from 8 October on; class B in July 2026.
    year_2025(world)
    told = {"opened_headcount": 7, "not_yet_due": 2, "within_days": 180}
    assert counted(world, "class_employment", date(2025, 10, 8)) == (None, 5, told)
    assert counted(world, "class_employment", date(2025, 10, 7)) == (None, None, told | {"not_yet_due": 7})
    assert counted(world, "class_employment", date(2026, 7, 19)) == (None, 7, told | {"not_yet_due": 0})


def test_employment_records_answer_as_soon_as_there_are_some(small_world: World) -> None:
    year_2025(small_world)
    asked: list[tuple[Any, ...]] = []

    def employed(bases: Any, year: int, ended_by: date, within_days: int) -> dict[UUID, int]:
        asked.append((tuple(bases), year, ended_by, within_days))
        return {small_world.base.id: 3}

    assert counted(small_world, "class_employment", employed=employed)[:2] == (3, 5)
    assert asked == [((small_world.base.id,), 2025, AS_OF - timedelta(days=180), 180)]
    plan(small_world)
    found = in_state(small_world, "scored")
    evaluation.propose(act_on(small_world, "county_officer", (2026, 2, 2)), found, "意见", employed=employed)
    line = figure(found, "class_employment_rate")
    # 60 percent, full marks at 70: 25 × 6/7.
    assert (line["state"], line["value"], line["marks"]) == ("counted", "60", "21.43")


def test_a_year_without_classes_has_trained_nobody_and_has_no_rates(small_world: World) -> None:
    plan(small_world, 8)
    assert counted(small_world, "persons_trained")[:2] == (0, 8)
    for name in ("passed", "attendance", "certificates"):
        assert counted(small_world, name)[1] == 0


def test_every_base_is_counted_apart_in_the_same_queries(small_world: World) -> None:
    year_2025(small_world)
    other = small_world.listed_base("民和县邻家学校", 2)
    card = evaluation.card_for(small_world.service.policy, 2025)
    both = evaluation.count(Question((small_world.base.id, other.id), 2025, AS_OF, card))
    assert both[small_world.base.id]["passed"].numerator == 5
    assert both[other.id]["passed"].numerator == 0


@contextmanager
def queries() -> Iterator[list[str]]:
    seen: list[str] = []

    class Listening(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(str(record.msg))

    log, listening = logging.getLogger("peewee"), Listening()
    level = log.level
    log.addHandler(listening)
    log.setLevel(logging.DEBUG)
    try:
        yield seen
    finally:
        log.removeHandler(listening)
        log.setLevel(level)


def many_classes(world: World, number: int) -> None:
    """Approved classes of five people each, entered past the verbs: their number is all that matters."""
    world.enrol(world.open_class(title="种子班"), 5)
    template = TrainingClass.select().dicts().get()
    people = [person.id for person in Person.select()]
    classes, enrolled, results = [], [], []
    for place in range(number):
        key = new_id()
        own = {"id": key, "filing_no": f"X{place}", "status": "approved"}
        classes.append({**template, **own, "base": world.base.id})
        for person in people:
            row = new_id()
            sealed = {"name": b"-", "name_index": b"-", "roster_row": 2, "enrolled_at": world.now}
            enrolled.append({"id": row, "training_class": key, "person": person, **sealed})
            results.append(
                {"id": new_id(), "enrolment": row, "hours": 100, "scores": {}, "outcome": "passed"}
                | {"recorded_at": world.now}
            )
    with database.atomic():
        for table, rows in ((TrainingClass, classes), (Enrolment, enrolled), (Result, results)):
            for start in range(0, len(rows), 100):
                table.insert_many(rows[start : start + 100]).execute()


def test_hundreds_of_classes_are_counted_in_as_many_queries_as_one(world: World) -> None:
    card = evaluation.card_for(world.service.policy, 2025)
    asked = Question((world.base.id,), 2025, AS_OF, card)
    with queries() as with_none:
        evaluation.count(asked)
    many_classes(world, 300)
    with queries() as with_many:
        found = evaluation.count(asked)[world.base.id]
    assert (len(with_none), len(with_many)) == (6, 6)
    assert (found["passed"].numerator, found["persons_trained"].numerator) == (1500, 5)


# How figures become a grade.


def test_the_figures_of_2025_come_to_the_grade_computed_by_hand(world: World) -> None:
    classes = year_2025(world)
    one = Certificate.select().where(Certificate.training_class == classes["A"].id).order_by(Certificate.id)
    issuing.revoke(world.act("city_officer"), one[1], "冒名顶替")
    plan(world, 8)
    found = in_state(world, "proposed")
    shown = {line["indicator"]: (line["value"], line["marks"]) for line in _lines(found)}
    assert {code: shown[code] for code in shown if code not in FULL} == {
        "persons_trained": ("62.5", "9.38"),
        "class_employment_rate": (None, None),
        "pass_rate": ("83.33", "10"),
        "certificates_and_level": ("55", "5.5"),
        "attendance": ("83.33", "4.17"),
    }
    proposal = evaluation.latest_proposal(found)
    assert proposal is not None
    # 9.38 + 10 + 5.5 + 4.17 + 35 of 75, since employment (25) has no figures.
    told = (proposal.marks, proposal.weight, proposal.total, proposal.grade)
    assert told == (Decimal("64.05"), Decimal(75), Decimal("85.40"), "qualified")


def _lines(found: Evaluation) -> list[dict[str, Any]]:
    proposal = evaluation.latest_proposal(found)
    assert proposal is not None
    return list(proposal.figures)


def test_every_figure_says_numerator_denominator_day_rule_version_and_source(small_world: World) -> None:
    year_2025(small_world)
    lines = _lines(in_state(small_world, "proposed"))
    assert [line["indicator"] for line in lines] == [
        "persons_trained",
        "class_employment_rate",
        "pass_rate",
        "certificates_and_level",
        "attendance",
        *FULL,
    ]
    for line in lines:
        assert line["as_of"] == "2026-01-12"
        assert line["policy_version"] == small_world.service.policy.version
        assert line["rule_valid_from"] == "2023-08-11"
        assert "东政办〔2023〕70号" in line["rule_source"]
        if line["marks"] is not None:
            assert line["numerator"] is not None and line["denominator"] is not None
    assert sum(Decimal(line["weight"]) for line in lines) == 100


def test_an_indicator_without_figures_is_left_out_and_never_counts_as_nought(small_world: World) -> None:
    year_2025(small_world)
    line = figure(in_state(small_world, "proposed"), "class_employment_rate")
    assert (line["state"], line["marks"], line["value"]) == ("no_data", None, None)


def test_an_evaluator_may_score_employment_where_no_record_answers_and_says_on_what_basis(
    small_world: World,
) -> None:
    year_2025(small_world)
    with pytest.raises(DeductionUnexplained):
        evaluation.score(
            act_on(small_world, "county_officer"),
            in_state(small_world, "open"),
            [*sheet(), Given("class_employment_rate", Decimal(25))],
        )
    found = Evaluation.get()
    given = [*sheet(), Given("class_employment_rate", Decimal(20), "电话回访5人，4人在岗")]
    plan(small_world)
    evaluation.score(act_on(small_world, "county_officer"), found, given)
    evaluation.propose(act_on(small_world, "county_officer"), found, "意见")
    line = figure(found, "class_employment_rate")
    told = (line["state"], line["numerator"], line["denominator"], line["marks"], line["remark"])
    assert told == ("scored", "20", "25", "20", "电话回访5人，4人在岗")


def test_what_is_not_yet_due_cannot_be_scored_into_the_sum(small_world: World) -> None:
    card = evaluation.card_for(small_world.service.policy, 2025)
    numbers = dict.fromkeys(
        ("persons_trained", "passed", "attendance", "certificates", "satisfaction"),
        Counted(Decimal(1), Decimal(1)),
    )
    numbers["class_employment"] = Counted(None, None, due=False)
    marks = {"class_employment_rate": Mark(Decimal(25), "预计都能就业")}
    line = next(f for f in scorecard.figures(card, numbers, marks) if f.indicator.weight == 25)
    assert (line.state, line.marks) == ("not_yet_due", None)


def test_without_a_plan_there_is_no_figure_for_persons_trained(small_world: World) -> None:
    year_2025(small_world)
    found = in_state(small_world, "open")
    evaluation.score(act_on(small_world, "county_officer"), found, sheet())
    evaluation.propose(act_on(small_world, "county_officer"), found, "意见")
    line = figure(found, "persons_trained")
    assert (line["state"], line["numerator"], line["denominator"]) == ("no_data", "5", None)


def test_too_few_figures_make_no_grade(small_world: World) -> None:
    found = in_state(small_world, "open")
    evaluation.score(act_on(small_world, "county_officer"), found, sheet())
    with pytest.raises(TooLittleCounted) as refusal:
        evaluation.propose(act_on(small_world, "county_officer"), found, "意见")
    assert refusal.value.facts["weight"] == 35
    assert Evaluation.get().status == "scored"
    assert GradeProposal.select().count() == 0


@pytest.mark.parametrize("item", ["fraud", "serious_accident", "discrimination"])
def test_one_veto_item_makes_the_best_base_unqualified(small_world: World, item: str) -> None:
    year_2025(small_world)
    plan(small_world, 5)
    found = in_state(small_world, "open")
    evaluation.score(act_on(small_world, "county_officer"), found, sheet(), {item: "经查属实"})
    proposal = evaluation.propose(act_on(small_world, "county_officer"), found, "意见")
    assert proposal.total is not None
    assert (proposal.total > 90, proposal.grade, proposal.vetoes) == (True, "unqualified", {item: "经查属实"})


def test_a_veto_needs_no_figures(small_world: World) -> None:
    found = in_state(small_world, "open")
    evaluation.score(act_on(small_world, "county_officer"), found, sheet(), {"fraud": "整班虚构"})
    assert evaluation.propose(act_on(small_world, "county_officer"), found, "意见").grade == "unqualified"


@pytest.mark.parametrize(
    ("total", "grade"),
    [
        ("100", "excellent"),
        ("90", "excellent"),
        ("89.99", "qualified"),
        ("75", "qualified"),
        ("74.99", "basically_qualified"),
        ("60", "basically_qualified"),
        ("59.99", "unqualified"),
        ("0", "unqualified"),
    ],
)
def test_a_grade_begins_exactly_at_its_threshold(total: str, grade: str) -> None:
    card = evaluation.card_for(load_policy(), 2025)
    whole = replace(card.indicators[0], weight=Decimal(100))
    line = Figure(whole, "counted", Decimal(1), Decimal(1), Decimal(total))
    assert scorecard.outcome(card, [line], []).grade == grade


SHARES = st.tuples(st.integers(0, 200), st.integers(0, 200))
MARKS = st.fixed_dictionaries({code: st.integers(0, full) for code, full in FULL.items()})
CARD = evaluation.card_for(load_policy(), 2025)
COUNTS = ("persons_trained", "passed", "attendance", "certificates", "class_employment", "satisfaction")


@given(shares=st.fixed_dictionaries(dict.fromkeys(COUNTS, SHARES)), marks=MARKS)
def test_marks_lie_between_nought_and_the_weight_and_what_has_no_figure_has_no_weight(
    shares: dict[str, tuple[int, int]], marks: dict[str, int]
) -> None:
    numbers = {name: Counted(Decimal(a), Decimal(b)) for name, (a, b) in shares.items()}
    found = scorecard.figures(CARD, numbers, {code: Mark(Decimal(m), "") for code, m in marks.items()})
    for line in found:
        assert line.marks is None or 0 <= line.marks <= line.indicator.weight
    reached = scorecard.outcome(CARD, found, [])
    unanswered = [i for i in CARD.indicators if i.counts and not shares[i.counts][1]]
    silent = sum(i.weight for i in unanswered if i.code not in marks)
    assert reached.weight == 100 - silent
    assert reached.total is not None and 0 <= reached.total <= 100


@given(shares=st.fixed_dictionaries(dict.fromkeys(COUNTS, SHARES)), better=st.sampled_from(COUNTS))
def test_a_better_share_never_lowers_the_total(shares: dict[str, tuple[int, int]], better: str) -> None:
    def total(given: dict[str, tuple[int, int]]) -> Decimal:
        numbers = {name: Counted(Decimal(a), Decimal(b)) for name, (a, b) in given.items()}
        marks = {code: Mark(Decimal(full), "") for code, full in FULL.items()}
        reached = scorecard.outcome(CARD, scorecard.figures(CARD, numbers, marks), []).total
        assert reached is not None
        return reached

    part, whole = shares[better]
    assert total(shares | {better: (part + 1, whole)}) >= total(shares)


# Who evaluates what, and when.


def test_a_year_is_evaluated_once_and_only_when_it_is_over(world: World) -> None:
    officer = act_on(world, "county_officer", (2025, 12, 31))
    with pytest.raises(YearNotOver):
        evaluation.open_evaluation(officer, world.base, 2025)
    found = evaluation.open_evaluation(act_on(world, "city_officer", (2026, 1, 1)), world.base, 2025)
    assert (found.status, found.grade) == ("open", None)
    with pytest.raises(EvaluationOnRecord):
        evaluation.open_evaluation(act_on(world, "county_officer"), world.base, 2025)
    assert Evaluation.select().count() == 1


def listed_from_to(world: World, first: date, last: date, left: date | None = None) -> bases.Base:
    base = bases.register_base(
        world.act("county_officer"),
        name="乐都区他校",
        uscc=credit_code(COUNTY, 7),
        kind="training",
        division_code=COUNTY,
    )
    Listing.create(
        base=base,
        plaque_number="HD-7",
        valid_from=first,
        valid_until=last,
        left_on=left,
        basis="文件",
        status="ended" if left else "confirmed",
    )
    return base


@pytest.mark.parametrize(
    ("first", "last", "left", "evaluated"),
    [
        (date(2024, 1, 1), date(2024, 12, 31), None, False),
        (date(2024, 1, 1), date(2025, 1, 1), None, True),
        (date(2025, 12, 31), date(2027, 12, 31), None, True),
        (date(2026, 1, 1), date(2027, 12, 31), None, False),
        (date(2024, 1, 1), date(2026, 12, 31), date(2025, 1, 1), False),
        (date(2024, 1, 1), date(2026, 12, 31), date(2025, 1, 2), True),
    ],
)
def test_a_base_is_evaluated_for_a_year_in_which_it_was_listed_for_a_day(
    small_world: World, first: date, last: date, left: date | None, evaluated: bool
) -> None:
    base = listed_from_to(small_world, first, last, left)
    assert (base in evaluation.unevaluated(2025)) is evaluated
    if evaluated:
        assert evaluation.open_evaluation(act_on(small_world, "county_officer"), base, 2025).year == 2025
    else:
        with pytest.raises(NotListedInYear):
            evaluation.open_evaluation(act_on(small_world, "county_officer"), base, 2025)


def test_a_listing_that_nobody_confirmed_is_no_listing(small_world: World) -> None:
    base = listed_from_to(small_world, date(2025, 1, 1), date(2027, 12, 31))
    Listing.update(status="entered").where(Listing.base == base).execute()
    with pytest.raises(NotListedInYear):
        evaluation.open_evaluation(act_on(small_world, "county_officer"), base, 2025)


@pytest.mark.parametrize("name", ["base_clerk", "auditor", "admin"])
def test_only_county_and_city_open_an_evaluation_and_only_the_county_sets_a_plan(
    small_world: World, name: str
) -> None:
    with pytest.raises(NotAllowed):
        evaluation.open_evaluation(act_on(small_world, name), small_world.base, 2025)
    for other in (name, "city_officer"):
        with pytest.raises(NotAllowed):
            evaluation.set_plan(act_on(small_world, other), small_world.base, 2025, 40)
    assert Evaluation.select().count() == 0


def test_a_plan_is_changed_with_a_reason_until_the_proposal_rests_on_it(world: World) -> None:
    county = world.act("county_officer")
    first = evaluation.set_plan(county, world.base, 2025, 40)
    with pytest.raises(FieldRefused):
        evaluation.set_plan(county, world.base, 2025, 0, "改零")
    with pytest.raises(FieldRefused):
        evaluation.set_plan(county, world.base, 2025, 30)
    evaluation.set_plan(county, world.base, 2025, 30, "年中调整")
    assert [(s.detail["from"], s.detail["to"]) for s in steps_of(first.id)] == [(None, 40), (40, 30)]
    found = in_state(world, "scored")
    evaluation.set_plan(county, world.base, 2025, 20, "再次调整")
    evaluation.propose(act_on(world, "county_officer"), found, "意见")
    with pytest.raises(PlanSettled):
        evaluation.set_plan(county, world.base, 2025, 5, "迁就结果")
    assert [p.persons for p in evaluation.plans_of(world.base)] == [20]
    assert figure(found, "persons_trained")["denominator"] == "20"


@pytest.mark.parametrize(
    ("given", "vetoes", "refusal"),
    [
        (sheet()[1:], {}, NotScored),
        ([*sheet(), sheet()[0]], {}, FieldRefused),
        ([*sheet(), Given("pass_rate", Decimal(10), "补")], {}, CountedByRecords),
        ([*sheet(), Given("dancing", Decimal(1), "x")], {}, FieldRefused),
        (sheet(accessibility=10.5), {}, FieldRefused),
        (sheet(accessibility=-1), {}, FieldRefused),
        (sheet(accessibility=9.55), {}, FieldRefused),
        ([*sheet()[1:], Given("teaching_conditions", Decimal(9))], {}, DeductionUnexplained),
        (sheet(), {"bad_weather": "下雨"}, FieldRefused),
        (sheet(), {"fraud": " "}, FieldRefused),
    ],
)
def test_a_sheet_that_is_not_sound_is_refused_whole(
    small_world: World, given: list[Given], vetoes: dict[str, str], refusal: type[RegistryError]
) -> None:
    found = in_state(small_world, "open")
    with pytest.raises(refusal):
        evaluation.score(act_on(small_world, "county_officer"), found, given, vetoes)
    assert EvaluationScore.select().count() == 0
    assert Evaluation.get().status == "open"


def test_a_sheet_handed_in_again_replaces_the_earlier_one_and_both_leave_a_step(world: World) -> None:
    found = in_state(world, "scored", accessibility=6)
    evaluation.score(act_on(world, "county_officer"), found, sheet(accessibility=8), {"fraud": "存疑"})
    evaluation.score(act_on(world, "county_officer"), found, sheet(accessibility=7.5))
    assert evaluation.marks_of(found)["accessibility"].marks == Decimal("7.5")
    assert evaluation.vetoes_of(found) == {}
    told = [s.detail["marks"]["accessibility"] for s in steps_of(found.id) if s.action == "score"]
    assert told == ["6", "8", "7.5"]


# Proposal, comments, decision.


def test_the_base_comments_within_five_working_days_and_not_a_day_later(world: World) -> None:
    found = in_state(world, "proposed")
    assert [(e.id, d.day) for e, d in evaluation.comments_running(world.service.policy)] == [
        (found.id, date(2026, 1, 19))
    ]
    evaluation.comment(act_on(world, "base_clerk", (2026, 1, 19)), found, "满意度调查有误", agrees=False)
    with pytest.raises(CommentsClosed):
        evaluation.comment(act_on(world, "base_clerk", (2026, 1, 20)), found, "再补充", agrees=False)
    proposal = evaluation.latest_proposal(found)
    assert proposal is not None
    assert [c.text for c in proposal.comments] == ["满意度调查有误"]


def test_the_days_for_comments_step_over_the_spring_festival_and_count_its_moved_workdays(
    small_world: World,
) -> None:
    # 2026: the festival lasts from 15 to 23 February; the Saturdays 14 and 28 February are workdays.
    found = in_state(small_world, "scored")
    evaluation.propose(act_on(small_world, "county_officer", (2026, 2, 12)), found, "意见")
    proposal = evaluation.latest_proposal(found)
    assert proposal is not None
    until = evaluation.comments_until(small_world.service.policy, proposal)
    assert (until.day, until.provisional) == (date(2026, 2, 26), False)


def test_days_in_a_year_not_yet_published_are_provisional_and_counted_again_when_it_is(
    small_world: World,
) -> None:
    found = in_state(small_world, "proposed", 2027)
    proposal = evaluation.latest_proposal(found)
    assert proposal is not None
    guess = evaluation.comments_until(small_world.service.policy, proposal)
    published = (
        HAIDONG.read_text(encoding="utf-8")
        + "\n[calendar.2028]\nholidays = [2028-01-17]\nmoved_workdays = []\n"
    )
    known = evaluation.comments_until(Policy(published), proposal)
    assert (guess.day, guess.provisional) == (date(2028, 1, 19), True)
    assert (known.day, known.provisional) == (date(2028, 1, 20), False)


def test_it_becomes_final_when_the_days_are_over_or_the_base_agrees(world: World) -> None:
    found = in_state(world, "proposed")
    with pytest.raises(CommentsOpen):
        evaluation.finalise(act_on(world, "city_officer", (2026, 1, 19)), found)
    found = Evaluation.get_by_id(found.id)
    assert (found.status, found.grade) == ("proposed", None)
    evaluation.comment(act_on(world, "base_clerk", (2026, 1, 13)), found, "无异议", agrees=True)
    evaluation.finalise(act_on(world, "city_officer", (2026, 1, 13)), found)
    assert (Evaluation.get().status, Evaluation.get().grade) == ("final", "basically_qualified")


def test_silence_until_the_day_after_lets_it_become_final(small_world: World) -> None:
    found = in_state(small_world, "proposed")
    evaluation.finalise(act_on(small_world, "city_officer", (2026, 1, 20)), found)
    assert evaluation.grades_of(small_world.base) == [(2025, "basically_qualified")]


def test_an_objection_of_the_base_is_answered_before_it_becomes_final(small_world: World) -> None:
    found = in_state(small_world, "proposed")
    evaluation.comment(act_on(small_world, "base_clerk"), found, "出勤统计有误", agrees=False)
    with pytest.raises(CommentUnanswered):
        evaluation.finalise(act_on(small_world, "city_officer", (2026, 1, 20)), found)
    found = Evaluation.get_by_id(found.id)
    evaluation.finalise(act_on(small_world, "city_officer", (2026, 1, 20)), found, "已核对签到表，统计无误。")
    assert [s.reason for s in steps_of(found.id)][-1] == "已核对签到表，统计无误。"


def test_a_returned_proposal_is_made_anew_and_the_old_one_is_kept(world: World) -> None:
    found = in_state(world, "proposed", accessibility=2)
    evaluation.send_back(act_on(world, "city_officer"), found, "无障碍评分依据不足")
    evaluation.score(act_on(world, "county_officer"), found, sheet(accessibility=9))
    evaluation.propose(act_on(world, "county_officer", (2026, 1, 14)), found, "修改后的意见")
    kept = [next(f for f in p.figures if f["indicator"] == "accessibility")["marks"] for p in found.proposals]
    assert kept == ["2", "9"]
    with pytest.raises(CommentsOpen):
        evaluation.finalise(act_on(world, "city_officer", (2026, 1, 21)), found)
    found = Evaluation.get_by_id(found.id)
    evaluation.finalise(act_on(world, "city_officer", (2026, 1, 22)), found)


def test_consent_to_a_returned_proposal_is_no_consent_to_the_next(small_world: World) -> None:
    found = in_state(small_world, "commented")
    evaluation.send_back(act_on(small_world, "city_officer"), found, "重评")
    evaluation.score(act_on(small_world, "county_officer"), found, sheet(accessibility=1))
    evaluation.propose(act_on(small_world, "county_officer"), found, "意见")
    with pytest.raises(CommentsOpen):
        evaluation.finalise(act_on(small_world, "city_officer"), found)


def test_who_scored_or_proposed_does_not_make_it_final_under_any_account(small_world: World) -> None:
    found = in_state(small_world, "proposed")
    proposer = small_world.accounts["county_officer"].operator
    city = small_world.accounts["city_officer"].organisation
    small_world.hire("proposer_at_the_city", city, "city_officer", operator=proposer)
    with pytest.raises(SeparationOfDuties):
        evaluation.finalise(act_on(small_world, "proposer_at_the_city", (2026, 1, 20)), found)
    assert (Evaluation.get().status, Evaluation.get().grade) == ("proposed", None)


@pytest.mark.parametrize("part", ["score", "propose"])
def test_having_scored_or_having_proposed_is_enough_to_be_kept_from_deciding(
    small_world: World, part: str
) -> None:
    county, city = (small_world.accounts[f"{name}_officer"] for name in ("county", "city"))
    small_world.hire("second_county_officer", county.organisation, "county_officer")
    one, other = ("county_officer", "second_county_officer")
    found = in_state(small_world, "open")
    plan(small_world)
    evaluation.score(act_on(small_world, one if part == "score" else other), found, sheet())
    evaluation.propose(act_on(small_world, one if part == "propose" else other), found, "意见")
    small_world.hire("same_person", city.organisation, "city_officer", operator=county.operator)
    with pytest.raises(SeparationOfDuties):
        evaluation.finalise(act_on(small_world, "same_person", (2026, 1, 20)), found)


def test_who_scored_an_earlier_round_does_not_make_a_later_one_final(small_world: World) -> None:
    found = in_state(small_world, "proposed")
    scorer = small_world.accounts["county_officer"]
    small_world.hire("second_county_officer", scorer.organisation, "county_officer")
    small_world.hire(
        "scorer_at_the_city",
        small_world.accounts["city_officer"].organisation,
        "city_officer",
        operator=scorer.operator,
    )
    evaluation.send_back(act_on(small_world, "city_officer"), found, "重评")
    evaluation.score(act_on(small_world, "second_county_officer"), found, sheet())
    evaluation.propose(act_on(small_world, "second_county_officer"), found, "意见")
    with pytest.raises(SeparationOfDuties):
        evaluation.finalise(act_on(small_world, "scorer_at_the_city", (2026, 1, 20)), found)


def test_a_clerk_of_the_base_evaluates_it_under_no_account(small_world: World) -> None:
    clerk = small_world.accounts["second_clerk"].operator
    for role, name in (("county_officer", "clerk_at_the_county"), ("city_officer", "clerk_at_the_city")):
        small_world.hire(name, small_world.accounts[role].organisation, role, operator=clerk)  # type: ignore[arg-type]
    county = act_on(small_world, "clerk_at_the_county")
    found = in_state(small_world, "open")
    refused: list[Callable[[], object]] = [lambda: evaluation.score(county, found, sheet())]
    refused.append(lambda: evaluation.propose(county, found, "意见"))
    city = act_on(small_world, "clerk_at_the_city", (2026, 1, 20))
    refused.append(lambda: evaluation.finalise(city, found))
    refused.append(lambda: evaluation.send_back(city, found, "重评"))
    refused.append(lambda: evaluation.overturn(city, found, "excellent", "复核"))
    for attempt in refused:
        with pytest.raises(SeparationOfDuties):
            attempt()
    assert Step.select().where(Step.record_id == found.id).count() == 1


def test_a_clerk_of_another_base_comments_nothing(small_world: World) -> None:
    found = in_state(small_world, "proposed")
    sibling = small_world.listed_base("乐都区邻家学校", 2)
    small_world.hire("sibling_clerk", sibling.organisation, "base_clerk")
    with pytest.raises(NotAllowed):
        evaluation.comment(act_on(small_world, "sibling_clerk"), found, "他们不行", agrees=False)


# What never changes.


def test_a_final_evaluation_keeps_its_figures_when_records_change_later(small_world: World) -> None:
    year_2025(small_world)
    found = in_state(small_world, "final")
    before = json.dumps(_lines(found))
    for certificate in Certificate.select():
        issuing.revoke(small_world.act("city_officer"), certificate, "事后查实")
    assert json.dumps(_lines(Evaluation.get_by_id(found.id))) == before
    card, now = evaluation.figures_now(small_world.service.policy, found, date(2026, 1, 12))
    fresh = {f.indicator.code: f.frozen(card, date(2026, 1, 12)) for f in now}
    assert fresh["certificates_and_level"]["numerator"] == "0"
    assert fresh["certificates_and_level"] != figure(found, "certificates_and_level")
    assert (Evaluation.get().grade, Evaluation.get().status) == ("qualified", "final")


def test_counting_again_with_the_same_records_gives_the_same_figures(world: World) -> None:
    year_2025(world)
    found = in_state(world, "final", accessibility=8.5)
    proposal = evaluation.latest_proposal(found)
    assert proposal is not None
    card, now = evaluation.figures_now(world.service.policy, found, proposal.as_of)
    assert [f.frozen(card, proposal.as_of) for f in now] == proposal.figures


def test_a_later_rule_does_not_reach_back_into_an_earlier_year(small_world: World) -> None:
    text = HAIDONG.read_text(encoding="utf-8")
    older = text[text.index("[[evaluation]]") :]
    newer = older.replace("valid_from = 2023-08-11", "valid_from = 2026-01-01").replace(
        "at_least = 60", "at_least = 70"
    )
    policy = Policy(text + "\n" + newer)
    assert [evaluation.card_for(policy, year).rule["grades"][-1]["at_least"] for year in (2025, 2026)] == [
        60,
        70,
    ]
    assert evaluation.card_for(policy, 2025).rule.valid_from == date(2023, 8, 11)


# Appeals and years in a row.


def test_an_appeal_gives_another_better_grade_and_leaves_the_figures(small_world: World) -> None:
    year_2025(small_world)
    found = in_state(small_world, "final")
    before = json.dumps(_lines(found))
    evaluation.overturn(
        act_on(small_world, "second_city_officer", (2026, 2, 2)), found, "excellent", "复核成立"
    )
    assert evaluation.grades_of(small_world.base) == [(2025, "excellent")]
    assert json.dumps(_lines(found)) == before
    last = list(steps_of(found.id))[-1]
    assert (last.action, last.reason, last.detail) == (
        "overturn",
        "复核成立",
        {"from": "qualified", "to": "excellent"},
    )


@pytest.mark.parametrize("grade", ["basically_qualified", "unqualified"])
def test_an_appeal_never_leaves_the_base_worse_off(small_world: World, grade: str) -> None:
    found = in_state(small_world, "final")
    with pytest.raises(AppealWorsens):
        evaluation.overturn(act_on(small_world, "second_city_officer"), found, grade, "复核")
    assert (Evaluation.get().status, Evaluation.get().grade) == ("final", "basically_qualified")


def test_an_unknown_grade_is_refused_and_who_made_it_final_does_not_overturn_it(small_world: World) -> None:
    found = in_state(small_world, "final")
    with pytest.raises(FieldRefused):
        evaluation.overturn(act_on(small_world, "second_city_officer"), found, "splendid", "复核")
    with pytest.raises(SeparationOfDuties):
        evaluation.overturn(act_on(small_world, "city_officer"), found, "excellent", "复核")


def graded(world: World, **grades: str) -> None:
    for year, grade in grades.items():
        Evaluation.create(
            base=world.base, year=int(year[1:]), status="final", grade=grade, opened_at=world.now
        )


@pytest.mark.parametrize(
    ("grades", "row"),
    [
        ({}, 0),
        ({"y2025": "unqualified"}, 1),
        ({"y2024": "unqualified", "y2025": "unqualified"}, 2),
        ({"y2024": "unqualified", "y2025": "basically_qualified"}, 0),
        ({"y2023": "unqualified", "y2024": "qualified", "y2025": "unqualified"}, 1),
        ({"y2023": "unqualified", "y2025": "unqualified"}, 1),
        ({"y2023": "excellent", "y2024": "unqualified", "y2025": "unqualified"}, 2),
    ],
)
def test_failing_years_are_the_last_unqualified_years_in_a_row(
    small_world: World, grades: dict[str, str], row: int
) -> None:
    graded(small_world, **grades)
    assert evaluation.failing_years(small_world.base) == row


def test_a_grade_that_is_only_proposed_or_was_overturned_is_no_failing_year(small_world: World) -> None:
    graded(small_world, y2024="unqualified", y2025="unqualified")
    assert evaluation.failing_years(small_world.base) == evaluation.failing_years_for_exit(
        small_world.service.policy, date(2026, 1, 1)
    )
    last = Evaluation.get(Evaluation.year == 2025)
    evaluation.overturn(act_on(small_world, "city_officer"), last, "basically_qualified", "复核")
    assert evaluation.failing_years(small_world.base) == 0
    Evaluation.update(status="proposed", grade=None).where(Evaluation.year == 2025).execute()
    assert evaluation.failing_years(small_world.base) == 1


def test_a_base_is_unevaluated_until_its_grade_is_final(small_world: World) -> None:
    assert evaluation.unevaluated(2025) == [small_world.base]
    in_state(small_world, "final")
    assert evaluation.unevaluated(2025) == []
    assert evaluation.final_by(small_world.service.policy, 2025) == date(2026, 3, 31)


# Every forbidden move.

ROLES = ("base_clerk", "county_officer", "city_officer", "expert", "auditor", "admin")
LATER = (2026, 1, 20)
ACTS: dict[str, Callable[[World, str, Evaluation], object]] = {
    "score": lambda w, role, e: evaluation.score(act_on(w, role), e, sheet()),
    "propose": lambda w, role, e: evaluation.propose(act_on(w, role), e, "意见"),
    "comment": lambda w, role, e: evaluation.comment(act_on(w, role), e, "意见", agrees=False),
    "return": lambda w, role, e: evaluation.send_back(act_on(w, role), e, "重评"),
    "finalise": lambda w, role, e: evaluation.finalise(act_on(w, role, LATER), e, "答复"),
    "overturn": lambda w, role, e: evaluation.overturn(
        act_on(w, "second_city_officer" if role == "city_officer" else role, LATER), e, "excellent", "复核"
    ),
}


def test_the_enumeration_below_covers_every_action_and_state() -> None:
    assert set(ACTS) == {move.action for move in EVALUATION.moves}
    assert set(GRADES) == {"excellent", "qualified", "basically_qualified", "unqualified"}


@pytest.mark.parametrize("state", EVALUATION.states)
def test_every_move_outside_the_table_is_refused_and_changes_nothing(small_world: World, state: str) -> None:
    federation = small_world.accounts["city_officer"].organisation
    small_world.hire("expert", federation, "expert")
    assert federation.division_code == CITY
    made = 0
    for action, role in itertools.product(ACTS, ROLES):
        found = in_state(small_world, state)
        permitted = EVALUATION.find(action, state)
        if permitted is not None and role in permitted.roles:
            ACTS[action](small_world, role, found)
            made += 1
            assert Evaluation.get_by_id(found.id).status == permitted.to
        else:
            before = picture()
            with pytest.raises((WrongState, NotAllowed)):
                ACTS[action](small_world, role, found)
            assert picture() == before, (action, role)
        forget(found)
    assert made == sum(len(move.roles) for move in EVALUATION.moves if move.origin == state)


def picture() -> list[Any]:
    """Everything that the room keeps, as it stands."""
    tables = (Evaluation, EvaluationScore, GradeProposal, evaluation.BaseComment)
    return [[Step.select().count()], *(sorted(map(str, table.select().tuples())) for table in tables)]


def forget(found: Evaluation) -> None:
    """Clear the room for the next pair; only a test may."""
    for table in (evaluation.BaseComment, GradeProposal, EvaluationScore):
        table.delete().execute()
    found.delete_instance()
