"""Sittings (考试场次): who sat, who was absent, who resits, and which sitting a result belongs to.

When a sitting is held, everyone who was due is on record as there, absent or excused. A results sheet
sent afterwards belongs, person by person, to the last sitting in which they were due: what an absent
person scored there is an error, everything else that looks odd is a warning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from peewee import CharField, ForeignKeyField

from skills_registry.bases.parties import require_own_base
from skills_registry.foundation import workdays
from skills_registry.foundation.acts import Act
from skills_registry.foundation.dues import Due
from skills_registry.foundation.errors import FieldRefused, RuleBroken
from skills_registry.foundation.lifecycle import move, note
from skills_registry.foundation.policy import Policy
from skills_registry.foundation.problems import Problem
from skills_registry.foundation.storage import Record, database
from skills_registry.training.assessments import (
    ASSESSMENT,
    Assessment,
    examiners_of,
    require_another_examiner,
    standing,
    trace,
)
from skills_registry.training.classes import WITH_THE_BASE, TrainingClass, hold, require_with_base
from skills_registry.training.enrolments import Enrolment, Result, roster
from skills_registry.training.pass_rules import pass_rule_of

#: How somebody who was due was there.
PRESENCES: dict[str, tuple[str, str]] = {
    "sat": ("参加考核", "sat the assessment"),
    "absent": ("缺考", "absent"),
    "excused": ("请假", "excused"),
}


class Candidate(Record):
    """Somebody due at a sitting (考生), and whether they were there."""

    assessment = ForeignKeyField(Assessment, backref="candidates", on_delete="RESTRICT")
    enrolment = ForeignKeyField(Enrolment, backref="sittings", on_delete="RESTRICT")
    presence = CharField(max_length=10)
    assessment_id: UUID
    enrolment_id: UUID

    class Meta:
        indexes = ((("assessment", "enrolment"), True),)


class NotYetHeld(RuleBroken):
    """Facts: ``held_until``."""

    code = "assessment_not_yet"
    zh = "考核安排在{held_until}结束，之后才能登记。"
    en = "The sitting ends on {held_until}; record it from that day on."


class NobodyDue(RuleBroken):
    """Nobody is due at this sitting."""

    code = "nobody_due"
    zh = "没有需要参加本次考核的学员：首次考核须有在班学员，补考须有不合格或缺考的学员。"
    en = "Nobody is due: a first sitting needs trainees, a resit somebody who failed or was absent."


class ResultOnRecord(RuleBroken):
    """The trainee has a result with scores from this sitting."""

    code = "result_on_record"
    zh = "该学员已登记本次考核的成绩，请先更正成绩。"
    en = "A result of this sitting is on record for this trainee; correct the result first."


def require_own_candidates(due: Mapping[UUID, Enrolment], named: Mapping[UUID, str]) -> None:
    """:raises FieldRefused: somebody named is not due, or their presence is no known word."""
    if not set(named) <= set(due) or not set(named.values()) <= set(PRESENCES):
        raise FieldRefused(field="presences")


def hold_assessment(act: Act, assessment: Assessment, presences: Mapping[UUID, str]) -> Assessment:
    """Record that a sitting was held; ``presences`` names by enrolment who did not simply sit it.

    :raises ClassClosed: the class is not with the base.
    :raises NotYetHeld: its last day has not come.
    :raises OnlyOwnTeacher: the timetable has changed, and its only teacher would have examined alone.
    :raises NobodyDue: nobody is due.
    :raises FieldRefused: somebody named is not due.
    :raises WrongState: it is held or called off.
    """
    training_class = assessment.training_class
    require_own_base(act, training_class.base)
    require_with_base(training_class)
    if act.today < assessment.held_until:
        raise NotYetHeld(held_until=assessment.held_until.isoformat())
    require_another_examiner(act.vault, training_class, examiners_of(act.vault, assessment))
    with database.atomic():
        move(act, ASSESSMENT, assessment, "hold")
        hold(training_class)
        due = {enrolment.id: enrolment for enrolment in due_at(act, assessment)}
        if not due:
            raise NobodyDue()
        require_own_candidates(due, presences)
        for key in due:
            Candidate.create(assessment=assessment, enrolment=key, presence=presences.get(key, "sat"))
        trace(act, assessment, "hold_assessment")
    return assessment


def correct_presence(
    act: Act, assessment: Assessment, enrolment_id: UUID, presence: str, reason: str
) -> Candidate:
    """Correct whether somebody sat, with a reason; old and new stay as a trace.

    :raises ClassClosed: the class is not with the base.
    :raises FieldRefused: they were not due, the word is unknown, or there is no reason.
    :raises ResultOnRecord: scores of this sitting are on record for somebody who is to become absent.
    """
    training_class = assessment.training_class
    require_with_base(training_class)
    candidate: Candidate | None = Candidate.get_or_none(
        (Candidate.assessment == assessment.id) & (Candidate.enrolment == enrolment_id)
    )
    if candidate is None or presence not in PRESENCES or not reason.strip():
        raise FieldRefused(
            field="enrolment_id" if candidate is None else "presence" if reason.strip() else "reason"
        )
    with database.atomic():
        hold(training_class)
        if presence != "sat" and _has_scores(candidate):
            raise ResultOnRecord()
        detail = {"enrolment": str(enrolment_id), "from": candidate.presence, "to": presence}
        candidate.presence = presence
        candidate.save(only=[Candidate.presence])
        note(act, ASSESSMENT.noun, assessment.id, "correct_presence", reason=reason, detail=detail)
        trace(act, assessment, "correct_presence")
    return candidate


def _has_scores(candidate: Candidate) -> bool:
    result = Result.get_or_none(
        (Result.enrolment == candidate.enrolment_id)
        & (Result.assessment == candidate.assessment_id)
        & Result.current
    )
    return result is not None and any(score is not None for score in result.scores.values())


def due_at(act: Act, assessment: Assessment) -> list[Enrolment]:
    """Who is due at a planned sitting: everyone at the first, at a resit who failed a paper or was not there."""
    training_class = assessment.training_class
    enrolled: list[Enrolment] = roster(training_class)
    if assessment.sitting == 1:
        return enrolled
    waiting = _waiting_for_result(training_class)
    mark = pass_rule_of(act, training_class).pass_mark
    return [
        enrolment
        for enrolment in enrolled
        if enrolment.id not in waiting and not passed_every_paper(enrolment.result, mark)
    ]


def passed_every_paper(result: Result | None, mark: Decimal) -> bool:
    """Whether nothing is left to resit: who lacks only hours gains nothing by another exam."""
    return result is not None and all(
        score is not None and Decimal(score) >= mark for score in result.scores.values()
    )


def _waiting_for_result(training_class: TrainingClass) -> set[UUID]:
    """Who sat the last sitting they were due at and has no result yet: no resit before the result."""
    last = last_sittings(training_class)
    results = Result.select().where(Result.enrolment.in_(list(last)) & Result.current)
    # A result that was sent before its sitting was put on record names none.
    answered = {
        result.enrolment_id
        for result in results
        if result.assessment_id in (None, last[result.enrolment_id].assessment_id)
    }
    return {key for key, candidate in last.items() if candidate.presence == "sat"} - answered


def last_sittings(training_class: TrainingClass) -> dict[UUID, Candidate]:
    """By enrolment, the last held sitting at which that person was due."""
    found = (
        Candidate.select(Candidate, Assessment)
        .join(Assessment)
        .where((Assessment.training_class == training_class.id) & (Assessment.status == "held"))
        .order_by(Assessment.sitting)
    )
    return {candidate.enrolment_id: candidate for candidate in found}


def candidates_of(assessment: Assessment) -> list[Candidate]:
    """Who was due at a held sitting, in roster order."""
    return list(
        Candidate.select(Candidate, Enrolment)
        .join(Enrolment)
        .where(Candidate.assessment == assessment.id)
        .order_by(Enrolment.roster_row, Enrolment.id)
    )


def sitting_of(enrolment: Enrolment) -> Assessment | None:
    """The sitting that a result of this trainee belongs to now: the last held one at which they were due."""
    candidate = _last_of(enrolment)
    return None if candidate is None else candidate.assessment


def _last_of(enrolment: Enrolment) -> Candidate | None:
    found: Candidate | None = (
        Candidate.select(Candidate, Assessment)
        .join(Assessment)
        .where((Candidate.enrolment == enrolment.id) & (Assessment.status == "held"))
        .order_by(Assessment.sitting.desc())
        .first()
    )
    return found


def doubts_about_result(
    training_class: TrainingClass, enrolment: Enrolment, scores: Mapping[str, Decimal | None]
) -> list[Problem]:
    """What a trainee's scores say against the sittings on record; nothing where the class has none."""
    candidate = _last_of(enrolment)
    if candidate is None:
        return _doubts_without_sitting(training_class)
    earlier = Result.get_or_none((Result.enrolment == enrolment.id) & Result.current)
    before = earlier.scores if earlier is not None else {}
    changed = [code for code, score in scores.items() if _written(score) != before.get(code)]
    return [*_doubts_about_presence(candidate, scores, changed), *_not_examined(candidate, before, changed)]


def _doubts_without_sitting(training_class: TrainingClass) -> list[Problem]:
    states = {assessment.status for assessment in standing(training_class)}
    if "held" in states:
        return [Problem("not_due_at_sitting", "citizen_id")]
    return [Problem("assessment_not_held", "citizen_id")] if states else []


def _doubts_about_presence(
    candidate: Candidate, scores: Mapping[str, Decimal | None], changed: list[str]
) -> list[Problem]:
    examined = [code for code in candidate.assessment.papers if code in scores]
    facts: dict[str, str | int | float] = {"sitting": candidate.assessment.sitting}
    if candidate.presence == "sat":
        blank = bool(examined) and all(scores[code] is None for code in examined)
        return [Problem("sat_without_score", "citizen_id", facts)] if blank else []
    scored = any(code in changed and scores[code] is not None for code in examined)
    return [Problem("absent_with_score", "citizen_id", facts)] if scored else []


def _not_examined(candidate: Candidate, before: Mapping[str, Any], changed: list[str]) -> list[Problem]:
    outside = [code for code in changed if code not in candidate.assessment.papers]
    if not before or not outside:
        return []
    papers = candidate.assessment.training_class.papers
    names = "、".join(papers.get(code, code) for code in outside)
    return [
        Problem(
            "paper_not_examined", "citizen_id", {"papers": names, "sitting": candidate.assessment.sitting}
        )
    ]


def _written(score: Decimal | None) -> str | None:
    return None if score is None else str(score)


def is_assessed(training_class: TrainingClass) -> bool:
    """Whether a sitting of the class is on record as held."""
    return bool(standing(training_class).where(Assessment.status == "held").exists())


def never_sat(training_class: TrainingClass) -> list[Enrolment]:
    """Trainees with a score who sat no sitting that is on record, in roster order; nobody where none is."""
    if not is_assessed(training_class):
        return []
    last = Candidate.select(Candidate.enrolment).join(Assessment).where(Candidate.presence == "sat")
    sat = {one.enrolment_id for one in last.where(Assessment.training_class == training_class.id)}
    return [
        enrolment
        for enrolment in roster(training_class)
        if enrolment.id not in sat
        and enrolment.result is not None
        and any(score is not None for score in enrolment.result.scores.values())
    ]


def deadlines(policy: Policy, today: date, known: Iterable[UUID]) -> Iterator[Due]:
    """Sittings whose last day is past and which nobody has put on record."""
    past = (
        Assessment.select(Assessment, TrainingClass)
        .join(TrainingClass)
        .where((Assessment.status == "planned") & (Assessment.held_until < today))
        .where(TrainingClass.base.in_(list(known)) & TrainingClass.status.in_(WITH_THE_BASE))
        .order_by(Assessment.id)
    )
    for assessment in past:
        training_class = assessment.training_class
        days = policy.rule("assessment", training_class.starts_on)["outcome_working_days"]
        last = workdays.after(assessment.held_until, days, policy)
        words = ("登记考核情况", "put the sitting on record")
        yield Due("assessment_outcome", *words, assessment.id, training_class.base_id, last, ("base_clerk",))
