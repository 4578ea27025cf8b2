"""Posting: the only way into the ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from sqlalchemy import insert

from lms.core.db import db, upsert
from lms.core.money import Money
from lms.ledger import queries
from lms.ledger.accounts import kind_of
from lms.ledger.errors import Unbalanced
from lms.ledger.models import LedgerEntry, LedgerPosting, LedgerSeal, LedgerUncounted


def first_open_day(day: date) -> date:
    """The day itself, or the first one after the last closed month."""
    closed = queries.last_closed_month()
    if closed is None or f"{day:%Y-%m}" > closed:
        return day
    year, month = map(int, closed.split("-"))
    return (date(year, month, 28) + timedelta(days=4)).replace(day=1)


def post(
    kind: str,
    source: str,
    happened_on: date,
    amounts: Mapping[str, Money] | Sequence[tuple[str, Money]],
    *,
    about: str = "",
    product: str = "",
    country: str | None = None,
    rail: str | None = None,
    reason: str = "",
) -> int | None:
    """Tell a fact; the id of its entry, None when it was told before or moves no money.

    amounts: by account, debits positive and credits negative; they sum to zero in each currency.
    As pairs where an account moves in several currencies.
    A day in a closed month counts for the first open day. Raises Unbalanced.
    """
    pairs = amounts.items() if isinstance(amounts, Mapping) else amounts
    moved = [(account, amount) for account, amount in pairs if amount]
    _check(moved)
    if not moved:
        return None
    day = first_open_day(happened_on)
    values = {
        "kind": kind,
        "source": source,
        "about": about,
        "product": product,
        "country": country or "",
        "rail": rail or "",
        "happened_on": happened_on,
        "effective_on": day,
        "month": f"{day:%Y-%m}",
        "reason": reason,
    }
    entry_id: int | None = db.session.execute(
        upsert(LedgerEntry)
        .values(**values)
        .on_conflict_do_nothing(index_elements=["source", "kind"])
        .returning(LedgerEntry.id)
    ).scalar()
    if entry_id is None:
        return None
    queries.forget_known(db.session)
    db.session.execute(
        insert(LedgerPosting),
        [
            {
                "entry_id": entry_id,
                "account": account,
                "currency": amount.currency,
                "amount_minor": amount.minor,
            }
            for account, amount in moved
        ],
    )
    db.session.execute(insert(LedgerSeal).values(entry_id=entry_id))
    db.session.execute(insert(LedgerUncounted).values(entry_id=entry_id))
    return entry_id


def post_many(
    kind: str,
    facts: Sequence[tuple[str, date, Sequence[tuple[str, Money]]]],
    *,
    rail: str = "",
    reason: str = "",
) -> dict[str, int]:
    """Tell many new facts of a kind at once: source, day and amounts each; entry ids by source.

    Raises Unbalanced, and IntegrityError for a fact that was told before.
    """
    if not facts:
        return {}
    rows = []
    open_days = {day: first_open_day(day) for day in {day for _source, day, _amounts in facts}}
    for source, happened_on, amounts in facts:
        _check(amounts)
        day = open_days[happened_on]
        rows.append(
            {
                "kind": kind,
                "source": source,
                "about": "",
                "product": "",
                "country": "",
                "rail": rail,
                "happened_on": happened_on,
                "effective_on": day,
                "month": f"{day:%Y-%m}",
                "reason": reason,
            }
        )
    found = db.session.execute(
        insert(LedgerEntry).returning(LedgerEntry.source, LedgerEntry.id), rows
    )
    ids = {row.source: row.id for row in found}
    queries.forget_known(db.session)
    db.session.execute(
        insert(LedgerPosting),
        [
            {
                "entry_id": ids[source],
                "account": account,
                "currency": amount.currency,
                "amount_minor": amount.minor,
            }
            for source, _day, amounts in facts
            for account, amount in amounts
        ],
    )
    for model in (LedgerSeal, LedgerUncounted):
        db.session.execute(insert(model), [{"entry_id": entry_id} for entry_id in ids.values()])
    return ids


def _check(amounts: Sequence[tuple[str, Money]]) -> None:
    left: dict[str, int] = defaultdict(int)
    for account, amount in amounts:
        kind_of(account)
        left[amount.currency] += amount.minor
    if any(left.values()):
        raise Unbalanced(dict(left))
