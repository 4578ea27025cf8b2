"""Revenue: the figures are the ledger's, to the minor unit."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from lms.core.db import db
from lms.core.money import Money
from lms.payments import queries
from lms.payments.models import Order, Payment, Refund, RefundState
from tests.factories.accounts import make_user
from tests.factories.courses import make_course
from tests.factories.payments import make_order, make_paid_run, make_payment, make_refund

JANUARY = datetime(2027, 1, 31, 23, 30, tzinfo=UTC)


@pytest.fixture
def sold(app):
    """Two courses, three runs, two currencies, three countries; some money went back."""
    course, other = make_course(), make_course()
    runs = [
        make_paid_run(course, price=Money(12_000, "CAD")),
        make_paid_run(course, price=Money(9_999, "BOB")),
        make_paid_run(other, price=Money(45_000, "CLP")),
    ]
    for number in range(12):
        order = make_order(
            runs[number % 3],
            make_user(),
            state="paid",
            country=["BO", "PE", None][number % 2 if number < 9 else 2],
            paid_at=JANUARY,
        )
        payment = make_payment(order, received_at=JANUARY + timedelta(days=number))
        if number % 4 == 0:
            done_at = JANUARY + timedelta(days=number + 20)
            make_refund(payment, payment.amount_minor // 3, done_at=done_at)
        if number % 5 == 0:
            make_refund(payment, 7, state=RefundState.REQUESTED, done_at=None)
    return runs


def test_figures_reconcile_with_the_ledger_in_every_breakdown(sold):
    paid = Counter(
        dict(
            map(
                tuple,
                db.session.execute(
                    select(Payment.currency, func.sum(Payment.amount_minor)).group_by(
                        Payment.currency
                    )
                ),
            )
        )
    )
    back = Counter(
        dict(
            map(
                tuple,
                db.session.execute(
                    select(Refund.currency, func.sum(Refund.amount_minor))
                    .where(Refund.state == RefundState.DONE)
                    .group_by(Refund.currency)
                ),
            )
        )
    )
    for by in ((), ("period",), ("course",), ("run",), ("country",), ("period", "run", "country")):
        rows = queries.revenue(by)
        assert len({(row.key, row.currency) for row in rows}) == len(rows)
        for currency in paid:
            mine = [row for row in rows if row.currency == currency]
            assert sum(row.paid.minor for row in mine) == paid[currency]
            assert sum(row.refunded.minor for row in mine) == back[currency]
            assert sum(row.net.minor for row in mine) == paid[currency] - back[currency]
    assert sum(row.orders for row in queries.revenue(("run",))) == 12


def test_figures_agree_with_the_lines_behind_them(sold):
    for row in queries.revenue(("run", "country")):
        run_id, country = row.key
        lines = queries.ledger_lines(run_id=run_id, country=country or "", currency=row.currency)
        assert sum(line.amount.minor for line in lines) == row.net.minor
        assert len({line.order_id for line in lines if line.kind == "payment"}) == row.orders
        assert {line.run_id for line in lines} == {run_id}


def test_a_period_begins_at_midnight_of_the_wanted_zone(sold):
    utc = {row.key[0] for row in queries.revenue(("period",), currency="CAD")}
    la_paz = queries.revenue(("period",), currency="CAD", time_zone="America/La_Paz")
    tokyo = queries.revenue(("period",), currency="CAD", time_zone="Asia/Tokyo")

    assert utc == {date(2027, 1, 1), date(2027, 2, 1)}
    assert la_paz[0].key == (date(2027, 1, 1),)
    assert tokyo[0].key == (date(2027, 2, 1),)


@pytest.mark.parametrize(
    ("period", "first"),
    [
        ("day", date(2027, 1, 31)),
        ("week", date(2027, 1, 25)),
        ("month", date(2027, 1, 1)),
        ("quarter", date(2027, 1, 1)),
        ("year", date(2027, 1, 1)),
    ],
)
def test_periods_of_every_length(sold, period, first):
    rows = queries.revenue(("period",), period=period, currency="CAD")

    assert rows[0].key == (first,)
    assert sum(row.paid.minor for row in rows) == 4 * 12_000


def test_a_span_of_time_takes_in_its_first_instant_and_leaves_its_last(sold):
    first = JANUARY + timedelta(days=3)
    rows = queries.revenue((), since=JANUARY, until=first, currency="CAD")

    assert [row.paid.minor for row in rows] == [12_000]
    assert queries.revenue((), until=JANUARY) == []
    assert queries.revenue(("period",), until=JANUARY) == []


def test_what_went_back_for_a_wrong_payment_counts_as_zero(app):
    order = make_order(state="expired")
    make_refund(make_payment(order, amount_minor=777, exception="amount_differs"))

    [row] = queries.revenue()

    assert (row.paid.minor, row.refunded.minor, row.net.minor) == (777, 777, 0)


@pytest.mark.slow
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 10**10),
            st.floats(0, 1),
            st.integers(0, 900),
            st.sampled_from(["CAD", "CLP", "BOB"]),
        ),
        max_size=8,
    )
)
def test_any_history_sums_exactly(app, history):
    for model in (Refund, Payment, Order):
        db.session.execute(delete(model))
    expected: Counter[str] = Counter()
    run, ana = make_paid_run(), make_user()
    for minor, share, day, currency in history:
        order = make_order(run, ana, state="refunded", currency=currency)
        at = JANUARY + timedelta(days=day)
        payment = make_payment(order, amount_minor=minor, received_at=at)
        expected[currency] += minor
        back = int(minor * share)
        if back:
            make_refund(payment, back, done_at=at + timedelta(days=1))
            expected[currency] -= back

    for by in ((), ("period",), ("run", "period")):
        found: Counter[str] = Counter()
        for row in queries.revenue(by, period="week", time_zone="America/Santiago"):
            assert isinstance(row.net.minor, int)
            found[row.currency] += row.net.minor
        assert found == expected
