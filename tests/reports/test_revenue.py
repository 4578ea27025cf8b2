"""What reports tell of money equals the orders, to the minor unit."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from lms.accounts.models import User
from lms.core.db import db
from lms.core.settings import settings as site_settings
from lms.ledger.queries import forget_known
from lms.payments.models import Order, Payment, Refund
from lms.payments.services import bookkeeping
from lms.reports.base import Filters, reports
from lms.reports.periods import add_months, last_day
from lms.reports.tables import each_row
from tests.factories.accounts import make_administrator
from tests.factories.courses import make_run

pytestmark = pytest.mark.needs("payments")

BY = ["month", "course", "run", "country", "currency", "rail"]
_numbers = itertools.count(1)

instants = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(  # noqa: DTZ001
    lambda moment: moment.replace(tzinfo=UTC, microsecond=0)
)
amounts = st.integers(1, 10**9)


@dataclass
class Paid:
    """What a generated order is made of; refunds: share of a hundred, when, state."""

    run: int
    currency: str
    country: str | None
    payments: list[tuple[int, datetime]]
    refunds: list[tuple[int, datetime, str]] = field(default_factory=list)


paid_orders = st.builds(
    Paid,
    run=st.integers(0, 2),
    currency=st.sampled_from(["CAD", "BOB", "CLP", "EUR"]),
    country=st.sampled_from(["BO", "CL", "CA", None]),
    payments=st.lists(st.tuples(amounts, instants), min_size=0, max_size=2),
    refunds=st.lists(
        st.tuples(st.integers(1, 50), instants, st.sampled_from(["done", "requested", "failed"])),
        max_size=2,
    ),
)


def save(paid: Paid, runs: list[int], user_id: int) -> None:
    first = paid.payments[0][0] if paid.payments else 1000
    order = Order(
        number=f"G-{next(_numbers)}",
        user_id=user_id,
        run_id=runs[paid.run],
        currency=paid.currency,
        amount_minor=first,
        total_minor=first,
        state="paid" if paid.payments else "expired",
        country=paid.country,
        language="en",
    )
    for minor, at in paid.payments:
        order.payments.append(
            Payment(
                gateway="stripe",
                reference=f"g-{next(_numbers)}",
                currency=paid.currency,
                amount_minor=minor,
                received_at=at,
            )
        )
    db.session.add(order)
    db.session.flush()
    for share, at, state in paid.refunds if paid.payments else []:
        back = max(1, first * share // 100)
        db.session.add(
            Refund(
                order_id=order.id,
                payment_id=order.payments[0].id,
                currency=paid.currency,
                amount_minor=back,
                reason="by_administrator",
                state=state,
                done_at=at if state == "done" else None,
            )
        )
    db.session.flush()


def sums_of_orders(filters: Filters) -> dict[str, list[int]]:
    """Paid and refunded by currency, straight from the orders."""
    zone = ZoneInfo(filters.time_zone)

    def counts(at: datetime | None) -> bool:
        day = at.astimezone(zone).date() if at else None
        return day is not None and (
            (filters.first is None or filters.first <= day)
            and (filters.last is None or day <= filters.last)
        )

    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for order in db.session.scalars(select(Order)):
        if filters.get("country") not in (None, order.country or "-"):
            continue
        if filters.number("run") not in (None, order.run_id):
            continue
        if filters.get("currency") not in (None, order.currency):
            continue
        paid = [p.amount_minor for p in order.payments if counts(p.received_at)]
        back = [r.amount_minor for r in order.refunds if r.state == "done" and counts(r.done_at)]
        if paid or back:
            sums[order.currency][0] += sum(paid)
            sums[order.currency][1] += sum(back)
            sums[order.currency][2] += bool(paid)
    return dict(sums)


@pytest.fixture
def shop(app):
    """The ids of three runs of two courses, and of a buyer."""
    first = make_run()
    runs = [first, make_run(first.course), make_run()]
    return [run.id for run in runs], make_administrator().id


@pytest.mark.slow
@pytest.mark.needs("recovery")
@given(
    orders=st.lists(paid_orders, max_size=12),
    first=st.none() | st.dates(date(2026, 1, 1), date(2027, 6, 1)),
    months=st.none() | st.integers(0, 20),
    country=st.sampled_from([None, None, "BO", "-"]),
    run=st.sampled_from([None, None, 0]),
    currency=st.sampled_from([None, None, "CLP"]),
)
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_what_was_collected_is_what_the_orders_say(
    shop, app, orders, first, months, country, run, currency
):
    runs, buyer_id = shop
    inner = db.session.begin_nested()
    try:
        for paid in orders:
            save(paid, runs, buyer_id)
        bookkeeping.book_missing()
        first = first.replace(day=1) if first else None
        last = last_day(add_months(first, months)) if first and months is not None else None
        buyer = db.session.get_one(User, buyer_id)
        chosen = runs[run] if run is not None else None
        filters = Filters(buyer, site_settings().default_time_zone, "en", first=first, last=last)
        filters = filters.narrowed(country=country, run=chosen, currency=currency)
        expected = {c: paid - back for c, (paid, back, _n) in sums_of_orders(filters).items()}
        for by in BY:
            collected: dict[str, int] = defaultdict(int)
            for row in each_row(reports[f"recovery-by-{by}"], filters):
                collected[row["currency"]] += row["collected"]
            assert {c: n for c, n in collected.items() if n} == {
                c: n for c, n in expected.items() if n
            }, by
    finally:
        inner.rollback()
        db.session.expunge_all()
        forget_known(db.session)
