"""Training projects (培训项目): the year's plan of classes, shown to the public before it is carried out.

An officer drafts a project: who pays, for whom, which trades, how many people and hours, in which
counties, by which listed bases. It is put on public notice (公示); once the notice has run, with every
objection answered and none upheld, a city officer who had no hand in it announces it. An upheld
objection sends it back to be mended and noticed anew. Only an announced project can have classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol
from uuid import UUID

from peewee import CharField, DateField, ForeignKeyField, IntegerField, JSONField, ModelSelect

from skills_registry import notices
from skills_registry.bases import Base, listing_on, require_in_scope
from skills_registry.bases.listing import OccupationOutOfScope
from skills_registry.bases.parties import require_outsider
from skills_registry.foundation.acts import Act, Role, require_role
from skills_registry.foundation.errors import FieldRefused, NotAllowed, RuleBroken, SeparationOfDuties
from skills_registry.foundation.identifiers import division_name
from skills_registry.foundation.levels import level
from skills_registry.foundation.lifecycle import Lifecycle, Move, begin, move, note, people_in
from skills_registry.foundation.policy import Policy
from skills_registry.foundation.problems import Problem
from skills_registry.foundation.storage import InstantField, Record, database
from skills_registry.notices import Notice

_OFFICERS: frozenset[Role] = frozenset({"county_officer", "city_officer"})
_CITY: frozenset[Role] = frozenset({"city_officer"})

TRAINING_PROJECT = Lifecycle(
    noun="training_project",
    zh="培训项目",
    states={
        "draft": ("草拟中", "draft"),
        "noticed": ("公示中", "on public notice"),
        "announced": ("已公布", "announced"),
        "withdrawn": ("已撤销", "withdrawn"),
    },
    moves=(
        Move("publish", "draft", "noticed", _OFFICERS),
        Move("mend", "noticed", "draft", _OFFICERS),
        Move("announce", "noticed", "announced", _CITY),
        Move("withdraw", "draft", "withdrawn", _OFFICERS),
        Move("withdraw", "noticed", "withdrawn", _OFFICERS),
        Move("withdraw", "announced", "withdrawn", _CITY),
    ),
)

TRAINING_TYPES: dict[str, tuple[str, str]] = {
    "employment_skills": ("就业技能培训", "employment-skills training"),
    "skill_upgrading": ("岗位技能提升培训", "skill-upgrading training"),
    "entrepreneurship": ("创业培训", "entrepreneurship training"),
    "practical_technology": ("实用技术培训", "practical-technology training"),
    "labour_transfer": ("劳动力转移就业培训", "labour-transfer training"),
    "continuing_education": ("继续教育培训", "continuing-education training"),
}

#: These types may have a course title in place of an occupation and level.
WITHOUT_OCCUPATION = ("practical_technology", "entrepreneurship")

LONGEST_TITLE, LONGEST_GROUP = 120, 200


class TrainingProject(Record):
    """One project of a year. ``budget`` is in whole yuan; ``planned_hours`` are the teaching hours of 45
    minutes that each class is to have; ``counties`` are division codes; ``trades`` are
    ``{edition, code, name, level}``. ``pass_mark`` and ``attendance_percent`` stand in place of the
    policy's pass rule where they are set. ``version`` counts the changes of the draft."""

    year = IntegerField(index=True)
    title = CharField(max_length=LONGEST_TITLE)
    funding_source = CharField(max_length=40)
    training_type = CharField(max_length=30)
    target_group = CharField(max_length=LONGEST_GROUP)
    planned_people = IntegerField()
    planned_hours = IntegerField()
    budget = IntegerField()
    division_code = CharField(max_length=6, index=True)
    counties = JSONField()
    trades = JSONField()
    pass_mark = IntegerField(null=True)
    attendance_percent = IntegerField(null=True)
    notice = ForeignKeyField(Notice, null=True, on_delete="RESTRICT")
    announced_on = DateField(null=True)
    version = IntegerField(default=1)
    status = CharField(max_length=20, default=TRAINING_PROJECT.first)
    drafted_at = InstantField()
    notice_id: UUID | None
    carriers: ModelSelect[ProjectBase]


class ProjectBase(Record):
    """A base that carries a project out (承训基地)."""

    project = ForeignKeyField(TrainingProject, backref="carriers", on_delete="RESTRICT")
    base = ForeignKeyField(Base, on_delete="RESTRICT")
    project_id: UUID
    base_id: UUID

    class Meta:
        indexes = ((("project", "base"), True),)
