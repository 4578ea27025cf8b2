"""Credentials of other issuers as JSON Web Tokens."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from lms.certificates.json_text import BadJson
from lms.certificates.services.verify import State, verify_token
from lms.certificates.verifier.outcome import Problem
from lms.certificates.verifier.tokens import read_token


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def jwk_of(key: rsa.RSAPrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    return {
        "kty": "RSA",
        "n": encoded(numbers.n.to_bytes(256, "big")),
        "e": encoded(numbers.e.to_bytes(3, "big")),
    }


def publish_rsa(other, key: rsa.RSAPrivateKey) -> str:
    method = f"{other.did}#rsa"
    entry = {
        "id": method,
        "type": "JsonWebKey",
        "controller": other.did,
        "publicKeyJwk": jwk_of(key),
    }
    other.publish(verificationMethod=[entry], assertionMethod=[method])
    # the list is signed with the other key, which an issuer publishes beside it
    found = json.loads(other.published["/school/did.json"])
    other.publish()
    first = json.loads(other.published["/school/did.json"])
    found["verificationMethod"] += first["verificationMethod"]
    found["assertionMethod"] += first["assertionMethod"]
    other.published["/school/did.json"] = json.dumps(found).encode()
    return method


def payload_of(other, **changed) -> dict:
    document = other.document()
    return {
        **document,
        "iss": other.did,
        "jti": document["id"],
        "sub": document["credentialSubject"]["id"],
        "nbf": 1767225600,
        **changed,
    }


def signed_rs256(key: rsa.RSAPrivateKey, header: dict, payload: dict) -> str:
    text = f"{encoded(json.dumps(header).encode())}.{encoded(json.dumps(payload).encode())}"
    return f"{text}.{encoded(key.sign(text.encode(), PKCS1v15(), SHA256()))}"


def test_a_token_signed_with_rs256_is_valid(other, rsa_key):
    method = publish_rsa(other, rsa_key)
    header = {"alg": "RS256", "typ": "JWT", "kid": method}

    verdict = verify_token(read_token(signed_rs256(rsa_key, header, payload_of(other))))

    assert verdict.state == State.VALID
    assert verdict.claims.holder == "Zoé Ñaupari"


def test_a_token_signed_with_ed25519_is_valid(other):
    header = {"alg": "EdDSA", "typ": "JWT", "kid": other.method}
    text = ".".join(encoded(json.dumps(part).encode()) for part in (header, payload_of(other)))
    token = f"{text}.{encoded(other.key.sign(text.encode()))}"

    assert verify_token(read_token(token)).is_valid


def test_a_key_in_the_token_counts_only_when_the_issuer_has_published_it(other, rsa_key):
    stranger = rsa.generate_private_key(65537, 2048)
    publish_rsa(other, rsa_key)
    for key, state in ((rsa_key, State.VALID), (stranger, State.ALTERED)):
        header = {"alg": "RS256", "jwk": jwk_of(key)}
        assert verify_token(read_token(signed_rs256(key, header, payload_of(other)))).state == state


def test_no_changed_sign_of_a_token_leaves_it_valid(other, rsa_key):
    method = publish_rsa(other, rsa_key)
    token = signed_rs256(rsa_key, {"alg": "RS256", "kid": method}, payload_of(other))
    assert verify_token(read_token(token)).is_valid

    for place in [*range(0, len(token), 17), *range(len(token) - 4, len(token))]:
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        try:
            verdict = verify_token(read_token(changed))
        except BadJson:
            continue
        assert not verdict.is_valid, place
        assert verdict.claims is None


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "did:web:elsewhere.example"},
        {"jti": "urn:uuid:00000000-0000-4000-8000-000000000000"},
        {"sub": "urn:uuid:00000000-0000-4000-8000-000000000000"},
        {"nbf": 1767225601},
    ],
)
def test_claims_that_contradict_the_credential_are_refused(other, rsa_key, changed):
    method = publish_rsa(other, rsa_key)
    payload = payload_of(other, **changed)

    token = read_token(signed_rs256(rsa_key, {"alg": "RS256", "kid": method}, payload))

    assert verify_token(token).state == State.ALTERED


def test_the_end_in_a_claim_counts_too(other, rsa_key):
    method = publish_rsa(other, rsa_key)
    payload = payload_of(other, exp=1767225700)

    token = read_token(signed_rs256(rsa_key, {"alg": "RS256", "kid": method}, payload))

    assert verify_token(token).state == State.EXPIRED


@pytest.mark.parametrize("alg", ["none", "HS256", "RS512", "ES256", ""])
def test_other_algorithms_are_not_read(other, rsa_key, alg):
    method = publish_rsa(other, rsa_key)
    token = signed_rs256(rsa_key, {"alg": alg, "kid": method}, payload_of(other))

    assert verify_token(read_token(token)).problem == Problem.PROOF_KIND


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "RS256", "crit": ["b64"], "b64": False},
        {"alg": "RS256", "typ": "secevent+jwt"},
        {"alg": "RS256", "jwk": {"kty": "RSA", "d": "x"}},
    ],
)
def test_headers_with_tricks_are_refused(other, rsa_key, header):
    with pytest.raises(BadJson):
        read_token(signed_rs256(rsa_key, header, payload_of(other)))


def test_a_member_twice_is_refused(other, rsa_key):
    header = encoded(b'{"alg":"RS256","alg":"none"}')
    with pytest.raises(BadJson):
        read_token(f"{header}.{encoded(b'{}')}.AAAA")
