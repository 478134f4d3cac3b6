"""Row rules: what a roster row and a results row must be, judged from the sheet alone.

All problems of all rows are found at once; errors refuse the row, warnings do not. Scores and hours
are decimals, never floats. What only the records know (already enrolled, not on the roster, another
name) is asked elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from skills_registry.foundation.identifiers import (
    CitizenId,
    check_citizen_id,
    check_disability_card,
    check_phone,
    check_sex,
    clean_name,
    fold_number,
)
from skills_registry.foundation.identifiers.folding import BLANKS, INVISIBLE, fold_width
from skills_registry.foundation.problems import Problem
from skills_registry.spreadsheets import Cell, CellError, Sheet, SheetRow, require_fields

#: The sexes as the employment-age rule names them (DOMAIN §6).
_AGE_KEYS = {"male": "men", "female": "women"}
_LONGEST_REMARK = 500

#: What stands for an exam that was not sat (缺考); it counts as not passed.
_ABSENT = frozenset({"缺考", "缺", "缺席", "旷考", "弃考", "未考", "未参加", "ABSENT"})
_VERDICTS: dict[str, str] = {
    **dict.fromkeys(("合格", "通过", "及格", "是", "√", "✓", "TRUE", "PASS", "PASSED"), "passed"),
    **dict.fromkeys(
        ("不合格", "未通过", "不通过", "不及格", "否", "X", "FALSE", "FAIL", "FAILED", *_ABSENT), "failed"
    ),
}
_VERDICT_WORDS = {"passed": ("合格", "passed"), "failed": ("不合格", "failed")}

#: Decimal places kept: half hours, and scores as mean of several examiners.
_HOURS_PLACES, _SCORE_PLACES = 1, 2
#: A figure in a sheet carries noise behind its fifteenth digit (85.30000000000001).
_TRUE_DIGITS = 15
_FIGURE = re.compile(r"([0-9]+(?:\.[0-9]+)?)(?:分|课时|学时|节|小时|H)?")
_FULL_DATE = re.compile(
    r"([0-9]{4})(?:([0-9]{2})([0-9]{2})|[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?)(?: 0{1,2}:00(?::00)?)?"
)
_YEAR_MONTH = re.compile(r"([0-9]{4})(?:([0-9]{2})|[-/.年]([0-9]{1,2})月?)")


@dataclass(frozen=True)
class CheckedRow:
    """One row judged: ``values`` holds the normalised fields that are sound."""

    number: int
    values: dict[str, Any] = field(repr=False)
    problems: list[Problem]

    @property
    def is_accepted(self) -> bool:
        """No problem is an error."""
        return not any(problem.is_error for problem in self.problems)


@dataclass(frozen=True)
class PassRule:
    """When a trainee has passed (结业合格): enough hours attended, and every paper at the mark.

    ``attendance_share`` of the class hours (0.8 is 80 %), ``pass_mark`` and ``full_mark`` in points.
    Source: the policy's ``pass_rule``.
    """

    attendance_share: Decimal
    pass_mark: Decimal
    full_mark: Decimal

    def outcome(self, hours: Decimal, class_hours: Decimal, scores: Mapping[str, Decimal | None]) -> str:
        """``"passed"`` or ``"failed"``; a paper not sat is not passed."""
        attended = hours >= class_hours * self.attendance_share
        sat = all(score is not None and score >= self.pass_mark for score in scores.values())
        return "passed" if attended and sat else "failed"

    def facts(self, outcome: str) -> dict[str, str | int | float]:
        """The rule and what it demands, for a sentence."""
        zh, en = _VERDICT_WORDS[outcome]
        return {
            "attendance_percent": written(self.attendance_share * 100),
            "pass_mark": written(self.pass_mark),
            "verdict_zh": zh,
            "verdict_en": en,
        }


def check_roster(
    sheet: Sheet, *, class_starts_on: date, today: date, employment_age: Mapping[str, Sequence[int]]
) -> list[CheckedRow]:
    """Judge a roster.

    ``employment_age`` gives ``men`` and ``women`` as first and last year of age (就业年龄段). Values:
    ``name``, ``citizen_id``, ``sex``, ``birth_date``, ``disability_card``, ``phone``, ``education``,
    ``remark``.
    """

    def check(row: SheetRow) -> CheckedRow:
        checked = identified(row, today)
        _add_personal_details(row, checked, today)
        _warn_of_age(checked, today, class_starts_on, employment_age)
        return checked

    return checked_once_each(sheet, check)


def check_results(
    sheet: Sheet, *, class_hours: Decimal | int, papers: Mapping[str, str], pass_rule: PassRule, today: date
) -> list[CheckedRow]:
    """Judge a results sheet.

    ``class_hours`` of 45 minutes; ``papers`` maps a paper's code to its Chinese name. Values: ``name``,
    ``citizen_id``, ``hours``, ``scores`` (code → decimal, or None where not sat), ``absent`` (codes of
    the papers not sat), ``outcome`` (``passed`` or ``failed``), ``remark``.

    :raises FileRefused: the sheet has no column for the hours or for a paper.
    """
    require_fields(sheet, ("hours", *papers), papers)
    full = Decimal(class_hours)

    def check(row: SheetRow) -> CheckedRow:
        checked = identified(row, today)
        hours = _read_hours(row, checked, full)
        scores = _read_scores(row, checked, papers, pass_rule)
        stated = _read_verdict(row, checked)
        if hours is not None and len(scores) == len(papers):
            outcome = pass_rule.outcome(hours, full, scores)
            checked.values["outcome"] = outcome
            if stated and stated != outcome:
                facts = pass_rule.facts(outcome)
                checked.problems.append(Problem("verdict_contradicts_scores", "verdict", facts))
        checked.values["remark"] = words_of(row.cells.get("remark"))
        return checked

    return checked_once_each(sheet, check)


def checked_once_each(sheet: Sheet, check: Callable[[SheetRow], CheckedRow]) -> list[CheckedRow]:
    """Check every row; a citizen ID that stands in an earlier row is refused."""
    first_rows: dict[str, int] = {}
    rows = []
    for row in sheet.rows:
        checked = check(row)
        citizen_id = checked.values.get("citizen_id", "")
        first = first_rows.setdefault(citizen_id, row.number) if citizen_id else row.number
        if first != row.number:
            checked.problems.append(Problem("duplicate_in_file", "citizen_id", {"first_row": first}))
        rows.append(checked)
    return rows


def identified(row: SheetRow, today: date) -> CheckedRow:
    """Name and citizen ID, which every row must have."""
    checked = CheckedRow(row.number, {}, [])
    if not _is_unreadable(row, checked, "name"):
        name = clean_name(row.cells.get("name"))
        checked.problems.extend(name.problems)
        if name.is_sound:
            checked.values["name"] = name.text
    if not _is_unreadable(row, checked, "citizen_id"):
        citizen_id = check_citizen_id(row.cells.get("citizen_id"), today)
        checked.problems.extend(citizen_id.problems)
        if citizen_id.is_sound:
            checked.values["citizen_id"] = citizen_id.text
    return checked


def _is_unreadable(row: SheetRow, checked: CheckedRow, name: str, **facts: str) -> bool:
    """Whether a cell is a formula's error value; then the row says so."""
    if isinstance(row.cells.get(name), CellError):
        checked.problems.append(Problem("unreadable_cell", name, dict(facts)))
        return True
    return False


def _add_personal_details(row: SheetRow, checked: CheckedRow, today: date) -> None:
    citizen_id = _citizen_id(checked, today)
    if not _is_unreadable(row, checked, "disability_card"):
        card = check_disability_card(row.cells.get("disability_card"), checked.values.get("citizen_id", ""))
        checked.problems.extend(card.problems)
        checked.values["disability_card"] = card.text if not card.problems else ""
    stated = check_sex(_text_or_none(row.cells.get("sex")))
    checked.problems.extend(stated.problems)
    told = citizen_id.sex if citizen_id else None
    if stated.sex and told and stated.sex != told:
        checked.problems.append(Problem("sex_mismatch", "sex"))
    checked.values["sex"] = stated.sex or told or ""
    _add_birth_date(row, checked, citizen_id)
    phone = check_phone(_text_or_none(row.cells.get("phone")))
    checked.problems.extend(phone.problems)
    checked.values["phone"] = phone.text
    checked.values["education"] = words_of(row.cells.get("education"))
    checked.values["remark"] = words_of(row.cells.get("remark"))


def _citizen_id(checked: CheckedRow, today: date) -> CitizenId | None:
    text = checked.values.get("citizen_id")
    return check_citizen_id(text, today) if text else None


def _add_birth_date(row: SheetRow, checked: CheckedRow, citizen_id: CitizenId | None) -> None:
    """Compare the stated birth date, which may be a year and a month, with the one in the ID."""
    cell = row.cells.get("birth_date")
    told = citizen_id.birth_date if citizen_id else None
    checked.values["birth_date"] = told
    if _is_unreadable(row, checked, "birth_date") or _text_or_none(cell) is None:
        return
    stated = read_date(cell)
    month = _read_month(cell)
    if stated is None and month is None:
        checked.problems.append(Problem("date_format", "birth_date"))
    elif told and (stated != told if stated else month != (told.year, told.month)):
        checked.problems.append(Problem("birth_date_mismatch", "birth_date"))


def _warn_of_age(
    checked: CheckedRow, today: date, class_starts_on: date, employment_age: Mapping[str, Sequence[int]]
) -> None:
    citizen_id = _citizen_id(checked, today)
    sex = checked.values["sex"]
    if citizen_id is None or not sex:
        return
    first, last = employment_age[_AGE_KEYS[sex]]
    if not first <= citizen_id.age_on(class_starts_on) <= last:
        (men_from, men_to), (women_from, women_to) = employment_age["men"], employment_age["women"]
        facts: dict[str, str | int | float] = {
            "men_from": men_from, "men_to": men_to, "women_from": women_from, "women_to": women_to,
        }  # fmt: skip
        checked.problems.append(Problem("outside_employment_age", "citizen_id", facts))


def _read_hours(row: SheetRow, checked: CheckedRow, class_hours: Decimal) -> Decimal | None:
    if _is_unreadable(row, checked, "hours"):
        return None
    cell = row.cells.get("hours")
    if _text_or_none(cell) is None:
        checked.problems.append(Problem("missing", "hours"))
        return None
    hours = read_figure(cell)
    if hours is None or hours > class_hours:
        checked.problems.append(Problem("hours_range", "hours", {"limit": written(class_hours)}))
        return None
    if _places(hours) > _HOURS_PLACES:
        checked.problems.append(Problem("too_many_decimals", "hours", {"places": _HOURS_PLACES}))
        return None
    checked.values["hours"] = hours
    return hours


def _read_scores(
    row: SheetRow, checked: CheckedRow, papers: Mapping[str, str], rule: PassRule
) -> dict[str, Decimal | None]:
    """The sound scores by paper; None where the exam was not sat."""
    scores: dict[str, Decimal | None] = {}
    for paper, label in papers.items():
        names = _paper_names(paper, label)
        if _is_unreadable(row, checked, paper, **names):
            continue
        cell = row.cells.get(paper)
        if fold_number(_text_or_none(cell)).text in _ABSENT:
            scores[paper] = None
            continue
        problem = _score_problem(cell, rule)
        if problem:
            code, facts = problem
            checked.problems.append(Problem(code, paper, {**names, **facts}))
        else:
            scores[paper] = read_figure(cell)
    checked.values["scores"] = scores
    checked.values["absent"] = [paper for paper, score in scores.items() if score is None]
    return scores


def _score_problem(cell: Cell, rule: PassRule) -> tuple[str, dict[str, str | int | float]] | None:
    if _text_or_none(cell) is None:
        return "missing", {"form": "score"}
    score = read_figure(cell)
    if score is None or score > rule.full_mark:
        return "score_range", {"limit": written(rule.full_mark)}
    if _places(score) > _SCORE_PLACES:
        return "too_many_decimals", {"places": _SCORE_PLACES}
    return None


def _paper_names(paper: str, label: str) -> dict[str, str]:
    """What a paper beyond the usual two is called in a sentence."""
    if paper in ("theory", "practice"):
        return {}
    return {"field_zh": label if label.endswith("成绩") else f"{label}成绩", "field_en": f"score in {paper}"}


def _read_verdict(row: SheetRow, checked: CheckedRow) -> str:
    """What the sheet says, or an empty text where it says nothing."""
    if _is_unreadable(row, checked, "verdict"):
        return ""
    text = fold_number(_text_or_none(row.cells.get("verdict"))).text
    if text and text not in _VERDICTS:
        checked.problems.append(Problem("verdict_format", "verdict"))
    return _VERDICTS.get(text, "")


def read_figure(cell: Cell) -> Decimal | None:
    """A number not below zero, from a figure or from text such as ``85`` or ``85分``; None if it is none."""
    if isinstance(cell, (bool, date, CellError)) or cell is None:
        return None
    if isinstance(cell, str):
        found = _FIGURE.fullmatch(_plain_text(cell))
        return Decimal(written(Decimal(found[1]))) if found else None
    figure = Decimal(f"{cell:.{_TRUE_DIGITS}g}")
    return Decimal(written(figure)) if figure.is_finite() and figure >= 0 else None


def written(figure: Decimal) -> str:
    """A decimal as people write it: no exponent, no zeros at the end."""
    text = f"{figure:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _places(figure: Decimal) -> int:
    return max(0, -int(figure.as_tuple().exponent))


def read_date(cell: Cell) -> date | None:
    """A day, from a date cell or from text such as 2025-03-01, 2025/3/1, 2025年3月1日, 20250301."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    found = _FULL_DATE.fullmatch(_date_text(cell))
    if found is None:
        return None
    try:
        return date(int(found[1]), int(found[2] or found[4]), int(found[3] or found[5]))
    except ValueError:
        return None


def _read_month(cell: Cell) -> tuple[int, int] | None:
    found = _YEAR_MONTH.fullmatch(_date_text(cell))
    month = int(found[2] or found[3]) if found else 0
    return (int(found[1]), month) if found and 1 <= month <= 12 else None


def _date_text(cell: Cell) -> str:
    return "" if isinstance(cell, (bool, CellError)) or cell is None else _plain_text(str(cell))


def _plain_text(text: str) -> str:
    """Full-width signs folded and blanks at the ends cut; inside nothing is joined: 8-5 is not 85."""
    return fold_width(text).strip(BLANKS + INVISIBLE + "'").upper()


def _text_or_none(cell: Cell) -> Cell:
    """The cell, or None where it is blank or a formula's error value of a column that only informs."""
    if isinstance(cell, CellError) or (isinstance(cell, str) and not fold_number(cell).text):
        return None
    return cell


def words_of(cell: Cell) -> str:
    """A remark as text, bounded; an error value says nothing."""
    if cell is None or isinstance(cell, CellError):
        return ""
    return str(cell).strip()[:_LONGEST_REMARK]
