"""Timetables (课程表): which session of a class is when, where, about what and with whom; its versions stay.

A session (课次) that a later version keeps unchanged stays the same record, so that attendance hangs on it;
one that a later version leaves out is dropped, never deleted.
"""

from __future__ import annotations

from uuid import UUID

from peewee import CharField, DateField, DecimalField, ForeignKeyField, IntegerField, TextField

from skills_registry.bases.entries import Site, Teacher
from skills_registry.foundation.acts import Role
from skills_registry.foundation.lifecycle import Lifecycle, Move
from skills_registry.foundation.storage import InstantField, Record
from skills_registry.training.classes import TrainingClass

_CLERK: frozenset[Role] = frozenset({"base_clerk"})
_COUNTY: frozenset[Role] = frozenset({"county_officer"})

SESSION = Lifecycle(
    noun="session",
    zh="课次",
    states={
        "planned": ("已排课", "planned"),
        "closed": ("已结束", "closed, its attendance recorded"),
        "dropped": ("已取消", "dropped from the timetable"),
    },
    moves=(
        Move("close", "planned", "closed", _CLERK),
        Move("drop", "planned", "dropped", _CLERK | _COUNTY),
    ),
)

#: What a session is: taught in words, at the bench, about safety, or from afar.
SESSION_KINDS: dict[str, tuple[str, str]] = {
    "theory": ("理论", "theory"),
    "practice": ("实操", "practice"),
    "safety": ("安全教育", "safety"),
    "online": ("线上", "online"),
}


class Timetable(Record):
    """One version of a class's timetable, numbered from 1, with the reason why it was made."""

    training_class = ForeignKeyField(TrainingClass, backref="timetables", on_delete="RESTRICT")
    version = IntegerField()
    reason = TextField(default="")
    made_at = InstantField()
    training_class_id: UUID

    class Meta:
        indexes = ((("training_class", "version"), True),)


class Session(Record):
    """One session (课次): ``starts_at`` and ``ends_at`` as "HH:MM" of Haidong, ``class_hours`` of 45 minutes.

    It stands in the versions from ``first_version`` to ``last_version``; null means: still.
    """

    training_class = ForeignKeyField(TrainingClass, backref="sessions", on_delete="RESTRICT")
    on = DateField(index=True)
    starts_at = CharField(max_length=5)
    ends_at = CharField(max_length=5)
    class_hours = DecimalField(max_digits=4, decimal_places=1)
    content = CharField(max_length=200)
    kind = CharField(max_length=10)
    site = ForeignKeyField(Site, null=True, backref="sessions", on_delete="RESTRICT")
    place = CharField(max_length=120, default="")
    teacher = ForeignKeyField(Teacher, null=True, backref="sessions", on_delete="RESTRICT")
    first_version = IntegerField()
    last_version = IntegerField(null=True)
    status = CharField(max_length=20, default=SESSION.first)
    training_class_id: UUID
    site_id: UUID | None
    teacher_id: UUID | None


def sessions_of(training_class: TrainingClass) -> list[Session]:
    """The sessions of the timetable that holds now, in order; none when there is no timetable."""
    return _in_order((Session.training_class == training_class.id) & Session.last_version.is_null())


def of_version(training_class: TrainingClass, version: int) -> list[Session]:
    """The sessions as one version of the timetable had them, in order."""
    still = Session.last_version.is_null() | (Session.last_version >= version)
    return _in_order(
        (Session.training_class == training_class.id) & (Session.first_version <= version) & still
    )


def _in_order(condition: object) -> list[Session]:
    return list(
        Session.select().where(condition).order_by(Session.on, Session.starts_at, Session.ends_at, Session.id)
    )
