"""States and profiles: kept byte for byte, written under preconditions, merged, listed, deleted."""

from __future__ import annotations

import hashlib
import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from lms.core import personal_data
from lms.core.db import db
from lms.xapi import vocabulary
from lms.xapi.api.wire import MOST_DOCUMENT_BYTES
from lms.xapi.models import KeyScope
from lms.xapi.models.documents import StoredDocument
from tests.factories.accounts import make_user
from tests.xapi.asking import ANA, LUIS, asking

ACTIVITY = "https://example.org/course/1"
STATE = ("activities/state", {"activityId": ACTIVITY, "agent": ANA, "stateId": "bookmark"})
ACTIVITY_PROFILE = ("activities/profile", {"activityId": ACTIVITY, "profileId": "settings"})
AGENT_PROFILE = ("agents/profile", {"agent": ANA, "profileId": "wishes"})
PLACES = [STATE, ACTIVITY_PROFILE, AGENT_PROFILE]
PROFILES = [ACTIVITY_PROFILE, AGENT_PROFILE]
ANY = {"If-None-Match": "*"}

each = pytest.mark.parametrize(("path", "place"), PLACES, ids=["state", "activity", "agent"])
each_profile = pytest.mark.parametrize(("path", "place"), PROFILES, ids=["activity", "agent"])


@pytest.fixture(params=["1.0.3", "2.0.0"])
def tool(client, request):
    """A tool of either version."""
    return asking(client, request.param)


@pytest.fixture
def old(client):
    return asking(client, "1.0.3")


@pytest.fixture
def new(client):
    return asking(client, "2.0.0")


def kept() -> int:
    return db.session.scalar(select(func.count()).select_from(StoredDocument))


def tag(content: bytes) -> str:
    return f'"{hashlib.sha1(content, usedforsecurity=False).hexdigest()}"'


@each
@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b'{ "a" : 1.0,\r\n "b": 12345678901234567890123 }', "application/json"),
        (b"{broken", "application/json;charset=utf-8"),
        (b"\x00\xff\xfe", "application/octet-stream"),
        (b"a=1&b=2", "application/x-www-form-urlencoded"),
        ("<b>ñ</b>".encode("latin-1"), "text/html; charset=ISO-8859-1"),
        (b"", "text/plain"),
    ],
)
def test_what_is_put_comes_back_byte_for_byte(tool, path, place, content, content_type):
    sent = tool("PUT", path, content, headers={"Content-Type": content_type, **ANY}, **place)

    answer = tool("GET", path, **place)

    assert sent.status_code == 204
    assert (answer.data, answer.content_type) == (content, content_type)
    assert answer.headers["ETag"] == sent.headers["ETag"] == tag(content)
    assert datetime.now(UTC) - answer.last_modified < timedelta(seconds=30)


@each
def test_no_page_runs_from_a_document(tool, path, place):
    tool("PUT", path, b"<script>", headers={"Content-Type": "text/html", **ANY}, **place)

    headers = tool("GET", path, **place).headers

    assert "sandbox" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


@each
def test_a_document_is_deleted_once_and_again(tool, path, place):
    tool("POST", path, {"a": 1}, **place)

    assert tool("DELETE", path, **place).status_code == 204
    assert tool("GET", path, **place).status_code == 404
    assert tool("DELETE", path, **place).status_code == 204


@each
def test_the_slower_of_two_writers_is_told(tool, path, place):
    tool("POST", path, {"a": 1}, **place)
    seen = {"If-Match": tool("GET", path, **place).headers["ETag"]}

    assert tool("PUT", path, {"a": 2}, headers=seen, **place).status_code == 204
    for method in ("PUT", "POST", "DELETE"):
        assert tool(method, path, {"a": 3}, headers=seen, **place).status_code == 412
    assert tool("GET", path, **place).json == {"a": 2}


@each
@pytest.mark.parametrize(
    "form",
    [
        '"{0}"', '"other", "{0}"', "*", "{0}",  # an old library sends it bare
        'W/"{0}"', '"{0}:br"', '"{0}-gzip"',  # as proxies and compression write it
    ],
)  # fmt: skip
def test_the_tag_is_known_in_all_forms(tool, path, place, form):
    tool("POST", path, {"a": 1}, **place)
    seen = tool("GET", path, **place).headers["ETag"].strip('"')

    answer = tool("POST", path, {"b": 2}, headers={"If-Match": form.format(seen)}, **place)

    assert answer.status_code == 204
    assert tool("GET", path, **place).json == {"a": 1, "b": 2}


@each
def test_a_tag_of_a_packed_answer_can_be_sent_back(tool, path, place):
    tool("POST", path, {"text": "again " * 400}, **place)
    packed = tool("GET", path, headers={"Accept-Encoding": "gzip, br"}, **place)

    answer = tool("PUT", path, {}, headers={"If-Match": packed.headers["ETag"]}, **place)

    assert packed.headers["Content-Encoding"] == "br"
    assert answer.status_code == 204


@each
def test_preconditions_about_what_is_not_there(tool, path, place):
    assert tool("PUT", path, {}, headers={"If-Match": "*"}, **place).status_code == 412
    assert tool("DELETE", path, headers={"If-Match": '"x"'}, **place).status_code == 412
    assert tool("PUT", path, {}, headers={"If-None-Match": "*"}, **place).status_code == 204
    assert tool("PUT", path, {}, headers={"If-None-Match": "*"}, **place).status_code == 412


@each
def test_who_has_it_already_does_not_get_it_again(tool, path, place):
    tool("POST", path, {"a": 1}, **place)
    seen = tool("GET", path, **place).headers["ETag"]

    answer = tool("GET", path, headers={"If-None-Match": seen}, **place)

    assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", seen)


def test_a_state_of_1_0_is_overwritten_at_will(old):
    path, place = STATE

    assert old("PUT", path, {"a": 1}, **place).status_code == 204
    assert old("PUT", path, {"a": 2}, **place).status_code == 204
    assert old("GET", path, **place).json == {"a": 2}


@each_profile
def test_a_profile_of_1_0_is_put_only_with_a_precondition(old, path, place):
    answer = old("PUT", path, {"a": 1}, **place)
    assert answer.status_code == 400
    assert "If-None-Match: *" in answer.json["error"]

    old("PUT", path, {"a": 1}, headers=ANY, **place)
    answer = old("PUT", path, {"a": 2}, **place)
    assert answer.status_code == 409
    assert "If-Match" in answer.json["error"]
    assert old("GET", path, **place).json == {"a": 1}


@each_profile
@pytest.mark.parametrize("version", ["1.0", "1.0.0", "1.0.2"])
def test_a_new_profile_of_an_older_tool_needs_none(client, path, place, version):
    tool = asking(client, version)

    assert tool("PUT", path, {"a": 1}, **place).status_code == 204
    assert tool("PUT", path, {"a": 2}, **place).status_code == 409


@each
def test_in_2_0_a_new_document_needs_no_precondition_but_another_does(new, path, place):
    assert new("PUT", path, {"a": 1}, **place).status_code == 204

    answer = new("PUT", path, {"a": 2}, **place)

    assert answer.status_code == 409
    assert "If-Match" in answer.json["error"]
    assert new("GET", path, **place).json == {"a": 1}


@each
def test_posting_merges_the_top_level_and_changes_no_other_byte(tool, path, place):
    as_json = {"Content-Type": "application/json; charset=utf-8"}
    tool("POST", path, b' {"a": {"x": 1}, "big": 1.0, "\\u00e9":1e400} ', headers=as_json, **place)

    answer = tool("POST", path, b'{"a" : {"y":2}, "n": [ ]}', headers=as_json, **place)

    assert answer.status_code == 204
    merged = tool("GET", path, **place)
    assert merged.data == b'{"a" : {"y":2},"big": 1.0,"\\u00e9":1e400,"n": [ ]}'
    assert merged.headers["ETag"] == tag(merged.data)


@each
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("text/plain", b"{}"), ("application/json", b"{}")),
        (("application/json", b"{}"), ("text/plain", b"{}")),
        (("application/json", b"{}"), ("application/json", b"[]")),
        (("application/json", b"{}"), ("application/json", b"{")),
        (("application/json", b"{}"), ("application/json", b'{"a": NaN}')),
        (("application/json", b"{}"), ("application/json", b'{"a": 1, "a": 2}')),
        (("application/json", b"{}"), ("application/json", b'{"a": "\xff"}')),
        (("application/json", b"{}"), ("application/json", b'{"a":' + b"[" * 100_000)),
    ],
)
def test_what_cannot_be_merged_changes_nothing(tool, path, place, first, second):
    tool("PUT", path, first[1], headers={"Content-Type": first[0], **ANY}, **place)

    answer = tool("POST", path, second[1], headers={"Content-Type": second[0]}, **place)

    assert answer.status_code == 400
    assert "cannot be merged" in answer.json["error"]
    document = tool("GET", path, **place)
    assert (document.data, document.content_type) == (first[1], first[0])


@each
def test_posting_where_nothing_is_stores_it(tool, path, place):
    text = {"Content-Type": "text/plain"}

    assert tool("POST", path, b"[1]", headers={"Content-Type": "application/json"}, **place).json
    assert kept() == 0
    assert tool("POST", path, b"[1]", headers=text, **place).status_code == 204
    assert tool("GET", path, **place).data == b"[1]"


def test_merging_does_not_grow_without_end(tool):
    path, place = AGENT_PROFILE
    half = "x" * (MOST_DOCUMENT_BYTES // 2)
    tool("POST", path, {"a": half}, **place)

    assert tool("POST", path, {"b": half}, **place).status_code == 400


@each
def test_ids_are_listed_since_an_instant(tool, path, place):
    name = "stateId" if path == "activities/state" else "profileId"
    around = {key: value for key, value in place.items() if key != name}
    assert tool("GET", path, **around).json == []
    for number in range(3):
        tool("POST", path, {}, **around, **{name: f"ñ {number}"})
    times = db.session.scalars(select(StoredDocument.updated_at).order_by(StoredDocument.id)).all()

    assert tool("GET", path, **around).json == ["ñ 0", "ñ 1", "ñ 2"]
    since = times[1].isoformat()
    assert tool("GET", path, since=since, **around).json == ["ñ 2"]
    assert tool("GET", path, since=since.replace("+00:00", " 00:00"), **around).json == ["ñ 2"]
    assert tool("GET", path, since=times[2].isoformat(), **around).json == []


def test_documents_of_others_are_apart(tool):
    path, place = STATE
    for number, change in enumerate(
        [{}, {"agent": LUIS}, {"activityId": "urn:other:1"}, {"stateId": "Bookmark"}]
    ):
        tool("POST", path, {"number": number}, **(place | change))

    assert kept() == 4
    assert tool("GET", path, **place).json == {"number": 0}
    assert tool("GET", path, **(place | {"agent": {**ANA, "name": "Ana"}})).json == {"number": 0}


def test_states_of_a_registration_are_apart_but_listed_together(tool):
    path, place = STATE
    one, two = str(uuid.uuid4()), str(uuid.uuid4())
    around = {key: value for key, value in place.items() if key != "stateId"}
    tool("POST", path, {"of": "none"}, **place)
    tool("POST", path, {"of": "one"}, registration=one, **place)
    tool("POST", path, {"of": "two"}, registration=two.upper(), **(place | {"stateId": "other"}))

    assert tool("GET", path, **place).json == {"of": "none"}
    assert tool("GET", path, registration=one, **place).json == {"of": "one"}
    assert tool("GET", path, registration=two, **place).status_code == 404
    assert tool("GET", path, **around).json == ["bookmark", "other"]
    assert tool("GET", path, registration=two, **around).json == ["other"]

    assert tool("DELETE", path, registration=one, **around).status_code == 204
    assert kept() == 2
    assert tool("DELETE", path, **around).status_code == 204
    assert kept() == 0


@each_profile
def test_profiles_are_not_deleted_all_at_once(tool, path, place):
    tool("POST", path, {}, **place)
    around = {key: value for key, value in place.items() if key != "profileId"}

    assert tool("DELETE", path, **around).status_code == 400
    assert kept() == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
@pytest.mark.parametrize(
    ("path", "place", "change", "named"),
    [
        (*STATE, {"activityId": None}, "activityId"),
        (*STATE, {"activityId": "no iri"}, "activityId"),
        (*STATE, {"agent": None}, "agent"),
        (*STATE, {"agent": "ana"}, "agent"),
        (*STATE, {"agent": "[]"}, "agent"),
        (*STATE, {"agent": "1"}, "agent"),
        (*STATE, {"agent": '{"mbox": "ana@example.org"}'}, "agent"),
        (*STATE, {"agent": '{"objectType":"Group","member":[{"mbox":"mailto:a@b.c"}]}'}, "agent"),
        (*STATE, {"registration": "1"}, "registration"),
        (*STATE, {"stateId": ""}, "stateId"),
        (*STATE, {"stateId": "a\0b"}, "stateId"),
        (*STATE, {"StateId": "x"}, "StateId"),
        (*ACTIVITY_PROFILE, {"activityId": None}, "activityId"),
        (*ACTIVITY_PROFILE, {"registration": str(uuid.uuid4())}, "registration"),
        (*AGENT_PROFILE, {"agent": None}, "agent"),
        (*AGENT_PROFILE, {"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(tool, method, path, place, change, named):
    query = {key: value for key, value in (place | change).items() if value is not None}

    answer = tool(method, path, None if method == "GET" else {}, **query)

    assert answer.status_code == 400
    assert f"parameter {named}" in answer.json["error"]
    assert kept() == 0


@each
def test_since_is_an_instant(tool, path, place):
    assert tool("GET", path, since="yesterday", **place).status_code == 400


def test_the_id_is_needed_to_write(tool):
    path, place = STATE
    around = {key: value for key, value in place.items() if key != "stateId"}

    for method in ("PUT", "POST"):
        assert tool(method, path, {}, **around).status_code == 400


def test_very_long_names_are_kept(tool):
    place = {"activityId": f"https://example.org/{'a' * 3000}", "profileId": "ñ" * 1500}

    assert tool("POST", "activities/profile", {"a": 1}, **place).status_code == 204
    assert tool("GET", "activities/profile", **place).json == {"a": 1}


@pytest.mark.parametrize(
    ("scope", "path", "place", "status"),
    [
        (KeyScope.STATE, *STATE, 204),
        (KeyScope.STATE, *AGENT_PROFILE, 403),
        (KeyScope.PROFILE, *AGENT_PROFILE, 204),
        (KeyScope.PROFILE, *ACTIVITY_PROFILE, 204),
        (KeyScope.PROFILE, *STATE, 403),
        (KeyScope.WRITE, *STATE, 403),
    ],
)
def test_states_and_profiles_have_scopes_of_their_own(client, scope, path, place, status):
    assert asking(client, scope=scope)("POST", path, {}, **place).status_code == status


def test_a_person_is_made_of_what_was_asked_for(tool):
    account = {"homePage": "https://example.org", "name": "ana"}

    for asked, person in (
        ({**ANA, "name": "Ana"}, {"mbox": [ANA["mbox"]], "name": ["Ana"]}),
        ({"objectType": "Agent", "account": account}, {"account": [account]}),
        ({"openid": "https://ana.example"}, {"openid": ["https://ana.example"]}),
        ({"mbox_sha1sum": "a" * 40}, {"mbox_sha1sum": ["a" * 40]}),
    ):
        assert tool("GET", "agents", agent=asked).json == {"objectType": "Person", **person}


@pytest.mark.parametrize("agent", [None, "{}", "[]", '{"mbox": "x"}', "x"])
def test_who_is_no_agent_is_refused(tool, agent):
    query = {} if agent is None else {"agent": agent}

    assert tool("GET", "agents", **query).status_code == 400


def test_an_unknown_activity_has_its_id_alone(tool):
    answer = tool("GET", "activities", activityId=ACTIVITY)

    assert answer.json == {"objectType": "Activity", "id": ACTIVITY}
    assert tool("GET", "activities").status_code == 400
    assert tool("GET", "activities", activityId="no iri").status_code == 400


def test_what_content_keeps_about_a_person_is_exported_and_erased(app, tool):
    user = make_user()
    agent = vocabulary.actor(user)
    tool("POST", "activities/state", {"page": 3}, **(STATE[1] | {"agent": agent}))
    tool("POST", "activities/state", {"page": 9}, **STATE[1])
    mine = personal_data.personal_data["xapi_documents"]

    [document] = mine.export(user.id)
    assert json.loads(document["content"]) == {"page": 3}

    mine.erase(user.id)
    assert mine.export(user.id) == []
    assert kept() == 1


def test_an_activity_is_what_all_statements_say_of_it(tool):
    for code, name in (("en-US", "Meeting"), ("fr-CA", "Réunion")):
        definition = {"name": {code: name}, "extensions": {f"urn:x:{code}": 1.0}}
        thing = {"id": ACTIVITY, "definition": definition}
        statement = {"actor": ANA, "verb": {"id": "urn:v:did"}, "object": thing}
        assert tool("POST", "statements", statement).status_code == 200

    known = tool("GET", "activities", activityId=ACTIVITY).json

    assert known["definition"]["name"] == {"en-US": "Meeting", "fr-CA": "Réunion"}
    assert set(known["definition"]["extensions"]) == {"urn:x:en-US", "urn:x:fr-CA"}
