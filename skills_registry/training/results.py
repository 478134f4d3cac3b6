"""Results sheets (成绩表): hours and scores of those on the roster, told by a sheet.

A result is only taken for somebody who is in the class, under the name that the roster has. A different
earlier result is replaced and kept; an equal one stands. Where sittings are on record, a result belongs to
the last one at which the trainee was due.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from skills_registry import people
from skills_registry.foundation.acts import Act
from skills_registry.foundation.errors import NotFound
from skills_registry.foundation.problems import Problem
from skills_registry.foundation.wording import Typeface
from skills_registry.spreadsheets import Sheet, read, results_workbook
from skills_registry.training import attendance
from skills_registry.training.classes import TrainingClass
from skills_registry.training.enrolments import (
    Enrolment,
    Result,
    enrolment_of,
    name_of,
    record_result,
    roster,
)
from skills_registry.training.pass_rules import pass_rule_of
from skills_registry.training.sheets import CheckedRow, check_results, written
from skills_registry.training.sittings import doubts_about_result, sitting_of
from skills_registry.training.timetable import sessions_of
from skills_registry.training.upload_kinds import SheetKind


class ResultsSheet(SheetKind):
    """A results sheet: each accepted row records one trainee's result."""

    code, zh, en = "results", "成绩表", "results"

    def read(self, training_class: TrainingClass, content: bytes) -> Sheet:
        return read(content, papers=training_class.papers)

    def check(self, act: Act, training_class: TrainingClass, sheet: Sheet) -> list[CheckedRow]:
        return check_results(
            sheet,
            class_hours=training_class.class_hours,
            papers=training_class.papers,
            pass_rule=pass_rule_of(act, training_class),
            today=act.today,
        )

    def doubts(
        self, act: Act, training_class: TrainingClass, row: CheckedRow, *, uncovered: Typeface | None = None
    ) -> list[Problem]:
        (found,) = self.doubts_of_rows(act, training_class, [row], uncovered=uncovered)
        return found

    def doubts_of_rows(
        self,
        act: Act,
        training_class: TrainingClass,
        rows: Sequence[CheckedRow],
        *,
        uncovered: Typeface | None = None,  # noqa: ARG002 - one signature for all kinds
    ) -> list[list[Problem]]:
        attended = _Attended.of(training_class)
        return [self._doubts(act, training_class, row, attended) for row in rows]

    def _doubts(
        self, act: Act, training_class: TrainingClass, row: CheckedRow, attended: _Attended
    ) -> list[Problem]:
        enrolment = _enrolment_on_row(act, training_class, row.values)
        if enrolment is None:
            return [Problem("not_on_roster", "citizen_id")]
        if enrolment.status != "enrolled":
            return [Problem("withdrawn_trainee", "citizen_id")]
        if enrolment.name_index != people.name_index(act.vault, row.values["name"]):
            return [Problem("name_differs_from_roster", "name")]
        hours, scores, _ = result_values(row.values)
        doubts = [
            *attended.against(enrolment, hours),
            *doubts_about_result(training_class, enrolment, scores),
        ]
        return [*doubts, *_doubts_about_earlier(enrolment, row.values)]

    def write(
        self,
        act: Act,
        training_class: TrainingClass,
        values: Mapping[str, Any],
        number: int,  # noqa: ARG002 - one signature for all kinds
    ) -> None:
        enrolment = _enrolment_on_row(act, training_class, values)
        if enrolment is None:
            raise NotFound()
        hours, scores, outcome = result_values(values)
        sitting = sitting_of(enrolment)
        record_result(act, enrolment, hours=hours, scores=scores, outcome=outcome, assessment=sitting)


@dataclass(frozen=True)
class _Attended:
    """What the attendance of a class tells: hours at closed sessions by enrolment, and those of open sessions."""

    hours: Mapping[UUID, Decimal] | None
    still_open: Decimal

    @classmethod
    def of(cls, training_class: TrainingClass) -> _Attended:
        marks = list(attendance.in_class(training_class))
        if not marks:
            return cls(None, Decimal(0))
        hours: dict[UUID, Decimal] = {}
        for row in marks:
            if row.mark == "present" and row.session.status == "closed":
                hours[row.enrolment_id] = hours.get(row.enrolment_id, Decimal(0)) + row.session.class_hours
        waiting = (s.class_hours for s in sessions_of(training_class) if s.status == "planned")
        return cls(hours, sum(waiting, Decimal(0)))

    def against(self, enrolment: Enrolment, claimed: Decimal) -> list[Problem]:
        """What a sheet claims must agree; until all sessions are closed it must still be possible."""
        if self.hours is None:
            return []
        least = self.hours.get(enrolment.id, Decimal(0))
        if least <= claimed <= least + self.still_open:
            return []
        upto = f"–{written(least + self.still_open)}" if self.still_open else ""
        facts: dict[str, str | int | float] = {"claimed": written(claimed), "recorded": written(least) + upto}
        return [Problem("hours_differ_from_attendance", "hours", facts)]


def _enrolment_on_row(act: Act, training_class: TrainingClass, values: Mapping[str, Any]) -> Enrolment | None:
    person = people.find(act.vault, values["citizen_id"])
    return enrolment_of(training_class, person.id) if person else None


def _doubts_about_earlier(enrolment: Enrolment, values: Mapping[str, Any]) -> list[Problem]:
    earlier = Result.get_or_none((Result.enrolment == enrolment.id) & Result.current)
    if earlier is None:
        return []
    hours, scores, outcome = result_values(values)
    written = {paper: None if score is None else str(score) for paper, score in scores.items()}
    sitting = sitting_of(enrolment)
    same = (earlier.hours, earlier.scores, earlier.outcome, earlier.assessment) == (
        hours,
        written,
        outcome,
        sitting,
    )
    return [Problem("result_unchanged" if same else "result_replaced", "citizen_id")]


def result_values(values: Mapping[str, Any]) -> tuple[Decimal, dict[str, Decimal | None], str]:
    """Hours, scores and outcome of an accepted results row."""
    scores = {
        paper: None if score is None else Decimal(str(score)) for paper, score in values["scores"].items()
    }
    return Decimal(str(values["hours"])), scores, str(values["outcome"])


def results_sheet(act: Act, training_class: TrainingClass) -> bytes:
    """A results sheet (.xlsx) prefilled from the roster, ready to be filled in and uploaded.

    Where all sessions are closed the hours attended stand in it already.
    """
    rows = roster(training_class)
    trainees = [(name_of(act.vault, row), people.citizen_id_of(act.vault, row.person)) for row in rows]
    attended = attendance.hours_attended(training_class) if attendance.complete(training_class) else None
    return results_workbook(
        training_class.title,
        trainees,
        training_class.papers,
        class_hours=training_class.class_hours,
        hours_attended=[attended[row.id] for row in rows] if attended else (),
    )
