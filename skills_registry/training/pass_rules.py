"""Pass rules (合格标准): what a trainee of a class must reach to pass, from the policy or the class's project."""

from __future__ import annotations

from decimal import Decimal

from skills_registry.foundation.acts import Act
from skills_registry.training.classes import TrainingClass
from skills_registry.training.sheets import PassRule


def pass_rule_of(act: Act, training_class: TrainingClass) -> PassRule:
    """The pass rule of a class: its project's where the project sets one, else the policy's of its first day.

    Marks in points, attendance as a share of the class hours (0 to 1).
    """
    rule = act.policy.rule("pass_rule", training_class.starts_on)
    project = training_class.project
    percent = project.attendance_percent if project is not None else None
    mark = project.pass_mark if project is not None else None
    return PassRule(
        attendance_share=Decimal(rule["attendance_percent"] if percent is None else percent) / 100,
        pass_mark=Decimal(rule["pass_mark"] if mark is None else mark),
        full_mark=Decimal(rule["full_mark"]),
    )
