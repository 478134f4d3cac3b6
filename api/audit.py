"""The endpoints for the audit (审计): who did or read what, when, from where and why; for auditors only.

Reading the audit is itself an entry of the audit.
"""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from api.bodies import Text
from api.callers import API_PREFIX, act, for_roles
from skills_registry.accounts import Account, Organisation
from skills_registry.foundation import audit
from skills_registry.foundation.audit import AuditEntry
from skills_registry.foundation.lifecycle import Step, tell

blueprint = Blueprint("audit", __name__, url_prefix=f"{API_PREFIX}/audit", description="审计 (audit)")

#: Entries that only carry seals tell nothing of who did what.
_SILENT = "write"


class AuditEntrySchema(Schema):
    """One entry; ``position`` and ``digest`` are null for the moment between its commit and its chaining."""

    number = fields.Integer()
    position = fields.Integer(allow_none=True)
    at = fields.DateTime(allow_none=True)
    account = fields.String(allow_none=True)
    operator = fields.String(allow_none=True)
    role = fields.String()
    origin = fields.String(metadata={"description": "来源地址"})
    action = fields.String()
    noun = fields.String()
    record_id = fields.String(allow_none=True)
    reason = fields.String()
    digest = fields.String(allow_none=True)


class AuditPageSchema(Schema):
    """A page of entries, in the order in which they were born."""

    items = fields.List(fields.Nested(AuditEntrySchema))
    next = fields.Integer(allow_none=True)


class AuditQuery(Schema):
    """Filters: which account or person did which action to which record, and when."""

    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    after = fields.Integer(
        load_default=0,
        validate=validate.Range(0, 2**62),
        metadata={"description": "上一页最后一条的 number"},
    )
    noun = Text(load_default=None)
    record_id = fields.UUID(load_default=None)
    account = fields.UUID(load_default=None)
    operator = fields.UUID(load_default=None)
    action = Text(load_default=None)
    since = fields.AwareDateTime(load_default=None)
    until = fields.AwareDateTime(load_default=None)
    lang = fields.String(load_default=None)


class HeadSchema(Schema):
    """The end of the chain, to be put aside; ``skills-registry audit check --head`` compares it."""

    head = fields.String()


def show_entry(entry: AuditEntry, reasons: dict[Any, str]) -> dict[str, Any]:
    """An entry as the API answers it."""
    ids = {name: getattr(entry, name) for name in ("account", "operator", "record_id")}
    same = ("position", "at", "role", "origin", "action", "noun")
    return {name: getattr(entry, name) for name in same} | {
        **{name: value and str(value) for name, value in ids.items()},
        "number": entry.id,
        "reason": reasons.get(entry.step, entry.reason),
        "digest": entry.digest and entry.digest.hex(),
    }


@blueprint.route("", methods=["GET"])
@for_roles("auditor")
@blueprint.arguments(AuditQuery, location="query")
@blueprint.response(200, AuditPageSchema)
def list_entries(query: dict[str, Any]) -> dict[str, Any]:
    """The audit, oldest first: what people of the auditor's division, and the public, did and read."""
    return entries_asked(query)


def entries_asked(query: dict[str, Any]) -> dict[str, Any]:
    """A page of entries; that they were read becomes an entry too."""
    tell(act(), "audit", query["record_id"], "read", reason=_asked(query))
    found = list(_entries(query).order_by(AuditEntry.id).limit(query["limit"] + 1))
    shown = found[: query["limit"]]
    steps = Step.select(Step.id, Step.reason).where(
        Step.id.in_([entry.step for entry in shown if entry.step])
    )
    reasons = {step.id: step.reason for step in steps}
    more = len(found) > len(shown)
    return {
        "items": [show_entry(entry, reasons) for entry in shown],
        "next": shown[-1].id if more else None,
    }


def _asked(query: dict[str, Any]) -> str:
    """The filters, as the reason of the reading."""
    names = ("noun", "action", "account", "operator", "since", "until")
    return " ".join(f"{name}={query[name]}" for name in names if query[name] is not None)


def _entries(query: dict[str, Any]) -> Any:
    found = AuditEntry.select().where((AuditEntry.id > query["after"]) & (AuditEntry.action != _SILENT))
    for name in ("noun", "record_id", "account", "operator", "action"):
        if query[name] is not None:
            found = found.where(getattr(AuditEntry, name) == query[name])
    if query["since"] is not None:
        found = found.where(AuditEntry.at >= query["since"])
    if query["until"] is not None:
        found = found.where(AuditEntry.at < query["until"])
    mine = AuditEntry.account.is_null() | AuditEntry.account.in_(_accounts_covered())
    return found.where(mine)


def _accounts_covered() -> Any:
    codes = [
        place.division_code
        for place in Organisation.select(Organisation.division_code).distinct()
        if act().by.covers(place.division_code)
    ]
    return Account.select(Account.id).join(Organisation).where(Organisation.division_code.in_(codes))


@blueprint.route("/head", methods=["GET"])
@for_roles("auditor")
@blueprint.response(200, HeadSchema)
def read_head() -> dict[str, str]:
    """The end of the chain as it stands."""
    return {"head": str(audit.head())}
