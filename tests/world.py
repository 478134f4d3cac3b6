"""A small city for tests: officers, a listed base, classes and people, told with named facts."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask

from api import limits
from api.app import build, furnish
from api.demo_people import credit_code
from api.services import Services
from api.settings import Settings
from certificates import signing
from certificates.document import fonts
from skills_registry import accounts, bases
from skills_registry.accounts import Account, Operator
from skills_registry.bases import Base, Trade
from skills_registry.certification import issuing
from skills_registry.certification.certificates import Certificate
from skills_registry.foundation import journal, series
from skills_registry.foundation.acts import Act, Caller, Role
from skills_registry.foundation.high_water import FileMark
from skills_registry.foundation.policy import load_policy
from skills_registry.foundation.privacy import Vault, create_vault, load_vault
from skills_registry.training import enrolments, filing, opening
from skills_registry.training.classes import TrainingClass
from skills_registry.training.enrolments import Enrolment
from skills_registry.training.filing import Filing

CITY, COUNTY, OTHER_COUNTY = "630200", "630202", "630222"
TODAY = datetime(2025, 2, 10, 2, 0, tzinfo=UTC)
MASSAGE = Trade("2015", "4-10-04-02", "保健按摩师", "level5_junior")

#: Invented people: name, citizen ID (serials 995–999 were never assigned), sex.
PEOPLE = (
    ("李晓东", "632127197610289953", "male"),
    ("马得福", "630202199204049984", "female"),
    ("冶春梅", "630202197406019960", "female"),
    ("东福祥", "630203199909089966", "female"),
    ("东桂花", "632126198602249984", "female"),
    ("祁进财", "630202197008089971", "male"),
)


def massage_class(**changes: Any) -> Filing:
    """What the base files for a massage class of 120 hours, starting on 3 March 2025."""
    usual = {
        "title": "2025年保健按摩师五级班",
        "training_type": "employment_skills",
        "starts_on": date(2025, 3, 3),
        "ends_on": date(2025, 4, 11),
        "class_hours": 120,
        "capacity": 30,
        "occupation": {"edition": "2015", "code": "4-10-04-02", "name": "保健按摩师"},
        "level": "level5_junior",
    }
    return Filing(**(usual | changes))


@cache
def _made_secrets() -> Path:
    """Secrets and a signing key, made once in a process: stretching the passphrase costs more than a city."""
    folder = Path(tempfile.mkdtemp(prefix="registry-secrets-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    vault = create_vault(folder / "secrets.json")
    signing.create_key(folder / "keys", vault.signing_passphrase, on=date(2025, 1, 1))
    return folder


def _secrets(folder: Path) -> Vault:
    shutil.copytree(_made_secrets(), folder, dirs_exist_ok=True)
    return load_vault(folder / "secrets.json")


@cache
def _rooms() -> Flask:
    return build("memory://")


def application(world: World, **settings: Any) -> Flask:
    """The application over this world. Its rooms are built once in a process; nothing of a world stays in them."""
    app = furnish(_rooms(), world.served(**settings).settings, world.service.clock)
    limits.limiter.reset()
    return app


@dataclass
class World:
    """The city; ``now`` is the instant of the next act and may be set by a test."""

    service: Services
    base: Base
    accounts: dict[str, Account]
    now: datetime = TODAY
    keys: dict[str, str] = field(default_factory=dict)

    @classmethod
    def founded(cls, url: str, folder: Path) -> World:
        """Officers of the city and two counties, and a base listed from 2025 to 2027."""
        world = cls._over(url, folder)
        world._appoint()
        world.base = world.listed_base("乐都区晨曦职业培训学校", 1)
        world.hire("base_clerk", world.base.organisation, "base_clerk")
        world.hire("second_clerk", world.base.organisation, "base_clerk")
        return world

    @classmethod
    def _over(cls, url: str, folder: Path) -> World:
        vault = _secrets(folder)
        journal.keep(vault)
        series.keep(FileMark(folder / "numbers.json"))
        settings = Settings(
            database_url=url,
            public_url="https://skills.haidong.example",
            secrets_file=folder / "secrets.json",
            keys_directory=folder / "keys",
            documents_directory=folder / "documents",
            policy_file=None,
            rate_limit_storage="memory://",
            proxies=0,
        )
        world = cls(None, None, {})  # type: ignore[arg-type]
        world.service = Services(
            settings=settings, policy=load_policy(), vault=vault, clock=lambda: world.now
        )
        return world

    def copied(self, url: str, folder: Path) -> World:
        """This city as it was founded, over a copy of its database: quicker than founding it again."""
        copy = World._over(url, folder)
        copy.accounts, copy.base = deepcopy(self.accounts), deepcopy(self.base)
        return copy

    def _appoint(self) -> None:
        city = accounts.register_organisation("市登记处", "federation", CITY)
        county = accounts.register_organisation("乐都区登记处", "federation", COUNTY)
        other = accounts.register_organisation("民和县登记处", "federation", OTHER_COUNTY)
        for name in ("city_officer", "second_city_officer"):
            self.hire(name, city, "city_officer")
        self.hire("county_officer", county, "county_officer")
        self.hire("other_county_officer", other, "county_officer")
        self.hire("auditor", city, "auditor")
        self.hire("admin", city, "admin")

    def hire(
        self, name: str, organisation: accounts.Organisation, role: Role, *, operator: Operator | None = None
    ) -> Account:
        """Give somebody an account; without an operator, to a person of their own."""
        person = operator or Operator.create(label=name)
        bare = Act(by=Caller(role="admin"), at=TODAY, policy=self.service.policy, vault=self.service.vault)
        self.accounts[name] = accounts.register_account(bare, person, organisation, role)
        return self.accounts[name]

    def act(self, name: str, at: datetime | None = None) -> Act:
        """An act by the account of that name, now."""
        return Act(
            by=accounts.as_caller(self.accounts[name]),
            at=at or self.now,
            policy=self.service.policy,
            vault=self.service.vault,
        )

    def on(self, year: int, month: int, day: int) -> World:
        """From now on it is ten in the morning of that day in Haidong."""
        self.now = datetime(year, month, day, 2, 0, tzinfo=UTC)
        return self

    def listed_base(self, name: str, number: int, *, division: str = COUNTY, **dates: date) -> Base:
        """A base with a confirmed listing from 2025 to 2027, in scope for massage at level 5."""
        base = bases.register_base(
            self.act("city_officer"),
            name=name,
            uscc=credit_code(division, number),
            kind="training",
            division_code=division,
        )
        listing = bases.enter_listing(
            self.act("city_officer"),
            base,
            plaque_number=f"HD-{number:03d}",
            basis="纸质文件",
            scope=[MASSAGE],
            **{"valid_from": date(2025, 1, 1), "valid_until": date(2027, 12, 31), **dates},
        )
        bases.confirm_listing(self.act("second_city_officer"), listing)
        return base

    def filed_class(self, **changes: Any) -> TrainingClass:
        """A class that the base has filed."""
        return filing.file_class(self.act("base_clerk"), self.base, massage_class(**changes))[0]

    def open_class(self, **changes: Any) -> TrainingClass:
        """A class that the county has opened."""
        return opening.open_class(self.act("county_officer"), self.filed_class(**changes))

    def enrol(self, training_class: TrainingClass, people: int = 3) -> list[Enrolment]:
        """The first people of :data:`PEOPLE`, enrolled."""
        return [
            enrolments.enrol(
                self.act("base_clerk"),
                training_class,
                {"name": name, "citizen_id": citizen_id, "sex": sex},
                row,
            )
            for row, (name, citizen_id, sex) in enumerate(PEOPLE[:people], 2)
        ]

    def grade(self, enrolment: Enrolment, outcome: str = "passed") -> None:
        """A result that passes or fails."""
        score = Decimal(80 if outcome == "passed" else 40)
        enrolments.record_result(
            self.act("base_clerk"),
            enrolment,
            hours=Decimal(110),
            scores={"theory": score, "practice": score},
            outcome=outcome,
        )

    def submitted_class(self, people: int = 3, failed: int = 0, **changes: Any) -> TrainingClass:
        """A class submitted with results: the last ``failed`` of its people did not pass."""
        training_class = self.open_class(**changes)
        for place, enrolment in enumerate(self.enrol(training_class, people)):
            self.grade(enrolment, "failed" if place >= people - failed else "passed")
        return enrolments.submit_class(self.act("base_clerk"), training_class)

    def issue(self, training_class: TrainingClass, by: str = "city_officer") -> list[Certificate]:
        """The certificates of a submitted class, approved by a city officer."""
        return issuing.issue(self.act(by), training_class, self.service.signer(), fonts.uncovered)

    def issued(self, people: int = 3, **changes: Any) -> list[Certificate]:
        """The certificates of a fresh class."""
        return self.issue(self.submitted_class(people, **changes))

    def key(self, name: str) -> str:
        """A bearer key for an account."""
        if name not in self.keys:
            self.keys[name] = accounts.issue_key(self.act(name), self.accounts[name], days=365)
        return self.keys[name]

    def served(self, **settings: Any) -> Services:
        """The services of this world with other settings."""
        return replace(self.service, settings=replace(self.service.settings, **settings))
