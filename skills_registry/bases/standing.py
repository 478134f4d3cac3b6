"""Standing (在册状态): who is on the list on which day, and what holds a base back although it is.

A base is on the list while a confirmed listing covers the day. A *restriction* holds it back for a
time and names the decision behind it:

    no_new_classes   on the list, and may start no class (整改期间)
    suspended        its plaque is covered: not listed for new classes, yet not off the list either
    reapply_ban      off the list, and may not apply again before the ban has run

All three are a matter of days, so that the standing on any earlier day can be told. A restriction
whose decision was overturned counts as never made: it is lifted from its first day. What held a base
back before it was struck off the list is settled by the ban, and does not meet it again afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from peewee import CharField, DateField, ForeignKeyField, UUIDField

from skills_registry.bases.listing import Base, Listing
from skills_registry.foundation.acts import Act
from skills_registry.foundation.errors import RuleBroken
from skills_registry.foundation.lifecycle import note
from skills_registry.foundation.storage import Record

RESTRICTIONS: dict[str, tuple[str, str]] = {
    "no_new_classes": ("暂停新开班", "no new classes"),
    "suspended": ("暂停挂牌", "listing suspended"),
    "reapply_ban": ("禁止再次申请", "may not apply again"),
}

#: What :func:`standing_on` answers, as everyone may know it.
STANDINGS: dict[str, tuple[str, str]] = {
    "never_listed": ("未挂牌", "never listed"),
    "not_yet_listed": ("已批准，挂牌期未到", "admitted, listing not yet begun"),
    "listed": ("在册", "listed"),
    "listed_no_new_classes": ("在册（整改中，暂停新开班）", "listed, no new classes"),
    "suspended": ("暂停挂牌", "listing suspended"),
    "expired": ("挂牌期满", "listing expired"),
    "ended": ("已退出名录", "left the list"),
}


class Restriction(Record):
    """What holds a base back from ``starts_on`` to ``ends_on`` (its last day; null = until lifted).

    ``lifted_on`` is the first day on which it no longer holds; ``cause`` and ``cause_id`` name the
    decision behind it.
    """

    base = ForeignKeyField(Base, backref="restrictions", on_delete="RESTRICT")
    kind = CharField(max_length=20)
    starts_on = DateField()
    ends_on = DateField(null=True)
    lifted_on = DateField(null=True)
    cause = CharField(max_length=20)
    cause_id = UUIDField(index=True)
    base_id: UUID


@dataclass(frozen=True)
class Standing:
    """Where a base stands on one day: one of :data:`STANDINGS`, and the facts behind it.

    ``listing`` is the one that covers the day, or the last one that did; ``left_on`` the first day
    off the list; ``restrictions`` what holds on that day.
    """

    code: str
    listing: Listing | None
    left_on: date | None
    restrictions: tuple[Restriction, ...]

    def sentence(self, language: str = "zh") -> str:
        """The standing in a few words."""
        return STANDINGS[self.code][language == "en"]


class NotListed(RuleBroken):
    """Facts: ``on``."""

    code = "not_listed"
    zh = "该基地在{on}不在挂牌有效期内，不能开班备案。"
    en = "The base is not listed on {on}, so the class cannot be filed."


class NewClassesHeld(RuleBroken):
    """Facts: ``since``, ``until_zh``, ``until_en``."""

    code = "no_new_classes"
    zh = "该基地自{since}起暂停新开班（{until_zh}），不能备案或开班。"
    en = "Since {since} this base may start no new class ({until_en}): nothing can be filed or opened."


class BaseSuspended(NewClassesHeld):
    """Facts: ``since``, ``until_zh``, ``until_en``."""

    code = "base_suspended"
    zh = "该基地自{since}起暂停挂牌（{until_zh}），不能备案或开班。"
    en = "The listing of this base is suspended since {since} ({until_en}): nothing can be filed or opened."


class MayNotApplyYet(RuleBroken):
    """Facts: ``since``, ``until_zh``, ``until_en``."""

    code = "reapply_ban"
    zh = "该基地自{since}起不得再次申请挂牌（{until_zh}）。"
    en = "Since {since} this base may not apply for a listing ({until_en})."


_REFUSALS: dict[str, type[RuleBroken]] = {
    "no_new_classes": NewClassesHeld,
    "suspended": BaseSuspended,
    "reapply_ban": MayNotApplyYet,
}


def require_listed(base: Base, on: date) -> Listing:
    """:raises NotListed: no confirmed listing of the base covers that day, or it is suspended."""
    listing = listing_on(base.id, on)
    if listing is None:
        raise NotListed(on=on)
    return listing


def require_may_open_classes(base: Base, on: date) -> None:
    """Nothing holds the base back from filing and opening classes on that day.

    :raises BaseSuspended: its listing is suspended.
    :raises NewClassesHeld: it is being rectified, or the time without new classes has not run.
    """
    _require_none(base, on, ("suspended", "no_new_classes"))


def require_no_ban(base: Base, on: date) -> None:
    """:raises MayNotApplyYet: the ban on applying again has not run on that day."""
    _require_none(base, on, ("reapply_ban",))


def _require_none(base: Base, on: date, kinds: tuple[str, ...]) -> None:
    # The weightiest kind first, and of one kind the one that holds longest.
    held = [found for found in restrictions_on(base, on) if found.kind in kinds]
    if not held:
        return
    worst = min(held, key=lambda found: (kinds.index(found.kind), -(found.ends_on or date.max).toordinal()))
    last = worst.ends_on
    raise _REFUSALS[worst.kind](
        since=worst.starts_on,
        until_zh=f"至{last}" if last else "至整改验收合格或解除为止",
        until_en=f"until {last}" if last else "until the cure is accepted or it is lifted",
    )


def restrict(
    act: Act, base: Base, kind: str, *, starts_on: date, ends_on: date | None, cause: str, cause_id: UUID
) -> Restriction:
    """Hold a base back; ``cause`` is the noun of the decision, which leaves the reason in a step of its own."""
    found = Restriction.create(
        base=base, kind=kind, starts_on=starts_on, ends_on=ends_on, cause=cause, cause_id=cause_id
    )
    note(act, "base", base.id, f"restrict_{kind}", detail=_told(found))
    return found


def limit(act: Act, restriction: Restriction, last: date) -> None:
    """Give an open-ended restriction its last day."""
    restriction.ends_on = last
    restriction.save(only=[Restriction.ends_on])
    note(act, "base", restriction.base_id, f"limit_{restriction.kind}", detail=_told(restriction))


def lift(act: Act, restriction: Restriction, on: date) -> None:
    """A restriction no longer holds from ``on``; its own first day means that it never did."""
    restriction.lifted_on = on
    restriction.save(only=[Restriction.lifted_on])
    note(act, "base", restriction.base_id, f"lift_{restriction.kind}", detail=_told(restriction))


def _told(restriction: Restriction) -> dict[str, Any]:
    days = {name: getattr(restriction, name) for name in ("starts_on", "ends_on", "lifted_on")}
    return {name: day.isoformat() for name, day in days.items() if day} | {
        restriction.cause: str(restriction.cause_id)
    }


def restrictions_of(cause_id: UUID) -> list[Restriction]:
    """The restrictions that a decision brought."""
    return list(Restriction.select().where(Restriction.cause_id == cause_id).order_by(Restriction.id))


def bans_of(base: Base) -> list[Restriction]:
    """Every ban on applying again that was ever in force against a base; an overturned one never was."""
    bans = Restriction.select().where((Restriction.base == base) & (Restriction.kind == "reapply_ban"))
    return list(bans.where(Restriction.lifted_on.is_null() | (Restriction.lifted_on > Restriction.starts_on)))


def restrictions_on(base: Base, on: date) -> list[Restriction]:
    """What holds a base back on a day."""
    return list(_in_force(base.id, on))


def _in_force(base_id: UUID, on: date) -> Iterator[Restriction]:
    begun = list(
        Restriction.select()
        .where((Restriction.base == base_id) & (Restriction.starts_on <= on))
        .where(Restriction.lifted_on.is_null() | (Restriction.lifted_on > Restriction.starts_on))
        .order_by(Restriction.id)
    )
    struck_off = max((found.starts_on for found in begun if found.kind == "reapply_ban"), default=date.min)
    for found in begun:
        over = (found.ends_on or date.max) < on or (found.lifted_on or date.max) <= on
        settled = found.kind != "reapply_ban" and found.starts_on <= struck_off
        if not over and not settled:
            yield found


def listing_on(base_id: UUID, on: date) -> Listing | None:
    """The confirmed listing that makes a base listed on a day, or None; on suspended days there is none."""
    listing = listing_covering(base_id, on)
    if listing is None or any(found.kind == "suspended" for found in _in_force(base_id, on)):
        return None
    return listing


def listing_covering(base_id: UUID, on: date) -> Listing | None:
    """The confirmed listing whose time covers a day, suspended or not; one that ended counts up to its end."""
    within = (Listing.valid_from <= on) & (Listing.valid_until >= on)
    still = Listing.left_on.is_null() | (Listing.left_on > on)
    covering: Listing | None = _confirmed(base_id).where(within & still).first()
    return covering


def _confirmed(base_id: UUID) -> Any:
    return Listing.select().where((Listing.base == base_id) & (Listing.status != "entered"))


def left_on(base_id: UUID, today: date) -> date | None:
    """The first day off the list, for a base that was listed once and is not on the list today."""
    if listing_covering(base_id, today) is not None:
        return None
    ends = [_first_day_off(listing) for listing in _confirmed(base_id) if listing.valid_from <= today]
    return max(ends, default=None)


def _first_day_off(listing: Listing) -> date:
    day: date = listing.left_on or listing.valid_until + timedelta(days=1)
    return day


def standing_on(base: Base, on: date) -> Standing:
    """Where a base stands on a day, and why."""
    held = tuple(_in_force(base.id, on))
    kinds = {found.kind for found in held}
    listing = listing_covering(base.id, on)
    if listing is not None:
        code = "listed_no_new_classes" if "no_new_classes" in kinds else "listed"
        return Standing("suspended" if "suspended" in kinds else code, listing, None, held)
    begun = [found for found in _confirmed(base.id) if found.valid_from <= on]
    if not begun:
        coming = _confirmed(base.id).order_by(Listing.valid_from).first()
        return Standing("not_yet_listed" if coming else "never_listed", coming, None, held)
    last = max(begun, key=_first_day_off)
    return Standing("ended" if last.left_on else "expired", last, _first_day_off(last), held)
