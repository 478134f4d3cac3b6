"""A believable city to try things on: bases, classes at every stage, some hundred people.

Everybody in it is invented: citizen IDs carry serials 995–999, which were never assigned. Everything
goes the way that real data goes, sheets and confirmations included, under a clock of its own: the
dates of the demonstration do not depend on the day on which it is started.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from api import demo_people as invented
from api.callers import act_of
from api.certificates import verify_url_for
from api.services import Services
from certificates.document import fonts
from skills_registry import accounts, bases
from skills_registry.accounts import Account, Operator, Organisation
from skills_registry.bases import Base, Trade
from skills_registry.certification import issuing
from skills_registry.certification.certificates import Certificate
from skills_registry.foundation.acts import Act, Role
from skills_registry.foundation.identifiers import COUNTIES
from skills_registry.foundation.storage import database
from skills_registry.training import classes, enrolments, uploads
from skills_registry.training.classes import Filing, TrainingClass

KEY_DAYS = 3650

#: The day on which the plan was adopted: the demonstration's signing key is good from here on.
FIRST_DAY = date(2023, 8, 11)

MASSAGE = Trade("2015", "4-10-04-02", "保健按摩师", "level3_senior")
PASTRY = Trade("2015", "4-03-02-02", "中式面点师", "level4_intermediate")
COOK = Trade("2022", "4-03-02-01", "中式烹调师", "level4_intermediate")
MARKETING = Trade("2022", "4-01-06-02", "互联网营销师", "level4_intermediate")


@dataclass(frozen=True)
class PlannedBase:
    """A base of the demonstration, with the period for which it was listed on paper."""

    name: str
    division_code: str
    kind: str
    valid_from: date
    valid_until: date
    scope: tuple[Trade, ...]


BASES = (
    PlannedBase(
        "海东市乐都区阳光职业技能培训学校",
        "630202",
        "training",
        date(2025, 1, 1),
        date(2027, 12, 31),
        (MASSAGE, PASTRY, COOK, MARKETING),
    ),
    PlannedBase(
        "平安区惠民职业培训中心", "630203", "training", date(2023, 9, 1), date(2026, 8, 31), (COOK, PASTRY)
    ),
    PlannedBase(
        "互助县明眸按摩实训基地",
        "630223",
        "blind_massage_practice",
        date(2023, 9, 1),
        date(2026, 8, 31),
        (MASSAGE,),
    ),
    PlannedBase(
        "民和县河湟就业创业孵化园", "630222", "incubation", date(2024, 6, 1), date(2027, 5, 31), (MARKETING,)
    ),
    PlannedBase(
        "化隆县拉面产业培训学校", "630224", "training", date(2024, 3, 1), date(2027, 2, 28), (COOK, PASTRY)
    ),
    PlannedBase(
        "循化县积石职业技能学校", "630225", "training", date(2025, 3, 1), date(2028, 2, 29), (PASTRY,)
    ),
)


@dataclass(frozen=True)
class PlannedClass:
    """A class of the demonstration: ``base`` by its place in :data:`BASES`, ``until`` the stage it reaches."""

    base: int
    title: str
    trade: Trade | None
    level: str
    training_type: str
    starts_on: date
    days: int
    hours: int
    people: int
    until: str


CLASSES = (
    PlannedClass(
        2,
        "2023年盲人按摩继续教育班",
        MASSAGE,
        "level4_intermediate",
        "continuing_education",
        date(2023, 10, 9),
        20,
        60,
        10,
        "approved",
    ),
    PlannedClass(
        1,
        "2024年中式面点师五级班",
        PASTRY,
        "level5_junior",
        "employment_skills",
        date(2024, 5, 13),
        30,
        120,
        14,
        "approved",
    ),
    PlannedClass(
        0,
        "2025年保健按摩师五级第一期",
        MASSAGE,
        "level5_junior",
        "employment_skills",
        date(2025, 9, 1),
        40,
        120,
        24,
        "approved",
    ),
    PlannedClass(
        3,
        "2025年农村电商直播班",
        MARKETING,
        "level5_junior",
        "employment_skills",
        date(2025, 10, 13),
        25,
        120,
        16,
        "submitted",
    ),
    PlannedClass(
        4,
        "2026年拉面师傅提升班",
        COOK,
        "level4_intermediate",
        "skill_upgrading",
        date(2026, 3, 2),
        30,
        104,
        15,
        "open",
    ),
    PlannedClass(
        0,
        "2026年保健按摩师五级第二期",
        MASSAGE,
        "level5_junior",
        "employment_skills",
        date(2026, 4, 13),
        40,
        120,
        20,
        "returned",
    ),
    PlannedClass(
        5,
        "2026年牛羊养殖实用技术班",
        None,
        "",
        "practical_technology",
        date(2026, 5, 11),
        10,
        40,
        18,
        "filed",
    ),
)


class City:
    """Fills an empty database, act by act, under a clock that the plan sets."""

    def __init__(self, service: Services) -> None:
        self._service = service
        self._people = invented.people(Random(2026))
        self.accounts: dict[tuple[str, Role], Account] = {}
        self.bases: list[Base] = []
        self.issued: list[Certificate] = []
        self.classes: list[TrainingClass] = []

    def act(self, division: str, role: Role, on: date) -> Act:
        """An act by the account of that division (or base) and role, at ten in the morning."""
        at = datetime(on.year, on.month, on.day, 2, 0, tzinfo=UTC)
        return replace(act_of(self._service, accounts.as_caller(self.accounts[division, role])), at=at)

    def fill(self) -> None:
        """Everything, in the order in which it happened."""
        with database.atomic():
            self._appoint()
            for plan in BASES:
                self._list(plan)
        for plan in CLASSES:
            self._run(plan)
        self._revoke_one()

    def _appoint(self) -> None:
        city = Organisation.create(name="海东市残疾人联合会", kind="federation", division_code="630200")
        first = datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, 2, 0, tzinfo=UTC)
        roles: tuple[Role, ...] = ("city_officer", "auditor", "admin")
        for role in roles:
            self._account(city, "630200", role, first)
        for county in COUNTIES:
            organisation = Organisation.create(
                name=f"{county.name}残疾人联合会", kind="federation", division_code=county.code
            )
            self._account(organisation, county.code, "county_officer", first)

    def _account(self, organisation: Organisation, place: str, role: Role, at: datetime) -> None:
        operator = Operator.create(label=f"{organisation.name} 演示账号")
        self.accounts[place, role] = Account.create(
            operator=operator, organisation=organisation, role=role, created_at=at
        )

    def _list(self, plan: PlannedBase) -> None:
        day = max(plan.valid_from, date(2023, 9, 4))
        county = self.act(plan.division_code, "county_officer", day)
        base = bases.register_base(
            county,
            name=plan.name,
            uscc=invented.credit_code(plan.division_code, len(self.bases) + 1),
            kind=plan.kind,
            division_code=plan.division_code,
        )
        listing = bases.enter_listing(
            county,
            base,
            plaque_number=f"HDPX-{plan.valid_from.year}-{base.number:03d}",
            valid_from=plan.valid_from,
            valid_until=plan.valid_until,
            basis="演示数据：纸质挂牌文件",
            scope=plan.scope,
        )
        bases.confirm_listing(self.act("630200", "city_officer", day), listing)
        self.bases.append(base)
        self._account(base.organisation, base.name, "base_clerk", county.at)

    def _run(self, plan: PlannedClass) -> None:
        base, start = self.bases[plan.base], plan.starts_on
        end = start + timedelta(days=plan.days)
        clerk = self.act(base.name, "base_clerk", start - timedelta(days=21))
        training_class, _ = classes.file_class(clerk, base, _filing(plan, end))
        self.classes.append(training_class)
        if plan.until == "filed":
            return
        county = self.act(base.division_code, "county_officer", start - timedelta(days=7))
        classes.open_class(county, training_class)
        learners = [next(self._people) for _ in range(plan.people)]
        self._upload(base, training_class, "roster", invented.roster(learners), start)
        if plan.until == "open":
            return
        sheet = invented.results(learners, plan.hours, training_class.papers)
        self._upload(base, training_class, "results", sheet, end)
        enrolments.submit_class(self.act(base.name, "base_clerk", end + timedelta(days=1)), training_class)
        city = self.act("630200", "city_officer", end + timedelta(days=5))
        if plan.until == "returned":
            classes.return_class(city, training_class, "请补充实操考核的考官签名扫描件。")
        elif plan.until == "approved":
            self.issued += issuing.issue(city, training_class, self._service.signer(), fonts.uncovered)

    def _upload(self, base: Base, training_class: TrainingClass, kind: str, sheet: bytes, on: date) -> None:
        clerk = self.act(base.name, "base_clerk", on)
        upload = uploads.stage(clerk, training_class, kind, sheet, uncovered=fonts.uncovered)
        uploads.confirm(clerk, upload)

    def _revoke_one(self) -> None:
        revoked = next(c for c in self.issued if c.base_id == self.bases[1].id)
        city = self.act("630200", "city_officer", date(2024, 9, 2))
        issuing.revoke(city, revoked, "演示：抽查发现出勤记录不实。")


def _filing(plan: PlannedClass, end: date) -> Filing:
    trade = plan.trade
    return Filing(
        title=plan.title,
        training_type=plan.training_type,
        starts_on=plan.starts_on,
        ends_on=end,
        class_hours=plan.hours,
        capacity=max(plan.people, 30),
        occupation={"edition": trade.edition, "code": trade.code, "name": trade.name} if trade else None,
        level=plan.level,
        course_title="" if trade else "牛羊养殖实用技术",
    )


def is_empty() -> bool:
    """Whether the database holds nobody's data yet."""
    return not Organisation.select().exists()


def fill(service: Services, note: Path) -> dict[str, Any]:
    """Fill an empty database and write the keys and addresses to ``note`` (mode 0600)."""
    city = City(service)
    city.fill()
    clerk_base = city.bases[0]
    opened = next(c for c in city.issued if c.base_id == clerk_base.id)
    now = act_of(service, accounts.as_caller(city.accounts["630200", "admin"]))
    holders = {
        "base_clerk": city.accounts[clerk_base.name, "base_clerk"],
        "county_officer": city.accounts[clerk_base.division_code, "county_officer"],
        "city_officer": city.accounts["630200", "city_officer"],
        "auditor": city.accounts["630200", "auditor"],
        "admin": city.accounts["630200", "admin"],
    }
    told = {
        "keys": {role: accounts.issue_key(now, account, days=KEY_DAYS) for role, account in holders.items()},
        "verify_url": verify_url_for(service, opened),
        "certificate_number": opened.number,
        "class_id": str(opened.training_class_id),
        "revoked_url": verify_url_for(service, next(c for c in city.issued if c.status == "revoked")),
        "expired_url": verify_url_for(service, next(c for c in city.issued if c.expires_on)),
    }
    note.parent.mkdir(parents=True, exist_ok=True)
    note.touch(mode=0o600)
    note.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return told


def greeting(public_url: str, told: dict[str, Any]) -> str:
    """What to try, for the person who started the demonstration."""
    keys = "\n".join(f"  {role:15} {key}" for role, key in told["keys"].items())
    return f"""\
技能登记平台演示数据已就绪 The demonstration city is ready
  首页 start page      {public_url}/
  接口文档 API docs     {public_url}/docs
  有效证书 valid        {told["verify_url"]}
  已撤销 revoked        {told["revoked_url"]}
  已过期 expired        {told["expired_url"]}
  按编号查验 by number   {public_url}/verify   编号 number {told["certificate_number"]}
密钥 keys (var/demo.json)
{keys}
"""
