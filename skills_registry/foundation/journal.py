"""The journal: seals what each transaction wrote, and chains what it told.

    1 born      within the transaction, HMACed at birth; what is rolled back leaves no entry
    2 chained   it takes the next position, and a digest over the entry before it and itself

On SQLite the writer is alone, so both happen before the commit. On PostgreSQL a chain inside the transaction
would make all writers wait for one another, and two that also wait for a row would stand still for ever; so
entries are chained right after the commit, in a short transaction of their own, by whoever comes first.
"""

from __future__ import annotations

import hmac
import json
import threading
from collections.abc import Collection, Iterator
from datetime import UTC
from hashlib import sha256
from typing import Any

from peewee import Database, Model, PeeweeException

from skills_registry.foundation.audit import AuditEntry, RowSeal, as_bytes, head_of, stored_entries
from skills_registry.foundation.privacy import Vault
from skills_registry.foundation.seals import (
    columns_of,
    is_sqlite,
    key_text,
    read_rows,
    seal_row,
    sealed_tables,
)
from skills_registry.foundation.storage import database, new_id

#: Tables whose rows carry no seal, and why.
UNSEALED = {
    "audit_entry": "every entry is HMACed and chained itself",
    "row_seal": "holds the seals of the tables kept apart",
    "schema_migration": "the migration library's own list; it names no record",
}

#: Tables whose rows are sealed in a table of their own, and why: an entry tells what one transaction wrote,
#: and in which order. A row taken out together with its seal is not found there.
APART = {
    "satisfaction_answer": "an answer must not stand beside the ticket that it was given with",
    "satisfaction_ticket": "the order in which tickets were used would tell whose answer is whose",
}

_LOCK = 0x536B696C6C73  # the advisory lock of those who chain; any number that nobody else takes
_WRITES_AT_ONCE = 5_000
_ROWS_AT_ONCE = 500

#: How an entry gets its place in the chain, in each driver's way of writing parameters.
_LINK = {
    "?": "UPDATE audit_entry SET position = ?, digest = ? WHERE id = ?",
    "%s": "UPDATE audit_entry SET position = %s, digest = %s WHERE id = %s",
}

#: What an entry's seal covers: everything that is known at its birth.
_BORN = (
    *("entry", "at", "account", "operator", "role", "origin", "action", "noun"),
    *("record_id", "reason", "step", "writes"),
)

_BLANK: dict[str, Any] = {
    **dict.fromkeys(("at", "account", "operator", "record_id", "step")),
    **dict.fromkeys(("role", "origin", "noun", "reason"), ""),
}


#: Table, key, and the seal of a row that was written; None for one that was taken out.
_Write = tuple[str, str, str | None]


class _Open(threading.local):
    """What the open transaction of this thread has touched and told so far."""

    def __init__(self) -> None:
        self.touched: dict[type[Model], set[str]] = {}
        self.told: list[dict[str, Any]] = []


class Chain:
    """The journal of one open database: seals what its transactions write, chains what they tell."""

    opened: Any  # peewee's databases come without types

    def __init__(self, opened: Database, vault: Vault) -> None:
        self.opened = opened
        self.row_key = _derived(vault, "row seal")
        self.entry_key = _derived(vault, "audit entry")
        self.chain_key = _derived(vault, "audit chain")
        self._open = _Open()

    def wrote(self, table: type[Model], keys: Collection[Any]) -> None:
        """These rows were put in, changed or taken out by the open transaction."""
        if keys:
            self._open.touched.setdefault(table, set()).update(key_text(key) for key in keys)

    def tell(self, **facts: Any) -> None:
        """An entry that is born when the open transaction commits."""
        self._open.told.append(facts)

    def commit(self) -> None:
        """Seal and tell what the transaction did, commit it, and chain what it told."""
        told = self._give_birth()
        if told and is_sqlite(self.opened):
            self._chain_pending()
        type(self.opened).commit(self.opened)
        if told and not is_sqlite(self.opened):
            self.link()

    def rollback(self) -> None:
        """Forget what the transaction touched and told."""
        self._take()
        type(self.opened).rollback(self.opened)

    def link(self) -> None:
        """Chain what is born and committed but not chained; a failure leaves it to the next one who comes."""
        try:
            with self.opened.atomic():
                if not is_sqlite(self.opened):
                    self.opened.execute_sql("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
                self._chain_pending()
        except PeeweeException:
            # What was asked for is committed already; nobody is told that it failed.
            return

    def _take(self) -> tuple[dict[type[Model], set[str]], list[dict[str, Any]]]:
        taken = self._open.touched, self._open.told
        self._open.touched, self._open.told = {}, []
        return taken

    def _give_birth(self) -> bool:
        touched, told = self._take()
        sealed = [
            (table._meta.table_name, key, seal)
            for table, keys in touched.items()
            for key, seal in self._sealed(table, sorted(keys))
        ]
        writes = self._put_apart(sealed)
        standing = {key for table, key, seal in writes if table == "step" and seal is not None}
        # A step of an inner transaction that was rolled back never happened.
        told = [facts for facts in told if facts["step"] is None or facts["step"].hex in standing]
        self._append(told, writes)
        return bool(told or writes)

    def _put_apart(self, sealed: list[_Write]) -> list[_Write]:
        """Keep the seals of tables that stand apart; answers the others."""
        for table, key, seal in sealed:
            if table in APART:
                RowSeal.delete().where((RowSeal.table_name == table) & (RowSeal.row == key)).execute(
                    self.opened
                )
                if seal is not None:
                    RowSeal.insert(table_name=table, row=key, seal=seal).execute(self.opened)
        return [write for write in sealed if write[0] not in APART]

    def _sealed(self, table: type[Model], keys: list[str]) -> Iterator[tuple[str, str | None]]:
        meta: Any = table._meta
        name, primary = meta.table_name, meta.primary_key.column_name
        found: dict[str, str] = {}
        for start in range(0, len(keys), _ROWS_AT_ONCE):
            some = keys[start : start + _ROWS_AT_ONCE]
            for key, row in read_rows(self.opened, name, primary, columns_of(table), some):
                found[key] = seal_row(self.row_key, name, key, row)
        return ((key, found.get(key)) for key in keys)

    def _append(self, told: list[dict[str, Any]], writes: list[_Write]) -> None:
        """Put the entries in; the first carries the seals, and bare ones what is too much for one."""
        parcels = [
            writes[start : start + _WRITES_AT_ONCE] for start in range(0, len(writes), _WRITES_AT_ONCE)
        ]
        bare = {"action": "write", "step": None}
        entries = [*told, *([bare] * (len(parcels) - len(told)))]
        rows = []
        for place, facts in enumerate(entries):
            row = _BLANK | facts | {"entry": new_id()}
            row["writes"] = _written(parcels[place]) if place < len(parcels) else ""
            stored = None if row["at"] is None else row["at"].astimezone(UTC).replace(tzinfo=None)
            rows.append(row | {"seal": self.seal_of(row | {"at": stored})})
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            AuditEntry.insert_many(rows[start : start + _ROWS_AT_ONCE]).execute(self.opened)

    def seal_of(self, facts: dict[str, Any]) -> bytes:
        """The seal that an entry with these facts, as they are stored, is born with."""
        born = {name: facts[name] for name in _BORN}
        return bytes.fromhex(seal_row(self.entry_key, "audit_entry", key_text(facts["entry"]), born))

    def is_as_born(self, facts: dict[str, Any]) -> bool:
        """Whether a stored entry carries the seal of its own facts."""
        return hmac.compare_digest(as_bytes(facts["seal"]), self.seal_of(facts))

    def digest_of(self, before: bytes, position: int, born: int, seal: bytes) -> bytes:
        """The digest of an entry in the chain, over the one before it, its place and itself."""
        message = before + position.to_bytes(8, signed=True) + born.to_bytes(8, signed=True) + seal
        return hmac.digest(self.chain_key, message, sha256)

    def _chain_pending(self) -> None:
        pending = list(
            AuditEntry.select(AuditEntry.id, AuditEntry.seal)
            .where(AuditEntry.position.is_null())
            .order_by(AuditEntry.id)
            .tuples()
            .execute(self.opened)
        )
        if not pending:
            return
        end = head_of(self.opened)
        position, digest, links = end.position, end.digest, []
        for born, seal in pending:
            position += 1
            digest = self.digest_of(digest, position, born, as_bytes(seal))
            links.append((position, digest, born))
        self.opened.cursor().executemany(_LINK[self.opened.param], links)

    def broken_rows(self) -> set[tuple[str, str]]:
        """Table and key of every row that is not what its seal says, or has none, or is gone."""
        if not self.opened.table_exists(AuditEntry):
            return set()
        expected, standing = self.expected_rows(), self.standing_rows()
        return {row for row in expected.keys() | standing.keys() if expected.get(row) != standing.get(row)}

    def seal_what_stands(self, *, but: set[tuple[str, str]]) -> None:
        """Seal every row anew after a migration, but leave these as broken as they were found."""
        expected, standing = self.expected_rows(), self.standing_rows()
        writes = [
            (*row, standing.get(row))
            for row in sorted(expected.keys() | standing.keys())
            if row not in but and expected.get(row) != standing.get(row)
        ]
        with self.opened.atomic():
            self._append([], self._put_apart(writes))
            if is_sqlite(self.opened):
                self._chain_pending()
        self.link()

    def expected_rows(self) -> dict[tuple[str, str], str]:
        """Table and key → seal of every row that the entries tell of."""
        expected: dict[tuple[str, str], str | None] = {}
        for facts in stored_entries(self.opened, "id"):
            if facts["writes"] and self.is_as_born(facts):
                for table, rows in json.loads(facts["writes"]).items():
                    expected |= {(table, key): seal for key, seal in rows.items()}
        for seal in RowSeal.select().execute(self.opened):
            if seal.table_name in APART:
                expected[seal.table_name, seal.row] = seal.seal
        return {row: seal for row, seal in expected.items() if seal is not None}

    def standing_rows(self) -> dict[tuple[str, str], str]:
        """Table and key → seal of every row that stands in the database, whatever tables it has.

        The rooms whose tables these are must have been imported.
        """
        return {
            (table, key): seal_row(self.row_key, table, key, row)
            for table in sorted(set(self.opened.get_tables()) - UNSEALED.keys())
            for key, row in self._rows_of(table)
        }

    def _rows_of(self, table: str) -> Iterator[tuple[str, dict[str, Any]]]:
        # Which columns hold JSON only the tables' classes know: to SQLite it is text.
        known = next((columns_of(t) for t in sealed_tables() if t._meta.table_name == table), {})
        columns = {column.name: known.get(column.name, False) for column in self.opened.get_columns(table)}
        primary = self.opened.get_primary_keys(table)
        return read_rows(self.opened, table, primary[0] if primary else next(iter(columns)), columns)


def _derived(vault: Vault, purpose: str) -> bytes:
    # Blind indexes hold a NUL byte after their purpose, so no index is ever one of these keys.
    return hmac.digest(vault.index_key, f"skills-registry/{purpose}/1".encode(), sha256)


def _written(writes: list[_Write]) -> str:
    tables: dict[str, dict[str, str | None]] = {}
    for table, key, seal in writes:
        tables.setdefault(table, {})[key] = seal
    return json.dumps(tables, separators=(",", ":"))


def keep(vault: Vault) -> Chain:
    """From now on the open database seals its rows and chains its entries under this vault's keys."""
    opened = database.obj
    chain = Chain(opened, vault)
    opened.journal, opened.commit, opened.rollback = chain, chain.commit, chain.rollback
    return chain
