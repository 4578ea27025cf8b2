"""Orders that are paid at once: one payment page, whose money is divided among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lms.accounts.models import User
from lms.config import LANGUAGES
from lms.core.db import db
from lms.core.money import Money
from lms.core.text import in_language
from lms.courses.services.enrolment import lock_run
from lms.notifications.services import tell
from lms.payments import queries
from lms.payments.errors import OrderClosed, ReferenceUsed
from lms.payments.gateways.base import (
    Fact,
    PaymentArrived,
    PaymentDeclined,
    PaymentSettling,
    SessionExpired,
    Started,
    part_reference,
    payment_gateways,
)
from lms.payments.models import Order, OrderState, Payment, Purchase
from lms.payments.products import product_of
from lms.payments.services import orders, payments


def lock_purchase(purchase: Purchase) -> Purchase:
    """The purchase with its orders as they are now; runs are locked in the order of their ids."""
    for run in sorted({one.run for one in purchase.orders if one.run}, key=lambda run: run.id):
        lock_run(run)
    for order in purchase.orders:
        orders.lock_order(order)
    db.session.refresh(purchase, with_for_update=True)
    return purchase


def apply_fact(gateway: str, purchase: Purchase, fact: Fact) -> Order | None:
    """Do what a fact about a purchase asks for; its first order. Safe to repeat.

    Money that somebody returned in the gateway's own pages is taken up with its movement, which
    tells how much it was; a message tells only the sum for all orders.
    """
    first = purchase.orders[0] if purchase.orders else None
    match fact:
        case PaymentArrived(reference=reference, amount=amount):
            take_money(purchase, gateway, reference, amount)
        case PaymentSettling(session=session):
            if purchase.gateway_session == session:
                for order in lock_purchase(purchase).to_pay:
                    orders.settling(order)
        case SessionExpired(session=session):
            if purchase.gateway_session == session:
                for order in lock_purchase(purchase).to_pay:
                    if not order.is_settling:
                        orders.close_order(order, OrderState.EXPIRED)
        case PaymentDeclined():
            _note_failure(purchase, fact)
    return first


def take_money(purchase: Purchase, gateway: str, reference: str, amount: Money) -> None:
    """Divide money that came in among the orders. Safe to repeat.

    Another sum than they ask for stays with the first of them, for an administrator to look at.
    """
    purchase = lock_purchase(purchase)
    paid = purchase.to_pay
    if len(paid) < 2 or amount != purchase.total:
        first = next(iter(paid), None) or next(iter(purchase.orders), None)
        if first is not None and not queries.find_payments(gateway, reference):
            payments.take_payment(first, gateway, reference, amount)
        return
    for number, order in enumerate(paid, 1):
        payments.take_payment(order, gateway, part_reference(reference, number), order.total)


def paid_by(order: Order, amount: Money) -> Sequence[Order]:
    """The orders that a transfer for one of them pays: all that are bought at once, with their sum.

    The order alone where that is not so, whatever the amount.
    """
    purchase = order.purchase
    if purchase is None or not purchase.is_open or amount != purchase.total:
        return [order]
    return purchase.to_pay


def confirm_transfer(order: Order, amount: Money, reference: str, by: User) -> Payment:
    """An administrator saw the money of a transfer, for the order or for all bought with it.

    Raises what `payments.confirm_transfer` raises.
    """
    if order.purchase is not None:  # what was bought at once is locked before one looks at it
        lock_purchase(order.purchase)
    together = paid_by(order, amount)
    if len(together) < 2:
        return payments.confirm_transfer(order, amount, reference, by)
    if queries.find_payments(order.gateway or "", reference):
        raise ReferenceUsed
    paid = [
        payments.confirm_transfer(one, one.total, part_reference(reference, number), by)
        for number, one in enumerate(together, 1)
    ]
    return paid[0]


def _note_failure(purchase: Purchase, fact: PaymentDeclined) -> None:
    if fact.session and fact.session != purchase.gateway_session:
        return
    waiting = [order for order in lock_purchase(purchase).to_pay if order.is_open]
    for order in waiting:
        payments.note_declined(order, fact)
    if waiting and fact.is_final:
        orders.forget_page(purchase)
        tell(purchase.user, "payments.payment_failed", **queries.facts_for_messages(waiting[0]))


def page_is_open(purchase: Purchase) -> bool:
    """Whether the buyer can still pay on the page that was opened."""
    if not purchase.is_open or purchase.gateway_url is None:
        return False
    return all(orders.is_kept_long_enough(order) for order in purchase.to_pay)


def pay_again(purchase: Purchase) -> Purchase:
    """Let another payment page be opened, with all that is still kept.

    Raises OrderClosed and what a product's `hold` raises.
    """
    purchase = lock_purchase(purchase)
    if not purchase.is_open:
        raise OrderClosed
    if any(order.is_settling for order in purchase.to_pay) or page_is_open(purchase):
        return purchase
    orders.forget_page(purchase)
    for order in purchase.to_pay:
        orders.hold_again(order)
        product_of(order).hold(order, payment_gateways[order.gateway or ""].holds_seat_for)
    return purchase


def keep_page(purchase: Purchase, started: Started, attempt: int) -> None:
    """Note the payment page that the gateway opened. Safe to repeat.

    Raises OrderClosed when the purchase changed meanwhile.
    """
    purchase = lock_purchase(purchase)
    if purchase.attempt != attempt or not purchase.is_open:
        orders.close_page(purchase.gateway, started.session)
        raise OrderClosed
    purchase.gateway_session, purchase.gateway_url = started.session, started.address
    for order in purchase.to_pay:
        order.state = OrderState.PENDING
    db.session.flush()
    gateway = payment_gateways[purchase.gateway or ""]
    if gateway.instructions:
        tell(purchase.user, gateway.instructions, **_facts_for_messages(purchase))


def _facts_for_messages(purchase: Purchase) -> dict[str, Any]:
    """What messages about all of it say, as of one order with all their titles."""
    titles = [order.title for order in purchase.to_pay]
    words = {code: ", ".join(in_language(one, code) for one in titles) for code in LANGUAGES}
    asked = [purchase.total.minor, purchase.currency]
    until = purchase.expires_at
    return queries.facts_for_messages(purchase.to_pay[0]) | {
        "purchase": str(purchase.uuid),
        "number": purchase.reference,
        "course": words,
        "product": "several",
        "total": asked,
        "asked": asked,
        "until": until.isoformat() if until else None,
    }
