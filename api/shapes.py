"""Shapes that several endpoints share: an occupation, a reason, a step of a record's history."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from api.bodies import Prose, Text
from skills_registry.foundation.levels import LEVELS
from skills_registry.foundation.lifecycle import Step

#: Editions of the occupation dictionary (职业分类大典) that codes are quoted from.
EDITIONS = ("1999", "2015", "2022")


class OccupationSchema(Schema):
    """An occupation is only meaningful with the dictionary's edition (DOMAIN §3.4)."""

    edition = Text(required=True, validate=validate.OneOf(EDITIONS))
    code = Text(required=True, validate=validate.Regexp(r"^[1-9]-[0-9]{2}-[0-9]{2}-[0-9]{2}$"))
    name = Text(required=True, validate=validate.Length(1, 60))


class ScopeSchema(OccupationSchema):
    """One trade of a listing's scope."""

    highest_level = Text(required=True, validate=validate.OneOf(LEVELS))


class ReasonSchema(Schema):
    """Why."""

    reason = Prose(required=True, validate=validate.Length(1, 500))


class StepSchema(Schema):
    """One step of a record's history."""

    action = fields.String()
    origin = Text(allow_none=True, data_key="from")
    to = fields.String(allow_none=True)
    at = fields.DateTime()
    by_role = fields.String()
    by_account = fields.String(allow_none=True)
    reason = Prose()


def show_step(step: Step) -> dict[str, Any]:
    """A step as the API answers it."""
    return {name: getattr(step, name) for name in ("action", "origin", "to", "at", "by_role", "reason")} | {
        "by_account": str(step.by_account) if step.by_account else None
    }
