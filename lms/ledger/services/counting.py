"""The sums behind reports: brought up to date by a job, and made anew from the entries."""

from __future__ import annotations

from typing import Any

from sqlalchemy import case, delete, func, select

from lms.core.db import db, upsert
from lms.ledger.models import (
    LedgerEntry,
    LedgerOwed,
    LedgerPosting,
    LedgerSum,
    LedgerUncounted,
)
from lms.ledger.queries import (
    DIMENSIONS,
    SUMMED,
    debit_and_credit,
    movements,
    owed,
    postings_by_dimension,
    receivable_postings,
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
    for row in sums:
        values = dict(zip((*DIMENSIONS, *SUMMED), row, strict=True))
        statement = upsert(LedgerSum).values(**values)
        added = {
            name: getattr(LedgerSum, name) + getattr(statement.excluded, name) for name in SUMMED
        }
        db.session.execute(
            statement.on_conflict_do_update(index_elements=list(DIMENSIONS), set_=added)
        )
    documents = receivable_postings().where(LedgerPosting.entry_id.in_(entries))
    for row in db.session.execute(documents.order_by(LedgerEntry.about)).all():
        statement = upsert(LedgerOwed).values(**row._mapping)
        earlier = case(
            (statement.excluded.since < LedgerOwed.since, statement.excluded.since),
            else_=LedgerOwed.since,
        )
        added = {
            "owed_minor": LedgerOwed.owed_minor + statement.excluded.owed_minor,
            "since": earlier,
        }
        db.session.execute(
            statement.on_conflict_do_update(index_elements=["about", "currency"], set_=added)
        )
    db.session.execute(delete(LedgerUncounted).where(LedgerUncounted.entry_id.in_(entries)))
    return len(entries)


def differing_sums() -> list[tuple[Any, ...]]:
    """Sums that are not what the entries say: DIMENSIONS and SUMMED as the entries say."""
    lines = movements_by_dimension()
    rows = db.session.execute(
        select(*postings_by_dimension(), *debit_and_credit())
        .join(LedgerEntry, LedgerEntry.id == LedgerPosting.entry_id)
        .group_by(*postings_by_dimension())
    )
    told = {tuple(row[:-3]): tuple(int(value) for value in row[-3:]) for row in rows}
    wrong = [
        (*key, *told.get(key, (0, 0, 0))) for key in told | lines if told.get(key) != lines.get(key)
    ]
    return sorted(wrong)


def movements_by_dimension() -> dict[tuple[str, ...], tuple[int, ...]]:
    """What reports read: sums with what is not counted yet."""
    lines = movements()
    columns = [lines.c[name] for name in DIMENSIONS]
    sums = [func.sum(lines.c[name]) for name in SUMMED]
    rows = db.session.execute(select(*columns, *sums).group_by(*columns))
    return {tuple(row[:-3]): tuple(int(value) for value in row[-3:]) for row in rows}


def differing_owed() -> list[tuple[str, str, int]]:
    """Documents for which the sums say another debt than the entries: about, currency, debt as the
    entries say."""
    documents = receivable_postings()
    minor = func.sum(LedgerPosting.amount_minor)
    told = {
        (about, currency): (int(left), since)
        for about, currency, left, since in db.session.execute(documents.having(minor != 0))
    }
    kept = {
        (about, currency): (int(left), since)
        for about, currency, left, since in db.session.execute(owed())
    }
    return sorted(
        (*key, told.get(key, (0, None))[0])
        for key in told.keys() | kept.keys()
        if told.get(key) != kept.get(key)
    )
