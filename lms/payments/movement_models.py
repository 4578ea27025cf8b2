"""Money that moved at payment services, and payments that buyers' banks take back."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, composite, mapped_column, relationship

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import AnyJSON, BigInt, Model, PrimaryKey
from lms.core.money import Money
from lms.payments.models import Payment, Refund


class MovementState(StrEnum):
    """Whether a movement belongs to something that Puente knows."""

    MATCHED = "matched"
    OPEN = "open"  # nobody knows why yet: a line of the exceptions
    EXPLAINED = "explained"  # by a person, with a reason


class DisputeState(StrEnum):
    """Where a dispute stands."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


class Dispute(Model):
    """A payment that the buyer's bank takes back until it is decided."""

    __tablename__ = "payment_disputes"
    __table_args__ = (
        UniqueConstraint("gateway", "reference"),
        CheckConstraint("state IN ('open', 'won', 'lost')", name="state"),
    )

    id: Mapped[PrimaryKey]
    gateway: Mapped[str]
    reference: Mapped[str]
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"), index=True)
    currency: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInt)
    reason: Mapped[str]  # the service's code
    state: Mapped[str] = mapped_column(default=DisputeState.OPEN, index=True)
    opened_at: Mapped[datetime] = mapped_column(default=clock.now)
    evidence_until: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    refund_id: Mapped[int | None] = mapped_column(ForeignKey("refunds.id"), index=True)

    amount: Mapped[Money] = composite(Money, "amount_minor", "currency")
    payment: Mapped[Payment] = relationship()
    refund: Mapped[Refund | None] = relationship()


class GatewayMovement(Model):
    """One movement, as `gateways.base.Movement` tells it."""

    __tablename__ = "gateway_movements"
    __table_args__ = (
        UniqueConstraint("gateway", "reference"),
        Index("ix_gateway_movements_state_happened_at", "state", "happened_at"),
        Index("ix_gateway_movements_gateway_payout", "gateway", "payout"),
        CheckConstraint("state IN ('matched', 'open', 'explained')", name="state"),
    )

    id: Mapped[PrimaryKey]
    gateway: Mapped[str]
    reference: Mapped[str]
    whole: Mapped[str | None] = mapped_column(index=True)  # the movement that this is a part of
    kind: Mapped[str]  # MovementKind
    category: Mapped[str]
    source: Mapped[str] = mapped_column(index=True)
    currency: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInt)
    fee_minor: Mapped[int] = mapped_column(BigInt)
    original_currency: Mapped[str | None]
    original_minor: Mapped[int | None] = mapped_column(BigInt)
    happened_at: Mapped[datetime] = mapped_column(index=True)
    available_at: Mapped[datetime]
    payout: Mapped[str | None]  # the source of the payout that pays it out
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payments.id"), index=True)
    refund_id: Mapped[int | None] = mapped_column(ForeignKey("refunds.id"), index=True)
    dispute_id: Mapped[int | None] = mapped_column(ForeignKey("payment_disputes.id"), index=True)
    state: Mapped[str]
    owner_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    account: Mapped[str | None]  # of the ledger, that a person found it belongs to
    explanation: Mapped[str] = mapped_column(default="")
    explained_at: Mapped[datetime | None]

    amount: Mapped[Money] = composite(Money, "amount_minor", "currency")
    fee: Mapped[Money] = composite(Money, "fee_minor", "currency")
    payment: Mapped[Payment | None] = relationship()
    refund: Mapped[Refund | None] = relationship()
    dispute: Mapped[Dispute | None] = relationship()
    owner: Mapped[User | None] = relationship()

    @property
    def net(self) -> Money:
        """What it changed the balance by."""
        return self.amount - self.fee

    @property
    def original(self) -> Money | None:
        """The amount in the buyer's currency, None when nothing was exchanged."""
        if self.original_currency is None or self.original_minor is None:
            return None
        return Money(self.original_minor, self.original_currency)


class GatewaySync(Model):
    """One look at a payment service. balances: [[minor, currency], ...] as it said."""

    __tablename__ = "gateway_syncs"
    __table_args__ = (Index("ix_gateway_syncs_gateway_made_at", "gateway", "made_at"),)

    id: Mapped[PrimaryKey]
    gateway: Mapped[str]
    made_at: Mapped[datetime]
    movements: Mapped[int]  # new ones
    found: Mapped[int]  # payments and refunds whose messages were lost
    balances: Mapped[list[list[Any]]] = mapped_column(AnyJSON)
