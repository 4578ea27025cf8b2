"""Numbers of invoices: without gaps for each seller, kind and year."""

from __future__ import annotations

from lms.core.db import count_up
from lms.invoicing.models import InvoiceCounter, InvoiceKind, Seller


def next_number(seller: Seller, kind: InvoiceKind, year: int) -> tuple[int, str]:
    """The next number and how it is written; given back when the transaction is."""
    sequence = count_up(InvoiceCounter, seller_id=seller.id, kind=kind.value, year=year)
    letter = "C-" if kind == InvoiceKind.CREDIT_NOTE else ""
    return sequence, f"{seller.series}-{letter}{year}-{sequence:06d}"
