"""Other things than places are bought in the same way: order, money, invoice, ledger, refund."""

from __future__ import annotations

import re
import uuid
from datetime import date, timedelta

import pytest
from flask_babel import lazy_gettext

from lms.core import clock
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.money import Money
from lms.core.registry import EXTENSION
from lms.courses.models import Enrolment
from lms.invoicing.models import Invoice
from lms.invoicing.taxes import SupplyKind
from lms.ledger.accounts import Account
from lms.ledger.queries import balances
from lms.ledger.services import check
from lms.payments import queries
from lms.payments.models import Order, OrderState, PaymentException, RefundReason
from lms.payments.products import Delivery, Item, Onward, Product, Refused, Taxable
from lms.payments.services import orders, payments, refunds
from lms.pricing.errors import QuoteChanged
from lms.pricing.models import PriceException
from tests.factories.accounts import make_administrator, make_user
from tests.factories.invoicing import make_seller

BOOK = uuid.uuid4()


class Book(Product):
    """A book of which one copy is left, for who may read it."""

    name = "book"
    label = lazy_gettext("Publication")
    income = Account.PUBLICATIONS

    def __init__(self) -> None:
        self.prices = {"CAD": Money(4_000, "CAD"), "USD": Money(3_000, "USD")}
        self.readers: set[int] = set()
        self.held: set[int] = set()
        self.is_gone = False

    def find(self, key, buyer, country):
        if key != BOOK:
            raise NotFound
        title = {"en": "On water", "es": "Sobre el agua"}
        rule = "It comes back until you open it."
        return Item(self.name, key, title, self.prices, details=[("Pages", "120")], rule=rule)

    def hold(self, order, for_):
        self.held.add(order.id)

    def release(self, order, *, is_over):
        self.held.discard(order.id)

    def refuses(self, order):
        if self.is_gone:
            return Refused(PaymentException.SEAT_GONE, RefundReason.SEAT_GONE)
        return None

    def deliver(self, order):
        self.readers.add(order.user_id)

    def take_back(self, order):
        self.readers.discard(order.user_id)

    def taxable(self, order):
        return Taxable("On water, as a file", SupplyKind.PUBLICATION)

    def delivery(self, order):
        return Delivery(order.user_id in self.readers, Onward("/library", "Read it"), ["Enjoy."])


@pytest.fixture
def book(app):
    declared = app.extensions[EXTENSION].declared["products"]
    declared["book"] = Book()
    yield declared["book"]
    del declared["book"]


def order_it(book: Book, user, gateway: str | None = "stripe", **more) -> Order:
    item = book.find(BOOK, user, None)
    return orders.order_item(item, user, gateway, item.prices["CAD"], **more)


def told() -> dict[str, int]:
    return {found.account: found.amount.minor for found in balances() if found.amount}


def test_money_that_comes_delivers_what_was_bought_and_is_earned_at_once(stripe, book):
    make_seller()
    reader = make_user(country="BO")
    order = order_it(book, reader, country="BO")
    db.session.commit()

    payments.take_payment(order, "stripe", "pi_1", order.total)
    payments.take_payment(order, "stripe", "pi_1", order.total)  # told twice
    db.session.commit()

    assert book.readers == {reader.id}
    assert order.state == OrderState.PAID
    assert order.receipt is not None
    assert told() == {"Assets:Clearing:Stripe": 4_000, "Income:Publications": 4_000}
    [line] = db.session.query(Invoice).one().lines
    assert line.description == "On water, as a file"
    assert db.session.query(Enrolment).count() == 0
    assert not check.unexplained()


def test_a_refund_takes_it_back_and_the_ledger_says_so(stripe, book):
    order = order_it(book, make_user())
    payment = payments.take_payment(order, "stripe", "pi_1", order.total)

    [refund] = refunds.refund_order(order, RefundReason.BY_BUYER)
    refunds.settle_refund(refund, "re_1")

    assert book.readers == set()
    assert order.state == OrderState.REFUNDED
    assert not payment.remaining
    assert told() == {"Income:Publications": 4_000, "Income:Refunds": -4_000}
    assert not check.unexplained()


def test_money_that_comes_too_late_goes_back(stripe, book):
    order = order_it(book, make_user())
    book.is_gone = True

    payment = payments.take_payment(order, "stripe", "pi_1", order.total)

    assert payment.exception == PaymentException.SEAT_GONE
    assert [refund.amount for refund in order.refunds] == [order.total]
    assert book.readers == set()


def test_what_costs_nothing_is_delivered_at_once(app, book):
    book.prices = {"CAD": Money(0, "CAD")}
    reader = make_user()

    order = order_it(book, reader, None)

    assert order.state == OrderState.PAID
    assert book.readers == {reader.id}
    assert not check.unexplained()


def test_the_same_is_ordered_once_and_given_up_when_time_is_over(stripe, book):
    reader = make_user()
    first = order_it(book, reader)
    assert order_it(book, reader).id == first.id
    assert book.held == {first.id}

    with clock.set_to(clock.now() + timedelta(hours=2)):
        orders.expire_order(first)

    assert first.state == OrderState.EXPIRED
    assert book.held == set()
    assert order_it(book, reader).id != first.id


def test_a_price_that_changed_meanwhile_is_not_charged(stripe, book):
    item = book.find(BOOK, make_user(), None)

    with pytest.raises(QuoteChanged):
        orders.order_item(item, make_user(), "stripe", Money(3_999, "CAD"))
    with pytest.raises(QuoteChanged):
        orders.order_item(item, make_user(), "stripe", Money(4_000, "EUR"))


def buy(browser, **typed: str):
    """Look at the page and send back what it showed."""
    page = browser.get(f"/buy/book/{BOOK}")
    shown = re.search(r'name="shown"[^>]*value="([^"]*)"', page.text)
    data = {"country": "BO", "currency": "CAD", "gateway": "stripe", "shown": shown[1]}
    return browser.post(f"/buy/book/{BOOK}", data=data | typed)


def test_somebody_buys_it_by_the_pages_alone(stripe, book, signed_in):
    reader = make_user()
    browser = signed_in(reader)

    answer = buy(browser)
    assert answer.status_code == 303
    stripe.pay(answer.location)
    stripe.deliver()

    assert book.readers == {reader.id}
    order = db.session.query(Order).one()
    page = browser.get(f"/orders/{order.uuid}").text
    assert "On water" in page
    assert "Read it" in page
    assert "On water" in browser.get("/orders").text
    assert browser.get(f"/buy/book/{BOOK}").location.endswith(f"/orders/{order.uuid}")
    assert browser.get(f"/orders/{order.uuid}/receipt.pdf").status_code == 200
    manager = signed_in(make_administrator())
    for address in (f"/orders/{order.uuid}", "?course=0", "/exceptions"):
        assert manager.get(f"/admin/payments{address}").status_code == 200
    assert "On water" in manager.get("/admin/payments?course=0").text
    assert "On water" in manager.get("/admin/reports/paid-orders").text


def test_what_was_typed_stays_when_the_price_changed(stripe, book, signed_in):
    browser = signed_in(make_user())

    answer = buy(browser, shown="100 CAD", organisation="Alcaldía de Tarija")

    assert answer.status_code == QuoteChanged.status
    assert "Alcaldía de Tarija" in answer.text
    assert db.session.query(Order).count() == 0


@pytest.mark.parametrize("shown", ["", "much", "4000", "4000 CAD CAD", "-1 CAD"])
def test_a_price_that_nobody_showed_is_refused(stripe, book, signed_in, shown):
    answer = buy(signed_in(make_user()), shown=shown)

    assert answer.status_code == QuoteChanged.status
    assert db.session.query(Order).count() == 0


def test_no_money_is_taken_from_where_none_may_come(stripe, book, signed_in):
    db.session.add(
        PriceException(
            country="CU", tier=None, reason={"en": "Sanctions"}, valid_from=date(2020, 1, 1)
        )
    )
    db.session.commit()

    answer = buy(signed_in(make_user()), country="CU")

    assert answer.status_code >= 400
    assert db.session.query(Order).count() == 0


def test_strangers_signed_in_first_and_what_is_not_sold_is_not_found(app, book, signed_in, client):
    assert client.get(f"/buy/book/{BOOK}").status_code in (302, 303, 401)
    browser = signed_in(make_user())
    assert browser.get(f"/buy/book/{uuid.uuid4()}").status_code == 404
    assert browser.get(f"/buy/car/{BOOK}").status_code == 404
    assert browser.get(f"/buy/place/{BOOK}").status_code == 404


def test_an_order_of_somebody_else_says_nothing(stripe, book, signed_in):
    order = order_it(book, make_user())
    db.session.commit()

    assert signed_in(make_user()).get(f"/orders/{order.uuid}").status_code in (403, 404)
    assert queries.find_settled_item("book", BOOK) is None
