"""Running checks and tests: stages, side by side where they do not need each other."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from tools.console import duration, say
from tools.places import LOGS, RESULTS, ROOT

LONGEST_STAGE = 30 * 60
SIDE_BY_SIDE = 3  # on two cores: each waits a good part of its time, for pages and databases
HEARTBEAT = 30
NOTHING_COLLECTED = 5  # pytest's exit code when no test was chosen


@dataclass
class Counts:
    """How many tests passed, failed and were skipped. A check that is no test counts as one."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped
        )

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


@dataclass
class Stage:
    """One command among the checks, and what came of it."""

    name: str
    title: str
    command: Sequence[str | Path]
    env: Mapping[str, str]
    is_pytest: bool = False
    may_be_empty: bool = False
    why_not: str = ""  # what is missing to run it; it then counts as one skipped
    seconds: float = 0.0
    has_passed: bool = False
    counts: Counts = field(default_factory=Counts)
    skip_reasons: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.why_not:
            self.counts, self.has_passed = Counts(skipped=1), True
            self.skip_reasons = [f"{self.title}: {self.why_not}"]

    @property
    def log(self) -> Path:
        """The file with the output."""
        return LOGS / f"{self.name}.log"

    @property
    def results(self) -> Path:
        """The file with pytest's report."""
        return RESULTS / f"{self.name}.xml"

    def full_command(self) -> list[str]:
        """The command as it is run."""
        report = [f"--junitxml={self.results}"] if self.is_pytest else []
        return [str(part) for part in self.command] + report

    def finish(self, code: int, seconds: float) -> None:
        """Note the outcome of the command, from its exit code and its report."""
        self.seconds = seconds
        is_empty = self.is_pytest and code == NOTHING_COLLECTED and self.may_be_empty
        self.has_passed = code == 0 or is_empty
        if self.is_pytest:
            self.counts, self.skip_reasons = read_results(self.results)
            if not self.has_passed and not self.counts.failed:
                self.counts.failed = 1  # it broke down before or after its tests
        else:
            self.counts = Counts(passed=1) if self.has_passed else Counts(failed=1)

    def headline(self) -> str:
        """One line with the outcome."""
        if self.why_not:
            return f"{self.title}: NOT RUN, {self.why_not}"
        word = "passed" if self.has_passed else "FAILED"
        counts = f" ({self.counts})" if self.is_pytest else ""
        return f"{self.title}: {word} in {duration(self.seconds)}{counts}"


def read_results(path: Path) -> tuple[Counts, list[str]]:
    """The counts of pytest's XML report, and why tests were skipped."""
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError):
        return Counts(), []
    counts, reasons = Counts(), []
    for case in root.iter("testcase"):
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            counts.failed += 1
        elif skipped is not None and "xfail" not in skipped.get("type", ""):
            counts.skipped += 1
            reasons.append(skipped.get("message", "") or "no reason given")
        else:
            counts.passed += 1
    return counts, reasons


class Runner:
    """Runs stages, SIDE_BY_SIDE at a time: whoever is done takes the next."""

    def __init__(self) -> None:
        self._running: dict[subprocess.Popen[bytes], Stage] = {}
        self._lock = threading.Lock()
        self._is_stopped = False

    def run(self, stages: Sequence[Stage]) -> bool:
        """Run every stage, in this order; whether all passed."""
        for folder in (LOGS, RESULTS):
            folder.mkdir(parents=True, exist_ok=True)
        waiting = deque(stage for stage in stages if not stage.why_not)
        threads = [
            threading.Thread(target=self._work_off, args=(waiting,)) for _ in range(SIDE_BY_SIDE)
        ]
        for thread in threads:
            thread.start()
        try:
            self._wait(threads)
        except BaseException:
            self.stop()
            for thread in threads:
                thread.join()
            raise
        return all(stage.has_passed for stage in stages)

    def _wait(self, threads: Sequence[threading.Thread]) -> None:
        spoken = time.monotonic()
        while any(thread.is_alive() for thread in threads):
            for thread in threads:
                thread.join(0.1)
            if time.monotonic() - spoken >= HEARTBEAT:
                spoken = time.monotonic()
                with self._lock:
                    titles = [stage.title for stage in self._running.values()]
                if titles:
                    say(f"  ... still running: {', '.join(titles)}")

    def stop(self) -> None:
        """End what this runner started, children included."""
        with self._lock:
            self._is_stopped = True
            for process in self._running:
                end(process)

    def _work_off(self, waiting: deque[Stage]) -> None:
        while True:
            try:
                stage = waiting.popleft()
            except IndexError:
                return
            self._run_stage(stage)

    def _run_stage(self, stage: Stage) -> None:
        stage.results.unlink(missing_ok=True)
        started = time.monotonic()
        with stage.log.open("wb") as log:
            with self._lock:
                if self._is_stopped:
                    return
                process = subprocess.Popen(
                    stage.full_command(),
                    cwd=ROOT,
                    env=dict(stage.env),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
                self._running[process] = stage
            try:
                code = process.wait(LONGEST_STAGE)
            except subprocess.TimeoutExpired:
                end(process)
                code = process.wait()
                log.write(f"\nStopped after {duration(LONGEST_STAGE)}: it hung.\n".encode())
            with self._lock:
                del self._running[process]
        stage.finish(code, time.monotonic() - started)
        if not self._is_stopped:
            self._show(stage)

    def _show(self, stage: Stage) -> None:
        output = stage.log.read_text(encoding="utf-8", errors="replace").strip()
        with self._lock:
            say(f"\n== {stage.headline()}")
            if output and (stage.is_pytest or not stage.has_passed):
                say(output)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process that leads its own group, with the whole group.

    The interrupt comes first: pytest then stops the servers that its tests have started.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, number)
            process.wait(10)
            break
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def summary(stages: Sequence[Stage], seconds: float) -> str:
    """The closing lines: one per stage, the reasons for skipping, and the sum of all."""
    lines = ["", "Summary", "-" * 72]
    lines += [stage.headline() for stage in stages]
    reasons: dict[str, int] = {}
    for stage in stages:
        for reason in stage.skip_reasons:
            line = " ".join(reason.split())
            reasons[line] = reasons.get(line, 0) + 1
    lines += [f"skipped {count}: {reason}" for reason, count in sorted(reasons.items())]
    total = sum((stage.counts for stage in stages), Counts())
    lines += ["-" * 72, f"In all {duration(seconds)}.", str(total)]
    return "\n".join(lines)
