"""Leaving the list (退出): by termination (摘牌), of one's own will, or because the listing has run out.

However a base leaves, nobody in its classes is left standing: the exit stays under review (善后) until
each running class is finished, handed over or dissolved (see ``teach_out``). Classes that have not
opened are cancelled at once. Certificates issued while the base was listed stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any
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

from skills_registry.bases import (
    Base,
    Listing,
    end_listing,
    hold_base,
    listing_covering,
    restore_listing,
)
from skills_registry.foundation import workdays
from skills_registry.foundation.acts import Act, Role
from skills_registry.foundation.dues import Due
from skills_registry.foundation.errors import RuleBroken
from skills_registry.foundation.lifecycle import Lifecycle, Move, begin, move
from skills_registry.foundation.policy import Policy
from skills_registry.foundation.storage import InstantField, Record, database
from skills_registry.foundation.workdays import Deadline
from skills_registry.training import classes
from skills_registry.training.classes import RUNNING, TrainingClass

_CLERK: frozenset[Role] = frozenset({"base_clerk"})
_COUNTY: frozenset[Role] = frozenset({"county_officer"})
_CITY: frozenset[Role] = frozenset({"city_officer"})

EXIT = Lifecycle(
    noun="exit",
    zh="退出",
    states={
        "asked": ("已申请退出", "asked to leave"),
        "teaching_out": ("善后办理中", "off the list, classes being taught out"),
        "closed": ("善后办结", "closed"),
        "refused": ("未同意退出", "not let go"),
        "taken_back": ("已撤回退出申请", "request taken back"),
        "superseded": ("已由另一退出决定取代", "superseded by another way off the list"),
        "called_off": ("退出决定已撤销", "called off"),
    },
    moves=(
        Move("accept", "asked", "teaching_out", _CITY),
        Move("refuse", "asked", "refused", _CITY),
        Move("take_back", "asked", "taken_back", _CLERK),
        Move("supersede", "asked", "superseded", _COUNTY | _CITY),
        Move("close", "teaching_out", "closed", _COUNTY | _CITY),
        Move("call_off", "teaching_out", "called_off", _CITY),
        Move("call_off", "closed", "called_off", _CITY),
    ),
)

GROUNDS: dict[str, tuple[str, str]] = {
    "termination": ("摘牌", "termination"),
    "withdrawal": ("自愿退出", "voluntary exit"),
    "expiry": ("挂牌期满", "listing expired"),
}


class Exit(Record):
    """One leaving of the list; ``leaves_on`` is the first day off it, ``cause_id`` the sanction behind it.

    ``open`` marks one that awaits an answer or the end of its teach-out.
    """

    base = ForeignKeyField(Base, backref="exits", on_delete="RESTRICT")
    listing = ForeignKeyField(Listing, backref="exits", on_delete="RESTRICT")
    ground = CharField(max_length=20)
    reason = TextField()
    leaves_on = DateField(null=True)
    cause_id = UUIDField(null=True, index=True)
    status = CharField(max_length=20, default=EXIT.first)
    open = BooleanField(default=True)
    begun_at = InstantField()
    base_id: UUID
    taught_out: ModelSelect[TaughtOut]

    @property
    def first_day_off(self) -> date:
        """The first day off the list.

        :raises ValueError: the base has only asked.
        """
        if self.leaves_on is None:
            raise ValueError("this exit has no day yet")
        return self.leaves_on


# One exit under way per listing, held by the database itself.
Exit.add_index(Exit.index(Exit.listing, unique=True, name="exit_open", where=Exit.open))


class TaughtOut(Record):
    """A class that was running when its base left; ``way`` is what becomes of it, null until decided.

    ``moved`` counts the trainees handed over to ``to_base``.
    """

    exit = ForeignKeyField(Exit, backref="taught_out", on_delete="RESTRICT")
    training_class = ForeignKeyField(TrainingClass, backref="taught_out", on_delete="RESTRICT")
    way = CharField(max_length=20, null=True)
    to_base = ForeignKeyField(Base, null=True, on_delete="RESTRICT")
    moved = IntegerField(default=0)
    reason = TextField(default="")
    decided_on = DateField(null=True)

    class Meta:
        indexes = ((("exit", "training_class"), True),)


class NotOnTheList(RuleBroken):
    """The base is not on the list, so there is nothing to sanction or to leave."""

    code = "not_on_the_list"
    zh = "该基地目前不在册，无须办理。"
    en = "The base is not on the list now, so there is nothing to do."


class NotExpired(RuleBroken):
    """Facts: ``valid_until``."""

    code = "listing_not_expired"
    zh = "挂牌期至{valid_until}，尚未期满。"
    en = "The listing runs until {valid_until}; it has not expired."


def require_on_the_list(base: Base, on: date) -> Listing:
    """The listing, suspended or not, that covers a day.

    :raises NotOnTheList: there is none.
    """
    listing = listing_covering(base.id, on)
    if listing is None:
        raise NotOnTheList()
    return listing


def delist(act: Act, base: Base, ground: str, on: date, reason: str, *, cause_id: UUID | None = None) -> Exit:
    """Take a base off the list from ``on``; its running classes go into the teach-out.

    :raises NotOnTheList: it is not on the list.
    :raises WrongState: somebody has ended the listing meanwhile.
    """
    listing = require_on_the_list(base, act.today)
    with database.atomic():
        hold_base(base)
        _supersede_request(act, listing, reason)
        take_off(act, listing, on, reason)
        found = Exit.create(
            base=base,
            listing=listing,
            ground=ground,
            reason=reason,
            leaves_on=on,
            cause_id=cause_id,
            status="teaching_out",
            begun_at=act.at,
        )
        begin(act, EXIT, found, "delist", detail={"ground": ground, "leaves_on": on.isoformat()})
        settle_classes(act, found)
    return found


def _supersede_request(act: Act, listing: Listing, reason: str) -> None:
    # A base that has asked to leave can be struck off, and its listing can end, without an answer to it.
    asked = Exit.get_or_none((Exit.listing == listing.id) & (Exit.status == "asked"))
    if asked is not None:
        move(act, EXIT, asked, "supersede", reason=reason)
        shut(asked)


def take_off(act: Act, listing: Listing, on: date, reason: str) -> None:
    """End the listing and any that was to follow it: who leaves the list does not come back by a renewal."""
    end_listing(act, listing, on, reason)
    for later in _following(listing, "confirmed"):
        end_listing(act, later, on, reason)


def _following(listing: Listing, status: str) -> list[Listing]:
    later = (Listing.base == listing.base_id) & (Listing.valid_from > listing.valid_until)
    return list(Listing.select().where(later & (Listing.status == status)).order_by(Listing.valid_from))


def expire(act: Act, listing: Listing) -> Exit | None:
    """Close the book on a listing whose last day has passed; None when a later listing follows it.

    :raises NotExpired: its last day has not passed.
    :raises WrongState: it has ended already.
    """
    if act.today <= listing.valid_until:
        raise NotExpired(valid_until=listing.valid_until)
    base, first_day_off = listing.base, listing.valid_until + timedelta(days=1)
    with database.atomic():
        hold_base(base)
        _supersede_request(act, listing, "挂牌期满")
        end_listing(act, listing, first_day_off, "挂牌期满")
        if listing_covering(base.id, act.today) is not None:
            return None
        found = Exit.create(
            base=base,
            listing=listing,
            ground="expiry",
            reason="挂牌期满",
            leaves_on=first_day_off,
            status="teaching_out",
            begun_at=act.at,
        )
        begin(act, EXIT, found, "delist", detail={"ground": "expiry", "leaves_on": first_day_off.isoformat()})
        settle_classes(act, found)
    return found


def settle_classes(act: Act, leaving: Exit) -> None:
    """Cancel what has not opened and put down what is running; with nothing running the exit closes at once."""
    for training_class in classes.classes_in(leaving.base, "filed"):
        classes.cancel_class(act, training_class, "基地退出名录")
    running = classes.classes_in(leaving.base, *RUNNING)
    for training_class in running:
        TaughtOut.create(exit=leaving, training_class=training_class)
    if not running:
        move(act, EXIT, leaving, "close", detail={"classes": 0})
        shut(leaving)


def shut(leaving: Exit) -> None:
    """Mark an exit that has come to an end."""
    leaving.open = False
    leaving.save(only=[Exit.open])


def call_off(act: Act, leaving: Exit, reason: str) -> None:
    """Undo an exit because the decision behind it was overturned: the listing is restored.

    Classes handed over or cancelled meanwhile stay so; their trainees have been told.

    :raises ListingOverlaps: the base has been listed anew in that period.
    :raises WrongState: the exit is not in force.
    """
    with database.atomic():
        move(act, EXIT, leaving, "call_off", reason=reason)
        shut(leaving)
        restore_listing(act, leaving.listing, reason)
        for later in _following(leaving.listing, "ended"):
            if later.left_on == leaving.leaves_on:
                restore_listing(act, later, reason)


def deadlines(policy: Policy, today: date, base_ids: Iterable[UUID]) -> Iterator[Due]:
    """Listings near their end, which a new application renews, and listings past it, to be closed."""
    months = policy.rule("exit", today)["renewal_months"]
    ending = Listing.select().where(
        Listing.base.in_(list(base_ids))
        & Listing.status.in_(("confirmed", "suspended"))
        & (Listing.valid_until <= workdays.months_later(today, months))
    )
    for listing in ending.order_by(Listing.valid_until, Listing.id):
        last = Deadline(listing.valid_until, provisional=False)
        if today > listing.valid_until:
            yield Due("listing_expired", "挂牌期满，办理退出", "close the expired listing",
                      listing.id, listing.base_id, last, ("city_officer",))  # fmt: skip
        elif not _following(listing, "confirmed"):
            yield Due("listing_ends", "挂牌将期满，申请复审", "apply for renewal before the listing ends",
                      listing.id, listing.base_id, last, ("base_clerk",))  # fmt: skip


def listing_to_close(base: Base) -> Listing:
    """The oldest listing of a base that is still in force on the books; its last day may have passed.

    :raises NotOnTheList: there is none.
    """
    in_force = Listing.select().where((Listing.base == base) & Listing.status.in_(("confirmed", "suspended")))
    found: Listing | None = in_force.order_by(Listing.valid_until).first()
    if found is None:
        raise NotOnTheList()
    return found


def exits_of(base: Base) -> Any:
    """The exits of a base, in order."""
    return Exit.select().where(Exit.base == base).order_by(Exit.id)


def exit_of_cause(cause_id: UUID) -> Exit | None:
    """The exit that a sanction brought, or None."""
    return Exit.get_or_none(Exit.cause_id == cause_id)


def latest_exit(base: Base, *states: str) -> Exit | None:
    """The last exit of a base in one of these states, or None."""
    found: Sequence[Exit] = list(exits_of(base).where(Exit.status.in_(states)))
    return found[-1] if found else None
