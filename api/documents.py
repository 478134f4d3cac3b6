"""Endpoints for documents (上传材料): uploaded, listed, downloaded by those entitled, never shown inline.

Whose record a document belongs to decides who may read and add it: see :data:`OWNERS`. An expert reads
besides what the snapshot of an application on the own panel names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, reduce
from operator import or_
from typing import Any
from uuid import UUID

from flask import Response
from flask_smorest import Blueprint
from flask_smorest.fields import Upload as FileField
from marshmallow import Schema, fields, validate

from api.bodies import Text
from api.callers import API_PREFIX, OFFICERS, act, for_roles, reachable_bases, services
from api.files import attachment
from api.lists import PageQuery, page, page_of
from api.problems import language
from skills_registry import documents, person_files
from skills_registry.bases import panels
from skills_registry.bases.applications import Application, latest_submission
from skills_registry.certification.held import HeldCertificate
from skills_registry.documents import DOCUMENT_KINDS, MEDIA_TYPES, Document
from skills_registry.employment import Employment
from skills_registry.foundation.acts import Role
from skills_registry.foundation.errors import NotAllowed, NotFound
from skills_registry.foundation.storage import require_found
from skills_registry.people import Person
from skills_registry.training.classes import TrainingClass
from skills_registry.training.consents import Consent
from skills_registry.training.enrolments import Enrolment
from skills_registry.training.timetable import Session

blueprint = Blueprint(
    "documents", __name__, url_prefix=f"{API_PREFIX}/documents", description="上传材料 (documents)"
)

READERS: tuple[Role, ...] = ("base_clerk", *OFFICERS, "auditor", "expert")
WRITERS: tuple[Role, ...] = ("base_clerk", *OFFICERS)

#: A downloaded document opens nothing and runs nothing, even in a browser that shows it after all.
SANDBOX = "default-src 'none'; sandbox"


@dataclass(frozen=True)
class Owner:
    """Whose documents: which records of this noun are the caller's business, who reads and who adds."""

    ids: Callable[[], Any]
    readers: frozenset[Role]
    writers: frozenset[Role]


def _applications() -> Any:
    if act().by.role == "expert":
        return list(panels.applications_on_my_panels(act()))
    return Application.select(Application.id).where(Application.base.in_(reachable_bases()))


def _sessions() -> Any:
    return Session.select(Session.id).join(TrainingClass).where(TrainingClass.base.in_(reachable_bases()))


def _of_people(table: Any) -> Any:
    """Rows that hang on a training of a reachable base, or on a person whose file is the caller's business."""
    classes = TrainingClass.select(TrainingClass.id).where(TrainingClass.base.in_(reachable_bases()))
    trained = Enrolment.select(Enrolment.id).where(Enrolment.training_class.in_(classes))
    reached = person_files.people_reached(act()).select(Person.id)
    return table.select(table.id).where(table.enrolment.in_(trained) | table.person.in_(reached))


def _consents() -> Any:
    classes = TrainingClass.select(TrainingClass.id).where(TrainingClass.base.in_(reachable_bases()))
    return Consent.select(Consent.id).join(Enrolment).where(Enrolment.training_class.in_(classes))


#: By the noun of the record. What inspectors keep with an application stays with the federation.
OWNERS: dict[str, Owner] = {
    "base": Owner(
        reachable_bases, frozenset({"base_clerk", *OFFICERS, "auditor"}), frozenset({"base_clerk"})
    ),
    "session": Owner(_sessions, frozenset({"base_clerk", *OFFICERS, "auditor"}), frozenset({"base_clerk"})),
    "consent": Owner(_consents, frozenset({"base_clerk", *OFFICERS, "auditor"}), frozenset({"base_clerk"})),
    "employment": Owner(
        partial(_of_people, Employment), frozenset({"base_clerk", *OFFICERS, "auditor"}), frozenset(WRITERS)
    ),
    "held_certificate": Owner(
        partial(_of_people, HeldCertificate),
        frozenset({"base_clerk", *OFFICERS, "auditor"}),
        frozenset(WRITERS),
    ),
    "application": Owner(_applications, frozenset({*OFFICERS, "auditor", "expert"}), frozenset(OFFICERS)),
}


class DocumentSchema(Schema):
    """A document; ``digest`` is the SHA-256 of its content, ``media_type`` what the content really is."""

    id = fields.String()
    owner = fields.String()
    owner_id = fields.String()
    kind = fields.String()
    kind_text = fields.String()
    digest = fields.String()
    media_type = fields.String()
    size = fields.Integer(metadata={"description": "字节数 (bytes)"})
    kept_at = fields.DateTime()
    standing = fields.Boolean(metadata={"description": "是否仍在档案中"})
    content_url = fields.String()


class BelongsSchema(Schema):
    """Which record the document belongs to, and as what."""

    owner = Text(required=True, validate=validate.OneOf(OWNERS))
    owner_id = fields.UUID(required=True)
    kind = Text(required=True, validate=validate.OneOf(DOCUMENT_KINDS))


class ContentSchema(Schema):
    """The content; its name is not kept and its type is told from the content."""

    file = FileField(required=True)


class DocumentQuery(PageQuery):
    """Filters of the list of documents."""

    owner = Text(load_default=None, validate=validate.OneOf(OWNERS))
    owner_id = fields.UUID(load_default=None)
    kind = Text(load_default=None, validate=validate.OneOf(DOCUMENT_KINDS))


def show_document(document: Document) -> dict[str, Any]:
    """A document as the API answers it."""
    columns = ("owner", "kind", "digest", "media_type", "size", "kept_at", "standing")
    return {name: getattr(document, name) for name in columns} | {
        "id": str(document.id),
        "owner_id": str(document.owner_id),
        "kind_text": DOCUMENT_KINDS[document.kind][language() == "en"],
        "content_url": f"{API_PREFIX}/documents/{document.id}/content",
    }


def readable() -> Any:
    """The documents that this caller may read, also those taken out of a file."""
    role = act().by.role
    conditions = [
        (Document.owner == noun) & Document.owner_id.in_(owner.ids())
        for noun, owner in OWNERS.items()
        if role in owner.readers
    ]
    if role == "expert":
        conditions.append(Document.id.in_(_named_in_my_snapshots()))
    return Document.select().where(reduce(or_, conditions))


def _named_in_my_snapshots() -> list[UUID]:
    mine = Application.select().where(Application.id.in_(list(panels.applications_on_my_panels(act()))))
    handed_in = [latest_submission(application) for application in mine]
    return [
        UUID(document["id"])
        for submission in handed_in
        if submission is not None
        for document in submission.snapshot["file"]["documents"]
    ]


def readable_document(document_id: str) -> Document:
    """The document with this id, if this caller may read it.

    :raises NotFound: it is not; foreign documents answer as unknown ones do.
    """
    document = require_found(Document, document_id)
    if not readable().where(Document.id == document.id).exists():
        raise NotFound()
    return document


def _require_writer(noun: str, record_id: UUID) -> None:
    owner = OWNERS[noun]
    if act().by.role not in owner.writers:
        raise NotAllowed()
    if record_id not in {getattr(found, "id", found) for found in owner.ids()}:
        raise NotFound()


@blueprint.route("", methods=["GET"])
@for_roles(*READERS)
@blueprint.arguments(DocumentQuery, location="query")
@blueprint.response(200, page_of(DocumentSchema))
def list_documents(query: dict[str, Any]) -> dict[str, Any]:
    """The documents that stand in files which are the caller's business."""
    found = readable().where(Document.standing)
    for name in ("owner", "owner_id", "kind"):
        if query[name]:
            found = found.where(getattr(Document, name) == query[name])
    return page(found, Document, query, show_document)


@blueprint.route("", methods=["POST"])
@for_roles(*WRITERS)
@blueprint.arguments(BelongsSchema, location="form")
@blueprint.arguments(ContentSchema, location="files")
@blueprint.response(201, DocumentSchema)
def keep_document(form: dict[str, Any], files: dict[str, Any]) -> dict[str, Any]:
    """Keep a document: PDF, JPG, PNG, XLSX or DOCX by content; the same one sent again is one."""
    _require_writer(form["owner"], form["owner_id"])
    content = files["file"].read()
    kept = documents.keep(act(), form["owner"], form["owner_id"], form["kind"], content, services().shelf())
    return show_document(kept)


@blueprint.route("/<document_id>", methods=["GET"])
@for_roles(*READERS)
@blueprint.response(200, DocumentSchema)
def read_document(document_id: str) -> dict[str, Any]:
    """What is known of a document."""
    return show_document(readable_document(document_id))


@blueprint.route("/<document_id>/content", methods=["GET"])
@for_roles(*READERS)
@blueprint.response(200, content_type="application/octet-stream")
def download_document(document_id: str) -> Response:
    """The content as it was kept, always as an attachment; altered content is an error."""
    document = readable_document(document_id)
    content = documents.content_of(document, services().shelf())
    name = f"{document.kind}-{document.digest[:12]}.{MEDIA_TYPES[document.media_type]}"
    answer = attachment(content, document.media_type, name)
    answer.headers["Content-Security-Policy"] = SANDBOX
    return answer


@blueprint.route("/<document_id>", methods=["DELETE"])
@for_roles(*WRITERS)
@blueprint.response(204)
def take_out_document(document_id: str) -> None:
    """Take a document out of the file; what a review looked at stays readable."""
    document = readable_document(document_id)
    _require_writer(document.owner, document.owner_id)
    documents.take_out(act(), document)
