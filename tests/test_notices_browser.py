"""Notices and objections in a real browser at phone width: axe-core, keyboard, no scripts, no sideways scrolling."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys
from werkzeug.serving import make_server

from api import limits
from skills_registry import notices
from skills_registry.foundation.storage import database, migrate, open_database
from skills_registry.notices import Notice, Objection
from tests.test_notices import OBJECTION, published
from tests.test_pages_browser import LANGUAGES, PHONE, Phone, driver, phone
from tests.world import World, application

__all__ = ["driver", "phone"]

pytestmark = pytest.mark.browser

LONG_TITLE = (
    "关于拟认定民和回族土族自治县川口镇残疾人就业创业孵化和职业技能培训示范基地等三家单位为职业培训基地的公示"
)


@dataclass
class Site:
    """A service over a city of its own, with a notice in every phase; ``world`` holds its clock."""

    url: str
    world: World
    running: Notice
    ended: Notice
    withdrawn: Notice

    def at(self, path: str) -> str:
        return self.url + path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder: Path = tmp_path_factory.mktemp("notices")
    open_database(f"sqlite:///{folder}/registry.db")
    migrate()
    world = World.founded(f"sqlite:///{folder}/registry.db", folder)
    app = application(world)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    ended = published(world.on(2025, 2, 10), subject="subsidy_batch", title="培训补贴公示")
    withdrawn = published(world.on(2025, 3, 3), title="已撤下的公示")
    notices.withdraw(world.act("city_officer"), withdrawn, "申请撤回")
    running = published(world, title=LONG_TITLE)
    limits.limiter.enabled = False
    yield Site(f"http://127.0.0.1:{server.server_port}", world, running, ended, withdrawn)
    limits.limiter.enabled = True
    server.shutdown()
    thread.join(10)
    server.server_close()
    database.close()


def addresses(site: Site) -> list[str]:
    return [
        site.at(path)
        for path in ("/notices", *(f"/notices/{n.id}" for n in (site.running, site.ended, site.withdrawn)))
    ]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_axe_finds_nothing_wrong_with_any_notice(phone: Phone, site: Site, lang: str) -> None:
    for address in addresses(site):
        phone.open(address, lang)
        assert phone.find("h1").is_displayed()
        assert phone.violations() == [], address


@pytest.mark.parametrize("lang", LANGUAGES)
def test_axe_finds_nothing_wrong_where_nothing_is_on_notice(phone: Phone, site: Site, lang: str) -> None:
    before = site.world.now
    site.world.on(2027, 3, 1)
    phone.open(site.at("/notices"), lang)
    site.world.now = before
    assert phone.find(".empty h2").is_displayed()
    assert phone.violations() == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_axe_finds_nothing_wrong_with_the_answers_to_the_form(phone: Phone, site: Site, lang: str) -> None:
    phone.open(site.at(f"/notices/{site.running.id}"), lang)
    phone.ask("document.querySelector('form').noValidate = true")
    phone.submit(text="   ", contact=OBJECTION["contact"])
    assert phone.find("[aria-invalid=true]").get_attribute("name") == "text"
    assert phone.find("[name=contact]").get_attribute("value") == OBJECTION["contact"]
    assert phone.violations() == []
    phone.submit(**OBJECTION)
    assert phone.find(".answer-received").is_displayed()
    assert phone.violations() == []


@pytest.mark.parametrize("allowed", [True, False], ids=["with scripts", "without scripts"])
def test_anyone_objects_and_nothing_typed_is_in_the_next_page_or_its_address(
    phone: Phone, site: Site, *, allowed: bool
) -> None:
    count = Objection.select().count()
    phone.run_scripts(allowed=allowed)
    phone.open(site.at(f"/notices/{site.running.id}"))
    phone.submit(**OBJECTION)
    assert phone.status().startswith("异议已收到")
    assert Objection.select().count() == count + 1
    for typed in OBJECTION.values():
        assert typed not in phone.driver.page_source
        assert typed not in phone.ask("return decodeURIComponent(location.href)")
    phone.driver.refresh()
    assert Objection.select().count() == count + 1


def test_a_keyboard_reaches_the_form_in_order(phone: Phone, site: Site) -> None:
    phone.open(site.at(f"/notices/{site.running.id}"))
    names = []
    for _ in range(8):
        phone.driver.switch_to.active_element.send_keys(Keys.TAB)
        focused = phone.driver.switch_to.active_element
        names.append(focused.accessible_name)
    start = names.index("事实和理由")
    assert names[start : start + 3] == ["事实和理由", "怎样联系您", "提交异议"]


@pytest.mark.parametrize("width", [PHONE[0], 320, 180], ids=["phone", "narrow", "phone at 200 %"])
def test_no_notice_scrolls_sideways(phone: Phone, site: Site, width: int) -> None:
    for address in addresses(site):
        for lang in LANGUAGES:
            phone.show(width)
            phone.open(address, lang)
            assert phone.page_width() == width, (address, lang)
