"""Deadlines (期限一览): what is due, from every room that has clocks, in one list.

Each room tells what runs in it; nothing is stored. Being late decides nothing by itself: it is shown,
and the next act is somebody's to take.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from uuid import UUID

from skills_registry import evaluation
from skills_registry.bases import Base, progress
from skills_registry.bases.applications import Application
from skills_registry.exits import appeals, cures, leaving, teach_out, withdrawal
from skills_registry.foundation.acts import Role
from skills_registry.foundation.dues import Due
from skills_registry.foundation.policy import Policy
from skills_registry.foundation.workdays import Deadline
from skills_registry.notices import Notice, Objection, answer_deadline, deadline_of
from skills_registry.training import opening, project_planning, sittings

#: What an evaluation that is proposed waits for: the base's comments, and then the city's grade.
_COMMENTS: tuple[str, tuple[str, str], Role] = (
    "evaluation_comment",
    ("对拟定等次提出意见", "comment on the proposed grade"),
    "base_clerk",
)
_GRADES: tuple[str, tuple[str, str], Role] = (
    "evaluation_decision",
    ("确定年度评估等次", "make the grade final"),
    "city_officer",
)


def all_due(policy: Policy, today: date, base_ids: Iterable[UUID]) -> list[Due]:
    """What is due for these bases, the earliest first."""
    known = set(base_ids)
    found = [
        *_reviews(policy, known),
        *_notices(policy, today, known),
        *project_planning.deadlines(policy, today, known),
        *opening.deadlines(policy, known),
        *sittings.deadlines(policy, today, known),
        *_evaluations(policy, today, known),
        *cures.deadlines(policy, today, known),
        *withdrawal.deadlines(policy, known),
        *teach_out.deadlines(policy, known),
        *appeals.deadlines(policy, today, known),
        *leaving.deadlines(policy, today, known),
    ]
    return sorted(found, key=lambda due: (due.deadline.day, due.kind, due.record_id))


def _reviews(policy: Policy, known: set[UUID]) -> Iterator[Due]:
    return (due for due in progress.all_due(policy) if due.base_id in known)


def _notices(policy: Policy, today: date, known: set[UUID]) -> Iterator[Due]:
    """Notices that run, and objections to them that await an answer."""
    noticed = Application.select().where(
        Application.base.in_(list(known)) & Application.notice.is_null(is_null=False)
    )
    for application in noticed.order_by(Application.id):
        notice: Notice = application.notice  # type: ignore[assignment]  # the query has only those
        last = deadline_of(notice, policy)
        if notice.status == "open" and today <= last.day:
            words = ("公示期满", "the public notice ends")
            yield Due("notice_ends", *words, notice.id, application.base_id, last, ("public",))
        for objection in notice.objections.where(Objection.status == "received").order_by(Objection.id):
            answer_by = answer_deadline(objection, policy)
            words = ("答复异议", "answer the objection")
            yield Due(
                "objection_answer", *words, objection.id, application.base_id, answer_by, ("city_officer",)
            )


def _evaluations(policy: Policy, today: date, known: set[UUID]) -> Iterator[Due]:
    """Comments that bases may make, grades that the city owes, and evaluations of last year to be made."""
    for found, until in evaluation.comments_running(policy):
        if found.base_id not in known:
            continue
        kind, words, role = _COMMENTS if today <= until.day else _GRADES
        yield Due(kind, *words, found.id, found.base_id, until, (role,))
    yield from _unevaluated(policy, today, known)


def _unevaluated(policy: Policy, today: date, known: set[UUID]) -> Iterator[Due]:
    year = today.year - 1
    last = Deadline(evaluation.final_by(policy, year), provisional=False)
    waiting: list[Base] = evaluation.unevaluated(year)
    for base in waiting:
        if base.id in known:
            words = (f"完成{year}年度评估", f"finish the evaluation of {year}")
            yield Due("evaluation", *words, base.id, base.id, last, ("county_officer", "city_officer"))
