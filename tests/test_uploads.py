"""The rules of uploads: staged, checked row by row, confirmed as a whole, refused rows given back."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from skills_registry.foundation.errors import WrongState
from skills_registry.spreadsheets import read
from skills_registry.training import classes, enrolments, results, uploads
from skills_registry.training.classes import ClassClosed, TrainingClass
from skills_registry.training.enrolments import Enrolment, Result
from skills_registry.training.uploads import NothingAccepted, Upload, UploadOutdated
from tests.conftest import SAMPLES
from tests.made_sheets import workbook
from tests.world import PEOPLE, World


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def staged(world: World, training_class: TrainingClass, kind: str, content: bytes, **more: Any) -> Upload:
    return uploads.stage(world.act("base_clerk"), training_class, kind, content, **more)


def report(upload: Upload) -> list[tuple[int, str, set[str]]]:
    return [
        (row.number, row.outcome, {p.code for p in uploads.problems_of(row)})
        for row in uploads.rows_of(upload)
    ]


def test_the_messy_roster_gives_exactly_what_is_expected(world: World) -> None:
    expected = json.loads(sample("roster-messy.expected.json"))
    training_class = world.open_class()
    # Whenever it is sent: what is doubtful about the sheet as a whole stands on no row.
    upload = staged(world.on(2026, 11, 22), training_class, "roster", sample("roster-messy.xlsx"))
    found = [
        {"sheet_row": row.number, "outcome": row.outcome}
        | next(
            ({"code": p.code, "severity": p.severity, "field": p.field} for p in uploads.problems_of(row)),
            {},
        )
        for row in uploads.rows_of(upload)
    ]
    assert found == expected["rows"]
    assert all(len(row.problems) <= 1 for row in uploads.rows_of(upload))
    uploads.confirm(world.act("base_clerk"), upload)
    assert Enrolment.select().count() == expected["accepted"]


def test_staging_enrols_nobody_and_confirming_twice_enrols_once(world: World) -> None:
    upload = staged(world, world.open_class(), "roster", sample("roster-clean.xlsx"))
    assert Enrolment.select().count() == 0
    uploads.confirm(world.act("base_clerk"), upload)
    uploads.confirm(world.act("base_clerk"), Upload.get_by_id(upload.id))
    assert Enrolment.select().count() == 30


def test_the_refused_rows_come_back_mended_and_go_in(small_world: World) -> None:
    world = small_world.on(2025, 3, 3)
    training_class = world.open_class()
    first = staged(world, training_class, "roster", sample("roster-messy.xlsx"))
    uploads.confirm(world.act("base_clerk"), first)
    given_back = uploads.refused_rows(world.act("base_clerk"), first)
    again = staged(world, training_class, "roster", given_back)
    before = [codes for _, outcome, codes in report(first) if outcome == "rejected"]
    after = [codes for _, _, codes in report(again)]
    # The second of two equal rows stands alone now and is found to be enrolled; the others still need mending.
    assert [codes for codes in before if codes != {"duplicate_in_file"}] == [
        codes for codes in after if codes != {"already_enrolled"}
    ]


def test_nobody_is_enrolled_before_the_county_has_opened_the_class(world: World) -> None:
    with pytest.raises(ClassClosed):
        staged(world, world.filed_class(), "roster", sample("roster-clean.xlsx"))
    assert Upload.select().count() == 0


def test_a_confirmation_checks_again_and_writes_nothing_when_things_have_changed(world: World) -> None:
    training_class = world.open_class()
    _, second, _ = world.enrol(training_class)
    sheet = results_of(PEOPLE[:3])
    upload = staged(world, training_class, "results", sheet)
    assert {outcome for _, outcome, _ in report(upload)} == {"accepted"}
    enrolments.withdraw(world.act("base_clerk"), second, "退班")
    with pytest.raises(UploadOutdated) as refusal:
        uploads.confirm(world.act("base_clerk"), upload)
    assert refusal.value.facts == {"rows": "3"}
    assert Result.select().count() == 0
    again = Upload.get_by_id(upload.id)
    assert (again.status, report(again)[1]) == ("staged", (3, "rejected", {"withdrawn_trainee"}))
    uploads.confirm(world.act("base_clerk"), again)
    assert Result.select().count() == 2


def results_of(people: Any, **changes: Any) -> bytes:
    usual = {"hours": 110, "theory": 80, "practice": 75, "verdict": ""} | changes
    header = ["姓名", "公民身份号码", "出勤课时", "理论成绩", "实操成绩", "是否合格"]
    return workbook([header, *([name, citizen_id, *usual.values()] for name, citizen_id, _ in people)])


def test_a_result_for_somebody_who_is_not_on_the_roster_is_refused(world: World) -> None:
    training_class = world.open_class()
    world.enrol(training_class, 1)
    upload = staged(world, training_class, "results", results_of(PEOPLE[:2]))
    assert report(upload) == [(2, "accepted", set()), (3, "rejected", {"not_on_roster"})]


def test_a_result_under_another_name_is_refused(world: World) -> None:
    training_class = world.open_class()
    world.enrol(training_class, 1)
    upload = staged(world, training_class, "results", results_of([("李小东", PEOPLE[0][1], "male")]))
    assert report(upload) == [(2, "rejected", {"name_differs_from_roster"})]
    with pytest.raises(NothingAccepted):
        uploads.confirm(world.act("base_clerk"), upload)


def test_what_the_sheet_says_and_what_the_scores_say_must_agree(small_world: World) -> None:
    training_class = small_world.open_class()
    small_world.enrol(training_class, 1)
    upload = staged(small_world, training_class, "results", results_of(PEOPLE[:1], theory=59, verdict="合格"))
    assert report(upload) == [(2, "rejected", {"verdict_contradicts_scores"})]


def test_a_later_sheet_replaces_results_with_a_warning_and_an_equal_one_changes_nothing(world: World) -> None:
    training_class = world.open_class()
    world.enrol(training_class, 1)
    for changes, warned, kept in (
        ({}, set(), 1),
        ({}, {"result_unchanged"}, 1),
        ({"theory": 90}, {"result_replaced"}, 2),
    ):
        upload = staged(world, training_class, "results", results_of(PEOPLE[:1], **changes))
        assert report(upload) == [(2, "accepted", warned)]
        uploads.confirm(world.act("base_clerk"), upload)
        assert Result.select().count() == kept


def test_another_name_for_a_known_id_is_accepted_and_only_the_county_learns_the_recorded_one(
    world: World,
) -> None:
    world.enrol(world.open_class(), 1)
    other = world.open_class(title="第二期", starts_on=date(2025, 6, 2), ends_on=date(2025, 7, 1))
    sheet = workbook([["姓名", "公民身份号码"], ["李小东", PEOPLE[0][1]]])
    upload = staged(world, other, "roster", sheet)
    assert report(upload) == [(2, "accepted", {"name_differs_from_record", "same_training_before"})]
    told = json.dumps([row.problems for row in uploads.rows_of(upload)], ensure_ascii=False)
    assert "李晓东" not in told
    uploads.confirm(world.act("base_clerk"), upload)
    [(enrolment, person)] = enrolments.name_differences(other)
    vault = world.service.vault
    assert enrolments.name_of(vault, enrolment) == "李小东"
    assert vault.open(type(person).name, person.id, person.name) == "李晓东"


def warned(upload: Upload) -> list[str]:
    return [found.code for found in uploads.doubts_about(upload)]


def test_overlapping_classes_warn_on_the_row_and_late_enrolment_once_for_the_sheet(
    small_world: World,
) -> None:
    small_world.enrol(small_world.open_class(), 1)
    other = small_world.open_class(title="第二期")
    sheet = workbook([["姓名", "公民身份号码"], *(list(person[:2]) for person in PEOPLE[:2])])
    assert warned(staged(small_world.on(2025, 3, 6), other, "roster", sheet)) == []
    upload = staged(small_world.on(2025, 3, 20), other, "roster", sheet)
    assert report(upload) == [
        (2, "accepted", {"overlapping_class", "same_training_before"}),
        (3, "accepted", set()),
    ]
    assert warned(upload) == ["late_enrolment"]
    uploads.confirm(small_world.act("base_clerk"), upload)
    assert warned(staged(small_world, other, "roster", sheet)) == []


def test_somebody_known_under_another_name_or_withdrawn_is_told_apart(small_world: World) -> None:
    training_class = small_world.open_class()
    _, second = small_world.enrol(training_class, 2)
    enrolments.withdraw(small_world.act("base_clerk"), second, "因病")
    sheet = workbook([["姓名", "公民身份号码"], ["李小东", PEOPLE[0][1]], list(PEOPLE[1][:2])])
    assert report(staged(small_world, training_class, "roster", sheet)) == [
        (2, "accepted", {"already_enrolled", "enrolled_under_another_name"}),
        (3, "accepted", {"already_withdrawn"}),
    ]


def test_a_double_click_on_confirm_is_answered_alike(world: World) -> None:
    upload = staged(world, world.open_class(), "roster", sample("roster-clean.xlsx"))
    stale = Upload.get_by_id(upload.id)
    uploads.confirm(world.act("base_clerk"), upload)
    assert uploads.confirm(world.act("base_clerk"), stale).id == upload.id
    assert Enrolment.select().count() == 30


def test_signature_lines_below_the_table_are_nobody(small_world: World) -> None:
    people = [list(person[:2]) for person in PEOPLE[:2]]
    footers = [
        ["填表人：张三 13912345678", ""],
        ["", "经办人：13912345678"],
        ["平均分", "85"],
        ["合计", "2人"],
    ]
    sheet = workbook([["姓名", "公民身份号码"], *people, *footers])
    upload = staged(small_world, small_world.open_class(), "roster", sheet)
    assert [number for number, _, _ in report(upload)] == [2, 3]


def test_more_people_than_the_capacity_warn_and_are_accepted(small_world: World) -> None:
    training_class = small_world.open_class(capacity=2)
    small_world.enrol(training_class, 1)
    header = ["姓名", "公民身份号码"]
    fits = workbook([header, *(list(person[:2]) for person in PEOPLE[:2])])
    assert warned(staged(small_world, training_class, "roster", fits)) == []
    upload = staged(
        small_world, training_class, "roster", workbook([header, *(list(p[:2]) for p in PEOPLE[:3])])
    )
    assert warned(upload) == ["over_capacity"]
    assert [outcome for _, outcome, _ in report(upload)] == ["accepted"] * 3


def test_a_name_that_cannot_be_printed_is_told_at_the_upload(small_world: World) -> None:
    upload = staged(
        small_world,
        small_world.open_class(),
        "roster",
        workbook([["姓名", "公民身份号码"], list(PEOPLE[0][:2])]),
        uncovered=lambda text: text[-1],
    )
    assert report(upload) == [(2, "accepted", {"name_not_printable"})]


def test_a_discarded_upload_cannot_be_confirmed(world: World) -> None:
    upload = staged(world, world.open_class(), "roster", sample("roster-clean.xlsx"))
    uploads.discard(world.act("base_clerk"), upload)
    with pytest.raises(WrongState):
        uploads.confirm(world.act("base_clerk"), upload)
    assert Enrolment.select().count() == 0


def test_an_upload_staged_before_submission_cannot_be_confirmed_after_it(world: World) -> None:
    training_class = world.open_class()
    for enrolment in world.enrol(training_class, 1):
        world.grade(enrolment)
    upload = staged(world, training_class, "roster", sample("roster-clean.xlsx"))
    enrolments.submit_class(world.act("base_clerk"), training_class)
    with pytest.raises(ClassClosed):
        uploads.confirm(world.act("base_clerk"), Upload.get_by_id(upload.id))
    assert Enrolment.select().count() == 1
    classes.return_class(world.act("city_officer"), training_class, "补正")


def test_the_results_sheet_comes_prefilled_from_the_roster_and_reads_back(small_world: World) -> None:
    training_class = small_world.open_class()
    small_world.enrol(training_class, 3)
    content = results.results_sheet(small_world.act("base_clerk"), training_class)
    sheet = read(content, papers=training_class.papers)
    assert [(row.cells["name"], row.cells["citizen_id"]) for row in sheet.rows] == [p[:2] for p in PEOPLE[:3]]


def test_what_was_uploaded_lies_sealed_in_the_database(small_world: World) -> None:
    staged(small_world, small_world.open_class(), "roster", sample("roster-clean.xlsx"))
    database_file = Path(small_world.service.settings.database_url.removeprefix("sqlite:///"))
    raw = b"".join(file.read_bytes() for file in database_file.parent.glob(database_file.name + "*"))
    for row in read(sample("roster-clean.xlsx")).rows:
        assert str(row.cells["citizen_id"]).encode() not in raw
        assert str(row.cells["name"]).encode() not in raw
