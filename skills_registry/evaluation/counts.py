"""What the records say about a base and a year (统计口径): counted for all bases at once, a few queries in all.

A class belongs to the year in which it starts, also when it ends in the next one. Trained is who
stayed in a class whose results the city approved, whether they passed or not. Persons (人数) are
distinct people, person-times (人次) are enrolments: both are given everywhere.

Every count answers, for each base asked about, with numerator and denominator; a denominator of
nought is no figure, never a rate of nought.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from peewee import JOIN, Case, fn

from skills_registry.certification.certificates import Certificate
from skills_registry.evaluation.plans import YearlyPlan
from skills_registry.evaluation.scorecard import Card, Counted
from skills_registry.foundation.levels import LEVELS
from skills_registry.training.classes import RUNNING, TrainingClass
from skills_registry.training.enrolments import Enrolment, Result
from skills_registry.training.satisfaction import SatisfactionAnswer, SatisfactionSurvey

#: How many of the trainees in the classes of one year that ended by a day were in work within so many
#: days, by base: ``(base ids, year, ended_by, within_days)``. Whoever keeps employment records gives it;
#: without it the class employment rate has a head-count and no numerator.
EmployedCount = Callable[[Sequence[UUID], int, date, int], Mapping[UUID, int]]


@dataclass(frozen=True)
class Question:
    """Which bases, which year, on which day, under which card."""

    bases: tuple[UUID, ...]
    year: int
    as_of: date
    card: Card
    employed: EmployedCount | None = None

    @property
    def days(self) -> tuple[date, date]:
        """First and last day of the year."""
        return date(self.year, 1, 1), date(self.year, 12, 31)


Counts = dict[UUID, Counted]


def count(asked: Question) -> dict[UUID, dict[str, Counted]]:
    """Every count that the card names, for every base: ``{base: {count: numbers}}``.

    The number of queries does not grow with bases, classes or trainees.
    """
    trained = _trained(asked)
    found = {
        "persons_trained": _persons_trained(asked, trained),
        "passed": _share(asked, trained, "passed"),
        "attendance": _share(asked, trained, "attended"),
        "certificates": _certificates(asked, trained),
        "class_employment": _class_employment(asked),
        "satisfaction": _satisfaction(asked),
    }
    return {base: {name: answers[base] for name, answers in found.items()} for base in asked.bases}


def _in_year(asked: Question, *statuses: str) -> Any:
    first, last = asked.days
    return (
        TrainingClass.base.in_(list(asked.bases))
        & TrainingClass.starts_on.between(first, last)
        & TrainingClass.status.in_(statuses)
    )


def _trained(asked: Question) -> dict[UUID, Any]:
    """By base: classes, persons, person-times, results, how many passed and how many attended enough."""
    needed = asked.card.rule["attendance_percent"]
    enough = Result.hours * 100 >= TrainingClass.class_hours * needed
    rows: Any = (
        Enrolment.select(
            TrainingClass.base.alias("base_id"),
            fn.COUNT(TrainingClass.id.distinct()).alias("classes"),
            fn.COUNT(Enrolment.person.distinct()).alias("persons"),
            fn.COUNT(Enrolment.id).alias("person_times"),
            fn.COUNT(Result.id).alias("results"),
            fn.SUM(Case(None, ((Result.outcome == "passed", 1),), 0)).alias("passed"),
            fn.SUM(Case(None, ((enough, 1),), 0)).alias("attended"),
        )
        .join(TrainingClass)
        .switch(Enrolment)
        .join(Result, JOIN.LEFT_OUTER, on=(Result.enrolment == Enrolment.id) & Result.current)
        .where(_in_year(asked, "approved") & (Enrolment.status == "enrolled"))
        .group_by(TrainingClass.base)
        .namedtuples()
    )
    return {row.base_id: row for row in rows}


def _persons_trained(asked: Question, trained: Mapping[UUID, Any]) -> Counts:
    plans = {
        plan.base_id: plan.persons
        for plan in YearlyPlan.select().where(
            YearlyPlan.base.in_(list(asked.bases)) & (YearlyPlan.year == asked.year)
        )
    }
    running: Any = (
        TrainingClass.select(TrainingClass.base.alias("base_id"), fn.COUNT(TrainingClass.id).alias("classes"))
        .where(_in_year(asked, *RUNNING))
        .group_by(TrainingClass.base)
        .namedtuples()
    )
    unfinished = {row.base_id: row.classes for row in running}
    return {
        base: Counted(
            numerator=Decimal(_number(trained, base, "persons")),
            denominator=Decimal(plans[base]) if base in plans else None,
            detail={
                "persons": _number(trained, base, "persons"),
                "person_times": _number(trained, base, "person_times"),
                "classes": _number(trained, base, "classes"),
                "classes_unfinished": unfinished.get(base, 0),
            },
        )
        for base in asked.bases
    }


def _share(asked: Question, trained: Mapping[UUID, Any], part: str) -> Counts:
    """Person-times of which something holds, over all person-times with a result."""
    return {
        base: Counted(
            numerator=Decimal(_number(trained, base, part)),
            denominator=Decimal(_number(trained, base, "results")),
            detail={name: _number(trained, base, name) for name in ("persons", "person_times")},
        )
        for base in asked.bases
    }


def _number(trained: Mapping[UUID, Any], base: UUID, name: str) -> int:
    return int(getattr(trained[base], name) or 0) if base in trained else 0


def _certificates(asked: Question, trained: Mapping[UUID, Any]) -> Counts:
    """Persons who hold a valid certificate of the year's classes, each credited for their highest level."""
    held = _persons_by_level(asked)
    worth: Mapping[str, int] = asked.card.rule["level_credits"]
    answers = {}
    for base in asked.bases:
        by_level = held.get(base, {})
        credited = sum((Decimal(worth[code]) * people for code, people in by_level.items()), Decimal(0))
        detail = {
            "persons": sum(by_level.values()),
            "by_level": by_level,
            "credits_percent": {code: worth[code] for code in by_level},
        }
        answers[base] = Counted(credited / 100, Decimal(_number(trained, base, "persons")), detail)
    return answers


#: Levels by rank, as the database compares them; 0 stands for a course without a level.
_BY_RANK = {0: "none"} | {level.rank: code for code, level in LEVELS.items()}


def _persons_by_level(asked: Question) -> dict[UUID, dict[str, int]]:
    rank = Case(Certificate.level, tuple((code, level.rank) for code, level in LEVELS.items()), 0)
    highest = (
        Certificate.select(
            TrainingClass.base.alias("base_id"), Certificate.person, fn.MAX(rank).alias("highest")
        )
        .join(TrainingClass)
        .where(_in_year(asked, "approved") & (Certificate.status == "valid"))
        .where(Certificate.kind == "training_completion")
        .group_by(TrainingClass.base, Certificate.person)
        .alias("holders")
    )
    rows: Any = (
        Certificate.select(highest.c.base_id, highest.c.highest, fn.COUNT(highest.c.highest).alias("people"))
        .from_(highest)
        .group_by(highest.c.base_id, highest.c.highest)
        .order_by(highest.c.base_id, highest.c.highest)
        .tuples()
    )
    found: dict[UUID, dict[str, int]] = {}
    for base, level, people in rows:
        found.setdefault(_id(base), {})[_BY_RANK[int(level)]] = int(people)
    return found


def _id(value: UUID | str) -> UUID:
    # A column of a subquery has no field that would turn SQLite's text into an id.
    return value if isinstance(value, UUID) else UUID(value)


def _satisfaction(asked: Question) -> Counts:
    """Points that trainees gave, in whole answers, over the answers; of closed surveys with enough people only."""
    rows: Any = (
        SatisfactionAnswer.select(
            TrainingClass.base.alias("base_id"),
            SatisfactionSurvey.least_answers,
            fn.COUNT(SatisfactionAnswer.id).alias("people"),
            fn.SUM(SatisfactionAnswer.given).alias("answers"),
            fn.SUM(SatisfactionAnswer.points).alias("points"),
        )
        .join(SatisfactionSurvey)
        .join(TrainingClass)
        .where(_in_year(asked, "approved") & (SatisfactionSurvey.closes_on < asked.as_of))
        .group_by(TrainingClass.base, SatisfactionSurvey.id, SatisfactionSurvey.least_answers)
        .namedtuples()
    )
    enough: dict[UUID, list[Any]] = {base: [] for base in asked.bases}
    for row in rows:
        if row.people >= row.least_answers:
            enough[row.base_id].append(row)
    return {
        base: Counted(
            numerator=Decimal(sum(int(row.points) for row in surveys)) / 100 if surveys else None,
            denominator=Decimal(sum(int(row.answers) for row in surveys)) if surveys else None,
            detail={"classes": len(surveys), "people": sum(int(row.people) for row in surveys)},
        )
        for base, surveys in enough.items()
    }


def _class_employment(asked: Question) -> Counts:
    """In work within so many days after the class, over the head-count at its opening; due class by class."""
    days = asked.card.rule["employment_after_days"]
    ended_by = asked.as_of - timedelta(days=days)
    is_due = TrainingClass.ends_on <= ended_by
    rows: Any = (
        Enrolment.select(
            TrainingClass.base.alias("base_id"),
            fn.SUM(Case(None, ((is_due, 1),), 0)).alias("due"),
            fn.COUNT(Enrolment.id).alias("everyone"),
        )
        .join(TrainingClass)
        .where(_in_year(asked, "approved"))
        .group_by(TrainingClass.base)
        .namedtuples()
    )
    heads = {row.base_id: row for row in rows}
    known = None if asked.employed is None else asked.employed(asked.bases, asked.year, ended_by, days)
    answers = {}
    for base in asked.bases:
        due, everyone = _number(heads, base, "due"), _number(heads, base, "everyone")
        answers[base] = Counted(
            numerator=None if known is None or not due else Decimal(known.get(base, 0)),
            denominator=Decimal(due) if due else None,
            detail={"opened_headcount": everyone, "not_yet_due": everyone - due, "within_days": days},
            due=bool(due) or not everyone,
        )
    return answers
