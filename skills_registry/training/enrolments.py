"""Enrolments (报名) and results (成绩): one person in one class, and how it ended for them.

An enrolment keeps its own name, as the base entered it. A result may be replaced until the class
is submitted; the old one stays as a trace. A wrong name is corrected here until approval, and by a
reissue of the certificate afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from uuid import UUID

from peewee import (
    BooleanField,
    CharField,
    DecimalField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    ModelSelect,
)

from skills_registry import people
from skills_registry.bases import listing_covering
from skills_registry.foundation.acts import Act, Role
from skills_registry.foundation.errors import FieldRefused, RuleBroken
from skills_registry.foundation.identifiers import clean_name
from skills_registry.foundation.lifecycle import Lifecycle, Move, begin, move, note
from skills_registry.foundation.privacy import Vault
from skills_registry.foundation.problems import Problem
from skills_registry.foundation.storage import BytesField, InstantField, Record, SealedField, database, new_id
from skills_registry.people import Person
from skills_registry.training.assessments import Assessment
from skills_registry.training.classes import TRAINING_CLASS, TrainingClass, hold, require_with_base, told

_BASE_OR_COUNTY: frozenset[Role] = frozenset({"base_clerk", "county_officer"})

ENROLMENT = Lifecycle(
    noun="enrolment",
    zh="报名",
    states={"enrolled": ("在班", "enrolled"), "withdrawn": ("已退班", "withdrawn")},
    moves=(
        Move("withdraw", "enrolled", "withdrawn", _BASE_OR_COUNTY),
        Move("rejoin", "withdrawn", "enrolled", _BASE_OR_COUNTY),
    ),
)

OUTCOMES: dict[str, tuple[str, str]] = {"passed": ("合格", "passed"), "failed": ("不合格", "failed")}


class Enrolment(Record):
    """A person in a class; ``roster_row`` is the row of the sheet that brought them.

    ``particulars`` (JSON) is what the roster says beyond name and number, ``accommodations_given`` (JSON) what
    was really provided; ``substitutes`` is the enrolment whose place this one took (替补).
    """

    training_class = ForeignKeyField(TrainingClass, backref="enrolments", on_delete="RESTRICT")
    person = ForeignKeyField(Person, backref="enrolments", on_delete="RESTRICT")
    name = SealedField()
    name_index = BytesField()
    phone = SealedField(null=True)
    roster_row = IntegerField()
    status = CharField(max_length=20, default=ENROLMENT.first)
    enrolled_at = InstantField()
    particulars = SealedField(null=True)
    accommodations_given = SealedField(null=True)
    substitutes = ForeignKeyField("self", null=True, backref="substituted_by", on_delete="RESTRICT")
    training_class_id: UUID
    person_id: UUID
    substitutes_id: UUID | None
    results: ModelSelect[Result]
    #: The current result, where :func:`roster` looked it up.
    result: Result | None

    class Meta:
        indexes = ((("training_class", "person"), True),)


class Result(Record):
    """One result; ``current`` marks the one that counts, older ones stay as a trace.

    ``hours`` are the hours attended, of 45 minutes; ``scores`` maps a paper's code to its score as
    decimal text, or to null where the trainee was absent (缺考); ``assessment`` is the sitting that it comes
    from, where the class's sittings are recorded.
    """

    enrolment = ForeignKeyField(Enrolment, backref="results", on_delete="RESTRICT")
    hours = DecimalField(max_digits=7, decimal_places=1)
    scores = JSONField()
    outcome = CharField(max_length=10)
    current = BooleanField(default=True)
    recorded_at = InstantField()
    assessment = ForeignKeyField(Assessment, null=True, backref="results", on_delete="RESTRICT")
    enrolment_id: UUID
    assessment_id: UUID | None


# One current result per enrolment, held by the database itself.
Result.add_index(Result.index(Result.enrolment, unique=True, name="result_current", where=Result.current))


class NameUnusable(FieldRefused):
    """The corrected name cannot be used."""

    code = "name_unusable"
    zh = "更正后的姓名{detail_zh}"
    en = "The corrected name: {detail_en}"


class AlreadyIssued(RuleBroken):
    """The certificates of the class are out; a correction is a reissue now."""

    code = "correct_by_reissue"
    zh = (
        "证书已签发，不能直接更正。请对原证书办理更正补发：填写正确姓名，系统签发新编号证书并注明替代原证书。"
    )
    en = "The certificates are issued; correct the name by reissuing the certificate, which supersedes the old one."


class ResultsMissing(RuleBroken):
    """Facts: ``count`` and ``rows`` (roster rows, comma-separated)."""

    code = "results_missing"
    zh = "还有{count}名在班学员没有成绩（花名册第{rows}行），请补录成绩或办理退班后再提交。"
    en = "{count} trainees have no result yet (roster rows {rows}); record results or withdraw them first."


class NobodyEnrolled(RuleBroken):
    """A class without trainees has nothing to submit."""

    code = "nobody_enrolled"
    zh = "本班还没有在班学员，请先上传花名册。"
    en = "Nobody is enrolled in this class; upload a roster first."


class TakesNobodyNew(RuleBroken):
    """The base has left the list: it finishes what it began."""

    code = "base_off_the_list"
    zh = "该基地已不在册，只能完成现有学员的培训，不能再接收新学员。"
    en = "The base has left the list: it finishes the training of those enrolled and takes nobody new."


def require_results(training_class: TrainingClass) -> None:
    """Every enrolled trainee has a result.

    :raises NobodyEnrolled: there is no trainee.
    :raises ResultsMissing: some have none; the facts name their roster rows, never the people.
    """
    rows = list(roster(training_class))
    if not rows:
        raise NobodyEnrolled()
    missing = sorted(e.roster_row for e in rows if e.result is None)
    if missing:
        raise ResultsMissing(count=len(missing), rows="、".join(str(row) for row in missing[:20]))


def enrol(
    act: Act,
    training_class: TrainingClass,
    values: Mapping[str, Any],
    row: int,
    *,
    substitutes: Enrolment | None = None,
) -> Enrolment:
    """Enrol the person on one accepted roster row; someone already in the class stays as they are.

    ``substitutes`` is the enrolment whose place this one takes.

    :raises TakesNobodyNew: the base has left the list.
    """
    person = people.find_or_register(
        act,
        citizen_id=values["citizen_id"],
        name=values["name"],
        sex=values["sex"],
        disability_card=values.get("disability_card") or "",
    )
    known = Enrolment.get_or_none(
        (Enrolment.training_class == training_class.id) & (Enrolment.person == person.id)
    )
    if known is not None:
        return known
    if listing_covering(training_class.base_id, act.today) is None:
        raise TakesNobodyNew()
    key = new_id()
    phone = values.get("phone")
    enrolment = Enrolment.create(
        id=key,
        training_class=training_class,
        person=person,
        name=act.vault.seal(Enrolment.name, key, values["name"]),
        name_index=people.name_index(act.vault, values["name"]),
        phone=act.vault.seal(Enrolment.phone, key, phone) if phone else None,
        roster_row=row,
        enrolled_at=act.at,
        particulars=sealed_particulars(act.vault, key, values.get("particulars") or {}),
        substitutes=substitutes,
    )
    begin(act, ENROLMENT, enrolment, "enrol")
    return enrolment


def sealed_particulars(vault: Vault, key: UUID, values: Mapping[str, Any]) -> bytes | None:
    """Particulars as an enrolment with this id keeps them; nothing where there are none."""
    if not values:
        return None
    return vault.seal(Enrolment.particulars, key, json.dumps(values, ensure_ascii=False))


def record_result(
    act: Act,
    enrolment: Enrolment,
    *,
    hours: Decimal,
    scores: Mapping[str, Decimal | None],
    outcome: str,
    assessment: Assessment | None = None,
) -> Result:
    """Record a trainee's result; a different earlier one is replaced and kept, an equal one stands.

    ``assessment`` is the sitting that it comes from: a resit replaces the first result even with equal scores.
    """
    written = {paper: None if score is None else str(score) for paper, score in scores.items()}
    sitting = assessment.id if assessment is not None else None
    fresh = {"hours": hours, "scores": written, "outcome": outcome, "assessment_id": sitting}
    with database.atomic():
        earlier = Result.get_or_none((Result.enrolment == enrolment.id) & Result.current)
        if earlier is not None and all(getattr(earlier, name) == value for name, value in fresh.items()):
            return earlier
        if earlier is not None:
            Result.update(current=False).where(Result.id == earlier.id).execute()
        result = Result.create(enrolment=enrolment, recorded_at=act.at, **fresh)
        note(
            act,
            ENROLMENT.noun,
            enrolment.id,
            "replace_result" if earlier else "record_result",
            detail={"from": str(earlier.id) if earlier else None, "to": str(result.id), "outcome": outcome},
        )
    return result


def correct_name(act: Act, enrolment: Enrolment, name: str, reason: str) -> Enrolment:
    """Correct a wrong name before approval; the base while the class is with it, the county until approval.

    :raises NameUnusable: the name has characters that cannot be used.
    :raises ClassClosed: a base's clerk, and the class is submitted.
    :raises AlreadyIssued: the certificates are issued; reissue instead.
    """
    training_class = enrolment.training_class
    if training_class.status == "approved":
        raise AlreadyIssued()
    if act.by.role == "base_clerk" or training_class.status not in ("open", "returned", "submitted"):
        require_with_base(training_class)
    corrected = usable_name(name)
    with database.atomic():
        hold(training_class)
        enrolment.name = act.vault.seal(Enrolment.name, enrolment.id, corrected)
        enrolment.name_index = people.name_index(act.vault, corrected)
        enrolment.save(only=[Enrolment.name, Enrolment.name_index])
        note(act, ENROLMENT.noun, enrolment.id, "correct_name", reason=reason)
        _trace(act, enrolment, "correct_name")
    return enrolment


def _trace(
    act: Act, enrolment: Enrolment, action: str, more: Mapping[str, Any] = MappingProxyType({})
) -> None:
    # The class's own history tells who had a hand in it: four eyes are counted there.
    detail = {"enrolment": str(enrolment.id), **more}
    note(act, TRAINING_CLASS.noun, enrolment.training_class_id, action, detail=detail)


def usable_name(name: str) -> str:
    """A name as it will be stored and printed.

    :raises NameUnusable: it cannot be used; the sentence says why.
    """
    cleaned = clean_name(name)
    wrong = next((problem for problem in cleaned.problems if problem.is_error), None)
    if wrong is not None:
        raise NameUnusable(
            field="name", detail_zh="：" + wrong.sentence("zh"), detail_en=wrong.sentence("en")
        )
    return cleaned.text


def withdraw(act: Act, enrolment: Enrolment, reason: str) -> Enrolment:
    """Take a trainee out of a class, with a reason; nobody is deleted.

    :raises ClassClosed: the class is not with the base.
    """
    require_with_base(enrolment.training_class)
    with database.atomic():
        hold(enrolment.training_class)
        move(act, ENROLMENT, enrolment, "withdraw", reason=reason)
        _trace(act, enrolment, "withdraw")
    return enrolment


def rejoin(act: Act, enrolment: Enrolment, reason: str, doubts: Sequence[Problem] = ()) -> Enrolment:
    """Take a withdrawn trainee back; ``doubts`` are for the officers (see :func:`rosters.take_back`).

    :raises ClassClosed: the class is not with the base.
    """
    require_with_base(enrolment.training_class)
    with database.atomic():
        hold(enrolment.training_class)
        move(act, ENROLMENT, enrolment, "rejoin", reason=reason)
        _trace(act, enrolment, "rejoin", told(doubts))
    return enrolment


def submit_class(act: Act, training_class: TrainingClass) -> TrainingClass:
    """The base submits a class for approval; from here on it is closed to the base.

    :raises ResultsMissing: an enrolled trainee has no result.
    :raises WrongState: it is not open or returned.
    """
    doubts = doubts_at_submission(act, training_class)
    with database.atomic():
        move(act, TRAINING_CLASS, training_class, "submit", detail=told(doubts))
        require_results(training_class)
    return training_class


def doubts_at_submission(act: Act, training_class: TrainingClass) -> list[Problem]:
    """What the city should look at before it approves."""
    if act.today >= training_class.ends_on:
        return []
    return [Problem("early_submission", "ends_on", {"ends_on": training_class.ends_on.isoformat()})]


def roster(training_class: TrainingClass) -> Any:
    """The enrolled trainees of a class with ``.result`` (the current one or None), in roster order."""
    enrolments = list(
        Enrolment.select()
        .where((Enrolment.training_class == training_class.id) & (Enrolment.status == "enrolled"))
        .order_by(Enrolment.roster_row, Enrolment.id)
    )
    results = {
        result.enrolment_id: result
        for result in Result.select()
        .join(Enrolment)
        .where((Enrolment.training_class == training_class.id) & Result.current)
    }
    for enrolment in enrolments:
        enrolment.result = results.get(enrolment.id)
    return enrolments


def counts(training_class: TrainingClass) -> dict[str, int]:
    """How many are enrolled, withdrawn, have passed, failed or no result yet."""
    rows = roster(training_class)
    outcomes = [row.result.outcome if row.result else None for row in rows]
    withdrawn = Enrolment.select().where(
        (Enrolment.training_class == training_class.id) & (Enrolment.status == "withdrawn")
    )
    return {
        "enrolled": len(rows),
        "withdrawn": withdrawn.count(),
        "passed": outcomes.count("passed"),
        "failed": outcomes.count("failed"),
        "without_result": outcomes.count(None),
    }


def name_of(vault: Vault, enrolment: Enrolment) -> str:
    """The trainee's name as this enrolment has it, in clear."""
    return vault.open(Enrolment.name, enrolment.id, enrolment.name)


def name_differences(training_class: TrainingClass) -> list[tuple[Enrolment, Person]]:
    """Trainees whose enrolment has another name than the person's record: a question for the county."""
    pairs = (
        Enrolment.select(Enrolment, Person)
        .join(Person)
        .where((Enrolment.training_class == training_class.id) & (Enrolment.name_index != Person.name_index))
        .order_by(Enrolment.roster_row)
    )
    return [(enrolment, enrolment.person) for enrolment in pairs]


def enrolment_of(training_class: TrainingClass, person_id: UUID) -> Enrolment | None:
    """A person's enrolment in a class, whatever its state."""
    return Enrolment.get_or_none(
        (Enrolment.training_class == training_class.id) & (Enrolment.person == person_id)
    )
