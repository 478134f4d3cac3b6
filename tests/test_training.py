"""The rules of classes: who files, opens, submits and returns; what warns and what refuses."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any

import pytest

from skills_registry.bases import NotListed, OccupationOutOfScope
from skills_registry.foundation.errors import FieldRefused, NotAllowed, RegistryError, WrongState
from skills_registry.foundation.lifecycle import Step, steps_of
from skills_registry.training import classes, enrolments, filing, opening
from skills_registry.training.classes import TRAINING_CLASS, ClassClosed, TrainingClass
from skills_registry.training.enrolments import (
    AlreadyIssued,
    Enrolment,
    NobodyEnrolled,
    Result,
    ResultsMissing,
)
from skills_registry.training.filing import OccupationMissing
from tests.world import World, massage_class


def filed(world: World, **changes: Any) -> tuple[TrainingClass, set[str]]:
    training_class, warnings = filing.file_class(
        world.act("base_clerk"), world.base, massage_class(**changes)
    )
    return training_class, {warning.code for warning in warnings}


def test_a_listed_base_files_a_class_without_warnings(world: World) -> None:
    training_class, warnings = filed(world)
    assert (training_class.status, training_class.filing_no, warnings) == ("filed", "202500001", set())


def test_a_base_that_is_not_listed_on_the_first_day_files_no_class(world: World) -> None:
    with pytest.raises(NotListed):
        filed(world, starts_on=date(2028, 1, 3), ends_on=date(2028, 2, 3))
    assert TrainingClass.select().count() == 0


def test_an_occupation_outside_the_listed_scope_is_refused(small_world: World) -> None:
    pastry = {"edition": "2015", "code": "4-03-02-02", "name": "中式面点师"}
    with pytest.raises(OccupationOutOfScope):
        filed(small_world, occupation=pastry)
    with pytest.raises(OccupationOutOfScope):
        filed(small_world, level="level4_intermediate")


def test_late_filing_unusual_size_and_identical_filing_warn_and_never_refuse(small_world: World) -> None:
    assert filed(small_world.on(2025, 2, 28), capacity=80)[1] == {"late_filing", "class_size"}
    assert filed(small_world, capacity=80)[1] == {"late_filing", "class_size", "identical_filing"}


def test_filing_ten_working_days_ahead_is_in_time_across_the_spring_festival(small_world: World) -> None:
    # 2025: the Spring Festival lasts from 28 January to 4 February; 26 January and 8 February are moved workdays.
    start = {"starts_on": date(2025, 2, 10), "ends_on": date(2025, 3, 10)}
    assert filed(small_world.on(2025, 1, 21), **start)[1] == set()
    assert filed(small_world.on(2025, 1, 22), **start)[1] == {"late_filing", "identical_filing"}


def test_practical_technology_may_have_a_course_title_in_place_of_an_occupation(small_world: World) -> None:
    no_trade = {"occupation": None, "level": ""}
    course = filed(small_world, training_type="practical_technology", title="牛羊养殖班", **no_trade)[0]
    assert course.subject == "牛羊养殖班"
    with pytest.raises(OccupationMissing):
        filed(small_world, **no_trade)


@pytest.mark.parametrize(
    "changes",
    [{"ends_on": date(2025, 3, 2)}, {"class_hours": 0}, {"capacity": 0}, {"training_type": "dancing"}],
)
def test_a_filing_that_makes_no_sense_is_refused(small_world: World, changes: dict[str, Any]) -> None:
    with pytest.raises(FieldRefused):
        filed(small_world, **changes)


def test_only_the_county_opens_a_class(world: World) -> None:
    training_class = world.filed_class()
    for name in ("base_clerk", "city_officer", "auditor", "admin"):
        with pytest.raises(NotAllowed):
            opening.open_class(world.act(name), training_class)
    assert opening.open_class(world.act("county_officer"), training_class).status == "open"


def test_a_submission_needs_a_result_or_a_withdrawal_for_everyone(world: World) -> None:
    training_class = world.open_class()
    with pytest.raises(NobodyEnrolled):
        enrolments.submit_class(world.act("base_clerk"), training_class)
    training_class = TrainingClass.get_by_id(training_class.id)
    first, second, third = world.enrol(training_class)
    world.grade(first)
    world.grade(second, "failed")
    with pytest.raises(ResultsMissing) as refusal:
        enrolments.submit_class(world.act("base_clerk"), training_class)
    assert refusal.value.facts == {"count": 1, "rows": "4"}
    training_class = TrainingClass.get_by_id(training_class.id)
    assert training_class.status == "open"
    enrolments.withdraw(world.act("base_clerk"), Enrolment.get_by_id(third.id), "因病退班")
    assert enrolments.submit_class(world.act("base_clerk"), training_class).status == "submitted"


def test_a_submitted_class_is_closed_to_the_base_until_it_is_returned(world: World) -> None:
    training_class = world.submitted_class()
    enrolment = Enrolment.get(Enrolment.training_class == training_class.id)
    for refused in (
        lambda: enrolments.withdraw(world.act("base_clerk"), enrolment, "退班"),
        lambda: enrolments.correct_name(world.act("base_clerk"), enrolment, "李晓冬", "笔误"),
    ):
        with pytest.raises(ClassClosed):
            refused()
    classes.return_class(world.act("city_officer"), training_class, "请补材料")
    enrolment = Enrolment.get_by_id(enrolment.id)
    enrolments.correct_name(world.act("base_clerk"), enrolment, "李晓冬", "笔误")
    assert enrolments.name_of(world.service.vault, Enrolment.get_by_id(enrolment.id)) == "李晓冬"


def test_the_county_corrects_a_name_until_approval_and_nobody_after(world: World) -> None:
    training_class = world.submitted_class()
    enrolment = Enrolment.get(Enrolment.training_class == training_class.id)
    enrolments.correct_name(world.act("county_officer"), enrolment, "李晓冬", "笔误")
    world.issue(training_class)
    with pytest.raises(AlreadyIssued):
        enrolments.correct_name(
            world.act("county_officer"), Enrolment.get_by_id(enrolment.id), "李小东", "笔误"
        )


def test_one_person_is_one_record_whichever_class_they_join(world: World) -> None:
    first = world.enrol(world.open_class(), 2)
    second = world.enrol(world.open_class(title="第二期"), 2)
    assert [e.person_id for e in first] == [e.person_id for e in second]
    assert world.enrol(first[0].training_class, 2)[0].id == first[0].id
    assert Enrolment.select().count() == 4


def test_a_later_result_replaces_the_earlier_one_and_leaves_a_step(world: World) -> None:
    enrolment = world.enrol(world.open_class(), 1)[0]
    world.grade(enrolment, "failed")
    world.grade(enrolment, "failed")
    assert Result.select().count() == 1
    world.grade(enrolment, "passed")
    assert [r.outcome for r in Result.select().where(Result.current)] == ["passed"]
    assert Result.select().count() == 2
    assert [s.action for s in steps_of(enrolment.id)] == ["enrol", "record_result", "replace_result"]


ROLES = ("base_clerk", "county_officer", "city_officer", "auditor", "admin")
STATES = ("filed", "open", "submitted", "returned", "approved", "cancelled")
ACTS = {
    "open": opening.open_class,
    "submit": enrolments.submit_class,
    "cancel": lambda act, c: classes.cancel_class(act, c, "理由"),
    "return": lambda act, c: classes.return_class(act, c, "理由"),
}


def in_state(world: World, state: str) -> TrainingClass:
    if state in ("filed", "cancelled"):
        training_class = world.filed_class()
        return (
            training_class
            if state == "filed"
            else classes.cancel_class(world.act("base_clerk"), training_class, "不办了")
        )
    if state == "open":
        training_class = world.open_class()
        for enrolment in world.enrol(training_class, 1):
            world.grade(enrolment)
        return training_class
    training_class = world.submitted_class(people=1)
    if state == "returned":
        return classes.return_class(world.act("city_officer"), training_class, "补正")
    if state == "approved":
        world.issue(training_class)
    return training_class


@pytest.mark.parametrize("state", STATES)
def test_every_move_outside_the_table_is_refused_and_changes_nothing(small_world: World, state: str) -> None:
    made = 0
    for action, role in itertools.product(ACTS, ROLES):
        training_class = in_state(small_world, state)
        before = (training_class.status, Step.select().where(Step.record_id == training_class.id).count())
        permitted = TRAINING_CLASS.find(action, state)
        if permitted is not None and role in permitted.roles:
            ACTS[action](small_world.act(role), training_class)
            made += 1
            assert TrainingClass.get_by_id(training_class.id).status == permitted.to
            continue
        with pytest.raises((WrongState, NotAllowed, RegistryError)):
            ACTS[action](small_world.act(role), training_class)
        steps = Step.select().where(Step.record_id == training_class.id).count()
        assert (TrainingClass.get_by_id(training_class.id).status, steps) == before
    assert made == sum(len(m.roles) for m in TRAINING_CLASS.moves if m.origin == state and m.action in ACTS)
