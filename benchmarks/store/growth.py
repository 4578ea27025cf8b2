"""`python -m benchmarks.store.growth`: what each filter costs in a very large store on PostgreSQL.

The rows are made inside the database, so that ten million take minutes: the documents are shorter
than real ones, all that is looked for is as it would be.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Select, text

from benchmarks.__main__ import machine, say
from benchmarks.results import table
from benchmarks.store.made import course_iri, lesson_iri, registration, verb_iri
from lms.app import create_app
from lms.config import Settings
from lms.core.db import Model, db, transaction
from lms.xapi.lookup import By, lookup_key
from lms.xapi.models import StatementKey, StoredStatement
from lms.xapi.queries import StatementFilter, list_statements
from tests.postgres import postgres_server

PERSONS, LESSONS, COURSES = 50_000, 12_000, 1_000
VERBS = ("completed", "answered", "experienced", "passed", "failed", "commented", "launched")
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
LIMIT = 101
_SITE = "https://courses.example.org"


def agent(number: int) -> str:
    """What identifies a person."""
    return f"account:{_SITE}|person-{number:07}"


def _entities() -> Iterator[tuple[str, int, str, int, int]]:
    """Kind, number, name, and the numbers under which it is found: by itself, and related."""
    kinds: tuple[tuple[str, int, Callable[[int], str], By, By], ...] = (
        ("person", PERSONS, agent, By.AGENT, By.RELATED_AGENT),
        ("lesson", LESSONS, lesson_iri, By.ACTIVITY, By.RELATED_ACTIVITY),
        ("course", COURSES, course_iri, By.RELATED_ACTIVITY, By.RELATED_ACTIVITY),
        ("registration", PERSONS, registration, By.REGISTRATION, By.REGISTRATION),
        ("verb", len(VERBS), lambda number: verb_iri(VERBS[number]), By.VERB, By.VERB),
    )
    for kind, count, name, by, related in kinds:
        for number in range(count):
            value = name(number)
            yield kind, number, value, lookup_key(by, value), lookup_key(related, value)


# a person takes part in one course at a time: person p is in course p % COURSES; the twelve lessons
# of course c are c * 12 and the eleven after it
_STATEMENTS = """
INSERT INTO xapi_statements (id, statement_id, stored, "timestamp", actor_key, verb_id, object_key,
    registration, is_voided, document)
SELECT n, md5(n::text)::uuid, :began + n * interval '1 second', :began + n * interval '1 second',
    p.name, v.name, l.name, r.name::uuid, false,
    '{"id":"' || md5(n::text)::uuid || '","actor":"' || p.name || '","verb":"' || v.name
    || '","object":"' || l.name || '","text":"' || repeat(md5(n::text), 20) || '"}'
FROM made JOIN entities p ON p.kind = 'person' AND p.number = made.person
    JOIN entities r ON r.kind = 'registration' AND r.number = made.person
    JOIN entities v ON v.kind = 'verb' AND v.number = made.verb
    JOIN entities l ON l.kind = 'lesson' AND l.number = made.lesson
ORDER BY n
"""
_KEYS = """
INSERT INTO xapi_statement_keys (key, statement_pk)
SELECT key, n FROM made JOIN entities e ON e.kind = :kind AND e.number = made.{column}
    CROSS JOIN LATERAL (SELECT e.own AS key UNION SELECT e.related) AS keys
"""
_MADE = """
CREATE TEMPORARY TABLE made ON COMMIT DROP AS
SELECT n, person, person % :courses AS course, (person % :courses) * 12 + (n / 7) % 12 AS lesson,
    n % :verbs AS verb
FROM (SELECT n, floor(power(random(), 2) * :persons)::int AS person
      FROM generate_series(:first, :last) n) AS chosen
"""


def fill(count: int) -> None:
    """Make statements, their numbers, and then the indexes."""
    keep = [
        (one.table.name, one)
        for model in (StoredStatement, StatementKey)
        for one in model.__table__.indexes  # type: ignore[attr-defined]
    ]
    with db.engine.begin() as connection:
        connection.execute(text(
            "CREATE TABLE entities (kind text, number int, name text, own bigint, related bigint)"
        ))  # fmt: skip
        connection.execute(
            text("INSERT INTO entities VALUES (:kind, :number, :name, :own, :related)"),
            [
                dict(zip(("kind", "number", "name", "own", "related"), one, strict=True))
                for one in _entities()
            ],
        )
        connection.execute(text("CREATE UNIQUE INDEX ON entities (kind, number)"))
        connection.execute(text("ANALYZE entities"))
        for _table, index in keep:
            index.drop(connection)
        for name, kind in _constraints(connection):
            connection.execute(text(f"ALTER TABLE {kind} DROP CONSTRAINT {name} CASCADE"))
    step = min(count, 1_000_000)
    for first in range(1, count + 1, step):
        with db.engine.begin() as connection:
            values: dict[str, Any] = {
                "persons": PERSONS, "courses": COURSES, "verbs": len(VERBS),
                "first": first, "last": min(count, first + step - 1),
            }  # fmt: skip
            connection.execute(text(_MADE), values)
            connection.execute(text("ANALYZE made"))
            connection.execute(text(_STATEMENTS), {"began": BEGAN})
            for kind in ("person", "lesson", "course", "registration", "verb"):
                column = "person" if kind == "registration" else kind
                connection.execute(text(_KEYS.format(column=column)), {"kind": kind})
        say(f"{values['last']:,} rows")
    with db.engine.begin() as connection:
        connection.execute(text("SET maintenance_work_mem = '2GB'"))
        for model in (StoredStatement, StatementKey):
            name = model.__table__.name  # type: ignore[attr-defined]
            columns = ", ".join(model.__table__.primary_key.columns.keys())
            connection.execute(
                text(f"ALTER TABLE {name} ADD CONSTRAINT pk_{name} PRIMARY KEY ({columns})")
            )
        connection.execute(text(
            "ALTER TABLE xapi_statements"
                " ADD CONSTRAINT uq_xapi_statements_statement_id UNIQUE (statement_id),"
                " ADD CONSTRAINT uq_xapi_statements_stored UNIQUE (stored)"
        ))  # fmt: skip
        for _table, index in keep:
            index.create(connection)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE xapi_statements"))
        connection.execute(text("VACUUM ANALYZE xapi_statement_keys"))


def _constraints(connection: Any) -> list[tuple[str, str]]:
    """Primary keys and unique constraints of the two tables."""
    rows = connection.execute(text(
        "SELECT conname, conrelid::regclass::text FROM pg_constraint WHERE contype IN ('p', 'u')"
        " AND conrelid IN ('xapi_statements'::regclass, 'xapi_statement_keys'::regclass)"
    ))  # fmt: skip
    return [(name, kind) for name, kind in rows]


def questions(count: int) -> dict[str, StatementFilter]:
    """What is asked. Low numbers of persons are frequent, high ones rare."""
    often, seldom = agent(100), agent(PERSONS - 10)
    course = course_iri(100)
    late = BEGAN + timedelta(seconds=count * 0.9)
    return {
        "newest": StatementFilter(),
        "verb": StatementFilter(verb=verb_iri("completed")),
        "agent, often seen": StatementFilter(agent=often),
        "agent, seldom seen": StatementFilter(agent=seldom),
        "agent, `related_agents`": StatementFilter(agent=often, related_agents=True),
        "activity": StatementFilter(activity=lesson_iri(1200)),
        "activity, `related_activities`": StatementFilter(
            activity=lesson_iri(1200), related_activities=True
        ),
        "course, `related_activities`": StatementFilter(activity=course, related_activities=True),
        "registration": StatementFilter(registration=uuid.UUID(registration(100))),
        "agent and verb": StatementFilter(agent=often, verb=verb_iri("passed")),
        "course and verb": StatementFilter(
            activity=course, related_activities=True, verb=verb_iri("passed")
        ),
        "`since`, ascending": StatementFilter(since=late, ascending=True),
        "verb and `until`": StatementFilter(verb=verb_iri("completed"), until=late),
        "agent that nobody is": StatementFilter(agent="mailto:nobody@example.org"),
    }


@dataclass
class Cost:
    """What PostgreSQL says of one question."""

    milliseconds: float
    blocks: int
    rows: int
    indexes: list[str] = field(default_factory=list)


def cost(asked: Select[Any], times: int = 6) -> Cost:
    """The last of several runs of EXPLAIN."""
    compiled = asked.limit(LIMIT).compile(
        db.engine, compile_kwargs={"literal_binds": True, "render_postcompile": True}
    )
    plan: dict[str, Any] = {}
    with db.engine.connect() as connection:
        for _ in range(times):
            [plan] = connection.exec_driver_sql(
                "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + str(compiled).replace("%", "%%")
            ).scalar_one()
    top = plan["Plan"]
    return Cost(
        plan["Execution Time"],
        top["Shared Hit Blocks"] + top["Shared Read Blocks"],
        top["Actual Rows"],
        list(dict.fromkeys(_indexes(top))),
    )


def _indexes(plan: dict[str, Any]) -> Iterator[str]:
    if "Index Name" in plan:
        yield plan["Index Name"]
    elif plan["Node Type"] == "Seq Scan":
        yield f"all of {plan['Relation Name']}"
    for part in plan.get("Plans", ()):
        yield from _indexes(part)


def sizes() -> list[list[str]]:
    """Bytes of the two tables and their indexes."""
    with db.engine.connect() as connection:
        rows = connection.execute(text(
            "SELECT relname, pg_table_size(oid) FROM pg_class WHERE relkind IN ('r', 'i') AND"
            " (relname LIKE 'xapi_statement_keys%' OR relname LIKE 'xapi_statements%' OR"
            "  relname LIKE '%xapi_statements\\_%') ORDER BY 2 DESC"
        )).all()  # fmt: skip
    return [[name, f"{size / 1e9:.2f}"] for name, size in rows]


def main() -> int:
    """Make, ask, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.store.growth", description=__doc__)
    parser.add_argument("--statements", type=int, default=10_000_000)
    count = parser.parse_args().statements
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="puente-bench-"))
        url = stack.enter_context(postgres_server())
        app = create_app(Settings(data_dir=Path(folder), database_url=url))
        stack.enter_context(app.app_context())
        stack.callback(lambda: db.engine.dispose())
        Model.metadata.create_all(db.engine)
        began = time.perf_counter()
        fill(count)
        say(f"{count:,} statements in {time.perf_counter() - began:.0f} s")
        rows = []
        for name, wanted in questions(count).items():
            with transaction(write=False):
                found = cost(list_statements(wanted))
            rows.append(
                [name, f"{found.milliseconds:.3f}", str(found.blocks), str(found.rows),
                 ", ".join(found.indexes)]
            )  # fmt: skip
            say(" ".join(rows[-1]))
        print(machine())
        print()
        print(table(["question", "ms", "blocks", "rows", "indexes"], rows))
        print()
        print(table(["table or index", "GB"], sizes()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
