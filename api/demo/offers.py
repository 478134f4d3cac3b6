"""What the city offers beside its classes: online resources, and a skills competition with its awards."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from random import Random

from api import demo_people as invented
from api.demo.city import SECOND, City
from certificates.document import fonts
from skills_registry import resources
from skills_registry.competitions import contests, entries, planning, results, scores
from skills_registry.competitions.contests import Competition, CompetitionEvent
from skills_registry.competitions.entries import Candidate
from skills_registry.competitions.planning import EventPlan
from skills_registry.competitions.scores import Scored
from skills_registry.foundation.identifiers import COUNTIES

#: Online courses: title, trade, language, how they are made accessible. The links are invented.
COURSES = (
    ("保健按摩基础手法", "保健按摩师", "zh", ("captions", "audio_description", "text_version")),
    ("河湟面点十二讲", "中式面点师", "zh-qinghai", ("captions",)),
    ("手语讲电商直播", "互联网营销师", "csl", ("captions", "sign_language")),
    ("拉面制作入门（藏语）", "中式烹调师", "bo", ("text_version",)),
)

#: Marks of the entrants, by event.
MARKS = {
    "中式面点制作": ("92.5", "88", "90.5", "76", "81", "69", "73.5"),
    "保健按摩": ("84", "91", "79.5", "88"),
}

_CARD_DAY, _CONTEST = date(2020, 5, 18), date(2026, 9, 12)


def offer_all(city: City) -> None:
    """Resources and the competition of 2026."""
    officer = city.act("630200", "city_officer", date(2026, 2, 9))
    for place, (title, trade, language, access) in enumerate(COURSES, 1):
        entry = resources.Entry(
            title=title, url=f"https://courses.example.cn/{place}", provider="演示：某职业技术学院",
            language=language, trade=trade, summary="演示数据：链接为虚构。", access=access,
        )  # fmt: skip
        resources.publish(officer, resources.draft(officer, entry))
    _compete(city)


def _compete(city: City) -> None:
    """Two events: entered by the counties, scored, proposed, confirmed by a second officer with awards."""
    officer = city.act("630200", "city_officer", date(2026, 7, 6))
    plan = planning.Plan(
        kind="skills_competition", title="2026年海东市职业技能竞赛", public_title="2026年海东市职业技能竞赛",
        organiser="海东市技能培训登记平台", division_code="630200", place="乐都区演示体育馆",
        funding_source="disability_security_fund", entries_until=date(2026, 8, 28), eligible_on=_CONTEST,
        starts_on=_CONTEST, ends_on=date(2026, 9, 13),
    )  # fmt: skip
    competition = planning.draft(officer, plan)
    events = [planning.add_event(officer, competition, EventPlan(subject)) for subject in MARKS]
    contests.open_entries(officer, competition)
    _enter(city, events)
    after = city.act("630200", "city_officer", date(2026, 8, 31))
    entries.close_entries(after, Competition.get_by_id(competition.id))
    for event in events:
        _decide(city, CompetitionEvent.get_by_id(event.id))
    last = city.act("630200", "city_officer", date(2026, 9, 16))
    contests.conclude(last, Competition.get_by_id(competition.id))


def _enter(city: City, events: list[CompetitionEvent]) -> None:
    learners = invented.people(Random(20260912))  # nosec B311  # invented people, the same at every start
    officer = city.act("630200", "city_officer", date(2026, 8, 10))
    for event in events:
        for place in range(len(MARKS[event.subject])):
            learner, county = next(learners), COUNTIES[place % len(COUNTIES)]
            team = f"{county.name}{'一二'[place // len(COUNTIES)]}队"
            candidate = Candidate(
                name=learner.name, citizen_id=learner.citizen_id, disability_card=learner.disability_card,
                card_issued_on=_CARD_DAY, team=team, team_division=county.code, publish=place % 2 == 0,
            )  # fmt: skip
            entries.enter(officer, CompetitionEvent.get_by_id(event.id), candidate)


def _decide(city: City, event: CompetitionEvent) -> None:
    officer = city.act("630200", "city_officer", date(2026, 9, 13))
    for entry, mark in zip(entries.standing(event), MARKS[event.subject], strict=True):
        scores.record_score(officer, entry, Scored("finished", Decimal(mark)))
    proposed = results.propose(officer, event)
    second = city.act("630200" + SECOND, "city_officer", date(2026, 9, 15))
    city.issued += results.finalise(second, proposed, city.service.signer(), fonts.uncovered)
