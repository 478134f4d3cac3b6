"""Endpoints for enrolments (报名): who is in a class, one by one, corrections, withdrawals and substitutes."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from api.bodies import Prose, Text
from api.callers import API_PREFIX, OFFICERS, act, for_roles, reachable_bases, require_reach
from api.classes import WarningSchema, reachable_class, show_warning
from api.lists import PageQuery, page, page_of
from api.shapes import ReasonSchema
from certificates.document import fonts
from skills_registry import people
from skills_registry.foundation.identifiers import masked_citizen_id
from skills_registry.foundation.problems import Problem
from skills_registry.foundation.storage import require_found
from skills_registry.training import consents, enrolments, rosters
from skills_registry.training.classes import TrainingClass
from skills_registry.training.consents import MEANS
from skills_registry.training.enrolments import Enrolment, Result

blueprint = Blueprint("enrolments", __name__, url_prefix=API_PREFIX, description="学员报名 (enrolments)")


class TrainingResultSchema(Schema):
    """A result; ``hours`` are hours attended of 45 minutes, a missing score is an absence (缺考)."""

    hours = fields.String()
    scores = fields.Dict(keys=fields.String(), values=fields.String(allow_none=True))
    outcome = fields.String()
    sitting = fields.Integer(
        allow_none=True, metadata={"description": "第几次考核的成绩；没有考核登记时为空"}
    )


class EnrolmentSchema(Schema):
    """A person in a class; the ID number is masked."""

    id = fields.String()
    class_id = fields.String()
    row = fields.Integer(metadata={"description": "花名册行号"})
    name = fields.String()
    citizen_id = fields.String()
    status = fields.String()
    consent = fields.String(allow_none=True, metadata={"description": "知情同意：given、withdrawn 或空"})
    substitutes = fields.String(allow_none=True, metadata={"description": "所替补的报名 id"})
    result = fields.Nested(TrainingResultSchema, allow_none=True)
    warnings = fields.List(fields.Nested(WarningSchema), metadata={"description": "仅在报名和替补时"})


class TraineeConsentSchema(Schema):
    """The trainee's own consent to the handling of their data."""

    given_on = fields.Date(required=True)
    means = Text(required=True, validate=validate.OneOf(MEANS))


class TraineeSchema(Schema):
    """One trainee, with the fields of a roster row; checked as a row is."""

    name = Text(required=True, validate=validate.Length(1, 100))
    citizen_id = Text(required=True, validate=validate.Length(1, 40))
    disability_card = Text(load_default="", validate=validate.Length(0, 40))
    sex = Text(load_default="", validate=validate.Length(0, 10))
    birth_date = fields.Date(load_default=None, allow_none=True)
    phone = Text(load_default="", validate=validate.Length(0, 40))
    education = Text(load_default="", validate=validate.Length(0, 30))
    residence_division = Text(load_default="", validate=validate.Length(0, 60))
    residence = Text(load_default="", validate=validate.Length(0, 200))
    guardian = Text(load_default="", validate=validate.Length(0, 60))
    guardian_phone = Text(load_default="", validate=validate.Length(0, 40))
    wishes = Text(load_default="", validate=validate.Length(0, 200))
    accommodations = fields.List(
        Text(validate=validate.Length(1, 60)), load_default=list, validate=validate.Length(0, 20)
    )
    card_issued_on = fields.Date(load_default=None, allow_none=True)
    consent = fields.Nested(TraineeConsentSchema, load_default=None, allow_none=True)


class SubstituteSchema(ReasonSchema):
    """Who comes in place of the trainee who leaves, and why."""

    trainee = fields.Nested(TraineeSchema, required=True)


class CorrectionSchema(Schema):
    """The right name, and why it was wrong."""

    reason = Prose(load_default="姓名更正", validate=validate.Length(1, 500))
    name = Text(required=True, validate=validate.Length(1, 100))


class DifferenceSchema(Schema):
    """A trainee whose name here is not the name on record."""

    enrolment_id = fields.String()
    row = fields.Integer()
    name = fields.String()
    name_on_record = fields.String()


class DifferencesSchema(Schema):
    """What the county officer has to look at."""

    items = fields.List(fields.Nested(DifferenceSchema))


class EnrolmentQuery(PageQuery):
    """Filters of the list of enrolments."""

    class_id = fields.UUID(load_default=None)


def show_enrolment(enrolment: Enrolment) -> dict[str, Any]:
    """An enrolment as the API answers it to those entitled."""
    vault = act().vault
    result = enrolment.results.where(Result.current).first()
    return {
        "id": str(enrolment.id),
        "class_id": str(enrolment.training_class_id),
        "row": enrolment.roster_row,
        "name": enrolments.name_of(vault, enrolment),
        "citizen_id": masked_citizen_id(people.citizen_id_of(vault, enrolment.person)),
        "status": enrolment.status,
        "consent": given[-1].status if (given := consents.consents_of(enrolment)) else None,
        "substitutes": str(enrolment.substitutes_id) if enrolment.substitutes_id else None,
        "result": result and show_result(result),
    }


def show_result(result: Result) -> dict[str, Any]:
    """A result as the API answers it."""
    return {
        "hours": str(result.hours),
        "scores": result.scores,
        "outcome": result.outcome,
        "sitting": result.assessment.sitting if result.assessment else None,
    }


def show_newcomer(enrolled: tuple[Enrolment, list[Problem]]) -> dict[str, Any]:
    """Somebody who just came, with what is doubtful about them."""
    enrolment, doubts = enrolled
    return show_enrolment(enrolment) | {"warnings": [show_warning(doubt) for doubt in doubts]}


def show_differences(training_class: TrainingClass) -> list[dict[str, Any]]:
    """Whose name in this class is not the name on record, with both names."""
    vault = act().vault
    return [
        {
            "enrolment_id": str(enrolment.id),
            "row": enrolment.roster_row,
            "name": enrolments.name_of(vault, enrolment),
            "name_on_record": people.name_of(vault, person.id),
        }
        for enrolment, person in enrolments.name_differences(training_class)
    ]


def roster_cells(trainee: dict[str, Any]) -> dict[str, Any]:
    """A trainee's fields as the cells of a roster row; what was not entered has no column."""
    consent = trainee.pop("consent") or {}
    accommodations = "、".join(trainee.pop("accommodations"))
    cells = {
        **trainee,
        "accommodations": accommodations,
        "consent_on": consent.get("given_on"),
        "consent_means": consent.get("means"),
    }
    return {field: cell for field, cell in cells.items() if cell}


def reachable_enrolment(enrolment_id: str) -> Enrolment:
    """The enrolment with this id, if its base is the caller's business."""
    enrolment = require_found(Enrolment, enrolment_id)
    require_reach(enrolment.training_class.base)
    return enrolment


@blueprint.route("/enrolments", methods=["GET"])
@for_roles("base_clerk", "county_officer", "city_officer", "auditor")
@blueprint.arguments(EnrolmentQuery, location="query")
@blueprint.response(200, page_of(EnrolmentSchema))
def list_enrolments(query: dict[str, Any]) -> dict[str, Any]:
    """The enrolments of the bases that are the caller's business, or of one class."""
    found = Enrolment.select().join(TrainingClass).where(TrainingClass.base.in_(reachable_bases()))
    if query["class_id"]:
        found = found.where(Enrolment.training_class == query["class_id"])
    return page(found, Enrolment, query, show_enrolment)


@blueprint.route("/enrolments/<enrolment_id>", methods=["GET"])
@for_roles("base_clerk", "county_officer", "city_officer", "auditor")
@blueprint.response(200, EnrolmentSchema)
def read_enrolment(enrolment_id: str) -> dict[str, Any]:
    """One enrolment."""
    return show_enrolment(reachable_enrolment(enrolment_id))


@blueprint.route("/classes/<class_id>/enrolments", methods=["POST"])
@for_roles("base_clerk")
@blueprint.arguments(TraineeSchema)
@blueprint.response(201, EnrolmentSchema)
def enrol_one(body: dict[str, Any], class_id: str) -> dict[str, Any]:
    """Enrol one trainee, checked as a row of a roster is; somebody in the class already stays as they are."""
    training_class = reachable_class(class_id)
    return show_newcomer(
        rosters.enrol_one(act(), training_class, roster_cells(body), uncovered=fonts.uncovered)
    )


@blueprint.route("/enrolments/<enrolment_id>/substitution", methods=["POST"])
@for_roles("base_clerk")
@blueprint.arguments(SubstituteSchema)
@blueprint.response(201, EnrolmentSchema)
def substitute_enrolment(body: dict[str, Any], enrolment_id: str) -> dict[str, Any]:
    """Let somebody take the place of a trainee who leaves (替补): both in one step, with a reason."""
    leaving = reachable_enrolment(enrolment_id)
    cells = roster_cells(body["trainee"])
    return show_newcomer(rosters.substitute(act(), leaving, cells, body["reason"], uncovered=fonts.uncovered))


@blueprint.route("/enrolments/<enrolment_id>/correction", methods=["POST"])
@for_roles("base_clerk", "county_officer")
@blueprint.arguments(CorrectionSchema)
@blueprint.response(200, EnrolmentSchema)
def correct_enrolment(body: dict[str, Any], enrolment_id: str) -> dict[str, Any]:
    """Correct a wrong name before approval; afterwards the certificate is reissued."""
    enrolment = reachable_enrolment(enrolment_id)
    return show_enrolment(enrolments.correct_name(act(), enrolment, body["name"], body["reason"]))


@blueprint.route("/enrolments/<enrolment_id>/withdrawal", methods=["POST"])
@for_roles("base_clerk", "county_officer")
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, EnrolmentSchema)
def withdraw_enrolment(body: dict[str, Any], enrolment_id: str) -> dict[str, Any]:
    """Take a trainee out of the class (退班), with a reason."""
    return show_enrolment(enrolments.withdraw(act(), reachable_enrolment(enrolment_id), body["reason"]))


@blueprint.route("/enrolments/<enrolment_id>/rejoining", methods=["POST"])
@for_roles("base_clerk", "county_officer")
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, EnrolmentSchema)
def rejoin_enrolment(body: dict[str, Any], enrolment_id: str) -> dict[str, Any]:
    """Take a withdrawn trainee back; the warnings are those of a newcomer."""
    return show_newcomer(rosters.take_back(act(), reachable_enrolment(enrolment_id), body["reason"]))


@blueprint.route("/classes/<class_id>/name-differences", methods=["GET"])
@for_roles(*OFFICERS)
@blueprint.response(200, DifferencesSchema)
def name_differences(class_id: str) -> dict[str, Any]:
    """Trainees whose name here differs from the name on record; never shown to the base."""
    return {"items": show_differences(reachable_class(class_id))}
