"""What became of bases on the list: rectified, suspended, delisted after an appeal, gone, expired, evaluated."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from api.demo.city import SECOND, City
from skills_registry import bases, evaluation
from skills_registry.bases import Base
from skills_registry.evaluation import Given
from skills_registry.exits import appeals, leaving, sanctions, withdrawal
from skills_registry.exits.sanctions import Sanction

# Bases by their place in the plan.
SUNSHINE, MASSAGE_BASE, NOODLES, HIGHLAND, RAINBOW, WORKSHOP = 0, 2, 4, 6, 7, 8


def settle_all(city: City) -> None:
    """Every standing that the city is to show."""
    _evaluate(city, city.bases[SUNSHINE])
    _rectify(city, city.bases[NOODLES])
    _sanction(city, city.bases[HIGHLAND], "suspension", "serious_hazard", date(2026, 6, 1))
    _delist_after_appeal(city, city.bases[RAINBOW])
    _let_go(city, city.bases[WORKSHOP])
    _expire(city, city.bases[MASSAGE_BASE])


def _evaluate(city: City, base: Base) -> None:
    """The year 2025 of the base in good standing: planned, scored, proposed, agreed to, final."""
    county = city.act(base.division_code, "county_officer", date(2026, 1, 12))
    evaluation.set_plan(county, base, 2025, 20)
    found = evaluation.open_evaluation(county, base, 2025)
    full = {"teaching_conditions": 10, "accessibility": 10, "file_completeness": 5}
    sheet = full | {"trainee_satisfaction": 5, "fund_compliance": 5}
    evaluation.score(
        county, found, [Given(code, Decimal(marks), "演示：纸质问卷汇总。") for code, marks in sheet.items()]
    )
    evaluation.propose(county, found, "演示：完成年度计划，管理规范。")
    evaluation.comment(city.act(base.name, "base_clerk", date(2026, 1, 14)), found, "无异议", agrees=True)
    evaluation.finalise(city.act("630200", "city_officer", date(2026, 1, 22)), found)


def _rectify(city: City, base: Base) -> None:
    county = city.act(base.division_code, "county_officer", date(2026, 6, 15))
    sanctions.impose(
        county, base, "rectification", ground="undeclared_teachers", reason="演示：两名授课教师未备案。"
    )


def _sanction(city: City, base: Base, step: str, ground: str, on: date) -> Sanction:
    """Proposed by the county, decided by the city a week later."""
    county = city.act(base.division_code, "county_officer", on)
    found = sanctions.impose(county, base, step, ground=ground, reason="演示：现场检查发现问题，证据附后。")
    officer = city.act("630200", "city_officer", on + timedelta(days=7))
    return sanctions.decide(officer, found, "演示：事实清楚，同意县级意见。")


def _delist_after_appeal(city: City, base: Base) -> None:
    decided = _sanction(city, base, "termination", "subcontracting", date(2026, 3, 9))
    clerk = city.act(base.name, "base_clerk", date(2026, 3, 20))
    appeal = appeals.file_appeal(clerk, "sanction", decided.id, "演示：认为属于合作授课，不是转包。")
    other = city.act("630200" + SECOND, "city_officer", date(2026, 4, 10))
    appeals.decide(other, appeal, "upheld", "演示：合同显示整班转包，维持原决定。")


def _let_go(city: City, base: Base) -> None:
    clerk = city.act(base.name, "base_clerk", date(2026, 4, 1))
    asked = withdrawal.ask(clerk, base, "演示：场地租约到期，不再续办。")
    withdrawal.accept(city.act("630200", "city_officer", date(2026, 4, 10)), asked, "演示：同意退出。")


def _expire(city: City, base: Base) -> None:
    listing = bases.latest_listing(base)
    if listing is not None:
        leaving.expire(city.act("630200", "city_officer", listing.valid_until + timedelta(days=3)), listing)
