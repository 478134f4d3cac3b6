"""Sanctions and exits: what holds a base back, how it leaves, and that nobody in its classes is left standing."""

from __future__ import annotations

from datetime import date
from itertools import product

import pytest

from certificates import signing, token
from certificates.verification import check
from skills_registry import bases
from skills_registry.bases import (
    Base,
    BaseSuspended,
    Listing,
    NewClassesHeld,
    NotListed,
    Restriction,
    reviews,
)
from skills_registry.certification import issuing
from skills_registry.certification.certificates import Certificate, RecordedCertificates
from skills_registry.exits import cures, leaving, sanctions, teach_out, withdrawal
from skills_registry.exits.leaving import EXIT, Exit, NotExpired, NotOnTheList
from skills_registry.exits.sanctions import (
    SANCTION,
    GroundUnsupported,
    NothingToCure,
    Sanction,
    SanctionUnderWay,
)
from skills_registry.exits.teach_out import ClassNotBegun, SettledAlready, TraineesUnaccounted
from skills_registry.exits.withdrawal import AskedAlready, SanctionPending
from skills_registry.foundation.errors import (
    FieldRefused,
    NotAllowed,
    RegistryError,
    SeparationOfDuties,
    WrongState,
)
from skills_registry.foundation.lifecycle import Step, steps_of
from skills_registry.training import enrolments, filing, opening
from skills_registry.training.classes import TrainingClass
from skills_registry.training.closing import StillEnrolled
from skills_registry.training.enrolments import TakesNobodyNew
from tests import admission, base_files
from tests.world import World, massage_class

GROUNDS = {
    "interview": "records_incomplete",
    "rectification": "conditions_lost",
    "public_censure": "false_documents",
    "suspension": "serious_hazard",
    "termination": "subsidy_fraud",
}


def imposed(world: World, step: str, base: Base | None = None) -> Sanction:
    """A sanction in force: by the county alone, or proposed by it and decided by the city."""
    found = sanctions.impose(
        world.act("county_officer"), base or world.base, step, ground=GROUNDS[step], reason="检查发现问题"
    )
    return (
        sanctions.decide(world.act("city_officer"), found, "情况属实")
        if found.status == "proposed"
        else found
    )


def cured(world: World, sanction: Sanction) -> Sanction:
    cures.report_cure(world.act("base_clerk"), sanction, "已全部改正")
    return cures.accept_cure(world.act("second_city_officer"), sanction, "验收合格")


def standing(world: World, base: Base | None = None) -> str:
    return bases.standing_on(base or world.base, world.act("auditor").today).code


def verdict(world: World, certificate: Certificate) -> object:
    ring = signing.list_keys(world.service.settings.keys_directory, issuer="https://skills.haidong.example")
    code = token.encode(certificate.statement, certificate.signature)
    act = world.act("auditor")
    return check(code, keys=ring, registry=RecordedCertificates(act), on=act.today)


# --- the ladder


def test_an_interview_is_to_be_cured_in_five_working_days_and_holds_nothing_back(world: World) -> None:
    world.on(2025, 4, 28)
    interview = imposed(world, "interview")
    # 1 to 5 May rest, Sunday 27 April worked already: 29, 30 April and 6, 7, 8 May.
    assert cures.due(interview, world.service.policy).day == date(2025, 5, 8)
    assert standing(world) == "listed"
    world.filed_class(starts_on=date(2025, 6, 2), ends_on=date(2025, 7, 1))


def test_a_class_is_neither_filed_nor_opened_during_rectification(world: World) -> None:
    filed = world.filed_class()
    imposed(world, "rectification")
    assert standing(world) == "listed_no_new_classes"
    for act, attempt in (
        (
            world.act("base_clerk"),
            lambda act: filing.file_class(act, world.base, massage_class(title="新班")),
        ),
        (world.act("county_officer"), lambda act: opening.open_class(act, filed)),
    ):
        with pytest.raises(NewClassesHeld) as refusal:
            attempt(act)
        assert refusal.value.own_code == "no_new_classes"
        assert "2025-02-10" in refusal.value.sentence()
    assert TrainingClass.get_by_id(filed.id).status == "filed"
    assert TrainingClass.select().count() == 1


def test_after_the_cure_of_a_rectification_six_months_without_new_classes_run_out(world: World) -> None:
    letter = imposed(world, "rectification")
    assert cures.due(letter, world.service.policy).day == date(2025, 3, 10)
    world.on(2025, 3, 3)
    cured(world, letter)
    with pytest.raises(NewClassesHeld, match="2025-08-10"):
        bases.require_may_open_classes(world.base, date(2025, 8, 10))
    bases.require_may_open_classes(world.base, date(2025, 8, 11))
    assert bases.standing_on(world.base, date(2025, 8, 10)).code == "listed_no_new_classes"
    assert bases.standing_on(world.base, date(2025, 8, 11)).code == "listed"


def test_running_classes_go_on_during_rectification(world: World) -> None:
    running = world.open_class()
    imposed(world, "rectification")
    for enrolment in world.enrol(running):
        world.grade(enrolment)
    enrolments.submit_class(world.act("base_clerk"), running)
    assert len(world.issue(running)) == 3


def test_suspension_differs_from_no_new_classes(world: World) -> None:
    suspended = imposed(world, "suspension")
    day = world.act("auditor").today
    assert standing(world) == "suspended"
    assert bases.listing_on(world.base.id, day) is None
    assert bases.listing_covering(world.base.id, day) is not None
    assert bases.left_on(world.base.id, day) is None
    assert bases.latest_listing(world.base).status == "suspended"
    with pytest.raises(BaseSuspended):
        world.filed_class()
    cured(world, suspended)
    assert (standing(world), bases.latest_listing(world.base).status) == ("listed", "confirmed")
    world.filed_class()


def test_the_standing_of_earlier_days_stays_what_it_was(world: World) -> None:
    world.on(2025, 3, 1)
    suspended = imposed(world, "suspension")
    world.on(2025, 3, 20)
    cured(world, suspended)
    days = {date(2025, 2, 28): "listed", date(2025, 3, 1): "suspended", date(2025, 3, 20): "listed"}
    assert {day: bases.standing_on(world.base, day).code for day in days} == days


def test_the_county_proposes_and_another_officer_of_the_city_decides_a_censure(world: World) -> None:
    proposed = sanctions.impose(
        world.act("county_officer"), world.base, "public_censure", ground="false_documents", reason="材料不实"
    )
    assert (proposed.status, standing(world)) == ("proposed", "listed")
    with pytest.raises(NotAllowed):
        sanctions.decide(world.act("county_officer"), proposed, "同意")
    own = sanctions.impose(
        world.act("city_officer"), world.base, "suspension", ground="serious_hazard", reason="隐患"
    )
    with pytest.raises(SeparationOfDuties):
        sanctions.decide(world.act("city_officer"), own, "同意")
    sanctions.decide(world.act("second_city_officer"), own, "同意")
    assert standing(world) == "suspended"


def test_two_accounts_of_one_person_do_not_propose_and_decide(world: World) -> None:
    county = world.accounts["county_officer"].operator
    world.hire("same_person", world.accounts["city_officer"].organisation, "city_officer", operator=county)
    proposed = sanctions.impose(
        world.act("county_officer"), world.base, "termination", ground="subsidy_fraud", reason="骗补"
    )
    with pytest.raises(SeparationOfDuties):
        sanctions.decide(world.act("same_person"), proposed, "同意")
    assert standing(world) == "listed"


def test_an_officer_who_worked_for_the_base_does_not_judge_it(world: World) -> None:
    clerk = world.accounts["base_clerk"].operator
    world.hire("former_clerk", world.accounts["city_officer"].organisation, "city_officer", operator=clerk)
    with pytest.raises(SeparationOfDuties) as refusal:
        sanctions.impose(
            world.act("former_clerk"), world.base, "interview", ground="no_textbooks", reason="无教材"
        )
    assert refusal.value.own_code == "own_base"


def test_who_imposed_a_sanction_does_not_accept_its_cure(world: World) -> None:
    letter = imposed(world, "rectification")
    cures.report_cure(world.act("base_clerk"), letter, "已改正")
    for act in (cures.accept_cure, cures.refuse_cure):
        with pytest.raises(SeparationOfDuties):
            act(world.act("county_officer"), letter, "意见")
    assert letter.status == "cure_reported"


def test_a_cure_that_is_not_accepted_gets_a_second_short_time(world: World) -> None:
    letter = imposed(world, "rectification")
    world.on(2025, 3, 10)
    cures.report_cure(world.act("base_clerk"), letter, "已改正")
    assert cures.due(letter, world.service.policy).day == date(
        2025, 3, 17
    )  # to be accepted in 5 working days
    world.on(2025, 3, 14)
    cures.refuse_cure(world.act("city_officer"), letter, "消防通道仍未打通")
    assert (letter.status, cures.due(letter, world.service.policy).day) == ("imposed", date(2025, 3, 21))
    assert standing(world) == "listed_no_new_classes"


def test_an_overdue_cure_leads_one_step_up_and_not_a_day_earlier(world: World) -> None:
    interview = imposed(world, "interview")  # 10 February, due on the 17th
    world.on(2025, 2, 17)
    with pytest.raises(cures.NotOverdue, match="2025-02-17"):
        cures.escalate(world.act("county_officer"), interview, "逾期")
    world.on(2025, 2, 18)
    letter = cures.escalate(world.act("county_officer"), interview, "逾期未改")
    assert (interview.status, letter.step, letter.status) == ("escalated", "rectification", "imposed")
    assert letter.ground == "overdue"
    world.on(2025, 3, 19)
    censure = cures.escalate(world.act("county_officer"), letter, "仍未整改")
    assert (censure.step, censure.status) == ("public_censure", "proposed")
    assert standing(world) == "listed_no_new_classes"


def test_when_the_city_drops_a_step_up_the_step_below_is_to_be_cured_again(world: World) -> None:
    letter = imposed(world, "rectification")
    world.on(2025, 3, 11)
    censure = cures.escalate(world.act("county_officer"), letter, "逾期")
    sanctions.drop(world.act("city_officer"), censure, "已着手整改")
    letter = Sanction.get_by_id(letter.id)
    assert (letter.status, cures.due(letter, world.service.policy).day) == ("imposed", date(2025, 3, 18))
    cured(world, letter)


def test_the_cure_of_a_step_up_settles_the_steps_below(world: World) -> None:
    letter = imposed(world, "rectification")
    world.on(2025, 3, 11)
    censure = sanctions.decide(
        world.act("city_officer"), cures.escalate(world.act("county_officer"), letter, "逾期"), "同意"
    )
    cured(world, censure)
    ends = {found.ends_on for found in Restriction.select()}
    assert ends == {date(2025, 8, 10), date(2026, 3, 11)}
    assert bases.standing_on(world.base, date(2026, 3, 12)).code == "listed"


def test_a_lifted_sanction_holds_nothing_back_any_more(world: World) -> None:
    letter = cured(world, imposed(world, "rectification"))
    county = world.accounts["county_officer"].operator
    world.hire("again", world.accounts["city_officer"].organisation, "city_officer", operator=county)
    with pytest.raises(SeparationOfDuties):
        cures.lift(world.act("again"), letter, "整改成效显著")
    cures.lift(world.act("city_officer"), letter, "整改成效显著")
    assert (letter.status, standing(world)) == ("lifted", "listed")


def test_the_same_step_is_not_taken_twice_at_a_time(world: World) -> None:
    imposed(world, "interview")
    with pytest.raises(SanctionUnderWay):
        imposed(world, "interview")
    assert Sanction.select().count() == 1


def test_a_ground_that_counts_earlier_sanctions_needs_them_on_record(world: World) -> None:
    def letter() -> Sanction:
        return sanctions.impose(
            world.act("county_officer"),
            world.base,
            "rectification",
            ground="repeated_interviews",
            reason="屡次",
        )

    cured(world, imposed(world, "interview"))
    with pytest.raises(GroundUnsupported):
        letter()
    world.on(2025, 6, 3)
    cured(world, imposed(world, "interview"))
    assert letter().status == "imposed"
    with pytest.raises(GroundUnsupported):
        sanctions.impose(
            world.act("county_officer"),
            world.base,
            "termination",
            ground="failing_evaluations",
            reason="不合格",
        )


def test_a_ground_or_step_that_the_policy_does_not_name_is_refused(world: World) -> None:
    for step, ground in (("interview", "subsidy_fraud"), ("fine", "other"), ("interview", "overdue")):
        with pytest.raises(FieldRefused):
            sanctions.impose(world.act("county_officer"), world.base, step, ground=ground, reason="理由")


# --- every state, every act, every role


VERBS = {
    "decide": lambda act, found: sanctions.decide(act, found, "同意"),
    "drop": lambda act, found: sanctions.drop(act, found, "不予处理"),
    "report_cure": lambda act, found: cures.report_cure(act, found, "已改正"),
    "accept_cure": lambda act, found: cures.accept_cure(act, found, "合格"),
    "refuse_cure": lambda act, found: cures.refuse_cure(act, found, "不合格"),
    "escalate": lambda act, found: cures.escalate(act, found, "逾期"),
    "lift": lambda act, found: cures.lift(act, found, "解除"),
}
ROLES = {
    "base_clerk": "base_clerk",
    "county_officer": "second_county_officer",
    "city_officer": "second_city_officer",
    "auditor": "auditor",
    "admin": "admin",
}


def in_state(world: World, state: str) -> Sanction:
    """A censure in this state."""
    found = sanctions.impose(
        world.act("county_officer"), world.base, "public_censure", ground="safety_hazard", reason="隐患"
    )
    if state not in ("proposed", "dropped"):
        sanctions.decide(world.act("city_officer"), found, "同意")
    if state in ("cure_reported", "cured"):
        cures.report_cure(world.act("base_clerk"), found, "已改正")
    last = {
        "dropped": lambda: sanctions.drop(world.act("city_officer"), found, "不予处理"),
        "cured": lambda: cures.accept_cure(world.act("second_city_officer"), found, "合格"),
        "escalated": lambda: cures.escalate(world.on(2025, 4, 1).act("county_officer"), found, "逾期"),
        "lifted": lambda: cures.lift(world.act("second_city_officer"), found, "解除"),
        "overturned": lambda: cures.overturn(world.act("second_city_officer"), found, "撤销"),
    }.get(state)
    if last is not None:
        last()
    assert found.status == state
    return found


@pytest.mark.parametrize("state", SANCTION.states)
def test_only_the_moves_of_the_table_by_their_roles_change_a_sanction(small_world: World, state: str) -> None:
    county = small_world.accounts["county_officer"].organisation
    small_world.hire("second_county_officer", county, "county_officer")
    found = in_state(small_world, state)
    small_world.on(2025, 6, 2)
    before = (state, Step.select().count(), standing(small_world))
    refused = 0
    for action, (role, account) in product(VERBS, ROLES.items()):
        move = SANCTION.find(action, state)
        if move is not None and role in move.roles:
            continue
        with pytest.raises((WrongState, NotAllowed)):
            VERBS[action](small_world.act(account), found)
        fresh = Sanction.get_by_id(found.id)
        assert (fresh.status, Step.select().count(), standing(small_world)) == before, (action, role)
        refused += 1
    assert refused >= 25


# --- leaving the list


def test_a_termination_ends_the_listing_and_bars_the_base_for_two_years(world: World) -> None:
    world.on(2025, 3, 10)
    terminated = imposed(world, "termination")
    today = bases.standing_on(world.base, date(2025, 3, 10))
    assert (today.code, today.left_on) == ("ended", date(2025, 3, 10))
    assert bases.standing_on(world.base, date(2025, 3, 9)).code == "listed"
    assert (terminated.status, Exit.get().status) == ("imposed", "closed")  # nothing was running
    with pytest.raises(bases.MayNotApplyYet, match="2027-03-10"):
        bases.require_no_ban(world.base, date(2027, 3, 10))
    bases.require_no_ban(world.base, date(2027, 3, 11))
    with pytest.raises(NotListed):
        world.filed_class(starts_on=date(2025, 5, 6), ends_on=date(2025, 6, 6))


def test_a_termination_is_neither_cured_nor_lifted_nor_escalated(world: World) -> None:
    terminated = imposed(world, "termination")
    for attempt in (
        lambda: cures.report_cure(world.act("base_clerk"), terminated, "已改正"),
        lambda: cures.lift(world.act("second_city_officer"), terminated, "解除"),
        lambda: cures.escalate(world.act("city_officer"), terminated, "升级"),
    ):
        with pytest.raises(NothingToCure):
            attempt()


def test_a_base_off_the_list_is_not_sanctioned(world: World) -> None:
    imposed(world, "termination")
    for step in ("interview", "termination"):
        with pytest.raises(NotOnTheList):
            imposed(world, step)


def test_what_held_a_base_back_before_it_was_struck_off_does_not_meet_it_when_it_is_listed_again(
    world: World,
) -> None:
    imposed(world, "rectification")
    world.on(2025, 3, 10)
    imposed(world, "termination")
    world.on(2027, 6, 1)
    bases.admit(
        world.act("city_officer"),
        world.base,
        plaque_number="HD-2027-0001",
        valid_from=date(2027, 6, 1),
        valid_until=date(2030, 5, 31),
        basis="重新认定",
        scope=[],
    )
    assert standing(world) == "listed"


def test_a_renewal_that_was_to_follow_ends_with_the_listing(world: World) -> None:
    bases.admit(
        world.act("city_officer"),
        world.base,
        plaque_number="HD-2028-0001",
        valid_from=date(2028, 1, 1),
        valid_until=date(2030, 12, 31),
        basis="复审",
        scope=[],
    )
    terminated = imposed(world, "termination")
    assert bases.standing_on(world.base, date(2028, 6, 1)).left_on == date(2025, 2, 10)
    cures.overturn(world.act("second_city_officer"), terminated, "撤销")
    assert bases.standing_on(world.base, date(2028, 6, 1)).code == "listed"
    assert {listing.left_on for listing in Listing.select()} == {None}


def test_a_base_leaves_of_its_own_will_once_nothing_is_pending_against_it(world: World) -> None:
    letter = imposed(world, "rectification")
    with pytest.raises(SanctionPending):
        withdrawal.ask(world.act("base_clerk"), world.base, "停止办学")
    cured(world, letter)
    asked = withdrawal.ask(world.act("base_clerk"), world.base, "停止办学")
    with pytest.raises(AskedAlready):
        withdrawal.ask(world.act("second_clerk"), world.base, "停止办学")
    assert standing(world) == "listed_no_new_classes"
    world.on(2025, 3, 3)
    withdrawal.accept(world.act("city_officer"), asked, "同意退出")
    assert (standing(world), asked.status) == ("ended", "closed")
    bases.require_no_ban(world.base, date(2025, 3, 3))


def test_a_base_does_not_escape_a_termination_by_leaving_first(world: World) -> None:
    asked = withdrawal.ask(world.act("base_clerk"), world.base, "停止办学")
    sanctions.impose(
        world.act("county_officer"), world.base, "termination", ground="subsidy_fraud", reason="骗补"
    )
    with pytest.raises(SanctionPending):
        withdrawal.accept(world.act("city_officer"), asked, "同意")
    assert (Exit.get_by_id(asked.id).status, standing(world)) == ("asked", "listed")


def test_a_request_to_leave_is_refused_or_taken_back_and_may_be_made_again(world: World) -> None:
    first = withdrawal.ask(world.act("base_clerk"), world.base, "停止办学")
    withdrawal.refuse(world.act("city_officer"), first, "尚有任务未完成")
    second = withdrawal.ask(world.act("base_clerk"), world.base, "停止办学")
    withdrawal.take_back(world.act("base_clerk"), second)
    withdrawal.ask(world.act("base_clerk"), world.base, "停止办学")
    assert [found.status for found in Exit.select().order_by(Exit.id)] == ["refused", "taken_back", "asked"]


def test_a_listing_is_closed_after_its_last_day_and_not_before(world: World) -> None:
    listing = bases.latest_listing(world.base)
    with pytest.raises(NotExpired):
        leaving.expire(world.on(2027, 12, 31).act("city_officer"), listing)
    world.on(2028, 1, 4)
    assert standing(world) == "expired"
    found = leaving.expire(world.act("city_officer"), listing)
    assert (found.ground, found.leaves_on, found.status) == ("expiry", date(2028, 1, 1), "closed")
    assert (standing(world), Listing.get_by_id(listing.id).left_on) == ("expired", None)
    with pytest.raises(WrongState):
        leaving.expire(world.act("city_officer"), Listing.get_by_id(listing.id))


def test_a_renewed_base_does_not_leave_when_its_old_listing_is_closed(world: World) -> None:
    listing = bases.latest_listing(world.base)
    bases.admit(
        world.act("city_officer"),
        world.base,
        plaque_number="HD-2028-0001",
        valid_from=date(2028, 1, 1),
        valid_until=date(2030, 12, 31),
        basis="复审",
        scope=[],
    )
    world.on(2028, 1, 4)
    assert leaving.expire(world.act("city_officer"), listing) is None
    assert (standing(world), Exit.select().count()) == ("listed", 0)


# --- teach-out


@pytest.fixture
def delisted(world: World) -> Exit:
    """The base was struck off on 20 March with four classes: filed, open (begun), open (not begun), submitted."""
    world.filed_class(title="未开班", starts_on=date(2025, 5, 6), ends_on=date(2025, 6, 6))
    begun = world.open_class(title="在训班")
    world.enrol(begun)
    later = world.open_class(title="未开课班", starts_on=date(2025, 4, 1), ends_on=date(2025, 5, 1))
    world.enrol(later, 2)
    world.submitted_class(2, title="待审班", starts_on=date(2025, 2, 12), ends_on=date(2025, 3, 12))
    world.on(2025, 3, 20)
    imposed(world, "termination")
    return Exit.get()


def class_titled(title: str) -> TrainingClass:
    return TrainingClass.get(TrainingClass.title == title)


def settle(world: World, found: Exit, title: str, way: str, **more: object) -> None:
    teach_out.decide_class(
        world.act("county_officer"), found, class_titled(title).id, way, reason="善后安排", **more
    )


def test_what_had_not_opened_is_cancelled_and_what_runs_goes_into_the_teach_out(
    world: World, delisted: Exit
) -> None:
    assert class_titled("未开班").status == "cancelled"
    rows = teach_out.accounts_of(delisted)
    assert [row.taught_out.training_class.title for row in rows] == ["在训班", "未开课班", "待审班"]
    assert [row.counts["enrolled"] for row in rows] == [3, 2, 2]
    with pytest.raises(TraineesUnaccounted) as refusal:
        teach_out.close(world.act("county_officer"), delisted, "办结")
    assert (refusal.value.facts["count"], refusal.value.facts["trainees"]) == (3, 7)
    assert Exit.get_by_id(delisted.id).status == "teaching_out"


def test_a_teach_out_closes_only_when_every_trainee_is_accounted_for(world: World, delisted: Exit) -> None:
    other = world.listed_base("乐都区邻家学校", 2)
    world.hire("other_clerk", other.organisation, "base_clerk")
    settle(world, delisted, "在训班", "finish_here")
    settle(world, delisted, "未开课班", "hand_over", to=other)
    world.issue(class_titled("待审班"))
    with pytest.raises(TraineesUnaccounted):
        teach_out.close(world.act("county_officer"), delisted, "办结")
    running = class_titled("在训班")
    for enrolment in enrolments.roster(running):
        world.grade(enrolment)
    enrolments.submit_class(world.act("base_clerk"), running)
    world.issue(running)
    teach_out.close(world.act("county_officer"), delisted, "全部落实")
    told = list(steps_of(delisted.id))[-1].detail
    assert told == {"classes": 3, "passed": 5, "failed": 0, "without_result": 0, "withdrawn": 0, "moved": 2}
    assert delisted.status == "closed"


def test_a_class_taught_out_after_delisting_gives_valid_certificates_that_say_so(
    world: World, delisted: Exit
) -> None:
    settle(world, delisted, "在训班", "finish_here")
    running = class_titled("在训班")
    for enrolment in enrolments.roster(running):
        world.grade(enrolment)
    enrolments.submit_class(world.act("base_clerk"), running)
    certificate = world.on(2025, 4, 20).issue(running)[0]
    found = verdict(world, certificate)
    assert (found.code, found.base_listed_at_start, found.base_left_on) == ("valid", True, date(2025, 3, 20))
    assert "开班时，培训基地在挂牌有效期内；该基地从2025年3月20日起不再挂牌" in found.base_sentence()
    assert "taught out" in found.base_sentence("en")


def test_a_certificate_issued_before_delisting_stays_valid_and_says_that_the_base_left(world: World) -> None:
    certificate = world.issued()[0]
    assert verdict(world, certificate).base_left_on is None
    world.on(2025, 5, 12)
    imposed(world, "termination")
    found = verdict(world, certificate)
    assert (found.code, found.base_listed_at_start, found.base_left_on) == ("valid", True, date(2025, 5, 12))
    assert "发证时，培训基地在挂牌有效期内；该基地从2025年5月12日起不再挂牌" in found.base_sentence()
    assert found.base_sentence("en").startswith(
        "Issued while the training base was listed; the base left the list on 2025-05-12."
    )


def test_a_class_handed_over_is_finished_by_the_other_base_and_names_it(world: World, delisted: Exit) -> None:
    other = world.listed_base("乐都区邻家学校", 2)
    settle(world, delisted, "在训班", "hand_over", to=other)
    moved = class_titled("在训班")
    assert moved.base_id == other.id
    step = next(step for step in steps_of(moved.id) if step.action == "hand_over")
    assert step.detail == {"from": str(world.base.id), "to": str(other.id)}
    for enrolment in enrolments.roster(moved):
        world.grade(enrolment)
    enrolments.submit_class(world.act("base_clerk"), moved)
    certificate = world.issue(moved)[0]
    assert (certificate.base_name, certificate.base_id) == ("乐都区邻家学校", other.id)
    assert verdict(world, certificate).base_left_on is None


def test_a_class_that_had_not_begun_when_its_base_left_is_not_finished_by_it(
    world: World, delisted: Exit
) -> None:
    with pytest.raises(ClassNotBegun):
        settle(world, delisted, "未开课班", "finish_here")
    with pytest.raises(StillEnrolled):
        settle(world, delisted, "未开课班", "dissolve")
    for enrolment in enrolments.roster(class_titled("未开课班")):
        enrolments.withdraw(world.act("county_officer"), enrolment, "本人不愿转往其他基地")
    settle(world, delisted, "未开课班", "dissolve")
    assert class_titled("未开课班").status == "cancelled"
    row = teach_out.accounts_of(delisted)[1]
    assert (row.settled, row.counts["withdrawn"], row.counts["enrolled"]) == (True, 2, 0)


def test_a_class_is_handed_only_to_a_base_that_may_teach_it(world: World, delisted: Exit) -> None:
    held = world.listed_base("乐都区受限学校", 2)
    imposed(world, "rectification", held)
    late = world.listed_base("乐都区新来学校", 3, valid_from=date(2025, 3, 15))
    unlisted = world.listed_base("乐都区期满学校", 4, valid_until=date(2025, 3, 10))
    baker = world.listed_base("乐都区面点学校", 5)
    bases.ScopeEntry.update(code="4-03-02-02").where(
        bases.ScopeEntry.listing.in_(Listing.select().where(Listing.base == baker))
    ).execute()
    reasons = {
        held: "no_new_classes",
        late: "not_listed",
        unlisted: "not_listed",
        baker: "occupation_out_of_scope",
    }
    for base, code in reasons.items():
        with pytest.raises(RegistryError) as refusal:
            settle(world, delisted, "在训班", "hand_over", to=base)
        assert refusal.value.own_code == code
    for nobody in (None, world.base):
        with pytest.raises(FieldRefused):
            settle(world, delisted, "在训班", "hand_over", to=nobody)
    assert class_titled("在训班").base_id == world.base.id
    assert teach_out.accounts_of(delisted)[0].taught_out.way is None


def test_what_is_settled_is_settled_and_finishing_may_become_handing_over(
    world: World, delisted: Exit
) -> None:
    other = world.listed_base("乐都区邻家学校", 2)
    settle(world, delisted, "在训班", "finish_here")
    settle(world, delisted, "在训班", "hand_over", to=other)
    for way in teach_out.WAYS:
        with pytest.raises(SettledAlready):
            settle(world, delisted, "在训班", way, to=other)


def test_a_base_off_the_list_takes_nobody_new_into_its_running_classes(world: World, delisted: Exit) -> None:
    running = class_titled("在训班")
    assert len(world.enrol(running, 3)) == 3  # the same roster again changes nothing
    with pytest.raises(TakesNobodyNew):
        world.enrol(running, 4)
    assert enrolments.counts(running)["enrolled"] == 3


def test_a_base_struck_off_while_it_applies_for_renewal_is_not_listed_again(world: World) -> None:
    base = world.base
    world.hire("applicant", base.organisation, "base_clerk")
    base_files.complete_file(world, base, "applicant")
    admission.appoint_everybody(world)
    application = admission.reviewed(world, base)
    admission.publish(world, application)
    world.on(2025, 2, 18)
    imposed(world, "termination")
    with pytest.raises(bases.MayNotApplyYet):
        reviews.list_base(world.act("deciding_officer"), admission.again(application), basis="文号")
    assert standing(world) == "ended"


def test_the_base_itself_decides_nothing_in_its_teach_out(world: World, delisted: Exit) -> None:
    with pytest.raises(NotAllowed):
        teach_out.decide_class(
            world.act("base_clerk"), delisted, class_titled("在训班").id, "finish_here", reason="继续"
        )
    with pytest.raises(NotAllowed):
        teach_out.close(world.act("base_clerk"), delisted, "办结")
    assert EXIT.find("close", "teaching_out").roles == {"county_officer", "city_officer"}


def test_a_failed_termination_changes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.open_class()
    proposed = sanctions.impose(
        world.act("county_officer"), world.base, "termination", ground="subsidy_fraud", reason="骗补"
    )
    before = Step.select().count()
    monkeypatch.setattr(leaving, "settle_classes", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        sanctions.decide(world.act("city_officer"), proposed, "同意")
    assert Sanction.get_by_id(proposed.id).status == "proposed"
    assert (standing(world), Step.select().count(), Restriction.select().count()) == ("listed", before, 0)


def test_nothing_of_the_teach_out_stops_a_revocation(world: World) -> None:
    certificate = world.issued()[0]
    imposed(world, "termination")
    issuing.revoke(world.act("city_officer"), certificate, "骗取补贴的班")
    assert verdict(world, certificate).code == "revoked"
