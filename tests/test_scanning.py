"""Reading QR codes from files: pictures, scans and PDFs as people really have them."""

import io
import struct
import subprocess
import sys
import zlib
from datetime import date

import pikepdf
import pytest
import qrcode
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image

from certificates import scanning, token
from certificates.scanning import Locked, ScanRefused, TooLarge, TooManyPages, codes_in
from certificates.signing import Ed25519Signer, KeyRing
from certificates.verification import check
from skills_registry.certification.statement import Statement
from skills_registry.foundation.errors import Unavailable

SIGNER = Ed25519Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
DPI = 150


def address(serial: int) -> str:
    body = Statement(
        key_id=SIGNER.key_id,
        id=serial.to_bytes(16),
        division=630200,
        year=2026,
        serial=serial,
        kind="training_completion",
        issued_on=date(2026, 4, 30),
        expires_on=None,
        base_number=12,
        occupation_edition="2015",
        occupation_code="4-10-04-02",
        level="level5_junior",
        class_hours=120,
        status_index=16,
        commitment=bytes(16),
    ).encode()
    return token.url("https://skills.example.cn", token.encode(body, SIGNER.sign(body)))


ONE, TWO = address(1), address(2)


def paper(*texts: str) -> Image.Image:
    """An A4 page in landscape at 150 dpi with codes of 25 mm side by side."""
    sheet = Image.new("L", (1754, 1240), 255)
    for place, text in enumerate(texts):
        symbol = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, border=0, box_size=3)
        symbol.add_data(text, optimize=20)
        drawn = symbol.make_image().get_image().convert("L").resize((148, 148), Image.Resampling.LANCZOS)
        sheet.paste(drawn, (200 + 400 * place, 900))
    return sheet


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def pdf(*pages: Image.Image) -> bytes:
    return saved(pages[0], "PDF", resolution=DPI, save_all=True, append_images=list(pages[1:]))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"])
def test_a_code_is_read_from_every_usual_kind_of_picture(kind: str) -> None:
    assert codes_in(saved(paper(ONE), kind)) == [ONE]


@pytest.mark.parametrize("turn", [90, 180, 270, 7])
def test_a_picture_may_lie_on_its_side_or_askew(turn: int) -> None:
    assert codes_in(saved(paper(ONE).rotate(turn, expand=True, fillcolor=255), "PNG")) == [ONE]


def test_a_transparent_picture_stands_on_white() -> None:
    sheet = paper(ONE)
    clear = Image.new("RGBA", sheet.size, (0, 0, 0, 0))
    clear.paste((0, 0, 0, 255), mask=sheet.point(lambda shade: 255 - shade))
    assert codes_in(saved(clear, "PNG")) == [ONE]


def test_all_codes_on_a_page_are_given_each_once() -> None:
    assert sorted(codes_in(saved(paper(ONE, TWO, ONE), "PNG"))) == sorted([ONE, TWO])


def test_every_page_of_a_pdf_is_read_in_order() -> None:
    assert codes_in(pdf(paper(ONE), paper(), paper(TWO))) == [ONE, TWO]


def test_every_page_of_a_scanners_tiff_is_read() -> None:
    assert codes_in(saved(paper(ONE), "TIFF", save_all=True, append_images=[paper(TWO)])) == [ONE, TWO]


def test_a_picture_without_a_code_has_none() -> None:
    assert codes_in(saved(paper(), "PNG")) == []
    assert codes_in(pdf(paper())) == []


def test_what_a_file_holds_can_be_checked_offline() -> None:
    [text] = codes_in(pdf(paper(ONE)))
    keys = KeyRing((SIGNER.public_half(date(2026, 1, 1)),))
    verdict = check(token.code_from(text), keys=keys, registry=None, on=date(2026, 6, 1))
    assert verdict.code == "authentic"


def test_a_foreign_code_in_the_picture_comes_back_for_the_caller_to_judge() -> None:
    assert codes_in(saved(paper("https://u.wechat.com/abc"), "PNG")) == ["https://u.wechat.com/abc"]


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"certificate",
        b"%PDF-1.7\nnothing",
        b"PK\x03\x04" + bytes(100),
        saved(paper(ONE), "PNG")[:20],
        saved(paper(ONE), "JPEG")[:300],
        b"GIF89a" + bytes(5),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    ],
    ids=["empty", "text", "broken pdf", "zip", "head of a png", "head of a jpeg", "head of a gif", "svg"],
)
def test_what_is_no_picture_and_no_pdf_is_refused_with_a_remedy(file: bytes) -> None:
    with pytest.raises(ScanRefused) as refusal:
        codes_in(file)
    assert "PDF" in refusal.value.sentence("zh")


def test_no_cut_of_a_file_breaks_the_reader() -> None:
    for whole in (saved(paper(ONE), "PNG"), saved(paper(ONE), "GIF"), pdf(paper(ONE))):
        for length in range(0, len(whole), len(whole) // 25):
            try:
                assert codes_in(whole[:length]) in ([], [ONE])
            except ScanRefused:
                continue


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_picture_cut_short_gives_the_codes_that_it_still_shows(kind: str) -> None:
    upside_down = paper(ONE).rotate(180)  # the code near the top
    below = Image.effect_noise(upside_down.size, 60)
    below.paste(upside_down.crop((0, 0, upside_down.width, 400)))
    whole = saved(below, kind)
    assert codes_in(whole) == [ONE]
    assert codes_in(whole[: len(whole) // 2]) == [ONE]


def test_a_locked_pdf_says_so() -> None:
    locked = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf(paper(ONE)))) as document:
        document.save(locked, encryption=pikepdf.Encryption(owner="owner", user="reader"))
    with pytest.raises(Locked):
        codes_in(locked.getvalue())


def huge_png(width: int, height: int) -> bytes:
    """The head of a PNG that claims a size."""
    whole = bytearray(saved(Image.new("1", (1, 1)), "PNG"))
    whole[16:24] = struct.pack(">II", width, height)
    whole[29:33] = struct.pack(">I", zlib.crc32(bytes(whole[12:29])))
    return bytes(whole)


@pytest.mark.parametrize("size", [(7100, 7100), (10_000, 10_000), (60_000, 60_000)])
def test_a_picture_with_too_many_pixels_is_refused_before_it_is_opened(size: tuple[int, int]) -> None:
    with pytest.raises(TooLarge) as refusal:
        codes_in(huge_png(*size))
    assert "50" in refusal.value.sentence("zh")


def test_too_many_bytes_are_refused() -> None:
    with pytest.raises(TooLarge):
        codes_in(bytes(scanning.LARGEST_FILE + 1))


def test_too_many_pages_are_refused_rather_than_left_out() -> None:
    many = pikepdf.new()
    for _ in range(scanning.MOST_PAGES + 1):
        many.add_blank_page(page_size=(10, 10))
    file = io.BytesIO()
    many.save(file)
    with pytest.raises(TooManyPages):
        codes_in(file.getvalue())


def test_a_poster_sized_pdf_page_is_drawn_smaller() -> None:
    poster = pikepdf.new()
    poster.add_blank_page(page_size=(14_400, 14_400))
    file = io.BytesIO()
    poster.save(file)
    assert codes_in(file.getvalue()) == []


def test_a_missing_library_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zxingcpp", None)  # Python's own mark of a module that is not there
    with pytest.raises(Unavailable) as refusal:
        codes_in(saved(paper(ONE), "PNG"))
    assert "pip install zxing-cpp" in refusal.value.sentence("zh")


def test_checking_a_code_as_text_loads_no_picture_reader() -> None:
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            (
                "import sys, certificates.verification, certificates.scanning;"
                "print([m for m in ('PIL', 'zxingcpp', 'pypdfium2', 'weasyprint', 'qrcode') if m in sys.modules])"
            ),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == "[]"
