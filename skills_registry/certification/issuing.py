"""Issuing (发证): approval, numbering, signing and recording are one transaction.

The numbered steps are those of ``docs/issuing.md``; the fault tests cut after each of them and find
either all certificates of the class or none, and no number lost.

    1. part      the approver took no part in the class for the base
    2. move      the class from submitted to approved, by compare-and-swap: the first write
    3. look      everyone has a result that the attendance bears out; every name can be printed; the wording
                 is permitted
    4. number    a block of serials and status indexes from their counters
    5. state     compose what is printed and the statement that stands for it
    6. sign      the statement
    7. record    certificate and step

Steps 4 to 7 are the line that awards share (``line.py``). Drawing comes later and writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from peewee import IntegrityError

from skills_registry import people
from skills_registry.certification import awards, line
from skills_registry.certification.certificates import (
    CERTIFICATE,
    Certificate,
    certificates_of_class,
    name_on,
)
from skills_registry.certification.line import Draft
from skills_registry.certification.statement import Signer
from skills_registry.foundation.acts import Act
from skills_registry.foundation.errors import RuleBroken, WrongState
from skills_registry.foundation.lifecycle import move, note
from skills_registry.foundation.storage import database
from skills_registry.foundation.wording import Typeface, require_covered, require_permitted_wording
from skills_registry.training.attended_hours import require_hours_agree
from skills_registry.training.classes import TRAINING_CLASS, TrainingClass, require_took_no_part
from skills_registry.training.enrolments import (
    ENROLMENT,
    Enrolment,
    name_of,
    require_results,
    roster,
    usable_name,
)

KIND = "training_completion"
TEMPLATE = "training_completion/1"


class ReasonMissing(RuleBroken):
    """An act against a certificate needs a reason."""

    code = "reason_missing"
    zh = "请填写理由。"
    en = "Please give a reason."


class Expired(RuleBroken):
    """Facts: ``expires_on``."""

    code = "certificate_expired"
    zh = "证书已于{expires_on}到期，不能补发；请重新参加培训，合格后取得新证书。"
    en = "The certificate expired on {expires_on} and cannot be reissued; new training leads to a new one."


def issue(act: Act, training_class: TrainingClass, signer: Signer, uncovered: Typeface) -> list[Certificate]:
    """Approve a submitted class and issue its certificates, all or nothing; approved before, it answers the same.

    Every trainee who passed gets exactly one ``training_completion`` certificate.

    :raises SeparationOfDuties: the caller worked on the class for the base.
    :raises HoursDisagree: a result claims other hours than the attendance records.
    :raises Undrawable: a name or text that no installed font covers; the facts name roster rows.
    :raises ForbiddenWording: a text on the certificate holds a word the policy forbids.
    :raises WrongState: the class is not submitted.
    """
    require_took_no_part(act, training_class)
    if training_class.status == "approved":
        return _issued_at_approval(training_class)
    try:
        with database.atomic():
            move(act, TRAINING_CLASS, training_class, "approve")
            return _issue_all(act, training_class, signer, uncovered)
    except WrongState:
        # The other click of a double click came first: its certificates are the answer.
        if TrainingClass.get_by_id(training_class.id).status == "approved":
            return _issued_at_approval(training_class)
        raise


def _issued_at_approval(training_class: TrainingClass) -> list[Certificate]:
    return list(certificates_of_class(training_class.id).where(Certificate.replaces.is_null()))


def _issue_all(
    act: Act, training_class: TrainingClass, signer: Signer, uncovered: Typeface
) -> list[Certificate]:
    require_results(training_class)
    require_hours_agree(training_class)
    passed = [row for row in roster(training_class) if row.result and row.result.outcome == "passed"]
    _require_printable(act, training_class, passed, uncovered)
    return line.record(act, [_draft(act, enrolment) for enrolment in passed], signer)


def _require_printable(
    act: Act, training_class: TrainingClass, passed: Sequence[Enrolment], uncovered: Typeface
) -> None:
    require_permitted_wording(
        act.policy,
        act.today,
        base_name=training_class.base.public_name,
        subject=training_class.subject,
        registered_with=act.policy.city["registered_with"],
    )
    for enrolment in passed:
        require_covered(name_of(act.vault, enrolment), f"花名册第{enrolment.roster_row}行的姓名", uncovered)
    require_covered(training_class.base.public_name + training_class.subject, "基地名称或职业名称", uncovered)


def _draft(act: Act, enrolment: Enrolment, *, name: str = "", replaces: Certificate | None = None) -> Draft:
    training_class = enrolment.training_class
    return Draft(
        kind=KIND,
        template=TEMPLATE,
        person_id=enrolment.person_id,
        name=name or name_of(act.vault, enrolment),
        ground={"enrolment": enrolment, "training_class": training_class, "base": training_class.base},
        texts=_texts(training_class),
        expires_on=replaces.expires_on if replaces else _expiry(act, training_class),
        replaces=replaces,
    )


def _texts(training_class: TrainingClass) -> dict[str, Any]:
    return {
        "base_name": training_class.base.public_name,
        "subject": training_class.subject,
        "occupation_edition": training_class.occupation_edition,
        "occupation_code": training_class.occupation_code,
        "level": training_class.level,
        "class_hours": training_class.class_hours,
        "starts_on": training_class.starts_on,
        "ends_on": training_class.ends_on,
    }


def _expiry(act: Act, training_class: TrainingClass) -> date | None:
    years = act.policy.rule("certificate_validity", act.today)[training_class.training_type]
    if not years:
        return None
    last = act.today
    # 29 February plus whole years may be no day; the certificate then ends on 28 February.
    return last.replace(year=last.year + years, day=28 if (last.month, last.day) == (2, 29) else last.day)


def reissue(
    act: Act, certificate: Certificate, signer: Signer, uncovered: Typeface, *, reason: str, name: str = ""
) -> Certificate:
    """Issue a new certificate in place of a valid one (更正、补发): with a corrected name, or the same (lost).

    The new one has a new number; the old one says when scanned that it was superseded.

    :raises NameUnusable: the corrected name cannot be used.
    :raises Undrawable: no installed font covers it.
    :raises Expired: its validity has ended; a new paper would not bring it back.
    :raises WrongState: the certificate is revoked, suspended or superseded already.
    """
    _require_reason(reason)
    if certificate.expires_on is not None and certificate.expires_on < act.today:
        raise Expired(expires_on=certificate.expires_on)
    corrected = usable_name(name) if name else ""
    if corrected:
        require_covered(corrected, "更正后的姓名", uncovered)
    try:
        with database.atomic():
            move(act, CERTIFICATE, certificate, "reissue", reason=reason)
            if corrected and certificate.enrolment is not None:
                _correct_enrolment(act, certificate.enrolment, corrected, reason)
            printed_name = corrected or name_on(act.vault, certificate)
            return line.record(act, [_again(act, certificate, printed_name)], signer)[0]
    except IntegrityError as error:
        raise CERTIFICATE.refusal("superseded", "reissue") from error


def _again(act: Act, certificate: Certificate, name: str) -> Draft:
    """The draft of what is issued in a certificate's place: as the class has it now, or as the award said."""
    if certificate.enrolment is not None:
        return _draft(act, certificate.enrolment, name=name, replaces=certificate)
    return awards.again(certificate, name)


def _correct_enrolment(act: Act, enrolment: Enrolment, name: str, reason: str) -> None:
    enrolment.name = act.vault.seal(Enrolment.name, enrolment.id, name)
    enrolment.name_index = people.name_index(act.vault, name)
    enrolment.save(only=[Enrolment.name, Enrolment.name_index])
    note(act, ENROLMENT.noun, enrolment.id, "correct_name", reason=reason)


def revoke(act: Act, certificate: Certificate, reason: str) -> Certificate:
    """Revoke a certificate for good (撤销).

    :raises WrongState: it is revoked or superseded already.
    """
    return _change(act, certificate, "revoke", reason)


def suspend(act: Act, certificate: Certificate, reason: str) -> Certificate:
    """Suspend a valid certificate until a question is settled (暂停)."""
    return _change(act, certificate, "suspend", reason)


def reinstate(act: Act, certificate: Certificate, reason: str) -> Certificate:
    """Put a suspended certificate back in force (恢复)."""
    return _change(act, certificate, "reinstate", reason)


def _change(act: Act, certificate: Certificate, action: str, reason: str) -> Certificate:
    _require_reason(reason)
    with database.atomic():
        move(act, CERTIFICATE, certificate, action, reason=reason)
    return certificate


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise ReasonMissing()
