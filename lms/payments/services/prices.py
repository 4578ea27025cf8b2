"""What a buyer is shown at the checkout: the price on their terms, with their voucher."""

from __future__ import annotations

from dataclasses import dataclass

from lms.accounts.models import User
from lms.core.money import Money
from lms.courses.models import CourseRun
from lms.payments.errors import VoucherRefused
from lms.payments.models import Order, Voucher
from lms.payments.services.grants import find_grant
from lms.payments.services.vouchers import offer_of, usable_voucher
from lms.pricing.services.quotes import Calculation, PriceBook, Terms, calculate
from lms.scholarships.models import Application
from lms.scholarships.queries import find_award
from lms.scholarships.services import awards


@dataclass(frozen=True)
class Wishes:
    """What a buyer says: country, currency, how much where people choose, and a voucher."""

    country: str | None = None
    currency: str | None = None
    chosen: Money | None = None
    voucher_code: str = ""


@dataclass(frozen=True)
class ShownTotal:
    """The price as it is shown. calculation: None where the price is on request.

    award: the scholarship that the buyer has at a price in this currency.
    """

    terms: Terms
    calculation: Calculation | None
    voucher: Voucher | None
    award: Application | None = None


def terms_for(
    run: CourseRun,
    user: User | None,
    country: str | None,
    currency: str | None,
    award: Application | None = None,
) -> Terms:
    """The terms on which the person buys a place in the run; None: without an account.

    currency: None for the best one: that of the award, if there is one.
    """
    if currency is None and award is not None:
        currency = award.fund.currency
    return PriceBook([run], user, country).terms(run, currency)


def show_price(
    run: CourseRun,
    user: User | None,
    wishes: Wishes,
    before: Order | None = None,
    terms: Terms | None = None,
    award: Application | None = None,
) -> ShownTotal:
    """The price for a buyer. before: their open order, which may hold a use of the voucher.

    terms, award: what `terms_for` gave for the same wishes, and what it got. Raises VoucherRefused,
    AmountTooLow, QuoteChanged.
    """
    if terms is None:
        award = find_award(user, run) if user else None
        terms = terms_for(run, user, wishes.country, wishes.currency, award)
    if terms.currency is None:
        if wishes.voucher_code.strip():
            raise VoucherRefused
        return ShownTotal(terms, None, None)
    voucher = None
    if wishes.voucher_code.strip():
        voucher = usable_voucher(wishes.voucher_code, run, before, terms.currency)
    offers = [offer_of(voucher)] if voucher else []
    held = find_grant(before)
    award = held.award if held else award
    if award is not None and award.fund.currency != terms.currency:
        award = None
    if award is not None:
        offers.append(awards.offer_of(award, calculate(terms).priced.price))
    return ShownTotal(terms, calculate(terms, offers, wishes.chosen), voucher, award)
