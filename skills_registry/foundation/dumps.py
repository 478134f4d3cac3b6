"""Dumps (转储): every row of a register at one moment, in a form that both databases write and read.

    1 moment    one transaction that sees what is committed now and holds up no writer
    2 rows      table by table, each value as SQLite would keep it (ids as digits, instants as text)
    3 load      the same rows into an empty register of either kind, references checked at the end

What is loaded goes past the journal, row for row, with its seals and its audit chain: whether it is what the
registry wrote is for ``tampering.py`` to say, before the transaction ends.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from decimal import Decimal
from typing import Any
from uuid import UUID

from peewee import SQL, Table
from playhouse.migrations import Runner

from skills_registry.foundation.errors import FileRefused
from skills_registry.foundation.seals import is_sqlite
from skills_registry.foundation.storage import MIGRATIONS, take_any_time

#: The migration library's own list: the software that loads a dump makes its tables itself.
NOT_DUMPED = {"schema_migration"}

_AT_ONCE = 2_000


class DumpUnfit(FileRefused):
    """The dump names a table or a column that this register does not have. Facts: ``table``."""

    code = "dump_unfit"
    zh = "备份中的表“{table}”与本版本的数据库结构不符，未恢复。"
    en = "The table '{table}' of the backup does not fit the schema of this version; nothing was restored."


def moment(opened: Any) -> AbstractContextManager[Any]:
    """One moment of an open database, while others go on writing."""
    take_any_time(opened)
    at: dict[str, str] = (
        {"lock_type": "DEFERRED"} if is_sqlite(opened) else {"isolation_level": "REPEATABLE READ"}
    )
    once: AbstractContextManager[Any] = opened.atomic(**at)
    return once


def tables_of(opened: Any) -> list[str]:
    """The tables that a dump holds, in alphabetical order."""
    return sorted(set(opened.get_tables()) - NOT_DUMPED)


def columns_of(opened: Any, table: str) -> list[str]:
    """The columns of a table, in their order."""
    return [str(column.name) for column in opened.get_columns(table)]


def parcels(opened: Any, table: str, columns: Sequence[str]) -> Iterator[list[list[Any]]]:
    """The rows of a table in parcels, every value ready for JSON; inside :func:`moment`."""
    query = f"SELECT {_listed(columns)} FROM {_quoted(table)}"  # noqa: S608  # nosec B608  # own names, quoted
    connection = opened.connection()
    # By name, PostgreSQL keeps the rows and hands them out by and by.
    cursor = connection.cursor() if is_sqlite(opened) else connection.cursor(name="registry_dump")
    cursor.execute(query)
    try:
        while some := cursor.fetchmany(_AT_ONCE):
            yield [[_plain(value) for value in row] for row in some]
    finally:
        cursor.close()


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return {"b": base64.b64encode(bytes(value)).decode("ascii")}
    if isinstance(value, bool):
        return int(value)
    if value is None or isinstance(value, int | float | str):
        return value
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dict | list):
        return json.dumps(value)
    return str(value)  # days, times and instants


def applied_migrations(opened: Any) -> list[str]:
    """The migrations that made the tables of the open database."""
    return [str(step.name) for step in Runner(opened, str(MIGRATIONS)).status() if step.applied]


def make_tables(opened: Any, migrations: Sequence[str]) -> None:
    """Give an empty database the tables that these migrations make.

    :raises DumpUnfit: this version of the software does not know one of them, or the database is further on.
    """
    runner = Runner(opened, str(MIGRATIONS))
    known = [str(step.name) for step in runner.status() if step.path is not None]
    if not migrations or known[: len(migrations)] != list(migrations):
        raise DumpUnfit(table=next((name for name in migrations if name not in known), "schema_migration"))
    runner.up(target=migrations[-1])
    if applied_migrations(opened) != list(migrations):
        raise DumpUnfit(table="schema_migration")


def is_empty(opened: Any) -> bool:
    """Whether no table of the open database holds a row."""
    return not any(
        Table(name).select(SQL("1")).limit(1).bind(opened).tuples()[:] for name in tables_of(opened)
    )


@contextmanager
def loading(opened: Any) -> Iterator[None]:
    """One transaction that may put rows in before those that they refer to; references hold at its end."""
    take_any_time(opened)
    with opened.atomic():
        if is_sqlite(opened):
            opened.execute_sql("PRAGMA defer_foreign_keys = ON")
            yield
            return
        found = opened.execute_sql(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype = 'f' AND connamespace = current_schema()::regnamespace ORDER BY 1, 2"
        ).fetchall()
        for table, name, _ in found:
            opened.execute_sql(f"ALTER TABLE {table} DROP CONSTRAINT {_quoted(name)}")
        yield
        for table, name, definition in found:
            opened.execute_sql(f"ALTER TABLE {table} ADD CONSTRAINT {_quoted(name)} {definition}")


def load(opened: Any, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Put a parcel of rows into a table; inside :func:`loading`.

    :raises DumpUnfit: the table or a column is unknown here.
    """
    if table not in tables_of(opened):
        raise DumpUnfit(table=table)
    kinds = {column.name: str(column.data_type).lower() for column in opened.get_columns(table)}
    if set(columns) != kinds.keys():
        raise DumpUnfit(table=table)
    flags = [kinds[name] == "boolean" for name in columns]
    marks = ", ".join([opened.param] * len(columns))
    query = f"INSERT INTO {_quoted(table)} ({_listed(columns)}) VALUES ({marks})"  # noqa: S608  # nosec B608  # own names, quoted
    opened.cursor().executemany(
        query, [[_stored(value, flag) for value, flag in zip(row, flags, strict=True)] for row in rows]
    )


def _stored(value: Any, flag: bool) -> Any:  # noqa: FBT001 - one of a pair
    if isinstance(value, dict):
        return base64.b64decode(value["b"], validate=True)
    return bool(value) if flag and isinstance(value, int) else value


def count_on(opened: Any, table: str) -> None:
    """Let PostgreSQL number new rows of a loaded table after those that stand."""
    if is_sqlite(opened):
        return
    for column in opened.get_columns(table):
        if str(column.default).startswith("nextval"):
            last = f"(SELECT max({_quoted(column.name)}) FROM {_quoted(table)})"  # noqa: S608  # nosec B608  # own names, quoted
            opened.execute_sql(
                f"SELECT setval(pg_get_serial_sequence('{table}', '{column.name}'), {last}) WHERE {last} > 0"
            )


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(_quoted(name) for name in columns)


def _quoted(name: str) -> str:
    if '"' in name:
        raise DumpUnfit(table="—")
    return f'"{name}"'
