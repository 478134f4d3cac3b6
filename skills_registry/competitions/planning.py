"""Planning a competition (竞赛筹备): what an officer drafts, and what is found wrong with it before anybody competes.

What will be printed is judged now: a title that outs its winners, or is above its station, never gets as
far as a certificate.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from skills_registry.competitions.contests import (
    BETTER,
    COMPETITION,
    COMPETITION_EVENT,
    KINDS,
    Competition,
    CompetitionEvent,
    require_organiser,
    require_state,
)
from skills_registry.foundation.acts import Act
from skills_registry.foundation.errors import FieldRefused
from skills_registry.foundation.lifecycle import begin, note
from skills_registry.foundation.storage import database
from skills_registry.foundation.wording import require_permitted_wording


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
