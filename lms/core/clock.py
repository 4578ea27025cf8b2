"""The one place that asks what time it is."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)


def start_of_day(day: date, time_zone: str) -> datetime:
    """The instant at which `day` begins in the IANA `time_zone`, in UTC."""
    return datetime.combine(day, time.min, ZoneInfo(time_zone)).astimezone(UTC)


def end_of_day(day: date, time_zone: str) -> datetime:
    """The last whole second of `day` in the IANA `time_zone`, in UTC."""
    return start_of_day(day + timedelta(days=1), time_zone) - timedelta(seconds=1)


def local_date(instant: datetime, time_zone: str) -> date:
    """The calendar day that `instant` falls on in the IANA `time_zone`."""
    return instant.astimezone(ZoneInfo(time_zone)).date()
