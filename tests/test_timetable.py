"""Timetables: what cannot be is refused row by row, versions stay, and an unchanged session stays the same."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skills_registry.bases import entries
from skills_registry.foundation.errors import NotAllowed
from skills_registry.foundation.lifecycle import steps_of
from skills_registry.foundation.problems import Problem
from skills_registry.training import classes, timetable, timetable_rules
from skills_registry.training.classes import TrainingClass
from skills_registry.training.timetable import Session, TimetableFixed, TimetableRefused
from skills_registry.training.timetable_rules import Elsewhere, PlannedSession, overlaps
from tests.test_training import ROLES, STATES, in_state
from tests.timetables import FIRST, mornings, moved, planned, session, site, teacher
from tests.world import World

RULE = {"hours_per_day": 8, "theory_percent": 20, "practice_percent": 50, "safety_hours": 4}
DATES = {"starts_on": FIRST, "ends_on": date(2025, 4, 11)}


def codes(*sessions: PlannedSession) -> list[tuple[int, str]]:
    found = timetable_rules.findings(timetable.numbered(sessions), rule=RULE, **DATES)
    return [(number, problem.code) for number, problem in found]


# ---------------------------------------------------------------- by itself


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"on": date(2025, 3, 2)}, "session_outside_class"),
        ({"on": date(2025, 4, 12)}, "session_outside_class"),
        ({"ends_at": "08:30"}, "session_ends_before_start"),
        ({"starts_at": "13:00"}, "session_ends_before_start"),
        ({"class_hours": Decimal(0)}, "session_hours_range"),
        ({"class_hours": Decimal("0.25")}, "session_hours_range"),
        ({"class_hours": Decimal("2.25")}, "session_hours_range"),
        ({"class_hours": Decimal(9)}, "session_hours_range"),
        ({"class_hours": Decimal(5)}, "session_hours_exceed_clock"),
        ({"kind": "party"}, "session_kind"),
        ({"content": ""}, "missing"),
    ],
)
def test_a_session_that_cannot_be_is_named_with_its_row(changes: dict[str, Any], code: str) -> None:
    assert codes(session(FIRST + timedelta(1)), replace(session(), **changes)) == [(2, code)]


def test_the_first_and_the_last_day_of_a_class_belong_to_it() -> None:
    assert codes(session(FIRST), session(date(2025, 4, 11))) == []


def test_three_hours_of_the_clock_hold_exactly_four_class_hours() -> None:
    assert codes(session(starts_at="09:00", ends_at="12:00")) == []
    assert codes(session(starts_at="09:01", ends_at="12:00")) == [(1, "session_hours_exceed_clock")]


def test_two_sessions_at_once_are_refused_and_two_that_touch_are_not() -> None:
    touching = session(starts_at="12:00", ends_at="15:00")
    assert codes(session(), touching) == []
    found = timetable_rules.findings(
        timetable.numbered([session(), replace(touching, starts_at="11:59")]), rule=RULE, **DATES
    )
    assert found == [(2, Problem("session_overlap", "starts_at", {"first_row": 1}))]


def test_a_day_holds_no_more_hours_than_the_policy_allows_and_its_last_session_is_named() -> None:
    evening = session(starts_at="19:00", ends_at="19:30", class_hours=Decimal("0.5"))
    afternoon = session(starts_at="14:00", ends_at="17:00")
    assert codes(evening, session(), afternoon) == [(1, "day_too_long")]
    assert codes(session(), afternoon) == []


# ---------------------------------------------------------------- as a whole


def test_the_usual_timetable_has_the_hours_and_shares_that_are_asked_for() -> None:
    assert timetable_rules.doubts_of_whole(mornings(), class_hours=120, rule=RULE) == []


@pytest.mark.parametrize(
    ("kinds", "doubts"),
    [
        ({"theory": 100}, {"practice_share", "safety_hours"}),
        ({"practice": 120}, {"theory_share", "safety_hours"}),
        ({"theory": 20, "practice": 96, "safety": 4}, set()),
        ({"online": 20, "practice": 96, "safety": 4}, set()),
        ({"theory": 21, "practice": 96, "safety": 3}, {"safety_hours"}),
        ({"theory": 19, "practice": 96, "safety": 4}, {"theory_share"}),
    ],
)
def test_shares_of_theory_practice_and_safety_are_doubts_of_the_whole(
    kinds: dict[str, int], doubts: set[str]
) -> None:
    sessions = [session(kind=kind, class_hours=Decimal(hours)) for kind, hours in kinds.items()]
    found = timetable_rules.doubts_of_whole(sessions, class_hours=sum(kinds.values()), rule=RULE)
    assert {problem.code for problem in found} == doubts
    assert all(not problem.is_error for problem in found)


def test_hours_that_differ_from_the_filing_are_told_with_both_figures() -> None:
    found = timetable_rules.doubts_of_whole(mornings()[:29], class_hours=120, rule=RULE)
    assert found == [Problem("timetable_hours", "class_hours", {"planned": "116", "filed": 120})]


# ---------------------------------------------------------------- laws of overlap

MINUTES = st.integers(0, 24 * 60 - 1)
TEACHERS = [UUID(int=n) for n in (1, 2)]
SITES = [UUID(int=n) for n in (11, 12)]


def clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


@st.composite
def spans(draw: st.DrawFn) -> PlannedSession:
    """A session of a few minutes on one of two days; close together, so that many overlap."""
    start = draw(st.integers(480, 520))
    return session(
        FIRST + timedelta(draw(st.integers(0, 1))),
        clock(start),
        clock(start + draw(st.integers(1, 20))),
        class_hours=Decimal("0.5"),
        content=str(draw(st.integers(0, 9))),
        teacher_id=draw(st.sampled_from([None, *TEACHERS])),
        site_id=draw(st.sampled_from([None, *SITES])),
    )


def minutes_of(planned: Any) -> set[tuple[date, str]]:
    """Every minute of a session, by the clock and not by the rule."""
    return {(planned.on, clock(m)) for m in range(24 * 60) if planned.starts_at <= clock(m) < planned.ends_at}


def elsewhere(planned: PlannedSession, people: int) -> Elsewhere:
    return Elsewhere(
        planned.on,
        planned.starts_at,
        planned.ends_at,
        planned.site_id,
        planned.teacher_id,
        "202500007",
        people,
    )


@given(spans(), spans())
def test_two_sessions_overlap_when_they_share_a_minute_whichever_comes_first(
    one: PlannedSession, other: PlannedSession
) -> None:
    share = bool(minutes_of(one) & minutes_of(other))
    assert overlaps(one, other) == overlaps(other, one) == share


@given(st.lists(spans(), max_size=8), st.randoms())
def test_a_timetable_has_an_overlap_exactly_when_two_of_its_sessions_share_a_minute(
    sessions: list[PlannedSession], chance: Any
) -> None:
    def clashing(listed: Sequence[PlannedSession]) -> bool:
        return any(code == "session_overlap" for _, code in codes(*listed))

    pairs = [(a, b) for here, a in enumerate(sessions) for b in sessions[:here]]
    expected = any(minutes_of(a) & minutes_of(b) for a, b in pairs)
    shuffled = chance.sample(sessions, len(sessions))
    assert clashing(sessions) == clashing(shuffled) == expected


@given(spans(), st.lists(spans(), max_size=5))
def test_a_teacher_is_elsewhere_exactly_when_another_class_has_them_in_a_shared_minute(
    here: PlannedSession, others: list[PlannedSession]
) -> None:
    expected = here.teacher_id is not None and any(
        other.teacher_id == here.teacher_id and minutes_of(here) & minutes_of(other) for other in others
    )
    found = timetable_rules.teacher_elsewhere(here, [elsewhere(other, 10) for other in others])
    assert (found is not None) == expected


@given(spans(), st.lists(st.tuples(spans(), st.integers(1, 20)), max_size=5), st.integers(1, 60))
def test_a_place_is_full_exactly_when_some_minute_has_more_people_than_places(
    here: PlannedSession, others: list[tuple[PlannedSession, int]], places: int
) -> None:
    here = replace(here, site_id=SITES[0])
    crowd = max(
        10 + sum(n for other, n in others if other.site_id == here.site_id and minute in minutes_of(other))
        for minute in minutes_of(here)
    )
    beside = [elsewhere(other, people) for other, people in others]
    found = timetable_rules.place_problem(here, beside, people=10, places=places)
    assert (found is not None) == (crowd > places)


# ---------------------------------------------------------------- against the records


def refused(
    world: World, training_class: TrainingClass, sessions: Sequence[PlannedSession]
) -> set[tuple[int, str]]:
    with pytest.raises(TimetableRefused) as refusal:
        planned(world, training_class, sessions)
    assert not Session.select().where(Session.training_class == training_class.id).exists()
    return {(number, problem.code) for number, problem in refusal.value.findings}


def test_a_timetable_with_teacher_and_place_is_set_without_findings(world: World) -> None:
    training_class = world.filed_class()
    sessions = mornings(site(world).id, teacher(world).id)
    rows = timetable.numbered(sessions)
    assert timetable.set_timetable(world.act("base_clerk"), training_class, rows) == []
    standing = timetable.sessions_of(training_class)
    assert [timetable.as_planned(s) for s in standing] == sessions
    assert {s.status for s in standing} == {"planned"}
    assert [step.action for step in steps_of(standing[0].id)] == ["plan"]


def test_a_teacher_who_stands_on_no_roster_of_the_base_is_refused(small_world: World) -> None:
    training_class = small_world.filed_class()
    small_world.listed_base("乐都区邻家学校", 2)
    neighbour = type(small_world.base).get(type(small_world.base).name == "乐都区邻家学校")
    small_world.hire("neighbour_clerk", neighbour.organisation, "base_clerk")
    theirs = teacher(small_world, "东永福", clerk="neighbour_clerk")
    left = teacher(small_world, "祁进财")
    entries.take_out(small_world.act("base_clerk"), left)
    for unknown in (theirs.id, left.id, uuid4()):
        rows = [session(teacher_id=unknown)]
        assert refused(small_world, training_class, rows) >= {(1, "teacher_unknown")}


def test_a_teacher_is_never_in_two_classes_of_the_base_at_once(world: World) -> None:
    qi, dong = teacher(world), teacher(world, "东永福")
    first, second = world.filed_class(), world.filed_class(title="第二期")
    planned(world, first, [session(teacher_id=qi.id)])
    here = session(starts_at="11:30", ends_at="15:00", teacher_id=qi.id)
    with pytest.raises(TimetableRefused) as refusal:
        planned(world, second, [here])
    clash = next(problem for _, problem in refusal.value.findings)
    assert clash.code == "teacher_elsewhere"
    assert clash.facts == {"filing_no": first.filing_no, "starts_at": "08:30", "ends_at": "12:00"}
    planned(world, second, [replace(here, teacher_id=dong.id)])
    assert len(timetable.sessions_of(second)) == 1


def test_a_cancelled_class_keeps_no_teacher_and_no_place_busy(small_world: World) -> None:
    qi, hall = teacher(small_world), site(small_world, places=30)
    first, second = small_world.filed_class(), small_world.filed_class(title="第二期")
    here = session(teacher_id=qi.id, site_id=hall.id)
    planned(small_world, first, [here])
    assert refused(small_world, second, [here]) == {(1, "teacher_elsewhere"), (1, "place_over_capacity")}
    classes.cancel_class(small_world.act("base_clerk"), first, "不办了")
    planned(small_world, second, [here])


def test_a_class_larger_than_its_place_is_refused_with_both_figures(small_world: World) -> None:
    training_class = small_world.filed_class(capacity=30)
    small = site(small_world, "小教室", places=29)
    with pytest.raises(TimetableRefused) as refusal:
        planned(small_world, training_class, [session(site_id=small.id)])
    (number, problem), *_ = refusal.value.findings
    assert (number, problem.code, problem.facts) == (1, "place_too_small", {"places": 29, "capacity": 30})


def test_two_classes_share_a_place_as_long_as_it_holds_both(small_world: World) -> None:
    hall = site(small_world, places=60)
    first, second = small_world.filed_class(capacity=30), small_world.filed_class(title="第二期", capacity=30)
    third = small_world.filed_class(title="第三期", capacity=10)
    for training_class in (first, second):
        planned(small_world, training_class, [session(site_id=hall.id)])
    with pytest.raises(TimetableRefused) as refusal:
        planned(small_world, third, [session(site_id=hall.id)])
    problem = refusal.value.findings[0][1]
    assert (problem.code, problem.facts["people"], problem.facts["places"]) == ("place_over_capacity", 70, 60)
    planned(small_world, third, [session(starts_at="14:00", ends_at="17:00", site_id=hall.id)])


def test_what_is_open_about_teacher_and_place_warns_and_refuses_nothing(small_world: World) -> None:
    training_class = small_world.filed_class()
    rows = timetable.numbered(
        [
            session(),
            session(FIRST + timedelta(1), place="镇文化站"),
            session(FIRST + timedelta(2), kind="online"),
        ]
    )
    found = timetable.set_timetable(small_world.act("base_clerk"), training_class, rows)
    assert sorted((number, problem.code) for number, problem in found) == [
        (1, "place_missing"),
        (1, "teacher_missing"),
        (2, "place_not_in_file"),
        (2, "teacher_missing"),
        (3, "teacher_missing"),
    ]


def test_a_site_of_another_base_is_refused(small_world: World) -> None:
    assert refused(small_world, small_world.filed_class(), [session(site_id=uuid4())]) == {
        (1, "site_unknown")
    }


def test_all_that_cannot_be_is_told_at_once(small_world: World) -> None:
    sessions = [session(), session(kind="party"), session(date(2026, 1, 1), teacher_id=uuid4())]
    assert refused(small_world, small_world.filed_class(), sessions) == {
        (2, "session_kind"),
        (2, "session_overlap"),
        (3, "session_outside_class"),
        (3, "teacher_unknown"),
    }


# ---------------------------------------------------------------- versions


def test_an_unchanged_session_keeps_its_id_over_versions_and_a_changed_one_is_dropped(world: World) -> None:
    training_class, sessions = world.filed_class(), mornings()
    planned(world, training_class, sessions)
    before = {s.on: s.id for s in timetable.sessions_of(training_class)}
    world.on(2025, 2, 12)
    planned(world, training_class, moved(sessions, 4, starts_at="14:00", ends_at="17:30"))
    after = {s.on: s.id for s in timetable.sessions_of(training_class)}
    fifth = sessions[4].on
    assert {day for day in before if before[day] != after[day]} == {fifth}
    old = Session.get_by_id(before[fifth])
    assert (old.status, old.first_version, old.last_version) == ("dropped", 1, 1)
    assert [step.action for step in steps_of(old.id)] == ["plan", "drop"]
    assert [s.starts_at for s in timetable.of_version(training_class, 1) if s.on == fifth] == ["08:30"]
    assert [s.starts_at for s in timetable.of_version(training_class, 2) if s.on == fifth] == ["14:00"]
    assert [v.version for v in timetable.versions_of(training_class)] == [1, 2]


def test_the_same_timetable_again_makes_no_version(small_world: World) -> None:
    training_class, sessions = small_world.filed_class(), mornings()
    planned(small_world, training_class, sessions)
    planned(small_world, training_class, list(reversed(sessions)))
    assert timetable.latest_version(training_class) == 1
    assert Session.select().count() == len(sessions)


@pytest.mark.parametrize("seed", range(4))
def test_every_version_is_read_as_it_was_however_often_sessions_come_and_go(
    small_world: World, seed: int
) -> None:
    chance = random.Random(seed)
    days = [session(FIRST + timedelta(day)) for day in range(6)]
    training_class, history = small_world.filed_class(), []
    for _ in range(8):
        wanted = chance.sample(days, chance.randint(1, 6))
        if not history or set(wanted) != history[-1]:
            history.append(set(wanted))
        planned(small_world, training_class, wanted)
    assert [version.version for version in timetable.versions_of(training_class)] == [
        number for number, _ in enumerate(history, 1)
    ]
    for number, wanted_then in enumerate(history, 1):
        assert {timetable.as_planned(s) for s in timetable.of_version(training_class, number)} == wanted_then
    assert {timetable.as_planned(s) for s in timetable.sessions_of(training_class)} == history[-1]


def test_the_county_sees_what_is_doubtful_about_the_timetable_and_no_longer_once_it_is_mended(
    small_world: World,
) -> None:
    training_class, sessions = small_world.filed_class(), mornings()
    planned(small_world, training_class, sessions[1:])
    doubted = {problem.code for problem in classes.doubts_about(training_class)}
    assert doubted == {"timetable_hours", "safety_hours"}
    planned(small_world, training_class, sessions)
    assert classes.doubts_about(training_class) == []


# ---------------------------------------------------------------- who may, and when


@pytest.mark.parametrize("state", STATES)
def test_only_the_bases_own_clerk_sets_a_timetable_and_only_before_the_opening(
    small_world: World, state: str
) -> None:
    sibling = small_world.listed_base("乐都区邻家学校", 2)
    small_world.hire("sibling_clerk", sibling.organisation, "base_clerk")
    training_class = in_state(small_world, state)
    for name in (*ROLES, "sibling_clerk"):
        rows = timetable.numbered([session()])
        if (state, name) == ("filed", "base_clerk"):
            timetable.set_timetable(small_world.act(name), training_class, rows)
            assert timetable.latest_version(training_class) == 1
            continue
        with pytest.raises(TimetableFixed if name == "base_clerk" else NotAllowed):
            timetable.set_timetable(small_world.act(name), training_class, rows)
    assert timetable.latest_version(training_class) == (state == "filed")
