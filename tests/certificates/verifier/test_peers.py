"""The verifier against others: what Digital Bazaar's libraries sign and what they refuse, JOSE."""

from __future__ import annotations

import copy
import json
import os
import subprocess
from importlib.resources import files

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from lms.certificates.services.verify import State, verify_document, verify_token
from lms.certificates.verifier import status
from lms.certificates.verifier.tokens import read_token
from tests.certificates.test_peers import CONTEXTS, FOLDER, NODE, judge


def contexts() -> dict:
    folder = files("lms.certificates").joinpath("contexts")
    return {
        address: json.loads(folder.joinpath(name).read_text()) for address, name in CONTEXTS.items()
    }


def test_what_another_library_signs_is_valid_here_and_refused_when_changed(other):
    node = os.environ.get(NODE)
    if not node:
        pytest.skip(f"{NODE} is not set")
    credential = other.document(credentialStatus=None)
    done = subprocess.run(
        [node, FOLDER / "sign.cjs"],
        input=json.dumps({"documents": contexts(), "credential": credential}),
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    signed = json.loads(done.stdout)["signed"]

    verdict = verify_document(signed)

    assert verdict.state == State.VALID
    assert verdict.claims.issuer.startswith("did:key:z6Mk")
    signed["credentialSubject"]["creditsEarned"] = 13
    assert verify_document(signed).state == State.ALTERED


def test_what_another_library_refuses_is_not_valid_here(other):
    good = other.credential()
    changes = {
        "title": lambda document: document.update(name="Another"),
        "added": lambda document: document.update(validUntil="2999-01-01T00:00:00Z"),
        "unknown member": lambda document: document.update(unheardOf="x"),
        "issuer": lambda document: document["issuer"].update(id="did:web:elsewhere.example"),
        "purpose": lambda document: document["proof"][0].update(proofPurpose="authentication"),
        "created": lambda document: document["proof"][0].update(created="2020-01-01T00:00:00Z"),
        "value": lambda document: document["proof"][0].update(proofValue="z3FXQ"),
        "suite": lambda document: document["proof"][0].update(cryptosuite="ecdsa-rdfc-2019"),
        "status": lambda document: document["credentialStatus"].update(statusListIndex="8"),
        "type": lambda document: document.update(type=["VerifiableCredential"]),
        "context": lambda document: document["@context"].pop(),
        "relative": lambda document: document.update(id="cred 1"),
    }
    documents = []
    for change in changes.values():
        document = copy.deepcopy(good)
        change(document)
        documents.append(document)
    loaded = {
        **contexts(),
        other.did: json.loads(other.published["/school/did.json"]),
        other.list_address: json.loads(other.published["/status/1"]),
    }

    answers = judge(loaded, good, *documents)

    assert answers[0]["verified"], answers[0]
    assert verify_document(good).is_valid
    for name, answer, document in zip(changes, answers[1:], documents, strict=True):
        assert not answer["verified"], name
        assert not verify_document(document).is_valid, name


def test_both_see_a_revocation(other):
    document = other.credential()
    other.revoke(7)
    status._kept.forget()
    loaded = {
        **contexts(),
        other.did: json.loads(other.published["/school/did.json"]),
        other.list_address: json.loads(other.published["/status/1"]),
    }

    assert judge(loaded, document)[0]["revoked"] is True
    assert verify_document(document).state == State.REVOKED


def test_a_token_of_a_jose_library_is_valid_here(other):
    key = RSAKey.generate_key(2048)
    method = f"{other.did}#rsa"
    first = json.loads(other.published["/school/did.json"])
    entry = {
        "id": method,
        "type": "JsonWebKey",
        "controller": other.did,
        "publicKeyJwk": key.as_dict(private=False),
    }
    other.publish(
        verificationMethod=[*first["verificationMethod"], entry],
        assertionMethod=[*first["assertionMethod"], method],
    )
    document = other.document()
    claims = {**document, "iss": other.did, "jti": document["id"], "nbf": 1767225600}

    text = jwt.encode({"alg": "RS256", "kid": method}, claims, key)

    assert verify_token(read_token(text)).state == State.VALID
