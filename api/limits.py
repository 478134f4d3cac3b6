"""Rate limits of the public pages, by route; shared between processes when ``REDIS_URL`` names a store.

Mobile carriers let many phones share an address, so reading a verification page is generous; what
could be used to guess names is not (DESIGN §4, API).
"""

from __future__ import annotations

from flask import Flask, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from skills_registry.foundation.identifiers import check_certificate_number

READING = "300/minute"
NAME_CHECKS = "10/hour"
LOOKUPS = "20/minute"

limiter = Limiter(get_remote_address, strategy="moving-window", headers_enabled=True)


def install(app: Flask) -> None:
    """Count from now on, in the store that ``RATELIMIT_STORAGE_URI`` names."""
    limiter.init_app(app)


def by_code() -> str:
    """A verification code as the thing that is counted, whoever asks."""
    return f"code:{(request.view_args or {}).get('code', '')[:400]}"


def by_number() -> str:
    """A typed certificate number as the thing that is counted, folded as the look-up folds it."""
    body = request.get_json(silent=True) if request.is_json else request.form
    typed = str(body.get("number", ""))[:100] if hasattr(body, "get") else ""
    return f"number:{check_certificate_number(typed).text or typed}"
