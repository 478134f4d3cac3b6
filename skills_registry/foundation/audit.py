"""The audit (审计): every change and every reading of a person's file leaves an entry."""

from __future__ import annotations

from uuid import UUID

from skills_registry.foundation.acts import Act
from skills_registry.foundation.lifecycle import note


def read(act: Act, noun: str, record_id: UUID, reason: str) -> None:
    """Say that ``act`` reads the personal record ``record_id`` of this ``noun``, and why.

    ``reason`` is the caller's own words and may hold no personal data.
    """
    note(act, noun, record_id, "read", reason=reason)
