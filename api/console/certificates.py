"""Certificates in the console (证书): found by number, their history; suspended, reinstated, revoked, reissued."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Response, redirect, request

from api.callers import act, for_roles, reachable_bases, services
from api.certificates import ReissueSchema, reachable_certificate, show_whole_certificate
from api.console.frame import READERS, Refused, attempted, blueprint, leaf, loaded, refusal, show, to, typed
from api.problems import language
from api.shapes import ReasonSchema
from certificates.document import fonts
from skills_registry.certification import certificates, issuing
from skills_registry.certification.certificates import CERTIFICATE, CERTIFICATE_KINDS, Certificate
from skills_registry.competitions import entries, results
from skills_registry.foundation.errors import FieldRefused, NotFound


class NumberUnknown(FieldRefused):
    """No certificate of that number that this caller may know of."""

    code = "certificate_unknown"
    zh = "没有查到这个编号的证书，请对照证书逐位核对（形如630200-2026-000001-3）。"
    en = "No certificate has this number; compare it digit by digit (like 630200-2026-000001-3)."


@blueprint.get("/certificates")
@for_roles(*READERS)
def list_certificates() -> Any:
    """Find one by number, or look through those that are the caller's business, the newest first."""
    number = request.args.get("number", "").strip()[:60]
    if number:
        try:
            found = reachable_certificate(number)
        except (NotFound, FieldRefused):
            return _list(number, refusal(NumberUnknown(field="number")))
        return redirect(to("show_certificate", number=found.number), code=303)
    return _list()


def _list(number: str = "", refused: Refused | None = None) -> Response:
    asked = {name: request.args.get(name, "") for name in ("status", "class_id")}
    found = _reachable()
    if asked["status"] in CERTIFICATE.states:
        found = found.where(Certificate.status == asked["status"])
    if asked["class_id"]:
        found = found.where(Certificate.training_class == _id(asked["class_id"]))
    part, which = leaf(found, Certificate), language() == "en"
    return show(
        "certificates",
        refused=refused,
        number=number,
        asked=asked,
        part=part,
        lines=[_line(row, which=which) for row in part.rows],
        states=[(code, names[which]) for code, names in CERTIFICATE.states.items()],
    )


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound() from None


def _reachable() -> Any:
    """Certificates of the bases, and awards of the competitions, that are the caller's business."""
    awarded = entries.seen_by(act()) if act().by.role != "base_clerk" else []
    return Certificate.select().where(
        Certificate.base.in_(reachable_bases()) | Certificate.entry_id.in_(awarded)
    )


def _line(certificate: Certificate, *, which: bool) -> dict[str, Any]:
    return {
        "number": certificate.number,
        "name": certificates.name_on(act().vault, certificate),
        "subject": certificate.subject,
        "base_name": certificate.base_name,
        "issued_on": certificate.issued_on,
        "status": certificate.status,
        "status_text": CERTIFICATE.states[certificate.status][which],
    }


@blueprint.get("/certificates/<number>")
@for_roles(*READERS)
def show_certificate(number: str) -> Response:
    """One certificate with its history."""
    return _page(number)


def _page(number: str, refused: Refused | None = None) -> Response:
    certificate = reachable_certificate(number)
    which = language() == "en"
    role = act().by.role
    return show(
        "certificate",
        refused=refused,
        here=to("show_certificate", number=number),
        shown=show_whole_certificate(certificate),
        status_text=CERTIFICATE.states[certificate.status][which],
        kind_text=CERTIFICATE_KINDS[certificate.kind][which],
        may={
            move.action
            for move in CERTIFICATE.moves
            if move.origin == certificate.status and role in move.roles
        },
    )


def _changed(number: str, change: Callable[[Certificate, str], Any], done: str) -> Any:
    """Do something to a certificate for a reason, and go back to its page, which says so."""
    certificate = reachable_certificate(number)

    def changed() -> str:
        change(certificate, loaded(ReasonSchema(), {"reason": typed("reason")})["reason"])
        return to("show_certificate", number=number, done=done)

    return attempted(changed, lambda refused: _page(number, refused))


@blueprint.post("/certificates/<number>/revocation")
@for_roles("city_officer")
def revoke_certificate(number: str) -> Any:
    """Revoke a certificate for good (撤销)."""
    return _changed(number, lambda found, reason: issuing.revoke(act(), found, reason), "revoked")


@blueprint.post("/certificates/<number>/suspension")
@for_roles("city_officer")
def suspend_certificate(number: str) -> Any:
    """Suspend a certificate until a question is settled (暂停)."""
    return _changed(number, lambda found, reason: issuing.suspend(act(), found, reason), "suspended")


@blueprint.post("/certificates/<number>/reinstatement")
@for_roles("city_officer")
def reinstate_certificate(number: str) -> Any:
    """Put a suspended certificate back in force (恢复)."""
    return _changed(number, lambda found, reason: issuing.reinstate(act(), found, reason), "reinstated")


@blueprint.post("/certificates/<number>/reissue")
@for_roles("city_officer")
def reissue_certificate(number: str) -> Any:
    """Issue a new certificate in place of this one (更正、补发); the next page is the new one."""
    certificate = reachable_certificate(number)

    def reissue() -> str:
        body = loaded(ReissueSchema(), {"reason": typed("reason"), "name": typed("name")})
        again = results.reissue if certificate.entry_id else issuing.reissue
        reason = body["reason"] or ("更正" if body["name"] else "补发")
        fresh = again(
            act(), certificate, services().signer(), fonts.uncovered, reason=reason, name=body["name"]
        )
        return to("show_certificate", number=fresh.number, done="reissued")

    return attempted(reissue, lambda refused: _page(number, refused))
