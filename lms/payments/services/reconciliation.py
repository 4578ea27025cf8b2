"""What the payment service says moved, held against what Puente knows, and told to the ledger.

Each movement is matched to one payment, refund, dispute or payout. What belongs to nothing lies on
an account of its own until a person explains it. A payment or refund whose message was lost is
found here and done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, update

from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.ledger.accounts import Account
from lms.ledger.kinds import EntryKind
from lms.payments import queries
from lms.payments.errors import NothingToRefund
from lms.payments.gateways.base import (
    Movement,
    MovementKind,
    PaymentArrived,
    PaymentGateway,
)
from lms.payments.models import Payment, Refund, RefundReason, RefundState
from lms.payments.movement_models import Dispute, GatewayMovement, GatewaySync, MovementState
from lms.payments.services import facts, refunds
from lms.payments.services.disputes import find_dispute, settle_lost
from lms.payments.services.movement_parts import in_parts
from lms.payments.services.movement_posting import post_movement as _post
from lms.payments.services.orders import lock_order

LOOKS_BACK = timedelta(days=4)  # movements are told late, and their payout later still


def since_when(gateway: PaymentGateway) -> datetime:
    """From when on movements are asked for: a little before the last look, else all."""
    last = db.session.scalar(
        select(func.max(GatewaySync.made_at)).where(GatewaySync.gateway == gateway.name)
    )
    if last is not None:
        return last - LOOKS_BACK
    first = db.session.scalar(
        select(func.min(Payment.received_at)).where(Payment.gateway == gateway.name)
    )
    return (first or clock.now()) - LOOKS_BACK


def find_movement(gateway: str, reference: str) -> GatewayMovement | None:
    """A movement by the service's id of it, or the first part of it."""
    return db.session.scalar(
        select(GatewayMovement)
        .where(
            GatewayMovement.gateway == gateway,
            or_(GatewayMovement.reference == reference, GatewayMovement.whole == reference),
        )
        .order_by(GatewayMovement.id)
        .limit(1)
    )


def take_movement(gateway: PaymentGateway, movement: Movement) -> tuple[bool, bool]:
    """Keep a movement, match it and post it: whether it is new, and whether it found something
    whose message was lost. Safe to repeat."""
    known = find_movement(gateway.name, movement.reference)
    if known is not None:
        return False, False
    parts, has_found = in_parts(gateway, movement)
    whole = movement.reference if len(parts) > 1 else None
    for part in parts:
        has_found = _take_part(gateway, part, whole) or has_found
    return True, has_found


def _take_part(gateway: PaymentGateway, movement: Movement, whole: str | None) -> bool:
    row = GatewayMovement(
        gateway=gateway.name,
        reference=movement.reference,
        whole=whole,
        kind=movement.kind,
        category=movement.category,
        source=movement.source,
        currency=movement.amount.currency,
        amount_minor=movement.amount.minor,
        fee_minor=movement.fee.minor,
        original_currency=movement.original.currency if movement.original else None,
        original_minor=movement.original.minor if movement.original else None,
        happened_at=movement.happened_at,
        available_at=movement.available_at,
        state=MovementState.MATCHED,
    )
    db.session.add(row)
    db.session.flush()
    has_found = _MATCHERS[movement.kind](gateway, movement, row)
    _post_fee(gateway, row)
    db.session.flush()
    return has_found


def _post_fee(gateway: PaymentGateway, row: GatewayMovement) -> None:
    account = Account.DISPUTE_FEE if row.dispute_id else Account.PROCESSOR
    fee = row.fee
    payment = row.payment
    _post(EntryKind.FEE, row, (account, fee), (gateway.ledger_account, -fee), of=payment)


def _leave_open(gateway: PaymentGateway, row: GatewayMovement) -> bool:
    """Nobody knows why: the money is there all the same."""
    row.state = MovementState.OPEN
    _post(
        EntryKind.UNKNOWN, row,
        (gateway.ledger_account, row.amount), (Account.SUSPENSE, -row.amount),
    )  # fmt: skip
    return False


def _exchange(gateway: PaymentGateway, row: GatewayMovement, known: Money) -> None:
    """Change what was posted in the buyer's currency into that of the account."""
    if known.currency == row.currency:
        return
    clearing = gateway.ledger_account
    _post(
        EntryKind.EXCHANGE, row,
        (clearing, -known), (Account.EXCHANGE, known),
        (clearing, row.amount), (Account.EXCHANGE, -row.amount),
        of=row.payment,
    )  # fmt: skip


def _payment(gateway: PaymentGateway, movement: Movement, row: GatewayMovement) -> bool:
    payment = queries.find_payment(gateway.name, movement.payment or movement.source)
    amount = movement.original or movement.amount
    has_found = False
    if payment is None and movement.order is not None and movement.payment is not None:
        told = PaymentArrived(movement.order, movement.payment, amount)
        facts.apply_fact(gateway.name, told)
        payment = queries.find_payment(gateway.name, movement.payment)
        has_found = payment is not None
    if payment is None or payment.amount != amount:
        return _leave_open(gateway, row)
    row.payment = payment
    _exchange(gateway, row, amount)
    return has_found


def _refund(gateway: PaymentGateway, movement: Movement, row: GatewayMovement) -> bool:
    back = -(movement.original or movement.amount)
    refund = queries.find_refund(movement.refund) if movement.refund else None
    if refund is not None and refund.amount == back:
        has_found = refund.state == RefundState.REQUESTED
        refunds.settle_refund(refund, movement.source)
        row.refund, row.payment = refund, refund.payment
        _exchange(gateway, row, -back)
        return has_found
    row.payment = queries.find_payment(gateway.name, movement.payment or "")
    if refund is not None or row.payment is None:
        return _leave_open(gateway, row)
    try:
        has_found = _note_made_at_gateway(row.payment)
    except NothingToRefund:
        return _leave_open(gateway, row)
    _exchange(gateway, row, -back)
    return has_found


def _note_made_at_gateway(payment: Payment) -> bool:
    """Refunds that somebody made at the service: whether more went back than was known.

    By their sum, as a message tells the sum too and may have come before or after each movement.
    """
    lock_order(payment.order)
    db.session.flush()
    amount = func.coalesce(GatewayMovement.original_minor, GatewayMovement.amount_minor)
    moved = db.session.scalar(
        select(-func.sum(amount)).where(
            GatewayMovement.payment_id == payment.id,
            GatewayMovement.refund_id.is_(None),
            GatewayMovement.kind == MovementKind.REFUND,
        )
    )
    known = db.session.scalar(
        select(func.coalesce(func.sum(Refund.amount_minor), 0)).where(
            Refund.payment_id == payment.id,
            Refund.reason == RefundReason.AT_GATEWAY,
            Refund.state == RefundState.DONE,
        )
    )
    more = int(moved or 0) - int(known or 0)
    if more > 0:
        refunds.note_money_returned(payment, payment.refunded + Money(more, payment.currency))
    return more > 0


def _refund_failed(gateway: PaymentGateway, movement: Movement, row: GatewayMovement) -> bool:
    refund = queries.find_refund(movement.refund) if movement.refund else None
    if refund is None or refund.amount != (movement.original or movement.amount):
        return _leave_open(gateway, row)
    has_found = refund.state != RefundState.FAILED
    refunds.fail_refund(refund, "refund_failure")
    row.refund, row.payment = refund, refund.payment
    _exchange(gateway, row, refund.amount)
    return has_found


def _dispute(gateway: PaymentGateway, movement: Movement, row: GatewayMovement) -> bool:
    """The bank holds the money back, or gives it back again; the decision comes by message."""
    dispute = find_dispute(gateway.name, movement.source)
    payment = queries.find_payment(gateway.name, movement.payment or "")
    if payment is None:
        return _leave_open(gateway, row)
    row.payment, row.dispute = payment, dispute or _dispute_from(gateway, movement, payment)
    is_won = movement.kind == MovementKind.DISPUTE_WON
    kind = EntryKind.DISPUTE_WON if is_won else EntryKind.DISPUTE
    held = -row.amount  # negative when it comes back
    _post(kind, row, (Account.DISPUTES, held), (gateway.ledger_account, -held), of=payment)
    if not is_won:
        settle_lost(row.dispute)
    return dispute is None


def _dispute_from(gateway: PaymentGateway, movement: Movement, payment: Payment) -> Dispute:
    """A dispute whose message was lost."""
    amount = -(movement.original or movement.amount)
    dispute = Dispute(
        gateway=gateway.name,
        reference=movement.source,
        payment=payment,
        currency=amount.currency,
        amount_minor=abs(amount.minor),
        reason="",
        opened_at=movement.happened_at,
    )
    db.session.add(dispute)
    db.session.flush()
    return dispute


def _payout(gateway: PaymentGateway, movement: Movement, row: GatewayMovement) -> bool:
    """The service sent money to the bank, with what it is made of."""
    row.payout = movement.source
    if movement.members:
        db.session.flush()
        db.session.execute(
            update(GatewayMovement)
            .where(
                GatewayMovement.gateway == gateway.name,
                or_(
                    GatewayMovement.reference.in_(movement.members),
                    GatewayMovement.whole.in_(movement.members),
                ),
            )
            .values(payout=movement.source)
            .execution_options(synchronize_session="fetch")
        )
    sent = -row.amount
    _post(EntryKind.PAYOUT, row, (Account.BANK, sent), (gateway.ledger_account, -sent))
    return False


def _fee(gateway: PaymentGateway, movement: Movement, row: GatewayMovement) -> bool:
    """A fee of its own, such as for the account."""
    paid = -row.amount
    _post(EntryKind.FEE, row, (Account.PROCESSOR, paid), (gateway.ledger_account, -paid))
    return False


def _other(gateway: PaymentGateway, movement: Movement, row: GatewayMovement) -> bool:
    return _leave_open(gateway, row)


_MATCHERS: dict[MovementKind, Callable[[PaymentGateway, Movement, GatewayMovement], bool]] = {
    MovementKind.PAYMENT: _payment,
    MovementKind.REFUND: _refund,
    MovementKind.REFUND_FAILED: _refund_failed,
    MovementKind.DISPUTE: _dispute,
    MovementKind.DISPUTE_WON: _dispute,
    MovementKind.PAYOUT: _payout,
    MovementKind.FEE: _fee,
    MovementKind.OTHER: _other,
}


def keep_sync(
    gateway: PaymentGateway, made_at: datetime, new: int, found: int, held: Sequence[Money]
) -> GatewaySync:
    """Note a look at a payment service that ended well."""
    sync = GatewaySync(
        gateway=gateway.name,
        made_at=made_at,
        movements=new,
        found=found,
        balances=[[amount.minor, amount.currency] for amount in held],
    )
    db.session.add(sync)
    db.session.flush()
    return sync
