"""Figures for operators (Prometheus): requests by endpoint and how they ended, and how long they took.

No path, no query, no address, no person: an endpoint's name says what was asked. Open to this machine,
and to whoever sends ``METRICS_TOKEN`` as a bearer; everybody else gets what an unknown page gets.
Several processes add up their figures in the folder that ``PROMETHEUS_MULTIPROC_DIR`` names.
"""

from __future__ import annotations

import hmac
import os
import time

from flask import Blueprint, Flask, Response, abort, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from api import logs
from api.callers import services

blueprint = Blueprint("metrics", __name__)

#: Upper bounds of the duration classes, in seconds: pages take milliseconds, a class of 200 some seconds.
SECONDS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)

registry = CollectorRegistry()
requests_total = Counter(
    "registry_requests_total",
    "Requests by endpoint, method and status",
    ("endpoint", "method", "status"),
    registry=registry,
)
request_seconds = Histogram(
    "registry_request_seconds", "How long requests took", ("endpoint",), buckets=SECONDS, registry=registry
)
refusals_total = Counter(
    "registry_refusals_total", "Requests refused, by the problem's code", ("code",), registry=registry
)


@blueprint.get("/metrics")
def figures() -> Response:
    """The figures so far, in Prometheus' text form."""
    if not _may_read():
        abort(404)
    gathered = registry
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        gathered = CollectorRegistry()
        MultiProcessCollector(gathered)  # type: ignore[no-untyped-call]
    return Response(generate_latest(gathered), content_type=CONTENT_TYPE_LATEST)


def _may_read() -> bool:
    token = services().settings.metrics_token
    if token:
        return hmac.compare_digest(
            request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode()
        )
    # A request that came through a proxy is not from this machine, whatever its last hop is.
    forwarded = {"X-Forwarded-For", "Forwarded", "X-Real-Ip"} & set(request.headers.keys())
    return request.remote_addr in ("127.0.0.1", "::1") and not forwarded


def install(app: Flask) -> None:
    """Count every request of the app."""
    app.before_request(_start)
    app.after_request(_finish)


def _start() -> None:
    g.counted_from = time.perf_counter()


def _finish(response: Response) -> Response:
    endpoint = request.endpoint or "unknown"
    requests_total.labels(endpoint, logs.method(), str(response.status_code)).inc()
    if "counted_from" in g:
        request_seconds.labels(endpoint).observe(time.perf_counter() - g.counted_from)
    if "problem_code" in g:
        refusals_total.labels(g.problem_code).inc()
    return response
