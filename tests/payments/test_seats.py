"""Seats: never oversold, never paid for twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.courses.events import CourseRunCancelled
from lms.courses.models import EnrolmentState
from lms.courses.services.enrolment import enrol_free, join_waiting_list, release_expired_seats
from lms.payments.models import Order, Payment, Refund
from lms.payments.queries import find_enrolment, paid_not_enrolled
from lms.payments.services import payments
from tests.factories.accounts import make_administrator, make_user
from tests.factories.courses import make_enrolment
from tests.factories.payments import make_order, make_paid_run, set_bank_account
from tests.payments.checkout_steps import place_order

PRICE = Money(12_000, "CAD")


def state_of(run, user) -> str | None:
    enrolment = find_enrolment(run.id, user.id)
    return enrolment.state if enrolment else None


def test_a_full_run_sells_no_more_places_and_offers_the_waiting_list(stripe, signed_in, check_out):
    run = make_paid_run(capacity=1)
    check_out(signed_in(make_user()), run)

    answer = place_order(signed_in(make_user()), run, {"gateway": "stripe"})

    assert answer.status_code == 409
    assert f"/runs/{run.id}/waiting-list" in answer.text
    assert len(db.session.scalars(select(Order)).all()) == 1


def test_a_payment_after_the_seat_expired_still_enrols_while_one_is_free(
    stripe, signed_in, check_out
):
    run, ana = make_paid_run(capacity=1), make_user()
    address = check_out(signed_in(ana), run)
    stripe.pay(address)

    with time_machine.travel(clock.now() + timedelta(minutes=40), tick=True):
        release_expired_seats()
        assert state_of(run, ana) == "expired"
        stripe.deliver()

    assert state_of(run, ana) == "active"
    assert db.session.scalars(select(Order.state)).all() == ["paid"]


def test_a_payment_for_a_seat_given_away_goes_back_with_an_apology(
    stripe, signed_in, check_out, mails
):
    run, ana, administrator = make_paid_run(capacity=1), make_user(), make_administrator()
    browser = signed_in(ana)
    stripe.pay(check_out(browser, run))
    with time_machine.travel(clock.now() + timedelta(minutes=40), tick=True):
        release_expired_seats()
    make_enrolment(run)

    stripe.deliver()
    order = db.session.scalars(select(Order)).one()
    assert "could not be kept" in browser.get(f"/orders/{order.uuid}").text
    sent = mails()

    assert state_of(run, ana) == "waitlisted"
    db.session.refresh(order)
    assert order.state == "refunded"
    assert db.session.scalars(select(Payment)).one().exception == "seat_gone"
    [apology] = [mail for mail in sent if mail["To"] == ana.email and "refund" in mail["Subject"]]
    assert "We are sorry" in apology.get_body(("plain",)).get_content()
    assert any(mail["To"] == administrator.email for mail in sent)
    assert db.session.scalars(paid_not_enrolled()).all() == []


def test_people_who_wait_go_before_a_late_payment(stripe, signed_in, check_out, run_jobs):
    run, ana = make_paid_run(capacity=1), make_user()
    stripe.pay(check_out(signed_in(ana), run))
    join_waiting_list(run, make_user())
    with time_machine.travel(clock.now() + timedelta(minutes=40), tick=True):
        release_expired_seats()

    stripe.deliver()
    run_jobs()

    assert state_of(run, ana) == "waitlisted"
    assert db.session.scalars(select(Refund.state)).all() == ["done"]


def test_paying_two_pages_of_one_order_gives_the_second_back(stripe, signed_in, check_out, mails):
    run, ana = make_paid_run(), make_user()
    browser, administrator = signed_in(ana), make_administrator()
    first = check_out(browser, run)
    order = db.session.scalars(select(Order)).one()
    order.gateway_url = None  # as if the first page had not been noted: a second one is opened
    order.expires_at -= timedelta(minutes=2)
    db.session.commit()
    second = browser.post(f"/orders/{order.uuid}/pay").location
    assert second != first

    stripe.pay(first)
    stripe.pay(second)
    stripe.deliver()
    sent = mails()

    states = [
        (payment.exception, payment.refunded_minor)
        for payment in db.session.scalars(select(Payment).order_by(Payment.id))
    ]
    assert states == [(None, 0), ("paid_twice", 12_000)]
    assert db.session.scalars(select(Order.state)).all() == ["paid"]
    assert state_of(run, ana) == "active"
    [told] = [mail for mail in sent if mail["To"] == ana.email and "refund" in mail["Subject"]]
    assert "paid twice" in told.get_body(("plain",)).get_content()
    [flagged] = [mail for mail in sent if mail["To"] == administrator.email]
    assert order.number in flagged["Subject"]


def test_a_second_order_for_the_same_run_is_given_back(stripe, signed_in, check_out, run_jobs):
    set_bank_account()
    run, ana, administrator = make_paid_run(), make_user(), make_administrator()
    browser = signed_in(ana)
    card_page = check_out(browser, run)
    check_out(browser, run, gateway="bank_transfer")  # takes the place of the card order
    stripe.pay(card_page)  # before the job closed that page
    stripe.deliver()
    card, transfer = db.session.scalars(select(Order).order_by(Order.id)).all()
    assert (card.state, transfer.state) == ("paid", "cancelled")

    payments.confirm_transfer(transfer, PRICE, "BU-1", administrator)
    run_jobs()

    db.session.refresh(transfer)
    assert (card.state, state_of(run, ana)) == ("paid", "active")
    [refund] = db.session.scalars(select(Refund)).all()
    assert (refund.state, refund.reason) == ("requested", "paid_twice")
    settle = f"/admin/payments/refunds/{refund.id}/done"
    signed_in(administrator).post(settle, data={"reference": "BU-2"})
    db.session.refresh(transfer)
    assert (transfer.state, state_of(run, ana)) == ("refunded", "active")


def test_money_that_comes_twice_for_somebody_enrolled_otherwise_leaves_them_enrolled(
    stripe, signed_in, check_out, run_jobs
):
    run, ana = make_paid_run(), make_user()
    stripe.pay(check_out(signed_in(ana), run))
    enrolment = find_enrolment(run.id, ana.id)
    enrolment.state, enrolment.method = EnrolmentState.ACTIVE, "administrator"
    db.session.commit()

    stripe.deliver()
    run_jobs()

    assert db.session.scalars(select(Order.state)).all() == ["refunded"]
    assert state_of(run, ana) == "active"


def test_a_cancelled_run_gives_everybody_their_money_back(
    stripe, signed_in, check_out, run_jobs, mails, app
):
    from lms.core.events import emit

    run = make_paid_run()
    paid, waits = make_user(), make_user()
    stripe.pay(check_out(signed_in(paid), run))
    stripe.deliver()
    page = check_out(signed_in(waits), run)
    run.state = "cancelled"
    db.session.flush()

    emit(CourseRunCancelled(run))
    emit(CourseRunCancelled(run))
    sent = mails()

    states = dict(map(tuple, db.session.execute(select(Order.user_id, Order.state)).all()))
    assert states == {paid.id: "refunded", waits.id: "cancelled"}
    assert db.session.scalars(select(Refund.state)).all() == ["done"]
    [told] = [mail for mail in sent if mail["To"] == paid.email and "refund" in mail["Subject"]]
    assert "does not take place" in told.get_body(("plain",)).get_content()
    assert stripe.pay(page).status_code == 410


def test_a_payment_for_a_cancelled_run_goes_back(stripe, signed_in, check_out, run_jobs):
    run, ana = make_paid_run(), make_user()
    stripe.pay(check_out(signed_in(ana), run))
    run.state = "cancelled"
    db.session.commit()

    stripe.deliver()
    run_jobs()

    assert db.session.scalars(select(Payment.exception)).all() == ["run_cancelled"]
    assert db.session.scalars(select(Order.state)).all() == ["refunded"]


def test_there_is_one_open_order_for_a_person_and_run(app):
    run, ana = make_paid_run(), make_user()
    make_order(run, ana)
    make_order(run, ana, state="expired")

    from sqlalchemy.exc import IntegrityError

    with pytest.raises(IntegrityError), db.session.begin_nested():
        db.session.add(
            Order(
                number="P-1",
                user_id=ana.id,
                run_id=run.id,
                currency="CAD",
                amount_minor=1,
                discount_minor=0,
                total_minor=1,
                language="en",
            )
        )


def test_leaving_a_held_seat_closes_its_order(stripe, signed_in, check_out):
    from lms.courses.services.enrolment import end_enrolment

    run, ana = make_paid_run(), make_user()
    check_out(signed_in(ana), run)

    end_enrolment(find_enrolment(run.id, ana.id), EnrolmentState.WITHDRAWN)

    assert db.session.scalars(select(Order.state)).all() == ["expired"]


def test_a_free_run_has_no_checkout(stripe, signed_in):
    from tests.factories.courses import make_run

    run, ana = make_run(), make_user()
    browser = signed_in(ana)

    assert browser.get(f"/checkout/{run.uuid}").location == f"/runs/{run.id}/enrol"
    assert browser.post(f"/checkout/{run.uuid}", data={"gateway": "stripe"}).status_code == 409
    enrol_free(run, ana)
