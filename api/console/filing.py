"""Filing a class (开班备案) in the console: one form, the trades of the base's own listing to choose from."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from flask import Response

from api.callers import act, for_roles
from api.classes import ClassSchema, filed
from api.console.frame import Refused, attempted, blueprint, loaded, show, to, typed
from api.problems import language
from skills_registry.bases import Base, latest_listing
from skills_registry.foundation.levels import LEVELS
from skills_registry.training.filing import DEFAULT_PAPERS
from skills_registry.training.projects import TRAINING_TYPES, TrainingProject, projects_carried_by

#: Fields of the registry's answers that stand in the form under another name.
_IN_FORM = {"occupation": "trade", "project": "project_id", "base_id": "title"}

_DATES = {
    "ends_on": (
        "结业日期不能早于开班日期，请更正。",
        "The last day cannot come before the first; please correct it.",
    ),
}


@blueprint.get("/classes/new")
@for_roles("base_clerk")
def new_class() -> Response:
    """The form to file a class."""
    return _form()


def _form(refused: Refused | None = None) -> Response:
    base = Base.get_or_none(Base.organisation == act().by.organisation_id)
    listing = latest_listing(base) if base else None
    which = language() == "en"
    carried = TrainingProject.select().where(
        TrainingProject.id.in_(projects_carried_by(act().by.organisation_id))
        & (TrainingProject.status == "announced")
    )
    return show(
        "filing",
        refused=_placed(refused) if refused else None,
        here=to("new_class"),
        trades=[(_key(trade), trade.name, trade.code) for trade in listing.scope] if listing else [],
        listing=listing,
        levels=[(code, found.en if which else found.zh) for code, found in LEVELS.items()],
        types=[(code, names[which]) for code, names in TRAINING_TYPES.items()],
        projects=[(str(project.id), project.title) for project in carried],
        papers="、".join(DEFAULT_PAPERS.values()),
    )


def _key(trade: Any) -> str:
    return f"{trade.edition}|{trade.code}|{trade.name}"


def _placed(refused: Refused) -> Refused:
    """The refusal with its sentences beside the fields that the form has."""
    names = {place: place.partition(".")[0] for place in refused.fields}
    told = {
        _IN_FORM.get(name, name): _DATES[name][language() == "en"]
        if refused.code == "field_refused" and name in _DATES
        else refused.fields[place]
        for place, name in names.items()
    }
    return replace(refused, fields=told)


@blueprint.post("/classes/new")
@for_roles("base_clerk")
def file_class() -> Any:
    """File a class of the caller's own base."""

    def file() -> str:
        training_class, _ = filed(loaded(ClassSchema(), _typed_filing()))
        return to("show_class", class_id=training_class.id, done="filed")

    return attempted(file, _form)


def _typed_filing() -> dict[str, Any]:
    names = ("title", "training_type", "project_id", "level", "course_title", "starts_on", "ends_on")
    edition, _, rest = typed("trade").partition("|")
    code, _, name = rest.partition("|")
    occupation = {"edition": edition, "code": code, "name": name} if code else ""
    return {field: typed(field) for field in names} | {
        "class_hours": _number("class_hours"),
        "capacity": _number("capacity"),
        "occupation": occupation,
        "papers": _papers(typed("papers")),
    }


def _number(name: str) -> int | str:
    text = typed(name)
    return int(text) if text.isdecimal() and len(text) < 9 else text


def _papers(text: str) -> list[dict[str, str]] | str:
    """Papers as people list them, each with a code; the usual two keep theirs."""
    known = {name: code for code, name in DEFAULT_PAPERS.items()}
    names = [name for name in re.split(r"[、，,；;\s]+", text) if name]
    return [
        {"code": known.get(name, f"paper{place}"), "name": name} for place, name in enumerate(names, 1)
    ] or ""
