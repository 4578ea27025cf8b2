"""Do payment services and the ledger say the same of the money that lies there?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import exists, func, select

from lms.core.db import db
from lms.core.money import Money
from lms.ledger.checks import LedgerCheck, Unexplained
from lms.ledger.kinds import Difference
from lms.ledger.queries import balances
from lms.payments import queries
from lms.payments.gateways.base import MovementKind, payment_gateways
from lms.payments.models import AS_CREDIT, Payment, Refund, RefundState
from lms.payments.movement_models import Dispute, GatewayMovement, MovementState

KNOWN_WITHIN = timedelta(days=3)  # until a payment stands among the service's movements


def _open_movements() -> Iterable[Unexplained]:
    for row in db.session.scalars(queries.list_gateway_movements(MovementState.OPEN)):
        yield Unexplained(Difference.MOVEMENT, f"{row.gateway} {row.reference}", row.amount)


def _payouts() -> Iterable[Unexplained]:
    found = db.session.scalars(queries.list_gateway_movements(kind=MovementKind.PAYOUT)).all()
    for row in queries.payouts(found):
        if not row.is_whole:
            where = f"{row.movement.gateway} {row.movement.source}"
            yield Unexplained(Difference.PAYOUT, where, row.sum)


_PAYMENT_KNOWN = exists().where(
    GatewayMovement.payment_id == Payment.id, GatewayMovement.kind == MovementKind.PAYMENT
)
_LOST_AND_KNOWN = exists().where(
    Dispute.refund_id == Refund.id, GatewayMovement.dispute_id == Dispute.id
)


def _unknown_payments() -> Iterable[Unexplained]:
    """Money that the service, looked at since, does not know of."""
    for sync in queries.last_syncs():
        found = db.session.scalars(
            select(Payment)
            .where(
                Payment.gateway == sync.gateway,
                Payment.received_at < sync.made_at - KNOWN_WITHIN,
                ~_PAYMENT_KNOWN,
            )
            .order_by(Payment.id)
        )
        for payment in found:
            yield Unexplained(Difference.NO_MOVEMENT, f"payment {payment.id}", payment.amount)


def _clearing() -> Iterable[Unexplained]:
    """What the ledger holds at a service is what moved there, and what is not told yet."""
    for sync in queries.last_syncs():
        gateway = payment_gateways.get(sync.gateway)
        if gateway is None:
            continue
        expected: dict[str, int] = defaultdict(int)
        net = func.sum(GatewayMovement.amount_minor - GatewayMovement.fee_minor)
        moved = (
            select(GatewayMovement.currency, net)
            .where(GatewayMovement.gateway == gateway.name)
            .group_by(GatewayMovement.currency)
        )
        received = (
            select(Payment.currency, func.sum(Payment.amount_minor))
            .where(Payment.gateway == gateway.name, ~_PAYMENT_KNOWN)
            .group_by(Payment.currency)
        )
        returned = (
            select(Refund.currency, -func.sum(Refund.amount_minor))
            .join(Payment, Payment.id == Refund.payment_id)
            .where(
                Payment.gateway == gateway.name,
                Refund.state == RefundState.DONE,
                ~_LOST_AND_KNOWN,
                ~Refund.reference.startswith(AS_CREDIT),
            )
            .group_by(Refund.currency)
        )
        paid_in = func.coalesce(GatewayMovement.original_currency, GatewayMovement.currency)
        amount = func.coalesce(GatewayMovement.original_minor, GatewayMovement.amount_minor)
        known = (
            select(paid_in, -func.sum(amount))
            .where(
                GatewayMovement.gateway == gateway.name,
                GatewayMovement.state == MovementState.MATCHED,
                GatewayMovement.kind.in_((MovementKind.REFUND, MovementKind.REFUND_FAILED)),
            )
            .group_by(paid_in)
        )
        for statement in (moved, received, returned, known):
            for currency, minor in db.session.execute(statement):
                expected[currency] += int(minor or 0)
        account = gateway.ledger_account
        told = {one.currency: one.amount.minor for one in balances() if one.account == account}
        for currency in sorted(told.keys() | expected.keys()):
            more = told.get(currency, 0) - expected[currency]
            if more:
                yield Unexplained(Difference.CLEARING, account, Money(more, currency))


def _balances() -> Iterable[Unexplained]:
    """What a service says it holds is the sum of what moved there until it was asked."""
    for sync in queries.last_syncs():
        said = {currency: int(minor) for minor, currency in sync.balances}
        net = func.sum(GatewayMovement.amount_minor - GatewayMovement.fee_minor)
        found = db.session.execute(
            select(GatewayMovement.currency, net)
            .where(
                GatewayMovement.gateway == sync.gateway,
                GatewayMovement.happened_at <= sync.made_at,
            )
            .group_by(GatewayMovement.currency)
        )
        moved = {currency: int(minor) for currency, minor in found}
        for currency in sorted(said.keys() | moved.keys()):
            more = said.get(currency, 0) - moved.get(currency, 0)
            if more:
                yield Unexplained(Difference.CLEARING, sync.gateway, Money(more, currency))


CHECKS = [
    LedgerCheck("movements", _open_movements),
    LedgerCheck("payouts", _payouts),
    LedgerCheck("unknown_payments", _unknown_payments),
    LedgerCheck("clearing", _clearing),
    LedgerCheck("gateway_balances", _balances),
]
