"""Classes (培训班): filed by a listed base, opened by its county, submitted, returned or approved.

Only an open class takes people and results; a submitted class is closed to the base. Late filing,
an unusual size and an identical filing warn and never refuse: the county officer judges them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from peewee import CharField, DateField, ForeignKeyField, IntegerField, JSONField

from skills_registry.bases import Base, hold_base, require_in_scope, require_listed, require_may_open_classes
from skills_registry.bases.parties import require_outsider
from skills_registry.foundation import workdays
from skills_registry.foundation.acts import Act, Role, require_other_person
from skills_registry.foundation.errors import FieldRefused, RuleBroken, SeparationOfDuties
from skills_registry.foundation.lifecycle import (
    Lifecycle,
    Move,
    begin,
    move,
    note,
    people_in,
    steps_of,
    who_did,
)
from skills_registry.foundation.problems import Problem
from skills_registry.foundation.series import take
from skills_registry.foundation.storage import InstantField, Record, database
from skills_registry.foundation.wording import Typeface, require_covered, require_permitted_wording
from skills_registry.spreadsheets import can_be_read_back
from skills_registry.training.projects import TRAINING_TYPES, WITHOUT_OCCUPATION, TrainingProject

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

DEFAULT_PAPERS: dict[str, str] = {"theory": "理论", "practice": "实操"}


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


@dataclass(frozen=True)
class Filing:
    """What a base files to open a class (开班备案)."""

    title: str
    training_type: str
    starts_on: date
    ends_on: date
    class_hours: int
    capacity: int
    occupation: Mapping[str, str] | None = None
    level: str = ""
    course_title: str = ""
    papers: Mapping[str, str] | None = None


class OccupationMissing(FieldRefused):
    """This training type needs an occupation and a level."""

    code = "occupation_missing"
    zh = "该培训类型须填写职业（工种）和等级；只有实用技术培训和创业培训可以只填课程名称。"
    en = (
        "This training type needs an occupation and a level;"
        " only practical-technology and entrepreneurship training may have a course title instead."
    )


class PapersUnusable(FieldRefused):
    """A results sheet with these papers could not be read back."""

    code = "papers_unusable"
    zh = "考核科目的名称或代码重复，或与成绩表的其他列（如姓名、出勤课时）混淆，请修改。"
    en = "The papers have equal names or codes, or ones that a results sheet uses for other columns."


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


def file_class(
    act: Act, base: Base, filing: Filing, *, uncovered: Typeface | None = None
) -> tuple[TrainingClass, list[Problem]]:
    """File a class of a base listed on its first day; returns it with what the county should look at.

    :raises FieldRefused: dates run backwards, a number is not positive, or an unknown type.
    :raises OccupationMissing: the type needs an occupation.
    :raises NewClassesHeld: the base is being rectified, or suspended.
    :raises NotListed: the base is not listed on the first day.
    :raises OccupationOutOfScope: the listing does not cover the occupation and level.
    :raises ForbiddenWording: its subject holds a word that no certificate may have.
    :raises Undrawable: no installed font covers its subject.
    """
    _require_sound(filing)
    require_may_open_classes(base, act.today)
    listing = require_listed(base, filing.starts_on)
    occupation = filing.occupation or {}
    if occupation:
        require_in_scope(
            listing, occupation["edition"], occupation["code"], filing.level, name=occupation["name"]
        )
    columns = _columns(filing)
    subject = columns["occupation_name"] or columns["course_title"]
    require_permitted_wording(act.policy, act.today, subject=subject)
    if uncovered is not None:
        require_covered(subject, "课程或职业名称", uncovered)
    warnings = list(_doubts(act, base, filing))
    with database.atomic():
        hold_base(base)
        require_may_open_classes(base, act.today)
        require_listed(base, filing.starts_on)
        number = take(f"class_filing/{act.today.year}")[0]
        training_class = TrainingClass.create(
            base=base,
            filing_no=f"{act.today.year}{number:05d}",
            filed_at=act.at,
            papers=dict(filing.papers or DEFAULT_PAPERS),
            **columns,
        )
        begin(act, TRAINING_CLASS, training_class, "file", detail=told(warnings))
    return training_class, warnings


def _require_sound(filing: Filing) -> None:
    if filing.training_type not in TRAINING_TYPES:
        raise FieldRefused(field="training_type")
    if filing.ends_on < filing.starts_on:
        raise FieldRefused(field="ends_on")
    for field in ("class_hours", "capacity"):
        if getattr(filing, field) < 1:
            raise FieldRefused(field=field)
    if bool(filing.occupation) != bool(filing.level):
        raise OccupationMissing(field="level" if filing.occupation else "occupation")
    if filing.papers is not None and not (filing.papers and can_be_read_back(filing.papers)):
        raise PapersUnusable(field="papers")
    if not filing.occupation and filing.training_type not in WITHOUT_OCCUPATION:
        raise OccupationMissing(field="occupation")


def _columns(filing: Filing) -> dict[str, Any]:
    occupation = filing.occupation or {}
    return {
        "title": filing.title,
        "training_type": filing.training_type,
        "occupation_edition": occupation.get("edition", ""),
        "occupation_code": occupation.get("code", ""),
        "occupation_name": occupation.get("name", ""),
        "level": filing.level,
        "course_title": "" if occupation else (filing.course_title or filing.title),
        "starts_on": filing.starts_on,
        "ends_on": filing.ends_on,
        "class_hours": filing.class_hours,
        "capacity": filing.capacity,
    }


def _doubts(act: Act, base: Base, filing: Filing) -> Sequence[Problem]:
    rule = act.policy.rule("class_opening", filing.starts_on)
    doubts = []
    due = workdays.before(filing.starts_on, rule["filing_working_days"], act.policy)
    if act.today > due.day:
        facts = {"days": rule["filing_working_days"], "due": due.day.isoformat()}
        doubts.append(Problem("late_filing", "starts_on", facts))
    if not rule["smallest"] <= filing.capacity <= rule["largest"]:
        doubts.append(
            Problem("class_size", "capacity", {"smallest": rule["smallest"], "largest": rule["largest"]})
        )
    twin = _identical(base, filing)
    if twin is not None:
        doubts.append(Problem("identical_filing", "title", {"filing_no": twin.filing_no}))
    return doubts


def _identical(base: Base, filing: Filing) -> TrainingClass | None:
    same = TrainingClass.select().where((TrainingClass.base == base) & (TrainingClass.status != "cancelled"))
    for column, value in _columns(filing).items():
        same = same.where(getattr(TrainingClass, column) == value)
    return same.get_or_none()


def open_class(act: Act, training_class: TrainingClass) -> TrainingClass:
    """The county opens a filed class.

    :raises SeparationOfDuties: the caller filed it.
    :raises NewClassesHeld: the base is being rectified, or suspended.
    :raises NotListed: the base is no longer listed on the class's first day.
    :raises WrongState: it is not awaiting opening.
    """
    require_other_person(act, who_did(training_class.id, "file"))
    require_may_open_classes(training_class.base, act.today)
    require_listed(training_class.base, training_class.starts_on)
    with database.atomic():
        move(act, TRAINING_CLASS, training_class, "open")
    return training_class


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
