"""Structured logs, one JSON object a line, without personal data."""

from __future__ import annotations

import logging
import sys
import time
import uuid

import structlog
from flask import Flask, Response, g, request

from lms.config import Settings

_SKIPPED = {"static", "health.alive", "health.ready", "metrics.show"}


def init_logs(app: Flask, settings: Settings) -> None:
    """Configure structlog over the standard library's logging; one line for each request.

    A request's line holds method, endpoint, status and duration in ms: no address, no query, no
    name.
    """
    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
        structlog.processors.format_exc_info,
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,  # type: ignore[arg-type]
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger("lms")
    root.handlers = [handler]
    root.setLevel(settings.log_level)
    root.propagate = app.testing
    requests = logging.getLogger("lms.requests")

    @app.before_request
    def _start() -> None:
        g.started = time.perf_counter()
        g.request_id = request.headers.get("X-Request-Id", "")[:64] or uuid.uuid4().hex
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    def _line(response: Response) -> Response:
        response.headers.setdefault("X-Request-Id", g.get("request_id", ""))
        if request.endpoint not in _SKIPPED and requests.isEnabledFor(logging.INFO):
            started = g.get("started")
            requests.info(
                "request",
                extra={
                    "method": request.method,
                    "endpoint": request.endpoint,
                    "status": response.status_code,
                    "ms": round((time.perf_counter() - started) * 1000, 1) if started else None,
                },
            )
        return response

    @app.teardown_request
    def _forget(error: BaseException | None) -> None:
        structlog.contextvars.clear_contextvars()
