"""Paying by card, from the checkout to the enrolment."""

from __future__ import annotations

from sqlalchemy import select

from lms.core.db import db
from lms.courses.models import Enrolment
from lms.payments.models import Order, Payment
from tests.factories.accounts import make_user
from tests.factories.payments import make_paid_run
from tests.payments.conftest import order_uuid_in, path_of


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

    [order] = db.session.scalars(select(Order)).all()
    assert (order.state, order.paid_at is not None) == ("paid", True)
    [payment] = db.session.scalars(select(Payment)).all()
    assert payment.amount == run.price
    [enrolment] = db.session.scalars(select(Enrolment)).all()
    assert (enrolment.state, enrolment.method) == ("active", "payment")
    page = browser.get(path_of(back.headers["Location"]))
    assert "/study/" in page.text
    [mail] = [m for m in mails() if "receipt" in m["Subject"]]
    assert mail["To"] == ana.email
    [attachment] = mail.iter_attachments()
    assert attachment.get_content().startswith(b"%PDF")
