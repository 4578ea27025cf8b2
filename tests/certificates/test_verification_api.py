"""Verification for programs."""

from __future__ import annotations

import hmac
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.resources import files

import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import select

from lms.certificates.models import (
    KeyScope,
    RevocationReason,
    RevocationSubscription,
    VerificationBatch,
)
from lms.certificates.services import programs, revoke
from lms.core import clock
from lms.core.db import db
from lms.core.models import JobState, OutboxRow
from lms.directory.models import OrganisationRole
from tests.factories.accounts import make_administrator
from tests.factories.certificates import make_credential
from tests.factories.directory import make_officer

BASE = "/api/verification/v1"
DESCRIPTION = json.loads(
    files("lms.certificates").joinpath("verification_api.json").read_text(encoding="utf-8")
)


def key_for(*scopes: KeyScope, user=None) -> dict[str, str]:
    _key, text = programs.make_key(user or make_officer(), "Register", scopes or tuple(KeyScope))
    db.session.commit()
    return {"Authorization": f"Bearer {text}"}


def fits(value: object, name: str) -> bool:
    schema = {"$ref": f"#/components/schemas/{name}", "components": DESCRIPTION["components"]}
    return Draft202012Validator(schema).is_valid(value)


def later(monkeypatch, **values) -> None:
    at = clock.now() + timedelta(**values)
    monkeypatch.setattr(clock, "now", lambda: at)


def take_back(credential) -> None:
    revoke.revoke(credential, RevocationReason.ERROR, None, make_administrator().id)
    db.session.commit()


def test_the_description_names_every_route_and_no_other(app, client):
    described = {
        (re.sub(r"\{\w+\}", "{}", path), method.upper())
        for path, methods in DESCRIPTION["paths"].items()
        for method in methods
    }
    real = {
        (re.sub(r"<[^>]+>", "{}", rule.rule.removeprefix(BASE)), method)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(BASE)
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert described == real
    answer = client.get(f"{BASE}/openapi.json")
    assert answer.json["servers"] == [{"url": f"http://puente.test{BASE}"}]
    for schema in DESCRIPTION["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_one_certificate_needs_no_key(client):
    credential = make_credential()

    found = client.get(f"{BASE}/certificates/{credential.code.lower()}")
    missing = client.get(f"{BASE}/certificates/PU-0000-0000-0000-0000")

    assert found.json["state"] == "valid"
    assert fits(found.json, "Row")
    assert "Quispe" not in found.text
    assert (missing.status_code, missing.json["state"]) == (404, "unknown")


def test_a_batch_answers_the_same_when_it_is_asked_again(client):
    credential = make_credential()
    headers = {**key_for(KeyScope.VERIFY), "Idempotency-Key": "audit-2026"}
    body = {"rows": [{"code": credential.code, "name": "Rosa Quispe Mamani"}, "PU-0000"]}

    first = client.post(f"{BASE}/batches", json=body, headers=headers)
    again = client.post(f"{BASE}/batches", json=body, headers=headers)
    other = client.post(f"{BASE}/batches", json={"rows": ["PU-1"]}, headers=headers)

    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 409)
    assert first.json == again.json
    assert fits(first.json, "Batch")
    rows = first.json["report"]["rows"]
    assert [(row["state"], row.get("nameMatch")) for row in rows] == [
        ("valid", "match"),
        ("unknown", None),
    ]
    place = first.headers["Location"].removeprefix("http://puente.test")
    assert client.get(place, headers=headers).json == first.json
    table = client.get(first.json["csv"].removeprefix("http://puente.test"), headers=headers)
    assert table.get_data(as_text=True).splitlines()[1].startswith(f"1,{credential.code},valid")
    assert len(db.session.scalars(select(VerificationBatch)).all()) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/batches"), ("GET", "/batches/x"), ("GET", "/batches/x.csv"),
        ("GET", "/revocations"), ("GET", "/subscriptions"), ("POST", "/subscriptions"),
        ("DELETE", "/subscriptions/9d6b9a39-61d8-4b41-8d28-2a6ec3a3c2d1"),
    ],
)  # fmt: skip
def test_without_a_key_of_the_right_scope_nothing_is_told(client, method, path):
    wrong = KeyScope.REVOCATIONS if path.startswith("/batches") else KeyScope.VERIFY
    for headers in ({}, {"Authorization": "Bearer pv_guess"}, key_for(wrong)):
        answer = client.open(
            f"{BASE}{path}",
            method=method,
            headers=headers,
            json={"rows": ["x"], "url": "https://a.b"},
        )
        assert answer.status_code == 401
        assert fits(answer.json, "Error")
        assert "Bearer" in answer.headers["WWW-Authenticate"]


def test_a_key_ends_with_its_person_s_office_or_when_it_is_revoked(client, signed_in):
    officer = make_officer()
    browser = signed_in(officer)
    page = browser.post("/verify/programs", data={"name": "Register", "scopes": ["verify"]})
    text = re.search(r'id="new-key"[^>]*>(pv_[\w-]+)<', page.text)[1]
    headers = {"Authorization": f"Bearer {text}"}
    body = {"rows": ["PU-0"]}
    assert client.post(f"{BASE}/batches", json=body, headers=headers).status_code == 201
    assert text not in browser.get("/verify/programs").text

    [key] = officer_keys = list(db.session.scalars(select(programs.VerificationKey)))
    assert officer_keys
    assert browser.post(f"/verify/programs/{key.id}/revoke").status_code == 303
    assert client.post(f"{BASE}/batches", json=body, headers=headers).status_code == 401

    second = key_for(user=officer)
    assert client.post(f"{BASE}/batches", json=body, headers=second).status_code == 201
    for role in db.session.scalars(select(OrganisationRole)).all():
        db.session.delete(role)
    assert client.post(f"{BASE}/batches", json=body, headers=second).status_code == 401


def test_the_feed_tells_each_revocation_once_in_its_order(client, monkeypatch):
    headers = key_for(KeyScope.REVOCATIONS)
    revoked = [make_credential() for _number in range(5)]
    for credential in revoked[:4]:
        take_back(credential)
    later(monkeypatch, seconds=10)

    path, told = f"{BASE}/revocations?since=2026-01-01&limit=2", []
    for _page in range(3):
        answer = client.get(path, headers=headers).json
        told += answer["revocations"]
        path = answer["next"].removeprefix("http://puente.test")
    assert [row["id"] for row in told] == [credential.uuid.urn for credential in revoked[:4]]
    assert told[0]["codeSha256"] == programs.digest_of_code(revoked[0].code)
    assert all(fits(row, "Revocation") for row in told)
    assert revoked[0].code not in json.dumps(told)

    take_back(revoked[4])
    later(monkeypatch, seconds=20)
    answer = client.get(path, headers=headers).json
    assert [row["id"] for row in answer["revocations"]] == [revoked[4].uuid.urn]
    since = answer["cursor"].partition("~")[0]
    assert (
        client.get(
            f"{BASE}/revocations", query_string={"since": since}, headers=headers
        ).status_code
        == 200
    )
    for wrong in ("yesterday", "2026-01-01T00:00:00", "2026-01-01T00:00:00Z~x", "9" * 30):
        answer = client.get(f"{BASE}/revocations", query_string={"cursor": wrong}, headers=headers)
        assert answer.status_code == 422


@contextmanager
def listener(status: list[int]) -> Iterator[tuple[str, list]]:
    """An address that keeps what it is told, and answers with the next status."""
    told: list = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.append((self.headers["Puente-Signature"], body))
            self.send_response(status.pop(0) if status else 204)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/told", told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_subscribers_are_told_with_a_signature_and_again_until_they_answer(client, run_jobs, other):
    headers = key_for(KeyScope.REVOCATIONS)
    with listener([500]) as (url, told):
        made = client.post(f"{BASE}/subscriptions", json={"url": url}, headers=headers).json
        assert fits(made, "Subscription")
        credential = make_credential()
        take_back(credential)
        run_jobs()
        row = db.session.scalars(
            select(OutboxRow).where(OutboxRow.job == "certificates.tell_subscriber")
        ).one()
        assert row.state == JobState.WAITING
        row.due_at = clock.now() - timedelta(seconds=1)
        run_jobs()

        assert len(told) == 2
        assert told[0][1] == told[1][1]
        signature, body = told[1]
        seconds, word = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", signature).groups()
        signed = f"{seconds}.".encode() + body
        assert word == hmac.new(made["secret"].encode(), signed, "sha256").hexdigest()
        message = json.loads(body)
        assert message["type"] == "certificate.revoked"
        assert message["id"] == credential.uuid.urn
        assert b"Quispe" not in body

        listed = client.get(f"{BASE}/subscriptions", headers=headers).json["subscriptions"]
        assert listed[0]["lastToldAt"]
        place = f"{BASE}/subscriptions/{made['id']}"
        assert client.delete(place, headers=key_for()).status_code == 404
        assert client.delete(place, headers=headers).status_code == 204
        take_back(make_credential())
        run_jobs()
        assert len(told) == 2


def test_who_answers_gone_is_told_no_more(client, run_jobs, other):
    with listener([410]) as (url, told):
        headers = key_for(KeyScope.REVOCATIONS)
        client.post(f"{BASE}/subscriptions", json={"url": url}, headers=headers)
        take_back(make_credential())
        run_jobs()
        assert len(told) == 1
        assert db.session.scalars(select(RevocationSubscription)).one().ended_at is not None


def test_subscriptions_never_reach_the_own_network(client, monkeypatch, app):
    headers = key_for(KeyScope.REVOCATIONS)
    changed = app.extensions["settings"].model_copy(update={"private_addresses": True})
    monkeypatch.setitem(app.extensions, "settings", changed)

    for url in ("https://10.0.0.1/x", "http://127.0.0.1/x", "ftp://a.example/", 7, None):
        answer = client.post(f"{BASE}/subscriptions", json={"url": url}, headers=headers)
        assert answer.status_code == 422, url
        assert fits(answer.json, "Error")
