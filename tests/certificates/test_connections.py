"""Programs that register, holders who consent, tokens that open and end."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
import time_machine
from authlib.integrations.base_client import OAuthError
from sqlalchemy import func, select

from lms.certificates.badge_api import clients, connections
from lms.certificates.badge_api.models import (
    BadgeClient,
    BadgeCode,
    BadgeConnection,
    BadgeToken,
)
from lms.certificates.jobs import forget_connections
from lms.core import clock
from lms.core.db import db
from tests.certificates.wallet import ALL, API, BACK, PROFILE, READ, Wallet, query_of, registration
from tests.factories.accounts import make_user


@pytest.fixture
def ana(app):
    return make_user(name="Ana Flores", email="ana@example.org")


@pytest.fixture
def browser(signed_in, ana):
    return signed_in(ana)


@pytest.fixture
def wallet(app):
    return Wallet(app)


def test_a_library_of_others_walks_the_whole_way(browser, wallet):
    location = wallet.ask(browser)
    assert location.startswith(BACK + "?")
    assert query_of(location)["scope"] == ALL

    token = wallet.redeem(location)

    assert token["token_type"] == "Bearer"
    assert 3590 <= token["expires_in"] <= 3600
    assert wallet.session.get(f"{API}/credentials").status_code == 200
    old = token["access_token"]
    renewed = wallet.session.refresh_token(wallet.flow["tokenUrl"])
    assert renewed["access_token"] != old
    assert wallet.session.get(f"{API}/profile").json()["name"] == "Ana Flores"
    done = wallet.session.revoke_token(
        wallet.scheme["x-imssf-revocationUrl"], token_type_hint="refresh_token",
        token=renewed["refresh_token"],
    )  # fmt: skip
    assert done.status_code == 200
    assert wallet.session.get(f"{API}/profile").status_code == 401


def test_the_consent_names_the_host_and_what_it_may(browser, wallet):
    page = browser.get(wallet.address(f"{READ} {PROFILE}"))

    assert "Connect wallet.example?" in page.text
    assert "Read all your certificates" in page.text
    assert "Read your name and your e-mail address" in page.text
    assert "Add certificates from elsewhere" not in page.text
    assert "form-action 'self' https://wallet.example:*" in page.headers["Content-Security-Policy"]


def test_a_stranger_signs_in_first(client, wallet):
    answer = client.get(wallet.address())

    assert answer.status_code == 302
    assert answer.location.startswith("/sign-in?next=/connect/authorize")


def test_who_refuses_gives_no_code(browser, wallet):
    location = wallet.ask(browser, decision="refuse")

    said = query_of(location)
    assert said["error"] == "access_denied"
    assert said["state"] == wallet.state
    assert "code" not in said
    assert db.session.scalar(select(func.count()).select_from(BadgeConnection)) == 0


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"state": ""}, "invalid_request"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
    ],
)
def test_a_request_that_is_not_safe_leads_back_with_an_error(browser, wallet, changed, error):
    where = wallet.address()
    path = where.partition("?")[0]
    query = {**query_of(where), **changed}

    answer = browser.get(path, query_string=query)

    assert answer.status_code == 303
    assert answer.location.startswith(BACK)
    assert query_of(answer.location)["error"] == error


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "nobody"},
        {"redirect_uri": "https://wallet.example/elsewhere"},
        {"redirect_uri": "https://thief.example/back"},
        {"redirect_uri": ""},
    ],
)
def test_nobody_is_led_to_an_address_that_is_not_registered(browser, wallet, changed):
    where = wallet.address()
    query = {**query_of(where), **changed}

    for answer in (
        browser.get("/connect/authorize", query_string=query),
        browser.post("/connect/authorize", query_string=query, data={"decision": "allow"}),
    ):
        assert answer.status_code == 400
        assert "Nothing was shared" in answer.text


def test_a_code_works_once_and_its_second_use_ends_the_tokens(browser, wallet):
    location = wallet.ask(browser)
    wallet.redeem(location)
    assert wallet.session.get(f"{API}/profile").status_code == 200

    with pytest.raises(OAuthError, match="invalid_grant"):
        wallet.new_session().fetch_token(
            authorization_response=location, state=wallet.state, code_verifier=wallet.verifier
        )

    assert wallet.session.get(f"{API}/profile").status_code == 401


def test_a_code_is_bound_to_client_address_verifier_and_time(app, browser, wallet):
    code = query_of(wallet.ask(browser))["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    good = {**form, "code_verifier": wallet.verifier}

    refused = [
        Wallet(app).token_answer(**good),
        wallet.token_answer(**form),
        wallet.token_answer(**{**good, "code_verifier": "x" * 48}),
        wallet.token_answer(**{**good, "redirect_uri": "https://wallet.example/other"}),
    ]
    with time_machine.travel(clock.now() + timedelta(minutes=6)):
        refused.append(wallet.token_answer(**good))

    assert [answer.status_code for answer in refused] == [400] * 5
    assert wallet.token_answer(**good).status_code == 200


def test_a_wrong_secret_is_refused(browser, wallet):
    code = query_of(wallet.ask(browser))["code"]
    wallet.registered["client_secret"] = "guessed"

    answer = wallet.token_answer(
        grant_type="authorization_code", code=code, redirect_uri=BACK,
        code_verifier=wallet.verifier,
    )  # fmt: skip

    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"


def test_an_old_refresh_token_ends_everything(browser, wallet):
    first = wallet.connect(browser)["refresh_token"]
    wallet.session.refresh_token(wallet.flow["tokenUrl"])

    answer = wallet.token_answer(grant_type="refresh_token", refresh_token=first)

    assert answer.json()["error"] == "invalid_grant"
    assert wallet.session.get(f"{API}/profile").status_code == 401


def test_a_refresh_never_widens_what_was_allowed(browser, wallet):
    refresh = wallet.connect(browser, READ)["refresh_token"]

    answer = wallet.token_answer(grant_type="refresh_token", refresh_token=refresh, scope=ALL)

    assert answer.json()["error"] == "invalid_scope"


def test_tokens_end_by_themselves(browser, wallet):
    refresh = wallet.connect(browser)["refresh_token"]
    token = wallet.session.token["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    now = clock.now()

    with time_machine.travel(now + timedelta(minutes=61)):
        assert browser.get(f"{API}/profile", headers=headers).status_code == 401
    with time_machine.travel(now + timedelta(days=91)):
        answer = wallet.token_answer(grant_type="refresh_token", refresh_token=refresh)
        assert answer.json()["error"] == "invalid_grant"


def test_a_client_gives_back_its_own_tokens_alone(app, browser, wallet):
    token = wallet.connect(browser)["access_token"]
    other = Wallet(app)

    answer = other.session.revoke_token(
        other.scheme["x-imssf-revocationUrl"], token=token, token_type_hint="access_token"
    )

    assert answer.status_code == 400
    assert wallet.session.get(f"{API}/profile").status_code == 200


def test_the_holder_sees_and_ends_a_connection(signed_in, browser, wallet):
    wallet.connect(browser, f"{READ} {PROFILE}")
    page = browser.get("/my/connected-apps").text
    assert "wallet.example" in page
    assert "not used yet" in page
    wallet.session.get(f"{API}/profile")
    assert "last used on" in browser.get("/my/connected-apps").text
    [connection] = db.session.scalars(select(BadgeConnection)).all()
    end = f"/my/connected-apps/{connection.uuid}/end"
    assert signed_in(make_user()).post(end).status_code == 404
    assert wallet.session.get(f"{API}/profile").status_code == 200

    assert browser.post(end).status_code == 303

    assert wallet.session.get(f"{API}/profile").status_code == 401
    assert "No app is connected" in browser.get("/my/connected-apps").text
    refresh = wallet.session.token["refresh_token"]
    answer = wallet.token_answer(grant_type="refresh_token", refresh_token=refresh)
    assert answer.json()["error"] == "invalid_grant"


def test_a_closed_account_opens_nothing(ana, browser, wallet):
    wallet.connect(browser)
    ana.deactivated_at = clock.now()
    db.session.commit()

    assert wallet.session.get(f"{API}/profile").status_code == 401


def test_connecting_again_with_less_allows_less(browser, wallet):
    old = wallet.connect(browser)["access_token"]
    wallet.session = wallet.new_session()
    wallet.connect(browser, READ)

    headers = {"Authorization": f"Bearer {old}"}
    assert browser.get(f"{API}/profile", headers=headers).status_code == 403
    assert db.session.scalar(select(func.count()).select_from(BadgeConnection)) == 1


def test_without_a_refresh_grant_there_is_no_refresh_token(app, browser):
    wallet = Wallet(app, grant_types=["authorization_code"])

    assert "for one hour" in browser.get(wallet.address()).text
    assert "refresh_token" not in wallet.connect(browser)


def test_secrets_are_kept_as_digests_and_not_logged(browser, wallet, caplog):
    caplog.set_level(logging.DEBUG)
    location = wallet.ask(browser)
    token = wallet.redeem(location)
    words = [
        query_of(location)["code"], token["access_token"], token["refresh_token"],
        wallet.registered["client_secret"],
    ]  # fmt: skip

    kept = [
        str(row.__dict__)
        for table in (BadgeClient, BadgeCode, BadgeToken)
        for row in db.session.scalars(select(table))
    ]

    assert len(kept) == 3
    server = [r.getMessage() for r in caplog.records if "client" not in r.name.split(".")[-1]]
    for word in words:
        assert not any(word in text for text in [*kept, *server])


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"client_name": None}, "invalid_client_metadata"),
        ({"policy_uri": None}, "invalid_client_metadata"),
        ({"software_version": 4}, "invalid_client_metadata"),
        ({"client_name": "x" * 100}, "invalid_client_metadata"),
        ({"scope": "openid email"}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "none"}, "invalid_client_metadata"),
        ({"grant_types": ["password"]}, "invalid_client_metadata"),
        ({"response_types": ["token"]}, "invalid_client_metadata"),
        ({"redirect_uris": []}, "invalid_redirect_uri"),
        ({"redirect_uris": BACK}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://wallet.example/back"]}, "invalid_redirect_uri"),
        ({"redirect_uris": [BACK + "#here"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://me@wallet.example/back"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://127.0.0.1/back"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://localhost/back"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://wallet.example\\@thief.example/"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://wållet.example/back"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://other.example/back"]}, "invalid_client_metadata"),
        ({"tos_uri": "https://other.example/terms"}, "invalid_client_metadata"),
        ({"logo_uri": "javascript:alert(1)"}, "invalid_client_metadata"),
    ],
)
def test_a_registration_that_does_not_hold_is_refused(client, changed, error):
    answer = client.post("/connect/register", json=registration(**changed))

    assert answer.status_code == 400
    assert answer.json["error"] == error


@pytest.mark.sqlite
@pytest.mark.parametrize("body", ["", "[]", "{", "{" + '"a":1,' * 5000 + '"b":2}'])
def test_a_registration_that_is_no_object_is_refused(client, body):
    answer = client.post("/connect/register", data=body, content_type="application/json")

    assert answer.status_code == 400


def test_what_is_not_used_is_forgotten(app, ana, browser, wallet):
    wallet.connect(browser)
    Wallet(app)
    [connection] = db.session.scalars(select(BadgeConnection)).all()
    connections.end(connection)

    def counted() -> list[int]:
        tables = (BadgeClient, BadgeConnection, BadgeCode, BadgeToken)
        return [db.session.scalar(select(func.count()).select_from(t)) or 0 for t in tables]

    with time_machine.travel(clock.now() + timedelta(days=2)):
        forget_connections()
        assert counted() == [2, 1, 0, 1]
    with time_machine.travel(clock.now() + timedelta(days=31)):
        forget_connections()
        assert counted() == [0, 0, 0, 0]
    assert clients.forget_unused() == 0


def test_a_persons_connections_are_exported_and_erased(ana, browser, wallet):
    wallet.connect(browser, READ)

    [told] = connections.export(ana.id)
    connections.erase(ana.id)

    assert (told["host"], told["scopes"]) == ("wallet.example", [READ])
    assert connections.export(ana.id) == []
    assert wallet.session.get(f"{API}/credentials").status_code == 401


def test_the_metadata_says_where_programs_find_what(client, wallet):
    said = client.get("/.well-known/oauth-authorization-server").json

    assert said["token_endpoint"] == wallet.flow["tokenUrl"]
    assert said["code_challenge_methods_supported"] == ["S256"]


def test_the_holder_is_told_of_a_new_connection_by_mail(browser, wallet, mails):
    wallet.connect(browser)
    wallet.session = wallet.new_session()
    wallet.connect(browser, READ)

    told = [mail for mail in mails() if "wallet.example" in str(mail["Subject"])]

    assert len(told) == 1
    assert "/my/connected-apps" in told[0].get_body(("plain",)).get_content()
