"""The follow-up sheet of a class (就业跟踪表): who found which work, row by row, as a base reports it.

It is staged and confirmed like every other sheet; what is confirmed there is reported, and counts when
the federation has checked it. Whoever found no work stands in the sheet too: such a row records nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from skills_registry import people
from skills_registry.employment.employments import (
    FORMS,
    STANDING,
    Employment,
    Facts,
    doubts_of,
    employer_of,
    evidence_kinds,
    known_as,
    report,
    uscc_of,
)
from skills_registry.foundation.acts import Act
from skills_registry.foundation.errors import NotFound
from skills_registry.foundation.identifiers import fold_number
from skills_registry.foundation.identifiers.names import has_refused_characters
from skills_registry.foundation.problems import Problem
from skills_registry.foundation.wording import Typeface
from skills_registry.spreadsheets import CellError, Column, Sheet, SheetRow, read, template_workbook
from skills_registry.spreadsheets.grids import is_blank
from skills_registry.spreadsheets.headers import ALIASES
from skills_registry.training import uploads
from skills_registry.training.classes import TRAINING_CLASS, ClassClosed, TrainingClass
from skills_registry.training.enrolments import Enrolment, enrolment_of, name_of, roster
from skills_registry.training.sheets import CheckedRow, checked_once_each, identified, read_date, words_of
from skills_registry.training.upload_kinds import SheetKind

#: States in which nobody has been trained yet, or nobody will be.
_NOT_TRAINED = ("filed", "cancelled")

LONGEST_EMPLOYER = 120

#: What stands for somebody who found no work.
_NONE = frozenset({"未就业", "无", "待业", "失业", "没有就业", "否", "/", "-", "none"})

#: How offices write the seven forms, beside their names and codes.
_WORDS: dict[str, tuple[str, ...]] = {
    "quota": ("按比例", "按比例安排就业", "用人单位就业", "单位就业"),
    "concentrated": ("集中", "集中安排就业", "福利企业", "盲人按摩机构就业"),
    "self_employed": ("个体", "个体就业", "自主创业", "创业", "个体经营", "个体工商户", "自主经营"),
    "public_welfare": ("公益性岗位", "公益岗位", "公益岗", "公益性岗位安置"),
    "sheltered": ("辅助性", "辅助就业", "残疾人之家就业"),
    "flexible": ("灵活", "灵活就业（含社区、居家）", "居家就业", "社区就业", "社区、居家就业", "网络就业"),
    "farming": ("种养加", "从事农业种养加", "农业种养殖", "种植养殖", "种养殖", "务农", "农业生产"),
}
_FORMS = {word: form for form, words in _WORDS.items() for word in (form, FORMS[form][0], *words)}

_BETWEEN = re.compile(r"[、，,;；/|\n]+")

COLUMNS: tuple[Column, ...] = (
    Column("serial", "序号", "从1开始的顺序号。", aliases=ALIASES["serial"]),
    Column("name", "姓名", "与花名册一致。", required=True, aliases=ALIASES["name"]),
    Column(
        "citizen_id", "公民身份号码", "18位，按文本填写。", required=True, text=True, width=22,
        aliases=ALIASES["citizen_id"], length=(18, 18, "公民身份号码为18位。"),
    ),
    Column(
        "form", "就业形式", "从列表中选；没有就业的不填。", required=True, strict=False, width=18,
        choices=tuple(zh for zh, _ in FORMS.values()), aliases=("就业类型", "就业方式", "就业类别", "就业渠道"),
    ),
    Column(
        "employer", "就业单位", "单位全称；灵活就业和种养加可不填。", width=28,
        aliases=("就业单位名称", "用人单位", "用人单位名称", "单位名称", "工作单位", "就业去向"),
    ),
    Column(
        "uscc", "统一社会信用代码", "18位，按文本填写；没有可不填。", text=True, width=24,
        aliases=("信用代码", "社会信用代码", "单位信用代码", "单位统一社会信用代码", "营业执照号"),
    ),
    Column(
        "started_on", "就业日期", "开始工作的日期，如2025-05-06。", required=True, text=True, width=14,
        aliases=("就业时间", "上岗日期", "上岗时间", "入职日期", "入职时间", "就业起始日期", "开始就业时间"),
    ),
    Column(
        "evidence", "证明材料", "几种用“、”隔开，名称见系统目录，如劳动合同或协议、工资发放流水。", width=30,
        aliases=("就业证明", "就业证明材料", "佐证材料", "就业佐证材料", "证明"),
    ),
    Column("remark", "备注", "其他需要说明的事项。", aliases=ALIASES["remark"]),
)  # fmt: skip

_NOTE = (
    "请填写每名学员的就业情况，没有就业的留空。带 * 的列必须保留；请勿改动姓名和公民身份号码。 / "
    "Say of each trainee which work they found; leave the others empty. Do not change names and ID numbers."
)


class FollowUpSheet(SheetKind):
    """A follow-up sheet: each accepted row reports one trainee in work, or says that there is no work."""

    code, zh, en = "employment", "就业跟踪表", "follow-up sheet"

    def require_takes(self, training_class: TrainingClass) -> None:
        if training_class.status in _NOT_TRAINED:
            zh, en = TRAINING_CLASS.states[training_class.status]
            raise ClassClosed(state_zh=zh, state_en=en)

    def read(self, training_class: TrainingClass, content: bytes) -> Sheet:  # noqa: ARG002 - one signature for all
        return read(content, columns=COLUMNS)

    def check(self, act: Act, training_class: TrainingClass, sheet: Sheet) -> list[CheckedRow]:  # noqa: ARG002
        kinds = evidence_kinds(act)

        def check(row: SheetRow) -> CheckedRow:
            checked = identified(row, act.today)
            checked.values["at_work"] = _is_in_work(row)
            if checked.values["at_work"]:
                checked.problems.extend(_read_work(row, checked.values, act.today, kinds))
            else:
                checked.problems.append(Problem("not_in_work", "form"))
            return checked

        return checked_once_each(sheet, check)

    def doubts(
        self,
        act: Act,
        training_class: TrainingClass,
        row: CheckedRow,
        *,
        uncovered: Typeface | None = None,  # noqa: ARG002 - one signature for all kinds
    ) -> list[Problem]:
        enrolment = _enrolment_on_row(act, training_class, row.values)
        if enrolment is None:
            return [Problem("not_on_roster", "citizen_id")]
        if enrolment.name_index != people.name_index(act.vault, row.values["name"]):
            return [Problem("name_differs_from_roster", "name")]
        if not row.values["at_work"]:
            return []
        facts = _facts(row.values)
        if known_as(act, enrolment.person, facts, enrolment) is not None:
            return [Problem("employment_on_record", "form")]
        return list(doubts_of(act, facts, enrolment))

    def write(self, act: Act, training_class: TrainingClass, values: Mapping[str, Any], number: int) -> None:  # noqa: ARG002
        if not values["at_work"]:
            return
        enrolment = _enrolment_on_row(act, training_class, values)
        if enrolment is None:
            raise NotFound()
        report(act, enrolment.person, _facts(values), enrolment=enrolment)


uploads.plug_in(FollowUpSheet())


# ---------------------------------------------------------------- rules


def _is_in_work(row: SheetRow) -> bool:
    told = [row.cells.get(field) for field in ("form", "employer", "started_on")]
    form = words_of(told[0]).lower()
    return form not in _NONE and not all(is_blank(cell) for cell in told)


def _read_work(
    row: SheetRow, values: dict[str, Any], today: date, kinds: Mapping[str, tuple[str, str]]
) -> Iterator[Problem]:
    """The facts of one row, put into ``values`` where they are sound."""
    unreadable = [
        f for f in ("form", "employer", "uscc", "started_on") if isinstance(row.cells.get(f), CellError)
    ]
    yield from (Problem("unreadable_cell", field) for field in unreadable)
    yield from _read_form(row, values)
    yield from _read_day(row, values, today)
    values["employer"] = words_of(row.cells.get("employer"))[:LONGEST_EMPLOYER]
    if has_refused_characters(values["employer"]):
        yield Problem("employer_characters", "employer")
    code = fold_number(None if "uscc" in unreadable else row.cells.get("uscc"))
    values["uscc"] = "" if code.damaged else code.text
    if code.damaged:
        yield Problem("employer_code", "uscc")
    yield from _read_evidence(row, values, kinds)


def _read_form(row: SheetRow, values: dict[str, Any]) -> Iterator[Problem]:
    cell = row.cells.get("form")
    form = _FORMS.get(words_of(cell))
    if form:
        values["form"] = form
    elif is_blank(cell):
        yield Problem("missing", "form")
    elif not isinstance(cell, CellError):
        names = list(FORMS.values())
        forms_zh, forms_en = "、".join(zh for zh, _ in names), ", ".join(en for _, en in names)
        yield Problem("employment_form_unknown", "form", {"forms_zh": forms_zh, "forms_en": forms_en})


def _read_day(row: SheetRow, values: dict[str, Any], today: date) -> Iterator[Problem]:
    cell = row.cells.get("started_on")
    day = read_date(cell)
    if day is not None and day <= today:
        values["started_on"] = day
    elif day is not None:
        yield Problem("day_ahead", "started_on")
    elif not isinstance(cell, CellError):
        yield Problem("missing" if is_blank(cell) else "date_format", "started_on")


def _read_evidence(
    row: SheetRow, values: dict[str, Any], kinds: Mapping[str, tuple[str, str]]
) -> Iterator[Problem]:
    words = {word: code for code, names in kinds.items() for word in (code, *names)}
    told = [piece.strip() for piece in _BETWEEN.split(words_of(row.cells.get("evidence"))) if piece.strip()]
    told = [piece for piece in told if piece.lower() not in _NONE]
    values["evidence"] = sorted({words[piece] for piece in told if piece in words})
    if any(piece not in words for piece in told):
        names = list(kinds.values())
        kinds_zh, kinds_en = "、".join(zh for zh, _ in names), ", ".join(en for _, en in names)
        yield Problem("evidence_unknown", "evidence", {"kinds_zh": kinds_zh, "kinds_en": kinds_en})


def _facts(values: Mapping[str, Any]) -> Facts:
    # A staged row comes back from JSON: its day is text then.
    started_on = values["started_on"]
    return Facts(
        form=values["form"],
        started_on=started_on if isinstance(started_on, date) else date.fromisoformat(started_on),
        employer=values["employer"],
        uscc=values["uscc"],
        evidence=tuple(values["evidence"]),
    )


def _enrolment_on_row(act: Act, training_class: TrainingClass, values: Mapping[str, Any]) -> Enrolment | None:
    person = people.find(act.vault, values["citizen_id"])
    return enrolment_of(training_class, person.id) if person else None


# ---------------------------------------------------------------- queries


def follow_up_sheet(act: Act, training_class: TrainingClass) -> bytes:
    """The follow-up sheet of a class (.xlsx): its trainees, and the work that was reported of them so far."""
    reported = {
        row.enrolment_id: row
        for row in Employment.select()
        .join(Enrolment)
        .where((Enrolment.training_class == training_class.id) & Employment.status.in_(STANDING))
        .order_by(Employment.started_on, Employment.id)
    }
    rows = []
    for place, trainee in enumerate(roster(training_class), 1):
        person = people.citizen_id_of(act.vault, trainee.person)
        work = reported.get(trainee.id)
        rows.append([place, name_of(act.vault, trainee), person, *(_written(act, work) if work else ())])
    return template_workbook("就业跟踪表", f"{training_class.title} 就业跟踪表", COLUMNS, rows, note=_NOTE)


def _written(act: Act, work: Employment) -> list[str]:
    kinds = evidence_kinds(act)
    return [
        FORMS[work.form][0],
        employer_of(act.vault, work),
        uscc_of(act.vault, work),
        work.started_on.isoformat(),
        "、".join(kinds[code][0] for code in work.evidence if code in kinds),
    ]
