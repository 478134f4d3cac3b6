"""What row seals and the audit chain cost: a class of 200 from roster to certificates, and its check.

    python benchmarks/bench_audit.py [people] [postgresql address]

Without the journal the same verbs run over a journal that notes nothing, in the same process by turns; the
least of three turns counts.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import api.app  # noqa: F401 - every table must be known
from skills_registry.foundation import tampering
from skills_registry.foundation.storage import database, migrate, open_database
from skills_registry.training import enrolments
from tests.world import World

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


class Deaf:
    """A journal that notes nothing."""

    def wrote(self, table: Any, keys: Any) -> None:
        """Nothing."""

    def tell(self, **facts: Any) -> None:
        """Nothing."""


def citizen_id(number: int) -> str:
    """An invented ID of a serial that was never assigned, one for every number below 50,000."""
    year, month, day = 1970 + number // 1680 % 28, 1 + number // 140 % 12, 1 + number // 5 % 28
    digits = f"630202{year}{month:02}{day:02}{995 + number % 5}"
    return digits + "10X98765432"[sum(int(d) * w for d, w in zip(digits, WEIGHTS, strict=True)) % 11]


def journey(world: World, people: int, first: int) -> None:
    """Roster, results, submission and certificates of one class, each in one transaction as uploads are."""
    training_class = world.open_class(title=f"第{first}期", capacity=people)
    clerk = world.act("base_clerk")
    with database.atomic():
        entered = [
            enrolments.enrol(
                clerk,
                training_class,
                {"name": "某某", "citizen_id": citizen_id(first + place), "sex": "male"},
                place,
            )
            for place in range(people)
        ]
    with database.atomic():
        for enrolment in entered:
            enrolments.record_result(
                clerk,
                enrolment,
                hours=Decimal(110),
                scores={"theory": Decimal(80), "practice": Decimal(80)},
                outcome="passed",
            )
    world.issue(enrolments.submit_class(clerk, training_class))


def seconds(work: Callable[[], Any]) -> tuple[float, float]:
    """How long it takes, and how much of this process's own time."""
    begun, own = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - begun, time.process_time() - own


def least(turns: list[tuple[float, float]]) -> tuple[float, float]:
    """The least of each: other programs only ever add."""
    return min(wall for wall, _ in turns), min(own for _, own in turns)


def measured(url: str, people: int) -> None:
    """Both ways by turns, over one database."""
    opened = open_database(url)
    migrate()
    folder = Path(tempfile.mkdtemp())
    world = World.founded(url, folder)
    journal = opened.journal
    took: dict[str, list[tuple[float, float]]] = {"with": [], "without": []}
    journey(world, people, 0)
    for turn in range(3):
        took["with"].append(seconds(lambda first=(2 * turn + 1) * people: journey(world, people, first)))
        opened.journal, opened.commit = Deaf(), lambda: type(opened).commit(opened)
        took["without"].append(seconds(lambda first=(2 * turn + 2) * people: journey(world, people, first)))
        opened.journal, opened.commit = journal, journal.commit
    checked, _ = seconds(lambda: list(tampering.findings(journal)))
    rows = sum(count(table) for table in database.get_tables())
    with_, without = least(took["with"]), least(took["without"])
    print(
        f"{url.partition(':')[0]:<12} class of {people}: {with_[0]:.2f} s with, {without[0]:.2f} s without;"
        f" own time {with_[1]:.2f} s and {without[1]:.2f} s ({with_[1] / without[1] - 1:+.0%});"
        f" check of {rows} rows {checked:.2f} s"
    )
    database.close()


def count(table: str) -> int:
    """The rows of a table."""
    return int(database.execute_sql(f'SELECT COUNT(*) FROM "{table}"').fetchone()[0])  # noqa: S608 - our own


if __name__ == "__main__":
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    measured(f"sqlite:///{tempfile.mkdtemp()}/registry.db", size)
    for address in sys.argv[2:]:
        measured(address, size)
