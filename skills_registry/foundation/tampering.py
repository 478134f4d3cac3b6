"""What a hand in the database did past the registry: found by replaying the audit, never told by value.

1 entry   each entry is what it was when it was born
2 chain   no entry is missing, put in, or out of its place
3 head    an end of the chain that was put aside still stands where it stood
4 rows    every row of every table is what the entries say it must be
5 works   no trigger or rule stands in the database: it would write before the seal, and be sealed
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from skills_registry.foundation.audit import START, AuditEntry, Head, as_bytes, stored_entries
from skills_registry.foundation.journal import Chain
from skills_registry.foundation.seals import is_sqlite, key_text


@dataclass(frozen=True)
class Broken:
    """One row or entry that is not what the registry wrote; the value is never told."""

    table: str
    row: str
    zh: str
    en: str


_NAMED_AT_MOST = 100

_MISSING = ("审计记录缺失", "the audit entry is missing")
_EDITED = ("审计记录被改动，或不是本系统写入", "the audit entry was changed, or not written by the registry")
_MOVED = ("审计链在此处断开", "the audit chain is broken here")
_HEAD = (
    "审计链与留存的锚点不符，此后的记录被删改或数据库被回退",
    "the chain differs from the head put aside",
)
_ROW_EDITED = ("这一行被绕过系统改动", "the row was changed past the registry")
_ROW_ADDED = ("这一行被绕过系统添加", "the row was put in past the registry")
_WORK = ("数据库中有不属于本系统的触发器或规则", "a trigger or rule that is not the registry's")
_ROW_GONE = ("这一行被绕过系统删除", "the row was taken out past the registry")


def findings(chain: Chain, put_aside: Head | None = None) -> Iterator[Broken]:
    """Everything that was done past the registry; nothing means that the whole register is as written.

    Reads one moment of the database, so that it can run beside the service.
    """
    chain.link()
    moment = {"lock_type": "DEFERRED"} if is_sqlite(chain.opened) else {"isolation_level": "REPEATABLE READ"}
    with chain.opened.atomic(**moment):
        yield from in_this_moment(chain, put_aside)


def in_this_moment(chain: Chain, put_aside: Head | None = None) -> list[Broken]:
    """The same within the transaction that is open, whatever it sees; nobody is made to wait."""
    return [*_entries(chain, put_aside), *_rows(chain), *_works(chain)]


def _entries(chain: Chain, put_aside: Head | None) -> Iterator[Broken]:
    expected, before, seen = 1, START, set[str]()
    for facts in stored_entries(chain.opened, "position"):
        position = facts["position"]
        if position is None:
            continue
        if not isinstance(position, int):
            yield Broken("audit_entry", str(facts["id"]), *_EDITED)
            continue
        if position - expected > _NAMED_AT_MOST:
            yield Broken("audit_entry", f"{expected}–{position - 1}", *_MISSING)
        else:
            yield from (Broken("audit_entry", str(gone), *_MISSING) for gone in range(expected, position))
        # An old entry that is put in once more carries a good seal, and would turn its rows back.
        twice = key_text(facts["entry"]) in seen
        seen.add(key_text(facts["entry"]))
        if twice or not chain.is_as_born(facts):
            yield Broken("audit_entry", str(position), *_EDITED)
        elif position == expected and _link(chain, before, facts) != as_bytes(facts["digest"]):
            yield Broken("audit_entry", str(position), *_MOVED)
        expected, before = position + 1, as_bytes(facts["digest"])
    if put_aside is not None and not _stands(chain, put_aside):
        yield Broken("audit_entry", str(put_aside.position), *_HEAD)


def _link(chain: Chain, before: bytes, facts: dict[str, Any]) -> bytes:
    return chain.digest_of(before, facts["position"], facts["id"], as_bytes(facts["seal"]))


def _stands(chain: Chain, put_aside: Head) -> bool:
    if put_aside.position == 0:
        return put_aside.digest == START
    there = AuditEntry.select(AuditEntry.digest).where(AuditEntry.position == put_aside.position).tuples()
    return [as_bytes(digest) for (digest,) in there.execute(chain.opened)] == [put_aside.digest]


def _rows(chain: Chain) -> Iterator[Broken]:
    expected, standing = chain.expected_rows(), chain.standing_rows()
    for table, key in sorted(expected.keys() | standing.keys()):
        wrote, stands = expected.get((table, key)), standing.get((table, key))
        if wrote != stands:
            told = _ROW_ADDED if wrote is None else _ROW_GONE if stands is None else _ROW_EDITED
            yield Broken(table, readable(key), *told)


#: Every trigger and rule that somebody made; the registry makes none.
_WORKS_SQLITE = "SELECT 'trigger', name FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
_WORKS_SERVER = """
SELECT 'trigger', tgname FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'rule', rulename FROM pg_rules WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
"""


def _works(chain: Chain) -> Iterator[Broken]:
    ask = _WORKS_SQLITE if is_sqlite(chain.opened) else _WORKS_SERVER
    for kind, name in chain.opened.execute_sql(ask).fetchall():
        yield Broken(str(kind), str(name), *_WORK)


def readable(key: str) -> str:
    """A primary key as people see it elsewhere."""
    try:
        return str(UUID(key))
    except ValueError:
        return key
