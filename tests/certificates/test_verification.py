"""How the signature of a kept document is known."""

from __future__ import annotations

import json

import pytest

from lms.certificates.services import signing, verify
from lms.certificates.services.verify import State, verify_code
from lms.core import sealing
from lms.core.db import db, transaction
from tests.factories.certificates import make_credential


@pytest.fixture
def proven(monkeypatch) -> list[str]:
    """The documents whose signature was proven the long way."""
    seen = []
    real = verify._is_genuine

    def note(document, key):
        seen.append(document)
        return real(document, key)

    monkeypatch.setattr(verify, "_is_genuine", note)
    return seen


def test_what_this_site_signed_is_known_by_one_hash(app, proven):
    credential = make_credential()

    assert verify_code(credential.code).state == State.VALID
    assert proven == []


def test_a_document_changed_in_the_database_is_altered(app, proven):
    credential = make_credential()
    document = json.loads(credential.document)
    document["credentialSubject"]["creditsEarned"] = 120
    with transaction():
        credential.document = json.dumps(document)

    assert verify_code(credential.code).state == State.ALTERED
    assert len(proven) == 1


def test_a_word_that_another_secret_made_is_not_believed(app, monkeypatch):
    credential = make_credential()
    document = json.loads(credential.document)
    document["credentialSubject"]["creditsEarned"] = 120
    forged = json.dumps(document)
    purpose = "signed-document"
    text = f"{credential.key.public_key} {forged}"
    monkeypatch.setattr(sealing, "settings", lambda: type("Other", (), {"secret": lambda s: "x"})())
    word = sealing.mac(text, purpose)
    monkeypatch.undo()
    with transaction():
        credential.document, credential.document_macs = forged, [word]

    assert verify_code(credential.code).state == State.ALTERED


def test_certificates_from_before_the_hashes_are_proven_by_their_signature(app, proven):
    credential = make_credential()
    with transaction():
        credential.document_macs = []

    assert verify_code(credential.code).state == State.VALID
    assert len(proven) == 1
    assert not signing.was_signed_here(credential, credential.document, "z6Mk")
    db.session.rollback()
