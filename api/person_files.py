"""The shape in which a person's file (一人一档), and what belongs to it, leaves the house as JSON."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from marshmallow import Schema, fields

from api.callers import act
from api.employments import EmploymentSchema, HeldCertificateSchema, show_employment, show_held
from api.problems import language
from skills_registry.certification.certificates import CERTIFICATE, CERTIFICATE_KINDS, Certificate
from skills_registry.employment import EMPLOYMENT_SERVICE, SERVICES
from skills_registry.foundation.identifiers import division_name
from skills_registry.foundation.levels import LEVELS
from skills_registry.person_files import CORRECTABLE, CORRECTION_REQUEST, CorrectionRequest, PersonFile
from skills_registry.person_files.gathering import Corrected, ServiceGiven, Training, corrected
from skills_registry.training.attendance import MARKS, Attendance
from skills_registry.training.classes import TRAINING_CLASS
from skills_registry.training.consents import CONSENT, MEANS, Consent
from skills_registry.training.enrolments import ENROLMENT, OUTCOMES, Result
from skills_registry.training.particulars import accommodation_kinds


class ResidenceSchema(Schema):
    """Where the person lives, from a day on."""

    division_code = fields.String()
    division = fields.String()
    since = fields.Date()


class FileResultSchema(Schema):
    """One result; of several the one with ``current`` counts."""

    hours = fields.String()
    scores = fields.Dict(keys=fields.String(), values=fields.String(allow_none=True))
    outcome = fields.String()
    outcome_text = fields.String()
    current = fields.Boolean()
    recorded_at = fields.DateTime()


class FileSessionSchema(Schema):
    """The mark that counts at one session; ``class_hours`` of 45 minutes."""

    on = fields.Date()
    starts_at = fields.String()
    ends_at = fields.String()
    class_hours = fields.String()
    content = fields.String()
    mark = fields.String()
    mark_text = fields.String()


class FileConsentSchema(Schema):
    """A consent to the handling of data, or one that was taken back."""

    text_version = fields.String()
    given_on = fields.Date()
    means = fields.String()
    means_text = fields.String()
    status = fields.String()
    status_text = fields.String()
    withdrawn_at = fields.DateTime(allow_none=True)


class FileAccommodationSchema(Schema):
    """An accommodation that was provided."""

    code = fields.String()
    name = fields.String()
    given_on = fields.String()
    remark = fields.String()


class FileTrainingSchema(Schema):
    """One class of the person, under the name it was entered with there."""

    class_id = fields.String()
    filing_no = fields.String()
    title = fields.String()
    subject = fields.String()
    level_text = fields.String()
    base_name = fields.String()
    name = fields.String()
    starts_on = fields.Date()
    ends_on = fields.Date()
    class_hours = fields.Integer()
    class_status_text = fields.String()
    status = fields.String()
    status_text = fields.String()
    results = fields.List(fields.Nested(FileResultSchema))
    hours_attended = fields.String(allow_none=True)
    marks = fields.Dict(keys=fields.String(), values=fields.Integer())
    attendance = fields.List(fields.Nested(FileSessionSchema))
    consents = fields.List(fields.Nested(FileConsentSchema))
    particulars = fields.Dict(keys=fields.String())
    accommodations_given = fields.List(fields.Nested(FileAccommodationSchema))


class FileCertificateSchema(Schema):
    """A certificate that this registry issued; ``competition`` and ``prize`` are an award's alone."""

    competition = fields.String(allow_none=True)
    prize = fields.String(allow_none=True)
    number = fields.String()
    kind = fields.String()
    kind_text = fields.String()
    subject = fields.String()
    level_text = fields.String()
    base_name = fields.String()
    issued_on = fields.Date()
    expires_on = fields.Date(allow_none=True)
    status = fields.String()
    status_text = fields.String()


class ServiceSchema(Schema):
    """One of the yearly four services (四个一)."""

    id = fields.String()
    service = fields.String()
    service_text = fields.String()
    given_on = fields.Date()
    outcome = fields.String()
    status = fields.String()
    status_text = fields.String()


class MissingServicesSchema(Schema):
    """Which of the four a year still owes."""

    year = fields.Integer()
    services = fields.List(fields.String())
    services_text = fields.List(fields.String())


class CorrectionRequestSchema(Schema):
    """A request for correction with its old and new value; identity numbers masked as in the whole file."""

    id = fields.String()
    person_id = fields.String()
    field = fields.String()
    field_text = fields.String()
    old_value = fields.String()
    new_value = fields.String()
    asked_by = fields.String()
    status = fields.String()
    status_text = fields.String()
    requested_at = fields.DateTime()


class PersonFileSchema(Schema):
    """One person's file; identity numbers are masked unless it is ``whole``."""

    id = fields.String()
    made_at = fields.DateTime()
    whole = fields.Boolean()
    name = fields.String()
    citizen_id = fields.String()
    disability_card = fields.String()
    sex = fields.String()
    birth_date = fields.Date(allow_none=True)
    residences = fields.List(fields.Nested(ResidenceSchema))
    trainings = fields.List(fields.Nested(FileTrainingSchema))
    certificates = fields.List(fields.Nested(FileCertificateSchema))
    held_certificates = fields.List(fields.Nested(HeldCertificateSchema))
    services = fields.List(fields.Nested(ServiceSchema))
    missing_services = fields.Nested(MissingServicesSchema)
    employments = fields.List(fields.Nested(EmploymentSchema))
    corrections = fields.List(fields.Nested(CorrectionRequestSchema))


def _said(words: tuple[str, str]) -> str:
    return words[language() == "en"]


def _level(code: str) -> str:
    return _said((LEVELS[code].zh, LEVELS[code].en)) if code else ""


def show_file(file: PersonFile) -> dict[str, Any]:
    """A person's file as the API answers it."""
    own = ("made_at", "whole", "name", "citizen_id", "disability_card", "birth_date")
    return {
        **{name: getattr(file, name) for name in own},
        "id": str(file.person.id),
        "sex": file.person.sex,
        "residences": [
            {
                "division_code": row.division_code,
                "division": division_name(row.division_code) or "",
                "since": row.since,
            }
            for row in file.residences
        ],
        "trainings": [_show_training(training) for training in file.trainings],
        "certificates": [_show_certificate(certificate) for certificate in file.certificates],
        "held_certificates": [show_held(entry.record) for entry in file.held],
        "services": [show_service(given) for given in file.services],
        "missing_services": {
            "year": file.year,
            "services": list(file.missing_services),
            "services_text": [_said(SERVICES[service]) for service in file.missing_services],
        },
        "employments": [show_employment(at_work.record) for at_work in file.employments],
        "corrections": [_show_corrected(request) for request in file.corrections],
    }


def _show_training(training: Training) -> dict[str, Any]:
    taught = training.training_class
    columns = ("filing_no", "title", "subject", "starts_on", "ends_on", "class_hours")
    return {name: getattr(taught, name) for name in columns} | {
        "class_id": str(taught.id),
        "level_text": _level(taught.level),
        "base_name": training.base_name,
        "name": training.name,
        "class_status_text": _said(TRAINING_CLASS.states[taught.status]),
        "status": training.enrolment.status,
        "status_text": _said(ENROLMENT.states[training.enrolment.status]),
        "results": [_show_result(result) for result in training.results],
        "hours_attended": None if training.hours is None else _figure(training.hours),
        "marks": training.marks,
        "attendance": [_show_mark(row) for row in training.attendance],
        "consents": [_show_consent(consent) for consent in training.consents],
        "particulars": dict(training.particulars),
        "accommodations_given": _show_given(training),
    }


def _figure(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _show_mark(row: Attendance) -> dict[str, Any]:
    columns = ("on", "starts_at", "ends_at", "content")
    return {name: getattr(row.session, name) for name in columns} | {
        "class_hours": _figure(row.session.class_hours),
        "mark": row.mark,
        "mark_text": _said(MARKS[row.mark]),
    }


def _show_consent(consent: Consent) -> dict[str, Any]:
    columns = ("text_version", "given_on", "means", "status", "withdrawn_at")
    return {name: getattr(consent, name) for name in columns} | {
        "means_text": _said(MEANS[consent.means]),
        "status_text": _said(CONSENT.states[consent.status]),
    }


def _show_given(training: Training) -> list[dict[str, str]]:
    names = accommodation_names(training)
    return [
        {**given, "name": _said(names.get(given["code"], (given["code"],) * 2))} for given in training.given
    ]


def accommodation_names(training: Training) -> dict[str, tuple[str, str]]:
    """The accommodations of the policy under which a class ran: Chinese, English."""
    kinds = accommodation_kinds(act().policy, training.training_class.starts_on)
    return {kind["code"]: (kind["zh"], kind["en"]) for kind in kinds}


def _show_result(result: Result) -> dict[str, Any]:
    columns = ("scores", "outcome", "current", "recorded_at")
    return {name: getattr(result, name) for name in columns} | {
        "hours": _figure(result.hours),
        "outcome_text": _said(OUTCOMES[result.outcome]),
    }


def _show_certificate(certificate: Certificate) -> dict[str, Any]:
    columns = ("number", "kind", "subject", "base_name", "issued_on", "expires_on", "status")
    columns += ("competition", "prize")
    return {name: getattr(certificate, name) for name in columns} | {
        "kind_text": _said(CERTIFICATE_KINDS[certificate.kind]),
        "level_text": _level(certificate.level),
        "status_text": _said(CERTIFICATE.states[certificate.status]),
    }


def show_service(given: ServiceGiven) -> dict[str, Any]:
    """One of the yearly services as the API answers it."""
    entry = given.record
    return {
        "id": str(entry.id),
        "service": entry.service,
        "service_text": _said(SERVICES[entry.service]),
        "given_on": entry.given_on,
        "outcome": given.outcome,
        "status": entry.status,
        "status_text": _said(EMPLOYMENT_SERVICE.states[entry.status]),
    }


def show_correction(asked: CorrectionRequest, *, whole: bool = False) -> dict[str, Any]:
    """A request for correction; numbers of identity in clear only for whoever reads it to answer it."""
    return _show_corrected(corrected(act(), asked, whole=whole))


def _show_corrected(shown: Corrected) -> dict[str, Any]:
    asked = shown.record
    return {name: getattr(asked, name) for name in ("field", "asked_by", "status", "requested_at")} | {
        "id": str(asked.id),
        "person_id": str(asked.person_id),
        "field_text": _said(CORRECTABLE[asked.field]),
        "old_value": shown.old_value,
        "new_value": shown.new_value,
        "status_text": _said(CORRECTION_REQUEST.states[asked.status]),
    }
