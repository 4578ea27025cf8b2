"""Tiers, stored amounts, contracts, and the quotes that people are shown."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import ByLanguage, Model, PrimaryKey


class PriceTier(Model):
    """What countries of one income group pay, as a part of the list price."""

    __tablename__ = "price_tiers"
    __table_args__ = (CheckConstraint("percent BETWEEN 1 AND 100", name="percent"),)

    name: Mapped[str] = mapped_column(primary_key=True)  # IncomeGroup
    percent: Mapped[int]  # of the list price: proposes amounts, which are then stored
    position: Mapped[int]


class PriceException(Model):
    """A country that does not go by its income group, with the reason that everybody can read."""

    __tablename__ = "price_exceptions"
    __table_args__ = (
        CheckConstraint("valid_until >= valid_from", name="dates"),
        Index("ix_price_exceptions_country", "country", "valid_from"),
    )

    id: Mapped[PrimaryKey]
    country: Mapped[str]  # ISO 3166-1 alpha-2
    tier: Mapped[str | None] = mapped_column(ForeignKey("price_tiers.name"))  # None: nobody can pay
    reason: Mapped[ByLanguage]
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]  # the last day
    made_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    made_by: Mapped[User | None] = relationship()

    @property
    def refuses_payment(self) -> bool:
        """Whether money cannot be taken from there at all."""
        return self.tier is None

    def holds_on(self, day: date) -> bool:
        """Whether it counts on this day."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)
