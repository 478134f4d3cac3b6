"""Training projects through the interface, and as everyone sees them at /projects."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from api import limits
from skills_registry.foundation.storage import new_id
from skills_registry.training import project_planning
from skills_registry.training.projects import TrainingProject
from tests.planned import INTO, MASSAGE, announced, drafted, massage_plan, noticed
from tests.world import CITY, COUNTY, OTHER_COUNTY, World, application, massage_class

#: All that everyone may know of a project; the last two only of one project.
PUBLIC = {
    "id",
    "year",
    "title",
    "training_type",
    "training_type_text",
    "funding_source",
    "funding_source_text",
    "target_group",
    "planned_people",
    "planned_hours",
    "budget",
    "counties",
    "trades",
    "status",
    "status_text",
    "announced_on",
    "notice_url",
    "url",
}


@pytest.fixture
def client(small_world: World) -> Iterator[FlaskClient]:
    app = application(small_world)
    limits.limiter.enabled = False
    with app.test_client() as made:
        yield made
    limits.limiter.enabled = True


def ask(client: FlaskClient, world: World, name: str, method: str, path: str, **more: Any) -> Any:
    headers = {"Authorization": f"Bearer {world.key(name)}", **more.pop("headers", {})}
    return client.open(f"/api/v1{path}", method=method, headers=headers, **more)


def body(world: World, **changes: Any) -> dict[str, Any]:
    plan = {name: value for name, value in vars(massage_plan(world)).items() if name != "bases"}
    return {**plan, "base_ids": [str(world.base.id)], **changes}


def told(client: FlaskClient, path: str = "/projects") -> Any:
    return client.get(path, headers={"Accept": "application/json"}).get_json()


def titles(client: FlaskClient, query: str = "") -> list[str]:
    return [item["title"] for item in told(client, f"/projects{query}")["items"]]


def test_a_project_goes_from_draft_through_notice_and_objection_to_announcement(
    client: FlaskClient, small_world: World
) -> None:
    made = ask(client, small_world, "county_officer", "POST", "/projects", json=body(small_world))
    assert (made.status_code, made.headers["ETag"], made.json["division_code"]) == (201, '"1"', COUNTY)
    path = f"/projects/{made.json['id']}"
    assert client.get(path).status_code == 404
    notice = ask(client, small_world, "county_officer", "POST", f"{path}/notice", json={})
    assert (notice.status_code, notice.json["closes_on"]) == (201, "2025-02-17")
    assert told(client, path)["notice_url"] == notice.json["url"]
    objected = client.post(f"{notice.json['url']}/objections", json={"text": "预算过高", "contact": "某某"})
    small_world.on(2025, 2, 18)
    early = ask(client, small_world, "city_officer", "POST", f"{path}/announcement")
    assert (early.status_code, early.json["code"]) == (409, "objections_unanswered")
    answer = {"text": "依据见附件", "upheld": False}
    answered = f"/objections/{objected.json['id']}/answer"
    assert ask(client, small_world, "county_officer", "POST", answered, json=answer).status_code == 200
    done = ask(client, small_world, "city_officer", "POST", f"{path}/announcement").json
    assert (done["status"], done["announced_on"], done["progress"]["classes"]) == (
        "announced",
        "2025-02-18",
        0,
    )
    assert [step["action"] for step in done["steps"]] == ["draft", "publish", "announce"]
    shown = client.get(path).get_data(as_text=True)
    assert "项目进度" in shown and small_world.base.public_name in shown and "180,000元" in shown


def test_a_class_is_filed_under_a_project_and_counted_on_its_page(
    client: FlaskClient, small_world: World
) -> None:
    project = announced(small_world)
    filing = {name: value for name, value in vars(massage_class()).items() if value and name != "project"}
    filing |= {"starts_on": "2025-03-10", "ends_on": "2025-04-11", "project_id": str(project.id)}
    made = ask(client, small_world, "base_clerk", "POST", "/classes", json=filing)
    assert (made.status_code, made.json["project_id"]) == (201, str(project.id))
    progress = told(client, f"/projects/{project.id}")["progress"]
    assert (progress["classes"], progress["places"], progress["enrolled"]) == (1, 30, 0)
    other = ask(
        client, small_world, "base_clerk", "POST", "/classes", json=filing | {"project_id": str(new_id())}
    )
    assert other.status_code == 422
    misfit = filing | {"training_type": "skill_upgrading"}
    refused = ask(client, small_world, "base_clerk", "POST", "/classes", json=misfit)
    assert (refused.status_code, refused.json["code"]) == (409, "not_in_project")


def test_a_class_without_a_project_is_filed_as_before(client: FlaskClient, small_world: World) -> None:
    assert small_world.filed_class().project is None
    listed = ask(client, small_world, "base_clerk", "GET", "/classes").json["items"]
    assert [item["project_id"] for item in listed] == [None]


def test_a_draft_is_changed_by_who_read_its_version(client: FlaskClient, small_world: World) -> None:
    project = drafted(small_world)
    path, changed = f"/projects/{project.id}", body(small_world, planned_people=90)
    officer = "county_officer"
    assert ask(client, small_world, officer, "PUT", path, json=changed).status_code == 428
    read = ask(client, small_world, officer, "GET", path)
    seen = {"If-Match": read.headers["ETag"]}
    first = ask(client, small_world, officer, "PUT", path, json=changed, headers=seen)
    assert (first.status_code, first.headers["ETag"], first.json["planned_people"]) == (200, '"2"', 90)
    assert ask(client, small_world, officer, "PUT", path, json=changed, headers=seen).status_code == 412


def test_a_project_names_only_bases_of_the_officers_own_division(
    client: FlaskClient, small_world: World
) -> None:
    elsewhere = small_world.listed_base("民和县明眸按摩学校", 2, division=OTHER_COUNTY)
    sentences = set()
    for base_id in (str(elsewhere.id), str(new_id())):
        answer = ask(
            client,
            small_world,
            "county_officer",
            "POST",
            "/projects",
            json=body(small_world, base_ids=[base_id]),
        )
        assert answer.status_code == 422
        sentences.add(answer.json["detail"])
    assert len(sentences) == 1 and TrainingProject.select().count() == 0


@pytest.mark.parametrize(
    "change",
    [
        {"budget": -1},
        {"budget": "很多"},
        {"counties": []},
        {"base_ids": []},
        {"trades": [{**MASSAGE, "level": "level9"}]},
        {"surprise": 1},
        {"title": "两\n行"},
    ],
    ids=str,
)
def test_a_body_that_does_not_fit_is_refused(
    client: FlaskClient, small_world: World, change: dict[str, Any]
) -> None:
    answer = ask(client, small_world, "county_officer", "POST", "/projects", json=body(small_world, **change))
    assert answer.status_code == 422 and TrainingProject.select().count() == 0


def test_each_sees_the_projects_that_are_their_business(client: FlaskClient, small_world: World) -> None:
    for state, into in INTO.items():
        into(small_world.on(2025, 2, 10), title=state)
    city_wide = massage_plan(small_world, title="全市", counties=[COUNTY, OTHER_COUNTY])
    project_planning.draft(small_world.act("city_officer"), city_wide)
    sibling = small_world.listed_base("乐都区邻家学校", 2)
    small_world.hire("sibling_clerk", sibling.organisation, "base_clerk")

    def listed(name: str) -> set[str]:
        return {item["title"] for item in ask(client, small_world, name, "GET", "/projects").json["items"]}

    everything = set(INTO)
    assert listed("city_officer") == listed("auditor") == everything | {"全市"}
    assert listed("county_officer") == everything
    assert listed("base_clerk") == everything - {"draft"}
    assert listed("other_county_officer") == listed("sibling_clerk") == set()


def test_the_citys_project_is_read_in_its_counties_and_changed_by_the_city_only(
    client: FlaskClient, small_world: World
) -> None:
    plan = massage_plan(small_world, counties=[COUNTY, OTHER_COUNTY])
    project = project_planning.draft(small_world.act("second_city_officer"), plan)
    path, county = f"/projects/{project.id}", "other_county_officer"
    assert project.division_code == CITY
    assert ask(client, small_world, county, "GET", path).status_code == 404
    assert ask(client, small_world, "city_officer", "POST", f"{path}/notice", json={}).status_code == 201
    assert ask(client, small_world, county, "GET", path).status_code == 200
    why = {"reason": "不办了"}
    assert ask(client, small_world, county, "POST", f"{path}/withdrawal", json=why).status_code == 403


def city_of_projects(world: World) -> None:
    announced(world)
    course = {"training_type": "practical_technology", "trades": []}
    announced(world, title="牛羊养殖", year=2026, **course)
    noticed(world, title="按摩提升", training_type="skill_upgrading")
    drafted(world, title="草拟")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["按摩提升", "牛羊养殖", "2025年保健按摩技能培训"]),
        ("?year=2026", ["牛羊养殖"]),
        ("?trade=按摩", ["按摩提升", "2025年保健按摩技能培训"]),
        ("?training_type=skill_upgrading", ["按摩提升"]),
        (f"?county={COUNTY}&year=2025", ["按摩提升", "2025年保健按摩技能培训"]),
        (f"?county={OTHER_COUNTY}", []),
        ("?year=nonsense", []),
        ("?year=²", []),
        ("?training_type=dancing&after=x&limit=y", []),
        ("?limit=1", ["按摩提升"]),
    ],
)
def test_the_public_list_is_filtered_by_year_county_trade_and_type(
    client: FlaskClient, small_world: World, query: str, expected: list[str]
) -> None:
    city_of_projects(small_world)
    assert titles(client, query) == expected


def test_everyone_is_told_what_they_may_know_and_nothing_else(
    client: FlaskClient, small_world: World
) -> None:
    project = announced(small_world)
    assert set(told(client)["items"][0]) == PUBLIC
    whole = told(client, f"/projects/{project.id}?lang=en")
    assert set(whole) == PUBLIC | {"bases", "progress"}
    assert whole["bases"] == [
        {"number": 1, "name": small_world.base.public_name, "url": "/bases/1"},
    ]
    assert (whole["training_type_text"], whole["status_text"]) == ("employment-skills training", "announced")


def test_what_is_not_public_answers_as_what_is_not_there(client: FlaskClient, small_world: World) -> None:
    project = noticed(small_world)
    assert client.get(f"/projects/{project.id}").status_code == 200
    project_planning.mend(small_world.act("county_officer"), project, "更正")
    hidden = client.get(f"/projects/{project.id}", headers={"Accept": "application/json"})
    unknown = client.get(f"/projects/{new_id()}", headers={"Accept": "application/json"})
    nonsense = client.get("/projects/nonsense", headers={"Accept": "application/json"})
    assert hidden.status_code == 404
    assert hidden.get_json() == unknown.get_json() == nonsense.get_json()


def test_a_withdrawn_project_is_found_by_its_address_and_says_so(
    client: FlaskClient, small_world: World
) -> None:
    project = INTO["withdrawn"](small_world)
    assert titles(client) == []
    assert "这个项目已撤销" in client.get(f"/projects/{project.id}").get_data(as_text=True)


def test_pages_follow_each_other_without_a_gap_or_a_double(client: FlaskClient, small_world: World) -> None:
    for place in range(5):
        noticed(small_world, title=f"第{place}项")
    seen, query = [], "?limit=2"
    while query:
        answer = told(client, f"/projects{query}")
        seen += [item["title"] for item in answer["items"]]
        query = f"?limit=2&after={answer['next']}" if answer["next"] else ""
    assert seen == [f"第{place}项" for place in (4, 3, 2, 1, 0)]
    page = client.get("/projects?limit=2&year=2025&lang=en").get_data(as_text=True)
    assert re.search(r'href="/projects\?lang=en&amp;after=[0-9a-f-]{36}&amp;year=2025"', page)
    assert "Projects found: 5" in page


def test_an_empty_list_says_what_to_do(client: FlaskClient, small_world: World) -> None:
    page = client.get("/projects").get_data(as_text=True)
    assert "现在还没有公示或公布的项目" in page and 'href="/resources?lang=zh"' in page
    announced(small_world)
    page = client.get("/projects?trade=无").get_data(as_text=True)
    assert "请少选一个条件再试" in page and "查看全部项目" in page


def test_what_an_officer_types_is_shown_as_text(client: FlaskClient, small_world: World) -> None:
    project = announced(small_world, title="<script>x</script>", target_group='"><img src=x>')
    for path in ("/projects", f"/projects/{project.id}", f"/notices/{project.notice_id}"):
        page = client.get(path).get_data(as_text=True)
        assert "<script" not in page and "<img" not in page


def test_the_notice_of_a_project_stays_readable_after_its_last_day(
    client: FlaskClient, small_world: World
) -> None:
    project = announced(small_world)
    shown = told(client, f"/notices/{project.notice_id}")
    assert shown["phase"] == "closed" and "计划人数：60人" in shown["text"]
