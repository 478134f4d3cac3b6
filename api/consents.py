"""Endpoints for what a roster says beyond name and number, accommodations given, and consents (知情同意).

Reading somebody's particulars is an act that leaves a trace; no list shows them.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Response
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from api.bodies import Prose, Text
from api.callers import API_PREFIX, EVERYONE, act, for_roles
from api.classes import reachable_class
from api.enrolments import reachable_enrolment
from api.files import PDF, attachment
from api.problems import language
from certificates import papers
from skills_registry.foundation import audit
from skills_registry.foundation.acts import Role
from skills_registry.training import consents, enrolments, particulars
from skills_registry.training.classes import TrainingClass
from skills_registry.training.consents import CONSENT, MEANS, Consent
from skills_registry.training.enrolments import Enrolment

blueprint = Blueprint(
    "consents", __name__, url_prefix=API_PREFIX, description="学员情况和知情同意 (consents)"
)

HANDLERS: tuple[Role, ...] = ("base_clerk", "county_officer", "city_officer")


class ConsentSchema(Schema):
    """A consent, also one that was withdrawn."""

    id = fields.String()
    text_version = fields.String()
    given_on = fields.Date()
    means = fields.String()
    means_text = fields.String()
    status = fields.String()
    status_text = fields.String()
    recorded_at = fields.DateTime()
    withdrawn_at = fields.DateTime(allow_none=True)


class GivenConsentSchema(Schema):
    """The day and the means of a consent; its text is the one in force on that day."""

    given_on = fields.Date(required=True)
    means = Text(required=True, validate=validate.OneOf(MEANS))


class WithdrawalSchema(Schema):
    """Why consent is taken back; nobody needs a reason."""

    reason = Prose(load_default="", validate=validate.Length(0, 500))


class ConsentsSchema(Schema):
    """All consents of a trainee in a class, oldest first."""

    items = fields.List(fields.Nested(ConsentSchema))


class ConsentTextSchema(Schema):
    """The text that is consented to, with its version."""

    version = fields.String()
    valid_from = fields.Date()
    paragraphs = fields.List(fields.String())


class AccommodationSchema(Schema):
    """An accommodation that was provided: which (a code of the policy), since when, and how."""

    code = Text(required=True, validate=validate.Length(1, 40))
    given_on = fields.Date(required=True)
    remark = Prose(load_default="", validate=validate.Length(0, 200))


class ParticularsSchema(Schema):
    """What is on record of a trainee beyond name and number; empty fields are left out."""

    education = fields.String()
    residence_division = fields.String()
    residence = fields.String()
    guardian = fields.String()
    guardian_phone = fields.String()
    wishes = fields.String()
    accommodations = fields.List(fields.String())
    other_accommodations = fields.String()
    card_issued_on = fields.Date()
    accommodations_given = fields.List(fields.Nested(AccommodationSchema))


class CorrectedSchema(Schema):
    """The particulars that change, and why; an empty value takes one out."""

    reason = Prose(required=True, validate=validate.Length(1, 500))
    education = Text(validate=validate.Length(0, 30))
    residence_division = Text(validate=validate.Regexp(r"^([0-9]{6})?$"))
    residence = Text(validate=validate.Length(0, 200))
    guardian = Text(validate=validate.Length(0, 60))
    guardian_phone = Text(validate=validate.Length(0, 40))
    wishes = Text(validate=validate.Length(0, 200))
    accommodations = fields.List(Text(validate=validate.Length(1, 40)), validate=validate.Length(0, 20))
    other_accommodations = Text(validate=validate.Length(0, 200))
    card_issued_on = fields.Date(allow_none=True)


def show_consent(consent: Consent) -> dict[str, Any]:
    """A consent as the API answers it."""
    english = language() == "en"
    columns = ("text_version", "given_on", "means", "status", "recorded_at", "withdrawn_at")
    return {name: getattr(consent, name) for name in columns} | {
        "id": str(consent.id),
        "means_text": MEANS[consent.means][english],
        "status_text": CONSENT.states[consent.status][english],
    }


def show_particulars(enrolment: Enrolment) -> dict[str, Any]:
    """The particulars of a trainee in clear."""
    vault = act().vault
    kept = particulars.particulars_of(vault, enrolment)
    if "card_issued_on" in kept:
        kept["card_issued_on"] = date.fromisoformat(kept["card_issued_on"])
    given = [
        {**entry, "given_on": date.fromisoformat(entry["given_on"])}
        for entry in particulars.accommodations_given(vault, enrolment)
    ]
    return {**kept, "accommodations_given": given}


@blueprint.route("/enrolments/<enrolment_id>/particulars", methods=["GET"])
@for_roles("base_clerk", "county_officer", "city_officer", "auditor")
@blueprint.response(200, ParticularsSchema)
def read_particulars(enrolment_id: str) -> dict[str, Any]:
    """What is on record of a trainee beyond name and number; the reading leaves a trace."""
    enrolment = reachable_enrolment(enrolment_id)
    audit.read(act(), "enrolment", enrolment.id, "particulars")
    return show_particulars(enrolment)


@blueprint.route("/enrolments/<enrolment_id>/particulars", methods=["POST"])
@for_roles("base_clerk", "county_officer")
@blueprint.arguments(CorrectedSchema)
@blueprint.response(200, ParticularsSchema)
def correct_particulars(body: dict[str, Any], enrolment_id: str) -> dict[str, Any]:
    """Correct some particulars, with a reason."""
    reason = body.pop("reason")
    if body.get("card_issued_on"):
        body["card_issued_on"] = body["card_issued_on"].isoformat()
    corrected = particulars.correct(act(), reachable_enrolment(enrolment_id), body, reason)
    return show_particulars(corrected)


@blueprint.route("/enrolments/<enrolment_id>/accommodations", methods=["POST"])
@for_roles("base_clerk", "county_officer")
@blueprint.arguments(AccommodationSchema)
@blueprint.response(201, ParticularsSchema)
def give_accommodation(body: dict[str, Any], enrolment_id: str) -> dict[str, Any]:
    """Record an accommodation (合理便利) that was really provided to a trainee."""
    enrolment = reachable_enrolment(enrolment_id)
    particulars.give_accommodation(act(), enrolment, **body)
    return show_particulars(enrolment)


@blueprint.route("/enrolments/<enrolment_id>/consents", methods=["GET"])
@for_roles("base_clerk", "county_officer", "city_officer", "auditor")
@blueprint.response(200, ConsentsSchema)
def list_consents(enrolment_id: str) -> dict[str, Any]:
    """A trainee's consents in a class, also those withdrawn."""
    return {"items": [show_consent(c) for c in consents.consents_of(reachable_enrolment(enrolment_id))]}


@blueprint.route("/enrolments/<enrolment_id>/consents", methods=["POST"])
@for_roles("base_clerk", "county_officer")
@blueprint.arguments(GivenConsentSchema)
@blueprint.response(201, ConsentSchema)
def give_consent(body: dict[str, Any], enrolment_id: str) -> dict[str, Any]:
    """Record a trainee's own consent to the handling of their data."""
    return show_consent(consents.give(act(), reachable_enrolment(enrolment_id), **body))


@blueprint.route("/enrolments/<enrolment_id>/consents/withdrawal", methods=["POST"])
@for_roles(*HANDLERS)
@blueprint.arguments(WithdrawalSchema)
@blueprint.response(200, ConsentSchema)
def withdraw_consent(body: dict[str, Any], enrolment_id: str) -> dict[str, Any]:
    """Record that a trainee takes consent back; the trace stays."""
    return show_consent(consents.withdraw(act(), reachable_enrolment(enrolment_id), body["reason"]))


@blueprint.route("/consent-text", methods=["GET"])
@for_roles(*EVERYONE)
@blueprint.response(200, ConsentTextSchema)
def read_consent_text() -> dict[str, Any]:
    """The text that trainees consent to today."""
    text = consents.text_on(act().policy, act().today)
    return {
        "version": text["version"],
        "valid_from": text.valid_from,
        "paragraphs": text["en" if language() == "en" else "zh"],
    }


@blueprint.route("/classes/<class_id>/consent-forms.pdf", methods=["GET"])
@for_roles("base_clerk", "county_officer")
@blueprint.response(200, content_type=PDF)
def consent_forms(class_id: str) -> Response:
    """Consent forms to print: one for each trainee without a consent, or a blank one."""
    training_class = reachable_class(class_id)
    return attachment(draw_consent_forms(training_class), PDF, f"consent-{training_class.filing_no}.pdf")


def draw_consent_forms(training_class: TrainingClass) -> bytes:
    """The consent forms of a class as an accessible PDF; a blank one where nobody lacks a consent.

    :raises Undrawable: no font covers a character of a name.
    """
    text = consents.text_on(act().policy, act().today)
    lacking = consents.without_consent(training_class)
    about = {
        "filing_no": training_class.filing_no,
        "title": training_class.title,
        "base": training_class.base.name,
        "version": text["version"],
        "zh": text["zh"],
        "means": [zh for zh, _ in MEANS.values()],
        "trainees": [enrolments.name_of(act().vault, row) for row in lacking] or [""],
    }
    return papers.draw("consent_form", about)
