"""Revenue: money received less money given back, to the minor unit.

Both come from the ledger (payments, and refunds that are done), each on its own day; amounts of
different currencies are never added. A payment that went back in full counts as zero.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Select, literal, select, union_all

from lms.courses.models import CourseRun
from lms.payments.models import Order, Payment, Refund, RefundState


def _lines() -> Any:
    paid = select(
        Payment.received_at.label("at"),
        literal("payment").label("kind"),
        Payment.order_id.label("order_id"),
        Payment.gateway.label("gateway"),
        Payment.currency.label("currency"),
        Payment.amount_minor.label("minor"),
    )
    refunded = (
        select(
            Refund.done_at,
            literal("refund"),
            Refund.order_id,
            Payment.gateway,
            Refund.currency,
            -Refund.amount_minor,
        )
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Refund.state == RefundState.DONE)
    )
    return union_all(paid, refunded).subquery("ledger")


def list_ledger(
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    course_id: int | None = None,
    run_id: int | None = None,
    country: str | None = None,
    currency: str | None = None,
    gateway: str | None = None,
) -> Select[Any]:
    """The lines behind a figure, newest first, as rows.

    Columns: at, kind, order_id, gateway, currency, minor, run_id, course_id, country, number,
    order_uuid. until is excluded. country "" means orders without a country, course_id 0 those
    for no course.
    """
    ledger = _lines()
    found = (
        select(
            ledger,
            Order.run_id,
            CourseRun.course_id,
            Order.country,
            Order.number,
            Order.uuid.label("order_uuid"),
        )
        .join(Order, Order.id == ledger.c.order_id)
        .outerjoin(CourseRun, CourseRun.id == Order.run_id)
        .order_by(ledger.c.at.desc(), ledger.c.order_id.desc())
    )
    if since is not None:
        found = found.where(ledger.c.at >= since)
    if until is not None:
        found = found.where(ledger.c.at < until)
    if course_id is not None:
        is_for = CourseRun.course_id == course_id if course_id else Order.run_id.is_(None)
        found = found.where(is_for)
    if run_id is not None:
        found = found.where(Order.run_id == run_id)
    if country is not None:
        found = found.where(Order.country.is_(None) if country == "" else Order.country == country)
    if currency is not None:
        found = found.where(ledger.c.currency == currency)
    if gateway is not None:
        found = found.where(ledger.c.gateway == gateway)
    return found
