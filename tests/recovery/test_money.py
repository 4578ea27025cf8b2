"""Invoiced, earned, collected: each figure is what its entries say, and opens them."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
import time_machine
from sqlalchemy import select

from lms.core.db import db
from lms.core.money import Money
from lms.ledger.accounts import Account
from lms.ledger.kinds import ENTRY_KINDS, EntryKind
from lms.ledger.models import LedgerEntry
from lms.ledger.services import counting
from lms.ledger.services.entries import post
from lms.recovery.queries.measures import MEASURES
from lms.recovery.queries.money import Wanted, list_lines, list_money, sums_of_lines
from tests.factories.accounts import make_user
from tests.factories.payments import make_paid_run
from tests.recovery.conftest import MONDAY, give_back, noon, teach

FEBRUARY = MONDAY - timedelta(days=9)


def figures(*by: str, **wanted: object) -> dict[tuple[str, ...], tuple[int, ...]]:
    """The measures by dimensions and currency."""
    rows = db.session.execute(list_money(by, Wanted(**wanted))).all()  # type: ignore[arg-type]
    width = len(by) + 1
    return {tuple(row[:width]): tuple(int(value) for value in row[width:]) for row in rows}


@pytest.fixture
def books(run, pay):
    """Two sold in February, one week taught, half of one given back in March."""
    first, second = pay(run, FEBRUARY), pay(run, FEBRUARY, country="CA")
    teach(run, MONDAY + timedelta(days=8))
    give_back(second, 5_000, MONDAY + timedelta(days=9))
    return first, second


def test_sold_in_one_month_is_earned_in_the_next(books):
    found = figures("month")

    assert found["2027-02", "CAD"] == (20_000, 0, 20_000)
    invoiced, earned, collected = found["2027-03", "CAD"]
    assert (invoiced, collected) == (-5_000, -5_000)
    assert earned == 6_666


def test_fees_and_payouts_are_not_what_buyers_paid(books):
    fee, sent = Money(300, "CAD"), Money(9_000, "CAD")
    clearing = Account.CLEARING.of("stripe")
    post("fee", "test:1", MONDAY, {Account.PROCESSOR: fee, clearing: -fee}, rail="stripe")
    post("payout", "test:2", MONDAY, {Account.BANK: sent, clearing: -sent}, rail="stripe")

    assert figures("rail")["stripe", "CAD"] == (15_000, 6_666, 15_000)


def test_currencies_are_never_added(books, pay):
    pay(make_paid_run(price=Money(45_000, "CLP"), starts_on=MONDAY), FEBRUARY, country="CL")

    assert figures() == {("CAD",): (15_000, 6_666, 15_000), ("CLP",): (45_000, 0, 45_000)}


def test_invoiced_is_sales_less_what_was_taken_back(books):
    told = 0
    for entry in db.session.scalars(select(LedgerEntry)):
        if entry.kind in ("sale", "credit_note", "credit_note_undone"):
            told += sum(p.amount_minor for p in entry.postings if p.account == "Assets:Receivable")

    assert figures()["CAD",][0] == told == 15_000


def test_sums_and_entries_tell_the_same_whether_counted_or_not(books):
    before = figures("month", "country")
    counting.count_entries()

    assert figures("month", "country") == before
    assert counting.differing_sums() == []
    for measure in MEASURES:
        lines = db.session.execute(list_lines(Wanted(), measure)).mappings().all()
        assert sum(line[measure] for line in lines) == figures()["CAD",][MEASURES.index(measure)]


DAYS = [
    None, date(2027, 2, 1), FEBRUARY, date(2027, 2, 28), MONDAY, MONDAY + timedelta(days=6),
    date(2027, 3, 31),
]  # fmt: skip


def test_sums_of_any_days_are_those_of_their_lines(books, run):
    teach(run, MONDAY + timedelta(days=30))
    counting.count_entries(at_most=4)
    for since in DAYS:
        for until in DAYS:
            for measure in (None, *MEASURES):
                wanted = Wanted(since=since, until=until)
                lines = db.session.execute(list_lines(wanted, measure)).mappings().all()
                found = db.session.execute(sums_of_lines(wanted, measure)).mappings().all()
                told = [{name: int(row[name]) for name in (*MEASURES, "lines")} for row in found]

                expected = {name: sum(line[name] for line in lines) for name in MEASURES}
                assert told == ([expected | {"lines": len(lines)}] if lines else [])


@pytest.mark.parametrize("by", ["month", "course", "run", "country", "currency", "rail"])
def test_each_figure_opens_entries_that_add_up_to_it(books, admin, signed_in, by):
    browser = signed_in(admin)
    page = browser.get(f"/admin/reports/recovery-by-{by}?period=all")
    assert page.status_code == 200
    body = page.text[page.text.find("<tbody>") :]
    links = re.findall(r'href="(/admin/reports/recovery-entries[^"]*measure=[^"]*)">([^<]+)<', body)
    assert len(links) >= 3

    for link, shown in links:
        opened = browser.get(link.replace("&amp;", "&")).text
        total = re.search(r"<tfoot>(.*?)</tfoot>", opened, re.S)
        assert total
        assert shown.strip() in re.sub(r"<[^>]+>", "", total.group(1)), (link, shown)
        assert re.search(r'href="/admin/orders\?q=|href="/admin/ledger/entries', opened)


def test_weeks_are_earned_one_by_one(books, run, admin, signed_in):
    teach(run, MONDAY + timedelta(days=30))
    page = signed_in(admin).get("/admin/reports/recovery-by-week/csv?period=all").text

    weeks = [line.split(",") for line in page.strip().splitlines()[1:]]
    assert [week[0] for week in weeks] == ["2027-03-15", "2027-03-08", "2027-03-01"]
    assert sum(round(float(week[3]) * 100) for week in weeks) == 15_000


def test_the_first_page_shows_this_month_and_the_last(books, admin, signed_in):
    with time_machine.travel(noon(date(2027, 3, 20)), tick=False):
        page = signed_in(admin).get("/admin/recovery").text

    for text in ("March 2027", "February 2027", "CAD 200.00", "CAD 66.66", "measure=invoiced"):
        assert text in page, text


def test_what_was_given_back_opens_its_refunds(books, admin, signed_in):
    with time_machine.travel(noon(date(2027, 3, 20)), tick=False):
        browser = signed_in(admin)
        page = browser.get("/admin/recovery").text
        links = re.findall(r'href="([^"]*measure=given_back[^"]*)">([^<]+)<', page)
        [link] = [link for link, shown in links if shown.strip() == "CAD 50.00"]
        opened = browser.get(link.replace("&amp;", "&")).text

    rows = opened[opened.find("<tbody>") :]
    assert str(ENTRY_KINDS[EntryKind.REFUND]) in rows
    assert str(ENTRY_KINDS[EntryKind.SALE]) not in rows
    assert re.search("CAD [-−]50.00", rows)


@pytest.mark.parametrize(
    "path",
    ["/admin/recovery", "/admin/reports/recovery-by-month", "/admin/reports/recovery-entries"],
)
def test_only_administrators_read_it(signed_in, path):
    assert signed_in(make_user()).get(path).status_code == 403
