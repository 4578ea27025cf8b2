"""What a scholarship pays of an order in the buyer's place."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms.core.db import BigInt, Model
from lms.core.money import Money
from lms.payments.models import Order
from lms.scholarships.models import Application


class OrderGrant(Model):
    """The part of an order that a fund pays; released when the order comes to nothing."""

    __tablename__ = "order_grants"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("given_back_minor BETWEEN 0 AND amount_minor", name="given_back"),
        CheckConstraint("booked_at IS NULL OR released_at IS NULL", name="state"),
    )

    order_id: Mapped[int] = mapped_column(
        ForeignKey("orders.id"), primary_key=True, autoincrement=False
    )
    award_id: Mapped[int] = mapped_column(ForeignKey("scholarship_applications.id"), index=True)
    amount_minor: Mapped[int] = mapped_column(BigInt)  # in the order's currency, the fund's
    given_back_minor: Mapped[int] = mapped_column(BigInt, default=0)
    booked_at: Mapped[datetime | None]  # when the sale came into the ledger
    released_at: Mapped[datetime | None]

    order: Mapped[Order] = relationship()
    award: Mapped[Application] = relationship()

    @property
    def amount(self) -> Money:
        """What the fund pays."""
        return Money(self.amount_minor, self.order.currency)

    @property
    def kept(self) -> Money:
        """What the fund has paid and not got back."""
        return Money(self.amount_minor - self.given_back_minor, self.order.currency)
