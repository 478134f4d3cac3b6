"""Certificate numbers (证书编号): ``DDDDDD-YYYY-NNNNNN-C``.

Issuing division (GB/T 2260), year, serial, and one check digit (ISO 7064 MOD 11,10) over the sixteen
digits before it. The check finds every single wrong digit; people type these numbers from paper.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from stdnum.iso7064 import mod_11_10

from skills_registry.foundation.identifiers.folding import fold_number
from skills_registry.foundation.problems import Problem

_FORM = re.compile(r"(?P<division>[0-9]{6})(?P<year>[0-9]{4})(?P<serial>[0-9]{6})(?P<check>[0-9])")
#: "No." and 编号 before the number, as people copy them from the paper.
_LABEL = re.compile(r"^(?:证书)?(?:编号|NO\.?|№)[:：]?")
LAST_SERIAL = 999_999


@dataclass(frozen=True)
class CertificateNumber:
    """The parts of a certificate number; ``str()`` gives its one written form."""

    division_code: str
    year: int
    serial: int

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9]{6}", self.division_code):
            raise ValueError("a division code has six digits")
        if not 1000 <= self.year <= 9999:
            raise ValueError("a year has four digits")
        if not 1 <= self.serial <= LAST_SERIAL:
            raise ValueError("a serial lies between 1 and 999999")

    @property
    def text(self) -> str:
        """The number as printed, e.g. ``630202-2025-000001-3``."""
        body = f"{self.division_code}{self.year:04}{self.serial:06}"
        return f"{self.division_code}-{self.year:04}-{self.serial:06}-{mod_11_10.calc_check_digit(body)}"

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class CheckedCertificateNumber:
    """What somebody typed as a certificate number; ``number`` is None when it is none."""

    number: CertificateNumber | None
    problems: tuple[Problem, ...] = ()

    @property
    def text(self) -> str:
        """The written form, or an empty text."""
        return self.number.text if self.number else ""


def certificate_number(division_code: str, year: int, serial: int) -> str:
    """The written form of a certificate number.

    :raises ValueError: a part is out of its range.
    """
    return CertificateNumber(division_code, year, serial).text


def check_certificate_number(raw: object) -> CheckedCertificateNumber:
    """Check a typed certificate number; case, blanks, width and dashes do not matter."""
    text = _LABEL.sub("", fold_number(raw).text)
    if not text:
        return CheckedCertificateNumber(None, (Problem("missing", "certificate_number"),))
    parts = _FORM.fullmatch(text)
    if parts is None or parts["year"] < "1000" or parts["serial"] == "000000":
        return CheckedCertificateNumber(None, (Problem("certificate_number_format", "certificate_number"),))
    if mod_11_10.calc_check_digit(text[:-1]) != parts["check"]:
        return CheckedCertificateNumber(None, (Problem("certificate_number_checksum", "certificate_number"),))
    return CheckedCertificateNumber(
        CertificateNumber(parts["division"], int(parts["year"]), int(parts["serial"]))
    )


def parse_certificate_number(raw: object) -> CertificateNumber | None:
    """The parts of a typed certificate number, or None when it is none."""
    return check_certificate_number(raw).number
