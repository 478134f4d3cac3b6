"""``skills-registry serve``: the service under a production server (granian), in one process or several.

Several processes must count rate limits together, so they need ``REDIS_URL``; without it there is one.
"""

from __future__ import annotations

import os
import tempfile

import click

from api.services import Services
from api.settings import Settings
from skills_registry.foundation.errors import Unavailable
from skills_registry.foundation.storage import database

#: Seconds that requests in hand get to end when the service is told to stop.
GRACE = 30

#: Seconds that a client may take to send its request's headers.
HEADER_SECONDS = 15


def require_shared_counting(settings: Settings, processes: int) -> None:
    """:raises Unavailable: several processes, and no store in which they count together."""
    if processes > 1 and settings.rate_limit_storage.startswith("memory:"):
        raise Unavailable(
            what="多进程需要共同计数 (several processes must count together)",
            remedy="设置 REDIS_URL，或用 --processes 1 (set REDIS_URL, or serve with one process)",
        )


def serve(service: Services, host: str, port: int, *, threads: int, processes: int) -> None:
    """Serve until told to stop.

    :raises Unavailable: something that every request needs is missing.
    """
    from granian.constants import Interfaces
    from granian.http import HTTP1Settings
    from granian.server import Server

    from certificates import document

    require_shared_counting(service.settings, processes)
    document.check_installation()
    service.signer()
    if processes > 1:
        # Where the processes add up their figures for /metrics; it must be known before they start.
        os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="registry-metrics-"))
    database.close()
    click.echo(f"http://{host}:{port}  (Ctrl+C 停止 to stop)")
    Server(
        "api.wsgi:app",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=processes,
        blocking_threads=threads,
        respawn_failed_workers=True,
        workers_kill_timeout=GRACE,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_SECONDS * 1000),
        log_access=False,
    ).serve()
