"""Unified social credit codes (统一社会信用代码, GB 32100-2015 with amendment 1 of 2016).

1 registering authority, 1 entity class, 6 region of that authority, 9 organisation code, 1 check.
Village collectives (N), the armed forces (A) and others (Y) hold codes too. The inner check digit of
the organisation code (GB 11714) only warns: codes with a wrong one are in use.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from stdnum.cn import uscc

from skills_registry.foundation.identifiers.folding import fold_number
from skills_registry.foundation.problems import Problem

#: No I, O, Z, S, V. First the registering authorities of GB 32100 table 1; 0 is none, so that
#: eighteen zeros, which pass the check digit, are no credit code.
_FORM = re.compile(r"[1-9ANY][0-9A-HJ-NP-RTUW-Y]{17}")
_LENGTH = 18
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True)
class CreditCode:
    """A checked credit code; ``text`` is good only without errors among the problems."""

    text: str
    problems: tuple[Problem, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Nothing is wrong but for warnings."""
        return not any(problem.is_error for problem in self.problems)


def check_uscc(raw: object) -> CreditCode:
    """Check a credit code as it was typed or as a cell holds it.

    Source: GB 32100-2015 (check by MOD 31), GB 11714-1997 (organisation code).
    """
    text = fold_number(raw).text
    if not text:
        return CreditCode(text, (Problem("missing", "uscc"),))
    if len(text) != _LENGTH:
        return CreditCode(text, (Problem("uscc_length", "uscc", {"length": len(text)}),))
    if not _FORM.fullmatch(text):
        return CreditCode(text, (Problem("uscc_format", "uscc"),))
    if uscc.calc_check_digit(text[:17]) != text[17]:
        return CreditCode(text, (Problem("uscc_checksum", "uscc"),))
    if organisation_check_digit(text[8:16]) != text[16]:
        return CreditCode(text, (Problem("uscc_organisation_check", "uscc"),))
    return CreditCode(text)


def organisation_check_digit(body: str) -> str:
    """The check character for the eight characters of an organisation code (GB 11714-1997)."""
    total = sum(
        int(character, 36) * weight for character, weight in zip(body, _ORGANISATION_WEIGHTS, strict=True)
    )
    return "0123456789X"[-total % 11]
