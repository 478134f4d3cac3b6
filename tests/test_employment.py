"""What became of people after a class: the yearly four services, the work they found, and who vouches for it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from skills_registry import employment
from skills_registry.employment import (
    EMPLOYMENT,
    EMPLOYMENT_SERVICE,
    FORMS,
    SERVICES,
    Employment,
    Facts,
    ServiceEntry,
)
from skills_registry.employment.services import DayInFuture
from skills_registry.foundation.acts import Act
from skills_registry.foundation.errors import (
    FieldRefused,
    NotAllowed,
    RegistryError,
    SeparationOfDuties,
    WrongState,
)
from skills_registry.foundation.lifecycle import Step
from skills_registry.training.classes import TrainingClass
from skills_registry.training.enrolments import Enrolment, withdraw
from tests.world import World, credit_code

#: The class of this file runs from 2 March to 10 April 2026; 180 days after its end is 7 October.
DAYS = {"starts_on": date(2026, 3, 2), "ends_on": date(2026, 4, 10)}
RESTAURANT = {"employer": "乐都区老街餐饮店", "uscc": credit_code("630202", 77)}


def trained(world: World, people: int = 3) -> list[Enrolment]:
    """A class of 2026 with its certificates out; the day is 20 April 2026."""
    world.on(2026, 2, 9)
    training_class = world.submitted_class(people, **DAYS)
    world.on(2026, 4, 20)
    world.issue(training_class)
    return list(Enrolment.select().order_by(Enrolment.roster_row))


def at_work(world: World, enrolment: Enrolment, by: str = "base_clerk", **changes: Any) -> Employment:
    """A trainee at work in a restaurant since 15 April 2026, with a contract."""
    usual: dict[str, Any] = {
        "form": "concentrated",
        "started_on": date(2026, 4, 15),
        "evidence": ("contract",),
    }
    facts = Facts(**{**usual, **RESTAURANT, **changes})
    return employment.report(world.act(by), enrolment.person, facts, enrolment=enrolment)[0]


def codes(found: Employment) -> set[str]:
    return {doubt.code for doubt in employment.doubts_about(found)}


def test_a_base_reports_its_trainee_in_work_and_another_person_of_the_county_confirms_it(
    world: World,
) -> None:
    enrolment = trained(world)[0]
    found = at_work(world, enrolment)
    assert (found.status, codes(found)) == ("reported", set())
    assert employment.employer_of(world.service.vault, found) == "乐都区老街餐饮店"
    assert employment.confirm(world.act("county_officer"), found, "电话核实，合同属实").status == "confirmed"


def test_nobody_confirms_what_they_entered_nor_for_a_base_they_work_for(small_world: World) -> None:
    enrolment = trained(small_world)[0]
    own = at_work(small_world, enrolment, by="county_officer")
    with pytest.raises(SeparationOfDuties):
        employment.confirm(small_world.act("county_officer"), own, "属实")
    clerk = small_world.accounts["second_clerk"].operator
    county = small_world.accounts["county_officer"].organisation
    small_world.hire("clerk_as_officer", county, "county_officer", operator=clerk)
    with pytest.raises(SeparationOfDuties):
        employment.confirm(small_world.act("clerk_as_officer"), own, "属实")
    assert employment.confirm(small_world.act("city_officer"), own, "属实").status == "confirmed"


def test_a_base_reports_nobody_but_its_own_trainees(small_world: World) -> None:
    enrolment, other = trained(small_world)[:2]
    sibling = small_world.listed_base("乐都区邻家学校", 2)
    small_world.hire("sibling_clerk", sibling.organisation, "base_clerk")
    facts = Facts(form="flexible", started_on=date(2026, 4, 15))
    with pytest.raises(NotAllowed):
        employment.report(small_world.act("sibling_clerk"), enrolment.person, facts, enrolment=enrolment)
    with pytest.raises(NotAllowed):
        employment.report(small_world.act("base_clerk"), enrolment.person, facts)
    with pytest.raises(FieldRefused):
        employment.report(small_world.act("base_clerk"), other.person, facts, enrolment=enrolment)
    assert Employment.select().count() == 0


def test_what_looks_odd_is_named_to_whoever_confirms_and_refuses_nothing(small_world: World) -> None:
    first, second, third = trained(small_world)
    assert codes(at_work(small_world, first, employer="", uscc="", evidence=())) == {
        "employer_missing",
        "evidence_missing",
    }
    wrong = credit_code("630202", 77)[:-1] + "0"
    assert codes(at_work(small_world, second, uscc=wrong)) == {"employer_code"}
    assert codes(at_work(small_world, second, uscc=small_world.base.uscc)) == {"employer_is_base"}
    assert codes(at_work(small_world, third, started_on=date(2026, 2, 1))) == {"employed_before_class"}
    farming = at_work(
        small_world, third, form="farming", employer="", uscc="", evidence=("village_statement",)
    )
    assert codes(farming) == set()


def test_five_people_of_a_class_with_one_employer_are_worth_a_look(small_world: World) -> None:
    found = [at_work(small_world, enrolment) for enrolment in trained(small_world, 5)]
    assert [codes(row) for row in found] == [set()] * 4 + [{"same_employer_for_many"}]
    assert employment.doubts_about(found[4])[0].facts == {"persons": 5}


def test_the_same_employment_entered_again_is_one_entry(world: World) -> None:
    enrolment = trained(world)[0]
    first = at_work(world, enrolment)
    assert at_work(world, enrolment).id == first.id
    assert at_work(world, enrolment, started_on=date(2026, 4, 16)).id != first.id
    employment.strike(world.act("base_clerk"), first, "日期有误")
    assert at_work(world, enrolment).id != first.id


@pytest.mark.parametrize(
    "changes",
    [
        {"form": "sleeping"},
        {"evidence": ("hearsay",)},
        {"started_on": date(2026, 4, 21)},
        {"ended_on": date(2026, 4, 14)},
        {"ended_on": date(2026, 4, 21)},
    ],
)
def test_an_employment_that_makes_no_sense_is_refused(small_world: World, changes: dict[str, Any]) -> None:
    enrolment = trained(small_world)[0]
    with pytest.raises(FieldRefused):
        at_work(small_world, enrolment, **changes)
    assert Employment.select().count() == 0


def test_the_last_day_of_work_may_be_corrected_and_both_days_stay(small_world: World) -> None:
    found = at_work(small_world, trained(small_world)[0])
    small_world.on(2026, 6, 1)
    employment.end(small_world.act("base_clerk"), found, date(2026, 5, 20), "本人告知")
    employment.end(small_world.act("county_officer"), found, date(2026, 5, 25), "单位证明")
    steps = [
        step.detail for step in Step.select().where((Step.record_id == found.id) & (Step.action == "end"))
    ]
    assert steps == [{"from": None, "to": "2026-05-20"}, {"from": "2026-05-20", "to": "2026-05-25"}]
    assert Employment.get_by_id(found.id).ended_on == date(2026, 5, 25)
    employment.strike(small_world.act("county_officer"), found, "重复")
    with pytest.raises(employment.employments.NotInWork):
        employment.end(small_world.act("county_officer"), found, date(2026, 5, 26), "再改")


def test_neither_employer_nor_credit_code_stand_in_the_database_in_clear(small_world: World) -> None:
    found = at_work(small_world, trained(small_world)[0])
    row = Employment.select().where(Employment.id == found.id).tuples().get()
    told = repr(row) + repr(list(Step.select(Step.reason, Step.detail).tuples()))
    assert "老街" not in told and RESTAURANT["uscc"] not in told


# ---------------------------------------------------------------- counting


def counted(world: World, ended_by: date = date(2026, 12, 31)) -> int:
    return employment.employed([world.base.id], 2026, ended_by, 180).get(world.base.id, 0)


def confirmed(world: World, enrolment: Enrolment, **changes: Any) -> None:
    employment.confirm(world.act("county_officer"), at_work(world, enrolment, **changes), "属实")


def test_in_work_is_who_has_a_confirmed_employment_within_180_days_after_the_class(world: World) -> None:
    enrolments = trained(world, 6)
    world.on(2026, 10, 12)
    at_work(world, enrolments[0])  # nobody confirmed it
    confirmed(world, enrolments[1])
    confirmed(world, enrolments[1], form="farming")  # two jobs, one head
    confirmed(world, enrolments[2], started_on=date(2026, 10, 7))  # the 180th day
    confirmed(world, enrolments[3], started_on=date(2026, 10, 8))  # a day late
    confirmed(
        world, enrolments[4], started_on=date(2026, 3, 9), ended_on=date(2026, 4, 10)
    )  # over with the class
    confirmed(world, enrolments[5], started_on=date(2026, 1, 5))  # in work before and ever since
    assert counted(world) == 3
    assert counted(world, ended_by=date(2026, 4, 9)) == 0
    assert employment.employed([world.base.id], 2025, date(2026, 12, 31), 180) == {}


def test_work_of_those_who_left_the_class_does_not_count_for_it(small_world: World) -> None:
    small_world.on(2026, 2, 9)
    training_class = small_world.open_class(**DAYS)
    stayed, left = small_world.enrol(training_class, 2)
    small_world.grade(stayed)
    withdraw(small_world.act("base_clerk"), left, "外出务工")
    from skills_registry.training.enrolments import submit_class

    submit_class(small_world.act("base_clerk"), TrainingClass.get_by_id(training_class.id))
    small_world.on(2026, 5, 11)
    small_world.issue(TrainingClass.get_by_id(training_class.id))
    confirmed(small_world, left)
    assert counted(small_world) == 0
    confirmed(small_world, stayed)
    assert counted(small_world) == 1


def test_years_before_the_records_began_are_left_to_an_evaluator(small_world: World) -> None:
    policy = small_world.service.policy
    assert employment.count_for(policy, 2025) is None
    assert employment.count_for(policy, 2026) is employment.employed


# ---------------------------------------------------------------- services


def test_the_four_services_of_a_year_are_told_by_what_is_missing(world: World) -> None:
    person = trained(world)[0].person
    officer = world.act("county_officer")
    assert employment.missing_in(person.id, 2026) == tuple(SERVICES)
    employment.record_service(officer, person, "vocational_assessment", date(2026, 3, 30), "适合推拿岗位")
    employment.record_service(officer, person, "job_introduction", date(2025, 12, 30))
    wrong = employment.record_service(officer, person, "job_seeking_registration", date(2026, 4, 2))
    assert employment.missing_in(person.id, 2026) == ("basic_information_check", "job_introduction")
    employment.strike_service(officer, wrong, "登记错人")
    assert employment.missing_in(person.id, 2026) == (
        "basic_information_check",
        "job_seeking_registration",
        "job_introduction",
    )
    assert [entry.status for entry in employment.services_of(person.id)] == ["recorded", "recorded", "struck"]


def test_a_service_cannot_lie_ahead_and_is_no_base_s_to_enter(small_world: World) -> None:
    person = trained(small_world)[0].person
    with pytest.raises(DayInFuture):
        employment.record_service(
            small_world.act("county_officer"), person, "job_introduction", date(2026, 4, 21)
        )
    with pytest.raises(NotAllowed):
        employment.record_service(small_world.act("base_clerk"), person, "job_introduction", date(2026, 4, 1))
    assert ServiceEntry.select().count() == 0


# ---------------------------------------------------------------- forbidden moves

ROLES = ("base_clerk", "county_officer", "city_officer", "auditor", "admin")
VERBS: dict[str, Callable[[Act, Employment], object]] = {
    "confirm": lambda act, row: employment.confirm(act, row, "核实"),
    "refuse": lambda act, row: employment.refuse(act, row, "核实"),
    "strike": lambda act, row: employment.strike(act, row, "误填"),
}


@pytest.mark.parametrize("state", EMPLOYMENT.states)
def test_every_move_of_an_employment_outside_the_table_is_refused_and_changes_nothing(
    small_world: World, state: str
) -> None:
    enrolment = trained(small_world, 1)[0]
    for place, (action, role) in enumerate(itertools.product(VERBS, ROLES)):
        row = at_work(
            small_world,
            enrolment,
            by="base_clerk",
            started_on=date(2026, 4, 11 + place % 9),
            form=list(FORMS)[place % 7],
        )
        Employment.update(status=state).where(Employment.id == row.id).execute()
        row = Employment.get_by_id(row.id)
        permitted = EMPLOYMENT.find(action, state)
        if permitted is not None and role in permitted.roles:
            VERBS[action](small_world.act(role), row)
            assert Employment.get_by_id(row.id).status == permitted.to
            continue
        steps = Step.select().count()
        with pytest.raises((WrongState, NotAllowed)):
            VERBS[action](small_world.act(role), row)
        assert (Employment.get_by_id(row.id).status, Step.select().count()) == (state, steps)


@pytest.mark.parametrize("state", EMPLOYMENT_SERVICE.states)
def test_every_move_of_a_service_outside_the_table_is_refused_and_changes_nothing(
    small_world: World, state: str
) -> None:
    person = trained(small_world, 1)[0].person
    for role in ROLES:
        entry = employment.record_service(
            small_world.act("county_officer"), person, "job_introduction", date(2026, 4, 1)
        )
        ServiceEntry.update(status=state).where(ServiceEntry.id == entry.id).execute()
        entry = ServiceEntry.get_by_id(entry.id)
        permitted = EMPLOYMENT_SERVICE.find("strike", state)
        if permitted is not None and role in permitted.roles:
            assert employment.strike_service(small_world.act(role), entry, "误填").status == "struck"
            continue
        with pytest.raises(RegistryError):
            employment.strike_service(small_world.act(role), entry, "误填")
        assert ServiceEntry.get_by_id(entry.id).status == state


def test_judging_and_striking_need_a_reason(small_world: World) -> None:
    row = at_work(small_world, trained(small_world, 1)[0])
    for verb in (employment.confirm, employment.refuse, employment.strike):
        with pytest.raises(FieldRefused):
            verb(small_world.act("county_officer", datetime(2026, 4, 21, tzinfo=UTC)), row, "  ")
    assert Employment.get_by_id(row.id).status == "reported"
