"""What readers ask for, a page of 100 statements each, and an export of the whole store."""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from statistics import quantiles
from urllib.parse import urlencode

from benchmarks.server import family_of
from benchmarks.store.made import (
    COURSES,
    FEW,
    course_iri,
    lesson_iri,
    person,
    registration,
    verb_iri,
)
from benchmarks.store.writing import as_request, send

PATH = "/xapi/statements"
PAGE = os.sysconf("SC_PAGESIZE")


def questions(ids: Sequence[str], times: int, seed: int) -> dict[str, list[dict[str, str]]]:
    """The parameters of `times` requests of each kind; ids: of statements in the store."""
    chance = random.Random(seed)
    agents = [json.dumps(person(number)) for number in range(FEW)]
    verbs = ("completed", "answered", "experienced", "passed")

    def some(**makers: object) -> list[dict[str, str]]:
        return [
            {name: str(make() if callable(make) else make) for name, make in makers.items()}
            for _ in range(times)
        ]

    def agent() -> str:
        return chance.choice(agents)

    def lesson() -> str:
        return lesson_iri(chance.randrange(FEW))

    return {
        "by id": some(statementId=lambda: chance.choice(ids)),
        "agent": some(agent=agent, limit=100),
        "verb": some(verb=lambda: verb_iri(chance.choice(verbs)), limit=100),
        "activity": some(activity=lesson, limit=100),
        "registration": some(registration=lambda: registration(chance.randrange(FEW)), limit=100),
        "agent, related_agents": some(agent=agent, related_agents="true", limit=100),
        "activity, related_activities": some(activity=lesson, related_activities="true", limit=100),
        "course, related_activities": some(
            activity=lambda: course_iri(chance.randrange(COURSES)),
            related_activities="true",
            limit=100,
        ),
        "newest": some(limit=100),
    }


@dataclass(frozen=True)
class Answers:
    """Milliseconds of the answers to one kind of question."""

    p50: float
    p95: float
    failed: int


def ask(
    port: int, headers: Mapping[str, str], asked: Mapping[str, Sequence[Mapping[str, str]]]
) -> dict[str, Answers]:
    """Ask every question over one connection, one after the other; the first tenth warms up."""
    found = {}
    for name, parameters in asked.items():
        requests = [as_request("GET", f"{PATH}?{urlencode(one)}", headers) for one in parameters]
        warm = len(requests) // 10
        send(port, requests[:warm], 1)
        sent = send(port, requests[warm:], 1)
        cuts = quantiles([one * 1000 for one in sent.times], n=100, method="inclusive")
        found[name] = Answers(cuts[49], cuts[94], len(sent.failed))
    return found


@dataclass
class Stream:
    """An export of all statements: how many came, and the memory of the server meanwhile.

    memory: MB of the largest process of the server: before, at a tenth of the way, at the most
    after it.
    """

    statements: int = 0
    seconds: float = 0.0
    before: float = 0.0
    early: float = 0.0
    most: float = 0.0
    problem: str | None = None


@dataclass
class _Watch:
    """Reads the memory of processes again and again."""

    root: int
    samples: list[tuple[float, float]] = field(default_factory=list)
    is_over: bool = False

    def run(self) -> None:
        while not self.is_over:
            self.samples.append((time.perf_counter(), megabytes(self.root)))
            time.sleep(0.2)


def megabytes(root: int) -> float:
    """Resident memory of the largest of a process and all below it, in MB."""
    sizes = []
    for pid in family_of(root):
        try:
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        sizes.append(pages * PAGE / 1e6)
    return max(sizes, default=0.0)


def stream(port: int, root: int, headers: Mapping[str, str], form: Mapping[str, str]) -> Stream:
    """Export the store as JSON Lines in the browser's way, and throw it away."""
    found, watch = Stream(before=megabytes(root)), _Watch(root)
    watcher = threading.Thread(target=watch.run, daemon=True)
    connection = HTTPConnection("127.0.0.1", port, timeout=600)
    body = urlencode(form)
    started = time.perf_counter()
    watcher.start()
    connection.request(
        "POST",
        "/learning-records/statements/export/jsonl",
        body,
        {**headers, "Content-Type": "application/x-www-form-urlencoded"},
    )
    answer = connection.getresponse()
    if answer.status != 200:
        found.problem = f"status {answer.status}"
    while answer.status == 200 and (part := answer.read(1 << 16)):
        found.statements += part.count(b"\n")
    found.seconds = time.perf_counter() - started
    watch.is_over = True
    watcher.join()
    connection.close()
    begun = started + found.seconds / 10
    found.early = max((size for at, size in watch.samples if at <= begun), default=found.before)
    found.most = max((size for at, size in watch.samples if at > begun), default=found.early)
    return found
