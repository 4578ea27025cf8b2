"""A movement of what was paid for several orders at once, as one for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lms.core.money import Money, in_proportion
from lms.payments import queries
from lms.payments.gateways.base import (
    Movement,
    MovementKind,
    PaymentArrived,
    PaymentGateway,
    part_reference,
)
from lms.payments.models import Payment
from lms.payments.services import facts

_DIVIDED = (
    MovementKind.PAYMENT,
    MovementKind.REFUND,
    MovementKind.DISPUTE,
    MovementKind.DISPUTE_WON,
)


def in_parts(gateway: PaymentGateway, movement: Movement) -> tuple[Sequence[Movement], bool]:
    """The movement by orders, and whether a payment was found whose message was lost.

    One of a single order, or that fits no payment, stays whole. A refund that was asked for belongs
    to one order; one made at the service takes what the first orders have left.
    """
    if movement.kind not in _DIVIDED or not movement.payment or movement.refund is not None:
        return [movement], False
    paid, has_found = queries.find_payments(gateway.name, movement.payment), False
    amount = movement.original or movement.amount
    is_payment = movement.kind == MovementKind.PAYMENT
    if not paid and is_payment and movement.order is not None:
        told = PaymentArrived(movement.order, movement.payment, amount)
        facts.apply_fact(gateway.name, told)
        paid = queries.find_payments(gateway.name, movement.payment)
        has_found = bool(paid)
    if len(paid) < 2:
        return [movement], has_found
    if is_payment and sum(one.amount_minor for one in paid) != amount.minor:
        return [movement], has_found
    if movement.kind == MovementKind.REFUND:
        weights = _left(paid, -amount.minor)
    else:
        weights = [one.amount_minor for one in paid]
    if sum(weights) <= 0:
        return [movement], has_found
    return _divide(movement, paid, weights), has_found


def _left(paid: Sequence[Payment], minor: int) -> list[int]:
    """How much of a refund is taken from each; nothing when they have not so much left."""
    taken = []
    for payment in paid:
        taken.append(min(minor, payment.remaining.minor))
        minor -= taken[-1]
    return taken if not minor else [0 for _payment in paid]


def _divide(
    movement: Movement, paid: Sequence[Payment], weights: Sequence[int]
) -> Sequence[Movement]:
    def divided(amount: Money | None) -> Sequence[Money | None]:
        if amount is None:
            return [None for _weight in weights]
        return in_proportion(amount, weights)

    is_dispute = movement.kind in (MovementKind.DISPUTE, MovementKind.DISPUTE_WON)
    amounts, fees = in_proportion(movement.amount, weights), in_proportion(movement.fee, weights)
    return [
        replace(
            movement,
            reference=part_reference(movement.reference, number),
            source=part_reference(movement.source, number) if is_dispute else movement.source,
            payment=payment.reference,
            amount=amount,
            fee=fee,
            original=original,
        )
        for number, (payment, weight, amount, fee, original) in enumerate(
            zip(paid, weights, amounts, fees, divided(movement.original), strict=True), 1
        )
        if weight
    ]
