"""One line of JSON per request: what was asked, by which role, how it ended, how long it took.

Never a path (it holds numbers and codes), a query, a body, an address or a name: the endpoint says
what was asked, and of a scanned code its first digits, enough to see that many people ask for one.
"""

from __future__ import annotations

import logging
import sys
import time

import structlog
from flask import Flask, Response, g, request

#: How many digits of a scanned code a line may hold: version and key, which all certificates share, and a few.
CODE_DIGITS = 16

#: The methods of HTTP; a caller may send any word in their place, which is nobody's business to keep.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

log = structlog.get_logger("requests")


def configure() -> None:
    """JSON lines on standard error, for whatever collects a service's log."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )


def method() -> str:
    """The method of this request, or ``other``."""
    return request.method if request.method in METHODS else "other"


def install(app: Flask) -> None:
    """Log every request of the app."""
    app.before_request(_start)
    app.after_request(_finish)


def _start() -> None:
    g.started = time.perf_counter()


def _finish(response: Response) -> Response:
    if request.endpoint == "static":
        return response
    caller = g.act.by if "act" in g else None
    code = (request.view_args or {}).get("code", "")
    log.info(
        "request",
        method=method(),
        endpoint=request.endpoint or "unknown",
        status=response.status_code,
        milliseconds=round((time.perf_counter() - g.get("started", time.perf_counter())) * 1000, 1),
        role=caller.role if caller else "public",
        **({"account": str(caller.account_id)} if caller and caller.account_id else {}),
        **({"code": code[:CODE_DIGITS]} if code.isascii() and code.isdigit() else {}),
    )
    return response
