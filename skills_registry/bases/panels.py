"""Expert panel (专家组): who judges an application; what they judge is in ``scores``.

The city appoints experts, who act under accounts of their own; sheet, weights, smallest panel and
pass mark are policy data, pinned when the panel is appointed. An expert who has an interest recuses
(回避) with a reason, and the seat is filled anew. Nobody can be taken off the panel after handing
in, so that an unwelcome mark cannot be struck.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from skills_registry.accounts import Account
from skills_registry.bases.applications import (
    APPLICATION,
    Application,
    hold,
    is_applicant,
    people_who,
    require_no_applicant,
    require_reason,
)
from skills_registry.bases.inspections import latest_inspection, unmet
from skills_registry.bases.seats import SEAT, Panel, PanelSeat
from skills_registry.foundation.acts import Act, require_role
from skills_registry.foundation.errors import FieldRefused, NotAllowed, RuleBroken, SeparationOfDuties
from skills_registry.foundation.lifecycle import begin, move, note
from skills_registry.foundation.storage import database


class PanelTooSmall(RuleBroken):
    """Facts: ``smallest``, ``count``."""

    code = "panel_too_small"
    zh = "专家组至少{smallest}名专家（不同自然人），现有{count}名。"
    en = "A panel has at least {smallest} experts, each another person; {count} were named."


class ExpertInvolved(SeparationOfDuties):
    """A named expert belongs to the base or took another part in this application."""

    code = "expert_involved"
    zh = "所聘专家中有人与申请基地有关联、或已参与本申请的其他环节、或在本组中重复出现，请另聘。"
    en = "A named expert belongs to the base, took another part in this application, or is named twice."


class ConditionsUnmet(RuleBroken):
    """Facts: ``items``."""

    code = "inspection_conditions_unmet"
    zh = "实地考察有必备条件未满足（{items_zh}），须退回补正或不予认定，不能进入专家评审。"
    en = "The inspection found required conditions unmet ({items_en}); return or refuse the application."


class NoVacancy(RuleBroken):
    """Facts: ``vacancies``."""

    code = "panel_no_vacancy"
    zh = "专家组空缺{vacancies}席，增聘人数不得超过空缺。"
    en = "The panel has {vacancies} vacant seats; no more than these can be filled."


def require_conditions_met(application: Application) -> None:
    """:raises ConditionsUnmet: the inspection of this round found a required item unmet."""
    inspection = latest_inspection(application)
    items = [] if inspection is None else unmet(inspection)
    if items:
        raise ConditionsUnmet(
            items_zh="、".join(item["zh"] for item in items), items_en="; ".join(i["en"] for i in items)
        )


def require_no_part(act: Act, application: Application, experts: Sequence[Account]) -> None:
    """Experts are strangers to base and review, and none of them is the officer who appoints.

    :raises FieldRefused: an account is no expert's, or not active.
    :raises ExpertInvolved: one took part, or one person is named twice.
    """
    if any(account.role != "expert" or account.status != "active" for account in experts):
        raise FieldRefused(field="experts")
    people = {account.operator_id for account in experts}
    took_part = people_who(
        application, "file_inspection", "sign_inspection", roles=("base_clerk", "county_officer")
    )
    if (
        len(people) != len(experts)
        or people & (took_part | {act.by.operator_id})
        or any(is_applicant(person, application) for person in people)
    ):
        raise ExpertInvolved()


def appoint(act: Act, application: Application, experts: Sequence[Account]) -> Panel:
    """The city appoints the panel, or fills the seats of experts who recused.

    :raises PanelTooSmall: fewer experts than the policy asks for.
    :raises NoVacancy: more experts than vacant seats.
    :raises ConditionsUnmet: see :func:`require_conditions_met`.
    :raises ExpertInvolved: see :func:`require_no_part`.
    :raises WrongState: the application awaits no panel.
    """
    require_role(act, "city_officer")
    require_no_applicant(act, application)
    if application.status == "expert_review":
        return _fill_vacancies(act, application, experts)
    if APPLICATION.find("appoint", application.status) is None:
        raise APPLICATION.refusal(application.status, "appoint")
    require_no_part(act, application, experts)
    require_conditions_met(application)
    smallest = act.policy.rule("admission", act.today)["smallest_panel"]
    if len(experts) < smallest:
        raise PanelTooSmall(smallest=smallest, count=len(experts))
    with database.atomic():
        move(act, APPLICATION, application, "appoint", detail={"experts": len(experts)})
        panel = _create(act, application)
        for account in experts:
            _seat(act, panel, account, None)
    return panel


def _create(act: Act, application: Application) -> Panel:
    rule = act.policy.rule("admission_scores", act.today)
    return Panel.create(
        application=application,
        round=application.round,
        criteria=rule["criteria"],
        pass_percent=rule["pass_percent"],
        rule_from=rule.valid_from,
        policy_version=act.policy.version,
        appointed_at=act.at,
    )


def _seat(act: Act, panel: Panel, account: Account, replaces: PanelSeat | None) -> None:
    seat = PanelSeat.create(
        panel=panel,
        account=account,
        operator=account.operator_id,
        replaces=replaces,
        appointed_at=act.at,
    )
    begin(act, SEAT, seat, "appoint")


def _fill_vacancies(act: Act, application: Application, experts: Sequence[Account]) -> Panel:
    require_no_part(act, application, experts)
    with database.atomic():
        hold(application)
        panel = require_panel(application)
        if {account.operator_id for account in experts} & {seat.operator for seat in panel.seats}:
            raise ExpertInvolved()
        empty = vacancies(panel)
        if not 1 <= len(experts) <= len(empty):
            raise NoVacancy(vacancies=len(empty))
        for account, seat in zip(experts, empty, strict=False):
            _seat(act, panel, account, seat)
        note(act, APPLICATION.noun, application.id, "replace_expert", detail={"experts": len(experts)})
    return panel


def recuse(act: Act, seat: PanelSeat, reason: str) -> PanelSeat:
    """An expert recuses before handing in, or the city takes one off the panel; always with a reason.

    :raises NotAllowed: another expert's seat.
    :raises WrongState: the sheet is in, or the seat is empty already.
    """
    require_reason(reason)
    application: Application = seat.panel.application
    if act.by.role == "expert":
        require_own_seat(act, seat)
    else:
        require_no_applicant(act, application)
    with database.atomic():
        hold(application)
        move(act, SEAT, seat, "recuse", reason=reason)
        note(act, APPLICATION.noun, application.id, "recuse", detail={"seat": str(seat.id)})
    return seat


def require_own_seat(act: Act, seat: PanelSeat) -> None:
    """:raises NotAllowed: the seat is another account's."""
    if act.by.account_id != seat.account_id:
        raise NotAllowed()


def experts_available() -> list[Account]:
    """The active accounts of experts, whom the city may appoint; whether one may sit is told then."""
    return list(
        Account.select().where((Account.role == "expert") & (Account.status == "active")).order_by(Account.id)
    )


def latest_panel(application: Application) -> Panel | None:
    """The panel of the present round, or None."""
    return Panel.get_or_none((Panel.application == application.id) & (Panel.round == application.round))


def require_panel(application: Application) -> Panel:
    """The panel of the present round.

    :raises WrongState: none has been appointed.
    """
    panel = latest_panel(application)
    if panel is None:
        raise APPLICATION.refusal(application.status, "conclude")
    return panel


def vacancies(panel: Panel) -> list[PanelSeat]:
    """The recused seats that nobody fills yet."""
    filled = {seat.replaces_id for seat in panel.seats}
    return [
        seat
        for seat in panel.seats.order_by(PanelSeat.id)
        if seat.status == "recused" and seat.id not in filled
    ]


def is_complete(panel: Panel) -> bool:
    """Whether every seat is filled and every sheet is in."""
    waiting = panel.seats.where(PanelSeat.status == "appointed").exists()
    return not waiting and not vacancies(panel)


def seat_of(act: Act, panel: Panel) -> PanelSeat | None:
    """The caller's own seat on a panel, unless they recused."""
    return PanelSeat.get_or_none(
        (PanelSeat.panel == panel.id)
        & (PanelSeat.account == act.by.account_id)
        & (PanelSeat.status != "recused")
    )


def applications_on_my_panels(act: Act) -> list[UUID]:
    """The ids of the applications on whose panel the caller sits; an expert knows of no others."""
    seats = PanelSeat.select(PanelSeat, Panel).join(Panel)
    mine = seats.where((PanelSeat.account == act.by.account_id) & (PanelSeat.status != "recused"))
    return [seat.panel.application_id for seat in mine]
