"""Reviews (评审): the county's opinion, the city's notice and the decision on an application.

The county returns, recommends or does not. After inspection and panel the city publishes what passed,
waits for the public, and lists or refuses. Whoever decides took no other part: not for the base, not
for the county, not as inspector or expert, and never in an application that they refused before.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Literal
from uuid import UUID

from peewee import IntegrityError

from skills_registry import notices
from skills_registry.accounts import Account
from skills_registry.bases.applications import (
    APPLICATION,
    Application,
    ApplicationOpen,
    close,
    end_notice,
    people_who,
    require_no_applicant,
    require_reason,
)
from skills_registry.bases.inspections import ExpertElsewhere
from skills_registry.bases.listing import Base, Listing, Trade, admit, hold_base
from skills_registry.bases.panels import latest_panel
from skills_registry.bases.scores import mark
from skills_registry.bases.seats import experts_of
from skills_registry.bases.standing import require_no_ban
from skills_registry.foundation import workdays
from skills_registry.foundation.acts import Act, require_other_person, require_role
from skills_registry.foundation.errors import FieldRefused, RuleBroken, SeparationOfDuties
from skills_registry.foundation.levels import rank
from skills_registry.foundation.lifecycle import Step, move, note, who_did
from skills_registry.foundation.series import take
from skills_registry.foundation.storage import database
from skills_registry.notices import Notice


class TookPart(SeparationOfDuties):
    """The caller, as a person, inspected, scored, recommended or returned this application."""

    code = "decider_took_part"
    zh = "您（同一自然人）已参与本申请的初审、考察或专家评审，不能再作决定，请由其他人员办理。"
    en = "You, as one person, took part in reviewing this application, so another person must decide."


class RefusedBefore(SeparationOfDuties):
    """The caller refused this application before it was reopened."""

    code = "decider_refused_before"
    zh = "本申请经申诉恢复办理，原作出不予认定决定的人员不得再次决定。"
    en = "The application was reopened on appeal; whoever refused it may not decide it again."


class SameOrganisation(SeparationOfDuties):
    """The county recommends, the city decides: two organisations."""

    code = "same_organisation"
    zh = "初审与决定必须由不同单位作出（县级推荐、市级决定）。"
    en = "Recommendation and decision must come from two organisations: the county recommends, the city decides."


class PanelNotPassed(RuleBroken):
    """Facts: ``numerator``, ``denominator``, ``pass_percent``."""

    code = "panel_not_passed"
    zh = "专家评审未达合格线（{numerator}/{denominator}，合格线{pass_percent}%），不能公示。"
    en = "The panel's mark is below the pass mark ({numerator}/{denominator}, pass mark {pass_percent} %)."


class NotReviewed(RuleBroken):
    """No panel of this round has concluded."""

    code = "not_reviewed"
    zh = "本轮尚无完成的专家评审，不能公示；请重新组织考察和评审，或作出不予认定的决定。"
    en = "No panel of this round has concluded, so nothing can be published: review again, or refuse."


class ObjectionUpheld(RuleBroken):
    """An objection to the notice was upheld."""

    code = "objection_upheld"
    zh = "公示期间有异议成立，不能认定挂牌；请重新评审，或作出不予认定的决定。"
    en = "An objection was upheld, so the base cannot be listed: review again, or refuse."


class BeyondApplication(RuleBroken):
    """Facts: ``occupation``."""

    code = "scope_beyond_application"
    zh = "“{occupation}”超出申请的职业（工种）或等级，不能列入认定范围。"
    en = "'{occupation}' goes beyond the trades and levels applied for."


def require_may_decide(act: Act, application: Application) -> None:
    """The caller is a city officer who took no other part in this application, of another organisation
    than the county that reviewed it.

    :raises OwnBase: the caller belongs to the base.
    :raises TookPart: the caller inspected, scored, recommended or returned it.
    :raises RefusedBefore: the caller refused it before.
    :raises SameOrganisation: the county's opinion came from the caller's organisation.
    """
    require_role(act, "city_officer")
    require_no_applicant(act, application)
    took_part = people_who(
        application, "file_inspection", "sign_inspection", roles=("county_officer", "expert")
    )
    if act.by.operator_id in took_part | experts_of(application):
        raise TookPart()
    if act.by.operator_id in people_who(application, "decide_refusal"):
        raise RefusedBefore()
    if act.by.organisation_id in _reviewing_organisations(application):
        raise SameOrganisation()


def _reviewing_organisations(application: Application) -> set[UUID]:
    opinions = Step.select(Step.by_account).where(
        (Step.record_id == application.id) & Step.action.in_(["recommend", "not_recommend"])
    )
    accounts = [step.by_account for step in opinions]
    return {account.organisation_id for account in Account.select().where(Account.id.in_(accounts))}


def require_passed(application: Application) -> None:
    """The panel of this round concluded at or above the pass mark.

    :raises NotReviewed: there is none, as after an appeal against a refusal without review.
    :raises PanelNotPassed: it is below.
    """
    panel = latest_panel(application)
    if panel is None:
        raise NotReviewed()
    reached = mark(panel)
    if reached.experts == 0:
        raise NotReviewed()
    if not reached.passed:
        raise PanelNotPassed(
            numerator=reached.numerator,
            denominator=reached.denominator,
            pass_percent=reached.pass_percent,
        )


def require_may_review(act: Act, application: Application) -> None:
    """The caller is a stranger to the base and was never an expert of this application.

    :raises OwnBase: the caller belongs to the base.
    :raises ExpertElsewhere: the caller sat on a panel of an earlier round.
    """
    require_no_applicant(act, application)
    if act.by.operator_id in experts_of(application):
        raise ExpertElsewhere()


def require_notice_over(act: Act, application: Application) -> None:
    """The public notice has run its time, every objection is answered and none was upheld.

    :raises RuleBroken: its time has not run, or an objection awaits an answer.
    :raises ObjectionUpheld: one was upheld.
    """
    notice = application.notice
    if notice is None:
        raise NotReviewed()
    notices.require_over_and_answered(act, notice)
    if notices.upheld(notice):
        raise ObjectionUpheld()


def require_within(application: Application, granted: Sequence[Trade]) -> None:
    """:raises BeyondApplication: a granted trade or level was not applied for."""
    for trade in granted:
        fits = any(
            (trade.edition, trade.code) == (asked.edition, asked.code)
            and rank(trade.highest_level) <= rank(asked.highest_level)
            for asked in application.trades
        )
        if not fits:
            raise BeyondApplication(occupation=trade.name)


def return_for_correction(act: Act, application: Application, reason: str) -> Application:
    """Return it to the base: the county what was submitted, the city what an inspection found mendable.

    :raises OwnBase, ExpertElsewhere: see :func:`require_may_review`.
    :raises WrongState: it is neither submitted nor inspected.
    """
    require_reason(reason)
    require_may_review(act, application)
    with database.atomic():
        move(act, APPLICATION, application, "return", reason=reason)
    return application


def preliminary_review(
    act: Act, application: Application, opinion: Literal["recommend", "not_recommend"], reason: str
) -> Application:
    """The county's preliminary review (初审): recommend to the city, or not, with reasons.

    :raises OwnBase, ExpertElsewhere: see :func:`require_may_review`.
    :raises WrongState: it is not submitted.
    """
    require_reason(reason)
    require_may_review(act, application)
    with database.atomic():
        move(act, APPLICATION, application, opinion, reason=reason)
    return application


def publish(act: Act, application: Application, *, title: str, text: str) -> Notice:
    """The city decides to publish (公示) an application that passed its panel.

    :raises SeparationOfDuties: see :func:`require_may_decide`.
    :raises PanelNotPassed, NotReviewed: see :func:`require_passed`.
    :raises WrongState: it is not reviewed.
    """
    _require_move(application, "publish")
    require_may_decide(act, application)
    require_passed(application)
    days = act.policy.rule("admission", act.today)["notice_working_days"]
    with database.atomic():
        move(act, APPLICATION, application, "publish")
        application.notice = notices.publish(
            act,
            subject=APPLICATION.noun,
            subject_id=application.id,
            title=title,
            text=text,
            working_days=days,
            division_code=application.base.division_code,
        )
        Application.update(notice=application.notice).where(Application.id == application.id).execute()
    return application.notice


def review_again(act: Act, application: Application, reason: str) -> Application:
    """The city sends the application to a new inspection and a new panel, with reasons: against the
    county's opinion, because an objection was upheld, or after an appeal.

    :raises SeparationOfDuties: see :func:`require_may_decide`.
    :raises WrongState: it is not with the city for decision.
    """
    require_reason(reason)
    _require_move(application, "review_again")
    require_may_decide(act, application)
    with database.atomic():
        move(act, APPLICATION, application, "review_again", reason=reason)
        end_notice(act, application, reason)
        application.round += 1
        application.notice = None
        Application.update(round=application.round, notice=None).where(
            Application.id == application.id
        ).execute()
    return application


def refuse(act: Act, application: Application, reason: str) -> Application:
    """The city refuses to list the base (不予认定), with reasons; the base may appeal.

    :raises SeparationOfDuties: see :func:`require_may_decide`.
    :raises WrongState: it is not with the city for decision.
    """
    require_reason(reason)
    _require_move(application, "decide_refusal")
    require_may_decide(act, application)
    with database.atomic():
        move(act, APPLICATION, application, "decide_refusal", reason=reason)
        close(application)
        end_notice(act, application, reason)
    return application


def list_base(
    act: Act,
    application: Application,
    *,
    basis: str,
    scope: Sequence[Trade] = (),
    valid_from: date | None = None,
) -> Listing:
    """The city lists the base (认定挂牌): plaque number, scope and validity.

    ``scope`` is what was applied for unless the city grants less; ``valid_from`` is today, or the
    day after the present listing ends; validity is the policy's in years.

    :raises SeparationOfDuties: see :func:`require_may_decide`.
    :raises MayNotApplyYet: the base was struck off the list while it applied.
    :raises RuleBroken: see :func:`require_notice_over`.
    :raises BeyondApplication: see :func:`require_within`.
    :raises FieldRefused: no basis is named, or ``valid_from`` lies in the past or too far ahead.
    :raises ListingOverlaps: the base is listed in that period already.
    :raises WrongState: it is not under public notice.
    """
    _require_move(application, "list")
    require_may_decide(act, application)
    require_no_ban(application.base, act.today)
    require_notice_over(act, application)
    granted = list(scope) or application.trades
    require_within(application, granted)
    if not basis.strip():
        raise FieldRefused(field="basis")
    free = _first_free_day(application.base, act.today)
    first = valid_from or free
    months = act.policy.rule("admission", act.today)["latest_start_months"]
    if not act.today <= first <= workdays.months_later(free, months):
        raise FieldRefused(field="valid_from")
    with database.atomic():
        move(act, APPLICATION, application, "list")
        hold_base(application.base)
        require_no_ban(application.base, act.today)
        application.listing = _admit(act, application, basis, granted, first)
        Application.update(listing=application.listing).where(Application.id == application.id).execute()
        close(application)
        _take_kind(act, application)
    return application.listing


def reopen(act: Act, application: Application, reason: str) -> Application:
    """Bring a refused application back to the city's decision, because an appeal was upheld.

    Whoever refused it may neither reopen nor decide it again.

    :raises SeparationOfDuties: the caller refused it.
    :raises ApplicationOpen: the base has applied anew meanwhile.
    :raises WrongState: it is not refused.
    """
    require_reason(reason)
    require_no_applicant(act, application)
    require_other_person(act, who_did(application.id, "decide_refusal"))
    try:
        with database.atomic():
            move(act, APPLICATION, application, "reopen", reason=reason)
            Application.update(open=True).where(Application.id == application.id).execute()
    except IntegrityError:
        raise ApplicationOpen() from None
    application.open = True
    return application


def _require_move(application: Application, action: str) -> None:
    # What cannot be done at all is said before who may not do it.
    if APPLICATION.find(action, application.status) is None:
        raise APPLICATION.refusal(application.status, action)


def _admit(act: Act, application: Application, basis: str, granted: Sequence[Trade], first: date) -> Listing:
    rule = act.policy.rule("admission", act.today)
    return admit(
        act,
        application.base,
        plaque_number=_plaque_number(rule["plaque_format"], act.today.year),
        valid_from=first,
        valid_until=_years_after(first, rule["validity_years"]) - timedelta(days=1),
        basis=basis,
        scope=granted,
    )


def _plaque_number(form: str, year: int) -> str:
    # A plaque made on paper may bear a number of the series; it is passed over.
    while True:
        number: str = form.format(year=year, serial=take(f"plaque/{year}")[0])
        if not Listing.select().where(Listing.plaque_number == number).exists():
            return number


def _years_after(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return date(day.year + years, 3, 1)


def _first_free_day(base: Base, today: date) -> date:
    ends = [
        (listing.left_on or listing.valid_until + timedelta(days=1))
        for listing in Listing.select().where((Listing.base == base) & (Listing.valid_until >= today))
    ]
    return max([today, *ends])


def _take_kind(act: Act, application: Application) -> None:
    base = application.base
    if base.kind != application.kind:
        note(act, "base", base.id, "change_kind", detail={"from": base.kind, "to": application.kind})
        base.kind = application.kind
        Base.update(kind=base.kind).where(Base.id == base.id).execute()
