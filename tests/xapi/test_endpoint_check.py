"""The test of one's own endpoint: what is tried, and what is said of what fails."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import select

from lms.core.db import db
from lms.core.models import AuditEntry
from lms.xapi.models import KeyScope, StoredStatement, XapiKey
from lms.xapi.services import endpoint_check
from lms.xapi.services.access import find_access
from lms.xapi.services.endpoint_check import Reply, ask_over_http, check_endpoint
from lms.xapi.services.keys import make_key
from tests.factories.accounts import make_administrator, make_user
from tests.factories.courses import make_course

PAGE = "/admin/learning-records/test"


@pytest.fixture
def ask(client):
    """Ask this very site, without a network between."""

    def over_the_client(method, path, headers, body=None):
        answer = client.open(path, method=method, headers=dict(headers), data=body)
        found = {name.lower(): value for name, value in answer.headers.items()}
        return Reply(answer.status_code, found, answer.data)

    return over_the_client


def check(credentials, ask):
    return check_endpoint(*credentials, find_access(*credentials), ask)


def test_all_is_well_with_a_key_that_may_do_all(ask):
    findings = check(make_key("A tool", KeyScope.ALL, None), ask)

    assert [finding for finding in findings if not finding.is_ok] == []
    assert len(findings) == 7
    rows = db.session.scalars(select(StoredStatement).order_by(StoredStatement.id)).all()
    assert [row.is_voided for row in rows] == [True, False]


def test_a_limited_key_passes_too(ask):
    limit = ("course", make_course().uuid)
    findings = check(make_key("A tool", KeyScope.ALL, None, limit=limit), ask)

    assert all(finding.is_ok for finding in findings)


def test_what_the_key_may_not_do_is_said(ask):
    reader = check(make_key("Reader", KeyScope.READ, None), ask)
    writer = check(make_key("Writer", KeyScope.WRITE, None), ask)
    nobody = check_endpoint("nobody", "x", None, ask)

    assert "may not send" in reader[-1].advice
    assert [f.advice for f in writer if not f.is_ok] == [
        "The key may not read statements. That is right for a tool that only sends."
    ]
    assert "secret is wrong" in nobody[-1].advice


def test_what_a_proxy_takes_away_is_said(ask):
    credentials = make_key("A tool", KeyScope.ALL, None)

    def without(*names):
        def strip(method, path, headers, body=None):
            kept = {n: v for n, v in headers.items() if n not in names}
            reply = ask(method, path, kept, body)
            answered = {n: v for n, v in reply.headers.items() if n not in names}
            return Reply(reply.status, answered, reply.body)

        return [f.advice for f in check(credentials, strip) if not f.is_ok]

    assert "Authorization" in without("Authorization")[0]
    assert "X-Experience-API-Version" in without("x-experience-api-version")[0]
    assert "CORS" in without("access-control-allow-origin")[0]


def test_the_sites_of_a_list_are_tried_one_by_one(app, ask, monkeypatch):
    sites = ("https://content.example.org", "https://two.example")
    listed = app.extensions["settings"].model_copy(update={"xapi_origins": sites})
    monkeypatch.setitem(app.extensions, "settings", listed)
    credentials = make_key("A tool", KeyScope.ALL, None)

    texts = [f.text for f in check(credentials, ask) if f.is_ok and "Content on" in f.text]
    assert [word for text in texts for word in sites if word in text] == list(sites)
    assert len(texts) == 3
    [advice] = [
        f.advice for f in check(credentials, lambda *asked: _opened(ask, *asked)) if not f.is_ok
    ]
    assert "adds CORS headers" in advice


def _opened(ask, method, path, headers, body=None):
    """What a proxy does that opens everything by itself."""
    reply = ask(method, path, headers, body)
    return Reply(reply.status, {**reply.headers, "access-control-allow-origin": "*"}, reply.body)


class Elsewhere(BaseHTTPRequestHandler):
    """Another site that answers in the place of Puente."""

    def do_GET(self) -> None:
        body = b"<h1>Welcome to nginx</h1>"
        self.send_response(404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments) -> None:
        pass


class Address:
    """Settings with another public address."""

    def __init__(self, base_url):
        self.base_url = base_url


def test_another_site_at_the_address_and_nobody_there_are_told_apart(app, monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(endpoint_check, "settings", lambda: Address(address))

    [other] = check_endpoint("k", "s", None, ask_over_http)
    server.shutdown()
    server.server_close()
    [nobody] = check_endpoint("k", "s", None, ask_over_http)

    assert "Something else answers" in other.advice
    assert "404" in other.advice
    assert "Nothing answers" in nobody.advice


def test_only_administrators_test_the_endpoint(client, signed_in):
    for method in ("GET", "POST"):
        assert client.open(PAGE, method=method).status_code in (302, 303)
        assert signed_in(make_user()).open(PAGE, method=method).status_code == 403


def test_without_a_key_one_is_made_that_ends_soon_and_is_used_again(signed_in, ask, monkeypatch):
    monkeypatch.setattr(endpoint_check, "ask_over_http", ask)
    browser = signed_in(make_administrator())
    assert "Test the endpoint" in browser.get(PAGE).text

    first = browser.post(PAGE).text
    second = browser.post(PAGE).text

    assert "Everything works" in first
    assert "Everything works" in second
    key = db.session.scalars(select(XapiKey)).one()
    assert key.expires_at is not None
    acts = db.session.scalars(select(AuditEntry.act)).all()
    assert acts == ["xapi.test_endpoint"] * 2


def test_a_key_that_was_pasted_is_used(signed_in, ask, monkeypatch):
    monkeypatch.setattr(endpoint_check, "ask_over_http", ask)
    key, secret = make_key("A tool", KeyScope.ALL, None)
    browser = signed_in(make_administrator())

    page = browser.post(PAGE, data={"key": key, "secret": secret}).text

    assert "Everything works" in page
    assert secret not in page
    assert browser.post(PAGE, data={"key": key}).status_code == 422
    assert "wrong" in browser.post(PAGE, data={"key": key, "secret": json.dumps("x")}).text
