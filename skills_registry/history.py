"""The history of a base (基地履历): every step of its life, whichever room made it, in one order of time.

Each room already leaves its steps; this one only knows which records belong to a base. A new room plugs
in with one line in :data:`RECORDS`. The seats of experts are left out: who sat on a panel, and who
recused why, is told where the panel's own rules of sight are kept.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from peewee import Field

from skills_registry.bases import Application, Base, Listing
from skills_registry.certification.plaques import Plaque
from skills_registry.evaluation import Evaluation, YearlyPlan
from skills_registry.exits import Appeal, Exit, Sanction
from skills_registry.foundation.lifecycle import Step
from skills_registry.foundation.storage import require_found
from skills_registry.notices import Notice, Objection

#: The column by which each record hangs on the base, or on a record named further up.
RECORDS: tuple[Field, ...] = (
    Listing.base,
    Plaque.base,
    Application.base,
    YearlyPlan.base,
    Evaluation.base,
    Sanction.base,
    Exit.base,
    Appeal.base,
    Notice.subject_id,
    Objection.notice,
)


def records_of(base: Base) -> list[UUID]:
    """The ids of all records that make up the life of a base."""
    known: list[UUID] = [base.id]
    for column in RECORDS:
        table = column.model
        known += [row.id for row in table.select(table.id).where(column.in_(known))]
    return known


def history_of(base: Base, *, after: UUID | None = None) -> Any:
    """The steps of a base's life, oldest first, as a query; ``after`` is the id of the last step seen.

    :raises NotFound: there is no such step.
    """
    found = Step.select().where(Step.record_id.in_(records_of(base))).order_by(Step.at, Step.id)
    if after is None:
        return found
    last = require_found(Step, after)
    return found.where((Step.at > last.at) | ((Step.at == last.at) & (Step.id > last.id)))
