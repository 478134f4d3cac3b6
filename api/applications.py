"""Endpoints for admission (准入): the application, its way through county and city, and the decision.

Inspections, panels and scores are in ``panels``. A clerk sees the own application with its history
and what it waits for; findings and marks stay with the federation.
"""

from __future__ import annotations

from typing import Any

from flask import request
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate
from werkzeug.exceptions import PreconditionFailed, PreconditionRequired

from api.bases import ListingSchema, reachable_base, show_listing
from api.bodies import Prose, Text
from api.callers import API_PREFIX, EVERYONE, act, for_roles, reachable_bases, require_reach
from api.lists import PageQuery, page, page_of
from api.problems import language
from api.shapes import ReasonSchema, ScopeSchema, StepSchema, show_step
from skills_registry import bases
from skills_registry.bases import (
    APPLICATION,
    BASE_KINDS,
    Application,
    Trade,
    applications,
    files,
    panels,
    progress,
    reviews,
)
from skills_registry.foundation.acts import Role
from skills_registry.foundation.dues import Due
from skills_registry.foundation.errors import FieldRefused, NotFound
from skills_registry.foundation.lifecycle import steps_of
from skills_registry.foundation.storage import require_found

blueprint = Blueprint(
    "applications", __name__, url_prefix=API_PREFIX, description="准入申请 (applications for a listing)"
)

#: An application is the business of the base, its county, the city, auditors and its own experts.
READERS: tuple[Role, ...] = (*EVERYONE, "expert")


class ApplicationWrittenSchema(Schema):
    """What a base applies for."""

    kind = Text(load_default="", validate=validate.OneOf(["", *BASE_KINDS]))
    scope = fields.List(fields.Nested(ScopeSchema), required=True, validate=validate.Length(0, 200))
    sites = fields.List(fields.UUID(), required=True, validate=validate.Length(0, 100))


class ApplicationGapSchema(Schema):
    """One thing that the next act waits for."""

    code = fields.String()
    message = fields.String()


class ApplicationDueSchema(Schema):
    """By when which roles must do what; provisional while that year's holidays are not published."""

    kind = fields.String()
    message = fields.String()
    waits_for = fields.List(fields.String())
    day = fields.Date()
    provisional = fields.Boolean()
    overdue = fields.Boolean()


class ApplicationSchema(Schema):
    """An application with its history, its deadline and what it waits for."""

    id = fields.String()
    base_id = fields.String()
    base_name = fields.String()
    kind = fields.String()
    scope = fields.List(fields.Nested(ScopeSchema))
    sites = fields.List(fields.String())
    round = fields.Integer(metadata={"description": "第几轮：每次提交或重新评审加一"})
    status = fields.String()
    status_text = fields.String()
    submission_digest = fields.String(allow_none=True)
    notice_id = fields.String(allow_none=True)
    listing_id = fields.String(allow_none=True)
    missing = fields.List(fields.Nested(ApplicationGapSchema))
    due = fields.Nested(ApplicationDueSchema, allow_none=True)
    steps = fields.List(fields.Nested(StepSchema))


class SubmissionSchema(Schema):
    """What was handed in, as it stood then; ``digest`` is the SHA-256 of its one JSON form, names sealed."""

    round = fields.Integer()
    submitted_at = fields.DateTime()
    policy_version = fields.String()
    digest = fields.String()
    snapshot = fields.Dict(keys=fields.String())


class OpinionSchema(ReasonSchema):
    """The county's opinion with its reasons."""

    opinion = Text(required=True, validate=validate.OneOf(["recommend", "not_recommend"]))


class PublicationSchema(Schema):
    """Title and text of the public notice."""

    title = Text(required=True, validate=validate.Length(1, 120))
    text = Prose(required=True, validate=validate.Length(1, 5000))


class AdmissionDecisionSchema(Schema):
    """The city's decision: ``list`` with its basis, ``refuse`` or ``review_again`` with reasons."""

    decision = Text(required=True, validate=validate.OneOf(["list", "refuse", "review_again"]))
    reason = Prose(load_default="", validate=validate.Length(0, 500))
    basis = Prose(load_default="", validate=validate.Length(0, 500), metadata={"description": "文号或依据"})
    scope = fields.List(fields.Nested(ScopeSchema), load_default=list, validate=validate.Length(0, 200))
    valid_from = fields.Date(load_default=None, allow_none=True)


class AdmissionDecidedSchema(ApplicationSchema):
    """The application after the decision, with the listing that came of it."""

    listing = fields.Nested(ListingSchema, allow_none=True)


class ApplicationQuery(PageQuery):
    """Filters of the list of applications."""

    status = Text(load_default=None, validate=validate.OneOf(APPLICATION.states))


ApplicationPage = page_of(ApplicationSchema)


def reachable_application(application_id: str) -> Application:
    """The application with this id, if it is the caller's business; an expert's are those of their panels.

    :raises NotFound: it is not; foreign applications answer as unknown ones do.
    """
    application = require_found(Application, application_id)
    if act().by.role == "expert":
        if application.id not in panels.applications_on_my_panels(act()):
            raise NotFound()
    else:
        require_reach(application.base)
    return application


def show_application(application: Application) -> dict[str, Any]:
    """An application as the API answers it, in a list."""
    submission = applications.latest_submission(application)
    return {
        **{name: getattr(application, name) for name in ("kind", "scope", "sites", "round", "status")},
        "id": str(application.id),
        "base_id": str(application.base_id),
        "base_name": application.base.name,
        "status_text": progress.state_name(application, language()),
        "submission_digest": submission.digest if submission else None,
        "notice_id": str(application.notice_id) if application.notice_id else None,
        "listing_id": str(application.listing_id) if application.listing_id else None,
        "due": _show_due(progress.due(application, act().policy)),
    }


def _show_due(found: Due | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "kind": found.kind,
        "message": found.en if language() == "en" else found.zh,
        "waits_for": found.waits_for,
        "day": found.deadline.day,
        "provisional": found.deadline.provisional,
        "overdue": found.is_overdue(act().today),
    }


def show_whole_application(application: Application) -> dict[str, Any]:
    """An application with its history and what it waits for."""
    missing = progress.missing(application, act().policy, act().today)
    return show_application(application) | {
        "missing": [{"code": found.code, "message": found.sentence(language())} for found in missing],
        "steps": _history(application),
    }


def _history(application: Application) -> list[dict[str, Any]]:
    shown = [show_step(step) for step in steps_of(application.id)]
    if act().by.role == "base_clerk":
        # Experts and inspectors stay unknown to the base that they judge.
        for step in shown:
            if step["by_role"] != "base_clerk":
                step["by_account"] = None
    return shown


@blueprint.route("/bases/<base_id>/applications", methods=["POST"])
@for_roles("base_clerk")
@blueprint.arguments(ApplicationWrittenSchema)
@blueprint.response(201, ApplicationSchema)
def apply(body: dict[str, Any], base_id: str) -> dict[str, Any]:
    """Begin an application of the own base; it stays a draft until submitted."""
    base = reachable_base(base_id)
    return show_whole_application(applications.apply(act(), base, **_written(body)))


def _written(body: dict[str, Any]) -> dict[str, Any]:
    return body | {"scope": [Trade(**entry) for entry in body["scope"]]}


@blueprint.route("/bases/<base_id>/applications", methods=["GET"])
@for_roles(*EVERYONE)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, ApplicationPage)
def list_applications_of_base(query: dict[str, Any], base_id: str) -> dict[str, Any]:
    """The applications of one base."""
    found = applications.applications_of(reachable_base(base_id))
    return page(found, Application, query, show_application)


@blueprint.route("/applications", methods=["GET"])
@for_roles(*READERS)
@blueprint.arguments(ApplicationQuery, location="query")
@blueprint.response(200, ApplicationPage)
def list_applications(query: dict[str, Any]) -> dict[str, Any]:
    """The applications that are the caller's business; for an expert, those of their panels."""
    if act().by.role == "expert":
        found = Application.select().where(Application.id.in_(panels.applications_on_my_panels(act())))
    else:
        found = Application.select().where(Application.base.in_(reachable_bases()))
    if query["status"]:
        found = found.where(Application.status == query["status"])
    return page(found, Application, query, show_application)


def etag(application: Application) -> dict[str, str]:
    """What the base has written and where it stands, as a header: it changes when either does."""
    names = ("kind", "scope", "sites", "round", "status")
    written = {name: getattr(application, name) for name in names}
    return {"ETag": f'"{applications.digest_of(written)[:16]}"'}


def require_seen(application: Application) -> None:
    """The caller has seen the application as it stands.

    :raises PreconditionRequired: ``If-Match`` is missing.
    :raises PreconditionFailed: it names an earlier form.
    """
    if "If-Match" not in request.headers:
        raise PreconditionRequired()
    if not request.if_match.contains(etag(application)["ETag"].strip('"')):
        raise PreconditionFailed()


@blueprint.route("/applications/<application_id>", methods=["GET"])
@for_roles(*READERS)
@blueprint.response(200, ApplicationSchema)
def read_application(application_id: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    """One application with its history, its deadline, what it waits for, and its ETag."""
    application = reachable_application(application_id)
    return show_whole_application(application), 200, etag(application)


@blueprint.route("/applications/<application_id>", methods=["PUT"])
@for_roles("base_clerk")
@blueprint.arguments(ApplicationWrittenSchema)
@blueprint.response(200, ApplicationSchema)
def revise(body: dict[str, Any], application_id: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Write a draft or a returned application anew; ``If-Match`` names the ETag that was read."""
    application = reachable_application(application_id)
    require_seen(application)
    revised = applications.revise(act(), application, **_written(body))
    return show_whole_application(revised), 200, etag(revised)


@blueprint.route("/applications/<application_id>/submission", methods=["POST"])
@for_roles("base_clerk")
@blueprint.response(200, ApplicationSchema)
def submit(application_id: str) -> dict[str, Any]:
    """Hand the application in; a snapshot of it and of the base's file is kept."""
    return show_whole_application(applications.submit(act(), reachable_application(application_id)))


@blueprint.route("/applications/<application_id>/submission", methods=["GET"])
@for_roles(*READERS)
@blueprint.response(200, SubmissionSchema)
def read_submission(application_id: str) -> dict[str, Any]:
    """What was handed in last, which the review looks at."""
    submission = applications.latest_submission(reachable_application(application_id))
    if submission is None:
        raise NotFound()
    names = ("round", "submitted_at", "policy_version", "digest")
    return {name: getattr(submission, name) for name in names} | {"snapshot": _opened(submission.snapshot)}


def _opened(snapshot: dict[str, Any]) -> dict[str, Any]:
    # Experts judge qualifications: the names of people stay with those whose business the base is.
    if act().by.role != "expert":
        return snapshot | {"file": files.open_snapshot(act().vault, snapshot["file"])}
    file = snapshot["file"]
    teachers = [{**teacher, "name": None} for teacher in file["teachers"]]
    return snapshot | {"file": {**file, "legal_person": None, "teachers": teachers}}


@blueprint.route("/applications/<application_id>/return", methods=["POST"])
@for_roles("county_officer", "city_officer")
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, ApplicationSchema)
def return_application(body: dict[str, Any], application_id: str) -> dict[str, Any]:
    """Return it for correction: the county what was submitted, the city after an inspection."""
    application = reachable_application(application_id)
    return show_whole_application(reviews.return_for_correction(act(), application, body["reason"]))


@blueprint.route("/applications/<application_id>/preliminary-review", methods=["POST"])
@for_roles("county_officer")
@blueprint.arguments(OpinionSchema)
@blueprint.response(200, ApplicationSchema)
def preliminary_review(body: dict[str, Any], application_id: str) -> dict[str, Any]:
    """The county recommends the base to the city, or does not, with reasons."""
    application = reachable_application(application_id)
    return show_whole_application(
        reviews.preliminary_review(act(), application, body["opinion"], body["reason"])
    )


@blueprint.route("/applications/<application_id>/publication", methods=["POST"])
@for_roles("city_officer")
@blueprint.arguments(PublicationSchema)
@blueprint.response(200, ApplicationSchema)
def publish(body: dict[str, Any], application_id: str) -> dict[str, Any]:
    """The city publishes an application that passed its panel, for the public to object."""
    application = reachable_application(application_id)
    reviews.publish(act(), application, title=body["title"], text=body["text"])
    return show_whole_application(application)


@blueprint.route("/applications/<application_id>/decision", methods=["POST"])
@for_roles("city_officer")
@blueprint.arguments(AdmissionDecisionSchema)
@blueprint.response(200, AdmissionDecidedSchema)
def decide(body: dict[str, Any], application_id: str) -> dict[str, Any]:
    """List the base, refuse it, or have it inspected and scored again; by a city officer who took no part."""
    application = reachable_application(application_id)
    listing = _decide(application, body)
    return show_whole_application(application) | {"listing": show_listing(listing) if listing else None}


def _decide(application: Application, body: dict[str, Any]) -> bases.Listing | None:
    if body["decision"] == "refuse":
        reviews.refuse(act(), application, body["reason"])
    elif body["decision"] == "review_again":
        reviews.review_again(act(), application, body["reason"])
    elif not body["basis"]:
        raise FieldRefused(field="basis")
    else:
        scope = [Trade(**entry) for entry in body["scope"]]
        return reviews.list_base(
            act(), application, basis=body["basis"], scope=scope, valid_from=body["valid_from"]
        )
    return None


@blueprint.route("/applications/<application_id>/withdrawal", methods=["POST"])
@for_roles("base_clerk")
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, ApplicationSchema)
def withdraw(body: dict[str, Any], application_id: str) -> dict[str, Any]:
    """The base takes its application back before it is decided."""
    application = reachable_application(application_id)
    return show_whole_application(applications.withdraw(act(), application, body["reason"]))
