"""What is stamped on a plate (套印): the glyphs of a name and a number, the font they need, the code.

Each imprint carries its own font, cut to its name, so that no certificate lists the characters of a
classmate's name, and the bytes of each depend on its own record alone.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from certificates.document.fonts import Subset, Typeface, cut, runs
from certificates.document.gather import Body
from certificates.qr import Code

#: WeasyPrint draws in CSS pixels, four to three points.
_PIXELS = 4 / 3

#: Dark modules side by side.
_DARK = re.compile("#+")

#: Objects that one font takes: font, descendant, descriptor, file, map to Unicode.
OBJECTS_PER_FONT = 5


@dataclass(frozen=True)
class Letters:
    """Movable letters (活字): fonts cut to some characters, as PDF objects, ready to set lines with.

    ``fonts`` are the labels of the font objects by the name the drawing calls them.
    """

    chain: tuple[Typeface, ...]
    subsets: Mapping[str, Subset]
    fonts: Mapping[str, int]
    objects: Mapping[int, Body]

    def line(self, text: str, size: float) -> bytes:
        """The drawing that shows a text at a size in points, letter by letter."""
        names = {subset.typeface: name for name, subset in self.subsets.items()}
        return b"\n".join(self._run(names[face], piece, size) for face, piece in runs(text, self.chain))

    def _run(self, name: str, piece: str, size: float) -> bytes:
        glyphs = self.subsets[name].glyphs
        codes = "".join(f"{glyphs[character]:04x}" for character in piece)
        return f"/{name} {size * _PIXELS:.4f} Tf\n<{codes}> Tj".encode()


def cast(characters: str, chain: tuple[Typeface, ...], *, name: str, label: int) -> Letters:
    """Letters for these characters; their fonts are called ``name`` and a number, their objects from ``label`` down.

    :raises Undrawable: no font covers a character.
    """
    wanted: dict[Typeface, str] = {}
    for typeface, piece in runs(characters, chain):
        wanted[typeface] = wanted.get(typeface, "") + piece
    subsets = {
        f"{name}{order}": cut(typeface, found, for_typesetting=False)
        for order, (typeface, found) in enumerate(wanted.items())
    }
    fonts = {name: label - order * OBJECTS_PER_FONT for order, name in enumerate(subsets)}
    objects: dict[int, Body] = {}
    for font_name, subset in subsets.items():
        objects |= _font(subset, fonts[font_name])
    return Letters(chain, subsets, fonts, objects)


def code_form(code: Code) -> Body:
    """The QR code as a drawing in the unit square, its dark modules as one filled path.

    Not a picture: poppler shrinks a one-bit picture unevenly, and of the codes on 100-dpi rasters none could
    be read. A path is smoothed alike by every program, and a printer draws it at its own best.
    """
    size = code.size
    lines = [b"0 g"]
    for height, row in enumerate(code.rows, start=1):
        dots = "".join("#" if dark else " " for dark in row)
        lines += [
            b"%d %d %d 1 re" % (run.start(), size - height, len(run[0])) for run in _DARK.finditer(dots)
        ]
    return _stream(
        b"/Type/XObject/Subtype/Form/BBox[0 0 %d %d]/Matrix[%.9f 0 0 %.9f 0 0]/Resources<<>>"
        % (size, size, 1 / size, 1 / size),
        b"\n".join((*lines, b"f")),
    )


def content(drawing: bytes) -> Body:
    """A piece of a page's drawing."""
    return _stream(b"", drawing)


def _font(subset: Subset, label: int) -> dict[int, Body]:
    """A composite font (ISO 32000-1, 9.7): glyph numbers as written in the page, their widths and meaning."""
    descendant, descriptor, file, meaning = range(label - 1, label - OBJECTS_PER_FONT, -1)
    base = b"/" + _tag(subset) + b"+" + subset.typeface.family.replace(" ", "").encode()
    by_glyph = sorted((glyph, character) for character, glyph in subset.glyphs.items())
    widths = b"".join(
        b"%d[%s]" % (glyph, _decimal(subset.advances[character])) for glyph, character in by_glyph
    )
    if subset.is_cff:
        kind, key, opened = b"0", b"FontFile3", b"/Subtype/CIDFontType0C"
    else:
        kind, key, opened = b"2/CIDToGIDMap/Identity", b"FontFile2", b"/Length1 %d" % len(subset.content)
    return {
        label: (
            b"<</Type/Font/Subtype/Type0/Encoding/Identity-H/BaseFont%s/DescendantFonts[" % base,
            descendant,
            b"]/ToUnicode ",
            meaning,
            b">>",
        ),
        descendant: (
            b"<</Type/Font/Subtype/CIDFontType%s/BaseFont%s/CIDSystemInfo" % (kind, base),
            b"<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>",
            b"/DW 1000/W[%s]/FontDescriptor " % widths,
            descriptor,
            b">>",
        ),
        descriptor: (
            b"<</Type/FontDescriptor/FontName%s/Flags 4/ItalicAngle 0/StemV 80" % base,
            b"/FontBBox[%d %d %d %d]/Ascent %d/Descent %d/CapHeight %d/%s "
            % (*subset.box, *subset.heights, key),
            file,
            b">>",
        ),
        file: _stream(opened, subset.content),
        meaning: _stream(b"", _to_unicode(by_glyph)),
    }


def _to_unicode(by_glyph: list[tuple[int, str]]) -> bytes:
    lines = "\n".join(
        f"<{glyph:04x}> <{character.encode('utf-16-be').hex()}>" for glyph, character in by_glyph
    )
    return (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def\n"
        "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
        "1 begincodespacerange\n<0000> <ffff>\nendcodespacerange\n"
        f"{len(by_glyph)} beginbfchar\n{lines}\nendbfchar\n"
        "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend"
    ).encode()


def _tag(subset: Subset) -> bytes:
    """Six letters that tell one subset from another (ISO 32000-1, 9.6.4)."""
    digest = hashlib.sha256(subset.content).digest()
    return bytes(65 + byte % 26 for byte in digest[:6])


def _stream(entries: bytes, raw: bytes) -> Body:
    packed = zlib.compress(raw, 9)
    return (b"<<%s/Filter/FlateDecode/Length %d>>\nstream\n" % (entries, len(packed)), packed, b"\nendstream")


def _decimal(number: float) -> bytes:
    return f"{number:.3f}".rstrip("0").rstrip(".").encode()
