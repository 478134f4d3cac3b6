"""The typefaces of a certificate: found through fontconfig, chosen per character, cut to what is used.

Every character is looked up along a chain: the name in 楷体 (LXGW WenKai) before 宋体 (Noto Serif CJK SC)
before HanaMin, which holds the rarest Han characters, before the other scripts of GB 18030. So a
name with one rare character keeps its other characters in the wanted face, and what no font covers
is known before anything is issued (`uncovered`), never a blank box on paper.
"""

from __future__ import annotations

import struct
import subprocess  # nosec B404  # fontconfig is asked by its own program
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import groupby

import uharfbuzz as hb

from skills_registry.foundation.errors import Unavailable, Undrawable

# ---------------------------------------------------------------- tables


@dataclass(frozen=True)
class Typeface:
    """A font as fontconfig names it, and the Debian and Ubuntu package that brings it."""

    family: str
    package: str
    weight: str = "regular"


KAI = Typeface("LXGW WenKai", "fonts-lxgw-wenkai")
SONG = Typeface("Noto Serif CJK SC", "fonts-noto-cjk")
SONG_BOLD = Typeface("Noto Serif CJK SC", "fonts-noto-cjk", "bold")
HANA_A = Typeface("HanaMinA", "fonts-hanazono")
HANA_B = Typeface("HanaMinB", "fonts-hanazono")
TIBETAN = Typeface("Noto Serif Tibetan", "fonts-noto-core")

#: Without these no certificate can be drawn.
REQUIRED = (SONG, SONG_BOLD)

#: Not every release of Debian and Ubuntu has these: a name that needs a missing one is refused in time.
WANTED = (KAI, HANA_A, HANA_B, TIBETAN)

#: The other scripts of GB 18030, drawn where they are installed.
FURTHER = tuple(
    Typeface(family, "fonts-noto-core")
    for family in (
        "Noto Naskh Arabic",
        "Noto Sans Mongolian",
        "Noto Sans Yi",
        "Noto Sans Tai Le",
        "Noto Sans New Tai Lue",
        "Noto Sans Tai Tham",
        "Noto Sans Lisu",
    )
)

_RARE = (HANA_A, HANA_B, TIBETAN, *FURTHER)
NAME_CHAIN = (KAI, SONG, *_RARE)
TEXT_CHAIN = (SONG, KAI, *_RARE)
TITLE_CHAIN = (SONG_BOLD, SONG, KAI, *_RARE)

#: Tables that a font inside a PDF has no use for: the page already names glyphs and their places.
_LAYOUT_TABLES = ("BASE", "GDEF", "GPOS", "GSUB", "VORG", "vhea", "vmtx")
_TEXT_TABLES = ("OS/2", "cmap", "name", "post", "gasp", "DSIG")


@dataclass(frozen=True)
class Loaded:
    """A font in memory. ``scale`` turns its units into thousandths of the type size."""

    face: hb.Face
    font: hb.Font
    characters: hb.Set

    @property
    def scale(self) -> float:
        """Thousandths of an em for one font unit."""
        return 1000 / float(self.face.upem)

    @cached_property
    def is_cff(self) -> bool:
        """Whether the outlines are PostScript (CFF) rather than TrueType."""
        return "CFF " in self.face.table_tags

    @cached_property
    def heights(self) -> tuple[int, int, int]:
        """Ascent, descent and the height of capitals, in thousandths of an em."""
        lines = self.font.get_font_extents("ltr")
        capital = self.font.get_metric_position_with_fallback(hb.OTMetricsTag.CAP_HEIGHT)
        return tuple(round(height * self.scale) for height in (lines.ascender, lines.descender, capital))

    @cached_property
    def box(self) -> tuple[int, int, int, int]:
        """Left, bottom, right and top of all glyphs laid over each other, in thousandths of an em."""
        edges = struct.unpack(">4h", bytes(self.face.reference_table("head").data)[36:44])
        return tuple(round(edge * self.scale) for edge in edges)


@dataclass(frozen=True)
class Subset:
    """A font cut down to some characters. ``glyphs`` and ``advances`` (thousandths of an em) by character.

    ``heights`` are ascent, descent and capital height, ``box`` bounds every glyph; thousandths too.
    """

    typeface: Typeface
    content: bytes
    is_cff: bool
    glyphs: dict[str, int]
    advances: dict[str, float]
    heights: tuple[int, int, int]
    box: tuple[int, int, int, int]


# ---------------------------------------------------------------- rules


def require_covered(text: str, where: str) -> None:
    """Every character of the text can be drawn.

    :raises Undrawable: one cannot; the facts name it as a code point.
    """
    missing = uncovered(text)
    if missing:
        raise Undrawable(
            where=where, characters="、".join(f"U+{ord(character):04X}" for character in missing)
        )


# ---------------------------------------------------------------- verbs


def locate(typeface: Typeface) -> tuple[str, int] | None:
    """File and face index of an installed font, as fontconfig knows it; ``None`` where it is missing."""
    wanted = f"{typeface.family}:weight={200 if typeface.weight == 'bold' else 80}:slant=0"
    try:
        answer = subprocess.run(  # noqa: S603  # nosec B603 B607  # both words are constants of this module
            ["fc-match", "--format", "%{file}\n%{index}\n%{family}", wanted],  # noqa: S607  # from PATH, as everywhere
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        raise Unavailable(what="fontconfig (fc-match)", remedy="apt install fontconfig") from error
    if not answer:
        return None  # this machine has no font at all
    file, index, families = answer.split("\n", 2)
    # fontconfig answers with whatever font there is: only the one that bears the name will do.
    return (file, int(index)) if typeface.family in families.split(",") else None


@lru_cache
def load(typeface: Typeface) -> Loaded | None:
    """The font in memory, read once in a process; ``None`` where a font that may be missing is.

    :raises Unavailable: a required font is missing; the remedy says what to install.
    """
    found = locate(typeface)
    if found is None:
        if typeface in REQUIRED:
            raise Unavailable(what=f"字体 {typeface.family}", remedy=f"apt install {typeface.package}")
        return None
    face = hb.Face(hb.Blob.from_file_path(found[0]), found[1])
    return Loaded(face, hb.Font(face), face.unicodes)


def cut(typeface: Typeface, characters: Iterable[str], *, for_typesetting: bool) -> Subset:
    """The font with these characters alone.

    For typesetting it stays a whole font, with the tables that shaping needs; for an imprint it keeps
    outlines and widths only, as a PDF wants them.
    """
    loaded = installed(typeface)
    wanted = sorted(set(characters))
    order = hb.SubsetInput()
    order.unicode_set.update(ord(character) for character in wanted)
    # The identity charset lets a CFF font's glyph numbers be its CIDs, as the page writes them.
    order.flags = hb.SubsetFlags.NO_HINTING | hb.SubsetFlags.CFF_IDENTITY_CHARSET
    if not for_typesetting:
        for table in (*_LAYOUT_TABLES, *_TEXT_TABLES):
            order.drop_table_tag_set.add(int.from_bytes(table.encode(), "big"))
    plan = hb.SubsetPlan(loaded.face, order)
    small = plan.execute()
    numbers, new_numbers = plan.unicode_to_old_glyph_mapping, plan.old_to_new_glyph_mapping
    old = {character: numbers[ord(character)] for character in wanted}
    bare = loaded.is_cff and not for_typesetting
    return Subset(
        typeface=typeface,
        content=bytes((small.reference_table("CFF ") if bare else small.blob).data),
        is_cff=loaded.is_cff,
        glyphs={character: new_numbers[glyph] for character, glyph in old.items()},
        advances={c: loaded.font.get_glyph_h_advance(glyph) * loaded.scale for c, glyph in old.items()},
        heights=loaded.heights,
        box=loaded.box,
    )


# ---------------------------------------------------------------- queries


def installed(typeface: Typeface) -> Loaded:
    """The font in memory, which must be there.

    :raises Unavailable: it is missing.
    """
    loaded = load(typeface)
    if loaded is None:
        raise Unavailable(what=f"字体 {typeface.family}", remedy=f"apt install {typeface.package}")
    return loaded


def covering(character: str, chain: Iterable[Typeface]) -> Typeface | None:
    """The first typeface of the chain that has the character."""
    for typeface in chain:
        loaded = load(typeface)
        if loaded is not None and ord(character) in loaded.characters:
            return typeface
    return None


def uncovered(text: str) -> str:
    """The characters of a text that no certificate font covers, each once; ``""`` if all can be drawn."""
    return "".join(character for character in dict.fromkeys(text) if covering(character, TEXT_CHAIN) is None)


def runs(text: str, chain: tuple[Typeface, ...]) -> Iterator[tuple[Typeface, str]]:
    """The text in pieces of one typeface each, chosen per character along the chain.

    :raises Undrawable: no font covers a character.
    """
    require_covered(text, "证书")
    for typeface, piece in groupby(text, key=lambda character: covering(character, chain)):
        if typeface is not None:
            yield typeface, "".join(piece)


def width(text: str, chain: tuple[Typeface, ...]) -> float:
    """The text's width in ems, letter by letter without kerning."""
    total = 0.0
    for typeface, piece in runs(text, chain):
        loaded = installed(typeface)
        for character in piece:
            total += (
                loaded.font.get_glyph_h_advance(loaded.font.get_nominal_glyph(ord(character))) * loaded.scale
            )
    return total / 1000


def stands_letter_by_letter(text: str, chain: tuple[Typeface, ...]) -> bool:
    """Whether each character is one glyph at its own width, in reading order.

    HarfBuzz answers: the text is shaped, and the result compared with the bare glyphs. Tibetan stacks,
    Arabic joins and variation selectors differ, and are left to a real typesetter.
    """
    for typeface, piece in runs(text, chain):
        loaded = installed(typeface)
        buffer = hb.Buffer()
        buffer.add_str(piece)
        buffer.guess_segment_properties()
        buffer.language = "zh-CN"
        hb.shape(loaded.font, buffer, {"kern": False, "liga": False, "clig": False})
        bare = [loaded.font.get_nominal_glyph(ord(character)) for character in piece]
        places = zip(buffer.glyph_infos, buffer.glyph_positions, bare, strict=False)
        if len(buffer.glyph_infos) != len(bare) or not all(
            info.codepoint == glyph
            and (place.x_offset, place.y_offset) == (0, 0)
            and place.x_advance == loaded.font.get_glyph_h_advance(glyph)
            for info, place, glyph in places
        ):
            return False
    return True
