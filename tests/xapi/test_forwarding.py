from __future__ import annotations

import hashlib
import json
import threading
import uuid
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import select

from lms.core import clock
from lms.core.db import db
from lms.core.models import AuditEntry, JobState, OutboxRow
from lms.xapi.models import ForwardingTarget, RefusedByTarget, StoredStatement
from lms.xapi.services import forwarding
from lms.xapi.services.attachments import keep_attachments
from lms.xapi.services.selection import Selection
from lms.xapi.services.store import store_statements
from tests.factories.accounts import make_administrator, make_user

AUTHORITY = {"mbox": "mailto:lms@example.org"}
ROOT = "/admin/learning-records/forwarding"
COMPLETED = "http://adlnet.gov/expapi/verbs/completed"
PASSED = "http://adlnet.gov/expapi/verbs/passed"
VOIDED = "http://adlnet.gov/expapi/verbs/voided"


class OtherStore:
    """Another store over HTTP: takes statements by id, can be away, refuses what is marked."""

    def __init__(self) -> None:
        self.taken: dict[str, str] = {}  # id -> the text as it came
        self.order: list[str] = []
        self.versions: list[str] = []
        self.types: list[str] = []
        self.parts: list[Message] = []
        self.requests = 0
        self.is_away = False
        self.away_with = 503
        self.headers: dict[str, str] = {}
        self.refuses = "refuse"
        store = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                kind = self.headers["Content-Type"]
                store.types.append(kind)
                if kind.startswith("multipart/mixed"):
                    head = f"Content-Type: {kind}\r\n\r\n".encode()
                    first, *rest = message_from_bytes(head + body).get_payload()
                    body, store.parts = first.get_payload(decode=True), rest
                text = body.decode()
                statements = json.loads(text)
                store.requests += 1
                store.versions.append(self.headers["X-Experience-API-Version"])
                status = 200
                if store.is_away:
                    status = store.away_with
                elif any(store.refuses in s["object"]["id"] for s in statements):
                    status = 400
                else:
                    for statement in statements:
                        if statement["id"] not in store.taken:
                            store.order.append(statement["id"])
                        store.taken[statement["id"]] = text
                body = json.dumps([s["id"] for s in statements]).encode()
                self.send_response(status)
                for name, value in store.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/xapi"


@pytest.fixture
def other(app, monkeypatch) -> Iterator[OtherStore]:
    opened = app.extensions["settings"].model_copy(update={"debug": True})
    monkeypatch.setitem(app.extensions, "settings", opened)  # else this machine is out of bounds
    store = OtherStore()
    yield store
    store.server.shutdown()
    store.server.server_close()


def write(count: int, name: str = "course", verb: str = COMPLETED, **more) -> list[str]:
    statements = [
        {
            "actor": {"account": {"homePage": "http://puente.test", "name": f"{name}-{i}"}},
            "verb": {"id": verb},
            "object": {"id": f"urn:{name}:{i}"},
        }
        for i in range(count)
    ]
    return [str(i) for i in store_statements(statements, authority=AUTHORITY, **more)]


def void(statement_id: str) -> str:
    statement = {
        "actor": {"mbox": "mailto:admin@example.org"},
        "verb": {"id": VOIDED},
        "object": {"objectType": "StatementRef", "id": statement_id},
    }
    return str(store_statements([statement], authority=AUTHORITY)[0])


def add(other: OtherStore, wanted: Selection | None = None) -> ForwardingTarget:
    return forwarding.add_target(
        "Other", other.endpoint, "key", "secret", from_now=False, wanted=wanted
    )


def waiting(target: ForwardingTarget) -> int:
    return forwarding.lag(target).count


def next_round(target: ForwardingTarget, run_jobs) -> None:
    """As the clock does it when the target's pause is over."""
    at = target.next_try_at
    with clock.set_to(at):
        forwarding.wake_all()
    with clock.set_to(at + timedelta(seconds=1)):
        run_jobs()


def failed_jobs() -> list[OutboxRow]:
    return list(db.session.scalars(select(OutboxRow).where(OutboxRow.state == JobState.FAILED)))


def test_all_statements_arrive_in_order_with_their_ids(app, other, run_jobs):
    ids = write(120)
    target = add(other)

    run_jobs()

    assert other.order == ids
    assert other.requests == 3
    assert (target.failures, target.leased_until, waiting(target)) == (0, None, 0)


def test_more_than_one_job_can_send_is_sent_by_the_next(app, other, run_jobs, monkeypatch):
    monkeypatch.setattr(forwarding, "BATCH", 2)
    monkeypatch.setattr(forwarding, "BATCHES_A_JOB", 2)
    ids = write(9)
    add(other)

    run_jobs()

    assert other.order == ids


def test_a_statement_is_sent_as_it_is_kept(app, other, run_jobs):
    store_statements(
        [
            {
                "actor": {"mbox": "mailto:ana@example.org"},
                "verb": {"id": "urn:verb"},
                "object": {"id": "urn:thing"},
                "context": {"extensions": {"urn:x": [None, 1.0, 12345678901234567890, {}]}},
            }
        ],
        authority=AUTHORITY,
    )
    add(other)

    run_jobs()

    kept = db.session.scalars(select(StoredStatement.document)).one()
    assert list(other.taken.values()) == [f"[{kept}]"]


def test_statements_of_each_version_are_sent_under_their_version(app, other, run_jobs):
    ids = write(2) + write(1, version="2.0.0") + write(1)
    add(other)

    run_jobs()

    assert other.order == ids
    assert other.versions == ["1.0.3", "2.0.0", "1.0.3"]


def test_attachments_go_along(app, other, run_jobs):
    content = b"\x00\xff\r\n--not the boundary"
    sha2 = hashlib.sha256(content).hexdigest()
    named = {
        "usageType": "urn:notes",
        "display": {"en": "Notes"},
        "contentType": "text/plain",
        "length": len(content),
        "sha2": sha2,
    }
    thing = {
        "actor": {"mbox": "mailto:ana@example.org"},
        "verb": {"id": "urn:verb"},
        "object": {"id": "urn:thing"},
        "attachments": [named],
    }
    write(1)
    store_statements([thing], authority=AUTHORITY)
    [row] = db.session.scalars(select(StoredStatement).where(StoredStatement.verb_id == "urn:verb"))
    keep_attachments({sha2: content}, [(thing, row.id)])
    write(1)
    add(other)

    run_jobs()

    assert len(other.order) == 3
    assert [kind.partition(";")[0] for kind in other.types] == [
        "application/json", "multipart/mixed", "application/json"
    ]  # fmt: skip
    [part] = other.parts
    assert part["X-Experience-API-Hash"] == sha2
    assert part.get_payload(decode=True) == content


def test_nothing_is_lost_while_the_other_side_is_away(app, other, run_jobs):
    other.is_away = True
    target = add(other)
    ids = write(3)

    run_jobs()

    assert target.failures == 1
    assert "503" in target.last_error
    assert waiting(target) == 3
    assert target.next_try_at > clock.now()

    other.is_away = False
    next_round(target, run_jobs)

    assert other.order == ids
    assert target.last_error is None
    assert waiting(target) == 0


def test_pauses_grow_and_no_job_fails_however_long_the_other_side_is_away(app, other, run_jobs):
    other.is_away = True
    target = add(other)
    write(1)
    run_jobs()
    pauses = []
    for _round in range(13):
        before = target.next_try_at
        next_round(target, run_jobs)
        pauses.append((target.next_try_at - before).total_seconds() - 1)

    assert pauses[:4] == [20, 40, 80, 160]
    assert pauses[-1] == 3600
    assert failed_jobs() == []
    assert other.requests == 14


def test_the_clock_leaves_a_target_in_peace_until_its_pause_is_over(app, other, run_jobs):
    other.is_away = True
    add(other)
    write(1)
    run_jobs()

    forwarding.wake_all()
    run_jobs()

    assert other.requests == 1


def test_the_other_store_can_ask_for_a_longer_pause(app, other, run_jobs):
    other.is_away, other.headers = True, {"Retry-After": "600"}
    target = add(other)
    write(1)

    run_jobs()

    assert target.next_try_at - clock.now() > timedelta(seconds=580)


def test_what_is_sent_twice_is_there_once(app, other, run_jobs):
    ids = write(5)
    target = add(other)
    run_jobs()
    target.last_statement_pk = 0  # as if a worker had died before noting its success
    forwarding.wake(target)

    run_jobs()

    assert other.order == ids
    assert len(other.taken) == 5


def test_two_workers_do_not_send_to_one_target_at_once(app, other, run_jobs):
    write(1)
    target = add(other)
    target.leased_until = clock.now() + timedelta(minutes=1)  # the other worker's

    run_jobs()
    assert other.requests == 0

    target.leased_until = clock.now() - timedelta(seconds=1)  # it has died
    forwarding.wake_all()
    run_jobs()
    assert other.requests == 1


def test_a_statement_the_other_store_refuses_does_not_hold_up_the_rest(app, other, run_jobs):
    write(2)
    write(1, "refuse")
    write(2, "later")
    target = add(other)

    run_jobs()

    assert len(other.taken) == 4
    refused = db.session.scalars(select(RefusedByTarget)).one()
    assert refused.error.startswith("400")
    assert waiting(target) == 0


def test_refused_statements_can_be_sent_again_one_or_all(app, other, run_jobs):
    ids = write(3, "refuse")
    target = add(other)
    run_jobs()
    first, *_rest = db.session.scalars(select(RefusedByTarget).order_by(RefusedByTarget.id))
    other.refuses = "nothing"

    forwarding.retry_refused(target, first.id)
    run_jobs()
    assert other.order == ids[:1]

    assert forwarding.retry_refused(target) == 2
    run_jobs()
    assert other.order == ids
    assert db.session.scalars(select(RefusedByTarget)).all() == []


def test_what_is_refused_again_is_kept_once_and_not_tried_for_ever(app, other, run_jobs):
    write(1, "refuse")
    target = add(other)
    run_jobs()
    forwarding.retry_refused(target)

    run_jobs()
    forwarding.wake_all()
    run_jobs()

    assert other.requests == 2
    assert not db.session.scalars(select(RefusedByTarget)).one().is_due


def test_a_refused_statement_waits_while_the_other_side_is_away(app, other, run_jobs):
    write(1, "refuse")
    target = add(other)
    run_jobs()
    other.is_away, other.refuses = True, "nothing"
    forwarding.retry_refused(target)
    run_jobs()
    assert db.session.scalars(select(RefusedByTarget)).one().is_due

    other.is_away = False
    next_round(target, run_jobs)

    assert len(other.order) == 1
    assert db.session.scalars(select(RefusedByTarget)).all() == []


def test_an_address_that_leads_elsewhere_loses_nothing(app, other, run_jobs):
    write(1)
    other.away_with = 301
    other.is_away = True
    target = add(other)

    run_jobs()

    assert waiting(target) == 1
    assert target.last_error == "the other store answers 301"
    assert db.session.scalars(select(RefusedByTarget)).all() == []


def test_what_does_not_speak_http_is_tried_again(app, other, run_jobs, monkeypatch):
    import socket

    listener = socket.create_server(("127.0.0.1", 0))

    def chat() -> None:
        link, _address = listener.accept()
        link.recv(65536)
        link.sendall(b"220 mail.example.org ESMTP\r\n")
        link.close()

    threading.Thread(target=chat, daemon=True).start()
    write(1)
    endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    target = forwarding.add_target("Mail", endpoint, "key", "secret", from_now=False)

    run_jobs()

    assert target.failures == 1
    assert failed_jobs() == []
    listener.close()


def test_a_target_gets_only_the_verbs_it_is_for(app, other, run_jobs):
    write(2, verb=PASSED)
    ids = write(2)
    write(1, verb=PASSED)
    target = add(other, Selection(verbs=(COMPLETED,)))

    run_jobs()

    assert other.order == ids
    assert (
        target.last_statement_pk
        == db.session.scalars(
            select(StoredStatement.id).order_by(StoredStatement.id.desc()).limit(1)
        ).one()
    )


def test_a_target_for_own_statements_does_not_get_those_of_other_tools(app, other, run_jobs):
    from lms.xapi.models import KeyScope, XapiKey
    from lms.xapi.services.keys import make_key

    make_key("A tool", [KeyScope.WRITE], None)
    key = db.session.scalars(select(XapiKey)).one()
    write(1, key_id=key.id)
    ids = write(1)
    add(other, Selection(is_own_only=True))

    run_jobs()

    assert other.order == ids


def test_a_target_hears_of_voided_statements_only_if_it_got_them(app, other, run_jobs):
    [strange] = write(1, verb=PASSED)
    [known] = write(1)
    void(strange)
    wanted = void(known)
    add(other, Selection(verbs=(COMPLETED,)))

    run_jobs()

    assert other.order == [known, wanted]


def test_a_target_whose_collection_no_plugin_knows_waits(app, other, run_jobs):
    write(1)
    target = add(other, Selection(limit=("nothing", uuid.uuid4())))

    run_jobs()

    assert other.requests == 0
    assert "nothing" in target.last_error
    assert target.last_statement_pk == 0


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


def test_lag_says_how_many_wait_and_since_when(app, other, monkeypatch):
    target = add(other)
    assert forwarding.lag(target) == forwarding.Lag(0, False, None)
    write(3)
    first = db.session.scalars(select(StoredStatement.stored).order_by(StoredStatement.id)).first()

    assert forwarding.lag(target) == forwarding.Lag(3, False, first)

    monkeypatch.setattr(forwarding, "MOST_COUNTED", 2)
    assert forwarding.lag(target) == forwarding.Lag(2, True, first)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""), ("POST", ""), ("GET", "/1"), ("POST", "/1"), ("POST", "/1/pause"),
        ("POST", "/1/resume"), ("POST", "/1/now"), ("GET", "/1/delete"), ("POST", "/1/delete"),
        ("GET", "/1/refused"), ("POST", "/1/refused/retry"), ("POST", "/1/refused/1/retry"),
    ],
)  # fmt: skip
def test_only_administrators_manage_forwarding(client, signed_in, method, path):
    assert client.open(ROOT + path, method=method).status_code in (302, 303)
    assert signed_in(make_user()).open(ROOT + path, method=method).status_code == 403
    known = signed_in(make_administrator()).open(f"{ROOT}{path}", method=method)
    assert known.status_code in (200, 404, 422)


def form(other: OtherStore, **values) -> dict[str, str]:
    return {
        "name": "Other", "endpoint": other.endpoint, "username": "k", "password": "s", **values
    }  # fmt: skip


def test_an_administrator_adds_changes_pauses_and_deletes_a_target(signed_in, other):
    browser = signed_in(make_administrator())
    write(2)

    assert browser.post(ROOT, data=form(other)).status_code == 303
    target = db.session.scalars(select(ForwardingTarget)).one()
    page = browser.get(ROOT).text
    assert "Other" in page
    assert "2 statements" in page

    secret = target.password_sealed
    changed = form(other, name="Archive", password="", verbs=f"{PASSED}\n\n{PASSED} ")
    assert browser.post(f"{ROOT}/{target.id}", data=changed).status_code == 303
    assert (target.name, target.verbs, target.password_sealed) == ("Archive", [PASSED], secret)
    assert PASSED in browser.get(f"{ROOT}/{target.id}").text

    for _twice in range(2):
        browser.post(f"{ROOT}/{target.id}/pause")
        assert not target.is_active
    browser.post(f"{ROOT}/{target.id}/resume")
    assert target.is_active

    assert browser.get(f"{ROOT}/{target.id}/delete").status_code == 200
    browser.post(f"{ROOT}/{target.id}/delete")
    assert db.session.scalars(select(ForwardingTarget)).all() == []
    assert db.session.scalars(select(AuditEntry.act).order_by(AuditEntry.id)).all() == [
        f"xapi.{act}_forwarding" for act in ("add", "change", "pause", "resume", "delete")
    ]


def test_an_administrator_sees_what_was_refused_and_sends_it_again(signed_in, other, run_jobs):
    write(2, "refuse")
    target = add(other)
    run_jobs()
    browser = signed_in(make_administrator())

    page = browser.get(f"{ROOT}/{target.id}/refused").text
    assert page.count("400: ") == 2

    other.refuses = "nothing"
    browser.post(f"{ROOT}/{target.id}/refused/retry")
    run_jobs()
    assert "Nothing was refused" in browser.get(f"{ROOT}/{target.id}/refused").text


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"endpoint": "nowhere"}, "not an address"),
        ({"endpoint": "http://lrs.example.org/"}, "must begin with https"),
        ({"endpoint": "ftp://lrs.example.org/"}, "must begin with https"),
        ({"endpoint": "https://10.1.2.3/"}, "private network"),
        ({"endpoint": "https://[::ffff:192.168.0.1]/"}, "private network"),
        ({"endpoint": "https://169.254.169.254/"}, "private network"),
        ({"endpoint": "https://me:secret@lrs.example.org/"}, "Leave name and password out"),
        ({"endpoint": "https://lrs.example.org:99999/"}, "not an address"),
        ({"verbs": "completed"}, "not an IRI: completed"),
        ({"limit": "course:nothing"}, "Not a valid choice"),
        ({"password": ""}, "required"),
    ],
)
def test_a_target_that_makes_no_sense_comes_back_in_the_form(signed_in, other, values, words):
    answer = signed_in(make_administrator()).post(ROOT, data=form(other, **values))

    assert answer.status_code == 422
    assert words in answer.text
    assert db.session.scalars(select(ForwardingTarget)).all() == []


def test_the_list_of_targets_asks_little_of_the_database(signed_in, other, count_queries):
    for _target in range(3):
        add(other)
    browser = signed_in(make_administrator())
    count_queries()

    assert browser.get(ROOT).status_code == 200

    assert count_queries() <= 12
