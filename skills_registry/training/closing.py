"""Closing (撤班): a class that nobody is in any more ends without certificates."""

from __future__ import annotations

from skills_registry.foundation.acts import Act
from skills_registry.foundation.errors import RuleBroken
from skills_registry.foundation.lifecycle import move
from skills_registry.foundation.storage import database
from skills_registry.training.classes import TRAINING_CLASS, TrainingClass
from skills_registry.training.enrolments import roster


class StillEnrolled(RuleBroken):
    """Facts: ``count``."""

    code = "still_enrolled"
    zh = "本班还有{count}名在班学员，须先移交其他基地，或逐人写明原因办理退班，才能撤销本班。"
    en = "{count} trainees are still in this class: hand the class over, or withdraw each with a reason, first."


def dissolve_class(act: Act, training_class: TrainingClass, reason: str) -> TrainingClass:
    """Close a running class that nobody is in any more.

    :raises StillEnrolled: somebody is.
    :raises WrongState: it is not running with the base.
    """
    with database.atomic():
        move(act, TRAINING_CLASS, training_class, "dissolve", reason=reason)
        left = len(roster(training_class))
        if left:
            raise StillEnrolled(count=left)
    return training_class
