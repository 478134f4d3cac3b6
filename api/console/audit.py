"""The audit in the console (审计): who did or read what, when and from where; read by auditors only."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from marshmallow import ValidationError

from api.audit import AuditQuery, entries_asked
from api.callers import for_roles
from api.console.frame import blueprint, loaded, refusal, show
from api.problems import language
from skills_registry.accounts import Account
from skills_registry.foundation.acts import ROLES, SHANGHAI

_ASKED = ("noun", "action", "record_id", "account", "since", "until")


@blueprint.get("/audit")
@for_roles("auditor")
def read_audit() -> Response:
    """The audit, oldest first, as far as it is asked for; that it was read becomes an entry too."""
    asked = {name: request.args.get(name, "").strip()[:60] for name in _ASKED}
    refused, found = None, {"items": [], "next": None}
    try:
        found = entries_asked(loaded(AuditQuery(), _query(asked)))
    except ValidationError as error:
        refused = refusal(error)
    return show(
        "audit",
        refused=refused,
        asked=asked,
        entries=[_line(entry) for entry in found["items"]],
        next=found["next"],
    )


def _query(asked: dict[str, str]) -> dict[str, Any]:
    """The filters as the API reads them: days as people write them are days of Shanghai."""
    days = {
        name: f"{asked[name]}T00:00:00+08:00" if len(asked[name]) == 10 else asked[name]
        for name in ("since", "until")
    }
    return asked | days | {"after": request.args.get("after", "")}


def _line(entry: dict[str, Any]) -> dict[str, Any]:
    account = Account.get_or_none(Account.id == entry["account"]) if entry["account"] else None
    return entry | {
        "at": entry["at"] and entry["at"].astimezone(SHANGHAI),
        "role_text": ROLES.get(entry["role"], (entry["role"], entry["role"]))[language() == "en"],
        "organisation": account.organisation.name if account else "",
    }
