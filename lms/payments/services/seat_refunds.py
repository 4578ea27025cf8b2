"""Money back for places of a block that nobody has taken: the same policy as for one who leaves."""

from __future__ import annotations

from lms.accounts.models import User
from lms.core import clock
from lms.core.audit import record
from lms.core.db import db
from lms.core.money import Money
from lms.courses.services.held_seats import free_held
from lms.payments.errors import NoPlaceLeft, NothingToRefund, OfferChanged
from lms.payments.models import SETTLED, Order, RefundReason
from lms.payments.seat_models import SeatBlock
from lms.payments.services.leaving import paid_and_kept, part_of
from lms.payments.services.orders import lock_order
from lms.payments.services.refund_policy import Back, Why
from lms.payments.services.refunds import request_refund
from lms.payments.services.seat_blocks import places_of
from lms.payments.services.seats import free_places
from lms.payments.services.terms import find_terms


def back_for(block: SeatBlock, count: int) -> Back:
    """What comes back for so many places that are given back now."""
    order = _order(block)
    kept = sum(amount.minor for _payment, amount in paid_and_kept(order))
    price = Money(min(order.total_minor // order.quantity * count, kept), order.currency)
    return part_of(price, order, find_terms(order))


def currency_of(block: SeatBlock) -> str:
    """In which it was paid."""
    return _order(block).currency


def _order(block: SeatBlock) -> Order:
    assert block.order is not None
    return block.order


def give_back(block: SeatBlock, count: int, shown: Money, by: User) -> Back:
    """Give free places back, and ask for their money.

    shown: what the buyer was shown. Raises NoPlaceLeft when fewer are free, OfferChanged when
    another sum comes back by now, and NothingToRefund.
    """
    order = lock_order(_order(block))
    db.session.refresh(block)
    db.session.expire(order, ["payments"])
    free = free_places(places_of(block))
    if count < 1 or count > len(free):
        raise NoPlaceLeft
    back = back_for(block, count)
    if order.state not in SETTLED or not back.amount:
        raise NothingToRefund
    if back.amount != shown:
        raise OfferChanged
    left = back.amount.minor
    reason = RefundReason.RUN_MOVED if back.why == Why.MOVED else RefundReason.BY_BUYER
    for payment, remaining in paid_and_kept(order):
        part = Money(min(left, remaining.minor), order.currency)
        if part:
            request_refund(payment, part, reason)
        left -= part.minor
    for seat in free[len(free) - count :]:
        seat.returned_at = clock.now()
        seat.round += 1
    db.session.flush()
    record("payments.give_seats_back", block, by.id, count=count, amount=back.amount.minor)
    free_held(block.uuid, count)
    return back
