"""Numbers in a series that starts anew each year."""

from __future__ import annotations

from lms.core import clock
from lms.core.db import count_up
from lms.core.settings import settings
from lms.payments.models import Counter


def this_year() -> int:
    """The calendar year where the seller is."""
    return clock.local_date(clock.now(), settings().default_time_zone).year


def next_number(series: str, year: int) -> int:
    """The next number; without gaps, as it is given back when the transaction is."""
    return count_up(Counter, series=series, year=year)
