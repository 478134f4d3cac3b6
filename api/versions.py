"""Versions in headers: what is read carries its version as ``ETag``, and who changes it names that in ``If-Match``."""

from __future__ import annotations

from flask import request
from werkzeug.exceptions import PreconditionFailed, PreconditionRequired


def etag(version: int) -> dict[str, str]:
    """A version as a header."""
    return {"ETag": f'"{version}"'}


def version_seen(current: int) -> int:
    """The version that the caller says to have seen; ``*`` takes whatever stands there, which is ``current``.

    :raises PreconditionRequired: ``If-Match`` is missing.
    :raises PreconditionFailed: it is no version.
    """
    if "If-Match" not in request.headers:
        raise PreconditionRequired()
    if request.if_match.star_tag:
        return current
    tags = request.if_match.as_set()
    tag = tags.pop() if len(tags) == 1 else ""
    if not tag.isascii() or not tag.isdigit() or len(tag) > 9:
        raise PreconditionFailed()
    return int(tag)
