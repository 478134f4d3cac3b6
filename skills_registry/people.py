"""People (学员): one person, one record, whichever base trains them.

A person is found by citizen ID through a blind index and never duplicated. What an enrolment says
about a person stays with the enrolment; a different name for a known ID is a question for the
county officer, never an answer for the base.
"""

from __future__ import annotations

from uuid import UUID

from peewee import CharField, IntegrityError

from skills_registry.foundation.acts import Act
from skills_registry.foundation.identifiers import name_match_key
from skills_registry.foundation.privacy import Vault
from skills_registry.foundation.storage import BytesField, InstantField, Record, SealedField, database, new_id


class Person(Record):
    """A person on record; ``name`` is the name first recorded, exactly as entered."""

    citizen_id = SealedField()
    citizen_id_index = BytesField(unique=True)
    name = SealedField()
    name_index = BytesField()
    disability_card = SealedField(null=True)
    sex = CharField(max_length=10)
    created_at = InstantField()


def citizen_id_index(vault: Vault, citizen_id: str) -> bytes:
    """The blind index under which a citizen ID is found."""
    return vault.index("citizen_id", citizen_id)


def name_index(vault: Vault, name: str) -> bytes:
    """The blind index of a name's match key: equal for spellings of one name."""
    return vault.index("name", name_match_key(name))


def find(vault: Vault, citizen_id: str) -> Person | None:
    """The person with this citizen ID, or None."""
    return Person.get_or_none(Person.citizen_id_index == citizen_id_index(vault, citizen_id))


def find_or_register(act: Act, *, citizen_id: str, name: str, sex: str, disability_card: str = "") -> Person:
    """The person with this citizen ID, entered on record if new; a card number is kept when none was."""
    person = find(act.vault, citizen_id)
    if person is None:
        person = _register(act, citizen_id, name, sex)
    if disability_card and person.disability_card is None:
        person.disability_card = act.vault.seal(Person.disability_card, person.id, disability_card)
        person.save(only=[Person.disability_card])
    return person


def _register(act: Act, citizen_id: str, name: str, sex: str) -> Person:
    key = new_id()
    try:
        with database.atomic():
            return Person.create(
                id=key,
                citizen_id=act.vault.seal(Person.citizen_id, key, citizen_id),
                citizen_id_index=citizen_id_index(act.vault, citizen_id),
                name=act.vault.seal(Person.name, key, name),
                name_index=name_index(act.vault, name),
                sex=sex,
                created_at=act.at,
            )
    except IntegrityError:
        # Another upload entered the same person a moment ago; theirs is the record.
        return Person.get(Person.citizen_id_index == citizen_id_index(act.vault, citizen_id))


def citizen_id_of(vault: Vault, person: Person) -> str:
    """A person's citizen ID in clear; callers are few and each is an act that is accounted for."""
    return vault.open(Person.citizen_id, person.id, person.citizen_id)


def name_of(vault: Vault, person_id: UUID) -> str:
    """The name under which a person was first recorded, in clear."""
    person = Person.get_by_id(person_id)
    return vault.open(Person.name, person.id, person.name)
