"""Browser sessions (登录会话): what a browser holds after sign-in, and when it ends.

The browser holds 256 random bits in a cookie, the registry their hash. A session ends after some
time without use, after an absolute time, at sign-out, when the password changes, and with its account.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from peewee import ForeignKeyField

from skills_registry.accounts.keys import require_in_force
from skills_registry.accounts.register import Account, Operator
from skills_registry.foundation.acts import Act
from skills_registry.foundation.lifecycle import note
from skills_registry.foundation.policy import Policy
from skills_registry.foundation.storage import BytesField, InstantField, Record, database

#: A use is written down at most this often, so that reading a page does not write.
NOTED_EVERY = timedelta(minutes=1)


class BrowserSession(Record):
    """One browser of one person, signed in; ``account`` is the one they act with, once chosen."""

    digest = BytesField(unique=True)
    operator = ForeignKeyField(Operator, backref="browser_sessions", on_delete="RESTRICT")
    account = ForeignKeyField(Account, null=True, backref="browser_sessions", on_delete="RESTRICT")
    opened_at = InstantField()
    used_at = InstantField()
    ended_at = InstantField(null=True)
    operator_id: UUID
    account_id: UUID | None


def open_session(act: Act, operator: Operator) -> tuple[str, BrowserSession]:
    """A fresh session of a person who has just signed in; the text is what the browser keeps.

    With one account in force it acts with that; with several the person chooses.
    """
    text = secrets.token_urlsafe(32)
    held = accounts_of(operator)
    session = BrowserSession.create(
        digest=_digest(text),
        operator=operator,
        account=held[0] if len(held) == 1 else None,
        opened_at=act.at,
        used_at=act.at,
    )
    return text, session


def accounts_of(operator: Operator) -> list[Account]:
    """The accounts in force of a person, in order of opening."""
    return list(
        Account.select()
        .where((Account.operator == operator.id) & (Account.status == "active"))
        .order_by(Account.id)
    )


def session_for(text: str, policy: Policy, at: datetime) -> BrowserSession | None:
    """The session that a browser's cookie opens at this instant, or None; its use is noted."""
    if not text:
        return None
    session = BrowserSession.get_or_none(BrowserSession.digest == _digest(text))
    if session is None or session.ended_at is not None or at >= _ends(session, policy, at):
        return None
    if session.account is not None and session.account.status != "active":
        return None
    if at - session.used_at >= NOTED_EVERY:
        session.used_at = at
        session.save(only=[BrowserSession.used_at])
    return session


def _ends(session: BrowserSession, policy: Policy, at: datetime) -> datetime:
    rule = policy.rule("sign_in", at.date())
    idle: datetime = session.used_at + timedelta(minutes=rule["idle_minutes"])
    absolute: datetime = session.opened_at + timedelta(hours=rule["session_hours"])
    return min(idle, absolute)


def choose_account(session: BrowserSession, account: Account) -> BrowserSession:
    """Act with this one of the person's accounts from here on.

    :raises AccountNotInForce: it awaits its confirmation, or is closed.
    """
    require_in_force(account)
    session.account = account
    session.save(only=[BrowserSession.account])
    return session


def end_session(act: Act, session: BrowserSession) -> None:
    """Sign out."""
    with database.atomic():
        BrowserSession.update(ended_at=act.at).where(
            (BrowserSession.id == session.id) & BrowserSession.ended_at.is_null()
        ).execute()
        note(act, "operator", session.operator_id, "sign_out")


def end_sessions_of(act: Act, operator: Operator, *, but: BrowserSession | None = None) -> int:
    """End every session of a person, except perhaps the one at hand; returns how many."""
    open_ones = (BrowserSession.operator == operator.id) & BrowserSession.ended_at.is_null()
    if but is not None:
        open_ones &= BrowserSession.id != but.id
    with database.atomic():
        ended = int(BrowserSession.update(ended_at=act.at).where(open_ones).execute())
        note(act, "operator", operator.id, "end_sessions", detail={"ended": ended})
    return ended


def _digest(text: str) -> bytes:
    return sha256(text.encode()).digest()
