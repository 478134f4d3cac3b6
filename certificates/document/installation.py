"""The start-up check: the libraries and fonts that drawing needs are there, or what to install."""

from __future__ import annotations

from collections.abc import Sequence

from weasyprint.text.ffi import harfbuzz_subset

from certificates.document.fonts import REQUIRED, WANTED, Typeface, locate
from skills_registry.foundation.errors import Unavailable


def check_installation(
    required: Sequence[Typeface] = REQUIRED, wanted: Sequence[Typeface] = WANTED
) -> tuple[Typeface, ...]:
    """The wanted typefaces that are missing; names that need one are refused until it is installed.

    Loading this package has already found Pango.

    :raises Unavailable: what no certificate can do without is missing; the remedy names all packages at once.
    """
    missing = {
        f"字体 {typeface.family}": typeface.package for typeface in required if locate(typeface) is None
    }
    if not harfbuzz_subset:
        missing["HarfBuzz-Subset"] = "libharfbuzz-subset0"
    if missing:
        packages = " ".join(dict.fromkeys(missing.values()))
        raise Unavailable(what="、".join(missing), remedy=f"apt install {packages}")
    return tuple(typeface for typeface in wanted if locate(typeface) is None)
