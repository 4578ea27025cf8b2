"""Ways of the partners tests: sign, pay, teach, give back, with the clock set."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from lms.core import clock
from lms.core.money import Money
from lms.partners.models import Basis, RefundsBorneBy
from lms.partners.services import agreements
from lms.partners.shares import PartyTerms, Terms
from lms.payments.models import RefundReason
from lms.payments.services import bookkeeping, orders, payments, refunds
from tests.factories.accounts import make_user
from tests.factories.directory import make_manager, make_organisation

MONDAY = date(2027, 3, 1)
PRICE = Money(10_000, "CAD")


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def percent(organisation, hundredths: int, **values) -> PartyTerms:
    return PartyTerms(organisation.id, percent_hundredths=hundredths, **values)


def terms(*parties: PartyTerms, basis=Basis.NET, borne_by=RefundsBorneBy.ALL) -> Terms:
    return Terms(basis, borne_by, "CAD", parties)


def agree(run, *parties: PartyTerms, on: date = MONDAY - timedelta(days=30), managers=(), **values):
    """An agreement that all have signed on a day."""
    with clock.set_to(noon(on)):
        version = agreements.write_agreement(
            run.course, None, terms(*parties, **values), on, make_user(is_administrator=True)
        )
        for manager in managers:
            agreements.sign(version, manager)
    return version


def partner(name: str, country: str = "BO"):
    """An institution with its manager."""
    organisation = make_organisation(slug=name, country=country)
    return organisation, make_manager(organisation)


def pay(run, on: date = MONDAY - timedelta(days=9), reference: str = "pi_1"):
    with clock.set_to(noon(on)):
        order = orders.place_order(run, make_user(country="BO"), "stripe", country="BO")
        payments.take_payment(order, "stripe", reference, order.total)
    return order


def give_back(order, minor: int, on: date, reference: str = "re_1"):
    with clock.set_to(noon(on)):
        [payment] = order.payments
        refund = refunds.request_refund(payment, Money(minor, "CAD"), RefundReason.BY_ADMINISTRATOR)
        refunds.settle_refund(refund, reference)
    return refund


def teach(run, until: date) -> None:
    with clock.set_to(noon(until)):
        bookkeeping.earn_weeks(run)
