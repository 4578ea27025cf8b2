"""Reads of what is known of the cards that paid: their countries, and no more."""

from __future__ import annotations

from sqlalchemy import ColumnElement, exists, select

from lms.core.db import db
from lms.payments.models import Order, Payment
from lms.payments.movement_models import Dispute, DisputeState
from lms.pricing.residence import Fact, FactKind


def card_facts(user_id: int) -> tuple[Fact, ...]:
    """Countries of the cards with which somebody paid, but for those whose bank took it back."""
    taken_back = exists().where(Dispute.payment_id == Payment.id, Dispute.state != DisputeState.WON)
    countries = db.session.scalars(
        select(Payment.card_country)
        .join(Order, Order.id == Payment.order_id)
        .where(Order.user_id == user_id, Payment.card_country.is_not(None), ~taken_back)
        .distinct()
        .order_by(Payment.card_country)
    )
    return tuple(Fact(FactKind.CARD, str(country)) for country in countries)


def paid_with_other_card() -> ColumnElement[bool]:
    """Whether an order was paid with a card of another country than its buyer declared."""
    return exists().where(Payment.order_id == Order.id, Payment.card_country != Order.country)


def other_cards(order: Order) -> list[str]:
    """Countries of cards that paid an order, other than its buyer declared."""
    found = {payment.card_country for payment in order.payments if payment.card_country}
    return sorted(found - {order.country}) if order.country else []
