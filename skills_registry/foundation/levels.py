"""Skill levels (职业技能等级): five names, their digit on paper and an explicit rank.

The digit runs against the rank (五级 is the lowest, 一级 the highest), so nothing may compare
digits. Rank is the step on the eight-grade ladder of 2022 (学徒工 1 … 首席技师 8, DOMAIN §3.2), which
leaves its place to every grade that has no digit.
"""

from __future__ import annotations

from dataclasses import dataclass

from skills_registry.foundation.errors import FieldRefused


@dataclass(frozen=True)
class Level:
    """One level; ``digit`` is the number in its name, ``rank`` rises with skill."""

    digit: int
    rank: int
    zh: str
    en: str


LEVELS: dict[str, Level] = {
    "level5_junior": Level(5, 2, "五级/初级工", "Level 5 (junior)"),
    "level4_intermediate": Level(4, 3, "四级/中级工", "Level 4 (intermediate)"),
    "level3_senior": Level(3, 4, "三级/高级工", "Level 3 (senior)"),
    "level2_technician": Level(2, 5, "二级/技师", "Level 2 (technician)"),
    "level1_senior_technician": Level(1, 6, "一级/高级技师", "Level 1 (senior technician)"),
}

#: The level that a digit on paper or in a statement names.
BY_DIGIT: dict[int, str] = {level.digit: code for code, level in LEVELS.items()}


def level(code: str) -> Level:
    """The level of that code.

    :raises FieldRefused: there is no such level.
    """
    try:
        return LEVELS[code]
    except KeyError:
        raise FieldRefused(
            code="unknown_level",
            zh="没有这个技能等级，请从 {levels} 中选择。",
            en="There is no such level; choose one of {levels}.",
            field="level",
            levels="、".join(LEVELS),
        ) from None


def rank(code: str) -> int:
    """How high a level stands; a larger rank is more skill. The only way to compare levels.

    :raises FieldRefused: there is no such level.
    """
    return level(code).rank
