"""Entries and their postings, sealed; months that are closed; sums that make reports quick."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, composite, mapped_column, relationship

from lms.core import clock
from lms.core.db import AnyJSON, BigInt, Model, PrimaryKey
from lms.core.money import Money
from lms.ledger.guards import guard_when_created

_IS_OWED = text("owed_minor <> 0")


class LedgerSeal(Model):
    """Says that an entry is whole: without it an entry cannot be committed."""

    __tablename__ = "ledger_seals"

    entry_id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)


class LedgerEntry(Model):
    """One fact told in money. `source` and `kind` name it, so that it is told once.

    product: what was sold, "run:12". about: the document, "order:34". happened_on: the day of the
    fact; effective_on: the day it counts for, later when its own month was closed by then.
    """

    __tablename__ = "ledger_entries"
    __table_args__ = (
        UniqueConstraint("source", "kind"),
        Index("ix_ledger_entries_about", "about"),
        Index("ix_ledger_entries_product_month", "product", "month"),
        Index("ix_ledger_entries_effective_on", "effective_on", "id"),
        CheckConstraint("effective_on >= happened_on", name="days"),
    )

    id: Mapped[int] = mapped_column(
        BigInt,
        ForeignKey("ledger_seals.entry_id", deferrable=True, initially="DEFERRED"),
        primary_key=True,
        autoincrement=True,
    )
    kind: Mapped[str]
    source: Mapped[str]
    about: Mapped[str] = mapped_column(default="")
    product: Mapped[str] = mapped_column(default="")
    country: Mapped[str] = mapped_column(default="")  # the buyer's, ISO 3166-1 alpha-2
    rail: Mapped[str] = mapped_column(default="")  # the way to pay
    happened_on: Mapped[date]
    effective_on: Mapped[date]
    month: Mapped[str] = mapped_column(index=True)  # of effective_on: "2027-02"
    posted_at: Mapped[datetime] = mapped_column(default=clock.now)
    reason: Mapped[str] = mapped_column(default="")  # of entries that a person made

    postings: Mapped[list[LedgerPosting]] = relationship(
        back_populates="entry", order_by="LedgerPosting.id", viewonly=True
    )


class LedgerPosting(Model):
    """One side of an entry: a debit is positive, a credit negative."""

    __tablename__ = "ledger_postings"
    __table_args__ = (
        Index("ix_ledger_postings_account", "account", "entry_id"),
        CheckConstraint("amount_minor <> 0", name="amount"),
    )

    id: Mapped[PrimaryKey]
    entry_id: Mapped[int] = mapped_column(ForeignKey("ledger_entries.id"), index=True)
    account: Mapped[str]
    currency: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInt)

    amount: Mapped[Money] = composite(Money, "amount_minor", "currency")
    entry: Mapped[LedgerEntry] = relationship(back_populates="postings", viewonly=True)


class LedgerPeriod(Model):
    """A closed month; earlier ones are closed with it. balances: as they stood that day."""

    __tablename__ = "ledger_periods"

    month: Mapped[str] = mapped_column(primary_key=True)
    closed_at: Mapped[datetime] = mapped_column(default=clock.now)
    closed_by_id: Mapped[int] = mapped_column(BigInt)  # kept when the account is closed
    balances: Mapped[list[dict[str, Any]]] = mapped_column(AnyJSON)


class LedgerUncounted(Model):
    """An entry that the sums below do not hold yet."""

    __tablename__ = "ledger_uncounted"

    entry_id: Mapped[int] = mapped_column(
        ForeignKey("ledger_entries.id"), primary_key=True, autoincrement=False
    )


class LedgerSum(Model):
    """What one kind of entry posted in a month to an account, by product, country and rail."""

    __tablename__ = "ledger_sums"
    __table_args__ = (Index("ix_ledger_sums_account", "account", "currency", "month"),)

    month: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(primary_key=True)
    product: Mapped[str] = mapped_column(primary_key=True)
    country: Mapped[str] = mapped_column(primary_key=True)
    rail: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    debit_minor: Mapped[int] = mapped_column(BigInt)
    credit_minor: Mapped[int] = mapped_column(BigInt)
    postings: Mapped[int] = mapped_column(BigInt)  # how many


class LedgerOwed(Model):
    """What the buyer owes for a document by its entries, negative when more came in; 0: settled.

    since: the day of the document's first entry.
    """

    __tablename__ = "ledger_owed"
    __table_args__ = (
        Index("ix_ledger_owed_open", "since", sqlite_where=_IS_OWED, postgresql_where=_IS_OWED),
    )

    about: Mapped[str] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(primary_key=True)
    owed_minor: Mapped[int] = mapped_column(BigInt)
    since: Mapped[date]


class LedgerCheckRun(Model):
    """One run of the checks. unexplained: {what, where, amount: [minor, currency] or null}."""

    __tablename__ = "ledger_check_runs"

    id: Mapped[PrimaryKey]
    made_at: Mapped[datetime]
    unexplained: Mapped[list[dict[str, Any]]] = mapped_column(AnyJSON)


guard_when_created(Model.metadata)
