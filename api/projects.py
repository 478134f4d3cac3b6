"""Endpoints for training projects (培训项目): drafted, on notice, announced; the public's pages are in ``project_pages``."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from api.bodies import Prose, Text
from api.callers import API_PREFIX, EVERYONE, OFFICERS, act, for_roles
from api.lists import PageQuery, page, page_of
from api.notices import NoticeSchema, show_notice
from api.problems import language
from api.shapes import OccupationSchema, ReasonSchema, StepSchema, show_step
from api.versions import etag, version_seen
from skills_registry.bases import Base
from skills_registry.foundation.errors import FieldRefused, NotFound
from skills_registry.foundation.levels import LEVELS
from skills_registry.foundation.lifecycle import steps_of
from skills_registry.foundation.storage import require_found
from skills_registry.notices import LONGEST_TEXT
from skills_registry.notices import LONGEST_TITLE as LONGEST_NOTICE_TITLE
from skills_registry.project_progress import Progress, progress_of
from skills_registry.training import project_planning, projects
from skills_registry.training.project_planning import Plan
from skills_registry.training.projects import (
    LONGEST_GROUP,
    LONGEST_TITLE,
    TRAINING_PROJECT,
    TRAINING_TYPES,
    TrainingProject,
)

blueprint = Blueprint(
    "projects", __name__, url_prefix=f"{API_PREFIX}/projects", description="培训项目 (training projects)"
)

#: What of a project the API answers as it stands in the record.
COLUMNS = (
    "year",
    "title",
    "funding_source",
    "training_type",
    "target_group",
    "planned_people",
    "planned_hours",
    "budget",
    "division_code",
    "counties",
    "trades",
    "pass_mark",
    "attendance_percent",
    "announced_on",
    "version",
    "status",
)


class ProjectTradeSchema(OccupationSchema):
    """A trade that the project trains in, and to which level."""

    level = Text(required=True, validate=validate.OneOf(LEVELS))


class ProgressSchema(Schema):
    """How far a project has come, against what was planned."""

    planned_people = fields.Integer()
    classes = fields.Integer()
    places = fields.Integer()
    enrolled = fields.Integer()
    certified = fields.Integer()
    beyond_plan = fields.Boolean(metadata={"description": "在班人数超过计划 (more people than planned)"})


class CarrierSchema(Schema):
    """A base that carries the project out."""

    id = fields.String()
    number = fields.Integer()
    name = fields.String()


class ProjectSchema(Schema):
    """A training project; ``budget`` in whole yuan, ``planned_hours`` of 45 minutes for each class."""

    id = fields.String(dump_only=True)
    year = fields.Integer(required=True, strict=True, validate=validate.Range(2000, 2100))
    title = Text(required=True, validate=validate.Length(1, LONGEST_TITLE))
    funding_source = Text(required=True, validate=validate.Length(1, 40))
    funding_source_text = fields.String(dump_only=True)
    training_type = Text(required=True, validate=validate.OneOf(TRAINING_TYPES))
    training_type_text = fields.String(dump_only=True)
    target_group = Text(required=True, validate=validate.Length(1, LONGEST_GROUP))
    planned_people = fields.Integer(required=True, strict=True, validate=validate.Range(1, 1_000_000))
    planned_hours = fields.Integer(required=True, strict=True, validate=validate.Range(1, 5000))
    budget = fields.Integer(required=True, strict=True, validate=validate.Range(0, 2_000_000_000))
    division_code = fields.String(dump_only=True)
    counties = fields.List(
        Text(validate=validate.Regexp(r"^[0-9]{6}$")), required=True, validate=validate.Length(1, 50)
    )
    trades = fields.List(
        fields.Nested(ProjectTradeSchema), load_default=list, validate=validate.Length(0, 100)
    )
    base_ids = fields.List(fields.UUID(), required=True, load_only=True, validate=validate.Length(1, 200))
    bases = fields.List(fields.Nested(CarrierSchema), dump_only=True)
    pass_mark = fields.Integer(
        load_default=None, allow_none=True, strict=True, validate=validate.Range(1, 1000)
    )
    attendance_percent = fields.Integer(
        load_default=None, allow_none=True, strict=True, validate=validate.Range(1, 100)
    )
    status = fields.String(dump_only=True)
    status_text = fields.String(dump_only=True)
    version = fields.Integer(dump_only=True)
    notice_id = fields.String(dump_only=True, allow_none=True)
    announced_on = fields.Date(dump_only=True, allow_none=True)
    progress = fields.Nested(ProgressSchema, dump_only=True)
    url = fields.String(dump_only=True, metadata={"description": "公开页面"})
    steps = fields.List(fields.Nested(StepSchema), dump_only=True)


class ProjectNoticeSchema(Schema):
    """Title, text and length of the notice; by default what the project's own facts and the policy give."""

    title = Text(load_default="", validate=validate.Length(0, LONGEST_NOTICE_TITLE))
    text = Prose(load_default="", validate=validate.Length(0, LONGEST_TEXT))
    working_days = fields.Integer(
        load_default=None, allow_none=True, strict=True, validate=validate.Range(1, 60)
    )


class ProjectQuery(PageQuery):
    """Filters of the list of projects."""

    year = fields.Integer(load_default=None, validate=validate.Range(2000, 2100))
    status = Text(load_default=None, validate=validate.OneOf(TRAINING_PROJECT.states))


def show_project(project: TrainingProject) -> dict[str, Any]:
    """A project as the API answers it, in a list."""
    english = language() == "en"
    sources = projects.funding_sources(act().policy, act().today)
    return {name: getattr(project, name) for name in COLUMNS} | {
        "id": str(project.id),
        "funding_source_text": sources.get(project.funding_source, (project.funding_source,) * 2)[english],
        "training_type_text": TRAINING_TYPES[project.training_type][english],
        "status_text": TRAINING_PROJECT.states[project.status][english],
        "notice_id": str(project.notice_id) if project.notice_id else None,
        "bases": [
            {"id": str(base.id), "number": base.number, "name": base.public_name}
            for base in projects.bases_of(project)
        ],
        "url": f"/projects/{project.id}",
    }


def show_progress(progress: Progress) -> dict[str, Any]:
    """How far a project has come, as the API answers it."""
    return vars(progress) | {"beyond_plan": progress.beyond_plan}


def show_whole_project(project: TrainingProject) -> dict[str, Any]:
    """A project with its progress and history."""
    return show_project(project) | {
        "progress": show_progress(progress_of(project)),
        "steps": [show_step(step) for step in steps_of(project.id)],
    }


def _mine() -> Any:
    """The projects that are the caller's business, as a condition: officers and auditors those of their
    division, a clerk the public ones that the own base carries out."""
    caller, table = act().by, TrainingProject
    if caller.role == "base_clerk":
        return table.id.in_(projects.projects_carried_by(caller.organisation_id))
    code = caller.division_code
    own = table.division_code.startswith(code[:4]) if code.endswith("00") else table.division_code == code
    return own | table.id.in_(projects.public_ids_for(code))


def reachable_project(project_id: str) -> TrainingProject:
    """The project with this id, if it is the caller's business."""
    project = require_found(TrainingProject, project_id)
    if not TrainingProject.select().where((TrainingProject.id == project.id) & _mine()).exists():
        raise NotFound()
    return project


def _planned(body: dict[str, Any]) -> Plan:
    ids: list[UUID] = body.pop("base_ids")
    found = list(Base.select().where(Base.id.in_(ids)).order_by(Base.number))
    if {base.id for base in found} != set(ids) or not all(act().by.covers(b.division_code) for b in found):
        raise FieldRefused(field="base_ids")
    return Plan(**body, bases=found)


@blueprint.route("", methods=["GET"])
@for_roles(*EVERYONE)
@blueprint.arguments(ProjectQuery, location="query")
@blueprint.response(200, page_of(ProjectSchema))
def list_projects(query: dict[str, Any]) -> dict[str, Any]:
    """The projects that are the caller's business."""
    found = TrainingProject.select().where(_mine())
    for name in ("year", "status"):
        if query[name]:
            found = found.where(getattr(TrainingProject, name) == query[name])
    return page(found, TrainingProject, query, show_project)


@blueprint.route("", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(ProjectSchema)
@blueprint.response(201, ProjectSchema)
def draft_project(body: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Draft a project of the caller's division; the public sees it when it is put on notice."""
    project = project_planning.draft(act(), _planned(body))
    return show_whole_project(project), 201, etag(project.version)


@blueprint.route("/<project_id>", methods=["GET"])
@for_roles(*EVERYONE)
@blueprint.response(200, ProjectSchema)
def read_project(project_id: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    """One project with its progress, its history and its ETag."""
    project = reachable_project(project_id)
    return show_whole_project(project), 200, etag(project.version)


@blueprint.route("/<project_id>", methods=["PUT"])
@for_roles(*OFFICERS)
@blueprint.arguments(ProjectSchema)
@blueprint.response(200, ProjectSchema)
def rewrite_project(body: dict[str, Any], project_id: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Write a draft anew; ``If-Match`` names the version that was read."""
    project = reachable_project(project_id)
    version = version_seen(project.version)
    written = project_planning.rewrite(act(), project, _planned(body), version=version)
    return show_whole_project(written), 200, etag(written.version)


@blueprint.route("/<project_id>/notice", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(ProjectNoticeSchema)
@blueprint.response(201, NoticeSchema)
def publish_project(body: dict[str, Any], project_id: str) -> dict[str, Any]:
    """Put the project on public notice (公示); objections are answered under ``/objections``."""
    project = reachable_project(project_id)
    title, text = project_planning.notice_text(act(), project)
    words = {"title": body["title"] or title, "text": body["text"] or text}
    days = body["working_days"]
    return show_notice(project_planning.publish(act(), project, **words, working_days=days))


@blueprint.route("/<project_id>/mending", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, ProjectSchema)
def mend_project(body: dict[str, Any], project_id: str) -> dict[str, Any]:
    """Take a noticed project back to change it, as after an upheld objection; it is noticed anew."""
    return show_whole_project(project_planning.mend(act(), reachable_project(project_id), body["reason"]))


@blueprint.route("/<project_id>/announcement", methods=["POST"])
@for_roles("city_officer")
@blueprint.response(200, ProjectSchema)
def announce_project(project_id: str) -> dict[str, Any]:
    """Announce the project after its notice; not by who drafted, changed or published it."""
    return show_whole_project(project_planning.announce(act(), reachable_project(project_id)))


@blueprint.route("/<project_id>/withdrawal", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, ProjectSchema)
def withdraw_project(body: dict[str, Any], project_id: str) -> dict[str, Any]:
    """Withdraw the project; its classes go on, and no new ones are filed."""
    return show_whole_project(project_planning.withdraw(act(), reachable_project(project_id), body["reason"]))
