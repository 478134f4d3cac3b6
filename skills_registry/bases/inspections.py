"""Site inspection (实地考察): two officers visit, fill in one checklist together and both sign it.

The officer who files the report signs it by filing; each other inspector signs under an account of
their own. The visit counts once as many persons have signed as the policy asks for, two at least;
two accounts of one person are one signature. A report filed anew replaces the earlier one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from peewee import DateField, ForeignKeyField, IntegerField, JSONField, ModelSelect, TextField, UUIDField

from skills_registry import documents
from skills_registry.bases.applications import (
    APPLICATION,
    Application,
    hold,
    latest_submission,
    require_no_applicant,
)
from skills_registry.bases.seats import experts_of
from skills_registry.foundation.acts import SHANGHAI, Act, require_role
from skills_registry.foundation.errors import FieldRefused, RuleBroken, SeparationOfDuties
from skills_registry.foundation.lifecycle import move, note
from skills_registry.foundation.storage import InstantField, Record, database


class Inspection(Record):
    """One report of a visit. ``checklist`` is the policy's list as it stood; ``answers`` maps an
    item's code to ``met`` and ``remark``; ``photos`` are ids of documents of the application."""

    application = ForeignKeyField(Application, backref="inspections", on_delete="RESTRICT")
    round = IntegerField()
    visited_on = DateField()
    checklist = JSONField()
    answers = JSONField()
    findings = TextField()
    photos = JSONField()
    inspectors_needed = IntegerField()
    filed_at = InstantField()
    application_id: UUID
    signatures: ModelSelect[InspectionSignature]


class InspectionSignature(Record):
    """One inspector, as a natural person, who was there and stands by the report."""

    inspection = ForeignKeyField(Inspection, backref="signatures", on_delete="RESTRICT")
    operator = UUIDField()
    account = UUIDField()
    signed_at = InstantField()

    class Meta:
        indexes = ((("inspection", "operator"), True),)


@dataclass(frozen=True)
class Visit:
    """What the inspectors bring back: the day, an answer to each item, findings and photos."""

    visited_on: date
    answers: Mapping[str, Mapping[str, Any]]
    findings: str
    photos: Sequence[UUID]


class SignedAlready(SeparationOfDuties):
    """The caller, as a person, has signed this report."""

    code = "inspection_signed_already"
    zh = "您（同一自然人）已签署这份考察记录，须由另一位考察人员签署。"
    en = "You, as one person, have signed this report; another inspector must sign it."


class ExpertElsewhere(SeparationOfDuties):
    """An expert of the application neither inspects it nor reviews it for the county."""

    code = "expert_elsewhere"
    zh = "您（同一自然人）是本申请的评审专家，不能再参与初审或实地考察。"
    en = "You, as one person, are an expert of this application and cannot review or inspect it too."


class NothingToSign(RuleBroken):
    """No report of this round awaits a signature."""

    code = "inspection_nothing_to_sign"
    zh = "本轮没有待签署的考察记录，或已有更新的记录。"
    en = "No inspection report of this round awaits a signature, or a newer one was filed."


def require_may_inspect(act: Act, application: Application) -> None:
    """The caller is an officer, a stranger to the base and no expert of this application.

    :raises OwnBase: the caller belongs to the base.
    :raises ExpertElsewhere: the caller is an expert of the application.
    """
    require_role(act, "county_officer", "city_officer")
    require_no_applicant(act, application)
    if act.by.operator_id in experts_of(application):
        raise ExpertElsewhere()


def file_inspection(act: Act, application: Application, visit: Visit) -> Inspection:
    """File the report of a visit and sign it; others who were there sign after.

    :raises FieldRefused: the day lies before the submission or ahead, the checklist is not answered
        item by item, findings are missing, or a photo is no picture kept for this application.
    :raises WrongState: the application does not await an inspection.
    :raises SeparationOfDuties: see :func:`require_may_inspect`.
    """
    require_may_inspect(act, application)
    _require_awaited(application)
    checklist = act.policy.rule("admission_checklist", act.today)
    rule = act.policy.rule("admission", act.today)
    _require_sound(act, application, visit, checklist["items"], rule["smallest_photos"])
    with database.atomic():
        hold(application)
        inspection = Inspection.create(
            application=application,
            round=application.round,
            visited_on=visit.visited_on,
            checklist=checklist["items"],
            answers={code: dict(answer) for code, answer in visit.answers.items()},
            findings=visit.findings,
            photos=[str(photo) for photo in visit.photos],
            # One inspector is never enough, whatever a policy file says.
            inspectors_needed=max(2, rule["smallest_inspection"]),
            filed_at=act.at,
        )
        _sign(act, application, inspection, "file_inspection")
    return inspection


def _require_awaited(application: Application) -> None:
    if APPLICATION.find("inspect", application.status) is None:
        raise APPLICATION.refusal(application.status, "inspect")


def _require_sound(
    act: Act, application: Application, visit: Visit, items: Sequence[Mapping[str, Any]], fewest: int
) -> None:
    handed_in = latest_submission(application)
    if visit.visited_on > act.today or (
        handed_in is not None and visit.visited_on < handed_in.submitted_at.astimezone(SHANGHAI).date()
    ):
        raise FieldRefused(field="visited_on")
    if set(visit.answers) != {item["code"] for item in items}:
        raise FieldRefused(field="answers")
    if not visit.findings.strip():
        raise FieldRefused(field="findings")
    kept = {
        document.id
        for document in documents.documents_of(APPLICATION.noun, application.id)
        if document.media_type in ("image/jpeg", "image/png")
    }
    if len(set(visit.photos)) < fewest or not set(visit.photos) <= kept:
        raise FieldRefused(field="photos")


def sign_inspection(act: Act, inspection: Inspection) -> Inspection:
    """Sign a report as another inspector who was there; the last one needed moves the application on.

    :raises SignedAlready: the caller, as a person, has signed it.
    :raises NothingToSign: a newer report was filed, or the review has moved on.
    :raises SeparationOfDuties: see :func:`require_may_inspect`.
    """
    application: Application = inspection.application
    require_may_inspect(act, application)
    latest = latest_inspection(application)
    if application.status != "recommended" or latest is None or latest.id != inspection.id:
        raise NothingToSign()
    if act.by.operator_id in inspectors_of(inspection):
        raise SignedAlready()
    with database.atomic():
        hold(application)
        _sign(act, application, inspection, "sign_inspection")
        if len(inspectors_of(inspection)) >= inspection.inspectors_needed:
            move(act, APPLICATION, application, "inspect", detail={"inspection": str(inspection.id)})
    return inspection


def _sign(act: Act, application: Application, inspection: Inspection, action: str) -> None:
    InspectionSignature.create(
        inspection=inspection, operator=act.by.operator_id, account=act.by.account_id, signed_at=act.at
    )
    note(act, APPLICATION.noun, application.id, action, detail={"inspection": str(inspection.id)})


def inspectors_of(inspection: Inspection) -> set[UUID]:
    """The natural persons who signed a report."""
    return {signature.operator for signature in inspection.signatures}


def latest_inspection(application: Application) -> Inspection | None:
    """The report filed last in the present round."""
    latest: Inspection | None = (
        Inspection.select()
        .where((Inspection.application == application.id) & (Inspection.round == application.round))
        .order_by(Inspection.id.desc())
        .first()
    )
    return latest


def inspections_of(application: Application) -> list[Inspection]:
    """The reports of all rounds, oldest first."""
    return list(Inspection.select().where(Inspection.application == application.id).order_by(Inspection.id))


def unmet(inspection: Inspection) -> list[dict[str, Any]]:
    """The required items of the checklist that the visit found unmet."""
    return [
        item
        for item in inspection.checklist
        if item["required"] and not inspection.answers[item["code"]]["met"]
    ]
