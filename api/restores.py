"""``skills-registry restore``: a backup brought back into an empty place, verified before anything is used.

1 whole      the file opens, and every member is what its manifest says
2 ours       the manifest carries the mark of this registry's secret keys
3 empty      no row in the database, no file on the shelf
4 held up    the numbers in use are unknown from now on, until ``restore confirm-gap`` says how far they had got
5 rows       loaded in one transaction, which ends only if every row carries its seal and the audit chain holds,
             but for what the backup itself has told of
6 files      documents and public keys put where they lay, before that transaction ends
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from api.backup_files import MAC, MANIFEST, BackupBroken, Unlock, members, write_new
from api.backups import FORMAT, SECRETS_FORMAT, mac_of
from api.settings import Settings
from skills_registry.foundation import dumps, journal, series, tampering
from skills_registry.foundation.errors import InputRefused, RuleBroken
from skills_registry.foundation.high_water import FileMark
from skills_registry.foundation.journal import Chain
from skills_registry.foundation.policy import HAIDONG
from skills_registry.foundation.privacy import Vault, load_vault
from skills_registry.foundation.storage import migrate, open_database


class PlaceTaken(RuleBroken):
    """There is something already where the backup is to go. Facts: ``what_zh``, ``what_en``."""

    code = "place_taken"
    zh = "{what_zh}不是空的。备份只恢复到空的位置，不覆盖任何数据。"
    en = "The {what_en} is not empty. A backup is restored into an empty place only and replaces nothing."


class ForeignBackup(InputRefused):
    """The backup was not written with these secret keys."""

    code = "foreign_backup"
    zh = "备份与本机的密钥文件不符：不是本登记册的备份，或密钥文件不对。未恢复任何内容。"
    en = "The backup does not fit the secrets file: another registry's, or the wrong keys. Nothing was restored."


class RowsUnverified(InputRefused):
    """Rows of the backup are not what the registry wrote. Facts: ``count``, ``first``."""

    code = "rows_unverified"
    zh = "备份中有{count}行与封条或审计链不符（首个：{first}），未恢复任何数据行。"
    en = "{count} rows of the backup do not carry their seals (the first: {first}); no row was restored."


@dataclass(frozen=True)
class Restored:
    """What was brought back. ``policy`` is where the backup's policy lies if it is not the one in force."""

    made_at: str
    rows: int
    documents: int
    head: str
    findings: list[tuple[str, str]]
    policy: Path | None


def restore(settings: Settings, path: Path, unlock: Unlock) -> Restored:
    """Bring a backup back; the database that the settings name is open afterwards.

    :raises BackupBroken, ForeignBackup, PlaceTaken, DumpUnfit, RowsUnverified: and nothing is in use.
    """
    manifest = verified(path, unlock, load_vault(settings.secrets_file))
    opened: Any = open_database(settings.database_url)
    require_empty(settings, opened)
    # Before anything else: whatever happens from here on, no number is given.
    series.put_back(FileMark(settings.numbers_file))
    dumps.make_tables(opened, manifest["migrations"])
    chain = journal.keep(load_vault(settings.secrets_file))
    told = {(str(table), str(row)) for table, row in manifest["findings"]}
    with dumps.loading(opened):
        rows = _load(opened, path, unlock, manifest["tables"])
        _require_sealed(chain, told)
        documents = _put_files(settings, path, unlock)
    migrate()
    series.keep(FileMark(settings.numbers_file))
    policy = _kept_policy(settings, path, unlock)
    return Restored(manifest["made_at"], rows, documents, manifest["head"], sorted(told), policy)


# ── Rules ────────────────────────────────────────────────────────────────────────────────────────


def verified(path: Path, unlock: Unlock, vault: Vault) -> dict[str, Any]:
    """The manifest of a backup of which every byte has been read and found right.

    :raises BackupBroken: it does not open, or does not hold what its manifest says.
    :raises ForeignBackup: it is not this registry's.
    """
    files: dict[str, str] = {}
    kept: dict[str, bytes] = {}
    for name, content in members(path, unlock):
        if name in files or name in kept:
            raise BackupBroken()
        if name in (MANIFEST, MAC):
            kept[name] = content
        else:
            files[name] = sha256(content).hexdigest()
    if kept.keys() != {MANIFEST, MAC}:
        raise BackupBroken()
    if not hmac.compare_digest(kept[MAC], mac_of(vault, kept[MANIFEST]).encode()):
        raise ForeignBackup()
    manifest: dict[str, Any] = json.loads(kept[MANIFEST])
    if manifest["format"] != FORMAT or manifest["files"] != files:
        raise BackupBroken()
    return manifest


def require_empty(settings: Settings, opened: Any) -> None:
    """:raises PlaceTaken: there is a row in the database, or a file on the shelf."""
    if not dumps.is_empty(opened):
        raise PlaceTaken(what_zh="数据库", what_en="database")
    if any(file.is_file() for file in settings.documents_directory.glob("**/*")):
        raise PlaceTaken(what_zh="材料目录", what_en="documents folder")


# ── Verbs ────────────────────────────────────────────────────────────────────────────────────────


def _put_files(settings: Settings, path: Path, unlock: Unlock) -> int:
    documents, keys = settings.documents_directory, settings.keys_directory
    put: list[Path] = []
    try:
        for name, content in members(path, unlock):
            kind, _, place = name.partition("/")
            target = (documents if kind == "documents" else keys) / place
            # A key that is here may have retired since; the younger word stands.
            if kind in ("documents", "keys") and not target.exists():
                _put(target, content)
                put.append(target)
    except BaseException:
        for target in put:
            target.unlink()
        raise
    return sum(target.is_relative_to(documents) for target in put)


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_new(path, content)


def _load(opened: Any, path: Path, unlock: Unlock, tables: dict[str, Any]) -> int:
    rows = 0
    for table, parcel in _parcels(path, unlock):
        dumps.load(opened, table, tables[table]["columns"], parcel)
        rows += len(parcel)
    for table in tables:
        dumps.count_on(opened, table)
    return rows


def _require_sealed(chain: Chain, told: set[tuple[str, str]]) -> None:
    """:raises RowsUnverified: a row or an entry is not what the registry wrote, and the backup did not say so."""
    # Every room must be known, since only its tables' classes tell which columns hold JSON.
    import api.app  # noqa: F401

    broken = {(found.table, found.row) for found in tampering.in_this_moment(chain)} - told
    if broken:
        raise RowsUnverified(count=len(broken), first=" ".join(min(broken)))


def _parcels(path: Path, unlock: Unlock) -> Iterator[tuple[str, list[list[Any]]]]:
    for name, content in members(path, unlock):
        if name.startswith("tables/"):
            yield name.split("/")[1], [json.loads(line) for line in content.splitlines()]


def _kept_policy(settings: Settings, path: Path, unlock: Unlock) -> Path | None:
    """The backup's policy, laid beside the secrets, if another one is in force here."""
    policy = next(content for name, content in members(path, unlock) if name == "policy.toml")
    in_force = settings.policy_file or HAIDONG
    if in_force.exists() and in_force.read_bytes() == policy:
        return None
    kept = settings.secrets_file.with_name("policy-from-backup.toml")
    kept.unlink(missing_ok=True)
    write_new(kept, policy)
    return kept


def bring_secrets(settings: Settings, path: Path, unlock: Unlock) -> None:
    """Bring the secrets file and the private signing keys back; replaces none.

    :raises BackupBroken: the file does not open, or holds no secrets.
    :raises PlaceTaken: there is another secrets file, or another such key.
    """
    try:
        told = json.loads(unlock.open(path.read_bytes()))
        secrets, keys = str(told["secrets"]), dict(told["keys"])
        sound = told["format"] == SECRETS_FORMAT and all(Path(name).name == name for name in keys)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackupBroken() from error
    if not sound:
        raise BackupBroken()
    wanted = {settings.secrets_file: secrets.encode("ascii")} | {
        settings.keys_directory / name: str(content).encode("ascii") for name, content in keys.items()
    }
    if any(place.exists() and place.read_bytes() != content for place, content in wanted.items()):
        raise PlaceTaken(what_zh="密钥文件或密钥目录", what_en="place of the secret keys")
    for place, content in wanted.items():
        if not place.exists():
            _put(place, content)
