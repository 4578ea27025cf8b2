from __future__ import annotations

import base64
import json
import time
import uuid

import pytest
from sqlalchemy import func, select

from lms.core.db import db
from lms.xapi.models import KeyScope, StoredStatement, XapiKey
from lms.xapi.services.keys import make_key, revoke_key

ANA = {"mbox": "mailto:ana@example.org"}
VERB = {"id": "http://adlnet.gov/expapi/verbs/completed"}
COURSE = {"id": "https://example.org/course"}


def statement(**values):
    return {"actor": ANA, "verb": VERB, "object": COURSE, **values}


def headers(key, secret, **values):
    token = base64.b64encode(f"{key}:{secret}".encode()).decode()
    return {
        "Authorization": f"Basic {token}",
        "X-Experience-API-Version": "1.0.3",
        "Content-Type": "application/json",
        **values,
    }


@pytest.fixture
def tool(client):
    """Another tool with a key that may do everything."""
    key, secret = make_key("A tool", KeyScope.ALL, None)

    def ask(method: str, path: str, body=None, **query):
        data = body if isinstance(body, bytes) or body is None else json.dumps(body)
        return client.open(
            f"/xapi/{path}",
            method=method,
            data=data,
            query_string=query or None,
            headers=headers(key, secret),
        )

    return ask


def stored() -> int:
    return db.session.scalar(select(func.count()).select_from(StoredStatement))


def test_a_statement_that_is_sent_can_be_read_again(tool):
    [statement_id] = tool("POST", "statements", statement()).json

    kept = tool("GET", "statements", statementId=statement_id).json

    assert kept["actor"] == ANA
    assert kept["stored"].endswith("Z")
    assert kept["timestamp"] == kept["stored"]
    assert kept["authority"]["account"]["name"].startswith("key:")


@pytest.mark.parametrize(
    ("timestamp", "status"),
    [
        ("2026-01-01t00:00:00z", 200),
        ("2026-01-01T00:00:00,5Z", 200),
        ("0001-01-01T00:00:00+14:00", 400),
        ("9999-12-31T23:59:59-10:00", 400),
        ("2026-02-30T00:00:00Z", 400),
    ],
)
def test_instants_are_read_as_the_standard_writes_them(tool, timestamp, status):
    answer = tool("POST", "statements", statement(timestamp=timestamp))

    assert answer.status_code == status


def test_put_takes_the_id_from_the_address_and_is_safe_to_repeat(tool):
    wanted = str(uuid.uuid4())

    assert tool("PUT", "statements", statement(), statementId=wanted).status_code == 204
    assert tool("PUT", "statements", statement(), statementId=wanted).status_code == 204

    assert stored() == 1


def test_another_statement_under_a_known_id_is_a_conflict(tool):
    wanted = str(uuid.uuid4())
    tool("PUT", "statements", statement(), statementId=wanted)

    answer = tool("PUT", "statements", statement(object={"id": "urn:x"}), statementId=wanted)

    assert answer.status_code == 409
    assert stored() == 1


def test_a_batch_lands_whole_or_not_at_all(tool):
    answer = tool("POST", "statements", [statement(), statement(verb={"id": "no iri"})])

    assert answer.status_code == 400
    assert answer.json["error"].startswith("statement 1, statement.verb.id")
    assert stored() == 0


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"actor": {"name": "Ana"}}, "statement.actor"),
        ({"actor": {**ANA, "openid": "https://a.example"}}, "statement.actor"),
        ({"actor": {"mbox": "ana@example.org"}}, "statement.actor.mbox"),
        ({"verb": {"display": {"en": "x"}}}, "statement.verb.id"),
        ({"verb": {**VERB, "display": {"a12345678": "x"}}}, "statement.verb.display"),
        ({"object": {"id": "urn:x", "definition": {"choices": []}}}, "interactionType"),
        ({"result": {"score": {"scaled": 1.5}}}, "statement.result.score.scaled"),
        ({"result": {"score": {"raw": 5, "max": 3}}}, "statement.result.score.raw"),
        ({"result": {"success": "true"}}, "statement.result.success"),
        ({"result": {"duration": "P4W1D"}}, "statement.result.duration"),
        ({"context": {"registration": "123"}}, "statement.context.registration"),
        ({"context": {"contextActivities": {"aunt": []}}}, "contextActivities.aunt"),
        ({"timestamp": "2026-02-30T10:00:00Z"}, "statement.timestamp"),
        ({"timestamp": "2026-02-03T10:00:00-00:00"}, "statement.timestamp"),
        ({"id": "x"}, "statement.id"),
        ({"colour": "red"}, "statement.colour"),
        ({"result": None}, "statement.result"),
        ({"version": "2.0"}, "statement.version"),
    ],
)
def test_a_malformed_statement_is_refused_with_its_path(tool, change, path):
    answer = tool("POST", "statements", statement(**change))

    assert answer.status_code == 400
    assert path in answer.json["error"]
    assert stored() == 0


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[" * 10_000 + b"]" * 10_000,
        b'{"actor": NaN}',
        b'"a string"',
        b"\xff\xfe",
        b"[1, 2]",
    ],
)
def test_what_is_no_statement_is_refused_at_once(tool, body):
    began = time.perf_counter()

    assert tool("POST", "statements", body).status_code == 400
    assert time.perf_counter() - began < 1


def test_statements_are_found_by_agent_verb_activity_registration_and_time(tool):
    registration = str(uuid.uuid4())
    tool("POST", "statements", statement(actor={"mbox": "mailto:luis@example.org"}))
    tool("POST", "statements", statement(verb={"id": "http://adlnet.gov/expapi/verbs/passed"}))
    tool("POST", "statements", statement(object={"id": "urn:other"}))
    parent = {"contextActivities": {"parent": [{"id": "urn:parent"}]}, "registration": registration}
    tool("POST", "statements", statement(context=parent))

    def found(**query) -> int:
        return len(tool("GET", "statements", **query).json["statements"])

    assert found() == 4
    assert found(agent=json.dumps(ANA)) == 3
    assert found(verb="http://adlnet.gov/expapi/verbs/passed") == 1
    assert found(activity="urn:other") == 1
    assert found(activity="urn:parent") == 0
    assert found(activity="urn:parent", related_activities="true") == 1
    assert found(registration=registration) == 1
    newest = tool("GET", "statements", limit="1").json["statements"][0]["stored"]
    assert found(since=newest) == 0
    assert found(until=newest) == 4


def test_pages_do_not_shift_when_new_statements_arrive(tool):
    for number in range(5):
        tool("POST", "statements", statement(object={"id": f"urn:{number}"}))
    first = tool("GET", "statements", limit="2").json
    tool("POST", "statements", statement(object={"id": "urn:late"}))

    seen = [s["object"]["id"] for s in first["statements"]]
    more = first["more"]
    while more:
        page = tool("GET", more.removeprefix("/xapi/")).json
        seen += [s["object"]["id"] for s in page["statements"]]
        more = page["more"]

    assert seen == ["urn:4", "urn:3", "urn:2", "urn:1", "urn:0"]


def test_a_voided_statement_disappears_but_can_be_asked_for(tool):
    [wanted] = tool("POST", "statements", statement()).json
    voiding = statement(
        verb={"id": "http://adlnet.gov/expapi/verbs/voided"},
        object={"objectType": "StatementRef", "id": wanted},
    )

    assert tool("POST", "statements", voiding).status_code == 200

    assert tool("GET", "statements", statementId=wanted).status_code == 404
    assert tool("GET", "statements", voidedStatementId=wanted).status_code == 200
    assert len(tool("GET", "statements").json["statements"]) == 1


@pytest.mark.parametrize(
    "query",
    [
        {"Agent": "{}"}, {"agent": "[]"}, {"agent": "x"}, {"limit": "-1"}, {"limit": "ten"},
        {"since": "yesterday"}, {"ascending": "yes"}, {"format": "pretty"}, {"cursor": "forged"},
        {"verb": "done"}, {"registration": "1"}, {"statementId": "1"},
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_named(tool, query):
    answer = tool("GET", "statements", **query)

    assert answer.status_code == 400
    assert next(iter(query)).lower() in answer.json["error"].lower()


def test_nobody_comes_in_without_a_valid_key(client, app):
    key, secret = make_key("A tool", KeyScope.ALL, None)

    assert client.get("/xapi/statements").status_code == 401
    assert client.get("/xapi/statements", headers=headers(key, "wrong")).status_code == 401
    assert client.get("/xapi/statements", headers=headers(key, secret)).status_code == 200

    revoke_key(db.session.scalars(select(XapiKey)).one())
    assert client.get("/xapi/statements", headers=headers(key, secret)).status_code == 401


def test_a_key_does_what_its_scope_says(client, app):
    writer = make_key("Writer", KeyScope.WRITE, None)
    mine = make_key("Own", KeyScope.READ_MINE, None)
    body = json.dumps(statement())

    assert client.post("/xapi/statements", data=body, headers=headers(*writer)).status_code == 200
    assert client.get("/xapi/statements", headers=headers(*writer)).status_code == 403
    assert client.post("/xapi/statements", data=body, headers=headers(*mine)).status_code == 403
    assert client.get("/xapi/statements", headers=headers(*mine)).json["statements"] == []


def test_a_request_says_its_version(client, app):
    sent = headers(*make_key("A tool", KeyScope.ALL, None))
    del sent["X-Experience-API-Version"]

    answer = client.get("/xapi/statements", headers=sent)

    assert answer.status_code == 400
    assert "X-Experience-API-Version" in answer.json["error"]


def test_stored_grows_with_every_statement(tool):
    tool("POST", "statements", [statement() for _ in range(20)])
    tool("POST", "statements", statement())

    times = db.session.scalars(select(StoredStatement.stored).order_by(StoredStatement.id)).all()

    assert len(set(times)) == 21
    assert times == sorted(times)


def test_a_key_voids_only_what_it_stored_unless_it_may_do_all(client, app):
    writer = make_key("Writer", KeyScope.WRITE, None)
    other = make_key("Other", KeyScope.WRITE, None)
    master = make_key("Master", KeyScope.ALL, None)

    def send(key, body):
        return client.post("/xapi/statements", data=json.dumps(body), headers=headers(*key))

    [wanted] = send(other, statement()).json
    voiding = statement(
        verb={"id": "http://adlnet.gov/expapi/verbs/voided"},
        object={"objectType": "StatementRef", "id": wanted},
    )

    assert send(writer, voiding).status_code == 403
    assert send(other, voiding).status_code == 200
    [again] = send(other, statement()).json
    voiding["object"]["id"] = again
    assert send(master, voiding).status_code == 200


def test_a_tool_cannot_speak_with_another_authority(tool):
    sent = statement(authority={"account": {"homePage": "http://puente.test", "name": "lms"}})

    [statement_id] = tool("POST", "statements", sent).json

    kept = tool("GET", "statements", statementId=statement_id).json
    assert kept["authority"]["account"]["name"].startswith("key:")


def test_ids_alone_are_as_short_as_can_be(tool):
    inner = {
        "objectType": "SubStatement",
        "actor": {"objectType": "Group", "mbox": "mailto:team@example.org", "name": "Team"},
        "verb": {**VERB, "display": {"en": "completed"}},
        "object": {"objectType": "Activity", **COURSE, "definition": {"name": {"en": "A course"}}},
    }
    tool("POST", "statements", statement(object=inner, actor={**ANA, "name": "Ana"}))

    [shown] = tool("GET", "statements", format="ids").json["statements"]

    assert shown["actor"] == ANA
    assert shown["object"]["actor"] == {"objectType": "Group", "mbox": "mailto:team@example.org"}
    assert shown["object"]["verb"] == VERB
    assert shown["object"]["object"] == COURSE
