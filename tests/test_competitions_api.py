"""Competitions over the wire: the journey from a draft to an award in hand, whose business what is, and the public page."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pikepdf
import pytest
from flask.testing import FlaskClient

from api import limits
from skills_registry.competitions import contests, entries, results
from skills_registry.competitions.contests import Competition, CompetitionEvent
from skills_registry.foundation.policy import HAIDONG
from tests import competing
from tests.world import COUNTY, OTHER_COUNTY, World, application

COMPETITION = {
    "kind": "skills_competition",
    "title": "海东市第三届残疾人职业技能竞赛",
    "public_title": "2025年海东市职业技能竞赛",
    "place": "乐都区职业技术学校",
    "funding_source": "disability_security_fund",
    "entries_until": "2025-02-20",
    "eligible_on": "2025-03-01",
    "starts_on": "2025-03-01",
    "ends_on": "2025-03-02",
}


def served(world: World, **settings: Any) -> Iterator[FlaskClient]:
    app = application(world, **settings)
    limits.limiter.enabled = False
    with app.test_client() as made:
        yield made
    limits.limiter.enabled = True


@pytest.fixture
def client(small_world: World) -> Iterator[FlaskClient]:
    yield from served(small_world)


class Desk:
    """An account at its desk: asks, and expects an answer."""

    def __init__(self, client: FlaskClient, world: World, account: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {world.key(account)}"}

    def post(self, path: str, body: dict[str, Any] | None = None, *, status: int = 200) -> Any:
        answer = self._client.post(f"/api/v1{path}", json=body or {}, headers=self._headers)
        assert answer.status_code == status, answer.get_data(as_text=True)
        return answer.get_json()

    def get(self, path: str, *, status: int = 200) -> Any:
        answer = self._client.get(f"/api/v1{path}", headers=self._headers)
        assert answer.status_code == status, answer.get_data(as_text=True)
        return answer.get_json(silent=True) or answer.get_data()


def entrant(place: int, **changes: Any) -> dict[str, Any]:
    card = competing.citizen_id(place)
    return {
        "name": competing.NAMES[place],
        "citizen_id": card,
        "disability_card": f"{card}43",
        "card_issued_on": "2020-01-01",
        "team": f"第{place + 1}代表队",
        "team_division": COUNTY,
        **changes,
    }


def test_from_a_draft_to_the_award_in_hand(client: FlaskClient, small_world: World) -> None:
    city, county = Desk(client, small_world, "city_officer"), Desk(client, small_world, "county_officer")
    second = Desk(client, small_world, "second_city_officer")
    made = city.post("/competitions", COMPETITION, status=201)
    assert (made["status"], made["organiser"]) == ("draft", "海东市技能培训登记平台")
    where = f"/competitions/{made['id']}"
    event = city.post(f"{where}/events", {"subject": "中式面点制作"}, status=201)
    city.post(f"{where}/opening")
    event_path = f"/competition-events/{event['id']}"
    entered = [
        (county if place < 2 else city).post(f"{event_path}/entries", entrant(place), status=201)
        for place in range(4)
    ]
    assert city.post(f"{where}/closing", status=409)["code"] == "competition_not_yet"
    small_world.on(2025, 3, 1)
    assert city.post(f"{where}/closing")["events"][0]["entrants"] == 4
    for entry, points in zip(entered, ("90", "80.5", "70", "60"), strict=True):
        city.post(f"/competition-entries/{entry['id']}/score", {"outcome": "finished", "score": points})
    assert county.post(f"{event_path}/proposal", status=403)["code"] == "not_the_organiser"
    city.post(f"{event_path}/proposal")
    assert city.post(f"{event_path}/confirmation", status=403)["code"] == "separation_of_duties"
    confirmed = second.post(f"{event_path}/confirmation")
    assert [award["prize"] for award in confirmed["certificates"]] == ["第一名", "第二名"]
    assert city.post(f"{where}/conclusion")["status"] == "concluded"

    number = confirmed["certificates"][0]["number"]
    shown = county.get(f"/certificates/{number}")
    assert (shown["kind"], shown["class_id"], shown["entry_id"]) == (
        "competition_award", None, entered[0]["id"],
    )  # fmt: skip
    assert county.get(f"/certificates/{number}/document").startswith(b"%PDF")
    with zipfile.ZipFile(io.BytesIO(city.get(f"{where}/awards.zip"))) as archive:
        assert len(archive.namelist()) == 2
    with pikepdf.open(io.BytesIO(city.get(f"{where}/awards.pdf"))) as bound:
        assert len(bound.pages) == 2
    fresh = city.post(f"/certificates/{number}/reissue", {"name": "李晓冬"}, status=201)
    assert (fresh["name"], fresh["replaces"]) == ("李晓冬", number)
    assert city.get(f"/competition-entries/{entered[0]['id']}")["name"] == "李晓冬"


def test_a_county_sees_its_own_people_in_the_citys_event_and_no_others(
    client: FlaskClient, small_world: World
) -> None:
    event = competing.opened(small_world)
    city = small_world.act("city_officer")
    mine = entries.enter(city, event, competing.candidate(0))
    other = entries.enter(city, event, competing.candidate(1, team_division=OTHER_COUNTY))
    county = Desk(client, small_world, "county_officer")
    seen = county.get(f"/competition-events/{event.id}/entries")["items"]
    assert [item["id"] for item in seen] == [str(mine.id)]
    county.get(f"/competition-entries/{other.id}", status=404)
    county.post(f"/competition-entries/{other.id}/withdrawal", {"reason": "理由"}, status=404)
    whole = Desk(client, small_world, "auditor").get(f"/competition-events/{event.id}/entries")["items"]
    assert len(whole) == 2


def test_awards_are_listed_for_officers_and_never_for_a_base(client: FlaskClient, small_world: World) -> None:
    trained = small_world.issued()
    competing.final(small_world)
    city, clerk = Desk(client, small_world, "city_officer"), Desk(client, small_world, "base_clerk")
    awards = [c for c in city.get("/certificates")["items"] if c["kind"] == "competition_award"]
    assert len(awards) == 3
    assert len(clerk.get("/certificates")["items"]) == len(trained)
    clerk.get(f"/certificates/{awards[0]['number']}", status=404)
    other = Desk(client, small_world, "other_county_officer")
    other.get(f"/certificates/{awards[0]['number']}", status=404)
    assert other.get("/certificates")["items"] == []


def test_refusals_say_what_to_do_and_hold_nothing_about_the_person(
    client: FlaskClient, small_world: World
) -> None:
    event = competing.opened(small_world)
    city = Desk(client, small_world, "city_officer")
    path = f"/competition-events/{event.id}/entries"
    wrong = city.post(path, entrant(0, citizen_id="630202198001010000"), status=422)
    assert wrong["code"] in ("id_checksum", "id_damaged_by_spreadsheet")
    young = competing.citizen_id(0, born="201503")
    refused = city.post(path, entrant(0, citizen_id=young, disability_card=f"{young}43"), status=409)
    assert refused["code"] == "outside_competition_age"
    for answer in (wrong, refused):
        assert "李晓东" not in str(answer) and "63020219" not in str(answer) and young not in str(answer)


# ---------------------------------------------------------------- what the world sees


def everything(client: FlaskClient, event: CompetitionEvent) -> str:
    pages = [
        client.get(path, headers={"Accept": kind}).get_data(as_text=True)
        for path in ("/competitions", f"/competitions/{event.competition_id}", f"/competitions/{event.competition_id}?lang=en")
        for kind in ("text/html", "application/json")
    ]  # fmt: skip
    return "\n".join(pages)


def test_the_public_learns_teams_and_prizes_and_no_names(client: FlaskClient, small_world: World) -> None:
    event = competing.final(small_world)
    shown = everything(client, event)
    for expected in ("2025年海东市职业技能竞赛", "中式面点制作", "第一名", "第1代表队"):
        assert expected in shown
    for secret in (*competing.NAMES, "残疾", "6302021980", "第7代表队"):
        assert secret not in shown


def test_names_are_public_only_where_the_policy_and_the_person_agree(
    small_world: World, tmp_path: Any
) -> None:
    event = competing.opened(small_world)
    act = small_world.act("city_officer")
    for place in range(7):
        entries.enter(act, event, competing.candidate(place, publish=place == 0))
    act = small_world.on(2025, 3, 1).act("city_officer")
    entries.close_entries(act, Competition.get_by_id(event.competition_id))
    event = CompetitionEvent.get_by_id(event.id)
    competing.score(small_world, event, "90", "85", "80", "70", "60", "50", "40")
    competing.confirm(small_world, results.propose(act, event))
    for client in served(small_world):
        assert "李晓东" not in everything(client, event)
    policy = tmp_path / "policy.toml"
    text = HAIDONG.read_text(encoding="utf-8").replace("public_names = false", "public_names = true")
    policy.write_text(text, encoding="utf-8")
    for client in served(small_world, policy_file=policy):
        shown = everything(client, event)
        assert "李晓东" in shown
        assert "马得福" not in shown


def test_a_draft_is_nobodys_business_and_an_empty_list_says_so(
    client: FlaskClient, small_world: World
) -> None:
    event = competing.drafted(small_world)
    assert client.get(f"/competitions/{event.competition_id}").status_code == 404
    assert "目前没有已公布的竞赛" in client.get("/competitions").get_data(as_text=True)
    contests.open_entries(small_world.act("city_officer"), event.competition)
    assert client.get(f"/competitions/{event.competition_id}").status_code == 200
    assert client.get("/competitions/nonsense").status_code == 404


def test_a_proposed_result_is_not_yet_public(client: FlaskClient, small_world: World) -> None:
    event = competing.proposed(small_world)
    assert "第1代表队" not in everything(client, event)
