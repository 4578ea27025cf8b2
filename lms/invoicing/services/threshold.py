"""How near a seller is to the sum from which it must register for tax."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from sqlalchemy import select

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.core.settings import settings
from lms.invoicing import queries
from lms.invoicing.models import Seller
from lms.notifications.services import tell


@dataclass(frozen=True)
class Standing:
    """Taxable sales of four quarters. uncounted: in currencies without a rate to count them by."""

    first: date
    last: date
    counted: Money
    threshold: Money
    uncounted: tuple[Money, ...]

    @property
    def percent(self) -> int:
        """How much of the threshold is used, rounded down; 100 and more: it is reached."""
        return 100 * self.counted.minor // self.threshold.minor if self.threshold else 100


def four_quarters(day: date) -> tuple[date, date]:
    """The first and last day of the quarter of `day` and the three before it."""
    quarter = (day.month - 1) // 3  # 0..3
    first = date(day.year - 1, 3 * quarter + 4, 1) if quarter < 3 else date(day.year, 1, 1)
    next_quarter = date(day.year, 3 * quarter + 4, 1) if quarter < 3 else date(day.year + 1, 1, 1)
    return first, next_quarter - timedelta(days=1)


def standing(seller: Seller, day: date | None = None) -> Standing:
    """Where a seller stands on a day."""
    day = day or clock.local_date(clock.now(), settings().default_time_zone)
    first, last = four_quarters(day)
    currency = seller.threshold_currency
    minor, uncounted = 0, []
    for code, amount in queries.taxable_by_currency(seller.id, first, last).items():
        rate = _rate(seller, code)
        if rate is None:
            uncounted.append(amount)
        else:
            minor += int(amount.decimal * rate * Money.parse("1", currency).minor)
    return Standing(first, last, Money(minor, currency), seller.threshold, tuple(uncounted))


def _rate(seller: Seller, currency: str) -> Decimal | None:
    if currency == seller.threshold_currency:
        return Decimal(1)
    try:
        return Decimal(seller.counting_rates[currency])
    except (KeyError, InvalidOperation):
        return None


def warn_of_thresholds() -> None:
    """Tell administrators once a quarter that a seller comes near the sum, and that it is there."""
    for seller in queries.list_sellers():
        found = standing(seller)
        if seller.registered_from is not None or found.percent < seller.warn_percent:
            continue
        level = "reached" if found.percent >= 100 else "near"
        if seller.warned == f"{found.last.isoformat()}:{level}":
            continue
        seller.warned = f"{found.last.isoformat()}:{level}"
        db.session.flush()
        administrators = db.session.scalars(
            select(User).where(User.is_administrator, User.closed_at.is_(None))
        ).all()
        for administrator in administrators:
            tell(
                administrator,
                "invoicing.threshold",
                seller=seller.name or seller.series,
                percent=found.percent,
                counted=[found.counted.minor, found.counted.currency],
                threshold=[found.threshold.minor, found.threshold.currency],
            )
