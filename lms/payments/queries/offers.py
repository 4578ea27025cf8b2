"""Reads of offers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from lms.core import clock
from lms.core.db import db
from lms.payments.models import Order, OrderState
from lms.payments.offer_models import OrderOffer


def find_offer(order: Order) -> OrderOffer | None:
    """Until when an order is offered; None for one that never was."""
    return db.session.get(OrderOffer, order.id)


def offers_that_are_over() -> Sequence[Order]:
    """Offers whose time has passed."""
    return db.session.scalars(
        select(Order).where(Order.state == OrderState.QUOTED, Order.expires_at <= clock.now())
    ).all()


def offers_that_end(before: datetime) -> Sequence[tuple[Order, OrderOffer]]:
    """Offers that end before an instant, and of which the buyer was not reminded."""
    found = (
        select(Order, OrderOffer)
        .join(OrderOffer, OrderOffer.order_id == Order.id)
        .where(
            Order.state == OrderState.QUOTED,
            OrderOffer.reminded_at.is_(None),
            OrderOffer.valid_until < before,
        )
    )
    return [(row[0], row[1]) for row in db.session.execute(found)]
