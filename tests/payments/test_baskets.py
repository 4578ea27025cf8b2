"""Several courses are paid at once, and each stays an order of its own."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest

from lms.core import clock
from lms.core.db import db
from lms.core.money import Money, in_proportion
from lms.courses.models import Enrolment, EnrolmentState
from lms.ledger.services import check
from lms.payments import jobs, queries
from lms.payments.models import Order, Payment, PaymentException, Purchase, RefundReason
from lms.payments.movement_models import Dispute, GatewayMovement
from lms.payments.services import orders, purchases, refunds
from tests.factories.accounts import make_user
from tests.factories.courses import make_enrolment
from tests.factories.payments import make_paid_run, make_voucher
from tests.factories.scholarships import make_award, make_fund

pytestmark = pytest.mark.slow


@pytest.fixture
def runs(app):
    """Two courses, for 120 and for 80 dollars."""
    return [make_paid_run(), make_paid_run(price=Money(8_000, "CAD"))]


@pytest.fixture
def buyer(app):
    return make_user(country="CA")


@pytest.fixture
def browser(stripe, buyer, signed_in, runs):
    """The buyer's browser, with both courses in the basket."""
    with stripe.double.store.change() as change:  # what other tests left at the service
        change.connection.execute("DELETE FROM things")
    browser = signed_in(buyer)
    for run in runs:
        assert browser.post(f"/basket/runs/{run.uuid}").status_code == 303
    return browser


def order_all(browser, **typed: str):
    """Look at the basket with what is typed, then go on to pay just that."""
    data = {"country": "BO", "currency": "CAD", "gateway": "stripe"} | typed
    page = browser.post("/basket", data=data | {"apply": "1"})
    found = re.search(r'name="quotes"[^>]*value="([^"]*)"', page.text)
    return browser.post("/basket", data={"quotes": html.unescape(found[1])} | data)


def states() -> list[str]:
    db.session.expire_all()
    return [order.state for order in db.session.query(Order).order_by(Order.id)]


def test_one_payment_enrols_in_all_of_them(browser, stripe, runs, buyer):
    answer = order_all(browser)
    stripe.pay(answer.location)
    stripe.deliver()
    stripe.deliver()

    assert states() == ["paid", "paid"]
    assert [one.amount_minor for one in db.session.query(Payment).order_by(Payment.id)] == [
        12_000, 8_000,
    ]  # fmt: skip
    assert {one.state for one in db.session.query(Enrolment)} == {EnrolmentState.ACTIVE}
    assert len({order.receipt.number for order in db.session.query(Order)}) == 2
    assert "Your basket is empty" in browser.get("/basket").text
    purchase = db.session.query(Purchase).one()
    assert "Everything is yours" in browser.get(f"/purchases/{purchase.uuid}").text
    jobs.sync_movements()
    assert not check.unexplained()


def test_the_card_service_shows_each_course(browser, stripe):
    answer = order_all(browser)

    session = stripe.double.get(answer.location.rsplit("/", 1)[1])
    assert session["amount_total"] == 20_000


def test_movements_fees_and_a_payout_are_divided_to_the_cent(browser, stripe, runs):
    stripe.pay(order_all(browser).location)
    stripe.deliver()
    stripe.double.pay_out()
    jobs.sync_movements()
    jobs.sync_movements()

    rows = db.session.query(GatewayMovement).filter_by(kind="payment").all()
    assert sum(row.amount_minor for row in rows) == 20_000
    assert sum(row.fee_minor for row in rows) == round(20_000 * 0.029) + 30
    assert {row.payment.order.run_id for row in rows} == {run.id for run in runs}
    assert {row.payout for row in rows} != {None}
    assert not check.unexplained()


def test_a_lost_message_is_found_by_its_movement(browser, stripe):
    stripe.pay(order_all(browser).location)

    jobs.sync_movements()  # no message came
    stripe.deliver()  # and all of them come late

    assert states() == ["paid", "paid"]
    assert db.session.query(Payment).count() == 2
    assert not check.unexplained()


def test_one_course_is_left_and_the_others_stay(browser, stripe):
    stripe.pay(order_all(browser).location)
    stripe.deliver()
    first, second = db.session.query(Order).order_by(Order.id)

    [refund] = refunds.refund_order(first, RefundReason.BY_BUYER)
    db.session.commit()
    jobs.refund(refund.id)
    stripe.deliver()
    jobs.sync_movements()

    assert states() == ["refunded", "paid"]
    assert [payment.refunded_minor for payment in second.payments] == [0]
    assert not check.unexplained()


def test_money_given_back_in_the_services_own_pages_is_taken_up_with_its_movement(browser, stripe):
    stripe.pay(order_all(browser).location)
    stripe.deliver()
    intent = db.session.query(Payment).first().reference.partition("/")[0]
    stripe.double.create_refund({"payment_intent": intent, "amount": 15_000})
    stripe.deliver()
    jobs.sync_movements()

    assert states() == ["refunded", "partially_refunded"]
    assert not check.unexplained()


def test_a_dispute_takes_all_of_it(browser, stripe):
    stripe.pay(order_all(browser).location, card="4000000000000259")
    stripe.deliver()
    jobs.sync_movements()
    [reference] = {one.reference.partition("/")[0] for one in db.session.query(Dispute)}
    stripe.double.close_dispute(reference, won=False)
    stripe.deliver()
    jobs.sync_movements()

    assert states() == ["refunded", "refunded"]
    assert sum(one.amount_minor for one in db.session.query(Dispute)) == 20_000
    assert not check.unexplained()


def test_another_sum_than_the_orders_ask_for_enrols_nobody(browser, stripe):
    order_all(browser)
    purchase = db.session.query(Purchase).one()

    purchases.take_money(purchase, "stripe", "pi_odd", Money(19_999, "CAD"))
    purchases.take_money(purchase, "stripe", "pi_odd", Money(19_999, "CAD"))

    [payment] = db.session.query(Payment)
    assert payment.exception == PaymentException.AMOUNT_DIFFERS
    assert states() == ["pending", "pending"]


def test_one_of_them_given_up_leaves_the_rest_at_a_page_of_its_own(browser, stripe):
    page = order_all(browser).location
    first, second = db.session.query(Order).order_by(Order.id)
    browser.post(f"/orders/{first.uuid}/cancel")

    assert states() == ["cancelled", "pending"]
    purchase = db.session.query(Purchase).one()
    assert purchase.gateway_url is None
    again = browser.post(f"/purchases/{purchase.uuid}/pay").location
    assert again != page
    stripe.pay(again)
    stripe.deliver()
    assert states() == ["cancelled", "paid"]
    assert db.session.get(Order, second.id).enrolment.may_study
    assert not check.unexplained()


def test_a_declined_card_is_told_and_another_one_pays(browser, stripe):
    page = order_all(browser).location
    stripe.pay(page, card="4000000000000002")
    stripe.deliver()
    purchase = db.session.query(Purchase).one()
    assert "did not go through" in browser.get(f"/purchases/{purchase.uuid}").text

    stripe.pay(browser.post(f"/purchases/{purchase.uuid}/pay").location)
    stripe.deliver()

    assert states() == ["paid", "paid"]


def test_all_of_it_is_given_up_when_time_is_over(browser, stripe):
    order_all(browser)
    with clock.set_to(clock.now() + timedelta(hours=1)):
        for order in db.session.query(Order):
            orders.expire_order(order)
    db.session.commit()

    assert states() == ["expired", "expired"]
    assert {one.state for one in db.session.query(Enrolment)} == {EnrolmentState.EXPIRED}


def test_a_full_course_is_named_and_nothing_is_ordered(browser, runs, buyer):
    runs[1].capacity = 1
    make_enrolment(runs[1])
    db.session.commit()

    answer = order_all(browser)

    assert answer.status_code == 409
    assert f"{runs[1].course.title['en']}: " in answer.text
    assert states() == []
    assert len(queries.basket_of(buyer)) == 2


def test_a_price_that_changed_meanwhile_is_shown_again(browser, runs):
    data = {"country": "BO", "currency": "CAD", "gateway": "stripe"}
    page = browser.post("/basket", data=data | {"apply": "1"})
    found = re.search(r'name="quotes"[^>]*value="([^"]*)"', page.text)
    runs[0].price = Money(12_500, "CAD")
    db.session.commit()

    answer = browser.post("/basket", data=data | {"quotes": html.unescape(found[1])})

    assert answer.status_code == 409
    assert states() == []


def test_a_voucher_for_one_use_lowers_one_course(browser, stripe):
    voucher = make_voucher(percent=50, max_uses=1)
    stripe.pay(order_all(browser, voucher=voucher.code).location)
    stripe.deliver()

    assert sorted(order.total_minor for order in db.session.query(Order)) == [6_000, 8_000]
    assert states() == ["paid", "paid"]


def test_a_voucher_for_everything_enrols_without_a_payment(browser):
    voucher = make_voucher(percent=100)

    answer = order_all(browser, voucher=voucher.code)

    assert "/purchases/" in answer.location
    assert states() == ["paid", "paid"]
    assert db.session.query(Payment).count() == 0


def test_a_voucher_that_fits_nothing_says_why_and_keeps_what_was_typed(browser):
    page = browser.post("/basket", data={"voucher": "NO-SUCH", "country": "BO", "apply": "1"})

    assert page.status_code == 422
    assert "NO-SUCH" in page.text


def test_what_is_taken_out_is_gone_and_strangers_take_out_nothing(browser, buyer, signed_in):
    [first, second] = queries.basket_of(buyer)
    signed_in(make_user()).post(f"/basket/lines/{first.id}/remove")
    assert len(queries.basket_of(buyer)) == 2

    browser.post(f"/basket/lines/{first.id}/remove")

    assert [line.id for line in queries.basket_of(buyer)] == [second.id]


def test_nobody_sees_or_pays_what_another_buys(browser, signed_in):
    order_all(browser)
    purchase = db.session.query(Purchase).one()
    stranger = signed_in(make_user())

    assert stranger.get(f"/purchases/{purchase.uuid}").status_code == 403
    assert stranger.get(f"/purchases/{purchase.uuid}/state").status_code == 403
    assert stranger.post(f"/purchases/{purchase.uuid}/pay").status_code == 403
    assert stranger.post(f"/purchases/{purchase.uuid}/check").status_code == 403


def test_a_scholarship_pays_its_course_in_a_basket(browser, buyer, runs, stripe):
    award = make_award(make_fund(), runs[0], buyer)

    answer = order_all(browser)

    assert answer.status_code == 303
    totals = [order.total_minor for order in db.session.query(Order).order_by(Order.id)]
    assert (totals, award.state) == ([0, 8_000], "used")


def test_more_lines_ask_few_more_questions(browser, count_queries):
    before = count_queries()
    browser.get("/basket")
    two = count_queries() - before
    for _number in range(3):
        browser.post(f"/basket/runs/{make_paid_run().uuid}")

    before = count_queries()
    browser.get("/basket")

    assert count_queries() - before <= two + 3


def test_a_basket_is_full_at_some_point(browser):
    answers = [browser.post(f"/basket/runs/{make_paid_run().uuid}").status_code for _n in range(9)]

    assert answers == [303] * 8 + [409]


@pytest.mark.sqlite
@pytest.mark.parametrize("minor", [0, 1, 99, 100, -7, 10_001])
def test_parts_add_up_to_the_whole(minor):
    parts = in_proportion(Money(minor, "CAD"), [3, 3, 1])

    assert sum(part.minor for part in parts) == minor


def test_all_of_it_paid_twice_goes_back_once(browser, stripe, run_jobs):
    first = order_all(browser).location
    purchase = db.session.query(Purchase).one()
    orders.forget_page(purchase)
    db.session.commit()
    second = browser.post(f"/purchases/{purchase.uuid}/pay").location
    stripe.pay(second)
    stripe.pay(first)  # in another window
    stripe.deliver()
    run_jobs()
    stripe.deliver()
    jobs.sync_movements()

    paid = [one for one in db.session.query(Payment) if not one.exception]
    assert sum(one.amount_minor for one in paid) == 20_000
    assert states() == ["paid", "paid"]
    assert not check.unexplained()
