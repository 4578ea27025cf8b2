"""Paying by card, from the checkout to the enrolment."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from lms.core import clock
from lms.core.db import db
from lms.core.money import InvalidAmount, Money
from lms.courses.models import Enrolment
from lms.payments.gateways.stripe_amounts import from_stripe, to_stripe
from lms.payments.models import Order, OrderState, Payment
from tests.factories.accounts import make_user
from tests.factories.payments import make_paid_run
from tests.payments.checkout_steps import place_order
from tests.payments.conftest import order_uuid_in, path_of

DECLINED, ASKS_BANK = "4000000000000002", "4000002500003155"


def only_order() -> Order:
    return db.session.scalars(select(Order)).one()


def only_enrolment() -> Enrolment:
    return db.session.scalars(select(Enrolment)).one()


def test_a_paid_order_enrols_its_buyer(stripe, signed_in, check_out, mails):
    run, ana = make_paid_run(), make_user(name="Ana Flores")
    browser = signed_in(ana)

    address = check_out(browser, run)
    back = stripe.pay(address)

    assert back.status_code == 303
    assert order_uuid_in(back.headers["Location"])
    waiting = browser.get(path_of(back.headers["Location"]))
    assert "We are waiting for the confirmation" in waiting.text

    assert stripe.deliver() == 3

    order = only_order()
    assert (order.state, order.paid_at is not None) == ("paid", True)
    assert db.session.scalars(select(Payment)).one().amount == run.price
    assert (only_enrolment().state, only_enrolment().method) == ("active", "payment")
    page = browser.get(path_of(back.headers["Location"]))
    assert f"/study/{run.id}" in page.text
    [mail] = [m for m in mails() if "receipt" in m["Subject"]]
    assert mail["To"] == ana.email
    assert "Your receipt" in browser.get("/notices/").text
    [attachment] = mail.iter_attachments()
    assert attachment.get_content().startswith(b"%PDF")


def test_stripe_learns_price_and_name_from_the_server(stripe, signed_in, check_out):
    run, ana = make_paid_run(price=Money(45_000, "CLP")), make_user(language="es")

    address = check_out(signed_in(ana), run)

    session = stripe.double.get(address.rsplit("/", 1)[1])
    order = only_order()
    assert (session["amount_total"], session["currency"]) == (45_000, "clp")
    assert session["client_reference_id"] == str(order.uuid)
    assert session["locale"] == "es"
    assert session["customer_email"] == ana.email
    opens_for = session["expires_at"] - clock.now().timestamp()
    assert timedelta(minutes=30).total_seconds() < opens_for
    assert session["expires_at"] < order.enrolment.offer_expires_at.timestamp()


def test_a_declined_card_keeps_the_seat_and_another_card_pays(stripe, signed_in, check_out):
    run, browser = make_paid_run(capacity=1), signed_in(make_user())
    address = check_out(browser, run)

    assert stripe.pay(address, DECLINED).status_code == 402
    stripe.deliver()

    order = only_order()
    assert (order.state, order.failure) == ("pending", "generic_decline")
    assert only_enrolment().state == "pending_payment"
    page = browser.get(f"/orders/{order.uuid}")
    assert "The payment did not go through" in page.text
    again = browser.post(f"/orders/{order.uuid}/pay")
    assert again.location == address

    stripe.pay(again.location)
    stripe.deliver()

    assert (only_order().state, only_enrolment().state) == ("paid", "active")


@pytest.mark.parametrize(("answer", "state"), [("bank_yes", "paid"), ("bank_no", "pending")])
def test_the_bank_is_asked_first(stripe, signed_in, check_out, answer, state):
    address = check_out(signed_in(make_user()), make_paid_run())

    asked = stripe.pay(address, ASKS_BANK)
    assert "Your bank asks" in asked.text
    stripe.deliver()
    assert only_order().state == "pending"
    stripe.pay(address, way=answer)
    stripe.deliver()

    assert only_order().state == state


def test_an_abandoned_payment_can_be_taken_up_while_the_seat_is_held(stripe, signed_in, check_out):
    run, browser = make_paid_run(capacity=1), signed_in(make_user())
    address = check_out(browser, run)

    page = browser.get(f"/orders/{only_order().uuid}?back=cancelled")

    assert "Not paid yet" in page.text
    assert "Try again" in page.text
    assert browser.post(f"/orders/{only_order().uuid}/pay").location == address


def test_a_fresh_page_is_opened_when_the_old_one_is_closing(stripe, signed_in, check_out):
    browser, run = signed_in(make_user()), make_paid_run()
    first = check_out(browser, run)

    with time_machine.travel(clock.now() + timedelta(minutes=32), tick=True):
        # the stand-in lives in the same process, so its time has moved as well
        second = browser.post(f"/orders/{only_order().uuid}/pay").location
        assert second != first
        assert stripe.pay(first).status_code == 410
        stripe.pay(second)
        stripe.deliver()
        assert only_order().state == "paid"
        assert only_order().attempt == 2


def test_two_clicks_open_one_page_for_one_order(stripe, signed_in, check_out):
    browser, run = signed_in(make_user()), make_paid_run()

    assert check_out(browser, run) == check_out(browser, run)

    assert only_order().state == "pending"


def test_an_order_that_nobody_pays_expires_and_frees_its_seat(
    stripe, signed_in, check_out, run_jobs
):
    from lms.payments.jobs import reconcile

    browser, run = signed_in(make_user()), make_paid_run(capacity=1)
    check_out(browser, run)

    with time_machine.travel(clock.now() + timedelta(minutes=36), tick=True):
        reconcile()
        run_jobs()

        assert only_order().state == "expired"
        assert only_enrolment().state == "expired"
        page = browser.get(f"/orders/{only_order().uuid}")
        assert "This order has expired" in page.text
        assert f"/checkout/{run.uuid}" in page.text


def test_a_late_message_is_fetched_from_stripe(stripe, signed_in, check_out, run_jobs):
    browser = signed_in(make_user())
    back = stripe.pay(check_out(browser, make_paid_run())).headers["Location"]

    answer = browser.post(f"/orders/{order_uuid_in(back)}/check", headers={"HX-Request": "true"})
    assert answer.status_code == 204
    run_jobs()

    assert (only_order().state, only_enrolment().state) == ("paid", "active")
    stripe.deliver()
    assert len(db.session.scalars(select(Payment)).all()) == 1


def test_the_clock_finds_payments_whose_message_never_came(stripe, signed_in, check_out, run_jobs):
    from lms.payments.jobs import reconcile

    stripe.pay(check_out(signed_in(make_user()), make_paid_run()))

    with time_machine.travel(clock.now() + timedelta(minutes=4), tick=True):
        reconcile()
        run_jobs()

    assert only_order().state == "paid"


def test_money_that_takes_days_keeps_the_seat(stripe, signed_in, check_out):
    browser, run = signed_in(make_user()), make_paid_run(capacity=1)
    address = check_out(browser, run)

    stripe.pay(address, way="slip")
    stripe.deliver()

    order = only_order()
    assert (order.state, order.is_settling) == ("pending", True)
    assert only_enrolment().offer_expires_at > clock.now() + timedelta(days=6)
    assert "Your payment is on its way" in browser.get(f"/orders/{order.uuid}").text

    stripe.double.settle_due(clock.now().timestamp() + 60)
    stripe.deliver()

    assert (only_order().state, only_enrolment().state) == ("paid", "active")


def test_money_that_never_arrives_is_told_and_can_be_paid_otherwise(
    stripe, signed_in, check_out, mails
):
    ana = make_user()
    browser, run = signed_in(ana), make_paid_run(capacity=1)
    stripe.pay(check_out(browser, run), way="slip_fails")
    stripe.deliver()

    stripe.double.settle_due(clock.now().timestamp() + 60)
    stripe.deliver()

    order = only_order()
    assert (order.is_open, order.is_settling) == (True, False)
    assert only_enrolment().state == "pending_payment"
    [mail] = mails()
    assert "did not arrive" in mail["Subject"]
    stripe.pay(browser.post(f"/orders/{order.uuid}/pay").location)
    stripe.deliver()
    assert only_order().state == "paid"


def test_a_silent_stripe_leaves_a_clear_message_and_the_seat(stripe, signed_in, app, settings):
    run, browser = make_paid_run(capacity=1), signed_in(make_user())
    working = app.extensions["settings"]
    app.extensions["settings"] = working.model_copy(
        update={"stripe_api_base": "http://127.0.0.1:9/nobody"}
    )

    answer = place_order(browser, run, {"gateway": "stripe"})

    order = only_order()
    assert answer.location == f"/orders/{order.uuid}"
    page = browser.get(answer.location)
    assert "The payment page could not be opened" in page.text
    assert "Try again" in page.text
    assert "Choose another way to pay" in page.text
    assert only_enrolment().state == "pending_payment"
    app.extensions["settings"] = working
    stripe.pay(browser.post(f"/orders/{order.uuid}/pay").location)
    stripe.deliver()
    assert only_order().state == "paid"


def test_a_cancelled_order_frees_the_seat_and_closes_the_page(
    stripe, signed_in, check_out, run_jobs
):
    browser, run = signed_in(make_user()), make_paid_run(capacity=1)
    address = check_out(browser, run)

    answer = browser.post(f"/orders/{only_order().uuid}/cancel")
    run_jobs()

    assert answer.status_code == 303
    assert (only_order().state, only_enrolment().state) == ("cancelled", "expired")
    assert stripe.pay(address).status_code == 410
    assert browser.post(f"/orders/{only_order().uuid}/cancel").status_code == 409


@pytest.mark.parametrize(
    ("amount", "value"),
    [
        (Money(12_050, "CAD"), 12_050),
        (Money(45_000, "CLP"), 45_000),
        (Money(900, "PEN"), 900),
        (Money(1234, "ISK"), 123_400),
        (Money(500, "UGX"), 50_000),
        (Money(1500, "KWD"), 1500),
        (Money(70, "JPY"), 70),
    ],
)
def test_amounts_are_counted_as_stripe_does(amount, value):
    assert to_stripe(amount) == value
    assert from_stripe(value, amount.currency.lower()) == amount


def test_an_amount_that_cannot_be_exact_is_refused():
    with pytest.raises(InvalidAmount):
        from_stripe(12_345, "isk")


def test_an_order_knows_which_states_are_final():
    assert Order(state=OrderState.PARTIALLY_REFUNDED).is_settled
    assert not Order(state=OrderState.EXPIRED).is_open
