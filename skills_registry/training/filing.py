"""Filing (开班备案): what a listed base files about a class, and what is doubtful about it.

Late filing, an unusual size and an identical filing warn and never refuse: the county officer judges them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from skills_registry.bases import Base, hold_base, require_in_scope, require_listed, require_may_open_classes
from skills_registry.foundation import workdays
from skills_registry.foundation.acts import Act
from skills_registry.foundation.errors import FieldRefused
from skills_registry.foundation.lifecycle import begin
from skills_registry.foundation.problems import Problem
from skills_registry.foundation.series import take
from skills_registry.foundation.storage import database
from skills_registry.foundation.wording import Typeface, require_covered, require_permitted_wording
from skills_registry.spreadsheets import can_be_read_back
from skills_registry.training.classes import TRAINING_CLASS, TrainingClass, told
from skills_registry.training.projects import (
    TRAINING_TYPES,
    WITHOUT_OCCUPATION,
    TrainingProject,
    fitting_project,
    hold_announced,
    project_doubts,
)

DEFAULT_PAPERS: dict[str, str] = {"theory": "理论", "practice": "实操"}


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
    project: UUID | None = None


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


def file_class(
    act: Act, base: Base, filing: Filing, *, uncovered: Typeface | None = None
) -> tuple[TrainingClass, list[Problem]]:
    """File a class of a base listed on its first day; returns it with what the county should look at.

    :raises FieldRefused: dates run backwards, a number is not positive, or an unknown type.
    :raises OccupationMissing: the type needs an occupation.
    :raises ProjectNotAnnounced, NotInProject: the class does not fit the project that it names.
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
    project = fitting_project(filing.project, base, filing) if filing.project else None
    columns = _columns(filing)
    subject = columns["occupation_name"] or columns["course_title"]
    require_permitted_wording(act.policy, act.today, subject=subject)
    if uncovered is not None:
        require_covered(subject, "课程或职业名称", uncovered)
    warnings = [*_doubts(act, base, filing), *_project_doubts(project, filing)]
    with database.atomic():
        hold_base(base)
        if project is not None:
            hold_announced(project)
        require_may_open_classes(base, act.today)
        require_listed(base, filing.starts_on)
        number = take(f"class_filing/{act.today.year}")[0]
        training_class = TrainingClass.create(
            base=base,
            project=project,
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


def _project_doubts(project: TrainingProject | None, filing: Filing) -> list[Problem]:
    if project is None:
        return []
    others = TrainingClass.select(TrainingClass.capacity).where(
        (TrainingClass.project == project) & (TrainingClass.status != "cancelled")
    )
    return project_doubts(project, filing, places_taken=sum(other.capacity for other in others))
