"""The books of the demo's past run: fees, a refund, a lost dispute, a payout, a closed month."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from sqlalchemy import select

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.courses.models import CourseRun
from lms.demo.shares import state_shares
from lms.ledger.services.periods import close_month, next_to_close
from lms.payments.gateways.base import DisputeTold, Movement, MovementKind, payment_gateways
from lms.payments.models import Order, RefundReason
from lms.payments.movement_models import GatewayMovement
from lms.payments.services import disputes, reconciliation
from lms.payments.services.bookkeeping import earn_weeks
from lms.payments.services.refunds import request_refund, settle_refund

DISPUTE_FEE = 1_500


def keep_books(run: CourseRun, administrator: User) -> None:
    """Let the rooms' own services tell all of it, with the clock set back."""
    orders = db.session.scalars(
        select(Order).where(Order.run_id == run.id).order_by(Order.id)
    ).all()
    for order in orders:
        note_payment(order)
    with clock.set_to(run.starts_at + timedelta(days=9)):
        earn_weeks(run)
        _give_half_back(orders[0], administrator)
        _lose_dispute(orders[-1])
    earn_weeks(run)
    _pay_out(run, orders[0].currency)
    state_shares(run, administrator)
    month = next_to_close()
    if month is not None:
        close_month(month, administrator)


def note_payment(order: Order) -> str:
    """The card service says that it took the money of an order, less its fee; gives its number."""
    [payment] = order.payments
    fee = Money(payment.amount_minor * 29 // 1000 + 30, payment.currency)
    return _move(MovementKind.PAYMENT, payment.amount, fee, payment.received_at, order)


def note_payment_and_payout(order: Order) -> None:
    """The card service took the money of an order and paid it out: it holds nothing of it."""
    reference = note_payment(order)
    row = db.session.scalars(
        select(GatewayMovement).where(GatewayMovement.reference == reference)
    ).one()
    _move(
        MovementKind.PAYOUT, -row.net, Money(0, row.currency), clock.now(), order,
        source=f"po_demo_{order.id}", members=(reference,),
    )  # fmt: skip


def _move(
    kind: MovementKind,
    amount: Money,
    fee: Money,
    at: datetime,
    order: Order | None = None,
    *,
    refund: uuid.UUID | None = None,
    source: str = "",
    members: tuple[str, ...] = (),
) -> str:
    """Let the card service say that money moved; gives its number."""
    is_of_order = order is not None and kind != MovementKind.PAYOUT
    payment = order.payments[0].reference if order and is_of_order else None
    reference = f"txn_demo_{kind}_{order.id if order else 0}"
    movement = Movement(
        reference=reference,
        kind=kind,
        category={"payment": "charge"}.get(kind, kind),
        source=source or f"{kind}_demo_{order.id if order else 0}",
        amount=amount,
        fee=fee,
        happened_at=at,
        available_at=at + timedelta(days=2),
        payment=payment,
        order=order.uuid if order and is_of_order else None,
        refund=refund,
        members=(*members, reference) if members else (),
    )
    reconciliation.take_movement(payment_gateways["stripe"], movement)
    return reference


def _give_half_back(order: Order, administrator: User) -> None:
    [payment] = order.payments
    half = Money(payment.amount_minor // 2, payment.currency)
    refund = request_refund(
        payment, half, RefundReason.BY_ADMINISTRATOR, by=administrator, note="Left half-way"
    )
    settle_refund(refund, "re_demo_0001")
    nothing = Money(0, half.currency)
    _move(MovementKind.REFUND, -half, nothing, clock.now(), order, refund=refund.uuid)


def _lose_dispute(order: Order) -> None:
    [payment] = order.payments
    told = DisputeTold(
        order.uuid,
        payment=payment.reference,
        reference="dp_demo_0001",
        amount=payment.amount,
        reason="fraudulent",
        evidence_until=clock.now() + timedelta(days=7),
    )
    disputes.note_dispute("stripe", told)
    fee = Money(DISPUTE_FEE, payment.currency)
    _move(MovementKind.DISPUTE, -payment.amount, fee, clock.now(), order, source=told.reference)
    with clock.set_to(clock.now() + timedelta(days=8)):
        decided = DisputeTold(
            order.uuid,
            payment=payment.reference,
            reference=told.reference,
            amount=payment.amount,
            reason=told.reason,
            evidence_until=None,
            is_won=False,
        )
        disputes.note_dispute("stripe", decided)


def _pay_out(run: CourseRun, currency: str) -> None:
    """All that the card service holds goes to the bank, four weeks after the run began."""
    found = db.session.scalars(
        select(GatewayMovement).where(GatewayMovement.gateway == "stripe")
    ).all()
    held = Money(sum(row.net.minor for row in found), currency)
    nothing = Money(0, currency)
    sent_at = run.starts_at + timedelta(days=28)
    with clock.set_to(sent_at):
        _move(
            MovementKind.PAYOUT, -held, nothing, sent_at,
            source="po_demo_0001", members=tuple(row.reference for row in found),
        )  # fmt: skip
    gateway = payment_gateways["stripe"]
    reconciliation.keep_sync(gateway, clock.now(), len(found) + 1, 0, [nothing])
