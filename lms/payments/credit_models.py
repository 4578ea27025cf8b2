"""Credit: money that a person left with us for another time, by currency."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, composite, mapped_column, relationship

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import BigInt, Model, PrimaryKey
from lms.core.money import Money
from lms.payments.models import Order, Refund


class CreditKind(StrEnum):
    """Why a credit changed."""

    REFUND = "refund"
    USED = "used"  # for an order, from when it was placed
    RELEASED = "released"  # the order came to nothing
    PAID_OUT = "paid_out"  # by an administrator, to the person's bank


class CreditBalance(Model):
    """What a person has in a currency; without what open orders hold. It does not expire."""

    __tablename__ = "credit_balances"
    __table_args__ = (CheckConstraint("balance_minor >= 0", name="never_overdrawn"),)

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id"), primary_key=True, autoincrement=False
    )
    currency: Mapped[str] = mapped_column(primary_key=True)
    balance_minor: Mapped[int] = mapped_column(BigInt)

    amount: Mapped[Money] = composite(Money, "balance_minor", "currency")
    user: Mapped[User] = relationship()


class CreditMovement(Model):
    """One change of a credit, never edited: they add up to the balance."""

    __tablename__ = "credit_movements"
    __table_args__ = (
        Index("ix_credit_movements_user_id", "user_id", "id"),
        CheckConstraint("amount_minor <> 0", name="amount"),
    )

    id: Mapped[PrimaryKey]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    currency: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInt)
    kind: Mapped[str]  # CreditKind
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"), index=True)
    refund_id: Mapped[int | None] = mapped_column(ForeignKey("refunds.id"), unique=True)
    reference: Mapped[str] = mapped_column(default="")  # the bank's, of what was paid out
    by_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    made_at: Mapped[datetime] = mapped_column(default=clock.now)

    amount: Mapped[Money] = composite(Money, "amount_minor", "currency")
    order: Mapped[Order | None] = relationship()
    refund: Mapped[Refund | None] = relationship()
