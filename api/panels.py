"""Endpoints for the review of an application (评审): inspections, panel, recusals and score sheets."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from api.applications import ApplicationSchema, reachable_application, show_whole_application
from api.bodies import Prose, Text
from api.callers import API_PREFIX, act, for_roles
from api.shapes import ReasonSchema
from skills_registry.accounts import Account
from skills_registry.bases import inspections, panels, scores
from skills_registry.bases.applications import Application
from skills_registry.bases.inspections import Inspection, Visit
from skills_registry.bases.seats import Panel, PanelSeat
from skills_registry.foundation.errors import FieldRefused, NotFound
from skills_registry.foundation.storage import require_found

blueprint = Blueprint(
    "panels", __name__, url_prefix=f"{API_PREFIX}/applications", description="实地考察与专家评审 (review)"
)


class ChecklistAnswerSchema(Schema):
    """The answer to one item of the checklist."""

    code = Text(required=True, validate=validate.Length(1, 40))
    met = fields.Boolean(required=True)
    remark = Prose(load_default="", validate=validate.Length(0, 500))


class InspectionSchema(Schema):
    """One report of a visit; it counts when as many inspectors have signed as are needed."""

    id = fields.String(dump_only=True)
    round = fields.Integer(dump_only=True)
    visited_on = fields.Date(required=True)
    answers = fields.List(
        fields.Nested(ChecklistAnswerSchema), required=True, validate=validate.Length(1, 100)
    )
    findings = Prose(required=True, validate=validate.Length(1, 5000))
    photos = fields.List(fields.UUID(), required=True, validate=validate.Length(0, 100))
    inspectors_needed = fields.Integer(dump_only=True)
    signed_by = fields.List(fields.String(), dump_only=True)


class ChecklistItemSchema(Schema):
    """One item of the checklist."""

    code = fields.String()
    zh = fields.String()
    en = fields.String()
    required = fields.Boolean()


class InspectionsSchema(Schema):
    """The reports of all rounds, and the checklist for the next one."""

    items = fields.List(fields.Nested(InspectionSchema))
    checklist = fields.List(fields.Nested(ChecklistItemSchema))


class ExpertSchema(Schema):
    """An expert who may be appointed: their account and their name at work."""

    account = fields.String()
    label = fields.String()


class ExpertsSchema(Schema):
    """The experts who may be appointed."""

    items = fields.List(fields.Nested(ExpertSchema))


class AppointmentSchema(Schema):
    """The accounts of the experts to appoint."""

    experts = fields.List(fields.UUID(), required=True, validate=validate.Length(1, 30))


class SeatSchema(Schema):
    """One seat of a panel."""

    id = fields.String()
    account = fields.String()
    status = fields.String()
    replaces = fields.String(allow_none=True)


class PanelCriterionSchema(ChecklistItemSchema):
    """One criterion of the sheet."""

    full_mark = fields.Integer()
    weight = fields.Integer()

    class Meta:
        exclude = ("required",)


class PanelSchema(Schema):
    """The panel of the present round and the sheet that it fills in."""

    round = fields.Integer()
    pass_percent = fields.Integer()
    rule_from = fields.Date()
    policy_version = fields.String()
    criteria = fields.List(fields.Nested(PanelCriterionSchema))
    seats = fields.List(fields.Nested(SeatSchema))
    vacancies = fields.Integer()


class RecusalSchema(ReasonSchema):
    """Why; the city names whose seat, an expert's own seat needs no naming."""

    seat = fields.UUID(load_default=None, allow_none=True)


class ScorePointsSchema(Schema):
    """One expert's sheet: whole points by criterion."""

    points = fields.Dict(keys=fields.String(), values=fields.Integer(strict=True), required=True)
    remarks = Prose(load_default="", validate=validate.Length(0, 2000))


class ScoreSheetSchema(ScorePointsSchema):
    """A sheet that was handed in."""

    seat = fields.String()
    handed_in_at = fields.DateTime()


class PanelMarkSchema(Schema):
    """The mean as a fraction: weighted points given ÷ weighted points possible."""

    numerator = fields.Integer()
    denominator = fields.Integer()
    pass_percent = fields.Integer()
    passed = fields.Boolean()
    experts = fields.Integer()
    rule_from = fields.Date()
    policy_version = fields.String()


class PanelScoresSchema(Schema):
    """The sheets that this caller may see now, and the mark once the panel has concluded."""

    criteria = fields.List(fields.Nested(PanelCriterionSchema))
    items = fields.List(fields.Nested(ScoreSheetSchema))
    mark = fields.Nested(PanelMarkSchema, allow_none=True)


def show_inspection(inspection: Inspection) -> dict[str, Any]:
    """A report as the API answers it."""
    names = ("round", "visited_on", "findings", "photos", "inspectors_needed")
    return {name: getattr(inspection, name) for name in names} | {
        "id": str(inspection.id),
        "answers": [{"code": code, **answer} for code, answer in inspection.answers.items()],
        "signed_by": [str(signature.account) for signature in inspection.signatures],
    }


def show_panel(panel: Panel) -> dict[str, Any]:
    """A panel as the API answers it."""
    names = ("round", "pass_percent", "rule_from", "policy_version", "criteria")
    return {name: getattr(panel, name) for name in names} | {
        "seats": [_show_seat(seat) for seat in panel.seats.order_by(PanelSeat.id)],
        "vacancies": len(panels.vacancies(panel)),
    }


def _show_seat(seat: PanelSeat) -> dict[str, Any]:
    return {
        "id": str(seat.id),
        "account": str(seat.account_id),
        "status": seat.status,
        "replaces": str(seat.replaces_id) if seat.replaces_id else None,
    }


def _panel_of(application: Application) -> Panel:
    panel = panels.latest_panel(application)
    if panel is None:
        raise NotFound()
    return panel


def _own_seat(application: Application) -> PanelSeat:
    seat = panels.seat_of(act(), _panel_of(application))
    if seat is None:
        raise NotFound()
    return seat


@blueprint.route("/<application_id>/inspections", methods=["GET"])
@for_roles("county_officer", "city_officer", "auditor", "expert")
@blueprint.response(200, InspectionsSchema)
def list_inspections(application_id: str) -> dict[str, Any]:
    """The reports of all rounds, and the checklist that the next visit fills in."""
    application = reachable_application(application_id)
    return {
        "items": [show_inspection(found) for found in inspections.inspections_of(application)],
        "checklist": act().policy.rule("admission_checklist", act().today)["items"],
    }


@blueprint.route("/<application_id>/inspections", methods=["POST"])
@for_roles("county_officer", "city_officer")
@blueprint.arguments(InspectionSchema)
@blueprint.response(201, InspectionSchema)
def file_inspection(body: dict[str, Any], application_id: str) -> dict[str, Any]:
    """File the report of a visit and sign it; the other inspectors sign after."""
    answers = {answer.pop("code"): answer for answer in body.pop("answers")}
    application = reachable_application(application_id)
    return show_inspection(inspections.file_inspection(act(), application, Visit(answers=answers, **body)))


@blueprint.route("/<application_id>/inspections/<inspection_id>/signature", methods=["POST"])
@for_roles("county_officer", "city_officer")
@blueprint.response(200, InspectionSchema)
def sign_inspection(application_id: str, inspection_id: str) -> dict[str, Any]:
    """Sign a report as another inspector who was there."""
    application = reachable_application(application_id)
    inspection = require_found(Inspection, inspection_id)
    if inspection.application_id != application.id:
        raise NotFound()
    return show_inspection(inspections.sign_inspection(act(), inspection))


@blueprint.route("/<application_id>/panel", methods=["GET"])
@for_roles("city_officer", "auditor", "expert")
@blueprint.response(200, PanelSchema)
def read_panel(application_id: str) -> dict[str, Any]:
    """The panel of the present round and its blank sheet."""
    return show_panel(_panel_of(reachable_application(application_id)))


@blueprint.route("/<application_id>/experts", methods=["GET"])
@for_roles("city_officer")
@blueprint.response(200, ExpertsSchema)
def list_experts(application_id: str) -> dict[str, Any]:
    """The experts whom the city may appoint, without those who sit on this panel already."""
    application = reachable_application(application_id)
    panel = panels.latest_panel(application)
    seated = {seat.account_id for seat in panel.seats} if panel else set()
    return {
        "items": [
            {"account": str(account.id), "label": account.operator.label}
            for account in panels.experts_available()
            if account.id not in seated
        ]
    }


@blueprint.route("/<application_id>/panel", methods=["POST"])
@for_roles("city_officer")
@blueprint.arguments(AppointmentSchema)
@blueprint.response(200, PanelSchema)
def appoint(body: dict[str, Any], application_id: str) -> dict[str, Any]:
    """Appoint the panel, or fill the seats of experts who recused."""
    application = reachable_application(application_id)
    wanted = list(dict.fromkeys(body["experts"]))
    experts = list(Account.select().where(Account.id.in_(wanted)))
    if len(experts) != len(wanted):
        raise FieldRefused(field="experts")
    return show_panel(panels.appoint(act(), application, experts))


@blueprint.route("/<application_id>/recusals", methods=["POST"])
@for_roles("city_officer", "expert")
@blueprint.arguments(RecusalSchema)
@blueprint.response(200, SeatSchema)
def recuse(body: dict[str, Any], application_id: str) -> dict[str, Any]:
    """Recuse from the own seat, or take an expert off the panel before they hand in."""
    application = reachable_application(application_id)
    if act().by.role == "expert":
        seat = _own_seat(application)
    else:
        seat = _seat_named(application, str(body["seat"]))
    return _show_seat(panels.recuse(act(), seat, body["reason"]))


def _seat_named(application: Application, seat_id: str) -> PanelSeat:
    seat = require_found(PanelSeat, seat_id)
    if seat.panel_id != _panel_of(application).id:
        raise NotFound()
    return seat


@blueprint.route("/<application_id>/scores", methods=["POST"])
@for_roles("expert")
@blueprint.arguments(ScorePointsSchema)
@blueprint.response(200, ApplicationSchema)
def hand_in(body: dict[str, Any], application_id: str) -> dict[str, Any]:
    """Hand in the own sheet, once and for good; the last one concludes the panel."""
    application = reachable_application(application_id)
    scores.hand_in(act(), _own_seat(application), body["points"], body["remarks"])
    return show_whole_application(reachable_application(application_id))


@blueprint.route("/<application_id>/scores", methods=["GET"])
@for_roles("city_officer", "auditor", "expert")
@blueprint.response(200, PanelScoresSchema)
def list_scores(application_id: str) -> dict[str, Any]:
    """An expert's own sheet; all sheets and the mark once every expert has handed in."""
    panel = _panel_of(reachable_application(application_id))
    return {
        "criteria": panel.criteria,
        "items": [
            {name: getattr(sheet, name) for name in ("points", "remarks", "handed_in_at")}
            | {"seat": str(sheet.seat_id)}
            for sheet in scores.visible_sheets(act(), panel)
        ],
        "mark": _show_mark(panel),
    }


def _show_mark(panel: Panel) -> dict[str, Any] | None:
    if not panels.is_complete(panel):
        return None
    reached = scores.mark(panel)
    return {
        name: getattr(reached, name)
        for name in (
            "numerator",
            "denominator",
            "pass_percent",
            "passed",
            "experts",
            "rule_from",
            "policy_version",
        )
    }
