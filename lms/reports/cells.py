"""One value of a report: as readers see it, and as files keep it."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from lms.core.money import Money
from lms.core.templating import format_day, format_money, format_number, format_percent
from lms.reports.base import Column, Filters, RowValues

NOTHING = "–"


def money_of(column: Column, row: RowValues) -> Money | None:
    """The amount of a money column."""
    minor, currency = row.get(column.name), column.currency or row.get("currency")
    if minor is None or currency is None:
        return None
    return Money(int(minor), str(currency))


def shown(column: Column, row: RowValues) -> str:
    """The value in the reader's language and number format."""
    value = row.get(column.name)
    if value is None:
        return NOTHING
    match column.kind:
        case "money":
            amount = money_of(column, row)
            if amount is None:
                return NOTHING
            text = format_money(amount)
            return text.removeprefix(f"{column.currency} ")  # the head of the column says it
        case "number":
            return format_number(float(value), 1)
        case "percent":
            return format_percent(float(value))
        case "month":
            return format_day(date.fromisoformat(value), "yMMM")
        case "date":
            return format_day(value)
        case _:
            return column.words(value) if column.words else str(value) or NOTHING


def kept(column: Column, row: RowValues, filters: Filters) -> str | int | Decimal | date | None:
    """The value as a file keeps it: money in major units, days in the filters' time zone."""
    value = row.get(column.name)
    if value is None:
        return None
    match column.kind:
        case "money":
            amount = money_of(column, row)
            return amount.decimal if amount is not None else None
        case "number":
            return value if isinstance(value, int) else Decimal(str(value))
        case "percent":
            return Decimal(repr(round(float(value), 6)))
        case "month":
            return date.fromisoformat(value)
        case "date":
            if isinstance(value, datetime):
                return value.astimezone(ZoneInfo(filters.time_zone)).date()
            return value  # type: ignore[no-any-return]
        case _:
            return column.words(value) if column.words else str(value)
