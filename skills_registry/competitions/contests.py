"""Competitions (职业技能竞赛) and showcases (展能赛), and the events (项目) within them.

An officer drafts a competition with its events and opens it; teams enter people until the last day for
entries. When entries close, the rules in force on the first day of the competition are written down with
each event, and an event with fewer entrants than they ask for is cancelled. What is public or printed is
the public title: neither it nor an event's name may say for whom the competition is held.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from peewee import BooleanField, CharField, DateField, ForeignKeyField, IntegerField, JSONField, ModelSelect

from skills_registry.foundation.acts import Act, Role
from skills_registry.foundation.errors import FieldRefused, NotAllowed, RuleBroken
from skills_registry.foundation.lifecycle import Lifecycle, Move, begin, move, note
from skills_registry.foundation.policy import Rule
from skills_registry.foundation.storage import InstantField, Record, database
from skills_registry.foundation.wording import require_permitted_wording

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


@dataclass(frozen=True)
class Plan:
    """What an officer drafts: one competition."""

    kind: str
    title: str
    public_title: str
    organiser: str
    division_code: str
    place: str
    funding_source: str
    entries_until: date
    eligible_on: date
    starts_on: date
    ends_on: date


@dataclass(frozen=True)
class EventPlan:
    """One event to be held; ``tie_rule`` is empty where equal scores share a rank."""

    subject: str
    ranked: bool = True
    better: str = "higher"
    tie_rule: str = ""
    tie_better: str = ""


class DatesOutOfOrder(FieldRefused):
    """Facts: ``field``."""

    code = "dates_out_of_order"
    zh = "日期先后不对：报名截止应不晚于开赛，开赛应不晚于结束。"
    en = "The dates are out of order: entries end by the first day, which is not after the last."


class FundNotPermitted(FieldRefused):
    """Facts: ``field``, ``source``."""

    code = "fund_not_permitted"
    zh = "竞赛经费不能使用这项资金（{source}），请改用其他资金来源。"
    en = "A competition may not be paid from this fund ({source}); choose another."


class RankingRequired(FieldRefused):
    """Facts: ``field``."""

    code = "ranking_required"
    zh = "职业技能竞赛的项目必须排名；只展示不排名的，请登记为展能赛。"
    en = "Events of a competition are ranked; where nothing is ranked, draft a showcase."


class TieRuleIncomplete(FieldRefused):
    """Facts: ``field``."""

    code = "tie_rule_incomplete"
    zh = "同分规则要同时写明依据和以高者还是低者为先；不设同分规则的，两项都留空（并列）。"
    en = "A tie rule names its figure and which one is better; leave both empty for shared ranks."


class EventKnown(FieldRefused):
    """Facts: ``field``."""

    code = "event_known"
    zh = "本竞赛已有同名项目，请换一个名称。"
    en = "The competition has an event of that name already; choose another name."


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


def _require_plan(act: Act, plan: Plan) -> None:
    if plan.kind not in KINDS:
        raise FieldRefused(field="kind")
    if not act.by.covers(plan.division_code):
        raise FieldRefused(field="division_code")
    if not plan.entries_until <= plan.starts_on <= plan.ends_on:
        raise DatesOutOfOrder(field="starts_on")
    rules = act.policy.rule("competition", plan.starts_on)
    if plan.funding_source not in rules["funding_sources"]:
        raise FundNotPermitted(field="funding_source", source=rules.source)
    # As they will be printed: found out now, not when a hundred people have competed.
    texts = {"public_title": plan.public_title, "organiser": plan.organiser}
    require_permitted_wording(act.policy, act.today, **texts)


def _require_event(act: Act, competition: Competition, plan: EventPlan) -> None:
    if competition.kind == "skills_competition" and not plan.ranked:
        raise RankingRequired(field="ranked")
    if plan.better not in BETTER:
        raise FieldRefused(field="better")
    if bool(plan.tie_rule) != bool(plan.tie_better) or plan.tie_better not in ("", *BETTER):
        raise TieRuleIncomplete(field="tie_rule")
    require_permitted_wording(act.policy, act.today, subject=plan.subject)
    if competition.events.where(CompetitionEvent.subject == plan.subject).exists():
        raise EventKnown(field="subject")


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


def draft(act: Act, plan: Plan) -> Competition:
    """Draft a competition or showcase (S15).

    :raises DatesOutOfOrder: entries would end after it began, or it would end before.
    :raises FundNotPermitted: the policy does not let this fund pay for it (财社〔2023〕181号 Art. 16).
    :raises ForbiddenWording: a public text holds a word that a certificate may not show.
    """
    _require_plan(act, plan)
    with database.atomic():
        competition = Competition.create(drafted_at=act.at, **vars(plan))
        begin(act, COMPETITION, competition, "draft")
    return competition


def add_event(act: Act, competition: Competition, plan: EventPlan) -> CompetitionEvent:
    """Add an event while the competition is being prepared.

    :raises CompetitionPastThat: it takes entries already, or is past that.
    :raises RankingRequired: an unranked event in a competition.
    """
    require_organiser(act, competition)
    require_state(competition, "draft")
    _require_event(act, competition, plan)
    with database.atomic():
        event = CompetitionEvent.create(competition=competition, **vars(plan))
        begin(act, COMPETITION_EVENT, event, "add")
        note(act, COMPETITION.noun, competition.id, "add_event", detail={"event": str(event.id)})
    return event


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
