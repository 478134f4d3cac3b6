"""Classes (培训班): filed by a listed base, opened by its county, submitted, returned or approved.

Only an open class takes people and results; a submitted class is closed to the base. How one is filed stands
in :mod:`skills_registry.training.filing`, how it is opened in :mod:`skills_registry.training.opening`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from peewee import CharField, DateField, ForeignKeyField, IntegerField, JSONField

from skills_registry.bases import Base, require_in_scope, require_listed, require_may_open_classes
from skills_registry.bases.parties import require_outsider
from skills_registry.foundation.acts import Act, Role
from skills_registry.foundation.errors import RuleBroken, SeparationOfDuties
from skills_registry.foundation.lifecycle import Lifecycle, Move, move, note, people_in, steps_of
from skills_registry.foundation.problems import Problem
from skills_registry.foundation.storage import InstantField, Record, database
from skills_registry.training.projects import TrainingProject

_CLERK: frozenset[Role] = frozenset({"base_clerk"})
_COUNTY: frozenset[Role] = frozenset({"county_officer"})
_CITY: frozenset[Role] = frozenset({"city_officer"})

TRAINING_CLASS = Lifecycle(
    noun="training_class",
    zh="培训班",
    states={
        "filed": ("已备案待开班", "filed, awaiting opening"),
        "open": ("已开班", "open"),
        "submitted": ("已提交待审批", "submitted, awaiting approval"),
        "returned": ("已退回补正", "returned for correction"),
        "approved": ("已审批发证", "approved, certificates issued"),
        "cancelled": ("已取消", "cancelled"),
    },
    moves=(
        Move("open", "filed", "open", _COUNTY),
        Move("cancel", "filed", "cancelled", _CLERK | _COUNTY | _CITY),
        Move("dissolve", "open", "cancelled", _COUNTY | _CITY),
        Move("dissolve", "returned", "cancelled", _COUNTY | _CITY),
        Move("submit", "open", "submitted", _CLERK),
        Move("submit", "returned", "submitted", _CLERK),
        Move("return", "submitted", "returned", _CITY),
        Move("approve", "submitted", "approved", _CITY),
    ),
)

#: States in which the base may still enrol people and record results.
WITH_THE_BASE = ("open", "returned")

#: States in which people are being trained or wait for their results: what a base may not walk away from.
RUNNING = (*WITH_THE_BASE, "submitted")


class TrainingClass(Record):
    """One run of a class. ``papers`` maps a paper's code to its Chinese name; ``class_hours`` are
    teaching hours of 45 minutes (课时); occupation and level are empty where a course title stands."""

    base = ForeignKeyField(Base, backref="classes", on_delete="RESTRICT")
    project = ForeignKeyField(TrainingProject, backref="classes", null=True, on_delete="RESTRICT")
    filing_no = CharField(max_length=20, unique=True)
    title = CharField(max_length=120)
    training_type = CharField(max_length=30)
    occupation_edition = CharField(max_length=4, default="")
    occupation_code = CharField(max_length=12, default="")
    occupation_name = CharField(max_length=60, default="")
    level = CharField(max_length=30, default="")
    course_title = CharField(max_length=120, default="")
    starts_on = DateField()
    ends_on = DateField()
    class_hours = IntegerField()
    capacity = IntegerField()
    papers = JSONField()
    status = CharField(max_length=20, default=TRAINING_CLASS.first)
    filed_at = InstantField()
    base_id: UUID
    project_id: UUID | None

    @property
    def subject(self) -> str:
        """What was taught, as a certificate names it: the occupation, or the course title."""
        return str(self.occupation_name or self.course_title)


class ClassClosed(RuleBroken):
    """The class is not with the base. Facts: ``state_zh``, ``state_en``."""

    code = "class_closed"
    zh = "培训班当前为“{state_zh}”，不能修改花名册和成绩。已提交的须由市残联退回后才能修改；未开班的须先由县（区）残联开班。"
    en = (
        "The class is '{state_en}': its roster and results cannot be changed."
        " A submitted class must be returned first; a filed one must be opened first."
    )


def require_with_base(training_class: TrainingClass) -> None:
    """:raises ClassClosed: the class is not open to the base."""
    if training_class.status not in WITH_THE_BASE:
        zh, en = TRAINING_CLASS.states[training_class.status]
        raise ClassClosed(state_zh=zh, state_en=en)


def hold(training_class: TrainingClass) -> None:
    """Make this transaction and every move of the class wait for each other; its first write.

    :raises ClassClosed: somebody moved the class since it was read.
    """
    held = (
        TrainingClass.update(status=training_class.status)
        .where((TrainingClass.id == training_class.id) & (TrainingClass.status == training_class.status))
        .execute()
    )
    if held != 1:
        zh, en = TRAINING_CLASS.states[TrainingClass.get_by_id(training_class.id).status]
        raise ClassClosed(state_zh=zh, state_en=en)


def require_took_no_part(act: Act, training_class: TrainingClass) -> None:
    """Nobody judges a class that they worked on for the base, under whichever account.

    :raises SeparationOfDuties: the caller filed, submitted or recorded something of this class.
    """
    require_outsider(act, training_class.base)
    if act.by.operator_id in people_in([training_class.id], roles=("base_clerk",)):
        raise SeparationOfDuties()


def told(doubts: Sequence[Problem]) -> dict[str, Any]:
    """Doubts as a step keeps them, for those who decide later."""
    return {"doubts": [{"code": d.code, "field": d.field, "facts": d.facts} for d in doubts]}


def doubts_about(training_class: TrainingClass) -> list[Problem]:
    """What was doubtful when the class was filed and last submitted: for the officer who decides."""
    latest = {step.action: step for step in steps_of(training_class.id) if "doubts" in step.detail}
    return [
        Problem(d["code"], d["field"], d["facts"]) for step in latest.values() for d in step.detail["doubts"]
    ]


def cancel_class(act: Act, training_class: TrainingClass, reason: str) -> TrainingClass:
    """Take a filed class off the plan, by the base or its county, before anybody is enrolled.

    :raises WrongState: it is open already, or past that.
    """
    with database.atomic():
        move(act, TRAINING_CLASS, training_class, "cancel", reason=reason)
    return training_class


def hand_over_class(act: Act, training_class: TrainingClass, to: Base, reason: str) -> TrainingClass:
    """Hand a running class over to another listed base, which finishes it; its certificates then name that base.

    :raises NewClassesHeld: the other base may start no class now.
    :raises NotListed: the other base is not listed today, or was not when the class began.
    :raises OccupationOutOfScope: its listing does not cover what the class teaches.
    :raises ClassClosed: the class is not with the base: submitted, it is approved or returned first.
    """
    require_with_base(training_class)
    require_may_open_classes(to, act.today)
    for day in (training_class.starts_on, act.today):
        listing = require_listed(to, day)
        if training_class.occupation_code:
            require_in_scope(
                listing,
                training_class.occupation_edition,
                training_class.occupation_code,
                training_class.level,
            )
    with database.atomic():
        hold(training_class)
        moved = {"from": str(training_class.base_id), "to": str(to.id)}
        training_class.base = to
        training_class.save(only=[TrainingClass.base])
        note(act, TRAINING_CLASS.noun, training_class.id, "hand_over", reason=reason, detail=moved)
    return training_class


def return_class(act: Act, training_class: TrainingClass, reason: str) -> TrainingClass:
    """The city returns a submitted class to the base with reasons.

    :raises SeparationOfDuties: the caller worked on it for the base.
    :raises WrongState: it is not submitted.
    """
    require_took_no_part(act, training_class)
    with database.atomic():
        move(act, TRAINING_CLASS, training_class, "return", reason=reason)
    return training_class


def classes_in(base: Base, *states: str) -> list[TrainingClass]:
    """The classes of a base that are in one of these states, in order of filing."""
    return list(
        TrainingClass.select()
        .where((TrainingClass.base == base) & TrainingClass.status.in_(states))
        .order_by(TrainingClass.id)
    )


def classes_of_bases(base_ids: Sequence[UUID]) -> Any:
    """The classes of these bases, in order of filing, as a query."""
    return TrainingClass.select().where(TrainingClass.base.in_(list(base_ids))).order_by(TrainingClass.id)
