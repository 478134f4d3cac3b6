"""The register of who may act: organisations, operators (经办人) and their accounts.

An operator is a natural person. A person may hold several accounts, yet counts as one in every
four-eyes rule. An account that decides or oversees comes into force when a second person confirms
it, so that whoever administers accounts cannot make an officer of their own. Nor take one over: whoever
sends an invitation knows its link, so an account that decides or oversees waits again, for somebody other
than the sender, when its person has set up how they sign in.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast
from uuid import UUID

from peewee import CharField, ForeignKeyField

from skills_registry.foundation.acts import PUBLIC, Act, Caller, Role, require_other_person
from skills_registry.foundation.errors import FieldRefused, RuleBroken
from skills_registry.foundation.lifecycle import Lifecycle, Move, Step, begin, move, steps_of, who_did
from skills_registry.foundation.storage import InstantField, Record, database

_ADMIN: frozenset[Role] = frozenset({"admin"})
_ADMIN_OR_CITY: frozenset[Role] = frozenset({"admin", "city_officer"})

ACCOUNT = Lifecycle(
    noun="account",
    zh="账号",
    states={
        "pending": ("待确认", "awaiting confirmation"),
        "active": ("有效", "active"),
        "closed": ("已停用", "closed"),
    },
    moves=(
        Move("confirm", "pending", "active", _ADMIN_OR_CITY),
        Move("set_up", "active", "pending", frozenset({"public"})),
        Move("close", "pending", "closed", _ADMIN_OR_CITY),
        Move("close", "active", "closed", _ADMIN_OR_CITY),
    ),
)

# Roles that work for a federation; a base's clerk works for the base.
FEDERATION_ROLES = ("county_officer", "city_officer", "expert", "auditor", "admin")

#: Roles that decide about others; who administers accounts may hold none of them.
DECIDING_ROLES = ("county_officer", "city_officer", "expert")


class Organisation(Record):
    """A federation (残联) of a county or city, or the organisation behind a base."""

    name = CharField(max_length=120)
    kind = CharField(max_length=20)  # federation | base
    division_code = CharField(max_length=6, index=True)


class Operator(Record):
    """A natural person who works with the registry; ``label`` is their name at work."""

    label = CharField(max_length=60)


class Account(Record):
    """One role of one operator at one organisation."""

    operator = ForeignKeyField(Operator, backref="accounts", on_delete="RESTRICT")
    organisation = ForeignKeyField(Organisation, backref="accounts", on_delete="RESTRICT")
    role = CharField(max_length=20)
    status = CharField(max_length=20, default="active")
    created_at = InstantField()
    operator_id: UUID
    organisation_id: UUID


class DecidesAndAdministers(RuleBroken):
    """One person may not both administer accounts and decide about others."""

    code = "decides_and_administers"
    zh = "系统管理员与审批人员须由不同的人担任：此人已有另一类账号，请先停用。"
    en = "One person cannot both administer accounts and decide; close this person's other account first."


def _require_one_side(operator: Operator, role: Role) -> None:
    held = {
        a.role
        for a in Account.select().where((Account.operator == operator.id) & (Account.status != "closed"))
    }
    if (role == "admin" and held & set(DECIDING_ROLES)) or (role in DECIDING_ROLES and "admin" in held):
        raise DecidesAndAdministers()


def _require_fitting(organisation: Organisation, role: Role) -> None:
    city_wide = organisation.division_code.endswith("00")
    if (role in FEDERATION_ROLES) != (organisation.kind == "federation"):
        raise FieldRefused(field="role")
    if role == "city_officer" and not city_wide:
        raise FieldRefused(field="role")


def register_organisation(name: str, kind: str, division_code: str) -> Organisation:
    """Enter an organisation; ``kind`` is ``federation`` or ``base``."""
    return Organisation.create(name=name, kind=kind, division_code=division_code)


def find_or_register_organisation(name: str, kind: str, division_code: str) -> Organisation:
    """The organisation of that name and division, entered if new."""
    known = Organisation.get_or_none(
        (Organisation.name == name)
        & (Organisation.kind == kind)
        & (Organisation.division_code == division_code)
    )
    return known or register_organisation(name, kind, division_code)


def find_or_register_operator(label: str) -> Operator:
    """The operator of that name at work, entered if new: one person, however many accounts."""
    return Operator.get_or_none(Operator.label == label) or Operator.create(label=label)


def register_account(act: Act, operator: Operator, organisation: Organisation, role: Role) -> Account:
    """Give an operator a role at once: for whoever sets the registry up at its own console.

    :raises FieldRefused: a federation role at a base, a base clerk at a federation, a city officer in a county.
    :raises DecidesAndAdministers: the person administers accounts and would decide, or the reverse.
    """
    _require_fitting(organisation, role)
    _require_one_side(operator, role)
    with database.atomic():
        account = Account.create(operator=operator, organisation=organisation, role=role, created_at=act.at)
        begin(act, ACCOUNT, account, "register")
    return account


def open_account(act: Act, operator: Operator, organisation: Organisation, role: Role) -> Account:
    """Open an account by an administrator; a federation's comes into force when a second person confirms it.

    :raises SeparationOfDuties: an administrator opens one for themselves.
    :raises FieldRefused: a federation role at a base, a base clerk at a federation, a city officer in a county.
    :raises DecidesAndAdministers: the person administers accounts and would decide, or the reverse.
    """
    require_other_person(act, operator.id)
    _require_fitting(organisation, role)
    _require_one_side(operator, role)
    status = "pending" if role in FEDERATION_ROLES else "active"
    with database.atomic():
        account = Account.create(
            operator=operator, organisation=organisation, role=role, status=status, created_at=act.at
        )
        begin(act, ACCOUNT, account, "open")
    return account


def confirm_account(act: Act, account: Account) -> Account:
    """A second person puts an account into force that was opened, or whose person has set up their sign-in.

    :raises SeparationOfDuties: whoever opened it, sent the invitation that was taken, or will hold it.
    :raises WrongState: it awaits no confirmation.
    """
    require_other_person(act, who_did(account.id, "open"))
    require_other_person(act, account.operator_id)
    require_other_person(act, _whose_invitation_was_taken(account))
    with database.atomic():
        move(act, ACCOUNT, account, "confirm")
    return account


def await_confirmation(act: Act, operator: Operator) -> list[Account]:
    """The accounts of a person who has just set up their sign-in that wait for a second person from now on.

    None wait where the registry's own console sent the invitation: nobody with an account knows its link.
    """
    sender = _who_invited(operator)
    if sender is None:
        return []
    # Whoever takes an invitation has yet to show who they are.
    unknown = replace(act, by=replace(PUBLIC, origin=act.by.origin))
    held = Account.select().where((Account.operator == operator.id) & (Account.status == "active"))
    waiting = [account for account in held if account.role in FEDERATION_ROLES]
    with database.atomic():
        for account in waiting:
            move(unknown, ACCOUNT, account, "set_up", detail={"invited_by": str(sender)})
    return waiting


def _who_invited(operator: Operator) -> UUID | None:
    held = [account.id for account in Account.select(Account.id).where(Account.operator == operator.id)]
    sent = Step.select().where(Step.record_id.in_(held) & (Step.action == "invite"))
    last = sent.order_by(Step.id.desc()).first()
    return None if last is None else last.by_operator


def _whose_invitation_was_taken(account: Account) -> UUID | None:
    taken = [step.detail["invited_by"] for step in steps_of(account.id) if step.action == "set_up"]
    return UUID(taken[-1]) if taken else None


def close_account(act: Act, account: Account, reason: str) -> Account:
    """Close an account for good: its keys and sessions end with it, its history stays.

    :raises SeparationOfDuties: somebody closes their own.
    :raises WrongState: it is closed already.
    """
    require_other_person(act, account.operator_id)
    with database.atomic():
        move(act, ACCOUNT, account, "close", reason=reason)
    return account


def as_caller(account: Account) -> Caller:
    """The caller that this account is."""
    return Caller(
        role=cast(Role, account.role),
        account_id=account.id,
        operator_id=account.operator_id,
        organisation_id=account.organisation_id,
        division_code=account.organisation.division_code,
    )


def may_reach(caller: Caller, division_code: str, organisation_id: UUID) -> bool:
    """Whether records of a base (its division and organisation) are this caller's business.

    A clerk reaches the own base, everyone else the own division; foreign records answer as
    unknown ones do.
    """
    if caller.role == "base_clerk":
        return caller.organisation_id == organisation_id
    # An expert sees only what a panel gave them, never a base's records at large.
    return caller.role in FEDERATION_ROLES and caller.role != "expert" and caller.covers(division_code)


def accounts_covered_by(caller: Caller) -> Any:
    """The accounts of organisations in the caller's division, as a query in order of opening."""
    pattern = caller.division_code[:4] + "%" if caller.division_code.endswith("00") else caller.division_code
    return Account.select().join(Organisation).where(Organisation.division_code**pattern).order_by(Account.id)
