"""Scores (专家评分): each expert scores one sheet alone, and nobody sees another's mark before all are in.

A sheet is handed in once and for good. When the last one is in, the panel is concluded; its mark is
a fraction in whole numbers, so that nobody argues about rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from peewee import ForeignKeyField, JSONField, TextField

from skills_registry.bases.applications import APPLICATION, Application, hold, require_no_applicant
from skills_registry.bases.panels import is_complete, require_own_seat, seat_of
from skills_registry.bases.seats import SEAT, Panel, PanelSeat
from skills_registry.foundation.acts import Act, require_role
from skills_registry.foundation.errors import FieldRefused, NotAllowed
from skills_registry.foundation.lifecycle import move, note
from skills_registry.foundation.storage import InstantField, Record, database


class ScoreSheet(Record):
    """What one expert handed in: ``points`` by criterion, each from 0 to its full mark."""

    seat = ForeignKeyField(PanelSeat, unique=True, backref="sheets", on_delete="RESTRICT")
    points = JSONField()
    remarks = TextField()
    handed_in_at = InstantField()
    seat_id: UUID


@dataclass(frozen=True)
class Mark:
    """The mean of a panel as a fraction: weighted points given ÷ weighted points possible, with the
    day from which the rule held and the version of the policy."""

    numerator: int
    denominator: int
    pass_percent: int
    experts: int
    rule_from: date
    policy_version: str

    @property
    def passed(self) -> bool:
        """Whether the fraction reaches the pass mark; exact, nothing is rounded."""
        return self.numerator * 100 >= self.pass_percent * self.denominator


def hand_in(act: Act, seat: PanelSeat, points: Mapping[str, Any], remarks: str) -> ScoreSheet:
    """An expert hands in the own sheet, once and for good; the last sheet concludes the panel.

    :raises NotAllowed: another expert's seat.
    :raises FieldRefused: a criterion is missing or unknown, or points lie outside 0 to its full mark.
    :raises OwnBase: the expert has come to belong to the base.
    :raises WrongState: the sheet is in already, the expert recused, or the review has ended.
    """
    require_role(act, "expert")
    require_own_seat(act, seat)
    panel: Panel = seat.panel
    application: Application = panel.application
    require_no_applicant(act, application)
    _require_whole_sheet(panel, points)
    if application.status != "expert_review" or application.round != panel.round:
        raise APPLICATION.refusal(application.status, "conclude")
    with database.atomic():
        hold(application)
        move(act, SEAT, seat, "hand_in")
        sheet = ScoreSheet.create(seat=seat, points=dict(points), remarks=remarks, handed_in_at=act.at)
        note(act, APPLICATION.noun, application.id, "score", detail={"seat": str(seat.id)})
        if is_complete(panel):
            move(act, APPLICATION, application, "conclude", detail=_figures(mark(panel)))
    return sheet


def _require_whole_sheet(panel: Panel, points: Mapping[str, Any]) -> None:
    full = {criterion["code"]: criterion["full_mark"] for criterion in panel.criteria}
    if set(points) != set(full):
        raise FieldRefused(field="points")
    for code, given in points.items():
        if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= full[code]:
            raise FieldRefused(field=f"points.{code}")


def _figures(reached: Mark) -> dict[str, Any]:
    return {
        "numerator": reached.numerator,
        "denominator": reached.denominator,
        "pass_percent": reached.pass_percent,
        "experts": reached.experts,
        "rule_from": reached.rule_from.isoformat(),
        "policy_version": reached.policy_version,
    }


def mark(panel: Panel) -> Mark:
    """The mean over all sheets of a panel, as a fraction in whole numbers."""
    weights = {c["code"]: c["weight"] for c in panel.criteria}
    full = {c["code"]: c["full_mark"] for c in panel.criteria}
    # Each criterion counts points ÷ full mark × weight; multiplied out by every full mark, it stays whole.
    common = 1
    for largest in full.values():
        common *= largest
    sheets = sheets_in(panel)
    given = sum(
        weights[code] * points * (common // full[code])
        for sheet in sheets
        for code, points in sheet.points.items()
    )
    return Mark(
        numerator=given,
        denominator=len(sheets) * common * sum(weights.values()),
        pass_percent=panel.pass_percent,
        experts=len(sheets),
        rule_from=panel.rule_from,
        policy_version=panel.policy_version,
    )


def sheets_in(panel: Panel) -> list[ScoreSheet]:
    """Every sheet handed in to a panel, for the reckoning; who may see them: :func:`visible_sheets`."""
    return list(
        ScoreSheet.select()
        .join(PanelSeat)
        .where((PanelSeat.panel == panel.id) & (PanelSeat.status == "handed_in"))
        .order_by(PanelSeat.id)
    )


def visible_sheets(act: Act, panel: Panel) -> list[ScoreSheet]:
    """The sheets that this caller may see now: an expert the own one, and all once all are in.

    :raises NotAllowed: the caller is neither on the panel, nor the city, nor an auditor.
    """
    if act.by.role not in ("expert", "city_officer", "auditor"):
        raise NotAllowed()
    own = seat_of(act, panel)
    if act.by.role == "expert" and own is None:
        raise NotAllowed()
    if is_complete(panel):
        return sheets_in(panel)
    return [sheet for sheet in sheets_in(panel) if own is not None and sheet.seat_id == own.id]
