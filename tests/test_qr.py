"""The QR code: version 9 at most, error correction M, a fixed mask, and read back by an independent reader."""

from __future__ import annotations

import hashlib
import io

import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from qrcode.constants import ERROR_CORRECT_M
from qrcode.util import BIT_LIMIT_TABLE

from certificates import qr

LONGEST_HOST = "verify-skills.haidong-example.cn"
TOKEN = "7310498265" * 31


def read(png: bytes) -> zxingcpp.Barcode:
    # QR only: one picture in three hundred holds four digits of "Interleaved 2 of 5" by chance.
    picture = Image.open(io.BytesIO(png)).convert("L")
    [found] = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
    return found


@given(seed=st.binary())
def test_every_token_behind_the_longest_host_fits_version_9_and_reads_back(seed: bytes) -> None:
    """Tokens are drawn as they are: one digit, then a signature and a commitment that no one can tell from chance."""
    chance = b"".join(hashlib.sha512(seed + bytes([part])).digest() for part in range(2))
    url = f"https://{LONGEST_HOST}/v/1{int.from_bytes(chance[:127]):0306d}"
    assert len(LONGEST_HOST) == 32
    assert qr.draw(url).version <= 9
    assert read(qr.png(url)).text == url


def test_error_correction_is_m() -> None:
    assert read(qr.png(f"https://{LONGEST_HOST}/v/{TOKEN}")).ec_level == "M"


def test_the_token_is_written_as_digits_not_as_bytes() -> None:
    """As bytes alone the URL would take more than twice the room of version 9."""
    url = f"https://{LONGEST_HOST}/v/{TOKEN}"
    assert len(url) * 8 > BIT_LIMIT_TABLE[ERROR_CORRECT_M][9]
    assert qr.draw(url).version == 9


def test_the_picture_depends_on_the_url_alone() -> None:
    url = f"https://{LONGEST_HOST}/v/{TOKEN}"
    before = qr.draw(url)
    qr.draw(url[:-1] + "9")
    assert qr.draw(url) == before
    assert qr.png(url) == qr.png(url)


def test_a_url_beyond_version_9_is_refused_with_its_length() -> None:
    url = f"https://{LONGEST_HOST}/v/{TOKEN}{'1' * 30}"
    with pytest.raises(qr.CodeTooLong) as refused:
        qr.draw(url)
    assert refused.value.facts["length"] == len(url)
    assert TOKEN not in refused.value.sentence("zh") + refused.value.sentence("en")


def test_a_url_beyond_every_version_is_refused_the_same_way() -> None:
    with pytest.raises(qr.CodeTooLong):
        qr.draw("https://example.cn/v/" + "1" * 9000)


def test_a_page_gets_the_code_with_its_quiet_zone() -> None:
    code = qr.draw(f"https://{LONGEST_HOST}/v/{TOKEN}")
    image = Image.open(io.BytesIO(qr.png(code.url, pixels=3))).convert("L")
    assert image.size == ((code.size + 8) * 3,) * 2
    border = 4 * 3
    assert image.crop((0, 0, image.width, border)).getextrema() == (255, 255)
    assert image.crop((0, 0, border, image.height)).getextrema() == (255, 255)
    assert image.getpixel((border, border)) == 0
