"""Where sanctions, exits and reviews meet each other: nobody slips out between two procedures."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from skills_registry import bases, deadlines, evaluation, notices
from skills_registry.bases import Listing, applications, inspections, panels, reviews
from skills_registry.bases.applications import KindFixed
from skills_registry.bases.inspections import ExpertElsewhere
from skills_registry.evaluation import Given
from skills_registry.evaluation.decisions import TooLittleCounted
from skills_registry.exits import cures, leaving, sanctions, withdrawal
from skills_registry.exits.leaving import Exit, NotOnTheList
from skills_registry.exits.sanctions import Sanction, SettledByTermination
from skills_registry.foundation.errors import FieldRefused
from skills_registry.training import filing
from skills_registry.training.classes import TrainingClass
from tests import admission
from tests.evaluated import act_on, sheet
from tests.test_exits import cured, imposed, standing
from tests.world import World, massage_class


def test_a_request_to_leave_does_not_shield_from_termination(world: World) -> None:
    withdrawal.ask(world.act("base_clerk"), world.base, "不办了")
    imposed(world, "termination")
    assert standing(world) == "ended"
    assert sorted(found.status for found in Exit.select()) == ["closed", "superseded"]


def test_a_request_to_leave_does_not_keep_an_ended_listing_open(world: World) -> None:
    asked = withdrawal.ask(world.act("base_clerk"), world.base, "不办了")
    world.on(2028, 1, 5)
    with pytest.raises(NotOnTheList):
        withdrawal.accept(world.act("city_officer"), asked, "同意")
    leaving.expire(world.act("city_officer"), Listing.get())
    assert sorted(found.status for found in Exit.select()) == ["closed", "superseded"]


def test_a_termination_bars_the_base_also_when_its_listing_ran_out_meanwhile(world: World) -> None:
    proposed = sanctions.impose(
        world.act("county_officer"), world.base, "termination", ground="subsidy_fraud", reason="骗取补贴"
    )
    world.on(2028, 1, 3)
    sanctions.decide(world.act("city_officer"), proposed, "情况属实")
    with pytest.raises(bases.MayNotApplyYet):
        bases.require_no_ban(world.base, date(2028, 1, 4))
    assert standing(world) == "expired"


def test_what_was_pending_before_a_termination_is_settled_by_it(small_world: World) -> None:
    world = small_world
    old = imposed(world, "rectification")
    imposed(world, "termination")
    world.on(2027, 3, 1)
    bases.admit(
        world.act("city_officer"),
        world.base,
        plaque_number="HD-9",
        valid_from=date(2027, 3, 1),
        valid_until=date(2030, 2, 28),
        basis="重新认定",
        scope=[admission.MASSAGE],
    )
    assert standing(world) == "listed"
    due = deadlines.all_due(world.service.policy, date(2027, 3, 1), [world.base.id])
    assert "cure" not in {found.kind for found in due}
    for act in (cures.escalate, cures.lift):
        with pytest.raises(SettledByTermination):
            act(world.act("city_officer"), Sanction.get_by_id(old.id), "逾期")
    assert imposed(world, "rectification").status == "imposed"


def test_lifting_a_cured_suspension_leaves_the_plaque_covered_by_a_second_one(world: World) -> None:
    first = cured(world, imposed(world, "suspension"))
    imposed(world.on(2025, 3, 3), "suspension")
    cures.lift(world.act("second_city_officer"), first, "解除")
    assert (Listing.get().status, standing(world)) == ("suspended", "suspended")


def test_a_base_that_trained_nobody_gets_no_grade(small_world: World) -> None:
    world = small_world
    found = evaluation.open_evaluation(act_on(world, "county_officer"), world.base, 2025)
    given = [*sheet(), Given("class_employment_rate", Decimal(25), "走访")]
    evaluation.score(act_on(world, "county_officer"), found, given)
    with pytest.raises(TooLittleCounted):
        evaluation.propose(act_on(world, "county_officer"), found, "初步意见")


def test_the_day_to_answer_by_into_an_unpublished_year_is_provisional(small_world: World) -> None:
    world = small_world.on(2026, 12, 21)
    application = admission.reviewed(world)
    admission.publish(world, application)
    objection = admission.object_to(world.on(2026, 12, 28), admission.again(application))
    expected = notices.answer_deadline(objection, world.service.policy)
    due = deadlines.all_due(world.service.policy, date(2026, 12, 28), [application.base_id])
    assert [d.deadline for d in due if d.kind == "objection_answer"] == [expected]
    assert expected.provisional


def test_whoever_was_once_named_as_an_expert_does_not_inspect_in_a_later_round(small_world: World) -> None:
    world = small_world
    application = admission.in_review(world)
    admission.same_person(world, "expert_as_county", "expert_2", "county_officer", "county_officer")
    panels.recuse(world.act("city_officer"), admission.seat(application, world, "expert_2"), "另聘")
    panels.appoint(world.act("city_officer"), admission.again(application), [world.accounts["expert_4"]])
    admission.score(world, admission.again(application), "expert_1", "expert_3", "expert_4")
    reviews.review_again(world.act("deciding_officer"), admission.again(application), "重新评审")
    with pytest.raises(ExpertElsewhere):
        inspections.file_inspection(
            world.act("expert_as_county"), admission.again(application), admission.visit(world, application)
        )


@pytest.mark.parametrize("first", [date(9998, 1, 1), date(2099, 1, 1), date(2024, 1, 1)])
def test_a_listing_begins_neither_in_the_past_nor_far_ahead(small_world: World, first: date) -> None:
    application = admission.noticed(small_world)
    with pytest.raises(FieldRefused):
        reviews.list_base(small_world.act("deciding_officer"), application, basis="1号文", valid_from=first)
    assert admission.again(application).status == "noticed"


def test_a_listed_base_renews_as_the_kind_that_it_is_listed_as(small_world: World) -> None:
    base = admission.listed(small_world).base
    with pytest.raises(KindFixed):
        applications.apply(
            small_world.act("applicant"),
            base,
            scope=[admission.MASSAGE],
            sites=admission.sites_of(base),
            kind="employment",
        )


def test_a_base_struck_off_at_the_moment_of_filing_files_no_class(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_look = filing.require_listed

    def struck_off_meanwhile(base: bases.Base, on: date) -> Listing:
        found = first_look(base, on)
        monkeypatch.setattr(filing, "require_listed", first_look)
        imposed(world, "termination")
        return found

    monkeypatch.setattr(filing, "require_listed", struck_off_meanwhile)
    with pytest.raises(bases.NotListed):
        filing.file_class(world.act("base_clerk"), world.base, massage_class())
    assert not TrainingClass.select().exists()
