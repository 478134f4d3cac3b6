"""Ways round the rules that an insider would try, each of them closed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api import callers, idempotency, limits
from api.demo import sign_in as demo
from skills_registry import accounts
from skills_registry.accounts import Account, credentials, register_organisation, sessions
from skills_registry.accounts.credentials import PersonElsewhere
from skills_registry.foundation import tampering
from skills_registry.foundation.audit import AuditEntry
from skills_registry.foundation.errors import FieldRefused, SeparationOfDuties
from skills_registry.foundation.lifecycle import Step
from skills_registry.foundation.storage import database
from skills_registry.training.enrolments import Enrolment
from tests.test_accounts import PASSWORD, code_at, opened, set_up
from tests.test_api import bearer
from tests.test_sign_in import TLS, sign_in
from tests.world import World, application


@pytest.fixture
def app(small_world: World) -> Iterator[Flask]:
    made = application(small_world)
    limits.limiter.reset()
    yield made
    limits.limiter.reset()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def test_an_address_that_is_none_is_led_nowhere_and_upsets_nothing(client: FlaskClient) -> None:
    for broken in ("//[", "http://[", "https://evil.example/console", "/\\evil.example"):
        page = client.get("/sign-in", query_string={"next": broken}, base_url=TLS)
        assert page.status_code == 200
        assert 'name="next" value="/console"' in page.text
        sent = client.post("/sign-in", data={"login": "wang"}, headers={"Origin": broken}, base_url=TLS)
        assert sent.status_code == 403


def test_a_word_in_the_place_of_the_method_is_kept_nowhere(
    client: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    client.open("/nothing", method="WANGXIAOMING", base_url=TLS)
    figures = client.get("/metrics", base_url="http://127.0.0.1").text
    assert 'method="other"' in figures
    told = capsys.readouterr()
    assert "WANGXIAOMING" not in figures + told.out + told.err


def test_a_commit_that_is_refused_is_answered_as_such_under_an_idempotency_key_too(
    small_world: World, client: FlaskClient
) -> None:
    training_class = small_world.submitted_class()
    mark = small_world.service.settings.numbers_file
    in_the_way = mark.with_name(f".{mark.name}.new")
    in_the_way.unlink(missing_ok=True)
    in_the_way.mkdir()
    headers = bearer(small_world, "city_officer", **{"Idempotency-Key": "one"})
    where = f"/api/v1/classes/{training_class.id}/approval"
    refused = client.post(where, headers=headers)
    assert (refused.status_code, refused.json["code"]) == (503, "mark_unusable")
    assert (refused.headers["Cache-Control"], refused.headers["Retry-After"]) == ("no-store", "5")
    in_the_way.rmdir()
    again = client.post(where, headers=headers)
    assert again.json["certificates"][0].startswith("630200-2025-000001-")
    assert client.post(where, headers=headers).json == again.json


def test_a_whole_number_is_logged_each_time_whatever_key_is_sent(
    small_world: World, client: FlaskClient
) -> None:
    small_world.submitted_class()
    person = Enrolment.select().first().person
    headers = bearer(small_world, "county_officer", **{"Idempotency-Key": "one"})
    whole = {"reason": "核对身份证", "for_person": True}
    asked = {"reveal": {"reason": "核对身份证"}, "file": whole, "file.pdf": whole}
    for door, body in [*asked.items(), *asked.items()]:
        answer = client.post(f"/api/v1/people/{person.id}/{door}", json=body, headers=headers)
        assert answer.status_code == 200
    assert Step.select().where(Step.noun == "citizen_id").count() == 6


def test_every_reading_that_keeps_no_answer_is_an_endpoint(app: Flask) -> None:
    assert app.view_functions.keys() >= idempotency.READINGS


def found() -> list[tuple[str, str]]:
    return [(broken.table, broken.row) for broken in tampering.findings(database.journal)]


def test_an_old_entry_put_in_once_more_turns_no_row_back(small_world: World) -> None:
    training_class = small_world.filed_class()
    database.execute_sql("DROP INDEX audit_entry_entry")
    born = AuditEntry.select().where(AuditEntry.writes.contains("training_class")).first()
    names = [name for name in AuditEntry._meta.columns if name not in ("id", "position", "digest")]
    listed = ", ".join(names)
    database.execute_sql(
        f"INSERT INTO audit_entry ({listed}) SELECT {listed} FROM audit_entry WHERE id = ?",  # noqa: S608
        (born.id,),
    )
    assert training_class.status == "filed"
    assert [table for table, _ in found()] == ["audit_entry"]


def test_a_trigger_that_would_write_before_the_seal_is_named(small_world: World) -> None:
    database.execute_sql(
        "CREATE TRIGGER kind_hand AFTER INSERT ON step BEGIN UPDATE step SET reason = '' WHERE id = NEW.id; END"
    )
    assert found() == [("trigger", "kind_hand")]


def test_a_console_page_without_a_declaration_stops_the_start() -> None:
    app = Flask("bare")
    app.add_url_rule("/console/back-door", "back_door", lambda: "")
    assert callers.undeclared(app) == ["back_door"]


def test_the_audit_tells_where_somebody_signed_in(small_world: World, app: Flask) -> None:
    secret = set_up(small_world)
    browser = app.test_client()
    browser.environ_base["REMOTE_ADDR"] = "10.1.2.3"
    assert sign_in(browser, small_world, secret).status_code == 303
    entry = AuditEntry.select().where(AuditEntry.action == "sign_in").get()
    assert (entry.origin, entry.record_id) == ("10.1.2.3", small_world.accounts["county_officer"].operator_id)


def taken_over(world: World, name: str, login: str) -> Account:
    """The administrator invites the holder of an account, and takes the invitation themselves."""
    text = credentials.invite(world.act("admin"), world.accounts[name])
    invitation = credentials.require_invitation(world.act("admin"), text)
    code = code_at(world, credentials.factor_of(world.service.vault, invitation))
    credentials.accept(world.act("admin"), invitation, login=login, password=PASSWORD, code=code)
    return Account.get_by_id(world.accounts[name].id)


def test_who_sends_an_invitation_and_takes_it_themselves_becomes_no_officer(small_world: World) -> None:
    officer = small_world.accounts["city_officer"]
    key = accounts.issue_key(small_world.act("city_officer"), officer, days=3)
    waiting = taken_over(small_world, "city_officer", "stolen")
    assert (waiting.status, sessions.accounts_of(waiting.operator)) == ("pending", [])
    assert accounts.caller_for(key, small_world.now) is None
    small_world.hire("second_admin", small_world.accounts["admin"].organisation, "admin")
    # That somebody else sends another one meanwhile does not make the first sender a second person.
    credentials.invite(small_world.act("second_admin"), officer)
    with pytest.raises(SeparationOfDuties):
        accounts.confirm_account(small_world.act("admin"), waiting)
    assert accounts.confirm_account(small_world.act("second_city_officer"), waiting).status == "active"


def test_an_administrator_taken_over_by_another_confirms_nothing(small_world: World) -> None:
    small_world.hire("second_admin", small_world.accounts["admin"].organisation, "admin")
    assert taken_over(small_world, "second_admin", "stolen").status == "pending"
    assert taken_over(small_world, "base_clerk", "jidi").status == "active"


def test_a_county_administers_nobody_who_works_elsewhere_too(small_world: World, client: FlaskClient) -> None:
    county = small_world.accounts["county_officer"].organisation
    small_world.hire("county_admin", county, "admin")
    victim = small_world.accounts["city_officer"].operator
    base = {"name": "某培训学校", "kind": "base", "division_code": "630202"}
    body = {"operator_id": str(victim.id), "organisation": base, "role": "base_clerk"}
    headers = bearer(small_world, "county_admin")
    foreign = client.post("/api/v1/accounts", json=body, headers=headers)
    unknown = client.post("/api/v1/accounts", json=body | {"operator_id": str(county.id)}, headers=headers)
    assert (foreign.status_code, foreign.json) == (404, unknown.json)
    place = register_organisation("某培训学校", "base", "630202")
    account = small_world.hire("beside", place, "base_clerk", operator=victim)
    with pytest.raises(PersonElsewhere):
        credentials.invite(small_world.act("county_admin"), account)
    assert credentials.invite(small_world.act("admin"), account)


def test_a_city_officer_works_for_a_city(small_world: World) -> None:
    with pytest.raises(FieldRefused):
        opened(small_world, "甲", "city_officer", "county_officer")


def test_the_demonstration_opens_its_accounts_as_the_registrys_own_console(small_world: World) -> None:
    holders = {role: small_world.accounts[role] for role in demo.LOGINS.values()}
    demo.set_up(small_world.act("admin"), holders)
    assert {Account.get_by_id(account.id).status for account in holders.values()} == {"active"}
