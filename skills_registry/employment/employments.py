"""Work that somebody found (就业): form, employer, days and evidence, entered by one person and confirmed by another.

    reported   a base entered it for its own trainee, or an officer for a person they serve
    confirmed  another person, of the federation, has checked the evidence; only now it counts
    refused    the evidence does not bear it out
    struck     entered by mistake

Sham employment is what the plan warns of (三(六)): whatever looks odd is named to whoever confirms, and
nothing is refused for it. In Qinghai most work is farming or flexible, so no single kind of evidence
is demanded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from peewee import CharField, DateField, ForeignKeyField, JSONField

from skills_registry.bases.applications import require_reason
from skills_registry.bases.parties import require_outsider, require_own_base
from skills_registry.employment.services import require_past
from skills_registry.foundation.acts import Act, Role, require_other_person, require_role
from skills_registry.foundation.errors import FieldRefused, RuleBroken
from skills_registry.foundation.identifiers import check_uscc, fold_number
from skills_registry.foundation.lifecycle import Lifecycle, Move, begin, move, note, steps_of, who_did
from skills_registry.foundation.privacy import Vault
from skills_registry.foundation.problems import Problem
from skills_registry.foundation.storage import BytesField, InstantField, Record, SealedField, database, new_id
from skills_registry.people import Person
from skills_registry.training.classes import TrainingClass, told
from skills_registry.training.enrolments import Enrolment

_CLERK: frozenset[Role] = frozenset({"base_clerk"})
_OFFICERS: frozenset[Role] = frozenset({"county_officer", "city_officer"})

EMPLOYMENT = Lifecycle(
    noun="employment",
    zh="就业记录",
    states={
        "reported": ("已登记待核实", "reported, to be confirmed"),
        "confirmed": ("已核实", "confirmed"),
        "refused": ("核实未通过", "not borne out"),
        "struck": ("已作废", "struck out"),
    },
    moves=(
        Move("confirm", "reported", "confirmed", _OFFICERS),
        Move("refuse", "reported", "refused", _OFFICERS),
        Move("strike", "reported", "struck", _CLERK | _OFFICERS),
        Move("strike", "confirmed", "struck", _OFFICERS),
    ),
)

#: The seven forms of the national statistics (DOMAIN §6): Chinese, English.
FORMS: dict[str, tuple[str, str]] = {
    "quota": ("按比例就业", "quota employment"),
    "concentrated": ("集中就业", "concentrated employment"),
    "self_employed": ("个体就业（自主创业）", "self-employed"),
    "public_welfare": ("公益性岗位就业", "public-welfare post"),
    "sheltered": ("辅助性就业", "sheltered employment"),
    "flexible": ("灵活就业", "flexible employment"),
    "farming": ("农业种养加", "farming, husbandry and processing"),
}

#: Forms in which somebody else employs.
WITH_EMPLOYER = ("quota", "concentrated", "public_welfare", "sheltered")

#: States in which an entry says that somebody is, or was, in work.
STANDING = ("reported", "confirmed")


class Employment(Record):
    """One person in work from ``started_on``, until ``ended_on`` where that is known.

    ``enrolment`` is the training that it followed, where a base reported it; employer and credit code
    are sealed, since of the self-employed they name the person.
    """

    person = ForeignKeyField(Person, backref="employments", on_delete="RESTRICT")
    enrolment = ForeignKeyField(Enrolment, null=True, backref="employments", on_delete="RESTRICT")
    form = CharField(max_length=20)
    employer = SealedField(null=True)
    uscc = SealedField(null=True)
    uscc_index = BytesField(null=True, index=True)
    started_on = DateField(index=True)
    ended_on = DateField(null=True)
    evidence = JSONField()
    status = CharField(max_length=20, default=EMPLOYMENT.first)
    reported_at = InstantField()
    person_id: UUID
    enrolment_id: UUID | None


@dataclass(frozen=True)
class Facts:
    """What is reported; ``evidence`` are kinds of the policy's ``employment`` rule."""

    form: str
    started_on: date
    employer: str = field(default="", repr=False)
    uscc: str = field(default="", repr=False)
    ended_on: date | None = None
    evidence: tuple[str, ...] = ()


class NotInWork(RuleBroken):
    """Only an entry that stands can end."""

    code = "employment_not_standing"
    zh = "这条就业记录已作废或核实未通过，不能登记离职。"
    en = "This entry was struck out or refused, so no last day can be entered."


def evidence_kinds(act: Act) -> dict[str, tuple[str, str]]:
    """The kinds of evidence that the policy of this day knows: Chinese, English."""
    return {
        kind["code"]: (kind["zh"], kind["en"])
        for kind in act.policy.rule("employment", act.today)["evidence"]
    }


def _require_sound(act: Act, facts: Facts) -> None:
    if facts.form not in FORMS:
        raise FieldRefused(field="form")
    if not set(facts.evidence) <= set(evidence_kinds(act)):
        raise FieldRefused(field="evidence")
    require_past(facts.started_on, act, "started_on")
    _require_order(act, facts.started_on, facts.ended_on)


def _require_order(act: Act, started_on: date, ended_on: date | None) -> None:
    if ended_on is not None:
        require_past(ended_on, act, "ended_on")
        if ended_on < started_on:
            raise FieldRefused(field="ended_on")


def report(
    act: Act, person: Person, facts: Facts, *, enrolment: Enrolment | None = None
) -> tuple[Employment, list[Problem]]:
    """Enter that somebody is in work; returns it with what is doubtful. The same entered again is one entry.

    :raises NotAllowed: a base's clerk, and the person is not enrolled with the own base.
    :raises FieldRefused: an unknown form or kind of evidence, or the days run backwards.
    :raises DayInFuture: it lies ahead.
    """
    _require_own_trainee(act, person, enrolment)
    _require_sound(act, facts)
    twin = known_as(act, person, facts, enrolment)
    if twin is not None:
        return twin, doubts_about(twin)
    doubts = list(doubts_of(act, facts, enrolment))
    key = new_id()
    code = fold_number(facts.uscc).text
    with database.atomic():
        employment = Employment.create(
            id=key,
            person=person,
            enrolment=enrolment,
            form=facts.form,
            employer=act.vault.seal(Employment.employer, key, facts.employer) if facts.employer else None,
            uscc=act.vault.seal(Employment.uscc, key, code) if code else None,
            uscc_index=_index(act.vault, code) if code else None,
            started_on=facts.started_on,
            ended_on=facts.ended_on,
            evidence=sorted(facts.evidence),
            reported_at=act.at,
        )
        begin(act, EMPLOYMENT, employment, "report", detail={"form": facts.form, **told(doubts)})
    return employment, doubts


def _require_own_trainee(act: Act, person: Person, enrolment: Enrolment | None) -> None:
    if enrolment is not None and enrolment.person_id != person.id:
        raise FieldRefused(field="enrolment_id")
    if enrolment is not None and act.by.role == "base_clerk":
        require_own_base(act, enrolment.training_class.base)
    else:
        require_role(act, *_OFFICERS)


def _index(vault: Vault, code: str) -> bytes:
    return vault.index("employer_uscc", code)


def known_as(act: Act, person: Person, facts: Facts, enrolment: Enrolment | None) -> Employment | None:
    """The entry that says the same of a person and stands, or None.

    A base learns only of entries with the same enrolment: what others entered is not its business.
    """
    same = Employment.select().where(
        (Employment.person == person.id)
        & (Employment.form == facts.form)
        & (Employment.started_on == facts.started_on)
        & Employment.status.in_(STANDING)
    )
    if act.by.role == "base_clerk" and enrolment is not None:
        same = same.where(Employment.enrolment == enrolment.id)
    wanted = (fold_number(facts.uscc).text, facts.employer)
    return next(
        (row for row in same if (uscc_of(act.vault, row), employer_of(act.vault, row)) == wanted), None
    )


def doubts_of(act: Act, facts: Facts, enrolment: Enrolment | None) -> Iterator[Problem]:
    """What whoever confirms should look at; nothing of it refuses."""
    if facts.form in WITH_EMPLOYER and not facts.employer:
        yield Problem("employer_missing", "employer")
    if facts.uscc and check_uscc(facts.uscc).problems:
        yield Problem("employer_code", "uscc")
    if not facts.evidence:
        yield Problem("evidence_missing", "evidence")
    if enrolment is not None:
        yield from _doubts_of_class(act, facts, enrolment.training_class)


def _doubts_of_class(act: Act, facts: Facts, training_class: TrainingClass) -> Iterator[Problem]:
    started = training_class.starts_on
    if facts.started_on < started and facts.ended_on is None:
        yield Problem("employed_before_class", "started_on", {"class_starts_on": started.isoformat()})
    code = fold_number(facts.uscc).text
    if not code:
        return
    if code == training_class.base.uscc:
        yield Problem("employer_is_base", "uscc")
    with_them = 1 + _at_same_employer(act.vault, training_class, code)
    if with_them >= act.policy.rule("employment", act.today)["same_employer_persons"]:
        yield Problem("same_employer_for_many", "uscc", {"persons": with_them})


def _at_same_employer(vault: Vault, training_class: TrainingClass, code: str) -> int:
    found: int = (
        Employment.select(Employment.person)
        .distinct()
        .join(Enrolment)
        .where(
            (Enrolment.training_class == training_class.id) & (Employment.uscc_index == _index(vault, code))
        )
        .where(Employment.status.in_(STANDING))
        .count()
    )
    return found


def doubts_about(employment: Employment) -> list[Problem]:
    """What was doubtful when it was reported."""
    first = next(steps_of(employment.id))
    return [Problem(d["code"], d["field"], d["facts"]) for d in first.detail.get("doubts", ())]


def confirm(act: Act, employment: Employment, reason: str) -> Employment:
    """Another person than the one who entered it has checked the evidence: from here on it counts.

    :raises SeparationOfDuties: the caller entered it, or works for the base that did.
    :raises WrongState: it does not await confirmation.
    """
    return _judge(act, employment, "confirm", reason)


def refuse(act: Act, employment: Employment, reason: str) -> Employment:
    """The evidence does not bear it out; the same may be entered again with better evidence.

    :raises SeparationOfDuties: the caller entered it, or works for the base that did.
    :raises WrongState: it does not await confirmation.
    """
    return _judge(act, employment, "refuse", reason)


def _judge(act: Act, employment: Employment, action: str, reason: str) -> Employment:
    require_reason(reason)
    require_other_person(act, who_did(employment.id, "report"))
    if employment.enrolment is not None:
        require_outsider(act, employment.enrolment.training_class.base)
    with database.atomic():
        move(act, EMPLOYMENT, employment, action, reason=reason)
    return employment


def strike(act: Act, employment: Employment, reason: str) -> Employment:
    """Strike out what was entered by mistake; it stays readable and no longer counts.

    :raises NotAllowed: a base's clerk, and it is confirmed.
    :raises WrongState: it does not stand.
    """
    require_reason(reason)
    with database.atomic():
        move(act, EMPLOYMENT, employment, "strike", reason=reason)
    return employment


def end(act: Act, employment: Employment, ended_on: date, reason: str) -> Employment:
    """Enter, or correct, the last day of work; the earlier day stays in the step.

    :raises NotInWork: the entry does not stand.
    :raises FieldRefused: the day lies before the first day, or ahead.
    """
    require_reason(reason)
    _require_order(act, employment.started_on, ended_on)
    earlier = employment.ended_on
    with database.atomic():
        changed = (
            Employment.update(ended_on=ended_on)
            .where((Employment.id == employment.id) & Employment.status.in_(STANDING))
            .execute()
        )
        if changed != 1:
            raise NotInWork()
        days = {"from": earlier and earlier.isoformat(), "to": ended_on.isoformat()}
        note(act, EMPLOYMENT.noun, employment.id, "end", reason=reason, detail=days)
    employment.ended_on = ended_on
    return employment


def employer_of(vault: Vault, employment: Employment) -> str:
    """The employer's name in clear; empty where none was entered."""
    return vault.open(Employment.employer, employment.id, employment.employer) if employment.employer else ""


def uscc_of(vault: Vault, employment: Employment) -> str:
    """The employer's credit code in clear; empty where none was entered."""
    return vault.open(Employment.uscc, employment.id, employment.uscc) if employment.uscc else ""


def employments_of(person_id: UUID) -> list[Employment]:
    """The entries of a person in order of their first days, whatever their state."""
    return list(
        Employment.select()
        .where(Employment.person == person_id)
        .order_by(Employment.started_on, Employment.id)
    )


def employments_of_bases(base_ids: Sequence[UUID]) -> Any:
    """What became of the trainees of these bases, as far as it was reported with their training, as a query."""
    return (
        Employment.select(Employment)
        .join(Enrolment)
        .join(TrainingClass)
        .where(TrainingClass.base.in_(list(base_ids)))
    )
