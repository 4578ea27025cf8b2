"""What gateways say, and what is done about it: each message acts once."""

from __future__ import annotations

import uuid

from sqlalchemy import select

from lms.core import clock
from lms.core.db import db, insert_if_new
from lms.notifications.services import tell
from lms.payments import queries
from lms.payments.due_models import Due
from lms.payments.gateways.base import (
    DisputeTold,
    Fact,
    GatewayEvent,
    MoneyReturned,
    PaymentArrived,
    PaymentDeclined,
    PaymentSettling,
    RefundSettled,
    SessionExpired,
)
from lms.payments.models import Order, OrderState, WebhookEvent
from lms.payments.queries.dues import find_due
from lms.payments.services import disputes, orders, parts, payments, purchases, refunds


def receive_event(gateway: str, event: GatewayEvent, payload_hash: str) -> bool:
    """Act on a gateway's message, once; False when it was handled before."""
    is_new = insert_if_new(
        WebhookEvent,
        gateway=gateway,
        event_id=event.id,
        type=event.type,
        payload_hash=payload_hash,
        received_at=clock.now(),
    )
    if not is_new:
        return False
    row = db.session.scalars(
        select(WebhookEvent).where(
            WebhookEvent.gateway == gateway, WebhookEvent.event_id == event.id
        )
    ).one()
    for fact in event.facts:
        order = apply_fact(gateway, fact)
        if order is not None:
            row.order_id = order.id
    row.handled_at = clock.now()
    db.session.flush()
    return True


def apply_fact(gateway: str, fact: Fact) -> Order | None:
    """Do what a fact about an order asks for; None when the order is not ours. Safe to repeat."""
    if isinstance(fact, DisputeTold):
        return disputes.note_dispute(gateway, fact)
    order = queries.find_order(fact.order)
    if order is None:
        due = find_due(fact.order)
        if due is not None:
            return _apply_to_due(gateway, due, fact)
        purchase = queries.find_purchase(fact.order)
        return purchases.apply_fact(gateway, purchase, fact) if purchase else None
    match fact:
        case PaymentArrived(reference=reference, amount=amount):
            payments.take_payment(order, gateway, reference, amount)
        case PaymentSettling(session=session):
            if order.gateway_session == session:
                orders.settling(order)
        case PaymentDeclined():
            _note_failure(order, fact)
        case SessionExpired(session=session):
            if order.gateway_session == session and not order.is_settling:
                orders.close_order(order, OrderState.EXPIRED)
        case MoneyReturned(reference=reference, amount=amount, refunded=refunded):
            payment = payments.take_payment(order, gateway, reference, amount)
            refunds.note_money_returned(payment, refunded)
        case RefundSettled(refund=refund_uuid, reference=reference, failure=failure):
            _note_refund(refund_uuid, reference, failure)
    return order


def _note_failure(order: Order, fact: PaymentDeclined) -> None:
    """Keep why the last try failed, and tell a buyer who is no longer on the payment page."""
    if not order.is_open or (fact.session and fact.session != order.gateway_session):
        return
    payments.note_declined(order, fact)
    if fact.is_final:
        tell(order.user, "payments.payment_failed", **queries.facts_for_messages(order))


def _apply_to_due(gateway: str, due: Due, fact: Fact) -> Order:
    """Do what a fact about the payment page of a part asks for. Safe to repeat."""
    order = due.order
    match fact:
        case PaymentArrived(reference=reference, amount=amount):
            payments.take_payment(order, gateway, reference, amount, due=due)
        case MoneyReturned(reference=reference, amount=amount, refunded=refunded):
            payment = payments.take_payment(order, gateway, reference, amount, due=due)
            refunds.note_money_returned(payment, refunded)
        case SessionExpired(session=session):
            parts.forget_page(due, session)
        case PaymentDeclined(session=session, is_final=True):
            parts.forget_page(due, session)
            tell(order.user, "payments.part_due", **parts.facts(due))
        case RefundSettled(refund=refund_uuid, reference=reference, failure=failure):
            _note_refund(refund_uuid, reference, failure)
    return order


def _note_refund(key: uuid.UUID, reference: str, failure: str | None) -> None:
    refund = queries.find_refund(key)
    if refund is not None and failure is not None:
        refunds.fail_refund(refund, failure)
    elif refund is not None:
        refunds.settle_refund(refund, reference)
