"""Words that must not stand on a certificate: data of the policy, refused wherever text comes in.

One wrong word can make a training certificate a sham certificate (山寨证书, 人社部函〔2022〕25号),
and one word can out its holder.
"""

from __future__ import annotations

from datetime import date

from skills_registry.foundation.errors import FieldRefused
from skills_registry.foundation.policy import Policy


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
