"""Accounts (账号): who may act, for which organisation, in which division, and how they show that it is them.

register     organisations, operators (natural persons) and their accounts; who reaches whose records
keys         bearer keys for machines: hashed, expiring, rotated without a gap
credentials  a person's password and second factor, and the invitation that they begin with
sessions     what a browser holds after sign-in: hashed, idle and absolute expiry, revocable
"""

from skills_registry.accounts.keys import ApiKey, caller_for, issue_key, revoke_key, rotate_key
from skills_registry.accounts.register import (
    ACCOUNT,
    FEDERATION_ROLES,
    Account,
    Operator,
    Organisation,
    as_caller,
    close_account,
    confirm_account,
    find_or_register_operator,
    find_or_register_organisation,
    may_reach,
    open_account,
    register_account,
    register_organisation,
)

__all__ = [
    "ACCOUNT",
    "FEDERATION_ROLES",
    "Account",
    "ApiKey",
    "Operator",
    "Organisation",
    "as_caller",
    "caller_for",
    "close_account",
    "confirm_account",
    "find_or_register_operator",
    "find_or_register_organisation",
    "issue_key",
    "may_reach",
    "open_account",
    "register_account",
    "register_organisation",
    "revoke_key",
    "rotate_key",
]
