"""What a course asks for looking at a portfolio: amounts that are stored, from a day on."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, composite, mapped_column, relationship

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import BigInt, Model, PrimaryKey
from lms.core.money import Money
from lms.courses.models import Course

EVERYBODY = ""  # in place of a tier: who has no amounts of their own


class PriorLearningFee(Model):
    """The fee of a course from a day on; the newest that has begun holds. Rows are only added, and
    removed before they begin. A request keeps the one that held when it was opened."""

    __tablename__ = "prior_learning_fees"
    __table_args__ = (Index("ix_prior_learning_fees_course_id", "course_id", "starts_on", "id"),)

    id: Mapped[PrimaryKey]
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"))
    starts_on: Mapped[date]
    made_at: Mapped[datetime] = mapped_column(default=clock.now)
    made_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    course: Mapped[Course] = relationship()
    made_by: Mapped[User | None] = relationship()
    amounts: Mapped[list[PriorLearningFeeAmount]] = relationship(
        order_by="PriorLearningFeeAmount.id", cascade="all, delete-orphan"
    )


class PriorLearningFeeAmount(Model):
    """What a tier pays in a currency, never converted; zero: nothing."""

    __tablename__ = "prior_learning_fee_amounts"
    __table_args__ = (
        Index("uq_prior_learning_fee_amounts_fee_id", "fee_id", "tier", "currency", unique=True),
        CheckConstraint("amount_minor >= 0", name="amount"),
    )

    id: Mapped[PrimaryKey]
    fee_id: Mapped[int] = mapped_column(ForeignKey("prior_learning_fees.id", ondelete="CASCADE"))
    tier: Mapped[str] = mapped_column(default=EVERYBODY)
    currency: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInt)
    amount: Mapped[Money] = composite(Money, "amount_minor", "currency")
