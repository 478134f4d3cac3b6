"""Trainees (学员) in the console: who is in a class, and one of them: the name corrected, out of the class and back."""

from __future__ import annotations

from typing import Any

from flask import Response

from api.callers import act, for_roles
from api.classes import reachable_class
from api.console.frame import READERS, Refused, attempted, blueprint, loaded, show, to, typed
from api.enrolments import CorrectionSchema, reachable_enrolment, show_enrolment
from api.problems import language
from api.shapes import ReasonSchema
from skills_registry.training import enrolments
from skills_registry.training.enrolments import ENROLMENT, OUTCOMES, Enrolment


def _line(enrolment: Enrolment) -> dict[str, Any]:
    """A trainee as the console shows them: ID number masked, states in words."""
    which, shown = language() == "en", show_enrolment(enrolment)
    result = shown["result"]
    papers = enrolment.training_class.papers
    return shown | {
        "status_text": ENROLMENT.states[shown["status"]][which],
        "outcome_text": OUTCOMES[result["outcome"]][which] if result else "",
        "scores": [(papers.get(code, code), score) for code, score in result["scores"].items()]
        if result
        else [],
    }


@blueprint.get("/classes/<uuid:class_id>/trainees")
@for_roles(*READERS)
def list_trainees(class_id: Any) -> Response:
    """Everybody who is or was in a class, in the order of its roster."""
    training_class = reachable_class(str(class_id))
    found = Enrolment.select().where(Enrolment.training_class == training_class.id)
    lines = [_line(row) for row in found.order_by(Enrolment.roster_row, Enrolment.id)]
    return show("trainees", training_class=training_class, lines=lines)


@blueprint.get("/enrolments/<uuid:enrolment_id>")
@for_roles(*READERS)
def show_trainee(enrolment_id: Any) -> Response:
    """One trainee of a class."""
    return _page(str(enrolment_id))


def _page(enrolment_id: str, refused: Refused | None = None) -> Response:
    enrolment = reachable_enrolment(enrolment_id)
    return show(
        "trainee",
        refused=refused,
        here=to("show_trainee", enrolment_id=enrolment_id),
        line=_line(enrolment),
        training_class=enrolment.training_class,
        may_change=act().by.role in ("base_clerk", "county_officer"),
    )


@blueprint.post("/enrolments/<uuid:enrolment_id>/correction")
@for_roles("base_clerk", "county_officer")
def correct_trainee(enrolment_id: Any) -> Any:
    """Correct a wrong name before approval."""
    enrolment = reachable_enrolment(str(enrolment_id))

    def correct() -> str:
        body = loaded(CorrectionSchema(), {"name": typed("name"), "reason": typed("reason")})
        enrolments.correct_name(act(), enrolment, body["name"], body["reason"])
        return to("show_trainee", enrolment_id=enrolment_id, done="name_corrected")

    return attempted(correct, lambda refused: _page(str(enrolment_id), refused))


@blueprint.post("/enrolments/<uuid:enrolment_id>/withdrawal")
@for_roles("base_clerk", "county_officer")
def withdraw_trainee(enrolment_id: Any) -> Any:
    """Take a trainee out of the class (退班)."""
    enrolment = reachable_enrolment(str(enrolment_id))

    def withdraw() -> str:
        enrolments.withdraw(act(), enrolment, loaded(ReasonSchema(), {"reason": typed("reason")})["reason"])
        return to("show_trainee", enrolment_id=enrolment_id, done="withdrawn")

    return attempted(withdraw, lambda refused: _page(str(enrolment_id), refused))


@blueprint.post("/enrolments/<uuid:enrolment_id>/rejoining")
@for_roles("base_clerk", "county_officer")
def rejoin_trainee(enrolment_id: Any) -> Any:
    """Take a withdrawn trainee back."""
    enrolment = reachable_enrolment(str(enrolment_id))

    def rejoin() -> str:
        enrolments.rejoin(act(), enrolment, loaded(ReasonSchema(), {"reason": typed("reason")})["reason"])
        return to("show_trainee", enrolment_id=enrolment_id, done="rejoined")

    return attempted(rejoin, lambda refused: _page(str(enrolment_id), refused))
