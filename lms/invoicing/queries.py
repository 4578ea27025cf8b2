"""Reads of sellers, tax rows and invoices, and the sums of a tax return."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, case, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from lms.accounts.models import User
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.money import Money
from lms.invoicing.models import (
    Invoice,
    InvoiceKind,
    InvoiceLine,
    InvoiceTax,
    Seller,
    TaxRow,
)

LONGEST_LIST = 50_000  # rows of a downloaded table


def get_seller(seller_id: int) -> Seller:
    """The seller with this id. Raises NotFound."""
    seller = db.session.get(Seller, seller_id)
    if seller is None:
        raise NotFound
    return seller


def list_sellers() -> Sequence[Seller]:
    """All sellers, the one that sells first."""
    return db.session.scalars(
        select(Seller).order_by(Seller.is_main.is_(None), Seller.series)
    ).all()


def get_tax_row(row_id: int) -> TaxRow:
    """The tax row with this id. Raises NotFound."""
    row = db.session.get(TaxRow, row_id)
    if row is None:
        raise NotFound
    return row


def list_tax_rows(
    *, seller_id: int | None = None, country: str = "", day: date | None = None
) -> Select[TaxRow]:
    """Tax rows by place and time. day: only those that hold on it."""
    found = select(TaxRow).options(joinedload(TaxRow.seller))
    if seller_id is not None:
        found = found.where(TaxRow.seller_id == seller_id)
    if country:
        found = found.where(TaxRow.country == country)
    if day is not None:
        found = found.where(
            TaxRow.is_active,
            TaxRow.starts_on <= day,
            or_(TaxRow.ends_on.is_(None), TaxRow.ends_on >= day),
        )
    return found.order_by(
        TaxRow.seller_id,
        TaxRow.country,
        TaxRow.province,
        TaxRow.jurisdiction,
        TaxRow.buyer,
        TaxRow.starts_on,
        TaxRow.id,
    )


def used_rows(rows: Sequence[TaxRow]) -> set[int]:
    """Which of some tax rows an invoice stands on."""
    found = db.session.scalars(
        select(InvoiceTax.tax_row_id)
        .where(InvoiceTax.tax_row_id.in_([row.id for row in rows]))
        .distinct()
    )
    return {key for key in found if key is not None}


def _whole(statement: Select[Invoice]) -> Select[Invoice]:
    return statement.options(
        joinedload(Invoice.cancels),
        joinedload(Invoice.document),
        joinedload(Invoice.user),
        selectinload(Invoice.lines).selectinload(InvoiceLine.taxes),
    )


def get_invoice(key: uuid.UUID) -> Invoice:
    """The invoice or credit note with this uuid. Raises NotFound."""
    invoice = db.session.scalar(_whole(select(Invoice).where(Invoice.uuid == key)))
    if invoice is None:
        raise NotFound
    return invoice


def invoices_about(reference: str) -> Sequence[Invoice]:
    """What was issued for an order, in its order."""
    return db.session.scalars(
        _whole(select(Invoice).where(Invoice.reference == reference).order_by(Invoice.id))
    ).all()


def list_invoices(
    *,
    words: str = "",
    kind: str = "",
    year: int | None = None,
    seller_id: int | None = None,
    buyer: str = "",
    product: str = "",
) -> Select[Invoice]:
    """Invoices and credit notes, the newest first. words: number, order, buyer or organisation."""
    found = select(Invoice).options(joinedload(Invoice.user), joinedload(Invoice.cancels))
    if words.strip():
        found = found.where(_matches(words.strip()))
    for column, value in (
        (Invoice.kind, kind),
        (Invoice.year, year),
        (Invoice.seller_id, seller_id),
        (Invoice.buyer, buyer),
        (Invoice.product, product),
    ):
        if value:
            found = found.where(column == value)
    return found.order_by(Invoice.issued_on.desc(), Invoice.id.desc())


def _matches(words: str) -> Any:
    inside = "%" + words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    buyers = select(User.id).where(
        or_(
            User.name.ilike(inside, escape="\\"),
            User.email_folded.like(inside.casefold(), escape="\\"),
        )
    )
    return or_(
        Invoice.number.ilike(inside, escape="\\"),
        Invoice.reference.ilike(inside, escape="\\"),
        Invoice.organisation.ilike(inside, escape="\\"),
        Invoice.purchase_order.ilike(inside, escape="\\"),
        Invoice.user_id.in_(buyers),
    )


def years() -> Sequence[int]:
    """Years in which anything was issued, the newest first."""
    return db.session.scalars(select(Invoice.year).distinct().order_by(Invoice.year.desc())).all()


def _signed(column: Any) -> Any:
    """An amount, negative on credit notes."""
    return case((Invoice.kind == InvoiceKind.CREDIT_NOTE.value, -column), else_=column)


@dataclass(frozen=True)
class TaxSum:
    """A line of the tax sheet: what was taxed and the tax, credit notes taken off."""

    jurisdiction: str
    category: str
    rate: int
    base: Money
    tax: Money
    invoices: int

    @property
    def percent(self) -> Decimal:
        """The rate in percent."""
        return Decimal(self.rate) / 1000


def tax_sheet(seller_id: int, first: date, last: date) -> list[TaxSum]:
    """What was issued in a period: taxable and tax, by jurisdiction, category and rate."""
    terms = (InvoiceTax.jurisdiction, InvoiceTax.category, InvoiceTax.rate, InvoiceTax.currency)
    statement = (
        select(
            *terms,
            func.sum(_signed(InvoiceTax.base_minor)),
            func.sum(_signed(InvoiceTax.amount_minor)),
            func.count(func.distinct(Invoice.id)),
        )
        .join(InvoiceLine, InvoiceLine.id == InvoiceTax.line_id)
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .where(
            Invoice.seller_id == seller_id, Invoice.issued_on >= first, Invoice.issued_on <= last
        )
        .group_by(*terms)
        .order_by(InvoiceTax.currency, InvoiceTax.jurisdiction, InvoiceTax.category, terms[2])
    )
    return [
        TaxSum(jurisdiction, category, rate, Money(int(base), code), Money(int(minor), code), count)
        for jurisdiction, category, rate, code, base, minor, count in db.session.execute(statement)
    ]


def taxable_by_currency(seller_id: int, first: date, last: date) -> dict[str, Money]:
    """Net sales in a period that count for registration: all but what is exempt."""
    counted = (
        select(InvoiceTax.currency, func.sum(_signed(InvoiceTax.base_minor)))
        .join(InvoiceLine, InvoiceLine.id == InvoiceTax.line_id)
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .where(
            Invoice.seller_id == seller_id,
            Invoice.supplied_on >= first,
            Invoice.supplied_on <= last,
            InvoiceTax.position == 1,
            InvoiceTax.category != "E",
        )
        .group_by(InvoiceTax.currency)
        .order_by(InvoiceTax.currency)
    )
    return {code: Money(int(minor), code) for code, minor in db.session.execute(counted)}
