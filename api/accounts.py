"""Endpoints for accounts (账号): opening and confirming them, invitations, keys; and who I am.

An administrator opens accounts and never decides about trainings; an account that decides or oversees
waits for a second person. Nobody but its holder is ever given an officer's key.
"""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from api.bodies import Text
from api.callers import API_PREFIX, EVERYONE, act, for_roles, services
from api.lists import PageQuery, page, page_of
from api.problems import language
from api.shapes import ReasonSchema, StepSchema, show_step
from skills_registry import accounts
from skills_registry.accounts import ACCOUNT, Account, Operator, Organisation, credentials, keys, sessions
from skills_registry.accounts.keys import ApiKey
from skills_registry.accounts.register import accounts_covered_by
from skills_registry.foundation.acts import ROLES
from skills_registry.foundation.errors import FieldRefused, NotAllowed, NotFound, RuleBroken
from skills_registry.foundation.identifiers import division_name
from skills_registry.foundation.lifecycle import steps_of
from skills_registry.foundation.storage import database, require_found

blueprint = Blueprint("accounts", __name__, url_prefix=API_PREFIX, description="账号 (accounts)")

WHOEVER = (*EVERYONE, "expert")

#: Whose keys an administrator may issue: machines of bases. Who decides or reads for the federation makes their own.
ISSUED_BY_ADMIN = ("base_clerk",)


class OperatorKnown(RuleBroken):
    """A person of that name is on record."""

    code = "operator_known"
    zh = "已有同名经办人。同一个人请填其 operator_id；确为另一个人，请填 another_person: true。"
    en = "An operator of that name is on record: send their operator_id, or another_person: true for somebody else."


class OrganisationSchema(Schema):
    """A federation, or the organisation behind a base."""

    id = fields.String(dump_only=True)
    name = Text(required=True, validate=validate.Length(1, 120))
    kind = Text(required=True, validate=validate.OneOf(["federation", "base"]))
    division_code = Text(required=True, validate=validate.Regexp(r"^[0-9]{6}$"))


class OpenSchema(Schema):
    """Who, where, as what: a known operator or a new one, a known organisation or a new one."""

    operator_id = fields.UUID(load_default=None)
    operator = Text(load_default="", validate=validate.Length(0, 60))
    another_person = fields.Boolean(load_default=False)
    organisation_id = fields.UUID(load_default=None)
    organisation = fields.Nested(OrganisationSchema, load_default=None)
    role = Text(required=True, validate=validate.OneOf([role for role in ROLES if role != "public"]))

    @validates_schema
    def one_of_each(self, body: dict[str, Any], **_: Any) -> None:
        """A person and an organisation, each named in one way."""
        for name in ("operator", "organisation"):
            if bool(body.get(name)) == bool(body.get(f"{name}_id")):
                raise ValidationError("Missing data for required field.", name)


class KeySchema(Schema):
    """A key as it may be shown: never whole."""

    prefix = fields.String()
    read_only = fields.Boolean()
    created_at = fields.DateTime()
    expires_at = fields.DateTime()
    revoked_at = fields.DateTime(allow_none=True)
    last_used_at = fields.DateTime(allow_none=True)


class AccountSchema(Schema):
    """An account with its person, organisation and keys."""

    id = fields.String()
    role = fields.String()
    role_text = fields.String()
    status = fields.String()
    status_text = fields.String()
    operator_id = fields.String()
    operator = fields.String()
    organisation = fields.Nested(OrganisationSchema)
    created_at = fields.DateTime()
    signs_in = fields.Boolean(metadata={"description": "已设置登录方式"})
    # Not by its own name: of a dictionary, that is a method.
    keys = fields.List(fields.Nested(KeySchema), attribute="held_keys")
    steps = fields.List(fields.Nested(StepSchema))


class NewKeySchema(Schema):
    """How long, and whether for reading only."""

    days = fields.Integer(load_default=365, strict=True, validate=validate.Range(1, 731))
    read_only = fields.Boolean(load_default=False)


class RotationSchema(Schema):
    """How long the old key goes on working."""

    overlap_hours = fields.Integer(
        load_default=24, strict=True, validate=validate.Range(0, keys.LONGEST_OVERLAP)
    )


class MadeKeySchema(Schema):
    """A new key, shown this once."""

    key = fields.String()


class InvitationSchema(Schema):
    """A link to set up sign-in, shown this once; hand it to the person themselves."""

    link = fields.String()


def show_key(key: ApiKey) -> dict[str, Any]:
    """A key as the API answers it."""
    shown = ("prefix", "read_only", "created_at", "expires_at", "revoked_at", "last_used_at")
    return {name: getattr(key, name) for name in shown}


def show_account(account: Account) -> dict[str, Any]:
    """An account as the API answers it."""
    which = 1 if language() == "en" else 0
    organisation = account.organisation
    return {
        "id": str(account.id),
        "role": account.role,
        "role_text": ROLES[account.role][which],
        "status": account.status,
        "status_text": ACCOUNT.states[account.status][which],
        "operator_id": str(account.operator_id),
        "operator": account.operator.label,
        "organisation": {
            "id": str(organisation.id),
            "name": organisation.name,
            "kind": organisation.kind,
            "division_code": organisation.division_code,
        },
        "created_at": account.created_at,
    }


def show_whole_account(account: Account) -> dict[str, Any]:
    """An account with its keys and history."""
    return show_account(account) | {
        "signs_in": account.operator.credentials.exists(),
        "held_keys": [show_key(key) for key in keys.keys_of(account)],
        "steps": [show_step(step) for step in steps_of(account.id)],
    }


def reachable_account(account_id: str) -> Account:
    """The account with this id, if its organisation stands in the caller's division."""
    account = require_found(Account, account_id)
    if not act().by.covers(account.organisation.division_code):
        raise NotFound()
    return account


class AccountQuery(PageQuery):
    """Filters of the list of accounts."""

    status = Text(load_default=None, validate=validate.OneOf(ACCOUNT.states))
    role = Text(load_default=None, validate=validate.OneOf(ROLES))


@blueprint.route("/accounts", methods=["GET"])
@for_roles("admin", "city_officer", "auditor")
@blueprint.arguments(AccountQuery, location="query")
@blueprint.response(200, page_of(AccountSchema))
def list_accounts(query: dict[str, Any]) -> dict[str, Any]:
    """The accounts of organisations in the caller's division."""
    found = accounts_covered_by(act().by)
    for name in ("status", "role"):
        if query[name]:
            found = found.where(getattr(Account, name) == query[name])
    return page(found, Account, query, show_account)


@blueprint.route("/accounts", methods=["POST"])
@for_roles("admin")
@blueprint.arguments(OpenSchema)
@blueprint.response(201, AccountSchema)
def open_account(body: dict[str, Any]) -> dict[str, Any]:
    """Open an account; a federation's waits for a second person to confirm it."""
    return show_account(open_from(body))


def open_from(body: dict[str, Any]) -> Account:
    """The account that a body opens."""
    with database.atomic():
        return accounts.open_account(act(), _operator(body), _organisation(body), body["role"])


def _operator(body: dict[str, Any]) -> Operator:
    if body["operator_id"]:
        return _known_operator(body["operator_id"])
    if not body["another_person"] and Operator.get_or_none(Operator.label == body["operator"]):
        raise OperatorKnown()
    return Operator.create(label=body["operator"])


def _known_operator(operator_id: Any) -> Operator:
    found = require_found(Operator, operator_id)
    held = [account.organisation.division_code for account in found.accounts]
    # Somebody else's people answer as unknown ones do.
    if held and not any(act().by.covers(code) for code in held):
        raise NotFound()
    return found


def _organisation(body: dict[str, Any]) -> Organisation:
    if body["organisation_id"]:
        found = require_found(Organisation, body["organisation_id"])
        if not act().by.covers(found.division_code):
            raise NotFound()
        return found
    named = body["organisation"]
    if division_name(named["division_code"]) is None or not act().by.covers(named["division_code"]):
        raise FieldRefused(field="organisation.division_code")
    return accounts.find_or_register_organisation(named["name"], named["kind"], named["division_code"])


@blueprint.route("/accounts/<account_id>", methods=["GET"])
@for_roles("admin", "city_officer", "auditor")
@blueprint.response(200, AccountSchema)
def read_account(account_id: str) -> dict[str, Any]:
    """One account with its keys, their last use, and its history."""
    return show_whole_account(reachable_account(account_id))


@blueprint.route("/accounts/<account_id>/confirmation", methods=["POST"])
@for_roles("admin", "city_officer")
@blueprint.response(200, AccountSchema)
def confirm_account(account_id: str) -> dict[str, Any]:
    """A second person puts an opened account into force."""
    return show_account(accounts.confirm_account(act(), reachable_account(account_id)))


@blueprint.route("/accounts/<account_id>/closure", methods=["POST"])
@for_roles("admin", "city_officer")
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, AccountSchema)
def close_account(body: dict[str, Any], account_id: str) -> dict[str, Any]:
    """Close an account for good: its keys and sessions end at once."""
    return show_account(accounts.close_account(act(), reachable_account(account_id), body["reason"]))


@blueprint.route("/accounts/<account_id>/invitation", methods=["POST"])
@for_roles("admin")
@blueprint.response(201, InvitationSchema)
def invite(account_id: str) -> dict[str, Any]:
    """A link for the person to set up, or set up again, how they sign in; good once."""
    account = reachable_account(account_id)
    keys.require_in_force(account)
    secret = credentials.invite(act(), account)
    return {"link": f"{services().settings.public_url}/sign-in/invitation/{secret}"}


@blueprint.route("/accounts/<account_id>/sign-out", methods=["POST"])
@for_roles("admin", "city_officer")
@blueprint.response(200, AccountSchema)
def sign_out_everywhere(account_id: str) -> dict[str, Any]:
    """End every browser session of the account's person."""
    account = reachable_account(account_id)
    sessions.end_sessions_of(act(), account.operator)
    return show_account(account)


@blueprint.route("/accounts/<account_id>/keys", methods=["POST"])
@for_roles("admin")
@blueprint.arguments(NewKeySchema)
@blueprint.response(201, MadeKeySchema)
def issue_key(body: dict[str, Any], account_id: str) -> dict[str, Any]:
    """A bearer key for a base's machine; everybody else makes their own after signing in."""
    account = reachable_account(account_id)
    if account.role not in ISSUED_BY_ADMIN:
        raise NotAllowed()
    return {"key": accounts.issue_key(act(), account, days=body["days"], read_only=body["read_only"])}


@blueprint.route("/accounts/<account_id>/keys/<prefix>/revocation", methods=["POST"])
@for_roles("admin", "city_officer")
@blueprint.response(200, AccountSchema)
def revoke_key(account_id: str, prefix: str) -> dict[str, Any]:
    """Revoke a key at once."""
    account = reachable_account(account_id)
    require_own_key(account, prefix)
    accounts.revoke_key(act(), prefix)
    return show_whole_account(account)


def require_own_key(account: Account, prefix: str) -> ApiKey:
    """The key with this prefix, if it is this account's.

    :raises NotFound: it is not.
    """
    key = keys.find_key(prefix)
    if key is None or key.account.id != account.id:
        raise NotFound()
    return key


@blueprint.route("/me", methods=["GET"])
@for_roles(*WHOEVER)
@blueprint.response(200, AccountSchema)
def who_am_i() -> dict[str, Any]:
    """The caller's own account, with its keys and their last use."""
    return show_whole_account(require_found(Account, str(act().by.account_id)))


@blueprint.route("/me/keys/<prefix>/rotation", methods=["POST"])
@for_roles(*WHOEVER)
@blueprint.arguments(RotationSchema)
@blueprint.response(201, MadeKeySchema)
def rotate_own_key(body: dict[str, Any], prefix: str) -> dict[str, Any]:
    """A new key in place of one's own, without a gap."""
    key = require_own_key(require_found(Account, str(act().by.account_id)), prefix)
    return {"key": accounts.rotate_key(act(), key, overlap_hours=body["overlap_hours"])}


@blueprint.route("/me/keys/<prefix>/revocation", methods=["POST"])
@for_roles(*WHOEVER)
@blueprint.response(200, AccountSchema)
def revoke_own_key(prefix: str) -> dict[str, Any]:
    """Revoke one of one's own keys at once."""
    account = require_found(Account, str(act().by.account_id))
    require_own_key(account, prefix)
    accounts.revoke_key(act(), prefix)
    return show_whole_account(account)
