"""An outside checker reads the ledger and agrees with its balances."""

from __future__ import annotations

import csv
from datetime import date

from beancount import loader

from lms.core.money import Money
from lms.ledger.accounts import Account
from lms.ledger.services import export, periods
from lms.ledger.services.entries import post
from tests.factories.accounts import make_administrator, make_user


def fill() -> None:
    """A sale in three currencies, one without decimals, and words that could break a line."""
    for number, amount in enumerate(
        (Money(12_050, "CAD"), Money(690_00, "BOB"), Money(85_000, "CLP")), 1
    ):
        post(
            "sale",
            f"order:{number}",
            date(2027, 1, 30 - number),
            {Account.RECEIVABLE: amount, Account.DEFERRED: -amount},
            about=f'order:P-"{number}"\n\\',
            country="BO",
        )
        post(
            "payment",
            f"payment:{number}",
            date(2027, 2, number),
            {Account.CLEARING.of("stripe"): amount, Account.RECEIVABLE: -amount},
        )


def errors_in(text: str) -> list[object]:
    _entries, errors, _options = loader.load_string(text)
    return errors


def test_beancount_accepts_the_export_with_its_balances(app):
    fill()

    text = "".join(export.beancount())

    assert errors_in(text) == []
    assert "balance Liabilities:Deferred  -85000 CLP" in text
    assert text.count(" balance ") == 9


def test_beancount_refuses_a_changed_amount(app):
    fill()
    text = "".join(export.beancount()).replace("  120.50 CAD", "  120.49 CAD", 1)

    assert errors_in(text)


def test_an_export_up_to_a_month_holds_its_entries_alone(app):
    fill()
    periods_text = "".join(export.beancount("2027-01"))

    assert errors_in(periods_text) == []
    assert '"sale"' in periods_text
    assert '"payment"' not in periods_text


def test_an_empty_ledger_is_exported_too(app):
    assert errors_in("".join(export.beancount())) == []


def test_the_pages_show_balances_entries_and_months(app, signed_in):
    fill()
    administrator = make_administrator()
    browser = signed_in(administrator)

    page = browser.get("/admin/ledger").text
    assert "CAD 120.50" in page
    assert "CLP 85,000" in page
    entries = browser.get("/admin/ledger/entries?account=Liabilities:Deferred&month=2027-01").text
    assert "3 entries" in entries
    assert "Payment received" not in entries
    for month in ("2031-01", "9999-12", "2031-13"):
        assert "No entry found" in browser.get(f"/admin/ledger/entries?month={month}").text
    rows = list(csv.reader(browser.get("/admin/ledger/ledger.csv").text.splitlines()))
    assert len(rows) > 12
    assert errors_in(browser.get("/admin/ledger/ledger.beancount?until=2027-01").text) == []
    assert periods.next_to_close() is None  # January 2027 is not over


def test_pages_ask_few_questions_however_many_entries(app, signed_in, count_queries):
    fill()
    browser = signed_in(make_administrator())
    browser.get("/admin/ledger/entries")
    count_queries()
    browser.get("/admin/ledger/entries")
    few = count_queries()
    for number in range(20, 60):
        amount = Money(100, "USD")
        post(
            "sale",
            f"order:{number}",
            date(2027, 1, 3),
            {Account.RECEIVABLE: amount, Account.DEFERRED: -amount},
            about=f"order:{number}",
        )
    count_queries()
    browser.get("/admin/ledger/entries")

    assert count_queries() == few
    assert few <= 10


def test_nobody_else_reads_the_ledger(app, signed_in):
    browser = signed_in(make_user())

    for path in ("", "/entries", "/months", "/ledger.csv", "/ledger.beancount"):
        assert browser.get(f"/admin/ledger{path}").status_code == 403
    assert browser.post("/admin/ledger/check").status_code == 403
    assert browser.post("/admin/ledger/months/2020-01/close").status_code == 403
