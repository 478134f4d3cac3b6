"""The OpenAPI document tells every way in which an operation may answer, and nothing that fits anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from api.problems import HTTP_SENTENCES
from tests.world import World, application

#: What no declared operation answers: another method than its own, and what we never mean to say.
NOT_OF_AN_OPERATION = {405, 500}


@pytest.fixture
def client(small_world: World) -> FlaskClient:
    return application(small_world).test_client()


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    told: dict[str, Any] = client.get("/openapi.json").json
    return told


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method != "parameters":
                yield method, path, operation


def test_every_refusal_of_every_operation_is_a_problem_document(document: dict[str, Any]) -> None:
    asked = 0
    for method, path, operation in operations(document):
        responses = operation["responses"]
        assert {"400", "401", "403", "422", "429", "503", "507"} <= set(responses), (method, path)
        assert {"404", "409"} <= set(responses) or "{" not in path, (method, path)
        assert {"409", "413", "415"} <= set(responses) or method == "get", (method, path)
        assert {"412", "428"} <= set(responses) or method not in ("put", "patch"), (method, path)
        for status, answer in responses.items():
            if not status.startswith("2"):
                assert answer == {"$ref": f"#/components/responses/Refused{status}"}, (method, path)
                asked += 1
    assert asked > 1000
    for name, refusal in document["components"]["responses"].items():
        assert list(refusal["content"]) == ["application/problem+json"], name


def test_no_operation_has_an_answer_under_which_anything_would_fit(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        assert "default" not in operation["responses"], (method, path)
        assert any(status.startswith("2") for status in operation["responses"]), (method, path)


def test_every_status_that_we_have_a_sentence_for_is_told_somewhere(document: dict[str, Any]) -> None:
    told = {int(status) for _, _, o in operations(document) for status in o["responses"] if status[0] != "2"}
    assert told == set(HTTP_SENTENCES) - NOT_OF_AN_OPERATION


def test_what_is_written_anew_names_its_version_and_what_is_sent_may_be_sent_again(
    document: dict[str, Any],
) -> None:
    for method, path, operation in operations(document):
        headers = {p["name"]: p["required"] for p in operation.get("parameters", ()) if p["in"] == "header"}
        expected = {
            "post": {"Idempotency-Key": False},
            "put": {"If-Match": True},
            "patch": {"If-Match": True},
        }
        assert headers == expected.get(method, {}), (method, path)


def test_a_refusal_is_what_the_document_says(client: FlaskClient, document: dict[str, Any]) -> None:
    refused = client.get("/api/v1/classes")
    told = document["components"]["responses"][f"Refused{refused.status_code}"]
    assert refused.content_type in told["content"]
    assert set(told["headers"]) <= set(refused.headers.keys())
    problem = document["components"]["schemas"]["Problem"]
    assert set(problem["required"]) <= set(refused.json) <= set(problem["properties"])


def test_every_whole_number_that_is_asked_with_has_its_bounds(document: dict[str, Any]) -> None:
    """A number beyond what a database holds would be asked of it otherwise."""
    found = 0
    for method, path, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            if "integer" in str(parameter["schema"].get("type")):
                assert {"minimum", "maximum"} <= set(parameter["schema"]), (method, path, parameter["name"])
                found += 1
    assert found > 20
