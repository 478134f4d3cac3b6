"""Files made to hurt whoever opens them, each from a seed: bombs, lies, loops, broken pieces.

:func:`hostile` gives the n-th file; the same number gives the same file. Every maker takes chance and
answers bytes of at most ten megabytes, since larger ones never reach a reader.
"""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable
from random import Random

from tests.made_sheets import MAN, WOMAN, part, repacked, roster, sample

SHEET, STRINGS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
BOOK, RELS, STYLES = "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml"
HARMLESS = roster(["李明", WOMAN], ["王䶮", MAN])
SAMPLES = (
    "roster-clean.xlsx",
    "roster-clean.xls",
    "roster-gbk.csv",
    "results-clean.xlsx",
    "results-clean.xls",
)
MEGABYTE = 1024 * 1024

Maker = Callable[[Random], bytes]


def _sheet(rows: bytes, *, before: bytes = b"", after: bytes = b"") -> bytes:
    """The harmless roster with more at the end of its rows."""
    content = part(HARMLESS, SHEET)
    content = content.replace(b"<sheetData>", before + b"<sheetData>")
    return repacked(HARMLESS, {SHEET: content.replace(b"</sheetData>", rows + b"</sheetData>" + after)})


def _cell(place: bytes, value: bytes, kind: bytes = b"str") -> bytes:
    return b'<c r="%s" t="%s"><v>%s</v></c>' % (place, kind, value)


def _zeros(megabytes: int, letter: bytes = b"\0") -> bytes:
    """A deflated stream of so many megabytes of one letter, made without holding them."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = packer.compress(letter * MEGABYTE) + packer.flush(zlib.Z_FULL_FLUSH)
    return piece * megabytes + packer.flush(zlib.Z_FINISH)


def raw_zip(members: list[tuple[bytes, bytes, int, int]], *, flags: int = 0, method: int = 8) -> bytes:
    """A zip of members as they are told: name, packed body, stated size, place of its local header (-1: its own)."""
    body, directory = b"", b""
    for name, packed, size, place in members:
        at = len(body) if place < 0 else place
        if place < 0:
            local = (b"PK\x03\x04", 20, flags, method, 0, 0, 0, len(packed), size, len(name), 0)
            body += struct.pack("<4s5H3I2H", *local) + name + packed
        entry = (
            b"PK\x01\x02",
            20,
            20,
            flags,
            method,
            0,
            0,
            0,
            len(packed),
            size,
            len(name),
            0,
            0,
            0,
            0,
            0,
            at,
        )
        directory += struct.pack("<4s6H3I5H2I", *entry) + name
    count = min(len(members), 65_535)
    end = (b"PK\x05\x06", 0, 0, count, count, len(directory), len(body), 0)
    return body + directory + struct.pack("<4s4H2IH", *end)


def bomb(chance: Random) -> bytes:
    """A part that unpacks to far more than its archive states."""
    size = chance.choice((65, 200, 1000, 4000))
    stated = chance.choice((10, size * MEGABYTE & 0xFFFFFFFF, 0, 0xFFFFFFFF))
    name = chance.choice((BOOK, SHEET, STRINGS, "xl/media/image1.png")).encode()
    others = [] if name == BOOK.encode() else [(BOOK.encode(), _zeros(1, b" "), MEGABYTE, -1)]
    return raw_zip([*others, (name, _zeros(size, chance.choice((b"\0", b" ", b"<"))), stated, -1)])


def overlapping_bomb(chance: Random) -> bytes:
    """Many entries over one body."""
    count = chance.choice((60, 150, 199, 3000))
    body = _zeros(chance.randint(1, 20))
    names = [BOOK.encode(), *(b"xl/%d" % index for index in range(count))]
    return raw_zip([(name, body, MEGABYTE, -1 if not index else 0) for index, name in enumerate(names)])


def nested_zip(chance: Random) -> bytes:
    """An archive in an archive in an archive, as a part that readers open or beside one."""
    inner = repacked(HARMLESS, {"xl/media/deep.bin": bytes(30 * MEGABYTE)})
    for _ in range(chance.randint(1, 4)):
        inner = repacked(HARMLESS, {chance.choice((BOOK, SHEET, "xl/embeddings/a.xlsx")): inner})
    return inner


def odd_members(chance: Random) -> bytes:
    """Names, methods and flags that readers take differently."""
    names = (
        b"../../etc/passwd",
        b"xl\\workbook.xml",
        b"xl/workbook.xml\0.png",
        b"/xl/workbook.xml",
        b"a" * 60_000,
    )
    body = zlib.compress(b"<workbook/>")[2:-4]
    members = [(BOOK.encode(), body, 11, -1), (chance.choice(names), body, 11, -1)]
    if chance.random() < 0.3:
        members += [(b"xl/%d" % index, b"", 0, 0) for index in range(chance.choice((200, 70_000)))]
    made = raw_zip(
        members, flags=chance.choice((0, 1, 8, 0x40, 0x2000)), method=chance.choice((8, 0, 12, 14, 99))
    )
    return chance.choice((b"", b"MZ" + bytes(500))) + made + chance.choice((b"", b"tail" * 20))


def far_cell(chance: Random) -> bytes:
    """One cell where nobody looks, or at no place at all."""
    row = chance.choice((1_048_576, 1_048_577, 4_294_967_295, 99_999_999_999, 0, -1, 500_000))
    column = chance.choice((b"XFD", b"ZZZZZZZ", b"A", b"a", b"", "甲".encode()))
    cell = _cell(column + b"%d" % row, b"1", b"n")
    return _sheet(chance.choice((b"<row>%s</row>" % cell, b'<row r="%d">%s</row>' % (row, cell))))


def far_cells(chance: Random) -> bytes:
    """A few thousand cells, each in a far corner of its own."""
    rows = sorted(chance.sample(range(10, 1_048_576), chance.choice((50, 2000))))
    return _sheet(
        b"".join(b'<row r="%d">%s</row>' % (row, _cell(b"XFD%d" % row, b"1", b"n")) for row in rows)
    )


def false_dimension(chance: Random) -> bytes:
    """A sheet that states another size than it has."""
    size = chance.choice(
        (b"XFD1048576:A1", b"A1:XFD1048576", b"A1:ZZZZZZ99999999999", b"B9:A0", b"", b"A1:", b":")
    )
    return repacked(
        HARMLESS,
        {SHEET: part(HARMLESS, SHEET).replace(b'<dimension ref="A1:B3"/>', b'<dimension ref="%s"/>' % size)},
    )


def false_strings(chance: Random) -> bytes:
    """A table of texts with a false count, or cells that name texts beyond it."""
    count = chance.choice((b"4294967295", b"18446744073709551616", b"-1", b"1e9", b"", b"999999999"))
    strings = part(HARMLESS, STRINGS)
    begin = strings.index(b"count=")
    told = b'count="%s" uniqueCount="%s"' % (count, count)
    changed = {STRINGS: strings[:begin] + told + strings[strings.index(b">", begin) :]}
    if chance.random() < 0.5:
        changed[SHEET] = part(HARMLESS, SHEET).replace(b"<v>0</v>", b"<v>%s</v>" % count)
    return repacked(HARMLESS, changed)


def huge_strings(chance: Random) -> bytes:
    """A text of megabytes, in one cell or in every cell."""
    letter = chance.choice(("x", "䶮", "&amp;", "&#x20000;")).encode()
    text = letter * (chance.choice((32_767, MEGABYTE, 40 * MEGABYTE)) // len(letter))
    strings = part(HARMLESS, STRINGS).replace("李明".encode(), text)
    cells = b"".join(
        b'<row r="%d">%s</row>' % (row, b'<c t="s"><v>2</v></c>' * 100)
        for row in range(10, chance.choice((11, 200, 2000)))
    )
    sheet = part(HARMLESS, SHEET).replace(b"</sheetData>", cells + b"</sheetData>")
    return repacked(HARMLESS, {STRINGS: strings, SHEET: sheet})


def document_type(chance: Random) -> bytes:
    """A DTD with entities that grow or read files, in an encoding that hides it."""
    entities = {
        "laughs": "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12)),
        "file": '<!ENTITY e11 SYSTEM "file:///etc/passwd">',
        "net": '<!ENTITY e11 SYSTEM "http://127.0.0.1:9/x"><!ENTITY % p SYSTEM "http://127.0.0.1:9/y">%p;',
    }
    xml = f'<!DOCTYPE a [<!ENTITY e0 "ha">{entities[chance.choice(list(entities))]}]><a>&e11;</a>'
    encoding = chance.choice(
        ("utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp037", "gb18030", "utf-7")
    )
    declared = f'<?xml version="1.0" encoding="{encoding}"?>' if chance.random() < 0.5 else ""
    return repacked(
        HARMLESS, {chance.choice((SHEET, STRINGS, BOOK, STYLES, "a.xml")): (declared + xml).encode(encoding)}
    )


def wrong_magic(chance: Random) -> bytes:
    """What is no table at all, under the first bytes of something."""
    starts = (
        *(
            b"%PDF-1.7\n",
            b"\x89PNG\r\n\x1a\n",
            b"\xff\xd8\xff\xe0",
            b"MZ",
            b"\x7fELF",
            b"Rar!\x1a\x07",
            b"7z\xbc\xaf",
        ),
        *(
            b"\x1f\x8b\x08",
            b"BZh9",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            b"PK\x03\x04",
            b"PK\x05\x06",
            b"GIF89a",
        ),
        *(
            b"<html><table><tr><td>",
            b"<?xml version='1.0'?><Workbook>",
            b"MIME-Version: 1.0\r\n",
            b"{\\rtf1",
            b"",
        ),
    )
    return chance.choice(starts) + chance.randbytes(chance.choice((0, 1, 100, 70_000)))


def truncated(chance: Random) -> bytes:
    """A good file that ends too early."""
    content = sample(chance.choice(SAMPLES))
    return content[: chance.randrange(len(content))]


def damaged(chance: Random) -> bytes:
    """A good file with some bytes changed."""
    content = bytearray(sample(chance.choice(SAMPLES)))
    for _ in range(chance.choice((1, 5, 50, 500))):
        content[chance.randrange(len(content))] = chance.randrange(256)
    return bytes(content)


def shuffled(chance: Random) -> bytes:
    """A good file whose pieces stand in another order."""
    content, size = sample(chance.choice(SAMPLES)), chance.choice((64, 512, 4096))
    pieces = [content[at : at + size] for at in range(0, len(content), size)]
    chance.shuffle(pieces)
    return content[:size] + b"".join(pieces)


def broken_ole(chance: Random) -> bytes:
    """An .xls whose chains of sectors loop, or whose records lie about their lengths."""
    content = bytearray(sample(chance.choice(("roster-clean.xls", "results-clean.xls"))))
    header = (
        (24, "<H"),
        (28, "<H"),
        (30, "<H"),
        (32, "<H"),
        (44, "<I"),
        (48, "<I"),
        (56, "<I"),
        (60, "<I"),
        (72, "<I"),
    )
    for _ in range(chance.randint(1, 3)):
        place, form = chance.choice(header)
        extreme = chance.choice((0, 1, 2, 0x7FFF, 0xFFFE, 0xFFFF if form == "<H" else 0xFFFFFFFE))
        struct.pack_into(form, content, place, extreme)
    if chance.random() < 0.7:  # the table of sectors: each leads to itself, to one another, or far away
        (first,) = struct.unpack_from("<I", sample("roster-clean.xls"), 76)
        for slot in range(128):
            place = min(512 * (first + 1) + 4 * slot, len(content) - 4)
            struct.pack_into("<I", content, place, chance.choice((slot, slot ^ 1, 0xFFFFFFF0, 0)))
    return bytes(content)


def broken_records(chance: Random) -> bytes:
    """An .xls with records that state lengths, counts and places beyond its end."""
    content = bytearray(sample(chance.choice(("roster-clean.xls", "results-clean.xls"))))
    marks = (
        b"\xfc\x00",
        b"\x09\x08",
        b"\x85\x00",
        b"\x00\x02",
        b"\xfd\x00",
        b"\x3c\x00",
        b"\x0a\x00",
        b"\x2f\x00",
    )
    for _ in range(chance.randint(1, 8)):
        at = content.find(chance.choice(marks), chance.randrange(512, len(content)))
        if 0 <= at < len(content) - 12:
            content[at + 2 : at + 2 + chance.choice((2, 6, 10))] = (
                chance.choice((b"\xff", b"\0", b"\x7f")) * 10
            )
    return bytes(content)


def formulas(chance: Random) -> bytes:
    """Cells that a spreadsheet program would run, and formulas that are none."""
    texts = (
        b"=cmd|' /C calc'!A0",
        b"+SUM(1:1048576)",
        b"@A1",
        b"-2+3",
        b"\t=1",
        b'=WEBSERVICE("http://127.0.0.1:9")',
    )
    cells = b"".join(
        b"<row><c t=%s><f>%s</f><v>%s</v></c><c t=%s><is><t>%s</t></is></c></row>"
        % (kind, text, text, b'"inlineStr"', text)
        for text in texts
        for kind in (b'"str"', b'"e"', b'"n"', b'"b"', b'"s"', b'"d"', b'"??"')
    )
    return _sheet(cells * chance.choice((1, 300)))


def numbers(chance: Random) -> bytes:
    """Values and dates beyond every calendar."""
    values = (
        b"1e308",
        b"-1e308",
        b"1e999",
        b"NaN",
        b"inf",
        b"9" * 400,
        b"-1",
        b"0.1e-400",
        b"2958466",
        b"",
        b"0x10",
    )
    kinds = (b"n", b"d", b"b", b"e", b"str")
    cells = b"".join(b'<c s="1" t="%s"><v>%s</v></c>' % (chance.choice(kinds), value) for value in values)
    return _sheet(b"<row>%s</row>" % cells * chance.choice((1, 2000)))


def control_characters(chance: Random) -> bytes:
    """NULs, lone surrogates and characters that XML forbids, raw and by reference."""
    odd = (
        b"\0",
        b"&#0;",
        b"&#xD800;",
        b"&#x110000;",
        b"&#99999999999;",
        b"\xff\xfe",
        b"\xed\xa0\x80",
        b"&nope;",
        b"\x0b",
    )
    text = b"a" + chance.choice(odd) * chance.choice((1, 5000)) + b"b"
    return repacked(HARMLESS, {STRINGS: part(HARMLESS, STRINGS).replace("李明".encode(), text)})


def deep_xml(chance: Random) -> bytes:
    """Elements in elements, a tag of megabytes, a hundred thousand attributes, what never ends."""
    size = chance.choice((1000, 300_000))
    bodies = (
        b"<a>" * size,
        b"<row>" * size + b"</row>" * size,
        b"<c " + b"".join(b'a%d="1" ' % n for n in range(size)) + b"/>",
        b'<c r="%s"/>' % (b"A" * size * 10),
        b"<!--" + b"-" * size,
        b"<![CDATA[" + b"]" * size,
        b"<?a " + b"?" * size,
        b"</sheetData>" * size,
    )
    return _sheet(chance.choice(bodies))


def many_sheets(chance: Random) -> bytes:
    """A workbook that names thousands of sheets, or sheets that are elsewhere."""
    count = chance.choice((2, 300, 20_000))
    sheets = b"".join(b'<sheet name="%d" sheetId="%d" r:id="rId1"/>' % (n, n) for n in range(1, count))
    book = part(HARMLESS, BOOK).replace(b"</sheets>", sheets + b"</sheets>")
    target = chance.choice(
        (b"worksheets/sheet1.xml", b"../../etc/passwd", b"/", b"", b"http://127.0.0.1:9/x", b"workbook.xml")
    )
    rels = part(HARMLESS, RELS).replace(b"worksheets/sheet1.xml", target)
    return repacked(HARMLESS, {BOOK: book, RELS: rels})


def heavy_styles(chance: Random) -> bytes:
    """Formats without number, merged cells over everything, cells in styles that are not there."""
    count = chance.choice((1000, 200_000))
    formats = b"".join(b'<numFmt numFmtId="%d" formatCode="yyyy"/>' % n for n in range(200, 200 + count))
    styles = part(HARMLESS, STYLES).replace(b"<fonts", b"<numFmts>%s</numFmts><fonts" % formats, 1)
    merged = b'<mergeCells count="4294967295">%s</mergeCells>' % (
        b'<mergeCell ref="A1:XFD1048576"/>' * (count // 10)
    )
    sheet = (
        part(HARMLESS, SHEET)
        .replace(b"</sheetData>", b"</sheetData>" + merged)
        .replace(b"<c ", b'<c s="9999999" ')
    )
    return repacked(HARMLESS, {STYLES: styles, SHEET: sheet})


def text_table(chance: Random) -> bytes:
    """CSV with giant fields, quotes that never close, and nothing but separators."""
    size = chance.choice((10_000, MEGABYTE, 9 * MEGABYTE))
    bodies = (
        b'"' + b"x" * size,
        "姓名,身份证号\n".encode() + b'"' + b"a,\n" * (size // 3) + b'"',
        b"," * size,
        b"\r" * size,
        b"\n" * size,
        b'""' * (size // 2),
        b"a\tb;c,d\n" * (size // 8),
        "姓名,身份证号\n".encode() + (f"李明,{WOMAN}\n".encode()) * (size // 30),
        b"\0" * size,
        "姓名,身份证号\n".encode() + b"=1+1," * (size // 5),
    )
    return chance.choice((b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")) + chance.choice(bodies)


def garbled_text(chance: Random) -> bytes:
    """Bytes that are nearly GB18030, UTF-8 or UTF-16."""
    good = "姓名,身份证号\n".encode(
        chance.choice(("gb18030", "utf-8", "utf-16", "utf-16-be", "utf-7", "utf-32"))
    )
    size = chance.choice((10, 5000, 500_000))
    wild = bytes(
        chance.choice((chance.randrange(0x81, 0xFF), 0x30, 0x39, 0x0A, 0x2C, 0xFF))
        for _ in range(min(size, 5000))
    )
    return (
        good
        + wild * (size // len(wild) or 1)
        + chance.choice((b"", b"\x81", b"\x81\x30", b"\xd8\x00", b"\0"))
    )


MAKERS: tuple[Maker, ...] = (
    *(bomb, overlapping_bomb, nested_zip, odd_members, far_cell, far_cells, false_dimension, false_strings),
    *(huge_strings, document_type, wrong_magic, truncated, damaged, shuffled, broken_ole, broken_records),
    *(
        formulas,
        numbers,
        control_characters,
        deep_xml,
        many_sheets,
        heavy_styles,
        text_table,
        garbled_text,
        truncated,
    ),
)


def hostile(number: int) -> tuple[str, bytes]:
    """The n-th hostile file and what kind it is."""
    maker = MAKERS[number % len(MAKERS)]
    return maker.__name__, maker(random.Random(f"hostile {number}"))[: 10 * MEGABYTE]
