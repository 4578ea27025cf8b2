"""Closing a month: from then on it takes no entry, and late facts count for the next one."""

from __future__ import annotations

from datetime import date

from lms.accounts.models import User
from lms.core import clock
from lms.core.audit import record
from lms.core.db import db
from lms.core.settings import settings
from lms.ledger import queries
from lms.ledger.errors import MonthClosed, MonthNotOver, NotExplained
from lms.ledger.models import LedgerPeriod
from lms.ledger.services.check import unexplained


def today() -> date:
    """The day where the seller is."""
    return clock.local_date(clock.now(), settings().default_time_zone)


def next_to_close() -> str | None:
    """The first open month that is over, None when there is none."""
    first = queries.first_day()
    closed = queries.last_closed_month()
    if first is None:
        return None
    month = f"{first:%Y-%m}" if closed is None else _after(closed)
    return month if month < f"{today():%Y-%m}" else None


def _after(month: str) -> str:
    year, number = map(int, month.split("-"))
    return f"{year + number // 12}-{number % 12 + 1:02d}"


def close_month(month: str, by: User) -> LedgerPeriod:
    """Close a month and those before it, with the balances as they stand.

    Raises MonthNotOver, MonthClosed, and NotExplained while the check finds anything.
    """
    if month >= f"{today():%Y-%m}":
        raise MonthNotOver
    closed = queries.last_closed_month()
    if closed is not None and month <= closed:
        raise MonthClosed
    if unexplained():
        raise NotExplained
    found = LedgerPeriod(month=month, closed_by_id=by.id, balances=queries.balances_as_kept(month))
    db.session.add(found)
    db.session.flush()
    record("ledger.close_month", by, by.id, month=month)
    return found
