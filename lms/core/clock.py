"""The one place that asks what time it is."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_set_to: ContextVar[datetime | None] = ContextVar("clock_set_to", default=None)


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return _set_to.get() or datetime.now(UTC)


def set_instant() -> datetime | None:
    """The instant that `set_to` chose; None while the clock runs."""
    return _set_to.get()


@contextmanager
def set_to(instant: datetime) -> Iterator[None]:
    """Let it be `instant` inside the block: for the demo's past, never in a request."""
    token = _set_to.set(instant)
    try:
        yield
    finally:
        _set_to.reset(token)


def after_months(instant: datetime, months: int) -> datetime:
    """The same day and hour so many months later, or the last day of a shorter month."""
    years, month = divmod(instant.month - 1 + months, 12)
    last = monthrange(instant.year + years, month + 1)[1]
    return instant.replace(year=instant.year + years, month=month + 1, day=min(instant.day, last))


def start_of_day(day: date, time_zone: str) -> datetime:
    """The instant at which `day` begins in the IANA `time_zone`, in UTC."""
    return datetime.combine(day, time.min, ZoneInfo(time_zone)).astimezone(UTC)


def end_of_day(day: date, time_zone: str) -> datetime:
    """The last whole second of `day` in the IANA `time_zone`, in UTC."""
    return start_of_day(day + timedelta(days=1), time_zone) - timedelta(seconds=1)


def local_date(instant: datetime, time_zone: str) -> date:
    """The calendar day that `instant` falls on in the IANA `time_zone`."""
    return instant.astimezone(ZoneInfo(time_zone)).date()
