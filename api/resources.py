"""Online training resources (线上培训资源): the city officers' endpoints; everyone's pages are in ``resource_pages``."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from api.bodies import Text
from api.callers import API_PREFIX, EVERYONE, act, for_roles
from api.lists import PageQuery, page, page_of
from api.problems import language
from api.shapes import ReasonSchema, StepSchema, show_step
from api.versions import etag, version_seen
from skills_registry import resources
from skills_registry.foundation.errors import NotFound
from skills_registry.foundation.lifecycle import steps_of
from skills_registry.foundation.storage import require_found
from skills_registry.resources import ACCESS, LONGEST_URL, OUTCOMES, RESOURCE, Entry, Resource

blueprint = Blueprint(
    "resources",
    __name__,
    url_prefix=f"{API_PREFIX}/resources",
    description="线上培训资源 (online resources)",
)


class LinkSchema(Schema):
    """What the last check of the link found; ``dead`` as people are told it on the public page."""

    outcome = fields.String(allow_none=True)
    outcome_text = fields.String(allow_none=True)
    http_status = fields.Integer(allow_none=True)
    checked_at = fields.DateTime(allow_none=True)
    failures = fields.Integer(metadata={"description": "连续失败次数 (failures in a row)"})
    failing_since = fields.Date(allow_none=True)
    dead = fields.Boolean()


class ResourceSchema(Schema):
    """A resource; ``access`` names what makes it accessible, ``trade`` is empty for what serves every trade."""

    id = fields.String(dump_only=True)
    title = Text(required=True, validate=validate.Length(1, 120))
    summary = Text(load_default="", validate=validate.Length(0, 300))
    trade = Text(load_default="", validate=validate.Length(0, 60))
    url = Text(required=True, validate=validate.Length(1, LONGEST_URL))
    provider = Text(required=True, validate=validate.Length(1, 120))
    language = Text(required=True, validate=validate.Length(1, 12))
    language_text = fields.String(dump_only=True)
    access = fields.List(
        Text(validate=validate.OneOf(ACCESS)), load_default=list, validate=validate.Length(0, len(ACCESS))
    )
    status = fields.String(dump_only=True)
    status_text = fields.String(dump_only=True)
    version = fields.Integer(dump_only=True)
    entered_at = fields.DateTime(dump_only=True)
    link = fields.Nested(LinkSchema, dump_only=True)
    steps = fields.List(fields.Nested(StepSchema), dump_only=True)


class ResourceQuery(PageQuery):
    """Filters of the list of resources; ``dead`` lists only those whose link does not open, or only the others."""

    status = Text(load_default=None, validate=validate.OneOf(RESOURCE.states))
    dead = fields.Boolean(load_default=None, metadata={"description": "只列出打不开的（或能打开的）"})


def show_link(resource: Resource) -> dict[str, Any]:
    """What is known of a resource's link."""
    text = OUTCOMES[resource.outcome][language() == "en"] if resource.outcome else None
    columns = ("http_status", "checked_at", "failures", "failing_since")
    return {name: getattr(resource, name) for name in columns} | {
        "outcome": resource.outcome or None,
        "outcome_text": text,
        "dead": resources.is_dead(resource, act().policy, act().today),
    }


def language_name(code: str) -> str:
    """A language of the policy in the caller's language."""
    names = resources.languages(act().policy, act().today).get(code, (code, code))
    return names[language() == "en"]


def show_resource(resource: Resource) -> dict[str, Any]:
    """A resource as the API answers it, in a list."""
    columns = ("title", "summary", "trade", "url", "provider", "language", "status", "version", "entered_at")
    return {name: getattr(resource, name) for name in columns} | {
        "id": str(resource.id),
        "language_text": language_name(resource.language),
        "access": resources.access_of(resource),
        "status_text": RESOURCE.states[resource.status][language() == "en"],
        "link": show_link(resource),
    }


def show_whole_resource(resource: Resource) -> dict[str, Any]:
    """A resource with its history."""
    return show_resource(resource) | {"steps": [show_step(step) for step in steps_of(resource.id)]}


def _mine() -> Any:
    """What the caller may see, as a condition: the city's people all that is theirs, others what is published."""
    code = act().by.division_code
    if act().by.role != "base_clerk" and code.endswith("00"):
        return Resource.division_code == code
    in_this_city = Resource.division_code.startswith(code[:4])
    return (Resource.status == "published") & in_this_city


def reachable_resource(resource_id: str) -> Resource:
    """The resource with this id, if the caller may see it."""
    resource = require_found(Resource, resource_id)
    if not Resource.select().where((Resource.id == resource.id) & _mine()).exists():
        raise NotFound()
    return resource


def _entry(body: dict[str, Any]) -> Entry:
    return Entry(**{**body, "access": tuple(body["access"])})


@blueprint.route("", methods=["GET"])
@for_roles(*EVERYONE)
@blueprint.arguments(ResourceQuery, location="query")
@blueprint.response(200, page_of(ResourceSchema))
def list_resources(query: dict[str, Any]) -> dict[str, Any]:
    """The catalogue: city officers see drafts and dead links too, everyone else what is published."""
    found = Resource.select().where(_mine())
    if query["status"]:
        found = found.where(Resource.status == query["status"])
    if query["dead"] is not None:
        dead = resources.dead_links(act().policy, act().today)
        found = found.where(dead if query["dead"] else ~dead)
    return page(found, Resource, query, show_resource)


@blueprint.route("", methods=["POST"])
@for_roles("city_officer")
@blueprint.arguments(ResourceSchema)
@blueprint.response(201, ResourceSchema)
def draft_resource(body: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Enter a resource; everyone sees it once it is published."""
    resource = resources.draft(act(), _entry(body))
    return show_whole_resource(resource), 201, etag(resource.version)


@blueprint.route("/<resource_id>", methods=["GET"])
@for_roles(*EVERYONE)
@blueprint.response(200, ResourceSchema)
def read_resource(resource_id: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    """One resource with its history and its ETag."""
    resource = reachable_resource(resource_id)
    return show_whole_resource(resource), 200, etag(resource.version)


@blueprint.route("/<resource_id>", methods=["PUT"])
@for_roles("city_officer")
@blueprint.arguments(ResourceSchema)
@blueprint.response(200, ResourceSchema)
def rewrite_resource(body: dict[str, Any], resource_id: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Correct a resource; ``If-Match`` names the version that was read. A new link counts as not yet checked."""
    resource = reachable_resource(resource_id)
    version = version_seen(resource.version)
    written = resources.rewrite(act(), resource, _entry(body), version=version)
    return show_whole_resource(written), 200, etag(written.version)


@blueprint.route("/<resource_id>/publication", methods=["POST"])
@for_roles("city_officer")
@blueprint.response(200, ResourceSchema)
def publish_resource(resource_id: str) -> dict[str, Any]:
    """Show the resource to everyone, also again after a withdrawal."""
    return show_whole_resource(resources.publish(act(), reachable_resource(resource_id)))


@blueprint.route("/<resource_id>/withdrawal", methods=["POST"])
@for_roles("city_officer")
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, ResourceSchema)
def withdraw_resource(body: dict[str, Any], resource_id: str) -> dict[str, Any]:
    """Take the resource off the public list."""
    return show_whole_resource(resources.withdraw(act(), reachable_resource(resource_id), body["reason"]))
