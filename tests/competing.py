"""Competitions for tests: a city's contest in dumplings, brought into any state with named facts."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from stdnum.iso7064 import mod_11_2

from certificates.document import fonts
from skills_registry.certification.certificates import Certificate
from skills_registry.competitions import contests, entries, planning, results, scores
from skills_registry.competitions.contests import Competition, CompetitionEvent
from skills_registry.competitions.entries import Candidate, CompetitionEntry
from skills_registry.competitions.planning import EventPlan, Plan
from skills_registry.competitions.scores import Scored
from tests.world import CITY, COUNTY, World

#: The first day of the contest, and the day on which age and card are judged.
CONTEST_DAY = date(2025, 3, 1)
ENTRIES_OVER = datetime(2025, 2, 21, 2, 0, tzinfo=UTC)
AT_THE_CONTEST = datetime(2025, 3, 1, 2, 0, tzinfo=UTC)
NAMES = ("李晓东", "马得福", "冶春梅", "东福祥", "东桂花", "祁进财", "才让", "韩玉兰", "马海英")


def citizen_id(place: int, born: str = "198001") -> str:
    """An invented ID of the person at this place: serial 995 was never assigned."""
    body = f"630202{born}{place + 1:02}995"
    return body + mod_11_2.calc_check_digit(body)


def plan(**changes: Any) -> Plan:
    usual: dict[str, Any] = {
        "kind": "skills_competition",
        "title": "海东市第三届残疾人职业技能竞赛",
        "public_title": "2025年海东市职业技能竞赛",
        "organiser": "海东市技能培训登记平台",
        "division_code": CITY,
        "place": "乐都区职业技术学校",
        "funding_source": "disability_security_fund",
        "entries_until": date(2025, 2, 20),
        "eligible_on": CONTEST_DAY,
        "starts_on": CONTEST_DAY,
        "ends_on": date(2025, 3, 2),
    }
    return Plan(**(usual | changes))


def candidate(place: int = 0, **changes: Any) -> Candidate:
    """The person at this place, for a team of their own."""
    card = citizen_id(place)
    usual: dict[str, Any] = {
        "name": NAMES[place % len(NAMES)],
        "citizen_id": card,
        "disability_card": f"{card}43",
        "card_issued_on": date(2020, 1, 1),
        "team": f"第{place + 1}代表队",
        "team_division": COUNTY,
    }
    return Candidate(**(usual | changes))


def drafted(world: World, event: EventPlan | None = None, **changes: Any) -> CompetitionEvent:
    """An event of a competition that the city prepares."""
    act = world.act("city_officer")
    competition = planning.draft(act, plan(**changes))
    return planning.add_event(act, competition, event or EventPlan("中式面点制作"))


def opened(world: World, event: EventPlan | None = None, **changes: Any) -> CompetitionEvent:
    """One that takes entries."""
    planned = drafted(world, event, **changes)
    contests.open_entries(world.act("city_officer"), planned.competition)
    return CompetitionEvent.get_by_id(planned.id)


def entered(
    world: World, people: int = 7, event: EventPlan | None = None, **changes: Any
) -> CompetitionEvent:
    """One with this many entrants."""
    found = opened(world, event, **changes)
    for place in range(people):
        entries.enter(world.act("city_officer"), found, candidate(place))
    return found


def running(
    world: World, people: int = 7, event: EventPlan | None = None, **changes: Any
) -> CompetitionEvent:
    """One whose entries are closed."""
    found = entered(world, people, event, **changes)
    world.now = max(world.now, ENTRIES_OVER)
    entries.close_entries(world.act("city_officer"), Competition.get_by_id(found.competition_id))
    return CompetitionEvent.get_by_id(found.id)


def score(world: World, event: CompetitionEvent, *points: str | None) -> None:
    """Scores by start number; None did not finish. The world's clock stands on the contest's first day or later."""
    world.now = max(world.now, AT_THE_CONTEST)
    for entry, value in zip(entries.standing(event), points, strict=True):
        scored = Scored("did_not_finish") if value is None else Scored("finished", Decimal(value))
        scores.record_score(world.act("city_officer"), entry, scored)


def proposed(world: World, *points: str | None) -> CompetitionEvent:
    """One whose result is proposed; by default seven entrants with different scores."""
    given = points or ("91", "85", "88", "70", "66", "59", "40")
    event = running(world, len(given))
    score(world, event, *given)
    return results.propose(world.act("city_officer"), event)


def confirm(world: World, event: CompetitionEvent, by: str = "second_city_officer") -> list[Certificate]:
    """The awards of a proposed result, confirmed by another officer."""
    return results.finalise(world.act(by), event, world.service.signer(), fonts.uncovered)


def final(world: World, *points: str | None) -> CompetitionEvent:
    """One with a final result."""
    event = proposed(world, *points)
    confirm(world, event)
    return CompetitionEvent.get_by_id(event.id)


def cancelled(world: World) -> CompetitionEvent:
    """One that is cancelled."""
    return contests.cancel_event(world.act("city_officer"), running(world), "场地停电")


def placed(event: CompetitionEvent) -> list[tuple[int | None, str | None]]:
    """Rank and prize by start number, as written down."""
    return [(entry.rank, entry.prize) for entry in entries.standing(event)]


def of(event: CompetitionEvent, number: int) -> CompetitionEntry:
    """The entry with this start number."""
    return CompetitionEntry.get(
        (CompetitionEntry.event == event.id) & (CompetitionEntry.start_number == number)
    )


def named(world: World) -> dict[str, str]:
    """A county's own competition with an entry: a record for each id that a route may name."""
    county = world.act("county_officer")
    competition = planning.draft(county, plan(division_code=COUNTY))
    event = planning.add_event(county, competition, EventPlan("中式面点制作"))
    contests.open_entries(county, competition)
    entry = entries.enter(county, CompetitionEvent.get_by_id(event.id), candidate(0))
    return {
        "competition_id": str(competition.id),
        "event_id": str(event.id),
        "entry_id": str(entry.id),
    }
