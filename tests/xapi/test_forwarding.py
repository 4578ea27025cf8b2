from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import select

from lms.core import outbox
from lms.core.db import db
from lms.core.models import JobState, OutboxRow
from lms.xapi.models import ForwardingTarget, RefusedByTarget, StoredStatement
from lms.xapi.services import forwarding
from lms.xapi.services.store import store_statements

AUTHORITY = {"mbox": "mailto:lms@example.org"}


class OtherStore:
    """Another store over HTTP: takes statements by id, can be away, refuses what is marked."""

    def __init__(self) -> None:
        self.taken: dict[str, dict] = {}
        self.order: list[str] = []
        self.requests = 0
        self.is_away = False
        self.away_with = 503
        store = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.answer(self.body())

            def do_PUT(self) -> None:
                self.answer([self.body()])

            def body(self):
                return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

            def answer(self, statements) -> None:
                store.requests += 1
                status = 200
                if store.is_away:
                    status = store.away_with
                elif any("refuse" in s["object"]["id"] for s in statements):
                    status = 400
                else:
                    for statement in statements:
                        if statement["id"] not in store.taken:
                            store.order.append(statement["id"])
                        store.taken[statement["id"]] = statement
                body = json.dumps([s["id"] for s in statements]).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/xapi"


@pytest.fixture
def other() -> Iterator[OtherStore]:
    store = OtherStore()
    yield store
    store.server.shutdown()
    store.server.server_close()


def write(count: int, name: str = "course") -> list[str]:
    statements = [
        {
            "actor": {"account": {"homePage": "http://puente.test", "name": f"{name}-{i}"}},
            "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
            "object": {"id": f"urn:{name}:{i}"},
        }
        for i in range(count)
    ]
    return [str(i) for i in store_statements(statements, authority=AUTHORITY)]


def test_all_statements_arrive_in_order_with_their_ids(app, other, run_jobs):
    ids = write(120)
    forwarding.add_target("Other", other.endpoint, "key", "secret", from_now=False)

    run_jobs()
    outbox.run_due()

    assert other.order == ids
    assert db.session.scalars(select(ForwardingTarget)).one().failures == 0


def test_nothing_is_lost_while_the_other_side_is_away(app, other, run_jobs):
    other.is_away = True
    target = forwarding.add_target("Other", other.endpoint, "key", "secret", from_now=True)
    ids = write(3)
    db.session.commit()
    [row] = db.session.scalars(
        select(OutboxRow).where(
            OutboxRow.job == "xapi.forward", OutboxRow.state == JobState.WAITING
        )
    )

    assert outbox.run_row(row.id) > 0
    assert target.failures == 1
    assert "503" in target.last_error
    assert forwarding.waiting(target) == 3

    other.is_away = False
    outbox.run_row(row.id)

    assert other.order == ids
    assert target.last_error is None
    assert forwarding.waiting(target) == 0


def test_what_is_sent_twice_is_there_once(app, other, run_jobs):
    ids = write(5)
    target = forwarding.add_target("Other", other.endpoint, "key", "secret", from_now=False)
    run_jobs()
    target.last_statement_pk = 0  # as if a worker had died before noting its success
    forwarding.wake(target)

    run_jobs()

    assert other.order == ids
    assert len(other.taken) == 5


def test_a_statement_the_other_store_refuses_does_not_hold_up_the_rest(app, other, run_jobs):
    write(2)
    write(1, "refuse")
    write(2, "later")
    target = forwarding.add_target("Other", other.endpoint, "key", "secret", from_now=False)

    run_jobs()

    assert len(other.taken) == 4
    refused = db.session.scalars(select(RefusedByTarget)).one()
    assert refused.error.startswith("400")
    assert forwarding.waiting(target) == 0


def test_a_statement_that_cannot_be_sent_does_not_hold_up_the_rest(app, other, run_jobs):
    agent = {"name": "", "mbox": "mailto:ana@example.org"}  # TinCanPython refuses an empty name
    thing = {"actor": agent, "verb": {"id": "urn:verb"}, "object": {"id": "urn:thing"}}
    write(1)
    store_statements([thing], authority=AUTHORITY)
    write(1, "later")
    target = forwarding.add_target("Other", other.endpoint, "key", "secret", from_now=False)

    run_jobs()

    assert len(other.taken) == 2
    assert "empty" in db.session.scalars(select(RefusedByTarget)).one().error
    assert forwarding.waiting(target) == 0


def test_an_address_that_leads_elsewhere_loses_nothing(app, other, run_jobs):
    write(1)
    other.away_with = 301
    other.is_away = True
    target = forwarding.add_target("Other", other.endpoint, "key", "secret", from_now=False)

    run_jobs()

    assert forwarding.waiting(target) == 1
    assert target.last_error == "the other store answers 301"
    assert db.session.scalars(select(RefusedByTarget)).all() == []


def test_the_secret_of_the_other_store_is_not_kept_readable(app, other):
    target = forwarding.add_target("Other", other.endpoint, "key", "very secret", from_now=True)

    assert "very secret" not in target.password_sealed


def test_only_what_happens_from_now_on(app, other, run_jobs):
    write(3)
    forwarding.add_target("Other", other.endpoint, "key", "secret", from_now=True)
    [late] = write(1)

    run_jobs()

    assert other.order == [late]
    assert len(db.session.scalars(select(StoredStatement)).all()) == 4
