"""The stand-in behind a port of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from werkzeug.serving import make_server

from lms.payments.demo_gateway.views import make_app
from tests.doubles.stripe.honest import HonestDouble

API_KEY = "sk_test_for_tests"
WEBHOOK_SECRET = "whsec_for_tests"


@contextmanager
def serve_double(folder: Path, webhook_url: str | None = None) -> Iterator[HonestDouble]:
    """Serve a fresh stand-in; `double.address` is the base of its API."""
    double = HonestDouble(folder / "stripe.sqlite3", WEBHOOK_SECRET, "", webhook_url)
    server = make_server("127.0.0.1", 0, make_app(double, API_KEY), threaded=True)
    double.address = f"http://127.0.0.1:{server.server_port}/test-payments"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield double
    finally:
        server.shutdown()
        thread.join()
