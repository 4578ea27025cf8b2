"""Orders from the checkout to the open payment page, and orders that come to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import db
from lms.core.events import emit
from lms.core.money import Money
from lms.core.outbox import enqueue
from lms.courses.models import CourseRun
from lms.courses.services.enrolment import SEAT_HELD_FOR, hold_seat, lock_run
from lms.notifications.services import tell
from lms.payments import queries
from lms.payments.errors import GatewayUnknown, NotForSale, OrderClosed
from lms.payments.events import OrderPaid, PaymentOpened
from lms.payments.gateways.base import PaymentGateway, Started, payment_gateways
from lms.payments.models import OPEN, Order, OrderState, Purchase
from lms.payments.products import PLACE, Item, product_of, products
from lms.payments.queries.offers import find_offer
from lms.payments.services import credits, grants
from lms.payments.services.numbers import next_number, this_year
from lms.payments.services.order_invoices import issue_for
from lms.payments.services.prices import Wishes, show_price
from lms.payments.services.terms import Billing, keep_terms
from lms.payments.services.vouchers import release_voucher, use_voucher
from lms.pricing.engine import OfferKind
from lms.pricing.errors import PaymentRefused, PriceOnRequest, QuoteChanged, QuoteUsed
from lms.pricing.models import Quote
from lms.pricing.queries import refuses_payment
from lms.pricing.services.quotes import Calculation, check_ticket, keep_quote

PAGE_CLOSES_BEFORE_SEAT = timedelta(minutes=4)  # so that nobody pays for a seat just lost
SAME_ATTEMPT_WITHIN = timedelta(seconds=45)  # a double click, or a try again at once
CHECK_AGAIN_AFTER = timedelta(minutes=10)
SETTLING_TAKES = timedelta(days=7)
TRY_AGAIN_WITHIN = timedelta(days=1)  # after money that was on its way did not arrive


def change_state(order: Order, to: OrderState, from_: Sequence[str], **values: Any) -> bool:
    """Change the state in one conditional UPDATE; False when it is not in `from_` any more."""
    changed: Any = db.session.execute(
        update(Order)
        .where(Order.id == order.id, Order.state.in_(from_))
        .values(state=to, version=Order.version + 1, **values)
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(order)
    return bool(changed.rowcount)


def lock_order(order: Order) -> Order:
    """The order as it is now, locked until the end of the transaction.

    What it is about is locked first, as seats are: in the same order everywhere, so that two
    transactions never wait for each other.
    """
    product_of(order).lock(order)
    return db.session.execute(
        select(Order)
        .where(Order.id == order.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one()


def place_order(
    run: CourseRun,
    user: User,
    gateway_name: str | None,
    *,
    voucher_code: str = "",
    country: str | None = None,
    language: str = "en",
    currency: str | None = None,
    chosen: Money | None = None,
    ticket: str | None = None,
    billing: Billing | None = None,
    credit: Money | None = None,
) -> Order:
    """Hold a place and make the order for it; complete it at once when nothing is to be paid.

    currency: the wanted one among those with a price. chosen: what the buyer wants to pay where
    people choose. ticket: the quote that the buyer was shown; None where nobody was shown anything,
    as in commands. credit: the part that the buyer's credit pays; when it is all, the caller
    completes the order by `payments.pay_by_credit`. An open order with the same terms is taken up
    again, one with other terms is replaced. Raises NotForSale, GatewayUnknown, VoucherRefused,
    AwardGone, QuoteChanged, PriceOnRequest, PaymentRefused, AmountTooLow, CreditGone and what
    `hold_seat` raises.
    """
    if not run.price:
        raise NotForSale
    enrolment = hold_seat(run, user, method="payment", for_=_holds_for(gateway_name))
    run = enrolment.run
    before = queries.find_open_order(run, user)
    wishes = Wishes(country, currency, chosen, voucher_code)
    shown = show_price(run, user, wishes, before)
    if shown.calculation is None:
        raise PriceOnRequest
    calculation, total = shown.calculation, shown.calculation.total
    if total and shown.terms.refuses_payment:
        raise PaymentRefused
    quote = _quote_for(calculation, user, ticket)
    voucher = shown.voucher if calculation.uses(OfferKind.VOUCHER) else None
    if credit is not None and (credit.currency != total.currency or credit > total):
        raise QuoteChanged
    is_open = bool(total) and credit != total
    gateway = usable_gateway(gateway_name, total.currency, user, run, country) if is_open else None
    grant = grants.wanted(shown.award, calculation)
    if before is not None:
        terms = (before.gateway, before.voucher_id, before.total, grants.wanted_by(before))
        way = gateway.name if gateway else None
        is_same = terms == (way, voucher.id if voucher else None, total, grant)
        is_same = is_same and credits.held_for(before) == (credit or Money(0, total.currency))
        if before.purchase_id is None and is_same:
            keep_terms(before, billing, before)
            return _take_up(before, gateway)
        close_order(before, OrderState.CANCELLED)
    order = Order(
        number=_new_number(),
        user_id=user.id,
        product=PLACE,
        run_id=run.id,
        enrolment_id=enrolment.id,
        voucher_id=voucher.id if voucher else None,
        quote_id=quote.id,
        currency=total.currency,
        amount_minor=calculation.amount.minor,
        discount_minor=calculation.discount.minor,
        total_minor=total.minor,
        gateway=gateway.name if gateway else None,
        country=country or user.country,
        buyer_name=user.name,
        language=language,
        expires_at=clock.now() + _holds_for(gateway_name),
    )
    db.session.add(order)
    db.session.flush()
    keep_terms(order, billing, before)
    if voucher is not None:
        use_voucher(voucher, order)
    if grant is not None and shown.award is not None:
        grants.keep_grant(order, shown.award, grant[1])
    if credit:
        credits.hold(order, credit)
    if not total:
        _complete_free(order)
    return order


def order_item(
    item: Item,
    user: User,
    gateway_name: str | None,
    shown: Money,
    *,
    country: str | None = None,
    language: str = "en",
    billing: Billing | None = None,
    ticket: str | None = None,
) -> Order:
    """Make the order for something else than a place, at the price that the buyer was shown.

    ticket: the quote that the buyer was shown, where the product quotes. An open order for it on
    the same terms is taken up again, one on other terms is replaced. Raises QuoteChanged when the
    price is another one by now, GatewayUnknown, PaymentRefused and what the product's `hold`
    raises.
    """
    quote = quote_item(item, user, shown, country, ticket)
    gateway = (
        usable_gateway(gateway_name, shown.currency, user, item.run, country) if shown else None
    )
    before = queries.find_open_item(item.product, item.key, user)
    if before is not None:
        before = lock_order(before)
        terms = (before.gateway, before.total)
        if before.purchase_id is None and terms == (gateway.name if gateway else None, shown):
            products[item.product].hold(before, _holds_for(gateway_name))
            keep_terms(before, billing, before)
            return _take_up(before, gateway)
        close_order(before, OrderState.CANCELLED)
    order = write_down(
        item,
        user,
        shown,
        quote,
        country=country,
        language=language,
        gateway=gateway.name if gateway else None,
        expires_at=clock.now() + _holds_for(gateway_name),
    )
    products[item.product].hold(order, _holds_for(gateway_name))
    keep_terms(order, billing, before)
    if not shown:
        _complete_free(order)
    return order


def quote_item(
    item: Item, user: User, shown: Money, country: str | None, ticket: str | None
) -> Quote | None:
    """The quote at which something is sold as it was shown; None where its product quotes nothing.

    Raises QuoteChanged and PaymentRefused.
    """
    if item.prices.get(shown.currency) != shown:
        raise QuoteChanged
    if shown and refuses_payment(country):
        raise PaymentRefused
    if item.run is not None:
        lock_run(item.run)
    calculation = item.calculations.get(shown.currency)
    return _quote_for(calculation, user, ticket) if calculation else None


def write_down(
    item: Item,
    user: User,
    price: Money,
    quote: Quote | None,
    *,
    country: str | None,
    language: str,
    **values: Any,
) -> Order:
    """Keep the order for an item at this price; values: its state, gateway and time."""
    discount = item.calculations[price.currency].discount.minor * item.quantity if quote else 0
    order = Order(
        number=_new_number(),
        user_id=user.id,
        product=item.product,
        item=item.key,
        words=dict(item.title),
        quantity=item.quantity,
        run_id=item.run.id if item.run else None,
        quote_id=quote.id if quote else None,
        currency=price.currency,
        amount_minor=price.minor + discount,
        discount_minor=discount,
        total_minor=price.minor,
        country=country or user.country,
        buyer_name=user.name,
        language=language,
        **values,
    )
    db.session.add(order)
    db.session.flush()
    return order


def _new_number() -> str:
    year = this_year()
    return f"P-{year}-{next_number('order', year):06d}"


def _quote_for(calculation: Calculation, user: User, ticket: str | None) -> Quote:
    """The quote that the order is placed from. Raises QuoteChanged, QuoteExpired or QuoteUsed."""
    checked = None if ticket is None else check_ticket(ticket, calculation, user)
    quote = keep_quote(calculation, user, checked)
    placed = queries.orders_from(quote)
    if placed and not any(order.is_open for order in placed):
        raise QuoteUsed
    return quote


def pay_again(order: Order) -> Order:
    """Open the way to pay anew, at the price of the order, with what is still held.

    Raises OrderClosed and what the product's `hold` raises.
    """
    product_of(order).hold(order, _holds_for(order.gateway))
    order = lock_order(order)
    if not order.is_open:
        raise OrderClosed
    return _take_up(order, payment_gateways.get(order.gateway or ""))


def _holds_for(gateway_name: str | None) -> timedelta:
    gateway = payment_gateways.get(gateway_name or "")
    return gateway.holds_seat_for if gateway else SEAT_HELD_FOR


def usable_gateway(
    name: str | None, currency: str, buyer: User, run: CourseRun | None, country: str | None
) -> PaymentGateway:
    """The way to pay that a person chose. Raises GatewayUnknown where they may not choose it."""
    gateway = payment_gateways.get(name or "")
    if gateway is None or gateway not in usable_gateways(currency, buyer, run, country):
        raise GatewayUnknown
    return gateway


def usable_gateways(
    currency: str,
    buyer: User | None,
    run: CourseRun | None = None,
    country: str | None = None,
) -> list[PaymentGateway]:
    """The ways to pay that a person may choose for a place in a run, or for another thing.

    buyer: None for somebody who is not signed in.
    """
    return [
        one
        for one in payment_gateways.values()
        if one.offers(currency, run, country)
        and (one.is_offered_to(buyer) if buyer else not one.is_on_account)
    ]


def _take_up(order: Order, gateway: PaymentGateway | None) -> Order:
    """Go on with an open order: on its open page, or with a fresh one when that is closing."""
    if gateway is None or order.is_settling or order.expires_at is None:
        return order
    began_at = order.expires_at - gateway.holds_seat_for
    if page_is_open(order) or clock.now() - began_at < SAME_ATTEMPT_WITHIN:
        return order
    close_page(order.gateway, order.gateway_session)
    hold_again(order)
    return order


def hold_again(order: Order) -> None:
    """Let an open order wait anew for its payment, on another page."""
    order.state = OrderState.DRAFT
    order.gateway_session = order.gateway_url = order.failure = None
    order.attempt += 1
    order.expires_at = clock.now() + _holds_for(order.gateway)
    db.session.flush()


def close_page(gateway: str | None, session: str | None) -> None:
    """Have a payment page closed on which nobody shall pay any more."""
    if session:
        enqueue("payments.close_page", gateway=gateway, session=session)


def change_page(order: Order) -> None:
    """Close the open payment page of an order that asks for another amount now."""
    if order.gateway_session:
        enqueue("payments.close_page", gateway=order.gateway, session=order.gateway_session)
    order.state = OrderState.DRAFT
    order.gateway_session = order.gateway_url = None
    order.attempt += 1
    db.session.flush()


def page_is_open(order: Order) -> bool:
    """Whether the buyer can still pay on the page that was opened for the order."""
    if order.state != OrderState.PENDING or not order.gateway_url:
        return False
    return is_kept_long_enough(order)


def is_kept_long_enough(order: Order) -> bool:
    """Whether there is time left to pay before it is given away."""
    if order.expires_at is None:
        return False
    return clock.now() < order.expires_at - PAGE_CLOSES_BEFORE_SEAT - timedelta(minutes=1)


def keep_page(order: Order, started: Started, attempt: int) -> None:
    """Note the payment page that the gateway opened. Safe to repeat.

    Raises OrderClosed when the order was closed or taken up again meanwhile.
    """
    order = lock_order(order)
    if order.attempt != attempt or not order.is_open:
        close_page(order.gateway, started.session)
        raise OrderClosed
    if order.state == OrderState.PENDING:
        return
    order.gateway_session, order.gateway_url = started.session, started.address
    order.state = OrderState.PENDING
    db.session.flush()
    emit(PaymentOpened(order))
    gateway = payment_gateways[order.gateway or ""]
    if gateway.instructions:
        tell(order.user, gateway.instructions, **queries.facts_for_messages(order))


def _complete_free(order: Order) -> None:
    """A reduction covers all: the buyer has it at once."""
    change_state(order, OrderState.PAID, OPEN, paid_at=clock.now(), expires_at=None)
    issue_for(order)
    product_of(order).deliver(order)
    emit(OrderPaid(order))


def close_order(order: Order, to: OrderState) -> bool:
    """Close an open order (CANCELLED or EXPIRED); whether it was open. Safe to repeat.

    An offer that was accepted and not paid in time is an offer again, as long as it holds.
    """
    page, offer = (order.gateway, order.gateway_session), find_offer(order)
    values: dict[str, Any] = {}
    if offer is not None and to == OrderState.EXPIRED and offer.valid_until > clock.now():
        to = OrderState.QUOTED
        values = {"expires_at": offer.valid_until, "gateway_session": None, "gateway_url": None}
    if not change_state(order, to, OPEN, is_settling=False, **values):
        return False
    release_voucher(order)
    grants.release_grant(order)
    credits.release(order)
    close_page(*page)
    if order.purchase is not None:
        forget_page(order.purchase)
    if order.purchase is not None and to == OrderState.CANCELLED:
        order.purchase.orders.remove(order)  # the others can be paid without it
        db.session.flush()
    return True


def forget_page(purchase: Purchase) -> None:
    """Close the payment page of a purchase: what it asks for has changed. Safe to repeat."""
    if purchase.gateway_session is None:
        return
    close_page(purchase.gateway, purchase.gateway_session)
    purchase.gateway_session = purchase.gateway_url = None
    purchase.attempt += 1
    db.session.flush()


def cancel_order(order: Order) -> None:
    """The buyer gives the order and its seat up. Raises OrderClosed."""
    order = lock_order(order)
    if order.is_settling or not close_order(order, OrderState.CANCELLED):
        raise OrderClosed
    product_of(order).release(order, is_over=False)


def expire_order(order: Order) -> None:
    """Close an order that waited for its payment in vain, and free its seat. Safe to repeat."""
    order = lock_order(order)
    if order.expires_at is None or order.expires_at > clock.now():
        return
    close_order(order, OrderState.EXPIRED)
    product_of(order).release(order, is_over=True)


def settling(order: Order) -> None:
    """The buyer has paid in a way that takes days: keep all for so long. Safe to repeat."""
    order = lock_order(order)
    if order.is_settling or not order.is_open:
        return
    until = clock.now() + SETTLING_TAKES
    order.is_settling, order.expires_at, order.failure = True, until, None
    product_of(order).hold_until(order, until)
    db.session.flush()


def ask_gateway(order: Order, not_within: timedelta = timedelta(seconds=20)) -> bool:
    """Let a job ask the gateway what became of an open order; False if it was asked just now."""
    now = clock.now()
    asked: Any = db.session.execute(
        update(Order)
        .where(
            Order.id == order.id,
            Order.state.in_(OPEN),
            (Order.checked_at.is_(None)) | (Order.checked_at < now - not_within),
        )
        .values(checked_at=now)
        .execution_options(synchronize_session="fetch")
    )
    if asked.rowcount:
        enqueue("payments.look_up", order_id=order.id)
    return bool(asked.rowcount)
