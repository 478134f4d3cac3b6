"""What the world sees of competitions: when and where, how many took part, and which teams won what.

Public titles only. Nobody is named unless the policy permits it and the person agreed.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, url_for

from api.callers import act
from api.directory import contact
from api.limits import READING, limiter
from api.pages import page, wants_json
from api.problems import language
from skills_registry.competitions import contests, entries, results
from skills_registry.competitions.contests import (
    COMPETITION,
    COMPETITION_EVENT,
    KINDS,
    Competition,
    CompetitionEvent,
)
from skills_registry.competitions.entries import CompetitionEntry
from skills_registry.foundation.errors import NotFound
from skills_registry.foundation.storage import require_found

blueprint = Blueprint("competition_pages", __name__)

#: The newest competitions on the page; older ones keep their own address.
SHOWN = 50


def public_competition(competition: Competition) -> dict[str, Any]:
    """What everyone may know of a competition, in the caller's language."""
    english = language() == "en"
    days = ("entries_until", "starts_on", "ends_on")
    return {name: getattr(competition, name).isoformat() for name in days} | {
        "id": str(competition.id),
        "title": competition.public_title,
        "kind": competition.kind,
        "kind_text": KINDS[competition.kind][english],
        "place": competition.place,
        "organiser": competition.organiser,
        "status": competition.status,
        "status_text": COMPETITION.states[competition.status][english],
        "events": len(contests.events_of(competition)),
        "url": url_for("competition_pages.read_competition", competition_id=str(competition.id)),
    }


def whole_competition(competition: Competition) -> dict[str, Any]:
    """A competition with its events, their winners by team, and what each team won."""
    table = [{"team": team, "prizes": prizes} for team, prizes in results.medal_table(competition)]
    events = [_public_event(event) for event in contests.events_of(competition)]
    return public_competition(competition) | {"events": events, "teams": table}


def _public_event(event: CompetitionEvent) -> dict[str, Any]:
    final = event.status == "final"
    return {
        "subject": event.subject,
        "ranked": event.ranked,
        "status": event.status,
        "status_text": COMPETITION_EVENT.states[event.status][language() == "en"],
        "entrants": event.entrants if final else len(entries.standing(event)),
        "winners": [_winner(entry) for entry in results.winners_of(event)] if final else [],
    }


def _winner(entry: CompetitionEntry) -> dict[str, Any]:
    rules = contests.rule(act(), entry.event.competition)
    named = rules["public_names"] and entry.publish
    return {
        "rank": entry.rank,
        "prize": entry.prize,
        "team": entry.team,
        "name": entries.name_of(act().vault, entry) if named else None,
    }


@blueprint.get("/competitions")
@limiter.limit(READING)
def list_competitions() -> Response:
    """The newest competitions, those to come first."""
    known = Competition.select().where(Competition.status != "draft")
    shown = [public_competition(c) for c in known.order_by(Competition.starts_on.desc()).limit(SHOWN)]
    if wants_json():
        return jsonify({"items": shown})
    return page("competitions", items=shown, contact=contact())


@blueprint.get("/competitions/<competition_id>")
@limiter.limit(READING)
def read_competition(competition_id: str) -> Response:
    """One competition and its results."""
    competition = require_found(Competition, competition_id)
    if competition.status == "draft":
        raise NotFound()
    shown = whole_competition(competition)
    return jsonify(shown) if wants_json() else page("competition", c=shown, contact=contact())
