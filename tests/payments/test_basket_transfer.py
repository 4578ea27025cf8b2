"""What is in the basket is paid by one bank transfer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.courses.models import Enrolment
from lms.ledger.services import check
from lms.payments.models import Order, Payment, Purchase
from lms.payments.services import orders
from tests.factories.accounts import make_administrator, make_user
from tests.factories.payments import make_paid_run, set_bank_account
from tests.payments.test_baskets import order_all

pytestmark = pytest.mark.slow


@pytest.fixture
def browser(app, signed_in):
    """A buyer with two courses in the basket, for 120 and for 80.50 dollars."""
    set_bank_account()
    browser = signed_in(make_user(country="BO", language="es"))
    for price in (Money(12_000, "CAD"), Money(8_050, "CAD")):
        browser.post(f"/basket/runs/{make_paid_run(price=price).uuid}")
    return browser


def ordered(browser) -> Purchase:
    answer = order_all(browser, gateway="bank_transfer")
    assert answer.status_code == 303
    db.session.expire_all()
    return db.session.query(Purchase).one()


def confirm(signed_in, order: Order, amount: str, reference: str = "BU-1"):
    data = {"amount": amount, "reference": reference}
    return signed_in(make_administrator()).post(
        f"/admin/payments/orders/{order.uuid}/transfer", data=data
    )


def test_page_and_mail_tell_one_sum_and_one_reference(browser, mails):
    purchase = ordered(browser)
    first, second = purchase.orders
    page = browser.get(f"/purchases/{purchase.uuid}").text

    assert "CAD 200,50" in page
    assert page.count(first.number) > 1
    assert "10000-123" in page
    of_its_own = browser.get(f"/orders/{second.uuid}").text
    assert "10000-123" not in of_its_own  # nobody pays it twice
    assert f"/purchases/{purchase.uuid}" in of_its_own
    assert "Todavía sin pagar" in of_its_own
    [mail] = mails()
    text = mail.get_body(("plain",)).get_content()
    assert "CAD 200,50" in text
    assert first.number in text
    assert f"/purchases/{purchase.uuid}" in text
    assert {one.state for one in db.session.query(Enrolment)} == {"pending_payment"}


def test_an_administrator_notes_the_sum_on_any_of_them_and_all_are_paid(
    browser, signed_in, run_jobs
):
    purchase = ordered(browser)
    page = signed_in(make_administrator()).get(f"/admin/payments/orders/{purchase.orders[1].uuid}")
    assert "CAD 200.50 in all" in page.text
    assert confirm(signed_in, purchase.orders[1], "199").status_code == 422
    answer = confirm(signed_in, purchase.orders[1], "200.50")
    again = confirm(signed_in, purchase.orders[0], "200.50")

    assert (answer.status_code, again.status_code) == (303, 409)
    db.session.expire_all()
    assert [order.state for order in purchase.orders] == ["paid", "paid"]
    assert {one.state for one in db.session.query(Enrolment)} == {"active"}
    assert [one.reference for one in db.session.query(Payment)] == ["BU-1/1", "BU-1/2"]
    assert "Todo es suyo" in browser.get(f"/purchases/{purchase.uuid}").text
    run_jobs()
    assert not check.unexplained()


def test_who_cancels_one_is_asked_for_the_other_with_its_own_number(browser, signed_in):
    purchase = ordered(browser)
    first, second = purchase.orders
    browser.post(f"/orders/{first.uuid}/cancel")

    page = browser.get(f"/purchases/{purchase.uuid}").text
    assert "CAD 80,50" in page
    assert page.count(second.number) > 1
    assert first.number not in page
    assert confirm(signed_in, second, "200.50").status_code == 422
    assert confirm(signed_in, second, "80.50").status_code == 303
    db.session.expire_all()
    assert [first.state, second.state] == ["cancelled", "paid"]


def test_what_is_not_paid_within_a_week_goes_back_on_sale(browser):
    purchase = ordered(browser)
    with clock.set_to(clock.now() + timedelta(days=7, minutes=1)):
        for order in purchase.orders:
            orders.expire_order(order)

    db.session.expire_all()
    assert [order.state for order in purchase.orders] == ["expired", "expired"]
    assert {one.state for one in db.session.query(Enrolment)} == {"expired"}
