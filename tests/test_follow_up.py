"""The follow-up sheet of a class: read as offices write it, told row by row, reported when it is confirmed."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from skills_registry import employment
from skills_registry.employment import Employment
from skills_registry.foundation.errors import NotAllowed
from skills_registry.training import uploads
from skills_registry.training.classes import ClassClosed, TrainingClass
from skills_registry.training.uploads import Upload
from tests.made_sheets import workbook
from tests.test_employment import RESTAURANT, trained
from tests.world import PEOPLE, World

HEADER = (
    "序号",
    "学员姓名",
    "身份证号",
    "就业形式",
    "用人单位",
    "统一社会信用代码",
    "就业时间",
    "就业证明材料",
    "备注",
)
LI, MA, YE, DONG, GUI = PEOPLE[:5]


def row(person: tuple[str, str, str], *cells: object) -> tuple[object, ...]:
    return (1, person[0], person[1], *cells)


def staged(world: World, *rows: tuple[object, ...], by: str = "base_clerk") -> Upload:
    training_class = TrainingClass.select().order_by(TrainingClass.id.desc()).get()
    return uploads.stage(world.act(by), training_class, "employment", workbook([HEADER, *rows]))


def told(upload: Upload) -> dict[int, tuple[str, set[str]]]:
    return {
        found.number: (found.outcome, {problem.code for problem in uploads.problems_of(found)})
        for found in uploads.rows_of(upload)
    }


def test_a_follow_up_sheet_reports_who_found_work_once_it_is_confirmed(world: World) -> None:
    trained(world, 4)
    upload = staged(
        world,
        row(
            LI,
            "集中就业",
            RESTAURANT["employer"],
            RESTAURANT["uscc"],
            "2026-04-15",
            "劳动合同或协议、工资发放流水",
            "",
        ),
        row(MA, "务农", "", "", date(2026, 4, 13), "村（居）民委员会证明", "养牛"),
        row(YE, "", "", "", "", "", ""),
        row(DONG, "未就业", "", "", "", "", ""),
    )
    assert told(upload) == {
        2: ("accepted", set()),
        3: ("accepted", set()),
        4: ("accepted", {"not_in_work"}),
        5: ("accepted", {"not_in_work"}),
    }
    assert Employment.select().count() == 0
    uploads.confirm(world.act("base_clerk"), upload)
    found = Employment.select().order_by(Employment.id)
    assert [(e.form, e.started_on, e.evidence, e.status) for e in found] == [
        ("concentrated", date(2026, 4, 15), ["contract", "wage_transfers"], "reported"),
        ("farming", date(2026, 4, 13), ["village_statement"], "reported"),
    ]
    assert employment.employer_of(world.service.vault, found[0]) == RESTAURANT["employer"]


def test_the_same_sheet_sent_again_reports_nothing_twice(small_world: World) -> None:
    trained(small_world)
    line = row(LI, "灵活就业", "", "", "2026年4月15日", "", "")
    uploads.confirm(small_world.act("base_clerk"), staged(small_world, line))
    again = staged(small_world, line)
    assert told(again) == {2: ("accepted", {"employment_on_record"})}
    uploads.confirm(small_world.act("base_clerk"), again)
    assert Employment.select().count() == 1


REFUSED: dict[str, tuple[tuple[object, ...], set[str]]] = {
    "an unknown form": (row(LI, "上班", "某公司", "", "2026-04-15", "", ""), {"employment_form_unknown"}),
    "no form": (row(LI, "", "某公司", "", "2026-04-15", "", ""), {"missing"}),
    "no day": (row(LI, "灵活就业", "", "", "", "", ""), {"missing"}),
    "a day that is none": (row(LI, "灵活就业", "", "", "四月中旬", "", ""), {"date_format"}),
    "a day ahead": (row(LI, "灵活就业", "", "", "2026-04-21", "", ""), {"day_ahead"}),
    "a formula for an employer": (
        row(LI, "灵活就业", "=1+1", "", "2026-04-15", "", ""),
        {"employer_characters"},
    ),
    "another name": (
        row(("李小东", *LI[1:]), "灵活就业", "", "", "2026-04-15", "", ""),
        {"name_differs_from_roster"},
    ),
    "nobody of this class": (row(GUI, "灵活就业", "", "", "2026-04-15", "", ""), {"not_on_roster"}),
}


@pytest.mark.parametrize(("line", "codes"), REFUSED.values(), ids=REFUSED.keys())
def test_a_row_that_cannot_be_is_refused_with_its_reason(
    small_world: World, line: tuple[object, ...], codes: set[str]
) -> None:
    trained(small_world)
    assert told(staged(small_world, line)) == {2: ("rejected", codes)}


WARNED: dict[str, tuple[tuple[object, ...], set[str]]] = {
    "no evidence": (row(LI, "按比例", "某公司", "", "2026-04-15", "", ""), {"evidence_missing"}),
    "evidence of another kind": (
        row(LI, "按比例", "某公司", "", "2026-04-15", "合影，用人单位证明", ""),
        {"evidence_unknown"},
    ),
    "no employer": (row(LI, "公益岗", "", "", "2026-04-15", "公益性岗位协议", ""), {"employer_missing"}),
    "a code that does not check": (
        row(LI, "集中", "某公司", "91630202MA75KXXX01", "2026-04-15", "social_insurance", ""),
        {"employer_code"},
    ),
    "a code that Excel has damaged": (
        row(LI, "集中", "某公司", 9.16302e17, "2026-04-15", "contract", ""),
        {"employer_code"},
    ),
    "work since before the class": (
        row(LI, "个体", "自家店", "", "2025-06-01", "营业执照", ""),
        {"employed_before_class"},
    ),
}


@pytest.mark.parametrize(("line", "codes"), WARNED.values(), ids=WARNED.keys())
def test_what_is_doubtful_in_a_row_warns_and_refuses_nothing(
    small_world: World, line: tuple[object, ...], codes: set[str]
) -> None:
    trained(small_world)
    upload = staged(small_world, line)
    assert told(upload) == {2: ("accepted", codes)}
    uploads.confirm(small_world.act("base_clerk"), upload)
    assert Employment.select().count() == 1


def test_before_a_class_is_open_there_is_no_follow_up(small_world: World) -> None:
    small_world.filed_class()
    with pytest.raises(ClassClosed):
        staged(small_world, row(LI, "灵活就业", "", "", "2025-02-10", "", ""))


def test_only_the_base_confirms_its_sheet(small_world: World) -> None:
    trained(small_world)
    upload = staged(small_world, row(LI, "灵活就业", "", "", "2026-04-15", "", ""))
    with pytest.raises(NotAllowed):
        uploads.confirm(small_world.act("county_officer"), upload)
    assert Employment.select().count() == 0


def test_the_sheet_goes_out_with_what_is_known_and_comes_back_unchanged(small_world: World) -> None:
    trained(small_world)
    line = row(LI, "集中就业", RESTAURANT["employer"], RESTAURANT["uscc"], "2026-04-15", "劳动合同或协议", "")
    uploads.confirm(small_world.act("base_clerk"), staged(small_world, line))
    training_class = TrainingClass.get()
    content = employment.follow_up_sheet(small_world.act("base_clerk"), training_class)
    rows: list[list[Any]] = (
        CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    )
    written = next(cells for cells in rows if LI[1] in cells)
    assert written[3:8] == [
        "集中就业",
        RESTAURANT["employer"],
        RESTAURANT["uscc"],
        "2026-04-15",
        "劳动合同或协议",
    ]
    again = uploads.stage(small_world.act("base_clerk"), training_class, "employment", content)
    assert [codes for _, codes in told(again).values()] == [
        {"employment_on_record"},
        {"not_in_work"},
        {"not_in_work"},
    ]
