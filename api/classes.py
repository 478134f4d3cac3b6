"""Endpoints for classes (培训班): filing, opening, submission, return and approval."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from api.bodies import Text
from api.callers import (
    API_PREFIX,
    READERS_OF_TRAINING,
    act,
    for_roles,
    reachable_bases,
    require_reach,
    services,
)
from api.lists import PageQuery, page, page_of
from api.problems import language
from api.shapes import OccupationSchema, ReasonSchema, StepSchema, show_step
from certificates.document import fonts
from skills_registry.bases import Base
from skills_registry.certification import issuing
from skills_registry.foundation.errors import FieldRefused
from skills_registry.foundation.levels import LEVELS
from skills_registry.foundation.lifecycle import steps_of
from skills_registry.foundation.problems import Problem
from skills_registry.foundation.storage import require_found
from skills_registry.training import classes, enrolments, opening
from skills_registry.training import filing as filings
from skills_registry.training.classes import TRAINING_CLASS, TrainingClass
from skills_registry.training.filing import Filing, PapersUnusable
from skills_registry.training.opening import Missing
from skills_registry.training.projects import TRAINING_TYPES

blueprint = Blueprint("classes", __name__, url_prefix=f"{API_PREFIX}/classes", description="培训班 (classes)")


class PaperSchema(Schema):
    """One paper of the final assessment."""

    code = Text(required=True, validate=validate.Regexp(r"^[a-z][a-z0-9_]{0,29}$"))
    name = Text(required=True, validate=validate.Length(1, 20))


class WarningSchema(Schema):
    """Something for the county officer to look at; it refuses nothing."""

    code = fields.String()
    severity = fields.String()
    field = fields.String()
    message = fields.String()


class MissingSchema(Schema):
    """Something that the class lacks before its next door; ``refuses`` where the policy demands it."""

    code = fields.String()
    message = fields.String()
    refuses = fields.Boolean()


class ClassSchema(Schema):
    """A class; ``class_hours`` are teaching hours of 45 minutes."""

    id = fields.String(dump_only=True)
    filing_no = fields.String(dump_only=True)
    status = fields.String(dump_only=True)
    status_text = fields.String(dump_only=True)
    base_id = Text(load_default=None)
    base_name = fields.String(dump_only=True)
    title = Text(required=True, validate=validate.Length(1, 120))
    training_type = Text(required=True, validate=validate.OneOf(TRAINING_TYPES))
    project_id = fields.UUID(load_default=None, allow_none=True, metadata={"description": "培训项目"})
    occupation = fields.Nested(OccupationSchema, load_default=None, allow_none=True)
    level = Text(load_default=None, allow_none=True, validate=validate.OneOf(LEVELS))
    course_title = Text(load_default="", validate=validate.Length(0, 120))
    starts_on = fields.Date(required=True)
    ends_on = fields.Date(required=True)
    class_hours = fields.Integer(required=True, strict=True, validate=validate.Range(1, 5000))
    capacity = fields.Integer(required=True, strict=True, validate=validate.Range(1, 2000))
    papers = fields.List(fields.Nested(PaperSchema), load_default=None, validate=validate.Length(1, 8))
    warnings = fields.List(fields.Nested(WarningSchema), dump_only=True)
    counts = fields.Dict(keys=fields.String(), values=fields.Integer(), dump_only=True)
    name_differences = fields.Integer(dump_only=True)
    missing = fields.List(fields.Nested(MissingSchema), dump_only=True)
    steps = fields.List(fields.Nested(StepSchema), dump_only=True)


class NumbersSchema(Schema):
    """The numbers of the certificates that an approval issued."""

    certificates = fields.List(fields.String())
    status = fields.String()


def show_class(training_class: TrainingClass, warnings: list[Problem] | None = None) -> dict[str, Any]:
    """A class as the API answers it, in a list."""
    shown = {
        name: getattr(training_class, name)
        for name in ("filing_no", "status", "title", "training_type", "course_title", "starts_on", "ends_on")
    }
    zh, en = TRAINING_CLASS.states[training_class.status]
    return shown | {
        "id": str(training_class.id),
        "status_text": en if language() == "en" else zh,
        "base_id": str(training_class.base_id),
        "base_name": training_class.base.name,
        "project_id": training_class.project_id,
        "occupation": _show_occupation(training_class),
        "level": training_class.level or None,
        "class_hours": training_class.class_hours,
        "capacity": training_class.capacity,
        "papers": [{"code": code, "name": name} for code, name in training_class.papers.items()],
        "warnings": [show_warning(warning) for warning in warnings or []],
    }


def _show_occupation(training_class: TrainingClass) -> dict[str, str] | None:
    if not training_class.occupation_code:
        return None
    return {
        "edition": training_class.occupation_edition,
        "code": training_class.occupation_code,
        "name": training_class.occupation_name,
    }


def show_warning(found: Problem) -> dict[str, str]:
    """A problem as the API answers it, in the caller's language."""
    return {
        "code": found.code,
        "severity": found.severity,
        "field": found.field,
        "message": found.sentence(language()),
    }


def show_missing(found: Missing) -> dict[str, Any]:
    """Something missing as the API answers it."""
    message = found.en if language() == "en" else found.zh
    return {"code": found.code, "message": message, "refuses": found.refuses}


def show_whole_class(training_class: TrainingClass) -> dict[str, Any]:
    """A class with its counts, what it lacks before its next door, and its history."""
    return show_class(training_class, classes.doubts_about(training_class)) | {
        "counts": enrolments.counts(training_class),
        "name_differences": len(enrolments.name_differences(training_class)),
        "missing": [show_missing(found) for found in opening.missing(act(), training_class)],
        "steps": [show_step(step) for step in steps_of(training_class.id)],
    }


def reachable_class(class_id: str) -> TrainingClass:
    """The class with this id, if its base is the caller's business."""
    training_class = require_found(TrainingClass, class_id)
    require_reach(training_class.base)
    return training_class


class ClassQuery(PageQuery):
    """Filters of the list of classes."""

    status = Text(load_default=None, validate=validate.OneOf(TRAINING_CLASS.states))


@blueprint.route("", methods=["GET"])
@for_roles(*READERS_OF_TRAINING)
@blueprint.arguments(ClassQuery, location="query")
@blueprint.response(200, page_of(ClassSchema))
def list_classes(query: dict[str, Any]) -> dict[str, Any]:
    """The classes of the bases that are the caller's business."""
    found = classes.classes_of_bases(reachable_bases())
    if query["status"]:
        found = found.where(TrainingClass.status == query["status"])
    return page(found, TrainingClass, query, show_class)


def filed(body: dict[str, Any]) -> tuple[TrainingClass, list[Problem]]:
    """The class that a body files for the caller's own base, with what the county should look at.

    :raises FieldRefused: the base is another, or a paper is named twice.
    """
    base = Base.get_or_none(Base.organisation == act().by.organisation_id)
    if base is None or body.pop("base_id") not in (None, str(base.id)):
        raise FieldRefused(field="base_id")
    papers = body.pop("papers")
    if papers is not None and len({paper["code"] for paper in papers}) < len(papers):
        raise PapersUnusable(field="papers")
    project_id = body.pop("project_id")
    filing = Filing(
        project=project_id,
        **{**body, "level": body["level"] or ""},
        papers={paper["code"]: paper["name"] for paper in papers} if papers else None,
    )
    return filings.file_class(act(), base, filing, uncovered=fonts.uncovered)


@blueprint.route("", methods=["POST"])
@for_roles("base_clerk")
@blueprint.arguments(ClassSchema)
@blueprint.response(201, ClassSchema)
def file_class(body: dict[str, Any]) -> dict[str, Any]:
    """File a class (开班备案) of the caller's own base; warnings are for the county officer."""
    return show_class(*filed(body))


@blueprint.route("/<class_id>", methods=["GET"])
@for_roles(*READERS_OF_TRAINING)
@blueprint.response(200, ClassSchema)
def read_class(class_id: str) -> dict[str, Any]:
    """One class with its counts and history."""
    return show_whole_class(reachable_class(class_id))


@blueprint.route("/<class_id>/opening", methods=["POST"])
@for_roles("county_officer")
@blueprint.response(200, ClassSchema)
def open_class(class_id: str) -> dict[str, Any]:
    """The county officer opens a filed class; only then people are enrolled."""
    return show_class(opening.open_class(act(), reachable_class(class_id)))


@blueprint.route("/<class_id>/cancellation", methods=["POST"])
@for_roles("base_clerk", "county_officer")
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, ClassSchema)
def cancel_class(body: dict[str, Any], class_id: str) -> dict[str, Any]:
    """Take a filed class off the plan before it opens."""
    return show_class(classes.cancel_class(act(), reachable_class(class_id), body["reason"]))


@blueprint.route("/<class_id>/submission", methods=["POST"])
@for_roles("base_clerk")
@blueprint.response(200, ClassSchema)
def submit_class(class_id: str) -> dict[str, Any]:
    """The base submits the class; it needs a result or a withdrawal for everyone."""
    return show_whole_class(opening.submit_class(act(), reachable_class(class_id)))


@blueprint.route("/<class_id>/return", methods=["POST"])
@for_roles("city_officer")
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, ClassSchema)
def return_class(body: dict[str, Any], class_id: str) -> dict[str, Any]:
    """The city officer returns a submitted class with reasons."""
    return show_whole_class(classes.return_class(act(), reachable_class(class_id), body["reason"]))


@blueprint.route("/<class_id>/approval", methods=["POST"])
@for_roles("city_officer")
@blueprint.response(200, NumbersSchema)
def approve_class(class_id: str) -> dict[str, Any]:
    """Approve the class and issue its certificates in one step; sent again, the answer is the same."""
    training_class = reachable_class(class_id)
    issued = issuing.issue(act(), training_class, services().signer(), fonts.uncovered)
    return {"certificates": [certificate.number for certificate in issued], "status": "approved"}
