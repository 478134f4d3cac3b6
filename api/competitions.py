"""Endpoints for competitions and showcases (竞赛、展能赛): events, entries, scores, results, awards."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from api.bodies import Text
from api.callers import API_PREFIX, OFFICERS, act, for_roles, services
from api.certificates import CertificateSchema, show_certificate, verify_url, zipped
from api.competition_entries import reachable_event, show_event
from api.files import PDF, ZIP, attachment
from api.lists import PageQuery, page, page_of
from api.problems import language
from api.shapes import ReasonSchema, StepSchema, show_step
from certificates import document
from certificates.document import fonts
from skills_registry.certification import certificates
from skills_registry.certification.printed import CertificatePaper
from skills_registry.competitions import contests, entries, planning, results
from skills_registry.competitions.contests import (
    BETTER,
    COMPETITION,
    KINDS,
    LONGEST_RULE,
    LONGEST_SUBJECT,
    LONGEST_TITLE,
    Competition,
    CompetitionEvent,
)
from skills_registry.competitions.planning import EventPlan, Plan
from skills_registry.foundation.errors import NotFound
from skills_registry.foundation.lifecycle import steps_of
from skills_registry.foundation.storage import require_found

blueprint = Blueprint("competitions", __name__, url_prefix=API_PREFIX, description="竞赛 (competitions)")

_READERS = (*OFFICERS, "auditor")

_COLUMNS = (
    "kind",
    "title",
    "public_title",
    "organiser",
    "division_code",
    "place",
    "funding_source",
    "entries_until",
    "eligible_on",
    "starts_on",
    "ends_on",
    "status",
)


class CompetitionEventSchema(Schema):
    """One event; ``tie_rule`` and ``tie_better`` are empty where equal scores share a rank."""

    id = fields.String(dump_only=True)
    subject = Text(required=True, validate=validate.Length(1, LONGEST_SUBJECT))
    ranked = fields.Boolean(load_default=True)
    better = Text(load_default="higher", validate=validate.OneOf(BETTER))
    tie_rule = Text(load_default="", validate=validate.Length(0, LONGEST_RULE))
    tie_better = Text(load_default="", validate=validate.OneOf(["", *BETTER]))
    status = fields.String(dump_only=True)
    status_text = fields.String(dump_only=True)
    entrants = fields.Integer(dump_only=True)


class CompetitionSchema(Schema):
    """A competition; ``public_title`` is printed and shown, ``title`` is for the offices."""

    id = fields.String(dump_only=True)
    status = fields.String(dump_only=True)
    status_text = fields.String(dump_only=True)
    kind = Text(required=True, validate=validate.OneOf(KINDS))
    title = Text(required=True, validate=validate.Length(1, LONGEST_TITLE))
    public_title = Text(required=True, validate=validate.Length(1, LONGEST_TITLE))
    organiser = Text(load_default="", validate=validate.Length(0, LONGEST_TITLE))
    division_code = Text(load_default="", validate=validate.Regexp(r"^([0-9]{6})?$"))
    place = Text(required=True, validate=validate.Length(1, LONGEST_TITLE))
    funding_source = Text(required=True, validate=validate.Length(1, 40))
    entries_until = fields.Date(required=True)
    eligible_on = fields.Date(required=True)
    starts_on = fields.Date(required=True)
    ends_on = fields.Date(required=True)
    events = fields.List(fields.Nested(CompetitionEventSchema), dump_only=True)
    steps = fields.List(fields.Nested(StepSchema), dump_only=True)


class EventAwardsSchema(Schema):
    """The awards that a confirmation issued."""

    status = fields.String()
    certificates = fields.List(fields.Nested(CertificateSchema))


def show_competition(competition: Competition) -> dict[str, Any]:
    """A competition as the API answers it, in a list."""
    zh, en = COMPETITION.states[competition.status]
    return {name: getattr(competition, name) for name in _COLUMNS} | {
        "id": str(competition.id),
        "status_text": en if language() == "en" else zh,
    }


def show_whole_competition(competition: Competition) -> dict[str, Any]:
    """A competition with its events and history."""
    return show_competition(competition) | {
        "events": [show_event(event) for event in contests.events_of(competition)],
        "steps": [show_step(step) for step in steps_of(competition.id)],
    }


def reachable_competition(competition_id: str) -> Competition:
    """The competition with this id, if it is the caller's business: their division's, or their city's."""
    competition = require_found(Competition, competition_id)
    if not contests.seen_by(act()).where(Competition.id == competition.id).exists():
        raise NotFound()
    return competition


@blueprint.route("/competitions", methods=["GET"])
@for_roles(*_READERS)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_of(CompetitionSchema))
def list_competitions(query: dict[str, Any]) -> dict[str, Any]:
    """The competitions of the caller's division and city."""
    return page(contests.seen_by(act()), Competition, query, show_competition)


@blueprint.route("/competitions", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(CompetitionSchema)
@blueprint.response(201, CompetitionSchema)
def draft_competition(body: dict[str, Any]) -> dict[str, Any]:
    """Draft a competition; without an organiser it is held in the registry's own name."""
    body["organiser"] = body["organiser"] or act().policy.city["issuer_name"]
    body["division_code"] = body["division_code"] or act().by.division_code
    return show_whole_competition(planning.draft(act(), Plan(**body)))


@blueprint.route("/competitions/<competition_id>", methods=["GET"])
@for_roles(*_READERS)
@blueprint.response(200, CompetitionSchema)
def read_competition(competition_id: str) -> dict[str, Any]:
    """One competition with its events and history."""
    return show_whole_competition(reachable_competition(competition_id))


@blueprint.route("/competitions/<competition_id>/events", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(CompetitionEventSchema)
@blueprint.response(201, CompetitionEventSchema)
def add_event(body: dict[str, Any], competition_id: str) -> dict[str, Any]:
    """Add an event while the competition is being prepared."""
    return show_event(planning.add_event(act(), reachable_competition(competition_id), EventPlan(**body)))


@blueprint.route("/competitions/<competition_id>/opening", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.response(200, CompetitionSchema)
def open_entries(competition_id: str) -> dict[str, Any]:
    """Take entries from now on."""
    return show_whole_competition(contests.open_entries(act(), reachable_competition(competition_id)))


@blueprint.route("/competitions/<competition_id>/closing", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.response(200, CompetitionSchema)
def close_entries(competition_id: str) -> dict[str, Any]:
    """Close entries: events with too few entrants are cancelled, the others get their rules."""
    return show_whole_competition(entries.close_entries(act(), reachable_competition(competition_id)))


@blueprint.route("/competitions/<competition_id>/conclusion", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.response(200, CompetitionSchema)
def conclude(competition_id: str) -> dict[str, Any]:
    """End a competition whose events are all final or cancelled."""
    return show_whole_competition(contests.conclude(act(), reachable_competition(competition_id)))


@blueprint.route("/competitions/<competition_id>/cancellation", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, CompetitionSchema)
def cancel_competition(body: dict[str, Any], competition_id: str) -> dict[str, Any]:
    """Cancel a competition that has no results yet."""
    found = contests.cancel(act(), reachable_competition(competition_id), body["reason"])
    return show_whole_competition(found)


@blueprint.route("/competition-events/<event_id>/cancellation", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, CompetitionEventSchema)
def cancel_event(body: dict[str, Any], event_id: str) -> dict[str, Any]:
    """Cancel one event that has no results yet."""
    return show_event(contests.cancel_event(act(), reachable_event(event_id), body["reason"]))


@blueprint.route("/competition-events/<event_id>/proposal", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.response(200, CompetitionEventSchema)
def propose_result(event_id: str) -> dict[str, Any]:
    """Propose the result of an event for confirmation by another officer."""
    return show_event(results.propose(act(), reachable_event(event_id)))


@blueprint.route("/competition-events/<event_id>/return", methods=["POST"])
@for_roles("city_officer")
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, CompetitionEventSchema)
def return_result(body: dict[str, Any], event_id: str) -> dict[str, Any]:
    """Return a proposed result with the reason."""
    return show_event(results.send_back(act(), reachable_event(event_id), body["reason"]))


@blueprint.route("/competition-events/<event_id>/confirmation", methods=["POST"])
@for_roles("city_officer")
@blueprint.response(200, EventAwardsSchema)
def confirm_result(event_id: str) -> dict[str, Any]:
    """Make a proposed result final and issue its awards, in one step."""
    event = reachable_event(event_id)
    issued = results.finalise(act(), event, services().signer(), fonts.uncovered)
    return {
        "status": CompetitionEvent.get_by_id(event.id).status,
        "certificates": [show_certificate(award) for award in issued],
    }


@blueprint.route("/competition-events/<event_id>/reopening", methods=["POST"])
@for_roles("city_officer")
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, CompetitionEventSchema)
def reopen_result(body: dict[str, Any], event_id: str) -> dict[str, Any]:
    """Reopen a final result that was wrong; its awards are revoked with this reason."""
    return show_event(results.reopen(act(), reachable_event(event_id), body["reason"]))


def award_prints(competition_id: str) -> list[tuple[CertificatePaper, str]]:
    """What is to be drawn of a competition: the awards in use whose entries the caller may see."""
    competition = reachable_competition(competition_id)
    seen = {row.id for row in entries.seen_by(act())}
    found = [
        (certificates.printed_of(act().vault, award), verify_url(award))
        for award in results.awards_of(contests.events_of(competition))
        if award.status in ("valid", "suspended") and award.entry_id in seen
    ]
    if not found:
        raise NotFound(
            code="no_certificates",
            zh="本竞赛还没有可下载的获奖证书；成绩确认后即可下载。",
            en="The competition has no awards yet; they can be downloaded once results are final.",
        )
    return found


@blueprint.route("/competitions/<competition_id>/awards.zip", methods=["GET"])
@for_roles(*_READERS)
@blueprint.response(200, content_type=ZIP)
def draw_awards(competition_id: str) -> Response:
    """A competition's awards as one ZIP, streamed while they are drawn."""
    return attachment(zipped(award_prints(competition_id)), ZIP, f"awards-{competition_id}.zip")


@blueprint.route("/competitions/<competition_id>/awards.pdf", methods=["GET"])
@for_roles(*_READERS)
@blueprint.response(200, content_type=PDF)
def gather_awards(competition_id: str) -> Response:
    """A competition's awards as one print-ready PDF, a page each."""
    return attachment(document.gather(award_prints(competition_id)), PDF, f"awards-{competition_id}.pdf")
