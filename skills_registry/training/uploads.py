"""Uploads (上传): a sheet is staged, its report read, and then confirmed as a whole or not at all.

Staging changes no roster and no result. Every row comes back accepted, warned or refused; the
refused rows can be downloaded as a workbook, mended and sent again. Confirming checks again what
may have changed since, and then writes all accepted rows in one transaction.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any
from uuid import UUID

from peewee import CharField, ForeignKeyField, IntegerField, JSONField, ModelSelect

from skills_registry.foundation.acts import Act, Role
from skills_registry.foundation.errors import RuleBroken, WrongState
from skills_registry.foundation.lifecycle import Lifecycle, Move, begin, move, note, steps_of
from skills_registry.foundation.problems import Problem
from skills_registry.foundation.storage import InstantField, Record, SealedField, database, new_id
from skills_registry.foundation.wording import Typeface
from skills_registry.spreadsheets import refused_workbook
from skills_registry.training.attendance_sheets import AttendanceSheet
from skills_registry.training.classes import TrainingClass, hold, told
from skills_registry.training.results import ResultsSheet
from skills_registry.training.rosters import RosterSheet
from skills_registry.training.sheets import CheckedRow
from skills_registry.training.timetable_sheets import TimetableSheet
from skills_registry.training.upload_kinds import SheetKind

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

#: Every kind of sheet that can be uploaded, by its code.
KINDS: dict[str, SheetKind] = {
    kind.code: kind for kind in (RosterSheet(), ResultsSheet(), TimetableSheet(), AttendanceSheet())
}


def plug_in(kind: SheetKind) -> None:
    """Take in the kind of a room to the right, which this one cannot import; done once, by that room."""
    KINDS[kind.code] = kind


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


class RowsRefused(RuleBroken):
    """Facts: ``rows``, the refused rows of a sheet that is taken as a whole or not at all."""

    code = "rows_refused"
    zh = "这种表格须整份登记：第{rows}行有错误，请更正后重新上传整份表格。"
    en = "Such a sheet is recorded as a whole: row {rows} has errors; mend them and upload the whole sheet again."


def stage(
    act: Act, training_class: TrainingClass, kind: str, content: bytes, *, uncovered: Typeface | None = None
) -> Upload:
    """Read and check a sheet of one of the :data:`KINDS` and keep the report; records nothing else.

    :raises ClassClosed: the class takes no such sheet now.
    :raises FileRefused: the file is no table that can be read; the sentence says why.
    """
    asked = KINDS[kind]
    asked.require_takes(training_class)
    sheet = asked.read(training_class, content)
    cells = {row.number: row.original for row in sheet.rows}
    rows = asked.check(act, training_class, sheet)
    sound = [row for row in rows if row.is_accepted]
    found = asked.doubts_of_rows(act, training_class, sound, uncovered=uncovered)
    for row, problems in zip(sound, found, strict=True):
        row.problems.extend(problems)
    doubts = told(asked.doubts_about_sheet(act, training_class, rows))
    with database.atomic():
        upload = Upload.create(
            training_class=training_class,
            kind=kind,
            digest=sha256(content).hexdigest(),
            header=list(sheet.header),
            staged_at=act.at,
        )
        begin(act, UPLOAD, upload, "stage", detail={"kind": kind, **doubts})
        note(act, "training_class", training_class.id, f"stage_{kind}", detail={"upload": str(upload.id)})
        for row in rows:
            _keep_row(act, upload, row, cells[row.number])
    return upload


def doubts_about(upload: Upload) -> list[Problem]:
    """What was doubtful about the sheet as a whole when it was staged."""
    first = next(steps_of(upload.id))
    return [Problem(d["code"], d["field"], d["facts"]) for d in first.detail.get("doubts", ())]


def _keep_row(act: Act, upload: Upload, row: CheckedRow, cells: Any) -> None:
    key = new_id()
    content = json.dumps({"cells": cells, "values": row.values}, ensure_ascii=False, default=str)
    UploadRow.create(
        id=key,
        upload=upload,
        number=row.number,
        outcome="accepted" if row.is_accepted else "rejected",
        problems=[_as_document(problem) for problem in row.problems],
        content=act.vault.seal(UploadRow.content, key, content),
    )


def _as_document(problem: Problem) -> dict[str, Any]:
    return {"code": problem.code, "field": problem.field, "facts": problem.facts}


def problems_of(row: UploadRow) -> list[Problem]:
    """The problems of a row as values again."""
    return [Problem(p["code"], p["field"], p["facts"]) for p in row.problems]


def confirm(act: Act, upload: Upload) -> Upload:
    """Write all accepted rows of a staged upload, or none; a confirmed upload stays as it is.

    :raises ClassClosed: the class no longer takes such a sheet.
    :raises RowsRefused: the sheet is indivisible and a row was refused.
    :raises UploadOutdated: a row that was accepted no longer can be; the report is updated.
    :raises NothingAccepted: no row was accepted.
    """
    if upload.status == "confirmed":
        return upload
    kind = KINDS[upload.kind]
    kind.require_takes(upload.training_class)
    accepted = _require_rows(upload, kind)
    try:
        with database.atomic():
            move(act, UPLOAD, upload, "confirm")
            hold(upload.training_class)
            _require_still_acceptable(act, upload, accepted)
            values = [(row.number, _content(act, row)["values"]) for row in accepted]
            kind.write_all(act, upload.training_class, values)
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


def _require_rows(upload: Upload, kind: SheetKind) -> list[UploadRow]:
    rows = list(rows_of(upload))
    accepted = [row for row in rows if row.outcome == "accepted"]
    if not accepted:
        raise NothingAccepted()
    if kind.indivisible and len(accepted) < len(rows):
        raise RowsRefused(rows="、".join(str(row.number) for row in rows if row not in accepted))
    return accepted


def _new_errors(act: Act, upload: Upload, accepted: list[UploadRow]) -> dict[int, list[Problem]]:
    """Rows that were accepted and no longer can be, by number, each with its errors."""
    kind = KINDS[upload.kind]
    rows = [CheckedRow(row.number, _content(act, row)["values"], []) for row in accepted]
    found = kind.doubts_of_rows(act, upload.training_class, rows)
    errors = {
        row.number: [problem for problem in problems if problem.is_error]
        for row, problems in zip(rows, found, strict=True)
    }
    return {number: problems for number, problems in errors.items() if problems}


def _require_still_acceptable(act: Act, upload: Upload, accepted: list[UploadRow]) -> None:
    stale = _new_errors(act, upload, accepted)
    if stale:
        raise UploadOutdated(rows="、".join(str(number) for number in stale))


def _refresh_report(act: Act, upload: Upload, accepted: list[UploadRow]) -> None:
    with database.atomic():
        errors = _new_errors(act, upload, accepted)
        for row in accepted:
            if row.number in errors:
                row.outcome = "rejected"
                row.problems = [*row.problems, *(_as_document(problem) for problem in errors[row.number])]
                row.save(only=[UploadRow.outcome, UploadRow.problems])


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
