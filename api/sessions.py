"""Endpoints for sessions and their attendance (课次、考勤): recorded, closed, corrected, counted, signed on paper."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_smorest import Blueprint
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from api.bodies import Prose, Text
from api.callers import API_PREFIX, OFFICERS, act, for_roles, reachable_bases, require_reach
from api.classes import WarningSchema, reachable_class, show_warning
from api.files import PDF, XLSX, attachment
from api.lists import PageQuery, page, page_of
from api.problems import language
from api.timetable import TimetableSessionSchema, show_sessions
from api.uploads import FileSchema, UploadSchema, staged
from certificates import papers
from skills_registry.bases.entries import teacher_name
from skills_registry.foundation.acts import Role
from skills_registry.foundation.errors import NotFound
from skills_registry.foundation.lifecycle import Step
from skills_registry.foundation.storage import require_found
from skills_registry.training import attendance, attendance_doubts, attendance_sheets, enrolments
from skills_registry.training.attendance import MARKS, MEANS, Attendance, Marked
from skills_registry.training.attended_hours import differing
from skills_registry.training.classes import TrainingClass
from skills_registry.training.enrolments import Enrolment
from skills_registry.training.sheets import written
from skills_registry.training.timetable import Session, sessions_of

blueprint = Blueprint(
    "sessions", __name__, url_prefix=API_PREFIX, description="课次与考勤 (sessions and attendance)"
)

READERS: tuple[Role, ...] = ("base_clerk", *OFFICERS, "auditor")

#: A class and everybody in it at once; no class is larger.
MOST_MARKS = 2000


class SessionSchema(TimetableSessionSchema):
    """A session, its class, and its place in the timetable that holds now (0: dropped)."""

    class_id = fields.String()
    place_in_timetable = fields.Integer()


class SessionQuery(PageQuery):
    """Filters of the list of sessions."""

    class_id = fields.UUID(load_default=None)


class MarkSchema(Schema):
    """What one trainee's attendance was, how it was taken, and when they signed or the device saw them."""

    enrolment_id = fields.UUID(required=True)
    mark = Text(required=True, validate=validate.OneOf(MARKS))
    means = Text(load_default="paper", validate=validate.OneOf(MEANS))
    marked_at = fields.AwareDateTime(load_default=None, allow_none=True)
    device = Text(load_default="", validate=validate.Length(0, 60))


class MarkCorrectionSchema(MarkSchema):
    """What a mark should have been, and why it was not."""

    reason = Prose(required=True, validate=validate.Length(1, 500))


class MarksSchema(Schema):
    """Marks of one session, all or none."""

    marks = fields.List(fields.Nested(MarkSchema), required=True, validate=validate.Length(1, MOST_MARKS))


class MarkedTraineeSchema(Schema):
    """A trainee at a session; without a mark where none is recorded."""

    enrolment_id = fields.String()
    row = fields.Integer(metadata={"description": "花名册行号"})
    name = fields.String()
    mark = fields.String(allow_none=True)
    mark_text = fields.String(allow_none=True)
    means = fields.String(allow_none=True)
    device = fields.String()
    marked_at = fields.DateTime(allow_none=True)
    recorded_at = fields.DateTime(allow_none=True)


class SessionAttendanceSchema(Schema):
    """The attendance of one session, and the scans of its sign-in sheet (documents of owner ``session``)."""

    session = fields.Nested(SessionSchema)
    counts = fields.Dict(keys=fields.String(), values=fields.Integer())
    items = fields.List(fields.Nested(MarkedTraineeSchema))
    scans = fields.List(fields.String())


class MarkHistorySchema(Schema):
    """One correction of a closed session: old and new mark, who and why."""

    at = fields.DateTime()
    by_role = fields.String()
    by_account = fields.String(allow_none=True)
    enrolment_id = fields.String()
    from_mark = fields.String(allow_none=True)
    to_mark = fields.String()
    reason = fields.String()


class MarkHistoriesSchema(Schema):
    """The corrections of a session, the oldest first."""

    items = fields.List(fields.Nested(MarkHistorySchema))


class TallySchema(Schema):
    """One trainee's attendance over the class; ``hours`` of 45 minutes."""

    enrolment_id = fields.String()
    row = fields.Integer()
    name = fields.String()
    hours = fields.String()
    present = fields.Integer()
    leave = fields.Integer()
    absent = fields.Integer()
    result_differs = fields.Boolean(metadata={"description": "成绩表课时与考勤不一致"})


class ClassAttendanceSchema(Schema):
    """A class's attendance: ``complete`` once every session is closed; ``warnings`` are for officers only."""

    class_id = fields.String()
    complete = fields.Boolean()
    recorded = fields.Boolean(metadata={"description": "是否有课次登记了考勤"})
    sessions = fields.Integer()
    closed = fields.Integer()
    open_since = fields.List(fields.String(), metadata={"description": "已上课但未结束的课次"})
    items = fields.List(fields.Nested(TallySchema))
    warnings = fields.List(fields.Nested(WarningSchema))


class SheetQuery(Schema):
    """The days of an attendance sheet; by default all of the class."""

    since = fields.Date(load_default=None)
    until = fields.Date(load_default=None)
    lang = fields.String(load_default=None)

    @validates_schema
    def _require_order(self, asked: dict[str, Any], **_: Any) -> None:
        if asked["since"] and asked["until"] and asked["until"] < asked["since"]:
            raise ValidationError("Must not be before since.", "until")


def reachable_session(session_id: str) -> Session:
    """The session with this id, if its base is the caller's business."""
    session = require_found(Session, session_id)
    require_reach(session.training_class.base)
    return session


def show_session(session: Session) -> dict[str, Any]:
    """A session as the API answers it."""
    current = [found.id for found in sessions_of(session.training_class)]
    place = current.index(session.id) + 1 if session.id in current else 0
    return show_sessions([session])[0] | {
        "class_id": str(session.training_class_id),
        "place_in_timetable": place,
    }


def show_attendance(session: Session) -> dict[str, Any]:
    """A session with a line for each trainee, also those who left after they were marked."""
    marks = attendance.marks_of(session)
    trainees = enrolments.roster(session.training_class)
    here = {trainee.id for trainee in trainees}
    left = list(Enrolment.select().where(Enrolment.id.in_([key for key in marks if key not in here])))
    items = [_show_mark(trainee, marks.get(trainee.id)) for trainee in [*trainees, *left]]
    counts = {mark: sum(item["mark"] == mark for item in items) for mark in MARKS}
    return {
        "session": show_session(session),
        "counts": counts | {"missing": sum(item["mark"] is None for item in items)},
        "items": items,
        "scans": [str(scan.id) for scan in attendance_doubts.scans_of(session)],
    }


def _show_mark(enrolment: Enrolment, row: Attendance | None) -> dict[str, Any]:
    return {
        "enrolment_id": str(enrolment.id),
        "row": enrolment.roster_row,
        "name": enrolments.name_of(act().vault, enrolment),
        "mark": row and row.mark,
        "mark_text": row and MARKS[row.mark][language() == "en"],
        "means": row and row.means,
        "device": row.device if row else "",
        "marked_at": row and row.marked_at,
        "recorded_at": row and row.recorded_at,
    }


def _show_correction(step: Step) -> dict[str, Any]:
    return {
        "at": step.at,
        "by_role": step.by_role,
        "by_account": str(step.by_account) if step.by_account else None,
        "enrolment_id": step.detail["enrolment"],
        "from_mark": step.detail["from"],
        "to_mark": step.detail["to"],
        "reason": step.reason,
    }


def _show_class_attendance(training_class: TrainingClass) -> dict[str, Any]:
    disagreeing = {enrolment.id for enrolment in differing(training_class)}
    sessions = sessions_of(training_class)
    told = attendance_doubts.doubts_about(act(), training_class) if act().by.role != "base_clerk" else []
    return {
        "class_id": str(training_class.id),
        "complete": attendance.complete(training_class),
        "recorded": attendance.in_class(training_class).exists(),
        "sessions": len(sessions),
        "closed": sum(session.status == "closed" for session in sessions),
        "open_since": [str(session.id) for session in attendance.open_sessions(act(), training_class)],
        "items": [
            {
                "enrolment_id": str(tally.enrolment.id),
                "row": tally.enrolment.roster_row,
                "name": enrolments.name_of(act().vault, tally.enrolment),
                "hours": written(tally.hours),
                "result_differs": tally.enrolment.id in disagreeing,
                **tally.marks,
            }
            for tally in attendance.tallies(training_class)
        ],
        "warnings": [show_warning(found) for found in told],
    }


@blueprint.route("/sessions", methods=["GET"])
@for_roles(*READERS)
@blueprint.arguments(SessionQuery, location="query")
@blueprint.response(200, page_of(SessionSchema))
def list_sessions(query: dict[str, Any]) -> dict[str, Any]:
    """The sessions of the bases that are the caller's business, or of one class, also dropped ones."""
    found = Session.select().join(TrainingClass).where(TrainingClass.base.in_(reachable_bases()))
    if query["class_id"]:
        found = found.where(Session.training_class == query["class_id"])
    return page(found, Session, query, show_session)


@blueprint.route("/sessions/<session_id>", methods=["GET"])
@for_roles(*READERS)
@blueprint.response(200, SessionSchema)
def read_session(session_id: str) -> dict[str, Any]:
    """One session."""
    return show_session(reachable_session(session_id))


@blueprint.route("/sessions/<session_id>/attendance", methods=["GET"])
@for_roles(*READERS)
@blueprint.response(200, SessionAttendanceSchema)
def read_attendance(session_id: str) -> dict[str, Any]:
    """Who was at a session."""
    return show_attendance(reachable_session(session_id))


@blueprint.route("/sessions/<session_id>/attendance", methods=["POST"])
@for_roles("base_clerk")
@blueprint.arguments(MarksSchema)
@blueprint.response(200, SessionAttendanceSchema)
def record_attendance(body: dict[str, Any], session_id: str) -> dict[str, Any]:
    """Record marks of a session that is not closed, all or none; sent again, nothing changes."""
    session = reachable_session(session_id)
    attendance.record(act(), session, [Marked(**mark) for mark in body["marks"]])
    return show_attendance(session)


@blueprint.route("/sessions/<session_id>/closing", methods=["POST"])
@for_roles("base_clerk")
@blueprint.response(200, SessionAttendanceSchema)
def close_session(session_id: str) -> dict[str, Any]:
    """Close a session once everybody has a mark; from then on a mark is only corrected, with a reason."""
    return show_attendance(attendance.close_session(act(), reachable_session(session_id)))


@blueprint.route("/sessions/<session_id>/correction", methods=["POST"])
@for_roles("base_clerk", "county_officer")
@blueprint.arguments(MarkCorrectionSchema)
@blueprint.response(200, SessionAttendanceSchema)
def correct_attendance(body: dict[str, Any], session_id: str) -> dict[str, Any]:
    """Correct one mark of a closed session: old and new value, who and why are kept."""
    session = reachable_session(session_id)
    reason = body.pop("reason")
    attendance.correct(act(), session, Marked(**body), reason)
    return show_attendance(session)


@blueprint.route("/sessions/<session_id>/corrections", methods=["GET"])
@for_roles(*READERS)
@blueprint.response(200, MarkHistoriesSchema)
def list_corrections(session_id: str) -> dict[str, Any]:
    """The corrections of a closed session."""
    session = reachable_session(session_id)
    return {"items": [_show_correction(step) for step in attendance.corrections_of(session)]}


@blueprint.route("/sessions/<session_id>/sign-in-sheet.pdf", methods=["GET"])
@for_roles("base_clerk", "county_officer")
@blueprint.response(200, content_type=PDF)
def sign_in_sheet(session_id: str) -> Response:
    """The sign-in sheet of a session to print: large, accessible, without any number of a person.

    Its scan is kept as a document of owner ``session`` and kind ``sign_in_sheet``.
    """
    session = reachable_session(session_id)
    facts = sheet_facts(session)
    name = f"sign-in-{facts['filing_no']}-{facts['place_in_timetable']}.pdf"
    return attachment(papers.draw("sign_in_sheet", facts), PDF, name)


def sheet_facts(session: Session) -> dict[str, Any]:
    """What stands on a session's sign-in sheet.

    :raises NotFound: the timetable has dropped the session.
    """
    place = show_session(session)["place_in_timetable"]
    if not place:
        raise NotFound()
    vault, training_class = act().vault, session.training_class
    names = ("on", "starts_at", "ends_at", "content")
    return {name: getattr(session, name) for name in names} | {
        "title": training_class.title,
        "filing_no": training_class.filing_no,
        "place_in_timetable": place,
        "class_hours": written(session.class_hours),
        "place": " ".join(part for part in (session.site and session.site.name, session.place) if part),
        "teacher": teacher_name(vault, session.teacher) if session.teacher else "",
        "trainees": [enrolments.name_of(vault, trainee) for trainee in enrolments.roster(training_class)],
    }


@blueprint.route("/classes/<class_id>/attendance", methods=["GET"])
@for_roles(*READERS)
@blueprint.response(200, ClassAttendanceSchema)
def read_class_attendance(class_id: str) -> dict[str, Any]:
    """Hours and marks of everybody in a class; officers also see what is doubtful."""
    return _show_class_attendance(reachable_class(class_id))


@blueprint.route("/classes/<class_id>/attendance", methods=["POST"])
@for_roles("base_clerk")
@blueprint.arguments(FileSchema, location="files")
@blueprint.response(201, UploadSchema)
def upload_attendance(files: dict[str, Any], class_id: str) -> dict[str, Any]:
    """Stage an attendance sheet (考勤表); nothing is recorded before the upload is confirmed."""
    return staged(class_id, "attendance", files)


@blueprint.route("/classes/<class_id>/attendance-sheet.xlsx", methods=["GET"])
@for_roles("base_clerk", "county_officer")
@blueprint.arguments(SheetQuery, location="query")
@blueprint.response(200, content_type=XLSX)
def attendance_sheet(query: dict[str, Any], class_id: str) -> Response:
    """An attendance sheet with trainees, sessions and what is recorded; for long classes, of some days."""
    training_class = reachable_class(class_id)
    content = attendance_sheets.attendance_sheet(
        act(), training_class, since=query["since"], until=query["until"]
    )
    return attachment(content, XLSX, f"attendance-{training_class.filing_no}.xlsx")
