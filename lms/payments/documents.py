"""Receipts as PDF."""

from __future__ import annotations

from typing import Any

from flask import render_template
from flask_babel import format_date
from weasyprint import HTML

from lms.core import clock
from lms.core.language import speaking
from lms.core.settings import settings
from lms.payments.models import Order


def _fetch_nothing(url: str, *rest: Any, **options: Any) -> Any:
    raise ValueError(f"a receipt loads nothing from outside: {url}")


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
        )
    pdf: bytes = HTML(string=html, url_fetcher=_fetch_nothing).write_pdf(pdf_variant="pdf/ua-1")
    return pdf


def receipt_name(order: Order) -> str:
    """File name of the receipt."""
    assert order.receipt is not None
    return f"{order.receipt.number}.pdf"
