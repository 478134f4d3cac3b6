"""What an accessible PDF must be, as far as a machine can judge: the checkpoints of the Matterhorn Protocol 1.1.

Read with pikepdf, which had no hand in writing it. For papers of any number of pages; certificates
have tests of their own, since they are built differently.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import pairwise

import pikepdf

#: What leaves a mark on paper.
PAINTING = {"Tj", "TJ", "'", '"', "Do", "sh", "S", "s", "f", "F", "f*", "B", "B*", "b", "b*", "INLINE IMAGE"}

#: The tags that our papers use; all are standard types of ISO 32000-1.
TAGS = {
    *("/Document", "/Part", "/Art", "/Sect", "/Div", "/H1", "/H2", "/H3", "/P", "/Span", "/NonStruct", "/Figure"),
    *("/L", "/LI", "/Lbl", "/LBody", "/Table", "/Caption", "/THead", "/TBody", "/TR", "/TH", "/TD"),
}  # fmt: skip


def elements(pdf: pikepdf.Pdf) -> Iterator[pikepdf.Object]:
    """All structure elements in reading order."""
    ahead = [pdf.Root.StructTreeRoot.K[0]]
    while ahead:
        element = ahead.pop(0)
        yield element
        ahead = [kid for kid in element.K if isinstance(kid, pikepdf.Dictionary)] + ahead


def marked(page: pikepdf.Page) -> Iterator[tuple[str, int | None, list[str]]]:
    """Each marked-content sequence: tag, number, and the painting done in it; unmarked painting has tag ''."""
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


def require_accessible(content: bytes, title: str) -> None:
    """Fail where a paper is not what PDF/UA-1 asks for."""
    with pikepdf.open(io.BytesIO(content)) as pdf:
        _require_named(pdf, title)
        _require_all_tagged(pdf)
        _require_sound_tags(pdf)
        _require_sound_tables(pdf)
        _require_meaning(pdf)


def _require_named(pdf: pikepdf.Pdf, title: str) -> None:
    """Matterhorn 05, 06, 07, 11, 28: title, language, standard, order of tabs, nothing that runs."""
    assert bool(pdf.Root.MarkInfo.Marked)
    assert str(pdf.Root.Lang) == "zh-CN"
    assert bool(pdf.Root.ViewerPreferences.DisplayDocTitle)
    with pdf.open_metadata() as metadata:
        assert metadata["pdfuaid:part"] == "1"
        assert metadata["dc:title"] == str(pdf.docinfo["/Title"]) == title
    assert "/AcroForm" not in pdf.Root and "/OpenAction" not in pdf.Root
    for page in pdf.pages:
        assert str(page.obj.Tabs) == "/S"
        assert "/Annots" not in page.obj


def _require_all_tagged(pdf: pikepdf.Pdf) -> None:
    """Matterhorn 01: all that is painted is decoration, or has one element that names it on its page."""
    nums = pdf.Root.StructTreeRoot.ParentTree.Nums
    by_page = {int(nums[at]): nums[at + 1] for at in range(0, len(nums), 2)}
    for page in pdf.pages:
        parents = by_page.pop(int(page.obj.StructParents))
        numbers = []
        for tag, number, painting in marked(page):
            assert tag, f"painted without a tag: {painting}"
            assert (tag == "/Artifact") == (number is None)
            if number is not None:
                numbers.append(number)
        assert sorted(numbers) == [at for at in range(len(parents)) if parents[at] is not None]
        for number in numbers:
            assert [int(kid) for kid in parents[number].K] == [number]
            assert parents[number].Pg.objgen == page.objgen
    assert by_page == {}


def _require_sound_tags(pdf: pikepdf.Pdf) -> None:
    """Matterhorn 09, 13, 14: known tags, one first heading and no level skipped, every figure told."""
    found = list(elements(pdf))
    assert {str(element.S) for element in found} <= TAGS
    for element in found:
        for kid in element.K:
            if isinstance(kid, pikepdf.Dictionary):
                assert kid.P.objgen == element.objgen
    levels = [int(str(element.S)[2]) for element in found if str(element.S) in ("/H1", "/H2", "/H3")]
    assert levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    assert len(pdf.Root.Outlines.keys()) > 0  # each heading is a bookmark
    for figure in (element for element in found if str(element.S) == "/Figure"):
        assert str(figure.Alt)
        left, bottom, right, top = (float(edge) for edge in figure.A.BBox)
        width, height = (float(edge) for edge in figure.Pg.MediaBox[2:])
        assert 0 <= left < right <= width and 0 <= bottom < top <= height


def _require_sound_tables(pdf: pikepdf.Pdf) -> None:
    """Matterhorn 15: heads of columns and rows say so, and every cell names heads that are there."""
    found = list(elements(pdf))
    heads = {bytes(element.ID): element for element in found if str(element.S) == "/TH"}
    for head in heads.values():
        assert str(head.A.Scope) in ("/Column", "/Row")
    if heads:
        names = pdf.Root.StructTreeRoot.IDTree.Names
        listed = {bytes(names[at]): names[at + 1] for at in range(0, len(names), 2)}
        assert list(listed) == sorted(heads)
        assert all(listed[name].objgen == head.objgen for name, head in heads.items())
    for cell in (element for element in found if str(element.S) == "/TD"):
        assert len(cell.A.Headers) > 0
        assert all(bytes(name) in heads for name in cell.A.Headers)


def _require_meaning(pdf: pikepdf.Pdf) -> None:
    """Matterhorn 10, 31: every font is in the file, and every glyph says which character it is."""
    for page in pdf.pages:
        for font in page.obj.Resources.Font.as_dict().values():
            descendant = font.DescendantFonts[0]
            descriptor = descendant.FontDescriptor
            assert "/FontFile2" in descriptor or "/FontFile3" in descriptor
            assert ("/CIDToGIDMap" in descendant) == (descendant.Subtype == "/CIDFontType2")
            assert b"beginbfchar" in font.ToUnicode.read_bytes()
