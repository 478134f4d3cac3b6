"""A certificate for those who listen to it: PDF/UA-1 as far as a machine can judge.

Read with pikepdf, qpdf and poppler, none of which had a hand in writing it. The checkpoints are those of
the Matterhorn Protocol 1.1 that can fail here; the numbers name them.
"""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pikepdf
import pytest

from certificates import document
from skills_registry.certification.printed import PrintedAward
from tests.test_document import HOST, MA, a_class, url

TIBETAN = replace(MA, name="བཀྲ་ཤིས་ཚེ་རིང")

AWARD = PrintedAward(
    template="competition_award/1",
    kind="competition_award",
    number="630200-2025-000018-1",
    name="马海英",
    organiser="海东市技能培训登记平台",
    competition="2025年海东市职业技能竞赛",
    subject="中式面点制作",
    prize="第一名",
    starts_on=date(2025, 3, 1),
    ends_on=date(2025, 3, 2),
    issued_on=date(2025, 3, 5),
    registered_with="海东市职业技能培训登记平台",
)

CASES = ("a certificate", "a rare name", "a name typeset as a whole", "a class", "an award")


@cache
def file(case: str) -> bytes:
    if case == "a class":
        return document.gather([*a_class(6), (TIBETAN, url(7))])
    record = {
        "a certificate": MA,
        "a rare name": replace(MA, name="赵𪚥𱁬"),
        "a name typeset as a whole": TIBETAN,
        "an award": AWARD,
    }
    return document.draw(record[case], url(1))


#: What leaves a mark on paper.
PAINTING = {"Tj", "TJ", "'", '"', "Do", "sh", "S", "s", "f", "F", "f*", "B", "B*", "b", "b*", "INLINE IMAGE"}


@pytest.fixture(params=CASES)
def pdf(request: pytest.FixtureRequest) -> Iterator[pikepdf.Pdf]:
    with pikepdf.open(io.BytesIO(file(request.param))) as opened:
        yield opened


def elements(pdf: pikepdf.Pdf) -> Iterator[pikepdf.Object]:
    """All structure elements in reading order."""
    ahead = [pdf.Root.StructTreeRoot.K[0]]
    while ahead:
        element = ahead.pop(0)
        yield element
        ahead = [kid for kid in element.K if isinstance(kid, pikepdf.Dictionary)] + ahead


def marked(page: pikepdf.Page) -> Iterator[tuple[str, int | None, list[str]]]:
    """Each marked-content sequence: its tag, its number, and the painting done in it; unmarked painting has tag ''."""
    opened: list[tuple[str, int | None, list[str]]] = []
    for operands, operator in pikepdf.parse_content_stream(page):
        name = str(operator)
        if name in ("BDC", "BMC"):
            number = operands[1].get("/MCID") if name == "BDC" else None
            opened.append((str(operands[0]), None if number is None else int(number), []))
        elif name == "EMC":
            yield opened.pop()
        elif name in PAINTING:
            if not opened:
                yield "", None, [name]
            else:
                opened[-1][2].append(name)
    assert opened == []


@pytest.mark.parametrize("case", CASES)
def test_qpdf_finds_no_fault(case: str, tmp_path: Path) -> None:
    path = tmp_path / "file.pdf"
    path.write_bytes(file(case))
    checked = subprocess.run(["qpdf", "--check", path], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "WARNING" not in checked.stdout + checked.stderr


def test_the_file_says_that_it_is_tagged_chinese_and_titled(pdf: pikepdf.Pdf) -> None:
    """Matterhorn 06, 07, 11."""
    assert bool(pdf.Root.MarkInfo.Marked)
    assert str(pdf.Root.Lang) == "zh-CN"
    assert bool(pdf.Root.ViewerPreferences.DisplayDocTitle)


def test_the_metadata_names_the_standard_and_the_same_title_as_the_file(pdf: pikepdf.Pdf) -> None:
    """Matterhorn 05, 06."""
    with pdf.open_metadata() as metadata:
        assert metadata["pdfuaid:part"] == "1"
        assert metadata["dc:title"] == str(pdf.docinfo["/Title"])
        assert metadata["pdf:Producer"] == str(pdf.docinfo["/Producer"])
    assert str(pdf.docinfo["/Title"]).startswith(("职业技能培训合格证书", "技能竞赛获奖证书"))
    for name in ("马海英", "赵", "བཀྲ"):
        assert name not in str(pdf.docinfo["/Title"])


def test_everything_painted_belongs_to_the_structure_or_is_decoration(pdf: pikepdf.Pdf) -> None:
    """Matterhorn 01: no content outside of tags and artifacts, none in both."""
    for page in pdf.pages:
        for tag, number, painting in marked(page):
            assert tag, f"painted without a tag: {painting}"
            assert (tag == "/Artifact") == (number is None)
            assert painting or number is None


def test_content_and_structure_point_at_each_other(pdf: pikepdf.Pdf) -> None:
    """Matterhorn 01, 09: each piece of content has one element, which names that piece on that page."""
    nums = pdf.Root.StructTreeRoot.ParentTree.Nums
    by_page = {int(nums[at]): nums[at + 1] for at in range(0, len(nums), 2)}
    for page in pdf.pages:
        parents = by_page.pop(int(page.obj.StructParents))
        numbers = [number for _, number, _ in marked(page) if number is not None]
        assert sorted(numbers) == list(range(len(parents)))
        for number in numbers:
            assert [int(kid) for kid in parents[number].K] == [number]
            assert parents[number].Pg.objgen == page.objgen
    assert by_page == {}
    for element in elements(pdf):
        for kid in element.K:
            if isinstance(kid, pikepdf.Dictionary):
                assert kid.P.objgen == element.objgen


def test_each_certificate_is_an_article_that_begins_with_its_only_heading(pdf: pikepdf.Pdf) -> None:
    """Matterhorn 09, 14."""
    top = pdf.Root.StructTreeRoot.K[0]
    assert str(top.S) == "/Document"
    assert [str(kid.S) for kid in top.K] == ["/Art"] * len(pdf.pages)
    assert [str(kid.K[0].S) for kid in top.K] == ["/H1"] * len(pdf.pages)
    tags = [str(element.S) for element in elements(pdf)]
    assert tags.count("/H1") == len(pdf.pages)
    assert set(tags) <= {"/Document", "/Art", "/H1", "/P", "/Div", "/Span", "/Figure"}


def test_the_code_is_a_figure_with_a_text_and_its_place(pdf: pikepdf.Pdf) -> None:
    """Matterhorn 13."""
    figures = [element for element in elements(pdf) if str(element.S) == "/Figure"]
    assert len(figures) == len(pdf.pages)
    for figure in figures:
        assert str(figure.Alt) == f"验证二维码，网址：{HOST}"
        left, bottom, right, top = (float(edge) * 25.4 / 72 for edge in figure.A.BBox)
        assert (right - left, top - bottom) == (pytest.approx(25, abs=0.01), pytest.approx(25, abs=0.01))
        assert left == pytest.approx(35.5, abs=0.01)
        assert top == pytest.approx(210 - 149.6, abs=0.01)


def test_english_lines_are_marked_as_english(pdf: pikepdf.Pdf) -> None:
    """Matterhorn 11: a voice that reads Chinese must change for them."""
    foreign = [element for element in elements(pdf) if str(element.get("/Lang", "")) == "en"]
    assert len(foreign) == 4 * len(pdf.pages)  # subtitle, statement, "Scan to verify", host


def test_every_font_is_embedded_and_every_glyph_has_a_meaning(pdf: pikepdf.Pdf) -> None:
    """Matterhorn 10, 31."""
    for page in pdf.pages:
        for font in page.obj.Resources.Font.as_dict().values():
            descendant = font.DescendantFonts[0]
            descriptor = descendant.FontDescriptor
            assert "/FontFile2" in descriptor or "/FontFile3" in descriptor
            assert descriptor.FontName == descendant.BaseFont == font.BaseFont
            assert ("/CIDToGIDMap" in descendant) == (descendant.Subtype == "/CIDFontType2")
            assert b"beginbfchar" in font.ToUnicode.read_bytes()


def test_the_reading_order_is_the_order_of_the_paper() -> None:
    told = subprocess.run(
        ["pdfinfo", "-struct-text", "-"], input=file("a certificate"), capture_output=True, check=True
    ).stdout.decode()
    order = [
        "职业技能培训合格证书",
        "马海英：",
        "于2025年3月3日",
        "This is to certify",
        "Figure",
        "扫码验证真伪",
        HOST,
        "630202-2025-000017-3",
        "海东市职业技能培训登记平台",
        "海东市乐都区阳光职业技能培训学校",
        "2025年4月18日",
    ]
    places = [told.index(words) for words in order]
    assert places == sorted(places)


def test_tabs_follow_the_structure_and_nothing_moves_or_runs(pdf: pikepdf.Pdf) -> None:
    """Matterhorn 28 and 29: no script, no annotation."""
    assert "/AcroForm" not in pdf.Root
    assert "/Names" not in pdf.Root
    assert "/OpenAction" not in pdf.Root
    for page in pdf.pages:
        assert str(page.obj.Tabs) == "/S"
        assert "/Annots" not in page.obj
