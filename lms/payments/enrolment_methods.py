"""The ways into runs that cost something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from lms.accounts.models import User
from lms.core.places import country_name
from lms.core.templating import format_money
from lms.courses.enrolment_methods.base import EnrolmentMethod, ShownPrice
from lms.courses.models import CourseRun
from lms.courses.seat_models import SEAT
from lms.pricing.residence import Residence
from lms.pricing.services.quotes import PriceBook, calculate


class PaymentEnrolment(EnrolmentMethod):
    """The checkout: a voucher, a way to pay, and then study."""

    name = "payment"
    label = lazy_gettext("Enrol and pay")

    def is_open(self, run: CourseRun, user: User | None) -> bool:
        """Whether the run has a price."""
        return bool(run.price)

    def start_url(self, run: CourseRun) -> str:
        """The checkout."""
        return url_for("payments.checkout", run_uuid=run.uuid)

    def prices(
        self, runs: Sequence[CourseRun], user: User | None, *, is_list: bool
    ) -> Mapping[int, ShownPrice]:
        """The reader's own price; for strangers and in lists the lowest one."""
        book = PriceBook(runs, None if is_list else user)
        if is_list or user is None:
            return {run.id: _from(book, run, is_list) for run in runs}
        return {run.id: _for_reader(book, run) for run in runs}


class SeatEnrolment(EnrolmentMethod):
    """A place that somebody else paid for: one comes by the link or code that one was given."""

    name = SEAT
    label = lazy_gettext("Take a place with a code")

    def is_open(self, run: CourseRun, user: User | None) -> bool:
        """Never on the course page: who has no link cannot take a place."""
        return False

    def start_url(self, run: CourseRun) -> str:
        """Where a code is typed."""
        return url_for("payments.seat_code")


def _from(book: PriceBook, run: CourseRun, is_list: bool) -> ShownPrice:
    lowest = book.lowest(run)
    if lowest == run.price:
        return ShownPrice(format_money(run.price))
    text = _("from %(amount)s", amount=format_money(lowest))
    if is_list:
        return ShownPrice(text)
    note = _("List price %(amount)s", amount=format_money(run.price))
    return ShownPrice(text, note, url_for("pricing.policy"), _("Who pays what"))


def _for_reader(book: PriceBook, run: CourseRun) -> ShownPrice:
    terms = book.terms(run)
    policy = url_for("pricing.policy"), str(_("Who pays what"))
    seen = terms.assessment
    if terms.refuses_payment:
        note = _("No payment from %(country)s: see how to get a free place.",
                 country=country_name(seen.country))  # fmt: skip
        return ShownPrice(format_money(run.price), note, *policy)
    if terms.currency is None:
        return ShownPrice(str(_("Price on request")), "", *policy)
    price = calculate(terms)
    text = format_money(price.total)
    if seen.state == Residence.UNCONFIRMED:
        note = _("It is lower for people in %(country)s.", country=country_name(seen.country))
        return ShownPrice(text, note, *policy)
    if price.total == terms.list_price and not book.current(run):
        return ShownPrice(text)
    note = ""
    if seen.state == Residence.AGREED:
        note = _("The price for %(country)s.", country=country_name(seen.country))
    return ShownPrice(text, note, *policy)
