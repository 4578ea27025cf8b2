"""Parts of an order that are due on days: covered by money, taken back, written off.

Money covers the parts in their order, whatever it was sent for. All follows from four sums: what
came in and was kept, what was waived, what was written off, and what the parts add up to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from lms.accounts.models import User
from lms.core import clock
from lms.core.audit import record
from lms.core.db import db
from lms.core.money import Money
from lms.core.settings import settings
from lms.ledger.kinds import EntryKind
from lms.ledger.queries import find_entry
from lms.payments.due_models import Due, Relief, ReliefKind
from lms.payments.errors import NothingOwed
from lms.payments.gateways.base import payment_gateways
from lms.payments.models import Order, OrderState, Payment, Refund, RefundReason
from lms.payments.products import product_of
from lms.payments.queries import dues as queries
from lms.payments.services.bookkeeping import book_bad_debt_back, book_relief
from lms.payments.services.orders import lock_order

TRANSFER = "bank_transfer"  # what is sent for an invoice, and for parts after one by card


@dataclass(frozen=True)
class Part:
    """An amount and its day."""

    due_on: date
    amount: Money


def spread(total: Money, plan: Sequence[tuple[int, date | None]], day: date) -> list[Part]:
    """A total in parts, to the minor unit: percentages rounded down, the last takes the rest.

    plan: percentage and day of each, None for at once. What is due by `day` is paid at once, and a
    part of nothing is none.
    """
    amounts = [total.minor * percent // 100 for percent, _due_on in plan]
    if not amounts:
        return []
    amounts[-1] = total.minor - sum(amounts[:-1])
    at_once, later = 0, []
    for minor, (_percent, due_on) in zip(amounts, plan, strict=True):
        if due_on is None or due_on <= day:
            at_once += minor
        elif minor:
            later.append(Part(due_on, Money(minor, total.currency)))
    return [Part(day, Money(at_once, total.currency)), *later] if at_once else later


def keep_parts(order: Order, parts: Sequence[Part]) -> None:
    """Let an order that is not delivered yet be due in these parts; they add up to its total."""
    for due in queries.dues_of(order):
        db.session.delete(due)
    db.session.flush()
    for position, part in enumerate(parts, 1):
        db.session.add(
            Due(
                order=order,
                position=position,
                due_on=part.due_on,
                currency=order.currency,
                amount_minor=part.amount.minor,
            )
        )
    db.session.flush()


def accepts(order: Order, amount: Money) -> bool:
    """Whether this amount is what an order asks for now: a transfer may pay a part of what is due.

    What was written off may be paid after all.
    """
    if order.state != OrderState.OWED:
        return amount == order.asked
    parts = queries.dues_of(order)
    most = sum(due.open_minor + due.lost_minor for due in parts)
    return amount.currency == order.currency and 0 < amount.minor <= most


def transfer_gateway(order: Order) -> str:
    """By which way to pay a transfer for an order is confirmed: its own, where that is one."""
    gateway = payment_gateways.get(order.gateway or "")
    if order.state != OrderState.OWED and not (gateway and gateway.is_on_account):
        return order.gateway or ""
    is_own = gateway is not None and gateway.refunds_by_hand and not gateway.is_on_account
    return order.gateway or "" if is_own else TRANSFER


def is_for_parts(order: Order, payment: Payment, due: Due | None) -> bool:
    """Whether money for a delivered order pays its parts; else it came twice.

    Who pays on a page pays that page once: on the order's own the first part, which is paid.
    """
    gateway = payment_gateways.get(payment.gateway)
    is_on_page = gateway is None or not gateway.refunds_by_hand
    return accepts(order, payment.amount) and (due is not None or not is_on_page)


def take(order: Order, payment: Payment) -> None:
    """Let money cover the parts. What was written off and is paid after all is not lost."""
    more = payment.amount_minor - queries.owed_of(order)
    if more > 0:
        left = more
        for due in queries.dues_of(order):
            back = min(due.lost_minor, left)
            due.lost_minor -= back
            left -= back
        db.session.flush()
        book_bad_debt_back(payment, Money(more, order.currency))
    follow(order)


def follow(order: Order) -> None:
    """Let parts, state and access say what the money says. Safe to repeat."""
    _cover(order)
    parts = queries.dues_of(order)
    lost = sum(due.lost_minor for due in parts)
    if lost or any(due.open_minor for due in parts):
        order.state, order.paid_at = OrderState.OWED, None
    elif not any(due.waived_minor for due in parts):
        order.state, order.paid_at = OrderState.PAID, order.paid_at or clock.now()
    elif any(due.paid_minor for due in parts):
        order.state = OrderState.PARTIALLY_REFUNDED
        order.paid_at = order.paid_at or clock.now()
    else:
        order.state = OrderState.REFUNDED if order.payments else OrderState.CANCELLED
    db.session.flush()
    follow_access(order)


def _cover(order: Order) -> None:
    left = queries.kept_in_parts(order)
    for due in queries.dues_of(order):
        due.paid_minor = min(left, due.amount_minor - due.waived_minor - due.lost_minor)
        left -= due.paid_minor
    db.session.flush()


def follow_access(order: Order) -> None:
    """Close what is late, open what is paid; the certificate waits for the last instalment.

    An organisation that is late with its invoice keeps its access until the rest is written off.
    """
    if not order.is_delivered:
        return
    parts, today = queries.dues_of(order), queries.today()
    is_in_parts = order.first_minor is not None
    lost = any(due.lost_minor for due in parts)
    limit = settings().pause_after_days
    late = is_in_parts and any(due.open_minor and due.days_late(today) > limit for due in parts)
    is_owed = is_in_parts and order.state == OrderState.OWED
    product_of(order).note_owed(order, is_owed=is_owed, is_late=lost or late)


def _take_off(order: Order, minor: int) -> None:
    """Ask for so much less: of the last part first."""
    for due in reversed(queries.dues_of(order)):
        part = min(due.open_minor, minor)
        due.waived_minor += part
        minor -= part
    db.session.flush()


def drop(order: Order) -> None:
    """What was paid for cannot be had: nothing of an order without a sale is asked for."""
    for due in queries.dues_of(order):
        due.waived_minor = due.amount_minor - due.paid_minor - due.lost_minor
    db.session.flush()


def waive(order: Order, minor: int, reason: str, by: User | None = None) -> None:
    """Take back so much of a sale as is not paid yet. The caller holds the order's lock."""
    if minor <= 0:
        return
    relief = _relief(order, ReliefKind.WAIVED, minor, reason, by)
    _take_off(order, minor)
    book_relief(relief)
    follow(order)


def write_off(order: Order, reason: str, by: User) -> None:
    """Nobody believes that the rest will be paid: it is lost, and access is closed.

    Raises NothingOwed.
    """
    order = lock_order(order)
    minor = queries.owed_of(order)
    if order.state != OrderState.OWED or not minor:
        raise NothingOwed
    relief = _relief(order, ReliefKind.LOST, minor, reason, by)
    for due in queries.dues_of(order):
        due.lost_minor += due.open_minor
    db.session.flush()
    book_relief(relief)
    follow(order)
    record("payments.write_off", order, by.id, amount=minor, currency=order.currency)


def _relief(order: Order, kind: ReliefKind, minor: int, reason: str, by: User | None) -> Relief:
    relief = Relief(
        order=order,
        kind=kind,
        currency=order.currency,
        amount_minor=minor,
        reason=reason,
        by_id=by.id if by else None,
    )
    db.session.add(relief)
    db.session.flush()
    return relief


def note_refund(refund: Refund) -> None:
    """Money went back, so the parts that it had paid are not asked for any more.

    Those that a buyer's bank took back are: the buyer has what was bought.
    """
    order = refund.order
    if not queries.has_parts(order) or refund.payment.exception is not None:
        return
    before = queries.owed_of(order)
    _cover(order)
    if refund.reason != RefundReason.DISPUTE_LOST:
        _take_off(order, queries.owed_of(order) - before)


def note_failed_refund(refund: Refund) -> None:
    """A refund did not arrive: what it took off is asked for again, and is paid."""
    order, source = refund.order, f"refund:{refund.id}"
    was_done = find_entry(source, EntryKind.REFUND) and not find_entry(
        source, EntryKind.REFUND_FAILED
    )
    if not was_done or not queries.has_parts(order) or refund.payment.exception is not None:
        return
    if refund.reason != RefundReason.DISPUTE_LOST:
        left = refund.amount_minor
        for due in queries.dues_of(order):
            back = min(due.waived_minor, left)
            due.waived_minor -= back
            left -= back
        db.session.flush()
    _cover(order)
