"""Certificates of other bodies (其他机构证书): registered with a person, never drawn and never issued here.

    registered  a base entered it for its own trainee, or an officer for a person they serve
    verified    another person, of the federation, compared it with the paper or the national look-up
    struck      entered by mistake, or found to be none

Its number is checked against the coding rules that are known, and what does not fit warns (DOMAIN §3.3).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from peewee import CharField, DateField, ForeignKeyField, IntegrityError

from skills_registry.bases.applications import require_reason
from skills_registry.bases.parties import require_own_base
from skills_registry.certification.held_numbers import HeldNumber, check_held_number
from skills_registry.foundation.acts import Act, Role, require_other_person, require_role
from skills_registry.foundation.errors import FieldRefused
from skills_registry.foundation.levels import LEVELS
from skills_registry.foundation.lifecycle import Lifecycle, Move, begin, move, steps_of, who_did
from skills_registry.foundation.privacy import Vault
from skills_registry.foundation.problems import Problem
from skills_registry.foundation.storage import BytesField, InstantField, Record, SealedField, database, new_id
from skills_registry.people import Person
from skills_registry.training.classes import told
from skills_registry.training.enrolments import Enrolment

_CLERK: frozenset[Role] = frozenset({"base_clerk"})
_OFFICERS: frozenset[Role] = frozenset({"county_officer", "city_officer"})

HELD_CERTIFICATE = Lifecycle(
    noun="held_certificate",
    zh="其他机构证书登记",
    states={
        "registered": ("已登记待核对", "registered, to be verified"),
        "verified": ("已核对", "verified"),
        "struck": ("已作废", "struck out"),
    },
    moves=(
        Move("verify", "registered", "verified", _OFFICERS),
        Move("strike", "registered", "struck", _CLERK | _OFFICERS),
        Move("strike", "verified", "struck", _OFFICERS),
    ),
)

#: Kinds that others issue (DOMAIN §3.1): Chinese, English.
HELD_KINDS: dict[str, tuple[str, str]] = {
    "skill_level": ("职业技能等级证书", "skill-level certificate"),
    "vocational_qualification": ("职业资格证书", "vocational-qualification certificate"),
    "specific_ability": ("专项职业能力证书", "specific-ability certificate"),
    "special_operation": ("特种作业操作证", "special-operation permit"),
    "training_completion": ("其他机构培训合格（结业）证书", "completion certificate of another body"),
    "competition_award": ("其他机构竞赛获奖证书", "award of another body's competition"),
}

#: The eight grades of 2022: the five with a digit, and the three without one.
HELD_LEVELS: dict[str, tuple[str, str]] = {
    "apprentice": ("学徒工", "apprentice"),
    **{code: (level.zh, level.en) for code, level in LEVELS.items()},
    "special_technician": ("特级技师", "special-grade technician"),
    "chief_technician": ("首席技师", "chief technician"),
}


class HeldCertificate(Record):
    """A certificate that another body issued to a person; ``level`` and ``occupation_code`` may be empty.

    The number is sealed, since some bodies number by citizen ID; ``number_index`` finds the same number.
    """

    person = ForeignKeyField(Person, backref="held_certificates", on_delete="RESTRICT")
    enrolment = ForeignKeyField(Enrolment, null=True, backref="held_certificates", on_delete="RESTRICT")
    kind = CharField(max_length=30)
    number = SealedField()
    number_index = BytesField(index=True)
    issuer = CharField(max_length=120)
    occupation_edition = CharField(max_length=4, default="")
    occupation_code = CharField(max_length=12, default="")
    occupation_name = CharField(max_length=60, default="")
    level = CharField(max_length=30, default="")
    issued_on = DateField()
    expires_on = DateField(null=True)
    status = CharField(max_length=20, default=HELD_CERTIFICATE.first)
    registered_at = InstantField()
    person_id: UUID
    enrolment_id: UUID | None


# A person holds a certificate once, held by the database itself; one that was struck out gives way.
HeldCertificate.add_index(
    HeldCertificate.index(
        HeldCertificate.person,
        HeldCertificate.kind,
        HeldCertificate.number_index,
        unique=True,
        name="held_certificate_standing",
        where=(HeldCertificate.status != "struck"),
    )
)


@dataclass(frozen=True)
class Held:
    """What is registered; ``occupation`` is its name, with ``edition`` and ``code`` where they are known."""

    kind: str
    number: str = field(repr=False)
    issuer: str
    issued_on: date
    occupation: str = ""
    edition: str = ""
    code: str = ""
    level: str = ""
    expires_on: date | None = None


def register(
    act: Act, person: Person, held: Held, *, enrolment: Enrolment | None = None
) -> tuple[HeldCertificate, list[Problem]]:
    """Register a certificate of another body; returns it with what is doubtful. The same again is one entry.

    :raises NotAllowed: a base's clerk, and the person is not enrolled with the own base.
    :raises FieldRefused: an unknown kind or level, no number, or days that cannot be.
    """
    _require_own_trainee(act, person, enrolment)
    checked = _checked(act, held)
    number_index = act.vault.index("held_certificate", checked.folded)
    known = _standing(person.id, held.kind, number_index)
    if known is not None:
        return known, doubts_about(known)
    doubts = [*checked.problems, *_elsewhere(person, held.kind, number_index)]
    try:
        with database.atomic():
            return _create(act, person, enrolment, held, checked, number_index, doubts), doubts
    except IntegrityError:
        # Somebody entered the same a moment ago; theirs is the record.
        twin = _standing(person.id, held.kind, number_index)
        if twin is None:
            raise
        return twin, doubts_about(twin)


def _require_own_trainee(act: Act, person: Person, enrolment: Enrolment | None) -> None:
    if enrolment is not None and enrolment.person_id != person.id:
        raise FieldRefused(field="enrolment_id")
    if enrolment is not None and act.by.role == "base_clerk":
        require_own_base(act, enrolment.training_class.base)
    else:
        require_role(act, *_OFFICERS)


def _checked(act: Act, held: Held) -> HeldNumber:
    if held.kind not in HELD_KINDS:
        raise FieldRefused(field="kind")
    if held.level and held.level not in HELD_LEVELS:
        raise FieldRefused(field="level")
    if held.issued_on > act.today:
        raise FieldRefused(field="issued_on")
    if held.expires_on is not None and held.expires_on < held.issued_on:
        raise FieldRefused(field="expires_on")
    checked = check_held_number(held.kind, held.number, level=held.level, issued_on=held.issued_on)
    if not checked.folded:
        raise FieldRefused(field="number")
    return checked


def _create(
    act: Act,
    person: Person,
    enrolment: Enrolment | None,
    held: Held,
    checked: HeldNumber,
    number_index: bytes,
    doubts: list[Problem],
) -> HeldCertificate:
    key = new_id()
    made = HeldCertificate.create(
        id=key,
        person=person,
        enrolment=enrolment,
        kind=held.kind,
        number=act.vault.seal(HeldCertificate.number, key, checked.typed),
        number_index=number_index,
        issuer=held.issuer,
        occupation_edition=held.edition,
        occupation_code=held.code,
        occupation_name=held.occupation,
        level=held.level,
        issued_on=held.issued_on,
        expires_on=held.expires_on,
        registered_at=act.at,
    )
    begin(act, HELD_CERTIFICATE, made, "register", detail={"kind": held.kind, **told(doubts)})
    return made


def _standing(person_id: UUID, kind: str, number_index: bytes) -> HeldCertificate | None:
    return HeldCertificate.get_or_none(
        (HeldCertificate.person == person_id)
        & (HeldCertificate.kind == kind)
        & (HeldCertificate.number_index == number_index)
        & (HeldCertificate.status != "struck")
    )


def _elsewhere(person: Person, kind: str, number_index: bytes) -> list[Problem]:
    """That another person has this number is for the federation to know, and no base's business."""
    others = HeldCertificate.select().where(
        (HeldCertificate.person != person.id)
        & (HeldCertificate.kind == kind)
        & (HeldCertificate.number_index == number_index)
        & (HeldCertificate.status != "struck")
    )
    return [Problem("held_number_elsewhere", "held_number")] if others.exists() else []


#: Doubts that tell of other people: shown to the federation only.
OF_OTHERS = ("held_number_elsewhere",)


def doubts_about(held: HeldCertificate) -> list[Problem]:
    """What was doubtful when it was registered."""
    first = next(steps_of(held.id))
    return [Problem(d["code"], d["field"], d["facts"]) for d in first.detail.get("doubts", ())]


def verify(act: Act, held: HeldCertificate, reason: str) -> HeldCertificate:
    """Another person than the one who entered it has compared it with the paper or the national look-up.

    :raises SeparationOfDuties: the caller entered it.
    :raises WrongState: it does not await that.
    """
    require_reason(reason)
    require_other_person(act, who_did(held.id, "register"))
    with database.atomic():
        move(act, HELD_CERTIFICATE, held, "verify", reason=reason)
    return held


def strike(act: Act, held: HeldCertificate, reason: str) -> HeldCertificate:
    """Strike out what was entered by mistake; it stays readable.

    :raises NotAllowed: a base's clerk, and it is verified.
    :raises WrongState: it is struck out already.
    """
    require_reason(reason)
    with database.atomic():
        move(act, HELD_CERTIFICATE, held, "strike", reason=reason)
    return held


def number_of(vault: Vault, held: HeldCertificate) -> str:
    """The number as it was typed, in clear."""
    return vault.open(HeldCertificate.number, held.id, held.number)


def held_by(person_id: UUID) -> list[HeldCertificate]:
    """What a person holds from other bodies, in order of issue, struck ones too."""
    return list(
        HeldCertificate.select()
        .where(HeldCertificate.person == person_id)
        .order_by(HeldCertificate.issued_on, HeldCertificate.id)
    )
