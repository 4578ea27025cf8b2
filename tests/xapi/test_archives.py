"""Statements with their attachments, out of one store and into another; hostile archives."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import uuid
import zipfile

import pytest
from sqlalchemy import delete, func, select

from lms.core.db import db
from lms.core.files import file_store
from lms.xapi.browse import Wanted
from lms.xapi.models import Attachment, AttachmentUse, StatementKey, StoredStatement
from lms.xapi.services import importing_archives
from lms.xapi.services.attachments import keep_attachments, kept_parts
from lms.xapi.services.export import FORMATS, export_parts
from lms.xapi.services.importing import ImportRefused
from lms.xapi.services.importing_archives import import_archive
from lms.xapi.services.signatures import SIGNATURE
from lms.xapi.services.store import store_statements
from tests.factories.accounts import make_administrator
from tests.xapi.test_browse import AUTHORITY
from tests.xapi.test_importing import PAGE, count, lines, made

FIRST, SECOND = b"first\0\xff", b"second" * 1000


def sha2(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def with_files(*contents: bytes, **values):
    attachments = [
        {
            "usageType": "http://example.org/usage", "display": {"en": "A file"},
            "contentType": "text/plain", "length": len(content), "sha2": sha2(content),
        }
        for content in contents
    ]  # fmt: skip
    return made(attachments=attachments, **values)


def keep(*contents: bytes, **values) -> dict:
    statement = with_files(*contents, **values)
    [name] = store_statements([statement], authority=AUTHORITY)
    found = select(StoredStatement.id).where(StoredStatement.statement_id == name)
    keep_attachments({sha2(c): c for c in contents}, [(statement, db.session.scalar(found))])
    return statement


def path_of(content: bytes) -> str:
    return f"xapi/{sha2(content)[:2]}/{sha2(content)}"


def has_file(content: bytes) -> bool:
    try:
        return bool(file_store().read(path_of(content)))
    except FileNotFoundError:
        return False


@pytest.fixture(autouse=True)
def no_files(app) -> None:
    forget_all()


def forget_all() -> None:
    for table in (AttachmentUse, Attachment, StatementKey, StoredStatement):
        db.session.execute(delete(table))
    for content in (FIRST, SECOND):
        file_store().delete(path_of(content))


def exported(wanted: Wanted | None = None) -> bytes:
    return b"".join(export_parts(FORMATS["zip"], wanted or Wanted()))


def archive(*statements, files=(), **named: bytes) -> bytes:
    """A ZIP as another store may have made it. named: further entries, / written as __."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as made_now:
        made_now.writestr("statements.jsonl", lines(*statements))
        for content in files:
            made_now.writestr(f"attachments/{sha2(content)}", content)
        for name, content in named.items():
            made_now.writestr(name.replace("__", "/"), content)
    return whole.getvalue()


def take(content: bytes):
    return import_archive(io.BytesIO(content))


def refusal(content: bytes) -> str:
    with pytest.raises(ImportRefused) as refused:
        take(content)
    db.session.rollback()
    assert count() == 0
    assert db.session.scalar(select(func.count()).select_from(Attachment)) == 0
    assert not has_file(FIRST)
    assert not has_file(SECOND)
    return "\n".join(map(str, refused.value.report.problems))


def parts() -> dict[str, bytes]:
    documents = db.session.scalars(select(StoredStatement.document)).all()
    return {name: content for name, _type, content in kept_parts(documents)}


def test_attachments_go_out_and_come_in_again_byte_for_byte(app):
    keep(FIRST, SECOND)
    keep(FIRST)
    store_statements([made()], authority=AUTHORITY)

    content = exported()

    with zipfile.ZipFile(io.BytesIO(content)) as whole:
        assert whole.testzip() is None
        names = whole.namelist()
        assert names[0] == "statements.jsonl"
        assert sorted(names[1:]) == sorted(f"attachments/{sha2(c)}" for c in (FIRST, SECOND))
        assert len(whole.read("statements.jsonl").splitlines()) == 3
    forget_all()
    report = take(content)
    assert (report.read, report.stored, report.known, report.attachments) == (3, 3, 0, 2)
    assert parts() == {sha2(FIRST): FIRST, sha2(SECOND): SECOND}
    uses = db.session.execute(select(AttachmentUse.statement_pk, AttachmentUse.sha2)).all()
    assert len(uses) == 3
    again = take(content)
    assert (again.stored, again.known) == (0, 3)
    assert len(exported()) == pytest.approx(len(content), abs=100)


def test_an_export_holds_only_the_attachments_of_what_fits(app):
    keep(FIRST)
    keep(SECOND, verb={"id": "https://example.org/verbs/juggled"})

    whole = zipfile.ZipFile(io.BytesIO(exported(Wanted(verb="https://example.org/verbs/juggled"))))

    assert whole.namelist() == ["statements.jsonl", f"attachments/{sha2(SECOND)}"]
    whole.close()


def test_an_export_is_made_while_it_is_sent(app, monkeypatch):
    monkeypatch.setattr("lms.xapi.services.export._AT_ONCE", 1)
    for number in range(5):
        keep(bytes([number]) * 100_000)

    sizes = [len(part) for part in export_parts(FORMATS["zip"], Wanted())]

    assert len(sizes) == 11
    assert max(sizes) < 102_000


def test_attachments_that_were_missing_come_with_statements_that_are_known(app):
    statement = with_files(FIRST)
    store_statements([statement], authority=AUTHORITY)
    assert parts() == {}

    report = take(archive(statement, files=[FIRST]))

    assert (report.stored, report.known, report.attachments) == (0, 1, 1)
    assert parts() == {sha2(FIRST): FIRST}


def test_a_statement_may_name_what_the_archive_does_not_hold(app):
    report = take(archive(with_files(FIRST, SECOND), files=[FIRST]))

    assert (report.stored, report.attachments) == (1, 1)
    assert parts() == {sha2(FIRST): FIRST}


def test_a_trial_keeps_no_file(app):
    content = archive(with_files(FIRST), files=[FIRST])

    report = import_archive(io.BytesIO(content), is_trial=True)
    db.session.rollback()

    assert report.attachments == 1
    assert not has_file(FIRST)


def test_what_does_not_fit_together_is_refused_whole(app):
    right = with_files(FIRST)

    assert "hash" in refusal(archive(right, **{f"attachments__{sha2(FIRST)}": SECOND}))
    assert "no statement names it" in refusal(archive(right, files=[FIRST, SECOND]))
    assert "line 2" in refusal(archive(right, made(verb={"id": "<b>"}), files=[FIRST]))
    signed = with_files(FIRST)
    signed["attachments"][0]["usageType"] = SIGNATURE
    assert "as a signature" in refusal(archive(signed, files=[FIRST]))


def test_names_that_lead_elsewhere_are_refused(app):
    for name in (
        "../statements.jsonl", "attachments__..__..__etc__passwd", "attachments__" + "a" * 63,
        "attachments__" + "A" * 64, "/etc/passwd", "attachments\\x", "more.jsonl", "a" * 300,
    ):  # fmt: skip
        assert "are read" in refusal(archive(made(), **{name: b"x"})), name


def test_bombs_are_refused_before_they_are_unpacked(app, monkeypatch):
    zeros = b"\0" * (30 * 1024 * 1024)
    assert "attack" in refusal(archive(made(), **{f"attachments__{'a' * 64}": zeros}))

    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("statements.jsonl", b" " * (30 * 1024 * 1024))
    assert "attack" in refusal(whole.getvalue())

    monkeypatch.setattr(importing_archives, "MOST_BYTES", 10)
    assert "larger" in refusal(archive(made(), **{f"attachments__{'a' * 64}": b"12345678901"}))


def test_entries_that_share_their_bytes_are_refused(app):
    content = bytearray(archive(with_files(SECOND), files=[SECOND]))
    end = content.rfind(b"PK\x05\x06")
    [count_, size, start] = struct.unpack_from("<HLL", content, end + 10)
    last = content.rfind(b"PK\x01\x02", 0, end)
    entry = bytes(content[last:end])
    for number in range(200):  # the directory names the last entry again and again
        copy = bytearray(entry)
        copy[46 + 12 : 46 + 16] = f"{number:04}".encode()
        content[end:end] = copy
        end += len(copy)
        size, count_ = size + len(copy), count_ + 1
    struct.pack_into("<HHLL", content, end + 8, count_, count_, size, start)

    assert "over each other" in refusal(bytes(content))


@pytest.mark.parametrize("is_large", [True, False])
def test_a_directory_that_is_too_long_is_not_read(app, monkeypatch, is_large):
    monkeypatch.setattr(importing_archives, "MOST_ENTRIES", 3)
    content = archive(made(), **{f"attachments__{n:064x}": b"" for n in range(5)})
    if is_large:  # as ZIP64, whose other end says that there is nothing
        end = content.rfind(b"PK\x05\x06")
        count_, size, start = struct.unpack_from("<HLL", content, end + 10)
        record = b"PK\x06\x06" + struct.pack(
            "<QHHLLQQQQ", 44, 45, 45, 0, 0, count_, count_, size, start
        )
        locator = b"PK\x06\x07" + struct.pack("<LQL", 0, end, 1)
        tail = b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, 1, 1, 46, start, 0)
        content = content[:end] + record + locator + tail

    assert "more than 3" in refusal(content)


def test_what_is_no_archive_is_refused(app):
    for content in (b"PK\x03\x04", b"PK\x05\x06" + b"\0" * 18, b"PK\x03\x04" + b"\0" * 500):
        assert refusal(content)


def test_damaged_archives_are_refused(app):
    whole = archive(with_files(SECOND), files=[SECOND])
    for place in range(0, len(whole), 41):
        broken = bytearray(whole)
        broken[place] ^= 0xFF
        try:
            take(bytes(broken))
        except ImportRefused:
            db.session.rollback()
            assert count() == 0
        else:  # the byte meant nothing
            assert parts() == {sha2(SECOND): SECOND}
            db.session.rollback()
            forget_all()


def test_encrypted_and_doubled_entries_are_refused(app):
    whole = bytearray(archive(made()))
    whole[6] |= 1
    whole[whole.rfind(b"PK\x01\x02") + 8] |= 1
    assert "encrypted" in refusal(bytes(whole))

    doubled = io.BytesIO(archive(made()))
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(doubled, "a") as more:
        more.writestr("statements.jsonl", lines(made()))
    assert "two entries" in refusal(doubled.getvalue())
    renamed = f"attachments/{sha2(b'')[:4]}".encode()
    assert "are read" in refusal(archive().replace(b"statements.jsonl", renamed))


def test_it_goes_through_the_browser_and_the_command_line(app, signed_in, tmp_path):
    statement = keep(FIRST)
    browser = signed_in(make_administrator())
    answer = browser.post("/learning-records/statements/export/zip")
    sent = answer.data
    assert answer.mimetype == "application/zip"
    assert answer.headers["Content-Disposition"].endswith('.zip"')
    forget_all()
    db.session.commit()

    taken = browser.post(PAGE, data={"file": (io.BytesIO(sent), "statements.zip")})
    assert taken.status_code == 200, taken.text
    assert parts() == {sha2(FIRST): FIRST}
    wrong = browser.post(PAGE, data={"file": (io.BytesIO(b"PK\x03\x04"), "statements.zip")})
    assert wrong.status_code == 422
    assert "Nothing was stored" in wrong.text

    target = tmp_path / "out.zip"
    run = app.test_cli_runner()
    db.session.commit()
    done = run.invoke(args=["statements", "export", str(target), "--format", "zip"])
    assert done.exit_code == 0, done.output
    with zipfile.ZipFile(target) as whole:
        assert json.loads(whole.read("statements.jsonl"))["id"] == statement["id"]
    known = run.invoke(args=["statements", "import", str(target)])
    assert "1 known already, 1 attachments" in known.output.replace("\n", " ")
    assert uuid.UUID(statement["id"])
