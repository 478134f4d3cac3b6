"""A backup is whole, sealed and of one moment; a restore gives the same rows, or refuses."""

from __future__ import annotations

import io
import json
import os
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pyrage
import pytest
from click.testing import CliRunner, Result

from api import backups, restores
from api.audit_commands import tampered
from api.backup_files import (
    BackupBroken,
    BackupExists,
    BackupUnwritable,
    Lock,
    Unlock,
    key_file_of,
    members,
)
from api.backups import SecretsBeside, back_up, set_secrets_aside
from api.check import check
from api.commands import main
from api.restores import ForeignBackup, PlaceTaken, RowsUnverified, restore
from api.services import Services
from api.settings import Settings
from certificates import signing
from skills_registry import documents
from skills_registry.foundation import audit, dumps, series
from skills_registry.foundation.high_water import FileMark
from skills_registry.foundation.privacy import create_vault, load_vault
from skills_registry.foundation.series import GapUnconfirmed, take
from skills_registry.foundation.storage import database, pending_migrations
from tests.conftest import _address
from tests.test_faults import no_file_larger_than
from tests.world import PEOPLE, World

IDENTITY = pyrage.x25519.Identity.generate()
LOCK, UNLOCK = Lock(recipients=(IDENTITY.to_public(),)), Unlock(identities=(IDENTITY,))
PASSPHRASE = "correct horse battery staple"
LICENCE = b"%PDF-1.4\nlicence of the base\n%%EOF\n"


@dataclass
class Place:
    """An empty place for a registry: a database of some kind, and folders."""

    settings: Settings

    def holding(self, world: World) -> Services:
        """The services over what was restored here."""
        from dataclasses import replace

        return replace(world.service, settings=self.settings, vault=load_vault(self.settings.secrets_file))


def place_at(folder: Path, url: str, world: World, *, secrets: bool = True) -> Place:
    folder.mkdir()
    chosen = world.served(
        database_url=url,
        secrets_file=folder / "secrets.json",
        keys_directory=folder / "keys",
        documents_directory=folder / "documents",
    ).settings
    if secrets:
        chosen.secrets_file.write_bytes(world.service.settings.secrets_file.read_bytes())
    return Place(chosen)


@pytest.fixture
def empty_postgresql(request: pytest.FixtureRequest) -> Iterator[Callable[[], str]]:
    """Addresses of databases that hold nothing at all."""
    names: list[str] = []

    def make() -> str:
        server = request.getfixturevalue("postgresql_server")
        names.append(f"empty_{os.getpid()}_{time.monotonic_ns()}")
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {names[-1]}")
        return _address(server, names[-1])

    yield make
    if not database.is_closed():
        database.close()
    for name in names:
        with psycopg.connect(request.getfixturevalue("postgresql_server"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def everything() -> dict[str, list[str]]:
    """Every row of the open database."""
    opened: Any = database.obj
    with dumps.moment(opened):
        return {
            table: sorted(
                json.dumps(row)
                for parcel in dumps.parcels(opened, table, dumps.columns_of(opened, table))
                for row in parcel
            )
            for table in dumps.tables_of(opened)
        }


def keep_licence(world: World) -> None:
    documents.keep(world.act("base_clerk"), "base", world.base.id, "licence", LICENCE, world.service.shelf())


def backed_up(world: World, path: Path) -> Path:
    assert back_up(world.service, path, LOCK).findings == []
    return path


# There and back


def test_what_is_restored_is_what_was_there_on_either_kind_of_database(
    world: World, tmp_path: Path, empty_postgresql: Callable[[], str]
) -> None:
    certificates = world.issued()
    keep_licence(world)
    before, head = everything(), audit.head()
    told = back_up(world.service, tmp_path / "backups" / "a.age", LOCK)
    assert (told.findings, told.documents, told.head) == ([], 1, str(head))
    same_kind = "sqlite" if database.obj.__class__.__name__.startswith("Sqlite") else "postgresql"
    for kind in ("sqlite", "postgresql"):
        url = f"sqlite:///{tmp_path}/{kind}/registry.db" if kind == "sqlite" else empty_postgresql()
        place = place_at(tmp_path / kind, url, world)
        database.close()
        restored = restore(place.settings, told.path, UNLOCK)
        assert (restored.rows, restored.documents, restored.head) == (told.rows, 1, str(head))
        after = everything()
        assert {table: len(rows) for table, rows in after.items()} == {
            table: len(rows) for table, rows in before.items()
        }
        if kind == same_kind:
            assert after == before
        service = place.holding(world)
        assert tampered(str(head)) == []
        assert list(check(service)) == []
        assert documents.content_of(documents.Document.select().get(), service.shelf()) == LICENCE
        require_held_up_and_going_on(service, place, world, certificates[-1].serial)


def require_held_up_and_going_on(service: Services, place: Place, world: World, last: int) -> None:
    """A restored registry gives no number until the gap is confirmed, and then goes on in order."""
    with pytest.raises(GapUnconfirmed):
        take("base")
    series.confirm_gap(world.act("admin"), {}, "演练", margin=5)
    assert take("certificate/630200/2025")[0] == last + 6
    audit.read(world.act("city_officer"), "person_file", world.base.id, "恢复后查阅")
    assert tampered() == []


def test_a_backup_is_of_one_moment_while_others_go_on_writing(world: World, tmp_path: Path) -> None:
    """Each filing writes several rows of several tables; a backup holds all of them or none."""
    world.issued(1)
    stop, filed = threading.Event(), list[str]()

    def write() -> None:
        while not stop.is_set():
            filed.append(world.filed_class(title=f"第{len(filed)}期").filing_no)
        database.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        made = []
        for place in range(3):
            before = len(filed)
            told = back_up(world.service, tmp_path / "backups" / f"{place}.age", LOCK)
            assert told.findings == []
            made.append((told.path, before, len(filed)))
    finally:
        stop.set()
        writer.join()
    assert made[-1][2] > made[0][1], "the writer was not held up"
    path, least, most = made[1]
    database.close()
    place = place_at(tmp_path / "place", f"sqlite:///{tmp_path}/place/registry.db", world)
    restore(place.settings, path, UNLOCK)
    count = database.execute_sql("SELECT count(*) FROM training_class").fetchone()[0]
    assert least + 1 <= count <= most + 2
    assert tampered() == []
    assert list(check(place.holding(world))) == []


def test_a_backup_of_an_older_schema_is_brought_to_the_newest(small_world: World, tmp_path: Path) -> None:
    small_world.issued(1)
    database.execute_sql("DROP TABLE number_gap")
    database.execute_sql("DELETE FROM schema_migration WHERE name = '0018_operations'")
    applied = dumps.applied_migrations(database.obj)
    if applied[-1] > "0018":
        pytest.fail("a later migration came: let this test take back the last one instead")
    backed_up(small_world, tmp_path / "backups" / "old.age")
    database.close()
    place = place_at(tmp_path / "place", f"sqlite:///{tmp_path}/place/registry.db", small_world)
    restore(place.settings, tmp_path / "backups" / "old.age", UNLOCK)
    assert pending_migrations() == []
    assert tampered() == []
    with pytest.raises(GapUnconfirmed):
        take("base")


# What does not open


@pytest.fixture
def small_backup(small_world: World, tmp_path: Path) -> Path:
    small_world.issued(1)
    keep_licence(small_world)
    return backed_up(small_world, tmp_path / "backups" / "a.age")


def require_every_flip_refused(world: World, path: Path, places: range) -> None:
    content = path.read_bytes()
    flipped = path.with_name("flipped.age")
    for place in places:
        flipped.write_bytes(content[:place] + bytes([content[place] ^ 1 << place % 8]) + content[place + 1 :])
        with pytest.raises(BackupBroken):
            restores.verified(flipped, UNLOCK, world.service.vault)


def test_a_flipped_byte_anywhere_in_a_backup_is_refused(small_world: World, small_backup: Path) -> None:
    size = small_backup.stat().st_size
    assert restores.verified(small_backup, UNLOCK, small_world.service.vault)["format"] == backups.FORMAT
    for places in (range(300), range(300, size, max(1, size // 150)), range(size - 20, size)):
        require_every_flip_refused(small_world, small_backup, places)


@pytest.mark.prove
def test_every_flipped_byte_of_a_backup_is_refused(small_world: World, small_backup: Path) -> None:
    require_every_flip_refused(small_world, small_backup, range(0, small_backup.stat().st_size, 7))


def test_a_backup_cut_off_or_lengthened_is_refused(small_world: World, small_backup: Path) -> None:
    content = small_backup.read_bytes()
    for wrong in (b"", content[:100], content[:-1], content[: len(content) // 2], content + b"\0"):
        small_backup.write_bytes(wrong)
        with pytest.raises(BackupBroken):
            restores.verified(small_backup, UNLOCK, small_world.service.vault)


def test_a_passphrase_opens_and_another_one_does_not(small_world: World, tmp_path: Path) -> None:
    path = tmp_path / "backups" / "a.age"
    back_up(small_world.service, path, Lock(passphrase=PASSPHRASE))
    vault = small_world.service.vault
    with pytest.raises(BackupBroken):
        restores.verified(path, Unlock(passphrase="another passphrase"), vault)
    assert restores.verified(path, Unlock(passphrase=PASSPHRASE), vault)["files"]
    kept = key_file_of(path).read_bytes()
    key_file_of(path).write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    with pytest.raises(BackupBroken):
        restores.verified(path, Unlock(passphrase=PASSPHRASE), vault)
    key_file_of(path).unlink()
    with pytest.raises(BackupBroken):
        restores.verified(path, Unlock(passphrase=PASSPHRASE), vault)


def test_another_identity_does_not_open(small_world: World, small_backup: Path) -> None:
    stranger = Unlock(identities=(pyrage.x25519.Identity.generate(),))
    with pytest.raises(BackupBroken):
        restores.verified(small_backup, stranger, small_world.service.vault)


def test_a_backup_that_somebody_else_wrote_to_our_recipients_is_foreign(
    small_world: World, small_backup: Path, tmp_path: Path
) -> None:
    """Whoever has the public recipients can encrypt, but not say that it is ours."""
    strangers = create_vault(tmp_path / "strangers.json")
    with pytest.raises(ForeignBackup):
        restores.verified(small_backup, UNLOCK, strangers)


def test_a_row_forged_before_the_backup_was_sealed_is_named_and_not_restored(
    small_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = small_world.issued(1)[0]
    database.execute_sql("UPDATE certificate SET serial = 7 WHERE id = ?", (certificate.id.hex,))
    path = tmp_path / "backups" / "a.age"
    told = back_up(small_world.service, path, LOCK)
    assert [(f.table, f.row) for f in told.findings] == [("certificate", str(certificate.id))]
    monkeypatch.setattr(backups, "_tampered", lambda _opened: iter(()))
    silent = back_up(small_world.service, path.with_name("silent.age"), LOCK).path
    database.close()
    place = place_at(tmp_path / "place", f"sqlite:///{tmp_path}/place/registry.db", small_world)
    with pytest.raises(RowsUnverified, match=str(certificate.id)):
        restore(place.settings, silent, UNLOCK)
    assert dumps.is_empty(database.obj)
    assert not list(place.settings.documents_directory.glob("**/*"))
    database.close()
    # A finding that the backup itself has told of comes back as it was, and is told again.
    assert restore(place.settings, path, UNLOCK).findings == [("certificate", str(certificate.id))]


# Where it goes


def test_a_place_that_is_not_empty_is_left_as_it_is(
    small_world: World, small_backup: Path, tmp_path: Path
) -> None:
    before = everything()
    with pytest.raises(PlaceTaken, match="database"):
        restore(small_world.service.settings, small_backup, UNLOCK)
    assert everything() == before
    assert FileMark(small_world.service.settings.numbers_file).read().head
    database.close()
    place = place_at(tmp_path / "place", f"sqlite:///{tmp_path}/place/registry.db", small_world)
    kept = place.settings.documents_directory / "ab" / "cd" / "somebody's"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"x")
    with pytest.raises(PlaceTaken, match="documents"):
        restore(place.settings, small_backup, UNLOCK)
    assert kept.read_bytes() == b"x"


def test_a_backup_replaces_no_file(small_world: World, small_backup: Path) -> None:
    before = small_backup.read_bytes()
    with pytest.raises(BackupExists):
        back_up(small_world.service, small_backup, LOCK)
    assert small_backup.read_bytes() == before


def test_a_full_disk_leaves_nothing_half_written(small_world: World, tmp_path: Path) -> None:
    small_world.issued(1)
    folder = tmp_path / "backups"
    with no_file_larger_than(40_000), pytest.raises(BackupUnwritable):
        back_up(small_world.service, folder / "a.age", LOCK)
    assert list(folder.iterdir()) == []
    backed_up(small_world, folder / "a.age")


# What is in it, and what is not


def test_no_secret_key_and_no_plain_personal_data_is_in_a_backup(
    small_world: World, small_backup: Path
) -> None:
    content = b"\n".join(content for _, content in members(small_backup, UNLOCK))
    settings = small_world.service.settings
    for key in json.loads(settings.secrets_file.read_text()).values():
        for text in key.values() if isinstance(key, dict) else [str(key)]:
            assert len(text) < 8 or text.encode() not in content
    private = next(settings.keys_directory.glob("*.private.json"))
    assert json.loads(private.read_text())["sealed"].encode() not in content
    name, citizen_id, _ = PEOPLE[0]
    assert citizen_id.encode() not in content
    assert json.dumps(name).strip('"').encode() not in content
    assert name.encode() not in content
    assert LICENCE not in content


def test_other_tools_read_a_backup_as_documented(small_world: World, small_backup: Path) -> None:
    """age and tar are all that it takes."""
    plain = pyrage.decrypt(small_backup.read_bytes(), [IDENTITY])
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        names = tar.getnames()
        manifest = json.load(tar.extractfile("manifest.json"))
    assert names[-2:] == ["manifest.json", "manifest.mac"]
    assert names[:-2] == list(manifest["files"])
    assert {"policy.toml"} | {
        f"keys/{key.id.hex()}.public.json" for key in small_world.service.key_ring()
    } <= {*names}


def test_secret_keys_go_elsewhere_and_come_back_from_there(
    small_world: World, small_backup: Path, tmp_path: Path
) -> None:
    certificate_key = small_world.service.signer().key_id
    with pytest.raises(SecretsBeside):
        set_secrets_aside(small_world.service, small_backup.with_name("s.age"), LOCK, away_from=small_backup)
    escrow = tmp_path / "safe" / "secrets.age"
    set_secrets_aside(small_world.service, escrow, LOCK, away_from=small_backup)
    assert escrow.stat().st_mode & 0o077 == 0
    database.close()
    place = place_at(
        tmp_path / "place", f"sqlite:///{tmp_path}/place/registry.db", small_world, secrets=False
    )
    with pytest.raises(BackupBroken):
        restores.bring_secrets(
            place.settings, escrow, Unlock(identities=(pyrage.x25519.Identity.generate(),))
        )
    restores.bring_secrets(place.settings, escrow, UNLOCK)
    restore(place.settings, small_backup, UNLOCK)
    service = place.holding(small_world)
    signer = signing.load_signer(service.settings.keys_directory, service.vault.signing_passphrase)
    assert signer.key_id == certificate_key
    other = place_at(
        tmp_path / "other", f"sqlite:///{tmp_path}/other/registry.db", small_world, secrets=False
    )
    create_vault(other.settings.secrets_file)
    with pytest.raises(PlaceTaken):
        restores.bring_secrets(other.settings, escrow, UNLOCK)


# The command line


class Terminal:
    """The command line over one registry."""

    def __init__(self, settings: Settings) -> None:
        self.environment = {
            "DATABASE_URL": settings.database_url,
            "SECRETS_FILE": str(settings.secrets_file),
            "KEYS_DIRECTORY": str(settings.keys_directory),
            "DOCUMENTS_DIRECTORY": str(settings.documents_directory),
            "PUBLIC_URL": settings.public_url,
            "NUMBERS_FILE": "",
        }

    def run(self, *words: str, expect: int = 0) -> str:
        done: Result = CliRunner().invoke(main, words, env=self.environment)
        if not database.is_closed():
            database.close()
        assert done.exit_code == expect, done.output
        return done.output


def test_the_journey_of_an_operator_from_backup_to_the_first_number_after(
    small_world: World, tmp_path: Path
) -> None:
    number = small_world.issued(2)[-1].number
    folder = tmp_path / "backups"
    folder.mkdir()
    (tmp_path / "recipients").write_text(f"# kept offline\n{IDENTITY.to_public()}\n")
    (tmp_path / "identity").write_text(f"# kept offline\n{IDENTITY}\n")
    (tmp_path / "passphrase").write_text(f"{PASSPHRASE}\n")
    (tmp_path / "short").write_text("short")
    terminal = Terminal(small_world.service.settings)
    to = ("--recipients", str(tmp_path / "recipients"))
    told = terminal.run("backup", str(folder), *to, "--keep", "1")
    assert "问题 findings: 0" in told
    time.sleep(1.1)
    secrets = ("--with-secrets", str(tmp_path / "s.age"), "--secrets-passphrase-file")
    terminal.run("backup", str(folder), *to, "--keep", "1", *secrets, str(tmp_path / "passphrase"))
    [path] = folder.iterdir()
    assert "16" in terminal.run(
        "backup", f"{folder}/b", "--passphrase-file", str(tmp_path / "short"), expect=2
    )

    place = place_at(
        tmp_path / "place", f"sqlite:///{tmp_path}/place/registry.db", small_world, secrets=False
    )
    fresh = Terminal(place.settings)
    opening = ("--identity", str(tmp_path / "identity"))
    bringing = (
        "--secrets",
        str(tmp_path / "s.age"),
        "--secrets-passphrase-file",
        str(tmp_path / "passphrase"),
    )
    assert "confirm-gap" in fresh.run("restore", str(path), *opening, *bringing)
    assert "不是空的" in fresh.run("restore", str(path), *opening, expect=1)
    assert "登记册无误" in fresh.run("check")
    assert "certificate/630200/2025=2" in fresh.run("restore", "confirm-gap", expect=2)
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    for stated in (wrong, "certificate/630200/2025", "x=y"):
        fresh.run("restore", "confirm-gap", "--last", stated, "--margin", "0", "--reason", "演练", expect=1)
    fresh.run("restore", "confirm-gap", "--margin", "0", expect=1)
    told = fresh.run("restore", "confirm-gap", "--last", number, "--margin", "10", "--reason", "演练")
    assert "class_filing/2025   断号 gap 2–11" in told
    assert "登记册无误" in fresh.run("check")


def test_a_finding_ends_the_backup_with_status_one_and_keeps_the_older_ones(
    small_world: World, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    (tmp_path / "recipients").write_text(str(IDENTITY.to_public()))
    (folder / "registry-20200101T000000Z.age").write_bytes(b"an older one")
    keep_licence(small_world)
    document = next(small_world.service.settings.documents_directory.glob("??/??/*"))
    document.write_bytes(b"altered")
    to = ("--recipients", str(tmp_path / "recipients"))
    told = Terminal(small_world.service.settings).run("backup", str(folder), *to, "--keep", "1", expect=1)
    assert "问题 findings: 1" in told
    assert len(list(folder.iterdir())) == 2


def test_what_is_no_recipient_is_refused(small_world: World, tmp_path: Path) -> None:
    for text in ("", "# nothing", "age1nonsense", str(IDENTITY)):
        (tmp_path / "recipients").write_text(text)
        told = Terminal(small_world.service.settings).run(
            "backup", str(tmp_path / "b.age"), "--recipients", str(tmp_path / "recipients"), expect=1
        )
        assert "age1" in told
    assert not (tmp_path / "b.age").exists()
