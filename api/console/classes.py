"""Classes (培训班) in the console: the list, and one class with what it lacks and what comes next."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from api.callers import OFFICERS, act, for_roles, reachable_bases
from api.classes import reachable_class, show_warning, show_whole_class
from api.console.frame import READERS, Refused, blueprint, leaf, show, to
from api.enrolments import show_differences
from api.problems import language
from skills_registry.certification.certificates import certificates_of_class
from skills_registry.foundation.errors import RegistryError, RuleBroken
from skills_registry.foundation.levels import LEVELS
from skills_registry.training import attendance_doubts, classes, enrolments
from skills_registry.training.classes import TRAINING_CLASS, TrainingClass
from skills_registry.training.projects import TRAINING_TYPES
from skills_registry.training.uploads import KINDS, UPLOAD, Upload

#: The sheets that the console offers, in the order in which a class needs them.
SHEETS = ("timetable", "roster", "attendance", "results", "employment")

#: What a class goes through, and how many of these are behind it in each state.
STAGES = ("filing", "opening", "training", "approval")
BEHIND = {"filed": 1, "open": 2, "returned": 2, "submitted": 3, "approved": 4, "cancelled": -1}

#: How many trainees with another name on record the page of a class names.
MOST_DIFFERENCES = 100


def line_of(training_class: TrainingClass) -> dict[str, Any]:
    """A class as one line of a list: how it stands, how far it is, what comes next."""
    counts = enrolments.counts(training_class)
    return {
        "id": str(training_class.id),
        "filing_no": training_class.filing_no,
        "title": training_class.title,
        "base_name": training_class.base.name,
        "starts_on": training_class.starts_on,
        "ends_on": training_class.ends_on,
        "status": training_class.status,
        "status_text": TRAINING_CLASS.states[training_class.status][language() == "en"],
        "enrolled": counts["enrolled"],
        "capacity": training_class.capacity,
        "graded": counts["enrolled"] - counts["without_result"],
        "next": next_step(training_class.status, counts),
    }


def next_step(status: str, counts: dict[str, int]) -> str:
    """The code of the sentence that says what comes next for the caller."""
    role = act().by.role
    if role == "base_clerk" and status in ("open", "returned"):
        if not counts["enrolled"]:
            return "clerk_roster"
        if counts["without_result"]:
            return "clerk_results"
        return "clerk_submit"
    known = {
        ("base_clerk", "filed"): "clerk_filed",
        ("base_clerk", "submitted"): "clerk_submitted",
        ("base_clerk", "approved"): "clerk_approved",
        ("county_officer", "filed"): "county_filed",
        ("city_officer", "submitted"): "city_submitted",
    }
    return known.get((role, status), status)


@blueprint.get("/classes")
@for_roles(*READERS)
def list_classes() -> Response:
    """The classes of the bases that are the caller's business, the newest first."""
    found = classes.classes_of_bases(reachable_bases())
    status = request.args.get("status", "")
    if status in TRAINING_CLASS.states:
        found = found.where(TrainingClass.status == status)
    part = leaf(found, TrainingClass)
    states = [(code, names[language() == "en"]) for code, names in TRAINING_CLASS.states.items()]
    return show(
        "classes",
        lines=[line_of(row) for row in part.rows],
        part=part,
        status=status,
        states=states,
        may_file=act().by.role == "base_clerk",
    )


@blueprint.get("/classes/<uuid:class_id>")
@for_roles(*READERS)
def show_class(class_id: Any) -> Response:
    """One class."""
    return class_page(str(class_id))


def class_page(class_id: str, refused: Refused | None = None) -> Response:
    """The page of a class, with what a form on it met."""
    training_class = reachable_class(class_id)
    shown, role = show_whole_class(training_class), act().by.role
    which = language() == "en"
    return show(
        "class",
        refused=refused,
        here=to("show_class", class_id=class_id),
        shown=shown,
        next=next_step(training_class.status, shown["counts"]),
        behind=BEHIND[training_class.status],
        stages=STAGES,
        returned=_reason_of_return(shown) if training_class.status == "returned" else "",
        level=_level(training_class),
        training_type=TRAINING_TYPES[training_class.training_type][which],
        project=training_class.project,
        sheets=_sheets(training_class) if role == "base_clerk" else [],
        uploads=_uploads(training_class) if role == "base_clerk" else [],
        differences=show_differences(training_class)[:MOST_DIFFERENCES] if role in OFFICERS else [],
        attendance=_attendance_doubts(training_class) if role in OFFICERS else [],
        certificates=certificates_of_class(training_class.id).count(),
        may=_may(training_class),
    )


def _level(training_class: TrainingClass) -> str:
    if not training_class.level:
        return ""
    found = LEVELS[training_class.level]
    return found.en if language() == "en" else found.zh


def _reason_of_return(shown: dict[str, Any]) -> str:
    return str(next(step["reason"] for step in reversed(shown["steps"]) if step["action"] == "return"))


def _attendance_doubts(training_class: TrainingClass) -> list[dict[str, str]]:
    return [show_warning(doubt) for doubt in attendance_doubts.doubts_about(act(), training_class)]


def _may(training_class: TrainingClass) -> frozenset[str]:
    """What the caller's role may do with a class in this state, by the names of the moves."""
    return frozenset(
        move.action
        for move in TRAINING_CLASS.moves
        if move.origin == training_class.status and act().by.role in move.roles
    )


def _sheets(training_class: TrainingClass) -> list[dict[str, str]]:
    """The sheets that the class takes now."""
    return [
        {"code": code, "name": KINDS[code].en if language() == "en" else KINDS[code].zh}
        for code in SHEETS
        if _takes(training_class, code)
    ]


def _takes(training_class: TrainingClass, code: str) -> bool:
    try:
        KINDS[code].require_takes(training_class)
    except RegistryError as refused:
        if not isinstance(refused, RuleBroken):
            raise
        return False
    return True


def _uploads(training_class: TrainingClass) -> list[dict[str, Any]]:
    which = language() == "en"
    found = Upload.select().where(Upload.training_class == training_class.id).order_by(Upload.id.desc())
    return [
        {
            "id": str(upload.id),
            "kind": KINDS[upload.kind].en if which else KINDS[upload.kind].zh,
            "status": upload.status,
            "status_text": UPLOAD.states[upload.status][which],
            "at": upload.staged_at,
        }
        for upload in found.limit(20)
    ]
