"""A certificate as HTML, with the only files that it may name: its border, and fonts cut to its characters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape

import jinja2

from certificates.document.fonts import NAME_CHAIN, TEXT_CHAIN, TITLE_CHAIN, Typeface, cut, runs
from certificates.document.wording import chinese_date, heading, measures, name_size
from skills_registry.certification.printed import Paper

_PAGES = jinja2.Environment(
    loader=jinja2.PackageLoader("templates", "certificates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
)

#: A stand-in where the code will be: one light dot. WeasyPrint measures it, and the imprint takes its place.
_DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c63f80f00010101001bb6ee560000000049454e44ae426082"
)


@dataclass(frozen=True)
class Page:
    """``supplied`` holds the files by name, as the page's ``certificate:<name>`` calls them."""

    html: str
    supplied: Mapping[str, bytes]


def page(printed: Paper, host: str, *, name_line: str, number: str) -> Page:
    """The page of a certificate, with this line for the name and this number.

    :raises UnknownTemplate: the record's template is not installed.
    :raises Undrawable: no font covers a character.
    """
    look = measures(printed.template)
    facts = {
        "printed": printed,
        "title": heading(printed),
        "host": host,
        "name_line": name_line,
        "name_size": name_size(printed.template, name_line),
        "number": number,
        "day": chinese_date,
    }
    html = _PAGES.get_template(f"{printed.template}/certificate.html")
    bare = html.render(facts, families={}, faces=(), style="")
    roles = {
        # An apostrophe is escaped on the page: what it stands for is to be drawn.
        "text": (bare + unescape(bare), TEXT_CHAIN),
        "title": (heading(printed), TITLE_CHAIN),
        "name": (name_line + look["name"]["suffix"], NAME_CHAIN),
        "number": (number, TEXT_CHAIN),
    }
    supplied = {
        "code.png": _DOT,
        "border.svg": _PAGES.get_template(f"{printed.template}/border.svg").render().encode(),
    }
    families = {}
    for role, (characters, chain) in roles.items():
        fonts = {
            f"certificate-{role}-{order}": font for order, font in enumerate(_cut_along(characters, chain))
        }
        families[role] = ", ".join(fonts)
        supplied |= fonts
    faces = [name for name in supplied if name.startswith("certificate-")]
    style = f"{printed.template}/certificate.css"
    return Page(html.render(facts, families=families, faces=faces, style=style), supplied)


def _cut_along(characters: str, chain: tuple[Typeface, ...]) -> list[bytes]:
    wanted: dict[Typeface, str] = {}
    # Only line breaks are left out: Python calls the newest Han characters, and U+3000, unprintable.
    for typeface, piece in runs("".join(dict.fromkeys(characters.replace("\n", ""))), chain):
        wanted[typeface] = wanted.get(typeface, "") + piece
    return [
        cut(typeface, wanted[typeface], for_typesetting=True).content
        for typeface in chain
        if typeface in wanted
    ]
