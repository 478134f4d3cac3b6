"""Accounts (账号): who may act, for which organisation, in which division, with which key.

An operator (经办人) is a natural person. A person may hold several accounts, yet counts as one in
every four-eyes rule. Machines and clerks call with a bearer key of 256 random bits that is stored
hashed; only its prefix is ever shown again.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from typing import cast
from uuid import UUID

from peewee import BooleanField, CharField, ForeignKeyField

from skills_registry.foundation.acts import Act, Caller, Role
from skills_registry.foundation.errors import FieldRefused
from skills_registry.foundation.storage import BytesField, InstantField, Record

_PREFIX = 8

# Roles that work for a federation; a base's clerk works for the base.
FEDERATION_ROLES = ("county_officer", "city_officer", "expert", "auditor", "admin")


class Organisation(Record):
    """A federation (残联) of a county or city, or the organisation behind a base."""

    name = CharField(max_length=120)
    kind = CharField(max_length=20)  # federation | base
    division_code = CharField(max_length=6, index=True)


class Operator(Record):
    """A natural person who works with the registry; ``label`` is their name at work."""

    label = CharField(max_length=60)


class Account(Record):
    """One role of one operator at one organisation."""

    operator = ForeignKeyField(Operator, backref="accounts", on_delete="RESTRICT")
    organisation = ForeignKeyField(Organisation, backref="accounts", on_delete="RESTRICT")
    role = CharField(max_length=20)
    active = BooleanField(default=True)
    created_at = InstantField()
    operator_id: UUID
    organisation_id: UUID


class ApiKey(Record):
    """A bearer key: its prefix to be recognised by, its SHA-256 to be checked against."""

    account = ForeignKeyField(Account, backref="keys", on_delete="RESTRICT")
    prefix = CharField(max_length=_PREFIX, unique=True)
    digest = BytesField()
    created_at = InstantField()
    expires_at = InstantField()
    revoked_at = InstantField(null=True)
    last_used_at = InstantField(null=True)


def register_organisation(name: str, kind: str, division_code: str) -> Organisation:
    """Enter an organisation; ``kind`` is ``federation`` or ``base``."""
    return Organisation.create(name=name, kind=kind, division_code=division_code)


def find_or_register_organisation(name: str, kind: str, division_code: str) -> Organisation:
    """The organisation of that name and division, entered if new."""
    known = Organisation.get_or_none(
        (Organisation.name == name)
        & (Organisation.kind == kind)
        & (Organisation.division_code == division_code)
    )
    return known or register_organisation(name, kind, division_code)


def find_or_register_operator(label: str) -> Operator:
    """The operator of that name at work, entered if new: one person, however many accounts."""
    return Operator.get_or_none(Operator.label == label) or Operator.create(label=label)


def register_account(act: Act, operator: Operator, organisation: Organisation, role: Role) -> Account:
    """Give an operator a role at an organisation.

    :raises FieldRefused: a federation role at a base, or a base clerk at a federation.
    """
    if (role in FEDERATION_ROLES) != (organisation.kind == "federation"):
        raise FieldRefused(field="role")
    return Account.create(operator=operator, organisation=organisation, role=role, created_at=act.at)


def issue_key(act: Act, account: Account, *, days: int) -> str:
    """A new bearer key for an account, valid for ``days``; the only time that it is shown whole."""
    prefix = secrets.token_hex(_PREFIX // 2)
    secret = secrets.token_urlsafe(32)
    text = f"sr_{prefix}_{secret}"
    ApiKey.create(
        account=account,
        prefix=prefix,
        digest=sha256(text.encode()).digest(),
        created_at=act.at,
        expires_at=act.at + timedelta(days=days),
    )
    return text


def revoke_key(act: Act, prefix: str) -> bool:
    """Revoke the key with this prefix; False when there is none in force."""
    return bool(
        ApiKey.update(revoked_at=act.at)
        .where((ApiKey.prefix == prefix) & ApiKey.revoked_at.is_null())
        .execute()
    )


def caller_for(key_text: str, at: datetime) -> Caller | None:
    """Who calls with this bearer key at this instant, or None when it is no key in force."""
    parts = key_text.split("_", 2)
    if len(parts) != 3 or parts[0] != "sr" or len(parts[1]) != _PREFIX:
        return None
    key = ApiKey.select().where(ApiKey.prefix == parts[1]).first()
    if key is None or not hmac.compare_digest(key.digest, sha256(key_text.encode()).digest()):
        return None
    if key.revoked_at is not None or at >= key.expires_at or not key.account.active:
        return None
    _remember_use(key, at)
    return as_caller(key.account)


def _remember_use(key: ApiKey, at: datetime) -> None:
    # One write an hour is enough to see whether a key is still used, and keeps reads read-only.
    if key.last_used_at is None or at - key.last_used_at > timedelta(hours=1):
        ApiKey.update(last_used_at=at).where(ApiKey.id == key.id).execute()


def as_caller(account: Account) -> Caller:
    """The caller that this account is."""
    return Caller(
        role=cast(Role, account.role),
        account_id=account.id,
        operator_id=account.operator_id,
        organisation_id=account.organisation_id,
        division_code=account.organisation.division_code,
    )


def may_reach(caller: Caller, division_code: str, organisation_id: UUID) -> bool:
    """Whether records of a base (its division and organisation) are this caller's business.

    A clerk reaches the own base, everyone else the own division; foreign records answer as
    unknown ones do.
    """
    if caller.role == "base_clerk":
        return caller.organisation_id == organisation_id
    # An expert sees only what a panel gave them, never a base's records at large.
    return caller.role in FEDERATION_ROLES and caller.role != "expert" and caller.covers(division_code)
