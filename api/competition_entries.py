"""Endpoints for an event of a competition: its entries, their scores, and where the result stands."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from api.bodies import Text
from api.callers import API_PREFIX, OFFICERS, act, for_roles
from api.lists import PageQuery, page, page_of
from api.problems import language
from api.shapes import ReasonSchema, StepSchema, show_step
from skills_registry.competitions import contests, entries, results, scores
from skills_registry.competitions.contests import COMPETITION_EVENT, Competition, CompetitionEvent
from skills_registry.competitions.entries import (
    COMPETITION_ENTRY,
    LONGEST_TEAM,
    Candidate,
    CompetitionEntry,
)
from skills_registry.competitions.scores import OUTCOMES, EntryScore, Scored
from skills_registry.foundation.errors import NotFound
from skills_registry.foundation.lifecycle import steps_of
from skills_registry.foundation.storage import require_found

blueprint = Blueprint(
    "competition_entries", __name__, url_prefix=API_PREFIX, description="参赛报名与成绩 (entries and scores)"
)

_READERS = (*OFFICERS, "auditor")


class EntrantSchema(Schema):
    """Who is to be entered; ``card_issued_on`` is the first day of their card, ``publish`` their consent to be named."""

    name = Text(required=True, validate=validate.Length(1, 100))
    citizen_id = Text(required=True, validate=validate.Length(1, 40))
    disability_card = Text(load_default="", validate=validate.Length(0, 40))
    card_issued_on = fields.Date(load_default=None, allow_none=True)
    team = Text(required=True, validate=validate.Length(1, LONGEST_TEAM))
    team_division = Text(load_default="", validate=validate.Regexp(r"^([0-9]{6})?$"))
    expert_title = fields.Boolean(load_default=False)
    publish = fields.Boolean(load_default=False)


class EntryScoreSchema(Schema):
    """How it ended for an entry; ``score`` for those who finished a ranked event only."""

    outcome = Text(required=True, validate=validate.OneOf(OUTCOMES))
    score = fields.Decimal(load_default=None, allow_none=True, as_string=True)
    tie_break = fields.Decimal(load_default=None, allow_none=True, as_string=True)


class CompetitionEntrySchema(Schema):
    """An entry with its score; rank and prize as they stand now, and for good once the result is final."""

    id = fields.String()
    event_id = fields.String()
    start_number = fields.Integer()
    name = fields.String()
    team = fields.String()
    team_division = fields.String()
    publish = fields.Boolean()
    status = fields.String()
    status_text = fields.String()
    outcome = fields.String(allow_none=True)
    score = fields.Decimal(allow_none=True, as_string=True)
    tie_break = fields.Decimal(allow_none=True, as_string=True)
    rank = fields.Integer(allow_none=True)
    prize = fields.String()
    steps = fields.List(fields.Nested(StepSchema))


class WholeCompetitionEventSchema(Schema):
    """An event with its history."""

    id = fields.String()
    competition_id = fields.String()
    subject = fields.String()
    ranked = fields.Boolean()
    better = fields.String()
    tie_rule = fields.String()
    tie_better = fields.String()
    status = fields.String()
    status_text = fields.String()
    entrants = fields.Integer()
    rules = fields.Dict(allow_none=True)
    steps = fields.List(fields.Nested(StepSchema))


def show_event(event: CompetitionEvent) -> dict[str, Any]:
    """An event as the API answers it; ``entrants`` stand entered, or took part once the result is final."""
    columns = ("subject", "ranked", "better", "tie_rule", "tie_better", "status")
    zh, en = COMPETITION_EVENT.states[event.status]
    return {name: getattr(event, name) for name in columns} | {
        "id": str(event.id),
        "competition_id": str(event.competition_id),
        "status_text": en if language() == "en" else zh,
        "entrants": len(entries.standing(event)) if event.entrants is None else event.entrants,
    }


def show_entry(entry: CompetitionEntry) -> dict[str, Any]:
    """An entry as the API answers it to those entitled."""
    score = EntryScore.get_or_none((EntryScore.entry == entry.id) & EntryScore.current)
    placing = results.result_of(entry.event).get(entry.id)
    zh, en = COMPETITION_ENTRY.states[entry.status]
    columns = ("start_number", "team", "team_division", "publish", "status")
    return {name: getattr(entry, name) for name in columns} | {
        "id": str(entry.id),
        "event_id": str(entry.event_id),
        "name": entries.name_of(act().vault, entry),
        "status_text": en if language() == "en" else zh,
        "outcome": score and score.outcome,
        "score": score and score.score,
        "tie_break": score and score.tie_break,
        "rank": placing and placing.rank,
        "prize": placing.prize if placing else "",
    }


def show_whole_entry(entry: CompetitionEntry) -> dict[str, Any]:
    """An entry with its history."""
    return show_entry(entry) | {"steps": [show_step(step) for step in steps_of(entry.id)]}


def reachable_event(event_id: str) -> CompetitionEvent:
    """The event with this id, if its competition is the caller's business."""
    event = require_found(CompetitionEvent, event_id)
    if not contests.seen_by(act()).where(Competition.id == event.competition_id).exists():
        raise NotFound()
    return event


def reachable_entry(entry_id: str) -> CompetitionEntry:
    """The entry with this id, if it is the caller's business."""
    entry = require_found(CompetitionEntry, entry_id)
    entries.require_seen(act(), entry.event.competition, entry)
    return entry


@blueprint.route("/competition-events/<event_id>", methods=["GET"])
@for_roles(*_READERS)
@blueprint.response(200, WholeCompetitionEventSchema)
def read_event(event_id: str) -> dict[str, Any]:
    """One event with the rules written down for it and its history."""
    event = reachable_event(event_id)
    return show_event(event) | {"rules": event.rules, "steps": [show_step(s) for s in steps_of(event.id)]}


@blueprint.route("/competition-events/<event_id>/entries", methods=["GET"])
@for_roles(*_READERS)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_of(CompetitionEntrySchema))
def list_entries(query: dict[str, Any], event_id: str) -> dict[str, Any]:
    """The entries of an event: all of them for who holds the competition, else those of the own county."""
    event = reachable_event(event_id)
    found = entries.entries_of(event).where(CompetitionEntry.id.in_(entries.seen_by(act())))
    return page(found, CompetitionEntry, query, show_entry)


@blueprint.route("/competition-events/<event_id>/entries", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(EntrantSchema)
@blueprint.response(201, CompetitionEntrySchema)
def enter(body: dict[str, Any], event_id: str) -> dict[str, Any]:
    """Enter a person for a team of the caller's division."""
    event = reachable_event(event_id)
    body["team_division"] = body["team_division"] or act().by.division_code
    return show_whole_entry(entries.enter(act(), event, Candidate(**body)))


@blueprint.route("/competition-entries/<entry_id>", methods=["GET"])
@for_roles(*_READERS)
@blueprint.response(200, CompetitionEntrySchema)
def read_entry(entry_id: str) -> dict[str, Any]:
    """One entry with its history."""
    return show_whole_entry(reachable_entry(entry_id))


@blueprint.route("/competition-entries/<entry_id>/withdrawal", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, CompetitionEntrySchema)
def withdraw(body: dict[str, Any], entry_id: str) -> dict[str, Any]:
    """Take an entry out before results are proposed (退赛)."""
    return show_whole_entry(entries.withdraw(act(), reachable_entry(entry_id), body["reason"]))


@blueprint.route("/competition-entries/<entry_id>/disqualification", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, CompetitionEntrySchema)
def disqualify(body: dict[str, Any], entry_id: str) -> dict[str, Any]:
    """Disqualify an entry with the reason (取消资格)."""
    return show_whole_entry(entries.disqualify(act(), reachable_entry(entry_id), body["reason"]))


@blueprint.route("/competition-entries/<entry_id>/readmission", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, CompetitionEntrySchema)
def readmit(body: dict[str, Any], entry_id: str) -> dict[str, Any]:
    """Take a disqualification back."""
    return show_whole_entry(entries.readmit(act(), reachable_entry(entry_id), body["reason"]))


@blueprint.route("/competition-entries/<entry_id>/score", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(EntryScoreSchema)
@blueprint.response(200, CompetitionEntrySchema)
def record_score(body: dict[str, Any], entry_id: str) -> dict[str, Any]:
    """Record what an entry achieved, or that it did not finish or start; an earlier score stays as a trace."""
    entry = reachable_entry(entry_id)
    scores.record_score(act(), entry, Scored(**body))
    return show_whole_entry(entry)
