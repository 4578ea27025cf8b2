"""The real server, its readers, and the processor time they take."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from benchmarks.load import Order, Outcome

TICK = os.sysconf("SC_CLK_TCK")
ROOT = Path(__file__).resolve().parent.parent
WORKERS = 2


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _processes() -> dict[int, tuple[int, int]]:
    """Parent and ticks of processor time of every process; none where there is no /proc."""
    found: dict[int, tuple[int, int]] = {}
    if not Path("/proc/self/stat").exists():
        return found
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            stat = (folder / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        found[int(folder.name)] = int(stat[1]), int(stat[11]) + int(stat[12])
    return found


def _family(root: int, processes: Mapping[int, tuple[int, int]]) -> list[int]:
    children: dict[int, list[int]] = {}
    for pid, (parent, _ticks) in processes.items():
        children.setdefault(parent, []).append(pid)
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += children.get(pid, [])
    return found


def family_of(root: int) -> list[int]:
    """A process and all below it."""
    return _family(root, _processes())


def processor_seconds(root: int) -> float | None:
    """User and system time of a process and all below it; None where there is no /proc."""
    processes = _processes()
    if not processes:
        return None
    family = _family(root, processes)
    return sum(processes[pid][1] for pid in family if pid in processes) / TICK


@contextmanager
def running_server(
    command: list[str], environment: Mapping[str, str], port: int, log: Path
) -> Iterator[int]:
    """Start the server; gives the id of its first process once it answers."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command[:-1], "benchmarks.wsgi:app"],
            env={**os.environ, **environment},
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_until_it_answers(process, port, log)
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + 180
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"The server does not answer:\n{log.read_text()[-3000:]}")


class Readers:
    """The process that sends requests."""

    def __init__(self, port: int, requests: Path) -> None:
        self.port = port
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.load", str(requests)],
            cwd=ROOT,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def read(self, page: str, readers: int, seconds: float) -> Outcome:
        """Have `readers` ask for a page for some seconds."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = Order(self.port, page, readers, seconds)
        self._process.stdin.write(json.dumps(asdict(order)) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("The readers have stopped.")
        return Outcome(**json.loads(line))

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=20)
