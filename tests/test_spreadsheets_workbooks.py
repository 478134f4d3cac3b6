"""Workbooks going out: they come back in, keep every digit, and hold no formula."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skills_registry.foundation.errors import FileRefused
from skills_registry.spreadsheets import (
    REFUSAL_REASON,
    read,
    refused_workbook,
    results_workbook,
    roster_workbook,
)
from tests.made_sheets import MAN, PAPERS, WOMAN, part, sample

SHEET = "xl/worksheets/sheet1.xml"
FORMULAS = [
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    '=HYPERLINK("http://example.com","点")',
    "http://a.b",
    "012",
]


def test_refused_rows_come_back_untouched_with_their_reasons() -> None:
    sent = read(sample("roster-messy.xlsx"))
    refused = [(row.original, ["第一条。", "第二条。"]) for row in sent.rows]
    returned = read(refused_workbook(sent.header, refused))
    assert returned.header == (*sent.header, REFUSAL_REASON)
    assert [dict(row.cells) for row in returned.rows] == [dict(row.cells) for row in sent.rows]
    assert all(row.original[len(sent.header)] == "第一条。\n第二条。" for row in returned.rows)


def test_a_workbook_that_is_refused_again_has_one_column_of_reasons() -> None:
    once = read(refused_workbook(["姓名", "身份证号"], [(["李明", WOMAN], ["旧"])]))
    twice = read(refused_workbook(once.header, [(row.original, ["新"]) for row in once.rows]))
    assert twice.header == ("姓名", "身份证号", REFUSAL_REASON)
    assert twice.rows[0].original == ["李明", WOMAN, "新"]


def test_a_reason_in_the_middle_moves_to_the_end_and_takes_no_cell_with_it() -> None:
    data = refused_workbook(["姓名", REFUSAL_REASON, "身份证号"], [(["李明", "旧", WOMAN, "多"], ["新"])])
    assert read(data).rows[0].original == ["李明", WOMAN, "多", "新"]


def test_refused_results_can_be_sent_again_with_the_class_s_own_papers() -> None:
    papers = {"theory": "理论", "oral": "口试"}
    header = ["姓名", "身份证号", "实际课时", "理论", "口试成绩", "结论"]
    (row,) = read(
        refused_workbook(header, [(["李明", WOMAN, 80, 60, "缺考", ""], ["原因"])]), papers=papers
    ).rows
    assert (row.cells["hours"], row.cells["theory"], row.cells["oral"]) == (80, 60, "缺考")


@pytest.mark.parametrize("text", FORMULAS)
def test_what_looks_like_a_formula_stays_text(text: str) -> None:
    made = [
        refused_workbook(["姓名", "身份证号", text], [([text, WOMAN, text], [text])]),
        results_workbook(text, [(text, WOMAN)], PAPERS),
    ]
    for data in made:
        assert b"<f>" not in part(data, SHEET).replace(b"<formula1>", b"")
        assert b"hyperlink" not in part(data, SHEET)
        assert read(data).rows[0].cells["name"] == text


@settings(max_examples=15, deadline=None)
@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).filter(
        lambda t: t.strip()
    )
)
def test_any_text_survives_the_way_out_and_in(text: str) -> None:
    (row,) = read(refused_workbook(["姓名", "身份证号", "备注"], [(["李明", WOMAN, text], [])])).rows
    assert str(row.cells["remark"]).strip() in (text.strip(), "CellError(text=" + repr(text.strip()) + ")")


def test_the_results_sheet_is_prefilled_and_asks_only_for_hours_and_scores() -> None:
    data = results_workbook(
        "保健按摩师一班", [("加仓·晋美南杰", WOMAN), ("王䶮", MAN)], PAPERS, class_hours=120
    )
    sheet = read(data, papers=PAPERS)
    assert sheet.header == (
        "序号",
        "姓名",
        "公民身份号码",
        "出勤课时",
        "理论成绩",
        "实操成绩",
        "是否合格",
        "备注",
    )
    assert [(row.number, row.cells["name"], row.cells["citizen_id"]) for row in sheet.rows] == [
        (4, "加仓·晋美南杰", WOMAN),
        (5, "王䶮", MAN),
    ]
    xml = part(data, SHEET).decode()
    assert 'ySplit="3"' in xml
    assert 'sqref="D4:D5"' in xml
    assert "D4&lt;=120" in xml
    assert re.search(r"<formula1>OR\(E4=\"缺考\",AND\(ISNUMBER\(E4\),E4&gt;=0,E4&lt;=100\)\)</formula1>", xml)
    assert "合格,不合格" in xml


def test_the_results_sheet_has_a_column_for_every_paper_of_the_class() -> None:
    papers = {"theory": "理论", "oral": "口试成绩", "massage": "推拿"}
    sheet = read(results_workbook("班", [("李明", WOMAN)], papers, class_hours=Decimal("7.5")), papers=papers)
    assert sheet.header[4:7] == ("理论成绩", "口试成绩", "推拿成绩")
    assert sheet.columns >= set(papers)


def test_a_class_without_trainees_gives_an_empty_sheet() -> None:
    with pytest.raises(FileRefused) as caught:
        read(results_workbook("班", [], PAPERS), papers=PAPERS)
    assert caught.value.own_code == "no_rows"


def test_the_empty_roster_is_recognised_and_has_no_rows() -> None:
    data = roster_workbook()
    with pytest.raises(FileRefused) as caught:
        read(data)
    assert caught.value.own_code == "no_rows"
    xml = part(data, SHEET).decode()
    # sex, education and residence to choose from; two numbers of a certain length
    assert xml.count("<dataValidation ") == 5
    assert "18位" in part(data, "xl/sharedStrings.xml").decode()


def test_the_same_content_gives_the_same_bytes() -> None:
    assert roster_workbook() == roster_workbook()
    assert results_workbook("班", [("李明", WOMAN)], PAPERS) == results_workbook(
        "班", [("李明", WOMAN)], PAPERS
    )


def test_number_columns_are_text_so_that_excel_keeps_all_digits() -> None:
    data = refused_workbook(["姓名", "身份证号", "残疾证号"], [(["李明", WOMAN, WOMAN + "43"], ["原因"])])
    formats = re.findall(r'numFmtId="(\d+)"', part(data, "xl/styles.xml").decode().split("<cellXfs")[1])
    styles = dict(re.findall(r'<c r="(\w+)" s="(\d+)" t="s">', part(data, SHEET).decode()))
    assert formats[int(styles["B3"])] == formats[int(styles["C3"])] == "49"  # the built-in text format
