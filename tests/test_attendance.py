"""Attendance: a mark for everybody before a session closes, a reason for every correction after, hours from marks."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from peewee import IntegrityError

from skills_registry import documents
from skills_registry.bases.parties import OwnBase
from skills_registry.certification.certificates import Certificate
from skills_registry.foundation.errors import FieldRefused, NotAllowed, WrongState
from skills_registry.foundation.lifecycle import Step, steps_of
from skills_registry.foundation.storage import database
from skills_registry.training import (
    attendance,
    attendance_doubts,
    attended_hours,
    classes,
    closing,
    enrolments,
    opening,
)
from skills_registry.training.attendance import (
    MARKS,
    Attendance,
    Marked,
    MarksMissing,
    NotInClass,
    SessionNotBegun,
    SessionNotClosed,
    SessionNotOpen,
)
from skills_registry.training.attended_hours import HoursDisagree
from skills_registry.training.classes import ClassClosed, TrainingClass
from skills_registry.training.enrolments import NobodyEnrolled
from skills_registry.training.timetable import SESSION, Session, sessions_of
from tests.attending import at, attended_class, closed, large_class, mark
from tests.test_admission import at_once
from tests.timetables import mornings, moved, planned, taught_class
from tests.world import World


def kept() -> tuple[int, int]:
    """How much is on record: marks and steps."""
    return Attendance.select().count(), Step.select().count()


# ---------------------------------------------------------------- recording


def test_a_mark_tells_what_how_when_and_by_which_device(world: World) -> None:
    _, (first, *_), (li, ma, ye) = attended_class(world)
    marks = [
        Marked(li.id, "present", "device", at(first, 8, 21), "前台打卡机"),
        Marked(ma.id, "leave", "teacher"),
        Marked(ye.id, "absent"),
    ]
    attendance.record(world.act("base_clerk"), first, marks)
    told = attendance.marks_of(first)
    assert [(told[m.enrolment_id].mark, told[m.enrolment_id].means) for m in marks] == [
        ("present", "device"), ("leave", "teacher"), ("absent", "paper"),
    ]  # fmt: skip
    assert (told[li.id].marked_at, told[li.id].device) == (at(first, 8, 21), "前台打卡机")
    assert told[li.id].recorded_at == world.now


def test_before_closing_another_mark_replaces_and_the_old_one_stays(world: World) -> None:
    _, (first, *_), (li, *_) = attended_class(world)
    act = world.act("base_clerk")
    for what in ("absent", "present"):
        attendance.record(act, first, [Marked(li.id, what)])
    assert [(row.mark, row.current) for row in attendance.history_of(first, li)] == [
        ("absent", False), ("present", True),
    ]  # fmt: skip
    before = kept()
    attendance.record(act, first, [Marked(li.id, "present")])
    assert kept() == before


def test_marks_are_recorded_all_or_none(small_world: World) -> None:
    _, (first, *_), trainees = attended_class(small_world)
    stranger = small_world.enrol(small_world.open_class(title="另一个班"), 4)[3]
    enrolments.withdraw(small_world.act("base_clerk"), trainees[2], "外出务工")
    before = kept()
    for outsider in (stranger, trainees[2]):
        with pytest.raises(NotInClass):
            mark(small_world.act("base_clerk"), first, [trainees[0], outsider], "present")
    assert kept() == before


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown mark": ({"mark": "late"}, "mark"),
    "unknown means": ({"means": "hearsay"}, "means"),
    "a mark from the future": ({"marked_at": "later"}, "marked_at"),
}


@pytest.mark.parametrize(("changes", "field"), WRONG.values(), ids=WRONG.keys())
def test_a_mark_that_cannot_be_is_refused(small_world: World, changes: dict[str, Any], field: str) -> None:
    _, (first, *_), (li, *_) = attended_class(small_world)
    if "marked_at" in changes:
        changes = {"marked_at": small_world.now + timedelta(minutes=1)}
    with pytest.raises(FieldRefused) as refusal:
        attendance.record(
            small_world.act("base_clerk"), first, [replace(Marked(li.id, "present"), **changes)]
        )
    assert refusal.value.facts["field"] == field
    assert Attendance.select().count() == 0


def test_no_marks_or_two_for_one_trainee_are_refused(small_world: World) -> None:
    _, (first, *_), (li, *_) = attended_class(small_world)
    for marks in ([], [Marked(li.id, "present"), Marked(li.id, "absent")]):
        with pytest.raises(FieldRefused):
            attendance.record(small_world.act("base_clerk"), first, marks)
    assert Attendance.select().count() == 0


def test_nothing_is_recorded_or_closed_before_the_sessions_day(small_world: World) -> None:
    _, sessions, trainees = attended_class(small_world)
    monday, act = sessions[5], small_world.act("base_clerk")
    assert monday.on > act.today
    with pytest.raises(SessionNotBegun):
        mark(act, monday, trainees, "present")
    with pytest.raises(SessionNotBegun):
        attendance.close_session(act, monday)
    mark(small_world.on(2025, 3, 10).act("base_clerk"), monday, trainees, "present")
    assert len(attendance.marks_of(monday)) == 3


def test_the_database_itself_holds_one_current_mark_for_each_trainee_and_session(world: World) -> None:
    _, (first, *_), (li, *_) = attended_class(world)
    mark(world.act("base_clerk"), first, [li], "present")
    with pytest.raises(IntegrityError), database.atomic():
        Attendance.create(session=first, enrolment=li, mark="absent", means="paper", recorded_at=world.now)
    assert attendance.marks_of(first)[li.id].mark == "present"


def test_two_clerks_who_mark_at_one_moment_leave_one_mark(world: World) -> None:
    _, (first, *_), (li, *_) = attended_class(world)
    refusals = at_once(
        lambda: attendance.record(world.act("base_clerk"), first, [Marked(li.id, "present")]),
        lambda: attendance.record(world.act("second_clerk"), first, [Marked(li.id, "absent")]),
    )
    assert refusals == []
    assert [row.current for row in attendance.history_of(first, li)] == [False, True]


# ---------------------------------------------------------------- closing


def test_a_session_closes_only_when_everybody_has_a_mark(world: World) -> None:
    _, (first, *_), (li, ma, _) = attended_class(world)
    act = world.act("base_clerk")
    mark(act, first, [li, ma], "present")
    before = kept()
    with pytest.raises(MarksMissing) as refusal:
        attendance.close_session(act, first)
    assert refusal.value.facts == {"count": 1, "rows": "4"}
    assert (Session.get_by_id(first.id).status, kept()) == ("planned", before)


def test_who_has_left_the_class_needs_no_mark(small_world: World) -> None:
    _, (first, *_), (li, ma, ye) = attended_class(small_world)
    enrolments.withdraw(small_world.act("base_clerk"), ye, "外出务工")
    assert closed(small_world.act("base_clerk"), first, [li, ma], "present").status == "closed"


def test_a_session_of_an_empty_class_does_not_close(small_world: World) -> None:
    training_class, _ = taught_class(small_world)
    with pytest.raises(NobodyEnrolled):
        attendance.close_session(small_world.on(2025, 3, 7).act("base_clerk"), sessions_of(training_class)[0])


def test_a_closing_at_the_moment_of_another_mark_loses_neither(world: World) -> None:
    _, (first, *_), trainees = attended_class(world)
    mark(world.act("base_clerk"), first, trainees, "present")
    refusals = at_once(
        lambda: attendance.close_session(world.act("base_clerk"), Session.get_by_id(first.id)),
        lambda: attendance.record(world.act("second_clerk"), first, [Marked(trainees[0].id, "absent")]),
    )
    assert Session.get_by_id(first.id).status == "closed"
    last = attendance.marks_of(first)[trainees[0].id].mark
    assert last == ("present" if refusals else "absent")
    assert {type(refusal) for refusal in refusals} <= {SessionNotOpen}


# ---------------------------------------------------------------- correcting


def test_a_correction_keeps_old_and_new_value_who_and_why(world: World) -> None:
    _, (first, *_), trainees = attended_class(world)
    closed(world.act("base_clerk"), first, trainees, "present", "absent", "present")
    officer = world.act("county_officer")
    attendance.correct(officer, first, Marked(trainees[1].id, "leave", "teacher"), "有病假条，登记时漏看")
    (step,) = attendance.corrections_of(first)
    old, new = attendance.history_of(first, trainees[1])
    assert (old.mark, old.current, new.mark, new.current) == ("absent", False, "leave", True)
    assert step.detail == {
        "enrolment": str(trainees[1].id),
        "from": "absent",
        "to": "leave",
        "replaced": str(old.id),
        "attendance": str(new.id),
    }
    assert (step.reason, step.by_account, step.at) == (
        "有病假条，登记时漏看",
        officer.by.account_id,
        world.now,
    )
    assert Session.get_by_id(first.id).status == "closed"


def test_somebody_who_came_late_into_the_class_gets_a_mark_by_correction(small_world: World) -> None:
    training_class, (first, *_), trainees = attended_class(small_world)
    closed(small_world.act("base_clerk"), first, trainees, "present")
    newcomer = small_world.enrol(training_class, 4)[3]
    attendance.correct(
        small_world.act("base_clerk"), first, Marked(newcomer.id, "present"), "当天到课，后补报名"
    )
    (step,) = attendance.corrections_of(first)
    assert (step.detail["from"], step.detail["to"]) == (None, "present")


def test_a_correction_needs_a_reason_and_changes_something(small_world: World) -> None:
    _, (first, *_), trainees = attended_class(small_world)
    act = small_world.act("base_clerk")
    closed(act, first, trainees, "present")
    before = kept()
    with pytest.raises(FieldRefused):
        attendance.correct(act, first, Marked(trainees[0].id, "absent"), "  ")
    assert attendance.correct(act, first, Marked(trainees[0].id, "present"), "再次确认").mark == "present"
    assert kept() == before


def test_an_officer_who_worked_for_the_base_corrects_nothing(small_world: World) -> None:
    _, (first, *_), trainees = attended_class(small_world)
    closed(small_world.act("base_clerk"), first, trainees, "present")
    clerk = small_world.accounts["base_clerk"]
    county = small_world.accounts["county_officer"].organisation
    small_world.hire("turncoat", county, "county_officer", operator=clerk.operator)
    with pytest.raises(OwnBase):
        attendance.correct(small_world.act("turncoat"), first, Marked(trainees[0].id, "absent"), "核实")
    assert attendance.marks_of(first)[trainees[0].id].mark == "present"


# ---------------------------------------------------------------- forbidden moves

ROLES = ("base_clerk", "sibling_clerk", "county_officer", "city_officer", "auditor", "admin")
VERBS: dict[str, Callable[..., Any]] = {
    "record": lambda act, session, one: attendance.record(act, session, [Marked(one.id, "absent")]),
    "close": lambda act, session, _: attendance.close_session(act, session),
    "correct": lambda act, session, one: attendance.correct(act, session, Marked(one.id, "absent"), "理由"),
}

#: What may be done to a session of a running class, by whom; everything else is refused.
PERMITTED = {
    ("planned", "record", "base_clerk"),
    ("planned", "close", "base_clerk"),
    ("closed", "correct", "base_clerk"),
    ("closed", "correct", "county_officer"),
}

#: Until when a closed session is corrected, by whom.
CORRECTED = {
    *itertools.product(("open", "returned"), ("base_clerk", "county_officer")),
    ("submitted", "county_officer"),
}


def session_in(world: World, state: str) -> tuple[Session, list[enrolments.Enrolment]]:
    """A past session in that state, everybody marked as present unless it was dropped."""
    if state == "dropped":
        filed = world.on(2025, 2, 10).filed_class()
        planned(world, filed, mornings())
        gone = sessions_of(filed)[0]
        planned(world, filed, moved(mornings(), 0, content="改为第二讲"))
        trainees = world.enrol(opening.open_class(world.act("county_officer"), filed))
        world.on(2025, 3, 7)
        return Session.get_by_id(gone.id), trainees
    _, (first, *_), trainees = attended_class(world.on(2025, 2, 10))
    mark(world.act("base_clerk"), first, trainees, "present")
    return (
        attendance.close_session(world.act("base_clerk"), first) if state == "closed" else first
    ), trainees


def with_sibling(world: World) -> World:
    """The clerk of another base of the same county."""
    world.hire("sibling_clerk", world.listed_base("乐都区邻家学校", 2).organisation, "base_clerk")
    return world


@pytest.mark.parametrize("state", SESSION.states)
def test_every_act_on_a_session_outside_the_table_is_refused_and_changes_nothing(
    small_world: World, state: str
) -> None:
    with_sibling(small_world)
    made = set()
    for verb, role in itertools.product(VERBS, ROLES):
        with database.atomic() as undone:
            session, trainees = session_in(small_world, state)
            before = (Session.get_by_id(session.id).status, *kept())
            if (state, verb, role) in PERMITTED:
                VERBS[verb](small_world.act(role), session, trainees[0])
                made.add((state, verb, role))
            else:
                with pytest.raises((NotAllowed, WrongState, SessionNotOpen, SessionNotClosed)):
                    VERBS[verb](small_world.act(role), session, trainees[0])
                assert (Session.get_by_id(session.id).status, *kept()) == before
            undone.rollback()
    assert made == {permitted for permitted in PERMITTED if permitted[0] == state}


def class_in(world: World, state: str) -> TrainingClass:
    """A class in that state, whose first session is closed (and planned in a class that was only filed)."""
    if state == "filed":
        filed = world.filed_class()
        planned(world, filed, mornings())
        return filed
    training_class, (first, *_), trainees = attended_class(world, people=1)
    closed(world.act("base_clerk"), first, trainees, "present")
    if state == "cancelled":
        enrolments.withdraw(world.act("base_clerk"), trainees[0], "外出务工")
        return closing.dissolve_class(world.act("county_officer"), training_class, "无人参训")
    if state != "open":
        world.grade(trainees[0])
        opening.submit_class(world.act("base_clerk"), training_class)
    if state == "returned":
        classes.return_class(world.act("city_officer"), training_class, "补正")
    if state == "approved":
        world.issue(training_class)
    return TrainingClass.get_by_id(training_class.id)


@pytest.mark.parametrize("state", ["filed", "open", "submitted", "returned", "approved", "cancelled"])
def test_attendance_is_only_touched_while_the_class_runs(small_world: World, state: str) -> None:
    training_class = class_in(small_world, state)
    first, second, *_ = sessions_of(training_class)
    someone = enrolments.Enrolment.get_or_none(enrolments.Enrolment.training_class == training_class.id)
    one = Marked(someone.id if someone else uuid4(), "absent")
    clerk = small_world.on(2025, 3, 7).act("base_clerk")
    before = kept()
    if state in ("open", "returned"):
        attendance.record(clerk, second, [one])
        attendance.close_session(clerk, second)
        assert Session.get_by_id(second.id).status == "closed"
    else:
        for verb in (
            lambda: attendance.record(clerk, second, [one]),
            lambda: attendance.close_session(clerk, second),
        ):
            with pytest.raises(ClassClosed):
                verb()
        assert kept() == before
    for role in ("base_clerk", "county_officer"):
        with database.atomic() as undone:
            correct = lambda r=role: attendance.correct(small_world.act(r), first, one, "核实")  # noqa: E731
            if (state, role) in CORRECTED:
                assert correct().mark == "absent"
            else:
                with pytest.raises(ClassClosed):
                    correct()
            undone.rollback()


# ---------------------------------------------------------------- hours


def test_hours_are_counted_from_presence_alone(world: World) -> None:
    training_class, (monday, tuesday, *_), trainees = attended_class(world)
    assert attendance.hours_attended(training_class) is None
    act = world.act("base_clerk")
    mark(act, monday, trainees, "present", "leave", "absent")
    mark(act, tuesday, trainees[:2], "present")
    li, ma, ye = (trainee.id for trainee in trainees)
    assert attendance.hours_attended(training_class) == {li: Decimal(8), ma: Decimal(4), ye: Decimal(0)}
    tally = attendance.tallies(training_class)[1]
    assert tally.marks == {"present": 1, "leave": 1, "absent": 0}
    assert not attendance.complete(training_class)


def test_attendance_is_complete_when_every_session_of_the_timetable_is_closed(small_world: World) -> None:
    training_class, trainees = large_class(small_world, people=2, sessions=3)
    assert [s.id for s in attendance.open_sessions(small_world.act("base_clerk"), training_class)] == [
        s.id for s in sessions_of(training_class)
    ]
    for session in sessions_of(training_class):
        assert not attendance.complete(training_class)
        closed(small_world.act("base_clerk"), session, trainees, "present")
    assert attendance.complete(training_class)
    assert attendance.open_sessions(small_world.act("base_clerk"), training_class) == []
    assert not attendance.complete(small_world.open_class(title="没有课程表的班"))


def test_a_session_with_marks_is_named_as_one_that_a_new_timetable_must_keep(small_world: World) -> None:
    _, sessions, trainees = attended_class(small_world)
    mark(small_world.act("base_clerk"), sessions[1], trainees, "absent")
    assert attendance.recorded_in(sessions) == {sessions[1].id}


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    told=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.sampled_from(list(MARKS))), max_size=25)
)
def test_hours_are_those_of_the_last_marks_and_no_mark_is_ever_lost(
    world_of_attendance: tuple[World, TrainingClass, list[Session], list[enrolments.Enrolment]],
    told: list[tuple[int, int, str]],
) -> None:
    world, training_class, sessions, trainees = world_of_attendance
    Attendance.delete().execute()
    last: dict[tuple[int, int], str] = {}
    changes = 0
    for place, who, what in told:
        changes += last.get((place, who)) != what
        last[place, who] = what
        attendance.record(world.act("base_clerk"), sessions[place], [Marked(trainees[who].id, what)])
    hours = [
        sum(
            (sessions[p].class_hours for (p, w), what in last.items() if (w, what) == (who, "present")),
            Decimal(0),
        )
        for who in range(3)
    ]
    counted = attendance.hours_attended(training_class)
    assert counted == ({t.id: h for t, h in zip(trainees, hours, strict=True)} if told else None)
    assert Attendance.select().count() == changes


@pytest.fixture
def world_of_attendance(
    small_world: World,
) -> tuple[World, TrainingClass, list[Session], list[enrolments.Enrolment]]:
    return (small_world, *attended_class(small_world))


# ---------------------------------------------------------------- what is missing, what is doubtful


def missing(world: World, training_class: TrainingClass) -> set[str]:
    return {found.code for found in opening.missing(world.act("base_clerk"), training_class)}


def test_sessions_that_are_over_and_not_closed_are_listed_as_missing(small_world: World) -> None:
    training_class, trainees = large_class(small_world, people=1, sessions=1)
    assert "attendance_open" in missing(small_world, training_class)
    closed(small_world.act("base_clerk"), sessions_of(training_class)[0], trainees, "present")
    assert "attendance_open" not in missing(small_world, training_class)


def test_a_result_that_a_correction_has_overtaken_is_listed(small_world: World) -> None:
    training_class, trainees = large_class(small_world, people=1, sessions=1)
    (session,) = sessions_of(training_class)
    closed(small_world.act("base_clerk"), session, trainees, "present")
    enrolments.record_result(
        small_world.act("base_clerk"), trainees[0], hours=Decimal(4), scores={}, outcome="passed"
    )
    assert "hours_differ_from_attendance" not in missing(small_world, training_class)
    attendance.correct(small_world.act("county_officer"), session, Marked(trainees[0].id, "absent"), "核实")
    assert [one.id for one in attended_hours.differing(training_class)] == [trainees[0].id]
    assert "hours_differ_from_attendance" in missing(small_world, training_class)


def graded(world: World, training_class: TrainingClass, hours: int) -> enrolments.Enrolment:
    """The class's only trainee, with a result that claims these hours and passes."""
    (trainee,) = enrolments.roster(training_class)
    scores = {"theory": Decimal(80), "practice": Decimal(80)}
    enrolments.record_result(
        world.act("base_clerk"), trainee, hours=Decimal(hours), scores=scores, outcome="passed"
    )
    return trainee


@pytest.mark.parametrize("close", [True, False], ids=["closed", "left open"])
def test_results_sent_before_the_attendance_are_held_to_it_at_the_submission(
    small_world: World,
    close: bool,
) -> None:
    training_class, trainees = large_class(small_world, people=1, sessions=2)
    trainee = graded(small_world, training_class, 8)
    for session in sessions_of(training_class):
        (closed if close else mark)(small_world.act("base_clerk"), session, trainees, "absent")
    with pytest.raises(HoursDisagree) as refusal:
        opening.submit_class(small_world.act("base_clerk"), training_class)
    assert refusal.value.facts == {"count": 1, "rows": str(trainee.roster_row)}
    assert TrainingClass.get_by_id(training_class.id).status == "open"
    graded(small_world, training_class, 0)
    assert opening.submit_class(small_world.act("base_clerk"), training_class).status == "submitted"


def test_no_certificate_is_issued_on_hours_that_a_correction_took_away_after_the_submission(
    small_world: World,
) -> None:
    training_class, trainees = large_class(small_world, people=1, sessions=1)
    (session,) = sessions_of(training_class)
    closed(small_world.act("base_clerk"), session, trainees, "present")
    graded(small_world, training_class, 4)
    opening.submit_class(small_world.act("base_clerk"), training_class)
    corrected = Session.get_by_id(session.id)
    attendance.correct(small_world.act("county_officer"), corrected, Marked(trainees[0].id, "absent"), "核实")
    with pytest.raises(HoursDisagree):
        small_world.issue(training_class)
    kept = TrainingClass.get_by_id(training_class.id)
    assert (kept.status, Certificate.select().count()) == ("submitted", 0)
    classes.return_class(small_world.act("city_officer"), kept, "考勤与成绩不一致")


def test_a_session_without_a_mark_yet_may_count_or_not(small_world: World) -> None:
    training_class, trainees = large_class(small_world, people=1, sessions=2)
    closed(small_world.act("base_clerk"), sessions_of(training_class)[0], trainees, "present")
    for hours, disagree in ((3, True), (4, False), (8, False), (9, True)):
        graded(small_world, training_class, hours)
        assert bool(attended_hours.differing(training_class)) is disagree


def doubts(world: World, training_class: TrainingClass) -> dict[str, dict[str, Any]]:
    found = attendance_doubts.doubts_about(world.act("county_officer"), training_class)
    assert all(problem.severity == "warning" for problem in found)
    assert all(problem.sentence("zh") and problem.sentence("en") for problem in found)
    return {problem.code: problem.facts for problem in found}


def test_attendance_taken_on_its_day_by_the_teacher_raises_no_doubt(small_world: World) -> None:
    training_class, sessions, trainees = attended_class(small_world)
    assert doubts(small_world, training_class) == {}
    for session in sessions[4:5]:
        mark(small_world.act("base_clerk"), session, trainees, "present", means="teacher")
        attendance.close_session(small_world.act("base_clerk"), session)
    assert doubts(small_world, training_class) == {}


def test_a_day_with_fewer_present_than_the_policy_demands_is_doubtful(small_world: World) -> None:
    training_class, (monday, tuesday, *_), trainees = attended_class(small_world, people=5)
    act = small_world.act("base_clerk")
    closed(act, monday, trainees, *["present"] * 4, "leave")
    assert "day_attendance_low" not in doubts(small_world, training_class)
    closed(act, tuesday, trainees, *["present"] * 3, "leave", "absent")
    facts = {"count": 1, "percent": 80, "days": "2025-03-04"}
    assert doubts(small_world, training_class)["day_attendance_low"] == facts


def clocked_in(world: World, session: Session, trainees: list[enrolments.Enrolment], seconds: int) -> None:
    """Everybody is seen by one device, one after the other."""
    start = at(session, 8, 20)
    marks = [
        Marked(one.id, "present", "device", start + timedelta(seconds=seconds * place), "打卡机1")
        for place, one in enumerate(trainees)
    ]
    attendance.record(world.act("base_clerk"), session, marks)


def test_one_device_that_takes_many_marks_in_a_minute_is_doubtful(small_world: World) -> None:
    training_class, trainees = large_class(small_world, people=10, sessions=2)
    slow, fast = sessions_of(training_class)
    clocked_in(small_world, slow, trainees, 7)
    assert "marks_in_one_minute" not in doubts(small_world, training_class)
    clocked_in(small_world, fast, trainees, 2)
    assert doubts(small_world, training_class)["marks_in_one_minute"] == {"most": 10, "day": "2025-03-04"}


def test_a_device_that_saw_somebody_on_another_day_is_doubtful(small_world: World) -> None:
    training_class, (monday, tuesday, *_), (li, *_) = attended_class(small_world)
    clocked_in(small_world, monday, [li], 1)
    assert "marked_on_another_day" not in doubts(small_world, training_class)
    one = Marked(li.id, "present", "device", at(monday, 8, 20))
    attendance.record(small_world.act("base_clerk"), tuesday, [one])
    assert doubts(small_world, training_class)["marked_on_another_day"] == {"count": 1}


def test_attendance_that_is_first_recorded_long_after_the_session_is_doubtful(small_world: World) -> None:
    training_class, (monday, tuesday, *_), trainees = attended_class(small_world)
    mark(small_world.act("base_clerk"), tuesday, trainees, "present")
    assert "recorded_late" not in doubts(small_world, training_class)
    mark(small_world.act("base_clerk"), monday, trainees, "present")
    assert doubts(small_world, training_class)["recorded_late"] == {"count": 1, "days": 3}
    small_world.on(2025, 3, 20)
    mark(small_world.act("base_clerk"), tuesday, trainees, "absent")
    assert doubts(small_world, training_class)["recorded_late"]["count"] == 1  # the first mark counts


def test_corrections_are_told_to_the_officer(small_world: World) -> None:
    training_class, (first, *_), trainees = attended_class(small_world)
    closed(small_world.act("base_clerk"), first, trainees, "present")
    assert "corrected_after_closing" not in doubts(small_world, training_class)
    for what in ("absent", "leave"):
        attendance.correct(small_world.act("base_clerk"), first, Marked(trainees[0].id, what), "核实")
    assert doubts(small_world, training_class)["corrected_after_closing"] == {"count": 2}


def test_a_paper_session_without_the_scan_of_its_sheet_is_doubtful(small_world: World) -> None:
    training_class, (first, *_), trainees = attended_class(small_world)
    act = small_world.act("base_clerk")
    closed(act, first, trainees, "present")
    assert doubts(small_world, training_class)["scan_missing"] == {"count": 1}
    scan = b"%PDF-1.7\nsigned\n%%EOF"
    documents.keep(act, "session", first.id, "sign_in_sheet", scan, small_world.service.shelf())
    assert "scan_missing" not in doubts(small_world, training_class)


def test_the_classes_own_history_names_everybody_who_had_a_hand_in_its_attendance(small_world: World) -> None:
    training_class, (first, *_), trainees = attended_class(small_world)
    closed(small_world.act("second_clerk"), first, trainees, "present")
    attendance.correct(small_world.act("base_clerk"), first, Marked(trainees[0].id, "absent"), "核实")
    told = [(step.action, step.by_account) for step in steps_of(training_class.id)][-3:]
    second, first_clerk = (small_world.accounts[name].id for name in ("second_clerk", "base_clerk"))
    assert told == [
        ("record_attendance", second), ("close_session", second), ("correct_attendance", first_clerk),
    ]  # fmt: skip


def test_no_step_of_attendance_holds_a_name_or_a_number_of_a_person(small_world: World) -> None:
    _, (first, *_), trainees = attended_class(small_world)
    closed(small_world.act("base_clerk"), first, trainees, "present")
    attendance.correct(small_world.act("base_clerk"), first, Marked(trainees[0].id, "absent"), "核实")
    written = "".join(str(step.detail) for step in steps_of(first.id))
    assert "李晓东" not in written and "632127" not in written
    assert str(trainees[0].id) in written
