"""A wallet of somebody else: registers and asks with Authlib's client, over HTTP to the app."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from flask import Flask
from requests.adapters import BaseAdapter

SITE = "http://puente.test"
WALLET = "https://wallet.example"
BACK = f"{WALLET}/back"
SCOPE = "https://purl.imsglobal.org/spec/ob/v3p0/scope/"
READ, KEEP = SCOPE + "credential.readonly", SCOPE + "credential.upsert"
PROFILE, RENAME = SCOPE + "profile.readonly", SCOPE + "profile.update"
ALL = f"{READ} {KEEP} {PROFILE} {RENAME} offline_access"
API = f"{SITE}/ims/ob/v3p0"


class ToApp(BaseAdapter):
    """Requests that go to the app instead of to the network."""

    def __init__(self, app: Flask) -> None:
        super().__init__()
        self.client = app.test_client(use_cookies=False)

    def send(self, request: requests.PreparedRequest, **_options: Any) -> requests.Response:
        answer = self.client.open(
            request.url,
            method=request.method,
            data=request.body,
            headers=[(k, v) for k, v in request.headers.items() if k != "Accept-Encoding"],
        )
        found = requests.Response()
        found.status_code, found.url, found.request = answer.status_code, request.url, request
        found.headers.update(answer.headers)
        found.raw = io.BytesIO(answer.data)
        return found

    def close(self) -> None:
        pass


def registration(**changed: Any) -> dict[str, Any]:
    """What a wallet says of itself."""
    said = {
        "client_name": "Pocket wallet",
        "client_uri": f"{WALLET}/",
        "logo_uri": f"{WALLET}/logo.png",
        "tos_uri": f"{WALLET}/terms",
        "policy_uri": f"{WALLET}/privacy",
        "software_id": "c88b6ed8-269e-448e-99be-7e2ff47167d1",
        "software_version": "4.0",
        "redirect_uris": [BACK],
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "scope": ALL,
        **changed,
    }
    return {name: value for name, value in said.items() if value is not None}


class Wallet:
    """One registered program; `session` holds the token of the person who has connected it."""

    def __init__(self, app: Flask, **changed: Any) -> None:
        self.app = app
        session = requests.Session()
        session.mount(SITE, ToApp(app))
        about = session.get(f"{API}/discovery").json()
        self.scheme = about["components"]["securitySchemes"]["OAuth2ACG"]
        self.flow = self.scheme["flows"]["authorizationCode"]
        answer = session.post(self.scheme["x-imssf-registrationUrl"], json=registration(**changed))
        assert answer.status_code == 201, answer.text
        self.registered = answer.json()
        self.session = self.new_session()
        self.verifier = generate_token(48)
        self.state = ""

    def new_session(self, scope: str = ALL) -> OAuth2Session:
        session = OAuth2Session(
            self.registered["client_id"],
            self.registered["client_secret"],
            scope=scope,
            redirect_uri=BACK,
            token_endpoint=self.flow["tokenUrl"],
            code_challenge_method="S256",
        )
        session.mount(SITE, ToApp(self.app))
        return session

    def address(self, scope: str = ALL, **changed: Any) -> str:
        """Where the wallet sends the holder's browser."""
        self.session.scope = scope
        where, self.state = self.session.create_authorization_url(
            self.flow["authorizationUrl"], code_verifier=self.verifier, **changed
        )
        return where.removeprefix(SITE)

    def ask(self, browser: Any, scope: str = ALL, decision: str = "allow") -> str:
        """The holder decides; gives the address to which the browser is led."""
        where = self.address(scope)
        assert browser.get(where).status_code == 200
        answer = browser.post(where, data={"decision": decision})
        assert answer.status_code == 303
        return answer.location

    def redeem(self, location: str) -> dict[str, Any]:
        """Change the code in an address into a token, as the library does."""
        return self.session.fetch_token(
            authorization_response=location, state=self.state, code_verifier=self.verifier
        )

    def connect(self, browser: Any, scope: str = ALL) -> dict[str, Any]:
        """The whole way from registration to a token."""
        return self.redeem(self.ask(browser, scope))

    def token_answer(self, **form: str) -> requests.Response:
        """Ask the token endpoint by hand."""
        session = requests.Session()
        session.mount(SITE, ToApp(self.app))
        keys = (self.registered["client_id"], self.registered["client_secret"])
        return session.post(self.flow["tokenUrl"], data=form, auth=keys)


def query_of(location: str) -> dict[str, str]:
    """The query of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
