"""Endpoints for plaques (挂牌证书) and for the history of a base."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from api.bases import reachable_base
from api.callers import API_PREFIX, act, for_roles, services
from api.certificates import verify_url_for
from api.files import PDF, attachment
from api.lifecycles import ALL
from api.lists import PageQuery, page_of
from api.problems import language
from api.shapes import ReasonSchema, StepSchema, show_step
from certificates import document
from certificates.document import fonts
from skills_registry import bases, history
from skills_registry.bases import Base, Listing
from skills_registry.bases.standing import standing_on
from skills_registry.certification import plaques
from skills_registry.certification.plaques import Plaque
from skills_registry.foundation.errors import NotFound
from skills_registry.foundation.lifecycle import Step

blueprint = Blueprint("plaques", __name__, url_prefix=f"{API_PREFIX}/bases", description="挂牌证书 (plaques)")

_READERS = ("base_clerk", "county_officer", "city_officer", "auditor")
_STATES = {lifecycle.noun: lifecycle.states for lifecycle in ALL}
_NOUNS = {lifecycle.noun: lifecycle.zh for lifecycle in ALL} | {"base": "基地"}


class PlaqueSchema(Schema):
    """A plaque certificate as recorded; ``verify_url`` is what its QR code says."""

    number = fields.String()
    plaque_number = fields.String()
    status = fields.String()
    listing_id = fields.String()
    base_name = fields.String()
    base_kind = fields.String()
    scope = fields.String()
    valid_from = fields.Date()
    issued_on = fields.Date()
    expires_on = fields.Date()
    verify_url = fields.String()
    document_url = fields.String()


class HistoryStepSchema(StepSchema):
    """One step of a base's history: which record it moved, and where that stands now in words."""

    id = fields.String()
    noun = fields.String(metadata={"description": "application, listing, sanction …"})
    noun_text = fields.String()
    record_id = fields.String()
    to_text = fields.String(allow_none=True)


def show_plaque(plaque: Plaque) -> dict[str, Any]:
    """A plaque certificate as the API answers it."""
    columns = ("number", "plaque_number", "status", "base_name", "base_kind", "scope")
    days = ("valid_from", "issued_on", "expires_on")
    return {name: getattr(plaque, name) for name in (*columns, *days)} | {
        "listing_id": str(plaque.listing_id),
        "verify_url": plaque_url(plaque),
        "document_url": f"{API_PREFIX}/bases/{plaque.base_id}/plaque",
    }


def plaque_url(plaque: Plaque) -> str:
    """What the plaque's QR code says."""
    return verify_url_for(services(), plaque)


def show_history_step(step: Step) -> dict[str, Any]:
    """A step of the history; a base does not learn which account or which expert's words stand behind it."""
    english, for_base = language() == "en", act().by.role == "base_clerk"
    shown = show_step(step) | {
        "id": str(step.id),
        "noun": step.noun,
        "noun_text": step.noun.replace("_", " ") if english else _NOUNS.get(step.noun, step.noun),
        "record_id": str(step.record_id),
        "to_text": _STATES[step.noun][step.to][english] if step.to and step.noun in _STATES else None,
    }
    if for_base:
        shown["by_account"] = None
        shown["reason"] = "" if step.by_role == "expert" else step.reason
    return shown


def _listing_of(base: Base) -> Listing:
    """The listing that a plaque is made for: in force or to come, else the one entered last."""
    listing = standing_on(base, act().today).listing or bases.latest_listing(base)
    if listing is None:
        raise NotFound(
            code="no_listing",
            zh="该基地还没有挂牌。",
            en="This base has not been listed yet.",
        )
    return listing


def _plaque_of(base_id: str) -> Plaque:
    plaque = plaques.plaque_of(_listing_of(reachable_base(base_id)))
    if plaque is None:
        raise NotFound(
            code="no_plaque",
            zh="这次挂牌还没有制作挂牌证书，请市残联先制作。",
            en="No plaque has been issued for this listing yet; the city office issues it first.",
        )
    return plaque


@blueprint.route("/<base_id>/plaque", methods=["POST"])
@for_roles("city_officer")
@blueprint.response(201, PlaqueSchema)
def issue_plaque(base_id: str) -> dict[str, Any]:
    """Record and sign the plaque certificate of the base's listing; issued before, the same one."""
    listing = _listing_of(reachable_base(base_id))
    return show_plaque(plaques.issue(act(), listing, services().signer(), fonts.uncovered))


@blueprint.route("/<base_id>/plaque", methods=["GET"])
@for_roles(*_READERS)
@blueprint.response(200, content_type=PDF)
def draw_plaque(base_id: str) -> Response:
    """The plaque certificate as an accessible PDF; drawn from the record, the same bytes every time."""
    plaque = _plaque_of(base_id)
    content = document.draw(plaques.printed_of(plaque), plaque_url(plaque))
    return attachment(content, PDF, f"{plaque.number}.pdf")


@blueprint.route("/<base_id>/plaque/revocation", methods=["POST"])
@for_roles("city_officer")
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, PlaqueSchema)
def revoke_plaque(body: dict[str, Any], base_id: str) -> dict[str, Any]:
    """Withdraw a plaque certificate that is wrong or lost; the listing stands, and a new one may be issued."""
    return show_plaque(plaques.revoke(act(), _plaque_of(base_id), body["reason"]))


@blueprint.route("/<base_id>/history", methods=["GET"])
@for_roles(*_READERS)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_of(HistoryStepSchema))
def read_history(query: dict[str, Any], base_id: str) -> dict[str, Any]:
    """Every step in the life of a base, in order of time: admission, listing, evaluation, sanctions, exit."""
    found = history.history_of(reachable_base(base_id), after=query["after"])
    steps = list(found.limit(query["limit"] + 1))
    shown, more = steps[: query["limit"]], len(steps) > query["limit"]
    return {"items": [show_history_step(step) for step in shown], "next": str(shown[-1].id) if more else None}
