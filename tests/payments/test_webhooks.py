"""Messages of Stripe: forged, replayed, shuffled, wrong."""

from __future__ import annotations

import itertools
import json
import time

import pytest
from sqlalchemy import func, select

from lms.core.db import db
from lms.courses.models import Enrolment
from lms.payments.models import Order, Payment, Refund, WebhookEvent
from tests.factories.accounts import make_administrator, make_user
from tests.factories.payments import make_paid_run


def only_order() -> Order:
    return db.session.scalars(select(Order)).one()


def count(model) -> int:
    return db.session.scalar(select(func.count()).select_from(model))


def messages(stripe) -> list[str]:
    """The bodies that wait to be delivered, in order."""
    with stripe.double.store.change() as change:
        rows = change.connection.execute("SELECT body FROM deliveries WHERE NOT taken").fetchall()
        change.connection.execute("UPDATE deliveries SET taken = 1")
    return [row[0] for row in rows]


@pytest.fixture
def paid(stripe, signed_in, check_out):
    """Messages about an order that was just paid."""
    stripe.pay(check_out(signed_in(make_user()), make_paid_run()))
    return messages(stripe)


def answer(client, body: str, signature: str | None):
    headers = {"Stripe-Signature": signature} if signature is not None else {}
    return client.post("/payments/stripe/webhook", data=body, headers=headers)


def test_an_unsigned_or_forged_message_does_nothing(stripe, paid, client):
    body = paid[-1]
    old = stripe.double.sign(body, time.time() - 3600)
    stranger = "t=1,v1=" + "0" * 64

    for signature in (None, "", "nonsense", stranger, old):
        assert answer(client, body, signature).status_code == 400
    assert answer(client, body.replace("12000", "1"), stripe.double.sign(body)).status_code == 400
    assert answer(client, "{", stripe.double.sign("{")).status_code == 400

    assert only_order().state == "pending"
    assert count(WebhookEvent) == 0


def test_a_gateway_without_messages_has_no_address_for_them(client, app):
    assert client.post("/payments/bank_transfer/webhook", data="{}").status_code == 404
    assert client.post("/payments/nobody/webhook", data="{}").status_code == 404
    assert client.get("/payments/stripe/webhook").status_code == 405


def test_a_replayed_message_acts_once(stripe, paid, run_jobs):
    for body in (*paid, *paid, *paid):
        assert stripe.post(body, stripe.double.sign(body))
    run_jobs()

    assert count(WebhookEvent) == len(paid)
    assert (count(Payment), count(Refund)) == (1, 0)
    assert only_order().state == "paid"


def test_the_same_payment_under_another_event_id_acts_once(stripe, paid):
    body = paid[-1]
    twin = json.dumps(json.loads(body) | {"id": "evt_twin"})

    assert stripe.post(body, stripe.double.sign(body))
    assert stripe.post(twin, stripe.double.sign(twin))

    assert (count(WebhookEvent), count(Payment), count(Refund)) == (2, 1, 0)


@pytest.mark.slow
@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::3])
def test_messages_in_any_order_end_the_same(stripe, signed_in, check_out, run_jobs, order):
    address = check_out(signed_in(make_user()), make_paid_run())
    stripe.pay(address, "4000000000000002")
    stripe.pay(address)
    intent = stripe.double.get(stripe.double.get(address.rsplit("/", 1)[1])["payment_intent"])
    stripe.double.create_refund({"payment_intent": intent["id"]})
    wanted = {
        "payment_intent.payment_failed",
        "checkout.session.completed",
        "charge.refunded",
        "charge.succeeded",
    }
    bodies = [body for body in messages(stripe) if json.loads(body)["type"] in wanted]

    for number in order:
        assert stripe.post(bodies[number], stripe.double.sign(bodies[number]))
    run_jobs()

    assert only_order().state == "refunded"
    assert db.session.scalars(select(Enrolment)).one().state == "refunded"
    payment = db.session.scalars(select(Payment)).one()
    assert (payment.amount_minor, payment.refunded_minor) == (12_000, 12_000)
    assert db.session.scalars(select(Refund.state)).all() == ["done"]


@pytest.mark.parametrize("change", [{"amount_total": 1200}, {"currency": "usd"}])
def test_a_wrong_amount_enrols_nobody_and_calls_an_administrator(
    stripe, paid, change, mails, signed_in
):
    administrator = make_administrator()
    event = json.loads(paid[-1])
    event["data"]["object"] |= change
    body = json.dumps(event)

    assert stripe.post(body, stripe.double.sign(body))

    assert only_order().state == "pending"
    assert db.session.scalars(select(Enrolment)).one().state == "pending_payment"
    assert db.session.scalars(select(Payment)).one().exception == "amount_differs"
    [mail] = [mail for mail in mails() if mail["To"] == administrator.email]
    assert only_order().number in mail["Subject"]
    page = signed_in(administrator).get("/admin/payments/exceptions")
    assert only_order().number in page.text


def test_messages_about_other_things_are_kept_and_ignored(stripe, paid):
    event = json.loads(paid[-1])
    event["data"]["object"] |= {"client_reference_id": "order-77", "metadata": {}}
    others = [
        json.dumps(event | {"id": "evt_1"}),
        json.dumps(event | {"id": "evt_2", "type": "customer.created"}),
        json.dumps(event | {"id": "evt_3", "type": "charge.refunded"}),
    ]

    for body in others:
        assert stripe.post(body, stripe.double.sign(body))

    assert count(WebhookEvent) == 3
    assert only_order().state == "pending"


def test_a_message_that_is_not_taken_comes_again(stripe, signed_in, check_out):
    stripe.pay(check_out(signed_in(make_user()), make_paid_run()))

    assert stripe.double.deliver_due(lambda body, signature: False) == 0
    with stripe.double.store.change() as change:
        change.connection.execute("UPDATE deliveries SET due = 0")

    assert stripe.deliver() == 3
    assert only_order().state == "paid"
