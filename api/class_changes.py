"""Endpoints for changes of a running class (开班变更): reported by the base, decided by its county."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from flask_smorest.fields import Upload as FileField
from marshmallow import Schema, fields, validate

from api.bodies import Prose, Text
from api.callers import API_PREFIX, act, for_roles, reachable_bases, require_reach
from api.classes import reachable_class
from api.lists import PageQuery, page, page_of
from api.problems import language
from api.shapes import ReasonSchema, StepSchema, show_step
from api.timetable import (
    READERS,
    TimetableSessionSchema,
    TimetableWarningSchema,
    planned_from,
    show_findings,
    show_planned,
    show_sessions,
)
from skills_registry.foundation.lifecycle import steps_of
from skills_registry.foundation.storage import require_found
from skills_registry.training import changes, timetable
from skills_registry.training.changes import CHANGE_KINDS, CLASS_CHANGE, ClassChange
from skills_registry.training.classes import TrainingClass
from skills_registry.training.timetable_rules import Finding
from skills_registry.training.timetable_sheets import planned_of, rows_for_change

blueprint = Blueprint(
    "class_changes", __name__, url_prefix=API_PREFIX, description="开班变更 (class changes)"
)


class ClassChangeSchema(Schema):
    """A reported change: new dates, a whole new timetable, or both, with the reason."""

    id = fields.String(dump_only=True)
    class_id = fields.String(dump_only=True)
    kind = fields.String(dump_only=True)
    kind_text = fields.String(dump_only=True)
    status = fields.String(dump_only=True)
    status_text = fields.String(dump_only=True)
    reported_at = fields.DateTime(dump_only=True)
    reason = Prose(required=True, validate=validate.Length(1, 500))
    starts_on = fields.Date(load_default=None, allow_none=True)
    ends_on = fields.Date(load_default=None, allow_none=True)
    sessions = fields.List(
        fields.Nested(TimetableSessionSchema),
        load_default=None,
        allow_none=True,
        validate=validate.Length(1, timetable.MOST_SESSIONS),
    )
    dropped = fields.List(fields.Nested(TimetableSessionSchema), dump_only=True)
    warnings = fields.List(fields.Nested(TimetableWarningSchema), dump_only=True)
    steps = fields.List(fields.Nested(StepSchema), dump_only=True)


class ChangeSheetSchema(Schema):
    """A timetable as a sheet: .xlsx, .xls or .csv, at most 10 MB."""

    file = FileField(required=True)


class ChangeFormSchema(Schema):
    """Beside the sheet: why, and the dates that the class is to have."""

    reason = Prose(required=True, validate=validate.Length(1, 500))
    starts_on = fields.Date(load_default=None)
    ends_on = fields.Date(load_default=None)


class ChangeAcceptanceSchema(Schema):
    """A decision that needs no reason."""

    reason = Prose(load_default="", validate=validate.Length(0, 500))


class LeaverSchema(Schema):
    """Who left the class, by roster row; never by name."""

    enrolment_id = fields.String()
    row = fields.Integer()
    at = fields.DateTime()
    reason = fields.String()


class ClassChangesSchema(Schema):
    """The changes of one class, the oldest first, and beside them who left it."""

    items = fields.List(fields.Nested(ClassChangeSchema))
    withdrawals = fields.List(fields.Nested(LeaverSchema))


class ClassChangeQuery(PageQuery):
    """Filters of the list of changes."""

    status = Text(load_default=None, validate=validate.OneOf(CLASS_CHANGE.states))


def show_change(change: ClassChange) -> dict[str, Any]:
    """A change as the API answers it, in a list."""
    shown = {name: getattr(change, name) for name in ("kind", "status", "reason", "starts_on", "ends_on")}
    english = language() == "en"
    return shown | {
        "id": str(change.id),
        "class_id": str(change.training_class_id),
        "kind_text": CHANGE_KINDS[change.kind][english],
        "status_text": CLASS_CHANGE.states[change.status][english],
        "reported_at": change.reported_at,
    }


def show_whole_change(change: ClassChange, findings: list[Finding] | None = None) -> dict[str, Any]:
    """A change with its timetable, what it would drop and add, and its history."""
    doubts = findings or [(0, doubt) for doubt in changes.doubts_about(change)]
    return show_change(change) | {
        "sessions": _show_proposed(change),
        "dropped": show_sessions(changes.dropped_by(change)),
        "warnings": show_findings(doubts),
        "steps": [show_step(step) for step in steps_of(change.id)],
    }


def _show_proposed(change: ClassChange) -> list[dict[str, Any]] | None:
    if change.sessions is None:
        return None
    planned = [planned_of(values) for values in change.sessions]
    present = {timetable.as_planned(session) for session in timetable.sessions_of(change.training_class)}
    shown = show_planned(planned)
    return [
        proposed | {"is_new": session not in present}
        for proposed, session in zip(shown, planned, strict=True)
    ]


def reachable_change(change_id: str) -> ClassChange:
    """The change with this id, if its base is the caller's business."""
    change = require_found(ClassChange, change_id)
    require_reach(change.training_class.base)
    return change


@blueprint.route("/classes/<class_id>/changes", methods=["GET"])
@for_roles(*READERS)
@blueprint.response(200, ClassChangesSchema)
def class_changes(class_id: str) -> dict[str, Any]:
    """The reported changes of a class, and who left it."""
    training_class = reachable_class(class_id)
    left = [
        {"enrolment_id": str(enrolment.id), "row": enrolment.roster_row, "at": step.at, "reason": step.reason}
        for enrolment, step in changes.withdrawals_of(training_class)
    ]
    reported = [show_whole_change(change) for change in changes.changes_of(training_class)]
    return {"items": reported, "withdrawals": left}


@blueprint.route("/classes/<class_id>/changes", methods=["POST"])
@for_roles("base_clerk")
@blueprint.arguments(ClassChangeSchema)
@blueprint.response(201, ClassChangeSchema)
def report_change(body: dict[str, Any], class_id: str) -> dict[str, Any]:
    """Report a change of a running class; nothing changes before the county accepts it."""
    rows = None if body["sessions"] is None else planned_from(body["sessions"])
    dates = {name: body[name] for name in ("starts_on", "ends_on")}
    reported = changes.report(act(), reachable_class(class_id), reason=body["reason"], rows=rows, **dates)
    return show_whole_change(*reported)


@blueprint.route("/classes/<class_id>/changes/sheet", methods=["POST"])
@for_roles("base_clerk")
@blueprint.arguments(ChangeSheetSchema, location="files")
@blueprint.arguments(ChangeFormSchema, location="form")
@blueprint.response(201, ClassChangeSchema)
def report_change_by_sheet(files: dict[str, Any], form: dict[str, Any], class_id: str) -> dict[str, Any]:
    """Report a change whose timetable comes as a sheet; every row that cannot be is answered by its number."""
    training_class = reachable_class(class_id)
    rows = rows_for_change(act(), training_class, files["file"].read())
    return show_whole_change(*changes.report(act(), training_class, rows=rows, **form))


@blueprint.route("/class-changes", methods=["GET"])
@for_roles(*READERS)
@blueprint.arguments(ClassChangeQuery, location="query")
@blueprint.response(200, page_of(ClassChangeSchema))
def list_changes(query: dict[str, Any]) -> dict[str, Any]:
    """The reported changes of the bases that are the caller's business."""
    found = ClassChange.select().join(TrainingClass).where(TrainingClass.base.in_(reachable_bases()))
    if query["status"]:
        found = found.where(ClassChange.status == query["status"])
    return page(found, ClassChange, query, show_change)


@blueprint.route("/class-changes/<change_id>", methods=["GET"])
@for_roles(*READERS)
@blueprint.response(200, ClassChangeSchema)
def read_change(change_id: str) -> dict[str, Any]:
    """One change: what it would add and drop, and its history."""
    return show_whole_change(reachable_change(change_id))


@blueprint.route("/class-changes/<change_id>/acceptance", methods=["POST"])
@for_roles("county_officer")
@blueprint.arguments(ChangeAcceptanceSchema)
@blueprint.response(200, ClassChangeSchema)
def accept_change(body: dict[str, Any], change_id: str) -> dict[str, Any]:
    """The county accepts: dates and timetable are the new ones from here on."""
    return show_whole_change(changes.accept(act(), reachable_change(change_id), body["reason"]))


@blueprint.route("/class-changes/<change_id>/refusal", methods=["POST"])
@for_roles("county_officer")
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, ClassChangeSchema)
def refuse_change(body: dict[str, Any], change_id: str) -> dict[str, Any]:
    """The county refuses with a reason; the class goes on as it was."""
    return show_whole_change(changes.refuse(act(), reachable_change(change_id), body["reason"]))


@blueprint.route("/class-changes/<change_id>/withdrawal", methods=["POST"])
@for_roles("base_clerk")
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, ClassChangeSchema)
def withdraw_change(body: dict[str, Any], change_id: str) -> dict[str, Any]:
    """The base takes its report back before the county decides."""
    return show_whole_change(changes.withdraw(act(), reachable_change(change_id), body["reason"]))
