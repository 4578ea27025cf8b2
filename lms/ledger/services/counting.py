"""The sums behind reports: brought up to date by a job, and made anew from the entries."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from lms.core.db import db
from lms.ledger.models import LedgerEntry, LedgerPosting, LedgerSum, LedgerUncounted
from lms.ledger.queries import (
    DIMENSIONS,
    debit_and_credit,
    movements,
    postings_by_dimension,
)

AT_ONCE = 5_000


def count_entries(at_most: int = AT_ONCE) -> int:
    """Add entries to the sums; how many. Two that count at once never count the same."""
    some = select(LedgerUncounted.entry_id).order_by(LedgerUncounted.entry_id).limit(at_most)
    if db.session.get_bind().dialect.name == "postgresql":
        some = some.with_for_update(skip_locked=True)
    entries = db.session.scalars(some).all()
    if not entries:
        return 0
    sums = db.session.execute(
        select(*postings_by_dimension(), *debit_and_credit())
        .join(LedgerEntry, LedgerEntry.id == LedgerPosting.entry_id)
        .where(LedgerPosting.entry_id.in_(entries))
        .group_by(*postings_by_dimension())
        .order_by(*postings_by_dimension())
    ).all()
    names = (*DIMENSIONS, "debit_minor", "credit_minor")
    dialect: Any = sqlite if db.session.get_bind().dialect.name == "sqlite" else postgresql
    for row in sums:
        statement = dialect.insert(LedgerSum).values(**dict(zip(names, row, strict=True)))
        added = {
            name: getattr(LedgerSum, name) + getattr(statement.excluded, name)
            for name in ("debit_minor", "credit_minor")
        }
        db.session.execute(
            statement.on_conflict_do_update(index_elements=list(DIMENSIONS), set_=added)
        )
    db.session.execute(delete(LedgerUncounted).where(LedgerUncounted.entry_id.in_(entries)))
    return len(entries)


def differing_sums() -> list[tuple[Any, ...]]:
    """Sums that are not what the entries say: DIMENSIONS, debit and credit as the entries say."""
    lines = movements_by_dimension()
    rows = db.session.execute(
        select(*postings_by_dimension(), *debit_and_credit())
        .join(LedgerEntry, LedgerEntry.id == LedgerPosting.entry_id)
        .group_by(*postings_by_dimension())
    )
    told = {tuple(row[:-2]): (int(row[-2]), int(row[-1])) for row in rows}
    wrong = [
        (*key, *told.get(key, (0, 0))) for key in told | lines if told.get(key) != lines.get(key)
    ]
    return sorted(wrong)


def movements_by_dimension() -> dict[tuple[str, ...], tuple[int, int]]:
    """What reports read: sums with what is not counted yet."""
    lines = movements()
    columns = [lines.c[name] for name in DIMENSIONS]
    rows = db.session.execute(
        select(*columns, func.sum(lines.c.debit_minor), func.sum(lines.c.credit_minor)).group_by(
            *columns
        )
    )
    return {tuple(row[:-2]): (int(row[-2]), int(row[-1])) for row in rows}
