"""Balances, entries and what stands behind them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    case,
    event,
    exists,
    func,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session, scoped_session

from lms.core.db import db
from lms.core.money import Money
from lms.ledger.accounts import Account, is_debit_account
from lms.ledger.models import (
    LedgerEntry,
    LedgerOwed,
    LedgerPeriod,
    LedgerPosting,
    LedgerSum,
    LedgerUncounted,
)

DIMENSIONS = ("month", "account", "currency", "product", "country", "rail", "kind")
SUMMED = ("debit_minor", "credit_minor", "postings")
_KNOWN = "ledger_known"


def postings_by_dimension() -> list[Any]:
    """The columns of a posting and its entry that sums are made by, in the order of DIMENSIONS."""
    return [
        LedgerEntry.month,
        LedgerPosting.account,
        LedgerPosting.currency,
        LedgerEntry.product,
        LedgerEntry.country,
        LedgerEntry.rail,
        LedgerEntry.kind,
    ]


def debit_and_credit() -> list[Any]:
    """The SUMMED of postings: debits and credits, both positive, and how many postings."""
    amount = LedgerPosting.amount_minor
    return [
        func.sum(case((amount > 0, amount), else_=0)).label("debit_minor"),
        func.sum(case((amount < 0, -amount), else_=0)).label("credit_minor"),
        func.count().label("postings"),
    ]


def movements() -> Subquery:
    """All that was posted, by DIMENSIONS: the sums, and what they do not hold yet.

    Columns: DIMENSIONS and SUMMED. Exact at any moment, whatever is counted.
    """
    counted = select(*(getattr(LedgerSum, name) for name in (*DIMENSIONS, *SUMMED)))
    # no index has such columns, so that what a reader asks of them is asked of the few alone
    lately = [
        func.coalesce(column, literal_column("''")).label(name)
        for name, column in zip(DIMENSIONS, postings_by_dimension(), strict=True)
    ]
    since = (
        select(*lately, *debit_and_credit())
        .join(LedgerEntry, LedgerEntry.id == LedgerPosting.entry_id)
        .join(LedgerUncounted, LedgerUncounted.entry_id == LedgerEntry.id)
        .group_by(*lately)
    )
    return union_all(counted, since).subquery("movements")


def owed_by_document() -> list[Any]:
    """The columns of what is owed for a document, of postings to the receivable account."""
    return [
        LedgerEntry.about,
        LedgerPosting.currency,
        func.sum(LedgerPosting.amount_minor).label("owed_minor"),
        func.min(LedgerEntry.happened_on).label("since"),
    ]


def receivable_postings(of: Select[int] | None = None) -> Select[*tuple[Any, ...]]:
    """What is owed for each document, from its entries. of: ids of entries, when they are few."""
    account: ColumnElement[str] = LedgerPosting.account.expression
    found = (
        select(*owed_by_document())
        .join(LedgerEntry, LedgerEntry.id == LedgerPosting.entry_id)
        .group_by(LedgerEntry.about, LedgerPosting.currency)
    )
    if of is not None:
        account = func.coalesce(account, "")  # no index has this, so the one of entries is taken
        found = found.where(LedgerPosting.entry_id.in_(of))
    return found.where(account == Account.RECEIVABLE.value)


def owed() -> Select[*tuple[Any, ...]]:
    """Documents for which something is owed: about, currency, owed_minor, since.

    The sums, and what they do not hold yet: exact at any moment.
    """
    columns = (LedgerOwed.about, LedgerOwed.currency, LedgerOwed.owed_minor, LedgerOwed.since)
    is_open = LedgerOwed.owed_minor != literal_column("0")  # as its index has it
    touched = select(LedgerEntry.about).join(
        LedgerUncounted, LedgerUncounted.entry_id == LedgerEntry.id
    )
    settled = LedgerOwed.owed_minor == literal_column("0")
    kept = union_all(
        select(*columns).where(is_open),
        select(*columns).where(LedgerOwed.about.in_(touched), settled),
    ).subquery("kept")
    lately = receivable_postings(select(LedgerUncounted.entry_id))
    lines = union_all(select(kept), lately).subquery("lines")
    minor = func.sum(lines.c.owed_minor)
    return (
        select(
            lines.c.about,
            lines.c.currency,
            minor.label("owed_minor"),
            func.min(lines.c.since).label("since"),
        )
        .group_by(lines.c.about, lines.c.currency)
        .having(minor != 0)
    )


def known(dimension: str) -> list[str]:
    """The values of one of DIMENSIONS that anything was posted with, in order.

    They are looked up once in a transaction: a page asks for many figures.
    """
    found: dict[str, list[str]] = db.session.info.setdefault(_KNOWN, {})
    if dimension not in found:
        value = movements().c[dimension]
        found[dimension] = sorted(db.session.scalars(select(value).distinct()))
    return found[dimension]


@event.listens_for(Session, "after_commit")
@event.listens_for(Session, "after_rollback")
def forget_known(session: Session | scoped_session[Session]) -> None:
    """Look the values up anew: something was posted, or another transaction begins."""
    session.info.pop(_KNOWN, None)


def accounts_within(kinds: Iterable[Account]) -> list[str]:
    """The accounts of these kinds that anything was posted to, those of somebody among them."""
    values = {kind.value for kind in kinds}
    return [code for code in known("account") if ":".join(code.split(":")[:2]) in values]


@dataclass(frozen=True)
class Balance:
    """An account in one currency: what was debited and credited, in minor units."""

    account: str
    currency: str
    debit_minor: int
    credit_minor: int

    @property
    def amount(self) -> Money:
        """The balance as it is read: a debt, an income and a possession are all positive."""
        more = self.debit_minor - self.credit_minor
        return Money(more if is_debit_account(self.account) else -more, self.currency)


def balances(
    *, until: str | None = None, since: str | None = None, product: str | None = None
) -> list[Balance]:
    """The balance of each account and currency. since, until: months, both included."""
    lines = movements()
    statement = select(
        lines.c.account,
        lines.c.currency,
        func.sum(lines.c.debit_minor),
        func.sum(lines.c.credit_minor),
    ).group_by(lines.c.account, lines.c.currency)
    if since is not None:
        statement = statement.where(lines.c.month >= since)
    if until is not None:
        statement = statement.where(lines.c.month <= until)
    if product is not None:
        statement = statement.where(lines.c.product == product)
    found = db.session.execute(statement.order_by(lines.c.account, lines.c.currency))
    return [Balance(a, c, int(debit), int(credit)) for a, c, debit, credit in found]


def balances_as_kept(month: str) -> list[dict[str, str | int]]:
    """The balances at the end of a month, as a closed month keeps them."""
    return [
        {
            "account": found.account,
            "currency": found.currency,
            "debit": found.debit_minor,
            "credit": found.credit_minor,
        }
        for found in balances(until=month)
    ]


def balance_of(account: str, currency: str, product: str | None = None) -> Money:
    """The balance of one account, as it is read."""
    for found in balances(product=product):
        if (found.account, found.currency) == (account, currency):
            return found.amount
    return Money(0, currency)


def _days_of(month: str) -> list[ColumnElement[bool]]:
    """The days of a month, by the index that also has their order; none of what is no month."""
    try:
        first = date.fromisoformat(f"{month}-01")
        following = (first + timedelta(days=31)).replace(day=1)
    except (ValueError, OverflowError):  # the last month that there is has none after it
        return []
    return [LedgerEntry.effective_on >= first, LedgerEntry.effective_on < following]


def _named(month: str, about: str, product: str, kind: str) -> list[ColumnElement[bool]]:
    pairs = (
        (LedgerEntry.month, month),
        (LedgerEntry.about, about),
        (LedgerEntry.product, product),
        (LedgerEntry.kind, kind),
    )
    return [column == value for column, value in pairs if value]


def _accounts_of(account: str) -> list[str]:
    """An account and those it is a kind of, as far as anything was posted to them."""
    code = movements().c.account
    inside = or_(code == account, code.startswith(f"{account}:", autoescape=True))
    return list(db.session.scalars(select(code).where(inside).distinct()))


def list_entries(
    *, account: str = "", month: str = "", about: str = "", product: str = "", kind: str = ""
) -> Select[LedgerEntry]:
    """Entries, the newest first; of an account with those it is a kind of."""
    statement = (
        select(LedgerEntry)
        .where(*_named(month, about, product, kind), *_days_of(month))
        .order_by(LedgerEntry.effective_on.desc(), LedgerEntry.id.desc())
    )
    if not account:
        return statement
    inside = LedgerPosting.account.in_(_accounts_of(account))
    return statement.where(exists().where(LedgerPosting.entry_id == LedgerEntry.id, inside))


def ids_of_entries(
    *, account: str = "", month: str = "", about: str = "", product: str = "", kind: str = ""
) -> Select[int]:
    """The ids of the same entries, in any order: for their number."""
    named = _named(month, about, product, kind)
    if not account:
        return select(LedgerEntry.id).where(*named)
    inside = LedgerPosting.account.in_(_accounts_of(account))
    ids = select(LedgerPosting.entry_id).where(inside).distinct()
    if named:
        ids = ids.join(LedgerEntry, LedgerEntry.id == LedgerPosting.entry_id).where(*named)
    return ids


def postings_of(entries: Sequence[LedgerEntry]) -> dict[int, list[LedgerPosting]]:
    """The postings of some entries, by entry, debits first."""
    found: dict[int, list[LedgerPosting]] = {entry.id: [] for entry in entries}
    rows = db.session.scalars(
        select(LedgerPosting)
        .where(LedgerPosting.entry_id.in_(found))
        .order_by(LedgerPosting.entry_id, LedgerPosting.amount_minor.desc())
    )
    for posting in rows:
        found[posting.entry_id].append(posting)
    return found


def find_entry(source: str, kind: str) -> LedgerEntry | None:
    """The entry that tells this fact, None when it was not told."""
    return db.session.scalar(
        select(LedgerEntry).where(LedgerEntry.source == source, LedgerEntry.kind == kind)
    )


def told_facts(kind: str, sources: Iterable[str]) -> list[str]:
    """Which of these facts were told, by their source."""
    found = db.session.scalars(
        select(LedgerEntry.source)
        .where(LedgerEntry.source.in_(list(sources)), LedgerEntry.kind == kind)
        .order_by(LedgerEntry.id)
    )
    return list(found)


def balance_about(about: str, account: Account) -> dict[str, int]:
    """What a document's entries left on an account of this kind: debit less credit by currency."""
    found = db.session.execute(
        select(LedgerPosting.currency, func.sum(LedgerPosting.amount_minor))
        .join(LedgerEntry, LedgerEntry.id == LedgerPosting.entry_id)
        .where(LedgerEntry.about == about, LedgerPosting.account == account.value)
        .group_by(LedgerPosting.currency)
    )
    return {currency: int(minor) for currency, minor in found}


def last_closed_month() -> str | None:
    """The last month that takes no entry any more."""
    return db.session.scalar(select(func.max(LedgerPeriod.month)))


def list_periods() -> Sequence[LedgerPeriod]:
    """Closed months, the newest first."""
    return db.session.scalars(select(LedgerPeriod).order_by(LedgerPeriod.month.desc())).all()


def months_with_entries() -> Sequence[str]:
    """Months that anything was posted in, the newest first."""
    month = movements().c.month
    return db.session.scalars(select(month).distinct().order_by(month.desc())).all()


def first_day() -> date | None:
    """The day of the earliest entry."""
    return db.session.scalar(select(func.min(LedgerEntry.effective_on)))


def unsealed_or_unbalanced() -> Sequence[tuple[int, str, int]]:
    """Entries whose postings do not sum to zero: entry, currency, difference.

    The database refuses them; this finds what was changed past it.
    """
    difference = func.sum(LedgerPosting.amount_minor)
    found = db.session.execute(
        select(LedgerPosting.entry_id, LedgerPosting.currency, difference)
        .group_by(LedgerPosting.entry_id, LedgerPosting.currency)
        .having(difference != literal_column("0"))
        .order_by(LedgerPosting.entry_id)
    )
    return [(entry, currency, int(minor)) for entry, currency, minor in found]
