"""The yearly four services (四个一): what the federation did for a person who looks for work, entry by entry.

Each is due once a year for everybody with a wish to work; several in a year are several entries. An
entry is never changed: a wrong one is struck out with a reason and made again.
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

from peewee import CharField, DateField, ForeignKeyField

from skills_registry.bases.applications import require_reason
from skills_registry.foundation.acts import Act, Role, require_role
from skills_registry.foundation.errors import FieldRefused
from skills_registry.foundation.lifecycle import Lifecycle, Move, begin, move
from skills_registry.foundation.privacy import Vault
from skills_registry.foundation.storage import InstantField, Record, SealedField, database, new_id
from skills_registry.people import Person

_OFFICERS: frozenset[Role] = frozenset({"county_officer", "city_officer"})

EMPLOYMENT_SERVICE = Lifecycle(
    noun="employment_service",
    zh="就业服务记录",
    states={"recorded": ("已登记", "recorded"), "struck": ("已作废", "struck out")},
    moves=(Move("strike", "recorded", "struck", _OFFICERS),),
)

#: The four, in the order of the plan (二(九)).
SERVICES: dict[str, tuple[str, str]] = {
    "basic_information_check": ("基础信息核对", "basic-information check"),
    "vocational_assessment": ("职业能力评估", "vocational-ability assessment"),
    "job_seeking_registration": ("求职登记", "job-seeking registration"),
    "job_introduction": ("就业介绍服务", "job introduction"),
}


class ServiceEntry(Record):
    """One service given to a person on ``given_on`` by the office of ``division_code``; ``outcome`` is what
    came of it, in words, sealed."""

    person = ForeignKeyField(Person, backref="services", on_delete="RESTRICT")
    service = CharField(max_length=40)
    given_on = DateField()
    outcome = SealedField(null=True)
    division_code = CharField(max_length=6)
    status = CharField(max_length=20, default=EMPLOYMENT_SERVICE.first)
    recorded_at = InstantField()
    person_id: UUID


class DayInFuture(FieldRefused):
    """What has happened cannot lie ahead. Facts: ``field``."""

    code = "day_in_future"
    zh = "“{field}”不能晚于今天，请核对。"
    en = "'{field}' cannot lie after today; please check."


def require_past(day: date, act: Act, field: str) -> None:
    """:raises DayInFuture: the day lies after the day of this act."""
    if day > act.today:
        raise DayInFuture(field=field)


def record_service(act: Act, person: Person, service: str, given_on: date, outcome: str = "") -> ServiceEntry:
    """Enter a service that was given.

    :raises FieldRefused: there is no such service.
    :raises DayInFuture: it lies ahead.
    """
    require_role(act, *_OFFICERS)
    if service not in SERVICES:
        raise FieldRefused(field="service")
    require_past(given_on, act, "given_on")
    key = new_id()
    with database.atomic():
        entry = ServiceEntry.create(
            id=key,
            person=person,
            service=service,
            given_on=given_on,
            outcome=act.vault.seal(ServiceEntry.outcome, key, outcome) if outcome else None,
            division_code=act.by.division_code,
            recorded_at=act.at,
        )
        begin(act, EMPLOYMENT_SERVICE, entry, "record", detail={"service": service})
    return entry


def strike_service(act: Act, entry: ServiceEntry, reason: str) -> ServiceEntry:
    """Strike a wrong entry out, with a reason; it stays readable.

    :raises WrongState: it is struck out already.
    """
    require_reason(reason)
    with database.atomic():
        move(act, EMPLOYMENT_SERVICE, entry, "strike", reason=reason)
    return entry


def outcome_of(vault: Vault, entry: ServiceEntry) -> str:
    """What came of a service, in clear; empty where nothing was noted."""
    return vault.open(ServiceEntry.outcome, entry.id, entry.outcome) if entry.outcome else ""


def services_of(person_id: UUID) -> list[ServiceEntry]:
    """The services entered for a person, in order of their days, struck ones too."""
    return list(
        ServiceEntry.select()
        .where(ServiceEntry.person == person_id)
        .order_by(ServiceEntry.given_on, ServiceEntry.id)
    )


def missing_in(person_id: UUID, year: int) -> tuple[str, ...]:
    """Which of the four a person has not had in a year, in the order of the plan."""
    given = {
        entry.service
        for entry in ServiceEntry.select(ServiceEntry.service).where(
            (ServiceEntry.person == person_id)
            & (ServiceEntry.status == "recorded")
            & ServiceEntry.given_on.between(date(year, 1, 1), date(year, 12, 31))
        )
    }
    return tuple(service for service in SERVICES if service not in given)
