"""Papers that are no certificates (sign-in sheets, consent forms, a person's file) as accessible PDFs.

A paper is a template `templates/papers/<name>.html` that extends `paper.html`. It is set in fonts cut to
its own characters and may name nothing outside itself, so the same words give the same bytes on every
machine. What the typesetter leaves undone for PDF/UA-1 is mended before the file is written:

    1  what stands in a page's margin (number of the page) is decoration, not content
    2  English lines bear their language, so that a voice changes for them
    3  heads of rows and columns say which they are, and can be found by their name
    4  a picture's box is given in the page's own units
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from html import unescape
from typing import Any

import jinja2
import weasyprint

from certificates.document.fonts import SONG, SONG_BOLD, TEXT_CHAIN, Typeface, cut, require_covered, runs
from certificates.document.typesetting import OurOwn
from certificates.document.wording import chinese_date
from skills_registry.foundation.errors import Unavailable

SANS = Typeface("Noto Sans CJK SC", "fonts-noto-cjk")
SANS_BOLD = Typeface("Noto Sans CJK SC", "fonts-noto-cjk", "bold")

#: Papers are read in poor light and by weak eyes: letters without serifs first.
_RARER = tuple(typeface for typeface in TEXT_CHAIN if typeface is not SONG)
_CHAINS = {"text": (SANS, SONG, *_RARER), "strong": (SANS_BOLD, SONG_BOLD, SANS, SONG, *_RARER)}

#: What the style sheet itself puts on a page: numbers of pages and items, dots and full stops of lists.
_COUNTED = "0123456789.•"

_RUN = re.compile(rb"/\w+\n<</MCID (\d+)>>\nBDC\n(.*?)\nEMC", re.DOTALL)
_SHOWN = re.compile(rb"/([A-Z]+) [\d.]+ Tf\n(\[[^\]]*\]) TJ")
_GLYPHS = re.compile(rb"<([0-9a-f]*)>")


_PAPERS = jinja2.Environment(
    loader=jinja2.PackageLoader("templates", "papers"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_PAPERS.filters["day"] = chinese_date

# ---------------------------------------------------------------- verbs


def draw(name: str, context: Mapping[str, object], *, pictures: Mapping[str, bytes] | None = None) -> bytes:
    """A paper as an accessible PDF (PDF/UA-1): template ``name``, filled in with ``context``.

    ``pictures`` (PNG, or SVG without text) by file name; the template calls one as ``certificate:<file name>``
    and gives it an ``alt``. The context's texts are escaped; ``{{ date|day }}`` writes 2025年3月3日.

    :raises Undrawable: no font covers a character; the facts name it as a code point.
    :raises jinja2.UndefinedError: the context lacks a fact that the template names.
    """
    template = _PAPERS.get_template(f"{name}.html")
    bare = template.render(context, faces=(), families={"text": "", "strong": ""})
    words = bare + unescape(bare)  # an apostrophe is escaped on the page
    require_covered("".join(_letters(words)), "文件")
    families: dict[str, str] = {}
    fonts: dict[str, bytes] = {}
    for role, chain in _CHAINS.items():
        cuts = {f"paper-{role}-{order}": font for order, font in enumerate(_cut(words + _COUNTED, chain))}
        families[role] = ", ".join(cuts)
        fonts |= cuts
    html = template.render(context, faces=fonts, families=families)
    content = weasyprint.HTML(string=html, url_fetcher=OurOwn({**fonts, **(pictures or {})})).write_pdf(
        finisher=_mend, uncompressed_pdf=True, pdf_variant="pdf/ua-1"
    )
    return bytes(content)


def _letters(words: str) -> Iterator[str]:
    """Each character once; line breaks are not drawn."""
    return iter(dict.fromkeys(words.replace("\n", "")))


def _cut(words: str, chain: tuple[Typeface, ...]) -> list[bytes]:
    wanted: dict[Typeface, str] = {}
    for typeface, piece in runs("".join(_letters(words)), chain):
        wanted[typeface] = wanted.get(typeface, "") + piece
    return [cut(face, wanted[face], for_typesetting=True).content for face in chain if face in wanted]


# ---------------------------------------------------------------- mending


def _mend(document: Any, pdf: Any) -> None:
    _refuse_strangers(document)
    objects = {thing.number: thing for thing in pdf.objects[1:]}
    root = objects[_number(pdf.catalog["StructTreeRoot"])]
    elements = {element.number: element for element in _below(objects, root["K"])}
    numbers = objects[_number(root["ParentTree"])]["Nums"]
    for place, number in enumerate(pdf.pages["Kids"][::3]):  # each page stands there as «number 0 R»
        page = objects[number]
        page["Tabs"] = "/S"
        parents = numbers[2 * place + 1]
        kept = [objects[_number(parent)] if _number(parent) in elements else None for parent in parents]
        parents[:] = [parent if element else "null" for parent, element in zip(parents, kept, strict=True)]
        _mend_drawing(objects[_number(page["Contents"])], document, kept)
    _name_heads(elements.values(), objects, root)
    _place_figures(elements.values(), objects)
    for thing in objects.values():
        if _kind(thing) == "/Font" and thing["Subtype"] == "/CIDFontType0":
            thing.pop("CIDToGIDMap", None)  # belongs to TrueType fonts only (ISO 32000-1, table 117)
        if "Filter" not in getattr(thing, "extra", {"Filter": None}):
            thing.compress = True


def _refuse_strangers(document: Any) -> None:
    strange = {font.family for font in document.fonts.values() if not font.family.startswith("paper-")}
    if strange:  # a fallback to whatever is installed would draw differently on every machine
        raise Unavailable(what=f"字体 {', '.join(sorted(strange))}", remedy="report this: a font not its own")


def _below(objects: Mapping[int, Any], references: Iterable[Any]) -> Iterator[Any]:
    """All structure elements below these references, in reading order."""
    for reference in references:
        thing = objects.get(_number(reference), {}) if isinstance(reference, bytes) else {}
        if _kind(thing) == "/StructElem":
            yield thing
            yield from _below(objects, thing["K"])


def _mend_drawing(content: Any, document: Any, elements: list[Any]) -> None:
    texts = {font.hash: font.to_unicode for font in document.fonts.values()}

    def mended(run: re.Match[bytes]) -> bytes:
        element = elements[int(run[1])]
        if element is None:
            return b"/Artifact\nBMC\n%s\nEMC" % run[2]
        said = "".join(_said(shown, texts) for shown in _SHOWN.finditer(run[2]))
        if said.isascii() and any(map(str.isalpha, said)):
            element["Lang"] = "(en)"
        return run[0]

    drawing = content.data.partition(b"\nstream\n")[2].removesuffix(b"endstream").rstrip(b"\n")
    content.stream = [_RUN.sub(mended, drawing)]


def _said(shown: re.Match[bytes], texts: Mapping[str, Mapping[int, str]]) -> str:
    glyphs = b"".join(_GLYPHS.findall(shown[2])).decode()
    return "".join(texts[shown[1].decode()][int(glyphs[at : at + 4], 16)] for at in range(0, len(glyphs), 4))


def _name_heads(elements: Iterable[Any], objects: Mapping[int, Any], root: Any) -> None:
    """Say of each head whether it heads a row or a column, and list the names by which cells refer to them."""
    names: dict[bytes, Any] = {}
    for element in elements:
        if element["S"] != "/TH":
            continue
        group = objects[_number(objects[_number(element["P"])]["P"])]
        element["A"]["Scope"] = "/Column" if group["S"] == "/THead" else "/Row"
        names[element["ID"].data] = element.reference
    if names:
        pairs = b" ".join(b"%s %s" % pair for pair in sorted(names.items()))
        root["IDTree"] = b"<</Names[%s]>>" % pairs


def _place_figures(elements: Iterable[Any], objects: Mapping[int, Any]) -> None:
    for element in elements:
        if element["S"] == "/Figure":
            # WeasyPrint writes the box in CSS pixels from the top; PDF wants points from the bottom.
            height = float(objects[_number(element["Pg"])]["MediaBox"][3])
            left, top, right, bottom = (edge * 0.75 for edge in element["A"]["BBox"])
            box = (left, height - bottom, right, height - top)
            element["A"]["BBox"][:] = [round(edge, 3) for edge in box]


def _kind(thing: object) -> object:
    return thing.get("Type") if isinstance(thing, dict) else None


def _number(reference: bytes) -> int:
    return int(reference.split()[0])
