"""Endpoints for sanctions (处理措施): imposing, deciding, the cure, the step up, lifting."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from api.bases import reachable_base
from api.bodies import Prose, Text
from api.callers import API_PREFIX, EVERYONE, OFFICERS, act, for_roles, reachable_bases, require_reach
from api.lists import PageQuery, page, page_of
from api.problems import language
from api.shapes import ReasonSchema, StepSchema, show_step
from skills_registry.bases import RESTRICTIONS, standing
from skills_registry.exits import SANCTION, Sanction, appeals, cures, ladder, sanctions
from skills_registry.foundation.acts import SHANGHAI
from skills_registry.foundation.lifecycle import steps_of
from skills_registry.foundation.storage import require_found

blueprint = Blueprint("sanctions", __name__, url_prefix=API_PREFIX, description="处理措施 (sanctions)")


class ImposeSchema(Schema):
    """A step of the ladder, the ground for it (a code of the policy), and the facts."""

    step = Text(required=True, validate=validate.OneOf(ladder.STEPS))
    ground = Text(required=True, validate=validate.Length(1, 40))
    reason = Prose(required=True, validate=validate.Length(1, 500))


class DecideSchema(ReasonSchema):
    """The city imposes what was proposed, or drops it."""

    decision = Text(required=True, validate=validate.OneOf(["impose", "drop"]))


class AcceptanceSchema(ReasonSchema):
    """Whether the cure is accepted."""

    outcome = Text(required=True, validate=validate.OneOf(["accepted", "not_accepted"]))


class CureSchema(Schema):
    """What the base has put right."""

    report = Prose(required=True, validate=validate.Length(1, 2000))


class RestrictionSchema(Schema):
    """What a sanction holds back, from its first to its last day; ``lifted_on`` ends it earlier."""

    kind = fields.String()
    kind_text = fields.String()
    starts_on = fields.Date()
    ends_on = fields.Date(allow_none=True)
    lifted_on = fields.Date(allow_none=True)


class SanctionSchema(Schema):
    """A sanction with its clock, its effect and its history."""

    id = fields.String()
    base_id = fields.String()
    base_name = fields.String()
    step = fields.String()
    step_text = fields.String()
    ground = fields.String()
    ground_text = fields.String()
    reason = fields.String()
    status = fields.String()
    status_text = fields.String()
    imposed_on = fields.Date(allow_none=True)
    escalates = fields.String(allow_none=True, metadata={"description": "因该措施逾期未改而升级"})
    due = fields.Date(allow_none=True)
    due_provisional = fields.Boolean()
    overdue = fields.Boolean()
    restrictions = fields.List(fields.Nested(RestrictionSchema))
    appeal_id = fields.String(allow_none=True)
    steps = fields.List(fields.Nested(StepSchema))


SANCTION_PAGE = page_of(SanctionSchema)


class SanctionQuery(PageQuery):
    """Filters of the list of sanctions."""

    status = Text(load_default=None, validate=validate.OneOf(SANCTION.states))


def show_sanction(sanction: Sanction) -> dict[str, Any]:
    """A sanction as the API answers it."""
    english = language() == "en"
    policy, begun = act().policy, sanction.begun_at.astimezone(SHANGHAI).date()
    deadline = cures.due(sanction, policy)
    appeal = appeals.appeal_against(sanction.id)
    return {
        **{name: getattr(sanction, name) for name in ("step", "ground", "reason", "status", "imposed_on")},
        "id": str(sanction.id),
        "base_id": str(sanction.base_id),
        "base_name": sanction.base.name,
        "step_text": ladder.STEPS[sanction.step][english],
        "ground_text": ladder.ground_words(policy, sanction.step, sanction.ground, begun)[english],
        "status_text": SANCTION.states[sanction.status][english],
        "escalates": str(sanction.escalates_id) if sanction.escalates_id else None,
        "due": deadline.day if deadline else None,
        "due_provisional": bool(deadline and deadline.provisional),
        "overdue": bool(deadline and act().today > deadline.day),
        "restrictions": [
            {
                **{name: getattr(found, name) for name in ("kind", "starts_on", "ends_on", "lifted_on")},
                "kind_text": RESTRICTIONS[found.kind][english],
            }
            for found in standing.restrictions_of(sanction.id)
        ],
        "appeal_id": str(appeal.id) if appeal else None,
        "steps": [show_step(step) for step in steps_of(sanction.id)],
    }


def reachable_sanction(sanction_id: str) -> Sanction:
    """The sanction with this id, if its base is the caller's business."""
    sanction = require_found(Sanction, sanction_id)
    require_reach(sanction.base)
    return sanction


@blueprint.route("/bases/<base_id>/sanctions", methods=["GET"])
@for_roles(*EVERYONE)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, SANCTION_PAGE)
def list_sanctions_of_base(query: dict[str, Any], base_id: str) -> dict[str, Any]:
    """The sanctions against one base."""
    return page(sanctions.sanctions_of(reachable_base(base_id)), Sanction, query, show_sanction)


@blueprint.route("/bases/<base_id>/sanctions", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(ImposeSchema)
@blueprint.response(201, SanctionSchema)
def impose(body: dict[str, Any], base_id: str) -> dict[str, Any]:
    """Impose an interview or rectification letter; propose a censure, suspension or termination to the city."""
    return show_sanction(sanctions.impose(act(), reachable_base(base_id), **body))


@blueprint.route("/sanctions", methods=["GET"])
@for_roles(*EVERYONE)
@blueprint.arguments(SanctionQuery, location="query")
@blueprint.response(200, SANCTION_PAGE)
def list_sanctions(query: dict[str, Any]) -> dict[str, Any]:
    """The sanctions against the bases that are the caller's business."""
    found = sanctions.sanctions_of_bases(reachable_bases())
    if query["status"]:
        found = found.where(Sanction.status == query["status"])
    return page(found, Sanction, query, show_sanction)


@blueprint.route("/sanctions/<sanction_id>", methods=["GET"])
@for_roles(*EVERYONE)
@blueprint.response(200, SanctionSchema)
def read_sanction(sanction_id: str) -> dict[str, Any]:
    """One sanction with its history."""
    return show_sanction(reachable_sanction(sanction_id))


@blueprint.route("/sanctions/<sanction_id>/decision", methods=["POST"])
@for_roles("city_officer")
@blueprint.arguments(DecideSchema)
@blueprint.response(200, SanctionSchema)
def decide(body: dict[str, Any], sanction_id: str) -> dict[str, Any]:
    """The city imposes or drops what another officer proposed; a termination ends the listing at once."""
    verb = sanctions.decide if body["decision"] == "impose" else sanctions.drop
    return show_sanction(verb(act(), reachable_sanction(sanction_id), body["reason"]))


@blueprint.route("/sanctions/<sanction_id>/cure", methods=["POST"])
@for_roles("base_clerk")
@blueprint.arguments(CureSchema)
@blueprint.response(200, SanctionSchema)
def report_cure(body: dict[str, Any], sanction_id: str) -> dict[str, Any]:
    """The base reports what it has put right."""
    return show_sanction(cures.report_cure(act(), reachable_sanction(sanction_id), body["report"]))


@blueprint.route("/sanctions/<sanction_id>/acceptance", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(AcceptanceSchema)
@blueprint.response(200, SanctionSchema)
def accept_cure(body: dict[str, Any], sanction_id: str) -> dict[str, Any]:
    """Accept the cure, or not; never by the person who imposed the sanction."""
    verb = cures.accept_cure if body["outcome"] == "accepted" else cures.refuse_cure
    return show_sanction(verb(act(), reachable_sanction(sanction_id), body["reason"]))


@blueprint.route("/sanctions/<sanction_id>/escalation", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(ReasonSchema)
@blueprint.response(201, SanctionSchema)
def escalate(body: dict[str, Any], sanction_id: str) -> dict[str, Any]:
    """Take the next step of the ladder because the cure is overdue; answers with the new sanction."""
    return show_sanction(cures.escalate(act(), reachable_sanction(sanction_id), body["reason"]))


@blueprint.route("/sanctions/<sanction_id>/lifting", methods=["POST"])
@for_roles("city_officer")
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, SanctionSchema)
def lift(body: dict[str, Any], sanction_id: str) -> dict[str, Any]:
    """Lift a sanction and what it still holds back, before its time."""
    return show_sanction(cures.lift(act(), reachable_sanction(sanction_id), body["reason"]))
