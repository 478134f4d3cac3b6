"""Seats (专家席位): the panel of a round, who sits or ever sat on it, and what became of each seat.

Who has ever been named as an expert of an application takes no other part in it.
"""

from __future__ import annotations

from uuid import UUID

from peewee import (
    CharField,
    DateField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    ModelSelect,
    UUIDField,
)

from skills_registry.accounts import Account
from skills_registry.bases.applications import Application
from skills_registry.foundation.acts import Role
from skills_registry.foundation.lifecycle import Lifecycle, Move
from skills_registry.foundation.storage import InstantField, Record

_EXPERT: frozenset[Role] = frozenset({"expert"})
_CITY: frozenset[Role] = frozenset({"city_officer"})

SEAT = Lifecycle(
    noun="panel_seat",
    zh="专家席位",
    states={
        "appointed": ("已聘请待评分", "appointed, to score"),
        "handed_in": ("已交评分表", "sheet handed in"),
        "recused": ("已回避", "recused"),
    },
    moves=(
        Move("hand_in", "appointed", "handed_in", _EXPERT),
        Move("recuse", "appointed", "recused", _EXPERT | _CITY),
    ),
)


class Panel(Record):
    """The panel of one round. ``criteria`` is the sheet as it stood: code, names, ``full_mark`` and
    ``weight`` of each; ``pass_percent`` is the least mean that passes, in per cent."""

    application = ForeignKeyField(Application, backref="panels", on_delete="RESTRICT")
    round = IntegerField()
    criteria = JSONField()
    pass_percent = IntegerField()
    rule_from = DateField()
    policy_version = CharField(max_length=12)
    appointed_at = InstantField()
    application_id: UUID
    seats: ModelSelect[PanelSeat]

    class Meta:
        indexes = ((("application", "round"), True),)


class PanelSeat(Record):
    """One expert's seat; ``replaces`` is the recused seat that it fills."""

    panel = ForeignKeyField(Panel, backref="seats", on_delete="RESTRICT")
    account = ForeignKeyField(Account, on_delete="RESTRICT")
    operator = UUIDField()
    replaces = ForeignKeyField("self", null=True, unique=True, on_delete="RESTRICT")
    status = CharField(max_length=20, default=SEAT.first)
    appointed_at = InstantField()
    account_id: UUID
    panel_id: UUID
    replaces_id: UUID | None

    class Meta:
        indexes = ((("panel", "operator"), True),)


def experts_of(application: Application) -> set[UUID]:
    """Every natural person ever appointed to a panel of the application, recused ones too."""
    seats = PanelSeat.select().join(Panel).where(Panel.application == application.id)
    return {seat.operator for seat in seats}
