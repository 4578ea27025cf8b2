"""Progress of learners: started, completed, the whole course completed."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from lms.core import clock
from lms.core.db import db
from lms.core.events import emit
from lms.courses.activity_types.base import activity_types
from lms.courses.errors import NotReleased
from lms.courses.events import (
    ActivityCompleted,
    ActivityStarted,
    ActivityWaived,
    CourseCompleted,
    CourseLaunched,
)
from lms.courses.models import Activity, Enrolment, EnrolmentState, Progress


def is_released(enrolment: Enrolment, activity: Activity) -> bool:
    """Whether the activity's module is open in the person's run."""
    return enrolment.run.released_at(activity.module) <= clock.now()


def _progress(enrolment: Enrolment, activity: Activity) -> Progress | None:
    return db.session.scalar(
        select(Progress).where(
            Progress.enrolment_id == enrolment.id, Progress.activity_id == activity.id
        )
    )


def start_activity(enrolment: Enrolment, activity: Activity) -> Progress:
    """Note that the learner opened an activity. Safe to repeat.

    Raises NotReleased before its module opens.
    """
    if not is_released(enrolment, activity):
        raise NotReleased
    is_first_visit = enrolment.last_seen_at is None
    enrolment.last_activity_id = activity.id
    enrolment.last_seen_at = clock.now()
    progress = _progress(enrolment, activity)
    if progress is not None and progress.is_opened:
        return progress
    if progress is None:
        progress = Progress(enrolment=enrolment, activity=activity)
        db.session.add(progress)
    else:  # waived before it was opened
        progress.started_at = clock.now()
    db.session.flush()
    if is_first_visit:
        emit(CourseLaunched(enrolment))
    emit(ActivityStarted(enrolment, activity))
    return progress


def view_activity(enrolment: Enrolment, activity: Activity) -> Progress:
    """The learner has the activity before their eyes; completes it when its rule is "viewed".

    Raises NotReleased.
    """
    progress = start_activity(enrolment, activity)
    if activity.completion == "viewed":
        complete_activity(enrolment, activity)
    return progress


def complete_activity(
    enrolment: Enrolment,
    activity: Activity,
    *,
    score: float | None = None,
    is_passed: bool | None = None,
) -> Progress:
    """The activity's completion rule is met. Safe to repeat; a later score replaces the earlier.

    score: 0..1. Raises NotReleased.
    """
    progress = start_activity(enrolment, activity)
    is_first = progress.completed_at is None
    if is_first:
        progress.completed_at = clock.now()
    record_score(progress, score, is_passed)
    db.session.flush()
    if is_first:
        emit(ActivityCompleted(enrolment, activity, score))
    complete_course_when_done(enrolment)
    return progress


def waive_activities(
    enrolment: Enrolment, activities: Collection[Activity], hours: float
) -> list[Activity]:
    """Count activities without their being done, since what they teach was shown elsewhere.

    hours: of the course's, waived in all; they are no hours that the learner attended. Safe to
    repeat. What is done already stays done. Returns what is waived now and was not before.
    """
    now = clock.now()
    waived = []
    for activity in activities:
        progress = _progress(enrolment, activity)
        if progress is not None and (progress.waived_at or progress.completed_at):
            continue
        if progress is None:
            progress = Progress(enrolment=enrolment, activity=activity, started_at=now)
            db.session.add(progress)
        progress.waived_at = now
        waived.append(activity)
    enrolment.waived_hours = min(hours, enrolment.run.course.hours)
    db.session.flush()
    for activity in waived:
        emit(ActivityWaived(enrolment, activity))
    complete_course_when_done(enrolment)
    return waived


def record_score(progress: Progress, score: float | None, is_passed: bool | None) -> None:
    """Keep the score of a graded activity, complete or not."""
    if score is not None:
        progress.score = score
    if is_passed is not None:
        progress.is_passed = is_passed
    db.session.flush()


def complete_course_when_done(enrolment: Enrolment) -> bool:
    """Complete the enrolment when all required activities are done or waived, and the grade of
    those that were not waived suffices."""
    if enrolment.state != EnrolmentState.ACTIVE:
        return False
    rows = db.session.execute(
        select(Activity, Progress)
        .outerjoin(
            Progress,
            (Progress.activity_id == Activity.id) & (Progress.enrolment_id == enrolment.id),
        )
        .where(
            Activity.course_id == enrolment.run.course_id,
            Activity.is_required,
            Activity.is_published,
        )
    ).all()
    graded = [
        progress
        for activity, progress in rows
        if activity.kind in activity_types and activity_types[activity.kind].is_graded
    ]
    scores = [
        (progress.score or 0.0) if progress else 0.0
        for progress in graded
        if not (progress and progress.is_graded_nothing)
    ]
    enrolment.grade = sum(scores) / len(scores) if scores else None
    all_done = bool(rows) and all(
        progress and (progress.completed_at or progress.waived_at) for _, progress in rows
    )
    all_waived = bool(graded) and not scores
    minimum = None if all_waived else enrolment.run.course.minimum_grade
    if not all_done or (minimum is not None and (enrolment.grade or 0.0) < minimum - 1e-9):
        db.session.flush()
        return False
    enrolment.state = EnrolmentState.COMPLETED
    enrolment.completed_at = clock.now()
    db.session.flush()
    emit(CourseCompleted(enrolment))
    return True
