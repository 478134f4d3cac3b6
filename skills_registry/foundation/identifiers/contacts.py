"""Phones (联系电话) and the sex as stated (性别): what a roster says beside the numbers. They only warn."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from skills_registry.foundation.identifiers.citizen_ids import Sex
from skills_registry.foundation.identifiers.folding import fold_number
from skills_registry.foundation.problems import Problem

_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_LANDLINE = re.compile(r"0[1-9][0-9]{1,2}[2-9][0-9]{6,7}")
_COUNTRY = re.compile(r"^(?:\+|00)86(?=[01])|^86(?=1[3-9][0-9]{9}$)")
_LONGEST_PHONE = 40

_SEXES: dict[str, Sex] = {
    **dict.fromkeys(("男", "男性", "M", "MALE", "1"), "male"),
    **dict.fromkeys(("女", "女性", "F", "FEMALE", "2"), "female"),
}


@dataclass(frozen=True)
class Phone:
    """A phone number as digits, or what was written when it is none; empty when not given."""

    text: str = field(repr=False)
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class SexStated:
    """The sex as the sheet states it; None when not given or not readable."""

    sex: Sex | None
    problems: tuple[Problem, ...] = ()


def check_phone(raw: object) -> Phone:
    """Check a mobile number (11 digits) or a landline with its area code; brackets and +86 fold away."""
    text = _COUNTRY.sub("", fold_number(raw).text.replace("(", "").replace(")", ""))
    if not text or _MOBILE.fullmatch(text) or _LANDLINE.fullmatch(text):
        return Phone(text)
    return Phone(text[:_LONGEST_PHONE], (Problem("phone_format", "phone"),))


def check_sex(raw: object) -> SexStated:
    """Read 男/女, their English forms, or the codes 1/2 of GB/T 2261.1."""
    text = fold_number(raw).text
    if not text:
        return SexStated(None)
    sex = _SEXES.get(text)
    return SexStated(sex, () if sex else (Problem("sex_format", "sex"),))
