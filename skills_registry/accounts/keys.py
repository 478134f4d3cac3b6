"""Bearer keys (接口密钥) for machines: 256 random bits, stored hashed, recognised by their prefix.

A key acts as its account, never beyond it, and may be held to reading. It expires; before that it is
rotated without a gap: the new key works at once, the old one goes on for some hours.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

from peewee import BooleanField, CharField, ForeignKeyField

from skills_registry.accounts.register import ACCOUNT, Account, as_caller
from skills_registry.foundation.acts import Act, Caller
from skills_registry.foundation.errors import NotFound, RuleBroken
from skills_registry.foundation.lifecycle import note
from skills_registry.foundation.storage import BytesField, InstantField, Record, database

_PREFIX = 8

#: Hours that the old key goes on working after a rotation, at most.
LONGEST_OVERLAP = 72


class ApiKey(Record):
    """A bearer key: its prefix to be recognised by, its SHA-256 to be checked against."""

    account = ForeignKeyField(Account, backref="keys", on_delete="RESTRICT")
    prefix = CharField(max_length=_PREFIX, unique=True)
    digest = BytesField()
    read_only = BooleanField(default=False)
    created_at = InstantField()
    expires_at = InstantField()
    revoked_at = InstantField(null=True)
    last_used_at = InstantField(null=True)


class AccountNotInForce(RuleBroken):
    """The account awaits its confirmation, or is closed."""

    code = "account_not_in_force"
    zh = "账号尚未确认或已停用，不能办理。"
    en = "The account awaits its confirmation or is closed."


def require_in_force(account: Account) -> None:
    """:raises AccountNotInForce: the account awaits its confirmation, or is closed."""
    if account.status != "active":
        raise AccountNotInForce()


def issue_key(act: Act, account: Account, *, days: int, read_only: bool = False) -> str:
    """A new bearer key for an account, valid for ``days``; the only time that it is shown whole.

    :raises AccountNotInForce: the account awaits its confirmation, or is closed.
    """
    require_in_force(account)
    with database.atomic():
        text, key = _make(act, account, timedelta(days=days), read_only=read_only)
        note(act, ACCOUNT.noun, account.id, "issue_key", detail={"prefix": key.prefix, "days": days})
    return text


def _make(act: Act, account: Account, good_for: timedelta, *, read_only: bool) -> tuple[str, ApiKey]:
    prefix = secrets.token_hex(_PREFIX // 2)
    text = f"sr_{prefix}_{secrets.token_urlsafe(32)}"
    key = ApiKey.create(
        account=account,
        prefix=prefix,
        digest=sha256(text.encode()).digest(),
        read_only=read_only,
        created_at=act.at,
        expires_at=act.at + good_for,
    )
    return text, key


def rotate_key(act: Act, key: ApiKey, *, overlap_hours: int) -> str:
    """A new key in place of one in force, for as long again; the old one goes on for ``overlap_hours``.

    :raises NotFound: the key is not in force.
    """
    if key.revoked_at is not None or act.at >= key.expires_at:
        raise NotFound()
    require_in_force(key.account)
    with database.atomic():
        text, fresh = _make(act, key.account, key.expires_at - key.created_at, read_only=key.read_only)
        ends = min(key.expires_at, act.at + timedelta(hours=overlap_hours))
        ApiKey.update(expires_at=ends).where(ApiKey.id == key.id).execute()
        detail = {"from": key.prefix, "to": fresh.prefix, "overlap_hours": overlap_hours}
        note(act, ACCOUNT.noun, key.account.id, "rotate_key", detail=detail)
    return text


def revoke_key(act: Act, prefix: str) -> bool:
    """Revoke the key with this prefix; False when there is none in force."""
    key = find_key(prefix)
    if key is None or key.revoked_at is not None:
        return False
    with database.atomic():
        ApiKey.update(revoked_at=act.at).where(ApiKey.id == key.id).execute()
        note(act, ACCOUNT.noun, key.account.id, "revoke_key", detail={"prefix": prefix})
    return True


def find_key(prefix: str) -> ApiKey | None:
    """The key with this prefix, or None."""
    return ApiKey.get_or_none(ApiKey.prefix == prefix)


def keys_of(account: Account) -> list[ApiKey]:
    """The keys of an account, the newest first."""
    return list(ApiKey.select().where(ApiKey.account == account.id).order_by(ApiKey.id.desc()))


def caller_for(key_text: str, at: datetime) -> Caller | None:
    """Who calls with this bearer key at this instant, or None when it is no key in force."""
    parts = key_text.split("_", 2)
    if len(parts) != 3 or parts[0] != "sr" or len(parts[1]) != _PREFIX:
        return None
    key = ApiKey.select().where(ApiKey.prefix == parts[1]).first()
    if key is None or not hmac.compare_digest(key.digest, sha256(key_text.encode()).digest()):
        return None
    if key.revoked_at is not None or at >= key.expires_at or key.account.status != "active":
        return None
    _remember_use(key, at)
    return replace(as_caller(key.account), read_only=key.read_only)


def _remember_use(key: ApiKey, at: datetime) -> None:
    # One write an hour is enough to see whether a key is still used, and keeps reads read-only.
    if key.last_used_at is None or at - key.last_used_at > timedelta(hours=1):
        ApiKey.update(last_used_at=at).where(ApiKey.id == key.id).execute()
