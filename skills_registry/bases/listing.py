"""Bases (基地) and their listing (挂牌认证): who may train, what, from when until when.

A base is entered once. It is *listed* while a confirmed listing covers the day in question. A base
that was listed on paper before this registry went live is entered with plaque number, dates and
basis by one officer and confirmed by another; every later listing comes out of an admission review.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from peewee import CharField, DateField, ForeignKeyField, IntegerField, ModelSelect, TextField

from skills_registry.accounts import Organisation, register_organisation
from skills_registry.foundation.acts import Act, Role, require_other_person
from skills_registry.foundation.errors import FieldRefused, NotAllowed, RuleBroken
from skills_registry.foundation.identifiers import check_uscc, division_name
from skills_registry.foundation.levels import rank
from skills_registry.foundation.lifecycle import Lifecycle, Move, begin, move, note, steps_of, who_did
from skills_registry.foundation.series import take
from skills_registry.foundation.storage import InstantField, Record, database
from skills_registry.foundation.wording import require_permitted_wording

#: Kinds of bases are open data: the plan's "four kinds" are nowhere defined (DOMAIN §1.3).
BASE_KINDS: dict[str, tuple[str, str]] = {
    "training": ("职业培训基地", "vocational-training base"),
    "employment": ("就业基地", "employment base"),
    "incubation": ("就业创业孵化基地", "employment-and-entrepreneurship incubation base"),
    "sheltered_employment": ("辅助性就业基地", "sheltered-employment base"),
    "blind_massage_practice": ("盲人按摩实训基地", "blind-massage practice base"),
}

_CITY: frozenset[Role] = frozenset({"city_officer"})
_COUNTY: frozenset[Role] = frozenset({"county_officer"})

LISTING = Lifecycle(
    noun="listing",
    zh="挂牌登记",
    states={
        "entered": ("待复核", "entered, awaiting confirmation"),
        "confirmed": ("已挂牌", "listed"),
        "suspended": ("暂停挂牌", "suspended"),
        "ended": ("已退出名录", "ended"),
    },
    moves=(
        Move("confirm", "entered", "confirmed", _CITY | _COUNTY),
        Move("suspend", "confirmed", "suspended", _CITY),
        Move("resume", "suspended", "confirmed", _CITY),
        Move("end", "confirmed", "ended", _CITY),
        Move("end", "suspended", "ended", _CITY),
        Move("restore", "ended", "confirmed", _CITY),
    ),
)


class Base(Record):
    """A base; ``number`` is short and never changes, since certificates carry it."""

    number = IntegerField(unique=True)
    organisation = ForeignKeyField(Organisation, unique=True, on_delete="RESTRICT")
    name = CharField(max_length=120)
    public_name = CharField(max_length=120)
    uscc = CharField(max_length=18, unique=True)
    kind = CharField(max_length=40)
    division_code = CharField(max_length=6, index=True)
    created_at = InstantField()
    organisation_id: UUID
    listings: ModelSelect[Listing]


class Listing(Record):
    """One period on the list; ``left_on`` is the first day off it when it ended early."""

    base = ForeignKeyField(Base, backref="listings", on_delete="RESTRICT")
    plaque_number = CharField(max_length=40, unique=True)
    valid_from = DateField()
    valid_until = DateField()
    left_on = DateField(null=True)
    basis = TextField()
    status = CharField(max_length=20, default=LISTING.first)
    base_id: UUID
    scope: ModelSelect[ScopeEntry]


class ScopeEntry(Record):
    """One trade that a listing covers, up to and including ``highest_level``."""

    listing = ForeignKeyField(Listing, backref="scope", on_delete="RESTRICT")
    edition = CharField(max_length=4)
    code = CharField(max_length=12)
    name = CharField(max_length=60)
    highest_level = CharField(max_length=30)

    class Meta:
        indexes = ((("listing", "edition", "code"), True),)


@dataclass(frozen=True)
class Trade:
    """A trade in a listing's scope: occupation (edition, code, name) and the highest level taught."""

    edition: str
    code: str
    name: str
    highest_level: str


class OccupationOutOfScope(RuleBroken):
    """Facts: ``occupation``, ``scope``."""

    code = "occupation_out_of_scope"
    zh = "“{occupation}”不在该基地挂牌的培训范围内。可培训：{scope}。"
    en = "'{occupation}' is outside the listed scope of the base. In scope: {scope}."


class BaseOnRecord(RuleBroken):
    """A base with this credit code is on record already."""

    code = "base_on_record"
    zh = "该统一社会信用代码的基地已登记。"
    en = "A base with this unified social credit code is already on record."


class AfterGoLive(RuleBroken):
    """Facts: ``go_live``."""

    code = "after_go_live"
    zh = "只有{go_live}之前已挂牌的基地可以补录，此后须按准入程序办理。"
    en = "Only bases listed before {go_live} are entered like this; later ones go through admission."


class PlaqueNumberTaken(RuleBroken):
    """Another listing has this plaque number."""

    code = "plaque_number_taken"
    zh = "这个牌匾编号已登记在另一条挂牌信息上，请核对。"
    en = "Another listing has this plaque number; please check."


class TradeTwice(FieldRefused):
    """The scope names a trade twice."""

    code = "trade_twice"
    zh = "培训范围中同一职业出现了两次，请只保留一条。"
    en = "The scope names an occupation twice; keep one."


class CityDecides(NotAllowed):
    """The county recommends, the city decides."""

    code = "city_decides"
    zh = "县（区）录入的挂牌信息须由市残联复核。"
    en = "What the county entered must be confirmed by a city officer."


class ListingOverlaps(RuleBroken):
    """Facts: ``valid_from``, ``valid_until``."""

    code = "listing_overlaps"
    zh = "与该基地已有的挂牌期（{valid_from}至{valid_until}）重叠，请核对。"
    en = "It overlaps a listing of this base ({valid_from} to {valid_until}); please check."


def require_in_scope(listing: Listing, edition: str, code: str, level: str, *, name: str = "") -> None:
    """:raises OccupationOutOfScope: the listing does not cover this occupation, of that name, at this level."""
    for entry in listing.scope:
        fits = (entry.edition, entry.code) == (edition, code) and rank(level) <= rank(entry.highest_level)
        if fits and name in ("", entry.name):
            return
    known = "、".join(f"{entry.name}（{entry.edition}年版 {entry.code}）" for entry in listing.scope)
    raise OccupationOutOfScope(occupation=f"{name} {code}".strip(), scope=known or "—")


def register_base(
    act: Act, *, name: str, public_name: str = "", uscc: str, kind: str, division_code: str
) -> Base:
    """Enter a base and its organisation.

    :raises FieldRefused: the credit code is no credit code, the kind is unknown, or the division
        lies outside the caller's.
    :raises ForbiddenWording: the public name, which certificates carry, holds a forbidden word.
    :raises BaseOnRecord: the credit code is taken.
    """
    checked = check_uscc(uscc)
    wrong = next((problem for problem in checked.problems if problem.is_error), None)
    if wrong is not None:
        raise FieldRefused(code=wrong.code, zh=wrong.sentence("zh"), en=wrong.sentence("en"), field="uscc")
    if kind not in BASE_KINDS:
        raise FieldRefused(field="kind")
    if not act.by.covers(division_code) or division_name(division_code) is None:
        raise FieldRefused(field="division_code")
    require_permitted_wording(act.policy, act.today, public_name=public_name or name)
    with database.atomic():
        if Base.select().where(Base.uscc == checked.text).exists():
            raise BaseOnRecord()
        base = Base.create(
            number=take("base")[0],
            organisation=register_organisation(name, "base", division_code),
            name=name,
            public_name=public_name or name,
            uscc=checked.text,
            kind=kind,
            division_code=division_code,
            created_at=act.at,
        )
        note(act, "base", base.id, "register")
    return base


def enter_listing(
    act: Act,
    base: Base,
    *,
    plaque_number: str,
    valid_from: date,
    valid_until: date,
    basis: str,
    scope: Sequence[Trade],
) -> Listing:
    """Enter a listing that was made on paper before go-live; it counts once another officer confirms it.

    :raises FieldRefused: the dates run backwards.
    :raises AfterGoLive: the listing began on or after the policy's go-live date.
    :raises ListingOverlaps: the base is listed in that period already.
    """
    if valid_until < valid_from:
        raise FieldRefused(field="valid_until")
    go_live = act.policy.rule("listing_on_paper", act.today)["go_live"]
    if valid_from >= go_live:
        raise AfterGoLive(go_live=go_live)
    with database.atomic():
        listing = _record(base, plaque_number, valid_from, valid_until, basis, scope, LISTING.first)
        begin(act, LISTING, listing, "enter")
    return listing


def admit(
    act: Act,
    base: Base,
    *,
    plaque_number: str,
    valid_from: date,
    valid_until: date,
    basis: str,
    scope: Sequence[Trade],
) -> Listing:
    """List a base as the outcome of an admission review; it counts at once.

    :raises ListingOverlaps: the base is listed in that period already.
    """
    with database.atomic():
        listing = _record(base, plaque_number, valid_from, valid_until, basis, scope, "confirmed")
        begin(act, LISTING, listing, "admit")
    return listing


def _record(
    base: Base, plaque_number: str, first: date, last: date, basis: str, scope: Sequence[Trade], status: str
) -> Listing:
    hold_base(base)
    _require_no_overlap(base, first, last)
    if Listing.select().where(Listing.plaque_number == plaque_number).exists():
        raise PlaqueNumberTaken()
    if len({(trade.edition, trade.code) for trade in scope}) < len(scope):
        raise TradeTwice(field="scope")
    listing = Listing.create(
        base=base,
        plaque_number=plaque_number,
        valid_from=first,
        valid_until=last,
        basis=basis,
        status=status,
    )
    for trade in scope:
        ScopeEntry.create(listing=listing, **vars(trade))
    return listing


def hold_base(base: Base) -> None:
    """Make transactions that decide about one base wait for each other; a first write on its row."""
    Base.update(number=Base.number).where(Base.id == base.id).execute()


def _require_no_overlap(
    base: Base, valid_from: date, valid_until: date, *, but: Listing | None = None
) -> None:
    other = (
        Listing.select()
        .where(
            (Listing.base == base) & (Listing.valid_from <= valid_until) & (Listing.valid_until >= valid_from)
        )
        .where(Listing.left_on.is_null() | (Listing.left_on > valid_from))
        .where(Listing.id != (but.id if but else None))
        .first()
    )
    if other is not None:
        raise ListingOverlaps(valid_from=other.valid_from, valid_until=other.valid_until)


def confirm_listing(act: Act, listing: Listing) -> Listing:
    """Confirm an entered listing; of the two officers one is the city's.

    :raises SeparationOfDuties: the caller is the person who entered it.
    :raises CityDecides: two county officers alone.
    :raises WrongState: it is not awaiting confirmation.
    """
    require_other_person(act, who_did(listing.id, "enter"))
    _require_city(act, listing)
    with database.atomic():
        move(act, LISTING, listing, "confirm")
    return listing


def _require_city(act: Act, listing: Listing) -> None:
    entered_by_city = any(
        step.by_role == "city_officer" for step in steps_of(listing.id) if step.action == "enter"
    )
    if act.by.role == "county_officer" and not entered_by_city:
        raise CityDecides()


def withdraw_entry(act: Act, listing: Listing, reason: str) -> None:
    """Take back a listing that was entered by mistake, before it is confirmed; its trace stays with the base.

    :raises WrongState: it is confirmed, and can only be ended.
    """
    if listing.status != LISTING.first:
        raise LISTING.refusal(listing.status, "confirm")
    told = {"plaque_number": listing.plaque_number, "listing": str(listing.id)}
    with database.atomic():
        ScopeEntry.delete().where(ScopeEntry.listing == listing.id).execute()
        gone = (
            Listing.delete().where((Listing.id == listing.id) & (Listing.status == LISTING.first)).execute()
        )
        if gone != 1:
            raise LISTING.refusal(Listing.get_by_id(listing.id).status, "confirm")
        note(act, "base", listing.base_id, "withdraw_listing_entry", reason=reason, detail=told)


def suspend_listing(act: Act, listing: Listing, reason: str) -> Listing:
    """Cover the plaque for a time (暂停挂牌); the restriction that goes with it says for which days.

    :raises WrongState: it is not in force.
    """
    move(act, LISTING, listing, "suspend", reason=reason)
    return listing


def resume_listing(act: Act, listing: Listing, reason: str) -> Listing:
    """Uncover the plaque again.

    :raises WrongState: it is not suspended.
    """
    move(act, LISTING, listing, "resume", reason=reason)
    return listing


def end_listing(act: Act, listing: Listing, on: date, reason: str) -> Listing:
    """End a listing; ``on`` is the first day off the list, after its last day when it simply expired.

    :raises WrongState: it is not in force.
    """
    with database.atomic():
        move(act, LISTING, listing, "end", reason=reason, detail={"left_on": on.isoformat()})
        if on <= listing.valid_until:
            listing.left_on = on
            listing.save(only=[Listing.left_on])
    return listing


def restore_listing(act: Act, listing: Listing, reason: str) -> Listing:
    """Undo the early end of a listing, as if it had never been, because the decision was overturned.

    :raises WrongState: it has not ended.
    :raises ListingOverlaps: the base has been listed anew in that period.
    """
    with database.atomic():
        move(act, LISTING, listing, "restore", reason=reason)
        hold_base(listing.base)
        back_from = max(listing.left_on or listing.valid_until, listing.valid_from)
        _require_no_overlap(listing.base, back_from, listing.valid_until, but=listing)
        listing.left_on = None
        listing.save(only=[Listing.left_on])
    return listing


def latest_listing(base: Base) -> Listing | None:
    """The listing entered last, whatever its state."""
    latest: Listing | None = base.listings.order_by(Listing.id.desc()).first()
    return latest
