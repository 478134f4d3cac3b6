"""Files in the console: certificates of a class, sheets to fill in, refused rows, sign-in sheets, templates."""

from __future__ import annotations

from typing import Any

from flask import Response

from api.callers import act, for_roles
from api.certificates import prints, reachable_certificate, verify_url, zipped
from api.classes import reachable_class
from api.consents import draw_consent_forms
from api.console.frame import READERS, blueprint
from api.files import PDF, XLSX, ZIP, attachment
from api.problems import language
from api.sessions import reachable_session, sheet_facts
from api.uploads import reachable_upload
from certificates import document, papers
from skills_registry import employment
from skills_registry.certification import certificates
from skills_registry.foundation.errors import NotFound
from skills_registry.training import attendance_sheets, results, rosters, timetable_sheets, uploads
from skills_registry.training.classes import TrainingClass

#: The sheets that a class gives out prefilled.
_PREFILLED = {
    "timetable": timetable_sheets.timetable_sheet,
    "attendance": attendance_sheets.attendance_sheet,
    "results": results.results_sheet,
    "employment": employment.follow_up_sheet,
}


@blueprint.get("/classes/<uuid:class_id>/certificates.zip")
@for_roles(*READERS)
def download_certificates(class_id: Any) -> Response:
    """A class's certificates as one ZIP, streamed while they are drawn."""
    return attachment(zipped(prints(str(class_id))), ZIP, f"certificates-{_filing_no(class_id)}.zip")


@blueprint.get("/classes/<uuid:class_id>/certificates.pdf")
@for_roles(*READERS)
def download_gathered(class_id: Any) -> Response:
    """A class's certificates as one print-ready PDF."""
    content = document.gather(prints(str(class_id)))
    return attachment(content, PDF, f"certificates-{_filing_no(class_id)}.pdf")


def _filing_no(class_id: Any) -> str:
    return str(TrainingClass.get_by_id(class_id).filing_no)


@blueprint.get("/certificates/<number>/document")
@for_roles(*READERS)
def download_certificate(number: str) -> Response:
    """One certificate as an accessible PDF."""
    certificate = reachable_certificate(number)
    content = document.draw(certificates.printed_of(act().vault, certificate), verify_url(certificate))
    return attachment(content, PDF, f"{certificate.number}.pdf")


@blueprint.get("/classes/<uuid:class_id>/<kind>-sheet.xlsx")
@for_roles("base_clerk", "county_officer")
def download_sheet(class_id: Any, kind: str) -> Response:
    """A sheet prefilled for a class: its timetable, attendance, results or follow-up."""
    training_class = reachable_class(str(class_id))
    if kind == "roster":
        return attachment(rosters.roster_template(act()), XLSX, "roster-template.xlsx")
    if kind not in _PREFILLED:
        raise NotFound()
    return attachment(
        _PREFILLED[kind](act(), training_class), XLSX, f"{kind}-{training_class.filing_no}.xlsx"
    )


@blueprint.get("/roster-template.xlsx")
@for_roles(*READERS)
def download_roster_template() -> Response:
    """An empty roster to fill in."""
    return attachment(rosters.roster_template(act()), XLSX, "roster-template.xlsx")


@blueprint.get("/timetable-template.xlsx")
@for_roles(*READERS)
def download_timetable_template() -> Response:
    """An empty timetable to fill in."""
    return attachment(timetable_sheets.empty_timetable(), XLSX, "timetable-template.xlsx")


@blueprint.get("/classes/<uuid:class_id>/consent-forms.pdf")
@for_roles("base_clerk", "county_officer")
def download_consent_forms(class_id: Any) -> Response:
    """Consent forms to print: one for each trainee without a consent, or a blank one."""
    training_class = reachable_class(str(class_id))
    return attachment(draw_consent_forms(training_class), PDF, f"consent-{training_class.filing_no}.pdf")


@blueprint.get("/uploads/<uuid:upload_id>/refused.xlsx")
@for_roles("base_clerk")
def download_refused_rows(upload_id: Any) -> Response:
    """The refused rows with their reasons, ready to mend and send again."""
    content = uploads.refused_rows(act(), reachable_upload(str(upload_id)), language())
    return attachment(content, XLSX, "refused.xlsx")


@blueprint.get("/sessions/<uuid:session_id>/sign-in-sheet.pdf")
@for_roles("base_clerk", "county_officer")
def download_sign_in_sheet(session_id: Any) -> Response:
    """The sign-in sheet of a session to print."""
    facts = sheet_facts(reachable_session(str(session_id)))
    name = f"sign-in-{facts['filing_no']}-{facts['place_in_timetable']}.pdf"
    return attachment(papers.draw("sign_in_sheet", facts), PDF, name)
