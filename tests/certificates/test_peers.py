"""Judges that others wrote: Digital Bazaar's verifier (npm), and the published JSON Schema.

LMS_PEER_CREDENTIALS names a program that runs Node with the npm packages at hand. Without it the
tests of those are skipped.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft201909Validator, FormatChecker

from lms.certificates.models import RevocationReason
from lms.certificates.services import holder, keys, record, revoke
from lms.core import clock
from lms.core.db import db
from tests.factories.accounts import make_administrator
from tests.factories.certificates import make_certified_course, make_credential
from tests.factories.courses import make_run

NODE = "LMS_PEER_CREDENTIALS"
FOLDER = Path(__file__).parent / "peers"
SCHEMA = FOLDER / "ob_v3p0_achievementcredential_schema.json"
SCHEMA_SHA256 = "859e405b592d93c3261fe899362f4128801140d4d20c01502a066b3540483d95"
RECORD_SCHEMA = FOLDER / "clr_v2p0_clrcredential_schema.json"
RECORD_SCHEMA_SHA256 = "59d778659204b0bd593e9e2ab1683fb6f688e339885c44019f606ed6feb4caee"
CONTEXTS = {
    "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json": "clr-2.0.1.json",
    "https://www.w3.org/ns/credentials/v2": "credentials-v2.json",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json": "open-badges-3.0.3.json",
}


def published(client) -> dict[str, Any]:
    """What a verifier may load: the contexts, our DID document and our status list."""
    contexts = files("lms.certificates").joinpath("contexts")
    found = {
        address: json.loads(contexts.joinpath(name).read_text())
        for address, name in CONTEXTS.items()
    }
    did = json.loads(client.get("/.well-known/did.json").data)
    status_list = json.loads(client.get("/status/revocation/1").data)
    return {**found, did["id"]: did, status_list["id"]: status_list}


def judge(documents: dict[str, Any], *credentials: dict[str, Any]) -> list[dict[str, Any]]:
    node = os.environ.get(NODE)
    if not node:
        pytest.skip(f"{NODE} is not set")
    done = subprocess.run(
        [node, FOLDER / "verify.cjs"],
        input=json.dumps({"documents": documents, "credentials": credentials}),
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def test_another_implementation_accepts_and_refuses_as_we_do(client):
    credential, bad = make_credential(), make_credential()
    hidden = make_credential()
    holder.choose_shown(hidden, shows_name=False, shows_grade=True)
    expired = make_credential(valid_until=clock.after_months(clock.now(), -1))
    keys.rotate()
    later = make_credential()
    revoke.revoke(bad, RevocationReason.ERROR, None, make_administrator().id)
    whole = json.loads(credential.document)
    altered = json.loads(credential.document)
    altered["credentialSubject"]["creditsEarned"] = 120
    renamed = json.loads(credential.document)
    renamed["credentialSubject"]["identifier"][0]["identityHash"] = "Somebody Else"
    foreign = json.loads(credential.document)
    foreign["issuer"]["id"] = "did:web:elsewhere.example"

    answers = judge(
        published(client),
        whole,
        json.loads(hidden.shown_document),
        json.loads(later.document),
        json.loads(bad.document),
        altered,
        renamed,
        foreign,
        json.loads(expired.document),
    )

    assert [answer["verified"] for answer in answers] == [True] * 4 + [False] * 4, answers
    assert [answer["revoked"] for answer in answers[:4]] == [False, False, False, True]


def test_a_withdrawn_key_is_believed_no_more(client):
    credential = make_credential()
    old = credential.key
    keys.rotate()
    assert judge(published(client), json.loads(credential.document))[0]["verified"]

    keys.retire(old, withdrawn=True)

    assert not judge(published(client), json.loads(credential.document))[0]["verified"]


def test_a_learner_record_is_accepted_elsewhere_and_fits_its_schema(client):
    first, second = make_credential(), make_credential(user=None)
    second.user_id, second.holder_name = first.user_id, first.holder_name
    db.session.commit()
    codes = [first.code, second.code]
    made = json.loads(record.make(first.user, codes, as_token=False, as_shown=False))
    inner = made["credentialSubject"]["verifiableCredential"]
    altered = json.loads(json.dumps(made))
    part = altered["credentialSubject"]["verifiableCredential"][0]
    part["credentialSubject"]["creditsEarned"] = 9
    shortened = json.loads(json.dumps(made))
    shortened["credentialSubject"]["verifiableCredential"].pop()

    answers = judge(published(client), made, *inner, altered, shortened)

    assert [answer["verified"] for answer in answers] == [True, True, True, False, False], answers
    assert problems(made, RECORD_SCHEMA) == []
    assert problems({**made, "type": ["VerifiableCredential"]}, RECORD_SCHEMA)


def problems(document: dict[str, Any], schema: Path = SCHEMA) -> list[str]:
    validator = Draft201909Validator(json.loads(schema.read_text()), format_checker=FormatChecker())
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


def test_the_schema_is_the_published_one():
    assert hashlib.sha256(SCHEMA.read_bytes()).hexdigest() == SCHEMA_SHA256
    assert hashlib.sha256(RECORD_SCHEMA.read_bytes()).hexdigest() == RECORD_SCHEMA_SHA256


def test_what_is_issued_fits_the_published_schema(app):
    full = make_credential(valid_until=clock.after_months(clock.now(), 24))
    holder.choose_shown(full, shows_name=False, shows_grade=True)
    course = make_certified_course(outcomes=[], signatories=[], minimum_grade=None)
    plain = make_credential(run=make_run(course), grade=None)

    for text in (full.document, full.public_document, plain.document):
        assert problems(json.loads(text)) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("validFrom", "2026-02-30T12:00:00Z"),
        ("validFrom", "2026-02-03T12:00:00"),
        ("proof", {"type": "DataIntegrityProof"}),
        ("type", ["VerifiableCredential"]),
        ("credentialStatus", []),
    ],
)
def test_the_schema_finds_what_is_wrong(app, name, value):
    document = json.loads(make_credential().document)
    document[name] = value

    assert problems(document)
