"""A scholarship at the checkout, in the ledger, and back in its fund."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from lms.core import clock
from lms.core.db import db
from lms.core.events import emit
from lms.core.money import Money
from lms.courses.events import CourseRunCancelled
from lms.courses.models import Enrolment
from lms.invoicing.models import Invoice
from lms.ledger.accounts import Account
from lms.ledger.queries import balances
from lms.ledger.services.check import unexplained
from lms.payments.grant_models import OrderGrant
from lms.payments.models import Order, OrderState, RefundReason
from lms.payments.services import leaving, orders, payments, refunds
from lms.payments.services.bookkeeping import book_missing, earn_weeks
from lms.scholarships.jobs import expire_awards
from lms.scholarships.models import Application, Fund
from lms.scholarships.queries import today
from lms.scholarships.services import applications
from tests.factories.accounts import make_administrator, make_user
from tests.factories.invoicing import make_seller
from tests.factories.payments import make_voucher, set_bank_account
from tests.factories.pricing import make_amounts, make_tiers
from tests.factories.scholarships import make_award, make_fund, make_priced_run
from tests.payments.checkout_steps import place_order, quote_in

CAD = "CAD"


@pytest.fixture(autouse=True)
def seller(app):
    make_tiers()
    make_seller()
    set_bank_account()


def buy(award, **values):
    order = orders.place_order(award.run, award.user, "bank_transfer", country="BO", **values)
    db.session.flush()
    return order


def pay(order, reference="pi_1"):
    return payments.take_payment(order, "bank_transfer", reference, order.total)


def held(fund):
    db.session.refresh(fund)
    return fund.balance_minor, fund.reserved_minor


def told():
    """What the ledger holds in each kind of account, as it is read."""
    found = {}
    for one in balances():
        name = ":".join(one.account.split(":")[:2])
        found[name] = found.get(name, 0) + one.amount.minor
    return {name: minor for name, minor in found.items() if minor}


def check():
    return [(str(one.what), one.where) for one in unexplained()]


# At the checkout


def test_the_whole_price_is_paid_by_the_fund_and_the_learner_studies_at_once(app, signed_in):
    fund = make_fund(20_000, name={"en": "Andes fund"})
    award = make_award(fund, make_priced_run())
    browser = signed_in(award.user)

    page = browser.get(f"/checkout/{award.run.uuid}").text
    assert "Scholarship: Andes fund, given by Ana Giver" in page
    assert "−CAD 120.00" in page
    answer = place_order(browser, award.run, {"country": "BO"})

    assert answer.status_code == 303
    order = db.session.scalars(select(Order)).one()
    assert (order.state, order.total_minor, order.discount_minor) == ("paid", 0, 12_000)
    assert db.session.scalars(select(Enrolment.state)).one() == "active"
    assert db.session.scalars(select(Application.state)).one() == "used"
    assert held(fund) == (8_000, 0)
    assert told() == {
        "Assets:Bank": 20_000,
        "Liabilities:Fund": 8_000,
        "Liabilities:Deferred": 12_000,
    }
    assert check() == []


def test_who_cannot_pay_at_all_enrols_with_the_whole_scholarship(app, signed_in):
    run, ana = make_priced_run(), make_user(country="CU")
    fund = make_fund()
    browser = signed_in(ana)
    refused = browser.get(f"/checkout/{run.uuid}").text
    assert f"/scholarships/apply/{run.uuid}" in refused
    assert "Enrol now" not in refused
    make_award(fund, run, ana)

    answer = place_order(browser, run, {"country": "CU"})

    assert answer.status_code == 303
    assert db.session.scalars(select(Enrolment.state)).one() == "active"


def test_a_part_is_paid_by_the_fund_and_the_rest_by_the_buyer(app):
    fund = make_fund(20_000)
    award = make_award(fund, make_priced_run(), percent=75)

    order = buy(award)
    assert (order.total, award.state) == (Money(3_000, CAD), "used")
    assert held(fund) == (20_000, 9_000)
    pay(order)

    assert held(fund) == (11_000, 0)
    assert told() == {
        "Assets:Bank": 23_000,
        "Liabilities:Fund": 11_000,
        "Liabilities:Deferred": 12_000,
    }
    [invoice] = db.session.scalars(select(Invoice)).all()
    assert invoice.gross == Money(3_000, CAD)
    assert check() == []


def test_revenue_of_the_weeks_is_of_the_whole_price(app):
    start = clock.now().date() - timedelta(days=40)
    run = make_priced_run(starts_on=start, ends_on=start + timedelta(days=27))
    with clock.set_to(run.starts_at - timedelta(days=5)):
        award = make_award(make_fund(20_000), run, percent=75)
        pay(buy(award))

    earn_weeks(run)

    assert told()["Income:Courses"] == 12_000
    assert "Liabilities:Deferred" not in told()
    assert check() == []


def test_the_better_of_voucher_and_scholarship_counts_alone(app, signed_in):
    award = make_award(make_fund(), make_priced_run(), percent=50)
    make_voucher("BETTER", percent=60)
    browser = signed_in(award.user)

    page = browser.post(
        f"/checkout/{award.run.uuid}", data={"country": "BO", "voucher": "BETTER", "apply": "1"}
    ).text
    assert "Not used, because it would not lower the price further: Scholarship" in page
    order = buy(award, voucher_code="BETTER")

    assert order.total == Money(4_800, CAD)
    assert award.state == "awarded"
    assert db.session.get(OrderGrant, order.id) is None


def test_a_price_that_rose_is_covered_as_far_as_the_fund_reaches(app):
    run = make_priced_run()
    rich, poor = make_award(make_fund(50_000), run), make_award(make_fund(12_500), run)
    make_amounts(run, "CAD", high=12_000, upper_middle=12_000, lower_middle=12_000, low=12_000)
    run.price = Money(13_000, CAD)
    db.session.flush()

    assert buy(rich).total == Money(0, CAD)
    assert buy(poor).total == Money(500, CAD)

    assert held(rich.fund) == (37_000, 0)
    assert held(poor.fund) == (12_500, 12_500)
    assert check() == []


def test_the_currency_of_the_scholarship_is_proposed(app, signed_in):
    run, rosa = make_priced_run(), make_user(country="BO")
    make_amounts(run, "BOB", high=90_000, upper_middle=45_000, lower_middle=27_000, low=10_000)
    make_award(make_fund(), run, rosa)
    browser = signed_in(rosa)

    assert "Scholarship: " in browser.get(f"/checkout/{run.uuid}").text
    other = browser.post(
        f"/checkout/{run.uuid}", data={"country": "BO", "currency": "BOB", "apply": "1"}
    )
    assert "You have a scholarship in CAD" in other.text
    assert "BOB 900.00" in other.text


def test_an_award_that_was_taken_back_meanwhile_changes_the_price_before_anything_is_charged(
    app, signed_in
):
    award = make_award(make_fund(), make_priced_run())
    browser = signed_in(award.user)
    quote = quote_in(browser.get(f"/checkout/{award.run.uuid}").text)
    applications.take_back(award, "A mistake.", make_administrator())
    db.session.commit()

    answer = browser.post(
        f"/checkout/{award.run.uuid}",
        data={"country": "BO", "quote": quote, "gateway": "bank_transfer"},
    )

    assert answer.status_code == 409
    assert "The price is not the one you were shown any more" in answer.text
    assert not db.session.scalars(select(Order)).all()


# Orders that come to nothing


def test_an_order_that_is_given_up_gives_its_award_back(app):
    award = make_award(make_fund(20_000), make_priced_run(), percent=50)
    order = buy(award)

    orders.cancel_order(order)

    assert (award.state, award.reserved_minor) == ("awarded", 6_000)
    assert held(award.fund) == (20_000, 6_000)
    again = buy(award)
    assert again.total == Money(6_000, CAD)
    pay(again)
    assert held(award.fund) == (14_000, 0)
    assert check() == []


def test_an_open_order_is_taken_up_again_with_its_award(app):
    award = make_award(make_fund(20_000), make_priced_run(), percent=50)

    first, second = buy(award), buy(award)

    assert (second.id, award.state) == (first.id, "used")


def test_who_pays_after_giving_up_still_has_the_scholarship(app):
    award = make_award(make_fund(20_000), make_priced_run(), percent=50)
    order = buy(award)
    orders.cancel_order(order)

    pay(order)

    assert (order.state, award.state, held(award.fund)) == ("paid", "used", (14_000, 0))
    assert check() == []


def test_who_pays_when_the_fund_gave_the_money_to_others_has_the_place_all_the_same(app):
    run = make_priced_run()
    award = make_award(make_fund(6_000), run, percent=50)
    order = buy(award)
    orders.cancel_order(order)
    with clock.set_to(clock.now() + timedelta(days=40)):
        expire_awards()
    make_award(award.fund, run, percent=50)

    pay(order)

    assert (order.state, award.state) == ("paid", "expired")
    assert told()["Liabilities:Deferred"] == 6_000
    assert held(award.fund) == (6_000, 6_000)
    assert check() == []


# Money that goes back


def settle(order, minor, reference="re_1"):
    [payment] = order.payments
    amount = Money(minor, order.currency)
    refund = refunds.request_refund(payment, amount, RefundReason.BY_ADMINISTRATOR)
    refunds.settle_refund(refund, reference)
    return refund


def test_the_fund_gets_its_part_back_in_proportion(app):
    award = make_award(make_fund(20_000), make_priced_run(), percent=75)
    order = buy(award)
    pay(order)

    settle(order, 1_000)
    assert held(award.fund) == (11_000 + 3_000, 0)
    settle(order, 2_000, "re_2")

    assert (order.state, held(award.fund)) == ("refunded", (20_000, 0))
    assert told() == {"Assets:Bank": 20_000, "Liabilities:Fund": 20_000}
    assert check() == []


def test_a_refund_that_did_not_arrive_takes_the_part_from_the_fund_again(app):
    award = make_award(make_fund(20_000), make_priced_run(), percent=75)
    order = buy(award)
    pay(order)
    refund = settle(order, 1_500)
    assert held(award.fund) == (15_500, 0)

    refunds.fail_refund(refund, "account closed")

    assert (order.state, held(award.fund)) == ("paid", (11_000, 0))
    assert told()["Liabilities:Deferred"] == 12_000
    assert check() == []


def test_a_fund_that_gave_the_money_to_others_meanwhile_is_not_overdrawn(app):
    run = make_priced_run()
    award = make_award(make_fund(9_000), run, percent=75)
    order = buy(award)
    pay(order)
    refund = settle(order, 2_000)
    make_award(award.fund, run, percent=50)

    refunds.fail_refund(refund, "account closed")

    assert held(award.fund) == (6_000, 6_000)
    assert told()["Liabilities:Deferred"] == 3_000 + 3_000
    assert check() == []


def test_a_run_that_does_not_take_place_gives_all_back_to_fund_and_buyer(app, run_jobs):
    run = make_priced_run()
    fund = make_fund(40_000)
    whole, part = make_award(fund, run), make_award(fund, run, percent=50)
    buy(whole)
    order = buy(part)
    pay(order)

    emit(CourseRunCancelled(run))
    emit(CourseRunCancelled(run))
    refunds.refund_order(order, RefundReason.RUN_CANCELLED)
    for refund in order.refunds:
        refunds.settle_refund(refund, "re_1")

    assert held(fund) == (40_000, 0)
    assert told() == {"Assets:Bank": 40_000, "Liabilities:Fund": 40_000}
    assert check() == []


def test_who_leaves_a_place_that_a_fund_paid_gives_back_what_is_not_taught(app, signed_in):
    start = clock.now().date() + timedelta(days=10)
    run = make_priced_run(starts_on=start, ends_on=start + timedelta(days=27))
    award = make_award(make_fund(20_000), run)
    order = buy(award)
    page = signed_in(award.user).get(f"/orders/{order.uuid}/leave").text
    assert "goes back to its fund by the same rule" in page

    with clock.set_to(run.starts_at + timedelta(days=7, hours=1)):
        earn_weeks(run)
        leaving.leave_run(order, Money(0, CAD))

    # a quarter was taught; of the 90.00 that are left a tenth is kept
    assert held(award.fund) == (8_000 + 8_100, 0)
    assert order.state == OrderState.PARTIALLY_REFUNDED
    assert check() == []


def test_a_paid_order_without_its_entry_is_found_and_told(app):
    award = make_award(make_fund(20_000), make_priced_run())
    order = buy(award)
    db.session.execute(update(OrderGrant).values(booked_at=None))
    db.session.execute(update(Fund).values(balance_minor=19_999))
    db.session.expire_all()
    assert ("fund and ledger differ", award.fund.account) in check()
    db.session.execute(update(OrderGrant).values(given_back_minor=1))
    db.session.expire_all()

    assert ("scholarship and sale differ", f"order:{order.number}") in check()
    assert book_missing() == 1


def test_the_last_day_is_kept_while_an_order_is_open(app):
    award = make_award(make_fund(20_000), make_priced_run(), percent=50, expires_on=today())
    order = buy(award)

    with clock.set_to(clock.now() + timedelta(days=1)):
        expire_awards()
        assert award.state == "used"
        orders.close_order(order, OrderState.EXPIRED)
        expire_awards()

    assert (award.state, held(award.fund)) == ("expired", (20_000, 0))
    assert Account.FUND.of(award.fund.key) == award.fund.account
