"""What happens in assessments."""

from __future__ import annotations

from dataclasses import dataclass

from lms.assessments.models import QuizAttempt
from lms.core.events import Event


@dataclass(frozen=True)
class AttemptStarted(Event):
    """A learner began an attempt; its clock runs."""

    attempt: QuizAttempt


@dataclass(frozen=True)
class AttemptSubmitted(Event):
    """An attempt is closed and graded: handed in, or closed when its time was over."""

    attempt: QuizAttempt
