"""/metrics for Prometheus: requests, durations, jobs."""

from __future__ import annotations

import hmac
import time

from flask import Blueprint, Flask, Response, abort, g, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from sqlalchemy import func, select

from lms.config import Settings
from lms.core.db import db
from lms.core.models import OutboxRow
from lms.core.web import public

metrics = Blueprint("metrics", __name__)
registry = CollectorRegistry()
_METHODS = {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}
REQUESTS = Counter(
    "puente_requests", "Requests answered.", ["endpoint", "method", "status"], registry=registry
)
SECONDS = Histogram(
    "puente_request_seconds", "Time to answer a request.", ["endpoint"], registry=registry
)
JOBS = Gauge("puente_outbox_rows", "Outbox rows by state.", ["state"], registry=registry)


@metrics.get("/metrics")
@public
def show() -> Response:
    """Counters of this server process, and the state of the outbox."""
    from lms.core.settings import settings

    token = settings().metrics_token
    if token is not None:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), token.get_secret_value().encode()):
            abort(401)
    elif request.remote_addr not in ("127.0.0.1", "::1"):
        abort(404)
    JOBS.clear()
    for state, count in db.session.execute(
        select(OutboxRow.state, func.count()).group_by(OutboxRow.state)
    ):
        JOBS.labels(state).set(count)
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def init_metrics(app: Flask, settings: Settings) -> None:
    """Count every request and serve /metrics."""
    app.register_blueprint(metrics)

    @app.after_request
    def _count(response: Response) -> Response:
        endpoint = request.endpoint or "none"
        # visitors may invent methods, and each label is kept for ever
        method = request.method if request.method in _METHODS else "other"
        REQUESTS.labels(endpoint, method, str(response.status_code)).inc()
        if "started" in g:
            SECONDS.labels(endpoint).observe(time.perf_counter() - g.started)
        return response
