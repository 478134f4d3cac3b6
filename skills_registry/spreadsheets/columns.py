"""Columns: what a table of ours has, told once for reading it, for its template and for its instructions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One column: its field, its title, how to fill it in, and other titles that mean the same.

    ``required``: the header must have it (a template marks it with ``*``). ``choices`` are a drop-down that
    takes nothing else, or with ``strict=False`` offers them and takes other words too. ``length`` is the
    least and the most characters and a sentence, as a warning. ``text`` keeps digits from becoming figures.
    """

    field: str
    title: str
    how: str = ""
    aliases: tuple[str, ...] = ()
    required: bool = False
    choices: tuple[str, ...] = ()
    strict: bool = True
    length: tuple[int, int, str] | None = None
    text: bool = False
    width: int = 12
