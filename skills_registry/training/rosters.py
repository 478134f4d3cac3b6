"""Rosters (花名册): who comes into a class, told by a sheet, or one by one with the same checks.

Nobody comes twice, and nobody who left comes back by a sheet. What is doubtful about a person is a warning
on their row; what is doubtful about the sheet as a whole is said once. A sheet sent again adds what the
record lacks (a consent, an address) and changes nothing that is there. A substitute (替补) takes the place of
somebody who leaves, in one step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from peewee import fn

from skills_registry import people
from skills_registry.foundation.acts import Act
from skills_registry.foundation.errors import InputRefused, RuleBroken
from skills_registry.foundation.lifecycle import note
from skills_registry.foundation.problems import Problem
from skills_registry.foundation.storage import database
from skills_registry.foundation.wording import Typeface
from skills_registry.people import Person
from skills_registry.spreadsheets import Sheet, SheetRow, read, roster_workbook
from skills_registry.training import consents
from skills_registry.training.classes import TRAINING_CLASS, TrainingClass, hold, require_with_base, told
from skills_registry.training.enrolments import Enrolment, enrol, enrolment_of, rejoin, withdraw
from skills_registry.training.particulars import (
    accommodation_kinds,
    complete,
    lacking,
    particulars_of,
    read_particulars,
)
from skills_registry.training.sheets import CheckedRow, check_roster
from skills_registry.training.upload_kinds import SheetKind

#: Warnings of rows that bring nobody new.
_ALREADY_HERE = ("already_enrolled", "already_withdrawn")


class RowRefused(InputRefused):
    """A single trainee cannot be enrolled; ``findings`` say why: the row it would have, and the problem."""

    code = "row_refused"
    zh = "报名信息有误，请按提示逐项更正后重新提交。"
    en = "The trainee cannot be enrolled as entered; correct each field as told and send it again."

    def __init__(self, row: CheckedRow) -> None:
        super().__init__()
        self.findings = [(row.number, problem) for problem in row.problems if problem.is_error]


class AlreadyInClass(RuleBroken):
    """Whoever comes as a substitute must not be in the class, or have left it."""

    code = "already_in_class"
    zh = "替补人员已在本班花名册中（含已退班），不能作为替补；退班学员请办理“重新入班”。"
    en = "The substitute is on this class's roster already, or has left it; to take somebody back, use rejoining."


class RosterSheet(SheetKind):
    """A roster: each accepted row enrols one person."""

    code, zh, en = "roster", "花名册", "roster"

    def read(self, training_class: TrainingClass, content: bytes) -> Sheet:  # noqa: ARG002 - one signature for all
        return read(content)

    def check(self, act: Act, training_class: TrainingClass, sheet: Sheet) -> list[CheckedRow]:
        age = act.policy.rule("employment_age", training_class.starts_on)
        rows = check_roster(
            sheet, class_starts_on=training_class.starts_on, today=act.today, employment_age=age
        )
        kinds = accommodation_kinds(act.policy, training_class.starts_on)
        for row, cells in zip(rows, sheet.rows, strict=True):
            values, problems = read_particulars(cells, kinds, training_class.starts_on)
            consent, doubts = consents.read_consent(act, cells, values)
            row.problems.extend([*problems, *doubts])
            told_beyond = {"particulars": values, "consent": consent}
            row.values.update({key: value for key, value in told_beyond.items() if value})
        return rows

    def doubts(
        self, act: Act, training_class: TrainingClass, row: CheckedRow, *, uncovered: Typeface | None = None
    ) -> list[Problem]:
        name = row.values["name"]
        person = people.find(act.vault, row.values["citizen_id"])
        known = enrolment_of(training_class, person.id) if person is not None else None
        if known is not None:
            found = _doubts_of_known(act, known, row.values)
        else:
            found = _doubts_of_newcomer(act, training_class, person, name) if person is not None else []
        if uncovered is not None and uncovered(name):
            found.append(Problem("name_not_printable", "name"))
        return found

    def doubts_about_sheet(
        self, act: Act, training_class: TrainingClass, rows: Sequence[CheckedRow]
    ) -> list[Problem]:
        newcomers = sum(_is_new(row) for row in rows)
        return _doubts_about_newcomers(act, training_class, newcomers) if newcomers else []

    def write(self, act: Act, training_class: TrainingClass, values: Mapping[str, Any], number: int) -> None:
        _take_in(act, training_class, values, number)


ROSTER = RosterSheet()

# ---------------------------------------------------------------- rules


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


def _doubts_of_newcomer(act: Act, training_class: TrainingClass, person: Person, name: str) -> list[Problem]:
    doubts: list[Problem] = []
    if person.name_index != people.name_index(act.vault, name):
        doubts.append(Problem("name_differs_from_record", "name"))
    return [*doubts, *_doubts_beside_others(training_class, person)]


def _doubts_beside_others(training_class: TrainingClass, person: Person) -> list[Problem]:
    doubts: list[Problem] = []
    others = _other_classes_of(person, training_class)
    if any(_overlap(training_class, other) for other in others):
        doubts.append(Problem("overlapping_class", "citizen_id"))
    if any(_teach_the_same(training_class, other) for other in others):
        doubts.append(Problem("same_training_before", "citizen_id"))
    return doubts


def _doubts_of_known(act: Act, enrolment: Enrolment, values: Mapping[str, Any]) -> list[Problem]:
    if enrolment.status == "withdrawn":
        return [Problem("already_withdrawn", "citizen_id")]
    doubts = [Problem("already_enrolled", "citizen_id")]
    if enrolment.name_index != people.name_index(act.vault, values["name"]):
        doubts.append(Problem("enrolled_under_another_name", "name"))
    if lacking(particulars_of(act.vault, enrolment), values.get("particulars") or {}):
        doubts.append(Problem("particulars_added", "citizen_id"))
    earlier = consents.consents_of(enrolment)
    if values.get("consent") and not earlier:
        doubts.append(Problem("consent_added", "consent_on"))
    elif values.get("consent") and consents.standing(enrolment) is None:
        doubts.append(Problem("consent_withdrawn_before", "consent_on"))
    return doubts


def _other_classes_of(person: Person, training_class: TrainingClass) -> list[TrainingClass]:
    return list(
        TrainingClass.select()
        .join(Enrolment)
        .where((Enrolment.person == person.id) & (Enrolment.status == "enrolled"))
        .where((TrainingClass.id != training_class.id) & (TrainingClass.status != "cancelled"))
    )


def _overlap(one: TrainingClass, other: TrainingClass) -> bool:
    return bool(other.starts_on <= one.ends_on and other.ends_on >= one.starts_on)


def _teach_the_same(one: TrainingClass, other: TrainingClass) -> bool:
    """The same trade at the same level, under whichever edition's code; without a trade the same course."""
    if not one.occupation_code or not other.occupation_code:
        return bool(one.subject == other.subject)
    names = one.occupation_name == other.occupation_name
    codes = (one.occupation_edition, one.occupation_code) == (other.occupation_edition, other.occupation_code)
    return bool((names or codes) and one.level == other.level)


# ---------------------------------------------------------------- verbs


def _take_in(
    act: Act,
    training_class: TrainingClass,
    values: Mapping[str, Any],
    number: int,
    *,
    substitutes: Enrolment | None = None,
) -> Enrolment:
    """Enrol the person of one row with particulars and consent, or add what the record of them lacks."""
    person = people.find(act.vault, values["citizen_id"])
    known = enrolment_of(training_class, person.id) if person is not None else None
    if known is not None and known.status == "withdrawn":
        return known
    enrolment = known or enrol(act, training_class, values, number, substitutes=substitutes)
    if known is not None:
        complete(act, enrolment, values.get("particulars") or {})
    consent = values.get("consent")
    if consent and not consents.consents_of(enrolment):
        day = date.fromisoformat(consent["given_on"])
        consents.give(act, enrolment, given_on=day, means=consent["means"])
    return enrolment


def enrol_one(
    act: Act, training_class: TrainingClass, cells: Mapping[str, Any], *, uncovered: Typeface | None = None
) -> tuple[Enrolment, list[Problem]]:
    """Enrol one trainee, checked as a row of a roster is; returns them with what is doubtful.

    ``cells`` are named as the columns of a roster. Somebody in the class already stays as they are.

    :raises ClassClosed: the class is not with the base.
    :raises RowRefused: a field has an error.
    :raises TakesNobodyNew: the base has left the list.
    """
    require_with_base(training_class)
    with database.atomic():
        hold(training_class)
        row = _judged(act, training_class, cells, uncovered)
        doubts = ROSTER.doubts_about_sheet(act, training_class, [row])
        enrolment = _take_in(act, training_class, row.values, row.number)
        if _is_new(row):
            detail = {"enrolment": str(enrolment.id), **told([*row.problems, *doubts])}
            note(act, TRAINING_CLASS.noun, training_class.id, "enrol_one", detail=detail)
    return enrolment, [*row.problems, *doubts]


def substitute(
    act: Act,
    leaving: Enrolment,
    cells: Mapping[str, Any],
    reason: str,
    *,
    uncovered: Typeface | None = None,
) -> tuple[Enrolment, list[Problem]]:
    """Let somebody take the place of a trainee who leaves (替补): both in one transaction, with the reason.

    :raises ClassClosed: the class is not with the base.
    :raises RowRefused: a field of the substitute has an error.
    :raises AlreadyInClass: the substitute is on the roster, or left it.
    :raises TakesNobodyNew: the base has left the list.
    :raises WrongState: the trainee has left already.
    """
    training_class = leaving.training_class
    require_with_base(training_class)
    with database.atomic():
        hold(training_class)
        row = _judged(act, training_class, cells, uncovered)
        if not _is_new(row):
            raise AlreadyInClass()
        withdraw(act, leaving, reason)
        doubts = [*row.problems, *ROSTER.doubts_about_sheet(act, training_class, [row])]
        coming = _take_in(act, training_class, row.values, row.number, substitutes=leaving)
        detail = {"leaving": str(leaving.id), "coming": str(coming.id), **told(doubts)}
        note(act, TRAINING_CLASS.noun, training_class.id, "substitute", reason=reason, detail=detail)
    return coming, doubts


def take_back(act: Act, enrolment: Enrolment, reason: str) -> tuple[Enrolment, list[Problem]]:
    """Take back a trainee who left, judged beside other classes as a newcomer is; returns what is doubtful.

    :raises ClassClosed: the class is not with the base.
    :raises WrongState: the trainee has not left.
    """
    training_class = enrolment.training_class
    with database.atomic():
        doubts = [
            *_doubts_beside_others(training_class, enrolment.person),
            *_doubts_about_newcomers(act, training_class, 1),
        ]
        rejoin(act, enrolment, reason, doubts)
    return enrolment, doubts


def _judged(
    act: Act, training_class: TrainingClass, cells: Mapping[str, Any], uncovered: Typeface | None
) -> CheckedRow:
    """One trainee's fields as a row at the end of the roster, judged as a sheet's rows are."""
    number = 1 + (
        Enrolment.select(fn.MAX(Enrolment.roster_row))
        .where(Enrolment.training_class == training_class.id)
        .scalar()
        or 0
    )
    alone = Sheet(tuple(cells), 0, frozenset(cells), (SheetRow(number, cells, list(cells.values())),))
    (row,) = ROSTER.check(act, training_class, alone)
    if row.is_accepted:
        row.problems.extend(ROSTER.doubts(act, training_class, row, uncovered=uncovered))
    if not row.is_accepted:
        raise RowRefused(row)
    return row


# ---------------------------------------------------------------- queries


def roster_template(act: Act) -> bytes:
    """An empty roster (.xlsx) with every column that is read, drop-downs and instructions."""
    kinds = accommodation_kinds(act.policy, act.today)
    return roster_workbook(
        choices={
            "accommodations": [kind["zh"] for kind in kinds],
            "consent_means": [zh for zh, _ in consents.MEANS.values()],
        }
    )
