"""``skills-registry backup``: everything that the registry holds, at one moment, while it goes on serving.

1 snapshot   one read transaction: rows, their seals and the audit chain of the same moment
2 checked    the database's own integrity, every row seal, the audit chain, every document in force
3 written    encrypted as it is read; documents as they lie on the shelf, public keys, the policy
4 told       how much, and the head of the audit chain, to be put aside

A finding does not stop the backup, since the night after is too late: it is told, recorded in the manifest,
and the command ends with status 1. Secret keys are never in it: they go into a file of their own, elsewhere.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from hashlib import sha256
from pathlib import Path
from typing import Any

from api.backup_files import MAC, MANIFEST, Archive, Lock, write_new, writing
from api.check import Finding
from api.services import Services
from skills_registry import __version__
from skills_registry.documents import Document
from skills_registry.foundation import audit, dumps, tampering
from skills_registry.foundation.errors import InputRefused, RegistryError
from skills_registry.foundation.policy import HAIDONG
from skills_registry.foundation.privacy import Vault
from skills_registry.foundation.seals import is_sqlite
from skills_registry.foundation.storage import database

FORMAT = "skills-registry/backup/1"
SECRETS_FORMAT = "skills-registry/secrets/1"


class SecretsBeside(InputRefused):
    """The secret keys may not lie in the same folder as what they open."""

    code = "secrets_beside_backup"
    zh = "密钥副本不得与备份放在同一目录，请放到另行保管的位置。"
    en = "The secret keys may not lie in the same folder as the backup that they open; keep them elsewhere."


@dataclass(frozen=True)
class Told:
    """What a backup came to."""

    path: Path
    rows: int
    documents: int
    head: str
    findings: list[Finding]


def back_up(service: Services, path: Path, lock: Lock) -> Told:
    """Write a backup of the open registry to ``path``, encrypted.

    :raises BackupExists, BackupUnwritable: as their names say; nothing is left behind.
    """
    # Every room must be known, since only its tables' classes tell which columns hold JSON.
    import api.app  # noqa: F401

    opened: Any = database.obj
    opened.journal.link()
    with writing(path, lock) as archive, dumps.moment(opened):
        head = str(audit.head())
        tables = {table: _put_table(archive, opened, table) for table in dumps.tables_of(opened)}
        found = [*_integrity(opened), *_tampered(opened), *_lost_documents(service)]
        documents = _put_documents(archive, service)
        _put_published(archive, service)
        manifest = {
            "format": FORMAT,
            "software": __version__,
            "made_at": service.clock().astimezone(UTC).isoformat(timespec="seconds"),
            "migrations": dumps.applied_migrations(opened),
            "head": head,
            "tables": tables,
            "findings": [[f.table, f.row] for f in found],
            "files": dict(archive.files),
        }
        text = json.dumps(manifest, ensure_ascii=False, indent=1).encode()
        archive.put(MANIFEST, text)
        archive.put(MAC, mac_of(service.vault, text).encode())
    rows = sum(table["rows"] for table in tables.values())
    return Told(path, rows, documents, head, found)


def mac_of(vault: Vault, manifest: bytes) -> str:
    """What says that a manifest is this registry's: 64 hexadecimal digits."""
    key = hmac.digest(vault.index_key, b"skills-registry/backup/1", sha256)
    return hmac.new(key, manifest, sha256).hexdigest()


def _put_table(archive: Archive, opened: Any, table: str) -> dict[str, Any]:
    columns, rows = dumps.columns_of(opened, table), 0
    for place, parcel in enumerate(dumps.parcels(opened, table, columns)):
        lines = "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in parcel)
        archive.put(f"tables/{table}/{place:05}.jsonl", lines.encode("ascii"))
        rows += len(parcel)
    return {"columns": columns, "rows": rows}


def _put_documents(archive: Archive, service: Services) -> int:
    folder, count = service.settings.documents_directory, 0
    for path in sorted(folder.glob("??/??/*")):
        if path.name.startswith("."):
            continue
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            continue  # destroyed since, as the retention rules want
        archive.put(f"documents/{path.relative_to(folder).as_posix()}", content)
        count += 1
    return count


def _put_published(archive: Archive, service: Services) -> None:
    for path in sorted(service.settings.keys_directory.glob("[!.]*.public.json")):
        archive.put(f"keys/{path.name}", path.read_bytes())
    archive.put("policy.toml", (service.settings.policy_file or HAIDONG).read_bytes())


def _integrity(opened: Any) -> Iterator[Finding]:
    if not is_sqlite(opened):
        return
    told = [str(line[0]) for line in opened.execute_sql("PRAGMA integrity_check").fetchall()]
    if told != ["ok"]:
        yield Finding("database", "-", "数据库文件损坏", "the database file is damaged")
    for table, *_ in opened.execute_sql("PRAGMA foreign_key_check").fetchall():
        yield Finding(str(table), "-", "引用的记录不存在", "a record that it refers to is missing")


def _tampered(opened: Any) -> Iterator[Finding]:
    for broken in tampering.in_this_moment(opened.journal):
        yield Finding(broken.table, broken.row, broken.zh, broken.en)


def _lost_documents(service: Services) -> Iterator[Finding]:
    shelf = service.shelf()
    for document in Document.select().where(Document.standing).order_by(Document.id):
        try:
            shelf.get(document.digest)
        except RegistryError as error:
            yield Finding("document", str(document.id), error.sentence("zh"), error.sentence("en"))


def set_secrets_aside(service: Services, path: Path, lock: Lock, *, away_from: Path) -> None:
    """Write the secrets file and the private signing keys to ``path``, encrypted under a lock of its own.

    :raises SecretsBeside: it would lie beside the backup.
    :raises BackupExists: there is such a file.
    """
    require_apart(path, away_from)
    told = {
        "format": SECRETS_FORMAT,
        "secrets": service.settings.secrets_file.read_text(encoding="ascii"),
        "keys": {
            file.name: file.read_text(encoding="ascii")
            for file in sorted(service.settings.keys_directory.glob("[!.]*.private.json"))
        },
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_new(path, lock.seal(json.dumps(told).encode("ascii")))


def require_apart(path: Path, backup: Path) -> None:
    """:raises SecretsBeside: the secrets would lie in the backup's folder."""
    if path.absolute().parent.resolve() == backup.absolute().parent.resolve():
        raise SecretsBeside()
