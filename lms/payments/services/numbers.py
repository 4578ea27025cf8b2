"""Numbers in a series that starts anew each year."""

from __future__ import annotations

from sqlalchemy import update

from lms.core import clock
from lms.core.db import db, insert_if_new
from lms.core.settings import settings
from lms.payments.models import Counter

__all__ = ["insert_if_new", "next_number", "this_year"]


def this_year() -> int:
    """The calendar year where the seller is."""
    return clock.local_date(clock.now(), settings().default_time_zone).year


def next_number(series: str, year: int) -> int:
    """The next number; without gaps, as it is given back when the transaction is."""
    insert_if_new(Counter, series=series, year=year, last=0)
    number: int = db.session.execute(
        update(Counter)
        .where(Counter.series == series, Counter.year == year)
        .values(last=Counter.last + 1)
        .returning(Counter.last)
        .execution_options(synchronize_session=False)
    ).scalar_one()
    return number
