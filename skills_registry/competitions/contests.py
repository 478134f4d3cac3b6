"""Competitions (职业技能竞赛) and showcases (展能赛), and the events (项目) within them.

An officer drafts a competition with its events and opens it; teams enter people until the last day for
entries. When entries close, the rules in force on the first day of the competition are written down with
each event, and an event with fewer entrants than they ask for is cancelled. What is public or printed is
the public title: neither it nor an event's name may say for whom the competition is held.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from peewee import BooleanField, CharField, DateField, ForeignKeyField, IntegerField, JSONField, ModelSelect

from skills_registry.foundation.acts import Act, Role
from skills_registry.foundation.errors import NotAllowed, RuleBroken
from skills_registry.foundation.lifecycle import Lifecycle, Move, move
from skills_registry.foundation.policy import Rule
from skills_registry.foundation.storage import InstantField, Record, database

OFFICERS: frozenset[Role] = frozenset({"county_officer", "city_officer"})
CITY: frozenset[Role] = frozenset({"city_officer"})

COMPETITION = Lifecycle(
    noun="competition",
    zh="竞赛",
    states={
        "draft": ("筹备中", "being prepared"),
        "open": ("报名中", "taking entries"),
        "running": ("比赛中", "entries closed, running"),
        "concluded": ("已结束", "concluded"),
        "cancelled": ("已取消", "cancelled"),
    },
    moves=(
        Move("open", "draft", "open", OFFICERS),
        Move("close_entries", "open", "running", OFFICERS),
        Move("conclude", "running", "concluded", OFFICERS),
        Move("resume", "concluded", "running", CITY),
        Move("cancel", "draft", "cancelled", OFFICERS),
        Move("cancel", "open", "cancelled", OFFICERS),
        Move("cancel", "running", "cancelled", OFFICERS),
    ),
)

COMPETITION_EVENT = Lifecycle(
    noun="competition_event",
    zh="竞赛项目",
    states={
        "planned": ("待出成绩", "awaiting results"),
        "proposed": ("成绩待确认", "results proposed"),
        "final": ("成绩已确认", "results final"),
        "cancelled": ("已取消", "cancelled"),
    },
    moves=(
        Move("propose", "planned", "proposed", OFFICERS),
        Move("return", "proposed", "planned", CITY),
        Move("finalise", "proposed", "final", CITY),
        Move("reopen", "final", "planned", CITY),
        Move("cancel", "planned", "cancelled", OFFICERS),
    ),
)

KINDS: dict[str, tuple[str, str]] = {
    "skills_competition": ("职业技能竞赛", "Skills competition"),
    "ability_showcase": ("展能赛", "Showcase"),
}
#: Which of two figures is the better one: points, or seconds.
BETTER: dict[str, tuple[str, str]] = {
    "higher": ("高者为先", "the higher"),
    "lower": ("低者为先", "the lower"),
}

LONGEST_TITLE, LONGEST_SUBJECT, LONGEST_RULE = 120, 60, 80


class Competition(Record):
    """One competition. ``title`` is its official name, ``public_title`` the one on paper and public pages.

    ``eligible_on`` is the day on which age and card are judged; ``entries_until`` the last day for entries.
    """

    kind = CharField(max_length=30)
    title = CharField(max_length=LONGEST_TITLE)
    public_title = CharField(max_length=LONGEST_TITLE)
    organiser = CharField(max_length=LONGEST_TITLE)
    division_code = CharField(max_length=6, index=True)
    place = CharField(max_length=LONGEST_TITLE)
    funding_source = CharField(max_length=40)
    entries_until = DateField()
    eligible_on = DateField()
    starts_on = DateField()
    ends_on = DateField()
    status = CharField(max_length=20, default=COMPETITION.first)
    drafted_at = InstantField()
    events: ModelSelect[CompetitionEvent]


class CompetitionEvent(Record):
    """One event. ``better`` says which score wins; ``tie_rule`` names what parts equal scores and ``tie_better``
    which figure of it wins, both empty where equal scores share a rank. ``rules`` are the policy's figures as
    they stood when entries closed; ``entrants`` how many the prizes were counted by, once final."""

    competition = ForeignKeyField(Competition, backref="events", on_delete="RESTRICT")
    subject = CharField(max_length=LONGEST_SUBJECT)
    ranked = BooleanField()
    better = CharField(max_length=10)
    tie_rule = CharField(max_length=LONGEST_RULE)
    tie_better = CharField(max_length=10)
    rules = JSONField(null=True)
    entrants = IntegerField(null=True)
    status = CharField(max_length=20, default=COMPETITION_EVENT.first)
    competition_id: UUID

    class Meta:
        indexes = ((("competition", "subject"), True),)


class NoEvents(RuleBroken):
    """A competition without events has nothing to enter."""

    code = "no_events"
    zh = "本竞赛还没有项目，请先添加项目。"
    en = "The competition has no events yet; add one first."


class NotOrganiser(NotAllowed):
    """The competition is another office's."""

    code = "not_the_organiser"
    zh = "本竞赛由上级主办，您可以为本县（区）报名，其余事项请联系主办单位。"
    en = "Another office holds this competition; you may enter your county's people, the rest is theirs."


class CompetitionPastThat(RuleBroken):
    """Facts: ``state_zh``, ``state_en``."""

    code = "competition_past_that"
    zh = "竞赛当前状态为“{state_zh}”，现在不能办理这一项。"
    en = "The competition is '{state_en}'; this cannot be done now."


class NotYet(RuleBroken):
    """Facts: ``on``."""

    code = "competition_not_yet"
    zh = "{on}起才能办理这一项。"
    en = "This can be done from {on} on."


class EventsUndecided(RuleBroken):
    """Facts: ``count``."""

    code = "events_undecided"
    zh = "还有{count}个项目没有确认成绩，确认或取消后才能结束竞赛。"
    en = "{count} event(s) have no final result yet; confirm or cancel them first."


class ResultsFinal(RuleBroken):
    """Some event has final results, or proposed ones: the competition cannot be cancelled any more."""

    code = "results_final"
    zh = "已有项目提交或确认了成绩，不能取消整个竞赛；可以逐个取消未出成绩的项目。"
    en = "An event has results already; cancel the others one by one."


# ---------------------------------------------------------------- rules


def rule(act: Act, competition: Competition) -> Rule:
    """The policy's rules for this competition: those in force on its first day."""
    return act.policy.rule("competition", competition.starts_on)


def require_organiser(act: Act, competition: Competition) -> None:
    """:raises NotOrganiser: the caller's office takes part, and does not hold the competition."""
    if not act.by.covers(competition.division_code):
        raise NotOrganiser()


def require_state(competition: Competition, *states: str) -> None:
    """:raises CompetitionPastThat: it is in none of these states."""
    if competition.status not in states:
        zh, en = COMPETITION.states[competition.status]
        raise CompetitionPastThat(state_zh=zh, state_en=en)


def require_begun(act: Act, competition: Competition) -> None:
    """:raises NotYet: the competition's first day is still to come: nobody can have achieved anything."""
    if act.today < competition.starts_on:
        raise NotYet(on=competition.starts_on)


# ---------------------------------------------------------------- verbs


def hold(event: CompetitionEvent) -> None:
    """Make this transaction and every move of the event wait for each other; its first write.

    :raises WrongState: its results are proposed or final, or it is cancelled.
    """
    held = (
        CompetitionEvent.update(status="planned")
        .where((CompetitionEvent.id == event.id) & (CompetitionEvent.status == "planned"))
        .execute()
    )
    if held != 1:
        raise COMPETITION_EVENT.refusal(CompetitionEvent.get_by_id(event.id).status, "propose")


def open_entries(act: Act, competition: Competition) -> Competition:
    """Take entries from now on.

    :raises NoEvents: there is nothing to enter.
    """
    require_organiser(act, competition)
    if not competition.events.exists():
        raise NoEvents()
    move(act, COMPETITION, competition, "open")
    return competition


def conclude(act: Act, competition: Competition) -> Competition:
    """End a competition whose events are all final or cancelled.

    :raises EventsUndecided: some are not.
    """
    require_organiser(act, competition)
    with database.atomic():
        move(act, COMPETITION, competition, "conclude")
        left = competition.events.where(CompetitionEvent.status << ("planned", "proposed")).count()
        if left:
            raise EventsUndecided(count=left)
    return competition


def cancel(act: Act, competition: Competition, reason: str) -> Competition:
    """Cancel a competition and all of its events, while none has results.

    :raises ResultsFinal: one has.
    """
    require_organiser(act, competition)
    with database.atomic():
        move(act, COMPETITION, competition, "cancel", reason=reason)
        for event in events_of(competition):
            if event.status in ("proposed", "final"):
                raise ResultsFinal()
            if event.status == "planned":
                move(act, COMPETITION_EVENT, event, "cancel", reason=reason)
    return competition


def cancel_event(act: Act, event: CompetitionEvent, reason: str) -> CompetitionEvent:
    """Cancel one event that has no results yet."""
    require_organiser(act, event.competition)
    move(act, COMPETITION_EVENT, event, "cancel", reason=reason)
    return event


# ---------------------------------------------------------------- queries


def events_of(competition: Competition) -> list[CompetitionEvent]:
    """The events of a competition, in the order in which they were added."""
    return list(competition.events.order_by(CompetitionEvent.id))


def seen_by(act: Act) -> Any:
    """The competitions that are the caller's business, as a query: held in their division, or by their city."""
    code = act.by.division_code
    if code.endswith("00"):
        return Competition.select().where(Competition.division_code.startswith(code[:4]))
    return Competition.select().where(Competition.division_code << (code, f"{code[:4]}00"))
