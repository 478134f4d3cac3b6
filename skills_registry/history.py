"""The history of a base (基地履历): every step of its life, whichever room made it, in one order of time.

Each room already leaves its steps; this one only knows which records belong to a base. A new room
plugs in with one line in :data:`BELONGING` (its table has a ``base``) or :data:`ABOUT` (its table
names the record that it is about as ``subject_id``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from skills_registry.bases import Base, Listing
from skills_registry.certification.plaques import Plaque
from skills_registry.foundation.lifecycle import Step
from skills_registry.foundation.storage import Record, require_found

#: Tables whose rows belong to a base.
BELONGING: tuple[Any, ...] = (Listing, Plaque)

#: Tables whose rows are about one of those records, or about the base itself.
ABOUT: tuple[Any, ...] = ()


def records_of(base: Base) -> Iterator[UUID]:
    """The ids of all records that make up the life of a base."""
    known: list[UUID] = [base.id]
    for table in BELONGING:
        known += _ids(table, table.base == base)
    yield from known
    for table in ABOUT:
        yield from _ids(table, table.subject_id.in_(known))


def _ids(table: type[Record], belongs: Any) -> list[UUID]:
    return [row.id for row in table.select(table.id).where(belongs)]


def history_of(base: Base, *, after: UUID | None = None) -> Any:
    """The steps of a base's life, oldest first, as a query; ``after`` is the id of the last step seen.

    :raises NotFound: there is no such step.
    """
    found = Step.select().where(Step.record_id.in_(list(records_of(base)))).order_by(Step.at, Step.id)
    if after is None:
        return found
    last = require_found(Step, after)
    return found.where((Step.at > last.at) | ((Step.at == last.at) & (Step.id > last.id)))
