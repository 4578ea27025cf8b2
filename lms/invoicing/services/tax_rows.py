"""Tax rows: added, ended, switched; never edited, never with a gap or an overlap."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from flask_babel import format_date, lazy_gettext
from sqlalchemy import func, select

from lms.accounts.models import User
from lms.core.audit import record
from lms.core.db import db
from lms.invoicing.default_rows import RowTerms, canadian_rows
from lms.invoicing.errors import TaxRowRefused, TaxRowUsed
from lms.invoicing.models import Invoice, InvoiceLine, InvoiceTax, Seller, TaxRow
from lms.invoicing.taxes import Category

_DAY = timedelta(days=1)


def rows_of(seller: Seller) -> Sequence[TaxRow]:
    """The rows of a seller that are switched on."""
    return db.session.scalars(
        select(TaxRow).where(TaxRow.seller_id == seller.id, TaxRow.is_active).order_by(TaxRow.id)
    ).all()


def add_row(seller: Seller, terms: RowTerms, by: User | None = None) -> TaxRow:
    """Add a row. Raises TaxRowRefused, with the days of a gap or an overlap."""
    _agree(terms)
    row = TaxRow(seller_id=seller.id, **terms.values())
    if row.is_active:
        _fit(row, row.starts_on, row.ends_on)
    db.session.add(row)
    record("invoicing.add_tax_row", row, by.id if by else None, rate=row.rate)
    return row


def add_canadian_rows(seller: Seller, by: User | None = None) -> int:
    """Add the rows a Canadian seller begins with, to a seller without rows; how many."""
    if db.session.scalar(select(TaxRow.id).where(TaxRow.seller_id == seller.id).limit(1)):
        return 0
    return len([add_row(seller, terms, by) for terms in canadian_rows()])


def change_rate(row: TaxRow, terms: RowTerms, by: User) -> TaxRow:
    """End a row on the day before another rate begins, and add that one. Raises TaxRowRefused."""
    end_row(row, terms.starts_on - _DAY, by)
    return add_row(row.seller, terms, by)


def end_row(row: TaxRow, last_day: date, by: User) -> None:
    """Let a row hold until a day. Raises TaxRowUsed or TaxRowRefused."""
    if last_day < row.starts_on:
        raise TaxRowRefused(lazy_gettext("The last day lies before the first one."))
    used = last_use(row)
    if used is not None and last_day < used:
        raise TaxRowUsed
    if row.is_active:
        _fit(row, row.starts_on, last_day)
    row.ends_on = last_day
    record("invoicing.end_tax_row", row, by.id, last_day=last_day.isoformat())


def switch_row(row: TaxRow, by: User, *, on: bool) -> None:
    """Let a row hold, or not. Raises TaxRowUsed or TaxRowRefused."""
    if row.is_active == on:
        return
    if on:
        _fit(row, row.starts_on, row.ends_on)
    elif last_use(row) is not None:
        raise TaxRowUsed
    else:
        _bridge(row)
    row.is_active = on
    record("invoicing.switch_tax_row", row, by.id, on=on)


def last_use(row: TaxRow) -> date | None:
    """The last day of supply of an invoice on this row."""
    return db.session.scalar(
        select(func.max(Invoice.supplied_on))
        .join(InvoiceLine, InvoiceLine.invoice_id == Invoice.id)
        .join(InvoiceTax, InvoiceTax.line_id == InvoiceLine.id)
        .where(InvoiceTax.tax_row_id == row.id)
    )


def _agree(terms: RowTerms) -> None:
    """Code and rate agree, and the reason is there (EN 16931 BR-S-05 to BR-O-10)."""
    category = Category(terms.category)
    if category.has_rate != (terms.rate > 0):
        raise TaxRowRefused(
            lazy_gettext("Category S has a rate above zero, every other category has none.")
        )
    if category.needs_reason and not any(terms.reason.values()):
        raise TaxRowRefused(
            lazy_gettext("This category needs a reason: it is printed on the invoice.")
        )
    if terms.province and not terms.country:
        raise TaxRowRefused(lazy_gettext("A province needs its country."))
    if terms.ends_on is not None and terms.ends_on < terms.starts_on:
        raise TaxRowRefused(lazy_gettext("The last day lies before the first one."))


def _others(row: TaxRow) -> list[TaxRow]:
    """The other active rows under the same key, in order of time."""
    found = db.session.scalars(
        select(TaxRow)
        .where(
            TaxRow.seller_id == (row.seller_id or row.seller.id),
            TaxRow.is_active,
            TaxRow.country == row.country,
            TaxRow.province == row.province,
            TaxRow.supply == row.supply,
            TaxRow.buyer == row.buyer,
            TaxRow.jurisdiction == row.jurisdiction,
        )
        .order_by(TaxRow.starts_on)
    ).all()
    return [other for other in found if other is not row]


def _fit(row: TaxRow, first: date, last: date | None) -> None:
    """Refuse days that overlap another row, or leave days between it and the next one bare."""
    before = after = None
    for other in _others(row):
        ends = other.ends_on
        if (last is None or other.starts_on <= last) and (ends is None or first <= ends):
            shared_until = min(day for day in (last, ends, date.max) if day is not None)
            _refuse_overlap(max(first, other.starts_on), shared_until)
        if other.starts_on < first:
            before = other
        elif after is None:
            after = other
    if before is not None and before.ends_on is not None and before.ends_on + _DAY < first:
        _refuse_gap(before.ends_on + _DAY, first - _DAY)
    if after is not None and last is not None and last + _DAY < after.starts_on:
        _refuse_gap(last + _DAY, after.starts_on - _DAY)


def _bridge(row: TaxRow) -> None:
    """Refuse to take a row out from between two others."""
    others = _others(row)
    has_before = any(other.starts_on < row.starts_on for other in others)
    if has_before and any(other.starts_on > row.starts_on for other in others):
        assert row.ends_on is not None
        _refuse_gap(row.starts_on, row.ends_on)


def _refuse_overlap(first: date, last: date) -> None:
    if last == date.max:
        raise TaxRowRefused(
            lazy_gettext(
                "Another row holds for the same sales from %(first)s on. End that one first.",
                first=_written(first),
            )
        )
    raise TaxRowRefused(
        lazy_gettext(
            "Another row holds for the same sales from %(first)s to %(last)s.",
            first=_written(first),
            last=_written(last),
        )
    )


def _refuse_gap(first: date, last: date) -> None:
    raise TaxRowRefused(
        lazy_gettext(
            "No row would hold for these sales from %(first)s to %(last)s. Rows follow each other"
            " day by day.",
            first=_written(first),
            last=_written(last),
        )
    )


def _written(day: date) -> str:
    return str(format_date(day, "medium", rebase=False))
