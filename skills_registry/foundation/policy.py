"""Rules are data: amounts, ages, day counts and thresholds, each with its first day and its source.

A policy file is TOML. Every rule is an array of dated versions, ``[[name]]`` with ``valid_from``
(and optionally ``valid_until``, its last day) and ``source``; the newest version in force on a day
holds on that day.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from skills_registry.foundation.errors import RuleBroken, Unavailable

HAIDONG = Path(__file__).parent.parent / "policies" / "haidong.toml"


class NoRuleInForce(RuleBroken):
    """The policy has no version of this rule for that day. Facts: ``rule``, ``on``."""

    code = "no_rule_in_force"
    zh = "政策文件中没有{on}适用的规定“{rule}”，请市残联补充后再办理。"
    en = "The policy file has no rule '{rule}' in force on {on}; the city federation must add it."


@dataclass(frozen=True)
class Rule(Mapping[str, Any]):
    """One dated version of a rule; reads like a dictionary of its figures."""

    name: str
    valid_from: date
    source: str
    figures: Mapping[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.figures[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.figures)

    def __len__(self) -> int:
        return len(self.figures)


class Policy:
    """All rules of one city. ``version`` (12 hexadecimal digits) changes with any byte of the file."""

    def __init__(self, text: str) -> None:
        document = tomllib.loads(text)
        self.version = sha256(text.encode()).hexdigest()[:12]
        self.city: Mapping[str, Any] = document.pop("city")
        self.calendar: Mapping[str, Any] = document.pop("calendar", {})
        self._rules: dict[str, list[Mapping[str, Any]]] = {
            name: sorted(versions, key=lambda version: version["valid_from"], reverse=True)
            for name, versions in document.items()
        }

    def rule(self, name: str, on: date) -> Rule:
        """The version of a rule that held on a day.

        :raises NoRuleInForce: none did.
        """
        for version in self._rules.get(name, []):
            if version["valid_from"] <= on <= version.get("valid_until", date.max):
                figures = {
                    key: value for key, value in version.items() if key not in ("valid_from", "source")
                }
                return Rule(name, version["valid_from"], version["source"], figures)
        raise NoRuleInForce(rule=name, on=on)


def load_policy(path: Path | None = None) -> Policy:
    """The policy from ``path``, by default the one of Haidong that ships with the software.

    :raises Unavailable: the file cannot be read or is not a policy.
    """
    source = path or HAIDONG
    try:
        return Policy(source.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise Unavailable(
            what=f"政策文件无法读取 (policy file unreadable): {os.fspath(source.name)}",
            remedy="检查 POLICY_FILE 所指的 TOML 文件 (check the TOML file that POLICY_FILE names)",
        ) from error
