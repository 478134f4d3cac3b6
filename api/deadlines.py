"""The endpoint for deadlines (期限): what is due for the bases that are the caller's business."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields

from api.callers import API_PREFIX, READERS_OF_TRAINING, act, for_roles, reachable_bases
from api.problems import language
from skills_registry import deadlines
from skills_registry.bases import Base
from skills_registry.foundation.dues import Due

blueprint = Blueprint(
    "deadlines", __name__, url_prefix=f"{API_PREFIX}/deadlines", description="期限 (deadlines)"
)


class DeadlineSchema(Schema):
    """One act that is due; ``provisional`` while the holidays of its year are not published."""

    kind = fields.String()
    message = fields.String()
    record_id = fields.String()
    base_id = fields.String()
    base_name = fields.String()
    day = fields.Date()
    provisional = fields.Boolean()
    overdue = fields.Boolean()
    waits_for = fields.List(fields.String())


class DeadlinesSchema(Schema):
    """What is due, the earliest first, as of a day."""

    as_of = fields.Date()
    overdue = fields.Integer()
    items = fields.List(fields.Nested(DeadlineSchema))


class DeadlineQuery(Schema):
    """Filters: until which day; only what is overdue, or waits for the caller's own role."""

    until = fields.Date(load_default=None, metadata={"description": "只列出到期日不晚于此日的事项"})
    overdue = fields.Boolean(load_default=False)
    mine = fields.Boolean(load_default=False, metadata={"description": "只列出等待本人角色办理的事项"})
    lang = fields.String(load_default=None)


def show_due(due: Due, names: dict[Any, str]) -> dict[str, Any]:
    """One deadline as the API answers it."""
    return {
        "kind": due.kind,
        "message": due.en if language() == "en" else due.zh,
        "record_id": str(due.record_id),
        "base_id": str(due.base_id),
        "base_name": names[due.base_id],
        "day": due.deadline.day,
        "provisional": due.deadline.provisional,
        "overdue": due.is_overdue(act().today),
        "waits_for": list(due.waits_for),
    }


@blueprint.route("", methods=["GET"])
@for_roles(*READERS_OF_TRAINING)
@blueprint.arguments(DeadlineQuery, location="query")
@blueprint.response(200, DeadlinesSchema)
def list_deadlines(query: dict[str, Any]) -> dict[str, Any]:
    """What is due for the caller's division or base, overdue marked, the earliest first."""
    found = due_for_caller(query)
    names = {base.id: base.name for base in Base.select(Base.id, Base.name)}
    return {
        "as_of": act().today,
        "overdue": sum(due.is_overdue(act().today) for due in found),
        "items": [show_due(due, names) for due in found],
    }


def due_for_caller(query: dict[str, Any]) -> list[Due]:
    """What is due for the bases that are the caller's business, as far as the query asks for it."""
    everything = deadlines.all_due(act().policy, act().today, reachable_bases())
    return [due for due in everything if _is_asked(due, query)]


def _is_asked(due: Due, query: dict[str, Any]) -> bool:
    if query["until"] is not None and due.deadline.day > query["until"]:
        return False
    if query["overdue"] and not due.is_overdue(act().today):
        return False
    return not query["mine"] or act().by.role in due.waits_for
