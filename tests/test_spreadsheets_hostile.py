"""Hostile and broken files: small ones that would hurt the parser end quickly, as one refusal."""

from __future__ import annotations

import random
import struct
import time
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skills_registry.foundation.errors import FileRefused
from skills_registry.spreadsheets import read, reading
from skills_registry.spreadsheets.containers import require_harmless_workbook
from skills_registry.spreadsheets.refusals import Unreadable
from tests.made_sheets import MAN, WOMAN, part, repacked, roster, sample

SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"
HARMLESS = roster(["李明", WOMAN], ["王䶮", MAN])

#: A refusal must come long before a client gives up; the child itself is stopped after ten seconds.
PATIENCE = 11.0


@contextmanager
def refusing(*codes: str) -> Iterator[None]:
    started = time.monotonic()
    with pytest.raises(FileRefused) as caught:
        yield
    assert caught.value.own_code in codes
    assert time.monotonic() - started < PATIENCE


def outcome(data: bytes) -> str | int:
    """How many rows a file gives, or the code of its refusal; quickly in either case."""
    started = time.monotonic()
    try:
        return len(read(data).rows)
    except FileRefused as error:
        return error.own_code
    finally:
        assert time.monotonic() - started < PATIENCE


@contextmanager
def unreadable(code: str) -> Iterator[None]:
    """For checks of the child that are safe to run here, without starting one."""
    with pytest.raises(Unreadable) as caught:
        yield
    assert caught.value.code == code


def edited(name: str, *replacements: tuple[bytes, bytes]) -> bytes:
    content = part(HARMLESS, name)
    for old, new in replacements:
        assert old in content
        content = content.replace(old, new)
    return repacked(HARMLESS, {name: content})


# --- sizes


def test_a_file_beyond_ten_megabytes_is_refused_before_it_is_opened() -> None:
    with refusing("file_too_large"):
        read(b"PK\x03\x04" + bytes(10 * 1024 * 1024))


def test_a_zip_bomb_is_refused_whatever_size_it_states() -> None:
    bomb = repacked(HARMLESS, {"xl/media/image1.bin": bytes(70 * 1024 * 1024)})
    assert len(bomb) < 200_000
    with unreadable("file_too_demanding"):
        require_harmless_workbook(bomb)
    real = struct.pack("<I", 70 * 1024 * 1024)
    with refusing("file_too_demanding"):
        read(bomb.replace(real, struct.pack("<I", 1_000)))


def test_overlapping_members_are_each_counted() -> None:
    """Many directory entries over one compressed body, as in the bombs that fit into kilobytes."""
    body = zlib.compress(bytes(1024 * 1024), 9)[2:-4]
    local = (
        struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 8, 0, 0, 0, len(body), 1024 * 1024, 1, 0) + b"a" + body
    )
    names = [b"xl/workbook.xml", *(b"xl/%d" % index for index in range(150))]
    directory = b"".join(
        struct.pack(
            "<4s6H3I5H2I",
            b"PK\x01\x02",
            20,
            20,
            0,
            8,
            0,
            0,
            0,
            len(body),
            1024 * 1024,
            len(name),
            0,
            0,
            0,
            0,
            0,
            0,
        )
        + name
        for name in names
    )
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, len(names), len(names), len(directory), len(local), 0)
    assert len(local + directory + end) < 20_000
    with refusing("file_too_demanding"):
        read(local + directory + end)


def test_too_many_members_are_refused() -> None:
    with refusing("file_unsafe"):
        read(repacked(HARMLESS, {f"xl/media/{index}": b"" for index in range(200)}))


def test_ten_megabytes_of_commas_do_not_exhaust_anything() -> None:
    with refusing("file_too_demanding", "header_not_found"):
        read(b"," * (10 * 1024 * 1024 - 1))


def test_a_field_without_end_is_refused() -> None:
    with refusing("file_broken"):
        read(b'"' + "姓名".encode() * 100_000)


# --- document types and members that readers could take differently


def test_a_workbook_with_a_document_type_is_refused() -> None:
    with refusing("file_unsafe"):
        read(repacked(HARMLESS, {"xl/odd.xml": '<!DOCTYPE a [<!ENTITY b "c">]><a/>'.encode("utf-16")}))


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be", "cp037", "cp500"]
)
@pytest.mark.parametrize("name", [SHEET, "xl/media/image1.png", "odd name"])
def test_a_document_type_is_found_in_every_encoding_and_part(encoding: str, name: str) -> None:
    word = "DOCTYPE" if encoding.startswith("cp") else "DocType"
    xml = f'<?xml version="1.0"?>\n<!{word} a [<!ENTITY b "c">]><a>&b;</a>'
    with unreadable("file_unsafe"):
        require_harmless_workbook(repacked(HARMLESS, {name: xml.encode(encoding)}))


def test_a_document_type_across_two_pieces_of_a_part_is_found() -> None:
    for offset in range(64 * 1024 - 12, 64 * 1024 + 2):
        content = b"<a>" + b" " * (offset - 3) + b"<!DOCTYPE x>" + b" " * 100
        with unreadable("file_unsafe"):
            require_harmless_workbook(repacked(HARMLESS, {"xl/odd.xml": content}, method=zipfile.ZIP_STORED))


def test_a_part_in_an_encoding_that_hides_its_letters_is_refused() -> None:
    with refusing("file_unsafe"):
        read(
            repacked(
                HARMLESS, {"xl/odd.xml": b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE a+AD4-'}
            )
        )


@pytest.mark.parametrize("twin", [SHEET, SHEET.upper(), SHEET.replace("/", "\\"), "/" + SHEET])
def test_a_part_that_is_there_twice_is_refused(twin: str) -> None:
    target = BytesIO(HARMLESS)
    with warnings.catch_warnings(), zipfile.ZipFile(target, "a") as archive:
        warnings.simplefilter("ignore", UserWarning)  # zipfile warns of what we do on purpose
        archive.writestr(twin, b"<worksheet/>")
    with unreadable("file_unsafe"):
        require_harmless_workbook(target.getvalue())


def test_an_encrypted_member_is_refused() -> None:
    data = bytearray(HARMLESS)
    place = data.index(b"PK\x01\x02")
    data[place + 8] |= 1
    with refusing("file_encrypted"):
        read(bytes(data))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_unusual_compression_is_refused(method: int) -> None:
    with unreadable("file_broken"):
        require_harmless_workbook(repacked(HARMLESS, {}, method=method))


def test_a_tail_that_could_hold_a_second_directory_is_refused() -> None:
    with unreadable("file_broken"):
        require_harmless_workbook(HARMLESS + HARMLESS[-22:-2])


# --- what the parser believes


def test_one_cell_at_the_far_corner_is_refused() -> None:
    corner = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    with refusing("file_too_demanding", "file_broken"):
        read(edited(SHEET, (b"</sheetData>", corner)))


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (b"XFD1048576:A1", 2),
        (b"A1:XFD1048576", 2),
        (b"A1:ZZZZZZ99999999999", 2),
        (b"A1:A0", "file_broken"),
        (b"", "file_broken"),
    ],
)
def test_a_false_dimension_neither_hurts_nor_hides_rows(size: bytes, expected: str | int) -> None:
    assert outcome(edited(SHEET, (b'<dimension ref="A1:B3"/>', b'<dimension ref="%s"/>' % size))) == expected


def test_a_false_count_of_strings_is_refused() -> None:
    content = part(HARMLESS, STRINGS)
    begin, end = content.index(b"count="), content.index(b">", content.index(b"count="))
    content = content[:begin] + b'count="4294967295" uniqueCount="4294967295"' + content[end:]
    with refusing("file_too_demanding", "file_broken"):
        read(repacked(HARMLESS, {STRINGS: content}))


def test_a_string_that_is_not_there_is_refused() -> None:
    with refusing("file_broken"):
        read(edited(SHEET, (b"<v>0</v>", b"<v>4000000000</v>")))


def test_a_long_string_used_in_every_cell_is_refused() -> None:
    content = part(HARMLESS, STRINGS).replace("李明".encode(), b"x" * 32_000)
    cells = b"".join(
        b'<row r="%d">%s</row>' % (row, b'<c t="s"><v>2</v></c>' * 100) for row in range(10, 2_000)
    )
    sheet = part(HARMLESS, SHEET).replace(b"</sheetData>", cells + b"</sheetData>")
    data = repacked(HARMLESS, {STRINGS: content, SHEET: sheet})
    assert len(data) < 100_000
    with refusing("file_too_demanding"):
        read(data)


@pytest.mark.parametrize("keep", [0.01, 0.5, 0.999])
@pytest.mark.parametrize("name", ["roster-clean.xlsx", "roster-clean.xls"])
def test_a_truncated_file_is_refused(name: str, keep: float) -> None:
    data = sample(name)
    with refusing("file_broken", "file_too_demanding"):
        read(data[: int(len(data) * keep)])


def test_an_xls_with_a_false_count_of_strings_is_refused() -> None:
    data = bytearray(sample("roster-clean.xls"))
    strings = data.index(b"\xfc\x00", 512)
    data[strings + 4 : strings + 12] = b"\xff" * 8
    assert outcome(bytes(data)) in (30, "file_broken", "file_too_demanding")
    data[strings + 2 : strings + 4] = b"\xff\xff"
    with refusing("file_broken", "file_too_demanding", "header_not_found"):
        read(bytes(data))


def damaged(name: str, seed: int) -> bytes:
    chance = random.Random(seed)
    data = bytearray(sample(name))
    for _ in range(chance.randint(1, 12)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


@settings(max_examples=10, deadline=None)
@given(st.sampled_from(["roster-clean.xls", "roster-clean.xlsx", "roster-gbk.csv"]), st.integers(0, 10**9))
def test_damaged_files_are_read_or_refused(name: str, seed: int) -> None:
    assert outcome(damaged(name, seed)) is not None


@pytest.mark.prove
@pytest.mark.parametrize("name", ["roster-clean.xls", "roster-clean.xlsx", "roster-gbk.csv"])
def test_many_damaged_files_are_read_or_refused(name: str) -> None:
    for seed in range(100):
        assert outcome(damaged(name, seed)) is not None


# --- the child


def test_a_child_that_takes_too_long_is_ended_and_the_file_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_SECONDS", 0.001)
    with refusing("file_too_demanding"):
        read(HARMLESS)


@pytest.mark.parametrize("program", ["no_such_module", "platform"])
def test_a_child_that_answers_nonsense_refuses_the_file(
    monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    monkeypatch.setattr(reading, "_CHILD", program)
    with refusing("file_broken"):
        read(HARMLESS)


def test_the_child_sees_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    assert "DATABASE_URL" not in reading._ENVIRONMENT
    assert len(read(HARMLESS).rows) == 2
