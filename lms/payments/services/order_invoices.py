"""Orders as the room invoicing sees them: who buys, what is sold, and what was issued for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import exists, select

from lms.core import clock
from lms.core.db import db
from lms.core.language import speaking
from lms.core.money import Money
from lms.core.settings import settings
from lms.core.templating import format_days
from lms.core.text import in_language
from lms.courses.activity_types.base import activity_types
from lms.courses.models import Activity, CourseRun
from lms.invoicing import queries
from lms.invoicing.errors import NoTaxRow, NothingToCredit
from lms.invoicing.models import Invoice, InvoiceKind
from lms.invoicing.services import invoices
from lms.invoicing.services.invoices import Buyer, Item, Sale
from lms.invoicing.services.sellers import main_seller
from lms.invoicing.taxes import Fact
from lms.payments.models import Order, Refund
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
    """What is sold, on the day on which it was paid."""
    with speaking(order.language):
        title = in_language(order.run.course.title)
        description = f"{title} ({format_days(order.run.starts_on, order.run.ends_on)})"
    paid_at = order.paid_at or clock.now()
    return Sale(
        source=f"order:{order.id}",
        reference=order.number,
        product=f"run:{order.run_id}",
        day=clock.local_date(paid_at, settings().default_time_zone),
        items=[Item(description, order.total)],
        facts=[Fact.CAN_BE_FAILED] if _can_be_failed(order.run) else [],
    )


def _can_be_failed(run: CourseRun) -> bool:
    """Whether the course asks for something that is graded."""
    graded = [name for name, kind in activity_types.items() if kind.is_graded]
    found = exists().where(
        Activity.course_id == run.course_id, Activity.is_required, Activity.kind.in_(graded)
    )
    return bool(db.session.scalar(select(found)))


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


def credit(refund: Refund, back: Money) -> dict[str, Money]:
    """Issue the credit note for what a refund takes back of its sale; its tax by jurisdiction."""
    invoice = invoices.find_invoice(f"order:{refund.order_id}")
    if invoice is None:
        return {}
    try:
        note = invoices.issue_credit_note(invoice, back, f"refund:{refund.id}")
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
        {
            "name": one.name or one.jurisdiction,
            "percent": str(one.percent.normalize()),
            "amount": [one.amount_minor, one.currency],
        }
        for line in invoice.lines
        for one in line.taxes
        if one.amount_minor
    ]
