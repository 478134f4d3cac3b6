"""The start-up check: the libraries and fonts that drawing needs are there, or what to install."""

from __future__ import annotations

from collections.abc import Sequence

from weasyprint.text.ffi import harfbuzz_subset

from certificates.document.fonts import REQUIRED, Typeface, locate
from skills_registry.foundation.errors import Unavailable


def check_installation(required: Sequence[Typeface] = REQUIRED) -> None:
    """Everything that drawing needs is installed. Loading this package has already found Pango.

    :raises Unavailable: something is missing; everything that is, is named at once with its packages.
    """
    missing = {
        f"字体 {typeface.family}": typeface.package for typeface in required if locate(typeface) is None
    }
    if not harfbuzz_subset:
        missing["HarfBuzz-Subset"] = "libharfbuzz-subset0"
    if missing:
        packages = " ".join(dict.fromkeys(missing.values()))
        raise Unavailable(what="、".join(missing), remedy=f"apt install {packages}")
