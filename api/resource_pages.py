"""The public catalogue of online training (线上培训资源): a page and JSON for everyone, without a key."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, request, url_for

from api.callers import act
from api.directory import contact
from api.limits import READING, limiter
from api.pages import page, wants_json
from api.problems import language
from api.resources import language_name
from skills_registry import resources
from skills_registry.resources import ACCESS, Resource

blueprint = Blueprint("resource_pages", __name__)

#: Resources on a page, unless a program asks for another number.
PAGE_SIZE = 20
LARGEST_PAGE = 200


def public_resource(resource: Resource) -> dict[str, Any]:
    """What everyone may know of a resource, in the caller's language."""
    english = language() == "en"
    day = resources.checked_on(resource)
    columns = ("title", "summary", "trade", "url", "provider", "language")
    return {name: getattr(resource, name) for name in columns} | {
        "id": str(resource.id),
        "language_text": language_name(resource.language),
        "access": [{"code": code, "text": ACCESS[code][english]} for code in resources.access_of(resource)],
        "checked_on": day and day.isoformat(),
        "dead": resources.is_dead(resource, act().policy, act().today),
    }


def _asked() -> dict[str, str]:
    return {name: request.args.get(name, "").strip()[:60] for name in ("trade", "language")}


def _after() -> UUID | None:
    try:
        return UUID(request.args.get("after", ""))
    except ValueError:
        return None


@blueprint.get("/resources")
@limiter.limit(READING)
def list_resources() -> Response:
    """The published resources; filters: trade, language, access (repeated: all must be there)."""
    asked, after = _asked(), _after()
    access = tuple(code for code in ACCESS if code in request.args.getlist("access"))
    limit = min(max(request.args.get("limit", PAGE_SIZE, int), 1), LARGEST_PAGE)
    wanted = resources.published(**asked, access=access)
    found = list((wanted.where(Resource.id > after) if after else wanted).limit(limit + 1))
    shown = [public_resource(resource) for resource in found[:limit]]
    following = shown[-1]["id"] if len(found) > limit else None
    if wants_json():
        return jsonify({"items": shown, "next": following})
    kept: dict[str, Any] = {name: value for name, value in asked.items() if value}
    kept |= {"access": list(access)} if access else {}
    here = "resource_pages.list_resources"
    return page(
        "resources",
        items=shown,
        total=wanted.count(),
        asked=asked,
        access=access,
        first_page=after is None,
        first_url=url_for(here, lang=language(), **kept),
        next_url=following and url_for(here, lang=language(), after=following, **kept),
        trade_options=[(name, name) for name in resources.trades_on_offer()],
        language_options=[
            (code, names[language() == "en"])
            for code, names in resources.languages(act().policy, act().today).items()
        ],
        access_options=[(code, names[language() == "en"]) for code, names in ACCESS.items()],
        checked_on=act().today.isoformat(),
        contact=contact(),
        filtered=bool(kept),
        kept=kept,
    )
