"""Endpoints for appeals (申诉): filed by the base, decided by a city officer who took no part."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from api.bodies import Prose, Text
from api.callers import API_PREFIX, EVERYONE, act, for_roles, reachable_bases, require_reach
from api.lists import PageQuery, page, page_of
from api.problems import language
from api.shapes import ReasonSchema, StepSchema, show_step
from skills_registry.evaluation import GRADES
from skills_registry.exits import APPEAL, Appeal, appeals
from skills_registry.exits.appeals import SUBJECTS
from skills_registry.foundation.errors import NotAllowed, NotFound
from skills_registry.foundation.lifecycle import steps_of
from skills_registry.foundation.storage import require_found

blueprint = Blueprint("appeals", __name__, url_prefix=f"{API_PREFIX}/appeals", description="申诉 (appeals)")


class AppealSchema(Schema):
    """An appeal against one decision: of which kind, against which record, on which grounds."""

    id = fields.String(dump_only=True)
    base_id = fields.String(dump_only=True)
    base_name = fields.String(dump_only=True)
    subject = Text(required=True, validate=validate.OneOf(SUBJECTS))
    subject_text = fields.String(dump_only=True)
    subject_id = fields.UUID(required=True)
    grounds = Prose(required=True, validate=validate.Length(1, 2000))
    status = fields.String(dump_only=True)
    status_text = fields.String(dump_only=True)
    steps = fields.List(fields.Nested(StepSchema), dump_only=True)


class OutcomeSchema(ReasonSchema):
    """The decision upheld or overturned; ``grade`` is the better grade where a grade is overturned."""

    outcome = Text(required=True, validate=validate.OneOf(["upheld", "overturned"]))
    grade = Text(load_default="", validate=validate.OneOf(["", *GRADES]))


class AppealQuery(PageQuery):
    """Filters of the list of appeals."""

    status = Text(load_default=None, validate=validate.OneOf(APPEAL.states))


def show_appeal(appeal: Appeal) -> dict[str, Any]:
    """An appeal as the API answers it."""
    english = language() == "en"
    kind = SUBJECTS[appeal.subject]
    return {
        **{name: getattr(appeal, name) for name in ("subject", "subject_id", "grounds", "status")},
        "id": str(appeal.id),
        "base_id": str(appeal.base_id),
        "base_name": appeal.base.name,
        "subject_text": kind.en if english else kind.zh,
        "status_text": APPEAL.states[appeal.status][english],
        "steps": [show_step(step) for step in steps_of(appeal.id)],
    }


def reachable_appeal(appeal_id: str) -> Appeal:
    """The appeal with this id, if its base is the caller's business."""
    appeal = require_found(Appeal, appeal_id)
    require_reach(appeal.base)
    return appeal


@blueprint.route("", methods=["GET"])
@for_roles(*EVERYONE)
@blueprint.arguments(AppealQuery, location="query")
@blueprint.response(200, page_of(AppealSchema))
def list_appeals(query: dict[str, Any]) -> dict[str, Any]:
    """The appeals of the bases that are the caller's business."""
    found = appeals.appeals_of_bases(reachable_bases())
    if query["status"]:
        found = found.where(Appeal.status == query["status"])
    return page(found, Appeal, query, show_appeal)


@blueprint.route("", methods=["POST"])
@for_roles("base_clerk")
@blueprint.arguments(AppealSchema)
@blueprint.response(201, AppealSchema)
def file_appeal(body: dict[str, Any]) -> dict[str, Any]:
    """The base appeals, in time and once, against a refusal, a sanction or a grade of its own."""
    try:
        return show_appeal(appeals.file_appeal(act(), body["subject"], body["subject_id"], body["grounds"]))
    except NotAllowed as refusal:
        # What is decided about another base answers as if it were not there.
        raise NotFound() from refusal


@blueprint.route("/<appeal_id>", methods=["GET"])
@for_roles(*EVERYONE)
@blueprint.response(200, AppealSchema)
def read_appeal(appeal_id: str) -> dict[str, Any]:
    """One appeal with its history."""
    return show_appeal(reachable_appeal(appeal_id))


@blueprint.route("/<appeal_id>", methods=["DELETE"])
@for_roles("base_clerk")
@blueprint.response(200, AppealSchema)
def withdraw(appeal_id: str) -> dict[str, Any]:
    """The base takes its appeal back; there is no second one."""
    return show_appeal(appeals.withdraw(act(), reachable_appeal(appeal_id)))


@blueprint.route("/<appeal_id>/decision", methods=["POST"])
@for_roles("city_officer")
@blueprint.arguments(OutcomeSchema)
@blueprint.response(200, AppealSchema)
def decide(body: dict[str, Any], appeal_id: str) -> dict[str, Any]:
    """Uphold or overturn, with effect on the base's standing; by nobody who took part before."""
    appeal = reachable_appeal(appeal_id)
    return show_appeal(appeals.decide(act(), appeal, body["outcome"], body["reason"], grade=body["grade"]))
