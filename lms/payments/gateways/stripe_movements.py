"""What Stripe says of the money on its own balance: balance transactions, payouts, disputes."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import stripe

from lms.core.money import Money
from lms.payments.errors import GatewayUnavailable
from lms.payments.gateways.base import DisputeTold, Movement, MovementKind
from lms.payments.gateways.stripe_amounts import from_stripe

NIL = uuid.UUID(int=0)
# https://docs.stripe.com/reports/reporting-categories
_KINDS = {
    "charge": MovementKind.PAYMENT,
    "refund": MovementKind.REFUND,
    "refund_failure": MovementKind.REFUND_FAILED,
    "dispute": MovementKind.DISPUTE,
    "dispute_reversal": MovementKind.DISPUTE_WON,
    "payout": MovementKind.PAYOUT,
    "payout_reversal": MovementKind.PAYOUT,
    "fee": MovementKind.FEE,
    "network_cost": MovementKind.FEE,
}


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _uuid(text: Any) -> uuid.UUID | None:
    try:
        return uuid.UUID(str(text))
    except ValueError:
        return None


def _value(thing: Any, name: str) -> Any:
    return thing.get(name) if isinstance(thing, dict) else getattr(thing, name, None)


def _id_of(thing: Any) -> str | None:
    return thing if isinstance(thing, str) or thing is None else str(_value(thing, "id"))


def list_movements(client: stripe.StripeClient, since: datetime) -> Iterator[Movement]:
    """Balance transactions since an instant, the oldest first. Raises GatewayUnavailable."""
    try:
        found = client.v1.balance_transactions.list(
            {"created": {"gte": int(since.timestamp())}, "limit": 100, "expand": ["data.source"]}
        )
        transactions = list(found.auto_paging_iter())
        for transaction in reversed(transactions):
            yield _movement(client, transaction)
    except stripe.StripeError as error:
        raise GatewayUnavailable from error


def _movement(client: stripe.StripeClient, transaction: Any) -> Movement:
    kind = _KINDS.get(transaction.reporting_category, MovementKind.OTHER)
    source = transaction.source
    metadata = _value(source, "metadata") or {}
    original = None
    if _value(source, "currency") and transaction.exchange_rate is not None:
        amount = from_stripe(abs(_value(source, "amount")), _value(source, "currency"))
        original = amount if transaction.amount >= 0 else -amount
    return Movement(
        reference=transaction.id,
        kind=kind,
        category=transaction.reporting_category,
        source=_id_of(source) or "",
        amount=from_stripe(transaction.amount, transaction.currency),
        fee=from_stripe(transaction.fee, transaction.currency),
        happened_at=_instant(transaction.created),
        available_at=_instant(transaction.available_on),
        original=original,
        payment=_id_of(_value(source, "payment_intent")),
        order=_uuid(metadata["order"]) if "order" in metadata else None,
        refund=_uuid(metadata["refund"]) if "refund" in metadata else None,
        members=_members(client, source) if kind == MovementKind.PAYOUT else (),
    )


def _members(client: stripe.StripeClient, payout: Any) -> Sequence[str]:
    """What an automatic payout pays out; Stripe cannot tell for those made by hand."""
    if not _value(payout, "automatic"):
        return ()
    found = client.v1.balance_transactions.list({"payout": str(_id_of(payout)), "limit": 100})
    return [transaction.id for transaction in found.auto_paging_iter()]


def balance(client: stripe.StripeClient) -> Sequence[Money]:
    """What the account holds, available or pending. Raises GatewayUnavailable."""
    try:
        found = client.v1.balance.retrieve()
    except stripe.StripeError as error:
        raise GatewayUnavailable from error
    held: dict[str, Money] = {}
    parts: list[Any] = [*found.available, *found.pending]
    for part in parts:
        amount = from_stripe(part.amount, part.currency)
        held[amount.currency] = held.get(amount.currency, Money(0, amount.currency)) + amount
    return list(held.values())


def find_dispute(client: stripe.StripeClient, reference: str) -> DisputeTold:
    """A dispute as it is now. Raises GatewayUnavailable."""
    try:
        return dispute_fact(client.v1.disputes.retrieve(reference))
    except stripe.StripeError as error:
        raise GatewayUnavailable from error


def dispute_fact(dispute: Any) -> DisputeTold:
    """What a message about a dispute says."""
    decided = {"won": True, "warning_closed": True, "lost": False}
    due = getattr(dispute.evidence_details, "due_by", None)
    return DisputeTold(
        NIL,
        payment=_id_of(dispute.payment_intent) or "",
        reference=dispute.id,
        amount=from_stripe(dispute.amount, dispute.currency),
        reason=str(dispute.reason),
        evidence_until=_instant(due) if due else None,
        is_won=decided.get(dispute.status),
    )
