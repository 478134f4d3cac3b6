"""The audit (审计): who did or read what, when, from where and why; appended only, and chained.

Every step of every record and every reading of a person's file is an entry. The first entry of each
transaction also carries the seals of all rows that the transaction wrote (``writes``), so that replaying the
entries tells what every row of the register must look like: a row changed, put in, taken out or turned back
past the registry is named by ``skills-registry check`` (``tampering.py``). Entries are born and chained by
the journal (``journal.py``). An entry holds no personal data.

Whoever holds the whole database, but not the keys, can still cut off the end of the chain and everything
that it told. Therefore put a :class:`Head` aside now and then, on paper or with somebody else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn
from uuid import UUID

from peewee import (
    BigAutoField,
    BigIntegerField,
    CharField,
    Column,
    CompositeKey,
    Model,
    Table,
    TextField,
    UUIDField,
)

from skills_registry.foundation.acts import Act
from skills_registry.foundation.errors import InputRefused
from skills_registry.foundation.lifecycle import note
from skills_registry.foundation.storage import BytesField, InstantField, database

#: What the digest of the first entry stands on.
START = bytes(32)

#: No entry has a position beyond; whoever writes one stops nothing.
LAST = 2**62


class AuditEntry(Model):
    """One entry; ``id`` is the order of birth, ``position`` that of the chain.

    ``step`` names the step that tells the reason, so that it stands in one place only; ``reason`` is that of
    an act without a step. ``writes`` is JSON: table → row → seal, or null for a row that was taken out.
    """

    id = BigAutoField(primary_key=True)
    entry = UUIDField(unique=True)
    position = BigIntegerField(null=True, unique=True)
    at = InstantField(null=True)
    account = UUIDField(null=True)
    operator = UUIDField(null=True)
    role = CharField(max_length=20, default="")
    origin = CharField(max_length=45, default="")
    action = CharField(max_length=40)
    noun = CharField(max_length=40, default="")
    record_id = UUIDField(null=True, index=True)
    reason = TextField(default="")
    step = UUIDField(null=True)
    writes = TextField(default="")
    seal = BytesField()
    digest = BytesField(null=True)

    class Meta:
        database = database
        legacy_table_names = False

    @classmethod
    def update(cls, *_args: Any, **_columns: Any) -> NoReturn:
        """:raises TypeError: always; an entry is never changed."""
        raise TypeError("an audit entry is never changed")

    @classmethod
    def delete(cls) -> NoReturn:
        """:raises TypeError: always; an entry is never deleted."""
        raise TypeError("an audit entry is never deleted")


AuditEntry.add_index(
    AuditEntry.index(AuditEntry.id, name="audit_entry_pending", where=AuditEntry.position.is_null())
)


class RowSeal(Model):
    """The seal of one row of a table that is kept apart from the entries (``journal.APART``)."""

    table_name = CharField(max_length=63)
    row = CharField(max_length=80)
    seal = CharField(max_length=32)

    class Meta:
        database = database
        legacy_table_names = False
        primary_key = CompositeKey("table_name", "row")


class HeadUnreadable(InputRefused):
    """This is no head of a chain."""

    code = "head_unreadable"
    zh = "锚点格式应为“序号:摘要”，由 skills-registry audit head 打印。"
    en = "A head is written position:digest, as skills-registry audit head prints it."


@dataclass(frozen=True)
class Head:
    """The end of the chain at some moment, to be put aside and compared later."""

    position: int
    digest: bytes

    def __str__(self) -> str:
        return f"{self.position}:{self.digest.hex()}"

    @classmethod
    def parse(cls, text: str) -> Head:
        """The head that was printed.

        :raises HeadUnreadable: it is none.
        """
        read_off = re.fullmatch(r"([0-9]{1,18}):([0-9a-f]{64})", text.strip())
        if read_off is None:
            raise HeadUnreadable()
        return cls(int(read_off[1]), bytes.fromhex(read_off[2]))


def as_bytes(value: Any) -> bytes:
    """What a column of bytes holds; nothing, if somebody wrote something else there."""
    return bytes(value) if isinstance(value, bytes | memoryview) else b""


def stored_entries(opened: Any, order: str) -> Iterator[dict[str, Any]]:
    """All entries in the order of a column, as the driver gives them: what was written past us has no type."""
    source = Table("audit_entry")
    names = [field.column_name for field in AuditEntry._meta.sorted_fields]
    query = source.select(*(Column(source, name) for name in names)).order_by(Column(source, order))
    for values in query.tuples().bind(opened).iterator():
        yield dict(zip(names, values, strict=True))


def read(act: Act, noun: str, record_id: UUID, reason: str) -> None:
    """Say that ``act`` reads the personal record ``record_id`` of this ``noun``, and why.

    A reading leaves a step like any other act. ``reason`` is the caller's own words and may hold no
    personal data.
    """
    note(act, noun, record_id, "read", reason=reason)


def head() -> Head:
    """The end of the chain as it stands."""
    return head_of(database)


def head_of(opened: Any) -> Head:
    """The end of the chain in an open database."""
    # Nobody stops the chain by writing a last number or a text: SQLite sorts text behind all numbers.
    chained = AuditEntry.position < LAST
    found = (
        AuditEntry.select(AuditEntry.position, AuditEntry.digest)
        .where(chained)
        .order_by(AuditEntry.position.desc())
        .limit(1)
        .tuples()
        .execute(opened)
    )
    return next((Head(position, as_bytes(digest)) for position, digest in found), Head(0, START))
