"""The fee of a portfolio: paid once, given back by one rule, waived with a reason."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import select

from lms.core import clock
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.models import AuditEntry
from lms.core.money import Money
from lms.invoicing.models import Invoice, InvoiceKind
from lms.ledger.kinds import Difference
from lms.ledger.queries import balances
from lms.ledger.services import check
from lms.payments import queries as paying
from lms.payments.models import OrderState, RefundReason
from lms.payments.products import products
from lms.payments.services import orders, payments, refunds
from lms.recognition import queries
from lms.recognition.errors import FeeHasBegun, NoFeeDue
from lms.recognition.models import PriorLearningStep, RequestState
from lms.recognition.services.prior_learning import assessing, fees, portfolio
from tests.factories.accounts import make_administrator, make_user
from tests.factories.directory import make_manager
from tests.factories.invoicing import make_seller
from tests.factories.payments import set_bank_account
from tests.factories.recognition import (
    make_assessed,
    make_decision,
    make_fee,
    make_offer,
    make_request,
)

pytestmark = pytest.mark.needs("recognition", "certificates", "payments")


@pytest.fixture(autouse=True)
def _bank(app):
    set_bank_account()


@pytest.fixture
def course(app):
    return make_offer().course


def make_waiting(course, **values):
    """A portfolio that waits for a fee of 45 CAD, and its order."""
    make_fee(course, CAD=4_500)
    request = make_request(make_user(country="CA"), queries.find_offer(course), **values)
    portfolio.hand_in(request, request.user)
    order = order_fee(request)
    db.session.commit()
    return request, order


def order_fee(request, currency: str = "CAD"):
    item = products[fees.PRODUCT].find(request.uuid, request.user, request.user.country)
    return orders.order_item(item, request.user, "bank_transfer", item.prices[currency])


def pay(order, reference: str = "bank-1"):
    payment = payments.take_payment(order, "bank_transfer", reference, order.total)
    db.session.commit()
    return payment


def steps(request) -> list[str]:
    found = select(PriorLearningStep).where(PriorLearningStep.request_id == request.id)
    return [one.what for one in db.session.scalars(found.order_by(PriorLearningStep.id))]


def told() -> dict[str, int]:
    return {found.account: found.amount.minor for found in balances() if found.amount}


def test_without_a_fee_a_request_goes_on_at_once(course):
    request = make_request(offer=queries.find_offer(course))

    portfolio.hand_in(request, request.user)

    assert request.state == RequestState.HANDED_IN
    assert request.fee is None


def test_a_portfolio_waits_for_its_fee_and_goes_on_once_however_often_it_is_told(course):
    make_seller()
    request, order = make_waiting(course)
    assert request.state == RequestState.FEE_DUE
    assert request.handed_in_at is None
    assert not request.can_change

    pay(order)
    pay(order)  # told again
    products[fees.PRODUCT].deliver(order)

    assert request.state == RequestState.HANDED_IN
    assert request.due_on is not None
    assert [steps(request).count(what) for what in ("fee_paid", "handed_in")] == [1, 1]
    assert told() == {
        "Assets:Bank": 4_500, "Income:RecognitionFees": 3_982, "Liabilities:Tax:CA-ON": 518,
    }  # fmt: skip
    [line] = db.session.scalars(select(Invoice)).one().lines
    assert line.description.startswith("Recognition of prior learning: ")
    assert order.receipt is not None
    assert not check.unexplained()
    assert products[fees.PRODUCT].delivery(order).is_delivered


def test_money_that_comes_days_later_still_counts(course):
    request, order = make_waiting(course)
    with clock.set_to(clock.now() + timedelta(days=30)):
        orders.expire_order(order)
        db.session.commit()
        assert order.state == OrderState.EXPIRED
        assert request.state == RequestState.FEE_DUE

        payment = pay(order)

    assert payment.exception is None
    assert request.state == RequestState.HANDED_IN


def test_a_payment_that_fails_loses_nothing(course):
    request, order = make_waiting(course)

    orders.cancel_order(order)
    db.session.commit()

    assert request.state == RequestState.FEE_DUE
    assert len(request.items) == 1
    pay(order_fee(request))
    assert request.state == RequestState.HANDED_IN


def test_a_second_payment_goes_back(course):
    request, first = make_waiting(course)
    orders.cancel_order(first)
    pay(order_fee(request))

    late = pay(first, "bank-2")

    assert [refund.reason for refund in late.order.refunds] == [RefundReason.PAID_TWICE]
    assert steps(request).count("handed_in") == 1


def test_who_withdraws_before_an_assessor_has_begun_gets_the_fee_back(course):
    request, order = make_waiting(course)
    pay(order)
    assessing.name_assessor(request, make_user(), make_user())
    assert fees.comes_back(request)

    portfolio.withdraw(request, request.user)
    [refund] = order.refunds
    refunds.settle_refund(refund, "back")
    db.session.commit()

    assert refund.amount == Money(4_500, "CAD")
    assert order.state == OrderState.REFUNDED
    assert request.state == RequestState.WITHDRAWN
    assert told()["Income:RecognitionFees"] + told()["Income:Refunds"] == 0
    kinds = db.session.scalars(select(Invoice.kind).order_by(Invoice.id)).all()
    assert kinds in ([], [InvoiceKind.INVOICE, InvoiceKind.CREDIT_NOTE])
    assert not check.unexplained()


def test_nothing_comes_back_once_an_assessor_has_begun_or_decided(course):
    request, order = make_waiting(course)
    pay(order)
    assessor = make_assessed(request)
    assert not fees.comes_back(request)
    make_decision(assessor, "more_asked", "granted")

    portfolio.hand_in(request, request.user)  # with more evidence, and without another fee
    assert request.state == RequestState.HANDED_IN
    portfolio.withdraw(request, request.user)

    assert order.refunds == []
    assert order.state == OrderState.PAID


def test_an_appeal_costs_nothing(course):
    request, order = make_waiting(course)
    pay(order)
    make_decision(make_assessed(request), "not_granted", "granted")

    portfolio.appeal(request, request.user, "Look again.", clock.now().date())

    assert request.state == RequestState.APPEALED
    assert paying.find_open_item(fees.PRODUCT, request.uuid, request.user) is None


def test_money_for_a_request_that_was_withdrawn_goes_back(course):
    request, order = make_waiting(course)
    portfolio.withdraw(request, request.user)
    assert order.state == OrderState.CANCELLED

    pay(order)

    assert [refund.reason for refund in order.refunds] == [RefundReason.BY_BUYER]
    assert request.state == RequestState.WITHDRAWN
    assert request.fee_paid_at is None


def test_a_fee_that_an_administrator_waives_is_asked_no_more(course, signed_in):
    request, order = make_waiting(course)
    administrator = make_administrator()
    browser = signed_in(administrator)
    address = f"/prior-learning/requests/{request.uuid}/waive-fee"
    assert browser.post(address, data={"reason": ""}).status_code == 422

    assert browser.post(address, data={"reason": "Refugee"}).status_code == 303

    db.session.expire_all()
    assert request.state == RequestState.HANDED_IN
    assert order.state == OrderState.CANCELLED
    entry = db.session.scalars(
        select(AuditEntry).where(AuditEntry.act == "recognition.waive_fee")
    ).one()
    assert (entry.actor_id, entry.details["reason"]) == (administrator.id, "Refugee")
    with pytest.raises(NoFeeDue):
        portfolio.waive_fee(request, administrator, "Again")
    late = pay(order)
    assert late.order.refunds
    assert not check.unexplained()


def test_a_fee_that_went_back_without_a_word_is_due_again(course):
    request, order = make_waiting(course)
    payment = pay(order)

    refunds.note_money_returned(payment, payment.amount)
    db.session.commit()

    assert request.state == RequestState.FEE_DUE
    assert order_fee(request).id != order.id


def test_an_open_request_keeps_its_fee_and_amounts_are_dated(course):
    manager = make_user()
    make_fee(course, CAD=4_500)
    request = make_request(make_user(country="CA"), queries.find_offer(course))
    today = fees.today()
    dearer = {"": {"CAD": Money(9_000, "CAD")}}
    fees.set_fee(course, manager, dearer, today)
    later = fees.set_fee(course, manager, {"": {"CAD": Money(0, "CAD")}}, today + timedelta(days=9))

    assert fees.prices_of(request.fee, "CA")["CAD"].minor == 4_500
    assert fees.prices_of(queries.find_fee(course, today), "CA")["CAD"].minor == 9_000
    assert fees.prices_of(queries.find_fee(course, later.starts_on), "CA") == {}
    with pytest.raises(FeeHasBegun):
        fees.remove_fee(queries.find_fee(course, today), manager)
    fees.remove_fee(later, manager)
    assert len(queries.fees_of(course)) == 2


def test_tiers_pay_their_own_stored_amounts(course):
    fee = make_fee(course, {"low": {"CAD": 0}, "lower_middle": {"BOB": 7_000}}, CAD=4_500)

    assert fees.prices_of(fee, "CA") == {"CAD": Money(4_500, "CAD")}
    assert fees.prices_of(fee, "BO") == {"BOB": Money(7_000, "BOB")}
    assert fees.prices_of(fee, "MZ") == {}  # low income
    assert fees.prices_of(fee, None) == {"CAD": Money(4_500, "CAD")}


def test_the_ledger_check_names_a_fee_that_moved_nothing_and_a_request_without_money(course):
    request, order = make_waiting(course)
    pay(order)
    request.state, request.fee_paid_at = RequestState.FEE_DUE, None
    other = make_request(offer=queries.find_offer(course))
    other.fee_paid_at = clock.now()
    db.session.commit()

    found = {(one.what, one.where) for one in check.unexplained()}

    assert (Difference.FEE_NOT_USED, f"order {order.number}") in found
    assert (Difference.FEE_NOT_PAID, f"prior_learning:{other.uuid}") in found


def test_nobody_buys_the_fee_of_another_or_one_that_is_not_due(course, signed_in):
    request, order = make_waiting(course)
    draft = make_request(offer=queries.find_offer(course))

    stranger = signed_in(make_user())
    for key in (request.uuid, draft.uuid, uuid.uuid4()):
        assert stranger.get(f"/buy/prior_learning/{key}").status_code == 404
    with pytest.raises(NotFound):
        products[fees.PRODUCT].find(draft.uuid, draft.user, "CA")
    orders.cancel_order(order)
    pay(order_fee(request), "bank-3")
    with pytest.raises(NoFeeDue):
        products[fees.PRODUCT].hold(order, timedelta(minutes=30))


def test_a_manager_sets_the_fee_and_the_learner_sees_it_before_paying(course, signed_in):
    manager = signed_in(make_manager(course.owner))
    address = f"/prior-learning/courses/{course.slug}/fee"
    today = fees.today().isoformat()
    wrong = [
        {"starts_on": today},
        {"starts_on": today, "amount_all_CAD": "x"},
        {"starts_on": today, "amount_all_CAD": "0", "amount_all_USD": "5"},
        {"starts_on": "2020-01-01", "amount_all_CAD": "45"},
        {"starts_on": today, "amount_all_CAD": "45", "amount_low_CAD": "-1"},
    ]
    for data in wrong:
        assert manager.post(address, data=data).status_code == 422, data
    assert queries.fees_of(course) == []

    kept = {"starts_on": today, "amount_all_CAD": "45.00", "amount_low_CAD": "0"}
    assert manager.post(address, data=kept).status_code == 303

    assert "45.00" in manager.get(address).text
    learner = make_user(country="CA")
    browser = signed_in(learner)
    ask = browser.get(f"/prior-learning/courses/{course.slug}").text
    assert "45.00" in ask
    assert "before an assessor has begun" in ask
    request = make_request(learner, queries.find_offer(course))
    place = f"/prior-learning/requests/{request.uuid}"
    assert "45.00" in browser.get(place).text
    sent = browser.post(f"{place}/hand-in")
    assert sent.location == f"/buy/prior_learning/{request.uuid}"
    shown = browser.get(sent.location).text
    assert "Recognition of prior learning" in shown
    assert "before an assessor has begun" in shown
    assert "The fee is to be paid" in browser.get(place).text


def test_others_neither_set_nor_waive_fees(course, signed_in):
    request, _order = make_waiting(course)
    fee = queries.find_fee(course, fees.today())
    pages = [
        ("GET", f"/prior-learning/courses/{course.slug}/fee"),
        ("POST", f"/prior-learning/courses/{course.slug}/fee"),
        ("POST", f"/prior-learning/courses/{course.slug}/fee/{fee.id}/remove"),
        ("GET", f"/prior-learning/requests/{request.uuid}/waive-fee"),
        ("POST", f"/prior-learning/requests/{request.uuid}/waive-fee"),
    ]
    stranger, learner = signed_in(make_user()), signed_in(request.user)
    manager = signed_in(make_manager(course.owner))
    for method, address in pages:
        assert stranger.open(address, method=method).status_code == 403
        assert learner.open(address, method=method).status_code == 403
    for method, address in pages[3:]:
        assert manager.open(address, method=method).status_code == 403
    assert "Waive the fee" in signed_in(make_administrator()).get(pages[0][1]).text
    assert "Waive the fee" not in manager.get(pages[0][1]).text
