"""Rate limits of the public pages, by route; shared between processes when ``REDIS_URL`` names a store.

Mobile carriers let many phones share an address, so reading a verification page is generous; what
could be used to guess names is not (DESIGN §4, API).
"""

from __future__ import annotations

from flask import Flask, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from api.bodies import typed
from skills_registry.foundation.identifiers import check_certificate_number

READING = "300/minute"
NAME_CHECKS = "10/hour"
LOOKUPS = "20/minute"

limiter = Limiter(get_remote_address, strategy="moving-window")


def install(app: Flask) -> None:
    """Count from now on, in the store that ``RATELIMIT_STORAGE_URI`` names."""
    limiter.init_app(app)


def by_code() -> str:
    """A verification code as the thing that is counted, whoever asks."""
    return f"code:{(request.view_args or {}).get('code', '')[:400]}"


def by_number() -> str:
    """A typed certificate number as the thing that is counted, read and folded as the look-up does.

    What is no number cannot match, so it is counted by who typed it.
    """
    number = check_certificate_number(typed("number")).text
    return f"number:{number}" if number else f"typist:{get_remote_address()}"
