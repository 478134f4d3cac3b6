"""The first page of the console: what awaits the caller, and how the classes stand."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from peewee import fn

from api.callers import act, for_roles, reachable_bases
from api.console.classes import line_of
from api.console.frame import READERS, WHOEVER, blueprint, show, to
from api.deadlines import due_for_caller
from api.problems import language
from skills_registry.accounts import Account
from skills_registry.accounts.register import accounts_covered_by
from skills_registry.bases import Base
from skills_registry.foundation.acts import Role
from skills_registry.foundation.dues import Due
from skills_registry.training import classes
from skills_registry.training.assessments import Assessment
from skills_registry.training.changes import ClassChange
from skills_registry.training.classes import TRAINING_CLASS, TrainingClass
from skills_registry.training.uploads import Upload

#: The states in which a class waits for a role.
WAITS_FOR: dict[Role, tuple[str, ...]] = {
    "base_clerk": ("returned", "open"),
    "county_officer": ("filed",),
    "city_officer": ("submitted",),
}

#: How many rows of each kind the first page shows.
MOST = 12


@blueprint.get("")
@for_roles(*WHOEVER)
def home() -> Response:
    """What awaits the caller: classes, uploads, accounts and deadlines; and how all classes stand."""
    mine = due_for_caller({"until": None, "overdue": False, "mine": True})
    return show(
        "home",
        today=act().today,
        waiting=_waiting(),
        uploads=_unconfirmed(),
        pending=_pending_accounts(),
        dues=[_line_of_due(due) for due in mine[:MOST]],
        more_dues=max(0, len(mine) - MOST),
        states=_states() if act().by.role in READERS else [],
    )


def _waiting() -> list[dict[str, Any]]:
    states = WAITS_FOR.get(act().by.role, ())
    if not states:
        return []
    found = classes.classes_of_bases(reachable_bases()).where(TrainingClass.status.in_(states))
    return [line_of(row) for row in found.order_by(TrainingClass.id.desc()).limit(MOST)]


def _unconfirmed() -> list[Upload]:
    if act().by.role != "base_clerk":
        return []
    found = Upload.select().join(TrainingClass).where(TrainingClass.base.in_(reachable_bases()))
    return list(found.where(Upload.status == "staged").order_by(Upload.id.desc()).limit(MOST))


def _pending_accounts() -> int:
    if act().by.role not in ("admin", "city_officer"):
        return 0
    return int(accounts_covered_by(act().by).where(Account.status == "pending").count())


def _states() -> list[tuple[str, str, int]]:
    """How many classes stand in each state: code, name, count."""
    counted = (
        TrainingClass.select(TrainingClass.status, fn.COUNT(TrainingClass.id))
        .where(TrainingClass.base.in_(reachable_bases()))
        .group_by(TrainingClass.status)
    )
    numbers = dict(counted.tuples())
    return [
        (state, names[language() == "en"], numbers.get(state, 0))
        for state, names in TRAINING_CLASS.states.items()
    ]


def _line_of_due(due: Due) -> dict[str, Any]:
    class_id = _class_behind(due)
    return {
        "message": due.en if language() == "en" else due.zh,
        "day": due.deadline.day,
        "overdue": due.is_overdue(act().today),
        "provisional": due.deadline.provisional,
        "base_name": Base.get_by_id(due.base_id).name,
        "url": to("show_class", class_id=class_id) if class_id else "",
    }


def _class_behind(due: Due) -> UUID | None:
    """The class that a deadline is about, where it is about one."""
    through: dict[str, Any] = {"class_change": ClassChange, "assessment_outcome": Assessment}
    if due.kind in through:
        found: UUID = through[due.kind].get_by_id(due.record_id).training_class_id
        return found
    return due.record_id if due.kind == "class_opening" else None
