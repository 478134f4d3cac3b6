"""What a signed-in browser holds and how it is believed: session cookie, device cookie, and forms of our own.

Console pages live under ``/console`` and know the caller by cookie; ``/api/v1`` never does, so no
other site can make a browser call it. Every form that changes something carries a token of its
session, and says where it came from.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import replace
from uuid import UUID

from flask import Flask, Response, current_app, g, redirect, request, url_for
from werkzeug.exceptions import BadRequest, HTTPException

from api.callers import act, act_of, services
from skills_registry.accounts import as_caller
from skills_registry.accounts.register import Operator
from skills_registry.accounts.sessions import BrowserSession, session_for
from skills_registry.foundation.errors import NotAllowed

CONSOLE = "/console"

#: How long a browser is remembered as one that its owner signed in with before, in seconds.
DEVICE_SECONDS = 400 * 24 * 3600


class FormStale(NotAllowed):
    """The form was not sent from a page of this session."""

    code = "form_stale"
    zh = "页面已过期或不是从本系统打开的，请刷新页面后重试。"
    en = "This form is out of date or came from elsewhere; load the page again and retry."


class _Elsewhere(HTTPException):
    """Ends a request by leading the browser to another page."""

    code = 303


def _name(of: str) -> str:
    # The prefix makes browsers refuse the cookie from anything but this host over TLS.
    return f"__Host-{of}" if request.is_secure else of


def _set(response: Response, name: str, value: str, *, seconds: int | None = None) -> None:
    response.set_cookie(
        _name(name),
        value,
        max_age=seconds,
        secure=request.is_secure,
        httponly=True,
        samesite="Lax",
        path="/",
    )


def remember_session(response: Response, text: str) -> None:
    """Give the browser its session; it ends with the browser, and before that by the registry's clock."""
    _set(response, "session", text)


def forget_session(response: Response) -> None:
    """Take the session from the browser."""
    response.delete_cookie(
        _name("session"), secure=request.is_secure, httponly=True, samesite="Lax", path="/"
    )


def remember_device(response: Response, operator: Operator) -> None:
    """Remember that this person signed in with this browser: strangers' wrong guesses do not hold it up."""
    nonce = secrets.token_hex(16)
    _set(response, "device", f"{nonce}.{_device_mark(operator.id, nonce)}", seconds=DEVICE_SECONDS)


def known_device(operator_id: UUID) -> str | None:
    """What stands for this browser, if this person signed in with it before."""
    nonce, _, mark = request.cookies.get(_name("device"), "").partition(".")
    good = hmac.compare_digest(mark.encode(), _device_mark(operator_id, nonce).encode())
    return nonce if nonce and good else None


def _device_mark(operator_id: UUID, nonce: str) -> str:
    return services().vault.index("device", f"{operator_id.hex}.{nonce}").hex()


def browser_session() -> BrowserSession | None:
    """The session of this browser, if it is signed in."""
    if "browser_session" not in g:
        text = request.cookies.get(_name("session"), "")
        g.browser_session = session_for(text, services().policy, services().clock())
    found: BrowserSession | None = g.browser_session
    return found


def csrf_token() -> str:
    """The token that this session's forms carry; nothing for who is not signed in."""
    session = browser_session()
    return services().vault.index("form", session.id.hex).hex() if session else ""


def require_own_origin() -> None:
    """The form came from a page of ours, as far as the browser says.

    :raises FormStale: it came from elsewhere.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site not in (None, "same-origin", "none"):
        raise FormStale()
    origin = request.headers.get("Origin", "")
    # Browsers say "null" of a page that tells no referrer; where they name the site besides, that counts.
    ours = origin.partition("://")[2] == request.host or (origin == "null" and site == "same-origin")
    if origin and not ours:
        raise FormStale()


def require_own_form() -> None:
    """The form came from a page of this very session.

    :raises FormStale: it did not.
    """
    require_own_origin()
    typed = request.form.get("csrf_token", "")
    if browser_session() is None or not hmac.compare_digest(typed.encode(), csrf_token().encode()):
        raise FormStale()


def lead_to(address: str) -> HTTPException:
    """An exception that leads the browser to another page of ours."""
    return _Elsewhere(response=redirect(address, code=303))  # type: ignore[arg-type]


def own_path(text: str) -> str:
    """Where to go on after sign-in: a path of the console, never another site."""
    # Compared, never taken apart: what begins like this names no other host, whatever follows.
    return text if text.startswith(CONSOLE) and "\\" not in text else CONSOLE


def admit() -> None:
    """Before each console page: the session's account acts; who has none signs in or chooses one first."""
    if request.endpoint is None or not (request.path + "/").startswith(CONSOLE + "/"):
        return
    session = browser_session()
    if session is None:
        # An address that only takes forms cannot be come back to.
        page = request.full_path.rstrip("?") if request.method in ("GET", "HEAD") else CONSOLE
        raise lead_to(url_for("sign_in.form", next=page))
    if request.method not in ("GET", "HEAD"):
        require_own_form()
    view = current_app.view_functions[request.endpoint]
    if session.account is None:
        if not getattr(view, "before_choosing", False):
            raise lead_to(url_for("sign_in.choose_account"))
        return
    g.act = act_of(services(), replace(as_caller(session.account), origin=request.remote_addr or ""))
    roles = getattr(view, "roles", None)
    if roles is not None and act().by.role not in roles:
        raise NotAllowed()


def signed_in() -> BrowserSession:
    """The session of this browser, on pages that only signed-in people reach.

    :raises BadRequest: there is none (a route outside the console asked).
    """
    session = browser_session()
    if session is None:
        raise BadRequest()
    return session


def install(app: Flask) -> None:
    """Know browsers on every console page; templates get the token for their forms."""
    app.before_request(admit)
    app.jinja_env.globals["csrf_token"] = csrf_token
