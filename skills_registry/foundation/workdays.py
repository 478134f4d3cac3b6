"""Deadlines in Chinese working days, with moved days (调休).

The calendar comes from ``chinesecalendar``, which knows the years that the State Council has
published and raises beyond; the policy file may add a year before the package does. A deadline
that reaches into an unpublished year is computed by weekends and marked provisional, to be
computed again when the calendar is known.
"""

from __future__ import annotations

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


def _walk(start: date, working_days: int, policy: Policy, stride: timedelta) -> Deadline:
    day, left, provisional = start, working_days, False
    while left > 0:
        day += stride
        works, guessed = is_workday(day, policy)
        provisional = provisional or guessed
        left -= works
    return Deadline(day, provisional)
