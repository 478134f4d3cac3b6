"""What moves a class, in the console: opening, cancelling, submitting, returning, approving."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from api.callers import act, for_roles, services
from api.classes import reachable_class
from api.console.classes import class_page
from api.console.frame import attempted, blueprint, loaded, to, typed
from api.shapes import ReasonSchema
from certificates.document import fonts
from skills_registry.certification import issuing
from skills_registry.training import classes, opening
from skills_registry.training.classes import TrainingClass


def _decided(class_id: Any, decide: Callable[[TrainingClass], Any], done: str) -> Any:
    """Decide about a class and go back to its page, which says so; a refusal is shown there."""
    training_class = reachable_class(str(class_id))

    def decided() -> str:
        decide(training_class)
        return to("show_class", class_id=class_id, done=done)

    return attempted(decided, lambda refused: class_page(str(class_id), refused))


def _reason() -> str:
    return str(loaded(ReasonSchema(), {"reason": typed("reason")})["reason"])


@blueprint.post("/classes/<uuid:class_id>/opening")
@for_roles("county_officer")
def open_class(class_id: Any) -> Any:
    """The county officer opens a filed class."""
    return _decided(class_id, lambda found: opening.open_class(act(), found), "opened")


@blueprint.post("/classes/<uuid:class_id>/cancellation")
@for_roles("base_clerk", "county_officer")
def cancel_class(class_id: Any) -> Any:
    """Take a filed class off the plan before it opens."""
    return _decided(class_id, lambda found: classes.cancel_class(act(), found, _reason()), "cancelled")


@blueprint.post("/classes/<uuid:class_id>/submission")
@for_roles("base_clerk")
def submit_class(class_id: Any) -> Any:
    """The base submits the class."""
    return _decided(class_id, lambda found: opening.submit_class(act(), found), "submitted")


@blueprint.post("/classes/<uuid:class_id>/return")
@for_roles("city_officer")
def return_class(class_id: Any) -> Any:
    """The city officer returns a submitted class with reasons."""
    return _decided(class_id, lambda found: classes.return_class(act(), found, _reason()), "returned")


@blueprint.post("/classes/<uuid:class_id>/approval")
@for_roles("city_officer")
def approve_class(class_id: Any) -> Any:
    """Approve the class and issue its certificates in one step; the next page lists their numbers."""
    training_class = reachable_class(str(class_id))

    def approve() -> str:
        issuing.issue(act(), training_class, services().signer(), fonts.uncovered)
        return to("list_certificates", class_id=class_id, done="approved")

    return attempted(approve, lambda refused: class_page(str(class_id), refused))
