"""Row seals (行封条): every write of every table is noticed by the storage layer, without a line of its own.

A seal is an HMAC over all columns of one row, under a key that lies outside the database. The queries here
tell the journal of their database which rows they touched; when the transaction is about to commit, the
journal reads those rows back and seals what really stands there. So nothing that was rolled back is sealed,
and a row written twice is sealed once. Without a journal a registry can be read, never written.

What is sealed is the plain value of each column, the same on SQLite and on PostgreSQL, so that a register
that is moved from one to the other keeps its seals.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any, Protocol
from uuid import UUID

from peewee import Column, JSONField, Model, ModelDelete, ModelInsert, ModelUpdate, SqliteDatabase, Table

from skills_registry.foundation.errors import Unavailable

_PREFIX = b"skills-registry/row/1"


class NoJournal(Unavailable):
    """Somebody writes into a database that was opened without the registry's secret keys."""

    code = "no_journal"
    zh = "数据库是在没有密钥的情况下打开的，只能读取。请提供密钥文件后重新启动。"
    en = "The database was opened without the registry's keys and can only be read; give the secrets file."


class Journal(Protocol):
    """Keeps account of the rows that the open transaction has touched."""

    def wrote(self, table: type[Model], keys: Collection[Any]) -> None:
        """These rows of ``table`` were put in, changed or taken out."""

    def tell(self, **facts: Any) -> None:
        """An entry for the audit, born with the open transaction."""

    def broken_rows(self) -> set[tuple[str, str]]:
        """Table and key of every row that is not what its seal says, or has none."""

    def seal_what_stands(self, *, but: set[tuple[str, str]]) -> None:
        """Seal every row anew, but leave these as broken as they were found."""


def journal_of(database: Any) -> Journal:
    """The journal of an open database.

    :raises NoJournal: it has none.
    """
    journal: Journal | None = getattr(database, "journal", None)
    if journal is None:
        raise NoJournal()
    return journal


def key_text(key: Any) -> str:
    """A primary key as the journal writes it: 32 hexadecimal digits for an id."""
    return key.hex if isinstance(key, UUID) else str(key)


def seal_row(key: bytes, table: str, row: str, columns: Mapping[str, Any]) -> str:
    """The seal of one row (32 hexadecimal digits) over its columns as :func:`read_rows` gives them."""
    parts = [_PREFIX, table.encode(), row.encode()]
    for name in sorted(columns):
        parts += (name.encode(), _plain(columns[name]))
    message = b"".join(len(part).to_bytes(4) + part for part in parts)
    return hmac.digest(key, message, sha256)[:16].hex()


def _plain(value: Any) -> bytes:
    """One value, with a letter for its type; both databases give the same bytes for the same value."""
    if value is None:
        return b"-"
    if isinstance(value, _Json):
        return b"j" + json.dumps(value.value, sort_keys=True, separators=(",", ":")).encode()
    if isinstance(value, bytes | memoryview):
        return b"b" + bytes(value)
    if isinstance(value, bool | int | float | Decimal):
        # SQLite has no booleans and forgets the trailing zeros of a decimal.
        number = Decimal(str(int(value) if isinstance(value, bool) else value))
        return b"n" + format(number.normalize() if number.is_finite() else number, "f").encode()
    # SQLite keeps days and instants as the text that str() makes of them, and ids as their digits.
    return b"t" + (value.hex if isinstance(value, UUID) else str(value)).encode("utf-8", "surrogatepass")


@dataclass(frozen=True)
class _Json:
    """What a JSON column holds."""

    value: Any


def read_rows(
    database: Any, table: str, key: str, columns: Mapping[str, bool], keys: Sequence[str] | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of a table with these primary keys (all, if None), as the driver gives them.

    ``columns`` says of each column whether it holds JSON.
    """
    source = Table(table)
    query = source.select(*(Column(source, name) for name in columns)).tuples()
    if keys is not None:
        query = query.where(Column(source, key).in_(list(keys)))
    as_text = is_sqlite(database)
    for values in query.bind(database).iterator():
        row = dict(zip(columns, values, strict=True))
        for name, holds_json in columns.items():
            if holds_json and row[name] is not None:
                row[name] = _parsed(row[name]) if as_text else _Json(row[name])
        yield key_text(row[key]), row


def is_sqlite(database: Any) -> bool:
    """Whether an open database is SQLite, which keeps JSON as text and has one writer at a time."""
    return isinstance(getattr(database, "obj", database), SqliteDatabase)


def _parsed(value: Any) -> Any:
    try:
        return _Json(json.loads(value))
    except ValueError:
        return value  # somebody wrote past us: sealed as text, it can equal no JSON


class _Noticed:
    """A write that tells the journal which rows it touched, in the transaction that it belongs to."""

    model: Any
    _return_cursor: bool
    _ours = False

    def _execute(self: Any, database: Any) -> Any:
        if self._ours:
            return super()._execute(database)  # type: ignore[misc]
        self._require_followed()
        journal = journal_of(database)
        with database.atomic():
            told = self.returning(self.model._meta.primary_key).tuples()
            told._ours = True  # noqa: SLF001 - a copy of ourselves
            keys = [key for (key,) in told.execute(database) or ()]
            journal.wrote(self.model, keys)
        return self._answer(keys)

    def _require_followed(self: Any) -> None:
        if self._return_cursor:
            raise TypeError("a write answers how many rows it touched; read them again instead")

    def _answer(self, keys: Sequence[Any]) -> Any:
        return len(keys)


class NoticedInsert(_Noticed, ModelInsert):
    """An INSERT whose rows are sealed."""

    def _require_followed(self: Any) -> None:
        super()._require_followed()
        if self._on_conflict is not None and self._on_conflict._action == "REPLACE":  # noqa: SLF001
            raise TypeError("REPLACE deletes rows that nobody named; use on_conflict(update=...)")

    def _answer(self: Any, keys: Sequence[Any]) -> Any:
        if self._as_rowcount:
            return len(keys)
        if self._query_type == ModelInsert.SIMPLE:
            return keys[0] if keys else None
        return [(key,) for key in keys]


class NoticedUpdate(_Noticed, ModelUpdate):
    """An UPDATE whose rows are sealed again."""

    def _require_followed(self: Any) -> None:
        super()._require_followed()
        if self.model._meta.primary_key in self._update:
            raise TypeError("a record keeps its id")


class NoticedDelete(_Noticed, ModelDelete):
    """A DELETE whose rows are struck off the journal."""


def _columns(table: Any, row: Any, columns: dict[str, Any]) -> Any:
    return table._normalize_data(row, columns)  # noqa: SLF001 - as peewee's own insert and update do


class SealedModel(Model):
    """Root of every table whose rows are sealed."""

    @classmethod
    def insert(cls, __row: Any = None, **columns: Any) -> NoticedInsert:
        """An INSERT of one row."""
        return NoticedInsert(cls, _columns(cls, __row, columns))

    @classmethod
    def insert_many(cls, rows: Any, fields: Any = None) -> NoticedInsert:
        """An INSERT of several rows."""
        return NoticedInsert(cls, insert=rows, columns=fields)

    @classmethod
    def insert_from(cls, query: Any, fields: Any) -> NoticedInsert:
        """An INSERT of what a query finds."""
        columns = [getattr(cls, field) if isinstance(field, str) else field for field in fields]
        return NoticedInsert(cls, insert=query, columns=columns)

    @classmethod
    def update(cls, __row: Any = None, **columns: Any) -> NoticedUpdate:
        """An UPDATE."""
        return NoticedUpdate(cls, _columns(cls, __row, columns))

    @classmethod
    def delete(cls) -> NoticedDelete:
        """A DELETE."""
        return NoticedDelete(cls)


def columns_of(table: type[Model]) -> dict[str, bool]:
    """The columns of a table, each with whether it holds JSON."""
    return {field.column_name: isinstance(field, JSONField) for field in table._meta.sorted_fields}


def sealed_tables(root: type[Model] = SealedModel) -> Iterator[type[Model]]:
    """Every table that a room declares, as far as rooms have been imported."""
    for table in root.__subclasses__():
        yield table
        yield from sealed_tables(table)
