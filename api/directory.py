"""The public directory of bases (基地名录): pages and JSON for everyone, without a key."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request, url_for

from api.callers import act, services
from api.limits import READING, limiter
from api.pages import page, wants_json
from api.problems import language
from skills_registry.bases import BASE_KINDS, Base, Trade, directory
from skills_registry.bases.directory import Entry
from skills_registry.bases.standing import STANDINGS, standing_on
from skills_registry.certification import plaques
from skills_registry.certification.plaques import Plaque
from skills_registry.foundation.errors import NotFound
from skills_registry.foundation.identifiers import COUNTIES, division_name
from skills_registry.foundation.levels import level

blueprint = Blueprint("directory", __name__)

PLAQUE_TEXT = ("基地挂牌证书", "Plaque of a listed base")

#: Bases on a page, unless a program asks for another number.
PAGE_SIZE = 20
LARGEST_PAGE = 200

#: The largest number that a base can have: three bytes of a statement.
LAST_NUMBER = 2**24 - 1


def show_trade(trade: Trade) -> dict[str, str]:
    """A trade of the scope in the caller's language."""
    highest = level(trade.highest_level)
    return vars(trade) | {"highest_level_text": highest.en if language() == "en" else highest.zh}


def show_entry(entry: Entry) -> dict[str, Any]:
    """What everyone may know of a base, in the caller's language."""
    english = language() == "en"
    days = {name: getattr(entry, name) for name in ("valid_from", "valid_until", "left_on")}
    return {name: day and day.isoformat() for name, day in days.items()} | {
        "number": entry.number,
        "name": entry.name,
        "kind": entry.kind,
        "kind_text": BASE_KINDS[entry.kind][english],
        "division_code": entry.division_code,
        "county": division_name(entry.division_code) or entry.division_code,
        "standing": entry.standing,
        "standing_text": STANDINGS[entry.standing][english],
        "plaque_number": entry.plaque_number,
        "scope": [show_trade(trade) for trade in entry.scope],
        "url": url_for("directory.read_base", number=entry.number),
    }


def plaque_facts(plaque: Plaque) -> dict[str, Any]:
    """What a plaque says, and how its listing and its base stand today."""
    english, on = language() == "en", act().today
    listing, base = plaque.listing, plaque.base
    standing = standing_on(base, on)
    days = {
        "valid_from": plaque.valid_from,
        "valid_until": plaque.expires_on,
        "issued_on": plaque.issued_on,
        "left_on": listing.left_on,
        "base_left_on": standing.left_on,
    }
    return {name: day and day.isoformat() for name, day in days.items()} | {
        "number": plaque.number,
        "kind": plaques.KIND,
        "kind_text": PLAQUE_TEXT[english],
        "withdrawn": plaque.status != plaques.PLAQUE.first,
        "plaque_number": plaque.plaque_number,
        "base_number": base.number,
        "base_name": plaque.base_name,
        "base_name_today": base.public_name,
        "base_kind": base.kind,
        "base_kind_text": BASE_KINDS[base.kind][english],
        "county": division_name(base.division_code) or base.division_code,
        "scope": [show_trade(trade) for trade in directory.scope_of(listing)],
        "listing_standing_text": plaques.standing_of(listing, on)[english],
        "standing": standing.code,
        "standing_text": STANDINGS[standing.code][english],
        "base_url": url_for("directory.read_base", number=base.number),
    }


def _asked() -> dict[str, str]:
    """The filters as they were asked for, each cut to a sensible length."""
    return {name: request.args.get(name, "").strip()[:60] for name in ("county", "trade", "kind")}


@blueprint.get("/bases")
@limiter.limit(READING)
def list_bases() -> Response:
    """The bases on the list today; filters: county, trade, kind. Pages by the last number seen."""
    asked, on = _asked(), act().today
    after = min(max(request.args.get("after", 0, int), 0), LAST_NUMBER)
    limit = min(max(request.args.get("limit", PAGE_SIZE, int), 1), LARGEST_PAGE)
    wanted = directory.listed_bases(on, **asked)
    found = list(wanted.where(Base.number > after).limit(limit + 1))
    entries = [directory.entry(base, on) for base in found[:limit]]
    shown = [show_entry(entry) for entry in entries if entry is not None]
    following = found[limit - 1].number if len(found) > limit else None
    if wants_json():
        return jsonify({"items": shown, "next": following})
    kept = {name: value for name, value in asked.items() if value}
    return page(
        "bases",
        items=shown,
        total=wanted.count(),
        asked=asked,
        first_page=not after,
        first_url=url_for("directory.list_bases", lang=language(), **kept),
        next_url=following and url_for("directory.list_bases", lang=language(), after=following, **kept),
        counties=[(county.code, county.name) for county in COUNTIES],
        kinds=[(code, names[language() == "en"]) for code, names in BASE_KINDS.items()],
        trade_options=[(name, name) for name in directory.trades_on_offer(on)],
        checked_on=on.isoformat(),
        contact=contact(),
        filtered=bool(kept),
        kept=kept,
    )


@blueprint.get("/bases/<int:number>")
@limiter.limit(READING)
def read_base(number: int) -> Response:
    """One base by its number, also after it left the list."""
    on = act().today
    base = Base.get_or_none(Base.number == number) if number <= LAST_NUMBER else None
    entry = directory.entry(base, on) if base else None
    if entry is None:
        raise NotFound()
    if wants_json():
        return jsonify(show_entry(entry))
    return page("base", b=show_entry(entry), checked_on=on.isoformat(), contact=contact())


def contact() -> str:
    """Whom to ask, in the caller's language."""
    return str(services().policy.city["contact_en" if language() == "en" else "contact_zh"])
