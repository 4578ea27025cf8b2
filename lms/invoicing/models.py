"""Sellers, tax rows, and what was issued: invoices, credit notes and their PDFs."""

from __future__ import annotations

import json
import uuid
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, composite, mapped_column, relationship

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import AnyJSON, BigInt, ByLanguage, Model, PrimaryKey
from lms.core.models import StoredFile
from lms.core.money import Money
from lms.core.sealing import unseal
from lms.invoicing.guards import guard_when_created
from lms.invoicing.taxes import Place, TaxRule

SEALED_FOR = "invoice buyer"


class Seller(Model):
    """Who sells: stands on invoices as it was that day. `series` begins their numbers."""

    __tablename__ = "sellers"
    __table_args__ = (
        CheckConstraint("threshold_minor >= 0", name="threshold"),
        CheckConstraint("warn_percent BETWEEN 1 AND 100", name="warn"),
    )

    id: Mapped[PrimaryKey]
    series: Mapped[str] = mapped_column(unique=True)
    is_main: Mapped[bool | None] = mapped_column(unique=True)  # True for one, None for others
    name: Mapped[str] = mapped_column(default="")
    address: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")
    country: Mapped[str] = mapped_column(default="CA")
    province: Mapped[str] = mapped_column(default="ON")
    tax_numbers: Mapped[str] = mapped_column(default="")  # a line for each, as printed
    registered_from: Mapped[date | None]  # for tax; None: no tax is charged
    threshold_minor: Mapped[int] = mapped_column(BigInt, default=5_000_000)
    threshold_currency: Mapped[str] = mapped_column(default="CAD")
    warn_percent: Mapped[int] = mapped_column(default=80)
    counting_rates: Mapped[dict[str, str]] = mapped_column(AnyJSON, default=dict)
    warned: Mapped[str] = mapped_column(default="")  # quarter and level of the last warning
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}

    @property
    def home(self) -> Place:
        """Where it sells from."""
        return Place(self.country, self.province)

    @property
    def threshold(self) -> Money:
        """What may be sold in four quarters without being registered."""
        return Money(self.threshold_minor, self.threshold_currency)

    def is_registered(self, day: date) -> bool:
        """Whether it charges tax on this day."""
        return self.registered_from is not None and self.registered_from <= day


class TaxRow(Model):
    """A tax on sales to a place, from a day to a day: see `taxes.TaxRule`."""

    __tablename__ = "tax_rows"
    __table_args__ = (
        CheckConstraint("rate BETWEEN 0 AND 100000", name="rate"),
        CheckConstraint("(category = 'S') = (rate > 0)", name="category"),
        CheckConstraint("ends_on >= starts_on", name="days"),
        Index("ix_tax_rows_place", "seller_id", "country", "province"),
    )

    id: Mapped[PrimaryKey]
    seller_id: Mapped[int] = mapped_column(ForeignKey("sellers.id"))
    country: Mapped[str] = mapped_column(default="")  # "" for anywhere else
    province: Mapped[str] = mapped_column(default="")
    supply: Mapped[str] = mapped_column(default="")
    buyer: Mapped[str] = mapped_column(default="")
    jurisdiction: Mapped[str]  # whose tax it is: "CA", "CA-QC"
    name: Mapped[ByLanguage] = mapped_column(default=dict)  # of the tax: GST, TVQ
    rate: Mapped[int]  # thousandths of a percent
    category: Mapped[str]
    requires: Mapped[str] = mapped_column(default="")
    reason: Mapped[ByLanguage] = mapped_column(default=dict)  # printed on the invoice
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    seller: Mapped[Seller] = relationship()

    @property
    def key(self) -> tuple[str, ...]:
        """What rows follow each other under, without gap and overlap."""
        place = (self.country, self.province)
        return (*place, self.supply, self.buyer, self.jurisdiction)

    @property
    def percent(self) -> Decimal:
        """The rate in percent."""
        return Decimal(self.rate) / 1000

    def rule(self) -> TaxRule:
        """The row as the pure function takes it."""
        return TaxRule(
            jurisdiction=self.jurisdiction,
            rate=self.rate,
            category=self.category,
            starts_on=self.starts_on,
            ends_on=self.ends_on,
            place=Place(self.country, self.province),
            supply=self.supply,
            buyer=self.buyer,
            requires=self.requires,
            name=dict(self.name),
            reason=dict(self.reason),
            key=self.id,
        )


class InvoiceKind(StrEnum):
    """What was issued."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


class Invoice(Model):
    """An invoice or a credit note, as it was issued. Amounts are positive in both.

    source and kind: what it was issued for, "order:12", once. reference: the order's number.
    cancels: a credit note's invoice; of an invoice, the credit note that did not hold.
    """

    __tablename__ = "invoices"
    __table_args__ = (
        UniqueConstraint("source", "kind"),
        UniqueConstraint("seller_id", "kind", "year", "sequence"),
        CheckConstraint("gross_minor = net_minor + tax_minor", name="gross"),
        CheckConstraint("net_minor >= 0 AND tax_minor >= 0", name="not_negative"),
        Index("ix_invoices_issued_on", "issued_on", "id"),
        Index("ix_invoices_seller_id_supplied_on", "seller_id", "supplied_on"),
    )

    id: Mapped[PrimaryKey]
    uuid: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)
    seller_id: Mapped[int] = mapped_column(ForeignKey("sellers.id"))
    kind: Mapped[str]
    year: Mapped[int]
    sequence: Mapped[int]
    number: Mapped[str] = mapped_column(unique=True)
    source: Mapped[str]
    reference: Mapped[str] = mapped_column(default="", index=True)
    product: Mapped[str] = mapped_column(default="", index=True)
    cancels_id: Mapped[int | None] = mapped_column(ForeignKey("invoices.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    buyer: Mapped[str]  # BuyerKind
    organisation: Mapped[str] = mapped_column(default="", index=True)
    buyer_sealed: Mapped[str]  # name, address, tax_id: read by `buyer_details`
    country: Mapped[str] = mapped_column(default="")
    province: Mapped[str] = mapped_column(default="")
    purchase_order: Mapped[str] = mapped_column(default="")
    language: Mapped[str]
    seller_details: Mapped[dict[str, Any]] = mapped_column(AnyJSON)  # as it was that day
    evidence: Mapped[dict[str, Any]] = mapped_column(AnyJSON)  # why this place and this tax
    currency: Mapped[str]
    net_minor: Mapped[int] = mapped_column(BigInt)
    tax_minor: Mapped[int] = mapped_column(BigInt)
    gross_minor: Mapped[int] = mapped_column(BigInt)
    issued_on: Mapped[date]
    supplied_on: Mapped[date]
    due_on: Mapped[date | None]  # EN 16931 BT-9, where it is paid later than it is issued
    issued_at: Mapped[datetime] = mapped_column(default=clock.now)

    net: Mapped[Money] = composite(Money, "net_minor", "currency")
    tax: Mapped[Money] = composite(Money, "tax_minor", "currency")
    gross: Mapped[Money] = composite(Money, "gross_minor", "currency")

    seller: Mapped[Seller] = relationship()
    user: Mapped[User | None] = relationship()
    cancels: Mapped[Invoice | None] = relationship(remote_side="Invoice.id")
    lines: Mapped[list[InvoiceLine]] = relationship(
        back_populates="invoice", order_by="InvoiceLine.position"
    )
    document: Mapped[InvoiceDocument | None] = relationship(back_populates="invoice")

    @property
    def is_credit_note(self) -> bool:
        """Whether it takes something back."""
        return self.kind == InvoiceKind.CREDIT_NOTE

    @property
    def buyer_details(self) -> dict[str, str]:
        """Name, address and tax_id of the buyer."""
        details: dict[str, str] = json.loads(unseal(self.buyer_sealed, SEALED_FOR))
        return details


class InvoiceLine(Model):
    """One thing sold, or a part of it taken back."""

    __tablename__ = "invoice_lines"
    __table_args__ = (
        UniqueConstraint("invoice_id", "position"),
        CheckConstraint("quantity > 0", name="quantity"),
    )

    id: Mapped[PrimaryKey]
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoices.id"))
    position: Mapped[int]
    description: Mapped[str]
    quantity: Mapped[int] = mapped_column(default=1)
    currency: Mapped[str]
    net_minor: Mapped[int] = mapped_column(BigInt)
    gross_minor: Mapped[int] = mapped_column(BigInt)

    net: Mapped[Money] = composite(Money, "net_minor", "currency")
    gross: Mapped[Money] = composite(Money, "gross_minor", "currency")

    invoice: Mapped[Invoice] = relationship(back_populates="lines")
    taxes: Mapped[list[InvoiceTax]] = relationship(
        back_populates="line", order_by="InvoiceTax.position"
    )

    @property
    def unit(self) -> Money | None:
        """The net price of one, None where the net amount does not divide by the quantity."""
        each, rest = divmod(self.net_minor, self.quantity)
        return None if rest else Money(each, self.currency)


class InvoiceTax(Model):
    """One tax on one line, with the words and the rate of that day."""

    __tablename__ = "invoice_taxes"
    __table_args__ = (UniqueConstraint("line_id", "position"),)

    id: Mapped[PrimaryKey]
    line_id: Mapped[int] = mapped_column(ForeignKey("invoice_lines.id"))
    position: Mapped[int]  # 1 for the first of a line
    tax_row_id: Mapped[int | None] = mapped_column(ForeignKey("tax_rows.id"), index=True)
    jurisdiction: Mapped[str]
    name: Mapped[str] = mapped_column(default="")
    rate: Mapped[int]
    category: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    currency: Mapped[str]
    base_minor: Mapped[int] = mapped_column(BigInt)
    amount_minor: Mapped[int] = mapped_column(BigInt)

    base: Mapped[Money] = composite(Money, "base_minor", "currency")
    amount: Mapped[Money] = composite(Money, "amount_minor", "currency")

    line: Mapped[InvoiceLine] = relationship(back_populates="taxes")

    @property
    def percent(self) -> Decimal:
        """The rate in percent."""
        return Decimal(self.rate) / 1000


class InvoiceDocument(Model):
    """The PDF of an invoice: made once, so that each download gives the same bytes."""

    __tablename__ = "invoice_documents"

    invoice_id: Mapped[int] = mapped_column(
        ForeignKey("invoices.id"), primary_key=True, autoincrement=False
    )
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_files.id"), index=True)
    sha256: Mapped[str]
    made_at: Mapped[datetime] = mapped_column(default=clock.now)
    invoice: Mapped[Invoice] = relationship(back_populates="document")
    file: Mapped[StoredFile] = relationship()


class InvoiceCounter(Model):
    """The last number given by a seller in a year; its row lock keeps numbers without gaps."""

    __tablename__ = "invoice_counters"

    seller_id: Mapped[int] = mapped_column(
        ForeignKey("sellers.id"), primary_key=True, autoincrement=False
    )
    kind: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int] = mapped_column(default=0)


guard_when_created(Model.metadata)
