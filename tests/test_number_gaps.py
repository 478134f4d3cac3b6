"""No number is given twice, not even by a database that was put back from yesterday."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from api.app import create_app
from api.audit_commands import tampered
from api.check import check
from skills_registry.foundation import journal, series
from skills_registry.foundation.acts import PUBLIC, Act
from skills_registry.foundation.high_water import FileMark, MarkUnusable
from skills_registry.foundation.lifecycle import Step
from skills_registry.foundation.policy import load_policy
from skills_registry.foundation.privacy import create_vault
from skills_registry.foundation.series import (
    GapImpossible,
    GapUnconfirmed,
    GapUnstated,
    NoMark,
    NumberGap,
    Series,
    take,
)
from skills_registry.foundation.storage import database, open_database
from tests.test_api import FILING, bearer
from tests.world import TODAY, World

CERTIFICATES = "certificate/630200/2025"


class Machine:
    """A machine that a registry runs on: a SQLite file with its keys and its mark beside it."""

    def __init__(self, template: Path, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.file, self.mark = folder / "registry.db", FileMark(folder / "numbers.json")
        self.vault = create_vault(folder / "secrets.json")
        shutil.copy(template, self.file)
        self.open()

    def open(self) -> None:
        open_database(f"sqlite:///{self.file}")
        journal.keep(self.vault)
        series.keep(self.mark)

    def copied(self) -> bytes:
        """The database file as ``cp`` takes it, nothing left in its log."""
        database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return self.file.read_bytes()

    def put_back(self, copy: bytes) -> None:
        """An older file in the place of the present one, and the service started again."""
        database.close()
        for ending in ("-wal", "-shm"):
            Path(f"{self.file}{ending}").unlink(missing_ok=True)
        self.file.write_bytes(copy)
        self.open()

    def act(self) -> Act:
        return Act(by=PUBLIC, at=TODAY, policy=load_policy(), vault=self.vault)


@pytest.fixture
def machine(sqlite_template: Path, tmp_path: Path) -> Machine:
    return Machine(sqlite_template, tmp_path / "machine")


class Undone(Exception):
    """Ends a transaction without a trace."""


def regretted(work: Callable[[], Any]) -> None:
    with database.atomic():
        work()
        raise Undone


def undone(work: Callable[[], Any]) -> None:
    """Some work in a transaction that does not come to its end."""
    with pytest.raises(Undone):
        regretted(work)


def file_of(world: World) -> Path:
    return Path(str(database.obj.database))


# The law

MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.sampled_from(["a", "b"]), st.integers(1, 5)),
        st.tuples(st.just("regret"), st.sampled_from(["a", "b"]), st.integers(1, 5)),
        st.tuples(st.just("copy"), st.just(""), st.just(0)),
        st.tuples(st.just("put back"), st.just(""), st.integers(0, 7)),
        st.tuples(st.just("lose the mark"), st.just(""), st.just(0)),
        st.tuples(st.just("confirm"), st.just(""), st.integers(0, 3)),
    ),
    max_size=14,
)


def keep_the_law(machine: Machine, moves: list[tuple[str, str, int]]) -> None:
    """Play these moves; whatever happens to the file, a number that was given is never given again."""
    # No copy is older than the first number: an empty database without a mark is a new registry, and nothing
    # on the machine could tell it from one that was put back to before its beginning.
    given_out = {("a", number) for number in take("a")}
    copies = [machine.copied()]
    for move, name, count in moves:
        if move == "take":
            try:
                block = {(name, number) for number in take(name, count)}
            except GapUnconfirmed:
                continue
            assert not block & given_out
            given_out |= block
        elif move == "regret":
            try:
                undone(lambda name=name, count=count: take(name, count))
            except GapUnconfirmed:
                continue
        elif move == "copy":
            copies.append(machine.copied())
        elif move == "put back":
            machine.put_back(copies[count % len(copies)])
        elif move == "lose the mark" and Series.select().exists():
            machine.mark.path.unlink(missing_ok=True)
        elif move == "confirm":
            # The person in charge knows from paper how far the numbers had got.
            used = {n: max((i for s, i in given_out if s == n), default=0) for n in ("a", "b")}
            series.confirm_gap(machine.act(), used, "恢复备份", margin=count)
            take("a")
            given_out.add(("a", Series.get_by_id("a").last))


@given(moves=MOVES)
@settings(max_examples=25)
def test_no_number_is_given_twice_whatever_is_put_back(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, moves: list[tuple[str, str, int]]
) -> None:
    keep_the_law(Machine(sqlite_template, tmp_path_factory.mktemp("machine")), moves)
    database.close()


@pytest.mark.prove
@given(moves=MOVES)
@settings(max_examples=1000)
def test_no_number_is_given_twice_at_length(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, moves: list[tuple[str, str, int]]
) -> None:
    keep_the_law(Machine(sqlite_template, tmp_path_factory.mktemp("machine")), moves)
    database.close()


# The mark


def test_the_mark_moves_with_what_is_committed_and_only_with_that(world: World) -> None:
    mark = database.numbers.mark
    take("a", 3)
    undone(lambda: take("a", 5))
    with database.atomic():
        take("b")
        undone(lambda: take("c", 9))
    reached = mark.read()
    assert (reached.series["a"], reached.series["b"]) == (3, 1)
    assert "c" not in reached.series
    assert take("a")[0] == 4


def test_where_the_mark_cannot_be_written_no_number_is_given_and_none_is_lost(machine: Machine) -> None:
    take("a", 3)
    folder = machine.mark.path.with_name(f".{machine.mark.path.name}.new")
    folder.mkdir()
    with pytest.raises(MarkUnusable):
        take("a")
    assert Series.get_by_id("a").last == 3
    folder.rmdir()
    assert take("a")[0] == 4


def test_a_broken_mark_is_said_and_never_taken_for_none(machine: Machine) -> None:
    take("a")
    for content in (b"", b"{}", b"null", b'{"format": "other", "head": "", "series": {}}'):
        machine.mark.path.write_bytes(content)
        with pytest.raises(MarkUnusable):
            take("a")


def test_without_a_mark_handed_down_no_number_is_given(machine: Machine) -> None:
    open_database(f"sqlite:///{machine.file}")
    journal.keep(machine.vault)
    with pytest.raises(NoMark):
        take("a")


# An old copy


def test_a_plain_copy_put_back_issues_nothing_until_the_gap_is_confirmed(small_world: World) -> None:
    world = small_world
    world.issued(1)
    database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    yesterday = file_of(world).read_bytes()
    lost = world.issued(2)
    database.close()
    for ending in ("", "-wal", "-shm"):
        Path(f"{file_of(world)}{ending}").unlink(missing_ok=True)
    file_of(world).write_bytes(yesterday)

    app = create_app(world.service.settings, clock=world.service.clock)
    with app.test_client() as client:
        refused = client.post("/api/v1/classes", json=FILING, headers=bearer(world, "base_clerk"))
        assert (refused.status_code, refused.json["code"]) == (503, "gap_unconfirmed")
        assert client.get("/readyz").json["missing"] == ["numbers: gap_unconfirmed"]
        confirmed(world, client, lost[-1].serial)


def confirmed(world: World, client: FlaskClient, last: int) -> None:
    """After the confirmation new numbers begin beyond the lost ones, and the register is in order."""
    with pytest.raises(GapUnstated, match="class_filing/2025"):
        series.confirm_gap(world.act("admin"), {CERTIFICATES: last}, "磁盘损坏", margin=None)
    gaps = series.confirm_gap(world.act("admin"), {CERTIFICATES: last}, "磁盘损坏", margin=0)
    assert {gap.series: (gap.first, gap.last) for gap in gaps} == {
        CERTIFICATES: (2, 3),
        "certificate_status": (2, 3),
        "class_filing/2025": (2, 2),
    }
    assert {step.reason for step in Step.select().where(Step.noun == "number_gap")} == {"磁盘损坏"}
    assert world.issued(1, title="恢复后的班")[0].serial == 4
    assert client.get("/readyz").json["missing"] == []
    assert list(check(world.service)) == []
    assert tampered() == []


def test_a_stated_number_lies_neither_below_what_is_known_nor_far_above(machine: Machine) -> None:
    take("a", 10)
    for stated in (9, 10 + series.WIDEST_GAP + 1):
        with pytest.raises(GapImpossible):
            series.confirm_gap(machine.act(), {"a": stated}, "恢复", margin=None)
    assert NumberGap.select().count() == 0
    assert take("a")[0] == 11


def test_a_database_without_its_mark_is_taken_for_an_old_copy(machine: Machine) -> None:
    take("a", 2)
    machine.mark.path.unlink()
    with pytest.raises(GapUnconfirmed):
        take("b")
    series.confirm_gap(machine.act(), {"a": 7}, "换服务器", margin=None)
    assert take("a")[0] == 8


def test_the_mark_of_another_registry_does_not_fit(sqlite_template: Path, tmp_path: Path) -> None:
    ours = Machine(sqlite_template, tmp_path / "ours")
    for _ in range(3):
        take("a", 5)
    far = ours.copied()
    theirs = Machine(sqlite_template, tmp_path / "theirs")
    take("a")
    take("a")
    theirs.put_back(far)
    with pytest.raises(GapUnconfirmed):
        take("a")


def test_a_registry_from_before_there_were_marks_gets_its_first_one(machine: Machine) -> None:
    take("a", 4)
    machine.mark.path.unlink()
    series.lay_first_mark(machine.mark)
    assert take("a")[0] == 5


@pytest.mark.postgresql
def test_on_postgresql_a_database_set_back_is_caught_too(postgresql_url: str, tmp_path: Path) -> None:
    open_database(postgresql_url)
    world = World.founded(postgresql_url, tmp_path)
    world.issued(1)
    database.execute_sql("UPDATE series SET last = 0 WHERE name = 'class_filing/2025'")
    with pytest.raises(GapUnconfirmed):
        world.issued(1)


@pytest.mark.postgresql
def test_many_who_take_at_once_keep_one_mark_between_them(postgresql_url: str, tmp_path: Path) -> None:
    open_database(postgresql_url)
    vault = create_vault(tmp_path / "secrets.json")
    journal.keep(vault)
    mark = FileMark(tmp_path / "numbers.json")
    series.keep(mark)
    given_out: list[tuple[str, int]] = []

    def work(worker: int) -> None:
        for turn in range(12):
            name = "abc"[(worker + turn) % 3]
            given_out.extend((name, number) for number in take(name, 1 + turn % 3))
        database.close()

    workers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(given_out) == len(set(given_out)) == 4 * 24
    assert mark.read().series == {row.name: row.last for row in Series.select()}


def test_a_crash_right_after_the_commit_loses_no_number_and_raises_no_alarm(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    take("a", 2)
    with monkeypatch.context() as crash:
        crash.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            take("a", 3)
    machine.open()
    assert machine.mark.read().series["a"] == 2
    assert take("a")[0] == 6
    assert machine.mark.read().series["a"] == 6
