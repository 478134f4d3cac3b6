"""Storage is opened with the settings that keep records safe, and migrations make what the models say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from peewee import Model, OperationalError

import api.idempotency
import skills_registry.accounts.credentials
import skills_registry.bases.entries
import skills_registry.certification.certificates
import skills_registry.certification.plaques
import skills_registry.competitions.results
import skills_registry.evaluation
import skills_registry.exits
import skills_registry.foundation.rotation
import skills_registry.notices
import skills_registry.person_files
import skills_registry.resources
import skills_registry.safeguards
import skills_registry.training.attendance
import skills_registry.training.uploads  # noqa: F401 - every table must be known to be compared
from skills_registry.foundation import storage
from skills_registry.foundation.audit import AuditEntry, RowSeal
from skills_registry.foundation.errors import NotFound, Unavailable
from skills_registry.foundation.series import Series
from skills_registry.foundation.storage import Record, database, open_database


def tables() -> list[type[Model]]:
    def below(model: type[Model]) -> Iterator[type[Model]]:
        for child in model.__subclasses__():
            yield child
            yield from below(child)

    return [*below(Record), Series, AuditEntry, RowSeal]


def sqlite_catalogue() -> dict[str, Any]:
    columns = "SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_info('{}') ORDER BY name"
    names = [model._meta.table_name for model in tables()]
    described = {name: database.execute_sql(columns.format(name)).fetchall() for name in names}
    keys = 'SELECT "table", "from", "to", on_delete FROM pragma_foreign_key_list(\'{}\') ORDER BY 1, 2'
    foreign = {f"{name} fk": database.execute_sql(keys.format(name)).fetchall() for name in names}
    indexes = database.execute_sql(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name"
    ).fetchall()
    return described | foreign | {"indexes": [row for row in indexes if "schema_migration" not in row[0]]}


def postgresql_catalogue() -> dict[str, Any]:
    columns = database.execute_sql(
        "SELECT table_name, column_name, data_type, character_maximum_length, numeric_precision, numeric_scale,"
        " is_nullable, column_default FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name <> 'schema_migration' ORDER BY 1, 2"
    ).fetchall()
    constraints = database.execute_sql(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'schema_migration' ORDER BY 1, 2"
    ).fetchall()
    indexes = database.execute_sql(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
        " AND tablename <> 'schema_migration' ORDER BY 1"
    ).fetchall()
    return {"columns": columns, "constraints": constraints, "indexes": indexes}


def test_a_migrated_sqlite_database_is_what_the_models_create(sqlite_url: str, tmp_path: Path) -> None:
    open_database(sqlite_url)
    migrated = sqlite_catalogue()
    database.close()
    open_database(f"sqlite:///{tmp_path}/created.db")
    database.create_tables(tables())
    created = sqlite_catalogue()
    database.close()
    assert migrated == created


@pytest.mark.postgresql
def test_a_migrated_postgresql_database_is_what_the_models_create(postgresql_url: str) -> None:
    open_database(postgresql_url)
    migrated = postgresql_catalogue()
    database.execute_sql("DROP SCHEMA public CASCADE")
    database.execute_sql("CREATE SCHEMA public")
    database.create_tables(tables())
    assert migrated == postgresql_catalogue()
    database.close()


def test_migrating_again_changes_nothing(database_url: str) -> None:
    open_database(database_url)
    assert storage.pending_migrations() == []
    assert storage.migrate() == []
    database.close()


def test_sqlite_syncs_every_commit_and_keeps_references(sqlite_url: str) -> None:
    open_database(sqlite_url)
    asked = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    found = {name: database.execute_sql(f"PRAGMA {name}").fetchone()[0] for name in asked}
    database.close()
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}


def test_a_sqlite_transaction_takes_the_write_lock_at_its_start(sqlite_url: str) -> None:
    opened = open_database(sqlite_url)
    statements: list[str] = []
    opened.connection().set_trace_callback(statements.append)
    with database.atomic():
        pass
    database.close()
    assert statements[0] == "BEGIN IMMEDIATE"


@pytest.mark.postgresql
def test_postgresql_neither_waits_nor_works_without_end(postgresql_url: str) -> None:
    own = f"{postgresql_url}{'&' if '?' in postgresql_url else '?'}options=-c%20statement_timeout%3D50"
    for address, expected in ((postgresql_url, ("10s", "1min")), (own, ("10s", "50ms"))):
        open_database(address)
        asked = [
            database.execute_sql(f"SHOW {name}").fetchone()[0]
            for name in ("lock_timeout", "statement_timeout")
        ]
        assert tuple(asked) == expected
        if address == own:
            with pytest.raises(OperationalError):
                database.execute_sql("SELECT pg_sleep(5)")
        database.close()


@pytest.mark.postgresql
def test_a_migration_takes_the_time_that_it_needs(postgresql_url: str) -> None:
    open_database(postgresql_url)
    storage.migrate()
    assert database.execute_sql("SHOW statement_timeout").fetchone() == ("0",)
    database.close()


def test_an_address_that_names_no_database_says_what_is_expected() -> None:
    with pytest.raises(Unavailable) as refusal:
        open_database("oracle://somewhere/registry")
    assert "sqlite:///var/registry.db" in refusal.value.sentence("zh")


def test_an_id_that_is_no_id_is_simply_not_found(sqlite_url: str) -> None:
    open_database(sqlite_url)
    for text in ("", "nonsense", "1; DROP TABLE step"):
        with pytest.raises(NotFound):
            storage.require_found(api.idempotency.IdempotencyKey, text)
    database.close()
