"""Sittings of the final assessment: told in time, judged by somebody else, resat by who failed or was not there."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from api import limits
from skills_registry import deadlines
from skills_registry.bases import entries
from skills_registry.bases.entries import Teacher, TeacherFacts
from skills_registry.foundation.errors import FieldRefused, NotAllowed, RegistryError, WrongState
from skills_registry.foundation.lifecycle import Step, steps_of
from skills_registry.foundation.storage import new_id
from skills_registry.training import assessments, classes, enrolments, opening, sittings, uploads
from skills_registry.training.assessments import (
    ASSESSMENT,
    Assessment,
    Examiner,
    Judge,
    OnlyOwnTeacher,
    Plan,
    PlanPassed,
    ResitsUsedUp,
    SittingUnderWay,
)
from skills_registry.training.classes import ClassClosed, TrainingClass
from skills_registry.training.enrolments import Enrolment, Result
from skills_registry.training.pass_rules import pass_rule_of
from skills_registry.training.projects import TrainingProject
from skills_registry.training.sittings import Candidate, NobodyDue, NotYetHeld, ResultOnRecord
from skills_registry.training.timetable import Session
from tests.base_files import complete_file
from tests.made_sheets import workbook
from tests.world import PEOPLE, World, application

#: Friday 11 April 2025, the last day of the class; the 4th is Qingming, so five working days before is the 3rd.
EXAM = date(2025, 4, 11)
OUTSIDERS = (
    Judge(name="马文礼", organisation="海东市技师学院"),
    Judge(name="冶玉英", organisation="海东市技师学院"),
)


def plan(**changes: Any) -> Plan:
    """Both papers on the last day of the class, with two examiners from outside."""
    return Plan(**({"held_on": EXAM, "place": "主校区考场", "examiners": OUTSIDERS} | changes))


def planned(world: World, training_class: TrainingClass, **changes: Any) -> Assessment:
    return assessments.plan_assessment(world.act("base_clerk"), training_class, plan(**changes))[0]


def held(
    world: World, training_class: TrainingClass, presences: Mapping[UUID, str] | None = None, **changes: Any
) -> Assessment:
    """The next sitting, planned and held on its day."""
    found = planned(world, training_class, **changes)
    world.on(found.held_until.year, found.held_until.month, found.held_until.day)
    return sittings.hold_assessment(world.act("base_clerk"), found, presences or {})


def codes(problems: list[Any]) -> set[str]:
    return {problem.code for problem in problems}


def teachers(world: World) -> list[UUID]:
    """The two teachers of the base: 祁玉兰 and 东永福."""
    complete_file(world, world.base, "base_clerk")
    return [teacher.id for teacher in entries.entries_of(world.base, Teacher)]


def taught_by(training_class: TrainingClass, *who: UUID) -> None:
    """A session for each of them, entered past the verbs: only who teaches matters here."""
    for place, teacher in enumerate(who):
        Session.create(
            training_class=training_class,
            on=date(2025, 3, 3 + place),
            starts_at="09:00",
            ends_at="12:00",
            class_hours=Decimal(4),
            content="按摩手法",
            kind="practice",
            teacher=teacher,
            first_version=1,
        )


# ---------------------------------------------------------------- planning


def test_the_first_sitting_takes_all_papers_and_leaves_its_steps(world: World) -> None:
    training_class = world.open_class()
    found, warnings = assessments.plan_assessment(world.act("base_clerk"), training_class, plan())
    assert (found.sitting, found.papers, found.status, found.held_until) == (
        1,
        ["theory", "practice"],
        "planned",
        EXAM,
    )
    assert warnings == []
    assert [judge.name for judge in assessments.examiners_of(world.service.vault, found)] == [
        "马文礼",
        "冶玉英",
    ]
    assert [step.action for step in steps_of(found.id)] == ["plan"]
    assert "plan_assessment" in {step.action for step in steps_of(training_class.id)}


def test_names_of_examiners_from_outside_lie_sealed(small_world: World) -> None:
    planned(small_world, small_world.open_class())
    rows = list(Examiner.select())
    assert all(row.teacher_id is None and "马文礼".encode() not in row.name for row in rows)
    assert {row.organisation for row in rows} == {"海东市技师学院"}


@pytest.mark.parametrize(("day", "late"), [((2025, 4, 3), False), ((2025, 4, 7), True)])
def test_five_working_days_ahead_is_in_time_across_qingming_and_later_warns(
    small_world: World, day: tuple[int, int, int], *, late: bool
) -> None:
    training_class = small_world.open_class()
    found, warnings = assessments.plan_assessment(
        small_world.on(*day).act("base_clerk"), training_class, plan()
    )
    assert codes(warnings) == ({"assessment_filed_late"} if late else set())
    assert codes(assessments.doubts_about(found)) == codes(warnings)
    if late:
        assert warnings[0].facts == {"days": 5, "due": "2025-04-03"}
        assert "2025-04-03" in warnings[0].sentence("zh")


def test_what_looks_odd_warns_and_is_taken(small_world: World) -> None:
    _, warnings = assessments.plan_assessment(
        small_world.act("base_clerk"),
        small_world.open_class(),
        plan(held_on=date(2025, 4, 10), examiners=OUTSIDERS[:1], papers=["practice"]),
    )
    assert codes(warnings) == {"assessment_before_end", "few_examiners", "papers_left_out"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"held_on": date(2025, 3, 2)}, "held_on"),
        ({"held_until": date(2025, 4, 10)}, "held_until"),
        ({"papers": []}, "papers"),
        ({"papers": ["theory", "theory"]}, "papers"),
        ({"papers": ["driving"]}, "papers"),
        ({"place": "  "}, "place"),
        ({"examiners": []}, "examiners"),
        ({"examiners": [OUTSIDERS[0], OUTSIDERS[0]]}, "examiners"),
        ({"examiners": [Judge(name="马文礼")]}, "examiners"),
        ({"examiners": [Judge(organisation="海东市技师学院")]}, "examiners"),
        ({"examiners": [Judge(name="=1+1", organisation="海东市技师学院")]}, "examiners"),
        ({"examiners": [Judge(teacher=new_id())]}, "examiners"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_and_leaves_nothing(
    small_world: World, changes: dict[str, Any], field: str
) -> None:
    training_class = small_world.open_class()
    with pytest.raises(FieldRefused) as refusal:
        planned(small_world, training_class, **changes)
    assert refusal.value.facts["field"] == field
    assert (Assessment.select().count(), Examiner.select().count()) == (0, 0)


def test_a_teacher_who_left_the_roster_examines_nobody(small_world: World) -> None:
    first, second = teachers(small_world)
    entries.take_out(small_world.act("base_clerk"), Teacher.get_by_id(first))
    with pytest.raises(FieldRefused):
        planned(small_world, small_world.open_class(), examiners=[Judge(first)])
    assert planned(small_world, TrainingClass.get(), examiners=[Judge(second)]).status == "planned"


def test_the_only_teacher_of_a_class_does_not_examine_it_alone_under_either_name(small_world: World) -> None:
    first, second = teachers(small_world)
    training_class = small_world.open_class()
    taught_by(training_class, first, first)
    alone = ([Judge(first)], [Judge(name="祁玉兰", organisation="外单位")])
    for examiners in (*alone, [*alone[0], *alone[1]]):
        with pytest.raises(OnlyOwnTeacher):
            planned(small_world, training_class, examiners=examiners)
    assert Assessment.select().count() == 0
    assert planned(small_world, training_class, examiners=[Judge(first), Judge(second)]).status == "planned"


def test_the_only_teacher_entered_on_the_roster_twice_is_still_one_person(small_world: World) -> None:
    first, second = teachers(small_world)
    clerk, base = small_world.act("base_clerk"), Teacher.get_by_id(first).base
    again = entries.add_teacher(clerk, base, TeacherFacts("祁 玉兰", "保健按摩师", "技师", True, "保健按摩"))  # noqa: FBT003
    training_class = small_world.open_class()
    taught_by(training_class, first, first)
    with pytest.raises(OnlyOwnTeacher):
        planned(small_world, training_class, examiners=[Judge(again.id)])
    assert planned(small_world, training_class, examiners=[Judge(again.id), Judge(second)]).sitting == 1


def test_one_of_several_teachers_may_examine(small_world: World) -> None:
    first, second = teachers(small_world)
    training_class = small_world.open_class()
    taught_by(training_class, first, second)
    assert planned(small_world, training_class, examiners=[Judge(first)]).status == "planned"


def test_the_rule_is_asked_again_when_the_sitting_is_held(small_world: World) -> None:
    first, second = teachers(small_world)
    training_class = small_world.open_class()
    small_world.enrol(training_class)
    taught_by(training_class, first, second)
    found = planned(small_world, training_class, examiners=[Judge(first)])
    Session.delete().where(Session.teacher == second).execute()
    with pytest.raises(OnlyOwnTeacher):
        sittings.hold_assessment(small_world.on(2025, 4, 11).act("base_clerk"), found, {})
    assert (Assessment.get().status, Candidate.select().count()) == ("planned", 0)


def test_one_sitting_at_a_time_and_a_called_off_number_is_free_again(world: World) -> None:
    training_class = world.open_class()
    found = planned(world, training_class)
    with pytest.raises(SittingUnderWay):
        planned(world, training_class)
    assessments.call_off(world.act("county_officer"), found, "停电")
    assert planned(world, training_class).sitting == 1
    assert [a.status for a in assessments.assessments_of(training_class)] == ["called_off", "planned"]


@pytest.mark.parametrize("state", ["submitted", "approved", "cancelled"])
def test_a_class_that_is_not_with_the_base_takes_no_assessment(small_world: World, state: str) -> None:
    if state == "cancelled":
        training_class = classes.cancel_class(
            small_world.act("base_clerk"), small_world.filed_class(), "不办了"
        )
    else:
        training_class = small_world.submitted_class()
        if state == "approved":
            small_world.issue(training_class)
    with pytest.raises(ClassClosed):
        planned(small_world, TrainingClass.get_by_id(training_class.id))


def test_a_plan_is_changed_with_a_reason_and_the_old_day_and_examiners_stay(world: World) -> None:
    training_class = world.open_class()
    found = planned(world, training_class)
    fresh = plan(
        held_on=date(2025, 4, 14), held_until=date(2025, 4, 15), examiners=OUTSIDERS[:1], papers=["theory"]
    )
    with pytest.raises(FieldRefused):
        assessments.change_plan(world.act("base_clerk"), found, fresh, "  ")
    changed, warnings = assessments.change_plan(world.act("base_clerk"), found, fresh, "考场另有安排")
    assert (changed.held_on, changed.held_until, changed.papers) == (
        date(2025, 4, 14),
        date(2025, 4, 15),
        ["theory"],
    )
    assert codes(warnings) == {"few_examiners", "papers_left_out"} == codes(assessments.doubts_about(changed))
    assert len(assessments.examiners_of(world.service.vault, changed)) == 1
    assert Examiner.select().count() == 3
    last = list(steps_of(found.id))[-1]
    assert (last.action, last.reason, last.detail["from"]["held_on"]) == (
        "change_plan",
        "考场另有安排",
        "2025-04-11",
    )


def test_a_held_sitting_is_not_planned_anew(small_world: World) -> None:
    training_class = small_world.open_class()
    small_world.enrol(training_class)
    found = held(small_world, training_class)
    with pytest.raises(PlanPassed):
        assessments.change_plan(small_world.act("base_clerk"), found, plan(), "改期")
    with pytest.raises(WrongState):
        assessments.call_off(small_world.act("base_clerk"), found, "取消")


# ---------------------------------------------------------------- holding


def test_everyone_due_is_on_record_as_there_or_not(world: World) -> None:
    training_class = world.open_class()
    first, second, third = world.enrol(training_class)
    found = held(world, training_class, {second.id: "absent", third.id: "excused"})
    assert [(c.enrolment_id, c.presence) for c in sittings.candidates_of(found)] == [
        (first.id, "sat"),
        (second.id, "absent"),
        (third.id, "excused"),
    ]
    assert sittings.is_assessed(training_class)


def test_a_sitting_is_held_on_its_last_day_and_not_before(small_world: World) -> None:
    training_class = small_world.open_class()
    small_world.enrol(training_class)
    found = planned(small_world, training_class, held_until=date(2025, 4, 12))
    with pytest.raises(NotYetHeld):
        sittings.hold_assessment(small_world.on(2025, 4, 11).act("base_clerk"), found, {})
    sittings.hold_assessment(small_world.on(2025, 4, 12).act("base_clerk"), found, {})
    assert Assessment.get().status == "held"


def test_nobody_else_can_be_absent_and_no_sitting_is_held_without_anybody(world: World) -> None:
    training_class = world.open_class()
    found = planned(world, training_class)
    world.on(2025, 4, 11)
    with pytest.raises(NobodyDue):
        sittings.hold_assessment(world.act("base_clerk"), found, {})
    first = world.enrol(training_class)[0]
    for named in ({new_id(): "absent"}, {first.id: "asleep"}):
        with pytest.raises(FieldRefused):
            sittings.hold_assessment(world.act("base_clerk"), Assessment.get_by_id(found.id), named)
    assert (Assessment.get().status, Candidate.select().count()) == ("planned", 0)


def test_scores_of_people_who_sat_no_assessment_are_counted_for_the_officers(small_world: World) -> None:
    training_class = small_world.open_class()
    early, absent = small_world.enrol(training_class, 2)
    held(small_world, training_class, {absent.id: "absent"})
    late = small_world.enrol(training_class, 3)[2]
    for enrolment in (early, absent, late):
        small_world.grade(enrolment)
    assert [one.id for one in sittings.never_sat(training_class)] == [absent.id, late.id]
    found = opening.missing(small_world.act("city_officer"), training_class)
    listed = {one.code: one for one in found}["score_without_sitting"]
    assert listed.zh.startswith("有2名学员") and not listed.refuses


def test_the_clerk_of_another_base_holds_nothing(small_world: World) -> None:
    sibling = small_world.listed_base("乐都区邻家学校", 2)
    small_world.hire("sibling_clerk", sibling.organisation, "base_clerk")
    training_class = small_world.open_class()
    small_world.enrol(training_class)
    found = planned(small_world, training_class)
    with pytest.raises(NotAllowed):
        sittings.hold_assessment(small_world.on(2025, 4, 11).act("sibling_clerk"), found, {})


def test_a_wrong_presence_is_corrected_with_a_reason_unless_scores_contradict(world: World) -> None:
    training_class = world.open_class()
    first, second, _ = world.enrol(training_class)
    found = held(world, training_class, {first.id: "absent"})
    act = world.act("county_officer")
    sittings.correct_presence(act, found, first.id, "sat", "签到表显示到场")
    step = list(steps_of(found.id))[-1]
    assert (step.detail["from"], step.detail["to"], step.reason) == ("absent", "sat", "签到表显示到场")
    for wrong in ((new_id(), "sat", "理由"), (first.id, "asleep", "理由"), (first.id, "absent", " ")):
        with pytest.raises(FieldRefused):
            sittings.correct_presence(act, found, *wrong)
    graded(world, second, found, theory=80, practice=80)
    with pytest.raises(ResultOnRecord):
        sittings.correct_presence(act, found, second.id, "absent", "误登")
    presences = {c.enrolment_id: c.presence for c in sittings.candidates_of(found)}
    assert (presences[first.id], presences[second.id]) == ("sat", "sat")


# ---------------------------------------------------------------- resits


def graded(
    world: World, enrolment: Enrolment, assessment: Assessment | None, hours: int = 110, **scores: int | None
) -> Result:
    """A result by the rule of the class: 96 of 120 hours, 60 in every paper."""
    marks = {code: None if mark is None else Decimal(mark) for code, mark in scores.items()}
    rule = pass_rule_of(world.act("base_clerk"), enrolment.training_class)
    return enrolments.record_result(
        world.act("base_clerk"),
        enrolment,
        hours=Decimal(hours),
        scores=marks,
        outcome=rule.outcome(Decimal(hours), Decimal(120), marks),
        assessment=assessment,
    )


def test_who_failed_a_paper_or_was_not_there_resits_and_nobody_else(world: World) -> None:
    training_class = world.open_class()
    passed, failed, absent, excused, lacking_hours, ungraded = world.enrol(training_class, 6)
    first = held(world, training_class, {absent.id: "absent", excused.id: "excused"})
    graded(world, passed, first, theory=80, practice=60)
    graded(world, failed, first, theory=80, practice=59)
    graded(world, absent, first, theory=None, practice=None)
    graded(world, lacking_hours, first, hours=90, theory=90, practice=90)
    resit = planned(world, training_class, held_on=date(2025, 4, 25), papers=["practice"])
    assert (resit.sitting, resit.papers) == (2, ["practice"])
    due = {enrolment.id for enrolment in sittings.due_at(world.act("base_clerk"), resit)}
    # Who sat and has no result yet waits for it; another exam gives nobody the hours that they lack.
    assert due == {failed.id, absent.id, excused.id}
    assert ungraded.id not in due
    world.on(2025, 4, 25)
    sittings.hold_assessment(world.act("base_clerk"), resit, {})
    assert {c.enrolment_id for c in sittings.candidates_of(resit)} == due


def test_whoever_left_the_class_resits_nothing(small_world: World) -> None:
    training_class = small_world.open_class()
    first, second, _ = small_world.enrol(training_class)
    held(small_world, training_class, {first.id: "absent", second.id: "absent"})
    enrolments.withdraw(small_world.act("base_clerk"), first, "因病退班")
    resit = planned(small_world, training_class, held_on=date(2025, 4, 25))
    due = sittings.due_at(small_world.act("base_clerk"), resit)
    assert [enrolment.id for enrolment in due] == [second.id]


def test_a_resit_keeps_the_first_result_as_a_trace_also_with_equal_scores(world: World) -> None:
    training_class = world.open_class()
    trainee = world.enrol(training_class, 1)[0]
    first = held(world, training_class)
    graded(world, trainee, first, theory=80, practice=50)
    second = held(world, training_class, held_on=date(2025, 4, 25))
    graded(world, trainee, second, theory=80, practice=50)
    kept = [(r.assessment_id, r.current) for r in Result.select().order_by(Result.id)]
    assert kept == [(first.id, False), (second.id, True)]
    graded(world, trainee, second, theory=80, practice=50)
    assert Result.select().count() == 2


def test_the_policy_bounds_resits_and_they_need_the_sitting_before(small_world: World) -> None:
    training_class = small_world.open_class()
    trainee = small_world.enrol(training_class, 1)[0]
    for day in (EXAM, date(2025, 4, 25)):
        graded(small_world, trainee, held(small_world, training_class, held_on=day), theory=50, practice=50)
    with pytest.raises(ResitsUsedUp) as refusal:
        planned(small_world, training_class, held_on=date(2025, 5, 9))
    assert refusal.value.facts == {"most": 1}


def test_nobody_resits_where_everybody_passed(small_world: World) -> None:
    training_class = small_world.open_class()
    trainee = small_world.enrol(training_class, 1)[0]
    graded(small_world, trainee, held(small_world, training_class), theory=80, practice=80)
    resit = planned(small_world, training_class, held_on=date(2025, 4, 25))
    with pytest.raises(NobodyDue):
        sittings.hold_assessment(small_world.on(2025, 4, 25).act("base_clerk"), resit, {})


# ---------------------------------------------------------------- what a results sheet means for which sitting


def sheet(*rows: tuple[int, Any, Any]) -> bytes:
    """A results sheet of 110 hours: place in PEOPLE, theory and practice."""
    header = ["姓名", "身份证号", "出勤课时", "理论成绩", "实操成绩"]
    return workbook([header, *([*PEOPLE[place][:2], 110, *marks] for place, *marks in rows)])


def sent(world: World, training_class: TrainingClass, *rows: tuple[int, Any, Any]) -> uploads.Upload:
    return uploads.stage(world.act("base_clerk"), training_class, "results", sheet(*rows))


def found_in(upload: uploads.Upload) -> list[tuple[str, set[str]]]:
    return [(row.outcome, codes(uploads.problems_of(row))) for row in uploads.rows_of(upload)]


def test_without_assessments_a_results_sheet_is_taken_as_ever(small_world: World) -> None:
    training_class = small_world.open_class()
    small_world.enrol(training_class, 1)
    upload = sent(small_world, training_class, (0, 80, 80))
    assert found_in(upload) == [("accepted", set())]
    uploads.confirm(small_world.act("base_clerk"), upload)
    assert Result.get().assessment_id is None


def test_results_belong_to_the_last_sitting_at_which_each_trainee_was_due(world: World) -> None:
    training_class = world.open_class()
    world.enrol(training_class, 2)
    first = held(world, training_class)
    uploads.confirm(world.act("base_clerk"), sent(world, training_class, (0, 80, 80), (1, 80, 40)))
    second = held(world, training_class, held_on=date(2025, 4, 25))
    upload = sent(world, training_class, (0, 80, 80), (1, 80, 70))
    assert found_in(upload) == [("accepted", {"result_unchanged"}), ("accepted", {"result_replaced"})]
    uploads.confirm(world.act("base_clerk"), upload)
    current = Result.select().join(Enrolment).where(Result.current).order_by(Enrolment.roster_row)
    assert [(r.assessment_id, r.outcome) for r in current] == [(first.id, "passed"), (second.id, "passed")]
    assert Result.select().count() == 3


def test_scores_are_held_against_who_was_there(small_world: World) -> None:
    training_class = small_world.open_class()
    absent, _, _ = small_world.enrol(training_class, 3)
    held(small_world, training_class, {absent.id: "absent"})
    upload = sent(small_world, training_class, (0, 80, 80), (1, "缺考", "缺考"), (2, 80, "缺考"))
    assert found_in(upload) == [
        ("rejected", {"absent_with_score"}),
        ("accepted", {"sat_without_score"}),
        ("accepted", set()),
    ]
    again = sent(small_world, training_class, (0, "缺考", "缺考"))
    assert found_in(again) == [("accepted", set())]


def test_results_before_the_sitting_is_on_record_warn(small_world: World) -> None:
    training_class = small_world.open_class()
    small_world.enrol(training_class, 1)
    planned(small_world, training_class)
    assert found_in(sent(small_world, training_class, (0, 80, 80))) == [("accepted", {"assessment_not_held"})]


def test_somebody_enrolled_after_the_sitting_warns(small_world: World) -> None:
    training_class = small_world.open_class()
    small_world.enrol(training_class, 1)
    held(small_world, training_class)
    small_world.enrol(training_class, 2)
    upload = sent(small_world, training_class, (1, 80, 80))
    assert found_in(upload) == [("accepted", {"not_due_at_sitting"})]


def test_a_resit_of_one_paper_leaves_the_score_of_the_other(small_world: World) -> None:
    training_class = small_world.open_class()
    small_world.enrol(training_class, 2)
    held(small_world, training_class)
    uploads.confirm(
        small_world.act("base_clerk"), sent(small_world, training_class, (0, 80, 40), (1, 70, 40))
    )
    held(small_world, training_class, held_on=date(2025, 4, 25), papers=["practice"])
    upload = sent(small_world, training_class, (0, 95, 70), (1, 70, 75))
    assert found_in(upload) == [
        ("accepted", {"paper_not_examined", "result_replaced"}),
        ("accepted", {"result_replaced"}),
    ]


def test_an_assessment_is_listed_as_missing_only_from_the_last_day_and_until_it_is_held(
    small_world: World,
) -> None:
    training_class = small_world.open_class()
    small_world.enrol(training_class, 1)

    def listed() -> bool:
        found = opening.missing(small_world.act("county_officer"), training_class)
        return "assessment_missing" in {missing.code for missing in found}

    assert not listed()
    small_world.on(2025, 4, 11)
    assert listed()
    held(small_world, training_class)
    assert not listed()


# ---------------------------------------------------------------- the pass rule


def test_the_pass_rule_is_the_projects_where_it_sets_one_and_the_policys_otherwise(
    small_world: World,
) -> None:
    training_class = small_world.open_class()
    act = small_world.act("base_clerk")
    policys = pass_rule_of(act, training_class)
    assert (policys.attendance_share, policys.pass_mark, policys.full_mark) == (Decimal("0.8"), 60, 100)
    project = TrainingProject.create(
        year=2025, title="技能提升", funding_source="other", training_type="employment_skills", target_group="x",
        planned_people=30, planned_hours=120, budget=1, division_code="630202", counties=[], trades=[],
        pass_mark=70, drafted_at=small_world.now,
    )  # fmt: skip
    training_class.project = project
    its = pass_rule_of(act, training_class)
    assert (its.attendance_share, its.pass_mark) == (Decimal("0.8"), 70)
    project.attendance_percent = 90
    assert pass_rule_of(act, training_class).attendance_share == Decimal("0.9")


@given(
    mark=st.integers(0, 100),
    scores=st.lists(st.one_of(st.none(), st.integers(0, 100)), min_size=1, max_size=5),
)
def test_nobody_is_due_again_who_passed_and_everybody_who_failed_a_paper(
    mark: int, scores: list[int | None]
) -> None:
    result = Result(scores={f"p{place}": None if s is None else str(s) for place, s in enumerate(scores)})
    nothing_left = sittings.passed_every_paper(result, Decimal(mark))
    assert nothing_left == all(score is not None and score >= mark for score in scores)
    assert not sittings.passed_every_paper(None, Decimal(mark))


# ---------------------------------------------------------------- forbidden moves

ROLES = ("base_clerk", "county_officer", "city_officer", "auditor", "admin")
ACTS = {
    "hold": lambda act, a: sittings.hold_assessment(act, a, {}),
    "call_off": lambda act, a: assessments.call_off(act, a, "理由"),
}


def in_state(world: World, state: str, title: str) -> Assessment:
    training_class = world.on(2025, 2, 10).open_class(title=title)
    world.enrol(training_class, 1)
    found = planned(world, training_class)
    world.on(2025, 4, 11)
    if state == "held":
        return sittings.hold_assessment(world.act("base_clerk"), found, {})
    return assessments.call_off(world.act("base_clerk"), found, "取消") if state == "called_off" else found


@pytest.mark.parametrize("state", ASSESSMENT.states)
def test_every_move_outside_the_table_is_refused_and_changes_nothing(small_world: World, state: str) -> None:
    made = 0
    assert set(ACTS) == {move.action for move in ASSESSMENT.moves}
    for place, (action, role) in enumerate(itertools.product(ACTS, ROLES)):
        found = in_state(small_world, state, f"第{place}班")
        steps = Step.select().where(Step.record_id == found.id).count()
        permitted = ASSESSMENT.find(action, state)
        if permitted is not None and role in permitted.roles:
            ACTS[action](small_world.act(role), found)
            made += 1
            assert Assessment.get_by_id(found.id).status == permitted.to
            continue
        with pytest.raises(RegistryError):
            ACTS[action](small_world.act(role), found)
        after = Step.select().where(Step.record_id == found.id).count()
        assert (Assessment.get_by_id(found.id).status, after) == (state, steps)
    assert made == sum(len(m.roles) for m in ASSESSMENT.moves if m.origin == state)


# ---------------------------------------------------------------- API


@pytest.fixture
def client(small_world: World) -> Iterator[FlaskClient]:
    app = application(small_world)
    limits.limiter.reset()
    with app.test_client() as made:
        yield made


def bearer(world: World, name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.key(name)}"}


def test_a_sitting_through_the_api_from_its_plan_to_a_corrected_presence(
    small_world: World, client: FlaskClient
) -> None:
    world, teacher = small_world, str(teachers(small_world)[0])
    training_class = world.open_class()
    first = world.enrol(training_class)[0]
    path = f"/api/v1/classes/{training_class.id}/assessments"
    body: dict[str, Any] = {
        "held_on": "2025-04-11",
        "place": "主校区考场",
        "examiners": [{"teacher_id": teacher}, {"name": "马文礼", "organisation": "海东市技师学院"}],
    }
    clerk = bearer(world, "base_clerk")
    made = client.post(path, json=body, headers=clerk)
    assert made.status_code == 201, made.text
    shown = made.get_json()
    assert (shown["sitting"], shown["status_text"], shown["warnings"]) == (1, "已安排", [])
    assert shown["examiners"][0] == {"teacher_id": teacher, "name": "祁玉兰", "organisation": ""}
    one = f"/api/v1/assessments/{shown['id']}"
    seen = client.get(f"{one}?lang=en", headers=bearer(world, "county_officer")).get_json()
    assert [(c["row"], c["presence"]) for c in seen["candidates"]] == [(2, None), (3, None), (4, None)]
    changed = client.post(f"{one}/change", json={**body, "place": "分校区", "reason": "停电"}, headers=clerk)
    assert (changed.status_code, changed.get_json()["place"]) == (200, "分校区")
    world.on(2025, 4, 11)
    presences = {"presences": [{"enrolment_id": str(first.id), "presence": "absent"}]}
    told = client.post(f"{one}/holding", json=presences, headers=clerk).get_json()
    assert told["candidates"][0]["presence_text"] == "缺考"
    fixed = {"enrolment_id": str(first.id), "presence": "sat", "reason": "签到表显示到场"}
    corrected = client.post(f"{one}/presence", json=fixed, headers=bearer(world, "county_officer"))
    assert corrected.get_json()["candidates"][0]["presence"] == "sat"
    listed = client.get(path, headers=bearer(world, "auditor")).get_json()["items"]
    assert [item["status"] for item in listed] == ["held"]
    graded(world, first, Assessment.get(), theory=80, practice=80)
    result = client.get(f"/api/v1/enrolments/{first.id}", headers=clerk).get_json()["result"]
    assert (result["outcome"], result["sitting"]) == ("passed", 1)
    refused = client.post(f"{one}/cancellation", json={"reason": "晚了"}, headers=clerk)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "wrong_state")


def test_a_sitting_that_nobody_put_on_record_is_due_within_five_working_days(small_world: World) -> None:
    training_class = small_world.open_class()
    small_world.enrol(training_class)
    planned(small_world, training_class)

    def owed(day: date) -> list[tuple[str, date]]:
        found = deadlines.all_due(small_world.service.policy, day, [small_world.base.id])
        return [(due.kind, due.deadline.day) for due in found if due.kind == "assessment_outcome"]

    assert owed(EXAM) == []
    assert owed(date(2025, 4, 12)) == [("assessment_outcome", date(2025, 4, 18))]
    sittings.hold_assessment(small_world.on(2025, 4, 14).act("base_clerk"), Assessment.get(), {})
    assert owed(date(2025, 4, 14)) == []
