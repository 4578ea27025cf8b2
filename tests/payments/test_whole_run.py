"""37 learners, six currencies, four tiers, two partners: everything agrees with everything else.

What is expected is added up by hand from the script, with fractions, and knows no code of the
house.
"""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

import pytest
from sqlalchemy import func, select

from lms.core.db import db
from lms.courses.models import Enrolment
from lms.invoicing.models import Invoice
from lms.ledger.queries import balances
from lms.payments.models import Order, Payment, Refund, RefundState
from lms.recovery.queries.money import Wanted, list_money
from tests.payments.whole_run import FEBRUARY, MARCH, PRICES, SHARES, Learner, WholeRun, learners

pytestmark = [pytest.mark.slow, pytest.mark.needs("partners", "recovery")]

# The card service's rates into Canadian dollars, minor unit for minor unit.
RATES = {"CAD": "1", "USD": "1.36", "BOB": "0.2", "PEN": "0.36", "COP": "0.00034", "CLP": "0.145"}
DISPUTE_FEE = 1_500


def half_up(exact: Fraction) -> int:
    return int(exact + Fraction(1, 2))


def net_of(one: Learner) -> int:
    """The price without its taxes."""
    rate = sum((Fraction(percent) for percent in one.taxes.values()), Fraction())
    return half_up(Fraction(one.minor * 100) / (100 + rate))


def net_back(one: Learner) -> int:
    """What of the money that goes back is not tax: in proportion."""
    back = sum(minor for minor, _day in one.back)
    return half_up(Fraction(back * net_of(one), one.minor)) if one.minor else 0


def expected_months(people: list[Learner]) -> dict[tuple[str, str], tuple[int, int, int]]:
    """Invoiced, earned and collected by month and currency."""
    found: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for one in people:
        if not one.minor:
            continue
        found[FEBRUARY, one.currency][0] += one.minor
        found[FEBRUARY, one.currency][2] += one.minor
        for minor, day in one.back:
            month = found[f"{day:%Y-%m}", one.currency]
            month[0] -= minor
            month[2] -= minor
        if not one.moves:
            found[MARCH, one.currency][1] += net_of(one) - net_back(one)
    return {key: (a, b, c) for key, (a, b, c) in found.items() if (a, b, c) != (0, 0, 0)}


def expected_shares(people: list[Learner], slug: str) -> dict[str, int]:
    """What a partner has earned, by currency: of what was kept of each sale."""
    found: dict[str, int] = defaultdict(int)
    for one in people:
        net = net_of(one)
        if net and not one.moves:
            whole = net * SHARES[slug] // 10_000
            found[one.currency] += whole * (net - net_back(one)) // net
    return {currency: minor for currency, minor in found.items() if minor}


def in_dollars(one: Learner, minor: int) -> int:
    return round(minor * Fraction(RATES[one.currency]))


def expected_at_bank(people: list[Learner]) -> int:
    """What the card service paid out: what came in, less its fees and what went back."""
    total = -DISPUTE_FEE
    for one in people:
        if one.rail == "stripe" and one.minor:
            taken = in_dollars(one, one.minor)
            total += taken - round(taken * Fraction(29, 1000)) - 30
            total -= sum(in_dollars(one, minor) for minor, _day in one.back)
    return total


def expected_taxes(people: list[Learner]) -> dict[str, int]:
    """Tax that is owed, by jurisdiction: within one cent of its rate for each sale."""
    found: dict[str, int] = defaultdict(int)
    for one in people:
        left = one.minor - net_of(one) - (sum(minor for minor, _day in one.back) - net_back(one))
        parts = {code: Fraction(percent) for code, percent in one.taxes.items()}
        shared = {code: half_up(left * part / sum(parts.values())) for code, part in parts.items()}
        assert sum(shared.values()) == left or not shared
        for code, minor in shared.items():
            found[code] += minor
    return dict(found)


def told_by_sums() -> dict[tuple[str, str], tuple[int, int, int]]:
    """What the reports of cost recovery read."""
    rows = db.session.execute(list_money(["month"], Wanted())).all()
    told = {(row[0], row[1]): tuple(int(minor) for minor in row[2:]) for row in rows}
    return {key: row for key, row in told.items() if any(row)}


def told_by_invoices() -> dict[tuple[str, str], int]:
    """Invoices less credit notes, by the month they were issued in."""
    told: dict[tuple[str, str], int] = defaultdict(int)
    for one in db.session.scalars(select(Invoice)):
        way = -1 if one.kind == "credit_note" else 1
        told[f"{one.issued_on:%Y-%m}", one.currency] += way * one.gross_minor
    return {key: minor for key, minor in told.items() if minor}


def told_by_payments() -> dict[tuple[str, str], int]:
    """Payments less refunds, each in the month of its own day."""
    told: dict[tuple[str, str], int] = defaultdict(int)
    for paid in db.session.scalars(select(Payment)):
        told[f"{paid.received_at:%Y-%m}", paid.currency] += paid.amount_minor
    for back in db.session.scalars(select(Refund).where(Refund.state == RefundState.DONE)):
        told[f"{back.done_at:%Y-%m}", back.currency] -= back.amount_minor
    return {key: minor for key, minor in told.items() if minor}


def taxes_told() -> dict[str, int]:
    return {
        one.account.partition("Tax:")[2]: one.amount.minor
        for one in balances()
        if ":Tax:" in one.account
    }


def states_of(model, *where) -> dict[str, int]:
    rows = db.session.execute(select(model.state, func.count()).where(*where).group_by(model.state))
    return dict(rows.all())


@pytest.fixture
def played(stripe) -> WholeRun:
    with stripe.double.store.change() as change:
        change.connection.execute("DELETE FROM things")
    script = WholeRun(stripe, learners())
    script.play()
    db.session.expire_all()
    return script


def test_a_whole_run_is_explained_to_the_cent_whoever_adds_it_up(app, played):
    people, script = played.people, played
    months = expected_months(people)

    assert [one.order.total_minor for one in people] == [one.minor for one in people]
    assert {one.order.quote.tier for one in people} == {tier for tier, _currency in PRICES}
    assert told_by_sums() == months
    assert told_by_invoices() == {key: row[0] for key, row in months.items() if row[0]}
    assert told_by_payments() == {key: row[2] for key, row in months.items() if row[2]}
    assert taxes_told() == expected_taxes(people)
    assert states_of(Order) == {"paid": 31, "partially_refunded": 3, "refunded": 3}
    assert states_of(Enrolment, Enrolment.run_id == script.run.id) == {
        "active": 31, "withdrawn": 5, "refunded": 1
    }  # fmt: skip
    assert states_of(Enrolment, Enrolment.run_id == script.later.id) == {"active": 1}

    for slug in SHARES:
        stated = {
            currency: found.closing_minor
            for (whose, currency), found in script.statements.items()
            if whose == slug
        }
        assert stated == expected_shares(people, slug)
    assert {
        currency: found.refunds_minor
        for (slug, currency), found in script.statements.items()
        if slug == "cebem" and found.refunds_minor
    } == {"CAD": 18_500, "PEN": 18_225, "CLP": 140_000}

    held = {f"{one.account} {one.currency}": one.amount.minor for one in balances()}
    assert sum(script.payouts) == expected_at_bank(people)
    paid_on = expected_shares(people, "cebem")["CAD"]
    assert held["Assets:Bank CAD"] == expected_at_bank(people) - paid_on
    assert held["Assets:Bank BOB"] == 2 * 31_000
    assert held["Liabilities:Deferred COP"] == 30_000_000  # who moved to the next run
    for code in RATES:
        assert held.get(f"Assets:Receivable {code}", 0) == 0
        assert held.get(f"Assets:Clearing:Stripe {code}", 0) == 0

    answer = app.test_cli_runner().invoke(args=["ledger", "check"])
    assert "Everything is explained" in answer.output
    assert answer.exit_code == 0

    people[5].order.payments[0].amount_minor += 1  # and one cent too much is seen
    db.session.commit()
    answer = app.test_cli_runner().invoke(args=["ledger", "check"])
    assert answer.exit_code == 1
    assert "payment" in answer.output
