"""Plaques (挂牌证书): the paper that a listed base hangs up, recorded and signed as certificates are.

One plaque certificate stands for one listing. Its row keeps every printed text, so that a base's new
name never changes an old plaque: a wrong or lost one is withdrawn and another is issued. What a
plaque is worth is not kept with it: whoever scans it is told how the listing stands on that day.

Plaques take their numbers from the same series as certificates, so that a number means one paper.
"""

from __future__ import annotations

import os
from datetime import date
from typing import cast
from uuid import UUID

from peewee import CharField, DateField, ForeignKeyField, IntegerField, IntegrityError, TextField

from skills_registry.bases import BASE_KINDS, LISTING, Base, Listing, standing
from skills_registry.certification.certificates import RecordedCertificates
from skills_registry.certification.printed import PrintedPlaque
from skills_registry.certification.record import OnRecord, Status
from skills_registry.certification.statement import Signer, Statement, commitment
from skills_registry.foundation.acts import Act, Role, require_role
from skills_registry.foundation.errors import FieldRefused, RuleBroken
from skills_registry.foundation.identifiers import certificate_number, parse_certificate_number
from skills_registry.foundation.levels import LEVELS, level
from skills_registry.foundation.lifecycle import Lifecycle, Move, begin, latest_state, move
from skills_registry.foundation.privacy import Vault
from skills_registry.foundation.series import take
from skills_registry.foundation.storage import BytesField, InstantField, Record, database
from skills_registry.foundation.wording import Typeface, require_covered, require_permitted_wording

KIND = "base_plaque"
TEMPLATE = "base_plaque/1"

#: As many letters of trades as a plaque has room for; what is left out is read by scanning.
SCOPE_ROOM = 150

_CITY: frozenset[Role] = frozenset({"city_officer"})

PLAQUE = Lifecycle(
    noun="plaque",
    zh="挂牌证书",
    states={"valid": ("有效", "valid"), "revoked": ("已作废", "withdrawn")},
    moves=(Move("revoke", "valid", "revoked", _CITY),),
)


class Plaque(Record):
    """One plaque certificate, exactly as issued. ``statement_id`` are the 16 random bytes in its code."""

    statement_id = BytesField(unique=True)
    number = CharField(max_length=30, unique=True)
    division_code = CharField(max_length=6)
    year = IntegerField()
    serial = IntegerField()
    listing = ForeignKeyField(Listing, backref="plaques", on_delete="RESTRICT")
    base = ForeignKeyField(Base, backref="plaques", on_delete="RESTRICT")
    template = CharField(max_length=60)
    base_name = CharField(max_length=120)
    base_kind = CharField(max_length=60)
    plaque_number = CharField(max_length=40)
    scope = TextField()
    valid_from = DateField()
    issued_on = DateField()
    expires_on = DateField()
    issuer = CharField(max_length=120)
    registered_with = CharField(max_length=120)
    status_index = IntegerField(unique=True)
    statement = BytesField(unique=True)
    key_id = BytesField()
    signature = BytesField()
    status = CharField(max_length=20, default=PLAQUE.first)
    issued_at = InstantField()
    listing_id: UUID
    base_id: UUID

    class Meta:
        indexes = ((("division_code", "year", "serial"), True),)


# One plaque in force for a listing, held by the database itself.
Plaque.add_index(
    Plaque.index(Plaque.listing, unique=True, name="plaque_standing", where=(Plaque.status == "valid"))
)


class NoPlaqueForListing(RuleBroken):
    """Facts: ``state_zh``, ``state_en``."""

    code = "no_plaque_for_listing"
    zh = "只有生效的挂牌可以制作挂牌证书；这次挂牌的状态是“{state_zh}”。"
    en = "A plaque is made for a listing in force only; this one is '{state_en}'."


class ReasonMissing(RuleBroken):
    """Withdrawing a plaque needs a reason."""

    code = "reason_missing"
    zh = "请填写理由。"
    en = "Please give a reason."


def require_in_force(listing: Listing, on: date) -> None:
    """:raises NoPlaqueForListing: it is unconfirmed, not yet begun, suspended, ended or expired on that day."""
    begun, over = listing.valid_from <= on, listing.valid_until < on
    if listing.status != "confirmed" or over or not begun:
        state = LISTING.states[listing.status]
        if listing.status == "confirmed":
            state = standing.STANDINGS["expired" if over else "not_yet_listed"]
        raise NoPlaqueForListing(state_zh=state[0], state_en=state[1])


def issue(act: Act, listing: Listing, signer: Signer, uncovered: Typeface) -> Plaque:
    """Record and sign the plaque certificate of a listing; issued before, it answers the same one.

    :raises NotAllowed: the caller is no city officer.
    :raises NoPlaqueForListing: the listing is not in force today.
    :raises ForbiddenWording: a text holds a word that the policy forbids.
    :raises Undrawable: no installed font covers a character; the facts say which.
    """
    require_role(act, *_CITY)
    known = plaque_of(listing)
    if known is not None:
        return known
    require_in_force(listing, act.today)
    texts = _texts(act, listing)
    require_permitted_wording(act.policy, act.today, **texts)
    require_covered("".join(texts.values()), "挂牌证书的文字", uncovered)
    try:
        with database.atomic():
            return _record(act, listing, texts, signer)
    except IntegrityError:
        # The other click of a double click came first: its plaque is the answer.
        known = plaque_of(listing)
        if known is None:
            raise
        return known


def _texts(act: Act, listing: Listing) -> dict[str, str]:
    return {
        "base_name": listing.base.public_name,
        "base_kind": BASE_KINDS[listing.base.kind][0],
        "plaque_number": listing.plaque_number,
        "scope": scope_in_words(listing),
        "issuer": act.policy.city["issuer_name"],
        "registered_with": act.policy.city["registered_with"],
    }


def _record(act: Act, listing: Listing, texts: dict[str, str], signer: Signer) -> Plaque:
    serial = take(f"certificate/{act.by.division_code}/{act.today.year}")[0]
    plaque = Plaque(
        statement_id=os.urandom(16),
        number=certificate_number(act.by.division_code, act.today.year, serial),
        division_code=act.by.division_code,
        year=act.today.year,
        serial=serial,
        listing=listing,
        base=listing.base,
        template=TEMPLATE,
        valid_from=listing.valid_from,
        issued_on=act.today,
        expires_on=listing.valid_until,
        status_index=take("certificate_status")[0],
        key_id=signer.key_id,
        issued_at=act.at,
        **texts,
    )
    plaque.statement = derive(act.vault, plaque)
    plaque.signature = signer.sign(plaque.statement)
    plaque.save(force_insert=True)
    begin(act, PLAQUE, plaque, "issue", detail={"number": plaque.number})
    return plaque


def revoke(act: Act, plaque: Plaque, reason: str) -> Plaque:
    """Withdraw a plaque certificate that is wrong or lost; the listing stands, and a new one may be issued.

    :raises WrongState: it is withdrawn already.
    """
    if not reason.strip():
        raise ReasonMissing()
    move(act, PLAQUE, plaque, "revoke", reason=reason)
    return plaque


def plaque_of(listing: Listing) -> Plaque | None:
    """The plaque certificate in force for a listing, or None."""
    return Plaque.get_or_none((Plaque.listing == listing.id) & (Plaque.status == PLAQUE.first))


def find_by_number(number: str) -> Plaque | None:
    """The plaque certificate with this certificate number, however it was typed, or None."""
    parsed = parse_certificate_number(number)
    return Plaque.get_or_none(Plaque.number == str(parsed)) if parsed else None


def scope_in_words(listing: Listing) -> str:
    """The trades of a listing as a plaque prints them, cut to :data:`SCOPE_ROOM` with the count of all."""
    trades = [
        f"{entry.name}（{level(entry.highest_level).zh}{_and_below(entry.highest_level)}）"
        for entry in listing.scope.order_by("id")
    ]
    shown = trades[:1]
    for trade in trades[1:]:
        if len("、".join([*shown, trade])) > SCOPE_ROOM:
            break
        shown.append(trade)
    rest = f"等{len(trades)}个职业（工种）" if len(shown) < len(trades) else ""
    return "、".join(shown) + rest


def _and_below(highest: str) -> str:
    return "" if level(highest).rank == min(known.rank for known in LEVELS.values()) else "及以下"


def standing_of(listing: Listing, on: date) -> tuple[str, str]:
    """How one listing stands on a day, in Chinese and English; the base may stand better by a later one."""
    if listing.status == "entered":
        return ("待复核", "awaiting confirmation")
    if listing.left_on is not None and listing.left_on <= on:
        return standing.STANDINGS["ended"]
    if listing.valid_until < on:
        return standing.STANDINGS["expired"]
    if listing.valid_from > on:
        return standing.STANDINGS["not_yet_listed"]
    return standing.STANDINGS[standing.standing_on(listing.base, on).code]


def printed_of(plaque: Plaque) -> PrintedPlaque:
    """What stands on this plaque's paper, from its own columns."""
    columns = ("template", "number", "base_kind", "plaque_number", "scope", "issuer", "registered_with")
    days = ("valid_from", "issued_on", "expires_on")
    return PrintedPlaque(
        kind=KIND, name=plaque.base_name, **{column: getattr(plaque, column) for column in (*columns, *days)}
    )


def derive(vault: Vault, plaque: Plaque) -> bytes:
    """The statement that this row's columns make: what was signed, if nobody touched the row."""
    return Statement(
        key_id=plaque.key_id,
        id=plaque.statement_id,
        division=int(plaque.division_code),
        year=plaque.year,
        serial=plaque.serial,
        kind=KIND,
        issued_on=plaque.issued_on,
        expires_on=plaque.expires_on,
        base_number=plaque.base.number,
        occupation_edition="",
        occupation_code="",
        level="",
        class_hours=0,
        status_index=plaque.status_index,
        commitment=commitment(vault.commitment_key, plaque.statement_id, printed_of(plaque)),
    ).encode()


def _derived_or_none(vault: Vault, plaque: Plaque) -> bytes | None:
    # A status, or the listing itself, that was changed past the registry unmakes the plaque too.
    listing = plaque.listing
    if latest_state(plaque.id) != plaque.status or latest_state(listing.id) != listing.status:
        return None
    if (listing.valid_from, listing.valid_until) != (plaque.valid_from, plaque.expires_on):
        return None
    try:
        return derive(vault, plaque)
    except (FieldRefused, ValueError):
        return None


def _status(plaque: Plaque, on: date) -> str:
    if plaque.status != PLAQUE.first:
        return str(plaque.status)
    listing = plaque.listing
    if listing.left_on is not None and listing.left_on <= on:
        return "revoked"
    return "suspended" if standing_of(listing, on) == standing.STANDINGS["suspended"] else PLAQUE.first


class RecordedPapers:
    """The registry as a scanner's check sees it: certificates, and plaques as their listings stand today."""

    def __init__(self, act: Act) -> None:
        self._act = act
        self._certificates = RecordedCertificates(act)

    def find(self, statement_id: bytes) -> OnRecord | None:
        """What is on record for the paper with these 16 bytes, or None."""
        plaque = Plaque.get_or_none(Plaque.statement_id == statement_id)
        if plaque is None:
            return self._certificates.find(statement_id)
        return OnRecord(
            statement=plaque.statement,
            derived=_derived_or_none(self._act.vault, plaque),
            signature=plaque.signature,
            status=cast(Status, _status(plaque, self._act.today)),
            superseded_by=None,
            base_listed_at_start=standing.listing_covering(plaque.base_id, plaque.valid_from) is not None,
            base_left_on=standing.left_on(plaque.base_id, self._act.today),
        )
