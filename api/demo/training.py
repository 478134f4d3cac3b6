"""What the city trains in 2026: projects on notice and announced, one class told session by session, its follow-up.

The class of the project goes the whole way: timetable, consents, attendance, an assessment with somebody who
fails, slips that trainees answer, certificates, and the first trainee's way into work. Its file is complete.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from api import demo_people as invented
from api.demo.city import SECOND, City
from api.demo.plan import MASSAGE, PASTRY
from api.demo_people import Learner
from certificates.document import fonts
from skills_registry import employment
from skills_registry.bases import Base, Trade, entries
from skills_registry.bases.entries import SiteFacts, TeacherFacts
from skills_registry.certification import held, issuing
from skills_registry.employment import Facts
from skills_registry.foundation.acts import PUBLIC
from skills_registry.spreadsheets import table_workbook
from skills_registry.training import (
    assessments,
    attendance,
    enrolments,
    filing,
    opening,
    project_planning,
    satisfaction,
    sittings,
    timetable,
    uploads,
)
from skills_registry.training.attendance import Marked
from skills_registry.training.classes import TrainingClass
from skills_registry.training.filing import Filing
from skills_registry.training.projects import TrainingProject
from skills_registry.training.timetable_rules import PlannedSession

# Bases by their place in the plan.
SUNSHINE, STONES = 0, 5

_PEOPLE, _HOURS, _ANSWERS = 12, 60, 9
_FIRST, _LAST, _EXAM = date(2026, 3, 16), date(2026, 4, 3), date(2026, 4, 8)
_NOTE = "演示数据 / invented"

_PROJECT: dict[str, Any] = {
    "year": 2026,
    "funding_source": "disability_security_fund",
    "training_type": "employment_skills",
    "target_group": "就业年龄段内有就业意愿、未就业的持证人员",
    "planned_hours": _HOURS,
}


def train_all(city: City) -> TrainingClass:
    """Projects, and the class of one of them; answers with the class."""
    base = city.bases[SUNSHINE]
    massage = _trade(MASSAGE, "level5_junior")
    project = _noticed(
        city, "630202", date(2026, 1, 5), [base], massage, title="2026年保健按摩技能培训", planned_people=60,
        budget=180_000,
    )  # fmt: skip
    project_planning.announce(city.act("630200", "city_officer", date(2026, 1, 19)), project)
    pastry = _trade(PASTRY, "level5_junior")
    _noticed(
        city, "630200", date(2026, 6, 8), [base, city.bases[STONES]], pastry, title="2026年中式面点技能培训",
        planned_people=90, budget=260_000,
    )  # fmt: skip
    training_class = _planned(city, base, project)
    learners = _enrolled(city, training_class)
    _attended(city, training_class)
    _examined(city, training_class, learners)
    _asked(city, training_class)
    _approved(city, training_class)
    _followed_up(city, training_class)
    return training_class


def _trade(trade: Trade, level: str) -> dict[str, str]:
    return {"edition": trade.edition, "code": trade.code, "name": trade.name, "level": level}


def _noticed(
    city: City, place: str, on: date, bases: Sequence[Base], trade: dict[str, str], **facts: Any
) -> TrainingProject:
    role: Any = "city_officer" if place.endswith("00") else "county_officer"
    act = city.act(place, role, on)
    counties = sorted({base.division_code for base in bases})
    plan = project_planning.Plan(**_PROJECT, **facts, counties=counties, bases=list(bases), trades=[trade])
    project = project_planning.draft(act, plan)
    title, text = project_planning.notice_text(act, project)
    project_planning.publish(act, project, title=title, text=text)
    return project


def _planned(city: City, base: Base, project: TrainingProject) -> TrainingClass:
    """Filed with fifteen mornings at the base's own site with its own teacher, and opened."""
    clerk = city.act(base.name, "base_clerk", date(2026, 2, 25))
    site = entries.add_site(
        clerk, base,
        SiteFacts(name="一楼实训室", address="演示地址", area=240, capacity=40, tenure="own", tenure_until=None,
                  accessibility=["step_free_entrance", "handrails"]),
    )  # fmt: skip
    teacher = entries.add_teacher(
        clerk, base,
        TeacherFacts(name="祁玉兰", qualification="高级技师", level="一级", full_time=True, course="保健按摩"),
    )  # fmt: skip
    occupation = {"edition": MASSAGE.edition, "code": MASSAGE.code, "name": MASSAGE.name}
    asked = Filing(
        title="2026年保健按摩师五级项目班", training_type="employment_skills", starts_on=_FIRST, ends_on=_LAST,
        class_hours=_HOURS, capacity=20, occupation=occupation, level="level5_junior", project=project.id,
    )  # fmt: skip
    training_class, _ = filing.file_class(clerk, base, asked)
    kinds = ["safety", *["theory"] * 4, *["practice"] * 10]
    days = [_FIRST + timedelta(week * 7 + day) for week in range(3) for day in range(5)]
    sessions = [
        PlannedSession(day, "08:30", "12:00", Decimal(4), f"第{place}讲", kind, site.id, "", teacher.id)
        for place, (day, kind) in enumerate(zip(days, kinds, strict=True), 1)
    ]
    timetable.set_timetable(clerk, training_class, timetable.numbered(sessions))
    county = city.act(base.division_code, "county_officer", date(2026, 3, 3))
    return opening.open_class(county, training_class)


def _enrolled(city: City, training_class: TrainingClass) -> list[Learner]:
    chance = Random(20260316)  # nosec B311  # invented people, the same at every start
    learners = [one for one, _ in zip(invented.people(chance), range(_PEOPLE), strict=False)]
    header = (
        "姓名",
        "性别",
        "公民身份号码",
        "联系电话",
        "文化程度",
        "辅助需求",
        "知情同意日期",
        "知情同意方式",
    )
    rows = [
        (one.name, one.sex, one.citizen_id, one.phone, "初中", "手语翻译" if place % 5 == 0 else "",
         "2026-03-12", "电子签名")
        for place, one in enumerate(learners)
    ]  # fmt: skip
    _upload(city, training_class, "roster", header, rows, date(2026, 3, 13))
    return learners


def _upload(
    city: City,
    training_class: TrainingClass,
    kind: str,
    header: Sequence[str],
    rows: Sequence[Sequence[Any]],
    on: date,
) -> None:
    clerk = city.act(training_class.base.name, "base_clerk", on)
    sheet = table_workbook("演示", _NOTE, header, rows)
    upload = uploads.stage(clerk, training_class, kind, sheet, uncovered=fonts.uncovered)
    uploads.confirm(clerk, upload)


def _attended(city: City, training_class: TrainingClass) -> None:
    """Called by the teacher each morning; the third trainee is on leave once."""
    trainees = enrolments.roster(training_class)
    for place, session in enumerate(timetable.sessions_of(training_class)):
        clerk = city.act(training_class.base.name, "base_clerk", session.on)
        marks = [
            Marked(trainee.id, "leave" if (place, row) == (6, 2) else "present", "teacher")
            for row, trainee in enumerate(trainees)
        ]
        attendance.record(clerk, session, marks)
        attendance.close_session(clerk, session)


def _examined(city: City, training_class: TrainingClass, learners: Sequence[Learner]) -> None:
    """Examined by somebody from outside; the last trainee fails the practice."""
    base = training_class.base
    judge = assessments.Judge(name="马文礼", organisation="演示：某技师学院")
    plan = assessments.Plan(_EXAM, "一楼实训室", [judge])
    sitting, _ = assessments.plan_assessment(
        city.act(base.name, "base_clerk", date(2026, 3, 23)), training_class, plan
    )
    sittings.hold_assessment(city.act(base.name, "base_clerk", _EXAM), sitting, {})
    attended = attendance.hours_attended(training_class) or {}
    rows = [
        (one.name, one.citizen_id, float(attended[trainee.id]), 70 + place, 45 if place == _PEOPLE - 1 else 72 + place)
        for place, (one, trainee) in enumerate(zip(learners, enrolments.roster(training_class), strict=True))
    ]  # fmt: skip
    header = ("姓名", "公民身份号码", "出勤课时", "理论成绩", "实操成绩")
    _upload(city, training_class, "results", header, rows, _EXAM)


def _asked(city: City, training_class: TrainingClass) -> None:
    clerk = city.act(training_class.base.name, "base_clerk", _LAST)
    survey = satisfaction.ask_trainees(clerk, training_class)
    rule = satisfaction.rule_of(clerk.policy, training_class)
    passer_by = replace(city.act("630200", "auditor", _EXAM), by=PUBLIC)
    for place, code in enumerate(satisfaction.codes_of(clerk.vault, survey)[:_ANSWERS]):
        faces = {question["code"]: "so_so" if place % 4 == 0 else "good" for question in rule["questions"]}
        satisfaction.answer(passer_by, code, faces, helped=place == 1)


def _approved(city: City, training_class: TrainingClass) -> None:
    clerk = city.act(training_class.base.name, "base_clerk", date(2026, 4, 10))
    opening.submit_class(clerk, training_class)
    officer = city.act("630200", "city_officer", date(2026, 4, 15))
    city.issued += issuing.issue(officer, training_class, city.service.signer(), fonts.uncovered)
    city.classes.append(training_class)


def _followed_up(city: City, training_class: TrainingClass) -> None:
    """The first trainee: the year's four services, work in a shop, and a certificate of another body."""
    base, trainee = training_class.base, enrolments.roster(training_class)[0]
    county = city.act(base.division_code, "county_officer", date(2026, 5, 20))
    other = city.act(base.division_code + SECOND, "county_officer", date(2026, 5, 25))
    for service in employment.SERVICES:
        employment.record_service(county, trainee.person, service, date(2026, 5, 18), "演示：已办理。")
    work = Facts(form="flexible", started_on=date(2026, 5, 6), evidence=())
    clerk = city.act(base.name, "base_clerk", date(2026, 5, 12))
    reported, _ = employment.report(clerk, trainee.person, work, enrolment=trainee)
    employment.confirm(county, reported, "演示：电话核实。")
    other_body = held.Held(
        kind="skill_level", number="Y000063000999000001", issuer="演示：某技能评价机构",
        issued_on=date(2026, 5, 15), occupation=MASSAGE.name, edition=MASSAGE.edition, code=MASSAGE.code,
    )  # fmt: skip
    registered, _ = held.register(county, trainee.person, other_body)
    held.verify(other, registered, "演示：与原件核对一致。")
