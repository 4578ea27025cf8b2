"""What all resources share: versions, CORS, methods, limits, and the old form of requests."""

from __future__ import annotations

import json
import re
import time
import uuid
from pathlib import Path
from urllib.parse import urlencode

import pytest
from pydantic import ValidationError

from lms.config import Settings
from lms.xapi.api import wire
from lms.xapi.models import KeyScope
from lms.xapi.services.keys import make_key
from tests.xapi.asking import ANA, COURSE, VERB, asking, basic

RESOURCES = {
    "statements": {"GET", "PUT", "POST"},
    "activities": {"GET"},
    "activities/state": {"GET", "PUT", "POST", "DELETE"},
    "activities/profile": {"GET", "PUT", "POST", "DELETE"},
    "agents": {"GET"},
    "agents/profile": {"GET", "PUT", "POST", "DELETE"},
    "about": {"GET"},
}
VERSION = "X-Experience-API-Version"
STATEMENT = {"actor": ANA, "verb": VERB, "object": COURSE}


@pytest.fixture
def tool(client):
    return asking(client)


@pytest.mark.parametrize(
    ("sent", "spoken"),
    [
        ("1.0", "1.0.3"), ("1.0.0", "1.0.3"), ("1.0.3", "1.0.3"), ("1.0.99", "1.0.3"),
        ("2.0", "2.0.0"), ("2.0.0", "2.0.0"), ("2.0.7", "2.0.0"),
    ],
)  # fmt: skip
def test_the_answer_speaks_the_version_of_the_request(client, sent, spoken):
    answer = asking(client, sent)("GET", "statements")

    assert (answer.status_code, answer.headers[VERSION]) == (200, spoken)


@pytest.mark.parametrize("sent", ["0.95", "1.1.0", "3.0.0", "1.0.x", "two", ""])
def test_other_versions_are_refused_by_name(client, sent):
    answer = asking(client, sent)("GET", "agents", agent=ANA)

    assert answer.status_code == 400
    assert "1.0.3 or 2.0.0" in answer.json["error"]
    assert answer.headers[VERSION] in ("1.0.3", "2.0.0")


@pytest.mark.parametrize("path", sorted(set(RESOURCES) - {"about"}))
def test_a_request_without_version_is_taken_for_one_from_before_1_0(client, path):
    answer = asking(client, None)("GET", path, agent=ANA, activityId="urn:a:b")

    assert (answer.status_code, answer.headers[VERSION]) == (400, "0.95")


def test_about_needs_neither_key_nor_version(client):
    answer = client.get("/xapi/about")

    assert answer.status_code == 200
    assert answer.json["version"] == ["1.0.3", "2.0.0"]
    assert answer.headers[VERSION] == "2.0.0"
    assert client.get("/xapi/about", headers={VERSION: "1.0"}).headers[VERSION] == "1.0.3"


@pytest.mark.parametrize("path", sorted(RESOURCES))
def test_each_resource_refuses_methods_that_it_lacks_and_names_the_others(tool, path):
    for method in {"GET", "PUT", "POST", "DELETE", "PATCH"} - RESOURCES[path]:
        answer = tool(method, path)

        assert answer.status_code == 405
        assert set(answer.headers["Allow"].split(", ")) >= RESOURCES[path]
        assert answer.headers[VERSION] == "1.0.3"
        assert answer.json["status"] == 405


def test_what_is_no_resource_is_not_found(tool):
    for path in ("", "statement", "statements/", "activities/states"):
        answer = tool("GET", path)

        assert answer.status_code == 404
        assert "about" in answer.json["error"]
        assert answer.headers[VERSION] == "1.0.3"


@pytest.mark.parametrize("path", sorted(RESOURCES))
def test_a_page_on_another_origin_may_ask_for_leave_without_a_key(client, path):
    answer = client.options(
        f"/xapi/{path}",
        headers={
            "Origin": "https://content.example",
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "authorization,if-match",
        },
    )

    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    allowed = answer.headers["Access-Control-Allow-Headers"].lower()
    for name in (
        "authorization", "content-type", "if-match", "if-none-match", "accept-language",
        "x-experience-api-version", "x-experience-api-hash",
    ):  # fmt: skip
        assert name in allowed
    assert {"PUT", "DELETE"} <= set(answer.headers["Access-Control-Allow-Methods"].split(", "))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "statements", 200), ("GET", "activities/state", 400), ("GET", "nowhere", 404),
        ("PATCH", "about", 405),
    ],
)  # fmt: skip
def test_errors_too_can_be_read_on_another_origin(tool, method, path, status):
    answer = tool(method, path)

    assert answer.status_code == status
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    exposed = answer.headers["Access-Control-Expose-Headers"].lower()
    for name in ("etag", "last-modified", VERSION, "x-experience-api-consistent-through"):
        assert name.lower() in exposed


def test_without_a_key_the_answer_says_how_to_send_one(client):
    answer = client.get("/xapi/statements", headers={VERSION: "2.0.0"})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers[VERSION] == "2.0.0"


def test_only_sites_of_a_list_are_allowed_where_there_is_one(app, tool, client, monkeypatch):
    listed = app.extensions["settings"].model_copy(
        update={"xapi_origins": ("https://content.example.org", "http://localhost:8000")}
    )
    monkeypatch.setitem(app.extensions, "settings", listed)

    def allowed(origin, method="GET"):
        answer = tool(method, "statements", headers={"Origin": origin} if origin else {})
        assert answer.status_code in (200, 204)
        assert "Origin" in answer.headers["Vary"]
        return answer.headers.get("Access-Control-Allow-Origin")

    for method in ("GET", "OPTIONS"):
        assert allowed("https://content.example.org", method) == "https://content.example.org"
        assert allowed("http://localhost:8000", method) == "http://localhost:8000"
        for other in ("https://evil.example", "https://content.example.org.evil.example",
                      "http://content.example.org", "null", "*", None):  # fmt: skip
            assert allowed(other, method) is None
    refused = client.get("/xapi/statements", headers={"Origin": "https://content.example.org"})
    assert refused.status_code in (400, 401)
    assert refused.headers["Access-Control-Allow-Origin"] == "https://content.example.org"


def test_a_site_is_written_as_an_origin():
    for wrong in ("content.example.org", "https://a.example/path", "https://a.example/", "null"):
        with pytest.raises(ValidationError):
            Settings(xapi_origins=(wrong,))
    assert Settings(xapi_origins=("https://a.example:8443", "*")).xapi_origins


def test_a_key_without_the_right_is_known_but_refused(client):
    answer = asking(client, scope=KeyScope.READ)("POST", "statements", STATEMENT)

    assert answer.status_code == 403
    assert "WWW-Authenticate" not in answer.headers


def test_head_says_what_get_would_without_a_body(tool):
    tool("POST", "agents/profile", {"colour": "red"}, agent=ANA, profileId="p")
    for path, query in (
        ("about", {}),
        ("statements", {}),
        ("agents", {"agent": ANA}),
        ("activities", {"activityId": "urn:a:b"}),
        ("agents/profile", {"agent": ANA, "profileId": "p"}),
        ("activities/state", {"agent": ANA, "activityId": "urn:a:b"}),
    ):
        got, told = tool("GET", path, **query), tool("HEAD", path, **query)

        assert told.status_code == got.status_code == 200
        assert told.data == b""
        for name in ("Content-Length", "Content-Type", "ETag", "Last-Modified", VERSION):
            assert told.headers.get(name) == got.headers.get(name), (path, name)


def test_answers_to_statements_say_through_when_they_are_complete(tool):
    for answer in (tool("GET", "statements"), tool("GET", "statements", limit="x")):
        through = answer.headers["X-Experience-API-Consistent-Through"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)", through)


def test_a_body_that_is_too_large_is_refused_unread(tool):
    body = b" " * (wire.MOST_DOCUMENT_BYTES + 1)
    began = time.perf_counter()

    answer = tool("PUT", "activities/state", body, agent=ANA, activityId="urn:a:b", stateId="s")

    assert answer.status_code == 413
    assert str(wire.MOST_DOCUMENT_BYTES) in answer.json["error"]
    assert time.perf_counter() - began < 0.5


@pytest.mark.parametrize(("more", "status"), [(0, 204), (1, 413)])
def test_a_body_in_pieces_is_taken_whole_or_refused(tool, more, status):
    place = {"agent": ANA, "activityId": "urn:a:b", "stateId": "s"}
    size = wire.MOST_DOCUMENT_BYTES + more

    answer = tool(
        "PUT",
        "activities/state",
        b"x" * size,
        environ={"wsgi.input_terminated": True},
        headers={"Transfer-Encoding": "chunked", "Content-Type": "text/plain"},
        **place,
    )

    assert answer.status_code == status
    kept = tool("GET", "activities/state", **place)
    assert len(kept.data) == size if status == 204 else kept.status_code == 404


def test_packed_bodies_are_refused(tool):
    answer = tool("POST", "statements", b"\x1f\x8b", headers={"Content-Encoding": "gzip"})

    assert answer.status_code == 415


def test_an_error_names_the_statement_the_property_and_the_rule(tool):
    broken = {**STATEMENT, "verb": {"id": "done"}}

    answer = tool("POST", "statements", [STATEMENT, broken])

    assert answer.json["index"] == 1
    assert answer.json["path"] == "statement.verb.id"
    assert answer.json["rule"]
    assert answer.json["error"] == f"statement 1, statement.verb.id: {answer.json['rule']}"


def test_the_handbook_names_resources_limits_and_headers():
    text = (Path(__file__).parents[2] / "docs" / "xapi.md").read_text()

    for path in RESOURCES:
        assert f"| `{path}` |" in text
    for limit in (wire.MOST_STATEMENT_BYTES, wire.MOST_DOCUMENT_BYTES):
        assert f"{limit // 2**20} MiB" in text
    for headers in (wire.ALLOWED_HEADERS, wire.EXPOSED_HEADERS):
        assert ", ".join(f"`{name}`" for name in headers.split(", ")) in text


class TestAlternateSyntax:
    """A whole request in one form, as version 1.0.x allows."""

    @pytest.fixture
    def post(self, client):
        authorization = basic(*make_key("An old browser", KeyScope.ALL, None))

        def post(path, method, *, form=None, query=None, **fields):
            sent = {"Authorization": authorization, VERSION: "1.0.3", **fields}
            return client.post(
                f"/xapi/{path}",
                query_string={"method": method, **(query or {})},
                data=urlencode(sent) if form is None else form,
                content_type="application/x-www-form-urlencoded",
            )

        return post

    def test_a_statement_is_put_and_read(self, post):
        wanted = str(uuid.uuid4())
        statement = {**STATEMENT, "actor": {**ANA, "name": "Añá & Co=1"}}

        put = post("statements", "PUT", statementId=wanted, content=json.dumps(statement))
        read = post("statements", "GET", statementId=wanted)

        assert (put.status_code, put.headers[VERSION]) == (204, "1.0.3")
        assert read.json["actor"]["name"] == "Añá & Co=1"

    def test_a_state_is_written_with_preconditions_and_deleted(self, post):
        place = {"activityId": "urn:a:b", "agent": json.dumps(ANA), "stateId": "s"}

        def put(text, **fields):
            fields["Content-Type"] = "text/plain"
            return post("activities/state", "PUT", content=text, **fields, **place)

        assert put("one", **{"If-None-Match": "*"}).status_code == 204
        assert put("two", **{"If-None-Match": "*"}).status_code == 412
        kept = post("activities/state", "GET", **place)
        assert (kept.data, kept.content_type) == (b"one", "text/plain")
        assert post("activities/state", "DELETE", **place).status_code == 204
        assert post("activities/state", "GET", **place).status_code == 404

    def test_the_version_in_the_form_counts(self, post):
        assert post("statements", "GET", **{VERSION: "0.8"}).status_code == 400

    @pytest.mark.parametrize("version", ["2.0.0", "2.0"])
    def test_version_2_0_has_none(self, post, version):
        answer = post("statements", "GET", **{VERSION: version})

        assert answer.status_code == 400
        assert "2.0" in answer.json["error"]

    @pytest.mark.parametrize(
        "wrong",
        [
            {"method": "PATCH"},
            {"method": "get"},
            {"method": "PUT", "query": {"statementId": str(uuid.uuid4())}, "content": "{}"},
            {"method": "PUT"},
            {"method": "PUT", "form": '{"content": {}}'},
            {"method": "PUT", "form": ""},
            {"method": "GET", "form": "limit=%ff"},
            {"method": "PUT", "If-Match": "a\r\nX-Other: b", "content": "{}"},
        ],
    )
    def test_what_is_malformed_is_refused(self, post, wrong):
        assert post("statements", **wrong).status_code in (400, 401)

    def test_only_a_post_is_undone(self, tool):
        answer = tool("PUT", "statements", STATEMENT, method="POST")

        assert answer.status_code == 400

    def test_another_form_is_refused(self, tool):
        answer = tool("POST", "statements", STATEMENT, method="PUT")

        assert answer.status_code == 400
        assert "application/x-www-form-urlencoded" in answer.json["error"]
