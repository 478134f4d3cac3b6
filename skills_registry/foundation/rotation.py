"""Exchange of the data key (数据密钥轮换): every sealed value is sealed anew, a few at a time.

    1 a new key is made         the secrets file names it; whatever is written from now on lies under it
    2 what is older is re-sealed in batches of one transaction each, which also keeps the position, so that
                                the work can be stopped at any moment and goes on where it stood
    3 the old key is retired    only when nothing in the whole register lies under it any more

Both keys open values meanwhile. A row that somebody changed past the registry is left as it is found, since
writing it would seal what that hand did; so the old key stays until the row is mended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from peewee import SQL, CharField, IntegerField, UUIDField, Value, fn

from skills_registry.foundation import tampering
from skills_registry.foundation.acts import Act
from skills_registry.foundation.lifecycle import tell
from skills_registry.foundation.privacy import TamperedValue
from skills_registry.foundation.seals import journal_of, sealed_tables
from skills_registry.foundation.storage import InstantField, Record, SealedField, database

_FIRST = UUID(int=0)


class Resealing(Record):
    """How far one table has been re-sealed under one key: up to and with ``last_row``."""

    key_version = IntegerField()
    table_name = CharField(max_length=63)
    last_row = UUIDField(null=True)
    done_at = InstantField(null=True)

    class Meta:
        indexes = ((("key_version", "table_name"), True),)


@dataclass(frozen=True)
class Batch:
    """What one transaction did: ``left`` rows could not be re-sealed and were left as they are."""

    table: str
    resealed: int
    left: int


def sealed_columns() -> dict[type[Record], list[SealedField]]:
    """Every table of the database that holds sealed values, with the columns that do.

    The rooms whose tables these are must have been imported.
    """
    standing = set(database.get_tables())
    found: dict[type[Record], list[SealedField]] = {}
    for table in sealed_tables(Record):
        columns = [column for column in table._meta.sorted_fields if isinstance(column, SealedField)]
        if columns and table._meta.table_name in standing:
            found[table] = columns  # type: ignore[index]
    return dict(sorted(found.items(), key=lambda pair: pair[0]._meta.table_name))


def values_by_key() -> Counter[int]:
    """Key version → how many sealed values of the database lie under it."""
    found: Counter[int] = Counter()
    for table, columns in sealed_columns().items():
        for column in columns:
            version = fn.SUBSTR(column, 1, 1, coerce=False).alias("sealed_under")
            counted = table.select(version, fn.COUNT(table.id)).where(column.is_null(is_null=False))
            rows: Any = counted.group_by(SQL("sealed_under")).tuples()
            for first, count in rows:
                found[bytes(first)[0]] += count
    return found


def reseal(act: Act, *, at_once: int = 200) -> Iterator[Batch]:
    """Seal anew what lies under any other key than the current one; answers after each transaction.

    Whoever stops asking stops the work; the next call goes on where it stood.
    """
    version = act.vault.in_force()[1]
    broken = {(found.table, found.row) for found in tampering.findings(journal_of(database))}  # type: ignore[arg-type]
    for table, columns in sealed_columns().items():
        place = _position(version, table)
        while place.done_at is None:
            yield _next_batch(act, place, table, columns, broken, at_once)
    yield from _latecomers(act, version, broken, at_once)


def _latecomers(act: Act, version: int, broken: set[tuple[str, str]], at_once: int) -> Iterator[Batch]:
    """What was written behind our back under the older key, while requests of before were still open."""
    for table, columns in sealed_columns().items():
        if any(_older(table, columns, version).limit(1)):
            place = _position(version, table)
            place.last_row = place.done_at = None
            while place.done_at is None:
                yield _next_batch(act, place, table, columns, broken, at_once)


def _position(version: int, table: type[Record]) -> Resealing:
    name = table._meta.table_name
    same = (Resealing.key_version == version) & (Resealing.table_name == name)
    found: Resealing | None = Resealing.get_or_none(same)
    return found or Resealing.create(key_version=version, table_name=name)


def _older(table: type[Record], columns: list[SealedField], version: int) -> Any:
    """The rows with a value under another key than this one."""
    current = Value(bytes([version]), converter=False)
    older = [fn.SUBSTR(column, 1, 1, coerce=False) != current for column in columns]
    condition = older[0]
    for another in older[1:]:
        condition |= another
    return table.select(table.id, *columns).where(condition).order_by(table.id)


def _next_batch(
    act: Act,
    place: Resealing,
    table: type[Record],
    columns: list[SealedField],
    broken: set[tuple[str, str]],
    at_once: int,
) -> Batch:
    name = table._meta.table_name
    with database.atomic():
        older = _older(table, columns, place.key_version)
        rows = list(older.where(table.id > (place.last_row or _FIRST)).limit(at_once))
        left = sum((name, str(row.id)) in broken or not _sealed_anew(act, row, columns) for row in rows)
        place.last_row = rows[-1].id if rows else place.last_row
        if len(rows) < at_once:
            place.done_at = act.at
            tell(act, "field_key", None, f"reseal_{name}"[:40])
        place.save()
    return Batch(name, len(rows) - left, left)


def _sealed_anew(act: Act, row: Any, columns: list[SealedField]) -> bool:
    """Whether the sealed values of a row lie under the current key now; a value that does not open stays."""
    table = type(row)
    older = {column: getattr(row, column.name) for column in columns if getattr(row, column.name)}
    try:
        newer = {
            column: act.vault.seal(column, row.id, act.vault.open(column, row.id, value))
            for column, value in older.items()
        }
    except TamperedValue:
        return False
    # Compared and swapped: what somebody wrote a moment ago is newer than what was read here.
    same = [column == value for column, value in older.items()]
    table.update(dict(newer)).where(table.id == row.id, *same).execute()
    return True
