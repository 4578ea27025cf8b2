"""Documents of other issuers with a Data Integrity proof."""

from __future__ import annotations

import copy
import json
import time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lms.certificates.data_integrity import CREDENTIALS_V2, multikey, sign, sign_plainly
from lms.certificates.services.verify import Check, State, verify_document
from lms.certificates.verifier import issuers, status
from lms.certificates.verifier.outcome import Problem
from lms.core import clock
from tests.certificates.test_data_integrity import change, paths


def forget() -> None:
    issuers._kept.forget()
    status._kept.forget()


def test_a_credential_of_another_issuer_is_valid_and_says_what_was_signed(other):
    verdict = verify_document(other.credential())

    assert verdict.state == State.VALID
    assert dict(verdict.checks) == {
        Check.ISSUER: True,
        Check.SIGNATURE: True,
        Check.NOT_EXPIRED: True,
        Check.BEGUN: True,
        Check.NOT_REVOKED: True,
    }
    assert verdict.claims.issuer == other.did
    assert verdict.claims.holder == "Zoé Ñaupari"
    assert (verdict.claims.title, verdict.claims.hours) == ("Soil science, level 2", 12.5)


def test_its_identity_and_list_are_fetched_once_for_many_credentials(other):
    for _number in range(3):
        assert verify_document(other.credential()).is_valid

    assert sorted(other.asked) == ["/school/did.json", "/status/1"]


def test_every_changed_leaf_and_every_missing_or_added_member_is_refused(other):
    document = other.credential()

    for path in paths(document):
        found = verify_document(change(document, path))
        assert found.state in (State.ALTERED, State.UNCHECKED), path
        assert found.claims is None, path
    for name in document:
        shorter = {member: value for member, value in document.items() if member != name}
        assert not verify_document(shorter).is_valid, name
    assert verify_document({**document, "hours": 400}).state == State.ALTERED
    assert verify_document({**document, "validUntil": "2999-01-01T00:00:00Z"}).claims is None


def test_a_revoked_credential_is_revoked_and_an_old_one_expired(other):
    document = other.credential()
    old = other.credential(validUntil="2026-02-01T00:00:00Z")
    early = other.credential(validFrom="2999-01-01T00:00:00Z")

    assert verify_document(old).state == State.EXPIRED
    assert verify_document(early).state == State.EARLY
    other.revoke(7)
    forget()
    assert verify_document(document).state == State.REVOKED


def test_a_key_that_the_issuer_no_longer_asserts_with_is_refused(other):
    document = other.credential()
    other.publish(assertionMethod=[])

    verdict = verify_document(document)

    assert verdict.state == State.ALTERED
    assert verdict.checks[Check.ISSUER] is False


def test_nobody_signs_for_another_issuer(other):
    key = Ed25519PrivateKey.generate()
    name = multikey(key.public_key())
    document = other.document()
    forged = sign(document, key, f"did:key:{name}#{name}", clock.now())

    assert verify_document(forged).state == State.ALTERED
    own = sign(document, key, other.method, clock.now())
    assert verify_document(own).state == State.ALTERED


def test_a_did_key_needs_no_network(app, monkeypatch):
    key = Ed25519PrivateKey.generate()
    name = multikey(key.public_key())
    document = {
        "@context": [CREDENTIALS_V2],
        "id": "urn:uuid:7c4bb9cf-1dd9-4a3c-8b49-6b7f2c7f2f11",
        "type": ["VerifiableCredential"],
        "issuer": f"did:key:{name}",
        "credentialSubject": {"id": "urn:uuid:a1cc054d-53d2-5e7c-895a-b09645ee6229"},
    }
    for signer in (sign, sign_plainly):
        verdict = verify_document(signer(document, key, f"did:key:{name}#{name}", clock.now()))
        assert verdict.is_valid
        assert Check.NOT_REVOKED not in verdict.checks


@pytest.mark.parametrize(
    ("published", "problem"),
    [
        (None, Problem.ISSUER_AWAY),
        ({"id": "did:web:somebody.example"}, Problem.ISSUER_AWAY),
        ("not json", Problem.ISSUER_AWAY),
        ("x" * 70_000, Problem.ISSUER_AWAY),
    ],
)
def test_an_identity_that_cannot_be_had_leaves_the_answer_open(other, published, problem):
    document = other.credential()
    if published is None:
        del other.published["/school/did.json"]
    elif isinstance(published, dict):
        other.publish(**published)
    else:
        other.published["/school/did.json"] = published.encode()

    verdict = verify_document(document)

    assert (verdict.state, verdict.problem) == (State.UNCHECKED, problem)
    assert verdict.claims is None


def test_without_its_status_list_nothing_is_called_valid(other):
    document = other.credential()
    stranger = Ed25519PrivateKey.generate()
    name = multikey(stranger.public_key())

    def away() -> None:
        del other.published["/status/1"]

    def foreign() -> None:
        method = f"did:key:{name}#{name}"
        other.publish_list(issuer=f"did:key:{name}", key=stranger, method=method)

    def unsigned() -> None:
        found = json.loads(other.published["/status/1"])
        found["validUntil"] = "2998-01-01T00:00:00Z"
        other.published["/status/1"] = json.dumps(found).encode()

    def old() -> None:
        other.publish_list(validUntil="2026-02-01T00:00:00Z")

    def other_place() -> None:
        other.publish_list(id="https://elsewhere.example/list")

    for spoil in (away, foreign, unsigned, old, other_place):
        other.publish()
        forget()
        assert verify_document(document).is_valid
        spoil()
        forget()
        verdict = verify_document(document)
        assert verdict.state == State.UNCHECKED, spoil
        assert verdict.checks[Check.NOT_REVOKED] is None
        assert verdict.problem in (Problem.STATUS_AWAY, Problem.STATUS_INVALID)


@pytest.mark.parametrize(
    "status_entry",
    [
        {"type": "1EdTechRevocationList", "id": "https://school.example/revoked"},
        {"statusPurpose": "message"},
        {"statusListIndex": "99999999"},
        {"statusListIndex": "-7"},
    ],
)
def test_a_status_that_is_not_understood_is_never_good(other, status_entry):
    entry = {**other.document()["credentialStatus"], **status_entry}
    if "statusListIndex" not in status_entry and entry["type"].startswith("1EdTech"):
        entry = {"id": entry["id"], "type": "BitstringStatusListEntry"}

    assert verify_document(other.credential(credentialStatus=entry)).state == State.UNCHECKED


def test_contexts_that_are_not_known_are_not_fetched(other):
    document = other.credential()
    for contexts in (
        [*document["@context"], "https://evil.example/context"],
        [*document["@context"], {"name": "https://evil.example/name"}],
        list(reversed(document["@context"])),
        {"name": None},
    ):
        changed = {**document, "@context": contexts}
        assert verify_document(changed).problem == Problem.CONTEXT
    inside = copy.deepcopy(document)
    inside["credentialSubject"]["@context"] = {"name": None}
    assert verify_document(inside).problem == Problem.CONTEXT
    assert other.asked == []


def test_a_document_that_would_take_for_ever_is_given_up(other):
    levels = [{"type": ["RubricCriterionLevel"]} for _number in range(9)]
    descriptions = [
        {"type": ["ResultDescription"], "rubricCriterionLevel": copy.deepcopy(levels)}
        for _number in range(9)
    ]
    document = other.credential()
    tangled = copy.deepcopy(document)
    tangled["credentialSubject"]["achievement"]["resultDescription"] = descriptions
    started = time.process_time()

    assert verify_document(tangled).problem == Problem.TOO_LARGE
    many = {**document, "evidence": [{"type": ["Evidence"]}] * 5000}
    assert verify_document(many).problem == Problem.TOO_LARGE
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    "identity",
    [
        "did:web:10.0.0.1", "did:web:169.254.169.254:a", "did:web:a.example:..:b",
        "did:web:a.example:", "did:web:a.example%2Fb", "did:web:user@a.example", "did:web:",
        "did:web:a.example:b%2Fc", "did:web:2130706433", "did:web:[::1]", "did:ion:abc",
        "http://a.example/", "mailto:a@b.example", "",
    ],
)  # fmt: skip
def test_identities_with_tricks_are_not_looked_up(app, identity):
    from lms.certificates.verifier.outcome import CannotCheck

    with pytest.raises(CannotCheck):
        issuers.resolve(identity, f"{identity}#k")
