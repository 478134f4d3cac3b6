"""The tables of a class's file before its assessment: filing, history, project, timetable, roster, consents, attendance.

A table is plain text and numbers, Chinese first, for a spreadsheet. Numbers of identity are masked and telephone
numbers left out: whoever needs one of them reveals it, person by person. Trainees are named by their roster row
too, so that tables can be laid beside each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from peewee import JOIN

from skills_registry import people
from skills_registry.bases.entries import Site, Teacher, teacher_name
from skills_registry.foundation.acts import ROLES, SHANGHAI, Act
from skills_registry.foundation.identifiers import division_name, masked_citizen_id
from skills_registry.foundation.levels import LEVELS
from skills_registry.foundation.lifecycle import Step, steps_of
from skills_registry.foundation.problems import FIELD_NAMES
from skills_registry.people import Person
from skills_registry.training import enrolments
from skills_registry.training.attendance import MARKS, MEANS, in_class, tallies
from skills_registry.training.changes import CHANGE_KINDS, CLASS_CHANGE, ClassChange
from skills_registry.training.classes import TRAINING_CLASS, TrainingClass
from skills_registry.training.consents import CONSENT, Consent
from skills_registry.training.consents import MEANS as CONSENT_MEANS
from skills_registry.training.enrolments import ENROLMENT, Enrolment
from skills_registry.training.particulars import accommodation_kinds, accommodations_given, particulars_of
from skills_registry.training.projects import TRAINING_TYPES, bases_of, funding_sources, place, trade_text
from skills_registry.training.timetable import SESSION, Session, place_of, sessions_of, versions_of
from skills_registry.training.timetable_rules import SESSION_KINDS

#: The step that a reading leaves; being read is no part of a file.
READ = "read"

#: What a cell can be.
Cell = str | int | float

#: The acts of a class's history in words; an act without words here stands by its code.
ACTS: dict[str, str] = {
    "file": "备案", "open": "开班", "cancel": "取消", "dissolve": "解散", "submit": "提交", "return": "退回",
    "approve": "审批发证", "hand_over": "移交其他基地", "set_timetable": "排定课程表", "report_change": "报告变更",
    "move_dates": "调整班期", "enrol_one": "单个报名", "substitute": "替补", "withdraw": "退班", "rejoin": "复学",
    "correct_name": "更正姓名", "withdraw_consent": "撤回同意", "record_attendance": "登记考勤",
    "close_session": "结束课次", "correct_attendance": "更正考勤", "plan_assessment": "报备考核",
    "change_assessment": "变更考核", "call_off_assessment": "取消考核", "hold_assessment": "登记考核",
    "correct_presence": "更正考核出席", "ask_satisfaction": "印发满意度纸条",
    "stage_roster": "上传花名册", "record_roster": "确认花名册", "stage_results": "上传成绩表",
    "record_results": "确认成绩表", "stage_timetable": "上传课程表", "record_timetable": "确认课程表",
    "stage_attendance": "上传考勤表", "keep_document": "收存材料",
    "take_out_document": "撤下材料",
}  # fmt: skip

#: Particulars that no table shows.
_LEFT_OUT = ("guardian_phone",)


@dataclass(frozen=True)
class Table:
    """One table of the file: its item, what it is called, its columns and rows."""

    item: str
    name: str
    titles: tuple[str, ...]
    rows: Sequence[Sequence[Cell]] = field(repr=False)


def tables_of(act: Act, training_class: TrainingClass) -> Iterator[Table]:
    """The tables up to attendance, in the order of the items; one without rows is left out."""
    made = (
        _filing(training_class),
        _history(training_class),
        _project(act, training_class),
        _timetable(act, training_class),
        _versions(training_class),
        _changes(training_class),
        _roster(act, training_class),
        _consents(training_class),
        _attendance(act, training_class),
        _corrections(training_class),
    )
    return (table for table in made if table.rows)


def moment(at: datetime | None) -> str:
    """An instant as it was in Haidong, to the minute."""
    return "" if at is None else f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def rows_of(training_class: TrainingClass) -> dict[UUID, int]:
    """The roster row of everybody who ever was in the class, by enrolment."""
    return {row.id: row.roster_row for row in everyone(training_class)}


def everyone(training_class: TrainingClass) -> list[Enrolment]:
    """Everybody who ever was in the class, also who left it, in roster order."""
    found = Enrolment.select(Enrolment, Person).join(Person)
    return list(
        found.where(Enrolment.training_class == training_class.id).order_by(
            Enrolment.roster_row, Enrolment.id
        )
    )


def _filing(training_class: TrainingClass) -> Table:
    level = LEVELS[training_class.level].zh if training_class.level else ""
    facts: dict[str, Cell] = {
        "备案号": training_class.filing_no,
        "班级名称": training_class.title,
        "承训基地": training_class.base.name,
        "培训类型": TRAINING_TYPES[training_class.training_type][0],
        "职业（工种）或课程": training_class.subject,
        "职业编码": " ".join(
            filter(None, (training_class.occupation_edition, training_class.occupation_code))
        ),
        "等级": level,
        "开班日期": training_class.starts_on.isoformat(),
        "结业日期": training_class.ends_on.isoformat(),
        "课时": training_class.class_hours,
        "计划人数": training_class.capacity,
        "考核科目": "、".join(training_class.papers.values()),
        "备案时间": moment(training_class.filed_at),
        "当前状态": TRAINING_CLASS.states[training_class.status][0],
    }
    return Table("filing", "开班备案", ("项目", "内容"), [row for row in facts.items() if row[1] != ""])


def _history(training_class: TrainingClass) -> Table:
    titles = ("时间", "办理", "办理前", "办理后", "角色", "账号", "理由")
    rows = [_told(step) for step in steps_of(training_class.id) if step.action != READ]
    return Table("opening", "办理过程", titles, rows)


def _told(step: Step) -> tuple[str, ...]:
    before, after = (TRAINING_CLASS.states[s][0] if s else "" for s in (step.origin, step.to))
    role, account = ROLES[step.by_role][0], str(step.by_account or "")
    return moment(step.at), ACTS.get(step.action, step.action), before, after, role, account, step.reason


def _project(act: Act, training_class: TrainingClass) -> Table:
    project = training_class.project
    titles = ("项目", "内容")
    if project is None:
        return Table("project", "培训项目", titles, ())
    drafted = project.drafted_at.astimezone(SHANGHAI).date()
    facts: dict[str, Cell] = {
        "年度": project.year,
        "名称": project.title,
        "资金来源": funding_sources(act.policy, drafted)[project.funding_source][0],
        "培训类型": TRAINING_TYPES[project.training_type][0],
        "培训对象": project.target_group,
        "计划人数": project.planned_people,
        "每班课时": project.planned_hours,
        "预算（元）": project.budget,
        "实施县区": "、".join(map(place, project.counties)),
        "职业（工种）": "；".join(map(trade_text, project.trades)),
        "承训基地": "、".join(base.public_name for base in bases_of(project)),
        "公布日期": project.announced_on.isoformat() if project.announced_on else "",
    }
    return Table("project", "培训项目", titles, list(facts.items()))


def _timetable(act: Act, training_class: TrainingClass) -> Table:
    """Every session that any version ever had; the present ones carry their number."""
    numbers = {row.id: place for place, row in enumerate(sessions_of(training_class), 1)}
    titles = (
        "课次", "日期", "开始时间", "结束时间", "课时", "内容", "类别", "地点", "教师", "状态", "起始版本", "终止版本",
    )  # fmt: skip
    every = (
        Session.select(Session, Site, Teacher)
        .join_from(Session, Site, JOIN.LEFT_OUTER)
        .join_from(Session, Teacher, JOIN.LEFT_OUTER)
        .where(Session.training_class == training_class.id)
    )
    rows = [
        (
            numbers.get(row.id, "—"),
            row.on.isoformat(),
            row.starts_at,
            row.ends_at,
            float(row.class_hours),
            row.content,
            SESSION_KINDS[row.kind][0],
            place_of(row),
            teacher_name(act.vault, row.teacher) if row.teacher else "",
            SESSION.states[row.status][0],
            row.first_version,
            row.last_version or "",
        )
        for row in every.order_by(Session.on, Session.starts_at, Session.id)
    ]
    return Table("timetable", "课程表", titles, rows)


def _versions(training_class: TrainingClass) -> Table:
    rows = [(row.version, moment(row.made_at), row.reason) for row in versions_of(training_class)]
    return Table("timetable", "课程表版本", ("版本", "排定时间", "理由"), rows)


def _changes(training_class: TrainingClass) -> Table:
    found = ClassChange.select().where(ClassChange.training_class == training_class.id)
    titles = ("报告时间", "变更内容", "开班日期", "结业日期", "理由", "结果")
    rows = [
        (
            moment(row.reported_at),
            CHANGE_KINDS[row.kind][0],
            str(row.starts_on or ""),
            str(row.ends_on or ""),
            row.reason,
            CLASS_CHANGE.states[row.status][0],
        )
        for row in found.order_by(ClassChange.id)
    ]
    return Table("changes", "开班变更", titles, rows)


def _roster(act: Act, training_class: TrainingClass) -> Table:
    titles = (
        "花名册行", "姓名", "公民身份号码", "在班情况", "报名时间", "替补（花名册行）",
        "退班理由", "学员情况", "已提供的辅助",
    )  # fmt: skip
    known = everyone(training_class)
    numbers = {row.id: row.roster_row for row in known}
    left = _last_withdrawals(known)
    needs = {kind["code"]: kind["zh"] for kind in accommodation_kinds(act.policy, training_class.starts_on)}
    rows = [
        (
            row.roster_row,
            enrolments.name_of(act.vault, row),
            masked_citizen_id(people.citizen_id_of(act.vault, row.person)),
            ENROLMENT.states[row.status][0],
            moment(row.enrolled_at),
            numbers.get(row.substitutes_id, "") if row.substitutes_id else "",
            left.get(row.id, ""),
            _particulars(particulars_of(act.vault, row), needs),
            _given(act, row, needs),
        )
        for row in known
    ]
    return Table("roster", "学员花名册", titles, rows)


def _given(act: Act, enrolment: Enrolment, needs: Mapping[str, str]) -> str:
    given = accommodations_given(act.vault, enrolment)
    return "；".join(f"{needs.get(one['code'], one['code'])}（{one['given_on']}起）" for one in given)


def _last_withdrawals(known: Sequence[Enrolment]) -> dict[UUID, str]:
    left = [row.id for row in known if row.status == "withdrawn"]
    steps = Step.select().where(Step.record_id.in_(left) & (Step.action == "withdraw")).order_by(Step.id)
    return {step.record_id: step.reason for step in steps}


def _particulars(told: Mapping[str, Any], needs: Mapping[str, str]) -> str:
    parts = []
    for code, value in told.items():
        if code in _LEFT_OUT:
            continue
        shown = value
        if code == "accommodations":
            shown = "、".join(needs.get(need, need) for need in value)
        if code == "residence_division":
            shown = division_name(value) or value
        parts.append(f"{FIELD_NAMES.get(code, (code,))[0]}：{shown}")
    return "；".join(parts)


def _consents(training_class: TrainingClass) -> Table:
    numbers = rows_of(training_class)
    found = Consent.select().where(Consent.enrolment.in_(list(numbers)))
    rows = sorted(
        (
            numbers[row.enrolment_id],
            row.given_on.isoformat(),
            CONSENT_MEANS[row.means][0],
            row.text_version,
            CONSENT.states[row.status][0],
            moment(row.withdrawn_at),
        )
        for row in found
    )
    titles = ("花名册行", "同意日期", "方式", "同意书文本", "状态", "撤回时间")
    return Table("consents", "知情同意", titles, rows)


def _attendance(act: Act, training_class: TrainingClass) -> Table:
    """One row for each trainee, one column for each session, as the marks stand."""
    marks: dict[tuple[UUID, UUID], str] = {}
    for row in in_class(training_class):
        marks[row.enrolment_id, row.session_id] = f"{MARKS[row.mark][0]}（{MEANS[row.means][0]}）"
    if not marks:
        return Table("attendance", "考勤", (), ())
    sessions = sessions_of(training_class)
    rows: list[tuple[Cell, ...]]
    titles = ("花名册行", "姓名", "出勤课时", *(f"{row.on:%m-%d} {row.starts_at}" for row in sessions))
    rows = [
        (
            tally.enrolment.roster_row,
            enrolments.name_of(act.vault, tally.enrolment),
            float(tally.hours),
            *(marks.get((tally.enrolment.id, session.id), "") for session in sessions),
        )
        for tally in tallies(training_class)
    ]
    return Table("attendance", "考勤", titles, rows)


def _corrections(training_class: TrainingClass) -> Table:
    numbers, sessions = rows_of(training_class), {row.id: row for row in sessions_of(training_class)}
    steps = Step.select().where(Step.record_id.in_(list(sessions)) & (Step.action == "correct_attendance"))
    titles = ("更正时间", "日期", "开始时间", "花名册行", "原登记", "更正为", "角色", "账号", "理由")
    rows = [
        (
            moment(step.at),
            sessions[step.record_id].on.isoformat(),
            sessions[step.record_id].starts_at,
            numbers.get(UUID(step.detail["enrolment"]), ""),
            MARKS[step.detail["from"]][0] if step.detail["from"] else "",
            MARKS[step.detail["to"]][0],
            ROLES[step.by_role][0],
            str(step.by_account or ""),
            step.reason,
        )
        for step in steps.order_by(Step.id)
    ]
    return Table("attendance", "考勤更正", titles, rows)
