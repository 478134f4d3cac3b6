"""Changes of a running class (开班变更): reported by the base with a reason, decided by its county.

A report brings new dates, a new timetable, or both; it changes nothing before the county accepts it. One
report of a class waits at a time. What became impossible since the report is refused with the same
sentences as a timetable. Who leaves a class is told by its own withdrawal, and listed beside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from uuid import UUID

from peewee import CharField, DateField, ForeignKeyField, JSONField, TextField

from skills_registry.bases import hold_base, require_listed
from skills_registry.bases.parties import require_own_base
from skills_registry.foundation import workdays
from skills_registry.foundation.acts import SHANGHAI, Act, Role
from skills_registry.foundation.dues import Due
from skills_registry.foundation.errors import FieldRefused, RuleBroken
from skills_registry.foundation.lifecycle import Lifecycle, Move, Step, begin, move, note, steps_of
from skills_registry.foundation.policy import Policy
from skills_registry.foundation.problems import Problem
from skills_registry.foundation.storage import InstantField, Record, database
from skills_registry.training import attendance, timetable
from skills_registry.training.assessments import Assessment, standing
from skills_registry.training.classes import (
    TRAINING_CLASS,
    TrainingClass,
    hold,
    require_took_no_part,
    require_with_base,
    told,
)
from skills_registry.training.enrolments import Enrolment
from skills_registry.training.timetable import Session, as_planned, sessions_of
from skills_registry.training.timetable_rules import Finding, PlannedSession
from skills_registry.training.timetable_sheets import as_values, planned_of

_CLERK: frozenset[Role] = frozenset({"base_clerk"})
_COUNTY: frozenset[Role] = frozenset({"county_officer"})

CLASS_CHANGE = Lifecycle(
    noun="class_change",
    zh="开班变更",
    states={
        "reported": ("已报告待决定", "reported, awaiting the county"),
        "accepted": ("已同意", "accepted"),
        "refused": ("不予同意", "refused"),
        "withdrawn": ("已撤回", "withdrawn"),
    },
    moves=(
        Move("accept", "reported", "accepted", _COUNTY),
        Move("refuse", "reported", "refused", _COUNTY),
        Move("withdraw", "reported", "withdrawn", _CLERK),
    ),
)

CHANGE_KINDS: dict[str, tuple[str, str]] = {
    "sessions": ("课程表", "timetable"),
    "dates": ("班期", "dates"),
}


class ClassChange(Record):
    """One reported change; ``sessions`` is the whole timetable that is to hold, ids and texts, or null.

    Of kind ``dates`` it also brings the first and last day that the class is to have.
    """

    training_class = ForeignKeyField(TrainingClass, backref="changes", on_delete="RESTRICT")
    kind = CharField(max_length=10)
    starts_on = DateField(null=True)
    ends_on = DateField(null=True)
    sessions = JSONField(null=True)
    reason = TextField()
    status = CharField(max_length=20, default=CLASS_CHANGE.first)
    reported_at = InstantField()
    training_class_id: UUID


# One waiting change per class, held by the database itself.
ClassChange.add_index(
    ClassChange.index(
        ClassChange.training_class,
        unique=True,
        name="class_change_waiting",
        where=ClassChange.status == "reported",
    )
)


class ChangeWaiting(RuleBroken):
    """The county has not decided about the last one."""

    code = "change_waiting"
    zh = "本班还有一项变更等待县（区）残联决定，请等决定作出，或先撤回再重新报告。"
    en = "Another change of this class awaits the county; wait for its decision, or withdraw it first."


class NothingChanges(FieldRefused):
    """The report brings what holds already."""

    code = "nothing_changes"
    zh = "报告的日期和课程表与现在的相同，没有需要变更的内容。"
    en = "The dates and the timetable are those that hold already; there is nothing to change."


class SittingBeforeStart(RuleBroken):
    """Facts: ``sitting``, ``held_on``, ``starts_on``."""

    code = "sitting_before_start"
    zh = "第{sitting}次考核在{held_on}，早于新的开班日期{starts_on}：已安排的请先改期，已考核的不能再推迟开班。"
    en = "Sitting {sitting} is on {held_on}, before the new first day {starts_on}: move a planned one first."


def report(
    act: Act,
    training_class: TrainingClass,
    *,
    reason: str,
    rows: Sequence[tuple[int, PlannedSession]] | None = None,
    starts_on: date | None = None,
    ends_on: date | None = None,
) -> tuple[ClassChange, list[Finding]]:
    """The base reports a change of a class that runs; returns it with what the county should look at.

    ``rows`` are the whole new timetable; without them the present one must fit the new dates.

    :raises NotAllowed: the caller is no clerk of the base.
    :raises ClassClosed: the class is not open, or is submitted.
    :raises FieldRefused: the dates run backwards.
    :raises NothingChanges: dates and timetable are those that hold.
    :raises NotListed: the base is not listed on the new first day.
    :raises SittingBeforeStart: an assessment would lie before the new first day.
    :raises TimetableRefused: the findings say which session cannot be so, and why.
    :raises SessionHeld: a session with attendance would not stay as it is.
    :raises ChangeWaiting: another change awaits the county.
    """
    require_own_base(act, training_class.base)
    require_with_base(training_class)
    first, last = starts_on or training_class.starts_on, ends_on or training_class.ends_on
    _require_changes(training_class, rows, first, last)
    moves_dates = (first, last) != (training_class.starts_on, training_class.ends_on)
    with database.atomic():
        hold_base(training_class.base)
        hold(training_class)
        if waiting_of(training_class) is not None:
            raise ChangeWaiting()
        findings = _judged(act, training_class, rows, first, last)
        change = ClassChange.create(
            training_class=training_class,
            kind="dates" if moves_dates else "sessions",
            starts_on=first if moves_dates else None,
            ends_on=last if moves_dates else None,
            sessions=None if rows is None else [as_values(session) for _, session in rows],
            reason=reason,
            reported_at=act.at,
        )
        doubts = _late(act, training_class, rows, first, last)
        begin(act, CLASS_CHANGE, change, "report", detail=told(doubts))
        detail = {"change": str(change.id)}
        note(act, TRAINING_CLASS.noun, training_class.id, "report_change", reason=reason, detail=detail)
    return change, [*findings, *((0, doubt) for doubt in doubts)]


def _require_changes(
    training_class: TrainingClass,
    rows: Sequence[tuple[int, PlannedSession]] | None,
    first: date,
    last: date,
) -> None:
    if last < first:
        raise FieldRefused(field="ends_on")
    present = {as_planned(session) for session in sessions_of(training_class)}
    same = rows is None or {session for _, session in rows} == present
    if same and (first, last) == (training_class.starts_on, training_class.ends_on):
        raise NothingChanges(field="sessions")


def _judged(
    act: Act,
    training_class: TrainingClass,
    rows: Sequence[tuple[int, PlannedSession]] | None,
    first: date,
    last: date,
) -> list[Finding]:
    if first != training_class.starts_on:
        require_listed(training_class.base, first)
        _require_sittings_from(training_class, first)
    if rows is None:
        rows = timetable.numbered([as_planned(session) for session in sessions_of(training_class)])
    findings = timetable.check(act, training_class, rows, starts_on=first, ends_on=last)
    timetable.require_sound(findings)
    timetable.require_keeps(_held(training_class), [session for _, session in rows])
    return findings


def _require_sittings_from(training_class: TrainingClass, first: date) -> None:
    early = standing(training_class).where(Assessment.held_on < first).order_by(Assessment.sitting).first()
    if early is not None:
        raise SittingBeforeStart(sitting=early.sitting, held_on=early.held_on.isoformat(), starts_on=first)


def _held(training_class: TrainingClass) -> list[Session]:
    """Sessions that are history: closed, or with attendance on record."""
    present = sessions_of(training_class)
    recorded = attendance.recorded_in(present)
    return [session for session in present if session.status == "closed" or session.id in recorded]


def _late(
    act: Act,
    training_class: TrainingClass,
    rows: Sequence[tuple[int, PlannedSession]] | None,
    first: date,
    last: date,
) -> list[Problem]:
    """A change is reported before the first day that it touches (须事先报告)."""
    days = [day for day in (first, training_class.starts_on) if first != training_class.starts_on]
    days += [day for day in (last, training_class.ends_on) if last != training_class.ends_on]
    if rows is not None:
        present = {as_planned(session) for session in sessions_of(training_class)}
        days += [session.on for session in present ^ {session for _, session in rows}]
    if act.today < min(days):
        return []
    return [Problem("change_reported_late", "sessions", {"day": min(days).isoformat()})]


def accept(act: Act, change: ClassChange, reason: str = "") -> ClassChange:
    """The county accepts a change: dates and timetable of the class are the new ones from here on.

    :raises SeparationOfDuties: the caller worked on the class for the base.
    :raises WrongState: it does not await a decision.
    :raises ClassClosed: the class is no longer with the base.
    :raises SittingBeforeStart, TimetableRefused: since the report it has become impossible.
    :raises SessionHeld: a session that it would change has attendance by now.
    """
    training_class = change.training_class
    require_took_no_part(act, training_class)
    rows = None if change.sessions is None else timetable.numbered([planned_of(v) for v in change.sessions])
    first, last = change.starts_on or training_class.starts_on, change.ends_on or training_class.ends_on
    with database.atomic():
        move(act, CLASS_CHANGE, change, "accept", reason=reason)
        require_with_base(training_class)
        hold_base(training_class.base)
        hold(training_class)
        _judged(act, training_class, rows, first, last)
        _move_dates(act, change, first, last)
        if rows is not None:
            timetable.renew(act, training_class, [session for _, session in rows], reason=change.reason)
    return change


def _move_dates(act: Act, change: ClassChange, first: date, last: date) -> None:
    training_class = change.training_class
    if change.kind != "dates":
        return
    days = {
        "change": str(change.id),
        "from": [training_class.starts_on.isoformat(), training_class.ends_on.isoformat()],
        "to": [first.isoformat(), last.isoformat()],
    }
    training_class.starts_on, training_class.ends_on = first, last
    training_class.save(only=[TrainingClass.starts_on, TrainingClass.ends_on])
    note(act, TRAINING_CLASS.noun, training_class.id, "move_dates", reason=change.reason, detail=days)


def refuse(act: Act, change: ClassChange, reason: str) -> ClassChange:
    """The county refuses a change; the class goes on as it was.

    :raises SeparationOfDuties: the caller worked on the class for the base.
    :raises WrongState: it does not await a decision.
    """
    require_took_no_part(act, change.training_class)
    with database.atomic():
        move(act, CLASS_CHANGE, change, "refuse", reason=reason)
    return change


def withdraw(act: Act, change: ClassChange, reason: str) -> ClassChange:
    """The base takes its report back before it is decided.

    :raises NotAllowed: the caller is no clerk of the base.
    :raises WrongState: it does not await a decision.
    """
    require_own_base(act, change.training_class.base)
    with database.atomic():
        move(act, CLASS_CHANGE, change, "withdraw", reason=reason)
    return change


def changes_of(training_class: TrainingClass) -> list[ClassChange]:
    """The changes that were reported of a class, the oldest first."""
    return list(
        ClassChange.select().where(ClassChange.training_class == training_class.id).order_by(ClassChange.id)
    )


def dropped_by(change: ClassChange) -> list[Session]:
    """The sessions of the present timetable that a waiting change would leave out."""
    if change.sessions is None or change.status != "reported":
        return []
    wanted = {planned_of(values) for values in change.sessions}
    return [session for session in sessions_of(change.training_class) if as_planned(session) not in wanted]


def waiting_of(training_class: TrainingClass) -> ClassChange | None:
    """The change of a class that awaits the county, or None."""
    return ClassChange.get_or_none(
        (ClassChange.training_class == training_class.id) & (ClassChange.status == "reported")
    )


def doubts_about(change: ClassChange) -> list[Problem]:
    """What was doubtful about a change when it was reported."""
    first = next(steps_of(change.id))
    return [Problem(d["code"], d["field"], d["facts"]) for d in first.detail.get("doubts", ())]


def withdrawals_of(training_class: TrainingClass) -> list[tuple[Enrolment, Step]]:
    """Who left the class, with the step that says when and why, the first to leave first."""
    left = {
        enrolment.id: enrolment
        for enrolment in Enrolment.select().where(
            (Enrolment.training_class == training_class.id) & (Enrolment.status == "withdrawn")
        )
    }
    steps = (
        Step.select().where(Step.record_id.in_(list(left)) & (Step.action == "withdraw")).order_by(Step.id)
    )
    last = {step.record_id: step for step in steps}
    return [(left[key], step) for key, step in sorted(last.items(), key=lambda item: item[1].id)]


def deadlines(policy: Policy, known: Iterable[UUID]) -> Iterator[Due]:
    """The decisions about reported changes that counties owe."""
    waiting = (
        ClassChange.select(ClassChange, TrainingClass)
        .join(TrainingClass)
        .where((ClassChange.status == "reported") & TrainingClass.base.in_(list(known)))
    )
    for change in waiting.order_by(ClassChange.id):
        day = change.reported_at.astimezone(SHANGHAI).date()
        days = policy.rule("class_opening", day)["change_review_working_days"]
        words = ("决定开班变更", "decide about a reported change of a class")
        last = workdays.after(day, days, policy)
        yield Due("class_change", *words, change.id, change.training_class.base_id, last, ("county_officer",))
