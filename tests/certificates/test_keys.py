"""The issuer's keys: made, rotated, retired, kept in a file, never replaced in silence."""

from __future__ import annotations

import json

import pytest

from lms.certificates import queries
from lms.certificates.errors import IssuerKeyUnavailable, KeyBackupUnreadable, NoSigningKey
from lms.certificates.models import KeyUse
from lms.certificates.services import key_backup, keys
from lms.certificates.services.verify import verify_code
from lms.core.db import db
from tests.factories.certificates import make_credential

PASSPHRASE = "correct horse battery staple"


@pytest.fixture
def lms(app):
    runner = app.test_cli_runner()

    def run(*arguments: str, **values):
        return runner.invoke(args=["keys", *arguments], **values)

    return run


@pytest.fixture
def other_secret(app, monkeypatch):
    """Calling it gives the site another secret."""

    def change() -> None:
        monkeypatch.setattr(type(app.extensions["settings"]), "secret", lambda self: "another")
        keys.forget_opened()

    yield change
    keys.forget_opened()


def test_each_purpose_has_a_key_that_signs(lms):
    made = lms("make")
    again = lms("make")

    assert made.exit_code == 0, made.output
    assert {key.use for key in queries.list_keys()} == set(KeyUse)
    assert "none was missing" in again.output
    assert len(queries.list_keys()) == 3


def test_nothing_is_issued_once_all_keys_are_retired(lms):
    make_credential()
    for kid in [key.kid for key in queries.list_keys()]:
        assert lms("retire", kid).exit_code == 0

    with pytest.raises(NoSigningKey):
        make_credential()

    lms("make")
    assert make_credential().key.retired_at is None


def test_a_retired_key_stays_published_and_a_withdrawn_one_does_not(client, lms):
    credential = make_credential()
    kid = credential.key.kid

    assert lms("retire", kid).exit_code == 0
    did = client.get("/.well-known/did.json").text
    assert f"#{kid}" in did
    assert verify_code(credential.code).is_valid

    refused = lms("retire", kid, "--withdraw", input="n\n")
    assert refused.exit_code == 1
    assert "1 certificates were issued" in refused.output
    assert lms("retire", kid, "--withdraw", input="y\n").exit_code == 0
    assert f"#{kid}" not in client.get("/.well-known/did.json").text
    assert "verifies no more" in " ".join(lms("list").output.split())


def test_an_unknown_key_is_not_retired(lms):
    said = lms("retire", "ed-1999-1")

    assert said.exit_code == 1
    assert "There is no key ed-1999-1" in said.output


def test_the_keys_survive_the_loss_of_the_secret_in_their_file(lms, tmp_path, other_secret):
    before = make_credential()
    path = tmp_path / "keys.json"
    assert lms("export", str(path), "--passphrase", PASSPHRASE).exit_code == 0
    assert path.stat().st_mode & 0o777 == 0o600
    other_secret()
    with pytest.raises(IssuerKeyUnavailable):
        make_credential()
    db.session.rollback()

    said = lms("import", str(path), "--passphrase", PASSPHRASE)

    assert said.exit_code == 0, said.output
    after = make_credential()
    assert after.key.kid == before.key.kid
    assert len(queries.list_keys()) == 2


def test_the_keys_come_back_on_an_empty_site(app):
    make_credential()
    text = key_backup.export_keys(PASSPHRASE)
    kids = [key.kid for key in queries.list_keys()]
    published = keys.did_document()
    db.session.rollback()
    for key in queries.list_keys():
        key.kid = f"gone-{key.id}"
        key.retired_at = key.created_at
    db.session.flush()

    assert key_backup.import_keys(text, PASSPHRASE) == kids

    methods = {method["id"]: method for method in keys.did_document()["verificationMethod"]}
    for method in published["verificationMethod"]:
        assert methods[method["id"]] == method


def test_a_file_of_keys_is_worth_nothing_without_its_passphrase(app):
    make_credential()
    text = key_backup.export_keys(PASSPHRASE)
    other = json.dumps({**json.loads(text), "issuer": "did:web:elsewhere.example"})

    for broken, passphrase in (
        (text, "another passphrase"),
        (text[:-40], PASSPHRASE),
        (other, PASSPHRASE),
        ("[]", PASSPHRASE),
        ("{}", PASSPHRASE),
    ):
        with pytest.raises(KeyBackupUnreadable):
            key_backup.import_keys(broken, passphrase)
    for key in queries.list_keys():
        assert key.public_key not in text
        assert key.private_key_sealed not in text


def test_a_file_of_keys_is_not_written_over_another_nor_with_a_short_passphrase(lms, tmp_path):
    lms("make")
    path = tmp_path / "keys.json"
    path.write_text("something")

    assert "exists" in lms("export", str(path), "--passphrase", PASSPHRASE).output
    short = lms("export", str(tmp_path / "new.json"), "--passphrase", "short")
    assert "at least twelve" in short.output
    assert not (tmp_path / "new.json").exists()


@pytest.mark.parametrize("command", ["run", "worker"])
def test_the_site_does_not_start_with_a_lost_secret(app, other_secret, monkeypatch, command):
    started = []
    monkeypatch.setattr("lms.core.serve.serve", lambda *a, **k: started.append("run"))
    monkeypatch.setattr("lms.core.serve.work", lambda *a, **k: started.append("worker"))
    from lms.cli import cli

    runner = app.test_cli_runner()
    make_credential()
    assert runner.invoke(cli, [command]).exit_code == 0
    assert started == [command]

    other_secret()
    said = runner.invoke(cli, [command])

    assert said.exit_code == 1
    assert "LMS_SECRET_KEY is not the one" in said.output
    assert started == [command]
    assert len(queries.list_keys()) == 2
