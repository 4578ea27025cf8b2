"""Puente's own statements: stored at the end of the transaction in which something happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from sqlalchemy import event, func, select

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import db
from lms.core.events import Event
from lms.xapi import vocabulary
from lms.xapi.mapping import StatementDraft, StatementMapping
from lms.xapi.models import StoredStatement
from lms.xapi.services import record as recording
from tests.factories.accounts import make_user


@dataclass(frozen=True)
class BellRung(Event):
    user: User


def draft(happened):
    thing = vocabulary.activity("urn:bell", "course", {"en": "A bell"})
    yield StatementDraft(happened.user, "completed", thing)


@pytest.fixture
def ring(app, monkeypatch):
    mappings = {"bell": StatementMapping("bell", BellRung, draft)}
    monkeypatch.setattr(recording, "statement_mappings", mappings)
    user = make_user()
    return lambda: recording.record(BellRung(user))


def stored() -> int:
    return db.session.scalar(select(func.count()).select_from(StoredStatement))


def test_all_are_stored_at_once_when_the_transaction_ends(ring):
    asked: list[str] = []

    def note(connection, cursor, statement, *rest) -> None:
        if "xapi_" in statement:
            asked.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        ring()
        ring()
        assert asked == []
        db.session.commit()
    finally:
        event.remove(db.engine, "before_cursor_execute", note)

    assert (
        sum(
            one.startswith(("INSERT INTO xapi_statements ", "COPY xapi_statements "))
            for one in asked
        )
        == 1
    )
    assert stored() == 2


def test_who_asks_in_the_same_transaction_sees_them(ring):
    ring()

    assert stored() == 1


def test_nothing_stays_of_what_was_taken_back(ring):
    ring()
    db.session.rollback()
    db.session.commit()
    assert stored() == 0

    savepoint = db.session.begin_nested()
    ring()
    savepoint.rollback()
    db.session.commit()
    assert stored() == 0


def test_what_the_demo_lets_happen_in_the_past_is_told_of_the_past(ring):
    then = datetime(2020, 3, 4, 12, tzinfo=UTC)
    with clock.set_to(then):
        ring()
    db.session.commit()

    assert db.session.scalars(select(StoredStatement.timestamp)).one() == then
