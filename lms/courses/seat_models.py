"""Seats of a run that are kept together: while an employer pays for them, and once they are sold.

A person who takes one of them studies by the method `seat` and takes no further seat of the run, so
a seat that is sold counts once, whether somebody sits on it or not.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, ScalarSelect, and_, func, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms.core import clock
from lms.core.db import Model, PrimaryKey
from lms.courses.models import HOLDS_SEAT, CourseRun, Enrolment

SEAT = "seat"  # the enrolment method of who takes a kept seat


class HeldSeats(Model):
    """Some seats of a run that are kept. key: the owner's own name for them.

    expires_at: until when they are kept while somebody pays; None once they are sold.
    """

    __tablename__ = "held_seats"
    __table_args__ = (CheckConstraint("seats >= 1", name="seats"),)

    id: Mapped[PrimaryKey]
    key: Mapped[UUID] = mapped_column(unique=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("course_runs.id"), index=True)
    seats: Mapped[int]
    expires_at: Mapped[datetime | None] = mapped_column(index=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    run: Mapped[CourseRun] = relationship()


def has_own_seat(enrolment: Any = Enrolment) -> ColumnElement[bool]:
    """Whether an enrolment takes a seat of the run by itself."""
    return and_(enrolment.state.in_(HOLDS_SEAT), enrolment.method != SEAT)


def seats_held(run_id: Any) -> ScalarSelect[int]:
    """How many seats of a run are kept together, as a part of a statement."""
    return (
        select(func.coalesce(func.sum(HeldSeats.seats), 0))
        .where(HeldSeats.run_id == run_id)
        .scalar_subquery()
    )
