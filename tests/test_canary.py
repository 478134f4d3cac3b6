"""A canary: one trainee with a planted name, ID, card and phone, looked for everywhere it must not be.

Every answer of the API to every role, logs, the files of the database, the documents, a backup, the metadata of
papers and the words of every refusal; in UTF-8, UTF-16, GBK, base64, hexadecimal, and as an unsalted hash.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import hashlib
import io
import json
import sqlite3
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from flask.testing import FlaskClient

from api import backup_files, backups, limits
from api.logs import configure
from skills_registry import documents, person_files
from skills_registry.foundation.identifiers import check_citizen_id
from skills_registry.training.classes import TrainingClass
from skills_registry.training.enrolments import Enrolment
from tests.made_sheets import workbook
from tests.test_access import filled, named, routes
from tests.world import World, application

__all__ = ["named"]

NAME, NUMBER, PHONE = "公孙韫玉", "632122198107079978", "13897600421"
CARD = NUMBER + "43"
NUMBERS = (NUMBER, CARD, PHONE)
EVERYONE = ("base_clerk", "county_officer", "city_officer", "auditor", "admin")


@functools.cache
def forms(secret: str) -> dict[str, bytes]:
    """A secret as it may hide: in every encoding, escaped, or as a hash that anybody can compute."""
    written = {
        "utf-8": secret.encode(),
        "utf-16": secret.encode("utf-16-le"),
        "utf-16 big": secret.encode("utf-16-be"),
        "gbk": secret.encode("gb18030"),
    }
    found = dict(written) | {"escaped": json.dumps(secret)[1:-1].encode()}
    for encoding, content in written.items():
        found[f"hex of {encoding}"] = content.hex().encode()
        for shift in range(3):
            # Wherever it begins, these characters of base64 are its own.
            coded = base64.b64encode(b"\0" * shift + content)
            found[f"base64 of {encoding} +{shift}"] = coded[-(-shift * 8 // 6) : len(coded) // 4 * 4 - 4]
    for name in ("md5", "sha1", "sha256", "sm3"):
        if name in hashlib.algorithms_available:
            digest = hashlib.new(name, secret.encode())
            found |= {name: digest.hexdigest().encode(), f"raw {name}": digest.digest()}
    return found


def traces(content: bytes, *secrets: str) -> list[tuple[str, str]]:
    """Which secret hides in these bytes, and how."""
    upper = content.upper()
    return [
        (secret, form)
        for secret in secrets
        for form, sought in forms(secret).items()
        if sought in content or ("hex" in form and sought.upper() in upper)
    ]


def unpacked(content: bytes) -> bytes:
    """The bytes of an answer, with what lies compressed in workbooks, archives and papers laid open."""
    if content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return content + b"\n".join(unpacked(archive.read(name)) for name in archive.namelist())
    if content.startswith(b"%PDF-"):
        laid_open = run("qpdf", "--qdf", "--object-streams=disable", "-", "-", content=content)
        return laid_open + run("pdftotext", "-", "-", content=content) + metadata(content)
    return content


def metadata(pdf: bytes) -> bytes:
    """What a paper says about itself: its information, XMP and what is attached."""
    return b"".join(
        run(*words, content=pdf)
        for words in (("pdfinfo", "-"), ("pdfinfo", "-meta", "-"), ("pdfinfo", "-struct", "-"))
    )


def run(*words: str, content: bytes) -> bytes:
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        file.write(content)
        file.flush()
        # pdfinfo reads no standard input.
        words = tuple(
            file.name if word == "-" and place == words.index("-") else word
            for place, word in enumerate(words)
        )
        # What only begins like a paper is looked at as the bytes that it is.
        return subprocess.run(words, check=False, capture_output=True, timeout=60).stdout


def sheet(*rows: tuple[Any, ...]) -> bytes:
    return workbook([("姓名", "身份证号", "残疾人证号", "联系电话"), *rows])


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What the service logs."""
    kept = io.StringIO()
    configure()
    structlog.configure(
        logger_factory=structlog.WriteLoggerFactory(file=kept), cache_logger_on_first_use=False
    )
    yield kept
    structlog.reset_defaults()


@pytest.fixture
def client(small_world: World, logged: io.StringIO) -> Iterator[FlaskClient]:
    app = application(small_world)
    limits.limiter.enabled = False
    with app.test_client() as made:
        yield made
    limits.limiter.enabled = True


def bearer(world: World, account: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.key(account)}"}


def upload(client: FlaskClient, world: World, training_class: TrainingClass, content: bytes) -> Any:
    return client.post(
        f"/api/v1/classes/{training_class.id}/roster",
        data={"file": (io.BytesIO(content), f"{NAME}{NUMBER}.xlsx")},
        headers=bearer(world, "base_clerk"),
    )


@pytest.fixture
def kept_open(small_world: World) -> Iterator[None]:
    """Another reader of the database, so that its write-ahead log stays as it does in a service."""
    path = small_world.service.settings.database_url.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT count(*) FROM person").fetchall()
        yield


@pytest.fixture
def planted(client: FlaskClient, small_world: World, named: dict[str, str]) -> dict[str, str]:
    """The canary in a class with a certificate, a refused row, an error, and a paper on the shelf."""
    training_class = small_world.open_class(title="金丝雀")
    good = (NAME, NUMBER, CARD, PHONE)
    refused = (NAME, NUMBER[:-1] + "0", CARD, PHONE)
    sent = upload(client, small_world, training_class, sheet(good, refused))
    assert sent.status_code == 201, sent.text
    confirmed = client.post(
        f"/api/v1/uploads/{sent.json['id']}/confirmation", headers=bearer(small_world, "base_clerk")
    )
    assert confirmed.status_code == 200, confirmed.text
    enrolment = Enrolment.get(Enrolment.training_class == training_class.id)
    small_world.grade(enrolment)
    client.post(f"/api/v1/classes/{training_class.id}/submission", headers=bearer(small_world, "base_clerk"))
    approved = client.post(
        f"/api/v1/classes/{training_class.id}/approval", headers=bearer(small_world, "city_officer")
    )
    assert approved.status_code == 200, approved.text
    paper = f"%PDF-1.4\n{NAME} {NUMBER} {CARD} {PHONE}\n%%EOF\n".encode()
    kept = documents.keep(
        small_world.act("base_clerk"),
        "base",
        small_world.base.id,
        "other",
        paper,
        small_world.service.shelf(),
    )
    return named | {
        "class_id": str(training_class.id),
        "upload_id": sent.json["id"],
        "enrolment_id": str(enrolment.id),
        "person_id": str(enrolment.person_id),
        "number": approved.json["certificates"][0],
        "document_of_canary": str(kept.id),
    }


def papers_in(content: bytes) -> list[bytes]:
    if content.startswith(b"%PDF-"):
        return [content]
    if not content.startswith(b"PK\x03\x04"):
        return []
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [archive.read(name) for name in archive.namelist() if name.endswith(".pdf")]


def exits(world: World) -> set[str]:
    """The doors that the policy lets whole numbers leave by."""
    rule = world.service.policy.rule("whole_numbers", world.now.date())
    return {door["route"] for door in rule["exits"]}


def answers(
    client: FlaskClient, world: World, ids: dict[str, str]
) -> Iterator[tuple[str, str, str, str, Any]]:
    """Every route of the API, asked by every role it is for, with the canary's own ids."""
    for method, path, _, roles in routes(client):
        for role in EVERYONE:
            if role in roles and not path.startswith("/api/v1/accounts"):
                door = f"{method} {path.removeprefix('/api/v1')}"
                body = {} if method == "GET" else {"json": {"reason": "核对"}}
                answer = client.open(filled(path, ids), method=method, headers=bearer(world, role), **body)
                yield door, role, method, path, answer


def test_the_canary_would_be_found_in_every_form() -> None:
    for secret in (*NUMBERS, NAME):
        for form, sought in forms(secret).items():
            assert (secret, form) in traces(b"..." + sought + b"...", secret)
        for start in range(4):
            coded = base64.b64encode(b"x" * start + secret.encode() + b"yz")
            assert traces(coded, secret), start
    assert check_citizen_id(NUMBER, World.__dataclass_fields__["now"].default.date()).problems == ()
    assert traces(unpacked(sheet((NAME, NUMBER, CARD, PHONE))), NUMBER)


def test_whole_numbers_leave_by_the_doors_of_the_policy_only_and_papers_say_nothing_of_themselves(
    client: FlaskClient, small_world: World, planted: dict[str, str]
) -> None:
    allowed, seen, asked, papers = exits(small_world), set(), 0, 0
    for door, role, _, _, answer in answers(client, small_world, planted):
        found = traces(unpacked(answer.data), NUMBER, CARD)
        if found:
            seen.add(door)
        asked += answer.status_code == 200
        assert not found or door in allowed, (door, role, found)
        assert not traces(str(answer.headers).encode(), *NUMBERS, NAME), (door, role)
        for paper in papers_in(answer.data):
            papers += 1
            assert traces(metadata(paper), *NUMBERS, NAME) == [], (door, role)
    assert asked > 60
    assert papers > 5
    assert "POST /people/<person_id>/reveal" in seen


def test_an_admin_and_strangers_meet_neither_name_nor_number(
    client: FlaskClient, small_world: World, planted: dict[str, str]
) -> None:
    for method, path, _, roles in routes(client):
        for account in ("admin", "sibling_clerk", "other_county_officer", "far_officer", "far_auditor"):
            role = small_world.accounts[account].role
            if role in roles and method == "GET":
                answer = client.get(filled(path, planted), headers=bearer(small_world, account))
                assert traces(unpacked(answer.data), *NUMBERS, NAME) == [], (account, path)


def test_the_public_meets_neither_name_nor_number(
    client: FlaskClient, small_world: World, planted: dict[str, str]
) -> None:
    pages = 0
    for rule in client.application.url_map.iter_rules():
        if rule.rule.startswith(("/api/", "/static")) or "GET" not in rule.methods:
            continue
        answer = client.get(filled(rule.rule, planted | {"code": "1"}))
        pages += answer.status_code == 200
        assert traces(unpacked(answer.data), *NUMBERS, NAME) == [], rule.rule
    assert pages > 8


def test_no_refusal_repeats_what_was_sent(
    client: FlaskClient, small_world: World, planted: dict[str, str]
) -> None:
    refusals = 0
    hostile = {
        "reason": "",
        NUMBER: NAME,
        "citizen_id": NUMBER + "9",
        "name": f"={NAME}",
        "phone": [PHONE],
        "new_value": CARD,
    }
    for method, path, names, roles in routes(client):
        account = next((role for role in EVERYONE if role in roles), None)
        if account is None:
            continue
        headers = bearer(small_world, account)
        ids = dict.fromkeys(names, NUMBER)
        sent = [
            client.open(filled(path, ids), method=method, headers=headers, json=hostile),
            client.open(f"{filled(path, planted)}?{NUMBER}={PHONE}", method=method, headers=headers),
            client.open(
                filled(path, planted), method=method, headers=headers, data=f'{{"{NAME}": "{NUMBER}"'
            ),
        ]
        for answer in sent:
            if answer.status_code >= 400:
                refusals += 1
                assert traces(answer.data, *NUMBERS) == [], (method, path, answer.text[:400])
                assert answer.status_code < 500, (method, path)
    assert refusals > 200


def test_logs_hold_no_trace(
    client: FlaskClient, small_world: World, planted: dict[str, str], logged: io.StringIO
) -> None:
    client.get(f"/api/v1/people/{NUMBER}?name={NAME}", headers=bearer(small_world, "city_officer"))
    client.post("/verify", data={"number": NUMBER, "name": NAME})
    client.get(f"/v/{NUMBER}")
    lines = logged.getvalue()
    assert lines.count('"endpoint"') > 5
    assert traces(lines.encode(), *NUMBERS, NAME) == []


def test_the_files_of_the_database_and_the_shelf_hold_no_trace(
    client: FlaskClient, kept_open: None, small_world: World, planted: dict[str, str]
) -> None:
    settings = small_world.service.settings
    found = {}
    for path in settings.secrets_file.parent.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            found[path.name] = len(content)
            assert traces(content, *NUMBERS, NAME) == [], path.name
    assert {"registry.db", "registry.db-wal"} <= set(found)
    assert found["registry.db-wal"] > 100_000
    assert any(path.is_file() for path in settings.documents_directory.rglob("*"))


def test_a_backup_holds_no_trace_even_when_it_is_opened(
    client: FlaskClient, small_world: World, planted: dict[str, str], tmp_path: Path
) -> None:
    target, word = tmp_path / "backup.age", "corred horse battery staple"
    backups.back_up(small_world.service, target, backup_files.Lock(passphrase=word))
    assert traces(target.read_bytes(), *NUMBERS, NAME) == []
    opened = list(backup_files.members(target, backup_files.Unlock(passphrase=word)))
    assert len(opened) > 20
    for name, content in opened:
        assert traces(content, *NUMBERS, NAME) == [], name


def test_the_persons_own_file_is_whole_and_its_doors_are_told(
    small_world: World, planted: dict[str, str]
) -> None:
    enrolment = Enrolment.get_by_id(planted["enrolment_id"])
    file = person_files.read_file(small_world.act("county_officer"), enrolment.person, "本人查阅", whole=True)
    assert (file.citizen_id, file.disability_card) == (NUMBER, CARD)
