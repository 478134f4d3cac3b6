"""Cures (整改): how a sanction ends — put right, taken a step up, lifted, or overturned on appeal.

The base reports its cure; somebody other than whoever imposed the sanction accepts it or does not. An
overdue cure leads one step up the ladder, and what the earlier step held back goes on holding until
the later one is settled. A sanction stands while an appeal against it runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any
from uuid import UUID

from skills_registry.bases import Listing, listing_covering, resume_listing, standing, suspend_listing
from skills_registry.bases.applications import require_reason
from skills_registry.bases.parties import require_outsider, require_own_base
from skills_registry.exits.ladder import OVERDUE, cure_deadline, ladder, rung
from skills_registry.exits.leaving import call_off, exit_of_cause
from skills_registry.exits.sanctions import (
    DECISIONS,
    PENDING,
    SANCTION,
    Sanction,
    begin_step,
    fall_back,
    is_settled_by_ban,
    require_curable,
    sanctions_of_bases,
)
from skills_registry.foundation import workdays
from skills_registry.foundation.acts import SHANGHAI, Act, Role, require_other_person
from skills_registry.foundation.dues import Due
from skills_registry.foundation.errors import RuleBroken
from skills_registry.foundation.lifecycle import Step, move, who_did
from skills_registry.foundation.policy import Policy
from skills_registry.foundation.storage import database
from skills_registry.foundation.workdays import Deadline


class NotOverdue(RuleBroken):
    """Facts: ``due``."""

    code = "not_overdue"
    zh = "整改期限至{due}，尚未逾期，不能升级处理。"
    en = "The cure is due on {due} and not overdue; no step up is possible yet."


def require_overdue(act: Act, sanction: Sanction) -> None:
    """:raises NotOverdue: the time to cure has not run out."""
    deadline = due(sanction, act.policy)
    if deadline is not None and act.today <= deadline.day:
        raise NotOverdue(due=deadline.day)


def report_cure(act: Act, sanction: Sanction, report: str) -> Sanction:
    """The base reports what it has put right (整改报告); late is possible until the next step is taken.

    :raises NotAllowed: the caller is no clerk of this base.
    :raises NothingToCure: it is a termination.
    :raises WrongState: there is nothing to report on.
    """
    require_reason(report)
    require_own_base(act, sanction.base)
    require_curable(sanction)
    with database.atomic():
        move(act, SANCTION, sanction, "report_cure", reason=report)
    return sanction


def accept_cure(act: Act, sanction: Sanction, reason: str) -> Sanction:
    """Accept the cure (验收合格): a suspension ends, a time without new classes gets its last day.

    :raises SeparationOfDuties: the caller imposed it, or works for the base.
    :raises WrongState: no cure has been reported.
    """
    require_reason(reason)
    _require_may_judge(act, sanction)
    with database.atomic():
        move(act, SANCTION, sanction, "accept_cure", reason=reason)
        for settled in chain(sanction):
            _run_out(act, settled)
    return sanction


def refuse_cure(act: Act, sanction: Sanction, reason: str) -> Sanction:
    """Do not accept the cure; the base gets the policy's second, short time.

    :raises SeparationOfDuties: the caller imposed it, or works for the base.
    :raises WrongState: no cure has been reported.
    """
    require_reason(reason)
    _require_may_judge(act, sanction)
    with database.atomic():
        move(act, SANCTION, sanction, "refuse_cure", reason=reason)
        sanction.second_from = act.today
        sanction.save(only=[Sanction.second_from])
    return sanction


def _require_may_judge(act: Act, sanction: Sanction) -> None:
    require_outsider(act, sanction.base)
    for action in DECISIONS:
        require_other_person(act, who_did(sanction.id, action))


def escalate(act: Act, sanction: Sanction, reason: str) -> Sanction:
    """Take the next step of the ladder because the cure is overdue; returns the new sanction.

    :raises NotOverdue: the time to cure has not run out.
    :raises NothingToCure: it is a termination.
    :raises WrongState: it is not in force.
    """
    require_curable(sanction)
    if SANCTION.find("escalate", sanction.status) is not None:
        require_overdue(act, sanction)
    with database.atomic():
        move(act, SANCTION, sanction, "escalate", reason=reason)
        next_step = rung(act.policy, sanction.step, act.today)["next"]
        return begin_step(act, sanction.base, next_step, OVERDUE, reason, sanction)


def lift(act: Act, sanction: Sanction, reason: str) -> Sanction:
    """Lift a sanction and what it still holds back (解除), before its time.

    :raises SeparationOfDuties: the caller imposed it, or works for the base.
    :raises NothingToCure: a termination is only overturned on appeal.
    :raises WrongState: it is not in force.
    """
    require_reason(reason)
    require_curable(sanction)
    _require_may_judge(act, sanction)
    with database.atomic():
        move(act, SANCTION, sanction, "lift", reason=reason)
        for settled in chain(sanction):
            _release(act, settled, act.today, reason)
    return sanction


def overturn(act: Act, sanction: Sanction, reason: str) -> Sanction:
    """Undo a sanction as if it had never been (申诉撤销): restrictions are void, the listing is restored.

    Steps that only followed because its cure was overdue fall with it.

    :raises WrongState: it is not in force.
    """
    with database.atomic():
        move(act, SANCTION, sanction, "overturn", reason=reason)
        _release(act, sanction, None, reason)
        leaving = exit_of_cause(sanction.id)
        if leaving is not None:
            call_off(act, leaving, reason)
        fall_back(act, sanction, reason)
        _suspend_again(act, sanction, reason)
        for later in Sanction.select().where(Sanction.escalates == sanction.id).order_by(Sanction.id):
            if SANCTION.find("overturn", later.status) is not None:
                overturn(act, later, reason)
    return sanction


def _suspend_again(act: Act, sanction: Sanction, reason: str) -> None:
    # A listing restored to a base that was suspended before comes back as suspended.
    held = {found.kind for found in standing.restrictions_on(sanction.base, act.today)}
    listing = Listing.get_by_id(sanction.listing.id)
    if "suspended" in held and listing.status == "confirmed":
        suspend_listing(act, listing, reason)


def _run_out(act: Act, sanction: Sanction) -> None:
    since = sanction.in_force_since
    months = rung(act.policy, sanction.step, since).get("no_new_classes_months", 0)
    last = workdays.months_later(since, months)
    for found in standing.restrictions_of(sanction.id):
        if found.ends_on is None and found.lifted_on is None:
            if found.kind == "no_new_classes" and last >= act.today:
                standing.limit(act, found, last)
            else:
                standing.lift(act, found, act.today)
    _uncover(act, sanction, "整改合格")


def _release(act: Act, sanction: Sanction, on: date | None, reason: str) -> None:
    """Lift what a sanction holds back from a day on; without a day, as if it had never held."""
    for found in standing.restrictions_of(sanction.id):
        if on is None:
            standing.lift(act, found, found.starts_on)
        elif found.lifted_on is None and (found.ends_on is None or found.ends_on >= on):
            standing.lift(act, found, max(on, found.starts_on))
    _uncover(act, sanction, reason)


def _uncover(act: Act, sanction: Sanction, reason: str) -> None:
    listing = Listing.get_by_id(sanction.listing.id)
    held = {found.kind for found in standing.restrictions_on(sanction.base, act.today)}
    if sanction.step == "suspension" and listing.status == "suspended" and "suspended" not in held:
        resume_listing(act, listing, reason)


def chain(sanction: Sanction) -> Iterator[Sanction]:
    """A sanction and those whose overdue cure led to it."""
    found: Sanction | None = sanction
    while found is not None:
        yield found
        found = found.escalates


def due(sanction: Sanction, policy: Policy) -> Deadline | None:
    """The last day for whoever must act next: to decide, to cure or to accept; None when nobody must."""
    if sanction.status == "proposed":
        started = _day(sanction.begun_at)
        return workdays.after(started, ladder(policy, started)["decision_working_days"], policy)
    if sanction.status == "cure_reported":
        started = _last_day_of(sanction, "report_cure")
        return workdays.after(started, ladder(policy, started)["acceptance_working_days"], policy)
    if sanction.status != "imposed":
        return None
    since = sanction.in_force_since
    first = cure_deadline(policy, sanction.step, since)
    if first is None or sanction.second_from is None:
        return first
    days = ladder(policy, since)["second_cure_working_days"]
    return max(first, workdays.after(sanction.second_from, days, policy), key=lambda found: found.day)


def _day(at: Any) -> date:
    day: date = at.astimezone(SHANGHAI).date()
    return day


def _last_day_of(sanction: Sanction, action: str) -> date:
    step = (
        Step.select()
        .where((Step.record_id == sanction.id) & (Step.action == action))
        .order_by(Step.id.desc())
        .get()
    )
    return _day(step.at)


_WAITING: dict[str, tuple[str, str, str, tuple[Role, ...]]] = {
    "proposed": ("sanction_decision", "决定拟处理事项", "decide what was proposed", ("city_officer",)),
    "imposed": ("cure", "完成整改并报告", "cure and report it", ("base_clerk",)),
    "cure_reported": (
        "cure_acceptance",
        "验收整改情况",
        "accept the cure or not",
        ("county_officer", "city_officer"),
    ),
}


def deadlines(policy: Policy, today: date, base_ids: Iterable[UUID]) -> Iterator[Due]:
    """What is due in sanctions against bases on the list: to decide, to cure, to accept."""
    for sanction in sanctions_of_bases(base_ids).where(Sanction.status.in_(PENDING)):
        deadline = due(sanction, policy)
        listed = listing_covering(sanction.base_id, today) is not None
        if deadline is not None and listed and not is_settled_by_ban(sanction):
            kind, zh, en, roles = _WAITING[sanction.status]
            yield Due(kind, zh, en, sanction.id, sanction.base_id, deadline, roles)
