"""Training projects (培训项目): the year's plan of classes, shown to the public before it is carried out.

An officer drafts a project: who pays, for whom, which trades, how many people and hours, in which
counties, by which listed bases. It is put on public notice (公示); once the notice has run, with every
objection answered and none upheld, a city officer who had no hand in it announces it. An upheld
objection sends it back to be mended and noticed anew. Only an announced project can have classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Protocol
from uuid import UUID

from peewee import CharField, DateField, ForeignKeyField, IntegerField, JSONField, ModelSelect

from skills_registry.bases import Base
from skills_registry.foundation.acts import Role
from skills_registry.foundation.errors import FieldRefused, RuleBroken
from skills_registry.foundation.identifiers import division_name
from skills_registry.foundation.levels import level
from skills_registry.foundation.lifecycle import Lifecycle, Move
from skills_registry.foundation.policy import Policy
from skills_registry.foundation.problems import Problem
from skills_registry.foundation.storage import InstantField, Record
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


class Teaching(Protocol):
    """What of a class must fit its project; a filing has it."""

    @property
    def training_type(self) -> str: ...
    @property
    def occupation(self) -> Mapping[str, str] | None: ...
    @property
    def level(self) -> str: ...
    @property
    def starts_on(self) -> date: ...
    @property
    def capacity(self) -> int: ...
    @property
    def class_hours(self) -> int: ...


class ProjectNotAnnounced(RuleBroken):
    """Facts: ``state_zh``, ``state_en``."""

    code = "project_not_announced"
    zh = "培训项目当前为“{state_zh}”，公布后才能备案其培训班。"
    en = "The training project is '{state_en}'; its classes can be filed once it is announced."


class NotInProject(RuleBroken):
    """The class does not fit its project. Facts: ``what_zh``, ``what_en``, ``planned``."""

    code = "not_in_project"
    zh = "{what_zh}不在培训项目之内（项目：{planned}）。请核对备案内容，或另选项目。"
    en = "The {what_en} is not part of the training project (planned: {planned}); check the filing or the project."


def require_fits(project: TrainingProject, base: Base, filing: Teaching) -> None:
    """The project is announced, and base, county, training type and trade of the class are part of it.

    :raises ProjectNotAnnounced: its notice has not come to an announcement, or it was withdrawn.
    :raises NotInProject: the facts say what does not fit.
    """
    if project.status != "announced":
        zh, en = TRAINING_PROJECT.states[project.status]
        raise ProjectNotAnnounced(state_zh=zh, state_en=en)
    carriers = bases_of(project)
    if base.id not in {carrier.id for carrier in carriers}:
        _refuse("培训基地", "base", "、".join(carrier.public_name for carrier in carriers))
    if base.division_code not in project.counties:
        _refuse("基地所在县区", "county", "、".join(place(code) for code in project.counties))
    if filing.training_type != project.training_type:
        _refuse("培训类型", "training type", TRAINING_TYPES[project.training_type][0])
    _require_trade(project, filing)


def fitting_project(project_id: UUID, base: Base, filing: Teaching) -> TrainingProject:
    """The project under which a base files a class.

    :raises FieldRefused: there is no such project, or none that a base may know of.
    :raises ProjectNotAnnounced, NotInProject: see :func:`require_fits`.
    """
    project: TrainingProject | None = TrainingProject.get_or_none(TrainingProject.id == project_id)
    if project is None or not is_public(project):
        raise FieldRefused(field="project_id")
    require_fits(project, base, filing)
    return project


def hold_announced(project: TrainingProject) -> None:
    """Make this transaction and the project's withdrawal wait for each other.

    :raises ProjectNotAnnounced: it was withdrawn meanwhile.
    """
    announced = (TrainingProject.id == project.id) & (TrainingProject.status == "announced")
    if TrainingProject.update(status="announced").where(announced).execute() != 1:
        zh, en = TRAINING_PROJECT.states[TrainingProject.get_by_id(project.id).status]
        raise ProjectNotAnnounced(state_zh=zh, state_en=en)


def _require_trade(project: TrainingProject, filing: Teaching) -> None:
    if not project.trades:
        return
    occupation = filing.occupation or {}
    taught = (occupation.get("edition"), occupation.get("code"), filing.level)
    if taught not in {(t["edition"], t["code"], t["level"]) for t in project.trades}:
        _refuse("职业（工种）或等级", "trade or level", "、".join(map(trade_text, project.trades)))


def _refuse(what_zh: str, what_en: str, planned: str) -> None:
    raise NotInProject(what_zh=what_zh, what_en=what_en, planned=planned or "—")


def project_doubts(project: TrainingProject, filing: Teaching, *, places_taken: int) -> list[Problem]:
    """What the county should look at in a class of a project: another year, too many people, fewer hours.

    ``places_taken`` are the places of the project's other classes.
    """
    doubts = []
    if filing.starts_on.year != project.year:
        doubts.append(Problem("project_other_year", "starts_on", {"year": project.year}))
    places = places_taken + filing.capacity
    if places > project.planned_people:
        facts: dict[str, str | int | float] = {"planned": project.planned_people, "places": places}
        doubts.append(Problem("project_people_exceeded", "capacity", facts))
    if filing.class_hours < project.planned_hours:
        doubts.append(Problem("project_hours_fewer", "class_hours", {"planned": project.planned_hours}))
    return doubts


def bases_of(project: TrainingProject) -> list[Base]:
    """The bases that carry a project out, in order of number."""
    carrying = ProjectBase.select(ProjectBase.base).where(ProjectBase.project == project.id)
    return list(Base.select().where(Base.id.in_(carrying)).order_by(Base.number))


def trade_text(trade: Mapping[str, str]) -> str:
    """A trade of a project as people write it: name and level."""
    return f"{trade['name']}（{level(trade['level']).zh}）"


def place(code: str) -> str:
    """The name of a county or city."""
    return division_name(code) or code


def funding_sources(policy: Policy, on: date) -> dict[str, tuple[str, str]]:
    """The funding sources of the policy: code → Chinese and English name."""
    sources = policy.rule("training_project", on)["funding_sources"]
    return {source["code"]: (source["zh"], source["en"]) for source in sources}


def public_projects(
    *, year: int = 0, county: str = "", trade: str = "", training_type: str = ""
) -> list[TrainingProject]:
    """The projects on notice or announced that fit, the newest first; ``trade`` is a name or a part of it."""
    found = TrainingProject.select().where(TrainingProject.status.in_(("noticed", "announced")))
    if year:
        found = found.where(TrainingProject.year == year)
    if training_type:
        found = found.where(TrainingProject.training_type == training_type)
    return [
        project
        for project in found.order_by(TrainingProject.id.desc())
        if county in ("", *project.counties)
        and (not trade or any(trade in t["name"] for t in project.trades))
    ]


def is_public(project: TrainingProject) -> bool:
    """Whether everyone may see it: it is on notice, or was announced at some time."""
    return project.status in ("noticed", "announced") or project.announced_on is not None


def projects_carried_by(organisation_id: UUID | None) -> list[UUID]:
    """The ids of the public projects that the base of this organisation carries out."""
    carried = ProjectBase.select(ProjectBase.project).join(Base).where(Base.organisation == organisation_id)
    return [
        found.id
        for found in TrainingProject.select().where(TrainingProject.id.in_(carried))
        if is_public(found)
    ]


def public_ids_for(division_code: str) -> list[UUID]:
    """The ids of the public projects that are carried out in this county, whoever planned them."""
    return [
        found.id for found in TrainingProject.select() if is_public(found) and division_code in found.counties
    ]
