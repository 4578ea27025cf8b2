"""Statements: from the ledger alone, frozen, carried over, contested or accepted, paid, netted."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import update

from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.ledger.kinds import Difference
from lms.ledger.queries import balance_of
from lms.ledger.services import check
from lms.ledger.services.entries import post
from lms.partners.errors import MonthNotOver, NothingToState, ReferenceUsed, TooMuch
from lms.partners.models import PartnerStatement, StatementLine
from lms.partners.services import statements
from tests.factories.accounts import make_administrator, make_user
from tests.factories.payments import make_paid_run
from tests.partners.ways import MONDAY, PRICE, agree, give_back, noon, partner, pay, percent, teach

APRIL, MAY = date(2027, 4, 5), date(2027, 5, 5)


@pytest.fixture
def cebem(app):
    return partner("cebem")


@pytest.fixture
def taught(run, cebem):
    """One sale of 100 dollars, shared by half, all its weeks taught in March."""
    organisation, ana = cebem
    agree(run, percent(organisation, 5_000), managers=[ana])
    order = pay(run)
    teach(run, MONDAY + timedelta(days=25))
    db.session.commit()
    return order


def send(organisation, month: str, on: date) -> PartnerStatement:
    with clock.set_to(noon(on)):
        return statements.send_statement(organisation, "CAD", month, make_administrator())


def wrong() -> list:
    return [one for one in check.unexplained() if one.what == Difference.STATEMENT]


def collect(organisation, minor: int, day: date, source: str = "collected:1") -> None:
    """The partner took money for the seller."""
    amount = Money(minor, "CAD")
    account = f"Assets:PartnerReceivable:{organisation.slug.capitalize()}"
    post("collected", source, day, {account: amount, "Assets:Receivable": -amount})


def test_a_statement_adds_up_and_the_next_one_carries_on(taught, cebem):
    organisation, _ana = cebem
    first = send(organisation, "2027-03", APRIL)
    give_back(taught, 10_000, date(2027, 4, 10))
    second = send(organisation, "2027-04", MAY)

    assert (first.opening_minor, first.closing_minor) == (0, 5_000)
    assert [line.amount_minor for line in first.lines] == [1_666, 1_667, 1_667]
    assert (second.opening_minor, second.closing_minor) == (5_000, 0)
    assert (second.sales_minor, second.refunds_minor) == (0, 10_000)
    assert wrong() == []


def test_what_comes_late_stands_in_the_next_statement(taught, cebem):
    organisation, _ana = cebem
    first = send(organisation, "2027-03", APRIL)
    collect(organisation, 7_000, date(2027, 3, 31))

    second = send(organisation, "2027-04", MAY)

    assert first.closing_minor == 5_000
    assert second.closing_minor == -2_000  # the partner owes; carried over
    assert [line.happened_on for line in second.lines] == [date(2027, 3, 31)]
    assert wrong() == []


def test_a_month_is_stated_once_and_not_before_it_is_over(taught, cebem):
    organisation, _ana = cebem
    with pytest.raises(MonthNotOver):
        send(organisation, "2027-04", APRIL)
    send(organisation, "2027-03", APRIL)
    with pytest.raises(NothingToState):
        send(organisation, "2027-03", APRIL)


def test_a_changed_statement_is_found(taught, cebem):
    organisation, _ana = cebem
    statement = send(organisation, "2027-03", APRIL)
    db.session.execute(update(StatementLine).values(amount_minor=StatementLine.amount_minor + 1))
    db.session.expire_all()

    assert {one.where.split()[0] for one in wrong()} == {organisation.slug}
    assert statement.hash != statements.hash_of(statement)


def test_a_payment_nets_what_the_partner_collected(taught, cebem):
    organisation, _ana = cebem
    collect(organisation, 2_000, date(2027, 3, 20))
    by = make_administrator()

    with clock.set_to(noon(APRIL)):
        with pytest.raises(TooMuch):
            statements.record_payment(organisation, Money(3_001, "CAD"), "T-1", by)
        statements.record_payment(organisation, Money(3_000, "CAD"), "T-1", by)
        with pytest.raises(ReferenceUsed):
            statements.record_payment(organisation, Money(1, "CAD"), "T-1", by)

    assert balance_of("Liabilities:PartnerPayable:Cebem", "CAD").minor == 0
    assert balance_of("Assets:PartnerReceivable:Cebem", "CAD").minor == 0
    assert balance_of("Assets:Bank", "CAD").minor == -3_000
    assert send(organisation, "2027-04", MAY).closing_minor == 0
    assert wrong() == []


def test_a_stranger_recomputes_the_statement_in_a_spreadsheet(taught, cebem, signed_in):
    organisation, ana = cebem
    statement = send(organisation, "2027-03", APRIL)
    db.session.commit()

    answer = signed_in(ana).get(f"/partners/statements/{statement.uuid}.csv")

    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    opening, *lines, closing = rows
    total = Decimal(opening["balance"]) + sum(Decimal(row["amount"]) for row in lines)
    assert total == Decimal(closing["balance"]) == Decimal("50.00")


def test_a_manager_contests_a_line_and_accepts_after_the_answer(taught, cebem, signed_in):
    organisation, ana = cebem
    statement = send(organisation, "2027-03", APRIL)
    db.session.commit()
    line = statement.lines[0]
    address = f"/partners/statements/{statement.uuid}"
    browser = signed_in(ana)

    assert browser.post(f"{address}/lines/{line.id}", data={"words": ""}).status_code == 422
    said = browser.post(f"{address}/lines/{line.id}", data={"words": "One learner is missing"})
    assert said.status_code == 303
    assert statement.state == "contested"
    administrator = signed_in(make_administrator())
    assert "One learner is missing" in administrator.get(address).text
    administrator.post(f"/admin{address}/lines/{line.id}", data={"words": "Paid in April"})
    assert "Paid in April" in browser.get(address).text
    assert browser.post(f"{address}/accept").status_code == 303
    assert (statement.state, statement.accepted_by) == ("accepted", ana)
    assert browser.post(f"{address}/accept").status_code == 409
    assert browser.post(f"{address}/lines/{line.id}", data={"words": "No"}).status_code == 409
    assert "2027-03" in browser.get("/partners").text


def test_an_administrator_sends_a_month_and_records_a_payment(app, cebem, signed_in):
    organisation, ana = cebem
    begins = clock.now().date() - timedelta(days=75)
    ends = begins + timedelta(days=20)
    run = make_paid_run(price=PRICE, starts_on=begins, ends_on=ends, time_zone="UTC")
    agree(run, percent(organisation, 5_000), on=begins - timedelta(days=30), managers=[ana])
    pay(run, begins - timedelta(days=5))
    teach(run, ends + timedelta(days=2))
    db.session.commit()
    browser, month = signed_in(make_administrator()), f"{ends:%Y-%m}"

    assert "CAD 50.00" in browser.get("/admin/partners/statements").text
    assert browser.post("/admin/partners/statements", data={"month": "x"}).status_code == 422
    sent = browser.post("/admin/partners/statements", data={"month": month})
    assert sent.status_code == 303
    again = browser.post("/admin/partners/statements", data={"month": month})
    assert again.status_code == 409
    data = {"partner": "cebem", "amount": "60", "currency": "CAD", "reference": "T-9"}
    assert browser.post("/admin/partners/payments", data=data).status_code == 422
    paid = browser.post("/admin/partners/payments", data=data | {"amount": "50"})
    assert paid.status_code == 303
    [statement] = db.session.query(PartnerStatement)
    assert statement.closing_minor == 5_000
    pdf = signed_in(ana).get(f"/partners/statements/{statement.uuid}.pdf")
    assert pdf.data.startswith(b"%PDF")


def test_others_read_no_statement(taught, cebem, signed_in):
    organisation, _ana = cebem
    statement = send(organisation, "2027-03", APRIL)
    db.session.commit()
    line = statement.lines[0]
    address = f"/partners/statements/{statement.uuid}"
    _college, bob = partner("college", "CA")

    for user in (bob, make_user()):
        browser = signed_in(user)
        for path in (address, f"{address}.csv", f"{address}.pdf", "/admin/partners/statements"):
            assert browser.get(path).status_code == 403
        for path in (
            f"{address}/accept",
            f"{address}/lines/{line.id}",
            f"/admin{address}/lines/{line.id}",
            "/admin/partners/statements",
            "/admin/partners/payments",
        ):
            assert browser.post(path).status_code == 403
    assert signed_in(make_administrator()).post(f"{address}/accept").status_code == 403
    assert statement.state == "sent"
