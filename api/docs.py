"""The API's own documentation: the viewer's files are served by ourselves, since county networks
reach no CDN and the content policy forbids it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import flask_swagger_ui
from flask import Blueprint, Response, abort, render_template, send_from_directory

from skills_registry.foundation.errors import RegistryError
from skills_registry.foundation.problems import CATALOGUE

blueprint = Blueprint("docs", __name__, url_prefix="/docs")

VIEWER = Path(flask_swagger_ui.__file__).parent / "dist"

#: The only files of the viewer that the page needs.
VIEWER_FILES = ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png")

VIEWER_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)

DESCRIPTION = """\
培训班、学员、成绩与证书的登记接口。所有 `/api/v1` 接口需要密钥：`Authorization: Bearer sr_…`。

Registers classes, trainees, results and certificates. Every `/api/v1` operation needs a key.

- 出错时返回 `application/problem+json`，含稳定的 `code` 和中文说明；`Accept-Language: en` 返回英文。
  Errors are problem documents with a stable `code`; English on `Accept-Language: en`.
- 每个 POST 都支持 `Idempotency-Key`，网络中断后可放心重发。 Every POST honours `Idempotency-Key`.
- 列表用 `?limit=` 和 `?after=` 翻页。 Lists page by `limit` and `after`.
"""


@blueprint.get("")
def viewer() -> Response:
    """The documentation as a page."""
    response = Response(render_template("pages/docs.html"))
    response.headers["Content-Security-Policy"] = VIEWER_POLICY
    return response


@blueprint.get("/problems")
def problem_codes() -> str:
    """Every code that a caller can meet, with its sentences."""
    kinds = sorted({kind.code: kind for kind in _below(RegistryError)}.values(), key=lambda kind: kind.code)
    return render_template(
        "pages/codes.html",
        errors=kinds,
        rows=sorted(CATALOGUE.items()),
        lang="zh",
        other_language_url="/docs/problems",
    )


def _below(kind: type[RegistryError]) -> Iterator[type[RegistryError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _below(child)


@blueprint.get("/<filename>")
def viewer_file(filename: str) -> Response:
    """A file of the viewer."""
    if filename not in VIEWER_FILES:
        abort(404)
    response = send_from_directory(VIEWER, filename)
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response
