"""What was sold: orders by course run, tier, country and currency, exact at any moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Subquery,
    and_,
    case,
    false,
    func,
    literal,
    or_,
    select,
    union_all,
)

from lms.core.rollups import (
    Rows,
    marked_runs,
    month_in_utc,
    signed,
    split_months,
    within,
)
from lms.courses.models import CourseRun
from lms.payments.models import DELIVERED, Order, Refund, RefundState
from lms.payments.products import PLACE
from lms.payments.seat_models import SEATS
from lms.payments.sum_models import NO_RUN, OrderMark, OrderSum
from lms.pricing.models import Quote

Column: TypeAlias = ColumnElement[Any]

DIMENSIONS = ("run_id", "currency", "tier", "country")
SUMMED_BY = ("run_id", "month", "currency", "tier", "country")
MEASURES = ("orders", "listed_minor", "charged_minor", "refunded_minor")
SOLD_AT = func.coalesce(Order.delivered_at, Order.paid_at)
GIVEN_BACK = func.coalesce(
    select(func.sum(Refund.amount_minor))
    .where(Refund.order_id == Order.id, Refund.state == RefundState.DONE)
    .scalar_subquery(),
    0,
)
_RUN_ID = func.coalesce(Order.run_id, NO_RUN)


@dataclass(frozen=True)
class Sold:
    """Which orders. since, until: when they were sold, the latter excluded; None is open.

    country and tier: "" for what has none. course_id: NO_RUN for what is no place.
    """

    since: datetime | None = None
    until: datetime | None = None
    course_id: int | None = None
    run_id: int | None = None
    country: str | None = None
    currency: str | None = None
    tier: str | None = None

    def conditions(
        self, run: Column, country: Column, currency: Column, tier: Column
    ) -> list[Column]:
        """The same as conditions on columns, but for the time."""
        pairs = ((country, self.country), (currency, self.currency), (tier, self.tier))
        found: list[Column] = [column == value for column, value in pairs if value is not None]
        if self.run_id is not None:
            found.append(run == self.run_id)
        if self.course_id == NO_RUN:
            found.append(run == NO_RUN)
        elif self.course_id is not None:
            runs = select(CourseRun.id).where(CourseRun.course_id == self.course_id)
            found.append(run.in_(runs))
        return found

    def conditions_on_orders(self) -> list[Column]:
        """The same of orders with their quotes, joined from outside."""
        return self.conditions(
            _RUN_ID if self.course_id == NO_RUN else Order.run_id.expression,
            func.coalesce(Order.country, ""),
            Order.currency.expression,
            func.coalesce(Quote.tier, ""),
        )


def sold_within(since: datetime | None, until: datetime | None) -> Column:
    """Whether an order was sold then: by the indexes of both instants of which one counts."""

    if since is None and until is None:
        return Order.state.in_(DELIVERED)
    return and_(
        Order.state.in_(DELIVERED),
        or_(
            and_(*within(Order.delivered_at.expression, since, until)),
            and_(Order.delivered_at.is_(None), *within(Order.paid_at.expression, since, until)),
        ),
    )


def list_sales(*where: Column) -> Rows:
    """Each order that was sold and not given back in full: DIMENSIONS, month and MEASURES."""
    run = CourseRun.__table__.c
    is_listed = and_(Order.product.in_((PLACE, SEATS)), Order.currency == run.price_currency)
    listed = case((is_listed, run.price_minor * Order.quantity), else_=Order.total_minor)
    return (
        select(
            _RUN_ID.label("run_id"),
            Order.currency,
            func.coalesce(Quote.tier, "").label("tier"),
            func.coalesce(Order.country, "").label("country"),
            month_in_utc(SOLD_AT).label("month"),
            literal(1).label("orders"),
            listed.label("listed_minor"),
            Order.total_minor.label("charged_minor"),
            GIVEN_BACK.label("refunded_minor"),
        )
        .select_from(Order)
        .outerjoin(CourseRun, CourseRun.id == Order.run_id)
        .outerjoin(Quote, Quote.id == Order.quote_id)
        .where(Order.state.in_(DELIVERED), *where)
    )


def sales(wanted: Sold) -> Subquery:
    """Sums and single orders with DIMENSIONS and MEASURES, to be summed further.

    What sums to no order at all is none: lines may take off what others have too much.

    Whole months of runs without a mark come from the sums; the rest is read order by order.
    """
    marks, span = marked_runs(OrderMark), split_months(wanted.since, wanted.until)
    sums = select(*(getattr(OrderSum, name) for name in (*DIMENSIONS, *MEASURES))).where(
        OrderSum.run_id.not_in(marks),
        *span.months(OrderSum.month.expression),
        *wanted.conditions(
            OrderSum.run_id.expression,
            OrderSum.country.expression,
            OrderSum.currency.expression,
            OrderSum.tier.expression,
        ),
    )
    mine = wanted.conditions_on_orders()
    then = within(SOLD_AT, wanted.since, wanted.until)  # no index has it: their runs find them
    parts = []
    if runs := [run_id for run_id in marks if run_id != NO_RUN]:
        parts.append((list_sales(Order.run_id.in_(runs), *then, *mine), 1))
    if NO_RUN in marks:
        parts.append((list_sales(Order.run_id.is_(None), *then, *mine), 1))
    for edge in span.edges:
        cut = sold_within(edge.since, edge.until)
        parts.append((list_sales(_RUN_ID.not_in(marks), cut, *mine), edge.sign))
    lines = (signed(rows, DIMENSIONS, MEASURES, sign) for rows, sign in parts)
    return union_all(sums, *lines).subquery("sales")


def read_sums(run_ids: Sequence[int] | None = None) -> Rows:
    """The sums as the orders say them: run_id, month, currency, tier, country and MEASURES."""
    where = []
    if run_ids is not None:
        is_none = Order.run_id.is_(None) if NO_RUN in run_ids else false()
        where = [or_(Order.run_id.in_(run_ids), is_none)]
    orders = list_sales(*where).subquery("orders")
    by = [orders.c[name] for name in SUMMED_BY]
    sums = (func.sum(orders.c[name]).label(name) for name in MEASURES)
    return select(*by, *sums).group_by(*by)
