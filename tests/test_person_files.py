"""One person, one file: whose business a person is, what the file holds, how it is corrected, what is logged."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from skills_registry import employment, people, person_files
from skills_registry.certification import held as held_certificates
from skills_registry.certification.held import Held
from skills_registry.employment import Facts
from skills_registry.foundation.acts import Act
from skills_registry.foundation.errors import (
    FieldRefused,
    NotAllowed,
    NotFound,
    SeparationOfDuties,
    WrongState,
)
from skills_registry.foundation.lifecycle import Step
from skills_registry.people import Person
from skills_registry.person_files import CORRECTION_REQUEST, CorrectionRequest, PersonFile, Residence
from skills_registry.person_files.corrections import (
    CorrectionOutdated,
    CorrectionPending,
    IdOnRecord,
    NothingToCorrect,
)
from skills_registry.person_files.reach import IdUnusable, NameDiffers
from skills_registry.training import attendance, consents, enrolments, opening, particulars, timetable
from skills_registry.training.attendance import Marked
from skills_registry.training.enrolments import Enrolment
from skills_registry.training.timetable_rules import PlannedSession
from tests.world import COUNTY, OTHER_COUNTY, PEOPLE, World

LI, MA, YE = PEOPLE[:3]
#: Somebody whom no base of this world has trained.
STRANGER = ("韩玉兰", "63212219810707996X")
WHY = "本人来窗口查询"


def li(world: World) -> Person:
    """李晓东, trained by the base of 乐都区 with a certificate to show for it."""
    if not Person.select().exists():
        world.issued()
    found = people.find(world.service.vault, LI[1])
    assert found is not None
    return found


def settled(
    world: World, by: str = "other_county_officer", division: str = OTHER_COUNTY, **changes: Any
) -> Person:
    usual: dict[str, Any] = {
        "citizen_id": STRANGER[1],
        "name": STRANGER[0],
        "division_code": division,
        "since": date(2024, 5, 1),
        "reason": "求职登记",
    }
    return person_files.settle(world.act(by), **{**usual, **changes})


def read(world: World, person: Person, by: str = "county_officer", *, whole: bool = False) -> PersonFile:
    return person_files.read_file(world.act(by), person, WHY, whole=whole)


# ---------------------------------------------------------------- reach


def test_a_person_is_the_business_of_where_they_were_trained_and_where_they_live(world: World) -> None:
    person = li(world)
    assert read(world, person).name == "李晓东"
    assert read(world, person, "city_officer").name == "李晓东"
    with pytest.raises(NotFound):
        read(world, person, "other_county_officer")
    settled(world, citizen_id=LI[1], name="李晓东")
    assert read(world, person, "other_county_officer").name == "李晓东"


def test_whoever_moves_on_is_no_longer_the_business_of_where_they_lived(world: World) -> None:
    person = settled(world)
    assert read(world, person, "other_county_officer").name == "韩玉兰"
    settled(world, by="county_officer", division=COUNTY)
    assert read(world, person, "county_officer").name == "韩玉兰"
    with pytest.raises(NotFound):
        read(world, person, "other_county_officer")
    assert [row.division_code for row in person_files.residences_of(person.id)] == [OTHER_COUNTY, COUNTY]


def test_an_earlier_residence_that_is_entered_late_takes_nobody_away(small_world: World) -> None:
    person = settled(small_world)
    settled(small_world, by="county_officer", division=COUNTY, since=date(2010, 1, 1))
    assert read(small_world, person, "other_county_officer").name == "韩玉兰"
    with pytest.raises(NotFound):
        read(small_world, person, "county_officer")
    assert [row.division_code for row in person_files.residences_of(person.id)] == [COUNTY, OTHER_COUNTY]


@pytest.mark.parametrize("role", ["base_clerk", "auditor", "admin"])
def test_no_base_no_auditor_and_no_administrator_reads_a_file(small_world: World, role: str) -> None:
    person = li(small_world)
    steps = Step.select().count()
    with pytest.raises(NotFound):
        read(small_world, person, role)
    with pytest.raises(NotAllowed):
        person_files.search(small_world.act(role), LI[1], WHY)
    assert Step.select().count() == steps


def test_a_search_finds_a_person_by_any_spelling_of_the_number(small_world: World) -> None:
    person = li(small_world)
    found = person_files.search(small_world.act("county_officer"), " 632127 19761028 9953 ", WHY)
    assert found.id == person.id


def test_a_foreign_person_answers_as_an_unknown_one_and_both_leave_the_same_trail(small_world: World) -> None:
    li(small_world)
    officer = small_world.act("other_county_officer")
    for citizen_id in (LI[1], STRANGER[1]):
        with pytest.raises(NotFound) as refusal:
            person_files.search(officer, citizen_id, WHY)
        assert refusal.value.facts == {}
    trail = Step.select().where(Step.action == "search_person_in_vain")
    assert [(step.noun, step.record_id, step.reason, step.detail) for step in trail] == [
        ("account", officer.by.account_id, WHY, {})
    ] * 2


def test_a_number_that_is_none_is_refused_without_being_repeated(small_world: World) -> None:
    with pytest.raises(IdUnusable) as refusal:
        person_files.search(small_world.act("county_officer"), "632127197610289954", WHY)
    assert "6321" not in refusal.value.sentence("zh") + repr(refusal.value.facts)


def test_an_officer_settles_people_in_the_own_division_only(small_world: World) -> None:
    for by, division in (
        ("county_officer", OTHER_COUNTY),
        ("city_officer", "630200"),
        ("city_officer", "630103"),
    ):
        with pytest.raises(FieldRefused):
            settled(small_world, by=by, division=division)
    with pytest.raises(NotAllowed):
        settled(small_world, by="base_clerk", division=COUNTY)
    assert (Person.select().count(), Residence.select().count()) == (0, 0)
    assert settled(small_world, by="city_officer", division=COUNTY).sex == "female"


def test_who_knows_a_number_and_no_name_settles_nobody(small_world: World) -> None:
    person = li(small_world)
    with pytest.raises(NameDiffers) as refusal:
        settled(small_world, citizen_id=LI[1], name="李小东")
    assert "李晓东" not in refusal.value.sentence("zh")
    assert Residence.select().count() == 0
    with pytest.raises(NotFound):
        read(small_world, person, "other_county_officer")


# ---------------------------------------------------------------- the file


def full_file(world: World) -> Person:
    """李晓东 with something in every part of the file; the day is 1 June 2025."""
    person = li(world)
    world.on(2025, 6, 1)
    officer = world.act("county_officer")
    enrolment = Enrolment.get(Enrolment.person == person.id)
    settled(world, by="county_officer", division=COUNTY, citizen_id=LI[1], name="李晓东")
    employment.record_service(officer, person, "vocational_assessment", date(2025, 3, 1), "适合推拿岗位")
    work = Facts(
        form="self_employed",
        started_on=date(2025, 4, 20),
        employer="晓东推拿店",
        evidence=("business_licence",),
    )
    employment.report(world.act("base_clerk"), person, work, enrolment=enrolment)
    held = Held(
        kind="skill_level",
        number="Y000163020201245000123",
        issuer="青海某职业技能评价机构",
        issued_on=date(2024, 11, 8),
        occupation="保健按摩师",
        level="level5_junior",
    )
    held_certificates.register(officer, person, held)
    card = LI[1] + "43"
    asked = person_files.request(
        officer, person, "disability_card", card, asked_by="person", reason="持证核对"
    )
    person_files.accept(world.act("city_officer"), asked, "与原件一致")
    return Person.get_by_id(person.id)


def test_a_file_holds_what_every_room_has_on_record(world: World) -> None:
    file = read(world, full_file(world))
    assert [(t.training_class.title, t.base_name, t.hours) for t in file.trainings] == [
        ("2025年保健按摩师五级班", "乐都区晨曦职业培训学校", Decimal(110))
    ]
    assert [certificate.kind for certificate in file.certificates] == ["training_completion"]
    assert [entry.number for entry in file.held] == ["Y000163020201245000123"]
    assert [(given.record.service, given.outcome) for given in file.services] == [
        ("vocational_assessment", "适合推拿岗位")
    ]
    assert (file.year, len(file.missing_services)) == (2025, 3)
    assert [at_work.employer for at_work in file.employments] == ["晓东推拿店"]
    assert [(c.record.field, c.record.status) for c in file.corrections] == [("disability_card", "accepted")]


def test_a_replaced_result_stays_in_the_file_and_the_one_that_counts_comes_last(small_world: World) -> None:
    training_class = small_world.open_class()
    enrolment = small_world.enrol(training_class, 1)[0]
    small_world.grade(enrolment, "failed")
    small_world.grade(enrolment)
    (training,) = read(small_world, li(small_world)).trainings
    assert [(result.outcome, result.current) for result in training.results] == [
        ("failed", False),
        ("passed", True),
    ]


def test_attendance_particulars_and_consents_of_a_training_stand_in_the_file(world: World) -> None:
    training_class = world.filed_class()
    days = [
        (
            row,
            PlannedSession(
                date(2025, 3, row), "09:00", "12:00", Decimal(4), "推拿手法", "practice", place="实训室"
            ),
        )
        for row in (3, 4, 5)
    ]
    timetable.set_timetable(world.act("base_clerk"), training_class, days)
    opening.open_class(world.act("county_officer"), training_class)
    enrolment = world.enrol(training_class, 1)[0]
    world.on(2025, 3, 10)
    clerk = world.act("base_clerk")
    for session, mark in zip(
        timetable.sessions_of(training_class), ("present", "leave", "present"), strict=True
    ):
        attendance.record(clerk, session, [Marked(enrolment.id, mark)])
    consents.give(clerk, enrolment, given_on=date(2025, 3, 1), means="thumbprint")
    particulars.complete(clerk, enrolment, {"education": "初中", "accommodations": ["sign_language"]})
    particulars.give_accommodation(clerk, enrolment, code="sign_language", given_on=date(2025, 3, 4))
    (training,) = read(world, li(world)).trainings
    assert training.marks == {"present": 2, "leave": 1, "absent": 0}
    assert training.hours == Decimal(8)
    assert [row.session.on.day for row in training.attendance] == [3, 4, 5]
    assert [(consent.means, consent.status) for consent in training.consents] == [("thumbprint", "given")]
    assert training.particulars == {"education": "初中", "accommodations": ["sign_language"]}
    assert [given["code"] for given in training.given] == ["sign_language"]


def test_numbers_of_identity_are_masked_unless_the_file_is_for_the_person(small_world: World) -> None:
    person = full_file(small_world)
    masked = read(small_world, person)
    assert (masked.citizen_id, masked.disability_card, masked.birth_date) == (
        "*" * 14 + "9953",
        "*" * 20,
        None,
    )
    assert [(c.old_value, c.new_value) for c in masked.corrections] == [("", "*" * 20)]
    whole = read(small_world, person, whole=True)
    assert (whole.citizen_id, whole.disability_card) == (LI[1], LI[1] + "43")
    assert whole.birth_date == date(1976, 10, 28)


def test_every_reading_is_logged_with_its_reason_and_whole_numbers_besides(world: World) -> None:
    person = li(world)

    def readings() -> list[tuple[str, str, str]]:
        steps = Step.select().where((Step.record_id == person.id) & (Step.action == "read")).order_by(Step.id)
        return [(step.noun, step.by_role, step.reason) for step in steps]

    read(world, person)
    assert readings() == [("person", "county_officer", WHY)]
    read(world, person, "city_officer", whole=True)
    assert readings()[1:] == [("person", "city_officer", WHY), ("citizen_id", "city_officer", WHY)]
    with pytest.raises(FieldRefused):
        person_files.read_file(world.act("county_officer"), person, "  ")
    assert len(readings()) == 3


def test_a_file_keeps_personal_data_out_of_its_repr(small_world: World) -> None:
    told = repr(read(small_world, full_file(small_world), whole=True))
    assert not [word for word in ("李晓东", LI[1], "晓东推拿店", "推拿岗位", "Y0001") if word in told]


# ---------------------------------------------------------------- corrections


def ask(world: World, field: str, value: str, by: str = "county_officer") -> CorrectionRequest:
    return person_files.request(
        world.act(by), li(world), field, value, asked_by="person", reason="出示身份证原件"
    )


def test_a_correction_leaves_old_and_new_value_who_and_why(world: World) -> None:
    asked = ask(world, "name", "李晓冬")
    assert people.name_of(world.service.vault, li(world).id) == "李晓东"
    person_files.accept(world.act("city_officer"), asked, "与身份证一致")
    vault, person = world.service.vault, li(world)
    assert people.name_of(vault, person.id) == "李晓冬"
    assert person.name_index == people.name_index(vault, "李晓冬")
    assert (person_files.old_value_of(vault, asked), person_files.new_value_of(vault, asked)) == (
        "李晓东",
        "李晓冬",
    )
    steps = Step.select().where(Step.record_id == person.id).order_by(Step.id)
    assert [(s.action, s.by_role, s.reason) for s in steps] == [
        ("request_correction", "county_officer", "出示身份证原件"),
        ("correct", "city_officer", "与身份证一致"),
    ]
    told = repr([(step.reason, step.detail) for step in Step.select()])
    assert "李晓" not in told


def test_a_corrected_name_changes_no_enrolment_and_no_certificate(small_world: World) -> None:
    person_files.accept(small_world.act("city_officer"), ask(small_world, "name", "李晓冬"), "一致")
    (training,) = read(small_world, li(small_world)).trainings
    assert training.name == "李晓东"
    enrolment = Enrolment.get_by_id(training.enrolment.id)
    assert enrolments.name_of(small_world.service.vault, enrolment) == "李晓东"


def test_a_corrected_number_is_found_and_the_wrong_one_no_longer(world: World) -> None:
    right = "632127197610289996"  # another serial of the same day
    person = li(world)
    person_files.accept(world.act("city_officer"), ask(world, "citizen_id", right), "一致")
    assert people.find(world.service.vault, LI[1]) is None
    found = people.find(world.service.vault, right)
    assert found is not None and found.id == person.id


def test_two_files_never_get_one_number(world: World) -> None:
    asked = ask(world, "citizen_id", MA[1])
    with pytest.raises(IdOnRecord):
        person_files.accept(world.act("city_officer"), asked, "一致")
    assert CorrectionRequest.get_by_id(asked.id).status == "requested"
    assert people.citizen_id_of(world.service.vault, li(world)) == LI[1]


def test_nobody_answers_a_request_that_they_entered(small_world: World) -> None:
    asked = ask(small_world, "sex", "female")
    for verb in (person_files.accept, person_files.refuse):
        with pytest.raises(SeparationOfDuties):
            verb(small_world.act("county_officer"), asked, "一致")
    assert person_files.refuse(small_world.act("city_officer"), asked, "与身份证不符").status == "refused"
    assert li(small_world).sex == "male"


def test_one_request_at_a_time_for_a_field_and_none_without_a_change(world: World) -> None:
    ask(world, "sex", "female")
    with pytest.raises(CorrectionPending):
        ask(world, "sex", "female", by="city_officer")
    with pytest.raises(NothingToCorrect):
        ask(world, "name", "李晓东")
    assert CorrectionRequest.select().count() == 1


def test_a_request_that_events_have_overtaken_changes_nothing(small_world: World) -> None:
    asked = ask(small_world, "sex", "female")
    Person.update(sex="female").where(Person.id == li(small_world).id).execute()
    with pytest.raises(CorrectionOutdated):
        person_files.accept(small_world.act("city_officer"), asked, "一致")
    assert CorrectionRequest.get_by_id(asked.id).status == "requested"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "=1+1"),
        ("citizen_id", "632127197610289954"),
        ("sex", "x"),
        ("disability_card", MA[1] + "43"),
        ("disability_card", LI[1] + "93"),
        ("shoe_size", "43"),
    ],
)
def test_a_new_value_that_no_record_may_hold_is_refused(small_world: World, field: str, value: str) -> None:
    with pytest.raises(FieldRefused):
        ask(small_world, field, value)
    assert CorrectionRequest.select().count() == 0


ROLES = ("base_clerk", "county_officer", "city_officer", "auditor", "admin")
VERBS: dict[str, Callable[[Act, CorrectionRequest], object]] = {
    "accept": lambda act, row: person_files.accept(act, row, "核对"),
    "refuse": lambda act, row: person_files.refuse(act, row, "核对"),
}


@pytest.mark.parametrize("state", CORRECTION_REQUEST.states)
def test_every_move_outside_the_table_is_refused_and_changes_nothing(small_world: World, state: str) -> None:
    for action, role in itertools.product(VERBS, ROLES):
        Person.update(sex="male").where(Person.id == li(small_world).id).execute()
        CorrectionRequest.update(status="refused").execute()
        row = ask(small_world, "sex", "female", by="city_officer")
        small_world.hire("third", small_world.accounts["city_officer"].organisation, "city_officer")
        CorrectionRequest.update(status=state).where(CorrectionRequest.id == row.id).execute()
        row, act = (
            CorrectionRequest.get_by_id(row.id),
            small_world.act("third" if role == "city_officer" else role),
        )
        permitted = CORRECTION_REQUEST.find(action, state)
        if permitted is not None and role in permitted.roles:
            VERBS[action](act, row)
            assert CorrectionRequest.get_by_id(row.id).status == permitted.to
            continue
        steps = Step.select().count()
        with pytest.raises((WrongState, NotAllowed)):
            VERBS[action](act, row)
        assert (CorrectionRequest.get_by_id(row.id).status, Step.select().count()) == (state, steps)
        assert li(small_world).sex == "male"
