"""Whose business a person is: the federation of where they live, and of where they were trained.

A base never reaches a person's file, only its own enrolments. Somebody who was never trained here is on
record by their residence, which an officer enters for the own division; the latest one counts.
"""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from peewee import CharField, DateField, ForeignKeyField, fn

from skills_registry import people
from skills_registry.bases import Base
from skills_registry.bases.applications import require_reason
from skills_registry.foundation.acts import Act, Role, require_role
from skills_registry.foundation.errors import FieldRefused, NotFound, RuleBroken
from skills_registry.foundation.identifiers import check_citizen_id, clean_name
from skills_registry.foundation.lifecycle import note
from skills_registry.foundation.storage import InstantField, Record, database
from skills_registry.people import Person
from skills_registry.training.classes import TrainingClass
from skills_registry.training.enrolments import Enrolment

#: Who may read and keep files of people: those who serve them.
OFFICERS: tuple[Role, ...] = ("county_officer", "city_officer")


class Residence(Record):
    """Where a person lives (常住地): a county's code from ``since`` on; the latest row is today's."""

    person = ForeignKeyField(Person, backref="residences", on_delete="RESTRICT")
    division_code = CharField(max_length=6)
    since = DateField()
    recorded_at = InstantField()
    person_id: UUID


class IdUnusable(FieldRefused):
    """What was typed is no citizen ID. Facts: ``detail_zh``, ``detail_en``."""

    code = "citizen_id_unusable"
    zh = "公民身份号码有误：{detail_zh}"
    en = "The citizen ID: {detail_en}"


class NameDiffers(RuleBroken):
    """The ID is on record under another name, which is not told."""

    code = "name_differs_from_record"
    zh = "该身份号码登记的姓名与所填姓名不同，请对照身份证核对；原登记有误的，请由登记地残联办理更正。"
    en = "This ID is on record under another name; compare with the ID card, or have the record corrected where it was made."


def usable_citizen_id(act: Act, typed: str) -> str:
    """A typed citizen ID in its one written form.

    :raises IdUnusable: it is none; the sentence says why and never repeats it.
    """
    checked = check_citizen_id(typed, act.today)
    wrong = next((problem for problem in checked.problems if problem.is_error), None)
    if wrong is not None:
        raise IdUnusable(field="citizen_id", detail_zh=wrong.sentence("zh"), detail_en=wrong.sentence("en"))
    return checked.text


def people_reached(act: Act) -> Any:
    """The people whose files are this caller's business, as a query of :class:`Person`."""
    if act.by.role not in OFFICERS:
        return Person.select().where(Person.id.in_([]))
    later = Residence.alias()
    moved_on = fn.EXISTS(later.select(later.id).where((later.person == Residence.person) & _is_later(later)))
    living = Residence.select(Residence.person).where(_covered(act, Residence.division_code) & ~moved_on)
    trained = (
        Enrolment.select(Enrolment.person)
        .join(TrainingClass)
        .join(Base)
        .where(_covered(act, Base.division_code))
    )
    return Person.select().where(Person.id.in_(living) | Person.id.in_(trained))


def _is_later(other: Any) -> Any:
    """That another residence began later; of two from the same day the one entered last counts."""
    same_day = (other.since == Residence.since) & (other.id > Residence.id)
    return (other.since > Residence.since) | same_day


def _covered(act: Act, column: Any) -> Any:
    """That a column holds a division which the caller's is, or contains (see ``Caller.covers``)."""
    own = act.by.division_code
    return column.startswith(own[:4]) if own.endswith("00") else column == own


def require_reached(act: Act, person: Person) -> None:
    """:raises NotFound: the person is not this caller's business; they answer as an unknown one does."""
    if not people_reached(act).where(Person.id == person.id).exists():
        raise NotFound()


def search(act: Act, citizen_id: str, reason: str) -> Person:
    """The person with this citizen ID, if they are the caller's business; both answers leave a step.

    :raises IdUnusable: what was typed is no citizen ID.
    :raises NotFound: there is nobody, or nobody whom this caller may know of.
    """
    require_role(act, *OFFICERS)
    require_reason(reason)
    person = people.find(act.vault, usable_citizen_id(act, citizen_id))
    if person is None or not people_reached(act).where(Person.id == person.id).exists():
        if act.by.account_id is not None:
            # Whoever tries numbers one after the other leaves a trail by their own account.
            note(act, "account", act.by.account_id, "search_person_in_vain", reason=reason)
        raise NotFound()
    note(act, "person", person.id, "search", reason=reason)
    return person


def settle(act: Act, *, citizen_id: str, name: str, division_code: str, since: date, reason: str) -> Person:
    """Enter where a person lives, and the person if new; the caller's federation serves them from then on.

    :raises IdUnusable: what was typed is no citizen ID.
    :raises FieldRefused: the division is not the caller's, the name cannot be used, or the day lies ahead.
    :raises NameDiffers: the ID is on record under another name.
    """
    require_role(act, *OFFICERS)
    require_reason(reason)
    number, cleaned = usable_citizen_id(act, citizen_id), clean_name(name)
    if not cleaned.is_sound:
        raise FieldRefused(field="name")
    if not act.by.covers(division_code) or division_code.endswith("00"):
        raise FieldRefused(field="division_code")
    if since > act.today:
        raise FieldRefused(field="since")
    known = people.find(act.vault, number)
    if known is not None and known.name_index != people.name_index(act.vault, cleaned.text):
        raise NameDiffers()
    with database.atomic():
        sex = check_citizen_id(number, act.today).sex or ""
        person = people.find_or_register(act, citizen_id=number, name=cleaned.text, sex=sex)
        Residence.create(person=person, division_code=division_code, since=since, recorded_at=act.at)
        detail = {"division_code": division_code}
        note(act, "person", person.id, "settle", reason=reason, detail=detail)
    return person


def residences_of(person_id: UUID) -> list[Residence]:
    """Where a person lived and lives, the latest last."""
    return list(
        Residence.select().where(Residence.person == person_id).order_by(Residence.since, Residence.id)
    )
