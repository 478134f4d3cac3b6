"""Trainees at the sessions of a class: thirty mornings of four hours from 3 March 2025, as the timetable has them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time
from random import Random
from zoneinfo import ZoneInfo

from api import demo_people
from skills_registry.foundation.acts import Act
from skills_registry.training import attendance, enrolments, opening
from skills_registry.training.attendance import Marked
from skills_registry.training.classes import TrainingClass
from skills_registry.training.enrolments import Enrolment
from skills_registry.training.timetable import Session, sessions_of
from tests.timetables import mornings, planned, taught_class
from tests.world import World

HAIDONG_TIME = ZoneInfo("Asia/Shanghai")


def attended_class(world: World, people: int = 3) -> tuple[TrainingClass, list[Session], list[Enrolment]]:
    """An open class with its sessions and trainees; the clock stands after the first five mornings."""
    training_class, _ = taught_class(world)
    trainees = world.enrol(training_class, people)
    world.on(2025, 3, 7)
    return training_class, sessions_of(training_class), trainees


def large_class(world: World, people: int = 30, sessions: int = 15) -> tuple[TrainingClass, list[Enrolment]]:
    """Thirty invented people in a class of fifteen mornings, all of them past."""
    filed = world.filed_class()
    planned(world, filed, mornings()[:sessions])
    training_class = opening.open_class(world.act("county_officer"), filed)
    chance, act = Random(20250303), world.act("base_clerk")
    learners = [person for person, _ in zip(demo_people.people(chance), range(people), strict=False)]
    trainees = [
        enrolments.enrol(
            act,
            training_class,
            {"name": one.name, "citizen_id": one.citizen_id, "sex": {"男": "male", "女": "female"}[one.sex]},
            row,
        )
        for row, one in enumerate(learners, 2)
    ]
    world.on(2025, 3, 21)
    return training_class, trainees


def mark(
    act: Act, session: Session, trainees: Sequence[Enrolment], *marks: str, means: str = "paper"
) -> None:
    """The trainees' marks at a session, in their order: one for all, or one for each."""
    each = marks * len(trainees) if len(marks) == 1 else marks
    told = [Marked(one.id, what, means) for one, what in zip(trainees, each, strict=True)]
    attendance.record(act, session, told)


def closed(act: Act, session: Session, trainees: Sequence[Enrolment], *marks: str) -> Session:
    """A session that is closed with these marks."""
    mark(act, session, trainees, *marks)
    return attendance.close_session(act, session)


def at(session: Session, hour: int, minute: int, second: int = 0) -> datetime:
    """An instant on a session's day, by the clock of Haidong."""
    return datetime.combine(session.on, time(hour, minute, second), HAIDONG_TIME).astimezone(UTC)
