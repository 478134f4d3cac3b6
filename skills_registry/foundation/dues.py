"""What is due (期限): the one shape in which every room tells of a deadline that runs.

Nothing is stored: a deadline is computed from the day on which its period began and the rule of that
day, so that it is right again as soon as a year's calendar is published.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from skills_registry.foundation.acts import Role
from skills_registry.foundation.workdays import Deadline


@dataclass(frozen=True)
class Due:
    """One act that somebody owes by a day.

    ``kind`` is a stable code with its names ``zh`` and ``en``; ``record_id`` names the record that
    waits, ``waits_for`` the roles that may act on it. ``base_id`` is the base it concerns.
    """

    kind: str
    zh: str
    en: str
    record_id: UUID
    base_id: UUID
    deadline: Deadline
    waits_for: tuple[Role, ...]

    def is_overdue(self, on: date) -> bool:
        """Whether the day has passed."""
        return on > self.deadline.day
