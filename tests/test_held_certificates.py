"""Certificates of other bodies: registered with a person, their numbers compared, nothing refused for it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skills_registry.certification import held as held_certificates
from skills_registry.certification.held import HELD_CERTIFICATE, HELD_KINDS, Held, HeldCertificate
from skills_registry.certification.held_numbers import check_held_number
from skills_registry.foundation.acts import Act
from skills_registry.foundation.errors import FieldRefused, NotAllowed, SeparationOfDuties, WrongState
from skills_registry.foundation.lifecycle import Step
from skills_registry.training.enrolments import Enrolment
from tests.world import World

#: Y, organisation 0001, province 63, site 020201, year 24, level 5, serial 000123.
NUMBER = "Y000163020201245000123"
SKILL = {
    "kind": "skill_level",
    "number": NUMBER,
    "issuer": "青海某职业技能评价机构",
    "issued_on": date(2024, 11, 8),
    "occupation": "保健按摩师",
    "level": "level5_junior",
}


def compared(number: object, kind: str = "skill_level", **known: Any) -> list[str]:
    return [problem.code for problem in check_held_number(kind, number, **known).problems]


@pytest.mark.parametrize(
    ("number", "found"),
    [
        (NUMBER, []),
        ("Y 0001 63 020201 24 5 000123", []),
        ("ｙ0001630202012450001２３", []),
        ("S000163020201245000123", []),
        ("J000163020201245000123", ["held_number_letter"]),
        ("RGN630202001245 00012", []),
        ("AB12345678901234567890", []),
        ("Y00016302020124500012", ["held_number_form"]),
        ("2412345678901234", ["held_number_form"]),
        (2.412345678901234e15, ["held_number_damaged"]),
    ],
)
def test_the_number_of_a_skill_level_certificate_is_held_to_its_coding_rules(
    number: object, found: list[str]
) -> None:
    assert compared(number) == found


def test_level_and_year_inside_the_number_are_only_compared(small_world: World) -> None:
    assert compared(NUMBER, level="level5_junior", issued_on=date(2024, 11, 8)) == []
    assert compared(NUMBER, level="level4_intermediate") == ["held_number_level"]
    assert compared(NUMBER, issued_on=date(2025, 1, 8)) == ["held_number_year"]
    assert compared("R GN 630202 001 24 5 00012", level="level3_senior", issued_on=date(2019, 1, 8)) == [
        "held_number_level",
        "held_number_year",
    ]
    held = small_world  # the office may be right: what warns is registered all the same
    enrolment = trainee(held)
    made = register(held, enrolment, level="level4_intermediate")
    assert (made.status, made.level) == ("registered", "level4_intermediate")


def test_an_old_qualification_has_sixteen_digits_and_tells_its_year() -> None:
    assert compared("1263020000301234", "vocational_qualification", issued_on=date(2012, 5, 1)) == []
    assert compared("1263020000301234", "vocational_qualification", issued_on=date(2013, 5, 1)) == [
        "held_number_year"
    ]
    assert compared("126302000030123", "vocational_qualification") == ["held_number_form"]


@pytest.mark.parametrize("kind", sorted(set(HELD_KINDS) - {"skill_level", "vocational_qualification"}))
def test_kinds_without_a_known_rule_are_held_to_none(kind: str) -> None:
    assert compared("T630202199204049984", kind, level="level5_junior", issued_on=date(2024, 1, 1)) == []


@given(st.sampled_from(sorted(HELD_KINDS)), st.text(max_size=40) | st.floats() | st.integers() | st.none())
def test_whatever_is_typed_is_answered_with_warnings_and_never_changed(kind: str, raw: object) -> None:
    checked = check_held_number(kind, raw, level="level5_junior", issued_on=date(2024, 1, 1))
    assert all(not problem.is_error for problem in checked.problems)
    assert checked.typed == str(raw or "").strip()


# ---------------------------------------------------------------- on record


def trainee(world: World, place: int = 0) -> Enrolment:
    if not Enrolment.select().exists():
        world.enrol(world.open_class())
    return list(Enrolment.select().order_by(Enrolment.roster_row))[place]


def register(world: World, enrolment: Enrolment, by: str = "base_clerk", **changes: Any) -> HeldCertificate:
    held = Held(**{**SKILL, **changes})
    return held_certificates.register(world.act(by), enrolment.person, held, enrolment=enrolment)[0]


def test_a_certificate_of_another_body_is_registered_verified_by_another_and_kept_as_typed(
    world: World,
) -> None:
    made = register(world, trainee(world), number=" Y 0001 63 020201 24 5 000123 ")
    assert held_certificates.doubts_about(made) == []
    assert held_certificates.number_of(world.service.vault, made) == "Y 0001 63 020201 24 5 000123"
    assert held_certificates.verify(world.act("county_officer"), made, "联网查询一致").status == "verified"


def test_nobody_verifies_what_they_entered(small_world: World) -> None:
    made = register(small_world, trainee(small_world), by="county_officer")
    with pytest.raises(SeparationOfDuties):
        held_certificates.verify(small_world.act("county_officer"), made, "一致")
    assert HeldCertificate.get_by_id(made.id).status == "registered"


def test_the_same_number_however_written_is_one_entry_until_it_is_struck_out(world: World) -> None:
    enrolment = trainee(world)
    first = register(world, enrolment)
    assert register(world, enrolment, number="Ｙ0001 6302 0201 2450 0012 3").id == first.id
    held_certificates.strike(world.act("base_clerk"), first, "录错人")
    assert register(world, enrolment).id != first.id


def test_a_number_on_record_for_another_person_is_a_doubt_for_the_federation(small_world: World) -> None:
    register(small_world, trainee(small_world, 0))
    twin = register(small_world, trainee(small_world, 1))
    assert [doubt.code for doubt in held_certificates.doubts_about(twin)] == ["held_number_elsewhere"]
    assert "held_number_elsewhere" in held_certificates.OF_OTHERS


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "driving_licence"},
        {"level": "level9"},
        {"number": " － "},
        {"issued_on": date(2025, 2, 11)},
        {"expires_on": date(2024, 11, 7)},
    ],
)
def test_a_registration_that_makes_no_sense_is_refused(small_world: World, changes: dict[str, Any]) -> None:
    with pytest.raises(FieldRefused):
        register(small_world, trainee(small_world), **changes)
    assert HeldCertificate.select().count() == 0


def test_a_base_registers_nothing_for_people_of_other_bases(small_world: World) -> None:
    enrolment = trainee(small_world)
    sibling = small_world.listed_base("乐都区邻家学校", 2)
    small_world.hire("sibling_clerk", sibling.organisation, "base_clerk")
    with pytest.raises(NotAllowed):
        register(small_world, enrolment, by="sibling_clerk")


ROLES = ("base_clerk", "county_officer", "city_officer", "auditor", "admin")
VERBS: dict[str, Callable[[Act, HeldCertificate], object]] = {
    "verify": lambda act, row: held_certificates.verify(act, row, "核对"),
    "strike": lambda act, row: held_certificates.strike(act, row, "误填"),
}


@pytest.mark.parametrize("state", HELD_CERTIFICATE.states)
def test_every_move_outside_the_table_is_refused_and_changes_nothing(small_world: World, state: str) -> None:
    enrolment = trainee(small_world)
    for place, (action, role) in enumerate(itertools.product(VERBS, ROLES)):
        row = register(small_world, enrolment, number=f"{NUMBER[:-2]}{place:02}")
        HeldCertificate.update(status=state).where(HeldCertificate.id == row.id).execute()
        row = HeldCertificate.get_by_id(row.id)
        permitted = HELD_CERTIFICATE.find(action, state)
        if permitted is not None and role in permitted.roles:
            VERBS[action](small_world.act(role), row)
            assert HeldCertificate.get_by_id(row.id).status == permitted.to
            continue
        steps = Step.select().count()
        with pytest.raises((WrongState, NotAllowed)):
            VERBS[action](small_world.act(role), row)
        assert (HeldCertificate.get_by_id(row.id).status, Step.select().count()) == (state, steps)
