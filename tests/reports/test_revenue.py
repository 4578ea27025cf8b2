"""The figures of revenue equal the orders, to the minor unit."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from lms.accounts.models import User
from lms.core.db import db
from lms.core.money import Money
from lms.payments.models import Order, Payment, Refund
from lms.reports.base import Filters, reports
from lms.reports.tables import each_row, read_table
from tests.factories.accounts import make_administrator
from tests.factories.courses import make_run

pytestmark = pytest.mark.needs("payments")

REVENUE = [
    "revenue-by-month",
    "revenue-by-course",
    "revenue-by-run",
    "revenue-by-country",
    "revenue-by-currency",
    "paid-orders",
]
ZONES = ["America/La_Paz", "America/Santiago", "Europe/Paris", "Pacific/Auckland", "UTC"]
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


def sums_of_report(name: str, filters: Filters) -> dict[str, list[int]]:
    table = read_table(reports[name], filters)
    return {
        total.currency: [total.values["paid"], total.values["refunded"]] for total in table.totals
    }


@pytest.fixture
def shop(app):
    """The ids of three runs of two courses, and of a buyer."""
    first = make_run()
    runs = [first, make_run(first.course), make_run()]
    return [run.id for run in runs], make_administrator().id


@pytest.mark.slow
@given(
    orders=st.lists(paid_orders, max_size=12),
    zone=st.sampled_from(ZONES),
    first=st.none() | st.dates(date(2026, 1, 1), date(2027, 6, 1)),
    days=st.none() | st.integers(0, 700),
    country=st.sampled_from([None, None, "BO", "-"]),
    run=st.sampled_from([None, None, 0]),
    currency=st.sampled_from([None, None, "CLP"]),
)
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_every_report_adds_up_to_the_orders(
    shop, orders, zone, first, days, country, run, currency
):
    runs, buyer_id = shop
    inner = db.session.begin_nested()
    try:
        for paid in orders:
            save(paid, runs, buyer_id)
        filters = Filters(
            db.session.get_one(User, buyer_id),
            zone,
            "en",
            first=first,
            last=first + timedelta(days=days) if first and days is not None else None,
        ).narrowed(country=country, run=runs[run] if run is not None else None, currency=currency)
        compare(filters)
    finally:
        inner.rollback()
        db.session.expunge_all()


def compare(filters: Filters) -> None:
    """All reports with these filters, their rows and their totals, equal the orders."""
    expected = sums_of_orders(filters)
    nets = {code: paid - back for code, (paid, back, _count) in expected.items()}

    for name in REVENUE:
        assert sums_of_report(name, filters) == {c: s[:2] for c, s in expected.items()}, name
        rows = list(each_row(reports[name], filters))
        for code, (_paid, _back, count) in expected.items():
            of_currency = [row for row in rows if row["currency"] == code]
            assert sum(row["net"] for row in of_currency) == nets[code]
            if name not in ("paid-orders", "revenue-by-month"):
                assert sum(row["orders"] for row in of_currency) == count
    if filters.get("country") is None:
        totals = read_table(reports["run-results"], filters).totals
        found = totals[0].values if totals else {}
        assert {code: found[f"net_{code}"] for code in nets} == nets


def test_a_month_begins_at_midnight_of_the_reader(app, shop):
    runs, admin_id = shop
    admin = db.session.get_one(User, admin_id)
    at = datetime(2027, 3, 1, 2, tzinfo=UTC)  # still February in La Paz
    save(Paid(0, "CLP", "CL", [(5000, at)]), runs, admin.id)

    def months(zone: str) -> list[str]:
        rows = each_row(reports["revenue-by-month"], Filters(admin, zone, "en"))
        return [row["month"] for row in rows]

    assert months("America/La_Paz") == ["2027-02-01"]
    assert months("Europe/Paris") == ["2027-03-01"]


def test_what_lies_behind_a_figure_adds_up_to_it(app, shop):
    runs, admin_id = shop
    admin = db.session.get_one(User, admin_id)
    february, march = (datetime(2027, month, 10, tzinfo=UTC) for month in (2, 3))
    save(Paid(0, "CAD", "BO", [(9000, february)], [(50, march, "done")]), runs, admin.id)
    save(Paid(1, "CAD", "BO", [(4000, march)]), runs, admin.id)
    save(Paid(0, "CLP", "CL", [(7000, march)]), runs, admin.id)
    filters = Filters(admin, "UTC", "en")

    for name in REVENUE[:5]:
        report = reports[name]
        for row in each_row(report, filters):
            [total] = read_table(reports["paid-orders"], report.behind(row, filters)).totals
            assert total.currency == row["currency"]
            assert (total.values["paid"], total.values["refunded"], total.values["net"]) == (
                row["paid"],
                row["refunded"],
                row["net"],
            )
    cad = Money(9000 - 4500 + 4000, "CAD").minor
    figures = reports["revenue-by-month"].statement(filters.narrowed(currency="CAD"))
    assert sum(row.net for row in db.session.execute(figures)) == cad
