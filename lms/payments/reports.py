"""What payments gives to reports: the orders that were paid, each on its own day.

Revenue by month, course, run, country, currency and way to pay is told by the room recovery, from
the ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext, lazy_pgettext
from sqlalchemy import ColumnElement, Subquery, case, func, select

from lms.accounts.models import User
from lms.core.db import db
from lms.core.places import country_name
from lms.courses.models import Course, CourseRun
from lms.courses.reports import COURSE, RUN, title_in
from lms.payments import queries
from lms.payments.models import Order, Payment
from lms.reports.base import Column, Filters, Report, RowValues, Selection, Statement

UNKNOWN_COUNTRY = "-"


def _currencies(filters: Filters) -> Sequence[tuple[str, str]]:
    found = db.session.scalars(select(Payment.currency).distinct().order_by(Payment.currency))
    return [(code, code) for code in found]


def _countries(filters: Filters) -> Sequence[tuple[str, str]]:
    found = db.session.scalars(select(Order.country).distinct()).all()
    named = sorted((country_name(code), code) for code in found if code)
    pairs = [(code, name) for name, code in named]
    return [*pairs, (UNKNOWN_COUNTRY, _("Not known"))] if None in found else pairs


CURRENCY = Selection(
    "currency",
    lazy_gettext("Currency"),
    lazy_gettext("All currencies"),
    _currencies,
    lazy_gettext("Nothing was ever paid in this currency. Choose one of the list."),
)
COUNTRY = Selection(
    "country",
    lazy_gettext("Country"),
    lazy_gettext("All countries"),
    _countries,
    lazy_gettext("Nobody from this country ever ordered. Choose one of the list."),
)


def _ledger(filters: Filters) -> Subquery:
    country = filters.get("country")
    return (
        queries.list_ledger(
            since=filters.since,
            until=filters.until,
            course_id=filters.number("course"),
            run_id=filters.number("run"),
            country="" if country == UNKNOWN_COUNTRY else country,
            currency=filters.get("currency"),
        )
        .order_by(None)
        .subquery("lines")
    )


def _measures(lines: Subquery) -> list[ColumnElement[Any]]:
    is_payment = lines.c.kind == "payment"
    return [
        func.count(case((is_payment, lines.c.order_id)).distinct()).label("orders"),
        func.sum(case((is_payment, lines.c.minor), else_=0)).label("paid"),
        func.sum(case((is_payment, 0), else_=-lines.c.minor)).label("refunded"),
        func.sum(lines.c.minor).label("net"),
    ]


MEASURES = [
    Column("currency", lazy_gettext("Currency"), in_files_only=True),
    Column("orders", lazy_gettext("Orders paid"), "number", has_total=True),
    Column("paid", lazy_gettext("Paid"), "money", has_total=True),
    Column("refunded", lazy_pgettext("amount", "Refunded"), "money", has_total=True),
    Column("net", lazy_gettext("Net revenue"), "money", has_total=True),
]


class PaidOrders(Report):
    """The orders behind every figure of revenue."""

    name = "paid-orders"
    label = lazy_gettext("Paid orders")
    description = lazy_gettext(
        "The orders behind the revenue: what was paid and refunded for each in the period."
    )
    period_of = lazy_gettext(
        "Payments count on the day they arrived, refunds on the day they were done; the ledger may"
        " count them for a later month."
    )
    selections = (COURSE, RUN, COUNTRY, CURRENCY)
    order = ("-at", "-order_id")
    is_list = True

    def columns(self, filters: Filters) -> Sequence[Column]:
        """The order, who, what, and its measures."""
        return [
            Column("number", lazy_gettext("Order")),
            Column("at", lazy_gettext("Last movement"), "date"),
            Column("buyer", lazy_gettext("Buyer")),
            Column("course", lazy_gettext("Course run")),
            Column("starts_on", lazy_gettext("Begins"), "date"),
            Column("country", lazy_gettext("Country"), words=country_name),
            MEASURES[0],
            *MEASURES[2:],
        ]

    def counted(self, filters: Filters) -> Statement:
        """The ledger by order."""
        lines = _ledger(filters)
        return select(
            lines.c.order_id,
            lines.c.currency,
            func.max(lines.c.at).label("at"),
            *_measures(lines)[1:],
        ).group_by(lines.c.order_id, lines.c.currency)

    def statement(self, filters: Filters) -> Statement:
        """The ledger by order, with who and what."""
        groups = self.counted(filters).subquery("groups")
        return (
            select(
                groups,
                Order.number,
                Order.uuid.label("order_uuid"),
                Order.user_id,
                func.coalesce(Order.buyer_name, User.name).label("buyer"),
                Order.country,
                CourseRun.starts_on,
                func.coalesce(
                    Order.words[filters.language].as_string(),
                    Order.words["en"].as_string(),
                    title_in(filters.language),
                ).label("course"),
            )
            .join(Order, Order.id == groups.c.order_id)
            .join(User, User.id == Order.user_id)
            .outerjoin(CourseRun, CourseRun.id == Order.run_id)
            .outerjoin(Course, Course.id == CourseRun.course_id)
        )

    def link(self, column: Column, row: RowValues, filters: Filters) -> str | None:
        """The order's own page, and the buyer's."""
        if column.name == "number":
            return url_for("payments.admin_order", order_uuid=row["order_uuid"])
        if column.name == "buyer":
            return url_for("administration.person", user_id=row["user_id"])
        return None


REPORTS: list[Report] = [PaidOrders()]
