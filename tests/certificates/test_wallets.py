"""A certificate goes into a wallet: offer, token, proof of a key, credential (OpenID4VCI 1.0)."""

from __future__ import annotations

import base64
import html
import json
import re
import time
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import base58
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey
from sqlalchemy import select

from lms.certificates.badge_api import offers
from lms.certificates.badge_api.models import WalletOffer
from lms.certificates.badge_api.secrets import digest_of
from lms.certificates.data_integrity import multikey
from lms.certificates.jobs import forget_connections
from lms.certificates.models import RevocationReason
from lms.certificates.services import revoke, verify
from lms.certificates.services.verify import State
from lms.core import clock
from lms.core.db import db
from tests.certificates.test_peers import judge, problems, published
from tests.factories.accounts import make_administrator, make_user
from tests.factories.certificates import make_credential

SITE = "http://puente.test"


class Wallet:
    """A wallet with a key, which does what OpenID4VCI 1.0 says and nothing else."""

    def __init__(self, client, key=None, header=None) -> None:
        self.client = client
        self.key = key or ECKey.generate_key("P-256")
        self.header = header or {"jwk": self.key.as_dict(private=False)}
        self.alg = "ES256" if isinstance(self.key, ECKey) else "EdDSA"

    def path(self, address: str) -> str:
        assert address.startswith(SITE)
        return address.removeprefix(SITE)

    def read_offer(self, link: str):
        assert link.startswith("openid-credential-offer://?")
        [address] = parse_qs(urlsplit(link).query)["credential_offer_uri"]
        return self.client.get(self.path(address))

    def take(self, link: str, **more: str):
        offer = self.read_offer(link).json
        self.issuer = offer["credential_issuer"]
        self.about = self.client.get("/.well-known/openid-credential-issuer").json
        server = self.client.get("/.well-known/oauth-authorization-server").json
        self.wanted = offer["credential_configuration_ids"][0]
        [(grant, code)] = offer["grants"].items()
        assert grant in server["grant_types_supported"]
        return self.client.post(
            self.path(server["token_endpoint"]),
            data={"grant_type": grant, **code, **more},
        )

    def proof(self, header=None, **changed) -> str:
        nonce = self.client.post(self.path(self.about["nonce_endpoint"])).json["c_nonce"]
        said = {"aud": self.issuer, "iat": int(time.time()), "nonce": nonce, **changed}
        head = {"typ": "openid4vci-proof+jwt", "alg": self.alg, **self.header, **(header or {})}
        head = {name: value for name, value in head.items() if value is not None}
        registry = jws.JWSRegistry(algorithms=["ES256", "EdDSA", "RS256"])
        return jws.serialize_compact(head, json.dumps(said), self.key, registry=registry)

    def ask(self, token: str, proof: str | None = None, **changed):
        body = {
            "credential_configuration_id": self.wanted,
            "proofs": {"jwt": [proof or self.proof()]},
            **changed,
        }
        body = {name: value for name, value in body.items() if value is not None}
        return self.client.post(
            self.path(self.about["credential_endpoint"]),
            json=body,
            headers={"Authorization": f"Bearer {token}"},
        )


def offer_of(browser, credential) -> str:
    """The link that the holder's page shows."""
    page = browser.post(f"/my/certificates/{credential.code}/wallet")
    assert page.status_code == 200, page.text
    assert "<svg" in page.text
    [link] = set(re.findall(r'href="(openid-credential-offer:[^"]+)"', page.text))
    return html.unescape(link)


def ed25519_wallet(client):
    private = Ed25519PrivateKey.generate()
    raw = private.private_bytes_raw()
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    text = [base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (raw, public)]
    key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "d": text[0], "x": text[1]})
    name = multikey(private.public_key())
    return Wallet(client, key, {"kid": f"did:key:{name}#{name}"}), f"did:key:{name}"


@pytest.fixture
def credential(app):
    return make_credential()


@pytest.fixture
def link(signed_in, credential):
    return offer_of(signed_in(credential.user), credential)


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
@pytest.mark.parametrize("kind", ["jwk", "did:key", "did:key of P-256", "did:jwk"])
def test_a_wallet_gets_the_certificate_with_its_key_as_subject(client, credential, link, kind):
    wallet, subject = Wallet(client), ""
    if kind == "did:key":
        wallet, subject = ed25519_wallet(client)
    elif kind == "did:key of P-256":
        public = wallet.key.public_key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        name = "z" + base58.b58encode(b"\x80\x24" + public).decode()
        subject = f"did:key:{name}"
        wallet.header = {"kid": f"{subject}#{name}"}
    elif kind == "did:jwk":
        jwk = json.dumps(wallet.key.as_dict(private=False)).encode()
        subject = "did:jwk:" + base64.urlsafe_b64encode(jwk).rstrip(b"=").decode()
        wallet.header = {"kid": f"{subject}#0"}
    token = wallet.take(link).json

    answer = wallet.ask(token["access_token"])

    assert answer.status_code == 200, answer.text
    [found] = answer.json["credentials"]
    document = found["credential"]
    said = document["credentialSubject"]["id"]
    assert said == subject if subject else said.startswith("did:jwk:")
    assert document["id"] == credential.uuid.urn
    assert problems(document) == []
    verdict = verify.verify_document(document)
    assert (verdict.state, verdict.credential) == (State.VALID, credential)


def test_another_implementation_accepts_what_a_wallet_gets(client, credential, link):
    wallet = Wallet(client)
    token = wallet.take(link).json["access_token"]
    document = wallet.ask(token).json["credentials"][0]["credential"]
    altered = json.loads(json.dumps(document))
    altered["credentialSubject"]["id"] = "did:key:z6Mkother"

    answers = judge(published(client), document, altered)

    assert [answer["verified"] for answer in answers] == [True, False]
    assert verify.verify_document(altered).state == State.ALTERED


def test_an_offer_names_nobody(client, credential, link):
    offer = Wallet(client).read_offer(link)

    assert offer.headers["Cache-Control"] == "no-store"
    assert credential.code not in offer.text
    assert credential.holder_name not in offer.text
    assert credential.code not in link


def test_an_offer_works_once(client, link):
    wallet = Wallet(client)
    offer = wallet.read_offer(link).json
    assert wallet.take(link).status_code == 200

    again = client.post("/connect/token", data={"grant_type": offers.GRANT, **code_of(offer)})

    assert again.status_code == 400
    assert again.json["error"] == "invalid_grant"
    assert wallet.read_offer(link).status_code == 404


def code_of(offer) -> dict[str, str]:
    return offer["grants"][offers.GRANT]


def test_an_offer_is_over_after_five_minutes(client, link):
    offer = Wallet(client).read_offer(link).json

    with time_machine.travel(clock.now() + timedelta(minutes=6)):
        assert Wallet(client).read_offer(link).status_code == 404
        data = {"grant_type": offers.GRANT, **code_of(offer)}
        assert client.post("/connect/token", data=data).json["error"] == "invalid_grant"


def test_a_guessed_code_gets_nothing(client):
    for data in (
        {"pre-authorized_code": "guessed"},
        {},
        {"pre-authorized_code": "x", "tx_code": "1"},
    ):
        answer = client.post("/connect/token", data={"grant_type": offers.GRANT, **data})
        assert answer.status_code == 400
    assert client.get("/connect/offers/guessed").status_code == 404


def test_only_the_holder_opens_an_offer(signed_in, client, credential):
    place = f"/my/certificates/{credential.code}/wallet"

    assert client.post(place).status_code == 302
    assert signed_in(make_user()).post(place).status_code == 403
    assert signed_in(make_administrator()).post(place).status_code == 403
    assert db.session.scalars(select(WalletOffer)).all() == []


def test_a_revoked_certificate_is_neither_offered_nor_given(signed_in, client, credential, link):
    wallet = Wallet(client)
    token = wallet.take(link).json["access_token"]
    revoke.revoke(credential, RevocationReason.ERROR, None, make_administrator().id)
    db.session.commit()

    answer = wallet.ask(token)

    assert answer.json["error"] == "credential_request_denied"
    browser = signed_in(credential.user)
    assert browser.post(f"/my/certificates/{credential.code}/wallet").status_code == 409


def test_a_wallet_that_asks_again_gets_the_same_and_another_nothing(client, credential, link):
    wallet, thief = Wallet(client), Wallet(client)
    token = wallet.take(link).json["access_token"]
    thief.issuer, thief.about, thief.wanted = wallet.issuer, wallet.about, wallet.wanted

    first, second = wallet.ask(token), wallet.ask(token)
    other = thief.ask(token)

    assert first.json == second.json
    assert other.json["error"] == "credential_request_denied"
    with time_machine.travel(clock.now() + timedelta(minutes=11)):
        assert wallet.ask(token).status_code == 401


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("header", "changed", "error"),
    [
        ({"typ": "JWT"}, {}, "invalid_proof"),
        ({"kid": "did:web:wallet.example#1", "jwk": None}, {}, "invalid_proof"),
        ({"kid": "did:key:z6Mk#1"}, {}, "invalid_proof"),
        ({"jwk": None}, {}, "invalid_proof"),
        ({}, {"aud": "https://elsewhere.example"}, "invalid_proof"),
        ({}, {"iat": 1_000_000_000}, "invalid_proof"),
        ({}, {"nonce": None}, "invalid_proof"),
        ({}, {"nonce": "guessed"}, "invalid_nonce"),
    ],
)
def test_a_proof_that_does_not_hold_is_refused(client, link, header, changed, error):
    wallet = Wallet(client)
    token = wallet.take(link).json["access_token"]

    answer = wallet.ask(token, wallet.proof(header, **changed))

    assert answer.status_code == 400
    assert answer.json["error"] == error


def test_a_proof_of_another_key_is_refused(client, link):
    wallet, other = Wallet(client), ECKey.generate_key("P-256")
    token = wallet.take(link).json["access_token"]
    wallet.header = {"jwk": other.as_dict(private=False)}
    private = {"jwk": wallet.key.as_dict(private=True)}

    assert wallet.ask(token).json["error"] == "invalid_proof"
    assert wallet.ask(token, wallet.proof(private)).json["error"] == "invalid_proof"


def test_a_nonce_is_over_after_five_minutes(client, link):
    wallet = Wallet(client)
    token = wallet.take(link).json["access_token"]
    proof = wallet.proof(iat=int(time.time()) + 290)

    with time_machine.travel(clock.now() + timedelta(minutes=6)):
        assert wallet.ask(token, proof).json["error"] == "invalid_nonce"


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"proofs": None}, "invalid_proof"),
        ({"proofs": {"jwt": []}}, "invalid_proof"),
        ({"proofs": {"jwt": ["a", "b"]}}, "invalid_proof"),
        ({"proofs": {"jwt": ["a.b.c"]}}, "invalid_proof"),
        ({"credential_configuration_id": "Other"}, "unknown_credential_configuration"),
        ({"credential_configuration_id": None}, "unknown_credential_configuration"),
        ({"credential_identifier": "x"}, "unknown_credential_identifier"),
        ({"credential_response_encryption": {}}, "invalid_encryption_parameters"),
    ],
)
def test_a_request_for_something_else_is_refused(client, link, changed, error):
    wallet = Wallet(client)
    token = wallet.take(link).json["access_token"]

    assert wallet.ask(token, **changed).json["error"] == error


def test_a_wallet_may_name_the_credential(client, credential, link):
    wallet = Wallet(client)
    details = json.dumps([{"type": "openid_credential", "credential_configuration_id": "x"}])
    said = wallet.take(link, authorization_details=details).json
    [identifier] = said["authorization_details"][0]["credential_identifiers"]

    answer = wallet.ask(
        said["access_token"], credential_configuration_id=None, credential_identifier=identifier
    )

    assert answer.status_code == 200


@pytest.mark.sqlite
@pytest.mark.parametrize("body", ["", "[]", "{" + '"a":' * 30 + "1" + "}" * 30])
def test_a_request_that_is_no_object_is_refused(client, link, body):
    wallet = Wallet(client)
    token = wallet.take(link).json["access_token"]

    answer = client.post(
        "/connect/credential", data=body, headers={"Authorization": f"Bearer {token}"}
    )

    assert answer.json["error"] == "invalid_credential_request"


def test_no_more_wallets_than_one_may_have(client, signed_in, credential, monkeypatch):
    monkeypatch.setattr(offers, "MOST_WALLETS", 1)
    browser = signed_in(credential.user)
    answers = []
    for _number in range(2):
        wallet = Wallet(client)
        token = wallet.take(offer_of(browser, credential)).json["access_token"]
        answers.append(wallet.ask(token).status_code)

    assert answers == [200, 400]


def test_nothing_that_opens_an_offer_is_kept(client, credential, link):
    wallet = Wallet(client)
    word = link.rpartition("%2F")[2]
    code = code_of(wallet.read_offer(link).json)["pre-authorized_code"]
    token = wallet.take(link).json["access_token"]

    [offer] = db.session.scalars(select(WalletOffer)).all()

    kept = str({column.name: getattr(offer, column.name) for column in WalletOffer.__table__.c})
    assert digest_of(word) in kept
    for secret in (word, code, token):
        assert secret not in kept


def test_old_offers_are_forgotten_and_taken_ones_told(client, signed_in, credential, link):
    offer_of(signed_in(credential.user), credential)
    wallet = Wallet(client)
    wallet.ask(wallet.take(link).json["access_token"])

    with time_machine.travel(clock.now() + timedelta(days=2)):
        forget_connections()

    [kept] = db.session.scalars(select(WalletOffer)).all()
    assert kept.document is None
    [told] = offers.export(credential.user_id)
    assert told["certificate"] == credential.code
    offers.erase(credential.user_id)
    assert offers.export(credential.user_id) == []


def test_the_holder_is_told_once_that_a_wallet_has_it(client, link, mails):
    wallet = Wallet(client)
    token = wallet.take(link).json["access_token"]
    wallet.ask(token)
    wallet.ask(token)

    told = [mail for mail in mails() if "In a wallet" in str(mail["Subject"])]

    assert len(told) == 1
