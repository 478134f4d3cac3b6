"""Trainees (学员) in the console: who is in a class, and one of them: the name corrected, out of the class and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response
from marshmallow import ValidationError

from api.callers import act, for_roles
from api.classes import reachable_class
from api.consents import GivenConsentSchema
from api.console.frame import READERS, Refused, attempted, blueprint, loaded, refusal, show, to, typed
from api.enrolments import CorrectionSchema, TraineeSchema, reachable_enrolment, roster_cells, show_enrolment
from api.problems import language
from api.shapes import ReasonSchema
from certificates.document import fonts
from skills_registry.foundation.errors import RegistryError
from skills_registry.foundation.problems import Problem
from skills_registry.training import consents, enrolments, rosters
from skills_registry.training.classes import WITH_THE_BASE
from skills_registry.training.consents import MEANS
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
    may_enrol = act().by.role == "base_clerk" and training_class.status in WITH_THE_BASE
    return show("trainees", training_class=training_class, lines=lines, may_enrol=may_enrol)


@blueprint.get("/enrolments/<uuid:enrolment_id>")
@for_roles(*READERS)
def show_trainee(enrolment_id: Any) -> Response:
    """One trainee of a class."""
    return _page(str(enrolment_id))


def _page(
    enrolment_id: str, refused: Refused | None = None, *, done: str = "", doubts: Sequence[Problem] = ()
) -> Response:
    enrolment = reachable_enrolment(enrolment_id)
    return show(
        "trainee",
        refused=refused,
        done=done,
        doubts=[doubt.sentence(language()) for doubt in doubts],
        means=_means(),
        today=act().today,
        here=to("show_trainee", enrolment_id=enrolment_id),
        line=_line(enrolment),
        training_class=enrolment.training_class,
        may_change=act().by.role in ("base_clerk", "county_officer"),
    )


def _means() -> list[tuple[str, str]]:
    return [(code, names[language() == "en"]) for code, names in MEANS.items()]


@blueprint.get("/classes/<uuid:class_id>/trainees/new")
@for_roles("base_clerk")
def new_trainee(class_id: Any) -> Response:
    """The form to enrol one trainee."""
    return _form(str(class_id))


def _form(class_id: str, refused: Refused | None = None) -> Response:
    training_class = reachable_class(class_id)
    here = to("new_trainee", class_id=class_id)
    return show("trainee_new", refused=refused, here=here, training_class=training_class, means=_means())


@blueprint.post("/classes/<uuid:class_id>/trainees/new")
@for_roles("base_clerk")
def enrol_trainee(class_id: Any) -> Response:
    """Enrol one trainee, checked as a row of a roster is; somebody in the class already stays as they are."""
    training_class = reachable_class(str(class_id))
    try:
        cells = roster_cells(loaded(TraineeSchema(), _typed_trainee()))
        enrolment, doubts = rosters.enrol_one(act(), training_class, cells, uncovered=fonts.uncovered)
    except (RegistryError, ValidationError) as error:
        return _form(str(class_id), refusal(error))
    return _page(str(enrolment.id), done="enrolled", doubts=doubts)


def _typed_trainee() -> dict[str, Any]:
    names = ("name", "citizen_id", "disability_card", "phone")
    given_on = typed("consent_on")
    consent = {"given_on": given_on, "means": typed("consent_means")} if given_on else ""
    return {field: typed(field) for field in names} | {"consent": consent}


@blueprint.post("/enrolments/<uuid:enrolment_id>/consents")
@for_roles("base_clerk", "county_officer")
def give_consent(enrolment_id: Any) -> Any:
    """Record a trainee's own consent to the handling of their data."""
    enrolment = reachable_enrolment(str(enrolment_id))

    def give() -> str:
        body = loaded(GivenConsentSchema(), {"given_on": typed("given_on"), "means": typed("means")})
        consents.give(act(), enrolment, **body)
        return to("show_trainee", enrolment_id=enrolment_id, done="consent_given")

    return attempted(give, lambda refused: _page(str(enrolment_id), refused))


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
        rosters.take_back(act(), enrolment, loaded(ReasonSchema(), {"reason": typed("reason")})["reason"])
        return to("show_trainee", enrolment_id=enrolment_id, done="rejoined")

    return attempted(rejoin, lambda refused: _page(str(enrolment_id), refused))
