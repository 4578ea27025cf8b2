"""What people show on the page: pictures, links, texts, of this issuer and of others."""

from __future__ import annotations

import base64
import io
import json
import struct
import zlib

import pytest

from lms.certificates import queries
from lms.certificates.credential_formats.base import credential_formats
from lms.certificates.errors import LinkUnreadable, UploadUnreadable
from lms.certificates.models import RevocationReason
from lms.certificates.services import revoke
from lms.certificates.uploads import read_text, read_upload
from lms.certificates.verifier.containers import NothingBaked, read_svg
from lms.certificates.verifier.tokens import decode
from lms.core import clock
from lms.core.db import db
from lms.core.outgoing import AddressRefused, fetch
from tests.factories.accounts import make_administrator
from tests.factories.certificates import make_credential


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*texts: str) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    baked = b"".join(
        chunk(b"iTXt", b"openbadgecredential\0\0\0\0\0" + text.encode()) for text in texts
    )
    data = chunk(b"IDAT", zlib.compress(b"\0\0"))
    return b"\x89PNG\r\n\x1a\n" + head + baked + data + chunk(b"IEND", b"")


def svg(inside: str, attributes: str = "") -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<svg xmlns="http://www.w3.org/2000/svg"'
        ' xmlns:openbadges="https://purl.imsglobal.org/ob/v3p0">'
        f"<openbadges:credential{attributes}>{inside}</openbadges:credential>"
        "<circle r='1'/></svg>"
    ).encode()


def upload(client, content: bytes, name: str):
    return client.post(
        "/verify/file",
        data={"by-file-file": (io.BytesIO(content), name)},
        content_type="multipart/form-data",
    )


def paste(client, text: str):
    return client.post("/verify", data={"by-code-code": text})


def test_a_picture_of_another_issuer_is_read_in_both_kinds(client, other):
    text = json.dumps(other.credential(), ensure_ascii=False)
    for content, name in (
        (png(text), "badge.png"),
        (svg(f"<![CDATA[{text}]]>"), "badge.svg"),
        (text.encode(), "badge.json"),
    ):
        page = upload(client, content, name)
        assert page.status_code == 200, name
        assert "verdict-valid" in page.text
        assert other.did in page.text
        assert "Zoé Ñaupari" in page.text
        assert "no-store" in page.headers["Cache-Control"]


def test_the_page_says_what_keeps_a_check_from_being_made(client, other):
    text = json.dumps(other.credential())
    other.published.clear()

    for language, words in (
        ("en", "This certificate could not be checked"),
        ("es", "Este certificado no se pudo comprobar"),
    ):
        page = client.post(f"/verify?lang={language}", data={"by-code-code": text})
        assert page.status_code == 200
        assert words in page.text
        assert "Zoé" not in page.text


def test_an_altered_credential_shows_nothing_of_what_it_says(client, other):
    document = other.credential()
    document["credentialSubject"]["creditsEarned"] = 1200

    page = paste(client, json.dumps(document))

    assert "This certificate is not genuine" in page.text
    assert "Zoé" not in page.text
    assert "1200" not in page.text


def test_a_link_is_followed_to_a_file_of_another_issuer(client, other):
    other.published["/badge.json"] = json.dumps(other.credential()).encode()

    page = paste(client, f"http://localhost:{other.port}/badge.json")

    assert "verdict-valid" in page.text


def test_links_of_this_site_and_codes_in_texts_lead_to_their_page(client):
    code = make_credential().code

    for typed in (
        f"http://puente.test/verify/{code}",
        f"http://puente.test/verify/{code}.json",
        f"  {code.lower()} ",
        f"Certificate {code}, issued in March, see there for all that it says." + " " * 100,
    ):
        answer = paste(client, typed)
        assert answer.status_code == 303
        assert answer.location.endswith(f"/verify/{code}")


@pytest.mark.parametrize(
    "link",
    [
        "http://127.0.0.1/x", "https://10.0.0.1/x", "https://[::1]/", "https://169.254.169.254/",
        "https://2130706433/", "https://0x7f.1/", "http://example.org/",
    ],
)  # fmt: skip
def test_links_into_the_own_network_are_refused(client, link):
    with pytest.raises((AddressRefused, OSError)):
        fetch(link, at_most=10, seconds=1)
    with pytest.raises(LinkUnreadable):
        read_text(link)

    assert paste(client, link).status_code == 422


def test_administrators_own_network_stays_closed_to_strangers(app, monkeypatch):
    changed = app.extensions["settings"].model_copy(
        update={"private_addresses": True, "demo": True, "debug": True}
    )
    monkeypatch.setitem(app.extensions, "settings", changed)

    with pytest.raises(AddressRefused):
        fetch("https://10.0.0.1/", at_most=10, seconds=1)
    with pytest.raises(AddressRefused):
        fetch("http://localhost/", at_most=10, seconds=1)


def test_an_answer_too_long_or_not_found_is_no_answer(other):
    other.published["/long"] = b"x" * 1000

    assert fetch(f"http://localhost:{other.port}/long", at_most=1000, seconds=3) == b"x" * 1000
    for path in ("long", "missing"):
        with pytest.raises(OSError):
            fetch(f"http://localhost:{other.port}/{path}", at_most=999, seconds=3)


@pytest.mark.parametrize(
    "content",
    [
        png(), png("{}", "{}"), png("not json"), png("x")[:40],
        b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\n" + b"\xff" * 100,
        svg(""), svg("{}"), svg("<a/>"), b"<svg", b"<html></html>", b"\xff\xfe", b"",
        b'{"proof": {}, "proof": {}}', b"a.b.c", b"[" * 10_000, b"[]",
        b'<!DOCTYPE svg [<!ENTITY a "b">]>' + svg("&a;").partition(b"?>")[2],
    ],
)  # fmt: skip
def test_files_without_a_credential_are_refused(app, content):
    with pytest.raises(UploadUnreadable):
        read_upload(content)


def test_a_document_type_is_refused_before_its_entities_count(app):
    bomb = b'<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><svg>&b;</svg>'

    with pytest.raises(NothingBaked):
        read_svg(bomb)


def test_compressed_text_in_a_picture_is_not_unpacked(app):
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    packed = b"openbadgecredential\0\1\0\0\0" + zlib.compress(b"{}" * 1_000_000)
    content = b"\x89PNG\r\n\x1a\n" + head + chunk(b"iTXt", packed) + chunk(b"IEND", b"")

    with pytest.raises(UploadUnreadable):
        read_upload(content)


def test_own_credentials_are_verified_in_each_form(client, run_jobs):
    credential = make_credential()
    run_jobs()
    assert {"png", "svg", "json", "jwt", "pdf"} == {
        kind.file_ending for kind in credential_formats.values()
    }

    for kind in credential_formats.values():
        page = upload(client, kind.make_public(credential), f"c.{kind.file_ending}")
        assert "verdict-valid" in page.text, kind.name
        assert credential.code in page.text

    revoke.revoke(credential, RevocationReason.ERROR, None, make_administrator().id)
    for kind in credential_formats.values():
        page = upload(client, kind.make_public(credential), f"c.{kind.file_ending}")
        assert "verdict-revoked" in page.text, kind.name


def test_a_token_of_this_site_that_was_changed_is_not_believed(client):
    head, payload, signature = make_credential().token.split(".")
    document = json.loads(decode(payload))
    document["credentialSubject"]["creditsEarned"] = 1200
    changed = base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")

    page = upload(client, f"{head}.{changed}.{signature}".encode(), "c.jwt")

    assert "This file was changed" in page.text
    assert "1200" not in page.text


def test_what_a_withdrawn_key_signed_is_not_believed(client):
    credential = make_credential()
    for key in queries.list_keys():
        key.withdrawn_at = clock.now()
    db.session.commit()

    assert "verdict-valid" not in client.get(f"/verify/{credential.code}").text
    for content in (credential.document, credential.token):
        assert "This file was changed" in upload(client, content.encode(), "c").text
