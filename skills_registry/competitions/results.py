"""Results (成绩与名次): scores come in, one officer proposes the result, another one of the city makes it final.

Whoever scored, disqualified or proposed does not confirm. With the confirmation come the awards, in one
transaction. A final result that was wrong is reopened with a reason: its awards are revoked, the
competition resumes, and the corrected result is proposed and confirmed like the first.
"""

from __future__ import annotations

from uuid import UUID

from skills_registry.certification import awards, issuing
from skills_registry.certification.awards import Award
from skills_registry.certification.certificates import Certificate, certificates_of_entries
from skills_registry.certification.statement import Signer
from skills_registry.competitions import rankings
from skills_registry.competitions.contests import (
    COMPETITION,
    COMPETITION_EVENT,
    Competition,
    CompetitionEvent,
    events_of,
    require_begun,
    require_organiser,
    require_state,
)
from skills_registry.competitions.entries import (
    COMPETITION_ENTRY,
    CompetitionEntry,
    name_of,
    standing,
)
from skills_registry.competitions.rankings import Placing
from skills_registry.competitions.scores import marks, scores_of, started
from skills_registry.foundation.acts import Act, require_role
from skills_registry.foundation.errors import FieldRefused, RuleBroken, SeparationOfDuties, WrongState
from skills_registry.foundation.lifecycle import move, note, people_in
from skills_registry.foundation.storage import database
from skills_registry.foundation.wording import Typeface
from skills_registry.training.enrolments import usable_name

#: Whoever did one of these to an event, or in it, does not confirm its result.
_HAND_IN_IT = ("score", "disqualify", "readmit", "propose")


class ScoresMissing(RuleBroken):
    """Facts: ``count``, ``numbers`` (start numbers)."""

    code = "scores_missing"
    zh = "还有{count}名选手没有成绩（{numbers}号），请录入成绩、未完赛或未到场后再提交。"
    en = "{count} entries have no score yet (start numbers {numbers}); record one, or that they did not finish."


class TieUndecided(RuleBroken):
    """Facts: ``numbers`` (start numbers), ``tie_rule``."""

    code = "tie_undecided"
    zh = "{numbers}号选手同分，请按“{tie_rule}”补录决定名次的数值。"
    en = "Start numbers {numbers} have equal scores; record the figure of the rule '{tie_rule}' that parts them."


class TooFewTookPart(RuleBroken):
    """Facts: ``count``, ``smallest``."""

    code = "too_few_took_part"
    zh = "实际参赛只有{count}人，少于{smallest}人，本项目应取消，不排名次。"
    en = "Only {count} took part, fewer than {smallest}: the event is to be cancelled and nobody is ranked."


class NotAnAward(RuleBroken):
    """The certificate is no award of a competition."""

    code = "not_an_award"
    zh = "这不是竞赛获奖证书。"
    en = "This certificate is no award of a competition."


# ---------------------------------------------------------------- rules


def require_no_hand_in_it(act: Act, event: CompetitionEvent) -> None:
    """:raises SeparationOfDuties: the caller scored, disqualified or proposed in this event."""
    if act.by.operator_id in people_in([event.id], *_HAND_IN_IT):
        raise SeparationOfDuties()


def _require_complete(event: CompetitionEvent, entered: list[CompetitionEntry]) -> None:
    scores = scores_of(event)
    missing = [e.start_number for e in entered if e.status == "entered" and e.id not in scores]
    if missing:
        raise ScoresMissing(count=len(missing), numbers=_numbers(missing))
    count, smallest = len(started(entered, scores)), event.rules["smallest_entrants"]
    if event.ranked and count < smallest:
        raise TooFewTookPart(count=count, smallest=smallest)
    if event.tie_rule:
        loose = rankings.unparted(marks(entered, scores))
        if loose:
            tied = [entry.start_number for entry in entered if entry.id in loose]
            raise TieUndecided(numbers=_numbers(tied), tie_rule=event.tie_rule)


def _numbers(numbers: list[int]) -> str:
    return "、".join(str(number) for number in sorted(numbers)[:20])


# ---------------------------------------------------------------- verbs


def propose(act: Act, event: CompetitionEvent) -> CompetitionEvent:
    """Propose the event's result for confirmation; nothing in it changes from here on.

    :raises NotYet: the competition has not begun.
    :raises ScoresMissing: somebody who stands entered has no score.
    :raises TooFewTookPart: too few started; the event is to be cancelled.
    :raises TieUndecided: equal scores lack the figure of the event's tie rule.
    """
    require_organiser(act, event.competition)
    require_state(event.competition, "running")
    require_begun(act, event.competition)
    with database.atomic():
        move(act, COMPETITION_EVENT, event, "propose")
        _require_complete(event, standing(event))
    return event


def send_back(act: Act, event: CompetitionEvent, reason: str) -> CompetitionEvent:
    """Return a proposed result to who proposed it, with the reason."""
    require_organiser(act, event.competition)
    move(act, COMPETITION_EVENT, event, "return", reason=reason)
    return event


def finalise(act: Act, event: CompetitionEvent, signer: Signer, uncovered: Typeface) -> list[Certificate]:
    """Make a proposed result final and issue its awards, all or nothing; final before, it answers the same.

    :raises SeparationOfDuties: the caller scored, disqualified or proposed.
    :raises ForbiddenWording: a text on the awards holds a word that the policy forbids.
    :raises Undrawable: a name or text that no installed font covers; the facts name start numbers.
    """
    require_role(act, "city_officer")
    require_organiser(act, event.competition)
    require_no_hand_in_it(act, event)
    if event.status == "final":
        return awards_of([event])
    try:
        with database.atomic():
            move(act, COMPETITION_EVENT, event, "finalise")
            _write_down(event)
            return awards.issue(act, _awards(act, event), signer, uncovered)
    except WrongState:
        # The other click of a double click came first: its awards are the answer.
        if CompetitionEvent.get_by_id(event.id).status == "final":
            return awards_of([event])
        raise


def _write_down(event: CompetitionEvent) -> None:
    entered = standing(event)
    event.entrants = len(started(entered, scores_of(event)))
    event.save(only=[CompetitionEvent.entrants])
    placed = result_of(event)
    for entry in entered:
        placing = placed.get(entry.id, Placing(None, ""))
        entry.rank, entry.prize = placing.rank, placing.prize
        entry.save(only=[CompetitionEntry.rank, CompetitionEntry.prize])


def _awards(act: Act, event: CompetitionEvent) -> list[Award]:
    competition = event.competition
    winners = [entry for entry in standing(event) if entry.prize]
    return [
        Award(
            entry_id=entry.id,
            start_number=entry.start_number,
            person_id=entry.person_id,
            name=name_of(act.vault, entry),
            organiser=competition.organiser,
            competition=competition.public_title,
            subject=event.subject,
            prize=entry.prize or "",
            starts_on=competition.starts_on,
            ends_on=competition.ends_on,
        )
        for entry in sorted(winners, key=lambda entry: (entry.rank or 0, entry.start_number))
    ]


def reopen(act: Act, event: CompetitionEvent, reason: str) -> CompetitionEvent:
    """Reopen a final result that was wrong (成绩更正): its awards are revoked, all with this reason.

    :raises WrongState: the result is not final.
    """
    require_organiser(act, event.competition)
    if not reason.strip():
        raise FieldRefused(field="reason")
    with database.atomic():
        move(act, COMPETITION_EVENT, event, "reopen", reason=reason)
        for certificate in awards_of([event]):
            if certificate.status in ("valid", "suspended"):
                issuing.revoke(act, certificate, reason)
        CompetitionEntry.update(rank=None, prize=None).where(CompetitionEntry.event == event.id).execute()
        CompetitionEvent.update(entrants=None).where(CompetitionEvent.id == event.id).execute()
        competition = Competition.get_by_id(event.competition_id)
        if competition.status == "concluded":
            move(act, COMPETITION, competition, "resume", reason=reason)
    return CompetitionEvent.get_by_id(event.id)


def reissue(
    act: Act, certificate: Certificate, signer: Signer, uncovered: Typeface, *, reason: str, name: str = ""
) -> Certificate:
    """Issue an award anew (更正、补发), and correct the entry's own name along with it.

    :raises NotAnAward: the certificate stands on no entry. And whatever ``issuing.reissue`` raises.
    """
    entry = entry_behind(certificate)
    with database.atomic():
        fresh = issuing.reissue(act, certificate, signer, uncovered, reason=reason, name=name)
        if name:
            entry.name = act.vault.seal(CompetitionEntry.name, entry.id, usable_name(name))
            entry.save(only=[CompetitionEntry.name])
            note(act, COMPETITION_ENTRY.noun, entry.id, "correct_name", reason=reason)
    return fresh


# ---------------------------------------------------------------- queries


def result_of(event: CompetitionEvent) -> dict[UUID, Placing]:
    """Rank and prize of everyone who finished, as scores and the event's rules make them now."""
    if event.rules is None:
        return {}
    entered, scores = standing(event), scores_of(event)
    finished = marks(entered, scores)
    if not event.ranked:
        return rankings.shown([mark.entry_id for mark in finished], event.rules)
    ranked = rankings.ranks(finished, better=event.better, tie_better=event.tie_better)
    return rankings.placings(ranked, entrants=len(started(entered, scores)), rules=event.rules)


def awards_of(events: list[CompetitionEvent]) -> list[Certificate]:
    """Every award that these events ever gave, in order of issue."""
    of_events = CompetitionEntry.select().where(CompetitionEntry.event << [event.id for event in events])
    return list(certificates_of_entries(entry.id for entry in of_events))


def winners_of(event: CompetitionEvent) -> list[CompetitionEntry]:
    """Who holds an award of this event, the best first; a revoked one makes no winner."""
    holders = {award.entry_id for award in awards_of([event]) if award.status in ("valid", "suspended")}
    won = [entry for entry in standing(event) if entry.prize and entry.id in holders]
    return sorted(won, key=lambda entry: (entry.rank or LAST_RANK, entry.start_number))


def entry_behind(certificate: Certificate) -> CompetitionEntry:
    """The entry that an award stands on.

    :raises NotAnAward: the certificate is a training's.
    """
    entry = CompetitionEntry.get_or_none(CompetitionEntry.id == certificate.entry_id)
    if entry is None:
        raise NotAnAward()
    return entry


def medal_table(competition: Competition) -> list[tuple[str, dict[str, int]]]:
    """Teams and how many of each prize they won in final events, the most and highest prizes first."""
    table: dict[str, dict[str, int]] = {}
    ranks_of: dict[str, list[int]] = {}
    for event in events_of(competition):
        for entry in winners_of(event):
            prizes = table.setdefault(entry.team, {})
            prizes[entry.prize or ""] = prizes.get(entry.prize or "", 0) + 1
            ranks_of.setdefault(entry.team, []).append(entry.rank or LAST_RANK)
    return sorted(table.items(), key=lambda row: (_medals(ranks_of[row[0]]), row[0]))


#: A prize without a rank counts behind every ranked one.
LAST_RANK = 1_000_000


def _medals(ranks: list[int]) -> list[int]:
    """Sorts teams by first places, then second places, and so on: more of a rank comes first."""
    return [-ranks.count(rank) for rank in range(1, 4)] + [-len(ranks)]
