"""The audit: every act and every reading is chained, every row is sealed, and a hand in the database shows."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from peewee import (
    BlobField,
    BooleanField,
    CharField,
    DateField,
    DateTimeField,
    DecimalField,
    Field,
    FloatField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    Model,
    TextField,
    TimeField,
    UUIDField,
)

import api.app  # noqa: F401 - every room, so that every table is known
import skills_registry.foundation.rotation  # noqa: F401 - a table of the command line alone
from skills_registry.certification import issuing
from skills_registry.foundation import audit, journal, storage, tampering
from skills_registry.foundation.audit import AuditEntry, Head, HeadUnreadable
from skills_registry.foundation.journal import Chain
from skills_registry.foundation.lifecycle import Step, tell
from skills_registry.foundation.seals import NoJournal, SealedModel, is_sqlite, key_text, sealed_tables
from skills_registry.foundation.series import Series, take
from skills_registry.foundation.storage import database, new_id, open_database
from skills_registry.training.classes import TrainingClass
from skills_registry.training.enrolments import Enrolment
from tests.world import World


class Keepsake(SealedModel):
    """A table that some later room brings: it has no line about seals.

    No ``Record``, since other tests compare all of these with what the migrations make.
    """

    id = UUIDField(primary_key=True, default=new_id)
    label = CharField(max_length=20, unique=True)

    class Meta:
        database = database


@pytest.fixture
def keepsakes(world: World) -> None:
    database.create_tables([Keepsake])


def found(put_aside: Head | None = None) -> list[tuple[str, str]]:
    return [(b.table, b.row) for b in tampering.findings(database.journal, put_aside)]


def raw(sql: str, *values: Any) -> None:
    """What somebody with a password to the database types, our code knowing nothing of it."""
    database.execute_sql(sql.replace("?", database.param), values)


class Undone(Exception):
    """Ends a transaction without a trace."""


def regretted(work: Callable[[], Any]) -> None:
    """Some work in a transaction that does not come to its end."""
    with database.atomic():
        work()
        raise Undone


def entries(**facts: Any) -> list[AuditEntry]:
    query = AuditEntry.select().order_by(AuditEntry.id)
    return [entry for entry in query if all(getattr(entry, name) == fact for name, fact in facts.items())]


# What is told


def test_every_step_is_an_entry_by_the_same_account_at_the_same_time(world: World) -> None:
    world.issued()
    told = [(e.step, e.at, e.account, e.operator, e.role, e.action, e.noun, e.record_id) for e in entries()]
    steps = [
        (s.id, s.at, s.by_account, s.by_operator, s.by_role, s.action, s.noun, s.record_id)
        for s in Step.select().order_by(Step.id)
    ]
    assert [facts for facts in told if facts[0]] == steps
    assert len(steps) > 10


def test_a_reading_of_a_file_is_told_with_its_reason_and_where_it_came_from(small_world: World) -> None:
    file = UUID(int=7)
    audit.read(small_world.act("city_officer"), "person_file", file, "核对补贴")
    last = entries()[-1]
    assert (last.action, last.noun, last.record_id) == ("read", "person_file", file)
    assert Step.get_by_id(last.step).reason == "核对补贴"
    assert last.operator == small_world.accounts["city_officer"].operator_id
    assert last.at == datetime(2025, 2, 10, 2, 0, tzinfo=UTC)


def test_what_is_rolled_back_leaves_no_entry(world: World) -> None:
    training_class = world.filed_class()
    before = len(entries())
    with pytest.raises(Undone):
        regretted(lambda: world.open_class(title="第二期"))
    assert len(entries()) == before
    with database.atomic():
        with pytest.raises(Undone):
            regretted(lambda: world.open_class(title="第三期"))
        TrainingClass.update(title="改名").where(TrainingClass.id == training_class.id).execute()
    assert [e.step for e in entries()[before:]] == [None]
    assert found() == []


def test_the_chain_numbers_every_entry_without_a_gap(world: World) -> None:
    world.issued()
    assert sorted(e.position for e in entries()) == list(range(1, len(entries()) + 1))
    assert audit.head().position == len(entries())


def test_an_entry_is_never_changed_nor_deleted(small_world: World) -> None:
    with pytest.raises(TypeError):
        AuditEntry.update(reason="")
    with pytest.raises(TypeError):
        AuditEntry.delete()
    with pytest.raises(TypeError):
        entries()[0].delete_instance()


# What is sealed


def test_a_lived_in_register_has_no_findings(world: World) -> None:
    first, _second, third = world.issued()
    issuing.revoke(world.act("city_officer"), first, "抽查")
    issuing.reissue(
        world.act("city_officer"), third, world.service.signer(), lambda _: "", reason="更正", name="冶春美"
    )
    assert found() == []


def test_a_new_table_is_sealed_without_a_line_of_its_own(keepsakes: None) -> None:
    kept = Keepsake.create(label="一")
    assert found() == []
    raw("UPDATE keepsake SET label = 'x'")
    assert found() == [("keepsake", str(kept.id))]


def test_every_way_to_write_is_followed(keepsakes: None) -> None:
    one, two = Keepsake.create(label="一"), Keepsake(label="二")
    two.save(force_insert=True)
    Keepsake.insert(label="三").execute()
    Keepsake.insert(label="三").on_conflict_ignore().execute()
    again = Keepsake.insert(label="三").on_conflict(
        conflict_target=[Keepsake.label], update={Keepsake.label: "叁"}
    )
    again.execute()
    Keepsake.insert_many([{"label": "四"}, {"label": "五"}]).execute()
    Keepsake.insert_from(
        Keepsake.select(Keepsake.id, Keepsake.label).where(Keepsake.label == ""), ["id", "label"]
    ).execute()
    Keepsake.bulk_create([Keepsake(label="六"), Keepsake(label="七")])
    one.label = "壹"
    one.save(only=[Keepsake.label])
    two.label = "贰"
    Keepsake.bulk_update([two], [Keepsake.label])
    assert Keepsake.update(label=Keepsake.label.concat("号")).where(Keepsake.label != "壹").execute() == 6
    assert Keepsake.delete().where(Keepsake.label == "六号").execute() == 1
    assert one.delete_instance() == 1
    assert Keepsake.get_or_create(label="八")[1]
    assert sorted(k.label for k in Keepsake.select()) == sorted(
        ["贰号", "叁号", "四号", "五号", "七号", "八"]
    )
    assert found() == []


def test_ways_to_write_that_cannot_be_followed_are_refused(keepsakes: None) -> None:
    kept = Keepsake.create(label="一")
    with pytest.raises(TypeError):
        Keepsake.replace(label="一").execute()
    with pytest.raises(TypeError):
        Keepsake.update(id=UUID(int=1)).execute()
    with pytest.raises(TypeError):
        Keepsake.update(label="二").returning(Keepsake).execute()
    assert (Keepsake.get().id, found()) == (kept.id, [])


def test_no_foreign_key_lets_the_database_write_behind_the_journal() -> None:
    keys = [key for table in sealed_tables() for key in table._meta.refs]
    assert {key.on_delete for key in keys} == {"RESTRICT"}
    assert {key.on_update for key in keys} == {None}


def test_numbers_taken_and_given_back_are_sealed_as_they_stand(world: World) -> None:
    with database.atomic():
        take("certificate/630200/2026", 3)
    with pytest.raises(Undone):
        regretted(lambda: take("certificate/630200/2026", 3))
    assert found() == []
    raw("UPDATE series SET last = 9 WHERE name = 'certificate/630200/2026'")
    assert found() == [("series", "certificate/630200/2026")]


def test_without_its_keys_a_registry_is_read_and_never_written(sqlite_url: str) -> None:
    open_database(sqlite_url)
    assert list(Enrolment.select()) == []
    with pytest.raises(NoJournal):
        take("certificate/630200/2026")
    assert Series.select().count() == 0
    database.close()


# A hand in the database


def every_table() -> list[type[Model]]:
    """Every table of the migrated database, also those of rooms that this test has never heard of."""
    known = {table._meta.table_name: table for table in sealed_tables()}
    return [known[name] for name in sorted(set(database.get_tables()) - journal.UNSEALED.keys())]


def invented(field: Field, n: int) -> Any:
    """A value that the column takes, another one for every ``n``."""
    if isinstance(field, ForeignKeyField):
        return new_id() if isinstance(field.rel_field, UUIDField) else invented(field.rel_field, n)
    kinds: dict[type[Field], Any] = {
        UUIDField: new_id(),
        BooleanField: True,
        JSONField: {"n": n},
        DecimalField: Decimal(n % 90),
        IntegerField: n,
        FloatField: float(n),
        DateTimeField: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=n),
        DateField: date(2025, 1, 1) + timedelta(days=n),
        TimeField: time(8, n % 60),
        BlobField: b"%d" % n,
        TextField: f"x{n}",
    }
    if isinstance(field, CharField):
        return f"{n:x}".rjust(min(field.max_length, 6), "0")[-field.max_length :]
    return next(value for kind, value in kinds.items() if isinstance(field, kind))


def other(value: Any, *, is_json: bool = False) -> Any:  # noqa: PLR0911 - one line for each kind
    """A value of the same kind that is not this one, as the database driver takes it."""
    if is_json:
        return '{"changed": true}'
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1_000_000
    if isinstance(value, float | Decimal):
        return value + 1
    if isinstance(value, bytes | memoryview):
        return bytes(value) + b"x"
    if isinstance(value, datetime | date):
        return value + timedelta(days=1)
    if isinstance(value, time):
        return time(value.hour + 1)
    if isinstance(value, UUID):
        return new_id()
    if len(value) == 32 and is_sqlite(database):
        return new_id().hex
    return f"{value[:-1]}~"


def without_constraints() -> None:
    """Somebody who owns the database is stopped by no reference."""
    raw("PRAGMA foreign_keys = OFF" if is_sqlite(database) else "SET session_replication_role = replica")


def one_row_for_each_column() -> Iterator[tuple[type[Model], Field, Model]]:
    """A row for every column of every table, written by the registry."""
    columns = [(table, field) for table in every_table() for field in table._meta.sorted_fields]
    for n, (table, field) in enumerate(columns, 1_000):
        values = {column.name: invented(column, n) for column in table._meta.sorted_fields}
        yield table, field, table.create(**values)


def change_past_the_registry(table: type[Model], field: Field, row: Model) -> set[tuple[str, str]]:
    """Change one value; answers table and key of what must be found."""
    name, primary = table._meta.table_name, table._meta.primary_key
    key = primary.db_value(row._pk)
    ((value,),) = database.execute_sql(
        f'SELECT "{field.column_name}" FROM "{name}"'  # noqa: S608 - our own names
        f' WHERE "{primary.column_name}" = {database.param}',
        (key,),
    ).fetchall()
    changed = other(value, is_json=isinstance(field, JSONField))
    change = f'UPDATE "{name}" SET "{field.column_name}" = ? WHERE "{primary.column_name}" = ?'  # noqa: S608
    raw(change, changed, key)
    if field is primary:
        return {(name, tampering.readable(key_text(k))) for k in (row._pk, changed)}
    return {(name, str(row._pk))}


def test_one_raw_change_in_any_column_of_any_table_names_the_row(world: World) -> None:
    without_constraints()
    rows = list(one_row_for_each_column())
    assert found() == []
    expected: set[tuple[str, str]] = set()
    for table, field, row in rows:
        expected |= change_past_the_registry(table, field, row)
    assert len(expected) > len(rows) > 300
    assert set(found()) == expected


def test_only_the_audit_itself_and_the_list_of_migrations_carry_no_row_seals(world: World) -> None:
    assert set(database.get_tables()) == {t._meta.table_name for t in every_table()} | {
        "audit_entry",
        "row_seal",
        "schema_migration",
    }
    assert set(journal.UNSEALED) == {"audit_entry", "row_seal", "schema_migration"}


def test_no_entry_tells_which_answer_was_given_with_which_ticket(world: World) -> None:
    apart = [table for table in every_table() if table._meta.table_name in journal.APART]
    assert len(apart) == 2
    without_constraints()
    before = dumped()
    with database.atomic():
        for table in apart:
            table.create(**{field.name: invented(field, 7) for field in table._meta.sorted_fields})
    assert (dumped(), found()) == (before, [])
    with database.atomic():
        for table in apart:
            table.delete().execute()
    assert (dumped(), found()) == (before, [])


def test_no_finding_tells_the_value(small_world: World) -> None:
    small_world.issued()
    raw("UPDATE base SET public_name = '不可外传'")
    told = [f"{b.table} {b.row} {b.zh} {b.en}" for b in tampering.findings(database.journal)]
    assert len(told) == 1
    assert "不可外传" not in told[0]


def test_a_row_put_in_past_the_registry_is_named(world: World) -> None:
    organisation, operator = new_id(), new_id()
    raw("INSERT INTO operator (id, label) VALUES (?, ?)", key_text(operator), "某某")
    raw(
        "INSERT INTO organisation (id, name, kind, division_code) VALUES (?, ?, ?, ?)",
        *(key_text(organisation), "某某", "federation", "630200"),
    )
    assert found() == [("operator", str(operator)), ("organisation", str(organisation))]


def test_a_row_taken_out_past_the_registry_is_named_though_every_trace_in_its_table_is_gone(
    world: World,
) -> None:
    enrolment = world.enrol(world.open_class())[1]
    raw("DELETE FROM step WHERE record_id = ?", key_text(enrolment.id))
    raw("DELETE FROM enrolment WHERE id = ?", key_text(enrolment.id))
    assert ("enrolment", str(enrolment.id)) in found()
    assert {table for table, _ in found()} == {"enrolment", "step"}


def test_a_row_turned_back_to_what_it_once_was_is_named(world: World) -> None:
    certificate = world.issued()[0]
    (before,) = database.execute_sql("SELECT status FROM certificate LIMIT 1").fetchone()
    issuing.revoke(world.act("city_officer"), certificate, "抽查")
    raw("UPDATE certificate SET status = ? WHERE id = ?", before, key_text(certificate.id))
    assert found() == [("certificate", str(certificate.id))]


def test_a_table_that_is_not_the_registrys_is_found_by_its_rows(world: World) -> None:
    raw("CREATE TABLE shadow (id INTEGER PRIMARY KEY, note TEXT)")
    raw("INSERT INTO shadow VALUES (1, 'x')")
    assert found() == [("shadow", "1")]


def test_other_keys_find_everything_broken(small_world: World) -> None:
    stranger = replace(small_world.service.vault, index_key=bytes(32))
    assert len(list(tampering.findings(Chain(database.obj, stranger)))) > len(entries())


# The chain: any edit, deletion, insertion, reordering or truncation is found


def dumped() -> list[Any]:
    return [tuple(facts.values()) for facts in audit.stored_entries(database, "id")]


ENTRIES = 12  # as many as the world of the property test has, at least
COLUMNS = sorted(field.column_name for field in AuditEntry._meta.sorted_fields)

places = st.integers(0, ENTRIES - 1)
hands = st.one_of(
    st.tuples(st.just("edit"), places, st.sampled_from(COLUMNS)),
    st.tuples(st.just("delete"), places, places),
    st.tuples(st.just("insert"), places, st.booleans()),
    st.tuples(st.just("swap"), places, places),
    st.tuples(st.just("cut"), places, places),
    st.tuples(st.just("unchain"), places, places),
)


def lay_on(hand: tuple[str, int, Any]) -> None:
    """One thing that somebody with the database, but not the keys, may do to the chain."""
    what, place, more = hand
    ids = [row[0] for row in database.execute_sql("SELECT id FROM audit_entry ORDER BY id").fetchall()]
    if not ids:
        return
    one = ids[place % len(ids)]
    if what == "edit":
        ask = f"SELECT {more} FROM audit_entry WHERE id = ?"  # noqa: S608 - our own columns
        (value,) = database.execute_sql(ask, (one,)).fetchone()
        changed = 900 + place if more in ("id", "position") else "x" if value is None else other(value)
        raw(f"UPDATE OR IGNORE audit_entry SET {more} = ? WHERE id = ?", changed, one)  # noqa: S608
    elif what == "delete":
        raw("DELETE FROM audit_entry WHERE id = ?", one)
    elif what == "cut":
        raw("DELETE FROM audit_entry WHERE id >= ?", one)
    elif what == "unchain":
        raw("UPDATE audit_entry SET position = NULL, digest = NULL WHERE id >= ?", one)
    elif what == "insert":
        others = ", ".join(name for name in COLUMNS if name not in ("id", "entry", "position", "digest"))
        place_in_chain = "(SELECT MAX(position) + 1 FROM audit_entry)" if more else "NULL"
        raw(
            f"INSERT INTO audit_entry (entry, position, digest, {others})"  # noqa: S608 - our own columns
            f" SELECT ?, {place_in_chain}, digest, {others} FROM audit_entry WHERE id = ?",
            *(new_id().hex, one),
        )
    elif (two := ids[more % len(ids)]) != one:
        raw("UPDATE audit_entry SET id = -1 WHERE id = ?", one)
        raw("UPDATE audit_entry SET id = ? WHERE id = ?", one, two)
        raw("UPDATE audit_entry SET id = ? WHERE id = -1", two)


def found_after(work: list[tuple[str, int, Any]], put_aside: Head) -> tuple[bool, list[tuple[str, str]]]:
    """Whether the chain is another one after this work, and what is found; nothing is kept."""
    before, seen = dumped(), []

    def do() -> None:
        for hand in work:
            lay_on(hand)
        seen.extend(found(put_aside))
        seen.insert(0, dumped() != before)

    with pytest.raises(Undone):
        regretted(do)
    return seen[0], seen[1:]


def proven(world: World) -> None:
    world.filed_class()
    put_aside = audit.head()
    assert put_aside.position >= ENTRIES

    @given(st.lists(hands, min_size=1, max_size=4))
    def no_work_on_the_chain_goes_unseen(work: list[tuple[str, int, Any]]) -> None:
        differs, told = found_after(work, put_aside)
        assert bool(told) == differs, work

    no_work_on_the_chain_goes_unseen()


def test_no_work_on_the_chain_goes_unseen(small_world: World) -> None:
    proven(small_world)


@pytest.mark.parametrize("column", COLUMNS)
def test_an_edited_column_of_an_entry_is_named_by_its_position(small_world: World, column: str) -> None:
    place = audit.head().position // 2
    differs, told = found_after([("edit", place - 1, column)], audit.head())
    assert differs
    named = {row for table, row in told if table == "audit_entry"}
    assert str(place) in named or str(900 + place - 1) in named


def test_a_deleted_entry_is_named_by_its_position(small_world: World) -> None:
    assert ("audit_entry", "3") in found_after([("delete", 2, 0)], audit.head())[1]


def test_a_cut_end_is_found_by_the_head_that_was_put_aside(small_world: World) -> None:
    tell(small_world.act("auditor"), "audit", None, "read")
    put_aside = audit.head()
    raw("DELETE FROM audit_entry WHERE position = ?", put_aside.position)
    assert found() == []
    assert found(put_aside) == [("audit_entry", str(put_aside.position))]
    assert found(Head.parse(f" {put_aside}\n")) != []


def test_a_head_put_aside_stays_good_while_the_chain_grows(world: World) -> None:
    put_aside = audit.head()
    world.issued()
    assert audit.head().position > put_aside.position
    assert found(put_aside) == []


@pytest.mark.parametrize("text", ["", "12", "x:00", "1:zz"])
def test_a_text_that_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(HeadUnreadable):
        Head.parse(text)


# Between the commit and the chain (PostgreSQL)


@pytest.fixture
def postgresql_world(postgresql_url: str, tmp_path: Path) -> World:
    open_database(postgresql_url)
    return World.founded(postgresql_url, tmp_path)


@pytest.mark.postgresql
def test_entries_that_a_crash_left_unchained_are_chained_by_the_next_writer(
    postgresql_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as crashed:
        crashed.setattr(Chain, "link", lambda _: None)
        postgresql_world.filed_class()
    assert [e for e in entries() if e.position is None]
    postgresql_world.filed_class(title="第二期")
    assert not [e for e in entries() if e.position is None]
    assert found() == []


@pytest.mark.postgresql
def test_an_entry_edited_before_it_was_chained_is_named(
    postgresql_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as crashed:
        crashed.setattr(Chain, "link", lambda _: None)
        postgresql_world.filed_class()
    raw("UPDATE audit_entry SET action = 'refuse' WHERE position IS NULL")
    place = audit.head().position + 1
    assert ("audit_entry", str(place)) in found()


def test_many_writers_make_one_whole_chain(world: World) -> None:
    """Each takes numbers of the same series and files a class; nobody waits for ever, and nothing is lost."""
    writers, rounds, failed = 6, 6, []

    def write(number: int) -> None:
        try:
            for turn in range(rounds):
                with database.atomic():
                    world.filed_class(title=f"第{number}-{turn}班")
                    take("shared/series")
        except Exception as error:  # noqa: BLE001 - whatever a writer meets
            failed.append(error)
        finally:
            database.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert Series.get_by_id("shared/series").last == writers * rounds
    assert sorted(e.position for e in entries()) == list(range(1, len(entries()) + 1))
    assert found() == []


# Migrations write past the journal


def with_another_migration(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later version of the software, whose migration gives operators a column and changes a row."""
    later = shutil.copytree(storage.MIGRATIONS, folder / "migrations")
    (later / "9999_later.py").write_text(
        "from peewee import CharField\n\n\ndef up(migrator, db):\n"
        "    migrator.migrate(migrator.add_column('operator', 'desk', CharField(default='')))\n"
        "    db.execute_sql(\"UPDATE organisation SET kind = 'office' WHERE kind = 'federation'\")\n"
    )
    monkeypatch.setattr(storage, "MIGRATIONS", later)


def test_what_a_migration_changes_is_sealed_and_what_was_broken_stays_broken(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = world.accounts["admin"]
    raw("UPDATE operator SET label = 'x' WHERE id = ?", key_text(account.operator_id))
    with_another_migration(tmp_path, monkeypatch)
    assert storage.migrate() == ["9999_later"]
    assert found() == [("operator", str(account.operator_id))]


def test_a_register_from_before_the_audit_is_sealed_when_the_audit_comes(world: World) -> None:
    world.issued()
    raw("DROP TABLE audit_entry")
    raw("DROP TABLE row_seal")
    raw("DELETE FROM schema_migration WHERE name = '0015_audit'")
    assert storage.migrate() == ["0015_audit"]
    assert found() == []
    raw("UPDATE result SET outcome = 'failed'")
    assert {table for table, _ in found()} == {"result"}


def test_a_register_that_holds_rows_is_not_migrated_without_its_keys(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_another_migration(tmp_path, monkeypatch)
    database.close()
    open_database(world.service.settings.database_url)
    with pytest.raises(NoJournal):
        storage.migrate()
    assert storage.pending_migrations() == ["9999_later"]
