"""Numbers without gaps: one counter row per series, taken as a block inside the transaction that uses it.

A rolled-back transaction gives its numbers back. MAX+1 fails under parallel writers and database
sequences leave gaps (DESIGN §4, Numbers).
"""

from __future__ import annotations

from peewee import CharField, IntegerField

from skills_registry.foundation.seals import SealedModel
from skills_registry.foundation.storage import database


class Series(SealedModel):
    """One series of numbers, e.g. ``certificate/630200/2026``; ``last`` is the number taken last."""

    name = CharField(primary_key=True, max_length=60)
    last = IntegerField(default=0)

    class Meta:
        database = database
        legacy_table_names = False


def take(name: str, count: int = 1) -> range:
    """Take the next ``count`` numbers of a series, starting at 1.

    Call it inside ``database.atomic()``: the counter's row stays locked until that transaction ends.
    """
    with database.atomic():
        Series.insert(name=name, last=0).on_conflict_ignore().execute()
        Series.update(last=Series.last + count).where(Series.name == name).execute()
        last = int(Series.get_by_id(name).last)
    return range(last - count + 1, last + 1)
