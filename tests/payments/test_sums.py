"""Sums of what was sold say what the orders say, whatever happens and whenever they are made."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from sqlalchemy import func, select, text

from lms.core.db import db
from lms.core.money import Money
from lms.ledger.services import check
from lms.payments.models import DELIVERED, Order, OrderState, RefundState
from lms.payments.queries.sales import DIMENSIONS, MEASURES, Sold, sales
from lms.payments.services import orders, sums
from lms.payments.sum_models import NO_RUN, OrderMark, OrderSum
from lms.pricing.models import Quote
from tests.factories.accounts import make_administrator, make_user
from tests.factories.courses import make_course
from tests.factories.payments import make_order, make_paid_run, make_payment, make_refund

FIRST = datetime(2026, 11, 1, tzinfo=UTC)
LAST = datetime(2027, 3, 1, tzinfo=UTC)


def told(wanted: Sold) -> dict[tuple, tuple[int, ...]]:
    """What reports read, by all dimensions; without what sums to no order."""
    lines = sales(wanted)
    by = [lines.c[name] for name in DIMENSIONS]
    rows = db.session.execute(
        select(*by, *(func.sum(lines.c[name]) for name in MEASURES)).group_by(*by)
    )
    found = {tuple(row[:4]): tuple(map(int, row[4:])) for row in rows}
    return {key: values for key, values in found.items() if any(values)}


def said(wanted: Sold) -> dict[tuple, tuple[int, ...]]:
    """The same, order by order."""
    found: dict[tuple, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for order in db.session.scalars(select(Order).where(Order.state.in_(DELIVERED))):
        run_id = order.run_id or NO_RUN
        tier = order.quote.tier if order.quote else ""
        sold_at = order.sold_at
        is_wanted = (
            (wanted.since is None or wanted.since <= sold_at)
            and (wanted.until is None or sold_at < wanted.until)
            and wanted.run_id in (None, run_id)
            and wanted.country in (None, order.country or "")
            and wanted.currency in (None, order.currency)
            and wanted.tier in (None, tier)
        )
        if not is_wanted:
            continue
        price = order.run.price
        same = price.currency == order.currency
        back = sum(r.amount_minor for r in order.refunds if r.state == RefundState.DONE)
        line = found[run_id, order.currency, tier, order.country or ""]
        listed = price.minor if same else order.total_minor
        for index, value in enumerate((1, listed, order.total_minor, back)):
            line[index] += value
    return {key: tuple(values) for key, values in found.items()}


class Life:
    """What happens to orders, one thing after the other, by chance."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        course = make_course()
        self.runs = [make_paid_run(course), make_paid_run(), make_paid_run(price=Money(900, "BOB"))]
        self.orders: list[Order] = []

    def instant(self) -> datetime:
        return FIRST + (LAST - FIRST) * self.chance.random()

    def sell(self) -> None:
        run, at = self.chance.choice(self.runs), self.instant()
        currency = self.chance.choice(["CAD", "BOB"])
        tier = self.chance.choice(["high", "low", None])
        quote = None
        if tier:
            quote = Quote(
                run_id=run.id, tier=tier, currency=currency, price_minor=500, total_minor=500,
                steps=[], expires_at=at,
            )  # fmt: skip
            db.session.add(quote)
            db.session.flush()
        waits = self.chance.random() < 0.3
        order = make_order(
            run,
            make_user(),
            quote_id=quote.id if quote else None,
            currency=currency,
            country=self.chance.choice(["BO", "CA", None]),
            state=OrderState.PENDING if waits else OrderState.PAID,
            paid_at=None if waits else at,
            created_at=at,
        )
        make_payment(order, received_at=at)
        self.orders.append(order)

    def change(self) -> None:
        """Something that happens to an order that is there."""
        if not self.orders:
            return
        order, chance = self.chance.choice(self.orders), self.chance
        match chance.choice(["paid", "owed", "refund", "state", "run", "country", "price"]):
            case "paid" if order.state == OrderState.PENDING:
                orders.change_state(
                    order, OrderState.PAID, [OrderState.PENDING], paid_at=self.instant()
                )
            case "owed" if order.state == OrderState.PENDING:
                orders.change_state(
                    order, OrderState.OWED, [OrderState.PENDING], delivered_at=self.instant()
                )
            case "refund":
                refund = make_refund(order.payments[0], chance.randint(1, 90), state="requested")
                if chance.random() < 0.7:
                    refund.state = RefundState.DONE
            case "state" if order.state in DELIVERED:
                orders.change_state(order, OrderState.REFUNDED, DELIVERED)
            case "run":
                order.run = chance.choice(self.runs)
            case "country":
                order.country = chance.choice(["BO", "PE", None])
            case "price":
                run = chance.choice(self.runs)
                run.price = Money(chance.randint(100, 9_000), run.price.currency)
        db.session.flush()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_sums_say_what_the_orders_say_whenever_they_are_made(app, seed):
    life = Life(seed)
    for number in range(60):
        if life.chance.random() < 0.4:
            life.sell()
        else:
            life.change()
        if life.chance.random() < 0.15:
            sums.count_orders()
        if number % 5 == 4:
            db.session.expire_all()
            since, until = sorted([life.instant(), life.instant()])
            for wanted in (
                Sold(),
                Sold(since=since),
                Sold(until=until),
                Sold(since, until),
                Sold(since, until, run_id=life.runs[0].id),
                Sold(country=""),
                Sold(since, currency="BOB", tier="low"),
            ):
                assert told(wanted) == said(wanted)

    sums.count_orders()
    assert db.session.scalar(select(func.count()).select_from(OrderMark)) == 0
    assert told(Sold()) == said(Sold())
    assert list(sums.differing_sums()) == []


def test_a_sum_that_was_changed_is_found_by_the_check(app):
    make_order(make_paid_run(), state=OrderState.PAID, paid_at=FIRST)
    sums.count_orders()
    db.session.execute(text("UPDATE order_sums SET charged_minor = charged_minor - 1"))

    [found] = [one for one in check.unexplained() if one.where.startswith("order_sums")]

    assert found.amount == Money(1, "CAD")


def test_only_runs_with_a_change_are_counted_again(app):
    run, other = make_paid_run(), make_paid_run()
    for one in (run, other):
        make_order(one, state=OrderState.PAID, paid_at=FIRST)
    sums.count_orders()
    db.session.execute(text("UPDATE order_sums SET orders = 7"))
    make_order(run, state=OrderState.PAID, paid_at=FIRST + timedelta(hours=1))
    make_order(other)  # nobody paid yet: nothing is sold

    sums.count_orders()

    counted = dict(db.session.execute(select(OrderSum.run_id, OrderSum.orders)).all())
    assert counted == {run.id: 2, other.id: 7}


@pytest.mark.parametrize("is_counted", [False, True])
def test_each_tier_opens_the_orders_that_add_up_to_it(app, signed_in, is_counted):
    run = make_paid_run()
    for tier, minor in (("low", 3_000), ("low", 3_000), ("high", 12_000)):
        quote = Quote(
            run_id=run.id, tier=tier, currency="CAD", price_minor=minor, total_minor=minor,
            steps=[], expires_at=FIRST,
        )  # fmt: skip
        db.session.add(quote)
        db.session.flush()
        make_order(
            run, state=OrderState.PAID, paid_at=FIRST, quote_id=quote.id, amount_minor=minor,
            total_minor=minor,
        )  # fmt: skip
    if is_counted:
        sums.count_orders()
    browser = signed_in(make_administrator())

    page = browser.get("/admin/reports/paid-orders?period=all&tier=low").text

    assert page.count("P-2020-") == 2
    assert "CAD 60.00" in page
    assert "CAD 120.00" not in page
