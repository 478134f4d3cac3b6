"""Sanctions (处理措施): interview, rectification letter, censure, suspension, termination.

Interview and rectification letter are the county's to impose; censure, suspension and termination are
proposed by one officer and decided by another one, of the city. While a rectification or censure is
not cured the base opens no class; a suspension covers its plaque; a termination (摘牌) ends the listing
and bars the base for the policy's time. How a sanction is cured, taken a step up, lifted or overturned
stands in ``cures``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from peewee import CharField, DateField, ForeignKeyField, TextField

from skills_registry import evaluation
from skills_registry.bases import Base, Listing, hold_base, listing_covering, standing, suspend_listing
from skills_registry.bases.applications import require_reason
from skills_registry.bases.parties import require_outsider
from skills_registry.exits.ladder import ground_of, rung
from skills_registry.exits.leaving import delist, require_on_the_list
from skills_registry.foundation import workdays
from skills_registry.foundation.acts import SHANGHAI, Act, Role, require_other_person, require_role
from skills_registry.foundation.errors import RuleBroken
from skills_registry.foundation.lifecycle import Lifecycle, Move, begin, move, who_did
from skills_registry.foundation.storage import InstantField, Record, database

_CLERK: frozenset[Role] = frozenset({"base_clerk"})
_COUNTY: frozenset[Role] = frozenset({"county_officer"})
_CITY: frozenset[Role] = frozenset({"city_officer"})

SANCTION = Lifecycle(
    noun="sanction",
    zh="处理措施",
    states={
        "proposed": ("拟处理，待市级决定", "proposed, with the city"),
        "imposed": ("已作出，待整改", "imposed, to be cured"),
        "cure_reported": ("已报整改，待验收", "cure reported, to be accepted"),
        "cured": ("整改合格", "cured"),
        "escalated": ("逾期未改，已升级处理", "overdue, taken a step up"),
        "lifted": ("已解除", "lifted"),
        "dropped": ("不予处理", "dropped"),
        "overturned": ("经申诉撤销", "overturned on appeal"),
    },
    moves=(
        Move("decide", "proposed", "imposed", _CITY),
        Move("drop", "proposed", "dropped", _CITY),
        Move("report_cure", "imposed", "cure_reported", _CLERK),
        Move("accept_cure", "cure_reported", "cured", _COUNTY | _CITY),
        Move("refuse_cure", "cure_reported", "imposed", _COUNTY | _CITY),
        Move("escalate", "imposed", "escalated", _COUNTY | _CITY),
        Move("fall_back", "escalated", "imposed", _CITY),
        *(Move("lift", origin, "lifted", _CITY) for origin in ("imposed", "cure_reported", "cured")),
        *(
            Move("overturn", origin, "overturned", _CITY)
            for origin in ("proposed", "imposed", "cure_reported", "cured", "escalated")
        ),
    ),
)

#: States in which a sanction is not settled: a base with one of these does not leave of its own will.
PENDING = ("proposed", "imposed", "cure_reported")

#: Acts by which a sanction comes into force, and against which an appeal lies.
DECISIONS = ("impose", "decide")


class Sanction(Record):
    """One step of the ladder against one base, from ``imposed_on``; ``escalates`` is the one whose
    cure was overdue. ``second_from`` begins a second, short time to cure."""

    base = ForeignKeyField(Base, backref="sanctions", on_delete="RESTRICT")
    listing = ForeignKeyField(Listing, on_delete="RESTRICT")
    step = CharField(max_length=20)
    ground = CharField(max_length=40)
    reason = TextField()
    status = CharField(max_length=20, default=SANCTION.first)
    imposed_on = DateField(null=True)
    second_from = DateField(null=True)
    escalates = ForeignKeyField("self", null=True, on_delete="RESTRICT")
    begun_at = InstantField()
    base_id: UUID
    escalates_id: UUID | None

    @property
    def in_force_since(self) -> date:
        """The day on which it was imposed.

        :raises ValueError: it has not been.
        """
        if self.imposed_on is None:
            raise ValueError("this sanction is not in force")
        return self.imposed_on


class SanctionUnderWay(RuleBroken):
    """The same step is pending against this base."""

    code = "sanction_under_way"
    zh = "该基地已有一件同类处理措施尚未办结。"
    en = "The same step is pending against this base already."


class GroundUnsupported(RuleBroken):
    """Facts: ``found``, ``needed``."""

    code = "ground_unsupported"
    zh = "登记记录不支持该事由：需要{needed}次，记录中有{found}次。"
    en = "The records do not support this ground: {needed} are needed, {found} are on record."


class NothingToCure(RuleBroken):
    """A termination is not cured; it can be appealed."""

    code = "nothing_to_cure"
    zh = "摘牌决定不适用整改；如不服可以申诉。"
    en = "A termination is not cured or lifted; it can be appealed."


class SettledByTermination(RuleBroken):
    """The base was struck off after this sanction."""

    code = "settled_by_termination"
    zh = "该基地其后已被摘牌，此项处理已随之了结。"
    en = "The base was struck off after this, which settled it."


def require_curable(sanction: Sanction) -> None:
    """There is something to put right, and it still matters.

    :raises NothingToCure: it is a termination.
    :raises SettledByTermination: the base was struck off since.
    """
    if sanction.step == "termination":
        raise NothingToCure()
    if is_settled_by_ban(sanction):
        raise SettledByTermination()


def require_supported(act: Act, base: Base, ground: Any) -> None:
    """A ground that counts earlier sanctions or failing evaluations has them on record.

    :raises GroundUnsupported: it has fewer.
    """
    if "count" in ground:
        since = workdays.months_later(act.today, -ground["months"])
        found, needed = _standing_sanctions(base, ground["step"], since), ground["count"]
    elif ground.get("evaluations"):
        found, needed = (
            evaluation.failing_years(base),
            evaluation.failing_years_for_exit(act.policy, act.today),
        )
    else:
        return
    if found < needed:
        raise GroundUnsupported(found=found, needed=needed)


def _standing_sanctions(base: Base, step: str, since: date) -> int:
    count: int = (
        Sanction.select()
        .where((Sanction.base == base) & (Sanction.step == step) & (Sanction.imposed_on >= since))
        .where(Sanction.status != "overturned")
        .count()
    )
    return count


def impose(act: Act, base: Base, step: str, *, ground: str, reason: str) -> Sanction:
    """Take a step against a base on the list: in force at once, or proposed where the city decides.

    :raises NotAllowed: the caller is no officer of county or city.
    :raises OwnBase: the caller works for the base.
    :raises GroundUnknown: the policy names no such ground for this step.
    :raises GroundUnsupported: the ground rests on records that are not there.
    :raises NotOnTheList: the base is not on the list.
    :raises SanctionUnderWay: the same step is pending.
    """
    require_supported(act, base, ground_of(act.policy, step, ground, act.today))
    return begin_step(act, base, step, ground, reason, None)


def begin_step(
    act: Act, base: Base, step: str, ground: str, reason: str, escalates: Sanction | None
) -> Sanction:
    """The step itself, whether an officer chose it or an overdue cure led to it."""
    require_role(act, "county_officer", "city_officer")
    require_reason(reason)
    require_outsider(act, base)
    at_once = rung(act.policy, step, act.today)["decided_by"] == "county"
    listing = require_on_the_list(base, act.today)
    with database.atomic():
        hold_base(base)
        if any(found.step == step for found in pending(base)):
            raise SanctionUnderWay()
        sanction = Sanction.create(
            base=base,
            listing=listing,
            step=step,
            ground=ground,
            reason=reason,
            status="imposed" if at_once else "proposed",
            imposed_on=act.today if at_once else None,
            escalates=escalates,
            begun_at=act.at,
        )
        begin(act, SANCTION, sanction, "impose" if at_once else "propose", detail={"step": step})
        if at_once:
            _take_effect(act, sanction)
    return sanction


def decide(act: Act, sanction: Sanction, reason: str) -> Sanction:
    """The city imposes what was proposed.

    :raises SeparationOfDuties: the caller proposed it, or works for the base.
    :raises WrongState: it is not proposed.
    """
    require_reason(reason)
    require_outsider(act, sanction.base)
    require_other_person(act, who_did(sanction.id, "propose"))
    with database.atomic():
        move(act, SANCTION, sanction, "decide", reason=reason)
        hold_base(sanction.base)
        _require_still_to_be_had(act, sanction)
        sanction.imposed_on = act.today
        sanction.save(only=[Sanction.imposed_on])
        _take_effect(act, sanction)
    return sanction


def drop(act: Act, sanction: Sanction, reason: str) -> Sanction:
    """The city does not impose what was proposed; an earlier step that led here is in force again.

    :raises SeparationOfDuties: the caller proposed it, or works for the base.
    :raises WrongState: it is not proposed.
    """
    require_reason(reason)
    require_outsider(act, sanction.base)
    require_other_person(act, who_did(sanction.id, "propose"))
    with database.atomic():
        move(act, SANCTION, sanction, "drop", reason=reason)
        fall_back(act, sanction, reason)
    return sanction


def _require_still_to_be_had(act: Act, sanction: Sanction) -> None:
    # A termination bars from applying again also when the listing ran out while it was being decided.
    if "ban_months" not in rung(act.policy, sanction.step, act.today):
        require_on_the_list(sanction.base, act.today)


def _take_effect(act: Act, sanction: Sanction) -> None:
    figures = rung(act.policy, sanction.step, act.today)
    if "ban_months" in figures:
        last = workdays.months_later(act.today, figures["ban_months"])
        _restrict(act, sanction, "reapply_ban", last)
        if listing_covering(sanction.base_id, act.today) is None:
            return  # the listing ran out before the decision: what is left is the ban
        delist(act, sanction.base, "termination", act.today, sanction.reason, cause_id=sanction.id)
    elif figures.get("suspends"):
        _restrict(act, sanction, "suspended", None)
        suspend_listing(act, sanction.listing, sanction.reason)
    elif figures.get("no_new_classes_months"):
        _restrict(act, sanction, "no_new_classes", None)


def _restrict(act: Act, sanction: Sanction, kind: str, last: date | None) -> None:
    standing.restrict(
        act,
        sanction.base,
        kind,
        starts_on=act.today,
        ends_on=last,
        cause=SANCTION.noun,
        cause_id=sanction.id,
    )


def fall_back(act: Act, sanction: Sanction, reason: str) -> None:
    """The step up is gone, so the one below is to be cured again, with a little time to do it."""
    earlier = sanction.escalates
    if earlier is not None and earlier.status == "escalated":
        move(act, SANCTION, earlier, "fall_back", reason=reason)
        earlier.second_from = act.today
        earlier.save(only=[Sanction.second_from])


def sanctions_of(base: Base) -> Any:
    """The sanctions against a base, as a query."""
    return Sanction.select().where(Sanction.base == base).order_by(Sanction.id)


def sanctions_of_bases(base_ids: Iterable[UUID]) -> Any:
    """The sanctions against these bases, as a query."""
    return Sanction.select().where(Sanction.base.in_(list(base_ids))).order_by(Sanction.id)


def pending(base: Base) -> list[Sanction]:
    """The sanctions against a base that are not settled; a termination in force is."""
    waiting = sanctions_of(base).where(Sanction.status.in_(PENDING))
    return [
        found
        for found in waiting
        if (found.step, found.status) != ("termination", "imposed") and not is_settled_by_ban(found)
    ]


def is_settled_by_ban(sanction: Sanction) -> bool:
    """Whether a termination came after this sanction: it does not meet a base that is listed again."""
    day = sanction.begun_at.astimezone(SHANGHAI).date()
    return any(
        found.starts_on >= day and found.cause_id != sanction.id for found in standing.bans_of(sanction.base)
    )
