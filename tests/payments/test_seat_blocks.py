"""An employer buys places: what is held, sold, charged, invoiced, and goes back."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.courses.errors import RunFull
from lms.courses.models import Enrolment
from lms.courses.seat_models import HeldSeats
from lms.courses.services.enrolment import (
    end_enrolment,
    free_seats,
    hold_seat,
    join_waiting_list,
    seats_taken,
)
from lms.courses.services.held_seats import release_expired_holds
from lms.courses.services.runs import cancel_run
from lms.invoicing.models import Invoice
from lms.ledger.queries import balances
from lms.ledger.services import check
from lms.payments.models import Order, OrderState, PaymentException, Refund, RefundReason
from lms.payments.queries.exceptions import enrolled_not_paid, paid_not_enrolled
from lms.payments.seat_models import Seat, SeatBlock, SeatState
from lms.payments.services import bookkeeping, orders, payments, refunds, seat_blocks, seat_refunds
from lms.payments.services.seats import take
from lms.pricing.models import OrganisationContract, TierPrice
from lms.pricing.services.tiers import ensure_tiers
from tests.factories.accounts import make_user
from tests.factories.courses import make_enrolment
from tests.factories.directory import make_organisation
from tests.factories.invoicing import make_seller
from tests.factories.payments import make_paid_run, set_bank_account
from tests.factories.seats import invited, make_block, order_seats

DAY = date(2027, 3, 1)


def told() -> dict[str, int]:
    return {found.account: found.amount.minor for found in balances() if found.amount}


def later(run, **past: int):
    return clock.set_to(run.starts_at + timedelta(**past))


def test_seats_are_held_while_one_pays_and_free_again_on_the_minute(stripe):
    run = make_paid_run(capacity=5)
    _block, order = order_seats(run, seats=4)

    assert seats_taken(run) == 4
    with pytest.raises(RunFull):
        order_seats(run, seats=2)
    assert order.expires_at is not None
    with clock.set_to(order.expires_at - timedelta(seconds=1)):
        assert release_expired_holds() == 0
    with clock.set_to(order.expires_at + timedelta(seconds=1)):
        assert release_expired_holds() == 1
    assert seats_taken(run) == 0


def test_sold_seats_count_whether_somebody_sits_on_them_or_not(stripe):
    run = make_paid_run(capacity=4)
    block = make_block(run, seats=3)
    assert [seat.state for seat in block.places] == [SeatState.FREE] * 3
    assert free_seats(run) == 1

    [token] = invited(block, "ana@example.org")
    take(block.places[0], make_user(), shares_result=False)

    assert token
    assert free_seats(run) == 1
    hold_seat(run, make_user(), method="payment")
    with pytest.raises(RunFull):
        hold_seat(run, make_user(), method="payment")


def test_people_who_wait_go_before_a_block_and_get_its_seats_when_it_is_given_up(stripe):
    run = make_paid_run(capacity=2)
    _block, order = order_seats(run, seats=2)
    waiting = [join_waiting_list(run, make_user()) for _number in range(2)]

    orders.cancel_order(order)

    assert [one.state for one in waiting] == ["offered", "offered"]
    with pytest.raises(RunFull):
        order_seats(run, seats=1)


def test_shown_is_quoted_charged_invoiced_and_posted(stripe):
    make_seller()
    ensure_tiers()
    run = make_paid_run(starts_on=DAY)
    employer = make_organisation(country="BO", name={"en": "Alcaldía de Tarija"})
    buyer = make_user(country="CA")
    db.session.add_all(
        [
            TierPrice(run_id=run.id, tier="lower_middle", currency="CAD", amount_minor=3_600,
                      valid_from=clock.now() - timedelta(days=1)),
            OrganisationContract(organisation_id=employer.id, percent=10,
                                 valid_from=date(2020, 1, 1)),
        ]
    )  # fmt: skip
    make_role(buyer, employer)

    block, order = order_seats(run, buyer, 7, employer)
    assert order.country == "BO"
    assert (order.quote.total, order.quantity) == (Money(3_240, "CAD"), 7)
    assert [step["kind"] for step in order.quote.steps][:3] == ["list", "tier", "contract"]
    assert (order.amount_minor, order.discount_minor, order.total_minor) == (25_200, 2_520, 22_680)
    payments.take_payment(order, "stripe", "pi_1", order.total)
    payments.take_payment(order, "stripe", "pi_1", order.total)  # told twice

    [line] = db.session.query(Invoice).one().lines
    assert (line.quantity, line.gross_minor) == (7, 22_680)
    assert "7 at CAD 32.40" in line.description.replace("\u00a0", " ")
    assert told()["Liabilities:Deferred"] == -22_680 or told()["Liabilities:Deferred"] == 22_680
    assert len(block.places) == 7
    assert not check.unexplained()


def make_role(user, organisation, role: str = "member") -> None:
    from lms.directory.models import OrganisationRole

    db.session.add(OrganisationRole(user_id=user.id, organisation_id=organisation.id, role=role))
    db.session.commit()


def test_unused_places_are_earned_with_the_weeks_and_the_check_explains_it(stripe):
    run = make_paid_run(starts_on=DAY, ends_on=DAY + timedelta(days=20))
    with clock.set_to(run.starts_at - timedelta(days=3)):
        block = make_block(run, seats=2)
        [_token] = invited(block, "ana@example.org")

    with later(run, days=23):
        bookkeeping.earn_weeks(run)
        assert {seat.state for seat in block.places} == {SeatState.EXPIRED}
        assert not check.unexplained()
    assert abs(told()["Income:Courses"]) == 24_000
    assert "Liabilities:Deferred" not in told()


def test_free_places_go_back_by_the_refund_policy_each_for_its_part(stripe):
    run = make_paid_run(starts_on=DAY, ends_on=DAY + timedelta(days=20), capacity=4)
    with clock.set_to(run.starts_at - timedelta(days=3)):
        block = make_block(run, seats=4)
        waiting = join_waiting_list(run, make_user())
        back = seat_refunds.give_back(block, 1, Money(12_000, "CAD"), block.user)
        assert back.amount == Money(12_000, "CAD")
        assert waiting.state == "offered"
        settle(block)
        assert block.order.state == OrderState.PARTIALLY_REFUNDED

    with later(run, days=8):  # one of three weeks is over, none of it posted yet
        bookkeeping.earn_weeks(run)
        back = seat_refunds.back_for(block, 2)
        assert back.untaught == Money(16_000, "CAD")
        assert back.fee == Money(1_600, "CAD")
        seat_refunds.give_back(block, 2, back.amount, block.user)
        settle(block)
        assert [seat.state for seat in block.places] == ["free", *["returned"] * 3]
        assert not check.unexplained()
    assert seats_taken(run) == 2  # one place of the block, and the one that was offered
    with later(run, days=15):
        assert not seat_refunds.back_for(block, 1).amount


def settle(block: SeatBlock) -> None:
    for refund in block.order.refunds:
        refunds.settle_refund(refund, f"re_{refund.id}")


def test_all_places_given_back_before_the_start_end_the_block(stripe):
    run = make_paid_run(starts_on=clock.now().date() + timedelta(days=9), capacity=2)
    block = make_block(run, seats=2)

    seat_refunds.give_back(block, 2, Money(24_000, "CAD"), block.user)
    settle(block)

    assert block.order.state == OrderState.REFUNDED
    assert block.ended_at is not None
    assert (seats_taken(run), db.session.query(HeldSeats).count()) == (0, 0)
    assert not check.unexplained()


def test_a_cancelled_run_gives_all_back_once_and_ends_its_people(stripe, run_jobs):
    run = make_paid_run(starts_on=clock.now().date() + timedelta(days=9))
    block = make_block(run, seats=2)
    invited(block, "ana@example.org")
    enrolment = take(block.places[0], make_user(), shares_result=False)

    cancel_run(run, None)
    db.session.commit()
    for _again in range(2):
        for order in db.session.scalars(select(Order)).all():
            refunds_of(order)
    settle(block)

    assert [refund.amount_minor for refund in db.session.scalars(select(Refund))] == [24_000]
    db.session.refresh(enrolment)
    assert enrolment.state in ("refunded", "withdrawn")
    assert not check.unexplained()


def refunds_of(order: Order) -> None:
    from lms.payments.jobs import refund_order

    refund_order(order.id, "run_cancelled")


def test_money_after_the_time_takes_the_seats_if_they_are_free_else_goes_back(stripe):
    run = make_paid_run(capacity=2)
    block, order = order_seats(run, seats=2)
    with clock.set_to(clock.now() + timedelta(hours=2)):
        release_expired_holds()
        orders.expire_order(order)
    other = make_enrolment(run)

    payment = payments.take_payment(order, "stripe", "pi_late", order.total)

    assert payment.exception == PaymentException.SEAT_GONE
    assert [refund.reason for refund in order.refunds] == [RefundReason.SEAT_GONE]
    assert block.bought_at is None
    end_enrolment(other, "withdrawn")
    _same, again = order_seats(run, block.user, 2)
    payments.take_payment(again, "stripe", "pi_again", again.total)
    assert block.bought_at is not None
    assert list(db.session.scalars(paid_not_enrolled())) == []


def test_another_number_replaces_the_order_and_the_seats_that_it_held(stripe):
    run, buyer = make_paid_run(capacity=9), make_user()
    _block, first = order_seats(run, buyer, 6)
    block, second = order_seats(run, buyer, 2)

    assert first.state == OrderState.CANCELLED
    assert seats_taken(run) == 2
    payments.take_payment(second, "stripe", "pi_2", second.total)
    late = payments.take_payment(first, "stripe", "pi_1", first.total)

    assert late.exception == PaymentException.PAID_TWICE
    assert (block.seats, len(block.places), seats_taken(run)) == (2, 2, 2)


def test_lists_of_what_must_not_be_know_seats(stripe):
    run = make_paid_run()
    block = make_block(run, seats=2)
    invited(block, "ana@example.org")
    enrolment = take(block.places[0], make_user(), shares_result=False)
    assert list(db.session.scalars(paid_not_enrolled())) == []
    assert list(db.session.scalars(enrolled_not_paid())) == []

    db.session.execute(HeldSeats.__table__.delete())
    block.places[0].clear()
    db.session.flush()

    assert [one.number for one in db.session.scalars(paid_not_enrolled())] == [block.order.number]
    assert list(db.session.scalars(enrolled_not_paid())) == [enrolment]
    assert len(check.unexplained()) == 2


def test_all_ways_to_pay_hold_the_seats_as_long_as_they_take(stripe):
    set_bank_account()
    run = make_paid_run(starts_on=clock.now().date() + timedelta(days=30), capacity=3)
    _block, order = order_seats(run, seats=3, gateway="bank_transfer")

    held = db.session.query(HeldSeats).one()
    assert abs(held.expires_at - order.expires_at) < timedelta(seconds=5)
    assert held.expires_at > clock.now() + timedelta(days=1)
    until = clock.now() + orders.SETTLING_TAKES
    orders.settling(order)
    assert held.expires_at >= until


def test_what_was_chosen_and_never_ordered_is_forgotten(app):
    run = make_paid_run()
    seat_blocks.choose_seats(run, make_user(), 4, None)
    with clock.set_to(clock.now() + timedelta(days=31)):
        assert seat_blocks.forget_choices() == 1
    assert db.session.query(SeatBlock).count() == 0


def test_an_employer_buys_by_the_pages_alone(stripe, signed_in):
    run = make_paid_run(capacity=20)
    buyer = make_user(country="BO")
    browser = signed_in(buyer)
    assert f"/places/buy/{run.uuid}" in browser.get(f"/courses/{run.course.slug}").text

    answer = browser.post(f"/places/buy/{run.uuid}", data={"run": str(run.uuid), "seats": "12"})
    checkout = answer.location
    page = browser.get(checkout).text
    assert "CAD\u00a01,440.00" in page or "CAD 1,440.00" in page
    data = {name: hidden(page, name) for name in ("shown", "quote")}
    data |= {"country": "BO", "currency": "CAD", "gateway": "stripe", "purchase_order": "OC-7"}
    forged = browser.post(checkout, data=data | {"quote": "x.1.y"})
    assert forged.status_code == 409
    answer = browser.post(checkout, data=data)
    assert answer.status_code == 303, answer.text
    stripe.pay(answer.location)
    stripe.deliver()

    block = db.session.query(SeatBlock).one()
    assert block.seats == 12
    order = browser.get(f"/orders/{block.order.uuid}").text
    assert f"/places/{block.uuid}" in order
    assert "1,440.00" in order
    assert browser.get(f"/orders/{block.order.uuid}/receipt.pdf").status_code == 200
    assert "Give places by mail" in browser.get(f"/places/{block.uuid}").text
    assert str(block.uuid) in browser.get("/places").text
    assert "/places" in browser.get("/orders").text


def test_a_basket_says_how_many_places_a_line_is(stripe, signed_in):
    run, buyer = make_paid_run(), make_user(country="BO")
    block = seat_blocks.choose_seats(run, buyer, 4, None)
    db.session.commit()
    browser = signed_in(buyer)
    assert browser.post(f"/basket/items/seats/{block.uuid}").status_code == 303
    page = browser.get("/basket").text
    assert "Places: 4" in page
    assert "480.00" in page


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)
    assert found is not None
    return found[1]


def test_wrong_numbers_stay_on_the_page_and_too_many_are_told(stripe, signed_in):
    run = make_paid_run(capacity=3)
    browser = signed_in(make_user(country="BO"))
    address = f"/places/buy/{run.uuid}"

    for seats in ("", "0", "-4", "501", "many"):
        answer = browser.post(address, data={"run": str(run.uuid), "seats": seats})
        assert answer.status_code == 422, seats
    checkout = browser.post(address, data={"run": str(run.uuid), "seats": "4"}).location
    page = browser.get(checkout).text
    data = {name: hidden(page, name) for name in ("shown", "quote")}
    answer = browser.post(
        checkout, data=data | {"country": "BO", "currency": "CAD", "gateway": "stripe"}
    )
    assert answer.status_code == RunFull.status
    assert "Places free in this course run: 3" in answer.text
    assert db.session.query(Order).count() == 0
    assert db.session.query(Enrolment).count() == 0
    assert db.session.query(Seat).count() == 0


def test_what_somebody_else_chose_is_not_found(stripe, signed_in):
    block = seat_blocks.choose_seats(make_paid_run(), make_user(), 2, None)
    db.session.commit()

    assert signed_in(make_user()).get(f"/buy/seats/{block.uuid}").status_code == 404
