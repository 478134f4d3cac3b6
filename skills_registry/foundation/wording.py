"""Words that must not stand on a certificate: data of the policy, refused wherever text comes in.

One wrong word can make a training certificate a sham certificate (山寨证书, 人社部函〔2022〕25号),
and one word can out its holder.
"""

from __future__ import annotations

from datetime import date
from typing import Protocol

from skills_registry.foundation.errors import FieldRefused, Undrawable
from skills_registry.foundation.policy import Policy


class Typeface(Protocol):
    """The knowledge of what can be printed; given by the floor that knows the fonts."""

    def __call__(self, text: str) -> str:
        """The characters of a text that no certificate font covers."""


class ForbiddenWording(FieldRefused):
    """Facts: ``field``, ``words``."""

    code = "forbidden_wording"
    zh = "“{words}”不能出现在证书上（{source}），请修改名称。"
    en = "'{words}' must not stand on a certificate ({source}); please change the wording."


def require_permitted_wording(policy: Policy, on: date, **texts: str) -> None:
    """The texts, by field name, hold no forbidden word.

    :raises ForbiddenWording: one does; the facts say which words.
    """
    rule = policy.rule("certificate_wording", on)
    for field, text in texts.items():
        found = [word for word in rule["forbidden"] if word in text]
        if found:
            raise ForbiddenWording(field=field, words="、".join(found), source=rule.source)


def require_covered(text: str, where: str, uncovered: Typeface) -> None:
    """:raises Undrawable: no installed font covers a character of the text; the facts say where it stands."""
    missing = uncovered(text)
    if missing:
        raise Undrawable(
            where=where, characters="、".join(f"U+{ord(character):04X}" for character in missing)
        )
