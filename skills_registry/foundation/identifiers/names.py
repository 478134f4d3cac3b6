"""Names (姓名): stored as entered, compared by a key, masked in public.

Any script that GB 18030 holds is a name, Tibetan too. Characters are not judged by Unicode category,
which calls the newest Han blocks unassigned; only control characters, formula starts and markup are
refused (DESIGN §5). The stored name is never normalised: NFC changes some characters (U+F9D1 becomes
U+516D), and the name on a certificate must be the one on the ID card.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

from skills_registry.foundation.identifiers.folding import BLANKS, INVISIBLE
from skills_registry.foundation.problems import Problem

#: The separator that 民委发〔2016〕33号 requires (GB 18030 A1A4).
NAME_SEPARATOR = "\u00b7"
#: 民委发〔2016〕33号: name fields take at least 50 characters.
LONGEST_NAME = 50

#: What people type in its place: • ・ ･ ‧ ∙ ⋅ ● ． ․ and the Greek ano teleia.
_SEPARATORS = "\u2022\u30fb\uff65\u2027\u2219\u22c5\u25cf\uff0e\u2024\u0387"
#: A full stop separates the parts of a Chinese name, but belongs to Latin initials (J. Smith).
_FULL_STOP = re.compile(r"(?<=[^\x00-\x7f])\.(?=[^\x00-\x7f])")
_SEPARATOR_TABLE = dict.fromkeys(map(ord, _SEPARATORS), NAME_SEPARATOR)

#: Ideographs and their private-use stand-ins: a blank beside one is layout (李　明), not part of a name.
_HAN = "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3400-\u9fff\uf900-\ufaff\ue000-\uf8ff\U00020000-\U0003ffff"
_BLANK = f"[{re.escape(BLANKS)}]"
_LAYOUT_BLANK = re.compile(f"(?<=[{_HAN}{NAME_SEPARATOR}]){_BLANK}+|{_BLANK}+(?=[{_HAN}{NAME_SEPARATOR}])")
_BLANK_RUN = re.compile(f"{_BLANK}+")

#: Blanks that take no room. The joiners U+200C and U+200D are left out: some scripts are spelt with them.
_EMPTY = "".join(character for character in INVISIBLE if character not in "\u200c\u200d\u180e")
_NO_EMPTY = dict.fromkeys(map(ord, _EMPTY))
#: For comparison also the joiners and the variation selectors of Han characters, which nobody types.
_MATCH_TABLE: dict[int, str | None] = {
    **dict.fromkeys((*map(ord, INVISIBLE + BLANKS), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))),
    **_SEPARATOR_TABLE,
    ord("."): NAME_SEPARATOR,
}

#: Controls, line breaks, direction overrides, annotation marks and tags, lone surrogates, the
#: replacement character (it marks text that was broken on the way), and code points that are none.
_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufff9-\uffff\ufdd0-\ufdef\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
_PLANE_ENDS = frozenset(plane << 16 | end for plane in range(1, 17) for end in (0xFFFE, 0xFFFF))
_MARKUP = re.compile("[<>&\uff1c\uff1e\uff06]")
_FORMULA_STARTS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_TEXT_PREFIX = re.compile(f"^['\u2018\u2019]+(?=[{_HAN}])")


@dataclass(frozen=True)
class CleanName:
    """A name as it will be stored, with what was wrong or changed."""

    text: str = field(repr=False)
    problems: tuple[Problem, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Nothing is wrong but for warnings."""
        return not any(problem.is_error for problem in self.problems)


def clean_name(raw: object) -> CleanName:
    """A name ready to be stored: trimmed, separators as U+00B7, layout blanks out; nothing else changed.

    Cleaning a cleaned name changes nothing. Source: 民委发〔2016〕33号; DESIGN §5.
    """
    if raw is None:
        return CleanName("", (Problem("missing", "name"),))
    if not isinstance(raw, str):
        return CleanName(str(raw), (Problem("name_characters", "name"),))  # a figure or a date is no name
    trimmed = raw.strip(BLANKS + _EMPTY)
    if not trimmed:
        return CleanName("", (Problem("missing", "name"),))
    if has_refused_characters(trimmed):
        return CleanName(trimmed, (Problem("name_characters", "name"),))
    separated = trimmed.translate(_SEPARATOR_TABLE)
    packed = _TEXT_PREFIX.sub("", _without_layout_blanks(separated))
    text = _FULL_STOP.sub(NAME_SEPARATOR, packed)
    problems = []
    if separated != trimmed or text != packed:
        problems.append(Problem("name_separator_normalised", "name"))
    if _without_layout_blanks(separated) != separated:
        problems.append(Problem("name_blanks_removed", "name"))
    if len(text) > LONGEST_NAME:
        problems.append(Problem("name_too_long", "name", {"limit": LONGEST_NAME}))
    return CleanName(text, tuple(problems))


def _without_layout_blanks(name: str) -> str:
    return _BLANK_RUN.sub(" ", _LAYOUT_BLANK.sub("", name.translate(_NO_EMPTY))).strip(" ")


def has_refused_characters(text: str) -> bool:
    """Whether a text holds control characters or markup, or starts as a formula does."""
    return (
        text.startswith(_FORMULA_STARTS)
        or _CONTROL.search(text) is not None
        or _MARKUP.search(text) is not None
        or any(ord(character) in _PLANE_ENDS for character in text)
    )


def name_match_key(name: str) -> str:
    """What two spellings of one name have in common; for comparison only, never stored as a name.

    NFC, every separator as U+00B7, blanks and characters without width removed.
    """
    composed = unicodedata.normalize("NFC", name.translate(_MATCH_TABLE))
    return unicodedata.normalize("NFC", composed.translate(_MATCH_TABLE))


def masked_name(name: str) -> str:
    """A name for the public page: the first character, then one ``*`` for each other (买**).

    A character keeps the marks that belong to it. The separator of a compound name is masked too,
    since it would tell the ethnicity, and a name of one character is masked whole: the mask of a
    name never equals it.
    """
    characters = _written_characters(name)
    if len(characters) <= 1:
        return "*" * len(characters)
    return characters[0] + "*" * (len(characters) - 1)


def _written_characters(name: str) -> list[str]:
    """A name cut into what a reader sees as one character: a base with the marks that follow it."""
    characters: list[str] = []
    for character in name:
        marks = unicodedata.category(character).startswith("M") or character in "\u200c\u200d"
        if characters and marks:
            characters[-1] += character
        else:
            characters.append(character)
    return characters
