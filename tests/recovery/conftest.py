from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import SecretStr

from lms.core import clock
from lms.core.money import Money
from lms.courses.models import CourseRun
from lms.payments.models import Order, Refund, RefundReason
from lms.payments.services import bookkeeping, orders, payments, refunds
from tests.doubles.stripe import API_KEY
from tests.factories.accounts import make_administrator, make_user
from tests.factories.courses import make_course
from tests.factories.payments import make_paid_run

MONDAY = date(2027, 3, 1)
PRICE = Money(10_000, "CAD")


@pytest.fixture(autouse=True)
def cards(app, settings):
    """Cards can be chosen; nobody is asked for the money here."""
    app.extensions["settings"] = settings.model_copy(
        update={"stripe_secret_key": SecretStr(API_KEY)}
    )
    yield
    app.extensions["settings"] = settings


@pytest.fixture
def admin(app):
    return make_administrator(name="Admin Istrator")


@pytest.fixture
def run(app) -> CourseRun:
    """Three weeks from a Monday, for 100 dollars."""
    return make_paid_run(
        make_course(title={"en": "Maps", "es": "Mapas"}),
        price=PRICE, starts_on=MONDAY, ends_on=MONDAY + timedelta(days=20), time_zone="UTC",
    )  # fmt: skip


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


@pytest.fixture
def pay(app) -> Callable[..., Order]:
    """Let somebody buy a place and pay for it, on a day."""
    numbers = iter(range(1, 1000))

    def deed(run: CourseRun, on: date = MONDAY - timedelta(days=9), country: str = "BO") -> Order:
        with clock.set_to(noon(on)):
            order = orders.place_order(run, make_user(country=country), "stripe", country=country)
            payments.take_payment(order, "stripe", f"pi_recovery_{next(numbers)}", order.total)
        return order

    return deed


def give_back(order: Order, minor: int, on: date) -> Refund:
    with clock.set_to(noon(on)):
        [payment] = order.payments
        amount = Money(minor, payment.currency)
        refund = refunds.request_refund(payment, amount, RefundReason.BY_ADMINISTRATOR)
        refunds.settle_refund(refund, f"re_recovery_{refund.id}")
    return refund


def teach(run: CourseRun, until: date) -> None:
    with clock.set_to(noon(until)):
        bookkeeping.earn_weeks(run)
