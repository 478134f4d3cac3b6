"""Erasure (删除个人信息): asked for by the person, carried out by another officer than the one who filed it.

What is erased at once is all that no law asks for: phone, card, particulars of the roster, employer, service
notes, numbers of other bodies' certificates, values of corrections, uploaded rows and scanned papers. The ID
number and the name in classes are evidence of money that was paid; they stay, sealed and for nobody's use,
until the policy's years are over, and then go too. What remains is a tombstone: rows that count, without a
name. A certificate is a public act: it stays provable as it was issued (个人信息保护法 Art. 47; DOMAIN §7.1).
"""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from peewee import CharField, ForeignKeyField

from skills_registry import people
from skills_registry.bases.applications import require_reason
from skills_registry.certification.held import HeldCertificate
from skills_registry.competitions.entries import CompetitionEntry
from skills_registry.documents import Document, Shelf
from skills_registry.employment import Employment, ServiceEntry
from skills_registry.foundation.acts import Act, require_other_person, require_role
from skills_registry.foundation.errors import FieldRefused, RuleBroken
from skills_registry.foundation.lifecycle import Lifecycle, Move, begin, move, note, who_did
from skills_registry.foundation.storage import InstantField, Record, database
from skills_registry.people import Person
from skills_registry.person_files import CorrectionRequest, require_reached
from skills_registry.person_files.reach import OFFICERS
from skills_registry.training.classes import RUNNING, TrainingClass
from skills_registry.training.consents import Consent
from skills_registry.training.enrolments import Enrolment
from skills_registry.training.uploads import Upload, UploadRow

#: What stands where a name stood, and where an ID number did.
NAMELESS, NUMBERLESS = "已删除", "*" * 18

ERASURE = Lifecycle(
    noun="erasure",
    zh="个人信息删除申请",
    states={
        "requested": ("已申请", "requested"),
        "carried_out": ("已删除", "carried out"),
        "refused": ("不予删除", "refused"),
    },
    moves=(
        Move("carry_out", "requested", "carried_out", frozenset({"city_officer"})),
        Move("refuse", "requested", "refused", frozenset({"city_officer"})),
    ),
)

#: Who asks: the person, or whoever acts for them by law.
ASKED_BY: dict[str, tuple[str, str]] = {
    "person": ("本人", "the person"),
    "guardian": ("监护人", "the guardian"),
}


class Erasure(Record):
    """One request that a person's data be erased; the steps tell who filed it, who answered it and why."""

    person = ForeignKeyField(Person, backref="erasures", on_delete="RESTRICT")
    asked_by = CharField(max_length=20)
    status = CharField(max_length=20, default=ERASURE.first)
    requested_at = InstantField()
    person_id: UUID


class ErasurePending(RuleBroken):
    """A request of this person awaits its answer, or was carried out."""

    code = "erasure_pending"
    zh = "此人的删除申请正在办理或已办结。"
    en = "An erasure for this person is under way or done."


class StillInTraining(RuleBroken):
    """The person is in a class or an event that is not over. Facts: ``until``."""

    code = "still_in_training"
    zh = "此人所在的培训班{until}才结束或尚未办结，请先办理退班，或在结业后再删除。"
    en = "The person is in a class that runs until {until} or is not settled; withdraw them, or wait."


def request(act: Act, person: Person, *, asked_by: str, reason: str) -> Erasure:
    """File somebody's wish to be erased; the reason names what it rests on.

    :raises NotFound: the person is not the caller's business.
    :raises FieldRefused: no reason is given, or nobody who may ask asks.
    :raises ErasurePending: there is one already.
    """
    require_role(act, *OFFICERS)
    require_reached(act, person)
    require_reason(reason)
    if asked_by not in ASKED_BY:
        raise FieldRefused(field="asked_by")
    with database.atomic():
        # The first write: of two officers who file the same wish, one waits here.
        Person.update(sex=Person.sex).where(Person.id == person.id).execute()
        if Erasure.select().where((Erasure.person == person.id) & (Erasure.status != "refused")).exists():
            raise ErasurePending()
        asked = Erasure.create(person=person, asked_by=asked_by, requested_at=act.at)
        begin(act, ERASURE, asked, "request", detail={"asked_by": asked_by})
        note(act, "person", person.id, "request_erasure", reason=reason, detail={"erasure": str(asked.id)})
    return asked


def refuse(act: Act, asked: Erasure, reason: str) -> Erasure:
    """Nothing is erased, for a reason that the person can be told.

    :raises SeparationOfDuties: the caller filed the request.
    :raises WrongState: it is answered already.
    """
    require_reason(reason)
    require_other_person(act, who_did(asked.id, "request"))
    require_reached(act, asked.person)
    with database.atomic():
        move(act, ERASURE, asked, "refuse", reason=reason)
        note(act, "person", asked.person_id, "refuse_erasure", reason=reason)
    return asked


def carry_out(act: Act, asked: Erasure, reason: str, shelf: Shelf) -> Erasure:
    """Erase what no law asks for; ID number and names too, unless they are evidence for some years yet.

    :raises SeparationOfDuties: the caller filed the request.
    :raises StillInTraining: a class of the person is not over.
    :raises WrongState: it is answered already.
    """
    require_reason(reason)
    require_other_person(act, who_did(asked.id, "request"))
    require_reached(act, asked.person)
    person = Person.get_by_id(asked.person_id)
    _require_nothing_open(person)
    kept_until = evidence_until(act, person)
    detail = {"identity_kept_until": kept_until.isoformat() if kept_until else None}
    with database.atomic():
        move(act, ERASURE, asked, "carry_out", reason=reason, detail=detail)
        papers = _erase_what_is_not_needed(act, person)
        if kept_until is None:
            erase_identity(act, person)
        note(act, "person", person.id, "erase", reason=reason, detail=detail)
    for digest in papers:
        if not Document.select().where(Document.digest == digest).exists():
            shelf.remove(digest)
    return asked


def _require_nothing_open(person: Person) -> None:
    running = (
        TrainingClass.select(TrainingClass.ends_on)
        .join(Enrolment)
        .where(
            (Enrolment.person == person.id)
            & (Enrolment.status == "enrolled")
            & TrainingClass.status.in_(("filed", *RUNNING))
        )
        .order_by(TrainingClass.ends_on.desc())
        .first()
    )
    if running is not None:
        raise StillInTraining(until=running.ends_on)


def evidence_until(act: Act, person: Person) -> date | None:
    """The last day on which ID number and names are evidence of money that was paid; None once it is over."""
    years = act.policy.rule("erasure", act.today)["evidence_years"]
    trained = TrainingClass.select().join(Enrolment).where(Enrolment.person == person.id)
    ends = [training_class.ends_on for training_class in trained]
    ends += [row.event.competition.ends_on for row in _entries(person)]
    last = max(ends, default=None)
    if last is None:
        return None
    until = date(last.year + years, 12, 31)
    return until if act.today <= until else None


def _entries(person: Person) -> list[CompetitionEntry]:
    return list(CompetitionEntry.select().where(CompetitionEntry.person == person.id))


def _erase_what_is_not_needed(act: Act, person: Person) -> set[str]:
    """Erase it; the digests of the papers that hung on it."""
    own = {table: table.person == person.id for table in (Employment, ServiceEntry, HeldCertificate)}
    _remove_uploaded_rows(act, person)
    papers = _remove_papers(person)
    Person.update(disability_card=None).where(Person.id == person.id).execute()
    Enrolment.update(phone=None, particulars=None, accommodations_given=None).where(
        Enrolment.person == person.id
    ).execute()
    Employment.update(employer=None, uscc=None, uscc_index=None).where(own[Employment]).execute()
    ServiceEntry.update(outcome=None).where(own[ServiceEntry]).execute()
    CompetitionEntry.update(publish=False).where(CompetitionEntry.person == person.id).execute()
    for held in HeldCertificate.select().where(own[HeldCertificate]):
        held.number = act.vault.seal(HeldCertificate.number, held.id, NAMELESS)
        held.number_index = act.vault.index("erased", str(held.id))
        held.save(only=[HeldCertificate.number, HeldCertificate.number_index])
    for asked in CorrectionRequest.select().where(CorrectionRequest.person == person.id):
        empty_correction(act, asked)
    return papers


def empty_correction(act: Act, asked: CorrectionRequest) -> None:
    """Forget both values of a request for correction; that there was one stays."""
    asked.old_value = None
    asked.new_value = act.vault.seal(CorrectionRequest.new_value, asked.id, "")
    asked.save(only=[CorrectionRequest.old_value, CorrectionRequest.new_value])


def _remove_papers(person: Person) -> set[str]:
    consents = Consent.select(Consent.id).join(Enrolment).where(Enrolment.person == person.id)
    owned: dict[str, Any] = {"consent": consents}
    for noun, table in (("employment", Employment), ("held_certificate", HeldCertificate)):
        owned[noun] = table.select(table.id).where(table.person == person.id)
    digests: set[str] = set()
    for noun, ids in owned.items():
        papers = (Document.owner == noun) & Document.owner_id.in_([row.id for row in ids])
        digests |= {paper.digest for paper in Document.select(Document.digest).where(papers)}
        Document.delete().where(papers).execute()
    return digests


def _remove_uploaded_rows(act: Act, person: Person) -> None:
    """Rows of sheets that were sent for the person's classes and hold the ID number."""
    number = people.citizen_id_of(act.vault, person)
    classes = Enrolment.select(Enrolment.training_class).where(Enrolment.person == person.id)
    rows = UploadRow.select().join(Upload).where(Upload.training_class.in_(classes))
    for row in list(rows):
        if number in act.vault.open(UploadRow.content, row.id, row.content):
            row.delete_instance()


def erase_identity(act: Act, person: Person) -> None:
    """Put the tombstone: the person cannot be found any more, and neither file nor class tells a name."""
    Person.update(
        citizen_id=act.vault.seal(Person.citizen_id, person.id, NUMBERLESS),
        citizen_id_index=act.vault.index("erased", str(person.id)),
        name=act.vault.seal(Person.name, person.id, NAMELESS),
        name_index=act.vault.index("erased", NAMELESS),
    ).where(Person.id == person.id).execute()
    for enrolment in Enrolment.select().where(Enrolment.person == person.id):
        enrolment.name = act.vault.seal(Enrolment.name, enrolment.id, NAMELESS)
        enrolment.name_index = act.vault.index("erased", str(enrolment.id))
        enrolment.save(only=[Enrolment.name, Enrolment.name_index])
    for entry in _entries(person):
        entry.name = act.vault.seal(CompetitionEntry.name, entry.id, NAMELESS)
        entry.save(only=[CompetitionEntry.name])


def identity_due(act: Act) -> list[Person]:
    """People who were erased while their ID number was evidence, and whose years are over now."""
    erased = Erasure.select(Erasure.person).where(Erasure.status == "carried_out")
    waiting = Person.select().where(Person.id.in_(erased))
    gone = {person.id: act.vault.index("erased", str(person.id)) for person in waiting}
    return [
        person
        for person in waiting
        if person.citizen_id_index != gone[person.id] and evidence_until(act, person) is None
    ]
