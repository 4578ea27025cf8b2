"""What the payment service says moved, against what Puente knows: nothing stays unexplained."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.courses.models import Enrolment
from lms.ledger.accounts import Account
from lms.ledger.queries import balances
from lms.ledger.services import check
from lms.payments import jobs
from lms.payments.errors import GatewayUnavailable
from lms.payments.models import Order, Payment, Refund, RefundReason
from lms.payments.movement_models import Dispute, GatewayMovement
from lms.payments.services import refunds
from tests.factories.accounts import make_administrator, make_user
from tests.factories.payments import make_paid_run

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def empty_account(stripe):
    """The account at the service holds nothing of other tests."""
    with stripe.double.store.change() as change:
        change.connection.execute("DELETE FROM things")


@pytest.fixture
def buy(stripe, signed_in, check_out):
    """Pay for a place with a card; the messages are delivered unless they are lost."""

    def go(price=Money(12_000, "CAD"), card: str = "4242424242424242", lost: bool = False) -> Order:
        run = make_paid_run(price=price)
        stripe.pay(check_out(signed_in(make_user()), run), card)
        if lost:
            with stripe.double.store.change() as change:
                change.connection.execute("DELETE FROM deliveries")
        else:
            stripe.deliver()
        return db.session.scalars(select(Order).where(Order.run_id == run.id)).one()

    return go


def sync() -> None:
    db.session.commit()
    jobs.sync_movements()
    db.session.expire_all()


def told() -> dict[str, Money]:
    """Balances as they are read, accounts without one left out."""
    return {f"{one.account} {one.currency}": one.amount.minor for one in balances() if one.amount}


def test_the_fee_of_the_service_is_an_entry_of_its_own(buy):
    buy()
    sync()
    sync()  # asks again for the same days

    assert told() == {
        "Assets:Clearing:Stripe CAD": 12_000 - 378,
        "Expenses:Processor CAD": 378,
        "Liabilities:Deferred CAD": 12_000,
    }
    assert not check.unexplained()


def test_money_in_another_currency_is_exchanged_as_the_service_did(buy):
    buy(Money(69_000, "BOB"))
    before = told()["Assets:Clearing:Stripe BOB"]
    sync()

    assert before == 69_000
    assert told() == {
        "Assets:Clearing:Stripe CAD": 13_800 - 430,
        "Equity:Exchange BOB": -69_000,
        "Equity:Exchange CAD": 13_800,
        "Expenses:Processor CAD": 430,
        "Liabilities:Deferred BOB": 69_000,
    }
    assert not check.unexplained()


@pytest.mark.needs("partners")
def test_a_partner_bears_the_fee_at_the_rate_of_the_service(stripe, signed_in, check_out):
    from lms.partners.models import Basis
    from tests.partners.ways import agree, partner, percent, teach

    cebem, ana = partner("cebem")
    run = make_paid_run(price=Money(10_000, "USD"))
    yesterday = clock.now().date() - timedelta(days=1)
    agree(run, percent(cebem, 5_000), on=yesterday, managers=[ana], basis=Basis.NET_OF_FEES)
    stripe.pay(check_out(signed_in(make_user()), run))
    stripe.deliver()
    sync()

    teach(run, run.ends_on + timedelta(days=1))

    # 4.24 CAD of 136.00 are 3.11 USD of 100.00, rounded down as shares are
    assert told()["Expenses:Processor CAD"] == 424
    assert told()["Liabilities:PartnerPayable:Cebem USD"] == 4_844
    assert not check.unexplained()


def test_a_lost_message_is_found_and_the_buyer_enrolled(buy):
    order = buy(lost=True)
    assert order.state == "pending"

    sync()

    assert order.state == "paid"
    assert db.session.scalars(select(Enrolment.state)).all() == ["active"]
    assert not check.unexplained()


def test_a_refund_made_in_the_services_own_pages_is_found(stripe, buy):
    order = buy()
    [payment] = order.payments
    stripe.double.create_refund({"payment_intent": payment.reference, "amount": 2_000})
    with stripe.double.store.change() as change:
        change.connection.execute("DELETE FROM deliveries")
    sync()

    assert [refund.amount_minor for refund in order.refunds] == [2_000]
    assert order.state == "partially_refunded"
    assert told()["Assets:Clearing:Stripe CAD"] == 12_000 - 378 - 2_000
    assert not check.unexplained()


def test_our_own_refund_is_matched_once(stripe, buy, run_jobs):
    order = buy(Money(50_000, "CLP"))
    refunds.refund_order(order, RefundReason.BY_ADMINISTRATOR)
    run_jobs()
    stripe.deliver()
    sync()

    assert db.session.scalars(select(Refund.state)).all() == ["done"]
    states = db.session.scalars(select(GatewayMovement.state)).all()
    assert states == ["matched", "matched"]
    assert "Liabilities:Deferred CLP" not in told()
    assert not check.unexplained()


def test_a_payout_is_the_sum_of_its_parts_and_lies_in_the_bank(stripe, buy):
    for _number in range(3):
        buy()
    stripe.double.pay_out()
    sync()

    assert told() == {
        "Assets:Bank CAD": 3 * (12_000 - 378),
        "Expenses:Processor CAD": 3 * 378,
        "Liabilities:Deferred CAD": 36_000,
    }
    assert db.session.scalars(select(GatewayMovement.payout).distinct()).all() != [None]
    assert not check.unexplained()


def test_money_that_nobody_knows_waits_for_a_person_and_is_explained_with_a_reason(
    stripe, buy, signed_in
):
    buy()
    stripe.double.adjust(-1_250, "Reserve")
    sync()
    [found] = check.unexplained()
    assert (found.what, found.amount) == ("money moved and not explained", Money(-1_250, "CAD"))
    assert told()["Equity:NotExplained CAD"] == -1_250
    row = db.session.scalars(select(GatewayMovement).where(GatewayMovement.state == "open")).one()
    administrator = signed_in(make_administrator())

    page = administrator.get("/admin/payments/reconciliation").text
    assert "CAD 12.50" in page
    address = f"/admin/payments/movements/{row.id}"
    empty = administrator.post(f"{address}/explain", data={"account": "", "explanation": ""})
    assert empty.status_code == 422
    assert administrator.post(f"{address}/own").status_code == 303
    values = {"account": Account.PROCESSOR.value, "explanation": "Fee for the card reader"}
    assert administrator.post(f"{address}/explain", data=values).status_code == 303
    assert administrator.post(f"{address}/explain", data=values).status_code == 409

    assert not check.unexplained()
    assert told()["Expenses:Processor CAD"] == 378 + 1_250
    assert "Equity:NotExplained CAD" not in told()


def test_a_lost_dispute_takes_money_and_place(stripe, buy, mails):
    make_administrator()
    order = buy(card="4000000000000259")
    sync()
    assert order.state == "paid"  # while the bank has not decided
    assert told()["Assets:DisputesOpen CAD"] == 12_000
    assert told()["Expenses:DisputeFee CAD"] == 1_500
    assert not check.unexplained()
    dispute = db.session.scalars(select(Dispute)).one()

    stripe.double.close_dispute(dispute.reference, won=False)
    stripe.deliver()
    sync()
    db.session.expire_all()

    assert order.state == "refunded"
    assert db.session.scalars(select(Enrolment.state)).all() == ["refunded"]
    assert told() == {
        "Assets:Clearing:Stripe CAD": -378 - 1_500,
        "Expenses:DisputeFee CAD": 1_500,
        "Expenses:Processor CAD": 378,
    }
    assert not check.unexplained()
    subjects = [mail["Subject"] for mail in mails()]
    assert len([subject for subject in subjects if "needs you" in subject]) == 2


def test_a_won_dispute_leaves_all_as_it_was_but_the_fee(stripe, buy):
    order = buy(Money(69_000, "BOB"), card="4000000000000259")
    dispute = db.session.scalars(select(Dispute)).one()
    stripe.double.close_dispute(dispute.reference, won=True)
    stripe.deliver()
    sync()

    assert (order.state, dispute.state) == ("paid", "won")
    assert "Assets:DisputesOpen CAD" not in told()
    assert told()["Assets:Clearing:Stripe CAD"] == 13_800 - 430 - 1_500
    assert not check.unexplained()


def test_a_dispute_after_a_refund_costs_what_went_back_twice(stripe, buy, run_jobs):
    order = buy(Money(69_000, "BOB"))
    refunds.request_refund(order.payments[0], Money(49_000, "BOB"), RefundReason.BY_ADMINISTRATOR)
    run_jobs()
    stripe.deliver()
    dispute = stripe.double.dispute(order.payments[0].reference)
    stripe.deliver()
    sync()
    stripe.double.close_dispute(dispute["id"], won=False)
    stripe.deliver()
    sync()

    assert order.state == "refunded"
    assert told()["Expenses:BadDebt BOB"] == 49_000
    assert "Assets:DisputesOpen CAD" not in told()
    assert not check.unexplained()


@pytest.mark.parametrize("message", ["created", "closed"])
def test_a_dispute_whose_messages_are_lost_or_late_ends_the_same(stripe, buy, message):
    order = buy(Money(69_000, "BOB"), card="4000000000000259", lost=True)
    with stripe.double.store.change() as change:
        [dispute] = change.objects("dp_")
    if message == "created":
        sync()
        stripe.double.close_dispute(dispute["id"], won=False)
        stripe.deliver()
    else:
        stripe.double.close_dispute(dispute["id"], won=False)
        stripe.deliver()  # the payment itself is not known yet
        sync()
    sync()

    assert order.state == "refunded"
    assert "Assets:DisputesOpen CAD" not in told()
    assert not check.unexplained()


def test_a_payment_that_the_service_does_not_know_is_named(buy, stripe):
    order = buy()
    with stripe.double.store.change() as change:
        change.connection.execute("DELETE FROM things")
    order.payments[0].received_at = clock.now() - timedelta(days=9)
    sync()

    [found] = check.unexplained()
    assert (found.what, found.amount) == ("payment service does not know it", order.total)


def test_an_unreachable_service_leaves_everything_as_it_was(buy, app):
    buy()
    working = app.extensions["settings"]
    app.extensions["settings"] = working.model_copy(
        update={"stripe_api_base": "http://127.0.0.1:9/nobody"}
    )
    db.session.commit()
    with pytest.raises(GatewayUnavailable):
        jobs.sync_movements()

    assert db.session.scalars(select(GatewayMovement)).all() == []
    assert db.session.scalars(select(Payment)).one().refunded_minor == 0
