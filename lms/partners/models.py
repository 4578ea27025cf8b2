"""Agreements and their versions; statements and their lines."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, composite, mapped_column, relationship

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import BigInt, Model, PrimaryKey
from lms.core.money import Money
from lms.courses.models import Course, CourseRun
from lms.directory.models import Organisation


class Basis(StrEnum):
    """What a share is a share of."""

    GROSS = "gross"
    NET = "net"  # of tax
    NET_OF_FEES = "net_of_fees"  # of tax and of the payment service's fees


class RefundsBorneBy(StrEnum):
    """Who bears what is given back for weeks that were taught."""

    ALL = "all"  # shares shrink with the sale
    SELLER = "seller"  # partners keep what they earned


class Agreement(Model):
    """How the income of a course, or of one of its runs, is shared: the newest signed version."""

    __tablename__ = "partner_agreements"
    __table_args__ = (
        Index(
            "uq_partner_agreements_course",
            "course_id",
            unique=True,
            sqlite_where=text("run_id IS NULL"),
            postgresql_where=text("run_id IS NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    uuid: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"), index=True)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("course_runs.id"), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    course: Mapped[Course] = relationship()
    run: Mapped[CourseRun | None] = relationship()
    versions: Mapped[list[AgreementVersion]] = relationship(
        back_populates="agreement", order_by="AgreementVersion.number"
    )


class AgreementVersion(Model):
    """Terms that are never changed. The seller signs by writing them, each partner by accepting.

    starts_on: the first day of sales as written. in_force_from: as it came to be, not before the
    day after the last signature; None until all have signed.
    """

    __tablename__ = "partner_agreement_versions"
    __table_args__ = (
        UniqueConstraint("agreement_id", "number"),
        CheckConstraint("basis IN ('gross', 'net', 'net_of_fees')", name="basis"),
        CheckConstraint("refunds_borne_by IN ('all', 'seller')", name="refunds"),
        CheckConstraint("in_force_from >= starts_on", name="days"),
    )

    id: Mapped[PrimaryKey]
    agreement_id: Mapped[int] = mapped_column(ForeignKey("partner_agreements.id"))
    number: Mapped[int]
    basis: Mapped[str]
    refunds_borne_by: Mapped[str]
    currency: Mapped[str]  # of fixed amounts and least amounts
    starts_on: Mapped[date]
    in_force_from: Mapped[date | None]
    note: Mapped[str] = mapped_column(default="")
    made_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    made_at: Mapped[datetime] = mapped_column(default=clock.now)

    agreement: Mapped[Agreement] = relationship(back_populates="versions")
    made_by: Mapped[User | None] = relationship()
    parties: Mapped[list[AgreementParty]] = relationship(
        back_populates="version", order_by="AgreementParty.position"
    )


class AgreementParty(Model):
    """What one partner gets by a version: a percentage or a fixed amount for each learner."""

    __tablename__ = "partner_agreement_parties"
    __table_args__ = (
        UniqueConstraint("version_id", "organisation_id"),
        CheckConstraint(
            "(percent_hundredths BETWEEN 1 AND 10000 AND fixed_minor IS NULL)"
            " OR (percent_hundredths IS NULL AND fixed_minor > 0)",
            name="percent_or_fixed",
        ),
        CheckConstraint("least_minor >= 0", name="least"),
    )

    id: Mapped[PrimaryKey]
    version_id: Mapped[int] = mapped_column(ForeignKey("partner_agreement_versions.id"))
    position: Mapped[int]
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    percent_hundredths: Mapped[int | None]  # 40 % is 4000
    fixed_minor: Mapped[int | None] = mapped_column(BigInt)
    least_minor: Mapped[int] = mapped_column(BigInt, default=0)  # for each learner
    signed_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    signed_at: Mapped[datetime | None]

    version: Mapped[AgreementVersion] = relationship(back_populates="parties")
    organisation: Mapped[Organisation] = relationship()
    signed_by: Mapped[User | None] = relationship()


class StatementState(StrEnum):
    """What the partner says to a statement."""

    SENT = "sent"
    CONTESTED = "contested"
    ACCEPTED = "accepted"


class PartnerStatement(Model):
    """What a partner and the seller owe each other at the end of a month; frozen when sent.

    opening_minor, closing_minor: what is owed to the partner, negative when the partner owes.
    hash: SHA-256 of what it says, hexadecimal.
    """

    __tablename__ = "partner_statements"
    __table_args__ = (
        UniqueConstraint("organisation_id", "currency", "month"),
        CheckConstraint("state IN ('sent', 'contested', 'accepted')", name="state"),
    )

    id: Mapped[PrimaryKey]
    uuid: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    currency: Mapped[str]
    month: Mapped[str] = mapped_column(index=True)
    opening_minor: Mapped[int] = mapped_column(BigInt)
    closing_minor: Mapped[int] = mapped_column(BigInt)
    sales_minor: Mapped[int] = mapped_column(BigInt)  # of the shared courses, for the reader
    refunds_minor: Mapped[int] = mapped_column(BigInt)
    hash: Mapped[str]
    state: Mapped[str] = mapped_column(default=StatementState.SENT)
    sent_at: Mapped[datetime] = mapped_column(default=clock.now)
    accepted_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    accepted_at: Mapped[datetime | None]

    opening: Mapped[Money] = composite(Money, "opening_minor", "currency")
    closing: Mapped[Money] = composite(Money, "closing_minor", "currency")
    sales: Mapped[Money] = composite(Money, "sales_minor", "currency")
    refunds: Mapped[Money] = composite(Money, "refunds_minor", "currency")
    organisation: Mapped[Organisation] = relationship()
    accepted_by: Mapped[User | None] = relationship()
    lines: Mapped[list[StatementLine]] = relationship(
        back_populates="statement", order_by="StatementLine.id"
    )


class StatementLine(Model):
    """One entry of the ledger as a statement tells it: more owed to the partner is positive."""

    __tablename__ = "partner_statement_lines"
    __table_args__ = (Index("ix_partner_statement_lines_entry", "entry_id", "statement_id"),)

    id: Mapped[PrimaryKey]
    statement_id: Mapped[int] = mapped_column(ForeignKey("partner_statements.id"), index=True)
    entry_id: Mapped[int] = mapped_column(BigInt, ForeignKey("ledger_entries.id"))
    kind: Mapped[str]
    happened_on: Mapped[date]
    about: Mapped[str]
    product: Mapped[str]
    currency: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInt)
    contested: Mapped[str] = mapped_column(default="")  # the partner's words
    contested_at: Mapped[datetime | None]
    contested_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    answer: Mapped[str] = mapped_column(default="")  # the seller's words

    amount: Mapped[Money] = composite(Money, "amount_minor", "currency")
    statement: Mapped[PartnerStatement] = relationship(back_populates="lines")
