"""Learners beside money, tiers, ageing, tax, funds, partners: each small report tells the truth."""

from __future__ import annotations

import csv
from datetime import timedelta
from io import StringIO

import pytest

from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.ledger.accounts import Account
from lms.ledger.models import LedgerCheckRun
from lms.ledger.services.entries import post
from lms.payments.models import OrderState
from lms.payments.queries import dues as due_queries
from lms.payments.services.dues import Part, keep_parts
from lms.pricing.models import Quote
from lms.recovery.reports import REPORTS
from tests.factories.accounts import make_user
from tests.factories.certificates import make_credential
from tests.factories.payments import make_order
from tests.recovery.conftest import MONDAY

FEBRUARY = MONDAY - timedelta(days=9)


@pytest.fixture
def rows(admin, signed_in):
    """A report as its CSV: rows by the English heads."""
    browser = signed_in(admin)

    def read(name: str, query: str = "period=all") -> list[dict[str, str]]:
        answer = browser.get(f"/admin/reports/{name}/csv?{query}")
        assert answer.status_code == 200
        return list(csv.DictReader(StringIO(answer.text.removeprefix("\ufeff"))))

    return read


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.name)
def test_each_report_opens_empty_and_not_for_others(report, admin, signed_in):
    path = f"/admin/reports/{report.name}?period=all"
    assert signed_in(make_user()).get(path).status_code == 403
    assert signed_in(admin).get(path).status_code == 200


def test_learners_stand_beside_money(run, pay, rows):
    first, second = pay(run, FEBRUARY), pay(run, FEBRUARY)
    for order in (first, second):
        order.enrolment.last_seen_at = clock.now()
    first.enrolment.completed_at = clock.now()
    make_credential(first.enrolment)

    [row] = rows("recovery-learners")
    assert [row[k] for k in ("Enrolled", "Started", "Completed", "Certified")] == list("2211")
    assert (row["Invoiced, CAD"], row["For each learner, CAD"]) == ("200.00", "100.00")


def test_tiers_say_who_carries_whom(run, rows):
    def order(tier: str, minor: int) -> None:
        quote = Quote(
            run_id=run.id, tier=tier, currency="CAD", price_minor=minor, total_minor=minor,
            steps=[], expires_at=clock.now(),
        )  # fmt: skip
        db.session.add(quote)
        db.session.flush()
        make_order(
            run, state=OrderState.PAID, paid_at=clock.now(), quote_id=quote.id,
            amount_minor=minor, total_minor=minor,
        )  # fmt: skip

    order("high", 10_000)
    order("lower_middle", 3_000)
    order("lower_middle", 3_000)

    found = {row["Tier"]: row for row in rows("recovery-tiers")}
    poor = found["Lower middle income"]
    assert (poor["Orders"], poor["By the list price"], poor["Charged"]) == ("2", "200.00", "60.00")
    assert (poor["Part of the list price"], poor["Carried by others"]) == ("0.3", "140.00")
    assert found["High income"]["Carried by others"] == "0.00"


def test_what_is_owed_grows_old(rows):
    for number, days in enumerate((1, 40, 200), start=1):
        amount = Money(1_000 * number, "CAD")
        day = clock.now().date() - timedelta(days=days)
        accounts = {Account.RECEIVABLE: amount, Account.DEFERRED: -amount}
        post("sale", f"order:{number}", day, accounts, about=f"order:P-{number}")
    paid = Money(1_000, "CAD")
    post(
        "payment", "payment:1", clock.now().date(),
        {Account.BANK: paid, Account.RECEIVABLE: -paid}, about="order:P-1",
    )  # fmt: skip

    ages = [(row["Age"], row["Owed"]) for row in rows("recovery-ageing", "")]
    assert ages == [("31 to 60 days late", "20.00"), ("more than 90 days late", "30.00")]
    assert [row["Order or invoice"] for row in rows("recovery-owed", "age=e-more")] == ["P-3"]


def test_what_is_due_later_is_not_late_and_each_part_has_its_day(rows):
    today = due_queries.today()
    day = today - timedelta(days=50)
    order = make_order(
        state=OrderState.OWED, delivered_at=clock.now(), amount_minor=9_000, total_minor=9_000,
    )  # fmt: skip
    days = (day, today - timedelta(days=20), today, today + timedelta(days=1))
    amounts = (1_000, 2_000, 3_000, 3_000)
    keep_parts(order, [Part(d, Money(m, "CAD")) for d, m in zip(days, amounts, strict=True)])
    due_queries.dues_of(order)[0].paid_minor = 1_000
    owed, about = Money(8_500, "CAD"), f"order:{order.number}"  # 500 more than the parts say
    post("sale", "order:1", day, {Account.RECEIVABLE: owed, Account.DEFERRED: -owed}, about=about)

    heads = ("Age", "Orders and invoices", "Owed")
    found = [tuple(row[head] for head in heads) for row in rows("recovery-ageing", "")]
    assert found == [
        ("not due yet", "1", "60.00"),
        ("1 to 30 days late", "1", "20.00"),
        ("31 to 60 days late", "1", "5.00"),
    ]
    late = rows("recovery-owed", "age=b-30")
    assert [(row["Due on"], row["Owed"]) for row in late] == [(days[1].isoformat(), "20.00")]


def test_tax_funds_and_partners_are_read_from_their_accounts(rows):
    tax, gift, share = Money(1_300, "CAD"), Money(50_000, "CAD"), Money(4_000, "BOB")
    post("sale", "t:1", FEBRUARY, {Account.RECEIVABLE: tax, Account.TAX.of("CA-ON"): -tax})
    post("explained", "t:2", FEBRUARY, {Account.BANK: gift, Account.FUND.of("andes"): -gift})
    post("explained", "t:3", MONDAY, {Account.FUND.of("andes"): Money(20_000, "CAD"),
                                      Account.RECEIVABLE: -Money(20_000, "CAD")})  # fmt: skip
    post("explained", "t:4", MONDAY, {Account.PARTNER_SHARE: share,
                                      Account.PARTNER_PAYABLE.of("centro"): -share})  # fmt: skip

    [sheet] = rows("recovery-tax")
    assert (sheet["Month"], sheet["Came in"], sheet["Balance"]) == ("2027-02-01", "13.00", "13.00")
    [fund] = rows("recovery-funds")
    assert (fund["Paid in"], fund["Used"], fund["In the fund"]) == ("500.00", "200.00", "300.00")
    [late] = rows("recovery-funds", f"first={MONDAY}&last={MONDAY + timedelta(days=20)}")
    assert (late["Paid in"], late["Used"], late["In the fund"]) == ("0.00", "200.00", "300.00")
    [partner] = rows("recovery-partners")
    assert (partner["Currency"], partner["Balance"]) == ("BOB", "40.00")


def test_unexplained_money_is_a_figure(rows):
    one = {"what": "sum differs from its entries", "where": "x", "amount": None}
    for found in ([], [one, one]):
        db.session.add(LedgerCheckRun(made_at=clock.now(), unexplained=found))
    db.session.flush()

    assert [row["Not explained"] for row in rows("recovery-unexplained")] == ["2", "0"]
