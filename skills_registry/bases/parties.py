"""Who may act for a base, and who may not judge it: the base for itself, and nobody of it as an officer.

Natural persons count, not accounts: who has, or had, an account at a base is of that base under
whichever account they come (权限不相容, 财社〔2023〕181号 Art. 25).
"""

from __future__ import annotations

from uuid import UUID

from skills_registry.accounts import Account
from skills_registry.bases.listing import Base
from skills_registry.foundation.acts import Act, require_role
from skills_registry.foundation.errors import NotAllowed, SeparationOfDuties


class OwnBase(SeparationOfDuties):
    """Nobody of a base, nor who filed for it, judges it under any account."""

    code = "own_base"
    zh = "您在该基地任职或曾为其经办，须回避，请由其他人员办理。"
    en = "You work or have worked for this base, so another person must do this."


def require_own_base(act: Act, base: Base) -> None:
    """:raises NotAllowed: the caller is no clerk of this base."""
    require_role(act, "base_clerk")
    if act.by.organisation_id != base.organisation_id:
        raise NotAllowed()


def require_outsider(act: Act, base: Base) -> None:
    """:raises OwnBase: the caller, as a person, has or had an account at the base."""
    if works_for(act.by.operator_id, base):
        raise OwnBase()


def works_for(operator_id: UUID | None, base: Base) -> bool:
    """Whether this person has, or had, an account at the base."""
    return (
        Account.select()
        .where((Account.operator == operator_id) & (Account.organisation == base.organisation_id))
        .exists()
    )
