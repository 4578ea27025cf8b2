"""Leaving a paid run: with the money that the policy gives back, or to the next run instead."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.courses.models import CourseRun, Enrolment, EnrolmentState, PublicationState
from lms.courses.services.enrolment import (
    activate,
    end_enrolment,
    has_free_seat,
    hold_seat,
    is_enrolment_open,
    lock_run,
)
from lms.notifications.services import tell
from lms.payments import queries
from lms.payments.errors import NoOtherRun, NothingToLeave, OfferChanged
from lms.payments.models import DELIVERED, Order, OrderState, Payment, RefundReason
from lms.payments.queries.dues import has_parts, owed_of
from lms.payments.services import bookkeeping, dues, grants, refunds
from lms.payments.services.orders import lock_order
from lms.payments.services.refund_policy import Back, Policy, Why, amount_back, as_policy, dates_of
from lms.payments.services.terms import find_terms, keep_terms
from lms.payments.terms_models import OrderTerms

AT_ONCE = 200


def policy_of(order: Order) -> Policy:
    """The policy that held when the order was placed."""
    terms = find_terms(order)
    return as_policy(terms.policy if terms else None)


def own_enrolment(order: Order, known: Enrolment | None = None) -> Enrolment | None:
    """The enrolment that the order carries and that can be left: neither ended nor completed.

    known: the buyer's enrolment in the run, where it was looked up already.
    """
    if not order.is_delivered or not order.is_for_place:
        return None
    enrolment = known or queries.find_enrolment(order.place.id, order.user_id)
    if enrolment is None or enrolment.state != EnrolmentState.ACTIVE:
        return None
    is_paid_for = any(payment.exception is None for payment in order.payments)
    if order.total_minor and order.delivered_at is None and not is_paid_for:
        return None
    return enrolment


def back_for(order: Order) -> Back:
    """What comes back when the buyer leaves now."""
    return _back_for(order, find_terms(order))


def _back_for(order: Order, terms: OrderTerms | None) -> Back:
    paid = sum(amount.minor for _payment, amount in paid_and_kept(order))
    return part_of(Money(paid + owed_of(order), order.currency), order, terms)


def part_of(price: Money, order: Order, terms: OrderTerms | None) -> Back:
    """What of a price that was paid for the order comes back now."""
    run = order.place
    today = clock.local_date(clock.now(), run.time_zone)
    agreed = terms.first_day if terms else None
    policy = as_policy(terms.policy if terms else None)
    return amount_back(policy, dates_of(run), today, price, agreed)


def paid_and_kept(order: Order) -> list[tuple[Payment, Money]]:
    """Payments that did what payments do, each with what of it has not gone back."""
    return [
        (payment, payment.remaining)
        for payment in order.payments
        if payment.remaining and payment.currency == order.currency and not payment.exception
    ]


def leave_run(order: Order, shown: Money, *, as_credit: bool = False) -> Back:
    """End the enrolment and ask for the money that comes back, or keep it as credit, without fee.

    shown: what the buyer was shown. Raises OfferChanged when it is another sum by now, and
    NothingToLeave.
    """
    order = lock_order(order)
    db.session.expire(order, ["payments"])
    enrolment = own_enrolment(order)
    if enrolment is None:
        raise NothingToLeave
    back = back_for(order)
    offered = back.as_credit if as_credit else back.amount
    if offered != shown:
        raise OfferChanged
    waived = min(owed_of(order), offered.minor)  # what is not paid is not asked for first
    left = offered.minor - waived
    reason = RefundReason.RUN_MOVED if back.why == Why.MOVED else RefundReason.BY_BUYER
    for payment, remaining in paid_and_kept(order):
        part = Money(min(left, remaining.minor), order.currency)
        if part:
            refunds.request_refund(payment, part, reason, as_credit=as_credit)
        left -= part.minor
    grant = grants.find_grant(order)
    if grant is not None and not order.total:  # else the fund's part goes with the buyer's
        to_fund = part_of(grant.kept, order, find_terms(order))
        bookkeeping.give_grant_back(order, to_fund.amount)
        if to_fund.amount:
            order.state = OrderState.PARTIALLY_REFUNDED if grant.kept else OrderState.REFUNDED
    end_enrolment(enrolment, EnrolmentState.WITHDRAWN)
    dues.waive(order, waived, reason)
    return back


def later_runs(order: Order) -> Select[CourseRun]:
    """Runs of the course that begin after the order's own and have not begun, the next first."""
    return (
        select(CourseRun)
        .where(
            CourseRun.course_id == order.place.course_id,
            CourseRun.state == PublicationState.PUBLISHED,
            CourseRun.starts_on > order.place.starts_on,
            CourseRun.starts_on > clock.now().date(),
        )
        .options(joinedload(CourseRun.course))
        .order_by(CourseRun.starts_on, CourseRun.id)
        .limit(5)
    )


def next_run(order: Order) -> CourseRun | None:
    """The next run of the course that has a place for the buyer, None when there is none."""
    taken = select(Enrolment.run_id).where(
        Enrolment.user_id == order.user_id,
        Enrolment.state.in_((EnrolmentState.ACTIVE, EnrolmentState.COMPLETED)),
    )
    found = db.session.scalars(later_runs(order).where(CourseRun.id.not_in(taken))).all()
    return next((run for run in found if is_enrolment_open(run) and has_free_seat(run)), None)


def may_transfer(order: Order) -> bool:
    """Whether the buyer can still move to the next run: once, or when we moved the dates."""
    terms = find_terms(order)
    if clock.local_date(clock.now(), order.place.time_zone) > order.place.ends_on:
        return False
    return terms is None or not terms.transfers or _back_for(order, terms).why == Why.MOVED


def transfer(order: Order, to: CourseRun) -> None:
    """Move the buyer to another run of the course, with all that is paid.

    Raises NothingToLeave, NoOtherRun and what `hold_seat` raises.
    """
    for run in sorted((order.place, to), key=lambda run: run.id):
        lock_run(run)
    order = lock_order(order)
    enrolment, chosen = own_enrolment(order), next_run(order)
    if enrolment is None:
        raise NothingToLeave
    if not may_transfer(order) or chosen is None or chosen.id != to.id:
        raise NoOtherRun
    method = enrolment.method
    new = hold_seat(to, order.user, method=method)
    end_enrolment(enrolment, EnrolmentState.WITHDRAWN)
    order.enrolment_id = new.id
    move_order(order, to)
    activate(new)
    if has_parts(order):
        dues.follow_access(order)


def move_order(order: Order, to: CourseRun) -> None:
    """The order is for another run now, with all that is paid; the caller has moved the places."""
    is_ours, before = back_for(order).why == Why.MOVED, order.place
    order.run = to
    keep_terms(order, None)
    terms = find_terms(order)
    assert terms is not None
    terms.first_day, terms.told_of = to.starts_on, None
    terms.transfers += 0 if is_ours else 1
    db.session.flush()
    bookkeeping.book_transfer(order, before)


def agree_to_dates(order: Order) -> None:
    """The buyer keeps the place on the new dates. Safe to repeat."""
    terms = find_terms(lock_order(order))
    if terms is not None:
        terms.first_day = order.place.starts_on
        db.session.flush()


def moved_orders() -> Sequence[OrderTerms]:
    """Terms of orders whose run begins so much later that their buyers must be asked."""
    return db.session.scalars(
        select(OrderTerms)
        .join(Order, Order.id == OrderTerms.order_id)
        .join(CourseRun, CourseRun.id == Order.run_id)
        .where(
            Order.state.in_(DELIVERED),
            CourseRun.state == PublicationState.PUBLISHED,
            CourseRun.starts_on > OrderTerms.first_day,
            CourseRun.starts_on >= clock.now().date(),
            OrderTerms.told_of.is_(None) | (OrderTerms.told_of < CourseRun.starts_on),
        )
        .options(joinedload(OrderTerms.order).joinedload(Order.run))
        .order_by(OrderTerms.order_id)
        .limit(AT_ONCE)
    ).all()


def tell_of_moved_run(terms: OrderTerms) -> None:
    """Ask a buyer whose run begins much later: keep the place, move, or get all back. Once."""
    order = terms.order
    terms.told_of = order.place.starts_on
    db.session.flush()
    before = terms.first_day
    if before is None or own_enrolment(order) is None or back_for(order).why != Why.MOVED:
        return
    tell(
        order.user,
        "payments.run_moved",
        **queries.facts_for_messages(order),
        before=before.isoformat(),
        now=order.place.starts_on.isoformat(),
    )
