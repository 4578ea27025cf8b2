"""The same steps against imitations of Stripe that others wrote: emulate and localstripe.

They are no dependencies (localstripe is under the GPL). LMS_PEER_EMULATE names the program
`emulate` of the npm package of that name, with Node 24 on the path; LMS_PEER_LOCALSTRIPE names a
Python that has localstripe. Without them these tests are skipped.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests
import stripe as stripe_library
from pydantic import SecretStr

from lms.core.db import db
from lms.core.money import Money
from lms.payments.gateways.base import SessionExpired
from lms.payments.gateways.stripe import StripeGateway, client, event_facts
from lms.payments.models import Payment, RefundReason
from lms.payments.services import refunds
from tests.browser.site import free_port
from tests.factories.payments import make_order

pytestmark = pytest.mark.slow

KEY, SECRET = "sk_test_peer", "whsec_peer"
EMULATE, LOCALSTRIPE = "LMS_PEER_EMULATE", "LMS_PEER_LOCALSTRIPE"


@contextmanager
def serving(command: list[str], address: str) -> Iterator[None]:
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # emulate starts a process of its own, to be ended with it
    )
    try:
        until = time.monotonic() + 60
        while True:
            try:
                requests.get(address, timeout=5)
                break
            except requests.ConnectionError:
                assert time.monotonic() < until, f"{command[0]} does not answer"
                assert process.poll() is None, f"{command[0]} has ended"
                time.sleep(0.1)
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


class Mailbox:
    """Where a peer sends its messages: bodies and signatures."""

    def __init__(self) -> None:
        self.received: list[tuple[bytes, str]] = []
        box = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                box.received.append((body, self.headers["Stripe-Signature"]))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *parts: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def event(self, type_: str) -> stripe_library.Event:
        """The first message of a type, its signature checked by Stripe's library."""
        until = time.monotonic() + 20
        while time.monotonic() < until:
            for body, signature in self.received:
                event = stripe_library.Webhook.construct_event(body, signature, SECRET)
                if event.type == type_:
                    return event
            time.sleep(0.05)
        raise AssertionError(f"no {type_} among {self.received}")


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    yield box
    box.server.shutdown()
    box.server.server_close()


@pytest.fixture
def point_at(app, settings):
    """Let the gateway talk to another address."""

    def point(address: str) -> None:
        update = {
            "stripe_secret_key": SecretStr(KEY),
            "stripe_webhook_secret": SecretStr(SECRET),
            "stripe_api_base": address,
        }
        app.extensions["settings"] = settings.model_copy(update=update)

    yield point
    app.extensions["settings"] = settings


@pytest.fixture
def emulate(point_at, mailbox: Mailbox, tmp_path: Path) -> Iterator[str]:
    program = os.environ.get(EMULATE)
    if not program:
        pytest.skip(f"{EMULATE} is not set: the peer emulate is missing")
    seed = tmp_path / "emulate.yaml"
    seed.write_text(
        f"tokens:\n  {KEY}: {{login: admin, scopes: [admin]}}\n"
        "stripe:\n"
        "  products: [{name: A course}]\n"
        "  prices: [{product_name: A course, currency: cad, unit_amount: 12000}]\n"
        f'  webhooks: [{{url: "{mailbox.url}", events: ["*"], secret: {SECRET}}}]\n'
    )
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [program, "start", "-p", str(port), "-s", "stripe", "--seed", str(seed)]
    with serving(command, f"{address}/v1/prices"):
        point_at(address)
        yield address


@pytest.fixture
def localstripe(point_at) -> Iterator[str]:
    python = os.environ.get(LOCALSTRIPE)
    if not python:
        pytest.skip(f"{LOCALSTRIPE} is not set: the peer localstripe is missing")
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [python, "-m", "localstripe", "--port", str(port), "--from-scratch"]
    with serving(command, f"{address}/v1/customers"):
        point_at(address)
        yield address


def open_session(order: uuid.UUID) -> stripe_library.checkout.Session:
    """A session as the gateway opens it, but with a Price: emulate takes nothing else."""
    [price] = client().v1.prices.list().data
    return client().v1.checkout.sessions.create(
        {
            "mode": "payment",
            "line_items": [{"price": price.id, "quantity": 1}],
            "success_url": "http://puente.test/paid",
            "cancel_url": "http://puente.test/cancelled",
            "metadata": {"order": str(order)},
        }
    )


def test_a_hosted_page_is_paid_and_told_by_a_signed_message(emulate, mailbox):
    session = open_session(uuid.uuid4())
    assert (session.status, session.payment_status) == ("open", "unpaid")
    assert session.url is not None

    page = requests.get(session.url, timeout=10)
    action = re.search(r'<form[^>]*action="([^"]+)"', page.text)
    assert action is not None
    paid = requests.post(urljoin(session.url, action.group(1)), allow_redirects=False, timeout=10)

    assert paid.headers["Location"] == "http://puente.test/paid"
    told = mailbox.event("checkout.session.completed").data.object
    assert (told.id, told.status, told.payment_status) == (session.id, "complete", "paid")
    assert client().v1.checkout.sessions.retrieve(session.id).status == "complete"
    StripeGateway().close(session.id)  # is over: nothing happens


def test_a_closed_page_is_told_and_read_by_the_gateway(emulate, mailbox):
    order = uuid.uuid4()
    session = open_session(order)

    StripeGateway().close(session.id)

    event = mailbox.event("checkout.session.expired")
    assert event_facts(event.type, event.data.object) == [SessionExpired(order, session.id)]


def pay_intent(card: str) -> stripe_library.PaymentIntent:
    expiry = {"exp_month": 12, "exp_year": 2040, "cvc": "123"}
    method = client().v1.payment_methods.create(
        {"type": "card", "card": {"number": card, **expiry}}  # type: ignore[typeddict-item]
    )
    intent = client().v1.payment_intents.create(
        {"amount": 12_000, "currency": "cad", "payment_method": method.id}
    )
    return client().v1.payment_intents.confirm(intent.id)


def test_a_refund_of_the_gateway_is_understood(localstripe):
    intent = pay_intent("4242424242424242")
    assert intent.status == "succeeded"
    order = make_order(state="paid")
    payment = Payment(
        order=order,
        gateway="stripe",
        reference=intent.id,
        currency="CAD",
        amount_minor=12_000,
    )
    db.session.add(payment)
    db.session.flush()
    refund = refunds.request_refund(payment, Money(2_000, "CAD"), RefundReason.BY_ADMINISTRATOR)

    reference = StripeGateway().refund(refund)

    assert reference is not None
    assert client().v1.refunds.retrieve(reference).amount == 2_000


def test_a_declined_card_and_3d_secure_behave_as_in_the_stand_in(localstripe):
    with pytest.raises(stripe_library.CardError) as declined:
        pay_intent("4000000000000341")
    assert declined.value.code == "card_declined"

    asked = pay_intent("4000002500003155")

    assert asked.status == "requires_action"
