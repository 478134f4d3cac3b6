"""How far a training project has come (项目进度): its classes, the people in them and their certificates, against its plan.

Nothing is stored: the figures are counted from the records each time, so they are those of the moment.
Going beyond the plan forbids nothing; it is shown to those who watch over the money.
"""

from __future__ import annotations

from dataclasses import dataclass

from skills_registry.certification.certificates import Certificate
from skills_registry.training.classes import TrainingClass
from skills_registry.training.enrolments import Enrolment
from skills_registry.training.projects import TrainingProject


@dataclass(frozen=True)
class Progress:
    """Figures of one project: ``classes`` without the cancelled ones, their ``places``, people ``enrolled``
    now, and certificates that stand (``certified``); ``planned_people`` is what was announced."""

    planned_people: int
    classes: int
    places: int
    enrolled: int
    certified: int

    @property
    def beyond_plan(self) -> bool:
        """Whether more people are enrolled than were planned."""
        return self.enrolled > self.planned_people


def progress_of(project: TrainingProject) -> Progress:
    """How far a project has come."""
    known = classes_of(project)
    ids = [found.id for found in known]
    enrolled = Enrolment.select().where(Enrolment.training_class.in_(ids) & (Enrolment.status == "enrolled"))
    # What was revoked or replaced by a newer certificate counts no longer; a suspended one still stands.
    standing = Certificate.status.in_(("valid", "suspended"))
    return Progress(
        planned_people=project.planned_people,
        classes=len(known),
        places=sum(found.capacity for found in known),
        enrolled=enrolled.count(),
        certified=Certificate.select().where(Certificate.training_class.in_(ids) & standing).count(),
    )


def classes_of(project: TrainingProject) -> list[TrainingClass]:
    """The classes of a project that were not cancelled, in order of filing."""
    found = TrainingClass.select().where(
        (TrainingClass.project == project.id) & (TrainingClass.status != "cancelled")
    )
    return list(found.order_by(TrainingClass.id))
