"""The signature, proven a second time from the specifications alone."""

from __future__ import annotations

import base64
import copy
import gzip
import hashlib
import json
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files

import base58
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pyld import jsonld

from lms.certificates import data_integrity
from lms.certificates.data_integrity import NotVerifiable, canonical, is_genuine, sign
from lms.certificates.errors import CannotSign
from lms.certificates.models import RevocationReason
from lms.certificates.services import holder, revoke, status
from lms.core import clock
from tests.factories.accounts import make_administrator
from tests.factories.certificates import make_credential

FOLDER = files("lms.certificates").joinpath("contexts")
PINNED = {
    "clr-2.0.1.json": "880f1902d4158f2f33ce06af41b90719977cd1ea337a9de2e41edb3ff5e543d6",
    "credentials-v2.json": "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734",
    "credentials-v1.json": "00d7dd6d3ad8b920e3e550dd3a3d9090bffcac84cdbf943da6924b3e0a5c8bb8",
    "data-integrity-v2.json": "0f77743daf5b4e8fc067fc5ba5b21044283053aa717fc6b0219843bed3b00363",
    "open-badges-3.0.1.json": "af095468326d3449160509b26ca71576e6321d13c85b0369cfe3b654c9a48fba",
    "open-badges-3.0.2.json": "00666ad080ba407687ed1846b7f5e7495f5019042b202a727de47c48a1755c53",
    "open-badges-3.0.3.json": "3d34f4d4ef1bce691106e63798beb5e7b862ba841423f5ee1e53ab7ddf3bca84",
}


def load(address: str, options: dict) -> dict:
    names = {
        "https://www.w3.org/ns/credentials/v2": "credentials-v2.json",
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json": "open-badges-3.0.3.json",
    }
    document = json.loads(FOLDER.joinpath(names[address]).read_text())
    return {"contextUrl": None, "documentUrl": address, "document": document}


def verify_by_the_book(document: dict, did_document: dict) -> int:
    """Check a proof as an outsider would; gives the number of statements it covers."""
    document = copy.deepcopy(document)
    [proof] = document.pop("proof")
    signature = base58.b58decode(proof.pop("proofValue")[1:])
    assert did_document["id"] == (
        document["issuer"]["id"] if isinstance(document["issuer"], dict) else document["issuer"]
    )
    assert proof["verificationMethod"] in did_document["assertionMethod"]
    [method] = [
        m for m in did_document["verificationMethod"] if m["id"] == proof["verificationMethod"]
    ]
    raw = base58.b58decode(method["publicKeyMultibase"][1:])
    assert raw[:2] == b"\xed\x01"
    options = {"algorithm": "URDNA2015", "format": "application/n-quads", "documentLoader": load}
    proof["@context"] = document["@context"]
    quads = jsonld.normalize(document, options)
    data = b"".join(
        hashlib.sha256(text.encode()).digest() for text in (jsonld.normalize(proof, options), quads)
    )
    Ed25519PublicKey.from_public_bytes(raw[2:]).verify(signature, data)
    return len(quads.splitlines())


def paths(value, path=()):
    """The place of every leaf of a document."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from paths(item, (*path, number))
    else:
        yield path


def change(document: dict, path: tuple) -> dict:
    changed = copy.deepcopy(document)
    place = changed
    for step in path[:-1]:
        place = place[step]
    old = place[path[-1]]
    if isinstance(old, bool):
        place[path[-1]] = not old
    elif isinstance(old, (int, float)):
        place[path[-1]] = old + 1
    elif path[-1] == "proofValue":
        place[path[-1]] = old[:-1] + ("2" if old[-1] != "2" else "3")
    elif re.fullmatch(r"20\d\d-.*Z", old):
        place[path[-1]] = "21" + old[2:]
    else:
        place[path[-1]] = old + "x"
    return changed


@pytest.mark.parametrize("name", PINNED)
def test_the_contexts_are_the_published_ones(name):
    assert hashlib.sha256(FOLDER.joinpath(name).read_bytes()).hexdigest() == PINNED[name]


def test_an_outsider_verifies_a_credential_with_the_published_key(client):
    credential = make_credential()
    did = client.get("/.well-known/did.json")
    document = client.get(f"/verify/{credential.code}.json")

    assert did.content_type == "application/did+json"
    assert document.content_type == "application/vc+ld+json"
    for response in (did, document):
        assert response.headers["Access-Control-Allow-Origin"] == "*"
    found = json.loads(document.data)
    assert found["issuer"]["id"] == json.loads(did.data)["id"] == "did:web:puente.test"
    covered = verify_by_the_book(found, json.loads(did.data))
    assert covered >= 60  # nothing was dropped on the way to RDF


def test_an_outsider_verifies_the_document_without_a_name(client):
    credential = make_credential()
    holder.choose_shown(credential, shows_name=False, shows_grade=True)
    did = json.loads(client.get("/.well-known/did.json").data)

    document = json.loads(client.get(f"/verify/{credential.code}.json").data)

    assert "identifier" not in document["credentialSubject"]
    assert verify_by_the_book(document, did) > 50


def test_the_status_list_is_signed_and_says_who_is_revoked(client):
    good, bad = make_credential(), make_credential()
    revoke.revoke(bad, RevocationReason.ERROR, None, make_administrator().id)
    did = json.loads(client.get("/.well-known/did.json").data)

    response = client.get("/status/revocation/1")

    assert response.headers["Access-Control-Allow-Origin"] == "*"
    document = json.loads(response.data)
    verify_by_the_book(document, did)
    encoded = document["credentialSubject"]["encodedList"]
    assert encoded.startswith("u")
    bits = gzip.decompress(base64.urlsafe_b64decode(encoded[1:] + "=" * (-len(encoded[1:]) % 4)))
    assert len(bits) * 8 >= 131_072
    for credential, expected in ((good, False), (bad, True)):
        entry = json.loads(credential.document)["credentialStatus"]
        assert entry["statusListCredential"] == document["id"]
        assert status.bit(bits, int(entry["statusListIndex"])) is expected
    assert sum(byte.bit_count() for byte in bits) == 1


def test_an_unchanged_list_has_equal_bytes(app):
    assert status.encode(bytes(16_384)) == status.encode(bytes(16_384))
    assert len(status.encode(bytes(16_384))) < 200


def test_lists_are_signed_again_before_their_signature_ends(app, monkeypatch):
    from datetime import timedelta

    make_credential()
    later = clock.now() + timedelta(hours=30)
    assert status.sign_again() == 0
    monkeypatch.setattr(clock, "now", lambda: later)
    assert status.sign_again() == 1
    found, _index = status.take_place()
    assert found.valid_until > later + timedelta(hours=71)


def test_places_are_taken_once_and_a_half_used_list_is_followed_by_another(app, monkeypatch):
    monkeypatch.setattr(status, "SIZE", 8)
    made = [make_credential() for _number in range(14)]

    places = {(one.status_list.number, one.status_index) for one in made}
    assert len(places) == 14
    assert {number for number, _index in places} >= {1, 2}
    assert all(0 <= index < 8 for _number, index in places)


def test_every_changed_field_breaks_the_signature(app):
    credential = make_credential()
    document = json.loads(credential.document)
    key = credential.key.public_key
    assert is_genuine(document, key)

    leaves = list(paths(document))

    assert len(leaves) > 60
    for path in leaves:
        assert not is_genuine(change(document, path), key), path


def test_taking_or_adding_a_member_breaks_the_signature(app):
    credential = make_credential()
    document = json.loads(credential.document)
    key = credential.key.public_key
    for name in set(document) - {"proof"}:
        shorter = {member: value for member, value in document.items() if member != name}
        assert not is_genuine(shorter, key), name
    assert not is_genuine({**document, "nonsense": "x"}, key)
    assert not is_genuine({**document, "validUntil": "2099-01-01T00:00:00Z"}, key)
    assert not is_genuine({**document, "proof": document["proof"] * 2}, key)
    assert not is_genuine({**document, "proof": []}, key)


def test_another_key_did_not_sign(app):
    document = json.loads(make_credential().document)
    other = data_integrity.multikey(Ed25519PrivateKey.generate().public_key())

    assert not is_genuine(document, other)
    assert not is_genuine(document, "z6Mknonsense")


@pytest.mark.parametrize(
    "change",
    [
        {"unheardOf": "would stay unsigned"},
        {"id": "cred 1"},
        {"type": ["VerifiableCredential", "SomethingUnknown"]},
        {"issuer": "not-absolute"},
        {"@context": ["https://www.w3.org/ns/credentials/v2", "https://evil.example/context"]},
        {"@context": []},
    ],
)
def test_what_would_stay_unsigned_is_not_signed(change):
    document = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": "urn:uuid:f8ca4fd4-62e8-472c-8867-1e756e92ea44",
        "type": ["VerifiableCredential"],
        "issuer": "did:web:puente.test",
        "credentialSubject": {"id": "urn:uuid:a1cc054d-53d2-5e7c-895a-b09645ee6229"},
    }
    key = Ed25519PrivateKey.generate()
    assert sign(document, key, "did:web:puente.test#k", clock.now())

    with pytest.raises(CannotSign):
        sign({**document, **change}, key, "did:web:puente.test#k", clock.now())


def test_contexts_are_never_fetched(monkeypatch):
    import socket

    def refuse(*args, **kwargs):
        raise AssertionError("went to the network")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    with pytest.raises(NotVerifiable):
        canonical({"@context": "https://w3id.org/security/suites/x", "id": "urn:x:y"})


def test_the_document_meets_what_open_badges_requires(app):
    document = json.loads(make_credential().document)

    assert document["type"] == ["VerifiableCredential", "OpenBadgeCredential"]
    subject = document["credentialSubject"]
    achievement = subject["achievement"]
    for name in ("id", "type", "criteria", "description", "name"):
        assert achievement[name]
    assert achievement["alignment"][-1]["targetCode"] == "OP-2027-3"
    assert subject["result"][0]["value"] == "86"
    assert achievement["resultDescription"][0]["requiredValue"] == "60"
    [name, email] = subject["identifier"]
    assert (name["identityHash"], name["hashed"]) == ("Rosa Quispe Mamani", False)
    assert email["hashed"] is True


def test_wallets_recognise_the_holder_by_the_hashed_address(app):
    credential = make_credential()
    identity = json.loads(credential.document)["credentialSubject"]["identifier"][1]

    expected = hashlib.sha256((credential.user.email + identity["salt"]).encode()).hexdigest()

    assert identity["identityHash"] == f"sha256${expected}"
    assert credential.user.email not in credential.document


def test_several_threads_may_verify_at_once(app):
    document = json.loads(make_credential().document)
    del document["proof"]
    expected = canonical(document)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(canonical, [document] * 48))
    finally:
        sys.setswitchinterval(interval)

    assert set(found) == {expected}
