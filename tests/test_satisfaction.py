"""Trainee satisfaction: one code a trainee, one answer a code, nothing kept of who gave it, sums shown late."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
import zxingcpp
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from api import limits
from skills_registry import evaluation
from skills_registry.evaluation.counts import Question, count
from skills_registry.foundation.errors import NotAllowed, NotFound
from skills_registry.foundation.lifecycle import Step, steps_of
from skills_registry.foundation.policy import HAIDONG, Policy, load_policy
from skills_registry.training import enrolments, satisfaction
from skills_registry.training.classes import TrainingClass
from skills_registry.training.satisfaction import (
    AlreadyAnswered,
    NobodyToAsk,
    NotTheTime,
    QuestionsLeft,
    SatisfactionAnswer,
    SatisfactionSurvey,
    SatisfactionTicket,
)
from tests.accessible import require_accessible
from tests.world import World, application

RULE = load_policy().rule("satisfaction", date(2025, 3, 3))
QUESTIONS = tuple(question["code"] for question in RULE["questions"])
GOOD, SO_SO, BAD = (dict.fromkeys(QUESTIONS, face) for face in ("good", "so_so", "bad"))

#: The class of :func:`tests.world.massage_class` ends on 11 April: asked from the 8th to 11 May.
LAST_DAY = (2025, 5, 11)


@pytest.fixture
def client(small_world: World) -> Iterator[FlaskClient]:
    app = application(small_world)
    limits.limiter.reset()
    with app.test_client() as made:
        yield made


def asked(world: World, people: int = 6) -> tuple[TrainingClass, SatisfactionSurvey, list[str]]:
    """A class of six whose trainees have their slips, on its last day: class, survey and codes."""
    training_class = world.open_class()
    world.enrol(training_class, people)
    survey = satisfaction.ask_trainees(world.act("base_clerk"), training_class)
    world.on(2025, 4, 11)
    return training_class, survey, satisfaction.codes_of(world.service.vault, survey)


def answer(world: World, code: str, faces: dict[str, str] = GOOD, *, helped: bool = False) -> None:
    satisfaction.answer(world.act("auditor"), code, faces, helped=helped)


def told(world: World, survey: SatisfactionSurvey) -> satisfaction.Tally:
    return satisfaction.tally(world.service.policy, survey, world.act("auditor").today)


def bearer(world: World, name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.key(name)}"}


# ---------------------------------------------------------------- codes


def test_every_trainee_gets_one_code_and_asking_again_gives_newcomers_one(world: World) -> None:
    training_class, survey, codes = asked(world, 4)
    assert len(set(codes)) == 4
    world.enrol(training_class, 6)
    again = satisfaction.ask_trainees(world.act("county_officer"), training_class)
    assert again.id == survey.id
    assert set(codes) < set(satisfaction.codes_of(world.service.vault, again))
    assert SatisfactionTicket.select().count() == 6
    steps = [s for s in steps_of(training_class.id) if s.action == "ask_satisfaction"]
    assert [step.detail for step in steps] == [{"slips": 4, "new": 4}, {"slips": 6, "new": 2}]


def test_a_code_is_nowhere_in_the_database(small_world: World, tmp_path: Path) -> None:
    _, _, codes = asked(small_world)
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("registry.db*"))
    assert b"satisfaction_ticket" in kept
    assert not any(code.encode() in kept for code in codes)


def test_codes_of_another_registry_are_unknown_here(small_world: World, tmp_path: Path) -> None:
    _, survey, codes = asked(small_world)
    from skills_registry.foundation.privacy import create_vault

    other = create_vault(tmp_path / "other" / "secrets.json")
    assert not set(satisfaction.codes_of(other, survey)) & set(codes)
    with pytest.raises(NotFound):
        satisfaction.ticket_of(other, codes[0])


def test_a_code_is_read_as_people_type_it(small_world: World) -> None:
    _, _, codes = asked(small_world)
    ticket = satisfaction.ticket_of(small_world.service.vault, codes[0])
    written = "-".join(codes[0][place : place + 4] for place in (0, 4, 8))
    for typed in (written, written.lower(), codes[0].replace("0", "O").replace("1", "l"), f" {codes[0]} "):
        assert satisfaction.ticket_of(small_world.service.vault, typed).id == ticket.id


@given(text=st.text(max_size=60))
def test_what_is_no_code_is_not_found(text: str) -> None:
    plain = satisfaction.plain_code(text)
    assert len(plain) <= 24
    assert satisfaction.plain_code(plain) == plain


def test_whoever_has_left_the_class_is_not_asked(small_world: World) -> None:
    training_class, survey, codes = asked(small_world)
    first = enrolments.roster(training_class)[0]
    enrolments.withdraw(small_world.act("base_clerk"), first, "因病退班")
    left = set(codes) - set(satisfaction.codes_of(small_world.service.vault, survey))
    assert len(left) == 1
    with pytest.raises(NotFound):
        answer(small_world, left.pop())
    assert SatisfactionAnswer.select().count() == 0


def test_nobody_is_asked_before_the_class_opens_or_when_nobody_is_in_it(small_world: World) -> None:
    for training_class in (small_world.filed_class(title="未开"), small_world.open_class(title="空班")):
        with pytest.raises(NobodyToAsk):
            satisfaction.ask_trainees(small_world.act("base_clerk"), training_class)
    assert SatisfactionSurvey.select().count() == 0


@pytest.mark.parametrize("name", ["city_officer", "auditor", "admin"])
def test_only_clerk_and_county_ask(small_world: World, name: str) -> None:
    training_class = small_world.open_class()
    small_world.enrol(training_class)
    with pytest.raises(NotAllowed):
        satisfaction.ask_trainees(small_world.act(name), training_class)


def test_the_policy_may_leave_the_slips_to_the_county_alone(small_world: World, client: FlaskClient) -> None:
    training_class, _, _ = asked(small_world)
    strict = Policy(HAIDONG.read_text("utf-8").replace('asked_by = ["base_clerk", ', "asked_by = ["))
    client.application.extensions["skills_registry"] = replace(small_world.service, policy=strict)
    path = f"/api/v1/classes/{training_class.id}/satisfaction"
    for name, status in (("base_clerk", 403), ("county_officer", 200)):
        assert client.get(f"{path}/slips", headers=bearer(small_world, name)).status_code == status
    assert client.post(path, headers=bearer(small_world, "base_clerk")).status_code == 403
    assert client.get(path, headers=bearer(small_world, "base_clerk")).status_code == 200


def test_a_submitted_class_and_an_approved_one_can_still_be_asked(small_world: World) -> None:
    training_class = small_world.submitted_class()
    satisfaction.ask_trainees(small_world.act("county_officer"), training_class)
    small_world.issue(training_class)
    satisfaction.ask_trainees(small_world.act("county_officer"), TrainingClass.get())
    assert SatisfactionTicket.select().count() == 3


# ---------------------------------------------------------------- answers


def test_a_code_is_answered_once(world: World) -> None:
    _, _, codes = asked(world)
    answer(world, codes[0])
    with pytest.raises(AlreadyAnswered):
        answer(world, codes[0], BAD)
    assert [row.faces for row in SatisfactionAnswer.select()] == [GOOD]
    answer(world, codes[1], BAD, helped=True)
    assert sorted((row.points, row.given, row.helped) for row in SatisfactionAnswer.select()) == [
        (0, 5, True),
        (500, 5, False),
    ]


def test_an_answer_keeps_no_trainee_no_code_no_time_and_leaves_no_step(world: World) -> None:
    _, survey, codes = asked(world)
    steps = Step.select().count()
    answer(world, codes[0])
    kept = SatisfactionAnswer.select().dicts().get()
    assert set(kept) == {"id", "survey", "faces", "given", "points", "helped"}
    assert kept["id"].version == 4  # random, unlike other records' ids, which tell the time
    assert kept["survey"] == survey.id
    assert Step.select().count() == steps
    fields = {field.name for field in SatisfactionTicket._meta.sorted_fields}
    assert fields == {"id", "survey", "enrolment", "code_index", "used"}


@pytest.mark.parametrize(
    ("faces", "missing"),
    [
        ({}, list(QUESTIONS)),
        ({**GOOD, "place": "great"}, ["place"]),
        ({"overall": "bad"}, list(QUESTIONS[:-1])),
    ],
    ids=["nothing", "an unknown face", "one of five"],
)
def test_each_question_has_one_of_the_three_faces(
    small_world: World, faces: dict[str, str], missing: list[str]
) -> None:
    _, _, codes = asked(small_world)
    with pytest.raises(QuestionsLeft) as refusal:
        answer(small_world, codes[0], faces)
    assert refusal.value.facts["missing"] == missing
    assert not SatisfactionTicket.select().where(SatisfactionTicket.used).exists()
    answer(small_world, codes[0], {**GOOD, "unasked": "good"})
    assert SatisfactionAnswer.get().faces == GOOD


@pytest.mark.parametrize(
    ("day", "taken"),
    [((2025, 4, 7), False), ((2025, 4, 8), True), (LAST_DAY, True), ((2025, 5, 12), False)],
)
def test_answers_are_taken_from_three_days_before_the_end_to_thirty_days_after(
    small_world: World, day: tuple[int, int, int], *, taken: bool
) -> None:
    _, _, codes = asked(small_world)
    small_world.on(*day)
    if taken:
        answer(small_world, codes[0])
    else:
        with pytest.raises(NotTheTime):
            answer(small_world, codes[0])
    assert SatisfactionAnswer.select().count() == taken


def test_the_days_follow_the_class_until_somebody_has_answered(small_world: World) -> None:
    training_class, survey, codes = asked(small_world)
    moved = training_class.ends_on + timedelta(days=3)
    TrainingClass.update(ends_on=moved).execute()
    again = satisfaction.ask_trainees(small_world.act("base_clerk"), TrainingClass.get())
    assert again.closes_on == moved + timedelta(days=30)
    answer(small_world, codes[0])
    TrainingClass.update(ends_on=survey.opens_on).execute()
    later = satisfaction.ask_trainees(small_world.act("base_clerk"), TrainingClass.get())
    assert later.closes_on == again.closes_on


# ---------------------------------------------------------------- what came of it


def test_nothing_is_shown_before_the_last_day_is_over(world: World) -> None:
    _, survey, codes = asked(world)
    for code in codes:
        answer(world, code)
    world.on(*LAST_DAY)
    early = told(world, survey)
    assert (early.slips, early.answers, early.helped, early.percent, early.questions) == (
        6,
        6,
        None,
        None,
        (),
    )
    world.on(2025, 5, 12)
    assert told(world, survey).percent == Decimal("100.00")


@pytest.mark.parametrize(("answers", "shown"), [(0, False), (4, False), (5, True), (6, True)])
def test_nothing_is_shown_of_fewer_than_five(small_world: World, answers: int, *, shown: bool) -> None:
    _, survey, codes = asked(small_world)
    for code in codes[:answers]:
        answer(small_world, code)
    small_world.on(2025, 5, 12)
    found = told(small_world, survey)
    assert (found.answers, found.percent is not None, bool(found.questions)) == (answers, shown, shown)


def test_the_sums_are_those_counted_by_hand(small_world: World) -> None:
    _, survey, codes = asked(small_world)
    given_faces = [GOOD, GOOD, GOOD, SO_SO, BAD, {**GOOD, "place": "bad"}]
    for place, (code, faces) in enumerate(zip(codes, given_faces, strict=True)):
        answer(small_world, code, faces, helped=place < 2)
    small_world.on(2025, 5, 12)
    found = told(small_world, survey)
    # 5 × (100+100+100+50+0) + 400 of 30 answers.
    assert (found.percent, found.helped) == (Decimal("71.67"), 2)
    counts = {question.code: dict(question.counts) for question in found.questions}
    assert counts["place"] == {"good": 3, "so_so": 1, "bad": 2}
    assert counts["overall"] == {"good": 4, "so_so": 1, "bad": 1}


def evaluated(world: World, as_of: date) -> tuple[Decimal | None, Decimal | None]:
    card = evaluation.card_for(world.service.policy, 2025)
    found = count(Question((world.base.id,), 2025, as_of, card))[world.base.id]["satisfaction"]
    return found.numerator, found.denominator


def test_the_yearly_evaluation_counts_what_trainees_answered(world: World) -> None:
    training_class, _, codes = asked(world)
    for code, faces in zip(codes, (GOOD, GOOD, GOOD, GOOD, SO_SO, BAD), strict=True):
        answer(world, code, faces)
    for enrolment in enrolments.roster(training_class):
        world.grade(enrolment)
    enrolments.submit_class(world.act("base_clerk"), training_class)
    assert evaluated(world, date(2026, 1, 12)) == (None, None)  # not approved
    world.issue(TrainingClass.get())
    assert evaluated(world, date(2025, 5, 11)) == (None, None)  # not closed
    assert evaluated(world, date(2026, 1, 12)) == (Decimal("22.5"), Decimal(30))
    card = evaluation.card_for(world.service.policy, 2025)
    numbers = count(Question((world.base.id,), 2025, date(2026, 1, 12), card))[world.base.id]
    line = next(
        figure
        for figure in evaluation.scorecard.figures(card, numbers, {})
        if figure.indicator.code == "trainee_satisfaction"
    )
    # 75 % where 90 % gives full marks: 5 × 75 / 90.
    assert (line.state, line.value, line.marks) == ("counted", Decimal("75.00"), Decimal("4.17"))


def test_a_class_of_few_answers_is_no_figure_for_the_year(small_world: World) -> None:
    training_class, _, codes = asked(small_world)
    for code in codes[:4]:
        answer(small_world, code, BAD)
    for enrolment in enrolments.roster(training_class):
        small_world.grade(enrolment)
    enrolments.submit_class(small_world.act("base_clerk"), training_class)
    small_world.issue(TrainingClass.get())
    assert evaluated(small_world, date(2026, 1, 12)) == (None, None)


# ---------------------------------------------------------------- API and slips


def test_clerk_asks_prints_and_reads_the_sums_and_a_stranger_finds_nothing(
    small_world: World, client: FlaskClient
) -> None:
    training_class = small_world.open_class()
    small_world.enrol(training_class, 6)
    path = f"/api/v1/classes/{training_class.id}/satisfaction"
    assert client.get(path, headers=bearer(small_world, "base_clerk")).status_code == 404
    made = client.post(path, headers=bearer(small_world, "base_clerk"))
    assert (made.status_code, made.get_json()["slips"]) == (201, 6)
    first = client.get(f"{path}/slips", headers=bearer(small_world, "base_clerk"))
    again = client.get(made.get_json()["slips_url"], headers=bearer(small_world, "county_officer"))
    assert first.data == again.data and first.data.startswith(b"%PDF-")
    assert client.get(f"{path}/slips", headers=bearer(small_world, "city_officer")).status_code == 403
    stranger = client.get(f"{path}/slips", headers=bearer(small_world, "other_county_officer"))
    assert stranger.status_code == 404
    seen = client.get(path, headers=bearer(small_world, "city_officer")).get_json()
    assert (seen["answers"], seen["percent"], seen["questions"]) == (0, None, [])


def test_the_sums_read_in_the_callers_language(small_world: World, client: FlaskClient) -> None:
    training_class, _, codes = asked(small_world)
    for code in codes:
        answer(small_world, code)
    small_world.on(2025, 5, 12)
    path = f"/api/v1/classes/{training_class.id}/satisfaction"
    told_in = {
        lang: client.get(f"{path}?lang={lang}", headers=bearer(small_world, "auditor")).get_json()
        for lang in ("zh", "en")
    }
    assert told_in["zh"]["questions"][0]["text"] == "老师教得怎么样？"
    assert told_in["en"]["questions"][0]["faces"][0] == {"face": "good", "text": "Good", "people": 6}
    assert told_in["en"]["percent"] == "100.00"


def test_the_slips_lead_by_their_codes_to_the_questions_and_name_nobody(
    small_world: World, client: FlaskClient, tmp_path: Path
) -> None:
    training_class, _, codes = asked(small_world)
    path = f"/api/v1/classes/{training_class.id}/satisfaction/slips"
    pdf = client.get(path, headers=bearer(small_world, "base_clerk")).data
    require_accessible(pdf, f"学员满意度纸条：{training_class.title}")
    subprocess.run(["pdftoppm", "-r", "100", "-gray", "-png", "-", tmp_path / "page"], input=pdf, check=True)
    sheets = sorted(tmp_path.glob("page*.png"))
    assert len(sheets) == 2  # six slips, four on a page
    found = [
        code.text
        for sheet in sheets
        for code in zxingcpp.read_barcodes(Image.open(sheet), formats=zxingcpp.BarcodeFormat.QRCode)
    ]
    host = small_world.service.settings.public_url
    assert sorted(found) == [f"{host}/s/{code}" for code in codes]
    text = subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True).stdout.decode()
    assert {re.sub("-", "", written) for written in re.findall(r"\b\w{4}-\w{4}-\w{4}\b", text)} == set(codes)
    for enrolment in enrolments.roster(training_class):
        assert enrolments.name_of(small_world.service.vault, enrolment) not in text
    assert "残疾" not in text
    assert client.get(found[0].removeprefix(host)).status_code == 200


def test_a_long_title_moves_no_slip_to_another_place(small_world: World, client: FlaskClient) -> None:
    world = small_world
    pages = []
    for title in ("短班名", "民和回族土族自治县川口镇就业创业孵化基地" * 6):
        training_class = world.on(2025, 2, 10).open_class(title=title[:120])
        world.enrol(training_class, 5)
        satisfaction.ask_trainees(world.act("base_clerk"), training_class)
        path = f"/api/v1/classes/{training_class.id}/satisfaction/slips"
        pdf = client.get(path, headers=bearer(world, "base_clerk")).data
        pages.append(subprocess.run(["pdfinfo", "-"], input=pdf, capture_output=True, check=True).stdout)
    assert [re.findall(rb"Pages: +(\d+)", told_of) for told_of in pages] == [[b"2"], [b"2"]]


# ---------------------------------------------------------------- the page


def test_the_page_is_answered_once_and_thanks_afterwards(small_world: World, client: FlaskClient) -> None:
    _, _, codes = asked(small_world)
    address = f"/s/{codes[0]}"
    shown = client.get(address)
    assert shown.status_code == 200
    assert shown.headers["Cache-Control"] == "no-store"
    assert "noindex" in shown.headers["X-Robots-Tag"]
    assert shown.text.count('type="radio"') == 15 and "<script" not in shown.text
    sent = client.post(address, data={**GOOD, "helped": "yes"})
    assert sent.status_code == 303
    assert "收到了，谢谢你" in client.get(sent.headers["Location"]).text
    kept = SatisfactionAnswer.get()
    assert (kept.faces, kept.helped) == (GOOD, True)
    again = client.post(address, data=BAD)
    assert (again.status_code, "谢谢你" in again.text) == (409, True)
    assert SatisfactionAnswer.select().count() == 1


def test_what_was_chosen_stays_where_a_question_is_left_open(small_world: World, client: FlaskClient) -> None:
    _, _, codes = asked(small_world)
    half = {code: face for code, face in SO_SO.items() if code != "help"}
    answer_page = client.post(f"/s/{codes[0]}", data={**half, "helped": "yes"})
    assert answer_page.status_code == 422
    assert answer_page.text.count(" checked") == 5
    assert answer_page.text.count("question-left") == 1
    assert "这题还没选" in answer_page.text
    assert SatisfactionAnswer.select().count() == 0


@pytest.mark.parametrize(
    ("day", "sentence"), [((2025, 4, 1), "现在还不能答"), ((2025, 6, 1), "已经结束了")], ids=["early", "over"]
)
def test_before_and_after_the_page_says_when(
    small_world: World, client: FlaskClient, day: tuple[int, int, int], sentence: str
) -> None:
    _, _, codes = asked(small_world)
    small_world.on(*day)
    shown = client.get(f"/s/{codes[0]}")
    assert (shown.status_code, sentence in shown.text, "<form" in shown.text) == (200, True, False)
    assert client.post(f"/s/{codes[0]}", data=GOOD).status_code == 409


def test_a_wrong_code_and_a_withdrawn_one_read_alike(small_world: World, client: FlaskClient) -> None:
    training_class, survey, codes = asked(small_world)
    enrolments.withdraw(small_world.act("base_clerk"), enrolments.roster(training_class)[0], "因病退班")
    gone = (set(codes) - set(satisfaction.codes_of(small_world.service.vault, survey))).pop()
    pages = [client.get(f"/s/{code}") for code in (gone, "0000-0000-0000")]
    assert {page.status_code for page in pages} == {404}
    assert pages[0].text == pages[1].text
    assert client.post(f"/s/{gone}", data=GOOD).status_code == 404
    assert SatisfactionAnswer.select().count() == 0


def test_a_typed_code_leads_to_the_questions(small_world: World, client: FlaskClient) -> None:
    _, _, codes = asked(small_world)
    assert client.get("/s").status_code == 200
    led = client.get("/s", query_string={"code": f" {codes[0].lower()} "})
    assert led.status_code == 303
    assert "老师教得怎么样" in client.get(led.headers["Location"]).text


def test_programs_get_json(small_world: World, client: FlaskClient) -> None:
    _, _, codes = asked(small_world)
    accept = {"Accept": "application/json"}
    shown = client.get(f"/s/{codes[0]}?lang=en", headers=accept).get_json()
    assert (shown["phase"], shown["questions"][0]["text"]) == ("open", "How was the teaching?")
    left = client.post(f"/s/{codes[0]}", json={}, headers=accept)
    assert (left.status_code, left.get_json()["code"]) == (422, "questions_left")
    assert client.post(f"/s/{codes[0]}", json=GOOD, headers=accept).status_code == 201
    used = client.post(f"/s/{codes[0]}", json=GOOD, headers=accept)
    assert (used.status_code, used.get_json()["code"]) == (409, "already_answered")
    assert client.get("/s/nothing", headers=accept).get_json()["code"] == "not_found"


def test_the_page_is_rate_limited_by_address(small_world: World, client: FlaskClient) -> None:
    limits.limiter.reset()
    answers = [client.post("/s/000000000000", data=GOOD).status_code for _ in range(125)]
    assert (answers[0], answers[-1]) == (404, 429)
    limits.limiter.reset()


def test_the_english_page_says_which_words_stay_chinese(small_world: World, client: FlaskClient) -> None:
    training_class, _, codes = asked(small_world)
    shown = client.get(f"/s/{codes[0]}?lang=en").text
    assert '<html lang="en">' in shown
    assert f'<span lang="zh-CN">{training_class.title}</span>' in shown
    assert UUID(str(training_class.id)).hex not in shown
