"""``Idempotency-Key``: a POST sent twice with one key is done once, and answered the same.

The key is taken as the first write of one transaction around the whole request, so a crash leaves
neither the effect nor the key, and a twin that arrives meanwhile waits for the first to end. Only
successes are kept: a refused request may be mended and sent again under the same key.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from flask import Flask, Response, current_app, g, request
from flask_limiter.util import get_remote_address
from peewee import CharField, IntegerField, PeeweeException, UUIDField

from api.callers import act
from skills_registry.foundation.errors import RegistryError, RuleBroken
from skills_registry.foundation.storage import InstantField, Record, SealedField, database

KEEP = timedelta(days=2)
LONGEST_KEY = 200

#: POSTs that only read, for a reason: each time is an act of its own, counted and logged, and no answer is kept.
READINGS = frozenset(
    {
        "safeguards.reveal",
        "people.read_person_file",
        "people.print_person_file",
        "people.read_correction",
    }
)


class IdempotencyKey(Record):
    """One key of one caller (an account, or what stands for an address), what was asked under it, and what was answered (sealed)."""

    account = UUIDField()
    key = CharField(max_length=LONGEST_KEY)
    asked = CharField(max_length=64)
    status = IntegerField(null=True)
    content_type = CharField(max_length=120, default="")
    answer = SealedField(null=True)
    taken_at = InstantField()

    class Meta:
        indexes = ((("account", "key"), True),)


class KeyUsedOtherwise(RuleBroken):
    """The key belongs to another request."""

    code = "idempotency_key_reused"
    zh = "这个 Idempotency-Key 已用于另一个请求，请换一个。"
    en = "This Idempotency-Key belongs to another request; use a fresh one."


class KeyTooLong(RuleBroken):
    """The key is longer than we keep."""

    code = "idempotency_key_too_long"
    zh = "Idempotency-Key 最长200个字符。"
    en = "An Idempotency-Key has at most 200 characters."


def _fingerprint() -> str:
    digest = sha256(f"{request.method} {request.full_path}\0".encode())
    if request.files:
        digest.update(repr(sorted(request.form.items(multi=True))).encode())
        for field, file in sorted(request.files.items()):
            digest.update(field.encode() + file.stream.read())
            file.stream.seek(0)
    else:
        digest.update(request.get_data())
    return digest.hexdigest()


def before() -> Response | None:
    """Take the key, or give the answer that it already has."""
    key = request.headers.get("Idempotency-Key", "")
    if request.method != "POST" or not key or not request.path.startswith(("/api/", "/notices/")):
        return None
    if request.endpoint in READINGS:
        return None
    if len(key) > LONGEST_KEY:
        raise KeyTooLong()
    g.transaction = database.atomic()
    g.transaction.__enter__()
    _forget_old(act().at)
    taken = _take(key, _fingerprint())
    g.idempotency = taken
    if taken.answer is None:
        return None
    body = act().vault.open(IdempotencyKey.answer, taken.id, taken.answer)
    return Response(body, status=taken.status, content_type=taken.content_type)


def _caller() -> UUID:
    # The public has no account: its forms are counted by address, of which only a blind index is kept.
    known = act().by.account_id
    return known or UUID(bytes=act().vault.index("idempotency", get_remote_address())[:16])


def _take(key: str, asked: str) -> IdempotencyKey:
    account = _caller()
    IdempotencyKey.insert(
        account=account, key=key, asked=asked, taken_at=act().at
    ).on_conflict_ignore().execute()
    taken: IdempotencyKey = IdempotencyKey.get(
        (IdempotencyKey.account == account) & (IdempotencyKey.key == key)
    )
    if taken.asked != asked:
        raise KeyUsedOtherwise()
    return taken


def _forget_old(now: datetime) -> None:
    IdempotencyKey.delete().where(IdempotencyKey.taken_at < now - KEEP).execute()


def after(response: Response) -> Response:
    """Keep a success with its key, and end the transaction."""
    taken = g.pop("idempotency", None)
    if taken is not None:
        # A redirect leads a browser on, and browsers send no keys; a file is drawn again.
        if response.status_code >= 300 or not _is_text(response):
            taken.delete_instance()
        elif taken.answer is None:
            taken.answer = act().vault.seal(IdempotencyKey.answer, taken.id, response.get_data(as_text=True))
            taken.status, taken.content_type = response.status_code, response.content_type
            taken.save()
    try:
        _end(failed=response.status_code >= 500)
    except (RegistryError, PeeweeException, OSError) as error:
        # The commit itself was refused: nothing of it stands, and that is what is answered.
        return current_app.make_response(current_app.handle_user_exception(error))
    return response


def _is_text(response: Response) -> bool:
    return response.is_json or response.mimetype.startswith("text/")


def _end(*, failed: bool) -> None:
    transaction: Any = g.pop("transaction", None)
    if transaction is None:
        return
    if failed:
        transaction.rollback()
    transaction.__exit__(None, None, None)


def abandon(_error: BaseException | None) -> None:
    """A request that never came to an answer leaves nothing behind."""
    _end(failed=True)


def install(app: Flask) -> None:
    """Honour the header on every POST."""
    app.before_request(before)
    app.after_request(after)
    app.teardown_request(abandon)
