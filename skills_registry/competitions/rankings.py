"""Ranks, ties and prizes (名次、并列、奖项): the arithmetic of a result, from scores alone.

Equal scores share a rank, and the ranks behind are left free (1, 2, 2, 4), unless the event names a rule that
parts them; where that is equal too they share it after all. How many ranks win a prize depends on how
many took part: more than six → three, four to six → two, three or fewer → one; the numbers are the
policy's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class Mark:
    """What one entry achieved; ``tie_break`` is the figure that the event's tie rule names, if it has one."""

    entry_id: UUID
    score: Decimal
    tie_break: Decimal | None = None


@dataclass(frozen=True)
class Placing:
    """Rank and prize of an entry; no rank in an event without ranking, an empty prize for none."""

    rank: int | None
    prize: str


def _merit(mark: Mark, better: str, tie_better: str) -> tuple[Decimal, Decimal]:
    signs = {"higher": 1, "lower": -1, "": 0}
    return mark.score * signs[better], (mark.tie_break or Decimal(0)) * signs[tie_better]


def ranks(marks: Sequence[Mark], *, better: str, tie_better: str = "") -> dict[UUID, int]:
    """The rank of each entry: one more than how many did better."""
    merits = {mark.entry_id: _merit(mark, better, tie_better) for mark in marks}
    return {entry: 1 + sum(other > own for other in merits.values()) for entry, own in merits.items()}


def unparted(marks: Sequence[Mark]) -> set[UUID]:
    """The entries of equal score that lack the figure which would part them."""
    scores = [mark.score for mark in marks]
    return {mark.entry_id for mark in marks if mark.tie_break is None and scores.count(mark.score) > 1}


def prize_ranks(entrants: int, rules: Mapping[str, Any]) -> int:
    """How many ranks win a prize among that many who took part; never more than there are titles."""
    steps = (step["ranks"] for step in rules["prizes"] if step["entrants_from"] <= entrants)
    return min(max(steps, default=0), len(rules["titles"]))


def placings(ranked: Mapping[UUID, int], *, entrants: int, rules: Mapping[str, Any]) -> dict[UUID, Placing]:
    """Rank and prize of everyone who finished a ranked event, by the rules written down with it.

    The upper ``merit_percent`` of the finishers who win nothing else get the merit prize (优胜奖).
    """
    limit = prize_ranks(entrants, rules)
    return {entry: Placing(rank, _prize(rank, limit, len(ranked), rules)) for entry, rank in ranked.items()}


def _prize(rank: int, limit: int, finishers: int, rules: Mapping[str, Any]) -> str:
    if rank <= limit:
        return str(rules["titles"][rank - 1])
    return str(rules["merit_title"]) if rank * 100 <= finishers * rules["merit_percent"] else ""


def shown(entries: Sequence[UUID], rules: Mapping[str, Any]) -> dict[UUID, Placing]:
    """What everyone gets who took part in an event without ranking: the policy's title, or nothing."""
    return {entry: Placing(None, str(rules["unranked_title"])) for entry in entries}
