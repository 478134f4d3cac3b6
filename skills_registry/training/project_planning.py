"""Planning a project (培训项目申报): drafted, put on public notice, announced, or taken back.

The county plans for itself, the city for all. Nobody announces what they drafted, changed or published,
and nobody who works for a base decides about a project that this base carries out. Every base of a
project must be listed, and every trade within the scope of one of them, before the public is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from skills_registry import notices
from skills_registry.bases import Base, OccupationOutOfScope, listing_on, require_in_scope
from skills_registry.bases.entries import ChangedMeanwhile
from skills_registry.bases.parties import require_outsider
from skills_registry.foundation import workdays
from skills_registry.foundation.acts import Act, Role, require_role
from skills_registry.foundation.dues import Due
from skills_registry.foundation.errors import FieldRefused, NotAllowed, RuleBroken, SeparationOfDuties
from skills_registry.foundation.identifiers import division_name
from skills_registry.foundation.levels import level
from skills_registry.foundation.lifecycle import begin, move, note, people_in
from skills_registry.foundation.policy import Policy
from skills_registry.foundation.storage import database
from skills_registry.notices import Notice
from skills_registry.training.projects import (
    LONGEST_GROUP,
    LONGEST_TITLE,
    TRAINING_PROJECT,
    TRAINING_TYPES,
    WITHOUT_OCCUPATION,
    ProjectBase,
    TrainingProject,
    bases_of,
    funding_sources,
    place,
    trade_text,
)

#: What is due of a project, in words, and who answers objections to it.
_ENDS = ("公示期满", "the public notice ends")
_ANSWER = ("答复异议", "answer the objection")
_ANNOUNCE = ("公布培训项目", "announce the training project")
_ANSWERED_BY: tuple[Role, ...] = ("county_officer", "city_officer")

#: What a notice about a project calls its subject.
SUBJECT = "project"


@dataclass(frozen=True)
class Plan:
    """What an officer plans; the columns are those of :class:`TrainingProject`, ``bases`` carry it out."""

    year: int
    title: str
    funding_source: str
    training_type: str
    target_group: str
    planned_people: int
    planned_hours: int
    budget: int
    counties: Sequence[str]
    bases: Sequence[Base]
    trades: Sequence[Mapping[str, str]] = ()
    pass_mark: int | None = None
    attendance_percent: int | None = None


class ProjectChangedMeanwhile(ChangedMeanwhile):
    """Facts: ``version``."""

    code = "project_changed_meanwhile"
    zh = "项目刚刚被他人修改（现为第{version}版），请重新读取后再改。"
    en = "The project was changed meanwhile (it is version {version} now); load it again before changing it."


class CarrierNotListed(RuleBroken):
    """Facts: ``base``, ``on``."""

    code = "project_base_not_listed"
    zh = "承训基地“{base}”在{on}未挂牌，请从项目中去掉，或待其挂牌后再公示。"
    en = "The base '{base}' is not listed on {on}; take it out of the project, or wait until it is."


class TradeWithoutBase(RuleBroken):
    """Facts: ``occupation``."""

    code = "project_trade_without_base"
    zh = "没有一家承训基地的挂牌范围含“{occupation}”及其等级，请增加基地或去掉该职业。"
    en = (
        "No base of the project is listed for '{occupation}' at this level; add a base or take the trade out."
    )


class ProjectObjectionUpheld(RuleBroken):
    """An objection to the project's notice was upheld."""

    code = "project_objection_upheld"
    zh = "公示期间有异议成立，不能公布；请修改项目后重新公示，或撤销项目。"
    en = "An objection was upheld: mend the project and put it on notice again, or withdraw it."


def require_division(act: Act, project: TrainingProject) -> None:
    """:raises NotAllowed: the project is not of the caller's division."""
    if not act.by.covers(project.division_code):
        raise NotAllowed()


def _require_sound(act: Act, plan: Plan) -> None:
    words = {"title": (plan.title, LONGEST_TITLE), "target_group": (plan.target_group, LONGEST_GROUP)}
    rule = act.policy.rule("pass_rule", act.today)
    wrong = {
        **{field: not text.strip() or len(text) > longest for field, (text, longest) in words.items()},
        "year": not act.today.year - 1 <= plan.year <= act.today.year + 2,
        "funding_source": plan.funding_source not in funding_sources(act.policy, act.today),
        "training_type": plan.training_type not in TRAINING_TYPES,
        "planned_people": plan.planned_people < 1,
        "planned_hours": plan.planned_hours < 1,
        "budget": plan.budget < 0,
        "pass_mark": not 1 <= (plan.pass_mark or 1) <= rule["full_mark"] or plan.pass_mark == 0,
        "attendance_percent": plan.attendance_percent is not None and not 1 <= plan.attendance_percent <= 100,
        "counties": not _are_known(act, plan.counties),
        "bases": not plan.bases or not {b.division_code for b in plan.bases} <= set(plan.counties),
        "trades": not _are_sound(plan),
    }
    for field, is_wrong in wrong.items():
        if is_wrong:
            raise FieldRefused(field=field)


def _are_known(act: Act, counties: Sequence[str]) -> bool:
    known = all(division_name(code) and act.by.covers(code) for code in counties)
    return bool(counties) and known and len(set(counties)) == len(counties)


def _are_sound(plan: Plan) -> bool:
    for trade in plan.trades:
        level(trade["level"])
    named = {(trade["edition"], trade["code"], trade["level"]) for trade in plan.trades}
    without = not plan.trades and plan.training_type not in WITHOUT_OCCUPATION
    return not without and len(named) == len(plan.trades)


def _columns(plan: Plan) -> dict[str, Any]:
    columns = {name: value for name, value in vars(plan).items() if name != "bases"}
    return columns | {
        "title": plan.title.strip(),
        "target_group": plan.target_group.strip(),
        "counties": list(plan.counties),
        "trades": [{name: t[name] for name in ("edition", "code", "name", "level")} for t in plan.trades],
    }


def draft(act: Act, plan: Plan) -> TrainingProject:
    """Draft a project of the caller's division; nobody outside the federation sees it yet.

    :raises NotAllowed: the caller is no officer.
    :raises FieldRefused: a figure, code or place is wrong, or a base lies in none of the counties.
    """
    require_role(act, "county_officer", "city_officer")
    _require_sound(act, plan)
    with database.atomic():
        project = TrainingProject.create(
            division_code=act.by.division_code, drafted_at=act.at, **_columns(plan)
        )
        _write_bases(project, plan)
        begin(act, TRAINING_PROJECT, project, "draft", detail={"version": 1})
    return project


def rewrite(act: Act, project: TrainingProject, plan: Plan, *, version: int) -> TrainingProject:
    """Write a draft anew; ``version`` is the one that the writer saw.

    :raises NotAllowed: the project is not of the caller's division.
    :raises FieldRefused: as when it was drafted.
    :raises WrongState: it is no draft.
    :raises ProjectChangedMeanwhile: it has another version by now.
    """
    require_role(act, "county_officer", "city_officer")
    require_division(act, project)
    _require_sound(act, plan)
    table = TrainingProject
    with database.atomic():
        seen = (table.id == project.id) & (table.status == "draft") & (table.version == version)
        written = table.update(version=version + 1, **_columns(plan)).where(seen).execute()
        now = table.get_by_id(project.id)
        if now.status != "draft":
            raise TRAINING_PROJECT.refusal(now.status, "mend")
        if written != 1:
            raise ProjectChangedMeanwhile(version=now.version)
        _write_bases(now, plan)
        note(act, TRAINING_PROJECT.noun, project.id, "rewrite", detail={"version": now.version})
    return now


def _write_bases(project: TrainingProject, plan: Plan) -> None:
    ProjectBase.delete().where(ProjectBase.project == project.id).execute()
    for base in {base.id: base for base in plan.bases}.values():
        ProjectBase.create(project=project, base=base)


def publish(
    act: Act, project: TrainingProject, *, title: str, text: str, working_days: int | None = None
) -> Notice:
    """Put a draft on public notice (公示), for the policy's number of working days or more.

    :raises NotAllowed: the project is not of the caller's division.
    :raises OwnBase: the caller works for a base that would carry it out.
    :raises CarrierNotListed, TradeWithoutBase: it could not be carried out.
    :raises NoticeTooShort: the days are fewer than the policy's.
    :raises ProjectChangedMeanwhile: it was written anew since it was read.
    :raises WrongState: it is no draft.
    """
    require_division(act, project)
    _require_feasible(act, project)
    days = working_days or act.policy.rule("training_project", act.today)["notice_working_days"]
    with database.atomic():
        move(act, TRAINING_PROJECT, project, "publish", detail={"version": project.version})
        _require_unchanged(project)
        project.notice = notices.publish(
            act,
            subject=SUBJECT,
            subject_id=project.id,
            title=title,
            text=text,
            working_days=days,
            division_code=project.division_code,
        )
        project.save(only=[TrainingProject.notice])
    return project.notice


def _require_feasible(act: Act, project: TrainingProject) -> None:
    carriers = bases_of(project)
    listings = [(base, listing_on(base.id, act.today)) for base in carriers]
    for base, listing in listings:
        require_outsider(act, base)
        if listing is None:
            raise CarrierNotListed(base=base.public_name, on=act.today)
    for trade in project.trades:
        if not any(_covers(listing, trade) for _, listing in listings):
            raise TradeWithoutBase(occupation=trade["name"])


def _require_unchanged(project: TrainingProject) -> None:
    # What the public reads and what was checked must be what is on record.
    now = TrainingProject.get_by_id(project.id).version
    if now != project.version:
        raise ProjectChangedMeanwhile(version=now)


def _covers(listing: Any, trade: Mapping[str, str]) -> bool:
    try:
        require_in_scope(listing, trade["edition"], trade["code"], trade["level"], name=trade["name"])
    except OccupationOutOfScope:
        return False
    return True


def mend(act: Act, project: TrainingProject, reason: str) -> TrainingProject:
    """Take a noticed project back to be changed, and its notice down; it must be noticed anew.

    :raises NotAllowed: the project is not of the caller's division.
    :raises WrongState: it is not on notice.
    """
    return _leave_notice(act, project, "mend", reason)


def withdraw(act: Act, project: TrainingProject, reason: str) -> TrainingProject:
    """Withdraw a project; classes that were filed under it go on, and no new ones are filed.

    :raises NotAllowed: the project is not of the caller's division, or announced and not the city's to undo.
    :raises WrongState: it is withdrawn already.
    """
    return _leave_notice(act, project, "withdraw", reason)


def _leave_notice(act: Act, project: TrainingProject, action: str, reason: str) -> TrainingProject:
    require_division(act, project)
    if not reason.strip():
        raise FieldRefused(field="reason")
    was_noticed = project.status == "noticed"
    with database.atomic():
        move(act, TRAINING_PROJECT, project, action, reason=reason)
        if was_noticed and project.notice is not None and project.notice.status == "open":
            notices.withdraw(act, project.notice, reason)
    return project


def announce(act: Act, project: TrainingProject) -> TrainingProject:
    """The city announces a project whose notice is over; from now on classes can be filed under it.

    :raises NotAllowed: the project is not of the caller's division.
    :raises SeparationOfDuties: the caller drafted, changed or published it, or works for one of its bases.
    :raises NoticeRunning, ObjectionsUnanswered: see :func:`notices.require_over_and_answered`.
    :raises ProjectObjectionUpheld: an objection was upheld.
    :raises WrongState: it is not on notice.
    """
    require_division(act, project)
    if TRAINING_PROJECT.find("announce", project.status) is None:
        raise TRAINING_PROJECT.refusal(project.status, "announce")
    if act.by.operator_id in people_in([project.id], "draft", "rewrite", "publish"):
        raise SeparationOfDuties()
    for base in bases_of(project):
        require_outsider(act, base)
    notice: Notice = project.notice  # type: ignore[assignment]  # a noticed project has one
    notices.require_over_and_answered(act, notice)
    if notices.upheld(notice):
        raise ProjectObjectionUpheld()
    with database.atomic():
        move(act, TRAINING_PROJECT, project, "announce")
        project.announced_on = act.today
        project.save(only=[TrainingProject.announced_on])
    return project


def notice_text(act: Act, project: TrainingProject) -> tuple[str, str]:
    """Title and text of a notice as the project's own facts give them, in Chinese; names organisations only."""
    trades = "、".join(map(trade_text, project.trades)) or "课程类培训（不限职业）"
    lines = (
        f"项目名称：{project.title}",
        f"培训类型：{TRAINING_TYPES[project.training_type][0]}",
        f"培训职业（工种）：{trades}",
        f"培训对象：{project.target_group}",
        f"计划人数：{project.planned_people}人；每班课时：{project.planned_hours}课时",
        f"资金来源：{funding_sources(act.policy, act.today)[project.funding_source][0]}；预算：{project.budget}元",
        f"实施县区：{'、'.join(map(place, project.counties))}",
        f"承训基地：{'、'.join(base.public_name for base in bases_of(project))}",
    )
    return f"关于{project.year}年度“{project.title}”培训项目的公示", "\n".join(lines)


def deadlines(policy: Policy, today: date, base_ids: set[UUID]) -> Iterator[Due]:
    """The end of each project's notice, the objections that await an answer, the announcement that follows."""
    noticed = TrainingProject.select().where(TrainingProject.status == "noticed")
    for project in noticed.order_by(TrainingProject.id):
        # A deadline is told with a base that it concerns; of a project's bases the first stands for all.
        base = next((base.id for base in bases_of(project) if base.id in base_ids), None)
        if base is None or project.notice is None:
            continue
        last = notices.deadline_of(project.notice, policy)
        if today <= last.day:
            yield Due("notice_ends", *_ENDS, project.notice.id, base, last, ("public",))
        for objection in notices.unanswered(project.notice):
            answer_by = notices.answer_deadline(objection, policy)
            yield Due("objection_answer", *_ANSWER, objection.id, base, answer_by, _ANSWERED_BY)
        if today > last.day:
            days = policy.rule("training_project", last.day)["announcement_working_days"]
            announced_by = workdays.after(last.day, days, policy)
            yield Due("project_announcement", *_ANNOUNCE, project.id, base, announced_by, ("city_officer",))
