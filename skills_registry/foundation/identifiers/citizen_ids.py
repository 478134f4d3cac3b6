"""Citizen ID numbers (公民身份号码, GB 11643): 6 region + 8 birth date + 3 sequence + 1 check.

The region is where the number was first registered and never changes; most people of Haidong have
6321xx from before 2013. So the region only warns, whatever year it was in force (DOMAIN §0, 1–2).
Residence permits for Hong Kong, Macao and Taiwan (81, 82, 83) and foreigners' permanent residence
cards of 2023 (first digit 9) have the same form and are accepted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from stdnum.iso7064 import mod_11_2

from skills_registry.foundation.identifiers.divisions import is_known_region
from skills_registry.foundation.identifiers.folding import fold_number
from skills_registry.foundation.problems import Problem

Sex = Literal["male", "female"]

_LENGTH = 18
_FORM = re.compile(r"[0-9]{17}[0-9X]")
_OLD_FORM = re.compile(r"[0-9]{15}")
_OLD_FOREIGN_CARD = re.compile(r"[A-Z]{3}[0-9]{12}")
_LIKE_A_CARD = re.compile(r"[0-9]{17}[0-9X][1-7][1-4](?:[0-9]|B[0-9])?")
#: Nobody living was born earlier; a year before this is a typing error.
_OLDEST_YEARS = 130


@dataclass(frozen=True)
class CitizenId:
    """A checked citizen ID. ``text`` is the folded number, good only while ``is_sound``."""

    text: str = field(repr=False)
    problems: tuple[Problem, ...] = ()
    birth_date: date | None = field(default=None, repr=False)

    @property
    def is_sound(self) -> bool:
        """Nothing is wrong but for warnings."""
        return not any(problem.is_error for problem in self.problems)

    @property
    def sex(self) -> Sex | None:
        """The sex that the sequence number tells: odd is male. None for an unsound number."""
        if not self.is_sound:
            return None
        return "male" if int(self.text[16]) % 2 else "female"

    @property
    def region(self) -> str:
        """The division code in which the number was first registered; empty for an unsound number."""
        return self.text[:6] if self.is_sound else ""

    def age_on(self, day: date) -> int:
        """Age in full years (周岁) on a day; whoever was born on 29 February turns on 1 March.

        :raises ValueError: the number is unsound and tells no birth date.
        """
        if self.birth_date is None:
            raise ValueError("an unsound citizen ID tells no age")
        born = self.birth_date
        return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def check_citizen_id(raw: object, on: date) -> CitizenId:
    """Check a citizen ID as it was typed or as a cell holds it; ``on`` is today.

    Source: GB 11643-1999; check digit by ISO 7064 MOD 11-2.
    """
    folded = fold_number(raw)
    text = folded.text
    if not text:
        return _refused(text, Problem("missing", "citizen_id"))
    if folded.damaged:
        return _refused(text, Problem("id_damaged_by_spreadsheet", "citizen_id"))
    if len(text) != _LENGTH:
        return _refused(text, _wrong_length(text))
    if not _FORM.fullmatch(text):
        return _refused(text, Problem("id_format", "citizen_id"))
    return _check_content(text, on)


def _check_content(text: str, on: date) -> CitizenId:
    problems = []
    born = _birth_date(text, on)
    if mod_11_2.calc_check_digit(text[:17]) != text[17]:
        # Excel writes a figure's lost digits as zeros: 18 digits that end in 000 and do not check.
        lost = text.endswith("000")
        problems.append(Problem("id_damaged_by_spreadsheet" if lost else "id_checksum", "citizen_id"))
    if born is None:
        problems.append(Problem("id_birth_date", "citizen_id"))
    if not problems and not text.startswith("9") and not is_known_region(text[:6]):
        problems.append(Problem("id_region_unknown", "citizen_id"))
    return CitizenId(text, tuple(problems), born)


def _birth_date(text: str, on: date) -> date | None:
    try:
        born = date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return None
    return born if on.year - _OLDEST_YEARS <= born.year and born <= on else None


def _wrong_length(text: str) -> Problem:
    facts: dict[str, str | int | float] = {"length": len(text)}
    if _OLD_FORM.fullmatch(text):
        facts["form"] = "old"
    elif _OLD_FOREIGN_CARD.fullmatch(text):
        facts["form"] = "old_foreign"
    elif _LIKE_A_CARD.fullmatch(text):
        facts["form"] = "card"
    return Problem("id_length", "citizen_id", facts)


def _refused(text: str, problem: Problem) -> CitizenId:
    return CitizenId(text, (problem,))


def masked_citizen_id(text: str) -> str:
    """A citizen ID for a list: only the last four characters, since more would narrow it to a few people.

    Hiding the birth date alone leaves 1,461 candidates (DOMAIN §7.2).
    """
    return "*" * (len(text) - 4) + text[-4:]
