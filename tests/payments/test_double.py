"""Stripe's stand-in: held against Stripe's own installed types, and behaving like Stripe."""

from __future__ import annotations

import time

import pytest
import stripe as stripe_library
from pydantic import ValidationError
from stripe.params.checkout import SessionCreateParams

from lms.payments.demo_gateway.objects import make_event
from lms.payments.demo_gateway.parameters import read_parameters
from lms.payments.gateways.stripe import session_params
from tests.doubles.stripe import (
    API_KEY,
    WEBHOOK_SECRET,
    Outcome,
    Refused,
    check_object,
    check_request,
)
from tests.factories.payments import make_order

PARAMS = {
    "mode": "payment",
    "success_url": "http://puente.test/back",
    "client_reference_id": "7",
    "metadata": {"order": "7"},
    "payment_intent_data": {"metadata": {"order": "7"}},
    "line_items": [
        {
            "quantity": 1,
            "price_data": {
                "currency": "cad",
                "unit_amount": 500,
                "product_data": {"name": "A course"},
            },
        }
    ],
}


@pytest.fixture
def library(stripe) -> stripe_library.StripeClient:
    """Stripe's own client, talking to the stand-in over HTTP."""
    return stripe_library.StripeClient(
        API_KEY, base_addresses={"api": stripe.double.address}, max_network_retries=0
    )


def waiting(stripe) -> list[str]:
    import json

    with stripe.double.store.change() as change:
        rows = change.connection.execute("SELECT body FROM deliveries ORDER BY rowid").fetchall()
    return [json.loads(row[0]) for row in rows]


def test_what_is_asked_of_stripe_is_what_stripe_knows(app):
    from lms.core import clock

    order = make_order(expires_at=clock.now())
    check_request(dict(session_params(order)), SessionCreateParams)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sucess_url": "http://puente.test"},
        {"line_items": [{"qty": 1}]},
        {"expires_at": "soon"},
        {"payment_intent_data": {"meta": {}}},
    ],
)
def test_the_check_of_requests_finds_what_stripe_does_not_know(wrong):
    with pytest.raises((AssertionError, ValidationError)):
        check_request(PARAMS | wrong, SessionCreateParams)


def test_every_object_has_what_stripes_classes_require(stripe, library):
    paid = library.v1.checkout.sessions.create(PARAMS)
    stripe.double.pay(paid.id, "4242424242424242")
    declined = library.v1.checkout.sessions.create(PARAMS)
    stripe.double.pay(declined.id, "4000000000000002")
    later = library.v1.checkout.sessions.create(PARAMS)
    stripe.double.pay_later(later.id, succeeds=True)
    stripe.double.settle_due(time.time() + 60)
    expired = library.v1.checkout.sessions.create(PARAMS)
    library.v1.checkout.sessions.expire(expired.id)
    intent = library.v1.checkout.sessions.retrieve(paid.id).payment_intent
    library.v1.refunds.create({"payment_intent": str(intent), "amount": 200})

    events = waiting(stripe)

    assert {event["type"] for event in events} == {
        "charge.refunded",
        "charge.succeeded",
        "checkout.session.async_payment_succeeded",
        "checkout.session.completed",
        "checkout.session.expired",
        "payment_intent.payment_failed",
        "payment_intent.succeeded",
        "refund.created",
    }
    for event in events:
        check_object(event)
        check_object(event["data"]["object"])


def test_the_check_of_objects_finds_what_is_missing_or_unknown(stripe, library):
    session = stripe.double.create_session(PARAMS)
    with pytest.raises(AssertionError, match="missing"):
        check_object({key: value for key, value in session.items() if key != "custom_text"})
    with pytest.raises(AssertionError, match="unknown"):
        check_object(session | {"reference": 7})
    with pytest.raises(AssertionError, match="custom_text"):
        check_object(session | {"custom_text": {"sbmit": None}})


def test_signatures_are_stripes(stripe, library):
    import json

    session = stripe.double.create_session(PARAMS)
    body = json.dumps(make_event("checkout.session.completed", session))

    event = stripe_library.Webhook.construct_event(body, stripe.double.sign(body), WEBHOOK_SECRET)

    assert event.type == "checkout.session.completed"
    with pytest.raises(stripe_library.SignatureVerificationError):
        stripe_library.Webhook.construct_event(body, stripe.double.sign(body + " "), WEBHOOK_SECRET)


def test_a_key_gives_the_same_answer_and_refuses_other_questions(library):
    first = library.v1.checkout.sessions.create(PARAMS, {"idempotency_key": "k-1"})
    again = library.v1.checkout.sessions.create(PARAMS, {"idempotency_key": "k-1"})
    assert again.id == first.id

    with pytest.raises(stripe_library.IdempotencyError):
        library.v1.checkout.sessions.create(
            PARAMS | {"client_reference_id": "8"}, {"idempotency_key": "k-1"}
        )


def test_refusals_are_stripes(stripe, library):
    with pytest.raises(stripe_library.AuthenticationError):
        stripe_library.StripeClient(
            "sk_test_other", base_addresses={"api": stripe.double.address}
        ).v1.checkout.sessions.create(PARAMS)
    with pytest.raises(stripe_library.InvalidRequestError):
        library.v1.checkout.sessions.retrieve("cs_test_nothing")
    with pytest.raises(stripe_library.InvalidRequestError):
        library.v1.checkout.sessions.create(PARAMS | {"expires_at": int(time.time()) + 60})
    session = library.v1.checkout.sessions.create(PARAMS)
    stripe.double.pay(session.id, "4242 4242 4242 4242")
    with pytest.raises(stripe_library.InvalidRequestError):
        library.v1.checkout.sessions.expire(session.id)
    intent = str(library.v1.checkout.sessions.retrieve(session.id).payment_intent)
    with pytest.raises(stripe_library.InvalidRequestError):
        library.v1.refunds.create({"payment_intent": intent, "amount": 501})
    library.v1.refunds.create({"payment_intent": intent})
    with pytest.raises(stripe_library.InvalidRequestError) as refused:
        library.v1.refunds.create({"payment_intent": intent})
    assert refused.value.code == "charge_already_refunded"


def test_the_hosted_page_speaks_spanish_and_is_marked_as_test(stripe, library):
    import requests

    session = library.v1.checkout.sessions.create(PARAMS | {"locale": "es"})
    page = requests.get(str(session.url), timeout=10)
    assert "PRUEBA" in page.text
    assert "CAD 5,00" in page.text
    wrong = stripe.pay(str(session.url), "1234")
    assert (wrong.status_code, "no es" in wrong.text.lower()) == (422, True)
    assert requests.get(f"{session.url}x", timeout=10).status_code == 404


def test_a_closed_page_takes_no_payment(stripe, library):
    session = library.v1.checkout.sessions.create(PARAMS)
    library.v1.checkout.sessions.expire(session.id)

    assert stripe.double.pay(session.id, "4242424242424242") == Outcome.CLOSED
    assert stripe.double.answer_bank(session.id, confirmed=True) == Outcome.CLOSED
    assert stripe.double.pay_later(session.id, succeeds=True) == Outcome.CLOSED
    with pytest.raises(Refused):
        stripe.double.get(f"{session.id}:line")


def test_parameters_are_read_as_stripe_sends_them():
    pairs = [
        ("mode", "payment"),
        ("line_items[0][price_data][unit_amount]", "500"),
        ("line_items[0][quantity]", "2"),
        ("line_items[1][quantity]", "1"),
        ("metadata[order]", "7"),
    ]
    assert read_parameters(pairs) == {
        "mode": "payment",
        "line_items": [
            {"price_data": {"unit_amount": 500}, "quantity": 2},
            {"quantity": 1},
        ],
        "metadata": {"order": "7"},
    }
