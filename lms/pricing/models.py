"""Tiers, stored amounts, contracts, and the quotes that people are shown."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, composite, mapped_column, relationship

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import BigInt, ByLanguage, Model, PrimaryKey
from lms.core.models import StoredFile
from lms.core.money import Money
from lms.courses.models import Course, CourseRun
from lms.directory.models import Organisation


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


class TierPrice(Model):
    """What a tier pays for a run in a currency, from an instant on; never converted."""

    __tablename__ = "tier_prices"
    __table_args__ = (
        UniqueConstraint("run_id", "tier", "currency", "is_early_bird", "valid_from"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("valid_until > valid_from", name="dates"),
        CheckConstraint("is_early_bird = false OR valid_until IS NOT NULL", name="early_bird"),
    )

    id: Mapped[PrimaryKey]
    run_id: Mapped[int] = mapped_column(ForeignKey("course_runs.id", ondelete="CASCADE"))
    tier: Mapped[str] = mapped_column(ForeignKey("price_tiers.name"), index=True)
    currency: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInt)
    is_early_bird: Mapped[bool] = mapped_column(default=False)
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime | None]  # the first instant at which it holds no more
    made_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    amount: Mapped[Money] = composite(Money, "amount_minor", "currency")

    run: Mapped[CourseRun] = relationship()

    def holds_at(self, instant: datetime) -> bool:
        """Whether it counts at this instant."""
        is_over = self.valid_until is not None and self.valid_until <= instant
        return self.valid_from <= instant and not is_over


class RunChoice(Model):
    """A run in which people choose what they pay, in percent of what the price is for them."""

    __tablename__ = "run_choices"
    __table_args__ = (
        CheckConstraint("minimum_percent BETWEEN 0 AND 100", name="minimum"),
        CheckConstraint("suggested_percent BETWEEN minimum_percent AND 200", name="suggested"),
    )

    run_id: Mapped[int] = mapped_column(
        ForeignKey("course_runs.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    minimum_percent: Mapped[int]
    suggested_percent: Mapped[int] = mapped_column(default=100)


class OrganisationContract(Model):
    """What an organisation has agreed for its people: a percentage or a fixed amount less."""

    __tablename__ = "organisation_contracts"
    __table_args__ = (
        CheckConstraint(
            "(percent IS NOT NULL AND percent BETWEEN 1 AND 100"
            " AND off_minor IS NULL AND off_currency IS NULL)"
            " OR (percent IS NULL AND off_minor > 0 AND off_currency IS NOT NULL)",
            name="percent_or_amount",
        ),
        CheckConstraint("valid_until >= valid_from", name="dates"),
    )

    id: Mapped[PrimaryKey]
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    course_id: Mapped[int | None] = mapped_column(ForeignKey("courses.id"), index=True)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("course_runs.id"), index=True)
    percent: Mapped[int | None]
    off_minor: Mapped[int | None] = mapped_column(BigInt)
    off_currency: Mapped[str | None]
    is_stackable: Mapped[bool] = mapped_column(default=False)
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]  # the last day
    made_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    organisation: Mapped[Organisation] = relationship()
    course: Mapped[Course | None] = relationship()
    run: Mapped[CourseRun | None] = relationship()

    @property
    def off(self) -> Money | None:
        """The fixed amount, None for a percentage."""
        if self.off_minor is None or self.off_currency is None:
            return None
        return Money(self.off_minor, self.off_currency)

    def is_for(self, run: CourseRun) -> bool:
        """Whether it covers this run."""
        return self.run_id in (None, run.id) and self.course_id in (None, run.course_id)


class ResidenceState(StrEnum):
    """Where a proof of residence stands."""

    ASKED = "asked"
    ACCEPTED = "accepted"
    DECLINED = "declined"


class ResidenceProof(Model):
    """A person shows where they live; an administrator decides, and its document is deleted."""

    __tablename__ = "residence_proofs"
    __table_args__ = (
        CheckConstraint("state IN ('asked', 'accepted', 'declined')", name="state"),
        Index(
            "uq_residence_proofs_open",
            "user_id",
            unique=True,
            sqlite_where=text("state = 'asked'"),
            postgresql_where=text("state = 'asked'"),
        ),
        Index("ix_residence_proofs_state", "state", "created_at"),
        Index("ix_residence_proofs_user_id", "user_id", "state"),
    )

    id: Mapped[PrimaryKey]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    country: Mapped[str]  # ISO 3166-1 alpha-2
    note: Mapped[str] = mapped_column(default="")  # the person's own words
    document_id: Mapped[int | None] = mapped_column(
        ForeignKey("stored_files.id", ondelete="SET NULL"), index=True
    )
    state: Mapped[str] = mapped_column(default=ResidenceState.ASKED)
    answer: Mapped[str] = mapped_column(default="")  # the administrator's, to the person
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    version: Mapped[int] = mapped_column()

    user: Mapped[User] = relationship(foreign_keys=[user_id])
    document: Mapped[StoredFile | None] = relationship()

    __mapper_args__ = {"version_id_col": version}


class PriceRequest(Model):
    """Somebody asked for a price that is not stored: kept once, told once."""

    __tablename__ = "price_requests"
    __table_args__ = (UniqueConstraint("run_id", "user_id"),)

    id: Mapped[PrimaryKey]
    run_id: Mapped[int] = mapped_column(ForeignKey("course_runs.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    tier: Mapped[str]
    country: Mapped[str | None]
    asked_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)

    run: Mapped[CourseRun] = relationship()
    user: Mapped[User] = relationship()


class Quote(Model):
    """What was shown to a buyer, line by line: the order that is placed from it costs just that."""

    __tablename__ = "price_quotes"
    __table_args__ = (CheckConstraint("total_minor >= 0 AND price_minor >= 0", name="amounts"),)

    id: Mapped[PrimaryKey]
    uuid: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("course_runs.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    country: Mapped[str | None]  # that the buyer declared
    tier: Mapped[str]
    currency: Mapped[str]
    price_minor: Mapped[int] = mapped_column(BigInt)  # of the tier, before reductions
    total_minor: Mapped[int] = mapped_column(BigInt)
    steps: Mapped[list[dict[str, Any]]]  # kind, before, after (minor units), words
    made_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime]

    price: Mapped[Money] = composite(Money, "price_minor", "currency")
    total: Mapped[Money] = composite(Money, "total_minor", "currency")

    run: Mapped[CourseRun] = relationship()
