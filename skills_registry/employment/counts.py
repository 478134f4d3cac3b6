"""How many trainees of a base were in work after the class: the numerator of the class employment rate.

Counted are people who stayed in the class and have a confirmed employment that ran on some day after
the class ended and began at most so many days after it; head by head, so that nobody counts twice in a
class however many jobs they had (DOMAIN §6: employed within 180 days ÷ opened head-count).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from skills_registry.employment.employments import Employment
from skills_registry.foundation.policy import Policy
from skills_registry.training.classes import TrainingClass
from skills_registry.training.enrolments import Enrolment


def employed(bases: Sequence[UUID], year: int, ended_by: date, within_days: int) -> Mapping[UUID, int]:
    """By base: trainees of the year's classes that ended by a day who were in work within so many days.

    A class belongs to the year in which it starts. One query, however many bases and trainees.
    """
    rows: Any = (
        Enrolment.select(
            Enrolment.id.alias("enrolment"),
            TrainingClass.base.alias("base_id"),
            TrainingClass.ends_on,
            Employment.started_on,
            Employment.ended_on,
        )
        .join(TrainingClass)
        .switch(Enrolment)
        .join(Employment, on=(Employment.person == Enrolment.person))
        .where((Enrolment.status == "enrolled") & (Employment.status == "confirmed"))
        .where(TrainingClass.base.in_(list(bases)) & (TrainingClass.status == "approved"))
        .where(TrainingClass.starts_on.between(date(year, 1, 1), date(year, 12, 31)))
        .where(TrainingClass.ends_on <= ended_by)
        .tuples()
    )
    at_work = {
        (base, enrolment)
        for enrolment, base, class_ended, started, ended in rows
        if started <= class_ended + timedelta(days=within_days) and (ended is None or ended > class_ended)
    }
    found: dict[UUID, int] = {}
    for base, _ in at_work:
        found[base] = found.get(base, 0) + 1
    return found


def count_for(
    policy: Policy, year: int
) -> Callable[[Sequence[UUID], int, date, int], Mapping[UUID, int]] | None:
    """The count for a year's evaluation, or None for a year before the registry kept employment records.

    Of those years an evaluator knows; the registry would say nobody, and be wrong (the policy's
    ``employment`` rule, ``counted_from``).
    """
    return employed if year >= policy.rule("employment", date(year, 12, 31))["counted_from"] else None
