"""Row rules: what a roster row and a results row must be, judged from the sheet alone."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skills_registry.foundation.errors import FileRefused
from skills_registry.spreadsheets import CellError, Sheet, SheetRow, read
from skills_registry.training.sheets import (
    CheckedRow,
    PassRule,
    check_results,
    check_roster,
    read_date,
    read_figure,
)
from tests.made_sheets import MAN, PAPERS, WOMAN, sample

AGES = {"men": [16, 59], "women": [16, 54]}
RULE = PassRule(attendance_share=Decimal("0.8"), pass_mark=Decimal(60), full_mark=Decimal(100))
STARTS, TODAY = date(2025, 3, 3), date(2025, 4, 20)


def sheet_of(*rows: dict[str, Any], columns: tuple[str, ...] = ()) -> Sheet:
    fields = frozenset(columns) | frozenset(key for row in rows for key in row)
    made = tuple(SheetRow(number, row, list(row.values())) for number, row in enumerate(rows, start=2))
    return Sheet(tuple(fields), 1, fields, made)


def rostered(*rows: dict[str, Any]) -> list[CheckedRow]:
    return check_roster(sheet_of(*rows), class_starts_on=STARTS, today=TODAY, employment_age=AGES)


def resulted(*rows: dict[str, Any], papers: dict[str, str] = PAPERS, hours: int = 100) -> list[CheckedRow]:
    sheet = sheet_of(*rows, columns=("hours", *papers))
    return check_results(sheet, class_hours=hours, papers=papers, pass_rule=RULE, today=TODAY)


def codes(row: CheckedRow) -> list[tuple[str, str]]:
    return [(problem.code, problem.field) for problem in row.problems]


def roster_row(**cells: Any) -> dict[str, Any]:
    return {"name": "李明", "citizen_id": WOMAN, **cells}


def results_row(**cells: Any) -> dict[str, Any]:
    return {
        "name": "李明",
        "citizen_id": WOMAN,
        "hours": 100,
        "theory": 60,
        "practice": 60,
        "verdict": "合格",
        **cells,
    }


# --- the samples


def test_the_messy_roster_gives_exactly_what_is_expected() -> None:
    expected = json.loads(sample("roster-messy.expected.json"))
    rows = check_roster(
        read(sample("roster-messy.xlsx")), class_starts_on=STARTS, today=TODAY, employment_age=AGES
    )
    found = []
    for row in rows:
        one: dict[str, Any] = {
            "sheet_row": row.number,
            "outcome": "accepted" if row.is_accepted else "rejected",
        }
        for problem in row.problems:
            assert "code" not in one, "one problem in each row of the sample"
            one |= {"code": problem.code, "severity": problem.severity, "field": problem.field}
        found.append(one)
    assert found == expected["rows"]
    assert len(rows) == expected["data_rows"]
    assert sum(row.is_accepted for row in rows) == expected["accepted"]


@pytest.mark.parametrize("name", ["roster-clean.xlsx", "roster-clean.xls", "roster-gbk.csv"])
def test_the_clean_rosters_are_accepted_whole(name: str) -> None:
    rows = check_roster(read(sample(name)), class_starts_on=STARTS, today=TODAY, employment_age=AGES)
    assert len(rows) == 30
    assert all(row.is_accepted for row in rows)
    assert {problem.code for row in rows for problem in row.problems} <= {"outside_employment_age"}


@pytest.mark.parametrize("name", ["results-clean.xlsx", "results-clean.xls"])
def test_the_clean_results_are_accepted_and_two_have_failed(name: str) -> None:
    expected = json.loads(sample("results-clean.expected.json"))
    sheet = read(sample(name), papers=PAPERS)
    rows = check_results(sheet, class_hours=120, papers=PAPERS, pass_rule=RULE, today=TODAY)
    assert len(rows) == expected["rows"]
    assert all(row.problems == [] for row in rows)
    assert Counter(row.values["outcome"] for row in rows) == {
        "passed": expected["passed"],
        "failed": expected["failed"],
    }


# --- rosters


def test_all_problems_of_a_row_are_found_at_once() -> None:
    (row,) = rostered(roster_row(name="=李", citizen_id="123", disability_card="1", sex="?", phone="1"))
    assert codes(row) == [
        ("name_characters", "name"),
        ("id_length", "citizen_id"),
        ("card_format", "disability_card"),
        ("sex_format", "sex"),
        ("phone_format", "phone"),
    ]
    assert not row.is_accepted


def test_an_accepted_row_carries_normalised_values() -> None:
    (row,) = rostered(
        roster_row(
            name=" 买买提•艾力 ",
            citizen_id=MAN,
            disability_card=MAN + "24b1",
            sex="男",
            birth_date="1982年8月16日",
            phone=13938893829,
            education=" 初中 ",
            remark=None,
        )
    )
    assert codes(row) == [("name_separator_normalised", "name")]
    assert row.values == {
        "name": "买买提·艾力",
        "citizen_id": MAN,
        "disability_card": MAN + "24B1",
        "sex": "male",
        "birth_date": date(1982, 8, 16),
        "phone": "13938893829",
        "education": "初中",
        "remark": "",
    }


def test_the_sex_comes_from_the_sheet_and_else_from_the_id() -> None:
    stated, told = rostered(roster_row(sex="男"), roster_row(citizen_id=MAN))
    assert (stated.values["sex"], codes(stated)) == ("male", [("sex_mismatch", "sex")])
    assert (told.values["sex"], codes(told)) == ("male", [])


@pytest.mark.parametrize(
    ("citizen_id", "starts", "inside"),
    [
        (WOMAN, date(2038, 10, 17), True),  # born 1983-10-18: 54 until the day before the 55th birthday
        (WOMAN, date(2038, 10, 18), False),
        (MAN, date(2042, 8, 15), True),  # born 1982-08-16: 59 until the day before the 60th birthday
        (MAN, date(2042, 8, 16), False),
        (MAN, date(1998, 8, 15), False),
        (MAN, date(1998, 8, 16), True),
    ],
)
def test_the_employment_age_is_counted_on_the_first_day_of_class(
    citizen_id: str, starts: date, inside: bool
) -> None:
    (row,) = check_roster(
        sheet_of(roster_row(citizen_id=citizen_id)),
        class_starts_on=starts,
        today=date(2050, 1, 1),
        employment_age=AGES,
    )
    assert codes(row) == ([] if inside else [("outside_employment_age", "citizen_id")])
    assert row.is_accepted


def test_a_second_row_of_one_person_names_the_first() -> None:
    first, other, second = rostered(
        roster_row(), roster_row(citizen_id=MAN), roster_row(name="别名", citizen_id=f" {WOMAN}")
    )
    assert (codes(first), codes(other)) == ([], [])
    assert codes(second) == [("duplicate_in_file", "citizen_id")]
    assert second.problems[0].facts == {"first_row": 2}


def test_a_card_is_compared_with_a_sound_id_only() -> None:
    mismatch, unsound = rostered(
        roster_row(disability_card=MAN + "43"),
        roster_row(citizen_id=WOMAN[:17] + "9", disability_card=MAN + "43"),
    )
    assert codes(mismatch) == [("card_id_mismatch", "disability_card")]
    assert codes(unsound) == [("id_checksum", "citizen_id")]


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (date(1983, 10, 18), None),
        ("1983-10-18", None),
        ("1983/10/18", None),
        ("１９８３.10.18", None),
        ("19831018", None),
        (19831018, None),
        ("1983年10月", None),
        ("1983-10", None),
        (198310, None),
        ("", None),
        (None, None),
        ("1983-10-19", "birth_date_mismatch"),
        ("198311", "birth_date_mismatch"),
        ("1983-13-01", "date_format"),
        ("十月", "date_format"),
        (30242, "date_format"),
    ],
)
def test_a_stated_birth_date_is_compared_with_the_id(cell: Any, code: str | None) -> None:
    (row,) = rostered(roster_row(birth_date=cell))
    assert codes(row) == ([(code, "birth_date")] if code else [])
    assert row.values["birth_date"] == date(1983, 10, 18)


def test_formula_errors_in_fields_that_count_are_named_and_in_others_ignored() -> None:
    error = CellError("#N/A")
    (row,) = rostered(
        {
            "name": error,
            "citizen_id": error,
            "disability_card": error,
            "phone": error,
            "sex": error,
            "remark": error,
        }
    )
    assert codes(row) == [
        ("unreadable_cell", "name"),
        ("unreadable_cell", "citizen_id"),
        ("unreadable_cell", "disability_card"),
    ]


# --- results


@pytest.mark.parametrize(
    ("hours", "theory", "practice", "outcome"),
    [
        (80, 60, 60, "passed"),
        (79.5, 60, 60, "failed"),
        (100, 59.5, 100, "failed"),
        (100, 100, "59.99", "failed"),
        ("80", "60分", "６０", "passed"),
        (100, "缺考", 90, "failed"),
        (0, "缺考", " 缺 考 ", "failed"),
        (0, 0, "0", "failed"),
    ],
)
def test_passing_takes_enough_attendance_and_every_paper(
    hours: Any, theory: Any, practice: Any, outcome: str
) -> None:
    (row,) = resulted(results_row(hours=hours, theory=theory, practice=practice, verdict=""))
    assert codes(row) == []
    assert row.values["outcome"] == outcome


def test_a_paper_not_sat_has_no_score_and_says_so() -> None:
    (row,) = resulted(results_row(theory="缺考", verdict="不合格"))
    assert codes(row) == []
    assert row.values["scores"] == {"theory": None, "practice": Decimal(60)}
    assert row.values["absent"] == ["theory"]


@pytest.mark.parametrize(
    ("verdict", "theory"), [("合格", 59), ("是", "缺考"), ("不合格", 60), ("×", 60), (False, 60)]
)
def test_what_the_sheet_says_and_what_the_scores_say_must_agree(verdict: Any, theory: Any) -> None:
    (row,) = resulted(results_row(verdict=verdict, theory=theory))
    assert codes(row) == [("verdict_contradicts_scores", "verdict")]
    sentence = row.problems[0].sentence()
    assert "80%" in sentence
    assert "60分" in sentence


@pytest.mark.parametrize("verdict", ["合格", "通过", "是", "√", True, "", None, "　"])
def test_a_pass_is_written_in_many_ways_or_left_to_the_scores(verdict: Any) -> None:
    (row,) = resulted(results_row(verdict=verdict))
    assert codes(row) == []
    assert row.values["outcome"] == "passed"


def test_a_verdict_that_is_none_is_refused_with_the_words_to_use() -> None:
    (row,) = resulted(results_row(verdict="优秀"))
    assert codes(row) == [("verdict_format", "verdict")]


@pytest.mark.parametrize(
    ("field", "cell", "code"),
    [
        ("hours", None, "missing"),
        ("hours", "—", "missing"),
        ("hours", 100.5, "hours_range"),
        ("hours", -1, "hours_range"),
        ("hours", "-5", "hours_range"),
        ("hours", "全勤", "hours_range"),
        ("hours", "9-5", "hours_range"),
        ("hours", "7 5", "hours_range"),
        ("hours", 79.25, "too_many_decimals"),
        ("hours", CellError("#REF!"), "unreadable_cell"),
        ("hours", True, "hours_range"),
        ("theory", "", "missing"),
        ("theory", 101, "score_range"),
        ("theory", -1, "score_range"),
        ("theory", "合格", "score_range"),
        ("theory", date(2025, 1, 1), "score_range"),
        ("theory", datetime(2025, 1, 1, 8), "score_range"),  # noqa: DTZ001 - a cell knows no zone
        ("theory", float("nan"), "score_range"),
        ("theory", float("inf"), "score_range"),
        ("theory", "１e2", "score_range"),
        ("theory", 83.333333, "too_many_decimals"),
        ("practice", CellError("#N/A"), "unreadable_cell"),
    ],
)
def test_hours_and_scores_are_numbers_in_their_range(field: str, cell: Any, code: str) -> None:
    (row,) = resulted(results_row(**{field: cell}))
    assert codes(row) == [(code, field)]
    assert all(problem.sentence("zh") and problem.sentence("en") for problem in row.problems)
    assert "outcome" not in row.values


def test_a_missing_score_tells_what_to_write_for_an_exam_not_sat() -> None:
    (row,) = resulted(results_row(theory=None))
    assert "缺考" in row.problems[0].sentence()
    (hours,) = resulted(results_row(hours=None))
    assert "缺考" not in hours.problems[0].sentence()


def test_scores_are_decimals_without_the_noise_of_floats() -> None:
    (row,) = resulted(results_row(theory=85.30000000000001, practice="90.50", hours=99.5))
    assert row.values["scores"] == {"theory": Decimal("85.3"), "practice": Decimal("90.5")}
    assert [str(score) for score in row.values["scores"].values()] == ["85.3", "90.5"]
    assert str(row.values["hours"]) == "99.5"


def test_a_paper_of_the_class_s_own_is_called_by_its_name() -> None:
    (row,) = resulted(
        {"name": "李明", "citizen_id": WOMAN, "hours": 100, "oral": 200}, papers={"oral": "口试"}
    )
    assert codes(row) == [("score_range", "oral")]
    assert row.problems[0].sentence().startswith("口试成绩应为0至100")


def test_a_sheet_without_a_column_of_the_class_s_papers_is_refused_whole() -> None:
    with pytest.raises(FileRefused) as caught:
        check_results(
            sheet_of(roster_row(), columns=("theory",)),
            class_hours=100,
            papers=PAPERS,
            pass_rule=RULE,
            today=TODAY,
        )
    assert caught.value.facts["columns"] == "出勤课时、实操成绩"


def test_results_of_one_person_twice_are_refused() -> None:
    _, second = resulted(results_row(), results_row(theory=70))
    assert codes(second) == [("duplicate_in_file", "citizen_id")]


@given(
    st.decimals(0, 100, places=2),
    st.decimals(0, 100, places=2),
    st.decimals(0, 100, places=1),
    st.integers(1, 100),
)
def test_a_better_score_or_more_hours_never_turn_a_pass_into_a_fail(
    theory: Decimal, practice: Decimal, hours: Decimal, more: int
) -> None:
    outcome = RULE.outcome(hours, Decimal(100), {"theory": theory, "practice": practice})
    better = RULE.outcome(hours + more, Decimal(100), {"theory": theory + more, "practice": practice + more})
    assert (outcome, better) != ("passed", "failed")
    assert (outcome == "passed") == (hours >= 80 and theory >= 60 and practice >= 60)


@given(st.decimals(0, 1000, places=2))
def test_a_score_reads_the_same_from_figure_and_text(score: Decimal) -> None:
    assert read_figure(float(score)) == read_figure(str(score)) == read_figure(f" {score}分 ") == score


@given(st.one_of(st.text(max_size=12), st.floats(), st.integers(), st.booleans(), st.none(), st.dates()))
def test_any_cell_is_read_as_a_figure_or_as_none(cell: Any) -> None:
    figure = read_figure(cell)
    assert figure is None or figure >= 0
    assert read_date(cell) is None or isinstance(read_date(cell), date)


def test_no_repr_of_a_checked_row_shows_what_is_in_it() -> None:
    (row,) = rostered(roster_row(sex="男"))
    assert WOMAN not in repr(row)
    assert "李明" not in repr(row)
