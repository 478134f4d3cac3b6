"""A year of the base that tests count by hand, and an evaluation taken to any of its states.

The year 2025 of 乐都区晨曦职业培训学校, counted on paper:

    class A  massage, level 4, 120 hours, 3 March to 11 April: five people on the roster, the fifth leaves.
             hours 110, 120, 96, 95; the first three pass;
             an earlier result of the second (40 hours, failed) was replaced.
    class B  a course without level, 60 hours, 1 December to 20 January: the first and the sixth person pass.
    class C  starts on 5 January 2026: belongs to the next year.
    class D  starts in November, still open: not counted, shown as unfinished.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from skills_registry import evaluation
from skills_registry.bases import Base, ScopeEntry
from skills_registry.evaluation import Evaluation, Given
from skills_registry.foundation.acts import Act
from skills_registry.training import enrolments
from skills_registry.training.classes import TrainingClass
from skills_registry.training.enrolments import Enrolment
from tests.world import PEOPLE, World

FULL: Mapping[str, int] = {
    "teaching_conditions": 10,
    "accessibility": 10,
    "file_completeness": 5,
    "trainee_satisfaction": 5,
    "fund_compliance": 5,
}

#: What an evaluator scores where nobody was asked, with the finding that stands in for the records.
IN_PLACE_OF_RECORDS = "trainee_satisfaction"

#: Monday 12 January 2026: five working days later is Monday the 19th.
MONDAY = (2026, 1, 12)


def sheet(**changes: float) -> list[Given]:
    """An evaluator's sheet: full marks but for the changes, each with its finding."""
    return [
        Given(code, Decimal(str(marks)), "现场核查记录" if code in {*changes, IN_PLACE_OF_RECORDS} else "")
        for code, marks in {**FULL, **changes}.items()
    ]


def act_on(world: World, name: str, day: tuple[int, int, int] = MONDAY) -> Act:
    """An act by that account at ten in the morning of a day."""
    return world.act(name, at=datetime(*day, 2, 0, tzinfo=UTC))


def enrol(world: World, training_class: TrainingClass, *places: int) -> list[Enrolment]:
    """These people of the world, enrolled."""
    return [
        enrolments.enrol(
            world.act("base_clerk"),
            training_class,
            dict(zip(("name", "citizen_id", "sex"), PEOPLE[place], strict=True)),
            place + 2,
        )
        for place in places
    ]


def result(world: World, enrolment: Enrolment, hours: int, outcome: str = "passed") -> None:
    """Hours attended and the outcome."""
    enrolments.record_result(
        world.act("base_clerk"),
        enrolment,
        hours=Decimal(hours),
        scores={"theory": Decimal(70), "practice": Decimal(70)},
        outcome=outcome,
    )


def year_2025(world: World) -> dict[str, TrainingClass]:
    """The four classes of the docstring above; the clock stands at 2 February 2026 afterwards."""
    ScopeEntry.update(highest_level="level4_intermediate").execute()
    world.on(2025, 2, 10)
    a = world.open_class(level="level4_intermediate", title="甲班")
    on_a = enrol(world, a, 0, 1, 2, 3, 4)
    result(world, on_a[1], 40, "failed")
    for enrolment, hours in zip(on_a, (110, 120, 96, 95), strict=False):
        result(world, enrolment, hours, "failed" if hours == 95 else "passed")
    enrolments.withdraw(world.act("base_clerk"), on_a[4], "因病退班")
    enrolments.submit_class(world.act("base_clerk"), a)
    world.issue(a)
    world.on(2025, 11, 3)
    course: dict[str, Any] = {"training_type": "practical_technology", "occupation": None, "level": ""}
    b = world.open_class(
        **course, title="牛羊养殖", class_hours=60, starts_on=date(2025, 12, 1), ends_on=date(2026, 1, 20)
    )
    for enrolment in enrol(world, b, 0, 5):
        result(world, enrolment, 60)
    enrolments.submit_class(world.act("base_clerk"), b)
    world.issue(b)
    c = world.open_class(title="丙班", starts_on=date(2026, 1, 5), ends_on=date(2026, 2, 13))
    for enrolment in enrol(world, c, 0, 1, 2):
        result(world, enrolment, 120)
    enrolments.submit_class(world.act("base_clerk"), c)
    world.issue(c)
    d = world.open_class(title="丁班", starts_on=date(2025, 11, 10), ends_on=date(2025, 12, 12))
    enrol(world, d, 1)
    world.on(2026, 2, 2)
    return {"A": a, "B": b, "C": c, "D": d}


def plan(world: World, persons: int = 8, year: int = 2025, base: Base | None = None) -> None:
    """The county's target for a year."""
    evaluation.set_plan(world.act("county_officer"), base or world.base, year, persons)


def in_state(world: World, state: str, year: int = 2025, **changes: float) -> Evaluation:
    """An evaluation taken to a state on Monday 12 January of the next year; final a week and a day later."""
    monday, later = (year + 1, *MONDAY[1:]), (year + 1, 1, 20)
    found = evaluation.open_evaluation(act_on(world, "county_officer", monday), world.base, year)
    if state == "open":
        return found
    if evaluation.plan_of(world.base, year) is None:
        plan(world, year=year)
    evaluation.score(act_on(world, "county_officer", monday), found, sheet(**changes))
    if state == "scored":
        return found
    evaluation.propose(act_on(world, "county_officer", monday), found, "初步意见")
    if state == "proposed":
        return found
    if state == "commented":
        evaluation.comment(act_on(world, "base_clerk", monday), found, "无异议", agrees=True)
        return found
    evaluation.finalise(act_on(world, "city_officer", later), found)
    if state == "overturned":
        evaluation.overturn(act_on(world, "second_city_officer", later), found, "excellent", "复核")
    return Evaluation.get_by_id(found.id)
