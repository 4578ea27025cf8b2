"""A holder takes certificates along: an app connects, a collection is downloaded and verified."""

from __future__ import annotations

import pytest
import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from playwright.sync_api import Route, expect

from tests.browser.conftest import PHONE, check_access, sign_in, watch
from tests.certificates.wallet import ALL, BACK, WALLET, registration


@pytest.fixture
def holder(site, open_context):
    page = watch(open_context(viewport=PHONE).new_page())
    page.route(f"{WALLET}/**", lambda route: at_the_wallet(route))
    return page


def at_the_wallet(route: Route) -> None:
    route.fulfill(body="<!doctype html><title>Wallet</title>", content_type="text/html")


def test_an_app_connects_reads_and_is_ended(site, holder):
    api = f"{site.url}/ims/ob/v3p0"
    scheme = requests.get(f"{api}/discovery").json()["components"]["securitySchemes"]["OAuth2ACG"]
    flow = scheme["flows"]["authorizationCode"]
    made = requests.post(scheme["x-imssf-registrationUrl"], json=registration()).json()
    app = OAuth2Session(
        made["client_id"], made["client_secret"], scope=ALL, redirect_uri=BACK,
        code_challenge_method="S256",
    )  # fmt: skip
    verifier = generate_token(48)
    address, state = app.create_authorization_url(flow["authorizationUrl"], code_verifier=verifier)

    holder.goto(address)
    holder.locator("input[name=email]").fill("learner@example.org")
    holder.locator("input[name=password]").fill("puente-demo")
    holder.locator("main form button").first.click()
    expect(holder.locator("h1")).to_contain_text("wallet.example")
    check_access(holder)
    with holder.expect_request(f"{BACK}?**") as led:  # to where nobody answers
        holder.locator("button[value=allow]").click()
    app.fetch_token(
        flow["tokenUrl"],
        authorization_response=led.value.url,
        state=state,
        code_verifier=verifier,
    )
    read = app.get(f"{api}/credentials").json()["credential"]
    assert "OpenBadgeCredential" in read[0]["type"]

    holder = watch(holder.context.new_page())  # the other one is still on its way to nobody
    holder.goto("/my/connected-apps")
    check_access(holder)
    holder.get_by_role("button", name="wallet.example").click()
    expect(holder.locator("main")).to_contain_text("No app is connected")
    assert app.get(f"{api}/credentials").status_code == 401


def test_a_collection_verifies_with_and_without_a_network(site, holder, tmp_path):
    sign_in(holder, "learner@example.org")
    holder.goto("/my/certificates")
    check_access(holder)
    holder.locator("summary", has_text="Choose certificates").click()
    files = {}
    for kind in ("json", "jwt"):
        holder.locator(f"input[value={kind}]").check()
        with holder.expect_download() as download:
            holder.get_by_role("button", name="Download the collection").click()
        files[kind] = tmp_path / f"certificates.{kind}"
        download.value.save_as(files[kind])

    holder.goto("/verify")
    holder.locator("input[type=file]").set_input_files(files["json"])
    holder.get_by_role("button", name="Check the file").click()
    expect(holder.locator("h1")).to_have_text("This collection is valid")
    check_access(holder)
    holder.goto("/verify/offline/")
    holder.wait_for_selector("[data-is-ready]")
    holder.context.set_offline(True)
    for kind, state in (("json", "unchecked"), ("jwt", "valid")):
        holder.locator("#offline-file").set_input_files(files[kind])
        answer = holder.locator("#offline-answer")
        expect(answer).to_have_attribute("data-state", state)
        expect(answer).to_contain_text("1 of 1")


def test_a_wallet_is_offered_a_certificate(site, holder):
    sign_in(holder, "learner@example.org")
    holder.goto("/my/certificates")
    holder.get_by_role("button", name="Put it into a wallet").first.click()
    expect(holder.locator(".qr-box svg")).to_be_visible()
    check_access(holder)
    holder.set_viewport_size({"width": 320, "height": 700})
    check_access(holder)
