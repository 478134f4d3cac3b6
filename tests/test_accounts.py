"""Accounts: who opens them, who confirms them, whose keys are whose, and how a person shows that it is them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import product

import pyotp
import pytest
from flask.testing import FlaskClient

from api import limits
from skills_registry import accounts
from skills_registry.accounts import ACCOUNT, Account, Operator, credentials, keys, sessions
from skills_registry.accounts.credentials import (
    CodeWrong,
    Credential,
    Invitation,
    InvitationOver,
    LoginTaken,
    PasswordWeak,
    RecoveryCode,
    SignInRefused,
)
from skills_registry.accounts.register import DecidesAndAdministers
from skills_registry.foundation.acts import Caller, Role
from skills_registry.foundation.errors import NotAllowed, NotFound, SeparationOfDuties, WrongState
from tests.test_api import bearer
from tests.world import TODAY, World, application

PASSWORD = "青海湖边的骆驼从不吃苹果"


@pytest.fixture
def client(small_world: World) -> Iterator[FlaskClient]:
    app = application(small_world)
    limits.limiter.reset()
    with app.test_client() as made:
        yield made


def opened(world: World, label: str, role: Role, organisation: str) -> Account:
    where = world.accounts[organisation].organisation
    return accounts.open_account(world.act("admin"), Operator.create(label=label), where, role)


def code_at(world: World, secret: str) -> str:
    return pyotp.TOTP(secret).at(world.now)


def set_up(world: World, name: str = "county_officer", login: str = "wang", password: str = PASSWORD) -> str:
    """An account's person takes an invitation that the registry's own console sent; returns the factor's secret."""
    own_console = replace(world.act("admin"), by=Caller(role="admin"))
    text = credentials.invite(own_console, world.accounts[name])
    invitation = credentials.require_invitation(world.act("admin"), text)
    secret = credentials.factor_of(world.service.vault, invitation)
    credentials.accept(
        world.act("admin"), invitation, login=login, password=password, code=code_at(world, secret)
    )
    world.now += timedelta(seconds=30)
    return secret


def test_a_federation_account_waits_for_a_second_person_and_a_clerks_does_not(world: World) -> None:
    officer = opened(world, "新来的", "county_officer", "county_officer")
    clerk = opened(world, "新经办人", "base_clerk", "base_clerk")
    assert (officer.status, clerk.status) == ("pending", "active")
    with pytest.raises(SeparationOfDuties):
        accounts.confirm_account(world.act("admin"), officer)
    assert accounts.confirm_account(world.act("city_officer"), officer).status == "active"


def test_nobody_opens_confirms_or_closes_an_account_of_their_own(world: World) -> None:
    admin = world.accounts["admin"]
    with pytest.raises(SeparationOfDuties):
        accounts.open_account(world.act("admin"), admin.operator, admin.organisation, "auditor")
    with pytest.raises(SeparationOfDuties):
        accounts.close_account(world.act("admin"), admin, "退休")
    officer = opened(world, "甲", "city_officer", "city_officer")
    world.accounts["jia"] = officer
    with pytest.raises(SeparationOfDuties):
        accounts.confirm_account(world.act("jia"), officer)


@pytest.mark.parametrize("role", ["county_officer", "city_officer", "expert"])
def test_who_administers_accounts_decides_nothing_and_the_reverse(small_world: World, role: Role) -> None:
    place = small_world.accounts["city_officer"].organisation
    with pytest.raises(DecidesAndAdministers):
        accounts.register_account(
            small_world.act("auditor"), small_world.accounts["admin"].operator, place, role
        )
    officer = Operator.create(label="乙")
    accounts.register_account(small_world.act("auditor"), officer, place, role)
    with pytest.raises(DecidesAndAdministers):
        accounts.register_account(small_world.act("auditor"), officer, place, "admin")


def test_only_the_table_moves_an_account(small_world: World) -> None:
    place = small_world.accounts["county_officer"].organisation
    verbs = {"confirm": accounts.confirm_account, "close": partial(accounts.close_account, reason="理由")}
    moved = 0
    for state, (action, verb), by in product(
        ACCOUNT.states, verbs.items(), ("base_clerk", "city_officer", "auditor", "admin")
    ):
        account = Account.create(
            operator=Operator.create(label="丙"),
            organisation=place,
            role="expert",
            status=state,
            created_at=TODAY,
        )
        move = ACCOUNT.find(action, state)
        if move and small_world.accounts[by].role in move.roles:
            assert verb(small_world.act(by), account).status == move.to
            moved += 1
            continue
        with pytest.raises((WrongState, NotAllowed)):
            verb(small_world.act(by), account)
        assert Account.get_by_id(account.id).status == state
    assert moved == 6


def test_a_closed_account_has_no_key_and_no_session_that_works(world: World) -> None:
    account = world.accounts["second_clerk"]
    key = world.key("second_clerk")
    text, _ = sessions.open_session(world.act("second_clerk"), account.operator)
    assert accounts.caller_for(key, world.now) is not None
    accounts.close_account(world.act("admin"), account, "离职")
    assert accounts.caller_for(key, world.now) is None
    assert sessions.session_for(text, world.service.policy, world.now) is None


def test_a_key_is_rotated_without_a_gap(world: World) -> None:
    old = world.key("base_clerk")
    found = keys.find_key(old.split("_")[1])
    assert found is not None
    new = accounts.rotate_key(world.act("base_clerk"), found, overlap_hours=24)
    day = timedelta(days=1)
    assert [accounts.caller_for(k, world.now) is not None for k in (old, new)] == [True, True]
    assert [accounts.caller_for(k, world.now + day) is not None for k in (old, new)] == [False, True]


def test_a_key_for_reading_changes_nothing(small_world: World, client: FlaskClient) -> None:
    account = small_world.accounts["base_clerk"]
    key = accounts.issue_key(small_world.act("admin"), account, days=1, read_only=True)
    headers = {"Authorization": f"Bearer {key}"}
    assert client.get("/api/v1/classes", headers=headers).status_code == 200
    refused = client.post("/api/v1/classes", json={}, headers=headers)
    assert (refused.status_code, refused.json["code"]) == (403, "key_only_reads")


def test_nobody_else_is_given_the_key_of_who_decides_or_reads_for_the_federation(
    small_world: World, client: FlaskClient
) -> None:
    headers = bearer(small_world, "admin")
    for name, status in (
        ("county_officer", 403),
        ("city_officer", 403),
        ("base_clerk", 201),
        ("auditor", 403),
    ):
        path = f"/api/v1/accounts/{small_world.accounts[name].id}/keys"
        assert client.post(path, json={}, headers=headers).status_code == status, name


def test_the_last_use_of_a_key_is_shown_and_never_the_key(small_world: World, client: FlaskClient) -> None:
    headers = bearer(small_world, "base_clerk")
    shown = client.get("/api/v1/me", headers=headers).json
    assert shown["keys"][0]["prefix"] in headers["Authorization"]
    assert shown["keys"][0]["last_used_at"].startswith("2025-02-10")
    assert headers["Authorization"].split("_")[-1] not in client.get("/api/v1/me", headers=headers).text


def test_an_account_is_opened_confirmed_invited_and_closed_over_http(
    small_world: World, client: FlaskClient
) -> None:
    admin, city = bearer(small_world, "admin"), bearer(small_world, "city_officer")
    place = str(small_world.accounts["county_officer"].organisation_id)
    body = {"operator": "星梅", "organisation_id": place, "role": "county_officer"}
    made = client.post("/api/v1/accounts", json=body, headers=admin)
    assert (made.status_code, made.json["status"]) == (201, "pending")
    path = f"/api/v1/accounts/{made.json['id']}"
    assert client.post(f"{path}/invitation", headers=admin).status_code == 409
    assert client.post(f"{path}/confirmation", headers=admin).json["code"] == "separation_of_duties"
    assert client.post(f"{path}/confirmation", headers=city).json["status"] == "active"
    link = client.post(f"{path}/invitation", headers=admin).json["link"]
    assert link.startswith("https://skills.haidong.example/sign-in/invitation/")
    again = client.post("/api/v1/accounts", json=body, headers=admin)
    assert (again.status_code, again.json["code"]) == (409, "operator_known")
    assert client.post(f"{path}/closure", json={"reason": "调离"}, headers=city).json["status"] == "closed"
    foreign = body | {
        "organisation_id": None,
        "organisation": {"name": "x", "kind": "federation", "division_code": "630100"},
    }
    refused = client.post("/api/v1/accounts", json=foreign | {"another_person": True}, headers=admin)
    assert refused.status_code == 422


# ---------------------------------------------------------------- credentials


def test_a_person_signs_in_with_name_password_and_code(small_world: World) -> None:
    secret = set_up(small_world)
    operator = credentials.sign_in(
        small_world.act("admin"), " Ｗang ", PASSWORD, code_at(small_world, secret)
    )
    assert operator == small_world.accounts["county_officer"].operator


@pytest.mark.parametrize("wrong", ["login", "password", "code", "nobody"])
def test_a_wrong_part_is_refused_alike(small_world: World, wrong: str) -> None:
    secret = set_up(small_world)
    told = {"login": "wang", "password": PASSWORD, "code": code_at(small_world, secret)}
    told |= {"login": {"login": "li"}, "nobody": {"login": ""}}.get(wrong, {})
    told |= {"password": {"password": PASSWORD + "！"}, "code": {"code": "000000"}}.get(wrong, {})
    with pytest.raises(SignInRefused) as refused:
        credentials.sign_in(small_world.act("admin"), told["login"], told["password"], told["code"])
    assert refused.value.facts == {}


def test_a_code_is_good_once_and_for_its_time(small_world: World) -> None:
    secret = set_up(small_world)
    code = code_at(small_world, secret)
    credentials.sign_in(small_world.act("admin"), "wang", PASSWORD, code)
    with pytest.raises(SignInRefused):
        credentials.sign_in(small_world.act("admin"), "wang", PASSWORD, code)
    small_world.now += timedelta(minutes=5)
    with pytest.raises(SignInRefused):
        credentials.sign_in(small_world.act("admin"), "wang", PASSWORD, code)


def test_a_recovery_code_stands_in_once(small_world: World) -> None:
    text = credentials.invite(small_world.act("admin"), small_world.accounts["county_officer"])
    invitation = credentials.require_invitation(small_world.act("admin"), text)
    secret = credentials.factor_of(small_world.service.vault, invitation)
    codes = credentials.accept(
        small_world.act("admin"),
        invitation,
        login="wang",
        password=PASSWORD,
        code=code_at(small_world, secret),
    )
    assert len(set(codes)) == 10
    credentials.sign_in(small_world.act("admin"), "wang", PASSWORD, codes[3].upper())
    with pytest.raises(SignInRefused):
        credentials.sign_in(small_world.act("admin"), "wang", PASSWORD, codes[3])
    assert credentials.recovery_codes_left(small_world.accounts["county_officer"].operator) == 9


def test_an_invitation_is_good_once_for_three_days_and_the_last_one_counts(small_world: World) -> None:
    account = small_world.accounts["county_officer"]
    first = credentials.invite(small_world.act("admin"), account)
    second = credentials.invite(small_world.act("admin"), account)
    with pytest.raises(InvitationOver):
        credentials.require_invitation(small_world.act("admin"), first)
    small_world.now += timedelta(days=3)
    with pytest.raises(InvitationOver):
        credentials.require_invitation(small_world.act("admin"), second)
    with pytest.raises(InvitationOver):
        credentials.require_invitation(small_world.act("admin"), "")


def test_setting_up_again_ends_every_session_and_the_old_password(small_world: World) -> None:
    secret = set_up(small_world)
    operator = small_world.accounts["county_officer"].operator
    text, _ = sessions.open_session(small_world.act("county_officer"), operator)
    fresh = set_up(small_world, password="互助的土豆换了一口大铁锅")
    assert sessions.session_for(text, small_world.service.policy, small_world.now) is None
    with pytest.raises(SignInRefused):
        credentials.sign_in(small_world.act("admin"), "wang", PASSWORD, code_at(small_world, secret))
    credentials.sign_in(
        small_world.act("admin"), "wang", "互助的土豆换了一口大铁锅", code_at(small_world, fresh)
    )


def test_a_password_that_is_easily_guessed_is_refused_and_nothing_is_used_up(small_world: World) -> None:
    text = credentials.invite(small_world.act("admin"), small_world.accounts["county_officer"])
    invitation = credentials.require_invitation(small_world.act("admin"), text)
    code = code_at(small_world, credentials.factor_of(small_world.service.vault, invitation))
    weak = (
        "short",
        "123456789012",
        "qwertyuiopas",
        "a" * 15,
        "wang20250210wang",
        "county_officer!",
        "x" * 200,
    )
    for password in weak:
        with pytest.raises(PasswordWeak):
            credentials.accept(
                small_world.act("admin"), invitation, login="wang", password=password, code=code
            )
    credentials.accept(small_world.act("admin"), invitation, login="wang", password=PASSWORD, code=code)


def test_a_name_that_is_taken_or_a_wrong_code_uses_nothing_up(small_world: World) -> None:
    set_up(small_world)
    text = credentials.invite(small_world.act("admin"), small_world.accounts["city_officer"])
    invitation = credentials.require_invitation(small_world.act("admin"), text)
    code = code_at(small_world, credentials.factor_of(small_world.service.vault, invitation))
    with pytest.raises(CodeWrong):
        credentials.accept(small_world.act("admin"), invitation, login="li", password=PASSWORD, code="1")
    for login in ("WANG", "a b", "x", ""):
        with pytest.raises(LoginTaken):
            credentials.accept(
                small_world.act("admin"), invitation, login=login, password=PASSWORD, code=code
            )
    credentials.accept(small_world.act("admin"), invitation, login="li", password=PASSWORD, code=code)


def test_neither_password_nor_secret_nor_code_lies_open_in_the_database(small_world: World) -> None:
    secret = set_up(small_world)
    stored = repr(
        [
            list(table.select().dicts())
            for table in (Credential, Invitation, RecoveryCode, sessions.BrowserSession, keys.ApiKey)
        ]
    )
    assert PASSWORD not in stored
    assert secret not in stored
    assert "$argon2id$" in stored


# ---------------------------------------------------------------- sessions


def test_a_session_ends_idle_absolutely_and_at_sign_out(small_world: World) -> None:
    operator, policy = small_world.accounts["county_officer"].operator, small_world.service.policy
    start = small_world.now
    text, _ = sessions.open_session(small_world.act("county_officer"), operator)
    assert sessions.session_for(text, policy, start + timedelta(minutes=29)) is not None
    assert sessions.session_for(text, policy, start + timedelta(minutes=58)) is not None, "use prolongs it"
    assert sessions.session_for(text, policy, start + timedelta(minutes=88)) is None
    text, session = sessions.open_session(small_world.act("county_officer"), operator)
    for minutes in range(0, 8 * 60, 20):
        assert sessions.session_for(text, policy, start + timedelta(minutes=minutes)) is not None
    assert sessions.session_for(text, policy, start + timedelta(hours=8)) is None
    sessions.end_session(small_world.act("county_officer"), session)
    assert sessions.session_for(text, policy, start) is None


def test_a_person_with_several_accounts_chooses_and_one_with_one_does_not(small_world: World) -> None:
    operator = small_world.accounts["county_officer"].operator
    assert sessions.open_session(small_world.act("county_officer"), operator)[1].account_id is not None
    small_world.hire(
        "two", small_world.accounts["city_officer"].organisation, "city_officer", operator=operator
    )
    assert sessions.open_session(small_world.act("county_officer"), operator)[1].account_id is None


def test_an_unknown_key_prefix_is_not_found(small_world: World, client: FlaskClient) -> None:
    path = f"/api/v1/accounts/{small_world.accounts['base_clerk'].id}/keys/nothing/revocation"
    assert client.post(path, headers=bearer(small_world, "admin")).status_code == 404
    revoked = small_world.key("second_clerk").split("_")[1]
    accounts.revoke_key(small_world.act("admin"), revoked)
    found = keys.find_key(revoked)
    assert found is not None
    with pytest.raises(NotFound):
        accounts.rotate_key(small_world.act("admin"), found, overlap_hours=1)
