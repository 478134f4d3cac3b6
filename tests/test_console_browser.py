"""The console as an office sees it: a real Chromium before the real service, signed in with the demonstration's codes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from tests.conftest import LiveServer
from tests.made_sheets import roster
from tests.test_pages_browser import AXE, LANGUAGES, RULES, RUN_AXE, Phone, driver, phone
from tests.world import PEOPLE

__all__ = ["driver", "phone"]

pytestmark = pytest.mark.browser

OFFICE = (1280, 900)

#: The pages that each sign-in name of the demonstration opens; ``{class}`` and the like are found on the lists.
PAGES = {
    "jidi": (
        "/console",
        "/console/classes",
        "/console/classes?status=filed",
        "/console/classes/new",
        "{class}",
        "{class}/trainees",
        "{class}/trainees/new",
        "{class}/sessions",
        "{class}/file",
        "{class}/file?reason=check",
        "/console/certificates",
        "/console/me",
    ),
    "shi": (
        "/console",
        "{class}",
        "/console/certificates?number=6302",
        "{certificate}",
        "/console/accounts",
        "{account}",
    ),
    "guanli": ("/console", "/console/accounts?status=pending", "/console/accounts/new", "{account}"),
    "shenji": ("/console", "/console/audit", "/console/audit?since=x"),
}
LISTS = {"class": "/console/classes", "certificate": "/console/certificates", "account": "/console/accounts"}


@dataclass
class Office:
    """A browser that can take the session of each person of the demonstration."""

    phone: Phone
    url: str
    sessions: dict[str, dict[str, Any]]

    def become(self, name: str) -> None:
        self.phone.driver.delete_all_cookies()
        self.phone.driver.get(f"{self.url}/static/icon.svg")
        self.phone.driver.add_cookie(self.sessions[name])

    def open(self, path: str, lang: str = "zh") -> None:
        self.phone.driver.get(f"{self.url}{path}{'&' if '?' in path else '?'}lang={lang}")

    def found(self, path: str) -> str:
        """The path with the first record of its list in place of what stands in braces."""
        for noun, listed in LISTS.items():
            if f"{{{noun}}}" in path:
                self.open(listed)
                first = str(self.phone.find("tbody th a").get_attribute("href")).removeprefix(self.url)
                path = path.replace(f"{{{noun}}}", first.partition("?")[0])
        return path


@pytest.fixture(scope="module")
def sessions(driver: webdriver.Chrome, live_server: LiveServer) -> dict[str, dict[str, Any]]:
    """Everybody signs in once, with the keyboard alone, with what the demonstration prints."""
    Phone(driver).show(*OFFICE)
    held = json.loads((live_server.var / "demo.json").read_text(encoding="utf-8"))["sign_in"]
    return {name: _signed_in(driver, live_server, name, held[name]["password"]) for name in PAGES}


def _signed_in(driver: webdriver.Chrome, server: LiveServer, name: str, password: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "api.commands", "demo-code", name]
    root, env = Path(__file__).parent.parent, {"REGISTRY_VAR": str(server.var), "PUBLIC_URL": server.url}
    code = subprocess.run(
        command, cwd=root, env=env, check=True, capture_output=True, text=True
    ).stdout.strip()
    driver.delete_all_cookies()
    driver.get(f"{server.url}/console?lang=zh")
    field = driver.find_element("id", "login")
    field.send_keys(name, Keys.TAB)
    driver.switch_to.active_element.send_keys(password, Keys.TAB)
    driver.switch_to.active_element.send_keys(code, Keys.ENTER)
    WebDriverWait(driver, 20).until(lambda d: d.current_url.startswith(f"{server.url}/console"))
    return next(cookie for cookie in driver.get_cookies() if cookie["name"] == "session")


@pytest.fixture
def office(phone: Phone, live_server: LiveServer, sessions: dict[str, dict[str, Any]]) -> Iterator[Office]:
    yield Office(phone, live_server.url, sessions)
    phone.driver.delete_all_cookies()


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_wrong_and_no_page_scrolls_sideways(office: Office, name: str) -> None:
    office.become(name)
    for template in PAGES[name]:
        path = office.found(template)
        for lang in LANGUAGES:
            office.phone.show()
            office.open(path, lang)
            assert office.phone.find("h1").text, path
            assert office.phone.page_width() == 360, (path, lang)
        assert office.phone.violations() == [], path
        office.phone.show(*OFFICE)
        office.open(path)
        assert _violations(office.phone) == [], path


def _violations(phone: Phone) -> list[Any]:
    phone.ask(AXE)
    found = phone.driver.execute_async_script(RUN_AXE, RULES)
    assert len(found["passes"]) > 10, "axe-core looked at nothing"
    return [(rule["id"], [node["target"] for node in rule["nodes"]]) for rule in found["violations"]]


def test_the_first_key_skips_the_way_around(office: Office) -> None:
    office.become("jidi")
    office.open("/console")
    office.phone.find("body").send_keys(Keys.TAB)
    first = office.phone.driver.switch_to.active_element
    assert first.text == "跳到正文"
    assert first.rect["x"] >= 0
    first.send_keys(Keys.ENTER)
    assert office.phone.ask("return location.hash") == "#main"


def test_without_scripts_a_roster_is_sent_its_report_read_and_given_up(
    office: Office, tmp_path: Path
) -> None:
    office.become("jidi")
    sheet = tmp_path / "roster.xlsx"
    sheet.write_bytes(roster([PEOPLE[0][0], PEOPLE[0][1]], ["马得福", "63020219920404"]))
    office.open("/console/classes?status=returned")
    office.phone.leave(lambda: office.phone.find("tbody th a").click())
    office.phone.find("#roster-file").send_keys(str(sheet))
    office.phone.run_scripts(allowed=False)
    office.phone.leave(lambda: office.phone.find("#roster-file ~ *, form:has(#roster-file) button").click())
    assert office.phone.find("h1").text == "上传报告 花名册"
    assert office.phone.find("main .lead").text.startswith("还没有登记")
    assert office.phone.find("tbody th").text == "3"
    assert "现为14位" in office.phone.find("tbody td li").text
    office.phone.leave(lambda: office.phone.find("form[action*=discarding] button").click())
    assert office.phone.status() == "已放弃这份表格"


def test_a_wrong_field_has_the_focus_and_says_what_is_wrong(office: Office) -> None:
    office.become("jidi")
    office.open("/console/classes/new")
    office.phone.ask("document.querySelectorAll('[required]').forEach(field => field.required = false)")
    office.phone.fill(title="一个班")
    office.phone.leave(lambda: office.phone.find("main form button").click())
    assert office.phone.driver.title.startswith("未能办理，请更正 — ")
    field = office.phone.driver.switch_to.active_element
    assert field.get_attribute("aria-invalid") == "true"
    told = str(field.get_attribute("aria-describedby")).split()[0]
    assert office.phone.find(f"#{told}").text in ("必须填写。", "不在可选范围内。")
    assert office.phone.find("[name=title]").get_attribute("value") == "一个班"
    assert office.phone.violations() == []
