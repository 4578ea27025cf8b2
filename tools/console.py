"""Saying what happens: steps with their time, and problems with what to do about them."""

import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from tools.places import LOGS, ROOT

TAIL_LINES = 25
NETWORK_SIGNS = (
    "failed to establish a new connection",
    "temporary failure in name resolution",
    "temporary failure resolving",
    "name or service not known",
    "nodename nor servname provided",
    "network is unreachable",
    "could not resolve",
    "connection timed out",
    "read timed out",
    "connecttimeouterror",
    "enotfound",
    "eai_again",
    "econnrefused",
    "etimedout",
    "(from versions: none)",
)
# open files that a step's program keeps too: a lock then lasts until that program has ended,
# even if this one was killed meanwhile
KEPT_OPEN: set[int] = set()
NETWORK_ADVICE = (
    "The network did not answer. Check the connection (behind a proxy, the variable HTTPS_PROXY), "
    "then run the same command again: it goes on where it stopped."
)


class Problem(Exception):
    """Something that stops the command; the text says what was wrong and what to do."""


def say(text: str = "") -> None:
    """Print a line at once."""
    print(text, flush=True)


def warn(text: str) -> None:
    """A warning that cannot be overlooked."""
    bar = "!" * 78
    say(f"\n{bar}\n{text}\n{bar}\n")


def duration(seconds: float) -> str:
    """4.2 s, or 3 min 05 s."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


def without_secrets(text: str) -> str:
    """The text with the user names and passwords in addresses blotted out."""
    return re.sub(r"(\w+://)[^/\s@]+@", r"\1***@", text)


def looks_like_no_network(text: str) -> bool:
    """Whether an output tells of a network that is not there."""
    lowered = text.lower()
    return any(sign in lowered for sign in NETWORK_SIGNS)


class Step:
    """One line that tells what is being done, how far it is, and how long it took."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.latest = ""
        self._started = time.monotonic()
        self._finished = threading.Event()
        self._is_terminal = sys.stdout.isatty()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Self:
        if self._is_terminal:
            self._ticker.start()
        else:
            say(f"{self.title} ...")
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        self._finished.set()
        word = "failed after" if failure else "done in"
        line = f"{word} {duration(time.monotonic() - self._started)}"
        if self._is_terminal:
            self._ticker.join()
            say(f"\r\033[K{self.title}: {line}")
        else:
            say(f"  {line}")

    def _tick(self) -> None:
        while not self._finished.wait(0.2):
            line = f"{self.title}: {duration(time.monotonic() - self._started)}  {self.latest}"
            width = max(20, min(100, shutil.get_terminal_size().columns))
            print(f"\r\033[K{line[: width - 1]}", end="", flush=True)


def run_step(
    title: str,
    command: Sequence[str | Path],
    *,
    log: str,
    advice: str = "",
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
) -> None:
    """Run a command as one step; its output goes to a log, whose end is shown if it fails.

    log: name of the log file. advice: what to do about a failure.
    """
    LOGS.mkdir(parents=True, exist_ok=True)
    path = LOGS / f"{log}.log"
    with Step(title) as step, path.open("w", encoding="utf-8") as output:
        try:
            process = subprocess.Popen(
                [str(part) for part in command],
                cwd=cwd,
                env=env,
                stdin=None,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                pass_fds=tuple(KEPT_OPEN),
            )
        except OSError as error:
            raise Problem(f"{title} failed: {error}") from error
        assert process.stdout
        try:
            for line in process.stdout:
                output.write(line)
                output.flush()
                step.latest = line.strip()
            code = process.wait()
        except KeyboardInterrupt:
            process.terminate()
            process.wait()
            raise
        if code != 0:
            raise Problem(failure_text(title, path, advice))


def answer(command: list[str | Path]) -> str | None:
    """What a short command prints; None if it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def failure_text(title: str, log: Path, advice: str) -> str:
    """What to tell after a failed step: the end of its log, and what to do now."""
    text = log.read_text(encoding="utf-8", errors="replace")
    tail = "\n".join(f"    {line}" for line in text.splitlines()[-TAIL_LINES:])
    if looks_like_no_network(text):
        advice = NETWORK_ADVICE
    return without_secrets(
        f"{title} failed. The end of its output:\n\n{tail}\n\n"
        f"{advice}{' ' if advice else ''}The whole output is in {log}."
    )
