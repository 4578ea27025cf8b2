"""What happens in courses."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

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
class CourseRunCopied(Event):
    """A run was planned like another one, on other dates."""

    run: CourseRun
    source: CourseRun


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
class EnrolmentCleared(Event):
    """Nothing is owed for a place any more: what waited for it can be had."""

    enrolment: Enrolment


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
class ActivityWaived(Event):
    """An activity counts without being done: what it teaches was shown elsewhere."""

    enrolment: Enrolment
    activity: Activity


@dataclass(frozen=True)
class CourseCompleted(Event):
    """All that the course asks for is done, for the first time."""

    enrolment: Enrolment


class PlaybackStep(StrEnum):
    """What can happen to a film that is played: the verbs of the xAPI video profile."""

    INITIALIZED = "initialized"
    PLAYED = "played"
    PAUSED = "paused"
    SEEKED = "seeked"
    COMPLETED = "completed"
    TERMINATED = "terminated"


@dataclass(frozen=True)
class PlaybackNoted(Event):
    """Something happened while a learner played a film.

    time: where in the film, time_from for SEEKED where before; length: of the film; seconds: spent
    watching in this enrolment; all in seconds. segments: the parts watched, in the order in which
    they were. progress: 0..1. player: how it was shown, by the names of the profile's context
    extensions. language: of what is spoken.
    """

    enrolment: Enrolment
    activity: Activity
    step: PlaybackStep
    session: uuid.UUID
    at: datetime
    length: float
    time: float
    time_from: float | None
    segments: tuple[tuple[float, float], ...]
    progress: float
    seconds: float
    threshold: float
    language: str | None
    player: Mapping[str, Any] = field(default_factory=dict)
