"""Reads of blocks of places and who sits on them."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.orm import joinedload

from lms.accounts.models import User
from lms.core.db import db
from lms.core.errors import NotFound
from lms.courses.models import CourseRun, Enrolment, EnrolmentState
from lms.directory.models import OrganisationRole, OrganisationRoleName
from lms.payments.seat_models import Seat, SeatBlock, SeatState

SMALLEST_GROUP = 5  # from how many people on a count tells nothing of one of them


@dataclass(frozen=True)
class Standing:
    """How a block stands. completed: None while so few sit on it that it would tell of one."""

    free: int
    invited: int
    taken: int
    expired: int
    returned: int
    completed: int | None


def get_block(key: uuid.UUID) -> SeatBlock:
    """The bought block with this uuid, with its run. Raises NotFound."""
    block = db.session.scalar(
        select(SeatBlock)
        .where(SeatBlock.uuid == key, SeatBlock.bought_at.is_not(None))
        .options(
            joinedload(SeatBlock.run).joinedload(CourseRun.course),
            joinedload(SeatBlock.order),
            joinedload(SeatBlock.organisation),
        )
    )
    if block is None:
        raise NotFound
    return block


def get_seat(block: SeatBlock, number: int) -> Seat:
    """The place with this number of a block. Raises NotFound."""
    seat = db.session.scalar(select(Seat).where(Seat.block_id == block.id, Seat.number == number))
    if seat is None:
        raise NotFound
    return seat


def find_seat(enrolment: Enrolment) -> Seat | None:
    """The place of a block on which somebody is in a run."""
    return db.session.scalar(select(Seat).where(Seat.enrolment_id == enrolment.id))


def get_own_seat(key: uuid.UUID) -> Seat:
    """The place with this uuid. Raises NotFound."""
    seat = db.session.scalar(
        select(Seat).where(Seat.uuid == key).options(joinedload(Seat.enrolment))
    )
    if seat is None:
        raise NotFound
    return seat


def _managed_by(user: User) -> Select[int]:
    return select(OrganisationRole.organisation_id).where(
        OrganisationRole.user_id == user.id,
        OrganisationRole.role == OrganisationRoleName.MANAGER,
    )


def list_blocks_of(user: User) -> Select[SeatBlock]:
    """Blocks that a person bought, or that were bought for an organisation they manage."""
    return (
        select(SeatBlock)
        .where(
            SeatBlock.bought_at.is_not(None),
            or_(
                SeatBlock.user_id == user.id,
                SeatBlock.organisation_id.in_(_managed_by(user)),
            ),
        )
        .options(
            joinedload(SeatBlock.run).joinedload(CourseRun.course),
            joinedload(SeatBlock.organisation),
        )
        .order_by(SeatBlock.bought_at.desc(), SeatBlock.id.desc())
    )


def has_blocks(user: User) -> bool:
    """Whether there is a block that the person may look after."""
    found = list_blocks_of(user).options().order_by(None).limit(1).subquery()
    return bool(db.session.scalar(select(exists().select_from(found))))


def taken_by_block(blocks: Sequence[SeatBlock]) -> dict[int, int]:
    """How many places of each block are taken."""
    rows = db.session.execute(
        select(Seat.block_id, func.count())
        .where(Seat.block_id.in_([block.id for block in blocks]), Seat.enrolment_id.is_not(None))
        .group_by(Seat.block_id)
    )
    return {row[0]: row[1] for row in rows}


def list_places(block: SeatBlock) -> Select[Seat]:
    """The places of a block that were not given back, with who sits on them."""
    return (
        select(Seat)
        .where(Seat.block_id == block.id, Seat.returned_at.is_(None))
        .options(joinedload(Seat.enrolment).joinedload(Enrolment.user))
        .order_by(Seat.number)
    )


def standing(block: SeatBlock) -> Standing:
    """How many places are free, invited, taken; how many of their people completed the course."""
    how = (
        Seat.returned_at.is_not(None),
        Seat.enrolment_id.is_not(None),
        Seat.email.is_not(None),
        Enrolment.state,
    )
    rows = db.session.execute(
        select(*how, func.count())
        .outerjoin(Enrolment, Enrolment.id == Seat.enrolment_id)
        .where(Seat.block_id == block.id)
        .group_by(*how)
    )
    counts: Counter[str] = Counter()
    for is_returned, is_taken, is_invited, state, count in rows:
        if is_returned:
            counts[SeatState.RETURNED] += count
        elif is_taken:
            counts[SeatState.TAKEN] += count
            counts["completed"] += count if state == EnrolmentState.COMPLETED else 0
        elif block.is_over:
            counts[SeatState.EXPIRED] += count
        else:
            counts[SeatState.INVITED if is_invited else SeatState.FREE] += count
    taken = counts[SeatState.TAKEN]
    return Standing(
        free=counts[SeatState.FREE],
        invited=counts[SeatState.INVITED],
        taken=taken,
        expired=counts[SeatState.EXPIRED],
        returned=counts[SeatState.RETURNED],
        completed=counts["completed"] if taken >= SMALLEST_GROUP else None,
    )
