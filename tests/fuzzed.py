"""A real service to throw things at: the production server over a world's database, its clock standing still.

Started by :func:`serving` as a process of its own, which imports ``application`` from here.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.world import World

CLOCK = "FUZZED_CLOCK"


def application() -> Any:
    """The application as served, without rate limits: they would answer for it."""
    from api import limits, logs
    from api.app import create_app

    logs.configure()
    standing = datetime.fromisoformat(os.environ[CLOCK])
    made = create_app(clock=lambda: standing)
    limits.limiter.enabled = False
    return made


@contextmanager
def serving(world: World, log: Path) -> Iterator[str]:
    """The address of a service over this world; what it logs goes into the file."""
    from tests.conftest import _wait_for

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = world.service.settings
    env = {
        **os.environ,
        CLOCK: world.now.isoformat(),
        "DATABASE_URL": settings.database_url,
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "SECRETS_FILE": str(settings.secrets_file),
        "KEYS_DIRECTORY": str(settings.keys_directory),
        "DOCUMENTS_DIRECTORY": str(settings.documents_directory),
        "PYTHONPATH": str(Path(__file__).parent.parent),
    }
    with log.open("w") as told:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzzed", str(port)], env=env, stdout=told, stderr=told
        )
        try:
            _wait_for(f"http://127.0.0.1:{port}/healthz", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


def main(port: int) -> None:
    """Serve as ``skills-registry serve`` does."""
    from granian.constants import Interfaces
    from granian.server import Server

    Server(
        "tests.fuzzed:application",
        factory=True,
        address="127.0.0.1",
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=2,
        log_access=False,
    ).serve()


if __name__ == "__main__":
    main(int(sys.argv[1]))
