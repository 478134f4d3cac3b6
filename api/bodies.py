"""Bodies: what comes in is read once, with bounds, and holds only characters that paper and databases hold.

A lone surrogate cannot be written, PostgreSQL has no NUL, and a direction override can make a text read
as another one. Refusing them here, before any schema, means that no room has to think of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from flask import Flask, current_app, request
from marshmallow import Schema, fields
from werkzeug.exceptions import BadRequest, UnprocessableEntity, UnsupportedMediaType

from skills_registry.foundation.errors import FieldRefused

#: No name or number is longer; anything beyond is cut before it costs effort.
LONGEST_TYPED = 200

#: Controls other than tab and line ends, direction overrides, lone surrogates.
_UNUSABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_LINE_ENDS = re.compile(r"[\t\r\n\u2028\u2029]")


class UnusableCharacters(FieldRefused):
    """Facts: ``field``."""

    code = "unusable_characters"
    zh = "“{field}”含有不能使用的字符（控制符、文字方向符或损坏的字符），请删除后重试。"
    en = "'{field}' has characters that cannot be used (controls, direction marks, broken characters)."


class Text(fields.String):
    """Words on one line, without blanks around them; what is left must pass the validators."""

    default_error_messages = {"line": "Must be on one line."}  # noqa: RUF012 - marshmallow's idiom

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = str(super()._deserialize(value, attr, data, **kwargs)).strip()
        if _LINE_ENDS.search(text):
            raise self.make_error("line")
        return text


class Prose(fields.String):
    """Words that may run over several lines, without blanks around them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return str(super()._deserialize(value, attr, data, **kwargs)).strip()


def read_json() -> Any:
    """The JSON body, or None when there is none.

    :raises BadRequest: it is malformed, nested beyond reason or holds a number beyond reason.
    """
    try:
        return request.get_json() if request.is_json and request.get_data() else None
    except (RecursionError, ValueError) as error:
        raise BadRequest() from error


def require_sound() -> None:
    """Before each request with a body: read it, and refuse what no record may hold.

    :raises UnsupportedMediaType: an API body that is neither JSON nor a form with files.
    :raises UnusableCharacters: the facts name the field.
    """
    if request.method in ("GET", "HEAD", "OPTIONS") or request.endpoint is None:
        return
    if request.path.startswith("/api/") and request.content_length and not _is_known():
        raise UnsupportedMediaType()
    parts = _strings(read_json(), "") if request.is_json else iter(request.form.items(multi=True))
    for field, text in parts:
        if _UNUSABLE.search(text) or _UNUSABLE.search(field):
            raise UnusableCharacters(field=_UNUSABLE.sub("?", field) or "body")


def _is_known() -> bool:
    return request.is_json or request.mimetype in ("multipart/form-data", "application/x-www-form-urlencoded")


def _strings(value: Any, place: str) -> Iterator[tuple[str, str]]:
    # Depth is bounded: the parser refused anything deeper than Python's own stack before we came here.
    waiting = [(place, value)]
    while waiting:
        where, found = waiting.pop()
        if isinstance(found, str):
            yield where, found
        elif isinstance(found, dict):
            named = [(f"{where}.{key}".strip("."), inner) for key, inner in found.items()]
            yield from ((name, "") for name, _ in named)
            waiting += named
        elif isinstance(found, list):
            waiting += [(where, inner) for inner in found]


def typed(field: str) -> str:
    """What was typed into a field of a public form or JSON body; anything but text counts as empty."""
    body = read_json() if request.is_json else request.form
    value = body.get(field, "") if hasattr(body, "get") else ""
    return value[:LONGEST_TYPED] if isinstance(value, str) else ""


def require_known_words() -> None:
    """An API operation takes the query words that it declares, and ``lang``: a misspelt filter filters nothing.

    :raises UnprocessableEntity: a word that it does not know.
    """
    if request.endpoint is None or not request.path.startswith("/api/"):
        return
    declared = getattr(current_app.view_functions[request.endpoint], "_apidoc", {}).get("arguments", {})
    known = {"lang"}
    for parameter in declared.get("parameters", ()):
        if parameter["in"] == "query":
            known |= {field.data_key or name for name, field in _fields_of(parameter["schema"]).items()}
    unknown = sorted(set(request.args) - known)
    if unknown:
        refusal = UnprocessableEntity()
        refusal.data = {"messages": {"query": {word: ["Unknown field."] for word in unknown}}}  # type: ignore[attr-defined]
        raise refusal


def _fields_of(schema: Schema | type[Schema]) -> dict[str, fields.Field[Any]]:
    made = schema() if isinstance(schema, type) else schema
    return made.fields


def install(app: Flask) -> None:
    """Hold every body and query to this."""
    app.before_request(require_sound)
    app.before_request(require_known_words)
