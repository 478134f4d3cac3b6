"""Appeals: in time, once, judged by a stranger to the decision, and with effect on the standing."""

from __future__ import annotations

from datetime import date
from itertools import product

import pytest

from skills_registry import bases, evaluation
from skills_registry.bases import BaseSuspended, Restriction
from skills_registry.exits import appeals, cures, sanctions, teach_out
from skills_registry.exits.appeals import (
    APPEAL,
    Appeal,
    AppealedAlready,
    AppealTooLate,
    AppellateTookPart,
    NothingToAppeal,
)
from skills_registry.exits.leaving import Exit
from skills_registry.exits.sanctions import Sanction
from skills_registry.foundation.errors import (
    FieldRefused,
    NotAllowed,
    NotFound,
    SeparationOfDuties,
    WrongState,
)
from skills_registry.foundation.lifecycle import Step
from skills_registry.training.classes import TrainingClass
from tests import admission, evaluated
from tests.test_exits import imposed, standing
from tests.world import World


def against(world: World, sanction: Sanction, clerk: str = "base_clerk") -> Appeal:
    return appeals.file_appeal(world.act(clerk), "sanction", sanction.id, "事实认定有误")


def overturned(world: World, appeal: Appeal, by: str = "second_city_officer", **more: str) -> Appeal:
    return appeals.decide(world.act(by), appeal, "overturned", "原决定依据不足", **more)


# --- effect on the standing


def test_rectified_then_delisted_with_teach_out_then_restored_on_appeal(world: World) -> None:
    letter = imposed(world, "rectification")
    world.on(2025, 2, 24)
    cures.report_cure(world.act("base_clerk"), letter, "已改正")
    cures.accept_cure(world.act("city_officer"), letter, "合格")
    cures.lift(world.act("city_officer"), letter, "提前恢复开班")
    filed = world.filed_class(title="未开班", starts_on=date(2025, 5, 6), ends_on=date(2025, 6, 6))
    running = world.open_class(title="在训班")
    world.enrol(running)
    world.on(2025, 3, 20)
    terminated = imposed(world, "termination")
    teach_out.decide_class(
        world.act("county_officer"), Exit.get(), running.id, "finish_here", reason="由县残联派员监督"
    )
    assert standing(world) == "ended"
    world.on(2025, 4, 2)
    appeal = against(world, terminated)
    assert standing(world) == "ended"  # the decision stands while the appeal runs
    overturned(world, appeal)
    assert standing(world) == "listed"
    assert bases.standing_on(world.base, date(2025, 3, 25)).code == "listed"
    assert bases.left_on(world.base.id, date(2025, 4, 2)) is None
    bases.require_no_ban(world.base, date(2025, 4, 2))
    assert Sanction.get_by_id(terminated.id).status == "overturned"
    assert Exit.get().status == "called_off"
    assert {filed.title: "cancelled", running.title: "open"} == {
        found.title: found.status for found in TrainingClass.select()
    }
    world.filed_class(title="新班", starts_on=date(2025, 5, 6), ends_on=date(2025, 6, 6))


def test_a_termination_that_is_upheld_stands(world: World) -> None:
    terminated = imposed(world, "termination")
    appeal = against(world, terminated)
    appeals.decide(world.act("second_city_officer"), appeal, "upheld", "事实清楚，原决定维持")
    assert (appeal.status, standing(world)) == ("upheld", "ended")
    assert Sanction.get_by_id(terminated.id).status == "imposed"
    with pytest.raises(bases.MayNotApplyYet):
        bases.require_no_ban(world.base, date(2025, 6, 2))


def test_an_overturned_suspension_counts_as_never_made(world: World) -> None:
    suspended = imposed(world, "suspension")
    world.on(2025, 2, 17)
    overturned(world, against(world, suspended))
    assert [bases.standing_on(world.base, date(2025, 2, day)).code for day in (10, 14, 17)] == ["listed"] * 3
    assert bases.latest_listing(world.base).status == "confirmed"


def test_what_only_followed_from_an_overturned_sanction_falls_with_it(world: World) -> None:
    interview = imposed(world, "interview")
    world.on(2025, 2, 18)
    letter = cures.escalate(world.act("county_officer"), interview, "逾期")
    appeal = against(world, interview)
    overturned(world, appeal)
    assert {Sanction.get_by_id(found.id).status for found in (interview, letter)} == {"overturned"}
    assert standing(world) == "listed"


def test_overturning_a_step_up_leaves_the_step_below_to_be_cured(world: World) -> None:
    letter = imposed(world, "rectification")
    world.on(2025, 3, 11)
    censure = sanctions.decide(
        world.act("city_officer"), cures.escalate(world.act("county_officer"), letter, "逾期"), "同意"
    )
    overturned(world, against(world, censure))
    assert Sanction.get_by_id(letter.id).status == "imposed"
    assert standing(world) == "listed_no_new_classes"


def test_a_base_that_was_suspended_before_its_termination_comes_back_suspended(world: World) -> None:
    imposed(world, "suspension")
    world.on(2025, 2, 17)
    terminated = imposed(world, "termination")
    overturned(world, against(world, terminated))
    assert (standing(world), bases.latest_listing(world.base).status) == ("suspended", "suspended")
    with pytest.raises(BaseSuspended):
        world.filed_class()


def test_an_overturned_termination_does_not_bring_back_a_listing_that_another_one_overlaps(
    world: World,
) -> None:
    terminated = imposed(world, "termination")
    appeal = against(world, terminated)
    bases.admit(
        world.act("city_officer"),
        world.base,
        plaque_number="HD-2025-0009",
        valid_from=date(2025, 2, 11),
        valid_until=date(2026, 2, 10),
        basis="误办",
        scope=[],
    )
    with pytest.raises(bases.ListingOverlaps):
        overturned(world, appeal)
    assert (Appeal.get().status, Exit.get().status) == ("filed", "closed")
    assert Restriction.get().lifted_on is None


def test_a_refused_application_goes_back_to_the_citys_decision(world: World) -> None:
    application = admission.refused(world)
    appeal = appeals.file_appeal(world.act("applicant"), "application", application.id, "公示后的核查不实")
    for took_part in ("deciding_officer", "city_officer"):  # refused it; appointed the panel and published it
        with pytest.raises(AppellateTookPart):
            overturned(world, appeal, by=took_part)
    overturned(world, appeal, by="second_city_officer")
    assert admission.again(application).status == "reviewed"


def test_a_grade_is_overturned_by_a_better_one(world: World) -> None:
    evaluated.year_2025(world)
    found = evaluated.in_state(world, "final")
    appeal = appeals.file_appeal(
        evaluated.act_on(world, "base_clerk", (2026, 1, 21)), "evaluation", found.id, "合格率计算有误"
    )
    world.on(2026, 1, 26)
    with pytest.raises(SeparationOfDuties):
        overturned(world, appeal, by="city_officer", grade="excellent")
    with pytest.raises(FieldRefused):
        overturned(world, appeal)
    assert Appeal.get().status == "filed"
    overturned(world, Appeal.get(), grade="excellent")
    assert evaluation.grades_of(world.base) == [(2025, "excellent")]
    with pytest.raises(NothingToAppeal):
        appeals.file_appeal(world.act("base_clerk"), "evaluation", found.id, "再次申诉")


# --- in time, once, by the base


def test_the_last_day_for_an_appeal_is_the_tenth_working_day_after_the_decision(world: World) -> None:
    world.on(2025, 1, 20)  # before the Spring Festival: 26 January and 8 February work
    letter = imposed(world, "rectification")
    # 21-24, 26, 27 January, 5, 6, 7, 8 February.
    world.on(2025, 2, 9)
    with pytest.raises(AppealTooLate, match="2025-02-08"):
        against(world, letter)
    world.on(2025, 2, 8)
    assert against(world, letter).status == "filed"


@pytest.mark.parametrize("end", ["upheld", "withdrawn"])
def test_there_is_one_appeal_against_one_decision(world: World, end: str) -> None:
    letter = imposed(world, "rectification")
    appeal = against(world, letter)
    if end == "upheld":
        appeals.decide(world.act("second_city_officer"), appeal, "upheld", "维持")
    else:
        appeals.withdraw(world.act("base_clerk"), appeal)
    with pytest.raises(AppealedAlready):
        against(world, letter, clerk="second_clerk")
    assert Appeal.select().count() == 1


def test_only_the_bases_own_clerk_appeals(world: World) -> None:
    letter = imposed(world, "rectification")
    other = world.listed_base("乐都区邻家学校", 2)
    world.hire("other_clerk", other.organisation, "base_clerk")
    for account in ("other_clerk", "county_officer", "city_officer", "auditor", "admin"):
        with pytest.raises(NotAllowed):
            against(world, letter, clerk=account)


def test_there_is_no_appeal_against_what_is_not_decided_or_no_longer_stands(world: World) -> None:
    proposed = sanctions.impose(
        world.act("county_officer"), world.base, "public_censure", ground="safety_hazard", reason="隐患"
    )
    with pytest.raises(NothingToAppeal):
        against(world, proposed)
    sanctions.drop(world.act("city_officer"), proposed, "不予处理")
    with pytest.raises(NothingToAppeal):
        against(world, proposed)
    lifted = imposed(world, "interview")
    cures.lift(world.act("city_officer"), lifted, "已说明情况")
    with pytest.raises(NothingToAppeal):
        against(world, lifted)
    with pytest.raises(FieldRefused):
        appeals.file_appeal(world.act("base_clerk"), "class", proposed.id, "理由")
    with pytest.raises(NotFound):
        appeals.file_appeal(world.act("base_clerk"), "evaluation", proposed.id, "理由")


# --- judged by a stranger


def test_nobody_who_took_part_in_the_decision_or_before_it_judges_the_appeal(world: World) -> None:
    letter = imposed(world, "rectification")
    cures.report_cure(world.act("base_clerk"), letter, "已改正")
    cures.refuse_cure(world.act("second_city_officer"), letter, "未到位")
    world.on(2025, 3, 17)
    censure = cures.escalate(world.act("county_officer"), letter, "逾期")
    sanctions.decide(world.act("city_officer"), censure, "同意")
    appeal = against(world, censure)
    city = world.accounts["city_officer"].organisation
    people = {
        "proposer": "county_officer",
        "decider": "city_officer",
        "earlier": "second_city_officer",
        "clerk": "base_clerk",
        "colleague": "second_clerk",
    }
    for name, account in people.items():
        world.hire(name, city, "city_officer", operator=world.accounts[account].operator)
        for outcome in ("upheld", "overturned"):
            with pytest.raises(SeparationOfDuties):
                appeals.decide(world.act(name), appeal, outcome, "理由")
    assert Appeal.get().status == "filed"
    world.hire("stranger", city, "city_officer")
    overturned(world, appeal, by="stranger")


@pytest.mark.parametrize("state", APPEAL.states)
def test_only_the_moves_of_the_table_by_their_roles_change_an_appeal(small_world: World, state: str) -> None:
    verbs = {
        "uphold": lambda act, found: appeals.decide(act, found, "upheld", "维持"),
        "overturn": lambda act, found: appeals.decide(act, found, "overturned", "撤销"),
        "withdraw": appeals.withdraw,
    }
    roles = {
        "base_clerk": "base_clerk",
        "county_officer": "other_county_officer",
        "city_officer": "second_city_officer",
        "auditor": "auditor",
        "admin": "admin",
    }
    made = {"upheld": "uphold", "overturned": "overturn", "withdrawn": "withdraw"}
    appeal = against(small_world, imposed(small_world, "rectification"))
    if state in made:
        by = "base_clerk" if state == "withdrawn" else "second_city_officer"
        verbs[made[state]](small_world.act(by), appeal)
    steps, refused = Step.select().count(), 0
    for action, (role, account) in product(verbs, roles.items()):
        move = APPEAL.find(action, state)
        if move is not None and role in move.roles:
            continue
        with pytest.raises((WrongState, NotAllowed)):
            verbs[action](small_world.act(account), appeal)
        assert (Appeal.get().status, Step.select().count()) == (state, steps), (action, role)
        refused += 1
    assert refused == (12 if state == "filed" else 15)
