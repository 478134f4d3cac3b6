"""Attended hours (出勤课时): what a results sheet claims must agree with the marks, at the latest when it counts.

A sheet may be sent before the attendance is recorded, and marks are corrected after it; so the two are held
side by side again when the class is submitted and when its certificates are issued.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from skills_registry.foundation.errors import RuleBroken
from skills_registry.training import attendance
from skills_registry.training.classes import TrainingClass
from skills_registry.training.enrolments import Enrolment, roster
from skills_registry.training.timetable import Session, sessions_of

#: Rows of a roster that a sentence names at most.
_MOST_NAMED = 20


class HoursDisagree(RuleBroken):
    """Facts: ``count`` and ``rows`` (roster rows)."""

    code = "hours_disagree"
    zh = (
        "有{count}名学员（花名册第{rows}行）成绩中的出勤课时与考勤不一致，不能提交或审批；"
        "请重新登记成绩，或写明原因更正考勤（已提交的须先退回）。"
    )
    en = (
        "The results of {count} trainees (roster rows {rows}) claim other hours than the attendance records;"
        " record them again, or correct the attendance with a reason (a submitted class is returned first)."
    )


def require_hours_agree(training_class: TrainingClass) -> None:
    """What the results claim agrees with the attendance, where there is any.

    :raises HoursDisagree: some do not; the facts name their roster rows, never the people.
    """
    found = differing(training_class)
    if found:
        rows = sorted(trainee.roster_row for trainee in found)[:_MOST_NAMED]
        raise HoursDisagree(count=len(found), rows="、".join(map(str, rows)))


def differing(training_class: TrainingClass) -> list[Enrolment]:
    """Trainees whose result claims hours that the marks do not bear out, in roster order.

    A session that is not closed and has no mark of a trainee may count for them or not.
    """
    sessions = sessions_of(training_class)
    marked = {(row.enrolment_id, row.session_id): row.mark for row in attendance.in_class(training_class)}
    return [
        trainee
        for trainee in (roster(training_class) if marked else ())
        if trainee.result is not None and not _bear_out(trainee, sessions, marked)
    ]


def _bear_out(
    trainee: Enrolment, sessions: Sequence[Session], marked: Mapping[tuple[UUID, UUID], str]
) -> bool:
    least = unknown = Decimal(0)
    for session in sessions:
        mark = marked.get((trainee.id, session.id))
        if mark == "present":
            least += session.class_hours
        elif mark is None and session.status == "planned":
            unknown += session.class_hours
    return bool(trainee.result and least <= trainee.result.hours <= least + unknown)
