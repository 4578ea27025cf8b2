from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from lms.core.db import db
from lms.xapi.models import KeyScope, StoredStatement, XapiKey
from lms.xapi.services.keys import make_key
from tests.xapi.test_api import headers
from tests.xapi.test_forwarding import void, write


def read(client, path="/xapi/feed", scope=KeyScope.READ, **query):
    key, secret = make_key("Analytics", [scope], None)
    return client.get(path, headers=headers(key, secret), query_string=query or None)


def ids(answer) -> list[str]:
    return [json.loads(line)["id"] for line in answer.text.splitlines()]


def test_everything_comes_in_the_order_of_storing(client):
    first = write(3)
    voiding = void(first[1])

    answer = read(client)

    assert ids(answer) == [*first, voiding]
    assert answer.mimetype == "application/x-ndjson"
    assert "Link" not in answer.headers
    assert answer.headers["X-Experience-API-Consistent-Through"]


def test_following_the_links_reads_each_statement_once(client):
    written = write(7)
    seen, path = [], "/xapi/feed?limit=3"
    for _page in range(3):
        answer = read(client, path)
        seen += ids(answer)
        path = answer.headers.get("Link", "<>").partition(">")[0][1:]

    assert seen == written
    assert path == ""


def test_a_reader_goes_on_after_the_last_statement_it_has(client):
    write(2)
    last = json.loads(read(client).text.splitlines()[-1])
    late = write(2)

    assert ids(read(client, since=last["stored"])) == late


def test_a_key_reads_what_it_reaches(client):
    assert read(client, scope=KeyScope.WRITE).status_code == 403
    assert client.get("/xapi/feed").status_code == 401
    write(1)
    make_key("Mine", [KeyScope.READ_MINE], None)
    key = db.session.scalars(select(XapiKey).where(XapiKey.name == "Mine")).one()
    write(1, key_id=key.id)

    assert ids(read(client, scope=KeyScope.READ_MINE)) == []
    assert len(ids(read(client))) == 2
    assert len(db.session.scalars(select(StoredStatement)).all()) == 2


@pytest.mark.parametrize("query", [{"limit": "x"}, {"since": "yesterday"}, {"verb": "urn:x"}])
def test_wrong_parameters_are_named(client, query):
    answer = read(client, **query)

    assert answer.status_code == 400
    assert next(iter(query)) in answer.json["error"]
