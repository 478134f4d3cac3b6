"""Deadlines: what is due from every room, in working days, overdue marked, provisional said."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient

from api import limits
from skills_registry import bases, deadlines, evaluation, notices
from skills_registry.exits import appeals, cures, sanctions, teach_out, withdrawal
from skills_registry.exits.leaving import Exit
from skills_registry.foundation.dues import Due
from skills_registry.foundation.policy import HAIDONG, Policy
from skills_registry.training import enrolments
from tests import admission, evaluated
from tests.test_exits import imposed
from tests.world import World, application


def due(world: World, *of: bases.Base) -> dict[str, Due]:
    """What is due for these bases (the world's own by default), by kind."""
    asked = [base.id for base in of or (world.base,)]
    found = deadlines.all_due(world.service.policy, world.act("auditor").today, asked)
    assert [item.deadline.day for item in found] == sorted(item.deadline.day for item in found)
    return {item.kind: item for item in found}


@pytest.fixture
def client(small_world: World) -> Iterator[FlaskClient]:
    app = application(small_world)
    limits.limiter.enabled = False
    with app.test_client() as made:
        yield made
    limits.limiter.enabled = True


class Caller:
    """Somebody who calls the API by name."""

    def __init__(self, client: FlaskClient, world: World) -> None:
        self.client, self.world = client, world

    def __call__(self, who: str, method: str, path: str, **body: Any) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.world.key(who)}"}
        more = {"json": body} if body else {}
        answer = self.client.open(f"/api/v1/{path}", method=method, headers=headers, **more)
        return answer.status_code, answer.get_json(silent=True)


def test_a_quiet_base_has_only_last_years_evaluation_before_it(world: World) -> None:
    assert due(world) == {}
    world.on(2026, 1, 12)
    assert set(due(world)) == {"evaluation"}


def test_a_cure_is_due_to_the_base_and_its_acceptance_to_the_federation(world: World) -> None:
    letter = imposed(world, "rectification")
    found = due(world)
    assert (found["cure"].deadline.day, found["cure"].waits_for) == (date(2025, 3, 10), ("base_clerk",))
    assert found["appeal"].deadline.day == date(2025, 2, 24)
    world.on(2025, 3, 11)
    assert due(world)["cure"].is_overdue(date(2025, 3, 11))
    assert "appeal" not in due(world)
    cures.report_cure(world.act("base_clerk"), letter, "已改正")
    found = due(world)
    assert "cure" not in found
    assert found["cure_acceptance"].deadline.day == date(2025, 3, 18)
    cures.accept_cure(world.act("city_officer"), letter, "合格")
    assert due(world) == {}


def test_what_is_proposed_or_asked_waits_for_the_city(world: World) -> None:
    asked = withdrawal.ask(world.act("base_clerk"), world.base, "停止办学")
    sanctions.impose(
        world.act("county_officer"), world.base, "public_censure", ground="safety_hazard", reason="隐患"
    )
    found = due(world)
    assert {kind: item.deadline.day for kind, item in found.items()} == {
        "sanction_decision": date(2025, 2, 24),
        "withdrawal_decision": date(2025, 2, 24),
    }
    assert found["withdrawal_decision"].record_id == asked.id
    assert {item.waits_for for item in found.values()} == {("city_officer",)}


def test_an_appeal_is_due_to_be_decided_and_no_longer_to_be_made(world: World) -> None:
    letter = imposed(world, "rectification")
    appeals.file_appeal(world.act("base_clerk"), "sanction", letter.id, "事实有误")
    found = due(world)
    assert "appeal" not in found
    assert found["appeal_decision"].deadline.day == date(2025, 3, 10)


def test_a_teach_out_is_due_in_steps_until_it_is_closed(world: World) -> None:
    running = world.open_class()
    world.enrol(running)
    world.on(2025, 3, 20)
    imposed(world, "termination")
    leaving = Exit.get()
    assert due(world)["teach_out_settling"].deadline.day == date(2025, 4, 21)  # 20 April is a Sunday
    teach_out.decide_class(world.act("county_officer"), leaving, running.id, "finish_here", reason="监督完成")
    found = due(world)
    assert "teach_out_settling" not in found
    # The class ends on 11 April; 20 working days later, with 劳动节 and the moved Sunday 27 April.
    assert found["teach_out_results"].deadline.day == date(2025, 5, 13)
    for enrolment in enrolments.roster(running):
        world.grade(enrolment)
    running = type(running).get_by_id(running.id)
    enrolments.submit_class(world.act("base_clerk"), running)
    assert due(world)["teach_out_results"].waits_for == ("city_officer",)
    world.issue(running)
    assert "teach_out_closing" in due(world)
    teach_out.close(world.act("county_officer"), leaving, "办结")
    assert set(due(world)) <= {"appeal"}


def test_a_listing_near_its_end_is_due_for_renewal_and_past_it_to_be_closed(world: World) -> None:
    world.on(2027, 9, 30)
    assert "listing_ends" not in due(world)
    world.on(2027, 10, 8)
    found = due(world)["listing_ends"]
    assert (found.deadline.day, found.deadline.provisional) == (date(2027, 12, 31), False)
    world.on(2028, 1, 4)
    assert due(world)["listing_expired"].is_overdue(date(2028, 1, 4))


def test_a_renewed_listing_is_not_due_again(world: World) -> None:
    bases.admit(
        world.act("city_officer"),
        world.base,
        plaque_number="HD-2028-0001",
        valid_from=date(2028, 1, 1),
        valid_until=date(2030, 12, 31),
        basis="复审",
        scope=[],
    )
    world.on(2027, 12, 1)
    assert "listing_ends" not in due(world)


def test_reviews_notices_and_objections_are_in_the_list(world: World) -> None:
    application = admission.reviewed(world)
    assert "application_reviewed" in due(world, application.base) or len(due(world, application.base)) == 1
    admission.publish(world, application)
    found = due(world, application.base)
    assert found["notice_ends"].deadline.day == date(2025, 2, 17)
    objection = admission.object_to(world, admission.again(application))
    answer = due(world, application.base)["objection_answer"]
    assert (answer.record_id, answer.deadline.day) == (objection.id, objection.answer_by)
    notices.answer(world.act("second_city_officer"), objection, "经核查不属实", upheld=False)
    assert "objection_answer" not in due(world, application.base)


def test_comments_on_a_grade_are_due_to_the_base_and_then_the_grade_to_the_city(world: World) -> None:
    evaluated.year_2025(world)
    found = evaluated.in_state(world, "proposed")
    world.on(2026, 1, 19)
    assert due(world)["evaluation_comment"].waits_for == ("base_clerk",)
    world.on(2026, 1, 20)
    assert due(world)["evaluation_decision"].waits_for == ("city_officer",)
    evaluation.finalise(evaluated.act_on(world, "city_officer", (2026, 1, 20)), found)
    last = due(world)
    assert {"evaluation", "evaluation_decision"} & set(last) == set()
    assert last["appeal"].record_id == found.id


def test_a_deadline_in_an_unpublished_year_is_provisional_and_right_once_the_year_is_known(
    world: World,
) -> None:
    world.listed_base("乐都区远期学校", 2, valid_until=date(2032, 12, 31))
    far = bases.Base.get(bases.Base.name == "乐都区远期学校")
    world.on(2031, 1, 20)
    imposed(world, "interview", far)
    first = due(world, far)["cure"].deadline
    assert (first.day, first.provisional) == (date(2031, 1, 27), True)
    text = HAIDONG.read_text(encoding="utf-8")
    known = Policy(
        text + "\n[calendar.2031]\nholidays = [2031-01-22, 2031-01-23]\nmoved_workdays = [2031-01-25]\n"
    )
    again = {item.kind: item for item in deadlines.all_due(known, date(2031, 1, 20), [far.id])}["cure"]
    assert (again.deadline.day, again.deadline.provisional) == (date(2031, 1, 28), False)


# --- through the API


def test_the_list_shows_each_caller_their_own_and_marks_what_is_overdue(
    client: FlaskClient, small_world: World
) -> None:
    call = Caller(client, small_world)
    imposed(small_world, "interview")
    small_world.on(2025, 2, 20)
    status, body = call("base_clerk", "GET", "deadlines")
    assert (status, body["as_of"], body["overdue"]) == (200, "2025-02-20", 1)
    first = body["items"][0]
    assert (first["kind"], first["day"], first["overdue"]) == ("cure", "2025-02-17", True)
    assert (first["message"], first["provisional"]) == ("完成整改并报告", False)
    assert call("county_officer", "GET", "deadlines")[1]["items"] == body["items"]
    assert call("other_county_officer", "GET", "deadlines")[1]["items"] == []
    assert call("county_officer", "GET", "deadlines?mine=true")[1]["items"] == []
    assert len(call("base_clerk", "GET", "deadlines?overdue=true")[1]["items"]) == 1
    assert call("base_clerk", "GET", "deadlines?until=2025-02-16")[1]["items"] == []


def test_sanction_cure_appeal_and_exit_go_through_the_api(client: FlaskClient, small_world: World) -> None:
    call, base = Caller(client, small_world), small_world.base.id
    status, letter = call(
        "county_officer", "POST", f"bases/{base}/sanctions",
        step="rectification", ground="venue_moved", reason="擅自变更地点",
    )  # fmt: skip
    assert (status, letter["status"], letter["due"]) == (201, "imposed", "2025-03-10")
    assert letter["ground_text"] == "擅自变更培训地点"
    assert letter["restrictions"][0]["kind_text"] == "暂停新开班"
    held = {
        "title": "新班", "training_type": "entrepreneurship", "course_title": "电商创业",
        "starts_on": "2025-05-06", "ends_on": "2025-06-06", "class_hours": 40, "capacity": 20,
    }  # fmt: skip
    status, refusal = call("base_clerk", "POST", "classes", **held)
    assert (status, refusal["code"]) == (409, "no_new_classes")
    assert "2025-02-10" in refusal["detail"]
    path = f"sanctions/{letter['id']}"
    assert call("base_clerk", "POST", f"{path}/cure", report="已改正")[1]["status"] == "cure_reported"
    accepted = {"outcome": "accepted", "reason": "合格"}
    assert call("county_officer", "POST", f"{path}/acceptance", **accepted)[0] == 403
    assert call("city_officer", "POST", f"{path}/acceptance", **accepted)[1]["status"] == "cured"
    status, appeal = call(
        "base_clerk", "POST", "appeals", subject="sanction", subject_id=letter["id"], grounds="事实有误"
    )
    assert (status, appeal["status"], appeal["subject_text"]) == (201, "filed", "处理措施")
    decision = {"outcome": "overturned", "reason": "依据不足"}
    status, refusal = call("city_officer", "POST", f"appeals/{appeal['id']}/decision", **decision)
    assert (status, refusal["code"]) == (403, "appeal_took_part")
    done = call("second_city_officer", "POST", f"appeals/{appeal['id']}/decision", **decision)[1]
    assert (done["status"], call("auditor", "GET", path)[1]["status"]) == ("overturned", "overturned")
    assert call("base_clerk", "GET", f"bases/{base}/sanctions")[1]["items"][0]["appeal_id"] == appeal["id"]
    assert call("base_clerk", "POST", "classes", **held)[0] == 201
    assert call("base_clerk", "POST", f"bases/{base}/withdrawal", reason="停止办学")[0] == 201
    left = call("city_officer", "POST", f"bases/{base}/withdrawal/decision", decision="accept", reason="同意")
    assert (left[0], left[1]["status"], left[1]["leaves_on"]) == (200, "closed", "2025-02-10")
    assert call("base_clerk", "GET", f"bases/{base}/teach-out")[1]["ground_text"] == "自愿退出"


def test_a_termination_and_its_teach_out_go_through_the_api(client: FlaskClient, small_world: World) -> None:
    call, base = Caller(client, small_world), small_world.base.id
    running = small_world.open_class()
    small_world.enrol(running, 2)
    other = small_world.listed_base("乐都区邻家学校", 2)
    small_world.on(2025, 3, 20)
    proposed = call(
        "county_officer", "POST", f"bases/{base}/sanctions",
        step="termination", ground="subsidy_fraud", reason="骗补",
    )[1]  # fmt: skip
    decided = {"decision": "impose", "reason": "属实"}
    assert call("city_officer", "POST", f"sanctions/{proposed['id']}/decision", **decided)[0] == 200
    found = call("county_officer", "GET", f"bases/{base}/teach-out")[1]
    assert (found["status"], found["classes"][0]["counts"]["enrolled"]) == ("teaching_out", 2)
    way = {"class_id": str(running.id), "way": "hand_over", "reason": "移交"}
    assert call("county_officer", "POST", f"bases/{base}/teach-out", **way)[1]["code"] == "field_refused"
    status, refusal = call("county_officer", "POST", f"bases/{base}/teach-out/closing", reason="办结")
    assert (status, refusal["code"]) == (409, "trainees_unaccounted")
    moved = call("county_officer", "POST", f"bases/{base}/teach-out", **way, to_base_id=str(other.id))[1]
    row = moved["classes"][0]
    assert (row["way"], row["to_base_name"], row["counts"]["moved"]) == ("hand_over", "乐都区邻家学校", 2)
    closed = call("county_officer", "POST", f"bases/{base}/teach-out/closing", reason="办结")[1]
    assert closed["status"] == "closed"
    assert call("base_clerk", "GET", f"classes/{running.id}")[0] == 404


def test_an_expired_listing_is_closed_through_the_api(client: FlaskClient, small_world: World) -> None:
    call, base = Caller(client, small_world), small_world.base.id
    small_world.key("city_officer")
    assert call("city_officer", "POST", f"bases/{base}/expiry")[1]["code"] == "listing_not_expired"
    small_world.keys.clear()
    small_world.on(2028, 1, 4)
    closed = call("city_officer", "POST", f"bases/{base}/expiry")[1]["exit"]
    assert (closed["ground_text"], closed["leaves_on"]) == ("挂牌期满", "2028-01-01")


def test_a_request_to_leave_is_taken_back_and_an_appeal_withdrawn(
    client: FlaskClient, small_world: World
) -> None:
    call, base = Caller(client, small_world), small_world.base.id
    assert call("base_clerk", "DELETE", f"bases/{base}/withdrawal")[0] == 404
    call("base_clerk", "POST", f"bases/{base}/withdrawal", reason="停止办学")
    assert call("base_clerk", "DELETE", f"bases/{base}/withdrawal")[1]["status"] == "taken_back"
    letter = imposed(small_world, "rectification")
    appeal = call(
        "base_clerk", "POST", "appeals", subject="sanction", subject_id=str(letter.id), grounds="有误"
    )[1]
    assert call("base_clerk", "DELETE", f"appeals/{appeal['id']}")[1]["status"] == "withdrawn"
    assert call("county_officer", "GET", "appeals?status=withdrawn")[1]["items"][0]["id"] == appeal["id"]


def test_a_foreign_decision_answers_as_if_it_were_not_there(client: FlaskClient, small_world: World) -> None:
    call = Caller(client, small_world)
    other = small_world.listed_base("乐都区邻家学校", 2)
    small_world.hire("other_clerk", other.organisation, "base_clerk")
    letter = imposed(small_world, "rectification")
    unknown = "01a203f0-acbc-767f-82bd-f38f1bb513ab"
    answers = [
        call("other_clerk", "POST", "appeals", subject="sanction", subject_id=record, grounds="有误")
        for record in (str(letter.id), unknown)
    ]
    assert answers[0] == answers[1]
    assert answers[0][0] == 404
