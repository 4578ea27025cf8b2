"""Refused requests: what is kept of them, how long, and who sees them."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from lms.core import clock
from lms.core.db import db
from lms.xapi.api import refusals
from lms.xapi.models import KeyScope, RefusedRequest, StoredStatement
from lms.xapi.services.keys import make_key
from lms.xapi.services.refused import (
    BODY_KEPT,
    MOST_A_MINUTE,
    MOST_OF_A_KEY,
    Quota,
    keep_refused,
    remove_old_refused,
)
from tests.factories.accounts import make_administrator, make_user
from tests.xapi.test_api import headers, statement

PAGE = "/admin/learning-records/refused-requests"


@pytest.fixture(autouse=True)
def fresh_quota(monkeypatch):
    monkeypatch.setattr(refusals, "quota", Quota(timer=lambda: 0.0))


@pytest.fixture
def credentials(app):
    return make_key("Authoring tool", KeyScope.WRITE, None)


def kept() -> list[RefusedRequest]:
    return list(db.session.scalars(select(RefusedRequest).order_by(RefusedRequest.id)))


def post(client, credentials, body, path="/xapi/statements"):
    data = body if isinstance(body, bytes) else json.dumps(body)
    return client.post(path, data=data, headers=headers(*credentials))


def test_a_refused_batch_is_kept_with_the_place_of_the_fault(client, credentials):
    answer = post(client, credentials, [statement(), statement(result={"success": "yes"})])

    [row] = kept()
    assert answer.status_code == 400
    assert db.session.scalars(select(StoredStatement)).all() == []
    assert (row.status, row.statement_index, row.method) == (400, 1, "POST")
    assert row.path is not None
    assert "success" in row.path
    assert row.rule
    assert row.key.name == "Authoring tool"
    assert '"success": "yes"' in row.body
    assert row.size == len(json.dumps([statement(), statement(result={"success": "yes"})]))


def test_only_the_beginning_of_a_long_body_is_kept(client, credentials):
    post(client, credentials, b'["' + b"x" * 100_000)

    [row] = kept()
    assert len(row.body) == BODY_KEPT
    assert row.size == 100_002


def test_secrets_are_not_kept(client, credentials):
    key, secret = credentials
    client.get(f"/xapi/statements?Authorization=Basic+{secret}", headers=headers(key, secret))
    post(client, credentials, f"Authorization=Basic {secret}&content=x".encode())
    post(client, (key, "a-wrong-secret"), statement())

    rows = kept()
    assert len(rows) == 3
    for row in rows:
        assert secret not in row.address + row.body + row.rule
        assert "a-wrong-secret" not in row.address + row.body + row.rule
    assert rows[2].status == 401
    assert rows[2].key.key == key  # the key that was named, so that its owner can be told


def test_a_key_without_the_right_is_kept_too(client, credentials):
    client.get("/xapi/statements", headers=headers(*credentials))

    assert [(row.status, row.method) for row in kept()] == [(403, "GET")]


def test_everyday_answers_are_not_kept(client, app):
    master = make_key("Master", KeyScope.ALL, None)
    client.get(
        "/xapi/statements",
        query_string={"statementId": "6690e6c9-3ef0-4ed3-8b37-7f3964730bee"},
        headers=headers(*master),
    )
    client.get("/xapi/about")
    post(client, master, statement())

    assert kept() == []


def test_a_broken_client_cannot_fill_the_disk(client, credentials):
    for _number in range(MOST_A_MINUTE + 15):
        post(client, credentials, b"{")
    other = make_key("Another tool", KeyScope.WRITE, None)
    post(client, other, b"{")

    assert len(kept()) == MOST_A_MINUTE + 1


def test_after_a_minute_more_is_kept(app):
    time = [0.0]
    quota = Quota(timer=lambda: time[0])

    assert [quota.take(1) for _number in range(MOST_A_MINUTE + 1)][-2:] == [True, False]
    time[0] = 61.0
    assert quota.take(1)


def keep(count=1, key_id=None):
    for _number in range(count):
        keep_refused(
            key_id=key_id, method="POST", address="/xapi/statements", status=400,
            answer={"error": "no"}, size=1, body=b"\x00\xff",
        )  # fmt: skip
    db.session.flush()


def test_old_ones_are_forgotten_after_the_days_of_the_setting(app):
    keep()
    with clock.set_to(clock.now() + timedelta(days=6)):
        keep()
    with clock.set_to(clock.now() + timedelta(days=8)):
        remove_old_refused()

    assert len(kept()) == 1


def test_of_one_key_only_the_newest_stay(app):
    keep(MOST_OF_A_KEY + 3)

    remove_old_refused()

    ids = [row.id for row in kept()]
    assert len(ids) == MOST_OF_A_KEY
    assert ids[0] == ids[-1] - MOST_OF_A_KEY + 1


def test_only_administrators_see_them(client, signed_in):
    assert client.get(PAGE).status_code in (302, 303)
    assert signed_in(make_user()).get(PAGE).status_code == 403


def test_the_page_says_what_was_refused_and_why(client, signed_in, credentials):
    browser = signed_in(make_administrator())
    assert "Nothing was refused" in browser.get(PAGE).text
    post(client, credentials, [statement(result={"success": "<yes>"})])
    post(client, ("nobody", "x"), statement())

    page = browser.get(PAGE).text

    assert "success" in page
    assert "Authoring tool" in page
    assert "&lt;yes&gt;" in page
    key_id = kept()[0].key_id
    assert "send a valid key" in page
    assert "send a valid key" not in browser.get(f"{PAGE}?key={key_id}").text
    assert "Nothing was refused" not in browser.get(f"{PAGE}?key=none").text
    assert browser.get(f"{PAGE}?key=abc&page=9").status_code == 200


def test_a_page_of_them_takes_a_handful_of_queries(signed_in, count_queries, credentials):
    keep(30)
    browser = signed_in(make_administrator())
    browser.get(PAGE)
    count_queries()

    browser.get(PAGE)

    assert count_queries() <= 8
