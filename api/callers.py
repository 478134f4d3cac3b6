"""Who calls: the bearer key, the act it makes, and which roles a route is for.

Every ``/api/v1`` operation answers 401 before anything is validated, then 403 for a role that the
route is not for. A route without a declaration stops the service at start-up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from flask import Flask, current_app, g, request
from werkzeug.exceptions import Unauthorized

from api import limits
from api.services import Services
from skills_registry import accounts
from skills_registry.bases import Base
from skills_registry.foundation.acts import PUBLIC, Act, Caller, Role
from skills_registry.foundation.errors import NotAllowed, NotFound

View = TypeVar("View", bound=Callable[..., Any])

API_PREFIX = "/api/v1"

#: Where a page or operation has to say which roles it is for.
DECLARED = (f"{API_PREFIX}/", "/console")


class KeyOnlyReads(NotAllowed):
    """The key was made for reading."""

    code = "key_only_reads"
    zh = "此密钥只能用于查询，不能修改。"
    en = "This key may look and not change."


EVERYONE: tuple[Role, ...] = ("base_clerk", "county_officer", "city_officer", "auditor", "admin")
#: Who looks at classes and those trained in them. An admin keeps accounts and sees nobody's training.
READERS_OF_TRAINING: tuple[Role, ...] = ("base_clerk", "county_officer", "city_officer", "auditor")
OFFICERS: tuple[Role, ...] = ("county_officer", "city_officer")


def for_roles(*roles: Role) -> Callable[[View], View]:
    """Declare which roles a route is for."""

    def declare(view: View) -> View:
        view.roles = frozenset(roles)  # type: ignore[attr-defined]
        return view

    return declare


def services() -> Services:
    """What the app was built with: settings, policy, vault, keys and the clock."""
    found: Services = current_app.extensions["skills_registry"]
    return found


def act() -> Act:
    """The act of this request: the caller, now, under the policy in force."""
    if "act" not in g:
        g.act = act_of(services(), PUBLIC)
    made: Act = g.act
    return made


def act_of(service: Services, caller: Caller) -> Act:
    """An act by this caller at the service's clock."""
    return Act(by=caller, at=service.clock(), policy=service.policy, vault=service.vault)


def utc_now() -> datetime:
    """The clock of a running service."""
    return datetime.now(UTC)


def admit() -> None:
    """Before each API request: find the caller by key and hold them to the route's declaration."""
    if not request.path.startswith(API_PREFIX + "/") or request.endpoint is None:
        return
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    caller = accounts.caller_for(key.strip(), services().clock()) if scheme.lower() == "bearer" else None
    if caller is None:
        if key:
            limits.note_wrong_key()
        raise Unauthorized()
    view = current_app.view_functions[request.endpoint]
    if caller.role not in view.roles:  # type: ignore[attr-defined]
        raise NotAllowed()
    if caller.read_only and request.method not in ("GET", "HEAD"):
        raise KeyOnlyReads()
    g.act = act_of(services(), replace(caller, origin=request.remote_addr or ""))


def undeclared(app: Flask) -> list[str]:
    """Endpoints of API and console that do not say which roles they are for."""
    return [
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(DECLARED) and not hasattr(app.view_functions[rule.endpoint], "roles")
    ]


def require_reach(base: Base) -> None:
    """The base is this caller's business.

    :raises NotFound: it is not; foreign records answer as unknown ones do.
    """
    if not accounts.may_reach(act().by, base.division_code, base.organisation_id):
        raise NotFound()


def reachable_bases() -> list[UUID]:
    """The ids of the bases whose records this caller may see."""
    caller = act().by
    return [
        base.id
        for base in Base.select(Base.id, Base.division_code, Base.organisation)
        if accounts.may_reach(caller, base.division_code, base.organisation_id)
    ]
