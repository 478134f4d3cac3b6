"""Timetables (课程表): which session of a class is when, where, about what and with whom; its versions stay.

The base sets the timetable of a class it has filed, as often as it needs; once the class is open, a new
version comes by a reported change that the county accepts. A session (课次) that a later version keeps
unchanged stays the same record, so that attendance hangs on it; one that is left out is dropped, never
deleted; one that is closed stays as it was.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from peewee import JOIN, CharField, DateField, DecimalField, ForeignKeyField, IntegerField, TextField, fn

from skills_registry.bases import hold_base
from skills_registry.bases.entries import Site, Teacher, entries_of, teacher_name
from skills_registry.bases.parties import require_own_base
from skills_registry.foundation.acts import Act, Role
from skills_registry.foundation.errors import InputRefused, RuleBroken
from skills_registry.foundation.lifecycle import Lifecycle, Move, begin, move, note
from skills_registry.foundation.privacy import Vault
from skills_registry.foundation.problems import Problem
from skills_registry.foundation.storage import InstantField, Record, database
from skills_registry.training import timetable_rules as rules
from skills_registry.training.classes import TRAINING_CLASS, TrainingClass, hold, told
from skills_registry.training.timetable_rules import Elsewhere, Finding, PlannedSession

_CLERK: frozenset[Role] = frozenset({"base_clerk"})
_COUNTY: frozenset[Role] = frozenset({"county_officer"})

SESSION = Lifecycle(
    noun="session",
    zh="课次",
    states={
        "planned": ("已排课", "planned"),
        "closed": ("已结束", "closed, its attendance recorded"),
        "dropped": ("已取消", "dropped from the timetable"),
    },
    moves=(
        Move("close", "planned", "closed", _CLERK),
        Move("drop", "planned", "dropped", _CLERK | _COUNTY),
    ),
)

#: The most sessions of one timetable: two a day for a year.
MOST_SESSIONS = 800


class Timetable(Record):
    """One version of a class's timetable, numbered from 1, with the reason why it was made."""

    training_class = ForeignKeyField(TrainingClass, backref="timetables", on_delete="RESTRICT")
    version = IntegerField()
    reason = TextField(default="")
    made_at = InstantField()
    training_class_id: UUID

    class Meta:
        indexes = ((("training_class", "version"), True),)


class Session(Record):
    """One session (课次): ``starts_at`` and ``ends_at`` as "HH:MM" of Haidong, ``class_hours`` of 45 minutes.

    It stands in the versions from ``first_version`` to ``last_version``; null means: still.
    """

    training_class = ForeignKeyField(TrainingClass, backref="sessions", on_delete="RESTRICT")
    on = DateField(index=True)
    starts_at = CharField(max_length=5)
    ends_at = CharField(max_length=5)
    class_hours = DecimalField(max_digits=4, decimal_places=1)
    content = CharField(max_length=200)
    kind = CharField(max_length=10)
    site = ForeignKeyField(Site, null=True, backref="sessions", on_delete="RESTRICT")
    place = CharField(max_length=120, default="")
    teacher = ForeignKeyField(Teacher, null=True, backref="sessions", on_delete="RESTRICT")
    first_version = IntegerField()
    last_version = IntegerField(null=True)
    status = CharField(max_length=20, default=SESSION.first)
    training_class_id: UUID
    site_id: UUID | None
    teacher_id: UUID | None


class TimetableRefused(InputRefused):
    """Some sessions cannot be so; ``findings`` name each row and remedy. Facts: ``count``, ``rows``, ``first_*``."""

    code = "timetable_refused"
    zh = "课程表有{count}处不能成立（第{rows}行）。第一处：{first_zh}请更正后重新提交。"
    en = "{count} things in the timetable cannot be so (row {rows}). The first: {first_en}"

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = list(findings)
        numbers = sorted({number for number, _ in findings})
        first = findings[0][1]
        super().__init__(
            count=len(findings),
            rows="、".join(str(number) for number in numbers[:20]),
            first_zh=first.sentence("zh"),
            first_en=first.sentence("en"),
        )


class TimetableFixed(RuleBroken):
    """The class is not awaiting its opening any more. Facts: ``state_zh``, ``state_en``."""

    code = "timetable_fixed"
    zh = (
        "培训班当前为“{state_zh}”，课程表不能直接修改；开班后的调整请填写变更报告，经县（区）残联同意后生效。"
    )
    en = "The class is '{state_en}': its timetable changes only by a reported change that the county accepts."


class SessionHeld(RuleBroken):
    """Facts: ``on``, ``starts_at``."""

    code = "session_held"
    zh = "{on} {starts_at}的课已登记考勤，须原样保留在课程表中。"
    en = "The session of {on} {starts_at} has attendance on record; it must stay in the timetable as it is."


@dataclass(frozen=True)
class Surroundings:
    """What the records hold around a class: its base's teachers and sites, and its other classes' sessions."""

    people: int
    teachers: frozenset[UUID]
    places: dict[UUID, int] = field(repr=False)
    elsewhere: Mapping[date, Sequence[Elsewhere]] = field(repr=False)

    def beside(self, session: PlannedSession) -> Sequence[Elsewhere]:
        """The sessions of the base's other classes on the day of a session."""
        return self.elsewhere.get(session.on, ())


def require_filed(training_class: TrainingClass) -> None:
    """:raises TimetableFixed: the class does not await its opening."""
    if training_class.status != "filed":
        zh, en = TRAINING_CLASS.states[training_class.status]
        raise TimetableFixed(state_zh=zh, state_en=en)


def check(
    act: Act,
    training_class: TrainingClass,
    rows: Sequence[tuple[int, PlannedSession]],
    *,
    starts_on: date | None = None,
    ends_on: date | None = None,
) -> list[Finding]:
    """All findings of all sessions, errors and warnings, in order; the dates are the class's unless told.

    Closed sessions are history: who taught them and where is judged no more.
    """
    first, last = starts_on or training_class.starts_on, ends_on or training_class.ends_on
    rule = act.policy.rule("timetable", first)
    found = rules.findings(rows, starts_on=first, ends_on=last, rule=rule)
    around = surroundings(training_class, [session.on for _, session in rows])
    over = {as_planned(session) for session in sessions_of(training_class) if session.status == "closed"}
    for number, session in rows:
        if session not in over:
            found += [(number, problem) for problem in against_records(session, around)]
    return sorted(found, key=lambda finding: finding[0])


def against_records(session: PlannedSession, around: Surroundings) -> Iterator[Problem]:
    """What only the records know about a session: its teacher, its place, and who else is there."""
    if session.teacher_id is None:
        yield Problem("teacher_missing", "teacher")
    elif session.teacher_id not in around.teachers:
        yield Problem("teacher_unknown", "teacher")
    else:
        clash = rules.teacher_elsewhere(session, around.beside(session))
        if clash is not None:
            yield clash
    yield from _about_place(session, around)


def _about_place(session: PlannedSession, around: Surroundings) -> Iterator[Problem]:
    if session.site_id is None:
        if session.kind != "online":
            yield Problem("place_not_in_file" if session.place else "place_missing", "place")
        return
    if session.site_id not in around.places:
        yield Problem("site_unknown", "place")
        return
    full = rules.place_problem(
        session, around.beside(session), people=around.people, places=around.places[session.site_id]
    )
    if full is not None:
        yield full


def surroundings(training_class: TrainingClass, days: Collection[date]) -> Surroundings:
    """What stands in the file of the class's base now, and when its other classes have sessions on these days."""
    base = training_class.base
    others = (
        Session.select(Session, TrainingClass)
        .join(TrainingClass)
        .where((TrainingClass.base == base.id) & (TrainingClass.id != training_class.id))
        .where((TrainingClass.status != "cancelled") & Session.last_version.is_null())
        .where(Session.on.between(min(days, default=date.max), max(days, default=date.min)))
    )
    elsewhere: dict[date, list[Elsewhere]] = {}
    for session in others:
        elsewhere.setdefault(session.on, []).append(_as_elsewhere(session))
    return Surroundings(
        people=training_class.capacity,
        teachers=frozenset(teacher.id for teacher in entries_of(base, Teacher)),
        places={site.id: site.capacity for site in entries_of(base, Site)},
        elsewhere=elsewhere,
    )


def _as_elsewhere(session: Session) -> Elsewhere:
    other = session.training_class
    return Elsewhere(
        session.on, session.starts_at, session.ends_at, session.site_id, session.teacher_id,
        str(other.filing_no), int(other.capacity),
    )  # fmt: skip


def require_sound(findings: Sequence[Finding]) -> None:
    """:raises TimetableRefused: one of them is an error."""
    errors = [finding for finding in findings if finding[1].is_error]
    if errors:
        raise TimetableRefused(errors)


def numbered(sessions: Sequence[PlannedSession]) -> list[tuple[int, PlannedSession]]:
    """Sessions with their places in the list, from 1."""
    return list(enumerate(sessions, 1))


def set_timetable(
    act: Act, training_class: TrainingClass, rows: Sequence[tuple[int, PlannedSession]]
) -> list[Finding]:
    """The base sets the timetable of a class that awaits its opening; returns the warnings.

    The same timetable again makes no new version.

    :raises NotAllowed: the caller is no clerk of the base.
    :raises TimetableFixed: the class is past its opening.
    :raises TimetableRefused: the findings say which session cannot be so, and why.
    """
    require_own_base(act, training_class.base)
    require_filed(training_class)
    with database.atomic():
        hold_base(training_class.base)
        hold(training_class)
        findings = check(act, training_class, rows)
        require_sound(findings)
        renew(act, training_class, [session for _, session in rows], reason="")
    return findings


def renew(
    act: Act, training_class: TrainingClass, planned: Sequence[PlannedSession], *, reason: str
) -> Timetable | None:
    """Make the next version within the caller's transaction: keep, drop and add sessions; None if none changes.

    :raises SessionHeld: a closed session would not stay as it is.
    """
    wanted, standing = set(planned), sessions_of(training_class)
    known = {as_planned(session) for session in standing}
    if wanted == known:
        return None
    number = latest_version(training_class) + 1
    for session in standing:
        if as_planned(session) not in wanted:
            _drop(act, session, before=number)
    for new in sorted(wanted - known, key=lambda session: (session.on, session.starts_at)):
        session = Session.create(training_class=training_class, first_version=number, **vars(new))
        begin(act, SESSION, session, "plan")
    version = Timetable.create(training_class=training_class, version=number, reason=reason, made_at=act.at)
    doubts = told(doubts_about(act, training_class))
    detail: dict[str, Any] = {"version": number, **doubts}
    note(act, TRAINING_CLASS.noun, training_class.id, "set_timetable", reason=reason, detail=detail)
    return version


def require_keeps(held: Sequence[Session], planned: Sequence[PlannedSession]) -> None:
    """:raises SessionHeld: one of the sessions ``held`` is not among ``planned`` as it is."""
    wanted = set(planned)
    for session in held:
        if as_planned(session) not in wanted:
            raise SessionHeld(on=session.on, starts_at=session.starts_at)


def _drop(act: Act, session: Session, *, before: int) -> None:
    if session.status != "planned":
        raise SessionHeld(on=session.on, starts_at=session.starts_at)
    move(act, SESSION, session, "drop")
    session.last_version = before - 1
    session.save(only=[Session.last_version])


def doubts_about(act: Act, training_class: TrainingClass) -> list[Problem]:
    """What is doubtful about the timetable that holds now, as a whole."""
    return rules.doubts_of_whole(
        [as_planned(session) for session in sessions_of(training_class)],
        class_hours=training_class.class_hours,
        rule=act.policy.rule("timetable", training_class.starts_on),
    )


def as_planned(session: Session) -> PlannedSession:
    """A session as the value that was planned."""
    return PlannedSession(**{name: getattr(session, name) for name in PlannedSession.__dataclass_fields__})


def place_of(session: Session) -> str:
    """Where a session is, in words: what was written, or the name of its site."""
    return str(session.place or (session.site.name if session.site else ""))


def teacher_of(vault: Vault, session: Session) -> str:
    """The name of a session's teacher in clear; empty where none is named."""
    return teacher_name(vault, session.teacher) if session.teacher else ""


def latest_version(training_class: TrainingClass) -> int:
    """The number of the newest version; 0 when there is none."""
    newest = Timetable.select(fn.MAX(Timetable.version)).where(Timetable.training_class == training_class.id)
    return int(newest.scalar() or 0)


def versions_of(training_class: TrainingClass) -> list[Timetable]:
    """All versions of the timetable of a class, the oldest first."""
    return list(
        Timetable.select().where(Timetable.training_class == training_class.id).order_by(Timetable.version)
    )


def sessions_of(training_class: TrainingClass) -> list[Session]:
    """The sessions of the timetable that holds now, in order; none when there is no timetable."""
    return _in_order((Session.training_class == training_class.id) & Session.last_version.is_null())


def of_version(training_class: TrainingClass, version: int) -> list[Session]:
    """The sessions as one version of the timetable had them, in order."""
    still = Session.last_version.is_null() | (Session.last_version >= version)
    return _in_order(
        (Session.training_class == training_class.id) & (Session.first_version <= version) & still
    )


def _in_order(condition: object) -> list[Session]:
    return list(
        Session.select(Session, Site, Teacher)
        .join_from(Session, Site, JOIN.LEFT_OUTER)
        .join_from(Session, Teacher, JOIN.LEFT_OUTER)
        .where(condition)
        .order_by(Session.on, Session.starts_at, Session.ends_at, Session.id)
    )
