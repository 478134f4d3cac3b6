"""Correction of a person's record (更正): asked for, answered by somebody else, both values kept.

Corrected is what the record says of the person. What an enrolment or a certificate says stays as it was
printed: a name in a class is corrected there, a certificate by a reissue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from peewee import CharField, ForeignKeyField, IntegrityError

from skills_registry import people
from skills_registry.bases.applications import require_reason
from skills_registry.foundation import audit
from skills_registry.foundation.acts import Act, Role, require_other_person, require_role
from skills_registry.foundation.errors import FieldRefused, RuleBroken
from skills_registry.foundation.identifiers import check_disability_card
from skills_registry.foundation.lifecycle import Lifecycle, Move, begin, move, note, who_did
from skills_registry.foundation.privacy import Vault
from skills_registry.foundation.storage import InstantField, Record, SealedField, database, new_id
from skills_registry.people import Person
from skills_registry.person_files.reach import OFFICERS, usable_citizen_id
from skills_registry.training.enrolments import usable_name

_OFFICERS: frozenset[Role] = frozenset(OFFICERS)

CORRECTION_REQUEST = Lifecycle(
    noun="correction_request",
    zh="信息更正申请",
    states={
        "requested": ("已申请", "requested"),
        "accepted": ("已更正", "accepted and done"),
        "refused": ("不予更正", "refused"),
    },
    moves=(
        Move("accept", "requested", "accepted", _OFFICERS),
        Move("refuse", "requested", "refused", _OFFICERS),
    ),
)

#: What of a person's record can be corrected: Chinese, English.
CORRECTABLE: dict[str, tuple[str, str]] = {
    "name": ("姓名", "name"),
    "citizen_id": ("公民身份号码", "citizen ID number"),
    "disability_card": ("残疾人证号", "disability card number"),
    "sex": ("性别", "sex"),
}

#: Fields that hold a whole ID number: the card begins with it.
NUMBERS_OF_IDENTITY = ("citizen_id", "disability_card")

#: Who asks.
ASKED_BY: dict[str, tuple[str, str]] = {
    "person": ("本人", "the person"),
    "guardian": ("监护人", "the guardian"),
    "office": ("经办机构发现", "the office, of its own accord"),
}


class CorrectionRequest(Record):
    """A request that one field of a person's record be corrected; old and new value are sealed."""

    person = ForeignKeyField(Person, backref="corrections", on_delete="RESTRICT")
    field = CharField(max_length=30)
    old_value = SealedField(null=True)
    new_value = SealedField()
    asked_by = CharField(max_length=20)
    status = CharField(max_length=20, default=CORRECTION_REQUEST.first)
    requested_at = InstantField()
    person_id: UUID


# One request at a time for a field, held by the database itself.
CorrectionRequest.add_index(
    CorrectionRequest.index(
        CorrectionRequest.person,
        CorrectionRequest.field,
        unique=True,
        name="correction_request_open",
        where=(CorrectionRequest.status == "requested"),
    )
)


class NothingToCorrect(RuleBroken):
    """The record says that already."""

    code = "nothing_to_correct"
    zh = "登记的内容已经如此，无需更正。"
    en = "The record says so already; there is nothing to correct."


class CorrectionPending(RuleBroken):
    """A request for this field awaits its answer."""

    code = "correction_pending"
    zh = "该项已有更正申请正在办理，请先答复。"
    en = "A request to correct this awaits its answer."


class CorrectionOutdated(RuleBroken):
    """The record changed after the request."""

    code = "correction_outdated"
    zh = "申请之后登记的内容已有变化，请不予更正后重新申请。"
    en = "The record changed after this request; refuse it and ask anew."


class IdOnRecord(RuleBroken):
    """Another person has this citizen ID."""

    code = "citizen_id_on_record"
    zh = "这个公民身份号码已登记在另一份档案中，不能更正为该号码，请市残联核实两份档案是否为同一人。"
    en = "Another file has this citizen ID; the city federation must find out whether both are one person."


@dataclass(frozen=True)
class _Change:
    """What a correction writes: plain columns, and the columns that are sealed."""

    plain: dict[str, Any]
    sealed: dict[str, str]


def _usable(act: Act, person: Person, field: str, value: str) -> str:
    if field == "name":
        return usable_name(value)
    if field == "citizen_id":
        return usable_citizen_id(act, value)
    if field == "sex" and value in ("male", "female"):
        return value
    if field == "disability_card":
        card = check_disability_card(value, people.citizen_id_of(act.vault, person))
        if card.text and not card.problems:
            return card.text
    raise FieldRefused(field="new_value")


def request(
    act: Act, person: Person, field: str, new_value: str, *, asked_by: str, reason: str
) -> CorrectionRequest:
    """Ask that the record of a person be corrected; the reason names what it rests on (an ID card, say).

    :raises FieldRefused, NameUnusable, IdUnusable: the field or the new value cannot be used.
    :raises NothingToCorrect: the record says so already.
    :raises CorrectionPending: a request for this field is under way.
    """
    require_role(act, *OFFICERS)
    require_reason(reason)
    if field not in CORRECTABLE or asked_by not in ASKED_BY:
        raise FieldRefused(field="field" if field not in CORRECTABLE else "asked_by")
    value, present = _usable(act, person, field, new_value), present_value(act.vault, person, field)
    if value == present:
        raise NothingToCorrect()
    key, seal = new_id(), act.vault.seal
    try:
        with database.atomic():
            asked = CorrectionRequest.create(
                id=key,
                person=person,
                field=field,
                old_value=seal(CorrectionRequest.old_value, key, present) if present else None,
                new_value=seal(CorrectionRequest.new_value, key, value),
                asked_by=asked_by,
                requested_at=act.at,
            )
            begin(act, CORRECTION_REQUEST, asked, "request", detail={"field": field, "asked_by": asked_by})
            note(act, "person", person.id, "request_correction", reason=reason, detail={"request": str(key)})
    except IntegrityError as error:
        raise CorrectionPending() from error
    return asked


def read_request(act: Act, asked: CorrectionRequest, reason: str) -> CorrectionRequest:
    """Look at both values of a request, for a reason that is logged; whole numbers are logged as such."""
    require_reason(reason)
    audit.read(act, CORRECTION_REQUEST.noun, asked.id, reason)
    if asked.field in NUMBERS_OF_IDENTITY:
        audit.read(act, "citizen_id", asked.person_id, reason)
    return asked


def accept(act: Act, asked: CorrectionRequest, reason: str) -> CorrectionRequest:
    """Somebody other than the one who filed it corrects the record; the old value stays in the request.

    :raises SeparationOfDuties: the caller filed the request.
    :raises CorrectionOutdated: the record changed meanwhile.
    :raises IdOnRecord: another person has the new citizen ID.
    :raises WrongState: it is answered already.
    """
    require_reason(reason)
    require_other_person(act, who_did(asked.id, "request"))
    try:
        with database.atomic():
            move(act, CORRECTION_REQUEST, asked, "accept", reason=reason)
            person = Person.get_by_id(asked.person_id)
            if present_value(act.vault, person, asked.field) != old_value_of(act.vault, asked):
                raise CorrectionOutdated()
            _write(act, person, asked.field, new_value_of(act.vault, asked))
            _trace(act, asked, "correct", reason)
    except IntegrityError as error:
        raise IdOnRecord() from error
    return asked


def refuse(act: Act, asked: CorrectionRequest, reason: str) -> CorrectionRequest:
    """The record stays as it is, with a reason.

    :raises SeparationOfDuties: the caller filed the request.
    :raises WrongState: it is answered already.
    """
    require_reason(reason)
    require_other_person(act, who_did(asked.id, "request"))
    with database.atomic():
        move(act, CORRECTION_REQUEST, asked, "refuse", reason=reason)
        _trace(act, asked, "refuse_correction", reason)
    return asked


def _trace(act: Act, asked: CorrectionRequest, action: str, reason: str) -> None:
    detail = {"request": str(asked.id), "field": asked.field}
    note(act, "person", asked.person_id, action, reason=reason, detail=detail)


def _write(act: Act, person: Person, field: str, value: str) -> None:
    change = _change(act.vault, field, value)
    for column, text in change.sealed.items():
        setattr(person, column, act.vault.seal(getattr(Person, column), person.id, text))
    for column, plain in change.plain.items():
        setattr(person, column, plain)
    person.save(only=[getattr(Person, column) for column in (*change.sealed, *change.plain)])


def _change(vault: Vault, field: str, value: str) -> _Change:
    if field == "sex":
        return _Change({"sex": value}, {})
    indexes: dict[str, Any] = {}
    if field == "name":
        indexes["name_index"] = people.name_index(vault, value)
    if field == "citizen_id":
        indexes["citizen_id_index"] = people.citizen_id_index(vault, value)
    return _Change(indexes, {field: value})


def present_value(vault: Vault, person: Person, field: str) -> str:
    """What the record says now, in clear; empty where it says nothing."""
    held = getattr(person, field)
    if field == "sex" or held is None:
        return str(held or "")
    return vault.open(getattr(Person, field), person.id, held)


def old_value_of(vault: Vault, asked: CorrectionRequest) -> str:
    """What the record said when the request was filed, in clear."""
    held = asked.old_value
    return "" if held is None else vault.open(CorrectionRequest.old_value, asked.id, held)


def new_value_of(vault: Vault, asked: CorrectionRequest) -> str:
    """What the record is to say, in clear."""
    return vault.open(CorrectionRequest.new_value, asked.id, asked.new_value)


def corrections_of(person_id: UUID) -> list[CorrectionRequest]:
    """The requests about a person, oldest first."""
    return list(
        CorrectionRequest.select().where(CorrectionRequest.person == person_id).order_by(CorrectionRequest.id)
    )
