"""A chart of money by month, as several rooms draw it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from flask_babel import gettext as _

from lms.core.money import Money
from lms.core.templating import format_day, format_number
from lms.reports.base import Chart, ChartItem


def whole_amount(amount: Money) -> str:
    """An amount in whole major units, for cards and charts; tables have it to the cent."""
    return f"{amount.currency} {format_number(float(round(amount.decimal)))}"


def month_chart(
    title: str,
    amounts: Mapping[date, Money],
    months: Sequence[date],
    currency: str,
    highlight: date | None = None,
) -> Chart:
    """One bar for each of the months, by their first days; one without an amount is zero.

    highlight: the month to mark, unless nothing came in yet.
    """
    skeleton = "MMM" if len(months) <= 12 else "yMMM"
    items = []
    for month in months:
        amount = amounts.get(month, Money(0, currency))
        label = format_day(month, skeleton)
        items.append(ChartItem(label, float(amount.decimal), whole_amount(amount)))
    description = _(
        "One bar for each month from %(first)s to %(last)s.",
        first=format_day(months[0], "yMMM"),
        last=format_day(months[-1], "yMMM"),
    )
    marked = None
    if highlight and highlight in months and amounts.get(highlight, Money(0, currency)).minor > 0:
        marked = items[months.index(highlight)].label
    return Chart(title, description, items, unit=currency, highlight=marked)
