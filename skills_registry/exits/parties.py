"""Who may act in sanctions, exits and appeals: the base for itself, and nobody of it as an officer.

Natural persons count, not accounts: who has, or had, an account at a base is of that base under
whichever account they come.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from skills_registry.accounts import Account
from skills_registry.bases import Base
from skills_registry.foundation.acts import Act, require_role
from skills_registry.foundation.errors import NotAllowed, SeparationOfDuties
from skills_registry.foundation.lifecycle import Step


class OwnBase(SeparationOfDuties):
    """An officer who works, or worked, for the base does not judge it."""

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
    of_the_base = (
        Account.select()
        .where((Account.operator == act.by.operator_id) & (Account.organisation == base.organisation_id))
        .exists()
    )
    if of_the_base:
        raise OwnBase()


def people_in(record_ids: Iterable[UUID]) -> set[UUID]:
    """The natural persons who left a step in any of these records."""
    steps = Step.select(Step.by_operator).where(Step.record_id.in_(list(record_ids)))
    return {step.by_operator for step in steps if step.by_operator is not None}
