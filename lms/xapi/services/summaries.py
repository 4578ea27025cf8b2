"""Counts for dashboards: kept by a job that goes on where it stopped, equal to a recount.

Whoever stores a statement does nothing for it. Every statement is counted once, in the order of
storing; one that is voided is taken off again, once, and noted as such. Erasing counts first all
that is in the store, then takes off what goes.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple

import orjson
from sqlalchemy import Row, delete, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from lms.core.db import db, transaction
from lms.xapi import queries
from lms.xapi.lookup import related_activities
from lms.xapi.models import CountedVoid, CountingPlace, StatementCount, StoredStatement
from lms.xapi.validation import VOIDED
from lms.xapi.vocabulary import activity_iri

CHUNK = 2000  # statements counted in one transaction
_CHUNKS_A_JOB = 100


class Cell(NamedTuple):
    """What is counted together: a course run (IRI; empty: none), a day in UTC, a verb (IRI)."""

    run: str
    day: date
    verb_id: str


_READ = (
    StoredStatement.id,
    StoredStatement.timestamp,
    StoredStatement.verb_id,
    StoredStatement.object_key,
    StoredStatement.is_voided,
    StoredStatement.document,
)


_Read = Row[int, datetime, str, str, bool, str]


def cell_of(timestamp: datetime, verb_id: str, document: str) -> Cell:
    """Where a statement is counted; of several course runs, under the first in the alphabet."""
    prefix = activity_iri("run", "")
    run = ""
    if prefix in document:
        named = related_activities(orjson.loads(document))
        run = min((iri for iri in named if iri.startswith(prefix)), default="")
    return Cell(run, timestamp.astimezone(UTC).date(), verb_id)


def count_new() -> None:
    """The job: count what was stored since the last time, chunk by chunk."""
    for _chunk in range(_CHUNKS_A_JOB):
        with transaction():
            if not count_chunk():
                return


def count_all() -> None:
    """Count everything that is in the store, in the running transaction."""
    while count_chunk():
        pass


def count_chunk() -> int:
    """Count the next statements in the running transaction; returns how many there were."""
    place = _place()
    rows = db.session.execute(
        select(*_READ)
        .where(StoredStatement.id > place.last_pk)
        .order_by(StoredStatement.id)
        .limit(CHUNK)
    ).all()
    if not rows:
        return 0
    place.last_pk = rows[-1].id
    changes: Counter[Cell] = Counter()
    for row in rows:
        changes[cell_of(row.timestamp, row.verb_id, row.document)] += 1
    fresh = [row for row in rows if row.is_voided]
    fresh += _voided_by([row for row in rows if row.verb_id == VOIDED], place.last_pk)
    _take_off(fresh, changes)
    _apply(changes)
    db.session.flush()
    return len(rows)


def _place() -> CountingPlace:
    """How far counting has come; nobody else counts until the end of the transaction."""
    found = db.session.get(CountingPlace, 1, with_for_update=True, populate_existing=True)
    if found is None:
        found = CountingPlace(id=1, last_pk=0)
        db.session.add(found)
        db.session.flush()
    return found


def _voided_by(voiding: Sequence[_Read], up_to: int) -> Sequence[_Read]:
    """The statements, counted by now, that these void."""
    ids = [uuid.UUID(row.object_key[4:]) for row in voiding if row.object_key.startswith("ref:")]
    if not ids:
        return []
    return db.session.execute(
        select(*_READ).where(
            StoredStatement.statement_id.in_(ids),
            StoredStatement.is_voided,
            StoredStatement.id <= up_to,
        )
    ).all()


def _take_off(voided: Iterable[_Read], changes: Counter[Cell]) -> None:
    """Take off statements that are voided and were not taken off before, and note it."""
    by_key = {row.id: row for row in voided}
    for primary_key in sorted(by_key.keys() - _taken_off(by_key)):
        row = by_key[primary_key]
        changes[cell_of(row.timestamp, row.verb_id, row.document)] -= 1
        db.session.execute(insert(CountedVoid).values(statement_pk=primary_key))


def _taken_off(primary_keys: Iterable[int]) -> set[int]:
    return set(
        db.session.scalars(
            select(CountedVoid.statement_pk).where(CountedVoid.statement_pk.in_(primary_keys))
        )
    )


def _apply(changes: Mapping[Cell, int]) -> None:
    """Add to the counts what they change by; a count of nothing is no row."""
    rows = [{**cell._asdict(), "count": change} for cell, change in changes.items() if change]
    if not rows:
        return
    is_postgresql = db.session.get_bind().dialect.name == "postgresql"
    added = (postgresql if is_postgresql else sqlite).insert(StatementCount)
    db.session.execute(
        added.on_conflict_do_update(
            index_elements=["run", "day", "verb_id"],
            set_={"count": StatementCount.count + added.excluded.count},
        ),
        rows,
    )
    lowered = {cell.run for cell, change in changes.items() if change < 0}
    if lowered:
        db.session.execute(
            delete(StatementCount)
            .where(StatementCount.run.in_(lowered), StatementCount.count == 0)
            .execution_options(synchronize_session=False)
        )


def forget(primary_keys: Sequence[int]) -> None:
    """Take off statements that are about to be deleted. All of the store must be counted."""
    rows = db.session.execute(select(*_READ).where(StoredStatement.id.in_(primary_keys))).all()
    changes: Counter[Cell] = Counter()
    off = _taken_off(primary_keys)
    for row in rows:
        if row.id not in off:
            changes[cell_of(row.timestamp, row.verb_id, row.document)] -= 1
    _apply(changes)
    db.session.execute(delete(CountedVoid).where(CountedVoid.statement_pk.in_(off)))


def begin_again() -> None:
    """Forget all counts; `count_new` makes them anew from the first statement."""
    place = _place()
    db.session.execute(delete(StatementCount))
    db.session.execute(delete(CountedVoid))
    place.last_pk = 0
    db.session.flush()


def recount() -> dict[Cell, int]:
    """The counts as they must be, from the statements themselves. Slow on a large store."""
    counts: Counter[Cell] = Counter()
    after = 0
    while rows := db.session.execute(
        select(*_READ).where(StoredStatement.id > after).order_by(StoredStatement.id).limit(CHUNK)
    ).all():
        after = rows[-1].id
        for row in rows:
            if not row.is_voided:
                counts[cell_of(row.timestamp, row.verb_id, row.document)] += 1
    return dict(counts)


def kept() -> dict[Cell, int]:
    """The counts that are kept."""
    return {
        Cell(row.run, row.day, row.verb_id): row.count
        for row in db.session.scalars(select(StatementCount))
    }


def not_counted_yet() -> int:
    """At most how many statements the counts are behind."""
    place = db.session.scalar(select(CountingPlace.last_pk)) or 0
    return queries.newest_pk() - place


def counts_by_day(since: date, runs: Sequence[str] | None = None) -> dict[date, int]:
    """How many statements there are of each day from `since` on, of some runs or of all."""
    found = select(StatementCount.day, func.sum(StatementCount.count)).where(
        StatementCount.day >= since
    )
    if runs is not None:
        found = found.where(StatementCount.run.in_(runs))
    rows = db.session.execute(found.group_by(StatementCount.day)).all()
    return {day: int(count) for day, count in rows}


def counts_by_verb(since: date, runs: Sequence[str] | None = None) -> dict[str, int]:
    """How many statements there are with each verb from the day `since` on, most first."""
    found = select(StatementCount.verb_id, func.sum(StatementCount.count)).where(
        StatementCount.day >= since
    )
    if runs is not None:
        found = found.where(StatementCount.run.in_(runs))
    rows = db.session.execute(found.group_by(StatementCount.verb_id)).all()
    return {verb: int(count) for verb, count in sorted(rows, key=lambda row: -row[1])}
