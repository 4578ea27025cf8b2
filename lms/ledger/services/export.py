"""The ledger for others: Beancount's text and a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from sqlalchemy import select

from lms.core.db import db
from lms.core.money import Money
from lms.ledger import queries
from lms.ledger.models import LedgerEntry, LedgerPosting

AT_ONCE = 2_000
CSV_HEADINGS = (
    "entry", "kind", "source", "about", "product", "country", "rail", "happened_on",
    "effective_on", "account", "currency", "amount",
)  # fmt: skip


def _lines(until: str | None) -> Iterator[tuple[LedgerEntry, LedgerPosting]]:
    """Entries with their postings, in the order of days, some thousands at a time."""
    statement = (
        select(LedgerEntry, LedgerPosting)
        .join(LedgerPosting, LedgerPosting.entry_id == LedgerEntry.id)
        .order_by(LedgerEntry.effective_on, LedgerEntry.id, LedgerPosting.id)
    )
    if until is not None:
        statement = statement.where(LedgerEntry.month <= until)
    for row in db.session.execute(statement.execution_options(yield_per=AT_ONCE)):
        yield row[0], row[1]


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")


def beancount(until: str | None = None) -> Iterator[str]:
    """The ledger as Beancount reads it, with a balance assertion for each account at its end.

    until: the last month. Source: Beancount language syntax, `open`, transactions, `balance`.
    """
    first = queries.first_day()
    yield 'option "title" "Puente"\n'
    if first is None:
        return
    found = queries.balances(until=until)
    for account in sorted({one.account for one in found}):
        yield f"{first} open {account}\n"
    entry_id, last = None, first
    for entry, posting in _lines(until):
        if entry.id != entry_id:
            entry_id, last = entry.id, entry.effective_on
            yield f'\n{entry.effective_on} * "{_quoted(entry.kind)}" "{_quoted(entry.source)}"\n'
            for name in ("about", "product", "country", "rail", "reason"):
                if getattr(entry, name):
                    yield f'  {name}: "{_quoted(getattr(entry, name))}"\n'
        yield f"  {posting.account}  {posting.amount.decimal:f} {posting.currency}\n"
    yield "\n"
    after = last + timedelta(days=1)
    for one in found:
        left = Money(one.debit_minor - one.credit_minor, one.currency)
        yield f"{after} balance {one.account}  {left.decimal:f} {left.currency}\n"


def table(until: str | None = None) -> Iterator[Sequence[str]]:
    """The ledger as rows of a table, one for each posting; the first row holds CSV_HEADINGS."""
    yield CSV_HEADINGS
    for entry, posting in _lines(until):
        yield (
            str(entry.id), entry.kind, entry.source, entry.about, entry.product, entry.country,
            entry.rail, str(entry.happened_on), str(entry.effective_on), posting.account,
            posting.currency, f"{posting.amount.decimal:f}",
        )  # fmt: skip
