"""The tables of a class's file from its assessment on: sittings, results, satisfaction, certificates, uploads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from skills_registry.bases.entries import Teacher, teacher_name
from skills_registry.certification.certificates import (
    CERTIFICATE,
    Certificate,
    certificates_of_class,
    name_on,
)
from skills_registry.class_files.tables import Cell, Table, everyone, moment, rows_of
from skills_registry.foundation.acts import Act
from skills_registry.training import enrolments, satisfaction
from skills_registry.training.assessments import ASSESSMENT, Assessment, Judge, assessments_of, examiners_of
from skills_registry.training.classes import TrainingClass
from skills_registry.training.enrolments import OUTCOMES, Result
from skills_registry.training.sittings import PRESENCES, Candidate
from skills_registry.training.uploads import UPLOAD, Upload, UploadRow

_KIND_NAMES = {
    "roster": "花名册",
    "results": "成绩表",
    "timetable": "课程表",
    "attendance": "考勤表",
    "employment": "就业回访表",
}


def tables_of(act: Act, training_class: TrainingClass) -> Iterator[Table]:
    """The tables from assessment on, in the order of the items; one without rows is left out."""
    made = (
        _sittings(act, training_class),
        _candidates(training_class),
        _results(act, training_class),
        _satisfaction(act, training_class),
        _certificates(act, training_class),
        _uploads(training_class),
    )
    return (table for table in made if table.rows)


def _sittings(act: Act, training_class: TrainingClass) -> Table:
    titles = ("场次", "首日", "末日", "地点", "科目", "考评员", "状态")
    rows = [
        (
            "首次" if row.sitting == 1 else f"补考{row.sitting - 1}",
            row.held_on.isoformat(),
            row.held_until.isoformat(),
            row.place,
            "、".join(training_class.papers.get(code, code) for code in row.papers),
            "、".join(_examiner(act, judge) for judge in examiners_of(act.vault, row)),
            ASSESSMENT.states[row.status][0],
        )
        for row in assessments_of(training_class)
    ]
    return Table("assessments", "结业考核", titles, rows)


def _examiner(act: Act, judge: Judge) -> str:
    if judge.teacher is not None:
        return f"{teacher_name(act.vault, Teacher.get_by_id(judge.teacher))}（本基地教师）"
    return f"{judge.name}（{judge.organisation}）"


def _candidates(training_class: TrainingClass) -> Table:
    numbers = rows_of(training_class)
    found = (
        Candidate.select(Candidate, Assessment)
        .join(Assessment)
        .where(Assessment.training_class == training_class.id)
    )
    rows = sorted(
        (row.assessment.sitting, numbers[row.enrolment_id], PRESENCES[row.presence][0]) for row in found
    )
    return Table("assessments", "考生出席", ("场次", "花名册行", "出席情况"), rows)


def _results(act: Act, training_class: TrainingClass) -> Table:
    """Every result, also those that a later one replaced."""
    papers = training_class.papers
    titles = ("花名册行", "姓名", "出勤课时", *papers.values(), "结论", "场次", "登记时间", "是否有效")
    known = {row.id: row for row in everyone(training_class)}
    names = {key: enrolments.name_of(act.vault, row) for key, row in known.items()}
    sittings = {row.id: row.sitting for row in assessments_of(training_class)}
    found = list(Result.select().where(Result.enrolment.in_(list(known))))
    rows: list[tuple[Cell, ...]] = [
        (
            known[row.enrolment_id].roster_row,
            names[row.enrolment_id],
            float(row.hours),
            *(_score(row, code) for code in papers),
            OUTCOMES[row.outcome][0],
            sittings.get(row.assessment_id, "") if row.assessment_id else "",
            moment(row.recorded_at),
            "有效" if row.current else "已被替代",
        )
        for row in sorted(found, key=lambda row: (known[row.enrolment_id].roster_row, row.id))
    ]
    return Table("results", "考核成绩", titles, rows)


def _score(result: Result, paper: str) -> Cell:
    score = result.scores.get(paper, "")
    return "缺考" if score is None else "" if score == "" else float(score)


def _satisfaction(act: Act, training_class: TrainingClass) -> Table:
    survey = satisfaction.survey_of(training_class)
    titles = ("问题", "内容")
    if survey is None:
        return Table("satisfaction", "学员满意度", titles, ())
    tally = satisfaction.tally(act.policy, survey, act.today)
    rows: list[tuple[Cell, Cell]] = [("印发纸条", tally.slips), ("回答", tally.answers)]
    if tally.percent is None:
        rows.append(("结果", f"回答期满且不少于{survey.least_answers}份时显示"))
    else:
        rule = satisfaction.rule_of(act.policy, training_class)
        words: dict[str, Any] = {face["code"]: face["zh"] for face in rule["faces"]}
        rows += [("满意度（%）", float(tally.percent)), ("由他人协助", tally.helped or 0)]
        rows += [
            (question.zh, "；".join(f"{words[face]}{count}" for face, count in question.counts.items()))
            for question in tally.questions
        ]
    return Table("satisfaction", "学员满意度", titles, rows)


def _certificates(act: Act, training_class: TrainingClass) -> Table:
    numbers = rows_of(training_class)
    issued = list(certificates_of_class(training_class.id))
    known = {row.id: row.number for row in issued}
    titles = ("证书编号", "花名册行", "姓名", "发证日期", "有效期至", "状态", "替代的证书")
    rows = [_certificate(act, row, numbers.get(row.enrolment_id, ""), known) for row in issued]
    return Table("certificates", "证书名册", titles, rows)


def _certificate(act: Act, row: Certificate, place: Cell, known: dict[Any, str]) -> tuple[Cell, ...]:
    return (
        row.number,
        place,
        name_on(act.vault, row),
        row.issued_on.isoformat(),
        str(row.expires_on or ""),
        CERTIFICATE.states[row.status][0],
        known.get(row.replaces_id, ""),
    )


def _uploads(training_class: TrainingClass) -> Table:
    titles = ("上传时间", "表格", "SHA-256", "状态", "可登记行", "退回行")
    rows = []
    for row in Upload.select().where(Upload.training_class == training_class.id).order_by(Upload.id):
        refused = row.rows.where(UploadRow.outcome != "accepted").count()
        kind = _KIND_NAMES.get(row.kind, row.kind)
        state = UPLOAD.states[row.status][0]
        rows.append((moment(row.staged_at), kind, row.digest, state, row.rows.count() - refused, refused))
    return Table("uploads", "上传表格记录", titles, rows)
