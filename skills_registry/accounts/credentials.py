"""How a person shows that it is them (登录凭据): a password, and a second factor that changes with time.

It begins with an invitation: a link for one person, good once and for some days, at which they choose
name and password and take the second factor into their phone. Password hashes are Argon2id; the
factor's secret is sealed; recovery codes are hashed and good once. A wrong name, password and code
are answered alike and take the same time.
"""

from __future__ import annotations

import hmac
import secrets
import unicodedata
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

import argon2
import pyotp
from peewee import CharField, ForeignKeyField, IntegerField
from zxcvbn import zxcvbn

from skills_registry.accounts.register import Account, Operator, await_confirmation
from skills_registry.accounts.sessions import end_sessions_of
from skills_registry.foundation.acts import Act
from skills_registry.foundation.errors import FieldRefused, NotAllowed, NotFound
from skills_registry.foundation.lifecycle import note
from skills_registry.foundation.privacy import Vault
from skills_registry.foundation.storage import BytesField, InstantField, Record, SealedField, database, new_id

#: Seconds that one code of the second factor stands for (RFC 6238).
STEP = 30

#: Codes of the step before and after are taken too: phones' clocks differ.
TOLERANCE = 1

LONGEST_PASSWORD = 128
RECOVERY_CODES = 10

_hasher = argon2.PasswordHasher()

#: What a password is checked against where there is no such person: the same work, never a match.
_NOBODY = _hasher.hash(secrets.token_urlsafe(32))


class Credential(Record):
    """One person's sign-in: ``login`` is what they type, ``last_step`` the last time step whose code was used."""

    operator = ForeignKeyField(Operator, unique=True, backref="credentials", on_delete="RESTRICT")
    login = CharField(max_length=60, unique=True)
    password_hash = CharField(max_length=200)
    factor = SealedField()
    last_step = IntegerField(default=0)
    changed_at = InstantField()
    operator_id: UUID


class RecoveryCode(Record):
    """A code for the day that the phone is lost; good once."""

    operator = ForeignKeyField(Operator, backref="recovery_codes", on_delete="RESTRICT")
    digest = BytesField()
    used_at = InstantField(null=True)


class Invitation(Record):
    """A link for one person to set up, or set up again, how they sign in."""

    operator = ForeignKeyField(Operator, backref="invitations", on_delete="RESTRICT")
    digest = BytesField(unique=True)
    factor = SealedField()
    created_at = InstantField()
    expires_at = InstantField()
    used_at = InstantField(null=True)
    operator_id: UUID


class InvitationOver(NotFound):
    """The link was used, is too old, or never was one."""

    code = "invitation_over"
    zh = "邀请链接无效、已使用或已过期，请联系系统管理员重新发送。"
    en = "This invitation is unknown, used or too old; ask the administrator for a new one."


class PersonElsewhere(NotAllowed):
    """The person holds an account that the caller does not administer, and signs in to all of them alike."""

    code = "person_elsewhere"
    zh = "此人在其他地区还有账号，登录方式须由管理其全部账号的管理员重设。"
    en = "This person also holds accounts elsewhere; only who administers all of them may invite them."


class PasswordWeak(FieldRefused):
    """Facts: ``least``."""

    code = "password_weak"
    zh = "密码太容易被猜到：至少{least}个字符，不要用姓名、单位、生日、连续数字或常见词语。"
    en = "The password is too easily guessed: at least {least} characters, no names, dates, runs or common words."


class LoginTaken(FieldRefused):
    """Somebody signs in with this name already, or it cannot be one."""

    code = "login_taken"
    zh = "登录名已被使用或格式不对，请换一个（2—60个字符，不含空格）。"
    en = "This sign-in name is taken or cannot be used (2 to 60 characters, no blanks)."


class CodeWrong(FieldRefused):
    """The six digits do not fit."""

    code = "code_wrong"
    zh = "动态验证码不正确，请输入手机上当前显示的6位数字，并检查手机时间。"
    en = "The code is wrong; type the six digits that the phone shows now, and check its clock."


class SignInRefused(NotAllowed):
    """Name, password or code is wrong; which, is not told."""

    code = "sign_in_refused"
    zh = "登录名、密码或动态验证码不正确。"
    en = "The sign-in name, the password or the code is wrong."


def fold(login: str) -> str:
    """A sign-in name as it is compared: without outer blanks, width and case."""
    return unicodedata.normalize("NFKC", login).strip().casefold()


def require_strong(act: Act, password: str, about: list[str]) -> None:
    """:raises PasswordWeak: it is short, long, or easily guessed from what is known of the person."""
    least = act.policy.rule("sign_in", act.today)["smallest_password"]
    if not least <= len(password) <= LONGEST_PASSWORD:
        raise PasswordWeak(field="password", least=least)
    known = [word for word in about if word]
    if any(len(word) > 2 and word.casefold() in password.casefold() for word in known):
        raise PasswordWeak(field="password", least=least)
    if zxcvbn(password, user_inputs=known)["score"] < 3:
        raise PasswordWeak(field="password", least=least)


def invite(act: Act, account: Account) -> str:
    """A fresh invitation for an account's person, good once; earlier ones end. Returns the link's secret part.

    Whoever invites learns the link; therefore an account that decides or oversees waits for a second person
    once it was taken (:func:`accept`). Setting up again ends every session.

    :raises PersonElsewhere: the person holds an account outside the caller's division.
    """
    held = Account.select().where((Account.operator == account.operator_id) & (Account.status != "closed"))
    if act.by.account_id and not all(act.by.covers(one.organisation.division_code) for one in held):
        raise PersonElsewhere()
    operator, text, key = account.operator, secrets.token_urlsafe(32), new_id()
    days = act.policy.rule("sign_in", act.today)["invitation_days"]
    with database.atomic():
        Invitation.update(expires_at=act.at).where(
            (Invitation.operator == operator.id) & Invitation.used_at.is_null()
        ).execute()
        Invitation.create(
            id=key,
            operator=operator,
            digest=_digest(text),
            factor=act.vault.seal(Invitation.factor, key, pyotp.random_base32()),
            created_at=act.at,
            expires_at=act.at + timedelta(days=days),
        )
        note(act, "account", account.id, "invite")
    return text


def require_invitation(act: Act, text: str) -> Invitation:
    """The invitation that a link's secret part opens.

    :raises InvitationOver: it was used, is too old, or never was one.
    """
    found = Invitation.get_or_none(Invitation.digest == _digest(text))
    if found is None or found.used_at is not None or act.at >= found.expires_at:
        raise InvitationOver()
    return found


def factor_of(vault: Vault, invitation: Invitation) -> str:
    """The second factor's secret, in base32, for the person's phone."""
    return vault.open(Invitation.factor, invitation.id, invitation.factor)


def accept(act: Act, invitation: Invitation, *, login: str, password: str, code: str) -> list[str]:
    """Set up a person's sign-in; returns their recovery codes, shown this once.

    Their accounts that decide or oversee wait from now on until somebody other than the sender confirms them.

    :raises InvitationOver: somebody accepted it a moment ago.
    :raises LoginTaken: another person signs in with this name, or it cannot be one.
    :raises PasswordWeak: the password is easily guessed.
    :raises CodeWrong: the phone shows another code.
    """
    operator, name = invitation.operator, fold(login)
    if not 2 <= len(name) <= 60 or any(character.isspace() for character in name):
        raise LoginTaken(field="login")
    require_strong(act, password, [name, operator.label])
    secret = factor_of(act.vault, invitation)
    step = _step_of(secret, code, act, after=0)
    if step is None:
        raise CodeWrong(field="code")
    with database.atomic():
        taken = Invitation.update(used_at=act.at).where(
            (Invitation.id == invitation.id) & Invitation.used_at.is_null()
        )
        if taken.execute() != 1:
            raise InvitationOver()
        other = Credential.get_or_none(Credential.login == name)
        if other is not None and other.operator_id != operator.id:
            raise LoginTaken(field="login")
        _write(act, operator, name, password, secret, step)
        end_sessions_of(act, operator)
        note(act, "operator", operator.id, "set_up_sign_in")
        await_confirmation(act, operator)
        return _fresh_recovery_codes(operator)


def _write(act: Act, operator: Operator, login: str, password: str, secret: str, step: int) -> None:
    Credential.delete().where(Credential.operator == operator.id).execute()
    key = new_id()
    Credential.create(
        id=key,
        operator=operator,
        login=login,
        password_hash=_hasher.hash(password),
        factor=act.vault.seal(Credential.factor, key, secret),
        last_step=step,
        changed_at=act.at,
    )


def _fresh_recovery_codes(operator: Operator) -> list[str]:
    RecoveryCode.delete().where(RecoveryCode.operator == operator.id).execute()
    codes = [f"{secrets.token_hex(4)}-{secrets.token_hex(4)}" for _ in range(RECOVERY_CODES)]
    for code in codes:
        RecoveryCode.create(operator=operator, digest=_digest(code))
    return codes


def sign_in(act: Act, login: str, password: str, code: str) -> Operator:
    """The person whose name, password and code these are.

    :raises SignInRefused: one of them is wrong; which, is told by neither words nor time.
    """
    known = Credential.get_or_none(Credential.login == fold(login))
    if not _matches(known.password_hash if known else _NOBODY, password) or known is None:
        raise SignInRefused()
    if not (_spend_code(act, known, code) or _spend_recovery_code(act, known, code)):
        raise SignInRefused()
    if _hasher.check_needs_rehash(known.password_hash):
        Credential.update(password_hash=_hasher.hash(password)).where(Credential.id == known.id).execute()
    note(act, "operator", known.operator_id, "sign_in")
    operator: Operator = known.operator
    return operator


def change_password(act: Act, operator: Operator, *, old: str, new: str) -> None:
    """A person changes their own password; the caller ends their other sessions.

    :raises SignInRefused: the old one is wrong.
    :raises PasswordWeak: the new one is easily guessed.
    """
    known = Credential.get_or_none(Credential.operator == operator.id)
    if known is None or not _matches(known.password_hash, old):
        raise SignInRefused()
    require_strong(act, new, [known.login, operator.label])
    with database.atomic():
        Credential.update(password_hash=_hasher.hash(new), changed_at=act.at).where(
            Credential.id == known.id
        ).execute()
        note(act, "operator", operator.id, "change_password")


def _matches(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, password[:LONGEST_PASSWORD])
    except argon2.exceptions.VerificationError:
        return False


def _step_of(secret: str, code: str, act: Act, *, after: int) -> int | None:
    """The time step whose code this is, later than ``after``; None when there is none."""
    typed = unicodedata.normalize("NFKC", code).replace(" ", "")
    now = int(act.at.timestamp()) // STEP
    totp = pyotp.TOTP(secret)
    steps = range(max(now - TOLERANCE, after + 1), now + TOLERANCE + 1)
    return (
        next((step for step in steps if hmac.compare_digest(totp.generate_otp(step), typed)), None)
        if (typed.isascii())
        else None
    )


def _spend_code(act: Act, known: Credential, code: str) -> bool:
    secret = act.vault.open(Credential.factor, known.id, known.factor)
    step = _step_of(secret, code, act, after=known.last_step)
    if step is None:
        return False
    # Of two sign-ins with one code, one wins.
    spent = Credential.update(last_step=step).where(
        (Credential.id == known.id) & (Credential.last_step < step)
    )
    return bool(spent.execute() == 1)


def _spend_recovery_code(act: Act, known: Credential, code: str) -> bool:
    spent = RecoveryCode.update(used_at=act.at).where(
        (RecoveryCode.operator == known.operator_id)
        & (RecoveryCode.digest == _digest(code.strip().lower()))
        & RecoveryCode.used_at.is_null()
    )
    return bool(spent.execute() == 1)


def recovery_codes_left(operator: Operator) -> int:
    """How many recovery codes a person has not used."""
    left = RecoveryCode.select().where(
        (RecoveryCode.operator == operator.id) & RecoveryCode.used_at.is_null()
    )
    return int(left.count())


def _digest(text: str) -> bytes:
    return sha256(text.encode()).digest()
