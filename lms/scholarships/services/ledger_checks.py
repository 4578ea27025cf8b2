"""Do funds agree with the ledger, and with their awards?"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, select

from lms.core.db import db
from lms.core.money import Money
from lms.ledger.accounts import Account
from lms.ledger.checks import LedgerCheck, Unexplained
from lms.ledger.kinds import Difference
from lms.ledger.models import LedgerPosting
from lms.scholarships.models import Application, Fund


def _balances() -> Iterable[Unexplained]:
    """Each fund holds what the ledger says, and the ledger knows no other fund."""
    told = {
        (account, currency): -int(minor)
        for account, currency, minor in db.session.execute(
            select(
                LedgerPosting.account,
                LedgerPosting.currency,
                func.sum(LedgerPosting.amount_minor),
            )
            .where(LedgerPosting.account.startswith(f"{Account.FUND.value}:"))
            .group_by(LedgerPosting.account, LedgerPosting.currency)
        )
    }
    held = {(fund.account, fund.currency): fund.balance_minor for fund in _funds()}
    for account, currency in sorted(told.keys() | held.keys()):
        more = told.get((account, currency), 0) - held.get((account, currency), 0)
        if more:
            yield Unexplained(Difference.FUND, account, Money(more, currency))


def _reserves() -> Iterable[Unexplained]:
    held = db.session.execute(
        select(Application.fund_id, func.sum(Application.reserved_minor)).group_by(
            Application.fund_id
        )
    )
    awarded = {fund_id: int(minor) for fund_id, minor in held}
    for fund in _funds():
        more = awarded.get(fund.id, 0) - fund.reserved_minor
        if more:
            yield Unexplained(Difference.RESERVE, fund.account, Money(more, fund.currency))


def _funds() -> Iterable[Fund]:
    return db.session.scalars(select(Fund).order_by(Fund.id)).all()


CHECKS = [LedgerCheck("funds", _balances), LedgerCheck("awards", _reserves)]
