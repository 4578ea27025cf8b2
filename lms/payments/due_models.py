"""What is still to be paid of an order that is delivered: its parts, each due on a day.

The rule: an order whose buyer has it, and of whose total a part is open or was lost, is `owed`.
Its parts (`Due`) add up to its total, and count from delivery on. Money covers them in their order,
whatever it was sent for. When nothing is open any more, the order is paid as any other.
"""

from __future__ import annotations

import uuid
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, composite, mapped_column, relationship

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import BigInt, Model, PrimaryKey
from lms.core.money import Money
from lms.courses.models import CourseRun
from lms.directory.models import Organisation
from lms.payments.models import Order

_IS_OPEN = text("paid_minor + waived_minor + lost_minor < amount_minor")


class Due(Model):
    """A part of an order's total, due on a day. It has payment pages of its own.

    waived: not asked for any more, as a part of the sale was taken back. lost: written off.
    """

    __tablename__ = "order_dues"
    __table_args__ = (
        UniqueConstraint("order_id", "position"),
        UniqueConstraint("gateway", "gateway_session"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint(
            "paid_minor >= 0 AND waived_minor >= 0 AND lost_minor >= 0"
            " AND paid_minor + waived_minor + lost_minor <= amount_minor",
            name="sum",
        ),
        Index("ix_order_dues_open", "due_on", sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
    )

    id: Mapped[PrimaryKey]
    uuid: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    position: Mapped[int]  # 1 for the first
    due_on: Mapped[date]
    currency: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInt)
    paid_minor: Mapped[int] = mapped_column(BigInt, default=0)
    waived_minor: Mapped[int] = mapped_column(BigInt, default=0)
    lost_minor: Mapped[int] = mapped_column(BigInt, default=0)
    told_step: Mapped[int | None]  # the last reminder: days after the day, negative before it
    told_at: Mapped[datetime | None]
    gateway: Mapped[str | None]
    gateway_session: Mapped[str | None]  # the gateway's id of the open payment page
    gateway_url: Mapped[str | None]
    page_minor: Mapped[int | None] = mapped_column(BigInt)  # what that page asks for
    attempt: Mapped[int] = mapped_column(default=0)  # payment pages opened for it
    expires_at: Mapped[datetime | None]  # of the open payment page

    amount: Mapped[Money] = composite(Money, "amount_minor", "currency")

    order: Mapped[Order] = relationship()

    @property
    def open_minor(self) -> int:
        """What is still to be paid, in minor units."""
        return self.amount_minor - self.paid_minor - self.waived_minor - self.lost_minor

    @property
    def total(self) -> Money:
        """What a payment page asks for."""
        return Money(self.open_minor, self.currency)

    @property
    def number(self) -> str:
        """For people: the number of its order."""
        return self.order.number

    @property
    def language(self) -> str:
        """The buyer's."""
        return self.order.language

    @property
    def user(self) -> User:
        """The buyer."""
        return self.order.user

    @property
    def bought(self) -> list[tuple[dict[str, str], Money]]:
        """What is paid for, as a payment page shows it."""
        return [(self.order.title, self.total)]

    @property
    def page(self) -> tuple[str, dict[str, Any]]:
        """Endpoint and values of the page to which the buyer comes back."""
        return self.order.page

    def days_late(self, day: date) -> int:
        """Days since it was due, while it is open; negative before the day."""
        return (day - self.due_on).days


class ReliefKind(StrEnum):
    """Why a part is not asked for any more."""

    WAIVED = "waived"  # that part of the sale is taken back
    LOST = "lost"  # written off: nobody believes that it will be paid


class Relief(Model):
    """Something that was owed and is not asked for any more: one line of the ledger."""

    __tablename__ = "order_reliefs"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("kind IN ('waived', 'lost')", name="kind"),
    )

    id: Mapped[PrimaryKey]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    kind: Mapped[str]
    currency: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInt)
    reason: Mapped[str] = mapped_column(default="")
    by_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    made_at: Mapped[datetime] = mapped_column(default=clock.now)

    amount: Mapped[Money] = composite(Money, "amount_minor", "currency")

    order: Mapped[Order] = relationship()


class InvoiceApproval(Model):
    """An organisation that may buy on invoice; without one nobody may. Never deleted, but ended."""

    __tablename__ = "invoice_approvals"
    __table_args__ = (
        Index(
            "uq_invoice_approvals_open",
            "organisation_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    note: Mapped[str] = mapped_column(default="")  # for administrators
    made_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    ended_at: Mapped[datetime | None]

    organisation: Mapped[Organisation] = relationship()


class PlanPart(Model):
    """One of the parts in which a run may be paid. The first has no day: it is paid at once."""

    __tablename__ = "plan_parts"
    __table_args__ = (
        UniqueConstraint("run_id", "position"),
        CheckConstraint("percent BETWEEN 1 AND 99", name="percent"),
        CheckConstraint("(position = 1) = (due_on IS NULL)", name="due_on"),
    )

    id: Mapped[PrimaryKey]
    run_id: Mapped[int] = mapped_column(ForeignKey("course_runs.id", ondelete="CASCADE"))
    position: Mapped[int]
    percent: Mapped[int]
    due_on: Mapped[date | None]

    run: Mapped[CourseRun] = relationship()
