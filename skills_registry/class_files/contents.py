"""What a class's file holds (档案目录): item by item, present, missing with the remedy, or not applicable.

What must be there is policy. A missing item is said with what to do about it, in the words of the room that
it belongs to where that room has such words. A cancelled class lacks nothing: what is there is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from skills_registry.certification.certificates import certificates_of_class
from skills_registry.documents import Document
from skills_registry.foundation.acts import Act
from skills_registry.foundation.lifecycle import Step
from skills_registry.training import attendance, opening, satisfaction
from skills_registry.training.assessments import standing
from skills_registry.training.attendance import Attendance
from skills_registry.training.attendance_doubts import SCAN
from skills_registry.training.changes import ClassChange
from skills_registry.training.classes import TrainingClass
from skills_registry.training.consents import Consent
from skills_registry.training.enrolments import Enrolment, roster
from skills_registry.training.opening import Missing
from skills_registry.training.timetable import Session, sessions_of
from skills_registry.training.uploads import Upload

STATES: dict[str, tuple[str, str]] = {
    "present": ("齐全", "present"),
    "missing": ("缺", "missing"),
    "not_applicable": ("不适用", "not applicable"),
}

#: The kind of document that a signed consent form is kept as.
_FORM = "consent_form"

#: Means of consent that leave no paper.
_WITHOUT_PAPER = ("electronic",)


@dataclass(frozen=True)
class Item:
    """One item of a class's file; ``count`` is how many records it has, ``lacking`` what to do about it."""

    code: str
    zh: str
    en: str
    state: str
    count: int = 0
    lacking: tuple[Missing, ...] = ()


@dataclass(frozen=True)
class Original:
    """A scan or other document that is kept with the class; ``name`` says what it is and names nobody."""

    item: str
    name: str
    document: Document


@dataclass(frozen=True)
class _Found:
    """What a look found: how many records, and what is lacking."""

    count: int
    lacking: tuple[Missing, ...] = ()


@dataclass(frozen=True)
class _Records:
    """What every look starts from, read once."""

    act: Act
    training_class: TrainingClass
    trainees: Sequence[Enrolment]
    sessions: Sequence[Session]
    done: frozenset[str]
    said: Mapping[str, Missing]
    originals: Sequence[Original]

    def also(self, *codes: str) -> tuple[Missing, ...]:
        """What the class's own rooms say of these."""
        return tuple(self.said[code] for code in codes if code in self.said)

    def kept(self, item: str) -> int:
        """How many originals of an item are kept."""
        return sum(original.item == item for original in self.originals)


def _lacks(there: int, code: str, zh: str, en: str) -> tuple[Missing, ...]:
    return () if there else (Missing(code, zh, en),)


def _step(action: str, code: str, zh: str, en: str) -> Callable[[_Records], _Found]:
    """Whether an act stands in the class's history."""

    def look(records: _Records) -> _Found:
        there = int(action in records.done)
        return _Found(there, _lacks(there, code, zh, en))

    return look


def _project(records: _Records) -> _Found:
    return _Found(int(records.training_class.project_id is not None))


def _timetable(records: _Records) -> _Found:
    return _Found(len(records.sessions), records.also("timetable", "teachers", "place"))


def _changes(records: _Records) -> _Found:
    reported = ClassChange.select().where(ClassChange.training_class == records.training_class.id)
    return _Found(reported.count(), records.also("change_waiting"))


def _roster(records: _Records) -> _Found:
    there = len(records.trainees)
    return _Found(
        there,
        _lacks(there, "roster", "还没有在班学员，请上传花名册。", "Nobody is enrolled; upload a roster."),
    )


def _consents(records: _Records) -> _Found:
    return _Found(len(_standing_consents(records)), records.also("consent_missing"))


def _standing_consents(records: _Records) -> list[Consent]:
    ids = [trainee.id for trainee in records.trainees]
    return list(Consent.select().where(Consent.enrolment.in_(ids) & (Consent.status == "given")))


def _consent_forms(records: _Records) -> _Found:
    scanned = {
        original.document.owner_id for original in records.originals if original.item == "consent_forms"
    }
    on_paper = [row for row in _standing_consents(records) if row.means not in _WITHOUT_PAPER]
    bare = sum(row.id not in scanned for row in on_paper)
    return _Found(
        records.kept("consent_forms"),
        _lacks(
            not bare,
            "consent_form_missing",
            f"有{bare}份纸质同意书没有扫描件，请扫描签署的同意书并上传。",
            f"{bare} consent(s) signed on paper have no scan; scan the signed forms and upload them.",
        ),
    )


def _attendance(records: _Records) -> _Found:
    marks = attendance.in_class(records.training_class).count()
    nothing = _lacks(
        marks,
        "attendance_missing",
        "还没有登记考勤，请按课次登记，或上传考勤表。",
        "No attendance is on record; record it by session, or upload the sheet.",
    )
    return _Found(marks, nothing or records.also("attendance_open"))


def _sign_in_sheets(records: _Records) -> _Found:
    scanned = {original.document.owner_id for original in records.originals}
    paper = attendance.in_class(records.training_class).where(Attendance.means == "paper")
    bare = len({row.session_id for row in paper if row.session.status == "closed"} - scanned)
    return _Found(
        records.kept("sign_in_sheets"),
        _lacks(
            not bare,
            "sign_in_sheet_missing",
            f"有{bare}次纸质签到的课没有签到表扫描件，请扫描签名的签到表并上传。",
            f"{bare} session(s) signed for on paper have no scan; scan the signed sheets and upload them.",
        ),
    )


def _assessments(records: _Records) -> _Found:
    held = sum(sitting.status == "held" for sitting in standing(records.training_class))
    return _Found(
        held,
        _lacks(
            held,
            "assessment_missing",
            "还没有登记结业考核，请报备考核并登记考核情况。",
            "No final assessment is on record; file it, and record that it was held.",
        ),
    )


def _results(records: _Records) -> _Found:
    without = sum(trainee.result is None for trainee in records.trainees)
    lacking = _lacks(
        bool(records.trainees) and not without,
        "results_missing",
        f"还有{without}名在班学员没有成绩，请补录成绩或办理退班。",
        f"{without} trainee(s) have no result; record it, or withdraw them.",
    )
    return _Found(len(records.trainees) - without, lacking + records.also("hours_differ_from_attendance"))


def _satisfaction(records: _Records) -> _Found:
    survey = satisfaction.survey_of(records.training_class)
    answers = survey.answers.count() if survey is not None else 0
    return _Found(
        answers,
        _lacks(
            answers,
            "satisfaction_missing",
            "还没有学员满意度回答，请印发满意度纸条。",
            "No trainee has answered about satisfaction; print the slips and hand them out.",
        ),
    )


def _certificates(records: _Records) -> _Found:
    issued = list(certificates_of_class(records.training_class.id))
    passed = sum(t.result is not None and t.result.outcome == "passed" for t in records.trainees)
    awaited = passed and not issued
    return _Found(
        len(issued),
        _lacks(
            not awaited,
            "certificates_missing",
            f"{passed}名合格学员的证书待审批后签发。",
            f"The certificates of {passed} trainee(s) who passed are issued when the class is approved.",
        ),
    )


def _uploads(records: _Records) -> _Found:
    return _Found(Upload.select().where(Upload.training_class == records.training_class.id).count())


_UNFILED = ("filing", "备案记录缺失，请从备份核对。", "The filing is not on record; compare with a backup.")
_UNOPENED = (
    "opening",
    "还没有开班，请由县（区）残联审核开班。",
    "The class is not opened; its county opens it.",
)
_UNSUBMITTED = (
    "submission",
    "还没有提交，请在成绩齐全后提交培训班。",
    "The class is not submitted; submit it once all results are there.",
)
_UNAPPROVED = ("approval", "还没有审批，请由市残联审批。", "The class is not approved; the city approves it.")

#: The items of a file in their order: code, what they are called, and how they are looked for.
ITEMS: tuple[tuple[str, str, str, Callable[[_Records], _Found]], ...] = (
    ("filing", "开班备案", "filing", _step("file", *_UNFILED)),
    ("project", "培训项目", "training project", _project),
    ("opening", "开班审核", "opening", _step("open", *_UNOPENED)),
    ("timetable", "课程表", "timetable", _timetable),
    ("changes", "开班变更", "reported changes", _changes),
    ("roster", "学员花名册", "roster", _roster),
    ("consents", "知情同意", "consents", _consents),
    ("consent_forms", "知情同意书扫描件", "signed consent forms", _consent_forms),
    ("attendance", "考勤", "attendance", _attendance),
    ("sign_in_sheets", "签到表扫描件", "signed sign-in sheets", _sign_in_sheets),
    ("assessments", "结业考核", "final assessments", _assessments),
    ("results", "考核成绩", "results", _results),
    ("satisfaction", "学员满意度", "trainee satisfaction", _satisfaction),
    ("submission", "提交审批", "submission", _step("submit", *_UNSUBMITTED)),
    ("approval", "审批", "approval", _step("approve", *_UNAPPROVED)),
    ("certificates", "培训合格证书", "certificates", _certificates),
    ("documents", "其他材料", "other documents", lambda records: _Found(records.kept("documents"))),
    ("uploads", "上传表格记录", "uploaded sheets", _uploads),
)


def contents(act: Act, training_class: TrainingClass) -> list[Item]:
    """The items of a class's file, in order; which of them must be there, the policy of its first day says."""
    required = act.policy.rule("class_file", training_class.starts_on)["required"]
    steps = Step.select(Step.action).where(Step.record_id == training_class.id).distinct()
    records = _Records(
        act=act,
        training_class=training_class,
        trainees=roster(training_class),
        sessions=sessions_of(training_class),
        done=frozenset(step.action for step in steps),
        said={found.code: found for look in opening.CHECKS for found in look(act, training_class)},
        originals=originals(training_class),
    )
    owed = required if training_class.status != "cancelled" else ()
    return [_item(code, zh, en, look(records), owed) for code, zh, en, look in ITEMS]


def _item(code: str, zh: str, en: str, found: _Found, required: Sequence[str]) -> Item:
    lacking = found.lacking if code in required else ()
    state = "missing" if lacking else "present" if found.count else "not_applicable"
    return Item(code, zh, en, state, found.count, lacking)


def is_complete(items: Sequence[Item]) -> bool:
    """Whether nothing is missing."""
    return all(item.state != "missing" for item in items)


def originals(training_class: TrainingClass) -> list[Original]:
    """The scans and documents that are kept with a class, each named by what it is."""
    # A session that the timetable dropped keeps its sheet; its day names it.
    sessions = {row.id: row for row in Session.select().where(Session.training_class == training_class.id)}
    numbers = {row.id: place for place, row in enumerate(sessions_of(training_class), 1)}
    consents = {
        row.id: row
        for row in Consent.select(Consent, Enrolment)
        .join(Enrolment)
        .where(Enrolment.training_class == training_class.id)
    }
    found = []
    for document in _kept_for([training_class.id, *sessions, *consents]):
        owner = document.owner_id
        if owner in sessions and document.kind == SCAN:
            number = f"第{numbers[owner]:03d}次课" if owner in numbers else "已取消课次"
            found.append(Original("sign_in_sheets", f"{number}_{sessions[owner].on:%Y%m%d}", document))
        elif owner in consents and document.kind == _FORM:
            row = consents[owner].enrolment.roster_row
            found.append(Original("consent_forms", f"花名册第{row:03d}行", document))
        else:
            found.append(Original("documents", document.kind, document))
    return sorted(found, key=lambda original: (original.item, original.name, original.document.id))


def _kept_for(owners: Sequence[UUID]) -> list[Document]:
    return list(Document.select().where(Document.owner_id.in_(list(owners)) & Document.standing))
