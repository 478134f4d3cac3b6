"""Admission (准入): how a base comes onto the list; here the application and the base's own part.

The base applies for trades, highest levels and sites, and submits: what it submits is kept as a
snapshot, and no later edit of its file changes what was reviewed. The county returns it for
correction, recommends it or does not; two inspectors visit (``inspections``); experts score alone
(``panels``, ``scores``); the city publishes and decides (``reviews``). County recommends, city
decides, and two accounts of one person are one person.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from hashlib import sha256
from typing import Any
from uuid import UUID

from peewee import (
    BooleanField,
    CharField,
    ForeignKeyField,
    IntegerField,
    IntegrityError,
    JSONField,
    ModelSelect,
)

from skills_registry import notices
from skills_registry.bases import files, standing
from skills_registry.bases.entries import Site, entries_of, require_own_clerk
from skills_registry.bases.listing import BASE_KINDS, Base, Listing, Trade
from skills_registry.bases.parties import OwnBase, works_for
from skills_registry.foundation.acts import Act, Role
from skills_registry.foundation.errors import FieldRefused, RuleBroken
from skills_registry.foundation.levels import level
from skills_registry.foundation.lifecycle import Lifecycle, Move, begin, move, note, people_in
from skills_registry.foundation.storage import InstantField, Record, database
from skills_registry.notices import Notice

_CLERK: frozenset[Role] = frozenset({"base_clerk"})
_COUNTY: frozenset[Role] = frozenset({"county_officer"})
_CITY: frozenset[Role] = frozenset({"city_officer"})
_EXPERT: frozenset[Role] = frozenset({"expert"})

APPLICATION = Lifecycle(
    noun="application",
    zh="准入申请",
    states={
        "draft": ("草稿", "draft"),
        "submitted": ("已提交待初审", "submitted, awaiting preliminary review"),
        "returned_for_correction": ("已退回补正", "returned for correction"),
        "recommended": ("待实地考察", "awaiting site inspection"),
        "not_recommended": ("县级不予推荐，待市级处理", "not recommended by the county, with the city"),
        "inspected": ("已考察待组建专家组", "inspected, awaiting a panel"),
        "expert_review": ("专家评审中", "under expert review"),
        "reviewed": ("评审完成待公示", "reviewed, awaiting publication"),
        "noticed": ("公示中", "under public notice"),
        "listed": ("已认定挂牌", "listed"),
        "refused": ("不予认定", "refused"),
        "withdrawn": ("已撤回", "withdrawn"),
    },
    moves=(
        Move("submit", "draft", "submitted", _CLERK),
        Move("submit", "returned_for_correction", "submitted", _CLERK),
        Move("return", "submitted", "returned_for_correction", _COUNTY),
        Move("return", "inspected", "returned_for_correction", _CITY),
        Move("recommend", "submitted", "recommended", _COUNTY),
        Move("not_recommend", "submitted", "not_recommended", _COUNTY),
        Move("inspect", "recommended", "inspected", _COUNTY | _CITY),
        Move("appoint", "inspected", "expert_review", _CITY),
        Move("conclude", "expert_review", "reviewed", _EXPERT),
        Move("publish", "reviewed", "noticed", _CITY),
        Move("review_again", "not_recommended", "recommended", _CITY),
        Move("review_again", "reviewed", "recommended", _CITY),
        Move("review_again", "noticed", "recommended", _CITY),
        Move("list", "noticed", "listed", _CITY),
        Move("decide_refusal", "not_recommended", "refused", _CITY),
        Move("decide_refusal", "inspected", "refused", _CITY),
        Move("decide_refusal", "reviewed", "refused", _CITY),
        Move("decide_refusal", "noticed", "refused", _CITY),
        Move("reopen", "refused", "reviewed", _CITY),
        *(
            Move("withdraw", origin, "withdrawn", _CLERK)
            for origin in (
                "draft",
                "submitted",
                "returned_for_correction",
                "recommended",
                "not_recommended",
                "inspected",
                "expert_review",
                "reviewed",
                "noticed",
            )
        ),
    ),
)

#: States in which the application is the base's to write.
WITH_THE_APPLICANT = ("draft", "returned_for_correction")


class Application(Record):
    """One application of a base. ``scope`` holds the trades applied for, ``sites`` the ids of the
    sites; ``round`` counts submissions and renewed reviews, and a review counts for its round only."""

    base = ForeignKeyField(Base, backref="applications", on_delete="RESTRICT")
    kind = CharField(max_length=40)
    scope = JSONField()
    sites = JSONField()
    round = IntegerField(default=0)
    status = CharField(max_length=30, default=APPLICATION.first)
    open = BooleanField(default=True)
    notice = ForeignKeyField(Notice, null=True, on_delete="RESTRICT")
    listing = ForeignKeyField(Listing, null=True, unique=True, on_delete="RESTRICT")
    begun_at = InstantField()
    base_id: UUID
    notice_id: UUID | None
    listing_id: UUID | None
    submissions: ModelSelect[Submission]

    @property
    def trades(self) -> list[Trade]:
        """The trades applied for, each up to its highest level."""
        return [Trade(**entry) for entry in self.scope]


Application.add_index(
    Application.index(Application.base, unique=True, name="application_open", where=Application.open)
)


class Submission(Record):
    """What the base handed in: the whole file as it stood then, under its digest; never changed."""

    application = ForeignKeyField(Application, backref="submissions", on_delete="RESTRICT")
    round = IntegerField()
    snapshot = JSONField()
    digest = CharField(max_length=64)
    policy_version = CharField(max_length=12)
    submitted_at = InstantField()

    class Meta:
        indexes = ((("application", "round"), True),)


class ApplicationOpen(RuleBroken):
    """The base has an application under way."""

    code = "application_open"
    zh = "该基地已有一件正在办理的准入申请，办结或撤回后才能再次申请。"
    en = "The base has an application under way; it must end or be withdrawn before another begins."


class FileIncomplete(RuleBroken):
    """Facts: ``missing_zh``, ``missing_en``: what the file lacks."""

    code = "file_incomplete"
    zh = "基地档案还不完整，不能提交：{missing_zh}"
    en = "The base's file is incomplete and cannot be submitted: {missing_en}"


class WithTheReview(RuleBroken):
    """Facts: ``state_zh``, ``state_en``."""

    code = "application_with_review"
    zh = "申请当前为“{state_zh}”，只有草稿或退回补正时才能修改。"
    en = "The application is '{state_en}'; it can be changed only as a draft or when returned."


class ApplicationMoved(RuleBroken):
    """Facts: ``state_zh``, ``state_en``."""

    code = "application_moved"
    zh = "申请刚刚被他人处理，现为“{state_zh}”，请刷新后再办理。"
    en = "Somebody has just moved the application; it is now '{state_en}'. Please reload it."


class KindFixed(FieldRefused):
    """A base on the list renews what it is listed as."""

    code = "kind_fixed"
    zh = "挂牌期内续期须按现有基地类型申请；变更类型请在挂牌期满后重新申请。"
    en = "A base on the list applies as the kind it is listed as; for another kind, apply after its listing ends."


def require_reason(reason: str) -> None:
    """:raises FieldRefused: the reason is empty."""
    if not reason.strip():
        raise FieldRefused(field="reason")


def people_who(application: Application, *actions: str, roles: Sequence[str] = ()) -> set[UUID]:
    """The natural persons who did one of these acts on the application, or acted in one of these roles."""
    return people_in([application.id], *actions, roles=roles)


def is_applicant(operator_id: UUID | None, application: Application) -> bool:
    """Whether this person belongs to the applying base or filed something of this application."""
    return works_for(operator_id, application.base) or operator_id in people_who(
        application, roles=("base_clerk",)
    )


def require_no_applicant(act: Act, application: Application) -> None:
    """:raises OwnBase: the caller, as a person, belongs to the base or filed for it."""
    if is_applicant(act.by.operator_id, application):
        raise OwnBase()


def hold(application: Application) -> None:
    """Make this transaction and every move of the application wait for each other; its first write.

    :raises WrongState: somebody moved the application since it was read.
    """
    held = (
        Application.update(status=application.status)
        .where((Application.id == application.id) & (Application.status == application.status))
        .execute()
    )
    if held != 1:
        zh, en = APPLICATION.states[Application.get_by_id(application.id).status]
        raise ApplicationMoved(state_zh=zh, state_en=en)


def apply(
    act: Act, base: Base, *, scope: Sequence[Trade], sites: Sequence[UUID], kind: str = ""
) -> Application:
    """Begin an application; it stays the base's draft until submitted.

    :raises NotAllowed: the caller is no clerk of this base.
    :raises FieldRefused: the kind, a level or a site is unknown, or a trade stands there twice.
    :raises ApplicationOpen: one is under way.
    :raises RuleBroken: a ban on applying again is running (``standing.require_no_ban``).
    """
    require_own_clerk(act, base)
    standing.require_no_ban(base, act.today)
    _require_kind_of_listing(base, kind or base.kind, act.today)
    written = _written(base, kind or base.kind, scope, sites)
    try:
        with database.atomic():
            application = Application.create(base=base, begun_at=act.at, **written)
            begin(act, APPLICATION, application, "apply")
    except IntegrityError:
        # The database itself holds that a base has one application under way.
        raise ApplicationOpen() from None
    return application


def _require_kind_of_listing(base: Base, kind: str, today: date) -> None:
    # The kind stands with the base: a renewal of another kind would show it before its time.
    if kind != base.kind and standing.listing_covering(base.id, today) is not None:
        raise KindFixed(field="kind")


def _written(base: Base, kind: str, scope: Sequence[Trade], sites: Sequence[UUID]) -> dict[str, Any]:
    if kind not in BASE_KINDS:
        raise FieldRefused(field="kind")
    for trade in scope:
        level(trade.highest_level)
    if len({(trade.edition, trade.code) for trade in scope}) != len(scope):
        raise FieldRefused(field="scope")
    known = {str(site.id) for site in entries_of(base, Site)}
    chosen = list(dict.fromkeys(str(site) for site in sites))
    if not set(chosen) <= known:
        raise FieldRefused(field="sites")
    return {"kind": kind, "scope": [vars(trade) for trade in scope], "sites": chosen}


def revise(
    act: Act, application: Application, *, scope: Sequence[Trade], sites: Sequence[UUID], kind: str = ""
) -> Application:
    """Write the application anew while it is with the base.

    :raises WithTheReview: it is neither a draft nor returned for correction.
    :raises FieldRefused: as for :func:`apply`.
    """
    require_own_clerk(act, application.base)
    if application.status not in WITH_THE_APPLICANT:
        zh, en = APPLICATION.states[application.status]
        raise WithTheReview(state_zh=zh, state_en=en)
    written = _written(application.base, kind or application.kind, scope, sites)
    with database.atomic():
        hold(application)
        Application.update(**written).where(Application.id == application.id).execute()
        note(act, APPLICATION.noun, application.id, "revise")
    return Application.get_by_id(application.id)


def submit(act: Act, application: Application) -> Application:
    """Hand the application in; a snapshot of the base's file and of the application is kept.

    :raises FieldRefused: no trade or no site is applied for.
    :raises FileIncomplete: the base's file lacks something.
    :raises RuleBroken: a ban on applying again is running.
    :raises WrongState: it is not with the base.
    """
    require_own_clerk(act, application.base)
    standing.require_no_ban(application.base, act.today)
    with database.atomic():
        move(act, APPLICATION, application, "submit")
        _require_complete(act, application)
        application.round += 1
        Application.update(round=application.round).where(Application.id == application.id).execute()
        kept = keep_snapshot(act, application)
        note(act, APPLICATION.noun, application.id, "snapshot", detail={"digest": kept.digest})
    return application


def _require_complete(act: Act, application: Application) -> None:
    if not application.scope:
        raise FieldRefused(field="scope")
    if not application.sites:
        raise FieldRefused(field="sites")
    sentences = [files.MISSING[code] for code in files.missing(application.base, act.policy, act.today)]
    if sentences:
        raise FileIncomplete(
            missing_zh="".join(zh for zh, _ in sentences), missing_en=" ".join(en for _, en in sentences)
        )


def keep_snapshot(act: Act, application: Application) -> Submission:
    """Keep what is handed in as it stands now: the application and the base's whole file, names sealed."""
    snapshot = {
        "application": {"kind": application.kind, "scope": application.scope, "sites": application.sites},
        "file": files.snapshot(application.base),
    }
    return Submission.create(
        application=application,
        round=application.round,
        snapshot=snapshot,
        digest=digest_of(snapshot),
        policy_version=act.policy.version,
        submitted_at=act.at,
    )


def digest_of(snapshot: Any) -> str:
    """The SHA-256 of a snapshot in its one JSON form (sorted keys, no blanks)."""
    form = json.dumps(snapshot, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return sha256(form.encode()).hexdigest()


def withdraw(act: Act, application: Application, reason: str) -> Application:
    """The base takes its application back, at any time before the decision.

    :raises WrongState: it has been decided.
    """
    require_reason(reason)
    require_own_clerk(act, application.base)
    with database.atomic():
        move(act, APPLICATION, application, "withdraw", reason=reason)
        close(application)
        end_notice(act, application, reason)
    return application


def close(application: Application) -> None:
    """Mark an application that has come to an end; the base may then apply anew."""
    application.open = False
    Application.update(open=False).where(Application.id == application.id).execute()


def end_notice(act: Act, application: Application, reason: str) -> None:
    """Take the public notice down when the application leaves it before its last day."""
    notice = application.notice
    if notice is not None and notices.phase(notice, act.policy, act.today) == "open":
        notices.withdraw(act, notice, reason)


def applications_of(base: Base) -> ModelSelect[Application]:
    """The applications of a base, oldest first."""
    return Application.select().where(Application.base == base).order_by(Application.id)


def latest_submission(application: Application) -> Submission | None:
    """What was handed in last, which the review looks at."""
    latest: Submission | None = application.submissions.order_by(Submission.id.desc()).first()
    return latest
