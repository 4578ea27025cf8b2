"""Attachments and signatures, in and out."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from sqlalchemy import func, select

from lms.core.db import db
from lms.xapi.models import Attachment
from lms.xapi.services.signatures import SIGNATURE
from tests.xapi.asking import ANA, COURSE, VERB, asking

BYTES = b"any\r\n--bytes\x00\xff"
BOUNDARY = "a part's end"


@pytest.fixture
def tool(client):
    return asking(client)


def sha2(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def statement(*contents: bytes, **values):
    attachments = [
        {
            "usageType": "http://example.org/usage",
            "display": {"en": "A file"},
            "contentType": "text/plain; charset=utf-8",
            "length": len(content),
            "sha2": sha2(content),
            **values,
        }
        for content in contents
    ]
    return {"actor": ANA, "verb": VERB, "object": COURSE, "attachments": attachments}


def part(content: bytes, **headers: str) -> bytes:
    named = {
        "Content-Type": "text/plain",
        "Content-Transfer-Encoding": "binary",
        "X-Experience-API-Hash": sha2(content),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items() if value)
    return f"{lines}\r\n".encode() + content


def body(json_part: object, *parts: bytes) -> bytes:
    first = b"Content-Type: application/json\r\n\r\n" + json.dumps(json_part).encode()
    mark = f"--{BOUNDARY}".encode()
    return b"".join(mark + b"\r\n" + one + b"\r\n" for one in (first, *parts)) + mark + b"--\r\n"


def post(tool, content: bytes):
    kind = f'multipart/mixed; boundary="{BOUNDARY}"'
    return tool("POST", "statements", content, {"Content-Type": kind})


def kept() -> int:
    return db.session.scalar(select(func.count()).select_from(Attachment))


def parts_of(answer) -> list[tuple[dict[str, str], bytes]]:
    boundary = answer.headers["Content-Type"].split("boundary=")[1].encode()
    pieces = answer.data.split(b"--" + boundary)[1:-1]
    found = []
    for piece in pieces:
        head, _, content = piece.removeprefix(b"\r\n").removesuffix(b"\r\n").partition(b"\r\n\r\n")
        found.append((dict(x.split(": ", 1) for x in head.decode().split("\r\n")), content))
    return found


def test_bytes_come_back_once_with_the_statements_that_name_them(tool):
    sent = [statement(BYTES), statement(BYTES, b"")]
    assert post(tool, body(sent, part(BYTES), part(b""))).status_code == 200
    assert post(tool, body(statement(BYTES), part(BYTES))).status_code == 200
    assert kept() == 2

    (first, content), *rest = parts_of(tool("GET", "statements", attachments="true"))

    assert first["Content-Type"].startswith("application/json")
    assert len(json.loads(content)["statements"]) == 3
    assert {headers["X-Experience-API-Hash"]: data for headers, data in rest} == {
        sha2(BYTES): BYTES, sha2(b""): b"",
    }  # fmt: skip
    assert rest[0][0]["Content-Type"] == "text/plain; charset=utf-8"
    assert rest[0][0]["Content-Transfer-Encoding"] == "binary"
    assert tool("GET", "statements").json["statements"]


def test_other_lengths_of_sha_2_are_known(tool):
    digest = hashlib.sha512(BYTES).hexdigest()
    sent = statement(BYTES, sha2=digest)

    assert post(tool, body(sent, part(BYTES, X_Experience_API_Hash=digest))).status_code == 200


@pytest.mark.parametrize(
    "content",
    [
        body(statement(BYTES)),  # no part
        body(statement(), part(BYTES)),  # nobody names it
        body(statement(BYTES), part(BYTES, X_Experience_API_Hash="")),
        body(statement(BYTES), part(BYTES, X_Experience_API_Hash="0" * 64)),
        body(statement(BYTES), part(BYTES, X_Experience_API_Hash="no hash")),
        body(statement(BYTES), part(BYTES, Content_Transfer_Encoding="base64")),
        body(statement(BYTES), part(BYTES))[:-6],  # no end
        part(BYTES) + body(statement(BYTES), part(BYTES)).replace(b"json", b"xml", 1),
        body(statement(BYTES, contentType="text/plain\r\nX-Evil: 1"), part(BYTES)),
        body(
            [statement(*(b"%d" % n for n in range(1000)))],
            *(part(b"%d" % n) for n in range(1000)),
        ),
        b"",
    ],
)
def test_parts_that_do_not_fit_are_refused_whole(tool, content):
    assert post(tool, content).status_code == 400

    assert kept() == 0
    assert tool("GET", "statements").json["statements"] == []


def test_an_attachment_elsewhere_needs_no_part(tool):
    elsewhere = statement(BYTES, fileUrl="http://example.org/file")

    assert tool("POST", "statements", elsewhere).status_code == 200
    assert tool("POST", "statements", statement(BYTES)).status_code == 400
    assert len(parts_of(tool("GET", "statements", attachments="true"))) == 1


KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate(key) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tool")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
        .sign(KEY, hashes.SHA256())
    )  # fmt: skip
    return base64.b64encode(made.public_bytes(serialization.Encoding.DER)).decode()


def url64(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


def jws(payload, algorithm="RS256", key=KEY, **header) -> bytes:
    made = {"RS256": hashes.SHA256(), "RS384": hashes.SHA384(), "RS512": hashes.SHA512()}
    head = url64(json.dumps({"alg": algorithm, **header}).encode())
    signed = head + b"." + url64(json.dumps(payload).encode())
    hashed = made.get(algorithm, hashes.SHA256())
    return signed + b"." + url64(key.sign(signed, padding.PKCS1v15(), hashed))


def signed(payload, content: bytes, **values) -> bytes:
    kind = {"usageType": SIGNATURE, "contentType": "application/octet-stream", **values}
    attached = statement(content, **kind)["attachments"]
    return body({**payload, "attachments": attached}, part(content))


PLAIN = {"actor": ANA, "verb": VERB, "object": COURSE, "result": {"score": {"raw": 1.0}}}


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512"])
def test_a_signed_statement_is_taken(tool, algorithm):
    whole = {"id": str(uuid.uuid4()), **PLAIN}
    for payload, chain in ((whole, [certificate(KEY)]), (PLAIN, None)):
        content = jws(payload, algorithm, **({"x5c": chain} if chain else {}))
        assert post(tool, signed(whole, content)).status_code == 200


OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.mark.parametrize(
    "content",
    [
        signed(PLAIN, jws({**PLAIN, "actor": {"mbox": "mailto:eve@example.org"}})),
        signed(PLAIN, jws(PLAIN, "none")),
        signed(PLAIN, jws(PLAIN, "HS256")),
        signed(PLAIN, jws(PLAIN, x5c=[certificate(OTHER)])),
        signed(PLAIN, jws(PLAIN, x5c=["AAAA"])),
        signed(PLAIN, jws(PLAIN, x5c=[])),
        signed(PLAIN, jws([1])),
        signed(PLAIN, b"no.jws"),
        signed(PLAIN, b"a.b.c"),
        signed(PLAIN, jws(PLAIN), contentType="text/plain"),
    ],
)
def test_a_signature_that_does_not_hold_is_refused(tool, content):
    answer = post(tool, content)

    assert answer.status_code == 400
    assert answer.json["path"] == "statement.attachments[0]"
    assert kept() == 0


def test_compressed_bodies_are_not_unpacked(tool):
    bomb = gzip.compress(b" " * 10_000_000)
    kinds = {"Content-Type": "application/json", "Content-Encoding": "gzip"}

    assert tool("POST", "statements", bomb, kinds).status_code == 415
    assert (
        tool("POST", "statements", bomb, {"Content-Type": kinds["Content-Type"]}).status_code == 400
    )
