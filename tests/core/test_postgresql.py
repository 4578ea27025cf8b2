"""PostgreSQL's connections: what a page sends, and what happens when the server closes its end."""

from __future__ import annotations

import time

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from lms.core.db import db, portions, reading, transaction
from lms.core.models import SiteSetting
from lms.core.postgresql import one_by_one

pytestmark = pytest.mark.postgresql


@pytest.fixture
def live_app(whole_app: Flask):
    """The app with transactions of its own, as it is served."""
    with whole_app.app_context():
        yield whole_app
        db.session.rollback()
        with transaction():
            db.session.execute(text("DELETE FROM site_settings WHERE name LIKE 'test-%'"))


def is_in_transaction():
    db.session.execute(select(SiteSetting.name))
    driver = db.session.connection().connection.driver_connection
    return driver.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS


def test_a_page_that_reads_begins_no_transaction_and_one_that_writes_does(live_app):
    with one_by_one():
        with reading():
            alone = is_in_transaction()
        with transaction():
            writing = is_in_transaction()
        with reading():
            alone_again = is_in_transaction()

    assert (alone, writing, alone_again) == (False, True, False)


def test_work_outside_of_requests_reads_within_a_transaction(live_app):
    with transaction(write=False):
        assert is_in_transaction()


def test_what_a_failing_page_wrote_is_undone(live_app):
    def fail():
        with one_by_one(), transaction():
            db.session.add(SiteSetting(name="test-first", value={}))
            db.session.flush()
            db.session.execute(text("INSERT INTO site_settings (name) VALUES ('test-first')"))

    with pytest.raises(IntegrityError):
        fail()

    assert db.session.get(SiteSetting, "test-first") is None


def test_a_long_answer_comes_in_portions_within_a_page_that_reads(live_app):
    with transaction():
        db.session.add_all(SiteSetting(name=f"test-{n}", value={}) for n in range(7))

    with one_by_one(), reading():
        statement = select(SiteSetting.name).where(SiteSetting.name.startswith("test-"))
        assert len(list(portions(statement, 2))) == 7


def test_a_connection_that_the_server_closed_is_replaced_before_it_is_used(live_app):
    def backend():
        return db.session.scalar(text("SELECT pg_backend_pid()"))

    with one_by_one(), reading():
        first = backend()
    with psycopg.connect(db.engine.raw_connection().driver_connection.info.dsn) as other:
        other.execute("SELECT pg_terminate_backend(%s)", (first,))
        while other.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", (first,)).fetchone():
            other.rollback()  # the list is that of the transaction
            time.sleep(0.01)

    with one_by_one(), reading():
        assert backend() != first
