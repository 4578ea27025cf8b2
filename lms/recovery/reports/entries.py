"""The entries behind every figure."""

from __future__ import annotations

from collections.abc import Sequence

from flask import url_for
from flask_babel import lazy_gettext
from sqlalchemy import func, select

from lms.courses.reports import COURSE, RUN
from lms.ledger.kinds import ENTRY_KINDS
from lms.recovery.permissions import READ
from lms.recovery.queries import money
from lms.recovery.reports.shared import (
    COLUMNS,
    COUNTRY,
    CURRENCY,
    MEASURE,
    PERIOD_OF,
    RAIL,
    country_words,
    rail_words,
    wanted_days,
    with_runs,
)
from lms.reports.base import Column, Filters, Report, RowValues, Statement, Topic


class MoneyLines(Report):
    """The entries behind every figure of this room."""

    topic = Topic.MONEY
    name = "recovery-entries"
    label = lazy_gettext("Entries behind invoiced, earned and collected")
    description = lazy_gettext("Each entry of the ledger that a figure is made of, with its order.")
    permission = READ
    period_of = PERIOD_OF
    selections = (COURSE, RUN, COUNTRY, CURRENCY, RAIL, MEASURE)
    order = ("-day", "-posting_id")
    never_empty = ("day", "posting_id")
    is_list = True

    def columns(self, filters: Filters) -> Sequence[Column]:
        """The day, what happened, the order, and the figures."""
        return [
            Column("day", lazy_gettext("Counts for"), "date"),
            Column("entry_kind", lazy_gettext("Entry"), words=lambda k: str(ENTRY_KINDS.get(k, k))),
            Column("number", lazy_gettext("Order")),
            Column("title", lazy_gettext("Course run")),
            Column("country", lazy_gettext("Country"), words=country_words),
            Column("rail", lazy_gettext("Way to pay"), words=rail_words),
            *COLUMNS,
        ]

    def counted(self, filters: Filters) -> Statement:
        """The sums of the lines by currency: `lines` of them, which are not counted one by one."""
        return money.sums_of_lines(wanted_days(filters), filters.get("measure"))

    def statement(self, filters: Filters) -> Statement:
        """The lines, with the words of what they are about."""
        lines = money.list_lines(wanted_days(filters), filters.get("measure")).subquery("lines")
        number = func.replace(lines.c.about, "order:", "").label("number")
        numbered = select(lines, number).subquery("numbered")
        return with_runs(numbered, filters, "")

    def link(self, column: Column, row: RowValues, filters: Filters) -> str | None:
        """The order, or all entries of its course run in the ledger."""
        if column.name == "number" and row["number"]:
            return url_for("payments.admin_orders", q=row["number"])
        if column.name == "entry_kind":
            name = "about" if row["about"] else "product"
            return url_for("ledger.entries", **{name: row[name]})
        return None


REPORTS: list[Report] = [MoneyLines()]
