"""Who carries whom: what each tier paid of the list price."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import ColumnElement, case, func, select

from lms.courses.models import CourseRun
from lms.courses.reports import COURSE, RUN
from lms.payments.models import DELIVERED, Order
from lms.payments.reports import PaidOrders
from lms.pricing.forms import TIER_LABELS
from lms.pricing.models import Quote
from lms.recovery.permissions import READ
from lms.recovery.reports.shared import CURRENCY
from lms.reports.base import Column, Filters, Report, RowValues, Statement, report_url

SOLD_AT = func.coalesce(Order.delivered_at, Order.paid_at)


def _tier_words(name: str) -> str:
    return str(TIER_LABELS.get(name, name)) if name else _("Without a quote")  # type: ignore[call-overload]


class TierMix(Report):
    """Paid orders by tier: list price, what was paid, and the part that others carry."""

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
    selections = (COURSE, RUN, CURRENCY)
    order = ("tier", "currency")

    def columns(self, filters: Filters) -> Sequence[Column]:
        """The tier, its orders, what the list asks and what was paid."""
        return [
            Column("tier", lazy_gettext("Tier"), words=_tier_words),
            Column("currency", lazy_gettext("Currency"), in_files_only=True),
            Column("orders", lazy_gettext("Orders"), "number", has_total=True),
            Column("asked", lazy_gettext("By the list price"), "money", has_total=True),
            Column("paid", lazy_gettext("Charged"), "money", has_total=True),
            Column("part", lazy_gettext("Part of the list price"), "percent", of=("paid", "asked")),
            Column("carried", lazy_gettext("Carried by others"), "money", has_total=True),
        ]

    def statement(self, filters: Filters) -> Statement:
        """Delivered orders by tier and currency."""
        run = CourseRun.__table__.c
        is_listed = Order.currency == run.price_currency
        listed: ColumnElement[Any] = case((is_listed, run.price_minor), else_=Order.total_minor)
        tier = func.coalesce(Quote.tier, "")
        found: Statement = (
            select(
                tier.label("tier"),
                Order.currency.label("currency"),
                func.count().label("orders"),
                func.sum(listed).label("asked"),
                func.sum(Order.total_minor).label("paid"),
                func.sum(listed - Order.total_minor).label("carried"),
            )
            .select_from(Order)
            .join(CourseRun, CourseRun.id == Order.run_id)
            .outerjoin(Quote, Quote.id == Order.quote_id)
            .where(Order.state.in_(DELIVERED))
            .group_by(tier, Order.currency)
        )
        if filters.since is not None:
            found = found.where(filters.since <= SOLD_AT)
        if filters.until is not None:
            found = found.where(filters.until > SOLD_AT)
        if (currency := filters.get("currency")) is not None:
            found = found.where(Order.currency == currency)
        if (course_id := filters.number("course")) is not None:
            found = found.where(CourseRun.course_id == course_id)
        if (run_id := filters.number("run")) is not None:
            found = found.where(Order.run_id == run_id)
        return found

    def link(self, column: Column, row: RowValues, filters: Filters) -> str | None:
        """The paid orders of the currency."""
        if column.name == "orders":
            return report_url(PaidOrders.name, filters.narrowed(currency=row["currency"]))
        return None


REPORTS: list[Report] = [TierMix()]
