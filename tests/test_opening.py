"""Before each of its doors a class lists what it lacks; only what the policy names refuses."""

from __future__ import annotations

from datetime import date

import pytest

from skills_registry import deadlines
from skills_registry.bases import OccupationOutOfScope, entries
from skills_registry.bases.listing import ScopeEntry
from skills_registry.foundation.lifecycle import steps_of
from skills_registry.training import changes, classes, enrolments, opening
from skills_registry.training.classes import TrainingClass
from skills_registry.training.filing import file_class
from skills_registry.training.opening import ClassIncomplete
from tests.timetables import demanding, mornings, moved, planned, reported, site, taught_class, teacher
from tests.world import World, massage_class


def lacking(world: World, training_class: TrainingClass) -> list[str]:
    fresh = TrainingClass.get_by_id(training_class.id)
    return [found.code for found in opening.missing(world.act("county_officer"), fresh)]


def test_a_class_filed_in_one_call_is_opened_and_what_it_lacks_is_listed(world: World) -> None:
    filed = world.filed_class()
    assert lacking(world, filed) == ["timetable", "project"]
    opened = opening.open_class(world.act("county_officer"), filed)
    assert opened.status == "open"
    step = next(step for step in steps_of(opened.id) if step.action == "open")
    assert step.detail == {"missing": ["timetable", "project"]}


def test_a_complete_timetable_leaves_nothing_but_the_project_to_be_listed(small_world: World) -> None:
    training_class, _ = taught_class(small_world)
    assert lacking(small_world, training_class) == ["project"]


def test_sessions_without_teacher_or_place_are_counted(small_world: World) -> None:
    filed, sessions = small_world.filed_class(), mornings()
    hall, qi = site(small_world), teacher(small_world)
    done = moved(sessions, 0, site_id=hall.id, teacher_id=qi.id)
    planned(small_world, filed, moved(done, 1, kind="online"))
    found = {m.code: m for m in opening.missing(small_world.act("base_clerk"), filed)}
    assert "29次课没有在册教师" in found["teachers"].zh
    assert "28次课没有填写地点" in found["place"].zh


def test_a_teacher_who_left_the_roster_since_is_missing_again(small_world: World) -> None:
    training_class, sessions = taught_class(small_world)
    gone = entries.Teacher.get_by_id(sessions[0].teacher_id)
    entries.take_out(small_world.act("base_clerk"), gone)
    assert lacking(small_world, training_class) == ["teachers", "project"]


def test_hours_and_shares_that_fall_short_are_listed_before_the_opening(small_world: World) -> None:
    filed = small_world.filed_class()
    planned(small_world, filed, mornings(site(small_world).id, teacher(small_world).id)[1:])
    assert lacking(small_world, filed) == ["timetable_hours", "safety_hours", "project"]


def test_a_waiting_change_and_missing_consents_are_listed_while_the_class_runs(small_world: World) -> None:
    training_class, sessions = taught_class(small_world)
    small_world.enrol(training_class, 2)
    change = reported(small_world, training_class, moved(sessions, 4, content="换一讲"))
    assert lacking(small_world, training_class) == ["project", "consent_missing", "change_waiting"]
    changes.refuse(small_world.act("county_officer"), change, "不必")
    assert lacking(small_world, training_class) == ["project", "consent_missing"]


def test_past_sessions_and_the_assessment_are_asked_for_when_their_day_has_come(small_world: World) -> None:
    training_class, _ = taught_class(small_world)
    small_world.on(2025, 3, 4)
    found = opening.missing(small_world.act("base_clerk"), training_class)
    assert [m.code for m in found] == ["project", "attendance_open"]
    assert "2次已上的课" in found[1].zh
    small_world.on(2025, 4, 11)
    assert lacking(small_world, training_class) == ["project", "attendance_open", "assessment_missing"]


@pytest.mark.parametrize("state", ["approved", "cancelled"])
def test_a_class_that_is_over_lacks_nothing(small_world: World, state: str) -> None:
    if state == "approved":
        training_class = small_world.submitted_class(1)
        assert lacking(small_world, training_class)
        small_world.issue(training_class)
    else:
        training_class = small_world.filed_class()
        classes.cancel_class(small_world.act("base_clerk"), training_class, "不办了")
    assert lacking(small_world, training_class) == []


# ---------------------------------------------------------------- where the policy refuses


def test_where_the_policy_demands_a_timetable_none_is_opened_without_and_nothing_changes(
    world: World,
) -> None:
    demanding(world, opening=["timetable"])
    filed = world.filed_class()
    steps = [step.id for step in steps_of(filed.id)]
    assert [m.code for m in opening.missing(world.act("base_clerk"), filed) if m.refuses] == ["timetable"]
    with pytest.raises(ClassIncomplete) as refusal:
        opening.open_class(world.act("county_officer"), filed)
    assert refusal.value.facts["codes"] == ["timetable"]
    assert "请填写或上传课程表" in refusal.value.sentence("zh")
    assert TrainingClass.get_by_id(filed.id).status == "filed"
    assert [step.id for step in steps_of(filed.id)] == steps
    planned(world, filed, mornings())
    assert opening.open_class(world.act("county_officer"), filed).status == "open"


def test_where_the_policy_demands_consents_no_class_is_submitted_without(small_world: World) -> None:
    demanding(small_world, submission=["consent_missing"])
    training_class = small_world.open_class()
    for enrolment in small_world.enrol(training_class, 1):
        small_world.grade(enrolment)
    with pytest.raises(ClassIncomplete) as refusal:
        opening.submit_class(small_world.act("base_clerk"), training_class)
    assert refusal.value.facts["codes"] == ["consent_missing"]
    assert TrainingClass.get_by_id(training_class.id).status == "open"


def test_a_returned_class_passes_the_same_door_again(small_world: World) -> None:
    training_class = small_world.submitted_class(1)
    classes.return_class(small_world.act("city_officer"), training_class, "请补材料")
    demanding(small_world, submission=["timetable"])
    with pytest.raises(ClassIncomplete):
        opening.submit_class(small_world.act("base_clerk"), training_class)
    assert TrainingClass.get_by_id(training_class.id).status == "returned"


def test_with_the_default_policy_nothing_missing_refuses_a_submission(small_world: World) -> None:
    training_class = small_world.open_class()
    for enrolment in small_world.enrol(training_class, 2):
        small_world.grade(enrolment)
    assert opening.submit_class(small_world.act("base_clerk"), training_class).status == "submitted"
    assert enrolments.counts(training_class)["passed"] == 2


# ---------------------------------------------------------------- trade, place, deadline


def test_an_out_of_scope_trade_is_refused_at_the_filing_and_at_the_opening(small_world: World) -> None:
    cook = {"edition": "2015", "code": "4-03-02-01", "name": "中式烹调师"}
    with pytest.raises(OccupationOutOfScope):
        file_class(small_world.act("base_clerk"), small_world.base, massage_class(occupation=cook))
    filed = small_world.filed_class()
    ScopeEntry.update(code="4-03-02-01").execute()
    with pytest.raises(OccupationOutOfScope):
        opening.open_class(small_world.act("county_officer"), filed)
    assert TrainingClass.get_by_id(filed.id).status == "filed"


def test_the_review_of_a_filing_is_due_after_the_policys_working_days(small_world: World) -> None:
    def due() -> dict[str, date]:
        found = deadlines.all_due(small_world.service.policy, small_world.now.date(), [small_world.base.id])
        return {item.kind: item.deadline.day for item in found if item.kind == "class_opening"}

    small_world.on(
        2025, 1, 24
    )  # Friday; worked on the 26th (moved) and 27th, and after the Spring Festival from 5 February
    filed = small_world.filed_class()
    assert due() == {"class_opening": date(2025, 2, 7)}
    opening.open_class(small_world.act("county_officer"), filed)
    assert due() == {}
