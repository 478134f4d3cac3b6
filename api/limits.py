"""Rate limits by class of route; shared between processes when ``REDIS_URL`` names a store.

Mobile carriers let many phones share an address, so reading a verification page is generous; what
could be used to guess names is not (DESIGN §4, API). Callers with a key are counted by account, so
that nobody can use up what is another's; wrong keys are counted by address, and only they are held
up by that count. When the store is away, each process counts for itself until it is back.
"""

from __future__ import annotations

from flask import Flask, g, request
from flask_limiter import ApplicationLimit, Limiter
from flask_limiter.util import get_remote_address

from api.bodies import typed
from skills_registry.foundation.identifiers import check_certificate_number

READING = "300/minute"
NAME_CHECKS = "10/hour"
LOOKUPS = "20/minute"

#: What one account may ask of the API, by class of request.
API_CLASSES = {"reads": "1200/minute", "writes": "600/minute", "uploads": "60/minute"}

#: How many wrong keys one address may try before it is told to wait.
WRONG_KEYS = "60/minute"


def _api_class() -> str:
    if request.mimetype == "multipart/form-data":
        return "uploads"
    return "reads" if request.method in ("GET", "HEAD") else "writes"


def _api_allowance() -> str:
    return API_CLASSES[_api_class()]


def _by_account() -> str:
    return f"{_api_class()}:{g.act.by.account_id}"


def _not_of_an_account() -> bool:
    return "act" not in g or g.act.by.account_id is None


limiter = Limiter(
    get_remote_address,
    strategy="moving-window",
    in_memory_fallback_enabled=True,
    application_limits=[
        ApplicationLimit(_api_allowance, key_function=_by_account, exempt_when=_not_of_an_account)
    ],
)

#: How many whole ID numbers one account may look at: enough for a counter, too few to copy a register.
REVEALS = "30/hour"

_reveals = limiter.shared_limit(REVEALS, scope="reveals", key_func=lambda: str(g.act.by.account_id))

_wrong_keys = limiter.shared_limit(WRONG_KEYS, scope="wrong_keys")


def install(app: Flask) -> None:
    """Count from now on, in the store that ``RATELIMIT_STORAGE_URI`` names; callers are known by then."""
    limiter.init_app(app)


def note_wrong_key() -> None:
    """Count a key that is not in force against the address that sent it.

    :raises RateLimitExceeded: the address has tried too many; good keys from it go on working.
    """
    with _wrong_keys:
        pass


def note_reveal() -> None:
    """Count a whole ID number against the account that is about to see it.

    :raises RateLimitExceeded: the account has seen too many in the last hour.
    """
    with _reveals:
        pass


def by_code() -> str:
    """A verification code as the thing that is counted, whoever asks."""
    return f"code:{(request.view_args or {}).get('code', '')[:400]}"


def by_number() -> str:
    """A typed certificate number as the thing that is counted, read and folded as the look-up does.

    What is no number cannot match, so it is counted by who typed it.
    """
    number = check_certificate_number(typed("number")).text
    return f"number:{number}" if number else f"typist:{get_remote_address()}"
