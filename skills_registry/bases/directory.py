"""The public directory (基地名录): what everyone may know of a base, with or without an account.

Name, kind, county, trades, plaque number, dates and standing; nothing of its file, its reviews or the
people in it. A base that left the list is no longer offered, yet still found by its number with the
day on which it left, since its plaque may still hang somewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from skills_registry.bases.listing import Base, Listing, ScopeEntry, Trade
from skills_registry.bases.standing import standing_on

#: Standings with which a base is offered in the directory.
ON_THE_LIST = ("listed", "listed_no_new_classes", "suspended")


@dataclass(frozen=True)
class Entry:
    """A base as everyone may know it. ``left_on`` is the first day off the list."""

    number: int
    name: str
    kind: str
    division_code: str
    standing: str
    plaque_number: str
    valid_from: date
    valid_until: date
    left_on: date | None
    scope: tuple[Trade, ...]


def listed_bases(on: date, *, county: str = "", kind: str = "", trade: str = "") -> Any:
    """The bases on the list on a day, suspended ones too, as a query in order of number.

    ``trade`` is an occupation's name or a part of it: codes mean something only with their edition.
    """
    covering = (
        Listing.select(Listing.base)
        .where((Listing.status != "entered") & (Listing.valid_from <= on) & (Listing.valid_until >= on))
        .where(Listing.left_on.is_null() | (Listing.left_on > on))
    )
    if trade:
        covering = covering.join(ScopeEntry).where(ScopeEntry.name.contains(trade))
    found = Base.select().where(Base.id.in_(covering))
    if county:
        found = found.where(Base.division_code == county)
    if kind:
        found = found.where(Base.kind == kind)
    return found.order_by(Base.number)


def entry(base: Base, on: date) -> Entry | None:
    """What everyone may know of a base on a day; None while it has never been on the list."""
    standing = standing_on(base, on)
    listing = standing.listing
    if listing is None:
        return None
    return Entry(
        number=base.number,
        name=base.public_name,
        kind=base.kind,
        division_code=base.division_code,
        standing=standing.code,
        plaque_number=listing.plaque_number,
        valid_from=listing.valid_from,
        valid_until=listing.valid_until,
        left_on=standing.left_on,
        scope=scope_of(listing),
    )


def scope_of(listing: Listing) -> tuple[Trade, ...]:
    """The trades of a listing."""
    columns = ("edition", "code", "name", "highest_level")
    return tuple(
        Trade(**{column: getattr(row, column) for column in columns})
        for row in listing.scope.order_by(ScopeEntry.id)
    )


def trades_on_offer(on: date) -> list[str]:
    """The names of all trades that a base on the list may teach on a day, each once."""
    found = ScopeEntry.select(ScopeEntry.name).join(Listing).where(Listing.base.in_(listed_bases(on)))
    current = found.where((Listing.valid_from <= on) & (Listing.valid_until >= on))
    return sorted({row.name for row in current})
