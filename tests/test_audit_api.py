"""The audit is read by auditors only, its reading is itself told, and commands name what is broken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from api import limits
from api.commands import main
from skills_registry.accounts import Organisation
from skills_registry.foundation import audit
from skills_registry.foundation.audit import AuditEntry, Head
from skills_registry.foundation.storage import database
from tests.world import World, application


@pytest.fixture
def client(small_world: World) -> Iterator[FlaskClient]:
    app = application(small_world)
    limits.limiter.enabled = False
    with app.test_client() as made:
        yield made
    limits.limiter.enabled = True


def ask(client: FlaskClient, world: World, path: str, account: str = "auditor") -> Any:
    answer = client.get(f"/api/v1/audit{path}", headers={"Authorization": f"Bearer {world.key(account)}"})
    return answer.get_json() | {"http": answer.status_code}


def told(client: FlaskClient, world: World, query: str) -> list[dict[str, Any]]:
    return list(ask(client, world, f"?{query}")["items"])


def test_an_auditor_reads_who_did_what_when_and_why(client: FlaskClient, small_world: World) -> None:
    base = small_world.base
    small_world.filed_class()
    officer = small_world.accounts["city_officer"]
    (entered,) = told(client, small_world, f"account={officer.id}&action=register")
    assert (entered["noun"], entered["record_id"], entered["role"]) == ("base", str(base.id), "city_officer")
    assert entered["at"].startswith("2025-02-10T02:00:00")
    assert entered["operator"] == str(officer.operator_id)
    assert entered["position"] == AuditEntry.get_by_id(entered["number"]).position


def test_a_change_over_http_is_told_with_the_address_it_came_from(
    client: FlaskClient, small_world: World
) -> None:
    filed = small_world.filed_class()
    answer = client.post(
        f"/api/v1/classes/{filed.id}/opening",
        headers={"Authorization": f"Bearer {small_world.key('county_officer')}"},
        environ_base={"REMOTE_ADDR": "203.0.113.9"},
    )
    assert answer.status_code == 200, answer.get_json()
    (opened,) = told(client, small_world, f"record_id={filed.id}&action=open")
    assert (opened["origin"], opened["role"]) == ("203.0.113.9", "county_officer")


def test_reading_the_audit_is_told_with_what_was_asked(client: FlaskClient, small_world: World) -> None:
    told(client, small_world, "noun=base")
    told(client, small_world, "noun=audit")
    readings = told(client, small_world, "noun=audit&action=read")
    assert [reading["reason"] for reading in readings] == [
        "noun=base",
        "noun=audit",
        "noun=audit action=read",
    ]
    assert {reading["account"] for reading in readings} == {str(small_world.accounts["auditor"].id)}


def test_pages_hold_every_entry_once_and_none_that_only_carries_seals(
    client: FlaskClient, small_world: World
) -> None:
    small_world.issued()
    numbers: list[int] = []
    after: int | None = 0
    while after is not None:
        page = ask(client, small_world, f"?limit=7&until=2025-02-10T02:00:00Z&after={after}")
        numbers += [entry["number"] for entry in page["items"]]
        after = page["next"]
    assert numbers == []
    page = ask(client, small_world, "?limit=7")
    while page["items"]:
        numbers += [entry["number"] for entry in page["items"]]
        if page["next"] is None:
            break
        page = ask(client, small_world, f"?limit=7&after={page['next']}")
    assert numbers == [e.id for e in AuditEntry.select().where(AuditEntry.action != "write")]
    assert AuditEntry.select().where(AuditEntry.action == "write").exists()


@pytest.mark.parametrize("account", ["base_clerk", "county_officer", "city_officer", "admin"])
def test_nobody_but_an_auditor_reads_the_audit(client: FlaskClient, small_world: World, account: str) -> None:
    before = AuditEntry.select().where(AuditEntry.noun == "audit").count()
    for path in ("", "/head"):
        assert ask(client, small_world, path, account)["http"] == 403
    assert AuditEntry.select().where(AuditEntry.noun == "audit").count() == before


def test_an_auditor_of_another_city_reads_nothing_of_this_one(
    client: FlaskClient, small_world: World
) -> None:
    far = Organisation.create(name="邻市登记处", kind="federation", division_code="630100")
    small_world.hire("far_auditor", far, "auditor")
    found = ask(client, small_world, "", "far_auditor")["items"]
    assert {entry["account"] for entry in found} <= {None, str(small_world.accounts["far_auditor"].id)}


def test_the_head_can_be_put_aside_over_http(client: FlaskClient, small_world: World) -> None:
    put_aside = Head.parse(ask(client, small_world, "/head")["head"])
    assert put_aside == audit.head()


@pytest.fixture
def commanded(small_world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    settings = small_world.service.settings
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("SECRETS_FILE", str(settings.secrets_file))
    monkeypatch.setenv("KEYS_DIRECTORY", str(settings.keys_directory))
    monkeypatch.setenv("PUBLIC_URL", settings.public_url)
    return small_world


def command(*words: str) -> tuple[int, str]:
    answer = CliRunner().invoke(main, words)
    return answer.exit_code, answer.output


def test_check_finds_nothing_in_an_honest_register(commanded: World) -> None:
    commanded.issued()
    assert command("check")[0] == 0
    assert command("audit", "check")[0] == 0


@pytest.mark.parametrize("words", [("check",), ("audit", "check")])
def test_check_names_table_and_row_and_fails(commanded: World, words: tuple[str, ...]) -> None:
    enrolment = commanded.issued()[0].enrolment
    database.execute_sql("UPDATE enrolment SET status = 'withdrawn' WHERE id = ?", (enrolment.id.hex,))
    status, output = command(*words)
    assert status == 1
    assert f"enrolment {enrolment.id}" in output


def test_a_head_that_was_put_aside_tells_of_an_older_copy(commanded: World, tmp_path: Any) -> None:
    database.execute_sql("VACUUM INTO ?", (str(tmp_path / "copy.db"),))
    commanded.filed_class()
    status, output = command("audit", "head")
    head = output.strip()
    assert (status, Head.parse(head)) == (0, audit.head())
    assert command("audit", "check", "--head", head)[0] == 0
    older = CliRunner(env={"DATABASE_URL": f"sqlite:///{tmp_path}/copy.db"})
    found = older.invoke(main, ["audit", "check", "--head", head])
    assert found.exit_code == 1
    assert f"audit_entry {head.split(':')[0]}" in found.output


@pytest.mark.parametrize("words", [("check",), ("audit", "check")])
def test_an_older_copy_is_told_without_a_head_when_a_number_was_given_since(
    commanded: World, tmp_path: Any, words: tuple[str, ...]
) -> None:
    database.execute_sql("VACUUM INTO ?", (str(tmp_path / "copy.db"),))
    commanded.issued()
    assert command(*words)[0] == 0
    older = CliRunner(env={"DATABASE_URL": f"sqlite:///{tmp_path}/copy.db"}).invoke(main, words)
    assert older.exit_code == 1
    assert "audit_entry" in older.output


def test_a_text_that_is_no_head_is_refused_in_one_sentence(commanded: World) -> None:
    status, output = command("audit", "check", "--head", "12")
    assert status == 1
    assert "position:digest" in output
