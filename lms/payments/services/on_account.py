"""What is delivered before it is paid, on invoice or in parts; and who may buy on invoice."""

from __future__ import annotations

from datetime import timedelta

from lms.accounts.models import User
from lms.core import clock
from lms.core.audit import record
from lms.core.db import db
from lms.core.settings import settings
from lms.core.text import in_language
from lms.directory.models import Organisation
from lms.notifications.services import tell
from lms.payments import queries as order_queries
from lms.payments.due_models import InvoiceApproval
from lms.payments.errors import GatewayUnknown, OrganisationUnknown
from lms.payments.gateways.base import payment_gateways
from lms.payments.models import OPEN, Order, OrderState
from lms.payments.queries import dues as queries
from lms.payments.services import dues, orders, parts, payments
from lms.payments.services.terms import find_terms


def agree(order: Order, *, in_parts: bool = False) -> Order:
    """Settle how an order that was just placed is paid: at once, in parts, or on invoice.

    On invoice it is delivered now. Raises GatewayUnknown where the buyer may not have it so.
    """
    gateway = payment_gateways.get(order.gateway or "")
    if not order.is_open or gateway is None:
        return order
    if order.credit_use is not None:  # who pays with credit pays the rest at once
        if gateway.is_on_account:
            raise GatewayUnknown
        return order
    if gateway.is_on_account:
        _deliver_on_invoice(order)
        return order
    wanted = parts.schedule_for(order.place, order.total) if in_parts and order.run_id else []
    first = wanted[0].amount.minor if wanted else None
    if first != order.first_minor and order.gateway_session:
        orders.change_page(order)
    order.first_minor = first
    dues.keep_parts(order, wanted)
    return order


def _deliver_on_invoice(order: Order) -> None:
    order = orders.lock_order(order)
    found = queries.approvals_of(order.user)
    terms = find_terms(order)
    if not found or terms is None or not terms.purchase_order:
        raise GatewayUnknown
    names = {in_language(one.organisation.name, order.language): one for one in found}
    if terms.organisation not in names:  # the invoice is for one that is approved, no other
        terms.organisation = next(iter(names))
    terms.buyer = "organisation"
    due_on = queries.today() + timedelta(days=settings().invoice_days)
    order.first_minor = None
    dues.keep_parts(order, [dues.Part(due_on, order.total)])
    orders.change_state(order, OrderState.OWED, OPEN, expires_at=None, failure=None)
    payments.deliver_owed(order)
    tell(
        order.user,
        "payments.invoiced",
        **order_queries.facts_for_messages(order),
        due_on=due_on.isoformat(),
        purchase_order=terms.purchase_order,
    )


def approve(organisation: Organisation, note: str, by: User) -> InvoiceApproval:
    """Let the managers of an organisation buy on invoice. Safe to repeat."""
    if organisation not in queries.organisations_to_approve():
        raise OrganisationUnknown
    row = InvoiceApproval(organisation=organisation, note=note, made_by_id=by.id)
    db.session.add(row)
    db.session.flush()
    record("payments.approve_invoices", row, by.id, organisation=organisation.slug)
    return row


def end_approval(row: InvoiceApproval, by: User) -> None:
    """Let an organisation order nothing more on invoice; what is owed stays owed."""
    if row.ended_at is None:
        row.ended_at = clock.now()
        db.session.flush()
        record("payments.end_invoices", row, by.id, organisation=row.organisation.slug)
