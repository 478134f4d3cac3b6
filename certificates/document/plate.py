"""Plate and imprint (套打), as certificates have always been printed.

All certificates of a class share the page but for the name, the number and the code. So the page is
typeset once, with a gap where the name and the number go (the plate), and each certificate is an imprint:

    1  the page is set with an empty name and a blank number in font families of their own
    2  its drawing is cut where those two families are used; the pieces are shared
    3  an imprint puts its own glyphs between the pieces, and its own code in the picture's place

The plate depends on everything printed but name and number, and on the host; never on the time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from certificates.document.fonts import NAME_CHAIN, TEXT_CHAIN, stands_letter_by_letter
from certificates.document.gather import (
    CODE,
    CONTENT,
    IMPRINTED,
    NAME_FONT,
    NUMBER_FONT,
    RESOURCES,
    Body,
    Leaf,
)
from certificates.document.imprint import Letters, cast, code_form, content
from certificates.document.page import page
from certificates.document.typesetting import Sheet, typeset
from certificates.document.wording import name_line, name_size, title
from certificates.qr import Code
from skills_registry.certification.printed import Paper

#: What stands in the number's place on a plate, and the letters numbers are set with.
BLANK_NUMBER = "000000-0000-000000-0"
NUMERALS = "0123456789-"

#: Plates kept in memory, about 100 kB each: a printing job meets a few classes at a time.
_KEPT = 32

_LINE = re.compile(rb"/([A-Z]+) ([\d.]+) Tf\n\[[^\]]*\] TJ")


@dataclass(frozen=True)
class Plate:
    """The typeset page of a class. Between its ``pieces`` of drawing lie ``gaps``: name or number, and its size."""

    sheet: Sheet
    pieces: tuple[int, ...]
    gaps: tuple[tuple[str, float], ...]
    numerals: Letters
    shared: Mapping[int, Body]

    def takes(self, printed: Paper) -> bool:
        """Whether this certificate can be imprinted: its name stands letter by letter, its number is a number."""
        return set(printed.number) <= set(NUMERALS) and stands_letter_by_letter(
            name_line(printed), NAME_CHAIN
        )

    def imprint(self, printed: Paper, code: Code) -> Leaf:
        """The page with this certificate's name, number and code."""
        line = name_line(printed)
        letters = cast(line, NAME_CHAIN, name="N", label=NAME_FONT)
        own, contents = dict(letters.objects), [self.pieces[0]]
        for order, ((field, size), piece) in enumerate(zip(self.gaps, self.pieces[1:], strict=True)):
            if field == "name":
                drawing = letters.line(line, name_size(printed.template, line))
            else:
                drawing = self.numerals.line(printed.number, size)
            own[IMPRINTED - order] = content(drawing)
            contents += [IMPRINTED - order, piece]
        fonts = {**_fixed_fonts(self.sheet), **self.numerals.fonts, **letters.fonts}
        return _leaf(self.sheet, printed, code, self.shared, own, contents, fonts)


def plate_for(printed: Paper, host: str) -> Plate:
    """The plate for a certificate's class, typeset once and kept.

    :raises UnknownTemplate: the record's template is not installed.
    :raises Undrawable: no font covers a character of the fixed text.
    """
    return _plate(replace(printed, name="", number=""), host)


@lru_cache(_KEPT)
def _plate(printed: Paper, host: str) -> Plate:
    setting = page(printed, host, name_line=name_line(printed), number=BLANK_NUMBER)
    sheet = typeset(setting.html, setting.supplied)
    drawings, gaps, done = [], [], 0
    for line in _LINE.finditer(sheet.drawing):
        family = sheet.families[line[1].decode()]
        if _is_gap(family):
            drawings.append(sheet.drawing[done : line.start()])
            gaps.append((family.split("-")[1], float(line[2]) * 0.75))
            done = line.end()
    if [field for field, _ in gaps] != ["name", "number"]:
        raise ValueError(f"template {printed.template} must show name and number once each, in this order")
    drawings.append(sheet.drawing[done:])
    pieces = {CONTENT - order: content(drawing) for order, drawing in enumerate(drawings)}
    numerals = cast(NUMERALS, TEXT_CHAIN, name="D", label=NUMBER_FONT)
    shared = _needed(sheet, _fixed_fonts(sheet).values()) | pieces | dict(numerals.objects)
    return Plate(sheet, tuple(pieces), tuple(gaps), numerals, shared)


def forget() -> None:
    """Drop every plate kept in memory, as at the start of a process."""
    _plate.cache_clear()


def whole(printed: Paper, host: str, code: Code) -> Leaf:
    """The same page typeset as a whole, without a plate: for scripts that an imprint cannot set."""
    setting = page(printed, host, name_line=name_line(printed), number=printed.number)
    sheet = typeset(setting.html, setting.supplied)
    shared = _needed(sheet, sheet.fonts.values()) | {CONTENT: content(sheet.drawing)}
    return _leaf(sheet, printed, code, shared, {}, [CONTENT], sheet.fonts)


# ---------------------------------------------------------------- leaves


def _leaf(
    sheet: Sheet,
    printed: Paper,
    code: Code,
    shared: Mapping[int, Body],
    own: Mapping[int, Body],
    contents: Iterable[int],
    fonts: Mapping[str, int],
) -> Leaf:
    return Leaf(
        title=title(printed),
        media_box=sheet.media_box,
        shared=shared,
        own={**own, **sheet.structure, CODE: code_form(code), RESOURCES: _resources(sheet, fonts)},
        contents=tuple(contents),
        parents=sheet.parents,
        top=sheet.top,
    )


def _resources(sheet: Sheet, fonts: Mapping[str, int]) -> Body:
    """The sheet's resources with these fonts."""
    last = sheet.resources[-1]
    if not isinstance(last, bytes):
        raise TypeError("a dictionary ends with brackets")
    body: list[bytes | int] = [*sheet.resources[:-1], last.removesuffix(b">>"), b"/Font<<"]
    for name, label in fonts.items():
        body += [b"/%s " % name.encode(), label]
    return (*body, b">>>>")


def _fixed_fonts(sheet: Sheet) -> dict[str, int]:
    return {name: label for name, label in sheet.fonts.items() if not _is_gap(sheet.families[name])}


def _is_gap(family: str) -> bool:
    return family.startswith(("certificate-name-", "certificate-number-"))


def _needed(sheet: Sheet, fonts: Iterable[int]) -> dict[int, Body]:
    """The sheet's objects that the page refers to, through any number of steps."""
    found: dict[int, Body] = {}
    open_ends = [*(piece for piece in sheet.resources if isinstance(piece, int)), *fonts]
    while open_ends:
        label = open_ends.pop()
        if label in sheet.objects and label not in found:
            found[label] = sheet.objects[label]
            open_ends += [piece for piece in found[label] if isinstance(piece, int)]
    return dict(sorted(found.items()))
