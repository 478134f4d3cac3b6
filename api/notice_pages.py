"""What the world sees of notices (公示): the list, each notice, and the form by which anyone objects.

Nobody signs in. Who objects gets the address of a receipt that says where their objection stands; what
they wrote and how they can be reached is never shown there again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, redirect, request, url_for

from api.callers import act
from api.limits import READING, limiter
from api.notices import PHASES
from api.pages import page, wants_json
from api.problems import language
from skills_registry import notices
from skills_registry.foundation.acts import SHANGHAI
from skills_registry.foundation.errors import FieldRefused, RegistryError
from skills_registry.foundation.identifiers import division_name
from skills_registry.foundation.storage import require_found
from skills_registry.notices import (
    LONGEST_CONTACT,
    LONGEST_OBJECTION,
    OBJECTION,
    Notice,
    NoticeClosed,
    NoticeWithdrawn,
    Objection,
)

blueprint = Blueprint("notice_pages", __name__)

#: By address; many phones share one, so this stops a flood and no family.
OBJECTIONS = "20/hour"
#: By notice: each objection has to be answered by a person.
OBJECTIONS_TO_ONE = "100/hour"


def _by_notice() -> str:
    return f"notice:{(request.view_args or {}).get('notice_id', '')[:40]}"


def public_notice(notice: Notice) -> dict[str, Any]:
    """A notice as everyone may see it; its text as long as it is on notice, or names organisations only."""
    last = notices.deadline_of(notice, act().policy)
    phase = notices.phase(notice, act().policy, act().today)
    return {
        "id": str(notice.id),
        "title": notice.title,
        "text": notice.text if _shows_text(notice, phase) else None,
        "place": division_name(notice.division_code),
        "working_days": notice.working_days,
        "published_on": notice.published_on.isoformat(),
        "closes_on": last.day.isoformat(),
        "provisional": last.provisional,
        "phase": phase,
        "phase_text": PHASES[phase][language() == "en"],
        "url": f"/notices/{notice.id}",
    }


def _shows_text(notice: Notice, phase: str) -> bool:
    stays = act().policy.rule("public_notice", act().today)["text_stays"]
    return phase == "open" or (phase == "closed" and notice.subject in stays)


def _receipt(objection: Objection) -> dict[str, Any]:
    return {
        "id": str(objection.id),
        "notice_id": str(objection.notice_id),
        "status": objection.status,
        "status_text": OBJECTION.states[objection.status][language() == "en"],
        "received_on": objection.received_at.astimezone(SHANGHAI).date().isoformat(),
        "answer_by": notices.answer_deadline(objection, act().policy).day.isoformat(),
        "url": _receipt_url(objection),
    }


def _receipt_url(objection: Objection) -> str:
    return f"/notices/{objection.notice_id}?receipt={objection.id}"


def _asked_receipt(notice: Notice) -> Objection | None:
    try:
        key = UUID(request.args.get("receipt", ""))
    except ValueError:
        return None
    found: Objection | None = Objection.get_or_none((Objection.id == key) & (Objection.notice == notice.id))
    return found


def _notice_page(
    notice: Notice, *, status: int = 200, problems: tuple[str, ...] = (), receipt: Objection | None = None
) -> Response:
    typed = {field: _typed(field) if problems else "" for field in ("text", "contact")}
    return page(
        "notice",
        status=status,
        notice=public_notice(notice),
        problems=problems,
        typed=typed,
        receipt=_receipt(receipt) if receipt else None,
        other_path=url_for("notice_pages.read_notice", notice_id=notice.id),
        kept={"receipt": str(receipt.id)} if receipt else {},
    )


@blueprint.get("/notices")
@limiter.limit(READING)
def list_notices() -> Response:
    """What is on notice now, and what was lately."""
    today = act().today
    days = act().policy.rule("public_notice", today)["listed_days_after"]
    known = (
        Notice.select()
        .where((Notice.status == "open") & (Notice.closes_on >= today - timedelta(days=days)))
        .order_by(Notice.id.desc())
    )
    shown = [public_notice(notice) for notice in known]
    if wants_json():
        return jsonify({"items": shown})
    running = [notice for notice in shown if notice["phase"] == "open"]
    return page("notices", running=running, ended=[notice for notice in shown if notice not in running])


@blueprint.get("/notices/<notice_id>")
@limiter.limit(READING)
def read_notice(notice_id: str) -> Response:
    """One notice; with ``receipt``, where that objection stands."""
    notice = require_found(Notice, notice_id)
    objection = _asked_receipt(notice)
    if wants_json():
        told = public_notice(notice)
        return jsonify(told | {"receipt": _receipt(objection)} if objection else told)
    return _notice_page(notice, receipt=objection)


@blueprint.get("/notices/<notice_id>/objections")
def reopened(notice_id: str) -> Any:
    """A tab opened again after a refused form shows the notice; objections are not listed for anyone."""
    return redirect(url_for("notice_pages.read_notice", notice_id=notice_id), code=303)


@blueprint.post("/notices/<notice_id>/objections")
@limiter.limit(OBJECTIONS)
@limiter.limit(OBJECTIONS_TO_ONE, key_func=_by_notice)
def object_to(notice_id: str) -> Any:
    """Object to a notice, without an account; from the form or as JSON ``{"text", "contact"}``."""
    notice = require_found(Notice, notice_id)
    as_json = wants_json() or request.is_json
    try:
        objection = notices.object_to(act(), notice, text=_typed("text"), contact=_typed("contact"))
    except (FieldRefused, NoticeClosed, NoticeWithdrawn) as refusal:
        if as_json:
            raise
        return _refused(notice, refusal)
    if as_json:
        return jsonify(_receipt(objection)), 201
    return redirect(f"{_receipt_url(objection)}&lang={language()}", code=303)


def _refused(notice: Notice, refusal: RegistryError) -> Response:
    if isinstance(refusal, FieldRefused):
        longest = {"text": LONGEST_OBJECTION, "contact": LONGEST_CONTACT}
        wrong = tuple(
            field for field, most in longest.items() if not _typed(field).strip() or len(_typed(field)) > most
        )
        return _notice_page(notice, status=422, problems=wrong)
    return _notice_page(require_found(Notice, notice.id), status=409)


def _typed(field: str) -> str:
    """What was typed, from a form or a JSON body; anything but text counts as empty. One more character
    than the longest is kept, so that what is too long is refused and not cut."""
    body = request.get_json(silent=True) if request.is_json else request.form
    value = body.get(field, "") if hasattr(body, "get") else ""
    # Browsers send line ends as CR LF and count them as one character.
    text = value.replace("\r\n", "\n") if isinstance(value, str) else ""
    return text[: LONGEST_OBJECTION + 1]
