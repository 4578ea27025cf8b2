"""Who carries whom: what each tier paid of the list price."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import lazy_gettext
from sqlalchemy import func, select

from lms.courses.reports import COURSE, RUN
from lms.payments.queries.sales import sales
from lms.payments.reports import COUNTRY, CURRENCY, NONE, SoldOrders, tier_words, wanted
from lms.recovery.permissions import READ
from lms.reports.base import Column, Filters, Report, RowValues, Statement, Topic, report_url


class TierMix(Report):
    """Orders sold by tier: list price, what was charged, and the part that others carry."""

    topic = Topic.MONEY
    name = "recovery-tiers"
    label = lazy_gettext("Who pays what part: tiers")
    description = lazy_gettext(
        "What each tier paid of the list price, and how much of it the others and the funds carry."
    )
    permission = READ
    period_of = lazy_gettext(
        "Orders count on the day they were sold; the list price is the run's, where the order is in"
        " its currency."
    )
    selections = (COURSE, RUN, COUNTRY, CURRENCY)
    order = ("tier", "currency")

    def columns(self, filters: Filters) -> Sequence[Column]:
        """The tier, its orders, what the list asks and what was charged."""
        return [
            Column("tier", lazy_gettext("Tier"), words=tier_words),
            Column("currency", lazy_gettext("Currency"), in_files_only=True),
            Column("orders", lazy_gettext("Orders"), "number", has_total=True),
            Column("asked", lazy_gettext("By the list price"), "money", has_total=True),
            Column("paid", lazy_gettext("Charged"), "money", has_total=True),
            Column("part", lazy_gettext("Part of the list price"), "percent", of=("paid", "asked")),
            Column("carried", lazy_gettext("Carried by others"), "money", has_total=True),
        ]

    def statement(self, filters: Filters) -> Statement:
        """The orders sold by tier and currency."""
        lines = sales(wanted(filters))
        asked, charged = func.sum(lines.c.listed_minor), func.sum(lines.c.charged_minor)
        return (
            select(
                lines.c.tier,
                lines.c.currency,
                func.sum(lines.c.orders).label("orders"),
                asked.label("asked"),
                charged.label("paid"),
                (asked - charged).label("carried"),
            )
            .group_by(lines.c.tier, lines.c.currency)
            .having(func.sum(lines.c.orders) > 0)
        )

    def link(self, column: Column, row: RowValues, filters: Filters) -> str | None:
        """The orders behind a figure."""
        if column.name in ("orders", "paid"):
            behind = filters.narrowed(currency=row["currency"], tier=row["tier"] or NONE)
            return report_url(SoldOrders.name, behind)
        return None


REPORTS: list[Report] = [TierMix()]
