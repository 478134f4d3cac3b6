"""Certificates as PDF: one, one after the other, or a class in one file. Nothing is written; all can be repeated.

The bytes depend on the record and its URL alone: not on the time, the classmates, or the order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from certificates import qr
from certificates.document.fonts import require_covered
from certificates.document.gather import Leaf, bind
from certificates.document.plate import plate_for, whole
from certificates.document.wording import WHOSE_NAME, heading
from skills_registry.certification.printed import Paper


def draw(printed: Paper, url: str) -> bytes:
    """One certificate as an accessible PDF (PDF/UA-1), its code leading to ``url``.

    :raises UnknownTemplate: the record's template is not installed.
    :raises Undrawable: no font covers a character.
    :raises CodeTooLong: the URL needs a larger code than fits.
    """
    leaf = _leaf(printed, url)
    return bind([leaf], leaf.title)


def draw_all(prints: Iterable[tuple[Paper, str]]) -> Iterator[bytes]:
    """One PDF for each certificate and its URL, in their order, each equal to what :func:`draw` gives."""
    return (draw(printed, url) for printed, url in prints)


def draw_whole(printed: Paper, url: str) -> bytes:
    """One certificate typeset without a plate: slower, for any script, and the measure of an imprint's picture.

    :raises Undrawable: no font covers a character.
    """
    require_covered(printed.name, WHOSE_NAME[printed.whose_name])
    leaf = whole(printed, urlsplit(url).netloc, qr.draw(url))
    return bind([leaf], leaf.title)


def gather(prints: Iterable[tuple[Paper, str]]) -> bytes:
    """A class's certificates as one PDF for the printer, one page each, as accessible as each alone.

    :raises ValueError: there is none.
    """
    leaves, titles = [], set()
    for printed, url in prints:
        leaves.append(_leaf(printed, url))
        titles.add(heading(printed))
    if not leaves:
        raise ValueError("no certificates to gather")
    return bind(leaves, f"{'、'.join(sorted(titles))}（共{len(leaves)}份）")


def _leaf(printed: Paper, url: str) -> Leaf:
    require_covered(printed.name, WHOSE_NAME[printed.whose_name])
    host, code = urlsplit(url).netloc, qr.draw(url)
    if printed.whose_name == "base":  # a plaque is one of its kind: nothing to share a plate with
        return whole(printed, host, code)
    plate = plate_for(printed, host)
    return plate.imprint(printed, code) if plate.takes(printed) else whole(printed, host, code)
