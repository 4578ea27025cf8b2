"""Running the product: Granian serves, Huey's consumer does the jobs."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from types import FrameType

from flask import current_app
from huey.consumer import Consumer

from lms.config import ConfigurationError
from lms.core.settings import settings

log = logging.getLogger("lms.serve")
OTHERS_MAY_TAKE = 30  # seconds until a silent service counts as away


def work(threads: int | None = None) -> None:
    """Do jobs until the process is asked to stop; the job at hand is finished first."""
    socket.setdefaulttimeout(OTHERS_MAY_TAKE)  # some clients know no timeout of their own
    queue = current_app.extensions["huey"]
    consumer = Consumer(
        queue,
        workers=threads or settings().worker_threads,
        periodic=True,
        initial_delay=0.05,
        backoff=1.2,
        max_delay=0.5,
        check_worker_health=True,
    )
    consumer.run()


def server_command(host: str, port: int, workers: int | None) -> list[str]:
    """The command that starts Granian with the configured processes and threads."""
    config = settings()
    return [
        sys.executable, "-m", "granian", "--interface", "wsgi",
        "--host", host, "--port", str(port),
        "--workers", str(workers or config.server_workers),
        "--blocking-threads", str(config.server_threads),
        "--no-access-log", "--log-level", "warning", "--respawn-failed-workers",
        "--workers-kill-timeout", "10",
        "lms.wsgi:app",
    ]  # fmt: skip


def require_free(host: str, port: int) -> None:
    """Raise ConfigurationError when something listens at the address already."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            raise ConfigurationError(
                f"nothing can listen at {host}, port {port} ({error.strerror}): stop the other"
                " program or choose another --port"
            ) from None


def serve(host: str, port: int, *, workers: int | None = None, with_worker: bool = True) -> None:
    """Serve until asked to stop; with the worker in this process when wanted.

    Raises ConfigurationError when the address is taken: Granian would share the port with another
    Puente, and old and new would answer in turn.
    """
    require_free(host, port)
    # in a process group of its own: Ctrl-C reaches this process alone, which then ends the server
    # in order; a server process that got both signals could hang until it was killed
    server = subprocess.Popen(
        server_command(host, port, workers), env=dict(os.environ), process_group=0
    )
    if not with_worker:
        _wait(server)
        return

    def stop_with_server() -> None:
        server.wait()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=stop_with_server, daemon=True).start()
    try:
        work()
    finally:
        server.terminate()
        server.wait(timeout=20)
    if server.returncode not in (0, -signal.SIGTERM, -signal.SIGINT):
        sys.exit(server.returncode or 1)


def _wait(server: subprocess.Popen[bytes]) -> None:
    def stop(number: int, frame: FrameType | None) -> None:
        server.terminate()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    sys.exit(server.wait())
