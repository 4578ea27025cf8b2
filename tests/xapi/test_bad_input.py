"""What should never be sent is refused at once with a reason, stores nothing and harms nobody."""

from __future__ import annotations

import gzip
import json
import time

import pytest
from sqlalchemy import func, select

from lms.core.db import db
from lms.xapi.models import Attachment, KnownActivity, StatementKey, StoredStatement
from tests.xapi.asking import ANA, COURSE, VERB, asking
from tests.xapi.test_attachments import BOUNDARY, part, statement

STATEMENTS = "statements"
GOOD = {"actor": ANA, "verb": VERB, "object": COURSE}
TEXT = json.dumps(GOOD)
JSON = "application/json"
MIXED = f'multipart/mixed; boundary="{BOUNDARY}"'
SECONDS = 2.0  # of this process; milliseconds as a rule, more where a machine is slow


def extended(value: str) -> bytes:
    """A good statement with JSON of any kind in an extension."""
    return f'{TEXT[:-1]}, "context": {{"extensions": {{"http://a.example/": {value}}}}}}}'.encode()


def multipart(body: object, *parts: bytes) -> bytes:
    """JSON and parts, as test_attachments sends them."""
    first = b"Content-Type: application/json\r\n\r\n" + json.dumps(body).encode()
    line = b"--" + BOUNDARY.encode()
    return b"".join(line + b"\r\n" + one + b"\r\n" for one in (first, *parts)) + line + b"--\r\n"


def header_injection() -> bytes:
    """An attachment whose content type would add a header to the answer that gives it back."""
    content_type = "text/plain\r\nSet-Cookie: a=b"
    return multipart(statement(b"x", contentType=content_type), part(b"x"))


BODIES = {
    "NaN": (lambda: extended("NaN"), JSON, 400),
    "Infinity": (lambda: extended("[-Infinity]"), JSON, 400),
    "duplicate keys": (lambda: extended('{"a": 1, "a": 2}'), JSON, 400),
    "10,000 lists in each other": (lambda: extended("[" * 10_000 + "]" * 10_000), JSON, 400),
    "10,000 objects in each other": (
        lambda: extended('{"a":' * 10_000 + "1" + "}" * 10_000), JSON, 400,
    ),
    "100,000 brackets alone": (lambda: b"[" * 100_000, JSON, 400),
    "a number of 100,000 digits": (lambda: extended("9" * 100_000 + "e9"), JSON, 400),
    "50 MB": (lambda: b" " * 50_000_000, JSON, 413),
    "another charset": (lambda: TEXT.encode("utf-16"), JSON, 400),
    "a charset that is named": (lambda: TEXT.encode(), f"{JSON}; charset=utf-16", 400),
    "bytes that are no UTF-8": (lambda: extended('"\u00e9"').decode().encode("latin-1"), JSON, 400),
    "half of a surrogate pair": (lambda: extended('"\\ud800"'), JSON, 400),
    "1,000 attachments": (
        lambda: multipart(
            statement(*(b"%d" % n for n in range(1000))), *(part(b"%d" % n) for n in range(1000))
        ), MIXED, 400,
    ),
    "another hash": (
        lambda: multipart(statement(b"x"), part(b"x").replace(b"\r\n\r\nx", b"\r\n\r\ny")),
        MIXED, 400,
    ),
    "a header in a content type": (header_injection, MIXED, 400),
    "no end of the parts": (lambda: multipart(GOOD)[:-8], MIXED, 400),
    "10,001 statements": (lambda: json.dumps([GOOD] * 10_001).encode(), JSON, 400),
    "no statement": (lambda: b"null", JSON, 400),
}  # fmt: skip


@pytest.fixture
def tool(client):
    return asking(client)


def kept() -> list[int]:
    tables = (StoredStatement, StatementKey, KnownActivity, Attachment)
    return [db.session.scalar(select(func.count()).select_from(one)) or 0 for one in tables]


def check(tool, answer, began: float, status: int, name: str) -> None:
    took = time.process_time() - began
    assert answer.status_code == status, (name, answer.text[:300])
    assert took < SECONDS, (name, took)
    assert answer.json["error"], name
    assert kept() == [0, 0, 0, 0], name


def test_bad_bodies_are_refused_at_once_and_leave_nothing(tool):
    for name, (make, content_type, status) in BODIES.items():
        body = make()
        began = time.process_time()
        answer = tool("POST", STATEMENTS, body, headers={"Content-Type": content_type})
        check(tool, answer, began, status, name)

    assert tool("POST", STATEMENTS, GOOD).status_code == 200


def test_a_packed_body_is_refused_as_it_is(tool):
    bomb = gzip.compress(b" " * 20_000_000)
    for encoding in ("gzip", "deflate", "br", "gzip, gzip", "x-gzip"):
        headers = {"Content-Type": JSON, "Content-Encoding": encoding}
        began = time.process_time()
        check(tool, tool("POST", STATEMENTS, bomb, headers=headers), began, 415, encoding)


def test_a_more_link_is_taken_only_as_it_was_given(tool):
    for _number in range(3):
        tool("POST", STATEMENTS, GOOD)
    more = tool("GET", STATEMENTS, limit=1).json["more"]
    token = more.partition("cursor=")[2]
    for wrong in (
        token[:-1], token[1:], token[::-1], token.swapcase(), token + "A", "", ".", "A" * 100_000,
        token.replace(".", "..", 1), "eyJxIjp7fX0.AAAA.BBBB",
    ):  # fmt: skip
        began = time.process_time()
        answer = tool("GET", STATEMENTS, cursor=wrong)
        assert answer.status_code == 400, wrong[:50]
        assert time.process_time() - began < SECONDS
    assert tool("GET", STATEMENTS, cursor=token).status_code == 200


def test_the_first_bad_statement_of_a_batch_is_named_with_property_and_rule(tool):
    for number, (change, path) in enumerate((
        ({"verb": {"id": "did"}}, "statement.verb.id"),
        ({"result": {"score": {"scaled": 2}}}, "statement.result.score.scaled"),
        ({"object": {"id": "http://a.example/", "definition": {"name": {"en": 1}}}},
         "statement.object.definition.name.en"),
        ({"colour": "red"}, "statement.colour"),
        ({"actor": None}, "statement.actor"),
    )):  # fmt: skip
        batch = [GOOD] * number + [{**GOOD, **change}, {}]
        answer = tool("POST", STATEMENTS, batch)

        assert answer.status_code == 400
        told = answer.json
        assert (told["index"], told["path"]) == (number, path)
        assert told["rule"]
        assert told["rule"] in told["error"]
    assert kept() == [0, 0, 0, 0]
