"""Numbers of invoices: without gaps for each seller, kind and year."""

from __future__ import annotations

from sqlalchemy import update

from lms.core.db import db, insert_if_new
from lms.invoicing.models import InvoiceCounter, InvoiceKind, Seller


def next_number(seller: Seller, kind: InvoiceKind, year: int) -> tuple[int, str]:
    """The next number and how it is written; given back when the transaction is.

    Of two transactions at once the second waits for the first.
    """
    key = {"seller_id": seller.id, "kind": kind.value, "year": year}
    insert_if_new(InvoiceCounter, **key, last=0)
    sequence: int = db.session.execute(
        update(InvoiceCounter)
        .filter_by(**key)
        .values(last=InvoiceCounter.last + 1)
        .returning(InvoiceCounter.last)
        .execution_options(synchronize_session=False)
    ).scalar_one()
    letter = "C-" if kind == InvoiceKind.CREDIT_NOTE else ""
    return sequence, f"{seller.series}-{letter}{year}-{sequence:06d}"
