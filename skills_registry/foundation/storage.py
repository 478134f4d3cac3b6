"""Where records are kept: SQLite by default, PostgreSQL by URL, with the settings that make both safe.

peewee's defaults would lose acknowledged rows at a power cut, so SQLite is opened with WAL,
``synchronous=FULL``, foreign keys on, a busy timeout, and every transaction takes the write lock
at its start. Code says ``database.atomic()`` on both databases (DESIGN §4, Storage).
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import uuid_utils.compat
from peewee import (
    SQL,
    BlobField,
    Database,
    DatabaseProxy,
    DateTimeField,
    SqliteDatabase,
    Table,
    UUIDField,
)
from playhouse.db_url import connect
from playhouse.migrations import Runner

from skills_registry.foundation.errors import NotFound, Unavailable
from skills_registry.foundation.seals import SealedModel, journal_of

DEFAULT_URL = "sqlite:///var/registry.db"
MIGRATIONS = Path(__file__).parent.parent / "migrations"

#: How long a writer waits for another one before the request is answered with 503.
BUSY_SECONDS = 10

#: How long PostgreSQL works on one statement before it gives up and the request is answered with 503.
STATEMENT_SECONDS = 60

#: The one database of this process; bound by :func:`open_database`.
database: DatabaseProxy = DatabaseProxy()


class InstantField(DateTimeField):
    """An instant, aware in Python, stored as UTC without offset on both databases."""

    def db_value(self, value: datetime | None) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        plain: Any = super().db_value(value.astimezone(UTC).replace(tzinfo=None))  # type: ignore[no-untyped-call]
        return plain

    def python_value(self, value: Any) -> datetime | None:
        plain: datetime | None = super().python_value(value)  # type: ignore[no-untyped-call]
        return None if plain is None else plain.replace(tzinfo=UTC)


class BytesField(BlobField):
    """Bytes that come back as :class:`bytes` from both databases (drivers give memoryviews)."""

    def python_value(self, value: Any) -> bytes | None:
        return None if value is None else bytes(value)


class SealedField(BytesField):
    """Personal data, encrypted; read and written through a ``Vault`` only."""


def new_id() -> UUID:
    """A fresh record id (UUID version 7): unguessable enough to be shown, and in order of creation."""
    return uuid_utils.compat.uuid7()


class Record(SealedModel):
    """Root of all tables: a version-7 UUID as primary key, so that lists page by id; every row is sealed."""

    id = UUIDField(primary_key=True, default=new_id)

    class Meta:
        database = database
        legacy_table_names = False


AnyRecord = TypeVar("AnyRecord", bound=Record)


def open_database(url: str = DEFAULT_URL) -> Database:
    """Open and bind the database that ``url`` names; creates the folder of a SQLite file.

    :raises Unavailable: the URL names no database that we know.
    """
    try:
        opened = _open_sqlite(url) if urlsplit(url).scheme == "sqlite" else _open_server(url)
    except (RuntimeError, ValueError, ImportError) as error:
        raise Unavailable(
            what="DATABASE_URL 无法识别 (DATABASE_URL is not understood)",
            remedy="sqlite:///var/registry.db 或 postgresql+pool://user:password@host/registry",
        ) from error
    database.initialize(opened)
    return opened


def _open_sqlite(url: str) -> SqliteDatabase:
    path = Path(urlsplit(url).path.removeprefix("/"))
    path.parent.mkdir(parents=True, exist_ok=True)
    return SqliteDatabase(
        str(path),
        lock_type="IMMEDIATE",
        timeout=BUSY_SECONDS,
        pragmas={
            "journal_mode": "wal",
            "synchronous": "full",
            "foreign_keys": 1,
            "busy_timeout": BUSY_SECONDS * 1000,
        },
    )


def _open_server(url: str) -> Database:
    # Neither a lock that somebody forgot nor a statement that never ends may hold up every thread.
    limits = {"lock_timeout": BUSY_SECONDS, "statement_timeout": STATEMENT_SECONDS}
    own = parse_qs(urlsplit(url).query).get("options", [""])[0]
    options = [f"-c {name}={seconds * 1000}" for name, seconds in limits.items() if name not in own]
    opened: Database = connect(url, unquote_password=True, options=" ".join([*options, own]).strip())
    return opened


def migrate() -> list[str]:
    """Bring the bound database to the newest schema; returns the names of the migrations applied.

    A migration writes past the journal, so what it changed is sealed afterwards. Rows that were broken
    before stay broken: a new version of the software washes nothing clean.

    :raises NoJournal: the database holds rows and was opened without the registry's keys.
    """
    runner = Runner(database.obj, str(MIGRATIONS))
    take_any_time(database.obj)
    if not pending_migrations() or not _holds_rows():
        return list(runner.up())
    journal = journal_of(database)
    broken = journal.broken_rows()
    applied = list(runner.up())
    journal.seal_what_stands(but=broken)
    return applied


def take_any_time(opened: Database) -> None:
    """For the rest of this connection no statement is too slow: a large table is read or written whole."""
    if not isinstance(opened, SqliteDatabase):
        opened.execute_sql("SET statement_timeout = 0")  # type: ignore[no-untyped-call]


def _holds_rows() -> bool:
    tables = set(database.get_tables()) - {"schema_migration"}
    return any(Table(name).select(SQL("1")).limit(1).bind(database).tuples()[:] for name in tables)


def pending_migrations() -> list[str]:
    """Migrations that this version of the software has and the bound database has not."""
    return [step.name for step in Runner(database.obj, str(MIGRATIONS)).status() if not step.applied]


def require_found(table: type[AnyRecord], record_id: UUID | str) -> AnyRecord:
    """The record with this id.

    :raises NotFound: there is none, or the id is not even an id.
    """
    try:
        key = record_id if isinstance(record_id, UUID) else UUID(record_id)
    except ValueError:
        raise NotFound() from None
    found = table.get_or_none(table.id == key)
    if found is None:
        raise NotFound()
    return found
