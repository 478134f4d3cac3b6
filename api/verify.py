"""What the world sees: the page behind a QR code, and the look-up for those who cannot scan.

Reading a page tells nothing about the holder beyond a masked name; a typed name is answered with
match or no match and nothing else, at the same effort whether or not the certificate exists.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, redirect, request, url_for

from api.bodies import typed
from api.callers import act, services
from api.directory import contact, plaque_facts
from api.limits import LOOKUPS, NAME_CHECKS, READING, by_code, by_number, limiter
from api.pages import page, wants_json
from api.problems import language
from certificates import token, verification
from certificates.verification import Verdict
from skills_registry.certification import certificates, plaques
from skills_registry.certification.certificates import CERTIFICATE_KINDS, Certificate
from skills_registry.certification.plaques import Plaque, RecordedPapers
from skills_registry.foundation.identifiers import check_certificate_number, masked_name
from skills_registry.foundation.levels import level

blueprint = Blueprint("verify", __name__)


def verdict_on(code: str) -> Verdict:
    """The verdict on a scanned code, today."""
    registry = RecordedPapers(act())
    return verification.check(code, keys=services().key_ring(), registry=registry, on=act().today)


def certificate_behind(verdict: Verdict) -> Certificate | None:
    """The certificate that a verdict speaks of, where it is on record as signed."""
    if verdict.record is None or verdict.facts is None:
        return None
    return certificates.find_by_number(verdict.facts.number)


def plaque_behind(verdict: Verdict) -> Plaque | None:
    """The plaque that a verdict speaks of, where it is on record as signed."""
    if verdict.record is None or verdict.facts is None:
        return None
    return plaques.find_by_number(verdict.facts.number)


def public_document(verdict: Verdict) -> dict[str, Any]:
    """A verdict with the public facts, as JSON and page show it."""
    chosen = language()
    return {
        "verdict": verdict.code,
        "alarm": verdict.alarm,
        "heading": verdict.heading(chosen),
        "sentence": verdict.sentence(chosen),
        "steps": [
            {"number": s.number, "code": s.code, "outcome": s.outcome, "sentence": s.sentence(chosen)}
            for s in verdict.steps
        ],
        "facts": _public_facts(verdict, chosen),
    }


def _public_facts(verdict: Verdict, chosen: str) -> dict[str, Any] | None:
    certificate, plaque = certificate_behind(verdict), plaque_behind(verdict)
    if certificate is not None:
        return _certificate_facts(verdict, certificate, chosen)
    return None if plaque is None else plaque_facts(plaque)


def _certificate_facts(verdict: Verdict, certificate: Certificate, chosen: str) -> dict[str, Any]:
    english = chosen == "en"
    known_level = level(certificate.level) if certificate.level else None
    days = {name: getattr(certificate, name) for name in ("starts_on", "ends_on", "issued_on", "expires_on")}
    return {name: day and day.isoformat() for name, day in days.items()} | {
        "number": certificate.number,
        "kind": certificate.kind,
        "kind_text": CERTIFICATE_KINDS[certificate.kind][english],
        "subject": certificate.subject,
        "occupation": _occupation(certificate),
        "level": certificate.level or None,
        "level_text": "" if known_level is None else (known_level.en if english else known_level.zh),
        "class_hours": certificate.class_hours,
        "base_name": certificate.base_name,
        "competition": certificate.competition,
        "prize": certificate.prize,
        "base_listed_at_start": verdict.base_listed_at_start,
        "base_sentence": verdict.base_sentence(chosen),
        "masked_name": masked_name(certificates.name_on(act().vault, certificate)),
        "superseded_by": verdict.superseded_by,
    }


def _occupation(certificate: Certificate) -> dict[str, str] | None:
    if not certificate.occupation_code:
        return None
    return {
        "edition": certificate.occupation_edition,
        "code": certificate.occupation_code,
        "name": certificate.subject,
    }


def _verification_page(code: str, verdict: Verdict, *, match: bool | None = None) -> Response:
    checkable, plaque = certificate_behind(verdict) is not None, plaque_behind(verdict)
    path = url_for("verify.read_code", code=code)
    return page(
        "plaque" if plaque else "verification",
        v=public_document(verdict),
        name_check_url=url_for("verify.check_name", code=code, lang=language()) if checkable else None,
        match=None if plaque else match,
        checked_on=act().today.isoformat(),
        contact=contact(),
        other_path=path,
    )


@blueprint.get("/")
@limiter.limit(READING)
def home() -> Response:
    """The front door."""
    return page("home", city=services().policy.city["name"])


@blueprint.get("/v/<code>")
@limiter.limit(READING)
def read_code(code: str) -> Response:
    """The verdict on a scanned code; always 200, since a forgery is an ordinary verdict."""
    verdict = verdict_on(code)
    return jsonify(public_document(verdict)) if wants_json() else _verification_page(code, verdict)


@blueprint.get("/v/<code>/name-check")
def reopened(code: str) -> Any:
    """A tab opened again after a name check shows the verdict; the name is not asked for twice."""
    return redirect(url_for("verify.read_code", code=code), code=303)


@blueprint.post("/v/<code>/name-check")
@limiter.limit(READING)
@limiter.limit(NAME_CHECKS, key_func=by_code)
def check_name(code: str) -> Response:
    """Whether a typed name is the holder's: match or no match."""
    verdict = verdict_on(code)
    match = certificates.name_matches(act().vault, certificate_behind(verdict), typed("name"))
    if wants_json() or request.is_json:
        return jsonify({"match": match})
    return _verification_page(code, verdict, match=match)


@blueprint.get("/verify")
@limiter.limit(READING)
def lookup_form() -> Response:
    """The form for those who cannot scan."""
    return page("lookup", outcome=None, problem=None, number="")


@blueprint.post("/verify")
@limiter.limit(LOOKUPS)
@limiter.limit(NAME_CHECKS, key_func=by_number)
def look_up() -> Response:
    """Number and name together: the certificate's page, or no match without saying which was wrong."""
    number = typed("number")
    checked = check_certificate_number(number)
    found = certificates.find_by_number(checked.text) if checked.number else None
    plaque = plaques.find_by_number(checked.text) if checked.number else None
    as_json = wants_json() or request.is_json
    if plaque is not None:  # nobody's name is on it, and it tells nothing that the directory does not
        code = token.encode(plaque.statement, plaque.signature)
        verdict = verdict_on(code)
        return jsonify(public_document(verdict)) if as_json else _verification_page(code, verdict)
    match = certificates.name_matches(act().vault, found, typed("name"))
    if found is None or not match:
        if as_json:
            return jsonify({"match": False})
        problem = checked.problems[0].sentence(language()) if checked.problems else None
        return page("lookup", outcome=None if problem else "no_match", problem=problem, number=number[:40])
    code = token.encode(found.statement, found.signature)
    verdict = verdict_on(code)
    if as_json:
        return jsonify({"match": True} | public_document(verdict))
    return _verification_page(code, verdict, match=True)
