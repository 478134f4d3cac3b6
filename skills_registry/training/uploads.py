"""Uploads (上传): a sheet is staged, its report read, and then confirmed as a whole or not at all.

Staging changes no roster and no result. Every row comes back accepted, warned or refused; the
refused rows can be downloaded as a workbook, mended and sent again. Confirming checks again what
may have changed since, and then writes all accepted rows in one transaction.
"""

from __future__ import annotations

import json
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

from peewee import CharField, ForeignKeyField, IntegerField, JSONField, ModelSelect

from skills_registry import people
from skills_registry.foundation.acts import Act, Role
from skills_registry.foundation.errors import RuleBroken, WrongState
from skills_registry.foundation.lifecycle import Lifecycle, Move, begin, move, note, steps_of
from skills_registry.foundation.problems import Problem
from skills_registry.foundation.storage import InstantField, Record, SealedField, database, new_id
from skills_registry.foundation.wording import Typeface
from skills_registry.people import Person
from skills_registry.spreadsheets import read, refused_workbook, results_workbook
from skills_registry.training.classes import TrainingClass, hold, require_with_base, told
from skills_registry.training.enrolments import (
    Enrolment,
    Result,
    enrol,
    enrolment_of,
    record_result,
    roster,
)
from skills_registry.training.sheets import CheckedRow, PassRule, check_results, check_roster

_CLERK: frozenset[Role] = frozenset({"base_clerk"})

UPLOAD = Lifecycle(
    noun="upload",
    zh="上传",
    states={
        "staged": ("待确认", "staged, awaiting confirmation"),
        "confirmed": ("已确认", "confirmed"),
        "discarded": ("已放弃", "discarded"),
    },
    moves=(
        Move("confirm", "staged", "confirmed", _CLERK),
        Move("discard", "staged", "discarded", _CLERK),
    ),
)

KINDS: dict[str, tuple[str, str]] = {"roster": ("花名册", "roster"), "results": ("成绩表", "results")}


class Upload(Record):
    """One sheet for one class; ``header`` are the sheet's own column titles."""

    training_class = ForeignKeyField(TrainingClass, backref="uploads", on_delete="RESTRICT")
    kind = CharField(max_length=10)
    digest = CharField(max_length=64)
    header = JSONField()
    status = CharField(max_length=20, default=UPLOAD.first)
    staged_at = InstantField()
    training_class_id: UUID
    rows: ModelSelect[UploadRow]


class UploadRow(Record):
    """One row of an upload; ``content`` is its cells and normalised values, sealed (JSON)."""

    upload = ForeignKeyField(Upload, backref="rows", on_delete="RESTRICT")
    number = IntegerField()
    outcome = CharField(max_length=10)  # accepted | rejected
    problems = JSONField()
    content = SealedField()

    class Meta:
        indexes = ((("upload", "number"), True),)


class UploadOutdated(RuleBroken):
    """Facts: ``rows``, the rows that were accepted and no longer are."""

    code = "upload_outdated"
    zh = "上传之后情况有变化，第{rows}行不能再登记。报告已更新，请查看后重新确认或上传更正的表格。"
    en = "Things changed since the upload: row {rows} can no longer be recorded. The report is updated; look at it again."


class NothingAccepted(RuleBroken):
    """No row can be recorded."""

    code = "nothing_accepted"
    zh = "这份表格没有可以登记的行，请下载退回名单，更正后重新上传。"
    en = "No row of this sheet can be recorded; download the refused rows, mend them and upload again."


def stage(
    act: Act, training_class: TrainingClass, kind: str, content: bytes, *, uncovered: Typeface | None = None
) -> Upload:
    """Read and check a roster or results sheet and keep the report; writes no roster and no result.

    :raises ClassClosed: the class is not with the base.
    :raises FileRefused: the file is no table that can be read; the sentence says why.
    """
    require_with_base(training_class)
    sheet = read(content, papers=training_class.papers if kind == "results" else {})
    cells = {row.number: row.original for row in sheet.rows}
    rows = [
        (row, [*row.problems, *_check_against_records(act, training_class, kind, row, uncovered)])
        for row in _check_sheet(act, training_class, kind, sheet)
    ]
    newcomers = sum(_is_new(problems) for _, problems in rows) if kind == "roster" else 0
    with database.atomic():
        upload = Upload.create(
            training_class=training_class,
            kind=kind,
            digest=sha256(content).hexdigest(),
            header=list(sheet.header),
            staged_at=act.at,
        )
        doubts = told(_doubts_about_newcomers(act, training_class, newcomers))
        begin(act, UPLOAD, upload, "stage", detail={"kind": kind, **doubts})
        note(act, "training_class", training_class.id, f"stage_{kind}", detail={"upload": str(upload.id)})
        for row, problems in rows:
            _keep_row(act, upload, row, problems, cells[row.number])
    return upload


#: Warnings of rows that bring nobody new.
_ALREADY_HERE = ("already_enrolled", "already_withdrawn")


def _is_new(problems: list[Problem]) -> bool:
    return not any(problem.is_error or problem.code in _ALREADY_HERE for problem in problems)


def _doubts_about_newcomers(act: Act, training_class: TrainingClass, newcomers: int) -> list[Problem]:
    """What the county should look at about the sheet as a whole: one sentence, not one on every row."""
    if not newcomers:
        return []
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


def doubts_about(upload: Upload) -> list[Problem]:
    """What was doubtful about the sheet as a whole when it was staged."""
    first = next(steps_of(upload.id))
    return [Problem(d["code"], d["field"], d["facts"]) for d in first.detail.get("doubts", ())]


def _check_sheet(act: Act, training_class: TrainingClass, kind: str, sheet: Any) -> list[CheckedRow]:
    if kind == "roster":
        age = act.policy.rule("employment_age", training_class.starts_on)
        return check_roster(
            sheet, class_starts_on=training_class.starts_on, today=act.today, employment_age=age
        )
    return check_results(
        sheet,
        class_hours=training_class.class_hours,
        papers=training_class.papers,
        pass_rule=pass_rule_of(act, training_class),
        today=act.today,
    )


def pass_rule_of(act: Act, training_class: TrainingClass) -> PassRule:
    """The pass rule in force when the class began."""
    rule = act.policy.rule("pass_rule", training_class.starts_on)
    return PassRule(
        attendance_share=Decimal(rule["attendance_percent"]) / 100,
        pass_mark=Decimal(rule["pass_mark"]),
        full_mark=Decimal(rule["full_mark"]),
    )


def _keep_row(act: Act, upload: Upload, row: CheckedRow, problems: list[Problem], cells: Any) -> None:
    key = new_id()
    content = json.dumps({"cells": cells, "values": row.values}, ensure_ascii=False, default=str)
    UploadRow.create(
        id=key,
        upload=upload,
        number=row.number,
        outcome="rejected" if any(problem.is_error for problem in problems) else "accepted",
        problems=[_as_document(problem) for problem in problems],
        content=act.vault.seal(UploadRow.content, key, content),
    )


def _as_document(problem: Problem) -> dict[str, Any]:
    return {"code": problem.code, "field": problem.field, "facts": problem.facts}


def problems_of(row: UploadRow) -> list[Problem]:
    """The problems of a row as values again."""
    return [Problem(p["code"], p["field"], p["facts"]) for p in row.problems]


def _check_against_records(
    act: Act, training_class: TrainingClass, kind: str, row: CheckedRow, uncovered: Typeface | None
) -> list[Problem]:
    """What only the records can tell about a row whose citizen ID and name are sound."""
    citizen_id, name = row.values.get("citizen_id"), row.values.get("name")
    if not citizen_id or not name or any(problem.is_error for problem in row.problems):
        return []
    person = people.find(act.vault, citizen_id)
    if kind == "results":
        return _result_doubts(act, training_class, person, name, row)
    doubts = _roster_doubts(act, training_class, person, name)
    if uncovered is not None and uncovered(name):
        doubts.append(Problem("name_not_printable", "name"))
    return doubts


def _roster_doubts(
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


def _result_doubts(
    act: Act, training_class: TrainingClass, person: Person | None, name: str, row: CheckedRow
) -> list[Problem]:
    enrolment = enrolment_of(training_class, person.id) if person else None
    if enrolment is None:
        return [Problem("not_on_roster", "citizen_id")]
    if enrolment.status != "enrolled":
        return [Problem("withdrawn_trainee", "citizen_id")]
    if enrolment.name_index != people.name_index(act.vault, name):
        return [Problem("name_differs_from_roster", "name")]
    earlier = Result.get_or_none((Result.enrolment == enrolment.id) & Result.current)
    if earlier is None:
        return []
    hours, scores, outcome = result_values(row.values)
    written = {paper: None if score is None else str(score) for paper, score in scores.items()}
    same = (earlier.hours, earlier.scores, earlier.outcome) == (hours, written, outcome)
    return [Problem("result_unchanged" if same else "result_replaced", "citizen_id")]


def result_values(values: Any) -> tuple[Decimal, dict[str, Decimal | None], str]:
    """Hours, scores and outcome of an accepted results row."""
    scores = {
        paper: None if score is None else Decimal(str(score)) for paper, score in values["scores"].items()
    }
    return Decimal(str(values["hours"])), scores, str(values["outcome"])


def confirm(act: Act, upload: Upload) -> Upload:
    """Write all accepted rows of a staged upload, or none; a confirmed upload stays as it is.

    :raises ClassClosed: the class is no longer with the base.
    :raises UploadOutdated: a row that was accepted no longer can be; the report is updated.
    :raises NothingAccepted: no row was accepted.
    """
    if upload.status == "confirmed":
        return upload
    require_with_base(upload.training_class)
    accepted = [row for row in rows_of(upload) if row.outcome == "accepted"]
    if not accepted:
        raise NothingAccepted()
    try:
        with database.atomic():
            move(act, UPLOAD, upload, "confirm")
            hold(upload.training_class)
            _require_still_acceptable(act, upload, accepted)
            for row in accepted:
                _write_row(act, upload, row)
            detail = {"upload": str(upload.id), "rows": len(accepted)}
            note(act, "training_class", upload.training_class_id, f"record_{upload.kind}", detail=detail)
    except UploadOutdated:
        _refresh_report(act, upload, accepted)
        raise
    except WrongState:
        # The other click of a double click came first: what it recorded is the answer.
        if Upload.get_by_id(upload.id).status != "confirmed":
            raise
    return upload


def _new_errors(act: Act, upload: Upload, row: UploadRow) -> list[Problem]:
    checked = CheckedRow(row.number, _content(act, row)["values"], [])
    found = _check_against_records(act, upload.training_class, upload.kind, checked, None)
    return [problem for problem in found if problem.is_error]


def _require_still_acceptable(act: Act, upload: Upload, accepted: list[UploadRow]) -> None:
    stale = [row.number for row in accepted if _new_errors(act, upload, row)]
    if stale:
        raise UploadOutdated(rows="、".join(str(number) for number in stale))


def _refresh_report(act: Act, upload: Upload, accepted: list[UploadRow]) -> None:
    with database.atomic():
        for row in accepted:
            errors = _new_errors(act, upload, row)
            if errors:
                row.outcome = "rejected"
                row.problems = [*row.problems, *(_as_document(problem) for problem in errors)]
                row.save(only=[UploadRow.outcome, UploadRow.problems])


def _write_row(act: Act, upload: Upload, row: UploadRow) -> None:
    values = _content(act, row)["values"]
    if upload.kind == "roster":
        enrol(act, upload.training_class, values, row.number)
        return
    person = people.find(act.vault, values["citizen_id"])
    enrolment = enrolment_of(upload.training_class, person.id) if person else None
    if enrolment is None:
        raise UploadOutdated(rows=str(row.number))
    hours, scores, outcome = result_values(values)
    record_result(act, enrolment, hours=hours, scores=scores, outcome=outcome)


def discard(act: Act, upload: Upload) -> Upload:
    """Give up a staged upload.

    :raises WrongState: it is confirmed or discarded already.
    """
    with database.atomic():
        move(act, UPLOAD, upload, "discard")
    return upload


def _content(act: Act, row: UploadRow) -> Any:
    return json.loads(act.vault.open(UploadRow.content, row.id, row.content))


def rows_of(upload: Upload) -> ModelSelect[UploadRow]:
    """The rows of an upload in the order of the sheet."""
    return upload.rows.order_by(UploadRow.number)


def refused_rows(act: Act, upload: Upload, language: str = "zh") -> bytes:
    """The refused rows as a workbook, as they were sent, with the reasons in an extra column."""
    refused = []
    for row in rows_of(upload):
        if row.outcome == "rejected":
            reasons = [p.sentence(language) for p in problems_of(row) if p.is_error]
            refused.append((_content(act, row)["cells"], reasons))
    return refused_workbook(upload.header, refused)


def results_sheet(act: Act, training_class: TrainingClass) -> bytes:
    """A results sheet (.xlsx) prefilled from the roster, ready to be filled in and uploaded."""
    trainees = [
        (
            act.vault.open(Enrolment.name, row.id, row.name),
            people.citizen_id_of(act.vault, row.person),
        )
        for row in roster(training_class)
    ]
    return results_workbook(
        training_class.title, trainees, training_class.papers, class_hours=training_class.class_hours
    )
