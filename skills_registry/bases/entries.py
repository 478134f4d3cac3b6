"""What stands in a base's file (基地档案): its licence, sites, teachers and equipment, as the base writes it.

The base's own clerk writes it. Every change makes a new version of the whole file, and who changes
something names the version they saw, so that of two clerks nobody overwrites the other unseen. An
entry is never deleted but taken out: an application or a snapshot may name it. Names are sealed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from peewee import (
    BooleanField,
    CharField,
    DateField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    ModelSelect,
    TextField,
)

from skills_registry.bases.listing import Base
from skills_registry.foundation.acts import Act, require_role
from skills_registry.foundation.errors import FieldRefused, NotAllowed, RuleBroken
from skills_registry.foundation.identifiers import clean_name
from skills_registry.foundation.lifecycle import note
from skills_registry.foundation.policy import Policy
from skills_registry.foundation.privacy import Vault
from skills_registry.foundation.storage import Record, SealedField, database, new_id

#: By what right a base uses a site.
TENURES: dict[str, tuple[str, str]] = {"own": ("自有", "own"), "leased": ("租赁", "leased")}


class BaseFile(Record):
    """The head of a base's file; ``version`` counts the changes of the file, sites and people included."""

    base = ForeignKeyField(Base, unique=True, on_delete="RESTRICT")
    legal_person = SealedField(null=True)
    licence = CharField(max_length=60, default="")
    licence_until = DateField(null=True)
    business_scope = TextField(default="")
    registered_on = DateField(null=True)
    version = IntegerField(default=0)


class Site(Record):
    """A place where the base trains: ``area`` in m², ``capacity`` in places, ``accessibility`` as codes
    of the policy. ``standing`` is false once it was taken out."""

    base = ForeignKeyField(Base, backref="sites", on_delete="RESTRICT")
    name = CharField(max_length=120)
    address = CharField(max_length=200)
    area = IntegerField()
    capacity = IntegerField()
    tenure = CharField(max_length=10)
    tenure_until = DateField(null=True)
    accessibility = JSONField()
    standing = BooleanField(default=True)
    base_id: UUID


class Teacher(Record):
    """A teacher on the roster: what they are qualified for, at which level, for which course."""

    base = ForeignKeyField(Base, backref="teachers", on_delete="RESTRICT")
    name = SealedField()
    qualification = CharField(max_length=120)
    level = CharField(max_length=60)
    full_time = BooleanField()
    course = CharField(max_length=120)
    standing = BooleanField(default=True)
    base_id: UUID


class Equipment(Record):
    """Equipment for training: what, which model, how many."""

    base = ForeignKeyField(Base, backref="equipment", on_delete="RESTRICT")
    name = CharField(max_length=120)
    model = CharField(max_length=120)
    quantity = IntegerField()
    standing = BooleanField(default=True)
    base_id: UUID


Entry = TypeVar("Entry", Site, Teacher, Equipment)

#: The parts of the file that are lists, by the name that steps and the API give one entry.
ENTRIES: dict[str, type[Site] | type[Teacher] | type[Equipment]] = {
    "site": Site,
    "teacher": Teacher,
    "equipment": Equipment,
}


@dataclass(frozen=True)
class Identity:
    """What the head of the file says; the credit code stands in the register and is not written here."""

    legal_person: str
    licence: str
    licence_until: date | None
    business_scope: str
    registered_on: date | None


@dataclass(frozen=True)
class SiteFacts:
    """What is entered about a site; see :class:`Site`."""

    name: str
    address: str
    area: int
    capacity: int
    tenure: str
    tenure_until: date | None
    accessibility: list[str]


@dataclass(frozen=True)
class TeacherFacts:
    """What is entered about a teacher; see :class:`Teacher`."""

    name: str
    qualification: str
    level: str
    full_time: bool
    course: str


@dataclass(frozen=True)
class EquipmentFacts:
    """What is entered about equipment; see :class:`Equipment`."""

    name: str
    model: str
    quantity: int


Facts = SiteFacts | TeacherFacts | EquipmentFacts


class ChangedMeanwhile(RuleBroken):
    """Facts: ``version``."""

    code = "changed_meanwhile"
    zh = "档案刚刚被他人修改（现为第{version}版），请刷新后再修改。"
    en = "The file was changed meanwhile (it is version {version} now); load it again before changing it."


def require_own_clerk(act: Act, base: Base) -> None:
    """:raises NotAllowed: the caller is no clerk of this base."""
    require_role(act, "base_clerk")
    if act.by.organisation_id != base.organisation_id:
        raise NotAllowed()


def _require_name(field: str, text: str) -> str:
    checked = clean_name(text)
    wrong = next((problem for problem in checked.problems if problem.is_error), None)
    if wrong is not None:
        raise FieldRefused(code=wrong.code, zh=wrong.sentence("zh"), en=wrong.sentence("en"), field=field)
    return checked.text


def _require_sound_site(act: Act, facts: SiteFacts) -> None:
    if facts.tenure not in TENURES or (facts.tenure == "leased") != (facts.tenure_until is not None):
        raise FieldRefused(field="tenure_until" if facts.tenure in TENURES else "tenure")
    known = {feature["code"] for feature in accessibility_features(act.policy, act.today)}
    if not set(facts.accessibility) <= known:
        raise FieldRefused(field="accessibility")


def write_identity(act: Act, base: Base, identity: Identity, *, version: int) -> BaseFile:
    """Write the head of the file anew; ``version`` is the one that the writer saw.

    :raises NotAllowed: the caller is no clerk of this base.
    :raises FieldRefused: the legal person's name is no name, or the registration lies in the future.
    :raises ChangedMeanwhile: the file has another version by now.
    """
    require_own_clerk(act, base)
    name = _require_name("legal_person", identity.legal_person) if identity.legal_person.strip() else ""
    if identity.registered_on is not None and identity.registered_on > act.today:
        raise FieldRefused(field="registered_on")
    with _changing(act, base, "write_file", version=version) as file:
        BaseFile.update(
            legal_person=_sealed(act.vault, BaseFile.legal_person, file.id, file.legal_person, name),
            licence=identity.licence.strip(),
            licence_until=identity.licence_until,
            business_scope=identity.business_scope.strip(),
            registered_on=identity.registered_on,
        ).where(BaseFile.id == file.id).execute()
    return file_of(base)


def add_site(act: Act, base: Base, facts: SiteFacts) -> Site:
    """Enter a site.

    :raises NotAllowed: the caller is no clerk of this base.
    :raises FieldRefused: the tenure or an accessibility feature is unknown, or a lease has no last day.
    """
    return _add(act, base, Site, facts)


def add_teacher(act: Act, base: Base, facts: TeacherFacts) -> Teacher:
    """Enter a teacher.

    :raises NotAllowed: the caller is no clerk of this base.
    :raises FieldRefused: the name is no name.
    """
    return _add(act, base, Teacher, facts)


def add_equipment(act: Act, base: Base, facts: EquipmentFacts) -> Equipment:
    """Enter equipment.

    :raises NotAllowed: the caller is no clerk of this base.
    """
    return _add(act, base, Equipment, facts)


def _add(act: Act, base: Base, table: type[Entry], facts: Facts) -> Entry:
    require_own_clerk(act, base)
    key = new_id()
    columns = _columns(act, facts, key, None)
    with _changing(act, base, f"add_{_noun(table)}", entry=key):
        return table.create(id=key, base=base, **columns)


def change(act: Act, entry: Entry, facts: Facts, *, version: int) -> Entry:
    """Write an entry anew; ``version`` is the file's, as the writer saw it.

    :raises NotAllowed: the caller is no clerk of this base.
    :raises FieldRefused: as when it was entered.
    :raises ChangedMeanwhile: the file has another version by now.
    """
    require_own_clerk(act, entry.base)
    table = type(entry)
    columns = _columns(act, facts, entry.id, getattr(entry, "name", None))
    with _changing(act, entry.base, f"change_{_noun(table)}", version=version, entry=entry.id):
        table.update(**columns).where(table.id == entry.id).execute()
    return table.get_by_id(entry.id)


def take_out(act: Act, entry: Entry) -> None:
    """Take an entry out of the file; earlier snapshots keep it. Doing it twice is once.

    :raises NotAllowed: the caller is no clerk of this base.
    """
    require_own_clerk(act, entry.base)
    table = type(entry)
    if not entry.standing:
        return
    with _changing(act, entry.base, f"take_out_{_noun(table)}", entry=entry.id):
        table.update(standing=False).where(table.id == entry.id).execute()
    entry.standing = False


def _noun(table: type[Record]) -> str:
    return next(noun for noun, known in ENTRIES.items() if known is table)


def _columns(act: Act, facts: Facts, row: UUID, sealed_before: Any) -> dict[str, Any]:
    columns = dict(vars(facts))
    if isinstance(facts, SiteFacts):
        _require_sound_site(act, facts)
        columns["accessibility"] = sorted(set(facts.accessibility))
    elif isinstance(facts, TeacherFacts):
        name = _require_name("name", facts.name)
        columns["name"] = _sealed(act.vault, Teacher.name, row, sealed_before, name)
    return columns


def _sealed(vault: Vault, column: Any, row: UUID, before: bytes | None, text: str) -> bytes | None:
    # An unchanged name keeps its sealed bytes, so that a snapshot of an unchanged file stays the same.
    if not text:
        return None
    return before if before and vault.open(column, row, before) == text else vault.seal(column, row, text)


@contextmanager
def _changing(
    act: Act, base: Base, action: str, *, version: int | None = None, entry: UUID | None = None
) -> Iterator[BaseFile]:
    """One change of the file in one transaction; its first write takes the next version, or finds it taken."""
    with database.atomic():
        BaseFile.insert(base=base).on_conflict_ignore().execute()
        here = BaseFile.base == base.id
        seen = here if version is None else here & (BaseFile.version == version)
        taken = BaseFile.update(version=BaseFile.version + 1).where(seen).execute()
        file = BaseFile.get(BaseFile.base == base.id)
        if taken != 1:
            raise ChangedMeanwhile(version=file.version)
        yield file
        note(act, "base", base.id, action, detail={"entry": str(entry)} if entry else {})


def file_of(base: Base) -> BaseFile:
    """The head of a base's file; an empty one, version 0, when nothing has been written."""
    found: BaseFile | None = BaseFile.get_or_none(BaseFile.base == base.id)
    return found or BaseFile(base=base)


def teacher_name(vault: Vault, teacher: Teacher) -> str:
    """A teacher's name in clear."""
    return vault.open(Teacher.name, teacher.id, teacher.name)


def entries_of(base: Base, table: type[Entry]) -> ModelSelect[Entry]:
    """The sites, teachers or equipment that stand in a base's file, in the order of their entry."""
    return table.select().where((table.base == base.id) & table.standing).order_by(table.id)


def accessibility_features(policy: Policy, on: date) -> list[Mapping[str, str]]:
    """The accessibility features that a site can have: ``code``, ``zh``, ``en``."""
    features: list[Mapping[str, str]] = policy.rule("base_file", on)["accessibility_features"]
    return features
