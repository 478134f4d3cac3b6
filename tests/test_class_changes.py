"""Changes of a running class: reported with a reason, decided by the county, and nothing changes before."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from peewee import IntegrityError

from skills_registry import deadlines
from skills_registry.bases import NotListed, entries
from skills_registry.foundation.acts import Act
from skills_registry.foundation.errors import (
    FieldRefused,
    NotAllowed,
    RegistryError,
    SeparationOfDuties,
    WrongState,
)
from skills_registry.foundation.lifecycle import Step, steps_of
from skills_registry.training import attendance, changes, enrolments, opening, timetable
from skills_registry.training.assessments import Judge, Plan, call_off, plan_assessment
from skills_registry.training.attendance import Marked
from skills_registry.training.changes import (
    CLASS_CHANGE,
    ChangeWaiting,
    ClassChange,
    NothingChanges,
    SittingBeforeStart,
)
from skills_registry.training.classes import ClassClosed, TrainingClass
from skills_registry.training.timetable import SessionHeld, TimetableRefused
from tests.test_training import ROLES, STATES, in_state
from tests.timetables import FIRST, moved, planned, reported, session, taught_class, teacher
from tests.world import World


def again(change: ClassChange) -> ClassChange:
    found: ClassChange = ClassChange.get_by_id(change.id)
    return found


def starts(training_class: TrainingClass) -> list[str]:
    return [s.starts_at for s in timetable.sessions_of(training_class)]


def test_a_reported_change_changes_nothing_until_the_county_accepts_it(world: World) -> None:
    training_class, sessions = taught_class(world)
    changed = moved(sessions, 4, starts_at="14:00", ends_at="17:30")
    change = reported(world, training_class, changed)
    assert set(starts(training_class)) == {"08:30"}
    assert changes.dropped_by(change)[0].on == sessions[4].on
    changes.accept(world.act("county_officer"), again(change))
    assert starts(training_class)[4] == "14:00"
    newest = timetable.versions_of(training_class)[-1]
    assert (newest.version, newest.reason) == (2, "教师临时有事")
    actions = [step.action for step in steps_of(training_class.id)]
    assert actions == ["file", "set_timetable", "open", "report_change", "set_timetable"]


def test_a_refused_change_and_one_taken_back_leave_the_class_as_it_was(small_world: World) -> None:
    training_class, sessions = taught_class(small_world)
    changed = moved(sessions, 4, content="换一讲")
    refused = reported(small_world, training_class, changed)
    changes.refuse(small_world.act("county_officer"), refused, "请另行安排教师")
    withdrawn = reported(small_world, training_class, changed)
    changes.withdraw(small_world.act("base_clerk"), withdrawn, "教师已能到课")
    assert [again(c).status for c in (refused, withdrawn)] == ["refused", "withdrawn"]
    assert timetable.latest_version(training_class) == 1


def test_new_dates_come_with_a_timetable_that_fits_them(small_world: World) -> None:
    training_class, sessions = taught_class(small_world)
    later = {"starts_on": date(2025, 3, 10), "ends_on": date(2025, 4, 18)}
    clerk = small_world.act("base_clerk")
    with pytest.raises(TimetableRefused) as refusal:
        changes.report(clerk, training_class, reason="场地维修", **later)
    assert {p.code for _, p in refusal.value.findings} == {"session_outside_class"}
    a_week_later = [replace(s, on=s.on + timedelta(7)) for s in sessions]
    rows = timetable.numbered(a_week_later)
    change, _ = changes.report(clerk, training_class, reason="场地维修", rows=rows, **later)
    assert change.kind == "dates"
    changes.accept(small_world.act("county_officer"), change, "同意")
    moved_class = TrainingClass.get_by_id(training_class.id)
    assert (moved_class.starts_on, moved_class.ends_on) == (date(2025, 3, 10), date(2025, 4, 18))
    assert [timetable.as_planned(s) for s in timetable.sessions_of(moved_class)] == a_week_later
    step = next(s for s in steps_of(training_class.id) if s.action == "move_dates")
    assert step.detail["from"] == ["2025-03-03", "2025-04-11"]
    assert step.detail["to"] == ["2025-03-10", "2025-04-18"]


def test_a_class_without_a_timetable_can_move_its_dates_too(small_world: World) -> None:
    training_class = small_world.open_class()
    clerk = small_world.act("base_clerk")
    change, findings = changes.report(clerk, training_class, reason="道路积雪", ends_on=date(2025, 4, 18))
    assert findings == []
    changes.accept(small_world.act("county_officer"), change)
    assert TrainingClass.get_by_id(training_class.id).ends_on == date(2025, 4, 18)


def test_no_class_comes_to_begin_after_an_assessment_of_it(small_world: World) -> None:
    training_class = small_world.open_class()
    clerk = small_world.act("base_clerk")
    judges = [Judge(name="马文礼", organisation="海东市技师学院")]
    plan = Plan(held_on=date(2025, 3, 7), place="主校区考场", examiners=judges)
    sitting, _ = plan_assessment(clerk, training_class, plan)
    with pytest.raises(SittingBeforeStart) as refusal:
        changes.report(clerk, training_class, reason="道路积雪", starts_on=date(2025, 3, 10))
    assert (refusal.value.facts["sitting"], refusal.value.facts["held_on"]) == (1, "2025-03-07")
    assert ClassChange.select().count() == 0
    call_off(clerk, sitting, "改期")
    change, _ = changes.report(clerk, training_class, reason="道路积雪", starts_on=date(2025, 3, 10))
    plan_assessment(clerk, training_class, plan)
    with pytest.raises(SittingBeforeStart):
        changes.accept(small_world.act("county_officer"), change)
    assert TrainingClass.get_by_id(training_class.id).starts_on == date(2025, 3, 3)


def test_a_class_never_begins_on_a_day_on_which_its_base_was_not_listed(small_world: World) -> None:
    training_class = small_world.open_class()
    with pytest.raises(NotListed):
        changes.report(
            small_world.act("base_clerk"), training_class, reason="提前", starts_on=date(2024, 12, 30)
        )
    assert not ClassChange.select().exists()


def test_dates_do_not_run_backwards_and_a_change_changes_something(small_world: World) -> None:
    training_class, sessions = taught_class(small_world)
    clerk = small_world.act("base_clerk")
    for nothing in ({}, {"rows": timetable.numbered(sessions)}, {"starts_on": FIRST}):
        with pytest.raises(NothingChanges):
            changes.report(clerk, training_class, reason="无", **nothing)  # type: ignore[arg-type]
    with pytest.raises(FieldRefused):
        changes.report(clerk, training_class, reason="无", ends_on=date(2025, 3, 2))


def test_one_change_of_a_class_waits_at_a_time(world: World) -> None:
    training_class, sessions = taught_class(world)
    first = reported(world, training_class, moved(sessions, 4, content="甲"))
    with pytest.raises(ChangeWaiting):
        reported(world, training_class, moved(sessions, 5, content="乙"))
    with pytest.raises(IntegrityError):
        ClassChange.create(
            training_class=training_class, kind="sessions", reason="绕过", reported_at=first.reported_at
        )


def test_a_change_that_becomes_impossible_while_it_waits_is_refused_when_it_is_accepted(
    small_world: World,
) -> None:
    training_class, sessions = taught_class(small_world)
    qi = sessions[0].teacher_id
    change = reported(small_world, training_class, moved(sessions, 4, starts_at="14:00", ends_at="17:30"))
    other = small_world.filed_class(title="第二期")
    planned(small_world, other, [session(sessions[4].on, "14:00", "17:30", teacher_id=qi, kind="online")])
    with pytest.raises(TimetableRefused) as refusal:
        changes.accept(small_world.act("county_officer"), again(change))
    assert [(n, p.code) for n, p in refusal.value.findings] == [(5, "teacher_elsewhere")]
    assert again(change).status == "reported"
    assert timetable.latest_version(training_class) == 1


def test_a_session_with_attendance_stays_in_the_timetable_as_it_is(world: World) -> None:
    training_class, sessions = taught_class(world)
    enrolment = world.enrol(training_class, 1)[0]
    world.on(2025, 3, 3)
    first, second = timetable.sessions_of(training_class)[:2]
    attendance.record(world.act("base_clerk"), first, [Marked(enrolment.id, "present")])
    for changed in (moved(sessions, 0, content="换一讲"), sessions[1:]):
        with pytest.raises(SessionHeld):
            reported(world, training_class, changed)
    change = reported(world, training_class, moved(sessions, 1, content="换一讲"))
    world.on(2025, 3, 4)
    attendance.record(world.act("base_clerk"), second, [Marked(enrolment.id, "absent")])
    with pytest.raises(SessionHeld) as refusal:
        changes.accept(world.act("county_officer"), again(change))
    assert refusal.value.facts["on"] == date(2025, 3, 4)
    assert again(change).status == "reported"


def test_a_closed_session_is_not_asked_again_who_stands_on_the_roster(small_world: World) -> None:
    training_class, sessions = taught_class(small_world)
    enrolment = small_world.enrol(training_class, 1)[0]
    small_world.on(2025, 3, 3)
    first = timetable.sessions_of(training_class)[0]
    clerk = small_world.act("base_clerk")
    attendance.record(clerk, first, [Marked(enrolment.id, "present")])
    attendance.close_session(clerk, first)
    dong = teacher(small_world, "东永福")

    entries.take_out(clerk, entries.Teacher.get_by_id(sessions[0].teacher_id))
    taken_over = [sessions[0], *(replace(s, teacher_id=dong.id) for s in sessions[1:])]
    change = reported(small_world, training_class, taken_over)
    changes.accept(small_world.act("county_officer"), change)
    assert timetable.sessions_of(training_class)[0].id == first.id


@pytest.mark.parametrize(("day", "late"), [((2025, 3, 6), False), ((2025, 3, 7), True), ((2025, 3, 8), True)])
def test_a_change_is_late_from_the_day_that_it_concerns(
    small_world: World, day: tuple[int, int, int], late: bool
) -> None:
    training_class, sessions = taught_class(small_world)
    assert sessions[4].on == date(2025, 3, 7)
    small_world.on(*day)
    change = reported(small_world, training_class, moved(sessions, 4, content="换一讲"))
    assert [p.code for p in changes.doubts_about(change)] == ["change_reported_late"] * late


def test_who_worked_on_the_class_for_its_base_does_not_decide_about_its_change(small_world: World) -> None:
    training_class, sessions = taught_class(small_world)
    change = reported(small_world, training_class, moved(sessions, 4, content="换一讲"))
    county = small_world.accounts["county_officer"].organisation
    clerk = small_world.accounts["base_clerk"].operator
    small_world.hire("same_person", county, "county_officer", operator=clerk)
    for decide in (changes.accept, changes.refuse):
        with pytest.raises(SeparationOfDuties):
            decide(small_world.act("same_person"), change, "同意")


def test_the_decision_about_a_change_is_due_and_no_longer_once_it_is_made(small_world: World) -> None:
    training_class, sessions = taught_class(small_world)

    def due() -> dict[str, date]:
        found = deadlines.all_due(small_world.service.policy, small_world.now.date(), [small_world.base.id])
        return {item.kind: item.deadline.day for item in found if item.kind.startswith("class_")}

    assert due() == {}
    change = reported(small_world, training_class, moved(sessions, 4, content="换一讲"))
    assert due() == {"class_change": date(2025, 2, 13)}  # three working days after Monday the 10th
    changes.accept(small_world.act("county_officer"), change)
    assert due() == {}


def test_who_left_the_class_is_listed_with_the_reason_beside_its_changes(small_world: World) -> None:
    training_class = small_world.open_class()
    first, second, _ = small_world.enrol(training_class)
    for enrolment, reason in ((second, "搬家"), (first, "住院")):
        enrolments.withdraw(small_world.act("base_clerk"), enrolment, reason)
    enrolments.rejoin(small_world.act("base_clerk"), first, "出院")
    left = changes.withdrawals_of(training_class)
    assert [(enrolment.id, step.reason) for enrolment, step in left] == [(second.id, "搬家")]


# ---------------------------------------------------------------- forbidden moves

ACTS: dict[str, Callable[[Act, ClassChange], Any]] = {
    "accept": lambda act, change: changes.accept(act, change, "同意"),
    "refuse": lambda act, change: changes.refuse(act, change, "不同意"),
    "withdraw": lambda act, change: changes.withdraw(act, change, "撤回"),
}


def change_in(world: World, state: str) -> ClassChange:
    """A change in this state, of a class of its own."""
    training_class = world.open_class()
    planned_one = [session(class_hours=Decimal(4))]
    change = reported(world, training_class, planned_one)
    if state != "reported":
        action = next(move for move in CLASS_CHANGE.moves if move.to == state)
        ACTS[action.action](world.act(sorted(action.roles)[0]), change)
    return again(change)


@pytest.mark.parametrize("state", CLASS_CHANGE.states)
def test_every_move_of_a_change_outside_the_table_is_refused_and_changes_nothing(
    small_world: World, state: str
) -> None:
    made = 0
    for action, role in itertools.product(ACTS, ROLES):
        change = change_in(small_world, state)
        permitted = CLASS_CHANGE.find(action, state)
        if permitted is not None and role in permitted.roles:
            ACTS[action](small_world.act(role), change)
            assert again(change).status == permitted.to
            made += 1
            continue
        steps = Step.select().count()
        with pytest.raises((WrongState, NotAllowed)):
            ACTS[action](small_world.act(role), change)
        assert (again(change).status, Step.select().count()) == (state, steps)
    assert made == sum(len(move.roles) for move in CLASS_CHANGE.moves if move.origin == state)


@pytest.mark.parametrize("state", STATES)
def test_a_change_is_reported_by_the_bases_own_clerk_and_only_while_the_class_runs(
    small_world: World, state: str
) -> None:
    sibling = small_world.listed_base("乐都区邻家学校", 2)
    small_world.hire("sibling_clerk", sibling.organisation, "base_clerk")
    training_class = in_state(small_world, state)
    for name in (*ROLES, "sibling_clerk"):

        def report(act: Act) -> Any:
            return changes.report(act, training_class, reason="延期", ends_on=date(2025, 4, 18))

        if name == "base_clerk" and state in ("open", "returned"):
            report(small_world.act(name))
            assert changes.waiting_of(training_class) is not None
            continue
        expected: type[RegistryError] = ClassClosed if name == "base_clerk" else NotAllowed
        with pytest.raises(expected):
            report(small_world.act(name))
    assert (changes.waiting_of(training_class) is not None) == (state in ("open", "returned"))


def test_a_change_of_a_class_that_was_submitted_meanwhile_is_not_accepted_but_can_be_refused(
    small_world: World,
) -> None:
    training_class = small_world.open_class()
    change = reported(small_world, training_class, [session()])
    for enrolment in small_world.enrol(training_class, 1):
        small_world.grade(enrolment)
    opening.submit_class(small_world.act("base_clerk"), TrainingClass.get_by_id(training_class.id))
    with pytest.raises(ClassClosed):
        changes.accept(small_world.act("county_officer"), again(change))
    assert again(change).status == "reported"
    changes.refuse(small_world.act("county_officer"), again(change), "班级已提交")
