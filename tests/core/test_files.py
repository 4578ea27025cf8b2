from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from lms.core.files import (
    ATTACHMENTS,
    PICTURES,
    FileKinds,
    UploadRefused,
    UploadTooLarge,
    clean_name,
    keep_file,
    read_file,
    send_stored,
)


def _png(width: int = 4, height: int = 4) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(stream, "PNG")
    return stream.getvalue()


def test_a_picture_is_kept_and_given_back(app):
    row = keep_file(_png(), "map.png", PICTURES)

    assert read_file(row) == _png()
    assert (row.media_type, row.name, row.size) == ("image/png", "map.png", len(_png()))


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"<html><script>alert(1)</script></html>", "picture.png"),
        (b"MZ\x90\x00" + b"\0" * 100, "report.pdf"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "a.svg"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "a.svg"),
        (b"<!DOCTYPE svg [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><svg>&x;</svg>", "a.svg"),
        (_png()[:40], "cut.png"),
        (b"", "empty.png"),
        (b"#!/bin/sh\nrm -rf /", "run.sh"),
    ],
)
def test_a_hostile_or_broken_upload_is_refused(app, content, name):
    with pytest.raises(UploadRefused):
        keep_file(content, name, PICTURES)


def test_a_picture_that_would_fill_the_memory_is_refused(app):
    header = b"IHDR" + struct.pack(">II", 20_000, 20_000) + b"\x08\x02\0\0\0"
    start = _png()[:8] + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))

    with pytest.raises(UploadTooLarge) as refusal:
        keep_file(start + _png()[33:], "map.png", PICTURES)

    assert str(refusal.value.text) == "This picture has too many pixels."


def test_an_upload_is_judged_by_its_content_and_not_by_its_name(app):
    row = keep_file(_png(), "notes.txt", ATTACHMENTS)

    assert row.media_type == "image/png"


def test_a_large_upload_is_refused_with_the_limit(app):
    with pytest.raises(UploadTooLarge) as refusal:
        keep_file(b"a" * (1024 * 1024 + 1), "a.txt", FileKinds(frozenset({"text/plain"}), 1024**2))

    assert "1 MB" in str(refusal.value.text)
    assert refusal.value.status == 413


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\plan.pdf", "plan.pdf"),
        (".htaccess", "htaccess"),
        ("a\r\nSet-Cookie: x.txt", "aSet-Cookie_ x.txt"),
        ("año.pdf", "año.pdf"),
        ("", "file"),
    ],
)
def test_file_names_are_made_harmless(given, kept):
    assert clean_name(given) == kept


def test_a_kept_file_cannot_run_on_our_pages(app):
    drawing = b"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1 1'><path d='M0 0'/></svg>"
    row = keep_file(drawing, "a.svg", PICTURES)

    with app.test_request_context():
        answer = send_stored(row)

    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_what_is_no_picture_is_downloaded(app):
    row = keep_file(b"a,b\n1,2\n", "table.csv", ATTACHMENTS)

    with app.test_request_context():
        answer = send_stored(row)

    assert answer.headers["Content-Disposition"].startswith("attachment")
