"""Endpoints for leaving the list (退出): voluntary exit, expiry, and the teach-out of running classes."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from api.bases import reachable_base
from api.bodies import Text
from api.callers import API_PREFIX, EVERYONE, OFFICERS, act, for_roles, require_reach
from api.problems import language
from api.shapes import ReasonSchema, StepSchema, show_step
from skills_registry.bases import Base
from skills_registry.exits import EXIT, Exit, leaving, teach_out, withdrawal
from skills_registry.exits.leaving import GROUNDS
from skills_registry.exits.teach_out import WAYS, Account
from skills_registry.foundation.errors import NotFound
from skills_registry.foundation.lifecycle import steps_of
from skills_registry.foundation.storage import require_found
from skills_registry.training.classes import TRAINING_CLASS

blueprint = Blueprint("exits", __name__, url_prefix=API_PREFIX, description="退出与善后 (exits)")


class LeavingAnswerSchema(ReasonSchema):
    """The city's answer to a request to leave."""

    decision = Text(required=True, validate=validate.OneOf(["accept", "refuse"]))


class WaySchema(ReasonSchema):
    """What becomes of one class; ``to_base_id`` where it is handed over."""

    class_id = fields.UUID(required=True)
    way = Text(required=True, validate=validate.OneOf(WAYS))
    to_base_id = Text(load_default=None, allow_none=True)


class TaughtOutSchema(Schema):
    """One class of the teach-out, and where its trainees are."""

    class_id = fields.String()
    filing_no = fields.String()
    title = fields.String()
    class_status = fields.String()
    class_status_text = fields.String()
    way = fields.String(allow_none=True)
    way_text = fields.String(allow_none=True)
    to_base_id = fields.String(allow_none=True)
    to_base_name = fields.String(allow_none=True)
    decided_on = fields.Date(allow_none=True)
    reason = fields.String()
    counts = fields.Dict(keys=fields.String(), values=fields.Integer())
    settled = fields.Boolean()


class ExitSchema(Schema):
    """An exit with its classes and its history; ``leaves_on`` is the first day off the list."""

    id = fields.String()
    base_id = fields.String()
    ground = fields.String()
    ground_text = fields.String()
    reason = fields.String()
    status = fields.String()
    status_text = fields.String()
    leaves_on = fields.Date(allow_none=True)
    classes = fields.List(fields.Nested(TaughtOutSchema))
    steps = fields.List(fields.Nested(StepSchema))


class ExpirySchema(Schema):
    """What closing an expired listing came to: an exit, or null where a later listing follows."""

    exit = fields.Nested(ExitSchema, allow_none=True)


def show_exit(found: Exit) -> dict[str, Any]:
    """An exit as the API answers it."""
    english = language() == "en"
    return {
        **{name: getattr(found, name) for name in ("ground", "reason", "status", "leaves_on")},
        "id": str(found.id),
        "base_id": str(found.base_id),
        "ground_text": GROUNDS[found.ground][english],
        "status_text": EXIT.states[found.status][english],
        "classes": [_show_account(account) for account in teach_out.accounts_of(found)],
        "steps": [show_step(step) for step in steps_of(found.id)],
    }


def _show_account(account: Account) -> dict[str, Any]:
    row, english = account.taught_out, language() == "en"
    training_class = row.training_class
    return {
        "class_id": str(training_class.id),
        "filing_no": training_class.filing_no,
        "title": training_class.title,
        "class_status": training_class.status,
        "class_status_text": TRAINING_CLASS.states[training_class.status][english],
        "way": row.way,
        "way_text": WAYS[row.way][english] if row.way else None,
        "to_base_id": str(row.to_base.id) if row.to_base else None,
        "to_base_name": row.to_base.name if row.to_base else None,
        "decided_on": row.decided_on,
        "reason": row.reason,
        "counts": account.counts,
        "settled": account.settled,
    }


def _latest(base: Base, *states: str) -> Exit:
    found = leaving.latest_exit(base, *states)
    if found is None:
        raise NotFound()
    return found


def _receiving_base(base_id: str | None) -> Base | None:
    if base_id is None:
        return None
    base = require_found(Base, base_id)
    require_reach(base)
    return base


@blueprint.route("/bases/<base_id>/withdrawal", methods=["POST"])
@for_roles("base_clerk")
@blueprint.arguments(ReasonSchema)
@blueprint.response(201, ExitSchema)
def ask_to_leave(body: dict[str, Any], base_id: str) -> dict[str, Any]:
    """The base asks to leave the list of its own will (自愿退出)."""
    return show_exit(withdrawal.ask(act(), reachable_base(base_id), body["reason"]))


@blueprint.route("/bases/<base_id>/withdrawal", methods=["DELETE"])
@for_roles("base_clerk")
@blueprint.response(200, ExitSchema)
def take_back(base_id: str) -> dict[str, Any]:
    """The base takes its request back before it is answered."""
    return show_exit(withdrawal.take_back(act(), _latest(reachable_base(base_id), "asked")))


@blueprint.route("/bases/<base_id>/withdrawal/decision", methods=["POST"])
@for_roles("city_officer")
@blueprint.arguments(LeavingAnswerSchema)
@blueprint.response(200, ExitSchema)
def answer(body: dict[str, Any], base_id: str) -> dict[str, Any]:
    """The city lets the base go, from today, or does not."""
    verb = withdrawal.accept if body["decision"] == "accept" else withdrawal.refuse
    return show_exit(verb(act(), _latest(reachable_base(base_id), "asked"), body["reason"]))


@blueprint.route("/bases/<base_id>/expiry", methods=["POST"])
@for_roles("city_officer")
@blueprint.response(200, ExpirySchema)
def expire(base_id: str) -> dict[str, Any]:
    """Close the listing that has run out; without a renewal, running classes go into the teach-out."""
    listing = leaving.listing_to_close(reachable_base(base_id))
    found = leaving.expire(act(), listing)
    return {"exit": show_exit(found) if found else None}


@blueprint.route("/bases/<base_id>/teach-out", methods=["GET"])
@for_roles(*EVERYONE)
@blueprint.response(200, ExitSchema)
def read_teach_out(base_id: str) -> dict[str, Any]:
    """The base's last exit, with what becomes of each class and where its trainees are."""
    return show_exit(_latest(reachable_base(base_id), *EXIT.states))


@blueprint.route("/bases/<base_id>/teach-out", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(WaySchema)
@blueprint.response(200, ExitSchema)
def decide_class(body: dict[str, Any], base_id: str) -> dict[str, Any]:
    """Say what becomes of one class: finished here, handed over to another listed base, or dissolved."""
    found = teach_out.require_teaching_out(reachable_base(base_id))
    to = _receiving_base(body["to_base_id"])
    teach_out.decide_class(act(), found, body["class_id"], body["way"], to=to, reason=body["reason"])
    return show_exit(found)


@blueprint.route("/bases/<base_id>/teach-out/closing", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, ExitSchema)
def close(body: dict[str, Any], base_id: str) -> dict[str, Any]:
    """Close the teach-out, once every trainee is accounted for."""
    found = teach_out.require_teaching_out(reachable_base(base_id))
    return show_exit(teach_out.close(act(), found, body["reason"]))
