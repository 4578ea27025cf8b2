"""What buyers of places are told: the run is cancelled or moved, or begins with unused places."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.orm import joinedload

from lms.core import clock
from lms.core.db import db
from lms.core.outbox import enqueue
from lms.courses.events import CourseRunCancelled
from lms.courses.models import CourseRun, PublicationState
from lms.notifications.services import tell
from lms.payments.models import Order
from lms.payments.seat_models import REMIND_DAYS, Seat, SeatBlock
from lms.payments.services.leaving import part_of
from lms.payments.services.refund_policy import Why
from lms.payments.services.seat_blocks import block_of
from lms.payments.terms_models import OrderTerms

AT_ONCE = 200
_UNUSED = exists().where(
    Seat.block_id == SeatBlock.id, Seat.enrolment_id.is_(None), Seat.returned_at.is_(None)
)


def _values(block: SeatBlock) -> dict[str, Any]:
    return {
        "block": str(block.uuid),
        "course": dict(block.run.course.title),
        "starts_on": block.run.starts_on.isoformat(),
    }


def _unused(block: SeatBlock) -> int:
    """How many places nobody has taken, invited or not."""
    found = db.session.scalar(
        select(func.count()).where(
            Seat.block_id == block.id, Seat.enrolment_id.is_(None), Seat.returned_at.is_(None)
        )
    )
    return int(found or 0)


def note_cancelled(event: CourseRunCancelled) -> None:
    """Have buyers of places told. Whom is kept now, as their blocks end with the money."""
    ids = db.session.scalars(
        select(SeatBlock.id).where(
            SeatBlock.run_id == event.run.id,
            SeatBlock.bought_at.is_not(None),
            SeatBlock.ended_at.is_(None),
        )
    ).all()
    if ids:
        enqueue("payments.tell_of_cancelled_seats", block_ids=list(ids))


def tell_of_cancelled(block_ids: Sequence[int]) -> None:
    """Tell buyers that the run of their places is cancelled. The money goes back by itself."""
    blocks = db.session.scalars(
        select(SeatBlock)
        .where(SeatBlock.id.in_(block_ids))
        .options(
            joinedload(SeatBlock.user),
            joinedload(SeatBlock.order),
            joinedload(SeatBlock.run).joinedload(CourseRun.course),
        )
        .order_by(SeatBlock.id)
    )
    for block in blocks:
        is_paid = block.order is not None and block.order.total_minor > 0
        tell(
            block.user, "payments.seats_cancelled",
            **_values(block), seats=block.seats, is_paid=is_paid,
        )  # fmt: skip


def tell_of_moved(terms: OrderTerms) -> None:
    """Tell a buyer of places that the run begins much later, once."""
    order: Order = terms.order
    before, terms.told_of = terms.first_day, order.place.starts_on
    db.session.flush()
    block = block_of(order)
    if before is None or block.order_id != order.id or block.ended_at is not None:
        return
    if part_of(order.total, order, terms).why != Why.MOVED:
        return
    tell(
        block.user, "payments.seats_moved",
        **_values(block), before=before.isoformat(), unused=_unused(block),
    )  # fmt: skip


def blocks_to_remind() -> Sequence[int]:
    """Blocks whose run begins soon and that have places nobody has taken, told of to nobody yet."""
    now = clock.now()
    return db.session.scalars(
        select(SeatBlock.id)
        .join(CourseRun, CourseRun.id == SeatBlock.run_id)
        .where(
            CourseRun.state == PublicationState.PUBLISHED,
            CourseRun.starts_on > now.date(),
            CourseRun.starts_on <= now.date() + timedelta(days=REMIND_DAYS),
            SeatBlock.bought_at < now - timedelta(days=1),  # who has just bought knows
            SeatBlock.ended_at.is_(None),
            SeatBlock.reminded_at.is_(None),
            _UNUSED,
        )
        .order_by(SeatBlock.id)
        .limit(AT_ONCE)
    ).all()


def remind(block: SeatBlock) -> None:
    """Tell the buyer of places that nobody has taken, once."""
    unused = _unused(block)
    if block.reminded_at is not None or not unused:
        return
    block.reminded_at = clock.now()
    db.session.flush()
    tell(block.user, "payments.seats_unused", **_values(block), unused=unused, seats=block.seats)
