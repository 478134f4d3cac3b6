"""Sheets in the console (表格上传): sent, their report read row by row, confirmed as a whole or given up."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from api.callers import act, for_roles
from api.classes import reachable_class
from api.console.classes import SHEETS, class_page
from api.console.frame import Refused, attempted, blueprint, show, to, typed
from api.problems import language
from api.uploads import reachable_upload, show_upload
from certificates.document import fonts
from skills_registry.foundation.errors import FieldRefused
from skills_registry.training import uploads
from skills_registry.training.uploads import KINDS, UPLOAD

#: How many rows of a report one page shows.
ROWS = 200

OUTCOMES = ("rejected", "warned", "clean")


class FileMissing(FieldRefused):
    """The form came without a file."""

    code = "file_missing"
    zh = "请先选择要上传的表格文件（.xlsx、.xls 或 .csv）。"
    en = "Choose the sheet to upload first (.xlsx, .xls or .csv)."


@blueprint.post("/classes/<uuid:class_id>/uploads")
@for_roles("base_clerk")
def upload_sheet(class_id: Any) -> Any:
    """Stage a sheet for a class; the next page is its report."""
    training_class = reachable_class(str(class_id))

    def stage() -> str:
        file, kind = request.files.get("file"), typed("form")
        content = file.read() if file else b""
        if not content or kind not in SHEETS:
            raise FileMissing(field="file")
        staged = uploads.stage(act(), training_class, kind, content, uncovered=fonts.uncovered)
        return to("show_report", upload_id=staged.id)

    return attempted(stage, lambda refused: class_page(str(class_id), refused))


@blueprint.get("/uploads/<uuid:upload_id>")
@for_roles("base_clerk", "county_officer", "city_officer", "auditor")
def show_report(upload_id: Any) -> Response:
    """The report of an upload; ``?only=`` shows the rows of one outcome."""
    return _report(str(upload_id))


def _report(upload_id: str, refused: Refused | None = None) -> Response:
    upload = reachable_upload(upload_id)
    shown = show_upload(upload)
    rows = [row | {"mark": _mark(row)} for row in shown["rows"]]
    counts = {mark: sum(row["mark"] == mark for row in rows) for mark in OUTCOMES}
    only = request.args.get("only", "")
    if only not in (*OUTCOMES, "all"):
        only = next((mark for mark in OUTCOMES[:2] if counts[mark]), "all")
    listed = [row for row in rows if only in ("all", row["mark"])]
    place = _place(len(listed))
    kind, which = KINDS[upload.kind], language() == "en"
    return show(
        "report",
        refused=refused,
        here=to("show_report", upload_id=upload_id) if refused else "",
        shown=shown,
        kind=kind.en if which else kind.zh,
        status_text=UPLOAD.states[upload.status][which],
        training_class=upload.training_class,
        counts=counts,
        total=len(rows),
        only=only,
        rows=listed[place * ROWS : (place + 1) * ROWS],
        place=place,
        places=(len(listed) + ROWS - 1) // ROWS,
        indivisible=kind.indivisible,
        staged_at=upload.staged_at,
    )


def _mark(row: dict[str, Any]) -> str:
    if row["outcome"] == "rejected":
        return "rejected"
    return "warned" if row["problems"] else "clean"


def _place(rows: int) -> int:
    """Which page of the report is asked for, the first being 0."""
    asked = request.args.get("page", "")
    number = int(asked) if asked.isdecimal() and len(asked) < 6 else 0
    return min(number, max(0, (rows - 1) // ROWS))


@blueprint.post("/uploads/<uuid:upload_id>/confirmation")
@for_roles("base_clerk")
def confirm_upload(upload_id: Any) -> Any:
    """Record all accepted rows, or none."""
    upload = reachable_upload(str(upload_id))

    def confirm() -> str:
        uploads.confirm(act(), upload)
        return to("show_class", class_id=upload.training_class_id, done="confirmed")

    return attempted(confirm, lambda refused: _report(str(upload_id), refused))


@blueprint.post("/uploads/<uuid:upload_id>/discarding")
@for_roles("base_clerk")
def discard_upload(upload_id: Any) -> Any:
    """Give up a staged upload."""
    upload = reachable_upload(str(upload_id))

    def discard() -> str:
        uploads.discard(act(), upload)
        return to("show_class", class_id=upload.training_class_id, done="discarded")

    return attempted(discard, lambda refused: _report(str(upload_id), refused))
