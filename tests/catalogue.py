"""Online resources as a city officer enters them: a massage course with captions, drafted or published."""

from __future__ import annotations

from typing import Any

from skills_registry import resources
from skills_registry.resources import Entry, Finding, Resource
from tests.world import World


def course(**changes: Any) -> Entry:
    """A massage course in Mandarin with captions and a text version."""
    usual = {
        "title": "保健按摩基础手法",
        "url": "https://learn.example.cn/massage/1",
        "provider": "某职业技术学院",
        "language": "zh",
        "trade": "保健按摩师",
        "summary": "十二讲，每讲二十分钟。",
        "access": ("captions", "text_version"),
    }
    return Entry(**(usual | changes))


def drafted(world: World, **changes: Any) -> Resource:
    """A course that the city has entered."""
    return resources.draft(world.act("city_officer"), course(**changes))


def published(world: World, **changes: Any) -> Resource:
    """A course that everyone sees."""
    return resources.publish(world.act("city_officer"), drafted(world, **changes))


def withdrawn(world: World, **changes: Any) -> Resource:
    """A course that was taken off the list."""
    return resources.withdraw(world.act("city_officer"), published(world, **changes), "课程已下线")


def checked(world: World, resource: Resource, *outcomes: str) -> Resource:
    """The course after checks that found these outcomes, one after another."""
    for outcome in outcomes:
        status = {"alive": 200, "gone": 404}.get(outcome)
        resource = resources.record_check(world.act("admin"), resource, Finding(outcome, status))
    return resource


#: How a resource comes into each of its states.
INTO = {"draft": drafted, "published": published, "withdrawn": withdrawn}
