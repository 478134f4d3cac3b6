"""The data key is exchanged while the registry runs: stopped, resumed, and the old key goes when nothing needs it."""

from __future__ import annotations

import itertools
import json
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from peewee import JSONField

import api.app  # noqa: F401 - every room, so that every table is known
from api import field_keys
from api.commands import main
from skills_registry import documents, people
from skills_registry.bases import applications, files
from skills_registry.bases.applications import Submission
from skills_registry.foundation import rotation, tampering
from skills_registry.foundation.errors import Unavailable
from skills_registry.foundation.lifecycle import Step
from skills_registry.foundation.privacy import KeyInUse, NoSuchKey, load_vault
from skills_registry.foundation.seals import sealed_tables
from skills_registry.foundation.storage import database
from skills_registry.people import Person
from skills_registry.training.enrolments import Enrolment
from tests import admission
from tests.base_files import PDF, complete_file
from tests.test_audit import raw
from tests.world import PEOPLE, World


@pytest.fixture
def lived_in(small_world: World) -> World:
    """A world with certificates."""
    small_world.issued()
    return small_world


@pytest.fixture
def on_both(world: World) -> World:
    """The same on each kind of database."""
    world.issued()
    return world


def everything_in_clear(world: World) -> dict[tuple[str, str, str], str]:
    """Every sealed value of the database, opened with the keys as the file has them."""
    vault = load_vault(world.service.settings.secrets_file)
    return {
        (table._meta.table_name, str(row.id), column.name): vault.open(
            column, row.id, getattr(row, column.name)
        )
        for table, columns in rotation.sealed_columns().items()
        for row in table.select()
        for column in columns
        if getattr(row, column.name) is not None
    }


def rotated(world: World) -> int:
    """A new key, and everything sealed under it."""
    version = field_keys.create(world.service)
    for _ in field_keys.reseal(world.service, at_once=3):
        pass
    return version


def findings() -> list[tuple[str, str]]:
    return [(found.table, found.row) for found in tampering.findings(database.journal)]


def test_after_the_exchange_everything_lies_under_the_new_key_and_reads_as_before(on_both: World) -> None:
    kept = documents.keep(
        on_both.act("base_clerk"), "base", on_both.base.id, "licence", PDF, on_both.service.shelf()
    )
    before = everything_in_clear(on_both)
    assert len(before) > 9
    assert rotated(on_both) == 2
    assert set(field_keys.in_use(on_both.service)) == {2}
    assert everything_in_clear(on_both) == before
    assert documents.content_of(kept, on_both.service.shelf()) == PDF
    assert findings() == []


def test_people_are_found_as_before_since_index_keys_never_change(lived_in: World) -> None:
    held = lived_in.service.vault
    found = people.find(held, PEOPLE[0][1])
    rotated(lived_in)
    later = load_vault(lived_in.service.settings.secrets_file)
    assert (later.index_key, later.commitment_key) == (held.index_key, held.commitment_key)
    assert people.find(later, PEOPLE[0][1]) == found


def test_a_service_that_runs_seals_under_the_new_key_at_once_and_reads_both(lived_in: World) -> None:
    running = lived_in.service.vault
    person = Person.get()
    field_keys.create(lived_in.service)
    assert running.seal(Person.name, person.id, "某某")[0] == 2
    assert running.open(Person.name, person.id, person.name)
    lived_in.service.settings.secrets_file.rename(lived_in.service.settings.secrets_file.with_name("away"))
    assert running.seal(Person.name, person.id, "某某")[0] == 2


def test_stopped_at_any_batch_it_goes_on_where_it_stood(lived_in: World) -> None:
    before = everything_in_clear(lived_in)
    field_keys.create(lived_in.service)
    resealed, rounds = 0, 0
    while True:
        some = list(itertools.islice(field_keys.reseal(lived_in.service, at_once=1), 1))
        rounds += 1
        resealed += sum(done for _, done, _ in some)
        assert everything_in_clear(lived_in) == before
        if not some:
            break
    rows = sum(table.select().count() for table in rotation.sealed_columns())
    assert resealed == rows < rounds
    assert set(field_keys.in_use(lived_in.service)) == {2}


def test_what_a_late_request_wrote_under_the_old_key_is_found_by_the_next_run(on_both: World) -> None:
    older = replace(on_both.service.vault, source=None)
    rotated(on_both)
    enrolment = Enrolment.select().first()
    enrolment.phone = older.seal(Enrolment.phone, enrolment.id, "13900000000")
    enrolment.save(only=[Enrolment.phone])
    assert field_keys.in_use(on_both.service)[1] == 1
    assert [done for _, done, _ in field_keys.reseal(on_both.service, at_once=50) if done] == [1]
    assert field_keys.in_use(on_both.service)[1] == 0
    assert everything_in_clear(on_both)["enrolment", str(enrolment.id), "phone"] == "13900000000"


def test_the_old_key_is_retired_only_when_nothing_lies_under_it_and_an_hour_has_passed(
    on_both: World,
) -> None:
    secrets = on_both.service.settings.secrets_file
    for version in (1, 7):
        with pytest.raises((KeyInUse, NoSuchKey)):
            field_keys.retire(on_both.service, version)
    rotated(on_both)
    with pytest.raises(KeyInUse):
        field_keys.retire(on_both.service, 1)
    on_both.now += timedelta(minutes=61)
    field_keys.retire(on_both.service, 1)
    assert list(load_vault(secrets).field_keys) == [2]
    assert len(everything_in_clear(on_both)) > 9
    with pytest.raises(KeyInUse):
        field_keys.retire(on_both.service, 2)


def test_a_key_that_one_value_still_needs_stays(lived_in: World) -> None:
    field_keys.create(lived_in.service)
    list(itertools.islice(field_keys.reseal(lived_in.service, at_once=1), 2))
    lived_in.now += timedelta(hours=2)
    with pytest.raises(KeyInUse):
        field_keys.retire(lived_in.service, 1)
    assert 1 in load_vault(lived_in.service.settings.secrets_file).field_keys


def test_copies_of_the_secrets_file_stay_beside_it_for_backups_of_before(lived_in: World) -> None:
    secrets = lived_in.service.settings.secrets_file
    first = secrets.read_text()
    rotated(lived_in)
    lived_in.now += timedelta(hours=2)
    both = secrets.read_text()
    field_keys.retire(lived_in.service, 1)
    copies = {path.name: path for path in secrets.parent.glob("secrets.json.*")}
    assert set(copies) == {"secrets.json.before-key-2", "secrets.json.with-key-1"}
    assert copies["secrets.json.before-key-2"].read_text() == first
    assert copies["secrets.json.with-key-1"].read_text() == both
    assert {path.stat().st_mode & 0o777 for path in (secrets, *copies.values())} == {0o600}


def test_a_write_that_breaks_off_leaves_the_secrets_file_as_it_was(
    lived_in: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = lived_in.service.settings.secrets_file
    before = secrets.read_text()

    def full(_self: Path, _target: object) -> Path:
        raise OSError(28, "no space")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="no space"):
        field_keys.create(lived_in.service)
    monkeypatch.undo()
    assert secrets.read_text() == before
    assert field_keys.create(lived_in.service) == 2


def test_a_row_that_somebody_changed_past_the_registry_is_left_and_keeps_its_key(lived_in: World) -> None:
    person = Person.select().first()
    raw("UPDATE person SET sex = 'other' WHERE id = ?", Person.id.db_value(person.id))
    field_keys.create(lived_in.service)
    left = [(table, kept) for table, _, kept in field_keys.reseal(lived_in.service, at_once=50) if kept]
    assert ("person", 1) in left
    assert findings() == [("person", str(person.id))]
    lived_in.now += timedelta(hours=2)
    with pytest.raises(KeyInUse):
        field_keys.retire(lived_in.service, 1)


def test_what_was_handed_in_with_an_application_stays_readable_and_keeps_both_digests(
    small_world: World,
) -> None:
    complete_file(small_world, small_world.base, "base_clerk")
    drafted = admission.draft(small_world, small_world.base, clerk="base_clerk")
    kept = applications.latest_submission(applications.submit(small_world.act("base_clerk"), drafted))
    assert kept is not None
    before, was = files.open_snapshot(small_world.service.vault, kept.snapshot["file"]), kept.digest
    rotated(small_world)
    small_world.now += timedelta(hours=2)
    field_keys.retire(small_world.service, 1)
    kept = Submission.get()
    assert files.open_snapshot(small_world.service.vault, kept.snapshot["file"]) == before
    assert before["teachers"][0]["name"] == "祁玉兰"
    assert kept.digest == applications.digest_of(kept.snapshot) != was
    assert Step.get(Step.action == "reseal_snapshot").detail == {"digest": kept.digest, "was": was}
    assert findings() == []


def test_no_other_json_in_the_register_holds_sealed_values(small_world: World) -> None:
    complete_file(small_world, small_world.base, "base_clerk")
    drafted = admission.draft(small_world, small_world.base, clerk="base_clerk")
    applications.submit(small_world.act("base_clerk"), drafted)
    small_world.issued()
    holding = {
        f"{table._meta.table_name}.{column.name}"
        for table in set(sealed_tables())
        for column in table._meta.sorted_fields
        if isinstance(column, JSONField) and table.table_exists()
        for row in table.select()
        if '"sealed"' in json.dumps(getattr(row, column.name))
    }
    assert holding == {"submission.snapshot"}


def test_version_numbers_go_round_and_never_meet_a_key_that_is_there(small_world: World) -> None:
    secrets = small_world.service.settings.secrets_file
    document = json.loads(secrets.read_text())
    key = document["field_keys"]["1"]
    secrets.write_text(json.dumps(document | {"field_keys": {"1": key, "255": key}, "current": 255}))
    assert field_keys.create(small_world.service) == 2


def test_without_its_key_a_value_is_unavailable_and_says_what_to_do(lived_in: World) -> None:
    rotated(lived_in)
    secrets = lived_in.service.settings.secrets_file
    shutil.copy(f"{secrets}.before-key-2", secrets)
    person = Person.get()
    with pytest.raises(Unavailable) as refusal:
        load_vault(secrets).open(Person.name, person.id, person.name)
    assert "密钥文件" in refusal.value.sentence("zh")


@pytest.fixture
def at_home(small_world: World, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    settings = small_world.service.settings
    for name, value in {
        "DATABASE_URL": settings.database_url,
        "REGISTRY_VAR": str(settings.secrets_file.parent),
        "PUBLIC_URL": settings.public_url,
    }.items():
        monkeypatch.setenv(name, value)
    return CliRunner()


def test_the_commands_exchange_the_key_from_start_to_end(small_world: World, at_home: CliRunner) -> None:
    small_world.issued()

    def told(*words: str) -> str:
        answer = at_home.invoke(main, words, catch_exceptions=False)
        return f"{answer.exit_code} {answer.output}"

    assert "当前 current" in told("field-keys", "list")
    assert told("field-keys", "create").startswith("0 2")
    assert "尚余 still older: 0" not in told("field-keys", "reseal", "--at-once", "1", "--at-most", "2")
    assert told("field-keys", "retire", "1").startswith("1")
    assert "尚余 still older: 0" in told("field-keys", "reseal")
    assert "Field key 1 is in use" in told("field-keys", "retire", "1")
    assert "登记册无误" in told("check")
