"""Consents (知情同意): each trainee's own word that their data may be handled, with the text, the day and the means.

Disability, ID number and guardian are sensitive personal information: each trainee consents separately
(个人信息保护法 Art. 29), and a child's or a ward's guardian for them (Art. 31). Consent can be taken back at
any time, without a reason (Art. 15); what was done before stays lawful, and the trace stays. The texts are
policy, with their first day; the one in force on the day of the consent is the one that was agreed to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from peewee import CharField, DateField, ForeignKeyField

from skills_registry.foundation.acts import SHANGHAI, Act, Role
from skills_registry.foundation.errors import FieldRefused, RuleBroken
from skills_registry.foundation.lifecycle import Lifecycle, Move, begin, move, note
from skills_registry.foundation.policy import NoRuleInForce, Policy, Rule
from skills_registry.foundation.problems import Problem
from skills_registry.foundation.storage import InstantField, Record, database
from skills_registry.spreadsheets import SheetRow
from skills_registry.training.classes import TRAINING_CLASS, TrainingClass
from skills_registry.training.enrolments import Enrolment
from skills_registry.training.sheets import read_date, words_of

_HANDLERS: frozenset[Role] = frozenset({"base_clerk", "county_officer", "city_officer"})

CONSENT = Lifecycle(
    noun="consent",
    zh="知情同意",
    states={"given": ("已同意", "given"), "withdrawn": ("已撤回", "withdrawn")},
    moves=(Move("withdraw", "given", "withdrawn", _HANDLERS),),
)

#: How consent was given.
MEANS: dict[str, tuple[str, str]] = {
    "paper_signature": ("纸质签名", "signature on paper"),
    "thumbprint": ("按手印", "thumbprint"),
    "electronic": ("电子签名", "electronic signature"),
    "guardian": ("监护人代签", "signed by the guardian"),
}


#: What a sheet may say beside the names above.
_MEANS_WORDS: dict[str, tuple[str, ...]] = {
    "guardian": ("监护人", "家属", "家长", "代签", "代理"),
    "thumbprint": ("手印", "指印", "指纹", "捺印"),
    "electronic": ("电子", "线上", "网上", "在线", "短信", "app", "小程序"),
    "paper_signature": ("纸质", "签名", "签字", "书面", "本人签", "手签", "亲笔"),
}

#: Cells that say there is no consent.
_NONE = frozenset({"无", "否", "未", "没有", "未签", "未签署", "×", "x", "-", "/", "no", "n"})


class Consent(Record):
    """One consent of one trainee in one class; ``text_version`` names the policy's text agreed to."""

    enrolment = ForeignKeyField(Enrolment, backref="consents", on_delete="RESTRICT")
    text_version = CharField(max_length=20)
    given_on = DateField()
    means = CharField(max_length=20)
    status = CharField(max_length=20, default=CONSENT.first)
    recorded_at = InstantField()
    withdrawn_at = InstantField(null=True)
    enrolment_id: UUID


# One consent that stands per enrolment, held by the database itself.
Consent.add_index(
    Consent.index(Consent.enrolment, unique=True, name="consent_given", where=(Consent.status == "given"))
)


class ConsentDayRefused(FieldRefused):
    """The day is ahead, or before there was a text to agree to."""

    code = "consent_day_refused"
    zh = "知情同意日期不能在将来，也不能早于同意书文本的启用日期，请核对。"
    en = "The day of consent is in the future, or before there was a text to consent to."


class ConsentStands(RuleBroken):
    """There is a consent already."""

    code = "consent_stands"
    zh = "该学员的知情同意已登记；本人撤回后又重新同意的，请先登记撤回，再登记新的同意。"
    en = "This trainee's consent is on record; record that it was taken back before recording another."


class ConsentTakenBack(FieldRefused):
    """A signature from before the withdrawal agrees to nothing any more. Facts: ``on``."""

    code = "consent_taken_back"
    zh = "该学员已于{on}撤回同意；此前签署的不再有效，须由本人在该日或之后重新同意，并按新的日期登记。"
    en = "This trainee took consent back on {on}: what was signed before holds no more; only a new consent can be recorded."


class NoConsent(RuleBroken):
    """There is no consent to withdraw."""

    code = "no_consent"
    zh = "该学员没有有效的知情同意可以撤回。"
    en = "There is no consent of this trainee to withdraw."


def text_on(policy: Policy, on: date) -> Rule:
    """The text of the consent in force on a day: ``version``, ``zh`` and ``en`` (lists of paragraphs).

    :raises NoRuleInForce: there was none.
    """
    return policy.rule("consent", on)


def can_be_given_on(act: Act, day: date) -> bool:
    """Whether a consent can bear this day: not ahead, and with a text in force."""
    try:
        return day <= act.today and bool(text_on(act.policy, day))
    except NoRuleInForce:
        return False


def means_of(text: str) -> str:
    """The means that a text names, by code or in words (a guardian outweighs the pen), or an empty text."""
    plain = text.strip().lower()
    if plain in MEANS:
        return plain
    return next((code for code, words in _MEANS_WORDS.items() if any(w in plain for w in words)), "")


def read_consent(
    act: Act, row: SheetRow, particulars: Mapping[str, Any]
) -> tuple[dict[str, str], list[Problem]]:
    """The consent that a roster row tells of (``given_on``, ``means``; empty when none), and what is doubtful.

    A sheet without a column for it says nothing about consent; the class as a whole shows who lacks it.
    """
    if "consent_on" not in row.cells and "consent_means" not in row.cells:
        return {}, []
    cell, stated = row.cells.get("consent_on"), words_of(row.cells.get("consent_means"))
    words = words_of(cell)
    day = read_date(cell)
    means = means_of(stated) or means_of(words if day is None else "")
    if day is None and not stated and words.lower() in (_NONE | {""}):
        return {}, [Problem("consent_missing", "consent_on")]
    if day is None or not means:
        return {}, [Problem("consent_incomplete", "consent_means" if day else "consent_on")]
    if not can_be_given_on(act, day):
        return {}, [Problem("consent_day_wrong", "consent_on")]
    alone = means == "guardian" and not particulars.get("guardian")
    return (
        {"given_on": day.isoformat(), "means": means},
        [Problem("guardian_missing", "guardian")] if alone else [],
    )


def give(act: Act, enrolment: Enrolment, *, given_on: date, means: str) -> Consent:
    """Record a trainee's consent, given on a day by one of :data:`MEANS`.

    :raises FieldRefused: the means is unknown.
    :raises ConsentDayRefused: the day is ahead, or before the first text.
    :raises ConsentStands: there is one that was not withdrawn.
    :raises ConsentTakenBack: the day lies before the last withdrawal.
    """
    if means not in MEANS:
        raise FieldRefused(field="means")
    if not can_be_given_on(act, given_on):
        raise ConsentDayRefused(field="given_on")
    with database.atomic():
        if standing(enrolment) is not None:
            raise ConsentStands()
        _require_new_word(enrolment, given_on)
        consent = Consent.create(
            enrolment=enrolment,
            text_version=text_on(act.policy, given_on)["version"],
            given_on=given_on,
            means=means,
            recorded_at=act.at,
        )
        begin(act, CONSENT, consent, "give")
    return consent


def _require_new_word(enrolment: Enrolment, given_on: date) -> None:
    withdrawn = [one.withdrawn_at for one in consents_of(enrolment) if one.withdrawn_at is not None]
    last = max(withdrawn, default=None)
    if last is not None and given_on < last.astimezone(SHANGHAI).date():
        raise ConsentTakenBack(field="given_on", on=last.astimezone(SHANGHAI).date().isoformat())


def withdraw(act: Act, enrolment: Enrolment, reason: str = "") -> Consent:
    """Record that a trainee takes consent back; they need give no reason.

    :raises NoConsent: there is none that stands.
    """
    consent = standing(enrolment)
    if consent is None:
        raise NoConsent()
    with database.atomic():
        move(act, CONSENT, consent, "withdraw", reason=reason)
        consent.withdrawn_at = act.at
        consent.save(only=[Consent.withdrawn_at])
        detail = {"enrolment": str(enrolment.id)}
        note(act, TRAINING_CLASS.noun, enrolment.training_class_id, "withdraw_consent", detail=detail)
    return consent


def standing(enrolment: Enrolment) -> Consent | None:
    """The consent of an enrolment that stands, if there is one."""
    return Consent.get_or_none((Consent.enrolment == enrolment.id) & (Consent.status == "given"))


def consents_of(enrolment: Enrolment) -> Sequence[Consent]:
    """All consents of an enrolment, also those withdrawn, oldest first."""
    return list(Consent.select().where(Consent.enrolment == enrolment.id).order_by(Consent.id))


def without_consent(training_class: TrainingClass) -> list[Enrolment]:
    """The enrolled trainees of a class who have no consent that stands, in roster order."""
    given = Consent.select(Consent.enrolment).where(Consent.status == "given")
    return list(
        Enrolment.select()
        .where((Enrolment.training_class == training_class.id) & (Enrolment.status == "enrolled"))
        .where(Enrolment.id.not_in(given))
        .order_by(Enrolment.roster_row, Enrolment.id)
    )
