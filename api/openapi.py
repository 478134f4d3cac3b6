"""What the OpenAPI document says of every operation alike: how it may refuse, and which headers it takes.

Rooms declare what an operation answers when it goes well. Everything else is the same everywhere and is
told here once: each refusal is a problem document (``api/problems.py``), each POST takes an
``Idempotency-Key``, each PUT and PATCH wants ``If-Match``. No operation has an answer "default", under
which anything would fit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from apispec import APISpec, BasePlugin
from flask import Flask
from flask_smorest import Api
from marshmallow import fields, validate

from api.problems import HTTP_SENTENCES

_EVERYWHERE = (400, 401, 403, 422, 429, 503, 507)
#: Reading too may be refused for what is on record: a sheet of a class that nobody is enrolled in.
_OF_A_RECORD = (404, 409)
_OF_A_BODY = (404, 409, 413, 415)
_OF_A_VERSION = (412, 428)

_RETRIED = (429, 503, 507)

_PROBLEM = {
    "type": "object",
    "description": "RFC 9457; `code` is stable, the sentences follow Accept-Language.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "errors": {
            "type": "array",
            "description": "提交内容中不符合要求的字段 (fields of the body or query that do not fit)",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
        "rows": {
            "type": "array",
            "description": "逐行的问题 (what is wrong, row by row)",
            "items": {
                "type": "object",
                "required": ["row", "code", "message"],
                "properties": {
                    "row": {"type": "integer"},
                    "field": {"type": ["string", "null"]},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
    },
}

_IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "schema": {"type": "string", "maxLength": 200},
    "description": "重发同一请求时带同一个值，只办理一次 (sent twice with the same key, it is done once)",
}

_IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "required": True,
    "schema": {"type": "string"},
    "description": "读取时得到的 ETag (the ETag that was read)",
}


class RegistryApi(Api):  # type: ignore[misc]  # flask-smorest has no types
    """flask-smorest's, with every refusal of ours in its document and none of its own."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def __init__(self, app: Flask) -> None:
        super().__init__(app, spec_kwargs={"extra_plugins": (Refusals(),)})
        self.ma_plugin.converter.add_attribute_function(of_decimal)


def of_decimal(_converter: Any, field: fields.Field[Any], **_more: Any) -> dict[str, Any]:
    """A decimal is sent as a number or as text, and answered as text; its bounds are numbers."""
    if not isinstance(field, fields.Decimal):
        return {}
    bounds = {
        word: float(bound)
        for check in field.validators
        if isinstance(check, validate.Range)
        for word, bound in (("minimum", check.min), ("maximum", check.max))
        if bound is not None
    }
    if not field.as_string:
        return bounds
    kinds = ["string", "number", *(["null"] if field.allow_none else [])]
    return {"type": kinds, "pattern": r"^-?[0-9]{1,9}(\.[0-9]{1,4})?$", **bounds}


class Refusals(BasePlugin):
    """Adds to each operation the refusals and headers that all of its kind share."""

    def init_spec(self, spec: APISpec) -> None:
        """Name the problem document and each refusal once."""
        spec.components.schema("Problem", _PROBLEM)
        for status in sorted({*_EVERYWHERE, *_OF_A_RECORD, *_OF_A_BODY, *_OF_A_VERSION}):
            spec.components.response(_name(status), _refusal(status))

    def operation_helper(
        self, path: str | None = None, operations: dict[str, Any] | None = None, **_kwargs: Any
    ) -> None:
        """Tell each operation's refusals, after those that its room declares."""
        for method, operation in (operations or {}).items():
            responses = operation.setdefault("responses", {})
            for status in refusals_of(method, path or ""):
                responses.pop(status, None)
                responses[str(status)] = _name(status)
            if method == "post":
                operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
            if method in ("put", "patch"):
                operation.setdefault("parameters", []).append(_IF_MATCH)


def refusals_of(method: str, path: str) -> Iterator[int]:
    """The statuses with which an operation of this method and path may refuse, in order."""
    found = {*_EVERYWHERE}
    if "{" in path:
        found.update(_OF_A_RECORD)
    if method != "get":
        found.update(_OF_A_BODY)
    if method in ("put", "patch"):
        found.update(_OF_A_VERSION)
    yield from sorted(found)


def _name(status: int) -> str:
    return f"Refused{status}"


def _refusal(status: int) -> dict[str, Any]:
    code, zh, en = HTTP_SENTENCES[status]
    told: dict[str, Any] = {
        "description": f"`{code}`: {zh} {en}",
        "content": {"application/problem+json": {"schema": "Problem"}},
    }
    if status in _RETRIED:
        told["headers"] = {
            "Retry-After": {"required": True, "schema": {"type": "string"}, "description": "秒 (seconds)"}
        }
    if status == 401:
        told["headers"] = {"WWW-Authenticate": {"required": True, "schema": {"type": "string"}}}
    return told
