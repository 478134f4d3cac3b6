"""The issuing line (发证流水线): whatever certificate it is, it is numbered, stated, signed and recorded here.

Steps 4 to 7 of ``docs/issuing.md``. Whoever judged the ground brings drafts, inside the transaction that
decided; what comes out is on record. One series of numbers, one register, one way to sign.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from skills_registry.certification.certificates import CERTIFICATE, Certificate, derive
from skills_registry.certification.statement import Signer
from skills_registry.foundation.acts import Act
from skills_registry.foundation.identifiers import certificate_number
from skills_registry.foundation.lifecycle import begin
from skills_registry.foundation.series import take
from skills_registry.foundation.storage import new_id


@dataclass(frozen=True)
class Draft:
    """A certificate that awaits its number.

    ``ground`` names what it stands on (enrolment, class and base, or an entry), ``texts`` every printed
    text and date but the name, the number and the day of issue.
    """

    kind: str
    template: str
    person_id: UUID
    name: str
    ground: Mapping[str, Any]
    texts: Mapping[str, Any]
    expires_on: date | None = None
    replaces: Certificate | None = None


def record(act: Act, drafts: Sequence[Draft], signer: Signer) -> list[Certificate]:
    """Number, state, sign and record these certificates, in their order; inside the caller's transaction."""
    # A batch takes its numbers at once, so that a class stands together in the series.
    serials = take(f"certificate/{act.by.division_code}/{act.today.year}", len(drafts))
    indexes = take("certificate_status", len(drafts))
    return [
        _record(act, draft, serial, index, signer)
        for draft, serial, index in zip(drafts, serials, indexes, strict=True)
    ]


def _record(act: Act, draft: Draft, serial: int, status_index: int, signer: Signer) -> Certificate:
    key = new_id()
    certificate = Certificate(
        id=key,
        statement_id=os.urandom(16),
        number=certificate_number(act.by.division_code, act.today.year, serial),
        division_code=act.by.division_code,
        year=act.today.year,
        serial=serial,
        kind=draft.kind,
        template=draft.template,
        person=draft.person_id,
        name=act.vault.seal(Certificate.name, key, draft.name),
        issued_on=act.today,
        expires_on=draft.expires_on,
        registered_with=act.policy.city["registered_with"],
        status_index=status_index,
        key_id=signer.key_id,
        replaces=draft.replaces,
        issued_at=act.at,
        **draft.ground,
        **draft.texts,
    )
    certificate.statement = derive(act.vault, certificate, signer.key_id)
    certificate.signature = signer.sign(certificate.statement)
    certificate.save(force_insert=True)
    begin(act, CERTIFICATE, certificate, "issue", detail={"number": certificate.number})
    return certificate
