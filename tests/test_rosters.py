"""What a roster says beyond name and number: read as offices write it, warned of, kept sealed, never refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from skills_registry.foundation.errors import FieldRefused, WrongState
from skills_registry.foundation.identifiers import COUNTIES
from skills_registry.foundation.lifecycle import Step, steps_of
from skills_registry.foundation.policy import load_policy
from skills_registry.spreadsheets import SheetRow, read
from skills_registry.training import consents, enrolments, particulars, rosters, uploads
from skills_registry.training.classes import ClassClosed, TrainingClass
from skills_registry.training.enrolments import Enrolment, TakesNobodyNew
from skills_registry.training.particulars import accommodations_in, division_of, read_particulars
from skills_registry.training.rosters import AlreadyInClass, RowRefused
from skills_registry.training.uploads import Upload
from tests.conftest import SAMPLES
from tests.made_sheets import workbook
from tests.world import PEOPLE, World

STARTS = date(2025, 3, 3)
KINDS = particulars.accommodation_kinds(load_policy(), STARTS)
(LI, LI_ID, _), (MA, MA_ID, _), (YE, YE_ID, _) = PEOPLE[:3]


def staged(world: World, training_class: TrainingClass, *rows: Sequence[Any]) -> Upload:
    """A roster whose first row is its header, staged."""
    return uploads.stage(world.act("base_clerk"), training_class, "roster", workbook(list(rows)))


def sent(world: World, training_class: TrainingClass, *rows: Sequence[Any]) -> Upload:
    """A roster, staged and confirmed."""
    return uploads.confirm(world.act("base_clerk"), staged(world, training_class, *rows))


def codes(upload: Upload) -> list[set[str]]:
    """The problems of each row in the order of the sheet."""
    return [{found.code for found in uploads.problems_of(row)} for row in uploads.rows_of(upload)]


def outcomes(upload: Upload) -> list[str]:
    return [row.outcome for row in uploads.rows_of(upload)]


def kept(world: World, enrolment: Enrolment) -> dict[str, Any]:
    return particulars.particulars_of(world.service.vault, Enrolment.get_by_id(enrolment.id))


def of(name: str, training_class: TrainingClass, world: World) -> Enrolment:
    """The enrolment under this name."""
    rows = Enrolment.select().where(Enrolment.training_class == training_class.id)
    return next(row for row in rows if enrolments.name_of(world.service.vault, row) == name)


# ---------------------------------------------------------------- columns


def test_a_roster_as_an_office_writes_it_brings_everything_and_nothing_about_ethnicity(world: World) -> None:
    training_class = world.open_class()
    upload = sent(
        world,
        training_class,
        ["2025年保健按摩师五级班学员花名册"],
        [
            "序号", "姓 名", "民族", "身份证号", "残疾证号", "首次办证时间", "学历", "常住地址（乡镇、村）",
            "监护人/联系人及电话", "培训意愿", "辅助需求（手语、盲文等）", "联系电话",
        ],
        [
            1, MA, "回族", MA_ID, MA_ID + "23", "2019/5/6", "高中", "民和县川口镇东垣村", "马有才 13909721234",
            "盲人按摩，周末上课", "手语老师、大字", "13897212345",
        ],
    )  # fmt: skip
    assert codes(upload) == [set()]
    assert kept(world, of(MA, training_class, world)) == {
        "education": "高中",
        "residence": "民和县川口镇东垣村",
        "residence_division": "630222",
        "guardian": "马有才",
        "guardian_phone": "13909721234",
        "wishes": "盲人按摩，周末上课",
        "accommodations": ["sign_language", "large_print"],
        "card_issued_on": "2019-05-06",
    }


def test_what_a_roster_tells_lies_sealed_in_the_database_and_stands_in_no_step(small_world: World) -> None:
    training_class = small_world.open_class()
    header = ["姓名", "公民身份号码", "常住地址", "监护人", "辅助需求"]
    sent(small_world, training_class, header, [MA, MA_ID, "川口镇东垣村", "马有才", "轮椅"])
    enrolment = of(MA, training_class, small_world)
    clerk = small_world.act("base_clerk")
    particulars.give_accommodation(
        clerk, enrolment, code="wheelchair", given_on=STARTS.replace(month=2, day=9)
    )
    particulars.correct(clerk, enrolment, {"guardian": "马有福"}, "监护人变更")
    file = Path(small_world.service.settings.database_url.removeprefix("sqlite:///"))
    raw = b"".join(part.read_bytes() for part in file.parent.glob(file.name + "*"))
    for secret in ("川口镇东垣村", "马有才", "马有福", "wheelchair"):
        assert secret.encode() not in raw
        assert json.dumps(secret).strip('"').encode() not in raw
    assert {step.action for step in steps_of(enrolment.id)} == {
        "enrol", "give_accommodation", "correct_particulars",
    }  # fmt: skip


def test_a_roster_without_the_new_columns_is_what_it_was(small_world: World) -> None:
    training_class = small_world.open_class()
    upload = uploads.stage(
        small_world.act("base_clerk"), training_class, "roster", (SAMPLES / "roster-clean.xlsx").read_bytes()
    )
    uploads.confirm(small_world.act("base_clerk"), upload)
    assert {code for row in codes(upload) for code in row} <= {"outside_employment_age"}
    rows = list(Enrolment.select())
    assert len(rows) == 30
    assert {frozenset(kept(small_world, row)) for row in rows} == {frozenset({"education"})}
    assert len(consents.without_consent(training_class)) == 30


def test_refused_rows_come_back_with_their_new_columns_and_go_in_once_mended(small_world: World) -> None:
    training_class = small_world.open_class()
    header = ["姓名", "公民身份号码", "文化程度", "辅助需求", "知情同意日期", "知情同意方式"]
    wrong = MA_ID[:-1] + ("1" if MA_ID[-1] != "1" else "2")
    first = staged(small_world, training_class, header, [MA, wrong, "小学", "盲文", "2025-02-01", "按手印"])
    assert (outcomes(first), codes(first)) == (["rejected"], [{"id_checksum"}])
    given_back = read(uploads.refused_rows(small_world.act("base_clerk"), first))
    (row,) = given_back.rows
    mended = [MA_ID if cell == wrong else cell for cell in row.original]
    upload = sent(small_world, training_class, given_back.header, mended)
    assert codes(upload) == [set()]
    enrolment = of(MA, training_class, small_world)
    assert kept(small_world, enrolment) == {"education": "小学", "accommodations": ["braille"]}
    assert consents.standing(enrolment) is not None


def test_the_template_is_read_back_whole_and_asks_for_what_the_policy_knows(small_world: World) -> None:
    template = rosters.roster_template(small_world.act("base_clerk"))
    training_class = small_world.open_class()
    filled = {
        "姓名*": MA, "公民身份号码*": MA_ID, "残疾人证首次发证日期": "2019-05-06", "文化程度": "小学",
        "常住地区划": "循化撒拉族自治县", "常住地址": "积石镇", "监护人": "马有才", "监护人电话": "13909721234",
        "培训意愿": "按摩", "辅助需求": "轮椅通行", "知情同意日期": "2025-02-01", "知情同意方式": "监护人代签",
    }  # fmt: skip
    titles = header_of(template)
    assert set(filled) < set(titles)
    upload = sent(small_world, training_class, titles, [filled.get(title) for title in titles])
    assert codes(upload) == [set()]
    assert kept(small_world, of(MA, training_class, small_world)) == {
        "education": "小学", "residence": "积石镇", "guardian": "马有才", "wishes": "按摩",
        "residence_division": "630225", "guardian_phone": "13909721234", "accommodations": ["wheelchair"],
        "card_issued_on": "2019-05-06",
    }  # fmt: skip


def header_of(template: bytes) -> list[str]:
    """The titles of the empty roster, which has no rows to be read by."""
    rows = CalamineWorkbook.from_filelike(BytesIO(template)).get_sheet_by_index(0).to_python()
    return [str(cell) for cell in rows[2]]


@pytest.mark.parametrize(
    ("cell", "wanted", "rest"),
    [
        ("手语翻译、大字", ["sign_language", "large_print"], ""),
        ("需要盲文教材；轮椅", ["braille", "wheelchair"], ""),
        ("手语和字幕", ["sign_language", "captions"], ""),
        ("无", [], ""),
        ("不需要", [], ""),
        ("无需轮椅", [], ""),
        ("暂无", [], ""),
        ("无障碍通道", ["wheelchair"], ""),
        ("braille, large_print", ["braille", "large_print"], ""),
        ("光线充足的座位", [], "光线充足的座位"),
        ("手语，靠近讲台", ["sign_language"], "靠近讲台"),
        ("", [], ""),
    ],
)
def test_several_needs_stand_in_one_cell_and_what_is_not_on_the_list_is_kept_as_written(
    cell: str, wanted: list[str], rest: str
) -> None:
    assert accommodations_in(cell, KINDS) == (wanted, rest)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("630222", "630222"),
        ("630222100000", "630222"),
        ("６３０２２２", "630222"),
        ("乐都区", "630202"),
        ("互助", "630223"),
        ("互助县", "630223"),
        ("青海省海东市化隆回族自治县群科镇", "630224"),
        ("海东市平安区", "630203"),
        ("西宁市平安路", ""),
        ("610102", "610102"),
        ("999999", ""),
        ("乐都", "630202"),
        ("", ""),
    ],
)
def test_a_residence_is_a_division_by_code_by_name_or_by_the_address(text: str, code: str) -> None:
    assert division_of(text) == code


def test_every_county_is_known_by_its_name() -> None:
    assert [division_of(f"青海省海东市{county.name}某镇") for county in COUNTIES] == [
        c.code for c in COUNTIES
    ]


def test_a_division_that_nobody_knows_is_kept_with_the_address(small_world: World) -> None:
    training_class = small_world.open_class()
    header = ["姓名", "公民身份号码", "常住地区划", "常住地址"]
    upload = sent(small_world, training_class, header, [MA, MA_ID, "三江源", "扎多镇"])
    assert (outcomes(upload), codes(upload)) == (["accepted"], [{"division_unknown"}])
    assert kept(small_world, of(MA, training_class, small_world)) == {"residence": "三江源 扎多镇"}


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "education", "residence", "residence_division", "guardian", "guardian_phone", "guardian_contact",
                "wishes", "accommodations", "card_issued_on",
            ]
        ),
        st.one_of(st.text(max_size=300), st.integers(), st.floats(), st.booleans(), st.dates(), st.none()),
    )
)  # fmt: skip
def test_nothing_that_a_roster_says_beyond_the_numbers_refuses_a_row(cells: dict[str, Any]) -> None:
    values, problems = read_particulars(SheetRow(2, cells, []), KINDS, STARTS)
    assert not any(problem.is_error for problem in problems)
    assert all(values.values()) and set(values) <= set(particulars.FIELDS)
    json.dumps(values)
    for problem in problems:
        assert problem.sentence("zh") and problem.sentence("en")


# ---------------------------------------------------------------- warnings


def test_a_card_first_issued_after_the_class_began_is_told_and_one_of_that_day_is_not(
    small_world: World,
) -> None:
    training_class = small_world.open_class()
    header = ["姓名", "公民身份号码", "残疾人证首次发证日期"]
    upload = staged(
        small_world, training_class, header, [LI, LI_ID, "2025-03-04"], [MA, MA_ID, "2025年3月3日"],
        [YE, YE_ID, "2013年"],
    )  # fmt: skip
    assert codes(upload) == [{"card_issued_after_start"}, set(), {"date_not_kept"}]
    assert outcomes(upload) == ["accepted"] * 3
    (late,) = uploads.problems_of(next(iter(uploads.rows_of(upload))))
    assert late.facts == {"starts_on": "2025-03-03"}


def test_employment_age_is_counted_on_the_first_day_of_class(small_world: World) -> None:
    # 李晓东 turns 60 on 28 October 2036.
    for starts_on, warned in ((date(2036, 10, 27), set()), (date(2036, 10, 28), {"outside_employment_age"})):
        row = rosters.ROSTER.check(
            small_world.act("base_clerk"),
            TrainingClass(starts_on=starts_on),
            read(workbook([["姓名", "公民身份号码"], [LI, LI_ID]])),
        )[0]
        assert {problem.code for problem in row.problems} == warned


OTHER_CLASSES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "the same trade and level before": ({}, {"same_training_before"}),
    "another course before": (
        {"training_type": "practical_technology", "occupation": None, "level": "", "course_title": "刺绣"},
        set(),
    ),
    "the same trade in the same weeks": (
        {"starts_on": date(2025, 3, 31), "ends_on": date(2025, 5, 9)},
        {"same_training_before", "overlapping_class"},
    ),
    "another course on one day of it": (
        {
            "training_type": "practical_technology", "occupation": None, "level": "", "course_title": "刺绣",
            "starts_on": date(2025, 4, 11), "ends_on": date(2025, 5, 9),
        },
        {"overlapping_class"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("other", "warned"), OTHER_CLASSES.values(), ids=OTHER_CLASSES.keys())
def test_repeated_and_overlapping_training_is_told(
    small_world: World, other: dict[str, Any], warned: set[str]
) -> None:
    first = {"title": "上一期", "starts_on": date(2025, 5, 12), "ends_on": date(2025, 6, 20), **other}
    small_world.enrol(small_world.open_class(**first), 1)
    upload = staged(small_world, small_world.open_class(), ["姓名", "公民身份号码"], [LI, LI_ID])
    assert (outcomes(upload), codes(upload)) == (["accepted"], [warned])


@pytest.mark.parametrize(
    ("changed", "warned"),
    [
        ({"occupation_edition": "1999", "occupation_code": "4-06-05-02"}, {"same_training_before"}),
        ({"level": "level4_intermediate"}, set()),
        ({"status": "cancelled"}, set()),
    ],
    ids=["under an older edition's code", "at another level", "in a class that was cancelled"],
)
def test_the_trade_counts_by_name_or_code_and_only_at_the_same_level(
    small_world: World, changed: dict[str, str], warned: set[str]
) -> None:
    earlier = small_world.open_class(starts_on=date(2025, 5, 12), ends_on=date(2025, 6, 20))
    small_world.enrol(earlier, 1)
    TrainingClass.update(**changed).where(TrainingClass.id == earlier.id).execute()
    upload = staged(small_world, small_world.open_class(), ["姓名", "公民身份号码"], [LI, LI_ID])
    assert codes(upload) == [warned]


def test_a_training_that_somebody_left_is_no_training_before(small_world: World) -> None:
    (enrolment,) = small_world.enrol(small_world.open_class(title="上一期"), 1)
    enrolments.withdraw(small_world.act("base_clerk"), enrolment, "因病")
    upload = staged(small_world, small_world.open_class(), ["姓名", "公民身份号码"], [LI, LI_ID])
    assert codes(upload) == [set()]


def test_the_same_course_title_is_the_same_training_where_there_is_no_trade(small_world: World) -> None:
    course = {
        "training_type": "practical_technology",
        "occupation": None,
        "level": "",
        "course_title": "刺绣",
    }
    earlier = small_world.open_class(starts_on=date(2025, 5, 12), ends_on=date(2025, 6, 20), **course)
    small_world.enrol(earlier, 1)
    upload = staged(small_world, small_world.open_class(**course), ["姓名", "公民身份号码"], [LI, LI_ID])
    assert codes(upload) == [{"same_training_before"}]


# ---------------------------------------------------------------- a sheet sent again


def test_a_sheet_sent_again_adds_what_the_record_lacks_and_changes_nothing_that_is_there(
    world: World,
) -> None:
    training_class = world.open_class()
    header = ["姓名", "公民身份号码", "文化程度", "监护人", "知情同意日期", "知情同意方式"]
    sent(world, training_class, header, [MA, MA_ID, "小学", None, None, None])
    again = staged(world, training_class, header, [MA, MA_ID, "高中", "马有才", "2025-02-08", "签字"])
    assert codes(again) == [{"already_enrolled", "particulars_added", "consent_added"}]
    uploads.confirm(world.act("base_clerk"), again)
    enrolment = of(MA, training_class, world)
    assert kept(world, enrolment) == {"education": "小学", "guardian": "马有才"}
    assert (standing := consents.standing(enrolment)) and standing.given_on == date(2025, 2, 8)
    third = sent(world, training_class, header, [MA, MA_ID, "高中", "马大", "2025-02-09", "签字"])
    assert codes(third) == [{"already_enrolled"}]
    assert kept(world, enrolment)["guardian"] == "马有才"
    assert len(consents.consents_of(enrolment)) == 1


def test_a_sheet_adds_nothing_to_somebody_who_left(small_world: World) -> None:
    training_class = small_world.open_class()
    (enrolment,) = small_world.enrol(training_class, 1)
    enrolments.withdraw(small_world.act("base_clerk"), enrolment, "因病")
    header = ["姓名", "公民身份号码", "文化程度", "知情同意日期", "知情同意方式"]
    upload = sent(small_world, training_class, header, [LI, LI_ID, "小学", "2025-02-08", "签字"])
    assert codes(upload) == [{"already_withdrawn"}]
    assert (kept(small_world, enrolment), consents.consents_of(enrolment)) == ({}, [])


# ---------------------------------------------------------------- one by one


def test_each_row_of_the_messy_roster_is_judged_alone_as_it_is_in_the_sheet(small_world: World) -> None:
    training_class = small_world.open_class()
    sheet = read((SAMPLES / "roster-messy.xlsx").read_bytes())
    expected = json.loads((SAMPLES / "roster-messy.expected.json").read_bytes())["rows"]
    for row, told in zip(sheet.rows, expected, strict=True):
        cells = {field: cell for field, cell in row.cells.items() if cell is not None}
        try:
            _, problems = rosters.enrol_one(small_world.act("base_clerk"), training_class, cells)
            outcome = "accepted"
        except RowRefused as refusal:
            problems, outcome = [problem for _, problem in refusal.findings], "rejected"
        found = {problem.code for problem in problems} - {"over_capacity"}
        if told.get("code") == "duplicate_in_file":
            assert found == {"already_enrolled"}
        else:
            assert (outcome, found) == (told["outcome"], {told["code"]} if "code" in told else set())


def test_a_single_trainee_follows_the_roster_with_particulars_and_consent(world: World) -> None:
    training_class = world.open_class()
    world.enrol(training_class, 2)
    cells = {
        "name": YE, "citizen_id": YE_ID, "accommodations": "braille、large_print", "residence_division": "630203",
        "consent_on": date(2025, 2, 9), "consent_means": "thumbprint",
    }  # fmt: skip
    enrolment, problems = rosters.enrol_one(world.act("base_clerk"), training_class, cells)
    assert (enrolment.roster_row, problems) == (4, [])
    assert kept(world, enrolment) == {
        "residence_division": "630203",
        "accommodations": ["braille", "large_print"],
    }
    assert (given := consents.standing(enrolment)) and given.means == "thumbprint"
    same, doubts = rosters.enrol_one(world.act("base_clerk"), training_class, cells)
    assert (same.id, [doubt.code for doubt in doubts]) == (enrolment.id, ["already_enrolled"])
    (step,) = [step for step in steps_of(training_class.id) if step.action == "enrol_one"]
    assert step.detail["enrolment"] == str(enrolment.id)


def test_what_is_doubtful_about_a_single_trainee_is_kept_for_the_officer(small_world: World) -> None:
    training_class = small_world.open_class(capacity=1)
    small_world.enrol(training_class, 1)
    late = small_world.on(2025, 3, 20).act("base_clerk")
    _, problems = rosters.enrol_one(late, training_class, {"name": MA, "citizen_id": MA_ID})
    assert [problem.code for problem in problems] == ["late_enrolment", "over_capacity"]
    (step,) = [step for step in steps_of(training_class.id) if step.action == "enrol_one"]
    assert [doubt["code"] for doubt in step.detail["doubts"]] == ["late_enrolment", "over_capacity"]


def test_nobody_is_enrolled_singly_with_an_error_or_into_a_class_that_is_not_open(small_world: World) -> None:
    clerk = small_world.act("base_clerk")
    training_class = small_world.open_class()
    with pytest.raises(RowRefused) as refused:
        rosters.enrol_one(clerk, training_class, {"name": "=1", "citizen_id": "123"})
    assert [(p.field, p.code) for _, p in refused.value.findings] == [
        ("name", "name_characters"), ("citizen_id", "id_length"),
    ]  # fmt: skip
    with pytest.raises(ClassClosed):
        rosters.enrol_one(clerk, small_world.filed_class(title="二"), {"name": MA, "citizen_id": MA_ID})
    assert Enrolment.select().count() == 0


# ---------------------------------------------------------------- substitutes


def test_a_substitute_takes_the_place_of_who_leaves_and_both_are_traced(world: World) -> None:
    training_class = world.open_class()
    leaving = world.enrol(training_class, 2)[0]
    coming, _ = rosters.substitute(
        world.act("base_clerk"), leaving, {"name": YE, "citizen_id": YE_ID}, "外出务工"
    )
    assert (Enrolment.get_by_id(leaving.id).status, coming.status) == ("withdrawn", "enrolled")
    assert (coming.substitutes_id, coming.roster_row) == (leaving.id, 4)
    (step,) = [step for step in steps_of(training_class.id) if step.action == "substitute"]
    assert step.reason == "外出务工"
    assert (step.detail["leaving"], step.detail["coming"]) == (str(leaving.id), str(coming.id))
    assert [step.reason for step in steps_of(leaving.id) if step.action == "withdraw"] == ["外出务工"]


def refused_substitutes(
    world: World, training_class: TrainingClass
) -> dict[str, tuple[dict[str, Any], type]]:
    _, _, third = world.enrol(training_class, 3)
    enrolments.withdraw(world.act("base_clerk"), third, "因病")
    return {
        "whose ID is wrong": ({"name": "东福祥", "citizen_id": "630203199909089960"}, RowRefused),
        "who is in the class": ({"name": MA, "citizen_id": MA_ID}, AlreadyInClass),
        "who left the class": ({"name": YE, "citizen_id": YE_ID}, AlreadyInClass),
        "who is the one that leaves": ({"name": LI, "citizen_id": LI_ID}, AlreadyInClass),
    }


def test_a_substitute_who_cannot_come_keeps_the_other_in_the_class(world: World) -> None:
    training_class = world.open_class()
    refused = refused_substitutes(world, training_class)
    leaving = of(LI, training_class, world)
    before = (Enrolment.select().count(), Step.select().count())
    for why, (cells, error) in refused.items():
        with pytest.raises(error):
            rosters.substitute(world.act("base_clerk"), leaving, cells, "外出务工")
        assert Enrolment.get_by_id(leaving.id).status == "enrolled", why
        assert (Enrolment.select().count(), Step.select().count()) == before, why


def test_who_has_left_is_not_substituted_again_and_nobody_once_the_class_is_closed(
    small_world: World,
) -> None:
    training_class = small_world.open_class()
    leaving, staying = small_world.enrol(training_class, 2)
    enrolments.withdraw(small_world.act("base_clerk"), leaving, "因病")
    cells = {"name": YE, "citizen_id": YE_ID}
    with pytest.raises(WrongState):
        rosters.substitute(small_world.act("base_clerk"), leaving, cells, "因病")
    small_world.grade(staying)
    enrolments.submit_class(small_world.act("base_clerk"), training_class)
    with pytest.raises(ClassClosed):
        rosters.substitute(small_world.act("base_clerk"), staying, cells, "因病")
    assert Enrolment.select().count() == 2


def test_a_base_off_the_list_takes_no_substitute_and_loses_nobody_by_trying(small_world: World) -> None:
    training_class = small_world.open_class()
    (leaving,) = small_world.enrol(training_class, 1)
    small_world.on(2028, 1, 3)
    with pytest.raises(TakesNobodyNew):
        rosters.substitute(
            small_world.act("base_clerk"), leaving, {"name": MA, "citizen_id": MA_ID}, "外出务工"
        )
    assert Enrolment.get_by_id(leaving.id).status == "enrolled"


# ---------------------------------------------------------------- accommodations and corrections


def test_accommodations_needed_wait_until_they_are_given(small_world: World) -> None:
    training_class = small_world.open_class()
    header = ["姓名", "公民身份号码", "辅助需求"]
    sent(
        small_world, training_class, header, [LI, LI_ID, "手语"], [MA, MA_ID, "手语、轮椅"], [YE, YE_ID, "靠近讲台"]
    )  # fmt: skip
    clerk = small_world.on(2025, 3, 4).act("base_clerk")
    assert particulars.accommodations_not_given(clerk, training_class) == {
        "sign_language": 2, "wheelchair": 1, "other": 1,
    }  # fmt: skip
    for _ in range(2):
        particulars.give_accommodation(
            clerk, of(MA, training_class, small_world), code="sign_language", given_on=date(2025, 3, 3), remark="全程"
        )  # fmt: skip
    assert particulars.accommodations_given(clerk.vault, of(MA, training_class, small_world)) == [
        {"code": "sign_language", "given_on": "2025-03-03", "remark": "全程"}
    ]
    assert particulars.accommodations_not_given(clerk, training_class) == {
        "sign_language": 1, "wheelchair": 1, "other": 1,
    }  # fmt: skip


def test_no_accommodation_is_given_that_the_policy_does_not_know_or_that_is_yet_to_come(
    small_world: World,
) -> None:
    (enrolment,) = small_world.enrol(small_world.open_class(), 1)
    clerk = small_world.act("base_clerk")
    for code, day in (("golden_chair", date(2025, 2, 9)), ("braille", date(2025, 2, 11))):
        with pytest.raises(FieldRefused):
            particulars.give_accommodation(clerk, enrolment, code=code, given_on=day)
    assert Enrolment.get_by_id(enrolment.id).accommodations_given is None


def test_particulars_are_corrected_with_a_reason_and_the_step_names_fields_only(small_world: World) -> None:
    training_class = small_world.open_class()
    header = ["姓名", "公民身份号码", "文化程度", "监护人"]
    sent(small_world, training_class, header, [MA, MA_ID, "小学", "马有才"])
    enrolment = of(MA, training_class, small_world)
    clerk = small_world.act("base_clerk")
    particulars.correct(clerk, enrolment, {"education": "高中", "guardian": ""}, "填错")
    assert kept(small_world, enrolment) == {"education": "高中"}
    (step,) = [step for step in steps_of(enrolment.id) if step.action == "correct_particulars"]
    assert (step.reason, step.detail) == ("填错", {"fields": ["education", "guardian"]})
    for wrong in ({"ethnicity": "回族"}, {"accommodations": ["golden_chair"]}):
        with pytest.raises(FieldRefused):
            particulars.correct(clerk, enrolment, wrong, "填错")


# ---------------------------------------------------------------- after the submission, and back again


def test_what_officers_judge_a_class_by_the_base_does_not_change_any_more(small_world: World) -> None:
    training_class = small_world.submitted_class(1)
    (enrolment,) = enrolments.roster(training_class)
    clerk, earlier = small_world.act("base_clerk"), {"card_issued_on": "2019-05-06"}
    today = small_world.now.date()
    with pytest.raises(ClassClosed):
        particulars.correct(clerk, enrolment, earlier, "填错")
    with pytest.raises(ClassClosed):
        particulars.give_accommodation(clerk, enrolment, code="wheelchair", given_on=today)
    assert kept(small_world, enrolment) == {}
    particulars.correct(small_world.act("county_officer"), enrolment, earlier, "核对原件")
    assert kept(small_world, enrolment) == earlier


def test_who_is_taken_back_is_judged_beside_other_classes_as_a_newcomer_is(small_world: World) -> None:
    act = small_world.act("base_clerk")
    first = small_world.open_class(capacity=1)
    left = small_world.enrol(first, 2)[0]
    enrolments.withdraw(act, left, "外出")
    small_world.enrol(small_world.open_class(title="第二期"), 1)
    _, doubts = rosters.take_back(act, left, "回来了")
    told = {"overlapping_class", "same_training_before", "over_capacity"}
    assert {doubt.code for doubt in doubts} == told
    assert Enrolment.get_by_id(left.id).status == "enrolled"
    step = next(step for step in steps_of(first.id) if step.action == "rejoin")
    assert {doubt["code"] for doubt in step.detail["doubts"]} == told
