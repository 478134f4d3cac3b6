"""Numbers on certificates of other bodies: what their coding rules let us compare, as warnings only.

The raw number is kept as it was typed. Level and year are read from it only to compare them with what
the office entered (DOMAIN §3.3): several coding rules are in use side by side, and no rule is complete.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from skills_registry.foundation.identifiers import fold_number
from skills_registry.foundation.problems import Problem

#: 职业技能等级证书 since 2019: one letter, organisation 4, province 2, site 6, year 2, level 1, serial 6.
_SKILL_LEVEL = re.compile(r"(?P<letter>[A-Z])[0-9]{12}(?P<year>[0-9]{2})(?P<level>[0-9])[0-9]{6}")
#: The pilot code: R, kind of body, field, division 6, body 3, year 2, level 1, serial 5.
_PILOT = re.compile(r"R[GSCX][NW][0-9]{9}(?P<year>[0-9]{2})(?P<level>[1-5])[0-9]{5}")
#: 特级技师: two letters and twenty digits, of which nothing is compared.
_SPECIAL_TECHNICIAN = re.compile(r"[A-Z]{2}[0-9]{20}")
#: The old 职业资格证书: year 2, then province or sector, city, body, type, serial.
_QUALIFICATION = re.compile(r"(?P<year>[0-9]{2})[0-9]{14}")

#: Kind → its forms and how they are told: Chinese, English. Other kinds have no rule that we know of.
_FORMS: dict[str, tuple[tuple[re.Pattern[str], ...], str, str]] = {
    "skill_level": (
        (_SKILL_LEVEL, _PILOT, _SPECIAL_TECHNICIAN),
        "1位字母加21位数字",
        "a letter and 21 digits",
    ),
    "vocational_qualification": ((_QUALIFICATION,), "16位数字", "16 digits"),
}

#: Who issues skill-level certificates: employers (Y) and social evaluation organisations (S).
_KNOWN_LETTERS = "YS"
#: The level's digit on paper, by the code of the level.
_DIGITS: dict[str, str] = {
    "level5_junior": "5",
    "level4_intermediate": "4",
    "level3_senior": "3",
    "level2_technician": "2",
    "level1_senior_technician": "1",
}


@dataclass(frozen=True)
class HeldNumber:
    """A number as it was typed, and ``folded`` for comparing; what does not fit stands in ``problems``."""

    typed: str = field(repr=False)
    folded: str = field(repr=False)
    problems: tuple[Problem, ...] = ()


def check_held_number(
    kind: str, raw: object, *, level: str = "", issued_on: date | None = None
) -> HeldNumber:
    """Compare a number with the coding rule of its kind, and with level and day of issue; nothing is refused.

    Source: MOHRSS coding rule of skill-level certificates and its predecessors (DOMAIN §3.3).
    """
    folded = fold_number(raw)
    typed = str(raw or "").strip()
    if folded.damaged:
        return HeldNumber(typed, folded.text, (Problem("held_number_damaged", "held_number"),))
    forms, expected_zh, expected_en = _FORMS.get(kind, ((), "", ""))
    parts = next((found for form in forms if (found := form.fullmatch(folded.text))), None)
    if forms and parts is None:
        facts: dict[str, str | int | float] = {"expected_zh": expected_zh, "expected_en": expected_en}
        return HeldNumber(typed, folded.text, (Problem("held_number_form", "held_number", facts),))
    read = parts.groupdict() if parts else {}
    return HeldNumber(typed, folded.text, tuple(_differences(read, level, issued_on)))


def _differences(read: dict[str, str], level: str, issued_on: date | None) -> Iterator[Problem]:
    if read.get("letter", "Y") not in _KNOWN_LETTERS:
        yield Problem("held_number_letter", "held_number")
    coded = read.get("level")
    if coded and level and coded != _DIGITS.get(level):
        yield Problem("held_number_level", "held_number", {"coded": coded})
    year = read.get("year")
    if year and issued_on and int(year) != issued_on.year % 100:
        yield Problem("held_number_year", "held_number", {"coded": year})
