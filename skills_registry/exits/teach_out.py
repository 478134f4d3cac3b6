"""Teach-out (善后): what becomes of the classes of a base that left the list, trainee by trainee.

Each class that was running is finished by the base under the federation's eye, handed over to another
listed base, or dissolved once everybody in it has been withdrawn with a reason. Finishing means what
it always means: results, submission, approval, certificates. The exit closes only when every trainee is
accounted for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from skills_registry.bases import Base
from skills_registry.bases.applications import require_reason
from skills_registry.exits.leaving import EXIT, Exit, TaughtOut, shut
from skills_registry.foundation import workdays
from skills_registry.foundation.acts import Act, require_role
from skills_registry.foundation.dues import Due
from skills_registry.foundation.errors import FieldRefused, NotFound, RuleBroken
from skills_registry.foundation.lifecycle import move, note
from skills_registry.foundation.policy import Policy
from skills_registry.foundation.storage import database
from skills_registry.training import classes, closing, enrolments
from skills_registry.training.classes import TrainingClass

Way = Literal["finish_here", "hand_over", "dissolve"]

WAYS: dict[str, tuple[str, str]] = {
    "finish_here": ("由原基地完成培训", "finished by the base"),
    "hand_over": ("移交其他在册基地", "handed over to another listed base"),
    "dissolve": ("学员全部退班后撤销", "dissolved after everybody was withdrawn"),
}


@dataclass(frozen=True)
class Account:
    """Where the trainees of one class are: ``enrolled`` now with this base (``passed``, ``failed`` or
    ``without_result``), ``moved`` to another base, ``withdrawn`` with a reason."""

    taught_out: TaughtOut
    counts: dict[str, int]
    settled: bool


class NotTeachingOut(RuleBroken):
    """No exit of this base is under review."""

    code = "not_teaching_out"
    zh = "该基地没有正在办理的退出善后。"
    en = "No exit of this base is under review."


class ClassNotBegun(RuleBroken):
    """Facts: ``starts_on``, ``leaves_on``."""

    code = "class_not_begun"
    zh = "本班于{starts_on}开课，该基地自{leaves_on}起已不在册，不能由其完成：须移交其他在册基地，或学员全部退班后撤销。"
    en = (
        "The class begins on {starts_on}, and the base is off the list since {leaves_on}:"
        " hand it over, or dissolve it once everybody is withdrawn."
    )


class SettledAlready(RuleBroken):
    """The class is handed over, dissolved or approved."""

    code = "class_settled"
    zh = "本班的善后已经办结，不能再改。"
    en = "What becomes of this class is settled and cannot be changed."


class TraineesUnaccounted(RuleBroken):
    """Facts: ``count``, ``filing_nos``, ``trainees``."""

    code = "trainees_unaccounted"
    zh = "还有{count}个班（备案号{filing_nos}）、{trainees}名学员去向未落实，善后不能办结。"
    en = "{count} classes (filing numbers {filing_nos}) with {trainees} trainees are not accounted for yet."


def require_teaching_out(base: Base) -> Exit:
    """The exit of a base that is under review.

    :raises NotTeachingOut: there is none.
    """
    found = Exit.get_or_none((Exit.base == base) & (Exit.status == "teaching_out"))
    if found is None:
        raise NotTeachingOut()
    return found


def require_all_accounted(leaving: Exit) -> list[Account]:
    """Every class is finished, handed over or dissolved.

    :raises TraineesUnaccounted: some are not; the facts name their filing numbers, never people.
    """
    accounts = accounts_of(leaving)
    waiting = [account for account in accounts if not account.settled]
    if waiting:
        raise TraineesUnaccounted(
            count=len(waiting),
            filing_nos="、".join(account.taught_out.training_class.filing_no for account in waiting),
            trainees=sum(account.counts["enrolled"] for account in waiting),
        )
    return accounts


def decide_class(
    act: Act, leaving: Exit, class_id: UUID, way: Way, *, to: Base | None = None, reason: str
) -> TaughtOut:
    """Say what becomes of one class; "finish here" may be changed later, the other two are done at once.

    :raises NotFound: the class was not running when the base left.
    :raises NotTeachingOut: the exit is not under review.
    :raises SettledAlready: the class is handed over, dissolved or approved.
    :raises ClassNotBegun: it cannot be finished by a base that had left when it began.
    :raises FieldRefused: no base is named to hand it over to, or the same one.
    :raises StillEnrolled: a class with people in it is not dissolved.
    """
    require_role(act, "county_officer", "city_officer")
    require_reason(reason)
    if leaving.status != "teaching_out":
        raise NotTeachingOut()
    row = TaughtOut.get_or_none((TaughtOut.exit == leaving.id) & (TaughtOut.training_class == class_id))
    if row is None:
        raise NotFound()
    training_class = row.training_class
    if _is_settled(row):
        raise SettledAlready()
    with database.atomic():
        _do(act, leaving, row, way, to, reason)
        row.way, row.reason, row.decided_on = way, reason, act.today
        row.save()
        told = {"class": str(training_class.id), "way": way, "moved": row.moved}
        note(act, EXIT.noun, leaving.id, "decide_class", reason=reason, detail=told)
    return row


def _do(act: Act, leaving: Exit, row: TaughtOut, way: Way, to: Base | None, reason: str) -> None:
    training_class = row.training_class
    if way == "finish_here":
        if training_class.starts_on >= leaving.first_day_off:
            raise ClassNotBegun(starts_on=training_class.starts_on, leaves_on=leaving.first_day_off)
    elif way == "hand_over":
        if to is None or to.id == leaving.base_id:
            raise FieldRefused(field="to_base")
        row.moved = enrolments.counts(training_class)["enrolled"]
        row.to_base = to
        classes.hand_over_class(act, training_class, to, reason)
    else:
        closing.dissolve_class(act, training_class, reason)


def close(act: Act, leaving: Exit, reason: str) -> Exit:
    """Close the teach-out; the figures of every class go into the step.

    :raises TraineesUnaccounted: see :func:`require_all_accounted`.
    :raises WrongState: the exit is not under review.
    """
    require_role(act, "county_officer", "city_officer")
    with database.atomic():
        accounts = require_all_accounted(leaving)
        move(act, EXIT, leaving, "close", reason=reason, detail=_totals(accounts))
        shut(leaving)
    return leaving


def _totals(accounts: list[Account]) -> dict[str, int]:
    keys = ("passed", "failed", "without_result", "withdrawn", "moved")
    return {"classes": len(accounts)} | {key: sum(a.counts[key] for a in accounts) for key in keys}


def accounts_of(leaving: Exit) -> list[Account]:
    """Where the trainees of each class are."""
    rows = TaughtOut.select().where(TaughtOut.exit == leaving.id).order_by(TaughtOut.id)
    return [Account(row, _counts(row), _is_settled(row)) for row in rows]


def _counts(row: TaughtOut) -> dict[str, int]:
    counts = enrolments.counts(row.training_class)
    if row.way == "hand_over":
        # They are the other base's trainees now; those who left before stay on this account.
        counts |= dict.fromkeys(("enrolled", "passed", "failed", "without_result"), 0)
    return counts | {"moved": row.moved}


def _is_settled(row: TaughtOut) -> bool:
    # What was submitted before the base left may be approved without anybody deciding upon it.
    return row.way in ("hand_over", "dissolve") or row.training_class.status == "approved"


def deadlines(policy: Policy, base_ids: Iterable[UUID]) -> Iterator[Due]:
    """What is due in teach-outs: to settle each class, then its results after its last day."""
    waiting = Exit.select().where((Exit.status == "teaching_out") & Exit.base.in_(list(base_ids)))
    for leaving in waiting.order_by(Exit.id):
        open_rows = [row for row in leaving.taught_out.order_by(TaughtOut.id) if not _is_settled(row)]
        if not open_rows or any(row.way is None for row in open_rows):
            yield _settling(policy, leaving, all_settled=not open_rows)
        for row in open_rows:
            if row.way == "finish_here":
                yield _finishing(policy, leaving, row.training_class)


def _settling(policy: Policy, leaving: Exit, *, all_settled: bool) -> Due:
    months = policy.rule("exit", leaving.first_day_off)["settle_months"]
    deadline = workdays.after_months(leaving.first_day_off, months, policy)
    kind, zh, en = (
        ("teach_out_closing", "办结退出善后", "close the teach-out")
        if all_settled
        else ("teach_out_settling", "落实各班学员去向", "settle what becomes of each class")
    )
    return Due(kind, zh, en, leaving.id, leaving.base_id, deadline, ("county_officer", "city_officer"))


def _finishing(policy: Policy, leaving: Exit, training_class: TrainingClass) -> Due:
    days = policy.rule("exit", leaving.first_day_off)["results_working_days"]
    start = max(training_class.ends_on, leaving.first_day_off)
    return Due(
        "teach_out_results",
        "善后班次完成培训并提交成绩",
        "finish the class and submit its results",
        training_class.id,
        leaving.base_id,
        workdays.after(start, days, policy),
        ("base_clerk",) if training_class.status != "submitted" else ("city_officer",),
    )
