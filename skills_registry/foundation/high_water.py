"""The high-water mark (水位): how far each series of numbers has got, kept in a file outside the database.

A database can be set back to yesterday and know nothing of it. The mark lies beside the secret keys, so that
it stays where it is when somebody puts an older database in its place (``series.py`` says what follows).
It is written out in full before the transaction commits and gets its name right after: a disk that is full
stops the issuing, and never an issuing that has happened.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from skills_registry.foundation.errors import Unavailable

_FORMAT = "skills-registry/high-water/1"


@dataclass(frozen=True)
class Reached:
    """The number taken last of each series, and an end of the audit chain that stood by then.

    Without a head the mark says that the database was put back, and that nobody has confirmed the gap yet.
    """

    head: str = ""
    series: Mapping[str, int] = field(default_factory=dict)


class Mark(Protocol):
    """Where the numbers in use are kept, outside the database."""

    def read(self) -> Reached | None:
        """How far the series have got, or None where no mark was ever set."""

    def moving(self, to: Callable[[Reached | None], Reached]) -> Any:
        """A context: the mark moves when its body ends well, and stays when it does not."""


class MarkUnusable(Unavailable):
    """The file of the mark cannot be read or written."""

    code = "mark_unusable"
    zh = (
        "编号水位文件无法读写或已损坏，不能编号。请检查 NUMBERS_FILE 的权限和磁盘；"
        "若已损坏，移开该文件后运行 skills-registry restore confirm-gap。"
    )
    en = (
        "The file of the numbers in use cannot be read or written, so no number is given. Check NUMBERS_FILE "
        "and its disk; if the file is broken, move it aside and run skills-registry restore confirm-gap."
    )


@dataclass(frozen=True)
class FileMark:
    """A mark in a file; processes on this machine take turns by a lock beside it."""

    path: Path

    def read(self) -> Reached | None:
        """How far the series have got; waits for one who is just moving the mark.

        :raises MarkUnusable: the file is broken or may not be read.
        """
        if not self.path.parent.is_dir():
            return None
        with self._locked(fcntl.LOCK_SH):
            return self._read()

    @contextmanager
    def moving(self, to: Callable[[Reached | None], Reached]) -> Iterator[None]:
        """Move the mark when the body ends well.

        :raises MarkUnusable: it cannot be written; the body has not begun.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._locked(fcntl.LOCK_EX):
            before = self._read()
            after = to(before)
            if after == before:
                yield
                return
            aside = self.path.with_name(f".{self.path.name}.new")
            self._write(aside, after)
            yield
            aside.replace(self.path)
            self._settle()

    def _read(self) -> Reached | None:
        try:
            told = json.loads(self.path.read_bytes())
            reached = Reached(str(told["head"]), {name: int(last) for name, last in told["series"].items()})
            known = told["format"] == _FORMAT
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise MarkUnusable() from error
        if not known:
            raise MarkUnusable()
        return reached

    def _write(self, aside: Path, reached: Reached) -> None:
        told = {"format": _FORMAT, "head": reached.head, "series": dict(sorted(reached.series.items()))}
        try:
            descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                json.dump(told, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise MarkUnusable() from error

    def _settle(self) -> None:
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        try:
            descriptor = os.open(
                self.path.with_name(f".{self.path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600
            )
        except OSError as error:
            raise MarkUnusable() from error
        try:
            fcntl.flock(descriptor, how)
            yield
        finally:
            os.close(descriptor)
