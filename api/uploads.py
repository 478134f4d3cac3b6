"""Endpoints for uploads (上传): rosters and results as sheets, staged, confirmed, refused rows given back."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_smorest import Blueprint
from flask_smorest.fields import Upload as FileField
from marshmallow import Schema, fields

from api.callers import (
    API_PREFIX,
    EVERYONE,
    READERS_OF_TRAINING,
    act,
    for_roles,
    reachable_bases,
    require_reach,
)
from api.classes import WarningSchema, reachable_class, show_warning
from api.files import XLSX, attachment
from api.lists import PageQuery, page, page_of
from api.problems import language
from certificates.document import fonts
from skills_registry.foundation.storage import require_found
from skills_registry.training import results, rosters, uploads
from skills_registry.training.classes import TrainingClass
from skills_registry.training.uploads import Upload

blueprint = Blueprint("uploads", __name__, url_prefix=API_PREFIX, description="表格上传 (uploads)")


class FileSchema(Schema):
    """A sheet: .xlsx, .xls or .csv, at most 10 MB."""

    file = FileField(required=True)


class RowSchema(Schema):
    """One row, numbered as the office sees it in Excel."""

    row = fields.Integer()
    outcome = fields.String()
    problems = fields.List(fields.Nested(WarningSchema))


class UploadSchema(Schema):
    """The report of an upload."""

    id = fields.String()
    class_id = fields.String()
    kind = fields.String()
    status = fields.String()
    accepted = fields.Integer()
    rejected = fields.Integer()
    warnings = fields.List(fields.Nested(WarningSchema), metadata={"description": "针对整份表格的提示"})
    rows = fields.List(fields.Nested(RowSchema))
    refused_url = fields.String(allow_none=True, metadata={"description": "退回名单下载地址"})


def show_upload(upload: Upload) -> dict[str, Any]:
    """An upload as the API answers it: no personal data, rows by number only."""
    rows = [
        {
            "row": row.number,
            "outcome": row.outcome,
            "problems": [show_warning(found) for found in uploads.problems_of(row)],
        }
        for row in uploads.rows_of(upload)
    ]
    rejected = sum(row["outcome"] == "rejected" for row in rows)
    return {
        "id": str(upload.id),
        "class_id": str(upload.training_class_id),
        "kind": upload.kind,
        "status": upload.status,
        "accepted": len(rows) - rejected,
        "rejected": rejected,
        "warnings": [show_warning(found) for found in uploads.doubts_about(upload)],
        "rows": rows,
        "refused_url": f"{API_PREFIX}/uploads/{upload.id}/refused.xlsx" if rejected else None,
    }


def reachable_upload(upload_id: str) -> Upload:
    """The upload with this id, if its base is the caller's business."""
    upload = require_found(Upload, upload_id)
    require_reach(upload.training_class.base)
    return upload


def staged(class_id: str, kind: str, files: dict[str, Any]) -> dict[str, Any]:
    """Stage a sheet of one of ``uploads.KINDS`` for a class, and the report of it."""
    content = files["file"].read()
    return show_upload(
        uploads.stage(act(), reachable_class(class_id), kind, content, uncovered=fonts.uncovered)
    )


@blueprint.route("/classes/<class_id>/roster", methods=["POST"])
@for_roles("base_clerk")
@blueprint.arguments(FileSchema, location="files")
@blueprint.response(201, UploadSchema)
def upload_roster(files: dict[str, Any], class_id: str) -> dict[str, Any]:
    """Stage a roster (花名册); nobody is enrolled before the upload is confirmed."""
    return staged(class_id, "roster", files)


@blueprint.route("/classes/<class_id>/results", methods=["POST"])
@for_roles("base_clerk")
@blueprint.arguments(FileSchema, location="files")
@blueprint.response(201, UploadSchema)
def upload_results(files: dict[str, Any], class_id: str) -> dict[str, Any]:
    """Stage a results sheet (成绩表); no result is recorded before the upload is confirmed."""
    return staged(class_id, "results", files)


@blueprint.route("/classes/<class_id>/results-sheet.xlsx", methods=["GET"])
@for_roles("base_clerk", "county_officer")
@blueprint.response(200, content_type=XLSX)
def results_sheet(class_id: str) -> Response:
    """A results sheet prefilled from the roster."""
    training_class = reachable_class(class_id)
    return attachment(
        results.results_sheet(act(), training_class), XLSX, f"results-{training_class.filing_no}.xlsx"
    )


@blueprint.route("/roster-template.xlsx", methods=["GET"])
@for_roles(*EVERYONE)
@blueprint.response(200, content_type=XLSX)
def roster_template() -> Response:
    """An empty roster to fill in, with every column that is read."""
    return attachment(rosters.roster_template(act()), XLSX, "roster-template.xlsx")


@blueprint.route("/uploads", methods=["GET"])
@for_roles(*READERS_OF_TRAINING)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_of(UploadSchema))
def list_uploads(query: dict[str, Any]) -> dict[str, Any]:
    """The uploads of the bases that are the caller's business."""
    found = Upload.select().join(TrainingClass).where(TrainingClass.base.in_(reachable_bases()))
    return page(found, Upload, query, show_upload)


@blueprint.route("/uploads/<upload_id>", methods=["GET"])
@for_roles(*READERS_OF_TRAINING)
@blueprint.response(200, UploadSchema)
def read_upload(upload_id: str) -> dict[str, Any]:
    """The report of one upload."""
    return show_upload(reachable_upload(upload_id))


@blueprint.route("/uploads/<upload_id>/confirmation", methods=["POST"])
@for_roles("base_clerk")
@blueprint.response(200, UploadSchema)
def confirm_upload(upload_id: str) -> dict[str, Any]:
    """Record all accepted rows, or none; confirmed again, nothing changes."""
    return show_upload(uploads.confirm(act(), reachable_upload(upload_id)))


@blueprint.route("/uploads/<upload_id>/discarding", methods=["POST"])
@for_roles("base_clerk")
@blueprint.response(200, UploadSchema)
def discard_upload(upload_id: str) -> dict[str, Any]:
    """Give up a staged upload."""
    return show_upload(uploads.discard(act(), reachable_upload(upload_id)))


@blueprint.route("/uploads/<upload_id>/refused.xlsx", methods=["GET"])
@for_roles("base_clerk")
@blueprint.response(200, content_type=XLSX)
def refused_rows(upload_id: str) -> Response:
    """The refused rows with their reasons, ready to mend and send again."""
    content = uploads.refused_rows(act(), reachable_upload(upload_id), language())
    return attachment(content, XLSX, "refused.xlsx")
