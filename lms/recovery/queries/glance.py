"""This month and the last at a glance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, select

from lms.certificates.models import Credential
from lms.core import clock
from lms.core.db import db
from lms.core.settings import settings
from lms.courses.models import Enrolment
from lms.recovery.queries.money import MonthMoney, money_of_months


@dataclass(frozen=True)
class Month:
    """One month: its first and last day, money by currency, and what learners reached."""

    first: date
    last: date
    money: list[MonthMoney]
    enrolled: int
    completed: int
    certified: int


def two_months() -> list[Month]:
    """The present month and the one before, in the zone of the site."""
    zone = settings().default_time_zone
    today = clock.local_date(clock.now(), zone)
    this = today.replace(day=1)
    before = (this - timedelta(days=1)).replace(day=1)
    money = money_of_months(f"{before:%Y-%m}", f"{this:%Y-%m}")
    return [_month(first, zone, money) for first in (this, before)]


def _month(first: date, zone: str, money: list[MonthMoney]) -> Month:
    following = (first + timedelta(days=31)).replace(day=1)
    since, until = clock.start_of_day(first, zone), clock.start_of_day(following, zone)

    def count(at: object, *conditions: object) -> int:
        where = (at >= since, at < until, *conditions)  # type: ignore[operator]
        return db.session.scalar(select(func.count()).where(*where)) or 0  # type: ignore[arg-type]

    return Month(
        first=first,
        last=following - timedelta(days=1),
        money=[one for one in money if one.month == f"{first:%Y-%m}"],
        enrolled=count(Enrolment.enrolled_at),
        completed=count(Enrolment.completed_at),
        certified=count(Credential.issued_at, Credential.revision == 1),
    )
