"""What was sold: orders by course run, tier, country and currency, exact at any moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Select,
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

from lms.core.db import db
from lms.core.rollups import month_in_utc, split_months
from lms.courses.models import CourseRun
from lms.payments.models import DELIVERED, Order, Refund, RefundState
from lms.payments.products import PLACE
from lms.payments.seat_models import SEATS
from lms.payments.sum_models import NO_RUN, OrderMark, OrderSum
from lms.pricing.models import Quote

Column: TypeAlias = ColumnElement[Any]
Rows: TypeAlias = Select[*tuple[Any, ...]]

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


def sold_within(since: datetime | None, until: datetime | None) -> Column:
    """Whether an order was sold then: by the indexes of both instants of which one counts."""

    def inside(at: Column) -> list[Column]:
        found = [at >= since] if since is not None else []
        return found + ([at < until] if until is not None else [])

    if since is None and until is None:
        return Order.state.in_(DELIVERED)
    return and_(
        Order.state.in_(DELIVERED),
        or_(
            and_(*inside(Order.delivered_at.expression)),
            and_(Order.delivered_at.is_(None), *inside(Order.paid_at.expression)),
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
    marks = db.session.scalars(select(OrderMark.run_id).distinct()).all()
    span = split_months(wanted.since, wanted.until)
    names = (*DIMENSIONS, *MEASURES)
    months = [OrderSum.month >= span.first] if span.first else []
    months += [OrderSum.month <= span.last] if span.last else []
    sums = select(*(getattr(OrderSum, name) for name in names)).where(
        OrderSum.run_id.not_in(marks),
        *(months if span.has_months else [false()]),
        *wanted.conditions(
            OrderSum.run_id.expression,
            OrderSum.country.expression,
            OrderSum.currency.expression,
            OrderSum.tier.expression,
        ),
    )
    mine = wanted.conditions(
        _RUN_ID if wanted.course_id == NO_RUN else Order.run_id.expression,
        func.coalesce(Order.country, ""),
        Order.currency.expression,
        func.coalesce(Quote.tier, ""),
    )
    then = [wanted.since <= SOLD_AT] if wanted.since is not None else []
    then += [wanted.until > SOLD_AT] if wanted.until is not None else []
    parts = []  # by their runs: no index has the instant of `then`
    if runs := [run_id for run_id in marks if run_id != NO_RUN]:
        parts.append(_signed(list_sales(Order.run_id.in_(runs), *then, *mine), 1))
    if NO_RUN in marks:
        parts.append(_signed(list_sales(Order.run_id.is_(None), *then, *mine), 1))
    for edge in span.edges:
        cut = sold_within(edge.since, edge.until)
        parts.append(_signed(list_sales(_RUN_ID.not_in(marks), cut, *mine), edge.sign))
    return union_all(sums, *parts).subquery("sales")


def _signed(rows: Rows, sign: int) -> Rows:
    """Single orders as lines to be added to sums or taken off them."""
    columns = rows.selected_columns
    return rows.with_only_columns(
        *(columns[name] for name in DIMENSIONS),
        *((columns[name] * sign).label(name) for name in MEASURES),
        maintain_column_froms=True,
    )


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
