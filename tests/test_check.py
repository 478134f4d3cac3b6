"""``check`` finds what a hand in the database changed: one raw change a column, and the row is named."""

from __future__ import annotations

from typing import Any

import pytest

from api.check import check
from skills_registry.certification import issuing
from skills_registry.certification.certificates import Certificate
from skills_registry.foundation.lifecycle import Step
from skills_registry.foundation.series import Series
from skills_registry.foundation.storage import database
from skills_registry.training.enrolments import Result
from tests.world import World

#: Every column of a certificate and a value that somebody might write there.
CHANGES: dict[str, Any] = {
    "statement_id": b"0" * 16,
    "number": "630200-2025-000009-9",
    "division_code": "630202",
    "year": 2024,
    "serial": 99,
    "kind": "competition_award",
    "name": b"\x01" + b"x" * 40,
    "template": "training_completion/2",
    "base_name": "别家学校",
    "subject": "中式面点师",
    "competition": "某某竞赛",
    "prize": "第一名",
    "occupation_edition": "2022",
    "occupation_code": "4-03-02-02",
    "level": "level1_senior_technician",
    "class_hours": 500,
    "starts_on": "2020-01-01",
    "ends_on": "2020-01-01",
    "issued_on": "2020-01-01",
    "expires_on": "2099-01-01",
    "registered_with": "别处",
    "status_index": 77,
    "statement": b"\x01" + b"s" * 63,
    "key_id": b"keys",
    "signature": b"s" * 64,
    "status": "revoked",
}


def told(world: World) -> list[str]:
    return [f"{finding.table} {finding.row}" for finding in check(world.service)]


def lived_in(world: World) -> list[Certificate]:
    first, second, third = world.issued()
    issuing.revoke(world.act("city_officer"), first, "抽查")
    issuing.suspend(world.act("city_officer"), second, "核查")
    arguments = (world.service.signer(), lambda _: "")
    issuing.reissue(world.act("city_officer"), third, *arguments, reason="更正", name="冶春美")
    return list(Certificate.select().order_by(Certificate.id))


def test_an_honest_register_has_no_findings(world: World) -> None:
    lived_in(world)
    world.issued(training_type="continuing_education", title="继续教育班")
    no_trade = {"occupation": None, "level": "", "training_type": "practical_technology"}
    world.issued(title="养殖班", **no_trade)
    assert told(world) == []


@pytest.mark.parametrize("column", sorted(CHANGES))
def test_a_change_of_any_column_past_the_registry_is_found(world: World, column: str) -> None:
    certificate = world.issued()[0]
    mark = "?" if database.param == "?" else "%s"
    value = CHANGES[column]
    database.execute_sql(
        f"UPDATE certificate SET {column} = {mark} WHERE number = {mark}",  # noqa: S608 - our own column names
        (value, certificate.number),
    )
    assert f"certificate {certificate.id}" in told(world)


def test_every_column_that_is_no_reference_is_tried() -> None:
    references = {"id", "enrolment", "training_class", "entry_id", "person", "base", "replaces", "issued_at"}
    assert {field.name for field in Certificate._meta.sorted_fields} - references == set(CHANGES)


def test_references_that_were_turned_are_found(world: World) -> None:
    first, second, _ = world.issued()
    Certificate.update(person=second.person_id).where(Certificate.id == first.id).execute()
    Certificate.update(replaces=first.id).where(Certificate.id == second.id).execute()
    assert told(world).count(f"certificate {first.id}") == 2


def test_a_deleted_certificate_leaves_a_gap_and_a_trainee_without_one(world: World) -> None:
    certificate = world.issued()[1]
    Certificate.delete().where(Certificate.id == certificate.id).execute()
    assert set(told(world)) == {
        "series certificate/630200/2025",
        "series certificate_status",
        f"enrolment {certificate.enrolment_id}",
    }


def test_a_pass_turned_into_a_fail_and_a_counter_set_back_are_found(world: World) -> None:
    certificate = world.issued()[0]
    Result.update(outcome="failed").where(Result.enrolment == certificate.enrolment_id).execute()
    Series.update(last=1).where(Series.name == "certificate/630200/2025").execute()
    assert set(told(world)) == {f"certificate {certificate.id}", "series certificate/630200/2025"}


def test_a_step_written_past_the_registry_is_found(world: World) -> None:
    certificate = world.issued()[0]
    Step.update(to="revoked").where(Step.record_id == certificate.id).execute()
    assert told(world) == [f"certificate {certificate.id}"]
