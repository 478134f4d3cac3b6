"""Files as answers: always an attachment, never guessed at, never kept by a cache."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Response

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PDF = "application/pdf"
ZIP = "application/zip"


def attachment(content: bytes | Iterator[bytes], media_type: str, filename: str) -> Response:
    """A download; ``filename`` holds numbers only, never a person's name."""
    response = Response(content, content_type=media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
