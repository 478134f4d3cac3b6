"""Who acts, when, by which rules, with which keys: the first argument of every verb.

Time, keys and people come in by the door (DESIGN §3.4): below the top floor nothing reads a
clock, a global key or the current user.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from skills_registry.foundation.errors import NotAllowed, SeparationOfDuties
from skills_registry.foundation.policy import Policy
from skills_registry.foundation.privacy import Vault

#: Every day and year of the registry (issue dates, deadlines, number series) is of this zone.
SHANGHAI = ZoneInfo("Asia/Shanghai")

Role = Literal["base_clerk", "county_officer", "city_officer", "expert", "auditor", "admin", "public"]

ROLES: dict[str, tuple[str, str]] = {
    "base_clerk": ("基地经办人", "base clerk"),
    "county_officer": ("县（区）残联工作人员", "county officer"),
    "city_officer": ("市残联工作人员", "city officer"),
    "expert": ("评审专家", "panel expert"),
    "auditor": ("审计人员", "auditor"),
    "admin": ("系统管理员", "administrator"),
    "public": ("公众", "public"),
}


@dataclass(frozen=True)
class Caller:
    """An account as it acts: ``operator_id`` is the natural person, who counts once in every
    four-eyes rule however many accounts they hold. ``division_code`` is GB/T 2260. A ``read_only``
    caller came with a key that may look and not change. ``origin`` is the network address that the
    call came from."""

    role: Role
    account_id: UUID | None = None
    operator_id: UUID | None = None
    organisation_id: UUID | None = None
    division_code: str = ""
    read_only: bool = False
    origin: str = ""

    def covers(self, division_code: str) -> bool:
        """Whether this caller's division is, or contains, the given one (city codes end in 00)."""
        if self.division_code.endswith("00"):
            return division_code[:4] == self.division_code[:4]
        return division_code == self.division_code


PUBLIC = Caller(role="public")


@dataclass(frozen=True)
class Act:
    """One act: who, when (an aware instant), under which policy, with which vault."""

    by: Caller
    at: datetime
    policy: Policy
    vault: Vault

    @property
    def today(self) -> date:
        """The calendar day of this act in Asia/Shanghai."""
        return self.at.astimezone(SHANGHAI).date()


def require_role(act: Act, *roles: Role) -> None:
    """:raises NotAllowed: the caller has none of these roles."""
    if act.by.role not in roles:
        raise NotAllowed()


def require_other_person(act: Act, earlier: UUID | None) -> None:
    """The caller must not be the natural person who did the earlier part.

    :raises SeparationOfDuties: it is the same person, under whichever account.
    """
    if earlier is not None and act.by.operator_id == earlier:
        raise SeparationOfDuties()
