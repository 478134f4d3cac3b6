"""Opening (开班) and submission: the two doors of a class, and what is missing before each.

This room stands rightmost in training: it looks into every other one and lists what a class lacks. What is
missing refuses only where the policy says so; otherwise the officer sees the list and decides. Silence of
the county is no consent: a filed class stays filed until somebody opens it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from skills_registry.bases import require_in_scope, require_listed, require_may_open_classes
from skills_registry.bases.entries import Teacher, entries_of
from skills_registry.foundation import workdays
from skills_registry.foundation.acts import SHANGHAI, Act, require_other_person
from skills_registry.foundation.dues import Due
from skills_registry.foundation.errors import RuleBroken
from skills_registry.foundation.lifecycle import move, who_did
from skills_registry.foundation.policy import Policy
from skills_registry.foundation.storage import database
from skills_registry.training import attendance, changes, consents, enrolments, sittings, timetable
from skills_registry.training.attended_hours import differing, require_hours_agree
from skills_registry.training.classes import TRAINING_CLASS, TrainingClass

#: The list of the policy that names what refuses at the next door, by the state before it.
_DOORS = {
    "filed": "refuse_opening_without",
    "open": "refuse_submission_without",
    "returned": "refuse_submission_without",
}


@dataclass(frozen=True)
class Missing:
    """Something that a class lacks: a stable ``code``, what it is and the remedy in both languages.

    ``refuses``: the policy keeps the class from its next door without it.
    """

    code: str
    zh: str
    en: str
    refuses: bool = False


class ClassIncomplete(RuleBroken):
    """Facts: ``missing_zh``, ``missing_en``, ``codes``."""

    code = "class_incomplete"
    zh = "材料不齐，暂不能办理：{missing_zh}"
    en = "The class lacks what the policy demands here: {missing_en}"


#: One thing to look for: yields what it finds missing.
Look = Callable[[Act, TrainingClass], Iterator[Missing]]


def _timetable(act: Act, training_class: TrainingClass) -> Iterator[Missing]:
    if not timetable.sessions_of(training_class):
        yield Missing(
            "timetable",
            "还没有课程表，请填写或上传课程表。",
            "There is no timetable yet; enter it or upload it as a sheet.",
        )
        return
    for doubt in timetable.doubts_about(act, training_class):
        yield Missing(doubt.code, doubt.sentence("zh"), doubt.sentence("en"))


def _teachers(_act: Act, training_class: TrainingClass) -> Iterator[Missing]:
    """Sessions to come whose teacher is not named, or stands no longer on the roster of the base."""
    standing = {teacher.id for teacher in entries_of(training_class.base, Teacher)}
    lacking = [
        session
        for session in timetable.sessions_of(training_class)
        if session.status == "planned" and session.teacher_id not in standing
    ]
    if lacking:
        yield Missing(
            "teachers",
            f"还有{len(lacking)}次课没有在册教师，请在课程表中补填。",
            f"{len(lacking)} session(s) have no teacher who stands on the roster; add them to the timetable.",
        )


def _places(_act: Act, training_class: TrainingClass) -> Iterator[Missing]:
    lacking = [
        session
        for session in timetable.sessions_of(training_class)
        if session.status == "planned" and session.kind != "online" and not timetable.place_of(session)
    ]
    if lacking:
        yield Missing(
            "place",
            f"还有{len(lacking)}次课没有填写地点，请在课程表中补填。",
            f"{len(lacking)} session(s) have no place; add it to the timetable.",
        )


def _project(_act: Act, training_class: TrainingClass) -> Iterator[Missing]:
    if training_class.project_id is None:
        yield Missing(
            "project",
            "本班没有列入培训项目；属于项目的，请在备案时选择项目。",
            "The class belongs to no training project; choose one when filing if it does.",
        )


def _change(_act: Act, training_class: TrainingClass) -> Iterator[Missing]:
    if changes.waiting_of(training_class) is not None:
        yield Missing(
            "change_waiting",
            "还有一项开班变更等待县（区）残联决定。",
            "A reported change awaits the county's decision.",
        )


def _attendance(act: Act, training_class: TrainingClass) -> Iterator[Missing]:
    waiting = attendance.open_sessions(act, training_class)
    if waiting:
        yield Missing(
            "attendance_open",
            f"还有{len(waiting)}次已上的课没有结束考勤，请登记考勤并结束课次。",
            f"{len(waiting)} past session(s) are not closed; record their attendance and close them.",
        )


def _hours(_act: Act, training_class: TrainingClass) -> Iterator[Missing]:
    """Results that a later correction of the attendance has overtaken."""
    disagreeing = differing(training_class)
    if disagreeing:
        yield Missing(
            "hours_differ_from_attendance",
            f"有{len(disagreeing)}名学员成绩中的出勤课时与考勤不一致，请重新登记成绩或更正考勤。",
            f"{len(disagreeing)} result(s) claim other hours than were attended; record them again.",
        )


def _assessment(act: Act, training_class: TrainingClass) -> Iterator[Missing]:
    if act.today >= training_class.ends_on and not sittings.is_assessed(training_class):
        yield Missing(
            "assessment_missing",
            "还没有登记结业考核，请报备考核并登记考核情况。",
            "No final assessment is on record; file it, and record that it was held.",
        )


def _sat(_act: Act, training_class: TrainingClass) -> Iterator[Missing]:
    """Scores of people who sat no assessment: what a certificate promises nobody has examined."""
    found = len(sittings.never_sat(training_class))
    if found:
        yield Missing(
            "score_without_sitting",
            f"有{found}名学员没有参加过登记在案的考核却有成绩，请登记补考或更正考核、成绩。",
            f"{found} trainee(s) have scores and sat no assessment on record; record a resit, or correct either.",
        )


def _consents(_act: Act, training_class: TrainingClass) -> Iterator[Missing]:
    lacking = len(consents.without_consent(training_class))
    if lacking:
        yield Missing(
            "consent_missing",
            f"还有{lacking}名在班学员没有登记个人信息处理同意书，请补签并登记。",
            f"{lacking} trainee(s) have no consent to the handling of their data on record; have it signed.",
        )


#: What is looked for, in the order of the list; a room that has something to add gets one line here.
CHECKS: tuple[Look, ...] = (
    _timetable,
    _teachers,
    _places,
    _project,
    _consents,
    _change,
    _attendance,
    _hours,
    _assessment,
    _sat,
)

#: What is asked only of a class that is running.
_OF_RUNNING = (_consents, _change, _attendance, _hours, _assessment, _sat)


def missing(act: Act, training_class: TrainingClass) -> list[Missing]:
    """What a class lacks before its next door, in order; nothing once it is approved or cancelled."""
    if training_class.status in ("approved", "cancelled"):
        return []
    door = _DOORS.get(training_class.status)
    rule = act.policy.rule("class_opening", training_class.starts_on)
    refusing = rule[door] if door else ()
    looks = [look for look in CHECKS if training_class.status != "filed" or look not in _OF_RUNNING]
    return [
        Missing(found.code, found.zh, found.en, found.code in refusing)
        for look in looks
        for found in look(act, training_class)
    ]


def require_complete(act: Act, training_class: TrainingClass) -> None:
    """Nothing is missing that the policy demands at the class's next door.

    :raises ClassIncomplete: the facts list what is.
    """
    lacking = [found for found in missing(act, training_class) if found.refuses]
    if lacking:
        raise ClassIncomplete(
            missing_zh="".join(found.zh for found in lacking),
            missing_en=" ".join(found.en for found in lacking),
            codes=[found.code for found in lacking],
        )


def open_class(act: Act, training_class: TrainingClass) -> TrainingClass:
    """The county opens a filed class.

    :raises SeparationOfDuties: the caller filed it.
    :raises NewClassesHeld: the base is being rectified, or suspended.
    :raises NotListed: the base is no longer listed on the class's first day.
    :raises OccupationOutOfScope: the listing of that day does not cover what it teaches.
    :raises ClassIncomplete: something is missing without which the policy opens no class.
    :raises WrongState: it is not awaiting opening.
    """
    require_other_person(act, who_did(training_class.id, "file"))
    require_may_open_classes(training_class.base, act.today)
    listing = require_listed(training_class.base, training_class.starts_on)
    if training_class.occupation_code:
        taught = training_class.occupation_edition, training_class.occupation_code, training_class.level
        require_in_scope(listing, *taught, name=training_class.occupation_name)
    with database.atomic():
        move(act, TRAINING_CLASS, training_class, "open", detail=_listed(act, training_class))
    return training_class


def submit_class(act: Act, training_class: TrainingClass) -> TrainingClass:
    """The base submits a class for approval; from here on it is closed to the base.

    :raises ClassIncomplete: something is missing without which the policy takes no submission.
    :raises HoursDisagree: results claim other hours than the attendance records.
    :raises ResultsMissing: an enrolled trainee has no result.
    :raises WrongState: it is not open or returned.
    """
    if training_class.status in _DOORS and training_class.status != "filed":
        require_complete(act, training_class)
        require_hours_agree(training_class)
    return enrolments.submit_class(act, training_class)


def _listed(act: Act, training_class: TrainingClass) -> dict[str, list[str]]:
    """What was missing when the class was opened nevertheless: the step keeps the codes."""
    if training_class.status != "filed":
        return {}
    require_complete(act, training_class)
    return {"missing": [found.code for found in missing(act, training_class)]}


def deadlines(policy: Policy, known: Iterable[UUID]) -> Iterator[Due]:
    """The reviews of filed classes, and of reported changes, that counties owe."""
    filed = TrainingClass.select().where(
        (TrainingClass.status == "filed") & TrainingClass.base.in_(list(known))
    )
    for training_class in filed.order_by(TrainingClass.id):
        day = training_class.filed_at.astimezone(SHANGHAI).date()
        last = workdays.after(day, policy.rule("class_opening", day)["review_working_days"], policy)
        words = ("审核开班备案", "review the filing of a class")
        yield Due(
            "class_opening", *words, training_class.id, training_class.base_id, last, ("county_officer",)
        )
    yield from changes.deadlines(policy, known)
