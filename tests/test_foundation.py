"""The ground floor: sealed values, dated rules, working days, printed lifecycles."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import lifecycles
from skills_registry.foundation import workdays
from skills_registry.foundation.errors import Unavailable
from skills_registry.foundation.lifecycle import Lifecycle, Move
from skills_registry.foundation.policy import NoRuleInForce, Policy, load_policy
from skills_registry.foundation.privacy import TamperedValue, Vault, create_vault, load_vault
from skills_registry.people import Person

KEYS = Vault({1: b"1" * 32, 2: b"2" * 32}, 2, b"i" * 32, b"c" * 32, b"passphrase")
ROOT = Path(__file__).parent.parent
CITY = '[city]\ndivision_code = "630200"\n'


@given(st.text())
def test_what_is_sealed_opens_to_the_same_text(text: str) -> None:
    row = uuid4()
    sealed = KEYS.seal(Person.name, row, text)
    assert KEYS.open(Person.name, row, sealed) == text
    assert KEYS.seal(Person.name, row, text) != sealed


def test_a_sealed_value_opens_in_its_own_row_and_column_only() -> None:
    row = uuid4()
    sealed = KEYS.seal(Person.name, row, "李晓东")
    for column, other in ((Person.name, uuid4()), (Person.citizen_id, row)):
        with pytest.raises(TamperedValue):
            KEYS.open(column, other, sealed)
    with pytest.raises(TamperedValue):
        KEYS.open(Person.name, row, sealed[:-1] + bytes([sealed[-1] ^ 1]))


def test_values_sealed_under_an_older_key_still_open() -> None:
    row = uuid4()
    older = Vault(KEYS.field_keys, 1, KEYS.index_key, KEYS.commitment_key, b"")
    assert KEYS.open(Person.name, row, older.seal(Person.name, row, "李晓东")) == "李晓东"


def test_a_blind_index_needs_its_key_and_its_purpose() -> None:
    other = Vault(KEYS.field_keys, 2, b"x" * 32, KEYS.commitment_key, b"")
    assert KEYS.index("name", "李晓东") == KEYS.index("name", "李晓东")
    assert len({KEYS.index("name", "李"), KEYS.index("id", "李"), other.index("name", "李")}) == 3


def test_the_secrets_file_is_private_never_replaced_and_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    made = create_vault(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_vault(path) == made
    with pytest.raises(FileExistsError):
        create_vault(path)
    path.write_text("{}")
    with pytest.raises(Unavailable):
        load_vault(path)


def test_the_rule_that_held_on_the_day_is_the_one_that_counts() -> None:
    versions = "".join(
        f'[[fee]]\nvalid_from = {day}\nsource = "第{number}号文"\nyuan = {number}\n'
        for number, day in ((1, "2020-01-01"), (3, "2025-01-01"), (2, "2023-01-01"))
    )
    policy = Policy(CITY + versions)
    days = (date(2020, 1, 1), date(2022, 12, 31), date(2023, 1, 1), date(2024, 12, 31), date(2030, 1, 1))
    assert [policy.rule("fee", day)["yuan"] for day in days] == [1, 1, 2, 2, 3]
    with pytest.raises(NoRuleInForce):
        policy.rule("fee", date(2019, 12, 31))


def test_every_rule_of_the_policy_names_its_source() -> None:
    policy = load_policy()
    for name in policy._rules:
        assert policy.rule(name, date(2026, 6, 1)).source


def test_working_days_follow_the_state_council_calendar_with_moved_days() -> None:
    policy = load_policy()
    # 2025: National Day and Mid-Autumn last from 1 to 8 October; 28 September and 11 October are workdays.
    assert workdays.after(date(2025, 9, 26), 1, policy).day == date(2025, 9, 28)
    assert workdays.after(date(2025, 9, 30), 1, policy).day == date(2025, 10, 9)
    assert workdays.after(date(2025, 10, 10), 1, policy).day == date(2025, 10, 11)
    assert workdays.before(date(2025, 2, 5), 1, policy).day == date(2025, 1, 27)


def test_a_year_not_yet_published_is_computed_by_weekends_and_marked_provisional() -> None:
    deadline = workdays.after(date(2031, 1, 3), 5, load_policy())
    assert (deadline.day, deadline.provisional) == (date(2031, 1, 10), True)


def test_the_policy_may_add_a_year_before_the_package_knows_it() -> None:
    policy = Policy(CITY + "[calendar.2031]\nholidays = [2031-01-06]\nmoved_workdays = [2031-01-04]\n")
    deadline = workdays.after(date(2031, 1, 3), 2, policy)
    assert (deadline.day, deadline.provisional) == (date(2031, 1, 7), False)


@given(st.dates(date(2015, 1, 1), date(2025, 12, 31)), st.integers(0, 30))
def test_counting_working_days_forward_and_back_comes_home(start: date, days: int) -> None:
    policy = load_policy()
    end = workdays.after(start, days, policy).day
    assert end >= start + timedelta(days=days) or days == 0
    if days and workdays.is_workday(start, policy)[0]:
        assert workdays.before(end, days, policy).day == start


def test_the_printed_lifecycles_are_those_of_the_code() -> None:
    assert (ROOT / "docs" / "lifecycles.md").read_text(encoding="utf-8") == lifecycles.printed()


def test_a_lifecycle_with_a_move_to_nowhere_is_a_mistake_at_start_up() -> None:
    with pytest.raises(ValueError, match="unknown state"):
        Lifecycle("thing", "物", {"a": ("甲", "a")}, (Move("go", "a", "b", frozenset()),))
