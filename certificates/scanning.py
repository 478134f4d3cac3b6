"""Reads QR codes from a picture or a PDF, for those who check a file rather than a phone's screen.

The libraries for it are loaded on first use only: checking a code as text needs none of them.
A photograph shows whatever lay on the table, so every QR code comes back and the caller judges.
"""

from __future__ import annotations

import io
import math
import struct
import warnings
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

from skills_registry.foundation.errors import FileRefused, Unavailable

if TYPE_CHECKING:
    from PIL import Image

#: Bounds on what is opened, far beyond any certificate, photograph or class of certificates.
LARGEST_FILE = 64 * 1024 * 1024
LARGEST_PICTURE = 50_000_000
MOST_PAGES = 500

#: Dots per inch at which PDF pages are drawn; a 25-mm code of version 9 then has 3.7 dots a module.
RESOLUTION = 200

_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
_POINTS_PER_INCH = 72


class ScanRefused(FileRefused):
    """A file in which no QR code can be looked for. The code says why."""

    code = "scan_refused"
    zh = "无法打开这个文件。请提供 PNG、JPEG 图片或 PDF 文件。"
    en = "This file cannot be opened. Please give a PNG or JPEG picture or a PDF file."


class TooLarge(ScanRefused):
    """More bytes or pixels than are opened. Facts: ``megabytes``, ``megapixels``."""

    code = "scan_too_large"
    zh = "文件太大（上限 {megabytes} MB、{megapixels} 百万像素）。请缩小图片，或只截取二维码部分。"
    en = (
        "The file is too large (at most {megabytes} MB and {megapixels} megapixels). "
        "Please scale the picture down, or cut out the QR code."
    )


class TooManyPages(ScanRefused):
    """Facts: ``pages``."""

    code = "scan_too_many_pages"
    zh = "文件超过 {pages} 页，请拆分后再核验。"
    en = "The file has more than {pages} pages; please split it."


class Locked(ScanRefused):
    """A PDF that asks for a password."""

    code = "scan_locked"
    zh = "这个 PDF 文件有密码保护，请先去掉密码，或改用图片。"
    en = "This PDF asks for a password; please remove it, or use a picture."


def codes_in(file: bytes) -> list[str]:
    """The texts of all QR codes in a picture or PDF, in reading order, each once; none is an empty list.

    :raises ScanRefused: it is no picture or PDF, is broken or locked, or exceeds the bounds.
    :raises Unavailable: a library that reads such files is not installed.
    """
    if len(file) > LARGEST_FILE:
        raise _too_large()
    # PDF readers accept the mark anywhere in the first kilobyte, and some scanners put bytes before it.
    pictures = _pages(file) if b"%PDF-" in file[:1024] else _frames(file)
    return list(dict.fromkeys(text for picture in pictures for text in _texts(picture)))


def _texts(picture: Image.Image) -> list[str]:
    zxingcpp = _library("zxingcpp", "zxing-cpp")
    found = zxingcpp.read_barcodes(
        picture, formats=zxingcpp.BarcodeFormat.QRCode, text_mode=zxingcpp.TextMode.Plain
    )
    return [code.text for code in found]


def _frames(file: bytes) -> Iterator[Image.Image]:
    """The pictures in an image file: one, or the pages of a scanner's TIFF."""
    library = _library("PIL.Image", "pillow")
    # A picture cut short may still show a whole code, and the signature judges that. WeasyPrint sets
    # the same switch when it is loaded; left alone, the answer would depend on who was loaded first.
    _library("PIL.ImageFile", "pillow").LOAD_TRUNCATED_IMAGES = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", library.DecompressionBombWarning)
            opened = library.open(io.BytesIO(file), formats=_FORMATS)
        with opened:
            for number in range(_bounded(getattr(opened, "n_frames", 1))):
                opened.seek(number)
                yield _grey(opened)
    except (library.DecompressionBombError, library.DecompressionBombWarning):
        raise _too_large() from None
    except (OSError, SyntaxError, ValueError, EOFError, struct.error):
        raise ScanRefused() from None


def _grey(picture: Image.Image) -> Image.Image:
    """A picture as shades of grey, on white where it is transparent."""
    if picture.width * picture.height > LARGEST_PICTURE:
        raise _too_large()
    if not picture.has_transparency_data:
        return picture.convert("L")
    paper = _library("PIL.Image", "pillow").new("RGBA", picture.size, "white")
    paper.alpha_composite(picture.convert("RGBA"))
    return paper.convert("L")  # type: ignore[no-any-return]


def _pages(file: bytes) -> Iterator[Image.Image]:
    """The pages of a PDF, drawn one after the other."""
    pdfium = _library("pypdfium2", "pypdfium2")
    try:
        opened = pdfium.PdfDocument(file)
    except pdfium.PdfiumError as error:
        raise (Locked() if "password" in str(error).lower() else ScanRefused()) from None
    with opened as document:
        for number in range(_bounded(len(document))):
            try:
                page = document[number]
                width, height = page.get_size()
                drawn = page.render(scale=_scale(width, height)).to_pil()
                page.close()
            except pdfium.PdfiumError:
                raise ScanRefused() from None
            yield drawn.convert("L")


def _scale(width: float, height: float) -> float:
    """Dots per point: the usual resolution, less on a page that would exceed the largest picture."""
    usual = RESOLUTION / _POINTS_PER_INCH
    return min(usual, math.sqrt(LARGEST_PICTURE / max(width * height, 1.0)))


def _bounded(pages: int) -> int:
    if pages > MOST_PAGES:
        raise TooManyPages(pages=MOST_PAGES)
    return pages


def _too_large() -> TooLarge:
    return TooLarge(megabytes=LARGEST_FILE // 1024**2, megapixels=LARGEST_PICTURE // 1_000_000)


def _library(module: str, package: str) -> Any:
    try:
        return import_module(module)
    except ImportError:
        raise Unavailable(
            what=f"缺少识别二维码所需的软件包 {package} ({package} is not installed)",
            remedy=f"pip install {package}",
        ) from None
