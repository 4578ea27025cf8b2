"""The whole product as a user has it: own data folder, demo data, server and worker processes."""

from __future__ import annotations

import contextlib
import email
import email.policy
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PASSWORD = "puente-demo"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Site:
    """A running Puente with the demo's people and courses."""

    data_dir: Path
    port: int = field(default_factory=free_port)
    extra: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("LMS_")}
        return clean | {
            "LMS_DATA_DIR": str(self.data_dir),
            "LMS_BASE_URL": self.url,
            "LMS_PASSWORD_TIME_COST": "1",
            "LMS_PASSWORD_MEMORY_KIB": "1024",
            "LMS_RATE_LIMITS": "false",
            "LMS_LOG_LEVEL": "WARNING",
            "LMS_SERVER_WORKERS": "1",
            "LMS_DEMO": "true",
            **self.extra,
        }

    def lms(self, *arguments: str) -> str:
        """Run the command line; gives what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "lms.cli", *arguments],
            env=self.environment, cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def prepare(self) -> None:
        """Database, starter courses and demo people."""
        self.lms("init")
        self.lms("demo")

    def start(self, *arguments: str) -> None:
        """Start server and worker and wait until they answer."""
        log = (self.data_dir / "server.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lms.cli", "run", "--port", str(self.port), *arguments],
            env=self.environment, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        self.wait_until_ready()

    def wait_until_ready(self, seconds: float = 60) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(f"{self.url}/readyz", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                assert self.process is None or self.process.poll() is None, self.log()
                time.sleep(0.1)
        raise AssertionError(f"the server did not answer:\n{self.log()}")

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process = None

    def log(self) -> str:
        path = self.data_dir / "server.log"
        return path.read_text(errors="replace")[-6000:] if path.exists() else ""

    def mails(self, to: str) -> list[EmailMessage]:
        """Mails that arrived for an address, in order."""
        found = []
        paths = list((self.data_dir / "mails").glob("*.eml"))
        for path in sorted(paths, key=lambda p: p.stat().st_mtime_ns):
            message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            if to.lower() in str(message["To"]).lower():
                found.append(message)
        return found

    def wait_for_mail(self, to: str, about: str, seconds: float = 30) -> EmailMessage:
        """The newest mail whose subject holds `about` (a regular expression)."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for message in reversed(self.mails(to)):
                if re.search(about, str(message["Subject"])):
                    return message
            time.sleep(0.1)
        subjects = [str(m["Subject"]) for m in self.mails(to)]
        raise AssertionError(f"no mail about {about!r} for {to}, but {subjects}\n{self.log()}")

    @property
    def demo(self) -> dict:
        """What the demo wrote for scripts."""
        return json.loads((self.data_dir / "demo.json").read_text())


def power_cut(process: subprocess.Popen[bytes]) -> None:
    """End a process that leads a session, and all that it started, without farewell.

    `lms run` has its server in a group of its own: killing the one would leave the other.
    """
    for number in _all_processes():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getsid(number) == process.pid:
                os.kill(number, signal.SIGKILL)
    process.wait(20)


def _all_processes() -> list[int]:
    if Path("/proc/self").exists():
        return [int(found.name) for found in Path("/proc").iterdir() if found.name.isdecimal()]
    listed = subprocess.run(["ps", "-A", "-o", "pid="], capture_output=True, text=True, check=True)
    return [int(line) for line in listed.stdout.split()]


def link_in(message: EmailMessage, pattern: str = r"https?://\S+") -> str:
    """The first address in a mail's plain text that matches."""
    text = message.get_body(("plain",)).get_content()
    found = re.search(pattern, text)
    assert found, text
    return found.group().rstrip(").,>")
