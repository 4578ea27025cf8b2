"""`python -m benchmarks.store`: fill the store over HTTP, ask it, export it; judge, write."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, select, text

from benchmarks.__main__ import DATABASES, database_url, machine, say, write_tables
from benchmarks.pages import Visitors
from benchmarks.server import ROOT, WORKERS, free_port, processor_seconds, running_server
from benchmarks.store import tables
from benchmarks.store.floor import Floor
from benchmarks.store.made import Made, statements
from benchmarks.store.reading import PATH, Answers, Stream, ask, questions, stream
from benchmarks.store.writing import as_request, batches, send
from lms.accounts.models import User
from lms.app import create_app
from lms.config import Settings
from lms.core import clock
from lms.core.db import Model, db, transaction
from lms.core.serve import server_command
from lms.xapi.json_text import read_one
from lms.xapi.models import KeyScope, StoredStatement
from lms.xapi.services.keys import make_key
from lms.xapi.services.store import write

SMALL = 20_000  # statements at which reading is measured first
FIRST = 3_000  # in both before anything is timed: into empty tables all goes faster
ROUNDS = 3  # of the floor, of the store, ...: so that both see the same machine
SIZES = {500: 4_000, 50: 1_000, 1: 400}  # statements a round, by size of batch
QUESTIONS = 150  # of each kind


@dataclass
class Written:
    """Statements a second of one size of batch."""

    batch: int
    floor: list[float] = field(default_factory=list)
    store: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)  # microseconds of a statement
    failed: int = 0

    @property
    def ratio(self) -> float:
        """The store's rate as a share of the floor's: the middle one of the rounds."""
        shares = sorted(a / b for a, b in zip(self.store, self.floor, strict=True))
        return shares[len(shares) // 2]


@dataclass
class StoreResults:
    """Everything measured on one database."""

    database: str
    bytes_each: float
    written: list[Written]
    missing: int = 0  # acknowledged, but not there
    small: dict[str, Answers] = field(default_factory=dict)
    large: dict[str, Answers] = field(default_factory=dict)
    counts: tuple[int, int] = (0, 0)
    exported: Stream = field(default_factory=Stream)


class Site:
    """A server with an empty store, and what talks to it."""

    def __init__(self, kind: str, stack: ExitStack) -> None:
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="puente-bench-")))
        self.url, _pid = stack.enter_context(database_url(kind))
        self.port = free_port()
        settings = Settings(
            data_dir=self.folder,
            base_url=f"http://127.0.0.1:{self.port}",
            database_url=self.url,
            log_level="WARNING",
        )
        self.app = create_app(settings)
        stack.enter_context(self.app.app_context())
        stack.callback(lambda: db.engine.dispose())
        Model.metadata.create_all(db.engine)
        with transaction():
            key, secret = make_key("benchmark", KeyScope.ALL, None)
            admin = User(
                email="admin@example.org",
                email_folded="admin@example.org",
                name="Ana",
                is_administrator=True,
                email_confirmed_at=clock.now(),
            )
            db.session.add(admin)
            db.session.flush()
            admin_id = admin.id
        visitors = Visitors(self.app)
        self.browser = visitors.headers(admin_id)
        self.csrf = visitors.csrf
        token = b64encode(f"{key}:{secret}".encode()).decode()
        self.headers = {"Authorization": f"Basic {token}", "X-Experience-API-Version": "1.0.3"}
        db.session.close()
        environment = {
            "LMS_DATA_DIR": str(self.folder),
            "LMS_BASE_URL": settings.base_url,
            "PYTHONPATH": str(ROOT),
            **({"LMS_DATABASE_URL": self.url} if self.url else {}),
        }
        command = server_command("127.0.0.1", self.port, WORKERS)
        self.pid = stack.enter_context(
            running_server(command, environment, self.port, self.folder / "server.log")
        )

    def post(self, made: Sequence[Made], batch: int, written: Written) -> None:
        """Send statements, and note how fast they were taken."""
        bodies = batches([one.text for one in made], batch)
        requests = [as_request("POST", PATH, self.headers, body) for body in bodies]
        before = processor_seconds(self.pid)
        sent = send(self.port, requests)
        after = processor_seconds(self.pid)
        written.store.append(len(made) / sent.seconds)
        written.failed += len(sent.failed)
        for problem in sent.failed[:1]:
            say(f"failed: {problem}")
        if before is not None and after is not None:
            written.processor.append((after - before) / len(made) * 1e6)


def measure(kind: str, total: int) -> StoreResults:
    """Everything on one database."""
    with ExitStack() as stack:
        site = Site(kind, stack)
        floor = Floor(site.folder, site.url)
        stack.callback(floor.close)
        made = statements(total + SMALL, seed=1)
        sent: list[Made] = []
        written = []
        part = list(islice(made, FIRST))
        floor.rate(part, 500)
        site.post(part, 500, Written(500))
        sent += part
        for batch, count in SIZES.items():
            one = Written(batch)
            for _ in range(ROUNDS):
                part = list(islice(made, count))
                one.floor.append(floor.rate(part, batch))
                site.post(part, batch, one)
                sent += part
            say(
                f"{kind} batches of {batch}: store {_shown(one.store)}, floor {_shown(one.floor)},"
                f" ratio {one.ratio:.3f}, {_shown(one.processor)} us each, {one.failed} failed"
            )
            written.append(one)
        size = sum(len(one.text.encode()) for one in sent) / len(sent)
        results = StoreResults(_name(kind), size, written)
        results.missing = len(sent) - _count()
        ids = [one.statement_id for one in sent]
        grow(made, SMALL - len(sent))
        results.small = ask(site.port, site.headers, questions(ids, QUESTIONS, seed=2))
        small = _count()
        began = time.perf_counter()
        grow(made, total - small)
        say(f"{kind}: {total - small:,} more in {time.perf_counter() - began:.0f} s")
        results.large = ask(site.port, site.headers, questions(ids, QUESTIONS, seed=3))
        results.counts = small, _count()
        results.exported = stream(site.port, site.pid, site.browser, {"csrf_token": site.csrf})
        say(f"{kind}: {results.exported}")
        return results


def _shown(rates: Sequence[float]) -> str:
    return "/".join(f"{rate:.0f}" for rate in rates)


def _name(kind: str) -> str:
    version = ".".join(map(str, db.engine.dialect.server_version_info or ()))
    return f"{DATABASES[kind]} {version}"


def _count() -> int:
    with transaction(write=False):
        return db.session.scalar(select(func.count()).select_from(StoredStatement)) or 0


def grow(made: Iterator[Made], count: int) -> None:
    """Store so many more without HTTP, as the store does; then let PostgreSQL count."""
    authority = {"objectType": "Agent", "account": {"homePage": "https://a.example", "name": "b"}}
    left = count
    while left > 0:
        part = list(islice(made, min(1000, left)))
        entries = [read_one(one.text) for one in part]
        ids = [UUID(one.statement_id) for one in part]
        with transaction():
            write(entries, ids, (), authority=authority, key_id=None, version="1.0.3")
        left -= len(part)
    db.session.close()
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


def main() -> int:
    """Measure, print, write; 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.store", description=__doc__)
    parser.add_argument("--statements", type=int, default=1_000_000, help="at the end")
    parser.add_argument("--database", choices=(*DATABASES, "both"), default="both")
    parser.add_argument("--write", action="store_true", help="into docs/performance.md")
    options = parser.parse_args()
    kinds = list(DATABASES) if options.database == "both" else [options.database]
    found = [measure(kind, options.statements) for kind in kinds]
    document = "\n\n".join([machine(), *map(tables.describe, found)])
    print(document)
    if options.write:
        write_tables(document, "store")
    return 0 if all(verdict.is_met for one in found for verdict in tables.judge(one)) else 1


if __name__ == "__main__":
    sys.exit(main())
