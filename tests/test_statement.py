"""The statement: one format, every value at its place, and only one way to write it."""

from dataclasses import fields, replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from skills_registry.certification.printed import Printed
from skills_registry.certification.statement import (
    KINDS,
    LAYOUT,
    STATEMENT_SIZE,
    Statement,
    Unreadable,
    commitment,
)
from skills_registry.foundation.errors import FieldRefused
from skills_registry.foundation.levels import LEVELS, rank

MASSAGE_CLASS_OF_2026 = Statement(
    key_id=bytes.fromhex("0a0b0c0d"),
    id=bytes(range(16)),
    division=630200,
    year=2026,
    serial=17,
    kind="training_completion",
    issued_on=date(2026, 4, 30),
    expires_on=None,
    base_number=12,
    occupation_edition="2015",
    occupation_code="4-10-04-02",
    level="level5_junior",
    class_hours=120,
    status_index=16,
    commitment=bytes(range(100, 116)),
)

PRINTED = Printed(
    template="completion-1",
    kind="training_completion",
    number="630200-2026-000017-0",
    name="马秀兰",
    base_name="海东市乐都区阳光职业技能培训学校",
    subject="保健按摩师",
    occupation_code="4-10-04-02",
    level="五级/初级工",
    class_hours=120,
    starts_on=date(2026, 3, 2),
    ends_on=date(2026, 4, 24),
    issued_on=date(2026, 4, 30),
    expires_on=None,
    registered_with="海东市职业技能培训登记",
)

FIRST_DAY, LAST_DAY = date(2000, 1, 2), date(2000, 1, 1) + timedelta(days=2**16 - 1)


occupation_codes = some.integers(1_000_000, 9_999_999).map(
    lambda number: "-".join((str(number)[:1], str(number)[1:3], str(number)[3:5], str(number)[5:]))
)


@some.composite
def statements(draw: some.DrawFn) -> Statement:
    issued_on = draw(some.dates(FIRST_DAY, LAST_DAY))
    edition = draw(some.one_of(some.just(""), some.sampled_from(["1999", "2015", "2022", "2155"])))
    return Statement(
        key_id=draw(some.binary(min_size=4, max_size=4)),
        id=draw(some.binary(min_size=16, max_size=16)),
        division=draw(some.integers(100_000, 999_999)),
        year=draw(some.integers(2000, 9999)),
        serial=draw(some.integers(1, 999_999)),
        kind=draw(some.sampled_from([*KINDS.values(), "kind_4", "kind_255"])),
        issued_on=issued_on,
        expires_on=draw(some.none() | some.dates(issued_on, LAST_DAY)),
        base_number=draw(some.integers(0, 2**24 - 1)),
        occupation_edition=edition,
        occupation_code=draw(occupation_codes) if edition else "",
        level=draw(some.sampled_from(["", *LEVELS])),
        class_hours=draw(some.integers(0, 2**16 - 1)),
        status_index=draw(some.integers(0, 2**32 - 1)),
        commitment=draw(some.binary(min_size=16, max_size=16)),
    )


def with_field(body: bytes, name: str, value: int) -> bytes:
    start = 0
    for field, width in LAYOUT:
        if field == name:
            return body[:start] + value.to_bytes(width) + body[start + width :]
        start += width
    raise KeyError(name)


def test_the_format_is_these_exact_bytes_for_ever() -> None:
    assert MASSAGE_CLASS_OF_2026.encode().hex() == (
        "01" "0a0b0c0d" "000102030405060708090a0b0c0d0e0f" "099db8" "07ea" "000011" "01"
        "2590" "0000" "00000c" "73" "3e9132" "05" "0078" "00000010" "6465666768696a6b6c6d6e6f70717273"
    )  # fmt: skip


def test_a_statement_has_64_bytes() -> None:
    assert STATEMENT_SIZE == len(MASSAGE_CLASS_OF_2026.encode()) == 64


@given(statements())
def test_every_statement_comes_back_from_its_bytes(statement: Statement) -> None:
    assert Statement.decode(statement.encode()) == statement


@given(statements(), some.integers(0, STATEMENT_SIZE - 1), some.integers(1, 255))
@settings(max_examples=400)
def test_a_changed_byte_says_something_else_or_nothing(original: Statement, place: int, flip: int) -> None:
    body = bytearray(original.encode())
    body[place] ^= flip
    try:
        other = Statement.decode(bytes(body))
    except Unreadable:
        return
    assert other != original
    assert other.encode() == bytes(body)


@pytest.mark.parametrize("length", [*range(STATEMENT_SIZE), *range(STATEMENT_SIZE + 1, STATEMENT_SIZE + 70)])
def test_any_other_length_is_unreadable(length: int) -> None:
    with pytest.raises(Unreadable):
        Statement.decode((MASSAGE_CLASS_OF_2026.encode() + bytes(70))[:length])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", 0),
        ("version", 2),
        ("version", 255),
        ("division", 99_999),
        ("division", 1_000_000),
        ("year", 1999),
        ("year", 10_000),
        ("serial", 0),
        ("serial", 1_000_000),
        ("kind", 0),
        ("issued_on", 0),
        ("expires_on", 1),  # before the day of issue
        ("occupation_edition", 0),  # a code without its edition means nothing
        ("occupation_edition", 98),
        ("occupation_code", 0),
        ("occupation_code", 999_999),
        ("occupation_code", 10_000_000),
        ("level", 6),
        ("level", 255),
    ],
)
def test_a_value_that_means_nothing_is_unreadable(field: str, value: int) -> None:
    with pytest.raises(Unreadable):
        Statement.decode(with_field(MASSAGE_CLASS_OF_2026.encode(), field, value))


def test_a_kind_from_a_newer_registry_still_reads() -> None:
    newer = Statement.decode(with_field(MASSAGE_CLASS_OF_2026.encode(), "kind", 7))
    assert newer.kind == "kind_7"


@pytest.mark.parametrize(
    "wrong",
    [
        {"key_id": b"abc"},
        {"id": bytes(15)},
        {"commitment": bytes(17)},
        {"division": 6302},
        {"serial": 0},
        {"serial": 1_000_000},
        {"year": 26},
        {"kind": "diploma"},
        {"kind": "kind_1"},  # has a name of its own
        {"kind": "kind_256"},
        {"issued_on": date(2000, 1, 1)},
        {"issued_on": date(2200, 1, 1)},
        {"expires_on": date(2026, 4, 29)},
        {"base_number": -1},
        {"base_number": 2**24},
        {"occupation_edition": ""},
        {"occupation_edition": "２０１５"},
        {"occupation_edition": "1998"},
        {"occupation_code": ""},
        {"occupation_code": "4-10-4-2"},
        {"occupation_code": "4-10-04-02\n"},
        {"occupation_code": "٤-10-04-02"},
        {"occupation_code": "0-10-04-02"},
        {"level": "5"},
        {"class_hours": 2**16},
        {"status_index": 2**32},
    ],
)
def test_a_value_without_a_place_in_the_format_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(FieldRefused) as refusal:
        replace(MASSAGE_CLASS_OF_2026, **wrong)
    assert refusal.value.facts["field"] in wrong or "occupation" in str(refusal.value.facts["field"])


def test_a_certificate_is_valid_on_one_day_at_least() -> None:
    assert replace(MASSAGE_CLASS_OF_2026, expires_on=date(2026, 4, 30)).expires_on == date(2026, 4, 30)


class TestCommitment:
    key = bytes(range(32))
    id = MASSAGE_CLASS_OF_2026.id

    def test_it_is_the_same_for_the_same_paper(self) -> None:
        assert commitment(self.key, self.id, PRINTED) == commitment(self.key, self.id, replace(PRINTED))
        assert len(commitment(self.key, self.id, PRINTED)) == 16

    @pytest.mark.parametrize("field", [field.name for field in fields(PRINTED)])
    def test_it_covers_every_printed_word(self, field: str) -> None:
        now = getattr(PRINTED, field)
        other = now + timedelta(days=1) if isinstance(now, date) else 121 if isinstance(now, int) else "别的"
        other = date(2030, 1, 1) if now is None else other
        changed: dict[str, Any] = {field: other}
        assert commitment(self.key, self.id, replace(PRINTED, **changed)) != commitment(
            self.key, self.id, PRINTED
        )

    def test_it_differs_from_certificate_to_certificate(self) -> None:
        assert commitment(self.key, bytes(16), PRINTED) != commitment(self.key, self.id, PRINTED)

    def test_without_the_secret_it_cannot_be_made(self) -> None:
        assert commitment(bytes(32), self.id, PRINTED) != commitment(self.key, self.id, PRINTED)

    @pytest.mark.parametrize(
        ("key", "statement_id"), [(bytes(31), bytes(16)), (bytes(32), bytes(15)), (b"", b"")]
    )
    def test_a_weak_secret_or_a_wrong_id_makes_none(self, key: bytes, statement_id: bytes) -> None:
        with pytest.raises(ValueError, match="at least 32 bytes"):
            commitment(key, statement_id, PRINTED)


def test_a_smaller_digit_is_a_higher_level() -> None:
    by_rank = sorted(LEVELS, key=rank)
    assert [LEVELS[code].digit for code in by_rank] == [5, 4, 3, 2, 1]
    assert rank("level2_technician") > rank("level5_junior")


def test_an_unknown_level_names_the_known_ones() -> None:
    with pytest.raises(FieldRefused) as refusal:
        rank("level6")
    assert "level5_junior" in refusal.value.sentence("zh")
