"""Faults are answered, never thrown: a locked or full store, a lost key, a missing font, a store that is away.

Each fault is really made: another process' lock, a database that may not grow, a limit on file sizes,
a key folder moved aside, a machine without fonts, a port where nobody listens.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api.app import create_app
from skills_registry.foundation.storage import database
from tests.test_api import FILING, bearer
from tests.world import World, application


@pytest.fixture
def client(small_world: World) -> Iterator[FlaskClient]:
    app = application(small_world)
    with app.test_client() as made:
        yield made


def file_a_class(client: FlaskClient, world: World) -> TestResponse:
    return client.post("/api/v1/classes", json=FILING, headers=bearer(world, "base_clerk"))


def require_problem(response: TestResponse, status: int) -> None:
    assert response.status_code == status, response.text
    assert response.content_type == "application/problem+json"
    assert int(response.headers["Retry-After"]) > 0
    assert "Traceback" not in response.text


def test_a_locked_database_is_busy_and_the_next_try_succeeds(small_world: World, client: FlaskClient) -> None:
    bearer(small_world, "base_clerk")
    database.obj.pragma("busy_timeout", 20, permanent=True)
    database.obj.pragma("busy_timeout", 20)
    other = sqlite3.connect(database.obj.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    require_problem(file_a_class(client, small_world), 503)
    assert client.get("/readyz").status_code == 200, "reading goes on beside another one's writing"
    other.execute("ROLLBACK")
    other.close()
    assert file_a_class(client, small_world).status_code == 201


def test_a_full_database_says_that_storage_is_full_and_keeps_nothing_half(
    small_world: World, client: FlaskClient
) -> None:
    headers = bearer(small_world, "base_clerk")
    pages = database.execute_sql("PRAGMA page_count").fetchone()[0]
    database.obj.pragma("max_page_count", pages, permanent=True)
    database.obj.pragma("max_page_count", pages)
    answers = [file_a_class(client, small_world) for _ in range(200)]
    full = next(answer for answer in answers if answer.status_code != 201)
    require_problem(full, 507)
    database.obj.pragma("max_page_count", 2**30, permanent=True)
    stored = [answer for answer in answers if answer.status_code == 201]
    listed = client.get("/api/v1/classes?limit=200", headers=headers).json["items"]
    assert len(listed) == len(stored)


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_document_that_finds_no_room_leaves_nothing_on_the_shelf(
    small_world: World, client: FlaskClient
) -> None:
    folder = small_world.service.settings.documents_directory
    picture = b"%PDF-1.4\n" + b"x" * 400_000 + b"\n%%EOF\n"
    with no_file_larger_than(300_000), pytest.raises(OSError, match="too large"):
        small_world.service.shelf().put(picture)
    assert [file for file in folder.rglob("*") if file.is_file()] == []


def test_an_upload_larger_than_the_room_for_it_is_answered_as_full(
    small_world: World, client: FlaskClient
) -> None:
    headers = bearer(small_world, "base_clerk")
    body = (
        b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.xlsx"\r\n\r\n'
        + b"x" * 5_000_000
        + b"\r\n--edge--\r\n"
    )
    training_class = small_world.open_class()
    with no_file_larger_than(4_000_000):
        answer = client.post(
            f"/api/v1/classes/{training_class.id}/roster",
            data=body,
            headers=headers,
            content_type="multipart/form-data; boundary=edge",
        )
    require_problem(answer, 507)


def test_without_a_signing_key_nothing_is_approved_and_no_number_is_lost(
    small_world: World, client: FlaskClient
) -> None:
    training_class = small_world.submitted_class()
    headers = bearer(small_world, "city_officer")
    keys = small_world.service.settings.keys_directory
    keys.rename(keys.with_name("aside"))
    require_problem(client.post(f"/api/v1/classes/{training_class.id}/approval", headers=headers), 503)
    assert client.get("/healthz").status_code == 200
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert [missing.split(":")[0] for missing in ready.json["missing"]] == ["signing_key"]
    keys.with_name("aside").rename(keys)
    answer = client.post(f"/api/v1/classes/{training_class.id}/approval", headers=headers)
    assert answer.json["certificates"][0].startswith("630200-2025-000001-")


DRAWING = """
import sys
from datetime import datetime
from api.app import create_app
from api.settings import from_environment
at = datetime.fromisoformat(sys.argv[3])
with create_app(from_environment(), clock=lambda: at).test_client() as client:
    answer = client.get(sys.argv[1], headers={"Authorization": "Bearer " + sys.argv[2]})
    print("told", answer.status_code, answer.content_type, answer.headers.get("Retry-After", ""))
    print("told", client.get("/readyz").json["missing"])
"""


def test_without_fonts_nothing_is_drawn_and_the_answer_says_so(small_world: World, tmp_path: Path) -> None:
    number = small_world.issued()[0].number
    key = small_world.key("base_clerk")
    settings = small_world.service.settings
    database.close()
    bare = tmp_path / "fonts.conf"
    bare.write_text(
        f"<fontconfig><dir>{tmp_path}/none</dir><cachedir>{tmp_path}/cache</cachedir></fontconfig>"
    )
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            DRAWING,
            f"/api/v1/certificates/{number}/document",
            key,
            small_world.now.isoformat(),
        ],
        env={
            **os.environ,
            "FONTCONFIG_FILE": str(bare),
            "DATABASE_URL": settings.database_url,
            "PUBLIC_URL": settings.public_url,
            "SECRETS_FILE": str(settings.secrets_file),
            "KEYS_DIRECTORY": str(settings.keys_directory),
            "DOCUMENTS_DIRECTORY": str(settings.documents_directory),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    answer, missing = [line for line in told.stdout.splitlines() if line.startswith("told ")]
    assert answer == "told 503 application/problem+json 5"
    assert "fonts" in missing


def test_a_database_that_is_away_is_unavailable_and_the_process_still_lives(
    small_world: World, postgresql_server: str
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    served = small_world.served(database_url=f"postgresql://registry:secret@127.0.0.1:{port}/registry")
    app = create_app(served.settings, clock=small_world.service.clock)
    with app.test_client() as client:
        require_problem(client.get("/api/v1/classes", headers={"Authorization": "Bearer sr_x"}), 503)
        assert client.get("/healthz").status_code == 200
        assert "database" in client.get("/readyz").json["missing"]
        assert "secret" not in client.get("/readyz").text


def test_a_host_name_that_is_not_ours_is_refused(client: FlaskClient) -> None:
    refused = client.get("/verify", headers={"Host": "evil.example"})
    assert refused.status_code == 400
    assert client.get("/verify", headers={"Host": "skills.haidong.example"}).status_code == 200


def test_figures_tell_endpoints_and_nothing_about_anybody(small_world: World, client: FlaskClient) -> None:
    certificate = small_world.issued()[0]
    client.get(f"/api/v1/certificates/{certificate.number}", headers=bearer(small_world, "base_clerk"))
    client.get("/api/v1/classes/unknown", headers=bearer(small_world, "base_clerk"))
    figures = client.get("/metrics").text
    assert (
        'registry_requests_total{endpoint="certificates.read_certificate",method="GET",status="200"}'
        in figures
    )
    assert 'registry_refusals_total{code="not_found"}' in figures
    assert certificate.number not in figures


def test_figures_are_for_this_machine_or_for_who_has_the_token(
    small_world: World, client: FlaskClient
) -> None:
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", headers={"X-Forwarded-For": "10.0.0.1"}).status_code == 404
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "10.0.0.1"}).status_code == 404
    app = create_app(small_world.served(metrics_token="abc").settings)
    with app.test_client() as guarded:
        assert guarded.get("/metrics").status_code == 404
        assert guarded.get("/metrics", headers={"Authorization": "Bearer abc"}).status_code == 200


def test_wrong_keys_hold_up_who_tries_them_and_nobody_else(small_world: World, client: FlaskClient) -> None:
    wrong = {"Authorization": "Bearer sr_00000000_wrong"}
    answers = [client.get("/api/v1/classes", headers=wrong).status_code for _ in range(70)]
    assert answers.count(401) == 60
    assert set(answers[60:]) == {429}
    good = client.get("/api/v1/classes", headers=bearer(small_world, "base_clerk"))
    assert good.status_code == 200, "the same address with a key in force goes on working"


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A real Redis on a free port."""
    program = shutil.which("redis-server")
    assert program, "redis-server is missing: .ci/system test installs it"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [program, "--port", str(port), "--save", "", "--dir", str(tmp_path)], stdout=subprocess.DEVNULL
    )
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield f"redis://127.0.0.1:{port}", process
    process.terminate()
    process.wait(10)


def test_two_processes_count_together_and_each_alone_while_the_store_is_away(
    small_world: World, redis_server: tuple[str, subprocess.Popen[bytes]]
) -> None:
    address, process = redis_server
    settings = small_world.served(rate_limit_storage=address).settings
    number = {"number": small_world.issued()[0].number}
    statuses = []
    for _ in range(2):
        # A fresh app has counters of its own: only the store can know of the other's.
        client = create_app(settings, clock=small_world.service.clock).test_client()
        statuses.append([client.post("/verify", data=number).status_code for _ in range(8)])
    assert 429 not in statuses[0]
    assert statuses[1].count(429) == 6, "eight and two make the ten that one number may be asked"
    process.terminate()
    process.wait(10)
    assert client.get("/verify").status_code == 200, "verification goes on without the store"
    # The limiter is one for the process: it must not look for this store in later tests.
    create_app(small_world.service.settings)


def test_the_openapi_document_is_json_under_a_trusted_host(client: FlaskClient) -> None:
    assert json.loads(client.get("/openapi.json").text)["openapi"].startswith("3.")
