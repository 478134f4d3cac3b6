"""Public notices and objections: the period in working days, who may see what, and the pages of everyone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from api import limits
from skills_registry import notices
from skills_registry.foundation.errors import FieldRefused, NotAllowed, WrongState
from skills_registry.foundation.lifecycle import Step
from skills_registry.foundation.policy import HAIDONG, Policy, load_policy
from skills_registry.foundation.storage import database, new_id
from skills_registry.foundation.workdays import is_workday
from skills_registry.notices import (
    Notice,
    NoticeClosed,
    NoticeRunning,
    NoticeWithdrawn,
    Objection,
    ObjectionsUnanswered,
)
from tests.world import CITY, COUNTY, OTHER_COUNTY, World, application

OBJECTION = {"text": "场地面积与公示不符，实际只有一层。", "contact": "13997000000"}
UNKNOWN = "01a203f0-acbc-767f-82bd-f38f1bb513ab"


def published(world: World, by: str = "city_officer", **changes: Any) -> Notice:
    """A notice about an application, for five working days in the county."""
    usual = {
        "subject": "application",
        "subject_id": new_id(),
        "title": "关于认定乐都区晨曦职业培训学校的公示",
        "text": "拟认定为职业培训基地。\n培训范围：保健按摩师。",
        "working_days": 5,
        "division_code": COUNTY,
    }
    return notices.publish(world.act(by), **(usual | changes))


def objected(world: World, notice: Notice) -> Objection:
    return notices.object_to(world.act("auditor"), notice, **OBJECTION)


@pytest.fixture
def client(small_world: World) -> Iterator[FlaskClient]:
    app = application(small_world)
    limits.limiter.reset()
    with app.test_client() as made:
        yield made


def bearer(world: World, name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.key(name)}"}


def test_a_notice_runs_for_its_working_days_and_the_day_of_publication_does_not_count(world: World) -> None:
    # 28 April 2025 is a Monday; 1 to 5 May are a holiday, and Sunday 27 April was worked instead.
    notice = published(world.on(2025, 4, 28))
    assert (notice.closes_on, notice.provisional) == (date(2025, 5, 8), False)
    assert list(notices.notices_open(date(2025, 5, 8))) == [notice]
    assert list(notices.notices_open(date(2025, 5, 9))) == []


def test_a_moved_workday_counts_and_a_holiday_does_not(world: World) -> None:
    # The Spring Festival of 2025: off from 28 January to 4 February, worked on Sunday 26 January.
    notice = published(world.on(2025, 1, 24))
    assert notice.closes_on == date(2025, 2, 7)


@given(start=st.dates(date(2023, 9, 1), date(2025, 12, 1)), days=st.integers(5, 30))
def test_between_publication_and_last_day_lie_exactly_the_working_days(start: date, days: int) -> None:
    policy = load_policy()
    notice = Notice(published_on=start, working_days=days, closes_on=start, provisional=True)
    last = notices.deadline_of(notice, policy).day
    later = [start + timedelta(days=n) for n in range(1, (last - start).days + 1)]
    assert sum(is_workday(day, policy)[0] for day in later) == days
    assert is_workday(last, policy)[0]


def test_a_notice_shorter_than_the_policy_allows_is_not_published(small_world: World) -> None:
    with pytest.raises(FieldRefused) as refusal:
        published(small_world, working_days=4)
    assert refusal.value.own_code == "notice_too_short"
    assert Notice.select().count() == Step.select().where(Step.noun == "notice").count() == 0


@pytest.mark.parametrize("changes", [{"title": " "}, {"text": ""}, {"title": "长" * 201}])
def test_a_notice_says_something(small_world: World, changes: dict[str, str]) -> None:
    with pytest.raises(FieldRefused):
        published(small_world, **changes)


@pytest.mark.parametrize("name", ["base_clerk", "auditor", "admin", "other_county_officer"])
def test_only_officers_of_the_division_publish(small_world: World, name: str) -> None:
    with pytest.raises(NotAllowed):
        published(small_world, by=name)
    assert Notice.select().count() == 0


def test_nothing_is_decided_before_the_time_has_run_and_every_objection_is_answered(world: World) -> None:
    notice = published(world.on(2025, 3, 3))
    objection = objected(world, notice)
    with pytest.raises(NoticeRunning) as running:
        notices.require_over_and_answered(world.on(2025, 3, 10).act("city_officer"), notice)
    assert running.value.facts == {"closes_on": date(2025, 3, 10)}
    with pytest.raises(ObjectionsUnanswered) as waiting:
        notices.require_over_and_answered(world.on(2025, 3, 11).act("city_officer"), notice)
    assert waiting.value.facts == {"count": 1}
    notices.answer(world.act("county_officer"), objection, "已核实，面积相符。", upheld=False)
    notices.require_over_and_answered(world.act("city_officer"), notice)
    assert notices.upheld(notice) == []


def test_an_objection_found_right_is_told_to_whoever_decides(world: World) -> None:
    notice = published(world)
    objection = objected(world, notice)
    notices.answer(world.act("city_officer"), objection, "经查属实。", upheld=True)
    assert notices.upheld(notice) == [objection]
    assert notices.unanswered(notice) == []


def test_the_last_day_still_takes_objections_and_the_next_does_not(world: World) -> None:
    notice = published(world.on(2025, 3, 3))
    world.now = datetime(2025, 3, 10, 15, 59, tzinfo=UTC)  # one minute before midnight in Haidong
    objected(world, notice)
    world.now = datetime(2025, 3, 10, 16, 0, tzinfo=UTC)
    with pytest.raises(NoticeClosed):
        objected(world, notice)
    assert len(notices.unanswered(notice)) == 1


def test_a_withdrawn_notice_takes_no_objection_and_supports_no_decision(world: World) -> None:
    notice = published(world)
    stale = Notice.get_by_id(notice.id)
    notices.withdraw(world.act("city_officer"), notice, "申请已撤回")
    for seen in (notice, stale):
        with pytest.raises(NoticeWithdrawn):
            objected(world, seen)
    with pytest.raises(NoticeWithdrawn):
        notices.require_over_and_answered(world.on(2025, 6, 2).act("city_officer"), notice)
    assert Objection.select().count() == 0


def test_an_objection_is_answered_once(world: World) -> None:
    objection = objected(world, published(world))
    twin = Objection.get_by_id(objection.id)
    notices.answer(world.act("county_officer"), objection, "已核实。", upheld=False)
    with pytest.raises(WrongState):
        notices.answer(world.act("city_officer"), twin, "经查属实。", upheld=True)
    kept = Objection.get_by_id(objection.id)
    assert (kept.status, notices.answer_of(world.service.vault, kept)) == ("dismissed", "已核实。")


@pytest.mark.parametrize("name", ["base_clerk", "auditor", "admin", "other_county_officer"])
def test_only_officers_of_the_division_answer(small_world: World, name: str) -> None:
    objection = objected(small_world, published(small_world))
    with pytest.raises(NotAllowed):
        notices.answer(small_world.act(name), objection, "已核实。", upheld=False)
    assert Objection.get_by_id(objection.id).status == "received"


def test_words_and_contact_are_sealed_in_the_database(world: World) -> None:
    objection = objected(world, published(world))
    notices.answer(world.act("city_officer"), objection, "已当面答复。", upheld=False)
    rows = database.execute_sql("SELECT * FROM objection").fetchall()
    stored = b" ".join(bytes(v) if isinstance(v, (bytes, memoryview)) else str(v).encode() for v in rows[0])
    for secret in (*OBJECTION.values(), "已当面答复。"):
        assert secret.encode() not in stored
    assert notices.contact_of(world.service.vault, objection) == OBJECTION["contact"]
    steps = " ".join(f"{step.reason} {step.detail}" for step in Step.select())
    assert OBJECTION["contact"] not in steps


def test_a_last_day_in_a_year_without_published_holidays_is_reckoned_again_and_never_earlier(
    world: World,
) -> None:
    notice = published(world.on(2035, 12, 28))
    assert notice.provisional
    text = HAIDONG.read_text(encoding="utf-8")
    holidays = ", ".join(f"2036-01-{day:02d}" for day in range(1, 5))
    calendar = (
        "\n[calendar.2035]\nholidays = []\nmoved_workdays = []\n"
        f"[calendar.2036]\nholidays = [{holidays}]\nmoved_workdays = []\n"
    )
    known = Policy(text + calendar)
    guessed = notices.deadline_of(notice, world.service.policy)
    settled = notices.deadline_of(notice, known)
    assert guessed.provisional and not settled.provisional
    assert settled.day > guessed.day
    act = world.act("city_officer")
    kept = notices.settle(type(act)(by=act.by, at=act.at, policy=known, vault=act.vault), notice)
    assert (Notice.get_by_id(kept.id).closes_on, kept.provisional) == (settled.day, False)
    worked = Policy(
        text
        + calendar.replace(f"[{holidays}]", "[]").replace(
            "moved_workdays = []\n[", "moved_workdays = [2035-12-29, 2035-12-30]\n["
        )
    )
    notice.closes_on, notice.provisional = guessed.day, True
    assert notices.deadline_of(notice, worked).day == guessed.day


# Everyone's pages


def test_without_notices_the_page_says_what_to_expect(client: FlaskClient) -> None:
    zh, en = client.get("/notices"), client.get("/notices?lang=en")
    assert (zh.status_code, en.status_code) == (200, 200)
    assert "现在没有正在公示的事项" in zh.text and 'href="/bases?lang=zh"' in zh.text
    assert "Nothing is on notice at the moment" in en.text
    assert client.get("/notices", headers={"Accept": "application/json"}).json == {"items": []}


def test_everyone_reads_a_notice_as_page_and_as_json(client: FlaskClient, small_world: World) -> None:
    notice = published(small_world.on(2025, 3, 3))
    listed = client.get("/notices").text
    assert notice.title in listed and f"/notices/{notice.id}" in listed
    shown = client.get(f"/notices/{notice.id}").text
    assert "拟认定为职业培训基地。" in shown and "2025年3月10日" in shown and "乐都区" in shown
    told = client.get(f"/notices/{notice.id}", headers={"Accept": "application/json"}).json
    assert (told["closes_on"], told["phase"], told["text"]) == ("2025-03-10", "open", notice.text)
    assert not {"subject_id", "objections"} & set(told)


def test_a_notice_cannot_write_markup_into_the_page(client: FlaskClient, small_world: World) -> None:
    notice = published(small_world, title="<script>alert(1)</script>", text="<img src=x onerror=alert(1)>")
    for path in ("/notices", f"/notices/{notice.id}"):
        assert "<script" not in client.get(path).text and "<img" not in client.get(path).text


def test_anyone_objects_by_form_and_the_receipt_shows_neither_words_nor_contact(
    client: FlaskClient, small_world: World
) -> None:
    notice = published(small_world)
    answer = client.post(f"/notices/{notice.id}/objections", data=OBJECTION)
    assert answer.status_code == 303
    receipt = client.get(answer.headers["Location"])
    assert "异议已收到" in receipt.text and "待答复" in receipt.text
    for place in (answer.headers["Location"], receipt.text):
        assert OBJECTION["contact"] not in place and OBJECTION["text"] not in place
    objection = Objection.get()
    notices.answer(small_world.act("city_officer"), objection, "已核实。", upheld=False)
    later = client.get(answer.headers["Location"]).text
    assert "异议不成立" in later and "已核实" not in later


def test_anyone_objects_by_json(client: FlaskClient, small_world: World) -> None:
    notice = published(small_world.on(2025, 3, 3))
    answer = client.post(f"/notices/{notice.id}/objections", json=OBJECTION)
    assert answer.status_code == 201
    assert (answer.json["status"], answer.json["answer_by"]) == ("received", "2025-03-10")
    assert client.get(answer.json["url"]).status_code == 200
    assert notices.text_of(small_world.service.vault, Objection.get()) == OBJECTION["text"]


def test_an_objection_sent_twice_with_one_key_is_one_objection(
    small_world: World, client: FlaskClient
) -> None:
    notice = published(small_world)
    address = f"/notices/{notice.id}/objections"
    sent = [client.post(address, json=OBJECTION, headers={"Idempotency-Key": "one"}) for _ in range(2)]
    assert [answer.status_code for answer in sent] == [201, 201]
    assert sent[0].json == sent[1].json
    assert len(notices.unanswered(notice)) == 1


@pytest.mark.parametrize(
    "wrong", [{"text": " "}, {"contact": ""}, {"text": "长" * 4001}, {"contact": "1" * 201}]
)
def test_a_refused_form_keeps_what_was_typed_and_names_what_is_wrong(
    client: FlaskClient, small_world: World, wrong: dict[str, str]
) -> None:
    notice = published(small_world)
    address = f"/notices/{notice.id}/objections"
    answer = client.post(address, data=OBJECTION | wrong)
    assert answer.status_code == 422
    assert "没有提交，请更正" in answer.text
    invalid = re.findall(r'id="(text|contact)"[^>]*aria-invalid="true"', answer.text)
    assert invalid == list(wrong)
    kept = next(iter(OBJECTION.keys() - wrong.keys()))
    assert OBJECTION[kept] in answer.text
    told = client.post(address, json=OBJECTION | wrong)
    assert (told.status_code, told.json["code"]) == (422, "field_refused")
    assert Objection.select().count() == 0


@pytest.mark.parametrize("body", [{}, {"text": 5, "contact": ["x"]}, [], "text", None])
def test_a_body_of_another_shape_is_refused(client: FlaskClient, small_world: World, body: Any) -> None:
    notice = published(small_world)
    answer = client.post(f"/notices/{notice.id}/objections", json=body)
    assert answer.status_code == 422
    assert Objection.select().count() == 0


def test_after_its_last_day_a_notice_has_no_form_and_takes_nothing(
    client: FlaskClient, small_world: World
) -> None:
    notice = published(small_world.on(2025, 3, 3))
    small_world.on(2025, 3, 11)
    shown = client.get(f"/notices/{notice.id}").text
    assert "<form" not in shown and "不再接收异议" in shown
    assert client.post(f"/notices/{notice.id}/objections", data=OBJECTION).status_code == 409
    told = client.post(f"/notices/{notice.id}/objections", json=OBJECTION)
    assert (told.status_code, told.json["code"]) == (409, "notice_closed")
    assert Objection.select().count() == 0


def test_a_text_that_may_name_people_goes_with_the_last_day_and_one_about_a_base_stays(
    client: FlaskClient, small_world: World
) -> None:
    about_base = published(small_world.on(2025, 3, 3))
    about_people = published(small_world, subject="subsidy_batch", text="补贴名单")
    small_world.on(2025, 3, 11)
    assert "拟认定为职业培训基地。" in client.get(f"/notices/{about_base.id}").text
    gone = client.get(f"/notices/{about_people.id}")
    assert "补贴名单" not in gone.text and "内容不再显示" in gone.text
    assert (
        client.get(f"/notices/{about_people.id}", headers={"Accept": "application/json"}).json["text"] is None
    )


def test_a_withdrawn_notice_is_off_the_list_and_shows_no_text(
    client: FlaskClient, small_world: World
) -> None:
    notice = published(small_world)
    notices.withdraw(small_world.act("city_officer"), notice, "内部理由")
    assert notice.title not in client.get("/notices").text
    shown = client.get(f"/notices/{notice.id}").text
    assert "已撤下" in shown and "拟认定" not in shown and "内部理由" not in shown


@pytest.mark.parametrize("notice_id", [UNKNOWN, "nonsense", "1%27%20OR%201=1"])
def test_an_unknown_notice_is_not_found(client: FlaskClient, notice_id: str) -> None:
    assert client.get(f"/notices/{notice_id}").status_code == 404
    assert client.post(f"/notices/{notice_id}/objections", data=OBJECTION).status_code == 404


def test_a_receipt_opens_only_with_its_own_notice(client: FlaskClient, small_world: World) -> None:
    notice, other = published(small_world), published(small_world)
    objection = objected(small_world, notice)
    for receipt in (objection.id, "nonsense", UNKNOWN):
        assert "异议已收到" not in client.get(f"/notices/{other.id}?receipt={receipt}").text


def test_a_flood_of_objections_from_one_address_is_stopped(client: FlaskClient, small_world: World) -> None:
    notice = published(small_world)
    statuses = [
        client.post(f"/notices/{notice.id}/objections", json=OBJECTION).status_code for _ in range(22)
    ]
    assert statuses == [201] * 20 + [429] * 2
    assert Objection.select().count() == 20


# Officers


def test_officers_of_the_division_read_and_answer_and_an_auditor_sees_only_that(
    client: FlaskClient, small_world: World
) -> None:
    objection = objected(small_world, published(small_world.on(2025, 3, 3)))
    officer = bearer(small_world, "county_officer")
    listed = client.get("/api/v1/objections?status=received", headers=officer).json["items"]
    assert [(item["text"], item["contact"]) for item in listed] == [tuple(OBJECTION.values())]
    seen = client.get(f"/api/v1/objections/{objection.id}", headers=bearer(small_world, "auditor")).json
    assert (seen["text"], seen["contact"], seen["status"]) == (None, None, "received")
    answer = {"text": "已核实，不属实。", "upheld": False}
    answered = client.post(f"/api/v1/objections/{objection.id}/answer", json=answer, headers=officer)
    assert (answered.status_code, answered.json["status"]) == (200, "dismissed")
    again = client.post(f"/api/v1/objections/{objection.id}/answer", json=answer, headers=officer)
    assert (again.status_code, again.json["code"]) == (409, "wrong_state")
    assert [step["action"] for step in answered.json["steps"]] == ["object", "dismiss"]


def test_an_objection_not_answered_in_time_is_overdue(client: FlaskClient, small_world: World) -> None:
    objected(small_world, published(small_world.on(2025, 3, 3)))
    officer = bearer(small_world, "city_officer")

    def overdue() -> bool:
        return bool(client.get("/api/v1/objections", headers=officer).json["items"][0]["overdue"])

    assert not overdue()
    small_world.on(2025, 3, 10)
    assert not overdue()
    small_world.on(2025, 3, 11)
    assert overdue()


def test_a_division_sees_its_own_notices_and_the_city_sees_all(
    client: FlaskClient, small_world: World
) -> None:
    here = published(small_world)
    there = published(small_world, division_code=OTHER_COUNTY)
    city = published(small_world, division_code=CITY)
    for notice in (here, there, city):
        objected(small_world, notice)

    def ids(path: str, name: str) -> set[UUID]:
        items = client.get(f"/api/v1/{path}", headers=bearer(small_world, name)).json["items"]
        return {UUID(item["id"] if path == "notices" else item["notice_id"]) for item in items}

    for path in ("notices", "objections"):
        assert ids(path, "county_officer") == {here.id}
        assert ids(path, "other_county_officer") == {there.id}
        assert ids(path, "city_officer") == {here.id, there.id, city.id}
    counted = client.get(f"/api/v1/notices/{here.id}", headers=bearer(small_world, "county_officer")).json
    assert counted["objections"] == {"received": 1, "upheld": 0, "dismissed": 0}
