"""What happens in courses."""

from __future__ import annotations

from dataclasses import dataclass

from lms.core.events import Event
from lms.courses.models import Activity, Course, CourseRun, Enrolment


@dataclass(frozen=True)
class CoursePublished(Event):
    """A course became visible to the public."""

    course: Course


@dataclass(frozen=True)
class CourseRunPublished(Event):
    """A course run became visible to the public."""

    run: CourseRun


@dataclass(frozen=True)
class CourseRunCancelled(Event):
    """A course run will not take place; its people must be told and refunded."""

    run: CourseRun


@dataclass(frozen=True)
class Enrolled(Event):
    """An enrolment became active: the person may study."""

    enrolment: Enrolment


@dataclass(frozen=True)
class Waitlisted(Event):
    """A person joined the waiting list of a run."""

    enrolment: Enrolment


@dataclass(frozen=True)
class SeatOffered(Event):
    """A freed seat is held for the first of the waiting list until `offer_expires_at`."""

    enrolment: Enrolment


@dataclass(frozen=True)
class EnrolmentEnded(Event):
    """A person left a run: withdrawn, refunded or expired."""

    enrolment: Enrolment
    was_active: bool


@dataclass(frozen=True)
class CourseLaunched(Event):
    """A learner opened the study pages of a run for the first time."""

    enrolment: Enrolment


@dataclass(frozen=True)
class ActivityStarted(Event):
    """A learner opened an activity for the first time."""

    enrolment: Enrolment
    activity: Activity


@dataclass(frozen=True)
class ActivityCompleted(Event):
    """An activity's completion rule is met, for the first time. score: 0..1 or None."""

    enrolment: Enrolment
    activity: Activity
    score: float | None


@dataclass(frozen=True)
class CourseCompleted(Event):
    """All that the course asks for is done, for the first time."""

    enrolment: Enrolment
