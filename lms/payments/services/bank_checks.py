"""Do the bank's files and the ledger say the same of the seller's money?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import and_, func, select

from lms.core.db import db
from lms.core.money import Money
from lms.ledger.accounts import Account
from lms.ledger.checks import LedgerCheck, Unexplained
from lms.ledger.kinds import Difference
from lms.ledger.models import LedgerPosting
from lms.payments.bank_models import BankAccount, BankImport, BankLine, ImportState
from lms.payments.movement_models import GatewayMovement
from lms.payments.queries import bank as queries

KNOWN_WITHIN = timedelta(days=5)  # until what the ledger was told stands on the bank's account


@dataclass
class _Known:
    """What is known of an account: from when, until when, and what it held."""

    account: BankAccount
    since: date
    opening: int
    until: date
    closing: int


def _known_accounts() -> list[_Known]:
    """The seller's accounts of which the bank said a balance, from the first file to the last."""
    found: dict[int, _Known] = {}
    imports = db.session.scalars(
        select(BankImport)
        .join(BankAccount, BankAccount.id == BankImport.account_id)
        .where(
            BankImport.state == ImportState.DONE,
            BankImport.closing_minor.is_not(None),
            BankImport.opening_minor.is_not(None),
            BankAccount.organisation_id.is_(None),
        )
        .order_by(BankImport.first_on, BankImport.last_on, BankImport.id)
    )
    for one in imports:
        opening, closing = one.opening_minor, one.closing_minor
        if opening is None or closing is None or one.first_on is None or one.last_on is None:
            continue
        known = found.setdefault(
            one.account_id, _Known(one.account, one.first_on, opening, one.last_on, closing)
        )
        if one.last_on >= known.until:
            known.until, known.closing = one.last_on, closing
    return list(found.values())


def _continuity() -> Iterable[Unexplained]:
    """What the bank says is left is what it held before and all that moved: no file is missing."""
    for known in _known_accounts():
        moved = db.session.scalar(
            select(func.coalesce(func.sum(GatewayMovement.amount_minor), 0))
            .join(BankLine, BankLine.movement_id == GatewayMovement.id)
            .where(
                BankLine.account_id == known.account.id,
                BankLine.day.between(known.since, known.until),
            )
        )
        more = known.closing - known.opening - int(moved or 0)
        if more:
            where = f"{known.account.name} {known.until}"
            yield Unexplained(Difference.BANK, where, Money(more, known.account.currency))


def _lines() -> Iterable[Unexplained]:
    """Each line of the seller's account stands in the ledger with its own amount."""
    at_bank = and_(
        LedgerPosting.entry_id == BankLine.entry_id,
        LedgerPosting.account == Account.BANK.value,
        LedgerPosting.currency == GatewayMovement.currency,
    )
    told = func.coalesce(func.sum(LedgerPosting.amount_minor), 0)
    found = db.session.execute(
        select(
            BankAccount.name,
            BankLine.day,
            BankLine.line,
            GatewayMovement.amount_minor - told,
            GatewayMovement.currency,
        )
        .join(GatewayMovement, GatewayMovement.id == BankLine.movement_id)
        .join(BankAccount, BankAccount.id == BankLine.account_id)
        .outerjoin(LedgerPosting, at_bank)
        .where(BankAccount.organisation_id.is_(None))
        .group_by(
            BankLine.movement_id,
            BankAccount.name,
            BankLine.day,
            BankLine.line,
            GatewayMovement.amount_minor,
            GatewayMovement.currency,
        )
        .having(told != GatewayMovement.amount_minor)
        .order_by(BankLine.movement_id)
    )
    for name, day, line, minor, currency in found:
        yield Unexplained(Difference.BANK, f"{name} {day} line {line}", Money(minor, currency))


def _entries() -> Iterable[Unexplained]:
    """The bank knows of all that the ledger says came or went while its files were read."""
    by_currency: dict[str, list[_Known]] = defaultdict(list)
    for known in _known_accounts():
        by_currency[known.account.currency].append(known)
    for currency, accounts in sorted(by_currency.items()):
        since = max(known.since for known in accounts) + queries.BEFORE
        until = min(known.until for known in accounts) - KNOWN_WITHIN
        for entry in queries.untold_entries(currency, since, until):
            where = f"entry {entry.id} {entry.about or entry.source}"
            yield Unexplained(Difference.BANK, where, Money(entry.minor, currency))


CHECKS = [
    LedgerCheck("bank_balances", _continuity),
    LedgerCheck("bank_lines", _lines),
    LedgerCheck("bank_entries", _entries),
]
