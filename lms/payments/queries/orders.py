"""Reads of orders, payments, refunds and vouchers."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from lms.accounts.models import User
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.models import AuditEntry
from lms.core.text import fold, search_words
from lms.courses.models import Course, CourseRun, Enrolment
from lms.payments.basket_models import BasketLine
from lms.payments.credit_models import CreditBalance
from lms.payments.models import (
    OPEN,
    SETTLED,
    Order,
    Payment,
    PaymentException,
    Purchase,
    Receipt,
    Refund,
    RefundState,
    Voucher,
    WebhookEvent,
)
from lms.payments.products import PLACE
from lms.payments.queries.cards import paid_with_other_card
from lms.pricing.models import Quote


def get_run(key: uuid.UUID) -> CourseRun:
    """The course run with this uuid, with its course. Raises NotFound."""
    run = db.session.scalar(
        select(CourseRun).where(CourseRun.uuid == key).options(joinedload(CourseRun.course))
    )
    if run is None:
        raise NotFound
    return run


def courses_sold() -> Sequence[Course]:
    """Courses of which an order was ever made."""
    sold = select(CourseRun.course_id).where(CourseRun.id.in_(select(Order.run_id)))
    return db.session.scalars(select(Course).where(Course.id.in_(sold)).order_by(Course.slug)).all()


def _with_run(statement: Select[Order]) -> Select[Order]:
    return statement.options(
        joinedload(Order.run).joinedload(CourseRun.course),
        joinedload(Order.user),
        joinedload(Order.receipt),
    )


def find_order(key: uuid.UUID) -> Order | None:
    """The order with this uuid."""
    return db.session.scalar(_with_run(select(Order).where(Order.uuid == key)))


def get_order(key: uuid.UUID) -> Order:
    """The order with this uuid. Raises NotFound."""
    order = find_order(key)
    if order is None:
        raise NotFound
    return order


def find_open_order(run: CourseRun, user: User) -> Order | None:
    """The person's order for a place in the run that waits to be paid; there is at most one."""
    return db.session.scalar(
        select(Order).where(
            Order.product == PLACE,
            Order.run_id == run.id,
            Order.user_id == user.id,
            Order.state.in_(OPEN),
        )
    )


def find_open_item(product: str, item: uuid.UUID, user: User) -> Order | None:
    """The person's order for something else that waits for its payment; there is at most one."""
    return db.session.scalar(
        select(Order).where(
            Order.product == product,
            Order.item == item,
            Order.user_id == user.id,
            Order.state.in_(OPEN),
        )
    )


def find_settled_item(product: str, item: uuid.UUID) -> Order | None:
    """The order by which this was paid, be it that a part went back."""
    return db.session.scalar(
        select(Order)
        .where(Order.product == product, Order.item == item, Order.state.in_(SETTLED))
        .order_by(Order.id)
        .limit(1)
    )


def orders_from(quote: Quote) -> Sequence[Order]:
    """The orders that were placed from a quote: one, and those that it replaced."""
    return db.session.scalars(select(Order).where(Order.quote_id == quote.id)).all()


def find_enrolment(run_id: int, user_id: int) -> Enrolment | None:
    """The person's enrolment in the run."""
    return db.session.scalar(
        select(Enrolment).where(Enrolment.run_id == run_id, Enrolment.user_id == user_id)
    )


def find_payment(gateway: str, reference: str) -> Payment | None:
    """The payment that the gateway knows by this reference."""
    return db.session.scalar(
        select(Payment).where(Payment.gateway == gateway, Payment.reference == reference)
    )


def find_payments(gateway: str, reference: str) -> Sequence[Payment]:
    """What the gateway knows as one payment: one row, or a part for each order of a purchase."""
    parts = reference.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "/%"
    return db.session.scalars(
        select(Payment)
        .where(
            Payment.gateway == gateway,
            or_(Payment.reference == reference, Payment.reference.like(parts, escape="\\")),
        )
        .order_by(Payment.id)
    ).all()


def find_purchase(key: uuid.UUID) -> Purchase | None:
    """The purchase with this uuid, with its orders."""
    return db.session.scalar(
        select(Purchase)
        .where(Purchase.uuid == key)
        .options(selectinload(Purchase.orders).joinedload(Order.run).joinedload(CourseRun.course))
    )


def get_purchase(key: uuid.UUID) -> Purchase:
    """The purchase with this uuid. Raises NotFound."""
    purchase = find_purchase(key)
    if purchase is None:
        raise NotFound
    return purchase


def basket_of(user: User) -> Sequence[BasketLine]:
    """What lies in the person's basket, in the order in which it was put there."""
    return db.session.scalars(
        select(BasketLine)
        .where(BasketLine.user_id == user.id)
        .options(joinedload(BasketLine.run).joinedload(CourseRun.course))
        .order_by(BasketLine.id)
    ).all()


def get_payment(payment_id: int) -> Payment:
    """The payment with this id. Raises NotFound."""
    payment = db.session.get(Payment, payment_id)
    if payment is None:
        raise NotFound
    return payment


def payments_of(order: Order) -> Sequence[Payment]:
    """All money received for the order, as it is in the database now."""
    return db.session.scalars(
        select(Payment)
        .where(Payment.order_id == order.id)
        .order_by(Payment.id)
        .execution_options(populate_existing=True)
    ).all()


def carries_enrolment(order: Order) -> bool:
    """Whether somebody studies because of this order: a payment of it did what payments do."""
    return (
        db.session.scalar(
            select(Payment.id)
            .where(Payment.order_id == order.id, Payment.exception.is_(None))
            .limit(1)
        )
        is not None
    )


def kept_for(order: Order) -> int:
    """Minor units that came in for the order, in its currency, and did not go back."""
    came = db.session.scalar(
        select(func.coalesce(func.sum(Payment.amount_minor), 0)).where(
            Payment.order_id == order.id,
            Payment.currency == order.currency,
            or_(Payment.exception.is_(None), Payment.exception != PaymentException.AMOUNT_DIFFERS),
        )
    )
    went = db.session.scalar(
        select(func.coalesce(func.sum(Refund.amount_minor), 0))
        .join(Payment, Payment.id == Refund.payment_id)
        .where(
            Refund.order_id == order.id,
            Refund.state == RefundState.DONE,
            Payment.currency == order.currency,
            or_(Payment.exception.is_(None), Payment.exception != PaymentException.AMOUNT_DIFFERS),
        )
    )
    return int(came or 0) - int(went or 0)


def find_refund(key: uuid.UUID) -> Refund | None:
    """The refund with this uuid."""
    return db.session.scalar(select(Refund).where(Refund.uuid == key))


def get_refund(refund_id: int) -> Refund:
    """The refund with this id. Raises NotFound."""
    refund = db.session.get(Refund, refund_id)
    if refund is None:
        raise NotFound
    return refund


def get_voucher(voucher_id: int) -> Voucher:
    """The voucher with this id. Raises NotFound."""
    voucher = db.session.get(Voucher, voucher_id)
    if voucher is None:
        raise NotFound
    return voucher


def list_orders_of(user: User) -> Select[Order]:
    """The person's orders, newest first."""
    return _with_run(
        select(Order)
        .where(Order.user_id == user.id)
        .order_by(Order.created_at.desc(), Order.id.desc())
    )


def settled_orders_of(user: User) -> Sequence[Order]:
    """What the person has paid for."""
    return db.session.scalars(
        _with_run(
            select(Order)
            .where(Order.user_id == user.id, Order.state.in_(SETTLED))
            .order_by(Order.id)
        )
    ).all()


def list_orders(
    *,
    words: str = "",
    state: str = "",
    gateway: str = "",
    currency: str = "",
    course_id: int | None = None,
    run_id: int | None = None,
    country: str = "",
    has_other_card: bool = False,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Select[Order]:
    """Orders for administrators, newest first. since, until: when made; until is excluded.

    course_id: 0 for orders that are for no course. has_other_card: paid with a card of another
    country than its buyer declared.
    """
    found = select(Order).order_by(Order.created_at.desc(), Order.id.desc())
    if words.strip():
        found = found.where(_matches(words.strip()))
    if state:
        found = found.where(Order.state == state)
    if gateway:
        found = found.where(Order.gateway == gateway)
    if currency:
        found = found.where(Order.currency == currency)
    if country:
        found = found.where(Order.country == country)
    if has_other_card:
        found = found.where(paid_with_other_card())
    if run_id is not None:
        found = found.where(Order.run_id == run_id)
    if course_id is not None:
        of_course = Order.run_id.in_(select(CourseRun.id).where(CourseRun.course_id == course_id))
        found = found.where(of_course if course_id else Order.run_id.is_(None))
    if since is not None:
        found = found.where(Order.created_at >= since)
    if until is not None:
        found = found.where(Order.created_at < until)
    return _with_run(found)


def _matches(words: str) -> Any:
    """By number, receipt, payment reference, name or address of the buyer, course."""
    inside = "%" + words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    buyers = select(User.id).where(
        or_(
            User.name.ilike(inside, escape="\\"),
            User.email_folded.like(inside.casefold(), escape="\\"),
        )
    )
    paid = select(Payment.order_id).where(Payment.reference.ilike(inside, escape="\\"))
    runs = (
        select(CourseRun.id)
        .join(Course)
        .where(Course.search_text.like(f"%{fold(words)}%"), Course.search_text != "")
    )
    ways: list[Any] = [
        Order.number.ilike(inside, escape="\\"),
        Order.user_id.in_(buyers),
        Order.id.in_(paid),
        Order.run_id.in_(runs),
    ]
    prefix, _, rest = words.upper().partition("-")
    year, _, sequence = rest.partition("-")
    if prefix == "R" and year.isdecimal() and sequence.isdecimal():
        ways.append(
            Order.id.in_(
                select(Receipt.order_id).where(
                    Receipt.year == int(year), Receipt.sequence == int(sequence)
                )
            )
        )
    with suppress(ValueError):
        ways.append(Order.uuid == uuid.UUID(words))
    return or_(*ways)


def list_vouchers(words: str = "") -> Select[Voucher]:
    """Vouchers by code or label, newest first."""
    found = (
        select(Voucher)
        .options(
            joinedload(Voucher.course),
            joinedload(Voucher.run).joinedload(CourseRun.course),
            joinedload(Voucher.made_by),
        )
        .order_by(Voucher.created_at.desc(), Voucher.id.desc())
    )
    if words.strip():
        code = Voucher.fold_code(words)
        ways = [Voucher.label.ilike(f"%{words.strip()}%")]
        if code:
            ways.append(Voucher.code_folded.like(f"%{code}%"))
        found = found.where(or_(*ways))
    return found


def facts_for_messages(order: Order) -> dict[str, Any]:
    """What messages about an order say, as JSON; enough to write them in any language."""
    return {
        "order": str(order.uuid),
        "number": order.number,
        "course": order.title,
        "product": order.product,
        "total": [order.total_minor, order.currency],
        "asked": [order.asked.minor, order.currency],
        "until": order.expires_at.isoformat() if order.expires_at else None,
    }


@dataclass(frozen=True)
class TimelineEntry:
    """Something that happened with an order. kind: a word that the page turns into a sentence."""

    at: datetime
    kind: str
    subject: Any


def timeline(order: Order) -> list[TimelineEntry]:
    """All that happened with an order, in order of time."""
    entries = [TimelineEntry(order.created_at, "created", order)]
    if order.paid_at is not None:
        entries.append(TimelineEntry(order.paid_at, "paid", order))
    if order.receipt is not None:
        entries.append(TimelineEntry(order.receipt.issued_at, "receipt", order.receipt))
    for payment in order.payments:
        entries.append(TimelineEntry(payment.received_at, "payment", payment))
    for refund in order.refunds:
        entries.append(TimelineEntry(refund.created_at, "refund_requested", refund))
        if refund.done_at is not None:
            entries.append(TimelineEntry(refund.done_at, "refund_done", refund))
    for event in db.session.scalars(select(WebhookEvent).where(WebhookEvent.order_id == order.id)):
        entries.append(TimelineEntry(event.received_at, "message", event))
    for entry in db.session.scalars(
        select(AuditEntry).where(
            AuditEntry.subject_kind == Order.__tablename__, AuditEntry.subject_id == str(order.id)
        )
    ):
        entries.append(TimelineEntry(entry.at, "act", entry))
    return sorted(entries, key=lambda entry: entry.at)


def list_credits(words: str = "") -> Select[CreditBalance]:
    """Who has credit, by name."""
    found = (
        select(CreditBalance)
        .join(CreditBalance.user)
        .where(CreditBalance.balance_minor > 0)
        .options(contains_eager(CreditBalance.user))
        .order_by(User.search_text, CreditBalance.currency)
    )
    for word in search_words(words):
        found = found.where(User.search_text.contains(word, autoescape=True))
    return found


def get_credit(user_id: int, currency: str) -> CreditBalance:
    """The credit of a person in a currency, also when it is used up. Raises NotFound."""
    found = db.session.get(CreditBalance, (user_id, currency))
    if found is None:
        raise NotFound
    return found
