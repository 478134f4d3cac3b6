"""Entries (参赛报名): one person for one team in one event, judged at a stated date.

Who may enter is the policy's: age and card on the day that the competition names, so many entrants of a
team in an event, and nobody who won the like before or holds the title of an expert (技术能手). An
entry keeps its own name. Whoever withdraws or is disqualified stays on record with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from peewee import BooleanField, CharField, ForeignKeyField, IntegerField, IntegrityError

from skills_registry import people
from skills_registry.competitions.contests import (
    COMPETITION,
    COMPETITION_EVENT,
    OFFICERS,
    Competition,
    CompetitionEvent,
    NotYet,
    events_of,
    hold,
    require_organiser,
    require_state,
    rule,
)
from skills_registry.foundation.acts import Act
from skills_registry.foundation.errors import FieldRefused, InputRefused, NotFound, RuleBroken
from skills_registry.foundation.identifiers import CitizenId, check_citizen_id, check_disability_card
from skills_registry.foundation.lifecycle import Lifecycle, Move, begin, move, note
from skills_registry.foundation.privacy import Vault
from skills_registry.foundation.problems import Problem
from skills_registry.foundation.series import take
from skills_registry.foundation.storage import Record, SealedField, database, new_id
from skills_registry.foundation.wording import require_permitted_wording
from skills_registry.people import Person
from skills_registry.training.enrolments import usable_name

COMPETITION_ENTRY = Lifecycle(
    noun="competition_entry",
    zh="参赛报名",
    states={
        "entered": ("已报名", "entered"),
        "withdrawn": ("已退赛", "withdrawn"),
        "disqualified": ("已取消资格", "disqualified"),
    },
    moves=(
        Move("withdraw", "entered", "withdrawn", OFFICERS),
        Move("disqualify", "entered", "disqualified", OFFICERS),
        Move("readmit", "disqualified", "entered", OFFICERS),
    ),
)

LONGEST_TEAM = 60

#: What an event keeps of the policy once its entries are closed: the figures that make its result.
WRITTEN_DOWN = (
    "smallest_entrants", "prizes", "titles", "merit_title", "merit_percent", "unranked_title",
)  # fmt: skip


class CompetitionEntry(Record):
    """One person in one event. ``rank`` and ``prize`` are there once the event's results are final;
    ``publish`` says that the person agreed to be named in public results, apart from any other consent."""

    event = ForeignKeyField(CompetitionEvent, backref="entries", on_delete="RESTRICT")
    person = ForeignKeyField(Person, on_delete="RESTRICT")
    start_number = IntegerField()
    name = SealedField()
    team = CharField(max_length=LONGEST_TEAM)
    team_division = CharField(max_length=6, index=True)
    publish = BooleanField(default=False)
    rank = IntegerField(null=True)
    prize = CharField(max_length=40, null=True)
    status = CharField(max_length=20, default=COMPETITION_ENTRY.first)
    event_id: UUID
    person_id: UUID

    class Meta:
        indexes = ((("event", "start_number"), True),)


# A person stands once in an event; withdrawn, they may be entered again.
CompetitionEntry.add_index(
    CompetitionEntry.index(
        CompetitionEntry.event,
        CompetitionEntry.person,
        unique=True,
        name="competition_entry_standing",
        where=(CompetitionEntry.status != "withdrawn"),
    )
)


@dataclass(frozen=True)
class Candidate:
    """Who is to be entered; ``card_issued_on`` is the first day of their card, read from it by the officer."""

    name: str = field(repr=False)
    citizen_id: str = field(repr=False)
    team: str
    team_division: str
    disability_card: str = field(default="", repr=False)
    card_issued_on: date | None = field(default=None, repr=False)
    expert_title: bool = False
    publish: bool = False


class EntryRefused(InputRefused):
    """A field of the entry is wrong in itself; code and sentence are those of the row problem."""


class EntriesClosed(RuleBroken):
    """Facts: ``until``."""

    code = "entries_closed"
    zh = "报名已于{until}截止。"
    en = "Entries closed on {until}."


class OutsideCompetitionAge(RuleBroken):
    """Facts: ``on``, ``men_from``, ``men_to``, ``women_from``, ``women_to``."""

    code = "outside_competition_age"
    zh = (
        "参赛年龄以{on}为准：男{men_from}至{men_to}周岁，女{women_from}至{women_to}周岁；这名选手不在范围内。"
    )
    en = "Ages on {on}: men {men_from} to {men_to}, women {women_from} to {women_to}; this person is outside."


class CardMissing(RuleBroken):
    """Facts: ``on``."""

    code = "card_missing"
    zh = "参赛者须在{on}前已领取证件：请填写证号和首次发证日期。"
    en = "Whoever competes held a card on {on}: give its number and the day on which it was first issued."


class CardTooLate(RuleBroken):
    """Facts: ``on``."""

    code = "card_too_late"
    zh = "证件首次发证日期晚于{on}，不符合本次竞赛的参赛条件。"
    en = "The card was first issued after {on}, the day on which entrants of this competition are judged."


class TeamFull(RuleBroken):
    """Facts: ``most``."""

    code = "team_full"
    zh = "每队在同一项目最多报{most}人；请先办理退赛，或改报其他项目。"
    en = "A team may enter {most} in an event; withdraw one first, or choose another event."


class AlreadyEntered(RuleBroken):
    """The person stands in this event already, perhaps for another team."""

    code = "already_entered"
    zh = "这名选手已报名参加本项目。"
    en = "This person is entered in this event already."


class PastAwardHolder(RuleBroken):
    """Facts: ``source``."""

    code = "past_award_holder"
    zh = "已获得同项目奖项或技术能手称号的选手不能再次参加（{source}）。"
    en = "Past winners of this event and holders of the expert title may not compete again ({source})."


# ---------------------------------------------------------------- rules


def require_eligible(
    act: Act, competition: Competition, citizen_id: CitizenId, card_from: date | None
) -> None:
    """Age and card on the day that the competition names.

    :raises OutsideCompetitionAge: too young or too old on that day.
    :raises CardMissing: the policy asks for a card, and none was shown.
    :raises CardTooLate: the card is younger than that day.
    """
    rules, on = rule(act, competition), competition.eligible_on
    ages = {"male": rules["men"], "female": rules["women"]}
    first, last = ages[citizen_id.sex or "male"]
    if not first <= citizen_id.age_on(on) <= last:
        (men_from, men_to), (women_from, women_to) = rules["men"], rules["women"]
        raise OutsideCompetitionAge(
            on=on, men_from=men_from, men_to=men_to, women_from=women_from, women_to=women_to
        )
    if rules["card_required"] and card_from is None:
        raise CardMissing(on=on)
    if card_from is not None and card_from > on:
        raise CardTooLate(on=on)


def _require_no_past_winner(act: Act, event: CompetitionEvent, person: Person, candidate: Candidate) -> None:
    rules = rule(act, event.competition)
    titled = candidate.expert_title and rules["expert_title_barred"]
    if titled or _won_lately(event, person, rules["barred_ranks"], rules["barred_years"]):
        raise PastAwardHolder(source=rules.source)


def _won_lately(event: CompetitionEvent, person: Person, ranks: int, years: int) -> bool:
    """Whether the person was among the first of an event of this name within so many calendar years before."""
    first = date(event.competition.starts_on.year - years, 1, 1)
    won = (
        CompetitionEntry.select()
        .join(CompetitionEvent)
        .join(Competition)
        .where((CompetitionEntry.person == person.id) & (CompetitionEntry.rank <= ranks))
        .where((CompetitionEvent.subject == event.subject) & (CompetitionEvent.status == "final"))
        .where(Competition.starts_on >= first)
    )
    return years > 0 and bool(won.exists())


def _require_room(act: Act, event: CompetitionEvent, candidate: Candidate, person: Person) -> None:
    standing = (CompetitionEntry.event == event.id) & (CompetitionEntry.status != "withdrawn")
    if CompetitionEntry.select().where(standing & (CompetitionEntry.person == person.id)).exists():
        raise AlreadyEntered()
    most = rule(act, event.competition)["entrants_per_team"]
    of_team = (CompetitionEntry.team == candidate.team) & (
        CompetitionEntry.team_division == candidate.team_division
    )
    if CompetitionEntry.select().where(standing & of_team).count() >= most:
        raise TeamFull(most=most)


def _checked(act: Act, candidate: Candidate) -> tuple[CitizenId, str, str]:
    """The citizen ID, name and card of a candidate, as they will be kept."""
    citizen_id = check_citizen_id(candidate.citizen_id, act.today)
    card = check_disability_card(candidate.disability_card, citizen_id.text)
    wrong: Problem | None = next((p for p in (*citizen_id.problems, *card.problems) if p.is_error), None)
    if wrong is not None:
        raise EntryRefused(code=wrong.code, zh=wrong.sentence("zh"), en=wrong.sentence("en"))
    if not act.by.covers(candidate.team_division):
        raise FieldRefused(field="team_division")
    require_permitted_wording(act.policy, act.today, team=candidate.team)
    return citizen_id, usable_name(candidate.name), card.text


# ---------------------------------------------------------------- verbs


def enter(act: Act, event: CompetitionEvent, candidate: Candidate) -> CompetitionEntry:
    """Enter a person for a team of the caller's division.

    :raises EntriesClosed: the last day is over.
    :raises EntryRefused: citizen ID or card is wrong in itself.
    :raises TeamFull: the team has its number in this event.
    :raises AlreadyEntered: they stand in it.
    :raises PastAwardHolder: they won the like, or hold the expert title.
    """
    competition = event.competition
    require_state(competition, "open")
    if act.today > competition.entries_until:
        raise EntriesClosed(until=competition.entries_until)
    citizen_id, name, card = _checked(act, candidate)
    require_eligible(act, competition, citizen_id, candidate.card_issued_on if card else None)
    try:
        with database.atomic():
            hold(event)
            person = people.find_or_register(
                act, citizen_id=citizen_id.text, name=name, sex=citizen_id.sex or "", disability_card=card
            )
            _require_room(act, event, candidate, person)
            _require_no_past_winner(act, event, person, candidate)
            return _record(act, event, candidate, person, name)
    except IntegrityError as error:
        raise AlreadyEntered() from error


def _record(
    act: Act, event: CompetitionEvent, candidate: Candidate, person: Person, name: str
) -> CompetitionEntry:
    key = new_id()
    entry = CompetitionEntry.create(
        id=key,
        event=event,
        person=person,
        start_number=take(f"competition_event/{event.id}")[0],
        name=act.vault.seal(CompetitionEntry.name, key, name),
        team=candidate.team,
        team_division=candidate.team_division,
        publish=candidate.publish,
    )
    begin(act, COMPETITION_ENTRY, entry, "enter")
    return entry


def close_entries(act: Act, competition: Competition) -> Competition:
    """Close entries: each event gets its rules, and one with too few entrants is cancelled.

    The number is of those who stand entered; fewer than ``smallest_entrants`` cancels a ranked event.

    :raises NotYet: the last day for entries is not over; teams count on it.
    """
    require_organiser(act, competition)
    if competition.status == "open" and act.today <= competition.entries_until:
        raise NotYet(on=competition.entries_until + timedelta(days=1))
    rules = rule(act, competition)
    written = {name: rules[name] for name in WRITTEN_DOWN} | {"source": rules.source}
    with database.atomic():
        move(act, COMPETITION, competition, "close_entries")
        for event in events_of(competition):
            if event.status != "planned":
                continue
            event.rules = written
            event.save(only=[CompetitionEvent.rules])
            count = len(standing(event))
            if event.ranked and count < rules["smallest_entrants"]:
                detail = {"entrants": count, "smallest": rules["smallest_entrants"]}
                move(act, COMPETITION_EVENT, event, "cancel", reason="报名人数不足", detail=detail)
    return competition


def withdraw(act: Act, entry: CompetitionEntry, reason: str) -> CompetitionEntry:
    """Take an entry out before results are proposed, by the team's office or the organiser."""
    return _change(act, entry, "withdraw", reason)


def disqualify(act: Act, entry: CompetitionEntry, reason: str) -> CompetitionEntry:
    """Disqualify an entry (取消资格): it stays on record, unranked; by the organiser, with the reason."""
    require_organiser(act, entry.event.competition)
    return _change(act, entry, "disqualify", reason)


def readmit(act: Act, entry: CompetitionEntry, reason: str) -> CompetitionEntry:
    """Take a disqualification back, as after an appeal to the jury."""
    require_organiser(act, entry.event.competition)
    return _change(act, entry, "readmit", reason)


def _change(act: Act, entry: CompetitionEntry, action: str, reason: str) -> CompetitionEntry:
    if not reason.strip():
        raise FieldRefused(field="reason")
    with database.atomic():
        hold(entry.event)
        move(act, COMPETITION_ENTRY, entry, action, reason=reason)
        # The event's own history tells who had a hand in its result: two persons are counted there.
        note(act, COMPETITION_EVENT.noun, entry.event_id, action, detail={"entry": str(entry.id)})
    return entry


# ---------------------------------------------------------------- queries


def standing(event: CompetitionEvent) -> list[CompetitionEntry]:
    """The entries of an event that were not withdrawn, in order of start number."""
    return list(entries_of(event).where(CompetitionEntry.status != "withdrawn"))


def entries_of(event: CompetitionEvent) -> Any:
    """All entries of an event in order of start number, as a query."""
    return (
        CompetitionEntry.select()
        .where(CompetitionEntry.event == event.id)
        .order_by(CompetitionEntry.start_number)
    )


def require_seen(act: Act, competition: Competition, entry: CompetitionEntry) -> None:
    """The entry is the caller's business: of their competition, or of their county's team.

    :raises NotFound: it is not.
    """
    if act.by.role == "base_clerk":
        raise NotFound()
    if not (act.by.covers(competition.division_code) or act.by.covers(entry.team_division)):
        raise NotFound()


def seen_by(act: Act) -> Any:
    """The entries that are the caller's business, as a query of their ids; see :func:`require_seen`."""
    code = act.by.division_code
    shared = code[:4] if code.endswith("00") else code
    return (
        CompetitionEntry.select(CompetitionEntry.id)
        .join(CompetitionEvent)
        .join(Competition)
        .where(
            Competition.division_code.startswith(shared) | CompetitionEntry.team_division.startswith(shared)
        )
    )


def name_of(vault: Vault, entry: CompetitionEntry) -> str:
    """The name under which this person was entered, in clear."""
    return vault.open(CompetitionEntry.name, entry.id, entry.name)
