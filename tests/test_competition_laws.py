"""Laws of ranks, ties and prizes that hold for any scores."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skills_registry.competitions import rankings
from skills_registry.competitions.rankings import Mark
from skills_registry.foundation.policy import load_policy

RULES = load_policy().rule("competition", date(2025, 3, 1))
NAMESPACE = UUID(int=7)

figures = st.decimals(0, 100, places=1)
fields = st.lists(st.tuples(figures, figures), min_size=1, max_size=12)
sides = st.sampled_from(["higher", "lower"])


def marks(field: list[tuple[Decimal, Decimal]]) -> list[Mark]:
    return [Mark(uuid5(NAMESPACE, str(place)), *figures) for place, figures in enumerate(field)]


@given(field=fields, better=sides)
def test_a_better_score_is_a_better_rank_and_an_equal_one_shares_it(
    field: list[tuple[Decimal, Decimal]], better: str
) -> None:
    entered = marks(field)
    ranked = rankings.ranks(entered, better=better)
    sign = 1 if better == "higher" else -1
    for one in entered:
        for other in entered:
            ahead = (ranked[one.entry_id] < ranked[other.entry_id]) - (
                ranked[one.entry_id] > ranked[other.entry_id]
            )
            apart = (one.score > other.score) - (one.score < other.score)
            assert ahead == sign * apart


@given(field=fields, better=sides, tie_better=sides)
def test_ranks_are_one_more_than_how_many_are_ahead(
    field: list[tuple[Decimal, Decimal]], better: str, tie_better: str
) -> None:
    ranked = rankings.ranks(marks(field), better=better, tie_better=tie_better)
    places = sorted(ranked.values())
    assert places[0] == 1
    assert all(place == 1 + sum(other < place for other in places) for place in places)


@given(field=fields, better=sides, tie_better=sides)
def test_a_tie_rule_parts_equal_scores_and_touches_no_others(
    field: list[tuple[Decimal, Decimal]], better: str, tie_better: str
) -> None:
    entered = marks(field)
    bare = rankings.ranks(entered, better=better)
    parted = rankings.ranks(entered, better=better, tie_better=tie_better)
    for one in entered:
        for other in entered:
            if bare[one.entry_id] < bare[other.entry_id]:
                assert parted[one.entry_id] < parted[other.entry_id]
            elif one.score == other.score and one.tie_break == other.tie_break:
                assert parted[one.entry_id] == parted[other.entry_id]


@given(field=fields, better=sides, order=st.randoms(use_true_random=False))
def test_the_order_in_which_scores_came_in_changes_nothing(
    field: list[tuple[Decimal, Decimal]], better: str, order: object
) -> None:
    entered = marks(field)
    shuffled = list(entered)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert rankings.ranks(shuffled, better=better) == rankings.ranks(entered, better=better)


@given(field=fields, absent=st.integers(0, 5), merit=st.integers(0, 100))
def test_a_prize_never_goes_to_a_worse_rank_past_a_better_one(
    field: list[tuple[Decimal, Decimal]], absent: int, merit: int
) -> None:
    rules = {**RULES.figures, "merit_percent": merit}
    ranked = rankings.ranks(marks(field), better="higher")
    placed = rankings.placings(ranked, entrants=len(field) + absent, rules=rules)
    limit = rankings.prize_ranks(len(field) + absent, rules)
    order = {title: place for place, title in enumerate([*rules["titles"], rules["merit_title"], ""])}
    by_rank = sorted(placed.values(), key=lambda placing: placing.rank or 0)
    assert [order[p.prize] for p in by_rank] == sorted(order[p.prize] for p in by_rank)
    for placing in by_rank:
        assert (placing.prize in rules["titles"]) == ((placing.rank or 99) <= limit)
        if placing.prize in rules["titles"]:
            assert rules["titles"].index(placing.prize) == (placing.rank or 0) - 1
    assert by_rank[0].prize == rules["titles"][0]


@pytest.mark.parametrize(
    ("entrants", "ranks"), [(0, 0), (1, 1), (3, 1), (4, 2), (6, 2), (7, 3), (8, 3), (500, 3)]
)
def test_prizes_by_the_number_of_entrants_as_the_policy_has_them(entrants: int, ranks: int) -> None:
    assert rankings.prize_ranks(entrants, RULES) == ranks


@given(entrants=st.integers(0, 1000))
def test_more_entrants_never_mean_fewer_prizes(entrants: int) -> None:
    assert rankings.prize_ranks(entrants, RULES) <= rankings.prize_ranks(entrants + 1, RULES)


def test_more_ranks_than_titles_win_no_nameless_prize() -> None:
    rules = {**RULES.figures, "prizes": [{"entrants_from": 1, "ranks": 9}]}
    assert rankings.prize_ranks(20, rules) == 3
