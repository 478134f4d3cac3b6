"""A person's file on paper (一人一档): the same facts as the JSON, for the person, Chinese first.

Every entry has a heading of its own and one line for each fact, with its name before it: large letters
have room, and who listens can go from entry to entry. A section without entries says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from api.callers import act
from api.person_files import accommodation_names
from certificates import papers
from certificates.document.wording import chinese_date
from skills_registry.certification.certificates import CERTIFICATE, CERTIFICATE_KINDS
from skills_registry.certification.held import HELD_CERTIFICATE, HELD_KINDS, HELD_LEVELS
from skills_registry.employment import EMPLOYMENT, EMPLOYMENT_SERVICE, FORMS, SERVICES
from skills_registry.employment.employments import evidence_kinds
from skills_registry.foundation.acts import SHANGHAI
from skills_registry.foundation.identifiers import division_name
from skills_registry.foundation.levels import LEVELS
from skills_registry.foundation.problems import FIELD_NAMES
from skills_registry.person_files import CORRECTABLE, CORRECTION_REQUEST, PersonFile
from skills_registry.person_files.gathering import AtWork, Training
from skills_registry.training.attendance import MARKS
from skills_registry.training.classes import TRAINING_CLASS
from skills_registry.training.consents import CONSENT, MEANS, Consent
from skills_registry.training.enrolments import ENROLMENT, OUTCOMES, Result

SEXES = {"male": "男", "female": "女"}

#: What stands where nothing is known.
_NOTHING = "—"


@dataclass(frozen=True)
class Section:
    """One part of the paper: entries, the first of a row being its heading, or the sentence ``empty``."""

    zh: str
    en: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    empty: str
    note: str = ""

    @property
    def entries(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """Each entry's heading, and its facts with their names; what is not known is left out."""
        return [
            (row[0], [fact for fact in zip(self.columns[1:], row[1:], strict=True) if fact[1] != _NOTHING])
            for row in self.rows
        ]


def draw_file(file: PersonFile) -> bytes:
    """A person's file as an accessible PDF (PDF/UA-1).

    :raises Undrawable: no installed font covers a character of it.
    """
    about = {
        "made_on": file.made_at.astimezone(SHANGHAI).date(),
        "city": act().policy.city,
        "person": _person(file),
        "whole": file.whole,
        "sections": list(_sections(file)),
    }
    return papers.draw("person_file", about)


def _person(file: PersonFile) -> list[tuple[str, str]]:
    """The particulars: title and value, in the order of the paper."""
    lives = file.residences[-1:]
    told = [
        ("姓名", file.name),
        ("公民身份号码", file.citizen_id),
        ("性别", SEXES.get(file.person.sex, _NOTHING)),
    ]
    if file.birth_date is not None:
        told.append(("出生日期", chinese_date(file.birth_date)))
    if file.whole and file.disability_card:
        told.append(("残疾人证号", file.disability_card))
    told += [("常住地", division_name(row.division_code) or row.division_code) for row in lives]
    return told


def _sections(file: PersonFile) -> Iterator[Section]:
    yield Section(
        "培训经历",
        "Training",
        (
            "培训班",
            "内容",
            "培训基地",
            "起止日期",
            "课时",
            "考勤",
            "状态",
            "成绩",
            "登记情况",
            "合理便利",
            "知情同意",
        ),
        [_training(training) for training in file.trainings],
        "没有培训记录。",
    )
    yield _certificates(file)
    yield _held(file)
    yield _services(file)
    yield _employments(file)
    yield _corrections(file)


def _training(training: Training) -> tuple[str, ...]:
    taught = training.training_class
    withdrawn = training.enrolment.status != "enrolled"
    state = ENROLMENT.states["withdrawn"] if withdrawn else TRAINING_CLASS.states[taught.status]
    attended = "" if training.hours is None else f"，出勤{training.hours.normalize():f}课时"
    return (
        taught.title,
        _named(taught.subject, taught.level),
        training.base_name,
        f"{chinese_date(taught.starts_on)}至{chinese_date(taught.ends_on)}",
        f"共{taught.class_hours}课时{attended}",
        "，".join(f"{MARKS[mark][0]}{count}次" for mark, count in training.marks.items()) or _NOTHING,
        state[0],
        "；".join(_result(result, taught.papers) for result in training.results) or _NOTHING,
        _particulars(training),
        _given(training),
        "；".join(_consent(consent) for consent in training.consents) or _NOTHING,
    )


def _particulars(training: Training) -> str:
    """What the roster said of the person, each with its name; codes of divisions and needs by their names."""
    names = accommodation_names(training)
    told = []
    for code, value in training.particulars.items():
        shown = value
        if code == "accommodations":
            shown = "、".join(names[need][0] if need in names else need for need in value)
        if code == "residence_division":
            shown = division_name(value) or value
        told.append(f"{FIELD_NAMES.get(code, (code,))[0]}：{shown}")
    return "；".join(told) or _NOTHING


def _given(training: Training) -> str:
    names = accommodation_names(training)
    return (
        "；".join(
            f"{names.get(given['code'], (given['code'],))[0]}（{given['given_on']}起）"
            for given in training.given
        )
        or _NOTHING
    )


def _consent(consent: Consent) -> str:
    state = "" if consent.status == "given" else f"，{CONSENT.states[consent.status][0]}"
    return f"{chinese_date(consent.given_on)}，{MEANS[consent.means][0]}（文本{consent.text_version}）{state}"


def _named(subject: str, level: str) -> str:
    return f"{subject}，{LEVELS[level].zh}" if level else subject


def _result(result: Result, names: dict[str, str]) -> str:
    marks = "、".join(
        f"{names.get(paper, paper)}{'缺考' if score is None else f'{score}分'}"
        for paper, score in result.scores.items()
    )
    earlier = "" if result.current else "（已被后来的成绩替代）"
    return f"{OUTCOMES[result.outcome][0]}：{marks}{earlier}"


def _certificates(file: PersonFile) -> Section:
    rows = [
        (
            row.number,
            CERTIFICATE_KINDS[row.kind][0],
            "，".join(filter(None, (row.competition, _named(row.subject, row.level), row.prize))),
            row.base_name,
            chinese_date(row.issued_on),
            CERTIFICATE.states[row.status][0] + _until(row.expires_on),
        )
        for row in file.certificates
    ]
    columns = ("证书编号", "证书", "内容", "颁发单位", "发证日期", "状态")
    return Section("本平台登记颁发的证书", "Certificates issued here", columns, rows, "没有证书。")


def _until(day: date | None) -> str:
    return f"，有效期至{chinese_date(day)}" if day else ""


def _held(file: PersonFile) -> Section:
    rows = []
    for entry in file.held:
        row = entry.record
        level = HELD_LEVELS[row.level][0] if row.level else ""
        rows.append(
            (
                HELD_KINDS[row.kind][0],
                entry.number,
                row.issuer,
                "，".join(filter(None, (row.occupation_name, level))) or _NOTHING,
                chinese_date(row.issued_on),
                HELD_CERTIFICATE.states[row.status][0] + _until(row.expires_on),
            )
        )
    columns = ("证书", "编号", "颁发单位", "职业和等级", "发证日期", "状态")
    return Section(
        "其他机构颁发的证书", "Certificates of other bodies", columns, rows, "没有登记其他机构的证书。"
    )


def _services(file: PersonFile) -> Section:
    rows = [
        (
            SERVICES[given.record.service][0],
            chinese_date(given.record.given_on),
            given.outcome or _NOTHING,
            EMPLOYMENT_SERVICE.states[given.record.status][0],
        )
        for given in file.services
    ]
    missing = "、".join(SERVICES[service][0] for service in file.missing_services)
    note = f"{file.year}年尚未提供：{missing}。" if missing else f"{file.year}年四项服务均已提供。"
    columns = ("服务", "日期", "结果", "状态")
    return Section("就业服务（每年四个一）", "Employment services", columns, rows, "没有就业服务记录。", note)


def _employments(file: PersonFile) -> Section:
    kinds = evidence_kinds(act())
    rows = [_employment(at_work, kinds) for at_work in file.employments]
    columns = ("就业形式", "就业单位", "起止日期", "证明材料", "状态")
    return Section("就业情况", "Employment", columns, rows, "没有就业记录。")


def _employment(at_work: AtWork, kinds: dict[str, tuple[str, str]]) -> tuple[str, ...]:
    row = at_work.record
    until = f"至{chinese_date(row.ended_on)}" if row.ended_on else "起"
    return (
        FORMS[row.form][0],
        "，".join(filter(None, (at_work.employer, at_work.uscc))) or _NOTHING,
        chinese_date(row.started_on) + until,
        "、".join(kinds[kind][0] if kind in kinds else kind for kind in row.evidence) or _NOTHING,
        EMPLOYMENT.states[row.status][0],
    )


def _corrections(file: PersonFile) -> Section:
    rows = [
        (
            CORRECTABLE[corrected.record.field][0],
            _value(corrected.record.field, corrected.old_value) or "（原未登记）",
            _value(corrected.record.field, corrected.new_value),
            chinese_date(corrected.record.requested_at.astimezone(SHANGHAI).date()),
            CORRECTION_REQUEST.states[corrected.record.status][0],
        )
        for corrected in file.corrections
    ]
    columns = ("更正内容", "原登记", "更正为", "申请日期", "结果")
    return Section("信息更正", "Corrections", columns, rows, "没有更正记录。")


def _value(field: str, value: str) -> str:
    return SEXES.get(value, value) if field == "sex" else value
