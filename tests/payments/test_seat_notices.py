"""Buyers of places hear of cancelled and moved runs and of unused places; money goes back once."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from lms.core import clock, outbox
from lms.core.db import db
from lms.core.models import OutboxRow
from lms.core.money import Money
from lms.courses.models import CourseRun, Enrolment
from lms.courses.services.enrolment import seats_taken
from lms.courses.services.runs import cancel_run
from lms.ledger.services import check
from lms.notifications.models import Notice
from lms.payments import jobs
from lms.payments.gateways.stripe import StripeGateway
from lms.payments.models import Refund
from lms.payments.seat_models import REMIND_DAYS, SeatBlock
from lms.payments.services import bookkeeping, seat_notices, seat_refunds
from lms.payments.services.seats import take
from lms.payments.services.terms import find_terms
from lms.payments.views.checkout import open_payment_page
from tests.factories.accounts import make_user
from tests.factories.payments import make_paid_run
from tests.factories.seats import invited, make_block, order_seats

DAY = date(2027, 3, 1)
LANGUAGES = ("en", "es", "fr", "pt")


def told_of(kind: str) -> list[Notice]:
    return list(
        db.session.scalars(select(Notice).where(Notice.kind == f"payments.{kind}").order_by("id"))
    )


def sit_down(block: SeatBlock) -> None:
    """Somebody takes a place."""
    email = f"somebody-{block.id}@example.org"
    invited(block, email)
    [seat] = [seat for seat in block.places if seat.email == email]
    take(seat, make_user(), shares_result=False)


def bought(stripe, app: Flask, run: CourseRun, seats: int) -> tuple[SeatBlock, str]:
    """A block paid at the service, and the payment's number there."""
    block, order = order_seats(run, seats=seats)
    with app.test_request_context():
        address = open_payment_page(order.uuid).location
    stripe.pay(address)
    stripe.deliver()
    db.session.expire_all()
    return block, stripe.double.get(address.rsplit("/", 1)[1])["payment_intent"]


def work_again_and_again() -> None:
    for _round in range(8):
        past = clock.now() - timedelta(minutes=1)
        db.session.execute(update(OutboxRow).values(due_at=past))
        db.session.commit()
        outbox.run_due()
    db.session.expire_all()


@pytest.mark.slow
def test_a_cancelled_run_pays_each_block_back_once_though_jobs_die_half_way(
    stripe, app, monkeypatch, mails
):
    run = make_paid_run(starts_on=clock.now().date() + timedelta(days=9), capacity=20)
    blocks = [bought(stripe, app, run, seats) for seats in (2, 3)]
    first = blocks[0][0]
    sit_down(first)
    seat_refunds.give_back(first, 1, Money(12_000, "CAD"), first.user)  # an unused one, before
    db.session.commit()
    work_again_and_again()
    assert [one.amount_minor for one in db.session.scalars(select(Refund))] == [12_000]

    deaths: Counter[str] = Counter()
    refund, tell = StripeGateway.refund, seat_notices.tell

    def sent_and_not_noted(self, row):
        reference = refund(self, row)
        deaths["refund"] += 1
        if deaths["refund"] <= 2:
            raise ZeroDivisionError
        return reference

    def half_told(*args, **values):
        deaths["mail"] += 1
        if deaths["mail"] == 2:
            raise ZeroDivisionError
        return tell(*args, **values)

    monkeypatch.setattr(StripeGateway, "refund", sent_and_not_noted)
    monkeypatch.setattr(seat_notices, "tell", half_told)
    cancel_run(run, None)
    db.session.commit()
    work_again_and_again()
    assert deaths["refund"] > 2
    assert deaths["mail"] > 2
    stripe.deliver()
    jobs.refund_order(first.order_id, "run_cancelled")  # once more changes nothing
    work_again_and_again()

    for block, intent in blocks:
        charge = stripe.double.get(stripe.double.get(intent)["latest_charge"])
        assert charge["amount_refunded"] == block.order.total_minor
        assert (block.order.state, block.ended_at is not None) == ("refunded", True)
    amounts = sorted(one.amount_minor for one in db.session.scalars(select(Refund)))
    assert amounts == [12_000, 12_000, 36_000]
    assert db.session.scalars(select(Enrolment.state)).all() == ["withdrawn"]
    assert seats_taken(run) == 0
    assert not check.unexplained()
    assert [notice.user_id for notice in told_of("seats_cancelled")] == [
        block.user_id for block, _intent in blocks
    ]
    texts = [
        mail.get_body(("plain",)).get_content()
        for mail in mails()
        if mail["To"] == blocks[1][0].user.email and "does not take place" in mail["Subject"]
    ]
    assert len(texts) == 1
    assert "The 3 places that you bought for others end" in texts[0]
    assert "comes back to you in full" in texts[0]
    assert f"/places/{blocks[1][0].uuid}" in texts[0]


def test_who_was_paying_and_who_gave_all_back_hear_nothing_of_places(stripe):
    run = make_paid_run(starts_on=clock.now().date() + timedelta(days=9), capacity=20)
    order_seats(run)
    given = make_block(run, seats=1)
    seat_refunds.give_back(given, 1, Money(12_000, "CAD"), given.user)
    given.ended_at = clock.now()
    db.session.commit()
    cancel_run(run, None)
    work_again_and_again()

    assert not told_of("seats_cancelled")


def test_a_moved_run_is_told_once_and_unused_places_go_back_whole(stripe):
    run = make_paid_run(starts_on=DAY, ends_on=DAY + timedelta(days=20), capacity=9)
    with clock.set_to(run.starts_at - timedelta(days=20)):
        block = make_block(run, seats=3)
        sit_down(block)
        run.starts_on, run.ends_on = DAY + timedelta(days=20), DAY + timedelta(days=40)
        db.session.commit()
        for _again in range(2):
            jobs.tell_of_moved_runs()
        [notice] = told_of("seats_moved")
        assert notice.user_id == block.user_id
        assert (notice.values["unused"], notice.values["before"]) == (2, "2027-03-01")
        assert not told_of("run_moved")
    with clock.set_to(run.starts_at + timedelta(days=2)):
        back = seat_refunds.back_for(block, 2)
        assert (back.amount, back.why) == (Money(24_000, "CAD"), "moved")
        seat_refunds.give_back(block, 2, back.amount, block.user)
        assert db.session.scalars(select(Refund.reason)).all() == ["run_moved"]
        bookkeeping.earn_weeks(run)


def test_a_run_moved_by_a_few_days_is_not_told(stripe):
    run = make_paid_run(starts_on=DAY, ends_on=DAY + timedelta(days=20))
    with clock.set_to(run.starts_at - timedelta(days=20)):
        make_block(run, seats=1)
        run.starts_on = DAY + timedelta(days=3)
        db.session.commit()
        jobs.tell_of_moved_runs()
    assert not told_of("seats_moved")


def test_unused_places_are_told_once_some_days_before(stripe):
    run = make_paid_run(starts_on=DAY, ends_on=DAY + timedelta(days=20), capacity=40)
    with clock.set_to(run.starts_at - timedelta(days=30)):
        free, used, ended = (make_block(run, seats=seats) for seats in (3, 1, 2))
        invited(free, "ana@example.org")
        sit_down(free)
        sit_down(used)
        ended.ended_at = clock.now()
        db.session.commit()
    with clock.set_to(run.starts_at - timedelta(days=REMIND_DAYS + 2)):
        jobs.remind_of_unused_seats()
        assert not told_of("seats_unused")
    with clock.set_to(run.starts_at - timedelta(days=REMIND_DAYS - 1)):
        new = make_block(run, seats=2)  # who has just bought knows
        for _again in range(2):
            jobs.remind_of_unused_seats()
        [notice] = told_of("seats_unused")
        assert (notice.user_id, notice.values["unused"]) == (free.user_id, 2)
    with clock.set_to(run.starts_at - timedelta(days=2)):
        jobs.remind_of_unused_seats()
        assert [one.user_id for one in told_of("seats_unused")] == [free.user_id, new.user_id]
    with clock.set_to(run.starts_at + timedelta(days=1)):
        jobs.remind_of_unused_seats()
        assert len(told_of("seats_unused")) == 2


@pytest.mark.slow
def test_the_messages_are_written_in_every_language(stripe, mails):
    run = make_paid_run(starts_on=clock.now().date() + timedelta(days=5), capacity=40)
    blocks = [make_block(run, make_user(language=code), seats=2) for code in LANGUAGES]
    for block in blocks:
        block.bought_at -= timedelta(days=2)
        terms = find_terms(block.order)
        terms.first_day = run.starts_on - timedelta(days=40)
    db.session.commit()
    jobs.remind_of_unused_seats()
    jobs.tell_of_moved_runs()
    cancel_run(run, None)
    subjects, bodies = Counter(), Counter()
    for mail in mails():
        body = mail.get_body(("plain",)).get_content()
        if "/places/" in body:
            subjects[mail["Subject"]] += 1
            bodies[body] += 1
    assert sum(subjects.values()) == 3 * len(LANGUAGES)
    assert len(bodies) == 3 * len(LANGUAGES)
    spanish = [body for body in bodies if f"/places/{blocks[1].uuid}" in body]
    assert not [body for body in spanish if "place" in body.replace("/places/", "")]
