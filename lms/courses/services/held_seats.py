"""Seats of a run that are kept together: held while somebody pays, sold, given back, taken."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import db
from lms.courses.errors import AlreadyEnrolled, EnrolmentClosed, RunFull
from lms.courses.models import HOLDS_SEAT, CourseRun, Enrolment, PublicationState
from lms.courses.seat_models import SEAT, HeldSeats
from lms.courses.services.enrolment import (
    activate,
    free_seats,
    has_free_seat,
    is_enrolment_open,
    lock_run,
    offer_free_seats,
)


def find_held(key: UUID) -> HeldSeats | None:
    """What is kept by this name, as it is in the database now."""
    return db.session.scalar(
        select(HeldSeats).where(HeldSeats.key == key).execution_options(populate_existing=True)
    )


def keep_seats(run: CourseRun, key: UUID, seats: int, until: datetime | None) -> HeldSeats:
    """Keep so many seats by this name, at least until then; None: they are sold. Safe to repeat.

    Raises RunFull when fewer are free or people wait, and EnrolmentClosed.
    """
    run = lock_run(run)
    held = find_held(key)
    more = seats - (held.seats if held else 0)
    if more > 0:
        _check_free(run, more)
    if held is None:
        held = HeldSeats(key=key, run_id=run.id, seats=seats, expires_at=until)
        db.session.add(held)
    elif held.expires_at is not None:
        held.seats = seats
        held.expires_at = None if until is None else max(held.expires_at, until)
    db.session.flush()
    if more < 0:
        offer_free_seats(run)
    return held


def _check_free(run: CourseRun, seats: int) -> None:
    if not is_enrolment_open(run):
        raise EnrolmentClosed
    if has_free_seat(run, seats):
        return
    free = free_seats(run)
    if free and has_free_seat(run):
        raise RunFull(
            _("Places free in this course run: %(count)s. Choose a smaller number.", count=free)
        )
    raise RunFull(_("No place is free in this course run. Choose another one."))


def free_held(key: UUID, seats: int | None = None) -> None:
    """Give up what is kept by this name, all or some; who waits is offered it. Safe to repeat."""
    held = find_held(key)
    if held is None:
        return
    run = lock_run(held.run)
    db.session.refresh(held)
    if seats is None or seats >= held.seats:
        db.session.delete(held)
    else:
        held.seats -= seats
    db.session.flush()
    offer_free_seats(run)


def release_expired_holds() -> int:
    """Give up what was kept while somebody paid, and was not paid in time; returns how many."""
    over = db.session.scalars(
        select(HeldSeats.key).where(HeldSeats.expires_at < clock.now()).order_by(HeldSeats.id)
    ).all()
    for key in over:
        free_held(key)
    return len(over)


def can_take_seat(run: CourseRun) -> bool:
    """Whether somebody can still begin on a sold seat: its run takes place and is not over."""
    return run.state == PublicationState.PUBLISHED and clock.now() <= run.ends_at


def take_held_seat(run: CourseRun, user: User) -> Enrolment:
    """Let a person study on a sold seat; the caller has locked the run and counts the seats.

    A seat of their own, held or offered, goes to who waits. Raises EnrolmentClosed and
    AlreadyEnrolled.
    """
    if not can_take_seat(run):
        raise EnrolmentClosed
    enrolment = db.session.scalar(
        select(Enrolment).where(Enrolment.run_id == run.id, Enrolment.user_id == user.id)
    )
    if enrolment is not None and enrolment.may_study:
        raise AlreadyEnrolled
    had_seat = enrolment is not None and enrolment.state in HOLDS_SEAT
    if enrolment is None:
        enrolment = Enrolment(run=run, user=user, state="expired", method=SEAT)
        db.session.add(enrolment)
    enrolment.method = SEAT
    activate(enrolment)
    if had_seat:
        offer_free_seats(run)
    return enrolment
