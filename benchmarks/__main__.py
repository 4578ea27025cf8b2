"""`python -m benchmarks`: generate, serve, measure, judge, write the tables."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import text

from benchmarks import certificates
from benchmarks.bulk import prepare
from benchmarks.data import Generator, Sizes
from benchmarks.pages import CONSTANT, PAGES, Page, keep_requests, make_requests
from benchmarks.results import READERS, Measure, Results, describe, judge
from benchmarks.server import (
    ROOT,
    WORKERS,
    Readers,
    free_port,
    processor_seconds,
    running_server,
)
from benchmarks.weights import weigh
from lms.app import create_app
from lms.config import Settings
from lms.core.db import Model, db, transaction
from lms.core.serve import server_command
from lms.core.stamps import touch
from lms.courses.queries import catalogue, courses
from lms.xapi.models import KeyScope
from lms.xapi.services.keys import make_key
from tests.postgres import postgres_server

DOCUMENT = ROOT / "docs" / "performance.md"
SLICES = 2  # of a page, with the constant answer before, between and after
DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def say(line: str) -> None:
    """Tell how far it is."""
    print(line, file=sys.stderr, flush=True)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="1: a million statements")
    parser.add_argument("--seconds", type=float, default=5.0, help="for each page and load")
    parser.add_argument("--database", choices=(*DATABASES, "both"), default="both")
    parser.add_argument("--only", action="append", metavar="PAGE", help="measure these pages only")
    parser.add_argument("--readers", type=int, action="append", help="these loads only")
    parser.add_argument("--write", action="store_true", help=f"into {DOCUMENT.relative_to(ROOT)}")
    found = parser.parse_args()
    unknown = set(found.only or ()) - {page.name for page in PAGES}
    if unknown:
        parser.error(f"no such page: {', '.join(unknown)}; {', '.join(p.name for p in PAGES)}")
    return found


@contextmanager
def database_url(kind: str) -> Iterator[tuple[str | None, int | None]]:
    """The address of an empty database, and the first process of its server."""
    if kind == "sqlite":
        yield None, None
        return
    with postgres_server(is_durable=True) as url:
        folder = url.rpartition("host=")[2]
        pid = int(Path(folder, "data", "postmaster.pid").read_text().split()[0])
        yield url, pid


def measure_database(kind: str, options: argparse.Namespace) -> Results:
    """Everything on one database, in a folder of its own."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="puente-bench-")))
        url, database_pid = stack.enter_context(database_url(kind))
        port = free_port()
        settings = Settings(
            data_dir=folder,
            base_url=f"http://127.0.0.1:{port}",
            database_url=url,
            log_level="WARNING",
        )
        app = create_app(settings)
        stack.enter_context(app.app_context())
        stack.callback(lambda: db.engine.dispose())
        say(f"{DATABASES[kind]}: generating")
        results, site, codes = generate(kind, options.scale, settings.base_url)
        with transaction():
            key, secret = make_key("benchmark", KeyScope.READ, None)
            touch(catalogue.STAMP)
            touch(courses.STRUCTURE)  # the rows were written past the session
        token = b64encode(f"{key}:{secret}".encode()).decode()
        xapi = {"Authorization": f"Basic {token}", "X-Experience-API-Version": "1.0.3"}
        requests = make_requests(site, codes, xapi)
        path = folder / "requests.json"
        keep_requests(requests, path)
        db.session.close()
        db.engine.dispose()
        environment = {
            "LMS_DATA_DIR": str(folder),
            "LMS_BASE_URL": settings.base_url,
            "PYTHONPATH": str(ROOT),
            **({"LMS_DATABASE_URL": url} if url else {}),
        }
        command = server_command("127.0.0.1", port, WORKERS)
        log = folder / "server.log"
        pid = stack.enter_context(running_server(command, environment, port, log))
        readers = Readers(port, path)
        stack.callback(readers.close)
        chosen = [page for page in PAGES if not options.only or page.name in options.only]
        for page in chosen:
            if page.is_endless:
                warm = readers.read(page.name, 4, 0.7)
                if warm.errors:
                    say(f"{page.label}: {warm.errors} errors, {warm.first_error}")
                    say(log.read_text()[-2000:])
                    continue
            if page.is_page:
                results.weights[page.name] = weigh(settings.base_url, requests[page.name][0])
        for load in options.readers or READERS:
            for page in chosen:
                measure = measure_page(
                    page, load, options.seconds, readers, meters(pid, database_pid)
                )
                results.measures.append(measure)
                say(_line(measure))
                if measure.sample.errors:
                    say(_errors_in(log))
        return results


def generate(kind: str, scale: float, base_url: str) -> tuple[Results, Generator, list[str]]:
    """Fill the database; also measures issuing, drawing and storing."""
    Model.metadata.create_all(db.engine)
    started = time.perf_counter()
    with db.engine.connect() as connection:
        prepare(connection)
        connection.commit()
        site = Generator(connection, Sizes.at(scale), base_url)
        site.write()
        connection.invalidate()  # it was prepared for nothing but this
    say(f"{sum(site.rows.values()):,} rows in {time.perf_counter() - started:.0f} s")
    speeds, codes = certificates.measure(site, max(20, round(300 * min(1.0, scale * 10))))
    site.rows["credentials"] = len(codes) + certificates.fill(site)
    if kind == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
            size = connection.scalar(text("SELECT pg_database_size(current_database())"))
    else:
        with db.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        size = os.path.getsize(str(db.engine.url.database))
    name = f"{DATABASES[kind]} {'.'.join(map(str, db.engine.dialect.server_version_info or ()))}"
    results = Results(name, site.rows, speeds, int(size or 0))
    return results, site, codes


Meters = Callable[[], tuple[float | None, float | None]]


def meters(server: int, database: int | None) -> Meters:
    """What reads the processor time of the server and of the database server."""

    def read() -> tuple[float | None, float | None]:
        return processor_seconds(server), processor_seconds(database) if database else None

    return read


def measure_page(
    page: Page, load: int, seconds: float, readers: Readers, read_meters: Meters
) -> Measure:
    """Slices of the page and of the constant answer in turn, so that both see the same machine."""
    measure = Measure(page, load)
    for number in range(2 * SLICES + 1):
        is_page = number % 2 == 1
        sample = measure.sample if is_page else measure.constant
        before = read_meters()
        outcome = readers.read(
            page.name if is_page else CONSTANT.name,
            load,
            seconds / SLICES if is_page else seconds / 10,
        )
        after = read_meters()
        spent = [
            None if a is None or b is None else a - b for a, b in zip(after, before, strict=True)
        ]
        sample.add(outcome, *spent)
    return measure


def _errors_in(log: Path) -> str:
    """The last lines of the server's log that tell of errors."""
    lines = [line for line in log.read_text().splitlines() if '"level": "error"' in line]
    return "\n".join(line[-1500:] for line in lines[-2:])


def _line(m: Measure) -> str:
    s = m.sample
    cpu = s.processor_ms()
    return (
        f"{m.readers:3} {m.page.name:13} {s.rate:7.1f}/s  ratio {m.ratio:.3f}"
        f"  p50 {s.percentile(50) * 1000:6.1f}  p95 {s.percentile(95) * 1000:6.1f} ms"
        f"  cpu {cpu or 0:5.2f} ms (constant {m.constant.processor_ms() or 0:.2f},"
        f" {m.constant.rate:.0f}/s)  {s.queries} queries  {s.errors} errors {s.first_error or ''}"
    )


def machine() -> str:
    """The machine and the day, in a sentence."""
    model = platform.machine()
    about = Path("/proc/cpuinfo")
    if about.exists():
        names = [
            x.split(":", 1)[1].strip() for x in about.read_text().splitlines() if "model name" in x
        ]
        model = names[0] if names else model
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"{time.strftime('%d %B %Y', time.gmtime())}; {os.cpu_count()} cores ({model}),"
        f" {platform.system()}, Python {platform.python_version()}; load average at the end {load}."
    )


def write_tables(document: str, what: str) -> None:
    """Put tables in their place in docs/performance.md. what: "pages" or "store"."""
    begin, end = f"<!-- {what}: begin -->", f"<!-- {what}: end -->"
    whole = DOCUMENT.read_text(encoding="utf-8")
    before, _, rest = whole.partition(begin)
    after = rest.partition(end)[2]
    DOCUMENT.write_text(f"{before}{begin}\n{document}\n{end}{after}", encoding="utf-8")


def main() -> int:
    """Measure, print, write; 1 when a target is missed."""
    options = arguments()
    kinds = list(DATABASES) if options.database == "both" else [options.database]
    found = [measure_database(kind, options) for kind in kinds]
    document = "\n\n".join([machine(), *map(describe, found)])
    print(document)
    verdicts = [(results.database, v) for results in found for v in judge(results)]
    print()
    for database, verdict in verdicts:
        print(f"{verdict.word}  {database}: {verdict.target}: {verdict.found}")
    if options.write:
        write_tables(document, "pages")
    return 0 if all(verdict.is_met for _, verdict in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
