"""Admission: the journey of a base onto the list, every forbidden short cut, and who may never meet whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from threading import Barrier, Thread
from typing import Any

import pytest

from skills_registry import notices
from skills_registry.bases import (
    Base,
    Listing,
    applications,
    files,
    inspections,
    listing_on,
    panels,
    progress,
    reviews,
    scores,
    standing,
)
from skills_registry.bases.applications import (
    APPLICATION,
    Application,
    ApplicationOpen,
    FileIncomplete,
    OwnBase,
    Submission,
    WithTheReview,
    digest_of,
)
from skills_registry.bases.inspections import ExpertElsewhere, NothingToSign, SignedAlready
from skills_registry.bases.panels import ConditionsUnmet, ExpertInvolved, NoVacancy, PanelTooSmall
from skills_registry.bases.reviews import (
    BeyondApplication,
    NotReviewed,
    ObjectionUpheld,
    PanelNotPassed,
    RefusedBefore,
    SameOrganisation,
    TookPart,
)
from skills_registry.foundation.errors import (
    FieldRefused,
    NotAllowed,
    RuleBroken,
    SeparationOfDuties,
    WrongState,
)
from skills_registry.foundation.lifecycle import steps_of
from skills_registry.foundation.storage import database
from tests import admission
from tests.admission import again, seat, sheet
from tests.base_files import complete_file, edit_file, empty_file, sites_of
from tests.world import MASSAGE, World


@contextmanager
def rolled_back(world: World) -> Iterator[None]:
    """Whatever happens inside leaves nothing behind, neither in the database nor on the clock."""
    now = world.now
    people = dict(world.accounts)
    with database.atomic() as transaction:
        yield
        transaction.rollback()
    world.now, world.accounts = now, people


def codes(world: World, application: Application) -> list[str]:
    """What the application waits for, by code."""
    return [m.code for m in progress.missing(application, world.service.policy, world.act("auditor").today)]


# --- the journey -----------------------------------------------------------------------------------


def test_a_base_comes_onto_the_list_by_county_inspectors_experts_the_public_and_the_city(
    world: World,
) -> None:
    application = admission.returned(world)
    assert application.round == 1
    applications.submit(world.act("applicant"), application)
    reviews.preliminary_review(world.act("county_officer"), application, "recommend", "已补正")
    application = admission.appoint(world, admission.inspect(world, application))
    panels.recuse(world.act("expert_2"), seat(application, world, "expert_2"), "与申请单位负责人是亲属")
    application = admission.score(world, application, "expert_1", "expert_3")
    assert codes(world, application) == ["replacement"]
    admission.appoint(world, application, "expert_4")
    application = admission.score(world, application, "expert_4")
    assert application.status == "reviewed"
    admission.publish(world, application)
    objection = admission.object_to(world, again(application))
    world.on(2025, 2, 18)
    assert codes(world, again(application)) == ["objections"]
    notices.answer(world.act("city_officer"), objection, "已核查，通道已清空", upheld=False)
    listing = reviews.list_base(world.act("deciding_officer"), again(application), basis="东残联〔2025〕1号")
    assert (listing.plaque_number, listing.status) == ("HD-2025-0001", "confirmed")
    assert (listing.valid_from, listing.valid_until) == (date(2025, 2, 18), date(2028, 2, 17))
    assert {(e.code, e.highest_level) for e in listing.scope} == {
        ("4-10-04-02", "level5_junior"),
        ("4-03-02-02", "level4_intermediate"),
    }
    application = again(application)
    assert (application.status, application.open, application.listing_id) == ("listed", False, listing.id)
    assert listing_on(application.base_id, date(2025, 2, 18)) == listing
    acts = [step.action for step in steps_of(application.id)]
    for action in (
        "apply",
        "submit",
        "return",
        "recommend",
        "inspect",
        "appoint",
        "recuse",
        "conclude",
        "list",
    ):
        assert action in acts
    assert codes(world, application) == []


def test_each_state_says_in_words_what_it_waits_for(small_world: World) -> None:
    expected = {
        "draft": ["submission"],
        "submitted": ["preliminary_review"],
        "returned_for_correction": ["submission"],
        "recommended": ["inspection"],
        "not_recommended": ["city_decision"],
        "inspected": ["panel"],
        "expert_review": ["scores"],
        "reviewed": ["publication"],
        "noticed": ["decision"],
        "listed": [],
        "refused": [],
        "withdrawn": [],
    }
    assert set(expected) == set(APPLICATION.states)
    for state, waits_for in expected.items():
        with rolled_back(small_world):
            application = admission.STATES[state](small_world)
            assert (application.status, codes(small_world, application)) == (state, waits_for)
            due = progress.due(application, small_world.service.policy)
            assert (due is None) == (state in ("draft", "listed", "refused", "withdrawn"))


# --- what is handed in ------------------------------------------------------------------------------


def test_what_was_submitted_is_kept_and_later_edits_do_not_change_it(world: World) -> None:
    application = admission.submitted(world)
    kept = applications.latest_submission(application)
    assert kept is not None
    before = kept.snapshot
    edit_file(world, application.base)
    assert files.snapshot(application.base) != before["file"]
    still = Submission.get_by_id(kept.id)
    assert still.snapshot == before
    assert still.digest == digest_of(still.snapshot)
    reviews.return_for_correction(world.act("county_officer"), application, "请更新")
    applications.revise(world.act("applicant"), application, scope=[MASSAGE], sites=application.sites)
    applications.submit(world.act("applicant"), again(application))
    assert [s.round for s in application.submissions.order_by(Submission.id)] == [1, 2]
    assert Submission.get_by_id(kept.id).snapshot == before
    latest = applications.latest_submission(application)
    assert latest is not None
    assert [t["code"] for t in latest.snapshot["application"]["scope"]] == [MASSAGE.code]


def test_an_incomplete_file_is_not_submitted_and_says_what_is_missing(world: World) -> None:
    base = admission.applicant(world)
    application = admission.draft(world, base)
    empty_file(world, base)
    with pytest.raises(FileIncomplete) as refusal:
        applications.submit(world.act("applicant"), application)
    assert refusal.value.facts["missing_zh"]
    assert again(application).status == "draft"
    assert Submission.select().count() == 0


def test_an_application_names_trades_and_sites_that_exist(small_world: World) -> None:
    base = admission.applicant(small_world)
    act = small_world.act("applicant")
    with pytest.raises(FieldRefused):
        applications.apply(act, base, scope=[MASSAGE, MASSAGE], sites=sites_of(base))
    with pytest.raises(FieldRefused):
        applications.apply(act, base, scope=[MASSAGE], sites=[base.id])
    with pytest.raises(FieldRefused):
        applications.apply(act, base, scope=[MASSAGE], sites=[], kind="dancing")
    application = applications.apply(act, base, scope=[], sites=[])
    with pytest.raises(FieldRefused):
        applications.submit(act, application)


def test_a_base_has_one_application_under_way_and_may_apply_anew_after(small_world: World) -> None:
    application = admission.submitted(small_world)
    act, base = small_world.act("applicant"), application.base
    with pytest.raises(ApplicationOpen):
        admission.draft(small_world, base)
    applications.withdraw(act, application, "暂缓")
    assert admission.draft(small_world, base).status == "draft"


def test_a_ban_on_applying_again_holds_at_the_draft_and_at_the_submission(small_world: World) -> None:
    application = admission.draft(small_world)
    city = small_world.act("city_officer")
    standing.restrict(
        city,
        application.base,
        "reapply_ban",
        starts_on=date(2025, 1, 1),
        ends_on=date(2025, 3, 31),
        cause="sanction",
        cause_id=application.id,
    )
    with pytest.raises(standing.MayNotApplyYet):
        applications.submit(small_world.act("applicant"), application)
    applications.withdraw(small_world.act("applicant"), again(application), "禁止期内")
    with pytest.raises(standing.MayNotApplyYet):
        admission.draft(small_world, application.base)
    small_world.on(2025, 4, 1)
    assert admission.draft(small_world, application.base).status == "draft"


def test_only_a_clerk_of_the_base_applies_and_only_until_it_is_handed_in(small_world: World) -> None:
    application = admission.submitted(small_world)
    with pytest.raises(WithTheReview):
        applications.revise(small_world.act("applicant"), application, scope=[], sites=[])
    for stranger in ("base_clerk", "county_officer", "city_officer", "expert_1", "auditor", "admin"):
        with pytest.raises(NotAllowed):
            applications.apply(small_world.act(stranger), application.base, scope=[], sites=[])
        with pytest.raises(NotAllowed):
            applications.withdraw(small_world.act(stranger), again(application), "撤回")


# --- two inspectors -----------------------------------------------------------------------------------


def test_one_inspector_is_no_inspection_even_with_two_accounts(world: World) -> None:
    application = admission.recommended(world)
    city_side = "inspector_at_the_city"
    admission.same_person(world, city_side, "county_officer", "city_officer", "city_officer")
    visit = admission.visit(world, application)
    report = inspections.file_inspection(world.act("county_officer"), application, visit)
    for account in ("county_officer", city_side):
        with pytest.raises(SignedAlready):
            inspections.sign_inspection(world.act(account), report)
    assert codes(world, again(application)) == ["inspection_signature"]
    inspections.sign_inspection(world.act("second_county_officer"), report)
    assert again(application).status == "inspected"


def test_a_report_answers_the_whole_checklist_with_findings_and_photos(small_world: World) -> None:
    application = admission.recommended(small_world)
    act = small_world.act("county_officer")
    whole = admission.visit(small_world, application)
    wrong = {
        "answers": {code: whole.answers[code] for code in list(whole.answers)[1:]},
        "findings": " ",
        "photos": [application.id],
        "visited_on": date(2025, 2, 9),
    }
    for field, value in wrong.items():
        with pytest.raises(FieldRefused) as refusal:
            inspections.file_inspection(
                act, application, admission.visit(small_world, application, **{field: value})
            )
        assert refusal.value.facts["field"] == field
    with pytest.raises(FieldRefused):
        inspections.file_inspection(act, application, admission.visit(small_world, application, photos=[]))
    tomorrow = admission.visit(small_world, application, visited_on=date(2025, 2, 11))
    with pytest.raises(FieldRefused):
        inspections.file_inspection(act, application, tomorrow)
    assert inspections.latest_inspection(application) is None


def test_a_report_filed_anew_takes_the_place_of_the_earlier_one(small_world: World) -> None:
    application = admission.recommended(small_world)
    visit = admission.visit(small_world, application)
    first = inspections.file_inspection(small_world.act("county_officer"), application, visit)
    inspections.file_inspection(small_world.act("second_county_officer"), application, visit)
    with pytest.raises(NothingToSign):
        inspections.sign_inspection(small_world.act("second_city_officer"), first)


def test_a_required_condition_unmet_goes_back_and_not_to_the_panel(world: World) -> None:
    application = admission.inspect(world, admission.recommended(world), unmet=("fire_safety",))
    with pytest.raises(ConditionsUnmet) as refusal:
        admission.appoint(world, application)
    assert "消防" in refusal.value.sentence("zh")
    assert codes(world, application) == ["inspection_condition"]
    reviews.return_for_correction(world.act("deciding_officer"), application, "消防整改")
    applications.submit(world.act("applicant"), application)
    reviews.preliminary_review(world.act("county_officer"), application, "recommend", "已整改")
    assert admission.appoint(world, admission.inspect(world, application)).status == "expert_review"


# --- the panel ----------------------------------------------------------------------------------------


def test_a_panel_has_three_experts_who_are_three_people(world: World) -> None:
    application = admission.inspected(world)
    admission.same_person(world, "expert_1_again", "expert_1", "expert_1", "expert")
    with pytest.raises(PanelTooSmall):
        admission.appoint(world, application, "expert_1", "expert_2")
    with pytest.raises(ExpertInvolved):
        admission.appoint(world, application, "expert_1", "expert_1_again", "expert_2")
    with pytest.raises(FieldRefused):
        admission.appoint(world, application, "expert_1", "expert_2", "second_city_officer")
    assert again(application).status == "inspected"


@pytest.mark.parametrize("other", ["applicant", "county_officer", "second_county_officer", "city_officer"])
def test_nobody_of_the_base_the_county_or_the_appointing_desk_sits_on_the_panel(
    small_world: World, other: str
) -> None:
    application = admission.inspected(small_world)
    admission.same_person(small_world, "involved", other, "expert_1", "expert")
    with pytest.raises(ExpertInvolved):
        admission.appoint(small_world, application, "expert_1", "expert_2", "involved")


def test_an_expert_sees_no_other_sheet_before_all_are_in_and_nobody_else_does(world: World) -> None:
    application = admission.in_review(world)
    panel = panels.require_panel(application)
    admission.score(world, application, "expert_1", "expert_2")
    seen = {
        name: len(scores.visible_sheets(world.act(name), panel))
        for name in ("expert_1", "expert_2", "expert_3", "city_officer", "auditor")
    }
    assert seen == {"expert_1": 1, "expert_2": 1, "expert_3": 0, "city_officer": 0, "auditor": 0}
    admission.score(world, application, "expert_3")
    for name in ("expert_1", "city_officer", "auditor"):
        assert len(scores.visible_sheets(world.act(name), panel)) == 3
    for name in ("expert_4", "county_officer", "applicant"):
        with pytest.raises(NotAllowed):
            scores.visible_sheets(world.act(name), panel)


def test_a_sheet_is_whole_within_its_marks_and_handed_in_once(small_world: World) -> None:
    application = admission.in_review(small_world)
    own = seat(application, small_world, "expert_1")
    act = small_world.act("expert_1")
    for points in ({}, sheet() | {"extra": 1}, sheet(11), sheet(-1), sheet() | {"teachers": True}):
        with pytest.raises(FieldRefused):
            scores.hand_in(act, own, points, "")
    with pytest.raises(NotAllowed):
        scores.hand_in(small_world.act("expert_2"), own, sheet(), "")
    scores.hand_in(act, own, sheet(), "")
    with pytest.raises(WrongState):
        scores.hand_in(act, seat(application, small_world, "expert_1"), sheet(10), "")
    assert [s.points for s in scores.sheets_in(panels.require_panel(application))] == [sheet()]


def test_a_mark_that_is_in_cannot_be_struck_and_recusing_takes_a_reason(small_world: World) -> None:
    application = admission.score(small_world, admission.in_review(small_world), "expert_1")
    for name in ("expert_1", "city_officer"):
        with pytest.raises(WrongState):
            panels.recuse(small_world.act(name), seat(application, small_world, "expert_1"), "改主意")
    with pytest.raises(FieldRefused):
        panels.recuse(small_world.act("expert_2"), seat(application, small_world, "expert_2"), " ")
    with pytest.raises(NotAllowed):
        panels.recuse(small_world.act("expert_3"), seat(application, small_world, "expert_2"), "替他回避")
    panels.recuse(small_world.act("city_officer"), seat(application, small_world, "expert_2"), "逾期未评分")
    with pytest.raises(NoVacancy):
        panels.appoint(small_world.act("city_officer"), application, [])
    with pytest.raises(ExpertInvolved):
        admission.appoint(small_world, application, "expert_2")
    admission.appoint(small_world, application, "expert_4")
    small_world.hire("expert_5", small_world.accounts["expert_1"].organisation, "expert")
    with pytest.raises(NoVacancy):
        admission.appoint(small_world, application, "expert_5")


@pytest.mark.parametrize(("points", "passes"), [((8, 8, 8), True), ((7, 7, 7), False), ((10, 5, 7), False)])
def test_the_mean_passes_exactly_at_the_pass_mark(
    small_world: World, points: tuple[int, int, int], passes: bool
) -> None:
    application = admission.in_review(small_world)
    for name, given in zip(admission.EXPERTS, points, strict=False):
        application = admission.score(small_world, application, name, points=given)
    reached = scores.mark(panels.require_panel(application))
    assert (reached.passed, reached.experts) == (passes, 3)
    # Every criterion alike: the mean is the plain mean of the points out of ten.
    assert reached.numerator * 30 == sum(points) * reached.denominator
    if passes:
        assert admission.publish(small_world, application) is not None
    else:
        with pytest.raises(PanelNotPassed):
            admission.publish(small_world, application)
        assert codes(small_world, application) == ["panel_not_passed"]


def test_seventy_five_of_a_hundred_is_enough_and_a_point_less_is_not(small_world: World) -> None:
    # 20 × 3 + 20 × 9 + … : weights 20, 20, 20, 20, 10, 10 over full marks of ten.
    application = admission.in_review(small_world)
    exact = dict(zip(admission.CRITERIA, (7, 7, 8, 8, 7, 8), strict=True))
    for name in admission.EXPERTS[:3]:
        scores.hand_in(small_world.act(name), seat(application, small_world, name), exact, "")
    reached = scores.mark(panels.require_panel(application))
    assert reached.numerator * 100 == 75 * reached.denominator
    assert reached.passed
    less = scores.Mark(reached.numerator - 1, reached.denominator, 75, 3, reached.rule_from, "")
    assert not less.passed


def at_once(*acts: Callable[[], Any]) -> list[Exception]:
    """Make these acts at the same moment, each on a connection of its own; what they were refused with."""
    barrier, refusals = Barrier(len(acts)), []

    def make(one: Callable[[], Any]) -> None:
        with database.connection_context():
            barrier.wait()
            try:
                one()
            except Exception as error:  # noqa: BLE001 - whatever a thread meets is told
                refusals.append(error)

    threads = [Thread(target=make, args=(one,)) for one in acts]
    database.close()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    database.connect(reuse_if_open=True)
    return refusals


def test_the_last_sheets_handed_in_at_one_moment_conclude_the_panel_once(world: World) -> None:
    application = admission.in_review(world)
    seats = {name: seat(application, world, name) for name in admission.EXPERTS[:3]}
    refusals = at_once(
        *(lambda n=n, s=s: scores.hand_in(world.act(n), s, sheet(), "") for n, s in seats.items())  # type: ignore[misc]
    )
    assert refusals == []
    assert again(application).status == "reviewed"
    assert [step.action for step in steps_of(application.id)].count("conclude") == 1


def test_of_two_decisions_at_one_moment_one_is_made(world: World) -> None:
    application = admission.noticed(world)
    refusals = at_once(
        lambda: reviews.refuse(world.act("deciding_officer"), again(application), "不予认定"),
        lambda: reviews.list_base(world.act("other_deciding_officer"), again(application), basis="文号"),
    )
    assert [type(refusal) for refusal in refusals] == [WrongState]
    made = [s.action for s in steps_of(application.id) if s.action in ("list", "decide_refusal")]
    assert len(made) == 1
    assert Listing.select().where(Listing.base == application.base_id).count() == made.count("list")


def test_of_two_applications_of_one_base_at_one_moment_one_is_begun(world: World) -> None:
    base = admission.applicant(world)
    refusals = at_once(*[lambda: admission.draft(world, base)] * 2)
    assert [type(refusal) for refusal in refusals] == [ApplicationOpen]
    assert Application.select().count() == 1


# --- notice and decision ------------------------------------------------------------------------------


def test_nothing_is_listed_before_the_notice_is_over_and_every_objection_answered(world: World) -> None:
    application = admission.reviewed(world)
    admission.publish(world, application)
    application = again(application)
    objection = admission.object_to(world, application)

    def decide() -> Listing:
        return reviews.list_base(world.act("deciding_officer"), again(application), basis="文号")

    assert application.notice is not None
    assert application.notice.closes_on == date(2025, 2, 17)
    for day in (10, 14, 17, 18):
        world.on(2025, 2, day)
        with pytest.raises(RuleBroken):
            decide()
    notices.answer(world.act("city_officer"), objection, "查无此事", upheld=False)
    assert decide().plaque_number == "HD-2025-0001"


def test_an_upheld_objection_bars_the_list_and_the_review_begins_anew(world: World) -> None:
    application = admission.reviewed(world)
    admission.publish(world, application)
    objection = admission.object_to(world, again(application))
    world.on(2025, 2, 18)
    notices.answer(world.act("city_officer"), objection, "属实", upheld=True)
    application = again(application)
    with pytest.raises(ObjectionUpheld):
        reviews.list_base(world.act("deciding_officer"), application, basis="文号")
    reviews.review_again(world.act("deciding_officer"), application, "异议成立，重新考察")
    assert (application.status, application.round, application.notice) == ("recommended", 2, None)
    application = admission.inspect(world, application)
    application = admission.score(world, admission.appoint(world, application))
    admission.publish(world, application)
    world.on(2025, 2, 26)
    listing = reviews.list_base(world.act("deciding_officer"), again(application), basis="文号")
    assert listing.valid_from == date(2025, 2, 26)


def test_the_city_grants_at_most_what_was_applied_for(small_world: World) -> None:
    application = admission.noticed(small_world)
    act = small_world.act("deciding_officer")
    higher = type(MASSAGE)(MASSAGE.edition, MASSAGE.code, MASSAGE.name, "level4_intermediate")
    with pytest.raises(BeyondApplication):
        reviews.list_base(act, application, basis="文号", scope=[higher])
    with pytest.raises(FieldRefused):
        reviews.list_base(act, application, basis=" ")
    with pytest.raises(FieldRefused):
        reviews.list_base(act, application, basis="文号", valid_from=date(2025, 2, 17))
    listing = reviews.list_base(act, application, basis="文号", scope=[MASSAGE])
    assert [entry.code for entry in listing.scope] == [MASSAGE.code]


def test_plaque_numbers_run_without_gaps_and_pass_over_one_made_on_paper(small_world: World) -> None:
    Listing.create(
        base=small_world.base,
        plaque_number="HD-2025-0001",
        valid_from=date(2020, 1, 1),
        valid_until=date(2020, 12, 31),
        basis="纸质文件",
    )
    application = admission.listed(small_world)
    assert application.listing is not None
    assert application.listing.plaque_number == "HD-2025-0002"


def test_a_base_on_the_list_that_applies_again_is_listed_from_the_day_after(small_world: World) -> None:
    small_world.accounts["applicant"] = small_world.accounts["base_clerk"]
    admission.appoint_everybody(small_world)
    complete_file(small_world, small_world.base, "applicant")
    application = admission.draft(small_world, small_world.base)
    applications.submit(small_world.act("applicant"), application)
    reviews.preliminary_review(small_world.act("county_officer"), application, "recommend", "延续")
    application = admission.inspect(small_world, application)
    application = admission.score(small_world, admission.appoint(small_world, application))
    admission.publish(small_world, application)
    small_world.on(2025, 2, 18)
    listing = reviews.list_base(small_world.act("deciding_officer"), again(application), basis="文号")
    assert (listing.valid_from, listing.valid_until) == (date(2028, 1, 1), date(2030, 12, 31))


# --- who may never meet whom ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "other", ["county_officer", "second_county_officer", "expert_1", "expert_4", "applicant"]
)
def test_who_recommended_inspected_scored_recused_or_filed_never_decides(
    small_world: World, other: str
) -> None:
    admission.applicant(small_world)
    admission.same_person(small_world, "involved", other, "city_officer", "city_officer")
    application = admission.in_review(small_world, Base.get(Base.number == 2))
    panels.recuse(small_world.act("expert_2"), seat(application, small_world, "expert_2"), "回避")
    admission.appoint(small_world, application, "expert_4")
    if other == "expert_4":  # appointed, and off again without a mark
        panels.recuse(small_world.act("expert_4"), seat(application, small_world, "expert_4"), "回避")
        small_world.hire("expert_5", small_world.accounts["expert_1"].organisation, "expert")
        admission.appoint(small_world, application, "expert_5")
        application = admission.score(small_world, application, "expert_1", "expert_3", "expert_5")
    else:
        application = admission.score(small_world, application, "expert_1", "expert_3", "expert_4")
    barred = OwnBase if other == "applicant" else TookPart
    involved = small_world.act("involved")
    with pytest.raises(barred):
        reviews.publish(involved, application, title="公示", text="公示")
    with pytest.raises(barred):
        reviews.refuse(involved, application, "理由")
    admission.publish(small_world, application)
    small_world.on(2025, 2, 18)
    involved = small_world.act("involved")
    with pytest.raises(barred):
        reviews.list_base(involved, again(application), basis="文号")
    with pytest.raises(barred):
        reviews.review_again(involved, again(application), "理由")
    assert again(application).status == "noticed"


def test_whoever_works_for_the_base_reviews_nothing_under_any_account(small_world: World) -> None:
    base = admission.applicant(small_world)
    for name, at, role in (
        ("moonlighting_county", "county_officer", "county_officer"),
        ("moonlighting_city", "city_officer", "city_officer"),
    ):
        admission.same_person(small_world, name, "applicant", at, role)
    application = applications.submit(small_world.act("applicant"), admission.draft(small_world, base))
    with pytest.raises(OwnBase):
        reviews.return_for_correction(small_world.act("moonlighting_county"), application, "退回")
    with pytest.raises(OwnBase):
        reviews.preliminary_review(small_world.act("moonlighting_county"), application, "recommend", "好")
    reviews.preliminary_review(small_world.act("county_officer"), application, "recommend", "好")
    visit = admission.visit(small_world, application)
    for name in ("moonlighting_county", "moonlighting_city"):
        with pytest.raises(OwnBase):
            inspections.file_inspection(small_world.act(name), application, visit)
    report = inspections.file_inspection(small_world.act("county_officer"), application, visit)
    with pytest.raises(OwnBase):
        inspections.sign_inspection(small_world.act("moonlighting_city"), report)
    application = admission.inspect(small_world, application)
    with pytest.raises(OwnBase):
        panels.appoint(
            small_world.act("moonlighting_city"),
            application,
            [small_world.accounts[name] for name in admission.EXPERTS[:3]],
        )


def test_an_expert_who_comes_to_work_for_the_base_hands_in_nothing(small_world: World) -> None:
    application = admission.in_review(small_world)
    base = application.base
    small_world.hire(
        "new_job", base.organisation, "base_clerk", operator=small_world.accounts["expert_1"].operator
    )
    with pytest.raises(OwnBase):
        admission.score(small_world, application, "expert_1")


def test_an_expert_of_an_earlier_round_neither_inspects_nor_recommends_in_the_next(
    small_world: World,
) -> None:
    application = admission.reviewed(small_world)
    reviews.review_again(small_world.act("deciding_officer"), application, "重新考察")
    admission.same_person(small_world, "expert_as_officer", "expert_1", "county_officer", "county_officer")
    officer = small_world.act("expert_as_officer")
    with pytest.raises(ExpertElsewhere):
        inspections.file_inspection(officer, application, admission.visit(small_world, application))
    application = admission.inspect(small_world, application)
    reviews.return_for_correction(small_world.act("deciding_officer"), application, "补正")
    applications.submit(small_world.act("applicant"), application)
    with pytest.raises(ExpertElsewhere):
        reviews.preliminary_review(officer, application, "recommend", "好")
    with pytest.raises(ExpertElsewhere):
        reviews.return_for_correction(officer, application, "退回")


def test_county_and_city_are_two_organisations_whatever_roles_one_hands_out(small_world: World) -> None:
    admission.applicant(small_world)
    city = small_world.accounts["city_officer"].organisation
    small_world.hire("county_desk_at_the_city", city, "county_officer")
    small_world.accounts["county_officer"] = small_world.accounts["county_desk_at_the_city"]
    application = admission.reviewed(small_world, base=Base.get(Base.number == 2))
    with pytest.raises(SameOrganisation):
        admission.publish(small_world, application)


# --- refusal and appeal -----------------------------------------------------------------------------------


def test_against_the_countys_opinion_the_city_refuses_or_reviews_all_the_same(small_world: World) -> None:
    application = admission.not_recommended(small_world)
    with rolled_back(small_world):
        refused = reviews.refuse(small_world.act("deciding_officer"), again(application), "同意县级意见")
        assert (refused.status, again(refused).open) == ("refused", False)
    application = reviews.review_again(small_world.act("deciding_officer"), again(application), "另行考察")
    assert admission.inspect(small_world, application).status == "inspected"


def test_an_upheld_appeal_brings_it_back_and_another_person_decides(world: World) -> None:
    application = admission.refused(world)
    with pytest.raises(SeparationOfDuties):
        reviews.reopen(world.act("deciding_officer"), application, "申诉成立")
    reviews.reopen(world.act("other_deciding_officer"), application, "申诉成立")
    application = again(application)
    assert (application.status, application.open) == ("reviewed", True)
    refuser = world.act("deciding_officer")
    with pytest.raises(RefusedBefore):
        reviews.publish(refuser, application, title="公示", text="公示")
    with pytest.raises(RefusedBefore):
        reviews.refuse(refuser, application, "仍不予认定")
    admission.publish(world, application)
    world.on(2025, 2, 26)
    with pytest.raises(RefusedBefore):
        reviews.list_base(world.act("deciding_officer"), again(application), basis="文号")
    listing = reviews.list_base(world.act("other_deciding_officer"), again(application), basis="文号")
    assert listing.status == "confirmed"


def test_reopening_does_not_replace_a_review_that_never_was(small_world: World) -> None:
    application = admission.not_recommended(small_world)
    reviews.refuse(small_world.act("deciding_officer"), application, "同意县级意见")
    reviews.reopen(small_world.act("other_deciding_officer"), application, "申诉成立")
    with pytest.raises(NotReviewed):
        admission.publish(small_world, again(application))
    assert codes(small_world, again(application)) == ["not_reviewed"]
    reviews.review_again(small_world.act("other_deciding_officer"), again(application), "组织考察")
    assert again(application).status == "recommended"


def test_a_refused_application_is_not_reopened_beside_a_newer_one(small_world: World) -> None:
    application = admission.refused(small_world)
    admission.draft(small_world, application.base)
    with pytest.raises(ApplicationOpen):
        reviews.reopen(small_world.act("other_deciding_officer"), application, "申诉成立")
    assert again(application).status == "refused"


def test_reasons_are_never_empty(small_world: World) -> None:
    application = admission.submitted(small_world)
    county = small_world.act("county_officer")
    with pytest.raises(FieldRefused):
        reviews.return_for_correction(county, application, " ")
    with pytest.raises(FieldRefused):
        reviews.preliminary_review(county, application, "not_recommend", "")
    with pytest.raises(FieldRefused):
        applications.withdraw(small_world.act("applicant"), application, "")


def test_withdrawing_takes_the_notice_down(small_world: World) -> None:
    application = admission.reviewed(small_world)
    admission.publish(small_world, application)
    application = again(application)
    applications.withdraw(small_world.act("applicant"), application, "不再申请")
    assert notices.notices_open(small_world.act("auditor").today) == []


# --- clocks ---------------------------------------------------------------------------------------------


def test_the_preliminary_review_is_due_in_seven_working_days_and_told_as_overdue(small_world: World) -> None:
    # Submitted on Monday 20 January 2025; Spring Festival 28 January–4 February, Sunday the 26th is worked.
    small_world.on(2025, 1, 20)
    application = admission.submitted(small_world)
    due = progress.due(application, small_world.service.policy)
    assert due is not None
    assert (due.kind, due.waits_for) == ("preliminary_review", ("county_officer",))
    assert (due.deadline.day, due.deadline.provisional) == (date(2025, 2, 5), False)
    assert not due.is_overdue(date(2025, 2, 5))
    assert due.is_overdue(date(2025, 2, 6))
    small_world.on(2025, 2, 20)
    late = reviews.preliminary_review(small_world.act("county_officer"), application, "recommend", "迟了")
    assert late.status == "recommended"
    assert [d.kind for d in progress.all_due(small_world.service.policy)] == ["site_inspection"]


def test_a_deadline_in_a_year_without_a_calendar_is_provisional(small_world: World) -> None:
    application = admission.submitted(small_world.on(2031, 3, 3))
    due = progress.due(application, small_world.service.policy)
    assert due is not None
    assert (due.deadline.day, due.deadline.provisional) == (date(2031, 3, 12), True)


def test_the_decision_is_due_seven_working_days_after_the_notice_ends(small_world: World) -> None:
    due = progress.due(admission.noticed(small_world), small_world.service.policy)
    assert due is not None
    assert (due.waits_for, due.deadline.day) == (("city_officer",), date(2025, 2, 26))
