"""Endpoints for assessments (结业考核): sittings planned, changed, called off and held; who sat."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from api.bodies import Prose, Text
from api.callers import API_PREFIX, act, for_roles, require_reach
from api.classes import WarningSchema, reachable_class, show_warning
from api.lists import PageQuery, page, page_of
from api.problems import language
from api.shapes import ReasonSchema, StepSchema, show_step
from skills_registry.foundation.acts import Role
from skills_registry.foundation.lifecycle import steps_of
from skills_registry.foundation.problems import Problem
from skills_registry.foundation.storage import require_found
from skills_registry.training import assessments, sittings
from skills_registry.training.assessments import ASSESSMENT, Assessment, Judge, Plan
from skills_registry.training.sittings import PRESENCES

blueprint = Blueprint("assessments", __name__, url_prefix=API_PREFIX, description="结业考核 (assessments)")

READERS: tuple[Role, ...] = ("base_clerk", "county_officer", "city_officer", "auditor")


class ExaminerSchema(Schema):
    """An examiner: ``teacher_id`` of the base's roster, or ``name`` and ``organisation`` of an outsider."""

    teacher_id = fields.UUID(load_default=None, allow_none=True)
    name = Text(load_default="", validate=validate.Length(0, 100))
    organisation = Text(load_default="", validate=validate.Length(0, 120))


class SittingPlanSchema(Schema):
    """When, where, in which papers, by whom; without ``papers`` it is all of the class's."""

    held_on = fields.Date(required=True)
    held_until = fields.Date(load_default=None, allow_none=True)
    place = Text(required=True, validate=validate.Length(1, 120))
    papers = fields.List(Text(validate=validate.Length(1, 30)), load_default=None, allow_none=True)
    examiners = fields.List(fields.Nested(ExaminerSchema), required=True, validate=validate.Length(1, 20))


class SittingChangeSchema(SittingPlanSchema):
    """The new plan of a sitting, and why it changes."""

    reason = Prose(required=True, validate=validate.Length(1, 500))


class PresenceSchema(Schema):
    """How somebody who was due was there."""

    enrolment_id = fields.UUID(required=True)
    presence = Text(required=True, validate=validate.OneOf(PRESENCES))


class PresenceCorrectionSchema(PresenceSchema):
    """How somebody was really there, and why it was wrong."""

    reason = Prose(required=True, validate=validate.Length(1, 500))


class HoldingSchema(Schema):
    """Who did not simply sit the assessment; everyone else who was due did."""

    presences = fields.List(fields.Nested(PresenceSchema), load_default=list)


class CandidateSchema(Schema):
    """Somebody due at a sitting, by the row of the roster."""

    enrolment_id = fields.String()
    row = fields.Integer(metadata={"description": "花名册行号"})
    presence = fields.String(allow_none=True, metadata={"description": "登记前为空"})
    presence_text = fields.String(allow_none=True)


class AssessmentSchema(Schema):
    """One sitting; names of examiners go to those whose business the base is."""

    id = fields.String()
    class_id = fields.String()
    sitting = fields.Integer(metadata={"description": "1为首次考核，其后为补考"})
    status = fields.String()
    status_text = fields.String()
    held_on = fields.Date()
    held_until = fields.Date()
    place = fields.String()
    papers = fields.List(fields.String())
    examiners = fields.List(fields.Nested(ExaminerSchema))
    warnings = fields.List(fields.Nested(WarningSchema))


class WholeAssessmentSchema(AssessmentSchema):
    """One sitting with who is due, or was, and its history."""

    candidates = fields.List(fields.Nested(CandidateSchema))
    steps = fields.List(fields.Nested(StepSchema))


def show_assessment(assessment: Assessment, warnings: list[Problem] | None = None) -> dict[str, Any]:
    """A sitting as the API answers it, in a list."""
    found = assessments.doubts_about(assessment) if warnings is None else warnings
    days = ("sitting", "status", "held_on", "held_until", "place", "papers")
    return {name: getattr(assessment, name) for name in days} | {
        "id": str(assessment.id),
        "class_id": str(assessment.training_class_id),
        "status_text": ASSESSMENT.states[assessment.status][language() == "en"],
        "examiners": [
            {"teacher_id": judge.teacher, "name": judge.name, "organisation": judge.organisation}
            for judge in assessments.examiners_of(act().vault, assessment)
        ],
        "warnings": [show_warning(problem) for problem in found],
    }


def show_whole_assessment(assessment: Assessment) -> dict[str, Any]:
    """A sitting with its candidates and history."""
    return show_assessment(assessment) | {
        "candidates": _candidates(assessment),
        "steps": [show_step(step) for step in steps_of(assessment.id)],
    }


def _candidates(assessment: Assessment) -> list[dict[str, Any]]:
    if assessment.status == "planned":
        due = sittings.due_at(act(), assessment)
        return [_show_candidate(enrolment.id, enrolment.roster_row, None) for enrolment in due]
    return [
        _show_candidate(candidate.enrolment_id, candidate.enrolment.roster_row, candidate.presence)
        for candidate in sittings.candidates_of(assessment)
    ]


def _show_candidate(enrolment_id: UUID, row: int, presence: str | None) -> dict[str, Any]:
    words = PRESENCES[presence][language() == "en"] if presence else None
    return {"enrolment_id": str(enrolment_id), "row": row, "presence": presence, "presence_text": words}


def reachable_assessment(assessment_id: str) -> Assessment:
    """The sitting with this id, if its base is the caller's business."""
    assessment = require_found(Assessment, assessment_id)
    require_reach(assessment.training_class.base)
    return assessment


def _plan(body: dict[str, Any]) -> Plan:
    judges = [Judge(line["teacher_id"], line["name"], line["organisation"]) for line in body["examiners"]]
    return Plan(body["held_on"], body["place"], judges, body["held_until"], body["papers"])


@blueprint.route("/classes/<class_id>/assessments", methods=["GET"])
@for_roles(*READERS)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_of(AssessmentSchema))
def list_assessments(query: dict[str, Any], class_id: str) -> dict[str, Any]:
    """The sittings of a class, called off ones too, in the order of their planning."""
    found = assessments.assessments_of(reachable_class(class_id))
    return page(found, Assessment, query, show_assessment)


@blueprint.route("/classes/<class_id>/assessments", methods=["POST"])
@for_roles("base_clerk")
@blueprint.arguments(SittingPlanSchema)
@blueprint.response(201, AssessmentSchema)
def plan_assessment(body: dict[str, Any], class_id: str) -> dict[str, Any]:
    """Tell of the next sitting of a class; warnings are for the county officer."""
    planned, warnings = assessments.plan_assessment(act(), reachable_class(class_id), _plan(body))
    return show_assessment(planned, warnings)


@blueprint.route("/assessments/<assessment_id>", methods=["GET"])
@for_roles(*READERS)
@blueprint.response(200, WholeAssessmentSchema)
def read_assessment(assessment_id: str) -> dict[str, Any]:
    """One sitting with who is due, or was, and its history."""
    return show_whole_assessment(reachable_assessment(assessment_id))


@blueprint.route("/assessments/<assessment_id>/change", methods=["POST"])
@for_roles("base_clerk")
@blueprint.arguments(SittingChangeSchema)
@blueprint.response(200, AssessmentSchema)
def change_assessment(body: dict[str, Any], assessment_id: str) -> dict[str, Any]:
    """Change day, place, papers or examiners of a planned sitting, with a reason."""
    assessment = reachable_assessment(assessment_id)
    return show_assessment(*assessments.change_plan(act(), assessment, _plan(body), body["reason"]))


@blueprint.route("/assessments/<assessment_id>/cancellation", methods=["POST"])
@for_roles("base_clerk", "county_officer")
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, AssessmentSchema)
def call_off_assessment(body: dict[str, Any], assessment_id: str) -> dict[str, Any]:
    """Call a planned sitting off, with a reason."""
    return show_assessment(assessments.call_off(act(), reachable_assessment(assessment_id), body["reason"]))


@blueprint.route("/assessments/<assessment_id>/holding", methods=["POST"])
@for_roles("base_clerk")
@blueprint.arguments(HoldingSchema)
@blueprint.response(200, WholeAssessmentSchema)
def hold_assessment(body: dict[str, Any], assessment_id: str) -> dict[str, Any]:
    """Record that a sitting was held, and who was absent or excused."""
    presences = {line["enrolment_id"]: line["presence"] for line in body["presences"]}
    held = sittings.hold_assessment(act(), reachable_assessment(assessment_id), presences)
    return show_whole_assessment(held)


@blueprint.route("/assessments/<assessment_id>/presence", methods=["POST"])
@for_roles("base_clerk", "county_officer")
@blueprint.arguments(PresenceCorrectionSchema)
@blueprint.response(200, WholeAssessmentSchema)
def correct_presence(body: dict[str, Any], assessment_id: str) -> dict[str, Any]:
    """Correct whether somebody sat a sitting, with a reason; old and new stay as a trace."""
    assessment = reachable_assessment(assessment_id)
    sittings.correct_presence(act(), assessment, body["enrolment_id"], body["presence"], body["reason"])
    return show_whole_assessment(assessment)
