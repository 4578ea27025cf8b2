"""Bank transfer: a gateway of another kind, on the same seam."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from lms.core import clock
from lms.core.db import db
from lms.core.models import AuditEntry
from lms.courses.models import Enrolment
from lms.payments.models import Order, Payment, Receipt, Refund
from tests.factories.accounts import make_administrator, make_user
from tests.factories.payments import make_paid_run, set_bank_account
from tests.payments.checkout_steps import place_order
from tests.payments.conftest import path_of


@pytest.fixture
def ordered(app, signed_in, check_out):
    """Somebody who chose to transfer."""
    set_bank_account()
    run, ana = make_paid_run(capacity=1), make_user(language="en")
    browser = signed_in(ana)
    address = check_out(browser, run, gateway="bank_transfer")
    return browser, path_of(address), db.session.scalars(select(Order)).one()


def confirm(signed_in, order, **data):
    data = {"amount": "120.00", "reference": "BU-2027-77"} | data
    administrator = signed_in(make_administrator())
    return administrator.post(f"/admin/payments/orders/{order.uuid}/transfer", data=data)


def test_the_buyer_gets_account_and_reference_and_a_seat_for_a_week(ordered, mails):
    browser, address, order = ordered

    page = browser.get(address)

    for words in (order.number, "10000-123", "BUNIBO", "CAD 120.00"):
        assert words in page.text
    assert order.state == "pending"
    enrolment = db.session.scalars(select(Enrolment)).one()
    assert enrolment.state == "pending_payment"
    assert enrolment.offer_expires_at > clock.now() + timedelta(days=6, hours=23)
    [mail] = mails()
    text = mail.get_body(("plain",)).get_content()
    assert order.number in text
    assert "10000-123" in text
    assert "La Paz" in text  # the reader's own time zone


def test_it_is_offered_only_where_an_account_is_set_up(app, signed_in):
    run, browser = make_paid_run(), signed_in(make_user())

    assert "Bank transfer" not in browser.get(f"/checkout/{run.uuid}").text
    answer = place_order(browser, run, {"gateway": "bank_transfer"})

    assert answer.status_code == 422
    assert "not available" in answer.text


def test_a_confirmed_transfer_enrols_and_gives_a_receipt(ordered, signed_in, mails):
    browser, address, order = ordered

    assert confirm(signed_in, order).status_code == 303

    db.session.refresh(order)
    assert order.state == "paid"
    assert db.session.scalars(select(Enrolment.state)).all() == ["active"]
    payment = db.session.scalars(select(Payment)).one()
    assert (payment.gateway, payment.reference) == ("bank_transfer", "BU-2027-77")
    assert payment.confirmed_by_id is not None
    assert db.session.scalars(select(Receipt)).one().sequence == 1
    acts = db.session.scalars(select(AuditEntry.act)).all()
    assert acts == ["payments.confirm_transfer"]
    assert any("receipt" in mail["Subject"] for mail in mails())
    assert "Go to the course" in browser.get(address).text


@pytest.mark.parametrize("amount", ["119.99", "1200", "0", "-120", "a lot", "", "120.001"])
def test_another_amount_does_not_enrol(ordered, signed_in, amount):
    _browser, _address, order = ordered

    answer = confirm(signed_in, order, amount=amount)

    assert answer.status_code == 422
    assert "BU-2027-77" in answer.text  # what was typed is kept
    assert db.session.scalars(select(Payment)).all() == []


def test_a_reference_is_used_once_and_a_second_click_is_refused(ordered, signed_in):
    _browser, _address, order = ordered
    confirm(signed_in, order)

    assert confirm(signed_in, order).status_code == 409
    assert len(db.session.scalars(select(Payment)).all()) == 1


def test_a_transfer_that_comes_after_the_week_still_counts(ordered, signed_in, run_jobs):
    import time_machine

    from lms.payments.jobs import reconcile

    _browser, _address, order = ordered
    with time_machine.travel(clock.now() + timedelta(days=8), tick=True):
        reconcile()
        run_jobs()
        db.session.refresh(order)
        assert order.state == "expired"
        assert confirm(signed_in, order).status_code == 303

    db.session.refresh(order)
    assert order.state == "paid"
    assert db.session.scalars(select(Enrolment.state)).all() == ["active"]


def test_a_refund_is_done_when_an_administrator_says_so(ordered, signed_in, mails):
    _browser, _address, order = ordered
    confirm(signed_in, order)
    administrator = signed_in(make_administrator())

    administrator.post(f"/admin/payments/orders/{order.uuid}/refund", data={"note": "asked"})

    refund = db.session.scalars(select(Refund)).one()
    assert (refund.state, refund.note) == ("requested", "asked")
    assert "Refunds for you to send" in administrator.get("/admin/payments/exceptions").text
    assert administrator.post(f"/admin/payments/refunds/{refund.id}/done").status_code == 303
    db.session.refresh(refund)
    assert refund.state == "requested"

    data = {"reference": "BU-OUT-1"}
    for _click in range(2):
        administrator.post(f"/admin/payments/refunds/{refund.id}/done", data=data)

    db.session.refresh(order)
    db.session.refresh(refund)
    assert (refund.state, refund.reference, order.state) == ("done", "BU-OUT-1", "refunded")
    assert db.session.scalars(select(Enrolment.state)).all() == ["refunded"]
    assert len([mail for mail in mails() if "refund" in mail["Subject"]]) == 1
