"""Certificates (证书) on record: what was printed, signed and numbered, and what became of each.

A row keeps the exact statement that was signed, its seal, and every printed text, so that a later
correction of a person or a base never changes an old certificate: correcting means reissuing.

A certificate stands on a ground: ``training_completion`` on an enrolment, its class and its base,
``competition_award`` on an entry in a competition, which belongs to a room further up and is known
here by its id (docs/decisions/0008).
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import Any, cast
from uuid import UUID

from peewee import CharField, DateField, ForeignKeyField, IntegerField, UUIDField

from skills_registry import people
from skills_registry.bases import Base, left_on, listing_on
from skills_registry.certification.printed import CertificatePaper, Printed, PrintedAward
from skills_registry.certification.record import OnRecord, Status
from skills_registry.certification.statement import Statement, commitment
from skills_registry.foundation.acts import Act, Role
from skills_registry.foundation.errors import FieldRefused, NotFound
from skills_registry.foundation.identifiers import parse_certificate_number
from skills_registry.foundation.levels import level
from skills_registry.foundation.lifecycle import Lifecycle, Move, latest_state
from skills_registry.foundation.privacy import TamperedValue, Vault
from skills_registry.foundation.storage import BytesField, InstantField, Record, SealedField
from skills_registry.people import Person
from skills_registry.training.classes import TrainingClass
from skills_registry.training.enrolments import Enrolment

_CITY: frozenset[Role] = frozenset({"city_officer"})

CERTIFICATE = Lifecycle(
    noun="certificate",
    zh="证书",
    states={
        "valid": ("有效", "valid"),
        "suspended": ("暂停", "suspended"),
        "revoked": ("已撤销", "revoked"),
        "superseded": ("已被替代", "superseded"),
    },
    moves=(
        Move("suspend", "valid", "suspended", _CITY),
        Move("reinstate", "suspended", "valid", _CITY),
        Move("revoke", "valid", "revoked", _CITY),
        Move("revoke", "suspended", "revoked", _CITY),
        Move("reissue", "valid", "superseded", _CITY),
    ),
)

#: Kinds that this registry issues; all others are registered as held, never drawn (DOMAIN §3.1).
CERTIFICATE_KINDS: dict[str, tuple[str, str]] = {
    "training_completion": ("职业技能培训合格证书", "Certificate of Training Completion"),
    "competition_award": ("技能竞赛获奖证书", "Skills Competition Award"),
}


class Certificate(Record):
    """One certificate, exactly as issued. ``statement_id`` are the 16 random bytes in its code.

    ``base_name`` is who issues: the base, or the organiser of the competition. ``subject`` is what was
    learned, or the event; ``starts_on`` to ``ends_on`` the class, or the competition. ``entry_id``,
    ``competition`` and ``prize`` are an award's alone, as enrolment, class and base are a training's.
    """

    statement_id = BytesField(unique=True)
    number = CharField(max_length=30, unique=True)
    division_code = CharField(max_length=6)
    year = IntegerField()
    serial = IntegerField()
    kind = CharField(max_length=30)
    enrolment = ForeignKeyField(Enrolment, null=True, backref="certificates", on_delete="RESTRICT")
    training_class = ForeignKeyField(TrainingClass, null=True, backref="certificates", on_delete="RESTRICT")
    entry_id = UUIDField(null=True)
    person = ForeignKeyField(Person, backref="certificates", on_delete="RESTRICT")
    base = ForeignKeyField(Base, null=True, backref="certificates", on_delete="RESTRICT")
    name = SealedField()
    template = CharField(max_length=60)
    base_name = CharField(max_length=120)
    subject = CharField(max_length=120)
    competition = CharField(max_length=120, null=True)
    prize = CharField(max_length=40, null=True)
    occupation_edition = CharField(max_length=4)
    occupation_code = CharField(max_length=12)
    level = CharField(max_length=30)
    class_hours = IntegerField()
    starts_on = DateField()
    ends_on = DateField()
    issued_on = DateField()
    expires_on = DateField(null=True)
    registered_with = CharField(max_length=120)
    status_index = IntegerField(unique=True)
    statement = BytesField(unique=True)
    key_id = BytesField()
    signature = BytesField()
    status = CharField(max_length=20, default=CERTIFICATE.first)
    replaces = ForeignKeyField("self", null=True, unique=True, on_delete="RESTRICT")
    issued_at = InstantField()
    enrolment_id: UUID | None
    training_class_id: UUID | None
    person_id: UUID
    base_id: UUID | None
    replaces_id: UUID | None

    class Meta:
        indexes = ((("division_code", "year", "serial"), True),)


# One certificate of a kind per enrolment, held by the database itself; only a superseded one gives way.
Certificate.add_index(
    Certificate.index(
        Certificate.enrolment,
        Certificate.kind,
        unique=True,
        name="certificate_standing",
        where=(Certificate.status != "superseded"),
    )
)
# One award in use for an entry; a revoked one gives way too, since a result may be corrected after it.
Certificate.add_index(
    Certificate.index(
        Certificate.entry_id,
        unique=True,
        name="certificate_award",
        where=(Certificate.status != "superseded") & (Certificate.status != "revoked"),
    )
)


def printed_of(vault: Vault, certificate: Certificate) -> CertificatePaper:
    """What stands on this certificate's paper, from its own columns."""
    if certificate.kind == "competition_award":
        return _printed_award(vault, certificate)
    return Printed(
        template=certificate.template,
        kind=certificate.kind,
        number=certificate.number,
        name=name_on(vault, certificate),
        base_name=certificate.base_name,
        subject=certificate.subject,
        occupation_code=certificate.occupation_code,
        level=level(certificate.level).zh if certificate.level else "",
        class_hours=certificate.class_hours,
        starts_on=certificate.starts_on,
        ends_on=certificate.ends_on,
        issued_on=certificate.issued_on,
        expires_on=certificate.expires_on,
        registered_with=certificate.registered_with,
    )


def _printed_award(vault: Vault, certificate: Certificate) -> PrintedAward:
    return PrintedAward(
        template=certificate.template,
        kind=certificate.kind,
        number=certificate.number,
        name=name_on(vault, certificate),
        organiser=certificate.base_name,
        competition=certificate.competition or "",
        subject=certificate.subject,
        prize=certificate.prize or "",
        starts_on=certificate.starts_on,
        ends_on=certificate.ends_on,
        issued_on=certificate.issued_on,
        registered_with=certificate.registered_with,
    )


def derive(vault: Vault, certificate: Certificate, key_id: bytes) -> bytes:
    """The statement that this row's columns make: what was signed, if nobody touched the row."""
    return Statement(
        key_id=key_id,
        id=certificate.statement_id,
        division=int(certificate.division_code),
        year=certificate.year,
        serial=certificate.serial,
        kind=certificate.kind,
        issued_on=certificate.issued_on,
        expires_on=certificate.expires_on,
        base_number=0 if certificate.base is None else certificate.base.number,
        occupation_edition=certificate.occupation_edition,
        occupation_code=certificate.occupation_code,
        level=certificate.level,
        class_hours=certificate.class_hours,
        status_index=certificate.status_index,
        commitment=commitment(vault.commitment_key, certificate.statement_id, printed_of(vault, certificate)),
    ).encode()


def name_on(vault: Vault, certificate: Certificate) -> str:
    """The name as printed, in clear."""
    return vault.open(Certificate.name, certificate.id, certificate.name)


def name_matches(vault: Vault, certificate: Certificate | None, typed: str) -> bool:
    """Whether a typed name is the holder's; takes the same effort when there is no certificate."""
    held = people.name_index(vault, name_on(vault, certificate) if certificate else "·")
    return hmac.compare_digest(held, people.name_index(vault, typed)) and certificate is not None


def find_by_number(number: str) -> Certificate | None:
    """The certificate with this number, or None."""
    return Certificate.get_or_none(Certificate.number == number)


def require_number(number: str) -> Certificate:
    """The certificate with this number, however it was typed.

    :raises NotFound: there is none.
    """
    parsed = parse_certificate_number(number)
    found = find_by_number(str(parsed)) if parsed else None
    if found is None:
        raise NotFound()
    return found


def superseding(certificate: Certificate) -> Certificate | None:
    """The certificate that was issued in place of this one, or None."""
    return Certificate.get_or_none(Certificate.replaces == certificate.id)


def certificates_of_class(class_id: UUID) -> Any:
    """The certificates of a class in order of issue, as a query."""
    return Certificate.select().where(Certificate.training_class == class_id).order_by(Certificate.id)


def certificates_of_entries(entry_ids: Iterable[UUID]) -> Any:
    """The awards of these entries in a competition, in order of issue, as a query."""
    return Certificate.select().where(Certificate.entry_id.in_(list(entry_ids))).order_by(Certificate.id)


def _derived_or_none(vault: Vault, certificate: Certificate) -> bytes | None:
    # Columns changed past the registry may no longer make a statement at all, or no longer decrypt.
    if latest_state(certificate.id) != certificate.status:
        return None
    try:
        return derive(vault, certificate, certificate.key_id)
    except (TamperedValue, FieldRefused, ValueError):
        return None


class RecordedCertificates:
    """The registry as a scanner's check sees it: ``find`` answers what is on record for a code."""

    def __init__(self, act: Act) -> None:
        self._act = act

    def find(self, statement_id: bytes) -> OnRecord | None:
        """What is on record for the certificate with these 16 bytes, or None."""
        certificate = Certificate.get_or_none(Certificate.statement_id == statement_id)
        if certificate is None:
            return None
        newer = superseding(certificate)
        return OnRecord(
            statement=certificate.statement,
            derived=_derived_or_none(self._act.vault, certificate),
            signature=certificate.signature,
            status=cast(Status, certificate.status),
            superseded_by=newer.number if newer else None,
            base_listed_at_start=_listed_at_start(certificate),
            base_left_on=left_on(certificate.base_id, self._act.today) if certificate.base_id else None,
        )


def _listed_at_start(certificate: Certificate) -> bool | None:
    if certificate.base_id is None:
        return None
    return listing_on(certificate.base_id, certificate.starts_on) is not None
