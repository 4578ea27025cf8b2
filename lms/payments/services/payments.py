"""Money that comes in: from a gateway's facts to what was bought, exactly once."""

from __future__ import annotations

from typing import Any

from lms.accounts.models import User
from lms.core import clock
from lms.core.audit import record
from lms.core.db import db
from lms.core.events import emit
from lms.core.money import Money
from lms.notifications.services import tell
from lms.payments import queries
from lms.payments.errors import OrderClosed, ReferenceUsed, WrongTransferAmount
from lms.payments.events import OrderPaid, PaymentFailed
from lms.payments.gateways.base import (
    PaymentDeclined,
)
from lms.payments.models import (
    OPEN,
    Order,
    OrderState,
    Payment,
    PaymentException,
    RefundReason,
)
from lms.payments.products import Refused, product_of
from lms.payments.services import bookkeeping, credits, grants, order_invoices, orders, refunds
from lms.payments.services.attention import call_administrators
from lms.payments.services.receipts import issue_receipt
from lms.payments.services.vouchers import retake_voucher

CREDIT = "credit"  # name of the gateway
_UNPAID = (OrderState.DRAFT, OrderState.PENDING, OrderState.CANCELLED, OrderState.EXPIRED)


def take_payment(
    order: Order, gateway: str, reference: str, amount: Money, confirmed_by: User | None = None
) -> Payment:
    """Note money received and, when it is what the order asks for, deliver. Safe to repeat."""
    order = orders.lock_order(order)
    payment = queries.find_payment(gateway, reference)
    if payment is not None:
        return payment
    payment = Payment(
        order=order,
        gateway=gateway,
        reference=reference,
        currency=amount.currency,
        amount_minor=amount.minor,
        confirmed_by_id=confirmed_by.id if confirmed_by else None,
    )
    db.session.add(payment)
    db.session.flush()
    bookkeeping.book_payment(payment)
    if amount != order.due:
        payment.exception = PaymentException.AMOUNT_DIFFERS
        db.session.flush()
        call_administrators(order, PaymentException.AMOUNT_DIFFERS)
        return payment
    was_paid_before = not orders.change_state(
        order,
        OrderState.PAID,
        _UNPAID,
        paid_at=clock.now(),
        expires_at=None,
        is_settling=False,
        failure=None,
        gateway=gateway,
    )
    if was_paid_before:
        return _give_back(payment, PaymentException.PAID_TWICE, RefundReason.PAID_TWICE)
    retake_voucher(order)
    refused = product_of(order).refuses(order)
    if refused is None and not credits.retake(order):
        refused = Refused(PaymentException.SEAT_GONE, RefundReason.SEAT_GONE)
    if refused is not None:
        grants.release_grant(order)
        credits.release(order)
        return _give_back(payment, refused.why, refused.reason)
    _take_credit(order)
    _deliver(order)
    return payment


def pay_by_credit(order: Order) -> None:
    """Complete an order of which credit pays all. Safe to repeat."""
    order = orders.lock_order(order)
    if order.due or not orders.change_state(
        order, OrderState.PAID, OPEN, paid_at=clock.now(), expires_at=None, gateway=CREDIT
    ):
        return
    _take_credit(order)
    _deliver(order)


def _take_credit(order: Order) -> None:
    """The part of a paid order that credit pays: a payment of its own."""
    amount = credits.held_for(order)
    if not amount:
        return
    payment = Payment(
        order=order,
        gateway=CREDIT,
        reference=f"{CREDIT}:{order.uuid}",
        currency=amount.currency,
        amount_minor=amount.minor,
    )
    db.session.add(payment)
    db.session.flush()
    bookkeeping.book_payment(payment)


def _deliver(order: Order) -> None:
    """What was bought is paid: the buyer has it, and the receipt."""
    issue_receipt(order)
    bookkeeping.book_sale(order)
    facts = queries.facts_for_messages(order) | {"taxes": order_invoices.taxes_told(order)}
    tell(order.user, "payments.receipt", **facts)
    product_of(order).deliver(order)
    emit(OrderPaid(order))


def _give_back(payment: Payment, why: PaymentException, reason: RefundReason) -> Payment:
    payment.exception = why
    db.session.flush()
    call_administrators(payment.order, why)
    refunds.request_refund(payment, payment.remaining, reason)
    return payment


def note_declined(order: Order, fact: PaymentDeclined) -> None:
    """Keep why the last try failed; after a final one the buyer has a day for another."""
    order.failure = (fact.reason or "declined")[:100]
    if fact.is_final:
        order.is_settling = False
        order.gateway_session = order.gateway_url = None
        order.state = OrderState.DRAFT
        order.attempt += 1
        order.expires_at = clock.now() + orders.TRY_AGAIN_WITHIN
    db.session.flush()
    emit(PaymentFailed(order, fact.reason))


def confirm_transfer(
    order: Order, amount: Money, reference: str, by: User, **details: Any
) -> Payment:
    """An administrator saw the money of a transfer on the account.

    Raises WrongTransferAmount, ReferenceUsed or OrderClosed.
    """
    if amount != order.total:
        raise WrongTransferAmount
    if order.gateway is None or order.state not in _UNPAID:
        raise OrderClosed
    if queries.find_payment(order.gateway, reference) is not None:
        raise ReferenceUsed
    payment = take_payment(order, order.gateway, reference, amount, by)
    record("payments.confirm_transfer", order, by.id, amount=amount.minor, **details)
    return payment
