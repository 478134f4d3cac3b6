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


class Outlet:
    """A file that only grows: what the ZIP writer puts in is handed on and forgotten."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def write(self, part: bytes) -> int:
        self._waiting += part
        return len(part)

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> bytes:
        """What came in since the last time."""
        part, self._waiting = bytes(self._waiting), bytearray()
        return part
