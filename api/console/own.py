"""One's own account in the console (我的账号): who I am here, and keys for my own programs, shown once."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import ValidationError

from api.accounts import RotationSchema, require_own_key, show_whole_account
from api.browser import signed_in
from api.callers import act, for_roles
from api.console.accounts import typed_key
from api.console.frame import WHOEVER, Refused, attempted, blueprint, loaded, refusal, show, to, typed
from skills_registry import accounts
from skills_registry.accounts import Account, credentials
from skills_registry.accounts import sessions as browser_sessions
from skills_registry.foundation.errors import RegistryError
from skills_registry.foundation.storage import require_found


@blueprint.get("/me")
@for_roles(*WHOEVER)
def my_account() -> Response:
    """The caller's own account, with its keys and their last use."""
    return _page()


def _mine() -> Account:
    return require_found(Account, str(act().by.account_id))


def _page(refused: Refused | None = None, **once: str) -> Response:
    account = _mine()
    return show(
        "own",
        refused=refused,
        here=to("my_account"),
        shown=show_whole_account(account),
        others=len(browser_sessions.accounts_of(signed_in().operator)) > 1,
        codes_left=credentials.recovery_codes_left(account.operator),
        once=once,
        now=act().at,
    )


@blueprint.post("/me/keys")
@for_roles(*WHOEVER)
def issue_own_key() -> Response:
    """A key for one's own programs, on this page and never again."""
    try:
        text = accounts.issue_key(act(), _mine(), **typed_key())
    except (RegistryError, ValidationError) as error:
        return _page(refusal(error))
    return _page(key=text)


@blueprint.post("/me/keys/<prefix>/rotation")
@for_roles(*WHOEVER)
def rotate_own_key(prefix: str) -> Response:
    """A new key in place of one's own, without a gap."""
    key = require_own_key(_mine(), prefix)
    try:
        hours = typed("overlap_hours")
        body = loaded(RotationSchema(), {"overlap_hours": int(hours) if hours.isdecimal() else hours})
        text = accounts.rotate_key(act(), key, overlap_hours=body["overlap_hours"])
    except (RegistryError, ValidationError) as error:
        return _page(refusal(error))
    return _page(key=text)


@blueprint.post("/me/keys/<prefix>/revocation")
@for_roles(*WHOEVER)
def revoke_own_key(prefix: str) -> Any:
    """Revoke one of one's own keys at once."""
    require_own_key(_mine(), prefix)

    def revoke() -> str:
        accounts.revoke_key(act(), prefix)
        return to("my_account", done="key_revoked")

    return attempted(revoke, _page)
