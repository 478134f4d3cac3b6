"""How one signs in to the demonstration: a name for each role, one password, a second factor for each.

It is set up the way that people set it up, by taking an invitation. The password is known to everybody,
so nothing but a demonstration may ever hold these accounts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pyotp

from skills_registry.accounts import Account, credentials
from skills_registry.foundation.acts import PUBLIC, Act

# Of invented people only, and printed at every start.
PASSWORD = "tudou-qingke-huanghe-2026"  # noqa: S105  # nosec B105

#: The name that each role signs in with.
LOGINS = {
    "jidi": "base_clerk",
    "xianqu": "county_officer",
    "shi": "city_officer",
    "shenji": "auditor",
    "guanli": "admin",
}


def set_up(act: Act, holders: Mapping[str, Account]) -> dict[str, dict[str, str]]:
    """Let the holder of each role take an invitation; answers what is needed to sign in, by name."""
    # An hour ago: a code is good once, and the present one is for whoever tries the demonstration.
    # And as the registry's own console: what an administrator sends waits for a second person to confirm it.
    earlier = replace(act, by=PUBLIC, at=act.at - timedelta(hours=1))
    return {
        login: {"role": role, **_accepted(earlier, login, holders[role])} for login, role in LOGINS.items()
    }


def _accepted(act: Act, login: str, account: Account) -> dict[str, str]:
    invitation = credentials.require_invitation(act, credentials.invite(act, account))
    key = credentials.factor_of(act.vault, invitation)
    credentials.accept(act, invitation, login=login, password=PASSWORD, code=code_at(key, act.at))
    return {"password": PASSWORD, "key": key}


def code_at(key: str, at: datetime) -> str:
    """The six digits that an authenticator with this key shows at this instant."""
    return pyotp.TOTP(key).at(at)
