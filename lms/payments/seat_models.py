"""Blocks of places that somebody buys for others, and each place of them."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import Model, PrimaryKey
from lms.courses.models import CourseRun, Enrolment
from lms.directory.models import Organisation
from lms.payments.models import Order

SEATS = "seats"  # the product
MOST_SEATS = 500
REASSIGN_DAYS = 3  # a place that is taken can be given to somebody else until this day of the run
REMIND_DAYS = 7  # so long before the run begins, the buyer is told of places that nobody has taken
_NOT_BOUGHT = text("bought_at IS NULL")


class SeatState(StrEnum):
    """Where a place of a block stands."""

    FREE = "free"
    INVITED = "invited"
    TAKEN = "taken"
    EXPIRED = "expired"  # the run is over, and nobody took it
    RETURNED = "returned"  # given back for money


def may_reassign(starts_on: date, today: date) -> bool:
    """Whether a place that is taken can be given to somebody else: until the end of day 3.

    starts_on: the first day of the run. today: the day in the run's time zone.
    """
    return today < starts_on + timedelta(days=REASSIGN_DAYS)


class SeatBlock(Model):
    """Places of a run that a person buys, or bought, for others. `uuid` stands in addresses.

    seats: how many are wanted, and once they are bought how many were. The order names it as its
    item.
    """

    __tablename__ = "seat_blocks"
    __table_args__ = (
        CheckConstraint("seats >= 1", name="seats"),
        Index(
            "uq_seat_blocks_not_bought",
            "user_id",
            "run_id",
            unique=True,
            sqlite_where=_NOT_BOUGHT,
            postgresql_where=_NOT_BOUGHT,
        ),
        Index("ix_seat_blocks_user_id_created_at", "user_id", "created_at"),
    )

    id: Mapped[PrimaryKey]
    uuid: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("course_runs.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    organisation_id: Mapped[int | None] = mapped_column(
        ForeignKey("organisations.id", ondelete="SET NULL"), index=True
    )
    seats: Mapped[int]
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"), unique=True)
    code_hash: Mapped[str | None] = mapped_column(unique=True)  # see services.seats
    code_sealed: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    bought_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]  # of places that nobody has taken
    ended_at: Mapped[datetime | None]  # all money went back
    version: Mapped[int] = mapped_column()

    run: Mapped[CourseRun] = relationship()
    user: Mapped[User] = relationship()
    organisation: Mapped[Organisation | None] = relationship()
    order: Mapped[Order | None] = relationship()
    places: Mapped[list[Seat]] = relationship(back_populates="block", order_by="Seat.number")

    __mapper_args__ = {"version_id_col": version}

    @property
    def is_over(self) -> bool:
        """Whether its places have expired: the run is over, or does not take place for it."""
        return self.ended_at is not None or clock.now() > self.run.ends_at

    @property
    def may_reassign(self) -> bool:
        """Whether places that are taken can be given to others today."""
        today = clock.local_date(clock.now(), self.run.time_zone)
        return self.ended_at is None and may_reassign(self.run.starts_on, today)


class Seat(Model):
    """One place of a block: free, promised to an address, or taken by who studies on it."""

    __tablename__ = "seats"
    __table_args__ = (
        UniqueConstraint("block_id", "number"),
        CheckConstraint(
            "returned_at IS NULL OR (enrolment_id IS NULL AND email IS NULL)", name="returned"
        ),
    )

    id: Mapped[PrimaryKey]
    uuid: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)
    block_id: Mapped[int] = mapped_column(ForeignKey("seat_blocks.id"))
    number: Mapped[int]  # 1..seats of the block
    email: Mapped[str | None]  # of who is invited, until they take it
    email_folded: Mapped[str | None] = mapped_column(index=True)
    language: Mapped[str | None]  # of the invitation, for who has no account
    round: Mapped[int] = mapped_column(default=0)  # a link is for one round alone
    invited_at: Mapped[datetime | None]
    enrolment_id: Mapped[int | None] = mapped_column(
        ForeignKey("enrolments.id", ondelete="SET NULL"), unique=True
    )
    taken_at: Mapped[datetime | None]
    shares_result: Mapped[bool] = mapped_column(default=False)  # who sits on it lets the buyer see
    returned_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column()

    block: Mapped[SeatBlock] = relationship(back_populates="places")
    enrolment: Mapped[Enrolment | None] = relationship()

    __mapper_args__ = {"version_id_col": version}

    @property
    def state(self) -> SeatState:
        """Where it stands now."""
        if self.returned_at is not None:
            return SeatState.RETURNED
        if self.enrolment_id is not None:
            return SeatState.TAKEN
        if self.block.is_over:
            return SeatState.EXPIRED
        return SeatState.FREE if self.email is None else SeatState.INVITED

    def clear(self) -> None:
        """Nobody sits on it and nobody is invited; links that were sent lead nowhere."""
        self.email = self.email_folded = self.language = self.invited_at = None
        self.enrolment_id = self.taken_at = None
        self.shares_result = False
        self.round += 1
