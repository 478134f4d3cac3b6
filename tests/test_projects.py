"""Training projects: planned by the county or the city, shown to the public first, then announced; and their classes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from skills_registry import deadlines, notices
from skills_registry.bases import Listing, NotListed
from skills_registry.bases.parties import OwnBase
from skills_registry.foundation.acts import Act
from skills_registry.foundation.errors import FieldRefused, NotAllowed, SeparationOfDuties, WrongState
from skills_registry.foundation.lifecycle import steps_of
from skills_registry.foundation.storage import new_id
from skills_registry.notices import Notice, NoticeRunning, NoticeTooShort, Objection, ObjectionsUnanswered
from skills_registry.project_progress import progress_of
from skills_registry.training import classes, enrolments, filing, opening, project_planning, projects
from skills_registry.training.classes import TrainingClass, doubts_about
from skills_registry.training.pass_rules import pass_rule_of
from skills_registry.training.project_planning import (
    CarrierNotListed,
    ProjectChangedMeanwhile,
    ProjectObjectionUpheld,
    TradeWithoutBase,
)
from skills_registry.training.projects import (
    TRAINING_PROJECT,
    NotInProject,
    ProjectBase,
    ProjectNotAnnounced,
    TrainingProject,
)
from tests.planned import INTO, MASSAGE, announced, drafted, massage_plan, noticed, publish
from tests.world import OTHER_COUNTY, World, massage_class


def stored(project: TrainingProject) -> dict[str, Any]:
    return dict(TrainingProject.get_by_id(project.id).__data__)


def objection_to(world: World, project: TrainingProject) -> Objection:
    return notices.object_to(world.act("auditor"), project.notice, text="预算过高", contact="某某")


def file_under(world: World, project: TrainingProject, **changes: Any) -> tuple[TrainingClass, set[str]]:
    asked = massage_class(project=project.id, **changes)
    training_class, warnings = filing.file_class(world.act("base_clerk"), world.base, asked)
    return training_class, {warning.code for warning in warnings}


def test_from_the_countys_draft_to_certificates_against_the_plan(world: World) -> None:
    project = announced(world)
    assert (project.status, project.announced_on) == ("announced", date(2025, 2, 18))
    assert [step.action for step in steps_of(project.id)] == ["draft", "publish", "announce"]
    training_class, warnings = file_under(world, project)
    assert warnings == {"late_filing"}
    opening.open_class(world.act("county_officer"), training_class)
    for enrolment in world.enrol(training_class, 3):
        world.grade(enrolment)
    enrolments.submit_class(world.act("base_clerk"), training_class)
    world.issue(training_class)
    found = progress_of(project)
    assert (found.classes, found.places, found.enrolled, found.certified) == (1, 30, 3, 3)
    assert not found.beyond_plan


ACTS: dict[str, Callable[[Act, TrainingProject], Any]] = {
    "publish": publish,
    "mend": lambda act, project: project_planning.mend(act, project, "更正"),
    "announce": project_planning.announce,
    "withdraw": lambda act, project: project_planning.withdraw(act, project, "撤销"),
}


FORBIDDEN = [(s, a) for s in INTO for a in ACTS if TRAINING_PROJECT.find(a, s) is None]


@pytest.mark.parametrize(("state", "action"), FORBIDDEN)
def test_every_move_outside_the_table_is_refused_and_changes_nothing(
    small_world: World, state: str, action: str
) -> None:
    project = INTO[state](small_world)
    before = (stored(project), len(list(steps_of(project.id))), Notice.select().count())
    with pytest.raises(WrongState):
        ACTS[action](small_world.act("second_city_officer"), project)
    assert (stored(project), len(list(steps_of(project.id))), Notice.select().count()) == before


@pytest.mark.parametrize("name", ["base_clerk", "auditor", "admin"])
def test_only_officers_plan(small_world: World, name: str) -> None:
    with pytest.raises(NotAllowed):
        project_planning.draft(small_world.act(name), massage_plan(small_world))
    project = drafted(small_world)
    for act in ACTS.values():
        with pytest.raises((NotAllowed, WrongState)):
            act(small_world.act(name), project)
    assert stored(project)["status"] == "draft"


def test_the_county_plans_for_itself_and_never_announces(small_world: World) -> None:
    for counties in ([OTHER_COUNTY], [small_world.base.division_code, OTHER_COUNTY], ["630299"], []):
        with pytest.raises(FieldRefused):
            drafted(small_world, counties=counties)
    project = noticed(small_world)
    with pytest.raises(NotAllowed):
        publish(small_world.act("other_county_officer"), project)
    small_world.on(2025, 2, 18)
    with pytest.raises((NotAllowed, SeparationOfDuties)):
        project_planning.announce(small_world.act("county_officer"), project)
    assert stored(project)["status"] == "noticed"


WRONG: list[dict[str, Any]] = [
    {"year": 2023},
    {"year": 2028},
    {"title": "  "},
    {"title": "长" * 121},
    {"target_group": ""},
    {"funding_source": "pocket"},
    {"training_type": "dancing"},
    {"planned_people": 0},
    {"planned_hours": 0},
    {"budget": -1},
    {"pass_mark": 0},
    {"pass_mark": 101},
    {"attendance_percent": 0},
    {"attendance_percent": 101},
    {"bases": []},
    {"trades": []},
    {"trades": [MASSAGE, MASSAGE]},
    {"trades": [MASSAGE | {"level": "level9"}]},
]


@pytest.mark.parametrize("changes", WRONG, ids=[str(change)[:40] for change in WRONG])
def test_a_plan_that_makes_no_sense_is_refused_and_nothing_is_kept(
    small_world: World, changes: dict[str, Any]
) -> None:
    with pytest.raises(FieldRefused):
        drafted(small_world, **changes)
    assert TrainingProject.select().count() == ProjectBase.select().count() == 0


def test_courses_without_an_occupation_need_no_trade(small_world: World) -> None:
    project = drafted(small_world, training_type="practical_technology", trades=[])
    assert project.trades == []


def test_a_base_outside_the_projects_counties_carries_nothing(small_world: World) -> None:
    elsewhere = small_world.listed_base("民和县明眸按摩学校", 2, division=OTHER_COUNTY)
    with pytest.raises(FieldRefused) as refusal:
        drafted(small_world, bases=[small_world.base, elsewhere])
    assert refusal.value.facts == {"field": "bases"}


def test_a_draft_is_written_anew_by_who_saw_its_last_version(small_world: World) -> None:
    project = drafted(small_world)
    officer = small_world.act("county_officer")
    larger = massage_plan(small_world, planned_people=90)
    assert project_planning.rewrite(officer, project, larger, version=1).planned_people == 90
    with pytest.raises(ProjectChangedMeanwhile) as refusal:
        project_planning.rewrite(officer, project, massage_plan(small_world), version=1)
    assert refusal.value.facts == {"version": 2}
    assert stored(project)["planned_people"] == 90


def test_what_was_read_before_a_change_is_not_put_on_notice(world: World) -> None:
    read_before = drafted(world)
    officer = world.act("county_officer")
    project_planning.rewrite(officer, read_before, massage_plan(world, budget=1), version=1)
    with pytest.raises(ProjectChangedMeanwhile):
        publish(officer, read_before)
    assert stored(read_before)["status"] == "draft" and Notice.select().count() == 0


def test_what_is_on_notice_is_not_changed(small_world: World) -> None:
    project = noticed(small_world)
    with pytest.raises(WrongState):
        project_planning.rewrite(
            small_world.act("county_officer"), project, massage_plan(small_world, budget=1), version=1
        )
    assert stored(project)["budget"] == 180_000


def test_the_notice_tells_the_plan_and_runs_for_the_policys_days(world: World) -> None:
    project = noticed(world)
    notice = Notice.get_by_id(project.notice_id)
    assert (notice.subject, notice.subject_id, notice.working_days) == ("project", project.id, 5)
    assert notice.closes_on == date(2025, 2, 17)
    for fact in (
        "2025年保健按摩技能培训",
        "保健按摩师",
        "60人",
        "180000元",
        world.base.public_name,
        "乐都区",
    ):
        assert fact in notice.text


def test_a_notice_shorter_than_the_policys_is_refused_and_the_project_stays_a_draft(world: World) -> None:
    project = drafted(world)
    with pytest.raises(NoticeTooShort):
        project_planning.publish(
            world.act("county_officer"), project, title="公示", text="内容", working_days=4
        )
    assert stored(project)["status"] == "draft" and Notice.select().count() == 0


def test_only_what_listed_bases_can_teach_is_put_on_notice(small_world: World) -> None:
    beyond = drafted(small_world, trades=[MASSAGE | {"level": "level3_senior"}])
    with pytest.raises(TradeWithoutBase):
        publish(small_world.act("county_officer"), beyond)
    later = small_world.listed_base("乐都区尚未挂牌学校", 2, valid_from=date(2025, 12, 1))
    early = drafted(small_world, bases=[small_world.base, later])
    with pytest.raises(CarrierNotListed) as refusal:
        publish(small_world.act("county_officer"), early)
    assert refusal.value.facts == {"base": later.public_name, "on": date(2025, 2, 10)}
    assert Notice.select().count() == 0


def test_nothing_is_announced_before_the_notice_is_over(world: World) -> None:
    project = noticed(world)
    world.on(2025, 2, 17)
    with pytest.raises(NoticeRunning):
        project_planning.announce(world.act("city_officer"), project)
    assert stored(project)["status"] == "noticed"
    world.on(2025, 2, 18)
    assert project_planning.announce(world.act("city_officer"), project).status == "announced"


def test_every_objection_is_answered_before_the_announcement(world: World) -> None:
    project = noticed(world)
    objection = objection_to(world, project)
    world.on(2025, 2, 18)
    with pytest.raises(ObjectionsUnanswered):
        project_planning.announce(world.act("city_officer"), project)
    notices.answer(world.act("county_officer"), objection, "预算依据见附件", upheld=False)
    assert project_planning.announce(world.act("city_officer"), project).status == "announced"


def test_an_upheld_objection_sends_the_project_back_to_be_mended_and_noticed_anew(world: World) -> None:
    project = noticed(world)
    first = project.notice
    notices.answer(world.act("county_officer"), objection_to(world, project), "属实", upheld=True)
    world.on(2025, 2, 18)
    with pytest.raises(ProjectObjectionUpheld):
        project_planning.announce(world.act("city_officer"), project)
    project_planning.mend(world.act("county_officer"), project, "核减预算")
    assert Notice.get_by_id(first.id).status == "withdrawn"
    project = project_planning.rewrite(
        world.act("county_officer"), project, massage_plan(world, budget=150_000), version=1
    )
    assert publish(world.act("county_officer"), project).id != first.id
    world.on(2025, 2, 26)
    assert project_planning.announce(world.act("city_officer"), project).status == "announced"


@pytest.mark.parametrize("part", ["draft", "rewrite", "publish"])
def test_nobody_announces_what_they_had_a_hand_in_under_whichever_account(
    small_world: World, part: str
) -> None:
    city = small_world.accounts["city_officer"]
    small_world.hire("same_person", city.organisation, "city_officer", operator=city.operator)
    by = {
        name: "city_officer" if name == part else "county_officer" for name in ("draft", "rewrite", "publish")
    }
    plan = massage_plan(small_world)
    project = project_planning.draft(small_world.act(by["draft"]), plan)
    if part == "draft":
        by = dict.fromkeys(by, "second_city_officer")
    project = project_planning.rewrite(small_world.act(by["rewrite"]), project, plan, version=1)
    publish(small_world.act(by["publish"]), project)
    small_world.on(2025, 2, 18)
    with pytest.raises(SeparationOfDuties):
        project_planning.announce(small_world.act("same_person"), project)
    assert stored(project)["status"] == "noticed"


def test_nobody_of_a_base_publishes_or_announces_its_project(small_world: World) -> None:
    clerk = small_world.accounts["base_clerk"].operator
    organisation = small_world.accounts["city_officer"].organisation
    small_world.hire("moonlighter", organisation, "city_officer", operator=clerk)
    project = drafted(small_world)
    with pytest.raises(OwnBase):
        publish(small_world.act("moonlighter"), project)
    publish(small_world.act("county_officer"), project)
    small_world.on(2025, 2, 18)
    with pytest.raises(OwnBase):
        project_planning.announce(small_world.act("moonlighter"), project)


@pytest.mark.parametrize("state", ["draft", "noticed", "withdrawn"])
def test_only_an_announced_project_has_classes(small_world: World, state: str) -> None:
    project = INTO[state](small_world)
    refused = FieldRefused if state == "draft" else ProjectNotAnnounced
    with pytest.raises(refused):
        file_under(small_world, project)
    assert TrainingClass.select().count() == 0


def test_an_unknown_project_is_refused_as_a_draft_is(small_world: World) -> None:
    with pytest.raises(FieldRefused) as unknown:
        filing.file_class(small_world.act("base_clerk"), small_world.base, massage_class(project=new_id()))
    with pytest.raises(FieldRefused) as hidden:
        file_under(small_world, drafted(small_world))
    assert unknown.value.sentence() == hidden.value.sentence()


MISFITS: dict[str, dict[str, Any]] = {
    "another training type": {"training_type": "skill_upgrading"},
    "another trade": {"trades": [MASSAGE | {"code": "4-10-04-01", "name": "美容师"}]},
    "another level": {"trades": [MASSAGE | {"level": "level4_intermediate"}]},
    "another county": {"counties": [OTHER_COUNTY]},
}


@pytest.mark.parametrize("change", MISFITS.values(), ids=MISFITS.keys())
def test_a_class_must_fit_its_project(small_world: World, change: dict[str, Any]) -> None:
    project = announced(small_world)
    TrainingProject.update(**change).where(TrainingProject.id == project.id).execute()
    with pytest.raises(NotInProject):
        file_under(small_world, project)
    assert TrainingClass.select().count() == 0


def test_a_base_that_does_not_carry_the_project_out_files_no_class_of_it(small_world: World) -> None:
    project = announced(small_world)
    sibling = small_world.listed_base("乐都区邻家学校", 2)
    small_world.hire("sibling_clerk", sibling.organisation, "base_clerk")
    with pytest.raises(NotInProject) as refusal:
        filing.file_class(small_world.act("sibling_clerk"), sibling, massage_class(project=project.id))
    assert small_world.base.public_name in refusal.value.sentence()


def test_another_year_too_many_people_and_fewer_hours_warn_and_refuse_nothing(world: World) -> None:
    project = announced(world)
    first, warnings = file_under(world, project, capacity=40)
    assert not warnings & {"project_other_year", "project_people_exceeded", "project_hours_fewer"}
    second, warnings = file_under(
        world, project, capacity=21, class_hours=119, starts_on=date(2026, 1, 5), ends_on=date(2026, 2, 1)
    )
    assert warnings == {"project_other_year", "project_people_exceeded", "project_hours_fewer"}
    told = {found.code: found.facts for found in doubts_about(second)}
    assert told["project_people_exceeded"] == {"planned": 60, "places": 61}
    classes.cancel_class(world.act("base_clerk"), first, "改期")
    assert file_under(world, project, capacity=39, title="第三期")[1] == {"late_filing"}


def test_a_withdrawn_project_keeps_its_classes_and_takes_no_new_ones(world: World) -> None:
    project = announced(world)
    training_class, _ = file_under(world, project)
    project_planning.withdraw(world.act("city_officer"), project, "资金调整")
    with pytest.raises(ProjectNotAnnounced):
        file_under(world, project, title="第二期")
    assert opening.open_class(world.act("county_officer"), training_class).status == "open"


def test_the_county_withdraws_what_was_not_announced_and_the_city_the_rest(small_world: World) -> None:
    project = noticed(small_world)
    with pytest.raises(FieldRefused):
        project_planning.withdraw(small_world.act("county_officer"), project, " ")
    project_planning.withdraw(small_world.act("county_officer"), project, "不再举办")
    assert Notice.get_by_id(project.notice_id).status == "withdrawn"
    announced_one = announced(small_world, title="另一个项目")
    with pytest.raises(NotAllowed):
        project_planning.withdraw(small_world.act("county_officer"), announced_one, "不再举办")


def test_the_projects_own_pass_rule_stands_in_place_of_the_policys(small_world: World) -> None:
    project = announced(small_world, pass_mark=70, attendance_percent=90)
    rule = pass_rule_of(small_world.act("base_clerk"), file_under(small_world, project)[0])
    assert (rule.pass_mark, rule.attendance_share) == (Decimal(70), Decimal("0.9"))


def test_a_certificate_that_was_revoked_or_replaced_counts_no_longer(small_world: World) -> None:
    project = announced(small_world)
    training_class, _ = file_under(small_world, project)
    opening.open_class(small_world.act("county_officer"), training_class)
    for enrolment in small_world.enrol(training_class, 2):
        small_world.grade(enrolment)
    enrolments.submit_class(small_world.act("base_clerk"), training_class)
    first, _second = small_world.issue(training_class)
    type(first).update(status="revoked").where(type(first).id == first.id).execute()
    found = progress_of(project)
    assert (found.enrolled, found.certified) == (2, 1)


def test_a_project_with_more_people_than_planned_is_beyond_its_plan(small_world: World) -> None:
    project = announced(small_world, planned_people=2)
    training_class, warnings = file_under(small_world, project)
    assert "project_people_exceeded" in warnings
    opening.open_class(small_world.act("county_officer"), training_class)
    small_world.enrol(training_class, 3)
    assert progress_of(project).beyond_plan


def test_deadlines_tell_of_the_notice_the_objection_and_the_announcement(small_world: World) -> None:
    project = noticed(small_world)
    objection = objection_to(small_world, project)

    def due(day: date) -> dict[str, date]:
        found = deadlines.all_due(small_world.service.policy, day, [small_world.base.id])
        mine = (project.id, project.notice_id, objection.id)
        return {entry.kind: entry.deadline.day for entry in found if entry.record_id in mine}

    assert due(date(2025, 2, 17)) == {
        "notice_ends": date(2025, 2, 17),
        "objection_answer": date(2025, 2, 17),
    }
    assert due(date(2025, 2, 18)) == {
        "objection_answer": date(2025, 2, 17),
        "project_announcement": date(2025, 2, 26),
    }
    sibling = small_world.listed_base("乐都区邻家学校", 2)
    assert deadlines.all_due(small_world.service.policy, date(2025, 2, 18), [sibling.id]) == []


def test_the_public_sees_what_is_on_notice_or_was_announced(small_world: World) -> None:
    made = {state: into(small_world.on(2025, 2, 10), title=f"项目{state}") for state, into in INTO.items()}
    shown = [project.title for project in projects.public_projects()]
    assert shown == ["项目announced", "项目noticed"]
    assert {state for state, project in made.items() if projects.is_public(project)} == {
        "noticed",
        "announced",
        "withdrawn",
    }
    dropped = project_planning.withdraw(small_world.act("county_officer"), drafted(small_world), "不再举办")
    assert not projects.is_public(dropped)


def test_a_base_that_left_the_list_files_no_class_even_of_an_announced_project(small_world: World) -> None:
    project = announced(small_world)
    Listing.update(valid_until=date(2025, 2, 28)).where(Listing.base == small_world.base).execute()
    with pytest.raises(NotListed):
        file_under(small_world, project)
    assert TrainingClass.select().count() == 0
