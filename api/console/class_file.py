"""The file of a class in the console (培训班档案): whether it is complete, and all of it as one ZIP; each reading is logged."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from marshmallow import ValidationError

from api.callers import act, for_roles, services
from api.certificates import verify_url
from api.class_archive import archived
from api.class_files import HOLDERS, READERS, FileReadingSchema, show_item
from api.classes import reachable_class
from api.console.frame import Refused, blueprint, loaded, refusal, show
from api.files import ZIP, attachment
from skills_registry import class_files
from skills_registry.certification import certificates


@blueprint.get("/classes/<uuid:class_id>/file")
@for_roles(*READERS)
def read_class_file(class_id: Any) -> Response:
    """What the file of a class holds and lacks, once it is said why it is read."""
    if "reason" not in request.args:
        return _page(str(class_id))
    try:
        reason = _reason()
    except ValidationError as error:
        return _page(str(class_id), refusal(error))
    found = reachable_class(str(class_id))
    return _page(str(class_id), reason=reason, items=class_files.read_contents(act(), found, reason))


def _reason() -> str:
    return str(loaded(FileReadingSchema(), {"reason": request.args.get("reason", "").strip()})["reason"])


def _page(
    class_id: str,
    refused: Refused | None = None,
    *,
    reason: str = "",
    items: list[class_files.Item] | None = None,
) -> Response:
    return show(
        "class_file",
        refused=refused,
        training_class=reachable_class(class_id),
        reason=reason,
        items=None if items is None else [show_item(item) for item in items],
        complete=items is not None and class_files.is_complete(items),
        may_hold=act().by.role in HOLDERS,
    )


@blueprint.get("/classes/<uuid:class_id>/file.zip")
@for_roles(*HOLDERS)
def download_class_file(class_id: Any) -> Response:
    """Everything of a class as one ZIP with an index, streamed while it is made."""
    training_class = reachable_class(str(class_id))
    try:
        reason = _reason()
    except ValidationError as error:
        return _page(str(class_id), refusal(error))
    file = class_files.read_file(act(), training_class, reason)
    prints = [(certificates.printed_of(act().vault, row), verify_url(row)) for row in file.certificates]
    content = archived(file, prints, services().shelf())
    return attachment(content, ZIP, f"class-file-{training_class.filing_no}.zip")
