"""Voluntary exit (自愿退出): the base asks, the city lets it go once nothing against it is pending.

Otherwise a base could leave ahead of its termination and escape the ban.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from uuid import UUID

from peewee import IntegrityError

from skills_registry.bases import Base, hold_base
from skills_registry.bases.applications import require_reason
from skills_registry.bases.parties import require_outsider, require_own_base
from skills_registry.exits import sanctions
from skills_registry.exits.leaving import (
    EXIT,
    Exit,
    require_on_the_list,
    settle_classes,
    shut,
    take_off,
)
from skills_registry.foundation import workdays
from skills_registry.foundation.acts import SHANGHAI, Act
from skills_registry.foundation.dues import Due
from skills_registry.foundation.errors import RuleBroken
from skills_registry.foundation.lifecycle import begin, move
from skills_registry.foundation.policy import Policy
from skills_registry.foundation.storage import database


class SanctionPending(RuleBroken):
    """Facts: ``count``."""

    code = "sanction_pending"
    zh = "该基地还有{count}件处理措施未办结，办结后才能自愿退出。"
    en = "{count} sanctions against this base are not settled; it may leave once they are."


class AskedAlready(RuleBroken):
    """A request to leave is under way."""

    code = "exit_asked"
    zh = "退出申请正在办理，请勿重复提交。"
    en = "A request to leave is under way already."


def require_nothing_pending(base: Base) -> None:
    """:raises SanctionPending: a sanction is proposed, to be cured or to be accepted."""
    count = len(sanctions.pending(base))
    if count:
        raise SanctionPending(count=count)


def ask(act: Act, base: Base, reason: str) -> Exit:
    """The base asks to leave the list.

    :raises NotAllowed: the caller is no clerk of this base.
    :raises NotOnTheList: the base is not on the list.
    :raises NotOnTheList: its listing has run out meanwhile.
    :raises SanctionPending: something against it is not settled.
    :raises AskedAlready: it has asked already.
    """
    require_own_base(act, base)
    require_reason(reason)
    listing = require_on_the_list(base, act.today)
    require_nothing_pending(base)
    try:
        with database.atomic():
            found = Exit.create(
                base=base, listing=listing, ground="withdrawal", reason=reason, begun_at=act.at
            )
            begin(act, EXIT, found, "ask")
    except IntegrityError as error:
        raise AskedAlready() from error
    return found


def accept(act: Act, leaving: Exit, reason: str) -> Exit:
    """The city lets the base go from today; its running classes go into the teach-out.

    :raises OwnBase: the caller works for the base.
    :raises SanctionPending: something against it is not settled.
    :raises WrongState: it does not ask.
    """
    require_reason(reason)
    require_outsider(act, leaving.base)
    require_on_the_list(leaving.base, act.today)
    with database.atomic():
        move(act, EXIT, leaving, "accept", reason=reason)
        hold_base(leaving.base)
        require_nothing_pending(leaving.base)
        leaving.leaves_on = act.today
        leaving.save(only=[Exit.leaves_on])
        take_off(act, leaving.listing, act.today, reason)
        settle_classes(act, leaving)
    return leaving


def refuse(act: Act, leaving: Exit, reason: str) -> Exit:
    """The city does not let the base go, with a reason.

    :raises OwnBase: the caller works for the base.
    :raises WrongState: it does not ask.
    """
    require_reason(reason)
    require_outsider(act, leaving.base)
    with database.atomic():
        move(act, EXIT, leaving, "refuse", reason=reason)
        shut(leaving)
    return leaving


def take_back(act: Act, leaving: Exit) -> Exit:
    """The base takes its request back.

    :raises NotAllowed: the caller is no clerk of this base.
    :raises WrongState: it has been answered.
    """
    require_own_base(act, leaving.base)
    with database.atomic():
        move(act, EXIT, leaving, "take_back")
        shut(leaving)
    return leaving


def deadlines(policy: Policy, base_ids: Iterable[UUID]) -> Iterator[Due]:
    """Requests to leave that await the city's answer."""
    asked = Exit.select().where((Exit.status == "asked") & Exit.base.in_(list(base_ids))).order_by(Exit.id)
    for leaving in asked:
        started = leaving.begun_at.astimezone(SHANGHAI).date()
        days = policy.rule("exit", started)["withdrawal_decision_working_days"]
        yield Due(
            "withdrawal_decision",
            "答复退出申请",
            "answer the request to leave",
            leaving.id,
            leaving.base_id,
            workdays.after(started, days, policy),
            ("city_officer",),
        )
