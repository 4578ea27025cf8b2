"""Shown = quoted = charged = invoiced = posted, over generated baskets."""

from __future__ import annotations

from functools import partial
from random import Random

import pytest
from pydantic import SecretStr
from sqlalchemy import delete, select

from lms.accounts.models import User
from lms.core.db import db
from lms.core.money import Money
from lms.courses.models import CourseRun
from lms.invoicing.services.invoices import find_invoice, taxes_of
from lms.ledger.models import LedgerEntry
from lms.ledger.services import check
from lms.payments.basket_models import BasketLine
from lms.payments.errors import VoucherRefused
from lms.payments.gateways.stripe import session_params
from lms.payments.gateways.stripe_amounts import from_stripe
from lms.payments.models import Order
from lms.payments.services import baskets, purchases
from lms.payments.services.terms import Billing
from lms.pricing.models import RunChoice
from tests.conftest import DATABASE
from tests.doubles.stripe import API_KEY
from tests.factories.accounts import make_user
from tests.factories.invoicing import make_seller
from tests.factories.payments import make_paid_run, make_voucher
from tests.factories.pricing import make_agreement, make_amounts, make_role, make_tiers

# Each holds one to four things with prices of their own; the rules are those of one database, the
# other one shows that it carries them.
BASKETS = 5_000 if DATABASE == "sqlite" else 100
THINGS = [1] * 27 + [2, 3, 4]  # most people buy one
CURRENCIES = ["CAD", "USD", "BOB", "PEN", "COP", "CLP"]
PLACES = [
    ("CA", "ON"), ("CA", "QC"), ("CA", "BC"), ("CA", "NS"), ("BO", ""), ("PE", ""), ("UG", ""),
]  # fmt: skip


@pytest.fixture
def shop(app, settings):
    """Runs, buyers and vouchers of many kinds; the seller is registered for tax."""
    app.extensions["settings"] = settings.model_copy(
        update={"stripe_secret_key": SecretStr(API_KEY)}
    )
    yield Shop(Random(2_027))
    app.extensions["settings"] = settings


class Shop:
    """What is sold, and to whom."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        make_tiers()
        make_seller()
        self.runs = [self._run(number) for number in range(80)]
        organisations = [self._organisation() for _number in range(6)]
        self.buyers = [self._buyer(organisations) for _number in range(240)]
        self.vouchers = [self._voucher() for _number in range(12)]
        self.bought: set[tuple[int, int]] = set()

    def _run(self, number: int) -> CourseRun:
        chance = self.chance
        price = Money(chance.randint(20, 900) * 1_000, CURRENCIES[number % 3])
        run = make_paid_run(price=price)
        for code in chance.sample(CURRENCIES, 4):
            tiers = sorted((chance.randint(10, 900) * 100 for _tier in range(4)), reverse=True)
            names = ("high", "upper_middle", "lower_middle", "low")
            make_amounts(run, code, **dict(zip(names, tiers, strict=True)))
        if chance.random() < 0.1:
            db.session.add(RunChoice(run_id=run.id, minimum_percent=30, suggested_percent=100))
        return run

    def _organisation(self) -> object:
        terms = {"percent": self.chance.randint(1, 60), "is_stackable": self.chance.random() < 0.5}
        organisation = make_role(make_user(), country=self.chance.choice(["BO", "PE", "CA"]))
        make_agreement(organisation, **terms)
        return organisation

    def _buyer(self, organisations: list) -> tuple[User, str, str]:
        country, province = self.chance.choice(PLACES)
        buyer = make_user(country=country)
        if self.chance.random() < 0.3:
            make_role(buyer, self.chance.choice(organisations))
        return buyer, country, province

    def _voucher(self) -> str:
        if self.chance.random() < 0.3:
            off = Money(self.chance.randint(1, 200) * 100, self.chance.choice(CURRENCIES))
            return make_voucher(off=off).code
        return make_voucher(percent=self.chance.choice([5, 15, 33, 50, 99, 100])).code

    def fill(self, buyer: User) -> int:
        """Put one to four runs into the basket that this buyer does not have; how many."""
        db.session.execute(delete(BasketLine).where(BasketLine.user_id == buyer.id))
        free = [run for run in self.runs if (buyer.id, run.id) not in self.bought]
        wanted = self.chance.sample(free, min(len(free), self.chance.choice(THINGS)))
        for run in wanted:
            baskets.add_run(buyer, run)
        return len(wanted)


def buy(shop: Shop, number: int) -> list[Order]:
    """Look, order, pay on the service's page; nothing where no currency has all prices."""
    chance = shop.chance
    buyer, country, province = chance.choice(shop.buyers)
    if not shop.fill(buyer):
        return []
    code = chance.choice(shop.vouchers) if chance.random() < 0.4 else ""
    look = partial(baskets.show_basket, buyer, country, chance.choice([None, *CURRENCIES]))
    try:
        shown = look(code)
    except VoucherRefused:
        code, shown = "", look()
    if not shown.can_buy:
        return []
    currency = shown.currency
    told = {one.line.run_id: one.price for one in shown.lines}

    purchase = baskets.order_basket(
        buyer, "stripe", shown.tickets(buyer),
        country=country, currency=currency, voucher_code=code, billing=Billing(province=province),
    )  # fmt: skip
    found = list(purchase.orders)
    shop.bought |= {(buyer.id, one.run_id) for one in found}
    assert {one.run_id: one.total for one in found} == told, "shown is ordered"
    if shown.total:
        asked = session_params(purchase)["line_items"]
        charged = [from_stripe(one["price_data"]["unit_amount"], currency.lower()) for one in asked]
        assert Money(sum(one.minor for one in charged), currency) == shown.total, "charged"
        purchases.take_money(purchase, "stripe", f"pi_generated_{number}", shown.total)
    return found


def compare(order: Order) -> None:
    """One order from its quote to the ledger."""
    total = order.total
    assert order.quote.total == total == Money(order.quote.steps[-1]["after"], order.currency)
    assert order.state == "paid"
    assert [one.amount for one in order.payments] == ([total] if total else [])
    invoice, posted = find_invoice(f"order:{order.id}"), postings_of(f"order:{order.id}", "sale")
    assert invoice is not None
    if not total:
        assert (invoice.gross, posted) == (total, {})
        return
    assert (invoice.gross, invoice.net + sum_of_taxes(invoice)) == (total, total), "invoiced"
    taxes = {f"Liabilities:Tax:{where}": -tax.minor for where, tax in taxes_of(invoice).items()}
    assert posted == {
        "Assets:Receivable": total.minor, "Liabilities:Deferred": -invoice.net.minor, **taxes
    }, "posted"  # fmt: skip
    paid = postings_of(f"payment:{order.payments[0].id}", "payment")
    assert paid == {"Assets:Clearing:Stripe": total.minor, "Assets:Receivable": -total.minor}


def sum_of_taxes(invoice) -> Money:
    return Money(sum(tax.minor for tax in taxes_of(invoice).values()), invoice.currency)


def postings_of(source: str, kind: str) -> dict[str, int]:
    entry = db.session.scalar(
        select(LedgerEntry).where(LedgerEntry.source == source, LedgerEntry.kind == kind)
    )
    return {one.account: one.amount_minor for one in entry.postings} if entry else {}


@pytest.mark.slow
def test_shown_is_quoted_is_charged_is_invoiced_is_posted(shop):
    filled = orders = free = number = 0
    while filled < BASKETS:
        number += 1
        bought = buy(shop, number)
        filled += bool(bought)
        for order in bought:
            compare(order)
            orders, free = orders + 1, free + (not order.total)
        if number % 50 == 0:
            db.session.commit()
            db.session.expire_all()

    assert orders > BASKETS
    assert free < orders / 10
    assert check.unexplained() == []
