"""Accounts in the console (账号): opened, confirmed, invited, closed; keys for machines, shown once."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from marshmallow import ValidationError

from api.accounts import (
    ISSUED_BY_ADMIN,
    NewKeySchema,
    OpenSchema,
    open_from,
    reachable_account,
    require_own_key,
    show_account,
    show_whole_account,
)
from api.callers import act, for_roles, services
from api.console.frame import Refused, attempted, blueprint, leaf, loaded, refusal, show, to, typed
from api.problems import language
from api.shapes import ReasonSchema
from skills_registry import accounts
from skills_registry.accounts import ACCOUNT, Account, Operator, Organisation, credentials, keys, sessions
from skills_registry.accounts.register import accounts_covered_by
from skills_registry.foundation.acts import ROLES
from skills_registry.foundation.errors import NotAllowed, RegistryError
from skills_registry.foundation.identifiers import COUNTIES, division_name


@blueprint.get("/accounts")
@for_roles("admin", "city_officer", "auditor")
def list_accounts() -> Response:
    """The accounts of organisations in the caller's division, the newest first."""
    found = accounts_covered_by(act().by)
    asked = {name: request.args.get(name, "") for name in ("status", "role")}
    for name, known in (("status", ACCOUNT.states), ("role", ROLES)):
        if asked[name] in known:
            found = found.where(getattr(Account, name) == asked[name])
    part, which = leaf(found, Account), language() == "en"
    return show(
        "accounts",
        asked=asked,
        part=part,
        lines=[show_account(row) for row in part.rows],
        states=[(code, names[which]) for code, names in ACCOUNT.states.items()],
        roles=_roles(),
        may_open=act().by.role == "admin",
    )


def _roles() -> list[tuple[str, str]]:
    return [(code, names[language() == "en"]) for code, names in ROLES.items() if code != "public"]


@blueprint.get("/accounts/new")
@for_roles("admin")
def new_account() -> Response:
    """The form to open an account."""
    return _form()


def _form(refused: Refused | None = None) -> Response:
    covered = Organisation.select().order_by(Organisation.division_code, Organisation.id)
    own = act().by.division_code
    codes = [
        own,
        *(county.code for county in COUNTIES if act().by.covers(county.code) and county.code != own),
    ]
    return show(
        "account_new",
        refused=refused,
        here=to("new_account"),
        roles=_roles(),
        organisations=[place for place in covered if act().by.covers(place.division_code)],
        divisions=[(code, division_name(code)) for code in codes],
    )


@blueprint.post("/accounts/new")
@for_roles("admin")
def open_account() -> Any:
    """Open an account; a federation's waits for a second person to confirm it."""

    def opened() -> str:
        account = open_from(loaded(OpenSchema(), _typed_account()))
        return to("read_account", account_id=account.id, done="account_opened")

    return attempted(opened, _form)


def _typed_account() -> dict[str, Any]:
    """A person of that name who is on record is the same person, unless the form says otherwise."""
    label, another = typed("operator"), bool(request.form.get("another_person"))
    known = (
        None
        if another or not request.form.get("same_person")
        else Operator.get_or_none(Operator.label == label)
    )
    organisation: Any = ""
    if not typed("organisation_id") and typed("organisation_name"):
        organisation = {
            "name": typed("organisation_name"),
            "kind": "base" if typed("role") == "base_clerk" else "federation",
            "division_code": typed("division_code"),
        }
    return {
        "operator": "" if known else label,
        "operator_id": str(known.id) if known else "",
        "another_person": another,
        "organisation_id": typed("organisation_id"),
        "organisation": organisation,
        "role": typed("role"),
    }


@blueprint.get("/accounts/<uuid:account_id>")
@for_roles("admin", "city_officer", "auditor")
def read_account(account_id: Any) -> Response:
    """One account with its keys, their last use, and its history."""
    return account_page(str(account_id))


def account_page(account_id: str, refused: Refused | None = None, **once: str) -> Response:
    """The page of an account; ``once`` holds a link or key that is shown this once."""
    account = reachable_account(account_id)
    own = account.operator_id == act().by.operator_id
    return show(
        "account",
        refused=refused,
        here=to("read_account", account_id=account_id),
        shown=show_whole_account(account),
        own_account=own,
        may_confirm=account.status == "pending" and act().by.role in ("admin", "city_officer") and not own,
        may_close=account.status != "closed" and act().by.role in ("admin", "city_officer") and not own,
        may_invite=account.status == "active" and act().by.role == "admin",
        may_issue=account.status == "active" and act().by.role == "admin" and account.role in ISSUED_BY_ADMIN,
        may_sign_out=act().by.role in ("admin", "city_officer"),
        once=once,
        now=act().at,
    )


@blueprint.post("/accounts/<uuid:account_id>/confirmation")
@for_roles("admin", "city_officer")
def confirm_account(account_id: Any) -> Any:
    """A second person puts an opened account into force."""
    account = reachable_account(str(account_id))

    def confirm() -> str:
        accounts.confirm_account(act(), account)
        return to("read_account", account_id=account_id, done="account_confirmed")

    return attempted(confirm, lambda refused: account_page(str(account_id), refused))


@blueprint.post("/accounts/<uuid:account_id>/closure")
@for_roles("admin", "city_officer")
def close_account(account_id: Any) -> Any:
    """Close an account for good."""
    account = reachable_account(str(account_id))

    def close() -> str:
        reason = loaded(ReasonSchema(), {"reason": typed("reason")})["reason"]
        accounts.close_account(act(), account, reason)
        return to("read_account", account_id=account_id, done="account_closed")

    return attempted(close, lambda refused: account_page(str(account_id), refused))


@blueprint.post("/accounts/<uuid:account_id>/invitation")
@for_roles("admin")
def invite(account_id: Any) -> Response:
    """A link for the person to set up how they sign in, on this page and never again."""
    account = reachable_account(str(account_id))
    try:
        keys.require_in_force(account)
        secret = credentials.invite(act(), account)
    except RegistryError as error:
        return account_page(str(account_id), refusal(error))
    link = f"{services().settings.public_url}/sign-in/invitation/{secret}"
    return account_page(str(account_id), link=link)


@blueprint.post("/accounts/<uuid:account_id>/sign-out")
@for_roles("admin", "city_officer")
def sign_out_everywhere(account_id: Any) -> Any:
    """End every browser session of the account's person."""
    account = reachable_account(str(account_id))

    def end() -> str:
        sessions.end_sessions_of(act(), account.operator)
        return to("read_account", account_id=account_id, done="signed_out")

    return attempted(end, lambda refused: account_page(str(account_id), refused))


@blueprint.post("/accounts/<uuid:account_id>/keys")
@for_roles("admin")
def issue_key(account_id: Any) -> Response:
    """A key for a base's or an auditor's machine, on this page and never again."""
    account = reachable_account(str(account_id))
    try:
        if account.role not in ISSUED_BY_ADMIN:
            raise NotAllowed()
        text = accounts.issue_key(act(), account, **typed_key())
    except (RegistryError, ValidationError) as error:
        return account_page(str(account_id), refusal(error))
    return account_page(str(account_id), key=text)


def typed_key() -> dict[str, Any]:
    """For how many days a key is to be good, and whether for reading only."""
    days = typed("days")
    chosen = {"days": int(days) if days.isdecimal() and len(days) < 6 else days}
    return loaded(NewKeySchema(), chosen | {"read_only": bool(request.form.get("read_only"))})


@blueprint.post("/accounts/<uuid:account_id>/keys/<prefix>/revocation")
@for_roles("admin", "city_officer")
def revoke_key(account_id: Any, prefix: str) -> Any:
    """Revoke a key at once."""
    account = reachable_account(str(account_id))

    def revoke() -> str:
        require_own_key(account, prefix)
        accounts.revoke_key(act(), prefix)
        return to("read_account", account_id=account_id, done="key_revoked")

    return attempted(revoke, lambda refused: account_page(str(account_id), refused))
