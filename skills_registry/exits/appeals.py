"""Appeals (申诉): against a refused application, a sanction or a grade — once, in time, judged by a stranger.

The base's clerk appeals within the policy's working days of the decision. A city officer who took no
part in the decision, nor in any earlier step of that record, upholds it (原决定维持) or overturns it:
the sanction is undone and a terminated listing restored, the refused application goes back to the city's
decision, the evaluation gets a better grade. There is one appeal against one decision, and none against
the outcome of an appeal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Literal
from uuid import UUID

from peewee import CharField, ForeignKeyField, IntegrityError, TextField, UUIDField

from skills_registry import evaluation
from skills_registry.bases import Base
from skills_registry.bases.applications import Application, require_reason
from skills_registry.bases.parties import require_outsider, require_own_base
from skills_registry.bases.reviews import reopen
from skills_registry.bases.seats import experts_of
from skills_registry.evaluation import Evaluation
from skills_registry.exits import cures, sanctions
from skills_registry.exits.sanctions import Sanction
from skills_registry.foundation import workdays
from skills_registry.foundation.acts import SHANGHAI, Act, Role, require_role
from skills_registry.foundation.dues import Due
from skills_registry.foundation.errors import FieldRefused, RuleBroken, SeparationOfDuties
from skills_registry.foundation.lifecycle import Lifecycle, Move, Step, begin, move, people_in
from skills_registry.foundation.policy import Policy
from skills_registry.foundation.storage import InstantField, Record, database, require_found
from skills_registry.foundation.workdays import Deadline

_CLERK: frozenset[Role] = frozenset({"base_clerk"})
_CITY: frozenset[Role] = frozenset({"city_officer"})

APPEAL = Lifecycle(
    noun="appeal",
    zh="申诉",
    states={
        "filed": ("已受理，待决定", "filed, awaiting decision"),
        "upheld": ("原决定维持", "decision upheld"),
        "overturned": ("原决定撤销", "decision overturned"),
        "withdrawn": ("已撤回", "withdrawn"),
    },
    moves=(
        Move("uphold", "filed", "upheld", _CITY),
        Move("overturn", "filed", "overturned", _CITY),
        Move("withdraw", "filed", "withdrawn", _CLERK),
    ),
)


class Appeal(Record):
    """An appeal against one decision; ``decision_id`` is the step by which that decision was made."""

    base = ForeignKeyField(Base, backref="appeals", on_delete="RESTRICT")
    subject = CharField(max_length=20)
    subject_id = UUIDField(index=True)
    decision_id = UUIDField(unique=True)
    grounds = TextField()
    status = CharField(max_length=20, default=APPEAL.first)
    filed_at = InstantField()
    base_id: UUID


@dataclass(frozen=True)
class Subject:
    """A kind of decision that can be appealed against: its table, the acts that decide, the states in
    which the decision stands, who took part, and what overturning does (``grade`` for evaluations)."""

    zh: str
    en: str
    table: type[Record]
    decided_by: tuple[str, ...]
    standing_in: tuple[str, ...]
    took_part: Callable[[Any], set[UUID]]
    overturn: Callable[[Act, Any, str, str], object]


SUBJECTS: dict[str, Subject] = {
    "application": Subject(
        "不予认定决定",
        "refusal of an application",
        Application,
        ("decide_refusal",),
        ("refused",),
        lambda record: people_in([record.id]) | experts_of(record),
        lambda act, record, reason, _: reopen(act, record, reason),
    ),
    "sanction": Subject(
        "处理措施",
        "sanction",
        Sanction,
        sanctions.DECISIONS,
        ("imposed", "cure_reported", "cured", "escalated"),
        lambda record: people_in(found.id for found in cures.chain(record)),
        lambda act, record, reason, _: cures.overturn(act, record, reason),
    ),
    "evaluation": Subject(
        "年度评估等次",
        "grade of an evaluation",
        Evaluation,
        ("finalise",),
        ("final",),
        lambda record: people_in([record.id]),
        lambda act, record, reason, grade: evaluation.overturn(act, record, grade, reason),
    ),
}


class NothingToAppeal(RuleBroken):
    """There is no decision that stands."""

    code = "nothing_to_appeal"
    zh = "没有可以申诉的决定：尚未作出决定，或决定已不再有效。"
    en = "There is nothing to appeal against: no decision was made, or it no longer stands."


class AppealTooLate(RuleBroken):
    """Facts: ``due``."""

    code = "appeal_too_late"
    zh = "申诉期限至{due}，已过期。"
    en = "The time to appeal ended on {due}."


class AppealedAlready(RuleBroken):
    """One appeal against one decision."""

    code = "appealed_already"
    zh = "对同一决定只能申诉一次，已有申诉记录。"
    en = "There is one appeal against one decision, and it has been made."


class AppellateTookPart(SeparationOfDuties):
    """The caller, as a person, took part in what is appealed against."""

    code = "appeal_took_part"
    zh = "您（同一自然人）参与过被申诉的决定或此前的办理，不能处理本申诉，请由其他人员办理。"
    en = "You, as one person, took part in what is appealed against, so another person must decide."


def decision_of(subject: str, record: Any) -> Step:
    """The step by which the decision that stands was made.

    :raises NothingToAppeal: there is none.
    """
    kind = SUBJECTS[subject]
    step: Step | None = (
        Step.select()
        .where((Step.record_id == record.id) & Step.action.in_(kind.decided_by))
        .order_by(Step.id.desc())
        .first()
    )
    if step is None or record.status not in kind.standing_in:
        raise NothingToAppeal()
    return step


def due(decision: Step, policy: Policy) -> Deadline:
    """The last day for an appeal against a decision."""
    made = _day(decision.at)
    return workdays.after(made, policy.rule("appeal", made)["working_days"], policy)


def require_in_time(act: Act, decision: Step) -> None:
    """:raises AppealTooLate: the time to appeal has run out."""
    last = due(decision, act.policy).day
    if act.today > last:
        raise AppealTooLate(due=last)


def require_stranger(act: Act, appeal: Appeal) -> None:
    """The caller took no part in the decision or before it, nor in the appeal, and is not of the base.

    :raises OwnBase: the caller has or had an account at the base.
    :raises AppellateTookPart: the caller, as a person, took part.
    """
    require_outsider(act, appeal.base)
    took_part = SUBJECTS[appeal.subject].took_part(subject_of(appeal)) | people_in([appeal.id])
    if act.by.operator_id in took_part:
        raise AppellateTookPart()


def file_appeal(act: Act, subject: str, record_id: UUID, grounds: str) -> Appeal:
    """The base appeals against a decision.

    :raises FieldRefused: there is no such kind of decision, or no ground is given.
    :raises NotFound: there is no such record.
    :raises NotAllowed: the caller is no clerk of the base concerned.
    :raises NothingToAppeal: no decision stands.
    :raises AppealTooLate: the time to appeal has run out.
    :raises AppealedAlready: this decision has been appealed against.
    """
    require_role(act, "base_clerk")
    if subject not in SUBJECTS:
        raise FieldRefused(field="subject")
    require_reason(grounds)
    record: Any = require_found(SUBJECTS[subject].table, record_id)
    require_own_base(act, record.base)
    decision = decision_of(subject, record)
    require_in_time(act, decision)
    try:
        with database.atomic():
            appeal = Appeal.create(
                base=record.base,
                subject=subject,
                subject_id=record.id,
                decision_id=decision.id,
                grounds=grounds,
                filed_at=act.at,
            )
            begin(act, APPEAL, appeal, "file", detail={subject: str(record.id)})
    except IntegrityError as error:
        raise AppealedAlready() from error
    return appeal


def decide(
    act: Act, appeal: Appeal, outcome: Literal["upheld", "overturned"], reason: str, *, grade: str = ""
) -> Appeal:
    """Uphold the decision, or overturn it with its effect on the base's standing.

    ``grade`` is the grade that counts instead, where a grade is overturned.

    :raises OwnBase, AppellateTookPart: see :func:`require_stranger`.
    :raises NothingToAppeal: the decision no longer stands.
    :raises ListingOverlaps: the base has been listed anew, so the old listing cannot come back.
    :raises WrongState: the appeal is decided or withdrawn.
    """
    require_reason(reason)
    action = "overturn" if outcome == "overturned" else "uphold"
    if APPEAL.find(action, appeal.status) is None:
        raise APPEAL.refusal(appeal.status, action)
    require_role(act, "city_officer")
    require_stranger(act, appeal)
    with database.atomic():
        move(act, APPEAL, appeal, action, reason=reason)
        if outcome == "overturned":
            record = subject_of(appeal)
            if decision_of(appeal.subject, record).id != appeal.decision_id:
                raise NothingToAppeal()
            SUBJECTS[appeal.subject].overturn(act, record, reason, grade)
    return appeal


def withdraw(act: Act, appeal: Appeal) -> Appeal:
    """The base takes its appeal back; there is no second one.

    :raises NotAllowed: the caller is no clerk of this base.
    :raises WrongState: it is decided.
    """
    require_own_base(act, appeal.base)
    with database.atomic():
        move(act, APPEAL, appeal, "withdraw")
    return appeal


def subject_of(appeal: Appeal) -> Any:
    """The application, sanction or evaluation that is appealed against."""
    return require_found(SUBJECTS[appeal.subject].table, appeal.subject_id)


def appeals_of_bases(base_ids: Iterable[UUID]) -> Any:
    """The appeals of these bases, as a query."""
    return Appeal.select().where(Appeal.base.in_(list(base_ids))).order_by(Appeal.id)


def appeal_against(record_id: UUID) -> Appeal | None:
    """The appeal made last against a record, or None."""
    found: Appeal | None = (
        Appeal.select().where(Appeal.subject_id == record_id).order_by(Appeal.id.desc()).first()
    )
    return found


def deadlines(policy: Policy, today: date, base_ids: Iterable[UUID]) -> Iterator[Due]:
    """Appeals to be decided, and decisions against which the base may still appeal."""
    known = list(base_ids)
    for appeal in appeals_of_bases(known).where(Appeal.status == "filed"):
        filed = _day(appeal.filed_at)
        last = workdays.after(filed, policy.rule("appeal", filed)["decision_working_days"], policy)
        yield Due(
            "appeal_decision",
            "对申诉作出决定",
            "decide the appeal",
            appeal.id,
            appeal.base_id,
            last,
            ("city_officer",),
        )
    yield from _open_to_appeal(policy, today, known)


def _open_to_appeal(policy: Policy, today: date, base_ids: list[UUID]) -> Iterator[Due]:
    for kind in SUBJECTS.values():
        table: Any = kind.table
        standing = table.select().where(table.base.in_(base_ids) & table.status.in_(kind.standing_in))
        decided = (
            Step.select()
            .where(Step.action.in_(kind.decided_by) & (Step.at >= _earliest(policy, today)))
            .where(Step.id.not_in(Appeal.select(Appeal.decision_id)))
            .order_by(Step.id)
        )
        by_record = {record.id: record for record in standing}
        for step in decided:
            record = by_record.get(step.record_id)
            last = due(step, policy)
            if record is not None and today <= last.day:
                zh, en = f"对{kind.zh}可申诉", f"appeal possible: {kind.en}"
                yield Due("appeal", zh, en, record.id, record.base_id, last, ("base_clerk",))


def _earliest(policy: Policy, today: date) -> Any:
    # No run of holidays makes a working day cost more than three days on the calendar.
    days = 3 * policy.rule("appeal", today)["working_days"] + 15
    return datetime.combine(today - timedelta(days=days), time(), SHANGHAI)


def _day(at: Any) -> date:
    day: date = at.astimezone(SHANGHAI).date()
    return day
