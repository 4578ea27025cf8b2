"""Orders, the money received and given back for them, vouchers and receipts."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, composite, mapped_column, relationship

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import BigInt, ByLanguage, Model, PrimaryKey
from lms.core.money import Money
from lms.courses.models import Course, CourseRun, Enrolment
from lms.pricing.models import Quote


class OrderState(StrEnum):
    """Where an order stands."""

    QUOTED = "quoted"  # an offer that holds the price for its time, and no seat
    DRAFT = "draft"  # the seat is held, the way to pay has not been opened yet
    PENDING = "pending"  # a payment page or the transfer instructions are open
    OWED = "owed"  # delivered, and a part of it is still to be paid, or was lost: see `Due`
    PAID = "paid"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    CANCELLED = "cancelled"  # by the buyer, or another order took its place
    EXPIRED = "expired"


class PaymentException(StrEnum):
    """Why a payment did not do what payments do: an administrator should look at it."""

    AMOUNT_DIFFERS = "amount_differs"  # not the order's total or currency: nobody was enrolled
    PAID_TWICE = "paid_twice"  # the order, or another one for the same run, was paid before
    SEAT_GONE = "seat_gone"  # arrived after the seat was given away
    RUN_CANCELLED = "run_cancelled"  # arrived after the run was cancelled


class RefundState(StrEnum):
    """Where a refund stands."""

    REQUESTED = "requested"
    DONE = "done"
    FAILED = "failed"


class RefundReason(StrEnum):
    """Why money goes back."""

    BY_ADMINISTRATOR = "by_administrator"
    PAID_TWICE = "paid_twice"
    SEAT_GONE = "seat_gone"
    RUN_CANCELLED = "run_cancelled"
    BY_BUYER = "by_buyer"  # left, with what the policy gives back
    RUN_MOVED = "run_moved"  # left, because the run was moved too far
    DISPUTE_LOST = "dispute_lost"  # the buyer's bank took it
    AT_GATEWAY = "at_gateway"  # somebody refunded in the gateway's own pages


OPEN = (OrderState.DRAFT, OrderState.PENDING)
AS_CREDIT = "puente-credit:"  # begins the reference of a refund that is kept as credit
SETTLED = (OrderState.PAID, OrderState.PARTIALLY_REFUNDED)
DELIVERED = (OrderState.OWED, *SETTLED)  # the buyer has it, be it paid or not
_PLACE_IS_OPEN = text("state IN ('draft', 'pending') AND product = 'place'")
_ITEM_IS_OPEN = text("state IN ('draft', 'pending') AND item IS NOT NULL")


class Voucher(Model):
    """A code that lowers a price: by a percentage or by a fixed amount."""

    __tablename__ = "vouchers"
    __table_args__ = (
        CheckConstraint(
            "(percent IS NOT NULL AND percent BETWEEN 1 AND 100"
            " AND off_minor IS NULL AND off_currency IS NULL)"
            " OR (percent IS NULL AND off_minor > 0 AND off_currency IS NOT NULL)",
            name="percent_or_amount",
        ),
        CheckConstraint("uses >= 0 AND (max_uses IS NULL OR uses <= max_uses)", name="uses"),
        CheckConstraint("max_uses >= 1", name="max_uses"),
        CheckConstraint("valid_until > valid_from", name="dates"),
    )

    id: Mapped[PrimaryKey]
    code: Mapped[str]  # as shown
    code_folded: Mapped[str] = mapped_column(unique=True)  # as compared: see `fold_code`
    label: Mapped[str] = mapped_column(default="", index=True)  # what for; the same in a batch
    percent: Mapped[int | None]
    off_minor: Mapped[int | None] = mapped_column(BigInt)
    off_currency: Mapped[str | None]
    course_id: Mapped[int | None] = mapped_column(ForeignKey("courses.id"), index=True)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("course_runs.id"), index=True)
    max_uses: Mapped[int | None]
    uses: Mapped[int] = mapped_column(default=0)
    valid_from: Mapped[datetime | None]
    valid_until: Mapped[datetime | None]
    is_active: Mapped[bool] = mapped_column(default=True)
    made_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)

    course: Mapped[Course | None] = relationship()
    run: Mapped[CourseRun | None] = relationship()
    made_by: Mapped[User | None] = relationship()

    @staticmethod
    def fold_code(code: str) -> str:
        """A code as compared: without spaces and hyphens, in upper case."""
        return "".join(sign for sign in code.upper() if sign.isalnum())[:64]

    @property
    def off(self) -> Money | None:
        """The fixed amount, None for a percentage."""
        if self.off_minor is None or self.off_currency is None:
            return None
        return Money(self.off_minor, self.off_currency)


class Order(Model):
    """One thing that a person buys, such as a place in a run. Its `uuid` stands in addresses."""

    __tablename__ = "orders"
    __table_args__ = (
        Index(
            "uq_orders_open",
            "user_id",
            "run_id",
            unique=True,
            sqlite_where=_PLACE_IS_OPEN,
            postgresql_where=_PLACE_IS_OPEN,
        ),
        Index(
            "uq_orders_open_item",
            "user_id",
            "product",
            "item",
            unique=True,
            sqlite_where=_ITEM_IS_OPEN,
            postgresql_where=_ITEM_IS_OPEN,
        ),
        UniqueConstraint("gateway", "gateway_session"),
        Index("ix_orders_run_id_state", "run_id", "state"),
        Index("ix_orders_user_id_created_at", "user_id", "created_at"),
        Index("ix_orders_state_expires_at", "state", "expires_at"),
        CheckConstraint("total_minor = amount_minor - discount_minor", name="total"),
        CheckConstraint("total_minor >= 0 AND discount_minor >= 0", name="not_negative"),
        CheckConstraint("quantity >= 1", name="quantity"),
        CheckConstraint("first_minor > 0 AND first_minor < total_minor", name="first"),
        CheckConstraint(
            "(product = 'place' AND run_id IS NOT NULL AND item IS NULL)"
            " OR (product <> 'place' AND item IS NOT NULL AND words IS NOT NULL)",
            name="product",
        ),
        CheckConstraint(
            "state IN ('quoted', 'draft', 'pending', 'owed', 'paid', 'partially_refunded',"
            " 'refunded', 'cancelled', 'expired')",
            name="state",
        ),
    )

    id: Mapped[PrimaryKey]
    uuid: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)
    number: Mapped[str] = mapped_column(unique=True)  # for people: P-2027-000123
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    product: Mapped[str] = mapped_column(default="place")  # name of what it is: see `products`
    item: Mapped[UUID | None]  # which one, of other products than places
    words: Mapped[ByLanguage | None]  # its title, of other products than places
    quantity: Mapped[int] = mapped_column(default=1)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("course_runs.id"))
    enrolment_id: Mapped[int | None] = mapped_column(
        ForeignKey("enrolments.id", ondelete="SET NULL"), index=True
    )
    purchase_id: Mapped[int | None] = mapped_column(ForeignKey("purchases.id"), index=True)
    voucher_id: Mapped[int | None] = mapped_column(ForeignKey("vouchers.id"), index=True)
    quote_id: Mapped[int | None] = mapped_column(ForeignKey("price_quotes.id"), index=True)
    currency: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInt)
    discount_minor: Mapped[int] = mapped_column(BigInt, default=0)
    total_minor: Mapped[int] = mapped_column(BigInt)
    first_minor: Mapped[int | None] = mapped_column(BigInt)  # of instalments, None: all at once
    state: Mapped[str] = mapped_column(default=OrderState.DRAFT)
    gateway: Mapped[str | None]  # name of the way to pay; None when there is nothing to pay
    gateway_session: Mapped[str | None]  # the gateway's id of the open payment page
    gateway_url: Mapped[str | None]  # address of the open payment page
    attempt: Mapped[int] = mapped_column(default=1)  # payment pages opened for this order
    failure: Mapped[str | None]  # the gateway's code of the last failed try
    is_settling: Mapped[bool] = mapped_column(default=False)  # paid, the money is on its way
    country: Mapped[str | None] = mapped_column(index=True)  # the buyer's, ISO 3166-1 alpha-2
    buyer_name: Mapped[str | None]  # as on the receipt; removed when the account is erased
    language: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)
    paid_at: Mapped[datetime | None] = mapped_column(index=True)
    delivered_at: Mapped[datetime | None] = mapped_column(index=True)  # before it was all paid
    expires_at: Mapped[datetime | None]
    checked_at: Mapped[datetime | None]  # when the gateway was last asked what became of it
    version: Mapped[int] = mapped_column()

    amount: Mapped[Money] = composite(Money, "amount_minor", "currency")
    discount: Mapped[Money] = composite(Money, "discount_minor", "currency")
    total: Mapped[Money] = composite(Money, "total_minor", "currency")

    user: Mapped[User] = relationship()
    run: Mapped[CourseRun | None] = relationship()
    enrolment: Mapped[Enrolment | None] = relationship()
    purchase: Mapped[Purchase | None] = relationship(back_populates="orders")
    voucher: Mapped[Voucher | None] = relationship()
    quote: Mapped[Quote | None] = relationship()
    payments: Mapped[list[Payment]] = relationship(back_populates="order", order_by="Payment.id")
    refunds: Mapped[list[Refund]] = relationship(back_populates="order", order_by="Refund.id")
    receipt: Mapped[Receipt | None] = relationship(back_populates="order")
    credit_use: Mapped[OrderCredit | None] = relationship(back_populates="order")

    __mapper_args__ = {"version_id_col": version}

    @property
    def is_for_place(self) -> bool:
        """Whether a place in a run is bought."""
        return self.product == "place"

    @property
    def place(self) -> CourseRun:
        """The run, of an order for a place in it."""
        assert self.run is not None
        return self.run

    @property
    def title(self) -> dict[str, str]:
        """What is bought, by language."""
        return dict(self.words or self.place.course.title)

    @property
    def bought(self) -> list[tuple[dict[str, str], Money]]:
        """What is paid for, as a payment page shows it: title by language, and price."""
        return [(self.title, self.asked)]

    @property
    def due(self) -> Money:
        """What is paid beside the part that credit pays."""
        used = self.credit_use
        return Money(self.total_minor - (used.amount_minor if used else 0), self.currency)

    @property
    def page(self) -> tuple[str, dict[str, Any]]:
        """Endpoint and values of the page to which its buyer comes back."""
        return "payments.show_order", {"order_uuid": self.uuid}

    @property
    def is_open(self) -> bool:
        """Whether it waits for its payment."""
        return self.state in OPEN

    @property
    def is_settled(self) -> bool:
        """Whether it is paid, be it that a part went back."""
        return self.state in SETTLED

    @property
    def is_delivered(self) -> bool:
        """Whether the buyer has it, be it that a part is still to be paid."""
        return self.state in DELIVERED

    @property
    def asked(self) -> Money:
        """What is to be paid before it is delivered: all, or the first part."""
        if self.first_minor is None:
            return self.due
        return Money(self.first_minor, self.currency)

    @property
    def sold_at(self) -> datetime | None:
        """When the sale came about."""
        return self.delivered_at or self.paid_at


class Purchase(Model):
    """Several orders of one person that are paid at once. Its `uuid` stands in addresses."""

    __tablename__ = "purchases"
    __table_args__ = (UniqueConstraint("gateway", "gateway_session"),)

    id: Mapped[PrimaryKey]
    uuid: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    currency: Mapped[str]
    language: Mapped[str]
    gateway: Mapped[str | None]  # None when there is nothing to pay
    gateway_session: Mapped[str | None]  # the gateway's id of the open payment page
    gateway_url: Mapped[str | None]
    attempt: Mapped[int] = mapped_column(default=1)  # payment pages opened for it
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    user: Mapped[User] = relationship()
    orders: Mapped[list[Order]] = relationship(
        primaryjoin="Purchase.id == foreign(Order.purchase_id)",
        order_by="Order.id",
        back_populates="purchase",
    )

    @property
    def number(self) -> str:
        """For people: the numbers of its orders."""
        return ", ".join(order.number for order in self.orders)

    @property
    def reference(self) -> str:
        """What the buyer writes on a transfer for all of it: the number of the first order."""
        return self.to_pay[0].number

    @property
    def to_pay(self) -> Sequence[Order]:
        """Its orders that cost something, in the order in which a payment is divided."""
        return [order for order in self.orders if order.total_minor]

    @property
    def total(self) -> Money:
        """What its payment page asks for."""
        return Money(sum(order.total_minor for order in self.to_pay), self.currency)

    @property
    def bought(self) -> list[tuple[dict[str, str], Money]]:
        """What is paid for, as a payment page shows it: title by language, and price."""
        return [(order.title, order.total) for order in self.to_pay]

    @property
    def expires_at(self) -> datetime | None:
        """Until when all that is paid for is kept."""
        return min((one.expires_at for one in self.to_pay if one.expires_at), default=None)

    @property
    def is_open(self) -> bool:
        """Whether all that costs something waits for its payment."""
        return bool(self.to_pay) and all(order.is_open for order in self.to_pay)

    @property
    def page(self) -> tuple[str, dict[str, Any]]:
        """Endpoint and values of the page to which its buyer comes back."""
        return "payments.show_purchase", {"purchase_uuid": self.uuid}


class OrderCredit(Model):
    """The part of an order that credit pays; the rest comes another way."""

    __tablename__ = "order_credits"
    __table_args__ = (CheckConstraint("amount_minor > 0", name="amount"),)

    order_id: Mapped[int] = mapped_column(
        ForeignKey("orders.id"), primary_key=True, autoincrement=False
    )
    amount_minor: Mapped[int] = mapped_column(BigInt)
    is_held: Mapped[bool] = mapped_column(default=True)  # taken from the balance
    order: Mapped[Order] = relationship(back_populates="credit_use")


class Payment(Model):
    """Money received for an order: one line of the ledger."""

    __tablename__ = "payments"
    __table_args__ = (
        UniqueConstraint("gateway", "reference"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("refunded_minor BETWEEN 0 AND amount_minor", name="refunded"),
    )

    id: Mapped[PrimaryKey]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    gateway: Mapped[str]
    reference: Mapped[str]  # the gateway's own id of the money
    currency: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInt)
    refunded_minor: Mapped[int] = mapped_column(BigInt, default=0)  # requested and done
    card_country: Mapped[str | None]  # ISO 3166-1 alpha-2; nothing else of a card is kept
    exception: Mapped[str | None] = mapped_column(index=True)  # PaymentException
    received_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)
    confirmed_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )

    amount: Mapped[Money] = composite(Money, "amount_minor", "currency")
    refunded: Mapped[Money] = composite(Money, "refunded_minor", "currency")

    order: Mapped[Order] = relationship(back_populates="payments")
    confirmed_by: Mapped[User | None] = relationship()

    @property
    def remaining(self) -> Money:
        """What has not gone back and is not on its way back."""
        return self.amount - self.refunded


class Refund(Model):
    """Money given back for a payment: one line of the ledger. `uuid` is the idempotency key."""

    __tablename__ = "refunds"
    __table_args__ = (
        UniqueConstraint("payment_id", "reference"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("state IN ('requested', 'done', 'failed')", name="state"),
    )

    id: Mapped[PrimaryKey]
    uuid: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"))
    currency: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInt)
    reason: Mapped[str]  # RefundReason
    note: Mapped[str] = mapped_column(default="")  # the administrator's own words
    state: Mapped[str] = mapped_column(default=RefundState.REQUESTED, index=True)
    reference: Mapped[str | None]  # the gateway's own id
    failure: Mapped[str | None]
    by_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    done_at: Mapped[datetime | None] = mapped_column(index=True)

    amount: Mapped[Money] = composite(Money, "amount_minor", "currency")

    @property
    def is_credit(self) -> bool:
        """Whether it is kept for the buyer as credit, and no money moved."""
        return (self.reference or "").startswith(AS_CREDIT)

    order: Mapped[Order] = relationship(back_populates="refunds")
    payment: Mapped[Payment] = relationship()
    by: Mapped[User | None] = relationship()


class OrderRevenue(Model):
    """How a sale is earned: what the weeks to come hold of it, all in the order's currency."""

    __tablename__ = "order_revenues"
    __table_args__ = (
        CheckConstraint("deferred_minor >= 0", name="deferred"),
        CheckConstraint("taken_back_minor >= 0", name="taken_back"),
        Index(
            "ix_order_revenues_deferred",
            "order_id",
            sqlite_where=text("deferred_minor > 0"),
            postgresql_where=text("deferred_minor > 0"),
        ),
    )

    order_id: Mapped[int] = mapped_column(
        ForeignKey("orders.id"), primary_key=True, autoincrement=False
    )
    deferred_minor: Mapped[int] = mapped_column(BigInt)
    taken_back_minor: Mapped[int] = mapped_column(BigInt, default=0)  # of weeks that were taught
    weeks_earned: Mapped[int] = mapped_column(default=0)


class VoucherUse(Model):
    """One voucher used on one order; released when the order comes to nothing."""

    __tablename__ = "voucher_uses"

    id: Mapped[PrimaryKey]
    voucher_id: Mapped[int] = mapped_column(ForeignKey("vouchers.id"), index=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), unique=True)
    used_at: Mapped[datetime] = mapped_column(default=clock.now)
    released_at: Mapped[datetime | None]
    voucher: Mapped[Voucher] = relationship()
    order: Mapped[Order] = relationship()


class Receipt(Model):
    """The receipt of a paid order; numbers have no gaps within a year."""

    __tablename__ = "receipts"
    __table_args__ = (UniqueConstraint("year", "sequence"),)

    id: Mapped[PrimaryKey]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), unique=True)
    year: Mapped[int]
    sequence: Mapped[int]
    issued_at: Mapped[datetime] = mapped_column(default=clock.now)
    seller: Mapped[dict[str, Any]]  # as the site settings said that day
    mailed_at: Mapped[datetime | None]
    order: Mapped[Order] = relationship(back_populates="receipt")

    @property
    def number(self) -> str:
        """For people: R-2027-000042."""
        return f"R-{self.year}-{self.sequence:06d}"


class Counter(Model):
    """The last number given in a series in a year; its row lock keeps the series without gaps."""

    __tablename__ = "payment_counters"

    series: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int] = mapped_column(default=0)


class WebhookEvent(Model):
    """A message of a gateway, kept by its id so that it acts once."""

    __tablename__ = "webhook_events"
    __table_args__ = (UniqueConstraint("gateway", "event_id"),)

    id: Mapped[PrimaryKey]
    gateway: Mapped[str]
    event_id: Mapped[str]
    type: Mapped[str]
    payload_hash: Mapped[str]  # SHA-256, hexadecimal
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"), index=True)
    received_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)
    handled_at: Mapped[datetime | None]
    order: Mapped[Order | None] = relationship()
