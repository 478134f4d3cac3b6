"""Rosters (花名册): who comes into a class, told by a sheet.

Nobody comes twice, and nobody who left comes back by a sheet. What is doubtful about a person is a warning
on their row; what is doubtful about the sheet as a whole is said once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from skills_registry import people
from skills_registry.foundation.acts import Act
from skills_registry.foundation.problems import Problem
from skills_registry.foundation.wording import Typeface
from skills_registry.people import Person
from skills_registry.spreadsheets import Sheet, read
from skills_registry.training.classes import TrainingClass
from skills_registry.training.enrolments import Enrolment, enrol, enrolment_of
from skills_registry.training.sheets import CheckedRow, check_roster
from skills_registry.training.upload_kinds import SheetKind

#: Warnings of rows that bring nobody new.
_ALREADY_HERE = ("already_enrolled", "already_withdrawn")


class RosterSheet(SheetKind):
    """A roster: each accepted row enrols one person."""

    code, zh, en = "roster", "花名册", "roster"

    def read(self, training_class: TrainingClass, content: bytes) -> Sheet:  # noqa: ARG002 - one signature for all
        return read(content)

    def check(self, act: Act, training_class: TrainingClass, sheet: Sheet) -> list[CheckedRow]:
        age = act.policy.rule("employment_age", training_class.starts_on)
        return check_roster(
            sheet, class_starts_on=training_class.starts_on, today=act.today, employment_age=age
        )

    def doubts(
        self, act: Act, training_class: TrainingClass, row: CheckedRow, *, uncovered: Typeface | None = None
    ) -> list[Problem]:
        name = row.values["name"]
        person = people.find(act.vault, row.values["citizen_id"])
        found = _doubts_about_person(act, training_class, person, name)
        if uncovered is not None and uncovered(name):
            found.append(Problem("name_not_printable", "name"))
        return found

    def doubts_about_sheet(
        self, act: Act, training_class: TrainingClass, rows: Sequence[CheckedRow]
    ) -> list[Problem]:
        newcomers = sum(_is_new(row) for row in rows)
        return _doubts_about_newcomers(act, training_class, newcomers) if newcomers else []

    def write(self, act: Act, training_class: TrainingClass, values: Mapping[str, Any], number: int) -> None:
        enrol(act, training_class, values, number)


def _is_new(row: CheckedRow) -> bool:
    return row.is_accepted and not any(problem.code in _ALREADY_HERE for problem in row.problems)


def _doubts_about_newcomers(act: Act, training_class: TrainingClass, newcomers: int) -> list[Problem]:
    doubts = []
    days = act.policy.rule("class_opening", training_class.starts_on)["late_enrolment_days"]
    if (act.today - training_class.starts_on).days > days:
        doubts.append(Problem("late_enrolment", "starts_on", {"days": days}))
    enrolled = Enrolment.select().where(
        (Enrolment.training_class == training_class.id) & (Enrolment.status == "enrolled")
    )
    if enrolled.count() + newcomers > training_class.capacity:
        doubts.append(Problem("over_capacity", "capacity", {"capacity": training_class.capacity}))
    return doubts


def _doubts_about_person(
    act: Act, training_class: TrainingClass, person: Person | None, name: str
) -> list[Problem]:
    doubts: list[Problem] = []
    known = enrolment_of(training_class, person.id) if person is not None else None
    if known is not None:
        return _doubts_of_known(act, known, name)
    if person is not None and person.name_index != people.name_index(act.vault, name):
        doubts.append(Problem("name_differs_from_record", "name"))
    if person is not None and _overlaps(training_class, person):
        doubts.append(Problem("overlapping_class", "citizen_id"))
    return doubts


def _doubts_of_known(act: Act, enrolment: Enrolment, name: str) -> list[Problem]:
    if enrolment.status == "withdrawn":
        return [Problem("already_withdrawn", "citizen_id")]
    doubts = [Problem("already_enrolled", "citizen_id")]
    if enrolment.name_index != people.name_index(act.vault, name):
        doubts.append(Problem("enrolled_under_another_name", "name"))
    return doubts


def _overlaps(training_class: TrainingClass, person: Person) -> bool:
    others = (
        Enrolment.select()
        .join(TrainingClass)
        .where((Enrolment.person == person.id) & (Enrolment.status == "enrolled"))
        .where((TrainingClass.id != training_class.id) & (TrainingClass.status != "cancelled"))
        .where(TrainingClass.starts_on <= training_class.ends_on)
        .where(TrainingClass.ends_on >= training_class.starts_on)
    )
    return bool(others.exists())
