from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import select

from lms.core.db import db
from lms.xapi.models import StatementCount, StoredStatement
from lms.xapi.services import erasure, summaries
from lms.xapi.services.store import VOIDED, store_statements
from lms.xapi.vocabulary import activity_iri
from tests.factories.accounts import make_administrator, make_user
from tests.xapi.test_forwarding import AUTHORITY, COMPLETED, PASSED, void, write

RUNS = [uuid.UUID(int=number) for number in range(1, 4)]


def make(run: int | None, day: int, verb: str, statement_id: uuid.UUID | None = None) -> uuid.UUID:
    moment = datetime(2026, 3, 1, 23, 30, tzinfo=UTC) + timedelta(days=day)
    statement = {
        "id": str(statement_id or uuid.uuid4()),
        "actor": {"mbox": "mailto:ana@example.org"},
        "verb": {"id": verb},
        "object": {"id": "urn:thing"},
        "timestamp": moment.isoformat(),
    }
    if run is not None:
        named = {"id": activity_iri("run", RUNS[run])}
        statement["context"] = {"contextActivities": {"grouping": [named]}}
    return store_statements([statement], authority=AUTHORITY)[0]


def row(statement_id: uuid.UUID) -> StoredStatement:
    return db.session.scalars(
        select(StoredStatement).where(StoredStatement.statement_id == statement_id)
    ).one()


def check() -> None:
    db.session.expire_all()
    assert summaries.kept() == summaries.recount()


def test_statements_are_counted_by_run_day_and_verb(app):
    make(0, 0, PASSED)
    make(0, 0, PASSED)
    make(0, 1, PASSED)
    make(None, 0, COMPLETED)
    assert summaries.not_counted_yet() == 4

    summaries.count_all()

    run = activity_iri("run", RUNS[0])
    assert summaries.kept() == {
        (run, date(2026, 3, 1), PASSED): 2,
        (run, date(2026, 3, 2), PASSED): 1,
        ("", date(2026, 3, 1), COMPLETED): 1,
    }
    assert summaries.not_counted_yet() == 0
    assert summaries.counts_by_verb(date(2026, 3, 1)) == {PASSED: 3, COMPLETED: 1}
    assert summaries.counts_by_verb(date(2026, 3, 2), [run]) == {PASSED: 1}
    assert summaries.counts_by_day(date(2026, 1, 1), [run]) == {
        date(2026, 3, 1): 2,
        date(2026, 3, 2): 1,
    }


def test_a_day_is_one_in_utc(app):
    moment = "2026-03-01T23:30:00-05:00"
    store_statements(
        [
            {
                "actor": {"mbox": "mailto:ana@example.org"},
                "verb": {"id": PASSED},
                "object": {"id": "urn:thing"},
                "timestamp": moment,
            }
        ],
        authority=AUTHORITY,
    )
    summaries.count_all()

    assert db.session.scalars(select(StatementCount.day)).one() == date(2026, 3, 2)


def test_a_voided_statement_is_taken_off_once(app):
    wanted = make(0, 0, PASSED)
    summaries.count_all()
    void(str(wanted))
    summaries.count_all()
    check()
    void(str(wanted))
    summaries.count_all()
    check()


def test_the_job_counts_chunk_by_chunk(app, monkeypatch):
    monkeypatch.setattr(summaries, "CHUNK", 3)
    write(10)
    db.session.commit()

    summaries.count_new()

    assert sum(summaries.kept().values()) == 10


def test_counts_are_made_anew(app):
    gone = make(0, 0, PASSED)
    make(1, 0, COMPLETED)
    summaries.count_all()
    void(str(gone))
    db.session.execute(StatementCount.__table__.update().values(count=99))

    summaries.begin_again()
    summaries.count_all()

    check()


steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("make"), st.sampled_from([None, 0, 1]), st.integers(0, 2),
            st.sampled_from([PASSED, COMPLETED]),
        ),
        st.tuples(st.just("void"), st.integers(0, 8)),
        st.tuples(st.just("void before"), st.integers(0, 2)),
        st.tuples(st.just("count")),
        st.tuples(st.just("erase"), st.integers(0, 8)),
        st.tuples(st.just("again")),
    ),
    max_size=25,
)  # fmt: skip


@pytest.mark.slow
@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=steps)
def test_counts_equal_a_recount_whatever_happened(app, steps):
    savepoint = db.session.begin_nested()
    made: list[uuid.UUID] = []
    for step in steps:
        match step:
            case ("make", run, day, verb):
                made.append(make(run, day, verb))
            case ("void", which) if which < len(made):
                void(str(made[which]))
            case ("void before", day):
                late = uuid.uuid4()
                void(str(late))
                made.append(make(0, day, PASSED, late))
            case ("count",):
                summaries.count_chunk()
            case ("again",):
                summaries.begin_again()
            case ("erase", which) if which < len(made):
                summaries.count_all()
                erasure.delete_statements([row(made.pop(which)).id])
    summaries.count_all()
    check()
    assert all(count > 0 for count in summaries.kept().values())
    savepoint.rollback()


def test_verbs_of_voiding_statements_are_counted_too(app):
    void(str(make(0, 0, PASSED)))
    summaries.count_all()

    assert [cell.verb_id for cell in summaries.kept()] == [VOIDED]


def test_only_administrators_see_the_figures(client, signed_in, count_queries):
    path = "/admin/learning-records/figures"
    assert client.get(path).status_code in (302, 303)
    assert signed_in(make_user()).get(path).status_code == 403
    browser = signed_in(make_administrator())
    assert "No statement has been counted yet." in browser.get(path).text
    write(3, verb=PASSED)
    write(2)
    summaries.count_all()
    write(1)
    count_queries()

    page = browser.get(path).text

    assert count_queries() <= 12
    assert "1 new statement is not counted yet." in page
    assert page.index(PASSED) < page.index(COMPLETED)
