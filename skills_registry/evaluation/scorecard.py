"""The scorecard (评分表): indicators, weights, veto items and grades of a year, and how figures become a grade.

No database here: counted numbers and evaluators' marks come in, figures come out. The same numbers
under the same rule always give the same figures, so that anybody can compute a grade again.

A rate without figures is no zero: an indicator whose day has not come, or that no record answers,
is shown as such and its weight is left out of the sum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from skills_registry.foundation.errors import FieldRefused
from skills_registry.foundation.policy import Policy, Rule

GRADES: dict[str, tuple[str, str]] = {
    "excellent": ("优秀", "excellent"),
    "qualified": ("合格", "qualified"),
    "basically_qualified": ("基本合格", "basically qualified"),
    "unqualified": ("不合格", "unqualified"),
}

#: Where the marks of an indicator come from, or why it has none.
FIGURE_STATES: dict[str, tuple[str, str]] = {
    "counted": ("按登记数据计算", "counted from the records"),
    "scored": ("评估人员评分", "scored by an evaluator"),
    "not_yet_scored": ("待评分", "not yet scored"),
    "not_yet_due": ("未到统计期，不计入", "not yet due, left out"),
    "no_data": ("暂无数据，不计入", "no figures, left out"),
}

_CENT = Decimal("0.01")


@dataclass(frozen=True)
class Indicator:
    """One line of the scorecard; ``rule`` holds whatever else the policy says about it."""

    code: str
    zh: str
    en: str
    weight: Decimal
    by: str
    rule: Mapping[str, Any]

    @property
    def counts(self) -> str:
        """The name of the count that answers it, or nothing for one that evaluators score."""
        return str(self.rule["counts"]) if self.by == "records" else ""

    @property
    def may_be_scored(self) -> bool:
        """Whether an evaluator may score it: always, or where the records have no figure."""
        return self.by == "evaluator" or self.rule.get("otherwise") == "evaluator"


@dataclass(frozen=True)
class Card:
    """The scorecard that held in one year, and the version of the policy file that it was read from."""

    rule: Rule
    policy_version: str
    indicators: tuple[Indicator, ...]

    def indicator(self, code: str) -> Indicator:
        """:raises FieldRefused: the card has no such indicator."""
        found = next((indicator for indicator in self.indicators if indicator.code == code), None)
        if found is None:
            raise FieldRefused(field="indicator")
        return found

    @property
    def vetoes(self) -> dict[str, tuple[str, str]]:
        """The veto items (否决项): each of them alone makes a base unqualified."""
        return {veto["code"]: (veto["zh"], veto["en"]) for veto in self.rule["vetoes"]}


@dataclass(frozen=True)
class Counted:
    """What the records say for one indicator: plain numbers, with what else belongs beside them."""

    numerator: Decimal | None
    denominator: Decimal | None
    detail: Mapping[str, Any] = field(default_factory=dict)
    due: bool = True


@dataclass(frozen=True)
class Mark:
    """What an evaluator gave: marks from 0 to the weight, and the finding behind them."""

    marks: Decimal
    remark: str


@dataclass(frozen=True)
class Figure:
    """One indicator of one base and year: ``value`` in percent, ``marks`` of ``weight``; None = no figure."""

    indicator: Indicator
    state: str
    numerator: Decimal | None = None
    denominator: Decimal | None = None
    marks: Decimal | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    remark: str = ""

    @property
    def value(self) -> Decimal | None:
        """Numerator over denominator in percent, to two decimals."""
        if self.numerator is None or not self.denominator:
            return None
        return _rounded(100 * self.numerator / self.denominator)

    def frozen(self, card: Card, as_of: date) -> dict[str, Any]:
        """The figure as it is kept: decimals as text, with its day, rule version and source."""
        return {
            "indicator": self.indicator.code,
            "zh": self.indicator.zh,
            "en": self.indicator.en,
            "state": self.state,
            "numerator": _text(self.numerator),
            "denominator": _text(self.denominator),
            "value": _text(self.value),
            "weight": _text(self.indicator.weight),
            "marks": _text(self.marks),
            "detail": dict(self.detail),
            "remark": self.remark,
            "as_of": as_of.isoformat(),
            "policy_version": card.policy_version,
            "rule_valid_from": card.rule.valid_from.isoformat(),
            "rule_source": card.rule.source,
        }


@dataclass(frozen=True)
class Outcome:
    """What the figures come to: ``marks`` of ``weight`` counted, ``total`` in percent (None = nothing counted)."""

    marks: Decimal
    weight: Decimal
    total: Decimal | None
    grade: str | None


def card_for(policy: Policy, year: int) -> Card:
    """The scorecard of a year: the rule in force on its last day.

    :raises NoRuleInForce: the policy has none.
    """
    rule = policy.rule("evaluation", date(year, 12, 31))
    indicators = tuple(
        Indicator(
            code=line["code"],
            zh=line["zh"],
            en=line["en"],
            weight=Decimal(str(line["weight"])),
            by=line["by"],
            rule=line,
        )
        for line in rule["indicators"]
    )
    return Card(rule, policy.version, indicators)


def figures(card: Card, counted: Mapping[str, Counted], marks: Mapping[str, Mark]) -> list[Figure]:
    """Every indicator of the card with its figure, from counts (by their name) and evaluators' marks."""
    return [
        _scored(indicator, marks.get(indicator.code))
        if indicator.by == "evaluator"
        else _from_records(indicator, counted[indicator.counts], marks.get(indicator.code))
        for indicator in card.indicators
    ]


def _scored(indicator: Indicator, mark: Mark | None, **more: Any) -> Figure:
    if mark is None:
        return Figure(indicator, "not_yet_scored", denominator=indicator.weight, **more)
    return Figure(
        indicator, "scored", mark.marks, indicator.weight, _rounded(mark.marks), remark=mark.remark, **more
    )


def _from_records(indicator: Indicator, found: Counted, mark: Mark | None) -> Figure:
    if not found.due:
        return Figure(indicator, "not_yet_due", found.numerator, found.denominator, detail=found.detail)
    if found.numerator is None or not found.denominator:
        # Where nobody was trained there is nothing that an evaluator could judge in the records' place.
        nobody = found.detail.get("opened_headcount") == 0
        if mark is not None and indicator.may_be_scored and not nobody:
            return _scored(indicator, mark, detail=found.detail)
        return Figure(indicator, "no_data", found.numerator, found.denominator, detail=found.detail)
    reached = 100 * found.numerator / found.denominator / Decimal(indicator.rule["full_at"])
    marks = _rounded(indicator.weight * min(Decimal(1), reached))
    return Figure(indicator, "counted", found.numerator, found.denominator, marks, found.detail)


def outcome(card: Card, found: Sequence[Figure], vetoes: Sequence[str]) -> Outcome:
    """Marks over the weights that counted, and the grade: a veto item alone makes it unqualified.

    The grade follows the total as it is printed, rounded half up to two decimals.
    """
    given = [figure for figure in found if figure.marks is not None]
    weight = sum((figure.indicator.weight for figure in given), Decimal(0))
    marks = sum((figure.marks for figure in given if figure.marks is not None), Decimal(0))
    total = _rounded(100 * marks / weight) if weight else None
    return Outcome(marks, weight, total, "unqualified" if vetoes else _grade(card, total))


def _grade(card: Card, total: Decimal | None) -> str | None:
    if total is None:
        return None
    reached = (str(grade["code"]) for grade in card.rule["grades"] if total >= grade["at_least"])
    return next(reached, "unqualified")


def _rounded(number: Decimal) -> Decimal:
    return number.quantize(_CENT, ROUND_HALF_UP)


def _text(number: Decimal | None) -> str | None:
    """A decimal without needless zeros: 28, 13.5, 93.33."""
    return None if number is None else f"{number.normalize():f}"
