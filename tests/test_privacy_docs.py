"""docs/privacy.md says of every field of every table what it is for, on what basis, how long and for whom."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from api import privacy_note
from api.settings import from_environment
from skills_registry.foundation.policy import load_policy
from skills_registry.foundation.storage import BytesField, SealedField, database, open_database
from skills_registry.safeguards import purposes

NOTE = Path(__file__).parent.parent / "docs" / "privacy.md"
TODAY = date(2026, 11, 1)


def columns_of_the_database(url: str) -> set[str]:
    open_database(url)
    found = {
        f"{table}.{column.name}"
        for table in set(database.get_tables()) - {"schema_migration"}
        for column in database.get_columns(table)
    }
    database.close()
    return found


def test_the_note_is_what_the_tables_and_the_policy_print() -> None:
    whole = NOTE.read_text(encoding="utf-8")
    assert whole.endswith(privacy_note.printed(load_policy(), TODAY))


def test_the_note_names_every_field_of_the_database_once(sqlite_url: str) -> None:
    named = re.findall(r"^\| \**`([a-z_]+\.[a-z_]+)`", NOTE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(named) == sorted(columns_of_the_database(sqlite_url))


def test_every_sealed_field_says_what_it_is_and_who_sees_it() -> None:
    groups = {table for group in purposes(load_policy(), TODAY) for table in group.tables}
    sealed = {
        f"{name}.{column.column_name}"
        for name, table in privacy_note.tables().items()
        for column in table._meta.sorted_fields
        if isinstance(column, SealedField) and name in groups
    }
    assert sealed <= set(privacy_note.PERSONAL)
    assert len(sealed) > 20


def test_no_row_of_the_note_has_an_empty_cell() -> None:
    rows = [line for line in NOTE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    assert len(rows) > 400
    assert [row for row in rows if any(not cell.strip() for cell in row.strip("|").split("|"))] == []


def test_fields_that_are_named_exist_and_no_admin_sees_a_trainee() -> None:
    known = {
        f"{name}.{column.column_name}"
        for name, table in privacy_note.tables().items()
        for column in table._meta.sorted_fields
    }
    assert set(privacy_note.PERSONAL) <= known
    theirs = {field for field, (_, roles) in privacy_note.PERSONAL.items() if "admin" in roles}
    assert theirs == {"operator.label", "credential.login"}


def test_indexes_hashes_and_keys_are_for_nobody() -> None:
    by_table = {table: group for group in purposes(load_policy(), TODAY) for table in group.tables}
    for name, table in privacy_note.tables().items():
        for column in table._meta.sorted_fields:
            place = f"{name}.{column.column_name}"
            if isinstance(column, BytesField) and name in by_table and place not in privacy_note.PERSONAL:
                assert privacy_note.seen_by(by_table[name], name, column) == (), place


def test_the_note_tells_the_periods_that_the_policy_carries_out() -> None:
    text = NOTE.read_text(encoding="utf-8")
    days = load_policy().rule("retention", TODAY)["days"]
    staged = load_policy().rule("upload", TODAY)["keep_days"]
    for period in (days["recorded_rows"], days["sessions"], days["objection_contacts"], staged):
        assert f"{period} days" in text
    assert from_environment({}).secrets_file.name in text
