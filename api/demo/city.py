"""The city as it fills: people appointed, bases listed on paper, classes run, one certificate revoked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random

from api import demo_people as invented
from api.callers import act_of
from api.demo.plan import BASES, CLASSES, PlannedBase, PlannedClass
from api.services import Services
from certificates.document import fonts
from skills_registry import accounts, bases
from skills_registry.accounts import Account, Operator, Organisation
from skills_registry.bases import Base
from skills_registry.certification import issuing, plaques
from skills_registry.certification.certificates import Certificate
from skills_registry.certification.plaques import Plaque
from skills_registry.foundation.acts import Act, Role
from skills_registry.foundation.identifiers import COUNTIES
from skills_registry.foundation.storage import database
from skills_registry.training import classes, enrolments, filing, opening, uploads
from skills_registry.training.classes import TrainingClass
from skills_registry.training.filing import Filing

#: The day on which the plan was adopted: the demonstration's signing key is good from here on.
FIRST_DAY = date(2023, 8, 11)

#: The second officer of a place, for whatever two people must do.
SECOND = " 2"

EXPERTS = ("专家甲", "专家乙", "专家丙")


class City:
    """Fills an empty database, act by act, under a clock that the plan sets."""

    def __init__(self, service: Services) -> None:
        self._service = service
        self._people = invented.people(Random(2026))  # nosec B311  # invented people, the same at every start
        self.accounts: dict[tuple[str, Role], Account] = {}
        self.bases: list[Base] = []
        self.issued: list[Certificate] = []
        self.classes: list[TrainingClass] = []
        self.plaques: list[Plaque] = []

    @property
    def service(self) -> Services:
        """What the service is built with."""
        return self._service

    def act(self, division: str, role: Role, on: date) -> Act:
        """An act by the account of that division (or base) and role, at ten in the morning."""
        at = datetime(on.year, on.month, on.day, 2, 0, tzinfo=UTC)
        return replace(act_of(self._service, accounts.as_caller(self.accounts[division, role])), at=at)

    def fill(self) -> None:
        """The bases that were listed on paper, and their classes."""
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
        self._account(city, "630200" + SECOND, "city_officer", first)
        for county in COUNTIES:
            organisation = Organisation.create(
                name=f"{county.name}残疾人联合会", kind="federation", division_code=county.code
            )
            for place in (county.code, county.code + SECOND):
                self._account(organisation, place, "county_officer", first)
        pool = Organisation.create(name="海东市评审专家库", kind="federation", division_code="630200")
        for expert in EXPERTS:
            self._account(pool, expert, "expert", first)

    def _account(self, organisation: Organisation, place: str, role: Role, at: datetime) -> None:
        operator = Operator.create(label=f"{organisation.name} 演示账号")
        self.accounts[place, role] = Account.create(
            operator=operator, organisation=organisation, role=role, created_at=at
        )

    def _list(self, plan: PlannedBase) -> None:
        day = max(plan.valid_from, date(2023, 9, 4))
        base = self.enter_base(plan.name, plan.division_code, plan.kind, day)
        listing = bases.enter_listing(
            self.act(plan.division_code, "county_officer", day),
            base,
            plaque_number=f"HDPX-{plan.valid_from.year}-{base.number:03d}",
            valid_from=plan.valid_from,
            valid_until=plan.valid_until,
            basis="演示数据：纸质挂牌文件",
            scope=plan.scope,
        )
        city = self.act("630200", "city_officer", day)
        bases.confirm_listing(city, listing)
        self.plaques.append(plaques.issue(city, listing, self._service.signer(), fonts.uncovered))

    def enter_base(self, name: str, division_code: str, kind: str, day: date) -> Base:
        """Enter a base and give it a clerk, whose account goes by the base's name."""
        county = self.act(division_code, "county_officer", day)
        base = bases.register_base(
            county,
            name=name,
            uscc=invented.credit_code(division_code, len(self.bases) + 1),
            kind=kind,
            division_code=division_code,
        )
        self.bases.append(base)
        self._account(base.organisation, base.name, "base_clerk", county.at)
        return base

    def _run(self, plan: PlannedClass) -> None:
        base, start = self.bases[plan.base], plan.starts_on
        end = start + timedelta(days=plan.days)
        clerk = self.act(base.name, "base_clerk", start - timedelta(days=21))
        training_class, _ = filing.file_class(clerk, base, _filing(plan, end))
        self.classes.append(training_class)
        if plan.until == "filed":
            return
        county = self.act(base.division_code, "county_officer", start - timedelta(days=7))
        opening.open_class(county, training_class)
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
