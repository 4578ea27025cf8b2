"""Does every balance follow from the entries, and do the entries agree with the house?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import select

from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.ledger import queries
from lms.ledger.checks import LedgerCheck, Unexplained, ledger_checks
from lms.ledger.kinds import Difference
from lms.ledger.models import LedgerCheckRun
from lms.ledger.services.counting import differing_owed, differing_sums


def unexplained() -> list[Unexplained]:
    """All that is not explained, over all checks; nothing when the ledger is right."""
    return [found for check in ledger_checks.values() for found in check.run()]


def check_now() -> LedgerCheckRun:
    """Run all checks and keep what they found."""
    found = LedgerCheckRun(
        unexplained=[
            {
                "what": one.what,
                "where": one.where,
                "amount": [one.amount.minor, one.amount.currency] if one.amount else None,
            }
            for one in unexplained()
        ],
        made_at=clock.now(),
    )
    db.session.add(found)
    db.session.flush()
    return found


def last_check() -> LedgerCheckRun | None:
    """The latest run of the checks, None before the first."""
    return db.session.scalar(select(LedgerCheckRun).order_by(LedgerCheckRun.id.desc()).limit(1))


def _entries() -> Iterable[Unexplained]:
    for entry_id, currency, minor in queries.unsealed_or_unbalanced():
        yield Unexplained(Difference.UNBALANCED, f"entry {entry_id}", Money(minor, currency))


def _sums() -> Iterable[Unexplained]:
    for month, account, currency, *rest, debit, credit, _postings in differing_sums():
        where = " ".join([month, account, *(str(word) for word in rest if word)])
        yield Unexplained(Difference.SUM, where, Money(debit - credit, currency))
    for about, currency, minor in differing_owed():
        yield Unexplained(Difference.SUM, about, Money(minor, currency))


def _closed_months() -> Iterable[Unexplained]:
    for period in queries.list_periods():
        now = {_key(line): line for line in queries.balances_as_kept(period.month)}
        then = {_key(line): line for line in period.balances}
        for key in sorted(now.keys() | then.keys()):
            if now.get(key) != then.get(key):
                yield Unexplained(Difference.CLOSED_MONTH, f"{period.month} {' '.join(key)}")


def _key(line: Mapping[str, object]) -> tuple[str, str]:
    return str(line["account"]), str(line["currency"])


CHECKS = [
    LedgerCheck("entries", _entries),
    LedgerCheck("sums", _sums),
    LedgerCheck("closed_months", _closed_months),
]
