"""A class with a place, two teachers and a timetable: thirty mornings of four hours, told in named facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from skills_registry.bases import Base, entries
from skills_registry.bases.entries import Site, SiteFacts, Teacher, TeacherFacts
from skills_registry.foundation.policy import HAIDONG, Policy
from skills_registry.training import changes, opening, timetable
from skills_registry.training.changes import ClassChange
from skills_registry.training.classes import TrainingClass
from skills_registry.training.timetable_rules import PlannedSession
from tests.base_files import SITE
from tests.world import World

#: The Monday on which the usual class begins.
FIRST = date(2025, 3, 3)


def site(world: World, name: str = "主校区", *, places: int = 60, clerk: str = "base_clerk") -> Site:
    """A site in the base's file."""
    base = Base.get(Base.organisation == world.accounts[clerk].organisation)
    facts = SiteFacts(**SITE | {"name": name, "capacity": places})
    return entries.add_site(world.act(clerk), base, facts)


def teacher(world: World, name: str = "祁玉兰", *, clerk: str = "base_clerk") -> Teacher:
    """A teacher on the base's roster."""
    base = Base.get(Base.organisation == world.accounts[clerk].organisation)
    facts = TeacherFacts(name=name, qualification="高级技师", level="一级", full_time=True, course="保健按摩")
    return entries.add_teacher(world.act(clerk), base, facts)


def session(
    on: date = FIRST, starts_at: str = "08:30", ends_at: str = "12:00", **changes: Any
) -> PlannedSession:
    """A morning of four hours of practice."""
    usual: dict[str, Any] = {"class_hours": Decimal(4), "content": "推拿手法", "kind": "practice"}
    return PlannedSession(on, starts_at, ends_at, **(usual | changes))


def mornings(
    site_id: UUID | None = None, teacher_id: UUID | None = None, *, from_day: date = FIRST
) -> list[PlannedSession]:
    """Thirty working mornings: 4 hours of safety, 28 of theory, 88 of practice, 120 together."""
    days = [from_day + timedelta(week * 7 + day) for week in range(6) for day in range(5)]
    kinds = ["safety", *["theory"] * 7, *["practice"] * 22]
    return [
        session(day, kind=kind, content=f"第{number}讲", site_id=site_id, teacher_id=teacher_id)
        for number, (day, kind) in enumerate(zip(days, kinds, strict=True), 1)
    ]


def planned(world: World, training_class: TrainingClass, sessions: Sequence[PlannedSession]) -> None:
    """The base sets this timetable."""
    timetable.set_timetable(world.act("base_clerk"), training_class, timetable.numbered(sessions))


def taught_class(world: World, **changes: Any) -> tuple[TrainingClass, list[PlannedSession]]:
    """An open class with the usual timetable at the base's site with its first teacher."""
    sessions = mornings(site(world).id, teacher(world).id)
    filed = world.filed_class(**changes)
    planned(world, filed, sessions)
    return opening.open_class(world.act("county_officer"), filed), sessions


def moved(sessions: Sequence[PlannedSession], place: int, **changes: Any) -> list[PlannedSession]:
    """The same timetable with one session changed."""
    return [replace(s, **changes) if here == place else s for here, s in enumerate(sessions)]


def reported(world: World, training_class: TrainingClass, sessions: Sequence[PlannedSession]) -> ClassChange:
    """A change of the timetable that the base has reported."""
    rows = timetable.numbered(sessions)
    return changes.report(world.act("base_clerk"), training_class, reason="教师临时有事", rows=rows)[0]


def demanding(world: World, **lists: Sequence[str]) -> None:
    """The policy refuses without these: ``opening`` or ``submission`` with the codes that it then demands."""
    text = HAIDONG.read_text(encoding="utf-8")
    for door, codes in lists.items():
        empty = f"refuse_{door}_without = []"
        assert empty in text
        text = text.replace(empty, f"refuse_{door}_without = {list(codes)!r}".replace("'", '"'))
    world.service = replace(world.service, policy=Policy(text))
