"""Funds with the money paid into them, and applications up to what became of each award."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import AnyJSON, BigInt, ByLanguage, Model, PrimaryKey
from lms.core.money import Money
from lms.courses.models import CourseRun
from lms.ledger.accounts import Account
from lms.scholarships.criteria import Criteria


class Fund(Model):
    """Money of a donor that pays for places; its account in the ledger is named by `key`.

    balance_minor follows the ledger, for the database to keep reserve and balance in order.
    """

    __tablename__ = "scholarship_funds"
    __table_args__ = (
        CheckConstraint("reserved_minor BETWEEN 0 AND balance_minor", name="never_overdrawn"),
        CheckConstraint("closes_on >= opens_on", name="dates"),
    )

    id: Mapped[PrimaryKey]
    key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[ByLanguage]
    description: Mapped[ByLanguage]
    donor: Mapped[str]
    shows_donor: Mapped[bool] = mapped_column(default=True)
    currency: Mapped[str]
    criteria_kept: Mapped[dict[str, Any]]
    percents: Mapped[list[int]] = mapped_column(AnyJSON)  # that may be awarded
    opens_on: Mapped[date]
    closes_on: Mapped[date | None]  # the last day for applications
    balance_minor: Mapped[int] = mapped_column(BigInt, default=0)
    reserved_minor: Mapped[int] = mapped_column(BigInt, default=0)  # awarded and not used
    made_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    payments: Mapped[list[FundPayment]] = relationship(
        back_populates="fund", order_by="FundPayment.received_on.desc(), FundPayment.id.desc()"
    )

    @property
    def account(self) -> str:
        """Its account in the ledger: what is owed to the purpose of the donor."""
        return Account.FUND.of(self.key)

    @property
    def criteria(self) -> Criteria:
        """Who may apply, and for what."""
        return Criteria.of(self.criteria_kept)

    @property
    def balance(self) -> Money:
        """What was paid in and is not used."""
        return Money(self.balance_minor, self.currency)

    @property
    def reserved(self) -> Money:
        """What awards hold that are not used yet."""
        return Money(self.reserved_minor, self.currency)

    @property
    def left(self) -> Money:
        """What can still be awarded."""
        return self.balance - self.reserved

    @property
    def public_donor(self) -> str:
        """The donor's name where it may be shown, else nothing."""
        return self.donor if self.shows_donor else ""

    def is_open_on(self, day: date) -> bool:
        """Whether one can apply on this day."""
        return self.opens_on <= day and (self.closes_on is None or day <= self.closes_on)


class FundPayment(Model):
    """Money that a donor paid in; posted to the ledger once."""

    __tablename__ = "scholarship_payments"
    __table_args__ = (
        UniqueConstraint("fund_id", "reference"),
        CheckConstraint("amount_minor > 0", name="amount"),
    )

    id: Mapped[PrimaryKey]
    fund_id: Mapped[int] = mapped_column(ForeignKey("scholarship_funds.id"))
    received_on: Mapped[date]
    amount_minor: Mapped[int] = mapped_column(BigInt)
    reference: Mapped[str]  # of the bank
    made_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    fund: Mapped[Fund] = relationship(back_populates="payments")

    @property
    def amount(self) -> Money:
        """How much, in the fund's currency."""
        return Money(self.amount_minor, self.fund.currency)


class ApplicationState(StrEnum):
    """Where an application stands."""

    ASKED = "asked"
    AWARDED = "awarded"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"  # by the learner, or the award was taken back
    EXPIRED = "expired"
    USED = "used"  # an order was placed with it


WAITS = (ApplicationState.ASKED, ApplicationState.AWARDED)
_WAITS = text("state IN ('asked', 'awarded')")


class Application(Model):
    """A learner asks a fund for a part of the price of a run; its `uuid` stands in addresses."""

    __tablename__ = "scholarship_applications"
    __table_args__ = (
        CheckConstraint(
            "state IN ('asked', 'awarded', 'declined', 'withdrawn', 'expired', 'used')",
            name="state",
        ),
        CheckConstraint("asked_percent BETWEEN 1 AND 100", name="asked_percent"),
        CheckConstraint("percent BETWEEN 1 AND 100", name="percent"),
        CheckConstraint("reserved_minor >= 0", name="reserved"),
        Index(
            "uq_scholarship_applications_open",
            "user_id",
            "run_id",
            unique=True,
            sqlite_where=_WAITS,
            postgresql_where=_WAITS,
        ),
        Index("ix_scholarship_applications_state", "state", "created_at"),
        Index("ix_scholarship_applications_fund_id", "fund_id", "state"),
        Index("ix_scholarship_applications_user_id", "user_id", "created_at"),
    )

    id: Mapped[PrimaryKey]
    uuid: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)
    fund_id: Mapped[int] = mapped_column(ForeignKey("scholarship_funds.id"))
    run_id: Mapped[int] = mapped_column(ForeignKey("course_runs.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    country: Mapped[str | None]  # that the learner declared
    statement: Mapped[str]
    asked_percent: Mapped[int]
    state: Mapped[str] = mapped_column(default=ApplicationState.ASKED)
    percent: Mapped[int | None]  # awarded
    reserved_minor: Mapped[int] = mapped_column(BigInt, default=0)  # held for it in the fund
    expires_on: Mapped[date | None]  # the last day on which an award can be used
    answer: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    used_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]  # declined, withdrawn or expired
    version: Mapped[int] = mapped_column()

    fund: Mapped[Fund] = relationship()
    run: Mapped[CourseRun] = relationship()
    user: Mapped[User | None] = relationship(foreign_keys=[user_id])

    __mapper_args__ = {"version_id_col": version}

    @property
    def reserved(self) -> Money:
        """What the fund holds for it."""
        return Money(self.reserved_minor, self.fund.currency)

    @property
    def waits(self) -> bool:
        """Whether something can still come of it."""
        return self.state in WAITS
