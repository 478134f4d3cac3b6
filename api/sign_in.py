"""Sign-in of people (登录): invitation, name with password and second factor, choice of account, sign-out.

Wrong guesses are counted where they cannot be used against anybody else: by name and address, by
name for browsers that never signed in with it, and by browser for those that did. A browser that its
owner signed in with before is never held up by strangers' guesses.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pyotp
import qrcode
import qrcode.image.svg
from flask import Blueprint, Response, g, redirect, request, url_for
from flask_limiter.util import get_remote_address
from markupsafe import Markup

from api import browser
from api.bodies import typed
from api.browser import require_own_form, require_own_origin, signed_in
from api.callers import act, act_of, for_roles, services
from api.limits import READING, limiter
from api.pages import page
from api.problems import language
from skills_registry.accounts import Account, credentials, sessions
from skills_registry.accounts.credentials import Credential, SignInRefused
from skills_registry.foundation.acts import PUBLIC, ROLES, Act, Role
from skills_registry.foundation.errors import FieldRefused, NotFound
from skills_registry.foundation.storage import require_found

blueprint = Blueprint("sign_in", __name__)

#: Pages about the person, whatever they may do here.
WHOEVER: tuple[Role, ...] = tuple(role for role in get_args(Role) if role != "public")

BY_NAME_AND_ADDRESS = "10/15minutes"
BY_NAME = "50/hour"
BY_DEVICE = "20/hour"
BY_ADDRESS = "100/hour"


def _known_device() -> str | None:
    """What stands for this browser, if the person whose name was typed signed in with it before."""
    if "known_device" not in g:
        person = Credential.get_or_none(Credential.login == credentials.fold(typed("login")))
        g.known_device = browser.known_device(person.operator_id) if person else None
    found: str | None = g.known_device
    return found


def _is_known_device() -> bool:
    return _known_device() is not None


def _is_unknown_device() -> bool:
    return _known_device() is None


def _name_index() -> str:
    return services().vault.index("login", credentials.fold(typed("login"))).hex()


def _by_name_and_address() -> str:
    return f"{_name_index()}:{get_remote_address()}"


def _by_device() -> str:
    return f"device:{_known_device()}"


def _from_here() -> Act:
    """The act of somebody who has yet to show who they are; the audit tells where they sat."""
    return act_of(services(), replace(PUBLIC, origin=request.remote_addr or ""))


def _was_refused(response: Response) -> bool:
    return response.status_code == 403


@blueprint.get("/sign-in")
@limiter.limit(READING)
def form() -> Any:
    """The form to sign in with; who is signed in goes on."""
    if browser.browser_session() is not None:
        return redirect(browser.own_path(request.args.get("next", "")), code=303)
    return _form()


def _form(*, refused: str = "", status: int = 200) -> Response:
    following = browser.own_path(request.values.get("next", ""))
    return page("sign_in", status=status, refused=refused, following=following, kept={"next": following})


@blueprint.post("/sign-in")
@limiter.limit(
    BY_NAME_AND_ADDRESS,
    key_func=_by_name_and_address,
    deduct_when=_was_refused,
    exempt_when=_is_known_device,
)
@limiter.limit(BY_NAME, key_func=_name_index, deduct_when=_was_refused, exempt_when=_is_known_device)
@limiter.limit(BY_ADDRESS, deduct_when=_was_refused, exempt_when=_is_known_device)
@limiter.limit(BY_DEVICE, key_func=_by_device, deduct_when=_was_refused, exempt_when=_is_unknown_device)
def sign_in() -> Any:
    """Sign in with name, password and code; a wrong one is answered alike, whichever it was."""
    require_own_origin()
    try:
        operator = credentials.sign_in(_from_here(), typed("login"), typed("password"), typed("code"))
    except SignInRefused as refusal:
        return _form(refused=refusal.sentence(language()), status=403)
    text, session = sessions.open_session(act(), operator)
    following = browser.own_path(typed("next"))
    where = url_for("sign_in.choose_account") if session.account_id is None else following
    response: Any = redirect(where, code=303)
    browser.remember_session(response, text)
    browser.remember_device(response, operator)
    return response


@blueprint.post("/sign-out")
def sign_out() -> Any:
    """End this browser's session."""
    session = browser.browser_session()
    if session is not None:
        require_own_form()
        sessions.end_session(act(), session)
    response: Any = redirect(url_for("sign_in.form"), code=303)
    browser.forget_session(response)
    return response


@blueprint.get("/console/account-choice")
@for_roles(*WHOEVER)
def choose_account() -> Response:
    """Which of the person's accounts to act with."""
    session = signed_in()
    names = {role: en if language() == "en" else zh for role, (zh, en) in ROLES.items()}
    return page("account_choice", held=sessions.accounts_of(session.operator), roles=names)


choose_account.before_choosing = True  # type: ignore[attr-defined]


@blueprint.post("/console/account-choice")
@for_roles(*WHOEVER)
def take_account() -> Any:
    """Act with this account from here on."""
    session = signed_in()
    held = {str(account.id): account for account in sessions.accounts_of(session.operator)}
    account = held.get(typed("account"))
    if account is None:
        raise NotFound()
    sessions.choose_account(session, account)
    return redirect(browser.CONSOLE, code=303)


take_account.before_choosing = True  # type: ignore[attr-defined]


@blueprint.get("/sign-in/invitation/<secret>")
@limiter.limit("60/minute")
def invitation_form(secret: str) -> Response:
    """Set up how to sign in: name, password, and the code that the phone shows."""
    return _invitation(secret)


def _invitation(secret: str, *, problem: FieldRefused | None = None) -> Response:
    invitation = credentials.require_invitation(act(), secret)
    factor = credentials.factor_of(act().vault, invitation)
    address = pyotp.TOTP(factor).provisioning_uri(
        name=invitation.operator.label, issuer_name=services().policy.city["issuer_name"]
    )
    return page(
        "invitation",
        status=422 if problem else 200,
        person=invitation.operator.label,
        factor=" ".join(factor[at : at + 4] for at in range(0, len(factor), 4)),
        picture=_picture(address),
        login=typed("login") if problem else "",
        wrong=problem.facts.get("field", "") if problem else "",
        problem=problem.sentence(language()) if problem else "",
        smallest=services().policy.rule("sign_in", act().today)["smallest_password"],
    )


def _picture(address: str) -> Markup:
    # Drawn into the page: no other request may ever carry the secret.
    code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, border=4)
    code.add_data(address)
    drawn = code.make_image(image_factory=qrcode.image.svg.SvgPathFillImage).to_string(encoding="unicode")
    return Markup(drawn)  # noqa: S704  # nosec B704  # the library's own drawing: squares, and no word of anybody's


@blueprint.post("/sign-in/invitation/<secret>")
@limiter.limit("20/minute")
def accept_invitation(secret: str) -> Response:
    """Take the invitation; the answer shows the recovery codes, this once."""
    require_own_origin()
    invitation = credentials.require_invitation(act(), secret)
    try:
        codes = credentials.accept(
            _from_here(), invitation, login=typed("login"), password=typed("password"), code=typed("code")
        )
    except FieldRefused as problem:
        return _invitation(secret, problem=problem)
    waits = invitation.operator.accounts.where(Account.status == "pending").exists()
    return page("recovery_codes", codes=codes, waits=waits)


@blueprint.get("/console/password")
@for_roles(*WHOEVER)
def password_form() -> Response:
    """The form to change one's own password."""
    return page(
        "password", refused="", smallest=services().policy.rule("sign_in", act().today)["smallest_password"]
    )


@blueprint.post("/console/password")
@limiter.limit("10/15minutes", key_func=lambda: str(signed_in().operator_id))
@for_roles(*WHOEVER)
def change_password() -> Any:
    """Change one's own password; every other session of the person ends."""
    session = signed_in()
    operator = require_found(type(session.operator), session.operator_id)
    try:
        credentials.change_password(act(), operator, old=typed("old"), new=typed("password"))
    except (SignInRefused, FieldRefused) as refusal:
        least = services().policy.rule("sign_in", act().today)["smallest_password"]
        return page("password", status=422, refused=refusal.sentence(language()), smallest=least)
    sessions.end_sessions_of(act(), operator, but=session)
    return redirect(browser.CONSOLE, code=303)
