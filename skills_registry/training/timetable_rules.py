"""Rules of a timetable (排课规则), judged from what is planned alone: no clock, no database.

Two sessions that touch do not overlap: one may begin when the other ends. Times are "HH:MM" of one day,
so that comparing them as text is comparing them as times.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from skills_registry.foundation.problems import Problem

#: What a session is: taught in words, at the bench, about safety, or from afar.
SESSION_KINDS: dict[str, tuple[str, str]] = {
    "theory": ("理论", "theory"),
    "practice": ("实操", "practice"),
    "safety": ("安全教育", "safety"),
    "online": ("线上", "online"),
}

#: A class hour (课时), in minutes.
CLASS_HOUR = 45

#: What a finding is about: the row of a sheet, or the place in a list, from 1; and what is wrong there.
Finding = tuple[int, Problem]


class Span(Protocol):
    """A stretch of one day."""

    @property
    def on(self) -> date: ...
    @property
    def starts_at(self) -> str: ...
    @property
    def ends_at(self) -> str: ...


@dataclass(frozen=True)
class PlannedSession:
    """One session as it is planned; equal ones are the same session."""

    on: date
    starts_at: str
    ends_at: str
    class_hours: Decimal
    content: str
    kind: str
    site_id: UUID | None = None
    place: str = ""
    teacher_id: UUID | None = None


@dataclass(frozen=True)
class Elsewhere:
    """A session of another class: who and where, and how many people it brings."""

    on: date
    starts_at: str
    ends_at: str
    site_id: UUID | None
    teacher_id: UUID | None
    filing_no: str
    people: int


def overlaps(one: Span, other: Span) -> bool:
    """Whether two spans share a minute of a day."""
    return one.on == other.on and one.starts_at < other.ends_at and other.starts_at < one.ends_at


def minutes(session: Span) -> int:
    """How long it lasts, in minutes of the clock; not above zero when it ends before it starts."""
    return _minute(session.ends_at) - _minute(session.starts_at)


def _minute(time: str) -> int:
    return int(time[:2]) * 60 + int(time[3:])


def findings(
    rows: Sequence[tuple[int, PlannedSession]], *, starts_on: date, ends_on: date, rule: Mapping[str, Any]
) -> list[Finding]:
    """What is wrong with each session by itself and beside the others; ``rule`` is the policy's ``timetable``."""
    found: list[Finding] = []
    for number, session in rows:
        if not starts_on <= session.on <= ends_on:
            facts = {"starts_on": starts_on.isoformat(), "ends_on": ends_on.isoformat()}
            found.append((number, Problem("session_outside_class", "on", dict(facts))))
        found += [(number, problem) for problem in _of_its_own(session, rule["hours_per_day"])]
    found += _overlapping(rows)
    found += _long_days(rows, Decimal(rule["hours_per_day"]))
    return sorted(found, key=lambda finding: finding[0])


def _of_its_own(session: PlannedSession, most: int) -> Iterator[Problem]:
    if session.kind not in SESSION_KINDS:
        yield Problem("session_kind", "kind")
    if not session.content:
        yield Problem("missing", "content")
    if not Decimal("0.5") <= session.class_hours <= most or session.class_hours * 10 % 1:
        yield Problem("session_hours_range", "class_hours", {"limit": most})
        return
    lasts = minutes(session)
    if lasts <= 0:
        yield Problem("session_ends_before_start", "ends_at")
    elif session.class_hours * CLASS_HOUR > lasts:
        facts: dict[str, str | int | float] = {"minutes": lasts, "most": written(Decimal(lasts) / CLASS_HOUR)}
        yield Problem("session_hours_exceed_clock", "class_hours", facts)


def _overlapping(rows: Sequence[tuple[int, PlannedSession]]) -> Iterator[Finding]:
    """Each session that overlaps one before it in the list, with the first such."""
    for place, (number, session) in enumerate(rows):
        first = next((earlier for earlier, other in rows[:place] if overlaps(session, other)), None)
        if first is not None:
            yield number, Problem("session_overlap", "starts_at", {"first_row": first})


def _long_days(rows: Sequence[tuple[int, PlannedSession]], most: Decimal) -> Iterator[Finding]:
    """For each day with too many hours its last session, which is the one to move."""
    for day in sorted({session.on for _, session in rows}):
        of_day = [(number, session) for number, session in rows if session.on == day]
        hours = total(session for _, session in of_day)
        if hours > most and len(of_day) > 1:  # one session that is too long says so itself
            last = max(of_day, key=lambda row: (row[1].starts_at, row[0]))
            facts = {"day": day.isoformat(), "hours": written(hours), "limit": written(most)}
            yield last[0], Problem("day_too_long", "class_hours", dict(facts))


def total(sessions: Iterable[PlannedSession], *kinds: str) -> Decimal:
    """The class hours of all sessions, or of those of some kinds."""
    return sum((s.class_hours for s in sessions if not kinds or s.kind in kinds), Decimal(0))


def doubts_of_whole(
    sessions: Sequence[PlannedSession], *, class_hours: int, rule: Mapping[str, Any]
) -> list[Problem]:
    """What is doubtful about a timetable as a whole: its hours, and the shares of theory, practice, safety.

    Theory is all that is taught in words, safety and online sessions included.
    """
    hours = total(sessions)
    if not hours:
        return []
    found = []
    if hours != class_hours:
        facts: dict[str, str | int | float] = {"planned": written(hours), "filed": class_hours}
        found.append(Problem("timetable_hours", "class_hours", facts))
    for code, least, kinds in (
        ("theory_share", rule["theory_percent"], ("theory", "safety", "online")),
        ("practice_share", rule["practice_percent"], ("practice",)),
    ):
        percent = total(sessions, *kinds) * 100 / hours
        if percent < least:
            share: dict[str, str | int | float] = {"percent": written(percent), "least": least}
            found.append(Problem(code, "kind", share))
    safety = total(sessions, "safety")
    if safety < rule["safety_hours"]:
        lacking: dict[str, str | int | float] = {"hours": written(safety), "least": rule["safety_hours"]}
        found.append(Problem("safety_hours", "kind", lacking))
    return found


def teacher_elsewhere(session: PlannedSession, others: Iterable[Elsewhere]) -> Problem | None:
    """The teacher of a session stands in another class at the same time."""
    for other in others:
        if (
            session.teacher_id is not None
            and other.teacher_id == session.teacher_id
            and overlaps(session, other)
        ):
            facts = {
                "filing_no": other.filing_no,
                "starts_at": other.starts_at,
                "ends_at": other.ends_at,
            }
            return Problem("teacher_elsewhere", "teacher", dict(facts))
    return None


def place_problem(
    session: PlannedSession, others: Sequence[Elsewhere], *, people: int, places: int
) -> Problem | None:
    """The site of a session has fewer ``places`` than ``people``, alone or with the classes there at the same time."""
    if people > places:
        return Problem("place_too_small", "place", {"places": places, "capacity": people})
    beside = [other for other in others if other.site_id == session.site_id and overlaps(session, other)]
    most = people + most_at_once(session, beside)
    if most > places:
        facts: dict[str, str | int | float] = {
            "places": places,
            "people": most,
            "filing_no": beside[0].filing_no,
        }
        return Problem("place_over_capacity", "place", facts)
    return None


def most_at_once(session: Span, beside: Sequence[Elsewhere]) -> int:
    """The most people that ``beside`` brings at any minute of the session."""
    # The number can only rise when somebody comes, so it is enough to look at those moments.
    moments = [max(session.starts_at, other.starts_at) for other in beside]
    return max(
        (sum(o.people for o in beside if o.starts_at <= moment < o.ends_at) for moment in moments), default=0
    )


def written(figure: Decimal) -> str:
    """A figure as people write it: one decimal place, rounded down, no zeros at the end."""
    return f"{figure.quantize(Decimal('0.1'), rounding='ROUND_DOWN'):f}".removesuffix(".0")
