"""``skills-registry field-keys`` and ``retention``: exchange of the data key, and what has had its time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from api import idempotency
from api.callers import act_of
from api.idempotency import IdempotencyKey
from api.services import Services
from skills_registry import safeguards
from skills_registry.bases import snapshots
from skills_registry.foundation import rotation
from skills_registry.foundation.acts import PUBLIC, Act
from skills_registry.foundation.lifecycle import tell
from skills_registry.foundation.privacy import KeyInUse, add_field_key, drop_field_key
from skills_registry.foundation.storage import database
from skills_registry.safeguards.retention import Due


def create(service: Services) -> int:
    """A new data key, under which everything is sealed from now on; its version."""
    version = add_field_key(service.settings.secrets_file, service.clock())
    tell(act_of(service, PUBLIC), "field_key", None, "create", reason=str(version))
    return version


def in_use(service: Services) -> Counter[int]:
    """Key version → how many values and files lie under it; 0 stands for files in plain."""
    _know_every_room()
    return rotation.values_by_key() + snapshots.values_by_key() + service.shelf().files_by_key()


def reseal(service: Services, *, at_once: int) -> Iterator[tuple[str, int, int]]:
    """Seal anew, a few at a time: the table, how many rows were sealed anew, and how many had to be left."""
    _know_every_room()
    for batch in rotation.reseal(act_of(service, PUBLIC), at_once=at_once):
        yield batch.table, batch.resealed, batch.left
    for sealed in snapshots.reseal(act_of(service, PUBLIC)):
        yield "submission", int(sealed), int(not sealed)
    for sealed in service.shelf().reseal():
        yield "documents", int(sealed), int(not sealed)


def retire(service: Services, version: int) -> None:
    """Take a data key out of the secrets file.

    :raises KeyInUse: something still lies under it, or it was in use a moment ago.
    """
    _know_every_room()
    # While the write lock is held nothing can be sealed that is not seen here.
    with database.atomic():
        tell(act_of(service, PUBLIC), "field_key", None, "retire", reason=str(version))
        if in_use(service)[version]:
            raise KeyInUse(version=version)
        drop_field_key(service.settings.secrets_file, version, service.clock())


def dues(service: Services) -> list[Due]:
    """Everything that has its time, with the answers that are kept for repeated requests."""
    act = act_of(service, PUBLIC)
    return [*safeguards.dues(act, service.shelf()), _answers(act)]


def remove(service: Services, due: Due) -> int:
    """Remove all of one kind that is due; how many there were."""
    return safeguards.remove(act_of(service, PUBLIC), due)


def _answers(act: Act) -> Due:
    before = act.at - idempotency.KEEP

    def waiting() -> list[IdempotencyKey]:
        return list(IdempotencyKey.select(IdempotencyKey.id).where(IdempotencyKey.taken_at < before))

    words = ("重复请求的答复", "answers kept for repeated requests")
    return Due("repeated_answers", *words, before.date(), waiting, lambda key: key.delete_instance())


def _know_every_room() -> None:
    import api.app  # noqa: F401 - only a table that is known can be sealed anew
