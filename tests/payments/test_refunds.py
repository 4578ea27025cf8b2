"""Refunds: in full, once, and never more than was paid."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from lms.core.db import db
from lms.core.models import AuditEntry
from lms.core.money import Money
from lms.courses.models import Enrolment
from lms.ledger.services import check
from lms.payments.errors import NothingToRefund
from lms.payments.models import Order, Payment, Refund, RefundReason
from lms.payments.services import refunds
from tests.factories.accounts import make_administrator, make_user
from tests.factories.payments import make_paid_order, make_paid_run, make_payment, make_refund


@pytest.fixture
def paid(stripe, signed_in, check_out):
    """An order that was paid by card."""
    stripe.pay(check_out(signed_in(make_user(name="Ana Flores")), make_paid_run()))
    stripe.deliver()
    return db.session.scalars(select(Order)).one()


def test_an_administrator_gives_all_back(stripe, paid, signed_in, mails):
    administrator = signed_in(make_administrator())
    address = f"/admin/payments/orders/{paid.uuid}/refund"

    asked = administrator.get(address)
    assert "CAD 120.00" in asked.text
    assert "Ana Flores" in asked.text
    assert administrator.post(address, data={"note": ""}).status_code == 303
    again = administrator.post(address)
    sent = mails()

    assert again.status_code == 409
    db.session.refresh(paid)
    assert paid.state == "refunded"
    assert db.session.scalars(select(Enrolment.state)).all() == ["refunded"]
    refund = db.session.scalars(select(Refund)).one()
    assert (refund.state, refund.amount) == ("done", Money(12_000, "CAD"))
    charge = stripe.double.get(stripe.double.get(refund.payment.reference)["latest_charge"])
    assert charge["amount_refunded"] == 12_000
    assert "payments.refund" in db.session.scalars(select(AuditEntry.act)).all()
    [mail] = [mail for mail in sent if "refund" in mail["Subject"]]
    assert "CAD 120.00" in mail.get_body(("plain",)).get_content()
    assert stripe.deliver() == 2  # Stripe's own messages about it change nothing
    assert len(db.session.scalars(select(Refund)).all()) == 1
    assert administrator.get(f"/admin/payments/orders/{paid.uuid}").status_code == 200


def test_a_part_is_given_back_and_the_learner_stays(stripe, paid, signed_in, run_jobs):
    administrator = signed_in(make_administrator())
    address = f"/admin/payments/orders/{paid.uuid}/refund"

    assert administrator.post(address, data={"amount": "45.50"}).status_code == 303
    run_jobs()
    db.session.refresh(paid)
    assert paid.state == "partially_refunded"
    assert db.session.scalars(select(Enrolment.state)).all() == ["active"]

    assert administrator.post(address, data={"amount": "74.50"}).status_code == 303
    run_jobs()
    db.session.refresh(paid)
    assert paid.state == "refunded"
    assert not check.unexplained()


@pytest.mark.parametrize(
    ("typed", "status"),
    [("120.01", 409), ("0", 422), ("-5", 422), ("much", 422), ("1.234", 422)],
)
def test_a_part_that_is_no_part_is_told_and_stays_typed(paid, signed_in, typed, status):
    address = f"/admin/payments/orders/{paid.uuid}/refund"

    answer = signed_in(make_administrator()).post(address, data={"amount": typed, "note": "asked"})

    assert answer.status_code == status
    assert f'value="{typed}"' in answer.text
    assert 'value="asked"' in answer.text
    assert db.session.scalars(select(Refund)).all() == []


def test_a_job_that_runs_twice_refunds_once(stripe, paid, run_jobs):
    from lms.payments import jobs

    [refund] = refunds.refund_order(paid, RefundReason.BY_ADMINISTRATOR)
    db.session.commit()
    refund_id = refund.id
    jobs.refund(refund_id)
    run_jobs()
    db.session.get_one(Refund, refund_id).state = "requested"  # as if the answer was lost
    db.session.commit()
    jobs.refund(refund_id)

    charge = stripe.double.get(stripe.double.get(refund.payment.reference)["latest_charge"])
    assert charge["amount_refunded"] == 12_000


def test_an_unreachable_stripe_is_tried_again(stripe, paid, run_jobs, app):
    working = app.extensions["settings"]
    app.extensions["settings"] = working.model_copy(
        update={"stripe_api_base": "http://127.0.0.1:9/nobody"}
    )
    refunds.refund_order(paid, RefundReason.BY_ADMINISTRATOR)
    run_jobs()
    assert db.session.scalars(select(Refund.state)).all() == ["requested"]

    app.extensions["settings"] = working
    from lms.payments import jobs

    jobs.refund(db.session.scalars(select(Refund.id)).one())

    db.session.expire_all()
    assert db.session.scalars(select(Refund.state)).all() == ["done"]


def test_a_refund_that_stripe_refuses_calls_an_administrator(stripe, signed_in, mails):
    administrator = make_administrator()
    order = make_paid_order()  # Stripe has never heard of its payment
    refunds.refund_order(order, RefundReason.RUN_CANCELLED)

    sent = mails()

    refund = db.session.scalars(select(Refund)).one()
    assert (refund.state, refund.failure) == ("failed", "resource_missing")
    db.session.refresh(order)
    assert (order.state, order.payments[0].refunded_minor) == ("paid", 0)
    assert db.session.scalars(select(Enrolment.state)).all() == ["active"]
    assert any(mail["To"] == administrator.email for mail in sent)
    page = signed_in(administrator).get("/admin/payments/exceptions")
    assert "resource_missing" in page.text


def test_a_refund_made_at_stripe_reaches_the_ledger(stripe, paid, run_jobs):
    payment = db.session.scalars(select(Payment)).one()
    stripe.double.create_refund({"payment_intent": payment.reference, "amount": 2_000})
    stripe.deliver()
    db.session.refresh(paid)
    assert paid.state == "partially_refunded"
    assert db.session.scalars(select(Enrolment.state)).all() == ["active"]

    stripe.double.create_refund({"payment_intent": payment.reference, "amount": 10_000})
    stripe.deliver()

    db.session.refresh(paid)
    assert paid.state == "refunded"
    assert sorted(db.session.scalars(select(Refund.amount_minor)).all()) == [2_000, 10_000]
    assert db.session.scalars(select(Enrolment.state)).all() == ["refunded"]


def test_the_rest_is_refunded_after_a_partial_refund(app):
    order = make_paid_order()
    make_refund(order.payments[0], 5_000)

    [rest] = refunds.refund_order(order, RefundReason.BY_ADMINISTRATOR)

    assert rest.amount == Money(7_000, "CAD")
    with pytest.raises(NothingToRefund):
        refunds.refund_order(order, RefundReason.BY_ADMINISTRATOR)


@pytest.mark.parametrize("amount", [Money(12_001, "CAD"), Money(0, "CAD"), Money(100, "USD")])
def test_no_more_than_came_in_goes_back(app, amount):
    payment = make_paid_order().payments[0]

    with pytest.raises(NothingToRefund):
        refunds.request_refund(payment, amount, RefundReason.BY_ADMINISTRATOR)

    assert db.session.scalars(select(Refund)).all() == []
    payment.refunded_minor = 12_001
    with pytest.raises(IntegrityError):
        db.session.flush()


def test_a_refund_on_its_way_is_settled_or_fails_by_message(stripe, paid, run_jobs):
    import json

    from lms.payments.demo_gateway.objects import make_event

    [refund] = refunds.refund_order(paid, RefundReason.BY_ADMINISTRATOR)
    db.session.commit()
    metadata = {"refund": str(refund.uuid), "order": str(paid.uuid)}
    thing = {
        "id": "re_1", "object": "refund", "status": "failed", "metadata": metadata,
        "failure_reason": "lost_or_stolen_card", "amount": 12_000, "currency": "cad", "created": 1,
    }  # fmt: skip

    body = json.dumps(make_event("refund.failed", thing))
    assert stripe.post(body, stripe.double.sign(body))

    db.session.refresh(refund)
    assert (refund.state, refund.failure) == ("failed", "lost_or_stolen_card")
    assert paid.payments[0].refunded_minor == 0
    [again] = refunds.refund_order(paid, RefundReason.BY_ADMINISTRATOR)
    metadata["refund"] = str(again.uuid)
    db.session.commit()
    body = json.dumps(make_event("refund.updated", thing | {"status": "succeeded", "id": "re_2"}))
    assert stripe.post(body, stripe.double.sign(body))

    db.session.refresh(paid)
    db.session.refresh(again)
    assert (again.state, again.reference, paid.state) == ("done", "re_2", "refunded")


def test_a_voucher_order_has_nothing_to_refund(app, signed_in):
    order = make_paid_order()
    zero = make_paid_order(discount_minor=11_900)
    assert zero.payments[0].amount == Money(100, "CAD")
    make_refund(order.payments[0])
    make_payment(order, amount_minor=5, exception="amount_differs")

    [refund] = refunds.refund_order(order, RefundReason.BY_ADMINISTRATOR)

    assert refund.amount == Money(5, "CAD")
    assert order.state == "paid"  # the ledger is followed when a refund is settled
    refunds.settle_refund(refund, "x")
    assert order.state == "refunded"
