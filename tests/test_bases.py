"""The rules of bases: who is listed on which day, and who may say so."""

from __future__ import annotations

from datetime import date
from threading import Barrier, Thread

import pytest

from api.demo_people import credit_code
from skills_registry import bases
from skills_registry.bases import AfterGoLive, Base, BaseOnRecord, ListingOverlaps, NotListed
from skills_registry.foundation.errors import FieldRefused, NotAllowed, SeparationOfDuties, WrongState
from skills_registry.foundation.storage import database
from skills_registry.foundation.wording import ForbiddenWording
from tests.world import COUNTY, MASSAGE, World


def entered(world: World, base: Base, number: str = "纸-1", **changes: object) -> bases.Listing:
    usual = {"valid_from": date(2025, 1, 1), "valid_until": date(2025, 12, 31)}
    return bases.enter_listing(
        world.act("county_officer"),
        base,
        plaque_number=number,
        basis="纸质文件",
        scope=[MASSAGE],
        **usual | changes,
    )


def registered(world: World, number: int = 9, **changes: str) -> Base:
    usual = {
        "name": "乐都区春晖学校",
        "uscc": credit_code(COUNTY, number),
        "kind": "training",
        "division_code": COUNTY,
    }
    return bases.register_base(world.act("county_officer"), **usual | changes)


def test_a_listing_counts_only_after_a_second_officer_confirmed_it(world: World) -> None:
    base = registered(world)
    listing = entered(world, base)
    with pytest.raises(NotListed):
        bases.require_listed(base, date(2025, 6, 1))
    bases.confirm_listing(world.act("city_officer"), listing)
    assert bases.require_listed(base, date(2025, 6, 1)) == listing


def test_the_person_who_entered_a_listing_cannot_confirm_it_under_another_account(world: World) -> None:
    county = world.accounts["county_officer"].operator
    world.hire("same_person", world.accounts["city_officer"].organisation, "city_officer", operator=county)
    listing = entered(world, registered(world))
    with pytest.raises(SeparationOfDuties):
        bases.confirm_listing(world.act("same_person"), listing)
    assert bases.Listing.get_by_id(listing.id).status == "entered"


def test_of_the_two_officers_who_list_a_base_one_is_the_citys(world: World) -> None:
    world.hire("second_county", world.accounts["county_officer"].organisation, "county_officer")
    listing = entered(world, registered(world))
    for name in ("second_county", "auditor", "admin"):
        with pytest.raises(NotAllowed):
            bases.confirm_listing(world.act(name), listing)
    assert bases.confirm_listing(world.act("city_officer"), listing).status == "confirmed"
    by_city = bases.enter_listing(
        world.act("city_officer"),
        registered(world, 10),
        plaque_number="纸-9",
        valid_from=date(2025, 1, 1),
        valid_until=date(2025, 12, 31),
        basis="纸质文件",
        scope=[MASSAGE],
    )
    assert bases.confirm_listing(world.act("county_officer"), by_city).status == "confirmed"


def test_a_confirmed_listing_is_not_confirmed_again(world: World) -> None:
    listing = entered(world, registered(world))
    bases.confirm_listing(world.act("city_officer"), listing)
    with pytest.raises(WrongState):
        bases.confirm_listing(world.act("second_city_officer"), listing)


@pytest.mark.parametrize(
    ("day", "listed"),
    [
        (date(2024, 12, 31), False),
        (date(2025, 1, 1), True),
        (date(2025, 12, 31), True),
        (date(2026, 1, 1), False),
    ],
)
def test_first_and_last_day_of_a_listing_count(small_world: World, day: date, listed: bool) -> None:
    base = registered(small_world)
    bases.confirm_listing(small_world.act("city_officer"), entered(small_world, base))
    assert (bases.listing_on(base.id, day) is not None) is listed


def test_a_base_left_the_list_on_the_day_after_its_last(small_world: World) -> None:
    base = registered(small_world)
    bases.confirm_listing(small_world.act("city_officer"), entered(small_world, base))
    assert bases.left_on(base.id, date(2025, 12, 31)) is None
    assert bases.left_on(base.id, date(2026, 2, 1)) == date(2026, 1, 1)


def test_only_a_base_listed_before_go_live_is_entered_from_paper(small_world: World) -> None:
    base = registered(small_world)
    with pytest.raises(AfterGoLive):
        entered(small_world, base, valid_from=date(2026, 1, 1), valid_until=date(2026, 12, 31))
    assert not base.listings.exists()


def test_two_listings_of_one_base_do_not_overlap(world: World) -> None:
    base = registered(world)
    entered(world, base)
    with pytest.raises(ListingOverlaps):
        entered(world, base, "纸-2", valid_from=date(2025, 6, 1), valid_until=date(2026, 6, 1))


def test_parallel_entries_of_one_base_leave_one_listing(world: World) -> None:
    base = registered(world)
    start, outcomes = Barrier(6), []

    def enter(number: int) -> None:
        start.wait()
        with database.connection_context():
            try:
                entered(world, Base.get_by_id(base.id), f"纸-{number}")
                outcomes.append("entered")
            except ListingOverlaps:
                outcomes.append("overlaps")

    threads = [Thread(target=enter, args=(number,)) for number in range(6)]
    database.close()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    database.connect(reuse_if_open=True)
    assert sorted(outcomes) == ["entered"] + ["overlaps"] * 5


def test_a_credit_code_belongs_to_one_base(world: World) -> None:
    registered(world)
    with pytest.raises(BaseOnRecord):
        registered(world, name="另一家")


def test_a_wrong_credit_code_is_refused_with_its_reason(small_world: World) -> None:
    code = credit_code(COUNTY, 9)
    wrong = code[:-1] + ("0" if code[-1] != "0" else "1")
    with pytest.raises(FieldRefused) as refusal:
        registered(small_world, uscc=wrong)
    assert refusal.value.own_code == "uscc_checksum"


def test_a_county_enters_no_base_of_another_county(small_world: World) -> None:
    with pytest.raises(FieldRefused):
        registered(small_world, division_code="630222")


def test_a_public_name_never_outs_the_holders_of_its_certificates(small_world: World) -> None:
    with pytest.raises(ForbiddenWording):
        registered(small_world, name="乐都区残疾人培训中心")
    base = registered(small_world, name="乐都区残疾人培训中心", public_name="乐都区春晖培训中心")
    assert base.public_name == "乐都区春晖培训中心"
