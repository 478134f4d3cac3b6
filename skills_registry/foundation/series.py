"""Numbers without gaps: one counter row per series, taken as a block inside the transaction that uses it.

A rolled-back transaction gives its numbers back. MAX+1 fails under parallel writers and database
sequences leave gaps (DESIGN §4, Numbers).

A number is never given twice, not even by a database that was put back from yesterday. How far each series
has got is also kept outside the database (``high_water.py``), and moves with every transaction that takes
numbers. A database that lies behind that mark, or does not hold the end of the audit chain that the mark
names, or comes without its mark, gives no number at all until somebody has said how far the numbers had got
(:func:`confirm_gap`): the series jump over what is lost, and the gap (断号) is on record.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from peewee import CharField, IntegerField

from skills_registry.foundation.acts import Act
from skills_registry.foundation.audit import START, AuditEntry, Head, as_bytes, head_of
from skills_registry.foundation.errors import InputRefused, Unavailable
from skills_registry.foundation.high_water import Mark, Reached
from skills_registry.foundation.lifecycle import note
from skills_registry.foundation.seals import SealedModel, journal_of
from skills_registry.foundation.storage import InstantField, Record, database

#: No gap is wider: a slip of the finger must not use up the six digits of a year.
WIDEST_GAP = 100_000


# ── Tables ───────────────────────────────────────────────────────────────────────────────────────


class Series(SealedModel):
    """One series of numbers, e.g. ``certificate/630200/2026``; ``last`` is the number taken last."""

    name = CharField(primary_key=True, max_length=60)
    last = IntegerField(default=0)

    class Meta:
        database = database
        legacy_table_names = False


class NumberGap(Record):
    """A gap (断号): numbers of a series, first to last, whose records were lost with a database."""

    series = CharField(max_length=60)
    first = IntegerField()
    last = IntegerField()
    confirmed_at = InstantField()


# ── Rules ────────────────────────────────────────────────────────────────────────────────────────


class NoMark(Unavailable):
    """Somebody takes numbers from a database that was opened without its high-water mark."""

    code = "no_mark"
    zh = "数据库打开时没有交付编号水位，不能编号。"
    en = "The database was opened without its high-water mark, so no number is given."


class GapUnconfirmed(Unavailable):
    """The database is an older copy, or came without its mark. Facts: ``series``, how many lie behind."""

    code = "gap_unconfirmed"
    zh = (
        "数据库是恢复或复制的旧副本（{series}个编号序列落后或无法核对），为避免重号，暂停编号和发证。"
        "请系统管理员查明已用到的最后编号，运行 skills-registry restore confirm-gap。"
    )
    en = (
        "The database is a restored or copied old one ({series} series lie behind or cannot be compared). No "
        "number is given, so that none is given twice. Find out the last numbers in use and run "
        "skills-registry restore confirm-gap."
    )


class GapUnstated(InputRefused):
    """Some series were not stated. Facts: ``series``, their names."""

    code = "gap_unstated"
    zh = "还须说明这些序列已用到的最后编号（或用 --margin 统一留出余量）：{series}"
    en = "State the last number in use of these series too (or leave a margin with --margin): {series}"


class GapImpossible(InputRefused):
    """A stated number lies below one that is known to be in use, or far above. Facts: ``series``, ``known``,
    ``most``."""

    code = "gap_impossible"
    zh = "“{series}”的最后编号应在{known}至{most}之间（{known}已知在用）。"
    en = "The last number of '{series}' must be from {known}, which is known to be in use, to {most}."


def require_continued() -> None:
    """The open database goes on from where its mark stands.

    :raises NoMark: it was opened without one.
    :raises GapUnconfirmed: it lies behind its mark, is another one, or has lost it.
    """
    _watch().require_continued()


# ── Verbs ────────────────────────────────────────────────────────────────────────────────────────


class Watch:
    """Stands between the series of one open database and their mark."""

    def __init__(self, opened: Any, mark: Mark) -> None:
        self.mark = mark
        self._opened = opened
        self._commit: Callable[[], None] = opened.commit
        self._rollback: Callable[[], None] = opened.rollback
        self._open = _Open()

    def taking(self, name: str) -> None:
        """The open transaction takes from this series.

        :raises GapUnconfirmed: the database does not go on from its mark.
        """
        if not self._open.taken:
            self.require_continued()
        self._open.taken.add(name)

    def confirming(self, names: set[str]) -> None:
        """The open transaction says how far these series have got, and thereby that all is well again."""
        self._open.taken |= names
        self._open.confirming = True

    def require_continued(self) -> None:
        """:raises GapUnconfirmed: the database does not go on from its mark."""
        # The mark first: whoever moves it has committed before.
        reached, stand = self.mark.read(), _stand()
        if reached is None and stand:
            raise GapUnconfirmed(series=len(stand))
        if reached is None:
            return
        behind = [name for name, last in reached.series.items() if stand.get(name, 0) < last]
        if behind or not self._holds(reached.head):
            raise GapUnconfirmed(series=len(behind) or len(reached.series))

    def _holds(self, head: str) -> bool:
        if not head:
            return False
        end = Head.parse(head)
        if end.position == 0:
            return end.digest == START
        there = AuditEntry.select(AuditEntry.digest).where(AuditEntry.position == end.position).tuples()
        return [as_bytes(digest) for (digest,) in there.execute(self._opened)] == [end.digest]

    def commit(self) -> None:
        """Commit, and move the mark with it if numbers were taken."""
        taken, confirming = self._open.taken, self._open.confirming
        self._open.forget()
        if not taken and not confirming:
            self._commit()
            return
        with self.mark.moving(lambda before: self._moved(before, taken)):
            self._commit()

    def rollback(self) -> None:
        """Roll back; the mark stays."""
        self._open.forget()
        self._rollback()

    def _moved(self, before: Reached | None, taken: set[str]) -> Reached:
        known = dict(before.series) if before else {}
        stand = _stand()
        moved = {name: max(stand.get(name, 0), known.get(name, 0)) for name in taken if name in stand}
        return Reached(str(head_of(self._opened)), known | moved)


class _Open(threading.local):
    """What the open transaction of this thread has taken from."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.taken: set[str] = set()
        self.confirming = False


def keep(mark: Mark) -> Watch:
    """From now on the open database gives numbers as long as it goes on from this mark.

    Comes after ``journal.keep``: the mark moves around the commit that seals and chains.
    """
    opened: Any = database.obj
    watch = Watch(opened, mark)
    opened.numbers, opened.commit, opened.rollback = watch, watch.commit, watch.rollback
    return watch


def take(name: str, count: int = 1) -> range:
    """Take the next ``count`` numbers of a series, starting at 1.

    Call it inside ``database.atomic()``: the counter's row stays locked until that transaction ends.

    :raises GapUnconfirmed: the database is a restored or copied old one.
    """
    with database.atomic():
        _watch().taking(name)
        Series.insert(name=name, last=0).on_conflict_ignore().execute()
        Series.update(last=Series.last + count).where(Series.name == name).execute()
        last = int(Series.get_by_id(name).last)
    return range(last - count + 1, last + 1)


def confirm_gap(act: Act, stated: Mapping[str, int], reason: str, *, margin: int | None) -> list[NumberGap]:
    """Say how far the numbers had got when the database was lost; answers the gaps, one for each series.

    ``stated`` names the last number in use of a series. Every series that is not named jumps by ``margin``
    over the last number that database or mark know of.

    :raises GapUnstated: a series is not named, and there is no margin.
    :raises GapImpossible: a number lies below one that is known to be in use, or far above.
    """
    watch = _watch()
    known = known_numbers()
    unstated = sorted(known.keys() - stated.keys())
    if unstated and margin is None:
        raise GapUnstated(series="、".join(unstated))
    lasts = {name: number + (margin or 0) for name, number in known.items()} | dict(stated)
    for name, last in lasts.items():
        least = known.get(name, 0)
        if not least <= last <= least + WIDEST_GAP:
            raise GapImpossible(series=name, known=least, most=least + WIDEST_GAP)
    with database.atomic():
        watch.confirming(set(lasts))
        before = _stand()
        return [
            _leap(act, name, before.get(name, 0), last, reason)
            for name, last in sorted(lasts.items())
            if last > before.get(name, 0)
        ]


def _leap(act: Act, name: str, before: int, last: int, reason: str) -> NumberGap:
    Series.insert(name=name, last=0).on_conflict_ignore().execute()
    Series.update(last=last).where(Series.name == name).execute()
    gap = NumberGap.create(series=name, first=before + 1, last=last, confirmed_at=act.at)
    note(act, "number_gap", gap.id, "confirm", reason=reason)
    return gap


def put_back(mark: Mark) -> None:
    """Say that the database was put back from a backup: no number until somebody has confirmed the gap."""
    with mark.moving(lambda before: Reached("", before.series if before else {})):
        pass


def lay_first_mark(mark: Mark) -> None:
    """Lay the mark of a registry that gave numbers before there were marks; one that has a mark keeps it."""
    stand = _stand()
    if stand and mark.read() is None:
        with mark.moving(lambda before: before or Reached(str(head_of(database)), stand)):
            pass


# ── Queries ──────────────────────────────────────────────────────────────────────────────────────


def known_numbers() -> dict[str, int]:
    """The greatest number of each series that the database or its mark know to be in use."""
    reached = _watch().mark.read() or Reached()
    stand = _stand()
    return {
        name: max(stand.get(name, 0), reached.series.get(name, 0))
        for name in sorted(stand.keys() | reached.series.keys())
    }


def kept_head() -> str:
    """The end of the audit chain that the mark names, as it stood when a number was last taken; or nothing."""
    reached = _watch().mark.read()
    return reached.head if reached else ""


def _stand() -> dict[str, int]:
    return {str(row.name): int(row.last) for row in Series.select()}


def _watch() -> Watch:
    watch: Watch | None = getattr(database, "numbers", None)
    if watch is None:
        journal_of(database)  # without its keys, that is what is missing first
        raise NoMark()
    return watch
