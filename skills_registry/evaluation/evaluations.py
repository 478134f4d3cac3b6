"""The yearly evaluation (年度评估) of a listed base: opened, scored, proposed, heard, final.

    open       the county or the city opens it, once the year is over and the base was listed in it
    scored     a county evaluator hands in marks for what no record answers, and veto findings
    proposed   the county proposes: every figure is counted now and frozen, with the grade they come to
    commented  the base has read the proposal and said what it thinks of it
    final      the city makes it final when the base has been heard, by a person who took no part so far
    overturned an appeal gave another grade

The figures of a proposal never change: when records change later, a new count shows other numbers
beside the frozen ones. Returned by the city, an evaluation is scored and proposed anew.
"""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from peewee import (
    BooleanField,
    CharField,
    DateField,
    DecimalField,
    ForeignKeyField,
    IntegerField,
    IntegrityError,
    JSONField,
    ModelSelect,
    TextField,
)

from skills_registry.bases import Base, Listing
from skills_registry.evaluation import plans, scorecard
from skills_registry.foundation.acts import Act, Role, require_role
from skills_registry.foundation.errors import RuleBroken
from skills_registry.foundation.lifecycle import Lifecycle, Move, begin
from skills_registry.foundation.policy import Policy
from skills_registry.foundation.storage import InstantField, Record, database

_CLERK: frozenset[Role] = frozenset({"base_clerk"})
_COUNTY: frozenset[Role] = frozenset({"county_officer"})
_CITY: frozenset[Role] = frozenset({"city_officer"})

EVALUATION = Lifecycle(
    noun="evaluation",
    zh="年度评估",
    states={
        "open": ("评估中", "open"),
        "scored": ("已评分", "scored"),
        "proposed": ("已提出初步意见，征求基地意见", "proposed, open to the base's comments"),
        "commented": ("基地已反馈意见", "commented by the base"),
        "final": ("已定等次", "final"),
        "overturned": ("经申诉变更", "overturned on appeal"),
    },
    moves=(
        Move("score", "open", "scored", _COUNTY),
        Move("score", "scored", "scored", _COUNTY),
        Move("propose", "scored", "proposed", _COUNTY),
        Move("comment", "proposed", "commented", _CLERK),
        Move("comment", "commented", "commented", _CLERK),
        Move("return", "proposed", "open", _CITY),
        Move("return", "commented", "open", _CITY),
        Move("finalise", "proposed", "final", _CITY),
        Move("finalise", "commented", "final", _CITY),
        Move("overturn", "final", "overturned", _CITY),
    ),
)

#: States in which the grade counts.
DECIDED = ("final", "overturned")


class Evaluation(Record):
    """The evaluation of one base for one year; ``grade`` stands once it is final."""

    base = ForeignKeyField(Base, backref="evaluations", on_delete="RESTRICT")
    year = IntegerField()
    status = CharField(max_length=20, default=EVALUATION.first)
    grade = CharField(max_length=30, null=True)
    opened_at = InstantField()
    base_id: UUID
    scores: ModelSelect[EvaluationScore]
    proposals: ModelSelect[GradeProposal]

    class Meta:
        indexes = ((("base", "year"), True),)


class EvaluationScore(Record):
    """An evaluator's marks for one indicator, or the finding under one veto item (then ``marks`` is null)."""

    evaluation = ForeignKeyField(Evaluation, backref="scores", on_delete="RESTRICT")
    item = CharField(max_length=40)
    marks = DecimalField(max_digits=5, decimal_places=1, null=True)
    remark = TextField(default="")

    class Meta:
        indexes = ((("evaluation", "item"), True),)


class GradeProposal(Record):
    """What was proposed, frozen: figures as counted on ``as_of``, veto findings, total and grade.

    ``comment_days`` are the working days that the base has from ``proposed_on``.
    """

    evaluation = ForeignKeyField(Evaluation, backref="proposals", on_delete="RESTRICT")
    as_of = DateField()
    policy_version = CharField(max_length=12)
    rule_valid_from = DateField()
    rule_source = TextField()
    figures = JSONField()
    vetoes = JSONField()
    marks = DecimalField(max_digits=7, decimal_places=2)
    weight = DecimalField(max_digits=7, decimal_places=2)
    total = DecimalField(max_digits=5, decimal_places=2, null=True)
    grade = CharField(max_length=30)
    summary = TextField()
    proposed_on = DateField()
    comment_days = IntegerField()
    evaluation_id: UUID
    comments: ModelSelect[BaseComment]


class BaseComment(Record):
    """What the base says to a proposal; ``agrees`` means that it has nothing against it (无异议)."""

    proposal = ForeignKeyField(GradeProposal, backref="comments", on_delete="RESTRICT")
    text = TextField()
    agrees = BooleanField()
    made_at = InstantField()


class YearNotOver(RuleBroken):
    """Facts: ``year``."""

    code = "year_not_over"
    zh = "{year}年尚未结束，年度评估在次年进行。"
    en = "{year} is not over; a year is evaluated in the next one."


class NotListedInYear(RuleBroken):
    """Facts: ``year``."""

    code = "not_listed_in_year"
    zh = "该基地{year}年没有挂牌，不参加该年度评估。"
    en = "The base was not listed in {year}, so that year is not evaluated."


class EvaluationOnRecord(RuleBroken):
    """Facts: ``year``."""

    code = "evaluation_on_record"
    zh = "该基地{year}年度评估已经启动。"
    en = "The evaluation of this base for {year} is open already."


class PlanSettled(RuleBroken):
    """Facts: ``year``."""

    code = "plan_settled"
    zh = "{year}年度评估已提出初步意见，年度计划不能再改。"
    en = "The evaluation for {year} is proposed; the plan of that year can no longer be changed."


def require_listed_in(base: Base, year: int) -> None:
    """:raises NotListedInYear: no confirmed listing covers a single day of that year."""
    if not _listed_in(year).where(Listing.base == base).exists():
        raise NotListedInYear(year=year)


def set_plan(act: Act, base: Base, year: int, persons: int, reason: str = "") -> plans.YearlyPlan:
    """Enter how many persons a base is to train in a year; an earlier number is replaced with a reason.

    :raises PlanSettled: an evaluation that rests on it is proposed already.
    :raises FieldRefused: the number is not positive, or a change comes without a reason.
    """
    with database.atomic():
        _hold_unsettled(base, year)
        return plans.enter_plan(act, base, year, persons, reason)


def _hold_unsettled(base: Base, year: int) -> None:
    # The first write: a proposal that is being made counts the plan before this change or after it, never both.
    resting = Evaluation.update(year=year).where((Evaluation.base == base) & (Evaluation.year == year))
    if resting.execute() != resting.where(Evaluation.status.in_(("open", "scored"))).execute():
        raise PlanSettled(year=year)


def open_evaluation(act: Act, base: Base, year: int) -> Evaluation:
    """Open the evaluation of a base for a year that is over.

    :raises NotListedInYear: the base was not on the list on any day of it.
    :raises YearNotOver: it is too early.
    :raises EvaluationOnRecord: it is open already.
    """
    require_role(act, "county_officer", "city_officer")
    scorecard.card_for(act.policy, year)
    if act.today.year <= year:
        raise YearNotOver(year=year)
    require_listed_in(base, year)
    try:
        with database.atomic():
            evaluation: Evaluation = Evaluation.create(base=base, year=year, opened_at=act.at)
            begin(act, EVALUATION, evaluation, "open", detail={"year": year})
    except IntegrityError as error:
        raise EvaluationOnRecord(year=year) from error
    return evaluation


def evaluation_of(base: Base, year: int) -> Evaluation | None:
    """The evaluation of a base for a year, or None."""
    return Evaluation.get_or_none((Evaluation.base == base) & (Evaluation.year == year))


def grades_of(base: Base) -> list[tuple[int, str]]:
    """The grades that count, by year; an overturned grade is the one that the appeal gave."""
    decided = (
        Evaluation.select()
        .where((Evaluation.base == base) & Evaluation.status.in_(DECIDED))
        .order_by(Evaluation.year)
    )
    return [(evaluation.year, str(evaluation.grade)) for evaluation in decided]


def failing_years(base: Base) -> int:
    """How many years in a row, up to the one evaluated last, the base was unqualified.

    A year without a grade breaks the row. As many as :func:`failing_years_for_exit` are a ground for exit.
    """
    row = 0
    following: int | None = None
    for year, grade in reversed(grades_of(base)):
        if grade != "unqualified" or (following is not None and year != following - 1):
            break
        row, following = row + 1, year
    return row


def failing_years_for_exit(policy: Policy, on: date) -> int:
    """How many unqualified years in a row are a ground for exit, by the rule in force on a day."""
    return int(policy.rule("evaluation", on)["failing_years_for_exit"])


def final_by(policy: Policy, year: int) -> date:
    """The day of the next year by which the evaluation of a year should be final."""
    month, day = map(int, scorecard.card_for(policy, year).rule["final_by"].split("-"))
    return date(year + 1, month, day)


def unevaluated(year: int) -> list[Base]:
    """The bases listed in a year whose evaluation is not yet final, in order of their number."""
    decided = Evaluation.select(Evaluation.base).where(
        (Evaluation.year == year) & Evaluation.status.in_(DECIDED)
    )
    listed = _listed_in(year).select(Listing.base)
    return list(Base.select().where(Base.id.in_(listed) & Base.id.not_in(decided)).order_by(Base.number))


def _listed_in(year: int) -> Any:
    """The confirmed listings that cover at least one day of a year."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    begun = (Listing.valid_from <= last) & (Listing.valid_until >= first)
    # ``left_on`` is the first day off the list: leaving on New Year's Day, a base was not listed in that year.
    still = Listing.left_on.is_null() | ((Listing.left_on > first) & (Listing.left_on > Listing.valid_from))
    return Listing.select().where((Listing.status != "entered") & begun & still)


def evaluations_of_bases(base_ids: list[UUID]) -> Any:
    """The evaluations of these bases, in order of opening, as a query."""
    return (
        Evaluation.select(Evaluation, Base)
        .join(Base)
        .where(Evaluation.base.in_(base_ids))
        .order_by(Evaluation.id)
    )
