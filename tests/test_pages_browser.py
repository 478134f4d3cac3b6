"""The public pages as a phone shows them: a real Chromium before the real service, axe-core looking on.

Every verdict is made as it would come about: a certificate suspended or reissued by an officer, a code
signed by a key that is in force but never recorded, a record changed behind the registry's back.
"""

import base64
import importlib.resources
import io
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pikepdf
import pytest
import requests
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.expected_conditions import staleness_of
from selenium.webdriver.support.ui import WebDriverWait

from certificates import signing, token
from skills_registry.certification.statement import Statement
from skills_registry.foundation.identifiers import certificate_number
from skills_registry.foundation.privacy import load_vault
from tests.conftest import LiveServer

pytestmark = pytest.mark.browser

VERDICTS = (
    "valid",
    "revoked",
    "superseded",
    "suspended",
    "expired",
    "not_on_record",
    "altered",
    "forged",
    "unreadable",
)
LANGUAGES = ("zh", "en")
SCHEMES = ("light", "dark")
PHONE = (360, 740)

#: The rules that a page must keep (WCAG 2.1 A and AA; GB/T 37668 builds on them), and axe's own advice.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
AXE = (importlib.resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
RUN_AXE = """
const [rules, done] = arguments;
axe.run(document, {runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']}).then(done);
"""

#: A number with the right check digit that the demonstration city never reaches.
NEVER_ISSUED = certificate_number("630200", 2030, 1)

CHROMIUM = "/usr/bin/chromium"
CHROMEDRIVER = "/usr/bin/chromedriver"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Phone:
    """A browser with the eyes of a phone."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def show(self, width: int = PHONE[0], height: int = PHONE[1], *, scheme: str = "light") -> None:
        """Take this size in CSS pixels, in light or dark."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": True}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def run_scripts(self, *, allowed: bool) -> None:
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not allowed})

    def open(self, address: str, lang: str = "zh") -> None:
        self.driver.get(f"{address}?lang={lang}")

    def fill(self, **typed: str) -> None:
        for field, text in typed.items():
            self.find(f"[name={field}]").clear()
            self.find(f"[name={field}]").send_keys(text)

    def submit(self, **typed: str) -> None:
        """Fill the form, press its button and wait for the next page."""
        self.fill(**typed)
        self.leave(lambda: self.find("form button").click())

    def leave(self, act: Any) -> None:
        self.ask("window.leaving = true")
        act()
        arrived = "return !window.leaving && document.readyState === 'complete'"
        WebDriverWait(self.driver, 20).until(lambda _: self.ask(arrived))

    def tap(self, selector: str, *, scripts: bool) -> None:
        """Tap what leads to another page, with the page's own scripts running or not, and wait to be there."""
        page = self.find("html")
        self.run_scripts(allowed=scripts)
        self.find(selector).click()
        self.run_scripts(allowed=True)
        WebDriverWait(self.driver, 20).until(staleness_of(page))
        WebDriverWait(self.driver, 20).until(lambda _: self.ask("return document.readyState") == "complete")

    def find(self, selector: str) -> Any:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def ask(self, script: str) -> Any:
        return self.driver.execute_script(script)

    def status(self) -> str:
        return str(self.find("[role=status]").text)

    def page_width(self) -> int:
        """How wide the page is with all that sticks out; a phone would scroll to see what is beyond its own width."""
        return int(self.ask("return document.documentElement.scrollWidth"))

    def violations(self) -> list[str]:
        """What axe-core finds wrong in the page, its folded parts opened, in light and in dark."""
        for folded in self.driver.find_elements(By.CSS_SELECTOR, "details:not([open]) summary"):
            folded.click()
        found = []
        for scheme in SCHEMES:
            self.show(scheme=scheme)
            self.ask(AXE)
            result = self.driver.execute_async_script(RUN_AXE, RULES)
            assert len(result["passes"]) > 10, "axe-core looked at nothing"
            found += [
                f"{scheme}: {rule['id']} at {[node['target'] for node in rule['nodes']]}"
                for rule in result["violations"]
            ]
        return found


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """One Chromium with an empty profile."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    assert Path(CHROMIUM).exists() and Path(CHROMEDRIVER).exists(), "apt install chromium chromium-driver"
    started = webdriver.Chrome(options=options, service=webdriver.ChromeService(CHROMEDRIVER))
    started.set_page_load_timeout(30)
    started.set_script_timeout(30)
    yield started
    started.quit()


@pytest.fixture
def phone(driver: webdriver.Chrome) -> Phone:
    """A phone at the usual size, in light colours, with scripts."""
    phone = Phone(driver)
    phone.run_scripts(allowed=True)
    phone.show()
    return phone


@dataclass(frozen=True)
class Addresses:
    """Where each verdict can be seen, and one more valid certificate for names and numbers."""

    by_verdict: dict[str, str]
    spare: dict[str, Any]


@pytest.fixture(scope="module")
def addresses(live_server: LiveServer) -> Iterator[Addresses]:
    """Certificates of another class than the demonstration's own brought to every verdict, and back."""
    suspended, superseded, altered, spare = _others(live_server)
    _officer(live_server, f"{suspended['number']}/suspension", reason="复核培训记录")
    _officer(live_server, f"{superseded['number']}/reissue", reason="原件遗失，补发")
    _change_record(live_server, altered["number"], "+ 1")
    code = live_server.verify_url
    yield Addresses(
        by_verdict={
            "valid": code,
            "revoked": live_server.revoked_url,
            "superseded": superseded["verify_url"],
            "suspended": suspended["verify_url"],
            "expired": live_server.expired_url,
            "not_on_record": _never_recorded(live_server),
            "altered": altered["verify_url"],
            "forged": code[:-1] + str((int(code[-1]) + 1) % 10),
            "unreadable": code[:-20],
        },
        spare=spare,
    )
    _change_record(live_server, altered["number"], "- 1")
    _officer(live_server, f"{suspended['number']}/reinstatement", reason="复核完毕")


def _headers(live_server: LiveServer) -> dict[str, str]:
    return {"Authorization": f"Bearer {live_server.keys['city_officer']}"}


def _others(live_server: LiveServer) -> list[dict[str, Any]]:
    address = f"{live_server.url}/api/v1/certificates?limit=100"
    listed = requests.get(address, headers=_headers(live_server), timeout=20).json()["items"]
    good = [c for c in listed if c["status"] == "valid" and not c["expired"]]
    return [c for c in good if c["class_id"] != live_server.class_id][:4]


def _officer(live_server: LiveServer, path: str, **body: str) -> None:
    address = f"{live_server.url}/api/v1/certificates/{path}"
    requests.post(address, json=body, headers=_headers(live_server), timeout=20).raise_for_status()


def _change_record(live_server: LiveServer, number: str, by: str) -> None:
    change = f"UPDATE certificate SET class_hours = class_hours {by} WHERE number = ?"  # noqa: S608
    with closing(sqlite3.connect(live_server.var / "registry.db", timeout=20)) as opened, opened:
        assert opened.execute(change, [number]).rowcount == 1


def _never_recorded(live_server: LiveServer) -> str:
    passphrase = load_vault(live_server.var / "secrets.json").signing_passphrase
    signer = signing.load_signer(live_server.var / "keys", passphrase)
    keys = signing.list_keys(live_server.var / "keys")
    first_day = next(day for day in _days_of(2025, 2026) if keys.find(signer.key_id).in_period(day))  # type: ignore[union-attr]
    body = Statement(
        key_id=signer.key_id,
        id=bytes(16),
        division=630200,
        year=first_day.year,
        serial=999_999,
        kind="training_completion",
        issued_on=first_day,
        expires_on=None,
        base_number=1,
        occupation_edition="2015",
        occupation_code="4-10-04-02",
        level="level5_junior",
        class_hours=120,
        status_index=999_999,
        commitment=bytes(16),
    ).encode()
    return token.url(live_server.url, token.encode(body, signer.sign(body)))


def _days_of(*years: int) -> Iterator[date]:
    yield from (date(year, month, 15) for year in years for month in range(1, 13))


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("verdict", VERDICTS)
def test_on_a_phone_the_verdict_is_the_first_thing_to_see(
    phone: Phone, addresses: Addresses, verdict: str, lang: str
) -> None:
    phone.open(addresses.by_verdict[verdict], lang)
    heading = phone.find("h1")
    assert phone.find("main > :first-child").get_attribute("class") == f"verdict verdict-{verdict}"
    assert heading.is_displayed()
    assert phone.driver.title.startswith(f"{heading.text} — ")
    assert phone.ask("return document.querySelector('.verdict').getBoundingClientRect().bottom") < PHONE[1]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("verdict", VERDICTS)
def test_axe_finds_nothing_wrong_with_any_verdict_in_light_or_dark(
    phone: Phone, addresses: Addresses, verdict: str, lang: str
) -> None:
    phone.open(addresses.by_verdict[verdict], lang)
    assert phone.violations() == []


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("path", ["/", "/verify", "/no-such-page"])
def test_axe_finds_nothing_wrong_with_the_other_pages(
    phone: Phone, live_server: LiveServer, path: str, lang: str
) -> None:
    phone.open(live_server.url + path, lang)
    assert phone.find("h1").is_displayed()
    assert phone.violations() == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_axe_finds_nothing_wrong_with_the_answers_to_a_form(
    phone: Phone, live_server: LiveServer, addresses: Addresses, lang: str
) -> None:
    for name in ("某某某", addresses.spare["name"]):
        phone.open(addresses.spare["verify_url"], lang)
        phone.submit(name=name)
        assert phone.status()
        assert phone.violations() == []
    for number in ("6302", NEVER_ISSUED):
        phone.open(f"{live_server.url}/verify", lang)
        phone.submit(number=number, name="某某某")
        assert phone.status()
        assert phone.violations() == []


@pytest.mark.parametrize("allowed", [True, False], ids=["with scripts", "without scripts"])
def test_a_typed_name_is_answered_with_match_or_no_match(
    phone: Phone, live_server: LiveServer, addresses: Addresses, *, allowed: bool
) -> None:
    phone.run_scripts(allowed=allowed)
    phone.open(addresses.by_verdict["valid"])
    assert phone.status() == ""
    phone.submit(name="某某某")
    assert phone.status().startswith("姓名不一致")
    assert phone.driver.title.startswith("姓名不一致 — 有效")
    phone.submit(name=live_server.name)
    assert phone.status().startswith("姓名一致")
    assert phone.driver.title.startswith("姓名一致 — 有效")
    assert phone.find("h1").text == "有效"


def test_a_typed_name_is_neither_in_the_page_nor_in_its_address(phone: Phone, addresses: Addresses) -> None:
    for name in ("某某某", addresses.spare["name"]):
        phone.open(addresses.spare["verify_url"])
        phone.submit(name=name)
        assert name not in phone.driver.page_source
        assert phone.ask("return decodeURIComponent(location.href)").count(name) == 0


def test_a_keyboard_reaches_the_name_and_its_answer(phone: Phone, addresses: Addresses) -> None:
    phone.open(addresses.spare["verify_url"])
    for _ in range(6):
        phone.driver.switch_to.active_element.send_keys(Keys.TAB)
        if phone.driver.switch_to.active_element.get_attribute("name") == "name":
            break
    field = phone.driver.switch_to.active_element
    assert field.accessible_name == "姓名全称"
    phone.leave(lambda: field.send_keys(addresses.spare["name"] + Keys.ENTER))
    assert phone.status().startswith("姓名一致")


def test_number_and_name_open_the_certificate_and_a_wrong_name_tells_nothing(
    phone: Phone, live_server: LiveServer, addresses: Addresses
) -> None:
    spare = addresses.spare
    phone.open(f"{live_server.url}/verify")
    phone.submit(number=spare["number"], name="某某某")
    assert phone.status().startswith("没有查到")
    assert phone.find("[name=number]").get_attribute("value") == spare["number"]
    assert phone.find("[name=name]").get_attribute("value") == ""
    wrong_name = phone.status()
    phone.submit(number=NEVER_ISSUED, name=spare["name"])
    assert phone.status() == wrong_name
    phone.submit(number=spare["number"], name=spare["name"])
    assert phone.find("h1").text == "有效"
    assert phone.status().startswith("姓名一致")


def test_a_malformed_number_is_told_what_a_number_looks_like(phone: Phone, live_server: LiveServer) -> None:
    phone.open(f"{live_server.url}/verify")
    phone.submit(number="6302", name="某某某")
    assert phone.driver.title.startswith("请更正后再查")
    assert phone.find(".answer-problem").is_displayed()


@pytest.mark.parametrize("width", [360, 320, 180], ids=["phone", "narrow", "phone at 200 %"])
def test_no_page_scrolls_sideways(
    phone: Phone, live_server: LiveServer, addresses: Addresses, width: int
) -> None:
    pages = [*addresses.by_verdict.values(), f"{live_server.url}/", f"{live_server.url}/verify"]
    for address in pages:
        for lang in LANGUAGES:
            phone.show(width)
            phone.open(address, lang)
            assert phone.page_width() == width, (address, lang)


def test_a_page_fetches_only_its_own_style_from_its_own_host(
    phone: Phone, live_server: LiveServer, addresses: Addresses
) -> None:
    phone.open(addresses.by_verdict["valid"])
    fetched = phone.ask("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert f"{live_server.url}/static/style.css" in fetched
    assert all(address.startswith(f"{live_server.url}/static/") for address in fetched)


@pytest.mark.parametrize("verdict", ["valid", "superseded", "altered"])
@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_verdict_prints_on_one_sheet(phone: Phone, addresses: Addresses, verdict: str, lang: str) -> None:
    phone.open(addresses.by_verdict[verdict], lang)
    paper = phone.driver.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
    with pikepdf.open(io.BytesIO(base64.b64decode(paper["data"]))) as printed:
        assert len(printed.pages) == 1


def test_the_other_language_is_one_tap_away(phone: Phone, addresses: Addresses) -> None:
    phone.open(addresses.by_verdict["valid"])
    phone.leave(lambda: phone.find("a.language").click())
    assert phone.find("html").get_attribute("lang") == "en"
    assert phone.find("h1").text == "Valid"
