"""Funds: made, changed, paid into; what they hold moves in one place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select, update

from lms.accounts.models import User
from lms.core.audit import record
from lms.core.db import ByLanguage, db, insert_if_new
from lms.core.money import Money
from lms.ledger.accounts import Account
from lms.ledger.kinds import EntryKind
from lms.ledger.services.entries import post
from lms.scholarships.criteria import Criteria
from lms.scholarships.errors import KeyTaken, ReferenceKnown
from lms.scholarships.models import Fund, FundPayment


@dataclass(frozen=True)
class FundTerms:
    """What a fund is for. percents: that may be awarded, 1..100."""

    name: ByLanguage
    description: ByLanguage
    donor: str
    shows_donor: bool
    criteria: Criteria
    percents: tuple[int, ...]
    opens_on: date
    closes_on: date | None = None


def make_fund(key: str, currency: str, terms: FundTerms, by: User) -> Fund:
    """Make a fund, empty at first. Raises KeyTaken."""
    account = Account.FUND.of(key)
    if any(account == Account.FUND.of(known) for known in db.session.scalars(select(Fund.key))):
        raise KeyTaken
    fund = Fund(key=key, currency=currency, made_by_id=by.id, **_columns(terms))
    db.session.add(fund)
    record("scholarships.make_fund", fund, by.id, currency=currency)
    return fund


def change_fund(fund: Fund, terms: FundTerms, by: User) -> None:
    """Change what a fund is for; what was awarded stays as it is."""
    for name, value in _columns(terms).items():
        setattr(fund, name, value)
    record("scholarships.change_fund", fund, by.id)


def _columns(terms: FundTerms) -> dict[str, Any]:
    return {
        "name": terms.name,
        "description": terms.description,
        "donor": terms.donor,
        "shows_donor": terms.shows_donor,
        "criteria_kept": terms.criteria.as_json(),
        "percents": sorted(terms.percents),
        "opens_on": terms.opens_on,
        "closes_on": terms.closes_on,
    }


def pay_in(fund: Fund, amount: Money, received_on: date, reference: str, by: User) -> None:
    """Note money that the donor sent to the bank. Raises ReferenceKnown."""
    is_new = insert_if_new(
        FundPayment,
        fund_id=fund.id,
        received_on=received_on,
        amount_minor=amount.minor,
        reference=reference,
        made_by_id=by.id,
    )
    if not is_new:
        raise ReferenceKnown
    payment = db.session.scalars(
        select(FundPayment).where(
            FundPayment.fund_id == fund.id, FundPayment.reference == reference
        )
    ).one()
    post(
        EntryKind.FUND_PAID_IN,
        f"fund_payment:{payment.id}",
        received_on,
        {Account.BANK: amount, fund.account: -amount},
        about=f"fund:{fund.key}",
    )
    move(fund, balance=amount.minor)
    record("scholarships.pay_in", fund, by.id, amount=amount.minor, currency=amount.currency)


def move(fund: Fund, *, balance: int = 0, reserved: int = 0) -> bool:
    """Change what a fund holds and reserves; False when it would be overdrawn.

    One statement, which locks the fund's row: of many at once each sees what the others left, and
    the row's own CHECK refuses what would come past this function.
    """
    moved: Any = db.session.execute(
        update(Fund)
        .where(
            Fund.id == fund.id,
            Fund.reserved_minor + reserved >= 0,
            Fund.reserved_minor + reserved <= Fund.balance_minor + balance,
        )
        .values(
            balance_minor=Fund.balance_minor + balance,
            reserved_minor=Fund.reserved_minor + reserved,
        )
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(fund, ["balance_minor", "reserved_minor"])
    return bool(moved.rowcount)
