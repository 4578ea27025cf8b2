"""How much of a price comes back: one pure function, and which policy holds for whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from sqlalchemy import select

from lms.accounts.models import User
from lms.core import clock
from lms.core.audit import record
from lms.core.db import db
from lms.core.money import Money
from lms.core.settings import settings
from lms.courses.models import CourseRun, PublicationState
from lms.payments.errors import PolicyRefused
from lms.payments.terms_models import RefundPolicy


class Why(StrEnum):
    """Why so much comes back."""

    CANCELLED = "cancelled"  # the run does not take place
    MOVED = "moved"  # its dates moved further than the policy lets them
    BEFORE_START = "before_start"
    PART = "part"  # what is not taught yet, less the fee
    TOO_LATE = "too_late"


@dataclass(frozen=True)
class Policy:
    """A refund policy. fee_caps: the most that the fee is, in minor units by currency."""

    fee_percent: int = 10
    fee_caps: Mapping[str, int] = field(default_factory=lambda: {"CAD": 5_000})
    nothing_after_percent: int = 60
    moved_days: int = 14


@dataclass(frozen=True)
class Dates:
    """A run as the function sees it: its days are those of its own time zone."""

    starts_on: date
    ends_on: date
    is_cancelled: bool = False

    @property
    def weeks(self) -> int:
        """How many weeks it has; a part of one counts as a week."""
        return -(-((self.ends_on - self.starts_on).days + 1) // 7)

    def last_day_of(self, week: int) -> date:
        """The day with which week `week`, counted from 1, is over."""
        return min(self.starts_on + timedelta(days=7 * week - 1), self.ends_on)

    def weeks_over(self, day: date) -> int:
        """How many weeks are over on a day."""
        return sum(self.last_day_of(week) < day for week in range(1, self.weeks + 1))


@dataclass(frozen=True)
class Back:
    """What comes back, and how it was reckoned. fee: what was kept of the part not taught."""

    amount: Money
    why: Why
    untaught: Money
    fee: Money
    weeks: int
    weeks_over: int

    @property
    def as_credit(self) -> Money:
        """What comes back to who takes it as credit: the part not taught, without a fee."""
        return self.untaught


def amount_back(
    policy: Policy, dates: Dates, day: date, price: Money, agreed_start: date | None = None
) -> Back:
    """What of `price` comes back to a buyer who leaves on `day`, and why.

    day: today in the run's time zone. price: what was paid and did not go back before.
    agreed_start: the first day that the buyer agreed to, when the run was moved since.
    """
    weeks, over = dates.weeks, dates.weeks_over(day)
    nothing = Money(0, price.currency)

    def whole(why: Why) -> Back:
        return Back(price, why, price, nothing, weeks, over)

    if dates.is_cancelled:
        return whole(Why.CANCELLED)
    moved_by = (dates.starts_on - agreed_start).days if agreed_start else 0
    if moved_by > policy.moved_days and not over:
        return whole(Why.MOVED)
    if day < dates.starts_on:
        return whole(Why.BEFORE_START)
    if over * 100 >= policy.nothing_after_percent * weeks:
        return Back(nothing, Why.TOO_LATE, nothing, nothing, weeks, over)
    untaught = _half_up(price.minor * (weeks - over), weeks)
    fee = _half_up(untaught * policy.fee_percent, 100)
    fee = min(fee, policy.fee_caps.get(price.currency, fee))
    return Back(
        Money(untaught - fee, price.currency),
        Why.PART,
        Money(untaught, price.currency),
        Money(fee, price.currency),
        weeks,
        over,
    )


def first_day_of_nothing(policy: Policy, dates: Dates) -> date:
    """From which day on nothing comes back."""
    week = next(
        week
        for week in range(1, dates.weeks + 1)
        if week * 100 >= policy.nothing_after_percent * dates.weeks
    )
    return dates.last_day_of(week) + timedelta(days=1)


def _half_up(number: int, by: int) -> int:
    return (2 * number + by) // (2 * by)


def dates_of(run: CourseRun) -> Dates:
    """The dates of a run."""
    return Dates(run.starts_on, run.ends_on, run.state == PublicationState.CANCELLED)


def as_policy(row: RefundPolicy | None) -> Policy:
    """A row as the function takes it; without one, what a new house begins with."""
    if row is None:
        return Policy()
    return Policy(row.fee_percent, row.fee_caps, row.nothing_after_percent, row.moved_days)


def present_row(day: date | None = None) -> RefundPolicy | None:
    """The policy for orders placed on a day, None while administrators have written none."""
    day = day or clock.local_date(clock.now(), settings().default_time_zone)
    return db.session.scalar(
        select(RefundPolicy)
        .where(RefundPolicy.starts_on <= day)
        .order_by(RefundPolicy.starts_on.desc())
        .limit(1)
    )


def add_policy(row: RefundPolicy, by: User) -> None:
    """Let another policy hold for orders placed from a day on. Raises PolicyRefused."""
    today = clock.local_date(clock.now(), settings().default_time_zone)
    taken = select(RefundPolicy.id).where(RefundPolicy.starts_on == row.starts_on)
    if row.starts_on < today or db.session.scalar(taken) is not None:
        raise PolicyRefused
    row.made_by_id = by.id
    db.session.add(row)
    record("payments.add_refund_policy", row, by.id, starts_on=row.starts_on.isoformat())
