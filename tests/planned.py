"""A training project taken to any of its states: drafted and noticed by the county on the world's day, announced by
the city on the day after its five working days: drafted on 10 February 2025, announced on the 18th."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from skills_registry.foundation.acts import Act
from skills_registry.notices import Notice
from skills_registry.training import project_planning
from skills_registry.training.project_planning import Plan
from skills_registry.training.projects import TrainingProject
from tests.world import COUNTY, World

MASSAGE = {"edition": "2015", "code": "4-10-04-02", "name": "保健按摩师", "level": "level5_junior"}


def massage_plan(world: World, **changes: Any) -> Plan:
    """The county's massage project of 2025: 60 people, 120 hours a class, at the world's base."""
    usual = {
        "year": 2025,
        "title": "2025年保健按摩技能培训",
        "funding_source": "disability_security_fund",
        "training_type": "employment_skills",
        "target_group": "就业年龄段内有就业意愿的人员",
        "planned_people": 60,
        "planned_hours": 120,
        "budget": 180_000,
        "counties": [COUNTY],
        "bases": [world.base],
        "trades": [MASSAGE],
    }
    return Plan(**(usual | changes))


def drafted(world: World, **changes: Any) -> TrainingProject:
    """A project that the county has drafted."""
    return project_planning.draft(world.act("county_officer"), massage_plan(world, **changes))


def publish(act: Act, project: TrainingProject) -> Notice:
    """Its notice, with the words that its own facts give."""
    title, text = project_planning.notice_text(act, project)
    return project_planning.publish(act, project, title=title, text=text)


def noticed(world: World, **changes: Any) -> TrainingProject:
    """A project that the county has put on notice."""
    project = drafted(world, **changes)
    publish(world.act("county_officer"), project)
    return project


def announced(world: World, **changes: Any) -> TrainingProject:
    """A project that the city has announced; the world's clock stands on that day."""
    project = noticed(world, **changes)
    last = Notice.get_by_id(project.notice_id).closes_on
    world.now = max(
        world.now, datetime(last.year, last.month, last.day, 2, 0, tzinfo=UTC) + timedelta(days=1)
    )
    return project_planning.announce(world.act("city_officer"), project)


def withdrawn(world: World, **changes: Any) -> TrainingProject:
    """A project that was announced and then withdrawn by the city."""
    project = announced(world, **changes)
    return project_planning.withdraw(world.act("city_officer"), project, "资金调整")


#: How a project comes into each of its states.
INTO = {"draft": drafted, "noticed": noticed, "announced": announced, "withdrawn": withdrawn}
