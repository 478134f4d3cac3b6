"""Yearly plans (年度培训计划): how many persons a base is to train in a year, entered by its county.

The plan of the city sets no numbers, so targets come from here (DOMAIN §1, S51). A target may be
changed until an evaluation that rests on it is proposed; every change leaves a step with its reason.
"""

from __future__ import annotations

from uuid import UUID

from peewee import ForeignKeyField, IntegerField

from skills_registry.bases import Base
from skills_registry.foundation.acts import Act, require_role
from skills_registry.foundation.errors import FieldRefused
from skills_registry.foundation.lifecycle import note
from skills_registry.foundation.storage import InstantField, Record, database


class YearlyPlan(Record):
    """How many distinct persons (培训人数) a base is to train in the classes of a year."""

    base = ForeignKeyField(Base, backref="yearly_plans", on_delete="RESTRICT")
    year = IntegerField()
    persons = IntegerField()
    entered_at = InstantField()
    base_id: UUID

    class Meta:
        indexes = ((("base", "year"), True),)


def enter_plan(act: Act, base: Base, year: int, persons: int, reason: str = "") -> YearlyPlan:
    """Enter the number of persons that a base is to train in a year, in place of an earlier number.

    Call :func:`skills_registry.evaluation.set_plan`, which also looks at the year's evaluation.

    :raises NotAllowed: the caller is no county officer.
    :raises FieldRefused: the number is not positive, or a change comes without a reason.
    """
    require_role(act, "county_officer")
    if persons < 1:
        raise FieldRefused(field="persons")
    with database.atomic():
        plan: YearlyPlan | None = plan_of(base, year)
        earlier = plan.persons if plan else None
        if earlier == persons and plan is not None:
            return plan
        if plan is None:
            plan = YearlyPlan.create(base=base, year=year, persons=persons, entered_at=act.at)
        elif not reason.strip():
            raise FieldRefused(field="reason")
        else:
            plan.persons, plan.entered_at = persons, act.at
            plan.save(only=[YearlyPlan.persons, YearlyPlan.entered_at])
        told = {"year": year, "from": earlier, "to": persons, "base": str(base.id)}
        note(act, "yearly_plan", plan.id, "enter_plan", reason=reason, detail=told)
    return plan


def plan_of(base: Base, year: int) -> YearlyPlan | None:
    """The plan of a base for a year, or None."""
    return YearlyPlan.get_or_none((YearlyPlan.base == base) & (YearlyPlan.year == year))


def plans_of(base: Base) -> list[YearlyPlan]:
    """The plans of a base, by year."""
    return list(YearlyPlan.select().where(YearlyPlan.base == base).order_by(YearlyPlan.year))
