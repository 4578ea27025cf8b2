from __future__ import annotations

import pytest
from sqlalchemy import select

from lms.core.db import db
from lms.core.models import AuditEntry
from lms.xapi.models import XapiKey
from tests.factories.accounts import make_administrator, make_user
from tests.xapi.test_api import headers

ROOT = "/admin/learning-records"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"), ("POST", "/keys"), ("POST", "/keys/1/revoke"),
    ],
)  # fmt: skip
def test_only_administrators_manage_keys(client, signed_in, method, path):
    assert client.open(ROOT + path, method=method).status_code in (302, 303)
    assert signed_in(make_user()).open(ROOT + path, method=method).status_code == 403


def test_the_secret_of_a_new_key_is_shown_once_and_works(signed_in, client):
    browser = signed_in(make_administrator())

    page = browser.post(f"{ROOT}/keys", data={"name": "Authoring tool", "scopes": "all"})

    key = db.session.scalars(select(XapiKey)).one()
    secret = page.text.split('id="new-secret">')[1].split("<")[0]
    assert key.key in page.text
    assert client.get("/xapi/statements", headers=headers(key.key, secret)).status_code == 200
    assert secret not in browser.get(f"{ROOT}/").text
    assert db.session.scalars(select(AuditEntry.act)).one() == "xapi.make_key"


def test_an_ended_key_is_shown_as_ended(signed_in):
    browser = signed_in(make_administrator())
    browser.post(f"{ROOT}/keys", data={"name": "Old tool", "scopes": "all"})
    key = db.session.scalars(select(XapiKey)).one()

    answer = browser.post(f"{ROOT}/keys/{key.id}/revoke", follow_redirects=True)

    assert "ended" in answer.text
