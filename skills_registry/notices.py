"""Public notices (公示) and objections (异议): what is decided is shown first, and anyone may object.

A notice runs for a number of working days, of which the policy names the least; the day on which it
is published does not count. While it runs anyone may object, without an account. What they write and
how they can be reached is sealed and shown to officers of the division only. The decision that the
notice stands before waits until its time has run and every objection is answered, upheld or not.
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

from peewee import (
    BooleanField,
    CharField,
    DateField,
    ForeignKeyField,
    IntegerField,
    ModelSelect,
    TextField,
    UUIDField,
)

from skills_registry.foundation import workdays
from skills_registry.foundation.acts import SHANGHAI, Act, Role, require_role
from skills_registry.foundation.errors import FieldRefused, NotAllowed, RuleBroken
from skills_registry.foundation.lifecycle import Lifecycle, Move, begin, move, note
from skills_registry.foundation.policy import Policy
from skills_registry.foundation.privacy import Vault
from skills_registry.foundation.storage import InstantField, Record, SealedField, database, new_id
from skills_registry.foundation.workdays import Deadline

_OFFICERS: frozenset[Role] = frozenset({"county_officer", "city_officer"})
_CLERK: frozenset[Role] = frozenset({"base_clerk"})

NOTICE = Lifecycle(
    noun="notice",
    zh="公示",
    states={
        "open": ("已公示", "published"),
        "withdrawn": ("已撤下", "withdrawn"),
    },
    # A base takes its notice down by withdrawing what was published.
    moves=(Move("withdraw", "open", "withdrawn", _OFFICERS | _CLERK),),
)

OBJECTION = Lifecycle(
    noun="objection",
    zh="异议",
    states={
        "received": ("待答复", "received, awaiting an answer"),
        "upheld": ("异议成立", "upheld"),
        "dismissed": ("异议不成立", "dismissed"),
    },
    moves=(
        Move("uphold", "received", "upheld", _OFFICERS),
        Move("dismiss", "received", "dismissed", _OFFICERS),
    ),
)

LONGEST_TITLE, LONGEST_TEXT = 200, 10_000
LONGEST_OBJECTION, LONGEST_CONTACT = 4_000, 200


class Notice(Record):
    """One notice about ``subject`` (a noun) ``subject_id``; ``closes_on`` is the last day for objections.

    ``provisional`` while the holidays of the year of its last day are not published: see
    :func:`deadline_of`. ``status`` is ``open`` also after its last day, until it is withdrawn.
    """

    subject = CharField(max_length=40)
    subject_id = UUIDField(index=True)
    division_code = CharField(max_length=6, index=True)
    title = CharField(max_length=LONGEST_TITLE)
    text = TextField()
    working_days = IntegerField()
    published_on = DateField()
    closes_on = DateField(index=True)
    provisional = BooleanField()
    status = CharField(max_length=20, default=NOTICE.first)
    objections: ModelSelect[Objection]


class Objection(Record):
    """One objection: its words, the way to reach who objects, and the answer are sealed.

    ``answer_by`` is the day by which it is to be answered.
    """

    notice = ForeignKeyField(Notice, backref="objections", on_delete="RESTRICT")
    text = SealedField()
    contact = SealedField()
    answer = SealedField(null=True)
    received_at = InstantField()
    answer_by = DateField()
    status = CharField(max_length=20, default=OBJECTION.first)
    notice_id: UUID


class NoticeTooShort(FieldRefused):
    """Facts: ``field``, ``least``."""

    code = "notice_too_short"
    zh = "公示期不得少于{least}个工作日。"
    en = "A public notice runs for at least {least} working days."


class NoticeRunning(RuleBroken):
    """Facts: ``closes_on``."""

    code = "notice_running"
    zh = "公示至{closes_on}结束，期满后才能办理。"
    en = "The public notice runs until {closes_on}; the decision waits until it has ended."


class NoticeClosed(RuleBroken):
    """Facts: ``closes_on``."""

    code = "notice_closed"
    zh = "公示已于{closes_on}结束，不再接收异议。"
    en = "The public notice ended on {closes_on}; objections are no longer taken."


class NoticeWithdrawn(RuleBroken):
    """The notice was taken down."""

    code = "notice_withdrawn"
    zh = "该公示已撤下。"
    en = "This public notice was withdrawn."


class ObjectionsUnanswered(RuleBroken):
    """Facts: ``count``."""

    code = "objections_unanswered"
    zh = "还有{count}件异议未答复，全部答复后才能办理。"
    en = "{count} objection(s) still await an answer; the decision waits for them."


def require_open(act: Act, notice: Notice) -> None:
    """The notice takes objections today.

    :raises NoticeWithdrawn: it was taken down.
    :raises NoticeClosed: its last day is over.
    """
    if notice.status == "withdrawn":
        raise NoticeWithdrawn()
    last = deadline_of(notice, act.policy).day
    if act.today > last:
        raise NoticeClosed(closes_on=last)


def require_over_and_answered(act: Act, notice: Notice) -> None:
    """The notice has run its time and every objection is answered; what follows may be decided.

    :raises NoticeWithdrawn: it was taken down.
    :raises NoticeRunning: its last day is not over.
    :raises ObjectionsUnanswered: an objection awaits its answer.
    """
    if notice.status == "withdrawn":
        raise NoticeWithdrawn()
    last = deadline_of(notice, act.policy).day
    if act.today <= last:
        raise NoticeRunning(closes_on=last)
    waiting = len(unanswered(notice))
    if waiting:
        raise ObjectionsUnanswered(count=waiting)


def require_division(act: Act, notice: Notice) -> None:
    """:raises NotAllowed: the notice is not of the caller's division."""
    if not act.by.covers(notice.division_code):
        raise NotAllowed()


def publish(
    act: Act,
    *,
    subject: str,
    subject_id: UUID,
    title: str,
    text: str,
    working_days: int,
    division_code: str,
) -> Notice:
    """Publish a notice; it runs for ``working_days`` working days after today.

    :raises NotAllowed: the caller is no officer of this division.
    :raises FieldRefused: title or text is empty or too long.
    :raises NoticeTooShort: the days are fewer than the policy's.
    """
    require_role(act, "county_officer", "city_officer")
    if not act.by.covers(division_code):
        raise NotAllowed()
    _require_text(title=(title, LONGEST_TITLE), text=(text, LONGEST_TEXT))
    least = act.policy.rule("public_notice", act.today)["smallest_working_days"]
    if working_days < least:
        raise NoticeTooShort(field="working_days", least=least)
    last = workdays.after(act.today, working_days, act.policy)
    with database.atomic():
        notice = Notice.create(
            subject=subject,
            subject_id=subject_id,
            division_code=division_code,
            title=title.strip(),
            text=text.strip(),
            working_days=working_days,
            published_on=act.today,
            closes_on=last.day,
            provisional=last.provisional,
        )
        begin(act, NOTICE, notice, "publish", detail={"closes_on": last.day.isoformat()})
    return notice


def withdraw(act: Act, notice: Notice, reason: str) -> Notice:
    """Take a notice down before what it announced was decided; the reason is not shown to the public.

    :raises WrongState: it is down already.
    """
    move(act, NOTICE, notice, "withdraw", reason=reason)
    return notice


def settle(act: Act, notice: Notice) -> Notice:
    """Keep the last day as it is reckoned now that the calendar of its year is known, if it is."""
    last = deadline_of(notice, act.policy)
    if (last.day, last.provisional) != (notice.closes_on, notice.provisional):
        notice.closes_on, notice.provisional = last.day, last.provisional
        with database.atomic():
            notice.save(only=[Notice.closes_on, Notice.provisional])
            note(act, NOTICE.noun, notice.id, "settle", detail={"closes_on": last.day.isoformat()})
    return notice


def object_to(act: Act, notice: Notice, *, text: str, contact: str) -> Objection:
    """Anyone objects to a notice while it runs; text and contact are sealed.

    :raises FieldRefused: text or contact is empty or too long.
    :raises NoticeWithdrawn, NoticeClosed: see :func:`require_open`.
    """
    _require_text(text=(text, LONGEST_OBJECTION), contact=(contact, LONGEST_CONTACT))
    require_open(act, notice)
    key = new_id()
    days = act.policy.rule("public_notice", act.today)["answer_working_days"]
    with database.atomic():
        _hold_open(notice)
        objection = Objection.create(
            id=key,
            notice=notice,
            text=act.vault.seal(Objection.text, key, text.strip()),
            contact=act.vault.seal(Objection.contact, key, contact.strip()),
            received_at=act.at,
            answer_by=workdays.after(act.today, days, act.policy).day,
        )
        begin(act, OBJECTION, objection, "object")
    return objection


def _hold_open(notice: Notice) -> None:
    # The first write: whoever withdraws the notice at this moment waits, or has won.
    held = Notice.update(status="open").where((Notice.id == notice.id) & (Notice.status == "open")).execute()
    if held != 1:
        raise NoticeWithdrawn()


def answer(act: Act, objection: Objection, text: str, *, upheld: bool) -> Objection:
    """Answer an objection: upheld or dismissed, with reasons, once.

    :raises NotAllowed: the caller is no officer of the notice's division.
    :raises FieldRefused: the answer is empty or too long.
    :raises WrongState: it is answered already.
    """
    require_role(act, "county_officer", "city_officer")
    require_division(act, objection.notice)
    _require_text(answer=(text, LONGEST_OBJECTION))
    with database.atomic():
        move(act, OBJECTION, objection, "uphold" if upheld else "dismiss")
        objection.answer = act.vault.seal(Objection.answer, objection.id, text.strip())
        objection.save(only=[Objection.answer])
    return objection


def _require_text(**given: tuple[str, int]) -> None:
    for field, (text, longest) in given.items():
        if not text.strip() or len(text) > longest:
            raise FieldRefused(field=field)


def deadline_of(notice: Notice, policy: Policy) -> Deadline:
    """The last day for objections; a provisional one is reckoned again with the calendar as known now.

    It never becomes earlier than what was published.
    """
    if not notice.provisional:
        return Deadline(notice.closes_on, provisional=False)
    again = workdays.after(notice.published_on, notice.working_days, policy)
    return Deadline(max(again.day, notice.closes_on), again.provisional)


def answer_deadline(objection: Objection, policy: Policy) -> Deadline:
    """The day by which an objection is to be answered, reckoned with the calendar as known now."""
    received = objection.received_at.astimezone(SHANGHAI).date()
    days = policy.rule("public_notice", received)["answer_working_days"]
    again = workdays.after(received, days, policy)
    return Deadline(max(again.day, objection.answer_by), again.provisional)


def phase(notice: Notice, policy: Policy, on: date) -> str:
    """Where a notice stands on a day: ``open``, ``closed`` or ``withdrawn``."""
    if notice.status == "withdrawn":
        return "withdrawn"
    return "open" if on <= deadline_of(notice, policy).day else "closed"


def notices_open(on: date) -> ModelSelect[Notice]:
    """The notices that run on a day, the one published last first."""
    return (
        Notice.select()
        .where((Notice.status == "open") & (Notice.published_on <= on) & (Notice.closes_on >= on))
        .order_by(Notice.id.desc())
    )


def unanswered(notice: Notice) -> list[Objection]:
    """The objections that await an answer, oldest first."""
    return _objections(notice, "received")


def upheld(notice: Notice) -> list[Objection]:
    """The objections that were found to be right."""
    return _objections(notice, "upheld")


def _objections(notice: Notice, status: str) -> list[Objection]:
    return list(
        Objection.select()
        .where((Objection.notice == notice.id) & (Objection.status == status))
        .order_by(Objection.id)
    )


def text_of(vault: Vault, objection: Objection) -> str:
    """What was objected, in clear."""
    return vault.open(Objection.text, objection.id, objection.text)


def contact_of(vault: Vault, objection: Objection) -> str:
    """How to reach who objected, in clear; for officers of the division only."""
    return vault.open(Objection.contact, objection.id, objection.contact)


def answer_of(vault: Vault, objection: Objection) -> str | None:
    """What was answered, in clear, or None while it awaits its answer."""
    if objection.answer is None:
        return None
    return vault.open(Objection.answer, objection.id, objection.answer)
