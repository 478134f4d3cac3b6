"""The command line: keys, accounts, verification of text, picture and PDF, online and offline."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from certificates import document, qr
from skills_registry.certification import certificates
from skills_registry.certification.certificates import Certificate
from tests.world import World


class Terminal:
    """A terminal in some folder, with the environment of one registry."""

    def __init__(self, world: World, folder: Path) -> None:
        settings = world.service.settings
        self.folder = folder
        self.environment = {
            **os.environ,
            "DATABASE_URL": settings.database_url,
            "SECRETS_FILE": str(settings.secrets_file),
            "KEYS_DIRECTORY": str(settings.keys_directory),
            "PUBLIC_URL": settings.public_url,
            "PYTHONPATH": str(Path(__file__).parent.parent),
        }

    def run(self, *words: str, expect: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "api.commands", *words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == expect, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr


@pytest.fixture
def terminal(small_world: World, tmp_path: Path) -> Terminal:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    return Terminal(small_world, elsewhere)


def address_of(world: World, certificate: Certificate) -> str:
    from api.certificates import verify_url_for

    return verify_url_for(world.service, certificate)


def test_a_certificate_is_verified_from_text_picture_and_pdf(small_world: World, terminal: Terminal) -> None:
    certificate = small_world.issued()[0]
    address = address_of(small_world, certificate)
    (terminal.folder / "scan.png").write_bytes(qr.png(address))
    printed = certificates.printed_of(small_world.service.vault, certificate)
    (terminal.folder / "paper.pdf").write_bytes(document.draw(printed, address))
    for what in (address, "scan.png", "paper.pdf"):
        told = terminal.run("verify", what, "--name", "李晓东")
        assert "有效" in told
        assert certificate.number in told
        assert "一致 match" in told
        assert "李晓东" not in told


def test_offline_a_saved_key_file_tells_authenticity_and_never_validity(
    small_world: World, terminal: Terminal
) -> None:
    certificate = small_world.issued()[0]
    address = address_of(small_world, certificate)
    (terminal.folder / "keys.json").write_text(small_world.service.key_ring().dump(), encoding="utf-8")
    told = terminal.run("verify", address, "--keys", "keys.json")
    assert "状态未知" in told
    assert "在册" not in told.splitlines()[0]
    forged = address[:-1] + ("1" if address[-1] != "1" else "2")
    assert "不真实" in terminal.run("verify", forged, "--keys", "keys.json", expect=2)


def test_a_picture_without_a_code_says_so(terminal: Terminal) -> None:
    blank = io.BytesIO()
    Image.new("L", (200, 200), 255).save(blank, "PNG")
    (terminal.folder / "blank.png").write_bytes(blank.getvalue())
    assert "没有找到" in terminal.run("verify", "blank.png", expect=1)


def test_keys_are_created_listed_and_retired_and_old_certificates_stay_good(
    small_world: World, terminal: Terminal
) -> None:
    certificate = small_world.issued()[0]
    first = small_world.service.signer().key_id.hex()
    second = terminal.run("keys", "create").split()[0]
    assert terminal.run("keys", "list").count("使用中") == 2
    assert small_world.service.signer().key_id.hex() == second
    terminal.run("keys", "retire", first)
    listed = terminal.run("keys", "list")
    assert (listed.count("使用中"), listed.count("已停用")) == (1, 1)
    assert "有效" in terminal.run("verify", address_of(small_world, certificate))
    assert "keys list" in terminal.run("keys", "retire", "nonsense", expect=2)


def test_no_private_key_lies_open_on_the_disk(small_world: World) -> None:
    for file in small_world.service.settings.keys_directory.iterdir():
        assert file.stat().st_mode & 0o077 == 0
        assert b"PRIVATE KEY" not in file.read_bytes()


def test_a_certificate_is_drawn_from_any_folder(small_world: World, terminal: Terminal) -> None:
    certificate = small_world.issued()[0]
    terminal.run("pdf", certificate.number.replace("-", ""))
    assert (terminal.folder / f"{certificate.number}.pdf").read_bytes().startswith(b"%PDF")
    assert "没有找到" in terminal.run("pdf", "630200-2031-000001-0", expect=1)


def test_an_account_is_opened_with_a_key_that_works_and_can_be_revoked(
    small_world: World, terminal: Terminal
) -> None:
    from skills_registry import accounts

    opened = terminal.run(
        *("accounts", "create", "--organisation", "市登记处", "--division", "630200"),
        *("--operator", "新来的同事", "--role", "auditor"),
    )
    account, key = opened.split()
    from api.callers import utc_now

    link = terminal.run("accounts", "invite", account).strip()
    assert link.startswith("https://skills.haidong.example/sign-in/invitation/")
    assert "没有找到" in terminal.run("accounts", "invite", key, expect=1)

    assert accounts.caller_for(key, utc_now()).role == "auditor"
    assert key.split("_")[1] in terminal.run("accounts", "list")
    terminal.run("accounts", "revoke-key", key.split("_")[1])
    assert accounts.caller_for(key, utc_now()) is None


def test_a_registry_whose_secrets_are_lost_refuses_to_make_new_ones(
    small_world: World, terminal: Terminal
) -> None:
    small_world.issued()
    Path(terminal.environment["SECRETS_FILE"]).unlink()
    assert "备份" in terminal.run("keys", "list", expect=1)
    assert not Path(terminal.environment["SECRETS_FILE"]).exists()


def test_a_new_registry_is_ready_after_init(tmp_path: Path, small_world: World) -> None:
    terminal = Terminal(small_world, tmp_path)
    terminal.environment |= {
        "DATABASE_URL": f"sqlite:///{tmp_path}/new/registry.db",
        "SECRETS_FILE": str(tmp_path / "new" / "secrets.json"),
        "KEYS_DIRECTORY": str(tmp_path / "new" / "keys"),
    }
    terminal.run("init")
    terminal.run("init")
    assert terminal.run("keys", "list").count("使用中") == 1
    assert "最新" in terminal.run("migrate")


def test_a_public_address_that_would_not_fit_a_code_is_refused_at_start_up(terminal: Terminal) -> None:
    terminal.environment["PUBLIC_URL"] = "http://registry.example"
    told = terminal.run("keys", "list", expect=1)
    assert "https://" in told


def test_the_demonstration_never_touches_a_registry_with_data(small_world: World, terminal: Terminal) -> None:
    small_world.issued()
    assert "保持不变" in terminal.run("demo")
    assert Certificate.select().count() == 3


def test_the_demonstration_note_holds_what_callers_rely_on(tmp_path: Path, small_world: World) -> None:
    terminal = Terminal(small_world, tmp_path)
    for name in ("DATABASE_URL", "SECRETS_FILE", "KEYS_DIRECTORY"):
        terminal.environment.pop(name)
    terminal.environment["REGISTRY_VAR"] = str(tmp_path / "var")
    terminal.run("demo")
    note = tmp_path / "var" / "demo.json"
    told = json.loads(note.read_text(encoding="utf-8"))
    assert set(told["keys"]) >= {"base_clerk", "county_officer", "city_officer", "auditor", "admin"}
    assert told["verify_url"].startswith("https://skills.haidong.example/v/")
    assert {"certificate_number", "class_id"} <= set(told)
    assert note.stat().st_mode & 0o077 == 0
    terminal.run("demo")
    assert json.loads(note.read_text(encoding="utf-8")) == told


def test_several_processes_need_a_store_in_which_they_count_together(terminal: Terminal) -> None:
    assert "REDIS_URL" in terminal.run("serve", "--processes", "2", expect=1)
