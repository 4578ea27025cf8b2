"""Receipts: numbered when an order is paid."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from lms.core.db import db
from lms.core.models import SiteSetting
from lms.core.outbox import enqueue
from lms.payments.models import Order, Receipt
from lms.payments.services.numbers import next_number, this_year


def seller() -> dict[str, Any]:
    """Who sells, as administrators wrote it: name, address, tax_number, email."""
    row = db.session.get(SiteSetting, "seller")
    return dict(row.value) if row is not None else {}


def issue_receipt(order: Order) -> Receipt:
    """Give a paid order its receipt and mail it. Safe to repeat."""
    receipt = db.session.scalar(select(Receipt).where(Receipt.order_id == order.id))
    if receipt is not None:
        return receipt
    year = this_year()
    receipt = Receipt(
        order_id=order.id, year=year, sequence=next_number("receipt", year), seller=seller()
    )
    db.session.add(receipt)
    db.session.flush()
    enqueue("payments.mail_receipt", order_id=order.id)
    return receipt
