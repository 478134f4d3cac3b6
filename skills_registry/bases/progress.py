"""Progress (办理进度): what an application waits for, who must act, and by which working day.

Being late refuses nothing: it is the office that is late, and the applicant must not pay for it. It
is told as overdue.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from skills_registry import notices
from skills_registry.bases import files
from skills_registry.bases.applications import APPLICATION, Application
from skills_registry.bases.inspections import inspectors_of, latest_inspection, unmet
from skills_registry.bases.panels import latest_panel, vacancies
from skills_registry.bases.reviews import require_passed
from skills_registry.bases.seats import PanelSeat
from skills_registry.foundation import workdays
from skills_registry.foundation.acts import SHANGHAI, Role
from skills_registry.foundation.dues import Due
from skills_registry.foundation.errors import RuleBroken
from skills_registry.foundation.lifecycle import Step
from skills_registry.foundation.policy import Policy
from skills_registry.foundation.workdays import Deadline


@dataclass(frozen=True)
class _Period:
    """What is owed in a state: its code and names, by whom, within which figure of the rule ``admission``."""

    kind: str
    zh: str
    en: str
    waits_for: tuple[Role, ...]
    figure: str


_PERIODS: dict[str, _Period] = {
    "submitted": _Period(
        "preliminary_review",
        "准入申请初审",
        "preliminary review of an application",
        ("county_officer",),
        "preliminary_review_working_days",
    ),
    "returned_for_correction": _Period(
        "correction",
        "补正准入申请",
        "correction of an application",
        ("base_clerk",),
        "correction_working_days",
    ),
    "recommended": _Period(
        "site_inspection",
        "实地考察",
        "site inspection",
        ("county_officer", "city_officer"),
        "inspection_working_days",
    ),
    "not_recommended": _Period(
        "admission_decision",
        "准入决定",
        "decision on an application",
        ("city_officer",),
        "decision_working_days",
    ),
    "inspected": _Period(
        "panel", "组建专家组", "appointment of a panel", ("city_officer",), "panel_working_days"
    ),
    "expert_review": _Period(
        "scores", "专家评分", "experts' score sheets", ("expert",), "scoring_working_days"
    ),
    "reviewed": _Period(
        "publication",
        "准入公示",
        "public notice of an application",
        ("city_officer",),
        "publication_working_days",
    ),
    "noticed": _Period(
        "admission_decision",
        "准入决定",
        "decision on an application",
        ("city_officer",),
        "decision_working_days",
    ),
}


@dataclass(frozen=True)
class Missing:
    """One thing that the next act waits for: a code and its sentence."""

    code: str
    zh: str
    en: str

    def sentence(self, language: str = "zh") -> str:
        """The sentence in that language, Chinese unless ``en``."""
        return self.en if language == "en" else self.zh


def due(application: Application, policy: Policy) -> Due | None:
    """When the next act is due, or None when nothing is: a draft, or an application that ended."""
    period = _PERIODS.get(application.status)
    if period is None:
        return None
    start, guessed = _start(application, policy)
    last = workdays.after(start, policy.rule("admission", start)[period.figure], policy)
    return Due(
        kind=period.kind,
        zh=period.zh,
        en=period.en,
        record_id=application.id,
        base_id=application.base_id,
        deadline=Deadline(last.day, last.provisional or guessed),
        waits_for=period.waits_for,
    )


def _start(application: Application, policy: Policy) -> tuple[date, bool]:
    # The decision waits for the notice to end; everything else runs from the state's first day.
    if application.status == "noticed" and application.notice is not None:
        closes = notices.deadline_of(application.notice, policy)
        return closes.day, closes.provisional
    return _since(application), False


def _since(application: Application) -> date:
    """The day on which the application came into its present state."""
    step = (
        Step.select()
        .where((Step.record_id == application.id) & (Step.to == application.status))
        .order_by(Step.id.desc())
        .get()
    )
    day: date = step.at.astimezone(SHANGHAI).date()
    return day


def all_due(policy: Policy) -> Iterator[Due]:
    """What is due in every application under way."""
    for application in Application.select().where(Application.open).order_by(Application.id):
        found = due(application, policy)
        if found is not None:
            yield found


def missing(application: Application, policy: Policy, on: date) -> list[Missing]:
    """What the application waits for, in words; empty when it has ended."""
    status = application.status
    if status in ("draft", "returned_for_correction"):
        return [*_unwritten(application), *_file(application, policy, on), *_TO_SUBMIT]
    if status == "recommended":
        return _inspection(application, policy, on)
    if status == "inspected":
        return _conditions(application) or [_A_PANEL]
    if status == "expert_review":
        return _scores(application)
    if status == "reviewed":
        return _publication(application)
    if status == "noticed":
        return _notice(application, policy, on)
    return list(_PLAIN.get(status, ()))


_TO_SUBMIT = (Missing("submission", "由基地经办人提交申请。", "The base's clerk submits the application."),)
_A_PANEL = Missing("panel", "由市残联聘请专家组。", "The city appoints a panel of experts.")
_PLAIN: dict[str, tuple[Missing, ...]] = {
    "submitted": (
        Missing(
            "preliminary_review",
            "由县（区）残联初审：推荐、不予推荐或退回补正。",
            "The county reviews it: recommends, does not recommend, or returns it.",
        ),
    ),
    "not_recommended": (
        Missing(
            "city_decision",
            "县级不予推荐，由市残联决定不予认定，或另行组织考察评审。",
            "The county did not recommend it; the city refuses, or has it reviewed all the same.",
        ),
    ),
}


def _unwritten(application: Application) -> Iterator[Missing]:
    if not application.scope:
        yield Missing("scope", "填写申请的职业（工种）和最高等级。", "Name the trades and highest levels.")
    if not application.sites:
        yield Missing("sites", "选择申请的培训场地。", "Choose the sites applied for.")


def _file(application: Application, policy: Policy, on: date) -> Iterator[Missing]:
    for code in files.missing(application.base, policy, on):
        zh, en = files.MISSING[code]
        yield Missing(code, zh, en)


def _inspection(application: Application, policy: Policy, on: date) -> list[Missing]:
    report = latest_inspection(application)
    if report is None:
        count = max(2, policy.rule("admission", on)["smallest_inspection"])
        return [
            Missing(
                "inspection",
                f"由至少{count}名考察人员实地考察并填写考察记录。",
                f"At least {count} inspectors visit the site and file their report.",
            )
        ]
    lacking = report.inspectors_needed - len(inspectors_of(report))
    return [
        Missing(
            "inspection_signature",
            f"考察记录还需{lacking}名其他考察人员签署。",
            f"{lacking} more inspector(s) must sign the report.",
        )
    ]


def _conditions(application: Application) -> list[Missing]:
    report = latest_inspection(application)
    return [
        Missing(
            "inspection_condition",
            f"必备条件未满足：{item['zh']}；须退回补正或不予认定。",
            f"Required condition unmet: {item['en']}; return or refuse the application.",
        )
        for item in ([] if report is None else unmet(report))
    ]


def _scores(application: Application) -> list[Missing]:
    panel = latest_panel(application)
    if panel is None:
        return [_A_PANEL]
    waiting = panel.seats.where(PanelSeat.status == "appointed").count()
    empty = len(vacancies(panel))
    found = []
    if waiting:
        found.append(
            Missing("scores", f"还有{waiting}名专家未交评分表。", f"{waiting} expert(s) have not handed in.")
        )
    if empty:
        found.append(
            Missing("replacement", f"有{empty}个回避席位待补聘。", f"{empty} recused seat(s) must be filled.")
        )
    return found


def _publication(application: Application) -> list[Missing]:
    try:
        require_passed(application)
    except RuleBroken as refusal:
        return [Missing(refusal.own_code, refusal.sentence("zh"), refusal.sentence("en"))]
    return [Missing("publication", "由市残联决定公示。", "The city decides to publish it.")]


def _notice(application: Application, policy: Policy, on: date) -> list[Missing]:
    notice = application.notice
    if notice is None:
        return []
    found = []
    last = notices.deadline_of(notice, policy).day
    if on <= last:
        found.append(Missing("notice", f"公示至{last}。", f"The notice runs until {last}."))
    waiting = len(notices.unanswered(notice))
    if waiting:
        found.append(
            Missing("objections", f"{waiting}件异议待答复。", f"{waiting} objection(s) await an answer.")
        )
    return found or [
        Missing("decision", "由市残联作出认定或不予认定的决定。", "The city lists the base or refuses.")
    ]


def state_name(application: Application, language: str = "zh") -> str:
    """The name of the application's state."""
    return APPLICATION.states[application.status][language == "en"]
