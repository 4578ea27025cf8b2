"""Periods that readers choose, and months as a column of SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString
from sqlalchemy import ColumnElement, case, func, literal, null, select

from lms.core import clock
from lms.core.db import db
from lms.reports.base import Filters

EARLIEST, LATEST = date(2000, 1, 1), date(2099, 12, 31)
MANY_DAYS = 3700  # more than ten years: most months would be empty

PRESETS: Mapping[str, LazyString] = {
    "month": lazy_gettext("This month"),
    "12-months": lazy_gettext("Last 12 months"),
    "year": lazy_gettext("This year"),
    "all": lazy_gettext("All time"),
}


def preset_days(name: str, today: date) -> tuple[date | None, date | None]:
    """First and last day of a preset."""
    this_month = today.replace(day=1)
    match name:
        case "month":
            return this_month, today
        case "12-months":
            return add_months(this_month, -11), today
        case "year":
            return today.replace(month=1, day=1), today
        case _:
            return None, None


def add_months(first_day: date, count: int) -> date:
    """The first day of the month `count` months later."""
    months = first_day.year * 12 + first_day.month - 1 + count
    return date(months // 12, months % 12 + 1, 1)


def last_day(first_day: date) -> date:
    """The last day of the month that begins on `first_day`."""
    return add_months(first_day, 1) - timedelta(days=1)


def months_of(first: date, last: date) -> list[date]:
    """The first days of all months from `first` to `last`."""
    months = [first.replace(day=1)]
    while (following := add_months(months[-1], 1)) <= last:
        months.append(following)
    return months


def months_in(filters: Filters, instant: ColumnElement[datetime]) -> list[date]:
    """The months of the period; of an open or very long one, those in which `instant` falls."""
    first, last = filters.first, filters.last
    if first is None or last is None or (last - first).days > MANY_DAYS:
        ends = db.session.execute(select(func.min(instant), func.max(instant))).one()
        if ends[0] is None:
            return []
        first, last = (clock.local_date(end, filters.time_zone) for end in ends)
    return months_of(first, last)


def month_column(
    instant: ColumnElement[datetime], months: Sequence[date], time_zone: str
) -> ColumnElement[Any]:
    """The month in which `instant` falls in the zone, as the first day in ISO text.

    months: all that can occur, in order; an earlier instant counts to the first of them. The
    borders are computed here, so that daylight saving is right on every database.
    """
    if not months:
        return null()
    newest_first = [
        (instant >= clock.start_of_day(month, time_zone), month.isoformat())
        for month in reversed(months[1:])
    ]
    oldest = literal(months[0].isoformat())
    return case(*newest_first, else_=oldest) if newest_first else oldest
