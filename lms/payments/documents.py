"""Receipts and offers as PDF."""

from __future__ import annotations

from flask import render_template
from flask_babel import format_date

from lms.core import clock
from lms.core.language import speaking
from lms.core.money import Money
from lms.core.pdf import html_to_pdf
from lms.core.settings import settings
from lms.core.web import absolute_url
from lms.invoicing.services.sellers import details, main_seller
from lms.payments.models import Order
from lms.payments.queries.offers import find_offer
from lms.payments.services.order_invoices import expected_taxes, taxes_told
from lms.payments.services.terms import find_terms


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


def offer_pdf(order: Order) -> bytes:
    """The offer, in the language of who asked for it; tagged for screen readers."""
    offer, terms = find_offer(order), find_terms(order)
    assert offer is not None
    assert terms is not None
    zone = settings().default_time_zone
    offered_on = clock.local_date(order.created_at, zone)
    with speaking(order.language):
        html = render_template(
            "payments/offer_paper.html",
            order=order,
            terms=terms,
            seller=details(main_seller(), offered_on),
            offered_on=offered_on,
            last_day=offer.last_day,
            one=Money(order.total_minor // order.quantity, order.currency),
            taxes=expected_taxes(order),
            language=order.language,
            address=absolute_url("payments.show_order", order_uuid=order.uuid),
        )
    return html_to_pdf(html)
