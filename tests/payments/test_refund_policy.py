"""How much comes back: each boundary day, in the run's own zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.payments.errors import PolicyRefused
from lms.payments.services import leaving
from lms.payments.services.refund_policy import (
    Dates,
    Policy,
    Why,
    add_policy,
    amount_back,
    first_day_of_nothing,
    present_row,
)
from lms.payments.terms_models import RefundPolicy
from tests.factories.accounts import make_administrator
from tests.factories.payments import make_paid_order, make_paid_run

MONDAY = date(2027, 3, 1)
FIVE_WEEKS = Dates(MONDAY, MONDAY + timedelta(days=34))
POLICY = Policy(fee_caps={"CAD": 5_000, "CLP": 30_000})
PRICE = Money(100_000, "CAD")


def after(days: int, price: Money = PRICE, dates: Dates = FIVE_WEEKS, **more):
    back = amount_back(POLICY, dates, MONDAY + timedelta(days=days), price, **more)
    return back.amount.minor, back.why


@pytest.mark.parametrize(
    ("days", "minor", "why"),
    [
        (-90, 100_000, Why.BEFORE_START),
        (-1, 100_000, Why.BEFORE_START),
        (0, 95_000, Why.PART),  # all five weeks, less 50.00: ten per cent would be more
        (6, 95_000, Why.PART),
        (7, 75_000, Why.PART),  # four weeks
        (13, 75_000, Why.PART),
        (14, 55_000, Why.PART),  # three weeks
        (20, 55_000, Why.PART),
        (21, 0, Why.TOO_LATE),  # three weeks of five are over: 60 %
        (34, 0, Why.TOO_LATE),
        (35, 0, Why.TOO_LATE),
        (400, 0, Why.TOO_LATE),
    ],
)
def test_what_comes_back_on_each_boundary_day(days, minor, why):
    assert after(days) == (minor, why)


def test_the_fee_is_ten_per_cent_where_that_is_less_than_its_cap():
    assert after(0, Money(40_000, "CAD")) == (36_000, Why.PART)
    assert after(0, Money(50_000, "CAD")) == (45_000, Why.PART)
    assert after(0, Money(50_010, "CAD")) == (45_010, Why.PART)
    assert after(0, Money(400_000, "CLP")) == (370_000, Why.PART)
    assert after(0, Money(20_000, "BOB")) == (18_000, Why.PART)  # no cap is written down


def test_amounts_are_rounded_half_up():
    dates = Dates(MONDAY, MONDAY + timedelta(days=20))

    assert after(7, Money(101, "CAD"), dates) == (60, Why.PART)  # 67.33 -> 67, less 6.7 -> 7


def test_a_part_of_a_week_is_a_week():
    dates = Dates(MONDAY, MONDAY + timedelta(days=8))

    assert dates.weeks == 2
    assert after(7, dates=dates) == (45_000, Why.PART)
    assert after(9, dates=dates) == (0, Why.TOO_LATE)


def test_all_comes_back_when_we_cancel_at_any_time():
    dates = Dates(FIVE_WEEKS.starts_on, FIVE_WEEKS.ends_on, is_cancelled=True)

    assert after(30, dates=dates) == (100_000, Why.CANCELLED)


def test_all_comes_back_when_the_run_is_moved_beyond_the_limit():
    assert after(0, agreed_start=MONDAY - timedelta(days=14)) == (95_000, Why.PART)
    assert after(0, agreed_start=MONDAY - timedelta(days=15)) == (100_000, Why.MOVED)
    assert after(6, agreed_start=MONDAY - timedelta(days=15)) == (100_000, Why.MOVED)
    assert after(7, agreed_start=MONDAY - timedelta(days=15)) == (75_000, Why.PART)
    assert after(-1, agreed_start=MONDAY - timedelta(days=15)) == (100_000, Why.MOVED)


def test_more_never_comes_back_later_nor_more_than_was_paid():
    for weeks in range(1, 13):
        dates = Dates(MONDAY, MONDAY + timedelta(days=7 * weeks - 3))
        seen = [after(day, Money(99_999, "CAD"), dates)[0] for day in range(-3, 7 * weeks + 3)]
        assert seen == sorted(seen, reverse=True)
        assert (seen[0], seen[-1]) == (99_999, 0)
        first = first_day_of_nothing(POLICY, dates)
        assert after((first - MONDAY).days, dates=dates)[1] == Why.TOO_LATE
        assert after((first - MONDAY).days - 1, dates=dates)[1] == Why.PART


@pytest.mark.parametrize(
    ("zone", "instant", "why"),
    [
        ("Pacific/Auckland", datetime(2027, 2, 28, 10, 59, tzinfo=UTC), Why.BEFORE_START),
        ("Pacific/Auckland", datetime(2027, 2, 28, 11, 0, tzinfo=UTC), Why.PART),
        ("America/La_Paz", datetime(2027, 3, 1, 3, 59, tzinfo=UTC), Why.BEFORE_START),
        ("America/La_Paz", datetime(2027, 3, 1, 4, 0, tzinfo=UTC), Why.PART),
    ],
)
def test_the_day_is_that_of_the_runs_zone(app, zone, instant, why):
    run = make_paid_run(starts_on=MONDAY, ends_on=MONDAY + timedelta(days=34), time_zone=zone)
    order = make_paid_order(run)

    with clock.set_to(instant):
        assert leaving.back_for(order).why == why


def test_a_policy_holds_from_its_day_on_and_is_never_written_for_the_past(app):
    by = make_administrator()

    def policy(day: date) -> RefundPolicy:
        return RefundPolicy(
            starts_on=day, fee_percent=5, fee_caps={}, nothing_after_percent=50, moved_days=7
        )

    with clock.set_to(datetime(2027, 3, 1, 18, tzinfo=UTC)):
        add_policy(policy(date(2027, 3, 1)), by)
        add_policy(policy(date(2027, 4, 1)), by)
        for day in (date(2027, 2, 28), date(2027, 4, 1)):
            with pytest.raises(PolicyRefused):
                add_policy(policy(day), by)
        assert present_row().starts_on == date(2027, 3, 1)
    assert present_row(date(2027, 2, 28)) is None
    assert present_row(date(2027, 4, 1)).starts_on == date(2027, 4, 1)
    db.session.rollback()
