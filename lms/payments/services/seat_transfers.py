"""Places for others move to the next run of the course: the same rule as for one who moves."""

from __future__ import annotations

from lms.accounts.models import User
from lms.core import clock
from lms.core.audit import record
from lms.core.db import db
from lms.courses.models import CourseRun
from lms.courses.services.enrolment import has_free_seat, is_enrolment_open, lock_run
from lms.courses.services.held_seats import free_held, keep_seats
from lms.payments.errors import NoOtherRun
from lms.payments.models import SETTLED
from lms.payments.seat_models import Seat, SeatBlock, SeatState
from lms.payments.services.leaving import later_runs, may_transfer, move_order
from lms.payments.services.orders import lock_order
from lms.payments.services.seat_blocks import places_of
from lms.payments.services.seats import write_again


def next_run(block: SeatBlock) -> CourseRun | None:
    """The next run that has room for all places of a block, None when they cannot move.

    They move all together, while nobody sits on one and before the run begins; once, or when we
    moved its dates. Nothing is paid or given back: what was paid goes along.
    """
    return _next_run(block, places_of(block))


def _next_run(block: SeatBlock, places: list[Seat]) -> CourseRun | None:
    order, run = block.order, block.run
    has_begun = clock.local_date(clock.now(), run.time_zone) >= run.starts_on
    if order is None or order.state not in SETTLED or block.is_over or has_begun:
        return None
    count = _count(places)
    if not count or any(seat.state == SeatState.TAKEN for seat in places):
        return None
    if not may_transfer(order):
        return None
    found = db.session.scalars(later_runs(order)).all()
    return next(
        (one for one in found if is_enrolment_open(one) and has_free_seat(one, count)), None
    )


def _count(places: list[Seat]) -> int:
    return sum(seat.state != SeatState.RETURNED for seat in places)


def move(block: SeatBlock, to: CourseRun, by: User) -> None:
    """Move all places of a block to the run that was offered. Who is invited is written to again.

    Raises NoOtherRun when another run, or none, would be offered by now.
    """
    assert block.order is not None
    for run in sorted((block.run, to), key=lambda run: run.id):
        lock_run(run)
    order = lock_order(block.order)
    db.session.refresh(block)
    places = places_of(block)
    chosen = _next_run(block, places)
    if chosen is None or chosen.id != to.id:
        raise NoOtherRun
    before = block.run
    free_held(block.uuid)
    keep_seats(to, block.uuid, _count(places), None)
    block.run, block.reminded_at = to, None
    move_order(order, to)
    record("payments.move_seats", block, by.id, before=before.id, to=to.id)
    for seat in places:
        if seat.state == SeatState.INVITED:
            write_again(seat)
