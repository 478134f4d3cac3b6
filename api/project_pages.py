"""The public list of training projects (培训项目公示): pages and JSON for everyone, without a key."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, request, url_for

from api.callers import act
from api.directory import contact
from api.limits import READING, limiter
from api.pages import page, wants_json
from api.problems import language
from api.projects import show_progress
from skills_registry.foundation.errors import NotFound
from skills_registry.foundation.identifiers import COUNTIES, division_name
from skills_registry.foundation.levels import level
from skills_registry.foundation.storage import require_found
from skills_registry.project_progress import progress_of
from skills_registry.training import projects
from skills_registry.training.projects import TRAINING_PROJECT, TRAINING_TYPES, TrainingProject

blueprint = Blueprint("project_pages", __name__)

#: Projects on a page, unless a program asks for another number.
PAGE_SIZE = 20
LARGEST_PAGE = 200

FILTERS = ("year", "county", "trade", "training_type")


def public_project(project: TrainingProject) -> dict[str, Any]:
    """What everyone may know of a project, in the caller's language."""
    english = language() == "en"
    sources = projects.funding_sources(act().policy, act().today)
    columns = ("year", "title", "training_type", "target_group", "planned_people", "planned_hours", "budget")
    return {name: getattr(project, name) for name in columns} | {
        "id": str(project.id),
        "training_type_text": TRAINING_TYPES[project.training_type][english],
        "funding_source": project.funding_source,
        "funding_source_text": sources.get(project.funding_source, (project.funding_source,) * 2)[english],
        "counties": [{"code": code, "name": division_name(code) or code} for code in project.counties],
        "trades": [_show_trade(trade) for trade in project.trades],
        "status": project.status,
        "status_text": TRAINING_PROJECT.states[project.status][english],
        "announced_on": project.announced_on and project.announced_on.isoformat(),
        "notice_url": f"/notices/{project.notice_id}" if project.notice_id else None,
        "url": url_for("project_pages.read_project", project_id=str(project.id)),
    }


def _show_trade(trade: dict[str, str]) -> dict[str, str]:
    named = level(trade["level"])
    return trade | {"level_text": named.en if language() == "en" else named.zh}


def whole_project(project: TrainingProject) -> dict[str, Any]:
    """A project with its bases and how far it has come."""
    return public_project(project) | {
        "bases": [
            {
                "number": base.number,
                "name": base.public_name,
                "url": url_for("directory.read_base", number=base.number),
            }
            for base in projects.bases_of(project)
        ],
        "progress": show_progress(progress_of(project)) if project.announced_on else None,
    }


def _asked() -> dict[str, str]:
    """The filters as they were asked for, each cut to a sensible length."""
    return {name: request.args.get(name, "").strip()[:60] for name in FILTERS}


def _found(asked: dict[str, str]) -> list[TrainingProject]:
    if asked["year"] and not (asked["year"].isascii() and asked["year"].isdigit()):
        return []
    year = int(asked["year"][:4] or 0)
    return projects.public_projects(**{**asked, "year": year})  # type: ignore[arg-type]  # the year is a number


def _after() -> UUID | None:
    try:
        return UUID(request.args.get("after", ""))
    except ValueError:
        return None


@blueprint.get("/projects")
@limiter.limit(READING)
def list_projects() -> Response:
    """The projects on notice and announced, the newest first; filters: year, county, trade, training_type."""
    asked, after = _asked(), _after()
    limit = min(max(request.args.get("limit", PAGE_SIZE, int), 1), LARGEST_PAGE)
    found = _found(asked)
    waiting = [project for project in found if after is None or project.id < after]
    shown = [public_project(project) for project in waiting[:limit]]
    following = shown[-1]["id"] if len(waiting) > limit else None
    if wants_json():
        return jsonify({"items": shown, "next": following})
    kept: dict[str, Any] = {name: value for name, value in asked.items() if value}
    return page(
        "projects",
        items=shown,
        total=len(found),
        asked=asked,
        first_page=after is None,
        first_url=url_for("project_pages.list_projects", lang=language(), **kept),
        next_url=following
        and url_for("project_pages.list_projects", lang=language(), after=following, **kept),
        choices=_choices(),
        checked_on=act().today.isoformat(),
        contact=contact(),
        filtered=bool(kept),
        kept=kept,
    )


def _choices() -> dict[str, list[tuple[str, str]]]:
    """What the filters offer: only years and trades that some project has."""
    known = projects.public_projects()
    trades = sorted({trade["name"] for project in known for trade in project.trades})
    years = sorted({project.year for project in known}, reverse=True)
    return {
        "years": [(str(year), str(year)) for year in years],
        "counties": [(county.code, county.name) for county in COUNTIES],
        "trades": [(name, name) for name in trades],
        "types": [(code, names[language() == "en"]) for code, names in TRAINING_TYPES.items()],
    }


@blueprint.get("/projects/<project_id>")
@limiter.limit(READING)
def read_project(project_id: str) -> Response:
    """One project that is on notice or was announced, with how far it has come."""
    project = require_found(TrainingProject, project_id)
    if not projects.is_public(project):
        raise NotFound()
    shown = whole_project(project)
    if wants_json():
        return jsonify(shown)
    return page("project", p=shown, checked_on=act().today.isoformat(), contact=contact())
