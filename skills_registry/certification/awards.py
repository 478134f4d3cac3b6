"""Awards (竞赛获奖证书): what a competition asks of the issuing line.

The room of competitions stands above and decides who is awarded; it brings awards as facts, and gets
certificates. An award must not out its holder: title, event, prize and organiser pass the same list of
forbidden words as every certificate's texts (certificate_wording in the policy).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from skills_registry.certification import line
from skills_registry.certification.certificates import Certificate
from skills_registry.certification.line import Draft
from skills_registry.certification.statement import Signer
from skills_registry.foundation.acts import Act
from skills_registry.foundation.wording import Typeface, require_covered, require_permitted_wording

KIND = "competition_award"
TEMPLATE = "competition_award/1"


@dataclass(frozen=True)
class Award:
    """Who is awarded what: ``entry_id`` is the ground, ``start_number`` names the entry in refusals."""

    entry_id: UUID
    start_number: int
    person_id: UUID
    name: str
    organiser: str
    competition: str
    subject: str
    prize: str
    starts_on: date
    ends_on: date


def issue(act: Act, awards: Sequence[Award], signer: Signer, uncovered: Typeface) -> list[Certificate]:
    """Issue a certificate for each award, in their order; inside the transaction that made the result final.

    :raises ForbiddenWording: a text holds a word that the policy forbids.
    :raises Undrawable: a name or text that no installed font covers; the facts name start numbers.
    """
    for award in awards:
        require_printable(act, award, uncovered)
    return line.record(act, [_draft(award) for award in awards], signer)


def require_printable(act: Act, award: Award, uncovered: Typeface) -> None:
    """:raises ForbiddenWording: a forbidden word. :raises Undrawable: a character without a font."""
    texts = {name: getattr(award, name) for name in ("organiser", "competition", "subject", "prize")}
    registered_with = act.policy.city["registered_with"]
    require_permitted_wording(act.policy, act.today, registered_with=registered_with, **texts)
    require_covered(award.name, f"{award.start_number}号选手的姓名", uncovered)
    require_covered("".join(texts.values()), "竞赛、项目、奖项或主办单位的名称", uncovered)


def _draft(award: Award) -> Draft:
    return Draft(
        kind=KIND,
        template=TEMPLATE,
        person_id=award.person_id,
        name=award.name,
        ground={"entry_id": award.entry_id},
        texts=_NO_TRAINING
        | {
            "base_name": award.organiser,
            "subject": award.subject,
            "competition": award.competition,
            "prize": award.prize,
            "starts_on": award.starts_on,
            "ends_on": award.ends_on,
        },
    )


def again(certificate: Certificate, name: str) -> Draft:
    """The draft of what is issued in an award's place: its own texts, under this name."""
    columns = ("base_name", "subject", "competition", "prize", "starts_on", "ends_on")
    return Draft(
        kind=KIND,
        template=certificate.template,
        person_id=certificate.person_id,
        name=name,
        ground={"entry_id": certificate.entry_id},
        texts=_NO_TRAINING | {column: getattr(certificate, column) for column in columns},
        replaces=certificate,
    )


_NO_TRAINING = {"occupation_edition": "", "occupation_code": "", "level": "", "class_hours": 0}
