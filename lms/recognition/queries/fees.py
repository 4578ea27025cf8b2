"""Reads of the fees of prior learning."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload, selectinload

from lms.core.db import db
from lms.core.errors import NotFound
from lms.courses.models import Course
from lms.recognition.models import PriorLearningFee, PriorLearningRequest, RequestState

_NEWEST = (PriorLearningFee.starts_on.desc(), PriorLearningFee.id.desc())


def find_fee(course: Course, day: date) -> PriorLearningFee | None:
    """The fee of a course on a day."""
    return db.session.scalar(
        select(PriorLearningFee)
        .where(PriorLearningFee.course_id == course.id, PriorLearningFee.starts_on <= day)
        .options(selectinload(PriorLearningFee.amounts))
        .order_by(*_NEWEST)
        .limit(1)
    )


def fees_of(course: Course) -> Sequence[PriorLearningFee]:
    """All fees of a course, the newest first."""
    return db.session.scalars(
        select(PriorLearningFee)
        .where(PriorLearningFee.course_id == course.id)
        .options(selectinload(PriorLearningFee.amounts), joinedload(PriorLearningFee.made_by))
        .order_by(*_NEWEST)
    ).all()


def get_fee(course: Course, fee_id: int) -> PriorLearningFee:
    """A fee of a course. Raises NotFound."""
    found = db.session.get(PriorLearningFee, fee_id)
    if found is None or found.course_id != course.id:
        raise NotFound
    return found


def find_by_fee(key: uuid.UUID | None, *, locked: bool = False) -> PriorLearningRequest | None:
    """The request whose fee is bought under this key, which is its UUID.

    locked: until the end of the transaction, as it is now.
    """
    found = select(PriorLearningRequest).where(PriorLearningRequest.uuid == key)
    if locked:
        found = found.with_for_update().execution_options(populate_existing=True)
    return db.session.scalar(found)


def list_unpaid(course: Course) -> Select[PriorLearningRequest]:
    """The requests for a course that wait for their fee, the oldest first."""
    return (
        select(PriorLearningRequest)
        .where(
            PriorLearningRequest.course_id == course.id,
            PriorLearningRequest.state == RequestState.FEE_DUE,
        )
        .options(joinedload(PriorLearningRequest.user))
        .order_by(PriorLearningRequest.id)
    )
