"""The words on a certificate's paper: what the template says, with the record's texts filled in.

A template is a folder `templates/certificates/<kind>/<version>/` with the page, its style sheet, its
border and its measures. `Paper.template` names it, so an old certificate is drawn for ever as it was
printed; a new look is a new version beside the old one.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Any

from certificates.document.fonts import NAME_CHAIN, width
from skills_registry.certification.printed import Paper
from skills_registry.foundation.errors import InputRefused
from skills_registry.foundation.wording import ForbiddenWording

#: The only form of a template's name, since it becomes a path.
_TEMPLATE = re.compile(r"[a-z_]+/[0-9]+")

#: How a refusal calls the name that cannot be drawn.
WHOSE_NAME = {"holder": "姓名", "base": "基地名称"}


class UnknownTemplate(InputRefused):
    """The record names a template that is not installed. Facts: ``template``."""

    code = "unknown_template"
    zh = "没有名为“{template}”的证书版式。"
    en = "There is no certificate template named '{template}'."


# ---------------------------------------------------------------- rules


def refuse_forbidden_words(texts: Mapping[str, str], words: Iterable[str], source: str = "") -> None:
    """The drawer's own guard against a sham certificate (山寨证书, 人社部函〔2022〕25号).

    ``texts`` by field name, as :func:`fixed_texts` gives them; ``words`` and ``source`` are policy data. A
    holder's own name is never judged: 李中华 is an ordinary name.

    :raises ForbiddenWording: a text holds a forbidden word.
    """
    forbidden = tuple(words)
    for field, text in texts.items():
        found = [word for word in forbidden if word in text]
        if found:
            raise ForbiddenWording(field=field, words="、".join(found), source=source)


# ---------------------------------------------------------------- queries


@lru_cache
def measures(template: str) -> dict[str, Any]:
    """What the drawer must know of a template: its title, and the room for the name in points.

    :raises UnknownTemplate: no such template is installed.
    """
    return tomllib.loads(source(template, "measures.toml"))


@lru_cache
def source(template: str, file: str) -> str:
    """One file of a template as text.

    :raises UnknownTemplate: no such template is installed.
    """
    if not _TEMPLATE.fullmatch(template):
        raise UnknownTemplate(template=template)
    try:
        return (
            files("templates")
            .joinpath("certificates", *template.split("/"), file)
            .read_text(encoding="utf-8")
        )
    except FileNotFoundError as error:
        raise UnknownTemplate(template=template) from error


def name_line(printed: Paper) -> str:
    """The line that the name stands on: 马海英：, or a base's name on its plaque."""
    return f"{printed.name}{measures(printed.template)['name']['suffix']}"


def name_size(template: str, line: str) -> float:
    """The size in points at which the name's line fits its room, in tenths."""
    room = measures(template)["name"]
    return min(float(room["size"]), int(10 * room["room"] / width(line, NAME_CHAIN)) / 10)


def fixed_texts(printed: Paper) -> dict[str, str]:
    """Everything that is printed but the number and a holder's name, by field, for the guards to judge."""
    unjudged = {"template", "kind", "number"} | ({"name"} if printed.whose_name == "holder" else set())
    texts = {field: text for field, text in vars(printed).items() if isinstance(text, str)}
    return {"template": source(printed.template, "certificate.html") + heading(printed)} | {
        field: text for field, text in texts.items() if field not in unjudged
    }


def heading(printed: Paper) -> str:
    """The large title on the paper; a template's ``title`` may name a field of the record in braces."""
    return str(measures(printed.template)["title"]).format_map(vars(printed))


def title(printed: Paper) -> str:
    """The paper's title with its number: what a reader's window shows."""
    return f"{heading(printed)} {printed.number}"


def chinese_date(day: date) -> str:
    """2025年3月3日"""
    return f"{day.year}年{day.month}月{day.day}日"
