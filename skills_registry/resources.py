"""Online training resources (线上培训资源): a catalogue of courses on the net, and whether their links still lead there.

City officers keep it: a resource is drafted, published for everyone, and withdrawn when it is of no
more use. Each says in which language it is and what makes it accessible: captions, sign language,
audio description, text. Links are checked from time to time; what the last check found is kept with
its day. One failure may be the weather, so a link is called dead when the page is gone, or when it
failed as often in a row as the policy says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from peewee import BooleanField, CharField, DateField, IntegerField

from skills_registry.foundation.acts import SHANGHAI, Act, Role, require_role
from skills_registry.foundation.errors import FieldRefused, NotAllowed, RuleBroken
from skills_registry.foundation.lifecycle import Lifecycle, Move, begin, move, note
from skills_registry.foundation.policy import Policy
from skills_registry.foundation.storage import InstantField, Record, database

_CITY: frozenset[Role] = frozenset({"city_officer"})

RESOURCE = Lifecycle(
    noun="resource",
    zh="线上培训资源",
    states={
        "draft": ("草稿", "draft"),
        "published": ("已发布", "published"),
        "withdrawn": ("已下架", "withdrawn"),
    },
    moves=(
        Move("publish", "draft", "published", _CITY),
        Move("withdraw", "draft", "withdrawn", _CITY),
        Move("withdraw", "published", "withdrawn", _CITY),
        Move("publish", "withdrawn", "published", _CITY),
    ),
)

#: What can make a resource accessible; each is a column of :class:`Resource`.
ACCESS: dict[str, tuple[str, str]] = {
    "captions": ("有字幕", "captions"),
    "sign_language": ("有手语", "sign language"),
    "audio_description": ("有口述影像", "audio description"),
    "text_version": ("有文字版", "text version"),
}

#: What a check can find: the page, no such page or site, no answer, an answer that is not for us, a
#: certificate that no browser trusts, an address inside a private network.
OUTCOMES: dict[str, tuple[str, str]] = {
    "alive": ("可以打开", "opens"),
    "gone": ("页面已不存在", "the page is gone"),
    "no_answer": ("没有响应", "no answer"),
    "not_for_us": ("网站不允许程序访问，请人工核实", "the site turns programs away; please look yourself"),
    "untrusted": ("网站安全证书无效", "the site's certificate is not trusted"),
    "private_address": ("指向内部网络地址，未访问", "leads into a private network; not visited"),
}

#: What counts as a failure; who only turns programs away may well open for people.
FAILURES = ("gone", "no_answer", "untrusted", "private_address")

LONGEST_URL = 500


class Resource(Record):
    """One course on the net. ``trade`` is an occupation's name, empty for what serves every trade;
    ``language`` a code of the policy. ``failures`` counts failed checks in a row, ``failing_since`` is the
    day of the first of them. ``version`` counts the changes of what it says."""

    division_code = CharField(max_length=6, index=True)
    title = CharField(max_length=120)
    summary = CharField(max_length=300)
    trade = CharField(max_length=60, index=True)
    url = CharField(max_length=LONGEST_URL)
    provider = CharField(max_length=120)
    language = CharField(max_length=12)
    captions = BooleanField()
    sign_language = BooleanField()
    audio_description = BooleanField()
    text_version = BooleanField()
    status = CharField(max_length=20, default=RESOURCE.first)
    version = IntegerField(default=1)
    entered_at = InstantField()
    checked_at = InstantField(null=True)
    outcome = CharField(max_length=20, default="")
    http_status = IntegerField(null=True)
    failures = IntegerField(default=0)
    failing_since = DateField(null=True)


@dataclass(frozen=True)
class Entry:
    """What is entered about a resource; ``access`` holds codes of :data:`ACCESS`."""

    title: str
    url: str
    provider: str
    language: str
    trade: str = ""
    summary: str = ""
    access: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """What one check of a link found; ``http_status`` where a server answered at all."""

    outcome: str
    http_status: int | None = None


class LinkUnusable(FieldRefused):
    """Not a link that everyone can open."""

    code = "link_unusable"
    zh = "链接须以 http:// 或 https:// 开头，写明公开的网站域名，不含用户名、空格，最长500个字符。"
    en = "A link begins with http:// or https://, names a public site by its domain, no user name and no blanks."


class ResourceChangedMeanwhile(RuleBroken):
    """Facts: ``version``."""

    code = "resource_changed_meanwhile"
    zh = "该资源刚刚被他人修改（现为第{version}版），请重新读取后再改。"
    en = "The resource was changed meanwhile (it is version {version} now); load it again before changing it."


class LinkDead(RuleBroken):
    """The last checks of the link failed. Facts: ``since``."""

    code = "link_dead"
    zh = "链接自{since}起打不开，请先更正链接再发布。"
    en = "The link has not opened since {since}; correct it before publishing."


def require_division(act: Act, resource: Resource) -> None:
    """:raises NotAllowed: the resource is not of the caller's city."""
    if not act.by.covers(resource.division_code):
        raise NotAllowed()


def require_link(url: str) -> None:
    """:raises LinkUnusable: it is no web address of a named public site."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise LinkUnusable(field="url") from None
    named = "." in host.strip(".") and not host.rpartition(".")[2].isdigit() and ":" not in host
    sound = parts.scheme in ("http", "https") and named and not parts.username and port != 0
    if not sound or len(url) > LONGEST_URL or any(c.isspace() or ord(c) < 32 or c in '<>"\\' for c in url):
        raise LinkUnusable(field="url")


def is_dead(resource: Resource, policy: Policy, on: date) -> bool:
    """Whether people should be told that the link does not open."""
    limit = policy.rule("resources", on)["failures_until_marked"]
    return resource.outcome == "gone" or resource.failures >= limit


def failures_after(failures: int, found: Finding) -> int:
    """How many checks in a row have failed after this finding."""
    return failures + 1 if found.outcome in FAILURES else 0


def _columns(act: Act, entry: Entry) -> dict[str, Any]:
    require_link(entry.url)
    if entry.language not in languages(act.policy, act.today):
        raise FieldRefused(field="language")
    if not set(entry.access) <= set(ACCESS):
        raise FieldRefused(field="access")
    columns = {name: value.strip() for name, value in vars(entry).items() if name != "access"}
    for field in ("title", "provider"):
        if not columns[field]:
            raise FieldRefused(field=field)
    return columns | {code: code in entry.access for code in ACCESS}


def draft(act: Act, entry: Entry) -> Resource:
    """Enter a resource; nobody sees it before it is published.

    :raises NotAllowed: the caller is no city officer.
    :raises LinkUnusable: the link is no web address of a named public site.
    :raises FieldRefused: the language or an accessibility flag is unknown, or a name is empty.
    """
    require_role(act, "city_officer")
    columns = _columns(act, entry)
    with database.atomic():
        resource = Resource.create(division_code=act.by.division_code, entered_at=act.at, **columns)
        begin(act, RESOURCE, resource, "draft", detail={"version": 1})
    return resource


def rewrite(act: Act, resource: Resource, entry: Entry, *, version: int) -> Resource:
    """Correct what a resource says; ``version`` is the one that the writer saw. A new link is not yet checked.

    :raises NotAllowed: the caller is no officer of the resource's city.
    :raises LinkUnusable, FieldRefused: as when it was entered.
    :raises ResourceChangedMeanwhile: it has another version by now.
    """
    require_role(act, "city_officer")
    require_division(act, resource)
    columns = _columns(act, entry)
    if columns["url"] != resource.url:
        columns |= {
            "checked_at": None,
            "outcome": "",
            "http_status": None,
            "failures": 0,
            "failing_since": None,
        }
    seen = (Resource.id == resource.id) & (Resource.version == version)
    with database.atomic():
        written = Resource.update(version=version + 1, **columns).where(seen).execute()
        now = Resource.get_by_id(resource.id)
        if written != 1:
            raise ResourceChangedMeanwhile(version=now.version)
        note(act, RESOURCE.noun, resource.id, "rewrite", detail={"version": now.version})
    return now


def publish(act: Act, resource: Resource) -> Resource:
    """Show a resource to everyone, also again after it was withdrawn.

    :raises NotAllowed: the caller is no officer of the resource's city.
    :raises LinkDead: the last checks of its link failed.
    :raises WrongState: it is published already.
    """
    require_division(act, resource)
    if is_dead(resource, act.policy, act.today):
        raise LinkDead(since=resource.failing_since)
    move(act, RESOURCE, resource, "publish", detail={"version": resource.version})
    return resource


def withdraw(act: Act, resource: Resource, reason: str) -> Resource:
    """Take a resource off the public list; it stays on record.

    :raises NotAllowed: the caller is no officer of the resource's city.
    :raises FieldRefused: there is no reason.
    :raises WrongState: it is withdrawn already.
    """
    require_division(act, resource)
    if not reason.strip():
        raise FieldRefused(field="reason")
    move(act, RESOURCE, resource, "withdraw", reason=reason)
    return resource


def record_check(act: Act, resource: Resource, found: Finding) -> Resource:
    """Keep what a check of the link found, with its day; a step only tells of a change.

    What was found about another link than the resource has by now is not kept.
    """
    failed = found.outcome in FAILURES
    since = (resource.failing_since or act.today) if failed else None
    columns = {
        "checked_at": act.at,
        "outcome": found.outcome,
        "http_status": found.http_status,
        "failures": failures_after(resource.failures, found),
        "failing_since": since,
    }
    same = (Resource.id == resource.id) & (Resource.url == resource.url)
    with database.atomic():
        kept = Resource.update(**columns).where(same).execute()
        if kept and found.outcome != resource.outcome:
            detail = {"from": resource.outcome, "to": found.outcome, "http_status": found.http_status}
            note(act, RESOURCE.noun, resource.id, "check_link", detail=detail)
    return Resource.get_by_id(resource.id)


def dead_links(policy: Policy, on: date) -> Any:
    """:func:`is_dead` as a condition on a query."""
    limit = policy.rule("resources", on)["failures_until_marked"]
    return (Resource.outcome == "gone") | (Resource.failures >= limit)


def to_check() -> list[Resource]:
    """The resources whose links are to be checked: all but the withdrawn ones, longest unchecked first."""
    found = Resource.select().where(Resource.status != "withdrawn")
    return list(found.order_by(Resource.checked_at.is_null(is_null=False), Resource.checked_at, Resource.id))


def published(*, trade: str = "", language: str = "", access: tuple[str, ...] = ()) -> Any:
    """What everyone may see, as a query in order of entry; with a trade also what serves every trade.

    ``trade`` is a name or a part of it; ``access`` names flags that must all be there.
    """
    found = Resource.select().where(Resource.status == "published")
    if trade:
        found = found.where(Resource.trade.contains(trade) | (Resource.trade == ""))
    if language:
        found = found.where(Resource.language == language)
    for code in access:
        found = found.where(getattr(Resource, code))
    return found.order_by(Resource.id)


def trades_on_offer() -> list[str]:
    """The names of all trades with a published resource, each once."""
    found = published().select(Resource.trade).where(Resource.trade != "")
    return sorted({row.trade for row in found})


def languages(policy: Policy, on: date) -> dict[str, tuple[str, str]]:
    """The languages of the policy: code → Chinese and English name."""
    return {entry["code"]: (entry["zh"], entry["en"]) for entry in policy.rule("resources", on)["languages"]}


def checked_on(resource: Resource) -> date | None:
    """The day of the last check."""
    return resource.checked_at.astimezone(SHANGHAI).date() if resource.checked_at else None


def access_of(resource: Resource) -> list[str]:
    """The codes of what makes a resource accessible."""
    return [code for code in ACCESS if getattr(resource, code)]
