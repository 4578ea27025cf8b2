"""Invoices and credit notes as PDF: drawn once, then kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from flask import Response, render_template
from flask_babel import format_date, format_decimal

from lms.core.db import db
from lms.core.files import keep_file, read_file
from lms.core.language import speaking
from lms.core.money import Money
from lms.core.pdf import html_to_pdf
from lms.core.web import attachment
from lms.invoicing.errors import DocumentChanged, DocumentNotReady
from lms.invoicing.models import Invoice, InvoiceDocument


@dataclass(frozen=True)
class TaxTotal:
    """All of an invoice that one tax was asked on, in one category at one rate."""

    jurisdiction: str
    name: str
    category: str
    percent: str
    reason: str
    base: Money
    amount: Money


def totals_of(invoice: Invoice) -> list[TaxTotal]:
    """The taxes of an invoice by category and rate (EN 16931 BG-23), in the reader's language."""
    found: dict[tuple[str, str, int], TaxTotal] = {}
    for line in invoice.lines:
        for one in line.taxes:
            key = (one.jurisdiction, one.category, one.rate)
            before = found.get(key)
            found[key] = TaxTotal(
                one.jurisdiction,
                one.name,
                one.category,
                format_decimal(one.percent, format="0.###"),
                one.reason,
                before.base + one.base if before else one.base,
                before.amount + one.amount if before else one.amount,
            )
    return list(found.values())


def draw(invoice: Invoice) -> bytes:
    """The document as PDF/A, in the buyer's language."""
    with speaking(invoice.language):
        html = render_template(
            "invoicing/document.html",
            invoice=invoice,
            seller=invoice.seller_details,
            buyer=invoice.buyer_details,
            totals=totals_of(invoice),
            issued_on=format_date(invoice.issued_on, "long", rebase=False),
            due_on=format_date(invoice.due_on, "long", rebase=False) if invoice.due_on else "",
            supplied_on=format_date(invoice.supplied_on, "long", rebase=False),
        )
    return html_to_pdf(html, for_archives=True)


def keep_document(invoice: Invoice, content: bytes) -> None:
    """Keep the PDF, once. Safe to repeat: what was kept first stays."""
    if db.session.get(InvoiceDocument, invoice.id) is not None:
        return
    file = keep_file(content, f"{invoice.number}.pdf", None)
    db.session.add(
        InvoiceDocument(
            invoice_id=invoice.id, file_id=file.id, sha256=hashlib.sha256(content).hexdigest()
        )
    )
    db.session.flush()


def document_response(invoice: Invoice) -> Response:
    """The kept PDF, byte for byte. Raises DocumentNotReady or DocumentChanged."""
    if invoice.document is None:
        raise DocumentNotReady
    content = read_file(invoice.document.file)
    if hashlib.sha256(content).hexdigest() != invoice.document.sha256:
        raise DocumentChanged
    response = attachment(content, f"{invoice.number}.pdf")
    response.headers["Cache-Control"] = "private, no-store"
    return response
