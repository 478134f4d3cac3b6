"""Competitions: who may enter, what cancels an event, who wins what, and that two persons stand behind a result."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from playhouse.migrations import Runner

from api.check import check
from certificates import token
from certificates.document import fonts
from skills_registry.certification import certificates, issuing
from skills_registry.certification.certificates import Certificate
from skills_registry.competitions import contests, entries, planning, results, scores
from skills_registry.competitions.contests import (
    COMPETITION,
    COMPETITION_EVENT,
    Competition,
    CompetitionEvent,
    CompetitionPastThat,
    EventsUndecided,
    NoEvents,
    NotOrganiser,
    NotYet,
    ResultsFinal,
)
from skills_registry.competitions.entries import (
    COMPETITION_ENTRY,
    AlreadyEntered,
    CardMissing,
    CardTooLate,
    CompetitionEntry,
    EntriesClosed,
    EntryRefused,
    OutsideCompetitionAge,
    PastAwardHolder,
    TeamFull,
)
from skills_registry.competitions.planning import (
    DatesOutOfOrder,
    EventKnown,
    EventPlan,
    FundNotPermitted,
    RankingRequired,
    TieRuleIncomplete,
)
from skills_registry.competitions.results import (
    NotAnAward,
    ScoresMissing,
    TieUndecided,
    TooFewTookPart,
)
from skills_registry.competitions.scores import EntryScore, NotTakingPart, Scored, ScoreUnfit
from skills_registry.foundation import storage
from skills_registry.foundation.errors import FieldRefused, NotAllowed, SeparationOfDuties, WrongState
from skills_registry.foundation.lifecycle import Step, people_in, steps_of
from skills_registry.foundation.policy import Policy
from skills_registry.foundation.storage import database
from skills_registry.foundation.wording import ForbiddenWording
from tests import competing
from tests.competing import candidate
from tests.world import COUNTY, OTHER_COUNTY, World


def told(world: World) -> list[str]:
    return [f"{finding.table} {finding.row}" for finding in check(world.service)]


def with_policy(world: World, old: str, new: str) -> None:
    """The city's policy with one figure of the competition rule changed."""
    from skills_registry.foundation.policy import HAIDONG

    text = HAIDONG.read_text(encoding="utf-8")
    head, mark, tail = text.partition("[[competition]]")
    assert old in tail
    object.__setattr__(world.service, "policy", Policy(head + mark + tail.replace(old, new, 1)))


# ---------------------------------------------------------------- the way of a result


def test_the_first_three_of_seven_are_awarded_in_the_numbers_that_classes_take(world: World) -> None:
    trained = world.issued()
    event = competing.proposed(world)
    awarded = competing.confirm(world, event)
    assert [(a.prize, a.subject, a.kind) for a in awarded] == [
        ("第一名", "中式面点制作", "competition_award"),
        ("第二名", "中式面点制作", "competition_award"),
        ("第三名", "中式面点制作", "competition_award"),
    ]
    assert [a.serial for a in awarded] == [trained[-1].serial + n for n in (1, 2, 3)]
    assert competing.placed(event)[:3] == [(1, "第一名"), (3, "第三名"), (2, "第二名")]
    assert told(world) == []


def test_an_award_stands_on_its_entry_and_on_no_enrolment_class_or_base(world: World) -> None:
    award = competing.confirm(world, competing.proposed(world))[0]
    assert (award.enrolment_id, award.training_class_id, award.base_id) == (None, None, None)
    assert results.entry_behind(award).start_number == 1
    with pytest.raises(NotAnAward):
        results.entry_behind(world.issued()[0])


@pytest.mark.parametrize(("people", "prizes"), [(3, 1), (4, 2), (6, 2), (7, 3), (9, 3)])
def test_prizes_go_by_how_many_took_part(small_world: World, people: int, prizes: int) -> None:
    points = [str(90 - place) for place in range(people)]
    assert len(competing.confirm(small_world, competing.proposed(small_world, *points))) == prizes


def test_equal_scores_share_a_rank_and_its_prize_and_leave_the_next_one_free(small_world: World) -> None:
    event = competing.final(small_world, "90", "90", "80", "70", "60", "50", "40")
    assert competing.placed(event)[:4] == [(1, "第一名"), (1, "第一名"), (3, "第三名"), (4, "")]


def test_a_tie_rule_parts_equal_scores_and_must_be_told_its_figure(small_world: World) -> None:
    by_time = EventPlan("中式面点制作", tie_rule="用时少者列前", tie_better="lower")
    event = competing.running(small_world, 4, by_time)
    competing.score(small_world, event, "90", "90", "80", "70")
    act = small_world.act("city_officer")
    with pytest.raises(TieUndecided) as refusal:
        results.propose(act, event)
    assert refusal.value.facts["numbers"] == "1、2"
    assert CompetitionEvent.get_by_id(event.id).status == "planned"
    for number, minutes in ((1, "42.5"), (2, "40")):
        scored = Scored("finished", Decimal(90), Decimal(minutes))
        scores.record_score(act, competing.of(event, number), scored)
    competing.confirm(small_world, results.propose(act, CompetitionEvent.get_by_id(event.id)))
    assert competing.placed(event)[:2] == [(2, "第二名"), (1, "第一名")]
    assert told(small_world) == []


def test_the_lower_figure_wins_where_the_event_says_so(small_world: World) -> None:
    event = competing.running(small_world, 3, EventPlan("电脑录入", better="lower"))
    competing.score(small_world, event, "300.5", "299", "301")
    competing.confirm(small_world, results.propose(small_world.act("city_officer"), event))
    assert competing.placed(event) == [(2, ""), (1, "第一名"), (3, "")]
    assert told(small_world) == []


def test_who_did_not_finish_counts_as_taking_part_and_has_no_rank(small_world: World) -> None:
    event = competing.final(small_world, "90", "80", None, None)
    assert competing.placed(event) == [(1, "第一名"), (2, "第二名"), (None, ""), (None, "")]
    assert CompetitionEvent.get_by_id(event.id).entrants == 4


def test_who_did_not_come_counts_for_nothing(small_world: World) -> None:
    event = competing.running(small_world, 4)
    competing.score(small_world, event, "90", "80", "70", None)
    act = small_world.act("city_officer")
    scores.record_score(act, competing.of(event, 4), Scored("did_not_start"))
    competing.confirm(small_world, results.propose(act, event))
    assert competing.placed(event) == [(1, "第一名"), (2, ""), (3, ""), (None, "")]


def test_a_disqualified_one_wins_nothing_and_the_next_moves_up(small_world: World) -> None:
    event = competing.running(small_world, 4)
    competing.score(small_world, event, "90", "80", "70", "60")
    act = small_world.act("city_officer")
    entries.disqualify(act, competing.of(event, 1), "使用了禁用工具")
    with pytest.raises(NotTakingPart):
        scores.record_score(act, competing.of(event, 1), Scored("finished", Decimal(95)))
    competing.confirm(small_world, results.propose(act, event))
    assert competing.placed(event) == [(None, ""), (1, "第一名"), (2, "第二名"), (3, "")]
    assert told(small_world) == []


def test_the_upper_part_gets_a_merit_prize_where_the_policy_gives_one(small_world: World) -> None:
    with_policy(small_world, "merit_percent = 0", "merit_percent = 50")
    event = competing.final(small_world, *(str(90 - n) for n in range(9)))
    assert [prize for _, prize in competing.placed(event)] == [
        "第一名", "第二名", "第三名", "优胜奖", "", "", "", "", "",
    ]  # fmt: skip
    assert told(small_world) == []


def test_a_showcase_ranks_nobody_and_gives_what_the_policy_gives(small_world: World) -> None:
    with_policy(small_world, 'unranked_title = ""', 'unranked_title = "展示奖"')
    event = competing.running(
        small_world, 2, EventPlan("手工刺绣展示", ranked=False), kind="ability_showcase"
    )
    act = small_world.on(2025, 3, 1).act("city_officer")
    for number, outcome in ((1, "finished"), (2, "did_not_finish")):
        scores.record_score(act, competing.of(event, number), Scored(outcome))
    awarded = competing.confirm(small_world, results.propose(act, event))
    assert [award.prize for award in awarded] == ["展示奖"]
    assert competing.placed(event) == [(None, "展示奖"), (None, "")]
    assert told(small_world) == []


def test_a_showcase_without_titles_gives_no_certificate(small_world: World) -> None:
    event = competing.running(
        small_world, 1, EventPlan("手工刺绣展示", ranked=False), kind="ability_showcase"
    )
    act = small_world.on(2025, 3, 1).act("city_officer")
    scores.record_score(act, competing.of(event, 1), Scored("finished"))
    assert competing.confirm(small_world, results.propose(act, event)) == []
    assert told(small_world) == []


def test_rules_written_down_at_the_close_outlast_a_change_of_the_policy(small_world: World) -> None:
    event = competing.proposed(small_world)
    with_policy(small_world, "ranks = 3 }", "ranks = 1 }")
    assert len(competing.confirm(small_world, event)) == 3


# ---------------------------------------------------------------- two persons


@pytest.mark.parametrize("by", ["city_officer"])
def test_whoever_scored_or_proposed_does_not_confirm(world: World, by: str) -> None:
    event = competing.proposed(world)
    with pytest.raises(SeparationOfDuties):
        competing.confirm(world, event, by)
    assert (CompetitionEvent.get_by_id(event.id).status, Certificate.select().count()) == ("proposed", 0)


def test_a_second_account_of_the_same_person_does_not_confirm_either(small_world: World) -> None:
    event = competing.proposed(small_world)
    account = small_world.accounts["city_officer"]
    small_world.hire("other_hat", account.organisation, "city_officer", operator=account.operator)
    with pytest.raises(SeparationOfDuties):
        competing.confirm(small_world, event, "other_hat")


def test_a_county_officer_confirms_nothing(small_world: World) -> None:
    with pytest.raises(NotAllowed):
        competing.confirm(small_world, competing.proposed(small_world), "county_officer")


def test_confirming_twice_answers_the_same_awards(world: World) -> None:
    event = competing.proposed(world)
    stale = CompetitionEvent.get_by_id(event.id)
    first = competing.confirm(world, event)
    again = competing.confirm(world, stale)
    assert [a.id for a in first] == [a.id for a in again]
    assert Certificate.select().count() == 3


def test_a_name_that_no_font_covers_leaves_everything_as_it_was(world: World) -> None:
    event = competing.proposed(world)
    before = Step.select().count()
    with pytest.raises(Exception, match="1号选手"):
        results.finalise(
            world.act("second_city_officer"), event, world.service.signer(), lambda text: text[:1]
        )
    assert (CompetitionEvent.get_by_id(event.id).status, Step.select().count()) == ("proposed", before)
    assert Certificate.select().count() == 0


# ---------------------------------------------------------------- entries and their rules


def refused(world: World, error: type[Exception], event: CompetitionEvent, **changes: Any) -> Exception:
    before = CompetitionEntry.select().count()
    with pytest.raises(error) as refusal:
        entries.enter(world.act("city_officer"), event, candidate(**{"place": 5} | changes))
    assert CompetitionEntry.select().count() == before
    return refusal.value


def test_age_and_card_are_judged_on_the_day_that_the_competition_names(small_world: World) -> None:
    event = competing.opened(small_world)
    turns_sixteen = {"born": "200903"}  # born on the 6th: fifteen on 1 March 2025
    young = competing.citizen_id(5, **turns_sixteen)
    refused(small_world, OutsideCompetitionAge, event, citizen_id=young, disability_card=f"{young}43")
    refused(small_world, CardTooLate, event, card_issued_on=date(2025, 3, 2))
    entries.enter(small_world.act("city_officer"), event, candidate(5, card_issued_on=date(2025, 3, 1)))


def test_a_card_is_asked_for_and_must_be_the_entrants_own(small_world: World) -> None:
    event = competing.opened(small_world)
    refused(small_world, CardMissing, event, disability_card="")
    refused(small_world, CardMissing, event, card_issued_on=None)
    other = refused(small_world, EntryRefused, event, disability_card=f"{competing.citizen_id(1)}43")
    assert other.own_code == "card_id_mismatch"  # type: ignore[attr-defined]


def test_one_entrant_of_a_team_in_an_event_and_one_entry_of_a_person(small_world: World) -> None:
    event = competing.entered(small_world, 2)
    refused(small_world, TeamFull, event, team="第1代表队")
    refused(small_world, AlreadyEntered, event, place=0, team="别的代表队")
    act = small_world.act("city_officer")
    entries.withdraw(act, competing.of(event, 1), "生病")
    assert entries.enter(act, event, candidate(5, team="第1代表队")).start_number == 3
    assert entries.enter(act, event, candidate(0, team="别的代表队")).start_number == 4


def test_holders_of_the_expert_title_and_past_winners_do_not_compete(small_world: World) -> None:
    refused(small_world, PastAwardHolder, competing.opened(small_world), expert_title=True)
    competing.final(small_world)
    small_world.on(2025, 2, 11)
    with_policy(small_world, "barred_years = 0", "barred_years = 3")
    again = competing.opened(small_world)
    refused(small_world, PastAwardHolder, again, place=0)
    entries.enter(small_world.act("city_officer"), again, candidate(1))
    other = planning.draft(small_world.act("city_officer"), competing.plan())
    event = planning.add_event(small_world.act("city_officer"), other, EventPlan("西式面点制作"))
    contests.open_entries(small_world.act("city_officer"), other)
    entries.enter(small_world.act("city_officer"), CompetitionEvent.get_by_id(event.id), candidate(0))


def test_entries_end_with_their_last_day(small_world: World) -> None:
    event = competing.opened(small_world)
    small_world.now = competing.ENTRIES_OVER
    refused(small_world, EntriesClosed, event)


def test_a_county_enters_its_own_people_only_and_runs_nothing_of_the_citys(small_world: World) -> None:
    event = competing.opened(small_world)
    county = small_world.act("county_officer")
    entries.enter(county, event, candidate(0))
    with pytest.raises(FieldRefused):
        entries.enter(county, event, candidate(1, team_division=OTHER_COUNTY))
    for verb in (contests.open_entries, entries.close_entries, contests.conclude):
        with pytest.raises(NotOrganiser):
            verb(county, event.competition)
    with pytest.raises(NotOrganiser):
        entries.disqualify(county, competing.of(event, 1), "理由")


def test_a_county_holds_a_competition_of_its_own_and_the_city_confirms(small_world: World) -> None:
    county = small_world.act("county_officer")
    competition = planning.draft(county, competing.plan(division_code=COUNTY))
    event = planning.add_event(county, competition, EventPlan("中式面点制作"))
    contests.open_entries(county, competition)
    for place in range(3):
        entries.enter(county, CompetitionEvent.get_by_id(event.id), candidate(place))
    county = small_world.on(2025, 3, 1).act("county_officer")
    entries.close_entries(county, competition)
    event = CompetitionEvent.get_by_id(event.id)
    for number in (1, 2, 3):
        scores.record_score(county, competing.of(event, number), Scored("finished", Decimal(number)))
    assert len(competing.confirm(small_world, results.propose(county, event), "city_officer")) == 1


def test_nobody_achieves_anything_before_the_first_day(small_world: World) -> None:
    event = competing.running(small_world, 3)
    act = small_world.act("city_officer")
    with pytest.raises(NotYet):
        scores.record_score(act, competing.of(event, 1), Scored("finished", Decimal(90)))
    with pytest.raises(NotYet):
        results.propose(act, event)
    assert CompetitionEvent.get_by_id(event.id).status == "planned"


def test_entries_are_not_closed_before_their_last_day_is_over(small_world: World) -> None:
    competition = competing.entered(small_world, 3).competition
    with pytest.raises(NotYet):
        entries.close_entries(small_world.on(2025, 2, 20).act("city_officer"), competition)
    assert Competition.get_by_id(competition.id).status == "open"


# ---------------------------------------------------------------- too few


@pytest.mark.parametrize(("people", "status"), [(0, "cancelled"), (2, "cancelled"), (3, "planned")])
def test_fewer_than_three_entrants_cancel_an_event(small_world: World, people: int, status: str) -> None:
    event = competing.running(small_world, people)
    assert event.status == status
    moved = [step.to for step in steps_of(event.id) if step.to]
    assert moved[-1:] == [status]


def test_an_event_that_too_few_came_to_is_cancelled_and_not_ranked(small_world: World) -> None:
    event = competing.running(small_world, 3)
    competing.score(small_world, event, "90", "80", "70")
    act = small_world.act("city_officer")
    scores.record_score(act, competing.of(event, 3), Scored("did_not_start"))
    with pytest.raises(TooFewTookPart) as refusal:
        results.propose(act, event)
    assert refusal.value.facts == {"count": 2, "smallest": 3}
    contests.cancel_event(act, CompetitionEvent.get_by_id(event.id), "实际参赛不足三人")
    assert contests.conclude(act, Competition.get_by_id(event.competition_id)).status == "concluded"


def test_a_result_needs_a_score_of_everyone(small_world: World) -> None:
    event = competing.running(small_world, 3)
    small_world.on(2025, 3, 1)
    scores.record_score(
        small_world.act("city_officer"), competing.of(event, 2), Scored("finished", Decimal(1))
    )
    with pytest.raises(ScoresMissing) as refusal:
        results.propose(small_world.act("city_officer"), event)
    assert refusal.value.facts == {"count": 2, "numbers": "1、3"}


UNFIT = {
    "a finisher without a score": Scored("finished"),
    "a score of who did not finish": Scored("did_not_finish", Decimal(3)),
    "below zero": Scored("finished", Decimal(-1)),
    "beyond the largest": Scored("finished", Decimal(1_000_001)),
    "no number": Scored("finished", Decimal("NaN")),
    "four places": Scored("finished", Decimal("1.2345")),
    "a tie figure without a tie rule": Scored("finished", Decimal(1), Decimal(2)),
}


@pytest.mark.parametrize("scored", UNFIT.values(), ids=UNFIT.keys())
def test_a_score_that_cannot_be_is_refused(small_world: World, scored: Scored) -> None:
    event = competing.running(small_world, 3)
    small_world.on(2025, 3, 1)
    with pytest.raises(ScoreUnfit):
        scores.record_score(small_world.act("city_officer"), competing.of(event, 1), scored)
    assert EntryScore.select().count() == 0


def test_an_earlier_score_stays_as_a_trace(world: World) -> None:
    event = competing.running(world, 3)
    competing.score(world, event, "90", "80", "70")
    competing.score(world, event, "90", "85", "70")
    of_second = EntryScore.select().where(EntryScore.entry == competing.of(event, 2).id)
    assert sorted((score.score, score.current) for score in of_second) == [(80, False), (85, True)]


# ---------------------------------------------------------------- what may be planned


BAD_PLANS: dict[str, tuple[type[Exception], dict[str, Any]]] = {
    "the fund for employment subsidies": (FundNotPermitted, {"funding_source": "employment_subsidy_fund"}),
    "entries beyond the first day": (DatesOutOfOrder, {"entries_until": date(2025, 3, 2)}),
    "an end before the beginning": (DatesOutOfOrder, {"ends_on": date(2025, 2, 28)}),
    "a title that outs the winners": (ForbiddenWording, {"public_title": "海东市残疾人职业技能竞赛"}),
    "a title above its station": (ForbiddenWording, {"public_title": "全国技能竞赛"}),
    "an organiser that outs them": (ForbiddenWording, {"organiser": "海东市残疾人联合会"}),
    "another city": (FieldRefused, {"division_code": "630100"}),
}


@pytest.mark.parametrize(("error", "changes"), BAD_PLANS.values(), ids=BAD_PLANS.keys())
def test_a_competition_that_may_not_be_is_refused(
    small_world: World, error: type[Exception], changes: dict[str, Any]
) -> None:
    with pytest.raises(error):
        planning.draft(small_world.act("city_officer"), competing.plan(**changes))
    assert Competition.select().count() == 0


BAD_EVENTS: dict[str, tuple[type[Exception], EventPlan]] = {
    "unranked in a competition": (RankingRequired, EventPlan("刺绣", ranked=False)),
    "a tie rule without its figure": (TieRuleIncomplete, EventPlan("刺绣", tie_rule="抽签")),
    "a figure without a tie rule": (TieRuleIncomplete, EventPlan("刺绣", tie_better="lower")),
    "a name that outs": (ForbiddenWording, EventPlan("残疾人刺绣")),
    "the same name twice": (EventKnown, EventPlan("中式面点制作")),
}


@pytest.mark.parametrize(("error", "event"), BAD_EVENTS.values(), ids=BAD_EVENTS.keys())
def test_an_event_that_may_not_be_is_refused(
    small_world: World, error: type[Exception], event: EventPlan
) -> None:
    planned = competing.drafted(small_world)
    with pytest.raises(error):
        planning.add_event(small_world.act("city_officer"), planned.competition, event)
    assert CompetitionEvent.select().count() == 1


def test_a_competition_without_events_takes_no_entries(small_world: World) -> None:
    act = small_world.act("city_officer")
    with pytest.raises(NoEvents):
        contests.open_entries(act, planning.draft(act, competing.plan()))


def test_a_competition_ends_when_every_event_is_decided_and_is_not_cancelled_with_results(
    small_world: World,
) -> None:
    event = competing.proposed(small_world)
    act = small_world.act("city_officer")
    competition = Competition.get_by_id(event.competition_id)
    with pytest.raises(EventsUndecided):
        contests.conclude(act, Competition.get_by_id(competition.id))
    with pytest.raises(ResultsFinal):
        contests.cancel(act, Competition.get_by_id(competition.id), "经费")
    assert Competition.get_by_id(competition.id).status == "running"


def test_cancelling_a_competition_cancels_its_events(small_world: World) -> None:
    event = competing.entered(small_world, 2)
    contests.cancel(small_world.act("city_officer"), event.competition, "疫情")
    assert CompetitionEvent.get_by_id(event.id).status == "cancelled"


# ---------------------------------------------------------------- corrections after the result


def test_a_wrong_result_is_reopened_its_awards_revoked_and_the_right_one_awarded(world: World) -> None:
    event = competing.final(world, "90", "80", "70")
    contests.conclude(world.act("city_officer"), Competition.get_by_id(event.competition_id))
    reopened = results.reopen(world.act("second_city_officer"), event, "裁判计分有误")
    assert [award.status for award in results.awards_of([event])] == ["revoked"]
    assert Competition.get_by_id(event.competition_id).status == "running"
    competing.score(world, reopened, "60", "80", "70")
    results.propose(world.act("city_officer"), reopened)
    competing.confirm(world, CompetitionEvent.get_by_id(event.id))
    assert competing.placed(event) == [(3, ""), (1, "第一名"), (2, "")]
    assert [award.status for award in results.awards_of([event])] == ["revoked", "valid"]
    assert told(world) == []


def test_the_same_winner_gets_a_new_award_after_a_reopening(world: World) -> None:
    event = competing.final(world, "90", "80", "70")
    reopened = results.reopen(world.act("second_city_officer"), event, "补录成绩")
    results.propose(world.act("city_officer"), reopened)
    competing.confirm(world, CompetitionEvent.get_by_id(event.id))
    assert [award.status for award in results.awards_of([event])] == ["revoked", "valid"]
    assert told(world) == []


def test_a_wrong_name_is_corrected_by_reissuing_the_award_and_in_its_entry(world: World) -> None:
    event = competing.final(world)
    first = results.awards_of([event])[0]
    arguments = (world.service.signer(), fonts.uncovered)
    fresh = results.reissue(world.act("city_officer"), first, *arguments, reason="更正", name="李晓冬")
    vault = world.service.vault
    assert certificates.name_on(vault, fresh) == "李晓冬"
    assert entries.name_of(vault, competing.of(event, 1)) == "李晓冬"
    assert (fresh.prize, fresh.competition) == ("第一名", "2025年海东市职业技能竞赛")
    assert Certificate.get_by_id(first.id).status == "superseded"
    assert told(world) == []


def test_a_revoked_award_makes_no_winner(small_world: World) -> None:
    event = competing.final(small_world)
    issuing.revoke(small_world.act("city_officer"), results.awards_of([event])[0], "冒名顶替")
    assert [entry.start_number for entry in results.winners_of(event)] == [3, 2]
    assert told(small_world) == []


def test_the_table_of_teams_counts_first_places_first(small_world: World) -> None:
    event = competing.final(small_world)
    table = results.medal_table(Competition.get_by_id(event.competition_id))
    assert table == [("第1代表队", {"第一名": 1}), ("第3代表队", {"第二名": 1}), ("第2代表队", {"第三名": 1})]


# ---------------------------------------------------------------- forbidden moves, all of them

EVENT_STATES: dict[str, Callable[[World], CompetitionEvent]] = {
    "planned": competing.running,
    "proposed": competing.proposed,
    "final": competing.final,
    "cancelled": competing.cancelled,
}
EVENT_ACTS: dict[str, Callable[[World, CompetitionEvent], object]] = {
    "propose": lambda world, event: results.propose(world.act("city_officer"), event),
    "return": lambda world, event: results.send_back(world.act("city_officer"), event, "理由"),
    "finalise": competing.confirm,
    "reopen": lambda world, event: results.reopen(world.act("city_officer"), event, "理由"),
    "cancel": lambda world, event: contests.cancel_event(world.act("city_officer"), event, "理由"),
}
#: A second confirmation answers what the first one issued.
ANSWERED_AGAIN = {("final", "finalise")}

FORBIDDEN_EVENT_MOVES = [
    (state, action)
    for state, action in itertools.product(EVENT_STATES, EVENT_ACTS)
    if COMPETITION_EVENT.find(action, state) is None and (state, action) not in ANSWERED_AGAIN
]


def test_every_state_and_act_of_an_event_is_tried() -> None:
    assert set(EVENT_STATES) == set(COMPETITION_EVENT.states)
    assert set(EVENT_ACTS) == {move.action for move in COMPETITION_EVENT.moves}


@pytest.mark.parametrize(("state", "action"), FORBIDDEN_EVENT_MOVES)
def test_a_forbidden_move_of_an_event_changes_nothing(small_world: World, state: str, action: str) -> None:
    event = EVENT_STATES[state](small_world)
    small_world.on(2025, 3, 1)
    before = (Step.select().count(), Certificate.select().count())
    with pytest.raises(WrongState):
        EVENT_ACTS[action](small_world, CompetitionEvent.get_by_id(event.id))
    assert CompetitionEvent.get_by_id(event.id).status == state
    assert (Step.select().count(), Certificate.select().count()) == before


def in_competition_state(world: World, state: str) -> Competition:
    built: dict[str, Callable[[World], CompetitionEvent]] = {
        "draft": competing.drafted,
        "open": competing.opened,
        "running": competing.running,
        "concluded": competing.final,
        "cancelled": competing.opened,
    }
    competition = Competition.get_by_id(built[state](world).competition_id)
    if state == "concluded":
        contests.conclude(world.act("city_officer"), competition)
    if state == "cancelled":
        contests.cancel(world.act("city_officer"), competition, "理由")
    return Competition.get_by_id(competition.id)


COMPETITION_ACTS: dict[str, Callable[[World, Competition], object]] = {
    "open": lambda world, found: contests.open_entries(world.act("city_officer"), found),
    "close_entries": lambda world, found: entries.close_entries(world.act("city_officer"), found),
    "conclude": lambda world, found: contests.conclude(world.act("city_officer"), found),
    "cancel": lambda world, found: contests.cancel(world.act("city_officer"), found, "理由"),
}
FORBIDDEN_COMPETITION_MOVES = [
    (state, action)
    for state, action in itertools.product(COMPETITION.states, COMPETITION_ACTS)
    if COMPETITION.find(action, state) is None
]


@pytest.mark.parametrize(("state", "action"), FORBIDDEN_COMPETITION_MOVES)
def test_a_forbidden_move_of_a_competition_changes_nothing(
    small_world: World, state: str, action: str
) -> None:
    competition = in_competition_state(small_world, state)
    before = Step.select().count()
    small_world.on(2025, 3, 1)
    with pytest.raises(WrongState):
        COMPETITION_ACTS[action](small_world, competition)
    assert (Competition.get_by_id(competition.id).status, Step.select().count()) == (state, before)


@pytest.mark.parametrize("state", ["draft", "running", "concluded", "cancelled"])
def test_nobody_is_entered_unless_entries_are_open(small_world: World, state: str) -> None:
    competition = in_competition_state(small_world, state)
    event = contests.events_of(competition)[0]
    before = CompetitionEntry.select().count()
    with pytest.raises(CompetitionPastThat):
        entries.enter(small_world.act("city_officer"), event, candidate(8))
    assert CompetitionEntry.select().count() == before


@pytest.mark.parametrize("state", ["proposed", "final", "cancelled"])
def test_nothing_in_an_event_changes_once_its_result_is_proposed(small_world: World, state: str) -> None:
    event = EVENT_STATES[state](small_world)
    small_world.on(2025, 3, 1)
    entry, act, before = competing.of(event, 1), small_world.act("city_officer"), Step.select().count()
    for verb in (
        lambda: entries.withdraw(act, entry, "理由"),
        lambda: entries.disqualify(act, entry, "理由"),
        lambda: scores.record_score(act, entry, Scored("finished", Decimal(99))),
    ):
        with pytest.raises(WrongState):
            verb()
    assert Step.select().count() == before


ENTRY_ACTS: dict[str, Callable[[World, CompetitionEntry], object]] = {
    "withdraw": lambda world, entry: entries.withdraw(world.act("city_officer"), entry, "理由"),
    "disqualify": lambda world, entry: entries.disqualify(world.act("city_officer"), entry, "理由"),
    "readmit": lambda world, entry: entries.readmit(world.act("city_officer"), entry, "理由"),
}
FORBIDDEN_ENTRY_MOVES = [
    (state, action)
    for state, action in itertools.product(COMPETITION_ENTRY.states, ENTRY_ACTS)
    if COMPETITION_ENTRY.find(action, state) is None
]


@pytest.mark.parametrize(("state", "action"), FORBIDDEN_ENTRY_MOVES)
def test_a_forbidden_move_of_an_entry_changes_nothing(small_world: World, state: str, action: str) -> None:
    entry = competing.of(competing.running(small_world), 1)
    if state != "entered":
        ENTRY_ACTS[{"withdrawn": "withdraw", "disqualified": "disqualify"}[state]](small_world, entry)
    before = Step.select().count()
    with pytest.raises(WrongState):
        ENTRY_ACTS[action](small_world, CompetitionEntry.get_by_id(entry.id))
    assert (CompetitionEntry.get_by_id(entry.id).status, Step.select().count()) == (state, before)


def test_acts_against_an_entry_need_a_reason_and_leave_a_trace_in_the_event(small_world: World) -> None:
    event = competing.running(small_world)
    entry, act = competing.of(event, 1), small_world.act("second_city_officer")
    for verb in (entries.withdraw, entries.disqualify):
        with pytest.raises(FieldRefused):
            verb(act, entry, "  ")
    entries.disqualify(act, entry, "迟到")
    entries.readmit(act, CompetitionEntry.get_by_id(entry.id), "申诉成立")
    assert act.by.operator_id in people_in([event.id], "disqualify", "readmit")


# ---------------------------------------------------------------- the register's own check


def raw(query: str, *values: Any) -> None:
    database.execute_sql(query if database.param == "?" else query.replace("?", "%s"), values)


RAW_CHANGES = {
    "a score": "UPDATE entry_score SET score = 99 WHERE entry_id = ?",
    "a rank": "UPDATE competition_entry SET rank = 1 WHERE id = ?",
    "a prize": "UPDATE competition_entry SET prize = '第一名' WHERE id = ?",
}


@pytest.mark.parametrize("query", RAW_CHANGES.values(), ids=RAW_CHANGES.keys())
def test_a_result_changed_past_the_registry_is_found(world: World, query: str) -> None:
    event = competing.final(world)
    entry = competing.of(event, 4)
    key = str(entry.id) if database.param != "?" else entry.id.hex
    raw(query, key)
    assert f"competition_entry {entry.id}" in told(world)


def test_an_award_turned_to_another_entry_and_a_prize_turned_on_paper_are_found(world: World) -> None:
    event = competing.final(world)
    first, second, _ = results.awards_of([event])
    loser = competing.of(event, 7)
    Certificate.update(entry_id=loser.id).where(Certificate.id == first.id).execute()
    Certificate.update(prize="第一名").where(Certificate.id == second.id).execute()
    assert {f"certificate {first.id}", f"certificate {second.id}"} <= set(told(world))


def test_a_deleted_award_leaves_a_winner_without_one(world: World) -> None:
    event = competing.final(world)
    award = results.awards_of([event])[1]
    Certificate.delete().where(Certificate.id == award.id).execute()
    assert f"competition_entry {award.entry_id}" in told(world)


# ---------------------------------------------------------------- what was issued before stays as it was


def snapshot() -> list[tuple[Any, ...]]:
    found = database.execute_sql(
        "SELECT id, statement_id, number, name, statement, key_id, signature, enrolment_id, training_class_id,"
        " base_id, replaces_id, status FROM certificate ORDER BY number"
    ).fetchall()
    return [tuple(bytes(v) if isinstance(v, memoryview) else v for v in row) for row in found]


def test_certificates_of_before_keep_every_byte_over_the_migration_there_and_back(world: World) -> None:
    issued = world.issued()
    arguments = (world.service.signer(), fonts.uncovered)
    issuing.reissue(world.act("city_officer"), issued[0], *arguments, reason="补发")
    codes = {c.number: token.encode(c.statement, c.signature) for c in Certificate.select()}
    before = snapshot()
    runner = Runner(database.obj, str(storage.MIGRATIONS))
    runner.down("0014_competitions")
    assert snapshot() == before
    runner.up()
    assert snapshot() == before
    assert {c.number: token.encode(c.statement, c.signature) for c in Certificate.select()} == codes
    for certificate in Certificate.select():
        derived = certificates.derive(world.service.vault, certificate, certificate.key_id)
        assert derived == certificate.statement
    assert told(world) == []


def test_there_is_one_award_in_use_for_an_entry(world: World) -> None:
    event = competing.final(world)
    award = results.awards_of([event])[0]
    copy = {name: getattr(award, name) for name in Certificate._meta.sorted_field_names}
    copy |= {"id": storage.new_id(), "statement_id": b"x" * 16, "number": "x", "serial": 999}
    copy |= {"status_index": 999, "statement": b"y" * 64}
    with pytest.raises(Exception, match=r"(?i)unique"):
        Certificate.insert(**copy).execute()
    assert isinstance(award.entry_id, UUID)
