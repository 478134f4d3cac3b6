"""What stands on a certificate's paper, word for word.

The record keeps these texts as they were printed, so that a later correction of a person or a
base never changes an old certificate. The commitment in the signed statement covers all of them.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date
from typing import ClassVar, Literal


@dataclass(frozen=True)
class Paper:
    """What every paper of the registry has: its template and kind, its number, and whom it names.

    ``name`` stands on a line of its own: the holder of a certificate, the base of a plaque;
    ``whose_name`` says which.
    """

    whose_name: ClassVar[Literal["holder", "base"]] = "holder"

    template: str
    kind: str
    number: str
    name: str

    def canonical(self) -> bytes:
        """One byte string for these texts: what the commitment is computed over."""
        return json.dumps(
            asdict(self), ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=date.isoformat
        ).encode()


@dataclass(frozen=True)
class Printed(Paper):
    """The texts and dates on one certificate.

    ``subject`` is the occupation's name, or the course title where training has no occupation;
    ``occupation_code``, ``level`` are empty then. ``level`` is the Chinese level as printed
    (五级/初级工). ``registered_with`` is the line that says where the certificate is on record;
    it never contains 残疾 unless the policy says so (DESIGN §4, certificate wording).
    ``class_hours`` are teaching hours of 45 minutes (课时).
    """

    base_name: str
    subject: str
    occupation_code: str
    level: str
    class_hours: int
    starts_on: date
    ends_on: date
    issued_on: date
    expires_on: date | None
    registered_with: str


@dataclass(frozen=True)
class PrintedAward(Paper):
    """The texts and dates on one competition award (竞赛获奖证书).

    ``competition`` is its public title, ``subject`` the event, ``prize`` the award in words (第一名).
    ``organiser`` stands over the place for the stamp. No text says for whom the competition was held.
    """

    organiser: str
    competition: str
    subject: str
    prize: str
    starts_on: date
    ends_on: date
    issued_on: date
    registered_with: str


#: What stands on a certificate, whichever its kind.
CertificatePaper = Printed | PrintedAward


@dataclass(frozen=True)
class PrintedPlaque(Paper):
    """The texts and dates on one plaque certificate (挂牌证书); ``name`` is the base's public name.

    ``base_kind`` is the kind as printed (职业培训基地), and the plaque's title; ``scope`` the trades in
    words. The listing runs from ``valid_from`` to ``expires_on``, its last day; the paper was made on
    ``issued_on``. ``issuer`` stands over the place for the stamp.
    """

    whose_name = "base"

    base_kind: str
    plaque_number: str
    scope: str
    valid_from: date
    issued_on: date
    expires_on: date
    issuer: str
    registered_with: str
