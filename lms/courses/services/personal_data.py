"""What the room keeps about a person: places in courses, progress, teaching."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import joinedload, selectinload

from lms.core import clock
from lms.core.db import db
from lms.courses.models import (
    CalendarFeed,
    CourseRun,
    CourseStaff,
    Enrolment,
    EnrolmentState,
    Progress,
)
from lms.courses.services.enrolment import end_enrolment

_HAS_PLACE = (
    EnrolmentState.WAITLISTED,
    EnrolmentState.OFFERED,
    EnrolmentState.PENDING_PAYMENT,
    EnrolmentState.ACTIVE,
)


def _iso(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None


def export_person(user_id: int) -> dict[str, Any]:
    """Enrolments with progress, and courses taught."""
    enrolments = db.session.scalars(
        select(Enrolment)
        .where(Enrolment.user_id == user_id)
        .order_by(Enrolment.id)
        .options(
            joinedload(Enrolment.run).joinedload(CourseRun.course),
            selectinload(Enrolment.progress).joinedload(Progress.activity),
        )
    )
    staff = db.session.scalars(
        select(CourseStaff)
        .where(CourseStaff.user_id == user_id)
        .order_by(CourseStaff.id)
        .options(joinedload(CourseStaff.course))
    )
    return {
        "enrolments": [
            {
                "course": row.run.course.slug,
                "run": row.run.slug,
                "registration": str(row.registration),
                "state": row.state,
                "method": row.method,
                "created_at": _iso(row.created_at),
                "enrolled_at": _iso(row.enrolled_at),
                "completed_at": _iso(row.completed_at),
                "last_seen_at": _iso(row.last_seen_at),
                "grade": row.grade,
                "waived_hours": row.waived_hours,
                "progress": [
                    {
                        "activity": step.activity.slug,
                        "started_at": _iso(step.started_at),
                        "completed_at": _iso(step.completed_at),
                        "waived_at": _iso(step.waived_at),
                        "score": step.score,
                        "is_passed": step.is_passed,
                    }
                    for step in row.progress
                ],
            }
            for row in enrolments
        ],
        "teaches": [{"course": row.course.slug, "biography": row.biography} for row in staff],
    }


def erase_person(user_id: int) -> None:
    """Give back places in runs that are not over; forget biography and calendar address.

    Enrolments and progress stay without a name: certificates and figures rest on them.
    """
    enrolments = db.session.scalars(
        select(Enrolment)
        .where(Enrolment.user_id == user_id, Enrolment.state.in_(_HAS_PLACE))
        .options(joinedload(Enrolment.run))
    ).all()
    for enrolment in enrolments:
        if enrolment.run.ends_at >= clock.now():
            end_enrolment(enrolment, EnrolmentState.WITHDRAWN)
    for row in db.session.scalars(select(CourseStaff).where(CourseStaff.user_id == user_id)):
        row.biography = {}
    db.session.execute(delete(CalendarFeed).where(CalendarFeed.user_id == user_id))
    db.session.flush()
