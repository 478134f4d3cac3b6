"""Gathering a class's file (归集): its items, its tables and its originals as they stand, for a reason that is logged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from skills_registry.bases.applications import require_reason
from skills_registry.certification.certificates import Certificate, certificates_of_class
from skills_registry.class_files import outcomes, tables
from skills_registry.class_files.contents import Item, Original, contents, is_complete, originals
from skills_registry.class_files.tables import READ, Table
from skills_registry.foundation import audit
from skills_registry.foundation.acts import Act
from skills_registry.foundation.lifecycle import Step
from skills_registry.training.classes import TRAINING_CLASS, TrainingClass
from skills_registry.training.enrolments import Enrolment
from skills_registry.training.timetable import Session

#: Certificates that are handed out as they stand; others are listed and not drawn again.
_IN_USE = ("valid", "suspended")


@dataclass(frozen=True)
class ClassFile:
    """One class's file; ``last_act`` is when something was last recorded in it."""

    training_class: TrainingClass
    last_act: datetime
    items: tuple[Item, ...]
    tables: tuple[Table, ...]
    originals: tuple[Original, ...]
    certificates: tuple[Certificate, ...]

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return is_complete(self.items)


def read_contents(act: Act, training_class: TrainingClass, reason: str) -> list[Item]:
    """The items of a class's file, for a reason that is logged; they name nobody.

    :raises FieldRefused: no reason is given.
    """
    _log(act, training_class, reason)
    return contents(act, training_class)


def read_file(act: Act, training_class: TrainingClass, reason: str) -> ClassFile:
    """A class's file, for a reason that is logged.

    The same records read on the same day give the same file: being read is no part of it.

    :raises FieldRefused: no reason is given.
    """
    _log(act, training_class, reason)
    issued = list(certificates_of_class(training_class.id))
    return ClassFile(
        training_class=training_class,
        last_act=_last_act(training_class, issued),
        items=tuple(contents(act, training_class)),
        tables=(
            *tables.tables_of(act, training_class),
            *outcomes.tables_of(act, training_class),
        ),
        originals=tuple(originals(training_class)),
        certificates=tuple(row for row in issued if row.status in _IN_USE),
    )


def _log(act: Act, training_class: TrainingClass, reason: str) -> None:
    require_reason(reason)
    audit.read(act, TRAINING_CLASS.noun, training_class.id, reason)


def _last_act(training_class: TrainingClass, issued: list[Certificate]) -> datetime:
    """When something of the class was last recorded, reading apart."""
    sessions = Session.select(Session.id).where(Session.training_class == training_class.id)
    enrolments = Enrolment.select(Enrolment.id).where(Enrolment.training_class == training_class.id)
    known: list[UUID] = [training_class.id, *(row.id for row in issued)]
    steps = Step.select(Step.at).where(
        (Step.record_id.in_(known) | Step.record_id.in_(sessions) | Step.record_id.in_(enrolments))
        & (Step.action != READ)
    )
    newest: Step | None = steps.order_by(Step.at.desc()).first()
    last: datetime = training_class.filed_at if newest is None else newest.at
    return last
