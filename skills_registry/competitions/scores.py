"""Scores (成绩): what a jury reports of each entry in an event, point by point, with every correction kept.

Whoever stands entered either finished, did not finish or did not start. Only those who finished a ranked
event have a score; the figure that parts equal scores is there where the event names a rule for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from peewee import BooleanField, CharField, DecimalField, ForeignKeyField

from skills_registry.competitions.contests import (
    COMPETITION_EVENT,
    CompetitionEvent,
    hold,
    require_begun,
    require_organiser,
    require_state,
)
from skills_registry.competitions.entries import CompetitionEntry
from skills_registry.competitions.rankings import Mark
from skills_registry.foundation.acts import Act
from skills_registry.foundation.errors import FieldRefused, RuleBroken
from skills_registry.foundation.lifecycle import note
from skills_registry.foundation.storage import InstantField, Record, database

#: How it ended for somebody who was entered; a disqualification stands on the entry itself.
OUTCOMES: dict[str, tuple[str, str]] = {
    "finished": ("完赛", "finished"),
    "did_not_finish": ("未完赛", "did not finish"),
    "did_not_start": ("未到场", "did not start"),
}

LARGEST_SCORE = Decimal(1_000_000)


class EntryScore(Record):
    """One score; ``current`` marks the one that counts, older ones stay as a trace."""

    entry = ForeignKeyField(CompetitionEntry, backref="scores", on_delete="RESTRICT")
    outcome = CharField(max_length=20)
    score = DecimalField(max_digits=10, decimal_places=3, null=True)
    tie_break = DecimalField(max_digits=10, decimal_places=3, null=True)
    current = BooleanField(default=True)
    recorded_at = InstantField()
    entry_id: UUID


# One current score per entry, held by the database itself.
EntryScore.add_index(
    EntryScore.index(EntryScore.entry, unique=True, name="entry_score_current", where=EntryScore.current)
)


@dataclass(frozen=True)
class Scored:
    """What a jury reports of one entry; ``score`` is there exactly for who finished a ranked event."""

    outcome: str
    score: Decimal | None = None
    tie_break: Decimal | None = None


class ScoreUnfit(FieldRefused):
    """Facts: ``field``."""

    code = "score_unfit"
    zh = "完赛的选手要填成绩（0至1000000，最多三位小数）；未完赛、未到场和不排名的项目不填。"
    en = "Whoever finished a ranked event has a score of 0 to 1000000 with three places; nobody else has one."


class NotTakingPart(RuleBroken):
    """The entry was withdrawn or disqualified."""

    code = "not_taking_part"
    zh = "这名选手已退赛或被取消资格，不能录入成绩。"
    en = "This entry was withdrawn or disqualified; it gets no score."


def _require_fit(event: CompetitionEvent, scored: Scored) -> None:
    if scored.outcome not in OUTCOMES:
        raise FieldRefused(field="outcome")
    wanted = scored.outcome == "finished" and event.ranked
    if wanted != (scored.score is not None):
        raise ScoreUnfit(field="score")
    figures = [figure for figure in (scored.score, scored.tie_break) if figure is not None]
    if not all(_is_figure(figure) for figure in figures):
        raise ScoreUnfit(field="score")
    if scored.tie_break is not None and not (wanted and event.tie_rule):
        raise ScoreUnfit(field="tie_break")


def _is_figure(figure: Decimal) -> bool:
    return figure.is_finite() and 0 <= figure <= LARGEST_SCORE and figure == round(figure, 3)


def record_score(act: Act, entry: CompetitionEntry, scored: Scored) -> EntryScore:
    """Record what one entry achieved; a different earlier one is replaced and kept, an equal one stands.

    :raises NotYet: the competition has not begun.
    :raises ScoreUnfit: a score where none belongs, or none where one does.
    :raises NotTakingPart: the entry was withdrawn or disqualified.
    :raises WrongState: the event's results are proposed or final.
    """
    event = entry.event
    require_organiser(act, event.competition)
    require_state(event.competition, "running")
    require_begun(act, event.competition)
    _require_fit(event, scored)
    with database.atomic():
        hold(event)
        if CompetitionEntry.get_by_id(entry.id).status != "entered":
            raise NotTakingPart()
        earlier = EntryScore.get_or_none((EntryScore.entry == entry.id) & EntryScore.current)
        if earlier is not None:
            if (earlier.outcome, earlier.score, earlier.tie_break) == (
                scored.outcome,
                scored.score,
                scored.tie_break,
            ):
                return earlier
            EntryScore.update(current=False).where(EntryScore.id == earlier.id).execute()
        fresh = EntryScore.create(entry=entry, recorded_at=act.at, **vars(scored))
        detail = {"entry": str(entry.id), "replaces": str(earlier.id) if earlier else None}
        note(act, COMPETITION_EVENT.noun, event.id, "score", detail=detail)
    return fresh


def scores_of(event: CompetitionEvent) -> dict[UUID, EntryScore]:
    """The current score of each entry of an event that has one."""
    found = (
        EntryScore.select()
        .join(CompetitionEntry)
        .where((CompetitionEntry.event == event.id) & EntryScore.current)
    )
    return {score.entry_id: score for score in found}


def started(entered: list[CompetitionEntry], scores: dict[UUID, EntryScore]) -> list[CompetitionEntry]:
    """Who took part: all but those who did not come. A disqualified one took part."""
    return [e for e in entered if e.id not in scores or scores[e.id].outcome != "did_not_start"]


def marks(entered: list[CompetitionEntry], scores: dict[UUID, EntryScore]) -> list[Mark]:
    finished = [e for e in entered if e.status == "entered" and e.id in scores]
    return [
        Mark(entry.id, scores[entry.id].score or Decimal(0), scores[entry.id].tie_break)
        for entry in finished
        if scores[entry.id].outcome == "finished"
    ]
