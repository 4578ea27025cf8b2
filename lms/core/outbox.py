"""Work after commit: rows saved with the change, done by a worker, at least once.

`enqueue()` writes a row in the running transaction. After commit its id goes to the queue; a
worker loads the row, claims it, does the work and marks it done. A periodic sweep sends rows
again whose message was lost. So nothing runs that was rolled back and nothing is lost by a crash;
a job may run twice and must be safe to repeat.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Flask, current_app
from huey import Huey, crontab
from sqlalchemy import event, inspect, or_, select, update
from sqlalchemy.orm import Session

from lms.core import clock
from lms.core.db import db, transaction
from lms.core.models import JobState, OutboxRow
from lms.core.queue import send
from lms.core.registry import Registered

log = logging.getLogger("lms.jobs")
_PENDING = "outbox_rows"
_LEASE = timedelta(minutes=10)


@dataclass(frozen=True)
class Job:
    """Work done after commit.

    run: called with the payload as keywords. retries: further tries after the first, with pauses
    that double from `pause` seconds to an hour. every: a five-field cron line ("*/5 * * * *",
    UTC) for work that starts by the clock instead of by `enqueue`. writes: whether `run` is
    wrapped in a writing transaction; jobs that talk to slow services set it to False and open
    their own short ones, so that they do not hold SQLite's write lock.
    """

    name: str
    run: Callable[..., object]
    retries: int = 8
    pause: int = 10  # seconds
    every: str | None = None
    writes: bool = True


jobs: Registered[Job] = Registered("jobs", Job)


class RetryLater(Exception):
    """A job asks to be tried again after `seconds`, without counting as a failure in the log."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(f"again in {seconds} s")


def enqueue(job: str, *, delay: float = 0, **payload: Any) -> None:
    """Save work for after commit; `payload` is JSON, `delay` in seconds.

    The rows of a transaction are written together. Raises KeyError when no plugin declared the job.
    """
    jobs[job]
    row = OutboxRow(job=job, payload=payload, due_at=clock.now() + timedelta(seconds=delay))
    db.session.add(row)
    _send_later(row, delay)


def _send_later(row: OutboxRow, delay: float) -> None:
    db.session.info.setdefault(_PENDING, []).append((row, delay))


@event.listens_for(Session, "after_commit")
def _send_after_commit(session: Session) -> None:
    queue: Huey | None = current_app.extensions.get("huey") if current_app else None
    for row, delay in session.info.pop(_PENDING, ()):
        key = inspect(row).identity  # none: a savepoint took it back
        if queue is not None and key is not None:
            send(queue, [key[0]], delay)


@event.listens_for(Session, "after_rollback")
def _forget_after_rollback(session: Session) -> None:
    session.info.pop(_PENDING, None)


def _claim(row_id: int) -> OutboxRow | None:
    """Take the row, so that no other worker does the same work at the same time."""
    now = clock.now()
    with transaction():
        taken = db.session.execute(
            update(OutboxRow)
            .where(
                OutboxRow.id == row_id,
                or_(
                    OutboxRow.state == JobState.WAITING,
                    (OutboxRow.state == JobState.RUNNING) & (OutboxRow.due_at < now),
                ),
            )
            .values(state=JobState.RUNNING, attempts=OutboxRow.attempts + 1, due_at=now + _LEASE)
            .execution_options(synchronize_session=False)
        )
        if not taken.rowcount:  # type: ignore[attr-defined]
            return None
    return db.session.get(OutboxRow, row_id, populate_existing=True)


def _finish(row_id: int) -> None:
    db.session.execute(
        update(OutboxRow)
        .where(OutboxRow.id == row_id)
        .values(state=JobState.DONE, done_at=clock.now(), error=None)
    )


def _put_back(row_id: int, attempts: int, job: Job, error: Exception) -> float | None:
    """Wait before the next try, or give up. Returns the pause in seconds."""
    given_up = attempts > job.retries and not isinstance(error, RetryLater)
    pause = min(job.pause * 2 ** (attempts - 1), 3600)
    if isinstance(error, RetryLater):
        pause = error.seconds
    with transaction():
        db.session.execute(
            update(OutboxRow)
            .where(OutboxRow.id == row_id)
            .values(
                state=JobState.FAILED if given_up else JobState.WAITING,
                due_at=clock.now() + timedelta(seconds=pause),
                error=f"{type(error).__name__}: {error}"[:500],
            )
        )
    return None if given_up else pause


def run_row(row_id: int) -> float | None:
    """Do the work of one outbox row, if it is still to be done.

    Returns the pause in seconds before it should be tried again, None when there is nothing left
    to do.
    """
    row = _claim(row_id)
    if row is None:
        return None
    name, payload, attempts = row.job, dict(row.payload), row.attempts
    db.session.rollback()
    if name not in jobs:  # its plugin was switched off after the row was written
        with transaction():
            db.session.execute(
                update(OutboxRow)
                .where(OutboxRow.id == row_id)
                .values(state=JobState.FAILED, error="no plugin knows this job")
            )
        return None
    job = jobs[name]
    try:
        if job.writes:
            with transaction():
                job.run(**payload)
                _finish(row_id)
        else:
            job.run(**payload)
            with transaction():
                _finish(row_id)
    except Exception as error:  # the worker's loop: note it and go on
        if not isinstance(error, RetryLater):
            log.warning("job %s of row %s failed: %s", name, row_id, type(error).__name__)
        return _put_back(row_id, attempts, job, error)
    return None


def due_rows(limit: int = 500) -> list[int]:
    """Ids of rows that should be done by now and are not, oldest first."""
    now = clock.now()
    return list(
        db.session.scalars(
            select(OutboxRow.id)
            .where(
                OutboxRow.state.in_([JobState.WAITING, JobState.RUNNING]), OutboxRow.due_at < now
            )
            .order_by(OutboxRow.due_at)
            .limit(limit)
        )
    )


def run_due(limit: int = 500) -> int:
    """Do all that is due now, in this process; returns how many rows were looked at."""
    ids = due_rows(limit)
    db.session.rollback()
    for row_id in ids:
        run_row(row_id)
    return len(ids)


def retry_failed(row: OutboxRow) -> None:
    """Let a job that was given up start again from its first try."""
    row.state, row.attempts, row.due_at, row.error = JobState.WAITING, 0, clock.now(), None
    db.session.flush()
    _send_later(row, 0)


def bind_queue(app: Flask, queue: Huey) -> None:
    """Tie the outbox and the scheduled jobs of `app` to its queue."""
    app.extensions["huey"] = queue

    def work(row_id: int) -> None:
        with app.app_context():
            pause = run_row(row_id)
            if pause is not None:
                send(queue, [row_id], pause)

    queue.puente_task = queue.task(name="outbox_row")(work)

    def sweep() -> None:
        with app.app_context():
            ids = due_rows()
        send(queue, ids)

    queue.periodic_task(crontab(minute="*"), name="outbox_sweep")(sweep)

    with app.app_context():
        for job in jobs.values():
            if job.every:
                queue.periodic_task(crontab(*_cron(job.every)), name=f"clock_{job.name}")(
                    _by_the_clock(app, job)
                )


def _cron(line: str) -> tuple[str, str, str, str, str]:
    minute, hour, day, month, weekday = line.split()
    return minute, hour, day, month, weekday


def _by_the_clock(app: Flask, job: Job) -> Callable[[], None]:
    def start() -> None:
        with app.app_context(), transaction():
            enqueue(job.name)

    start.__name__ = f"start_{job.name}"
    return start
