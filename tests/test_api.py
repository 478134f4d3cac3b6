"""The rules of the API: keys before everything, one declaration a route, problems instead of surprises."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from api import callers, limits
from api.demo_people import credit_code
from skills_registry import accounts
from skills_registry.certification import issuing
from skills_registry.training.classes import TrainingClass
from tests.world import World, application

FILING = {
    "title": "2025年保健按摩师五级班",
    "occupation": {"edition": "2015", "code": "4-10-04-02", "name": "保健按摩师"},
    "level": "level5_junior",
    "training_type": "employment_skills",
    "starts_on": "2025-03-03",
    "ends_on": "2025-04-11",
    "class_hours": 120,
    "capacity": 30,
}


@pytest.fixture
def client(small_world: World) -> Iterator[FlaskClient]:
    app = application(small_world)
    limits.limiter.reset()
    with app.test_client() as made:
        yield made


def bearer(world: World, name: str, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.key(name)}", **more}


def code_of(world: World) -> tuple[str, Any]:
    certificate = world.issued()[0]
    from certificates import token

    return token.encode(certificate.statement, certificate.signature), certificate


def test_every_operation_answers_401_before_it_looks_at_anything(client: FlaskClient) -> None:
    app = client.application
    asked = 0
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith(callers.API_PREFIX):
            continue
        path = rule.rule
        for argument in rule.arguments:
            path = path.replace(f"<{argument}>", "nonsense")
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            answer = client.open(path, method=method, data=b"\x00nonsense")
            assert (answer.status_code, answer.json["code"]) == (401, "unauthorized"), path
            asked += 1
    assert asked > 30


def test_every_route_says_which_roles_it_is_for(client: FlaskClient) -> None:
    assert callers.undeclared(client.application) == []


def test_an_expired_a_revoked_and_an_inactive_key_are_no_keys(
    client: FlaskClient, small_world: World
) -> None:
    def status(key: str) -> int:
        return client.get("/api/v1/classes", headers={"Authorization": f"Bearer {key}"}).status_code

    act, account = small_world.act("admin"), small_world.accounts["auditor"]
    expired, revoked, inactive = (accounts.issue_key(act, account, days=days) for days in (0, 9, 9))
    assert (status(expired), status(revoked), status(inactive)) == (401, 200, 200)
    accounts.revoke_key(act, revoked.split("_")[1])
    accounts.Account.update(status="closed").execute()
    assert (status(revoked), status(inactive)) == (401, 401)
    assert status("sr_zzzzzzzz_x") == status("nonsense") == status("") == 401


def test_a_role_that_a_route_is_not_for_is_refused_before_validation(
    client: FlaskClient, small_world: World
) -> None:
    answer = client.post(
        "/api/v1/classes", json={"nonsense": 1}, headers=bearer(small_world, "county_officer")
    )
    assert (answer.status_code, answer.json["code"]) == (403, "not_allowed")


def test_a_body_that_does_not_fit_names_every_field(client: FlaskClient, small_world: World) -> None:
    body = FILING | {"capacity": "many", "colour": "red", "id": "mine"}
    body.pop("title")
    answer = client.post("/api/v1/classes", json=body, headers=bearer(small_world, "base_clerk"))
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    told = {error["field"]: error["message"] for error in answer.json["errors"]}
    assert told == {
        "title": "必须填写。",
        "capacity": "应为整数。",
        "colour": "没有这个字段，请核对字段名。",
        "id": "没有这个字段，请核对字段名。",
    }
    english = client.post(
        "/api/v1/classes", json=body, headers=bearer(small_world, "base_clerk", **{"Accept-Language": "en"})
    )
    assert "Missing data for required field." in english.text


def test_foreign_records_answer_exactly_as_unknown_ones(client: FlaskClient, small_world: World) -> None:
    world = small_world
    training_class = world.filed_class()
    elsewhere = bearer(world, "other_county_officer")
    unknown = "01a203f0-acbc-767f-82bd-f38f1bb513ab"
    foreign = client.get(f"/api/v1/classes/{training_class.id}", headers=elsewhere)
    missing = client.get(f"/api/v1/classes/{unknown}", headers=elsewhere)
    nonsense = client.get("/api/v1/classes/nonsense", headers=elsewhere)
    assert foreign.status_code == missing.status_code == nonsense.status_code == 404
    assert foreign.json == missing.json == nonsense.json
    assert client.get("/api/v1/classes", headers=elsewhere).json["items"] == []
    assert client.post(f"/api/v1/classes/{training_class.id}/opening", headers=elsewhere).status_code == 404


def test_a_post_sent_twice_with_one_idempotency_key_is_done_once(
    client: FlaskClient, small_world: World
) -> None:
    headers = bearer(small_world, "base_clerk", **{"Idempotency-Key": "filing-1"})
    first = client.post("/api/v1/classes", json=FILING, headers=headers)
    second = client.post("/api/v1/classes", json=FILING, headers=headers)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json == second.json
    assert TrainingClass.select().count() == 1
    other = client.post("/api/v1/classes", json=FILING | {"capacity": 20}, headers=headers)
    assert (other.status_code, other.json["code"]) == (409, "idempotency_key_reused")


def test_a_refused_request_may_be_mended_and_sent_under_the_same_key(
    client: FlaskClient, small_world: World
) -> None:
    headers = bearer(small_world, "base_clerk", **{"Idempotency-Key": "filing-2"})
    refused = client.post("/api/v1/classes", json=FILING | {"starts_on": "2031-01-06"}, headers=headers)
    assert refused.status_code == 422
    assert client.post("/api/v1/classes", json=FILING, headers=headers).status_code == 201


def test_the_lists_page_by_cursor(client: FlaskClient, small_world: World) -> None:
    for number in range(3):
        small_world.filed_class(title=f"第{number}期")
    headers = bearer(small_world, "auditor")
    first = client.get("/api/v1/classes?limit=2", headers=headers).json
    second = client.get(f"/api/v1/classes?limit=2&after={first['next']}", headers=headers).json
    assert [c["title"] for c in first["items"] + second["items"]] == ["第0期", "第1期", "第2期"]
    assert second["next"] is None


def test_the_wrong_kind_of_file_gets_one_helpful_sentence(client: FlaskClient, small_world: World) -> None:
    training_class = small_world.open_class()
    answer = client.post(
        f"/api/v1/classes/{training_class.id}/roster",
        data={"file": (io.BytesIO(b"%PDF-1.7 nonsense"), "李晓东的名单.xlsx")},
        headers=bearer(small_world, "base_clerk"),
    )
    assert answer.status_code == 422
    assert "李晓东" not in answer.text
    assert answer.json["detail"].count("。") <= 2


def test_a_body_beyond_ten_megabytes_is_refused(client: FlaskClient, small_world: World) -> None:
    training_class = small_world.open_class()
    answer = client.post(
        f"/api/v1/classes/{training_class.id}/roster",
        data={"file": (io.BytesIO(b"x" * 11_000_000), "big.csv")},
        headers=bearer(small_world, "base_clerk"),
    )
    assert (answer.status_code, answer.json["code"]) == (413, "too_large")


def test_a_scanned_code_answers_200_with_its_verdict_whatever_it_is(
    client: FlaskClient, small_world: World
) -> None:
    code, certificate = code_of(small_world)
    forged = code[:-1] + ("1" if code[-1] != "1" else "2")
    verdicts = {}
    for name, text in (("good", code), ("forged", forged), ("short", code[:-1]), ("words", "hello")):
        answer = client.get(f"/v/{text}", headers={"Accept": "application/json"})
        assert answer.status_code == 200
        verdicts[name] = answer.json["verdict"]
    assert verdicts == {"good": "valid", "forged": "forged", "short": "unreadable", "words": "unreadable"}
    issuing.suspend(small_world.act("city_officer"), certificate, "核查")
    assert client.get(f"/v/{code}", headers={"Accept": "application/json"}).json["verdict"] == "suspended"


def test_the_public_page_shows_the_facts_and_nothing_else_about_the_person(
    client: FlaskClient, small_world: World
) -> None:
    code, certificate = code_of(small_world)
    page = client.get(f"/v/{code}")
    for fact in (
        "有效",
        "保健按摩师",
        "五级/初级工",
        "120",
        "乐都区晨曦职业培训学校",
        "李**",
        certificate.number,
    ):
        assert fact in page.text
    for secret in ("李晓东", "632127197610289953", "残疾", str(certificate.id)):
        assert secret not in page.text
    assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert page.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in page.headers


def test_a_name_is_checked_by_form_and_by_json(client: FlaskClient, small_world: World) -> None:
    code, _ = code_of(small_world)
    path = f"/v/{code}/name-check"
    assert client.post(path, json={"name": "李晓东"}).json == {"match": True}
    assert client.post(path, json={"name": "李"}).json == {"match": False}
    assert client.post(path, json={"name": ["李晓东"]}).json == {"match": False}
    assert client.post(path, data=b"\xff", content_type="application/json").status_code == 400
    assert client.post(path, data={"name": "李晓东"}).status_code == 200
    assert client.post("/v/1234/name-check", json={"name": "李晓东"}).json == {"match": False}


def test_names_cannot_be_guessed_in_bulk(client: FlaskClient, small_world: World) -> None:
    code, _ = code_of(small_world)
    answers = [client.post(f"/v/{code}/name-check", json={"name": "王"}).status_code for _ in range(11)]
    assert answers == [200] * 10 + [429]
    assert client.get(f"/v/{code}").status_code == 200


def test_a_number_and_a_name_open_the_page_or_say_no_match(client: FlaskClient, small_world: World) -> None:
    _, certificate = code_of(small_world)
    right = client.post("/verify", data={"number": certificate.number, "name": "李晓东"})
    assert "有效" in right.text
    wrong_name = client.post("/verify", data={"number": certificate.number, "name": "王晓东"})
    wrong_number = client.post("/verify", data={"number": "630200-2025-000999-0", "name": "李晓东"})
    assert wrong_name.status_code == wrong_number.status_code == 200
    assert "李晓东" not in wrong_name.text + wrong_number.text


def test_health_keys_and_documentation_need_no_key(client: FlaskClient, small_world: World) -> None:
    assert client.get("/healthz").json["status"] == "ok"
    assert client.get("/readyz").status_code == 200
    keys = client.get("/.well-known/skills-registry-keys.json").json["keys"]
    assert [key["id"] for key in keys] == [small_world.service.signer().key_id.hex()]
    assert client.get("/docs").status_code == 200
    assert client.get("/docs/swagger-ui-bundle.js").status_code == 200
    assert client.get("/docs/../../etc/passwd").status_code == 404


def test_the_openapi_document_names_every_operation_with_its_answers(client: FlaskClient) -> None:
    document = client.get("/openapi.json").json
    for path in (
        "/api/v1/bases",
        "/api/v1/bases/{base_id}/listing/confirmation",
        "/api/v1/classes/{class_id}/approval",
        "/api/v1/uploads/{upload_id}/refused.xlsx",
        "/api/v1/certificates/{number}/document",
        "/api/v1/certificates/{number}/reissue",
    ):
        assert path in document["paths"], path
    assert document["info"]["title"]


def test_a_class_is_drawn_as_pdf_with_a_neutral_file_name(client: FlaskClient, small_world: World) -> None:
    certificate = small_world.issued()[0]
    answer = client.get(
        f"/api/v1/certificates/{certificate.number}/document", headers=bearer(small_world, "base_clerk")
    )
    assert answer.data.startswith(b"%PDF")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{certificate.number}.pdf"'


def test_an_unforeseen_error_tells_nothing_but_that_it_happened(
    client: FlaskClient,
    small_world: World,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("李晓东")

    monkeypatch.setattr("skills_registry.training.classes.classes_of_bases", fail)
    answer = client.get("/api/v1/classes", headers=bearer(small_world, "auditor"))
    assert (answer.status_code, answer.json["code"]) == (500, "internal_error")
    assert "李晓东" not in answer.text + capsys.readouterr().out


def test_a_missing_signing_key_answers_503_with_the_remedy_and_changes_nothing(
    client: FlaskClient, small_world: World
) -> None:
    training_class = small_world.submitted_class()
    for file in Path(small_world.service.settings.keys_directory).iterdir():
        file.unlink()
    answer = client.post(
        f"/api/v1/classes/{training_class.id}/approval", headers=bearer(small_world, "city_officer")
    )
    assert answer.status_code == 503
    assert "skills-registry keys create" in json.loads(answer.data)["detail"]
    assert answer.headers["Retry-After"]
    assert TrainingClass.get_by_id(training_class.id).status == "submitted"


def test_the_log_says_what_was_asked_and_nothing_about_anybody(
    client: FlaskClient, small_world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    code, certificate = code_of(small_world)
    client.get(f"/v/{code}")
    client.post("/verify", data={"number": certificate.number, "name": "李晓东"})
    client.get(f"/api/v1/certificates/{certificate.number}", headers=bearer(small_world, "base_clerk"))
    told = capsys.readouterr()
    lines = told.out + told.err
    assert lines.count("request") >= 3
    for secret in ("李晓东", code, code[20:60], certificate.number, small_world.key("base_clerk")):
        assert secret not in lines


HOSTILE_BODIES = {
    "surrogate": b'{"name": "\\ud800", "title": "\\ud800"}',
    "nul": b'{"name": "a\\u0000b"}',
    "bidi": '{"name": "a\u202eb"}'.encode(),
    "surrogate key": b'{"\\ud800": 1}',
    "deep list": b"[" * 100_000,
    "deep object": b'{"a":' * 20_000,
    "huge number": b'{"capacity": ' + b"9" * 5_000 + b"}",
    "not json": b"{",
    "not utf-8": b'{"name": "\xff"}',
}


@pytest.mark.parametrize("kind", sorted(HOSTILE_BODIES))
def test_no_body_whatever_makes_the_service_stumble(
    client: FlaskClient, small_world: World, kind: str
) -> None:
    code, _ = code_of(small_world)
    json_type = {"Content-Type": "application/json"}
    for path, headers in (
        ("/api/v1/classes", bearer(small_world, "base_clerk")),
        ("/api/v1/bases", bearer(small_world, "city_officer")),
        (f"/v/{code}/name-check", {}),
        ("/verify", {}),
    ):
        answer = client.post(path, data=HOSTILE_BODIES[kind], headers=headers | json_type)
        assert answer.status_code in (400, 422), (path, answer.status_code)
    assert TrainingClass.select().count() == 1


def test_a_text_of_blanks_is_an_empty_text(client: FlaskClient, small_world: World) -> None:
    training_class = small_world.submitted_class()
    answer = client.post(
        f"/api/v1/classes/{training_class.id}/return",
        json={"reason": " \u3000 "},
        headers=bearer(small_world, "city_officer"),
    )
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "reason")
    titled = client.post(
        "/api/v1/classes", json=FILING | {"title": "  "}, headers=bearer(small_world, "base_clerk")
    )
    assert titled.status_code == 422


def test_a_body_of_another_kind_is_told_so(client: FlaskClient, small_world: World) -> None:
    answer = client.post(
        "/api/v1/classes",
        data=b"<class/>",
        headers=bearer(small_world, "base_clerk", **{"Content-Type": "text/xml"}),
    )
    assert (answer.status_code, answer.json["code"]) == (415, "unsupported_media_type")


def test_padding_a_number_gives_no_further_guesses(client: FlaskClient, small_world: World) -> None:
    _, certificate = code_of(small_world)
    answers = [
        client.post("/verify", json={"number": " " * blanks + certificate.number, "name": "王"}).status_code
        for blanks in range(90, 101)
    ]
    assert answers == [200] * 10 + [429]


@pytest.mark.parametrize(
    "papers",
    [
        [{"code": "theory", "name": "理论"}, {"code": "theory", "name": "口试"}],
        [{"code": "theory", "name": "理论"}, {"code": "oral", "name": "理论"}],
        [{"code": "who", "name": "姓名"}],
        [{"code": "citizen_id", "name": "理论"}],
        [{"code": "hours", "name": "理论"}],
        [],
    ],
)
def test_papers_that_no_sheet_could_hold_are_refused(
    client: FlaskClient, small_world: World, papers: list[dict[str, str]]
) -> None:
    body = FILING | {"papers": papers}
    answer = client.post("/api/v1/classes", json=body, headers=bearer(small_world, "base_clerk"))
    assert answer.status_code == 422, answer.text


def test_the_certificate_names_the_occupation_of_the_listing_and_no_other(
    client: FlaskClient, small_world: World
) -> None:
    body = FILING | {"occupation": FILING["occupation"] | {"name": "一级建造师"}}  # type: ignore[operator]
    answer = client.post("/api/v1/classes", json=body, headers=bearer(small_world, "base_clerk"))
    assert (answer.status_code, answer.json["code"]) == (409, "occupation_out_of_scope")
    assert "保健按摩师" in answer.json["detail"]


def test_a_course_title_that_cannot_be_printed_is_told_at_the_filing(
    client: FlaskClient, small_world: World
) -> None:
    body = FILING | {"occupation": None, "level": None, "training_type": "practical_technology"}
    answer = client.post(
        "/api/v1/classes",
        json=body | {"course_title": "养殖\U0001f404"},
        headers=bearer(small_world, "base_clerk"),
    )
    assert (answer.status_code, answer.json["code"]) == (409, "undrawable")
    assert "U+1F404" in answer.json["detail"]


def test_what_was_doubtful_at_the_filing_is_told_to_the_officer_who_decides(
    client: FlaskClient, small_world: World
) -> None:
    filed = client.post(
        "/api/v1/classes", json=FILING | {"capacity": 90}, headers=bearer(small_world, "base_clerk")
    ).json
    seen = client.get(f"/api/v1/classes/{filed['id']}", headers=bearer(small_world, "county_officer")).json
    assert [warning["code"] for warning in seen["warnings"]] == ["class_size"]


def test_a_listing_entered_by_mistake_is_taken_back_and_entered_again(
    client: FlaskClient, small_world: World
) -> None:
    headers = bearer(small_world, "city_officer")
    base = client.post(
        "/api/v1/bases",
        json={
            "name": "乐都区新苗学校",
            "uscc": credit_code("630202", 77),
            "kind": "training",
            "division_code": "630202",
        },
        headers=headers,
    ).json
    trade = {"edition": "2015", "code": "4-10-04-02", "name": "保健按摩师", "highest_level": "level5_junior"}
    listing = {
        "plaque_number": "纸-7",
        "valid_from": "2025-01-01",
        "valid_until": "2025-12-31",
        "basis": "文件",
        "scope": [trade],
    }
    path = f"/api/v1/bases/{base['id']}/listing"
    assert client.post(path, json=listing, headers=headers).status_code == 201
    taken = client.post(path, json=listing | {"valid_from": "2024-01-01"}, headers=headers)
    assert taken.status_code == 409
    reason = {"reason": "日期录错"}
    assert client.post(f"{path}/withdrawal", json=reason, headers=headers).json["listings"] == []
    assert client.post(path, json=listing, headers=headers).status_code == 201
    twice = client.post(
        path, json=listing | {"plaque_number": "纸-8", "scope": [trade, trade]}, headers=headers
    )
    assert twice.status_code in (409, 422)


def test_a_query_word_that_an_operation_does_not_know_is_named(
    small_world: World, client: FlaskClient
) -> None:
    headers = bearer(small_world, "base_clerk")
    refused = client.get("/api/v1/classes?statuss=open", headers=headers)
    assert refused.status_code == 422
    assert refused.json["errors"] == [{"field": "statuss", "message": "没有这个字段，请核对字段名。"}]
    assert client.get("/api/v1/classes?status=open&lang=en", headers=headers).status_code == 200
    assert client.get(f"/api/v1/bases/{small_world.base.id}?status=x", headers=headers).status_code == 422


def test_every_page_and_every_answer_is_sent_with_its_headers_and_kept_by_no_cache(
    small_world: World, client: FlaskClient
) -> None:
    kept = {"health.published_keys", "docs.viewer_file", "static"}
    headers, seen = bearer(small_world, "city_officer"), 0
    for rule in client.application.url_map.iter_rules():
        if "GET" not in rule.methods or rule.arguments or rule.endpoint in kept:
            continue
        answer = client.get(rule.rule, headers=headers)
        assert answer.headers["Cache-Control"] == "no-store", rule.rule
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy, rule.rule
        assert "frame-ancestors 'none'" in policy, rule.rule
        assert "script-src" not in policy or rule.endpoint.startswith("docs."), rule.rule
        assert answer.headers["X-Content-Type-Options"] == "nosniff", rule.rule
        seen += 1
    assert seen > 40
