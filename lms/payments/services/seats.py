"""Who sits on the places of a block: invited by mail, by a code, given to others, left again.

Nothing secret is kept in clear: the link of an invitation is reckoned from the place and its round,
so that a new round makes old links worthless; a code is found by its keyed hash and kept sealed for
its buyer to see.
"""

from __future__ import annotations

import hmac
import secrets
import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from lms.accounts import queries as accounts
from lms.accounts.models import User
from lms.core import clock
from lms.core.audit import record
from lms.core.db import db
from lms.core.sealing import mac, seal, unseal
from lms.courses.errors import EnrolmentClosed
from lms.courses.events import EnrolmentEnded
from lms.courses.models import CourseRun, Enrolment, EnrolmentState
from lms.courses.seat_models import SEAT
from lms.courses.services.enrolment import end_enrolment, lock_run
from lms.courses.services.held_seats import take_held_seat
from lms.notifications.services import tell, tell_address
from lms.payments import queries
from lms.payments.errors import InvitationOver, NoPlaceLeft, PlaceNotFree, TooLateToReassign
from lms.payments.models import OrderState
from lms.payments.queries.dues import has_parts
from lms.payments.queries.seats import find_seat
from lms.payments.seat_models import Seat, SeatBlock, SeatState
from lms.payments.services.dues import follow_access
from lms.payments.services.orders import close_order
from lms.payments.services.seat_blocks import places_of

_LINK, _CODE, _KEPT = "seat link", "seat code", "seat code kept"
_SIGNS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_CODE_LENGTH = 12


def link_token(key: uuid.UUID, round_: int) -> str:
    """What the link of an invitation ends with."""
    return key.hex + mac(f"{key.hex} {round_}", _LINK)[:32]


def find_invited(token: str) -> Seat:
    """The place that a link is for. Raises InvitationOver."""
    try:
        key = uuid.UUID(hex=token[:32])
    except ValueError:
        raise InvitationOver from None
    seat = db.session.scalar(select(Seat).where(Seat.uuid == key).options(joinedload(Seat.block)))
    if seat is None or not hmac.compare_digest(token, link_token(key, seat.round)):
        raise InvitationOver
    if seat.state not in (SeatState.INVITED, SeatState.TAKEN):
        raise InvitationOver
    return seat


def fold_code(code: str) -> str:
    """A code as compared: without spaces and hyphens, in upper case."""
    return "".join(sign for sign in code.upper() if sign.isalnum())[:40]


def find_by_code(code: str) -> SeatBlock:
    """The block that a code is for. Raises InvitationOver."""
    block = db.session.scalar(
        select(SeatBlock).where(SeatBlock.code_hash == mac(fold_code(code), _CODE))
    )
    if block is None or block.is_over:
        raise InvitationOver
    return block


def code_of(block: SeatBlock) -> str | None:
    """The code by which anybody can take a place, as it is shown to the buyer."""
    if block.code_sealed is None:
        return None
    code = unseal(block.code_sealed, _KEPT)
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def make_code(block: SeatBlock, by: User) -> None:
    """Let a new code open the free places; the one before opens nothing any more.

    Raises EnrolmentClosed.
    """
    _check_open(block)
    code = "".join(secrets.choice(_SIGNS) for _number in range(_CODE_LENGTH))
    block.code_hash, block.code_sealed = mac(code, _CODE), seal(code, _KEPT)
    record("payments.make_seat_code", block, by.id)


def stop_code(block: SeatBlock, by: User) -> None:
    """Let no code open places any more. Safe to repeat."""
    block.code_hash = block.code_sealed = None
    record("payments.stop_seat_code", block, by.id)


def _check_open(block: SeatBlock) -> None:
    if block.is_over or block.bought_at is None:
        raise EnrolmentClosed


def _lock(block: SeatBlock) -> list[Seat]:
    """The places of a block, none of which anybody else changes until the transaction ends."""
    lock_run(block.run)
    db.session.refresh(block)
    return places_of(block)


def free_places(places: Sequence[Seat]) -> list[Seat]:
    """Those that nobody has taken and nobody is invited to, in their order."""
    return [seat for seat in places if seat.state == SeatState.FREE]


def invite(block: SeatBlock, addresses: Sequence[str], language: str, by: User) -> int:
    """Promise a place to each address and write to it; who is invited already is left out.

    language: for those who have no account. Returns how many were invited. Raises NoPlaceLeft when
    there are not enough, and EnrolmentClosed.
    """
    places = _lock(block)
    _check_open(block)
    known = {seat.email_folded for seat in places if seat.email_folded}
    new = {one.casefold(): one for one in addresses if one.casefold() not in known}
    free = free_places(places)
    if len(new) > len(free):
        raise NoPlaceLeft
    for seat, (folded, address) in zip(free, new.items(), strict=False):
        seat.email, seat.email_folded, seat.language = address, folded, language
        seat.round += 1
        db.session.flush()
        _write_to(seat)
    if new:
        record("payments.invite_to_seats", block, by.id, count=len(new))
    return len(new)


def _write_to(seat: Seat) -> None:
    """Mail the link, in the language of the account if there is one."""
    assert seat.email is not None
    seat.invited_at = clock.now()
    block = seat.block
    values = {
        "seat": seat.uuid.hex,
        "round": seat.round,
        "course": dict(block.run.course.title),
        "starts_on": block.run.starts_on.isoformat(),
        "ends_on": block.run.ends_on.isoformat(),
        "giver": giver_of(block),
    }
    db.session.flush()
    user = accounts.find_user(seat.email)
    if user is not None and user.is_active and user.is_confirmed:
        tell(user, "payments.seat_invitation", **values)
    else:
        tell_address(
            seat.email, seat.language or block.run.language, "payments.seat_invitation", **values
        )


def giver_of(block: SeatBlock) -> dict[str, str]:
    """Who gives the places, by language."""
    if block.organisation is not None:
        return dict(block.organisation.name)
    return {"en": block.user.name}


def write_again(seat: Seat) -> None:
    """Mail an invitation once more. Raises PlaceNotFree."""
    if seat.state != SeatState.INVITED:
        raise PlaceNotFree
    _write_to(seat)


def withdraw(seat: Seat, by: User) -> None:
    """Take an invitation back. Raises PlaceNotFree when somebody has taken the place meanwhile."""
    _lock(seat.block)
    if seat.state != SeatState.INVITED:
        raise PlaceNotFree
    seat.clear()
    record("payments.withdraw_seat", seat.block, by.id, number=seat.number)


def take(seat: Seat, user: User, *, shares_result: bool) -> Enrolment:
    """Sit down on the place that one was invited to.

    Raises InvitationOver when it was withdrawn or taken meanwhile, AlreadyEnrolled and
    EnrolmentClosed.
    """
    round_ = seat.round
    _lock(seat.block)
    if seat.state != SeatState.INVITED or seat.round != round_:
        raise InvitationOver
    return _sit_down(seat, user, shares_result)


def take_by_code(block: SeatBlock, user: User, *, shares_result: bool) -> Enrolment:
    """Sit down on the first free place of a block whose code one has.

    Raises NoPlaceLeft, InvitationOver when the code was changed meanwhile, AlreadyEnrolled and
    EnrolmentClosed.
    """
    code = block.code_hash
    free = free_places(_lock(block))
    if code is None or block.code_hash != code:
        raise InvitationOver
    if not free:
        raise NoPlaceLeft
    return _sit_down(free[0], user, shares_result)


def _sit_down(seat: Seat, user: User, shares_result: bool) -> Enrolment:
    run = seat.block.run
    own = queries.find_open_order(run, user)
    enrolment = take_held_seat(run, user)
    if own is not None:
        close_order(own, OrderState.CANCELLED)
    seat.email = seat.email_folded = seat.language = seat.invited_at = None
    seat.enrolment_id, seat.taken_at, seat.shares_result = enrolment.id, clock.now(), shares_result
    db.session.flush()
    order = seat.block.order
    if order is not None and has_parts(order):
        follow_access(order)
    return enrolment


def reassign(seat: Seat, by: User) -> None:
    """Take the place from who sits on it, for somebody else: until the end of day 3 of the run.

    Raises TooLateToReassign; PlaceNotFree when nobody sits on it, or has completed the course.
    """
    block = seat.block
    _lock(block)
    if not block.may_reassign:
        raise TooLateToReassign
    enrolment = seat.enrolment
    if enrolment is None or enrolment.state != EnrolmentState.ACTIVE:
        raise PlaceNotFree
    seat.clear()
    db.session.flush()
    record("payments.reassign_seat", block, by.id, number=seat.number, enrolment_id=enrolment.id)
    end_enrolment(enrolment, EnrolmentState.WITHDRAWN)
    tell(
        enrolment.user,
        "payments.seat_given_on",
        course=dict(block.run.course.title),
        giver=giver_of(block),
    )


def free_seat_of(event: EnrolmentEnded) -> None:
    """Who sat on a place has left: it goes back to its block."""
    if event.enrolment.method != SEAT:
        return
    seat = find_seat(event.enrolment)
    if seat is not None:
        seat.clear()
        db.session.flush()


def seats_taken_by(user: User) -> Sequence[Seat]:
    """The places on which a person sits, the latest run first."""
    return db.session.scalars(
        select(Seat)
        .join(Enrolment, Enrolment.id == Seat.enrolment_id)
        .join(CourseRun, CourseRun.id == Enrolment.run_id)
        .where(Enrolment.user_id == user.id)
        .options(
            joinedload(Seat.block).joinedload(SeatBlock.run).joinedload(CourseRun.course),
            joinedload(Seat.block).joinedload(SeatBlock.organisation),
            joinedload(Seat.block).joinedload(SeatBlock.user),
        )
        .order_by(CourseRun.starts_on.desc(), Seat.id)
        .limit(50)
    ).all()


def share_result(seat: Seat, shares: bool) -> None:
    """Who sits on the place lets its buyer see whether they complete the course, or no more."""
    seat.shares_result = shares


def forget_addresses() -> int:
    """Forget whom buyers invited to runs that are over, and their codes; of how many places."""
    today = clock.now().date()
    over = db.session.scalars(
        select(Seat)
        .join(SeatBlock, SeatBlock.id == Seat.block_id)
        .join(CourseRun, CourseRun.id == SeatBlock.run_id)
        .where(CourseRun.ends_on < today, Seat.email.is_not(None))
        .options(joinedload(Seat.block).joinedload(SeatBlock.run))
        .limit(1000)
    ).all()
    found = [seat for seat in over if seat.block.is_over]
    for seat in found:
        seat.clear()
        seat.block.code_hash = seat.block.code_sealed = None
    db.session.flush()
    return len(found)
