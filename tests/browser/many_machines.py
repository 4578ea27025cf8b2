"""Puente on many machines: PostgreSQL, Redis and an S3 store, two servers, two workers, a proxy."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from moto.server import ThreadedMotoServer

from tests.browser.site import ROOT, Site, free_port, power_cut
from tests.postgres import postgres_server

BUCKET = "puente-files"


class Proxy:
    """Sends each connection to the next server that answers, as a load balancer does."""

    def __init__(self, ports: list[int]) -> None:
        self.ports = ports
        self.next = 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self.listener.getsockname()[1]
        self.is_open = True
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while self.is_open:
            try:
                client, _address = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _connect(self) -> socket.socket | None:
        for _try in range(len(self.ports) * 2):
            self.next += 1
            with contextlib.suppress(OSError):
                return socket.create_connection(
                    ("127.0.0.1", self.ports[self.next % len(self.ports)]), timeout=5
                )
        return None

    def _serve(self, client: socket.socket) -> None:
        server = self._connect()
        if server is None:
            client.close()
            return
        with client, server, selectors.DefaultSelector() as watch:
            watch.register(client, selectors.EVENT_READ, server)
            watch.register(server, selectors.EVENT_READ, client)
            while True:
                for key, _mask in watch.select():
                    try:
                        data = key.fileobj.recv(65536)
                        if not data:
                            return
                        key.data.sendall(data)
                    except OSError:
                        return

    def close(self) -> None:
        self.is_open = False
        self.listener.close()


@dataclass
class ManyMachines(Site):
    """A site of several processes behind one address."""

    servers: list[tuple[int, subprocess.Popen[bytes]]] = field(default_factory=list)
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def spawn(self, *arguments: str) -> subprocess.Popen[bytes]:
        log = (self.data_dir / "server.log").open("ab")
        return subprocess.Popen(
            [sys.executable, "-m", "lms.cli", *arguments],
            env=self.environment, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip

    def start_server(self, port: int) -> None:
        self.servers.append((port, self.spawn("run", "--port", str(port), "--no-worker")))

    def start_worker(self) -> None:
        self.workers.append(self.spawn("worker"))

    def kill_one_of_each(self) -> None:
        """Like a power cut: no farewell."""
        _port, server = self.servers.pop(0)
        for process in (server, self.workers.pop(0)):
            power_cut(process)

    def stop(self) -> None:
        for process in [*(p for _port, p in self.servers), *self.workers]:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in [*(p for _port, p in self.servers), *self.workers]:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """A Redis of its own."""
    program = shutil.which("redis-server")
    if program is None:
        raise FileNotFoundError("Redis is not installed")
    port = free_port()
    process = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
    )
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            break
        time.sleep(0.05)
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(10)


@contextlib.contextmanager
def s3_server() -> Iterator[dict[str, str]]:
    """An S3 store of its own; gives the settings that point Puente to it."""
    import boto3

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=free_port(), verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1",
        aws_access_key_id="test", aws_secret_access_key="test",
    ).create_bucket(Bucket=BUCKET)  # fmt: skip
    options = {"key": "test", "secret": "test", "endpoint_url": endpoint}
    try:
        yield {"LMS_FILES_URL": f"s3://{BUCKET}/files", "LMS_FILES_OPTIONS": json.dumps(options)}
    finally:
        server.stop()


@contextlib.contextmanager
def many_machines(folder: Path) -> Iterator[ManyMachines]:
    """Two servers and two workers on PostgreSQL, Redis and S3, behind a proxy."""
    ports = [free_port(), free_port()]
    proxy = Proxy(ports)
    with postgres_server() as database, redis_server(folder) as redis, s3_server() as files:
        site = ManyMachines(
            folder,
            port=proxy.port,
            extra={
                "LMS_DATABASE_URL": database,
                "LMS_REDIS_URL": redis,
                "LMS_SECRET_KEY": "one key for all machines",
                **files,
            },
        )
        try:
            site.prepare()
            for port in ports:
                site.start_server(port)
            for _worker in range(2):
                site.start_worker()
            site.wait_until_ready()
            yield site
        finally:
            site.stop()
            proxy.close()
