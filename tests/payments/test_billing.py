"""What buyers say for the invoice at the checkout."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from lms.core.db import db
from lms.invoicing.models import Invoice
from lms.payments.models import Order
from lms.payments.services import orders, payments
from lms.payments.services.terms import find_terms
from tests.factories.accounts import make_user
from tests.factories.invoicing import make_seller
from tests.factories.payments import make_paid_run, set_bank_account

SAID = {
    "country": "CA", "province": "QC", "organisation": "Ville de Gatineau",
    "address": "25, rue Laurier", "tax_id": "1234567890 TQ 0001", "purchase_order": "BC-77",
}  # fmt: skip


@pytest.fixture
def buy(app, stripe, signed_in, check_out):
    run = make_paid_run()
    browser = signed_in(make_user(country="CA"))
    browser.run = run
    return browser


def test_the_invoice_says_what_the_buyer_said(buy, check_out):
    make_seller()
    check_out(buy, buy.run, **SAID)
    order = db.session.scalars(select(Order)).one()
    payments.take_payment(order, "stripe", "pi_1", order.total)

    invoice = db.session.scalars(select(Invoice)).one()
    assert (invoice.buyer, invoice.organisation) == ("organisation", "Ville de Gatineau")
    assert (invoice.province, invoice.purchase_order) == ("QC", "BC-77")
    assert invoice.buyer_details["tax_id"] == "1234567890TQ0001"
    assert [one.jurisdiction for one in invoice.lines[0].taxes] == ["CA", "CA-QC"]
    kept = db.session.execute(text("SELECT sealed FROM order_terms")).scalar_one()
    assert "Laurier" not in kept


def test_a_wrong_tax_number_and_a_missing_province_are_told_and_what_was_typed_stays(buy):
    make_seller()
    address = f"/checkout/{buy.run.uuid}"
    wrong = buy.post(address, data=SAID | {"tax_id": "12", "gateway": "stripe"})
    missing = buy.post(address, data={"country": "CA", "gateway": "stripe"})

    assert (wrong.status_code, missing.status_code) == (422, 422)
    assert "not a tax number of the chosen country" in wrong.text
    assert "Ville de Gatineau" in wrong.text
    assert "Choose your province" in missing.text
    assert db.session.scalars(select(Order)).all() == []


def test_what_was_said_stays_with_the_next_order_for_the_same_place(app, stripe):
    set_bank_account()
    run, user = make_paid_run(), make_user()
    from lms.payments.services.terms import Billing

    said = Billing(organisation="CEBEM", buyer="organisation", tax_id="1020703023")
    first = orders.place_order(run, user, "stripe", country="BO", billing=said)
    second = orders.place_order(run, user, "bank_transfer", country="BO")

    assert first.id != second.id
    assert find_terms(second).organisation == "CEBEM"
    assert find_terms(second).details["tax_id"] == "1020703023"


def test_closing_the_account_removes_what_was_said(app, stripe):
    from lms.payments.personal_data import PERSONAL_DATA
    from lms.payments.services.terms import Billing

    user = make_user()
    said = Billing(organisation="CEBEM", address="Calle 5")
    order = orders.place_order(make_paid_run(), user, "stripe", country="BO", billing=said)
    assert PERSONAL_DATA.export(user.id)[0]["for_invoice"]["address"] == "Calle 5"

    PERSONAL_DATA.erase(user.id)
    db.session.expire_all()

    assert (find_terms(order).organisation, find_terms(order).details) == ("", {})
