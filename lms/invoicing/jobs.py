"""Work after commit: drawing documents, and the look at the threshold each night."""

from __future__ import annotations

from lms.core.db import db, transaction
from lms.core.outbox import Job
from lms.invoicing.documents import draw as draw_document
from lms.invoicing.documents import keep_document
from lms.invoicing.models import Invoice
from lms.invoicing.services import threshold


def draw(invoice_id: int) -> None:
    """Draw the PDF of an invoice and keep it. Drawing holds no transaction that writes."""
    invoice = db.session.get(Invoice, invoice_id)
    if invoice is None or invoice.document is not None:
        return
    content = draw_document(invoice)
    with transaction():
        keep_document(db.session.get_one(Invoice, invoice_id), content)


def warn_of_thresholds() -> None:
    """Tell administrators of a seller that must soon register."""
    threshold.warn_of_thresholds()


JOBS = [
    Job("invoicing.draw", draw, writes=False),
    Job("invoicing.warn_of_thresholds", warn_of_thresholds, every="10 4 * * *"),
]
