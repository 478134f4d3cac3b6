"""The part of ``skills-registry check`` that speaks of awards: ranks and prizes derived again from raw scores.

It shares nothing with the room of competitions but the rules that each event wrote down when its entries
closed. Every award must be what scores and rules make, and everyone who won must hold one.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

Row = Mapping[str, Any]
#: Table, row, Chinese, English: what makes a finding.
Found = tuple[str, str, str, str]

_EVENTS = "SELECT id, status, ranked, better, tie_better, rules FROM competition_event ORDER BY id"
_ENTRIES = """
SELECT e.id, e.event_id, e.person_id, e.status, e.rank, e.prize, s.outcome, s.score, s.tie_break
FROM competition_entry e LEFT JOIN entry_score s ON s.entry_id = e.id AND s.current
WHERE e.status <> 'withdrawn' ORDER BY e.id
"""


def found(certificates: Sequence[Row], rows: Callable[[str], Iterator[Row]]) -> Iterator[Found]:
    """What is wrong with awards and the results they stand on."""
    events = {_key(event["id"]): event for event in rows(_EVENTS)}
    entries = {_key(entry["id"]): entry for entry in rows(_ENTRIES)}
    won = _won(events, entries)
    awards: dict[str, list[Row]] = defaultdict(list)
    for row in certificates:
        if row["kind"] == "competition_award":
            awards[_key(row["entry_id"])].append(row)
    for key, papers in sorted(awards.items()):
        yield from _awarded(papers, entries.get(key), won.get(key))
    for key, entry in entries.items():
        if key in won and (entry["rank"], entry["prize"]) != won[key]:
            yield (
                "competition_entry",
                key,
                "名次或奖项与成绩不符",
                "rank or prize is not what the scores make",
            )
        if won.get(key, (None, ""))[1] and not awards[key]:
            yield ("competition_entry", key, "获奖但没有证书", "won a prize and holds no certificate")


def _awarded(papers: Sequence[Row], entry: Row | None, won: tuple[int | None, str] | None) -> Iterator[Found]:
    for paper in papers:
        wrong = entry is None or _key(entry["person_id"]) != _key(paper["person_id"])
        in_use = paper["status"] in ("valid", "suspended")
        if wrong or (in_use and (won is None or won[1] != paper["prize"])):
            yield (
                "certificate",
                _key(paper["id"]),
                "与比赛成绩不一致",
                "it disagrees with the result of its competition",
            )


def _won(events: Mapping[str, Row], entries: Mapping[str, Row]) -> dict[str, tuple[int | None, str]]:
    """Rank and prize of every entry of the events whose results are final."""
    answer: dict[str, tuple[int | None, str]] = {}
    for event_id, event in events.items():
        if event["status"] == "final":
            taking_part = {k: e for k, e in entries.items() if _key(e["event_id"]) == event_id}
            answer |= _results(event, taking_part)
    return answer


def _results(event: Row, entries: Mapping[str, Row]) -> dict[str, tuple[int | None, str]]:
    rules = event["rules"] if isinstance(event["rules"], dict) else json.loads(event["rules"])
    finished = {k: e for k, e in entries.items() if e["status"] == "entered" and e["outcome"] == "finished"}
    started = [e for e in entries.values() if e["outcome"] != "did_not_start"]
    if not event["ranked"]:
        return {k: (None, rules["unranked_title"] if k in finished else "") for k in entries}
    marks = {k: _mark(event, e) for k, e in finished.items()}
    limit = max((p["ranks"] for p in rules["prizes"] if p["entrants_from"] <= len(started)), default=0)
    titles = dict(enumerate(rules["titles"][:limit], start=1))
    answer: dict[str, tuple[int | None, str]] = {}
    for key in entries:
        if key not in finished:
            answer[key] = (None, "")
            continue
        rank = 1 + sum(mark > marks[key] for mark in marks.values())
        title = titles.get(rank, "")
        merit = rank * 100 <= len(finished) * rules["merit_percent"]
        answer[key] = (rank, title or (rules["merit_title"] if merit else ""))
    return answer


def _mark(event: Row, entry: Row) -> tuple[Decimal, Decimal]:
    score = Decimal(str(entry["score"])) * (1 if event["better"] == "higher" else -1)
    tie = Decimal(str(entry["tie_break"] or 0)) * {"higher": 1, "lower": -1}.get(event["tie_better"], 0)
    return score, tie


def _key(value: Any) -> str:
    return "" if value is None else str(UUID(str(value)))
