"""The certificate on paper: what is drawn, that it fits, and that its bytes depend on the record alone."""

from __future__ import annotations

import hashlib
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import combinations
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
import zxingcpp
from PIL import Image, ImageChops

from certificates import document
from certificates.document import fonts, imprint, page, plate, typesetting
from certificates.document.fonts import Typeface
from skills_registry.certification.printed import Printed
from skills_registry.foundation.errors import Unavailable, Undrawable
from skills_registry.foundation.wording import ForbiddenWording

HOST = "registry.example.cn"
FORBIDDEN = (
    "中华人民共和国",
    "中国",
    "中华",
    "国家",
    "全国",
    "职业资格",
    "岗位合格",
    "专业技术职务",
    "职业技能等级",
    "专项职业能力",
    "残疾",
)

MA = Printed(
    template="training_completion/1",
    kind="training_completion",
    number="630202-2025-000017-3",
    name="马海英",
    base_name="海东市乐都区阳光职业技能培训学校",
    subject="保健按摩师",
    occupation_code="4-10-04-02",
    level="五级/初级工",
    class_hours=120,
    starts_on=date(2025, 3, 3),
    ends_on=date(2025, 4, 11),
    issued_on=date(2025, 4, 18),
    expires_on=None,
    registered_with="海东市职业技能培训登记平台",
)

#: Names as they are: short, long, with a separator, with characters that few fonts have.
NAMES = (
    "马海英",
    "李强",
    "欧阳建国",
    "加仓·晋美南杰",
    "阿卜杜热西提·麦麦提吐尔逊",
    "王𬭎",
    "龚䶮",
    "韩〇",
    "赵𪚥",
    "钱𱁬",
    "古丽" * 12 + "扎",
)


def url(serial: int, host: str = HOST) -> str:
    chance = b"".join(hashlib.sha512(b"%d %d" % (serial, part)).digest() for part in range(2))
    return f"https://{host}/v/1{int.from_bytes(chance[:127]):0306d}"


def a_class(size: int) -> list[tuple[Printed, str]]:
    return [
        (replace(MA, name=NAMES[serial % len(NAMES)], number=f"630202-2025-{serial:06d}-3"), url(serial))
        for serial in range(size)
    ]


def raster(pdf: bytes, *, dpi: int, at: int = 0) -> Image.Image:
    return pypdfium2.PdfDocument(pdf)[at].render(scale=dpi / 72).to_pil().convert("L")


def text(pdf: bytes) -> str:
    """The text as poppler finds it, in the order of the content."""
    return subprocess.run(
        ["pdftotext", "-raw", "-", "-"], input=pdf, capture_output=True, check=True
    ).stdout.decode()


def lines(pdf: bytes) -> list[str]:
    return text(pdf).replace("\f", "").split("\n")


# ---------------------------------------------------------------- what is drawn


def test_the_paper_says_what_the_record_says() -> None:
    assert lines(document.draw(MA, url(1))) == [
        "职业技能培训合格证书",
        "CERTIFICATE OF TRAINING COMPLETION",
        "马海英：",
        "于2025年3月3日至2025年4月11日在本基地参加保健按摩师",
        "（五级/初级工）职业技能培训，共120课时，经考核合格，特发此证。",
        "This is to certify that the holder named above has completed the training described and passed its assessment.",
        "扫码验证真伪 Scan to verify",
        HOST,
        "证书编号：630202-2025-000017-3",
        "职业编码：4-10-04-02",
        "登记于：海东市职业技能培训登记平台",
        "培训基地（盖章）",
        "海东市乐都区阳光职业技能培训学校",
        "2025年4月18日",
        "",
    ]


def test_a_course_without_occupation_stands_under_its_title_without_code_or_level() -> None:
    course = replace(MA, subject="食用菌栽培实用技术", occupation_code="", level="")
    drawn = text(document.draw(course, url(1)))
    assert "参加“食用菌栽培实用技术”培训，共120课时" in drawn.replace("\n", "")
    assert "职业编码" not in drawn


def test_a_course_title_that_ends_in_training_does_not_say_it_twice() -> None:
    drawn = text(document.draw(replace(MA, subject="创业培训", occupation_code="", level=""), url(1)))
    assert "参加“创业培训”，共120课时" in drawn.replace("\n", "")


def test_an_expiry_day_is_printed_where_there_is_one() -> None:
    assert "有效期至：2030年4月17日" in text(document.draw(replace(MA, expires_on=date(2030, 4, 17)), url(1)))
    assert "有效期" not in text(document.draw(MA, url(1)))


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_drawn_and_can_be_copied_out_again(name: str) -> None:
    assert f"{name}：" in lines(document.draw(replace(MA, name=name), url(1)))


@pytest.mark.parametrize("name", ["བཀྲ་ཤིས་ཚེ་རིང", "ᠪᠠᠲᠤ", "نۇرگۈل"])
def test_a_script_that_needs_shaping_is_typeset_as_a_whole(name: str) -> None:
    record = replace(MA, name=name)
    assert document.uncovered(name) == ""
    assert not document.plate_for(record, HOST).takes(record)
    pdf = document.draw(record, url(1))
    assert pdf == document.draw_whole(record, url(1))
    assert page_looks_unlike(pdf, document.draw(replace(MA, name="马"), url(1)))


def codes(picture: Image.Image) -> list[zxingcpp.Barcode]:
    return zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)


def page_looks_unlike(one: bytes, other: bytes) -> bool:
    difference = ImageChops.difference(raster(one, dpi=72), raster(other, dpi=72))
    return difference.getextrema()[1] > 128


@pytest.mark.parametrize("name", NAMES)
def test_imprint_and_typesetter_give_the_same_picture(name: str) -> None:
    record = replace(MA, name=name)
    assert document.plate_for(record, HOST).takes(record)
    imprinted, typeset = (
        raster(draw(record, url(1)), dpi=100) for draw in (document.draw, document.draw_whole)
    )
    assert imprinted.size == typeset.size
    # Grey levels of 255: anti-aliasing rounds a little differently, a glyph out of place makes 100 and more.
    assert ImageChops.difference(imprinted, typeset).getextrema()[1] <= 24


def test_a_glyph_out_of_place_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison above can fail: a fifth of a millimetre of type size is enough."""
    expected = raster(document.draw_whole(MA, url(1)), dpi=100)
    monkeypatch.setattr(imprint, "_PIXELS", 4 / 3 * 1.02)
    moved = raster(document.draw(MA, url(1)), dpi=100)
    assert ImageChops.difference(moved, expected).getextrema()[1] > 60


# ---------------------------------------------------------------- the code on the paper


def by_poppler(pdf: bytes, folder: Path, *, dpi: int) -> Iterator[Image.Image]:
    """Each page as a second, unrelated program draws it."""
    subprocess.run(["pdftoppm", "-r", str(dpi), "-gray", "-", folder / "page"], input=pdf, check=True)
    return (Image.open(path) for path in sorted(folder.glob("page*.pgm")))


@pytest.mark.parametrize("dpi", [90, 96, 100, 150])
def test_the_code_reads_from_a_coarse_raster_whichever_program_draws_it(dpi: int, tmp_path: Path) -> None:
    """A picture in place of the drawing fails here: at 100 dpi poppler's raster of it could never be read."""
    addresses = [url(serial, "verify-skills.haidong-example.cn") for serial in range(6)]
    pdf = document.gather([(MA, address) for address in addresses])
    assert [[code.text for code in codes(raster(pdf, dpi=dpi, at=at))] for at in range(6)] == [
        [a] for a in addresses
    ]
    assert [[code.text for code in codes(picture)] for picture in by_poppler(pdf, tmp_path, dpi=dpi)] == [
        [address] for address in addresses
    ]


def test_the_code_is_25_mm_over_its_modules_and_has_its_quiet_zone() -> None:
    dpi = 254  # ten pixels a millimetre
    picture = raster(document.draw(MA, url(1)), dpi=dpi)
    [found] = codes(picture)
    corners = found.position
    assert abs((corners.top_right.x - corners.top_left.x) - 250) <= 3
    assert abs((corners.bottom_left.y - corners.top_left.y) - 250) <= 3
    left, top, zone = corners.top_left.x, corners.top_left.y, 19  # four of 53 modules
    around = picture.crop((left - zone, top - zone, left + 250 + zone, top + 250 + zone))
    around.paste(255, (zone - 2, zone - 2, zone + 253, zone + 253))
    assert around.getextrema() == (255, 255)


# ---------------------------------------------------------------- nothing overflows


def words(pdf: bytes) -> list[tuple[str, float, float, float, float]]:
    """Every word with its left, top, right and bottom, in millimetres from the page's top left corner."""
    layout = subprocess.run(
        ["pdftotext", "-bbox", "-", "-"], input=pdf, capture_output=True, check=True
    ).stdout
    found = re.findall(
        r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">(.*?)</word>', layout.decode()
    )
    return [(word[4], *(float(edge) / 72 * 25.4 for edge in word[:4])) for word in found]


LONG = {
    "a name of 25 characters": replace(MA, name="阿卜杜热西提·麦麦提吐尔逊托合提阿卜杜拉麦麦提"),
    "a name of 50 characters": replace(MA, name="古丽" * 25),
    "a Tibetan name": replace(MA, name="བསྟན་འཛིན་རྒྱ་མཚོ" * 3),
    "a base name of 60 characters": replace(
        MA, base_name="海东市化隆回族自治县群科新区综合职业技能培训学校" * 3
    ),
    "a base name of 100 characters": replace(MA, base_name="青海省河湟手工艺与农牧业实用技术培训中心" * 5),
    "an occupation of 40 characters": replace(MA, subject="互联网营销师（直播销售员）与乡村旅游服务" * 2),
    "a course title of 36 characters": replace(
        MA, subject="食用菌栽培与加工技术" * 4, occupation_code="", level=""
    ),
    "a course title of 120 characters": replace(
        MA, subject="食用菌栽培与加工技术" * 12, occupation_code="", level=""
    ),
    "a registration line of 100 characters": replace(
        MA, registered_with="海东市职业技能培训登记平台" * 8, expires_on=date(2030, 12, 31)
    ),
}


@pytest.mark.parametrize("case", LONG)
def test_long_texts_stay_inside_the_border_and_lie_on_nothing(case: str) -> None:
    found = words(document.draw(LONG[case], url(1, "verify-skills.haidong-example.cn")))
    for word, left, top, right, bottom in found:
        assert left >= 30, word
        assert right <= 267, word
        assert top >= 25, word
        assert bottom <= 190.6, word  # the inner rule
    for one, other in combinations(found, 2):
        # A word's box is as high as its font allows, so neighbours may touch; lying on each other is more.
        across = min(one[3], other[3]) - max(one[1], other[1])
        down = min(one[4], other[4]) - max(one[2], other[2])
        height = min(one[4] - one[2], other[4] - other[2])
        assert across < 0.5 or down < 0.45 * height, (one, other)


def test_a_long_name_shrinks_and_a_short_one_does_not() -> None:
    def height(record: Printed) -> float:
        [found] = [
            word for word in words(document.draw(record, url(1))) if word[0].endswith("：") and word[2] < 95
        ]
        return found[4] - found[2]

    assert height(replace(MA, name="李强")) == pytest.approx(height(MA))
    assert height(LONG["a name of 50 characters"]) < 0.5 * height(MA)


# ---------------------------------------------------------------- the bytes depend on the record alone


def test_a_certificate_has_the_same_bytes_alone_in_a_class_and_in_any_order() -> None:
    prints = a_class(30)
    together = list(document.draw_all(prints))
    plate.forget()
    backwards = list(document.draw_all(reversed(prints)))[::-1]
    assert backwards == together
    for one in (0, 7, 10, 29):
        plate.forget()
        assert document.draw(*prints[one]) == together[one]


def test_a_certificate_has_the_same_bytes_in_another_process_on_another_day() -> None:
    asked = (
        "import hashlib, sys, time_machine\n"
        "from certificates import document\n"
        "from tests.test_document import MA, url\n"
        "with time_machine.travel(sys.argv[1]):\n"
        "    print(hashlib.sha256(document.draw(MA, url(1))).hexdigest())\n"
    )
    here = hashlib.sha256(document.draw(MA, url(1))).hexdigest()
    for day, seed in (("2025-05-01", "1"), ("2041-12-31", "2")):
        there = subprocess.run(
            [sys.executable, "-c", asked, day],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parent.parent,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
        assert there.stdout.strip() == here


def test_a_class_in_one_file_has_the_same_bytes_each_time() -> None:
    first = document.gather(a_class(5))
    plate.forget()
    assert document.gather(a_class(5)) == first


@pytest.mark.parametrize(
    "change", [{"name": "马海霞"}, {"number": "630202-2025-000018-1"}, {"class_hours": 121}]
)
def test_another_record_gives_other_bytes(change: dict[str, object]) -> None:
    assert document.draw(replace(MA, **change), url(1)) != document.draw(MA, url(1))  # type: ignore[arg-type]


def test_a_certificate_lists_no_character_of_a_classmate() -> None:
    pdf = next(iter(document.draw_all([(MA, url(1)), (replace(MA, name="王𬭎"), url(2))])))
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        found = opened.pages[0].obj.Resources.Font.as_dict().values()
        listed = "".join(font.ToUnicode.read_bytes().decode() for font in found).lower()
    assert f"{ord('马'):04x}" in listed
    assert "𬭎".encode("utf-16-be").hex() not in listed


# ---------------------------------------------------------------- a class in one file


def test_a_class_in_one_file_has_a_page_for_each_in_order() -> None:
    prints = a_class(12)
    gathered = document.gather(prints)
    pages = text(gathered).split("\f")[:-1]
    assert [found.split("\n")[2] for found in pages] == [f"{printed.name}：" for printed, _ in prints]
    for at, (_, address) in enumerate(prints):
        assert [found.text for found in codes(raster(gathered, dpi=100, at=at))] == [address]


def test_a_class_in_one_file_shares_what_its_certificates_share() -> None:
    prints = a_class(30)
    assert len(document.gather(prints)) < 0.5 * sum(map(len, document.draw_all(prints)))


def test_pages_of_several_classes_and_scripts_can_be_gathered() -> None:
    mixed = [(MA, url(1)), (replace(MA, name="བཀྲ་ཤིས"), url(2)), (replace(MA, subject="中式面点师"), url(3))]
    pages = text(document.gather(mixed)).split("\f")
    assert "保健按摩师" in pages[0]
    assert "中式面点师" in pages[2]


def test_nothing_to_gather_is_refused() -> None:
    with pytest.raises(ValueError, match="no certificates"):
        document.gather([])


# ---------------------------------------------------------------- fonts


@pytest.mark.parametrize("name", NAMES)
def test_ordinary_and_rare_names_are_covered(name: str) -> None:
    assert document.uncovered(name) == ""


def test_what_no_font_covers_is_named_once_and_never_drawn() -> None:
    unknown = "\U000e0f00"  # unassigned for ever: nobody draws it
    assert document.uncovered(f"马{unknown}海{unknown}") == unknown
    with pytest.raises(Undrawable) as refused:
        document.draw(replace(MA, name=f"马{unknown}"), url(1))
    assert refused.value.facts["characters"] == "U+E0F00"
    assert "马" not in refused.value.sentence("zh")
    with pytest.raises(Undrawable):
        document.draw(replace(MA, base_name=f"培训{unknown}学校"), url(1))


def test_a_rare_character_borrows_a_font_and_its_neighbours_keep_theirs() -> None:
    assert list(fonts.runs("赵𪚥明", fonts.NAME_CHAIN)) == [
        (fonts.KAI, "赵"),
        (fonts.HANA_A, "𪚥"),
        (fonts.KAI, "明"),
    ]
    assert list(fonts.runs("钱𱁬", fonts.NAME_CHAIN)) == [(fonts.KAI, "钱"), (fonts.SONG, "𱁬")]


def test_everything_is_set_in_fonts_that_the_file_carries() -> None:
    listing = subprocess.run(
        ["pdffonts", "-"], input=document.draw(MA, url(1)), capture_output=True, check=True
    ).stdout
    rows = listing.decode().splitlines()[2:]
    assert len(rows) == 4
    for row in rows:
        assert row.split()[-5:-2] == ["yes", "yes", "yes"]  # embedded, a subset, with a map to Unicode


def test_a_missing_font_is_named_with_its_package() -> None:
    missing = Typeface("No Such Song", "fonts-no-such-song")
    with pytest.raises(Unavailable) as refused:
        document.check_installation(required=(fonts.SONG, missing))
    assert "No Such Song" in refused.value.sentence("en")
    assert "apt install fonts-no-such-song" in refused.value.sentence("zh")
    assert "fonts-noto-cjk" not in refused.value.sentence("zh")


def test_a_missing_font_for_rare_names_is_reported_and_no_reason_to_stop() -> None:
    missing = Typeface("No Such Kai", "fonts-no-such-kai")
    assert document.check_installation(wanted=(fonts.KAI, missing)) == (missing,)
    assert document.check_installation() == ()


# ---------------------------------------------------------------- words and safety


def test_the_templates_own_words_are_permitted_and_neutral() -> None:
    document.refuse_forbidden_words(document.fixed_texts(MA), FORBIDDEN)


@pytest.mark.parametrize("word", FORBIDDEN)
@pytest.mark.parametrize("field", ["base_name", "subject", "level", "registered_with"])
def test_a_forbidden_word_is_refused_wherever_it_would_be_printed(field: str, word: str) -> None:
    texts = document.fixed_texts(replace(MA, **{field: f"某{word}某"}))  # type: ignore[arg-type]
    with pytest.raises(ForbiddenWording) as refused:
        document.refuse_forbidden_words(texts, FORBIDDEN, "人社部函〔2022〕25号")
    assert refused.value.facts["field"] == field


def test_a_holders_own_name_is_never_judged() -> None:
    document.refuse_forbidden_words(document.fixed_texts(replace(MA, name="李中华")), FORBIDDEN)
    assert "李中华：" in lines(document.draw(replace(MA, name="李中华"), url(1)))


def test_markup_in_a_record_is_text() -> None:
    drawn = text(document.draw(replace(MA, base_name='<img src="file:///etc/hostname">&amp;'), url(1)))
    assert '<img src="file:///etc/hostname">&amp;' in drawn


@pytest.mark.parametrize(
    "address", ["file:///etc/hostname", "http://127.0.0.1:1/x", "data:,x", "certificate:other"]
)
def test_the_page_can_fetch_nothing_but_its_own_files(address: str) -> None:
    fetcher = typesetting.OurOwn({"border.svg": b"<svg/>"})
    with pytest.raises(PermissionError):
        fetcher.fetch(address)
    assert fetcher.fetch("certificate:border.svg").read() == b"<svg/>"


@pytest.mark.parametrize(
    "template", ["training_completion/999", "../../etc/passwd", "training_completion", ""]
)
def test_an_unknown_template_is_refused(template: str) -> None:
    with pytest.raises(document.UnknownTemplate):
        document.draw(replace(MA, template=template), url(1))


def test_a_font_that_the_page_did_not_bring_is_an_error_not_a_surprise() -> None:
    setting = page.page(MA, HOST, name_line="马：", number=MA.number)
    with pytest.raises(Unavailable):
        typesetting.typeset(setting.html.replace(HOST, "ༀ"), setting.supplied)
