"""Statements about statements: voiding and references, whichever comes first."""

from __future__ import annotations

import itertools
import uuid

import pytest

from lms.xapi.models import KeyScope
from tests.xapi.asking import ANA, COURSE, LUIS, VERB, asking

CONFIRMED = {"id": "http://example.org/confirmed"}
VOIDED = {"id": "http://adlnet.gov/expapi/verbs/voided"}


@pytest.fixture
def tool(client):
    return asking(client)


def about(target: str, verb=CONFIRMED, **values):
    thing = {"objectType": "StatementRef", "id": target}
    return {"id": str(uuid.uuid4()), "actor": LUIS, "verb": verb, "object": thing, **values}


def first():
    context = {
        "registration": str(uuid.uuid4()),
        "contextActivities": {"grouping": [{"id": "http://example.org/run"}]},
    }
    return {
        "id": str(uuid.uuid4()), "actor": ANA, "verb": VERB, "object": COURSE, "context": context,
    }  # fmt: skip


def found(tool, **query) -> set[str]:
    return {one["id"] for one in tool("GET", "statements", **query).json["statements"]}


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("at_once", [True, False])
def test_a_chain_is_found_by_its_end_in_whatever_order_it_came(tool, order, at_once):
    end = first()
    middle = about(end["id"])
    start = about(middle["id"].upper())
    sent = [(end, middle, start)[place] for place in order]
    for batch in [sent] if at_once else [[one] for one in sent]:
        assert tool("POST", "statements", batch).status_code == 200

    everything = {end["id"], middle["id"], start["id"]}
    assert found(tool, agent=ANA) == everything
    assert found(tool, verb=VERB["id"]) == everything
    assert found(tool, activity=COURSE["id"]) == everything
    assert found(tool, registration=end["context"]["registration"]) == everything
    run = {"activity": "http://example.org/run", "related_activities": "true"}
    assert found(tool, **run) == everything
    assert found(tool, agent=LUIS) == everything - {end["id"]}


def test_a_circle_of_references_comes_to_an_end(tool):
    one = about(str(uuid.uuid4()))
    other = about(one["id"], actor=ANA)
    one["object"]["id"] = other["id"]
    itself = about(str(uuid.uuid4()))
    itself["object"]["id"] = itself["id"]

    for statement in (one, other, itself):
        assert tool("POST", "statements", statement).status_code == 200

    assert found(tool, agent=ANA) == {one["id"], other["id"]}


@pytest.mark.parametrize("voiding_comes_first", [True, False])
def test_a_voided_statement_is_found_only_as_such(tool, voiding_comes_first):
    target = first()
    voiding = about(target["id"], VOIDED)
    for one in (voiding, target) if voiding_comes_first else (target, voiding):
        assert tool("POST", "statements", one).status_code == 200

    assert found(tool, agent=ANA) == {voiding["id"]}
    assert tool("GET", "statements", statementId=target["id"]).status_code == 404
    assert tool("GET", "statements", voidedStatementId=target["id"]).json["id"] == target["id"]
    assert tool("GET", "statements", voidedStatementId=voiding["id"]).status_code == 404


def test_a_voiding_statement_cannot_be_voided(tool):
    target = first()
    voiding = about(target["id"], VOIDED)
    again = about(voiding["id"], VOIDED)
    tool("POST", "statements", [target, voiding])

    assert tool("POST", "statements", again).status_code == 200

    assert found(tool) == {voiding["id"], again["id"]}


def test_a_key_cannot_void_what_another_will_store_later(client):
    narrow = asking(client, scope=KeyScope.WRITE)
    tool, target = asking(client), first()
    assert narrow("POST", "statements", about(target["id"], VOIDED)).status_code == 200

    tool("POST", "statements", target)

    assert tool("GET", "statements", statementId=target["id"]).status_code == 200
