"""The demonstration city: a base in every standing, brought there by the registry's own acts."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from api import check, demo
from api.demo import sign_in
from api.services import Services
from api.settings import from_environment
from certificates import signing, token
from certificates.verification import check as scan
from skills_registry import class_files, evaluation, history, notices
from skills_registry.accounts import credentials
from skills_registry.bases import Application, Base, directory, standing
from skills_registry.certification.certificates import Certificate
from skills_registry.certification.plaques import Plaque, RecordedPapers
from skills_registry.competitions.contests import Competition
from skills_registry.employment import Employment
from skills_registry.exits import Appeal, Sanction
from skills_registry.foundation import journal, series
from skills_registry.foundation.acts import PUBLIC, Act
from skills_registry.foundation.high_water import FileMark
from skills_registry.foundation.lifecycle import Step
from skills_registry.foundation.policy import load_policy
from skills_registry.foundation.privacy import create_vault
from skills_registry.foundation.storage import database, migrate, open_database
from skills_registry.resources import Resource
from skills_registry.training.classes import TrainingClass
from skills_registry.training.projects import TrainingProject

#: The day on which the demonstration is started here.
STARTED = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
SUNSHINE = "海东市乐都区阳光职业技能培训学校"


@dataclass
class Filled:
    """A filled city, what was told of it, and how long it took."""

    service: Services
    told: dict[str, Any]
    seconds: float

    def act(self) -> Act:
        return Act(by=PUBLIC, at=STARTED, policy=self.service.policy, vault=self.service.vault)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    folder: Path = tmp_path_factory.mktemp("demo")
    settings = from_environment({"REGISTRY_VAR": str(folder), "PUBLIC_URL": "https://skills.example.cn"})
    opened = open_database(settings.database_url)
    migrate()
    vault = create_vault(settings.secrets_file)
    journal.keep(vault)
    series.keep(FileMark(settings.numbers_file))
    service = Services(settings=settings, policy=load_policy(), vault=vault, clock=lambda: STARTED)
    signing.create_key(settings.keys_directory, vault.signing_passphrase, on=demo.FIRST_DAY)
    begun = time.process_time()
    told = demo.fill(service, folder / "demo.json")
    yield Filled(service, told, time.process_time() - begun)
    opened.close()


@pytest.fixture(autouse=True)
def connected(city: Filled) -> None:
    """The city's database is the one that is open, whatever a test before this one has opened."""
    if database.is_closed() or Base.select().count() != len(EXPECTED):
        open_database(city.service.settings.database_url)


#: Standing and application of every base on the day on which the demonstration is started.
EXPECTED = {
    SUNSHINE: ("listed", None),
    "平安区惠民职业培训中心": ("expired", None),
    "互助县明眸按摩实训基地": ("expired", None),
    "民和县河湟就业创业孵化园": ("listed", None),
    "化隆县拉面产业培训学校": ("listed_no_new_classes", None),
    "循化县积石职业技能学校": ("listed", None),
    "平安区高原技能培训中心": ("suspended", None),
    "互助县彩虹职业技能培训学校": ("ended", None),
    "循化县清水辅助性就业工坊": ("ended", None),
    "循化县街子职业技能培训学校": ("listed", "listed"),
    "互助县威远家政培训学校": ("never_listed", "refused"),
    "民和县川口按摩实训基地": ("never_listed", "noticed"),
    "化隆县巴燕拉面培训学校": ("never_listed", "expert_review"),
    "乐都区瞿昙职业培训学校": ("never_listed", "submitted"),
}


def named(name: str) -> Base:
    found: Base = Base.get(Base.name == name)
    return found


def test_the_city_holds_bases_in_every_standing_and_at_every_stage_of_admission(city: Filled) -> None:
    del city
    found = {}
    for base in Base.select():
        application = Application.get_or_none(Application.base == base)
        code = standing.standing_on(base, STARTED.date()).code
        found[base.name] = (code, application and application.status)
    assert found == EXPECTED
    shown = {code for code, _ in found.values()}
    assert shown == set(standing.STANDINGS) - {"not_yet_listed"}


def test_the_clerk_s_base_is_in_good_standing_since_2025_and_evaluated(city: Filled) -> None:
    base = named(SUNSHINE)
    entry = directory.entry(base, STARTED.date())
    assert entry is not None and (entry.standing, entry.valid_from) == ("listed", date(2025, 1, 1))
    assert not Sanction.select().where(Sanction.base == base).exists()
    assert evaluation.grades_of(base) == [(2025, "excellent")]
    assert city.told["base_id"] == str(base.id)


def test_no_date_of_the_city_depends_on_the_day_on_which_it_is_started(city: Filled) -> None:
    del city
    # Keys and sign-in are made when the city is started: they must work today.
    latest = max(step.at for step in Step.select().where(Step.noun.not_in(("account", "operator"))))
    assert latest < STARTED
    noticed = notices.Notice.get(notices.Notice.title == "拟认定基地公示：民和县川口按摩实训基地")
    assert noticed.closes_on < STARTED.date()


def test_every_base_that_was_listed_has_a_plaque_that_says_how_it_stands_today(city: Filled) -> None:
    act, keys = city.act(), city.service.key_ring()
    verdicts = {
        plaque.base.name: scan(
            token.encode(plaque.statement, plaque.signature),
            keys=keys,
            registry=RecordedPapers(act),
            on=act.today,
        ).code
        for plaque in Plaque.select()
    }
    told = {"listed": "valid", "listed_no_new_classes": "valid", "ended": "revoked"}
    assert verdicts == {
        name: told.get(code, code) for name, (code, _) in EXPECTED.items() if code != "never_listed"
    }


def test_the_delisted_base_appealed_in_vain_and_its_history_tells_it_in_order(city: Filled) -> None:
    del city
    base = named("互助县彩虹职业技能培训学校")
    assert [appeal.status for appeal in Appeal.select().where(Appeal.base == base)] == ["upheld"]
    steps = [(step.noun, step.action) for step in history.history_of(base)]
    order = [("listing", "confirm"), ("sanction", "propose"), ("sanction", "decide"), ("appeal", "file")]
    assert [step for step in steps if step in order] == order


def test_the_project_s_class_has_a_complete_file_and_its_first_trainee_is_in_work(city: Filled) -> None:
    training_class = TrainingClass.get_by_id(city.told["filed_class_id"])
    items = class_files.contents(city.act(), training_class)
    assert [lack.code for item in items for lack in item.lacking] == []
    assert (training_class.status, training_class.project.status) == ("approved", "announced")
    work = Employment.get()
    assert (work.status, work.enrolment.training_class) == ("confirmed", training_class)


def test_the_public_finds_projects_courses_and_awards(city: Filled) -> None:
    del city
    assert sorted(project.status for project in TrainingProject.select()) == ["announced", "noticed"]
    assert {resource.status for resource in Resource.select()} == {"published"}
    assert [competition.status for competition in Competition.select()] == ["concluded"]
    awards = Certificate.select().where(Certificate.kind == "competition_award")
    assert sorted((row.subject, row.prize) for row in awards) == [
        ("中式面点制作", "第一名"), ("中式面点制作", "第三名"), ("中式面点制作", "第二名"),
        ("保健按摩", "第一名"), ("保健按摩", "第二名"),
    ]  # fmt: skip


def test_the_register_of_the_city_is_what_it_says(city: Filled) -> None:
    assert list(check.check(city.service)) == []


def test_the_note_keeps_its_fields_and_the_city_is_filled_within_its_time(city: Filled) -> None:
    assert {"base_clerk", "county_officer", "city_officer", "auditor", "admin"} <= set(city.told["keys"])
    fields = {"verify_url", "certificate_number", "class_id", "revoked_url", "expired_url", "plaque_url"}
    assert fields <= set(city.told)
    note = city.service.settings.secrets_file.parent / "demo.json"
    assert json.loads(note.read_text(encoding="utf-8")) == city.told
    assert city.seconds < 20


def test_everybody_signs_in_with_what_is_printed(city: Filled) -> None:
    told = city.told["sign_in"]
    assert {one["role"] for one in told.values()} == set(city.told["keys"]) - {"expert"}
    for name, one in told.items():
        code = sign_in.code_at(one["key"], STARTED)
        operator = credentials.sign_in(city.act(), name, one["password"], code)
        assert [account.role for account in operator.accounts] == [one["role"]]
    printed = demo.greeting("https://skills.example.cn", city.told)
    assert all(part in printed for part in ("/console", sign_in.PASSWORD, "demo-code", *told))
