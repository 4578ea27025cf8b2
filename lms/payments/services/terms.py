"""What was agreed for an order: kept when it is placed, read when it is invoiced or given up."""

from __future__ import annotations

import json
from dataclasses import dataclass

from lms.core.db import db
from lms.core.sealing import seal
from lms.payments.models import Order
from lms.payments.services.refund_policy import present_row
from lms.payments.terms_models import SEALED_FOR, OrderTerms


@dataclass(frozen=True)
class Billing:
    """What the buyer says for the invoice."""

    buyer: str = "consumer"
    organisation: str = ""
    province: str = ""
    purchase_order: str = ""
    address: str = ""
    tax_id: str = ""


def find_terms(order: Order) -> OrderTerms | None:
    """The terms of an order, None for one from before they were kept."""
    return db.session.get(OrderTerms, order.id)


def keep_terms(order: Order, billing: Billing | None, before: Order | None = None) -> None:
    """Keep what holds for an order. before: the order it takes the place of, or itself.

    Without billing, what was said for `before` stays.
    """
    said = find_terms(before) if before is not None else None
    terms = find_terms(order)
    if terms is None:
        row = present_row()
        terms = OrderTerms(
            order_id=order.id,
            policy_id=row.id if row else None,
            first_day=order.run.starts_on if order.run else None,
        )
        db.session.add(terms)
    if billing is not None:
        sealed = {"address": billing.address, "tax_id": billing.tax_id}
        terms.buyer, terms.organisation = billing.buyer, billing.organisation
        terms.province, terms.purchase_order = billing.province, billing.purchase_order
        terms.sealed = seal(json.dumps(sealed), SEALED_FOR) if any(sealed.values()) else ""
    elif said is not None and said is not terms:
        for name in ("buyer", "organisation", "province", "purchase_order", "sealed"):
            setattr(terms, name, getattr(said, name))
    db.session.flush()
