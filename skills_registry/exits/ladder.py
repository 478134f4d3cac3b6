"""The ladder (处理阶梯) as the policy has it: what each step of it asks, holds back and leads to.

津人社办发〔2022〕60号 Art. 19–25 is the precedent: interview, rectification letter, censure,
termination, each with grounds, a time to cure and an effect. All of it is data (rule
``sanction_ladder``); this module reads it and checks what can be checked against the record.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from skills_registry.foundation import workdays
from skills_registry.foundation.errors import FieldRefused
from skills_registry.foundation.policy import Policy
from skills_registry.foundation.workdays import Deadline

#: The steps, from the lightest up. Suspension stands beside the ladder: it holds until cured.
STEPS: dict[str, tuple[str, str]] = {
    "interview": ("约谈", "interview"),
    "rectification": ("限期整改（整改函）", "rectification letter"),
    "public_censure": ("通报", "public censure"),
    "suspension": ("暂停挂牌", "suspension"),
    "termination": ("摘牌（解除协议）", "termination"),
}

#: The ground of a sanction that follows an overdue cure; no officer picks it.
OVERDUE = "overdue"
OVERDUE_WORDS = ("逾期未整改到位", "cure overdue")


class GroundUnknown(FieldRefused):
    """Facts: ``field``, ``grounds``."""

    code = "ground_unknown"
    zh = "该处理措施没有这项事由，可选：{grounds}。"
    en = "This step has no such ground; choose one of: {grounds}."


def ladder(policy: Policy, on: date) -> Mapping[str, Any]:
    """The whole rule as it held on a day."""
    return policy.rule("sanction_ladder", on)


def rung(policy: Policy, step: str, on: date) -> Mapping[str, Any]:
    """One step of the ladder as it held on a day.

    :raises FieldRefused: there is no such step.
    """
    found: Mapping[str, Any] | None = ladder(policy, on).get(step) if step in STEPS else None
    if found is None:
        raise FieldRefused(field="step")
    return found


def ground_of(policy: Policy, step: str, code: str, on: date) -> Mapping[str, Any]:
    """One ground for a step as the policy names it.

    :raises GroundUnknown: it names no such ground; the facts list those that it names.
    """
    grounds = rung(policy, step, on)["grounds"]
    for ground in grounds:
        if ground["code"] == code:
            found: Mapping[str, Any] = ground
            return found
    raise GroundUnknown(field="ground", grounds="、".join(ground["code"] for ground in grounds))


def ground_words(policy: Policy, step: str, code: str, on: date) -> tuple[str, str]:
    """A ground in Chinese and English."""
    if code == OVERDUE:
        return OVERDUE_WORDS
    ground = ground_of(policy, step, code, on)
    return ground["zh"], ground["en"]


def cure_deadline(policy: Policy, step: str, imposed_on: date) -> Deadline | None:
    """The last day for the cure, in working days or months as the policy says; None where nothing is cured."""
    figures = rung(policy, step, imposed_on)
    if "cure_working_days" in figures:
        return workdays.after(imposed_on, figures["cure_working_days"], policy)
    if "cure_months" in figures:
        return workdays.after_months(imposed_on, figures["cure_months"], policy)
    return None
