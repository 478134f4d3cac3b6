"""Proposing and deciding (初步意见与定等): the county proposes, the base is heard, the city makes it final.

A proposal freezes every figure with numerator, denominator, day, rule version and source. Whoever
scored or proposed does not make it final, under whichever account; whoever made it final does not
overturn it.
"""

from __future__ import annotations

from typing import Any

from skills_registry.bases.parties import require_outsider
from skills_registry.evaluation import scorecard
from skills_registry.evaluation.counts import EmployedCount
from skills_registry.evaluation.evaluations import (
    EVALUATION,
    BaseComment,
    Evaluation,
    GradeProposal,
)
from skills_registry.evaluation.scorecard import Card, Figure, Outcome
from skills_registry.evaluation.scoring import figures_now, vetoes_of
from skills_registry.foundation import workdays
from skills_registry.foundation.acts import Act
from skills_registry.foundation.errors import FieldRefused, NotAllowed, RuleBroken, SeparationOfDuties
from skills_registry.foundation.lifecycle import move, people_in
from skills_registry.foundation.policy import Policy
from skills_registry.foundation.storage import database
from skills_registry.foundation.workdays import Deadline


class TooLittleCounted(RuleBroken):
    """Facts: ``weight``, ``least``, ``missing``."""

    code = "too_little_counted"
    zh = "有数据的指标权重合计只有{weight}，不足{least}，不能评定等次。缺：{missing}。"
    en = "The indicators that have figures weigh {weight}, less than {least}: no grade. Missing: {missing}."


class CommentsClosed(RuleBroken):
    """Facts: ``until``."""

    code = "comments_closed"
    zh = "反馈意见的期限已于{until}届满。"
    en = "The period for comments ended on {until}."


class CommentsOpen(RuleBroken):
    """Facts: ``until``."""

    code = "comments_open"
    zh = "基地可在{until}之前（含当日）反馈意见，期满或基地书面表示无异议后才能定等次。"
    en = "The base may comment until {until}; it becomes final after that, or once the base agrees."


class CommentUnanswered(FieldRefused):
    """The base objects to the proposal."""

    code = "comment_unanswered"
    zh = "基地对初步意见有异议，定等次时请写明答复。"
    en = "The base objects to the proposal; making it final needs an answer to it."


class AppealWorsens(RuleBroken):
    """An appeal never leaves the appellant worse off (行政复议法（2023）第六十三条)."""

    code = "appeal_worsens"
    zh = "申诉处理不得作出对申诉人更为不利的变更，且新等次须不同于原等次。"
    en = "An appeal never leaves the base worse off, and the new grade must differ from the old one."


def require_took_no_part(act: Act, evaluation: Evaluation, *actions: str) -> None:
    """:raises SeparationOfDuties: the caller did one of these acts on the evaluation, in any of its rounds."""
    if act.by.operator_id in people_in([evaluation.id], *actions):
        raise SeparationOfDuties()


def require_heard(act: Act, proposal: GradeProposal) -> None:
    """The base has had its say: it agrees, or its time has run out.

    :raises CommentsOpen: neither.
    """
    said = latest_comment(proposal)
    until = comments_until(act.policy, proposal)
    if act.today <= until.day and not (said and said.agrees):
        raise CommentsOpen(until=until.day)


def propose(
    act: Act, evaluation: Evaluation, summary: str, *, employed: EmployedCount | None = None
) -> GradeProposal:
    """The county proposes a grade: the figures are counted now and frozen; the base may comment from here on.

    :raises SeparationOfDuties: the caller is one of the base's clerks.
    :raises TooLittleCounted: too many indicators have no figures for a grade.
    :raises WrongState: it is not scored.
    """
    require_outsider(act, evaluation.base)
    card = scorecard.card_for(act.policy, evaluation.year)
    with database.atomic():
        move(act, EVALUATION, evaluation, "propose", reason=summary)
        _, found = figures_now(act.policy, evaluation, act.today, employed)
        vetoes = vetoes_of(evaluation)
        reached = scorecard.outcome(card, found, list(vetoes))
        if not vetoes:
            _require_enough(card, found, reached)
        return GradeProposal.create(
            evaluation=evaluation,
            as_of=act.today,
            policy_version=card.policy_version,
            rule_valid_from=card.rule.valid_from,
            rule_source=card.rule.source,
            figures=[figure.frozen(card, act.today) for figure in found],
            vetoes=vetoes,
            marks=reached.marks,
            weight=reached.weight,
            total=reached.total,
            grade=reached.grade,
            summary=summary,
            proposed_on=act.today,
            comment_days=card.rule["comment_working_days"],
        )


def _require_enough(card: Card, found: list[Figure], reached: Outcome) -> None:
    if reached.weight < card.rule["least_weight"]:
        missing = "、".join(figure.indicator.zh for figure in found if figure.marks is None)
        raise TooLittleCounted(weight=reached.weight, least=card.rule["least_weight"], missing=missing)


def comment(act: Act, evaluation: Evaluation, text: str, *, agrees: bool) -> BaseComment:
    """The base says what it thinks of the proposal, within its working days.

    :raises CommentsClosed: they have run out.
    :raises NotAllowed: the caller is no clerk of this base.
    :raises WrongState: there is no proposal to comment on.
    """
    if act.by.organisation_id != evaluation.base.organisation_id:
        raise NotAllowed()
    with database.atomic():
        move(act, EVALUATION, evaluation, "comment", detail={"agrees": agrees})
        proposal = require_proposal(evaluation)
        until = comments_until(act.policy, proposal)
        if act.today > until.day:
            raise CommentsClosed(until=until.day)
        return BaseComment.create(proposal=proposal, text=text, agrees=agrees, made_at=act.at)


def send_back(act: Act, evaluation: Evaluation, reason: str) -> Evaluation:
    """The city returns a proposal: the evaluation is scored and proposed anew. The old proposal is kept.

    :raises WrongState: nothing is proposed.
    """
    require_outsider(act, evaluation.base)
    with database.atomic():
        move(act, EVALUATION, evaluation, "return", reason=reason)
    return evaluation


def finalise(act: Act, evaluation: Evaluation, answer: str = "") -> Evaluation:
    """The city makes the proposed grade final; ``answer`` is what it says to the base's objection.

    :raises SeparationOfDuties: the caller scored or proposed it, or is one of the base's clerks.
    :raises CommentsOpen: the base has not been heard yet.
    :raises CommentUnanswered: the base objects, and there is no answer.
    :raises WrongState: nothing is proposed.
    """
    require_outsider(act, evaluation.base)
    require_took_no_part(act, evaluation, "score", "propose")
    with database.atomic():
        move(act, EVALUATION, evaluation, "finalise", reason=answer)
        proposal = require_proposal(evaluation)
        require_heard(act, proposal)
        said = latest_comment(proposal)
        if said is not None and not said.agrees and not answer.strip():
            raise CommentUnanswered(field="answer")
        evaluation.grade = proposal.grade
        evaluation.save(only=[Evaluation.grade])
    return evaluation


def overturn(act: Act, evaluation: Evaluation, grade: str, reason: str) -> Evaluation:
    """An appeal against the grade was upheld: another, better grade counts. The figures stay as they were.

    :raises FieldRefused: there is no such grade.
    :raises AppealWorsens: it is no better than the one appealed against.
    :raises SeparationOfDuties: the caller took part in the evaluation, or is one of the base's clerks.
    :raises WrongState: it is not final.
    """
    if grade not in scorecard.GRADES:
        raise FieldRefused(field="grade")
    require_outsider(act, evaluation.base)
    require_took_no_part(act, evaluation, "score", "propose", "return", "finalise")
    before = str(evaluation.grade)
    with database.atomic():
        move(act, EVALUATION, evaluation, "overturn", reason=reason, detail={"from": before, "to": grade})
        if _place(grade) >= _place(before):
            raise AppealWorsens()
        evaluation.grade = grade
        evaluation.save(only=[Evaluation.grade])
    return evaluation


def _place(grade: str) -> int:
    return list(scorecard.GRADES).index(grade)


def latest_proposal(evaluation: Evaluation) -> GradeProposal | None:
    """The proposal made last, or None; earlier ones were returned."""
    latest: GradeProposal | None = evaluation.proposals.order_by(GradeProposal.id.desc()).first()
    return latest


def proposals_of(evaluation: Evaluation) -> list[GradeProposal]:
    """Every proposal of an evaluation, the returned ones too, in order."""
    return list(evaluation.proposals.order_by(GradeProposal.id))


def recount(
    act: Act, evaluation: Evaluation, *, employed: EmployedCount | None = None
) -> tuple[list[dict[str, Any]], list[str]]:
    """The figures as they would be frozen now, and the indicators in which the last proposal has other numbers.

    While a proposal stands they are counted as of its day; what was scored is taken from the sheet.
    """
    proposal = latest_proposal(evaluation)
    in_draft = evaluation.status in ("open", "scored")
    as_of = act.today if in_draft or proposal is None else proposal.as_of
    card, found = figures_now(act.policy, evaluation, as_of, employed)
    now = [figure.frozen(card, as_of) for figure in found]
    if proposal is None:
        return now, []
    before = {figure["indicator"]: _numbers(figure) for figure in proposal.figures}
    return now, [f["indicator"] for f in now if _numbers(f) != before.get(f["indicator"])]


def _numbers(frozen: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(frozen[name] for name in ("state", "numerator", "denominator", "weight", "marks"))


def require_proposal(evaluation: Evaluation) -> GradeProposal:
    """The proposal made last, of an evaluation that is past proposing."""
    return (
        GradeProposal.select()
        .where(GradeProposal.evaluation == evaluation)
        .order_by(GradeProposal.id.desc())
        .get()
    )


def latest_comment(proposal: GradeProposal) -> BaseComment | None:
    """What the base said last to a proposal, or None."""
    latest: BaseComment | None = proposal.comments.order_by(BaseComment.id.desc()).first()
    return latest


def comments_until(policy: Policy, proposal: GradeProposal) -> Deadline:
    """The last day for the base's comments, computed anew so that it is exact once the calendar is known."""
    return workdays.after(proposal.proposed_on, proposal.comment_days, policy)


def comments_running(policy: Policy) -> list[tuple[Evaluation, Deadline]]:
    """The evaluations that wait for the base's comments or for the city, each with the last day for comments."""
    waiting = (
        GradeProposal.select(GradeProposal, Evaluation)
        .join(Evaluation)
        .where(Evaluation.status.in_(("proposed", "commented")))
        .order_by(Evaluation.id, GradeProposal.id)
    )
    # Of several rounds the last one counts: it comes last and stays.
    latest = {proposal.evaluation_id: proposal for proposal in waiting}
    return [(proposal.evaluation, comments_until(policy, proposal)) for proposal in latest.values()]
