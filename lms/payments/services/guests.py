"""Buying without an account: the order hangs on one that waits until its owner claims it.

Nobody is looked up by the address that a buyer types: the price is a stranger's, the account is
always a new one, and the answer is the same whoever has the address. Who reads its mail decides:
a new account, the one they have, or nothing at all.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import contains_eager

from lms.accounts.events import AccountDeclined, AccountTakenOver
from lms.accounts.models import AccountClaim, User
from lms.accounts.services import claiming
from lms.accounts.services.claim_links import send_link
from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.core.site_settings import SettingsGroup
from lms.courses.errors import AlreadyEnrolled
from lms.courses.models import CourseRun, Enrolment, EnrolmentState
from lms.courses.services.enrolment import activate, end_enrolment
from lms.payments import queries
from lms.payments.events import OrderPaid
from lms.payments.gateways.base import PaymentGateway
from lms.payments.models import OPEN, SETTLED, Order, OrderState, RefundReason
from lms.payments.services import leaving, orders, refunds
from lms.payments.services.prices import Wishes, show_price
from lms.payments.services.terms import Billing
from lms.pricing.errors import PriceOnRequest, QuoteChanged
from lms.pricing.services.quotes import check_ticket

HOLDS_AT_MOST = timedelta(hours=1)  # a seat for somebody of whom nothing is known
REMIND_BEFORE = (timedelta(days=3), timedelta(days=1))
UNPAID_KEPT_FOR = timedelta(days=30)
UNCLAIMED_KEPT_FOR = timedelta(days=90)  # after the last day of the course run


class GuestSales(SettingsGroup):
    """Whether people can buy first and make their account afterwards."""

    name = "guest_sales"

    is_open: bool = True


@dataclass(frozen=True)
class Guest:
    """Who buys without an account, as they say. next_page: where to go on to after claiming."""

    name: str
    email: str
    next_page: str = ""


def may_use(gateway: PaymentGateway) -> bool:
    """Whether people without an account can pay this way: not where it holds a seat for days."""
    return gateway.holds_seat_for <= HOLDS_AT_MOST


def find_waiting(key: str, email: str) -> User | None:
    """The account that waits since an earlier order of this browser, for the same address."""
    try:
        wanted = uuid.UUID(hex=key)
    except ValueError:
        return None
    return db.session.scalar(
        select(User)
        .join(AccountClaim)
        .where(User.uuid == wanted, AccountClaim.email_folded == email.casefold())
    )


def place_guest_order(
    run: CourseRun,
    guest: Guest,
    waiting: User | None,
    gateway_name: str | None,
    wishes: Wishes,
    ticket: str,
    *,
    language: str,
    billing: Billing | None = None,
) -> Order:
    """Hold a place for an account that waits, and make the order for it, at the price shown.

    waiting: that of an earlier order in this browser. Raises what `orders.place_order` raises.
    """
    before = queries.find_open_order(run, waiting) if waiting else None
    shown = show_price(run, None, wishes, before)
    if shown.calculation is None:
        raise PriceOnRequest
    check_ticket(ticket, shown.calculation, None)
    if waiting is None:
        waiting = claiming.make_waiting(
            name=guest.name,
            email=guest.email,
            language=language,
            country=wishes.country,
            next_page=guest.next_page,
        )
    order = orders.place_order(
        run,
        waiting,
        gateway_name,
        voucher_code=wishes.voucher_code,
        country=wishes.country,
        language=language,
        currency=wishes.currency,
        chosen=wishes.chosen,
        billing=billing,
    )
    if order.total != shown.calculation.total:
        raise QuoteChanged
    order.buyer_name = guest.name
    db.session.flush()
    return order


def ask_to_claim(event: OrderPaid) -> None:
    """What was bought without an account is paid: mail the link to whoever it is for."""
    claim = event.order.user.claim if event.order.user.is_waiting else None
    if claim is not None:
        send_link(claim)


def hand_over(event: AccountTakenOver) -> None:
    """Orders and places go to the account of who has the address. Raises AlreadyEnrolled."""
    for order in _orders_of(event.waiting):
        order = orders.lock_order(order)
        if order.is_open and not order.is_settling:
            orders.cancel_order(order)
        before = order.enrolment
        order.user = event.owner
        db.session.flush()
        if order.is_settled and before is not None and before.may_study:
            _give_place(order, before)


def _give_place(order: Order, before: Enrolment) -> None:
    """The owner gets the place; both are in the run for a moment, so that nobody else gets it."""
    own = queries.find_enrolment(order.place.id, order.user_id)
    if own is not None and own.may_study:
        raise AlreadyEnrolled
    other = queries.find_open_order(order.place, order.user)
    if other is not None:
        orders.close_order(other, OrderState.CANCELLED)
    if own is None:
        own = Enrolment(run_id=order.place.id, user_id=order.user_id, method=before.method)
        own.state = EnrolmentState.PENDING_PAYMENT
        db.session.add(own)
        db.session.flush()
    own.method = before.method
    order.enrolment_id = own.id
    activate(own)
    end_enrolment(before, EnrolmentState.WITHDRAWN)


def back_for(order: Order) -> Money:
    """What goes back to who paid when the order is declined now."""
    if not order.is_for_place:
        return order.total
    if leaving.own_enrolment(order) is None:
        return Money(0, order.currency)
    return leaving.back_for(order).amount


def give_back(event: AccountDeclined) -> None:
    """Nobody wants it: places go to others, the money to who paid, as far as the policy says."""
    for order in _orders_of(event.waiting):
        order = orders.lock_order(order)
        if order.is_open and not order.is_settling:
            orders.cancel_order(order)
        elif order.is_settled and not order.is_for_place:
            refunds.refund_order(order, RefundReason.BY_BUYER)
        elif leaving.own_enrolment(order) is not None:
            leaving.leave_run(order, leaving.back_for(order).amount)


def _orders_of(user: User) -> Sequence[Order]:
    return db.session.scalars(
        select(Order).where(Order.user_id == user.id).order_by(Order.id)
    ).all()


def claims_to_remind() -> list[AccountClaim]:
    """Claims that wait although their run begins soon, and were not reminded of that."""
    today = clock.now().date()
    found = db.session.execute(
        select(AccountClaim, func.min(CourseRun.starts_on))
        .join(AccountClaim.user)
        .join(Order, Order.user_id == User.id)
        .join(CourseRun, CourseRun.id == Order.run_id)
        .where(
            Order.state.in_(SETTLED),
            CourseRun.starts_on >= today,
            CourseRun.starts_on <= today + max(REMIND_BEFORE),
        )
        .group_by(AccountClaim.id)
        .order_by(AccountClaim.id)
    )
    return [claim for claim, starts_on in found if _is_due(claim, starts_on - today)]


def _is_due(claim: AccountClaim, left: timedelta) -> bool:
    """Whether a moment for reminding has come since the last mail."""
    if claim.mailed_at is None:
        return False
    mailed = claim.mailed_at.date()
    moments = [clock.now().date() + left - before for before in REMIND_BEFORE if left <= before]
    return any(mailed < moment for moment in moments)


def remind(claim: AccountClaim) -> None:
    """Mail the link once more: the course begins soon."""
    send_link(claim)


def forgotten() -> Sequence[User]:
    """Waiting accounts that hold nothing any more: never paid, or their runs are long over."""
    now = clock.now()
    holds = exists().where(
        Order.user_id == User.id,
        or_(
            Order.state.in_(OPEN),
            Order.state.in_(SETTLED)
            & or_(
                Order.run_id.is_(None),
                Order.run_id.in_(
                    select(CourseRun.id).where(CourseRun.ends_on > now.date() - UNCLAIMED_KEPT_FOR)
                ),
            ),
        ),
    )
    return db.session.scalars(
        select(User)
        .join(AccountClaim)
        .options(contains_eager(User.claim))
        .where(AccountClaim.made_at < now - UNPAID_KEPT_FOR, ~holds)
        .order_by(User.id)
        .limit(200)
    ).all()
