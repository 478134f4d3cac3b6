"""Folding: what spreadsheets and input methods do to a number, undone where nothing is lost.

A number that a spreadsheet has stored as a figure keeps 15 digits; the rest are zeros or noise.
Such a number is marked as damaged and never repaired (DOMAIN §2.1).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal

#: Characters that take no room: zero-width blanks, joiners and direction marks, soft hyphen, BOM.
INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\u180e\ufeff"
#: Blanks of every width; ``str.isspace`` knows them too, but a fixed list does not change with Python.
BLANKS = (
    " \t\r\n\v\f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d\u30fc"
#: Letters and signs that look like the check character X: Cyrillic, Greek, the multiplication sign.
_LOOKS_LIKE_X = "\u0425\u0445\u03a7\u03c7\u00d7\u2573"
_APOSTROPHES = "'\u2018\u2019`\u00b4\uff07"

_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_FOLD_NUMBER: dict[int, int | str | None] = {
    **_WIDTH,
    **dict.fromkeys(map(ord, INVISIBLE + BLANKS + DASHES)),
    **dict.fromkeys(map(ord, _LOOKS_LIKE_X), "X"),
}
_FORCED_TEXT = re.compile(r'="(.*)"', re.DOTALL)
_AS_FIGURE = re.compile(r"[0-9](?:\.[0-9]+)?E\+?[0-9]{1,3}")
_POINT_ZERO = re.compile(r"(?<=[0-9])\.0+$")

#: A figure of this size or larger has lost digits in a spreadsheet, which keeps fifteen.
_FIRST_INEXACT = 10**15


@dataclass(frozen=True)
class Folded:
    """A number as text; ``damaged`` when a spreadsheet has lost some of its digits."""

    text: str = field(repr=False)
    damaged: bool = False


def fold_width(text: str) -> str:
    """Full-width Latin letters, digits and signs as their ASCII forms; everything else untouched."""
    return text.translate(_WIDTH)


def fold_number(raw: object) -> Folded:
    """A number from a cell, a form or a scan, as upper-case text without blanks and dashes."""
    if raw is None:
        return Folded("")
    if isinstance(raw, (float, Decimal)):
        return _fold_figure(raw)
    text = str(raw).translate(_FOLD_NUMBER)
    forced = _FORCED_TEXT.fullmatch(text)
    text = (forced[1] if forced else text).strip(_APOSTROPHES + '"').upper()
    text = _POINT_ZERO.sub("", text)
    return Folded(text, damaged=_AS_FIGURE.fullmatch(text) is not None)


def _fold_figure(raw: float | Decimal) -> Folded:
    figure = Decimal(str(raw))
    if not figure.is_finite() or abs(figure) >= _FIRST_INEXACT:
        return Folded(str(raw), damaged=True)
    whole = int(figure)
    return Folded(str(whole) if whole == figure else str(figure))
