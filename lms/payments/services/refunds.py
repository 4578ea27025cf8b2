"""Money that goes back: never more than came in, and each refund once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update

from lms.accounts.models import User
from lms.core import clock
from lms.core.audit import record
from lms.core.db import db
from lms.core.events import emit
from lms.core.money import Money
from lms.core.outbox import enqueue
from lms.courses.events import CourseRunCancelled
from lms.notifications.services import tell
from lms.payments import queries
from lms.payments.errors import CreditNeedsAccount, NothingToRefund
from lms.payments.events import OrderRefunded, RefundAsked
from lms.payments.gateways.base import payment_gateways
from lms.payments.models import (
    AS_CREDIT,
    DELIVERED,
    OPEN,
    Order,
    OrderState,
    Payment,
    Refund,
    RefundReason,
    RefundState,
)
from lms.payments.products import product_of
from lms.payments.queries.dues import has_parts, owed_of
from lms.payments.services import credits, dues
from lms.payments.services.attention import call_administrators
from lms.payments.services.bookkeeping import (
    book_failed_refund,
    book_refund,
    give_grant_back,
)
from lms.payments.services.grants import find_grant
from lms.payments.services.orders import close_order, lock_order


def _reserve(payment: Payment, amount: Money) -> None:
    """Count the amount as given back, never beyond what came in. Raises NothingToRefund."""
    if amount.currency != payment.currency or amount.minor <= 0:
        raise NothingToRefund
    reserved: Any = db.session.execute(
        update(Payment)
        .where(
            Payment.id == payment.id,
            Payment.refunded_minor + amount.minor <= Payment.amount_minor,
        )
        .values(refunded_minor=Payment.refunded_minor + amount.minor)
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(payment)
    if not reserved.rowcount:
        raise NothingToRefund


def request_refund(
    payment: Payment,
    amount: Money,
    reason: RefundReason,
    *,
    by: User | None = None,
    note: str = "",
    as_credit: bool = False,
) -> Refund:
    """Ask the payment's gateway to give the amount back, or keep it for the buyer as credit.

    What was paid with credit becomes credit again. Raises NothingToRefund.
    """
    _reserve(payment, amount)
    refund = Refund(
        order_id=payment.order_id,
        payment=payment,
        currency=amount.currency,
        amount_minor=amount.minor,
        reason=reason,
        note=note,
        by_id=by.id if by else None,
    )
    db.session.add(refund)
    db.session.flush()
    gateway = payment_gateways.get(payment.gateway)
    if as_credit or payment.gateway == "credit":
        settle_as_credit(refund)
    elif gateway is not None and not gateway.refunds_by_hand:
        enqueue("payments.refund", refund_id=refund.id)
    else:
        if by is None:
            call_administrators(payment.order, "refund_by_hand")
        emit(RefundAsked(payment.order, refund))
    return refund


def refund_order(
    order: Order,
    reason: RefundReason,
    *,
    amount: Money | None = None,
    by: User | None = None,
    note: str = "",
    as_credit: bool = False,
) -> list[Refund]:
    """Give back a part of what was paid for the order, or all of it when `amount` is None.

    Of all of it nothing more is asked for either. Raises NothingToRefund when there is not so much
    left.
    """
    order = lock_order(order)
    owed = owed_of(order) if order.state == OrderState.OWED and amount is None else 0
    dues.waive(order, owed, reason, by)
    left = [payment for payment in queries.payments_of(order) if payment.remaining]
    parts = [(payment, payment.remaining) for payment in left]
    if amount is not None:
        parts = _parts_of(amount, left)
    found = [
        request_refund(payment, part, reason, by=by, note=note, as_credit=as_credit)
        for payment, part in parts
        if part
    ]
    if owed and not found:
        _take_back(order)
    elif not found:
        raise NothingToRefund
    if by is not None:
        total = sum(refund.amount_minor for refund in found)
        record("payments.refund", order, by.id, amount=total, currency=order.currency)
    return found


def _parts_of(amount: Money, payments: Sequence[Payment]) -> list[tuple[Payment, Money]]:
    """Which payment gives back how much. Raises NothingToRefund."""
    parts, left = [], amount.minor
    for payment in payments:
        if payment.currency == amount.currency:
            part = min(left, payment.remaining.minor)
            parts.append((payment, Money(part, amount.currency)))
            left -= part
    if left or amount.minor <= 0:
        raise NothingToRefund
    return parts


def settle_refund(refund: Refund, reference: str) -> None:
    """The money is back with the buyer: close the order and the enrolment. Safe to repeat."""
    order = lock_order(refund.order)
    settled: Any = db.session.execute(
        update(Refund)
        .where(Refund.id == refund.id, Refund.state == RefundState.REQUESTED)
        .values(state=RefundState.DONE, reference=reference, done_at=clock.now(), failure=None)
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(refund)
    if not settled.rowcount:
        return
    dues.note_refund(refund)
    book_refund(refund)
    _follow_ledger(order)
    if refund.reason != RefundReason.DISPUTE_LOST:
        tell(
            order.user,
            "payments.refunded",
            **queries.facts_for_messages(order),
            refund=[refund.amount_minor, refund.currency],
            reason=refund.reason,
            as_credit=refund.is_credit,
        )
    emit(OrderRefunded(order, refund))


def settle_as_credit(refund: Refund, by: User | None = None) -> None:
    """Keep what a refund gives back for the buyer. Safe to repeat.

    Raises CreditNeedsAccount while nobody has claimed the buyer's account.
    """
    if refund.state != RefundState.REQUESTED:
        return
    if refund.order.user.is_waiting:
        raise CreditNeedsAccount
    credits.give(refund)
    settle_refund(refund, f"{AS_CREDIT}{refund.uuid}")
    if by is not None:
        record("payments.refund_as_credit", refund.order, by.id, refund=refund.id)


def settle_by_hand(refund: Refund, reference: str, by: User) -> None:
    """An administrator sent the money back by other ways. Safe to repeat."""
    if refund.state == RefundState.REQUESTED:
        settle_refund(refund, reference)
        record("payments.settle_refund", refund.order, by.id, refund=refund.id)


def fail_refund(refund: Refund, failure: str) -> None:
    """The gateway will not give it back: an administrator must see to it. Safe to repeat."""
    failed: Any = db.session.execute(
        update(Refund)
        .where(Refund.id == refund.id, Refund.state != RefundState.FAILED)
        .values(state=RefundState.FAILED, failure=failure[:300], done_at=None)
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(refund)
    if failed.rowcount:
        db.session.execute(
            update(Payment)
            .where(Payment.id == refund.payment_id)
            .values(refunded_minor=Payment.refunded_minor - refund.amount_minor)
            .execution_options(synchronize_session="fetch")
        )
        order = lock_order(refund.order)
        dues.note_failed_refund(refund)
        book_failed_refund(refund)
        _follow_ledger(order)
        call_administrators(refund.order, "refund_failed")


def note_money_returned(payment: Payment, refunded: Money) -> None:
    """Money went back in the gateway's own pages: bring the ledger up to it. Safe to repeat."""
    more = refunded - payment.refunded
    if more.minor > 0:
        _note(payment, more, RefundReason.AT_GATEWAY, f"{payment.reference}:{refunded.minor}")


def note_money_taken(payment: Payment, amount: Money, reference: str) -> Refund | None:
    """A dispute was lost: what had not gone back before went to the buyer by their bank.

    None when nothing was left. The buyer knows of it and is not told again.
    """
    left = Money(min(amount.minor, payment.remaining.minor), payment.currency)
    if amount.currency != payment.currency or not left:
        return None
    return _note(payment, left, RefundReason.DISPUTE_LOST, reference)


def _note(payment: Payment, amount: Money, reason: RefundReason, reference: str) -> Refund:
    """Keep a refund that happened without us. Raises NothingToRefund."""
    _reserve(payment, amount)
    refund = Refund(
        order_id=payment.order_id,
        payment=payment,
        currency=amount.currency,
        amount_minor=amount.minor,
        reason=reason,
    )
    db.session.add(refund)
    db.session.flush()
    settle_refund(refund, reference)
    return refund


def _follow_ledger(order: Order) -> None:
    """Let the order's state say what the ledger says; without money it is taken back."""
    if order.state not in (*DELIVERED, OrderState.REFUNDED):
        return
    if has_parts(order):
        dues.follow(order)
        _take_back(order)
        return
    kept = queries.kept_for(order)
    if kept >= order.total_minor:
        order.state = OrderState.PAID
    elif kept > 0:
        order.state = OrderState.PARTIALLY_REFUNDED
    else:
        order.state = OrderState.REFUNDED
    db.session.flush()
    _take_back(order)


def _take_back(order: Order) -> None:
    if order.state in (OrderState.REFUNDED, OrderState.CANCELLED):
        product_of(order).take_back(order)


def refund_cancelled_run(event: CourseRunCancelled) -> None:
    """A run does not take place: close its open orders and give all money back."""
    for order in db.session.scalars(
        select(Order).where(Order.run_id == event.run.id, Order.state.in_((*OPEN, *DELIVERED)))
    ).all():
        if order.is_open:
            close_order(order, OrderState.CANCELLED)
        elif not order.total_minor:
            grant = find_grant(order)
            if grant is not None:
                give_grant_back(order, grant.kept)
        else:
            enqueue("payments.refund_order", order_id=order.id, reason="run_cancelled")
