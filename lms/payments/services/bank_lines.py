"""Lines of the bank that were not sure: matched by hand with a reason, or found again later."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _
from sqlalchemy import select, update

from lms.accounts.models import User
from lms.core import clock
from lms.core.audit import record
from lms.core.db import db
from lms.core.settings import settings
from lms.ledger.accounts import Account
from lms.ledger.kinds import EntryKind
from lms.ledger.services.entries import post
from lms.payments.bank_models import BankAccount, BankLine
from lms.payments.errors import MovementExplained, NotToBeMatched
from lms.payments.gateways.base import MovementKind, part_reference
from lms.payments.models import Order, Payment, Refund
from lms.payments.movement_models import GatewayMovement, MovementState
from lms.payments.queries import bank as queries
from lms.payments.services import payments, purchases, refunds
from lms.payments.services.bank_landing import payment_reference
from lms.payments.services.bank_matching import order_numbers
from lms.payments.services.orders import lock_order


def find_order(text: str) -> Order:
    """The order that a person means. Raises NotToBeMatched."""
    numbers = order_numbers(text) or [text.strip().upper()]
    order = queries.orders_by_number(numbers[:1]).get(numbers[0])
    if order is None:
        raise NotToBeMatched
    return order


def match_by_hand(line: BankLine, order: Order, reason: str, by: User) -> None:
    """A person says which order a line belongs to: its payment, or a refund that was sent.

    A payment of another amount is kept and nobody enrolled, as with any other way to pay; one for
    an order that was paid before is to be given back; the sum of orders that are bought at once
    pays each. Raises NotToBeMatched, MovementExplained.
    """
    amount = line.movement.amount
    if order.purchase is not None:  # what was bought at once is locked before one looks at it
        purchases.lock_purchase(order.purchase)
    order = lock_order(order)
    together = purchases.paid_by(order, amount)
    if len(together) > 1:
        _match_all(line, together, reason, by)
        return
    refund = None if amount.minor > 0 else _refund_for(line, order)
    row = _take(line, MovementState.MATCHED, reason)
    if refund is None:
        payment = _payment_for(line, order, by)
        row.payment, row.kind = payment, MovementKind.PAYMENT
        _settle(line, f"payment:{payment.id}", EntryKind.PAYMENT)
    else:
        refunds.settle_by_hand(refund, row.source or row.reference, by)
        row.refund, row.payment, row.kind = refund, refund.payment, MovementKind.REFUND
        _settle(line, f"refund:{refund.id}", EntryKind.REFUND)
    record("payments.match_bank_line", row, by.id, order=order.id)
    db.session.flush()


def _match_all(line: BankLine, orders: Sequence[Order], reason: str, by: User) -> None:
    """A line that pays several orders is as many lines, as if the file had said so."""
    row = _take(line, MovementState.MATCHED, reason)
    is_ours = line.account.organisation_id is None
    if is_ours:
        _take_back(line)
    whole = row.reference
    for part, order in enumerate(orders, 1):
        own = line if part == 1 else _another_part(line, part_reference(whole, part))
        own.movement.amount_minor = order.total_minor
        number = payment_reference(line.account, row.source, own.movement.reference, part)
        payment = payments.take_payment(order, line.account.gateway, number, order.total, by)
        own.movement.payment, own.movement.kind = payment, MovementKind.PAYMENT
        if is_ours:
            own.entry_id = queries.entry_id_of(f"payment:{payment.id}", EntryKind.PAYMENT)
        record("payments.match_bank_line", own.movement, by.id, order=order.id)
    db.session.flush()


def _another_part(line: BankLine, reference: str) -> BankLine:
    """The same line once more, of another order; its amount is set by the caller."""
    row = line.movement
    told = ("gateway", "kind", "category", "source", "currency", "fee_minor", "happened_at",
            "available_at", "state", "owner_id", "explanation", "explained_at")  # fmt: skip
    movement = GatewayMovement(
        reference=reference, amount_minor=0, **{name: getattr(row, name) for name in told}
    )
    db.session.add(movement)
    db.session.flush()
    said = ("import_id", "account_id", "line", "day", "text", "name", "why")
    another = BankLine(movement=movement, **{name: getattr(line, name) for name in said})
    db.session.add(another)
    db.session.flush()
    return another


def _take(line: BankLine, to: MovementState, reason: str) -> GatewayMovement:
    """Close an open line, once. Raises MovementExplained."""
    row = line.movement
    changed = db.session.execute(
        update(GatewayMovement)
        .where(GatewayMovement.id == row.id, GatewayMovement.state == MovementState.OPEN)
        .values(state=to, explanation=reason, explained_at=clock.now())
        .execution_options(synchronize_session=False)
        .returning(GatewayMovement.id)
    ).first()
    if changed is None:
        raise MovementExplained
    db.session.refresh(row)
    return row


def _payment_for(line: BankLine, order: Order, by: User) -> Payment:
    gateway, amount = line.account.gateway, line.movement.amount
    for payment in queries.payments_without_line([order.id], gateway).get(order.id, ()):
        if payment.amount == amount:
            return payment
    reference = payment_reference(line.account, line.movement.source, line.movement.reference)
    return payments.take_payment(order, gateway, reference, amount, by)


def _refund_for(line: BankLine, order: Order) -> Refund:
    for refund in queries.asked_refunds([order.id], line.account.gateway).get(order.id, ()):
        if refund.amount == -line.movement.amount:
            return refund
    raise NotToBeMatched(_("No refund of this amount waits to be sent on this order."))


def _settle(line: BankLine, source: str, kind: EntryKind) -> None:
    """The entry of the fact tells the line now: what stood for it is taken back."""
    if line.account.organisation_id is None:
        _take_back(line)
        line.entry_id = queries.entry_id_of(source, kind)


def _take_back(line: BankLine) -> None:
    amount = line.movement.amount
    post(
        EntryKind.EXPLAINED,
        f"movement:{line.movement_id}",
        clock.local_date(clock.now(), settings().default_time_zone),
        {Account.SUSPENSE: amount, Account.BANK: -amount},
        rail=line.account.gateway,
        reason=line.movement.explanation,
    )


def match_again() -> int:
    """Tie open lines to what the ledger was told since, such as a payout; how many were found."""
    accounts = db.session.scalars(
        select(BankAccount).where(BankAccount.organisation_id.is_(None)).order_by(BankAccount.id)
    ).all()
    return sum(_match_again(account) for account in accounts)


def _match_again(account: BankAccount) -> int:
    lines = queries.open_lines(account)
    if not lines:
        return 0
    days = [line.day for line in lines]
    untold = queries.untold_entries(
        account.currency, min(days) - queries.AFTER, max(days) + queries.BEFORE
    )
    untold = [entry for entry in untold if entry.kind != EntryKind.PAYMENT]
    found = 0
    for line in lines:
        fitting = [entry for entry in untold if entry.fits(line.day, line.movement.amount_minor)]
        if not fitting:
            continue
        untold.remove(fitting[0])
        _take(line, MovementState.MATCHED, "")
        _take_back(line)
        line.why, line.entry_id = None, fitting[0].id
        found += 1
    db.session.flush()
    return found
