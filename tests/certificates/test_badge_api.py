"""The Open Badges 3.0 API: what a connected program reads, and what it may bring."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import timedelta
from pathlib import Path

import pytest
from jsonschema import Draft201909Validator
from openapi_spec_validator import OpenAPIV30SpecValidator
from sqlalchemy import func, select

from lms.certificates.badge_api import foreign
from lms.certificates.badge_api.models import ForeignCredential
from lms.certificates.data_integrity import OPEN_BADGES_3
from lms.certificates.models import RevocationReason
from lms.certificates.services import revoke
from lms.certificates.verifier.tokens import read_token
from lms.core import clock
from lms.core.db import db
from tests.certificates.wallet import API, KEEP, PROFILE, READ, RENAME, Wallet
from tests.factories.accounts import make_administrator, make_user
from tests.factories.certificates import make_credential

PEERS = Path(__file__).parent / "peers"


def problems(name: str, content) -> list[str]:
    schema = json.loads((PEERS / f"ob_v3p0_{name}_schema.json").read_text())
    return [error.message for error in Draft201909Validator(schema).iter_errors(content)]


@pytest.fixture
def ana(app):
    return make_user(name="Ana Flores", email="Ana@example.org")


@pytest.fixture
def browser(signed_in, ana):
    return signed_in(ana)


@pytest.fixture
def wallet(app, browser):
    made = Wallet(app)
    made.connect(browser)
    return made.session


def bring(wallet, document, kind: str = "application/json"):
    body = document if isinstance(document, (str, bytes)) else json.dumps(document)
    return wallet.post(f"{API}/credentials", data=body, headers={"Content-Type": kind})


def count_kept() -> int:
    return db.session.scalar(select(func.count()).select_from(ForeignCredential)) or 0


def test_the_service_description_is_open_and_says_where_to_register(client):
    answer = client.get("/ims/ob/v3p0/discovery")

    said = answer.json
    OpenAPIV30SpecValidator(said).validate()
    scheme = said["components"]["securitySchemes"]["OAuth2ACG"]
    assert scheme["x-imssf-registrationUrl"] == "http://puente.test/connect/register"
    assert said["info"]["title"] == "Puente"
    assert said["info"]["x-imssf-privacyPolicyUrl"] == said["info"]["termsOfService"]
    assert len(scheme["flows"]["authorizationCode"]["scopes"]) == 5
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_program_reads_the_holders_credentials_alone(ana, wallet):
    first, second = make_credential(user=ana), make_credential(user=ana)
    gone = make_credential(user=ana)
    make_credential()
    revoke.revoke(gone, RevocationReason.ERROR, None, make_administrator().id)

    answer = wallet.get(f"{API}/credentials")

    said = answer.json()
    assert problems("getopenbadgecredentialsresponse", said) == []
    assert {one["id"] for one in said["credential"]} == {first.uuid.urn, second.uuid.urn}
    assert json.loads(first.document) in said["credential"]
    assert said["compactJwsString"] == []
    assert answer.headers["X-Total-Count"] == "2"


def test_pages_lead_on(ana, wallet):
    made = [make_credential(user=ana) for _ in range(3)]
    seen, address = [], f"{API}/credentials?limit=1"

    while address:
        answer = wallet.get(address)
        seen += [one["id"] for one in answer.json()["credential"]]
        assert answer.headers["X-Total-Count"] == "3"
        assert {"first", "last"} <= answer.links.keys()
        assert answer.links["last"]["url"].endswith("limit=1&offset=2")
        address = answer.links.get("next", {}).get("url")

    assert seen == [one.uuid.urn for one in reversed(made)]
    assert answer.links["prev"]["url"].endswith("limit=1&offset=1")


def test_since_leaves_out_what_is_older(ana, wallet):
    old, new = make_credential(user=ana), make_credential(user=ana)
    old.issued_at = clock.now() - timedelta(days=10)
    db.session.commit()
    since = (clock.now() - timedelta(days=1)).isoformat()

    answer = wallet.get(f"{API}/credentials", params={"since": since})

    assert [one["id"] for one in answer.json()["credential"]] == [new.uuid.urn]
    assert "since=" in answer.links["first"]["url"]


@pytest.mark.sqlite
@pytest.mark.parametrize("query", ["limit=0", "limit=x", "offset=-1", "since=today", "limit=9e9"])
def test_a_parameter_that_cannot_be_read_is_named(wallet, query):
    answer = wallet.get(f"{API}/credentials?{query}")

    assert answer.status_code == 400
    assert problems("imsx_statusinfo", answer.json()) == []
    field = answer.json()["imsx_codeMinor"]["imsx_codeMinorField"][0]
    assert field["imsx_codeMinorFieldValue"] == "invalid_query_parameter"


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "credentials", READ),
        ("POST", "credentials", KEEP),
        ("GET", "profile", PROFILE),
        ("PUT", "profile", RENAME),
    ],
)
def test_each_door_needs_its_scope(app, client, browser, method, path, scope):
    rest = [one for one in (READ, KEEP, PROFILE, RENAME) if one != scope]
    narrow = Wallet(app)
    narrow.connect(browser, " ".join(rest))
    address = f"{API}/{path}"

    refused = narrow.session.request(method, address, json={})
    stranger = client.open(address, method=method, json={})
    wrong = client.open(address, method=method, headers={"Authorization": "Bearer guessed"})

    assert refused.status_code == 403
    assert problems("imsx_statusinfo", refused.json()) == []
    for answer in (stranger, wrong):
        assert answer.status_code == 401
        assert problems("imsx_statusinfo", answer.json) == []
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_session_opens_no_door(ana, browser):
    make_credential(user=ana)

    assert browser.get("/ims/ob/v3p0/credentials").status_code == 401


def test_a_credential_from_elsewhere_is_verified_and_kept(other, browser, wallet):
    document = other.credential()

    answer = bring(wallet, document)

    assert answer.status_code == 201
    assert answer.json() == document
    listed = wallet.get(f"{API}/credentials")
    assert listed.json()["credential"] == [document]
    assert listed.headers["X-Total-Count"] == "1"
    page = browser.get("/my/certificates").text
    assert "Soil science, level 2" in page
    assert "School of the Plain" in page
    [kept] = db.session.scalars(select(ForeignCredential)).all()
    file = browser.get(f"/my/certificates/elsewhere/{kept.uuid}")
    assert file.json == document


def test_a_newer_edition_takes_the_place_of_an_older_one(other, wallet):
    spelled = other.document()["id"].replace("-", "%2D")
    assert bring(wallet, other.credential()).status_code == 201
    newer = other.credential(id=spelled, validFrom="2026-02-01T00:00:00Z", name="Again")

    assert bring(wallet, newer).status_code == 200
    assert wallet.get(f"{API}/credentials").json()["credential"] == [newer]
    assert bring(wallet, newer).status_code == 200
    older = bring(wallet, other.credential())

    assert older.status_code == 409
    assert count_kept() == 1


def test_a_token_is_kept_and_given_as_it_came(ana, wallet):
    ours = make_credential(user=ana)

    answer = bring(wallet, ours.token, "text/plain")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.text == ours.token
    assert read_token(answer.text).document["id"] == ours.uuid.urn


def test_what_was_issued_here_is_there_already(ana, wallet):
    ours = make_credential(user=ana)

    assert bring(wallet, ours.document).status_code == 200
    assert count_kept() == 0


def test_what_was_issued_here_to_another_person_is_refused(wallet):
    answer = bring(wallet, make_credential().document)

    assert answer.status_code == 403
    assert problems("imsx_statusinfo", answer.json()) == []


def test_what_is_not_genuine_or_not_checked_is_refused(other, ana, wallet):
    altered = {**other.credential(), "name": "Changed"}
    away = other.credential(issuer={"id": "did:web:localhost%3A1:gone", "type": ["Profile"]})
    unknown = json.loads(make_credential(user=ana).document)
    unknown["id"] = "urn:uuid:00000000-0000-4000-8000-000000000000"
    other.revoke(7)
    revoked = other.credential()

    for document in (altered, away, unknown, revoked):
        answer = bring(wallet, document)
        assert answer.status_code == 422, answer.text
        assert problems("imsx_statusinfo", answer.json()) == []
    assert count_kept() == 0


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ("{", "application/json", 400),
        ("[]", "application/json", 400),
        ('{"issuer": "did:key:z", "type": "x"}', "application/json", 400),
        ("PU-7K3M-Q9TD-24XB-W0HR", "text/plain", 400),
        ("a.b.c", "text/plain", 400),
        ("x" * 300_000, "text/plain", 413),
        ('{"a":' * 100 + "1" + "}" * 100, "application/json", 400),
        ("<svg/>", "image/svg+xml", 415),
    ],
)
def test_what_is_no_credential_is_refused(wallet, body, kind, status):
    answer = bring(wallet, body, kind)

    assert answer.status_code == status
    assert problems("imsx_statusinfo", answer.json()) == []


def identity(email: str, *, hashed: bool = True) -> dict:
    salt = "abc"
    word = hashlib.sha256((email + salt).encode()).hexdigest()
    return {
        "type": "IdentityObject",
        "identityType": "emailAddress",
        "hashed": hashed,
        "salt": salt,
        "identityHash": f"sha256${word}" if hashed else email,
    }


@pytest.mark.parametrize("hashed", [True, False])
def test_a_credential_of_another_address_is_refused(other, wallet, hashed):
    subject = other.document()["credentialSubject"]
    mine = {**subject, "identifier": [identity("ana@example.org", hashed=hashed)]}
    theirs = {**subject, "identifier": [identity("eva@example.org", hashed=hashed)]}

    assert bring(wallet, other.credential(credentialSubject=theirs)).status_code == 403
    assert bring(wallet, other.credential(credentialSubject=mine)).status_code == 201


def test_no_more_are_kept_than_one_may(other, wallet, monkeypatch):
    monkeypatch.setattr(foreign, "MOST_KEPT", 1)
    bring(wallet, other.credential())

    assert bring(wallet, other.credential(id="urn:uuid:1")).status_code == 422
    assert bring(wallet, other.credential()).status_code == 200


def test_others_neither_see_nor_remove_what_is_kept(other, signed_in, ana, browser, wallet):
    bring(wallet, other.credential())
    [kept] = db.session.scalars(select(ForeignCredential)).all()
    stranger = signed_in(make_user())
    place = f"/my/certificates/elsewhere/{kept.uuid}"

    assert stranger.get(place).status_code == 404
    assert stranger.post(f"{place}/remove").status_code == 404
    assert count_kept() == 1
    assert len(foreign.export(ana.id)) == 1
    assert browser.post(f"{place}/remove").status_code == 303
    assert count_kept() == 0


def test_what_is_kept_is_erased_with_the_account(other, ana, wallet):
    bring(wallet, other.credential())

    foreign.erase(ana.id)

    assert count_kept() == 0


def test_the_profile_is_read_and_its_name_changed(ana, wallet):
    said = wallet.get(f"{API}/profile").json()
    assert (said["name"], said["email"]) == ("Ana Flores", "Ana@example.org")
    assert str(ana.uuid) not in said["id"]

    answer = wallet.put(f"{API}/profile", json={**said, "name": " Ana  Flores Rojas "})

    assert answer.status_code == 200
    assert answer.json()["name"] == "Ana Flores Rojas"
    db.session.expire_all()
    assert ana.name == "Ana Flores Rojas"


WHOLE = {  # every member of the standard
    "url": "https://ana.example", "phone": "111", "description": "Planner", "official": "Eva",
    "image": {"id": "https://ana.example/a.png", "type": "Image", "caption": "Ana"},
    "address": {
        "type": ["Address"], "addressCountryCode": "PE", "addressLocality": "Puno",
        "geo": {"type": "GeoCoordinates", "latitude": -15.8, "longitude": -70.0},
    },
    "otherIdentifier": [
        {"type": "IdentifierEntry", "identifier": "7", "identifierType": "ext:member"}
    ],
    "parentOrg": {"id": "urn:uuid:2", "type": ["Profile"], "name": "School"},
    "familyName": "Flores", "givenName": "Ana", "additionalName": "María",
    "patronymicName": "", "honorificPrefix": "Dr", "honorificSuffix": "", "familyNamePrefix": "",
    "dateOfBirth": "1990-02-28", "endorsementJwt": ["a.b.c"],
    "endorsement": [
        {
            "@context": ["https://www.w3.org/ns/credentials/v2", OPEN_BADGES_3],
            "type": ["VerifiableCredential", "EndorsementCredential"],
            "id": "urn:uuid:3", "name": "Endorsement", "issuer": "did:key:z",
            "validFrom": "2026-01-01T00:00:00Z",
            "credentialSubject": {"id": "urn:uuid:1", "type": ["EndorsementSubject"]},
        }
    ],
}  # fmt: skip


def official_problems(profile) -> list:
    schema = json.loads((PEERS / "ob_v3p0_achievementcredential_schema.json").read_text())
    asked = {"$defs": schema["$defs"], "$ref": "#/$defs/Profile"}
    checker = Draft201909Validator.FORMAT_CHECKER
    return list(Draft201909Validator(asked, format_checker=checker).iter_errors(profile))


def test_a_whole_profile_is_taken_and_the_answer_shows_what_is_kept_of_it(ana, wallet):
    before = wallet.get(f"{API}/profile").json()
    asked = {**before, "name": "Ana Rojas", **WHOLE, "ext:shoe": 38}

    answer = wallet.put(f"{API}/profile", json=asked)

    assert official_problems(asked) == []
    assert answer.status_code == 200
    assert answer.json() == {**before, "name": "Ana Rojas"}
    assert answer.json() == wallet.get(f"{API}/profile").json()
    assert official_problems(answer.json()) == []
    db.session.expire_all()
    assert ana.country != "PE"  # it decides about prices


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("place", "changed"),
    [
        ("type", {"type": ["Person"]}),
        ("id", {"id": 7}),
        ("phone", {"phone": 111}),
        ("address/geo/latitude", {"address": WHOLE["address"] | {
            "geo": {"type": "GeoCoordinates", "latitude": "south", "longitude": 1}}}),
        ("address/type", {"address": {"addressCountry": "Peru"}}),
        ("image", {"image": {"type": "Image"}}),
        ("otherIdentifier", {"otherIdentifier": [{"type": "IdentifierEntry"}]}),
        ("parentOrg/id", {"parentOrg": {"type": ["Profile"]}}),
        ("dateOfBirth", {"dateOfBirth": "1990-02-30"}),
        ("endorsementJwt", {"endorsementJwt": ["no token"]}),
        ("endorsement", {"endorsement": [{"type": ["EndorsementCredential"]}]}),
    ],
)  # fmt: skip
def test_what_is_no_profile_is_refused_with_its_place(ana, wallet, place, changed):
    asked = {**wallet.get(f"{API}/profile").json(), **changed}

    answer = wallet.put(f"{API}/profile", json=asked)

    assert official_problems(asked)
    assert answer.status_code == 400
    assert problems("imsx_statusinfo", answer.json()) == []
    assert place in answer.json()["imsx_description"]
    db.session.expire_all()
    assert ana.name == "Ana Flores"


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "changed",
    [
        {"email": "eva@example.org"},
        {"id": "urn:uuid:1"},
        {"name": ""},
        {"name": "x" * 121},
        {"name": "https://thief.example"},
    ],
)
def test_neither_identity_nor_address_is_changed_and_a_name_has_to_be_one(ana, wallet, changed):
    said = wallet.get(f"{API}/profile").json()

    answer = wallet.put(f"{API}/profile", json={**said, **changed})

    assert answer.status_code == 400
    assert problems("imsx_statusinfo", answer.json()) == []
    db.session.expire_all()
    assert (ana.name, ana.email) == ("Ana Flores", "Ana@example.org")


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ("{", "application/json", 400),
        ("[]", "application/json", 400),
        ("{}", "application/json", 400),
        ('{"parentOrg":' * 60 + "1" + "}" * 60, "application/json", 400),
        ("x" * 300_000, "application/json", 413),
        ("a.b.c", "text/plain", 415),
    ],
)
def test_what_cannot_be_read_as_a_profile_is_refused(wallet, body, kind, status):
    answer = wallet.put(f"{API}/profile", data=body, headers={"Content-Type": kind})

    assert answer.status_code == status
    assert problems("imsx_statusinfo", answer.json()) == []


def test_the_secret_alone_opens_nothing(app, client, browser):
    made = Wallet(app)
    made.connect(browser)
    keys = f"{made.registered['client_id']}:{made.registered['client_secret']}"
    basic = base64.b64encode(keys.encode()).decode()

    answer = client.get(f"{API}/profile", headers={"Authorization": f"Basic {basic}"})

    assert answer.status_code == 401
