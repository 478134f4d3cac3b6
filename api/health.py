"""Is the service alive, and is it ready; and the public keys that anybody may check codes with.

``/healthz`` says that this process answers and looks at nothing else: restarting cures what it finds.
``/readyz`` says what is missing: that wants an operator, and restarting would not help.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import structlog
from flask import Blueprint, Response, json, jsonify
from peewee import PeeweeException

from api.callers import services
from certificates import document
from skills_registry import __version__
from skills_registry.foundation.errors import RegistryError
from skills_registry.foundation.series import require_continued
from skills_registry.foundation.storage import database, pending_migrations

blueprint = Blueprint("health", __name__)

log = structlog.get_logger()

#: What stands open while the database is away: no connection is made for these.
WITHOUT_DATABASE = ("static", "health.alive", "health.ready", "metrics.figures")


@blueprint.get("/healthz")
def alive() -> Response:
    """The process answers."""
    return jsonify({"status": "ok", "version": __version__})


@blueprint.get("/readyz")
def ready() -> Response:
    """Everything that issuing needs is there; otherwise 503 with what is missing."""
    missing = list(_missing())
    answer = {"status": "unavailable" if missing else "ready", "missing": missing}
    response = Response(json.dumps(answer), 503 if missing else 200, content_type="application/json")
    if missing:
        response.headers["Retry-After"] = "30"
    return response


def _missing() -> Iterator[str]:
    looks: tuple[tuple[str, Callable[[], object]], ...] = (
        ("database", _look_at_database),
        ("signing_key", services().signer),
        ("fonts", document.check_installation),
        ("documents", services().shelf().require_room),
        ("numbers", require_continued),
    )
    for name, look in looks:
        try:
            look()
        except RegistryError as error:
            yield f"{name}: {error.own_code}"
        except (PeeweeException, OSError) as error:
            log.warning("not_ready", what=name, kind=type(error).__name__)
            yield name


class MigrationsPending(RegistryError):
    """The database has an older schema than this version of the software."""

    code = "migrations_pending"
    zh = "数据库结构不是最新的，请运行 skills-registry migrate。"
    en = "The database schema is not up to date; run skills-registry migrate."


def _look_at_database() -> None:
    database.connect(reuse_if_open=True)
    if pending_migrations():
        raise MigrationsPending()


@blueprint.get("/.well-known/skills-registry-keys.json")
def published_keys() -> Response:
    """The public keys with their periods, for checking codes without this service."""
    response = jsonify(services().key_ring().document())
    response.headers["Cache-Control"] = "public, max-age=3600"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
