"""Endpoints for a class's file (一期一档): complete or what is missing, and everything of it as one ZIP."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from api.bodies import Text
from api.callers import API_PREFIX, act, for_roles, services
from api.certificates import verify_url
from api.class_archive import archived
from api.classes import reachable_class, show_missing
from api.files import ZIP, attachment
from api.problems import language
from skills_registry import class_files
from skills_registry.certification import certificates
from skills_registry.class_files import STATES, Item
from skills_registry.foundation.acts import Role

blueprint = Blueprint(
    "class_files", __name__, url_prefix=f"{API_PREFIX}/classes", description="培训班档案 (class files)"
)

READERS: tuple[Role, ...] = ("base_clerk", "county_officer", "city_officer", "auditor")

#: Who holds the file itself; an auditor sees what it holds and lacks.
HOLDERS: tuple[Role, ...] = ("base_clerk", "county_officer", "city_officer")


class FileReadingSchema(Schema):
    """Why the file is read; it is logged, so it names nobody."""

    reason = Text(
        required=True,
        validate=validate.Length(1, 200),
        metadata={"description": "查阅理由，留痕；不得填写个人信息"},
    )
    lang = fields.String(load_default=None, validate=validate.OneOf(["zh", "en"]))


class LackingSchema(Schema):
    """Something that an item lacks, with the remedy."""

    code = fields.String()
    message = fields.String()


class FileItemSchema(Schema):
    """One item of the file."""

    code = fields.String()
    title = fields.String()
    state = fields.String(validate=validate.OneOf(STATES))
    state_text = fields.String()
    count = fields.Integer()
    lacking = fields.List(fields.Nested(LackingSchema))


class ClassFileSchema(Schema):
    """What a class's file holds."""

    class_id = fields.String()
    filing_no = fields.String()
    complete = fields.Boolean()
    items = fields.List(fields.Nested(FileItemSchema))
    archive_url = fields.String()


def show_item(item: Item) -> dict[str, Any]:
    """An item of the file as the API answers it."""
    english = language() == "en"
    return {
        "code": item.code,
        "title": item.en if english else item.zh,
        "state": item.state,
        "state_text": STATES[item.state][english],
        "count": item.count,
        "lacking": [show_missing(found) for found in item.lacking],
    }


@blueprint.route("/<class_id>/file", methods=["GET"])
@for_roles(*READERS)
@blueprint.arguments(FileReadingSchema, location="query")
@blueprint.response(200, ClassFileSchema)
def read_class_file(query: dict[str, Any], class_id: str) -> dict[str, Any]:
    """Whether a class's file is complete, or what is missing and the remedy; the reading is logged."""
    training_class = reachable_class(class_id)
    items = class_files.read_contents(act(), training_class, query["reason"])
    return {
        "class_id": str(training_class.id),
        "filing_no": training_class.filing_no,
        "complete": class_files.is_complete(items),
        "items": [show_item(item) for item in items],
        "archive_url": f"{API_PREFIX}/classes/{training_class.id}/file.zip",
    }


@blueprint.route("/<class_id>/file.zip", methods=["GET"])
@for_roles(*HOLDERS)
@blueprint.arguments(FileReadingSchema, location="query")
@blueprint.response(200, content_type=ZIP)
def archive_class(query: dict[str, Any], class_id: str) -> Response:
    """Everything of a class as one ZIP with an index, streamed while it is made; the reading is logged."""
    file = class_files.read_file(act(), reachable_class(class_id), query["reason"])
    prints = [(certificates.printed_of(act().vault, row), verify_url(row)) for row in file.certificates]
    content = archived(file, prints, services().shelf())
    return attachment(content, ZIP, f"class-file-{file.training_class.filing_no}.zip")
