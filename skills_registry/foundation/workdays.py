"""Deadlines in Chinese working days, with moved days (调休).

The calendar comes from ``chinesecalendar``, which knows the years that the State Council has
published and raises beyond; the policy file may add a year before the package does. A deadline
that reaches into an unpublished year is computed by weekends and marked provisional, to be
computed again when the calendar is known.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

import chinese_calendar

from skills_registry.foundation.policy import Policy


@dataclass(frozen=True)
class Deadline:
    """The last day of a period; ``provisional`` while its year's holidays are not published."""

    day: date
    provisional: bool


def is_workday(day: date, policy: Policy) -> tuple[bool, bool]:
    """Whether people work on ``day``, and whether that is only a guess by weekends."""
    year = policy.calendar.get(str(day.year))
    if year is not None:
        if day in year["holidays"]:
            return False, False
        return day in year["moved_workdays"] or day.weekday() < 5, False
    try:
        return bool(chinese_calendar.is_workday(day)), False
    except NotImplementedError:
        return day.weekday() < 5, True


def after(start: date, working_days: int, policy: Policy) -> Deadline:
    """The day that is ``working_days`` working days after ``start``; the start itself does not count."""
    return _walk(start, working_days, policy, timedelta(days=1))


def before(end: date, working_days: int, policy: Policy) -> Deadline:
    """The day that is ``working_days`` working days before ``end``; the end itself does not count."""
    return _walk(end, working_days, policy, timedelta(days=-1))


def months_later(start: date, months: int) -> date:
    """The corresponding day ``months`` months later, or that month's last day when it has none (民法典 Art. 202)."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


def after_months(start: date, months: int, policy: Policy) -> Deadline:
    """The last day of a period of months; on a day off it ends with the next working day (民法典 Art. 203)."""
    day = months_later(start, months)
    works, guessed = is_workday(day, policy)
    if works:
        return Deadline(day, guessed)
    rolled = after(day, 1, policy)
    return Deadline(rolled.day, guessed or rolled.provisional)


def _walk(start: date, working_days: int, policy: Policy, stride: timedelta) -> Deadline:
    day, left, provisional = start, working_days, False
    while left > 0:
        day += stride
        works, guessed = is_workday(day, policy)
        provisional = provisional or guessed
        left -= works
    return Deadline(day, provisional)
