from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from lms.core import clock, outbox
from lms.core.db import db, transaction
from lms.core.models import JobState, OutboxRow, SiteSetting
from lms.core.outbox import Job, RetryLater, enqueue


@pytest.fixture
def declare(app, monkeypatch):
    def add(job: Job) -> None:
        monkeypatch.setitem(app.extensions["puente"].declared["jobs"], job.name, job)

    return add


def _row() -> OutboxRow:
    return db.session.scalars(select(OutboxRow)).one()


def test_work_is_done_after_commit_with_its_values(declare, run_jobs):
    done = []
    declare(Job("test.note", lambda **values: done.append(values)))
    with transaction():
        enqueue("test.note", number=3)

    run_jobs()

    assert done == [{"number": 3}]
    assert _row().state == JobState.DONE


def test_nothing_is_done_that_was_rolled_back(declare, run_jobs):
    done = []
    declare(Job("test.note", lambda: done.append(1)))

    def change_and_fail() -> None:
        with transaction():
            enqueue("test.note")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        change_and_fail()
    run_jobs()

    assert done == []


def test_a_failed_job_waits_and_its_changes_are_undone(declare):
    def fail() -> None:
        db.session.add(SiteSetting(name="half done", value={}))
        db.session.flush()
        raise OSError("the mail server is away")

    declare(Job("test.fail", fail, retries=1, pause=30))
    with transaction():
        enqueue("test.fail")
    row_id = _row().id

    pause = outbox.run_row(row_id)

    row = _row()
    assert pause == 30
    assert (row.state, row.attempts) == (JobState.WAITING, 1)
    assert "mail server is away" in row.error
    assert db.session.get(SiteSetting, "half done") is None


def test_a_job_is_given_up_after_its_retries_and_can_be_started_again(declare):
    def fail() -> None:
        raise OSError

    declare(Job("test.fail", fail, retries=0))
    with transaction():
        enqueue("test.fail")
    row_id = _row().id
    assert outbox.run_row(row_id) is None
    assert _row().state == JobState.FAILED

    with transaction():
        outbox.retry_failed(_row())

    assert (_row().state, _row().attempts) == (JobState.WAITING, 0)


def test_a_job_that_asks_for_patience_is_never_given_up(declare):
    def wait() -> None:
        raise RetryLater(7)

    declare(Job("test.wait", wait, retries=0))
    with transaction():
        enqueue("test.wait")
    row_id = _row().id

    assert outbox.run_row(row_id) == 7
    assert _row().state == JobState.WAITING


def test_two_workers_do_not_do_the_same_work(declare):
    done = []
    declare(Job("test.note", lambda: done.append(outbox.run_row(row_id))))
    with transaction():
        enqueue("test.note")
    row_id = _row().id

    outbox.run_row(row_id)

    assert done == [None]


def test_the_sweep_finds_work_of_a_worker_that_died(declare):
    declare(Job("test.note", lambda: None))
    with transaction():
        enqueue("test.note")
        row = _row()
        row.state = JobState.RUNNING
        row.due_at = clock.now() - timedelta(seconds=1)
        row_id = row.id

    assert outbox.due_rows() == [row_id]
    outbox.run_due()
    assert _row().state == JobState.DONE


def test_an_unknown_job_cannot_be_enqueued(app):
    with pytest.raises(KeyError):
        enqueue("test.nobody")


def test_work_of_a_plugin_that_was_switched_off_is_shown_as_failed(declare, app):
    declare(Job("test.note", lambda: None))
    with transaction():
        enqueue("test.note")
    row_id = _row().id
    del app.extensions["puente"].declared["jobs"]["test.note"]

    outbox.run_row(row_id)

    assert _row().state == JobState.FAILED
    app.extensions["puente"].declared["jobs"]["test.note"] = Job("test.note", lambda: None)
