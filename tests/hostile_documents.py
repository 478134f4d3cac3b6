"""Documents made to hurt: pictures of impossible size, PDFs with scripts, office files that are bombs."""

from __future__ import annotations

import random
import struct
import zipfile
import zlib
from io import BytesIO

from tests.hostile_files import MEGABYTE, bomb


def hostile_document(number: int) -> tuple[str, bytes]:
    """The n-th hostile document: pictures of impossible size, broken PDFs, office files that are bombs."""
    chance = random.Random(f"document {number}")
    huge = chance.choice((0xFFFFFFFF, 0x7FFFFFFF, 100_000, 0))
    chunks = (
        (b"IHDR", struct.pack(">2I5B", huge, huge, 8, 6, 0, 0, chance.choice((0, 1)))),
        (b"IDAT", zlib.compress(bytes(MEGABYTE)) * chance.choice((1, 50))),
        (chance.choice((b"IEND", b"IDAT", b"zTXt")), b""),
    )
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", chance.choice((len(body), len(body), 0xFFFFFFFF)))
        + name
        + body
        + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )
    jpeg = (
        b"\xff\xd8\xff\xe0\x00\x10JFIF\0"
        b"\xff\xc0\x00\x11\x08" + struct.pack(">2H", 65535, 65535) + b"\x03" * 99
    )
    pdf = b"%PDF-1.7\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\n%%EOF"
    word = BytesIO()
    with zipfile.ZipFile(word, "w", zipfile.ZIP_DEFLATED) as archive:
        types = b"wordprocessingml.document.main+xml" * chance.choice((1, 500_000))
        archive.writestr("[Content_Types].xml", types)
        archive.writestr("word/document.xml", bytes(MEGABYTE * chance.choice((1, 60))))
    made = {"png": png, "jpeg": jpeg, "pdf": pdf, "word": word.getvalue(), "bomb": bomb(chance)}
    kind = chance.choice(list(made))
    content = made[kind]
    return kind, content[: chance.choice((len(content), len(content), max(1, len(content) // 2)))][
        : 10 * MEGABYTE
    ]
