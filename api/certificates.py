"""Endpoints for certificates (证书): look up, draw, revoke, suspend, reinstate, reissue."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from typing import Any

from flask import Response
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from api.bodies import Prose, Text
from api.callers import API_PREFIX, act, for_roles, reachable_bases, require_reach, services
from api.classes import reachable_class
from api.files import PDF, ZIP, Outlet, attachment
from api.lists import PageQuery, page, page_of
from api.services import Services
from api.shapes import OccupationSchema, ReasonSchema, StepSchema, show_step
from certificates import document, token
from certificates.document import fonts
from skills_registry.certification import certificates, issuing
from skills_registry.certification.certificates import CERTIFICATE, Certificate
from skills_registry.certification.plaques import Plaque
from skills_registry.certification.printed import CertificatePaper
from skills_registry.competitions import entries, results
from skills_registry.foundation.errors import NotFound
from skills_registry.foundation.lifecycle import steps_of
from skills_registry.training.classes import TrainingClass

blueprint = Blueprint("certificates", __name__, url_prefix=API_PREFIX, description="证书 (certificates)")

_READERS = ("base_clerk", "county_officer", "city_officer", "auditor")


class CertificateSchema(Schema):
    """A certificate as recorded; ``verify_url`` is what its QR code says."""

    id = fields.String()
    number = fields.String()
    status = fields.String()
    expired = fields.Boolean()
    kind = fields.String()
    name = fields.String()
    class_id = fields.String(allow_none=True)
    entry_id = fields.String(allow_none=True, metadata={"description": "竞赛获奖证书所依据的参赛报名"})
    base_name = fields.String()
    subject = fields.String()
    competition = fields.String(allow_none=True)
    prize = fields.String(allow_none=True)
    occupation = fields.Nested(OccupationSchema, allow_none=True)
    level = fields.String(allow_none=True)
    class_hours = fields.Integer()
    issued_on = fields.Date()
    expires_on = fields.Date(allow_none=True)
    verify_url = fields.String()
    document_url = fields.String()
    replaces = fields.String(allow_none=True)
    superseded_by = fields.String(allow_none=True)
    steps = fields.List(fields.Nested(StepSchema))


class ReissueSchema(Schema):
    """The corrected name (更正); left out, the name stays (补发)."""

    reason = Prose(load_default="", validate=validate.Length(0, 500))
    name = Text(load_default="", validate=validate.Length(0, 100))


class CertificateQuery(PageQuery):
    """Filters of the list of certificates."""

    class_id = fields.UUID(load_default=None)
    status = Text(load_default=None, validate=validate.OneOf(CERTIFICATE.states))


def verify_url(certificate: Certificate) -> str:
    """What the certificate's QR code says."""
    return verify_url_for(services(), certificate)


def verify_url_for(service: Services, paper: Certificate | Plaque) -> str:
    """What the code of a certificate or plaque says, for a service that answers no request just now."""
    return token.url(service.settings.public_url, token.encode(paper.statement, paper.signature))


def show_certificate(certificate: Certificate) -> dict[str, Any]:
    """A certificate as the API answers it to those entitled."""
    newer = certificates.superseding(certificate)
    columns = ("number", "status", "kind", "base_name", "subject", "class_hours", "issued_on", "expires_on")
    columns += ("competition", "prize")
    occupation = {
        "edition": certificate.occupation_edition,
        "code": certificate.occupation_code,
        "name": certificate.subject,
    }
    return {name: getattr(certificate, name) for name in columns} | {
        "id": str(certificate.id),
        "expired": certificate.expires_on is not None and certificate.expires_on < act().today,
        "name": certificates.name_on(act().vault, certificate),
        "class_id": str(certificate.training_class_id) if certificate.training_class_id else None,
        "entry_id": str(certificate.entry_id) if certificate.entry_id else None,
        "occupation": occupation if certificate.occupation_code else None,
        "level": certificate.level or None,
        "verify_url": verify_url(certificate),
        "document_url": f"{API_PREFIX}/certificates/{certificate.number}/document",
        "replaces": certificate.replaces.number if certificate.replaces_id else None,
        "superseded_by": newer.number if newer else None,
    }


def show_whole_certificate(certificate: Certificate) -> dict[str, Any]:
    """A certificate with its history."""
    return show_certificate(certificate) | {"steps": [show_step(s) for s in steps_of(certificate.id)]}


def reachable_certificate(number: str) -> Certificate:
    """The certificate with this number, if its base, or the competition that it was won in, is the caller's business."""
    certificate = certificates.require_number(number)
    if certificate.base is None:
        entry = results.entry_behind(certificate)
        entries.require_seen(act(), entry.event.competition, entry)
    else:
        require_reach(certificate.base)
    return certificate


def prints(class_id: str) -> list[tuple[CertificatePaper, str]]:
    """What is to be drawn for a class: the standing certificates, in order of number."""
    standing = certificates.certificates_of_class(reachable_class(class_id).id).where(
        Certificate.status.in_(["valid", "suspended"])
    )
    found = [(certificates.printed_of(act().vault, row), verify_url(row)) for row in standing]
    if not found:
        raise NotFound(
            code="no_certificates",
            zh="本班还没有可下载的证书；审批后即可下载。",
            en="The class has no certificates yet; they can be downloaded after approval.",
        )
    return found


@blueprint.route("/certificates", methods=["GET"])
@for_roles(*_READERS)
@blueprint.arguments(CertificateQuery, location="query")
@blueprint.response(200, page_of(CertificateSchema))
def list_certificates(query: dict[str, Any]) -> dict[str, Any]:
    """The certificates of the bases, and awards of the competitions, that are the caller's business."""
    awarded = entries.seen_by(act()) if act().by.role != "base_clerk" else []
    found = Certificate.select().where(
        Certificate.base.in_(reachable_bases()) | Certificate.entry_id.in_(awarded)
    )
    if query["class_id"]:
        found = found.where(Certificate.training_class == query["class_id"])
    if query["status"]:
        found = found.where(Certificate.status == query["status"])
    return page(found, Certificate, query, show_certificate)


@blueprint.route("/certificates/<number>", methods=["GET"])
@for_roles(*_READERS)
@blueprint.response(200, CertificateSchema)
def read_certificate(number: str) -> dict[str, Any]:
    """One certificate with its history."""
    return show_whole_certificate(reachable_certificate(number))


@blueprint.route("/certificates/<number>/document", methods=["GET"])
@for_roles(*_READERS)
@blueprint.response(200, content_type=PDF)
def draw_certificate(number: str) -> Response:
    """The certificate as an accessible PDF; drawn from the record, the same bytes every time."""
    certificate = reachable_certificate(number)
    content = document.draw(certificates.printed_of(act().vault, certificate), verify_url(certificate))
    return attachment(content, PDF, f"{certificate.number}.pdf")


@blueprint.route("/classes/<class_id>/certificates.zip", methods=["GET"])
@for_roles(*_READERS)
@blueprint.response(200, content_type=ZIP)
def draw_class(class_id: str) -> Response:
    """A class's certificates as one ZIP, streamed while they are drawn."""
    found = prints(class_id)
    return attachment(zipped(found), ZIP, f"certificates-{_filing_no(class_id)}.zip")


@blueprint.route("/classes/<class_id>/certificates.pdf", methods=["GET"])
@for_roles(*_READERS)
@blueprint.response(200, content_type=PDF)
def gather_class(class_id: str) -> Response:
    """A class's certificates as one print-ready PDF, a page each."""
    return attachment(document.gather(prints(class_id)), PDF, f"certificates-{_filing_no(class_id)}.pdf")


def _filing_no(class_id: str) -> str:
    return str(TrainingClass.get_by_id(class_id).filing_no)


def zipped(found: list[tuple[CertificatePaper, str]]) -> Iterator[bytes]:
    """Certificates as a ZIP, handed on while they are drawn."""
    outlet = Outlet()
    # PDFs are compressed already; a fixed time keeps the archive the same for the same records.
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]
        for (printed, _), content in zip(found, document.draw_all(found), strict=True):
            entry = zipfile.ZipInfo(f"{printed.number}.pdf", (printed.issued_on.year, 1, 1, 0, 0, 0))
            archive.writestr(entry, content)
            yield outlet.take()
    yield outlet.take()


@blueprint.route("/certificates/<number>/revocation", methods=["POST"])
@for_roles("city_officer")
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, CertificateSchema)
def revoke_certificate(body: dict[str, Any], number: str) -> dict[str, Any]:
    """Revoke a certificate for good (撤销)."""
    return show_whole_certificate(issuing.revoke(act(), reachable_certificate(number), body["reason"]))


@blueprint.route("/certificates/<number>/suspension", methods=["POST"])
@for_roles("city_officer")
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, CertificateSchema)
def suspend_certificate(body: dict[str, Any], number: str) -> dict[str, Any]:
    """Suspend a certificate until a question is settled (暂停)."""
    return show_whole_certificate(issuing.suspend(act(), reachable_certificate(number), body["reason"]))


@blueprint.route("/certificates/<number>/reinstatement", methods=["POST"])
@for_roles("city_officer")
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, CertificateSchema)
def reinstate_certificate(body: dict[str, Any], number: str) -> dict[str, Any]:
    """Put a suspended certificate back in force (恢复)."""
    return show_whole_certificate(issuing.reinstate(act(), reachable_certificate(number), body["reason"]))


@blueprint.route("/certificates/<number>/reissue", methods=["POST"])
@for_roles("city_officer")
@blueprint.arguments(ReissueSchema)
@blueprint.response(201, CertificateSchema)
def reissue_certificate(body: dict[str, Any], number: str) -> dict[str, Any]:
    """Issue a new certificate in place of this one (更正、补发); the old one says so when scanned."""
    certificate = reachable_certificate(number)
    again = results.reissue if certificate.entry_id else issuing.reissue
    fresh = again(
        act(),
        certificate,
        services().signer(),
        fonts.uncovered,
        reason=body["reason"] or ("更正" if body["name"] else "补发"),
        name=body["name"],
    )
    return show_whole_certificate(fresh)
