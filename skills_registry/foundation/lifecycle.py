"""A lifecycle is a table, and there is one way to move: checked, swapped, recorded as a step.

The compare-and-swap is the transaction's first write, so that of two officers who press the same
button one moves the record and the other learns what it has become.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from peewee import CharField, JSONField, TextField, UUIDField

from skills_registry.foundation.acts import Act, Role
from skills_registry.foundation.errors import NotAllowed, WrongState
from skills_registry.foundation.seals import journal_of
from skills_registry.foundation.storage import InstantField, Record, database


@dataclass(frozen=True)
class Move:
    """One permitted move: the act's name, from where to where, and which roles may make it."""

    action: str
    origin: str
    to: str
    roles: frozenset[Role]


@dataclass(frozen=True)
class Lifecycle:
    """The states of one noun (Chinese and English names) and every permitted move between them."""

    noun: str
    zh: str
    states: Mapping[str, tuple[str, str]]
    moves: tuple[Move, ...]
    first: str = field(default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "first", self.first or next(iter(self.states)))
        for move in self.moves:
            if move.origin not in self.states or move.to not in self.states:
                raise ValueError(f"{self.noun}: a move names an unknown state: {move}")

    def find(self, action: str, origin: str) -> Move | None:
        """The move that ``action`` makes from ``origin``, if there is one."""
        return next((m for m in self.moves if m.action == action and m.origin == origin), None)

    def target(self, action: str) -> str:
        """The state that ``action`` leads to (an action has one target wherever it starts)."""
        return next(m.to for m in self.moves if m.action == action)

    def refusal(self, state: str, action: str) -> WrongState:
        """The error for an action that is not possible in this state."""
        to = self.states[self.target(action)]
        here = self.states[state]
        return WrongState(
            noun_zh=self.zh,
            noun_en=self.noun.replace("_", " "),
            state_zh=here[0],
            state_en=here[1],
            to_zh=to[0],
            to_en=to[1],
        )


class Step(Record):
    """One act in the life of a record: who, when, from, to, why. Never changed, never deleted.

    Each is told to the audit as well, in the same transaction.

    ``detail`` holds figures and ids, never personal data.
    """

    noun = CharField(max_length=40)
    record_id = UUIDField(index=True)
    action = CharField(max_length=40)
    origin = CharField(max_length=40, null=True)
    to = CharField(max_length=40, null=True)
    by_account = UUIDField(null=True)
    by_operator = UUIDField(null=True)
    by_role = CharField(max_length=20)
    at = InstantField()
    reason = TextField(default="")
    detail = JSONField(default=dict)


def move(
    act: Act,
    lifecycle: Lifecycle,
    record: Any,
    action: str,
    *,
    reason: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Make one move of the table, leaving a step; ``record.status`` is the new state afterwards.

    Everything a verb writes besides belongs into the same ``database.atomic()`` after this call.

    :raises WrongState: the table has no such move from the record's present state, also when
        somebody else moved it a moment ago.
    :raises NotAllowed: the caller's role may not make this move.
    """
    permitted = lifecycle.find(action, record.status)
    if permitted is None:
        raise lifecycle.refusal(record.status, action)
    if act.by.role not in permitted.roles:
        raise NotAllowed()
    with database.atomic():
        table = type(record)
        swapped = (
            table.update(status=permitted.to)
            .where((table.id == record.id) & (table.status == permitted.origin))
            .execute()
        )
        if swapped != 1:
            raise lifecycle.refusal(table.get_by_id(record.id).status, action)
        _record(act, lifecycle.noun, record.id, action, permitted.origin, permitted.to, reason, detail)
    record.status = permitted.to


def begin(
    act: Act, lifecycle: Lifecycle, record: Any, action: str, *, detail: Mapping[str, Any] | None = None
) -> None:
    """Leave the first step of a record that has just been created in its first state."""
    _record(act, lifecycle.noun, record.id, action, None, record.status, "", detail)


def note(
    act: Act,
    noun: str,
    record_id: UUID,
    action: str,
    *,
    reason: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Leave a step for an act that changes a record without moving it (a correction, say)."""
    _record(act, noun, record_id, action, None, None, reason, detail)


def _record(
    act: Act,
    noun: str,
    record_id: UUID,
    action: str,
    origin: str | None,
    to: str | None,
    reason: str,
    detail: Mapping[str, Any] | None,
) -> None:
    with database.atomic():
        step = Step.create(
            noun=noun,
            record_id=record_id,
            action=action,
            origin=origin,
            to=to,
            by_account=act.by.account_id,
            by_operator=act.by.operator_id,
            by_role=act.by.role,
            at=act.at,
            reason=reason,
            detail=dict(detail or {}),
        )
        tell(act, noun, record_id, action, step=step.id)


def tell(
    act: Act, noun: str, record_id: UUID | None, action: str, *, reason: str = "", step: UUID | None = None
) -> None:
    """Tell the audit of an act, within the transaction that is open or in one of its own."""
    with database.atomic():
        journal_of(database).tell(
            at=act.at,
            account=act.by.account_id,
            operator=act.by.operator_id,
            role=act.by.role,
            origin=act.by.origin,
            action=action,
            noun=noun,
            record_id=record_id,
            reason=reason,
            step=step,
        )


def steps_of(record_id: UUID) -> Iterator[Step]:
    """The steps of a record, oldest first."""
    return iter(Step.select().where(Step.record_id == record_id).order_by(Step.id))


def people_in(record_ids: Iterable[UUID], *actions: str, roles: Collection[str] = ()) -> set[UUID]:
    """The natural persons who left a step in any of these records: all, or by one of these acts or roles."""
    steps = Step.select(Step.by_operator).where(Step.record_id.in_(list(record_ids)))
    if actions or roles:
        steps = steps.where(Step.action.in_(actions) | Step.by_role.in_(list(roles)))
    return {step.by_operator for step in steps if step.by_operator is not None}


def latest_state(record_id: UUID) -> str | None:
    """The state that a record's steps left it in: what its status says, unless somebody wrote past us."""
    step = (
        Step.select()
        .where((Step.record_id == record_id) & Step.to.is_null(is_null=False))
        .order_by(Step.id.desc())
        .first()
    )
    return None if step is None else str(step.to)


def who_did(record_id: UUID, action: str) -> UUID | None:
    """The natural person who last did ``action`` to a record, or None."""
    step = (
        Step.select()
        .where((Step.record_id == record_id) & (Step.action == action))
        .order_by(Step.id.desc())
        .first()
    )
    return None if step is None else step.by_operator
