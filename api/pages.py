"""Public pages: the same facts as a page for people and as JSON for programs, in the caller's language."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Response, render_template, request

from api.problems import language


def wants_json() -> bool:
    """Whether the caller asked for JSON rather than a page."""
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"


def page(template: str, *, status: int = 200, **context: Any) -> Response:
    """A page in the caller's language, with a link to the other one; ``kept`` is the query to keep there."""
    lang = language()
    here, kept = context.pop("other_path", request.path), context.pop("kept", {})
    other = urlencode({**kept, "lang": "zh" if lang == "en" else "en"})
    body = render_template(
        f"pages/{template}.html", lang=lang, other_language_url=f"{here}?{other}", **context
    )
    return Response(body, status)
