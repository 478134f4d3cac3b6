"""Opening (开班) and submission: the two doors of a class, and what is missing before each.

This room stands rightmost in training: it looks into every other one and lists what a class lacks.
"""

from __future__ import annotations

from skills_registry.bases import require_listed, require_may_open_classes
from skills_registry.foundation.acts import Act, require_other_person
from skills_registry.foundation.lifecycle import move, who_did
from skills_registry.foundation.storage import database
from skills_registry.training import enrolments
from skills_registry.training.classes import TRAINING_CLASS, TrainingClass


def open_class(act: Act, training_class: TrainingClass) -> TrainingClass:
    """The county opens a filed class.

    :raises SeparationOfDuties: the caller filed it.
    :raises NewClassesHeld: the base is being rectified, or suspended.
    :raises NotListed: the base is no longer listed on the class's first day.
    :raises WrongState: it is not awaiting opening.
    """
    require_other_person(act, who_did(training_class.id, "file"))
    require_may_open_classes(training_class.base, act.today)
    require_listed(training_class.base, training_class.starts_on)
    with database.atomic():
        move(act, TRAINING_CLASS, training_class, "open")
    return training_class


def submit_class(act: Act, training_class: TrainingClass) -> TrainingClass:
    """The base submits a class for approval; from here on it is closed to the base.

    :raises ResultsMissing: an enrolled trainee has no result.
    :raises WrongState: it is not open or returned.
    """
    return enrolments.submit_class(act, training_class)
