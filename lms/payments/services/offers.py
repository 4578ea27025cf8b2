"""Offers: an order that holds its price for some weeks and no place, until it is accepted.

An offer posts nothing and holds nothing. Accepted, it is an order like any other, at just the price
of the offer; when that is not paid in time it is an offer again, as long as it holds.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.core.settings import settings
from lms.courses.errors import EnrolmentClosed, RunFull
from lms.notifications.services import tell
from lms.payments import queries
from lms.payments.errors import NotOffered, OfferGone, OfferOver, OrderClosed
from lms.payments.models import OPEN, Order, OrderState
from lms.payments.offer_models import OrderOffer
from lms.payments.products import Item, product_of, products
from lms.payments.queries.offers import find_offer, offers_that_are_over, offers_that_end
from lms.payments.services import orders
from lms.payments.services.terms import Billing, find_terms, keep_terms

REMIND_BEFORE = timedelta(days=3)


def make_offer(
    item: Item,
    user: User,
    shown: Money,
    *,
    country: str | None,
    language: str,
    billing: Billing,
    ticket: str | None,
) -> Order:
    """Offer something at the price that is shown now, and mail it.

    It holds for `offer_days`, and not longer than one can enrol.

    Raises NotOffered where there are no offers or nothing is to be paid, QuoteChanged when the
    price is another one by now, and PaymentRefused.
    """
    if not products[item.product].can_be_offered or not shown or not billing.organisation:
        raise NotOffered
    quote = orders.quote_item(item, user, shown, country, ticket)
    zone = settings().default_time_zone
    days = timedelta(days=settings().offer_days + 1)
    until = clock.start_of_day(clock.local_date(clock.now(), zone) + days, zone)
    if item.run is not None:  # nobody can order after that
        until = min(until, item.run.enrolment_closes_at or item.run.ends_at)
    order = orders.write_down(
        item,
        user,
        shown,
        quote,
        country=country,
        language=language,
        state=OrderState.QUOTED,
        expires_at=until,
    )
    keep_terms(order, billing)
    if order.quote is not None:
        order.quote.expires_at = until
    db.session.add(OrderOffer(order_id=order.id, valid_until=until))
    db.session.flush()
    tell(user, "payments.offer_made", **offer_facts(order))
    return order


def accept_offer(order: Order, gateway_name: str | None, purchase_order: str = "") -> Order:
    """Turn an offer into the order that it offers, paid in this way; what it is for is held now.

    Accepted before, nothing happens. Raises OfferOver, OfferGone, OrderClosed, PaymentRefused and
    GatewayUnknown.
    """
    order = orders.lock_order(order)
    if order.state in OPEN or order.sold_at is not None:
        return order
    if order.state != OrderState.QUOTED:
        raise OrderClosed
    if order.expires_at is None or order.expires_at <= clock.now():
        raise OfferOver
    gateway = orders.usable_gateway(
        gateway_name, order.currency, order.user, order.run, order.country
    )
    terms = find_terms(order)
    if terms is not None and purchase_order:
        terms.purchase_order = purchase_order
    assert order.item is not None
    before = queries.find_open_item(order.product, order.item, order.user)
    if before is not None:
        orders.close_order(before, OrderState.CANCELLED)
    try:
        product_of(order).hold(order, gateway.holds_seat_for)
    except (RunFull, EnrolmentClosed, OrderClosed) as refusal:
        raise OfferGone from refusal
    orders.change_state(
        order,
        OrderState.DRAFT,
        [OrderState.QUOTED],
        gateway=gateway.name,
        attempt=order.attempt + 1,
        expires_at=clock.now() + gateway.holds_seat_for,
    )
    return order


def withdraw_offer(order: Order) -> None:
    """The buyer does not want it any more. Safe to repeat. Raises OrderClosed when it was sold."""
    order = orders.lock_order(order)
    if order.state == OrderState.CANCELLED:
        return
    if not orders.change_state(order, OrderState.CANCELLED, [OrderState.QUOTED]):
        raise OrderClosed


def end_offers() -> None:
    """End those whose time has passed, and remind once of those that end soon."""
    for order in offers_that_are_over():
        orders.change_state(order, OrderState.EXPIRED, [OrderState.QUOTED])
    for order, offer in offers_that_end(clock.now() + REMIND_BEFORE):
        offer.reminded_at = clock.now()
        tell(order.user, "payments.offer_ends", **offer_facts(order))
    db.session.flush()


def offer_facts(order: Order) -> dict[str, Any]:
    """What messages about an offer say; until: its last day."""
    offer = find_offer(order)
    assert offer is not None
    return queries.facts_for_messages(order) | {
        "until": offer.last_day.isoformat(),
        "quantity": order.quantity,
        "organisation": terms.organisation if (terms := find_terms(order)) else "",
    }
