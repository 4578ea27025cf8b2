"""Credit of buyers: given by refunds, held and used by orders, paid out. Never overdrawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import joinedload

from lms.accounts.models import User
from lms.core import clock
from lms.core.audit import record
from lms.core.db import db, insert_if_new
from lms.core.money import Money
from lms.core.settings import settings
from lms.ledger.accounts import Account
from lms.ledger.kinds import EntryKind
from lms.ledger.services.entries import post
from lms.payments.credit_models import CreditBalance, CreditKind, CreditMovement
from lms.payments.errors import CreditGone
from lms.payments.models import Order, OrderCredit, Refund


def balances_of(user: User) -> Sequence[CreditBalance]:
    """What the person has, by currency."""
    return db.session.scalars(
        select(CreditBalance)
        .where(CreditBalance.user_id == user.id, CreditBalance.balance_minor > 0)
        .order_by(CreditBalance.currency)
    ).all()


def usable(user: User, total: Money, before: Order | None = None) -> Money:
    """How much of a total the person's credit can pay.

    before: an open order for the same, whose part becomes free when another takes its place.
    """
    found = db.session.get(CreditBalance, (user.id, total.currency))
    has = found.balance_minor if found else 0
    if before is not None and before.currency == total.currency:
        has += held_for(before).minor
    return Money(min(has, total.minor), total.currency)


def movements_of(user: User) -> Sequence[CreditMovement]:
    """How the person's credit came about, the newest first."""
    return db.session.scalars(
        select(CreditMovement)
        .where(CreditMovement.user_id == user.id)
        .options(joinedload(CreditMovement.order))
        .order_by(CreditMovement.id.desc())
        .limit(100)
    ).all()


def _change(user_id: int, amount: Money, kind: CreditKind, **details: Any) -> CreditMovement:
    """Add to the balance, or take from it in one conditional UPDATE. Raises CreditGone."""
    insert_if_new(CreditBalance, user_id=user_id, currency=amount.currency, balance_minor=0)
    changed: Any = db.session.execute(
        update(CreditBalance)
        .where(
            CreditBalance.user_id == user_id,
            CreditBalance.currency == amount.currency,
            CreditBalance.balance_minor + amount.minor >= 0,
        )
        .values(balance_minor=CreditBalance.balance_minor + amount.minor)
        .execution_options(synchronize_session="fetch")
    )
    if not changed.rowcount:
        raise CreditGone
    movement = CreditMovement(
        user_id=user_id,
        currency=amount.currency,
        amount_minor=amount.minor,
        kind=kind,
        **details,
    )
    db.session.add(movement)
    db.session.flush()
    return movement


def give(refund: Refund) -> None:
    """A refund is kept for the buyer as credit."""
    _change(
        refund.order.user_id,
        refund.amount,
        CreditKind.REFUND,
        order_id=refund.order_id,
        refund_id=refund.id,
    )


def hold(order: Order, amount: Money) -> None:
    """Take the part of an order that credit pays, until it is paid or closed. Raises CreditGone."""
    _change(order.user_id, -amount, CreditKind.USED, order_id=order.id)
    db.session.add(OrderCredit(order=order, amount_minor=amount.minor))
    db.session.flush()


def held_for(order: Order) -> Money:
    """The part of an order that credit pays."""
    used = order.credit_use
    return Money(used.amount_minor if used else 0, order.currency)


def release(order: Order) -> None:
    """The order came to nothing: its part is the buyer's again. Safe to repeat."""
    used = order.credit_use
    if used is None or not used.is_held:
        return
    used.is_held = False
    _change(order.user_id, held_for(order), CreditKind.RELEASED, order_id=order.id)


def retake(order: Order) -> bool:
    """Hold the part again for an order that was paid late; False when it is used elsewhere."""
    used = order.credit_use
    if used is None or used.is_held:
        return True
    try:
        _change(order.user_id, -held_for(order), CreditKind.USED, order_id=order.id)
    except CreditGone:
        return False
    used.is_held = True
    db.session.flush()
    return True


def pay_out(user: User, amount: Money, reference: str, by: User) -> None:
    """An administrator sent credit to the person's bank. Raises CreditGone."""
    if amount.minor <= 0:
        raise CreditGone
    movement = _change(user.id, -amount, CreditKind.PAID_OUT, reference=reference, by_id=by.id)
    post(
        EntryKind.CREDIT_PAID,
        f"credit:{movement.id}",
        clock.local_date(clock.now(), settings().default_time_zone),
        {Account.CREDIT.of(user.id): amount, Account.BANK: -amount},
        rail="credit",
        reason=reference,
    )
    record("payments.pay_credit_out", user, by.id, amount=amount.minor, currency=amount.currency)
