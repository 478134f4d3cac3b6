"""Consents: each trainee's own, with text, day and means; taken back at any time, and the trace stays."""

from __future__ import annotations

import itertools
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from peewee import IntegrityError

from skills_registry.foundation.acts import ROLES
from skills_registry.foundation.errors import FieldRefused, RegistryError
from skills_registry.foundation.lifecycle import Step, move, steps_of
from skills_registry.foundation.policy import HAIDONG, Policy
from skills_registry.foundation.storage import database
from skills_registry.spreadsheets import read
from skills_registry.training import attendance, consents, enrolments, opening, results, uploads
from skills_registry.training.attendance import Marked
from skills_registry.training.classes import TrainingClass
from skills_registry.training.consents import (
    CONSENT,
    MEANS,
    Consent,
    ConsentDayRefused,
    ConsentStands,
    ConsentTakenBack,
    NoConsent,
    means_of,
)
from skills_registry.training.enrolments import Enrolment
from skills_registry.training.uploads import Upload
from tests.attending import attended_class, closed, mark
from tests.made_sheets import workbook
from tests.world import PEOPLE, World

SIGNED = date(2025, 2, 9)


def trainee(world: World) -> Enrolment:
    return world.enrol(world.open_class(), 1)[0]


def given(world: World, enrolment: Enrolment, **changes: Any) -> Consent:
    usual = {"given_on": SIGNED, "means": "paper_signature"}
    return consents.give(world.act("base_clerk"), enrolment, **(usual | changes))


def test_a_consent_keeps_the_text_the_day_and_the_means(world: World) -> None:
    enrolment = trainee(world)
    consent = given(world, enrolment, means="thumbprint")
    kept = Consent.get_by_id(consent.id)
    assert (kept.text_version, kept.given_on, kept.means) == ("2021-1", SIGNED, "thumbprint")
    assert (kept.recorded_at, kept.withdrawn_at, kept.status) == (world.now, None, "given")
    assert [step.action for step in steps_of(consent.id)] == ["give"]
    assert consents.without_consent(enrolment.training_class) == []


def test_the_text_is_the_one_in_force_on_the_day_of_the_consent(small_world: World) -> None:
    newer = '\n[[consent]]\nvalid_from = 2025-02-01\nsource = "s"\nversion = "2025-1"\nzh = ["同意"]\nen = ["I consent"]\n'
    policy = Policy(HAIDONG.read_text(encoding="utf-8") + newer)
    enrolments_ = small_world.enrol(small_world.open_class(), 2)
    clerk = small_world.act("base_clerk")
    act = type(clerk)(by=clerk.by, at=clerk.at, policy=policy, vault=clerk.vault)
    for enrolment, day, version in zip(
        enrolments_, (date(2025, 1, 31), date(2025, 2, 1)), ("2021-1", "2025-1"), strict=True
    ):
        assert consents.give(act, enrolment, given_on=day, means="electronic").text_version == version


REFUSED: dict[str, tuple[dict[str, Any], type[RegistryError]]] = {
    "a day that is yet to come": ({"given_on": date(2025, 2, 11)}, ConsentDayRefused),
    "a day before there was a text": ({"given_on": date(2021, 10, 31)}, ConsentDayRefused),
    "means that nobody knows": ({"means": "hearsay"}, FieldRefused),
}


@pytest.mark.parametrize(("changes", "error"), REFUSED.values(), ids=REFUSED.keys())
def test_a_consent_that_cannot_be_is_refused(
    small_world: World, changes: dict[str, Any], error: type[RegistryError]
) -> None:
    enrolment = trainee(small_world)
    with pytest.raises(error):
        given(small_world, enrolment, **changes)
    assert Consent.select().count() == 0


def test_there_is_one_consent_that_stands_and_the_database_holds_it(world: World) -> None:
    enrolment = trainee(world)
    given(world, enrolment)
    with pytest.raises(ConsentStands):
        given(world, enrolment)
    with pytest.raises(IntegrityError), database.atomic():
        Consent.create(
            enrolment=enrolment, text_version="2021-1", given_on=SIGNED, means="guardian", recorded_at=world.now
        )  # fmt: skip
    assert Consent.select().count() == 1


def test_consent_is_taken_back_without_a_reason_and_only_a_new_word_gives_it_again(world: World) -> None:
    enrolment = trainee(world)
    first = given(world, enrolment)
    world.on(2025, 2, 12)
    consents.withdraw(world.act("base_clerk"), enrolment)
    kept = Consent.get_by_id(first.id)
    assert (kept.status, kept.withdrawn_at) == ("withdrawn", world.now)
    assert consents.without_consent(enrolment.training_class) == [enrolment]
    assert "withdraw_consent" in {step.action for step in steps_of(enrolment.training_class_id)}
    with pytest.raises(NoConsent):
        consents.withdraw(world.act("base_clerk"), enrolment)
    with pytest.raises(ConsentTakenBack) as refusal:
        given(world, enrolment)
    assert (refusal.value.facts["field"], refusal.value.facts["on"]) == ("given_on", "2025-02-12")
    assert len(consents.consents_of(enrolment)) == 1
    given(world, enrolment, given_on=date(2025, 2, 12))
    assert [one.status for one in consents.consents_of(enrolment)] == ["withdrawn", "given"]


def test_every_move_of_a_consent_outside_the_table_is_refused_and_changes_nothing(small_world: World) -> None:
    enrolment = trainee(small_world)
    acts: dict[str, str] = {
        "base_clerk": "base_clerk", "county_officer": "county_officer", "city_officer": "city_officer",
        "auditor": "auditor", "admin": "admin",
    }  # fmt: skip
    refused = 0
    for state, (role, account) in itertools.product(CONSENT.states, acts.items()):
        consent = Consent.create(
            enrolment=enrolment, text_version="2021-1", given_on=SIGNED, means="guardian", status=state,
            recorded_at=small_world.now,
        )  # fmt: skip
        allowed = CONSENT.find("withdraw", state)
        if allowed is None or role not in allowed.roles:
            steps = Step.select().count()
            with pytest.raises(RegistryError):
                move(small_world.act(account), CONSENT, consent, "withdraw")
            assert (Consent.get_by_id(consent.id).status, Step.select().count()) == (state, steps)
            refused += 1
        consent.delete_instance()
    assert refused == 7
    assert set(acts) < set(ROLES)


def test_a_class_lists_who_lacks_consent_and_refuses_only_where_the_policy_says_so(
    small_world: World,
) -> None:
    training_class = small_world.open_class()
    first, second, third = small_world.enrol(training_class, 3)
    given(small_world, second)
    enrolments.withdraw(small_world.act("base_clerk"), third, "因病")
    assert [one.id for one in consents.without_consent(training_class)] == [first.id]
    missing = {found.code: found for found in opening.missing(small_world.act("base_clerk"), training_class)}
    assert not missing["consent_missing"].refuses
    for enrolment in (first, second):
        small_world.grade(enrolment)
    opening.submit_class(small_world.act("base_clerk"), training_class)
    assert TrainingClass.get_by_id(training_class.id).status == "submitted"


# ---------------------------------------------------------------- told by a roster

HEADER = ["姓名", "公民身份号码", "监护人", "同意书签署日期", "签署方式"]


def staged(world: World, *cells: Any, header: list[str] = HEADER) -> Upload:
    row = [*PEOPLE[1][:2], *cells]
    sheet = workbook([header, row])
    return uploads.stage(world.act("base_clerk"), world.open_class(), "roster", sheet)


def codes(upload: Upload) -> set[str]:
    return {found.code for row in uploads.rows_of(upload) for found in uploads.problems_of(row)}


ROWS: dict[str, tuple[tuple[Any, ...], set[str], str]] = {
    "day and means": (("", "2025-02-09", "按手印"), set(), "thumbprint"),
    "a date cell": (("", SIGNED, "本人签字"), set(), "paper_signature"),
    "signed by the guardian": (("马有才", "2025/2/9", "监护人签名"), set(), "guardian"),
    "signed by a guardian without a name": (
        ("", "2025年2月9日", "家属代签"),
        {"guardian_missing"},
        "guardian",
    ),
    "nothing": (("", "", ""), {"consent_missing"}, ""),
    "said to be none": (("", "未签", ""), {"consent_missing"}, ""),
    "a yes without a day": (("", "是", "签字"), {"consent_incomplete"}, ""),
    "a day without means": (("", "2025-02-09", ""), {"consent_incomplete"}, ""),
    "a day ahead": (("", "2025-02-11", "签字"), {"consent_day_wrong"}, ""),
    "a day before the first text": (("", "2020-02-09", "签字"), {"consent_day_wrong"}, ""),
}


@pytest.mark.parametrize(("cells", "warned", "means"), ROWS.values(), ids=ROWS.keys())
def test_a_roster_tells_of_consent_by_day_and_means_together(
    small_world: World, cells: tuple[Any, ...], warned: set[str], means: str
) -> None:
    upload = staged(small_world, *cells)
    assert codes(upload) == warned
    assert [row.outcome for row in uploads.rows_of(upload)] == ["accepted"]
    uploads.confirm(small_world.act("base_clerk"), upload)
    recorded = [(one.means, one.given_on) for one in Consent.select()]
    assert recorded == ([(means, SIGNED)] if means else [])


def test_a_sheet_never_brings_back_a_consent_that_was_withdrawn(small_world: World) -> None:
    training_class = small_world.open_class()
    sheet = workbook([HEADER, [*PEOPLE[0][:2], "", "2025-02-09", "签字"]])
    clerk = small_world.act("base_clerk")
    uploads.confirm(clerk, uploads.stage(clerk, training_class, "roster", sheet))
    consents.withdraw(clerk, Enrolment.get(), "本人撤回")
    again = uploads.stage(clerk, training_class, "roster", sheet)
    assert codes(again) == {"already_enrolled", "consent_withdrawn_before"}
    uploads.confirm(clerk, again)
    assert [one.status for one in Consent.select()] == ["withdrawn"]


@pytest.mark.parametrize("code", MEANS)
def test_every_means_is_known_by_its_name_and_its_code(code: str) -> None:
    assert means_of(code) == means_of(MEANS[code][0]) == code


def test_the_guardians_thumbprint_is_the_guardians_consent() -> None:
    assert means_of("监护人按手印") == "guardian"


# ---------------------------------------------------------------- hours claimed and hours attended


def claimed(world: World, training_class: TrainingClass, hours: Any) -> list[tuple[str, set[str]]]:
    header = ["姓名", "公民身份号码", "出勤课时", "理论成绩", "实操成绩"]
    rows = [[name, citizen_id, hours, 80, 80] for name, citizen_id, _ in PEOPLE[:1]]
    upload = uploads.stage(world.act("base_clerk"), training_class, "results", workbook([header, *rows]))
    return [(row.outcome, {p.code for p in uploads.problems_of(row)}) for row in uploads.rows_of(upload)]


DIFFERS = [("rejected", {"hours_differ_from_attendance"})]
AGREES: list[tuple[str, set[str]]] = [("accepted", set())]


def attended_to_the_end(world: World, absent_at: int) -> tuple[TrainingClass, list[Enrolment]]:
    """All thirty mornings closed; 李晓东 missed the first ``absent_at`` of them."""
    training_class, sessions, trainees = attended_class(world)
    clerk = world.on(2025, 4, 14).act("base_clerk")
    for place, session in enumerate(sessions):
        closed(clerk, session, trainees, "absent" if place < absent_at else "present", "present", "present")
    return training_class, trainees


def test_hours_claimed_are_the_hours_attended_once_all_sessions_are_closed(world: World) -> None:
    training_class, _ = attended_to_the_end(world, absent_at=3)
    assert claimed(world, training_class, 108) == AGREES
    assert claimed(world, training_class, 120) == DIFFERS
    assert claimed(world, training_class, 104) == DIFFERS


def test_until_then_they_must_still_be_possible(small_world: World) -> None:
    training_class, sessions, trainees = attended_class(small_world)
    assert claimed(small_world, training_class, 120) == AGREES
    clerk = small_world.act("base_clerk")
    for session in sessions[:4]:
        closed(clerk, session, trainees, "absent", "present", "present")
    mark(clerk, sessions[4], trainees, "present")
    # Sixteen hours missed for good; one morning is marked and not closed, twenty-five are yet to come.
    assert claimed(small_world, training_class, 104) == AGREES
    assert claimed(small_world, training_class, 108) == DIFFERS
    assert claimed(small_world, training_class, 0) == AGREES


def test_an_upload_confirmed_after_a_correction_of_the_attendance_is_judged_by_it(small_world: World) -> None:
    training_class, trainees = attended_to_the_end(small_world, absent_at=3)
    header = ["姓名", "公民身份号码", "出勤课时", "理论成绩", "实操成绩"]
    sheet = workbook([header, [*PEOPLE[0][:2], 108, 80, 80]])
    upload = uploads.stage(small_world.act("base_clerk"), training_class, "results", sheet)
    last = attendance.sessions_of(training_class)[-1]
    attendance.correct(small_world.act("county_officer"), last, Marked(trainees[0].id, "absent"), "核实未到")
    with pytest.raises(uploads.UploadOutdated):
        uploads.confirm(small_world.act("base_clerk"), upload)
    assert codes(Upload.get_by_id(upload.id)) == {"hours_differ_from_attendance"}


def test_the_results_sheet_brings_the_hours_attended(small_world: World) -> None:
    training_class, _ = attended_to_the_end(small_world, absent_at=3)
    content = results.results_sheet(small_world.act("base_clerk"), training_class)
    rows = read(content, papers=training_class.papers).rows
    assert [row.cells["hours"] for row in rows] == [Decimal(108), Decimal(120), Decimal(120)]
