"""Disability card numbers (残疾人证号): the citizen ID, one digit of category, one of grade.

Re-issued cards carry one digit more, or B and a digit (DOMAIN §2.2). The number changes when
category or grade is assessed again, so it is never the key of a person; it tells the disability, so
it is never shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from skills_registry.foundation.identifiers.folding import fold_number
from skills_registry.foundation.problems import Problem

_FORM = re.compile(
    r"(?P<citizen_id>[0-9]{17}[0-9X])(?P<category>[1-7])(?P<grade>[1-4])(?P<reissue>[0-9]|B[0-9])?"
)
#: Twenty digits of which a spreadsheet kept fifteen.
_LOST_DIGITS = re.compile(r"[0-9]{15}0{5}")


@dataclass(frozen=True)
class DisabilityCard:
    """A checked card number; the parts are empty when the number is unsound or not given.

    ``category``: 1 visual, 2 hearing, 3 speech, 4 physical, 5 intellectual, 6 mental, 7 multiple.
    ``grade``: 1 (most severe) to 4. ``reissue``: what is appended after the twentieth character.
    """

    text: str = field(repr=False)
    problems: tuple[Problem, ...] = ()
    citizen_id: str = field(default="", repr=False)
    category: str = field(default="", repr=False)
    grade: str = field(default="", repr=False)
    reissue: str = field(default="", repr=False)


def check_disability_card(raw: object, citizen_id: str = "") -> DisabilityCard:
    """Check a card number; with a sound ``citizen_id`` also that both are one person's (人证相符).

    An empty cell is no problem: the card is optional. Source: 中国残联 card coding rule.
    """
    folded = fold_number(raw)
    if not folded.text:
        return DisabilityCard("")
    if folded.damaged or _LOST_DIGITS.fullmatch(folded.text):
        return DisabilityCard(folded.text, (Problem("card_damaged_by_spreadsheet", "disability_card"),))
    parts = _FORM.fullmatch(folded.text)
    if parts is None:
        return DisabilityCard(folded.text, (Problem("card_format", "disability_card"),))
    differs = bool(citizen_id) and parts["citizen_id"] != citizen_id
    return DisabilityCard(
        folded.text,
        (Problem("card_id_mismatch", "disability_card"),) if differs else (),
        citizen_id=parts["citizen_id"],
        category=parts["category"],
        grade=parts["grade"],
        reissue=parts["reissue"] or "",
    )
