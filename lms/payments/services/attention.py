"""Telling administrators what needs them."""

from __future__ import annotations

from sqlalchemy import select

from lms.accounts.models import User
from lms.core.db import db
from lms.notifications.services import tell
from lms.payments import queries
from lms.payments.models import Order


def call_administrators(order: Order, what: str) -> None:
    """Tell all administrators about an order.

    what: a PaymentException, "refund_failed", "refund_by_hand", "dispute_opened", "dispute_won"
    or "dispute_lost".
    """
    administrators = db.session.scalars(
        select(User).where(User.is_administrator, User.closed_at.is_(None))
    ).all()
    for administrator in administrators:
        values = queries.facts_for_messages(order)
        tell(administrator, "payments.attention", **values, what=what)
