"""Scoring (评分): the evaluator's sheet for what no record answers, and the figures as they stand now.

Whoever is a clerk of the base scores nothing. Below full marks, and wherever a score stands in for
records, the sheet says why; the base reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from skills_registry.bases.parties import require_outsider
from skills_registry.evaluation import scorecard
from skills_registry.evaluation.counts import EmployedCount, Question, count
from skills_registry.evaluation.evaluations import (
    EVALUATION,
    Evaluation,
    EvaluationScore,
)
from skills_registry.evaluation.scorecard import Card, Figure, Mark
from skills_registry.foundation.acts import Act
from skills_registry.foundation.errors import FieldRefused, RuleBroken
from skills_registry.foundation.lifecycle import move
from skills_registry.foundation.policy import Policy
from skills_registry.foundation.storage import database


@dataclass(frozen=True)
class Given:
    """One line of an evaluator's sheet: an indicator's marks, and the finding behind them."""

    indicator: str
    marks: Decimal
    remark: str = ""


class NotScored(RuleBroken):
    """Facts: ``indicators``."""

    code = "not_scored"
    zh = "还有指标没有评分：{indicators}。"
    en = "These indicators are not scored yet: {indicators}."


class DeductionUnexplained(FieldRefused):
    """Facts: ``indicator``."""

    code = "deduction_unexplained"
    zh = "“{indicator}”未给满分，或登记数据不足而由评估人员评分，请写明依据。"
    en = "'{indicator}' is below its full marks, or scored in place of the records: state the finding."


class CountedByRecords(FieldRefused):
    """Facts: ``indicator``."""

    code = "counted_by_records"
    zh = "“{indicator}”按登记数据计算，不能另行评分。"
    en = "'{indicator}' is counted from the records and cannot be scored."


def score(
    act: Act, evaluation: Evaluation, given: Sequence[Given], vetoes: Mapping[str, str] | None = None
) -> Evaluation:
    """Hand in an evaluator's sheet, in place of an earlier one; ``vetoes`` maps a veto item to its finding.

    :raises FieldRefused: an unknown or doubled indicator or veto item, or marks beyond the weight.
    :raises CountedByRecords: the records answer this indicator.
    :raises DeductionUnexplained: a deduction, or a score in place of the records, without a remark.
    :raises NotScored: an indicator that only evaluators can score is missing.
    """
    require_outsider(act, evaluation.base)
    card = scorecard.card_for(act.policy, evaluation.year)
    findings = dict(vetoes or {})
    _require_sound_sheet(card, given, findings)
    with database.atomic():
        told = {"marks": {line.indicator: str(line.marks) for line in given}, "vetoes": sorted(findings)}
        move(act, EVALUATION, evaluation, "score", detail=told)
        EvaluationScore.delete().where(EvaluationScore.evaluation == evaluation).execute()
        for line in given:
            EvaluationScore.create(
                evaluation=evaluation, item=line.indicator, marks=line.marks, remark=line.remark
            )
        for item, finding in findings.items():
            EvaluationScore.create(evaluation=evaluation, item=item, marks=None, remark=finding)
    return evaluation


def _require_sound_sheet(card: Card, given: Sequence[Given], findings: Mapping[str, str]) -> None:
    named = [line.indicator for line in given]
    if len(named) != len(set(named)):
        raise FieldRefused(field="indicator")
    for line in given:
        _require_sound_line(card, line)
    if any(item not in card.vetoes or not finding.strip() for item, finding in findings.items()):
        raise FieldRefused(field="vetoes")
    missing = [i.zh for i in card.indicators if i.by == "evaluator" and i.code not in named]
    if missing:
        raise NotScored(indicators="、".join(missing))


def _require_sound_line(card: Card, line: Given) -> None:
    indicator = card.indicator(line.indicator)
    if not indicator.may_be_scored:
        raise CountedByRecords(field="indicator", indicator=indicator.zh)
    if not 0 <= line.marks <= indicator.weight or line.marks % Decimal("0.1"):
        raise FieldRefused(field="marks")
    full = line.marks == indicator.weight and indicator.by == "evaluator"
    if not full and not line.remark.strip():
        raise DeductionUnexplained(field="remark", indicator=indicator.zh)


def vetoes_of(evaluation: Evaluation) -> dict[str, str]:
    """The veto findings on the evaluator's sheet: item and finding."""
    return {s.item: s.remark for s in evaluation.scores.order_by(EvaluationScore.id) if s.marks is None}


def marks_of(evaluation: Evaluation) -> dict[str, Mark]:
    """The evaluator's marks by indicator."""
    return {
        s.item: Mark(s.marks, s.remark)
        for s in evaluation.scores.order_by(EvaluationScore.id)
        if s.marks is not None
    }


def figures_now(
    policy: Policy, evaluation: Evaluation, as_of: date, employed: EmployedCount | None = None
) -> tuple[Card, list[Figure]]:
    """Every indicator as the records and the evaluator's sheet have it now, with the card it is judged by."""
    card = scorecard.card_for(policy, evaluation.year)
    asked = Question((evaluation.base_id,), evaluation.year, as_of, card, employed)
    return card, scorecard.figures(card, count(asked)[evaluation.base_id], marks_of(evaluation))
