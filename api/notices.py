"""Endpoints for notices (公示) and objections (异议), for officers; the public's own pages are in ``notice_pages``."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from api.bodies import Prose, Text
from api.callers import API_PREFIX, OFFICERS, act, for_roles
from api.lists import PageQuery, page, page_of
from api.problems import language
from api.shapes import StepSchema, show_step
from skills_registry import notices
from skills_registry.foundation.acts import Role
from skills_registry.foundation.errors import NotFound
from skills_registry.foundation.lifecycle import steps_of
from skills_registry.foundation.storage import require_found
from skills_registry.notices import LONGEST_OBJECTION, OBJECTION, Notice, Objection

blueprint = Blueprint(
    "notices", __name__, url_prefix=API_PREFIX, description="公示与异议 (notices, objections)"
)

READERS: tuple[Role, ...] = (*OFFICERS, "auditor")

PHASES: dict[str, tuple[str, str]] = {
    "open": ("公示中", "Open for objections"),
    "closed": ("公示已结束", "Ended"),
    "withdrawn": ("已撤下", "Withdrawn"),
}


class NoticeSchema(Schema):
    """A notice; ``closes_on`` is the last day for objections, provisional until that year's holidays are published."""

    id = fields.String()
    subject = fields.String()
    subject_id = fields.String()
    division_code = fields.String()
    title = fields.String()
    text = fields.String()
    working_days = fields.Integer()
    published_on = fields.Date()
    closes_on = fields.Date()
    provisional = fields.Boolean()
    status = fields.String()
    phase = fields.String()
    phase_text = fields.String()
    objections = fields.Dict(keys=fields.String(), values=fields.Integer())
    url = fields.String(metadata={"description": "公开页面"})
    steps = fields.List(fields.Nested(StepSchema))


class ObjectionSchema(Schema):
    """An objection; contact and words go to officers of the notice's division only."""

    id = fields.String()
    notice_id = fields.String()
    notice_title = fields.String()
    status = fields.String()
    status_text = fields.String()
    received_at = fields.DateTime()
    answer_by = fields.Date()
    provisional = fields.Boolean()
    overdue = fields.Boolean()
    text = fields.String(allow_none=True)
    contact = fields.String(allow_none=True)
    answer = fields.String(allow_none=True)
    steps = fields.List(fields.Nested(StepSchema))


class ObjectionAnswerSchema(Schema):
    """The answer to an objection, and whether it was found to be right."""

    text = Prose(required=True, validate=validate.Length(1, LONGEST_OBJECTION))
    upheld = fields.Boolean(required=True)


class NoticeQuery(PageQuery):
    """Filters of the list of notices."""

    subject = Text(load_default=None, validate=validate.Length(1, 40))
    subject_id = fields.UUID(load_default=None)


class ObjectionQuery(PageQuery):
    """Filters of the list of objections."""

    notice_id = fields.UUID(load_default=None)
    status = Text(load_default=None, validate=validate.OneOf(OBJECTION.states))


def show_notice(notice: Notice) -> dict[str, Any]:
    """A notice as the API answers officers."""
    last = notices.deadline_of(notice, act().policy)
    phase = notices.phase(notice, act().policy, act().today)
    columns = ("subject", "division_code", "title", "text", "working_days", "published_on", "status")
    counted = dict.fromkeys(OBJECTION.states, 0)
    for objection in notice.objections:
        counted[objection.status] += 1
    return {name: getattr(notice, name) for name in columns} | {
        "id": str(notice.id),
        "subject_id": str(notice.subject_id),
        "closes_on": last.day,
        "provisional": last.provisional,
        "phase": phase,
        "phase_text": PHASES[phase][language() == "en"],
        "objections": counted,
        "url": f"/notices/{notice.id}",
    }


def show_objection(objection: Objection) -> dict[str, Any]:
    """An objection; an auditor sees that it was made and answered, not by whom and not what it says."""
    vault, officer = act().vault, act().by.role in OFFICERS
    waiting = objection.status == "received"
    due = notices.answer_deadline(objection, act().policy)
    return {
        "id": str(objection.id),
        "notice_id": str(objection.notice_id),
        "notice_title": objection.notice.title,
        "status": objection.status,
        "status_text": OBJECTION.states[objection.status][language() == "en"],
        "received_at": objection.received_at,
        "answer_by": due.day,
        "provisional": due.provisional,
        "overdue": waiting and act().today > due.day,
        "text": notices.text_of(vault, objection) if officer else None,
        "contact": notices.contact_of(vault, objection) if officer else None,
        "answer": notices.answer_of(vault, objection) if officer else None,
    }


def _mine() -> Any:
    """The caller's division, as a condition on notices."""
    code = act().by.division_code
    return Notice.division_code.startswith(code[:4]) if code.endswith("00") else Notice.division_code == code


def reachable_notice(notice_id: str) -> Notice:
    """The notice with this id, if it is of the caller's division."""
    notice = require_found(Notice, notice_id)
    if not act().by.covers(notice.division_code):
        raise NotFound()
    return notice


def reachable_objection(objection_id: str) -> Objection:
    """The objection with this id, if its notice is of the caller's division."""
    objection = require_found(Objection, objection_id)
    if not act().by.covers(objection.notice.division_code):
        raise NotFound()
    return objection


def _with_steps(shown: dict[str, Any], record: Notice | Objection) -> dict[str, Any]:
    return shown | {"steps": [show_step(step) for step in steps_of(record.id)]}


@blueprint.route("/notices", methods=["GET"])
@for_roles(*READERS)
@blueprint.arguments(NoticeQuery, location="query")
@blueprint.response(200, page_of(NoticeSchema))
def list_notices(query: dict[str, Any]) -> dict[str, Any]:
    """The notices of the caller's division."""
    found = Notice.select().where(_mine())
    for name in ("subject", "subject_id"):
        if query[name]:
            found = found.where(getattr(Notice, name) == query[name])
    return page(found, Notice, query, show_notice)


@blueprint.route("/notices/<notice_id>", methods=["GET"])
@for_roles(*READERS)
@blueprint.response(200, NoticeSchema)
def read_notice(notice_id: str) -> dict[str, Any]:
    """One notice with its history."""
    notice = reachable_notice(notice_id)
    return _with_steps(show_notice(notice), notice)


@blueprint.route("/objections", methods=["GET"])
@for_roles(*READERS)
@blueprint.arguments(ObjectionQuery, location="query")
@blueprint.response(200, page_of(ObjectionSchema))
def list_objections(query: dict[str, Any]) -> dict[str, Any]:
    """The objections to notices of the caller's division."""
    found = Objection.select(Objection, Notice).join(Notice).where(_mine())
    if query["notice_id"]:
        found = found.where(Objection.notice == query["notice_id"])
    if query["status"]:
        found = found.where(Objection.status == query["status"])
    return page(found, Objection, query, show_objection)


@blueprint.route("/objections/<objection_id>", methods=["GET"])
@for_roles(*READERS)
@blueprint.response(200, ObjectionSchema)
def read_objection(objection_id: str) -> dict[str, Any]:
    """One objection with its history."""
    objection = reachable_objection(objection_id)
    return _with_steps(show_objection(objection), objection)


@blueprint.route("/objections/<objection_id>/answer", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(ObjectionAnswerSchema)
@blueprint.response(200, ObjectionSchema)
def answer_objection(body: dict[str, Any], objection_id: str) -> dict[str, Any]:
    """Answer an objection, upheld or dismissed, once."""
    objection = reachable_objection(objection_id)
    answered = notices.answer(act(), objection, body["text"], upheld=body["upheld"])
    return _with_steps(show_objection(answered), answered)
