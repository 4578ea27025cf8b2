"""Posting: only what balances, once, and never into a closed month."""

from __future__ import annotations

from datetime import date
from random import Random

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from lms.core.db import db
from lms.core.money import Money
from lms.ledger import queries
from lms.ledger.accounts import Account
from lms.ledger.errors import MonthClosed, MonthNotOver, Unbalanced
from lms.ledger.models import LedgerEntry, LedgerOwed, LedgerPosting, LedgerSeal, LedgerSum
from lms.ledger.services import check, counting, periods
from lms.ledger.services.entries import post
from tests.factories.accounts import make_administrator

BOB = Money(69_000, "BOB")


def sell(source: str = "order:1", day: date = date(2026, 3, 14), amount: Money = BOB, **more):
    amounts = {Account.RECEIVABLE: amount, Account.DEFERRED: -amount}
    return post("sale", source, day, amounts, **more)


def test_a_sale_is_owed_by_the_buyer_and_to_the_buyer(app):
    sell()

    assert queries.balance_of(Account.RECEIVABLE, "BOB") == BOB
    assert queries.balance_of(Account.DEFERRED, "BOB") == BOB


def test_a_fact_is_told_once(app):
    assert sell() is not None
    assert sell() is None

    assert queries.balance_of(Account.RECEIVABLE, "BOB") == BOB


def test_what_does_not_sum_to_zero_in_each_currency_is_not_posted(app):
    with pytest.raises(Unbalanced):
        post(
            "sale",
            "order:1",
            date(2026, 3, 14),
            {Account.RECEIVABLE: BOB, Account.DEFERRED: Money(-69_000, "USD")},
        )


def test_an_account_that_does_not_exist_takes_nothing(app):
    with pytest.raises(ValueError, match="Assets:Pocket"):
        post("sale", "order:1", date(2026, 3, 14), {"Assets:Pocket": BOB, Account.BANK: -BOB})


def add_entry(*amounts: int) -> int:
    values = {
        "kind": "sale", "source": "order:9", "about": "", "product": "", "country": "",
        "rail": "", "happened_on": date(2026, 3, 1), "effective_on": date(2026, 3, 1),
        "month": "2026-03", "reason": "",
    }  # fmt: skip
    entry = db.session.execute(insert(LedgerEntry).values(**values).returning(LedgerEntry.id))
    entry_id = entry.scalar_one()
    for minor in amounts:
        db.session.execute(
            insert(LedgerPosting).values(
                entry_id=entry_id, account=Account.BANK, currency="USD", amount_minor=minor
            )
        )
    return entry_id


def test_the_database_itself_seals_nothing_that_does_not_balance(app):
    entry_id = add_entry(100, -99)

    with pytest.raises(IntegrityError, match="sum to zero"):
        db.session.execute(insert(LedgerSeal).values(entry_id=entry_id))
    db.session.rollback()


def test_the_database_itself_seals_nothing_without_postings(app):
    entry_id = add_entry()

    with pytest.raises(IntegrityError, match="sum to zero"):
        db.session.execute(insert(LedgerSeal).values(entry_id=entry_id))
    db.session.rollback()


def test_the_database_itself_adds_nothing_to_a_sealed_entry(app):
    entry_id = sell()

    with pytest.raises(IntegrityError, match="no further posting"):
        db.session.execute(
            insert(LedgerPosting).values(
                entry_id=entry_id, account=Account.BANK, currency="USD", amount_minor=1
            )
        )
    db.session.rollback()


@pytest.mark.parametrize("model", [LedgerEntry, LedgerPosting, LedgerSeal])
def test_the_database_itself_deletes_and_changes_nothing(app, model):
    sell()
    db.session.commit()
    key = next(iter(model.__table__.primary_key)).name

    for statement in (delete(model), update(model).values({key: 77})):
        with pytest.raises(IntegrityError, match="ever changed"):
            db.session.execute(statement)
        db.session.rollback()


def test_sums_are_exact_before_and_after_they_are_counted(app):
    sell("order:1", country="BO", rail="stripe", product="publication:1")
    before = counting.movements_by_dimension()
    assert counting.count_entries() == 1
    sell("order:2", country="BO", rail="stripe", product="publication:1")

    rest = ("BOB", "publication:1", "BO", "stripe", "sale")
    assert before == {
        ("2026-03", "Assets:Receivable", *rest): (69_000, 0, 1),
        ("2026-03", "Liabilities:Deferred", *rest): (0, 69_000, 1),
    }
    assert queries.balance_of(Account.DEFERRED, "BOB") == Money(138_000, "BOB")
    assert counting.count_entries() == 1
    assert counting.count_entries() == 0
    assert queries.balance_of(Account.DEFERRED, "BOB") == Money(138_000, "BOB")
    assert not check.unexplained()


def test_a_sum_that_was_changed_past_the_entries_is_found(app):
    sell()
    counting.count_entries()
    db.session.execute(update(LedgerSum).values(debit_minor=LedgerSum.debit_minor + 1))

    found = check.unexplained()

    assert {one.what for one in found} == {"sum differs from its entries"}


def from_entries() -> dict[str, tuple[int, date]]:
    """What is owed for each document, added up from the entries."""
    told: dict[str, tuple[int, date]] = {}
    for entry in db.session.scalars(select(LedgerEntry).order_by(LedgerEntry.happened_on)):
        minor = sum(p.amount_minor for p in entry.postings if p.account == Account.RECEIVABLE)
        before, since = told.get(entry.about, (0, entry.happened_on))
        told[entry.about] = (before + minor, since)
    return {about: one for about, one in told.items() if one[0]}


def kept() -> dict[str, tuple[int, date]]:
    return {row.about: (row.owed_minor, row.since) for row in db.session.execute(queries.owed())}


def test_what_is_owed_is_what_the_entries_say_whatever_is_counted(app):
    random = Random(7)
    for number in range(60):
        about, minor = f"order:{random.randrange(12)}", random.choice([5_000, -5_000, 1_200])
        amount, day = Money(minor, "BOB"), date(2026, 3, 1 + random.randrange(28))
        amounts = {Account.RECEIVABLE: amount, Account.DEFERRED: -amount}
        post("sale" if minor > 0 else "payment", f"test:{number}", day, amounts, about=about)
        if number % 7 == 3:
            counting.count_entries(at_most=random.randrange(1, 5))

        assert kept() == from_entries()
    while counting.count_entries():
        assert kept() == from_entries()
    assert counting.differing_owed() == []
    assert counting.differing_sums() == []


def test_a_debt_that_was_changed_past_the_entries_is_found(app):
    sell()
    counting.count_entries()
    db.session.execute(update(LedgerOwed).values(owed_minor=LedgerOwed.owed_minor + 1))

    assert {one.what for one in check.unexplained()} == {"sum differs from its entries"}


def test_a_late_fact_of_a_closed_month_counts_for_the_next_with_its_own_day(app):
    sell("order:1")
    periods.close_month("2026-03", make_administrator())

    sell("order:2", date(2026, 3, 31))

    entry = queries.find_entry("order:2", "sale")
    assert (entry.happened_on, entry.effective_on) == (date(2026, 3, 31), date(2026, 4, 1))
    assert not check.unexplained()


def test_the_database_itself_takes_nothing_into_a_closed_month(app):
    sell()
    periods.close_month("2026-03", make_administrator())
    db.session.commit()

    with pytest.raises(IntegrityError, match="closed month"):
        add_entry(100, -100)
    db.session.rollback()


def test_a_month_closes_once_and_when_it_is_over(app):
    sell()
    administrator = make_administrator()

    assert periods.next_to_close() == "2026-03"
    with pytest.raises(MonthNotOver):
        periods.close_month("2999-01", administrator)
    periods.close_month("2026-03", administrator)
    with pytest.raises(MonthClosed):
        periods.close_month("2026-02", administrator)
    assert periods.next_to_close() == "2026-04"


def test_a_december_is_followed_by_january(app):
    sell("order:1", date(2025, 12, 5))
    periods.close_month("2025-12", make_administrator())

    sell("order:2", date(2025, 12, 6))

    assert db.session.scalars(select(LedgerEntry.month).order_by(LedgerEntry.id)).all() == [
        "2025-12",
        "2026-01",
    ]
