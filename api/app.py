"""The application: built once from settings, its rooms connected, its doors checked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from werkzeug.middleware.proxy_fix import ProxyFix

import templates
from api import (
    accounts,
    appeals,
    applications,
    assessments,
    audit,
    base_files,
    bases,
    bodies,
    browser,
    callers,
    certificates,
    class_changes,
    class_files,
    classes,
    competition_entries,
    competition_pages,
    competitions,
    consents,
    console,
    deadlines,
    directory,
    docs,
    documents,
    employments,
    enrolments,
    evaluations,
    exits,
    health,
    idempotency,
    limits,
    logs,
    metrics,
    notice_pages,
    notices,
    openapi,
    panels,
    people,
    plaques,
    problems,
    project_pages,
    projects,
    resource_pages,
    resources,
    safeguards,
    sanctions,
    satisfaction,
    sessions,
    sign_in,
    timetable,
    uploads,
    verify,
)
from api.services import Services
from api.settings import Settings, from_environment
from skills_registry import __version__
from skills_registry.foundation import journal, series
from skills_registry.foundation.high_water import FileMark
from skills_registry.foundation.policy import load_policy
from skills_registry.foundation.privacy import load_vault
from skills_registry.foundation.storage import database, open_database

#: The largest body: a 10 MB sheet and its multipart wrapping.
MAX_BODY = 10 * 1024 * 1024 + 64 * 1024

TEMPLATES = Path(templates.__file__).parent

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)


#: Rooms under /api/v1, which need a key, in the order of the documentation.
KEYED_ROOMS = (
    accounts,
    bases,
    base_files,
    documents,
    notices,
    projects,
    resources,
    applications,
    panels,
    plaques,
    classes,
    timetable,
    sessions,
    class_changes,
    uploads,
    enrolments,
    consents,
    assessments,
    satisfaction,
    certificates,
    class_files,
    competitions,
    competition_entries,
    evaluations,
    sanctions,
    exits,
    appeals,
    deadlines,
    audit,
    employments,
    people,
    safeguards,
)

#: Rooms that are entered without a key; the console asks for a session.
OPEN_ROOMS = (
    verify,
    sign_in,
    console,
    directory,
    notice_pages,
    project_pages,
    resource_pages,
    competition_pages,
    health,
    metrics,
    docs,
)


def create_app(settings: Settings | None = None, *, clock: Callable[[], datetime] = callers.utc_now) -> Flask:
    """The Flask application over the database that the settings name.

    :raises Unavailable: a secret, the policy or the database is missing.
    """
    chosen = settings or from_environment()
    return furnish(build(chosen.rate_limit_storage), chosen, clock)


def build(rate_limit_storage: str) -> Flask:
    """The rooms, connected and their doors checked, not yet over any registry."""
    app = Flask(__name__, template_folder=str(TEMPLATES), static_folder=str(TEMPLATES / "static"))
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY,
        RATELIMIT_STORAGE_URI=rate_limit_storage,
        API_TITLE="Skills Registry 技能登记平台",
        API_VERSION=__version__,
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/",
        OPENAPI_JSON_PATH="openapi.json",
        API_SPEC_OPTIONS={
            "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
            "security": [{"bearer": []}],
            "info": {"description": docs.DESCRIPTION},
        },
    )
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    _connect_rooms(app)
    _require_declarations(app)
    return app


def furnish(app: Flask, settings: Settings, clock: Callable[[], datetime]) -> Flask:
    """Put the rooms over one registry: its database, keys, policy and clock.

    :raises Unavailable: a secret, the policy or the database is missing.
    """
    app.config["TRUSTED_HOSTS"] = settings.hosts
    open_database(settings.database_url)
    vault = load_vault(settings.secrets_file)
    journal.keep(vault)
    series.keep(FileMark(settings.numbers_file))
    app.extensions["skills_registry"] = Services(
        settings=settings,
        policy=load_policy(settings.policy_file),
        vault=vault,
        clock=clock,
    )
    if settings.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies)  # type: ignore[method-assign]
    return app


def _connect_rooms(app: Flask) -> None:
    # Teardown runs backwards: the connection must be the last thing to close.
    app.teardown_request(_close_connection)
    logs.install(app)
    metrics.install(app)
    app.before_request(_open_connection)
    app.before_request(callers.admit)
    browser.install(app)
    limits.install(app)
    bodies.install(app)
    # Before what may still change an answer, which runs backwards.
    app.after_request(_protect)
    idempotency.install(app)
    api = openapi.RegistryApi(app)
    for room in KEYED_ROOMS:
        api.register_blueprint(room.blueprint)
    for room in OPEN_ROOMS:
        app.register_blueprint(room.blueprint)
    app.register_blueprint(satisfaction.pages)
    # After flask-smorest, which would answer refusals in a form of its own.
    problems.install(app)


def _require_declarations(app: Flask) -> None:
    missing = callers.undeclared(app)
    if missing:
        raise RuntimeError(f"routes without a declaration of roles: {missing}")


def _open_connection() -> None:
    if request.endpoint not in health.WITHOUT_DATABASE:
        database.connect(reuse_if_open=True)


def _close_connection(_error: BaseException | None) -> None:
    if not database.is_closed():
        database.close()


def _protect(response: Response) -> Any:
    """Headers for every answer: nothing framed, sniffed, indexed, leaked by referrer or kept in a cache."""
    response.headers.setdefault("Content-Security-Policy", PAGE_POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    return response
