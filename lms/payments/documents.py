"""Receipts as PDF."""

from __future__ import annotations

from flask import render_template
from flask_babel import format_date

from lms.core import clock
from lms.core.language import speaking
from lms.core.pdf import html_to_pdf
from lms.core.settings import settings
from lms.payments.models import Order
from lms.payments.services.order_invoices import taxes_told


def receipt_pdf(order: Order, language: str | None = None) -> bytes:
    """The receipt of a paid order, in the buyer's language; tagged for screen readers."""
    receipt = order.receipt
    assert receipt is not None
    with speaking(language or order.language):
        day = clock.local_date(receipt.issued_at, settings().default_time_zone)
        html = render_template(
            "payments/receipt.html",
            order=order,
            receipt=receipt,
            seller=receipt.seller,
            issued_on=format_date(day, "long", rebase=False),
            language=language or order.language,
            taxes=taxes_told(order),
        )
    return html_to_pdf(html)


def receipt_name(order: Order) -> str:
    """File name of the receipt."""
    assert order.receipt is not None
    return f"{order.receipt.number}.pdf"
