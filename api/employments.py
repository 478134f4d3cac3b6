"""Endpoints for employment (就业) and certificates of other bodies: entered with a training or with a person,
confirmed by somebody else. A base enters and sees only what belongs to its own enrolments.
"""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from api.bodies import Text
from api.callers import API_PREFIX, OFFICERS, act, for_roles, reachable_bases
from api.classes import WarningSchema, reachable_class, show_warning
from api.enrolments import reachable_enrolment
from api.files import XLSX, attachment
from api.lists import PageQuery, page, page_of
from api.problems import language
from api.shapes import EDITIONS, ReasonSchema
from api.uploads import FileSchema, UploadSchema, staged
from skills_registry import accounts, employment, person_files
from skills_registry.certification import held as held_certificates
from skills_registry.certification.held import (
    HELD_CERTIFICATE,
    HELD_KINDS,
    HELD_LEVELS,
    Held,
    HeldCertificate,
)
from skills_registry.employment import EMPLOYMENT, FORMS, Employment, Facts
from skills_registry.foundation.acts import Role
from skills_registry.foundation.storage import require_found
from skills_registry.people import Person
from skills_registry.training import enrolments
from skills_registry.training.enrolments import Enrolment

blueprint = Blueprint(
    "employments",
    __name__,
    url_prefix=API_PREFIX,
    description="就业与其他机构证书 (employment, other certificates)",
)

#: Who enters what became of a trainee.
REPORTERS: tuple[Role, ...] = ("base_clerk", *OFFICERS)


class EmploymentFactsSchema(Schema):
    """What is reported of somebody's work; ``evidence`` are kinds of the policy."""

    form = Text(required=True, validate=validate.OneOf(FORMS))
    employer = Text(load_default="", validate=validate.Length(0, 120))
    uscc = Text(load_default="", validate=validate.Length(0, 40))
    started_on = fields.Date(required=True)
    ended_on = fields.Date(load_default=None, allow_none=True)
    evidence = fields.List(
        Text(validate=validate.Length(1, 40)), load_default=[], validate=validate.Length(0, 20)
    )


class EmploymentSchema(EmploymentFactsSchema):
    """One employment; it counts once it is confirmed."""

    id = fields.String(dump_only=True)
    enrolment_id = fields.String(dump_only=True, allow_none=True)
    class_id = fields.String(dump_only=True, allow_none=True)
    name = fields.String(dump_only=True, allow_none=True)
    form_text = fields.String(dump_only=True)
    status = fields.String(dump_only=True)
    status_text = fields.String(dump_only=True)
    warnings = fields.List(fields.Nested(WarningSchema), dump_only=True)


class EmploymentsSchema(Schema):
    """What was reported with one training."""

    items = fields.List(fields.Nested(EmploymentSchema))


class EndSchema(ReasonSchema):
    """The last day of work, and how it is known."""

    ended_on = fields.Date(required=True)


class HeldFactsSchema(Schema):
    """A certificate of another body; ``occupation`` is a name, with ``edition`` and ``code`` where known."""

    kind = Text(required=True, validate=validate.OneOf(HELD_KINDS))
    number = Text(required=True, validate=validate.Length(1, 60))
    issuer = Text(required=True, validate=validate.Length(1, 120))
    occupation = Text(load_default="", validate=validate.Length(0, 60))
    edition = Text(load_default="", validate=validate.OneOf(["", *EDITIONS]))
    code = Text(load_default="", validate=validate.Length(0, 12))
    level = Text(load_default="", validate=validate.OneOf(["", *HELD_LEVELS]))
    issued_on = fields.Date(required=True)
    expires_on = fields.Date(load_default=None, allow_none=True)


class HeldCertificateSchema(HeldFactsSchema):
    """A certificate of another body as registered; ``warnings`` say what does not fit its coding rule."""

    id = fields.String(dump_only=True)
    enrolment_id = fields.String(dump_only=True, allow_none=True)
    kind_text = fields.String(dump_only=True)
    level_text = fields.String(dump_only=True)
    status = fields.String(dump_only=True)
    status_text = fields.String(dump_only=True)
    warnings = fields.List(fields.Nested(WarningSchema), dump_only=True)


class HeldCertificatesSchema(Schema):
    """What was registered with one training."""

    items = fields.List(fields.Nested(HeldCertificateSchema))


class EmploymentQuery(PageQuery):
    """Filters of the list of employments."""

    status = Text(load_default=None, validate=validate.OneOf(EMPLOYMENT.states))
    class_id = fields.UUID(load_default=None)


def show_employment(found: Employment) -> dict[str, Any]:
    """An employment as the API answers it to those entitled."""
    vault, english, enrolment = act().vault, language() == "en", found.enrolment
    return {
        **{name: getattr(found, name) for name in ("form", "started_on", "ended_on", "evidence", "status")},
        "id": str(found.id),
        "enrolment_id": str(enrolment.id) if enrolment else None,
        "class_id": str(enrolment.training_class_id) if enrolment else None,
        "name": enrolments.name_of(vault, enrolment) if enrolment else None,
        "employer": employment.employer_of(vault, found),
        "uscc": employment.uscc_of(vault, found),
        "form_text": FORMS[found.form][english],
        "status_text": EMPLOYMENT.states[found.status][english],
        "warnings": [show_warning(doubt) for doubt in employment.doubts_about(found)],
    }


def show_held(found: HeldCertificate) -> dict[str, Any]:
    """A certificate of another body; what a doubt tells of other people stays with the federation."""
    english = language() == "en"
    doubts = held_certificates.doubts_about(found)
    if act().by.role == "base_clerk":
        doubts = [doubt for doubt in doubts if doubt.code not in held_certificates.OF_OTHERS]
    return {
        **{
            name: getattr(found, name)
            for name in ("kind", "issuer", "level", "issued_on", "expires_on", "status")
        },
        "id": str(found.id),
        "enrolment_id": str(found.enrolment_id) if found.enrolment_id else None,
        "number": held_certificates.number_of(act().vault, found),
        "occupation": found.occupation_name,
        "edition": found.occupation_edition,
        "code": found.occupation_code,
        "kind_text": HELD_KINDS[found.kind][english],
        "level_text": HELD_LEVELS[found.level][english] if found.level else "",
        "status_text": HELD_CERTIFICATE.states[found.status][english],
        "warnings": [show_warning(doubt) for doubt in doubts],
    }


def _require_reach(enrolment: Enrolment | None, person: Person) -> None:
    """The base of the training it was entered with, or the person themself, is this caller's business."""
    if enrolment is not None:
        base = enrolment.training_class.base
        if accounts.may_reach(act().by, base.division_code, base.organisation_id):
            return
    person_files.require_reached(act(), person)


def reachable_employment(employment_id: str) -> Employment:
    """The employment with this id, if it is the caller's business.

    :raises NotFound: it is not.
    """
    found = require_found(Employment, employment_id)
    _require_reach(found.enrolment, found.person)
    return found


def reachable_held(held_id: str) -> HeldCertificate:
    """The registered certificate with this id, if it is the caller's business.

    :raises NotFound: it is not.
    """
    found = require_found(HeldCertificate, held_id)
    _require_reach(found.enrolment, found.person)
    return found


@blueprint.route("/employments", methods=["GET"])
@for_roles(*REPORTERS, "auditor")
@blueprint.arguments(EmploymentQuery, location="query")
@blueprint.response(200, page_of(EmploymentSchema))
def list_employments(query: dict[str, Any]) -> dict[str, Any]:
    """What became of the trainees of the bases that are the caller's business."""
    found = employment.employments_of_bases(reachable_bases())
    if query["status"]:
        found = found.where(Employment.status == query["status"])
    if query["class_id"]:
        found = found.where(Enrolment.training_class == query["class_id"])
    return page(found, Employment, query, show_employment)


@blueprint.route("/employments/<employment_id>", methods=["GET"])
@for_roles(*REPORTERS)
@blueprint.response(200, EmploymentSchema)
def read_employment(employment_id: str) -> dict[str, Any]:
    """One employment."""
    return show_employment(reachable_employment(employment_id))


@blueprint.route("/enrolments/<enrolment_id>/employments", methods=["GET"])
@for_roles(*REPORTERS)
@blueprint.response(200, EmploymentsSchema)
def list_employments_of_enrolment(enrolment_id: str) -> dict[str, Any]:
    """What was reported with one training."""
    enrolment = reachable_enrolment(enrolment_id)
    found = [
        row for row in employment.employments_of(enrolment.person_id) if row.enrolment_id == enrolment.id
    ]
    return {"items": [show_employment(row) for row in found]}


@blueprint.route("/enrolments/<enrolment_id>/employments", methods=["POST"])
@for_roles(*REPORTERS)
@blueprint.arguments(EmploymentFactsSchema)
@blueprint.response(201, EmploymentSchema)
def report_employment(body: dict[str, Any], enrolment_id: str) -> dict[str, Any]:
    """Report that a trainee is in work; warnings are for whoever confirms it."""
    enrolment = reachable_enrolment(enrolment_id)
    return show_employment(employment.report(act(), enrolment.person, facts_of(body), enrolment=enrolment)[0])


def facts_of(body: dict[str, Any]) -> Facts:
    """What a body reports."""
    return Facts(**{**body, "evidence": tuple(dict.fromkeys(body["evidence"]))})


@blueprint.route("/classes/<class_id>/employment", methods=["POST"])
@for_roles("base_clerk")
@blueprint.arguments(FileSchema, location="files")
@blueprint.response(201, UploadSchema)
def upload_follow_up(files: dict[str, Any], class_id: str) -> dict[str, Any]:
    """Stage a follow-up sheet (就业跟踪表); nothing is reported before the upload is confirmed."""
    return staged(class_id, "employment", files)


@blueprint.route("/classes/<class_id>/employment-sheet.xlsx", methods=["GET"])
@for_roles("base_clerk", "county_officer")
@blueprint.response(200, content_type=XLSX)
def follow_up_sheet(class_id: str) -> Response:
    """A follow-up sheet with the trainees of a class and what was reported of them so far."""
    training_class = reachable_class(class_id)
    content = employment.follow_up_sheet(act(), training_class)
    return attachment(content, XLSX, f"employment-{training_class.filing_no}.xlsx")


@blueprint.route("/employments/<employment_id>/confirmation", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, EmploymentSchema)
def confirm_employment(body: dict[str, Any], employment_id: str) -> dict[str, Any]:
    """Another person has checked the evidence; the reason says how (核实)."""
    return show_employment(employment.confirm(act(), reachable_employment(employment_id), body["reason"]))


@blueprint.route("/employments/<employment_id>/refusal", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, EmploymentSchema)
def refuse_employment(body: dict[str, Any], employment_id: str) -> dict[str, Any]:
    """The evidence does not bear it out (核实未通过)."""
    return show_employment(employment.refuse(act(), reachable_employment(employment_id), body["reason"]))


@blueprint.route("/employments/<employment_id>/ending", methods=["POST"])
@for_roles(*REPORTERS)
@blueprint.arguments(EndSchema)
@blueprint.response(200, EmploymentSchema)
def end_employment(body: dict[str, Any], employment_id: str) -> dict[str, Any]:
    """Enter the last day of work (离职)."""
    return show_employment(employment.end(act(), reachable_employment(employment_id), **body))


@blueprint.route("/employments/<employment_id>/striking", methods=["POST"])
@for_roles(*REPORTERS)
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, EmploymentSchema)
def strike_employment(body: dict[str, Any], employment_id: str) -> dict[str, Any]:
    """Strike out what was entered by mistake (作废); it stays readable."""
    return show_employment(employment.strike(act(), reachable_employment(employment_id), body["reason"]))


@blueprint.route("/enrolments/<enrolment_id>/held-certificates", methods=["GET"])
@for_roles(*REPORTERS)
@blueprint.response(200, HeldCertificatesSchema)
def list_held_of_enrolment(enrolment_id: str) -> dict[str, Any]:
    """Certificates of other bodies that were registered with one training."""
    enrolment = reachable_enrolment(enrolment_id)
    found = [
        row for row in held_certificates.held_by(enrolment.person_id) if row.enrolment_id == enrolment.id
    ]
    return {"items": [show_held(row) for row in found]}


@blueprint.route("/enrolments/<enrolment_id>/held-certificates", methods=["POST"])
@for_roles(*REPORTERS)
@blueprint.arguments(HeldFactsSchema)
@blueprint.response(201, HeldCertificateSchema)
def register_held(body: dict[str, Any], enrolment_id: str) -> dict[str, Any]:
    """Register a certificate of another body with a trainee; its number is compared, never refused."""
    enrolment = reachable_enrolment(enrolment_id)
    made, _ = held_certificates.register(act(), enrolment.person, Held(**body), enrolment=enrolment)
    if act().by.role == "base_clerk" and made.enrolment_id != enrolment.id:
        # It is on record already, by others: the base is told what it sent, and nothing of theirs.
        return body | {"enrolment_id": str(enrolment.id), "status": HELD_CERTIFICATE.first, "warnings": []}
    return show_held(made)


@blueprint.route("/held-certificates/<held_id>/verification", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, HeldCertificateSchema)
def verify_held(body: dict[str, Any], held_id: str) -> dict[str, Any]:
    """Another person has compared it with the paper or the national look-up; the reason says with which."""
    return show_held(held_certificates.verify(act(), reachable_held(held_id), body["reason"]))


@blueprint.route("/held-certificates/<held_id>/striking", methods=["POST"])
@for_roles(*REPORTERS)
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, HeldCertificateSchema)
def strike_held(body: dict[str, Any], held_id: str) -> dict[str, Any]:
    """Strike out what was entered by mistake (作废); it stays readable."""
    return show_held(held_certificates.strike(act(), reachable_held(held_id), body["reason"]))


def known_person(person_id: str) -> Person:
    """The person with this id, if their file is the caller's business.

    :raises NotFound: it is not; they answer as an unknown one does.
    """
    person = require_found(Person, person_id)
    person_files.require_reached(act(), person)
    return person
