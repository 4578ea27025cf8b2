"""Is the credit of each person what the ledger says?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import func, select

from lms.core.db import db
from lms.core.money import Money
from lms.ledger.accounts import Account
from lms.ledger.checks import LedgerCheck, Unexplained
from lms.ledger.kinds import Difference
from lms.ledger.queries import balances
from lms.payments.credit_models import CreditBalance, CreditMovement
from lms.payments.models import OPEN, Order, OrderCredit


def _credits() -> Iterable[Unexplained]:
    """What people have, with what open orders hold of it, is what the ledger owes them."""
    held: dict[tuple[str, str], int] = defaultdict(int)
    rows = db.session.execute(
        select(CreditBalance.user_id, CreditBalance.currency, CreditBalance.balance_minor)
    )
    moved = db.session.execute(
        select(
            CreditMovement.user_id, CreditMovement.currency, func.sum(CreditMovement.amount_minor)
        ).group_by(CreditMovement.user_id, CreditMovement.currency)
    )
    sums = {(user, currency): int(minor) for user, currency, minor in moved}
    for user, currency, minor in rows:
        account = Account.CREDIT.of(user)
        held[account, currency] += minor
        more = minor - sums.get((user, currency), 0)
        if more:
            yield Unexplained(Difference.CREDIT, account, Money(more, currency))
    in_orders = db.session.execute(
        select(Order.user_id, Order.currency, func.sum(OrderCredit.amount_minor))
        .join(OrderCredit, OrderCredit.order_id == Order.id)
        .where(OrderCredit.is_held, Order.state.in_(OPEN))
        .group_by(Order.user_id, Order.currency)
    )
    for user, currency, minor in in_orders:
        held[Account.CREDIT.of(user), currency] += int(minor)
    told = {
        (one.account, one.currency): one.amount.minor
        for one in balances()
        if one.account.startswith(f"{Account.CREDIT.value}:")
    }
    for account, currency in sorted(told.keys() | held.keys()):
        more = told.get((account, currency), 0) - held.get((account, currency), 0)
        if more:
            yield Unexplained(Difference.CREDIT, account, Money(more, currency))


CHECKS = [LedgerCheck("credits", _credits)]
