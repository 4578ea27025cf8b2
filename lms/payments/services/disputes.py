"""Payments that buyers' banks take back: opened, won, or lost, which gives the money back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import select, update

from lms.core import clock
from lms.core.db import db, insert_if_new
from lms.core.money import Money, in_proportion
from lms.ledger.accounts import Account
from lms.ledger.kinds import EntryKind
from lms.payments import queries
from lms.payments.gateways.base import (
    DisputeTold,
    MovementKind,
    part_reference,
    payment_gateways,
    whole_reference,
)
from lms.payments.models import Order, Payment
from lms.payments.movement_models import Dispute, DisputeState, GatewayMovement
from lms.payments.services.attention import call_administrators
from lms.payments.services.movement_posting import post_movement
from lms.payments.services.orders import lock_order
from lms.payments.services.refunds import note_money_taken


def find_dispute(gateway: str, reference: str) -> Dispute | None:
    """A dispute by the service's id of it."""
    return db.session.scalar(
        select(Dispute).where(Dispute.gateway == gateway, Dispute.reference == reference)
    )


def open_disputes(gateway: str) -> list[str]:
    """The service's ids of disputes that are not decided yet, as far as is known."""
    found = db.session.scalars(
        select(Dispute.reference)
        .where(Dispute.gateway == gateway, Dispute.state == DisputeState.OPEN)
        .order_by(Dispute.id)
    )
    return list(dict.fromkeys(whole_reference(reference) for reference in found))


def note_dispute(gateway: str, told: DisputeTold) -> Order | None:
    """Keep what the service says of a dispute; None for a payment that is not ours. Repeatable.

    A lost one takes the money of the order: as much as had not gone back to the buyer before. What
    was paid for several orders at once is disputed for each of them.
    """
    paid = queries.find_payments(gateway, told.payment)
    if not paid:
        return None
    if len(paid) == 1:
        return _note_dispute(gateway, paid[0], told)
    parts = in_proportion(told.amount, [payment.amount_minor for payment in paid])
    for number, (payment, amount) in enumerate(zip(paid, parts, strict=True), 1):
        reference = part_reference(told.reference, number)
        _note_dispute(gateway, payment, replace(told, reference=reference, amount=amount))
    return paid[0].order


def _note_dispute(gateway: str, payment: Payment, told: DisputeTold) -> Order:
    order = lock_order(payment.order)
    dispute = _keep(gateway, payment, told)
    if told.is_won is None:
        return order
    state = DisputeState.WON if told.is_won else DisputeState.LOST
    closed: Any = db.session.execute(
        update(Dispute)
        .where(Dispute.id == dispute.id, Dispute.state == DisputeState.OPEN)
        .values(state=state, closed_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(dispute)
    if closed.rowcount and state == DisputeState.LOST:
        refund = note_money_taken(payment, dispute.amount, dispute.reference)
        dispute.refund_id = refund.id if refund else None
        db.session.flush()
        settle_lost(dispute)
    if closed.rowcount:
        call_administrators(order, f"dispute_{state}")
    return order


def _keep(gateway: str, payment: Payment, told: DisputeTold) -> Dispute:
    is_new = insert_if_new(
        Dispute,
        gateway=gateway,
        reference=told.reference,
        payment_id=payment.id,
        currency=told.amount.currency,
        amount_minor=told.amount.minor,
        reason=told.reason[:100],
        state=DisputeState.OPEN,
        opened_at=clock.now(),
        evidence_until=told.evidence_until,
    )
    dispute = find_dispute(gateway, told.reference)
    assert dispute is not None
    if is_new and told.is_won is None:
        call_administrators(payment.order, "dispute_opened")
    return dispute


def settle_lost(dispute: Dispute) -> None:
    """A lost dispute whose money was withdrawn: what was held back is gone. Safe to repeat.

    Of it the refund took what the buyer had not got back before; the rest is lost for good.
    """
    row = db.session.scalar(
        select(GatewayMovement).where(
            GatewayMovement.dispute_id == dispute.id,
            GatewayMovement.kind == MovementKind.DISPUTE,
        )
    )
    if dispute.state != DisputeState.LOST or row is None:
        return
    taken = dispute.refund.amount if dispute.refund else Money(0, dispute.currency)
    lost = dispute.amount - taken
    held = -row.amount
    clearing = payment_gateways[dispute.gateway].ledger_account
    # The refund was posted as money that left the service; it left as a dispute before.
    amounts = [(clearing, taken), (Account.BAD_DEBT, lost)]
    if held.currency == dispute.currency:
        amounts.append((Account.DISPUTES, -held))
    else:
        amounts += [(Account.EXCHANGE, -dispute.amount), (Account.EXCHANGE, held)]
        amounts.append((Account.DISPUTES, -held))
    post_movement(EntryKind.DISPUTE_LOST, row, *amounts, of=dispute.payment)
