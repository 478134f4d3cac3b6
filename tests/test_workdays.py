"""Working days against the calendars that the State Council published, moved workdays included.

The facts are written by hand from the notices 国办发明电〔2022〕16号 (2023), 国办发明电〔2023〕7号 (2024) and
国办发明电〔2024〕12号 (2025): what rests, and which Saturdays and Sundays work in exchange.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from skills_registry.foundation import workdays
from skills_registry.foundation.policy import Policy, load_policy

POLICY = load_policy()
EMPTY = Policy('[city]\ndivision_code = "630200"\n')


def days(first: str, last: str) -> Iterator[date]:
    day = date.fromisoformat(first)
    while day <= date.fromisoformat(last):
        yield day
        day += timedelta(days=1)


#: Year, the holidays from first to last day, the weekend days that work.
PUBLISHED: dict[int, tuple[tuple[tuple[str, str], ...], tuple[str, ...]]] = {
    2023: (
        (
            ("2023-01-01", "2023-01-02"),  # 元旦 (from 31 December)
            ("2023-01-21", "2023-01-27"),  # 春节
            ("2023-04-05", "2023-04-05"),  # 清明节
            ("2023-04-29", "2023-05-03"),  # 劳动节
            ("2023-06-22", "2023-06-24"),  # 端午节
            ("2023-09-29", "2023-10-06"),  # 中秋节、国庆节
        ),
        ("2023-01-28", "2023-01-29", "2023-04-23", "2023-05-06", "2023-06-25", "2023-10-07", "2023-10-08"),
    ),
    2024: (
        (
            ("2024-01-01", "2024-01-01"),
            ("2024-02-10", "2024-02-17"),
            ("2024-04-04", "2024-04-06"),
            ("2024-05-01", "2024-05-05"),
            ("2024-06-10", "2024-06-10"),
            ("2024-09-15", "2024-09-17"),
            ("2024-10-01", "2024-10-07"),
        ),
        (
            "2024-02-04",
            "2024-02-18",
            "2024-04-07",
            "2024-04-28",
            "2024-05-11",
            "2024-09-14",
            "2024-09-29",
            "2024-10-12",
        ),
    ),
    2025: (
        (
            ("2025-01-01", "2025-01-01"),
            ("2025-01-28", "2025-02-04"),
            ("2025-04-04", "2025-04-06"),
            ("2025-05-01", "2025-05-05"),
            ("2025-05-31", "2025-06-02"),
            ("2025-10-01", "2025-10-08"),
        ),
        ("2025-01-26", "2025-02-08", "2025-04-27", "2025-09-28", "2025-10-11"),
    ),
}

#: Working days of the year, as the notices make them.
WORKING_DAYS = {2023: 249, 2024: 251, 2025: 248}


def works(day: date, year: int) -> bool:
    holidays, moved = PUBLISHED[year]
    if day.isoformat() in moved:
        return True
    return day.weekday() < 5 and not any(first <= day.isoformat() <= last for first, last in holidays)


@pytest.mark.parametrize("year", PUBLISHED)
def test_every_day_of_a_published_year_works_or_rests_as_the_notice_says(year: int) -> None:
    wrong = [
        day
        for day in days(f"{year}-01-01", f"{year}-12-31")
        if workdays.is_workday(day, POLICY) != (works(day, year), False)
    ]
    assert wrong == []


@pytest.mark.parametrize(("year", "count"), WORKING_DAYS.items())
def test_a_published_year_has_as_many_working_days_as_the_notice_makes(year: int, count: int) -> None:
    found = [day for day in days(f"{year}-01-01", f"{year}-12-31") if workdays.is_workday(day, POLICY)[0]]
    assert len(found) == count


@pytest.mark.parametrize(
    ("start", "count", "last"),
    [
        # 2023: Friday before 春节; Saturday and Sunday 28 and 29 January work.
        ("2023-01-20", 1, "2023-01-28"),
        ("2023-01-20", 5, "2023-02-01"),
        # 2023: eight days of 中秋 and 国庆, then the weekend of 7 and 8 October works.
        ("2023-09-28", 5, "2023-10-11"),
        # 2024: Sunday 4 February works before 春节, Sunday 18 February after it.
        ("2024-02-02", 7, "2024-02-18"),
        # 2024: Sunday 28 April and Saturday 11 May work around 劳动节.
        ("2024-04-26", 9, "2024-05-11"),
        # 2025: Sunday 26 January and Saturday 8 February work around 春节.
        ("2025-01-24", 5, "2025-02-07"),
        ("2025-01-24", 6, "2025-02-08"),
        # 2025: Sunday 28 September and Saturday 11 October work around 国庆 and 中秋.
        ("2025-09-26", 5, "2025-10-10"),
        ("2025-09-26", 6, "2025-10-11"),
    ],
)
def test_a_period_of_working_days_ends_where_the_notice_puts_it(start: str, count: int, last: str) -> None:
    deadline = workdays.after(date.fromisoformat(start), count, POLICY)
    assert (deadline.day.isoformat(), deadline.provisional) == (last, False)


def test_a_period_across_the_year_end_counts_both_calendars() -> None:
    # 30 December 2024 and 31 December work, 1 January rests.
    assert workdays.after(date(2024, 12, 27), 3, POLICY).day == date(2025, 1, 2)


@pytest.mark.parametrize(
    ("start", "months", "last"),
    [
        ("2025-03-10", 1, "2025-04-10"),
        ("2025-01-31", 1, "2025-02-28"),  # no 31 February
        ("2024-01-31", 1, "2024-02-29"),
        ("2025-09-03", 1, "2025-10-09"),  # 3 October rests until the 8th
        ("2025-08-28", 1, "2025-09-28"),  # a Sunday that works
        ("2025-03-15", 1, "2025-04-15"),
        ("2024-11-04", 24, "2026-11-04"),
    ],
)
def test_a_period_of_months_ends_on_its_day_or_on_the_next_working_day(
    start: str, months: int, last: str
) -> None:
    assert workdays.after_months(date.fromisoformat(start), months, POLICY).day.isoformat() == last


def test_months_that_end_in_an_unpublished_year_are_provisional_only_when_their_last_day_may_move() -> None:
    assert workdays.after_months(date(2031, 1, 3), 1, EMPTY).provisional
    assert not workdays.after_months(date(2025, 3, 10), 1, EMPTY).provisional
    published = Policy(
        '[city]\ndivision_code = "630200"\n'
        "[calendar.2031]\nholidays = [2031-02-03, 2031-02-04]\nmoved_workdays = [2031-02-02]\n"
    )
    deadline = workdays.after_months(date(2031, 1, 3), 1, published)
    assert (deadline.day, deadline.provisional) == (date(2031, 2, 5), False)
