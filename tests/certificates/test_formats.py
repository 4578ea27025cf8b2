"""The forms in which a credential is given, each read as an outsider would."""

from __future__ import annotations

import io
import json
import struct
import xml.etree.ElementTree as ElementTree
import zlib

import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import KeySet
from PIL import Image
from sqlalchemy import update

from lms.certificates import jobs, web_token
from lms.certificates.models import Credential
from lms.certificates.services import holder, keys
from lms.core import clock
from lms.core.db import db
from tests.factories.accounts import make_user
from tests.factories.certificates import (
    make_certified_course,
    make_completed_enrolment,
    make_credential,
)
from tests.factories.courses import make_run


def decode(client, token: str) -> jwt.Token:
    """Read a token with the published key set, as any JOSE library does."""
    published = KeySet.import_key_set(client.get("/.well-known/jwks.json").json)
    return jwt.decode(token, published, algorithms=["RS256"])


def test_a_jose_library_verifies_the_token_with_the_published_keys(client):
    credential = make_credential(valid_until=clock.after_months(clock.now(), 12))

    answer = client.get(f"/verify/{credential.code}.jwt")

    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    token = decode(client, answer.text)
    assert set(token.header) == {"alg", "kid", "typ"}
    assert token.header["typ"] == "JWT"
    did = client.get("/.well-known/did.json").json
    assert token.header["kid"] in did["assertionMethod"]
    document = json.loads(credential.document)
    claims = token.claims
    assert claims["iss"] == document["issuer"]["id"] == did["id"]
    assert claims["jti"] == document["id"]
    assert claims["sub"] == document["credentialSubject"]["id"]
    assert claims["nbf"] == int(credential.issued_at.timestamp())
    assert claims["exp"] == int(credential.valid_until.timestamp())
    for name in set(document) - {"proof"}:
        assert claims[name] == document[name]
    assert "vc" not in claims
    assert "proof" not in claims


def test_a_changed_token_is_refused(client):
    credential = make_credential()
    header, payload, signature = credential.token.split(".")
    changed = payload[:-8] + ("A" if payload[-8] != "A" else "B") + payload[-7:]

    with pytest.raises((BadSignatureError, ValueError)):
        decode(client, f"{header}.{changed}.{signature}")
    key = keys.signing_key("token").public_key
    assert web_token.read_token(credential.token, key)["jti"] == credential.uuid.urn
    for broken in (f"{header}.{changed}.{signature}", f"{header}.{payload}.", "", "a.b.c", "ü"):
        assert web_token.read_token(broken, key) is None


def test_a_token_without_signature_is_refused(app):
    credential = make_credential()
    payload = credential.token.split(".")[1]
    nothing = "eyJhbGciOiJub25lIn0"  # {"alg":"none"}

    assert (
        web_token.read_token(f"{nothing}.{payload}.", keys.signing_key("token").public_key) is None
    )


def test_tokens_of_before_a_rotation_still_verify(client):
    before = make_credential()
    keys.rotate()
    after = make_credential()

    for credential in (before, after):
        assert decode(client, credential.token).claims["jti"] == credential.uuid.urn


def test_certificates_without_a_token_get_one_later(client):
    credential = make_credential()
    db.session.execute(update(Credential).values(token=None))
    db.session.commit()
    assert client.get(f"/verify/{credential.code}.jwt").status_code == 404

    jobs.sign_missing_tokens()

    token = client.get(f"/verify/{credential.code}.jwt").text
    assert decode(client, token).claims["jti"] == credential.uuid.urn


def chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    found, at = [], 8
    while at < len(png):
        [length] = struct.unpack(">I", png[at : at + 4])
        name, content = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        [checksum] = struct.unpack(">I", png[at + 8 + length : at + 12 + length])
        assert checksum == zlib.crc32(name + content)
        found.append((name, content))
        at += 12 + length
    return found


def test_a_reader_of_png_finds_the_credential_in_the_badge(client):
    credential = make_credential()

    answer = client.get(f"/verify/{credential.code}.png")

    assert answer.content_type == "image/png"
    picture = Image.open(io.BytesIO(answer.data))
    picture.load()
    assert picture.size == (800, 800)
    assert picture.text["openbadgecredential"] == credential.document
    names = [name for name, _content in chunks(answer.data)]
    assert names[:2] == [b"IHDR", b"iTXt"]
    assert names.count(b"iTXt") == 1


def test_a_reader_of_xml_finds_the_credential_in_the_drawing(client):
    credential = make_credential(
        make_completed_enrolment(
            make_run(make_certified_course(title={"en": 'A ]]> <b> & " course'}))
        )
    )

    answer = client.get(f"/verify/{credential.code}.svg")

    assert answer.content_type.startswith("image/svg+xml")
    root = ElementTree.fromstring(answer.data)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root[0].tag == "{https://purl.imsglobal.org/ob/v3p0}credential"
    assert json.loads(root[0].text) == json.loads(credential.document)
    assert root[1].text == 'A ]]> <b> & " course'


def test_each_course_has_its_own_badge_and_wallets_find_it(client):
    one, other = make_credential(), make_credential()
    addresses = [
        json.loads(c.document)["credentialSubject"]["achievement"]["image"]["id"]
        for c in (one, other)
    ]
    pictures = [client.get(a.removeprefix("http://puente.test")) for a in addresses]

    assert [p.status_code for p in pictures] == [200, 200]
    assert pictures[0].data != pictures[1].data
    unknown = "/achievements/00000000-0000-4000-8000-000000000000/badge.png"
    assert client.get(unknown).status_code == 404


def test_who_shows_only_initials_is_named_in_no_public_file(client, run_jobs):
    credential = make_credential(user=make_user(name="Ana Choque Ticona"))
    run_jobs()
    open_pdf = client.get(f"/verify/{credential.code}.pdf")
    assert open_pdf.data.startswith(b"%PDF-")

    holder.choose_shown(credential, shows_name=False, shows_grade=True)

    for ending in ("json", "png", "svg"):
        content = client.get(f"/verify/{credential.code}.{ending}").data
        assert b"Choque" not in content
        assert b"identityHash" not in content
    claims = decode(client, client.get(f"/verify/{credential.code}.jwt").text).claims
    assert "identifier" not in claims["credentialSubject"]
    withheld = client.get(f"/verify/{credential.code}.pdf")
    unknown = client.get("/verify/PU-0000-0000-0000-0000.pdf")
    assert (withheld.status_code, withheld.data) == (unknown.status_code, unknown.data)
    assert unknown.status_code == 404


@pytest.mark.parametrize("ending", ["exe", "html", "json2"])
def test_other_endings_are_not_found(client, ending):
    assert client.get(f"/verify/{make_credential().code}.{ending}").status_code == 404


def test_the_rule_of_the_course_lets_a_certificate_end(app):
    course = make_certified_course(certificate_months=18)

    credential = make_credential(make_completed_enrolment(make_run(course)))

    assert credential.valid_until == clock.after_months(credential.issued_at, 18)
    assert json.loads(credential.document)["validUntil"].startswith(
        credential.valid_until.date().isoformat()
    )


@pytest.mark.parametrize(
    ("day", "months", "end"),
    [
        ("2027-01-31", 1, "2027-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2027-11-15", 2, "2028-01-15"),
        ("2027-12-31", 12, "2028-12-31"),
        ("2024-02-29", 12, "2025-02-28"),
    ],
)
def test_months_end_on_the_same_day_or_the_last(day, months, end):
    from datetime import datetime

    start = datetime.fromisoformat(f"{day}T12:00:00+00:00")

    assert clock.after_months(start, months).date().isoformat() == end
