"""Assessments (结业考核): when and where a class is examined, in which papers, and by whom.

The base tells of a sitting before it is held; late is listed and not refused. Whoever taught a class
alone does not alone judge it: one examiner at least is somebody else. The first sitting is for everyone;
a resit (补考) is for those who failed a paper or were not there. Who sat, who was absent and what a
results sheet means for which sitting stands in :mod:`skills_registry.training.sittings`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from peewee import BooleanField, CharField, DateField, ForeignKeyField, IntegerField, JSONField, ModelSelect

from skills_registry.bases.entries import Teacher, entries_of, teacher_name
from skills_registry.foundation import workdays
from skills_registry.foundation.acts import Act, Role
from skills_registry.foundation.errors import FieldRefused, RuleBroken
from skills_registry.foundation.identifiers import clean_name, name_match_key
from skills_registry.foundation.lifecycle import Lifecycle, Move, begin, move, note, steps_of
from skills_registry.foundation.policy import Rule
from skills_registry.foundation.privacy import Vault
from skills_registry.foundation.problems import Problem
from skills_registry.foundation.storage import InstantField, Record, SealedField, database, new_id
from skills_registry.training.classes import (
    TRAINING_CLASS,
    WITH_THE_BASE,
    ClassClosed,
    TrainingClass,
    hold,
    told,
)
from skills_registry.training.timetable import sessions_of

_CLERK: frozenset[Role] = frozenset({"base_clerk"})
_COUNTY: frozenset[Role] = frozenset({"county_officer"})

ASSESSMENT = Lifecycle(
    noun="assessment",
    zh="结业考核",
    states={
        "planned": ("已安排", "planned"),
        "held": ("已考核", "held"),
        "called_off": ("已取消", "called off"),
    },
    moves=(
        Move("hold", "planned", "held", _CLERK),
        Move("call_off", "planned", "called_off", _CLERK | _COUNTY),
    ),
)

#: A class takes assessments from its filing on, as long as it is with the base.
_TAKES_ASSESSMENTS = ("filed", *WITH_THE_BASE)


class Assessment(Record):
    """One sitting of a class: ``sitting`` is 1 for the first and counts on for resits.

    ``held_on`` and ``held_until`` are its first and last day, ``papers`` the codes of the class's papers
    that are examined in it.
    """

    training_class = ForeignKeyField(TrainingClass, backref="assessments", on_delete="RESTRICT")
    sitting = IntegerField()
    held_on = DateField(index=True)
    held_until = DateField()
    place = CharField(max_length=120)
    papers = JSONField()
    status = CharField(max_length=20, default=ASSESSMENT.first)
    planned_at = InstantField()
    training_class_id: UUID
    examiners: ModelSelect[Examiner]


# Of a class one sitting of each number stands: the database itself holds it.
Assessment.add_index(
    Assessment.index(
        Assessment.training_class,
        Assessment.sitting,
        unique=True,
        name="assessment_standing",
        where=Assessment.status != "called_off",
    )
)


class Examiner(Record):
    """Who examines (考评员): a teacher of the base, or somebody from outside by name (sealed).

    ``standing`` is false once a change of the plan put others in their place.
    """

    assessment = ForeignKeyField(Assessment, backref="examiners", on_delete="RESTRICT")
    teacher = ForeignKeyField(Teacher, null=True, on_delete="RESTRICT")
    name = SealedField(null=True)
    organisation = CharField(max_length=120, default="")
    standing = BooleanField(default=True)
    teacher_id: UUID | None


@dataclass(frozen=True)
class Judge:
    """Who is to examine: ``teacher`` of the base's roster, or ``name`` and ``organisation`` of an outsider."""

    teacher: UUID | None = None
    name: str = ""
    organisation: str = ""


@dataclass(frozen=True)
class Plan:
    """What a base tells of a sitting; ``held_until`` and ``papers`` may be left open: one day, all papers."""

    held_on: date
    place: str
    examiners: Sequence[Judge]
    held_until: date | None = None
    papers: Sequence[str] | None = None


class OnlyOwnTeacher(RuleBroken):
    """The class's only teacher would examine it alone."""

    code = "only_own_teacher"
    zh = "本班只有这一位任课教师，不能由其一人考核，请另外安排考评员（本基地其他教师或外单位人员）。"
    en = "The only teacher of the class cannot be its only examiner; name another teacher or somebody from outside."


class SittingUnderWay(RuleBroken):
    """Facts: ``sitting``."""

    code = "sitting_under_way"
    zh = "第{sitting}次考核已安排、尚未登记结果，请先登记或取消，再安排补考。"
    en = "Sitting {sitting} is planned and not yet held; record or call it off before planning the next."


class ResitsUsedUp(RuleBroken):
    """Facts: ``most``."""

    code = "resits_used_up"
    zh = "补考次数已用完（最多{most}次）。"
    en = "No resit is left: at most {most}."


class PlanPassed(RuleBroken):
    """The sitting is no longer only planned."""

    code = "assessment_not_planned"
    zh = "该次考核已登记或已取消，不能再改时间、地点和考评员。"
    en = "This sitting is held or called off; its day, place and examiners can no longer be changed."


def rule_of(act: Act, training_class: TrainingClass) -> Rule:
    """The rule of assessments that held on the class's first day."""
    return act.policy.rule("assessment", training_class.starts_on)


def require_takes_assessments(training_class: TrainingClass) -> None:
    """:raises ClassClosed: the class is submitted, approved or cancelled."""
    if training_class.status not in _TAKES_ASSESSMENTS:
        zh, en = TRAINING_CLASS.states[training_class.status]
        raise ClassClosed(state_zh=zh, state_en=en)


def require_another_examiner(vault: Vault, training_class: TrainingClass, judges: Sequence[Judge]) -> None:
    """Somebody examines who is not the class's only teacher; asked where the timetable names its teachers.

    :raises OnlyOwnTeacher: nobody else does; the same name as an outsider's, or entered on the roster twice,
        helps nothing.
    """
    teachers = {session.teacher_id for session in sessions_of(training_class)} - {None}
    if len(teachers) != 1:
        return
    only = teachers.pop()
    own = name_match_key(teacher_name(vault, Teacher.get_by_id(only)))
    if all(name_match_key(_name_of_judge(vault, judge)) == own for judge in judges):
        raise OnlyOwnTeacher()


def _name_of_judge(vault: Vault, judge: Judge) -> str:
    if judge.teacher is not None:
        return teacher_name(vault, Teacher.get_by_id(judge.teacher))
    return _plain(judge.name)


def _plain(name: str) -> str:
    return clean_name(name).text if name else ""


def _require_sound(act: Act, training_class: TrainingClass, plan: Plan) -> None:
    if plan.held_on < training_class.starts_on:
        raise FieldRefused(field="held_on")
    if plan.held_until is not None and plan.held_until < plan.held_on:
        raise FieldRefused(field="held_until")
    papers = list(plan.papers) if plan.papers is not None else list(training_class.papers)
    if not papers or len(set(papers)) < len(papers) or not set(papers) <= set(training_class.papers):
        raise FieldRefused(field="papers")
    if not plan.place.strip():
        raise FieldRefused(field="place")
    _require_sound_examiners(training_class, plan.examiners)
    require_another_examiner(act.vault, training_class, plan.examiners)


def _require_sound_examiners(training_class: TrainingClass, judges: Sequence[Judge]) -> None:
    roster = {teacher.id for teacher in entries_of(training_class.base, Teacher)}
    named = [judge.teacher or _plain(judge.name) for judge in judges]
    if not named or len(set(named)) < len(named):
        raise FieldRefused(field="examiners")
    for judge in judges:
        inside = judge.teacher is not None
        sound = judge.teacher in roster if inside else clean_name(judge.name).is_sound
        if not sound or inside == bool(judge.name.strip()) or inside == bool(judge.organisation.strip()):
            raise FieldRefused(field="examiners")


def plan_assessment(act: Act, training_class: TrainingClass, plan: Plan) -> tuple[Assessment, list[Problem]]:
    """Tell of the next sitting of a class; returns it with what the county should look at.

    :raises ClassClosed: the class is submitted, approved or cancelled.
    :raises FieldRefused: a day, paper, place or examiner does not fit.
    :raises OnlyOwnTeacher: the class's only teacher would examine alone.
    :raises SittingUnderWay: the sitting before it is not held yet.
    :raises ResitsUsedUp: the policy allows no further one.
    """
    require_takes_assessments(training_class)
    _require_sound(act, training_class, plan)
    with database.atomic():
        hold(training_class)
        sitting = _next_sitting(act, training_class)
        warnings = _doubts(act, training_class, plan, sitting)
        assessment = Assessment.create(
            training_class=training_class,
            sitting=sitting,
            held_on=plan.held_on,
            held_until=plan.held_until or plan.held_on,
            place=plan.place.strip(),
            papers=_in_order(training_class, plan),
            planned_at=act.at,
        )
        _appoint(act, assessment, plan.examiners)
        begin(act, ASSESSMENT, assessment, "plan", detail=told(warnings) | {"sitting": sitting})
        trace(act, assessment, "plan_assessment")
    return assessment, warnings


def _in_order(training_class: TrainingClass, plan: Plan) -> list[str]:
    chosen = training_class.papers if plan.papers is None else plan.papers
    return [code for code in training_class.papers if code in chosen]


def _next_sitting(act: Act, training_class: TrainingClass) -> int:
    last = standing(training_class).order_by(Assessment.sitting.desc()).first()
    if last is None:
        return 1
    if last.status != "held":
        raise SittingUnderWay(sitting=last.sitting)
    most = rule_of(act, training_class)["most_resits"]
    if last.sitting > most:
        raise ResitsUsedUp(most=most)
    return int(last.sitting) + 1


def _doubts(act: Act, training_class: TrainingClass, plan: Plan, sitting: int) -> list[Problem]:
    rule = rule_of(act, training_class)
    doubts = []
    due = workdays.before(plan.held_on, rule["filing_working_days"], act.policy)
    if act.today > due.day:
        facts: dict[str, str | int | float] = {
            "days": rule["filing_working_days"],
            "due": due.day.isoformat(),
        }
        doubts.append(Problem("assessment_filed_late", "held_on", facts))
    if sitting == 1 and plan.held_on < training_class.ends_on:
        facts = {"ends_on": training_class.ends_on.isoformat()}
        doubts.append(Problem("assessment_before_end", "held_on", facts))
    if len(plan.examiners) < rule["smallest_examiners"]:
        doubts.append(Problem("few_examiners", "examiners", {"least": rule["smallest_examiners"]}))
    if sitting == 1 and set(_in_order(training_class, plan)) != set(training_class.papers):
        doubts.append(Problem("papers_left_out", "papers"))
    return doubts


def _appoint(act: Act, assessment: Assessment, judges: Sequence[Judge]) -> None:
    for judge in judges:
        key = new_id()
        name = _plain(judge.name)
        Examiner.create(
            id=key,
            assessment=assessment,
            teacher=judge.teacher,
            name=act.vault.seal(Examiner.name, key, name) if name else None,
            organisation=judge.organisation.strip(),
        )


def trace(act: Act, assessment: Assessment, action: str) -> None:
    """Leave a step in the class's own history, where four eyes are counted."""
    detail = {"assessment": str(assessment.id), "sitting": assessment.sitting}
    note(act, TRAINING_CLASS.noun, assessment.training_class_id, action, detail=detail)


def change_plan(
    act: Act, assessment: Assessment, plan: Plan, reason: str
) -> tuple[Assessment, list[Problem]]:
    """Change day, place, papers or examiners of a planned sitting, with a reason; the old day stays a trace.

    :raises PlanPassed: it is held or called off.
    :raises FieldRefused: as when it was planned, or there is no reason.
    """
    training_class = assessment.training_class
    require_takes_assessments(training_class)
    if not reason.strip():
        raise FieldRefused(field="reason")
    _require_sound(act, training_class, plan)
    warnings = _doubts(act, training_class, plan, assessment.sitting)
    before = {"held_on": assessment.held_on.isoformat(), "papers": assessment.papers}
    columns: Mapping[str, Any] = {
        "held_on": plan.held_on,
        "held_until": plan.held_until or plan.held_on,
        "place": plan.place.strip(),
        "papers": _in_order(training_class, plan),
    }
    with database.atomic():
        planned = (Assessment.id == assessment.id) & (Assessment.status == "planned")
        if Assessment.update(**columns).where(planned).execute() != 1:
            raise PlanPassed()
        hold(training_class)
        Examiner.update(standing=False).where(Examiner.assessment == assessment.id).execute()
        _appoint(act, assessment, plan.examiners)
        detail = told(warnings) | {"from": before, "to": plan.held_on.isoformat()}
        note(act, ASSESSMENT.noun, assessment.id, "change_plan", reason=reason, detail=detail)
        trace(act, assessment, "change_assessment")
    return Assessment.get_by_id(assessment.id), warnings


def call_off(act: Act, assessment: Assessment, reason: str) -> Assessment:
    """Call a planned sitting off, with a reason; its number is free again.

    :raises WrongState: it is held or called off.
    """
    with database.atomic():
        move(act, ASSESSMENT, assessment, "call_off", reason=reason)
        trace(act, assessment, "call_off_assessment")
    return assessment


def doubts_about(assessment: Assessment) -> list[Problem]:
    """What was doubtful when the sitting was planned or last changed: for the officers."""
    latest = [step for step in steps_of(assessment.id) if "doubts" in step.detail][-1:]
    return [Problem(d["code"], d["field"], d["facts"]) for step in latest for d in step.detail["doubts"]]


def examiners_of(vault: Vault, assessment: Assessment) -> list[Judge]:
    """Who examines, with names in clear, in the order of their appointment."""
    standing_ones = assessment.examiners.where(Examiner.standing).order_by(Examiner.id)
    return [
        Judge(examiner.teacher_id, _name_of(vault, examiner), examiner.organisation)
        for examiner in standing_ones
    ]


def _name_of(vault: Vault, examiner: Examiner) -> str:
    if examiner.teacher is not None:
        return teacher_name(vault, examiner.teacher)
    return vault.open(Examiner.name, examiner.id, examiner.name)


def standing(training_class: TrainingClass) -> Any:
    """The sittings of a class that were not called off, as a query."""
    return Assessment.select().where(
        (Assessment.training_class == training_class.id) & (Assessment.status != "called_off")
    )


def assessments_of(training_class: TrainingClass) -> Any:
    """All sittings of a class, called off ones too, in the order of their planning, as a query."""
    return Assessment.select().where(Assessment.training_class == training_class.id).order_by(Assessment.id)
