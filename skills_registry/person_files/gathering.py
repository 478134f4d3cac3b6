"""Gathering a person's file (归集): what every room has on record about one person, in order of time.

A file is gathered anew at each reading and kept nowhere. Numbers of identity are masked unless the file
is for the person, who is entitled to a whole copy (个人信息保护法 Art. 45); the birth date is left out with
them, since beside the last four characters it would tell the whole number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from skills_registry import people
from skills_registry.bases.applications import require_reason
from skills_registry.certification.certificates import Certificate
from skills_registry.certification.held import HeldCertificate, held_by, number_of
from skills_registry.employment import (
    Employment,
    ServiceEntry,
    employer_of,
    employments_of,
    missing_in,
    outcome_of,
    services_of,
    uscc_of,
)
from skills_registry.foundation import audit
from skills_registry.foundation.acts import Act
from skills_registry.foundation.identifiers import masked_citizen_id
from skills_registry.people import Person
from skills_registry.person_files.corrections import (
    CorrectionRequest,
    corrections_of,
    new_value_of,
    old_value_of,
    present_value,
)
from skills_registry.person_files.reach import Residence, require_reached, residences_of
from skills_registry.training import enrolments
from skills_registry.training.attendance import MARKS, Attendance, in_class
from skills_registry.training.classes import TrainingClass
from skills_registry.training.consents import Consent, consents_of
from skills_registry.training.enrolments import Enrolment, Result
from skills_registry.training.particulars import accommodations_given, particulars_of


@dataclass(frozen=True)
class Training:
    """One class of the person, as it was entered there: every result, every mark that counts, every consent.

    ``particulars`` and ``given`` are what the roster said of the person and which accommodations they got.
    """

    enrolment: Enrolment
    training_class: TrainingClass
    base_name: str
    name: str = field(repr=False)
    results: tuple[Result, ...] = ()
    attendance: tuple[Attendance, ...] = ()
    consents: tuple[Consent, ...] = ()
    particulars: Mapping[str, Any] = field(default_factory=dict, repr=False)
    given: tuple[Mapping[str, str], ...] = field(default=(), repr=False)

    @property
    def result(self) -> Result | None:
        """The result that counts."""
        return next((result for result in self.results if result.current), None)

    @property
    def hours(self) -> Decimal | None:
        """The hours attended, of 45 minutes: by the sessions where they are recorded, else by the result."""
        if self.attendance:
            present = (row.session.class_hours for row in self.attendance if row.mark == "present")
            return sum(present, Decimal(0))
        return None if self.result is None else self.result.hours

    @property
    def marks(self) -> dict[str, int]:
        """How many sessions of each mark; empty where no attendance is recorded."""
        counted = {mark: sum(row.mark == mark for row in self.attendance) for mark in MARKS}
        return counted if self.attendance else {}


@dataclass(frozen=True)
class HeldEntry:
    """A certificate of another body, with its number in clear."""

    record: HeldCertificate
    number: str = field(repr=False)


@dataclass(frozen=True)
class ServiceGiven:
    """One of the yearly four, with what came of it."""

    record: ServiceEntry
    outcome: str = field(repr=False)


@dataclass(frozen=True)
class AtWork:
    """One employment, with the employer in clear."""

    record: Employment
    employer: str = field(repr=False)
    uscc: str = field(repr=False)


@dataclass(frozen=True)
class Corrected:
    """A request for correction, with both values; numbers of identity masked as in the whole file."""

    record: CorrectionRequest
    old_value: str = field(repr=False)
    new_value: str = field(repr=False)


@dataclass(frozen=True)
class PersonFile:
    """One person's file as of ``made_at``; ``whole`` when the numbers of identity are not masked."""

    person: Person
    made_at: datetime
    year: int
    whole: bool
    name: str = field(repr=False)
    citizen_id: str = field(repr=False)
    disability_card: str = field(repr=False)
    birth_date: date | None = field(repr=False)
    residences: tuple[Residence, ...]
    trainings: tuple[Training, ...]
    certificates: tuple[Certificate, ...]
    held: tuple[HeldEntry, ...]
    services: tuple[ServiceGiven, ...]
    missing_services: tuple[str, ...]
    employments: tuple[AtWork, ...]
    corrections: tuple[Corrected, ...]


def read_file(act: Act, person: Person, reason: str, *, whole: bool = False) -> PersonFile:
    """The file of a person, for a reason that is logged; ``whole`` numbers are logged as such.

    :raises NotFound: the person is not the caller's business.
    :raises FieldRefused: no reason is given.
    """
    require_reason(reason)
    require_reached(act, person)
    audit.read(act, "person", person.id, reason)
    if whole:
        audit.read(act, "citizen_id", person.id, reason)
    return gather(act, person, whole=whole)


def gather(act: Act, person: Person, *, whole: bool) -> PersonFile:
    """Everything on record about a person; whoever calls has made sure that it may be read."""
    vault = act.vault
    citizen_id = people.citizen_id_of(vault, person)
    card = present_value(vault, person, "disability_card")
    return PersonFile(
        person=person,
        made_at=act.at,
        year=act.today.year,
        whole=whole,
        name=present_value(vault, person, "name"),
        citizen_id=_shown(citizen_id, "citizen_id", whole=whole),
        disability_card=_shown(card, "disability_card", whole=whole),
        birth_date=_birth_date(citizen_id) if whole else None,
        residences=tuple(residences_of(person.id)),
        trainings=tuple(_trainings(act, person)),
        certificates=tuple(
            Certificate.select().where(Certificate.person == person.id).order_by(Certificate.id)
        ),
        held=tuple(HeldEntry(held, number_of(vault, held)) for held in held_by(person.id)),
        services=tuple(ServiceGiven(entry, outcome_of(vault, entry)) for entry in services_of(person.id)),
        missing_services=missing_in(person.id, act.today.year),
        employments=tuple(
            AtWork(row, employer_of(vault, row), uscc_of(vault, row)) for row in employments_of(person.id)
        ),
        corrections=tuple(corrected(act, asked, whole=whole) for asked in corrections_of(person.id)),
    )


def _birth_date(citizen_id: str) -> date | None:
    # Of somebody who was erased no number stands.
    if not citizen_id[:17].isdecimal():
        return None
    return date(int(citizen_id[6:10]), int(citizen_id[10:12]), int(citizen_id[12:14]))


def _shown(number: str, field: str, *, whole: bool) -> str:
    """A value as the file shows it. The end of a card's number tells category and grade, so none of it shows."""
    if whole or field not in ("citizen_id", "disability_card"):
        return number
    return masked_citizen_id(number) if number and field == "citizen_id" else "*" * len(number)


def corrected(act: Act, asked: CorrectionRequest, *, whole: bool) -> Corrected:
    """A request with both values; numbers of identity are masked unless it is shown ``whole``."""
    values = (old_value_of(act.vault, asked), new_value_of(act.vault, asked))
    old, new = (_shown(value, asked.field, whole=whole) for value in values)
    return Corrected(asked, old, new)


def _trainings(act: Act, person: Person) -> list[Training]:
    rows: Any = (
        Enrolment.select(Enrolment, TrainingClass)
        .join(TrainingClass)
        .where(Enrolment.person == person.id)
        .order_by(TrainingClass.starts_on, Enrolment.id)
    )
    return [_training(act, row, row.training_class) for row in rows]


def _training(act: Act, enrolment: Enrolment, training_class: TrainingClass) -> Training:
    marked = in_class(training_class).where(Attendance.enrolment == enrolment.id)
    return Training(
        enrolment=enrolment,
        training_class=training_class,
        base_name=training_class.base.name,
        name=enrolments.name_of(act.vault, enrolment),
        results=tuple(enrolment.results.order_by(Result.id)),
        attendance=tuple(sorted(marked, key=lambda row: (row.session.on, row.session.starts_at))),
        consents=tuple(consents_of(enrolment)),
        particulars=particulars_of(act.vault, enrolment),
        given=tuple(accommodations_given(act.vault, enrolment)),
    )
