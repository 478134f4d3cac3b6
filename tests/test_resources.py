"""The catalogue of online training: kept by city officers, open to everyone, its dead links told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from api import limits, links
from skills_registry import resources
from skills_registry.foundation.acts import Act
from skills_registry.foundation.errors import FieldRefused, NotAllowed, WrongState
from skills_registry.foundation.lifecycle import steps_of
from skills_registry.resources import (
    FAILURES,
    OUTCOMES,
    RESOURCE,
    Finding,
    LinkDead,
    LinkUnusable,
    Resource,
    ResourceChangedMeanwhile,
)
from tests.catalogue import INTO, checked, course, drafted, published, withdrawn
from tests.test_commands import Terminal
from tests.world import World, application

#: All that everyone may know of a resource.
PUBLIC = {
    "id",
    "title",
    "summary",
    "trade",
    "url",
    "provider",
    "language",
    "language_text",
    "access",
    "checked_on",
    "dead",
}

ACTS: dict[str, Callable[[Act, Resource], Any]] = {
    "publish": resources.publish,
    "withdraw": lambda act, resource: resources.withdraw(act, resource, "课程已下线"),
}
FORBIDDEN = [(s, a) for s in INTO for a in ACTS if RESOURCE.find(a, s) is None]


@pytest.fixture
def client(world: World) -> Iterator[FlaskClient]:
    app = application(world)
    limits.limiter.enabled = False
    with app.test_client() as made:
        yield made
    limits.limiter.enabled = True


def told(client: FlaskClient, query: str = "") -> Any:
    return client.get(f"/resources{query}", headers={"Accept": "application/json"}).get_json()


def titles(client: FlaskClient, query: str = "") -> list[str]:
    return [item["title"] for item in told(client, query)["items"]]


def ask(client: FlaskClient, world: World, name: str, method: str, path: str, **more: Any) -> Any:
    headers = {"Authorization": f"Bearer {world.key(name)}", **more.pop("headers", {})}
    return client.open(f"/api/v1/resources{path}", method=method, headers=headers, **more)


def body(**changes: Any) -> dict[str, Any]:
    return {**vars(course()), "access": ["captions"], **changes}


def stored(resource: Resource) -> dict[str, Any]:
    return dict(Resource.get_by_id(resource.id).__data__)


@pytest.mark.parametrize(("state", "action"), FORBIDDEN)
def test_every_move_outside_the_table_is_refused_and_changes_nothing(
    small_world: World, state: str, action: str
) -> None:
    resource = INTO[state](small_world)
    before = stored(resource)
    with pytest.raises(WrongState):
        ACTS[action](small_world.act("city_officer"), resource)
    assert stored(resource) == before


@pytest.mark.parametrize("name", ["base_clerk", "county_officer", "auditor", "admin"])
def test_only_city_officers_keep_the_catalogue(small_world: World, name: str) -> None:
    act = small_world.act(name)
    resource = drafted(small_world)
    with pytest.raises(NotAllowed):
        resources.draft(act, course())
    with pytest.raises(NotAllowed):
        resources.rewrite(act, resource, course(title="改"), version=1)
    for move in ACTS.values():
        with pytest.raises(NotAllowed):
            move(act, resource)
    assert stored(resource)["status"] == "draft" and Resource.select().count() == 1


UNUSABLE = [
    "javascript:alert(1)",
    "data:text/html,x",
    "ftp://learn.example.cn/",
    "//learn.example.cn/",
    "learn.example.cn",
    "https://",
    "https://localhost/",
    "http://127.0.0.1/",
    "http://10.0.0.1:8080/",
    "http://2130706433/",
    "http://[::1]/",
    "https://user@learn.example.cn/",
    "https://user:pass@learn.example.cn/",
    "https://learn.example.cn/a b",
    "https://learn.example.cn:99999/",
    "https://learn.example.cn/\"onclick='x'",
    "https://learn.example.cn/" + "x" * 500,
]


@pytest.mark.parametrize("url", UNUSABLE)
def test_a_link_is_the_address_of_a_named_public_site(small_world: World, url: str) -> None:
    with pytest.raises(LinkUnusable):
        drafted(small_world, url=url)
    assert Resource.select().count() == 0


@given(st.text(max_size=80))
def test_whatever_is_typed_as_a_link_is_taken_or_refused_and_never_breaks(text: str) -> None:
    try:
        resources.require_link(text)
    except LinkUnusable:
        return
    assert re.match(r"(?i)https?://[^@\s]+\.", text)


@pytest.mark.parametrize(
    "change", [{"language": "xx"}, {"access": ("smell",)}, {"title": " "}, {"provider": ""}]
)
def test_an_entry_that_makes_no_sense_is_refused(small_world: World, change: dict[str, Any]) -> None:
    with pytest.raises(FieldRefused):
        drafted(small_world, **change)
    assert Resource.select().count() == 0


def test_one_failure_may_be_the_weather_and_two_are_told(world: World) -> None:
    resource = published(world)
    policy, today = world.service.policy, date(2025, 2, 10)
    resource = checked(world, resource, "no_answer")
    assert not resources.is_dead(resource, policy, today) and resource.failing_since == today
    resource = checked(world.on(2025, 2, 17), resource, "untrusted")
    assert resources.is_dead(resource, policy, today)
    assert (resource.failures, resource.failing_since) == (2, today)
    resource = checked(world.on(2025, 2, 24), resource, "alive")
    assert (resource.failures, resource.failing_since, resource.http_status) == (0, None, 200)
    assert resources.checked_on(resource) == date(2025, 2, 24)


def test_a_page_that_is_gone_is_told_at_once(small_world: World) -> None:
    resource = checked(small_world, published(small_world), "gone")
    assert resources.is_dead(resource, small_world.service.policy, date(2025, 2, 10))


def test_a_site_that_turns_programs_away_is_not_called_dead(small_world: World) -> None:
    resource = checked(small_world, published(small_world), *["not_for_us"] * 5)
    assert not resources.is_dead(resource, small_world.service.policy, date(2025, 2, 10))


@given(st.lists(st.sampled_from(sorted(OUTCOMES)), max_size=8))
def test_failures_count_those_in_a_row_at_the_end(outcomes: list[str]) -> None:
    at_the_end = 0
    for outcome in reversed(outcomes):
        if outcome not in FAILURES:
            break
        at_the_end += 1
    counted = 0
    for outcome in outcomes:
        counted = resources.failures_after(counted, Finding(outcome))
    assert counted == at_the_end


def test_a_step_tells_of_a_change_and_not_of_every_check(small_world: World) -> None:
    resource = checked(small_world, published(small_world), "alive", "alive", "gone", "gone")
    steps = [step for step in steps_of(resource.id) if step.action == "check_link"]
    assert [(step.detail["from"], step.detail["to"]) for step in steps] == [("", "alive"), ("alive", "gone")]


def test_a_finding_about_an_earlier_link_is_not_kept(small_world: World) -> None:
    seen = published(small_world)
    resources.rewrite(
        small_world.act("city_officer"), seen, course(url="https://learn.example.cn/new"), version=1
    )
    kept = checked(small_world, seen, "gone")
    assert (kept.url, kept.outcome, kept.checked_at) == ("https://learn.example.cn/new", "", None)


def test_a_new_link_is_not_yet_checked_and_other_corrections_keep_the_finding(small_world: World) -> None:
    officer = small_world.act("city_officer")
    resource = checked(small_world, published(small_world), "gone")
    resource = resources.rewrite(officer, resource, course(title="按摩基础"), version=1)
    assert (resource.outcome, resource.failures) == ("gone", 1)
    resource = resources.rewrite(officer, resource, course(url="https://learn.example.cn/2"), version=2)
    assert (resource.outcome, resource.failures, resource.checked_at) == ("", 0, None)


def test_of_two_officers_who_correct_one_entry_the_second_learns_of_the_first(small_world: World) -> None:
    resource = published(small_world)
    resources.rewrite(small_world.act("city_officer"), resource, course(title="甲"), version=1)
    with pytest.raises(ResourceChangedMeanwhile) as refusal:
        resources.rewrite(small_world.act("second_city_officer"), resource, course(title="乙"), version=1)
    assert refusal.value.facts == {"version": 2} and stored(resource)["title"] == "甲"


def test_a_dead_link_is_not_published(small_world: World) -> None:
    resource = checked(small_world, withdrawn(small_world), "gone")
    with pytest.raises(LinkDead):
        resources.publish(small_world.act("city_officer"), resource)
    mended = resources.rewrite(
        small_world.act("city_officer"), resource, course(url="https://learn.example.cn/2"), version=1
    )
    assert resources.publish(small_world.act("city_officer"), mended).status == "published"


def test_withdrawn_links_are_not_checked_and_the_longest_unchecked_come_first(world: World) -> None:
    withdrawn(world, title="下架")
    for title in ("早", "晚", "从未"):
        published(world, title=title)
    for day, title in ((12, "晚"), (11, "早")):
        checked(world.on(2025, 2, day), Resource.get(Resource.title == title), "alive")
    assert [resource.title for resource in resources.to_check()] == ["从未", "早", "晚"]


def city_of_courses(world: World) -> None:
    published(world)
    published(
        world, title="藏语面点", language="bo", trade="中式面点师", access=("sign_language", "captions")
    )
    published(world, title="求职面试", trade="", access=())
    drafted(world, title="草稿")
    withdrawn(world, title="下架")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["保健按摩基础手法", "藏语面点", "求职面试"]),
        ("?trade=面点", ["藏语面点", "求职面试"]),
        ("?language=bo", ["藏语面点"]),
        ("?access=captions", ["保健按摩基础手法", "藏语面点"]),
        ("?access=captions&access=sign_language", ["藏语面点"]),
        ("?access=audio_description", []),
        ("?access=nonsense", ["保健按摩基础手法", "藏语面点", "求职面试"]),
        ("?trade=%25", ["求职面试"]),
        ("?language=xx", []),
        ("?after=nonsense&limit=x", ["保健按摩基础手法", "藏语面点", "求职面试"]),
    ],
)
def test_the_public_list_is_filtered_by_trade_language_and_accessibility(
    client: FlaskClient, world: World, query: str, expected: list[str]
) -> None:
    city_of_courses(world)
    assert titles(client, query) == expected


def test_everyone_is_told_what_they_need_and_no_more(client: FlaskClient, world: World) -> None:
    checked(world, published(world), "gone")
    item = told(client, "?lang=en")["items"][0]
    assert set(item) == PUBLIC
    assert item["access"] == [
        {"code": "captions", "text": "captions"},
        {"code": "text_version", "text": "text version"},
    ]
    assert (item["dead"], item["checked_on"]) == (True, "2025-02-10")
    page = client.get("/resources").get_data(as_text=True)
    assert "这个链接现在打不开" in page and 'href="https://learn.example.cn/massage/1"' in page


def test_pages_follow_each_other_without_a_gap_or_a_double(client: FlaskClient, world: World) -> None:
    for place in range(5):
        published(world, title=f"第{place}课")
    seen, query = [], "?limit=2"
    while query:
        answer = told(client, query)
        seen += [item["title"] for item in answer["items"]]
        query = f"?limit=2&after={answer['next']}" if answer["next"] else ""
    assert seen == [f"第{place}课" for place in range(5)]
    first = client.get("/resources?limit=2&access=captions&lang=en").get_data(as_text=True)
    assert re.search(r'href="/resources\?lang=en&amp;after=[0-9a-f-]{36}&amp;access=captions"', first)


def test_an_empty_list_says_what_to_do(client: FlaskClient, world: World) -> None:
    page = client.get("/resources").get_data(as_text=True)
    assert "现在还没有线上课程" in page and 'href="/projects?lang=zh"' in page
    published(world)
    page = client.get("/resources?language=bo").get_data(as_text=True)
    assert "请少选一个条件再试" in page and "查看全部课程" in page


def test_what_an_officer_types_is_shown_as_text(client: FlaskClient, world: World) -> None:
    published(world, title="<script>x</script>", summary='"><img src=x>', trade="<b>工</b>", provider="<i>")
    page = client.get("/resources").get_data(as_text=True)
    assert "<script" not in page and "<img" not in page and "<b>" not in page and "<i>" not in page


def test_an_officer_enters_publishes_corrects_and_withdraws(client: FlaskClient, world: World) -> None:
    made = ask(client, world, "city_officer", "POST", "", json=body())
    assert (made.status_code, made.headers["ETag"], made.json["status"]) == (201, '"1"', "draft")
    path = f"/{made.json['id']}"
    assert titles(client) == []
    assert ask(client, world, "city_officer", "POST", f"{path}/publication").json["status"] == "published"
    assert titles(client) == ["保健按摩基础手法"]
    changed = body(title="按摩入门")
    assert ask(client, world, "city_officer", "PUT", path, json=changed).status_code == 428
    for tag, status in (('"1"', 200), ('"1"', 412), ('"x"', 412)):
        answer = ask(client, world, "city_officer", "PUT", path, json=changed, headers={"If-Match": tag})
        assert answer.status_code == status
    why = {"reason": "课程已下线"}
    assert ask(client, world, "city_officer", "POST", f"{path}/withdrawal", json=why).status_code == 200
    assert titles(client) == []
    steps = ask(client, world, "auditor", "GET", path).json["steps"]
    assert [step["action"] for step in steps] == ["draft", "publish", "rewrite", "withdraw"]


def test_officers_find_the_dead_links_and_others_only_what_is_published(
    client: FlaskClient, world: World
) -> None:
    city_of_courses(world)
    checked(world, Resource.get(Resource.title == "藏语面点"), "gone")

    def listed(name: str, query: str = "") -> list[str]:
        return [item["title"] for item in ask(client, world, name, "GET", query).json["items"]]

    assert listed("city_officer", "?dead=true") == ["藏语面点"]
    assert "藏语面点" not in listed("city_officer", "?dead=false")
    assert listed("city_officer", "?status=draft") == ["草稿"]
    assert set(listed("city_officer")) == {"保健按摩基础手法", "藏语面点", "求职面试", "草稿", "下架"}
    for name in ("base_clerk", "county_officer"):
        assert set(listed(name)) == {"保健按摩基础手法", "藏语面点", "求职面试"}
    link = ask(client, world, "city_officer", "GET", "?dead=true").json["items"][0]["link"]
    assert (link["outcome"], link["http_status"], link["dead"]) == ("gone", 404, True)


@pytest.mark.parametrize(
    "change", [{"url": "javascript:alert(1)"}, {"language": "xx"}, {"access": ["smell"]}, {"title": ""}]
)
def test_a_body_that_does_not_fit_is_refused(
    client: FlaskClient, world: World, change: dict[str, Any]
) -> None:
    answer = ask(client, world, "city_officer", "POST", "", json=body(**change))
    assert answer.status_code == 422 and Resource.select().count() == 0


def test_the_command_keeps_what_it_found_with_its_day_and_names_what_to_look_at(
    small_world: World, tmp_path: Path
) -> None:
    nobody = published(small_world, url="http://nobody.invalid/course")
    inside = published(small_world, title="内网", url="http://localhost.localdomain/course")
    withdrawn(small_world, title="下架", url="http://nobody.invalid/old")
    told = Terminal(small_world, tmp_path).run("resources", "check-links", "--seconds", "5")
    assert "链接 links: 2   需处理 to look at: 2" in told
    assert f"{nobody.id}  没有响应 no answer" in told and str(inside.id) in told
    for resource in (nobody, inside):
        kept = Resource.get_by_id(resource.id)
        assert kept.outcome in ("no_answer", "private_address")
        assert kept.checked_at is not None and kept.failures == 1


def test_when_not_one_site_answers_the_fault_is_ours_and_no_link_is_called_dead(
    small_world: World, tmp_path: Path
) -> None:
    known = [published(small_world, url=f"http://nobody{place}.invalid/course") for place in range(3)]
    told = Terminal(small_world, tmp_path).run("resources", "check-links", "--seconds", "5", expect=1)
    assert "检查本机能否访问互联网" in told
    assert {(stored(resource)["outcome"], stored(resource)["failures"]) for resource in known} == {("", 0)}


@pytest.mark.parametrize(
    ("outcomes", "silent"),
    [
        (["no_answer", "no_answer", "no_answer"], True),
        (["no_answer", "no_answer"], False),
        (["no_answer", "no_answer", "alive"], False),
        (["no_answer", "no_answer", "gone"], False),
        ([], False),
    ],
)
def test_the_fault_is_ours_only_when_several_sites_are_silent_together(
    outcomes: list[str], silent: bool
) -> None:
    found = [
        (Resource(url=f"http://site{place}.example/"), Finding(outcome))
        for place, outcome in enumerate(outcomes)
    ]
    assert links.nobody_answers(found) is silent
