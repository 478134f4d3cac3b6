"""The public directory: who is on the list today, told to everyone, and nothing more than that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient

from api import limits
from skills_registry import bases, history
from skills_registry.bases import Base, ScopeEntry, directory, standing
from skills_registry.foundation.storage import new_id
from tests import admission
from tests.world import OTHER_COUNTY, World, application

#: All that the directory may say of a base.
PUBLIC = {
    "number",
    "name",
    "kind",
    "kind_text",
    "division_code",
    "county",
    "standing",
    "standing_text",
    "plaque_number",
    "valid_from",
    "valid_until",
    "left_on",
    "scope",
    "url",
}


@pytest.fixture
def client(world: World) -> Iterator[FlaskClient]:
    """A service whose clock stands with the world's, over a city with four bases."""
    massage = world.listed_base("民和县明眸按摩实训基地", 2, division=OTHER_COUNTY)
    Base.update(kind="blind_massage_practice").where(Base.id == massage.id).execute()
    pastry = world.listed_base("乐都区面点职业培训学校", 3)
    ScopeEntry.update(code="4-03-02-02", name="中式面点师").where(
        ScopeEntry.listing == bases.latest_listing(pastry)
    ).execute()
    world.listed_base("乐都区尚未挂牌学校", 4, valid_from=date(2025, 12, 1))
    app = application(world)
    limits.limiter.enabled = False
    with app.test_client() as made:
        yield made
    limits.limiter.enabled = True


def told(client: FlaskClient, path: str = "/bases") -> Any:
    return client.get(path, headers={"Accept": "application/json"}).get_json()


def names(client: FlaskClient, query: str = "") -> list[str]:
    return [item["name"] for item in told(client, f"/bases{query}")["items"]]


def test_everyone_sees_the_bases_on_the_list_today_and_no_others(client: FlaskClient) -> None:
    assert names(client) == ["乐都区晨曦职业培训学校", "民和县明眸按摩实训基地", "乐都区面点职业培训学校"]


def test_the_directory_says_what_the_public_may_know_and_nothing_else(
    client: FlaskClient, world: World
) -> None:
    item = told(client)["items"][0]
    assert set(item) == PUBLIC
    assert told(client, "/bases/1") == item
    page = client.get("/bases/1").get_data(as_text=True)
    assert world.base.uscc not in page and "纸质文件" not in page and str(world.base.id) not in page


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (f"?county={OTHER_COUNTY}", ["民和县明眸按摩实训基地"]),
        ("?kind=blind_massage_practice", ["民和县明眸按摩实训基地"]),
        ("?trade=中式面点师", ["乐都区面点职业培训学校"]),
        ("?trade=面点", ["乐都区面点职业培训学校"]),
        ("?county=630202&trade=保健按摩师", ["乐都区晨曦职业培训学校"]),
        ("?county=&trade=&kind=training", ["乐都区晨曦职业培训学校", "乐都区面点职业培训学校"]),
        ("?trade=%25", []),
        ("?county=630225", []),
        ("?kind=nonsense&after=x&limit=y", []),
    ],
)
def test_the_list_is_filtered_by_county_trade_and_kind(
    client: FlaskClient, query: str, expected: list[str]
) -> None:
    assert names(client, query) == expected


def test_pages_follow_each_other_without_a_gap_or_a_double(client: FlaskClient) -> None:
    first = told(client, "/bases?limit=2")
    assert [item["number"] for item in first["items"]] == [1, 2] and first["next"] == 2
    second = told(client, f"/bases?limit=2&after={first['next']}")
    assert [item["number"] for item in second["items"]] == [3] and second["next"] is None
    page = client.get("/bases?limit=2&county=&lang=en").get_data(as_text=True)
    assert re.search(r'href="/bases\?lang=en&amp;after=2"', page)


def test_a_list_that_holds_nothing_says_what_to_do(client: FlaskClient) -> None:
    page = client.get("/bases?county=630225").get_data(as_text=True)
    assert "现在没有符合这些条件的挂牌基地。请少选一个条件再试。" in page
    assert 'href="/bases?lang=zh"' in page


def test_what_was_chosen_stays_chosen_also_in_the_other_language(client: FlaskClient) -> None:
    page = client.get(f"/bases?county={OTHER_COUNTY}&trade=保健按摩师").get_data(as_text=True)
    assert f'<option value="{OTHER_COUNTY}" selected' in page
    assert re.search(rf'href="/bases\?county={OTHER_COUNTY}&amp;trade=[%0-9A-F]+&amp;lang=en"', page)


def test_what_somebody_types_into_the_address_is_shown_as_text_only(client: FlaskClient) -> None:
    page = client.get("/bases?trade=<script>alert(1)</script>&county=%22%3E%3Cb%3E").get_data(as_text=True)
    assert "<script" not in page and "<b>" not in page


def test_a_base_that_left_is_found_by_its_number_with_the_day_and_is_offered_no_more(
    client: FlaskClient, world: World
) -> None:
    listing = bases.latest_listing(world.base)
    assert listing is not None
    world.on(2025, 6, 10)
    bases.end_listing(world.act("city_officer"), listing, date(2025, 6, 10), "出租出借培训资质")
    assert "乐都区晨曦职业培训学校" not in names(client)
    gone = told(client, "/bases/1")
    assert (gone["standing"], gone["left_on"]) == ("ended", "2025-06-10")
    page = client.get("/bases/1").get_data(as_text=True)
    assert "2025年6月10日" in page and "它挂牌期间发出的证书不受影响" in page
    assert "出租出借" not in page


def test_the_standing_is_that_of_the_day(client: FlaskClient, world: World) -> None:
    def restrict(kind: str) -> None:
        act = world.act("city_officer")
        standing.restrict(
            act, world.base, kind, starts_on=act.today, ends_on=None, cause="x", cause_id=new_id()
        )

    restrict("no_new_classes")
    assert told(client, "/bases/1")["standing"] == "listed_no_new_classes"
    assert "暂停新开班" in client.get("/bases").get_data(as_text=True)
    restrict("suspended")
    assert told(client, "/bases/1")["standing"] == "suspended"
    assert "乐都区晨曦职业培训学校" in names(client)
    world.on(2028, 1, 1)
    assert told(client, "/bases/1")["standing"] == "expired"
    assert told(client, "/bases/1")["left_on"] == "2028-01-01"


def test_a_listing_to_come_is_told_and_a_base_never_listed_is_not_known(
    client: FlaskClient, world: World
) -> None:
    assert told(client, "/bases/4")["standing"] == "not_yet_listed"
    bases.register_base(
        world.act("city_officer"),
        name="平安区新办学校",
        uscc=admission.credit_code("630203", 8),
        kind="training",
        division_code="630203",
    )
    for number in (5, 99, 2**24, 10**30):
        answer = client.get(f"/bases/{number}", headers={"Accept": "application/json"})
        assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")


def test_the_same_in_english(client: FlaskClient) -> None:
    page = client.get("/bases?lang=en").get_data(as_text=True)
    assert "Listed bases" in page and "Bases found: 3" in page
    assert '<span lang="zh-CN">民和县明眸按摩实训基地</span>' in page
    assert told(client, "/bases/1?lang=en")["standing_text"] == "listed"


def test_an_entry_is_none_for_a_base_that_was_only_entered(world: World) -> None:
    listing = bases.latest_listing(world.base)
    assert listing is not None
    type(listing).update(status="entered").execute()
    assert directory.entry(world.base, date(2025, 2, 10)) is None
    assert list(directory.listed_bases(date(2025, 2, 10))) == []


def test_the_history_of_a_base_holds_its_admission_its_notice_and_what_was_objected(world: World) -> None:
    application = admission.reviewed(world)
    admission.publish(world, application)
    admission.object_to(world, admission.again(application))
    steps = [(step.noun, step.action) for step in history.history_of(application.base)]
    order = [("application", "apply"), ("application", "submit"), ("application", "publish")]
    assert [step for step in steps if step in order] == order
    assert ("notice", "publish") in steps and ("objection", "object") in steps
    assert not any(noun == "seat" for noun, _ in steps)
    others = {step.record_id for step in history.history_of(world.base)}
    assert not others & set(history.records_of(application.base))
