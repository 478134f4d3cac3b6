"""Signing in with a browser: the pages, the cookie, forms of our own, and guesses that hold up nobody else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api import limits
from skills_registry import accounts
from skills_registry.accounts import Account, credentials, sessions
from tests.test_accounts import PASSWORD, code_at, set_up
from tests.world import World, application

TLS = "https://skills.haidong.example"


@pytest.fixture
def app(small_world: World) -> Iterator[Flask]:
    made = application(small_world)
    limits.limiter.reset()
    yield made
    limits.limiter.reset()


def browser_at(app: Flask, address: str = "10.0.0.1") -> FlaskClient:
    client = app.test_client()
    client.environ_base["REMOTE_ADDR"] = address
    return client


def sign_in(
    browser: FlaskClient,
    world: World,
    secret: str,
    *,
    password: str = PASSWORD,
    login: str = "wang",
    following: str = "",
) -> TestResponse:
    world.now += timedelta(seconds=30)
    typed = {"login": login, "password": password, "code": code_at(world, secret), "next": following}
    return browser.post("/sign-in", data=typed, base_url=TLS)


def token_on(page: TestResponse) -> str:
    found = re.search(r'name="csrf_token" value="([0-9a-f]{64})"', page.text)
    assert found
    return found[1]


def test_a_person_is_invited_sets_up_and_signs_in_with_pages_alone(small_world: World, app: Flask) -> None:
    browser = browser_at(app)
    text = credentials.invite(small_world.act("admin"), small_world.accounts["county_officer"])
    page = browser.get(f"/sign-in/invitation/{text}", base_url=TLS)
    assert page.headers["Cache-Control"] == "no-store"
    assert "<svg" in page.text
    secret = re.search(r'<span class="number">([A-Z2-7 ]+)</span>', page.text)
    assert secret
    factor = secret[1].replace(" ", "")
    typed = {"login": "wang", "password": "123456789012", "code": code_at(small_world, factor)}
    weak = browser.post(f"/sign-in/invitation/{text}", data=typed, base_url=TLS)
    assert (weak.status_code, "至少12个字符" in weak.text, 'value="wang"' in weak.text) == (422, True, True)
    done = browser.post(f"/sign-in/invitation/{text}", data=typed | {"password": PASSWORD}, base_url=TLS)
    assert done.text.count('<li class="number">') == 10
    assert browser.get(f"/sign-in/invitation/{text}", base_url=TLS).status_code == 404
    assert "发送邀请以外的人确认" in done.text
    holder = Account.get_by_id(small_world.accounts["county_officer"].id)
    accounts.confirm_account(small_world.act("city_officer"), holder)
    entered = sign_in(browser, small_world, factor)
    assert (entered.status_code, entered.headers["Location"]) == (303, "/console")


def test_the_session_cookie_is_for_this_host_over_tls_and_for_no_script(
    small_world: World, app: Flask
) -> None:
    entered = sign_in(browser_at(app), small_world, set_up(small_world))
    cookie = next(c for c in entered.headers.getlist("Set-Cookie") if "session" in c)
    for part in ("__Host-session=", "Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert part in cookie
    assert "Domain" not in cookie


@pytest.mark.parametrize("wrong", ["login", "password", "code"])
def test_what_was_wrong_is_not_told(small_world: World, app: Flask, wrong: str) -> None:
    secret = set_up(small_world)
    typed = {"login": "wang", "password": PASSWORD, "code": code_at(small_world, secret)} | {
        wrong: "nonsense"
    }
    refused = browser_at(app).post("/sign-in", data=typed, base_url=TLS)
    assert refused.status_code == 403
    assert "登录名、密码或动态验证码不正确" in refused.text
    assert PASSWORD not in refused.text


def test_guesses_at_a_name_hold_up_the_guesser_and_not_its_owner(small_world: World, app: Flask) -> None:
    secret = set_up(small_world)
    own = browser_at(app, "10.0.0.9")
    assert sign_in(own, small_world, secret).status_code == 303
    guesser = browser_at(app, "10.6.6.6")
    statuses = [sign_in(guesser, small_world, secret, password="wrong").status_code for _ in range(12)]
    assert statuses == [403] * 10 + [429] * 2
    # Many addresses together use up what strangers have for this name …
    for number in range(45):
        sign_in(browser_at(app, f"10.7.0.{number}"), small_world, secret, password="wrong")
    assert sign_in(browser_at(app, "10.8.8.8"), small_world, secret).status_code == 429
    # … and the browser that its owner knows still gets in.
    assert sign_in(own, small_world, secret).status_code == 303


def test_guesses_at_one_name_do_not_hold_up_another_from_the_same_office(
    small_world: World, app: Flask
) -> None:
    set_up(small_world)
    other = set_up(small_world, "city_officer", login="li")
    for _ in range(11):
        sign_in(browser_at(app), small_world, other, password="wrong")
    assert sign_in(browser_at(app), small_world, other, login="li").status_code == 303


def test_a_form_from_elsewhere_or_without_its_token_changes_nothing(small_world: World, app: Flask) -> None:
    secret = set_up(small_world)
    browser = browser_at(app)
    elsewhere = {"Origin": "https://evil.example"}
    typed = {"login": "wang", "password": PASSWORD, "code": code_at(small_world, secret)}
    assert browser.post("/sign-in", data=typed, base_url=TLS, headers=elsewhere).status_code == 403
    cross = {"Sec-Fetch-Site": "cross-site"}
    assert browser.post("/sign-in", data=typed, base_url=TLS, headers=cross).status_code == 403
    sign_in(browser, small_world, secret)
    assert browser.post("/sign-out", base_url=TLS).status_code == 403
    assert browser.get("/console/password", base_url=TLS).status_code == 200
    token = token_on(browser.get("/console/password", base_url=TLS))
    stranger = browser.post("/sign-out", data={"csrf_token": token[::-1]}, base_url=TLS)
    assert stranger.status_code == 403
    assert browser.post("/sign-out", data={"csrf_token": token}, base_url=TLS).status_code == 303
    assert browser.get("/console/password", base_url=TLS).headers["Location"].startswith("/sign-in?next=")


def test_who_is_not_signed_in_is_led_to_the_form_and_back_and_never_elsewhere(
    small_world: World, app: Flask
) -> None:
    secret = set_up(small_world)
    led = browser_at(app).get("/console/password?lang=zh", base_url=TLS)
    assert led.headers["Location"] == "/sign-in?next=/console/password?lang%3Dzh"
    for address in (
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "javascript:1",
        "/api/v1/me",
    ):
        entered = sign_in(browser_at(app), small_world, secret, following=address)
        assert entered.headers["Location"] == "/console", address
    back = sign_in(browser_at(app), small_world, secret, following="/console/password")
    assert back.headers["Location"] == "/console/password"


def test_who_holds_several_accounts_chooses_before_anything_else(small_world: World, app: Flask) -> None:
    secret = set_up(small_world)
    operator = small_world.accounts["county_officer"].operator
    small_world.hire(
        "second", small_world.accounts["city_officer"].organisation, "city_officer", operator=operator
    )
    browser = browser_at(app)
    assert sign_in(browser, small_world, secret).headers["Location"] == "/console/account-choice"
    assert browser.get("/console/password", base_url=TLS).headers["Location"] == "/console/account-choice"
    choice = browser.get("/console/account-choice", base_url=TLS)
    assert "市残联工作人员" in choice.text
    assert "县（区）残联工作人员" in choice.text
    form = {"csrf_token": token_on(choice), "account": str(small_world.accounts["base_clerk"].id)}
    assert browser.post("/console/account-choice", data=form, base_url=TLS).status_code == 404
    form["account"] = str(small_world.accounts["second"].id)
    assert browser.post("/console/account-choice", data=form, base_url=TLS).headers["Location"] == "/console"
    assert browser.get("/console/password", base_url=TLS).status_code == 200


def test_a_changed_password_ends_the_other_sessions(small_world: World, app: Flask) -> None:
    secret = set_up(small_world)
    here, there = browser_at(app), browser_at(app)
    for browser in (here, there):
        sign_in(browser, small_world, secret)
    form = {
        "csrf_token": token_on(here.get("/console/password", base_url=TLS)),
        "old": "wrong",
        "password": "x",
    }
    refused = here.post("/console/password", data=form, base_url=TLS)
    assert refused.status_code == 422
    form |= {"old": PASSWORD, "password": "互助的土豆换了一口大铁锅"}
    assert here.post("/console/password", data=form, base_url=TLS).headers["Location"] == "/console"
    assert here.get("/console/password", base_url=TLS).status_code == 200
    assert there.get("/console/password", base_url=TLS).status_code == 303
    assert sign_in(browser_at(app), small_world, secret).status_code == 403


def test_the_cookie_opens_the_console_and_never_the_api(small_world: World, app: Flask) -> None:
    browser = browser_at(app)
    sign_in(browser, small_world, set_up(small_world))
    assert browser.get("/api/v1/me", base_url=TLS).status_code == 401


def test_a_session_that_was_idle_leads_to_the_form(small_world: World, app: Flask) -> None:
    browser = browser_at(app)
    sign_in(browser, small_world, set_up(small_world))
    small_world.now += timedelta(minutes=31)
    assert browser.get("/console/password", base_url=TLS).status_code == 303
    assert sessions.BrowserSession.select().count() == 1
