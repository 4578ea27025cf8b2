"""Reads of enrolments, seats and waiting lists."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import and_, bindparam, func, literal, or_, select, union_all
from sqlalchemy.orm import aliased, joinedload, selectinload

from lms.accounts.models import User
from lms.core.db import db
from lms.core.errors import NotFound
from lms.courses.models import (
    Course,
    CourseRun,
    Enrolment,
    EnrolmentState,
    Module,
)
from lms.courses.seat_models import HeldSeats, has_own_seat


@dataclass(frozen=True)
class Seats:
    """How many seats of a run are held, and how many people wait."""

    taken: int = 0
    waiting: int = 0


# made once: most pages of learners ask
_OF_PERSON = select(Enrolment).where(
    Enrolment.run_id == bindparam("run_id"), Enrolment.user_id == bindparam("user_id")
)


def find_enrolment(run: CourseRun, user: User | None) -> Enrolment | None:
    """The person's enrolment in the run, in whatever state."""
    if user is None:
        return None
    return db.session.scalar(_OF_PERSON, {"run_id": run.id, "user_id": user.id})


def get_enrolment(run: CourseRun, user: User) -> Enrolment:
    """The person's enrolment in the run, in whatever state. Raises NotFound."""
    enrolment = find_enrolment(run, user)
    if enrolment is None:
        raise NotFound
    return enrolment


def seats_by_run(run_ids: Collection[int]) -> dict[int, Seats]:
    """Seats held and people waiting in each of these runs."""
    if not run_ids:
        return {}
    counted = (
        select(
            Enrolment.run_id,
            func.count().filter(has_own_seat()),
            func.count().filter(Enrolment.state == EnrolmentState.WAITLISTED),
        )
        .where(Enrolment.run_id.in_(run_ids))
        .group_by(Enrolment.run_id)
    )
    kept = (
        select(HeldSeats.run_id, func.sum(HeldSeats.seats), literal(0))
        .where(HeldSeats.run_id.in_(run_ids))
        .group_by(HeldSeats.run_id)
    )
    found: dict[int, Seats] = {}
    for run_id, taken, waiting in db.session.execute(union_all(counted, kept)):
        before = found.get(run_id, Seats())
        found[run_id] = Seats(before.taken + int(taken), before.waiting + int(waiting))
    return found


def waiting_positions(user: User) -> dict[int, int]:
    """The person's place in each waiting list they are on, counted from 1, by run id."""
    mine, other = aliased(Enrolment), aliased(Enrolment)
    rows = db.session.execute(
        select(mine.run_id, func.count(other.id))
        .join(
            other,
            and_(
                other.run_id == mine.run_id,
                other.state == EnrolmentState.WAITLISTED,
                or_(
                    other.waiting_since < mine.waiting_since,
                    and_(other.waiting_since == mine.waiting_since, other.id <= mine.id),
                ),
            ),
        )
        .where(mine.user_id == user.id, mine.state == EnrolmentState.WAITLISTED)
        .group_by(mine.run_id)
    )
    return {run_id: position for run_id, position in rows}  # noqa: C416


def list_enrolments(user: User) -> list[Enrolment]:
    """All enrolments of a person with run, course, modules, activities and progress."""
    return list(
        db.session.scalars(
            select(Enrolment)
            .where(Enrolment.user_id == user.id)
            .join(Enrolment.run)
            .order_by(CourseRun.starts_on, Enrolment.id)
            .options(
                joinedload(Enrolment.run)
                .joinedload(CourseRun.course)
                .options(
                    joinedload(Course.topic),
                    selectinload(Course.modules).joinedload(Module.activities),
                ),
                selectinload(Enrolment.progress),
            )
        )
    )
