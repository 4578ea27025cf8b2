"""Places for others move to the next run: all together, once, with all that was paid."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from lms.core import clock
from lms.core.db import db
from lms.courses.models import CourseRun
from lms.courses.services.enrolment import join_waiting_list, seats_taken
from lms.ledger.queries import balances
from lms.ledger.services import check
from lms.payments.errors import NoOtherRun
from lms.payments.queries.exceptions import paid_not_enrolled
from lms.payments.services import bookkeeping, seat_refunds, seat_transfers
from lms.payments.services.seats import find_invited, link_token, take
from tests.factories.accounts import make_user
from tests.factories.payments import make_paid_run
from tests.factories.seats import invited, make_block

SOON = timedelta(days=9)


@pytest.fixture
def runs(stripe) -> tuple[CourseRun, CourseRun]:
    """A run, and the next one of its course that costs more."""
    first_day = clock.now().date() + SOON
    first = make_paid_run(starts_on=first_day, ends_on=first_day + timedelta(days=20), capacity=4)
    later = make_paid_run(
        course=first.course,
        starts_on=first_day + timedelta(days=40),
        ends_on=first_day + timedelta(days=60),
        capacity=4,
    )
    return first, later


def deferred() -> int:
    return sum(one.amount.minor for one in balances() if one.account == "Liabilities:Deferred")


def test_all_places_move_with_their_money_and_their_invitations(runs, mails):
    first, later = runs
    block = make_block(first, seats=4)
    [token] = invited(block, "ana@example.org")
    waiting = join_waiting_list(first, make_user())
    held = deferred()
    assert seat_transfers.next_run(block).id == later.id

    seat_transfers.move(block, later, block.user)
    db.session.commit()

    assert (block.run_id, block.order.run_id) == (later.id, later.id)
    assert (seats_taken(first), seats_taken(later)) == (1, 4)  # who waited is offered one
    assert waiting.state == "offered"
    assert deferred() == held
    assert not db.session.scalars(paid_not_enrolled()).all()
    texts = [
        mail.get_body(("plain",)).get_content()
        for mail in mails()
        if mail["To"] == "ana@example.org"
    ]
    assert len(texts) == 2
    assert token in texts[1]
    take(find_invited(token), make_user(), shares_result=False)
    with clock.set_to(later.ends_at + timedelta(days=1)):
        for run in runs:
            bookkeeping.earn_weeks(run)
        assert deferred() == 0
    assert not check.unexplained()


def test_they_move_once_unless_we_moved_the_run(runs):
    first, later = runs
    block = make_block(first, seats=2)
    seat_transfers.move(block, later, block.user)
    third = make_paid_run(
        course=first.course,
        starts_on=later.starts_on + timedelta(days=90),
        ends_on=later.ends_on + timedelta(days=90),
    )
    assert seat_transfers.next_run(block) is None
    with pytest.raises(NoOtherRun):
        seat_transfers.move(block, third, block.user)

    later.starts_on += timedelta(days=30)
    later.ends_on += timedelta(days=30)
    db.session.commit()
    seat_transfers.move(block, third, block.user)
    assert block.run_id == third.id


def test_what_cannot_move_is_not_offered(runs):
    first, later = runs
    block = make_block(first, seats=3)
    other = make_block(later, seats=2)  # two are left there
    assert seat_transfers.next_run(block) is None
    back = seat_refunds.back_for(block, 1)
    seat_refunds.give_back(block, 1, back.amount, block.user)
    assert seat_transfers.next_run(block).id == later.id  # two places are left to move
    with clock.set_to(first.starts_at + timedelta(hours=1)):
        assert seat_transfers.next_run(block) is None
    [token] = invited(block, "ana@example.org")
    take(find_invited(token), make_user(), shares_result=False)
    assert seat_transfers.next_run(block) is None
    with pytest.raises(NoOtherRun):
        seat_transfers.move(block, later, block.user)
    assert seat_transfers.next_run(other) is None  # there is no later one


def test_places_that_were_given_back_stay_behind(runs):
    first, later = runs
    block = make_block(first, seats=4)
    seat_refunds.give_back(block, 1, seat_refunds.back_for(block, 1).amount, block.user)
    seat_transfers.move(block, later, block.user)
    db.session.commit()

    assert (seats_taken(first), seats_taken(later)) == (0, 3)
    with clock.set_to(later.starts_at - timedelta(days=1)):
        assert seat_refunds.back_for(block, 3).amount.minor == 36_000


def test_the_buyer_moves_them_by_the_page_and_nobody_else(runs, signed_in, client):
    first, later = runs
    block = make_block(first, seats=2)
    browser, address = signed_in(block.user), f"/places/{block.uuid}"
    assert "Move all places" in browser.get(address).text
    move = f"{address}/move/{later.uuid}"
    assert client.post(move).status_code == 302
    assert signed_in(make_user()).post(move).status_code == 403
    elsewhere = make_paid_run(starts_on=date(2027, 9, 1))
    assert browser.post(f"{address}/move/{elsewhere.uuid}").status_code == NoOtherRun.status
    assert block.run_id == first.id

    assert browser.post(move).status_code == 303
    db.session.expire_all()
    assert block.run_id == later.id
    assert browser.post(move).status_code == NoOtherRun.status
    assert "Move all places" not in browser.get(address).text


def test_an_old_link_of_an_invitation_still_opens(runs):
    first, later = runs
    block = make_block(first, seats=1)
    [token] = invited(block, "ana@example.org")
    seat_transfers.move(block, later, block.user)
    [seat] = block.places
    assert token == link_token(seat.uuid, seat.round)
