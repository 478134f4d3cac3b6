"""The rules of issuing: all or nothing, exactly once, numbered without gaps, never by the one who submitted."""

from __future__ import annotations

from datetime import date
from threading import Barrier, Thread
from typing import Any
from uuid import UUID

import pytest

from certificates import token, verification
from skills_registry.certification import certificates, issuing, line
from skills_registry.certification.certificates import Certificate, RecordedCertificates
from skills_registry.foundation.errors import NotAllowed, SeparationOfDuties, Undrawable, WrongState
from skills_registry.foundation.lifecycle import Step
from skills_registry.foundation.storage import database
from skills_registry.training import enrolments
from skills_registry.training.classes import ClassClosed, TrainingClass
from skills_registry.training.enrolments import Enrolment
from tests.world import World


def printable(_text: str) -> str:
    """A typeface that covers everything."""
    return ""


def verdict_on(world: World, certificate: Certificate) -> verification.Verdict:
    fresh = Certificate.get_by_id(certificate.id)
    return verification.check(
        token.encode(fresh.statement, fresh.signature),
        keys=world.service.key_ring(),
        registry=RecordedCertificates(world.act("auditor")),
        on=world.act("auditor").today,
    )


def test_every_passed_trainee_gets_one_certificate_and_nobody_else(world: World) -> None:
    issued = world.issue(world.submitted_class(people=4, failed=1))
    assert len(issued) == 3
    assert {certificate.enrolment.roster_row for certificate in issued} == {2, 3, 4}
    assert Certificate.select().count() == 3


def test_approving_again_answers_the_same_certificates(world: World) -> None:
    training_class = world.submitted_class()
    first = [c.number for c in world.issue(training_class)]
    again = [c.number for c in world.issue(TrainingClass.get_by_id(training_class.id))]
    assert first == again
    assert Certificate.select().count() == 3


def test_a_double_click_issues_once(world: World) -> None:
    training_class = world.submitted_class()
    stale = TrainingClass.get_by_id(training_class.id)
    first = world.issue(training_class)
    second = world.issue(stale)
    assert [c.id for c in first] == [c.id for c in second]


def test_numbers_follow_each_other_without_a_gap(world: World) -> None:
    first = world.issued(people=2)
    second = world.issued(people=3, title="第二期")
    assert [c.serial for c in first + second] == [1, 2, 3, 4, 5]
    assert all(c.number.startswith("630200-2025-00000") for c in first + second)


@pytest.mark.parametrize("step", ["number", "state", "sign", "record"])
def test_a_crash_at_any_step_leaves_no_certificate_and_loses_no_number(
    world: World, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    training_class = world.submitted_class()

    class Crash(Exception):
        """The process dies here."""

    class DyingSigner:
        key_id = world.service.signer().key_id
        calls = 0

        def sign(self, statement: bytes) -> bytes:
            self.calls += 1
            if self.calls == 2:
                raise Crash
            return world.service.signer().sign(statement)

    def die(*_: Any, **__: Any) -> None:
        raise Crash

    signer: Any = DyingSigner() if step == "sign" else world.service.signer()
    with monkeypatch.context() as patch:
        if step == "number":
            patch.setattr(line, "take", die)
        elif step == "state":
            patch.setattr(line, "derive", die)
        elif step == "record":
            patch.setattr(line, "begin", die)
        with pytest.raises(Crash):
            issuing.issue(world.act("city_officer"), training_class, signer, printable)
    assert Certificate.select().count() == 0
    assert TrainingClass.get_by_id(training_class.id).status == "submitted"
    assert not Step.select().where(Step.action == "approve").exists()
    retried = world.issue(TrainingClass.get_by_id(training_class.id))
    assert [c.serial for c in retried] == [1, 2, 3]


def test_nobody_approves_what_they_submitted_under_any_account(world: World) -> None:
    clerk = world.accounts["base_clerk"].operator
    city = world.accounts["city_officer"].organisation
    world.hire("moonlighter", city, "city_officer", operator=clerk)
    training_class = world.submitted_class()
    with pytest.raises(SeparationOfDuties):
        world.issue(training_class, by="moonlighter")
    assert Certificate.select().count() == 0


def test_only_a_city_officer_approves(world: World) -> None:
    training_class = world.submitted_class()
    for name in ("county_officer", "auditor", "admin", "second_clerk"):
        with pytest.raises(NotAllowed):
            world.issue(training_class, by=name)


def test_a_class_that_is_not_submitted_cannot_be_approved(world: World) -> None:
    training_class = world.open_class()
    world.enrol(training_class)
    with pytest.raises(WrongState):
        world.issue(training_class)


def test_a_name_that_no_font_covers_is_refused_before_anything_is_issued(world: World) -> None:
    training_class = world.submitted_class()
    with pytest.raises(Undrawable) as refusal:
        issuing.issue(world.act("city_officer"), training_class, world.service.signer(), lambda text: text[0])
    assert "花名册第2行" in refusal.value.sentence("zh")
    assert "李晓东" not in refusal.value.sentence("zh")
    assert Certificate.select().count() == 0
    assert [c.serial for c in world.issue(TrainingClass.get_by_id(training_class.id))] == [1, 2, 3]


def test_a_revoked_certificate_stays_revoked_and_is_never_replaced(world: World) -> None:
    certificate = world.issued()[0]
    issuing.revoke(world.act("city_officer"), certificate, "出勤记录不实")
    assert verdict_on(world, certificate).code == "revoked"
    with pytest.raises(WrongState):
        issuing.reinstate(world.act("city_officer"), certificate, "恢复")
    with pytest.raises(WrongState):
        issuing.reissue(
            world.act("city_officer"), certificate, world.service.signer(), printable, reason="补发"
        )


def test_a_suspended_certificate_can_be_reinstated(world: World) -> None:
    certificate = world.issued()[0]
    issuing.suspend(world.act("city_officer"), certificate, "核查")
    assert verdict_on(world, certificate).code == "suspended"
    issuing.reinstate(world.act("city_officer"), certificate, "核查无误")
    assert verdict_on(world, certificate).code == "valid"


def test_a_reissue_has_a_new_number_and_the_old_one_says_so(world: World) -> None:
    certificate = world.issued()[0]
    fresh = issuing.reissue(
        world.act("city_officer"),
        certificate,
        world.service.signer(),
        printable,
        reason="姓名更正",
        name="李晓冬",
    )
    assert fresh.number != certificate.number
    assert certificates.name_on(world.service.vault, fresh) == "李晓冬"
    old = verdict_on(world, certificate)
    assert (old.code, old.superseded_by) == ("superseded", fresh.number)
    assert verdict_on(world, fresh).code == "valid"


def test_a_certificate_can_be_reissued_only_once(world: World) -> None:
    certificate = world.issued()[0]
    again = Certificate.get_by_id(certificate.id)
    arguments = (world.service.signer(), printable)
    issuing.reissue(world.act("city_officer"), certificate, *arguments, reason="遗失补发")
    with pytest.raises(WrongState):
        issuing.reissue(world.act("city_officer"), again, *arguments, reason="遗失补发")
    assert Certificate.select().count() == 4


def test_a_later_change_of_the_base_does_not_touch_an_old_certificate(world: World) -> None:
    certificate = world.issued()[0]
    world.base.public_name = "新校名"
    world.base.save()
    assert verdict_on(world, certificate).code == "valid"
    assert Certificate.get_by_id(certificate.id).base_name == "乐都区晨曦职业培训学校"


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("subject", "中式面点师"),
        ("base_name", "别家学校"),
        ("class_hours", 400),
        ("level", "level1_senior_technician"),
        ("occupation_code", "4-03-02-02"),
        ("issued_on", date(2020, 1, 1)),
        ("serial", 77),
        ("status", "excellent"),
    ],
)
def test_a_row_changed_past_the_registry_is_found_by_the_next_scan(
    world: World, column: str, value: Any
) -> None:
    certificate = world.issued()[0]
    Certificate.update({getattr(Certificate, column): value}).where(
        Certificate.id == certificate.id
    ).execute()
    assert verdict_on(world, certificate).code == "altered"


def test_a_name_moved_from_another_row_no_longer_opens(world: World) -> None:
    first, second, _ = world.issued()
    Certificate.update(name=second.name).where(Certificate.id == first.id).execute()
    assert verdict_on(world, first).code == "altered"


def test_a_certificate_deleted_from_the_record_raises_the_alarm(world: World) -> None:
    certificate = world.issued()[0]
    code = token.encode(certificate.statement, certificate.signature)
    Certificate.delete().where(Certificate.id == certificate.id).execute()
    verdict = verification.check(
        code,
        keys=world.service.key_ring(),
        registry=RecordedCertificates(world.act("auditor")),
        on=world.act("auditor").today,
    )
    assert (verdict.code, verdict.alarm) == ("not_on_record", True)


def test_continuing_education_expires_after_the_policy_years(world: World) -> None:
    certificate = world.issued(training_type="continuing_education")[0]
    assert certificate.expires_on == date(2027, 2, 10)
    world.on(2027, 2, 10)
    assert verdict_on(world, certificate).code == "valid"
    world.on(2027, 2, 11)
    assert verdict_on(world, certificate).code == "expired"


def test_names_are_compared_by_their_match_key(world: World) -> None:
    certificate = world.issued()[0]
    vault = world.service.vault
    assert certificates.name_matches(vault, certificate, "李 晓东")
    assert not certificates.name_matches(vault, certificate, "李晓")
    assert not certificates.name_matches(vault, None, "李晓东")


def test_fifty_parallel_issuers_get_unique_gapless_numbers(world: World) -> None:
    submitted = [world.submitted_class(people=2, title=f"第{number}期").id for number in range(50)]
    start, numbers, failures = Barrier(50), [], []

    def approve(class_id: UUID) -> None:
        start.wait()
        try:
            with database.connection_context():
                numbers.extend(c.serial for c in world.issue(TrainingClass.get_by_id(class_id)))
        except Exception as error:  # noqa: BLE001 - whatever a thread meets must fail the test
            failures.append(error)

    threads = [Thread(target=approve, args=(class_id,)) for class_id in submitted]
    database.close()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    database.connect(reuse_if_open=True)
    assert failures == []
    assert sorted(numbers) == list(range(1, 101))
    assert Certificate.select().count() == 100


def test_who_staged_or_corrected_for_the_base_does_not_approve_under_another_account(world: World) -> None:
    both = world.accounts["second_clerk"].operator
    world.hire("moonlighter", world.accounts["city_officer"].organisation, "city_officer", operator=both)
    training_class = world.open_class()
    first = world.enrol(training_class, 1)[0]
    world.grade(first)
    enrolments.correct_name(world.act("second_clerk"), first, "李晓冬", "笔误")
    enrolments.submit_class(world.act("base_clerk"), TrainingClass.get_by_id(training_class.id))
    with pytest.raises(SeparationOfDuties):
        world.issue(TrainingClass.get_by_id(training_class.id), by="moonlighter")
    assert len(world.issue(TrainingClass.get_by_id(training_class.id))) == 1


def test_a_reissue_keeps_the_last_day_and_an_expired_certificate_gets_none(world: World) -> None:
    certificate = world.issued(training_type="continuing_education")[0]
    world.on(2026, 5, 6)
    arguments = (world.service.signer(), printable)
    fresh = issuing.reissue(world.act("city_officer"), certificate, *arguments, reason="遗失补发")
    assert (fresh.issued_on, fresh.expires_on) == (date(2026, 5, 6), date(2027, 2, 10))
    world.on(2027, 2, 11)
    with pytest.raises(issuing.Expired):
        issuing.reissue(world.act("city_officer"), fresh, *arguments, reason="遗失补发")
    assert Certificate.select().count() == 4


def test_approving_again_after_a_reissue_still_answers_what_the_approval_issued(world: World) -> None:
    training_class = world.submitted_class()
    first = world.issue(training_class)
    numbers = [c.number for c in first]
    issuing.reissue(
        world.act("city_officer"), first[0], world.service.signer(), printable, reason="补发", name="李晓冬"
    )
    assert [c.number for c in world.issue(TrainingClass.get_by_id(training_class.id))] == numbers


def test_a_withdrawal_that_was_begun_before_the_approval_comes_too_late(world: World) -> None:
    training_class = world.open_class()
    enrolment = world.enrol(training_class, 1)[0]
    world.grade(enrolment)
    begun = Enrolment.get_by_id(enrolment.id)
    assert begun.training_class.status == "open"
    enrolments.submit_class(world.act("base_clerk"), TrainingClass.get_by_id(training_class.id))
    world.issue(TrainingClass.get_by_id(training_class.id))
    with pytest.raises(ClassClosed):
        enrolments.withdraw(world.act("base_clerk"), begun, "退班")
    assert Enrolment.get_by_id(enrolment.id).status == "enrolled"
