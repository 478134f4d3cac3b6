"""Endpoints for timetables (课程表): set by list or by sheet before the opening, read in every version."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from flask import Response
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from api.bodies import Text
from api.callers import API_PREFIX, EVERYONE, act, for_roles
from api.classes import WarningSchema, reachable_class, show_warning
from api.files import XLSX, attachment
from api.problems import language
from api.uploads import FileSchema, UploadSchema, staged
from skills_registry.bases.entries import Site, Teacher, teacher_name
from skills_registry.foundation.acts import Role
from skills_registry.foundation.errors import NotFound
from skills_registry.training import timetable, timetable_rules, timetable_sheets
from skills_registry.training.classes import TrainingClass
from skills_registry.training.timetable import SESSION, Session
from skills_registry.training.timetable_rules import SESSION_KINDS, Finding, PlannedSession
from skills_registry.training.timetable_sheets import LONGEST_CONTENT, LONGEST_PLACE

blueprint = Blueprint("timetable", __name__, url_prefix=API_PREFIX, description="课程表 (timetables)")

READERS: tuple[Role, ...] = ("base_clerk", "county_officer", "city_officer", "auditor")

_TIME = validate.Regexp(r"^([01][0-9]|2[0-3]):[0-5][0-9]$")


class TimetableSessionSchema(Schema):
    """One session; ``class_hours`` of 45 minutes, times of day as "HH:MM"."""

    id = fields.String(dump_only=True)
    on = fields.Date(required=True)
    starts_at = Text(required=True, validate=_TIME)
    ends_at = Text(required=True, validate=_TIME)
    class_hours = fields.Decimal(required=True, as_string=True, validate=validate.Range(0, 24))
    content = Text(required=True, validate=validate.Length(1, LONGEST_CONTENT))
    kind = Text(required=True, validate=validate.OneOf(SESSION_KINDS))
    kind_text = fields.String(dump_only=True)
    site_id = fields.UUID(load_default=None, allow_none=True)
    site_name = fields.String(dump_only=True)
    place = Text(load_default="", validate=validate.Length(0, LONGEST_PLACE))
    teacher_id = fields.UUID(load_default=None, allow_none=True)
    teacher_name = fields.String(dump_only=True)
    status = fields.String(dump_only=True)
    status_text = fields.String(dump_only=True)
    is_new = fields.Boolean(dump_only=True, metadata={"description": "变更中新增的课次"})


class TimetableSessionsSchema(Schema):
    """A whole timetable as it is to be."""

    sessions = fields.List(
        fields.Nested(TimetableSessionSchema),
        required=True,
        validate=validate.Length(1, timetable.MOST_SESSIONS),
    )


class TimetableVersionSchema(Schema):
    """One version of a timetable."""

    version = fields.Integer()
    reason = fields.String()
    made_at = fields.DateTime(allow_none=True)


class TimetableWarningSchema(WarningSchema):
    """Something to look at: of one session, by its place in the list, or of the whole (0)."""

    row = fields.Integer()


class TimetableSchema(TimetableVersionSchema):
    """A timetable in one version, with its hours by kind; version 0 has no sessions yet."""

    class_id = fields.String()
    sessions = fields.List(fields.Nested(TimetableSessionSchema))
    hours = fields.Dict(keys=fields.String(), values=fields.String())
    warnings = fields.List(fields.Nested(TimetableWarningSchema))


class TimetableVersionsSchema(Schema):
    """The versions of a timetable, the oldest first."""

    items = fields.List(fields.Nested(TimetableVersionSchema))


class TimetableVersionQuery(Schema):
    """Which version; by default the one that holds now."""

    version = fields.Integer(load_default=None, validate=validate.Range(1, 100_000))
    lang = fields.String(load_default=None)


def planned_from(sessions: Iterable[dict[str, Any]]) -> list[tuple[int, PlannedSession]]:
    """Sessions of a body, numbered by their places in the list."""
    return timetable.numbered([PlannedSession(**session) for session in sessions])


def show_planned(sessions: Iterable[PlannedSession]) -> list[dict[str, Any]]:
    """Sessions as the API answers them, with the names of teachers and sites."""
    listed = list(sessions)
    sites = _names(Site, {session.site_id for session in listed})
    teachers = _names(Teacher, {session.teacher_id for session in listed})
    return [
        vars(session)
        | {
            "kind_text": SESSION_KINDS[session.kind][language() == "en"],
            "site_name": sites.get(session.site_id, ""),
            "teacher_name": teachers.get(session.teacher_id, ""),
        }
        for session in listed
    ]


def _names(table: type[Site] | type[Teacher], ids: set[UUID | None]) -> dict[UUID | None, str]:
    found = table.select().where(table.id.in_([key for key in ids if key is not None]))
    if table is Site:
        return {site.id: site.name for site in found}
    return {teacher.id: teacher_name(act().vault, teacher) for teacher in found}


def show_sessions(sessions: list[Session]) -> list[dict[str, Any]]:
    """Recorded sessions as the API answers them, with their ids and states."""
    shown = show_planned(timetable.as_planned(session) for session in sessions)
    return [
        planned
        | {
            "id": str(session.id),
            "status": session.status,
            "status_text": SESSION.states[session.status][language() == "en"],
        }
        for planned, session in zip(shown, sessions, strict=True)
    ]


def show_findings(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Findings as the API answers them."""
    return [{"row": number, **show_warning(problem)} for number, problem in findings]


def show_timetable(
    training_class: TrainingClass, version: int | None = None, findings: Iterable[Finding] = ()
) -> dict[str, Any]:
    """The timetable of a class in one version, or as it holds now.

    :raises NotFound: there is no such version.
    """
    versions = {made.version: made for made in timetable.versions_of(training_class)}
    number = version or max(versions, default=0)
    if version is not None and version not in versions:
        raise NotFound()
    sessions = timetable.of_version(training_class, number) if number else []
    planned = [timetable.as_planned(session) for session in sessions]
    doubts = [] if version else timetable.doubts_about(act(), training_class)
    made = versions.get(number)
    return {
        "class_id": str(training_class.id),
        "version": number,
        "reason": made.reason if made else "",
        "made_at": made.made_at if made else None,
        "sessions": show_sessions(sessions),
        "hours": {
            kind: timetable_rules.written(timetable_rules.total(planned, kind)) for kind in SESSION_KINDS
        },
        "warnings": show_findings([*findings, *((0, doubt) for doubt in doubts)]),
    }


@blueprint.route("/timetable-template.xlsx", methods=["GET"])
@for_roles(*EVERYONE)
@blueprint.response(200, content_type=XLSX)
def timetable_template() -> Response:
    """An empty timetable to fill in."""
    return attachment(timetable_sheets.empty_timetable(), XLSX, "timetable-template.xlsx")


@blueprint.route("/classes/<class_id>/timetable", methods=["GET"])
@for_roles(*READERS)
@blueprint.arguments(TimetableVersionQuery, location="query")
@blueprint.response(200, TimetableSchema)
def read_timetable(query: dict[str, Any], class_id: str) -> dict[str, Any]:
    """The timetable of a class as it holds now, or in an earlier version."""
    return show_timetable(reachable_class(class_id), query["version"])


@blueprint.route("/classes/<class_id>/timetable", methods=["POST"])
@for_roles("base_clerk")
@blueprint.arguments(TimetableSessionsSchema)
@blueprint.response(200, TimetableSchema)
def set_timetable(body: dict[str, Any], class_id: str) -> dict[str, Any]:
    """Set the whole timetable of a class that awaits its opening; each change makes a version."""
    training_class = reachable_class(class_id)
    findings = timetable.set_timetable(act(), training_class, planned_from(body["sessions"]))
    return show_timetable(training_class, findings=findings)


@blueprint.route("/classes/<class_id>/timetable/versions", methods=["GET"])
@for_roles(*READERS)
@blueprint.response(200, TimetableVersionsSchema)
def list_versions(class_id: str) -> dict[str, Any]:
    """The versions of a timetable: when each was made, and why."""
    return {"items": timetable.versions_of(reachable_class(class_id))}


@blueprint.route("/classes/<class_id>/timetable.xlsx", methods=["GET"])
@for_roles("base_clerk", "county_officer")
@blueprint.response(200, content_type=XLSX)
def timetable_sheet(class_id: str) -> Response:
    """The timetable as a sheet to fill in or change, with the base's sites and teachers to choose from."""
    training_class = reachable_class(class_id)
    content = timetable_sheets.timetable_sheet(act(), training_class)
    return attachment(content, XLSX, f"timetable-{training_class.filing_no}.xlsx")


@blueprint.route("/classes/<class_id>/timetable-sheet", methods=["POST"])
@for_roles("base_clerk")
@blueprint.arguments(FileSchema, location="files")
@blueprint.response(201, UploadSchema)
def upload_timetable(files: dict[str, Any], class_id: str) -> dict[str, Any]:
    """Stage a timetable (课程表) as a sheet; it holds once the upload is confirmed, whole or not at all."""
    return staged(class_id, "timetable", files)
