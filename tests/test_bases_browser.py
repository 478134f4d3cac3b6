"""The directory and the page behind a plaque as a phone shows them: a real Chromium, axe-core looking on.

The demonstration city holds bases in every standing, so every page is one that came about through the
registry's own acts.
"""

from __future__ import annotations

import json

import pytest
import requests
from selenium.webdriver.support.ui import Select

from skills_registry.bases.directory import ON_THE_LIST
from tests.conftest import LiveServer
from tests.test_pages_browser import (
    LANGUAGES,
    PHONE,
    Phone,
    driver,
    phone,
)

__all__ = ["driver", "phone"]

pytestmark = pytest.mark.browser

#: One base of the city in each standing, as the demonstration leaves them.
STANDINGS = {
    1: "listed",
    3: "expired",
    5: "listed_no_new_classes",
    7: "suspended",
    8: "ended",
}


def plaque_url(live_server: LiveServer) -> str:
    """Where the plaque of the clerk's base leads."""
    told = json.loads((live_server.var / "demo.json").read_text(encoding="utf-8"))
    return str(told["plaque_url"])


def pages(live_server: LiveServer) -> dict[str, str]:
    return {
        "directory": f"{live_server.url}/bases",
        "nothing found": f"{live_server.url}/bases?county=630202&trade=无",
        "plaque": plaque_url(live_server),
        **{code: f"{live_server.url}/bases/{number}" for number, code in STANDINGS.items()},
    }


PAGES = ("directory", "nothing found", "plaque", *STANDINGS.values())


def show(phone: Phone, live_server: LiveServer, page: str, lang: str = "zh") -> None:
    address = pages(live_server)[page]
    phone.driver.get(f"{address}{'&' if '?' in address else '?'}lang={lang}")


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing_wrong_in_light_or_dark(
    phone: Phone,
    live_server: LiveServer,
    page: str,
    lang: str,
) -> None:
    show(phone, live_server, page, lang)
    assert phone.violations() == []


@pytest.mark.parametrize("width", [360, 320, 180], ids=["phone", "narrow", "phone at 200 %"])
@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_page_scrolls_sideways(phone: Phone, live_server: LiveServer, width: int, lang: str) -> None:
    phone.show(width)
    for page in PAGES:
        show(phone, live_server, page, lang)
        assert phone.page_width() <= width, page


@pytest.mark.parametrize("number", STANDINGS)
def test_each_standing_is_marked_by_shape_and_words(
    phone: Phone, live_server: LiveServer, number: int
) -> None:
    address = f"{live_server.url}/bases/{number}"
    told = requests.get(address, headers={"Accept": "application/json"}, timeout=20).json()
    phone.open(address)
    line = phone.find(f".standing-{told['standing']}")
    assert line.text == told["standing_text"]
    assert line.find_element("css selector", "svg.mark path").is_displayed()
    assert line.location["y"] < PHONE[1]


def test_on_a_plaque_the_verdict_comes_first_and_no_name_is_asked(
    phone: Phone,
    live_server: LiveServer,
) -> None:
    phone.open(plaque_url(live_server))
    assert phone.find(".verdict h1").text == "有效"
    assert phone.find(".verdict").location["y"] < PHONE[1] / 2
    assert "海东市乐都区阳光职业技能培训学校" in phone.find(".facts").text
    assert not phone.driver.find_elements("css selector", "form")


@pytest.mark.parametrize("allowed", [True, False], ids=["with scripts", "without scripts"])
def test_the_directory_is_filtered_and_a_base_opened_with_a_tap(
    phone: Phone,
    live_server: LiveServer,
    allowed: bool,
) -> None:
    phone.open(f"{live_server.url}/bases")
    Select(phone.find("#trade")).select_by_visible_text("保健按摩师")
    phone.tap("form button", scripts=allowed)
    names = [name.text for name in phone.driver.find_elements("css selector", ".bases h2")]
    assert names == ["海东市乐都区阳光职业技能培训学校"]
    assert Select(phone.find("#trade")).first_selected_option.text == "保健按摩师"
    phone.leave(lambda: phone.find(".bases h2 a").click())
    assert phone.find("h1").text == names[0]


def test_the_start_page_leads_to_the_directory(phone: Phone, live_server: LiveServer) -> None:
    phone.open(f"{live_server.url}/")
    phone.leave(lambda: phone.find("#door-bases ~ p a").click())
    assert phone.find("h1").text == "基地名录"


def test_every_base_in_the_directory_is_on_the_list_and_no_applicant_is(live_server: LiveServer) -> None:
    answer = requests.get(f"{live_server.url}/bases", headers={"Accept": "application/json"}, timeout=20)
    standings = {item["number"]: item["standing"] for item in answer.json()["items"]}
    assert standings and set(standings.values()) <= set(ON_THE_LIST)
    assert not {8, 9, 11, 12, 13, 14} & set(standings)
