"""Endpoints for yearly plans and the yearly evaluation (年度评估) of bases.

A base sees its evaluation from the proposal on; the evaluator's sheet before that is the federation's.
"""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from api.bases import reachable_base
from api.bodies import Prose, Text
from api.callers import API_PREFIX, EVERYONE, OFFICERS, act, for_roles, reachable_bases, require_reach
from api.lists import PageQuery, page, page_of
from api.problems import language
from api.shapes import ReasonSchema, StepSchema, show_step
from skills_registry import employment, evaluation
from skills_registry.evaluation import (
    EVALUATION,
    GRADES,
    EmployedCount,
    Evaluation,
    Given,
    GradeProposal,
    YearlyPlan,
)
from skills_registry.foundation.lifecycle import steps_of
from skills_registry.foundation.storage import require_found

blueprint = Blueprint(
    "evaluations", __name__, url_prefix=API_PREFIX, description="年度评估 (yearly evaluation of bases)"
)

YEAR = validate.Range(2012, 2100)


class YearlyPlanSchema(Schema):
    """How many distinct persons (培训人数) a base is to train in a year."""

    id = fields.String(dump_only=True)
    year = fields.Integer(required=True, validate=YEAR)
    persons = fields.Integer(required=True, validate=validate.Range(1, 100_000))
    reason = Prose(load_default="", load_only=True, validate=validate.Length(0, 500))


class YearlyPlansSchema(Schema):
    """The plans of a base, by year."""

    items = fields.List(fields.Nested(YearlyPlanSchema))


class EvaluationFigureSchema(Schema):
    """One indicator with numerator, denominator, day and rule; numbers are decimals as text, null = no figure.

    ``value`` is in percent; ``state`` says where the marks come from, or why there are none.
    """

    indicator = fields.String()
    name = fields.String()
    state = fields.String(validate=validate.OneOf(evaluation.FIGURE_STATES))
    state_text = fields.String()
    numerator = fields.String(allow_none=True)
    denominator = fields.String(allow_none=True)
    value = fields.String(allow_none=True)
    weight = fields.String()
    marks = fields.String(allow_none=True)
    detail = fields.Dict(keys=fields.String())
    remark = fields.String()
    as_of = fields.String(metadata={"format": "date"})
    policy_version = fields.String()
    rule_valid_from = fields.String(metadata={"format": "date"})
    rule_source = fields.String()


class VetoFindingSchema(Schema):
    """A veto item (否决项) and what was found."""

    item = Text(required=True, validate=validate.Length(1, 40))
    finding = Prose(required=True, validate=validate.Length(1, 2000))


class EvaluationScoreSchema(Schema):
    """One line of the evaluator's sheet."""

    indicator = Text(required=True, validate=validate.Length(1, 40))
    marks = fields.Decimal(required=True, places=None, as_string=True)
    remark = Prose(load_default="", validate=validate.Length(0, 2000))


class EvaluationSheetSchema(Schema):
    """The evaluator's sheet: every indicator that no record answers, and veto findings."""

    scores = fields.List(fields.Nested(EvaluationScoreSchema), required=True, validate=validate.Length(1, 50))
    vetoes = fields.List(fields.Nested(VetoFindingSchema), load_default=[], validate=validate.Length(0, 20))


class GradeSummarySchema(Schema):
    """What the county says to its proposal."""

    summary = Prose(required=True, validate=validate.Length(1, 2000))


class EvaluationCommentSchema(Schema):
    """What the base says to the proposal; ``agrees`` = it has nothing against it (无异议)."""

    text = Prose(required=True, validate=validate.Length(1, 2000))
    agrees = fields.Boolean(required=True)
    made_at = fields.DateTime(dump_only=True)


class EvaluationAnswerSchema(Schema):
    """What the city says to the base's objection."""

    answer = Prose(load_default="", validate=validate.Length(0, 2000))


class GradeProposalSchema(Schema):
    """A proposal as it was frozen: ``marks`` of the ``weight`` that counted come to ``total`` percent."""

    as_of = fields.Date()
    proposed_on = fields.Date()
    comments_until = fields.Date()
    provisional = fields.Boolean(metadata={"description": "期限所在年度的节假日尚未公布"})
    policy_version = fields.String()
    rule_valid_from = fields.Date()
    rule_source = fields.String()
    figures = fields.List(fields.Nested(EvaluationFigureSchema))
    vetoes = fields.List(fields.Nested(VetoFindingSchema))
    marks = fields.Decimal(places=2, as_string=True)
    weight = fields.Decimal(places=2, as_string=True)
    total = fields.Decimal(places=2, as_string=True, allow_none=True)
    grade = fields.String()
    summary = fields.String()
    comments = fields.List(fields.Nested(EvaluationCommentSchema))


class EvaluationOpeningSchema(Schema):
    """Which year to evaluate."""

    year = fields.Integer(required=True, validate=YEAR)


class EvaluationSchema(Schema):
    """An evaluation; ``grade`` stands once it is final."""

    id = fields.String()
    base_id = fields.String()
    base_name = fields.String()
    year = fields.Integer()
    status = fields.String()
    status_text = fields.String()
    grade = fields.String(allow_none=True)
    grade_text = fields.String(allow_none=True)
    scores = fields.List(fields.Nested(EvaluationScoreSchema))
    vetoes = fields.List(fields.Nested(VetoFindingSchema))
    proposals = fields.List(fields.Nested(GradeProposalSchema))
    steps = fields.List(fields.Nested(StepSchema))


class EvaluationRecountSchema(Schema):
    """The figures as records and sheet have them now; ``differs`` names those unlike the last proposal's."""

    figures = fields.List(fields.Nested(EvaluationFigureSchema))
    differs = fields.List(fields.String())


class EvaluationQuery(PageQuery):
    """Filters of the list of evaluations."""

    year = fields.Integer(load_default=None, validate=YEAR)
    status = Text(load_default=None, validate=validate.OneOf(EVALUATION.states))
    grade = Text(load_default=None, validate=validate.OneOf(GRADES))


#: One schema for both lists.
EVALUATIONS = page_of(EvaluationSchema)


def _in_language(words: tuple[str, str]) -> str:
    return words[language() == "en"]


def show_plan(plan: YearlyPlan) -> dict[str, Any]:
    """A yearly plan as the API answers it."""
    return {"id": str(plan.id), "year": plan.year, "persons": plan.persons}


def show_figure(frozen: dict[str, Any]) -> dict[str, Any]:
    """A frozen figure in the caller's language."""
    return frozen | {
        "name": _in_language((frozen["zh"], frozen["en"])),
        "state_text": _in_language(evaluation.FIGURE_STATES[frozen["state"]]),
    }


def show_vetoes(vetoes: dict[str, str]) -> list[dict[str, str]]:
    """Veto findings as the API answers them."""
    return [{"item": item, "finding": finding} for item, finding in vetoes.items()]


def show_proposal(proposal: GradeProposal) -> dict[str, Any]:
    """A frozen proposal with the base's comments."""
    until = evaluation.comments_until(act().policy, proposal)
    own = ("as_of", "proposed_on", "policy_version", "rule_valid_from", "rule_source")
    return {
        **{name: getattr(proposal, name) for name in (*own, "marks", "weight", "total", "grade", "summary")},
        "comments_until": until.day,
        "provisional": until.provisional,
        "figures": [show_figure(figure) for figure in proposal.figures],
        "vetoes": show_vetoes(proposal.vetoes),
        "comments": [
            {"text": said.text, "agrees": said.agrees, "made_at": said.made_at} for said in proposal.comments
        ],
    }


def show_evaluation(found: Evaluation) -> dict[str, Any]:
    """An evaluation as a list shows it."""
    return {
        "id": str(found.id),
        "base_id": str(found.base_id),
        "base_name": found.base.name,
        "year": found.year,
        "status": found.status,
        "status_text": _in_language(EVALUATION.states[found.status]),
        "grade": found.grade,
        "grade_text": _in_language(GRADES[found.grade]) if found.grade else None,
    }


def show_whole_evaluation(found: Evaluation) -> dict[str, Any]:
    """An evaluation with its proposals and history, and for the federation the evaluator's sheet."""
    shown = show_evaluation(found) | {
        "proposals": [show_proposal(proposal) for proposal in evaluation.proposals_of(found)],
        "steps": [show_step(step) for step in steps_of(found.id)],
    }
    if act().by.role == "base_clerk":
        return shown
    marks = evaluation.marks_of(found)
    return shown | {
        "scores": [
            {"indicator": code, "marks": f"{mark.marks:.1f}", "remark": mark.remark}
            for code, mark in marks.items()
        ],
        "vetoes": show_vetoes(evaluation.vetoes_of(found)),
    }


def reachable_evaluation(evaluation_id: str) -> Evaluation:
    """The evaluation with this id, if its base is the caller's business."""
    found = require_found(Evaluation, evaluation_id)
    require_reach(found.base)
    return found


def _employed(found: Evaluation) -> EmployedCount | None:
    return employment.count_for(act().policy, found.year)


@blueprint.route("/bases/<base_id>/yearly-plans", methods=["GET"])
@for_roles(*EVERYONE)
@blueprint.response(200, YearlyPlansSchema)
def list_plans(base_id: str) -> dict[str, Any]:
    """The yearly plans of a base."""
    return {"items": [show_plan(plan) for plan in evaluation.plans_of(reachable_base(base_id))]}


@blueprint.route("/bases/<base_id>/yearly-plans", methods=["POST"])
@for_roles("county_officer")
@blueprint.arguments(YearlyPlanSchema)
@blueprint.response(200, YearlyPlanSchema)
def set_plan(body: dict[str, Any], base_id: str) -> dict[str, Any]:
    """Enter how many persons a base is to train in a year; an earlier number is replaced with a reason."""
    return show_plan(evaluation.set_plan(act(), reachable_base(base_id), **body))


@blueprint.route("/bases/<base_id>/evaluations", methods=["GET"])
@for_roles(*EVERYONE)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, EVALUATIONS)
def list_evaluations_of_base(query: dict[str, Any], base_id: str) -> dict[str, Any]:
    """The evaluations of a base."""
    found = evaluation.evaluations_of_bases([reachable_base(base_id).id])
    return page(found, Evaluation, query, show_evaluation)


@blueprint.route("/bases/<base_id>/evaluations", methods=["POST"])
@for_roles(*OFFICERS)
@blueprint.arguments(EvaluationOpeningSchema)
@blueprint.response(201, EvaluationSchema)
def open_evaluation(body: dict[str, Any], base_id: str) -> dict[str, Any]:
    """Open the evaluation of a base for a year that is over and in which it was listed."""
    return show_whole_evaluation(evaluation.open_evaluation(act(), reachable_base(base_id), body["year"]))


@blueprint.route("/evaluations", methods=["GET"])
@for_roles(*EVERYONE)
@blueprint.arguments(EvaluationQuery, location="query")
@blueprint.response(200, EVALUATIONS)
def list_evaluations(query: dict[str, Any]) -> dict[str, Any]:
    """The evaluations of the bases that are the caller's business."""
    found = evaluation.evaluations_of_bases(reachable_bases())
    for name in ("year", "status", "grade"):
        if query[name] is not None:
            found = found.where(getattr(Evaluation, name) == query[name])
    return page(found, Evaluation, query, show_evaluation)


@blueprint.route("/evaluations/<evaluation_id>", methods=["GET"])
@for_roles(*EVERYONE)
@blueprint.response(200, EvaluationSchema)
def read_evaluation(evaluation_id: str) -> dict[str, Any]:
    """One evaluation with its proposals, comments and history."""
    return show_whole_evaluation(reachable_evaluation(evaluation_id))


@blueprint.route("/evaluations/<evaluation_id>/figures", methods=["GET"])
@for_roles(*OFFICERS, "auditor")
@blueprint.response(200, EvaluationRecountSchema)
def recount(evaluation_id: str) -> dict[str, Any]:
    """Count the figures again: a preview before the proposal, and after it the check that it can be reproduced."""
    found = reachable_evaluation(evaluation_id)
    figures, differing = evaluation.recount(act(), found, employed=_employed(found))
    return {"figures": [show_figure(figure) for figure in figures], "differs": differing}


@blueprint.route("/evaluations/<evaluation_id>/scores", methods=["POST"])
@for_roles("county_officer")
@blueprint.arguments(EvaluationSheetSchema)
@blueprint.response(200, EvaluationSchema)
def score(body: dict[str, Any], evaluation_id: str) -> dict[str, Any]:
    """Hand in the evaluator's sheet, in place of an earlier one."""
    given = [Given(**line) for line in body["scores"]]
    vetoes = {veto["item"]: veto["finding"] for veto in body["vetoes"]}
    return show_whole_evaluation(evaluation.score(act(), reachable_evaluation(evaluation_id), given, vetoes))


@blueprint.route("/evaluations/<evaluation_id>/proposal", methods=["POST"])
@for_roles("county_officer")
@blueprint.arguments(GradeSummarySchema)
@blueprint.response(200, EvaluationSchema)
def propose(body: dict[str, Any], evaluation_id: str) -> dict[str, Any]:
    """The county proposes a grade; every figure is counted now and frozen."""
    found = reachable_evaluation(evaluation_id)
    evaluation.propose(act(), found, body["summary"], employed=_employed(found))
    return show_whole_evaluation(found)


@blueprint.route("/evaluations/<evaluation_id>/comments", methods=["POST"])
@for_roles("base_clerk")
@blueprint.arguments(EvaluationCommentSchema)
@blueprint.response(201, EvaluationSchema)
def comment(body: dict[str, Any], evaluation_id: str) -> dict[str, Any]:
    """The base comments on the proposal, within its working days."""
    found = reachable_evaluation(evaluation_id)
    evaluation.comment(act(), found, body["text"], agrees=body["agrees"])
    return show_whole_evaluation(found)


@blueprint.route("/evaluations/<evaluation_id>/return", methods=["POST"])
@for_roles("city_officer")
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, EvaluationSchema)
def send_back(body: dict[str, Any], evaluation_id: str) -> dict[str, Any]:
    """The city returns a proposal to be scored and proposed anew."""
    return show_whole_evaluation(
        evaluation.send_back(act(), reachable_evaluation(evaluation_id), body["reason"])
    )


@blueprint.route("/evaluations/<evaluation_id>/finalisation", methods=["POST"])
@for_roles("city_officer")
@blueprint.arguments(EvaluationAnswerSchema)
@blueprint.response(200, EvaluationSchema)
def finalise(body: dict[str, Any], evaluation_id: str) -> dict[str, Any]:
    """The city makes the proposed grade final, once the base has been heard."""
    return show_whole_evaluation(
        evaluation.finalise(act(), reachable_evaluation(evaluation_id), body["answer"])
    )
