"""Trainee satisfaction (学员满意度): slips and figures for those whose business it is; the page for trainees.

The page needs no account and no script. What a slip's code opens is asked once, and nothing of the
person who answers is kept: no name, no time, no address.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint as Pages
from flask import Response, jsonify, redirect, request, url_for
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from api.bodies import typed
from api.callers import API_PREFIX, act, for_roles, services
from api.classes import reachable_class
from api.files import PDF, attachment
from api.limits import LOOKUPS, READING, limiter
from api.pages import page, wants_json
from api.problems import language
from certificates import papers, qr
from skills_registry.foundation.acts import Role
from skills_registry.foundation.errors import NotFound, RegistryError
from skills_registry.training import satisfaction
from skills_registry.training.classes import TrainingClass
from skills_registry.training.satisfaction import (
    AlreadyAnswered,
    NotTheTime,
    QuestionsLeft,
    QuestionTally,
    SatisfactionSurvey,
    SatisfactionTicket,
)

blueprint = Blueprint(
    "satisfaction", __name__, url_prefix=API_PREFIX, description="学员满意度 (trainee satisfaction)"
)
pages = Pages("satisfaction_pages", __name__)

READERS: tuple[Role, ...] = ("base_clerk", "county_officer", "city_officer", "auditor")

#: Answers from one address: a whole class may share the network of its classroom.
ANSWERS = "120/minute"

#: Slips on a sheet of A4.
SLIPS_ON_A_PAGE = 4
LONGEST_ON_A_SLIP = 24


class SurveyFaceSchema(Schema):
    """How many chose one face."""

    face = fields.String()
    text = fields.String()
    people = fields.Integer()


class SurveyQuestionSchema(Schema):
    """One question and its answers."""

    code = fields.String()
    text = fields.String()
    faces = fields.List(fields.Nested(SurveyFaceSchema))


class SurveySchema(Schema):
    """What came of a survey; ``percent`` and ``questions`` are empty while nothing may be shown."""

    class_id = fields.String()
    opens_on = fields.Date()
    closes_on = fields.Date()
    least_answers = fields.Integer(metadata={"description": "少于此数不显示内容"})
    slips = fields.Integer()
    answers = fields.Integer()
    helped = fields.Integer(allow_none=True, metadata={"description": "有人帮助填写的份数"})
    percent = fields.Decimal(as_string=True, allow_none=True, metadata={"description": "满意度（%）"})
    questions = fields.List(fields.Nested(SurveyQuestionSchema))
    slips_url = fields.String(metadata={"description": "纸条下载地址"})


def show_survey(survey: SatisfactionSurvey) -> dict[str, Any]:
    """A survey as the API answers it: sums only, and none of them too early."""
    found = satisfaction.tally(act().policy, survey, act().today)
    names = {face["code"]: face for face in _rule(survey.training_class)["faces"]}
    return {name: getattr(survey, name) for name in ("opens_on", "closes_on", "least_answers")} | {
        "class_id": str(survey.training_class_id),
        "slips": found.slips,
        "answers": found.answers,
        "helped": found.helped,
        "percent": found.percent,
        "questions": [_show_question(question, names) for question in found.questions],
        "slips_url": f"{API_PREFIX}/classes/{survey.training_class_id}/satisfaction/slips",
    }


def _show_question(question: QuestionTally, names: dict[str, Any]) -> dict[str, Any]:
    counts = question.counts.items()
    return {
        "code": question.code,
        "text": question.en if language() == "en" else question.zh,
        "faces": [{"face": face, "text": names[face][language()], "people": n} for face, n in counts],
    }


def _rule(training_class: TrainingClass) -> Any:
    return satisfaction.rule_of(act().policy, training_class)


def survey_of(class_id: str) -> SatisfactionSurvey:
    """The survey of a class that is the caller's business.

    :raises NotFound: nobody was asked.
    """
    survey = satisfaction.survey_of(reachable_class(class_id))
    if survey is None:
        raise NotFound()
    return survey


@blueprint.route("/classes/<class_id>/satisfaction", methods=["POST"])
@for_roles("base_clerk", "county_officer")
@blueprint.response(201, SurveySchema)
def ask_trainees(class_id: str) -> dict[str, Any]:
    """Give every trainee of a class a code; sent again, only newcomers get one."""
    return show_survey(satisfaction.ask_trainees(act(), reachable_class(class_id)))


@blueprint.route("/classes/<class_id>/satisfaction", methods=["GET"])
@for_roles(*READERS)
@blueprint.response(200, SurveySchema)
def read_satisfaction(class_id: str) -> dict[str, Any]:
    """What came of it: sums only, when the time to answer is over and enough people answered."""
    return show_survey(survey_of(class_id))


@blueprint.route("/classes/<class_id>/satisfaction/slips", methods=["GET"])
@for_roles("base_clerk", "county_officer")
@blueprint.response(200, content_type=PDF)
def slips(class_id: str) -> Response:
    """The slips for the printer, one for each trainee and none with a name; drawn again, they are the same."""
    survey = survey_of(class_id)
    satisfaction.require_may_ask(act(), survey.training_class)
    return attachment(draw_slips(survey), PDF, f"satisfaction-{survey.training_class.filing_no}.pdf")


def draw_slips(survey: SatisfactionSurvey) -> bytes:
    """The slips of a survey as an accessible PDF, four on a page."""
    public = services().settings.public_url
    codes = satisfaction.codes_of(act().vault, survey)
    pictures = {f"{code}.png": qr.png(f"{public}/s/{code}", pixels=8) for code in codes}
    shown = [
        {
            "code": "-".join(code[place : place + 4] for place in range(0, len(code), 4)),
            "picture": f"{code}.png",
        }
        for code in codes
    ]
    context = {
        "training_class": survey.training_class,
        "short_title": _shortened(survey.training_class.title),
        "address": f"{public}/s",
        "opens_on": survey.opens_on,
        "closes_on": survey.closes_on,
        "questions": len(_rule(survey.training_class)["questions"]),
        "sheets": [shown[place : place + SLIPS_ON_A_PAGE] for place in range(0, len(shown), SLIPS_ON_A_PAGE)],
    }
    return papers.draw("satisfaction_slips", context, pictures=pictures)


def _shortened(title: str) -> str:
    """A title that stands on one line of a slip; the title of the file has it whole."""
    return title if len(title) <= LONGEST_ON_A_SLIP else f"{title[: LONGEST_ON_A_SLIP - 1]}…"


@pages.get("/s")
@limiter.limit(LOOKUPS)
def type_code() -> Any:
    """For those whose phone reads no code: type what the slip says."""
    slip = request.args.get("code", "").strip()
    if slip:
        return redirect(
            url_for("satisfaction_pages.read_questions", slip=slip[:40], lang=language()), code=303
        )
    return page("satisfaction_code", unknown=False)


@pages.get("/s/<slip>")
@limiter.limit(READING)
def read_questions(slip: str) -> Any:
    """The questions of a slip, or why it cannot be answered now."""
    try:
        ticket = satisfaction.ticket_of(act().vault, slip)
    except NotFound:
        return _unknown()
    if wants_json():
        return jsonify(_as_document(ticket))
    return _questions(ticket, phase=_phase(ticket))


@pages.post("/s/<slip>")
@limiter.limit(ANSWERS)
def answer(slip: str) -> Any:
    """Take the answer, from the form or as JSON ``{"<question>": "<face>", …, "helped": "yes"}``; once."""
    try:
        ticket = satisfaction.ticket_of(act().vault, slip)
        asked = [question["code"] for question in _rule(ticket.survey.training_class)["questions"]]
        faces = {code: typed(code) for code in asked}
        satisfaction.answer(act(), slip, faces, helped=typed("helped") == "yes")
    except NotFound:
        return _unknown()
    except (AlreadyAnswered, NotTheTime, QuestionsLeft) as refusal:
        return _refused(ticket, faces, refusal)
    if wants_json() or request.is_json:
        return jsonify({"received": True}), 201
    return redirect(url_for("satisfaction_pages.read_questions", slip=slip, lang=language()), code=303)


def _unknown() -> Any:
    if wants_json() or request.is_json:
        raise NotFound()
    return page(
        "satisfaction_code", status=404, unknown=True, other_path=url_for("satisfaction_pages.type_code")
    )


def _refused(ticket: SatisfactionTicket, faces: dict[str, str], refusal: RegistryError) -> Any:
    if wants_json() or request.is_json:
        raise refusal
    if isinstance(refusal, QuestionsLeft):
        missing = refusal.facts["missing"]
        return _questions(ticket, phase="open", status=422, chosen=faces, missing=missing)
    return _questions(
        ticket, phase="answered" if isinstance(refusal, AlreadyAnswered) else _phase(ticket), status=409
    )


def _phase(ticket: SatisfactionTicket) -> str:
    if ticket.used:
        return "answered"
    if act().today < ticket.survey.opens_on:
        return "early"
    return "open" if act().today <= ticket.survey.closes_on else "over"


def _as_document(ticket: SatisfactionTicket) -> dict[str, Any]:
    rule = _rule(ticket.survey.training_class)
    return {
        "phase": _phase(ticket),
        "class": ticket.survey.training_class.title,
        "opens_on": ticket.survey.opens_on.isoformat(),
        "closes_on": ticket.survey.closes_on.isoformat(),
        "questions": [{"code": q["code"], "text": q[language()]} for q in rule["questions"]],
        "faces": [{"code": face["code"], "text": face[language()]} for face in rule["faces"]],
    }


def _questions(
    ticket: SatisfactionTicket,
    *,
    phase: str,
    status: int = 200,
    chosen: dict[str, str] | None = None,
    missing: Any = (),
) -> Response:
    training_class = ticket.survey.training_class
    rule = _rule(training_class)
    return page(
        "satisfaction",
        status=status,
        phase=phase,
        training_class=training_class,
        base_name=training_class.base.public_name,
        survey=ticket.survey,
        questions=rule["questions"],
        faces=rule["faces"],
        chosen=chosen or {},
        helped=typed("helped") if status == 422 else "",
        missing=missing,
    )
