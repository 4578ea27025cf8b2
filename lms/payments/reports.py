"""What payments gives to reports: the orders that were sold.

Revenue by month, course, run, country, currency and way to pay is told by the room recovery, from
the ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext, lazy_pgettext
from sqlalchemy import func, select

from lms.accounts.models import User
from lms.core.db import db
from lms.core.places import country_name
from lms.courses.models import Course, CourseRun
from lms.courses.reports import COURSE, RUN, title_in
from lms.payments.models import DELIVERED, Order
from lms.payments.queries.sales import GIVEN_BACK, SOLD_AT, Sold, sales, sold_within
from lms.pricing.forms import TIER_LABELS
from lms.pricing.models import Quote
from lms.reports.base import Column, Filters, Report, RowValues, Selection, Statement, Topic

NONE = "-"  # a choice of what has no country or tier


def tier_words(name: str) -> str:
    """A tier in words; also of an order without one."""
    if name in ("", NONE):
        return str(_("Without a quote"))
    return str(TIER_LABELS.get(name, name))  # type: ignore[call-overload]


def _known(filters: Filters, place: int) -> list[str]:
    """The values of a dimension: currency, country, tier."""

    def find() -> Sequence[Any]:
        lines = sales(Sold())
        return db.session.execute(
            select(lines.c.currency, lines.c.country, lines.c.tier).distinct()
        ).all()

    return sorted({row[place] for row in filters.once("sold", find)})


def _currencies(filters: Filters) -> Sequence[tuple[str, str]]:
    return [(code, code) for code in _known(filters, 0)]


def _countries(filters: Filters) -> Sequence[tuple[str, str]]:
    known = _known(filters, 1)
    named = sorted((country_name(code), code) for code in known if code)
    pairs = [(code, name) for name, code in named]
    return [*pairs, (NONE, _("Not known"))] if "" in known else pairs


def _tiers(filters: Filters) -> Sequence[tuple[str, str]]:
    return [(name or NONE, tier_words(name)) for name in _known(filters, 2)]


CURRENCY = Selection(
    "currency",
    lazy_gettext("Currency"),
    lazy_gettext("All currencies"),
    _currencies,
    lazy_gettext("Nothing was ever sold in this currency. Choose one of the list."),
)
COUNTRY = Selection(
    "country",
    lazy_gettext("Country"),
    lazy_gettext("All countries"),
    _countries,
    lazy_gettext("Nobody from this country ever bought. Choose one of the list."),
)
TIER = Selection(
    "tier",
    lazy_gettext("Tier"),
    lazy_gettext("All tiers"),
    _tiers,
    lazy_gettext("Nothing was ever sold at this tier. Choose one of the list."),
)


def wanted(filters: Filters) -> Sold:
    """What a reader's filters ask of the orders."""

    def one(name: str) -> str | None:
        value = filters.get(name)
        return "" if value == NONE else value

    return Sold(
        since=filters.since,
        until=filters.until,
        course_id=filters.number("course"),
        run_id=filters.number("run"),
        country=one("country"),
        currency=filters.get("currency"),
        tier=one("tier"),
    )


class SoldOrders(Report):
    """The orders behind what was sold, at which tier."""

    topic = Topic.MONEY
    name = "paid-orders"
    label = lazy_gettext("Orders sold")
    description = lazy_gettext(
        "The orders that were sold and not given back in full: what was charged and given back."
    )
    period_of = lazy_gettext("Orders count on the day they were sold.")
    selections = (COURSE, RUN, COUNTRY, CURRENCY, TIER)
    order = ("-created_at", "-order_id")
    never_empty = ("created_at", "order_id")
    is_list = True

    def columns(self, filters: Filters) -> Sequence[Column]:
        """The order, who, what, and its measures."""
        return [
            Column("number", lazy_gettext("Order")),
            Column("at", lazy_gettext("Sold on"), "date"),
            Column("buyer", lazy_gettext("Buyer")),
            Column("course", lazy_gettext("Course run")),
            Column("starts_on", lazy_gettext("Begins"), "date"),
            Column("country", lazy_gettext("Country"), words=country_name),
            Column("tier", lazy_gettext("Tier"), words=tier_words),
            Column("currency", lazy_gettext("Currency"), in_files_only=True),
            Column("charged", lazy_gettext("Charged"), "money", has_total=True),
            Column("refunded", lazy_pgettext("amount", "Refunded"), "money", has_total=True),
            Column("net", lazy_gettext("Remains"), "money", has_total=True),
        ]

    def counted(self, filters: Filters) -> Statement:
        """The sums of the orders by currency, and in `lines` how many they are."""
        lines = sales(wanted(filters))
        charged, back = func.sum(lines.c.charged_minor), func.sum(lines.c.refunded_minor)
        return (
            select(
                lines.c.currency,
                func.sum(lines.c.orders).label("lines"),
                charged.label("charged"),
                back.label("refunded"),
                (charged - back).label("net"),
            )
            .group_by(lines.c.currency)
            .having(func.sum(lines.c.orders) > 0)
        )

    def statement(self, filters: Filters) -> Statement:
        """The orders, with who and what."""
        asked = wanted(filters)
        conditions = asked.conditions_on_orders()
        if asked.until is not None:  # the index by which they are sorted then begins there
            conditions.append(Order.created_at < asked.until)
        return (
            select(
                Order.id.label("order_id"),
                Order.number,
                Order.uuid.label("order_uuid"),
                Order.created_at,
                SOLD_AT.label("at"),
                Order.user_id,
                func.coalesce(Order.buyer_name, User.name).label("buyer"),
                Order.country,
                func.coalesce(Quote.tier, "").label("tier"),
                CourseRun.starts_on,
                func.coalesce(
                    Order.words[filters.language].as_string(),
                    Order.words["en"].as_string(),
                    title_in(filters.language),
                ).label("course"),
                Order.currency,
                Order.total_minor.label("charged"),
                GIVEN_BACK.label("refunded"),
                (Order.total_minor - GIVEN_BACK).label("net"),
            )
            .join(User, User.id == Order.user_id)
            .outerjoin(Quote, Quote.id == Order.quote_id)
            .outerjoin(CourseRun, CourseRun.id == Order.run_id)
            .outerjoin(Course, Course.id == CourseRun.course_id)
            .where(Order.state.in_(DELIVERED), sold_within(asked.since, asked.until), *conditions)
        )

    def link(self, column: Column, row: RowValues, filters: Filters) -> str | None:
        """The order's own page, and the buyer's."""
        if column.name == "number":
            return url_for("payments.admin_order", order_uuid=row["order_uuid"])
        if column.name == "buyer":
            return url_for("administration.person", user_id=row["user_id"])
        return None


REPORTS: list[Report] = [SoldOrders()]
