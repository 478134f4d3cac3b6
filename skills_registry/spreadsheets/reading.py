"""Starts the reading child for one file and takes its worksheets, or refuses the file.

A child that dies, runs out of memory or time, or answers nonsense refuses the file; nothing it does
reaches this process.
"""

from __future__ import annotations

import json
import subprocess  # nosec B404  # files are read in a child process
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

import skills_registry
from skills_registry.foundation.errors import Unavailable
from skills_registry.spreadsheets.grids import Grid, from_json
from skills_registry.spreadsheets.refusals import REFUSALS, refusal

LARGEST_FILE_MB = 10
_SECONDS = 10
_CHILD = "skills_registry.spreadsheets.child"
#: The child sees this and nothing else of our environment, which holds the address of the database.
_ENVIRONMENT = {
    "PYTHONPATH": str(Path(skills_registry.__file__).parent.parent),
    "PYTHONDONTWRITEBYTECODE": "1",
    "LC_ALL": "C.UTF-8",
}

#: Each child may take 256 MB and a core; more than two at once would let uploads crowd out everything else.
_AT_ONCE = BoundedSemaphore(2)


#: How long an upload waits for its turn before it is told to come back.
_PATIENCE_SECONDS = 5


class ReadersBusy(Unavailable):
    """Others are uploading at this moment."""

    code = "readers_busy"
    zh = "同时上传表格的人较多，请稍后再传一次。"
    en = "Many sheets are being uploaded at this moment; please send yours again shortly."


@contextmanager
def _a_turn() -> Iterator[None]:
    if not _AT_ONCE.acquire(timeout=_PATIENCE_SECONDS):
        raise ReadersBusy()
    try:
        yield
    finally:
        _AT_ONCE.release()


def read_grids(data: bytes) -> list[Grid]:
    """The visible worksheets of a file; a text table is one worksheet.

    :raises FileRefused: it is no table, too large, encrypted, damaged or hostile.
    """
    if len(data) > LARGEST_FILE_MB * 1024 * 1024:
        raise refusal("file_too_large", limit_mb=LARGEST_FILE_MB)
    answer = _answer_of_child(data)
    if "refused" in answer:
        code = answer["refused"]
        raise refusal(code if code in REFUSALS else "file_broken")
    return [
        Grid(
            [(number, [from_json(cell) for cell in cells]) for number, cells in sheet["rows"]],
            is_too_long=sheet["is_too_long"],
            is_too_wide=sheet["is_too_wide"],
        )
        for sheet in answer["sheets"]
    ]


def _answer_of_child(data: bytes) -> dict[str, Any]:
    # -P: the directory we stand in is no place to import from. A panic's text is thrown away: it may
    # quote the file.
    command = [sys.executable, "-P", "-m", _CHILD]
    try:
        with _a_turn():
            finished = subprocess.run(  # noqa: S603  # nosec B603  # our own interpreter and module, no word from the file
                command,
                input=data,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_ENVIRONMENT,
                timeout=_SECONDS,
                check=False,
            )
    except subprocess.TimeoutExpired:
        raise refusal("file_too_demanding") from None
    if finished.returncode < 0:  # killed by its limits, or the parser aborted for want of memory
        raise refusal("file_too_demanding")
    try:
        answer = json.loads(finished.stdout)
    except ValueError:
        raise refusal("file_broken") from None
    return answer if isinstance(answer, dict) else {"refused": "file_broken"}
