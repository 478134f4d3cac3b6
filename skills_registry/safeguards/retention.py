"""Retention (保存期限): what has had its time, and its removal.

Why each table is kept, on what legal basis and for how long, is in the policy (``retention``, one entry for
each group of tables). What can be removed by a rule is a :class:`Due`: ``skills-registry retention`` shows
all of them, and with ``--carry-out`` removes them, some rows at a time, each transaction told to the audit.
Certificates, results, decisions and the audit are archives: they have no day on which a command removes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any

from skills_registry.accounts.credentials import Invitation
from skills_registry.accounts.sessions import BrowserSession
from skills_registry.documents import Document
from skills_registry.foundation.acts import Act
from skills_registry.foundation.lifecycle import tell
from skills_registry.foundation.policy import Policy
from skills_registry.foundation.shelves import FolderShelf
from skills_registry.foundation.storage import database
from skills_registry.notices import Objection, contact_of
from skills_registry.people import Person
from skills_registry.person_files import CorrectionRequest
from skills_registry.person_files.corrections import new_value_of
from skills_registry.safeguards.erasures import empty_correction, erase_identity, identity_due
from skills_registry.training.satisfaction import SatisfactionSurvey, SatisfactionTicket
from skills_registry.training.uploads import Upload, UploadRow


@dataclass(frozen=True)
class Purpose:
    """Why a group of tables is kept: purpose, legal basis and how long, in Chinese and English.

    ``seen_by`` are the roles whose answers may show rows of these tables, each only of the own business.
    """

    code: str
    tables: Sequence[str]
    seen_by: Sequence[str]
    zh: str
    en: str
    basis: str
    keep_zh: str
    keep_en: str


@dataclass(frozen=True)
class Due:
    """Something that can be removed by a rule: what waits, since when it may go, and how one of it is removed."""

    code: str
    zh: str
    en: str
    until: date
    waiting: Callable[[], Iterable[Any]]
    remove_one: Callable[[Any], object]

    def count(self) -> int:
        """How much of it is due."""
        return sum(1 for _ in self.waiting())


def purposes(policy: Policy, on: date) -> list[Purpose]:
    """The groups of tables that are kept on a day, each with its purpose."""
    rule = policy.rule("retention", on)
    return [Purpose(**group) for group in rule["groups"]]


def dues(act: Act, shelf: FolderShelf) -> list[Due]:
    """Everything that the policy lets go, whether or not some of it is due today."""
    days = act.policy.rule("retention", act.today)["days"]
    staged = act.policy.rule("upload", act.today)["keep_days"]
    return [
        _of_rows(act, "staged_rows", staged, ("未确认或已放弃的上传行", "rows staged or given up"), _staged),
        _of_rows(act, "refused_rows", staged, ("退回的上传行", "refused rows of uploads"), _refused),
        _of_rows(
            act,
            "recorded_rows",
            days["recorded_rows"],
            ("已登记的上传行", "rows of uploads that were recorded"),
            _recorded,
        ),
        _of_rows(
            act, "sessions", days["sessions"], ("过期的登录会话", "browser sessions of before"), _sessions
        ),
        _of_rows(
            act, "invitations", days["invitations"], ("过期的邀请", "expired invitations"), _invitations
        ),
        _of_rows(
            act,
            "satisfaction_tickets",
            days["satisfaction_tickets"],
            ("已结束的满意度纸条", "slips of closed surveys"),
            _tickets,
        ),
        _contacts(act, days["objection_contacts"]),
        _corrections(act, days["correction_values"]),
        _identities(act),
        _unclaimed(act, shelf, days["unclaimed_files"]),
    ]


def remove(act: Act, due: Due, *, at_once: int = 200) -> int:
    """Remove all that is due, so many in one transaction; how many there were."""
    removed = 0
    while True:
        some = list(islice(due.waiting(), at_once))
        if not some:
            return removed
        with database.atomic():
            for one in some:
                due.remove_one(one)
            tell(act, "retention", None, due.code, reason=f"{len(some)}")
        removed += len(some)


def _of_rows(act: Act, code: str, days: int, words: tuple[str, str], query: Callable[[datetime], Any]) -> Due:
    """Rows that a query finds older than so many days, and that are deleted."""
    before = act.at - timedelta(days=days)
    return Due(code, *words, before.date(), lambda: list(query(before)), lambda row: row.delete_instance())


def _rows_of(before: datetime) -> Any:
    return UploadRow.select(UploadRow.id).join(Upload).where(Upload.staged_at < before)


def _staged(before: datetime) -> Any:
    return _rows_of(before).where(Upload.status.in_(("staged", "discarded")))


def _refused(before: datetime) -> Any:
    return _rows_of(before).where((Upload.status == "confirmed") & (UploadRow.outcome == "rejected"))


def _recorded(before: datetime) -> Any:
    return _rows_of(before).where((Upload.status == "confirmed") & (UploadRow.outcome != "rejected"))


def _sessions(before: datetime) -> Any:
    return BrowserSession.select(BrowserSession.id).where(BrowserSession.used_at < before)


def _invitations(before: datetime) -> Any:
    return Invitation.select(Invitation.id).where(Invitation.expires_at < before)


def _tickets(before: datetime) -> Any:
    closed = SatisfactionSurvey.closes_on < before.date()
    return SatisfactionTicket.select(SatisfactionTicket.id).join(SatisfactionSurvey).where(closed)


def _contacts(act: Act, days: int) -> Due:
    """How to reach those who objected, some time after the answer was due."""
    before = act.today - timedelta(days=days)

    def waiting() -> list[Objection]:
        answered = (Objection.answer_by < before) & (Objection.status != "received")
        return [one for one in Objection.select().where(answered) if contact_of(act.vault, one)]

    def forget(one: Objection) -> None:
        one.contact = act.vault.seal(Objection.contact, one.id, "")
        one.save(only=[Objection.contact])

    words = ("已答复异议的联系方式", "contacts of objections that were answered")
    return Due("objection_contacts", *words, before, waiting, forget)


def _corrections(act: Act, days: int) -> Due:
    before = act.at - timedelta(days=days)

    def waiting() -> list[CorrectionRequest]:
        answered = (CorrectionRequest.requested_at < before) & (CorrectionRequest.status != "requested")
        found = CorrectionRequest.select().where(answered)
        return [one for one in found if one.old_value is not None or new_value_of(act.vault, one)]

    words = ("已答复更正申请的内容", "values of corrections that were answered")
    return Due("correction_values", *words, before.date(), waiting, lambda one: empty_correction(act, one))


def _identities(act: Act) -> Due:
    def put_tombstone(person: Person) -> None:
        erase_identity(act, person)

    words = ("已申请删除、留证期满的身份信息", "identity of erased people whose evidence has had its time")
    return Due("erased_identities", *words, act.today, lambda: identity_due(act), put_tombstone)


def _unclaimed(act: Act, shelf: FolderShelf, days: int) -> Due:
    """Files on the shelf that no record names: of erased people, and of uploads that broke off."""
    before = act.at - timedelta(days=days)

    def waiting() -> list[Any]:
        named = {row.digest for row in Document.select(Document.digest).distinct()}
        return shelf.unclaimed(named, before)

    words = ("没有记录引用的材料文件", "files that no record names")
    return Due("unclaimed_files", *words, before.date(), waiting, lambda path: path.unlink(missing_ok=True))
