"""Reading sheets as offices write them: formats, headers, row numbers, what is left out."""

from __future__ import annotations

import codecs
from datetime import date, datetime

import pytest

from skills_registry.foundation.errors import FileRefused
from skills_registry.spreadsheets import CellError, Sheet, read
from skills_registry.spreadsheets.containers import require_harmless_workbook
from skills_registry.spreadsheets.delimited import rows_of_text
from skills_registry.spreadsheets.headers import ALIASES, vocabulary
from skills_registry.spreadsheets.refusals import REFUSALS, Unreadable
from skills_registry.spreadsheets.sniffing import sniff
from tests.made_sheets import MAN, PAPERS, WOMAN, part, repacked, roster, sample, workbook

LINES = [["姓名", "身份证号", "备注"], ["李明", WOMAN, "甲，乙"], ["王䶮", MAN, ""]]


def refused(data: bytes, papers: dict[str, str] | None = None) -> FileRefused:
    with pytest.raises(FileRefused) as caught:
        read(data, papers=papers or {})
    return caught.value


def names(sheet: Sheet) -> list[object]:
    return [row.cells["name"] for row in sheet.rows]


def csv_text(delimiter: str = ",") -> str:
    return "".join(delimiter.join(f'"{cell}"' for cell in line) + "\r\n" for line in LINES)


# --- formats


@pytest.mark.parametrize("kind", ["roster", "results"])
def test_an_xls_reads_exactly_as_the_xlsx_it_was_saved_from(kind: str) -> None:
    papers = PAPERS if kind == "results" else {}
    new, old = (read(sample(f"{kind}-clean.{ending}"), papers=papers) for ending in ("xlsx", "xls"))
    assert len(new.rows) == 30
    assert old == new


@pytest.mark.parametrize(
    "data",
    [
        csv_text().encode(),
        codecs.BOM_UTF8 + csv_text().encode(),
        csv_text().encode("gb18030"),
        csv_text("\t").encode("utf-16"),
        codecs.BOM_UTF16_BE + csv_text("\t").encode("utf-16-be"),
        csv_text(";").encode(),
        ("sep=;\r\n" + csv_text(";")).encode(),
        csv_text().replace("\r\n", "\n").encode(),
        csv_text().replace("\r\n", "\r").encode(),
    ],
    ids=["utf-8", "bom", "gb18030", "utf-16", "utf-16-be", "semicolon", "sep", "unix", "old mac"],
)
def test_text_tables_are_read_in_every_encoding_and_delimiter_that_offices_save(data: bytes) -> None:
    sheet = read(data)
    assert names(sheet) == ["李明", "王䶮"]
    assert [row.number for row in sheet.rows] == [2, 3]
    assert sheet.rows[0].cells["citizen_id"] == WOMAN


def test_a_title_line_with_commas_does_not_hide_the_delimiter() -> None:
    assert len(read(("培训机构，某校,某班,某期\n" + csv_text("\t")).encode()).rows) == 2


def test_a_line_break_inside_a_quoted_cell_is_no_new_row() -> None:
    data = f'姓名,身份证号,备注\r\n李明,{WOMAN},"一\n二"\r\n王䶮,{MAN},\r\n'.encode()
    assert [row.number for row in read(data).rows] == [2, 3]


# --- cells


def test_cells_keep_their_kinds_and_whole_figures_lose_their_point() -> None:
    row = [
        "李明",
        6.3212719910203e17,
        date(1983, 10, 18),
        85.0,
        85.5,
        True,
        datetime(2025, 3, 1, 8, 30),  # noqa: DTZ001 - a cell knows no zone
    ]
    (read_row,) = read(workbook([["姓名", "身份证号", "出生日期", "电话", "备注"], row])).rows
    assert dict(read_row.cells) == {
        "name": "李明",
        "citizen_id": 6.3212719910203e17,
        "birth_date": date(1983, 10, 18),
        "phone": 85,
        "remark": 85.5,
    }
    assert read_row.original == [
        "李明",
        6.3212719910203e17,
        "1983-10-18",
        85,
        85.5,
        True,
        "2025-03-01T08:30:00",
    ]


def test_formula_errors_are_told_from_empty_cells() -> None:
    made = roster(["李明", "改"], ["王䶮", "改"])
    xml = part(made, "xl/worksheets/sheet1.xml")
    xml = xml.replace(
        b'<c r="B2" t="s"><v>3</v></c>', b'<c r="B2" t="e"><f>VLOOKUP(A2,Z:Z,1,0)</f><v>#N/A</v></c>'
    )
    assert b"#N/A" in xml
    first, second = read(repacked(made, {"xl/worksheets/sheet1.xml": xml})).rows
    assert first.cells["citizen_id"] == CellError("#N/A")
    assert first.original == ["李明", "#N/A"]
    assert second.cells["citizen_id"] == "改"
    (from_text,) = read(b"\xe5\xa7\x93\xe5\x90\x8d,\xe8\xba\xab\xe4\xbb\xbd\xe8\xaf\x81\n#REF!,1\n").rows
    assert from_text.cells["name"] == CellError("#REF!")


def test_no_repr_of_a_sheet_shows_what_is_in_it() -> None:
    sheet = read(sample("roster-clean.xlsx"))
    assert "加仓" not in repr(sheet)
    assert "6321" not in repr(sheet.rows[0])


# --- rows


def test_rows_are_numbered_as_excel_shows_them_also_below_empty_ones() -> None:
    rows = [
        [],
        [],
        ["", "花名册"],
        [],
        ["", "姓名", "身份证号"],
        ["", "李明", WOMAN],
        [],
        [],
        ["", "王䶮", MAN],
    ]
    sheet = read(workbook(rows))
    assert sheet.header_row == 5
    assert [row.number for row in sheet.rows] == [6, 9]


def test_blank_numbered_total_footer_and_repeated_header_rows_are_left_out() -> None:
    head = ["序号", "姓名", "身份证号", "备注"]
    rows = [
        head,
        [1, "李明", WOMAN, ""],
        [2, "", "", ""],
        ["", "　", " ", ""],
        head,
        [3, "王䶮", MAN, ""],
        ["合计", "2人", "", ""],
        ["总 计：2", "", "", ""],
        ["填表人：张三", "", "审核人：李四", "2025年3月1日"],
        ["备注：以上人员均持证", "", "", ""],
        ["", "单位负责人（签字）：", "", ""],
    ]
    assert [row.number for row in read(workbook(rows)).rows] == [2, 6]


def test_a_row_without_id_or_name_is_a_row_all_the_same() -> None:
    rows = [["序号", "姓名", "身份证号"], [1, "李明", ""], [2, "", MAN], [3, "备小注", ""], ["", "合格", ""]]
    assert [row.number for row in read(workbook(rows)).rows] == [2, 3, 4, 5]


# --- headers


def test_every_alias_names_its_field_and_no_title_names_two() -> None:
    words = vocabulary(PAPERS)
    for field, aliases in ALIASES.items():
        assert {words.field_of(alias) for alias in aliases} == {field}
    for title in ("理论", "理论成绩", "理论考试成绩", "笔试成绩", "理论知识得分"):
        assert words.field_of(title) == "theory"
    for title in ("实操", "实操成绩", "技能成绩", "操作成绩", "操作技能考核成绩", "实训分数"):
        assert words.field_of(title) == "practice"
    for title in (
        "监护人身份证号",
        "发证日期",
        "民族",
        "户主姓名",
        "培训课时",
        "残疾类别",
        "退回原因",
        "",
        None,
        3,
    ):
        assert words.field_of(title) == ""


def test_any_known_name_of_the_required_columns_makes_a_roster() -> None:
    sheet = read(f"学员姓名\t公民身份证号码\n李明\t{WOMAN}\n".encode())
    assert dict(sheet.rows[0].cells) == {"name": "李明", "citizen_id": WOMAN}


def test_asterisks_blanks_breaks_and_remarks_in_brackets_do_not_hide_a_column() -> None:
    words = vocabulary({})
    for title in (
        "* 身份证号",
        "身份证号＊",
        "身 份 证 号",
        "身份证号码（必填）",
        "【身份证号】",
        "身份证号：",
    ):
        assert words.field_of(title) == "citizen_id"
    sheet = read(workbook([["姓名", "身份证号\n（18位）"], ["李明", WOMAN]]))
    assert sheet.rows[0].cells["citizen_id"] == WOMAN
    assert sheet.header == ("姓名", "身份证号\n（18位）")


def test_a_bracket_can_also_carry_the_name_of_the_paper() -> None:
    words = vocabulary(PAPERS)
    assert words.field_of("理论（成绩）") == "theory"
    assert words.field_of("实操成绩（100分）") == "practice"


def test_a_header_over_two_lines_is_put_together() -> None:
    rows = [
        ["某班成绩表"],
        ["序号", "姓名", "公民身份号码", "出勤学时", "考核成绩", "", "结论"],
        ["", "", "", "", "理论", "实操", ""],
        [1, "李明", WOMAN, 80, 60, 70, "合格"],
    ]
    sheet = read(workbook(rows), papers=PAPERS)
    assert sheet.header == ("序号", "姓名", "公民身份号码", "出勤学时", "理论", "实操", "结论")
    (row,) = sheet.rows
    assert (row.number, row.cells["theory"], row.cells["practice"], row.cells["verdict"]) == (
        4,
        60,
        70,
        "合格",
    )


def test_the_guardian_of_a_second_header_line_is_not_the_trainee() -> None:
    rows = [
        ["姓名", "身份证号", "监护人", ""],
        ["", "", "姓名", "电话"],
        ["李明", WOMAN, "李大", "13900000000"],
    ]
    (row,) = read(workbook(rows)).rows
    assert (row.cells["name"], row.cells["guardian_phone"]) == ("李明", "13900000000")
    assert "phone" not in row.cells


def test_papers_that_the_class_declares_are_found_by_their_names() -> None:
    papers = {"theory": "理论知识考试", "oral": "口试成绩", "massage": "推拿"}
    titles = ["姓名", "身份证号", "实际课时", "理论成绩", "口试", "推拿得分"]
    (row,) = read(workbook([titles, ["李明", WOMAN, 80, 60, 61, 62]]), papers=papers).rows
    assert [row.cells[paper] for paper in papers] == [60, 61, 62]


def test_a_roster_does_not_mind_columns_of_papers() -> None:
    assert "theory" not in read(sample("results-clean.xlsx")).columns


def test_the_first_visible_sheet_with_a_header_counts() -> None:
    notes, hidden, good = [["说明", "请填写"]], [LINES[0], ["旧名", WOMAN]], LINES
    assert names(read(workbook(notes, hidden, good, hidden=[1]))) == ["李明", "王䶮"]


def test_a_complete_header_outweighs_an_incomplete_one_before_it() -> None:
    assert names(read(workbook([["姓名"], ["某人"]], LINES))) == ["李明", "王䶮"]


# --- refusals of honest files


def test_missing_columns_are_named_in_chinese() -> None:
    error = refused(workbook([["姓名", "身份证号", "理论"], ["李明", WOMAN, 60]]), papers=PAPERS)
    assert error.own_code == "columns_missing"
    assert error.facts["columns"] == "出勤课时、实操成绩"
    assert error.sentence("en").startswith("The header lacks")


def test_a_sheet_without_any_header_says_what_is_expected() -> None:
    assert refused(b"just a sentence").own_code == "header_not_found"
    error = refused(workbook([["李明", WOMAN], ["王䶮", MAN]]))
    assert error.own_code == "header_not_found"
    assert "姓名、公民身份号码" in error.sentence()


def test_two_columns_for_one_required_field_are_not_chosen_between() -> None:
    error = refused(workbook([["姓名", "身份证号", "证件号码"], ["李明", WOMAN, MAN]]))
    assert (error.own_code, error.facts["column"]) == ("column_ambiguous", "公民身份号码")


def test_a_second_phone_column_is_no_reason_to_refuse() -> None:
    (row,) = read(workbook([["姓名", "身份证号", "手机", "电话"], ["李明", WOMAN, "1", "2"]])).rows
    assert row.cells["phone"] == "1"


def test_a_header_without_rows_is_refused() -> None:
    assert refused(workbook([LINES[0]])).own_code == "no_rows"


def test_rows_and_columns_are_bounded() -> None:
    many = "姓名,身份证号\n" + f"李明,{WOMAN}\n" * 5_001
    assert refused(many.encode()).own_code == "too_many_rows"
    assert len(read(many.encode()[: -len(f"李明,{WOMAN}\n".encode())]).rows) == 5_000
    assert refused((many[:8] + "," * 120 + f"列\n李明,{WOMAN}\n").encode()).own_code == "too_many_columns"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "file_empty"),
        (b" \r\n\x00", "file_empty"),
        (b"\xef\xbb\xbf", "file_empty"),
        (b"%PDF-1.7 ...", "file_is_pdf"),
        (b"\xff\xd8\xff\xe0JFIF", "file_is_picture"),
        (b"\x89PNG\r\n\x1a\n", "file_is_picture"),
        (b"BM" + b"\x10\x00\x00\x00\0\0\0\0" + b"\x36", "file_is_picture"),
        (b"{\\rtf1 abc}", "file_is_document"),
        (b"Rar!\x1a\x07\x00", "file_is_archive"),
        (b"\x1f\x8b\x08\x00", "file_is_archive"),
        (b"\x09\x08\x08\x00\x00\x05\x10\x00", "file_too_old"),
        (b"<html><table><tr><td>\xe5\xa7\x93</td></tr></table>", "file_is_web_page"),
        (b"\xef\xbb\xbf <meta charset=utf-8><table>", "file_is_web_page"),
        (b"MIME-Version: 1.0\r\nContent-Type: multipart/related", "file_is_web_page"),
        (
            b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">',
            "file_is_xml_spreadsheet",
        ),
        (b"<svg/>", "file_unknown"),
        (b"\x00\x01\x02abc", "file_unknown"),
        (b"\x81\xff\x81\xff", "file_encoding_unknown"),
        (b"\xff\xfe\x00\xd8a", "file_encoding_unknown"),
    ],
)
def test_what_is_no_table_is_told_by_what_it_is(data: bytes, code: str) -> None:
    def look() -> object:
        return sniff(data) == "text" and rows_of_text(data)

    with pytest.raises(Unreadable) as caught:
        look()
    assert caught.value.code == code


def test_what_is_no_table_gets_one_helpful_sentence() -> None:
    error = refused(b"%PDF-1.7 ...")
    assert error.own_code == "file_is_pdf"
    assert error.sentence("zh") == "这是 PDF，不是表格，请上传原始的 .xlsx 表格。"


@pytest.mark.parametrize(
    ("member", "code"),
    [
        ("word/document.xml", "file_is_document"),
        ("ppt/presentation.xml", "file_is_presentation"),
        ("content.xml", "file_is_opendocument"),
        ("xl/workbook.bin", "file_is_binary_workbook"),
        ("名单.xlsx", "file_is_archive"),
    ],
)
def test_a_container_is_told_by_what_is_inside(member: str, code: str) -> None:
    empty = b"PK\x05\x06" + bytes(18)
    with pytest.raises(Unreadable) as caught:
        require_harmless_workbook(repacked(empty, {member: b"<x/>"}))
    assert caught.value.code == code


def test_a_workbook_with_a_password_is_told_so() -> None:
    assert refused(sample("roster-encrypted.xlsx")).own_code == "file_encrypted"


def test_an_old_workbook_with_a_password_is_told_so() -> None:
    data = bytearray(sample("roster-clean.xls"))
    beginning = data.index(b"\x09\x08\x10\x00\x00\x06\x05\x00") + 20  # after the first record, BOF
    data[beginning : beginning + 2] = b"\x2f\x00"  # FILEPASS
    assert refused(bytes(data)).own_code == "file_encrypted"


def test_every_refusal_has_its_sentence_in_both_languages_without_a_file_name() -> None:
    for zh, en in REFUSALS.values():
        assert zh.endswith("。")
        assert en.endswith(".")
