"""Admission told in steps: a base that applies, its county, inspectors, experts and the city.

Each function brings an application one state further, by the people and on the days named here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from api.demo_people import credit_code
from skills_registry import accounts, bases, notices
from skills_registry.accounts import Operator
from skills_registry.bases import Base, Trade, applications, inspections, panels, reviews, scores
from skills_registry.bases.applications import Application
from skills_registry.bases.inspections import Inspection, Visit
from skills_registry.bases.seats import PanelSeat
from skills_registry.foundation.acts import PUBLIC, Act
from skills_registry.notices import Notice
from tests.base_files import complete_file, kept_photo, sites_of
from tests.world import CITY, COUNTY, MASSAGE, World

PASTRY = Trade("2015", "4-03-02-02", "中式面点师", "level4_intermediate")
EXPERTS = ("expert_1", "expert_2", "expert_3", "expert_4")
#: Every item of the checklist, met.
ALL_MET = ("legal_person", "own_site", "fire_safety", "accessibility", "equipment", "teachers", "records")
CRITERIA = ("teaching_plan", "teachers", "site_and_equipment", "accessibility", "employment", "governance")


def applicant(world: World, name: str = "平安区向阳培训学校", number: int = 7) -> Base:
    """A base that is not listed, with a complete file, a clerk, and everybody who reviews it."""
    base = bases.register_base(
        world.act("city_officer"),
        name=name,
        uscc=credit_code(COUNTY, number),
        kind="training",
        division_code=COUNTY,
    )
    world.hire("applicant", base.organisation, "base_clerk")
    complete_file(world, base, "applicant")
    if "expert_1" not in world.accounts:
        appoint_everybody(world)
    return base


def appoint_everybody(world: World) -> None:
    """A second county officer, a city officer who decides, and four experts of a pool of their own."""
    county = world.accounts["county_officer"].organisation
    city = world.accounts["city_officer"].organisation
    world.hire("second_county_officer", county, "county_officer")
    world.hire("deciding_officer", city, "city_officer")
    world.hire("other_deciding_officer", city, "city_officer")
    pool = accounts.register_organisation("评审专家库", "federation", CITY)
    for name in EXPERTS:
        world.hire(name, pool, "expert")


def same_person(world: World, name: str, other: str, organisation: str, role: Any) -> None:
    """Another account, ``name``, for the person behind the account ``other``, where ``organisation`` works."""
    person: Operator = world.accounts[other].operator
    world.hire(name, world.accounts[organisation].organisation, role, operator=person)


def visit(world: World, application: Application, *, unmet: tuple[str, ...] = (), **changes: Any) -> Visit:
    """What the inspectors bring back from the site."""
    usual: dict[str, Any] = {
        "visited_on": world.act("county_officer").today,
        "answers": {code: {"met": code not in unmet, "remark": ""} for code in ALL_MET},
        "findings": "场地、设备与申报一致。",
        "photos": [kept_photo(world, application)],
    }
    return Visit(**(usual | changes))


def sheet(points: int = 8) -> dict[str, int]:
    """The same points for every criterion."""
    return dict.fromkeys(CRITERIA, points)


def seat(application: Application, world: World, expert: str) -> PanelSeat:
    """The seat of an expert on the present panel."""
    panel = panels.require_panel(application)
    return PanelSeat.get((PanelSeat.panel == panel) & (PanelSeat.account == world.accounts[expert]))


def again(application: Application) -> Application:
    """The application as the database has it now."""
    return Application.get_by_id(application.id)


def draft(world: World, base: Base | None = None, clerk: str = "applicant") -> Application:
    base = base or applicant(world)
    return applications.apply(world.act(clerk), base, scope=[MASSAGE, PASTRY], sites=sites_of(base))


def submitted(world: World, base: Base | None = None) -> Application:
    application = draft(world, base)
    return applications.submit(world.act("applicant"), application)


def returned(world: World) -> Application:
    application = submitted(world)
    return reviews.return_for_correction(world.act("county_officer"), application, "请补充设备清单")


def recommended(world: World, base: Base | None = None) -> Application:
    application = submitted(world, base)
    return reviews.preliminary_review(world.act("county_officer"), application, "recommend", "材料齐全")


def not_recommended(world: World) -> Application:
    application = submitted(world)
    return reviews.preliminary_review(world.act("county_officer"), application, "not_recommend", "场地不足")


def inspect(world: World, application: Application, **changes: Any) -> Application:
    """Both inspectors of the county visit and sign."""
    report = inspections.file_inspection(
        world.act("county_officer"), application, visit(world, application, **changes)
    )
    inspections.sign_inspection(world.act("second_county_officer"), report)
    return again(application)


def inspected(world: World, base: Base | None = None) -> Application:
    return inspect(world, recommended(world, base))


def appoint(world: World, application: Application, *experts: str) -> Application:
    chosen = [world.accounts[name] for name in experts or EXPERTS[:3]]
    panels.appoint(world.act("city_officer"), application, chosen)
    return again(application)


def in_review(world: World, base: Base | None = None) -> Application:
    return appoint(world, inspected(world, base))


def score(world: World, application: Application, *experts: str, points: int = 8) -> Application:
    for name in experts or EXPERTS[:3]:
        scores.hand_in(world.act(name), seat(application, world, name), sheet(points), "同意")
    return again(application)


def reviewed(world: World, base: Base | None = None) -> Application:
    return score(world, in_review(world, base))


def publish(world: World, application: Application) -> Notice:
    return reviews.publish(
        world.act("city_officer"),
        application,
        title="拟认定培训基地公示",
        text="拟认定平安区向阳培训学校为职业培训基地。",
    )


def noticed(world: World) -> Application:
    """Under notice since 10 February 2025; its last day is the 17th, and it is the 18th."""
    application = reviewed(world)
    publish(world, application)
    world.on(2025, 2, 18)
    return again(application)


def listed(world: World) -> Application:
    application = noticed(world)
    reviews.list_base(world.act("deciding_officer"), application, basis="东残联〔2025〕1号")
    return again(application)


def refused(world: World) -> Application:
    application = noticed(world)
    return reviews.refuse(world.act("deciding_officer"), application, "公示后核查发现条件不符")


def withdrawn(world: World) -> Application:
    application = submitted(world)
    return applications.withdraw(world.act("applicant"), application, "暂不申请")


#: How an application comes into each state of the table.
STATES: dict[str, Callable[[World], Application]] = {
    "draft": draft,
    "submitted": submitted,
    "returned_for_correction": returned,
    "recommended": recommended,
    "not_recommended": not_recommended,
    "inspected": inspected,
    "expert_review": in_review,
    "reviewed": reviewed,
    "noticed": noticed,
    "listed": listed,
    "refused": refused,
    "withdrawn": withdrawn,
}


def file_or_sign(act: Act, application: Application, brought: Visit) -> Inspection:
    """What the next inspector does: file the report, or sign the one that awaits a signature."""
    report = inspections.latest_inspection(application)
    if report is None:
        return inspections.file_inspection(act, application, brought)
    return inspections.sign_inspection(act, report)


def object_to(world: World, application: Application, text: str = "消防通道被占用") -> notices.Objection:
    """Somebody of the public objects to the notice."""
    act = Act(by=PUBLIC, at=world.now, policy=world.service.policy, vault=world.service.vault)
    return notices.object_to(act, application.notice, text=text, contact="13900000000")
