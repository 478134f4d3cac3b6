"""The QR code on a certificate: one https URL whose long decimal token is written three digits to ten bits.

The `qrcode` package cuts a text into segments, so the host stands in a byte segment and the token in a
numeric one. The mask is fixed: trying all eight takes five times as long and gains nothing a scanner
notices, and a fixed mask makes the picture depend on the URL alone (DESIGN §4, The code in the QR).
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Any

from qrcode import QRCode, exceptions
from qrcode.constants import ERROR_CORRECT_M

from skills_registry.foundation.errors import InputRefused

#: Version 9 has 53 modules a side: on 25 mm each is 0.47 mm, which a 100-dpi scan still resolves.
LARGEST_VERSION = 9

#: One of the eight masks of ISO/IEC 18004; all are equally lawful.
MASK = 2

#: Runs of at least this many digits become a numeric segment.
SHORTEST_SEGMENT = 20

#: ISO/IEC 18004 asks for four light modules on every side.
QUIET_ZONE = 4


class CodeTooLong(InputRefused):
    """The URL needs a larger QR code than prints well on 25 mm. Facts: ``length``, ``version``."""

    code = "qr_too_long"
    zh = "验证网址过长（{length}个字符），二维码在证书上无法清晰扫描。请缩短 PUBLIC_URL 的域名。"
    en = "The verification URL is too long ({length} characters) for a QR code that scans; shorten PUBLIC_URL's host."


@dataclass(frozen=True)
class Code:
    """A drawn QR code. ``rows`` hold the modules from the top left, dark ones true, without quiet zone."""

    url: str
    rows: tuple[tuple[bool, ...], ...]

    @property
    def size(self) -> int:
        """Modules a side."""
        return len(self.rows)

    @property
    def version(self) -> int:
        """The version of ISO/IEC 18004: 17 modules and 4 more for each version."""
        return (self.size - 17) // 4


def draw(url: str) -> Code:
    """The QR code for a URL, error correction M, version 9 at most.

    :raises CodeTooLong: the URL needs more than version 9.
    """
    code: QRCode[Any] = QRCode(error_correction=ERROR_CORRECT_M, mask_pattern=MASK)
    code.add_data(url, optimize=SHORTEST_SEGMENT)
    try:
        version = code.best_fit()
    except (exceptions.DataOverflowError, ValueError):  # beyond version 40, which qrcode says in two ways
        version = None
    if version is None or version > LARGEST_VERSION:
        raise CodeTooLong(length=len(url), version=version)
    code.make()
    return Code(url, tuple(tuple(map(bool, row)) for row in code.modules))


def png(url: str, *, pixels: int = 6) -> bytes:
    """The QR code as a PNG for a page, with its quiet zone; ``pixels`` a module.

    :raises CodeTooLong: as :func:`draw`.
    """
    margin = (False,) * QUIET_ZONE
    wide = [(*margin, *row, *margin) for row in draw(url).rows]
    blank = ((False,) * len(wide[0]),) * QUIET_ZONE
    dots = [tuple(dot for dot in row for _ in range(pixels)) for row in (*blank, *wide, *blank)]
    lines = [b"\0" + _bits(row) for row in dots for _ in range(pixels)]
    header = struct.pack(">IIBBBBB", len(lines), len(lines), 1, 0, 0, 0, 0)  # one bit of grey
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(b"".join(lines), 9)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def _bits(row: tuple[bool, ...]) -> bytes:
    """One bit a pixel, light ones 1, filled up to whole bytes: as PNG reads grey."""
    length = (len(row) + 7) // 8
    return (int("".join("0" if dark else "1" for dark in row), 2) << length * 8 - len(row)).to_bytes(
        length, "big"
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
