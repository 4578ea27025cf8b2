"""Fixtures of the payments tests: Stripe's stand-in, and somebody who pays there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr

from lms.config import Settings
from lms.courses.models import CourseRun
from tests.doubles.stripe import API_KEY, WEBHOOK_SECRET, HonestDouble, serve_double
from tests.payments.checkout_steps import place_order


@dataclass
class StripeTests:
    """Stripe's stand-in, and the way of its messages into the app under test."""

    double: HonestDouble
    app: Flask

    def deliver(self) -> int:
        """Let the messages that are due arrive."""
        return self.double.deliver_due(self.post)

    def post(self, body: str, signature: str) -> bool:
        answer = self.app.test_client().post(
            "/payments/stripe/webhook",
            data=body,
            content_type="application/json",
            headers={"Stripe-Signature": signature},
        )
        return answer.status_code < 300

    def pay(self, address: str, card: str = "4242424242424242", **more: str) -> requests.Response:
        """Fill in the hosted page as a browser does, without following it back."""
        data = {"card": card, "way": "card"} | more
        return requests.post(address, data=data, allow_redirects=False, timeout=10)


@pytest.fixture(scope="session")
def stripe_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HonestDouble]:
    with serve_double(tmp_path_factory.mktemp("stripe")) as double:
        yield double


@pytest.fixture
def stripe(app: Flask, settings: Settings, stripe_server: HonestDouble) -> Iterator[StripeTests]:
    """The app pays at Stripe's stand-in; messages of other tests are forgotten."""
    with stripe_server.store.change() as change:
        change.connection.execute("DELETE FROM deliveries")
        change.connection.execute("DELETE FROM settlements")
    app.extensions["settings"] = settings.model_copy(
        update={
            "stripe_secret_key": SecretStr(API_KEY),
            "stripe_webhook_secret": SecretStr(WEBHOOK_SECRET),
            "stripe_api_base": stripe_server.address,
        }
    )
    yield StripeTests(stripe_server, app)
    app.extensions["settings"] = settings


@pytest.fixture
def check_out() -> Callable[..., str]:
    """Go through the checkout; gives the address it leads to."""

    def go(browser: FlaskClient, run: CourseRun, **values: str) -> str:
        data = {"gateway": "stripe", "country": "BO"} | values
        answer = place_order(browser, run, data)
        assert answer.status_code == 303, answer.text
        return answer.location

    return go


def path_of(address: str) -> str:
    """The part of an address that a test client opens."""
    parts = urlsplit(address)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def order_uuid_in(address: str) -> str:
    found = re.search(r"/orders/([0-9a-f-]{36})", address)
    assert found is not None, address
    return found.group(1)


def data_folder(app: Flask) -> Path:
    return Path(app.extensions["settings"].data_path)
