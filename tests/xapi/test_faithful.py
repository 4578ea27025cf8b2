"""Statements come back as they were sent, with what the store adds and nothing else changed."""

from __future__ import annotations

import json
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lms.xapi.json_text import (
    NotJson,
    edited,
    elements,
    members,
    read_body,
    read_many,
    read_one,
)
from tests.xapi import generated
from tests.xapi.asking import ANA, COURSE, VERB, asking

ADDED = {"id", "stored", "authority", "timestamp", "version"}
ODD = (
    '{"actor":{"mbox":"mailto:ana@example.org"}, "verb":{"id":"http://a.example/did"},\n'
    ' "object":{"id":"http://a.example/x"},"result":{"score":{"raw":1.0},"extensions":{'
    '"http://a.example/e":[1.0,1e2,-0,123456789012345678901234567890,0.10000000000000000001,'
    'null,{},"\\u00e9\\/"]}}%s}'
)


@pytest.fixture
def tool(client):
    return asking(client)


def post(tool, text: str):
    return tool("POST", "statements", text.encode(), {"Content-Type": "application/json"})


def read(tool, statement_id: str, **query) -> str:
    return tool("GET", "statements", statementId=statement_id, **query).get_data(as_text=True)


def test_numbers_and_escapes_keep_their_form(tool):
    [statement_id] = post(tool, ODD % "").json

    kept = read(tool, statement_id)

    assert kept.startswith((ODD % "").replace("\n", " ")[:-1])
    assert set(json.loads(kept)) == {"actor", "verb", "object", "result", *ADDED}


def test_what_the_store_sets_replaces_what_was_sent(tool):
    sent = ODD % ',"stored":"2001-01-01T00:00:00Z","authority":{"mbox":"mailto:eve@example.org"}'
    [statement_id] = post(tool, sent).json

    kept = json.loads(read(tool, statement_id))

    assert kept["stored"] > "2020"
    assert kept["authority"]["account"]["name"].startswith("key:")
    assert read(tool, statement_id).count('"stored"') == 1


def test_single_context_activities_become_lists_and_the_rest_stays(tool):
    inside = '"context":{"contextActivities":{"parent":{"id":"http://a.example/p"},"other":[]}}'
    sub = ODD % f",{inside}"
    sub = sub.replace('{"actor"', '{"objectType":"SubStatement","actor"', 1)
    whole = (
        '{"actor":{"mbox":"mailto:ana@example.org"},"verb":{"id":"http://a.example/did"},'
        f'"object":{sub},{inside}}}'
    )
    [statement_id] = post(tool, whole).json

    kept = read(tool, statement_id)

    assert kept.count('"parent":[{"id":"http://a.example/p"}]') == 2
    assert "123456789012345678901234567890,0.10000000000000000001" in kept


def test_under_2_0_timestamps_are_kept_in_utc(client):
    old, new = asking(client), asking(client, "2.0.0")
    sent = ODD % ',"timestamp":"2026-01-01T01:30:00.250+01:30"'

    kept = [json.loads(read(ask, post(ask, sent).json[0])) for ask in (old, new)]

    assert kept[0]["timestamp"] == "2026-01-01T01:30:00.250+01:30"
    assert kept[1]["timestamp"] == "2026-01-01T00:00:00.250000Z"
    assert [one["version"] for one in kept] == ["1.0.0", "2.0.0"]


@given(value=generated.json_values, indent=st.sampled_from((None, 1)))
@settings(max_examples=100, deadline=None)
def test_any_json_keeps_its_text(value, indent):
    text = json.dumps([value, {"a": value}], indent=indent)

    entries, is_list = read_many(f" {text}\n")

    assert is_list
    assert [json.loads(entry.text) for entry in entries] == [value, {"a": value}]
    assert all(entry.text in text for entry in entries)
    [(name, begin, end)] = members(entries[1].text)
    assert (name, json.loads(entries[1].text[begin:end])) == ("a", value)
    assert edited(entries[1].text, [(begin, end, "1")]).count("1") >= 1
    assert [json.loads(text[b:e]) for b, e in elements(text)] == [value, {"a": value}]


@pytest.mark.parametrize(
    "text",
    [
        "", "[", "[1,]", "[1 2]", "{}x", "[]x", '{"a":1,"a":2}', "NaN", "[Infinity]", "1e999",
        '{"a":-Infinity}', "[" * 10_000, '{"a":' * 10_000, "[" * 200 + "]" * 200,
        '"\\ud800"', "1" * 5000, "'a'", '"\t"',
    ],
)  # fmt: skip
def test_what_is_not_json_is_refused(text):
    for reader in (read_one, read_many):
        with pytest.raises(NotJson):
            reader(text)
    with pytest.raises(NotJson):
        read_body(text.encode())


@given(value=generated.json_values, blanks=st.sampled_from((("", ""), (" ", ""), ("", " "))))
@settings(max_examples=200, deadline=None)
def test_bodies_are_read_the_same_with_and_without_blanks(value, blanks):
    compact = json.dumps([value, {"é": value}], ensure_ascii=False, separators=(",", ":"))
    for text in (compact, compact[1:-1].partition(",")[0], json.dumps([value])):
        body = f"{blanks[0]}{text}{blanks[1]}"
        try:
            expected = read_many(body)
        except NotJson:
            with pytest.raises(NotJson):
                read_body(body.encode())
        else:
            assert read_body(body.encode()) == expected


@pytest.mark.parametrize(
    "text",
    [
        '{"a":{"b":1,"b":1}}', '[{"a":1},{"a":1,"a":1}]', '{"a":"\\u0022","a":"x"}',
        '{"a":"\\u0022\\u0022","b":1,"b":1}', '{"\\u0061":1,"a":1}', '[[{"":0,"":0}]]',
    ],
)  # fmt: skip
@pytest.mark.parametrize("blank", ["", " "])
def test_a_property_that_stands_twice_is_found_wherever_it_hides(text, blank):
    with pytest.raises(NotJson, match="stands twice"):
        read_body(text.replace(":", f":{blank}").encode())


def test_the_same_id_is_a_repetition_or_a_conflict(tool):
    wanted = str(uuid.uuid4())
    sent = {"id": wanted, "actor": ANA, "verb": VERB, "object": COURSE}
    sent["context"] = {"contextActivities": {"parent": {"id": "http://a.example/p"}}}
    sent["result"] = {"duration": "PT1.239S"}
    assert tool("POST", "statements", [sent]).status_code == 200

    again = {**sent, "id": wanted.upper(), "actor": {"objectType": "Agent", **ANA}}
    again["context"] = {"contextActivities": {"parent": [{"id": "http://a.example/p"}]}}
    again["result"] = {"duration": "PT1.23S"}
    again["timestamp"] = "2020-01-01T00:00:00Z"
    assert tool("POST", "statements", [again]).json == [wanted]

    other = {**sent, "result": {"duration": "PT1.24S"}}
    fresh = {"actor": ANA, "verb": VERB, "object": COURSE}
    assert tool("POST", "statements", [fresh, other]).status_code == 409
    assert len(tool("GET", "statements").json["statements"]) == 1
    assert tool("POST", "statements", [sent, again]).status_code == 400
