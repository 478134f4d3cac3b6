"""A certificate as it is on record, in the shape that checking a scanned code needs.

It holds bytes, a status and days: no name, and nothing else about the holder.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

#: What the registry's lifecycle says of a certificate; expiry is a matter of days, not of status.
Status = Literal["valid", "suspended", "revoked", "superseded"]


@dataclass(frozen=True)
class OnRecord:
    """A certificate as the registry holds it, for comparing with what was scanned.

    ``statement`` and ``signature`` are the stored bytes; ``derived`` is the statement made again
    from the record's columns, so that a change made past the registry shows, and None when the
    columns no longer make one. ``superseded_by`` is the number of the certificate that replaced
    it; ``base_left_on`` the first day on which the base was no longer listed. An award has no base, and
    ``base_listed_at_start`` is None. ``status`` is whatever the column holds: one that is no
    :data:`Status` was written past the registry.
    """

    statement: bytes
    derived: bytes | None
    signature: bytes
    status: str
    superseded_by: str | None
    base_listed_at_start: bool | None
    base_left_on: date | None
