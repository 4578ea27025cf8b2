"""What was agreed when an order was placed: when money comes back, and what the invoice says."""

from __future__ import annotations

import json
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import AnyJSON, Model, PrimaryKey
from lms.core.sealing import unseal
from lms.payments.models import Order

SEALED_FOR = "order terms"


class RefundPolicy(Model):
    """When and how much money comes back, for orders placed from a day on. Never edited."""

    __tablename__ = "refund_policies"
    __table_args__ = (
        CheckConstraint("fee_percent BETWEEN 0 AND 100", name="fee"),
        CheckConstraint("nothing_after_percent BETWEEN 1 AND 100", name="nothing_after"),
        CheckConstraint("moved_days >= 0", name="moved"),
    )

    id: Mapped[PrimaryKey]
    starts_on: Mapped[date] = mapped_column(unique=True)
    fee_percent: Mapped[int]
    fee_caps: Mapped[dict[str, int]] = mapped_column(AnyJSON)  # currency -> minor units
    nothing_after_percent: Mapped[int]
    moved_days: Mapped[int]
    made_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    made_by: Mapped[User | None] = relationship()


class OrderTerms(Model):
    """What holds for one order. first_day: of its place's run, as the buyer last agreed to it."""

    __tablename__ = "order_terms"

    order_id: Mapped[int] = mapped_column(
        ForeignKey("orders.id"), primary_key=True, autoincrement=False
    )
    policy_id: Mapped[int | None] = mapped_column(ForeignKey("refund_policies.id"), index=True)
    first_day: Mapped[date | None]
    told_of: Mapped[date | None]  # the later first day that the buyer was told of
    transfers: Mapped[int] = mapped_column(default=0)
    buyer: Mapped[str] = mapped_column(default="consumer")  # invoicing's BuyerKind
    organisation: Mapped[str] = mapped_column(default="")
    province: Mapped[str] = mapped_column(default="")
    purchase_order: Mapped[str] = mapped_column(default="")
    sealed: Mapped[str] = mapped_column(default="")  # address, tax_id: read by `details`
    order: Mapped[Order] = relationship()
    policy: Mapped[RefundPolicy | None] = relationship()

    @property
    def details(self) -> dict[str, str]:
        """Address and tax_id of the buyer."""
        found: dict[str, str] = json.loads(unseal(self.sealed, SEALED_FOR)) if self.sealed else {}
        return found
