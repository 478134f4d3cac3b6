"""Training projects and online courses as a phone shows them: a real Chromium, axe-core looking on.

The pages come from a service over a small city of this test's own, so that a project stands in each state.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from selenium.webdriver.support.ui import Select
from werkzeug.serving import make_server

from api import limits
from skills_registry.foundation.storage import database, open_database
from skills_registry.training import filing, opening
from tests import catalogue
from tests.planned import INTO, announced
from tests.test_pages_browser import LANGUAGES, Phone, driver, phone
from tests.world import World, application, massage_class

__all__ = ["driver", "phone"]

pytestmark = pytest.mark.browser

#: The smallest side of what a finger is to hit, in CSS pixels.
TARGET = 44


@dataclass(frozen=True)
class Site:
    """A service that runs, and where its pages are."""

    url: str
    pages: dict[str, str]


@pytest.fixture(scope="module")
def site(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A project in each public state and courses of every kind, served on a free port."""
    folder = tmp_path_factory.mktemp("projects")
    shutil.copy(sqlite_template, folder / "registry.db")
    open_database(f"sqlite:///{folder}/registry.db")
    world = World.founded(f"sqlite:///{folder}/registry.db", folder)
    projects = {state: into(world.on(2025, 2, 10), title=f"保健按摩{state}") for state, into in INTO.items()}
    course = {"training_type": "practical_technology", "trades": []}
    announced(world.on(2025, 2, 10), title="农牧区牛羊科学养殖实用技术培训", **course)
    _open_a_class(world.on(2025, 2, 18), projects["announced"].id)
    _fill_the_catalogue(world)
    database.close()
    app = application(world)
    limits.limiter.enabled = False
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    yield Site(url, _pages(url, {state: str(project.id) for state, project in projects.items()}))
    server.shutdown()
    thread.join(10)
    limits.limiter.enabled = True


def _open_a_class(world: World, project_id: object) -> None:
    asked = massage_class(project=project_id)
    training_class, _ = filing.file_class(world.act("base_clerk"), world.base, asked)
    opening.open_class(world.act("county_officer"), training_class)
    world.enrol(training_class, 3)


def _fill_the_catalogue(world: World) -> None:
    catalogue.checked(world, catalogue.published(world), "alive")
    flags = ("captions", "sign_language", "audio_description", "text_version")
    catalogue.published(world, title="藏语面点制作", language="bo", trade="中式面点师", access=flags)
    gone = catalogue.published(world, title="求职面试", trade="", summary="", access=())
    catalogue.checked(world, gone, "gone")


def _pages(url: str, projects: dict[str, str]) -> dict[str, str]:
    return {
        "home": f"{url}/?",
        "projects": f"{url}/projects?",
        "no project found": f"{url}/projects?county=630225&",
        "a page of projects": f"{url}/projects?limit=1&",
        **{state: f"{url}/projects/{projects[state]}?" for state in ("noticed", "announced", "withdrawn")},
        "courses": f"{url}/resources?",
        "no course found": f"{url}/resources?language=en&access=captions&",
    }


PAGES = (
    "home",
    "projects",
    "no project found",
    "a page of projects",
    "noticed",
    "announced",
    "withdrawn",
    "courses",
    "no course found",
)


def show(phone: Phone, site: Site, page: str, lang: str = "zh") -> None:
    phone.driver.get(f"{site.pages[page]}lang={lang}")


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing_wrong_in_light_or_dark(phone: Phone, site: Site, page: str, lang: str) -> None:
    show(phone, site, page, lang)
    assert phone.violations() == []


@pytest.mark.parametrize("width", [360, 320, 180], ids=["phone", "narrow", "phone at 200 %"])
@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_page_scrolls_sideways(phone: Phone, site: Site, width: int, lang: str) -> None:
    phone.show(width)
    for page in PAGES:
        show(phone, site, page, lang)
        assert phone.page_width() <= width, page


@pytest.mark.parametrize("page", PAGES)
def test_everything_to_tap_is_large_enough_for_a_finger(phone: Phone, site: Site, page: str) -> None:
    show(phone, site, page)
    for control in phone.driver.find_elements("css selector", "main a, main button, main select, label.tick"):
        height = control.rect["height"]
        assert height >= TARGET or height >= 24 <= _line_of(control), (page, control.text, height)


def _line_of(control: object) -> float:
    # A link in a heading or a list stands on a line of its own, with room above and below (WCAG 2.5.8).
    return float(control.find_element("xpath", "..").rect["height"])  # type: ignore[attr-defined]


@pytest.mark.parametrize("allowed", [True, False], ids=["with scripts", "without scripts"])
def test_courses_are_chosen_by_language_and_by_what_makes_them_accessible(
    phone: Phone, site: Site, allowed: bool
) -> None:
    show(phone, site, "courses")
    Select(phone.find("#language")).select_by_visible_text("藏语")
    phone.find("input[value=sign_language]").click()
    phone.tap("form button", scripts=allowed)
    names = [name.text for name in phone.driver.find_elements("css selector", ".bases h2")]
    assert names == ["藏语面点制作"]
    assert phone.find("input[value=sign_language]").is_selected()
    assert not phone.find("input[value=captions]").is_selected()


def test_a_dead_link_is_marked_by_shape_and_words_beside_its_course(phone: Phone, site: Site) -> None:
    show(phone, site, "courses")
    marked = phone.driver.find_elements("css selector", ".bases .answer-problem")
    assert [line.text for line in marked] == ["这个链接现在打不开"]
    assert marked[0].find_element("css selector", "svg.mark path").is_displayed()
    assert marked[0].find_element("xpath", "..").find_element("css selector", "h2").text == "求职面试"


def test_a_project_is_found_by_its_trade_and_says_how_far_it_has_come(phone: Phone, site: Site) -> None:
    show(phone, site, "projects")
    Select(phone.find("#trade")).select_by_visible_text("保健按摩师")
    phone.leave(lambda: phone.find("form button").click())
    phone.leave(lambda: phone.driver.find_element("link text", "保健按摩announced").click())
    progress = phone.find("section.facts").text
    assert "项目进度" in progress and "3人（计划60人）" in progress


def test_a_project_on_notice_leads_to_its_notice_and_the_form_for_objections(
    phone: Phone, site: Site
) -> None:
    show(phone, site, "noticed")
    phone.leave(lambda: phone.find("main .go").click())
    assert "培训项目的公示" in phone.find("h1").text


def test_the_start_page_leads_to_projects_and_courses(phone: Phone, site: Site) -> None:
    for place, title in ((0, "培训项目"), (1, "线上课程")):
        show(phone, site, "home")
        doors = phone.driver.find_elements("css selector", "#door-training ~ p a")
        phone.leave(doors[place].click)
        assert phone.find("h1").text == title
