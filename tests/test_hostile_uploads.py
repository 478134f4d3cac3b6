"""Five hundred generated hostile files: each is read or refused, within 2 s and 256 MB, and nothing falls over.

What each cost is measured at the reading child itself, with ``wait4``; the seconds are the processor's, so
that a busy machine does not decide.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
import tracemalloc
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from api import limits
from api.app import create_app
from skills_registry.documents import MEDIA_TYPES, real_type
from skills_registry.foundation.errors import FileRefused
from skills_registry.spreadsheets import read, reading
from tests.hostile_documents import hostile_document
from tests.hostile_files import HARMLESS, MAKERS, MEGABYTE, hostile
from tests.world import World

MOST_SECONDS, MOST_MEGABYTES = 2.0, 256

METERED = Path(__file__).parent / "metered.py"

#: The whole, behind ``make prove``, and every how manieth of it in the usual suite: each kind at least once.
ALL, EVERY = 500, 12


@dataclass
class Meter:
    """Stands where the reader starts its child, starts the very same child, and keeps what it took."""

    folder: Path
    costs: list[tuple[float, float, str]] = field(default_factory=list)
    name: str = ""
    PIPE, DEVNULL, TimeoutExpired = subprocess.PIPE, subprocess.DEVNULL, subprocess.TimeoutExpired

    def run(self, command: list[str], *, input: bytes, timeout: int, check: bool, **more: Any) -> Any:  # noqa: A002 - as subprocess names it
        told = self.folder / "cost.json"
        around = [sys.executable, "-I", "-S", str(METERED), str(told), str(timeout), *command]
        finished = subprocess.run(around, check=check, input=input, timeout=timeout + 10, **more)
        took = json.loads(told.read_text())
        self.costs.append((took["seconds"], took["megabytes"], self.name))
        return subprocess.CompletedProcess(command, took["code"], finished.stdout)


@pytest.fixture
def meter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Meter:
    made = Meter(tmp_path)
    monkeypatch.setattr(reading, "subprocess", made)
    return made


def outcome(content: bytes) -> str:
    """``read``, or the code of the refusal; anything else raises."""
    try:
        read(content)
    except FileRefused as refused:
        return refused.own_code
    return "read"


def read_all(numbers: range, meter: Meter) -> Counter[str]:
    found: Counter[str] = Counter()
    for number in numbers:
        kind, content = hostile(number)
        meter.name = f"{number} {kind}"
        found[outcome(content)] += 1
    return found


def costly(meter: Meter) -> list[tuple[float, float, str]]:
    return [cost for cost in meter.costs if cost[0] > MOST_SECONDS or cost[1] > MOST_MEGABYTES]


def test_a_sample_of_hostile_files_is_read_or_refused_at_little_cost(meter: Meter) -> None:
    found = read_all(range(0, ALL, EVERY), meter)
    assert not costly(meter)
    assert len(meter.costs) >= 40
    assert found["file_broken"] and found["file_unsafe"] and found["file_too_demanding"], found


@pytest.mark.prove
def test_five_hundred_hostile_files_are_read_or_refused_at_little_cost(
    meter: Meter, capsys: pytest.CaptureFixture[str]
) -> None:
    found = read_all(range(ALL), meter)
    with capsys.disabled():
        print(f"\n{len(meter.costs)} files: {dict(found)}")
        print("most seconds:", max(meter.costs), "most memory:", max(meter.costs, key=lambda cost: cost[1]))
    assert not costly(meter)
    assert len(meter.costs) == ALL


def test_the_meter_counts_what_the_child_takes(meter: Meter) -> None:
    assert outcome(HARMLESS) == "read"
    ((seconds, megabytes, _),) = meter.costs
    assert 0.01 < seconds < MOST_SECONDS and 10 < megabytes < 100


def test_the_same_number_gives_the_same_file_and_every_kind_is_in_the_sample() -> None:
    assert hostile(7) == hostile(7)
    sampled = {hostile(number)[0] for number in range(0, ALL, EVERY)}
    assert sampled == {maker.__name__ for maker in MAKERS}


def test_hostile_documents_are_told_from_real_ones_at_little_cost() -> None:
    found: Counter[str] = Counter()
    for number in range(40):
        kind, content = hostile_document(number)
        started = time.process_time()
        tracemalloc.start()
        media_type = real_type(content)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert media_type is None or media_type in MEDIA_TYPES, (number, kind)
        assert time.process_time() - started < MOST_SECONDS, (number, kind)
        assert most < 16 * MEGABYTE, (number, kind, most)
        found[media_type or "refused"] += 1
    assert found["refused"] > 20


def test_hostile_files_sent_to_the_service_are_answered_and_the_next_upload_goes_in(
    small_world: World,
) -> None:
    training_class = small_world.open_class()
    headers = {"Authorization": f"Bearer {small_world.key('base_clerk')}"}
    client = create_app(small_world.service.settings, clock=small_world.service.clock).test_client()
    limits.limiter.enabled = False
    try:
        for number in (*range(0, len(MAKERS), 3), None):
            kind, content = hostile(number) if number is not None else ("harmless", HARMLESS)
            sent = client.post(
                f"/api/v1/classes/{training_class.id}/roster",
                data={"file": (io.BytesIO(content), "名单.xlsx")},
                headers=headers,
            )
            assert sent.status_code in ((201,) if number is None else (201, 422)), (kind, sent.text)
    finally:
        limits.limiter.enabled = True
