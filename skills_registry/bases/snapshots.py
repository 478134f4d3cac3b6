"""Snapshots under a new field key: what was handed in stays readable when the old key goes.

A snapshot holds names sealed, inside its JSON, so the exchange of the field key (``foundation/rotation.py``)
comes here for them. Its digest is taken over the sealed form and is taken anew; a step keeps the old one
beside the new, and the row's seal says that no hand but ours wrote it.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

from skills_registry.bases.applications import APPLICATION, Submission, digest_of
from skills_registry.bases.entries import BaseFile, Teacher
from skills_registry.foundation.acts import Act
from skills_registry.foundation.lifecycle import note
from skills_registry.foundation.storage import database

#: What is done to one sealed value, of this column of the row with this id.
_Change = Callable[[Any, UUID, bytes], bytes]


def values_by_key() -> Counter[int]:
    """Key version → how many sealed values in snapshots lie under it."""
    found: Counter[int] = Counter()
    for kept in Submission.select():
        found.update(_versions(kept.snapshot))
    return found


def reseal(act: Act) -> Iterator[bool]:
    """Seal anew the names of every snapshot that lie under another key than the current one, one by one."""
    version = act.vault.in_force()[1]
    for kept in Submission.select().order_by(Submission.id):
        if set(_versions(kept.snapshot)) - {version}:
            yield _sealed_anew(act, kept)


def _versions(snapshot: Mapping[str, Any]) -> list[int]:
    seen: list[int] = []

    def look(_column: Any, _row: UUID, sealed: bytes) -> bytes:
        seen.append(sealed[0])
        return sealed

    _changed(snapshot, look)
    return seen


def _sealed_anew(act: Act, kept: Submission) -> bool:
    def anew(column: Any, row: UUID, sealed: bytes) -> bytes:
        return act.vault.seal(column, row, act.vault.open(column, row, sealed))

    if digest_of(kept.snapshot) != kept.digest:
        # Somebody changed it past the registry; writing it would seal what that hand did.
        return False
    snapshot = _changed(kept.snapshot, anew)
    digest = digest_of(snapshot)
    with database.atomic():
        same = (Submission.id == kept.id) & (Submission.digest == kept.digest)
        if not Submission.update(snapshot=snapshot, digest=digest).where(same).execute():
            return False
        detail = {"digest": digest, "was": kept.digest}
        note(act, APPLICATION.noun, kept.application.id, "reseal_snapshot", detail=detail)
    return True


def _changed(snapshot: Mapping[str, Any], change: _Change) -> dict[str, Any]:
    """The snapshot with a change made to every sealed value in it."""
    file = snapshot["file"]

    def value(column: Any, row: Mapping[str, Any], held: Any) -> Any:
        if not isinstance(held, Mapping):
            return held
        sealed = change(column, UUID(row["id"]), base64.b64decode(held["sealed"]))
        return {"sealed": base64.b64encode(sealed).decode("ascii")}

    teachers = [{**row, "name": value(Teacher.name, row, row["name"])} for row in file["teachers"]]
    head = value(BaseFile.legal_person, file, file["legal_person"])
    return {**snapshot, "file": {**file, "legal_person": head, "teachers": teachers}}
