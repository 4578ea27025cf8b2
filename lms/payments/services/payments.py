"""Money that comes in: from a gateway's facts to what was bought, exactly once."""

from __future__ import annotations

from typing import Any

from lms.accounts.models import User
from lms.core import clock
from lms.core.audit import record
from lms.core.db import db
from lms.core.events import emit
from lms.core.money import Money
from lms.core.outbox import enqueue
from lms.notifications.services import tell
from lms.payments import queries
from lms.payments.due_models import Due
from lms.payments.errors import OrderClosed, ReferenceUsed, WrongTransferAmount
from lms.payments.events import OrderDelivered, OrderPaid, PaymentFailed
from lms.payments.gateways.base import (
    PaymentDeclined,
    payment_gateways,
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
from lms.payments.queries.dues import part_facts
from lms.payments.services import (
    bookkeeping,
    credits,
    dues,
    grants,
    order_invoices,
    orders,
    refunds,
)
from lms.payments.services.attention import call_administrators
from lms.payments.services.receipts import issue_receipt
from lms.payments.services.vouchers import retake_voucher

CREDIT = "credit"  # name of the gateway
_UNPAID = (OrderState.DRAFT, OrderState.PENDING, OrderState.CANCELLED, OrderState.EXPIRED)


def take_payment(
    order: Order,
    gateway: str,
    reference: str,
    amount: Money,
    confirmed_by: User | None = None,
    due: Due | None = None,
) -> Payment:
    """Note money received and, when it is what the order asks for, deliver. Safe to repeat.

    due: the part for whose own payment page it came.
    """
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
    if gateway in payment_gateways and payment_gateways[gateway].sees_cards:
        enqueue("payments.see_card", payment_id=payment.id)
    if due is not None or order.delivered_at is not None:
        return _take_part(payment, due)
    if amount != order.asked:
        payment.exception = PaymentException.AMOUNT_DIFFERS
        db.session.flush()
        call_administrators(order, PaymentException.AMOUNT_DIFFERS)
        return payment
    is_part = order.first_minor is not None
    was_paid_before = not orders.change_state(
        order,
        OrderState.OWED if is_part else OrderState.PAID,
        _UNPAID,
        paid_at=None if is_part else clock.now(),
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
        dues.drop(order)
        grants.release_grant(order)
        credits.release(order)
        return _give_back(payment, refused.why, refused.reason)
    if is_part:
        deliver_owed(order)
        _tell_of_part(payment)
    else:
        _take_credit(order)
        _deliver(order)
    return payment


def _take_part(payment: Payment, due: Due | None) -> Payment:
    """Money for an order that is delivered, or for a page of one of its parts."""
    order = payment.order
    if due is not None:
        due.gateway_session = due.gateway_url = due.expires_at = None
    if due is not None and payment.amount_minor != due.page_minor:
        payment.exception = PaymentException.AMOUNT_DIFFERS
    elif order.state != OrderState.OWED or not dues.is_for_parts(order, payment, due):
        is_transfer = payment_gateways[payment.gateway].refunds_by_hand
        if order.state != OrderState.OWED or not is_transfer:
            return _give_back(payment, PaymentException.PAID_TWICE, RefundReason.PAID_TWICE)
        payment.exception = PaymentException.AMOUNT_DIFFERS
    db.session.flush()
    if payment.exception is not None:
        call_administrators(order, PaymentException.AMOUNT_DIFFERS)
        return payment
    dues.take(order, payment)
    _tell_of_part(payment)
    if order.state == OrderState.PAID:
        issue_receipt(order)
        emit(OrderPaid(order))
    return payment


def _tell_of_part(payment: Payment) -> None:
    order = payment.order
    tell(
        order.user,
        "payments.part_received",
        **queries.facts_for_messages(order),
        amount=[payment.amount_minor, payment.currency],
        parts=part_facts(order),
    )


def deliver_owed(order: Order) -> None:
    """The buyer has it before all is paid: sold and invoiced, with the parts that are due."""
    order.delivered_at = clock.now()
    db.session.flush()
    dues.follow(order)
    bookkeeping.book_sale(order)
    product_of(order).deliver(order)
    dues.follow_access(order)
    emit(OrderDelivered(order))


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

    Of an order that is delivered it may pay a part. Raises WrongTransferAmount, ReferenceUsed or
    OrderClosed.
    """
    if order.gateway is None or order.state not in (*_UNPAID, OrderState.OWED):
        raise OrderClosed
    if not dues.accepts(order, amount):
        raise WrongTransferAmount
    gateway = dues.transfer_gateway(order)
    if queries.find_payment(gateway, reference) is not None:
        raise ReferenceUsed
    payment = take_payment(order, gateway, reference, amount, by)
    record("payments.confirm_transfer", order, by.id, amount=amount.minor, **details)
    return payment
