"""A course run from the first sale to the closed month, as a script: who buys what, and what then.

Amounts and dates stand here as a bookkeeper would note them; nothing is asked of the house.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import time_machine
from sqlalchemy import select

from lms.core.db import db
from lms.core.money import Money
from lms.courses.models import CourseRun
from lms.ledger.services.periods import close_month
from lms.partners.models import Basis, PartnerStatement, RefundsBorneBy
from lms.partners.services import agreements, statements
from lms.partners.shares import PartyTerms, Terms
from lms.payments import jobs
from lms.payments.gateways.base import payment_gateways
from lms.payments.models import Order, RefundReason
from lms.payments.movement_models import Dispute
from lms.payments.services import leaving, orders, refunds
from lms.payments.services.payments import confirm_transfer
from lms.payments.services.terms import Billing
from tests.factories.accounts import make_administrator, make_user
from tests.factories.courses import make_course
from tests.factories.directory import make_manager, make_organisation
from tests.factories.invoicing import make_seller
from tests.factories.payments import make_paid_run, make_voucher, set_bank_account
from tests.factories.pricing import make_amounts, make_role, make_tiers

MONDAY = date(2026, 3, 2)
WEEKS = 4
FEBRUARY, MARCH, APRIL = "2026-02", "2026-03", "2026-04"
# What stands in the table of prices, in minor units: tier, currency.
PRICES = {
    ("high", "CAD"): 20_000, ("upper_middle", "CAD"): 10_000,
    ("lower_middle", "CAD"): 6_000, ("low", "CAD"): 3_000,
    ("high", "USD"): 15_000, ("low", "USD"): 2_300,
    ("high", "CLP"): 140_000,
    ("high", "PEN"): 54_000, ("upper_middle", "PEN"): 27_000,
    ("high", "COP"): 60_000_000, ("upper_middle", "COP"): 30_000_000,
    ("high", "BOB"): 105_000, ("lower_middle", "BOB"): 31_000,
}  # fmt: skip
LATE = ("PE", "CO", "UG")  # who buys after the first payout
# Hundredths of a per cent of what is left without tax.
SHARES = {"cebem": 4_000, "college": 1_500}


@dataclass(eq=False)
class Learner:
    """Who buys, for how much, and what becomes of it.

    taxes: percents by jurisdiction, of the amount without them. back: what goes back, with its day.
    """

    country: str
    tier: str
    currency: str
    minor: int
    rail: str = "stripe"
    province: str = ""
    taxes: dict[str, str] = field(default_factory=dict)
    voucher: str = ""
    back: list[tuple[int, date]] = field(default_factory=list)
    studies: bool = True
    moves: bool = False
    order: Order = field(init=False, repr=False)


def learners() -> list[Learner]:
    """The 37 of the script."""
    harmonised, quebec = {"CA-ON": "13"}, {"CA": "5", "CA-QC": "9.975"}
    ontario = [_of("CA", province="ON", taxes=harmonised) for _number in range(6)]
    montreal = [_of("CA", province="QC", taxes=quebec) for _number in range(3)]
    alberta = [_of("CA", province="AB", taxes={"CA": "5"}) for _number in range(2)]
    states = [_of("US", "high", "USD") for _number in range(4)]
    chile = [_of("CL", "high", "CLP") for _number in range(4)]
    peru = [_of("PE", "upper_middle", "PEN") for _number in range(4)]
    colombia = [_of("CO", "upper_middle", "COP") for _number in range(4)]
    bolivia = [_of("BO", "lower_middle", "BOB") for _number in range(4)]
    by_transfer = [_of("BO", "lower_middle", "BOB", rail="bank_transfer") for _number in range(3)]
    uganda = [_of("UG", "low", "USD") for _number in range(2)]
    guest = _of("BO", "lower_middle", "BOB", voucher="GUEST")
    guest.minor = 0
    states[0].voucher, states[0].minor = "TENTH", 13_500
    chile[0].voucher, chile[0].minor = "TWENTY", 120_000
    # Before the start all comes back; in the second week three quarters less a tenth of them.
    ontario[0].back, ontario[0].studies = [(20_000, date(2026, 2, 25))], False
    by_transfer[0].back, by_transfer[0].studies = [(31_000, date(2026, 2, 26))], False
    montreal[0].back, montreal[0].studies = [(13_500, date(2026, 3, 12))], False
    peru[0].back, peru[0].studies = [(18_225, date(2026, 3, 11))], False
    ontario[1].back = [(5_000, date(2026, 3, 18))]
    chile[1].back, chile[1].studies = [(140_000, date(2026, 3, 27))], False  # disputed and lost
    colombia[0].moves = True
    found = [
        *ontario, *montreal, *alberta, *states, *chile, *peru, *colombia, *bolivia, *by_transfer,
        *uganda, guest,
    ]  # fmt: skip
    assert len(found) == 37
    return found


def _of(country: str, tier: str = "high", currency: str = "CAD", **values: Any) -> Learner:
    return Learner(country, tier, currency, PRICES[tier, currency], **values)


class WholeRun:
    """Plays the script: each step on its own day, by the services that pages and jobs call."""

    def __init__(self, stripe: Any, people: list[Learner]) -> None:
        self.stripe, self.people = stripe, people
        self.partners: dict[str, Any] = {}
        self.statements: dict[tuple[str, str], PartnerStatement] = {}
        self.payouts: list[int] = []

    def at(self, day: date, hour: int = 12) -> time_machine.travel:
        """The whole machine on a day, the card service with it."""
        return time_machine.travel(datetime(day.year, day.month, day.day, hour, tzinfo=UTC))

    def play(self) -> None:
        """From January to May."""
        with self.at(date(2026, 1, 12)):
            self._prepare()
        late = [one for one in self.people if one.country in LATE]
        with self.at(date(2026, 2, 16)):
            self._sell([one for one in self.people if one not in late])
        self._leave(date(2026, 2, 25))
        self._leave(date(2026, 2, 26))
        with self.at(date(2026, 2, 27)):
            self._pay_out()
        with self.at(date(2026, 2, 28)):
            self._sell(late)
        with self.at(date(2026, 3, 3)):
            close_month(FEBRUARY, self.admin)
        with self.at(date(2026, 3, 5)):
            for one in self.people:
                if one.moves:
                    leaving.transfer(one.order, self.later)
        self._teach()
        with self.at(date(2026, 3, 31)):
            self._pay_out()
        with self.at(date(2026, 4, 3)):
            jobs.sync_movements()
            self._state()
            close_month(MARCH, self.admin)
            db.session.commit()

    def _prepare(self) -> None:
        self.admin = make_administrator()
        make_seller()
        make_tiers()
        set_bank_account()
        make_voucher("TENTH", percent=10)
        make_voucher("TWENTY", off=Money(20_000, "CLP"))
        make_voucher("GUEST", percent=100)
        course = make_course()
        self.run = self._make_run(course, MONDAY)
        self.later = self._make_run(course, date(2026, 5, 4))
        parties, managers = [], []
        for slug, hundredths in SHARES.items():
            self.partners[slug] = make_organisation(slug=slug)
            managers.append(make_manager(self.partners[slug]))
            parties.append(PartyTerms(self.partners[slug].id, percent_hundredths=hundredths))
        terms = Terms(Basis.NET, RefundsBorneBy.ALL, "CAD", parties)
        version = agreements.write_agreement(course, None, terms, date(2026, 1, 13), self.admin)
        for manager in managers:
            agreements.sign(version, manager)
        db.session.commit()

    def _make_run(self, course: Any, starts_on: date) -> CourseRun:
        run = make_paid_run(
            course, price=Money(PRICES["high", "CAD"], "CAD"), starts_on=starts_on,
            ends_on=starts_on + timedelta(days=7 * WEEKS - 1), time_zone="UTC",
        )  # fmt: skip
        for currency in dict.fromkeys(code for _tier, code in PRICES):
            amounts = {tier: minor for (tier, code), minor in PRICES.items() if code == currency}
            make_amounts(run, currency, **amounts)
        return run

    def _sell(self, buyers: list[Learner]) -> None:
        """They buy on one day. The service's message about the last of them is lost."""
        institutes: dict[str, Any] = {}
        for one in buyers:
            user = make_user(country=one.country)
            known = institutes.get(one.country)
            institutes[one.country] = make_role(user, known, country=one.country)
            billing = Billing(province=one.province)
            one.order = orders.place_order(
                self.run, user, one.rail, country=one.country, currency=one.currency,
                voucher_code=one.voucher, billing=billing,
            )  # fmt: skip
            if one.minor and one.rail == "stripe":
                self._pay_by_card(one.order)
        lost = [one for one in buyers if one.minor and one.rail == "stripe"][-1].order
        with self.stripe.double.store.change() as change:
            change.connection.execute(
                "DELETE FROM deliveries WHERE body LIKE ?", (f"%{lost.uuid}%",)
            )
        self.stripe.deliver()
        db.session.expire_all()
        assert lost.state == "pending"
        for number, one in enumerate(buyers):
            if one.rail == "bank_transfer":
                confirm_transfer(one.order, one.order.total, f"T-{number}", self.admin)
        db.session.commit()
        jobs.sync_movements()  # finds the lost one
        db.session.expire_all()

    def _pay_by_card(self, order: Order) -> None:
        started = payment_gateways["stripe"].start(order)
        orders.keep_page(order, started, order.attempt)
        db.session.commit()
        self.stripe.double.pay(started.session, "4242424242424242")

    def _leave(self, day: date) -> None:
        """Who gets money back on this day: by leaving, or by an administrator while staying."""
        with self.at(day, hour=15):
            for one in self.people:
                for minor, on in one.back:
                    if on == day:
                        self._give_back(one, Money(minor, one.currency))
            self.stripe.deliver()
            db.session.expire_all()

    def _give_back(self, one: Learner, amount: Money) -> None:
        if one.studies:
            [payment] = one.order.payments
            refunds.request_refund(payment, amount, RefundReason.BY_ADMINISTRATOR, by=self.admin)
        else:
            leaving.leave_run(one.order, amount)
        db.session.commit()
        db.session.expire_all()
        [refund] = one.order.refunds
        if one.rail == "bank_transfer":
            refunds.settle_by_hand(refund, "T-back", self.admin)
            db.session.commit()
        else:
            jobs.refund(refund.id)

    def _teach(self) -> None:
        """Four weeks, with what happens between them."""
        between: dict[date, Callable[[], None]] = {
            date(2026, 3, 10): self._dispute,
            date(2026, 3, 27): self._lose,
        }
        mondays = [MONDAY + timedelta(days=7 * week) for week in range(1, WEEKS + 1)]
        leaving_days = {on for one in self.people for _minor, on in one.back if on > MONDAY}
        for day in sorted({*between, *mondays, *leaving_days}):
            if day in mondays:
                with self.at(day):
                    jobs.earn_weeks()
            elif day in between:
                with self.at(day):
                    between[day]()
            else:
                self._leave(day)

    @property
    def disputed(self) -> Learner:
        """The one whose bank takes the money back."""
        return next(one for one in self.people if one.back and one.back[0][0] == 140_000)

    def _dispute(self) -> None:
        self.stripe.double.dispute(self.disputed.order.payments[0].reference)
        self.stripe.deliver()
        jobs.sync_movements()

    def _lose(self) -> None:
        dispute = db.session.scalars(select(Dispute)).one()
        self.stripe.double.close_dispute(dispute.reference, won=False)
        self.stripe.deliver()
        jobs.sync_movements()

    def _pay_out(self) -> None:
        self.payouts.append(self.stripe.double.pay_out()["amount"])
        jobs.sync_movements()
        db.session.expire_all()

    def _state(self) -> None:
        """Each partner gets its statements of March; one is paid what it is owed in dollars."""
        statements.send_month(MARCH, self.admin)
        for found in db.session.scalars(select(PartnerStatement)):
            self.statements[found.organisation.slug, found.currency] = found
        owed = self.statements["cebem", "CAD"].closing
        statements.record_payment(self.partners["cebem"], owed, "P-1", self.admin)
