"""The rules of statements, against statements made at random and single cases."""

from __future__ import annotations

import copy
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lms.xapi.errors import StatementRefused
from lms.xapi.validation import check_instant, check_statement, read_instant
from tests.xapi import generated

VERSIONS = ("1.0.3", "2.0.0")
AGENT = {"mbox": "mailto:ana@example.org"}
GOOD = {
    "actor": AGENT,
    "verb": {"id": "http://example.org/did"},
    "object": {"id": "http://example.org/thing"},
}


def refusal(statement, version="1.0.3"):
    with pytest.raises(StatementRefused) as caught:
        check_statement(statement, 3, version)
    return caught.value


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_good_statements_pass_unchanged(version, data):
    statement = data.draw(generated.statements(version))
    before = copy.deepcopy(statement)

    check_statement(statement, 0, version)

    assert statement == before


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
@given(data=st.data())
@settings(max_examples=250, deadline=None)
def test_a_statement_with_one_broken_property_is_refused_with_its_place(version, data):
    refused = refusal(data.draw(generated.broken(version)), version)

    assert refused.index == 3
    assert refused.path.startswith("statement")
    assert refused.rule
    assert refused.status == 400


@given(value=generated.json_values)
@settings(max_examples=200, deadline=None)
def test_any_json_is_either_taken_or_refused(value):
    for statement in (value, {**GOOD, "object": value}, {**GOOD, "context": value}):
        with suppress(StatementRefused):
            check_statement(statement)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"actor": {**AGENT, "openid": "http://a.example/"}}, "statement.actor"),
        ({"actor": {"objectType": "Group"}}, "statement.actor.member"),
        (
            {"actor": {"objectType": "Group", "member": [AGENT, {"objectType": "Group"}]}},
            "statement.actor.member[1].objectType",
        ),
        ({"verb": {"id": "did"}}, "statement.verb.id"),
        ({"verb": {"id": "http://a.example/\n"}}, "statement.verb.id"),
        ({"verb": {"id": "http://a.example/", "display": {"a12345678": "x"}}},
         "statement.verb.display.a12345678"),
        ({"object": {"objectType": "activity", "id": "http://a.example/"}},
         "statement.object.objectType"),
        ({"object": {"id": "http://a.example/", "definition": {"choices": []}}},
         "statement.object.definition.interactionType"),
        ({"result": {"score": {"scaled": 1.01}}}, "statement.result.score.scaled"),
        ({"result": {"score": {"scaled": "1"}}}, "statement.result.score.scaled"),
        ({"result": {"score": {"min": 5, "raw": 4, "max": 9}}}, "statement.result.score.raw"),
        ({"result": {"success": "true"}}, "statement.result.success"),
        ({"result": {"duration": "P4W1D"}}, "statement.result.duration"),
        ({"context": {"contextActivities": {"parent": [{"id": "http://a.example/"}, {}]}}},
         "statement.context.contextActivities.parent[1].id"),
        ({"context": {"team": AGENT}}, "statement.context.team.objectType"),
        ({"object": {"objectType": "Agent", **AGENT}, "context": {"revision": "2"}},
         "statement.context.revision"),
        ({"timestamp": "2026-01-01T00:00:00-00:00"}, "statement.timestamp"),
        ({"timestamp": "2026-02-30T00:00:00Z"}, "statement.timestamp"),
        ({"version": "1.1.0"}, "statement.version"),
        ({"verb": {"id": "http://adlnet.gov/expapi/verbs/voided"}}, "statement.object"),
        ({"attachments": [{"usageType": "http://a.example/u"}]},
         "statement.attachments[0].display"),
        ({"authority": {"objectType": "Group", "member": [AGENT]}}, "statement.authority"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_property(change, path):
    for version in VERSIONS:
        assert refusal({**GOOD, **change}, version).path == path


def test_context_agents_belong_to_2_0_alone():
    agents = [{"objectType": "contextAgent", "agent": AGENT}]
    statement = {**GOOD, "context": {"contextAgents": agents}}

    check_statement(statement, 0, "2.0.0")

    assert refusal(statement).path == "statement.context.contextAgents"
    agents[0]["relevantTypes"] = []
    assert refusal(statement, "2.0.0").path.endswith("contextAgents[0].relevantTypes")


def test_each_rule_set_knows_its_versions():
    for version in ("1.0", "1.0.0", "1.0.9"):
        check_statement({**GOOD, "version": version}, 0, "1.0.3")
        check_statement({**GOOD, "version": version}, 0, "2.0.0")
    check_statement({**GOOD, "version": "2.0.1"}, 0, "2.0.0")
    assert refusal({**GOOD, "version": "2.0.1"}).path == "statement.version"


def test_content_types_of_attachments_cannot_break_a_header():
    attachment = {
        "usageType": "http://a.example/u", "display": {}, "length": 1, "sha2": "0" * 64,
    }  # fmt: skip
    for good in ("text/plain", "text/plain; charset=utf-8", 'text/x;name="a b"'):
        check_statement({**GOOD, "attachments": [{**attachment, "contentType": good}]})
    for bad in ("text", "text/plain\r\nX: y", "text/plain; a=\n", "tëxt/plain", ""):
        refused = refusal({**GOOD, "attachments": [{**attachment, "contentType": bad}]})
        assert refused.path == "statement.attachments[0].contentType"


def test_a_leap_second_and_long_fractions_are_instants():
    for text in ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.123456789+01:00"):
        check_instant(text, "since")
        assert read_instant(text).year in (2016, 2017)
