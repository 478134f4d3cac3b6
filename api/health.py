"""Is the service alive, and is it ready; and the public keys that anybody may check codes with."""

from __future__ import annotations

from flask import Blueprint, Response, json, jsonify

from api.callers import services
from certificates import document
from skills_registry import __version__
from skills_registry.foundation.errors import RegistryError
from skills_registry.foundation.storage import database, pending_migrations

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def alive() -> Response:
    """The process answers and its database can be read."""
    database.execute_sql("SELECT 1")
    return jsonify({"status": "ok", "version": __version__})


@blueprint.get("/readyz")
def ready() -> Response:
    """Everything that issuing needs is there; otherwise 503 with what is missing."""
    missing = []
    if pending_migrations():
        missing.append("migrations")
    for name, look in (("signing_key", services().signer), ("fonts", document.check_installation)):
        try:
            look()
        except RegistryError as error:
            missing.append(f"{name}: {error.own_code}")
    answer = {"status": "unavailable" if missing else "ready", "missing": missing}
    return Response(json.dumps(answer), 503 if missing else 200, content_type="application/json")


@blueprint.get("/.well-known/skills-registry-keys.json")
def published_keys() -> Response:
    """The public keys with their periods, for checking codes without this service."""
    response = jsonify(services().key_ring().document())
    response.headers["Cache-Control"] = "public, max-age=3600"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
