"""What must not be: each of these lists is empty while all is well."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import joinedload

from lms.core.db import db
from lms.courses.models import STUDIES, CourseRun, Enrolment, EnrolmentState
from lms.courses.seat_models import SEAT, HeldSeats
from lms.payments.due_models import Due
from lms.payments.models import (
    DELIVERED,
    SETTLED,
    Order,
    OrderState,
    Payment,
    PaymentException,
    Refund,
    RefundState,
)
from lms.payments.products import PLACE
from lms.payments.queries.dues import IS_OPEN, today
from lms.payments.seat_models import SEATS, Seat, SeatBlock

WAYS = ("payment", "voucher", "scholarship")
_RUN = joinedload(Order.run).joinedload(CourseRun.course)


def paid_not_enrolled() -> Select[Order]:
    """Paid orders, nothing of them on its way back, whose buyer does not have what was paid.

    Who cannot study; and whose places for others are not kept. Somebody who left the course of
    their own accord is no exception.
    """
    studies = exists().where(
        Enrolment.run_id == Order.run_id,
        Enrolment.user_id == Order.user_id,
        Enrolment.state.in_((*STUDIES, EnrolmentState.WITHDRAWN)),
    )
    keeps_seats = exists().where(
        HeldSeats.key == Order.item,
        HeldSeats.run_id == Order.run_id,
        HeldSeats.seats == Order.quantity,
        HeldSeats.expires_at.is_(None),
    )
    keeps_money = exists().where(
        Payment.order_id == Order.id, Payment.refunded_minor < Payment.amount_minor
    )
    owes = and_(Order.state == OrderState.OWED, exists().where(Due.order_id == Order.id, IS_OPEN))
    return (
        select(Order)
        .where(
            Order.state.in_((OrderState.PAID, OrderState.OWED)),
            or_(and_(Order.product == PLACE, ~studies), and_(Order.product == SEATS, ~keeps_seats)),
            or_(keeps_money, Order.total_minor == 0, owes),
        )
        .options(_RUN, joinedload(Order.user))
        .order_by(Order.id)
    )


def enrolled_not_paid(*, with_late: bool = True) -> Select[Enrolment]:
    """People who study by payment, voucher or scholarship without an order that pays for it, or on
    a place of no paid block.

    An order of which parts are still to be paid pays for it, unless, `with_late`, one is late.
    """
    pays: ColumnElement[bool] = Order.state.in_(DELIVERED)
    if with_late:
        late = exists().where(Due.order_id == Order.id, IS_OPEN, Due.due_on < today())
        pays = or_(Order.state.in_(SETTLED), and_(Order.state == OrderState.OWED, ~late))
    paid = (  # joined as a whole: asked for one by one, each would read all orders of its buyer
        select(Order.run_id, Order.user_id)
        .where(pays, Order.product == PLACE)
        .distinct()
        .subquery("paid")
    )
    is_paid = and_(paid.c.run_id == Enrolment.run_id, paid.c.user_id == Enrolment.user_id)
    given = exists().where(
        Seat.enrolment_id == Enrolment.id,
        SeatBlock.id == Seat.block_id,
        SeatBlock.run_id == Enrolment.run_id,
        Order.id == SeatBlock.order_id,
        pays,
    )
    return (
        select(Enrolment)
        .outerjoin(paid, is_paid)
        .where(
            Enrolment.state.in_(STUDIES),
            or_(
                and_(Enrolment.method.in_(WAYS), paid.c.run_id.is_(None)),
                and_(Enrolment.method == SEAT, ~given),
            ),
        )
        .options(joinedload(Enrolment.run).joinedload(CourseRun.course), joinedload(Enrolment.user))
        .order_by(Enrolment.id)
    )


def amount_differs() -> Select[Payment]:
    """Payments of another amount or currency than their order, not given back yet."""
    return (
        select(Payment)
        .where(
            Payment.exception == PaymentException.AMOUNT_DIFFERS,
            Payment.refunded_minor < Payment.amount_minor,
        )
        .options(
            joinedload(Payment.order).options(_RUN, joinedload(Order.user)),
        )
        .order_by(Payment.id)
    )


def failed_refunds() -> Select[Refund]:
    """Refunds that a gateway refused, whose money is still here."""
    return (
        select(Refund)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Refund.state == RefundState.FAILED, Payment.refunded_minor < Payment.amount_minor)
        .options(joinedload(Refund.order).options(_RUN, joinedload(Order.user)))
        .order_by(Refund.id)
    )


def refunds_by_hand(gateways: list[str]) -> Select[Refund]:
    """Requested refunds of gateways whose money an administrator sends."""
    return (
        select(Refund)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Refund.state == RefundState.REQUESTED, Payment.gateway.in_(gateways))
        .options(joinedload(Refund.order).options(_RUN, joinedload(Order.user)))
        .order_by(Refund.id)
    )


def count_exceptions() -> dict[str, int]:
    """How long each list of exceptions is."""
    lists: dict[str, Select[Order] | Select[Enrolment] | Select[Payment]] = {
        "paid_not_enrolled": paid_not_enrolled(),
        "enrolled_not_paid": enrolled_not_paid(),
        "amount_differs": amount_differs(),
    }
    return {
        name: db.session.scalar(
            select(func.count()).select_from(found.options().order_by(None).subquery())
        )
        or 0
        for name, found in lists.items()
    }
