"""What about attendance makes an officer look twice: nothing here refuses, and the base is not told.

Classes were invented whole, signatures forged, one person clocked in for many (DOMAIN §5.4). Each finding
is a count with its days, never a person; the officer looks at the sheets and asks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from skills_registry.documents import Document, documents_of
from skills_registry.foundation.acts import SHANGHAI, Act
from skills_registry.foundation.lifecycle import Step
from skills_registry.foundation.problems import Problem
from skills_registry.training import attendance
from skills_registry.training.attendance import Attendance
from skills_registry.training.classes import TrainingClass
from skills_registry.training.timetable import SESSION, Session, sessions_of

#: The kind of document that a scan of a sign-in sheet is kept as, with its session.
SCAN = "sign_in_sheet"

#: Days that a sentence names at most.
_MOST_NAMED = 10


def doubts_about(act: Act, training_class: TrainingClass) -> list[Problem]:
    """Everything doubtful about a class's attendance, by the rule in force when the class began."""
    marks = list(attendance.in_class(training_class))
    if not marks:
        return []
    rule = act.policy.rule("attendance", training_class.starts_on)
    sessions = sessions_of(training_class)
    closed = [session for session in sessions if session.status == "closed"]
    return [
        *_low_days(closed, marks, rule["day_percent"]),
        *_many_in_one_minute(marks, rule["marks_in_one_minute"]),
        *_on_another_day(marks),
        *_recorded_late(sessions, rule["record_days"]),
        *_corrected(closed),
        *_without_scan(closed, marks),
    ]


def _low_days(closed: Sequence[Session], marks: Sequence[Attendance], percent: int) -> Iterator[Problem]:
    """Days on which fewer of the class were present than the policy demands; each session weighs its hours."""
    present: dict[date, Decimal] = {}
    whole: dict[date, Decimal] = {}
    counted = {session.id for session in closed}
    for row in marks:
        if row.session_id in counted:
            day, hours = row.session.on, row.session.class_hours
            whole[day] = whole.get(day, Decimal(0)) + hours
            present[day] = present.get(day, Decimal(0)) + (hours if row.mark == "present" else 0)
    low = sorted(str(day) for day, hours in whole.items() if present[day] * 100 < hours * percent)
    if low:
        named = "、".join(low[:_MOST_NAMED]) + ("……" if len(low) > _MOST_NAMED else "")
        yield Problem("day_attendance_low", "marks", {"count": len(low), "percent": percent, "days": named})


def _many_in_one_minute(marks: Sequence[Attendance], worth_a_look: int) -> Iterator[Problem]:
    """The worst minute of each day: as many marks by one device as somebody makes who clocks in for others."""
    minutes = Counter(
        (row.device, row.marked_at.replace(second=0, microsecond=0))
        for row in marks
        if row.means == "device" and row.mark == "present" and row.marked_at is not None
    )
    worst: dict[str, int] = {}
    for (_, minute), count in minutes.items():
        day = day_of(minute).isoformat()
        worst[day] = max(count, worst.get(day, 0))
    for day, most in sorted(worst.items()):
        if most >= worth_a_look:
            yield Problem("marks_in_one_minute", "marks", {"most": most, "day": day})


def _on_another_day(marks: Sequence[Attendance]) -> Iterator[Problem]:
    elsewhen = sum(row.marked_at is not None and day_of(row.marked_at) != row.session.on for row in marks)
    if elsewhen:
        yield Problem("marked_on_another_day", "marks", {"count": elsewhen})


def _recorded_late(sessions: Sequence[Session], days: int) -> Iterator[Problem]:
    """Sessions of which somebody's first mark came long after; a correction of it is told apart."""
    last_day = {session.id: session.on + timedelta(days=days) for session in sessions}
    first: dict[tuple[UUID, UUID], Attendance] = {}
    for row in Attendance.select().where(Attendance.session.in_(list(last_day))).order_by(Attendance.id):
        first.setdefault((row.session_id, row.enrolment_id), row)
    late = {row.session_id for row in first.values() if day_of(row.recorded_at) > last_day[row.session_id]}
    if late:
        yield Problem("recorded_late", "marks", {"count": len(late), "days": days})


def _corrected(closed: Sequence[Session]) -> Iterator[Problem]:
    ids = [session.id for session in closed]
    count = Step.select().where(Step.record_id.in_(ids) & (Step.action == "correct_attendance")).count()
    if count:
        yield Problem("corrected_after_closing", "marks", {"count": count})


def _without_scan(closed: Sequence[Session], marks: Sequence[Attendance]) -> Iterator[Problem]:
    on_paper = {row.session_id for row in marks if row.means == "paper"}
    bare = sum(session.id in on_paper and not scans_of(session) for session in closed)
    if bare:
        yield Problem("scan_missing", "marks", {"count": bare})


def scans_of(session: Session) -> list[Document]:
    """The scans of a session's sign-in sheet that are kept, oldest first."""
    return [found for found in documents_of(SESSION.noun, session.id) if found.kind == SCAN]


def day_of(instant: datetime) -> date:
    """The calendar day of an instant in Haidong."""
    return instant.astimezone(SHANGHAI).date()
