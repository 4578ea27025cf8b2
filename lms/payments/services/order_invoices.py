"""Orders as the room invoicing sees them: who buys, what is sold, and what was issued for it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from lms.core import clock
from lms.core.language import speaking
from lms.core.money import Money
from lms.core.settings import settings
from lms.core.text import in_language
from lms.invoicing import queries
from lms.invoicing.errors import NoTaxRow, NothingToCredit
from lms.invoicing.models import Invoice, InvoiceKind
from lms.invoicing.services import invoices
from lms.invoicing.services.invoices import Buyer, Item, Sale
from lms.invoicing.services.sellers import main_seller
from lms.payments.models import Order, Refund
from lms.payments.products import ledger_product, product_of
from lms.payments.queries.dues import dues_of
from lms.payments.services.attention import call_administrators
from lms.payments.services.terms import find_terms

NO_TAX_ROW = "no_tax_row"


def buyer_of(order: Order) -> Buyer:
    """Who buys, with what is known of where they live."""
    evidence: dict[str, Any] = {"residence": order.country, "account": order.user.country}
    terms = find_terms(order)
    said: dict[str, Any] = {}
    if terms is not None:
        said = {
            "kind": terms.buyer,
            "organisation": terms.organisation,
            "province": terms.province if order.country == "CA" else "",
            "purchase_order": terms.purchase_order,
            **terms.details,
        }
    return Buyer(
        **said,
        name=order.buyer_name or "",
        country=order.country,
        user_id=order.user_id,
        language=order.language,
        evidence=evidence,
    )


def sale_of(order: Order) -> Sale:
    """What is sold, on the day on which it was paid, or delivered before that."""
    with speaking(order.language):
        taxable = product_of(order).taxable(order)
    sold_at = order.sold_at or clock.now()
    days = [due.due_on for due in dues_of(order)] if order.delivered_at else []
    return Sale(
        source=f"order:{order.id}",
        reference=order.number,
        product=ledger_product(order),
        day=clock.local_date(sold_at, settings().default_time_zone),
        items=[Item(taxable.description, order.total, order.quantity)],
        supply=taxable.supply,
        facts=taxable.facts,
        due_on=max(days, default=None),
    )


def issue_for(order: Order) -> Invoice | None:
    """Issue the invoice of a paid order. Safe to repeat.

    None when no tax row says what the sale is taxed with: administrators are told, and a job issues
    it when there is one, since money that came in is never turned away.
    """
    try:
        return invoices.issue_invoice(main_seller(), buyer_of(order), sale_of(order))
    except NoTaxRow:
        call_administrators(order, NO_TAX_ROW)
        return None


def credit(order: Order, source: str, back: Money) -> dict[str, Money]:
    """Issue the credit note for what is taken back of a sale; its tax by jurisdiction."""
    invoice = invoices.find_invoice(f"order:{order.id}")
    if invoice is None:
        return {}
    try:
        note = invoices.issue_credit_note(invoice, back, source)
    except NothingToCredit:
        return {}
    return invoices.taxes_of(note)


def undo_credit(refund: Refund) -> None:
    """The money of a refund did not arrive: what its credit note took back is invoiced again."""
    source = f"refund:{refund.id}"
    note = invoices.find_invoice(source, InvoiceKind.CREDIT_NOTE)
    if note is not None:
        invoices.undo_credit_note(note, source)


def issued_for(order: Order) -> Sequence[Invoice]:
    """Invoices and credit notes of an order, in their order."""
    return queries.invoices_about(order.number)


def taxes_told(order: Order) -> list[dict[str, Any]]:
    """The taxes in an order's total, for messages: name, percent, amount as [minor, currency]."""
    invoice = invoices.find_invoice(f"order:{order.id}")
    if invoice is None:
        return []
    return [
        told(one.name or one.jurisdiction, one.percent, one.amount)
        for line in invoice.lines
        for one in line.taxes
        if one.amount_minor
    ]


def expected_taxes(order: Order) -> list[dict[str, Any]]:
    """The taxes that an invoice of today would show in the price; none while no rule says."""
    try:
        [taxed] = invoices.tax_sale(main_seller(), buyer_of(order), sale_of(order))
    except NoTaxRow:
        return []
    with speaking(order.language):
        return [
            told(in_language(one.rule.name) or one.rule.jurisdiction, one.rule.percent, one.amount)
            for one in taxed.lines
            if one.amount
        ]


def told(name: str, percent: Decimal, amount: Money) -> dict[str, Any]:
    """A tax in a price as messages and papers say it."""
    return {
        "name": name,
        "percent": str(percent.normalize()),
        "amount": [amount.minor, amount.currency],
    }
