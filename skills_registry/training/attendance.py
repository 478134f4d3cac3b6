"""Attendance (考勤): who was at which session, told by paper, a device or the teacher.

While a session is planned, the base records and mends marks freely; earlier ones stay as a trace. It closes
when everybody in the class has a mark, and from then on a mark is only corrected, with a reason, which
keeps old and new value, who and why. The hours that a trainee attended are counted from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from peewee import BooleanField, CharField, ForeignKeyField, ModelSelect, chunked

from skills_registry.bases.parties import require_outsider, require_own_base
from skills_registry.foundation.acts import Act, require_role
from skills_registry.foundation.errors import FieldRefused, RuleBroken
from skills_registry.foundation.lifecycle import Step, move, note, steps_of
from skills_registry.foundation.storage import InstantField, Record, database
from skills_registry.training.classes import TRAINING_CLASS, TrainingClass, hold, require_with_base
from skills_registry.training.enrolments import Enrolment, NobodyEnrolled, roster
from skills_registry.training.timetable import SESSION, Session, sessions_of

#: What a mark can say: only presence counts as hours, leave (请假) is told from absence.
MARKS: dict[str, tuple[str, str]] = {
    "present": ("出勤", "present"),
    "leave": ("请假", "on leave"),
    "absent": ("缺勤", "absent"),
}

#: How a mark was taken.
MEANS: dict[str, tuple[str, str]] = {
    "paper": ("纸质签到表", "paper sign-in sheet"),
    "device": ("打卡设备", "device"),
    "teacher": ("教师点名", "roll call by the teacher"),
}

#: States of a class in which a county officer still corrects; afterwards certificates rest on the hours.
_BEFORE_APPROVAL = ("open", "returned", "submitted")

#: Rows of a roster that a sentence names at most.
_MOST_NAMED = 20

#: Marks written by one statement: SQLite bounds how many values one may hold.
_AT_ONCE = 500


class Attendance(Record):
    """One mark for one trainee at one session; ``current`` is the one that counts, older ones stay.

    ``marked_at`` is when the trainee signed or the device saw them, ``device`` a name that the base gives
    the device; both are empty where nobody knows.
    """

    session = ForeignKeyField(Session, backref="attendance", on_delete="RESTRICT")
    enrolment = ForeignKeyField(Enrolment, backref="attendance", on_delete="RESTRICT")
    mark = CharField(max_length=10)
    means = CharField(max_length=10)
    device = CharField(max_length=60, default="")
    marked_at = InstantField(null=True)
    recorded_at = InstantField()
    current = BooleanField(default=True)
    session_id: UUID
    enrolment_id: UUID


# One current mark per trainee and session, held by the database itself.
Attendance.add_index(
    Attendance.index(
        Attendance.session,
        Attendance.enrolment,
        unique=True,
        name="attendance_current",
        where=Attendance.current,
    )
)


@dataclass(frozen=True)
class Marked:
    """A mark as it comes in: whose, what, how, when, by which device."""

    enrolment_id: UUID
    mark: str
    means: str = "paper"
    marked_at: datetime | None = None
    device: str = ""

    def equals(self, row: Attendance) -> bool:
        """Whether a recorded mark says the same."""
        fields = ("mark", "means", "marked_at", "device")
        return all(getattr(self, name) == getattr(row, name) for name in fields)


@dataclass(frozen=True)
class Tally:
    """One trainee's attendance: hours attended (of 45 minutes), and how many sessions of each mark."""

    enrolment: Enrolment
    hours: Decimal
    marks: Mapping[str, int] = field(default_factory=dict)


class SessionNotBegun(RuleBroken):
    """Facts: ``on``."""

    code = "session_not_begun"
    zh = "这次课的日期是{on}，还没有上课，不能登记考勤。"
    en = "The session is on {on}: its attendance cannot be recorded before."


class SessionNotOpen(RuleBroken):
    """Facts: ``state_zh``, ``state_en``."""

    code = "session_not_open"
    zh = "课次当前为“{state_zh}”，不能登记考勤；已结束的课次只能逐项更正并写明原因。"
    en = "The session is '{state_en}': its attendance cannot be recorded; a closed one is corrected with a reason."


class SessionNotClosed(RuleBroken):
    """Facts: ``state_zh``, ``state_en``."""

    code = "session_not_closed"
    zh = "课次当前为“{state_zh}”，只有已结束的课次才需要更正；未结束的请直接登记考勤。"
    en = "The session is '{state_en}': only a closed one is corrected; record the attendance of an open one."


class NotInClass(FieldRefused):
    """A mark for somebody who is not in the class. Facts: ``field``."""

    code = "not_in_class"
    zh = "“{field}”不是本班在班学员的报名编号，请核对。"
    en = "'{field}' names nobody who is enrolled in this class."


class MarksMissing(RuleBroken):
    """Facts: ``count`` and ``rows`` (roster rows)."""

    code = "marks_missing"
    zh = "还有{count}名在班学员没有考勤（花名册第{rows}行），请补登后再结束本次课。"
    en = "{count} trainees have no mark yet (roster rows {rows}); record them before closing the session."


# ---------------------------------------------------------------- rules


def require_begun(act: Act, session: Session) -> None:
    """:raises SessionNotBegun: its day is yet to come."""
    if session.on > act.today:
        raise SessionNotBegun(on=session.on.isoformat())


def _require_state(session: Session, state: str, refusal: type[RuleBroken]) -> None:
    status = Session.get_by_id(session.id).status
    if status != state:
        zh, en = SESSION.states[status]
        raise refusal(state_zh=zh, state_en=en)


def _require_sound(act: Act, session: Session, marks: Sequence[Marked]) -> None:
    if not marks or len({marked.enrolment_id for marked in marks}) < len(marks):
        raise FieldRefused(field="marks")
    for marked in marks:
        for name, known in (("mark", MARKS), ("means", MEANS)):
            if getattr(marked, name) not in known:
                raise FieldRefused(field=name)
        if marked.marked_at is not None and marked.marked_at > act.at:
            raise FieldRefused(field="marked_at")
    here = {trainee.id for trainee in roster(session.training_class)}
    if any(marked.enrolment_id not in here for marked in marks):
        raise NotInClass(field="enrolment_id")


def require_may_correct(act: Act, training_class: TrainingClass) -> None:
    """The base corrects while the class is with it, the county until approval.

    :raises NotAllowed: the caller is neither the base's clerk nor a county officer.
    :raises OwnBase: the officer is, or was, of that base.
    :raises ClassClosed: it is too late.
    """
    if act.by.role == "base_clerk":
        require_own_base(act, training_class.base)
    else:
        require_role(act, "county_officer")
        require_outsider(act, training_class.base)
    if act.by.role == "base_clerk" or training_class.status not in _BEFORE_APPROVAL:
        require_with_base(training_class)


# ---------------------------------------------------------------- verbs


def record(act: Act, session: Session, marks: Sequence[Marked]) -> list[Attendance]:
    """Record marks of an open session, all or none; a different earlier mark is replaced and kept.

    :raises NotAllowed: the caller is no clerk of the base.
    :raises ClassClosed: the class is not with the base.
    :raises SessionNotBegun: its day is yet to come.
    :raises SessionNotOpen: it is closed or dropped.
    :raises NotInClass: a mark is for somebody who is not enrolled in the class.
    :raises FieldRefused: an unknown mark or means, a mark from the future, or two for one trainee.
    """
    training_class = session.training_class
    require_own_base(act, training_class.base)
    require_with_base(training_class)
    require_begun(act, session)
    with database.atomic():
        hold(training_class)
        _require_state(session, "planned", SessionNotOpen)
        _require_sound(act, session, marks)
        earlier = marks_of(session)
        fresh = [m for m in marks if not (old := earlier.get(m.enrolment_id)) or not m.equals(old)]
        if fresh:
            _write(act, session, fresh, earlier)
            _trace(act, session, "record_attendance", {"marks": len(fresh)})
    return list(marks_of(session).values())


def _write(
    act: Act, session: Session, marks: Sequence[Marked], earlier: Mapping[UUID, Attendance]
) -> list[Attendance]:
    outdated = [earlier[marked.enrolment_id].id for marked in marks if marked.enrolment_id in earlier]
    if outdated:
        Attendance.update(current=False).where(Attendance.id.in_(outdated)).execute()
    written = [
        Attendance(
            session=session,
            enrolment=marked.enrolment_id,
            mark=marked.mark,
            means=marked.means,
            device=marked.device,
            marked_at=marked.marked_at,
            recorded_at=act.at,
        )
        for marked in marks
    ]
    # A sheet of a large class brings thousands of marks: not one statement for each.
    for batch in chunked([row.__data__ for row in written], _AT_ONCE):
        Attendance.insert_many(batch).execute()
    return written


def _trace(act: Act, session: Session, action: str, detail: Mapping[str, Any], reason: str = "") -> None:
    note(act, SESSION.noun, session.id, action, reason=reason, detail=detail)
    # The class's own history tells who had a hand in it: four eyes are counted there.
    named = {"session": str(session.id)}
    note(act, TRAINING_CLASS.noun, session.training_class_id, action, detail=named)


def close_session(act: Act, session: Session) -> Session:
    """Close a session whose attendance is recorded for everybody in the class.

    :raises NotAllowed: the caller is no clerk of the base.
    :raises ClassClosed: the class is not with the base.
    :raises SessionNotBegun: its day is yet to come.
    :raises NobodyEnrolled: the class has no trainee.
    :raises MarksMissing: some have no mark; the facts name their roster rows, never the people.
    :raises WrongState: it is closed or dropped.
    """
    training_class = session.training_class
    require_own_base(act, training_class.base)
    require_with_base(training_class)
    require_begun(act, session)
    with database.atomic():
        hold(training_class)
        move(act, SESSION, session, "close")
        _require_all_marked(session)
        named = {"session": str(session.id)}
        note(act, TRAINING_CLASS.noun, training_class.id, "close_session", detail=named)
    return session


def _require_all_marked(session: Session) -> None:
    trainees = roster(session.training_class)
    if not trainees:
        raise NobodyEnrolled()
    marked = marks_of(session)
    missing = sorted(trainee.roster_row for trainee in trainees if trainee.id not in marked)
    if missing:
        rows = "、".join(str(row) for row in missing[:_MOST_NAMED])
        raise MarksMissing(count=len(missing), rows=rows)


def correct(act: Act, session: Session, marked: Marked, reason: str) -> Attendance:
    """Correct one mark of a closed session; the step keeps old and new value, who and why.

    The base corrects while the class is with it, the county until approval. A mark that is right already
    stays, and nothing is recorded.

    :raises NotAllowed: the caller is neither the base's clerk nor a county officer.
    :raises ClassClosed: it is too late.
    :raises SessionNotClosed: it is open, where marks are simply recorded, or dropped.
    :raises NotInClass: the trainee is not enrolled in the class.
    :raises FieldRefused: an unknown mark or means, a mark from the future, or no reason.
    """
    if not reason.strip():
        raise FieldRefused(field="reason")
    training_class = session.training_class
    require_may_correct(act, training_class)
    with database.atomic():
        hold(training_class)
        _require_state(session, "closed", SessionNotClosed)
        _require_sound(act, session, [marked])
        earlier = marks_of(session)
        old = earlier.get(marked.enrolment_id)
        if old is not None and old.mark == marked.mark:
            return old
        new = _write(act, session, [marked], earlier)[0]
        detail = {
            "enrolment": str(marked.enrolment_id),
            "from": None if old is None else old.mark,
            "to": new.mark,
            "replaced": None if old is None else str(old.id),
            "attendance": str(new.id),
        }
        _trace(act, session, "correct_attendance", detail, reason)
    return new


# ---------------------------------------------------------------- queries


def marks_of(session: Session) -> dict[UUID, Attendance]:
    """The marks that count at a session, by enrolment."""
    rows = Attendance.select().where((Attendance.session == session.id) & Attendance.current)
    return {row.enrolment_id: row for row in rows.order_by(Attendance.id)}


def history_of(session: Session, enrolment: Enrolment) -> list[Attendance]:
    """Every mark that a trainee ever had at a session, oldest first."""
    return list(
        Attendance.select()
        .where((Attendance.session == session.id) & (Attendance.enrolment == enrolment.id))
        .order_by(Attendance.id)
    )


def corrections_of(session: Session) -> Iterator[Step]:
    """The corrections of a closed session, oldest first: old and new value in ``detail``, who and why."""
    return (step for step in steps_of(session.id) if step.action == "correct_attendance")


def recorded_in(sessions: Iterable[Session]) -> set[UUID]:
    """The ids of those sessions that have attendance: what a new timetable may not leave out."""
    ids = [session.id for session in sessions]
    rows = Attendance.select(Attendance.session).where(Attendance.session.in_(ids) & Attendance.current)
    return {row.session_id for row in rows.distinct()}


def in_class(training_class: TrainingClass) -> ModelSelect[Attendance]:
    """The marks that count in a class, with their sessions; what a later timetable dropped does not."""
    return (
        Attendance.select(Attendance, Session)
        .join(Session)
        .where((Session.training_class == training_class.id) & Session.last_version.is_null())
        .where(Attendance.current)
        .order_by(Attendance.id)
    )


def tallies(training_class: TrainingClass) -> list[Tally]:
    """Each enrolled trainee's hours and marks, in roster order."""
    hours: dict[UUID, Decimal] = {}
    marks: dict[UUID, dict[str, int]] = {}
    for row in in_class(training_class):
        counted = marks.setdefault(row.enrolment_id, dict.fromkeys(MARKS, 0))
        counted[row.mark] += 1
        if row.mark == "present":
            hours[row.enrolment_id] = hours.get(row.enrolment_id, Decimal(0)) + row.session.class_hours
    return [
        Tally(trainee, hours.get(trainee.id, Decimal(0)), marks.get(trainee.id, dict.fromkeys(MARKS, 0)))
        for trainee in roster(training_class)
    ]


def hours_attended(training_class: TrainingClass) -> dict[UUID, Decimal] | None:
    """The hours (of 45 minutes) that each enrolled trainee attended; None when no session has attendance."""
    if not in_class(training_class).exists():
        return None
    return {tally.enrolment.id: tally.hours for tally in tallies(training_class)}


def complete(training_class: TrainingClass) -> bool:
    """Whether there are sessions and all are closed, so that the hours are final."""
    sessions = sessions_of(training_class)
    return bool(sessions) and all(session.status == "closed" for session in sessions)


def open_sessions(act: Act, training_class: TrainingClass) -> list[Session]:
    """Sessions whose day has come and whose attendance is not closed."""
    return [s for s in sessions_of(training_class) if s.status == "planned" and s.on <= act.today]
