"""Endpoints for bases (基地) and the listings that were made on paper."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from api.bodies import Prose, Text
from api.callers import API_PREFIX, EVERYONE, OFFICERS, act, for_roles, reachable_bases, require_reach
from api.lists import PageQuery, page, page_of
from api.shapes import ReasonSchema, ScopeSchema
from skills_registry import bases
from skills_registry.bases import Base
from skills_registry.foundation.errors import NotFound
from skills_registry.foundation.storage import require_found

blueprint = Blueprint("bases", __name__, url_prefix=f"{API_PREFIX}/bases", description="基地与挂牌 (bases)")


class ListingSchema(Schema):
    """A period on the list."""

    id = fields.String(dump_only=True)
    plaque_number = Text(required=True, validate=validate.Length(1, 40))
    valid_from = fields.Date(required=True)
    valid_until = fields.Date(required=True)
    basis = Prose(required=True, validate=validate.Length(1, 500), metadata={"description": "文号或依据"})
    scope = fields.List(fields.Nested(ScopeSchema), required=True, validate=validate.Length(1, 200))
    status = fields.String(dump_only=True)
    left_on = fields.Date(dump_only=True, allow_none=True)


class BaseSchema(Schema):
    """A base as its own people and the federation see it."""

    id = fields.String(dump_only=True)
    number = fields.Integer(dump_only=True)
    name = Text(required=True, validate=validate.Length(2, 120))
    public_name = Text(
        load_default="", validate=validate.Length(0, 120), metadata={"description": "印在证书上的中性名称"}
    )
    uscc = Text(required=True, metadata={"description": "统一社会信用代码"})
    kind = Text(load_default="training", validate=validate.OneOf(bases.BASE_KINDS))
    division_code = Text(required=True, validate=validate.Regexp(r"^[0-9]{6}$"))
    listed_today = fields.Boolean(dump_only=True)
    listings = fields.List(fields.Nested(ListingSchema), dump_only=True)


def show_listing(listing: bases.Listing) -> dict[str, Any]:
    """A listing as the API answers it."""
    return {
        **{
            name: getattr(listing, name) for name in ("plaque_number", "valid_from", "valid_until", "left_on")
        },
        "id": str(listing.id),
        "basis": listing.basis,
        "status": listing.status,
        "scope": [
            {"edition": e.edition, "code": e.code, "name": e.name, "highest_level": e.highest_level}
            for e in listing.scope
        ],
    }


def show_base(base: Base) -> dict[str, Any]:
    """A base as the API answers it."""
    return {
        **{
            name: getattr(base, name)
            for name in ("number", "name", "public_name", "uscc", "kind", "division_code")
        },
        "id": str(base.id),
        "listed_today": bases.listing_on(base.id, act().today) is not None,
        "listings": [show_listing(listing) for listing in base.listings],
    }


def reachable_base(base_id: str) -> Base:
    """The base with this id, if it is the caller's business."""
    base = require_found(Base, base_id)
    require_reach(base)
    return base


@blueprint.route("", methods=["GET"])
@for_roles(*EVERYONE)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_of(BaseSchema))
def list_bases(query: dict[str, Any]) -> dict[str, Any]:
    """The bases that are the caller's business."""
    return page(Base.select().where(Base.id.in_(reachable_bases())), Base, query, show_base)


@blueprint.route("", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(BaseSchema)
@blueprint.response(201, BaseSchema)
def register_base(body: dict[str, Any]) -> dict[str, Any]:
    """Enter a base; it is listed only after admission, or by a listing made on paper and confirmed."""
    return show_base(bases.register_base(act(), **body))


@blueprint.route("/<base_id>", methods=["GET"])
@for_roles(*EVERYONE)
@blueprint.response(200, BaseSchema)
def read_base(base_id: str) -> dict[str, Any]:
    """One base with its listings."""
    return show_base(reachable_base(base_id))


@blueprint.route("/<base_id>/listing", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(ListingSchema)
@blueprint.response(201, ListingSchema)
def enter_listing(body: dict[str, Any], base_id: str) -> dict[str, Any]:
    """Enter a listing that was made on paper before go-live; a second officer confirms it."""
    scope = [bases.Trade(**entry) for entry in body.pop("scope")]
    return show_listing(bases.enter_listing(act(), reachable_base(base_id), scope=scope, **body))


@blueprint.route("/<base_id>/listing", methods=["GET"])
@for_roles(*EVERYONE)
@blueprint.response(200, ListingSchema)
def read_listing(base_id: str) -> dict[str, Any]:
    """The listing entered last."""
    return show_listing(_latest(reachable_base(base_id)))


@blueprint.route("/<base_id>/listing/confirmation", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.response(200, ListingSchema)
def confirm_listing(base_id: str) -> dict[str, Any]:
    """Confirm the listing entered last; not by the person who entered it."""
    return show_listing(bases.confirm_listing(act(), _latest(reachable_base(base_id))))


@blueprint.route("/<base_id>/listing/withdrawal", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, BaseSchema)
def withdraw_listing_entry(body: dict[str, Any], base_id: str) -> dict[str, Any]:
    """Take back a listing that was entered by mistake and is not confirmed yet."""
    base = reachable_base(base_id)
    bases.withdraw_entry(act(), _latest(base), body["reason"])
    return show_base(base)


def _latest(base: Base) -> bases.Listing:
    listing = bases.latest_listing(base)
    if listing is None:
        raise NotFound()
    return listing
