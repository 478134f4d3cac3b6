"""Endpoints for people (学员): found by citizen ID, settled, served, read and corrected, each for a reason.

Identity numbers come in a body and never in an address. Only the federation of the division where a
person lives or was trained reaches them; everybody else is told that there is nobody.
"""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from api import limits
from api.bodies import Prose, Text
from api.callers import API_PREFIX, OFFICERS, act, for_roles
from api.employments import (
    EmploymentFactsSchema,
    EmploymentSchema,
    HeldCertificateSchema,
    HeldFactsSchema,
    facts_of,
    known_person,
    show_employment,
    show_held,
)
from api.files import PDF, attachment
from api.lists import PageQuery, page, page_of
from api.person_files import (
    CorrectionRequestSchema,
    PersonFileSchema,
    ServiceSchema,
    show_correction,
    show_file,
    show_service,
)
from api.person_papers import draw_file
from api.shapes import ReasonSchema
from skills_registry import employment, people, person_files
from skills_registry.certification import held as held_certificates
from skills_registry.certification.held import Held
from skills_registry.employment import SERVICES, ServiceEntry
from skills_registry.foundation.identifiers import masked_citizen_id
from skills_registry.foundation.storage import require_found
from skills_registry.people import Person
from skills_registry.person_files import CORRECTABLE, CORRECTION_REQUEST, CorrectionRequest, PersonFile
from skills_registry.person_files.corrections import ASKED_BY
from skills_registry.person_files.gathering import ServiceGiven

blueprint = Blueprint("people", __name__, url_prefix=API_PREFIX, description="一人一档 (people)")


class PersonSearchSchema(ReasonSchema):
    """Whom to look for, and why."""

    citizen_id = Text(required=True, validate=validate.Length(1, 40))


class SettlingSchema(PersonSearchSchema):
    """Where somebody lives; the person is entered if new."""

    name = Text(required=True, validate=validate.Length(1, 100))
    division_code = Text(required=True, validate=validate.Regexp(r"^[0-9]{6}$"))
    since = fields.Date(required=True)


class PersonSchema(Schema):
    """Somebody on record; the ID number is masked."""

    id = fields.String()
    name = fields.String()
    citizen_id = fields.String()


class ReadingSchema(ReasonSchema):
    """Why the file is read; ``for_person`` when it is handed to the person or guardian, with whole numbers."""

    for_person = fields.Boolean(load_default=False)


class ServiceGivenSchema(Schema):
    """One of the yearly four services that was given."""

    service = Text(required=True, validate=validate.OneOf(SERVICES))
    given_on = fields.Date(required=True)
    outcome = Prose(load_default="", validate=validate.Length(0, 1000))


class PersonCorrectionSchema(ReasonSchema):
    """What of the record is wrong, what is right, who asks, and what it rests on."""

    field = Text(required=True, validate=validate.OneOf(CORRECTABLE))
    new_value = Text(required=True, validate=validate.Length(1, 100))
    asked_by = Text(required=True, validate=validate.OneOf(ASKED_BY))


class CorrectionQuery(PageQuery):
    """Filters of the list of requests for correction."""

    status = Text(load_default=None, validate=validate.OneOf(CORRECTION_REQUEST.states))


def show_person(person: Person) -> dict[str, Any]:
    """Somebody on record, as an officer who reaches them sees them in a search."""
    vault = act().vault
    citizen_id = masked_citizen_id(people.citizen_id_of(vault, person))
    return {"id": str(person.id), "name": people.name_of(vault, person.id), "citizen_id": citizen_id}


def reachable_service(service_id: str) -> ServiceEntry:
    """The service entry with this id, if its person is the caller's business."""
    entry = require_found(ServiceEntry, service_id)
    person_files.require_reached(act(), entry.person)
    return entry


def reachable_correction(correction_id: str) -> CorrectionRequest:
    """The request with this id, if its person is the caller's business."""
    asked = require_found(CorrectionRequest, correction_id)
    person_files.require_reached(act(), asked.person)
    return asked


@blueprint.route("/people/search", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(PersonSearchSchema)
@blueprint.response(200, PersonSchema)
def search_person(body: dict[str, Any]) -> dict[str, Any]:
    """Find somebody by citizen ID, for a reason; finding nobody leaves a step too."""
    return show_person(person_files.search(act(), body["citizen_id"], body["reason"]))


@blueprint.route("/people", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(SettlingSchema)
@blueprint.response(201, PersonSchema)
def settle_person(body: dict[str, Any]) -> dict[str, Any]:
    """Enter where somebody lives (常住地), in the caller's own division."""
    return show_person(person_files.settle(act(), **body))


@blueprint.route("/people/<person_id>/file", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(ReadingSchema)
@blueprint.response(200, PersonFileSchema)
def read_person_file(body: dict[str, Any], person_id: str) -> dict[str, Any]:
    """A person's file, for a reason that is logged."""
    return show_file(_file_of(person_id, body))


def _file_of(person_id: str, body: dict[str, Any]) -> PersonFile:
    person = known_person(person_id)
    if body["for_person"]:
        limits.note_reveal()
    return person_files.read_file(act(), person, body["reason"], whole=body["for_person"])


@blueprint.route("/people/<person_id>/file.pdf", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(ReadingSchema)
@blueprint.response(200, content_type=PDF)
def print_person_file(body: dict[str, Any], person_id: str) -> Response:
    """A person's file as an accessible PDF, for a reason that is logged."""
    return attachment(draw_file(_file_of(person_id, body)), PDF, "person-file.pdf")


@blueprint.route("/people/<person_id>/services", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(ServiceGivenSchema)
@blueprint.response(201, ServiceSchema)
def record_service(body: dict[str, Any], person_id: str) -> dict[str, Any]:
    """Enter one of the yearly four services (四个一)."""
    return _show_service(employment.record_service(act(), known_person(person_id), **body))


def _show_service(entry: ServiceEntry) -> dict[str, Any]:
    return show_service(ServiceGiven(entry, employment.outcome_of(act().vault, entry)))


@blueprint.route("/services/<service_id>/striking", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, ServiceSchema)
def strike_service(body: dict[str, Any], service_id: str) -> dict[str, Any]:
    """Strike a wrong entry out (作废); it stays readable."""
    return _show_service(employment.strike_service(act(), reachable_service(service_id), body["reason"]))


@blueprint.route("/people/<person_id>/employments", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(EmploymentFactsSchema)
@blueprint.response(201, EmploymentSchema)
def report_employment_of_person(body: dict[str, Any], person_id: str) -> dict[str, Any]:
    """Report that somebody is in work, whoever trained them."""
    return show_employment(employment.report(act(), known_person(person_id), facts_of(body))[0])


@blueprint.route("/people/<person_id>/held-certificates", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(HeldFactsSchema)
@blueprint.response(201, HeldCertificateSchema)
def register_held_of_person(body: dict[str, Any], person_id: str) -> dict[str, Any]:
    """Register a certificate of another body; its number is compared, never refused."""
    return show_held(held_certificates.register(act(), known_person(person_id), Held(**body))[0])


@blueprint.route("/people/<person_id>/corrections", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(PersonCorrectionSchema)
@blueprint.response(201, CorrectionRequestSchema)
def request_correction(body: dict[str, Any], person_id: str) -> dict[str, Any]:
    """Enter a request to correct the record (更正申请); somebody else answers it."""
    return show_correction(person_files.request(act(), known_person(person_id), **body))


@blueprint.route("/corrections", methods=["GET"])
@for_roles(*OFFICERS)
@blueprint.arguments(CorrectionQuery, location="query")
@blueprint.response(200, page_of(CorrectionRequestSchema))
def list_corrections(query: dict[str, Any]) -> dict[str, Any]:
    """The requests about people who are the caller's business; without the values, which a reading shows."""
    reached = person_files.people_reached(act()).select(Person.id)
    found = CorrectionRequest.select().where(CorrectionRequest.person.in_(reached))
    if query["status"]:
        found = found.where(CorrectionRequest.status == query["status"])
    return page(found, CorrectionRequest, query, _without_values)


def _without_values(asked: CorrectionRequest) -> dict[str, Any]:
    return show_correction(asked) | {"old_value": "", "new_value": ""}


@blueprint.route("/corrections/<correction_id>/reading", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, CorrectionRequestSchema)
def read_correction(body: dict[str, Any], correction_id: str) -> dict[str, Any]:
    """One request with both values in clear, for a reason that is logged."""
    asked = reachable_correction(correction_id)
    if asked.field in person_files.NUMBERS_OF_IDENTITY:
        limits.note_reveal()
    return show_correction(person_files.read_request(act(), asked, body["reason"]), whole=True)


@blueprint.route("/corrections/<correction_id>/acceptance", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, CorrectionRequestSchema)
def accept_correction(body: dict[str, Any], correction_id: str) -> dict[str, Any]:
    """Correct the record as asked; by another person than the one who entered the request."""
    return show_correction(person_files.accept(act(), reachable_correction(correction_id), body["reason"]))


@blueprint.route("/corrections/<correction_id>/refusal", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, CorrectionRequestSchema)
def refuse_correction(body: dict[str, Any], correction_id: str) -> dict[str, Any]:
    """The record stays as it is."""
    return show_correction(person_files.refuse(act(), reachable_correction(correction_id), body["reason"]))
