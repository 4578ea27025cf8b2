"""Learner records: several certificates in one signed file, and what is said of them."""

from __future__ import annotations

import io
import json

import pytest

from lms.certificates import data_integrity
from lms.certificates.models import RevocationReason
from lms.certificates.services import holder, record, revoke, verify
from lms.certificates.services.verify import State
from lms.certificates.uploads import read_upload
from lms.core import clock
from tests.factories.accounts import make_administrator, make_user
from tests.factories.certificates import make_credential


@pytest.fixture
def rosa(app):
    return make_user(name="Rosa Quispe Mamani", email="rosa@example.org")


def download(signed_in, person, *credentials, **data):
    codes = [credential.code for credential in credentials]
    return signed_in(person).post(
        "/my/certificates/record",
        data={"record-codes": codes, "record-kind": "json", **data},
    )


def verdict_on(content: bytes | str):
    content = content.encode() if isinstance(content, str) else content
    return verify.verify_upload(read_upload(content), waits=True)


@pytest.mark.parametrize("kind", ["json", "jwt"])
def test_the_chosen_certificates_come_in_one_file_that_verifies(signed_in, client, rosa, kind):
    first, second, left = (make_credential(user=rosa) for _ in range(3))

    answer = download(signed_in, rosa, first, second, **{"record-kind": kind})

    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == f'attachment; filename="certificates.{kind}"'
    assert left.code not in answer.text
    verdict = verdict_on(answer.data)
    assert verdict.state == State.VALID
    assert {part.credential for part in verdict.parts} == {first, second}
    page = client.post("/verify/file", data={"by-file-file": (io.BytesIO(answer.data), "a")}).text
    assert "This collection is valid" in page
    assert first.code in page


def test_it_says_whether_it_holds_everything(rosa):
    first, second = make_credential(user=rosa), make_credential(user=rosa)
    codes = [first.code, second.code]

    whole = json.loads(record.make(rosa, codes, as_token=False, as_shown=False))
    part = json.loads(record.make(rosa, codes[:1], as_token=False, as_shown=False))

    assert (whole["partial"], part["partial"]) == (False, True)
    inner = whole["credentialSubject"]["verifiableCredential"]
    assert sorted(map(json.dumps, inner)) == sorted(
        json.dumps(json.loads(one.document)) for one in (first, second)
    )


def test_nobody_takes_another_persons_certificate(signed_in, rosa):
    mine, theirs = make_credential(user=rosa), make_credential()

    assert download(signed_in, rosa, theirs).status_code == 422
    answer = download(signed_in, rosa, mine, theirs)

    assert answer.status_code == 422
    assert "record-codes-error" in answer.text


def test_what_is_revoked_or_expired_is_not_offered(signed_in, rosa):
    gone = make_credential(user=rosa)
    past = make_credential(user=rosa, valid_until=clock.after_months(clock.now(), -1))
    revoke.revoke(gone, RevocationReason.ERROR, None, make_administrator().id)

    page = signed_in(rosa).get("/my/certificates").text

    assert "All in one file" not in page
    assert download(signed_in, rosa, gone, past).status_code == 422


def test_nothing_chosen_and_too_many_are_refused(signed_in, rosa, monkeypatch):
    first, second = make_credential(user=rosa), make_credential(user=rosa)
    monkeypatch.setattr(record, "MOST", 1)

    assert "Choose at least one certificate" in download(signed_in, rosa).text
    assert "at most 40" in download(signed_in, rosa, first, second).text


def test_what_the_holder_hides_can_be_left_out(signed_in):
    holding = make_user(name="Ana Wayra Flores")
    credential = make_credential(user=holding)
    holder.choose_shown(credential, shows_name=False, shows_grade=False)

    shown = download(signed_in, holding, credential, **{"record-as_shown": "y"}).text
    whole = download(signed_in, holding, credential).text

    assert "Wayra" in whole
    assert "Wayra" not in shown
    assert '"result"' not in shown
    assert verdict_on(shown).state == State.VALID


def test_a_certificate_that_was_revoked_since_shows(client, rosa):
    kept, gone = make_credential(user=rosa), make_credential(user=rosa)
    made = record.make(rosa, [kept.code, gone.code], as_token=False, as_shown=False)
    revoke.revoke(gone, RevocationReason.ERROR, None, make_administrator().id)

    verdict = verdict_on(made)

    assert verdict.state == State.PARTLY
    assert {part.credential: part.state for part in verdict.parts} == {
        kept: State.VALID,
        gone: State.REVOKED,
    }
    file = (io.BytesIO(made.encode()), "record.json")
    page = client.post("/verify/file", data={"by-file-file": file}).text
    assert "Not everything in this collection is valid" in page
    assert "Revoked" in page


def test_an_altered_record_is_not_shown(rosa):
    credential = make_credential(user=rosa)
    made = json.loads(record.make(rosa, [credential.code], as_token=False, as_shown=False))
    made["credentialSubject"]["identifier"][0]["identityHash"] = "Somebody Else"

    verdict = verdict_on(json.dumps(made))

    assert verdict.state == State.ALTERED
    assert verdict.parts == ()
    assert verdict.claims is None


def test_credentials_of_other_issuers_are_judged_each(other):
    good, bad = other.credential(), other.credential(name="Another")
    bad["name"] = "Changed"
    document = other.document(
        type=["VerifiableCredential", "ClrCredential"],
        credentialStatus=None,
        credentialSubject={
            "id": "urn:uuid:a1cc054d-53d2-5e7c-895a-b09645ee6229",
            "type": ["ClrSubject"],
            "verifiableCredential": [good, bad],
        },
    )
    document["@context"].insert(1, data_integrity.LEARNER_RECORDS_2)
    made = data_integrity.sign(document, other.key, other.method, clock.now())

    verdict = verdict_on(json.dumps(made))

    assert verdict.state == State.PARTLY
    assert [part.state for part in verdict.parts] == [State.VALID, State.ALTERED]


def test_records_in_records_and_own_contexts_are_refused(rosa):
    credential = make_credential(user=rosa)
    made = json.loads(record.make(rosa, [credential.code], as_token=False, as_shown=False))
    inner = made["credentialSubject"]["verifiableCredential"][0]
    inner["@context"] = [*inner["@context"], "https://elsewhere.example/context.json"]

    verdict = verdict_on(json.dumps(made))

    assert verdict.state == State.UNCHECKED
    part = verify._part({"type": ["ClrCredential"]}, {}, float("inf"))
    assert part.state == State.UNCHECKED


def test_the_command_says_what_is_true_of_each(app, rosa, tmp_path):
    kept, gone = make_credential(user=rosa), make_credential(user=rosa)
    file = tmp_path / "record.json"
    file.write_text(record.make(rosa, [kept.code, gone.code], as_token=False, as_shown=False))
    runner = app.test_cli_runner()

    good = runner.invoke(args=["verify", str(file)])
    revoke.revoke(gone, RevocationReason.ERROR, None, make_administrator().id)
    bad = runner.invoke(args=["verify", "--json", str(file)])

    assert good.exit_code == 0
    assert [line.split()[0] for line in good.output.splitlines()] == ["valid"] * 3
    assert bad.exit_code == 1
    said = json.loads(bad.output)
    assert said["state"] == "partly"
    assert sorted(one["state"] for one in said["certificates"]) == ["revoked", "valid"]
