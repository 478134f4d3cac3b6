"""WeasyPrint's part: a page of HTML set in our fonts, then taken apart into the objects of a leaf.

WeasyPrint hands over its PDF before it is written (``finisher``), so nothing has to be parsed back: the
objects are at hand, and the page's drawing is plain text. The taking-apart also mends three things
for accessibility: letter-spaced lines get their text as such (``ActualText``), English lines their
language, and the figure its box in the page's own units.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from certificates.document.gather import CODE, DOCUMENT, PAGE, Body, text
from skills_registry.foundation.errors import Unavailable

try:
    import weasyprint
    from weasyprint.urls import URLFetcher, URLFetcherResponse
except OSError as error:  # the Python package is there, the system libraries it calls are not
    raise Unavailable(
        what="WeasyPrint (Pango)", remedy="apt install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
    ) from error

#: A reference, or a string in which something may look like one.
_REFERENCE = re.compile(rb"\((?:[^\\()]|\\.)*\)|<[0-9A-Fa-f]*>|(\d+) 0 R", re.DOTALL)
_RUN = re.compile(rb"/Span\n<</MCID (\d+)>>\nBDC\n(.*?)\nEMC\n", re.DOTALL)
_SHOWN = re.compile(rb"/([A-Z]+) ([\d.]+) Tf\n(\[[^\]]*\]) TJ")
_GLYPHS = re.compile(rb"<([0-9a-f]*)>")
_GAP = re.compile(rb">(-\d+)")

#: A gap of this many thousandths of an em reads as a blank to programs that extract text.
_WIDE = 80


@dataclass(frozen=True)
class Sheet:
    """A page taken apart. ``drawing`` is its content stream; ``fonts`` the labels of its fonts by name."""

    media_box: bytes
    drawing: bytes
    fonts: Mapping[str, int]
    families: Mapping[str, str]
    resources: Body
    structure: Mapping[int, Body]
    parents: tuple[int, ...]
    top: tuple[int, ...]
    objects: Mapping[int, Body]


class OurOwn(URLFetcher):  # type: ignore[misc]  # WeasyPrint ships no types
    """Answers with what was given to it and refuses every other address: no file, no network."""

    def __init__(self, supplied: Mapping[str, bytes]) -> None:
        super().__init__(allowed_protocols=("certificate",))
        self._supplied = supplied

    def fetch(self, url: str, headers: object = None) -> Any:
        del headers
        scheme, _, name = url.partition(":")
        if scheme != "certificate" or name not in self._supplied:
            raise PermissionError("a certificate draws on nothing outside itself")
        return URLFetcherResponse(url, body=self._supplied[name])


def typeset(html: str, supplied: Mapping[str, bytes]) -> Sheet:
    """Set one page; ``supplied`` are the only files it may name, as ``certificate:<name>``."""
    sheets: list[Sheet] = []
    weasyprint.HTML(string=html, url_fetcher=OurOwn(supplied)).write_pdf(
        finisher=lambda document, pdf: sheets.append(_take_apart(document, pdf)),
        uncompressed_pdf=True,
        pdf_variant="pdf/ua-1",
    )
    strangers = set(sheets[0].families.values()) - {
        name for name in supplied if name.startswith("certificate-")
    }
    if strangers:  # a fallback to whatever is installed would draw differently on every machine
        raise Unavailable(
            what=f"字体 {', '.join(sorted(strangers))}",
            remedy="report this: the page uses a font not its own",
        )
    return sheets[0]


# ---------------------------------------------------------------- taking apart


def _take_apart(document: Any, pdf: Any) -> Sheet:
    if len(document.pages) != 1:
        raise ValueError("a certificate is one page")
    objects = {thing.number: thing for thing in pdf.objects[1:]}
    page = objects[pdf.pages["Kids"][0]]
    resources, content = objects[_number(page["Resources"])], objects[_number(page["Contents"])]
    fonts = objects[_number(resources["Font"])]
    root = objects[_number(pdf.catalog["StructTreeRoot"])]
    outer = _number(root["K"][0])
    elements = {n: thing for n, thing in objects.items() if _type(thing) == "/StructElem" and n != outer}
    parents = [_number(reference) for reference in objects[_number(root["ParentTree"])]["Nums"][1]]
    _mend(objects, float(page["MediaBox"][3]))
    drawing = _say_what_is_shown(content, document, [elements[number] for number in parents])
    labels = {page.number: PAGE, outer: DOCUMENT}
    labels |= {number: CODE for number, thing in objects.items() if _is_picture(thing)}
    fonts_by_name = {name: _number(reference) for name, reference in fonts.items()}
    fonts.clear()  # the border refers to it too, and has no text
    del resources["Font"]
    return Sheet(
        media_box=page["MediaBox"].data,
        drawing=drawing,
        fonts=fonts_by_name,
        families={font.hash: font.family for font in document.fonts.values()},
        resources=_body(resources, labels),
        structure={number: _body(element, labels) for number, element in elements.items()},
        parents=tuple(parents),
        top=tuple(_number(reference) for reference in objects[outer]["K"]),
        objects={number: _body(thing, labels) for number, thing in objects.items() if number not in elements},
    )


def _say_what_is_shown(content: Any, document: Any, elements: list[Any]) -> bytes:
    """The drawing, with the text of letter-spaced runs written beside them and English marked as such."""
    texts = {font.hash: font.to_unicode for font in document.fonts.values()}

    def mended(run: re.Match[bytes]) -> bytes:
        shown = _SHOWN.search(run[2])
        if shown is None:
            return run[0]
        glyphs = b"".join(_GLYPHS.findall(shown[3])).decode()
        string = "".join(
            texts[shown[1].decode()][int(glyphs[i : i + 4], 16)] for i in range(0, len(glyphs), 4)
        )
        if string.isascii() and any(map(str.isalpha, string)):
            elements[int(run[1])]["Lang"] = "(en)"
        if all(-float(gap) < _WIDE for gap in _GAP.findall(shown[3])):
            return run[0]
        return run[0].replace(
            b"<</MCID %s>>" % run[1], b"<</MCID %s/ActualText %s>>" % (run[1], text(string)), 1
        )

    return _RUN.sub(mended, content.data.partition(b"\nstream\n")[2].removesuffix(b"endstream"))


def _mend(objects: Mapping[int, Any], height: float) -> None:
    for thing in objects.values():
        if _type(thing) == "/StructElem" and thing["S"] == "/Figure":
            # WeasyPrint writes the box in CSS pixels from the top; PDF wants points from the bottom.
            left, top, right, bottom = (edge * 0.75 for edge in thing["A"]["BBox"])
            thing["A"]["BBox"][:] = [round(edge, 3) for edge in (left, height - bottom, right, height - top)]
        if _type(thing) == "/Font" and thing["Subtype"] == "/CIDFontType0":
            thing.pop("CIDToGIDMap", None)  # belongs to TrueType fonts only (ISO 32000-1, table 117)


def _body(thing: Any, labels: Mapping[int, int]) -> Body:
    """An object's bytes, cut at its references; a stream that WeasyPrint left plain is compressed."""
    if "Filter" not in getattr(thing, "extra", {"Filter": None}):
        thing.compress = True
    return tuple(_cut(thing.data, labels))


def _cut(data: bytes, labels: Mapping[int, int]) -> Iterator[bytes | int]:
    head, stream, tail = data.partition(b"\nstream\n")
    done = 0
    for found in _REFERENCE.finditer(head):
        if found[1]:
            yield head[done : found.start()]
            yield labels.get(int(found[1]), int(found[1]))
            done = found.end()
    yield head[done:] + stream + tail


def _type(thing: Any) -> object:
    return thing.get("Type") if isinstance(thing, dict) else None


def _is_picture(thing: Any) -> bool:
    """The code's stand-in: the page has no other picture (its border is drawn)."""
    return getattr(thing, "extra", {}).get("Subtype") == "/Image"


def _number(reference: bytes) -> int:
    return int(reference.split()[0])
