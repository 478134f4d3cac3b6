"""What every page of the console stands on: the way around, refusals beside their form, a word when it is done.

A form that changed something leads on to the next page, which says so; loading that page again repeats
nothing. What the registry refuses is shown on the page of the form itself, with what was typed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from marshmallow import Schema, ValidationError

from api.browser import CONSOLE, signed_in
from api.callers import act
from api.problems import STATUSES, language, told_by_field
from skills_registry.foundation.acts import ROLES, SHANGHAI, Role
from skills_registry.foundation.errors import NotFound, RegistryError

blueprint = Blueprint("console", __name__, url_prefix=CONSOLE)

#: Nothing typed into a form is longer; what is beyond is cut before it costs effort.
LONGEST_TYPED = 2000

#: How many rows one page of a list shows.
ROWS = 20

READERS: tuple[Role, ...] = ("base_clerk", "county_officer", "city_officer", "auditor")
WHOEVER: tuple[Role, ...] = ("base_clerk", "county_officer", "city_officer", "expert", "auditor", "admin")

#: The rooms that the way around leads to: endpoint and for whom.
ROOMS: tuple[tuple[str, tuple[Role, ...]], ...] = (
    ("home", WHOEVER),
    ("list_classes", READERS),
    ("list_certificates", READERS),
    ("list_accounts", ("admin", "city_officer", "auditor")),
    ("read_audit", ("auditor",)),
    ("my_account", WHOEVER),
)


@dataclass(frozen=True)
class Refused:
    """Why a form came to nothing: its status, one sentence, and sentences by field; ``form`` names which form."""

    status: int
    code: str
    sentence: str
    fields: Mapping[str, str] = field(default_factory=dict)
    form: str = ""


@blueprint.url_defaults
def _keep_language(_endpoint: str, values: dict[str, Any]) -> None:
    if request.args.get("lang") in ("zh", "en"):
        values.setdefault("lang", request.args["lang"])


@blueprint.app_template_filter("in_shanghai")
def in_shanghai(at: datetime) -> datetime:
    """An instant as the clocks of Haidong show it."""
    return at.astimezone(SHANGHAI)


def show(
    template: str, *, refused: Refused | None = None, here: str = "", done: str = "", **context: Any
) -> Response:
    """A page of the console; ``here`` is the address that shows it, where a form was sent to another."""
    lang = language()
    kept = {} if here else {name: value for name, value in request.args.items() if name != "done"}
    other = urlencode({**kept, "lang": "zh" if lang == "en" else "en"})
    account = signed_in().account
    body = render_template(
        f"console/{template}.html",
        lang=lang,
        other_language_url=f"{(here or request.path).partition('?')[0]}?{other}",
        refused=refused,
        typed=typed_again if refused else _nothing_typed,
        done=done or request.args.get("done", ""),
        account=account,
        role=act().by.role,
        role_text=ROLES[act().by.role][lang == "en"],
        role_names=ROLES,
        rooms=[endpoint for endpoint, roles in ROOMS if act().by.role in roles],
        **context,
    )
    return Response(body, refused.status if refused else 200)


def typed(name: str) -> str:
    """What was typed into a field of this form, without blanks around it."""
    return request.form.get(name, "")[:LONGEST_TYPED].strip()


def typed_again(form: str, name: str, otherwise: str = "") -> str:
    """What stands in a field when its form comes back: what was typed into it; keys and passwords never."""
    return typed(name) if request.form.get("form", "") == form else otherwise


def _nothing_typed(_form: str, _name: str, otherwise: str = "") -> str:
    return otherwise


def to(endpoint: str, **values: Any) -> str:
    """The address of another page of the console; ``done`` names the word that it begins with."""
    return url_for(f"console.{endpoint}", **values)


def loaded(schema: Schema, values: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed as the API's own schema reads it; an empty field counts as left out.

    :raises ValidationError: it does not fit.
    """
    body: dict[str, Any] = schema.load({name: value for name, value in values.items() if value != ""})
    return body


def attempted(work: Callable[[], str], again: Callable[[Refused], Response]) -> Any:
    """Do what a form asks and go where it leads; a refusal is shown by ``again``, on the form's own page."""
    try:
        where = work()
    except (RegistryError, ValidationError) as error:
        return again(refusal(error))
    return redirect(where, code=303)


def refusal(error: RegistryError | ValidationError) -> Refused:
    """A refusal as it is shown beside the form that met it."""
    form = request.form.get("form", "")
    if isinstance(error, ValidationError):
        g.problem_code = "invalid_input"
        sentence = "Please correct the fields below." if language() == "en" else "请更正下列标出的内容。"
        return Refused(422, "invalid_input", sentence, dict(told_by_field(error.messages)), form)
    status = next(status for kind, status in STATUSES if isinstance(error, kind))
    g.problem_code = error.own_code
    sentence = error.sentence(language())
    # What a single row met, told field by field as a sheet's report tells it.
    rows = {found.field: found.sentence(language()) for _, found in getattr(error, "findings", ())}
    if rows:
        return Refused(status, error.own_code, sentence, rows, form)
    name = str(error.facts.get("field", ""))
    # The plain refusal of a field only names it, which the mark beside the field does better.
    beside = _WRONG[language() == "en"] if error.own_code == "field_refused" else sentence
    return Refused(status, error.own_code, beside if name else sentence, {name: beside} if name else {}, form)


_WRONG = ("填写有误，请更正。", "This is wrong; please correct it.")


@dataclass(frozen=True)
class Leaf:
    """One page of a list, the newest first; ``older`` is the id that the next page begins after."""

    rows: list[Any]
    older: str
    is_first: bool


def leaf(query: Any, table: Any, *, rows: int = ROWS) -> Leaf:
    """The page of a list that ``?before=`` asks for.

    :raises NotFound: that is no id.
    """
    before = request.args.get("before", "")
    if before:
        try:
            query = query.where(table.id < UUID(before))
        except ValueError:
            raise NotFound() from None
    found = list(query.order_by(table.id.desc()).limit(rows + 1))
    older = str(found[rows - 1].id) if len(found) > rows else ""
    return Leaf(found[:rows], older, not before)
