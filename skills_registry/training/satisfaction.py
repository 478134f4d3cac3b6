"""Trainee satisfaction (学员满意度): a few plain questions with three faces, asked by a slip of paper.

Every trainee gets a slip with a code. Whoever has the slip answers once, alone or with a helper. An
answer keeps no trainee, no code, no time and no address, so nobody can tell whose it is; a code only
knows that it was used. What came of it is shown when the time to answer is over, and only where enough
people answered: before that, one more answer could be told from the difference.

A code is computed from the ticket and a key that lies outside the database. So slips can be drawn again,
and whoever reads the database cannot answer for anybody.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from peewee import BooleanField, DateField, ForeignKeyField, IntegerField, JSONField, ModelSelect

from skills_registry.foundation.acts import Act, require_role
from skills_registry.foundation.errors import FieldRefused, NotFound, RuleBroken
from skills_registry.foundation.lifecycle import note
from skills_registry.foundation.policy import Policy, Rule
from skills_registry.foundation.privacy import Vault
from skills_registry.foundation.storage import BytesField, Record, database, new_id
from skills_registry.training.classes import RUNNING, TRAINING_CLASS, TrainingClass
from skills_registry.training.enrolments import Enrolment, roster

#: States of a class in which its trainees can be asked.
_ASKED_IN = (*RUNNING, "approved")

#: Letters of a code, without those that are taken for another one (Crockford's alphabet).
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RFC_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_MISREAD = str.maketrans("OIL", "011")
_CODE_LENGTH = 12


class SatisfactionSurvey(Record):
    """The asking of one class: answers are taken from ``opens_on`` to ``closes_on``.

    Nothing is shown of fewer than ``least_answers``.
    """

    training_class = ForeignKeyField(TrainingClass, unique=True, on_delete="RESTRICT")
    opens_on = DateField()
    closes_on = DateField()
    least_answers = IntegerField()
    training_class_id: UUID
    tickets: ModelSelect[SatisfactionTicket]
    answers: ModelSelect[SatisfactionAnswer]


class SatisfactionTicket(Record):
    """One trainee's slip; ``code_index`` is the blind index of its code, ``used`` that somebody answered."""

    survey = ForeignKeyField(SatisfactionSurvey, backref="tickets", on_delete="RESTRICT")
    enrolment = ForeignKeyField(Enrolment, unique=True, on_delete="RESTRICT")
    code_index = BytesField(unique=True)
    used = BooleanField(default=False)
    survey_id: UUID
    enrolment_id: UUID


class SatisfactionAnswer(Record):
    """One answer: ``faces`` by question, how many were ``given`` and their ``points`` (100 each at best).

    Its id is random and tells no time, unlike those of other records.
    """

    survey = ForeignKeyField(SatisfactionSurvey, backref="answers", on_delete="RESTRICT")
    faces = JSONField()
    given = IntegerField()
    points = IntegerField()
    helped = BooleanField()


@dataclass(frozen=True)
class QuestionTally:
    """One question and how many gave which face."""

    code: str
    zh: str
    en: str
    counts: Mapping[str, int]


@dataclass(frozen=True)
class Tally:
    """What came of a survey. ``percent`` (of all points) and ``questions`` are empty while nothing may be shown."""

    survey: SatisfactionSurvey
    slips: int
    answers: int
    helped: int | None
    percent: Decimal | None
    questions: Sequence[QuestionTally]


class NobodyToAsk(RuleBroken):
    """The class has no trainees, or is not running yet."""

    code = "nobody_to_ask"
    zh = "本班尚未开班或没有在班学员，不能印制满意度纸条。"
    en = "The class is not open or has no trainees, so there is nobody to ask."


class AlreadyAnswered(RuleBroken):
    """The code was used."""

    code = "already_answered"
    zh = "这张纸条已经用过了，谢谢您。"
    en = "This slip has been used already. Thank you."


class NotTheTime(RuleBroken):
    """Facts: ``opens_on``, ``closes_on``."""

    code = "not_the_time"
    zh = "请在{opens_on}至{closes_on}之间回答。"
    en = "Please answer between {opens_on} and {closes_on}."


class QuestionsLeft(FieldRefused):
    """Facts: ``missing``, the codes of questions without a face."""

    code = "questions_left"
    zh = "还有问题没有回答，请每题选一个。"
    en = "Some questions have no answer yet; please choose one for each."


def rule_of(policy: Policy, training_class: TrainingClass) -> Rule:
    """The questions and periods that held on the class's first day."""
    return policy.rule("satisfaction", training_class.starts_on)


def require_may_ask(act: Act, training_class: TrainingClass) -> None:
    """Whoever hands out the slips could answer them: the policy says whose roles may.

    :raises NotAllowed: the caller's is none of them.
    """
    require_role(act, *rule_of(act.policy, training_class)["asked_by"])


def require_open(act: Act, survey: SatisfactionSurvey) -> None:
    """:raises NotTheTime: answers are not taken yet, or no more."""
    if not survey.opens_on <= act.today <= survey.closes_on:
        raise NotTheTime(opens_on=survey.opens_on.isoformat(), closes_on=survey.closes_on.isoformat())


def ask_trainees(act: Act, training_class: TrainingClass) -> SatisfactionSurvey:
    """Give every trainee of a class a code; those who have one keep it, so it may be asked again.

    :raises NotAllowed: the policy lets others ask.
    :raises NobodyToAsk: the class is not running, or nobody is in it.
    """
    require_may_ask(act, training_class)
    trainees: list[Enrolment] = roster(training_class) if training_class.status in _ASKED_IN else []
    if not trainees:
        raise NobodyToAsk()
    with database.atomic():
        survey = _survey(act, training_class)
        known = {ticket.enrolment_id for ticket in survey.tickets}
        fresh = [enrolment for enrolment in trainees if enrolment.id not in known]
        for enrolment in fresh:
            _give_ticket(act.vault, survey, enrolment)
        note(
            act,
            TRAINING_CLASS.noun,
            training_class.id,
            "ask_satisfaction",
            detail={"slips": len(known) + len(fresh), "new": len(fresh)},
        )
    return survey


def _survey(act: Act, training_class: TrainingClass) -> SatisfactionSurvey:
    """The survey of a class; its days follow the class's until somebody has answered."""
    rule = rule_of(act.policy, training_class)
    days = {
        "opens_on": training_class.ends_on - timedelta(days=rule["opens_days_before_end"]),
        "closes_on": training_class.ends_on + timedelta(days=rule["closes_days_after_end"]),
    }
    least = rule["least_answers"]
    SatisfactionSurvey.insert(
        id=new_id(), training_class=training_class, least_answers=least, **days
    ).on_conflict_ignore().execute()
    survey: SatisfactionSurvey = SatisfactionSurvey.get(
        SatisfactionSurvey.training_class == training_class.id
    )
    if not survey.answers.exists():
        SatisfactionSurvey.update(**days).where(SatisfactionSurvey.id == survey.id).execute()
    return SatisfactionSurvey.get_by_id(survey.id)


def _give_ticket(vault: Vault, survey: SatisfactionSurvey, enrolment: Enrolment) -> None:
    key = new_id()
    index = vault.index("satisfaction_ticket", _code_of(vault, key))
    SatisfactionTicket.create(id=key, survey=survey, enrolment=enrolment, code_index=index)


def _code_of(vault: Vault, ticket_id: UUID) -> str:
    # Sixty bits under a key outside the database: beyond guessing, and short enough to type.
    text = base64.b32encode(vault.index("satisfaction_code", ticket_id.hex)).decode()
    return text[:_CODE_LENGTH].translate(str.maketrans(_RFC_LETTERS, _LETTERS))


def answer(act: Act, code: str, faces: Mapping[str, str], *, helped: bool) -> None:
    """Take the one answer of a code; nothing is kept of who gave it or when.

    :raises NotFound: there is no such code.
    :raises NotTheTime: answers are not taken yet, or no more.
    :raises QuestionsLeft: a question has no face, or an unknown one.
    :raises AlreadyAnswered: the code was used.
    """
    ticket = ticket_of(act.vault, code)
    survey = ticket.survey
    require_open(act, survey)
    if ticket.used:
        raise AlreadyAnswered()
    rule = rule_of(act.policy, survey.training_class)
    worth = {face["code"]: int(face["percent"]) for face in rule["faces"]}
    asked = [question["code"] for question in rule["questions"]]
    missing = [question for question in asked if faces.get(question) not in worth]
    if missing:
        raise QuestionsLeft(field=missing[0], missing=missing)
    chosen = {question: faces[question] for question in asked}
    with database.atomic():
        free = (SatisfactionTicket.id == ticket.id) & ~SatisfactionTicket.used
        if SatisfactionTicket.update(used=True).where(free).execute() != 1:
            raise AlreadyAnswered()
        SatisfactionAnswer.create(
            id=uuid4(),
            survey=survey,
            faces=chosen,
            given=len(chosen),
            points=sum(worth[face] for face in chosen.values()),
            helped=helped,
        )


def ticket_of(vault: Vault, code: str) -> SatisfactionTicket:
    """The ticket of a code as somebody typed it: blanks, dashes, case and look-alike letters do not matter.

    :raises NotFound: there is none, or its trainee has left the class.
    """
    index = vault.index("satisfaction_ticket", plain_code(code))
    found: SatisfactionTicket | None = (
        SatisfactionTicket.select(SatisfactionTicket, SatisfactionSurvey, TrainingClass)
        .join(SatisfactionSurvey)
        .join(TrainingClass)
        .switch(SatisfactionTicket)
        .join(Enrolment)
        .where((SatisfactionTicket.code_index == index) & (Enrolment.status == "enrolled"))
        .get_or_none()
    )
    if found is None:
        raise NotFound()
    return found


def plain_code(text: str) -> str:
    """A typed code without blanks and dashes, in capitals, look-alike letters as digits; cut where it is too long."""
    letters = (letter for letter in text.upper() if letter.isascii() and letter.isalnum())
    return "".join(letters).translate(_MISREAD)[: 2 * _CODE_LENGTH]


def survey_of(training_class: TrainingClass) -> SatisfactionSurvey | None:
    """The survey of a class, or None where nobody was asked."""
    return SatisfactionSurvey.get_or_none(SatisfactionSurvey.training_class == training_class.id)


def codes_of(vault: Vault, survey: SatisfactionSurvey) -> list[str]:
    """The codes of everyone still in the class, in the order of the codes: it tells nobody's place."""
    tickets = (
        survey.tickets.select(SatisfactionTicket.id).join(Enrolment).where(Enrolment.status == "enrolled")
    )
    return sorted(_code_of(vault, ticket.id) for ticket in tickets)


def tally(policy: Policy, survey: SatisfactionSurvey, on: date) -> Tally:
    """What came of a survey: counts by question and the share of all points, when it may be shown."""
    given: list[SatisfactionAnswer] = list(survey.answers)
    slips = survey.tickets.count()
    if on <= survey.closes_on or len(given) < survey.least_answers:
        return Tally(survey, slips, len(given), None, None, ())
    points, answers = sum(row.points for row in given), sum(row.given for row in given)
    percent = (Decimal(points) / Decimal(answers)).quantize(Decimal("0.01"))
    helped = sum(1 for row in given if row.helped)
    return Tally(survey, slips, len(given), helped, percent, _by_question(policy, survey, given))


def _by_question(
    policy: Policy, survey: SatisfactionSurvey, given: Sequence[SatisfactionAnswer]
) -> list[QuestionTally]:
    rule: Mapping[str, Any] = rule_of(policy, survey.training_class)
    faces = [face["code"] for face in rule["faces"]]
    tallies = []
    for question in rule["questions"]:
        counted = Counter(row.faces.get(question["code"]) for row in given)
        counts = {face: counted[face] for face in faces}
        tallies.append(QuestionTally(question["code"], question["zh"], question["en"], counts))
    return tallies
