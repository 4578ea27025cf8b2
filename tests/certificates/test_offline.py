"""What the page that works without a network is given."""

from __future__ import annotations

import hashlib
import json

import pytest
from joserfc import jws
from joserfc.jwk import KeySet

from lms.certificates.models import RevocationReason
from lms.certificates.services import revoke
from lms.certificates.views.offline import forget_snapshot
from tests.factories.accounts import make_administrator
from tests.factories.certificates import make_credential

BASE = "/verify/offline/"


@pytest.fixture(autouse=True)
def fresh():
    forget_snapshot()
    yield
    forget_snapshot()


def snapshot_of(client) -> dict:
    keys = KeySet.import_key_set(client.get(f"{BASE}keys.json").json)
    token = client.get(f"{BASE}snapshot.jwt").get_data()
    return json.loads(jws.deserialize_compact(token, keys, ["RS256"]).payload)


def short(data: str) -> str:
    return hashlib.sha256(data.encode()).hexdigest()[:20]


def test_the_snapshot_is_signed_and_says_how_each_certificate_stands(client, run_jobs):
    good, bad = make_credential(), make_credential()
    revoke.revoke(bad, RevocationReason.ERROR, None, make_administrator().id)
    run_jobs()

    found = snapshot_of(client)

    states = {entry[0]: entry[1] for entry in found["certificates"]}
    assert states == {short(good.code): "valid", short(bad.code): "revoked"}
    files = {digest: entry[0] for entry in found["certificates"] for digest in entry[3]}
    assert files[short(good.token)] == short(good.code)
    assert files[good.pdf_digests[0][:20]] == short(good.code)
    assert found["exp"] - found["iat"] == 7 * 86_400


def test_the_snapshot_names_no_code_and_no_person(client):
    credential = make_credential()

    text = json.dumps(snapshot_of(client))

    assert credential.code not in text
    assert "Quispe" not in text


def test_the_page_and_all_that_it_needs_are_there_and_of_nobody(client, signed_in):
    make_credential()

    for address in client.get(f"{BASE}files.json").json:
        assert client.get(address).status_code == 200, address
    own = signed_in(make_administrator(name="Ada Admin")).get(BASE)
    assert "Ada Admin" not in own.text
    assert "camera=(self)" in own.headers["Permissions-Policy"]
    assert client.get(f"{BASE}worker.js").content_type.startswith("text/javascript")
    manifest = client.get(f"{BASE}manifest.webmanifest")
    assert json.loads(manifest.data)["scope"] == BASE


def test_a_site_without_certificates_has_no_snapshot(client):
    assert client.get(f"{BASE}snapshot.jwt").status_code == 404
