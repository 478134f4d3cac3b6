"""Endpoints for the protection of personal data: a whole ID number for a reason, erasure on request.

A reveal is counted by account in a class of its own, and the audit tells it as a reading of ``citizen_id``.
"""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from api import limits
from api.bodies import Text
from api.callers import API_PREFIX, OFFICERS, act, for_roles, services
from api.employments import known_person
from api.lists import PageQuery, page, page_of
from api.shapes import ReasonSchema
from skills_registry import person_files, safeguards
from skills_registry.foundation.storage import require_found
from skills_registry.people import Person
from skills_registry.safeguards import ASKED_BY, ERASURE, Erasure

blueprint = Blueprint("safeguards", __name__, url_prefix=API_PREFIX, description="个人信息保护 (safeguards)")


class WholeNumberSchema(Schema):
    """A whole ID number, once."""

    citizen_id = fields.String()


class ErasureRequestSchema(ReasonSchema):
    """Who asks to be erased, and what the request rests on."""

    asked_by = Text(required=True, validate=validate.OneOf(ASKED_BY))


class ErasureSchema(Schema):
    """One request for erasure; it names the person by id only."""

    id = fields.String()
    person_id = fields.String()
    asked_by = fields.String()
    status = fields.String()
    status_text = fields.String()
    requested_at = fields.DateTime()


class ErasureQuery(PageQuery):
    """Filters of the list of requests for erasure."""

    status = Text(load_default=None, validate=validate.OneOf(ERASURE.states))


def show_erasure(asked: Erasure) -> dict[str, Any]:
    """A request as officers see it."""
    return {
        "id": str(asked.id),
        "person_id": str(asked.person_id),
        "asked_by": asked.asked_by,
        "status": asked.status,
        "status_text": ERASURE.states[asked.status][0],
        "requested_at": asked.requested_at,
    }


def reachable_erasure(erasure_id: str) -> Erasure:
    """The request with this id, if its person is the caller's business."""
    asked = require_found(Erasure, erasure_id)
    person_files.require_reached(act(), asked.person)
    return asked


@blueprint.route("/people/<person_id>/reveal", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, WholeNumberSchema)
def reveal(body: dict[str, Any], person_id: str) -> dict[str, Any]:
    """A person's whole ID number, for a reason that is logged."""
    person = known_person(person_id)
    limits.note_reveal()
    return {"citizen_id": safeguards.reveal(act(), person, body["reason"])}


@blueprint.route("/people/<person_id>/erasures", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(ErasureRequestSchema)
@blueprint.response(201, ErasureSchema)
def request_erasure(body: dict[str, Any], person_id: str) -> dict[str, Any]:
    """File a person's wish to be erased (删除申请); a city officer other than the filer answers it."""
    return show_erasure(safeguards.request(act(), known_person(person_id), **body))


@blueprint.route("/erasures", methods=["GET"])
@for_roles(*OFFICERS)
@blueprint.arguments(ErasureQuery, location="query")
@blueprint.response(200, page_of(ErasureSchema))
def list_erasures(query: dict[str, Any]) -> dict[str, Any]:
    """The requests about people who are the caller's business."""
    reached = person_files.people_reached(act()).select(Person.id)
    found = Erasure.select().where(Erasure.person.in_(reached))
    if query["status"]:
        found = found.where(Erasure.status == query["status"])
    return page(found, Erasure, query, show_erasure)


@blueprint.route("/erasures/<erasure_id>/carrying-out", methods=["POST"])
@for_roles("city_officer")
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, ErasureSchema)
def carry_out_erasure(body: dict[str, Any], erasure_id: str) -> dict[str, Any]:
    """Erase what no law asks for; certificates stay provable, evidence of money has its years."""
    asked = reachable_erasure(erasure_id)
    return show_erasure(safeguards.carry_out(act(), asked, body["reason"], services().shelf()))


@blueprint.route("/erasures/<erasure_id>/refusal", methods=["POST"])
@for_roles("city_officer")
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, ErasureSchema)
def refuse_erasure(body: dict[str, Any], erasure_id: str) -> dict[str, Any]:
    """Nothing is erased, for a reason that the person can be told."""
    return show_erasure(safeguards.refuse(act(), reachable_erasure(erasure_id), body["reason"]))
