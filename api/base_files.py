"""Endpoints for the base's file (基地档案): legal person, licence, sites, teachers, equipment.

The file has one version, which is its ``ETag``; a change of what stands there names it in
``If-Match``. Names of people go to those whose business the base is, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import request
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate
from werkzeug.exceptions import PreconditionFailed, PreconditionRequired

from api.bases import reachable_base
from api.bodies import Prose, Text
from api.callers import API_PREFIX, act, for_roles
from api.problems import language
from skills_registry.bases import Base, entries, files
from skills_registry.bases.entries import (
    TENURES,
    Equipment,
    EquipmentFacts,
    Facts,
    Identity,
    Site,
    SiteFacts,
    Teacher,
    TeacherFacts,
)
from skills_registry.foundation.acts import Role
from skills_registry.foundation.errors import NotFound
from skills_registry.foundation.storage import require_found

blueprint = Blueprint(
    "base_files", __name__, url_prefix=f"{API_PREFIX}/bases", description="基地档案 (the base's file)"
)

READERS: tuple[Role, ...] = ("base_clerk", "county_officer", "city_officer", "auditor")

Entry = TypeVar("Entry", Site, Teacher, Equipment)


class IdentitySchema(Schema):
    """The head of the file; the credit code stands in the register."""

    legal_person = Text(load_default="", validate=validate.Length(0, 60))
    licence = Text(load_default="", validate=validate.Length(0, 60))
    licence_until = fields.Date(load_default=None, allow_none=True)
    business_scope = Prose(load_default="", validate=validate.Length(0, 4000))
    registered_on = fields.Date(load_default=None, allow_none=True)


class SiteSchema(Schema):
    """A site: ``area`` in m², ``capacity`` in places; a lease names its last day."""

    id = fields.String(dump_only=True)
    name = Text(required=True, validate=validate.Length(1, 120))
    address = Text(required=True, validate=validate.Length(1, 200))
    area = fields.Integer(required=True, strict=True, validate=validate.Range(1, 1_000_000))
    capacity = fields.Integer(required=True, strict=True, validate=validate.Range(1, 10_000))
    tenure = Text(required=True, validate=validate.OneOf(TENURES))
    tenure_until = fields.Date(load_default=None, allow_none=True)
    accessibility = fields.List(
        fields.String(),
        load_default=list,
        validate=validate.Length(0, 100),
        metadata={"description": "无障碍设施代码"},
    )


class TeacherSchema(Schema):
    """A teacher on the roster."""

    id = fields.String(dump_only=True)
    name = Text(required=True, validate=validate.Length(1, 60))
    qualification = Text(required=True, validate=validate.Length(1, 120))
    level = Text(load_default="", validate=validate.Length(0, 60))
    full_time = fields.Boolean(required=True)
    course = Text(required=True, validate=validate.Length(1, 120))


class EquipmentSchema(Schema):
    """Equipment for training."""

    id = fields.String(dump_only=True)
    name = Text(required=True, validate=validate.Length(1, 120))
    model = Text(load_default="", validate=validate.Length(0, 120))
    quantity = fields.Integer(required=True, strict=True, validate=validate.Range(1, 100_000))


class SitesSchema(Schema):
    """The sites of a base, and the features that a site can have."""

    items = fields.List(fields.Nested(SiteSchema))
    features = fields.List(fields.Dict(keys=fields.String(), values=fields.String()))


class TeachersSchema(Schema):
    """The teachers of a base."""

    items = fields.List(fields.Nested(TeacherSchema))


class EquipmentListSchema(Schema):
    """The equipment of a base."""

    items = fields.List(fields.Nested(EquipmentSchema))


class GapSchema(Schema):
    """Something that an application would lack."""

    code = fields.String()
    message = fields.String()


class FileDocumentSchema(Schema):
    """A document in the file."""

    id = fields.String()
    kind = fields.String()
    digest = fields.String()
    media_type = fields.String()
    size = fields.Integer()


class BaseFileSchema(IdentitySchema):
    """The whole file as those see it whose business the base is."""

    version = fields.Integer()
    name = fields.String()
    uscc = fields.String()
    kind = fields.String()
    division_code = fields.String()
    sites = fields.List(fields.Nested(SiteSchema))
    teachers = fields.List(fields.Nested(TeacherSchema))
    equipment = fields.List(fields.Nested(EquipmentSchema))
    documents = fields.List(fields.Nested(FileDocumentSchema))
    missing = fields.List(fields.Nested(GapSchema))
    licence_until = fields.String(allow_none=True)
    registered_on = fields.String(allow_none=True)


def show_file(base: Base) -> tuple[dict[str, Any], int, dict[str, str]]:
    """The file with its version as ETag."""
    opened = files.open_snapshot(act().vault, files.snapshot(base))
    opened["sites"] = [show_site(site) for site in entries.entries_of(base, Site)]
    gaps = [
        {"code": code, "message": files.MISSING[code][language() == "en"]}
        for code in files.missing(base, act().policy, act().today)
    ]
    return {**opened, "missing": gaps}, 200, etag(base)


def etag(base: Base) -> dict[str, str]:
    """The version of a base's file as a header."""
    return {"ETag": f'"{entries.file_of(base).version}"'}


def version_seen(base: Base) -> int:
    """The version that the caller says to have seen; ``*`` takes whatever stands there.

    :raises PreconditionRequired: ``If-Match`` is missing.
    :raises PreconditionFailed: it is no version of a file.
    """
    if "If-Match" not in request.headers:
        raise PreconditionRequired()
    if request.if_match.star_tag:
        return entries.file_of(base).version
    tags = request.if_match.as_set()
    tag = tags.pop() if len(tags) == 1 else ""
    if not tag.isascii() or not tag.isdigit() or len(tag) > 9:
        raise PreconditionFailed()
    return int(tag)


def reachable_entry(base_id: str, table: type[Entry], entry_id: str) -> Entry:
    """The entry of this base with this id, if the base is the caller's business and it was not taken out."""
    base = reachable_base(base_id)
    entry = require_found(table, entry_id)
    if entry.base_id != base.id or not entry.standing:
        raise NotFound()
    return entry


def show_site(site: Site) -> dict[str, Any]:
    """A site as the API answers it."""
    columns = ("name", "address", "area", "capacity", "tenure", "tenure_until", "accessibility")
    return {name: getattr(site, name) for name in columns} | {"id": str(site.id)}


def show_teacher(teacher: Teacher) -> dict[str, Any]:
    """A teacher as the API answers those whose business the base is."""
    columns = {name: getattr(teacher, name) for name in ("qualification", "level", "full_time", "course")}
    return columns | {"id": str(teacher.id), "name": entries.teacher_name(act().vault, teacher)}


def show_equipment(equipment: Equipment) -> dict[str, Any]:
    """Equipment as the API answers it."""
    columns = {name: getattr(equipment, name) for name in ("name", "model", "quantity")}
    return columns | {"id": str(equipment.id)}


def _change(
    base_id: str, table: type[Entry], entry_id: str, facts: Facts, show: Callable[[Entry], dict[str, Any]]
) -> tuple[dict[str, Any], int, dict[str, str]]:
    entry = reachable_entry(base_id, table, entry_id)
    changed = entries.change(act(), entry, facts, version=version_seen(entry.base))
    return show(changed), 200, etag(entry.base)


def _take_out(base_id: str, table: type[Entry], entry_id: str) -> None:
    entries.take_out(act(), reachable_entry(base_id, table, entry_id))


@blueprint.route("/<base_id>/file", methods=["GET"])
@for_roles(*READERS)
@blueprint.response(200, BaseFileSchema)
def read_file(base_id: str) -> Any:
    """The whole file, its version (ETag), and what an application would still lack."""
    return show_file(reachable_base(base_id))


@blueprint.route("/<base_id>/file", methods=["PUT"])
@for_roles("base_clerk")
@blueprint.arguments(IdentitySchema)
@blueprint.response(200, BaseFileSchema)
def write_file(body: dict[str, Any], base_id: str) -> Any:
    """Write the head of the file anew; ``If-Match`` names the version that was read."""
    base = reachable_base(base_id)
    entries.write_identity(act(), base, Identity(**body), version=version_seen(base))
    return show_file(base)


@blueprint.route("/<base_id>/sites", methods=["GET"])
@for_roles(*READERS)
@blueprint.response(200, SitesSchema)
def list_sites(base_id: str) -> Any:
    """The sites, and the accessibility features that a site can have."""
    base = reachable_base(base_id)
    items = [show_site(site) for site in entries.entries_of(base, Site)]
    features = entries.accessibility_features(act().policy, act().today)
    return {"items": items, "features": features}, 200, etag(base)


@blueprint.route("/<base_id>/sites", methods=["POST"])
@for_roles("base_clerk")
@blueprint.arguments(SiteSchema)
@blueprint.response(201, SiteSchema)
def add_site(body: dict[str, Any], base_id: str) -> dict[str, Any]:
    """Enter a site."""
    return show_site(entries.add_site(act(), reachable_base(base_id), SiteFacts(**body)))


@blueprint.route("/<base_id>/sites/<site_id>", methods=["PUT"])
@for_roles("base_clerk")
@blueprint.arguments(SiteSchema)
@blueprint.response(200, SiteSchema)
def change_site(body: dict[str, Any], base_id: str, site_id: str) -> Any:
    """Write a site anew; ``If-Match`` names the file's version."""
    return _change(base_id, Site, site_id, SiteFacts(**body), show_site)


@blueprint.route("/<base_id>/sites/<site_id>", methods=["DELETE"])
@for_roles("base_clerk")
@blueprint.response(204)
def take_out_site(base_id: str, site_id: str) -> None:
    """Take a site out of the file; earlier snapshots keep it."""
    _take_out(base_id, Site, site_id)


@blueprint.route("/<base_id>/teachers", methods=["GET"])
@for_roles(*READERS)
@blueprint.response(200, TeachersSchema)
def list_teachers(base_id: str) -> Any:
    """The teachers on the roster."""
    base = reachable_base(base_id)
    return {"items": [show_teacher(found) for found in entries.entries_of(base, Teacher)]}, 200, etag(base)


@blueprint.route("/<base_id>/teachers", methods=["POST"])
@for_roles("base_clerk")
@blueprint.arguments(TeacherSchema)
@blueprint.response(201, TeacherSchema)
def add_teacher(body: dict[str, Any], base_id: str) -> dict[str, Any]:
    """Enter a teacher."""
    return show_teacher(entries.add_teacher(act(), reachable_base(base_id), TeacherFacts(**body)))


@blueprint.route("/<base_id>/teachers/<teacher_id>", methods=["PUT"])
@for_roles("base_clerk")
@blueprint.arguments(TeacherSchema)
@blueprint.response(200, TeacherSchema)
def change_teacher(body: dict[str, Any], base_id: str, teacher_id: str) -> Any:
    """Write a teacher anew; ``If-Match`` names the file's version."""
    return _change(base_id, Teacher, teacher_id, TeacherFacts(**body), show_teacher)


@blueprint.route("/<base_id>/teachers/<teacher_id>", methods=["DELETE"])
@for_roles("base_clerk")
@blueprint.response(204)
def take_out_teacher(base_id: str, teacher_id: str) -> None:
    """Take a teacher off the roster; earlier snapshots keep them."""
    _take_out(base_id, Teacher, teacher_id)


@blueprint.route("/<base_id>/equipment", methods=["GET"])
@for_roles(*READERS)
@blueprint.response(200, EquipmentListSchema)
def list_equipment(base_id: str) -> Any:
    """The equipment."""
    base = reachable_base(base_id)
    return {"items": [show_equipment(e) for e in entries.entries_of(base, Equipment)]}, 200, etag(base)


@blueprint.route("/<base_id>/equipment", methods=["POST"])
@for_roles("base_clerk")
@blueprint.arguments(EquipmentSchema)
@blueprint.response(201, EquipmentSchema)
def add_equipment(body: dict[str, Any], base_id: str) -> dict[str, Any]:
    """Enter equipment."""
    return show_equipment(entries.add_equipment(act(), reachable_base(base_id), EquipmentFacts(**body)))


@blueprint.route("/<base_id>/equipment/<equipment_id>", methods=["PUT"])
@for_roles("base_clerk")
@blueprint.arguments(EquipmentSchema)
@blueprint.response(200, EquipmentSchema)
def change_equipment(body: dict[str, Any], base_id: str, equipment_id: str) -> Any:
    """Write equipment anew; ``If-Match`` names the file's version."""
    return _change(base_id, Equipment, equipment_id, EquipmentFacts(**body), show_equipment)


@blueprint.route("/<base_id>/equipment/<equipment_id>", methods=["DELETE"])
@for_roles("base_clerk")
@blueprint.response(204)
def take_out_equipment(base_id: str, equipment_id: str) -> None:
    """Take equipment out of the file; earlier snapshots keep it."""
    _take_out(base_id, Equipment, equipment_id)
