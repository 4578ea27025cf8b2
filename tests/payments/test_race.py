"""Several payers at the same moment, each in a thread with transactions of its own.

Outside of the transaction that other tests are rolled back in: with a database of their own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from pydantic import SecretStr
from sqlalchemy import func, select, text

from lms.accounts.models import User
from lms.app import create_app
from lms.config import Settings
from lms.core import clock
from lms.core.db import Model, db, transaction
from lms.core.money import Money
from lms.courses.errors import RunFull
from lms.courses.models import CourseRun, Enrolment
from lms.courses.services.enrolment import seats_taken
from lms.ledger.queries import balances
from lms.ledger.services import check
from lms.payments.credit_models import CreditBalance
from lms.payments.errors import CreditGone, NothingToRefund, VoucherRefused
from lms.payments.gateways.base import GatewayEvent, PaymentArrived
from lms.payments.models import (
    Order,
    OrderState,
    Payment,
    Receipt,
    Refund,
    RefundReason,
    Voucher,
    WebhookEvent,
)
from lms.payments.queries.sales import Sold, sales
from lms.payments.seat_models import SeatBlock
from lms.payments.services import facts, orders, payments, refunds, seats, sums, vouchers
from lms.payments.services.prices import Wishes, show_price
from lms.pricing.models import Quote
from lms.pricing.services.quotes import make_ticket
from tests.doubles.stripe import API_KEY, WEBHOOK_SECRET
from tests.factories.accounts import make_user
from tests.factories.payments import make_order, make_paid_order, make_paid_run, make_voucher
from tests.factories.seats import make_block, order_seats
from tests.postgres import own_database

PRICE = Money(12_000, "CAD")


@pytest.fixture(scope="module")
def shared_app(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    keys = {
        "stripe_secret_key": SecretStr(API_KEY),
        "stripe_webhook_secret": SecretStr(WEBHOOK_SECRET),
    }
    with own_database(settings, tmp_path_factory.mktemp("race"), "race", **keys) as own:
        app = create_app(own, testing=True)
        with app.app_context():
            Model.metadata.create_all(db.engine)
            yield app
            db.session.close()
            db.engine.dispose()


def together(app: Flask, works: list[Callable[[], object]]) -> list[object]:
    """Do all at the same moment; gives what each returned or raised."""
    barrier = threading.Barrier(len(works))
    results: list[object] = [None] * len(works)

    def run(number: int, work: Callable[[], object]) -> None:
        with app.app_context():
            barrier.wait()
            try:
                with transaction():
                    results[number] = work()
            except Exception as error:
                results[number] = error

    db.session.rollback()
    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def count(model: type[Model], *conditions: object) -> int:
    return db.session.scalar(select(func.count()).select_from(model).where(*conditions)) or 0


def test_two_payers_cannot_both_take_the_last_seat(shared_app):
    run = make_paid_run(capacity=1)
    run_id, users = run.id, [make_user().id for _number in range(4)]

    def buy(user_id: int) -> Callable[[], object]:
        def work() -> object:
            run, user = db.session.get_one(CourseRun, run_id), db.session.get_one(User, user_id)
            return orders.place_order(run, user, "stripe").id

        return work

    results = together(shared_app, [buy(user_id) for user_id in users])

    assert sum(isinstance(result, int) for result in results) == 1
    assert sum(isinstance(result, RunFull) for result in results) == 3
    assert count(Enrolment, Enrolment.run_id == run_id) == 1
    assert count(Order, Order.run_id == run_id) == 1


@pytest.mark.slow
def test_ten_buyers_of_two_last_seats_two_enrolled_eight_never_charged(shared_app):
    run_id = make_paid_run(capacity=2).id
    users = [make_user().id for _number in range(10)]

    def buy(user_id: int) -> Callable[[], object]:
        def work() -> object:
            run, user = db.session.get_one(CourseRun, run_id), db.session.get_one(User, user_id)
            order = orders.place_order(run, user, "stripe")
            payments.take_payment(order, "stripe", f"pi_ten_{user_id}", order.total)
            return order.state

        return work

    results = together(shared_app, [buy(user_id) for user_id in users])

    assert sorted(map(type_name, results)) == ["RunFull"] * 8 + ["str"] * 2
    assert count(Enrolment, Enrolment.run_id == run_id, Enrolment.state == "active") == 2
    paid = select(Order.id).where(Order.run_id == run_id)
    assert count(Payment, Payment.order_id.in_(paid)) == 2
    assert about_run(run_id) == []


def test_two_last_seats_go_to_one_block_or_to_two_buyers_never_to_more(shared_app):
    run_id = make_paid_run(capacity=2).id
    people = [make_user().id for _number in range(10)]

    def buy(number: int, user_id: int) -> Callable[[], object]:
        def work() -> object:
            run, user = db.session.get_one(CourseRun, run_id), db.session.get_one(User, user_id)
            if number % 2:
                return orders.place_order(run, user, "stripe").id
            return order_seats(run, user, 2, commit=False)[1].id

        return work

    results = together(shared_app, [buy(*pair) for pair in enumerate(people)])

    winners = [result for result in results if isinstance(result, int)]
    assert sum(isinstance(result, RunFull) for result in results) == 10 - len(winners)
    quantities = select(func.sum(Order.quantity)).where(Order.id.in_(winners))
    assert db.session.scalar(quantities) == 2
    assert seats_taken(db.session.get_one(CourseRun, run_id)) == 2


def test_ten_people_with_one_code_take_two_places_once_each(shared_app):
    block = make_block(make_paid_run(), seats=2)
    seats.make_code(block, block.user)
    db.session.commit()
    block_id, run_id = block.id, block.run_id
    people = [make_user().id for _number in range(10)]

    def take(user_id: int) -> Callable[[], object]:
        def work() -> object:
            found = db.session.get_one(SeatBlock, block_id)
            user = db.session.get_one(User, user_id)
            return seats.take_by_code(found, user, shares_result=False).id

        return work

    results = together(shared_app, [take(user_id) for user_id in people])

    assert sorted(map(type_name, results)) == ["NoPlaceLeft"] * 8 + ["int"] * 2
    assert count(Enrolment, Enrolment.run_id == run_id, Enrolment.state == "active") == 2


@pytest.mark.slow
def test_ten_who_paid_too_late_for_two_freed_seats_two_enrolled_eight_refunded(shared_app):
    run = make_paid_run(capacity=2)
    run_id = run.id
    late = [make_order(run, state="expired").id for _number in range(10)]

    def pay(order_id: int) -> Callable[[], object]:
        def work() -> object:
            order = db.session.get_one(Order, order_id)
            return payments.take_payment(order, "stripe", f"pi_late_{order_id}", PRICE).exception

        return work

    results = together(shared_app, [pay(order_id) for order_id in late])

    assert sorted(map(str, results)) == ["None"] * 2 + ["seat_gone"] * 8
    assert count(Enrolment, Enrolment.run_id == run_id, Enrolment.state == "active") == 2
    assert count(Refund, Refund.order_id.in_(late)) == 8
    assert about_run(run_id) == []
    for refund_id in db.session.scalars(select(Refund.id).where(Refund.order_id.in_(late))).all():
        with transaction():
            refunds.settle_refund(db.session.get_one(Refund, refund_id), f"re_{refund_id}")
    kept = [one.amount for one in balances(product=f"run:{run_id}") if "Deferred" in one.account]
    assert kept == [Money(24_000, "CAD")]
    assert about_run(run_id) == []


def type_name(result: object) -> str:
    return type(result).__name__


def about_run(run_id: int) -> list[str]:
    """What the ledger cannot explain of the orders of a run."""
    numbers = db.session.scalars(select(Order.number).where(Order.run_id == run_id)).all()
    names = {f"run:{run_id}", *(f"order:{number}" for number in numbers)}
    found = [one for one in check.unexplained() if one.where in names]
    db.session.rollback()
    return [one.where for one in found]


def test_two_late_payments_for_one_freed_seat_enrol_one_and_refund_the_other(shared_app):
    run = make_paid_run(capacity=1)
    run_id = run.id
    late = [make_order(run, state="expired").id for _number in range(2)]

    def pay(order_id: int) -> Callable[[], object]:
        def work() -> object:
            order = db.session.get_one(Order, order_id)
            return payments.take_payment(order, "stripe", f"pi_freed_{order_id}", PRICE).exception

        return work

    results = together(shared_app, [pay(order_id) for order_id in late])

    assert sorted(map(str, results)) == ["None", "seat_gone"]
    active = Enrolment.state == "active"
    assert count(Enrolment, Enrolment.run_id == run_id, active) == 1
    assert count(Refund, Refund.order_id.in_(late)) == 1


def test_one_message_delivered_many_times_at_once_acts_once(shared_app):
    order = make_order()
    order_uuid, order_id = order.uuid, order.id

    def receive(number: int) -> Callable[[], object]:
        fact = PaymentArrived(order_uuid, "pi_once", PRICE)
        event = GatewayEvent(f"evt_once_{number // 2}", "checkout.session.completed", [fact])
        return lambda: facts.receive_event("stripe", event, "hash")

    results = together(shared_app, [receive(number) for number in range(4)])

    assert sorted(map(str, results)) == ["False", "False", "True", "True"]
    assert count(Payment, Payment.order_id == order_id) == 1
    assert count(WebhookEvent, WebhookEvent.order_id == order_id) == 2
    assert count(Refund, Refund.order_id == order_id) == 0


def test_the_last_use_of_a_voucher_is_not_given_twice(shared_app):
    voucher_id = make_voucher(max_uses=1).id
    order_ids = [make_order().id for _number in range(3)]

    def use(order_id: int) -> Callable[[], object]:
        def work() -> object:
            voucher = db.session.get_one(Voucher, voucher_id)
            return vouchers.use_voucher(voucher, db.session.get_one(Order, order_id))

        return work

    results = together(shared_app, [use(order_id) for order_id in order_ids])

    assert sum(isinstance(result, VoucherRefused) for result in results) == 2
    assert db.session.get_one(Voucher, voucher_id, populate_existing=True).uses == 1


def test_credit_is_used_by_one_of_two_checkouts_at_once(shared_app):
    order = make_paid_order()
    user_id = order.user_id
    with transaction():
        refunds.refund_order(order, RefundReason.BY_ADMINISTRATOR, as_credit=True)
    run_ids = [make_paid_run().id for _number in range(3)]

    def check_out(run_id: int) -> Callable[[], object]:
        def work() -> object:
            run, user = db.session.get_one(CourseRun, run_id), db.session.get_one(User, user_id)
            placed = orders.place_order(run, user, "stripe", country="BO", credit=PRICE)
            payments.pay_by_credit(placed)
            return placed.state

        return work

    results = together(shared_app, [check_out(run_id) for run_id in run_ids])

    assert sum(isinstance(result, CreditGone) for result in results) == 2
    assert results.count("paid") == 1
    assert (
        db.session.get_one(CreditBalance, (user_id, "CAD"), populate_existing=True).balance_minor
        == 0
    )


def test_two_administrators_refund_an_order_once(shared_app):
    order_id = make_paid_order().id

    def refund() -> object:
        order = db.session.get_one(Order, order_id)
        return refunds.refund_order(order, RefundReason.BY_ADMINISTRATOR)

    results = together(shared_app, [refund, refund, refund])

    assert sum(isinstance(result, NothingToRefund) for result in results) == 2
    assert count(Refund, Refund.order_id == order_id) == 1


def test_receipts_have_no_gaps_even_when_some_are_rolled_back(shared_app):
    order_ids = [make_order().id for _number in range(6)]

    def pay(order_id: int) -> Callable[[], object]:
        def work() -> object:
            order = db.session.get_one(Order, order_id)
            payments.take_payment(order, "stripe", f"pi_gap_{order_id}", PRICE)
            if order_id % 3 == 0:
                raise ZeroDivisionError
            return None

        return work

    together(shared_app, [pay(order_id) for order_id in order_ids])

    sequences = db.session.scalars(select(Receipt.sequence).order_by(Receipt.sequence)).all()
    assert list(sequences) == list(range(1, len(sequences) + 1))
    assert len(sequences) >= 4


def test_a_quote_used_twice_at_once_makes_one_order(shared_app):
    run, ana = make_paid_run(price=PRICE), make_user(country="CA")
    shown = show_price(run, ana, Wishes("CA"))
    assert shown.calculation is not None
    ticket = str(make_ticket(shown.calculation, ana))
    run_id, user_id = run.id, ana.id
    db.session.commit()

    def place() -> int:
        order = orders.place_order(
            db.session.get_one(CourseRun, run_id),
            db.session.get_one(User, user_id),
            "stripe",
            country="CA",
            ticket=ticket,
        )
        return order.id

    placed = together(shared_app, [place] * 4)

    assert len(set(placed)) == 1, placed
    quotes = select(Quote).where(Quote.user_id == user_id)
    assert len(db.session.scalars(quotes).all()) == 1
    placed_from = select(Order).where(Order.run_id == run_id)
    assert [order.total for order in db.session.scalars(placed_from)] == [PRICE]


@pytest.mark.postgresql
def test_a_sale_that_is_committed_while_sums_are_made_is_not_lost(shared_app):
    order = make_order(make_paid_run(), state=OrderState.PAID, paid_at=clock.now())
    sums.count_orders()
    db.session.commit()
    with db.engine.connect() as other:
        change = text("UPDATE orders SET country = 'PE' WHERE id = :id")
        other.execute(change, {"id": order.id})
        make_order(order.run, state=OrderState.PAID, paid_at=clock.now())
        sums.count_orders()  # does not see the change yet
        db.session.commit()
        other.commit()

    lines = sales(Sold(run_id=order.run_id))
    told = select(lines.c.country, func.sum(lines.c.orders)).group_by(lines.c.country)
    assert dict(db.session.execute(told).all()) == {"PE": 1, "BO": 1}
    sums.count_orders()
    db.session.commit()
    assert dict(db.session.execute(told).all()) == {"PE": 1, "BO": 1}
