"""Into and out of a course run: seats, waiting list, states.

Every function that gives or frees a seat first locks the run, so that two people at once cannot
both take the last one: `SELECT ... FOR UPDATE` on PostgreSQL, the write lock that every writing
transaction holds on SQLite.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import db
from lms.core.events import emit
from lms.courses.errors import AlreadyEnrolled, EnrolmentClosed, PaymentNeeded, RunFull
from lms.courses.events import Enrolled, EnrolmentEnded, SeatOffered, Waitlisted
from lms.courses.models import (
    HOLDS_SEAT,
    CourseRun,
    Enrolment,
    EnrolmentState,
    PublicationState,
)
from lms.courses.seat_models import has_own_seat, seats_held

SEAT_HELD_FOR = timedelta(minutes=35)  # while a card payment page is open
UNLIMITED = 1_000_000
OFFER_OPEN_FOR = timedelta(hours=48)  # a freed seat for the first of the waiting list


def lock_run(run: CourseRun) -> CourseRun:
    """The run, locked until the end of the transaction."""
    return db.session.execute(
        select(CourseRun)
        .where(CourseRun.id == run.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one()


def seats_taken(run: CourseRun) -> int:
    """How many seats are held: active, completed, offered or waiting for a payment.

    Seats that are kept together count whether somebody sits on them or not.
    """
    own = (
        select(func.count())
        .select_from(Enrolment)
        .where(Enrolment.run_id == run.id, has_own_seat())
        .scalar_subquery()
    )
    return db.session.scalar(select(own + seats_held(run.id))) or 0


def free_seats(run: CourseRun) -> int:
    """How many seats nobody holds; a great number where there is no limit."""
    return UNLIMITED if run.capacity is None else run.capacity - seats_taken(run)


def has_free_seat(run: CourseRun, seats: int = 1) -> bool:
    """Whether somebody who comes now can have so many seats; people who wait go first."""
    if run.capacity is None:
        return True
    waiting = db.session.scalar(
        select(func.count())
        .select_from(Enrolment)
        .where(Enrolment.run_id == run.id, Enrolment.state == EnrolmentState.WAITLISTED)
    )
    return not waiting and seats_taken(run) + seats <= run.capacity


def is_enrolment_open(run: CourseRun) -> bool:
    """Whether the run takes people now: published, inside its window, not over."""
    now = clock.now()
    opens = run.enrolment_opens_at
    closes = run.enrolment_closes_at or run.ends_at
    return (
        run.state == PublicationState.PUBLISHED
        and run.course.is_published
        and (opens is None or opens <= now)
        and now <= closes
    )


def _enrolment_of(run: CourseRun, user: User) -> Enrolment | None:
    return db.session.scalar(
        select(Enrolment).where(Enrolment.run_id == run.id, Enrolment.user_id == user.id)
    )


def enrol_free(run: CourseRun, user: User) -> Enrolment:
    """Enrol in a run that costs nothing.

    Raises PaymentNeeded, EnrolmentClosed, RunFull or AlreadyEnrolled.
    """
    if run.price:
        raise PaymentNeeded
    return activate(hold_seat(run, user, method="free"))


def hold_seat(
    run: CourseRun, user: User, *, method: str, for_: timedelta = SEAT_HELD_FOR
) -> Enrolment:
    """Hold a seat while the person pays; somebody with an offer keeps the offered seat.

    Raises EnrolmentClosed, RunFull or AlreadyEnrolled.
    """
    run = lock_run(run)
    enrolment = _enrolment_of(run, user)
    if enrolment is not None and enrolment.has_place:
        raise AlreadyEnrolled
    has_seat = enrolment is not None and enrolment.state in HOLDS_SEAT
    if not has_seat:
        if not is_enrolment_open(run):
            raise EnrolmentClosed
        if not has_free_seat(run):
            raise RunFull
    if enrolment is None:
        enrolment = Enrolment(run=run, user=user, method=method)
        db.session.add(enrolment)
    enrolment.method = method
    enrolment.state = EnrolmentState.PENDING_PAYMENT
    enrolment.waiting_since = None
    until = clock.now() + for_
    enrolment.offer_expires_at = max(enrolment.offer_expires_at or until, until)
    db.session.flush()
    return enrolment


def activate(enrolment: Enrolment) -> Enrolment:
    """Let the person study: the seat is paid or free. Safe to repeat.

    The caller has made sure of the seat (`hold_seat`) or takes the responsibility to exceed the
    capacity: a payment that arrives after its seat was given away finds `has_free_seat` false.
    """
    if enrolment.has_place:
        return enrolment
    enrolment.state = EnrolmentState.ACTIVE
    enrolment.enrolled_at = clock.now()
    enrolment.offer_expires_at = enrolment.waiting_since = enrolment.paused_at = None
    enrolment.is_owed = False
    db.session.flush()
    emit(Enrolled(enrolment))
    return enrolment


def join_waiting_list(run: CourseRun, user: User) -> Enrolment:
    """Put the person at the end of the run's waiting list. Safe to repeat.

    Raises EnrolmentClosed or AlreadyEnrolled.
    """
    run = lock_run(run)
    if not is_enrolment_open(run):
        raise EnrolmentClosed
    enrolment = _enrolment_of(run, user)
    if enrolment is not None and enrolment.state in HOLDS_SEAT:
        raise AlreadyEnrolled
    if enrolment is not None and enrolment.state == EnrolmentState.WAITLISTED:
        return enrolment
    if enrolment is None:
        enrolment = Enrolment(run=run, user=user, method="waiting_list")
        db.session.add(enrolment)
    enrolment.state = EnrolmentState.WAITLISTED
    enrolment.waiting_since = clock.now()
    db.session.flush()
    emit(Waitlisted(enrolment))
    return enrolment


def end_enrolment(enrolment: Enrolment, state: EnrolmentState) -> None:
    """Leave the run (WITHDRAWN, REFUNDED or EXPIRED) and offer the seat to who waits.

    Safe to repeat.
    """
    if enrolment.state in (
        EnrolmentState.WITHDRAWN,
        EnrolmentState.REFUNDED,
        EnrolmentState.EXPIRED,
    ):
        return
    run = lock_run(enrolment.run)
    was_active = enrolment.has_place
    held_seat = enrolment.state in HOLDS_SEAT
    enrolment.state = state
    enrolment.offer_expires_at = enrolment.waiting_since = None
    db.session.flush()
    if held_seat:
        offer_free_seats(run)
    emit(EnrolmentEnded(enrolment, was_active))


def offer_free_seats(run: CourseRun) -> None:
    """Offer each free seat to the next of the waiting list, in the order of joining."""
    free = free_seats(run)
    if free <= 0 or not is_enrolment_open(run):
        return
    waiting = db.session.scalars(
        select(Enrolment)
        .where(Enrolment.run_id == run.id, Enrolment.state == EnrolmentState.WAITLISTED)
        .order_by(Enrolment.waiting_since, Enrolment.id)
        .limit(free)
    ).all()
    for enrolment in waiting:
        enrolment.state = EnrolmentState.OFFERED
        enrolment.offer_expires_at = clock.now() + OFFER_OPEN_FOR
    db.session.flush()
    for enrolment in waiting:
        emit(SeatOffered(enrolment))


def release_expired_seats() -> int:
    """End offers and held seats whose time is over; returns how many."""
    expired = db.session.scalars(
        select(Enrolment).where(
            Enrolment.state.in_([EnrolmentState.OFFERED, EnrolmentState.PENDING_PAYMENT]),
            Enrolment.offer_expires_at < clock.now(),
        )
    ).all()
    for enrolment in expired:
        end_enrolment(enrolment, EnrolmentState.EXPIRED)
    return len(expired)
